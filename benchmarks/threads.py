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
import platform
import statistics
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from functools import partial
from typing import Any

from benchmarks.row import middle
from benchmarks.threads_cases import Block, cases, members_of, state
from benchmarks.threads_shared import N_MEMBERS, N_WORKERS, InProcesses, size_of
from benchmarks.turns import ROOT, environment

TURN_S, FEWEST, MOST = 0.3, 3, 200  # blocks in a turn: as many as fill this time
PROBE_BYTES, SETTLED_S, FREE, TRIES = 2**24, 0.05, 1.6, 3
LIMITS = (None, 1)  # threads of linear algebra: as many as there are, or one

Turn = dict[str, dict[str, Any]]


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
        cells.append(f"{middle(gains)} {mark(every, kind)}".strip())
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
        command = [sys.executable, "-m", "benchmarks.threads", "--contender", name]
        done = subprocess.run(
            [*command, "--repeats", str(repeats)],
            capture_output=True,
            text=True,
            check=False,
            env=environment(),
            cwd=ROOT,
        )
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
