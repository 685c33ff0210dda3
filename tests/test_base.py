import pickle
import weakref
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from scipy.sparse import csr_array

from runner.base import Block, Part, Place, Progress, not_finite


def test_a_place_is_named_by_its_number_and_its_first_and_last_row():
    place = Place(3, 75, 100)
    assert str(place) == "block 3 (rows 75 to 99)"
    assert place.subject == "Block 3 (rows 75 to 99)"


def test_a_place_without_rows_says_so():
    assert str(Place(3, 75, 75)) == "block 3 (no rows)"


def test_a_part_counts_its_blocks_and_rows(make_part):
    part = make_part(np.zeros((60, 2)), np.zeros(60))
    assert (part.n_blocks, part.n_rows) == (3, 60)


def test_a_part_may_be_without_rows(make_part):
    assert make_part(np.zeros((0, 2))).n_rows == 0


@pytest.mark.parametrize("X", [np.zeros((5, 2)), csr_array((5, 2)), np.array(["a"] * 5)])
def test_a_block_counts_the_rows_of_any_kind_of_array(X):
    assert Block(X, None, None, Place(0, 0, 5)).n_rows == 5


def test_a_block_can_be_watched_but_not_changed():
    block = Block(np.zeros((5, 2)), None, None, Place(0, 0, 5))
    assert weakref.ref(block)() is block
    with pytest.raises(FrozenInstanceError):
        block.epoch = 1


@pytest.mark.parametrize("as_held", [np.asarray, csr_array])
def test_the_first_number_that_is_not_finite_is_found(as_held):
    X = np.eye(3)
    X[1, 2] = np.nan
    error = not_finite(Block(as_held(X), None, None, Place(1, 100, 103)), "X")
    assert str(error) == (
        "Block 1 (rows 100 to 102) must hold only finite numbers in X; got nan in row 101, "
        "column 2. Remove or fill in these rows at the source."
    )


@pytest.mark.parametrize("y", [None, np.arange(3), np.ones(3), np.array(["a", None, "b"])])
def test_what_is_finite_or_no_number_is_left_alone(y):
    assert not_finite(Block(np.ones((3, 2)), y, None, Place(0, 0, 3)), "X", "y") is None


def test_rows_of_a_block_that_is_not_whole_are_counted_from_its_first():
    block = Block(np.ones((2, 1)), np.array([0, np.inf]), None, Place(1, 100, 200))
    assert "got inf in row 1 of its rows." in str(not_finite(block, "y"))


def test_a_place_survives_the_way_to_a_worker():
    place = Place(3, 75, 100)
    assert pickle.loads(pickle.dumps(place)) == place  # noqa: S301  (our own bytes)


def test_the_first_reason_to_stop_is_kept():
    progress = Progress()
    assert progress.stop_reason is None
    progress.stop("the time is over")
    progress.stop("patience is over")
    assert progress.stop_reason == "the time is over"


def test_two_fits_do_not_share_their_scores():
    one, other = Progress(), Progress()
    one.scores["accuracy"] = 0.5
    assert other.scores == {}


def test_parts_hold_arrays_of_the_same_rows(make_part):
    part = make_part(np.zeros((60, 2)), np.zeros((60, 3)), np.ones(60))
    assert isinstance(part, Part)
    assert part.y.chunks[0] == part.sample_weight.chunks[0] == part.X.chunks[0]
