"""What is made ready before the first epoch, and never from rows that are held out."""

import threading
import weakref

import dask
import dask.array as da
import joblib
import numpy as np
import pytest
from sklearn.decomposition import IncrementalPCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from runner.base import Part, Place, Progress, Split
from runner.contents import Contents
from runner.dataset.lazy import Arrays
from runner.dataset.split import split as split_arrays
from runner.errors import ConfigError, FitError
from runner.evaluation.evaluation import Evaluation
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.loop import fit_loop
from runner.fit.options import FitOptions
from runner.preparation import counting, fit_stages, held_out, learned_labels, reading_held_out
from runner.preprocessing.stages import Stages
from runner.steps import Steps, listening
from runner.stream.stream import Stream

INFER = {"classes": "infer"}


def read_of(split, transform=None):
    return reading_held_out(split, transform, Contents(Stream()))


class Blocks:
    """Lazy blocks of 5 rows; counts those of X that are alive and the reads of X and y."""

    def __init__(self, n_blocks):
        self.n_blocks = n_blocks
        self.now = self.most = 0
        self.reads = {"X": 0, "y": 0}
        self._lock = threading.Lock()

    def part(self, y_only=False):
        places = tuple(Place(i, 5 * i, 5 * i + 5) for i in range(self.n_blocks))
        y = self._lazy(self._load_y, (5,))
        return Part(
            self._lazy(self._load_rows, (5, 2)), y, None, places, y_only=y if y_only else None
        )

    def _lazy(self, load, shape):
        blocks = [dask.delayed(load, pure=False)(i) for i in range(self.n_blocks)]
        return da.concatenate([da.from_delayed(block, shape, dtype=int) for block in blocks])

    def _load_rows(self, i):
        X = np.full((5, 2), i)
        X[:, 1] = np.arange(5)
        with self._lock:
            self.reads["X"] += 1
            self.now += 1
            self.most = max(self.most, self.now)
        weakref.finalize(X, self._gone)
        return X

    def _load_y(self, i):
        with self._lock:
            self.reads["y"] += 1
        return np.arange(5) % 2 + 2 * (i % 2)

    def _gone(self):
        with self._lock:
            self.now -= 1


def learned(partial_fit, fit, part):
    return learned_labels(partial_fit, fit, part, counting(part, Stream()))


def test_each_long_pass_is_told_with_its_name_and_rows_to_who_listens():
    part = Blocks(4).part()
    stages = Stages({"scale": StandardScaler(), "fill": SimpleImputer()})
    split = Split(part, holdout=Blocks(2).part())
    with listening(Steps()) as steps:
        counting(part, Stream())(10)
        fit_stages(stages, part, Stream())
        assert sum(block.n_rows for block in read_of(split)()) == 10
    rows = {name: took.rows for name, took in steps.took.items()}
    assert rows["labels"] == rows["preprocessing.scale"] == 20
    assert rows["holdout"] == 10
    assert "preprocessing.fill" in rows


def test_labels_are_counted_in_one_pass_that_reads_no_x():
    blocks = Blocks(4)
    arguments, weights, labels = learned(INFER, FitOptions(), blocks.part())
    assert arguments["classes"].tolist() == [0, 1, 2, 3]
    assert weights is None
    assert labels.as_mappings() == [{0: 6, 1: 4, 2: 6, 3: 4}]
    assert blocks.reads == {"X": 0, "y": 4}


def test_y_is_read_from_what_reads_nothing_else_where_there_is_such():
    blocks = Blocks(3)
    part = blocks.part(y_only=True)
    expensive = Part(part.X, part.X[:, 0] % 2, None, part.places, y_only=part.y_only)
    learned(INFER, FitOptions(), expensive)
    assert blocks.reads == {"X": 0, "y": 3}


def test_what_needs_no_labels_reads_nothing():
    blocks = Blocks(4)
    for given, fit in (
        ({}, FitOptions()),
        ({"classes": [0, 1]}, FitOptions()),
        ({"classes": np.array([0, 1])}, FitOptions(class_weight={1: 2.0})),
    ):
        arguments, weights, labels = learned(given, fit, blocks.part())
        assert arguments == given
        assert labels is None
        assert (weights is None) == (fit.class_weight is None)
    assert blocks.reads == {"X": 0, "y": 0}


def test_balanced_weights_come_from_counts_and_leave_listed_classes_alone():
    given = {"classes": [0, 1, 2, 3, 4]}
    fit = FitOptions(class_weight="balanced")
    arguments, weights, _ = learned(given, fit, Blocks(4).part())
    assert arguments == given
    counts = np.array([6, 4, 6, 4])
    expected = 20 / (4 * counts)
    assert weights(np.arange(4), None).tobytes() == expected.tobytes()
    assert weights(np.array([4]), None).tolist() == [1.0]


def test_weights_of_labels_that_are_not_found_are_refused():
    fit = FitOptions(class_weight={7: 2.0})
    with pytest.raises(ConfigError, match="name only labels that there are; got 7 beside 0, 1, 2"):
        learned(INFER, fit, Blocks(2).part())


def test_a_single_label_is_refused_only_where_it_is_inferred(make_part):
    part = make_part(np.ones((4, 1)), np.zeros(4, int))
    with pytest.raises(ConfigError, match="y must have two labels or more in the training blocks"):
        learned(INFER, FitOptions(), part)
    fit = FitOptions(class_weight="balanced")
    learned({"classes": [0, 1]}, fit, part)


def test_a_missing_label_is_named_by_its_row_in_the_dataset_with_a_split_by_rows():
    def train(y):
        arrays = Arrays(*(da.from_array(array, chunks=20) for array in (np.ones((40, 1)), y)))
        return split_arrays(arrays, 0.5, "rows", seed=0).train

    y = np.arange(40) % 2.0
    part = train(y)
    number = int(part.rows(part.places[1])[-2])
    y[number] = np.nan
    part = train(y)
    with pytest.raises(FitError, match=rf"Block 1 \(rows 20 to 39\) .* in row {number}\."):
        learned(INFER, FitOptions(), part)


def test_labels_of_several_targets_are_a_list_of_arrays(make_part):
    part = make_part(np.ones((4, 1)), np.array([[0, 5], [1, 6], [0, 7], [1, 5]]), chunks=2)
    arguments, _, _ = learned(INFER, FitOptions(), part)
    assert [classes.tolist() for classes in arguments["classes"]] == [[0, 1], [5, 6, 7]]


def test_stages_see_the_training_blocks_in_order_and_those_before_them():
    stages = Stages({"scaler": StandardScaler(), "pca": IncrementalPCA(2)})
    part = Blocks(4).part()
    fit_stages(stages, part, Stream(seed=3))
    scaler, pca = StandardScaler(), IncrementalPCA(2)
    blocks = [part.X.blocks[i].compute() for i in range(4)]
    for X in blocks:
        scaler.partial_fit(X)
    for X in blocks:
        pca.partial_fit(scaler.transform(X))
    ours = stages.model(SGDClassifier()).named_steps
    assert ours["scaler"].mean_.tobytes() == scaler.mean_.tobytes()
    assert ours["pca"].components_.tobytes() == pca.components_.tobytes()


def test_a_stage_that_needs_one_block_reads_the_first_that_is_not_empty():
    places = (Place(0, 0, 0), *(Place(i + 1, 5 * i, 5 * i + 5) for i in range(3)))
    blocks = Blocks(3)
    X = da.concatenate([da.from_array(np.ones((0, 2), int), chunks=(1, 2)), blocks.part().X])
    stages = Stages({"products": PolynomialFeatures(2)})
    fit_stages(stages, Part(X, None, None, places), Stream())
    assert blocks.reads["X"] == 1


def test_a_stage_that_needs_one_block_sees_mixed_rows_where_a_buffer_mixes_them(make_part):
    part = make_part(np.repeat([0.0, 10.0, 20.0], 20)[:, None], chunks=20)
    alone, mixed = (SimpleImputer(strategy="median") for _ in range(2))
    fit_stages(Stages({"fill": alone}), part, Stream(seed=1))
    fit_stages(Stages({"fill": mixed}), part, Stream(seed=1, buffer_blocks=3))
    assert alone.statistics_ == [0.0]
    assert 5 <= mixed.statistics_[0] <= 15


def test_a_block_that_a_stage_refuses_is_named():
    stages = Stages({"pca": IncrementalPCA(2)})
    X = np.random.default_rng(0).normal(size=(10, 3))
    X[7, 1] = np.nan
    part = Part(da.from_array(X, chunks=(5, 3)), None, None, (Place(0, 0, 5), Place(1, 5, 10)))
    with pytest.raises(FitError, match=r"Block 1 \(rows 5 to 9\) must hold only finite numbers"):
        fit_stages(stages, part, Stream())


@pytest.mark.parametrize("every", [None, 10])
def test_without_a_schedule_or_rows_nothing_is_scored(every):
    part = Blocks(2).part()
    split = Split(part, None) if every else Split(part, part, part)
    assert held_out(Evaluation(), every, read_of(split)) is None


class Model:
    def predict(self, X):
        return np.asarray(X)[:, 1] % 2 + 2 * (np.asarray(X)[:, 0] % 2)


def scored(rows):
    measurement = rows.begin(Model(), 1)
    for block in rows.read():
        measurement.add(block)
    return measurement.evaluated().scores


def test_validation_rows_are_scored_before_those_of_the_final_scores():
    train, holdout, validation = Blocks(2), Blocks(3), Blocks(4)
    accuracy = Evaluation(scoring="accuracy")
    split = Split(train.part(), holdout.part(), validation.part())
    assert scored(held_out(accuracy, 10, read_of(split))) == {"accuracy": 1.0}
    assert [blocks.reads["X"] for blocks in (train, holdout, validation)] == [0, 0, 4]
    scored(held_out(accuracy, 10, read_of(Split(train.part(), holdout.part()))))
    assert [blocks.reads["X"] for blocks in (train, holdout, validation)] == [0, 3, 4]


def test_held_out_rows_pass_the_stages():
    part = Blocks(2).part()
    rows = held_out(Evaluation(scoring="accuracy"), 1, read_of(Split(part, part), lambda X: X * 0))
    assert scored(rows) == {"accuracy": np.mean(part.y.compute() == 0)}


@pytest.mark.parametrize("prefetch", [0, 1, 2, 4])
def test_scores_on_the_way_keep_the_bound_of_the_blocks_that_are_alive(prefetch):
    blocks = Blocks(20)
    part = blocks.part()
    stream = Stream(prefetch=prefetch)
    evaluation = Evaluation(scoring="accuracy")
    fit = IncrementalFit(
        SGDClassifier(random_state=0),
        {"classes": [0, 1, 2, 3]},
        held_out=held_out(evaluation, 10, read_of(Split(part, part))),
        progress=Progress(epochs=2),
    )
    source = stream.source(part)
    fit_loop([fit], lambda epoch: stream.epoch(source, epoch))
    assert blocks.reads["X"] == 40 + 20 * 20
    assert blocks.now == 0
    assert blocks.most <= prefetch + 1


def test_scores_on_the_way_leave_the_model_as_it_is():
    part = Blocks(8).part()

    def model(every):
        fit = IncrementalFit(
            SGDClassifier(random_state=0),
            {"classes": [0, 1, 2, 3]},
            held_out=held_out(Evaluation(scoring="accuracy"), every, read_of(Split(part, part))),
            progress=Progress(epochs=2),
        )
        stream = Stream()
        source = stream.source(part)
        fit_loop([fit], lambda epoch: stream.epoch(source, epoch))
        return joblib.hash(fit.estimator)

    assert model(None) == model(5) == model("epoch")
