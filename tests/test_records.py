"""What the record keeps survives the way back from another process."""

import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from runner.records import Confusion, Evaluated, Outcome, Recipe


def test_an_outcome_comes_back_from_a_worker_as_it_was():
    outcome = Outcome(number=3, name="a=1", key="5f", params={"a": [1, None]}, scores={"r2": 0.5})
    assert pickle.loads(pickle.dumps(outcome)) == outcome  # noqa: S301  (our own bytes)
    assert Outcome(number=0, name="a", key="a").status == "PENDING"


@pytest.mark.parametrize(
    "record",
    [
        Recipe("a", {"seed": 1}, "seed: 1", ("seed=1",), "runner run a seed=1"),
        Outcome(number=0, name="a", key="a"),
        Evaluated({"accuracy": 1.0}, 5),
    ],
)
def test_records_are_not_changed_and_can_be_sent(record):
    assert pickle.loads(pickle.dumps(record)) == record  # noqa: S301  (our own bytes)
    with pytest.raises(FrozenInstanceError):
        record.name = "other"


def test_a_confusion_has_a_row_per_true_label():
    confusion = Confusion(np.array([0, 1]), np.array([[3, 1], [0, 4]]))
    assert confusion.counts.sum(axis=1).tolist() == [4, 4]
