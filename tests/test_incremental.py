"""The fit as a scikit-learn estimator."""

import pickle
import subprocess
import sys
from inspect import signature

import dask
import dask.array as da
import dask.dataframe as dd
import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import BaseEstimator, clone, is_classifier, is_clusterer, is_regressor
from sklearn.cluster import MiniBatchKMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import IncrementalPCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import Perceptron, SGDClassifier, SGDRegressor
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

import runner
from runner.base import Callback
from runner.callbacks.early_stopping import EarlyStopping
from runner.errors import ConfigError, DatasetError, FitError, RunnerWarning
from runner.incremental import Incremental
from runner.one_core import one_core

pytestmark = pytest.mark.filterwarnings("ignore:The sizes of the blocks of . are unknown")


@pytest.fixture
def lazy(points):
    """Return 100 rows of 20 features and their labels as Dask arrays of four blocks."""
    X, y = points
    return da.from_array(X, chunks=(25, 20)), da.from_array(y, chunks=25)


def linear(**settings):
    return SGDClassifier(**{"random_state": 0} | settings)


def bits(model):
    return joblib.hash(getattr(model, "estimator_", model))


def by_hand(estimator, X, y, order=range(4), **arguments):
    for i in order:
        rows = slice(25 * i, 25 * i + 25)
        estimator.partial_fit(X[rows], y[rows], **arguments)
    return estimator


# ---------------------------------------------------------------- the constructor


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_the_first_arguments_are_those_of_dask_ml_in_their_order_with_their_defaults():
    from dask_ml.wrappers import Incremental as Theirs

    theirs, ours = signature(Theirs).parameters, signature(Incremental).parameters
    assert list(ours)[: len(theirs)] == list(theirs)
    assert all(ours[name].default == theirs[name].default for name in theirs)
    added = [ours[name] for name in list(ours)[len(theirs) :]]
    assert {parameter.kind.name for parameter in added} == {"KEYWORD_ONLY"}


def test_it_is_what_the_package_exports():
    assert runner.Incremental is Incremental
    assert set(runner.__all__) == {"Incremental", "run", "sweep"}
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = runner.other


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, runner; print(*{'numpy', 'sklearn', 'dask', 'hydra'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_parameters_nest_and_are_cloned():
    model = Incremental(linear(), epochs=2)
    model.set_params(estimator__alpha=0.5, prefetch=0)
    copy = clone(model)
    assert copy.get_params()["estimator__alpha"] == 0.5
    assert (copy.prefetch, copy.epochs) == (0, 2)
    assert copy.estimator is not model.estimator


# ---------------------------------------------------------------- the fit


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(
    ("estimator", "arguments"),
    [
        (linear(), {"classes": [0, 1]}),
        (linear(loss="log_loss", average=True), {"classes": np.array([0, 1])}),
        (Perceptron(random_state=0), {"classes": [0, 1]}),
        (GaussianNB(), {"classes": [0, 1]}),
        (MLPClassifier((8,), random_state=0), {"classes": [0, 1]}),
        (SGDRegressor(random_state=0), {}),
        (MiniBatchKMeans(4, random_state=0), {}),
    ],
    ids=str,
)
def test_the_model_is_that_of_dask_ml_bit_for_bit(lazy, estimator, arguments):
    """On one core, as ours learns anywhere; the k-means of scikit-learn has other bits on two."""
    from dask_ml.wrappers import Incremental as Theirs

    with one_core(), dask.config.set(scheduler="sync"):
        theirs = Theirs(estimator, "accuracy", False).fit(*lazy, **arguments)
    ours = Incremental(estimator, None, False).fit(*lazy, **arguments)
    assert bits(ours) == bits(theirs)
    predicted, expected = ours.predict(lazy[0]), theirs.predict(lazy[0])
    np.testing.assert_array_equal(predicted.compute(), expected.compute())


@pytest.mark.parametrize("prefetch", [0, 1, 5])
def test_blocks_are_learned_in_the_recorded_order(points, lazy, prefetch):
    model = Incremental(linear(), random_state=3, epochs=2, prefetch=prefetch)
    model.fit(*lazy, classes=[0, 1])
    assert [sorted(order) for order in model.order_] == [[0, 1, 2, 3]] * 2
    assert model.order_[0] != model.order_[1]
    hand = by_hand(linear(), *points, order=[*model.order_[0], *model.order_[1]], classes=[0, 1])
    assert bits(model) == bits(hand)


def held(points, kind):
    X, y = points
    frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(20)])
    lazy_frame = dd.from_pandas(frame.assign(y=y), npartitions=4)
    return {
        "dask": (da.from_array(X, chunks=(25, 20)), da.from_array(y, chunks=25)),
        "mixed": (da.from_array(X, chunks=(25, 20)), y),
        "columns": (da.from_array(X, chunks=(25, 7)), y),
        "numpy": (X, y),
        "pandas": (frame, pd.Series(y)),
        "lists": (X.tolist(), y.tolist()),
        "dataframe": (lazy_frame.drop(columns="y"), lazy_frame.y),
    }[kind]


@pytest.mark.filterwarnings("ignore:X is cut along its features")
@pytest.mark.parametrize(
    "kind", ["dask", "mixed", "columns", "numpy", "pandas", "lists", "dataframe"]
)
def test_the_same_rows_in_any_form_give_the_same_model(points, kind):
    X, y = held(points, kind)
    chunks = 25 if kind in ("numpy", "pandas", "lists") else None
    model = Incremental(linear(), shuffle_blocks=False, chunks=chunks)
    model.fit(X, y)
    hand = by_hand(linear(), *points, classes=[0, 1])
    assert model.progress_.blocks == 4
    assert model.coef_.tobytes() == hand.coef_.tobytes()
    assert hasattr(model, "feature_names_in_") == (kind in ("pandas", "dataframe"))
    assert model.score(X, y) == hand.score(*points)


def test_sparse_rows_are_learned_and_answered(points):
    X, y = scipy.sparse.csr_matrix(abs(points[0])), points[1]
    model = Incremental(MultinomialNB(), chunks=25).fit(X, y)
    whole = MultinomialNB().fit(X, y)
    np.testing.assert_allclose(model.feature_count_, whole.feature_count_)
    assert model.score(X, y) == whole.score(X, y)


def test_the_given_estimator_is_left_alone(lazy):
    estimator = SGDClassifier()
    model = Incremental(estimator, random_state=7).fit(*lazy)
    assert model.estimator is estimator
    assert not hasattr(estimator, "coef_")
    assert estimator.random_state is None
    assert model.estimator_.random_state == 7


def test_a_seed_repeats_the_fit_and_none_is_drawn_and_recorded(lazy):
    one, two = (Incremental(SGDClassifier()).fit(*lazy) for _ in range(2))
    assert one.random_state_ != two.random_state_
    again = Incremental(SGDClassifier(), random_state=one.random_state_).fit(*lazy)
    assert bits(again) == bits(one)
    assert bits(again.fit(*lazy)) == bits(one), "fit starts anew"
    drawn = [
        Incremental(SGDClassifier(), random_state=np.random.RandomState(5)).fit(*lazy)
        for _ in range(2)
    ]
    assert bits(drawn[0]) == bits(drawn[1])


def test_partial_fit_goes_on_as_epochs_would(lazy):
    whole = Incremental(linear(), random_state=1, epochs=3).fit(*lazy)
    step = Incremental(linear(), random_state=1)
    step.partial_fit(*lazy, classes=[0, 1])
    first = step.estimator_
    step.partial_fit(*lazy).partial_fit(*lazy, classes=[0, 1])
    assert step.estimator_ is first
    assert bits(step) == bits(whole)
    assert step.order_ == whole.order_
    assert step.progress_.rows == 300
    assert step.progress_.total_rows == 300


def test_a_pickled_model_goes_on_learning(lazy):
    model = Incremental(make_pipeline(StandardScaler(), linear()), random_state=1)
    model.partial_fit(*lazy, classes=[0, 1])
    copy = pickle.loads(pickle.dumps(model))  # noqa: S301  (our own)
    assert bits(copy.partial_fit(*lazy)) == bits(model.partial_fit(*lazy))


@pytest.mark.parametrize("wrap", [np.asarray, lambda w: da.from_array(w, chunks=40)])
def test_weights_go_with_their_rows(points, lazy, wrap):
    X, y = points
    weight = np.random.default_rng(1).uniform(size=100)
    model = Incremental(linear(), shuffle_blocks=False)
    model.fit(*lazy, classes=[0, 1], sample_weight=wrap(weight))
    hand = linear()
    for i in range(4):
        rows = slice(25 * i, 25 * i + 25)
        hand.partial_fit(X[rows], y[rows], classes=[0, 1], sample_weight=weight[rows])
    assert bits(model) == bits(hand)


def test_labels_weigh_as_asked(points, lazy):
    X, y = points
    model = Incremental(linear(), shuffle_blocks=False, class_weight="balanced")
    model.fit(*lazy)
    balanced = 100 / (2 * np.bincount(y))
    hand = linear()
    for i in range(4):
        rows = slice(25 * i, 25 * i + 25)
        weight = balanced[y[rows]]
        hand.partial_fit(X[rows], y[rows], classes=[0, 1], sample_weight=weight)
    assert bits(model) == bits(hand)


@pytest.mark.parametrize("name", ["none", "infer", "array", "lazy"])
def test_classes_may_come_in_any_form(lazy, name):
    X, y = lazy[0], lazy[1].astype(np.int32)
    asked = {
        "none": {},
        "infer": {"classes": "infer"},
        "array": {"classes": np.array([0, 1], dtype=np.int32)},
        "lazy": {"classes": da.unique(y)},
    }[name]
    model = Incremental(linear(), random_state=0).fit(X, y, **asked)
    np.testing.assert_array_equal(model.classes_, [0, 1])
    assert model.classes_.dtype == np.int32


def test_the_first_partial_fit_of_a_classifier_wants_its_classes(lazy):
    with pytest.raises(ConfigError, match=r"partial_fit\.classes must list every label"):
        Incremental(linear()).partial_fit(*lazy)


def test_each_target_has_classes_of_its_own(points, lazy):
    X, y = lazy
    Y = da.stack([y, 2 - y], axis=1).rechunk((25, 2))
    model = Incremental(MultiOutputClassifier(linear(loss="log_loss")), random_state=0).fit(X, Y)
    assert [list(each.classes_) for each in model.estimators_] == [[0, 1], [1, 2]]
    assert [each.shape for each in model.predict_proba(X)] == [(100, 2)] * 2
    assert model.predict(X).shape == (100, 2)


# ---------------------------------------------------------------- answers and scores


def test_answers_about_lazy_rows_are_lazy_and_others_are_not(points, lazy):
    model = Incremental(linear(loss="modified_huber", alpha=1.0), random_state=0).fit(*lazy)
    for method, shape in (
        ("predict", (100,)),
        ("predict_proba", (100, 2)),
        ("decision_function", (100,)),
    ):
        told = getattr(model, method)(lazy[0])
        assert (told.shape, told.chunks[0]) == (shape, (25,) * 4)
        at_once = getattr(model, method)(points[0])
        assert isinstance(at_once, np.ndarray)
        np.testing.assert_allclose(told.compute(), at_once)


def test_there_are_the_methods_that_the_estimator_has():
    assert not hasattr(Incremental(linear()), "predict_proba")
    assert hasattr(Incremental(linear(loss="log_loss")), "predict_proba")
    assert not hasattr(Incremental(linear()), "transform")
    assert Incremental.predict.__doc__.startswith("Return what is predicted")


def test_an_example_of_the_answers_is_believed(lazy):
    model = Incremental(linear(), predict_meta=np.zeros(1, dtype=np.int8)).fit(*lazy)
    assert model.predict(lazy[0]).dtype == np.int8


def test_what_was_learned_is_there_on_the_wrapper(lazy):
    model = Incremental(make_pipeline(StandardScaler(), linear()))
    assert not hasattr(model, "coef_")
    with pytest.raises(NotFittedError):
        model.predict(lazy[0])
    with pytest.raises(NotFittedError):
        model.score(*lazy)
    model.fit(*lazy)
    check_is_fitted(model)
    assert model.n_features_in_ == 20
    assert model.coef_ is model.estimator_[-1].coef_
    assert not hasattr(model, "other_")


def test_a_score_is_the_estimators_own_by_default(points, lazy):
    classifier = Incremental(linear()).fit(*lazy)
    assert classifier.score(*lazy) == classifier.estimator_.score(*points)
    regressor = Incremental(SGDRegressor()).fit(*lazy)
    assert np.isclose(regressor.score(*lazy), regressor.estimator_.score(*points), rtol=1e-12)
    weight = np.arange(100.0)
    weighed = classifier.score(*lazy, sample_weight=da.from_array(weight, chunks=30))
    expected = classifier.estimator_.score(*points, sample_weight=weight)
    assert np.isclose(weighed, expected, rtol=1e-12)


def test_a_scorer_that_does_not_suit_is_refused_before_the_first_block(lazy):
    model = Incremental(linear(), scoring="neg_log_loss")
    with pytest.raises(ConfigError, match="neg_log_loss"):
        model.fit(*lazy)
    assert not hasattr(model, "estimator_")


# ---------------------------------------------------------------- inside of scikit-learn


def test_it_is_of_the_kind_of_its_estimator():
    assert is_classifier(Incremental(make_pipeline(StandardScaler(), linear())))
    assert is_regressor(Incremental(SGDRegressor()))
    assert is_clusterer(Incremental(MiniBatchKMeans()))
    assert get_tags(Incremental(linear())) == get_tags(linear())
    assert get_tags(Incremental()).estimator_type is None


@pytest.mark.parametrize("kind", ["numpy", "dask", "mixed"])
def test_a_search_over_it_works(points, kind):
    grid = {"estimator__alpha": [1e-4, 1.0], "epochs": [1, 5]}
    model = Incremental(linear(), random_state=0, chunks=25)
    search = GridSearchCV(model, grid, cv=3, error_score="raise").fit(*held(points, kind))
    assert search.best_params_["estimator__alpha"] == 1e-4
    assert search.score(*points) > 0.85


def test_cross_validation_passes_what_partial_fit_is_to_get(points):
    scores = cross_val_score(
        Incremental(linear(), random_state=0),
        *points,
        params={"classes": [0, 1], "sample_weight": np.ones(100)},
        error_score="raise",
    )
    assert len(scores) == 5


def test_it_is_a_step_of_a_pipeline(points):
    pipeline = make_pipeline(
        Incremental(IncrementalPCA(5), chunks=25), Incremental(linear(), random_state=0)
    ).fit(*points)
    assert pipeline[:-1].transform(points[0]).shape == (100, 5)
    assert pipeline.score(*points) == np.mean(pipeline.predict(points[0]) == points[1])


# ---------------------------------------------------------------- a Pipeline inside


def test_the_steps_of_a_pipeline_are_fitted_by_passes(points, lazy):
    X, y = points
    pipeline = Pipeline([("none", "passthrough"), ("std", StandardScaler()), ("sgd", linear())])
    model = Incremental(pipeline, shuffle_blocks=False).fit(*lazy)
    scaler = StandardScaler()
    for i in range(4):
        scaler.partial_fit(X[25 * i : 25 * i + 25])
    hand = by_hand(linear(), scaler.transform(X), y, classes=[0, 1])
    assert list(model.estimator_.named_steps) == ["none", "std", "sgd"]
    assert model.coef_.tobytes() == hand.coef_.tobytes()
    np.testing.assert_array_equal(model.predict(lazy[0]), hand.predict(scaler.transform(X)))
    assert not hasattr(pipeline[1], "mean_")


def test_steps_of_the_first_pass_stay_as_they_are(lazy):
    X, y = lazy
    model = Incremental(make_pipeline(MinMaxScaler(), linear()), random_state=0)
    model.partial_fit(X, y, classes=[0, 1])
    largest = model.estimator_[0].data_max_.copy()
    model.partial_fit(100 * X, y)
    np.testing.assert_array_equal(model.estimator_[0].data_max_, largest)


def test_running_steps_go_on_learning(points, lazy):
    X, y = points
    pipeline = make_pipeline(MinMaxScaler(), linear())
    model = Incremental(pipeline, shuffle_blocks=False, preprocessing="running")
    model.partial_fit(*lazy, classes=[0, 1]).partial_fit(100 * lazy[0], lazy[1])
    np.testing.assert_array_equal(model.estimator_[0].data_max_, 100 * X.max(axis=0))
    scaler, hand = MinMaxScaler(), linear()
    for rows in (X, 100 * X):
        for i in range(4):
            part = slice(25 * i, 25 * i + 25)
            codes = scaler.partial_fit(rows[part]).transform(rows[part])
            hand.partial_fit(codes, y[part], classes=[0, 1])
    assert model.coef_.tobytes() == hand.coef_.tobytes()


def test_columns_of_a_dataframe_are_named_in_a_pipeline():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.normal(size=200), "kind": rng.choice(["x", "y"], 200)})
    labels = pd.Series(np.where((frame["size"] > 0) | (frame["kind"] == "x"), "yes", "no"))
    columns = ColumnTransformer(
        [("n", StandardScaler(), ["size"]), ("c", OneHotEncoder(), ["kind"])]
    )
    lazy_frame = dd.from_pandas(frame.assign(label=labels), npartitions=4)
    X, y = lazy_frame[["size", "kind"]], lazy_frame["label"]
    model = Incremental(make_pipeline(columns, linear()), random_state=0, epochs=3).fit(X, y)
    assert list(model.classes_) == ["no", "yes"]
    told = model.predict(X)
    assert told.dtype == "<U3"
    np.testing.assert_array_equal(told.compute(), model.predict(frame))
    assert model.score(X, y) == model.score(frame, labels) == np.mean(told.compute() == labels)
    assert model.score(frame, labels) > 0.9


def test_lines_of_text_are_learned():
    lines = pd.Series(["a good day", "a bad night"] * 50)
    y = np.array([1, 0] * 50)
    model = Incremental(make_pipeline(HashingVectorizer(n_features=64), linear()), chunks=20)
    model.fit(lines, y)
    assert model.score(dd.from_pandas(lines, npartitions=3), y) == 1
    assert model.predict(["good", "bad"]).tolist() == [1, 0]


# ---------------------------------------------------------------- what goes wrong


def spoilt(lazy, block):
    X, y = lazy
    rows = X.compute()
    rows[25 * block + 3, 1] = np.nan
    return da.from_array(rows, chunks=(25, 20)), y


def test_after_a_bad_block_the_model_is_that_of_the_blocks_before(points, lazy):
    model = Incremental(linear(), shuffle_blocks=False)
    told = r"Block 2 \(rows 50 to 74\) must hold only finite numbers in X; got nan in row 53"
    with pytest.raises(FitError, match=told):
        model.fit(*spoilt(lazy, 2), classes=[0, 1])
    assert bits(model) == bits(by_hand(linear(), *points, order=[0, 1], classes=[0, 1]))
    assert (model.progress_.blocks, model.progress_.rows) == (2, 50)
    model.partial_fit(lazy[0][50:], lazy[1][50:])
    assert bits(model) == bits(by_hand(linear(), *points, classes=[0, 1]))


def test_a_fit_that_cannot_begin_leaves_the_model_before_it(lazy):
    model = Incremental(linear(), random_state=0).fit(*lazy)
    before = model.estimator_
    with pytest.raises(DatasetError, match="100 rows of X and 99 of y"):
        model.fit(lazy[0], lazy[1][:99])
    with pytest.raises(ConfigError, match=r"partial_fit\.random_state must be an argument"):
        model.fit(*lazy, random_state=1)
    assert model.estimator_ is before


@pytest.mark.parametrize(
    ("model", "arguments", "told"),
    [
        (Incremental(), {}, "must learn block by block, with a partial_fit method; got NoneType"),
        (Incremental(linear(), prefetch=-1), {}, r"stream\.prefetch must be an integer"),
        (Incremental(linear(), epochs=0), {}, r"fit\.epochs must be an integer of at least 1"),
        (Incremental(linear(), random_state=-1), {}, r"stream\.seed must be an integer"),
        (Incremental(linear(early_stopping=True)), {}, r"early_stopping must be false"),
        (Incremental(linear(), preprocessing="once"), {}, "must be first_pass or running"),
        (
            Incremental(linear()),
            {"classes": [0, 1], "coef_init": da.zeros(20)},
            "The argument coef_init of partial_fit must be in memory",
        ),
        (
            Incremental(
                linear(), epochs=3, callbacks={"early_stopping": EarlyStopping(patience=1)}
            ),
            {},
            "must have rows that are held out",
        ),
    ],
)
def test_what_cannot_work_is_refused_in_our_words(lazy, model, arguments, told):
    with pytest.raises(ConfigError, match=told):
        model.fit(*lazy, **arguments)


def test_what_is_remarkable_is_warned_of(lazy):
    with pytest.warns(RunnerWarning, match=r"estimator\.max_iter=50 has no effect"):
        Incremental(linear(max_iter=50)).fit(*lazy)


# ---------------------------------------------------------------- on the way


def test_callbacks_are_told_and_scores_are_had_on_the_way(lazy):
    class Copies(Callback):
        def __init__(self):
            self.scores = []

        def on_block_end(self, progress, block):
            self.scores.append(dict(progress.scores))

    copies = Copies()
    model = Incremental(linear(), "accuracy", progressive_window=2, callbacks={"copies": copies})
    model.fit(*lazy)
    assert [set(scores) for scores in copies.scores] == [set(), *[{"accuracy"}] * 3]


def test_a_stop_ends_one_call_only(lazy):
    class Stop(Callback):
        def on_block_end(self, progress, block):
            progress.stop("enough")

    model = Incremental(linear(), callbacks={"stop": Stop()})
    model.partial_fit(*lazy, classes=[0, 1])
    model.partial_fit(*lazy)
    assert (model.progress_.blocks, model.progress_.epoch) == (2, 0)


def test_rows_are_mixed_between_blocks_if_asked(lazy):
    plain = Incremental(linear(), random_state=0).fit(*lazy)
    mixed = Incremental(linear(), random_state=0, buffer_blocks=3).fit(*lazy)
    assert mixed.progress_.rows == 100
    assert bits(mixed) != bits(plain)


@pytest.mark.parametrize("base", [object, BaseEstimator])
def test_an_estimator_of_another_kind_needs_only_partial_fit(lazy, base):
    class Plain(base):
        rows = 0

        def partial_fit(self, X, y=None):
            self.rows += len(X)

    model = Incremental(Plain()).fit(lazy[0])
    assert (model.estimator_.rows, model.estimator.rows) == (100, 0)
