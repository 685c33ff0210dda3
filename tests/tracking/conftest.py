"""Real stores: an SQLite file per test, and one server."""

import pickle
import shutil
import warnings
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import replace

import pytest
from sklearn.linear_model import SGDClassifier

from runner.base import Block, Progress
from runner.records import Outcome
from runner.tracking.client import connect
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.outbox import Outbox
from runner.tracking.server import serve
from runner.tracking.store import resolve

with warnings.catch_warnings():
    # MLflow's own types for chat agents.
    warnings.filterwarnings("ignore", ".*Any type hint is inferred as AnyType")
    import mlflow.pyfunc  # noqa: F401  (what reads models back, which no run needs)


@pytest.fixture
def store(project, schema):
    """Give the project a store of its own, and return it."""
    shutil.copy(schema, project / "mlflow.db")
    return resolve()


@pytest.fixture
def client(store):
    return connect(store)


@pytest.fixture
def tracker(store):
    return MlflowTracker(log_model=False)


class Server:
    """MLflow's server on a database of its own, which can be stopped and started again."""

    def __init__(self, file):
        self._file = file
        self._port = 0
        self._stack = ExitStack()

    def start(self):
        serving = serve(f"sqlite:///{self._file}", port=self._port)
        self.url = self._stack.enter_context(serving).base_url
        self._port = int(self.url.rpartition(":")[2])

    def stop(self):
        self._stack.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory, schema):
    """Serve an empty store for all the tests of this folder."""
    file = tmp_path_factory.mktemp("served") / "mlflow.db"
    shutil.copy(schema, file)
    running = Server(file)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def learn(points, make_part):
    """Return what learns 100 rows in 4 blocks, tells callbacks, and returns all there is."""

    def learn(callbacks, after_block=lambda progress: None):
        def tell(event, *arguments):
            for callback in callbacks.values():
                getattr(callback, event)(*arguments)

        X, y = points
        part = make_part(X, y)
        model = SGDClassifier(random_state=0)
        progress = Progress(total_rows=len(X))
        tell("on_fit_begin", progress, model)
        for position, place in enumerate(part.places):
            rows = slice(place.start, place.stop)
            if position:
                progress.scores = {"accuracy": model.score(X[rows], y[rows])}
            model.partial_fit(X[rows], y[rows], classes=[0, 1])
            progress.blocks += 1
            progress.rows += place.stop - place.start
            progress.fit_s += 0.001
            progress.load_s += 0.002
            block = Block(X[rows], y[rows], None, place, 0, position, load_s=0.002)
            tell("on_block_end", progress, block)
            after_block(progress)
        progress.epoch += 1
        tell("on_epoch_end", progress)
        tell("on_fit_end", progress)
        return model, part, progress

    return learn


@pytest.fixture
def sit(points, make_part):
    """Return what learns some of 8 blocks of 10 rows, and returns the model and the state then."""

    def sit(callbacks, blocks, state=None, *, ends=True):
        def tell(event, *arguments):
            for callback in callbacks.values():
                getattr(callback, event)(*arguments)

        X, y = (rows[:80] for rows in points)
        part = make_part(X, y, chunks=10)
        model, progress, states = state or (SGDClassifier(random_state=0), Progress(), {})
        model, progress = deepcopy(model), replace(progress, total_rows=80)
        tell("on_fit_begin", progress, model)
        for name, kept in states.items():
            callbacks[name].restore(pickle.loads(kept))  # noqa: S301
        for number in blocks:
            place = part.places[number]
            rows = slice(place.start, place.stop)
            if number:
                progress.scores = {"accuracy": model.score(X[rows], y[rows])}
            model.partial_fit(X[rows], y[rows], classes=[0, 1])
            progress.blocks += 1
            progress.rows += 10
            progress.fit_s += 0.25
            block = Block(X[rows], y[rows], None, place, 0, number, content=number)
            tell("on_block_end", progress, block)
            progress.held_out = {"accuracy": model.score(X, y)}
            tell("on_held_out", progress)
        states = {name: pickle.dumps(callback.state()) for name, callback in callbacks.items()}
        state = deepcopy(model), replace(progress), states
        if ends:
            tell("on_fit_end", progress)
        return model, part, progress, state

    return sit


class Flaky:
    """A client whose store can be taken away; it counts what was tried."""

    def __init__(self, client):
        self._client = client
        self.away = False
        self.calls = []

    def __getattr__(self, name):
        def call(*arguments, **options):
            self.calls.append(name)
            if self.away:
                raise OSError(f"{name}: no way to http://u:hunter2@host")
            return getattr(self._client, name)(*arguments, **options)

        return call


@pytest.fixture
def flaky(client):
    return Flaky(client)


@pytest.fixture
def run_id(client):
    """Return the id of a run that has just begun."""
    return client.create_run(client.create_experiment("any")).info.run_id


@pytest.fixture
def outbox(flaky, store, run_id):
    """Return the outbox of that run; its client is flaky."""
    return Outbox(flaky, store, run_id, flush_every_s=1000)


@pytest.fixture
def history(client, run_id):
    """Return what reads the steps and values of a metric of that run."""

    def history(key):
        return [(m.step, m.value) for m in client.get_metric_history(run_id, key)]

    return history


def member(number, score=None, **known):
    """Return how a member of a sweep over `a` ended."""
    scores = {} if score is None else {"r2": score, "max_error": -1.0}
    return Outcome(
        **{
            "number": number,
            "name": f"a={number}",
            "key": f"k{number}",
            "scores": scores,
            "params": {"a": number},
            "status": "FINISHED",
            "rows": 100,
            "run_id": f"r{number}",
            **known,
        }
    )
