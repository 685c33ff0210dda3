"""The shape of the tree: small modules, small functions, a test file for each module."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "runner").rglob("*.py"))
MOST_LINES, MOST_FUNCTION_LINES = 300, 40


def name_of(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_module_fits_in_the_head(module):
    text = module.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node, clean=False)
            code = node.end_lineno - node.lineno + 1 - len((documented or "").splitlines())
            assert code <= MOST_FUNCTION_LINES, f"{node.name} has {code} lines"


@pytest.mark.parametrize("package", sorted((ROOT / "runner").rglob("__init__.py")), ids=name_of)
def test_a_package_exports_nothing_by_import(package):
    if package.parent.name == "runner":
        return
    tree = ast.parse(package.read_text(encoding="utf-8"))
    assert [type(node) for node in tree.body] == [ast.Expr], "only a docstring"


def test_every_module_has_a_test_file_of_its_name():
    missing = [
        str(test.relative_to(ROOT))
        for module in MODULES
        if module.name not in ("__init__.py", "__main__.py")
        and "plugins" not in module.parts
        and not (test := mirror(module)).is_file()
    ]
    assert missing == []


def mirror(module):
    inside = module.relative_to(ROOT / "runner")
    return ROOT / "tests" / inside.parent / f"test_{inside.name}"


def test_every_noun_of_the_config_has_a_folder_of_tests_and_code():
    nouns = {path.name for path in (ROOT / "conf").iterdir() if path.is_dir()}
    code = {path.name for path in (ROOT / "runner").iterdir() if path.is_dir()}
    assert nouns - code == {"estimator", "hydra"}


def test_nothing_is_left_for_later():
    words = ("TO" + "DO", "FIX" + "ME")
    for path in ROOT.rglob("*.*"):
        if path.suffix in (".py", ".md", ".yaml") and ".venv" not in path.parts:
            text = path.read_text(encoding="utf-8")
            assert not [word for word in words if word in text], path
