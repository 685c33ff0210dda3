"""One fit on a cluster, side by side: one worker, two workers, this process, and dask-ml.

The data are lines of text that are hashed into sparse columns, which takes far longer than to
learn them, and holds Python's lock. For each turn a scheduler and one or two worker processes are
started on 127.0.0.1; every contender is a process of its own that connects to them, learns the
same blocks in the same order with the same estimator, and ends with the same counts, which is
checked. It fits four blocks first, so that the workers have imported what they need; then the wall
time of the whole fit is measured, from the connection on. The sweep on a cluster is measured by
``sweep.py``, whose contenders ``shards`` and ``dask`` are the same sweep on two workers.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.data import MODULES, make_text
from benchmarks.promise import Promise
from benchmarks.row import Row, at_least
from benchmarks.turns import Found, alternate, digest, job, timed

N_FEATURES, NGRAMS = 2**16, (1, 2)
USUAL = ["here", "client-1", "client-2", "dask_ml-2"]
NAMES = {
    "here": "this process's threads",
    "client-1": "one worker",
    "client-2": "two workers",
    "data-1": "one worker, model at the data",
    "data-2": "two workers, model at the data",
    "dask_ml-1": "dask-ml's Incremental, one worker",
    "dask_ml-2": "dask-ml's Incremental, two workers",
}


def dataset(folder: Path, chunks: int) -> Any:
    from runner.dataset.text import TextLines

    return TextLines(path=str(folder / "*" / "*.txt"), chunks=chunks, holdout=0)


def hashing() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(n_features=N_FEATURES, ngram_range=NGRAMS, alternate_sign=False)


def estimator() -> Any:
    from sklearn.naive_bayes import MultinomialNB

    return MultinomialNB()


def by_runner(folder: Path, chunks: int, cluster: Any = None) -> Callable[[], Any]:
    """Prepare the runner; without a cluster it reads by this process's threads."""
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


def dask_ml(folder: Path, chunks: int, address: str) -> Callable[[], Any]:
    """Prepare dask-ml's Incremental on the same workers, with the same blocks."""
    from dask_ml.wrappers import Incremental
    from distributed import Client

    lines, stage = dataset(folder, chunks), hashing()
    model = Incremental(estimator(), shuffle_blocks=False)

    def work() -> Any:
        part = lines.split().train
        X = part.X.map_blocks(
            stage.transform, dtype=float, new_axis=1, chunks=(part.X.chunks[0], (N_FEATURES,))
        )
        with Client(address):
            model.fit(X, part.y, classes=MODULES)
        return model.estimator_

    return work


def fit(way: str, folder: str, chunks: int, address: str) -> Found:
    """Learn a few blocks, then all of them; the second is timed."""
    import dask

    from runner.cluster.address import AddressCluster

    dask.config.set({"distributed.worker.profile.enabled": False})

    def prepare(part: str) -> Callable[[], Any]:
        path = Path(folder) / part
        if way == "dask_ml":
            return dask_ml(path, chunks, address)
        if way == "here":
            return by_runner(path, chunks)
        return by_runner(path, chunks, AddressCluster(address=address, placement=way))

    prepare("few")()
    work = prepare("all")
    return timed(lambda: digest(work().feature_count_))


@contextmanager
def workers(n_workers: int) -> Iterator[str]:
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


def turn_of(contender: str, folder: str, chunks: int) -> Found:
    """Start the workers of a contender, and let it learn."""
    way, _, number = contender.partition("-")
    with workers(int(number or 0)) as address:
        return job("cluster", way, folder=folder, chunks=chunks, address=address)


def measure(
    scratch: Path, turns: int, blocks: int, chunks: int, contenders: list[str]
) -> Iterator[Row]:
    """Compare them; the blocks that are learned first are others."""
    for name, n_blocks in {"all": blocks, "few": 4}.items():
        make_text(scratch / name, n_blocks, chunks)
    ways = {NAMES[each]: partial(turn_of, each, str(scratch), chunks) for each in contenders}
    needs = {name: "dask_ml" for each, name in NAMES.items() if each.startswith("dask_ml")}
    taken = alternate(ways, turns, needs={k: v for k, v in needs.items() if k in ways})
    taken.same("result", *ways)

    def row(what: str, first: str, second: str, **more: Any) -> Iterator[Row]:
        if {first, second} <= {*contenders}:
            yield taken.row(f"hashing text, {what}", NAMES[first], NAMES[second], **more)

    yield from row("a second worker", "client-1", "client-2", reach=at_least(1.5))
    yield from row("a second worker, model at the data", "data-1", "data-2")
    yield from row("a second worker, dask-ml", "dask_ml-1", "dask_ml-2")
    yield from row("against dask-ml", "dask_ml-2", "client-2")
    yield from row("against threads", "here", "client-2")


PROMISE = Promise(
    measure,
    {way: partial(fit, way) for way in ("here", "client", "data", "dask_ml")},
    {"blocks": (80, 4), "chunks": (20_000, 1_000), "contenders": (USUAL, USUAL)},
    turns=2,
)

if __name__ == "__main__":
    sys.exit(PROMISE.main(__doc__))
