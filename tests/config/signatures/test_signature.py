import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from runner.allow import resolve
from runner.config.signatures import remembered
from runner.config.signatures.signature import TRACKER, Signature, signature_from, signature_of
from runner.errors import ConfigError
from runner.project import builtin
from runner.protocols import Tracker
from runner.schemas import accepts

QUICKSTART = (
    "runner.experiment.Experiment",
    "runner.dataset.make_classification.MakeClassification",
    "sklearn.linear_model.SGDClassifier",
    "runner.stream.stream.Stream",
    "runner.fit.options.FitOptions",
    "runner.evaluation.evaluation.Evaluation",
    "runner.callbacks.progress_bar.ProgressBar",
    "runner.callbacks.checkpoint.Checkpoint",
    "runner.tracking.mlflow_tracker.MlflowTracker",
)
WARM = """\
import json, sys
from runner.config.signatures.signature import signature_of
names = json.loads(sys.argv[1])
told = [signature_of("_target_", name) for name in names]
print(json.dumps([each.name for each in told]))
print(json.dumps([name for name in ("sklearn", "numpy", "dask", "mlflow") if name in sys.modules]))
"""


pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return the folder of a module of the project's own, which is allowed."""
    folder = tmp_path / "code"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("RUNNER_ALLOW", "own_parts")
    (folder / "own_parts.py").write_text(
        "class Learner:\n"
        "    def __init__(self, rate: float = 0.1): ...\n"
        "    def partial_fit(self, X, y, classes=None): ...\n"
        "class Stage:\n"
        "    def fit(self, X): ...\n"
        "    def transform(self, X): ...\n"
    )
    yield folder
    sys.modules.pop("own_parts", None)


def targets() -> dict[str, set[str]]:
    """Return the groups by the targets of the shipped options."""
    found: dict[str, set[str]] = {}
    for group in builtin("conf").iterdir():
        for path in group.glob("*.yaml") if group.name != "hydra" else ():
            node = yaml.safe_load(path.read_text())
            parts = [node] if "_target_" in node else node.values()
            for part in parts:
                found.setdefault(part["_target_"], set()).add(group.name)
    return found


def test_every_shipped_option_fits_the_slot_of_its_group():
    for dotted, groups in targets().items():
        assert groups <= {*signature_of("_target_", dotted).slots}, dotted


@pytest.mark.parametrize(
    ("dotted", "slots"),
    [
        ("runner.experiment.Experiment", {""}),
        ("runner.sweeps.halving.Halving", {"halving"}),
        ("runner.dataset.dataset.Dataset", set()),
        ("runner.dataset.npy.Npy", {"dataset"}),
        ("runner.stream.stream.Stream", {"stream"}),
        ("runner.fit.options.FitOptions", {"fit"}),
        ("runner.evaluation.evaluation.Evaluation", {"evaluation"}),
        ("runner.callbacks.time_limit.TimeLimit", {"callbacks"}),
        ("runner.tracking.memory_tracker.MemoryTracker", {"tracking"}),
        ("sklearn.linear_model.SGDClassifier", {"estimator", "argument"}),
        ("sklearn.multioutput.MultiOutputRegressor", {"estimator", "argument"}),
        ("sklearn.svm.SVC", {"argument"}),
        ("sklearn.preprocessing.StandardScaler", {"estimator", "preprocessing", "argument"}),
        ("sklearn.preprocessing.PolynomialFeatures", {"preprocessing", "argument"}),
        ("sklearn.gaussian_process.kernels.RBF", {"argument"}),
    ],
)
def test_a_class_fits_where_its_protocol_is_asked_for(dotted, slots):
    assert {*signature_of("_target_", dotted).slots} == slots


def test_a_class_of_the_project_may_stand_where_it_fits(own):
    learner = signature_of("_target_", "own_parts.Learner")
    assert {*learner.slots} == {"estimator", "argument"}
    assert learner.parameters == {"rate": {"type": "number", "x-infinite": True}}
    assert learner.partial_fit == ("classes",)
    assert {*signature_of("_target_", "own_parts.Stage").slots} == {"preprocessing", "argument"}


def test_a_tracker_is_told_by_its_methods():
    methods = [name for name, each in vars(Tracker).items() if inspect.isfunction(each)]
    assert sorted(TRACKER) == [name for name in sorted(methods) if name[0] != "_"]


def test_a_signature_says_what_may_be_written():
    sgd = signature_of("_target_", "sklearn.linear_model.SGDClassifier")
    assert sgd.name == "SGDClassifier"
    assert sgd.parameters["alpha"]["type"] == "number"
    assert sgd.parameters["alpha"]["description"].startswith("Constant that multiplies")
    assert sgd.defaults["loss"] == "hinge"
    assert (sgd.required, sgd.is_open) == ((), False)
    assert (sgd.partial_fit, sgd.partial_fit_is_open) == (("classes", "sample_weight"), False)


def test_partial_fit_may_take_further_arguments_or_not_exist():
    several = signature_of("_target_", "sklearn.multioutput.MultiOutputClassifier")
    assert (several.required, several.partial_fit_is_open) == (("estimator",), True)
    assert several.partial_fit == ("classes", "sample_weight")
    assert signature_of("_target_", "sklearn.cluster.Birch").partial_fit == ()
    assert signature_of("_target_", "sklearn.svm.SVC").partial_fit is None


def test_the_rules_of_our_own_classes_are_those_of_their_annotations():
    fit = signature_of("_target_", "runner.fit.options.FitOptions")
    assert accepts(fit.parameters["epochs"], 1)
    assert not accepts(fit.parameters["epochs"], 0)
    experiment = signature_of("_target_", "runner.experiment.Experiment")
    assert {*experiment.required} == {"name", "dataset", "estimator", "tracking"}
    assert experiment.defaults["preprocessing"] == {}
    assert "stream" not in experiment.defaults


def test_defaults_are_those_that_yaml_can_say():
    scaler = signature_of("_target_", "sklearn.preprocessing.MinMaxScaler")
    assert scaler.defaults["feature_range"] == [0, 1]
    encoder = signature_of("_target_", "sklearn.preprocessing.OrdinalEncoder")
    assert {"dtype", "encoded_missing_value"}.isdisjoint({*encoder.defaults, *encoder.required})

    class Odd:
        def __init__(self, a=(1, object()), b={"x": [1]}, c={1: 2}, *d, e, **f): ...  # noqa: B006, B008

    assert signature_from(Odd).defaults == {"b": {"x": [1]}}
    assert signature_from(Odd).required == ("e",)
    assert signature_from(Odd).is_open


def test_a_class_that_does_not_tell_takes_anything():
    class Untold:
        __signature__ = "none"

    signature = signature_from(Untold)
    assert (dict(signature.parameters), signature.is_open) == ({}, True)


@pytest.mark.parametrize(
    "dotted",
    [
        *(
            "os.system",
            "sklearn.linear_model.SGDClasifier",
            "sklearn.linear_model._base.LinearModel",
        ),
        *("sklearn.nothing.Thing", "runner.errors.ConfigError", "builtins.exec", "", "x", "..."),
        *("sklearn.datasets.make_blobs", "numpy.log1p", "my_package.Thing", "sklearn", "a b"),
    ],
)
def test_what_is_refused_is_refused_as_ever_and_again(dotted, cache):
    with pytest.raises(ConfigError) as expected:
        resolve("estimator._target_", dotted)
    for _ in range(2):
        with pytest.raises(ConfigError) as told:
            signature_of("estimator._target_", dotted)
        assert str(told.value) == str(expected.value)
    assert not cache.exists()


def test_a_function_of_the_project_is_no_class(own):
    (own / "own_parts.py").write_text("def load(): ...\n")
    with pytest.raises(ConfigError, match=r"must name a class; .* goes under dataset=function\."):
        signature_of("dataset._target_", "own_parts.load")


def test_what_is_recalled_is_what_was_found_out():
    names = [*targets(), "runner.experiment.Experiment", "runner.sweeps.halving.Halving"]
    found = {name: signature_of("_target_", name) for name in names}
    remembered._READ.clear()
    recalled = {name: signature_of("_target_", name) for name in names}
    assert recalled == found
    assert {name: hash(each) for name, each in recalled.items()} == {
        name: hash(each) for name, each in found.items()
    }
    assert all(isinstance(each, Signature) for each in recalled.values())


def test_nothing_heavy_is_imported_where_all_is_remembered():
    for name in QUICKSTART:
        signature_of("_target_", name)
    arguments = [sys.executable, "-c", WARM, json.dumps(QUICKSTART)]
    lines = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    assert json.loads(lines[0])[2] == "SGDClassifier"
    assert json.loads(lines[1]) == []


def test_what_the_project_no_longer_allows_is_refused_though_it_is_remembered(own, monkeypatch):
    signature_of("_target_", "own_parts.Learner")
    monkeypatch.setenv("RUNNER_ALLOW", "another")
    with pytest.raises(ConfigError, match="own_parts"):
        signature_of("_target_", "own_parts.Learner")
    remembered._READ.clear()
    with pytest.raises(ConfigError, match="own_parts"):
        signature_of("_target_", "own_parts.Learner")


def test_a_class_of_the_project_that_changed_is_looked_at_again(own):
    assert "rate" in signature_of("_target_", "own_parts.Learner").parameters
    del sys.modules["own_parts"]
    file = own / "own_parts.py"
    file.write_text(file.read_text().replace("rate", "pace_of_learning"))
    assert [*signature_of("_target_", "own_parts.Learner").parameters] == ["pace_of_learning"]


@pytest.mark.parametrize("text", ["", "{}", '{"entry": null}', "[" * 50_000])
def test_a_spoilt_cache_is_found_out_anew(cache, text):
    name = "sklearn.cluster.Birch"
    expected = signature_of("_target_", name)
    for path in cache.iterdir():
        path.write_text(text)
    remembered._READ.clear()
    assert signature_of("_target_", name) == expected


def test_a_cache_that_cannot_be_written_is_gone_without(tmp_path, monkeypatch):
    Path(tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(tmp_path / "file"))
    assert signature_of("_target_", "sklearn.cluster.Birch").name == "Birch"


def test_modules_of_one_name_in_two_projects_are_not_mixed_up(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("RUNNER_ALLOW", "twin_parts")
    for name in ("mu", "nu"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "twin_parts.py").write_text(
            f"class M:\n    def __init__(self, {name}=1): ...\n    def partial_fit(self, X): ...\n"
        )
        monkeypatch.setenv("RUNNER_PROJECT", str(tmp_path / name))
        monkeypatch.syspath_prepend(str(tmp_path / name))
        sys.modules.pop("twin_parts", None)
        assert [*signature_of("_target_", "twin_parts.M").parameters] == [name]
    sys.modules.pop("twin_parts", None)
