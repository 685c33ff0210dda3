"""A folder of predictions: one Parquet file per block, and a summary when all are there."""

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from runner.errors import ConfigError, RunnerWarning, cause

SUMMARY = "_predictions.json"  # readers of Parquet leave out what begins with an underscore


def free_folder(output: str | Path) -> Path:
    """Return where predictions can be written; nothing is made yet.

    Raises
    ------
    ConfigError
        If it is no local folder, or holds something.
    """
    if "://" in str(output):
        raise ConfigError(
            "output",
            "be a local folder",
            got=repr(str(output)),
            remedy="Write to one first, then copy it.",
        )
    folder = Path(output).absolute()
    if folder.exists() and not folder.is_dir():
        raise ConfigError(
            "output", "be a folder", got=f"the file {folder}", remedy="Name another one."
        )
    if folder.is_dir() and any(folder.iterdir()):
        raise ConfigError(
            "output",
            "be a new folder, or an empty one",
            got=f"{folder}, which holds files",
            remedy="Name another folder, or remove this one.",
        )
    return folder


class Parts:
    """The files ``part-00000.parquet``, ... of a folder, numbered as the blocks.

    Each is written under another name first, so that one that is there is whole.

    Parameters
    ----------
    folder : Path
        Made if need be.
    metadata : mapping of str to str
        Kept in each file.

    Raises
    ------
    ConfigError
        If the folder cannot be made.

    Attributes
    ----------
    n_parts, n_rows : int
        What is written so far.
    names : list of str
        The names of the columns.
    """

    def __init__(self, folder: Path, metadata: Mapping[str, str]) -> None:
        with _written():
            self._made = [path for path in (folder, *folder.parents) if not path.exists()]
            folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.n_parts = self.n_rows = 0
        self.names: list[str] = []
        self._metadata = dict(metadata)

    def write(self, number: int, columns: Mapping[str, Any]) -> None:
        """Write the columns of a block, NumPy or Arrow arrays of the same length.

        Raises
        ------
        ConfigError
            If the file cannot be written.
        """
        table = pa.table(dict(columns)).replace_schema_metadata(self._metadata)
        name = f"part-{number:05}.parquet"
        with self._replacing(name) as draft:
            pq.write_table(table, draft, write_page_checksum=True)
        self.n_parts += 1
        self.n_rows += table.num_rows
        self.names = table.column_names

    def finish(self, **summary: Any) -> None:
        """Write the summary, whose presence says that no part is missing."""
        told = {
            **self._metadata,
            "rows": self.n_rows,
            "parts": self.n_parts,
            "columns": self.names,
            **summary,
        }
        with self._replacing(SUMMARY) as draft:
            draft.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Say what is there already if something goes wrong inside; remove folders without a part.

        Warns
        -----
        RunnerWarning
            With the number of finished parts.
        """
        try:
            yield
        except BaseException:
            if self.n_parts:
                self._say_what_is_there()
            else:
                self._remove_folders()
            raise

    def _say_what_is_there(self) -> None:
        plural = "" if self.n_parts == 1 else "s"
        warnings.warn(
            f"{self.folder} holds {self.n_parts} finished part{plural} with {self.n_rows:,} "
            f"rows, and no {SUMMARY}, because the prediction did not come to its end.",
            RunnerWarning,
            stacklevel=4,
        )

    def _remove_folders(self) -> None:
        """Remove the folders that were made for the parts, unless somebody else uses them."""
        with suppress(OSError):
            for folder in self._made:
                folder.rmdir()

    @contextmanager
    def _replacing(self, name: str) -> Iterator[Path]:
        draft = self.folder / f".{name}.draft"
        with _written():
            try:
                yield draft
                draft.replace(self.folder / name)
            finally:
                draft.unlink(missing_ok=True)


@contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            "output",
            "be a folder that can be written and has room",
            got=cause(error),
            remedy="Make room, or name another folder.",
        ) from error
