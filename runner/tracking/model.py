"""The fitted model in the record: skops, never pickle."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.base import Part
from runner.kinds import kind_of, last_step
from runner.tracking.birch import without_tree
from runner.tracking.dataset import column_schema, tensor_spec
from runner.tracking.model_files import write
from runner.tracking.trust import is_trusted

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, RunInfo
    from mlflow.models import ModelSignature

_FORBIDDEN_IN_NAMES = str.maketrans(dict.fromkeys("/:.%\"'", "_"))


class UntrustedTypesError(Exception):
    """A model holds types or functions that would not be read back."""


@dataclass(frozen=True)
class PackedModel:
    """A model as the bytes of a skops file, and what is needed to read it back.

    ``trusted`` are its types that skops does not know and that scikit-learn, NumPy or SciPy
    define.
    """

    model: Any
    trusted: list[str]
    content: bytes


def pack(model: Any) -> PackedModel:
    """See that skops can write a model, and which of its types must be trusted to read it.

    Raises
    ------
    UntrustedTypesError
        If it holds types from elsewhere; they are named.
    """
    import skops.io

    model = without_tree(model)
    written: bytes = skops.io.dumps(model)
    unknown = skops.io.get_untrusted_types(data=written)
    foreign = [name for name in unknown if not is_trusted(name)]
    if foreign:
        raise UntrustedTypesError(
            "it holds types or functions that would not be trusted when it is read: "
            f"{', '.join(foreign)}"
        )
    return PackedModel(model, unknown, written)


def create_logged_model(
    client: "MlflowClient",
    run: "RunInfo",
    model: Any,
    *,
    params: Mapping[str, str],
    tags: Mapping[str, str],
) -> "LoggedModel":
    """Make the record's entry of a model, linked to the run it comes from."""
    name = f"{run.run_name}-{type(last_step(model)).__name__}"
    return client.create_logged_model(
        run.experiment_id,
        name=name.translate(_FORBIDDEN_IN_NAMES),
        source_run_id=run.run_id,
        params=dict(params),
        model_type=kind_of(model) or "other",
        tags=dict(tags),
    )


def upload(
    client: "MlflowClient",
    logged: "LoggedModel",
    packed: PackedModel,
    part: Part,
    rows_seen: int,
) -> None:
    """Keep the model's files under its entry, and mark the entry ready, or failed.

    MLflow's metadata of the model hold the ``feature_names``, where the rows have such, so that
    who predicts later knows which columns to read.

    This is what ``mlflow.sklearn.log_model`` does, without its global tracking URI, so that
    several runs of one process may use several stores.

    Parameters
    ----------
    client : MlflowClient
        Of the store that holds the entry.
    logged : LoggedModel
        The entry.
    packed : PackedModel
        What to keep.
    part : Part
        Rows as the model takes them, for its signature.
    rows_seen : int
        The step at which the run put the model out.
    """
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus
    from mlflow.models import Model

    status = LoggedModelStatus.FAILED
    description = Model(
        artifact_path=logged.artifact_location,
        run_id=logged.source_run_id,
        model_uuid=logged.model_id,
        model_id=logged.model_id,
        metadata=None if part.feature_names is None else {"feature_names": [*part.feature_names]},
    )
    try:
        with TemporaryDirectory() as folder:
            description.signature = signature(packed.model, part)
            write(Path(folder), description, packed.model, packed.content, packed.trusted)
            client.log_model_artifacts(logged.model_id, folder)
        output = LoggedModelOutput(logged.model_id, rows_seen)
        client.log_outputs(str(logged.source_run_id), [output])
        status = LoggedModelStatus.READY
    finally:
        client.finalize_logged_model(logged.model_id, status)


def signature(model: Any, part: Part) -> "ModelSignature":
    """Say which rows a model takes, from the data's type and width, and what it makes of them.

    Rows of a DataFrame are told by the names and types of its columns. The output is taken from
    one row of zeros and empty text; it is left out when the model has neither ``predict`` nor
    ``transform`` or makes no array.
    """
    from mlflow.models import ModelSignature
    from mlflow.types.schema import Schema

    row = one_row(part)
    output = _output(model, row)
    return ModelSignature(
        inputs=Schema([tensor_spec(row)]) if part.frame is None else column_schema(part.frame),
        outputs=None if output is None else Schema([tensor_spec(output)]),
    )


def one_row(part: Part) -> Any:
    """Return a row of zeros, and of empty text, of the shape and type of the data.

    Returns
    -------
    ndarray of shape (1, n_features) or (1,), or DataFrame of one row
    """
    if part.frame is not None:
        return _row_of_columns(part.frame)
    if part.X.dtype.kind in "OU" and len(part.X.shape) == 1:
        return np.array([""])
    return np.zeros((1, *part.X.shape[1:]), part.X.dtype)


def _row_of_columns(frame: Any) -> Any:
    import pandas as pd

    columns = {
        name: pd.Series([""] if dtype.kind == "O" else [0], dtype=dtype)
        for name, dtype in frame.dtypes.items()
    }
    return pd.DataFrame(columns)


def _output(model: Any, row: Any) -> np.ndarray | None:
    apply = getattr(model, "predict", None) or getattr(model, "transform", None)
    if apply is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            output = apply(row)
        except Exception:  # noqa: BLE001  (a row of zeros is not everybody's row)
            return None
    return output if isinstance(output, np.ndarray) else None
