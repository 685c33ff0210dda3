"""What a check found, told in one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

MOST_NAMED = 10


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether it is as it should be, and what a person should know of it."""

    name: str
    ok: bool
    told: str


def named(names: Sequence[str]) -> str:
    """Name some things, and count the others.

    Examples
    --------
    >>> named(["a", "b"]), named([str(number) for number in range(12)])
    ('a, b', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more')
    """
    more = len(names) - MOST_NAMED
    shown = ", ".join(islice(names, MOST_NAMED))
    return f"{shown} and {more} more" if more > 0 else shown
