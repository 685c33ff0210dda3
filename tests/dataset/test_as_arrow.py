from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset.as_arrow import as_arrow
from runner.dataset.bundled import Bundled
from runner.dataset.csv import Csv
from runner.dataset.parquet import Parquet
from runner.errors import ConfigError, DatasetError
from runner.stream.stream import Stream

LARGE = 2**53 + 1
ROWS = pa.table(
    {
        "id": pa.array([LARGE + 2 * i for i in range(50)]),
        "visits": pa.array([LARGE + i if i % 3 else None for i in range(50)]),
        "who": pa.array([f"ann, {i}" if i % 4 else None for i in range(50)]),
        "at": pa.array(np.arange("2025-01-01", "2025-02-20", dtype="datetime64[D]")),
        "kind": pa.array(["x", "y"] * 25).dictionary_encode(),
        "tags": pa.array([[i] * (i % 3) for i in range(50)]),
        "price": pa.array([i / 7 for i in range(50)]),
    }
)


def read(dataset):
    part = dataset.split().train
    source = Stream().source(part)
    return [source.read(i).X for i in range(part.n_blocks)]


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    pq.write_table(ROWS, path, row_group_size=13)
    return Parquet(path=str(path), target="gone", chunks=20, holdout=0)


@given(chunks=st.integers(1, 60), names=st.permutations(ROWS.column_names))
@settings(deadline=None, max_examples=30)
def test_every_type_comes_through_whatever_the_chunks(parquet, chunks, names):
    tables = read(as_arrow(replace(parquet, chunks=chunks), names))
    assert [len(table) for table in tables[:-1]] == [chunks] * (len(tables) - 1)
    expected = ROWS.select(names)
    found = pa.concat_tables(tables)
    assert found.to_pydict() == expected.to_pydict()
    for name in names:
        kind = expected.schema.field(name).type
        wanted = kind.value_type if pa.types.is_dictionary(kind) else kind
        assert found.schema.field(name).type == wanted


def test_files_of_different_types_give_one_type(tmp_path):
    for name, kind in (("a", pa.int32()), ("b", pa.int64())):
        pq.write_table(pa.table({"id": pa.array([1, 2], kind)}), tmp_path / f"{name}.parquet")
    tables = read(as_arrow(Parquet(path=str(tmp_path), target=None, chunks=2, holdout=0), ["id"]))
    assert [table.schema.field("id").type for table in tables] == [pa.int64(), pa.int64()]


def test_cells_of_csv_keep_their_digits_and_letters(tmp_path):
    names = ["id", "visits", "who", "at", "price"]
    pacsv.write_csv(ROWS.select(names), tmp_path / "rows.csv")
    dataset = Csv(path=str(tmp_path / "rows.csv"), target="gone", chunks=20, holdout=0)
    found = pa.concat_tables(read(as_arrow(dataset, names)))
    kinds = [str(field.type) for field in found.schema]
    assert kinds == ["string"] * 5
    for name in ("id", "visits"):
        cells = ["" if cell is None else str(cell) for cell in ROWS[name].to_pylist()]
        assert [cell or "" for cell in found[name].to_pylist()] == cells
    lines = (tmp_path / "rows.csv").read_text().splitlines()[1:]
    assert all(cell in line for cell, line in zip(found["at"].to_pylist(), lines, strict=True))


def test_codes_of_csv_that_begin_with_letters_in_one_file_are_text_in_all(tmp_path):
    (tmp_path / "a.csv").write_text("code\n007\n8\n")
    (tmp_path / "b.csv").write_text("code\nx1\n")
    dataset = Csv(path=str(tmp_path), target=None, chunks=10, holdout=0)
    found = pa.concat_tables(read(as_arrow(dataset, ["code"])))
    assert found["code"].to_pylist() == ["007", "8", "x1"]


def test_a_column_of_nothing_but_empty_cells_is_text(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,\n2,\n")
    dataset = Csv(path=str(tmp_path / "a.csv"), target=None, chunks=10, holdout=0)
    found = pa.concat_tables(read(as_arrow(dataset, ["b"])))
    assert found["b"].to_pylist() == [None, None]


def test_a_column_that_is_not_there_is_told(parquet):
    with pytest.raises(DatasetError, match="got 'idd'"):
        read(as_arrow(parquet, ["idd"]))


def test_a_dataset_without_columns_is_refused():
    with pytest.raises(ConfigError, match="Parquet and CSV files; got id of Bundled"):
        as_arrow(Bundled(name="iris"), ["id"])
