"""Members that live in child processes, which see each block in shared memory."""

import multiprocessing
import warnings
from contextlib import ExitStack
from multiprocessing.shared_memory import SharedMemory
from typing import Any

from benchmarks.threads_cases import Block, cases, members_of, state

N_MEMBERS, N_WORKERS, ALIGNED = 4, 2, 64


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
