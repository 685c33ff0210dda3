import dataclasses
import pickle
from concurrent.futures import ThreadPoolExecutor

import dask
import fsspec
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset.dataset import Dataset
from runner.dataset.npy import Npy, stack_files
from runner.errors import DatasetError
from runner.project import builtin

ROWS = np.random.default_rng(0).normal(size=(95, 3)).astype(np.float32)


def write(folder, arrays):
    folder.mkdir(parents=True, exist_ok=True)
    for i, array in enumerate(arrays):
        np.save(folder / f"part-{i}.npy", array)
    return str(folder)


@pytest.fixture
def paths(tmp_path):
    return {
        "X": write(tmp_path / "X", np.split(ROWS, [40, 40, 70])),
        "y": write(tmp_path / "y", [np.arange(95)]),
    }


def computed(arrays):
    wanted = [part for part in (arrays.X, arrays.y, arrays.sample_weight) if part is not None]
    return dask.compute(*wanted, scheduler="sync")


def refusal(**paths):
    with pytest.raises(DatasetError) as error:
        Npy(**paths).arrays()
    return str(error.value)


def test_the_blocks_are_the_rows_of_all_files(paths):
    arrays = Npy(**paths, chunks=33).arrays()
    assert arrays.X.chunks == ((33, 33, 29), (3,))
    assert arrays.y.chunks == ((33, 33, 29),)
    found = computed(arrays)
    np.testing.assert_array_equal(found[0], ROWS, strict=True)
    np.testing.assert_array_equal(found[1], np.arange(95), strict=True)


kinds = st.sampled_from(["f2", "f4", "f8", ">f8", "i1", "u2", ">i4", "?", "f4"])


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(0, 15), min_size=1, max_size=4).filter(sum),
    st.integers(1, 4),
    kinds,
    st.integers(1, 40),
)
def test_blocks_of_any_size_are_the_rows_bit_for_bit(tmp_path_factory, sizes, width, kind, block):
    rng = np.random.default_rng(sum(sizes))
    whole = rng.integers(0, 100, size=(sum(sizes), width)).astype(kind)
    folder = tmp_path_factory.mktemp("npy")
    path = write(folder, np.split(whole, np.cumsum(sizes)[:-1]))
    X, *_ = computed(Npy(X=path, chunks=block).arrays())
    np.testing.assert_array_equal(X, whole.astype(whole.dtype.newbyteorder("=")), strict=True)


def test_labels_of_text_and_two_dimensions_are_read(tmp_path, paths):
    labels = np.array(["a", "bcd", "é"] * 31 + ["x", "y"])
    text = write(tmp_path / "text", [labels])
    np.testing.assert_array_equal(
        computed(Npy(X=paths["X"], y=text, chunks=20).arrays())[1], labels, strict=True
    )
    both = write(tmp_path / "both", [np.ones((95, 2))])
    assert Npy(X=paths["X"], y=both, chunks=20).arrays().y.chunks == ((20,) * 4 + (15,), (2,))


def test_weights_are_read_too(tmp_path, paths):
    weight = write(tmp_path / "w", [np.arange(95) / 7])
    arrays = Npy(**paths, sample_weight=weight, chunks=10).arrays()
    np.testing.assert_array_equal(computed(arrays)[2], np.arange(95) / 7, strict=True)


def test_without_y_there_is_none(paths):
    arrays = Npy(X=paths["X"]).arrays()
    assert arrays.y is None
    np.testing.assert_array_equal(computed(arrays)[0], ROWS)


def test_each_block_owns_its_memory(paths):
    train = Npy(**paths, chunks=10).split().train
    graph = dict(train.X.__dask_graph__())
    for row in train.X.__dask_keys__():
        block = dask.get(graph, row[0])
        assert block.flags.owndata
        assert block.flags.writeable
        assert not isinstance(block, np.memmap)


def test_other_file_systems_are_read_as_well(tmp_path, paths):
    memory = fsspec.filesystem("memory")
    for path in (tmp_path / "X").iterdir():
        memory.pipe(f"/npy/{path.name}", path.read_bytes())
    np.testing.assert_array_equal(computed(Npy(X="memory://npy").arrays())[0], ROWS, strict=True)


def test_any_number_of_threads_read_the_same_rows(paths):
    stack = stack_files("X", paths["X"])
    starts = list(range(0, 95, 9)) * 10
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda start: stack.read(start, min(start + 9, 95)), starts))
    for start, block in zip(starts, found, strict=True):
        np.testing.assert_array_equal(block, ROWS[start : start + 9])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(stack)).read(5, 50), ROWS[5:50])  # noqa: S301


def test_only_headers_are_read_for_the_arrays(tmp_path, monkeypatch):
    path = tmp_path / "big.npy"
    np.save(path, np.zeros((2_000_000, 3)))
    asked = []
    read = np.lib.format.read_array_header_1_0

    def spy(file, *args, **options):
        header = read(file, *args, **options)
        asked.append(file.tell())
        return header

    monkeypatch.setitem(stack_files.__globals__["READ_HEADER"], (1, 0), spy)
    assert Npy(X=str(path)).arrays().X.shape == (2_000_000, 3)
    assert asked == [128]


def test_rows_must_be_as_many_in_y(tmp_path, paths):
    short = write(tmp_path / "short", [np.arange(94)])
    assert refusal(X=paths["X"], y=short) == (
        "dataset.X and dataset.y must have the same number of rows; got 95 in X and 94 in y. Make "
        "all of them from the same rows."
    )


def test_fortran_order_is_refused_with_a_remedy(tmp_path):
    path = write(tmp_path / "F", [np.asfortranarray(np.ones((5, 2)))])
    assert refusal(X=path) == (
        f"The array {path}/part-0.npy must be in C order, row after row; got Fortran order. Save "
        "it again with numpy.save(path, numpy.ascontiguousarray(array))."
    )


def test_objects_are_refused_and_never_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return pytest.fail, ("unpickled",)

    path = tmp_path / "objects.npy"
    np.save(path, np.array([[Bomb(), 1]], dtype=object), allow_pickle=True)
    assert refusal(X=str(path)) == (
        f"The array {path} must hold numbers; got elements of type object. Convert its elements "
        "to numbers before saving it."
    )
    np.save(path, np.array([Bomb()], dtype=object), allow_pickle=True)
    good = tmp_path / "good.npy"
    np.save(good, np.ones((1, 2)))
    assert "must hold numbers or text" in refusal(X=str(good), y=str(path))


def test_records_are_refused(tmp_path):
    path = tmp_path / "records.npy"
    np.save(path, np.zeros((3, 2), dtype=[("a", "f4"), ("b", "i4")]))
    assert "must hold numbers; got elements of type [('a'" in refusal(X=str(path))


def test_files_that_differ_are_told(tmp_path):
    path = write(tmp_path / "mixed", [np.ones((2, 3)), np.ones((2, 3), np.float32)])
    assert refusal(X=path) == (
        f"The array {path}/part-1.npy must have the columns and the type of {path}/part-0.npy; "
        "got 3 columns of float32 beside 3 columns of float64. Save them alike, or leave some "
        "out of dataset.X."
    )


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"PK\x03\x04", b"\x93NUMPY\x07\x00xx"])
def test_a_file_that_is_no_npy_is_named(tmp_path, content):
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    assert refusal(X=str(path)).startswith(f"The file {path} must be a readable .npy file; got ")


def test_a_file_cut_short_is_told_before_the_first_block(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.ones((100, 3)))
    path.write_bytes(path.read_bytes()[:-1])
    assert refusal(X=str(path)) == (
        f"The file {path} must be a readable .npy file; got OSError: 2527 bytes, of 2528. Write "
        "the file again from its source, with numpy.save."
    )


def test_a_file_cut_short_during_the_run_is_told(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.ones((100, 3)))
    arrays = Npy(X=str(path), chunks=25).arrays()
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(DatasetError) as error:
        arrays.X.blocks[0].compute(scheduler="sync")
    assert str(error.value) == (
        f"The file {path} must stay as it is while a run reads it; got 1,500 bytes, was 2,528. "
        "See that nothing writes to it, and run again."
    )


def test_a_file_elsewhere_that_is_cut_short_during_the_run_is_told_at_its_block(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((100, 3)))
    memory, raw = fsspec.filesystem("memory"), (tmp_path / "a.npy").read_bytes()
    memory.pipe("/npy_cut/a.npy", raw)
    arrays = Npy(X="memory://npy_cut/a.npy", chunks=25).arrays()
    memory.pipe("/npy_cut/a.npy", raw[:1500])
    assert arrays.X.blocks[0].compute(scheduler="sync").shape == (25, 3)
    with pytest.raises(DatasetError) as error:
        arrays.X.blocks[3].compute(scheduler="sync")
    assert str(error.value) == (
        "The file /npy_cut/a.npy must be readable in its rows 75 to 99; got OSError: the file "
        "ends early. Write the file again from its source, with numpy.save."
    )


def test_a_missing_path_is_told_with_its_key(paths):
    message = refusal(X=paths["X"], y=paths["y"] + "/part-9.npy")
    assert message.startswith("dataset.y must name a file, a folder or a glob that exists; got '")
    assert message.endswith("Did you mean 'part-0.npy'?")


def test_no_rows_are_refused(tmp_path):
    path = write(tmp_path / "none", [np.ones((0, 3))])
    with pytest.raises(DatasetError, match="The dataset must have at least one row"):
        Npy(X=path).split()


def test_the_option_names_every_key():
    option = yaml.safe_load((builtin("conf") / "dataset" / "npy.yaml").read_text())
    assert option.pop("_target_") == f"{Npy.__module__}.{Npy.__qualname__}"
    own = {field.name for field in dataclasses.fields(Npy)}
    assert set(option) == own - {field.name for field in dataclasses.fields(Dataset)}
