"""The same bits as by hand, as dask-ml, at any depth of reading ahead."""

from collections import Counter

import dask.array as da
import joblib
import numpy as np
import pytest
from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import Perceptron, SGDClassifier, SGDRegressor
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_class_weight
from threadpoolctl import threadpool_limits

from runner.callbacks.best_snapshot import BestSnapshot
from runner.callbacks.early_stopping import EarlyStopping
from runner.dataset.make_classification import MakeClassification
from runner.errors import RunnerWarning
from runner.evaluation.evaluation import Evaluation
from runner.experiment import Experiment, run
from runner.fit.options import FitOptions
from runner.records import Recipe
from runner.stream.stream import Stream
from runner.tracking.memory_tracker import MemoryTracker

ESTIMATORS = [
    (SGDClassifier(random_state=10), {"classes": [0, 1]}),
    (SGDClassifier(loss="log_loss", average=True, random_state=1), {"classes": [0, 1]}),
    (Perceptron(random_state=0), {"classes": [0, 1]}),
    (GaussianNB(), {"classes": [0, 1]}),
    (MLPClassifier(hidden_layer_sizes=(8,), random_state=0), {"classes": [0, 1]}),
    (SGDRegressor(random_state=0), {}),
    (MiniBatchKMeans(n_clusters=4, random_state=0), {}),
]


def quickstart_rows(**changes):
    """Return the dataset of the first experiment."""
    return MakeClassification(
        **{"n_samples": 100, "n_features": 20, "chunks": 25, "random_state": 10, "seed": 10}
        | changes
    )


def fitted_by_runner(estimator, arguments, dataset, **parts):
    experiment = Experiment(
        name="same",
        dataset=dataset,
        estimator=estimator,
        tracking=MemoryTracker(),
        partial_fit=arguments,
        seed=10,
        **parts,
    )
    return run(experiment, Recipe("same", {})).estimator


def blocks_by_hand(dataset):
    part = dataset.split().train
    for X, y in zip(part.X.blocks, part.y.blocks, strict=True):
        yield X.compute(), y.compute()


def clone(estimator):
    return type(estimator)(**estimator.get_params())


@pytest.mark.parametrize(("estimator", "arguments"), ESTIMATORS, ids=str)
def test_the_model_is_that_of_a_hand_written_loop(estimator, arguments):
    """The loop is on one core, as a run is: some estimators add up otherwise on several."""
    dataset = quickstart_rows(holdout=0.25)
    ours = fitted_by_runner(
        clone(estimator), arguments, dataset, stream=Stream(shuffle=False, prefetch=2)
    )
    by_hand = clone(estimator)
    with threadpool_limits(1):
        for X, y in blocks_by_hand(dataset):
            by_hand.partial_fit(X, y, **arguments)
    assert joblib.hash(ours) == joblib.hash(by_hand)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(("estimator", "arguments"), ESTIMATORS[:5], ids=str)
def test_the_model_is_that_of_dask_ml(estimator, arguments):
    from dask_ml.wrappers import Incremental

    dataset = quickstart_rows(holdout=0)
    part = dataset.split().train
    theirs = Incremental(clone(estimator), shuffle_blocks=False, scoring="accuracy")
    theirs.fit(part.X, part.y, **arguments)
    ours = fitted_by_runner(clone(estimator), arguments, dataset, stream=Stream(shuffle=False))
    assert joblib.hash(ours) == joblib.hash(theirs.estimator_)


@pytest.mark.parametrize(("estimator", "arguments"), ESTIMATORS, ids=str)
@pytest.mark.parametrize("shuffle", [False, True])
def test_reading_ahead_changes_no_bit(estimator, arguments, shuffle):
    hashes = {
        joblib.hash(
            fitted_by_runner(
                clone(estimator),
                arguments,
                quickstart_rows(chunks=10),
                stream=Stream(shuffle=shuffle, prefetch=prefetch, seed=10),
                fit=FitOptions(epochs=2),
            )
        )
        for prefetch in (0, 1, 4)
    }
    assert len(hashes) == 1


@pytest.mark.parametrize("window", [0, 20])
def test_scoring_on_the_way_changes_no_bit(window):
    model = fitted_by_runner(
        SGDClassifier(random_state=10),
        {"classes": [0, 1]},
        quickstart_rows(),
        fit=FitOptions(progressive_window=window),
    )
    without = fitted_by_runner(
        SGDClassifier(random_state=10),
        {"classes": [0, 1]},
        quickstart_rows(),
        fit=FitOptions(progressive_window=0),
    )
    assert joblib.hash(model) == joblib.hash(without)


@pytest.mark.parametrize(("estimator", "arguments"), ESTIMATORS, ids=str)
@pytest.mark.parametrize(
    "settings", [{"every": 7}, {"every": 10, "growth": 2.0}, {"every": "epoch"}]
)
@pytest.mark.parametrize("share", [0.0, 0.2])
def test_held_out_scores_on_the_way_change_no_bit(estimator, arguments, settings, share):
    def hashed(**evaluation):
        scoring = {"SGDRegressor": "r2", "MiniBatchKMeans": "v_measure_score"}
        name = scoring.get(type(estimator).__name__, "accuracy")
        model = fitted_by_runner(
            clone(estimator),
            arguments,
            quickstart_rows(chunks=10, validation=share),
            fit=FitOptions(epochs=2),
            evaluation=Evaluation(scoring=name, **evaluation),
        )
        return joblib.hash(model)

    assert hashed(**settings) == hashed()


def rows_of(y, **settings):
    """Return a dataset of the quickstart's rows with another y."""

    class Rows(MakeClassification):
        def arrays(self):
            arrays = super().arrays()
            labels = np.asarray(y)[np.asarray(arrays.y)]
            return type(arrays)(arrays.X, da.from_array(labels, chunks=(25, *labels.shape[1:])))

    return Rows(n_samples=100, chunks=25, random_state=10, seed=10, **settings)


@pytest.mark.parametrize(
    ("y", "listed"),
    [
        ([3, 7], [3, 7]),
        (["no", "yes"], ["no", "yes"]),
        ([False, True], [False, True]),
        ([1.0, 2.0], [1.0, 2.0]),
        (np.array(["b", "abc"], object), ["abc", "b"]),
        (np.array([2, 5], np.int8), np.array([2, 5], np.int8)),
    ],
    ids=str,
)
@pytest.mark.parametrize("estimator", [SGDClassifier(random_state=0), GaussianNB()], ids=str)
def test_classes_that_are_inferred_give_the_model_of_those_that_are_listed(y, listed, estimator):
    models = [
        fitted_by_runner(clone(estimator), {"classes": classes}, rows_of(y))
        for classes in ("infer", listed)
    ]
    assert joblib.hash(models[0]) == joblib.hash(models[1])
    assert models[0].classes_.dtype == np.asarray(listed).dtype
    assert models[0].classes_.tolist() == sorted(listed)


def test_classes_of_several_targets_are_inferred_too():
    listed = [np.array([0, 1]), np.array([5, 7])]
    models = [
        fitted_by_runner(
            MultiOutputClassifier(SGDClassifier(random_state=0)),
            {"classes": classes},
            rows_of([[0, 7], [1, 5]]),
            evaluation=Evaluation(scoring=[]),
        )
        for classes in ("infer", listed)
    ]
    assert joblib.hash(models[0]) == joblib.hash(models[1])


def unbalanced(**settings):
    """Return rows of which one in ten has the label 1."""
    return MakeClassification(
        **{"n_samples": 200, "chunks": 20, "random_state": 3, "seed": 3, "weights": [0.9, 0.1]}
        | settings
    )


def labels_of(part):
    return np.concatenate([y.compute() for y in part.y.blocks])


WEIGHTED = [
    SGDClassifier(random_state=1),
    SGDClassifier(loss="log_loss", average=True, random_state=1),
    Perceptron(random_state=1),
]


@pytest.mark.parametrize("estimator", WEIGHTED, ids=str)
@pytest.mark.parametrize("classes", ["infer", [0, 1]])
@pytest.mark.parametrize("class_weight", ["balanced", {0: 0.25, 1: 4}, {1: 3.5}])
def test_weights_of_labels_are_those_of_scikit_learn(estimator, classes, class_weight):
    dataset = unbalanced()
    ours = fitted_by_runner(
        clone(estimator),
        {"classes": classes},
        dataset,
        stream=Stream(shuffle=False),
        fit=FitOptions(class_weight=class_weight),
    )
    y = labels_of(dataset.split().train)
    numbers = compute_class_weight(class_weight, classes=np.array([0, 1]), y=y)
    by_hand = clone(estimator).set_params(class_weight=dict(enumerate(numbers.tolist())))
    for X, y in blocks_by_hand(dataset):
        by_hand.partial_fit(X, y, classes=[0, 1])
    by_hand.set_params(class_weight=None)
    by_hand._expanded_class_weight = ours._expanded_class_weight  # where it keeps its own
    assert joblib.hash(ours) == joblib.hash(by_hand)


def test_weights_of_labels_are_multiplied_with_those_of_rows():
    def weighted(rows, arguments):
        X, weight = rows.arrays().X, np.arange(200) % 3 + 0.5

        class Weighted(MakeClassification):
            def arrays(self):
                arrays = super().arrays()
                chunked = da.from_array(weight, chunks=X.chunks[0])
                return type(arrays)(arrays.X, arrays.y, chunked)

        return Weighted(**arguments)

    arguments = {"n_samples": 200, "chunks": 20, "random_state": 3, "weights": [0.9, 0.1]}
    dataset = weighted(MakeClassification(**arguments), arguments)
    train = dataset.split().train
    ours = fitted_by_runner(
        SGDClassifier(random_state=1),
        {"classes": "infer"},
        dataset,
        stream=Stream(shuffle=False),
        fit=FitOptions(class_weight="balanced"),
    )
    of_labels = compute_class_weight("balanced", classes=np.array([0, 1]), y=labels_of(train))
    by_hand = SGDClassifier(random_state=1)
    parts = (train.X.blocks, train.y.blocks, train.sample_weight.blocks)
    for block in zip(*parts, strict=True):
        X, y, weight = (array.compute() for array in block)
        by_hand.partial_fit(X, y, classes=[0, 1], sample_weight=of_labels[y] * weight)
    assert joblib.hash(ours) == joblib.hash(by_hand)


@pytest.mark.filterwarnings("ignore:No evaluated row holds")
def test_held_out_labels_decide_neither_the_classes_nor_the_weights():
    whole = quickstart_rows(holdout_by="rows", validation=0.2)
    y = np.asarray(whole.arrays().y)
    X = np.asarray(whole.arrays().X)
    split = whole.split()
    held = np.concatenate(
        [np.asarray(x) for x in (*split.holdout.X.blocks, *split.validation.X.blocks)]
    )
    is_held = (X[:, None] == held[None]).all(-1).any(-1)
    assert 20 < is_held.sum() < 60

    class Poisoned(MakeClassification):
        def arrays(self):
            arrays = super().arrays()
            return type(arrays)(arrays.X, da.from_array(np.where(is_held, 7, y), chunks=25))

    tracker = MemoryTracker()
    poisoned = Poisoned(
        n_samples=100, chunks=25, random_state=10, seed=10, holdout_by="rows", validation=0.2
    )
    experiment = Experiment(
        name="same",
        dataset=poisoned,
        estimator=SGDClassifier(random_state=0),
        tracking=tracker,
        partial_fit={"classes": "infer"},
        fit=FitOptions(class_weight="balanced"),
        evaluation=Evaluation(scoring=["accuracy"], every=10),
    )
    with pytest.warns(RunnerWarning, match="never learned 1 of the labels, first 7"):
        result = run(experiment, Recipe("same", {}))
    assert tracker.runs[0].labels == [dict(Counter(y[~is_held].tolist()))]
    assert result.estimator.classes_.tolist() == [0, 1]


def restless():
    """Return what gets better and worse from epoch to epoch."""
    return SGDClassifier(learning_rate="constant", eta0=5.0, random_state=0)


def best_of(epochs, stages=None, **settings):
    """Return the result of a fit that keeps the best, or without callbacks the last state."""
    experiment = Experiment(
        name="best",
        dataset=quickstart_rows(chunks=10, validation=0.2, flip_y=0.3, n_samples=200),
        estimator=restless(),
        tracking=MemoryTracker(),
        partial_fit={"classes": [0, 1]},
        preprocessing={name: StandardScaler() for name in stages or {}},
        fit=FitOptions(epochs=epochs, preprocessing=stages or "first_pass"),
        evaluation=Evaluation(scoring=["accuracy"]),
        seed=10,
        **settings,
    )
    return run(experiment, Recipe("best", {})), experiment.tracking.runs[0]


@pytest.mark.parametrize(
    "stages", [None, {"scaler": "first_pass"}, {"scaler": "running"}], ids=str
)
def test_the_best_state_is_that_of_a_fit_that_ended_there(stages):
    kept, record = best_of(9, stages, callbacks={"best": BestSnapshot()})
    n_rows = kept.progress.rows // 9
    assert kept.progress.best_rows % n_rows == 0
    best = kept.progress.best_rows // n_rows
    curve = record.curves["validation/accuracy"]
    assert 1 < best < 9
    assert curve[best - 1] == (best * n_rows, max(score for _, score in curve))
    cut, _ = best_of(best, stages)
    last, _ = best_of(9, stages)
    assert joblib.hash(kept.model) == joblib.hash(cut.model) == joblib.hash(record.model)
    assert joblib.hash(kept.model) != joblib.hash(last.model)
    assert kept.scores == cut.scores


def test_a_fit_that_was_stopped_is_one_that_ended_there():
    stopped, _ = best_of(50, callbacks={"stop": EarlyStopping(patience=3)})
    assert 4 <= stopped.progress.epoch < 50
    cut, _ = best_of(stopped.progress.epoch)
    assert joblib.hash(stopped.model) == joblib.hash(cut.model)
    assert stopped.scores == cut.scores


def test_held_out_rows_change_no_bit_of_the_model():
    class Poisoned(MakeClassification):
        def arrays(self):
            arrays = super().arrays()
            holdout = quickstart_rows(holdout_by="rows").split().holdout
            held = np.concatenate([np.asarray(x) for x in holdout.X.blocks])
            X = np.asarray(arrays.X)
            X[(X[:, None] == held[None]).all(-1).any(-1)] = np.nan
            return type(arrays)(da.from_array(X, chunks=(25, 20)), arrays.y)

    def coefficients(kind):
        dataset = kind(
            n_samples=100, chunks=25, random_state=10, seed=10, holdout_by="rows", holdout=0.2
        )
        part = dataset.split().train
        model = SGDClassifier(random_state=10)
        for X, y in zip(part.X.blocks, part.y.blocks, strict=True):
            model.partial_fit(X.compute(), y.compute(), classes=[0, 1])
        return model.coef_.tobytes()

    assert coefficients(Poisoned) == coefficients(MakeClassification)


def test_counts_of_naive_bayes_do_not_depend_on_the_order_of_blocks():
    class Counts(MakeClassification):
        def arrays(self):
            arrays = super().arrays()
            return type(arrays)(abs(arrays.X).round(), arrays.y)

    models = [
        fitted_by_runner(
            MultinomialNB(),
            {"classes": [0, 1]},
            Counts(n_samples=100, chunks=10, random_state=1, holdout=0),
            stream=Stream(shuffle=shuffle, seed=3),
        )
        for shuffle in (False, True)
    ]
    np.testing.assert_array_equal(models[0].feature_count_, models[1].feature_count_)
