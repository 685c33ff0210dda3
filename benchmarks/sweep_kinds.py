"""The kinds of data of the sweep's benchmark, and what its contenders do by hand."""

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.data import MODULES, NAMES, group_of, make_csv, make_parquet, make_text
from benchmarks.turns import Found

SEED, HOLDOUT, IN_MEMORY = 0, 0.1, 8
LOSSES = ("loss", ["hinge", "modified_huber"])
TABLE = "partial_fit: {classes: [0, 1]}"
TEXT = f"""\
preprocessing: {{hashing: {{alternate_sign: false}}}}
partial_fit: {{classes: {json.dumps(MODULES)}}}"""


@dataclass(frozen=True)
class Kind:
    """A kind of data, how the runner is told of it, and what the members of a sweep differ in."""

    rows: int
    chunks: int
    dataset: str
    estimator: str
    more: str
    second_axis: tuple[str, list[Any]]
    make: Callable[[Path, int, int], None]

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


KINDS = {
    "parquet": Kind(3_000_000, 100_000, "parquet", "sgd_classifier", TABLE, LOSSES, make_parquet),
    "csv": Kind(4_000_000, 50_000, "csv", "sgd_classifier", TABLE, LOSSES, make_csv),
    "text": Kind(
        400_000,
        10_000,
        "text_lines",
        "multinomial_nb",
        TEXT,
        ("fit_prior", [True, False]),
        make_text,
    ),
}


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


def estimator_of(kind: str, settings: dict[str, Any]) -> Any:
    """Return a member's estimator."""
    from sklearn.linear_model import SGDClassifier
    from sklearn.naive_bayes import MultinomialNB

    if kind == "text":
        return MultinomialNB(**settings)
    return SGDClassifier(**settings, random_state=SEED)


def classes_of(kind: str) -> list[Any]:
    return MODULES if kind == "text" else [0, 1]


def read_csv(folder: Path, number: int) -> tuple[Any, Any]:
    """Read a block as a careful person would, and so does the next function."""
    from pyarrow.csv import read_csv as read

    frame = read(folder / f"part-{number:04}.csv").to_pandas()
    return frame[NAMES].to_numpy(), frame["label"].to_numpy()


def read_text(folder: Path, number: int) -> tuple[Any, Any]:
    lines: list[str] = []
    labels: list[str] = []
    for path in sorted((folder / f"part-{number:04}").glob("*.txt")):
        with path.open(encoding="utf-8", newline="\n") as file:
            here = [line.removesuffix("\n") for line in file]
        lines += here
        labels += [path.stem] * len(here)
    return hashing().transform(lines), labels


READ = {"parquet": group_of, "csv": read_csv, "text": read_text}


def hashing() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(n_features=2**16, alternate_sign=False)


def stages_of(kind: str) -> Any:
    from runner.preprocessing.stages import Stages

    return Stages({"hashing": hashing()} if kind == "text" else {}, "first_pass")


def dataset_of(kind: str, folder: Path) -> Any:
    """Return the dataset of the experiment, for what is measured without a command."""
    from runner.dataset.csv import Csv
    from runner.dataset.parquet import Parquet
    from runner.dataset.text import TextLines

    common = {"chunks": KINDS[kind].chunks, "holdout": HOLDOUT, "seed": SEED}
    if kind == "text":
        return TextLines(path=str(folder / "*" / "*.txt"), **common)
    return {"parquet": Parquet, "csv": Csv}[kind](path=str(folder), target="label", **common)


def member_key(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())


def loop(kind: str, folder: str, n_members: int) -> Found:
    """Train and score every member by hand, one after the other."""
    there = Path(folder)
    numbers = json.loads((there.parent / f"{there.name}.json").read_text())
    read, n_read, scores = partial(READ[kind], there), 0, {}
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


def load(kind: str, folder: str, **_: Any) -> Found:
    """Read every block once by the runner's reader and fixed stages, in one thread."""
    from runner.stream.stream import Stream

    stages, dataset = stages_of(kind), dataset_of(kind, Path(folder))
    stream = Stream(shuffle=False, prefetch=0)
    started = time.perf_counter()
    split = dataset.split()
    for part in (split.train, split.holdout):
        for block in stream.in_order(stream.source(part, stages.transform)):
            del block
    return {"wall": time.perf_counter() - started}


def fit(kind: str, folder: str, n_members: int) -> Found:
    """Learn as many blocks as there are, from several that are in memory."""
    from runner.stream.stream import Stream

    train, stages = dataset_of(kind, Path(folder)).split().train, stages_of(kind)
    source = Stream().source(train, stages.transform)
    blocks = [source.read(i) for i in range(min(IN_MEMORY, train.n_blocks))]
    settings = KINDS[kind].members(n_members)[:2]  # one of each value of the second axis
    started = time.perf_counter()
    for chosen in settings:
        model = estimator_of(kind, chosen)
        for i in range(train.n_blocks):
            block = blocks[i % len(blocks)]
            model.partial_fit(block.X, block.y, classes=classes_of(kind))
    return {"wall": (time.perf_counter() - started) / len(settings)}


BY_HAND: dict[str, Callable[..., Found]] = {"loop": loop, "load": load, "fit": fit}
