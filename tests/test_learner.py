"""A fit that can go on."""

from dataclasses import replace

import dask.array as da
import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from runner.base import Callback
from runner.errors import ConfigError, FitError
from runner.evaluation.evaluation import Evaluation
from runner.fit.options import FitOptions
from runner.learner import Learner, Options, in_memory, parted
from runner.stream.stream import Stream


class StopAtOnce(Callback):
    def on_block_end(self, progress, block):
        progress.stop("enough")


def setup_of(**fit):
    return Options(Stream(seed=1), FitOptions(**{"progressive_window": 0} | fit), Evaluation(), {})


def test_parts_are_learned_one_after_the_other(make_part, points):
    X, y = points
    learner, setup = Learner(SGDClassifier(random_state=0), "first_pass"), setup_of()
    first, second = make_part(X, y), make_part(X[:50], y[:50])
    learner.begin(setup, first, {"classes": [0, 1]})
    learner.learn(setup, first, {"classes": [0, 1]}, epochs=2)
    learner.learn(setup, second, {}, epochs=1)
    assert (learner.progress.rows, learner.progress.epoch) == (250, 3)
    assert (learner.progress.total_rows, learner.progress.epochs) == (250, 3)
    orders = [setup.stream.order(n_blocks, epoch) for epoch, n_blocks in enumerate((4, 4, 2))]
    assert learner.order == orders


def test_a_pass_that_was_cut_short_is_followed_by_another_order(make_part, points):
    learner, part = Learner(SGDClassifier(random_state=0), "first_pass"), make_part(*points)
    setup = replace(setup_of(), callbacks={"cut": StopAtOnce()})
    learner.begin(setup, part, {"classes": [0, 1]})
    for _ in range(3):
        learner.learn(setup, part, {"classes": [0, 1]}, epochs=1)
    assert learner.order == [setup.stream.order(4, each) for each in range(3)]
    assert learner.progress.blocks == 3


def test_a_scorer_that_is_not_defined_for_the_labels_found_is_refused(make_part):
    part = make_part(np.ones((6, 2)), np.array([0, 1, 2] * 2))
    setup = replace(setup_of(), evaluation=Evaluation(scoring=["f1"]))
    learner = Learner(SGDClassifier(random_state=0), "first_pass")
    learner.begin(setup, part, {"classes": "infer"})
    with pytest.raises(ConfigError, match="defined for 3 classes"):
        learner.learn(setup, part, {"classes": "infer"}, epochs=1)


def test_beginning_changes_nothing_where_it_fails(make_part, points):
    learner = Learner(SGDClassifier(random_state=0), "first_pass")
    with pytest.raises(ConfigError, match=r"partial_fit\.classes"):
        learner.begin(setup_of(), make_part(*points), {})
    assert learner.progress.blocks == 0
    assert learner.order == []


def test_a_later_part_is_checked_too(make_part, points):
    X, y = points
    learner, setup = Learner(SGDClassifier(random_state=0), "first_pass"), setup_of()
    part = make_part(X, y)
    learner.begin(setup, part, {"classes": [0, 1]})
    learner.learn(setup, part, {"classes": [0, 1]}, epochs=1)
    with pytest.raises(ConfigError, match=r"partial_fit\.other must be an argument"):
        learner.learn(setup, part, {"other": 1}, epochs=1)
    with pytest.raises(FitError, match=r"got \[5\], first in row"):
        learner.learn(setup, make_part(X, np.full(100, 5)), {}, epochs=1)
    assert learner.progress.blocks == 4


def test_a_stage_is_told_by_its_name(make_part, points):
    pipeline = make_pipeline(StandardScaler(), SGDClassifier(random_state=0))
    learner, part = Learner(pipeline, {"standardscaler": "running"}), make_part(*points)
    learner.begin(setup_of(), part, {"classes": [0, 1]})
    assert not hasattr(pipeline[0], "mean_")
    learner.learn(setup_of(), part, {"classes": [0, 1]}, epochs=1)
    assert pipeline[0].n_samples_seen_ == 100


def test_an_estimator_alone_has_no_stages():
    estimator = SGDClassifier()
    assert parted(estimator) == ({}, estimator)


@pytest.mark.parametrize(
    ("classes", "plain"),
    [
        (None, None),
        ("infer", "infer"),
        ([0, 1], [0, 1]),
        (np.array([0, 1]), [0, 1]),
        (da.from_array(np.array([0, 1]), chunks=1), [0, 1]),
        ([np.array([0, 1]), da.arange(3, chunks=1)], [[0, 1], [0, 1, 2]]),
        (np.array(["a", "b"]), ["a", "b"]),
    ],
)
def test_classes_become_lists(classes, plain):
    assert in_memory({"classes": classes, "other": 1}) == {"classes": plain, "other": 1}


def test_the_type_of_classes_is_kept():
    (kept,) = in_memory({"classes": np.array([0, 1], dtype=np.int8)}).values()
    assert np.asarray(kept).dtype == np.int8
    with pytest.raises(ConfigError, match="The argument W of partial_fit must be in memory"):
        in_memory({"W": da.zeros(3)})
