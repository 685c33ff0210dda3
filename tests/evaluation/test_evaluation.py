"""Scores over blocks are scikit-learn's on the whole array."""

import math
import warnings
import weakref
from collections import Counter

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import get_scorer, get_scorer_names, roc_auc_score
from sklearn.naive_bayes import CategoricalNB, MultinomialNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from runner.base import Block, Place
from runner.errors import ConfigError, FitError, RunnerWarning
from runner.evaluation.evaluation import Evaluation
from runner.evaluation.scorers import scorer

CUTS = (40, 41, 41, 100)  # a block of one row and an empty block are among them


def whole(name, estimator, X, y, weight):
    """Return scikit-learn's score of the whole arrays, NaN where it refuses."""
    score = get_scorer(name)
    takes_weight = "sample_weight" in score.get_metadata_routing().score.requests
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return score(estimator, X, y, sample_weight=weight if takes_weight else None)
        except (ValueError, TypeError):
            return math.nan


def suitable_names(estimator):
    names = []
    for name in get_scorer_names():
        try:
            Evaluation(scoring=name).check(estimator, has_target=True)
        except ConfigError:
            continue
        names.append(name)
    return names


def evaluated(scoring, estimator, blocks):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RunnerWarning)
        return Evaluation(scoring=scoring).over(estimator, blocks)


def on_the_way(evaluation, estimator, blocks):
    """Return the scores as an estimator has them that is still learning."""
    measurement = evaluation.measure(estimator)
    for block in blocks:
        measurement.add(block)
    return measurement.evaluated(warn=False).scores


def same(one, other):
    return one == other or (math.isnan(one) and math.isnan(other))


@pytest.mark.parametrize("weighted", [False, True])
def test_every_suitable_scorer_gives_the_bits_of_the_whole_array(
    case, weighted, rows, blocks_of, blockwise
):
    estimator, y = case
    weight = rows.weight if weighted else None
    names = suitable_names(estimator)
    scores = evaluated(names, estimator, blocks_of(rows.X, y, weight, at=CUTS)).scores
    assert list(scores) == names
    for name in names:
        asked_by_block = whole(name, blockwise(estimator, CUTS), rows.X, y, weight)
        assert same(scores[name], asked_by_block), name
        asked_at_once = whole(name, estimator, rows.X, y, weight)
        if not math.isnan(asked_at_once):
            assert scores[name] == pytest.approx(asked_at_once, rel=1e-12), name


@pytest.mark.parametrize(
    "name", ["sgd_log_loss", "sgd_text", "sgd_objects", "mlp", "k_means", "birch", "outliers"]
)
def test_labels_give_the_bits_of_the_estimator_asked_at_once(name, fitted, rows, blocks_of):
    estimator, y = fitted(name)
    names = [n for n in suitable_names(estimator) if scorer(n).methods == ("predict",)]
    scores = evaluated(names, estimator, blocks_of(rows.X, y, at=CUTS)).scores
    for asked in names:
        assert same(scores[asked], whole(asked, estimator, rows.X, y, None)), asked


CASES = ["sgd_log_loss", "mlp", "mlp_multilabel", "positive_regressor", "naive_bayes"]


def test_every_scorer_of_scikit_learn_is_finite_in_some_case(fitted, rows, blocks_of):
    scored = set()
    for name in CASES:
        estimator, y = fitted(name)
        found = evaluated(suitable_names(estimator), estimator, blocks_of(rows.X, y, at=CUTS))
        scored |= {name for name, score in found.scores.items() if math.isfinite(score)}
    assert scored == set(get_scorer_names())


@given(cuts=st.lists(st.integers(0, 157), max_size=8), weighted=st.booleans())
@settings(deadline=None, max_examples=40)
def test_no_cut_into_blocks_loses_a_bit(fitted, rows, blocks_of, blockwise, *, cuts, weighted):
    weight = rows.weight if weighted else None
    for case, names in (
        ("sgd_log_loss", ["accuracy", "f1_macro", "roc_auc", "neg_log_loss"]),
        ("sgd_regressor", ["r2", "neg_median_absolute_error"]),
        ("k_means", ["v_measure_score"]),
    ):
        estimator, y = fitted(case)
        blocks = blocks_of(rows.X, y, weight, at=cuts)
        found = Evaluation(scoring=names).over(estimator, blocks)
        reference = blockwise(estimator, cuts)
        assert found.n_rows == rows.n
        assert found.scores == {n: whole(n, reference, rows.X, y, weight) for n in names}


@pytest.mark.parametrize("weighted", [False, True])
def test_the_scores_of_one_block_are_those_of_scikit_learn(case, weighted, rows):
    estimator, y = case
    evaluation = Evaluation(scoring=suitable_names(estimator))
    for part in (slice(0, 1), slice(1, 9), slice(0, rows.n)):
        weight = rows.weight[part] if weighted else None
        scores = evaluation.score_block(estimator, rows.X[part], y[part], weight)
        for name, score in scores.items():
            assert same(score, whole(name, estimator, rows.X[part], y[part], weight)), name


def test_a_score_that_is_undefined_on_a_block_is_nan_and_silent(fitted, rows):
    estimator, y = fitted("sgd_log_loss")
    ones = y == 1
    evaluation = Evaluation(scoring=["accuracy", "roc_auc", "neg_log_loss"])
    scores = evaluation.score_block(estimator, rows.X[ones], y[ones], None)
    assert scores["accuracy"] > 0
    assert math.isnan(scores["roc_auc"])
    assert math.isnan(scores["neg_log_loss"])


def test_a_block_without_rows_has_no_score(fitted, rows):
    estimator, y = fitted("sgd_log_loss")
    assert math.isnan(Evaluation().score_block(estimator, rows.X[:0], y[:0], None)["accuracy"])


@pytest.mark.parametrize("weighted", [False, True])
def test_inertia_is_the_sum_over_the_blocks(weighted, fitted, rows, blocks_of):
    estimator, _ = fitted("k_means")
    weight = rows.weight if weighted else None
    at_once = estimator.score(rows.X, sample_weight=weight)
    found = Evaluation().over(estimator, blocks_of(rows.X, None, weight, at=CUTS))
    assert list(found.scores) == ["neg_inertia"]
    assert found.scores["neg_inertia"] == pytest.approx(at_once, rel=1e-12)
    assert Evaluation().score_block(estimator, rows.X, None, weight) == {"neg_inertia": at_once}


class Counting:
    """Counts the calls of an estimator's methods."""

    def __init__(self, estimator):
        self._estimator = estimator
        self.classes_ = estimator.classes_
        self.calls = Counter()

    def __sklearn_tags__(self):
        return self._estimator.__sklearn_tags__()

    def _call(self, name, X):
        self.calls[name] += 1
        return getattr(self._estimator, name)(X)

    def predict(self, X):
        return self._call("predict", X)

    def decision_function(self, X):
        return self._call("decision_function", X)

    def predict_proba(self, X):
        return self._call("predict_proba", X)


def test_each_method_answers_once_for_each_block(fitted, rows, blocks_of):
    estimator, y = fitted("sgd_log_loss")
    counting = Counting(estimator)
    evaluation = Evaluation(
        scoring=[
            "accuracy",
            "f1",
            "roc_auc",
            "average_precision",
            "neg_log_loss",
            "d2_log_loss_score",
        ]
    )
    evaluation.over(counting, blocks_of(rows.X, y, at=CUTS))
    assert counting.calls == {"predict": 4, "decision_function": 4, "predict_proba": 4}
    evaluation.score_block(counting, rows.X, y, None)
    assert counting.calls == {"predict": 5, "decision_function": 5, "predict_proba": 5}


@pytest.mark.parametrize("case", ["sgd_log_loss", "sgd_regressor", "k_means"])
def test_no_block_outlives_its_turn(case, fitted):
    estimator, _ = fitted(case)
    alive, met = set(), []

    def blocks():
        for number in range(6):
            # X and y are views of one array, as a reader of tables may deliver them.
            table = np.random.default_rng(number).normal(size=(20, 7))
            table[:, 6] = table[:, 6] > 0
            alive.add(number)
            weakref.finalize(table, alive.discard, number)
            block = Block(table[:, :6], table[:, 6], None, Place(number, 20 * number, 20 * number))
            del table
            met.append(set(alive))
            yield block
            del block

    assert evaluated(None, estimator, blocks()).n_rows == 120
    assert met == [{number} for number in range(6)]
    assert not alive


def test_sparse_rows_are_scored(fitted, rows, blocks_of):
    _, y = fitted("naive_bayes")
    X = scipy.sparse.csr_array(np.abs(rows.X))
    bayes = MultinomialNB().partial_fit(X, y, classes=[0, 1, 2])
    found = Evaluation(scoring=["accuracy", "roc_auc_ovr"]).over(bayes, blocks_of(X, y, at=CUTS))
    assert found.scores["accuracy"] == bayes.score(X, y)
    assert found.scores["roc_auc_ovr"] > 0


def test_lines_of_text_are_scored(blocks_of):
    lines = np.array(["a cat", "a dog", "an eel", "a cat"], dtype=object)
    y = np.array([0, 1, 1, 0])
    hashing = HashingVectorizer(n_features=64)
    linear = SGDClassifier(random_state=0).partial_fit(hashing.transform(lines), y, classes=[0, 1])
    model = Pipeline([("hashing", hashing), ("linear", linear)])
    assert Evaluation().over(model, blocks_of(lines, y, at=(3,))).scores == {"accuracy": 1.0}


class Sign:
    """A third-party classifier that knows nothing of scikit-learn."""

    def partial_fit(self, X, y, classes=None):
        self.classes_ = np.unique(y)

    def predict(self, X):
        return (X[:, 0] > 0).astype(int)

    def predict_proba(self, X):
        second = 1 / (1 + np.exp(-X[:, 0]))
        return np.column_stack([1 - second, second])


def test_any_object_that_predicts_is_scored(fitted, rows, blocks_of):
    _, y = fitted("sgd_log_loss")
    right = float(np.mean(Sign().predict(rows.X) == y))
    blocks = blocks_of(rows.X, y, at=CUTS)
    assert Evaluation().over(Sign(), blocks).scores == {"accuracy": right}
    learned = Sign()
    learned.partial_fit(rows.X, y)
    found = Evaluation(scoring="roc_auc").over(learned, blocks_of(rows.X, y, at=CUTS))
    assert found.scores["roc_auc"] == roc_auc_score(y, learned.predict_proba(rows.X)[:, 1])


def test_no_rows_give_no_scores(fitted, rows, blocks_of):
    estimator, y = fitted("sgd_log_loss")
    for blocks in (iter(()), blocks_of(rows.X[:0], y[:0])):
        found = Evaluation().over(estimator, blocks)
        assert (found.scores, found.n_rows, found.confusion) == ({}, 0, None)


def test_without_scorers_nothing_is_read_past_the_first_block(fitted, rows):
    estimator, y = fitted("sgd_log_loss")
    met = []

    def blocks():
        try:
            for number in range(5):
                met.append(number)
                yield Block(rows.X, y, None, Place(number, 0, rows.n))
        finally:
            met.append("closed")

    assert Evaluation().over(StandardScaler().partial_fit(rows.X), blocks()).scores == {}
    assert Evaluation(scoring=[]).over(estimator, blocks()).n_rows == 0
    assert met == [0, "closed"] * 2


def test_a_block_that_cannot_be_predicted_is_named_and_the_stream_closed(fitted, rows, blocks_of):
    estimator, y = fitted("sgd_log_loss")
    X = rows.X.copy()
    X[50, 2] = np.nan
    blocks = blocks_of(X, y, at=(40, 80))
    with pytest.raises(FitError) as raised:
        Evaluation().over(estimator, blocks)
    assert str(raised.value) == (
        "Block 1 (rows 40 to 79) must hold only finite numbers in X; got nan in row 50, column 2. "
        "Remove or fill in these rows at the source, or put an imputer into preprocessing."
    )
    assert isinstance(raised.value.__cause__, ValueError)
    assert next(blocks, None) is None


def test_what_a_prediction_says_in_several_lines_is_put_in_one(fitted, rows, blocks_of):
    class Broken(SGDClassifier):
        def predict(self, X):
            raise ValueError("no\n  luck.")

    _, y = fitted("sgd_log_loss")
    with pytest.raises(FitError) as raised:
        Evaluation().over(Broken(), blocks_of(rows.X, y))
    assert str(raised.value) == (
        "Block 0 (rows 0 to 156) must be rows that Broken can predict; got ValueError: no luck. "
        "Mend or remove these rows at the source."
    )


def test_a_target_that_is_missing_is_named(fitted, rows, blocks_of):
    estimator, y = fitted("sgd_regressor")
    y = y.copy()
    y[50] = np.nan
    with pytest.raises(FitError, match=r"Block 1 .* in y; got nan in row 50\."):
        Evaluation().over(estimator, blocks_of(rows.X, y, at=(40, 80)))


def test_labels_of_differing_widths_are_counted_whole(fitted, rows, blocks_of):
    y = np.where(np.arange(rows.n) < 40, "a", "abcdef")
    estimator = SGDClassifier(random_state=0).fit(rows.X, y)
    blocks = [*blocks_of(rows.X[:40], y[:40].astype("<U1")), *blocks_of(rows.X[40:], y[40:])]
    assert [block.y.dtype for block in blocks] == ["<U1", "<U6"]
    got = Evaluation(scoring=["accuracy", "f1_macro", "matthews_corrcoef"]).over(
        estimator, iter(blocks)
    )
    for name, score in got.scores.items():
        assert score == get_scorer(name)(estimator, rows.X, y)
    assert got.confusion.labels.tolist() == ["a", "abcdef"]


def test_a_label_that_was_never_learned_counts_as_an_error_and_is_named(fitted, rows, blocks_of):
    estimator, y = fitted("sgd_log_loss")
    y = y.copy()
    y[50:53], y[90] = 7, 8
    with pytest.warns(RunnerWarning) as warned:
        found = Evaluation().over(estimator, blocks_of(rows.X, y, at=(40, 80)))
    assert [str(warning.message) for warning in warned] == [
        "The estimator never learned 2 of the labels, first 7 in block 1 (rows 40 to 79): their "
        "rows count as errors."
    ]
    assert found.scores["accuracy"] == estimator.score(rows.X, y)
    assert found.confusion.labels.tolist() == [0, 1, 7, 8]


def test_labels_that_no_evaluated_row_holds_are_named_once(fitted, rows, blocks_of):
    estimator, y = fitted("sgd_text")
    only_no = y == "no"
    evaluation = Evaluation(scoring=["accuracy", "f1_macro"])
    with pytest.warns(RunnerWarning) as warned:
        evaluation.over(estimator, blocks_of(rows.X[only_no], y[only_no], at=(10, 20)))
    assert [str(warning.message) for warning in warned] == [
        "No evaluated row holds the label 'yes': the scores say nothing of it. Set "
        "dataset.holdout_by=rows to hold out rows of every block, or score more rows."
    ]
    evaluation.score_block(estimator, rows.X[only_no], y[only_no], None)
    on_the_way(evaluation, estimator, blocks_of(rows.X[only_no], y[only_no]))


@pytest.mark.parametrize(
    ("n_labels", "named"),
    [(3, "labels 1, 2: "), (4, "labels 1, 2, 3: "), (9, "labels 1, 2, 3 and 5 more: ")],
)
def test_a_few_of_many_labels_that_no_evaluated_row_holds_are_named(
    rows, blocks_of, n_labels, named
):
    labels = np.arange(rows.n) % n_labels
    estimator = SGDClassifier(random_state=0).fit(rows.X, labels)
    with pytest.warns(RunnerWarning, match=f"^No evaluated row holds the {named}.* of them"):
        Evaluation().over(estimator, blocks_of(rows.X, labels * 0))


@pytest.mark.parametrize("name", ["accuracy", "f1", "precision", "matthews_corrcoef"])
@pytest.mark.parametrize("values", [(0, 1), (1, 0), ("no", "yes"), (True, False)])
def test_labels_that_an_outlier_detector_never_predicts_are_refused(
    fitted, rows, blocks_of, name, values
):
    detector, signs = fitted("outliers")
    y = np.array(values)[(signs > 0).astype(int)]
    said = rf"^y must hold 1 for usual rows and -1 for outliers, as SGDOneClassSVM .* where {name}"
    with pytest.raises(ConfigError, match=said):
        Evaluation(scoring=["roc_auc", name]).over(detector, blocks_of(rows.X, y, at=CUTS))
    with pytest.raises(ConfigError, match=said):
        Evaluation(scoring=name).score_block(detector, rows.X, y, None)


def test_an_outlier_detector_is_ranked_by_any_two_labels(fitted, rows, blocks_of):
    detector, signs = fitted("outliers")
    ranked = Evaluation(scoring=["roc_auc", "average_precision"])
    with_signs, with_numbers = (
        ranked.over(detector, blocks_of(rows.X, y, at=CUTS)).scores
        for y in (signs, (signs > 0).astype(int))
    )
    assert with_signs == with_numbers
    floats = signs.astype(float)
    assert Evaluation(scoring="accuracy").over(detector, blocks_of(rows.X, floats)).scores


def test_a_code_beyond_those_learned_is_answered_with_a_remedy(blocks_of):
    codes = np.array([[0], [1], [5]])
    bayes = CategoricalNB().partial_fit(codes[:2], [0, 1], classes=[0, 1])
    with pytest.raises(FitError, match=r"got IndexError: .* Set estimator\.min_categories to"):
        Evaluation().over(bayes, blocks_of(codes, np.array([0, 1, 1])))


def test_an_ill_defined_score_is_one_warning_that_names_the_scorer(fitted, rows, blocks_of):
    estimator, y = fitted("sgd_log_loss")
    blocks = blocks_of(rows.X, np.ones_like(y), at=CUTS)
    with pytest.warns(RunnerWarning) as warned:
        found = Evaluation(scoring=["accuracy", "roc_auc", "f1"]).over(estimator, blocks)
    messages = [str(warning.message) for warning in warned]
    assert len(messages) == 2
    assert messages[1].startswith("No evaluated row holds the label 0: ")
    assert messages[0].startswith("roc_auc over all evaluated rows: Only one class is present")
    assert math.isnan(found.scores["roc_auc"])
    assert found.scores["f1"] > 0


def test_a_scorer_that_refuses_the_rows_costs_no_other_score(fitted, rows, blocks_of):
    estimator, y = fitted("sgd_regressor")
    evaluation = Evaluation(scoring=["neg_mean_squared_log_error", "r2"])
    with pytest.warns(RunnerWarning, match=r"^neg_mean_squared_log_error over all .*less than"):
        found = evaluation.over(estimator, blocks_of(rows.X, y, at=CUTS))
    assert math.isnan(found.scores["neg_mean_squared_log_error"])
    assert math.isfinite(found.scores["r2"])


def test_names_are_kept_in_order_and_once():
    estimator = SGDClassifier()
    names = Evaluation(scoring=["f1", "accuracy", "f1"]).names(estimator, has_target=True)
    assert names == ["f1", "accuracy"]
    assert Evaluation(scoring="f1").names(estimator, has_target=True) == ["f1"]


@pytest.mark.parametrize("scoring", [7, {"accuracy": 1}, ["accuracy", None], [["accuracy"]]])
def test_what_are_no_names_is_refused_at_once(scoring):
    with pytest.raises(ConfigError, match=r"evaluation.scoring must be a list of scorers' names"):
        Evaluation(scoring=scoring)


def test_an_unknown_name_is_refused_at_once_with_the_nearest():
    with pytest.raises(ConfigError, match=r"got 'acuracy'. Did you mean 'accuracy'"):
        Evaluation(scoring=["acuracy"])


def test_names_may_come_in_a_tuple():
    assert Evaluation(scoring=("f1", "accuracy")) == Evaluation(scoring=["f1", "accuracy"])


def test_a_scorer_that_cannot_be_answered_is_refused_also_at_the_first_block(
    fitted, rows, blocks_of
):
    estimator, y = fitted("sgd_hinge")
    evaluation = Evaluation(scoring="neg_log_loss")
    with pytest.raises(ConfigError, match=r"estimator\.loss=log_loss"):
        evaluation.over(estimator, blocks_of(rows.X, y))
    with pytest.raises(ConfigError, match=r"estimator\.loss=log_loss"):
        evaluation.score_block(estimator, rows.X, y, None)


def test_the_labels_are_checked_where_they_are_known():
    evaluation = Evaluation(scoring=["accuracy", "f1"])
    evaluation.check(SGDClassifier(), has_target=True)
    evaluation.check(SGDClassifier(), has_target=True, classes=[0, 1])
    with pytest.raises(ConfigError, match="f1_macro"):
        evaluation.check(SGDClassifier(), has_target=True, classes=[0, 1, 2])


@pytest.mark.parametrize(
    "settings",
    [{}, {"every": 1}, {"every": "epoch"}, {"every": 100, "growth": 1.5}, {"growth": 1}],
)
def test_a_schedule_of_scores_on_the_way_is_a_number_of_rows_or_each_epoch(settings):
    Evaluation(**settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"every": 0},
            "evaluation.every must be an integer of at least 1, or epoch, or null; got 0",
        ),
        ({"every": 1.5}, "evaluation.every must be an integer of at least 1, or epoch, or null"),
        ({"every": "block"}, "evaluation.every must be an integer of at least 1, or epoch, or nu"),
        ({"every": True}, "evaluation.every must be an integer of at least 1, or epoch, or null"),
        (
            {"every": 10, "growth": 0.5},
            "evaluation.growth must be a number of at least 1; got 0.5",
        ),
        (
            {"every": 10, "growth": None},
            "evaluation.growth must be a number of at least 1; got No",
        ),
        (
            {"growth": 2},
            "evaluation.growth must be 1 where evaluation.every is no number of rows; "
            "got 2 with evaluation.every=null. Set",
        ),
        (
            {"every": "epoch", "growth": 2.0},
            "evaluation.growth must be 1 where evaluation.every is "
            "no number of rows; got 2.0 with evaluation.every=epoch. Set",
        ),
    ],
)
def test_a_schedule_that_means_nothing_is_refused(settings, said):
    with pytest.raises(ConfigError) as caught:
        Evaluation(**settings)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("name", ["sgd_log_loss", "mlp", "sgd_regressor"])
def test_scores_on_the_way_are_the_final_ones_of_the_same_rows(fitted, rows, blocks_of, name):
    estimator, y = fitted(name)
    evaluation = Evaluation()
    scores = on_the_way(evaluation, estimator, blocks_of(rows.X, y, at=CUTS))
    assert scores == evaluation.over(estimator, blocks_of(rows.X, y, at=CUTS)).scores


def test_what_is_ill_defined_on_the_way_is_said_only_of_the_final_scores(fitted, rows, blocks_of):
    estimator, y = fitted("sgd_log_loss")
    evaluation, strange = Evaluation(scoring="accuracy"), np.where(y == 1, 7, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert 0 < on_the_way(evaluation, estimator, blocks_of(rows.X, strange))["accuracy"] < 1
    with pytest.warns(RunnerWarning) as warned:
        evaluation.over(estimator, blocks_of(rows.X, strange))
    assert [str(warning.message)[:50] for warning in warned] == [
        "The estimator never learned 1 of the labels, first",
        "No evaluated row holds the label 1: the scores say",
    ]


def test_rows_that_cannot_be_scored_on_the_way_are_named(fitted, rows, blocks_of):
    estimator, y = fitted("sgd_regressor")
    y = np.array(y)
    y[50] = np.nan
    with pytest.raises(FitError, match=r"Block 1 .* finite numbers in y; got nan in row 50"):
        on_the_way(Evaluation(scoring="r2"), estimator, blocks_of(rows.X, y, at=(40,)))
