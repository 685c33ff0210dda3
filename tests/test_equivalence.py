"""The same bits as by hand, as dask-ml, at any depth of reading ahead."""

import dask.array as da
import joblib
import numpy as np
import pytest
from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import Perceptron, SGDClassifier, SGDRegressor
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier

from runner.base import Recipe
from runner.dataset.make_classification import MakeClassification
from runner.experiment import Experiment, run
from runner.fit.options import FitOptions
from runner.stream.stream import Stream
from runner.tracking.memory_tracker import MemoryTracker

ESTIMATORS = [
    (SGDClassifier(random_state=10), {"classes": [0, 1]}),
    (SGDClassifier(loss="log_loss", average=True, random_state=1), {"classes": [0, 1]}),
    (Perceptron(random_state=0), {"classes": [0, 1]}),
    (GaussianNB(), {"classes": [0, 1]}),
    (MLPClassifier(hidden_layer_sizes=(8,), random_state=0), {"classes": [0, 1]}),
    (SGDRegressor(random_state=0), {}),
    (MiniBatchKMeans(n_clusters=4, random_state=0, n_init=1), {}),
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
    part, _ = dataset.split()
    for X, y in zip(part.X.blocks, part.y.blocks, strict=True):
        yield X.compute(), y.compute()


def clone(estimator):
    return type(estimator)(**estimator.get_params())


@pytest.mark.parametrize(("estimator", "arguments"), ESTIMATORS, ids=str)
def test_the_model_is_that_of_a_hand_written_loop(estimator, arguments):
    dataset = quickstart_rows(holdout=0.25)
    ours = fitted_by_runner(
        clone(estimator), arguments, dataset, stream=Stream(shuffle=False, prefetch=2)
    )
    by_hand = clone(estimator)
    for X, y in blocks_by_hand(dataset):
        by_hand.partial_fit(X, y, **arguments)
    assert joblib.hash(ours) == joblib.hash(by_hand)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(("estimator", "arguments"), ESTIMATORS[:5], ids=str)
def test_the_model_is_that_of_dask_ml(estimator, arguments):
    from dask_ml.wrappers import Incremental

    dataset = quickstart_rows(holdout=0)
    part, _ = dataset.split()
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


def test_held_out_rows_change_no_bit_of_the_model():
    class Poisoned(MakeClassification):
        def arrays(self):
            arrays = super().arrays()
            _, holdout = quickstart_rows(holdout_by="rows").split()
            held = np.concatenate([np.asarray(x) for x in holdout.X.blocks])
            X = np.asarray(arrays.X)
            X[(X[:, None] == held[None]).all(-1).any(-1)] = np.nan
            return type(arrays)(da.from_array(X, chunks=(25, 20)), arrays.y)

    def coefficients(kind):
        dataset = kind(
            n_samples=100, chunks=25, random_state=10, seed=10, holdout_by="rows", holdout=0.2
        )
        part, _ = dataset.split()
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
