"""One fit on a cluster, side by side: one worker, two workers, this process, and dask-ml.

The data are lines of text that are hashed into sparse columns, which takes far longer than to
learn them, and holds Python's lock. For each turn a scheduler and one or two worker processes are
started on 127.0.0.1; every contender is a process of its own that connects to them, learns the
same blocks in the same order with the same estimator, and ends with the same counts, which is
checked. It fits four blocks first, so that the workers have imported what they need; then the wall
time of the whole fit is measured, from the connection on. The sweep on a cluster is measured by
``sweep.py``, whose contenders ``shards`` and ``dask`` are the same sweep on two workers.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sweep import MODULES, make_text

N_FEATURES, NGRAMS, SEED = 2**16, [1, 2], 0


def dataset(folder: Path, chunks: int) -> Any:
    from runner.dataset.text import TextLines

    return TextLines(path=str(folder / "*" / "*.txt"), chunks=chunks, holdout=0)


def hashing() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        n_features=N_FEATURES, ngram_range=tuple(NGRAMS), alternate_sign=False
    )


def estimator() -> Any:
    from sklearn.naive_bayes import MultinomialNB

    return MultinomialNB()


def fit_by_runner(folder: Path, chunks: int, cluster: Any) -> Callable[[], Any]:
    """Prepare the runner."""
    from runner.experiment import Experiment, run
    from runner.fit.options import FitOptions
    from runner.records import Recipe
    from runner.stream.stream import Stream
    from runner.tracking.memory_tracker import MemoryTracker

    experiment = Experiment(
        name="text",
        dataset=dataset(folder, chunks),
        estimator=estimator(),
        preprocessing={"hashing": hashing()},
        tracking=MemoryTracker(),
        partial_fit={"classes": MODULES},
        stream=Stream(shuffle=False),
        fit=FitOptions(progressive_window=0),
        **({} if cluster is None else {"cluster": cluster}),
    )
    return lambda: run(experiment, Recipe("text", {})).estimator


def here(folder: Path, chunks: int, _: str) -> Callable[[], Any]:
    """Prepare the runner without a cluster."""
    return fit_by_runner(folder, chunks, None)


def client(folder: Path, chunks: int, address: str) -> Callable[[], Any]:
    """Prepare the runner with workers that read, and the model in its own process."""
    from runner.cluster.address import AddressCluster

    return fit_by_runner(folder, chunks, AddressCluster(address=address))


def data(folder: Path, chunks: int, address: str) -> Callable[[], Any]:
    """Prepare the runner with workers that read, and learn where the block is."""
    from runner.cluster.address import AddressCluster

    return fit_by_runner(folder, chunks, AddressCluster(address=address, placement="data"))


def dask_ml(folder: Path, chunks: int, address: str) -> Callable[[], Any]:
    """Prepare dask-ml's Incremental on the same workers, with the same blocks."""
    from dask_ml.wrappers import Incremental
    from distributed import Client

    part = dataset(folder, chunks).split().train
    stage = hashing()
    X = part.X.map_blocks(
        stage.transform, dtype=float, new_axis=1, chunks=(part.X.chunks[0], (N_FEATURES,))
    )
    model = Incremental(estimator(), shuffle_blocks=False)

    def job():
        with Client(address):
            model.fit(X, part.y, classes=MODULES)
        return model.estimator_

    return job


CONTENDERS: dict[str, tuple[Callable[..., Callable[[], Any]], int]] = {
    "here": (here, 0),
    "client-1": (client, 1),
    "client-2": (client, 2),
    "data-1": (data, 1),
    "data-2": (data, 2),
    "dask_ml-1": (dask_ml, 1),
    "dask_ml-2": (dask_ml, 2),
}


def measure(name: str, folder: Path, chunks: int, address: str) -> None:
    """Do one contender's job in this process and print what it took."""
    import hashlib

    import dask
    import psutil

    dask.config.set({"distributed.worker.profile.enabled": False})
    CONTENDERS[name][0](folder / "few", chunks, address)()
    job = CONTENDERS[name][0](folder / "all", chunks, address)
    started = time.perf_counter()
    model = job()
    wall = time.perf_counter() - started
    process = psutil.Process()
    cpu = sum(process.cpu_times()[:2])
    digest = hashlib.sha256(model.feature_count_.tobytes()).hexdigest()
    print(json.dumps({"wall": wall, "cpu": cpu, "digest": digest}))


@contextmanager
def workers(n_workers: int):
    """Start a scheduler and workers on this machine; yield its address."""
    if not n_workers:
        yield ""
        return
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
    ) as cluster:
        yield cluster.scheduler_address


def compare(folder: Path, chunks: int, repeats: int, names: list[str]) -> None:
    """Run every contender in turn and print medians and ratios."""
    taken: dict[str, list[dict]] = {name: [] for name in names}
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for turn in range(repeats + 1):
        for name in names:
            with workers(CONTENDERS[name][1]) as address:
                command = [sys.executable, __file__, "--contender", name]
                command += ["--folder", str(folder), "--chunks", str(chunks)]
                command += ["--address", address]
                done = subprocess.run(
                    command, check=True, capture_output=True, text=True, env=environment
                )
            if turn:  # the first turn warms the page cache
                taken[name].append(json.loads(done.stdout.splitlines()[-1]))
    assert len({each["digest"] for taking in taken.values() for each in taking}) == 1
    print(f"Python {platform.python_version()}, {repeats} turns, medians (min to max)")
    for name, taking in taken.items():
        wall = [each["wall"] for each in taking]
        cpu = statistics.median(each["cpu"] for each in taking)
        print(
            f"{name:10} {statistics.median(wall):6.2f} s ({min(wall):.2f} to {max(wall):.2f})"
            f"  {cpu:6.2f} s of the client's processor"
        )

    def ratio(a: str, b: str) -> str:
        if a not in taken or b not in taken:
            return "not measured"
        pairs = zip(taken[a], taken[b], strict=True)
        return f"{statistics.median(x['wall'] / y['wall'] for x, y in pairs):.2f}"

    print(f"one worker / two workers, client    {ratio('client-1', 'client-2')} (reach 1.8)")
    print(f"one worker / two workers, data      {ratio('data-1', 'data-2')}")
    print(f"one worker / two workers, dask-ml   {ratio('dask_ml-1', 'dask_ml-2')}")
    print(f"dask-ml / runner, two workers       {ratio('dask_ml-2', 'client-2')}")
    print(f"this process / two workers          {ratio('here', 'client-2')}")


def main() -> None:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=100)
    parser.add_argument("--chunks", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--address", default="")
    parser.add_argument("--contender", choices=CONTENDERS)
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=[*CONTENDERS])
    asked = parser.parse_args()
    if asked.contender:
        measure(asked.contender, asked.folder, asked.chunks, asked.address)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch) / "text"
        if not folder.is_dir():
            for name, n_blocks in {"all": asked.blocks, "few": 4}.items():
                (folder / name).mkdir(parents=True)
                make_text(folder / name, n_blocks, asked.chunks)
        compare(folder, asked.chunks, asked.repeats, asked.contenders)


if __name__ == "__main__":
    main()
