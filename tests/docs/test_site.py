"""The site builds without a warning, its links lead somewhere, and its reference is complete."""

import re
import runpy
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
CONFIG = DOCS / "reference" / "config.md"
OPTIONS = sorted(path for path in (ROOT / "conf").rglob("*/*.yaml") if "hydra" not in path.parts)
LOADED = ("script", "img", "iframe", "source", "video", "audio", "embed", "object", "link")


class Page(HTMLParser):
    """The ids of a page, where it links to, and what it loads by itself."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loaded = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        to = [found[name] for name in ("href", "src", "data") if name in found]
        self.links += to
        if tag in LOADED:
            self.loaded += to


def pages_of(site):
    return {
        path.resolve(): Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")
    }


def is_outside(link):
    return bool(urlsplit(link).scheme or urlsplit(link).netloc)


def broken(pages):
    """Return the links inside of a site that lead to no file, or to no id of a page."""
    found = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if is_outside(link):
                continue
            ids = pages[to].ids if to in pages else set()
            if not to.is_file() or (parts.fragment and unquote(parts.fragment) not in ids):
                found.append(f"{path.name}: {link}")
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-j1"]
    command += ["-d", folder / "doctrees", DOCS, folder / "html"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site):
    return pages_of(site)


@pytest.fixture
def written(monkeypatch):
    """Return the texts of the pages that follow from the code."""
    monkeypatch.syspath_prepend(DOCS / "_ext")
    return runpy.run_path(str(DOCS / "_ext" / "reference.py"))["pages"]()


def test_every_page_is_in_the_site(site):
    sources = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    inside = {page for page in sources if page.parts[0] not in ("_build", "_ext")}
    assert {page for page in inside if not (site / page).is_file()} == set()


def test_every_link_inside_the_site_leads_to_a_file_and_an_id(pages):
    assert broken(pages) == []


@pytest.mark.parametrize(
    ("link", "leads"),
    [("b.html#there", True), ("b.html#gone", False), ("gone.html", False), ("#here", True)],
)
def test_a_link_that_leads_nowhere_is_found(tmp_path, link, leads):
    (tmp_path / "a.html").write_text(f'<h1 id="here"></h1><a href="{link}">x</a>')
    (tmp_path / "b.html").write_text('<h1 id="there"></h1>')
    assert (broken(pages_of(tmp_path)) == []) is leads


def test_a_page_loads_nothing_from_another_site(site, pages):
    loaded = {link for page in pages.values() for link in page.loaded}
    assert any(link.endswith(".png") for link in loaded)
    assert {link for link in loaded if is_outside(link) and not link.startswith("data:")} == set()
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert not [
        text for text in styles if re.search(r"(?:@import|url\()\s*['\"]?(?:https?:)?//", text)
    ]


def test_a_link_to_a_file_of_the_repository_shows_its_text(site):
    page = (site / "architecture.html").read_text(encoding="utf-8")
    assert 'href="repository/runner/errors.py.html"' in page
    shown = site / "repository" / "runner" / "errors.py.html"
    assert "RunnerError" in shown.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["config.md", "commands.md"])
def test_a_page_of_the_reference_is_as_the_code_is(name, written):
    kept = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert kept == written[name], "`make docs` writes it anew"


@pytest.mark.parametrize("path", OPTIONS, ids=lambda p: f"{p.parent.name}={p.stem}")
def test_every_key_of_an_option_is_in_the_reference(path):
    text, group = CONFIG.read_text(encoding="utf-8"), path.parent.name
    node = yaml.safe_load(path.read_text(encoding="utf-8"))
    section = group
    if "_target_" not in node:
        section, node = f"{group}.{path.stem}", node[path.stem]
    keys = node.keys() - {"_target_"}
    if node["_target_"].startswith("sklearn."):
        own = text.split(f"\n## {group}\n")[1].split("\n## ")[0]
        line = next(line for line in own.splitlines() if line.startswith(f"| `{path.stem}`<br>"))
        assert {key for key in keys if f"`{key}: " not in line} == set()
    else:
        assert {key for key in keys if f"| `{section}.{key}` |" not in text} == set()
        assert f"`{path.stem}`" in text or section in text or path.stem == "default"


def test_every_key_of_the_base_config_is_in_the_reference():
    text = CONFIG.read_text(encoding="utf-8")
    base = yaml.safe_load((ROOT / "conf" / "config.yaml").read_text(encoding="utf-8"))
    for section in base.keys() - {"defaults", "_target_", "hydra"}:
        assert f"\n## {section}\n" in text or f"| `{section}` |" in text
        for key in base[section] or () if isinstance(base[section], dict) else ():
            assert f"| `{section}.{key}` |" in text, key
