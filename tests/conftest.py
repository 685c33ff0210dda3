"""What every test may lean on: a project of its own, small parts, and no leaked threads."""

import gc
import os
import shutil
import signal
import threading
import time
from itertools import pairwise

import dask.array as da
import matplotlib as mpl
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runner.base import Part, Place
from runner.redaction import forget

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MPLCONFIGDIR", mpl.get_cachedir())  # its fonts are found once


@pytest.fixture(scope="module", autouse=True)
def what_lasts_is_not_garbage():
    """Leave modules and thousands of tests out of what each collection looks through."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def cache_of_their_own(tmp_path_factory):
    """Let no test write into the cache folder of the one who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """Give each test an empty project, so that none writes beside the checkout."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.setenv("RUNNER_PROJECT", str(root))
    for name in ("MLFLOW_TRACKING_URI", "RUNNER_EXPERIMENTS", "RUNNER_ALLOW"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(root)
    return root


@pytest.fixture(scope="session")
def threads_of_libraries():
    """Return what the environment says of the threads of libraries, as it was in the beginning."""
    names = ("MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {name: os.environ.get(name) for name in names}


@pytest.fixture(autouse=True)
def threads_are_as_before(threads_of_libraries):
    """Forget what Dask sets in this process too, when a test starts a worker without us."""
    for name, value in threads_of_libraries.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(autouse=True)
def nothing_is_remembered():
    """Forget what an earlier test read from the environment, which is hidden in every text."""
    yield
    forget()


@pytest.fixture(scope="session", autouse=True)
def signals_are_heard():
    """Answer signals as in a terminal, also where the tests run in the background or by nohup."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def schema(tmp_path_factory):
    """Return an SQLite file that has MLflow's schema and nothing else."""
    from runner.tracking.client import connect
    from runner.tracking.store import resolve

    file = tmp_path_factory.mktemp("schema") / "mlflow.db"
    connect(resolve(f"sqlite:///{file}"))
    return file


@pytest.fixture(autouse=True)
def no_stream_thread_is_left():
    """Fail a test that leaves a thread of the stream behind."""
    yield
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        left = [t.name for t in threading.enumerate() if t.name.startswith("runner-stream")]
        if not left:
            return
        time.sleep(0.01)
    pytest.fail(f"threads left behind: {left}")


@pytest.fixture
def make_part():
    """Return what makes a part of known arrays."""

    def make(X, y=None, sample_weight=None, chunks=25):
        X = da.from_array(np.asarray(X), chunks=(chunks, -1)[: np.ndim(X)])
        starts = np.concatenate([[0], np.cumsum(X.chunks[0])]).tolist()
        places = [Place(i, start, stop) for i, (start, stop) in enumerate(pairwise(starts))]
        y, sample_weight = (
            None
            if array is None
            else da.from_array(np.asarray(array), chunks=(chunks, *np.shape(array)[1:]))
            for array in (y, sample_weight)
        )
        return Part(X, y, sample_weight, tuple(places))

    return make


@pytest.fixture
def points():
    """Return 100 rows of 20 features and a binary target that depends on them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 20))
    return X, (X[:, 0] > 0).astype(int)


@pytest.fixture
def store(project, schema):
    """Give the project an empty store, which is quicker than to make one."""
    shutil.copy(schema, project / "mlflow.db")


@pytest.fixture
def rows(tmp_path):
    """Write a small Parquet file."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    path = tmp_path / "rows.parquet"
    columns = {f"x{i}": X[:, i] for i in range(3)} | {"label": (X[:, 0] > 0).astype(int)}
    pq.write_table(pa.table(columns), path)
    return path


@pytest.fixture
def said(capsys):
    """Return what runs a command and returns its exit code and both outputs."""

    def said(*arguments):
        from runner.cli import main

        code = main(arguments)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return said
