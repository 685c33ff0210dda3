"""Tell every mistake of experiments before data is read."""

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from runner.collecting import importing
from runner.config.words import is_name, is_override
from runner.project import experiment_files
from runner.redaction import redacted
from runner.verbs.arguments import JSON, WRONG, check_flags, taken

if TYPE_CHECKING:
    from runner.config.checking.examination import Examination

MANY = ("-m", "--multirun")


def validate(rest: list[str]) -> int:
    """Write the mistakes of some experiments, or of all, and how many each has."""
    with importing():
        from runner.config.checking.examination import examined

    is_json, rest = taken(JSON, rest)
    check_flags("validate", [word for word in rest if word not in MANY], (*MANY, JSON))
    overrides = [word for word in rest if is_override(word) or word in MANY]
    named = [word for word in rest if is_name(word)]
    names = dict.fromkeys(named or experiment_files())
    examinations = ((name, examined(name, overrides)) for name in names)
    return _show_json(examinations) if is_json else _show(examinations)


def _show(examinations: "Iterable[tuple[str, Examination]]") -> int:
    told: set[str] = set()
    wrong = {}
    for name, found in examinations:
        new = [text for text in map(str, found.problems) if text not in told]
        told.update(new)
        sys.stderr.writelines(f"{redacted(text)}\n" for text in new)
        sys.stderr.flush()
        sys.stdout.write(f"{_line(name, found)}\n")
        sys.stdout.flush()
        wrong[name] = len(found.problems)
    if len(wrong) > 1:
        sys.stdout.write(f"{_summary(list(wrong.values()))}\n")
    return WRONG if any(wrong.values()) else 0


def _show_json(examinations: "Iterable[tuple[str, Examination]]") -> int:
    from runner.terminal import show_json
    from runner.verbs import documents

    told = documents.examinations(dict(examinations))
    show_json(told)
    return WRONG if told["mistakes"] else 0


def _line(name: str, found: "Examination") -> str:
    parts = [f"{name}: {_mistakes(len(found.problems))}"]
    if found.missing:
        parts.append(f"still to be given: {', '.join(found.missing)}")
    return "; ".join(parts)


def _mistakes(n: int) -> str:
    return f"{n or 'no'} mistake{'' if n == 1 else 's'}"


def _summary(mistakes: Sequence[int]) -> str:
    """Say how many experiments were examined and what was found.

    Examples
    --------
    >>> _summary([0, 0, 0]), _summary([0, 2, 1])
    ('3 experiments: no mistakes', '3 experiments: 3 mistakes in 2 of them')
    """
    told = f"{len(mistakes)} experiments: {_mistakes(sum(mistakes))}"
    n_wrong = sum(map(bool, mistakes))
    return f"{told} in {n_wrong} of them" if n_wrong else told
