"""Lines of text as X, and what they are labelled with as y."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from runner.dataset.chunks import row_chunks
from runner.dataset.files import reading
from runner.dataset.lazy import Arrays, from_reader
from runner.dataset.lines import SPACE, LineIndex, index_files
from runner.dataset.spans import edges_of, spans
from runner.dataset.stripes import Stripes

STRIPE_ROWS = 4096
BLANK = "".join(map(chr, range(SPACE + 1)))

_log = logging.getLogger("runner")


@dataclass(frozen=True)
class Source:
    """Files whose lines follow each other and share a label, or have none."""

    paths: tuple[str, ...]
    label: str | None


def arrays_of_lines(
    fs: Any, sources: Sequence[Source], chunks: int | str, encoding: str, *, interleave: bool
) -> Arrays:
    """Return the lines as X and their labels as y; the files are scanned for their lines.

    Parameters
    ----------
    fs : fsspec file system
    sources : sequence of Source
        With a label each, or all without.
    chunks : int or str
        As of any dataset; bytes are those of the text.
    encoding : str
        One in which lines end as in ASCII.
    interleave : bool
        Mix the sources, in stripes of about 4,096 rows that hold the same share of each.

    Raises
    ------
    DatasetError
        If a file cannot be read.
    """
    paths = [path for source in sources for path in source.paths]
    _log.info("Reading %d files once, to count their lines.", len(paths))
    found = iter(index_files(fs, paths, quoted=False))
    indices = tuple(tuple(islice(found, len(source.paths))) for source in sources)
    sizes = np.array([sum(index.n_lines for index in each) for each in indices], dtype=np.int64)
    n_rows = int(sizes.sum())
    stripes = Stripes(sizes, max(1, round(n_rows / STRIPE_ROWS)) if interleave else 1)
    labels = [source.label for source in sources if source.label is not None]
    y = np.array(labels) if labels else None
    n_bytes = sum(index.n_bytes for each in indices for index in each)
    read_y = None if y is None else ReadLabels(stripes, y)
    read = ReadLines(fs, indices, stripes, read_y, encoding)
    metas = (np.empty(0, dtype=object), None if y is None else y[:0])
    cut = row_chunks(chunks, n_rows, n_bytes / max(n_rows, 1))
    return from_reader(read, cut, metas, read_y=read_y)


@dataclass(frozen=True, eq=False)
class ReadLabels:
    """Tell what some lines are labelled with, without reading any.

    Attributes
    ----------
    stripes : Stripes
        The order of the rows.
    labels : ndarray of shape (n_sources,)
    """

    stripes: Stripes
    labels: np.ndarray

    def __call__(self, start: int, stop: int) -> tuple[None, np.ndarray]:
        """Return no X, and y of the rows [start, stop)."""
        sources = np.empty(stop - start, dtype=np.intp)
        done = 0
        for source, begin, end in self.stripes.runs(start, stop):
            sources[done : done + end - begin] = source
            done += end - begin
        return None, self.labels[sources]


@dataclass(frozen=True, eq=False)
class ReadLines:
    """Read some lines and their labels, by one byte range of each file that holds some.

    Safe to call from several threads.

    Attributes
    ----------
    fs : fsspec file system
    indices : tuple of tuples of LineIndex
        Those of the files of each source.
    stripes : Stripes
        The order of the rows.
    labels : ReadLabels or None
    encoding : str
    """

    fs: Any
    indices: tuple[tuple[LineIndex, ...], ...]
    stripes: Stripes
    labels: ReadLabels | None
    encoding: str

    def __call__(self, start: int, stop: int) -> tuple[np.ndarray | None, ...]:
        """Return the rows [start, stop) of X, and of y where there are labels."""
        X = np.empty(stop - start, dtype=object)
        done = 0
        for source, begin, end in self.stripes.runs(start, stop):
            X[done : done + end - begin] = list(self._lines(self.indices[source], begin, end))
            done += end - begin
        return X, None if self.labels is None else self.labels(start, stop)[1]

    def _lines(self, indices: Sequence[LineIndex], start: int, stop: int) -> Iterator[str]:
        edges = edges_of([index.n_lines for index in indices])
        for file, begin, end in spans(edges, start, stop):
            yield from self._lines_of_file(indices[file], begin, end)

    def _lines_of_file(self, index: LineIndex, start: int, stop: int) -> list[str]:
        remedy = "Set dataset.encoding to the encoding of the files, or mend this one."
        rule = f"be {self.encoding} text in its lines {start} to {stop - 1}"
        with reading(index.path, rule, remedy, (UnicodeDecodeError, EOFError)):
            text = str(index.read(self.fs, start, stop), self.encoding).split("\n")
            lines = [line.removesuffix("\r") for line in text if line.strip(BLANK)]
            if len(lines) != stop - start:
                raise EOFError(f"{len(lines)} lines")
        return lines
