import dataclasses
import sys
from concurrent.futures import ThreadPoolExecutor

import dask
import numpy as np
import pytest
import yaml
import zarr
from dask.base import tokenize

from runner.dataset.dataset import Dataset
from runner.dataset.zarr import Zarr
from runner.errors import ConfigError, DatasetError
from runner.project import builtin

ROWS = np.random.default_rng(0).normal(size=(95, 3)).astype(np.float32)


def write(path, **arrays):
    group = zarr.open_group(str(path), mode="w")
    for name, array in arrays.items():
        group.create_array(name, data=array, chunks=(10, *array.shape[1:]))
    return str(path)


@pytest.fixture
def path(tmp_path):
    return write(tmp_path / "rows.zarr", X=ROWS, y=np.arange(95), w=np.arange(95) / 7)


def computed(arrays):
    wanted = [part for part in (arrays.X, arrays.y, arrays.sample_weight) if part is not None]
    return dask.compute(*wanted, scheduler="sync")


def refusal(path, **options):
    with pytest.raises(DatasetError) as error:
        Zarr(path=str(path), **options).arrays()
    return str(error.value)


def test_the_blocks_are_the_rows_in_chunks_as_asked(path):
    arrays = Zarr(path=path, chunks=33, sample_weight="w").arrays()
    assert arrays.X.chunks == ((33, 33, 29), (3,))
    assert arrays.y.chunks == arrays.sample_weight.chunks == ((33, 33, 29),)
    X, y, weight = computed(arrays)
    np.testing.assert_array_equal(X, ROWS, strict=True)
    np.testing.assert_array_equal(y, np.arange(95), strict=True)
    np.testing.assert_array_equal(weight, np.arange(95) / 7, strict=True)


def test_y_may_be_left_out_or_have_another_name(path):
    assert Zarr(path=path, y=None).arrays().y is None
    assert Zarr(path=path, y="w").arrays().y.dtype == np.float64


def test_other_file_systems_are_read_as_well(path):
    write("memory://zarr/rows.zarr", X=ROWS, y=np.arange(95))
    for place in ("memory://zarr/rows.zarr", f"file://{path}"):
        X, y = computed(Zarr(path=place, chunks=40).arrays())
        np.testing.assert_array_equal(X, ROWS, strict=True)
        np.testing.assert_array_equal(y, np.arange(95), strict=True)


def test_the_split_gives_blocks_that_are_computed_alone(path):
    train, holdout, _ = Zarr(path=path, chunks=10).split()
    for part in (train, holdout):
        for keys, place in zip(part.X.__dask_keys__(), part.places, strict=True):
            block = dask.get(dict(part.X.__dask_graph__()), keys[0])
            np.testing.assert_array_equal(block, ROWS[place.start : place.stop])


def test_any_number_of_threads_read_the_same_rows(path):
    arrays = Zarr(path=path, chunks=7).arrays()
    graph, keys = dict(arrays.X.__dask_graph__()), arrays.X.__dask_keys__() * 5
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda row: dask.get(graph, row[0]), keys))
    np.testing.assert_array_equal(np.concatenate(found), np.tile(ROWS, (5, 1)))


def test_the_same_group_has_the_same_token(path):
    names = [Zarr(path=path).arrays().X.name for _ in range(2)]
    assert names[0] == names[1]
    assert tokenize(Zarr(path=path, chunks=3).arrays().X) != names[0]


@pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning")
@pytest.mark.parametrize("dtype", ["<U3", np.dtypes.StringDType()])
def test_labels_of_text_are_read_as_text(tmp_path, dtype):
    labels = np.array(["no", "yes", "é"])
    path = write(tmp_path / "text.zarr", X=ROWS[:3], y=labels.astype(dtype))
    _, y = computed(Zarr(path=path, chunks=3).arrays())
    np.testing.assert_array_equal(y, labels, strict=True)


@pytest.mark.usefixtures("path")
def test_a_missing_group_is_told_with_its_neighbours(tmp_path):
    assert refusal(tmp_path / "row.zarr") == (
        "dataset.path must name a file, a folder or a glob that exists; got "
        f"'{tmp_path}/row.zarr'. In {tmp_path}: Did you mean 'rows.zarr'?"
    )


def test_a_missing_array_is_told_with_the_names(path):
    assert refusal(path, X="Z") == (
        "dataset.X must name an array of the group; got 'Z'. Choose one of: X, w, y."
    )


def test_a_folder_that_is_no_group_is_told(tmp_path):
    assert refusal(tmp_path).startswith(f"The file {tmp_path} must be a readable Zarr group; got ")


def test_unfit_arrays_are_told(tmp_path):
    path = write(tmp_path / "a.zarr", X=ROWS, y=np.arange(94), z=np.zeros((95, 2, 2)))
    assert refusal(path) == (
        "dataset.X and dataset.y must have the same number of rows; got 95 in X and 94 in y. Make "
        "all of them from the same rows."
    )
    assert refusal(path, X="z").startswith("The array 'z' must have 2 dimensions; got shape (95, ")


def test_a_damaged_chunk_is_told_with_its_rows(path, tmp_path):
    (tmp_path / "rows.zarr" / "X" / "c" / "3" / "0").write_bytes(b"damaged")
    arrays = Zarr(path=path, chunks=10).arrays()
    assert arrays.X.blocks[2].compute(scheduler="sync").shape == (10, 3)
    with pytest.raises(DatasetError) as error:
        arrays.X.blocks[3].compute(scheduler="sync")
    assert str(error.value).startswith(f"The file {path} must be readable in its rows 30 to 39; ")


def test_the_missing_package_is_told_with_its_command(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(ConfigError) as error:
        Zarr(path=path).arrays()
    assert str(error.value) == (
        "A Zarr dataset must have the package zarr installed; got none. Install it with: pip "
        "install 'incremental-runner[zarr]'"
    )


def test_the_option_names_every_key():
    option = yaml.safe_load((builtin("conf") / "dataset" / "zarr.yaml").read_text())
    assert option.pop("_target_") == f"{Zarr.__module__}.{Zarr.__qualname__}"
    own = {field.name for field in dataclasses.fields(Zarr)}
    assert set(option) == own - {field.name for field in dataclasses.fields(Dataset)}
    assert Zarr(**option) == Zarr(path="???")
