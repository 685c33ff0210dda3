"""One sweep, side by side: our shared pass, Hydra's basic launcher, joblib's, and a nested loop.

All train the same members on the same blocks in the same order, and score them on the same
held-out blocks. Each contender is a whole command in a process of its own, from its imports to its
last line, with an MLflow store of its own that already has the schema; the loop logs nothing. They
take turns, several times. The scores of all must be the same, which is checked.

Measured are the wall time; the memory, which is the largest resident size of each process of the
command, summed; and how many blocks were read to be learned. That number is taken from the ledgers
in the record: a block that several members learned from one read has the same loading time, to the
nanosecond, in the ledger of each. The limit of a sweep is (load + members x fit) / cores: load is
one pass of our reader in one thread, the holdout included, and fit the learning of one member from
blocks in memory, both measured in processes of their own in the same turn. What a command takes
besides is seen from ``start``: the same command on next to no rows.
"""

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.promise import Promise
from benchmarks.row import Reach, Row, at_least, at_most
from benchmarks.sweep_kinds import BY_HAND, KINDS, dataset_of, member_key, write_experiment
from benchmarks.turns import CORES, Found, Taken, alternate, last_line, own_command, runner
from benchmarks.watched import watched

TINY_CHUNKS, PROMISED = 500, 16
LAUNCHERS = {
    "shared": [],
    "shards": ["cluster=local", f"cluster.n_workers={CORES}"],
    "dask": ["hydra/launcher=dask", "cluster=local", f"cluster.n_workers={CORES}"],
    "basic": ["hydra/launcher=basic"],
    "joblib": ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={CORES}"],
}
NAMES = {"shared": "shared pass", "joblib": "joblib's launcher", "basic": "basic launcher"}
NAMES |= {"loop": "nested loop", "start": "next to no rows", "load": "reading", "fit": "learning"}
REACHES = {"csv": at_least(4), "parquet": at_least(1.8)}
LIMIT = "(reading + members x learning) / cores"


def prepare(kind: str, scratch: Path, n_rows: int) -> None:
    """Write the rows of a kind, and next to none for ``start``."""
    folder, chunks = scratch / kind, KINDS[kind].chunks
    KINDS[kind].make(folder, max(2, n_rows // chunks), chunks)
    KINDS[kind].make(scratch / f"{kind}-tiny", 3, TINY_CHUNKS)
    split = dataset_of(kind, folder).split()
    numbers = {
        "train": [place.number for place in split.train.places],
        "holdout": [place.number for place in split.holdout.places],
    }
    (scratch / f"{kind}.json").write_text(json.dumps(numbers))


def words_of(
    contender: str, kind: str, scratch: Path, n_members: int, log_model: bool
) -> list[str]:
    """Return the whole command of a contender."""
    folder = scratch / kind
    if contender in BY_HAND:
        given = {"kind": kind, "folder": str(folder), "n_members": n_members}
        return own_command("sweep", contender, given)
    grid = {f"estimator.{key}": value for key, value in KINDS[kind].grid(n_members).items()}
    file = write_experiment(kind, folder, f"sweep: {{grid: {json.dumps(grid)}}}", log_model)
    if contender == "start":
        tiny = scratch / f"{kind}-tiny"
        path = tiny / "*" / "*.txt" if kind == "text" else tiny
        return runner("run", str(file), f"dataset.path={path}", f"dataset.chunks={TINY_CHUNKS}")
    return runner("run", str(file), *LAUNCHERS[contender])


def turn_of(contender: str, kind: str, scratch: Path, n_members: int, log_model: bool) -> Found:
    """Run a contender in a new project, and return what it took and what it recorded.

    Reading and learning alone are not whole commands: their ``wall`` is what they tell.
    """
    ended = watched(words_of(contender, kind, scratch, n_members, log_model), scratch)
    by_hand = contender in BY_HAND
    found = last_line(ended.said) if by_hand else record(ended.project, kind)
    ended.forget()
    return {"wall": ended.wall, "memory": ended.memory, **found}


def record(project: Path, kind: str) -> Found:
    """Return, from what a command recorded, the reads of training blocks and all scores."""
    names = KINDS[kind].grid(2)
    with closing(sqlite3.connect(project / "mlflow.db")) as store:
        runs = store.execute("SELECT run_uuid, artifact_uri FROM runs").fetchall()
        params = store.execute("SELECT run_uuid, key, value FROM params").fetchall()
        asked = "SELECT run_uuid, value FROM latest_metrics WHERE key = 'holdout/accuracy'"
        scored = dict(store.execute(asked).fetchall())
    value = {(run, key): text for run, key, text in params}
    members = {run: ledger for run, uri in runs if (ledger := ledger_of(uri)).is_file()}
    scores = {
        member_key({name: in_python(value[run, f"estimator.{name}"]) for name in names}): (
            scored[run]
        )
        for run in members
    }
    reads: set[tuple[Any, ...]] = set().union(*map(reads_in, members.values()))
    return {"reads": len(reads), "scores": scores}


def in_python(text: str) -> Any:
    """Return the value that a param's text stands for.

    Examples
    --------
    >>> in_python("1e-06"), in_python("False"), in_python("hinge")
    (1e-06, False, 'hinge')
    """
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    with suppress(ValueError):
        return float(text)
    return text


def ledger_of(artifacts: str) -> Path:
    return Path(artifacts.removeprefix("file://")) / "ledger" / "blocks.parquet"


def reads_in(ledger: Path) -> set[tuple[Any, ...]]:
    """Return which blocks a member learned, each with the time of the read that it is from."""
    import pyarrow.parquet as pq

    names = ["epoch", "position", "block", "load_ms"]
    columns = pq.read_table(ledger, columns=names).to_pydict()
    return set(zip(*(columns[name] for name in names), strict=True))


def rows_of(kind: str, n_members: int, contenders: list[str], taken: Taken) -> Iterator[Row]:
    """Yield what one sweep took, and the ratios pair by pair."""
    what, shared = f"{n_members} members, {kind}", NAMES["shared"]
    names = [NAMES.get(each, each) for each in contenders]
    taken.same("scores", *names)
    if "shared" not in contenders:
        return
    for name in names:
        if name != shared:
            promised = name == NAMES["joblib"] and n_members == PROMISED
            reach: Reach | None = REACHES.get(kind) if promised else None
            yield taken.row(what, name, shared, reach=reach)
            yield taken.row(f"{what}, memory", name, shared, key="memory", unit="MB")
            yield taken.row(f"{what}, blocks read", name, shared, key="reads", unit="blocks")
    limit = lambda load, fit: (load + n_members * fit) / CORES  # noqa: E731
    taken.derive(LIMIT, limit, NAMES["load"], NAMES["fit"])
    reach = at_most(1.3)
    yield taken.row(f"{what}, whole command", shared, LIMIT, reach=reach)
    yield taken.row(
        f"{what}, less the start",
        shared,
        LIMIT,
        NAMES["start"],
        figure=lambda wall, least, start: (wall - start) / least,
        reach=reach,
    )


def measure(
    scratch: Path,
    turns: int,
    *,
    data: list[str],
    members: list[int],
    contenders: list[str],
    rows: int,
    log_model: bool,
) -> Iterator[Row]:
    """Compare what was asked for; one of load and start warms up."""
    from runner.tracking.client import connect
    from runner.tracking.store import resolve

    connect(resolve(f"sqlite:///{scratch / 'schema.db'}"))
    for kind in data:
        prepare(kind, scratch, rows or KINDS[kind].rows)
        for warming in ("load", "start"):
            turn_of(warming, kind, scratch, 2, log_model)
        for n_members in members:
            ways = {
                NAMES.get(each, each): partial(turn_of, each, kind, scratch, n_members, log_model)
                for each in (*contenders, "start", "load", "fit")
            }
            yield from rows_of(kind, n_members, contenders, alternate(ways, turns, warm=False))


COMPARED = ["shared", "joblib"]
PROMISE = Promise(
    measure,
    BY_HAND,
    {
        "data": (["parquet", "csv"], ["csv"]),
        "members": ([PROMISED], [4]),
        "contenders": (COMPARED, COMPARED),
        "rows": (0, 200_000),
        "log_model": (True, True),
    },
    turns=2,
)

if __name__ == "__main__":
    sys.exit(PROMISE.main(__doc__))
