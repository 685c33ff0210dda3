"""Learning in processes, from blocks in shared memory, gives the same bits."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import psutil
import pytest
from scipy import sparse
from sklearn.decomposition import LatentDirichletAllocation, MiniBatchDictionaryLearning
from sklearn.linear_model import SGDClassifier
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor

from runner.base import Block, Place, Progress
from runner.errors import FitError
from runner.fit import processes as module
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.loop import Audience, fit_loop
from runner.fit.processes import Processes
from runner.fit.threads import Threads
from runner.one_core import one_core

N_BLOCKS, N_ROWS = 6, 200


class Sharing(Audience):
    """Does what a sweep does with processes."""

    def __init__(self, processes):
        self.processes = processes
        self.shared = []

    def on_block_end(self, fits, block):
        self.shared.append(len(self.processes._shared))
        self.processes.release()

    def between_blocks(self, fits):
        self.processes.adopt(fits)


@pytest.fixture
def always_worth_it(monkeypatch):
    monkeypatch.setattr(module, "WORTH_S", 0.0)
    monkeypatch.setattr(module, "SENDING_S", -1.0)


def fits(n=3, kind=OneVsOneClassifier):
    progress = {"total_rows": N_BLOCKS * N_ROWS}
    return [
        IncrementalFit(
            kind(SGDClassifier(alpha=10.0**-i, random_state=0)),
            {"classes": [0, 1, 2]},
            progress=Progress(**progress),
        )
        for i in range(1, n + 1)
    ]


def blocks(made=lambda X: X):
    def epoch(_):
        for i in range(N_BLOCKS):
            rng = np.random.default_rng(i)
            X = made(rng.normal(size=(N_ROWS, 5)))
            place = Place(i, i * N_ROWS, (i + 1) * N_ROWS)
            yield Block(X, rng.integers(0, 3, N_ROWS), None, place, 0, i)

    return epoch


def learned(epoch, n_processes):
    learning = fits()
    with one_core(), Threads(2) as each, Processes(n_processes) as processes:
        audience = Sharing(processes)
        fit_loop(learning, epoch, each, audience)
        places = {fit.learn_by.__name__ for fit in learning}
    assert [fit.error for fit in learning] == [None] * 3
    return [joblib.hash(fit.estimator) for fit in learning], places, audience.shared


@pytest.mark.parametrize(
    ("made", "n_shared"),
    [
        (lambda X: X, 2),
        (np.asfortranarray, 2),
        (lambda X: X.astype("float32"), 2),
        (lambda X: sparse.csr_matrix(np.where(X > 0, X, 0)), 1),
    ],
    ids=["rows", "columns", "float32", "sparse"],
)
def test_the_bits_are_those_of_threads(always_worth_it, made, n_shared):
    here, places, _ = learned(blocks(made), n_processes=1)
    assert places == {"learn_here"}
    elsewhere, places, shared = learned(blocks(made), n_processes=2)
    assert places == {"learn"}
    assert elsewhere == here
    assert shared == [0, *[n_shared] * (N_BLOCKS - 1)], "each block is copied once for all fits"


KINDS = [
    (LatentDirichletAllocation, {"n_components": 3}, {}),
    (MiniBatchDictionaryLearning, {"n_components": 3}, {}),
    (MLPClassifier, {"hidden_layer_sizes": (8,)}, {"classes": [0, 1, 2]}),
    (MLPRegressor, {"hidden_layer_sizes": (8,)}, {}),
    (OneVsRestClassifier, {"estimator": SGDClassifier(random_state=0)}, {"classes": [0, 1, 2]}),
]


@pytest.mark.parametrize(("kind", "settings", "arguments"), KINDS, ids=lambda x: str(x)[-30:])
def test_every_kind_has_the_same_bits_there_and_here(always_worth_it, kind, settings, arguments):
    hashes = set()
    for n_processes in (1, 2):
        learning = [IncrementalFit(kind(**settings), arguments) for _ in range(2)]
        for fit in learning:
            if "random_state" in fit.estimator.get_params():
                fit.estimator.set_params(random_state=0)
        with one_core(), Threads(2) as each, Processes(n_processes) as processes:
            fit_loop(learning, blocks(np.abs), each, Sharing(processes))
        assert [fit.error for fit in learning] == [None, None]
        hashes |= {joblib.hash(fit.estimator) for fit in learning}
    assert len(hashes) == 1


def test_the_block_that_is_shared_is_let_go_of():
    before = len(list(Path("/proc/self/fd").iterdir()))
    with Processes(2) as processes:
        view = processes._share(np.arange(12.0).reshape(3, 4)).view()
        assert view.tolist() == np.arange(12.0).reshape(3, 4).tolist()
        assert not view.flags.writeable
        processes.release()
        del view
        assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    "array", [np.array(["a", None]), np.zeros((0, 3)), [1, 2], sparse.eye(3).tocsr()]
)
def test_what_is_no_plain_array_is_sent_as_it_is(array):
    with Processes(2) as processes:
        assert processes._share(array) is array


@pytest.mark.parametrize(
    ("kind", "n", "n_processes", "rows_left"),
    [
        (OneVsOneClassifier, 1, 2, 10**9),
        (OneVsOneClassifier, 3, 1, 10**9),
        (OneVsOneClassifier, 3, 2, 0),
        (lambda estimator: estimator, 3, 2, 10**9),
    ],
    ids=["one", "one core", "nothing left", "threads do"],
)
def test_no_process_is_started_where_it_is_not_worth_it(kind, n, n_processes, rows_left):
    learning = fits(n, kind)
    for fit in learning:
        fit.progress.fit_s, fit.progress.rows = 1.0, 1000
        fit.progress.total_rows = 1000 + rows_left
    with Processes(n_processes) as processes:
        processes.adopt(learning)
        assert processes._idle.empty()
        assert {fit.learn_by.__name__ for fit in learning} == {"learn_here"}


def test_processes_are_started_once_enough_is_left_to_learn_and_end_with_it():
    learning = fits(2)
    for fit in learning:
        fit.progress.fit_s, fit.progress.blocks = 1.0, 10
        fit.progress.rows, fit.progress.total_rows = 1000, 30_000
    before = set(psutil.Process().children(recursive=True))
    with Processes(2) as processes:
        processes.adopt(learning)
        X, y = np.random.default_rng(0).normal(size=(50, 3)), np.arange(50) % 3
        learning[0].learn_by(learning[0].estimator, X, (y,), {"classes": [0, 1, 2]})
        started = set(psutil.Process().children(recursive=True)) - before
        workers = [child for child in started if "popen_loky" in " ".join(child.cmdline())]
        assert workers
    psutil.wait_procs(workers, timeout=10)
    assert not [child for child in workers if child.is_running()]


def test_an_estimator_that_is_large_beside_what_a_block_takes_stays_here():
    learning = fits(2)
    for fit in learning:
        fit.progress.fit_s, fit.progress.blocks = 1.0, 1000
        fit.progress.rows, fit.progress.total_rows = 1000, 30_000
        fit.estimator.ballast_ = np.ones(1_000_000)
    with Processes(2) as processes:
        processes.adopt(learning)
        assert {fit.learn_by.__name__ for fit in learning} == {"learn_here"}
        assert processes._idle.empty()


class Dies(OneVsOneClassifier):
    """Kills the process it learns in, if it is told to."""

    def partial_fit(self, X, y=None, classes=None, kill=False):
        if kill:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().partial_fit(X, y, classes)


def test_a_process_that_dies_fails_its_member_alone(always_worth_it):
    learning = fits(2)
    X, y = np.random.default_rng(0).normal(size=(50, 3)), np.arange(50) % 3
    arguments = {"classes": [0, 1, 2]}
    with Processes(2) as processes:
        processes.adopt(learning)
        deadly = Dies(SGDClassifier())
        with pytest.raises(FitError, match="must live on; got one that was killed"):
            processes.learn(deadly, X, (y,), {**arguments, "kill": True})
        for _ in range(4):
            processes.learn(learning[0].estimator, X, (y,), arguments)
    assert learning[0].estimator.estimators_[0].t_ == 1 + 4 * 34


def test_what_the_estimator_raises_comes_back(always_worth_it):
    with Processes(2) as processes:
        processes.adopt(fits(2))
        with pytest.raises(ValueError, match="NaN"):
            processes.learn(
                OneVsOneClassifier(SGDClassifier()),
                np.full((4, 2), np.nan),
                (np.array([0, 1, 0, 1]),),
                {"classes": [0, 1]},
            )


def test_a_process_ends_with_the_one_that_started_it():
    code = (
        "import os, time\n"
        "from runner.fit.processes import _executor\n"
        "executor = _executor()\n"
        "print(executor.submit(os.getpid).result(), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as parent:
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    worker.wait(timeout=20)


def test_an_array_is_shared_as_itself_until_the_block_is_let_go():
    with Processes(2) as processes:
        seen = []
        for number in range(50):
            X = np.full((3, 2), float(number))
            shared = processes._share(X)
            seen.append(float(np.asarray(shared.view())[0, 0]))
            del X
        assert seen == [float(number) for number in range(50)]
