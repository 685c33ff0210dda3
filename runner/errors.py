"""Every error and warning this package raises on purpose.

RunnerError
├── ConfigError     the file or the command line asks for something impossible
├── DatasetError    the data cannot be read, or X and y do not fit together
├── FitError        an estimator cannot learn from, or be scored on, a block
├── TrackingError   a run cannot be recorded or read back
└── CheckpointError a saved state cannot be kept, or must not be gone on from

RunnerWarning       the run goes on, and not quite as it was asked
Terminated          SIGTERM or SIGHUP arrived; no Exception, so that no handler swallows it
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Self

MOST_NAMES = 40


class RunnerError(Exception):
    """A mistake a person can mend, told in one sentence and one remedy.

    Examples
    --------
    >>> print(ConfigError("fit.epochs", "be at least 1", got=0, remedy="Set fit.epochs=1."))
    fit.epochs must be at least 1; got 0. Set fit.epochs=1.
    """

    def __init__(self, subject: str, rule: str, *, got: object, remedy: str) -> None:
        super().__init__(f"{subject} must {rule}; got {got}. {remedy}")
        self._parts = (subject, rule, got, remedy)

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild from the parts, so that an error survives the way back from a worker."""
        return _rebuild, (type(self), *self._parts)

    def at(self, place: object) -> Self:
        """Return the same error, told where it happened.

        Examples
        --------
        >>> error = DatasetError("The file a.csv", "be text", got="bytes", remedy="Mend it.")
        >>> print(error.at("block 3"))
        In block 3, the file a.csv must be text; got bytes. Mend it.
        """
        subject, rule, got, remedy = self._parts
        subject = f"the {subject[4:]}" if subject.startswith("The ") else subject
        return type(self)(f"In {place}, {subject}", rule, got=got, remedy=remedy)


class ConfigError(RunnerError):
    """The file or the command line asks for something impossible."""


class DatasetError(RunnerError):
    """The data cannot be read, or X and y do not fit together."""


class FitError(RunnerError):
    """An estimator cannot learn from, or be scored on, a block."""


class TrackingError(RunnerError):
    """A run cannot be recorded or read back."""


class CheckpointError(RunnerError):
    """A saved state cannot be kept, or must not be gone on from."""


class RunnerWarning(UserWarning):
    """The run goes on, and not quite as it was asked."""


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived."""


def _rebuild(
    kind: type[RunnerError], subject: str, rule: str, got: object, remedy: str
) -> RunnerError:
    return kind(subject, rule, got=got, remedy=remedy)


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Say which of the allowed names was probably meant, or list them.

    Examples
    --------
    >>> nearest("alhpa", ["alpha", "penalty"])
    "Did you mean 'alpha'?"
    >>> nearest("zzz", ["alpha", "penalty"])
    'Choose one of: alpha, penalty.'
    """
    names = list(allowed)
    close = get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(repr(match) for match in close)}?"
    if not names:
        return "There is none to choose."
    if len(names) > MOST_NAMES:
        return f"Check the spelling; there are {len(names)} names to choose from."
    return f"Choose one of: {', '.join(sorted(names))}."


def cause(error: BaseException) -> str:
    r"""Put what another library said in one line without a final dot, to stand after "got".

    Examples
    --------
    >>> cause(ValueError("no rows\nin the file."))
    'ValueError: no rows in the file'
    >>> cause(KeyError())
    'KeyError'
    """
    said = " ".join(str(error).split()).rstrip(".")
    name = type(error).__name__
    return f"{name}: {said[:500]}" if said else name
