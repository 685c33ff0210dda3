"""Several estimators are measured on the same blocks, each as if it were alone."""

import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor

import cloudpickle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import IncrementalPCA
from sklearn.linear_model import SGDClassifier

from runner.base import Block, Place
from runner.elsewhere import answered
from runner.errors import ConfigError, FitError, RunnerWarning
from runner.evaluation.evaluation import Evaluation

CUTS = (40, 41, 41, 100)  # a block of one row and an empty block are among them
SCORING = {
    "sgd_log_loss": ["accuracy", "roc_auc", "neg_log_loss"],
    "sgd_hinge": None,
    "naive_bayes": ["f1_macro", "accuracy"],
    "mlp_multilabel": ["accuracy", "f1_micro"],
    "sgd_regressor": ["r2", "neg_median_absolute_error"],
    "mlp_regressor": None,
    "k_means": ["v_measure_score", "neg_inertia"],
    "outliers": ["accuracy"],
}


def exact(evaluated):
    """Return all that was found, in a form in which equal means identical."""
    confusion, predictions = evaluated.confusion, evaluated.predictions
    return (
        repr(evaluated.scores),
        evaluated.n_rows,
        None if confusion is None else (confusion.labels.tolist(), confusion.counts.tolist()),
        None if predictions is None else [each.tobytes() for each in predictions],
    )


def measured(pairs, blocks):
    """Measure several estimators on blocks that go by once."""
    measurements = [Evaluation(scoring=names).measure(model) for model, names in pairs]
    for block in blocks:
        for each in measurements:
            each.add(block)
    return [each.evaluated() for each in measurements]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", SCORING)
def test_several_on_the_same_blocks_find_what_each_finds_alone(
    name, weighted, fitted, rows, blocks_of
):
    model, y = fitted(name)
    weight = rows.weight if weighted else None
    asked = SCORING[name]
    pairs = [(model, asked), (model, asked and asked[:1]), (model, []), (model, asked)]
    found = measured(pairs, blocks_of(rows.X, y, weight, at=CUTS))
    for (_, names), of in zip(pairs, found, strict=True):
        alone = Evaluation(scoring=names).over(model, blocks_of(rows.X, y, weight, at=CUTS))
        assert exact(of) == exact(alone)
    assert found[0].scores


@given(cuts=st.lists(st.integers(0, 157), max_size=8), n_threads=st.sampled_from([1, 2, 4]))
@settings(deadline=None, max_examples=20)
def test_several_kinds_find_in_threads_what_each_finds_alone(
    fitted, rows, blocks_of, *, cuts, n_threads
):
    names = ["sgd_log_loss", "sgd_hinge", "sgd_log_loss"]
    scoring = [["accuracy", "roc_auc"], None, ["neg_log_loss", "f1"]]
    y = fitted("sgd_hinge")[1]
    models = [fitted(name)[0] for name in names]
    measurements = [
        Evaluation(scoring=asked).measure(model)
        for model, asked in zip(models, scoring, strict=True)
    ]
    with ThreadPoolExecutor(n_threads) as pool:
        for block in blocks_of(rows.X, y, at=cuts):
            list(pool.map(lambda each, block=block: each.add(block), measurements))
        found = list(pool.map(lambda each: each.evaluated(warn=False), measurements))
    for model, asked, of in zip(models, scoring, found, strict=True):
        alone = Evaluation(scoring=asked).over(model, blocks_of(rows.X, y, at=cuts))
        assert exact(of) == exact(alone)


def test_it_wants_more_until_it_knows_that_there_is_no_scorer(fitted, rows, blocks_of):
    model, y = fitted("sgd_log_loss")
    with_one, without = (Evaluation(scoring=names).measure(model) for names in (None, []))
    for block in blocks_of(rows.X, y, at=(0, 40)):
        assert with_one.wants_more
        assert without.wants_more == (block.place.start == 0)
        with_one.add(block)
        without.add(block)
    assert with_one.wants_more
    assert not without.wants_more
    assert (with_one.n_rows, without.n_rows) == (157, 0)


def test_without_a_row_there_is_no_score(fitted, rows, blocks_of):
    model, y = fitted("sgd_log_loss")
    measurement = Evaluation().measure(model)
    assert measurement.evaluated().scores == {}
    for block in blocks_of(rows.X[:0], y[:0]):
        measurement.add(block)
    assert measurement.wants_more
    assert measurement.evaluated().scores == {}


def test_scores_so_far_may_be_asked_for_at_any_time(fitted, rows, blocks_of):
    model, y = fitted("naive_bayes")
    measurement = Evaluation().measure(model)
    seen = 0
    for block in blocks_of(rows.X, y, at=(40, 100)):
        measurement.add(block)
        seen += block.n_rows
        so_far = Evaluation().over(model, blocks_of(rows.X[:seen], y[:seen]))
        assert exact(measurement.evaluated()) == exact(so_far)


@pytest.mark.parametrize(
    ("y", "told"),
    [
        ([0, 1, 7] * 20, "never learned 1 of the labels, first 7 in block 0"),
        ([0] * 60, "No evaluated row holds the label 1"),
        ([1] * 60, "roc_auc over all evaluated rows: Only one class is present"),
    ],
)
def test_it_warns_unless_that_is_not_wished_for(y, told, fitted, rows, blocks_of):
    model, _ = fitted("sgd_log_loss")
    measurement = Evaluation(scoring=["accuracy", "roc_auc"]).measure(model)
    for block in blocks_of(rows.X[:60], np.array(y), at=(30,)):
        measurement.add(block)
    silent = measurement.evaluated(warn=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loud = measurement.evaluated()
    assert any(told in str(each.message) for each in caught)
    assert all(each.category is RunnerWarning for each in caught)
    assert exact(silent) == exact(loud)


def test_a_block_that_cannot_be_predicted_is_named_and_the_others_go_on(fitted, rows, blocks_of):
    model, y = fitted("sgd_log_loss")
    narrow = SGDClassifier(random_state=0).partial_fit(rows.X[:, :2], y, classes=[0, 1])
    good, bad = Evaluation().measure(model), Evaluation().measure(narrow)
    for block in blocks_of(rows.X, y, at=(100,)):
        good.add(block)
        with pytest.raises(FitError, match=rf"Block {block.place.number} .*SGDClassifier"):
            bad.add(block)
    alone = Evaluation().over(model, blocks_of(rows.X, y, at=(100,)))
    assert exact(good.evaluated()) == exact(alone)
    assert bad.n_rows == 0


def test_no_block_is_kept(fitted, rows):
    model, y = fitted("sgd_log_loss")
    measurement = Evaluation(scoring=["accuracy", "roc_auc"]).measure(model)
    block = Block(rows.X.copy(), y.copy(), None, Place(0, 0, rows.n))
    X, itself = weakref.ref(block.X), weakref.ref(block)
    measurement.add(block)
    del block
    assert X() is None
    assert itself() is None
    assert set(measurement.evaluated().scores) == {"accuracy", "roc_auc"}


def sent(value):
    """Return what arrives in another process."""
    return cloudpickle.loads(cloudpickle.dumps(value))


def elsewhere(evaluation, model, blocks, pictures_of=0):
    """Measure where the question is asked in another process, and only answers come back."""
    here = evaluation.measure(model, pictures_of=pictures_of)
    question = sent(here.question)
    for block in blocks:
        here.add(sent(answered(block, question(block))) if block.n_rows else block)
    return here


def drawn(evaluated):
    sample = evaluated.sample
    if sample is None:
        return None
    arrays = (sample.answers, sample.true, sample.classes)
    bits = [None if each is None else (each.dtype.str, each.tolist()) for each in arrays]
    return sample.method, sample.n_rows, bits


KINDS = [
    *("sgd_log_loss", "sgd_text", "sgd_objects", "naive_bayes_bool", "mlp_multilabel"),
    *("multi_output", "column_regressor", "multi_output_regressor", "sgd_regressor"),
    *("k_means", "birch", "outliers"),
]
SCORED = {
    "sgd_log_loss": ["accuracy", "roc_auc", "neg_log_loss", "neg_brier_score"],
    "multi_output": ["accuracy"],
    "sgd_regressor": ["r2", "neg_median_absolute_error"],
    "k_means": ["v_measure_score", "neg_inertia"],
    "outliers": ["accuracy", "roc_auc"],
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_what_is_asked_elsewhere_is_found_as_here_to_the_last_bit(
    name, weighted, fitted, rows, blocks_of
):
    model, y = fitted(name)
    evaluation, weight = Evaluation(scoring=SCORED.get(name)), rows.weight if weighted else None
    blocks = list(blocks_of(rows.X, y, weight, at=CUTS))
    here = evaluation.measure(model, pictures_of=rows.n)
    for block in blocks:
        here.add(block)
    there = elsewhere(evaluation, model, blocks, pictures_of=rows.n)
    assert here.n_rows == there.n_rows == rows.n
    here, there = here.evaluated(), there.evaluated()
    assert exact(here) == exact(there)
    assert drawn(here) == drawn(there)
    assert here.scores


def test_rows_without_a_target_are_scored_elsewhere(rows, blocks_of):
    model = IncrementalPCA(2).fit(rows.X)
    evaluation = Evaluation(scoring=["neg_reconstruction_error"])
    blocks = list(blocks_of(rows.X, None, rows.weight, at=CUTS))
    here = evaluation.over(model, iter(blocks))
    assert exact(here) == exact(elsewhere(evaluation, model, blocks).evaluated())


def test_no_row_of_x_comes_back_and_labels_come_as_counts(fitted, rows, blocks_of):
    model, y = fitted("sgd_log_loss")
    (block,) = blocks_of(np.tile(rows.X, (100, 1)), np.tile(y, 100))
    light = answered(block, Evaluation().measure(model).question(block))
    assert len(cloudpickle.dumps(light)) < 5000
    with pytest.raises(TypeError, match="in the memory of another process"):
        np.asarray(light.X)


def test_what_is_wrong_elsewhere_is_said_as_here(fitted, rows, blocks_of):
    model, y = fitted("sgd_log_loss")
    unsuited, evaluation = Evaluation(scoring=["r2"]), Evaluation()
    gap = np.where(np.arange(rows.n) == 50, np.nan, y)
    wrong = [(unsuited, rows.X, y), (evaluation, rows.X, gap), (evaluation, rows.X[:, :2], y)]
    for asked, X, target in wrong:
        said = []
        for score in (Evaluation.over, elsewhere):
            with pytest.raises((ConfigError, FitError)) as raised:
                score(asked, model, blocks_of(X, target, at=(40,)))
            said.append((type(raised.value), str(raised.value)))
        assert said[0] == said[1]


def test_strange_labels_are_told_elsewhere_as_here(fitted, rows, blocks_of):
    model, _ = fitted("sgd_log_loss")
    y = np.where(np.arange(rows.n) % 40 == 39, 7, 0)
    blocks, told = list(blocks_of(rows.X, y, at=(20, 100))), []
    for measurement in (Evaluation().measure(model), elsewhere(Evaluation(), model, blocks)):
        if not measurement.n_rows:
            for block in blocks:
                measurement.add(block)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            measurement.evaluated()
        told.append([str(each.message) for each in caught])
    assert told[0] == told[1]
    assert "first 7 in block 1" in told[0][0]


def test_without_a_scorer_nothing_is_asked_elsewhere(fitted, rows, blocks_of):
    model, y = fitted("sgd_log_loss")
    there = elsewhere(Evaluation(scoring=[]), model, blocks_of(rows.X, y, at=(40,)))
    assert not there.wants_more
    assert there.evaluated().scores == {}
