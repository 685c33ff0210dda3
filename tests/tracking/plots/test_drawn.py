import sys

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import SGDRegressor
from sklearn.naive_bayes import GaussianNB

from runner.base import Part
from runner.records import Confusion, Evaluated, Sample
from runner.tracking.plots.classification import MAX_LABELS
from runner.tracking.plots.drawn import of_model, of_scores
from runner.tracking.recorder import Recorder

RNG = np.random.default_rng(0)
TRUE = RNG.integers(0, 2, 50)
HALF = RNG.uniform(size=50)
PROBABILITIES = Sample(
    "predict_proba", np.column_stack([1 - HALF, HALF]), 90, TRUE, np.array([0, 1])
)


class Blocks:
    """As much of a ledger as the pictures ask for."""

    def __init__(self, n_blocks):
        self._n_blocks = n_blocks

    def __len__(self):
        return self._n_blocks

    def table(self):
        return pa.table(
            {name: np.ones(self._n_blocks) for name in ("load_ms", "wait_ms", "fit_ms")}
        )


def recorder(curves=None):
    kept = Recorder(lambda values, step: [])
    kept.curves = curves or {}
    return kept


def names(evaluated, ledger=None, curves=None):
    return {name.removesuffix(".png") for name in of_scores(evaluated, recorder(curves), ledger)}


def confusion(n_labels):
    return Confusion(np.arange(n_labels), np.eye(n_labels, dtype=int))


def test_a_classifier_run_alone_has_all_its_pictures(pixels):
    evaluated = Evaluated({}, 90, confusion(2), sample=PROBABILITIES)
    drawn = of_scores(evaluated, recorder({"accuracy": [(1, 0.5), (2, 0.6)]}), Blocks(3))
    assert {name.removesuffix(".png") for name in drawn} == {
        "learning_curve",
        "confusion_matrix",
        "roc",
        "precision_recall",
        "calibration",
        "block_timeline",
    }
    for draw in drawn.values():
        assert pixels(draw()).std() > 2
    assert sys.modules["matplotlib.pyplot"].get_fignums() == [], "pyplot keeps no figure"


def test_a_member_of_a_sweep_has_a_learning_curve_and_one_of_the_errors():
    curves = {"accuracy": [(1, 0.5)]}
    evaluated = Evaluated({}, 90, confusion(2), sample=PROBABILITIES)
    assert names(evaluated, None, curves) == {"learning_curve", "confusion_matrix"}
    predictions = (np.ones(3), np.ones(3))
    assert names(Evaluated({}, 3, predictions=predictions), None) == {"residuals"}


def test_a_regressor_has_residuals_and_its_predictions():
    evaluated = Evaluated({}, 3, predictions=(np.ones(3), np.zeros(3)))
    assert names(evaluated, Blocks(1)) == {"residuals", "predicted_vs_actual", "block_timeline"}


def test_clusters_have_their_sizes():
    evaluated = Evaluated({}, 3, sample=Sample("predict", np.array([0, 1, 1]), 3))
    assert names(evaluated, Blocks(0)) == {"cluster_sizes"}


def test_only_probabilities_of_two_labels_are_calibrated():
    margin = Sample("decision_function", HALF, 90, TRUE, np.array([0, 1]))
    three = np.column_stack([HALF, HALF, HALF])
    several = Sample("predict_proba", three, 90, TRUE + 1, np.array([0, 1, 2]))
    for sample in (margin, several):
        found = names(Evaluated({}, 90, sample=sample), Blocks(0))
        assert found == {"roc", "precision_recall"}


@pytest.mark.parametrize(
    "sample",
    [
        Sample("predict_proba", np.empty((0, 2)), 0, np.empty(0), np.array([0, 1])),
        Sample("predict_proba", np.ones((3, 2)), 3, np.zeros(3), np.array([0, 1])),
        Sample("predict_proba", np.ones((3, 2)), 3, np.zeros((3, 2)), np.array([0, 1])),
        Sample("predict_proba", np.ones(3), 3, "no labels", np.array([0, 1, 2])),
    ],
)
def test_what_cannot_be_ranked_is_not_drawn(sample):
    assert names(Evaluated({}, 3, sample=sample), Blocks(0)) == set()


def test_nothing_draws_nothing():
    nan = {"accuracy": [(25, float("nan")), (50, float("inf"))]}
    empty = (np.empty(0), np.empty(0))
    assert names(Evaluated({}, 0, predictions=empty), Blocks(0), nan) == set()
    assert names(Evaluated({}, 1, confusion(MAX_LABELS + 1))) == set()


def test_a_linear_model_has_its_coefficients_and_another_none(pixels):
    X = np.ones((2, 3))
    part = Part(X, None, None, ())
    assert of_model(GaussianNB(), part) == {}
    drawn = of_model(SGDRegressor().partial_fit(X, [0, 1]), part)
    assert pixels(drawn["coefficients.png"]()).std() > 2


def test_the_record_of_a_run_alone_has_more_pictures_than_that_of_a_member(tracker, client, learn):
    def kept(run):
        return {file.path.removeprefix("plots/") for file in client.list_artifacts(run, "plots")}

    evaluated = Evaluated({"accuracy": 0.5}, 90, confusion(2), sample=PROBABILITIES)

    def log(run):
        model, part, progress = learn(run.callbacks())
        run.log_scores(evaluated)
        run.log_model(model, part, progress)

    few = {"learning_curve.png", "confusion_matrix.png"}
    more = {"roc.png", "precision_recall.png", "calibration.png", "block_timeline.png"}
    with tracker.start_run("alone") as alone:
        log(alone)
    assert kept(alone.run_id) == few | more | {"coefficients.png"}
    with tracker.start_sweep("sweep") as sweep, tracker.start_run("0", parent=sweep) as member:
        log(member)
    assert kept(member.run_id) == few
