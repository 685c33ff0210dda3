"""The workers of a Dask cluster, and the three ways in which they are asked."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from queue import SimpleQueue
from typing import Any

from runner.cluster.at_worker import ask, call, look
from runner.cluster.files import Files, sample
from runner.cluster.finished import ended_of, first_of, result_or_error
from runner.cluster.item import Item
from runner.cluster.layouts import dumps
from runner.cluster.outcomes import value_of
from runner.cluster.questions import check_files, check_loads, check_versions
from runner.cluster.window import Window


class Held:
    """A result that stays in the memory of its worker.

    Attributes
    ----------
    about : object
        What was asked of it at once.
    """

    def __init__(self, window: Window, item: Item, about: Any, seen: dict[Any, Any]) -> None:
        self.about = about
        self._window = window
        self._item = item
        self._seen = seen

    def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return ``function(result, *arguments)``, computed where the result is.

        Parameters
        ----------
        function : callable
            One that can be imported, and that changes neither the result nor the arguments: if
            the worker is lost, the result is computed anew, and the function applied anew.

        Raises
        ------
        ClusterError
            If the cluster is lost.
        """
        content = dumps((function, arguments))
        step = partial(self._window.reaching.asked, function=ask, content=content)
        self._window.anew(self._item, step)
        return value_of(self._window.wait(self._item, counts=False), self._seen)


class Workers:
    """What computes blocks and members in other processes.

    Parameters
    ----------
    client : distributed.Client
        It is not closed.
    placement : str
        Whether blocks come to the model, "client", or the model goes to the blocks, "data".
    blocks_per_worker : int
        How many tasks there are for each thread of a worker: computed, or waiting there.
    patience_s : float
        How long there may be no worker at all, in seconds.
    """

    def __init__(
        self,
        client: Any,
        *,
        placement: str = "client",
        blocks_per_worker: int = 2,
        patience_s: float = 30.0,
    ) -> None:
        self.placement = placement
        self.blocks_per_worker = blocks_per_worker
        self.patience_s = patience_s
        self._client = client
        self._files = Files()
        self._seen: dict[Any, Any] = {}

    def ahead(
        self, work: Callable[[Any, Any], Any], given: Any, tasks: Iterable[Any], n_ahead: int
    ) -> Generator[Any]:
        """Yield ``work(given, task)`` of each task, in the order of the tasks.

        Close the generator to give up what was submitted and not asked for.

        Parameters
        ----------
        work : callable
            One that can be imported. It may be called several times with the same task.
        given : object
            What all tasks share; it goes to each worker once.
        tasks : iterable
            No more is taken from it than is submitted.
        n_ahead : int
            How many results are fetched while the caller is busy with one: at most ``n_ahead + 1``
            are in this process. 0 fetches each when it is asked for.

        Raises
        ------
        ClusterError
            While it is iterated: if the cluster is lost.
        Exception
            What ``work`` raised, at the turn of its task.
        """
        with Window(self._client, given, self.patience_s, self._files) as window:
            line, waiting = deque[Item](), iter(tasks)
            while self._fill(window, line, partial(window.submit, work), waiting, n_ahead):
                ready = [self._taken(window, line)]
                self._fill(window, line, partial(window.submit, work), waiting, n_ahead)
                for item in islice(line, n_ahead):
                    window.start(item, window.taken)
                item = None  # type: ignore[assignment]  # it has its result
                yield ready.pop()

    def held(
        self,
        work: Callable[[Any, Any], Any],
        given: Any,
        tasks: Iterable[Any],
        about: Callable[[Any], Any],
        n_ahead: int = 2,
    ) -> Generator[Held]:
        """Yield what stands for ``work(given, task)`` of each task, which stays on its worker.

        It is released there when the next one is asked for.

        Parameters
        ----------
        work, given, tasks
            As ``ahead`` takes them.
        about : callable
            One that can be imported: ``about(result)`` is computed on the worker, and fetched.
        n_ahead : int
            Of how many further results this is fetched meanwhile.

        Raises
        ------
        ClusterError, Exception
            As ``ahead`` does.
        """
        with Window(self._client, given, self.patience_s, self._files) as window:
            line, waiting = deque[Item](), iter(tasks)
            content = dumps((about, ()))
            step = partial(window.reaching.asked, function=look, content=content)
            while self._fill(window, line, partial(window.submit, work), waiting, n_ahead):
                for item in islice(line, n_ahead + 1):
                    window.start(item, step)
                item = line[0]
                yield Held(window, item, value_of(window.wait(item), self._seen), self._seen)
                window.release(line.popleft())

    @property
    def n_workers(self) -> int:
        """How many workers there are now."""
        return len(self._client.nthreads())

    @property
    def addresses(self) -> frozenset[str]:
        """The addresses of the workers that there are now."""
        return frozenset(self._client.nthreads())

    def each(
        self, function: Callable[[Any], Any], tasks: Iterable[Any], n_each: int | None = None
    ) -> Generator[tuple[int, Any]]:
        """Yield the number of each task and ``function(task)``, or its error, as they finish.

        A task is done again only if its worker dies before its result is here.

        Parameters
        ----------
        function : callable
            One that can be imported, or pickled by cloudpickle.
        tasks : iterable
            No more is taken from it than is submitted.
        n_each : int, optional
            How many tasks there are for each thread of a worker; ``blocks_per_worker`` if not
            given. Workers that join later get theirs.

        Raises
        ------
        ClusterError
            While it is iterated: if the cluster is lost. A task that kills its workers has it
            instead of a result, and the others go on.
        """
        with Window(self._client, function, self.patience_s, self._files) as window:
            ended = SimpleQueue[Item]()

            def begin(item: Item) -> Item:
                window.start(item, window.taken)
                item.answer.add_done_callback(lambda _: ended.put(item))
                return item

            blamed = []
            fill = partial(
                self._fill, window, submit=lambda t: begin(window.submit(call, t)), n_each=n_each
            )
            for item in ended_of(fill, window, iter(tasks), ended):
                if item.answer.exception() is None:
                    yield item.number, result_or_error(item, self._seen)
                else:
                    blamed.append(item)
            for item in blamed:
                # It may only have waited for a worker that another one killed: alone, it is known.
                begin(window.again(item))
                while first_of(ended, window) is None:
                    pass
                window.release(item)
                yield item.number, result_or_error(item, self._seen)

    def check_loads(self, value: Any) -> None:
        """Refuse workers that cannot make of bytes what can be pickled here, such as classes.

        Raises
        ------
        ClusterError
            That names the worker, its host, and what it lacks.
        """
        try:
            content = dumps(value)
        except Exception:  # noqa: BLE001  (what cannot be pickled stays here)
            return
        check_loads(self._client, content, self.patience_s)

    @contextmanager
    def listening(self, topic: str, handler: Callable[[Any], None]) -> Iterator[None]:
        """Call ``handler(message)`` with each message that workers ``tell`` about a topic.

        It is called in the thread that talks to the cluster, which it must not keep waiting: let
        it put the message into a queue. A message may come after the result of its task; its
        lists come as tuples.
        """
        self._client.subscribe_topic(topic, lambda event: handler(event[1]))
        try:
            yield
        finally:
            self._client.unsubscribe_topic(topic)

    def check_versions(self) -> None:
        """Refuse workers whose packages are not those of this process.

        Raises
        ------
        ClusterError
            That names the first worker that differs, the package, and both versions.
        """
        check_versions(self._client, self.patience_s)

    def check_files(self, paths: Iterable[str]) -> None:
        """Refuse workers that do not see the files that this process reads.

        Those that join later are given no work where another worker sees them.

        Raises
        ------
        ClusterError
            That names the worker, its host, and the first file or folder that it lacks.
        """
        some = sample(paths)
        self._files.add(some)
        check_files(self._client, some, self.patience_s)

    def _fill(
        self,
        window: Window,
        line: deque[Item],
        submit: Callable[[Any], Item],
        waiting: Iterator[Any],
        n_ahead: int = 0,
        *,
        n_each: int | None = None,
    ) -> bool:
        """Submit as many tasks as there may be, and say whether there is any."""
        n_each = n_each or self.blocks_per_worker
        most = max(n_ahead, 1, n_each * window.health.n_threads)
        n_here = sum(item.answer.done() for item in islice(line, n_ahead + 1))
        for task in islice(waiting, max(most + n_here - len(line), 0)):
            line.append(submit(task))
        return bool(line)

    def _taken(self, window: Window, line: deque[Item]) -> Any:
        item = line.popleft()
        window.start(item, window.taken)
        outcome = window.wait(item)
        window.release(item)
        return value_of(outcome, self._seen)
