"""What is read, copied, made and sent, counted: work that grows unnoticed fails here."""

import pickle
import tracemalloc
from collections import Counter
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler

import runner
from runner.base import Callback
from runner.dataset.csv import Csv
from runner.dataset.npy import Npy
from runner.dataset.parquet import Parquet
from runner.errors import FitError
from runner.evaluation.evaluation import Evaluation
from runner.experiment import Experiment, run, run_together
from runner.fit.options import FitOptions
from runner.fit.threads import Threads
from runner.prediction.job import predict
from runner.records import Recipe
from runner.resuming import resume
from runner.saved import read
from runner.stream.stream import Stream
from runner.sweeps.job import Job
from runner.sweeps.teller import Teller
from runner.tracking.memory_tracker import MemoryTracker
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.record import recent_runs
from runner.trial import Trial
from tests.counts import FunctionCalls, count_reads, count_tasks, counted_store
from tests.sweeps.conftest import share_pass

FILES, BLOCKS, ROWS, WIDTH = 4, 20, 5000, 8
TRAIN, HOLDOUT = 16, 4
FEATURES = tuple(f"x{j}" for j in range(WIDTH))
BLOCK_NBYTES = ROWS * WIDTH * 4
NEVER_S = 1e6  # as a time between two batches: they are sent when they are full


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Write the same kind of rows as Parquet, in a row group for each block, and as CSV."""
    folder, rng = tmp_path_factory.mktemp("rows"), np.random.default_rng(0)
    for kind, n_rows in (("parquet", BLOCKS * ROWS), ("csv", BLOCKS * 100)):
        (folder / kind).mkdir()
        for i in range(FILES):
            X = rng.normal(size=(n_rows // FILES, WIDTH)).astype(np.float32)
            columns = {name: X[:, j] for j, name in enumerate(FEATURES)}
            more = {"label": (X[:, 0] > 0).astype(int), "unused": X[:, 1], "name": X[:, 2]}
            table, file = pa.table(columns | more), folder / kind / f"{i}.{kind}"
            if kind == "csv":
                pacsv.write_csv(table, file)
            else:
                pq.write_table(table, file, row_group_size=ROWS)
    return folder


@pytest.fixture
def reads(monkeypatch):
    return count_reads(monkeypatch)


def parquet(files, **settings):
    settings = {"chunks": ROWS, "target": "label", "features": list(FEATURES)} | settings
    return Parquet(path=str(files / "parquet"), **{"holdout": HOLDOUT / BLOCKS, **settings})


def csv(files, **settings):
    settings = {"chunks": 100, "target": "label", "features": list(FEATURES)} | settings
    return Csv(path=str(files / "csv"), **{"holdout": HOLDOUT / BLOCKS, **settings})


def sgd(alpha=1e-4):
    return SGDClassifier(loss="log_loss", alpha=alpha)


def experiment_of(dataset, **changes):
    parts = {
        "name": "counted",
        "dataset": dataset,
        "estimator": sgd(),
        "tracking": MemoryTracker(),
        "partial_fit": {"classes": [0, 1]},
        "evaluation": Evaluation(scoring=["accuracy"]),
        "seed": 1,
    }
    return Experiment(**parts | changes)


def done(experiment):
    return run(experiment, Recipe(experiment.name, {}))


def times_of(part, counter):
    """Return how often each block of a part was read, if that is one number for all of them."""
    times = {counter[place.start, place.stop] for place in part.places}
    assert len(times) == 1, counter
    return times.pop()


def passes(epochs=1, **settings):
    return {"fit": FitOptions(epochs=epochs, **settings)}


# What is asked for, and how often each training block, each held-out one, and y alone is read.
WAYS = {
    "two epochs": (lambda: passes(2), (2, 1, 0)),
    "labels counted": (lambda: {"partial_fit": {"classes": "infer"}}, (1, 1, 1)),
    "labels weighed": (lambda: passes(2, class_weight="balanced"), (2, 1, 1)),
    "both": (
        lambda: {"partial_fit": {"classes": "infer"}, **passes(class_weight="balanced")},
        (1, 1, 1),
    ),
    "many scores": (
        lambda: {"evaluation": Evaluation(scoring=["accuracy", "roc_auc", "f1", "neg_log_loss"])},
        (1, 1, 0),
    ),
    "scores on the way": (
        lambda: {"evaluation": Evaluation(scoring=["accuracy"], every="epoch"), **passes(2)},
        (2, 1 + 2, 0),
    ),
    "a stage": (lambda: {"preprocessing": {"scaler": StandardScaler()}}, (1 + 1, 1, 0)),
}


@pytest.mark.parametrize("dataset", [parquet, csv])
@pytest.mark.parametrize("way", WAYS)
def test_each_pass_reads_a_block_once_whatever_is_made_of_it(files, reads, dataset, way):
    changes, times = WAYS[way]
    experiment = experiment_of(dataset(files), **changes())
    done(experiment)
    if dataset is csv:  # and the beginning of each file, for the types
        assert reads.parsed == reads.whole.total() + reads.y.total() + FILES
    check_reads(experiment, reads, *times)


def check_reads(experiment, reads, train, holdout, y):
    split = experiment.dataset.split()
    assert (split.train.n_blocks, split.holdout.n_blocks) == (TRAIN, HOLDOUT)
    assert times_of(split.train, reads.whole) == train
    assert times_of(split.holdout, reads.whole) == holdout
    assert reads.whole.total() == TRAIN * train + HOLDOUT * holdout
    assert times_of(split.train, reads.y) == y
    assert reads.y.total() == TRAIN * y


def test_of_parquet_only_the_named_columns_are_decoded_once_for_each_read(files, reads):
    done(experiment_of(parquet(files), partial_fit={"classes": "infer"}))
    assert reads.columns == {*FEATURES, "label"}
    of_y = {key: n for key, n in reads.decoded.items() if key[-1] == "label"}
    assert sorted(of_y.values()) == [1] * HOLDOUT + [2] * TRAIN
    assert {n for key, n in reads.decoded.items() if key[-1] != "label"} == {1}
    assert reads.decoded.total() == BLOCKS * (WIDTH + 1) + TRAIN
    assert reads.opened.total() == FILES + reads.whole.total() + reads.y.total()  # and the footers


@pytest.mark.parametrize("prefetch", [0, 2])
def test_a_row_group_that_is_cut_into_many_blocks_is_decoded_once(files, reads, prefetch):
    stream = Stream(shuffle=False, prefetch=prefetch)
    done(experiment_of(parquet(files, chunks=ROWS // 5), stream=stream))
    assert reads.whole.total() == 5 * BLOCKS
    assert len(reads.decoded) == BLOCKS * (WIDTH + 1)
    assert set(reads.decoded.values()) <= ({1} if prefetch == 0 else {1, 2})


ALPHAS = [10.0**-n for n in range(1, 7)]


@pytest.mark.parametrize(
    ("changes", "times"),
    [
        ({}, (1, 1, 0)),
        ({"partial_fit": {"classes": "infer"}}, (1, 1, 1)),
        ({"evaluation": Evaluation(every="epoch")}, (1, 2, 0)),
    ],
)
def test_six_members_read_what_one_reads(files, reads, changes, times):
    dataset = parquet(files)
    members = [experiment_of(dataset, estimator=sgd(alpha), **changes) for alpha in ALPHAS]
    passed = share_pass(members, threads=2)
    assert passed.statuses == ["FINISHED"] * 6
    check_reads(members[0], reads, *times)


class Seen(SGDClassifier):
    """Keeps what it learns from."""

    seen: ClassVar = []

    def __init__(self, alpha=1e-4, random_state=None):
        super().__init__(loss="log_loss", alpha=alpha, random_state=random_state)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        self.seen.append(X)
        return super().partial_fit(X, y, classes, sample_weight)


def address_of(X):
    return X.__array_interface__["data"][0]


@pytest.mark.parametrize("n_members", [1, 6])
@pytest.mark.parametrize("dataset", [parquet, csv])
def test_what_the_reader_wrote_is_what_every_member_learns_from(
    files, reads, monkeypatch, dataset, n_members
):
    reads.keeping = True
    monkeypatch.setattr(Seen, "seen", [])
    data = dataset(files, holdout=0)
    members = [experiment_of(data, estimator=Seen(alpha)) for alpha in ALPHAS[:n_members]]
    share_pass(members, threads=2)
    made = [X for found in reads.arrays.values() for X in found]
    learned = Counter(map(address_of, Seen.seen))
    assert learned == Counter(dict.fromkeys(map(address_of, made), n_members))
    assert len(made) == BLOCKS
    dtype = np.float32 if dataset is parquet else np.float64
    assert {(X.dtype, X.flags.c_contiguous) for X in Seen.seen} == {(np.dtype(dtype), True)}


class Idle(ClassifierMixin, BaseEstimator):
    """Learns nothing, and so needs no memory."""

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        self.classes_ = classes
        return self


class Peak(Callback):
    """Remembers how much memory of Python was in use, at most, from the second block on."""

    def on_block_end(self, progress, block):
        if progress.blocks == 1:
            tracemalloc.reset_peak()
        self.nbytes = tracemalloc.get_traced_memory()[1]


@pytest.fixture
def wide(tmp_path):
    """Write four blocks of which X makes up nearly all."""
    X = np.random.default_rng(0).normal(size=(32_000, 128)).astype(np.float32)
    columns = {f"x{j}": X[:, j] for j in range(X.shape[1])} | {"label": (X[:, 0] > 0).astype(int)}
    file = tmp_path / "wide.parquet"
    pq.write_table(pa.table(columns), file, row_group_size=8000, use_dictionary=False)
    return Parquet(path=str(file), target="label", chunks=8000, holdout=0), 8000 * 128 * 4


def peak_of(dataset, n_members, prefetch=0):
    """Return the most bytes of Python that learning took, and all that Arrow took by and by."""
    arrow, peak = pa.default_memory_pool(), Peak()
    members = [
        experiment_of(
            dataset,
            estimator=Idle(),
            stream=Stream(prefetch=prefetch),
            evaluation=Evaluation(scoring=[]),
            fit=FitOptions(progressive_window=0),
            callbacks={} if number else {"peak": peak},
        )
        for number in range(n_members)
    ]
    trials = [Trial(member, Recipe("counted", {})) for member in members]
    tracemalloc.start()
    try:
        began, decoded = tracemalloc.get_traced_memory()[0], arrow.total_bytes_allocated()
        run_together(trials, Threads(1))
    finally:
        tracemalloc.stop()
    for trial in trials:
        trial.outcome()
    return peak.nbytes - began, arrow.total_bytes_allocated() - decoded


def test_x_is_in_memory_once_per_block_and_decoded_a_few_columns_at_a_time(wide, reads):
    dataset, nbytes = wide
    peak_of(dataset, 1)  # what is imported now is not measured
    reads.forget()
    before = pa.total_allocated_bytes()
    peak, decoded = peak_of(dataset, 1)
    assert nbytes <= peak <= 1.3 * nbytes  # X, its y, and what is made of a few rows at a time
    assert reads.arrow_nbytes - before <= 0.6 * nbytes
    assert decoded <= 4 * 4.5 * nbytes  # pages as they are in the file, and what they hold
    assert peak_of(dataset, 1, prefetch=2)[0] <= 3.6 * nbytes


def test_more_members_take_no_more_memory_per_block(wide):
    dataset, nbytes = wide
    peak_of(dataset, 2)
    two, six = (peak_of(dataset, n)[0] for n in (2, 6))
    assert six <= two + 0.1 * nbytes
    assert two <= 1.3 * nbytes


def npy(folder, n_rows, n_blocks, **settings):
    """Write rows of four numbers as .npy files."""
    X = np.random.default_rng(0).normal(size=(n_rows, 4))
    arrays = {"X": X, "y": (X[:, 0] > 0).astype(int)}
    paths = {name: str(folder / f"{name}-{n_rows}.npy") for name in arrays}
    for name, array in arrays.items():
        np.save(paths[name], array)
    return Npy(**paths, chunks=n_rows // n_blocks, **settings)


TASKS = 3  # one reads, and two take X and y from what it returns
OF = {
    "parquet": lambda files, n_blocks: parquet(files, chunks=BLOCKS * ROWS // n_blocks),
    "csv": lambda files, n_blocks: csv(files, chunks=BLOCKS * 100 // n_blocks),
    "npy": lambda files, n_blocks: npy(files, 2000, n_blocks),
}


@pytest.mark.parametrize("kind", OF)
def test_a_block_takes_three_tasks_of_dask_among_any_number_of_blocks(files, monkeypatch, kind):
    tasks, planned = count_tasks(monkeypatch), []
    for n_blocks in (BLOCKS, 5 * BLOCKS):
        tasks.clear()
        done(experiment_of(OF[kind](files, n_blocks)))
        assert 0 < tasks["done"] <= TASKS * n_blocks
        planned.append(tasks["made"] - tasks["done"])
    assert planned[1] <= planned[0] <= 12  # of the first and the last block of each part


def test_what_says_how_to_read_a_block_is_small_among_any_number_of_blocks(files, monkeypatch):
    tasks, found = count_tasks(monkeypatch), []
    for n_blocks in (1000, 10_000):
        tasks.clear()
        source = Stream().source(OF["parquet"](files, n_blocks).split().train)
        planned = tasks["made"]
        sizes = [len(pickle.dumps(each)) for each in (source.reading(7), source.given)]
        found.append((planned, *sizes))
    (planned, of_block, of_all), many = found
    assert planned == many[0] <= 6
    assert of_block <= 700
    assert many[1] <= of_block + 16  # a larger number may take more bytes
    assert of_all <= 2200
    assert many[2] <= of_all + 16


def tracked(**settings):
    """Return a tracker of which nothing depends on the time."""
    return MlflowTracker(flush_every_s=NEVER_S, system_metrics_after_s=None, **settings)


def test_a_run_asks_the_store_for_no_more_than_it_did(tmp_path, store, monkeypatch):
    experiment = experiment_of(npy(tmp_path, 2000, 20), tracking=tracked())
    with counted_store(monkeypatch) as calls:
        done(experiment)
    assert 0 < calls.n_calls <= 40, calls.methods
    assert calls.methods["log_batch"] <= 10
    assert calls.methods["log_artifact"] <= 14
    assert calls.queries <= 120, calls.sql


POINTS, BATCH, CURVES = 1000, 500, 2  # of a curve, of a call, and the speed and the blocks


def test_neither_more_rows_nor_more_blocks_ask_the_store_for_more(tmp_path, store, monkeypatch):
    found = []
    for n_rows, n_blocks in ((2000, 100), (16_000, 1600)):
        dataset = npy(tmp_path, n_rows, n_blocks, holdout=0)
        quiet = {"tracking": tracked(log_model=False), "evaluation": Evaluation(scoring=[])}
        with counted_store(monkeypatch) as calls:
            done(experiment_of(dataset, **quiet))
        found.append(calls.of_run())
    few, many = found
    assert many.pop("log_batch") <= few.pop("log_batch") + CURVES * POINTS // BATCH
    assert many == few


def test_a_sweep_asks_the_store_for_so_much_per_member(tmp_path, store, monkeypatch):
    dataset, tracker = npy(tmp_path, 2000, 20), tracked(log_model=False)
    for n_members in (1, 3):
        members = [
            experiment_of(dataset, estimator=sgd(alpha), tracking=tracker)
            for alpha in ALPHAS[:n_members]
        ]
        with counted_store(monkeypatch) as calls:
            passed = share_pass(members, tracker=tracker)
        assert passed.statuses == ["FINISHED"] * n_members
        assert 0 < calls.n_calls <= 18 + 20 * n_members, calls.methods
        assert calls.methods["log_batch"] <= 5 + 7 * n_members
        assert calls.queries <= 60 + 65 * n_members, calls.sql


class Window(Callback):
    """Counts calls from one block to another."""

    def __init__(self, calls, first, last):
        self.calls, self.first, self.last = calls, first, last

    def on_block_end(self, progress, block):
        if progress.blocks == self.first:
            self.calls.begin()
        elif progress.blocks == self.last:
            self.calls.end()


OWN = {
    "estimator": Idle,
    "evaluation": lambda: Evaluation(scoring=[]),
    "fit": lambda: FitOptions(progressive_window=0),
}


@pytest.mark.parametrize(
    ("changes", "n_blocks", "most"),
    [
        (OWN, 150, 1700),  # of the runner alone
        ({}, 167, 6200),  # with those of scikit-learn, and one batch of three curves
    ],
)
def test_a_small_block_is_learned_by_few_calls(tmp_path, store, changes, n_blocks, most):
    calls = FunctionCalls()
    experiment = experiment_of(
        npy(tmp_path, 4000, 200, holdout=0),
        tracking=tracked(log_model=False),
        callbacks={"window": Window(calls, 20, 20 + n_blocks)},
        **{name: make() for name, make in changes.items()},
    )
    with calls.heard():
        done(experiment)
    assert 0 < calls.n <= most * n_blocks


LEARNED = """\
# an estimator that fails in the middle
defaults: [{{override /dataset: parquet}}, {{override /callbacks: [checkpoint]}}]
dataset: {{path: "{path}", target: label, features: [x0, x1], chunks: 5000, holdout: 0.2}}
estimator: {{_target_: sklearn.linear_model.SGDClassifier}}
partial_fit: {{classes: [0, 1]}}
callbacks: {{checkpoint: {{after_s: 0, every_s: 0, cost: 100}}}}
seed: 3
"""


def test_going_on_reads_what_is_left_and_predicting_each_block_once(
    files, reads, project, store, monkeypatch
):
    (project / "mine.yaml").write_text(LEARNED.format(path=files / "parquet"))
    learn, n_learned = SGDClassifier.partial_fit, 9

    def failing(model, *arguments, **options):
        if getattr(model, "t_", 1) > n_learned * ROWS:
            raise RuntimeError("not mended yet")
        return learn(model, *arguments, **options)

    with monkeypatch.context() as within:
        within.setattr(SGDClassifier, "partial_fit", failing)
        with pytest.raises(FitError, match="not mended yet"):
            runner.run("mine.yaml")
    (begun,) = recent_runs()
    n_kept = read(begun.run_id).header["rows"] // ROWS
    assert 0 < n_kept <= n_learned
    reads.forget()
    resume(begun.run_id, Job(Teller()))
    split = parquet(files, seed=3).split()
    order = Stream(seed=3).order(TRAIN, 0)
    # The first block shows that the data are what they were.
    left = [split.train.places[i] for i in (order[0], *order[n_kept:])]
    assert reads.whole == Counter((p.start, p.stop) for p in (*left, *split.holdout.places))

    reads.forget()
    found = predict(begun.run_id, project / "predicted", columns=["name"])
    assert (found.blocks, found.rows) == (BLOCKS, BLOCKS * ROWS)
    assert reads.columns == {"x0", "x1", "name"}
    assert set(reads.decoded.values()) == {1}
