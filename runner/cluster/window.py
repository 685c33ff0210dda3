"""A bounded window of tasks on a cluster, of which each is done once, whatever happens."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from statistics import median
from time import monotonic
from types import TracebackType
from typing import Any, Self

from runner.cluster.at_worker import perform, shared
from runner.cluster.files import Files, UnseenError
from runner.cluster.health import EVERY_S, Health, silent, translated
from runner.cluster.heard import listening
from runner.cluster.item import Item, Step
from runner.cluster.layouts import dumps
from runner.cluster.outcomes import Outcome
from runner.cluster.reaching import Reaching
from runner.cluster.versions import versions_here

LEAST_S, TIMES = 5.0, 10


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
    files : Files, optional
        What a worker must see.
    """

    def __init__(
        self, client: Any, given: Any, patience_s: float, files: Files | None = None
    ) -> None:
        self.health = Health(client, patience_s)
        self.reaching = Reaching(client, self.health)
        self._loop = client.loop.asyncio_loop
        self._patience_s = patience_s
        self._files = files or Files()
        self._shared = (dumps(given), versions_here(), self._files.paths)
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

    def submit(self, work: Callable[..., Any], task: Any) -> Item:
        """Submit ``work(given, task)``."""
        content = dumps((work, task))
        item = Item(self._n_submitted, content, self._givens[-1], [])
        item.copies.append(self._copy(item, self._sighted() if self._files.blind else ()))
        self._n_submitted += 1
        self._items[item.number] = item
        return item

    def again(self, item: Item) -> Item:
        """Submit a task once more that failed, and was released."""
        item.given = self._givens[-1]
        item.copies = [self._copy(item)]
        item.renew()
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
        item.renew()
        self.start(item, step)

    def wait(self, item: Item, *, counts: bool = True) -> Outcome:
        """Wait for the outcome; after a long time ask another worker as well.

        Parameters
        ----------
        item : Item
            One that was started.
        counts : bool
            Whether it tells how long a task takes, and may come from another worker sooner.

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
                    self._call(self._ask_others(item, is_held=not counts))
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
            except Exception as error:  # noqa: BLE001  (told at its turn)
                if not answer.done():
                    answer.set_exception(translated(self.health.scheduler, error))
            else:
                if not self._went_elsewhere(item, copy, outcome):
                    item.end(answer, copy, outcome)

        item.attempts.append(self._run(attempt()))

    def _went_elsewhere(self, item: Item, copy: Any, outcome: Outcome) -> bool:
        """Give a task whose worker does not see the data to others, if there are any."""
        if not isinstance(outcome.error, UnseenError):
            return False
        item.told += self._files.avoid(outcome.worker, outcome.error)
        others = self._sighted()
        if not others or item.answer.done() or item.number not in self._items:
            return False
        item.given = self._givens[-1]
        again = self._copy(item, others)
        item.copies = [again if each is copy else each for each in item.copies]
        copy.release()
        self._attempt(item, again)
        return True

    def _sighted(self) -> list[str]:
        """Return the workers of which it is not known that they do not see the data."""
        return [worker for worker in self.health.threads if worker not in self._files.blind]

    def _copy(self, item: Item, workers: Sequence[str] = ()) -> Any:
        """Submit a task, to some workers if one of them is there."""
        options = {"workers": workers, "allow_other_workers": True} if workers else {}
        return self.reaching.submit(perform, item.given, item.content, **options)

    async def _ask_others(self, item: Item, *, is_held: bool = False) -> None:
        """Submit to others what a slow worker has, or what waits for those that do not answer.

        What is asked of a result that is there may take its time: only where its worker does not
        answer it is computed anew.
        """
        frozen = await self.reaching.frozen()
        if not frozen or not frozen.issuperset(self._sighted()):
            self._answered = monotonic()
        elif monotonic() - self._answered > self._patience_s:
            raise silent(self.health.scheduler, self._patience_s)
        places = await self.reaching.whereabouts()
        holders = await self.reaching.holders(*item.copies)
        if is_held and holders - frozen:
            return
        keys = {copy.key for copy in item.copies}
        here = holders | {worker for worker in places if keys & places[worker]}
        others = [worker for worker in self._sighted() if worker not in frozen | here]
        if not others:
            return
        avoided = frozen or here
        late = [item, *await self._stuck(item, places, avoided)]
        if await self.reaching.is_only_at(avoided, self._givens[-1], places):
            self._share_anew(others)
        for each in late:
            each.given = self._givens[-1]
            each.copies.append(self._copy(each, others))
            self._attempt(each, each.copies[-1])

    def _share_anew(self, workers: Sequence[str]) -> None:
        """Send what all tasks share to others, and forget what no task needs."""
        options = {"workers": workers, "allow_other_workers": True}
        used = {item.given.key for item in [*self._items.values()]}
        for given in self._givens:
            if given.key not in used:
                given.release()
        kept = [given for given in self._givens if given.key in used]
        self._givens = [*kept, self.reaching.submit(shared, *self._shared, **options)]

    async def _stuck(
        self, item: Item, places: dict[str, set[Any]], avoided: set[str]
    ) -> list[Item]:
        """Return the other items that these workers have, or whose shared part only they have."""
        given = [
            given.key
            for given in self._givens
            if await self.reaching.is_only_at(avoided, given, places)
        ]
        stuck = []
        for each in [*self._items.values()]:
            waits = not each.answer.done() and each.given.key in given
            if each is not item and (
                waits or await self.reaching.is_only_at(avoided, each.copies[-1], places)
            ):
                stuck.append(each)
        return stuck

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
            except OSError as error:
                raise translated(self.health.scheduler, error) from error
