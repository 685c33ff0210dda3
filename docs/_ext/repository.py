"""Let the site show the files of the repository that its pages link to.

A link such as ``../runner/experiment.py`` works where the pages are read as they are. In the site
it leads to a page with the text of the file, or with the names in the folder.
"""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from docutils import nodes
from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

PAGES = {"CHANGELOG.md": "changelog", "CONTRIBUTING.md": "contributing", "README.md": "index"}
FOLDER = "repository"
PATH = "repository_path"


class Links(SphinxTransform):
    """Point links at files outside the pages, and at folders, to pages of the site."""

    default_priority = 5

    def apply(self, **_: Any) -> None:
        """Replace what MyST made of these links."""
        for kind in (addnodes.pending_xref, addnodes.download_reference):
            for node in list(self.document.findall(kind)):
                if node.get("reftype") == "myst":
                    self._point(node)

    def _point(self, node: nodes.Element) -> None:
        docs = Path(self.env.srcdir).resolve()
        linked = unquote(node["reftarget"].partition("#")[0])
        if node.get("refdomain") == "doc":  # MyST leaves the suffix out
            linked += ".md"
        path = (docs / self.env.docname).parent.joinpath(linked).resolve()
        if not linked or not path.exists() or not path.is_relative_to(docs.parent):
            return
        inside = path.relative_to(docs.parent).as_posix()
        page = PAGES.get(inside)
        if path.is_dir() and (path / "index.md").is_file():
            page = (path / "index").relative_to(docs).as_posix()
        if page:
            node.replace_self(self._to_page(node, page))
        elif path.is_dir() or not path.is_relative_to(docs):
            node.replace_self(self._to_file(node, inside))

    def _to_page(self, node: nodes.Element, page: str) -> nodes.Element:
        said: dict[str, Any] = {"refdomain": "doc", "reftarget": page, "reftargetid": None}
        said |= {"reftype": "myst", "refdoc": self.env.docname, "refexplicit": True}
        return addnodes.pending_xref("", *node.children, **said)

    def _to_file(self, node: nodes.Element, inside: str) -> nodes.Element:
        up = "../" * self.env.docname.count("/")
        uri = f"{up}{FOLDER}/{inside}.html"
        return nodes.reference("", "", *node.children, refuri=uri, **{PATH: inside})


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield a page for each file and folder that is linked to."""
    root = Path(app.srcdir).resolve().parent
    linked = {
        node[PATH]
        for name in app.env.found_docs
        for node in app.env.get_doctree(name).findall(nodes.reference)
        if PATH in node
    }
    for inside in sorted(linked):
        text, language = _shown(root / inside)
        highlighted = app.builder.highlighter.highlight_block(text, language)  # type: ignore[attr-defined]
        body = f"<h1>{escape(inside)}</h1>\n{highlighted}"
        yield f"{FOLDER}/{inside}", {"title": inside, "body": body}, "page.html"


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx."""
    app.add_transform(Links)
    app.connect("html-collect-pages", pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _shown(path: Path) -> tuple[str, str]:
    """Return the text that stands for a file or folder, and the language it is in."""
    if path.is_dir():
        names = [f"{each.name}/" if each.is_dir() else each.name for each in path.iterdir()]
        return "\n".join(sorted(name for name in names if name != "__pycache__/")), "text"
    try:
        language = get_lexer_for_filename(path.name).aliases[0]
    except ClassNotFound:
        language = "text"
    return path.read_text(encoding="utf-8"), language
