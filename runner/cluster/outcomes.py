"""What comes of one task: a value or an error, and the warnings on the way."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, SupportsIndex

from tblib import Traceback

from runner.cluster.layouts import dumps_apart, loads_apart, n_bytes
from runner.cluster.told import Told, issue
from runner.errors import ClusterError, cause

PROTOCOL_OF_BUFFERS = 5
MOST_CAUSES = 10


@dataclass(eq=False)
class Outcome:
    """What came of a task on a worker, which took ``seconds`` there.

    It may stay there. Where it travels, its arrays arrive as they were, and its error with what
    caused it and the lines of code that it came through.
    """

    value: Any = None
    error: BaseException | None = None
    told: list[Told] = field(default_factory=list)
    worker: str = ""
    seconds: float = 0.0

    def __sizeof__(self) -> int:
        """Return the bytes there are to send, by which Dask decides where its tasks run."""
        try:
            return n_bytes(self.value)
        except Exception:  # noqa: BLE001  (whatever a class does when it is pickled)
            return 1000

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        """Send it so that it arrives in any case."""
        rest = (self.told, self.worker, self.seconds)
        try:
            head, buffers = dumps_apart((self.value, _chain(self.error), *rest))
        except Exception as failed:  # noqa: BLE001
            lost = _unsent(self.error or failed)
            head, buffers = dumps_apart((None, [(lost, (), None)], *rest))
        is_apart = operator.index(protocol) >= PROTOCOL_OF_BUFFERS
        return _arrived, (self.worker, head, buffers if is_apart else [*map(bytes, buffers)])


def _arrived(worker: str, head: bytes, buffers: Sequence[Any]) -> Outcome:
    try:
        value, chain, *rest = loads_apart(head, buffers)
    except Exception as failed:  # noqa: BLE001
        return Outcome(error=_unsent(failed), worker=worker)
    return Outcome(value, _linked(chain), *rest)


def _chain(error: BaseException | None) -> list[tuple[Any, ...]]:
    chain: list[tuple[Any, ...]] = []
    while error is not None and len(chain) < MOST_CAUSES:
        notes = tuple(getattr(error, "__notes__", ()))
        chain.append((error, notes, _lines(error.__traceback__)))
        error = error.__cause__
    return chain


def _lines(traceback: TracebackType | None) -> Any:
    return traceback and Traceback(traceback).to_dict()


def _linked(chain: Sequence[tuple[Any, ...]]) -> BaseException | None:
    linked: BaseException | None = None
    for error, notes, lines in reversed(chain):
        error.__notes__ = list(notes)
        error.__cause__ = linked
        linked = error.with_traceback(lines and Traceback.from_dict(lines).as_traceback())
    return linked


def _unsent(error: BaseException) -> ClusterError:
    return ClusterError(
        "What a worker returns",
        "be something that can be sent from process to process",
        got=cause(error),
        remedy="Make its class one that can be pickled, of a module that is on both sides.",
    )


def value_of(outcome: Outcome, seen: dict[Any, Any]) -> Any:
    """Return the value of an outcome, after its warnings; or raise its error."""
    issue(outcome.told, seen)
    if outcome.error is not None:
        if outcome.worker:
            outcome.error.add_note(f"on worker {outcome.worker}")
        raise outcome.error
    return outcome.value
