import json

import dask.array as da
import numpy as np
import pandas as pd
import pytest

from runner.base import Part, Place
from runner.tracking.dataset import (
    MAX_SOURCE,
    column_schema,
    dataset_entity,
    digest,
    log_datasets,
    source_json,
)


def lazy(shape, chunks, dtype="f8"):
    def fail(*_, **__):
        pytest.fail("a block was computed")

    array = da.map_blocks(fail, da.zeros(shape, chunks=chunks, dtype=dtype), meta=np.empty(0))
    return array.astype(dtype)


def part(n_rows=1_000_050, width=100, chunk=1000, dtype="f4", y=True):
    X = lazy((n_rows, width), (chunk, width), dtype)
    places = tuple(Place(i, i * chunk, (i + 1) * chunk) for i in range(len(X.chunks[0])))
    return Part(X, lazy((n_rows,), chunk, "i8") if y else None, None, places)


def entity(part, context="train"):
    return dataset_entity("rows", {"path": "a.csv"}, part, context=context, held_out_rows=20)


def test_the_profile_says_how_large_the_data_are_and_nothing_is_computed():
    assert json.loads(entity(part()).profile) == {
        "num_rows": 1_000_050,
        "num_features": 100,
        "num_blocks": 1001,
        "block_rows": 1000,
        "last_block_rows": 50,
        "dtype": "float32",
        "nbytes": 400_020_000,
        "target_dtype": "int64",
        "held_out_rows": 20,
    }


def test_lines_of_text_have_no_width_and_no_known_size():
    lines = Part(lazy((100,), 25, object), None, None, tuple(Place(i, 0, 1) for i in range(4)))
    found = json.loads(entity(lines).profile)
    assert found["num_features"] is None
    assert found["nbytes"] is None
    assert found["target_dtype"] is None


def test_the_schema_is_that_of_the_tensors():
    schema = json.loads(entity(part()).schema)["mlflow_tensorspec"]
    assert json.loads(schema["features"])[0]["tensor-spec"] == {
        "dtype": "float32",
        "shape": [-1, 100],
    }
    assert json.loads(schema["targets"])[0]["tensor-spec"] == {"dtype": "int64", "shape": [-1]}


@pytest.mark.parametrize("dtype", ["O", "U7", "S3", "M8[ns]", "?", "i1"])
def test_every_type_of_column_has_a_schema(dtype):
    text = Part(da.empty((4, 2), chunks=(2, 2), dtype=dtype), None, None, ())
    assert json.loads(entity(text).schema)["mlflow_tensorspec"]["targets"] is None


@pytest.mark.parametrize(
    "other",
    [
        part(n_rows=1_000_049),
        part(width=99),
        part(chunk=500),
        part(dtype="f8"),
        part(y=False),
    ],
)
def test_the_digest_changes_with_the_data(other):
    assert digest("a", other, "train") != digest("a", part(), "train")


def test_the_digest_is_short_and_stays_the_same():
    first = digest("a", part(), "train")
    assert first == digest("a", part(), "train")
    assert len(first) == 8
    assert len({first, digest("b", part(), "train"), digest("a", part(), "holdout")}) == 3


def test_the_source_is_what_was_asked_for():
    asked = {"_target_": "runner.dataset.csv.Csv", "path": "a.csv"}
    made = dataset_entity("rows", asked, part(), context="train", held_out_rows=0)
    assert made.source_type == "Csv"
    assert json.loads(made.source) == asked
    assert entity(part()).source_type == "runner"


def test_a_source_that_is_too_long_is_shortened_and_stays_json():
    long = {f"key{i}": ["x" * 1000] * 10 for i in range(20)}
    assert len(source_json(long)) <= MAX_SOURCE
    assert set(json.loads(source_json(long))) == set(long)


def table(**types):
    frame = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})
    X = lazy((100, len(types)), (25, len(types)), object)
    places = tuple(Place(i, 25 * i, 25 * i + 25) for i in range(4))
    return Part(X, lazy((100,), 25, "i8"), None, places, tuple(types), frame)


def test_the_schema_of_a_table_names_its_columns_and_the_target():
    rows = table(word=object, n="i2", size="f4")
    asked = {"target": "label"}
    made = dataset_entity("rows", asked, rows, context="train", held_out_rows=0)
    columns = json.loads(made.schema)["mlflow_colspec"]
    assert [(column["name"], column["type"]) for column in columns] == [
        ("word", "string"),
        ("n", "integer"),
        ("size", "float"),
        ("label", "long"),
    ]
    assert len(json.loads(entity(rows).schema)["mlflow_colspec"]) == 3
    found = json.loads(made.profile)
    assert (found["num_features"], found["dtype"], found["nbytes"]) == (
        3,
        "a type per column",
        None,
    )


KINDS = {
    "?": "boolean",
    "i1": "integer",
    "u1": "integer",
    "u2": "integer",
    "i4": "integer",
    "u4": "long",
    "i8": "long",
    "f4": "float",
    "f8": "double",
    "O": "string",
}


@pytest.mark.parametrize(("dtype", "kind"), KINDS.items())
def test_mlflow_takes_columns_of_the_type_that_their_schema_says(dtype, kind):
    from mlflow.models.utils import _enforce_schema

    rows = pd.DataFrame({"x": pd.Series(["a", None] if dtype == "O" else [0, 1], dtype=dtype)})
    schema = column_schema(rows)
    assert schema.inputs[0].type.name == kind
    taken = _enforce_schema(rows, schema)
    assert taken["x"].tolist() == rows["x"].tolist()


def test_the_digest_changes_with_the_name_and_the_type_of_a_column():
    assert (
        len(
            {
                digest("a", each, "train")
                for each in (
                    table(a="f8", b=object),
                    table(a="f8", c=object),
                    table(a="f4", b=object),
                )
            }
        )
        == 3
    )


def inputs():
    from mlflow.entities import DatasetInput, InputTag

    return [
        DatasetInput(entity(part(), context), [InputTag("mlflow.data.context", context)])
        for context in ("train", "holdout")
    ]


def test_mlflow_keeps_it(client, run_id):
    log_datasets(client, run_id, inputs())
    kept = client.get_run(run_id).inputs.dataset_inputs
    assert kept[0].dataset.to_dictionary() == entity(part()).to_dictionary()


def test_runs_that_log_the_same_data_at_the_same_moment_all_keep_them(client, run_id):
    from mlflow.store.tracking.dbmodels.models import SqlDataset
    from sqlalchemy import event

    other = client.create_run(client.get_run(run_id).info.experiment_id).info.run_id

    @event.listens_for(SqlDataset, "before_insert", once=True)
    def meet(*_):
        client.log_inputs(other, inputs())

    log_datasets(client, run_id, inputs())
    kept = [client.get_run(each).inputs.dataset_inputs for each in (run_id, other)]
    assert {len(each) for each in kept} == {2}
    assert {i.dataset.digest for i in kept[0]} == {i.dataset.digest for i in kept[1]}


def test_what_else_the_store_says_of_data_is_raised_at_once(flaky, run_id):
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="not found"):
        log_datasets(flaky, "0" * 32, inputs())
    assert flaky.calls == ["log_inputs"]
