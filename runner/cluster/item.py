"""A task that was submitted, and what is to be made of its result."""

from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from runner.cluster.outcomes import Outcome
from runner.cluster.told import Told

Step: TypeAlias = Callable[[Any], Coroutine[Any, Any, Outcome]]


@dataclass(eq=False)
class Item:
    """A task that was submitted, once or, where a worker is slow, several times.

    ``result`` is the future of the copy that came first; ``answer`` what was made of it; ``told``
    what is to be told with it.
    """

    number: int
    content: bytes
    given: Any
    copies: list[Any]
    answer: "Future[tuple[Any, Outcome]]" = field(default_factory=Future)
    step: Step | None = None
    attempts: "list[Future[None]]" = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    @property
    def result(self) -> Any:
        """The future on the cluster that counts."""
        return self.copies[0]

    def renew(self) -> None:
        """Be ready for another step."""
        self.step, self.answer, self.attempts = None, Future(), []

    def end(self, answer: "Future[Any]", copy: Any, outcome: Outcome) -> None:
        """Answer with what was made of a copy, if it is the first."""
        if not answer.done():
            told, self.told = self.told, []
            outcome.told = [*told, *outcome.told]
            answer.set_result((copy, outcome))
