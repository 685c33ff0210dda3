"""Rows cut into blocks, and stages fitted on them as a run does it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from runner.preprocessing.stages import Stages

N_ROWS, BLOCK = 103, 20
RNG = np.random.default_rng(5)
X = RNG.normal(3.0, 10.0, size=(N_ROWS, 4))
JOBS = np.array(["cook", "smith", "baker", "clerk"], dtype=object)[RNG.integers(0, 4, N_ROWS)]
JOBS[90] = "pilot"  # a value that the first blocks do not hold
FRAME = pd.DataFrame(
    {
        "age": RNG.integers(18, 90, N_ROWS),
        "hours": X[:, 1],
        "job": pd.Series(JOBS, dtype=object),
        "wage": X[:, 2],
    }
)


def cut(rows):
    return [rows[start : start + BLOCK] for start in range(0, rows.shape[0], BLOCK)]


def fitted(stages, rows, y=None, *, names=None, policy="first_pass"):
    """Fit the stages that are fixed before the first epoch, as a run does."""
    stages = Stages(stages, policy)
    stages.name_columns(names, is_frame=hasattr(rows, "iloc"))
    for due in stages.passes():
        for position, block in enumerate(cut(rows)):
            if due.only_first and position:
                break
            made = block if stages.transform is None else stages.transform(block)
            due.partial_fit(made, None if y is None else cut(y)[position])
        due.finish()
    return stages


def state(value):
    """Return everything an estimator holds, in a form in which equal means identical."""
    if hasattr(value, "get_params"):
        return type(value).__name__, state(vars(value))
    if isinstance(value, dict):
        return {str(key): state(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [state(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, [repr(item) for item in value.ravel().tolist()]
    is_plain = isinstance(value, str | float | int | slice | set | type | None) or callable(value)
    return type(value).__name__, repr(value) if is_plain or np.isscalar(value) else None


@pytest.fixture(scope="session")
def rows():
    y = (X[:, 0] + X[:, 3] > X[:, :].mean()).astype(int)
    return SimpleNamespace(
        X=X, y=y, frame=FRAME, sparse=sparse.csr_matrix(np.where(X > 0, X, 0)), cut=cut
    )


@pytest.fixture(scope="session")
def fit():
    return fitted


@pytest.fixture(scope="session")
def held():
    return state
