"""Rows that a program holds already."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from dask import delayed
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from runner.base import Part
from runner.dataset.given import given, is_lazy, lazy
from runner.errors import ConfigError, DatasetError, RunnerWarning
from runner.stream.stream import Stream

X = np.arange(40.0).reshape(10, 4)
y = np.arange(10) % 3


def read(part: Part):
    return list(Stream(shuffle=False).in_order(Stream().source(part)))


def rows_of(part):
    return np.concatenate([np.asarray(block.X) for block in read(part)])


def labels_of(part):
    return np.concatenate([block.y for block in read(part)])


def table():
    return pd.DataFrame(X, columns=list("abcd")).assign(label=y)


@pytest.mark.parametrize(
    "held",
    [
        X,
        X.tolist(),
        pd.DataFrame(X, columns=list("abcd")),
        scipy.sparse.csr_matrix(X),
        scipy.sparse.coo_array(X),
        da.from_array(X, chunks=(3, 4)),
        da.from_array(X, chunks=(3, 2)).rechunk({1: -1}),
    ],
    ids=lambda held: type(held).__name__,
)
@pytest.mark.parametrize("target", [y, y.tolist(), pd.Series(y), da.from_array(y, chunks=4)])
def test_rows_of_any_kind_come_out_as_they_are(held, target):
    blocks = read(given(held, target))
    dense = [b.X.toarray() if hasattr(b.X, "toarray") else np.asarray(b.X) for b in blocks]
    np.testing.assert_array_equal(np.concatenate(dense), X)
    np.testing.assert_array_equal(np.concatenate([b.y for b in blocks]), y)
    assert is_lazy(held) == (len(blocks) > 1)


@hypothesis_given(st.integers(1, 12))
def test_rows_in_memory_are_cut_as_asked(chunks):
    part = given(X, y, chunks=chunks)
    assert set(part.X.chunks[0][:-1]) <= {chunks}
    np.testing.assert_array_equal(rows_of(part), X)
    np.testing.assert_array_equal(labels_of(part), y)


def test_dask_arrays_are_cut_anew_if_asked():
    assert given(da.from_array(X, chunks=(3, 4)), y, chunks=5).X.chunks[0] == (5, 5)


def test_a_block_of_an_array_in_memory_is_no_copy():
    (block,) = read(given(X))
    assert np.shares_memory(block.X, X)


def test_blocks_of_a_dataframe_stay_dataframes_and_keep_their_names():
    part = given(table()[["a", "b"]], y, chunks=4)
    assert part.feature_names == ("a", "b")
    assert list(part.frame.columns) == ["a", "b"]
    assert all(isinstance(block.X, pd.DataFrame) for block in read(part))


@pytest.mark.filterwarnings("ignore:The sizes of the blocks of y are unknown")
def test_partitions_are_blocks_and_a_source_is_read_once_per_block():
    loads = []

    def load(i):
        loads.append(i)
        return table().iloc[5 * i : 5 * i + 5]

    frame = dd.from_delayed([delayed(load)(i) for i in range(2)], meta=table().iloc[:0])
    part = given(frame[["a", "b"]], frame.label)
    assert part.X.chunks[0] == (5, 5)
    loads.clear()
    blocks = read(part)
    assert sorted(loads) == [0, 1]
    assert [list(block.X.columns) for block in blocks] == [["a", "b"]] * 2
    assert all(isinstance(block.y, np.ndarray) for block in blocks)


def test_rows_of_unknown_number_are_counted_and_that_is_told():
    frame = dd.from_pandas(table(), npartitions=2)
    with pytest.warns(RunnerWarning, match="sizes of the blocks of X are unknown"):
        assert given(frame[["a"]]).n_rows == 10
    whole = da.from_array(X, chunks=(5, 4))
    every = whole[:, 0] >= 0
    unknown = whole[every]
    with pytest.warns(RunnerWarning, match="sizes of the blocks of y are unknown"):
        part = given(unknown, da.from_array(y, chunks=5)[every])
    assert part.X.chunks[0] == part.y.chunks[0] == (5, 5)
    assert np.isnan(unknown.shape[0]), "the caller's array is left alone"


def test_rows_are_not_counted_where_another_array_tells_their_number():
    frame = dd.from_pandas(table(), npartitions=2)
    sizes = tuple(len(part) for part in frame.partitions)
    part = given(frame[["a"]], da.from_array(y, chunks=(sizes,)))
    assert part.X.chunks[0] == sizes


def test_text_is_a_row_of_its_own():
    words = ["a b", "c", "d"]
    for lines in (words, pd.Series(words), dd.from_pandas(pd.Series(words), npartitions=1)):
        rows, frame = lazy(lines)
        assert frame is None
        assert rows.compute().tolist() == words


def test_blocks_that_a_cluster_holds_are_fetched():
    distributed = pytest.importorskip("distributed")
    with distributed.Client(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None
    ):
        held = da.from_array(X, chunks=(5, 4)).persist()
        np.testing.assert_array_equal(rows_of(given(held, y)), X)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((X, y[:9]), "10 rows of X and 9 of y"),
        ((da.from_array(X), y[:9]), "10 rows of X and 9 of y"),
        ((X, y, y[:3]), "10 rows of X and 3 of sample_weight"),
        ((np.zeros((0, 3)),), "at least one row"),
        ((np.zeros((3, 3, 3)),), r"X must have one dimension or two; got shape \(3, 3, 3\)"),
        ((3.0,), "X must be an array, a table or a series; got ndarray"),
        ((delayed(X),), "X must be an array, a table or a series; got Delayed"),
        ((X, delayed(y)), "y must be an array, a table or a series; got Delayed"),
    ],
)
def test_what_are_no_rows_is_refused(arguments, told):
    with pytest.raises(DatasetError, match=told):
        given(*arguments)


def test_partitions_are_not_cut_anew():
    with pytest.raises(ConfigError, match="chunks must be left out for a Dask dataframe"):
        given(dd.from_pandas(table(), npartitions=2), chunks=3)


def test_a_block_of_another_length_than_told_is_refused_where_it_is():
    lying = da.concatenate(
        [da.from_delayed(delayed(np.zeros)((n, 2)), (5, 2), float) for n in (5, 4)]
    )
    with pytest.raises(DatasetError, match=r"Block 1 \(rows 5 to 9\) must hold as many rows"):
        read(given(lying, y))
