"""A saved state says what it is of, and is gone on from only where that still holds."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

from runner import statefile
from runner.base import Block, Place, Progress, Split
from runner.errors import CheckpointError
from runner.fit.incremental_fit import IncrementalFit
from runner.records import Recipe
from runner.saved import (
    Resumed,
    check_unchanged,
    differences,
    forget,
    header_of,
    read,
    restore,
    surroundings_of,
    told_of,
    writing,
)
from runner.stream.source import BlockSource
from runner.tracking.saved_states import state_file


@pytest.fixture
def header(make_part, points):
    """Return the header of a state over 100 rows."""
    X, y = points
    surroundings = surroundings_of(Split(make_part(X, y)), {"rows.csv": "1 2"})
    return header_of(Recipe("a", {"seed": 1}), surroundings)


def learned():
    fit = IncrementalFit(SGDClassifier(random_state=0), {"classes": [0, 1]})
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 3))
    fit.step(Block(X, (X[:, 0] > 0).astype(int), None, Place(0, 0, 20)))
    return fit


def test_what_is_written_is_read_with_how_far_the_fit_had_come(header):
    progress = Progress(epoch=2, position=3, rows=70)
    writing("abc", header, lambda: b"stages", progress)(b"fit")
    saved = read("abc")
    assert (saved.stages, saved.fit) == (b"stages", b"fit")
    assert {key: saved.header[key] for key in ("epoch", "position", "rows")} == {
        "epoch": 2,
        "position": 3,
        "rows": 70,
    }
    assert differences(saved.header, header) == []


def test_states_lie_in_the_project(project):
    assert state_file("abc") == project / ".runner" / "checkpoints" / "abc.state"


def test_there_is_none_before_it_is_written_or_after_it_is_forgotten(header):
    assert read("abc") is None
    writing("abc", header, bytes, Progress())(b"")
    forget("abc")
    assert read("abc") is None
    forget("abc")


def test_a_file_that_holds_something_else_is_refused(header):
    statefile.save(state_file("abc"), header, b"no pickle")
    with pytest.raises(CheckpointError, match="must hold the state of a fit"):
        read("abc")


def test_a_header_changes_with_params_rows_and_blocks(make_part, points, header):
    X, y = points
    surroundings = surroundings_of(Split(make_part(X, y, chunks=50)), {})
    other = header_of(Recipe("a", {"seed": 2}), surroundings)
    found = differences(header, other)
    assert found[0] == "the config that the run keeps was edited"
    assert found[1].startswith("train was 100 rows of 20 float64 in 4 blocks")
    assert "100 rows of 20 float64 in 2 blocks" in found[1]


def test_where_a_run_goes_on_is_no_difference(header):
    asked = {"seed": 1, "cluster.n_workers": 2, "cluster.placement": "data"}
    surroundings = {key: header[key] for key in header if key != "config"}
    assert header_of(Recipe("a", asked), surroundings) == header


def test_rows_are_told_apart_by_their_places_and_types(make_part, points):
    X, y = points
    told = [
        told_of(make_part(X, y)),
        told_of(make_part(X.astype(np.float32), y)),
        told_of(make_part(X, y.astype(float))),
        told_of(make_part(X, y, np.ones(100))),
        told_of(make_part(X[:, :5], y)),
    ]
    assert len(set(told)) == len(told)


def test_a_version_that_changed_is_told(header):
    then = {**header, "versions": {**header["versions"], "numpy": "1.0", "gone": "3"}}
    told = differences(then, header)
    assert [text.split(" and is ")[0] for text in told] == ["numpy was 1.0", "gone was 3"]


def test_a_run_goes_on_where_nothing_changed(header, make_part, points):
    train = make_part(*points)
    assert check_unchanged(Resumed("abc", None), header, train) is None
    writing("abc", header, bytes, Progress())(b"")
    assert check_unchanged(Resumed("abc", read("abc")), header, train) is None


def test_a_run_does_not_go_on_where_something_changed_unless_it_is_forced(
    header, make_part, points
):
    train = make_part(*points)
    writing("abc", header, bytes, Progress())(b"")
    saved, now = read("abc"), {**header, "config": "other"}
    with pytest.raises(CheckpointError, match=r"config that the run keeps was edited.*--force"):
        check_unchanged(Resumed("abc", saved), now, train)
    remark = check_unchanged(Resumed("abc", saved, is_forced=True), now, train)
    assert str(remark).startswith("forced: Gone on although the config that the run keeps was")


def test_a_block_that_holds_other_rows_than_it_did_is_found(header, make_part, points):
    X, y = points
    train, progress = make_part(X, y), Progress()
    progress.learned(replace(BlockSource(train, hashed=True).read(2), position=0))
    writing("abc", header, bytes, progress)(b"")
    saved = Resumed("abc", read("abc"))
    assert check_unchanged(saved, header, train) is None
    X[60, 3] += 1
    with pytest.raises(CheckpointError, match=r"block 2 \(rows 50 to 74\) holds other rows"):
        check_unchanged(saved, header, make_part(X, y))


def test_a_fit_goes_on_from_its_state(header):
    fit = learned()
    writing("abc", header, bytes, fit.progress)(fit.state())
    other = IncrementalFit(SGDClassifier(random_state=0), {})
    restore(other, read("abc"))
    assert (other.estimator.coef_ == fit.estimator.coef_).all()
    assert other.first_block == (0, 1)


def test_a_state_that_does_not_suit_the_learner_is_refused(header):
    writing("abc", header, bytes, Progress())(b"not a state")
    with pytest.raises(CheckpointError, match="versions of the libraries"):
        restore(learned(), read("abc"))


class Canary:
    def __init__(self, flag):
        self.flag = flag

    def __reduce__(self):
        return exec, (f"open({str(self.flag)!r}, 'w').close()",)


def test_a_state_with_a_valid_digest_runs_nothing_that_is_hidden_in_it(header, tmp_path):
    flag = tmp_path / "ran"
    statefile.save(state_file("abc"), header, pickle.dumps((Canary(flag), b"")))
    with pytest.raises(CheckpointError, match=r"hold nothing but .*; got builtins\.exec"):
        read("abc")
    statefile.save(state_file("abc"), header, pickle.dumps((b"", pickle.dumps(Canary(flag)))))
    fit = IncrementalFit(SGDClassifier(), {"classes": [0, 1]})
    with pytest.raises(CheckpointError, match=r"hold nothing but .*; got builtins\.exec"):
        restore(fit, read("abc"))
    assert not flag.exists()


def test_a_state_whose_parts_are_no_bytes_is_told(header):
    statefile.save(state_file("abc"), header, pickle.dumps((1, 2)))
    with pytest.raises(CheckpointError, match="must hold the state of a fit; got TypeError"):
        read("abc")
