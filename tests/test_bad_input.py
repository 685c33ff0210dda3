"""Data and settings that cannot be learned are refused or told, and healthy oddities are not.

Each case is 8 blocks of 40 rows in order; unless it is of the whole dataset, the fault is in row
217, in the middle of block 5. ``known`` says when it must be told:

- ``0``: before the first block is learned;
- ``block``: at its block, which is named; every block before it was learned;
- ``row``: the same, and its row is named;
- ``pass``: the same, in a pass before the first block is learned;
- ``told``: in a remark or a warning, and the run goes on.
"""

import os
import re
import sys
import types
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp
from omegaconf import ListConfig
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import IncrementalPCA
from sklearn.linear_model import LogisticRegression, Perceptron, SGDClassifier, SGDRegressor
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neural_network import BernoulliRBM, MLPClassifier
from sklearn.preprocessing import MaxAbsScaler, StandardScaler

import runner
from runner.base import Callback
from runner.dataset.csv import Csv
from runner.dataset.function import Function
from runner.dataset.npy import Npy
from runner.dataset.parquet import Parquet
from runner.dataset.text import TextLines
from runner.dataset.zarr import Zarr
from runner.errors import InvalidConfigError, RunnerError
from runner.experiment import Experiment, run
from runner.fit.options import FitOptions
from runner.incremental import Incremental
from runner.records import Recipe
from runner.stream.stream import Stream
from runner.tracking.memory_tracker import MemoryTracker

N_BLOCKS, N_ROWS, WIDTH = 8, 40, 8
TOTAL = N_BLOCKS * N_ROWS
BAD, ROW = 5, 217
IN_BLOCK = slice(BAD * N_ROWS, (BAD + 1) * N_ROWS)
BLOCK, AT_ROW = r"[Bb]lock 5 \(rows 200 to 239\)", r"\brow 217\b"
NAMES = [f"x{j}" for j in range(WIDTH)]
FEW_CLASSES = {"classes": [0, 1]}
REFUSED, ACCEPTED, PLACED, MENDED, KEPT = ({} for _ in range(5))


class Seen(Callback):
    """Remembers which blocks were learned."""

    def __init__(self):
        self.blocks = []

    def on_block_end(self, progress, block):
        self.blocks.append(block.place.number)


@dataclass(frozen=True)
class Setting:
    """What a case may use: a folder, and a module that ``dataset.function`` finds."""

    folder: Path
    module: Any
    monkeypatch: Any

    def given(self, *arrays, chunks="auto"):
        self.module.given = lambda: arrays
        return Function(function="given_rows:given", chunks=chunks, holdout=0)

    def blocks(self, X, y, weight=None):
        """Return the dataset of arrays in 8 lazy blocks."""
        arrays = [X, y] if weight is None else [X, y, weight]
        return self.given(*map(cut, arrays))


def cut(array):
    if array is None:
        return None
    return (
        array
        if isinstance(array, da.Array)
        else da.from_array(array, chunks=(N_ROWS, *array.shape[1:]))
    )


def clean(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(TOTAL, WIDTH))
    return X, (X @ np.linspace(-1, 1, WIDTH) > 0).astype(int)


def counts():
    """Return rows of small counts, for naive Bayes."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, TOTAL)
    return rng.poisson(np.where(y[:, None] == np.arange(WIDTH) % 2, 5, 1)), y


def linear(**settings):
    return SGDClassifier(**settings)


def experiment(dataset, estimator=None, **parts):
    return Experiment(
        **{
            "name": "bad input",
            "dataset": dataset,
            "estimator": linear() if estimator is None else estimator,
            "tracking": MemoryTracker(),
            "stream": Stream(shuffle=False),
            "partial_fit": FEW_CLASSES,
            "fit": FitOptions(epochs=1),
            "callbacks": {"seen": Seen()},
            **parts,
        }
    )


@dataclass(frozen=True)
class Bad:
    """A case: how it is made, when it is known, and what its message must say."""

    make: Any
    known: str
    says: tuple[str, ...]
    remedy: str
    block: int | None

    @property
    def place(self):
        """What names the place of the fault."""
        block = "mix of blocks" if self.block is None else rf"[Bb]lock {self.block} \(rows "
        return {"block": [block], "row": [block, AT_ROW], "pass": [block, AT_ROW]}.get(
            self.known, []
        )

    @property
    def before(self):
        """The blocks that were learned before the fault was known."""
        is_at_block = self.known in ("block", "row") and self.block is not None
        return list(range(self.block if is_at_block else 0))


BADS: dict[str, Bad] = {}
HEALTHY: dict[str, Any] = {}


def bad(name, known, *says, remedy, block=BAD):
    def keep(make):
        assert name not in BADS
        BADS[name] = Bad(make, known, says, remedy, block)
        return make

    return keep


def healthy(name):
    def keep(make):
        assert name not in HEALTHY
        HEALTHY[name] = make
        return make

    return keep


# ---------------------------------------------------------------- values


def spoiled(value, row=ROW, column=3):
    X, y = clean()
    X[row, column] = value
    return X, y


@bad("NaN in a cell", "row", "column 3", "nan", remedy="imputer")
def _(at):
    return experiment(at.blocks(*spoiled(np.nan)))


@bad("infinity in a cell", "row", "column 3", "inf", remedy="source")
def _(at):
    return experiment(at.blocks(*spoiled(np.inf)))


@bad("NaN in the first row", "block", "row 0,", remedy="imputer", block=0)
def _(at):
    return experiment(at.blocks(*spoiled(np.nan, row=0)))


@bad("NaN in the last row", "block", "row 319", remedy="imputer", block=7)
def _(at):
    return experiment(at.blocks(*spoiled(np.nan, row=-1)))


@bad("NaN behind a scaler", "row", "column 3", "nan", remedy="imputer")
def _(at):
    return experiment(at.blocks(*spoiled(np.nan)), preprocessing={"scaler": StandardScaler()})


@bad("infinity before a scaler", "pass", "column 3", "inf", remedy="source")
def _(at):
    return experiment(at.blocks(*spoiled(np.inf)), preprocessing={"scaler": StandardScaler()})


@bad("NaN of float32, MLP", "row", "column 3", remedy="imputer")
def _(at):
    X, y = spoiled(np.nan)
    return experiment(at.blocks(X.astype(np.float32), y), MLPClassifier((4,)))


@bad("a number too large for float32, MLP", "row", "column 3", remedy="source|scale")
def _(at):
    X, y = spoiled(1e30)
    return experiment(at.blocks(X.astype(np.float32), y), MLPClassifier((4,)))


@bad("a square overflows, SGD", "row", "column 3", r"1e\+200", remedy="source|scale")
def _(at):
    return experiment(at.blocks(*spoiled(1e200)))


@bad("a square overflows, GaussianNB", "row", "column 3", r"1e\+200", remedy="source|scale")
def _(at):
    return experiment(at.blocks(*spoiled(1e200)), GaussianNB())


@bad("a square overflows, MiniBatchKMeans", "row", "column 3", r"1e\+200", remedy="source|scale")
def _(at):
    X, _ = spoiled(1e200)
    return experiment(at.blocks(X, None), MiniBatchKMeans(3), partial_fit={})


@bad("a square overflows, MLP", "row", "column 3", r"1e\+200", remedy="source|scale")
def _(at):
    return experiment(at.blocks(*spoiled(1e200)), MLPClassifier((4,)))


@bad("a square overflows, StandardScaler", "pass", "column 3", r"1e\+200", remedy="source|scale")
def _(at):
    return experiment(at.blocks(*spoiled(1e200)), preprocessing={"scaler": StandardScaler()})


@bad(
    "a sum overflows, MultinomialNB",
    "block",
    "row 217",
    "column 3",
    r"1e\+308",
    remedy="source|scale",
)
def _(at):
    X, y = counts()
    X = X.astype(float)
    X[ROW : ROW + 2, 3], y[ROW : ROW + 2] = 1e308, 0
    return experiment(at.blocks(X, y), MultinomialNB())


@bad("negative values, MultinomialNB", "row", "column 3", "-2", remedy="min_max_scaler")
def _(at):
    X, y = counts()
    X[ROW, 3] = -2
    return experiment(at.blocks(X, y), MultinomialNB())


@bad("negative values, ComplementNB", "row", "column 3", "-2", remedy="min_max_scaler")
def _(at):
    X, y = counts()
    X[ROW, 3] = -2
    return experiment(at.blocks(X, y), ComplementNB())


@bad("an unknown category, CategoricalNB", "block", remedy="min_categories")
def _(at):
    X, y = counts()
    X = np.minimum(X, 3)
    X[ROW, 3] = 9
    return experiment(at.blocks(X, y), CategoricalNB(min_categories=4))


@bad("values outside of 0 to 1, BernoulliRBM", "told", "wild-scale", remedy="min_max_scaler")
def _(at):
    X, _ = clean()
    return experiment(at.blocks(X, None), BernoulliRBM(batch_size=N_ROWS), partial_fit={})


@bad("a column times 1e6, SGD", "told", "wild-scale", "column 3", remedy="standard_scaler")
def _(at):
    X, y = clean()
    X[:, 3] *= 1e6
    return experiment(at.blocks(X, y))


@bad(
    "a column times 1e6 from block 5 on, SGD",
    "told",
    "wild-scale",
    BLOCK,
    "column 3",
    remedy="standard_scaler",
)
def _(at):
    X, y = clean()
    X[BAD * N_ROWS :, 3] *= 1e6
    return experiment(at.blocks(X, y))


@bad(
    "a single absurd cell, SGD", "told", "wild-scale", BLOCK, "column 3", remedy="Mend these rows"
)
def _(at):
    return experiment(at.blocks(*spoiled(1e9)))


@bad(
    "a column times 1e6 from block 5 on, MLP",
    "told",
    "wild-scale",
    BLOCK,
    "column 3",
    remedy="standard_scaler",
)
def _(at):
    X, y = clean()
    X[BAD * N_ROWS :, 3] *= 1e6
    return experiment(at.blocks(X, y), MLPClassifier((4,)))


@bad("a column times 1e6 of a table", "told", "wild-scale", "x3", remedy="standard_scaler")
def _(at):
    X, y = clean()
    X[:, 3] *= 1e6
    return experiment(parquet(at, X, y))


@bad(
    "a column times 1e6, SGDRegressor", "told", "wild-scale", "column 3", remedy="standard_scaler"
)
def _(at):
    X, _ = clean()
    y = X @ np.ones(WIDTH)
    X[:, 3] *= 1e6
    return experiment(at.blocks(X, y), SGDRegressor(), partial_fit={})


@bad("NaN in a target of numbers", "row", "y", remedy="source")
def _(at):
    X, _ = clean()
    y = X @ np.ones(WIDTH)
    y[ROW] = np.nan
    return experiment(at.blocks(X, y), SGDRegressor(), partial_fit={})


@bad("infinity in a target of numbers", "row", "y", remedy="source")
def _(at):
    X, _ = clean()
    y = X @ np.ones(WIDTH)
    y[ROW] = -np.inf
    return experiment(at.blocks(X, y), SGDRegressor(), partial_fit={})


@bad("an absurd target", "row", "y", r"1e\+200", remedy="source")
def _(at):
    X, _ = clean()
    y = X @ np.ones(WIDTH)
    y[ROW] = 1e200
    return experiment(at.blocks(X, y), SGDRegressor(), partial_fit={})


@bad("NaN among the weights", "row", "sample_weight", remedy="source")
def _(at):
    weight = np.ones(TOTAL)
    weight[ROW] = np.nan
    return experiment(at.blocks(*clean(), weight))


@bad("a negative weight", "block", "weight", "-1", remedy="weights")
def _(at):
    weight = np.ones(TOTAL)
    weight[ROW] = -1
    return experiment(at.blocks(*clean(), weight))


# ---------------------------------------------------------------- blocks


def lazy_blocks(*blocks, width=WIDTH, dtype=float, sizes=None):
    """Return what is there only when it is asked for, declared as 8 blocks of 40 rows."""
    sizes = sizes or [N_ROWS] * len(blocks)
    columns = () if width is None else (width,)
    return da.concatenate(
        [
            da.from_delayed(dask.delayed(block), (size, *columns), dtype)
            for block, size in zip(blocks, sizes, strict=True)
        ]
    )


def parted(array):
    return np.split(array, N_BLOCKS)


@bad("only empty blocks", "0", r"at least one row", remedy="source|filters")
def _(at):
    return experiment(at.given(np.empty((0, WIDTH)), np.empty(0, int)))


@bad(
    "blocks that are empty once they are read",
    "0",
    "at least one row",
    "8 of them",
    remedy="source",
)
def _(at):
    X, y = clean()
    none = np.zeros(N_ROWS, bool)
    X, y = cut(X), cut(y)
    empty_X = X.map_blocks(lambda block: block[none[: len(block)]], chunks=X.chunks)
    empty_y = y.map_blocks(lambda block: block[none[: len(block)]], chunks=y.chunks)
    return experiment(at.given(empty_X, empty_y))


@bad("X is filtered and y is not", "0", "rows of X", "of y", remedy="same rows")
def _(at):
    X, y = map(cut, clean())
    return experiment(at.given(X[X[:, 0] > -1], y))


@bad(
    "X is filtered and y is not, in a notebook",
    "block",
    "of X and 40 of y",
    remedy="same rows",
    block=0,
)
def _(at):
    X, y = map(cut, clean())
    return lambda: Incremental(linear(), shuffle_blocks=False).fit(
        X[X[:, 0] > -1], y, **FEW_CLASSES
    )


@bad("X is cut along its columns", "told", "cut along its features", remedy="rechunked")
def _(at):
    X, y = map(cut, clean())
    return experiment(at.given(X.rechunk((N_ROWS, 4)), y))


@bad(
    "a block larger than the memory",
    "0",
    "dataset.chunks",
    r"GiB",
    remedy=r"dataset\.chunks=[0-9]+",
)
def _(at):
    shape = (2**34, WIDTH)
    path = at.folder / "X.npy"
    np.lib.format.open_memmap(path, "w+", np.float32, shape)
    return experiment(Npy(X=str(path), chunks=2**33, holdout=0), MaxAbsScaler(), partial_fit={})


@bad("a lazy block larger than the memory", "0", "GiB", remedy=r"chunks")
def _(at):
    X = da.random.default_rng(0).normal(size=(2**34, 2), chunks=(2**33, 2))
    return experiment(at.given(X, X[:, 0] > 0), partial_fit={"classes": [False, True]})


@bad("a row larger than the memory", "0", "GiB", remedy="features|columns|wide")
def _(at):
    X = da.zeros((3, 2**40), chunks=(1, 2**40))
    return experiment(at.given(X), MaxAbsScaler(), partial_fit={})


# ---------------------------------------------------------------- X against y


@bad("y has fewer rows", "0", "319", "320", remedy="same rows")
def _(at):
    X, y = clean()
    return experiment(at.given(X, y[:-1], chunks=N_ROWS))


@bad("the weights have fewer rows", "0", "319", "320", remedy="same rows")
def _(at):
    X, y = clean()
    return experiment(at.given(X, y, np.ones(TOTAL - 1), chunks=N_ROWS))


@bad(
    "a block has fewer rows in X than it says", "block", "39 of X and 40 of y", remedy="same rows"
)
def _(at):
    X, y = clean()
    parts = parted(X)
    parts[BAD] = parts[BAD][:-1]
    return experiment(at.given(lazy_blocks(*parts), cut(y)))


@bad(
    "a block has fewer rows in y than it says", "block", "40 of X and 39 of y", remedy="same rows"
)
def _(at):
    X, y = clean()
    parts = parted(y)
    parts[BAD] = parts[BAD][:-1]
    return experiment(at.given(cut(X), lazy_blocks(*parts, width=None, dtype=int)))


@bad("y is a column", "told", "y has one column", remedy="one target")
def _(at):
    X, y = clean()
    return experiment(at.blocks(X, y[:, None]))


@bad("y has two columns", "0", "2 columns", "one target", remedy="MultiOutputClassifier|Name one")
def _(at):
    X, y = clean()
    return experiment(at.blocks(X, np.column_stack([y, y])))


@bad(
    "y has two columns, a regressor of one",
    "0",
    "2 columns|one target",
    remedy="multi_output_regressor|MultiOutput|one target",
)
def _(at):
    X, y = clean()
    return experiment(at.blocks(X, np.column_stack([y, y]) * 1.0), SGDRegressor(), partial_fit={})


@bad("X has three dimensions", "0", "X must have one dimension or two", remedy="Reshape X")
def _(at):
    X, y = clean()
    return experiment(at.blocks(X.reshape(TOTAL, 2, 4), y))


@bad("y has three dimensions", "0", "y must have one dimension or two", remedy="Reshape y")
def _(at):
    X, y = clean()
    return experiment(at.blocks(X, y.reshape(TOTAL, 1, 1)))


@bad(
    "the weights have two dimensions",
    "0",
    "sample_weight must have one dimension",
    remedy="Reshape",
)
def _(at):
    return experiment(at.blocks(*clean(), np.ones((TOTAL, 2))))


# ---------------------------------------------------------------- labels


def strange_label(rows, label=7, data=clean):
    X, y = data()
    y[rows] = label
    return X, y


for _kind in (linear, Perceptron, GaussianNB):

    @bad(f"an unlisted label, {_kind.__name__}", "row", r"\[7\]", remedy="partial_fit.classes")
    def _(at, kind=_kind):
        return experiment(at.blocks(*strange_label(ROW)), kind())


for _kind in (MultinomialNB, ComplementNB, BernoulliNB, CategoricalNB):

    @bad(f"an unlisted label, {_kind.__name__}", "row", r"\[7\]", remedy="partial_fit.classes")
    def _(at, kind=_kind):
        made = kind(min_categories=30) if kind is CategoricalNB else kind()
        return experiment(at.blocks(*strange_label(ROW, data=counts)), made)


for _kind in (MultinomialNB, BernoulliNB):

    @bad(
        f"a block of an unlisted label, {_kind.__name__}",
        "block",
        "row 200",
        r"\[7\]",
        remedy="partial_fit.classes",
    )
    def _(at, kind=_kind):
        return experiment(at.blocks(*strange_label(IN_BLOCK, data=counts)), kind())


@bad(
    "an unlisted label in a mix of blocks",
    "block",
    "mix of blocks",
    AT_ROW,
    r"\[7\]",
    remedy="partial_fit.classes",
    block=None,
)
def _(at):
    stream = Stream(shuffle=False, buffer_blocks=2)
    return experiment(at.blocks(*strange_label(ROW)), stream=stream)


@bad("an unlisted label of a second target", "row", r"\[7\]", remedy="partial_fit.classes")
def _(at):
    X, y = clean()
    both = np.column_stack([y, 1 - y])
    both[ROW, 1] = 7
    return experiment(
        at.blocks(X, both),
        MultiOutputClassifier(linear()),
        partial_fit={"classes": [[0, 1], [0, 1]]},
    )


@bad("a label of half a number", "row", r"0\.5", remedy="partial_fit.classes")
def _(at):
    X, y = clean()
    y = y.astype(float)
    y[ROW] = 0.5
    return experiment(at.blocks(X, y))


@bad("a label that is NaN", "row", "nan", remedy="source")
def _(at):
    X, y = clean()
    y = y.astype(float)
    y[ROW] = np.nan
    return experiment(at.blocks(X, y))


@bad("a label that is None", "row", "None", remedy="classes|source")
def _(at):
    X, y = clean()
    y = np.array(["no", "yes"], dtype=object)[y]
    y[ROW] = None
    return experiment(at.blocks(X, y), partial_fit={"classes": ["no", "yes"]})


@bad("a missing label where they are counted", "pass", "nan", remedy="source")
def _(at):
    X, y = clean()
    y = y.astype(float)
    y[ROW] = np.nan
    return experiment(at.blocks(X, y), partial_fit={"classes": "infer"})


@bad("labels of text and of numbers where they are counted", "pass", "text", remedy="source")
def _(at):
    X, y = clean()
    y = y.astype(object)
    y[ROW] = "1"
    return experiment(at.blocks(X, y), partial_fit={"classes": "infer"})


@bad("classes of text, labels of numbers", "0", "labels' type", r"\['0', '1'\]", remedy="YAML")
def _(at):
    return experiment(at.blocks(*clean()), partial_fit={"classes": ["0", "1"]})


@bad("classes of numbers, labels of text", "0", "labels' type", remedy="YAML")
def _(at):
    X, y = clean()
    return experiment(at.blocks(X, y.astype(str)))


@bad(
    "classes of numbers, labels of text as objects",
    "block",
    "row 0",
    "'[01]'",
    remedy="YAML|classes",
    block=0,
)
def _(at):
    X, y = clean()
    return experiment(at.blocks(X, y.astype(str).astype(object)))


@bad("no classes", "0", "partial_fit.classes", remedy="infer")
def _(at):
    return experiment(at.blocks(*clean()), partial_fit={})


@bad("classes of one label", "0", "two labels or more", r"\[1\]", remedy="List every label")
def _(at):
    return experiment(at.blocks(*clean()), partial_fit={"classes": [1]})


@bad("a data set of one label", "0", "two labels or more", "only 1", remedy="target")
def _(at):
    X, _ = clean()
    return experiment(at.blocks(X, np.ones(TOTAL, int)), partial_fit={"classes": "infer"})


@bad("quantities for labels", "0", "labels", "quantities such as", remedy="regressor")
def _(at):
    X, _ = clean()
    return experiment(at.blocks(X, X[:, 0]), partial_fit={"classes": "infer"})


@bad("more labels than there may be", "0", "at most 100", remedy="max_classes")
def _(at):
    X, _ = clean()
    return experiment(
        at.blocks(X, np.arange(TOTAL)),
        partial_fit={"classes": "infer"},
        fit=FitOptions(max_classes=100),
    )


@bad("ids for labels", "told", "few-rows-per-label", remedy="target")
def _(at):
    X, _ = clean()
    return experiment(at.blocks(X, np.arange(TOTAL) // 2), partial_fit={"classes": "infer"})


@bad("a weight for no label", "0", "fit.class_weight", "'1'", remedy="quoted")
def _(at):
    return experiment(at.blocks(*clean()), fit=FitOptions(class_weight={"1": 2.0}))


@bad("labels of text for a regressor", "0", "numbers", "SGDRegressor", remedy="classifier")
def _(at):
    X, y = clean()
    return experiment(at.blocks(X, y.astype(str)), SGDRegressor(), partial_fit={})


@bad("no target for a classifier", "0", "target", "SGDClassifier", remedy="target")
def _(at):
    return experiment(at.blocks(clean()[0], None))


# ---------------------------------------------------------------- order


@bad("rows sorted by label", "told", "sorted-by-label", remedy="buffer_blocks")
def _(at):
    X, y = clean()
    order = np.argsort(y, kind="stable")
    return experiment(at.blocks(X[order], y[order]))


# ---------------------------------------------------------------- types and schema


@bad("text among numbers", "row", "column 3", "'n/a'", remedy="source|one_hot")
def _(at):
    X, y = clean()
    X = X.astype(object)
    X[ROW, 3] = "n/a"
    return experiment(at.blocks(X, y))


@bad("text among the numbers of a table", "0", "numbers for SGDClassifier", "x3", remedy="convert")
def _(at):
    X, y = clean()
    frame = pd.DataFrame(X, columns=NAMES).astype({"x3": object})
    frame.loc[ROW, "x3"] = "n/a"
    lazy = dd.from_pandas(frame, npartitions=N_BLOCKS, sort=False)
    return lambda: Incremental(linear(), shuffle_blocks=False).fit(lazy, cut(y), **FEW_CLASSES)


@bad("a block of 7 features", "block", "7", "8", remedy="source|columns")
def _(at):
    X, y = clean()
    parts = parted(X)
    parts[BAD] = parts[BAD][:, :-1]
    return experiment(at.given(lazy_blocks(*parts), cut(y)))


@bad("a first block of 7 features", "block", "8", "7", remedy="same columns", block=1)
def _(at):
    X, y = clean()
    parts = parted(X)
    parts[0] = parts[0][:, :-1]
    return experiment(at.given(lazy_blocks(*parts), cut(y)))


@bad("a block with columns in another order", "block", "x0", remedy="order|source|columns")
def _(at):
    X, y = clean()
    parts = [pd.DataFrame(part, columns=NAMES) for part in parted(X)]
    parts[BAD] = parts[BAD][NAMES[::-1]]
    lazy = dd.from_delayed(
        [dask.delayed(part) for part in parts], meta=parts[0].iloc[:0], verify_meta=False
    )
    return lambda: Incremental(linear(), shuffle_blocks=False).fit(lazy, cut(y), **FEW_CLASSES)


@bad("complex numbers", "0", "X must", "complex128", remedy="numbers|real")
def _(at):
    X, y = clean()
    return experiment(at.blocks(X.astype(complex), y))


@bad("dates", "0", "X must", "datetime64", remedy="numbers")
def _(at):
    X, y = clean()
    return experiment(at.blocks(np.abs(X * 1e9).astype("datetime64[s]"), y))


@bad(
    "text for an estimator of numbers",
    "0",
    "numbers for SGDClassifier",
    "x3",
    remedy="ColumnTransformer",
)
def _(at):
    X, y = clean()
    return experiment(parquet(at, X, y, x3=list(map(str, y))))


@bad("lines of text for an estimator of numbers", "0", "lines of text", remedy="hashing")
def _(at):
    path = at.folder / "a.txt"
    path.write_text("a line\n" * TOTAL)
    return experiment(
        TextLines(path=str(path), chunks=N_ROWS, holdout=0), partial_fit={"classes": ["a", "b"]}
    )


# ---------------------------------------------------------------- Parquet


def parquet(at, X, y, chunks=N_ROWS, **columns):
    """Write a file per block with checksums, and return the dataset of them."""
    table = pa.table({name: X[:, j] for j, name in enumerate(NAMES)} | {"y": y} | columns)
    for i in range(N_BLOCKS):
        write(at, i, table.slice(i * N_ROWS, N_ROWS))
    return Parquet(path=str(at.folder / "rows"), target="y", chunks=chunks, holdout=0)


def write(at, i, table):
    path = at.folder / "rows" / f"{i}.parquet"
    path.parent.mkdir(exist_ok=True)
    pq.write_table(table, path, write_page_checksum=True, use_dictionary=False, compression="none")


def file_of(at, i=BAD, suffix="parquet"):
    return at.folder / "rows" / f"{i}.{suffix}"


FILE = r"rows/5\.parquet"


@bad("Parquet: a column is missing in one file", "0", FILE, "'x3'", remedy="leave the file out")
def _(at):
    dataset = parquet(at, *clean())
    write(at, BAD, pq.read_table(file_of(at)).drop_columns(["x3"]))
    return experiment(dataset)


@bad(
    "Parquet: a column is missing in every file",
    "0",
    "dataset.target",
    "'label'",
    remedy="Choose one of",
)
def _(at):
    dataset = parquet(at, *clean())
    dataset.target = "label"
    return experiment(dataset)


@bad(
    "Parquet: a column of another type in one file", "0", "'x3'", FILE, "string", remedy="one type"
)
def _(at):
    dataset = parquet(at, *clean())
    table = pq.read_table(file_of(at))
    text = pa.array(["n/a"] * N_ROWS)
    write(at, BAD, table.set_column(3, "x3", text))
    return experiment(dataset)


@bad("Parquet: a file cut in half", "0", FILE, "Parquet", remedy="Write the file again")
def _(at):
    dataset, path = parquet(at, *clean()), file_of(at)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return experiment(dataset)


@bad("Parquet: a file without a byte", "0", FILE, "Parquet", remedy="Write the file again")
def _(at):
    dataset = parquet(at, *clean())
    file_of(at).write_bytes(b"")
    return experiment(dataset)


@bad(
    "Parquet: one bit flipped in a page",
    "block",
    FILE,
    "rows 0 to 39",
    "CRC",
    remedy="Write the file again",
)
def _(at):
    dataset, path = parquet(at, *clean()), file_of(at)
    raw = bytearray(path.read_bytes())
    column = pq.read_metadata(path).row_group(0).column(3)
    raw[column.data_page_offset + column.total_compressed_size - 9] ^= 1
    path.write_bytes(raw)
    return experiment(dataset)


@bad("Parquet: an empty cell of a feature", "row", "nan", "x3|column 3", remedy="imputer")
def _(at):
    X, y = clean()
    column = [None if i == ROW else value for i, value in enumerate(X[:, 3])]
    return experiment(parquet(at, X, y, x3=column))


@bad(
    "Parquet: an empty cell of the target",
    "block",
    FILE,
    "'y'",
    "empty cell",
    remedy="fill them in",
)
def _(at):
    X, y = clean()
    return experiment(parquet(at, X, [None if i == ROW else value for i, value in enumerate(y)]))


class Disturbing(Seen):
    """Does something when a block was learned."""

    def __init__(self, action, after=2):
        super().__init__()
        self._action = action
        self._after = after

    def on_block_end(self, progress, block):
        super().on_block_end(progress, block)
        if block.place.number == self._after:
            self._action()


def disturbed(dataset, action, **parts):
    """Return an experiment of which the data change when block 2 was learned."""
    seen, stream = Disturbing(action), Stream(shuffle=False, prefetch=0)
    return experiment(dataset, callbacks={"seen": seen}, stream=stream, **parts)


@bad(
    "Parquet: a file written again during the run",
    "block",
    FILE,
    "bytes|written again",
    remedy="[Rr]un",
)
def _(at):
    X, y = clean()
    return disturbed(parquet(at, X, y), lambda: write(at, BAD, pa.table({"x0": [1.0]})))


@bad(
    "Parquet: a file written again where it was read before",
    "block",
    "In block 3",
    "rows 120",
    "rows/0",
    remedy="[Rr]un",
    block=3,
)
def _(at):
    dataset = parquet(at, *clean())
    table = pa.concat_tables([pq.read_table(file_of(at, i)) for i in range(N_BLOCKS)])
    for i in range(1, N_BLOCKS):
        file_of(at, i).unlink()
    write(at, 0, table)

    def touch():
        status = file_of(at, 0).stat()
        os.utime(file_of(at, 0), ns=(status.st_atime_ns, status.st_mtime_ns + 1))

    return disturbed(dataset, touch)


@bad(
    "Parquet: a file removed during the run",
    "block",
    FILE,
    remedy="there|Write the file again|[Rr]un",
)
def _(at):
    return disturbed(parquet(at, *clean()), lambda: file_of(at).unlink())


@bad("Parquet: a link to nowhere", "0", FILE, remedy="Write the file again|leave it out")
def _(at):
    dataset = parquet(at, *clean())
    file_of(at).unlink()
    file_of(at).symlink_to(at.folder / "nowhere.parquet")
    return experiment(dataset)


@bad("a path that is not there", "0", "dataset.path", "rwos", remedy="Did you mean 'rows'")
def _(at):
    dataset = parquet(at, *clean())
    dataset.path = str(at.folder / "rwos")
    return experiment(dataset)


@bad("a folder without a file", "0", "dataset.path", "empty", remedy="Name another folder")
def _(at):
    (at.folder / "empty").mkdir()
    return experiment(Parquet(path=str(at.folder / "empty"), target="y", holdout=0))


# ---------------------------------------------------------------- CSV


def csv(at, X, y, change=None, **settings):
    """Write a file per block, and return the dataset of them; ``change`` the lines of file 5."""
    folder = at.folder / "rows"
    folder.mkdir(exist_ok=True)
    for i in range(N_BLOCKS):
        rows = slice(i * N_ROWS, (i + 1) * N_ROWS)
        cells = [
            [*map(repr, map(float, row)), str(label)]
            for row, label in zip(X[rows], y[rows], strict=True)
        ]
        lines = [",".join([*NAMES, "y"]), *map(",".join, cells)]
        if change is not None and i == BAD:
            lines = change(lines)
        (folder / f"{i}.csv").write_text("\n".join(lines) + "\n", encoding="latin-1")
    return Csv(**{"path": str(folder), "target": "y", "chunks": N_ROWS, "holdout": 0, **settings})


CSV_FILE = r"rows/5\.csv"
LINE, AT_LINE = ROW % N_ROWS + 1, rf"\brow {ROW % N_ROWS}\b"


def cell(column, text):
    """Return what changes one cell of row 217, which is row 17 of its file."""

    def change(lines):
        cells = lines[LINE].split(",")
        cells[column] = text
        return [*lines[:LINE], ",".join(cells), *lines[LINE + 1 :]]

    return change


def line(text):
    return lambda lines: [*lines[:LINE], text, *lines[LINE + 1 :]]


@bad(
    "CSV: text in a number",
    "0",
    "numbers for SGDClassifier",
    CSV_FILE,
    "row 17",
    "'x3'",
    "twelve",
    remedy="Mend the cell",
)
def _(at):
    return experiment(csv(at, *clean(), cell(3, "twelve")))


@bad(
    "CSV: text in a number, far down",
    "block",
    r"block 5 \(rows 1000 to 1199\)",
    "row 1117",
    "'x3'",
    "twelve",
    remedy="Mend the cell",
)
def _(at):
    path, rng = at.folder / "rows.csv", np.random.default_rng(0)
    rows = [f"{x:.3f},{-x:.3f},{x:.3f},{x * 2:.3f},{int(x > 0)}" for x in rng.normal(size=1600)]
    rows[1117] = "1,2,3,twelve,1"
    path.write_text("\n".join(["x0,x1,x2,x3,y", *rows]) + "\n")
    return experiment(Csv(path=str(path), target="y", chunks=200, holdout=0))


@bad(
    "CSV: another column in the header of one file",
    "0",
    CSV_FILE,
    "'x3'",
    "'z'",
    remedy="one header",
)
def _(at):
    return experiment(csv(at, *clean(), lambda lines: [lines[0].replace("x3", "z"), *lines[1:]]))


@bad("CSV: a row of too many cells", "0", CSV_FILE, AT_LINE, "10", remedy="Mend the row")
def _(at):
    return experiment(csv(at, *clean(), line(",".join("1" * (WIDTH + 2)))))


@bad("CSV: a row of too few cells", "0", CSV_FILE, AT_LINE, "got 2", remedy="Mend the row")
def _(at):
    return experiment(csv(at, *clean(), line("1,2")))


@bad("CSV: a file that ends within a row", "0", CSV_FILE, "row 39", remedy="Mend the row")
def _(at):
    return experiment(csv(at, *clean(), lambda lines: [*lines[:-1], lines[-1][:20]]))


@bad("CSV: a quote that is never closed", "0", CSV_FILE, "quote", remedy="Close the quote")
def _(at):
    return experiment(csv(at, *clean(), cell(3, '"1')))


@bad("CSV: letters that are not UTF-8", "block", CSV_FILE, "row 17", "'y'", remedy="UTF-8")
def _(at):
    X, y = clean()
    labels = np.array(["no", "yes"])[y]
    return experiment(
        csv(at, X, labels, cell(WIDTH, "n\xf6")), partial_fit={"classes": ["no", "yes"]}
    )


@bad(
    "CSV: an empty cell of the target",
    "block",
    CSV_FILE,
    "'y'",
    "empty cell",
    remedy="fill them in",
)
def _(at):
    return experiment(csv(at, *clean(), cell(WIDTH, "")))


@bad("CSV: an empty cell of a feature", "row", "nan", "x3|column 3", remedy="imputer")
def _(at):
    return experiment(csv(at, *clean(), cell(3, "")))


@bad("CSV: another label", "row", r"\[7\]", remedy="partial_fit.classes")
def _(at):
    return experiment(csv(at, *clean(), cell(WIDTH, "7")))


@bad("CSV: another delimiter", "0", "dataset.delimiter", remedy='delimiter: ";"')
def _(at):
    dataset = csv(at, *clean())
    for path in (at.folder / "rows").iterdir():
        path.write_text(path.read_text().replace(",", ";"))
    return experiment(dataset)


@bad("CSV: a file without a byte", "0", CSV_FILE, remedy="Write the file again")
def _(at):
    dataset = csv(at, *clean())
    file_of(at, suffix="csv").write_bytes(b"")
    return experiment(dataset)


@bad("CSV: a file that grew during the run", "block", CSV_FILE, "bytes", remedy="[Rr]un")
def _(at):
    dataset, path = csv(at, *clean()), file_of(at, suffix="csv")
    return disturbed(dataset, lambda: path.write_text(path.read_text() + "1,2,3,4,5,6,7,8,1\n"))


@bad("CSV: a file removed during the run", "block", CSV_FILE, remedy="there|[Rr]un")
def _(at):
    dataset = csv(at, *clean())
    return disturbed(dataset, file_of(at, suffix="csv").unlink)


# ---------------------------------------------------------------- npy, Zarr, text


def npy(at, X, y, parts=N_BLOCKS):
    for name, array in (("X", X), ("y", y)):
        folder = at.folder / name
        folder.mkdir(exist_ok=True)
        for i, part in enumerate(np.split(array, parts)):
            np.save(folder / f"{i}.npy", part)
    return Npy(X=str(at.folder / "X"), y=str(at.folder / "y"), chunks=N_ROWS, holdout=0)


@bad("npy: a file cut in half", "0", r"X/5\.npy", "bytes", remedy="numpy.save")
def _(at):
    dataset, path = npy(at, *clean()), at.folder / "X/5.npy"
    path.write_bytes(path.read_bytes()[:1000])
    return experiment(dataset)


@bad("npy: a file of objects", "0", r"X/5\.npy", "object", remedy="numbers")
def _(at):
    dataset = npy(at, *clean())
    np.save(at.folder / "X/5.npy", np.full((N_ROWS, WIDTH), "n/a", dtype=object))
    return experiment(dataset)


@bad("npy: a file of other columns", "0", r"X/5\.npy", "7 columns", remedy="alike")
def _(at):
    dataset = npy(at, *clean())
    np.save(at.folder / "X/5.npy", np.ones((N_ROWS, WIDTH - 1)))
    return experiment(dataset)


@bad("npy: fewer rows of y", "0", "319|320", "dataset.y", remedy="same rows")
def _(at):
    dataset = npy(at, *clean())
    np.save(at.folder / "y/5.npy", np.ones(N_ROWS - 1, int))
    return experiment(dataset)


@bad("npy: a file written again during the run", "block", r"X/5\.npy", remedy="[Rr]un")
def _(at):
    dataset = npy(at, *clean())
    return disturbed(dataset, lambda: np.save(at.folder / "X/5.npy", np.ones((N_ROWS, WIDTH, 2))))


@bad(
    "Zarr: a chunk that cannot be decoded",
    "block",
    "rows 200 to 239",
    remedy="Write the group again",
)
def _(at):
    zarr = pytest.importorskip("zarr")
    X, y = clean()
    group = zarr.open_group(at.folder / "rows", mode="w")
    for name, array in (("X", X), ("y", y)):
        group.create_array(name, data=array, chunks=(N_ROWS, *array.shape[1:]))
    (chunk,) = (at.folder / "rows/X/c").glob("5/*")
    chunk.write_bytes(chunk.read_bytes()[:20])
    return experiment(Zarr(path=str(at.folder / "rows"), chunks=N_ROWS, holdout=0))


@bad(
    "text: letters of another encoding",
    "block",
    r"a\.txt",
    "lines 200 to 239",
    remedy="dataset.encoding",
)
def _(at):
    from sklearn.feature_extraction.text import HashingVectorizer

    path = at.folder / "a.txt"
    lines = [b"a line"] * TOTAL
    lines[ROW] = b"gr\xfcn"
    path.write_bytes(b"\n".join(lines))
    return experiment(
        TextLines(path=str(path), chunks=N_ROWS, holdout=0),
        partial_fit={"classes": ["a", "b"]},
        preprocessing={"hashing": HashingVectorizer(n_features=16)},
    )


# ---------------------------------------------------------------- reading fails


def failing(error, times=None):
    left = [times]

    def read(part):
        if left[0] is None or left[0] > 0:
            left[0] = None if left[0] is None else left[0] - 1
            raise error
        return part

    return read


for _error in (
    OSError(5, "Input/output error"),
    MemoryError("too little"),
    KeyError("c"),
    RuntimeError(""),
):

    @bad(
        f"reading raises {type(_error).__name__}",
        "block",
        type(_error).__name__,
        remedy="source|chunks",
    )
    def _(at, error=_error):
        X, y = clean()
        fail = dask.delayed(failing(error))
        parts = [
            fail(part) if i == BAD else dask.delayed(part) for i, part in enumerate(parted(X))
        ]
        lazy = da.concatenate([da.from_delayed(part, (N_ROWS, WIDTH), float) for part in parts])
        return experiment(at.given(lazy, cut(y)))


@bad("reading raises in a notebook", "block", "OSError", remedy="source")
def _(at):
    X, y = clean()
    fail = dask.delayed(failing(OSError(5, "Input/output error")))
    parts = [fail(part) if i == BAD else dask.delayed(part) for i, part in enumerate(parted(X))]
    lazy = da.concatenate([da.from_delayed(part, (N_ROWS, WIDTH), float) for part in parts])
    return lambda: Incremental(linear(), shuffle_blocks=False).fit(lazy, cut(y), **FEW_CLASSES)


@bad(
    "the function of the data raises",
    "0",
    "given_rows:given",
    "no such bucket",
    remedy="Mend the function",
)
def _(at):
    def given():
        raise OSError("no such bucket")

    dataset = at.given()
    at.module.given = given
    return experiment(dataset)


@bad("the function of the data returns something else", "0", "dict", remedy="Convert")
def _(at):
    return experiment(at.given({"X": 1}))


# ---------------------------------------------------------------- settings


def setting(name, *says, remedy, known="0", **parts):
    @bad(name, known, *says, remedy=remedy)
    def _(at):
        made = {key: value() if isinstance(value, type) else value for key, value in parts.items()}
        return experiment(at.blocks(*clean()), **made)


setting(
    "no partial_fit",
    "LogisticRegression",
    "partial_fit",
    remedy="SGDClassifier",
    estimator=LogisticRegression,
)
setting(
    "partial_fit.clases",
    r"partial_fit\.clases",
    remedy="Did you mean 'classes'",
    partial_fit={"clases": [0, 1]},
)
setting("alpha=-1", "alpha", "-1", remedy="estimator", estimator=SGDClassifier(alpha=-1))
setting(
    "alpha of text", "alpha", "'0.1'", remedy="estimator", estimator=SGDClassifier(alpha="0.1")
)
setting(
    "loss=log",
    "loss",
    "'log'",
    "log_loss",
    remedy="estimator",
    estimator=SGDClassifier(loss="log"),
)
setting(
    "early_stopping",
    r"estimator\.early_stopping",
    remedy="callbacks",
    estimator=SGDClassifier(early_stopping=True),
)
setting(
    "class_weight=balanced of the estimator",
    r"estimator\.class_weight",
    remedy=r"fit\.class_weight",
    estimator=SGDClassifier(class_weight="balanced"),
)
setting(
    "more clusters than rows",
    r"n_clusters",
    "41",
    "40",
    remedy="chunks|clusters",
    estimator=MiniBatchKMeans(41),
    partial_fit={},
)
setting(
    "more components than rows",
    "n_components",
    remedy="chunks|n_components",
    estimator=IncrementalPCA(41),
    partial_fit={},
)
setting(
    "weights of the whole data set",
    r"partial_fit\.sample_weight",
    remedy=r"dataset\.sample_weight",
    partial_fit={"classes": [0, 1], "sample_weight": np.ones(TOTAL)},
)
setting(
    "a setting without effect",
    "inert-setting",
    r"estimator\.max_iter",
    remedy=r"fit\.epochs",
    known="told",
    estimator=SGDClassifier(max_iter=5),
)
setting(
    "infer misspelt",
    r"partial_fit\.classes",
    "'infre'",
    remedy="Did you mean 'infer'",
    partial_fit={"classes": "infre"},
)


@bad(
    "weights for an estimator that takes none",
    "0",
    r"dataset\.sample_weight",
    "MiniBatchKMeans|Perceptron|takes none",
    remedy="choose an estimator",
)
def _(at):
    return experiment(at.blocks(*clean(), np.ones(TOTAL)), MaxAbsScaler(), partial_fit={})


@bad(
    "an argument of the constructor misspelt",
    "0",
    r"estimator\.alhpa",
    remedy="did you mean 'alpha'",
)
def _(at):
    return lambda: runner.run("quickstart", ["estimator.alhpa=1"])


@bad("a lazy argument of partial_fit", "0", "in memory", remedy="Compute it")
def _(at):
    X, y = map(cut, clean())
    return lambda: Incremental(linear()).fit(X, y, classes=[0, 1], coef_init=X[0])


@bad("weights of another length in a notebook", "0", "sample_weight", "319", remedy="same rows")
def _(at):
    X, y = map(cut, clean())
    return lambda: Incremental(linear()).fit(X, y, sample_weight=np.ones(TOTAL - 1), **FEW_CLASSES)


# ---------------------------------------------------------------- healthy


@healthy("y in other blocks")
def _(at):
    X, y = clean()
    return experiment(at.given(cut(X), da.from_array(y, chunks=TOTAL // 2)))


@healthy("as many blocks of y with other boundaries")
def _(at):
    X, y = clean()
    return experiment(at.given(cut(X), da.from_array(y, chunks=((30, 50, *[40] * 6),))))


@healthy("an empty block in the middle")
def _(at):
    X, y = clean()
    some = X[:, 0] > np.where(np.arange(TOTAL) // N_ROWS == BAD, 99, -99)
    lazy, keep = cut(X), cut(some)
    return experiment(at.given(lazy[keep], cut(y)[keep]))


@healthy("sizes that are unknown, filtered alike")
def _(at):
    X, y = map(cut, clean())
    keep = X[:, 0] > -1
    return experiment(at.given(X[keep], y[keep]))


@healthy("classes repeated")
def _(at):
    return experiment(at.blocks(*clean()), partial_fit={"classes": [0, 1, 1, 0]})


@healthy("classes beyond the labels")
def _(at):
    return experiment(at.blocks(*clean()), partial_fit={"classes": [0, 1, 2]})


@healthy("classes as OmegaConf has lists")
def _(at):
    return experiment(at.blocks(*clean()), partial_fit={"classes": ListConfig([0, 1])})


@healthy("classes of floats, labels of integers")
def _(at):
    return experiment(at.blocks(*clean()), partial_fit={"classes": [0.0, 1.0]})


@healthy("classes of booleans, labels of integers")
def _(at):
    return experiment(at.blocks(*clean()), partial_fit={"classes": [False, True]})


@healthy("labels of booleans")
def _(at):
    X, y = clean()
    return experiment(at.blocks(X, y.astype(bool)), partial_fit={"classes": [False, True]})


@healthy("labels of floats, classes of integers")
def _(at):
    X, y = clean()
    return experiment(at.blocks(X, y.astype(np.float32)))


@healthy("labels that are integers, as objects")
def _(at):
    X, y = clean()
    return experiment(at.blocks(X, y.astype(object)))


@healthy("labels of small integers")
def _(at):
    X, y = clean()
    return experiment(at.blocks(X, y.astype(np.int8)))


@healthy("X and y of one Parquet file, projected apart")
def _(at):
    parquet(at, *clean())
    frame = dd.read_parquet(at.folder / "rows")
    return experiment(at.given(frame[NAMES], frame["y"]))


@healthy("Parquet: columns in another order and of other types of numbers")
def _(at):
    dataset = parquet(at, *clean())
    table = pq.read_table(file_of(at)).select([*NAMES[::-1], "y"])
    write(at, BAD, table.set_column(0, NAMES[-1], table[NAMES[-1]].cast(pa.float32())))
    return experiment(dataset)


@healthy("Parquet: a file without checksums and one without rows")
def _(at):
    dataset = parquet(at, *clean())
    table = pq.read_table(file_of(at))
    pq.write_table(table, file_of(at))
    write(at, 99, table.slice(0, 0))
    return experiment(dataset)


@healthy("CSV: quotes, CRLF, blank lines and no last newline")
def _(at):
    dataset, path = csv(at, *clean()), file_of(at, suffix="csv")
    lines = path.read_text().split()
    lines[3:3] = ["", '"' + lines[3].replace(",", '","') + '"']
    del lines[5]
    path.write_bytes("\r\n".join(lines).encode())
    return experiment(dataset)


@healthy("X of float32")
def _(at):
    X, y = clean()
    return experiment(at.blocks(X.astype(np.float32), y))


@healthy("X of objects that are numbers")
def _(at):
    X, y = clean()
    return experiment(at.blocks(X.astype(object), y))


@healthy("X in Fortran order, read-only")
def _(at):
    X, y = clean()
    X = np.asfortranarray(X)
    X.flags.writeable = False
    return experiment(at.blocks(X, y))


@healthy("a column that is constant, one that is 0, and one that is so in a block")
def _(at):
    X, y = clean()
    X[:, 3], X[:, 4] = 0, 1
    X[IN_BLOCK, 5] = 0
    return experiment(at.blocks(X, y), preprocessing={"scaler": StandardScaler()})


@healthy("a block of one label")
def _(at):
    X, y = clean()
    X[IN_BLOCK] = np.abs(X[IN_BLOCK]) * np.sign(np.linspace(-1, 1, WIDTH))
    y[IN_BLOCK] = 1
    return experiment(at.blocks(X, y))


@healthy("a last block of one row")
def _(at):
    X, y = clean()
    return experiment(at.given(X[:281], y[:281], chunks=N_ROWS))


@healthy("one block for all")
def _(at):
    return experiment(at.given(*clean()))


@healthy("sparse rows")
def _(at):
    X, y = clean()
    return lambda: Incremental(linear(), chunks=N_ROWS, random_state=0).fit(sp.csr_array(X), y)


@healthy("a table in memory")
def _(at):
    X, y = clean()
    frame = pd.DataFrame(X, columns=NAMES)
    return lambda: Incremental(linear(), chunks=N_ROWS, random_state=0).fit(frame, pd.Series(y))


@healthy("weights, some of them 0")
def _(at):
    weight = np.ones(TOTAL)
    weight[::7] = 0
    return experiment(at.blocks(*clean(), weight))


@healthy("numbers that are tiny or large alike in all columns")
def _(at):
    X, y = clean()
    X[ROW, 3] = 5e-324
    return experiment(at.blocks(X * 30, y))


# ---------------------------------------------------------------- the tests


@pytest.fixture
def at(tmp_path, monkeypatch):
    module = types.ModuleType("given_rows")
    monkeypatch.setitem(sys.modules, "given_rows", module)
    return Setting(tmp_path, module, monkeypatch)


def outcome(made):
    """Return the error, if there is one, what was told, and the learned blocks."""
    told, error, seen, result = [], None, None, None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            if callable(made):
                result = made()
            else:
                seen = made.callbacks["seen"]
                result = run(made, Recipe("bad input", {}))
        except RunnerError as raised:
            error = raised
    told = [str(each.message) for each in caught]
    return error, told, None if seen is None else seen.blocks, result


@pytest.mark.parametrize("name", BADS)
def test_a_bad_input_is_told_where_it_is_and_what_helps(name, at):
    case = BADS[name]
    REFUSED[name] = PLACED[name] = MENDED[name] = KEPT[name] = False
    error, told, learned, _ = outcome(case.make(at))
    if case.known == "told":
        assert error is None
        message = next((each for each in told if re.search(case.says[0], each)), None)
        assert message is not None, told
    else:
        assert error is not None, f"no error; told: {told}"
        message = " ".join([str(error), *told])
    REFUSED[name] = True
    for words in (*case.place, *case.says):
        assert re.search(words, message), (words, message)
    assert isinstance(error, InvalidConfigError) or "\n" not in message
    PLACED[name] = True
    assert re.search(case.remedy, message), (case.remedy, message)
    MENDED[name] = True
    if learned is not None and case.known != "told" and case.block is not None:
        assert learned == case.before
    KEPT[name] = True


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_oddity_is_learned(name, at):
    ACCEPTED[name] = False
    error, _, _, result = outcome(HEALTHY[name](at))
    assert error is None
    X, y = clean()
    model = result.estimator_ if isinstance(result, Incremental) else result.model
    rows = pd.DataFrame(X, columns=NAMES) if hasattr(model, "feature_names_in_") else X
    accuracy = np.mean(model.predict(rows).astype(int) == y)
    assert accuracy > 0.85, accuracy
    ACCEPTED[name] = True


def test_the_table_is_as_long_as_it_is_meant_to_be(capsys):
    assert len(BADS) >= 50
    assert len(HEALTHY) >= 14
    kinds = {
        "bad_refused": REFUSED,
        "healthy_accepted": ACCEPTED,
        "place_named": PLACED,
        "remedy_named": MENDED,
        "blocks_before_kept": KEPT,
    }
    with capsys.disabled():
        for metric, found in kinds.items():
            print(f"\nT10 {metric} {sum(found.values())} of {len(found)}", end="")  # noqa: T201
    assert all(all(found.values()) for found in kinds.values())
