"""What decides by a score."""

from math import inf, nan

import pytest

from runner.base import Progress
from runner.callbacks.watcher import HELD_OUT, PROGRESSIVE, Watcher
from runner.errors import ConfigError


def watcher(monitor=None, by=HELD_OUT, min_delta=0.0):
    return Watcher("callbacks.mine", monitor, by, min_delta)


def judged(watcher, *scores, name="accuracy"):
    return [watcher.is_better(Progress(held_out={name: score})) for score in scores]


def test_the_greatest_score_so_far_is_the_best():
    mine = watcher()
    assert judged(mine, 0.5, 0.5, 0.4, 0.6, 0.55) == [True, False, False, True, False]
    assert mine.best == 0.6


def test_a_score_must_be_better_by_more_than_the_least_difference():
    assert judged(watcher(min_delta=0.25), 0.0, 0.25, 0.5, 0.75) == [True, False, True, False]


def test_what_is_no_number_is_passed_over():
    mine = watcher()
    assert judged(mine, nan, -0.5, nan, -0.25) == [None, True, None, True]


def test_what_is_infinite_is_ordered_like_any_number():
    assert judged(watcher(), -inf, -1.0, inf, inf) == [False, True, True, False]


def test_without_scores_nothing_is_judged():
    assert watcher().is_better(Progress()) is None
    assert judged(watcher("r2"), 0.5) == [None]


def test_the_first_scorer_decides_where_none_is_named():
    progress = Progress(held_out={"r2": 0.5, "accuracy": 0.9})
    first, named = watcher(), watcher("accuracy")
    assert first.is_better(progress)
    assert named.is_better(progress)
    assert (first.best, named.best) == (0.5, 0.9)


def test_only_scores_of_the_kind_that_was_asked_for_count():
    progress = Progress(held_out={"r2": 0.5}, scores={"r2": 0.9})
    held_out, progressive = watcher(), watcher(by=PROGRESSIVE)
    assert held_out.is_better(progress)
    assert progressive.is_better(progress)
    assert (held_out.best, progressive.best) == (0.5, 0.9)


def test_another_fit_starts_anew():
    mine = watcher()
    judged(mine, 0.9)
    mine.on_fit_begin(Progress(), None)
    assert judged(mine, 0.1) == [True]


def test_a_score_that_is_not_computed_is_refused():
    watcher().check_monitor(["r2"])
    watcher("r2").check_monitor(["accuracy", "r2"])
    with pytest.raises(ConfigError) as caught:
        watcher("acuracy").check_monitor(["accuracy", "r2"])
    assert str(caught.value) == (
        "callbacks.mine.monitor must be one of evaluation.scoring; got 'acuracy'. Did you mean "
        "'accuracy'?"
    )


def test_there_must_be_a_score():
    with pytest.raises(ConfigError, match=r"callbacks\.mine must have a score to decide by; got"):
        watcher().check_monitor([])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"monitor": 3}, "callbacks.mine.monitor must be text"),
        ({"by": "train"}, "callbacks.mine.by must be held_out or progressive; got 'train'"),
        ({"min_delta": -1}, "callbacks.mine.min_delta must be a number of at least 0; got -1"),
        ({"min_delta": "x"}, "callbacks.mine.min_delta must be a number of at least 0; got 'x'"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, said):
    with pytest.raises(ConfigError) as caught:
        watcher(**settings)
    assert str(caught.value).startswith(said)
