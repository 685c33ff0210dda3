"""Beside two libraries that learn incrementally themselves: river, and Vowpal Wabbit.

river's ``MultinomialNB.learn_many`` has an equal in scikit-learn: the counts and the predictions
are the same, which is checked. Both learn the same blocks in memory: river the sparse DataFrames
that it demands, the runner arrays.

Vowpal Wabbit learns a linear classifier with the logistic loss from its own cache of a file of
text, the fastest that it reads; the cache is written before. The runner reads the same rows from
Parquet and learns by ``SGDClassifier(loss="log_loss")``. The algorithms differ, so each says how
many of the rows of further blocks it gets right. None of this has something to reach.
"""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.data import NAMES, group_of, make_parquet, rows_of
from benchmarks.promise import Promise
from benchmarks.row import Row
from benchmarks.turns import Found, alternate, digest, job, timed

COUNT_ROWS, COUNT_COLUMNS, N_CLASSES, N_HELD_OUT = 20_000, 100, 10, 2
RIVER, FIT = "river's learn_many", "runner's fit"
VOWPAL_WABBIT, RUNNER = "Vowpal Wabbit", "runner"
LABELS = [str(number) for number in range(N_CLASSES)]


def counts_of(number: int) -> tuple[Any, Any]:
    """Make a block of counts, whose means depend on the label."""
    import numpy as np

    rng = np.random.default_rng([4, number])
    y = rng.integers(0, N_CLASSES, COUNT_ROWS)
    means = np.random.default_rng(5).uniform(0.2, 1, (N_CLASSES, COUNT_COLUMNS))
    return rng.poisson(means[y]).astype(float), np.array(LABELS)[y]


def river(n_blocks: int) -> Found:
    """Learn blocks in memory by river; tell the counts and some predictions."""
    import numpy as np
    import pandas as pd
    from river.naive_bayes import MultinomialNB
    from scipy.sparse import csr_matrix

    def frame_of(X: Any) -> Any:
        names = [f"x{i}" for i in range(COUNT_COLUMNS)]
        return pd.DataFrame.sparse.from_spmatrix(csr_matrix(X), columns=names)

    made = [counts_of(number) for number in range(n_blocks)]
    blocks = [(frame_of(X), pd.Series(y)) for X, y in made]
    model = MultinomialNB()

    def work() -> None:
        for X, y in blocks:
            model.learn_many(X, y)

    found = timed(work)
    features = [model.feature_counts[f"x{i}"] for i in range(COUNT_COLUMNS)]
    counts = np.array([[float(each[label]) for each in features] for label in LABELS])
    answers = model.predict_many(frame_of(counts_of(n_blocks)[0][:500]))
    return found | {"result": [digest(counts), answers.to_numpy().tolist()]}


def naive_bayes(n_blocks: int) -> Found:
    """Learn the same blocks in memory by the runner."""
    from sklearn.naive_bayes import MultinomialNB

    from runner.base import Block, Place
    from runner.fit.incremental_fit import IncrementalFit
    from runner.fit.loop import fit_loop
    from runner.one_core import one_core

    made = [counts_of(number) for number in range(n_blocks)]
    model = MultinomialNB()

    def blocks(_: int) -> Iterator[Any]:
        for number, (X, y) in enumerate(made):
            first = number * COUNT_ROWS
            yield Block(X, y, None, Place(number, first, first + COUNT_ROWS))

    with one_core():  # as in every run
        found = timed(lambda: fit_loop([IncrementalFit(model, {"classes": LABELS})], blocks))
    answers = model.predict(counts_of(n_blocks)[0][:500])
    return found | {"result": [digest(model.feature_count_), answers.tolist()]}


def held_out(n_blocks: int, chunks: int) -> tuple[Any, Any]:
    """Return rows of the same kind that nobody learns."""
    import numpy as np

    parts = [rows_of(number, chunks) for number in range(n_blocks, n_blocks + N_HELD_OUT)]
    return np.concatenate([X for X, _ in parts]), np.concatenate([y for _, y in parts])


def write_text(file: Path, X: Any, y: Any) -> None:
    """Add rows to a file, as Vowpal Wabbit's examples; labels are -1 and 1."""
    import pyarrow as pa
    import pyarrow.compute as pc

    words = [pc.cast(pa.array(2 * y - 1), pa.string())]
    for name, column in zip(NAMES, X.T, strict=True):
        text = pc.cast(pa.array(column), pa.string())
        words.append(pc.binary_join_element_wise(f"{name}:", text, ""))
    lines = pc.binary_join_element_wise(words[0], "|", *words[1:], " ")
    with file.open("a", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for line in lines.to_pylist())


def vowpal_wabbit(folder: str, n_blocks: int, chunks: int) -> Found:
    """Learn from the cache, then tell how many rows of others are right."""
    import numpy as np
    from vowpalwabbit import Workspace

    there = Path(folder)
    rows, cache, answers = there / "rows.txt", there / "rows.cache", there / "answers.txt"
    model, others = there / "model.vw", there / "others.txt"
    if not rows.exists():
        for number in range(n_blocks):
            write_text(rows, *group_of(there / "parquet", number))
        write_text(others, *held_out(n_blocks, chunks))
        Workspace(f"--quiet --noop -d {rows} --cache_file {cache}").finish()
    words = f"--quiet --loss_function logistic -d {rows} --cache_file {cache} -f {model}"
    found = timed(lambda: Workspace(words).finish())
    Workspace(f"--quiet -t --binary -i {model} -d {others} -p {answers}").finish()
    right = np.loadtxt(answers) == 2 * held_out(n_blocks, chunks)[1] - 1
    return told(found, float(right.mean()), n_blocks * chunks)


def by_runner(folder: str, n_blocks: int, chunks: int) -> Found:
    """Learn from Parquet by the runner, then tell the same."""
    from sklearn.linear_model import SGDClassifier

    from runner.dataset.parquet import Parquet
    from runner.experiment import Experiment, run
    from runner.fit.options import FitOptions
    from runner.records import Recipe
    from runner.tracking.memory_tracker import MemoryTracker

    experiment = Experiment(
        name="sgd",
        dataset=Parquet(path=f"{folder}/parquet", target="label", chunks=chunks, holdout=0),
        estimator=SGDClassifier(loss="log_loss", random_state=0),
        tracking=MemoryTracker(),
        partial_fit={"classes": [0, 1]},
        fit=FitOptions(progressive_window=0),
    )
    found = timed(lambda: run(experiment, Recipe("sgd", {})).estimator)
    X, y = held_out(n_blocks, chunks)
    return told(found, float((found.pop("result").predict(X) == y).mean()), n_blocks * chunks)


def told(found: Found, accuracy: float, n_rows: int) -> Found:
    """Return what a contender took for a row, in microseconds, and how often it is right."""
    return {"row": found["wall"] / n_rows * 1e6, "cpu": found["cpu"], "accuracy": accuracy}


CONTENDERS = {
    "river": river,
    "naive_bayes": naive_bayes,
    "vowpal_wabbit": vowpal_wabbit,
    "runner": by_runner,
}


def measure(
    scratch: Path, turns: int, count_blocks: int, blocks: int, chunks: int
) -> Iterator[Row]:
    """Compare each with the runner."""
    make_parquet(scratch / "parquet", blocks, chunks)
    given: dict[str, Any] = {"folder": str(scratch), "n_blocks": blocks, "chunks": chunks}
    ways = {
        RIVER: partial(job, "peers", "river", n_blocks=count_blocks),
        FIT: partial(job, "peers", "naive_bayes", n_blocks=count_blocks),
        VOWPAL_WABBIT: partial(job, "peers", "vowpal_wabbit", **given),
        RUNNER: partial(job, "peers", "runner", **given),
    }
    taken = alternate(ways, turns, needs={RIVER: "river", VOWPAL_WABBIT: "vowpalwabbit"})
    taken.same("result", RIVER, FIT)
    yield taken.row("naive Bayes, blocks in memory", RIVER, FIT)
    pair = VOWPAL_WABBIT, RUNNER
    yield taken.row("a linear classifier, per row", *pair, key="row", unit="µs")
    yield taken.row("its accuracy, other algorithm", *pair, key="accuracy", unit="right")


PROMISE = Promise(
    measure,
    CONTENDERS,
    {"count_blocks": (20, 3), "blocks": (5, 3), "chunks": (100_000, 5_000)},
    turns=2,
)

if __name__ == "__main__":
    sys.exit(PROMISE.main(__doc__))
