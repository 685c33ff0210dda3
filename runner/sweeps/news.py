"""What the workers of a cluster tell of the members of a sweep while these learn."""

import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

from runner.records import Outcome

BEGUN, ENDED, OVER = "begun", "ended", "over"
OF_ITSELF = ("FINISHED", "FAILED")  # what a member came to that nothing interrupted


class News:
    """What the workers tell while shards go on, taken in a thread of its own.

    Parameters
    ----------
    on_end : callable
        Called with the outcome of each member that ends, one at a time.

    Notes
    -----
    A message is a pair: ``BEGUN`` or ``OVER`` and a word for the shard, or ``ENDED`` and the
    pickled outcome of a member.
    """

    def __init__(self, on_end: Callable[[Outcome], None]) -> None:
        self._on_end = on_end
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self._ended: dict[int, Outcome] = {}
        self._going_on: set[str] = set()
        self._lock = threading.Lock()

    def hear(self, message: Any) -> None:
        """Take what a worker tells; it is dealt with later."""
        self._queue.put(message)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Deal with what is heard, until all of it is told."""
        thread = threading.Thread(target=self._deal, name="runner-shards", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._queue.put(None)
            thread.join()

    def take(self, outcome: Outcome) -> None:
        """Take how a member ended; that it ended of itself is not changed any more."""
        with self._lock:
            known = self._ended.get(outcome.number)
            if known is None or (known != outcome and known.status not in OF_ITSELF):
                self._ended[outcome.number] = outcome
                self._on_end(outcome)

    def is_done(self, number: int) -> bool:
        """Say whether a member ended of itself."""
        with self._lock:
            return number in self._ended and self._ended[number].status in OF_ITSELF

    def wait_for_all(self, patience_s: float) -> None:
        """Wait until no shard goes on that has told of its beginning."""
        deadline = time.monotonic() + patience_s
        while (self._going_on or not self._queue.empty()) and time.monotonic() < deadline:
            time.sleep(0.05)

    def _deal(self) -> None:
        while (message := self._queue.get()) is not None:
            kind, content = message
            if kind == ENDED:
                self.take(pickle.loads(content))  # noqa: S301  (of a worker, which runs our code)
            elif kind == BEGUN:
                self._going_on.add(content)
            elif kind == OVER:
                self._going_on.discard(content)
