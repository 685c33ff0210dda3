"""How many rows make a block."""

import re

from dask.utils import parse_bytes

from runner.errors import ConfigError

AUTO_NBYTES = 64 * 2**20
AUTO_BLOCKS = 10
SIZE = re.compile(r"[0-9]*\.?[0-9]+ *[A-Za-z]+")


def row_chunks(chunks: int | str, n_rows: int, row_nbytes: float) -> tuple[int, ...]:
    """Cut rows into blocks of equal size; only the last may be smaller.

    Parameters
    ----------
    chunks : int or str
        Rows per block, or the bytes of X in a block such as ``"64MiB"``, or ``"auto"``: at most
        64 MiB, and at least ten blocks where there are ten rows.
    n_rows : int
        Rows in all.
    row_nbytes : float
        Bytes of one row of X.

    Returns
    -------
    tuple of int
        The rows of each block; empty when there are no rows.

    Raises
    ------
    ConfigError
        If ``chunks`` is none of these.

    Examples
    --------
    >>> row_chunks(40, n_rows=100, row_nbytes=8)
    (40, 40, 20)
    >>> row_chunks("1 KiB", n_rows=300, row_nbytes=8)
    (128, 128, 44)
    >>> row_chunks("auto", n_rows=95, row_nbytes=8)
    (9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 5)
    """
    size = _block_rows(chunks, n_rows, row_nbytes)
    full, rest = divmod(n_rows, size)
    return (size,) * full + ((rest,) if rest else ())


def check_chunks(chunks: object) -> None:
    """Refuse what says no size of a block.

    Raises
    ------
    ConfigError
        If it is no number of rows, no size in bytes and not "auto".
    """
    _block_rows(chunks, n_rows=0, row_nbytes=1)


def _block_rows(chunks: object, n_rows: int, row_nbytes: float) -> int:
    row_nbytes = max(row_nbytes, 1)
    if chunks == "auto":
        return max(1, min(int(AUTO_NBYTES // row_nbytes), n_rows // AUTO_BLOCKS))
    if isinstance(chunks, str):
        return max(1, int(_parse(chunks) // row_nbytes))
    if isinstance(chunks, bool) or not isinstance(chunks, int) or chunks < 1:
        raise _refuse(chunks)
    return chunks


def _parse(chunks: str) -> int:
    if not SIZE.fullmatch(chunks.strip()):
        raise _refuse(chunks)
    try:
        nbytes = int(parse_bytes(chunks))
    except (ValueError, OverflowError):
        raise _refuse(chunks) from None
    if nbytes < 1:
        raise _refuse(chunks)
    return nbytes


def _refuse(chunks: object) -> ConfigError:
    return ConfigError(
        "dataset.chunks",
        "be a number of rows, a size in bytes, or auto",
        got=repr(chunks),
        remedy="Write dataset.chunks=10000, dataset.chunks=64MiB or dataset.chunks=auto.",
    )
