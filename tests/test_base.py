import pickle
import weakref
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from scipy.sparse import csr_array

from runner.base import Block, Callback, Part, Place, Progress, Remark, Split


def test_a_place_is_named_by_its_number_and_its_first_and_last_row():
    place = Place(3, 75, 100)
    assert str(place) == "block 3 (rows 75 to 99)"
    assert place.subject == "Block 3 (rows 75 to 99)"


def test_a_place_without_rows_says_so():
    assert str(Place(3, 75, 75)) == "block 3 (no rows)"


@pytest.mark.parametrize(
    ("mixed", "named"),
    [
        ((), "Block 3 (rows 75 to 99)"),
        ((3,), "A mix of block 3 (from rows 75 to 99)"),
        ((1, 3), "A mix of blocks 1 and 3 (from rows 75 to 99)"),
        ((0, 1, 3), "A mix of blocks 0, 1 and 3 (from rows 75 to 99)"),
    ],
)
def test_a_place_of_mixed_rows_names_the_blocks_they_were_drawn_from(mixed, named):
    assert Place(3, 75, 100, mixed).subject == named


def test_a_row_is_named_by_its_number_in_the_dataset_where_it_is_known():
    X, place = np.zeros((3, 1)), Place(3, 75, 78)
    assert Block(X, None, None, place).row_name(2) == "row 77"
    assert Block(X[:2], None, None, place).row_name(1) == "row 1 of its rows"
    assert Block(X[:2], None, None, place, rows=np.array([77, 75])).row_name(1) == "row 75"
    mix = Place(3, 0, 78, (1, 3))
    assert Block(X, None, None, mix, rows=np.array([5, 77, 0])).row_name(1) == "row 77"


def test_a_split_names_the_sides_that_there_are(make_part):
    train, other = make_part(np.zeros((50, 2))), make_part(np.zeros((25, 2)))
    assert Split(train).parts == {"train": train}
    assert Split(train, other).parts == {"train": train, "holdout": other}
    assert list(Split(train, other, train).parts) == ["train", "holdout", "validation"]
    assert Split(train, validation=other).parts == {"train": train, "validation": other}


def test_a_remark_is_told_with_its_name():
    assert str(Remark("wild-scale", "Scale.")) == "wild-scale: Scale."


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


def test_progress_counts_what_was_learned_and_sums_up_what_the_blocks_hold():
    progress, X = Progress(), np.zeros((5, 2))
    progress.learned(Block(X, None, None, Place(3, 15, 20), position=1, content=2**64 - 1))
    progress.learned(Block(X, None, None, Place(0, 0, 5), position=2, content=3))
    progress.learned(Block(X, None, None, Place(0, 0, 5), epoch=1))
    assert (progress.blocks, progress.rows) == (3, 15)
    assert (progress.content, progress.content_rows) == (2, 10)
    assert progress.sample == (3, 2**64 - 1)


def test_a_mix_of_blocks_is_no_sample_of_what_one_holds():
    progress = Progress()
    mix = Place(3, 0, 20, (0, 3))
    progress.learned(Block(np.zeros((5, 2)), None, None, mix, content=7))
    assert progress.sample is None


def test_a_callback_without_a_state_has_nothing_to_restore():
    callback = Callback()
    assert callback.state() is None
    callback.restore(None)
