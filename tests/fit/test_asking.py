"""Whole runs whose held-out rows are scored by processes or threads find the same bits."""

import pickle
from contextlib import nullcontext
from copy import Error, deepcopy
from dataclasses import dataclass, replace
from threading import Lock, current_thread

import cloudpickle
import numpy as np
import pytest
from sklearn.cluster import Birch, MiniBatchKMeans
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.preprocessing import StandardScaler

from runner.base import Block, Place
from runner.cluster.cluster import Cluster
from runner.cluster.local import LocalCluster
from runner.cluster.none import NoCluster
from runner.dataset.make_blobs import MakeBlobs
from runner.dataset.make_classification import MakeClassification
from runner.dataset.make_regression import MakeRegression
from runner.elsewhere import Elsewhere
from runner.errors import FitError, RunnerWarning
from runner.evaluation.evaluation import Evaluation
from runner.experiment import Experiment, run, run_together
from runner.fit.asking import Asking
from runner.fit.options import FitOptions
from runner.fit.threads import Threads
from runner.records import Recipe
from runner.stream.stream import Stream
from runner.tracking.memory_tracker import MemoryTracker
from runner.trial import Trial


@dataclass
class Opened(Cluster):
    """A cluster that is open already."""

    workers: object

    def open(self):
        return nullcontext(self.workers)


class OtherProcess:
    """Workers that get and give everything as bytes, as another process would."""

    placement = "client"

    def __init__(self):
        self.sent = []

    def check_loads(self, value):
        pass

    def check_files(self, paths):
        pass

    def ahead(self, work, given, tasks, n_ahead):
        work, given = pickle.loads(cloudpickle.dumps((work, given)))  # noqa: S301
        for task in tasks:
            done = cloudpickle.dumps(work(given, pickle.loads(cloudpickle.dumps(task))))  # noqa: S301
            self.sent.append(pickle.loads(done))  # noqa: S301
            yield self.sent[-1]


@pytest.fixture(scope="module")
def two_processes():
    """Return two workers that are processes, in a cluster that ends with the module."""
    with LocalCluster(n_workers=2, memory_limit=None, tls=False).open() as workers:
        yield Opened(workers)


CLASSES = {"partial_fit": {"classes": [0, 1]}}
CASES = {
    "classifier": {
        "dataset": MakeClassification(n_samples=400, chunks=30, validation=0.2, holdout_by="rows"),
        "estimator": SGDClassifier(loss="log_loss"),
        "evaluation": Evaluation(scoring=["accuracy", "roc_auc", "neg_log_loss"], every=100),
        "preprocessing": {"scaler": StandardScaler()},
        **CLASSES,
    },
    "regressor": {
        "dataset": MakeRegression(n_samples=400, chunks=30),
        "estimator": SGDRegressor(),
        "evaluation": Evaluation(scoring=["r2", "neg_median_absolute_error"], every="epoch"),
    },
    "clusterer": {
        "dataset": MakeBlobs(n_samples=400, chunks=30),
        "estimator": MiniBatchKMeans(3),
        "evaluation": Evaluation(scoring=["neg_inertia", "v_measure_score"]),
    },
}


def experiment_of(cluster=None, **changes):
    where = {} if cluster is None else {"cluster": cluster}
    own = deepcopy({"stream": Stream(prefetch=1), **changes})
    return Experiment(name="asked", tracking=MemoryTracker(), seed=1, **where, **own)


def found(experiment):
    """Run it, and return all that was found, in a form in which equal means identical."""
    run(experiment, Recipe("asked", {}))
    (kept,) = experiment.tracking.runs
    evaluated = kept.evaluated
    confusion, sample, predictions = evaluated.confusion, evaluated.sample, evaluated.predictions
    return {
        "scores": repr(evaluated.scores),
        "rows": evaluated.n_rows,
        "held out": {
            key: curve for key, curve in kept.curves.items() if key.startswith("validation")
        },
        "confusion": confusion and (confusion.labels.tolist(), confusion.counts.tolist()),
        "sample": sample and (sample.answers.tobytes(), sample.n_rows),
        "predictions": predictions and [each.tobytes() for each in predictions],
        "content": kept.content,
    }


@pytest.mark.parametrize("name", CASES)
def test_a_run_is_scored_by_threads_and_other_processes_to_the_last_bit(name, two_processes):
    here = found(experiment_of(**CASES[name], stream=Stream(prefetch=0)))
    for prefetch in (1, 3):
        assert found(experiment_of(**CASES[name], stream=Stream(prefetch=prefetch))) == here
    assert found(experiment_of(Opened(OtherProcess()), **CASES[name])) == here
    assert found(experiment_of(two_processes, **CASES[name])) == here
    assert here["scores"] != "{}"
    assert bool(here["held out"]) == (CASES[name]["evaluation"].every is not None)
    assert {"holdout", "all"} < set(here["content"])


class Chosen(SGDClassifier):
    """Answers to no block that holds row 45 of the dataset, whose first feature is known."""

    def predict(self, X):
        if (X[:, 0] == self.refused).any():
            raise ValueError("not this one")
        return super().predict(X)


HERE = Stream(prefetch=0)
ASKED_ELSEWHERE = ({"stream": HERE}, {"stream": Stream()}, {"cluster": Opened(OtherProcess())})


def with_a_refused_row(**changes):
    experiment = experiment_of(**CASES["classifier"] | {"preprocessing": {}} | changes)
    holdout = experiment.dataset.split().holdout
    experiment.estimator = Chosen(random_state=1)
    experiment.estimator.refused = holdout.X.compute()[45, 0]
    experiment.evaluation = Evaluation(scoring=["accuracy"])
    return experiment


def test_an_answer_that_is_refused_elsewhere_is_told_as_here():
    said = []
    for where in ASKED_ELSEWHERE:
        with pytest.raises(FitError) as raised:
            run(with_a_refused_row(**where), Recipe("asked", {}))
        said.append(str(raised.value))
    assert said[0] == said[1] == said[2]
    assert "be rows that Chosen can predict; got ValueError: not this" in said[0]


def test_a_block_that_is_refused_elsewhere_is_passed_over_as_here():
    told = []
    for where in ASKED_ELSEWHERE:
        experiment = with_a_refused_row(**where, fit=FitOptions(on_bad_block="skip"))
        with pytest.warns(RunnerWarning, match="Passed over: Block .* Chosen can predict"):
            told.append(found(experiment))
    assert told[0] == told[1] == told[2]
    assert told[0]["rows"] < experiment.dataset.split().holdout.n_rows


def test_one_that_cannot_answer_costs_the_others_nothing():
    elsewhere = Opened(OtherProcess())
    refuses = with_a_refused_row(cluster=elsewhere)
    answers, same = (
        replace(refuses, estimator=SGDClassifier(), tracking=MemoryTracker(), cluster=each)
        for each in (elsewhere, NoCluster())
    )
    trials = [Trial(each, Recipe("asked", {})) for each in (refuses, answers)]
    run_together(trials, Threads(1))
    assert isinstance(trials[0].error, FitError)
    alone = run(same, Recipe("asked", {}))
    assert trials[1].outcome().scores == alone.scores


def test_no_row_that_is_held_out_comes_here_where_answers_do():
    elsewhere = OtherProcess()
    found(experiment_of(Opened(elsewhere), **CASES["regressor"]))
    scored = [block for block in elsewhere.sent if block.answers is not None]
    assert all(isinstance(each, Elsewhere) for block in scored for each in (block.X, block.y))
    assert {block.place.number for block in scored} | {
        block.place.number for block in elsewhere.sent if block.answers is None
    } == set(range(14))


def test_what_cannot_be_sent_is_asked_here_about_blocks_that_come():
    rng = np.random.default_rng(0)
    deep = Birch(threshold=1e-6, branching_factor=2, n_clusters=None).fit(
        rng.normal(size=(900, 2))
    )
    block = Block(rng.normal(size=(5, 2)), None, None, Place(0, 0, 5))
    locked, easy = Asking([Holds(Lock())]), Asking([Holds(2)])
    for asking, is_sent in ((easy, True), (locked, False), (Asking([Holds(deep)]), False)):
        came = cloudpickle.loads(cloudpickle.dumps(asking))(block)
        assert isinstance(came.X, Elsewhere) == is_sent
        assert (came.answers is not None) == is_sent
        assert asking(block).answers is not None


def test_a_thread_has_a_copy_of_a_single_question_that_can_be_copied():
    block = Block(np.ones((5, 2)), None, None, Place(0, 0, 5))
    own = deepcopy(Asking([Holds(held := [2])]))
    assert own(block).answers == (5,)
    assert own._questions[0].value == held
    assert own._questions[0].value is not held
    for questions in ([Holds(2), Holds(3)], [Holds(Lock())]):
        with pytest.raises(Error):
            deepcopy(Asking(questions))


class Counting(SGDClassifier):
    """Knows which threads asked it, and changes when it is asked."""

    def predict(self, X):
        self.n_asked = getattr(self, "n_asked", 0) + 1
        THREADS.add(current_thread().name.rpartition("_")[0])  # "" is the main one
        return super().predict(X)


THREADS = set()


def test_what_is_asked_in_threads_that_read_is_a_copy_of_a_fit_alone():
    case = CASES["classifier"] | {"evaluation": Evaluation(scoring="accuracy")}
    alone, first, second = (
        experiment_of(**case | {"estimator": Counting()}, stream=Stream()) for _ in range(3)
    )
    THREADS.clear()
    run(alone, Recipe("asked", {}))
    assert THREADS - {""} == {"runner-stream"}
    THREADS.clear()
    with Threads(2) as threads:
        run_together([Trial(each, Recipe("asked", {})) for each in (first, second)], threads)
    assert THREADS - {""} == {"runner-fit"}


@dataclass
class Holds:
    value: object

    def __call__(self, block):
        return block.n_rows
