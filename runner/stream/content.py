"""A hash of the rows that were read, whatever blocks they were read in."""

from functools import lru_cache
from hashlib import sha256
from typing import Any

import numpy as np

from runner.base import Part

STEP = np.uint64(0x9E3779B97F4A7C15)  # that of the splitmix64 generator
ROLES = ("X", "y", "sample_weight")
TEXT = len(ROLES)
WORD, LONG_WORD = np.dtype("<u4"), np.dtype("<u8")
FOLD = np.uint64(33)
LONG = np.dtype(np.longdouble)
LONG_USED = 10 if np.finfo(np.longdouble).nmant == 63 else LONG.itemsize  # noqa: PLR2004 (x87)
NARROW = 4  # words a row, up to which it is faster to add up column by column
ROWS_AT_ONCE = 8192  # so that what is made on the way stays in the processor's cache
WORDS_AT_ONCE = 2**15
MISSING = np.uint64(0x6D697373696E6721)
HASH_KEY = "runner: content."  # pandas wants 16 bytes


def content(X: Any, y: Any, sample_weight: Any, rows: np.ndarray) -> int:
    """Return the sum, modulo 2**64, of a hash of each row and of its number.

    The sum over blocks depends neither on how the rows are cut nor on the order of the blocks.
    One flipped bit always changes it; two rows that change places, or a row more, do so but for
    a chance of about 2**-64.

    Parameters
    ----------
    X : ndarray, sparse rows or DataFrame of n_rows rows
        Of any type. Floats count by their bits, so -0.0 is not 0.0; zeros that sparse rows store
        count as those that they do not; of DataFrames the columns count by position, and empty
        cells of text are all the same.
    y, sample_weight : ndarray of n_rows rows, or None
    rows : ndarray of shape (n_rows,)
        The numbers of the rows in the dataset.

    Examples
    --------
    >>> X, y, rows = np.eye(4), np.arange(4), np.arange(4)
    >>> whole = content(X, y, None, rows)
    >>> top, rest = slice(0, 1), slice(1, 4)
    >>> parts = [content(X[cut], y[cut], None, rows[cut]) for cut in (rest, top)]
    >>> whole == sum(parts) % 2**64, whole == content(-X, y, None, rows)
    (True, False)
    """
    if not len(rows):
        return 0
    hashes = np.zeros(len(rows), np.uint64)
    for role, values in enumerate((X, y, sample_weight)):
        if values is not None:
            hashes += _hashes(values, role)
    total = 0
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = slice(start, start + ROWS_AT_ONCE)
        numbers = (rows[some].astype(np.uint64) + np.uint64(1)) * STEP
        total += int(_scrambled(_scrambled(hashes[some]) + numbers).sum(dtype=np.uint64))
    return total % 2**64


def description(part: Part) -> str:
    """Name the types and widths of a part's arrays.

    Examples
    --------
    >>> import dask.array as da
    >>> description(Part(da.ones((4, 2)), da.ones(4, dtype="<U3"), None, ()))
    'X float64 (2,); y U (); sample_weight None'
    """
    arrays = {name: _type_of(getattr(part, name)) for name in ROLES}
    if part.frame is not None:
        arrays["X"] = " ".join(str(dtype) for dtype in part.frame.dtypes)
    return "; ".join(f"{name} {kind}" for name, kind in arrays.items())


def digest(total: int, n_rows: int, described: str) -> str:
    """Return 32 hexadecimal digits for the rows of a dataset.

    Parameters
    ----------
    total : int
        The sum of the ``content`` of its blocks, modulo 2**64.
    n_rows : int
    described : str
        By ``description``.

    Examples
    --------
    >>> digest(5, 100, "X float64 (2,); y U (); sample_weight None")
    '00af4e04c8c183ce60c4c279bef4237b'
    """
    return sha256(f"{total:016x} {n_rows} {described}".encode()).hexdigest()[:32]


def _type_of(array: Any) -> str:
    if array is None:
        return "None"
    kind = array.dtype.kind if array.dtype.kind in "US" else array.dtype.name
    return f"{kind} {tuple(array.shape[1:])}"


def _hashes(values: Any, role: int) -> np.ndarray:
    """Hash each row, of shape (n_rows,), uint64."""
    if hasattr(values, "iloc") and values.ndim > 1:
        hashes = np.zeros(len(values), np.uint64)
        for j in range(values.shape[1]):
            hashes += _products(_words(_array(values.iloc[:, j])), role, j)
        return hashes
    if hasattr(values, "tocsr"):
        return _sparse_hashes(values.tocsr(), role)
    return _products(_words(_array(values)), role)


def _array(values: Any) -> np.ndarray:
    dtype = getattr(values, "dtype", None)
    return np.asarray(values, None if isinstance(dtype, np.dtype) else object)


def _products(words: np.ndarray, role: int, column: int = 0) -> np.ndarray:
    """Sum the words of each row, each times a key of its own, modulo 2**64.

    This is multilinear hashing (Lemire and Kaser, *Strongly universal string hashing is fast*,
    2014) with odd keys: rows that differ in one word never have the same sum. Others have it
    with a chance of 2**-32 at most for words of 4 bytes, and of 2**-31 for words of 8 bytes
    whose changes show in the lower 33 bits of one of them once it is folded. Words of 0 add
    nothing, so that neither the width of text nor the zeros of sparse rows count.
    """
    products = np.zeros(len(words), np.uint64)
    keys = _keys(words.shape[1], role, column)
    step = max(1, WORDS_AT_ONCE // max(1, len(keys)))
    room = np.empty_like(words[:step])
    for start in range(0, len(words), step):
        some = slice(start, start + step)
        _add_up(_folded(words[some], room), keys, products[some])
    return products


def _folded(words: np.ndarray, room: np.ndarray | None = None) -> np.ndarray:
    """Mix the upper bits of 8-byte words into the lower ones; each word becomes another one.

    The highest bit of a word, times any odd key, is 2**63, so without this two numbers that
    change their signs in the same row would cancel out. A shift of 32 would leave that to a bit
    that changes in both halves of a word, such as the signs of two numbers of 4 bytes.

    Parameters
    ----------
    words : ndarray of shape (n_rows, n_words)
        Those of 4 bytes are left as they are, because their keys are longer.
    room : ndarray of shape (n_rows or more, n_words), optional
        Where the result may be put.

    Examples
    --------
    >>> [hex(word) for word in _folded(np.array([0, 1, 2**63], np.uint64)).tolist()]
    ['0x0', '0x1', '0x8000000040000000']
    """
    if words.dtype != LONG_WORD:
        return words
    out = None if room is None else room[: len(words)]
    folded: np.ndarray = np.right_shift(words, FOLD, out=out)
    folded ^= words
    return folded


def _add_up(words: np.ndarray, keys: np.ndarray, sums: np.ndarray) -> None:
    if len(keys) > NARROW:
        np.einsum("ij,j->i", words, keys, out=sums)
        return
    for j, key in enumerate(keys):
        sums += words[:, j] * key


def _sparse_hashes(rows: Any, role: int) -> np.ndarray:
    words = _folded(_words(rows.data))
    n_words = words.shape[1]
    sums = np.zeros(len(rows.data) + 1, np.uint64)
    for k in range(n_words):
        at = rows.indices.astype(np.uint64) * np.uint64(n_words) + np.uint64(k)
        sums[1:] += words[:, k] * _keys_at(at, role)
    np.cumsum(sums, out=sums)
    hashes: np.ndarray = sums[rows.indptr[1:]] - sums[rows.indptr[:-1]]
    return hashes


def _words(array: np.ndarray) -> np.ndarray:
    """Return the bytes of each row as words, of shape (n_rows, n_words).

    They have 8 bytes where the values fill such words, or else 4, the last filled up with zeros.
    """
    if array.dtype.hasobject:
        array = _text_hashes(array.ravel().astype(object)).reshape(array.shape)
    elif array.dtype.kind in "US":
        array = _cell_hashes(array)
    if not array.size:
        return np.empty((len(array), 0), WORD)
    flat = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(len(array), -1)
    data = flat.view(np.uint8)
    if array.dtype.kind in "fc" and array.real.dtype.itemsize == LONG.itemsize > LONG_USED:
        used = data.reshape(len(data), -1, LONG.itemsize)[..., :LONG_USED]  # the rest is left over
        data = np.ascontiguousarray(used).reshape(len(data), -1)
    elif array.dtype.itemsize % LONG_WORD.itemsize == 0:
        return data.view(LONG_WORD)
    if missing := -data.shape[1] % WORD.itemsize:
        data = np.pad(data, ((0, 0), (0, missing)))
    return data.view(WORD)


def _cell_hashes(text: np.ndarray) -> np.ndarray:
    """Hash each cell of text of a fixed width, whatever the width is."""
    cells = np.ascontiguousarray(text).reshape(-1, 1)
    width = text.dtype.itemsize
    words = _words(cells.view(np.uint8).reshape(len(cells), width))
    hashes: np.ndarray = _scrambled(_products(words, TEXT) + STEP).reshape(text.shape)
    return hashes


def _text_hashes(cells: np.ndarray) -> np.ndarray:
    """Hash Python objects, of shape (n,): text by its characters, anything else as it is shown."""
    import pandas as pd

    if pd.api.types.infer_dtype(cells, skipna=True) not in ("string", "empty"):
        cells = np.array([_shown(cell) for cell in cells], object)
    try:
        hashes = pd.util.hash_array(cells, hash_key=HASH_KEY, categorize=False)
    except UnicodeEncodeError:
        encoded = [_encoded(cell) for cell in cells]
        cells = np.array(encoded, object)
        hashes = pd.util.hash_array(cells, hash_key=HASH_KEY, categorize=False)
    return np.where(pd.isna(cells), MISSING, hashes)


def _shown(cell: Any) -> Any:
    import pandas as pd

    if isinstance(cell, str) or (pd.api.types.is_scalar(cell) and pd.isna(cell)):
        return cell
    return f"\0{type(cell).__name__} {cell!r}"


def _encoded(cell: Any) -> Any:
    return cell.encode("utf8", "surrogatepass") if isinstance(cell, str) else cell


@lru_cache(maxsize=256)
def _keys(n_keys: int, role: int, column: int) -> np.ndarray:
    keys = _keys_at(np.arange(n_keys, dtype=np.uint64), role, column)
    keys.flags.writeable = False
    return keys


def _keys_at(positions: np.ndarray, role: int, column: int = 0) -> np.ndarray:
    """Return odd keys by their position in the sequence of a role and a column."""
    first = _scrambled(np.array([column * (TEXT + 1) + role + 1], np.uint64) * STEP)
    keys: np.ndarray = _scrambled(first + (positions + np.uint64(1)) * STEP) | np.uint64(1)
    return keys


def _scrambled(numbers: np.ndarray) -> np.ndarray:
    """Apply the last steps of splitmix64, by which each number becomes another one."""
    numbers = numbers ^ (numbers >> np.uint64(30))
    numbers *= np.uint64(0xBF58476D1CE4E5B9)
    numbers ^= numbers >> np.uint64(27)
    numbers *= np.uint64(0x94D049BB133111EB)
    numbers ^= numbers >> np.uint64(31)
    return numbers
