"""One block is checked, looked at, tested on and learned, in this order."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.linear_model import SGDClassifier

from runner.base import Block, Place
from runner.errors import DatasetError, FitError
from runner.fit.calls import Calls
from runner.fit.progressive import Progressive
from runner.fit.step import Step, protected

PLACE = Place(number=3, start=75, stop=79)
X, Y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])


def step_of(estimator, said, **parts):
    return Step(
        estimator,
        Calls({"classes": [0, 1]}),
        Progressive(lambda *_: said.append("score") or {"accuracy": 0.5}, 5),
        lambda block: said.append("inspect"),
        **parts,
    )


def test_the_parts_of_a_step_come_in_order():
    said = []
    step = step_of(SGDClassifier(random_state=0), said, learn_by=lambda *_: said.append("learn"))
    learned = step(Block(X, Y, None, PLACE), lambda: said.append("begin"), is_tested=True)
    assert said == ["inspect", "score", "begin", "learn"]
    assert learned.scores == {"accuracy": 0.5}
    assert 0 <= learned.fit_s < 1


def test_there_is_nothing_to_test_before_the_first_block():
    said = []
    step = step_of(SGDClassifier(random_state=0), said)
    learned = step(Block(X, Y, None, PLACE), lambda: None, is_tested=False)
    assert (said, learned.scores) == (["inspect"], None)
    assert step.estimator.predict([[9.0]]) == [1]


def test_a_block_that_is_refused_leaves_the_scores_as_they_were():
    def refuse(*_):
        raise ValueError("no luck")

    step = step_of(SGDClassifier(), [], learn_by=refuse)
    with pytest.raises(FitError, match=r"Block 3 \(rows 75 to 78\) must be accepted by SGD"):
        step(Block(X, Y, None, PLACE), lambda: None, is_tested=True)
    assert step.score.state() == []


def test_labels_that_are_not_listed_and_blocks_that_cannot_be_read_are_refused_first():
    said = []
    with pytest.raises(FitError, match="hold only the labels"):
        step_of(SGDClassifier(), said)(Block(X, Y + 5, None, PLACE), lambda: None, is_tested=True)
    error = DatasetError("a", "be b", got="c", remedy="D.")
    block = Block(np.empty((0, 1)), None, None, PLACE, error=error)
    with pytest.raises(DatasetError, match="a must be b"):
        step_of(SGDClassifier(), said)(block, lambda: None, is_tested=True)
    assert said == []


def test_nothing_can_be_written_into_a_block_that_is_protected():
    weight, rows = np.ones(4), sp.csr_array(X)
    block = protected(Block(rows, Y.copy(), weight, PLACE))
    for array in (rows.data, rows.indices, rows.indptr, block.y, weight):
        with pytest.raises(ValueError, match="read-only"):
            array[:1] = 1


def test_what_is_written_into_a_table_is_not_written_into_the_block():
    frame = pd.DataFrame({"data": [1.0, 2.0], "b": ["x", "y"]})
    table = protected(Block(frame, None, None, PLACE)).X
    table.loc[0, "data"] = 9.0
    table["c"] = 1
    assert frame.to_dict("list") == {"data": [1.0, 2.0], "b": ["x", "y"]}


def test_before_pandas_3_a_table_shares_no_memory(monkeypatch):
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    shares = {}
    for version in ("2.2.3", "3.0.0"):
        monkeypatch.setattr(pd, "__version__", version)
        table = protected(Block(frame, None, None, PLACE)).X
        shares[version] = np.shares_memory(table["a"].to_numpy(), frame["a"].to_numpy())
    assert shares == {"2.2.3": False, "3.0.0": True}
