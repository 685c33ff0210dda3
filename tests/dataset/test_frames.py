import cloudpickle
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from runner.dataset.columns import Columns
from runner.dataset.frames import frame_of, lay_out_frame, objects
from runner.dataset.layout import Stretch
from runner.errors import DatasetError


def laid_out(table, dtype=None, full=frozenset(), target=None):
    columns = Columns(tuple(name for name in table.column_names if name != target), target, None)
    types = {field.name: getattr(field.type, "value_type", field.type) for field in table.schema}
    return lay_out_frame(columns, types, dtype, lambda names: set(names) & set(full))


def assembled(layout, *tables):
    stretches = [Stretch(each.num_rows, iter(each.columns), "a.pq", "rows") for each in tables]
    return layout.assemble(stretches, sum(each.num_rows for each in tables))


def types_of(frame):
    return [str(dtype) for dtype in frame.dtypes]


EVERY = pa.table(
    {
        "text": pa.array(["b", None, "", "b"]),
        "large": pa.array(["é", "x", None, None], pa.large_string()),
        "label": pa.array(["u", None, "v", "u"]).dictionary_encode(),
        "small": pa.array([1, 2, 3, 4], pa.int8()),
        "holey": pa.array([1, None, 3, 4], pa.int64()),
        "single": pa.array([0.5, None, 1.5, 2], pa.float32()),
        "half": pa.array([0.5, None, 1.5, 2], pa.float16()),
        "yes": pa.array([True, False, True, True]),
        "maybe": pa.array([True, None, False, True]),
        "money": pa.array(["1.5", None, "2.5", "3.5"]).cast(pa.decimal128(3, 1)),
        "nothing": pa.nulls(4),
        "codes": pa.array([7, 8, 7, 8]).dictionary_encode(),
    }
)
FULL = {"small", "yes", "codes"}
nan = np.nan


def test_each_column_has_a_type_of_its_own_and_empty_cells_are_nan():
    X, y, weight = assembled(laid_out(EVERY, full=FULL), EVERY)
    assert dict(zip(X.columns, types_of(X), strict=True)) == {
        **dict.fromkeys(["text", "large", "label"], "object"),
        "small": "int8",
        "holey": "float64",
        "single": "float32",
        "half": "float32",
        "yes": "bool",
        "maybe": "float64",
        "money": "float64",
        "nothing": "float64",
        "codes": "int64",
    }
    expected = {
        "text": ["b", nan, "", "b"],
        "large": ["é", "x", nan, nan],
        "label": ["u", nan, "v", "u"],
        "small": [1, 2, 3, 4],
        "holey": [1, nan, 3, 4],
        "single": [0.5, nan, 1.5, 2],
        "half": [0.5, nan, 1.5, 2],
        "yes": [True, False, True, True],
        "maybe": [1, nan, 0, 1],
        "money": [1.5, nan, 2.5, 3.5],
        "nothing": [nan] * 4,
        "codes": [7, 8, 7, 8],
    }
    for name, cells in expected.items():
        pd.testing.assert_series_equal(X[name], pd.Series(cells, dtype=X[name].dtype, name=name))
    assert (y, weight) == (None, None)


@pytest.mark.parametrize(("dtype", "number"), [("float32", "float32"), ("float64", "float64")])
def test_the_asked_type_is_that_of_all_numbers_but_not_of_booleans(dtype, number):
    layout = laid_out(EVERY, dtype, full=FULL)
    X, _, _ = assembled(layout, EVERY)
    assert set(types_of(X)) == {"object", "bool", number}
    assert X["yes"].dtype == bool
    assert X["small"].dtype == number


@pytest.mark.parametrize("n_rows", [0, 1, 4])
def test_blocks_of_any_rows_have_the_types_of_the_empty_one(n_rows):
    layout = laid_out(EVERY, full=FULL)
    X, _, _ = assembled(layout, EVERY.slice(0, n_rows))
    pd.testing.assert_series_equal(X.dtypes, layout.frame.dtypes)
    assert X.shape == (n_rows, 12)
    assert layout.frame.shape == (0, 12)
    assert X.index.equals(pd.RangeIndex(n_rows))


def test_stretches_are_put_below_each_other():
    whole, _, _ = assembled(laid_out(EVERY), EVERY)
    parts, _, _ = assembled(laid_out(EVERY), EVERY.slice(0, 1), EVERY.slice(1, 3))
    pd.testing.assert_frame_equal(parts, whole)


def test_an_empty_cell_where_the_file_promised_none_is_refused():
    with pytest.raises(DatasetError) as error:
        assembled(laid_out(EVERY, full={"holey"}), EVERY)
    assert str(error.value).startswith(
        "The column 'holey' of a.pq must have a value in every row; got 1 empty cell in its rows."
    )


def test_text_counts_as_sixteen_bytes():
    table = pa.table({"a": ["x"], "b": [True], "c": [1.0]})
    assert laid_out(table, full={"b"}).row_nbytes == 16 + 1 + 8


def test_other_kinds_are_refused():
    table = pa.table({"a": ["x"], "day": pa.array([1], pa.date32()), "raw": [b"x"]})
    with pytest.raises(DatasetError) as error:
        laid_out(table)
    assert str(error.value) == (
        "The features must be columns of numbers, booleans or text; got 'day' (date32[day]), "
        "'raw' (binary). Name the columns to learn from in dataset.features, without these."
    )


def test_y_alone_needs_no_frame():
    table = pa.table({"a": ["x", "z"], "y": ["no", "yes"]})
    layout = laid_out(table, target="y")
    X, y, _ = assembled(layout.of_y, table.select(["y"]))
    assert isinstance(X, np.ndarray)
    np.testing.assert_array_equal(y, np.array(["no", "yes"]), strict=True)
    assert layout.of_y.frame is None


def test_equal_text_is_one_object():
    text = objects(pa.chunked_array([["long text"] * 3, ["long text", None]]))
    assert len({id(cell) for cell in text[:4]}) == 1
    assert np.isnan(text[4])


def test_a_frame_shares_the_memory_of_its_columns():
    columns = {"a": np.array([1.0, 2.0]), "b": np.array(["x", None], dtype=object)}
    frame = frame_of(columns)
    assert types_of(frame) == ["float64", "object"]
    for name, column in columns.items():
        assert np.shares_memory(frame[name].to_numpy(), column)


def test_the_layout_can_be_sent_to_another_process():
    layout = laid_out(EVERY, full=FULL)
    again = cloudpickle.loads(cloudpickle.dumps(layout))
    pd.testing.assert_frame_equal(assembled(again, EVERY)[0], assembled(layout, EVERY)[0])
