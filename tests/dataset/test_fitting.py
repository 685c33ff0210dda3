import warnings

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, issparse

from runner.dataset.fitting import aligned, cut_rows, sized
from runner.dataset.lazy import Arrays
from runner.errors import DatasetError, RunnerWarning

X = np.arange(200.0).reshape(100, 2)
Y = np.arange(100)
CUTS = st.lists(st.integers(1, 99), unique=True, max_size=6).map(
    lambda cuts: tuple(np.diff([0, *sorted(cuts), 100]).tolist())
)


def lazy(values, chunks=25):
    rows = (chunks, *values.shape[1:])
    return da.from_array(values, chunks=rows)


def unknown(values, n_partitions=4):
    """Return the values with the unknown sizes that those of a dataframe have."""
    frame = pd.DataFrame(values)
    array = dd.from_pandas(frame, npartitions=n_partitions).to_dask_array()
    return array if values.ndim > 1 else array[:, 0]


def test_arrays_that_fit_are_left_as_they_are():
    arrays = Arrays(lazy(X), lazy(Y), lazy(Y / 2), ("a", "b"))
    fitted = aligned(arrays)
    assert fitted.X is arrays.X
    assert fitted.y is fitted.y_only is arrays.y
    assert fitted.sample_weight is arrays.sample_weight
    assert fitted.feature_names == ("a", "b")


def test_x_cut_along_its_features_is_made_whole_and_said():
    cut = da.from_array(X, chunks=(25, 1))
    with pytest.warns(RunnerWarning, match="X is cut along its features, in 2 chunks of columns"):
        fitted = aligned(Arrays(cut, lazy(Y)))
    assert fitted.X.chunks == ((25,) * 4, (2,))
    np.testing.assert_array_equal(fitted.X.compute(), X)


def test_sparse_x_cut_along_its_features_is_made_whole():
    meta = csr_array((0, 0))
    cut = da.from_array(X, chunks=(25, 1)).map_blocks(csr_array, dtype=float, meta=meta)
    with pytest.warns(RunnerWarning, match="cut along its features"):
        fitted = aligned(Arrays(cut))
    whole = fitted.X.compute(scheduler="sync")
    assert issparse(whole)
    np.testing.assert_array_equal(whole.toarray(), X)


@pytest.mark.parametrize("chunks", [(25, 1), (40, 1)])
def test_a_y_of_one_column_becomes_flat_and_it_is_said_once(chunks):
    y = da.from_array(Y[:, None], chunks=chunks)
    with pytest.warns(RunnerWarning) as said:
        fitted = aligned(Arrays(lazy(X), y))
    assert [str(warning.message) for warning in said] == [
        "y has one column: taken as one target, of shape (n_rows,)."
    ]
    assert fitted.y.chunks == ((25,) * 4,)
    np.testing.assert_array_equal(fitted.y.compute(), Y)


def test_text_of_differing_widths_is_cut_anew_without_a_loss():
    widths = {0: "a", 1: "abcdef"}

    def label(rows):
        return np.array([widths[int(row) // 50] for row in rows])

    y = lazy(Y, 50).map_blocks(label, dtype="<U1")
    fitted = aligned(Arrays(lazy(X, 40), y))
    blocks = [fitted.y.blocks[i].compute() for i in range(3)]
    assert [block.dtype.kind for block in blocks] == ["U", "U", "U"]
    assert np.concatenate(blocks).tolist() == ["a"] * 50 + ["abcdef"] * 50


@settings(deadline=None, max_examples=40)
@given(rows=CUTS, y_rows=CUTS, weight_rows=CUTS, width=st.sampled_from([(), (3,)]))
def test_y_and_weights_in_other_blocks_follow_those_of_x(rows, y_rows, weight_rows, width):
    y = np.broadcast_to(Y.reshape(100, *[1] * len(width)), (100, *width))
    arrays = Arrays(
        da.from_array(X, chunks=(rows, 2)),
        da.from_array(y, chunks=(y_rows, *width)),
        da.from_array(Y / 2, chunks=(weight_rows,)),
    )
    fitted = aligned(arrays)
    assert fitted.X.chunks[0] == fitted.y.chunks[0] == fitted.sample_weight.chunks[0] == rows
    got = dask.compute(fitted.X, fitted.y, fitted.sample_weight, scheduler="sync")
    for values, wanted in zip(got, (X, y, Y / 2), strict=True):
        np.testing.assert_array_equal(values, wanted)


def test_y_cut_along_its_outputs_is_made_whole():
    y = da.from_array(np.ones((100, 4)), chunks=(25, 2))
    assert aligned(Arrays(lazy(X), y)).y.chunks == ((25,) * 4, (4,))


@pytest.mark.parametrize("name", ["y", "sample_weight"])
def test_other_lengths_are_refused_with_both_numbers(name):
    with pytest.raises(DatasetError) as refused:
        aligned(Arrays(lazy(X), **{name: lazy(Y[:90])}))
    assert str(refused.value) == (
        f"X and {name} must have the same number of rows; got 100 rows of X and 90 of {name}. "
        "Make both from the same rows of the source."
    )


@pytest.mark.parametrize("empty", [X[:0], X[:, :0], np.array([])], ids=lambda empty: empty.shape)
def test_an_empty_dataset_is_refused(empty):
    with pytest.raises(DatasetError) as refused:
        aligned(Arrays(da.from_array(empty)))
    assert str(refused.value) == (
        f"The dataset must have at least one row and one feature; got X of shape {empty.shape}. "
        "Check the path and the filters of the source."
    )


def test_rows_of_unknown_number_are_counted_and_said():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        fitted = aligned(Arrays(unknown(X), unknown(Y), unknown(Y / 2, 3)))
    assert fitted.X.chunks == ((25,) * 4, (2,))
    assert fitted.y.chunks == fitted.sample_weight.chunks == ((25,) * 4,)
    np.testing.assert_array_equal(fitted.sample_weight.compute(), Y / 2)
    assert [str(warning.message) for warning in said if warning.category is RunnerWarning] == [
        f"The sizes of the blocks of {name} are unknown: reading it once to count its rows."
        for name in ("X", "y", "sample_weight")
    ]


def test_a_dataframe_that_is_empty_after_a_filter_is_refused():
    frame = dd.from_pandas(pd.DataFrame(X, columns=["a", "b"]), npartitions=4)
    with (
        pytest.warns(RunnerWarning, match="sizes of the blocks of X"),
        pytest.raises(DatasetError, match="must have at least one row"),
    ):
        aligned(Arrays(frame[frame["a"] < 0].to_dask_array()))


def test_x_filtered_and_y_not_is_refused():
    keep = da.from_array(X[:, 0] < 100, chunks=25)
    with (
        pytest.warns(RunnerWarning, match="sizes of the blocks of X"),
        pytest.raises(DatasetError, match="got 50 rows of X and 100 of y"),
    ):
        aligned(Arrays(lazy(X)[keep], lazy(Y)))


def test_known_sizes_are_not_counted():
    array = lazy(X)
    assert sized("X", array) is array


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (
            Arrays(lazy(np.ones((10, 2, 2)))),
            "X must have one dimension or two; got shape (10, 2, 2). "
            "Reshape X so that each sample is one row.",
        ),
        (
            Arrays(da.from_array(np.ones(()))),
            "X must have one dimension or two; got shape (). "
            "Reshape X so that each sample is one row.",
        ),
        (
            Arrays(lazy(X), lazy(np.ones((100, 2, 2)))),
            "y must have one dimension or two; got shape (100, 2, 2). "
            "Reshape y so that each sample is one row.",
        ),
        (
            Arrays(lazy(X), None, lazy(np.ones((100, 1)))),
            "sample_weight must have one dimension; got shape (100, 1). "
            "Reshape sample_weight so that each sample is one row.",
        ),
    ],
)
def test_too_many_or_too_few_dimensions_are_refused(arrays, said):
    with pytest.raises(DatasetError) as refused:
        aligned(arrays)
    assert str(refused.value) == said


def test_lines_of_text_fit():
    lines = da.from_array(np.array(["a", "b", "c"], dtype=object), chunks=2)
    assert aligned(Arrays(lines)).X.chunks == ((2, 1),)


def test_y_alone_goes_where_y_goes():
    column = lazy(Y[:, None])
    with pytest.warns(RunnerWarning, match="y has one column") as said:
        fitted = aligned(Arrays(da.from_array(X, chunks=(20, 2)), column, y_only=column + 0))
    assert len(said) == 1
    assert fitted.y_only.chunks == fitted.y.chunks == ((20,) * 5,)
    np.testing.assert_array_equal(fitted.y_only.compute(), fitted.y.compute())


def test_an_empty_frame_is_handed_on():
    frame = pd.DataFrame({"a": []})
    assert aligned(Arrays(lazy(X), frame=frame)).frame is frame


def test_rows_are_cut_anew_and_none_are_left_as_they_are():
    X = da.ones((10, 2), chunks=(5, 2))
    assert cut_rows(X, 4).chunks == ((4, 4, 2), (2,))
    empty = da.ones((0, 2))
    assert cut_rows(empty, 4) is empty
