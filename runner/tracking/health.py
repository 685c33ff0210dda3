"""Whether a database is whole, and whether there is room for more."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from runner.project import project_root
from runner.redaction import one_line
from runner.tracking.finding import Finding
from runner.tracking.store import PATIENCE_S, Store

LEAST_FREE = 1_000_000_000  # bytes
_STATES = 3  # two generations, and the one that is being written


def check_database(file: Path) -> Finding:
    """Let SQLite look at its file, and tell how large it is."""
    size = f"{file.stat().st_size / 1e6:.1f} MB"
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", timeout=PATIENCE_S, uri=True)) as db:
            said = [str(row[0]) for row in db.execute("PRAGMA quick_check(3)")]
    except sqlite3.Error as error:
        if "locked" in str(error):
            return Finding("database", True, f"{size}, not looked at: somebody is writing")
        said = [one_line(error)]
    if said == ["ok"]:
        return Finding("database", True, f"{size}, whole")
    told = f"{size}, damaged ({'; '.join(said)}); put back a copy of {file}, or try: "
    command = f"sqlite3 {file} .recover | sqlite3 mended.db"
    return Finding("database", False, told + command)


def check_space(store: Store | None, largest_state: int) -> Finding:
    """See that there is room for a record and for saved states.

    Parameters
    ----------
    store : Store or None
        Its folder is looked at too, where it is on this machine.
    largest_state : int
        The bytes of the largest saved state, with its generations.
    """
    folders = [project_root()]
    if store is not None and store.file is not None and store.file.parent.is_dir():
        folders.append(store.file.parent)
    least = max(LEAST_FREE, _STATES * largest_state)
    told, well = [], True
    for folder in dict.fromkeys(folders):
        free = shutil.disk_usage(folder).free
        is_short = free < least
        well = well and not is_short
        more = f", less than {least / 1e9:.1f} GB; free some" if is_short else ""
        told.append(f"{free / 1e9:.1f} GB free in {folder}{more}")
    return Finding("disk", well, "; ".join(told))
