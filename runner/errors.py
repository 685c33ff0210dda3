"""Every error and warning this package raises on purpose.

RunnerError
├── ConfigError     the file or the command line asks for something impossible
│   └── InvalidConfigError  the same, with every problem and its place
├── DatasetError    the data cannot be read, or X and y do not fit together
├── FitError        an estimator cannot learn from, or be scored on, a block
├── TrackingError   a run cannot be recorded or read back
├── ClusterError    the cluster cannot be reached, does not answer, or is not like this process
└── CheckpointError a saved state cannot be kept, or must not be gone on from

RunnerWarning       the run goes on, and not quite as it was asked
Terminated          SIGTERM or SIGHUP arrived; no Exception, so that no handler swallows it
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from runner.spelling import meant


class RunnerError(Exception):
    """A mistake a person can mend, told in one sentence and one remedy.

    Examples
    --------
    >>> print(ConfigError("fit.epochs", "be at least 1", got=0, remedy="Set fit.epochs=1."))
    fit.epochs must be at least 1; got 0. Set fit.epochs=1.
    """

    def __init__(self, subject: str, rule: str, *, got: object, remedy: str) -> None:
        super().__init__(f"{subject} must {rule}; got {got}. {remedy}")
        self.parts = (subject, rule, got, remedy)

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild from the parts, so that an error survives the way back from a worker."""
        return _rebuild, (type(self), *self.parts)

    def at(self, place: object) -> Self:
        """Return the same error, told where it happened.

        Examples
        --------
        >>> error = DatasetError("The file a.csv", "be text", got="bytes", remedy="Mend it.")
        >>> print(error.at("block 3"))
        In block 3, the file a.csv must be text; got bytes. Mend it.
        """
        subject, rule, got, remedy = self.parts
        subject = f"the {subject[4:]}" if subject.startswith("The ") else subject
        return type(self)(f"In {place}, {subject}", rule, got=got, remedy=remedy)


class ConfigError(RunnerError):
    """The file or the command line asks for something impossible."""

    @property
    def problems(self) -> "tuple[Problem, ...]":
        """What is wrong: one thing, unless it says otherwise."""
        return (Problem.of(self),)


@dataclass(frozen=True)
class Problem:
    """One mistake in a config, and where it stands.

    Parameters
    ----------
    key : str
        The dotted key, or what else is wrong.
    said : str
        What is wrong with it.
    remedy : str
        What to do, "" if nothing is known.
    place : str
        ``file:line:column``, or what was typed, "" if it is not known.

    Examples
    --------
    >>> print(Problem("seed", "must be an integer; got 'a'", "write a number", "a.yaml:2:1"))
    a.yaml:2:1: seed: must be an integer; got 'a'
        write a number
    """

    key: str
    said: str
    remedy: str = ""
    place: str = ""

    @classmethod
    def of(cls, error: RunnerError) -> Self:
        """Return what an error says.

        Examples
        --------
        >>> print(Problem.of(ConfigError("seed", "be an integer", got="'a'", remedy="Mend it.")))
        seed: must be an integer; got 'a'
            Mend it.
        """
        subject, rule, got, remedy = error.parts
        return cls(subject, f"must {rule}; got {got}", remedy)

    def __str__(self) -> str:
        """Return one line, and the remedy under it."""
        told = ": ".join(part for part in (self.place, self.key, self.said) if part)
        return f"{told}\n    {self.remedy}" if self.remedy else told


class InvalidConfigError(ConfigError):
    """Every problem of a config.

    Examples
    --------
    >>> print(InvalidConfigError([Problem("a", "is wrong"), Problem("b", "is too", "mend it")]))
    a: is wrong
    b: is too
        mend it
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        Exception.__init__(self, "\n".join(map(str, problems)))
        self._problems = tuple(problems)
        first = self._problems[0]
        self.parts = (first.key, "be right", first.said, first.remedy)

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild from the problems."""
        return InvalidConfigError, (self._problems,)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All of them."""
        return self._problems


class DatasetError(RunnerError):
    """The data cannot be read, or X and y do not fit together."""


class FitError(RunnerError):
    """An estimator cannot learn from, or be scored on, a block."""


class TrackingError(RunnerError):
    """A run cannot be recorded or read back."""


class ClusterError(RunnerError):
    """The cluster cannot be reached, does not answer, or is not like this process."""


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
    told = meant(name, allowed)
    return f"{told[0].upper()}{told[1:]}{'' if told.endswith('?') else '.'}"


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
