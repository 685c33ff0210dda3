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

import argparse
import itertools
import json
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
SEED, HOLDOUT, TINY_CHUNKS = 0, 0.1, 500
N_COLUMNS, GROUPS_PER_FILE = 28, 5
NAMES = [f"x{i}" for i in range(N_COLUMNS)]
MODULES = ["asyncio", "email", "encodings", "http", "importlib"]
MODULES += ["logging", "multiprocessing", "unittest", "urllib", "xml"]
SAMPLED_S, SEEN_OFTEN = 0.03, 3


@dataclass(frozen=True)
class Kind:
    """A kind of data, how the runner is told of it, and what the members of a sweep differ in."""

    rows: int
    chunks: int
    dataset: str
    estimator: str
    more: str
    second_axis: tuple[str, list[Any]]

    def grid(self, n_members: int) -> dict[str, list[Any]]:
        """Return the values of both axes of a sweep of so many members, an even number."""
        n_alphas = n_members // 2
        alphas = [float(f"{10 ** (-6 + 4 * i / n_alphas):.3g}") for i in range(n_alphas)]
        return {"alpha": alphas, self.second_axis[0]: self.second_axis[1]}

    def members(self, n_members: int) -> list[dict[str, Any]]:
        """Return the settings of each member."""
        grid = self.grid(n_members)
        return [
            dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())
        ]


LOSSES = ("loss", ["hinge", "modified_huber"])
TABLE = "partial_fit: {classes: [0, 1]}"
TEXT = f"""\
preprocessing: {{hashing: {{alternate_sign: false}}}}
partial_fit: {{classes: {json.dumps(MODULES)}}}"""
KINDS = {
    "parquet": Kind(12_000_000, 100_000, "parquet", "sgd_classifier", TABLE, LOSSES),
    "csv": Kind(4_000_000, 50_000, "csv", "sgd_classifier", TABLE, LOSSES),
    "text": Kind(
        400_000, 10_000, "text_lines", "multinomial_nb", TEXT, ("fit_prior", [True, False])
    ),
}


def make(kind: str, folder: Path, n_rows: int, chunks: int) -> None:
    """Write the rows once, whole blocks of them."""
    folder.mkdir(parents=True)
    {"parquet": make_parquet, "csv": make_csv, "text": make_text}[kind](
        folder, max(2, n_rows // chunks), chunks
    )


def table_of(number: int, n_rows: int):
    import numpy as np
    import pyarrow as pa

    rng = np.random.default_rng([2, number])
    rows = rng.normal(size=(n_rows, N_COLUMNS)).astype("float32")
    weights = np.random.default_rng(1).normal(size=N_COLUMNS)
    labels = (rows @ weights + rng.normal(size=n_rows) > 0).astype("int64")
    return pa.table({name: rows[:, j] for j, name in enumerate(NAMES)} | {"label": labels})


def make_parquet(folder: Path, n_blocks: int, chunks: int) -> None:
    """Write files of five row groups, a row group per block."""
    import pyarrow.parquet as pq

    for first in range(0, n_blocks, GROUPS_PER_FILE):
        numbers = range(first, min(first + GROUPS_PER_FILE, n_blocks))
        tables = (table_of(number, chunks) for number in numbers)
        one = next(tables)
        with pq.ParquetWriter(folder / f"part-{first:04}.parquet", one.schema) as writer:
            for table in itertools.chain([one], tables):
                writer.write_table(table, row_group_size=chunks)


def make_csv(folder: Path, n_blocks: int, chunks: int) -> None:
    """Write a file per block."""
    from pyarrow.csv import write_csv

    for number in range(n_blocks):
        write_csv(table_of(number, chunks), folder / f"part-{number:04}.csv")


def make_text(folder: Path, n_blocks: int, chunks: int) -> None:
    """Write a folder per block, with a file per label: lines of Python's standard library."""
    import dask
    import numpy as np

    from runner.dataset.text import StdlibLines

    source = StdlibLines(modules=MODULES).arrays()
    X, y = dask.compute(source.X, source.y, scheduler="sync")
    lines = {label: X[y == label] for label in MODULES}
    for number in range(n_blocks):
        rng = np.random.default_rng([3, number])
        part = folder / f"part-{number:04}"
        part.mkdir()
        for label in MODULES:
            chosen = rng.choice(lines[label], chunks // len(MODULES))
            text = "".join(f"{line}\n" for line in chosen)
            (part / f"{label}.txt").write_text(text, encoding="utf-8", newline="\n")


def write_experiment(kind: str, folder: Path, sweep: str, log_model: bool) -> Path:
    """Write the file that all but the loop run."""
    about = KINDS[kind]
    path = {"parquet": folder, "csv": folder, "text": folder / "*" / "*.txt"}[kind]
    target = "" if kind == "text" else ", target: label"
    stages = "[hashing]" if kind == "text" else "[]"
    file = folder.parent / f"{folder.name}.yaml"
    file.write_text(
        f"""\
# the sweep of the benchmark
defaults:
  - override /dataset: {about.dataset}
  - override /preprocessing: {stages}
  - override /estimator: {about.estimator}
  - override /callbacks: []
name: sweep
seed: {SEED}
dataset: {{path: "{path}"{target}, chunks: {about.chunks}, holdout: {HOLDOUT}}}
stream: {{shuffle: false}}
fit: {{progressive_window: 0}}
evaluation: {{scoring: [accuracy]}}
tracking: {{log_model: {str(log_model).lower()}}}
{about.more}
{sweep}
""",
        encoding="utf-8",
    )
    return file


def estimator_of(kind: str, settings: dict[str, Any]):
    """Return a member's estimator."""
    from sklearn.linear_model import SGDClassifier
    from sklearn.naive_bayes import MultinomialNB

    if kind == "text":
        return MultinomialNB(**settings)
    return SGDClassifier(**settings, random_state=SEED)


def classes_of(kind: str) -> list[Any]:
    return MODULES if kind == "text" else [0, 1]


def read_parquet(folder: Path, number: int):
    """Read a block as a careful person would, and so do the next two functions."""
    import pyarrow.parquet as pq

    first, group = number // GROUPS_PER_FILE * GROUPS_PER_FILE, number % GROUPS_PER_FILE
    with pq.ParquetFile(folder / f"part-{first:04}.parquet") as file:
        frame = file.read_row_group(group, columns=[*NAMES, "label"]).to_pandas()
    return frame[NAMES].to_numpy(), frame["label"].to_numpy()


def read_csv(folder: Path, number: int):
    from pyarrow.csv import read_csv as read

    frame = read(folder / f"part-{number:04}.csv").to_pandas()
    return frame[NAMES].to_numpy(), frame["label"].to_numpy()


def read_text(folder: Path, number: int):
    from sklearn.feature_extraction.text import HashingVectorizer

    lines, labels = [], []
    for path in sorted((folder / f"part-{number:04}").glob("*.txt")):
        with path.open(encoding="utf-8", newline="\n") as file:
            here = [line.removesuffix("\n") for line in file]
        lines += here
        labels += [path.stem] * len(here)
    hashing = HashingVectorizer(n_features=2**16, alternate_sign=False)
    return hashing.transform(lines), labels


READ = {"parquet": read_parquet, "csv": read_csv, "text": read_text}


def dataset_of(kind: str, folder: Path):
    """Return the dataset of the experiment, for what is measured without a command."""
    from runner.dataset.csv import Csv
    from runner.dataset.parquet import Parquet
    from runner.dataset.text import TextLines

    common = {"chunks": KINDS[kind].chunks, "holdout": HOLDOUT, "seed": SEED}
    if kind == "text":
        return TextLines(path=str(folder / "*" / "*.txt"), **common)
    return {"parquet": Parquet, "csv": Csv}[kind](path=str(folder), target="label", **common)


def places(part: Any) -> list[int]:
    return [place.number for place in part.places]


def loop(kind: str, folder: Path, n_members: int) -> dict[str, Any]:
    """Train and score every member by hand, one after the other."""
    numbers = json.loads((folder.parent / f"{folder.name}.json").read_text())
    read, n_read, scores = partial(READ[kind], folder), 0, {}
    for settings in KINDS[kind].members(n_members):
        model = estimator_of(kind, settings)
        for number in numbers["train"]:
            X, y = read(number)
            n_read += 1
            model.partial_fit(X, y, classes=classes_of(kind))
        right = n_rows = 0
        for number in numbers["holdout"]:
            X, y = read(number)
            right += int((model.predict(X) == y).sum())
            n_rows += len(y)
        scores[member_key(settings)] = right / n_rows
    return {"reads": n_read, "scores": scores}


def load(kind: str, folder: Path, _: int) -> dict[str, Any]:
    """Read every block once by the runner's reader and fixed stages, in one thread."""
    from runner.stream.stream import Stream

    stages, dataset = stages_of(kind), dataset_of(kind, folder)
    stream = Stream(shuffle=False, prefetch=0)
    started = time.perf_counter()
    split = dataset.split()
    for part in (split.train, split.holdout):
        for block in stream.in_order(stream.source(part, stages.transform)):
            del block
    return {"took": time.perf_counter() - started}


def fit(kind: str, folder: Path, n_members: int) -> dict[str, Any]:
    """Learn as many blocks as there are, from a few that are in memory."""
    from runner.stream.stream import Stream

    train, stages = dataset_of(kind, folder).split().train, stages_of(kind)
    source = Stream().source(train, stages.transform)
    blocks = [source.read(i) for i in range(min(3, train.n_blocks))]
    settings = KINDS[kind].members(n_members)[:2]  # one of each value of the second axis
    started = time.perf_counter()
    for chosen in settings:
        model = estimator_of(kind, chosen)
        for i in range(train.n_blocks):
            block = blocks[i % len(blocks)]
            model.partial_fit(block.X, block.y, classes=classes_of(kind))
    return {"took": (time.perf_counter() - started) / len(settings)}


def stages_of(kind: str):
    from sklearn.feature_extraction.text import HashingVectorizer

    from runner.preprocessing.stages import Stages

    hashing = {"hashing": HashingVectorizer(n_features=2**16, alternate_sign=False)}
    return Stages(hashing if kind == "text" else {}, "first_pass")


BY_HAND: dict[str, Callable[[str, Path, int], dict[str, Any]]] = {
    "loop": loop,
    "load": load,
    "fit": fit,
}
LAUNCHERS = {
    "shared": [],
    "shards": ["cluster=local", f"cluster.n_workers={CORES}"],
    "dask": ["hydra/launcher=dask", "cluster=local", f"cluster.n_workers={CORES}"],
    "basic": ["hydra/launcher=basic"],
    "joblib": ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={CORES}"],
}
CONTENDERS = (*LAUNCHERS, "loop")


def member_key(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())


class Memory(threading.Thread):
    """Watches the memory of a process and its children, as long as it lives."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._largest: dict[int, int] = {}
        self._seen: dict[int, int] = {}
        self.start()

    def run(self) -> None:
        """Keep the largest resident size of each process until the first has ended."""
        import psutil

        try:
            root = psutil.Process(self._pid)
            while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
                for process in (root, *root.children(recursive=True)):
                    self._look_at(process)
                time.sleep(SAMPLED_S)
        except psutil.NoSuchProcess:
            return

    def _look_at(self, process: Any) -> None:
        import psutil

        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            size = process.memory_info().rss
            self._largest[process.pid] = max(size, self._largest.get(process.pid, 0))
            self._seen[process.pid] = self._seen.get(process.pid, 0) + 1

    def peak_mb(self) -> float:
        """Return the sum over the processes, without those that were gone at once."""
        self.join()
        kept = (pid for pid, times in self._seen.items() if times >= SEEN_OFTEN)
        return sum(self._largest[pid] for pid in kept) / 1e6


@dataclass
class Bench:
    """Where everything lies, and what is switched on."""

    scratch: Path
    log_model: bool

    def prepare(self, kind: str, n_rows: int) -> Path:
        """Write the rows of a kind, and next to none for ``start``; return the folder."""
        folder = self.scratch / kind
        make(kind, folder, n_rows, KINDS[kind].chunks)
        make(kind, self.scratch / f"{kind}-tiny", 3 * TINY_CHUNKS, TINY_CHUNKS)
        split = dataset_of(kind, folder).split()
        numbers = {"train": places(split.train), "holdout": places(split.holdout)}
        (self.scratch / f"{kind}.json").write_text(json.dumps(numbers))
        return folder

    def command(self, contender: str, kind: str, n_members: int) -> list[str]:
        """Return the whole command of a contender."""
        folder = self.scratch / kind
        if contender in BY_HAND:
            asked = ["--contender", contender, "--folder", str(folder)]
            return [sys.executable, __file__, *asked, "--data", kind, "--members", str(n_members)]
        grid = {f"estimator.{key}": value for key, value in KINDS[kind].grid(n_members).items()}
        file = write_experiment(
            kind, folder, f"sweep: {{grid: {json.dumps(grid)}}}", self.log_model
        )
        command = [sys.executable, "-m", "runner", "run", str(file)]
        if contender == "start":
            tiny = self.scratch / f"{kind}-tiny"
            path = tiny / "*" / "*.txt" if kind == "text" else tiny
            return [*command, f"dataset.path={path}", f"dataset.chunks={TINY_CHUNKS}"]
        return [*command, *LAUNCHERS[contender]]

    def run(self, contender: str, kind: str, n_members: int) -> dict[str, Any]:
        """Run a contender in a new project, and return what it took and what it recorded."""
        project = Path(tempfile.mkdtemp(prefix="project-", dir=self.scratch))
        shutil.copy(self.scratch / "schema.db", project / "mlflow.db")
        unset = {"MLFLOW_TRACKING_URI", "RUNNER_EXPERIMENTS"}
        environment = {key: value for key, value in os.environ.items() if key not in unset}
        environment |= {"RUNNER_PROJECT": str(project), "MLFLOW_DISABLE_TELEMETRY": "true"}
        output = project / "output.txt"
        with output.open("w") as file:
            started = time.perf_counter()
            process = subprocess.Popen(
                self.command(contender, kind, n_members),
                env=environment,
                cwd=project,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
            memory = Memory(process.pid)
            code = process.wait()
            wall = time.perf_counter() - started
        said = output.read_text(errors="replace")
        if code:
            sys.exit(f"{contender} on {kind} ended with {code}:\n{said[-3000:]}")
        found = (
            json.loads(said.splitlines()[-1]) if contender in BY_HAND else record(project, kind)
        )
        shutil.rmtree(project)
        return {"wall": wall, "memory": memory.peak_mb(), **found}


def record(project: Path, kind: str) -> dict[str, Any]:
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
    reads = set().union(*map(reads_in, members.values()))
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


Taken = dict[tuple[str, int, str], list[dict[str, Any]]]


def turn(bench: Bench, kind: str, n_members: int, contenders: list[str], taken: Taken) -> None:
    """Run every contender once."""
    fits = {}
    for contender in (*contenders, "start", "load", "fit"):
        took = bench.run(contender, kind, n_members)
        fits[contender] = took
        taken.setdefault((kind, n_members, contender), []).append(took)
    scores = [fits[contender]["scores"] for contender in contenders]
    assert len(scores[0]) == n_members
    assert all(each == scores[0] for each in scores), "the scores differ"


def middle(values: list[float], form: str) -> str:
    """Return the median, and from where to where the values go."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def tell(kind: str, n_members: int, contenders: list[str], taken: Taken) -> None:
    """Print what one sweep took, and the ratios pair by pair."""
    of = {name: taken[kind, n_members, name] for name in (*contenders, "start", "load", "fit")}
    print(f"\n{kind}, {n_members} members")
    for name in contenders:
        walls, peaks = ([took[key] for took in of[name]] for key in ("wall", "memory"))
        reads = of[name][0]["reads"]
        print(
            f"  {name:8} {middle(walls, '.2f')} s  {middle(peaks, '.0f')} MB  {reads} blocks read"
        )
    print(f"  {'start':8} {middle([took['wall'] for took in of['start']], '.2f')} s")
    for name in ("load", "fit"):
        print(f"  {name:8} {middle([took['took'] for took in of[name]], '.3f')} s")
    if "shared" not in contenders:
        return
    for name in contenders:
        if name != "shared":
            ratios = [a["wall"] / b["wall"] for a, b in zip(of[name], of["shared"], strict=True)]
            reach = {"csv": " (reach 4)", "parquet": " (reach 1.8)"}.get(kind, "")
            told = reach if name == "joblib" and n_members == 16 else ""
            print(f"  {name} / shared, wall: {middle(ratios, '.2f')}{told}")
    whole, less_start = [], []
    for shared, start, load, fit in zip(*(of[n] for n in SHARED_AND_ALONE), strict=True):
        limit = (load["took"] + n_members * fit["took"]) / CORES
        whole.append(shared["wall"] / limit)
        less_start.append((shared["wall"] - start["wall"]) / limit)
    print(f"  shared / limit, wall: {middle(whole, '.2f')} (reach 1.3)")
    print(f"  (shared - start) / limit, wall: {middle(less_start, '.2f')}")


SHARED_AND_ALONE = ("shared", "start", "load", "fit")


def tell_memory(kind: str, counts: list[int], taken: Taken) -> None:
    """Print how the memory of the shared pass grows with the members."""
    few, many = (taken.get((kind, n, "shared")) for n in (min(counts), max(counts)))
    if few and many and few is not many:
        ratios = [a["memory"] / b["memory"] for a, b in zip(many, few, strict=True)]
        about = f"{max(counts)} members / {min(counts)} members"
        print(f"\n{kind}, shared, memory: {about} {middle(ratios, '.2f')}")


def compare(asked: argparse.Namespace, scratch: Path) -> None:
    """Measure what was asked for, and print it as it comes."""
    from runner.tracking.client import connect
    from runner.tracking.store import resolve

    connect(resolve(f"sqlite:///{scratch / 'schema.db'}"))
    bench, taken = Bench(scratch, asked.log_model), {}
    print(
        f"{platform.python_version()}, {CORES} cores, {asked.repeats} turns, medians (min to max)"
    )
    for kind in asked.data:
        n_rows = asked.rows or KINDS[kind].rows
        bench.prepare(kind, n_rows)
        for warming in ("load", "start"):
            bench.run(warming, kind, 2)
        for n_members in asked.members:
            for _ in range(asked.repeats):
                turn(bench, kind, n_members, asked.contenders, taken)
            tell(kind, n_members, asked.contenders, taken)
            sys.stdout.flush()
        tell_memory(kind, asked.members, taken)


def even(text: str) -> int:
    """Return a number of members: half of them have each value of the second axis."""
    if int(text) < 2 or int(text) % 2:
        raise argparse.ArgumentTypeError("must be even")
    return int(text)


def main() -> None:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=even, nargs="+", default=[4, 16, 64])
    parser.add_argument("--data", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, help="instead of the rows of each kind of data")
    parser.add_argument("--log-model", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--contender", choices=BY_HAND)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.contender:
        job = BY_HAND[asked.contender]
        print(json.dumps(job(asked.data[0], asked.folder, asked.members[0])))
        return
    with tempfile.TemporaryDirectory(prefix="sweep-") as scratch:
        compare(asked, Path(scratch))


if __name__ == "__main__":
    main()
