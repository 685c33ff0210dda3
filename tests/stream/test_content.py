"""One number for the rows, whatever blocks they come in; another one for any other rows."""

import subprocess
import sys
from itertools import combinations

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.base import Part
from runner.stream.content import content, description, digest

N_ROWS = 24
RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(N_ROWS, 5)) * 50
WORDS = np.array(["", "a", "b", "ab", "straße", "nan", "None", "a longer one"])
MIXED = [1, "1", 1.5, None, float("nan"), True, b"1", ("a", 1), "\udcff", "text"]


PATTERNS = [
    (63, 31),  # the signs of both halves
    (52, 53, 54),  # in the exponent of float64
    tuple(range(52, 63)),
    tuple(range(64)),
    *(tuple(range(width - 1, 64, width)) for width in (8, 16)),
]


def taken(pool):
    items = np.empty(len(pool), object)
    items[:] = pool
    return items[RNG.permutation(np.arange(N_ROWS) % len(pool))]


FIXED = [*("f8", "f4", "f2", "g", "i8", "i4", "i2", "i1", "u1", "c16", "c8"), ">f8", "m8[s]"]
KINDS = {
    **{dtype: VALUES.real.astype(dtype) for dtype in FIXED if dtype != "m8[s]"},
    "m8[s]": VALUES.astype("i8").astype("m8[s]"),
    "G": (VALUES + 1j).astype("G"),
    "bool": VALUES > 0,
    "columns first": np.asfortranarray(VALUES),
    "every other column": np.repeat(VALUES, 2, axis=1)[:, ::2],
    "three dimensions": VALUES[:, :4].reshape(N_ROWS, 2, 2),
    "lines": np.array([f"line {i}" for i in range(N_ROWS)], object),
    "text": taken(WORDS.tolist()).astype(str),
    "bytes": np.array([b"x" * (i % 5) for i in range(N_ROWS)]),
    "text in columns": taken(WORDS.tolist()).astype(str).reshape(-1, 1).repeat(3, axis=1),
    "objects": taken(MIXED),
    "objects in columns": np.stack([taken(MIXED[:4]), taken(MIXED[3:7])], axis=1),
    "sparse": scipy.sparse.random(N_ROWS, 900, 0.02, "csr", random_state=0),
    "sparse integers": scipy.sparse.csr_array((np.abs(VALUES) > 40).astype(np.int16)),
    "frame": pd.DataFrame(
        {
            "f": VALUES[:, 0],
            "i": np.arange(N_ROWS),
            "b": VALUES[:, 1] > 0,
            "t": taken([*WORDS.tolist(), np.nan]),
            "f4": VALUES[:, 2].astype("f4"),
            "c": pd.Categorical(taken(["x", "y", "z"])),
            "n": pd.array([None, *range(1, N_ROWS)], "Int64"),
            "s": pd.array(taken(["x", "y", None]), "string"),
        }
    ),
    "no columns": np.empty((N_ROWS, 0)),
}
Y = np.arange(N_ROWS) % 3
ROWS = np.arange(N_ROWS) * 2 + 7


def cut(values, rows):
    if values is None:
        return None
    return values.iloc[rows] if hasattr(values, "iloc") else values[rows]


def of_rows(rows, X, y=None, weight=None):
    return content(cut(X, rows), cut(y, rows), cut(weight, rows), ROWS[rows])


@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
@settings(deadline=None, max_examples=10)
def test_neither_the_cuts_nor_the_order_of_the_blocks_count(kind, data):
    cuts = data.draw(st.lists(st.integers(0, N_ROWS), max_size=6).map(sorted))
    pieces = data.draw(st.permutations(np.split(np.arange(N_ROWS), cuts)))
    X = KINDS[kind]
    whole = of_rows(slice(None), X, Y, Y / 2)
    assert sum(of_rows(piece, X, Y, Y / 2) for piece in pieces) % 2**64 == whole
    assert 0 <= whole < 2**64
    assert whole != of_rows(slice(None), X, Y, Y / 4)


@pytest.mark.parametrize("role", [0, 1, 2])
@pytest.mark.parametrize("dtype", FIXED)
def test_each_flipped_bit_counts(dtype, role):
    arrays = [KINDS[dtype].copy(), Y, Y / 2]
    arrays[role] = values = KINDS[dtype][:, 0].copy() if role else arrays[0]
    whole = content(*arrays, ROWS)
    flat = np.ascontiguousarray(values)
    data = flat.view(np.uint8).reshape(N_ROWS, -1)
    padded = np.dtype(dtype).char == "g" and np.finfo(np.longdouble).nmant == 63
    width = 10 if padded else np.dtype(dtype).itemsize
    seen = {whole}
    for byte in range(width):
        for bit in (0, 3, 7):
            arrays[role] = flat
            data[5, byte] ^= 1 << bit
            seen.add(content(*arrays, ROWS))
            data[5, byte] ^= 1 << bit
    assert len(seen) == 1 + 3 * width
    assert content(*arrays, ROWS) == whole


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "no columns"])
def test_rows_that_change_places_count_and_so_does_a_row_more_or_a_row_moved(kind):
    X = KINDS[kind]
    n = N_ROWS // 2
    whole = of_rows(slice(None), X, np.arange(N_ROWS))
    swapped = np.arange(N_ROWS)
    swapped[[2, 15]] = [15, 2]
    assert content(cut(X, swapped), swapped, None, ROWS) != whole
    assert of_rows(slice(1, None), X, np.arange(N_ROWS)) != whole
    assert content(cut(X, slice(n)), None, None, ROWS[:n]) != content(
        cut(X, slice(n)), None, None, ROWS[:n] + 1
    )


@given(st.integers(2, 40), st.sampled_from(["f8", "f4", "f2", "i8", "i1"]), st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_changes_of_many_columns_at_once_do_not_cancel_out(n_columns, dtype, seed):
    X = np.random.default_rng(seed).integers(1, 50, (3, n_columns)).astype(dtype)
    order = np.roll(np.arange(n_columns), 1)
    others = [-X, X * 2, X + 1, X[:, order], np.where(X > 20, -X, X), X[::-1], np.abs(X) // 2]
    others = [np.ascontiguousarray(other, dtype) for other in others]
    different = {other.tobytes() for other in (X, *others)}
    found = {content(other, None, None, np.arange(3)) for other in (X, *others)}
    assert len(found) == len(different)


def of_bits(bits, dtype="u8"):
    return content(np.ascontiguousarray(bits).view(dtype), None, None, np.arange(len(bits)))


@pytest.mark.parametrize("n_columns", [2, 3, 4, 5, 28])
@pytest.mark.parametrize("dtype", ["f8", "f4", "c16", "c8", "i8", "u8"])
def test_two_columns_whose_signs_change_do_not_cancel_out(dtype, n_columns):
    X = RNG.integers(1, 1000, (1, n_columns)).astype(dtype)
    found = {content(X, None, None, np.arange(1))}
    for i, j in combinations(range(n_columns), 2):
        other = X.copy()
        other[:, [i, j]] = -other[:, [i, j]]
        found.add(content(other, None, None, np.arange(1)))
    assert len(found) == 1 + n_columns * (n_columns - 1) // 2


@pytest.mark.parametrize("n_columns", [2, 5, 28])
@pytest.mark.parametrize("bits", [(b,) for b in range(64)] + PATTERNS, ids=str)
def test_two_words_in_which_the_same_bits_flip_do_not_cancel_out(bits, n_columns):
    X = RNG.integers(2**64, size=(1, n_columns), dtype=np.uint64)
    mask = np.uint64(sum(1 << bit for bit in bits))
    found = {of_bits(X)}
    for i, j in combinations(range(n_columns), 2):
        other = X.copy()
        other[:, [i, j]] ^= mask
        found.add(of_bits(other))
    assert len(found) == 1 + n_columns * (n_columns - 1) // 2


@pytest.mark.parametrize("n_changed", [2, 3])
@pytest.mark.parametrize("n_columns", [3, 28])
def test_changes_of_a_few_words_at_random_count(n_columns, n_changed):
    X = RNG.integers(2**64, size=(1, n_columns), dtype=np.uint64)
    found = {of_bits(X)}
    for _ in range(500):
        other = X.copy()
        columns = RNG.choice(n_columns, n_changed, replace=False)
        other[:, columns] = RNG.integers(2**64, size=n_changed, dtype=np.uint64)
        found.add(of_bits(other))
    assert len(found) == 501


@pytest.mark.parametrize("n_columns", [3, 5, 3000, 40_000])
@pytest.mark.parametrize("dtype", ["f8", "f4", "f2"])
def test_rows_count_the_same_one_by_one_as_in_a_large_block(dtype, n_columns):
    n_rows = max(3, 90_000 // n_columns)
    X, rows = RNG.normal(size=(n_rows, n_columns)).astype(dtype), np.arange(n_rows)
    whole = content(X, None, None, rows)
    cuts = np.array_split(rows, min(n_rows, 97))
    assert sum(content(X[cut], None, None, cut) for cut in cuts) % 2**64 == whole
    assert content(np.asfortranarray(X), None, None, rows) == whole


def test_what_is_in_x_is_not_in_y_nor_in_the_weights():
    rows = np.arange(N_ROWS)
    column = VALUES[:, 0]
    roles = [(column[:, None], None, None), (KINDS["no columns"], column, None)]
    roles += [(KINDS["no columns"], None, column)]
    assert len({content(*arrays, rows) for arrays in roles}) == 3


def test_floats_count_by_their_bits():
    rows = np.arange(1)

    def of(value):
        return content(np.array([[value]]), None, None, rows)

    other_nan = np.array([0x7FF8000000000001], "u8").view("f8")[0]
    assert len({of(0.0), of(-0.0), of(np.nan), of(other_nan), of(np.inf)}) == 5


def test_the_same_values_count_the_same_however_they_lie_in_memory():
    whole = of_rows(slice(None), VALUES)
    for X in (
        np.asfortranarray(VALUES),
        VALUES.repeat(2, axis=0)[::2],
        VALUES.astype(">f8"),
        pd.DataFrame(VALUES).to_numpy(),
    ):
        assert of_rows(slice(None), X) == whole


@pytest.mark.skipif(np.finfo(np.longdouble).nmant != 63, reason="all bytes are used here")
def test_what_long_floats_leave_unused_does_not_count():
    X = KINDS["g"].copy()
    whole = of_rows(slice(None), X)
    X.view(np.uint8).reshape(N_ROWS, 5, -1)[..., 10:] ^= 0xFF
    assert of_rows(slice(None), X) == whole


def test_the_width_of_text_does_not_count():
    text = KINDS["text"]
    for wider in (text.astype("U50"), text.astype("U13")):
        assert content(VALUES, wider, None, ROWS) == content(VALUES, text, None, ROWS)
    assert of_rows(slice(None), KINDS["bytes"].astype("S9")) == of_rows(
        slice(None), KINDS["bytes"]
    )


@pytest.mark.parametrize("make", [np.array, lambda words: np.array(words, object)])
def test_each_word_counts_as_itself(make):
    words = [*WORDS.tolist(), "A", "a ", " a", "ba", "abc", "\0a"]
    found = {content(make([word]), None, None, np.arange(1)) for word in words}
    assert len(found) == len(words)


def test_objects_count_by_type_and_empty_ones_are_all_the_same():
    def of(item):
        items = np.empty(1, object)
        items[0] = item
        return content(items, None, None, np.arange(1))

    assert len({of(item) for item in MIXED}) == len(MIXED) - 1
    assert of(None) == of(float("nan")) == of(pd.NA)


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "c16", "c8"])
def test_sparse_rows_count_as_dense_ones_and_stored_zeros_do_not(dtype):
    dense = np.where(np.abs(VALUES) > 40, VALUES, 0.0).astype(dtype)
    rows = scipy.sparse.csr_array(dense)
    whole = of_rows(slice(None), dense)
    assert of_rows(slice(None), rows) == whole
    stored = rows.copy()
    stored.data[3] = 0.0
    without = stored.copy()
    without.eliminate_zeros()
    assert of_rows(slice(None), stored) == of_rows(slice(None), without) != whole
    unsorted = scipy.sparse.csr_array(
        (rows.data[::-1], rows.indices[::-1], rows.nnz - rows.indptr[::-1])
    )
    turned = content(unsorted, None, None, ROWS[::-1])
    assert turned == whole
    assert of_rows(slice(None), rows.tocsc()) == whole


def test_another_process_finds_the_same_number():
    code = (
        "import numpy as np; from runner.stream.content import content;"
        "print(content(np.array([['a', 1], ['b', None]], object), np.eye(2), None, np.arange(2)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    X = np.array([["a", 1], ["b", None]], object)
    assert int(found) == content(X, np.eye(2), None, np.arange(2))


def test_the_number_of_some_rows_stays_what_it_is():
    """Records keep it, so it must not change with a version."""
    X = np.arange(6.0).reshape(3, 2)
    y = np.array(["a", "b", "a"])
    assert content(X, y, np.ones(3), np.arange(3)) == 1664229197350442634
    assert content(y.astype(object), None, None, np.arange(3)) == 16737088019035818201


def test_no_rows_are_0():
    assert content(np.empty((0, 3)), np.empty(0), None, np.empty(0, int)) == 0


def test_the_digest_depends_on_the_sum_the_rows_and_the_types():
    base = (5, 100, "X float64 (2,)")
    others = [(6, 100, "X float64 (2,)"), (5, 101, base[2]), (5, 100, "X float32 (2,)")]
    found = {digest(*each) for each in (base, *others)}
    assert len(found) == 4
    assert all(len(each) == 32 and int(each, 16) for each in found)


@pytest.mark.parametrize("chunks", [1, 2, 5])
def test_the_description_tells_types_and_widths_and_nothing_of_the_blocks(chunks):
    X = da.from_array(np.ones((5, 2), "f4"), chunks=(chunks, -1))
    y = da.from_array(np.ones((5, 3), int), chunks=(chunks, -1))
    assert description(Part(X, y, y[:, 0], ())) == (
        "X float32 (2,); y int64 (3,); sample_weight int64 ()"
    )
    frame = pd.DataFrame({"a": [1.5], "b": np.array(["x"], object)}).astype({"b": object})
    assert description(Part(X, None, None, (), frame=frame)) == (
        "X float64 object; y None; sample_weight None"
    )
