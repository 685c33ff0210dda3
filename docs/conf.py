"""How the site is built; `make docs` does it."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "runner"
author = "The runner developers"
release = version = version_of("incremental-runner")
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "repository"]
exclude_patterns = ["_build", "_ext"]
myst_heading_anchors = 3
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_rtype = False
highlight_language = "text"

html_theme = "furo"
html_title = "runner"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["pages.css"]
