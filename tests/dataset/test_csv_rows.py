import pickle
from concurrent.futures import ThreadPoolExecutor

import fsspec
import numpy as np
import pyarrow as pa
import pytest
from dask.base import tokenize
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset import csv_rows
from runner.dataset.columns import Columns
from runner.dataset.csv_rows import COMMON_NULLS, NULLS, PIECE_NBYTES, RARE_NULLS, Cells, ReadCsv
from runner.dataset.layout import lay_out
from runner.dataset.lines import index_lines
from runner.dataset.spans import edges_of
from runner.errors import DatasetError

MEMORY = fsspec.filesystem("memory")
HEADER = ("a", "unused", "b", "y")
TYPES = {"b": pa.float64(), "a": pa.float64(), "y": pa.string()}


def reader(texts, y=None, *, has_rare_nulls=False):
    types = TYPES | ({"y": y} if y else {})
    for i, text in enumerate(texts):
        MEMORY.pipe(f"/csv_rows/{i}.csv", ("a,unused,b,y\n" + text).encode())
    indices = tuple(
        index_lines(MEMORY, f"/csv_rows/{i}.csv", quoted=True) for i in range(len(texts))
    )
    layout = lay_out(Columns(("b", "a"), "y", None), types, None)
    edges = edges_of([index.n_lines - 1 for index in indices])
    cells = Cells(HEADER, ",", tuple(types.items()), has_rare_nulls)
    return ReadCsv(MEMORY, indices, edges, cells, layout)


def refusal(text, start, stop, **options):
    with pytest.raises(DatasetError) as error:
        reader([text], **options)(start, stop)
    return str(error.value)


cells = st.floats(allow_nan=False, width=64)
labels = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=4) | (
    st.sampled_from(["a\nb", 'q"q', "x,y", "\r\n", " "])
)
files_of_rows = st.lists(
    st.lists(st.tuples(cells, cells, labels), max_size=90), min_size=1, max_size=3
).filter(any)


def written(row):
    a, b, y = row
    quoted = y.replace('"', '""')
    return f'{a!r},z,{b!r},"{quoted}"'


@settings(deadline=None, max_examples=40)
@given(files_of_rows, st.sampled_from(["\n", "\r\n", "\n\n"]), st.booleans(), st.integers(1, 100))
def test_blocks_of_any_size_are_the_rows_bit_for_bit(files, newline, ends, block):
    texts = [
        newline.join(written(row) for row in rows) + (newline if ends else "") for rows in files
    ]
    rows = [row for file in files for row in file]
    read = reader(texts)
    assert int(read.edges[-1]) == len(rows)
    for start in range(0, len(rows), block):
        X, y, weight = read(start, min(start + block, len(rows)))
        expected = rows[start : start + block]
        np.testing.assert_array_equal(X, [[b, a] for a, b, _ in expected])
        assert y.tolist() == [label for _, _, label in expected]
        assert weight is None


def test_any_number_of_threads_read_the_same_rows():
    read = reader(["".join(f"{i},z,{-i},k{i}\n" for i in range(1000))])
    starts = list(range(0, 1000, 90)) * 4
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda start: read(start, min(start + 90, 1000)), starts))
    for start, (X, y, _) in zip(starts, found, strict=True):
        assert X[:, 1].tolist() == list(range(start, min(start + 90, 1000)))
        assert y[0] == f"k{start}"


def test_a_reader_is_picklable_with_a_steady_token():
    read = reader(["1,z,2,x\n"])
    X, y, _ = pickle.loads(pickle.dumps(read))(0, 1)  # noqa: S301
    assert (X.tolist(), y.tolist()) == ([[2.0, 1.0]], ["x"])
    assert tokenize(read) == tokenize(pickle.loads(pickle.dumps(read)))  # noqa: S301


@pytest.mark.parametrize("cell", ["", "NA", "NaN", "nan", "null"])
def test_cells_that_say_nothing_are_nan(cell):
    X, _, _ = reader([f"{cell},z,inf,x\n"])(0, 1)
    np.testing.assert_array_equal(X, [[np.inf, np.nan]])


numbers = st.sampled_from([*NULLS, "inf", "-inf", "NAN", "-Nan", "1e999", "-0", "-1.5", "1.25"])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6))
def test_what_counts_as_empty_is_so_whether_it_is_expected_or_not(rows):
    text = "".join(f"{a},z,{b},x\n" for a, b in rows)
    found = [reader([text], has_rare_nulls=each)(0, len(rows))[0] for each in (False, True)]
    np.testing.assert_array_equal(*(X.view(np.uint64) for X in found))
    for row, cells in zip(found[0], rows, strict=True):
        for cell, value in zip(cells, row[::-1], strict=True):
            assert np.isnan(value) == (cell in NULLS or "nan" in cell.lower())
            assert cell not in NULLS or not np.signbit(value)


@pytest.mark.parametrize("cell", RARE_NULLS)
@pytest.mark.parametrize("has_rare_nulls", [False, True])
def test_a_label_that_counts_as_empty_is_told_however_it_is_written(cell, has_rare_nulls):
    read = reader([f"1,z,2,{cell}\n"], pa.float64(), has_rare_nulls=has_rare_nulls)
    with pytest.raises(DatasetError, match="must have a value in every row; got 1 empty cell in"):
        read(0, 1)


@pytest.mark.parametrize(
    ("cell", "has_rare_nulls", "n_parsed"),
    [
        ("", False, 1),
        ("NA", False, 1),
        ("-nan", False, 2),
        ("1.#IND", False, 2),
        ("-nan", True, 1),
    ],
)
def test_lines_are_parsed_twice_only_where_a_number_counts_as_empty(
    monkeypatch, cell, has_rare_nulls, n_parsed
):
    parse, parsed = Cells._parse, []

    def watched(self, lines, longest, nulls):
        parsed.append(nulls)
        return parse(self, lines, longest, nulls)

    monkeypatch.setattr(Cells, "_parse", watched)
    reader([f"{cell},z,1,x\n"], has_rare_nulls=has_rare_nulls)(0, 1)
    assert len(parsed) == n_parsed
    assert (parsed[0] == COMMON_NULLS) is not has_rare_nulls


def test_blocks_of_several_pieces_are_the_rows_bit_for_bit(monkeypatch):
    monkeypatch.setattr(csv_rows, "PIECE_NBYTES", 200)
    rows = [(i / 7, "" if i % 5 else i / 3) for i in range(300)]
    read = reader(["".join(f"{a!r},z,{b},k{i}\n" for i, (a, b) in enumerate(rows))])
    X, y, _ = read(10, 290)
    np.testing.assert_array_equal(X, [[np.nan if b == "" else b, a] for a, b in rows[10:290]])
    assert y.tolist() == [f"k{i}" for i in range(10, 290)]
    assert X.flags.c_contiguous


def test_labels_that_read_like_nothing_are_labels():
    assert reader(["1,z,2,NA\n1,z,2,null\n"])(0, 2)[1].tolist() == ["NA", "null"]


def test_text_among_numbers_is_told_at_its_block_only():
    text = "".join(f"{i},z,{i},x\n" for i in range(100)) + "1,z,1o,x\n" + "1,z,2,x\n" * 9
    assert reader([text])(90, 100)[0].shape == (10, 2)
    assert refusal(text, 95, 105) == (
        "The column 'b' of /csv_rows/0.csv must hold numbers only; got invalid value '1o' in its "
        "row 100. Mend the cell, or leave the column out."
    )
    assert reader([text])(101, 110)[0].shape == (9, 2)


def test_a_bad_cell_far_inside_a_block_is_told_with_its_row():
    text = f"1,{'z' * 100},2,x\n" * 50_000 + "1,z,two,x\n"
    assert "got invalid value 'two' in its row 50000." in refusal(text, 10, 50_001)


def test_lines_longer_than_the_parsers_pieces_are_read():
    long = "z" * (3 * PIECE_NBYTES)
    read = reader(["1,z,2,x\n" * 100 + f"3,{long},4,y\n" + "5,z,6,x\n" * 100])
    X, y, _ = read(95, 105)
    assert X[5].tolist() == [4, 3]
    assert y[5] == "y"


def test_a_label_of_another_type_is_told():
    assert refusal("1,z,2,3\n1,z,2,3.5\n", 0, 2, y=pa.int64()) == (
        "The column 'y' of /csv_rows/0.csv must hold int64 values, as its first rows do; got "
        "invalid value '3.5' in its row 1. Mend the cell, or set dataset.target_dtype=float64 or "
        "str."
    )


@pytest.mark.parametrize("kind", [pa.string(), pa.int64()])
def test_an_empty_label_is_told(kind):
    assert refusal("1,z,2,3\n1,z,2,\n", 0, 2, y=kind) == (
        "The column 'y' of /csv_rows/0.csv must have a value in every row; got 1 empty cell in "
        "its rows 0 to 1. Remove these rows from the file, or fill them in."
    )


@pytest.mark.parametrize("row", ["1,z,2", "1,z,2,x,9", " "])
def test_a_row_of_another_length_is_told(row):
    assert refusal("1,z,2,x\n\n" * 9 + f"{row}\n", 5, 10) == (
        f"The file /csv_rows/0.csv must have 4 cells in each row; got {row.count(',') + 1} in its "
        "row 9. Mend the row, or set dataset.delimiter to what stands between the cells."
    )


def test_quotes_inside_cells_are_told():
    assert refusal('1,5" wide,2,x\n1,z,2,x\n1,3" wide,2,x\n', 0, 1) == (
        "The file /csv_rows/0.csv must have double quotes only around whole cells in its rows 0 "
        "to 0; got 3 rows in 1 lines. Put double quotes around the cell, and write those inside "
        "it twice."
    )


def test_text_that_is_not_utf8_is_told():
    read = reader(["1,z,2,x\n"])
    MEMORY.pipe("/csv_rows/0.csv", MEMORY.cat("/csv_rows/0.csv").replace(b"x\n", b"\xff\n"))
    with pytest.raises(
        DatasetError,
        match=r"got invalid UTF8 data in its row 0\. Save the file as UTF-8\.",
    ):
        read(0, 1)
