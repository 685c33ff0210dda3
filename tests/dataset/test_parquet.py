import dataclasses
from pathlib import Path

import dask
import dask.dataframe as dd
import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset.chunks import AUTO_NBYTES
from runner.dataset.dataset import Dataset
from runner.dataset.parquet import Parquet, join_or_cut
from runner.errors import ConfigError, DatasetError, RunnerWarning
from runner.project import builtin

NAMES = [f"x{i}" for i in range(8)]


def rows(n_rows, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 8)).astype(np.float32)
    return pa.table({name: X[:, j] for j, name in enumerate(NAMES)} | {"y": np.arange(n_rows)})


@pytest.fixture
def folder(tmp_path):
    """Three files of 95 rows in all, with row groups of their own each."""
    path = tmp_path / "rows"
    path.mkdir()
    whole = rows(95)
    for name, start, stop, group in (("1", 0, 40, 7), ("2", 40, 80, 40), ("10", 80, 95, 4)):
        part = whole.slice(start, stop - start)
        pq.write_table(part, path / f"part-{name}.parquet", row_group_size=group)
    return path


def dataset(path, **options):
    return Parquet(**({"path": str(path), "target": "y", "chunks": 10} | options))


def computed(arrays):
    wanted = [part for part in (arrays.X, arrays.y, arrays.sample_weight) if part is not None]
    return dask.compute(*wanted, scheduler="sync")


def refusal(path, **options):
    with pytest.raises(DatasetError) as error:
        dataset(path, **options).arrays()
    return str(error.value)


def test_the_blocks_are_the_rows_in_order(folder):
    arrays = dataset(folder).arrays()
    X, y = computed(arrays)
    whole = rows(95)
    np.testing.assert_array_equal(X, np.column_stack([whole[name] for name in NAMES]), strict=True)
    np.testing.assert_array_equal(y, np.arange(95), strict=True)
    assert arrays.feature_names == tuple(NAMES)


def test_the_chunks_are_exact_whatever_the_row_groups(folder):
    arrays = dataset(folder, chunks=33).arrays()
    assert arrays.X.chunks == ((33, 33, 29), (8,))
    assert arrays.y.chunks == ((33, 33, 29),)
    assert dataset(folder, chunks="1 KiB").arrays().X.chunks[0] == (32, 32, 31)
    for (i, j), size in np.ndenumerate(np.array([arrays.X.chunks[0]])):
        assert arrays.X.blocks[j].compute(scheduler="sync").shape == (size, 8), i


def test_a_glob_and_a_file_are_read_too(folder):
    assert dataset(folder / "part-*.parquet").arrays().X.shape == (95, 8)
    _, y = computed(dataset(folder / "part-10.parquet").arrays())
    assert y.tolist() == list(range(80, 95))


def test_other_file_systems_are_read_as_well(folder):
    memory = fsspec.filesystem("memory")
    for path in folder.iterdir():
        memory.pipe(f"/parquet/{path.name}", path.read_bytes())
    here, there = dataset(folder).arrays(), dataset("memory://parquet").arrays()
    for ours, theirs in zip(computed(here), computed(there), strict=True):
        np.testing.assert_array_equal(ours, theirs, strict=True)


def test_the_arrays_are_made_without_reading_a_row(folder, monkeypatch):
    def refuse(*args, **options):
        raise AssertionError("rows are read")

    for name in ("read", "read_row_group", "read_row_groups", "iter_batches"):
        monkeypatch.setattr(pq.ParquetFile, name, refuse)
    assert dataset(folder).arrays().X.shape == (95, 8)


def test_the_bytes_read_for_the_arrays_are_those_of_the_footers():
    memory = fsspec.filesystem("memory")
    with memory.open("/counted/a.parquet", "wb") as file:
        pq.write_table(rows(50_000), file)
    store = memory.store["/counted/a.parquet"]
    n_read, read = [], store.read
    store.read = lambda size=-1: n_read.append(size) or read(size)
    dataset("memory://counted").arrays()
    assert 0 < sum(n_read) < 200_000 < store.size
    assert min(n_read) >= 0


@pytest.mark.filterwarnings("ignore:The inplace keyword:pandas.errors.Pandas4Warning")
def test_x_and_y_fit_where_dask_loses_track(tmp_path):
    path = tmp_path / "fused"
    path.mkdir()
    for i, size in enumerate([100, 300, 200, 50, 150, 100, 10, 90]):
        pq.write_table(rows(size, seed=i), path / f"{i}.parquet", row_group_size=64)
    frame = dd.read_parquet(path)
    with pytest.raises(ValueError, match="does not match the number of partitions"):
        _ = [frame[wanted].to_dask_array(lengths=True) for wanted in (NAMES, "y")]

    ours = dataset(path, chunks=128).arrays()
    assert ours.X.chunks[0] == ours.y.chunks[0] == (128,) * 7 + (104,)
    X, y = computed(ours)
    frame = pd.concat([pd.read_parquet(each) for each in sorted(path.iterdir())])
    np.testing.assert_array_equal(X, frame[NAMES].to_numpy(), strict=True)
    np.testing.assert_array_equal(y, frame["y"].to_numpy(), strict=True)


def test_the_split_gives_blocks_that_are_computed_alone(folder):
    train, holdout, _ = dataset(folder, holdout=0.3).split()
    seen = []
    for part in (train, holdout):
        graph = {**part.X.__dask_graph__(), **part.y.__dask_graph__()}
        for i, place in enumerate(part.places):
            wanted = [part.X.__dask_keys__()[i][0], part.y.__dask_keys__()[i]]
            X, y = dask.get(dask.optimization.cull(graph, wanted)[0], wanted)
            assert X.shape == (place.stop - place.start, 8)
            assert y.tolist() == list(range(place.start, place.stop))
            seen.extend(y.tolist())
    assert sorted(seen) == list(range(95))


def test_the_rows_held_out_do_not_depend_on_the_chunks(folder):
    held = [
        computed(dataset(folder, chunks=chunks, holdout_by="rows").split().holdout)[1].tolist()
        for chunks in (7, 40, 95)
    ]
    assert held[0] == held[1] == held[2]


def test_auto_chunks_follow_the_row_groups(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(rows(2_000), path, row_group_size=150)
    assert dataset(path, chunks="auto").arrays().X.chunks[0] == (150,) * 12 + (200,)
    pq.write_table(rows(2_000), path, row_group_size=90)
    assert set(dataset(path, chunks="auto").arrays().X.chunks[0]) == {180, 200}
    pq.write_table(rows(2_000), path)
    assert dataset(path, chunks="auto").arrays().X.chunks[0] == (200,) * 10


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 50), max_size=20), st.integers(1, 40))
def test_joined_or_cut_blocks_have_no_parts_of_two_groups(sizes, limit):
    blocks = join_or_cut(sizes, limit)
    edges = set(np.cumsum(blocks).tolist())
    assert sum(blocks) == sum(sizes)
    assert all(0 < block <= limit for block in blocks)
    start = 0
    for size in sizes:
        inside = {edge for edge in edges if start < edge < start + size}
        assert not inside or {start, start + size} <= edges | {0}
        start += size


@pytest.mark.parametrize(
    ("dtype", "expected"), [(None, "float32"), ("float32", "float32"), ("float64", "float64")]
)
def test_x_has_the_type_that_is_asked_for(folder, dtype, expected):
    arrays = dataset(folder, dtype=dtype).arrays()
    assert arrays.X.dtype == expected
    assert computed(arrays)[0].dtype == expected


def test_an_unknown_type_is_refused():
    with pytest.raises(ConfigError, match=r"dataset\.dtype must be float32 or float64, or null"):
        dataset("x", dtype="int8")


def test_weights_and_several_targets_are_read_in_the_same_go(folder):
    arrays = dataset(folder, target=["y", "x1"], sample_weight="x0").arrays()
    X, y, weight = computed(arrays)
    whole = rows(95)
    assert X.shape == (95, 6)
    np.testing.assert_array_equal(y[:, 1], whole["x1"].to_numpy().astype(float))
    np.testing.assert_array_equal(weight, whole["x0"].to_numpy().astype(float), strict=True)


def test_without_a_target_there_is_no_y(folder):
    arrays = dataset(folder, target=None, features=["x3", "x1"]).arrays()
    assert arrays.y is None
    assert arrays.feature_names == ("x3", "x1")


def test_labels_of_text_are_read_as_text(tmp_path):
    path = tmp_path / "a.parquet"
    labels = pa.array(["no", "maybe", "yes"] * 10)
    pq.write_table(pa.table({"x": np.arange(30.0), "y": labels.dictionary_encode()}), path)
    _, y = computed(dataset(path).arrays())
    np.testing.assert_array_equal(
        y, labels.to_numpy(zero_copy_only=False).astype(str), strict=True
    )


def test_what_pandas_wrote_as_the_index_is_no_feature(tmp_path):
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [0, 1]}, index=pd.Index([7, 9], name="id"))
    frame.to_parquet(tmp_path / "a.parquet")
    assert dataset(tmp_path).arrays().feature_names == ("x",)
    assert dataset(tmp_path, features=["id", "x"]).arrays().feature_names == ("id", "x")


def test_files_with_other_number_types_are_read_as_one(tmp_path):
    pq.write_table(
        pa.table({"x": pa.array([1, None], pa.int32()), "y": [0, 1]}), tmp_path / "1.pq"
    )
    pq.write_table(pa.table({"x": [0.5], "y": pa.array([1], pa.int8())}), tmp_path / "2.pq")
    X, y = computed(dataset(tmp_path).arrays())
    np.testing.assert_array_equal(X, [[1], [np.nan], [0.5]], strict=True)
    np.testing.assert_array_equal(y, np.array([0, 1, 1], np.int64), strict=True)


def test_a_column_without_any_value_is_nan(tmp_path):
    pq.write_table(pa.table({"x": pa.nulls(3), "y": [0, 1, 1]}), tmp_path / "a.parquet")
    X, y = computed(dataset(tmp_path, chunks=2).arrays())
    assert np.isnan(X).all()
    assert y.tolist() == [0, 1, 1]


def test_row_groups_without_rows_are_passed_over(tmp_path):
    with pq.ParquetWriter(tmp_path / "1.parquet", rows(0).schema) as writer:
        for size in (0, 3, 0, 2):
            writer.write_table(rows(size))
    pq.write_table(rows(0), tmp_path / "2.parquet")
    assert dataset(tmp_path, chunks="auto").arrays().X.chunks[0] == (1,) * 5
    assert computed(dataset(tmp_path).arrays())[1].tolist() == [0, 1, 2, 0, 1]


def test_files_without_rows_are_refused(tmp_path):
    pq.write_table(rows(0), tmp_path / "1.parquet")
    with pytest.raises(DatasetError, match="The dataset must have at least one row"):
        dataset(tmp_path).split()


def test_a_column_that_no_file_has_is_told_with_the_nearest(folder):
    assert refusal(folder, target="Y") == (
        "dataset.target must name columns of the files; got 'Y'. Did you mean 'y'?"
    )
    assert "Did you mean 'x0'" in refusal(folder, features=["x00"])


def test_a_column_missing_in_one_file_is_told_with_the_file(folder):
    path = folder / "part-2.parquet"
    pq.write_table(rows(5).drop_columns(["x3"]).append_column("x33", [[0.0] * 5]), path)
    assert refusal(folder, features=["x3"]) == (
        f"The file {path} must have the column 'x3', as other files of dataset.path have; got 9 "
        "other columns. Did you mean 'x33'? Or leave the file out."
    )


def test_types_that_do_not_fit_together_are_told_with_their_files(folder):
    path = folder / "part-2.parquet"
    pq.write_table(rows(2).set_column(0, "x0", pa.array(["a", "b"])), path)
    message = refusal(folder)
    assert "The column 'x0' must have types that fit together in all files" in message
    assert f"got float in {folder}/part-1.parquet and string in {path}." in message
    assert dataset(folder, features=["x1"]).arrays().X.shape == (57, 1)


def test_columns_that_are_no_numbers_are_named(tmp_path):
    day = pa.array([1, 2], pa.date32())
    pq.write_table(
        pa.table({"x": [1, 2], "name": ["a", "b"], "day": day, "y": [0, 1]}), tmp_path / "a.pq"
    )
    assert refusal(tmp_path) == (
        "The features must be columns of numbers, booleans or text; got 'day' (date32[day]). Name "
        "the columns to learn from in dataset.features, without these."
    )
    assert "got 'name' (string), 'day' (date32[day])." in refusal(tmp_path, as_frame=False)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"x" * 1000, None])
def test_a_file_that_is_no_parquet_is_named(folder, content):
    path = folder / "part-2.parquet"
    path.write_bytes(path.read_bytes()[:500] if content is None else content)
    message = refusal(folder)
    assert message.startswith(f"The file {path} must be a readable Parquet file; got Arrow")
    assert message.endswith(
        "Write the file again from its source, or leave it out of dataset.path."
    )


def test_a_missing_path_is_told(folder):
    assert refusal(folder.parent / "row").endswith("Did you mean 'rows'?")


def test_large_row_groups_under_small_blocks_are_warned_of(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    pq.write_table(rows(1000), path)
    dataset(path, chunks=100).arrays()
    monkeypatch.setattr("runner.dataset.parquet.CACHE.limit_nbytes", 1000)
    dataset(path, chunks=1000).arrays()
    said = "Row groups of up to 1000 rows are larger than the blocks of 100 rows"
    with pytest.warns(RunnerWarning, match=said):
        dataset(path, chunks=100).arrays()


def test_auto_blocks_stay_below_the_limit(tmp_path):
    path = tmp_path / "wide.parquet"
    pq.write_table(pa.table({f"x{i}": np.zeros(300) for i in range(2000)}), path)
    arrays = dataset(path, target=None, chunks="auto").arrays()
    assert max(arrays.X.chunks[0]) * 2000 * 8 <= AUTO_NBYTES


def test_the_option_names_every_key():
    option = yaml.safe_load((builtin("conf") / "dataset" / "parquet.yaml").read_text())
    assert option.pop("_target_") == f"{Parquet.__module__}.{Parquet.__qualname__}"
    own = {field.name for field in dataclasses.fields(Parquet)}
    assert set(option) == own - {field.name for field in dataclasses.fields(Dataset)}
    assert Path(option["path"]) == Path("???")


def table_of_text(n_rows):
    rng = np.random.default_rng(n_rows)
    words = pa.array(rng.choice(["red", "green", "", None], n_rows).tolist(), pa.string())
    return pa.table(
        {
            "color": words,
            "shade": words.dictionary_encode(),
            "count": pa.array(rng.integers(0, 9, n_rows), pa.int16()),
            "holey": pa.array([i if i % 3 else None for i in range(n_rows)], pa.int64()),
            "size": rng.normal(size=n_rows).astype(np.float32),
            "yes": rng.normal(size=n_rows) > 0,
            "y": np.arange(n_rows),
            "w": np.arange(n_rows) / 2,
        }
    )


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Two files of 90 rows in all; some row groups hold no word at all."""
    folder = tmp_path_factory.mktemp("mixed")
    whole = table_of_text(90)
    empty = whole.slice(20, 20).set_column(0, "color", pa.nulls(20, pa.string()))
    pq.write_table(whole.slice(0, 20), folder / "1.parquet", row_group_size=7)
    pq.write_table(
        pa.concat_tables([empty, whole.slice(40, 50)]), folder / "2.parquet", row_group_size=20
    )
    return folder


FRAME_TYPES = ["object", "object", "int16", "float64", "float32", "bool"]


@settings(deadline=None, max_examples=30)
@given(chunks=st.integers(1, 95), by=st.sampled_from(["blocks", "rows"]), seed=st.integers(0, 99))
def test_tables_with_text_are_frames_of_the_same_types_in_every_block(mixed, chunks, by, seed):
    options = {"chunks": chunks, "seed": seed, "sample_weight": "w"}
    whole = pd.concat([pd.read_parquet(path) for path in sorted(mixed.iterdir())])
    try:
        split = dataset(mixed, **options, holdout=0.2, validation=0.1, holdout_by=by).split()
    except DatasetError:
        assert chunks > 90 / 4
        return
    found = []
    for part in split:
        assert part.frame.dtypes.astype(str).tolist() == FRAME_TYPES
        assert part.feature_names == tuple(part.frame.columns)
        assert part.X.dtype == object
        for X, y, weight in blocks_of(part):
            pd.testing.assert_series_equal(X.dtypes, part.frame.dtypes)
            assert X.index.equals(pd.RangeIndex(len(y)))
            assert X.shape == (len(y), 6)
            found.append(X.assign(y=y, w=weight))
    rows = pd.concat(found).sort_values("y").reset_index(drop=True)
    wanted = whole.astype({"color": object, "shade": object}).fillna({"color": np.nan})
    pd.testing.assert_frame_equal(rows, wanted.reset_index(drop=True))


def blocks_of(part):
    arrays = [array for array in (part.X, part.y, part.sample_weight) if array is not None]
    graph = {key: task for array in arrays for key, task in array.__dask_graph__().items()}
    keys = [
        [key[0] if isinstance(key, list) else key for key in array.__dask_keys__()]
        for array in arrays
    ]
    return zip(*dask.get(graph, keys), strict=True)


def test_numbers_alone_are_a_frame_where_it_is_asked_for(folder):
    arrays = dataset(folder, as_frame=True).arrays()
    assert arrays.frame.dtypes.astype(str).tolist() == ["float32"] * 8
    expected = computed(dataset(folder).arrays())[0]
    found = [X for X, _ in blocks_of(arrays)]
    np.testing.assert_array_equal(np.concatenate(found), expected, strict=True)


def test_numbers_alone_are_arrays_where_nothing_is_asked_for(folder):
    assert dataset(folder).arrays().frame is None
    assert dataset(folder, as_frame=False).arrays().frame is None


def test_integers_keep_their_type_only_where_every_footer_counts_no_empty_cell(tmp_path):
    table = pa.table({"x": pa.array([1, 2], pa.int32()), "t": ["a", "b"]})
    required = pa.schema([pa.field("x", pa.int32(), nullable=False), pa.field("t", pa.string())])

    def kind():
        return str(dataset(tmp_path, target=None).arrays().frame["x"].dtype)

    pq.write_table(table, tmp_path / "1.pq")
    assert kind() == "int32"
    pq.write_table(table.cast(required), tmp_path / "2.pq", write_statistics=False)
    assert kind() == "int32"
    pq.write_table(table, tmp_path / "3.pq", write_statistics=False)
    assert kind() == "float64"


def columns_read(monkeypatch):
    """Return what holds the names of the columns of every later read."""
    read, asked = pq.ParquetFile.read_row_group, []

    def spy(self, group, columns, **options):
        asked.extend(columns)
        return read(self, group, columns, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", spy)
    return asked


@pytest.mark.parametrize("chunks", [7, 40])
def test_y_alone_reads_the_target_columns_only(folder, monkeypatch, chunks):
    arrays = dataset(folder, target=["y", "x3"], sample_weight="x0", chunks=chunks).arrays()
    asked = columns_read(monkeypatch)
    y_only = arrays.y_only.compute(scheduler="sync")
    assert set(asked) == {"y", "x3"}
    del asked[:]
    np.testing.assert_array_equal(arrays.y.compute(scheduler="sync"), y_only, strict=True)
    assert set(asked) == {"y", *NAMES}


def test_y_alone_reads_a_fraction_of_the_bytes():
    memory = fsspec.filesystem("memory")
    with memory.open("/alone/a.parquet", "wb") as file:
        pq.write_table(rows(20_000), file)
    store = memory.store["/alone/a.parquet"]
    arrays = dataset("memory://alone", chunks=5_000).arrays()
    n_read, read = [], store.read
    store.read = lambda size=-1: n_read.append(len(data := read(size))) or data
    arrays.y_only.compute(scheduler="sync")
    alone = sum(n_read)
    del n_read[:]
    arrays.y.compute(scheduler="sync")
    assert 0 < alone < sum(n_read) / 3
