"""Text files, and the standard library's own source, as lines with labels."""

import codecs
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from fsspec.implementations.local import LocalFileSystem

from runner.dataset.dataset import Dataset
from runner.dataset.files import find_files, natural_key
from runner.dataset.fingerprint import digested, stamp
from runner.dataset.lazy import Arrays
from runner.dataset.line_blocks import Source, arrays_of_lines
from runner.errors import ConfigError, DatasetError, nearest
from runner.rules import MOST_PATH, boolean, list_of, null, one_of, text

STDLIB_MODULES = (
    "asyncio",
    "doctest",
    "email",
    "encodings",
    "html",
    "http",
    "importlib",
    "inspect",
    "json",
    "logging",
    "multiprocessing",
    "pickletools",
    "pydoc",
    "pydoc_data",
    "re",
    "tarfile",
    "typing",
    "unittest",
    "urllib",
    "xml",
)


@dataclass(kw_only=True)
class TextLines(Dataset):
    """The lines of a text file, of the files below a folder, or of those that match a glob.

    X has shape (n_rows,): one string per line that is not blank, without its newline. The files
    are scanned once for their lines; after that a block is one read of its own bytes from each
    file that it touches.

    Parameters
    ----------
    path : str
        Local, or with a protocol such as ``s3://``.
    label : {"file", "folder"} or None
        What y is: the file's name without its suffix, or the name of its folder.
    encoding : str
        How the text is encoded; one in which lines end as in ASCII, so not UTF-16.
    interleave : bool
        Mix the labels, in stripes of about 4,096 rows that hold the same share of each, so that
        every block looks like the whole. The order of the rows does not depend on the chunks.
    """

    path: Annotated[str, text(MOST_PATH)]
    label: Annotated[str | None, one_of("file", "folder") | null()] = "file"
    encoding: Annotated[str, text()] = "utf-8"
    interleave: Annotated[bool, boolean()] = False

    def __post_init__(self) -> None:
        """Refuse an impossible encoding before anything is read."""
        super().__post_init__()
        if not _is_like_ascii(self.encoding):
            raise ConfigError(
                "dataset.encoding",
                "be an encoding in which lines end as in ASCII",
                got=repr(self.encoding),
                remedy='Correct it, or leave it out for the default, "utf-8".',
            )

    def arrays(self) -> Arrays:
        """Return lines and labels; the files are scanned for their lines.

        Raises
        ------
        DatasetError
            If a file is missing or cannot be read.
        """
        files = find_files(self.path)
        sources = [Source((path,), self._label(path)) for path in files.paths]
        if self.interleave and self.label is not None:
            sources = _joined(sources)
        return arrays_of_lines(
            files.fs, sources, self.chunks, self.encoding, interleave=self.interleave
        )

    def fingerprint(self) -> dict[str, str]:
        """Return the size of each file and when it was written."""
        return find_files(self.path).fingerprint

    def _label(self, path: str) -> str | None:
        if self.label is None:
            return None
        return (
            PurePosixPath(path).stem if self.label == "file" else PurePosixPath(path).parent.name
        )


@dataclass(kw_only=True)
class StdlibLines(Dataset):
    """The lines of Python's own standard library, labelled by their module: real text, everywhere.

    They differ a little between versions of Python. Packages are taken whole, without the folders
    ``test`` and ``tests``, and the modules are mixed so that every block looks like the whole.

    Parameters
    ----------
    modules : list of str
        The top-level modules and packages to take; by default twenty that every Python has.
    """

    modules: Annotated[list[str], list_of(text())] = field(
        default_factory=lambda: list(STDLIB_MODULES)
    )

    def arrays(self) -> Arrays:
        """Return lines and labels; the files are scanned for their lines.

        Raises
        ------
        DatasetError
            If this Python has no such module written in Python.
        """
        return arrays_of_lines(
            LocalFileSystem(), self._sources(), self.chunks, "utf-8", interleave=True
        )

    def fingerprint(self) -> dict[str, str]:
        """Return the size of each file and when it was written."""
        paths = [path for source in self._sources() for path in source.paths]
        return digested({path: stamp(LocalFileSystem(), path) for path in paths})

    def _sources(self) -> list[Source]:
        folder = Path(sysconfig.get_path("stdlib"))
        return [Source(_module_files(folder, name), name) for name in self.modules]


def _module_files(folder: Path, name: str) -> tuple[str, ...]:
    package, module = folder / name, folder / f"{name}.py"
    if module.is_file():
        return (str(module),)
    found = [
        str(path)
        for path in package.rglob("*.py")
        if not {"test", "tests"} & set(path.relative_to(package).parts)
    ]
    if not found:
        raise DatasetError(
            "dataset.modules",
            f"name modules of the standard library in {folder}",
            got=repr(name),
            remedy=nearest(name, STDLIB_MODULES),
        )
    return tuple(sorted(found, key=natural_key))


def _joined(sources: list[Source]) -> list[Source]:
    paths: dict[str | None, tuple[str, ...]] = {}
    for source in sources:
        paths[source.label] = paths.get(source.label, ()) + source.paths
    return [Source(each, label) for label, each in paths.items()]


def _is_like_ascii(encoding: Any) -> bool:
    try:
        codecs.lookup(encoding)
        return "a\n".encode(encoding) == b"a\n"
    except (LookupError, TypeError, ValueError):
        return False
