"""From a dotted name to what it means."""

import os.path
import signal
import sys

import pytest

from runner.errors import ConfigError
from runner.names import find


@pytest.fixture(autouse=True)
def own_names(project, monkeypatch):
    """Put a package into the project: one module that works and two that do not."""
    package = project / "own_names"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "rows.py").write_text("class Loader:\n    def load(self): ...\n\n_secret = 1\n")
    (package / "broken.py").write_text("raise ValueError('no\\n  luck.')\n")
    (package / "needy.py").write_text("import not_there_at_all\n")
    monkeypatch.syspath_prepend(str(project))
    yield
    for name in [name for name in sys.modules if name.startswith("own_names")]:
        del sys.modules[name]


def refusal(dotted):
    with pytest.raises(ConfigError) as caught:
        find("dataset.function", dotted)
    return str(caught.value)


@pytest.mark.parametrize("dotted", ["os.path.join", "os.path:join"])
def test_a_dot_or_a_colon_stands_before_the_name(dotted):
    assert find("x", dotted) is os.path.join


def test_what_is_in_a_class_is_found():
    assert find("x", "own_names.rows:Loader.load").__qualname__ == "Loader.load"


def test_a_misspelt_name_is_told_the_nearest():
    assert refusal("own_names.rows:Loder") == (
        "dataset.function must name something of own_names.rows; got Loder. Did you mean 'Loader'?"
    )


def test_what_is_private_is_not_found():
    assert refusal("own_names.rows._secret").startswith(
        "dataset.function must name something of own_names.rows; got _secret."
    )


@pytest.mark.parametrize(
    ("dotted", "got"), [("nowhere.at:all", "nowhere.at:all"), ("abs", "abs"), ("", "nothing")]
)
def test_a_package_that_is_not_there_is_told(dotted, got):
    assert refusal(dotted) == (
        "dataset.function must name a class or a function of an installed package; got "
        f"{got}. Check the spelling, and that the package is installed or in the "
        "project's folder."
    )


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("broken", "ValueError: no luck"),
        ("needy", "ModuleNotFoundError: No module named 'not_there_at_all'"),
    ],
)
def test_a_module_that_fails_to_import_is_told_with_its_cause(module, reason):
    assert refusal(f"own_names.{module}:load") == (
        "dataset.function must name a module that can be imported; got "
        f"own_names.{module}, which raises {reason}. Try `python -c 'import own_names.{module}'`."
    )


def test_an_import_changes_no_signal(project):
    deaf = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nclass Rows: ...\n"
    (project / "own_names" / "deaf.py").write_text(deaf)
    before = signal.getsignal(signal.SIGINT)
    assert find("x", "own_names.deaf.Rows").__name__ == "Rows"
    assert signal.getsignal(signal.SIGINT) is before
