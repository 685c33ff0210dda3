"""Every option can be chosen, and configures something that exists."""

from inspect import signature

import pytest
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf
from sklearn.utils import all_estimators

from runner.config.compose import compose, selected
from runner.config.job import build
from runner.project import builtin

CONF = builtin("conf")
OPTIONS = sorted(p for p in CONF.glob("*/*.yaml") if p.parent.name != "hydra")
LISTS = ("callbacks", "preprocessing")  # groups of which several options may be chosen at once


def composed(path):
    group, option = path.parent.name, path.stem
    chosen = f"[{option}]" if group in LISTS else option
    return compose("digits_sgd", [f"{group}={chosen}"]).config[group]


@pytest.mark.parametrize("path", OPTIONS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_an_option_composes_to_something_that_exists(path):
    node = composed(path)
    nodes = node.values() if path.parent.name in LISTS else [node]
    for built in nodes:
        assert get_class(built._target_)


@pytest.mark.parametrize("path", OPTIONS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_an_option_opens_with_a_line_for_the_list(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# ")
    assert len(first) < 100


ESTIMATORS = {p.stem: p for p in OPTIONS if p.parent.name == "estimator"}
EACH_ESTIMATOR = pytest.mark.parametrize("option", ESTIMATORS)


@pytest.fixture
def built(project):
    """Return what builds an experiment of digits with that estimator, by the project's own way."""

    def build_with(option):
        folder = project / "experiments"
        folder.mkdir(exist_ok=True)
        file = folder / f"with_{option}.yaml"
        chosen = f"[{{override /dataset: digits}}, {{override /estimator: {option}}}]"
        file.write_text(f"defaults: {chosen}\nseed: 3\ndataset: {{chunks: 150}}\n")
        with selected(str(file)):
            return build(compose(str(file), ["tracking=none"]))[0]

    return build_with


@EACH_ESTIMATOR
def test_an_estimator_option_is_named_after_its_class_and_learns_by_block(option, built):
    estimator = built(option).estimator
    assert hasattr(estimator, "partial_fit")
    assert option.replace("_", "") == type(estimator).__name__.lower()
    validate = getattr(estimator, "_validate_params", lambda: None)
    validate()


@EACH_ESTIMATOR
def test_every_random_state_of_an_estimator_option_is_the_seed(option):
    node = OmegaConf.create({"seed": 3, "dataset": {"chunks": 150}})
    node.estimator = OmegaConf.load(ESTIMATORS[option])
    estimator = instantiate(node.estimator, _convert_="all")
    states = [
        value
        for name, value in estimator.get_params(deep=True).items()
        if name.endswith("random_state")
    ]
    assert set(states) <= {3}
    takes_one = "random_state" in signature(type(estimator)).parameters
    assert bool(states) is (takes_one or hasattr(estimator, "estimator"))


def is_deprecated(kind):
    return kind.__new__.__module__ == "sklearn.utils.deprecation"


def test_there_is_an_option_for_every_estimator_of_scikit_learn_that_learns_by_block():
    learners = [(name, kind) for name, kind in all_estimators() if hasattr(kind, "partial_fit")]
    named = {option.replace("_", "") for option in ESTIMATORS}
    assert {name.lower() for name, kind in learners if not is_deprecated(kind)} == named
    assert {name for name, kind in learners if is_deprecated(kind)} == {
        "PassiveAggressiveClassifier",
        "PassiveAggressiveRegressor",
    }
