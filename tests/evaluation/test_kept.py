"""What is remembered of the blocks, and no more."""

import tracemalloc
import warnings

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, get_scorer, get_scorer_names

from runner.evaluation.kept import Kept
from runner.evaluation.replay import ask
from runner.evaluation.scorers import scorer


def gathered(names, estimator, rows, y, weight=None):
    kept = Kept(estimator, [scorer(name) for name in names], y, weight, pictures=True)
    for part in (slice(0, 60), slice(60, rows.n)):
        X = rows.X[part]
        part_weight = None if weight is None else weight[part]
        kept.add(ask(estimator, kept.methods, X, part_weight), y[part], part_weight)
    return kept


def test_only_the_methods_that_are_needed_are_asked(fitted, rows):
    estimator, y = fitted("sgd_log_loss")
    assert gathered(["roc_auc"], estimator, rows, y).methods == ["decision_function", "predict"]
    assert gathered(["accuracy", "f1"], estimator, rows, y).methods == ["predict"]
    scorers = [scorer("roc_auc")]
    assert Kept(estimator, scorers, y).methods == ["decision_function"]


def test_a_classifier_comes_with_its_confusion(fitted, rows):
    estimator, y = fitted("mlp")
    for weight in (None, rows.weight):
        kept = gathered(["roc_auc_ovr"], estimator, rows, y, weight)
        confusion = kept.confusion()
        assert confusion.labels.tolist() == ["cat", "dog", "eel"]
        assert (confusion.counts == confusion_matrix(y, estimator.predict(rows.X))).all()
        assert kept.predictions() is None


def test_a_regressor_comes_with_its_predictions(fitted, rows):
    estimator, y = fitted("mlp_regressor")
    kept = gathered(["r2"], estimator, rows, y)
    true, predicted = kept.predictions()
    assert (true == y).all()
    assert np.allclose(predicted, estimator.predict(rows.X), rtol=1e-12)
    assert kept.confusion() is None


def test_clusters_and_several_outputs_have_neither(fitted, rows):
    for case, name in (("k_means", "rand_score"), ("mlp_multilabel", "accuracy")):
        estimator, y = fitted(case)
        kept = gathered([name], estimator, rows, y)
        assert kept.confusion() is None
        assert kept.predictions() is None


def test_remarks_say_what_scikit_learn_said(fitted, rows):
    estimator, y = fitted("sgd_log_loss")
    ones = np.ones_like(y)
    scores, remarks = gathered(
        ["accuracy", "roc_auc", "roc_auc_ovr"], estimator, rows, ones
    ).scores()
    assert np.isnan(scores["roc_auc"])
    assert set(remarks) == {"roc_auc", "roc_auc_ovr"}
    assert remarks["roc_auc"].startswith("Only one class is present")


@pytest.mark.parametrize("name", [n for n in get_scorer_names() if scorer(n).counts_labels])
def test_counted_pairs_are_remarked_on_as_all_their_rows_are(name, fitted, rows):
    estimator, y = fitted("naive_bayes")
    for target in (y, np.zeros_like(y), y + 2):
        kept = gathered([name], estimator, rows, target)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                get_scorer(name)(estimator, rows.X, target)
                said = dict.fromkeys(str(warning.message) for warning in caught)
            except ValueError as error:
                said = [str(error)]
        assert kept.scores()[1].get(name, "") == " ".join(said)


def test_labels_take_no_more_memory_with_more_blocks(fitted, rows):
    estimator, y = fitted("sgd_log_loss")
    answers = ask(estimator, ["predict"], rows.X)

    def peak(n_blocks):
        kept = Kept(estimator, [scorer("accuracy"), scorer("f1_macro")], y)
        tracemalloc.start()
        try:
            for _ in range(n_blocks):
                kept.add(answers, y, None)
            kept.scores()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2)
    assert peak(500) < peak(5) + 10_000
