import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dask.base import tokenize
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset import row_groups
from runner.dataset.columns import Columns
from runner.dataset.files import find_files
from runner.dataset.layout import lay_out
from runner.dataset.row_cache import RowCache
from runner.dataset.row_groups import ReadRowGroups, RowGroups, decoded_nbytes, opened
from runner.errors import DatasetError

COLUMNS = Columns(("b", "a"), "y", "w")
TYPES = {"a": pa.float32(), "b": pa.float32(), "y": pa.int64(), "w": pa.float64()}


def table(n_rows, seed=0):
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "a": rng.normal(size=n_rows).astype(np.float32),
            "unused": [str(i) for i in range(n_rows)],
            "b": rng.normal(size=n_rows).astype(np.float32),
            "y": np.arange(n_rows),
            "w": rng.random(n_rows),
        }
    )


def write(folder, sizes, **options):
    """Write one file per list of row group sizes; return all rows and a reader of them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    rows = table(sum(map(sum, sizes)))
    start = 0
    for i, file in enumerate(sizes):
        with pq.ParquetWriter(folder / f"{i}.parquet", rows.schema, **options) as writer:
            for size in file:
                writer.write_table(rows.slice(start, size), row_group_size=max(size, 1))
                start += size
    return rows, reader(folder, sizes)


def reader(folder, sizes):
    layout = lay_out(COLUMNS, TYPES, None)
    row_nbytes = decoded_nbytes(TYPES.values())
    return ReadRowGroups(find_files(str(folder)), RowGroups.of(sizes), layout, row_nbytes)


def assert_same(found, rows):
    X, y, weight = found
    expected = np.column_stack([rows["b"].to_numpy(), rows["a"].to_numpy()])
    np.testing.assert_array_equal(X, expected, strict=True)
    np.testing.assert_array_equal(y, rows["y"].to_numpy(), strict=True)
    np.testing.assert_array_equal(weight, rows["w"].to_numpy(), strict=True)


@pytest.fixture(autouse=True)
def cache(monkeypatch):
    own = RowCache(row_groups.CACHE.limit_nbytes)
    monkeypatch.setattr(row_groups, "CACHE", own)
    return own


@pytest.fixture
def decoded(monkeypatch):
    """Return the list of (row group, columns) that get decoded whole."""
    calls = []
    read = pq.ParquetFile.read_row_group

    def spy(self, i, columns=None, use_threads=True, **options):
        assert use_threads is False
        calls.append((i, tuple(columns)))
        return read(self, i, columns, use_threads, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", spy)
    return calls


files_of_groups = st.lists(
    st.lists(st.integers(0, 12), max_size=4), min_size=1, max_size=4
).filter(lambda sizes: sum(map(sum, sizes)) > 0)


@settings(deadline=None, max_examples=40)
@given(files_of_groups, st.integers(1, 30), st.sampled_from([0, 100, 2**20]))
def test_blocks_of_any_size_are_the_rows_whatever_the_row_groups(
    tmp_path_factory, sizes, block, cache_nbytes
):
    folder = tmp_path_factory.getbasetemp() / "any"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_groups, "CACHE", RowCache(cache_nbytes))
        rows, read = write(folder, sizes)
        for start in range(0, rows.num_rows, block):
            stop = min(start + block, rows.num_rows)
            assert_same(read(start, stop), rows.slice(start, stop - start))


def test_only_the_named_columns_are_decoded(tmp_path, decoded):
    _, read = write(tmp_path / "rows", [[10, 10]])
    read(0, 20)
    assert decoded == [(0, ("b", "a", "y", "w")), (1, ("b", "a", "y", "w"))]


def test_large_columns_are_decoded_one_by_one(tmp_path, decoded, monkeypatch):
    monkeypatch.setattr(row_groups, "SLAB_NBYTES", 500)
    rows, read = write(tmp_path / "rows", [[100]])
    assert_same(read(0, 100), rows)
    assert decoded == [(0, (name,)) for name in ("b", "a", "y", "w")]


def test_over_a_network_the_columns_are_asked_for_together(tmp_path, decoded, monkeypatch):
    monkeypatch.setattr(row_groups, "SLAB_NBYTES", 500)
    rows, _ = write(tmp_path / "rows", [[100]])
    memory = fsspec.filesystem("memory")
    memory.pipe("/row_groups/0.parquet", (tmp_path / "rows" / "0.parquet").read_bytes())
    assert_same(reader("memory://row_groups", [[100]])(0, 100), rows)
    assert decoded == [(0, ("b", "a", "y", "w"))]


def test_a_whole_row_group_is_never_kept(tmp_path, cache):
    _, read = write(tmp_path / "rows", [[10, 10], [10]])
    read(0, 20)
    read(20, 30)
    assert cache._groups == {}


def test_a_row_group_of_several_blocks_is_decoded_once_and_let_go(tmp_path, cache, decoded):
    rows, read = write(tmp_path / "rows", [[25, 25], [25]])
    for start in range(0, 75, 10):
        stop = min(start + 10, 75)
        assert_same(read(start, stop), rows.slice(start, stop - start))
        assert len(cache._groups) <= 1
    assert [group for group, _ in decoded] == [0, 1, 0]
    assert cache._groups == {}


def test_a_row_group_too_large_to_keep_is_decoded_in_batches(tmp_path, monkeypatch, decoded):
    monkeypatch.setattr(row_groups, "CACHE", RowCache(1000))
    rows, read = write(tmp_path / "rows", [[200_000]])
    batches = []
    iterate = pq.ParquetFile.iter_batches

    def spy(self, **options):
        for batch in iterate(self, **options):
            batches.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", spy)
    assert_same(read(70_000, 70_100), rows.slice(70_000, 100))
    assert decoded == []
    assert len(batches) == 2


def test_any_number_of_threads_read_the_same_rows(tmp_path, decoded):
    rows, read = write(tmp_path / "rows", [[50, 50], [100], [7, 43]])
    starts = list(range(0, 250, 20)) * 4
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda start: read(start, min(start + 20, 250)), starts))
    for start, block in zip(starts, found, strict=True):
        assert_same(block, rows.slice(start, 20))


def test_a_reader_is_picklable_and_its_token_follows_the_content(tmp_path):
    rows, read = write(tmp_path / "rows", [[10], [10]])
    assert_same(pickle.loads(pickle.dumps(read))(5, 15), rows.slice(5, 10))  # noqa: S301
    assert tokenize(read) == tokenize(reader(tmp_path / "rows", [[10], [10]]))
    pq.write_table(table(10, seed=1), tmp_path / "rows" / "1.parquet")
    assert tokenize(read) != tokenize(reader(tmp_path / "rows", [[10], [10]]))


def test_a_flipped_bit_is_told_with_its_file_and_rows(tmp_path):
    path = tmp_path / "rows" / "1.parquet"
    write(tmp_path / "rows", [[10], [10, 10]], write_page_checksum=True)
    column = pq.read_metadata(path).row_group(1).column(0)
    raw = bytearray(path.read_bytes())
    raw[column.dictionary_page_offset + column.total_compressed_size - 1] ^= 1
    path.write_bytes(raw)
    read = reader(tmp_path / "rows", [[10], [10, 10]])

    read(0, 20)
    with pytest.raises(DatasetError) as error:
        read(20, 30)
    assert str(error.value).startswith(
        f"The file {path} must be readable at its rows 10 to 19; got OSError: "
    )
    assert str(error.value).endswith(
        "Write the file again from its source, or leave it out of dataset.path."
    )


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_no_flipped_bit_in_the_pages_goes_unnoticed(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "flipped"
    rows, _ = write(folder, [[40]], write_page_checksum=True)
    path = folder / "0.parquet"
    raw = bytearray(path.read_bytes())
    footer_nbytes = int.from_bytes(raw[-8:-4], "little") + 8
    at = data.draw(st.integers(4, len(raw) - footer_nbytes - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(raw)
    try:
        assert_same(reader(folder, [[40]])(0, 40), rows)
    except DatasetError as error:
        assert str(path) in str(error)  # noqa: PT017


def test_a_file_replaced_during_the_run_is_told(tmp_path):
    _, read = write(tmp_path / "rows", [[10]])
    path = tmp_path / "rows" / "0.parquet"
    pq.write_table(table(11), path)
    with pytest.raises(
        DatasetError,
        match=rf"The file {path} must stay as it is while a run reads it; got [0-9,]+ bytes, was",
    ):
        read(0, 10)


def test_an_empty_label_is_told_with_its_file_and_rows(tmp_path):
    write(tmp_path / "rows", [[10], [10]])
    path = tmp_path / "rows" / "1.parquet"
    holed = table(10).set_column(3, "y", pa.array([None, *range(9)]))
    pq.write_table(holed, path)
    with pytest.raises(DatasetError) as error:
        reader(tmp_path / "rows", [[10], [10]])(8, 14)
    assert str(error.value) == (
        f"The column 'y' of {path} must have a value in every row; got 1 empty cell in its rows 0 "
        "to 3. Remove these rows from the file, or fill them in."
    )


def test_a_file_is_opened_with_checksums_and_without_threads_of_its_own(tmp_path, monkeypatch):
    write(tmp_path / "rows", [[10]])
    asked = []
    init = pq.ParquetFile.__init__

    def spy(self, *args, **options):
        asked.append(options)
        init(self, *args, **options)

    monkeypatch.setattr(pq.ParquetFile, "__init__", spy)
    with opened(find_files(str(tmp_path / "rows")), 0) as parquet:
        assert parquet.metadata.num_rows == 10
    assert asked[-1]["page_checksum_verification"] is True
    assert asked[-1]["pre_buffer"] is False


def test_a_footer_is_read_once(tmp_path, monkeypatch):
    _, read = write(tmp_path / "rows", [[10, 10, 10]])
    read(0, 10)
    monkeypatch.setattr(pq, "read_metadata", None)
    read(10, 30)
