"""A fit that gets no better is stopped."""

from math import nan

import pytest

from runner.base import Progress
from runner.callbacks.early_stopping import EarlyStopping
from runner.errors import ConfigError


def stopped_at(stopping, scores, **changes):
    """Return which held-out score, from 1, asks to stop, and the reason."""
    progress = Progress(**changes)
    stopping.on_fit_begin(progress, None)
    for number, score in enumerate(scores, 1):
        progress.held_out = {"accuracy": score}
        stopping.on_held_out(progress)
        if progress.stop_reason:
            return number, progress.stop_reason
    return None, None


def test_patience_counts_the_scores_in_a_row_that_are_no_better():
    at, why = stopped_at(EarlyStopping(patience=3), [0.5, 0.4, 0.6, 0.6, 0.5, 0.1, 0.9])
    assert at == 6
    assert why == "held-out accuracy was no better than 0.6000 for 3 scores in a row"


def test_with_a_patience_of_one_the_first_that_is_no_better_stops():
    at, why = stopped_at(EarlyStopping(patience=1), [0.5, 0.5])
    assert (at, why) == (2, "held-out accuracy was no better than 0.5000 for 1 score")


def test_scores_that_are_no_number_neither_count_nor_start_anew():
    assert stopped_at(EarlyStopping(patience=2), [nan, 0.5, nan, 0.4, nan, nan])[0] is None
    assert stopped_at(EarlyStopping(patience=2), [nan, 0.5, nan, 0.4, nan, 0.4])[0] == 6


def test_a_little_better_is_no_better():
    assert stopped_at(EarlyStopping(patience=2, min_delta=0.1), [0.5, 0.55, 0.59])[0] == 3
    assert stopped_at(EarlyStopping(patience=2), [0.5, 0.55, 0.59])[0] is None


def test_another_fit_starts_anew():
    stopping = EarlyStopping(patience=2)
    assert stopped_at(stopping, [0.9, 0.8])[0] is None
    assert stopped_at(stopping, [0.5, 0.4])[0] is None


def test_a_fit_that_was_asked_to_stop_before_keeps_its_reason():
    assert stopped_at(EarlyStopping(patience=1), [0.5, 0.5], stop_reason="time")[1] == "time"


@pytest.mark.parametrize(("by", "stops"), [("progressive", True), ("held_out", False)])
def test_the_progressive_score_is_judged_at_each_block_if_it_decides(by, stops):
    stopping, progress = EarlyStopping(by=by, patience=1), Progress()
    stopping.on_block_end(progress, None)  # the first block has no score
    for _ in range(2):
        progress.scores = {"r2": 0.25}
        stopping.on_block_end(progress, None)
    expected = "progressive r2 was no better than 0.2500 for 1 score"
    assert progress.stop_reason == (expected if stops else None)


def test_the_held_out_score_is_left_alone_if_the_progressive_one_decides():
    assert stopped_at(EarlyStopping(by="progressive", patience=1), [0.5, 0.4])[0] is None


def test_the_named_scorer_decides():
    stopping, progress = EarlyStopping(monitor="r2", patience=1), Progress()
    for r2 in (0.1, 0.2, 0.1):
        progress.held_out = {"accuracy": 0.5, "r2": r2}
        stopping.on_held_out(progress)
    assert progress.stop_reason == "held-out r2 was no better than 0.2000 for 1 score"


@pytest.mark.parametrize("patience", [0, -1, 1.5, None, True])
def test_a_patience_that_is_none_is_refused(patience):
    with pytest.raises(ConfigError, match=r"early_stopping\.patience must be an integer of at le"):
        EarlyStopping(patience=patience)
