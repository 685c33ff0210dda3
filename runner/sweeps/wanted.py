"""Whether a worker is still asked for what it does; if not, that keeps its state and stops."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

from runner.cluster.at_worker import address, tell
from runner.fit.interruption import GIVEN_UP
from runner.fit.loop import Fits
from runner.sweeps.news import BEGUN, OVER
from runner.trial import TrialAudience

RUNNING = ("executing", "long-running")  # as Dask calls tasks that somebody waits for


def wanted() -> Callable[[], bool]:
    """Return what says whether the task that runs in this thread is still asked for.

    It is not when the client has left or has given it up, or the worker is about to end.
    """
    from distributed import Status, get_worker

    try:
        worker = get_worker()
    except ValueError:
        return lambda: True
    key, gone = worker.get_current_task(), (Status.closing, Status.closed, Status.failed)

    def is_wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state in RUNNING and worker.status not in gone

    return is_wanted


@contextmanager
def followed(topic: str) -> Iterator[Callable[[], bool]]:
    """Tell the client that its task begins and when it is over; yield what ``wanted`` returns.

    Parameters
    ----------
    topic : str
        Where the client listens.

    Raises
    ------
    KeyboardInterrupt
        If the task was given up while it waited for its turn.
    """
    is_wanted, told = wanted(), [address(), uuid4().hex]
    check_wanted(is_wanted)
    tell(topic, [BEGUN, *told])
    try:
        yield is_wanted
    finally:
        tell(topic, [OVER, *told])


def check_wanted(is_wanted: Callable[[], bool]) -> None:
    """Let nothing begin that nobody waits for.

    Raises
    ------
    KeyboardInterrupt
        If that is so.
    """
    if not is_wanted():
        raise KeyboardInterrupt(GIVEN_UP)


class WhileWanted(TrialAudience):
    """Stops what learns, with its state kept, when nobody waits for it any more.

    Parameters
    ----------
    is_wanted : callable
        Says whether somebody does.
    """

    def __init__(self, is_wanted: Callable[[], bool]) -> None:
        self._is_wanted = is_wanted

    def between_blocks(self, fits: Fits) -> None:
        """Stop all that learn, as Ctrl-C does in this process."""
        if not self._is_wanted():
            for fit in fits:
                fit.interrupt(GIVEN_UP)
