import importlib
import os
import pickle
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import cloudpickle
import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import yaml
import zarr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from runner.dataset.bundled import Bundled, SampleImages
from runner.dataset.csv import Csv
from runner.dataset.dataset import Dataset
from runner.dataset.fingerprint import changed
from runner.dataset.function import Function
from runner.dataset.lazy import Arrays, from_reader
from runner.dataset.make_blobs import MakeBlobs
from runner.dataset.make_classification import MakeClassification
from runner.dataset.make_regression import MakeRegression
from runner.dataset.npy import Npy
from runner.dataset.parquet import Parquet
from runner.dataset.text import StdlibLines, TextLines
from runner.dataset.zarr import Zarr
from runner.errors import ConfigError, DatasetError
from runner.project import builtin
from runner.stream.reading import read as read_block
from runner.stream.source import BlockSource

OPTIONS = sorted((builtin("conf") / "dataset").glob("*.yaml"))
COMMON = {field.name for field in fields(Dataset)}


def read(start, stop):
    rows = np.arange(start, stop)
    return rows[:, None].astype(float), rows


@dataclass(kw_only=True)
class Numbers(Dataset):
    n_rows: int = 100

    def arrays(self) -> Arrays:
        chunks = (self.n_rows // 10,) * 10
        return from_reader(read, chunks, (np.empty((0, 1)), np.empty(0, int)))


def test_a_fifth_of_the_blocks_is_held_out_by_default():
    train, holdout, _ = Numbers().split()
    assert (train.n_blocks, holdout.n_blocks) == (8, 2)
    held = holdout.X.compute().ravel()
    assert sorted([*train.y.compute(), *held]) == list(range(100))
    np.testing.assert_array_equal(holdout.y.compute(), held)


def test_the_seed_decides_what_is_held_out():
    places = [Numbers(seed=seed).split().holdout.places for seed in (3, 3, 4)]
    assert places[0] == places[1] != places[2]


def test_all_is_trained_on_where_nothing_is_held_out():
    train, holdout, validation = Numbers(holdout=0).split()
    assert train.n_rows == 100
    assert holdout is None
    assert validation is None


def test_a_dataset_without_rows_is_refused():
    with pytest.raises(DatasetError, match="must have at least one row"):
        Numbers(n_rows=0).split()


def test_a_dataset_has_to_say_what_its_arrays_are():
    with pytest.raises(TypeError, match="abstract"):
        Dataset()


def test_validation_blocks_are_kept_from_training_and_from_the_holdout():
    train, holdout, validation = Numbers(validation=0.3).split()
    assert (train.n_blocks, holdout.n_blocks, validation.n_blocks) == (5, 2, 3)
    assert holdout.places == Numbers().split().holdout.places
    y = np.concatenate([part.y_only.compute() for part in (train, holdout, validation)])
    assert sorted(y) == list(range(100))


@pytest.mark.parametrize("key", ["holdout", "validation"])
@pytest.mark.parametrize("share", [1, -0.1, 1.5, float("nan"), "0.2", None, True])
def test_what_is_no_share_is_refused(key, share):
    with pytest.raises(ConfigError) as refused:
        Numbers(**{key: share})
    assert str(refused.value) == (
        f"dataset.{key} must be a number of at least 0 and below 1; got {share!r}. Correct it, "
        f"or leave it out for the default, {getattr(Numbers(), key)}."
    )


def test_shares_that_leave_nothing_to_train_on_are_refused():
    with pytest.raises(ConfigError) as refused:
        Numbers(holdout=0.5, validation=0.5)
    assert str(refused.value) == (
        "dataset.holdout and dataset.validation must leave a share to train on; got 0.5 and 0.5. "
        "Make one of them smaller."
    )


def test_an_unknown_way_to_hold_out_is_refused():
    with pytest.raises(ConfigError) as refused:
        Numbers(holdout_by="columns")
    assert str(refused.value) == (
        "dataset.holdout_by must be blocks or rows; got 'columns'. "
        'Correct it, or leave it out for the default, "blocks".'
    )


@pytest.mark.parametrize("chunks", [0, 2.5, None, "many", "0 MiB"])
def test_what_is_no_size_of_a_block_is_refused_before_anything_is_read(chunks):
    with pytest.raises(ConfigError, match=r"^dataset\.chunks must be a number of rows, a size in"):
        Numbers(chunks=chunks)


@pytest.mark.parametrize("seed", [-1, 0.5, None])
def test_a_seed_that_is_no_natural_number_is_refused(seed):
    with pytest.raises(ConfigError, match=r"^dataset\.seed must be an integer of at least 0; got"):
        Numbers(seed=seed)


@pytest.mark.parametrize("path", OPTIONS, ids=lambda path: path.stem)
def test_an_option_says_in_its_first_line_what_it_is(path):
    first, second, *_ = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith("# ")
    assert len(first) <= 99
    assert second.startswith("_target_: runner.dataset.")


@pytest.mark.parametrize("path", OPTIONS, ids=lambda path: path.stem)
def test_an_option_sets_what_its_dataset_has_and_no_common_key(path):
    option = yaml.safe_load(path.read_text(encoding="utf-8"))
    module, _, name = option.pop("_target_").rpartition(".")
    kind = getattr(importlib.import_module(module), name)
    assert issubclass(kind, Dataset)
    assert set(option) <= {field.name for field in fields(kind)} - COMMON


N_ROWS = 60
X = np.random.default_rng(0).normal(size=(N_ROWS, 2))
LABELS = np.array([("no", "maybe", "perhaps")[i * i % 3] for i in range(N_ROWS)])
WEIGHT = np.arange(N_ROWS) / 8


def lazy():
    y = da.from_array(LABELS, chunks=25)
    return da.from_array(X, chunks=(20, 2)), y, da.from_array(WEIGHT, chunks=7)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """Return a dataset of each kind over files of its own, as a call with its common settings."""
    folder = tmp_path_factory.mktemp("kinds")
    table = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": LABELS, "w": WEIGHT})
    table.to_csv(folder / "rows.csv", index=False)
    table.to_parquet(folder / "rows.parquet", row_group_size=17)
    group = zarr.open_group(str(folder / "rows.zarr"), mode="w", zarr_format=2)
    for name, array in {"X": X, "y": LABELS, "w": WEIGHT}.items():
        np.save(folder / f"{name}.npy", array)
        group.create_array(name, data=array, chunks=(9, *array.shape[1:]))
    (folder / "texts").mkdir()
    for label in ("no", "perhaps"):
        lines = "".join(f"{label} {i}\n" for i in range(N_ROWS // 2))
        (folder / "texts" / f"{label}.txt").write_text(lines)

    def columns(name):
        return {"path": str(folder / name), "target": "y", "sample_weight": "w"}

    saved = {"X": "X.npy", "y": "y.npy", "sample_weight": "w.npy"}
    return {
        "parquet": partial(Parquet, **columns("rows.parquet")),
        "frames of parquet": partial(Parquet, **columns("rows.parquet"), as_frame=True),
        "csv": partial(Csv, **columns("rows.csv")),
        "frames of csv": partial(Csv, **columns("rows.csv"), as_frame=True),
        "npy": partial(Npy, **{key: str(folder / name) for key, name in saved.items()}),
        "zarr": partial(Zarr, path=str(folder / "rows.zarr"), sample_weight="w"),
        "function": partial(Function, function=f"{__name__}:lazy"),
        "text": partial(TextLines, path=str(folder / "texts"), interleave=True),
        "iris": partial(Bundled, name="iris"),
        "linnerud": partial(Bundled, name="linnerud"),
        "blobs": partial(MakeBlobs, n_samples=N_ROWS, centers=3),
        "classification": partial(MakeClassification, n_samples=N_ROWS),
        "regression": partial(MakeRegression, n_samples=N_ROWS),
    }


def blocks_of(*arrays):
    """Return the blocks of each array as the stream computes them, in one go from the graph."""
    graph = {key: task for array in arrays for key, task in array.__dask_graph__().items()}
    keys = [
        [key[0] if isinstance(key, list) else key for key in array.__dask_keys__()]
        for array in arrays
    ]
    return dask.get(graph, keys)


KINDS = (
    *("parquet", "frames of parquet", "csv", "frames of csv", "npy", "zarr", "function"),
    *("text", "iris", "linnerud", "blobs", "classification", "regression"),
)


COMMON_SETTINGS = st.fixed_dictionaries(
    {
        "chunks": st.integers(2, 20),
        "holdout_by": st.sampled_from(["blocks", "rows"]),
        "validation": st.sampled_from([0.0, 0.2]),
        "seed": st.integers(0, 9),
    }
)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=12)
@given(common=COMMON_SETTINGS)
def test_y_alone_is_y_bit_for_bit_and_type_for_type(kinds, kind, common):
    try:
        parts = kinds[kind](**common).split()
    except DatasetError:
        assume(False)
    for part in parts:
        if part is None:
            continue
        assert part.y_only.chunks == part.y.chunks
        assert part.y_only.dtype == part.y.dtype
        for alone, y in zip(*blocks_of(part.y_only), *blocks_of(part.y), strict=True):
            np.testing.assert_array_equal(alone, y, strict=True)
            assert alone.tobytes() == y.tobytes()


@pytest.mark.parametrize("kind", KINDS[:7])
@settings(deadline=None, max_examples=12)
@given(common=COMMON_SETTINGS)
def test_weights_are_split_with_their_rows(kinds, kind, common):
    seen = []
    for part in filter(None, kinds[kind](**common).split()):
        arrays = part.X, part.y, part.sample_weight
        for rows, y, weight in zip(*blocks_of(*arrays), strict=True):
            numbers = (weight * 8).astype(int)
            np.testing.assert_array_equal(np.asarray(rows), X[numbers])
            np.testing.assert_array_equal(y, LABELS[numbers])
            seen.extend(numbers.tolist())
    assert sorted(seen) == list(range(N_ROWS))


@pytest.mark.parametrize("kind", ["text", "npy", "zarr", "parquet", "csv", "iris"])
def test_y_alone_shares_no_task_with_x(kinds, kind):
    part = kinds[kind](chunks=10).split().train
    assert not set(part.y_only.__dask_graph__()) & set(part.X.__dask_graph__())


@pytest.mark.parametrize("kind", ["function", "blobs", "classification", "regression"])
def test_y_alone_is_y_where_there_is_nothing_better(kinds, kind):
    part = kinds[kind](chunks=10).split().train
    assert part.y_only is part.y


FILES = {
    "parquet": "rows.parquet",
    "csv": "rows.csv",
    "npy": "y.npy",
    "zarr": "rows.zarr/X/.zarray",
    "text": "texts/no.txt",
}


@pytest.mark.parametrize("kind", FILES)
def test_the_fingerprint_tells_which_file_is_not_as_it_was(kinds, kind):
    dataset = kinds[kind]()
    before = dataset.fingerprint()
    assert dataset.fingerprint() == before
    (path,) = (path for path in before if path.endswith(FILES[kind]))
    written = Path(path).stat().st_mtime_ns + 10**9
    os.utime(path, ns=(written, written))
    (told,) = changed(before, dataset.fingerprint())
    assert told.startswith(f"{path}: written again at ")


def test_the_fingerprint_of_zarr_tells_that_chunks_are_not_as_they_were(kinds):
    before = kinds["zarr"]().fingerprint()
    (folder,) = (path for path, told in before.items() if " files " in told)
    chunk = f"{folder}/X/0.0"
    os.utime(chunk, ns=(0, 0))
    assert changed(before, kinds["zarr"]().fingerprint()) == [f"{folder}: other files"]


def test_the_fingerprint_of_many_files_is_small(tmp_path):
    for i in range(1001):
        (tmp_path / f"{i}.txt").write_text("a line\n")
    dataset = TextLines(path=str(tmp_path))
    before = dataset.fingerprint()
    assert [told.partition(" files ")[0] for told in before.values()] == ["1001"]
    (tmp_path / "7.txt").unlink()
    assert changed(before, dataset.fingerprint()) == [f"{tmp_path}: 1,000 files, was 1,001"]


def test_the_standard_library_has_a_fingerprint_too():
    told = StdlibLines(modules=["json", "re"]).fingerprint()
    assert any(path.endswith("json/decoder.py") for path in told)


@pytest.mark.parametrize("kind", ["function", "iris", "blobs", "classification", "regression"])
def test_what_has_no_files_has_no_fingerprint(kinds, kind):
    assert kinds[kind]().fingerprint() == {}


MORE_KINDS = {"images": SampleImages, "library": partial(StdlibLines, modules=["json"])}
CHUNKS = {"images": (100_000, 10_000), "library": (400, 20)}


@pytest.mark.parametrize("by", ["blocks", "rows"])
@pytest.mark.parametrize("kind", [*KINDS, *MORE_KINDS])
def test_what_is_sent_to_have_a_block_read_is_small_and_the_same_for_any_number_of_blocks(
    kinds, kind, by
):
    sizes = []
    make = MORE_KINDS.get(kind) or kinds[kind]
    for chunks in CHUNKS.get(kind, (12, 2)):
        source = BlockSource(make(chunks=chunks, holdout_by=by).split().train, hashed=True)
        ends = source.reading(0), source.reading(source.part.n_blocks - 1)
        given, first, last = map(cloudpickle.dumps, (source.given, *ends))
        sizes += [len(first), len(last)]
        there = read_block(pickle.loads(given), pickle.loads(last))  # noqa: S301
        here = source.read(source.part.n_blocks - 1)
        assert (there.place, there.content, there.n_rows) == (
            here.place,
            here.content,
            here.n_rows,
        )
    assert max(sizes) < (2000 if kind != "function" else 6000)
    if kind != "function":
        assert max(sizes) - min(sizes) < 100
