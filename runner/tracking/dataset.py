"""What the data are, as a dataset of the record; nothing is computed or copied."""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.base import LazyArray, Part
from runner.redaction import redacted
from runner.tracking.params import value_as_text

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, DatasetInput
    from mlflow.types.schema import Schema, TensorSpec

MAX_NAME = 500
MAX_SOURCE = 60_000
# What SQLite, PostgreSQL, SQL Server (unique) and MySQL (duplicate) say of a second such row.
_IS_THERE_BY_NOW = re.compile("unique|duplicate", re.IGNORECASE)


def dataset_entity(
    name: str, source: Mapping[str, Any], part: Part, *, context: str, held_out_rows: int
) -> "Dataset":
    """Describe one side of the split as MLflow shows it.

    Parameters
    ----------
    name : str
        The dataset's name.
    source : mapping
        Where the data come from, as plain values.
    part : Part
        The rows; only their shapes, blocks and types are looked at.
    context : str
        What the rows are for, such as "train".
    held_out_rows : int
        How many rows of the whole dataset are held out.
    """
    from mlflow.entities import Dataset

    origin = source_json(source)
    return Dataset(
        name=name[:MAX_NAME],
        digest=digest(origin, part, context),
        source_type=str(source.get("_target_", "")).rpartition(".")[2] or "runner",
        source=origin,
        schema=json.dumps(_tensors(part) if part.frame is None else _columns(part, source)),
        profile=json.dumps(profile(part, held_out_rows)),
    )


def log_datasets(client: "MlflowClient", run_id: str, inputs: "Sequence[DatasetInput]") -> None:
    """Log datasets as inputs of a run, whatever other runs log at the same moment.

    MLflow looks whether a dataset is there and then inserts it: of two runs that meet in
    between, one is refused, and finds the other's dataset when it tries again.
    """
    from mlflow.exceptions import MlflowException

    for left in reversed(range(len(inputs) + 1)):
        try:
            client.log_inputs(run_id, inputs)
        except MlflowException as error:
            if not (left and _IS_THERE_BY_NOW.search(str(error))):
                raise
        else:
            return


def profile(part: Part, held_out_rows: int) -> dict[str, Any]:
    """Return the counts and sizes of some rows, one key per line of MLflow's page.

    The bytes are None for text, whose size is known only once it is read.
    """
    blocks = part.X.chunks[0]
    fixed = part.X.dtype.kind != "O"
    return {
        "num_rows": part.n_rows,
        "num_features": int(part.X.shape[1]) if len(part.X.shape) > 1 else None,
        "num_blocks": part.n_blocks,
        "block_rows": max(blocks, default=0),
        "last_block_rows": blocks[-1] if blocks else 0,
        "dtype": str(part.X.dtype) if part.frame is None else "a type per column",
        "nbytes": math.prod(part.X.shape) * part.X.dtype.itemsize if fixed else None,
        "target_dtype": None if part.y is None else str(part.y.dtype),
        "held_out_rows": held_out_rows,
    }


def digest(origin: str, part: Part, context: str) -> str:
    """Return eight hexadecimal digits that change with the source, a shape, a type or the blocks.

    It is taken from the description of the data, not from the rows.
    """
    arrays = [
        None if array is None else [str(array.dtype), list(array.shape), list(array.chunks[0])]
        for array in (part.X, part.y, part.sample_weight)
    ]
    columns = (
        [] if part.frame is None else [[*map(str, item)] for item in part.frame.dtypes.items()]
    )
    identity = json.dumps([origin, context, arrays, *columns], sort_keys=True)
    return hashlib.sha256(identity.encode()).hexdigest()[:8]


def source_json(source: Mapping[str, Any]) -> str:
    """Write where the data come from, without credentials; shortened where it is too long.

    Examples
    --------
    >>> source_json({"path": "rows.csv", "chunks": 100})
    '{"chunks": 100, "path": "rows.csv"}'
    """
    text = redacted(json.dumps(dict(source), sort_keys=True, default=str))
    if len(text) <= MAX_SOURCE:
        return text
    longest = MAX_SOURCE // (2 * len(source))
    short = {key[:longest]: value_as_text(value)[:longest] for key, value in source.items()}
    return json.dumps(short, sort_keys=True)


def tensor_spec(array: LazyArray | np.ndarray) -> "TensorSpec":
    """Describe any number of rows like those of an array."""
    from mlflow.types.schema import TensorSpec

    dtype = np.dtype(array.dtype.type) if array.dtype.kind in "US" else array.dtype
    return TensorSpec(dtype, (-1, *(int(width) for width in array.shape[1:])))


def column_schema(frame: Any) -> "Schema":
    """Describe any number of rows like those of a DataFrame: the names and types of its columns.

    Columns of objects hold text.
    """
    from mlflow.types.schema import ColSpec, Schema

    return Schema([ColSpec(_kind(dtype), str(name)) for name, dtype in frame.dtypes.items()])


def _kind(dtype: np.dtype[Any]) -> str:
    if dtype.kind == "b":
        return "boolean"
    if dtype.kind in "iu":
        return "integer" if np.can_cast(dtype, np.int32) else "long"
    if dtype.kind == "f":
        return "float" if dtype.itemsize <= np.dtype(np.float32).itemsize else "double"
    return "string"


def _tensors(part: Part) -> dict[str, Any]:
    from mlflow.data.schema import TensorDatasetSchema
    from mlflow.types.schema import Schema

    targets = {} if part.y is None else {"targets": Schema([tensor_spec(part.y)])}
    schema = TensorDatasetSchema(features=Schema([tensor_spec(part.X)]), **targets)
    described: dict[str, Any] = schema.to_dict()
    return described


def _columns(part: Part, source: Mapping[str, Any]) -> dict[str, Any]:
    from mlflow.types.schema import ColSpec

    columns, target = column_schema(part.frame).inputs, source.get("target")
    if part.y is not None and isinstance(target, str):
        columns = [*columns, ColSpec(_kind(part.y.dtype), target)]
    return {"mlflow_colspec": [column.to_dict() for column in columns]}
