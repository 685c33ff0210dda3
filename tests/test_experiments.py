"""Every experiment that comes along runs, and learns something."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import runner
from runner.project import builtin

SHIPPED = sorted(builtin("experiments").glob("*.yaml"))

# What each must reach at least on the rows it never saw; a guess would be far below.
REACHES = {
    "quickstart": {"accuracy": 0.7, "roc_auc": 0.8},
    "digits_sgd": {"accuracy": 0.9, "f1_macro": 0.9},
    "diabetes_sgd": {"r2": 0.35},
    "sample_images_kmeans": {},
    "stdlib_lines": {"accuracy": 0.5},
    "parquet_sgd": {"accuracy": 0.9, "roc_auc": 0.95},
}


@pytest.fixture
def overrides_of(tmp_path):
    """Return the overrides that an experiment cannot do without."""

    def overrides(name):
        if name != "parquet_sgd":
            return []
        rng = np.random.default_rng(0)
        X = rng.normal(size=(20_000, 5)).astype("float32")
        columns = {f"x{i}": X[:, i] for i in range(5)} | {"label": (X[:, 0] > 0).astype("int64")}
        for part in range(4):
            rows = pa.table({k: v[part::4] for k, v in columns.items()})
            pq.write_table(rows, tmp_path / f"part-{part}.parquet", row_group_size=700)
        return [
            f"dataset.path='{tmp_path}/part-*.parquet'",
            "dataset.target=label",
            "dataset.chunks=1000",
        ]

    return overrides


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_an_experiment_learns(path, overrides_of):
    result = runner.run(path.stem, [*overrides_of(path.stem), "tracking=none", "callbacks=[]"])
    for scorer, least in REACHES[path.stem].items():
        assert result.scores[scorer] >= least
    assert result.scores
    assert result.progress.blocks >= 3


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_an_experiment_opens_with_what_it_does_and_how_to_run_it(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert any(f"runner run {path.stem}" in line for line in lines if line.startswith("#"))


def test_the_colours_of_two_photographs_are_all_their_pixels():
    asked = ["tracking=none", "callbacks=[]", "dataset.holdout=0", "estimator.n_clusters=4"]
    assert runner.run("sample_images_kmeans", asked).progress.rows == 546_560


def test_more_than_a_hundred_thousand_lines_are_learned():
    result = runner.run("stdlib_lines", ["tracking=none", "callbacks=[]", "dataset.holdout=0"])
    assert result.progress.rows / result.progress.epoch > 100_000
