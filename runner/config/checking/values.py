"""Values that are wrong beside others, or by what they say, whatever their type."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runner.config.signatures.signature import TARGET
from runner.config.written import written
from runner.errors import Problem
from runner.spelling import asked, meant, similar

INFER = "infer"
_BYTES = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?\s*(?:[kmgtp]i?b?|b)", re.IGNORECASE)

Open = Callable[[Any], bool]


def value_problems(config: Mapping[str, Any], is_open: Open) -> Iterator[Problem]:
    """Yield what is wrong with values that no signature can judge.

    Parameters
    ----------
    config : mapping
        The composed config as plain containers.
    is_open : callable
        Says of which values nothing is known yet.
    """
    sections = {name: node for name, node in config.items() if isinstance(node, Mapping)}
    for look in (_of_classes, _of_chunks, _of_growth, _of_monitors):
        yield from look(sections, is_open)


def _of_classes(sections: Mapping[str, Any], is_open: Open) -> Iterator[Problem]:
    classes = sections.get("partial_fit", {}).get("classes")
    if classes is None or is_open(classes) or classes == INFER:
        return
    if isinstance(classes, str) and similar(classes, [INFER]):
        said = f"must be a list of labels, or {INFER}; got {classes!r}"
        yield Problem("partial_fit.classes", said, asked([INFER]))
    elif isinstance(classes, list) and (None in classes or _repeats(classes)):
        what = "null" if None in classes else "a label twice"
        yield Problem("partial_fit.classes", f"must not have {what}; got {written(classes)}")
    elif not isinstance(classes, list) or _is_single(classes):
        said = f"must be a list of two labels or more, or {INFER}; got {written(classes)}"
        yield Problem("partial_fit.classes", said, "write it as [0, 1], with the labels of y")


def _repeats(classes: list[Any]) -> bool:
    told = [repr(each) for each in classes if not isinstance(each, list)]
    return len(set(told)) < len(told)


def _is_single(classes: list[Any]) -> bool:
    """Say whether there is nothing to tell apart; a list of lists has one for each output."""
    if classes and all(isinstance(each, list) for each in classes):
        return any(map(_is_single, classes))
    return len(classes) < 2  # noqa: PLR2004


def _of_chunks(sections: Mapping[str, Any], is_open: Open) -> Iterator[Problem]:
    chunks = sections.get("dataset", {}).get("chunks")
    if not isinstance(chunks, str) or is_open(chunks) or chunks == "auto":
        return
    if not _BYTES.fullmatch(chunks.strip()):
        said = f"must be a number of rows, bytes such as 64MiB, or auto; got {chunks!r}"
        near = similar(chunks, ["auto"])
        yield Problem("dataset.chunks", said, asked(near) if near else "write it as 64MiB")


def _of_growth(sections: Mapping[str, Any], is_open: Open) -> Iterator[Problem]:
    evaluation = sections.get("evaluation", {})
    growth, every = evaluation.get("growth"), evaluation.get("every")
    is_known = isinstance(growth, int | float) and not is_open(every)
    if is_known and growth > 1 and every in (None, "epoch"):
        said = f"must be 1 where evaluation.every is no number of rows; got {written(growth)}"
        remedy = "set evaluation.every to the rows before the first score"
        yield Problem("evaluation.growth", said, remedy)


def _of_monitors(sections: Mapping[str, Any], is_open: Open) -> Iterator[Problem]:
    scoring = sections.get("evaluation", {}).get("scoring")
    names = [scoring] if isinstance(scoring, str) else scoring
    if not isinstance(names, list) or any(map(is_open, names)):
        return
    for name, item in sections.get("callbacks", {}).items():
        monitor = item.get("monitor") if isinstance(item, Mapping) and TARGET in item else None
        if isinstance(monitor, str) and not is_open(monitor) and monitor not in names:
            said = f"must be one of evaluation.scoring; got {monitor!r}"
            yield Problem(f"callbacks.{name}.monitor", said, meant(monitor, map(str, names)))
