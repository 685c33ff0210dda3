"""What the parameters of a class are for, as its numpydoc tells it, in a sentence or two."""

import inspect
import re
from collections.abc import Iterator
from itertools import pairwise

MOST_CHARACTERS = 300

_NAMED = re.compile(r"^(?P<names>\*{0,2}\w+(?:, ?\*{0,2}\w+)*)(?: ?:.*)?$")
_MARKUP = (
    (re.compile(r"``([^`]*)``"), r"\1"),
    (re.compile(r":[\w:+-]+:`~?([^`]*?)(?:\s+<[^\s`>=][^`>]*>)?`"), r"\1"),
    (re.compile(r"`([^`]*?)(?:\s+<[^\s`>=][^`>]*>)?`_{0,2}"), r"\1"),
    (re.compile(r"\*{1,2}([^\s*](?:[^*]*[^\s*])?)\*{1,2}"), r"\1"),
    (re.compile(r"\s*\[\w+\]_"), ""),
    (re.compile(r"\s+"), " "),
)
_SENTENCE = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)\s+(?=[A-Z`'\"])")


def descriptions_of(kind: type) -> dict[str, str]:
    """Return what the docstrings of a class and its bases say of each parameter, without markup.

    Examples
    --------
    >>> class Pause:
    ...     '''Wait.
    ...
    ...     Parameters
    ...     ----------
    ...     every_s, after_s : float
    ...         How ``long``, see :class:`~time.Clock`. In seconds.
    ...
    ...         - not more
    ...
    ...     Notes
    ...     -----
    ...     It is slow.
    ...     '''
    >>> descriptions_of(Pause)["after_s"]
    'How long, see time.Clock. In seconds.'
    """
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__[:-1]):
        for names, told in _sections(inspect.cleandoc(str(each.__doc__ or ""))):
            said = _shortened(_plain(told))
            found |= dict.fromkeys(names, said) if said else {}
    return found


def _sections(doc: str) -> Iterator[tuple[list[str], str]]:
    """Yield the names that stand together, and the first paragraph under them."""
    names: list[str] = []
    told: list[str] = []
    for line in _parameters(doc):
        if line and not line[0].isspace():
            if names:
                yield names, _paragraph(told)
            match = _NAMED.match(line)
            names = [name.strip(" *") for name in match["names"].split(",")] if match else []
            told = []
        else:
            told.append(line.strip())
    if names:
        yield names, _paragraph(told)


def _parameters(doc: str) -> list[str]:
    lines = doc.splitlines()
    underlined = [
        i
        for i, line in enumerate(lines[1:])
        if line.startswith("---") and not line.strip("- ") and lines[i].strip()
    ]
    for index, following in pairwise([*underlined, len(lines)]):
        if lines[index].strip() == "Parameters":
            return lines[index + 2 : following]
    return []


def _paragraph(told: list[str]) -> str:
    kept: list[str] = []
    for line in told:
        if (not line and kept) or line.startswith((".. ", "- ", "* ")):
            break
        kept.append(line)
    return " ".join(kept)


def _plain(told: str) -> str:
    for pattern, by in _MARKUP:
        told = pattern.sub(by, told)
    return re.sub(":$", ".", told.strip())


def _shortened(told: str) -> str:
    if len(told) <= MOST_CHARACTERS:
        return told
    short = ""
    for sentence in _SENTENCE.split(told):
        if len(short) + len(sentence) > MOST_CHARACTERS:
            break
        short = f"{short} {sentence}".strip()
    return short or f"{told[: MOST_CHARACTERS - 4].rsplit(' ', 1)[0]} ..."
