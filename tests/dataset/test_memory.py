"""Blocks that have no room in memory are refused, and none that has."""

import re
import resource

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from scipy import sparse

from runner.base import Part, Place
from runner.dataset.given import given
from runner.dataset.memory import GIB, alive_blocks, check_memory, fitting_rows, usable_nbytes
from runner.dataset.npy import Npy
from runner.errors import ConfigError

N_ROWS = 1000


def normal(width=100, dtype="f8", chunks=250):
    """Return lazy rows, by default of 800 bytes, in four blocks."""
    return da.random.default_rng(0).normal(size=(N_ROWS, width), chunks=(chunks, -1)).astype(dtype)


def is_refused(X, usable, y=None, **stream):
    part = X if isinstance(X, Part) else given(X, y)
    try:
        check_memory(part, **{"prefetch": 2, "buffer_blocks": 0} | stream, usable=usable)
    except ConfigError:
        return True
    return False


@pytest.mark.parametrize(
    ("X", "y", "stream", "needed"),
    [
        (normal(), None, {}, 4 * 250 * 800),
        (normal(), None, {"prefetch": 0}, 2 * 250 * 800),
        (normal(), None, {"prefetch": 9}, 1000 * 800),
        (normal(chunks=1000), None, {}, 1000 * 800),
        (normal(dtype="f4"), None, {}, 4 * 250 * 400),
        (normal(), da.zeros(N_ROWS, chunks=250), {}, 4 * 250 * 808),
        (normal(), da.zeros((N_ROWS, 5), chunks=250), {}, 4 * 250 * 840),
        (normal(chunks=10), None, {"buffer_blocks": 10}, 15 * 10 * 800),
    ],
    ids=["4", "no prefetch", "few blocks", "one block", "float32", "y", "targets", "buffer"],
)
def test_as_many_blocks_as_are_alive_must_have_room(X, y, stream, needed):
    assert not is_refused(X, needed, y, **stream)
    assert is_refused(X, needed - 1, y, **stream)


def test_both_numbers_and_a_number_of_rows_are_told():
    part = given(da.zeros((2**24, 2**10), chunks=(2**22, -1)))
    with pytest.raises(ConfigError) as caught:
        check_memory(part, 2, 0, usable=16 * GIB)
    assert str(caught.value) == (
        "Blocks of 4,194,304 rows, 4 of them at once must have room in the 16.0 GiB of memory "
        "that this process may use; got 128.0 GiB. Make dataset.chunks smaller, such as "
        "dataset.chunks=200000."
    )
    cut = given(da.zeros((2**24, 2**10), chunks=(200_000, -1)))
    check_memory(cut, 2, 0, usable=16 * GIB)


def test_a_row_that_has_no_room_cannot_be_cut():
    part = given(da.zeros((3, 2**34), chunks=(1, -1)))
    with pytest.raises(ConfigError, match=r"A row alone has 128\.0 GiB: name fewer features\.$"):
        check_memory(part, 2, 0, usable=16 * GIB)


@drawn(st.integers(1, 2**50), st.integers(1, 50), st.integers(1, 2**30))
def test_the_rows_that_are_proposed_take_half_of_the_memory_at_most(usable, n_alive, row_nbytes):
    rows = fitting_rows(usable, n_alive, row_nbytes)
    assert 2 * n_alive * rows * row_nbytes <= usable
    assert rows == 0 or re.fullmatch("[1-9]0*", str(rows))


def test_a_buffer_keeps_a_tenth_more_than_its_blocks():
    assert [alive_blocks(2, n) for n in (0, 1, 5, 20)] == [4, 6, 10, 26]


def in_memory(X):
    return da.from_array(X, chunks=(250, X.shape[1]))


ONES = np.ones((N_ROWS, 100))


@pytest.mark.parametrize(
    "rows",
    [
        given(ONES, chunks=250),
        given(pd.DataFrame(ONES), chunks=250),
        given(sparse.csr_array(ONES), chunks=250),
        in_memory(ONES),
        in_memory(ONES)[100:],
        normal().persist(scheduler="sync"),
        normal().map_blocks(sparse.csr_array),
        da.from_delayed(dask.delayed(sparse.csr_array)(ONES), ONES.shape, float),
        dd.from_pandas(pd.DataFrame(ONES), npartitions=4),
        da.from_array(np.array(["a line"] * N_ROWS, dtype=object), chunks=250),
    ],
    ids=[
        *("array", "table", "sparse", "array in Dask", "slices", "persisted"),
        *("sparse blocks", "of somebody's own", "partitions", "text"),
    ],
)
@pytest.mark.filterwarnings("ignore:The sizes of the blocks")
def test_nothing_is_said_of_what_is_in_memory_already_or_of_unknown_size(rows):
    assert not is_refused(rows, usable=10)


def test_nothing_is_said_where_the_memory_is_unknown(monkeypatch):
    monkeypatch.setattr("runner.dataset.memory.usable_nbytes", lambda: None)
    check_memory(given(normal()), 2, 0)


def test_files_are_read_into_memory_whatever_their_size(tmp_path):
    path = tmp_path / "X.npy"
    np.lib.format.open_memmap(path, "w+", np.float32, (2**34, 8))
    part = Npy(X=str(path), chunks=2**33, holdout=0).split().train
    with pytest.raises(ConfigError, match=r"got 512\.0 GiB"):
        check_memory(part, 2, 0, usable=16 * GIB)


def test_the_columns_of_numbers_of_a_table_are_counted():
    frame = pd.DataFrame({"a": [1.0], "word": ["x"], "n": [1]}).iloc[:0]
    X = da.zeros((N_ROWS, 3), chunks=(250, 3), dtype=object)
    places = tuple(Place(i, 250 * i, 250 * i + 250) for i in range(4))
    part = Part(X, None, None, places, frame=frame)
    assert not is_refused(part, 4 * 250 * 16)
    assert is_refused(part, 4 * 250 * 16 - 1)


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Return what writes the kernel's files, and the root they are below."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)

    def write(**files):
        for name, text in files.items():
            path = tmp_path / "kernel" / NAMES[name]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "kernel"

    return write


V1, V2 = "sys/fs/cgroup/memory", "sys/fs/cgroup"
NAMES = {
    "meminfo": "proc/meminfo",
    "groups": "proc/self/cgroup",
    "statm": "proc/self/statm",
    "top": f"{V2}/memory.max",
    "slice": f"{V2}/user/memory.max",
    "own": f"{V2}/user/run/memory.max",
    "own_held": f"{V2}/user/run/memory.stat",
    "v1_own": f"{V1}/run/memory.limit_in_bytes",
    "v1_held": f"{V1}/run/memory.stat",
    "v1_top": f"{V1}/memory.limit_in_bytes",
}
AVAILABLE = "MemTotal: 9000 kB\nMemAvailable: 4000 kB\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"meminfo": AVAILABLE}, 4000 * 1024),
        ({"meminfo": AVAILABLE, "groups": "0::/user/run\n", "own": "max\n"}, 4000 * 1024),
        ({"meminfo": AVAILABLE, "groups": "0::/user/run\n", "own": "5000\n"}, 5000),
        ({"groups": "0::/user/run\n", "own": "5000\n", "slice": "3000\n", "top": "max\n"}, 3000),
        ({"groups": "0::/user/run\n", "own": "5000\n", "own_held": "anon 2000\nfile 9\n"}, 3000),
        ({"groups": "0::/user/run\n", "own": "5000\n", "own_held": "anon 6000\n"}, 0),
        ({"groups": "0::/elsewhere\n", "top": "7000\n"}, 7000),
        (
            {
                "groups": "5:cpu,cpuacct:/run\n4:memory:/run\n0::/\n",
                "v1_own": "5000\n",
                "v1_held": "cache 90\ntotal_rss 1000\n",
                "v1_top": f"{2**63 - 4096}\n",
            },
            4000,
        ),
    ],
)
def test_the_least_that_the_kernel_leaves_counts(kernel, files, expected):
    assert usable_nbytes(kernel(**files)) == expected


def test_what_is_left_of_the_address_space_counts(kernel, monkeypatch):
    root = kernel(meminfo=AVAILABLE, statm="100 50 1 1 0 1 0\n")
    page = resource.getpagesize()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (page * 150, page * 150))
    assert usable_nbytes(root) == page * 50


def test_this_process_may_use_some_memory():
    assert 2**20 < usable_nbytes() < 2**50
