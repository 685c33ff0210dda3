"""Every option can be chosen, and configures something that exists."""

import pytest
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf

from runner.config.compose import compose, parted
from runner.project import builtin

CONF = builtin("conf")
OPTIONS = sorted(p for p in CONF.glob("*/*.yaml") if p.parent.name != "hydra")
LISTS = ("callbacks", "preprocessing")  # groups of which several options may be chosen at once


def composed(path):
    group, option = path.parent.name, path.stem
    chosen = f"[{option}]" if group in LISTS else option
    return parted(compose("digits_sgd", [f"{group}={chosen}"]))[0][group]


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


@pytest.mark.parametrize(
    "path", [p for p in OPTIONS if p.parent.name == "estimator"], ids=lambda p: p.stem
)
def test_an_estimator_option_is_named_after_its_class_and_learns_by_block(path):
    config = OmegaConf.create({"seed": 3, "estimator": OmegaConf.load(path)})
    estimator = instantiate(config.estimator, _convert_="all")
    assert hasattr(estimator, "partial_fit")
    assert path.stem.replace("_", "") == type(estimator).__name__.lower()
    assert estimator.get_params().get("random_state", 3) == 3
