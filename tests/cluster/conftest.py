"""Clusters of real processes on the loopback, which end with the test."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def two_workers():
    """Return a client of two worker processes of one thread each, which a test must not kill."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@dataclass
class Processes:
    """A scheduler and workers that were started by Dask's own command line."""

    folder: Path
    started: list[subprocess.Popen] = field(default_factory=list)
    address: str = ""

    def start(self, *arguments):
        """Start ``dask`` with arguments, and return the process."""
        # Both outputs go into a file, so that no pipe is full or left open.
        with (self.folder / f"{len(self.started)}.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *map(str, arguments)],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )
        self.started.append(process)
        return process

    def start_scheduler(self):
        """Start a scheduler on a port of its own, and wait until it is there."""
        told = self.folder / "scheduler.json"
        options = (
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--scheduler-file",
            told,
        )
        process = self.start("scheduler", *options)
        deadline = time.monotonic() + 30
        while not self.address:
            assert time.monotonic() < deadline
            time.sleep(0.05)
            try:
                self.address = json.loads(told.read_text())["address"]
            except (OSError, ValueError):
                continue
        return process

    def start_worker(self, *options):
        """Start a worker of one thread on the loopback; it has a nanny unless told otherwise."""
        where = ("--host", "127.0.0.1", "--no-dashboard", "--nthreads", "1")
        return self.start("worker", self.address, *where, *options)

    def end(self):
        """End everything that was started, with the processes of its group, however it is."""
        for process in self.started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def running(folder, n_workers, *options):
    """Start a scheduler and workers; yield them with a client, and end them."""
    from distributed import Client

    folder.mkdir()
    processes = Processes(folder)
    try:
        scheduler = processes.start_scheduler()
        workers = [processes.start_worker(*options) for _ in range(n_workers)]
        with Client(processes.address, timeout=20) as client:
            client.wait_for_workers(n_workers, timeout=30)
            yield SimpleNamespace(
                client=client,
                scheduler=scheduler,
                workers=workers,
                address=processes.address,
                processes=processes,
            )
    finally:
        processes.end()


@pytest.fixture(scope="module")
def mended(tmp_path_factory):
    """Return a scheduler with two workers, whose nannies bring them back when they are killed."""
    with running(tmp_path_factory.mktemp("mended") / "dask", 2, "--nanny") as cluster:
        yield cluster


@pytest.fixture
def scheduler_and_workers(tmp_path):
    """Return what starts a scheduler and so many workers, by default without nannies."""
    started = []

    def start(n_workers, *options):
        context = running(
            tmp_path / f"dask{len(started)}", n_workers, *(options or ("--no-nanny",))
        )
        started.append(context)
        return context.__enter__()

    yield start
    for context in reversed(started):
        context.__exit__(None, None, None)
