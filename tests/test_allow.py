"""Which names a file may have built."""

import re
import subprocess
import sys

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

from runner.allow import allowed_packages, forbidden_value, resolve, resolve_function
from runner.errors import ConfigError
from runner.project import builtin

OPTIONS = "\n".join(path.read_text() for path in builtin("conf").glob("[!h]*/*.yaml"))


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


@pytest.mark.parametrize(
    "dotted",
    [
        *(
            "sklearn.externals._arff.load",
            "sklearn.callback.ProgressBar",
            "sklearn.conftest.pytest",
        ),
        *("sklearn.utils.parallel.Parallel", "sklearn.utils.Bunch", "sklearn.datasets.make_blobs"),
        *("sklearn.datasets.fetch_openml", "sklearn.tests.test_base.MyEstimator", "sklearn.svm"),
        *("sklearn.svm.SVC.fit", "sklearn.svm.SVC.__init__", "sklearn.linear_model._base.np"),
        *("sklearn.utils.scipy.io.savemat", "sklearn..svm", "sklearn.svm:", "x", ""),
        *("runner.tracking.server.Server", "runner.tracking.spool.Spool", "runner.cli.main"),
        *("runner.dataset.csv.Path", "runner.dataset.row_cache.RowCache", "runner.base.Callback"),
        *("runner.experiment.run", "runner.dataset.chunks", "runner.fit.incremental_fit.Blame"),
    ],
)
def test_what_is_no_part_of_an_experiment_is_refused(dotted):
    with pytest.raises(ConfigError):
        resolve("x", dotted)


def test_no_module_is_looked_into_on_the_way_that_is_not_allowed(monkeypatch, own_module, project):
    (project / "lazy_rows.py").write_text("def __getattr__(name):\n    raise SystemExit(name)\n")
    (project / "own_rows.py").write_text("import lazy_rows\n")
    monkeypatch.setenv("RUNNER_ALLOW", own_module)
    with pytest.raises(ConfigError):
        resolve("x", "own_rows.lazy_rows.anything")


@pytest.mark.parametrize(
    "dotted",
    sorted(set(re.findall(r"_target_: (\w\S+)", OPTIONS))),
)
def test_every_shipped_target_is_allowed(dotted):
    assert isinstance(resolve("x", dotted), type)


@pytest.mark.parametrize(
    ("name", "is_allowed"),
    [
        *((f"dask.array.{name}", True) for name in ("ones", "full", "arange", "random.normal")),
        *((f"dask.array.{name}", False) for name in ("from_npy_stack", "store", "map_blocks")),
        *((f"dask.array.random.{name}", False) for name in ("importlib", "seed", "RandomState")),
        *((f"numpy.{name}", False) for name in ("load", "frompyfunc", "vectorize", "memmap")),
        ("sklearn.datasets.make_nothing", False),
    ],
)
def test_of_dask_only_what_makes_an_array_is_allowed(name, is_allowed):
    if is_allowed:
        assert resolve_function("dataset.function", name).__name__ == name.rpartition(".")[2]
        return
    with pytest.raises(ConfigError):
        resolve_function("dataset.function", name)


def test_values_that_would_write_or_read_files_are_forbidden():
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.pipeline import Pipeline

    class Own(HashingVectorizer):
        """One that the project allows."""

    assert "write files there" in forbidden_value(Pipeline, "memory", "x")
    assert "write files there" in forbidden_value(
        "sklearn.cluster.FeatureAgglomeration", "memory", ""
    )
    assert "open the files" in forbidden_value(Own, "input", "filename")
    assert forbidden_value(Own, "input", "content") is None
    assert forbidden_value(Pipeline, "memory", None) is None
    assert forbidden_value("runner.dataset.csv.Csv", "memory", "x") is None


def test_nothing_that_is_slow_is_imported_to_know_what_is_allowed():
    code = "import runner.allow, sys; print({'numpy', 'sklearn', 'dask'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"
