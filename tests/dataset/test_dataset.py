import importlib
from dataclasses import dataclass, fields

import numpy as np
import pytest
import yaml

from runner.dataset.dataset import Dataset
from runner.dataset.lazy import Arrays, from_reader
from runner.errors import ConfigError, DatasetError
from runner.project import builtin

OPTIONS = sorted((builtin("conf") / "dataset").glob("*.yaml"))
COMMON = {field.name for field in fields(Dataset)}


def read(start, stop):
    rows = np.arange(start, stop)
    return rows[:, None].astype(float), rows


@dataclass(kw_only=True)
class Numbers(Dataset):
    n_rows: int = 100

    def arrays(self) -> Arrays:
        chunks = (self.n_rows // 10,) * 10
        return from_reader(read, chunks, (np.empty((0, 1)), np.empty(0, int)))


def test_a_fifth_of_the_blocks_is_held_out_by_default():
    train, holdout = Numbers().split()
    assert (train.n_blocks, holdout.n_blocks) == (8, 2)
    held = holdout.X.compute().ravel()
    assert sorted([*train.y.compute(), *held]) == list(range(100))
    np.testing.assert_array_equal(holdout.y.compute(), held)


def test_the_seed_decides_what_is_held_out():
    places = [Numbers(seed=seed).split()[1].places for seed in (3, 3, 4)]
    assert places[0] == places[1] != places[2]


def test_all_is_trained_on_where_nothing_is_held_out():
    train, holdout = Numbers(holdout=0).split()
    assert train.n_rows == 100
    assert holdout is None


def test_a_dataset_without_rows_is_refused():
    with pytest.raises(DatasetError, match="must have at least one row"):
        Numbers(n_rows=0).split()


def test_a_dataset_has_to_say_what_its_arrays_are():
    with pytest.raises(TypeError, match="abstract"):
        Dataset()


@pytest.mark.parametrize("holdout", [1, -0.1, 1.5, float("nan"), "0.2", None, True])
def test_a_holdout_that_is_no_share_is_refused(holdout):
    with pytest.raises(ConfigError) as refused:
        Numbers(holdout=holdout)
    assert str(refused.value) == (
        f"dataset.holdout must be a share of at least 0 and below 1; got {holdout!r}. "
        "Write dataset.holdout=0.2 to hold out a fifth."
    )


def test_an_unknown_way_to_hold_out_is_refused():
    with pytest.raises(ConfigError) as refused:
        Numbers(holdout_by="columns")
    assert str(refused.value) == (
        "dataset.holdout_by must be blocks or rows; got 'columns'. "
        "Write dataset.holdout_by=rows to hold out rows inside each block."
    )


@pytest.mark.parametrize("seed", [-1, 0.5, None])
def test_a_seed_that_is_no_natural_number_is_refused(seed):
    with pytest.raises(ConfigError, match=r"^dataset\.seed must be an integer of at least 0; got"):
        Numbers(seed=seed)


@pytest.mark.parametrize("path", OPTIONS, ids=lambda path: path.stem)
def test_an_option_says_in_its_first_line_what_it_is(path):
    first, second, *_ = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith("# ")
    assert len(first) <= 99
    assert second.startswith("_target_: runner.dataset.")


@pytest.mark.parametrize("path", OPTIONS, ids=lambda path: path.stem)
def test_an_option_sets_what_its_dataset_has_and_no_common_key(path):
    option = yaml.safe_load(path.read_text(encoding="utf-8"))
    module, _, name = option.pop("_target_").rpartition(".")
    kind = getattr(importlib.import_module(module), name)
    assert issubclass(kind, Dataset)
    assert set(option) <= {field.name for field in fields(kind)} - COMMON
