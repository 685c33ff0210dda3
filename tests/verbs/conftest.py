"""What the tests of the verbs lean on."""

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def store(project, schema):
    """Give the project an empty store, which is quicker than to make one."""
    shutil.copy(schema, project / "mlflow.db")


@pytest.fixture
def rows(tmp_path):
    """Write a small Parquet file."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    path = tmp_path / "rows.parquet"
    columns = {f"x{i}": X[:, i] for i in range(3)} | {"label": (X[:, 0] > 0).astype(int)}
    pq.write_table(pa.table(columns), path)
    return path
