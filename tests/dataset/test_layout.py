import weakref

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset.columns import Columns
from runner.dataset.frames import lay_out_frame
from runner.dataset.layout import Stretch, lay_out, numpy_dtype, write_rows
from runner.errors import DatasetError


def layout_of(table, target=None, weight=None, dtype=None):
    columns = Columns(tuple(n for n in table.column_names if n[0] not in "yw"), target, weight)
    types = {field.name: getattr(field.type, "value_type", field.type) for field in table.schema}
    return lay_out(columns, types, dtype)


def assembled(layout, *tables):
    return layout.assemble(
        [
            Stretch(each.num_rows, iter(each.select(layout.columns.names).columns), "a.pq", "rows")
            for each in tables
        ],
        sum(each.num_rows for each in tables),
    )


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([pa.float32(), pa.float32()], "float32"),
        ([pa.float16()], "float32"),
        ([pa.float32(), pa.float64()], "float64"),
        ([pa.float32(), pa.int8()], "float32"),
        ([pa.float32(), pa.int32()], "float64"),
        ([pa.int8()], "float64"),
        ([pa.bool_(), pa.uint8()], "float64"),
        ([pa.decimal128(4, 1)], "float64"),
        ([pa.null()], "float64"),
    ],
)
def test_x_has_the_common_type_of_the_features(kinds, expected):
    table = pa.table({f"x{i}": pa.nulls(2, kind) for i, kind in enumerate(kinds)})
    layout = layout_of(table)
    assert layout.X_dtype == expected
    X, y, weight = assembled(layout, table)
    assert X.dtype == expected
    assert np.isnan(X).all()
    assert y is None
    assert weight is None


def test_the_asked_type_wins():
    table = pa.table({"x": [1, 2]})
    layout = layout_of(table, dtype="float32")
    assert assembled(layout, table)[0].dtype == np.float32
    assert layout.row_nbytes == 4


def test_all_kinds_of_numbers_are_read_with_empty_cells_as_nan():
    table = pa.table(
        {
            "x0": pa.array([1, None, 3], pa.int16()),
            "x1": pa.array([True, False, None]),
            "x2": pa.array([0.5, None, float("nan")], pa.float32()),
            "x3": pa.array(["1.5", "2.5", None]).cast(pa.decimal128(3, 1)),
            "x4": pa.array([7, 8, 7]).dictionary_encode(),
        }
    )
    X, _, _ = assembled(layout_of(table), table.slice(0, 1), table.slice(1, 2))
    nan = np.nan
    expected = [[1, 1, 0.5, 1.5, 7], [nan, 0, nan, 2.5, 8], [3, nan, nan, nan, 7]]
    np.testing.assert_array_equal(X, expected)
    assert X.flags.c_contiguous


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (pa.array([3, 4], pa.int16()), np.array([3, 4], np.int16)),
        (pa.array([0.5, 1.5], pa.float32()), np.array([0.5, 1.5], np.float32)),
        (pa.array([True, False]), np.array([True, False])),
        (pa.array(["no", "yes"]), np.array(["no", "yes"])),
        (pa.array(["no", "yes"], pa.large_string()), np.array(["no", "yes"])),
        (pa.array(["no", "yes"], pa.string_view()), np.array(["no", "yes"])),
        (pa.array(["é", "yes"]).dictionary_encode(), np.array(["é", "yes"])),
        (pa.array(["1.5", "2.5"]).cast(pa.decimal128(3, 1)), np.array([1.5, 2.5])),
    ],
)
def test_a_target_keeps_its_type_and_owns_its_memory(cells, expected):
    table = pa.table({"x": [1.0, 2.0], "y": cells})
    layout = layout_of(table, target="y")
    _, y, _ = assembled(layout, table)
    np.testing.assert_array_equal(y, expected, strict=True)
    assert y.flags.owndata
    assert y.flags.writeable
    assert layout.metas[1].shape == (0,)
    assert layout.metas[1].dtype.kind == y.dtype.kind


def test_several_targets_make_two_dimensions():
    table = pa.table({"x": [1.0, 2.0], "y0": pa.array([1, 2], pa.int8()), "y1": [0.5, 1.5]})
    layout = layout_of(table, target=("y0", "y1"))
    _, y, _ = assembled(layout, table)
    np.testing.assert_array_equal(y, np.array([[1, 0.5], [2, 1.5]]), strict=True)
    assert layout.metas[1].shape == (0, 2)


def test_several_targets_of_text_stay_text():
    table = pa.table({"x": [1.0, 2.0], "y0": ["a", "bcd"], "y1": ["e", "f"]})
    _, y, _ = assembled(layout_of(table, target=("y0", "y1")), table)
    np.testing.assert_array_equal(y, [["a", "e"], ["bcd", "f"]])


def test_labels_of_other_lengths_in_other_tables_are_joined():
    tables = [pa.table({"x": [1.0], "y": ["a"]}), pa.table({"x": [2.0], "y": ["abc"]})]
    _, y, _ = assembled(layout_of(tables[0], target="y"), *tables)
    np.testing.assert_array_equal(y, np.array(["a", "abc"]), strict=True)


def test_weights_are_float64():
    table = pa.table({"x": [1.0, 2.0], "w": [1, 2]})
    layout = layout_of(table, weight="w")
    _, _, weight = assembled(layout, table)
    np.testing.assert_array_equal(weight, np.array([1.0, 2.0]), strict=True)
    assert layout.metas[2].shape == (0,)


def test_each_feature_is_let_go_before_the_next_is_asked_for():
    layout = layout_of(pa.table({"x0": [0.0], "x1": [0.0], "x2": [0.0]}))
    alive, seen = [], []

    def columns():
        for i in range(3):
            seen.append(sum(column() is not None for column in alive))
            column = pa.chunked_array([[i]])
            alive.append(weakref.ref(column))
            yield column
            del column

    layout.assemble((Stretch(1, columns(), "a.pq", "rows") for _ in range(2)), 2)
    assert seen == [0] * 6


@pytest.mark.parametrize(
    ("cells", "roles", "message"),
    [
        (
            {"x": [1.0], "name": ["a"], "day": pa.array([1], pa.date32())},
            {},
            "The features must be columns of numbers or booleans; got 'name' (string), 'day' "
            "(date32[day]). Name the columns to learn from in dataset.features, without these, "
            "or set dataset.as_frame=true to take text as it is.",
        ),
        (
            {"x": [1.0], "w": ["a"]},
            {"weight": "w"},
            "dataset.sample_weight must name a column of numbers; got 'w' (string). Name another",
        ),
        (
            {"x": [1.0], "y": pa.array([1], pa.timestamp("s"))},
            {"target": "y"},
            "dataset.target must name columns of numbers, or of text; got 'y' (timestamp[s]).",
        ),
        (
            {"x": [1.0], "y0": [1], "y1": ["a"]},
            {"target": ("y0", "y1")},
            "got 'y0' (int64), 'y1' (string). Name other columns, or write these as numbers or",
        ),
    ],
)
def test_columns_of_other_types_are_refused(cells, roles, message):
    with pytest.raises(DatasetError) as error:
        layout_of(pa.table(cells), **roles)
    assert message in str(error.value)


def test_empty_cells_where_there_must_be_a_value_are_refused():
    table = pa.table({"x": [None, 1.0], "y": ["a", None], "w": [1, 2]})
    layout = layout_of(table, target="y", weight="w")
    columns = iter(table.select(layout.columns.names).columns)
    with pytest.raises(DatasetError) as error:
        layout.assemble([Stretch(2, columns, "a.pq", "rows 10 to 11")], 2)
    assert str(error.value) == (
        "The column 'y' of a.pq must have a value in every row; got 1 empty cell in its rows 10 "
        "to 11. Remove these rows from the file, or fill them in."
    )


def test_what_numpy_has_no_type_for_is_float64():
    assert numpy_dtype(pa.null()) == numpy_dtype(pa.decimal128(5, 1)) == np.float64
    assert numpy_dtype(pa.bool_()) == np.bool_


floats = st.lists(st.none() | st.floats(width=32), max_size=9)


@settings(deadline=None, max_examples=50)
@given(st.lists(floats, max_size=4), st.integers(1, 5), st.sampled_from(["float32", "float64"]))
def test_features_of_one_type_are_the_same_bits_together_as_one_by_one(pieces, width, dtype):
    kind = pa.from_numpy_dtype(dtype)
    column = pa.chunked_array([pa.array(piece, kind) for piece in pieces], kind)
    features = pa.table({f"x{j}": column for j in range(width)})
    layout = layout_of(features, dtype=dtype)
    expected, _, _ = assembled(layout, features)
    stretch = Stretch(features.num_rows, iter(()), "a.csv", "rows", features)
    X, _, _ = layout.assemble([stretch, stretch], 2 * features.num_rows)
    assert X.tobytes() == 2 * expected.tobytes()


def test_rows_are_written_where_they_belong():
    X = np.zeros((4, 2), np.float32)
    write_rows(
        pa.table({"a": pa.array([1, 2], pa.float32()), "b": pa.array([3, 4], pa.float32())}),
        X[1:3],
    )
    assert X.tolist() == [[0, 0], [1, 3], [2, 4], [0, 0]]


@pytest.mark.parametrize(
    ("kinds", "dtype", "expected"),
    [
        ([pa.float64(), pa.float64()], "float64", True),
        ([pa.float32(), pa.float32()], "float32", True),
        ([pa.float32(), pa.float32()], "float64", False),
        ([pa.float64(), pa.bool_()], "float64", False),
        ([], "float64", False),
    ],
)
def test_x_is_written_row_by_row_only_where_all_features_are_of_its_type(kinds, dtype, expected):
    table = pa.table({f"x{i}": pa.nulls(1, kind) for i, kind in enumerate(kinds)})
    types = {field.name: field.type for field in table.schema}
    assert layout_of(table, dtype=dtype).is_matrix(types) is expected


def test_frames_are_no_matrix():
    types = {"x": pa.float64()}
    layout = lay_out_frame(Columns(("x",), None, None), types, "float64", lambda _: set())
    assert not layout.is_matrix(types)
