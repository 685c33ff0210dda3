"""Every experiment that comes along runs, and learns something."""

import dask
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA

import runner
from runner.config.compose import compose, selected
from runner.config.job import build
from runner.project import builtin

SHIPPED = sorted(builtin("experiments").glob("*.yaml"))

# What each must reach at least on the rows it never saw; a guess would be far below.
REACHES = {
    "quickstart": {"accuracy": 0.7, "roc_auc": 0.8},
    "digits_sgd": {"accuracy": 0.95, "f1_macro": 0.95},
    "digits_sweep": {"accuracy": 0.94, "f1_macro": 0.94},
    "digits_halves": {"neg_root_mean_squared_error": -4, "r2": 0.35},
    "digits_pca": {"neg_reconstruction_error": -1.5},
    "diabetes_sgd": {"r2": 0.35},
    "diabetes_raw_sgd": {"r2": 0.35},
    "sample_images_kmeans": {"neg_inertia": -760},
    "stdlib_lines": {"accuracy": 0.6},
    "parquet_sgd": {"accuracy": 0.9, "roc_auc": 0.95},
}


# What the ordinary fit is of, where the estimator's own is as incremental as ours.
INSTEAD = {"digits_pca": PCA(24)}
QUIET = ["tracking=none", "callbacks=[]"]


@pytest.fixture(scope="module")
def overrides_of(tmp_path_factory):
    """Return the overrides that an experiment cannot do without."""
    tmp_path = tmp_path_factory.mktemp("rows")

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


@pytest.fixture(scope="module")
def result_of(overrides_of):
    """Return what runs an experiment, each once."""
    results = {}

    def result(name):
        if name not in results:
            results[name] = runner.run(name, [*overrides_of(name), *QUIET])
        return results[name]

    return result


EACH = pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)


@EACH
def test_an_experiment_learns(path, result_of):
    result = result_of(path.stem)
    for scorer, least in REACHES[path.stem].items():
        assert result.scores[scorer] >= least
    assert result.scores
    assert result.progress.blocks >= 3


@EACH
def test_an_experiment_is_at_most_one_percent_behind_an_ordinary_fit(
    path, result_of, overrides_of
):
    name = path.stem
    with selected(name):
        experiment, _ = build(compose(name, [*overrides_of(name), *QUIET]))
    scores = ordinary(experiment, INSTEAD.get(name, experiment.estimator))
    scorer = next(iter(scores))
    assert result_of(name).scores[scorer] >= scores[scorer] - abs(scores[scorer]) / 100


def ordinary(experiment, estimator):
    """Return the scores of one fit to all training rows at once, in memory."""
    train, holdout = experiment.dataset.split()[:2]
    arrays = [part for side in (train, holdout) for part in (side.X, side.y)]
    X, y, X_held, y_held = dask.compute(*arrays, scheduler="sync")
    for stage in map(clone, experiment.preprocessing.values()):
        X, X_held = stage.fit(X).transform(X), stage.transform(X_held)
    model = clone(estimator).fit(X, y)
    return experiment.evaluation.score_block(model, X_held, y_held, None)


@EACH
def test_an_experiment_opens_with_what_it_does_and_how_to_run_it(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert any(f"runner run {path.stem}" in line for line in lines if line.startswith("#"))


def test_the_colours_of_two_photographs_are_all_their_pixels():
    asked = [*QUIET, "dataset.holdout=0", "estimator.n_clusters=4"]
    assert runner.run("sample_images_kmeans", asked).progress.rows == 546_560


def test_more_than_a_hundred_thousand_lines_are_learned():
    result = runner.run("stdlib_lines", [*QUIET, "dataset.holdout=0"])
    assert result.progress.rows / result.progress.epoch > 100_000
