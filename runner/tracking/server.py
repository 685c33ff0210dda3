"""MLflow's user interface on a store, in a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.request import ProxyHandler, build_opener

from runner.errors import TrackingError
from runner.redaction import redacted
from runner.tracking.client import connect, quieten
from runner.tracking.record import recent_runs
from runner.tracking.store import PATIENCE_S, Store, resolve

HOST = "127.0.0.1"
START_S = 120.0
STOP_S = 10.0
MOST_BYTES = 10_000_000  # of an answer about a run
_HERE = build_opener(ProxyHandler({}))  # no proxy stands between this machine and itself


@dataclass(frozen=True)
class Interface:
    """MLflow's user interface where it can be looked at.

    Parameters
    ----------
    base_url : str
        Of the pages, without credentials.
    process : subprocess.Popen or None
        What serves them; None when somebody else does.
    log : file or None
        What the process says.
    was_there : bool
        Whether somebody serves the store on the port already.
    """

    base_url: str
    process: subprocess.Popen[bytes] | None = None
    log: IO[bytes] | None = None
    was_there: bool = False

    def wait(self) -> None:
        """Wait for as long as our own server runs, which is until the context is left.

        Raises
        ------
        TrackingError
            If the server ends by itself.
        """
        if self.process is not None and self.log is not None:
            self.process.wait()
            raise TrackingError(
                "MLflow's server",
                "go on until it is ended",
                got=_last_word(self.log),
                remedy="Start it again, or try `mlflow server` by hand.",
            )


@contextmanager
def serve(uri: str | None = None, *, port: int = 5000) -> Iterator[Interface]:
    """Serve a store on this machine, reachable from this machine alone, until the context ends.

    Where the store is a server, or one serves it on that port already, nothing is started.

    Parameters
    ----------
    uri : str, optional
        The store, chosen as for a run.
    port : int
        Where to listen; 0 takes any free port.

    Yields
    ------
    Interface
        What can be looked at, and waited for.

    Raises
    ------
    TrackingError
        If the store cannot be used, the port is taken, or the server does not start.
    """
    store = resolve(uri)
    if store.base_url is not None:
        yield Interface(store.base_url)
        return
    connect(store)  # mends nothing, but makes the schema of a new file
    there = f"http://{HOST}:{port}"
    if port and not _is_free(port) and serves(there, store):
        yield Interface(there, was_there=True)
        return
    base_url = f"http://{HOST}:{_free(port)}"
    with TemporaryFile() as log, _process(store, base_url, log) as process:
        _wait(process, base_url, log)
        yield Interface(base_url, process, log)


def serves(base_url: str, store: Store) -> bool:
    """Say whether MLflow serves this very store there, as far as the latest run shows.

    What answers must know of that run what only the store holds; a store without runs is never
    known again.
    """
    latest = recent_runs(store.uri, limit=1, parents_only=False)
    if not latest:
        return False
    run = latest[0]
    try:
        found = _asked(base_url, run.run_id)["run"]["info"]
        started, name = int(found["start_time"]), found["run_name"]
    except (OSError, HTTPException, ValueError, LookupError, TypeError):
        return False
    return (started, name) == (round(run.started.timestamp() * 1000), run.name)


def _asked(base_url: str, run_id: str) -> Any:
    page = f"{base_url}/api/2.0/mlflow/runs/get?run_id={run_id}"
    with closing(_HERE.open(page, timeout=PATIENCE_S)) as answer:
        return json.loads(answer.read(MOST_BYTES))


def _is_free(port: int) -> bool:
    try:
        return bool(_free(port))
    except TrackingError:
        return False


def _free(port: int) -> int:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise TrackingError(
                f"Port {port}",
                "be free",
                got=str(error),
                remedy="Choose another with --port, or any free one with --port 0.",
            ) from error
        return int(probe.getsockname()[1])


@contextmanager
def _process(store: Store, base_url: str, log: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    quieten()
    light = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    # In the environment, because everybody can read a command line.
    light["MLFLOW_BACKEND_STORE_URI"] = store.uri
    if store.file is not None:
        light["MLFLOW_ARTIFACTS_DESTINATION"] = str(store.file.parent / "mlartifacts")
    process = subprocess.Popen(  # noqa: S603  (our own interpreter, on a fixed module)
        [
            *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
            *("--host", HOST, "--port", base_url.rpartition(":")[2]),
        ],
        env=os.environ | light,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(process: subprocess.Popen[bytes], base_url: str, log: IO[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), closing(_HERE.open(f"{base_url}/health", timeout=1)):
            return
        time.sleep(0.1)
    raise TrackingError(
        "MLflow's server",
        f"start within {START_S:g} seconds",
        got=_last_word(log),
        remedy="Try `mlflow server` by hand.",
    )


def _last_word(log: IO[bytes]) -> str:
    log.seek(0)
    said = redacted(log.read().decode(errors="replace")).strip().splitlines()
    return said[-1].rstrip(".") if said else "no word from it"
