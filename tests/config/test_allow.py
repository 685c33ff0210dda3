"""Which names a file may have built."""

import sys

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

from runner.config.allow import allowed_packages, resolve, resolve_function
from runner.errors import ConfigError


@pytest.fixture
def own_module(project, monkeypatch):
    """Put a module into the project, importable."""
    (project / "own_rows.py").write_text("def load():\n    return 1\n\nfrom os import getcwd\n")
    monkeypatch.syspath_prepend(str(project))
    yield "own_rows"
    sys.modules.pop("own_rows", None)


def test_scikit_learn_and_the_runner_are_allowed():
    assert resolve("estimator._target_", "sklearn.linear_model.SGDClassifier") is SGDClassifier
    assert resolve("x", "runner.stream.stream.Stream").__name__ == "Stream"


@pytest.mark.parametrize(
    "dotted",
    [
        "os.system",
        "builtins.eval",
        "subprocess.Popen",
        "sklearn.datasets._base.os.system",
        "sklearn.utils.fixes.sys.exit",
        "runner.project.os.system",
        "sklearnfake.Estimator",
        "pickle.loads",
    ],
)
def test_anything_else_is_refused_and_not_imported(dotted):
    with pytest.raises(ConfigError):
        resolve("estimator._target_", dotted)


def test_the_refusal_tells_how_to_allow_it():
    with pytest.raises(ConfigError) as caught:
        resolve("dataset.function", "own_rows:load")
    assert str(caught.value) == (
        "dataset.function must name something of runner, sklearn; got own_rows:load. If you trust "
        'it, add allow = ["own_rows"] under [tool.runner] in the project\'s pyproject.toml, or '
        "set RUNNER_ALLOW=own_rows in the shell."
    )


def test_the_project_may_allow_its_own(project, own_module):
    (project / "pyproject.toml").write_text('[tool.runner]\nallow = ["own_rows"]\n')
    assert resolve("dataset.function", "own_rows:load")() == 1


def test_the_shell_may_allow_too(monkeypatch, own_module):
    monkeypatch.setenv("RUNNER_ALLOW", "other, own_rows")
    assert allowed_packages() == ("runner", "sklearn", "other", "own_rows")
    assert resolve("dataset.function", "own_rows:load")() == 1


def test_what_an_allowed_module_only_passes_on_is_refused(monkeypatch, own_module):
    monkeypatch.setenv("RUNNER_ALLOW", own_module)
    with pytest.raises(ConfigError, match="must name something of runner, sklearn, own_rows"):
        resolve("dataset.function", "own_rows:getcwd")


def test_a_misspelt_name_is_told_with_the_right_one():
    with pytest.raises(ConfigError) as caught:
        resolve("estimator._target_", "sklearn.linear_model.SGDClasifier")
    assert "name something of sklearn.linear_model; got SGDClasifier. Did you mean" in str(
        caught.value
    )
    assert "'SGDClassifier'" in str(caught.value)


def test_a_misspelt_module_is_told():
    with pytest.raises(ConfigError, match="got linearmodel"):
        resolve("estimator._target_", "sklearn.linearmodel.SGDClassifier")


def test_a_module_that_fails_to_import_is_told(project, monkeypatch):
    (project / "broken_rows.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.setenv("RUNNER_ALLOW", "broken_rows")
    with pytest.raises(ConfigError, match="broken_rows, which raises ZeroDivisionError"):
        resolve("dataset.function", "broken_rows:load")


def test_a_module_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setenv("RUNNER_ALLOW", "nowhere_rows")
    with pytest.raises(ConfigError, match="must name a class or a function of an installed"):
        resolve("dataset.function", "nowhere_rows:load")


def test_a_pyproject_that_is_no_toml_is_named(project):
    (project / "pyproject.toml").write_text("[tool\n")
    with pytest.raises(ConfigError, match=r"pyproject\.toml must be readable TOML"):
        allowed_packages()


@pytest.mark.parametrize("text", ['allow = "own_rows"', "allow = [3]", "runner = 3"])
def test_an_allow_that_is_no_list_of_names_is_told(project, text):
    header = "[tool]" if text.startswith("runner") else "[tool.runner]"
    (project / "pyproject.toml").write_text(f"{header}\n{text}\n")
    with pytest.raises(ConfigError, match="have a list of names as allow"):
        allowed_packages()


@pytest.mark.parametrize(
    "name",
    ["sklearn.datasets.clear_data_home", "sklearn.datasets.fetch_openml", "runner.cli:main"],
)
def test_a_function_that_does_more_than_compute_is_not_allowed(name):
    with pytest.raises(ConfigError, match=r"dataset\.function must name something of sklearn"):
        resolve_function("dataset.function", name)


def test_functions_that_make_data_or_only_compute_are_allowed(monkeypatch):
    assert resolve_function("a.func", "numpy.log1p") is np.log1p
    made = resolve_function("dataset.function", "sklearn.datasets.make_moons")
    assert made(n_samples=4)[0].shape == (4, 2)
    monkeypatch.setenv("RUNNER_ALLOW", "statistics")
    assert resolve_function("a.func", "statistics:mean")([1, 3]) == 2


def test_what_is_private_is_not_allowed():
    with pytest.raises(ConfigError, match="must name something of"):
        resolve("dataset.function", "sklearn.utils._testing:assert_run_python_script")
