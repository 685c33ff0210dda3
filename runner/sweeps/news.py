"""What the workers of a cluster tell of the members of a sweep while these learn."""

import pickle
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

from runner.records import Outcome

BEGUN, ENDED, OVER = "begun", "ended", "over"
OF_ITSELF = ("FINISHED", "FAILED")  # what a member came to that nothing interrupted
PATIENCE_S = 20.0  # with what is to stop after its block, and keeps its state
LOOK_S = 0.5


class News:
    """What the workers tell while shards or jobs go on, taken in a thread of its own.

    Parameters
    ----------
    on_end : callable, optional
        Called with the outcome of each member that ends, one at a time.

    Notes
    -----
    A message is ``BEGUN`` or ``OVER`` with the address of the worker and a word for what it does,
    or ``ENDED`` with the pickled outcome of a member.
    """

    def __init__(self, on_end: Callable[[Outcome], None] = lambda _: None) -> None:
        self._on_end = on_end
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self._ended: dict[int, Outcome] = {}
        self._going_on: dict[str, str] = {}  # a worker does one thing after the other
        self._lock = threading.Lock()
        self._error: BaseException | None = None

    def hear(self, message: Any) -> None:
        """Take what a worker tells; it is dealt with later."""
        self._queue.put(message)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Deal with what is heard, until all of it is told.

        Raises
        ------
        Exception
            At the end, the first that ``on_end`` raised; what was heard later is told all the
            same.
        """
        thread = threading.Thread(target=self._deal, name="runner-shards", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._queue.put(None)
            thread.join()
        if self._error is not None:
            raise self._error

    @contextmanager
    def states_kept(self, present: Callable[[], Collection[str]]) -> Iterator[None]:
        """Where a person or a failure ends it, wait until what goes on has kept its state.

        Nobody is waited for where the cluster is lost.

        Parameters
        ----------
        present : callable
            Returns the addresses of the workers that are there.
        """
        try:
            yield
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                sys.stderr.write("\nstopping after this block; Ctrl-C once more stops at once\n")
                sys.stderr.flush()
            if not isinstance(error, Exception):
                self.wait_for_all(PATIENCE_S, present)
            raise

    def take(self, outcome: Outcome) -> None:
        """Take how a member ended; that it ended of itself is not changed any more."""
        with self._lock:
            known = self._ended.get(outcome.number)
            if known is None or (known != outcome and known.status not in OF_ITSELF):
                self._on_end(outcome)
                self._ended[outcome.number] = outcome

    def is_done(self, number: int) -> bool:
        """Say whether a member ended of itself."""
        with self._lock:
            return number in self._ended and self._ended[number].status in OF_ITSELF

    def wait_for_all(self, patience_s: float, present: Callable[[], Collection[str]]) -> None:
        """Wait until nothing goes on that has told of its beginning, on workers that are there."""
        now = time.monotonic()
        deadline, look = now + patience_s, now
        there: Collection[str] | None = None
        while now < deadline and (not self._queue.empty() or self._goes_on(there)):
            if now >= look:
                try:
                    there, look = present(), time.monotonic() + LOOK_S
                except Exception:  # noqa: BLE001  (the cluster is lost: nobody will tell)
                    return
            time.sleep(0.05)
            now = time.monotonic()

    def _goes_on(self, there: Collection[str] | None) -> bool:
        return any(there is None or worker in there for worker in [*self._going_on])

    def _deal(self) -> None:
        while (message := self._queue.get()) is not None:
            try:
                self._deal_with(*message)
            except BaseException as error:  # noqa: BLE001  (told at the end)
                self._error = self._error or error

    def _deal_with(self, kind: str, *content: Any) -> None:
        if kind == ENDED:
            self.take(pickle.loads(*content))  # noqa: S301  (of a worker, which runs our code)
            return
        worker, word = content
        if kind == BEGUN:
            self._going_on[worker] = word
        elif self._going_on.get(worker) == word:
            del self._going_on[worker]
