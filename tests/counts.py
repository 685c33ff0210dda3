"""Counters: of what is read, of the tasks of Dask, of calls, and of what the store is asked."""

import inspect
import sys
import threading
from collections import Counter, defaultdict
from contextlib import contextmanager
from functools import wraps
from itertools import count

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from dask._task_spec import Task
from sqlalchemy import event
from sqlalchemy.engine import Engine

from runner.dataset.csv_rows import ReadCsv
from runner.dataset.row_groups import ReadRowGroups

READERS = (ReadRowGroups, ReadCsv)


class Reads:
    """Which rows were asked for, what the files had to give, and the X that came of it.

    Attributes
    ----------
    whole, y : Counter of (start, stop)
        How often the rows [start, stop) were read with their X, and without.
    arrays : dict of (start, stop) to list
        The X of each read, while it is ``keeping``.
    opened : Counter of path
        How often a Parquet file was opened.
    decoded : Counter of (path, row group, column)
        How often a column of a row group was decoded.
    parsed : int
        How often lines of CSV were parsed.
    arrow_nbytes : int
        The most bytes that Arrow held just after it decoded something.
    """

    def __init__(self):
        self.keeping = False
        self.lock = threading.Lock()
        self.forget()

    def forget(self):
        self.whole, self.y, self.arrays = Counter(), Counter(), defaultdict(list)
        self.opened, self.decoded = Counter(), Counter()
        self.parsed = self.arrow_nbytes = 0

    @property
    def columns(self):
        """The names of the columns that were decoded."""
        return {column for _, _, column in self.decoded}

    def add(self, counter, keys):
        with self.lock:
            counter.update(keys)

    def asked(self, reader, start, stop, X):
        whole = bool(reader.layout.columns.features)
        self.add(self.whole if whole else self.y, [(start, stop)])
        if self.keeping and whole:
            self.arrays[start, stop].append(X)


def count_reads(patch):
    """Count, until the patch is undone, what readers and files are asked for."""
    reads = Reads()
    for reader in READERS:
        patch.setattr(reader, "__call__", _reader(reads, reader.__call__))
    patch.setattr(pacsv, "read_csv", _parsing(reads, pacsv.read_csv))
    patch.setattr(pq.ParquetFile, "__init__", _opening(reads, pq.ParquetFile.__init__))
    for name, groups in _GROUPS.items():
        way = getattr(pq.ParquetFile, name)
        patch.setattr(pq.ParquetFile, name, _decoding(reads, way, groups))
    return reads


def _reader(reads, call):
    def counted(reader, start, stop):
        found = call(reader, start, stop)
        reads.asked(reader, start, stop, found[0])
        return found

    return counted


def _parsing(reads, parse):
    def counted(*arguments, **options):
        with reads.lock:
            reads.parsed += 1
        return parse(*arguments, **options)

    return counted


def _opening(reads, begin):
    def counted(file, source, *arguments, **options):
        begin(file, source, *arguments, **options)
        file.path = str(getattr(source, "name", source))
        reads.add(reads.opened, [file.path])

    return counted


# The ways of a ParquetFile to its rows, and which row groups each is for.
_GROUPS = {
    "read_row_group": lambda file, asked: [asked["i"]],
    "read_row_groups": lambda file, asked: asked["row_groups"],
    "iter_batches": lambda file, asked: asked.get("row_groups") or range(file.num_row_groups),
    "read": lambda file, asked: range(file.num_row_groups),
}


def _decoding(reads, way, groups):
    signature = inspect.signature(way)

    def counted(file, *arguments, **options):
        asked = signature.bind(file, *arguments, **options).arguments
        columns = asked.get("columns") or file.schema_arrow.names
        named = [(file.path, i, column) for i in groups(file, asked) for column in columns]
        reads.add(reads.decoded, named)
        found = way(file, *arguments, **options)
        reads.arrow_nbytes = max(reads.arrow_nbytes, pa.total_allocated_bytes())
        return found

    return counted


def count_tasks(patch):
    """Count, until the patch is undone, the tasks of Dask that are made and that are done."""
    tasks = Counter()
    make, do = Task.__init__, Task.__call__

    def made(task, *arguments, **options):
        tasks["made"] += 1
        make(task, *arguments, **options)

    def done(task, *arguments, **options):
        tasks["done"] += 1
        return do(task, *arguments, **options)

    patch.setattr(Task, "__init__", made)
    patch.setattr(Task, "__call__", done)
    return tasks


class StoreCalls:
    """What an MLflow store was asked for: its methods, its files, and the database below.

    Attributes
    ----------
    methods : Counter of name
        Of the store, and of its files, as they are called from outside of it.
    sql : Counter of word
        The statements by their first word, such as SELECT.
    """

    def __init__(self):
        self.methods, self.sql = Counter(), Counter()
        self._inside = threading.local()

    @property
    def n_calls(self):
        return self.methods.total()

    @property
    def queries(self):
        """How many statements the database got, but for those about its own settings."""
        return self.sql.total() - self.sql["PRAGMA"]

    def of_run(self):
        """Return how often each method was called that is not of the experiment."""
        return Counter({n: times for n, times in self.methods.items() if "experiment" not in n})

    def counted(self, name, method):
        @wraps(method)
        def counted(*arguments, **options):
            if getattr(self._inside, "now", False):
                return method(*arguments, **options)
            self.methods[name] += 1
            self._inside.now = True
            try:
                return method(*arguments, **options)
            finally:
                self._inside.now = False

        return counted

    def executed(self, connection, cursor, statement, *_):
        self.sql[statement.split(None, 1)[0].upper()] += 1


@contextmanager
def counted_store(patch):
    """Count what reaches the store while the context is open."""
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    calls = StoreCalls()
    with patch.context() as within:
        for name, method in inspect.getmembers(SqlAlchemyStore, inspect.isfunction):
            if not name.startswith("_"):
                within.setattr(SqlAlchemyStore, name, calls.counted(name, method))
        for name in ("log_artifact", "log_artifacts"):
            method = getattr(LocalArtifactRepository, name)
            within.setattr(LocalArtifactRepository, name, calls.counted(name, method))
        event.listen(Engine, "before_cursor_execute", calls.executed)
        try:
            yield calls
        finally:
            event.remove(Engine, "before_cursor_execute", calls.executed)


class FunctionCalls:
    """Counts the functions, of Python and of C, that are called between ``begin`` and ``end``.

    Those of the thread that begins, and of all threads that start while it is ``heard``.
    """

    def __init__(self):
        self.n = 0
        self._next = None

    def begin(self):
        self._next = count(1).__next__
        sys.setprofile(self._called)

    def end(self):
        sys.setprofile(None)
        self.n, self._next = self._next() - 1, None

    @contextmanager
    def heard(self):
        threading.setprofile(self._called)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def _called(self, frame, what, argument):
        count = self._next
        if count is not None and what in ("call", "c_call"):
            count()
