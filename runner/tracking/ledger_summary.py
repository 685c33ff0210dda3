"""The ledger as people read it: some of its blocks as a table, and one line per epoch."""

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.tracking.ledger import BAD
from runner.tracking.tags import TABLES

if TYPE_CHECKING:
    import pyarrow as pa

BLOCKS = "ledger/blocks.json"
TABLE_TAGS = {TABLES: json.dumps([{"path": BLOCKS, "type": "table"}])}
MOST_BLOCKS, MOST_BAD, MOST_EPOCHS = 200, 50, 50
_FIRST = ("epoch", "position", "block", "rows", "load_ms", "fit_ms")
_LAST = ("first_row", "last_row")
_SCORE = "progressive_"


def blocks_table(table: "pa.Table") -> dict[str, list[Any]]:
    """Return at most 250 blocks as MLflow keeps a table: names of columns, and rows.

    Of many blocks 200 are evenly chosen, the first and the last among them, and the first 50 that
    were passed over.

    Parameters
    ----------
    table : pyarrow.Table
        As ``Ledger.table`` returns it.
    """
    bad = np.flatnonzero(np.array(table["status"].to_pylist(), object) == BAD)
    chosen = np.union1d(evenly(table.num_rows, MOST_BLOCKS), bad[:MOST_BAD])
    scores = [name for name in table.column_names if name.startswith(_SCORE)]
    names = [*_FIRST, *(("status", "error") if len(bad) else ()), *scores, *_LAST]
    columns = table.select(names).take(chosen).to_pydict().values()
    data = [[readable(value) for value in row] for row in zip(*columns, strict=True)]
    return {"columns": names, "data": data}


def epochs_text(table: "pa.Table") -> str:
    """Return one line per epoch, as a table in Markdown: how much, how long, how good at its end.

    Of many epochs 50 are evenly chosen.
    """
    epoch = table["epoch"].to_numpy()
    _, first, blocks = np.unique(epoch, return_index=True, return_counts=True)
    if not len(first):
        return ""
    sums = [
        np.add.reduceat(np.nan_to_num(table[name].to_numpy()), first)
        for name in ("rows", "load_ms", "fit_ms")
    ]
    scores = [name for name in table.column_names if name.startswith(_SCORE)]
    ends = np.append(first[1:], len(epoch)) - 1
    names = ["epoch", "blocks", "rows", "load s", "fit s", *scores]
    lines = ["| " + " | ".join(names).replace("_", " ") + " |", "|--:" * len(names) + "|"]
    for at in evenly(len(first), MOST_EPOCHS):
        rows, load_ms, fit_ms = (column[at] for column in sums)
        values = [table[name][int(ends[at])].as_py() for name in scores]
        cells = [f"{epoch[first[at]] + 1}", f"{blocks[at]:,}", f"{int(rows):,}"]
        cells += [f"{value:.3g}" for value in (load_ms / 1000, fit_ms / 1000, *values)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def evenly(count: int, most: int) -> np.ndarray:
    """Return indices below a count, evenly spaced, with the first and the last.

    Returns
    -------
    ndarray of int of shape (at most ``most``,)

    Examples
    --------
    >>> evenly(3, 5).tolist(), evenly(9, 3).tolist(), evenly(0, 3).tolist()
    ([0, 1, 2], [0, 4, 8], [])
    """
    return np.linspace(0, count - 1, min(count, most)).round().astype(int)


def readable(value: Any) -> Any:
    """Round a float to three digits; what is no number is None.

    Examples
    --------
    >>> readable(12.3456), readable(0.00123456), readable(float("nan")), readable("bad")
    (12.3, 0.00123, None, 'bad')
    """
    if not isinstance(value, float):
        return value
    return float(f"{value:.3g}") if math.isfinite(value) else None
