"""Several members learning from one block: in turn, on two threads, in two processes.

For each of scikit-learn's estimators that have ``partial_fit``, four members learn from the same
blocks. In turn: one after the other in this thread. Threads: each block is passed to a pool of
two. Processes: the members live in two children, and each block is copied once into shared memory
of which the children see views. Nobody gets a block before all have learned the one before. Each
estimator is measured in a process of its own, the ways of learning take turns, and it is checked
whether all end in the same state. All is measured again with one thread for linear algebra.
Turns during which other programs used the cores are taken again, some times.
"""

import argparse
import hashlib
import json
import math
import multiprocessing
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from functools import partial
from multiprocessing.shared_memory import SharedMemory
from typing import Any

N_MEMBERS, N_WORKERS = 4, 2
TURN_S, FEWEST, MOST = 0.3, 3, 200  # blocks in a turn: as many as fill this time
ALIGNED = 64
PROBE_BYTES, SETTLED_S, FREE, TRIES = 2**24, 0.05, 1.6, 3
LIMITS = (None, 1)  # threads of linear algebra: as many as there are, or one
MODULES = ["json", "pickletools", "tarfile", "typing"]

Block = tuple[Any, ...]
Turn = dict[str, dict[str, Any]]


def dense(n_rows: int, n_columns: int, n_classes: int = 2) -> Callable[[int], Block]:
    """Return what makes float rows and labels that follow from them."""

    def block(number: int) -> Block:
        import numpy as np

        rng = np.random.default_rng([number, n_columns])
        X = rng.normal(size=(n_rows, n_columns))
        weights = np.random.default_rng(0).normal(size=(n_columns, n_classes))
        return X, np.argmax(X @ weights + rng.normal(size=(n_rows, n_classes)), axis=1)

    return block


def changed(blocks: Callable[[int], Block], change: Callable[[Any, Any], Block]):
    return lambda number: change(*blocks(number))


def regression(X, y):
    return X, X[:, 0] + 0.1 * y


def outputs(X, y):
    import numpy as np

    return X, np.column_stack([y, X[:, 0] > 0])


def regressions(X, y):
    import numpy as np

    return X, np.column_stack([X[:, 0] + 0.1 * y, X[:, 1]])


def levels(X, y):
    import numpy as np

    return np.clip((X * 4 + 8).round(), 0, 16), y


def rows_only(X, _, n_rows=None):
    return (X[:n_rows],)


def unit(X, _):
    import numpy as np

    return ((np.clip(X, -2, 2) + 2) / 4,)


def lines(number: int) -> Block:
    """Return lines of Python's standard library and their modules."""
    import dask
    import numpy as np

    from runner.dataset.text import StdlibLines

    source = StdlibLines(modules=MODULES).arrays()
    X, y = dask.compute(source.X, source.y, scheduler="sync")
    order = np.random.default_rng(number).choice(len(y), 10_000)
    return X[order], y[order]


def hashed(n_features: int = 2**16, **settings: Any) -> Callable[[int], Block]:
    """Return what makes sparse rows of hashed words."""

    def block(number: int) -> Block:
        from sklearn.feature_extraction.text import HashingVectorizer

        X, y = lines(number)
        return HashingVectorizer(n_features=n_features, **settings).transform(X), y

    return block


def counts(n_features: int = 2**16) -> Callable[[int], Block]:
    return hashed(n_features, alternate_sign=False, norm=None)


def cases() -> dict[str, tuple[Callable[[], Any], Callable[[int], Block], dict[str, Any]]]:
    """Return, by the estimator's name, how to make it, its blocks, and arguments for each."""
    from sklearn import (
        cluster,
        decomposition,
        feature_selection,
        linear_model,
        multiclass,
        multioutput,
        naive_bayes,
        neural_network,
        preprocessing,
    )
    from sklearn.feature_extraction.text import HashingVectorizer

    sgd = linear_model.SGDClassifier
    digits, two, ten = dense(10_000, 64, 10), {"classes": [0, 1]}, {"classes": list(range(10))}
    binary, modules = dense(20_000, 30), {"classes": MODULES}
    topics = decomposition.LatentDirichletAllocation
    both = {"classes": [list(range(10)), [0, 1]]}
    rows = changed(digits, rows_only)
    return {
        "BernoulliNB": (naive_bayes.BernoulliNB, digits, ten),
        "BernoulliRBM": (
            lambda: neural_network.BernoulliRBM(64),
            changed(digits, unit),
            {},
        ),
        "Birch": (
            lambda: cluster.Birch(threshold=2.5, n_clusters=3),
            changed(dense(3000, 10), rows_only),
            {},
        ),
        "CategoricalNB": (
            lambda: naive_bayes.CategoricalNB(min_categories=17),
            changed(digits, levels),
            ten,
        ),
        "ComplementNB": (naive_bayes.ComplementNB, counts(), modules),
        "GaussianNB": (naive_bayes.GaussianNB, dense(20_000, 30, 3), {"classes": [0, 1, 2]}),
        "HashingVectorizer": (HashingVectorizer, lines, {}),
        "IncrementalPCA": (lambda: decomposition.IncrementalPCA(8), rows, {}),
        "LatentDirichletAllocation": (
            lambda: topics(8, total_samples=100_000),
            changed(counts(2**12), partial(rows_only, n_rows=2000)),
            {},
        ),
        "MLPClassifier": (lambda: neural_network.MLPClassifier((64,)), digits, ten),
        "MLPRegressor": (
            lambda: neural_network.MLPRegressor(hidden_layer_sizes=(64,)),
            changed(digits, regression),
            {},
        ),
        "MaxAbsScaler": (preprocessing.MaxAbsScaler, changed(hashed(), rows_only), {}),
        "MinMaxScaler": (preprocessing.MinMaxScaler, rows, {}),
        "MiniBatchDictionaryLearning": (
            lambda: decomposition.MiniBatchDictionaryLearning(16),
            changed(digits, partial(rows_only, n_rows=500)),
            {},
        ),
        "MiniBatchKMeans": (lambda: cluster.MiniBatchKMeans(16), rows, {}),
        "MiniBatchNMF": (
            lambda: decomposition.MiniBatchNMF(16),
            changed(counts(2**12), rows_only),
            {},
        ),
        "MultiOutputClassifier": (
            lambda: multioutput.MultiOutputClassifier(sgd()),
            changed(digits, outputs),
            both,
        ),
        "MultiOutputRegressor": (
            lambda: multioutput.MultiOutputRegressor(linear_model.SGDRegressor()),
            changed(digits, regressions),
            {},
        ),
        "MultinomialNB": (naive_bayes.MultinomialNB, counts(), modules),
        "OneVsOneClassifier": (lambda: multiclass.OneVsOneClassifier(sgd()), digits, ten),
        "OneVsRestClassifier": (lambda: multiclass.OneVsRestClassifier(sgd()), digits, ten),
        "PassiveAggressiveClassifier": (linear_model.PassiveAggressiveClassifier, binary, two),
        "PassiveAggressiveRegressor": (
            linear_model.PassiveAggressiveRegressor,
            changed(binary, regression),
            {},
        ),
        "Perceptron": (linear_model.Perceptron, hashed(), modules),
        "SGDClassifier": (sgd, binary, two),
        "SGDClassifier, ten labels": (sgd, digits, ten),
        "SGDClassifier, sparse": (lambda: sgd(loss="log_loss"), hashed(), modules),
        "SGDOneClassSVM": (linear_model.SGDOneClassSVM, changed(binary, rows_only), {}),
        "SGDRegressor": (linear_model.SGDRegressor, changed(binary, regression), {}),
        "SelectFromModel": (lambda: feature_selection.SelectFromModel(sgd()), binary, two),
        "StandardScaler": (preprocessing.StandardScaler, rows, {}),
    }


def members_of(name: str, numbers: range) -> list[Any]:
    """Return new members, which differ in their seed."""
    from runner.seeds import seed_estimator

    members = [cases()[name][0]() for _ in numbers]
    for member, number in zip(members, numbers, strict=True):
        seed_estimator(member, number)
    return members


def state(members: list[Any]) -> list[str]:
    """Return what tells whether members have learned the same."""
    import joblib

    return [joblib.hash(vars(member)) for member in members]


class InTurn:
    """Members that learn one after the other, or on threads."""

    def __init__(self, name: str, pool: ThreadPoolExecutor | None) -> None:
        self._name, self._pool, self._arguments = name, pool, cases()[name][2]
        self._members: list[Any] = []

    def start(self, limit: int | None) -> None:
        """Begin with new members."""
        self._members = members_of(self._name, range(N_MEMBERS))

    def step(self, block: Block) -> None:
        """Let every member learn a block."""

        def learn(member: Any) -> None:
            member.partial_fit(*block, **self._arguments)

        for _ in (self._pool.map if self._pool else map)(learn, self._members):
            pass

    def end(self) -> list[str]:
        """Return what the members have become."""
        return state(self._members)


class Shared:
    """A piece of shared memory that holds the arrays of one block."""

    def __init__(self, n_bytes: int) -> None:
        self.memory = SharedMemory(create=True, size=n_bytes)

    def put(self, block: Block) -> list[Any]:
        """Copy a block in and return what a child needs to see it."""
        told, at = [], 0
        for part in block:
            if hasattr(part, "indptr"):
                arrays, shape = [part.data, part.indices, part.indptr], part.shape
            elif part.dtype.kind in "OUT":  # text has no fixed size, and goes through the pipe
                told.append(part)
                continue
            else:
                arrays, shape = [part], None
            places = []
            for array in arrays:
                view(self.memory, array.dtype, array.shape, at)[...] = array
                places.append((array.dtype, array.shape, at))
                at += -(-array.nbytes // ALIGNED) * ALIGNED
            told.append((places, shape))
        return told


def view(memory: SharedMemory, dtype: Any, shape: tuple[int, ...], at: int):
    import numpy as np

    return np.ndarray(shape, dtype, memory.buf, at)


def seen(memory: SharedMemory, told: list[Any]) -> Block:
    """Return a block whose arrays lie in shared memory."""
    from scipy.sparse import csr_matrix

    parts = []
    for part in told:
        if not isinstance(part, tuple):
            parts.append(part)
            continue
        places, shape = part
        arrays = [view(memory, *place) for place in places]
        parts.append(csr_matrix(tuple(arrays), shape, copy=False) if shape else arrays[0])
    return tuple(parts)


def size_of(blocks: list[Block]) -> int:
    """Return how many bytes of shared memory the largest block needs."""

    def size(part: Any) -> int:
        if hasattr(part, "indptr"):
            return sum(size(array) for array in (part.data, part.indices, part.indptr))
        return part.nbytes + ALIGNED

    return max(sum(size(part) for part in block) for block in blocks)


def child(pipe: Any, name: str, memory_name: str, numbers: range) -> None:
    """Keep members in a process, and let them learn what lies in shared memory."""
    from threadpoolctl import threadpool_limits

    warnings.simplefilter("ignore")
    memory, arguments, members = SharedMemory(memory_name), cases()[name][2], []
    with ExitStack() as limits:
        while (message := pipe.recv()) is not None:
            what, told = message
            if what == "start":
                limits.close()
                limits.enter_context(threadpool_limits(told))
                members, answer = members_of(name, numbers), None
            elif what == "end":
                answer = state(members)
            else:
                for member in members:
                    member.partial_fit(*seen(memory, told), **arguments)
                answer = None
            pipe.send(answer)


class InProcesses:
    """Members that live in child processes."""

    def __init__(self, name: str, n_bytes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._shared = Shared(n_bytes)
        self._pipes, self._children = [], []
        for worker in range(N_WORKERS):
            here, there = context.Pipe()
            numbers = range(worker, N_MEMBERS, N_WORKERS)
            job = (there, name, self._shared.memory.name, numbers)
            process = context.Process(target=child, args=job, daemon=True)
            process.start()
            self._pipes.append(here)
            self._children.append(process)

    def _ask(self, *message: Any) -> list[Any]:
        for pipe in self._pipes:
            pipe.send(message)
        return [pipe.recv() for pipe in self._pipes]

    def start(self, limit: int | None) -> None:
        """Begin with new members."""
        self._ask("start", limit)

    def step(self, block: Block) -> None:
        """Let every member learn a block."""
        self._ask("block", self._shared.put(block))

    def end(self) -> list[str]:
        """Return what the members have become."""
        answers = self._ask("end", None)
        return [answers[i % N_WORKERS][i // N_WORKERS] for i in range(N_MEMBERS)]

    def close(self) -> None:
        """End the children."""
        for pipe in self._pipes:
            pipe.send(None)
        for process in self._children:
            process.join()
        self._shared.memory.close()
        self._shared.memory.unlink()


def learn(way: Any, blocks: list[Block], n_steps: int, limit: int | None) -> dict[str, Any]:
    """Let new members learn some blocks; the first is not timed."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limit) if limit else nullcontext():
        way.start(limit)
        way.step(blocks[0])
        wall, busy = time.perf_counter(), time.process_time()
        for i in range(n_steps):
            way.step(blocks[(i + 1) % len(blocks)])
        wall, busy = time.perf_counter() - wall, time.process_time() - busy
    return {"wall": wall, "busy": busy, "state": way.end()}


def limiting(way: InTurn, block: Block) -> int:
    """Count how often one block makes scikit-learn limit the threads of linear algebra."""
    from threadpoolctl import ThreadpoolController

    plain, calls = ThreadpoolController.limit, []

    def counted(self, **limits):
        calls.append(limits)
        return plain(self, **limits)

    way.start(None)
    way.step(block)
    ThreadpoolController.limit = counted
    try:
        way.step(block)
    finally:
        ThreadpoolController.limit = plain
    return len(calls)


def library_threads() -> list[int]:
    """Return how many threads each library of linear algebra would use."""
    from threadpoolctl import threadpool_info

    return [library["num_threads"] for library in threadpool_info()]


def limited_pool(limit: int | None) -> ThreadPoolExecutor:
    """Return a pool of two threads; OpenMP knows a limit for each thread of its own."""
    from threadpoolctl import threadpool_limits

    def prepare() -> None:
        if limit:
            threadpool_limits(limit, "openmp")

    return ThreadPoolExecutor(N_WORKERS, initializer=prepare)


def free_cores() -> float:
    """Return how many cores other programs leave to this one, up to two.

    It is how much faster two threads are at what needs no lock and next to no memory.
    """
    time.sleep(SETTLED_S)
    work = partial(hashlib.sha256, bytes(PROBE_BYTES))
    started = time.perf_counter()
    for _ in range(N_WORKERS):
        work()
    between = time.perf_counter()
    with ThreadPoolExecutor(N_WORKERS) as pool:
        for job in [pool.submit(work) for _ in range(N_WORKERS)]:
            job.result()
    return (between - started) / (time.perf_counter() - between)


def measure(name: str, repeats: int) -> dict[str, Any]:
    """Measure one estimator in this process, in turns during which two cores were free."""
    import joblib

    warnings.simplefilter("ignore")
    blocks = [cases()[name][1](number) for number in range(3)]
    before, one_by_one = joblib.hash(blocks), InTurn(name, None)
    n_limits = limiting(one_by_one, blocks[0])
    step_s = learn(one_by_one, blocks, FEWEST, None)["wall"] / FEWEST
    n_steps = min(MOST, max(FEWEST, math.ceil(TURN_S / step_s)))
    processes = InProcesses(name, size_of(blocks))
    quiet: list[Turn] = []
    noisy: list[Turn] = []
    with ExitStack() as stack:
        pools = {limit: stack.enter_context(limited_pool(limit)) for limit in LIMITS}
        ways = {
            (kind, limit): way
            for limit in LIMITS
            for kind, way in (
                ("turn", one_by_one),
                ("threads", InTurn(name, pools[limit])),
                ("processes", processes),
            )
        }
        take_turn(ways, blocks, FEWEST)  # it warms up
        while len(quiet) < repeats and len(quiet) + len(noisy) < TRIES * repeats:
            free = free_cores()
            turn = take_turn(ways, blocks, n_steps)
            (quiet if min(free, free_cores()) > FREE else noisy).append(turn)
    processes.close()
    assert joblib.hash(blocks) == before, "a member changed the block"
    return {"n_steps": n_steps, "limits": n_limits, "quiet": quiet, "noisy": noisy}


def take_turn(ways: dict[tuple[str, int | None], Any], blocks: list[Block], n_steps: int) -> Turn:
    """Learn in every way once, and say after which linear algebra had another limit."""
    from threadpoolctl import threadpool_limits

    normal, turn = library_threads(), {}
    for (kind, limit), way in ways.items():
        took = learn(way, blocks, n_steps, limit)
        took["changed"] = library_threads() != normal
        if took["changed"]:
            threadpool_limits(max(normal))
        turn[f"{kind} {limit or ''}".strip()] = took
    return turn


def mark(turns: list[Turn], kind: str) -> str:
    """Return a sign if members did not learn what they learn in turn.

    Examples
    --------
    >>> turn = {"turn": {"state": ["a"]}, "turn 1": {"state": ["b"]}, "threads": {"state": ["b"]}}
    >>> mark([turn | {"threads 1": turn["turn 1"]}], "threads 1"), mark([turn], "threads")
    ('*', '!')
    """

    def states(way: str) -> set[str]:
        return {str(turn[way]["state"]) for turn in turns}

    in_turn = states("turn 1" if kind.endswith(" 1") else "turn")
    if len(in_turn) > 1 or states(kind) != in_turn:
        return "!"
    return "" if in_turn == states("turn") else "*"


COLUMNS = ("threads", "processes", "turn 1", "threads 1", "processes 1")


def row(name: str, result: dict[str, Any]) -> list[str]:
    """Return the cells of a line of the table."""
    turns, n_quiet = result["quiet"] or result["noisy"], len(result["quiet"])
    step = statistics.median(turn["turn"]["wall"] for turn in turns)
    cores = statistics.median(turn["turn"]["busy"] / turn["turn"]["wall"] for turn in turns)
    cells = [name, f"{step / result['n_steps'] / N_MEMBERS * 1000:.2f}", f"{cores:.2f}"]
    every = result["quiet"] + result["noisy"]
    for kind in COLUMNS:
        gains = [turn["turn"]["wall"] / turn[kind]["wall"] for turn in turns]
        text = f"{statistics.median(gains):.2f} ({min(gains):.2f} to {max(gains):.2f})"
        cells.append(f"{text} {mark(every, kind)}".strip())
    changed = any(took["changed"] for turn in every for took in turn.values())
    left = ", left changed" if changed else ""
    limits = f"{result['limits'] // N_MEMBERS} a step{left}" if result["limits"] else "no"
    return [*cells, limits, f"{n_quiet} of {len(every)}"]


HEAD = (
    *("estimator", "ms per member and block", "cores in turn", "2 threads", "2 processes"),
    *("in turn, 1 core each", "2 threads, 1 core each", "2 processes, 1 core each"),
    *("limits linear algebra", "turns with two cores free"),
)


def compare(names: list[str], repeats: int) -> None:
    """Measure one estimator after the other and print the table."""
    print(f"{platform.python_version()}, {repeats} turns")
    print(
        "Medians of the ratios pair by pair (min to max), of the turns with two cores free, if any"
    )
    print(f"{N_MEMBERS} members; how many times faster than in turn")
    print("! other states than in turn, or not the same each time; * the limit alone changes them")
    print(f"\n| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for name in names:
        command = [sys.executable, __file__, "--contender", name, "--repeats", str(repeats)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"| {name} | failed: {done.stderr.splitlines()[-1]} |", flush=True)
            continue
        result = json.loads(done.stdout.splitlines()[-1])
        print(f"| {' | '.join(row(name, result))} |", flush=True)


def main() -> None:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--estimators", nargs="+", choices=cases(), default=list(cases()))
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--contender", choices=cases())
    asked = parser.parse_args()
    if asked.contender:
        print(json.dumps(measure(asked.contender, asked.repeats)))
    else:
        compare(asked.estimators, asked.repeats)


if __name__ == "__main__":
    main()
