"""A bounded window of tasks on a cluster, of which each is done once, whatever happens."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from time import monotonic
from types import TracebackType
from typing import Any, Self, TypeAlias

from runner.cluster.at_worker import perform, shared
from runner.cluster.health import EVERY_S, Health, lost, silent
from runner.cluster.heard import listening
from runner.cluster.layouts import dumps
from runner.cluster.outcomes import Outcome
from runner.cluster.reaching import Reaching
from runner.cluster.versions import versions_here
from runner.errors import cause

LEAST_S, TIMES = 5.0, 10
Step: TypeAlias = Callable[[Any], Coroutine[Any, Any, Outcome]]


@dataclass(eq=False)
class Item:
    """A task that was submitted, once or, where a worker is slow, several times.

    ``result`` is the future of the copy that came first; ``answer`` what was made of it.
    """

    number: int
    content: bytes
    given: Any
    copies: list[Any]
    answer: "Future[tuple[Any, Outcome]]" = field(default_factory=Future)
    step: Step | None = None
    attempts: "list[Future[None]]" = field(default_factory=list)

    @property
    def result(self) -> Any:
        """The future on the cluster that counts."""
        return self.copies[0]


class Window:
    """Submits tasks, waits for them, and takes everything back when it is left.

    Parameters
    ----------
    client : distributed.Client
    given : object
        What all tasks share.
    patience_s : float
        As ``Health`` has it, and how long to wait for the very first task before another worker
        is asked.
    """

    def __init__(self, client: Any, given: Any, patience_s: float) -> None:
        self.health = Health(client, patience_s)
        self.reaching = Reaching(client, self.health)
        self._loop = client.loop.asyncio_loop
        self._patience_s = patience_s
        self._shared = (dumps(given), versions_here())
        self._givens: list[Any] = []
        self._items: dict[int, Item] = {}
        self._late: dict[Any, Future[None]] = {}
        self._seconds: deque[float] = deque(maxlen=101)
        self._n_submitted = 0
        self._answered = monotonic()
        self._quiet = ExitStack()

    def __enter__(self) -> Self:
        """Look at the cluster, and send what all tasks share."""
        # What Dask logs of workers that come and go is mended here, or told as an error.
        self._quiet.enter_context(listening())
        try:
            self.health.begin()
        except BaseException:
            self._quiet.close()
            raise
        self._givens.append(self.reaching.submit(shared, *self._shared))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give up what was not asked for, and leave nothing on the cluster."""
        self.health.end()
        for item in [*self._items.values()]:
            self.release(item)
        for copy, waiting in [*self._late.items()]:
            waiting.cancel()
            copy.release()
        for given in self._givens:
            given.release()
        self._quiet.close()

    @property
    def n_items(self) -> int:
        """How many tasks are submitted and not released."""
        return len(self._items)

    def submit(self, work: Callable[..., Any], task: Any) -> Item:
        """Submit ``work(given, task)``."""
        content = dumps((work, task))
        copy = self.reaching.submit(perform, self._givens[-1], content)
        item = Item(self._n_submitted, content, self._givens[-1], [copy])
        self._n_submitted += 1
        self._items[item.number] = item
        return item

    def again(self, item: Item) -> Item:
        """Submit a task once more that failed, and was released."""
        item.given = self._givens[-1]
        item.copies = [self.reaching.submit(perform, item.given, item.content)]
        item.step, item.answer, item.attempts = None, Future(), []
        self._items[item.number] = item
        return item

    def start(self, item: Item, step: Step) -> None:
        """Begin to do something with the result of a task as soon as there is one."""
        if item.step is None:
            item.step = step
            for copy in item.copies:
                self._attempt(item, copy)

    async def taken(self, copy: Any) -> Outcome:
        """Fetch a result, and leave none on the cluster: it would be computed anew if lost."""
        outcome = await self.reaching.fetched(copy)
        copy.release()
        return outcome

    def anew(self, item: Item, step: Step) -> None:
        """Begin something else with a result that there is."""
        item.step, item.answer, item.attempts = None, Future(), []
        self.start(item, step)

    def wait(self, item: Item, *, counts: bool = True) -> Outcome:
        """Wait for the outcome; after a long time ask another worker as well.

        Parameters
        ----------
        item : Item
            One that was started.
        counts : bool
            Whether it tells how long a task takes.

        Raises
        ------
        ClusterError
            If it will not come.
        """
        began, patience_s = monotonic(), self.overtime_s
        while True:
            try:
                copy, outcome = item.answer.result(EVERY_S / 2)
            except TimeoutError:
                self.health.check()
                if monotonic() - began > patience_s:
                    self._call(self._ask_others(item))
                    began, patience_s = monotonic(), min(2 * patience_s, 2 * self.overtime_s)
                continue
            self._answered = monotonic()
            if counts:
                self._seconds.append(outcome.seconds)
            self._settle(item, copy)
            return outcome

    def _settle(self, item: Item, copy: Any) -> None:
        """Keep the copy that came first; the others are nobody's business from here on."""
        for attempt in item.attempts:
            attempt.cancel()
        for other in item.copies:
            if other is not copy:
                # While it is not released, its frozen worker counts as busy and is given no more.
                self._late[other] = self._run(self._released_late(other))
        item.copies = [copy]

    def release(self, item: Item) -> None:
        """Leave nothing of a task on the cluster."""
        self._items.pop(item.number, None)
        for attempt in item.attempts:
            attempt.cancel()
        for copy in item.copies:
            copy.release()

    @property
    def overtime_s(self) -> float:
        """After how many seconds of waiting another worker is asked."""
        if not self._seconds:
            return max(LEAST_S, self._patience_s)
        return max(LEAST_S, TIMES * median(self._seconds))

    def _attempt(self, item: Item, copy: Any) -> None:
        step, answer = item.step, item.answer
        if step is None:
            return

        async def attempt() -> None:
            try:
                outcome = await step(copy)
            except (TimeoutError, OSError) as error:
                _end(answer, error=lost(self.health.scheduler, cause(error)))
            except Exception as error:  # noqa: BLE001  (told at its turn)
                _end(answer, error=error)
            else:
                _end(answer, (copy, outcome))

        item.attempts.append(self._run(attempt()))

    async def _ask_others(self, item: Item) -> None:
        """Submit to others what a slow worker has, or what waits for those that do not answer."""
        frozen = await self.reaching.frozen()
        if frozen != set(self.health.threads):
            self._answered = monotonic()
        elif monotonic() - self._answered > self._patience_s:
            raise silent(self.health.scheduler, self._patience_s)
        places = await self.reaching.whereabouts()
        avoided = frozen or await self._places(item.result, places)
        others = [worker for worker in self.health.threads if worker not in avoided]
        if not others:
            return
        late = [item, *await self._stuck(item, places, avoided)]
        options = {"workers": others, "allow_other_workers": True}
        self._givens.append(self.reaching.submit(shared, *self._shared, **options))
        for each in late:
            copy = self.reaching.submit(perform, self._givens[-1], each.content, **options)
            each.given = self._givens[-1]
            each.copies.append(copy)
            self._attempt(each, copy)

    async def _stuck(
        self, item: Item, places: dict[str, set[Any]], avoided: set[str]
    ) -> list[Item]:
        """Return the other items that these workers have, or whose shared part only they have."""
        keys = set().union(*(places.get(worker, ()) for worker in avoided))
        keys |= {given.key for given in self._givens if await self._is_only_at(avoided, given)}
        stuck = []
        for each in [*self._items.values()]:
            waits = not each.answer.done() and not keys.isdisjoint(
                (each.copies[-1].key, each.given.key)
            )
            if each is not item and (waits or await self._is_only_at(avoided, each.copies[-1])):
                stuck.append(each)
        return stuck

    async def _is_only_at(self, workers: set[str], future: Any) -> bool:
        holders = await self.reaching.holders(future)
        return bool(holders) and workers.issuperset(holders)

    async def _places(self, copy: Any, places: dict[str, set[Any]]) -> set[str]:
        computing = {worker for worker, keys in places.items() if copy.key in keys}
        return computing | set(await self.reaching.holders(copy))

    async def _released_late(self, copy: Any) -> None:
        try:
            await self.reaching.settled(copy)
        finally:
            copy.release()
            self._late.pop(copy, None)

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> "Future[Any]":
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def _call(self, coroutine: Coroutine[Any, Any, None]) -> None:
        called = self._run(coroutine)
        while not called.done():
            self.health.check()
            try:
                called.result(EVERY_S)
            except TimeoutError:
                continue


def _end(answer: "Future[Any]", result: Any = None, *, error: Exception | None = None) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(result)
