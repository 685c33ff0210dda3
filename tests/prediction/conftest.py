"""Recorded runs to predict with, in a real store."""

import shutil
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import runner
from runner.errors import RunnerWarning


@pytest.fixture(autouse=True)
def store(project, schema):
    """Give the project an empty store, which is quicker than to make one."""
    shutil.copy(schema, project / "mlflow.db")


@pytest.fixture
def learned(project):
    """Return what runs an experiment written in YAML, and returns its result."""

    def learned(dataset, estimator, more="", **changes):
        changes = {"dataset__chunks": 40, "callbacks": "[]", **changes}
        overrides = [f"{key.replace('__', '.')}={value}" for key, value in changes.items()]
        file = project / "learned.yaml"
        file.write_text(
            f"defaults: [{{override /dataset: {dataset}}}, {{override /estimator: {estimator}}}]\n"
            f"name: learned\n{more}\n"
        )
        with warnings.catch_warnings():  # what is remarkable of the fit is not the subject here
            warnings.simplefilter("ignore", RunnerWarning)
            return runner.run(str(file), overrides)

    return learned


@pytest.fixture
def clicks(tmp_path):
    """Write 300 rows of three features and a target in two Parquet files of several row groups."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "clicks"
    folder.mkdir()
    for name, n_rows in (("a", 180), ("b", 120)):
        X = rng.normal(size=(n_rows, 3))
        columns = {"price": X[:, 0], "hour": X[:, 1], "seen": X[:, 2]}
        table = pa.table(columns | {"sold": (X[:, 0] > 0).astype(int)})
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=70)
    return folder


@pytest.fixture
def clicked(learned, clicks):
    """Return the run that learned from ``clicks``."""
    return learned(
        "parquet",
        "sgd_classifier",
        "estimator: {loss: log_loss}\npartial_fit: {classes: [0, 1]}",
        dataset__path=clicks,
        dataset__target="sold",
    )


@pytest.fixture
def new_rows(tmp_path):
    """Write 100 new rows without a target, the features in another order, and return them."""
    rng = np.random.default_rng(1)
    first = 2**53
    table = pa.table(
        {
            "id": pa.array([first + 2 * i + 1 for i in range(100)]),
            "seen": rng.normal(size=100),
            "who": pa.array([f"user {i}" if i % 7 else None for i in range(100)]),
            "hour": rng.normal(size=100),
            "price": rng.normal(size=100),
            "visits": pa.array([first + i if i % 3 else None for i in range(100)]),
            "at": pa.array(np.arange(100).astype("datetime64[ms]")),
        }
    )
    pq.write_table(table, tmp_path / "new.parquet", row_group_size=33)
    return table
