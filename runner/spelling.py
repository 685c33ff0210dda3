"""Which of the allowed names a person meant by one that is not."""

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

MOST_NAMES, MOST_LISTED, MOST_LETTERS = 3, 40, 60
SHORT = 5  # letters up to which two slips make another word
LIKE, ABOUT_AS_LIKE, SLIPPED_ALIKE = 0.65, 0.05, 0.25


def meant(name: str, allowed: Iterable[str]) -> str:
    """Say which of the allowed names was probably meant, or list them, to stand under a problem.

    Examples
    --------
    >>> meant("fti", ["fit", "dataset"]), meant("zzz", ["fit", "dataset"])
    ("did you mean 'fit'?", 'choose one of: dataset, fit')
    """
    names = list(dict.fromkeys(allowed))
    near = similar(name, names)
    if near:
        return asked(near)
    if not names:
        return "there is none to choose"
    if len(names) > MOST_LISTED:
        return f"check the spelling; there are {len(names)} names to choose from"
    return f"choose one of: {', '.join(sorted(names))}"


def asked(names: Iterable[str]) -> str:
    """Ask whether one of some names was meant.

    Examples
    --------
    >>> asked(["l1", "l2"])
    "did you mean 'l1' or 'l2'?"
    """
    return f"did you mean {' or '.join(map(repr, names))}?"


def similar(name: str, allowed: Iterable[str]) -> list[str]:
    """Return the names that are nearest to one, at most three, none if none is near.

    Those of the same letters come first, then those that a slip or two of the fingers turns into
    it, then those that its words are a part of, then those that look like it.

    Examples
    --------
    >>> similar("learningRate", ["learning_rate"]), similar("yb", ["by", "X"])
    (['learning_rate'], ['by'])
    >>> similar("acuracy", ["accuracy", "top_k_accuracy"]), similar("log", ["log_loss", "hinge"])
    (['accuracy'], ['log_loss'])
    >>> similar("gini", ["accuracy", "roc_auc"])
    []
    """
    names = [each for each in allowed if len(each) <= MOST_LETTERS]
    for found in _found(name[: MOST_LETTERS + 1], names):
        if found:
            return found[:MOST_NAMES]
    return []


def _found(name: str, names: list[str]) -> Iterator[list[str]]:
    yield [each for each in names if _letters(each) == _letters(name)]
    yield [each for each in names if _is_swapped(name, each)]
    yield _slipped(name, names)
    parts = [each for each in names if _is_part(name, each)]
    yield parts if len(parts) <= MOST_NAMES else []
    yield _alike(name, names)


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _is_swapped(name: str, other: str) -> bool:
    return sorted(name) == sorted(other) and distance(name, other) == 1


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", name.lower()) if len(word) > 1]


def _is_part(name: str, whole: str) -> bool:
    """Say whether each word of a name is one of another's, but for a slip of the fingers."""
    inside = _words(whole)
    return bool(_words(name)) and all(
        any(
            each == word or (len(word) > SHORT - 2 and distance(each, word) == 1)
            for each in inside
        )
        for word in _words(name)
    )


def _slipped(name: str, names: list[str]) -> list[str]:
    most = min(1 if len(name) <= SHORT else 2, len(name) - 1)  # something is left of the name
    near = [each for each in names if abs(len(each) - len(name)) <= most]
    slips = {each: distance(name.lower(), each.lower()) for each in near}
    least = min(slips.values(), default=most + 1)
    found = [each for each, n in slips.items() if n == least] if least <= most else []
    alike = {each: SequenceMatcher(a=each.lower(), b=name.lower()).ratio() for each in found}
    return [each for each in found if alike[each] > max(alike.values()) - SLIPPED_ALIKE]


def _alike(name: str, names: list[str]) -> list[str]:
    matcher = SequenceMatcher(b=name.lower())
    likeness = {}
    for each in names:
        matcher.set_seq1(each.lower())
        if matcher.real_quick_ratio() >= LIKE and matcher.quick_ratio() >= LIKE:
            likeness[each] = matcher.ratio()
    best = max(likeness.values(), default=0.0)
    near = [each for each, like in likeness.items() if like >= max(LIKE, best - ABOUT_AS_LIKE)]
    return sorted(near, key=lambda each: -likeness[each])


def distance(one: str, other: str) -> int:
    """Return how many letters to insert, leave out, replace, or swap with their neighbour.

    Examples
    --------
    >>> [distance("alpha", text) for text in ("alpha", "alhpa", "alphaa", "alpa", "alpfa", "beta")]
    [0, 1, 1, 1, 1, 4]
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, facing in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != facing))
            if i > 1 and j > 1 and letter == other[j - 2] and facing == one[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
