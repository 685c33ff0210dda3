"""Where a problem stands, and which of several that have one cause is told."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import yaml

from runner.config.reading.sources import Sources, call, on_line
from runner.config.reading.traps import explained
from runner.errors import Problem
from runner.project import builtin

ABSENT = ("must be chosen", "must be set")
NOTHING = "must be chosen; got nothing"
_REFERENCE = re.compile(r"\$\{([\w.]+)\}")


def placed(problem: Problem, sources: Sources, file: str, typed: Sequence[str]) -> Problem:
    """Say where a problem stands.

    Parameters
    ----------
    problem : Problem
        Found in the composed config.
    sources : Sources
        Who set each key.
    file : str
        The experiment's, which stands for what nobody set.
    typed : sequence of str
        Overrides.
    """
    if problem.key.startswith("command line ("):  # an axis that was typed
        place = problem.key
        text = next(each for each in typed if on_line(each) == place)
        return replace(problem, key=text.partition("=")[0].lstrip("+"), place=place)
    problem = _emptied(explained(problem, sources), sources)
    place = sources.place(problem.key)
    if not place or (problem.said.startswith(ABSENT) and _is_shipped(place)):
        return replace(problem, place=file)  # it leaves it out, not ours that says so
    other = _of_other_class(problem, sources) if _is_shipped(place) else None
    if other is not None:
        return other
    referred = _referred(problem.key, sources) if _is_shipped(place) else []
    for key in referred:
        if sources.place(key) and not _is_shipped(sources.place(key)):
            said = f"{problem.said}, from {key}"
            return replace(problem, said=said, place=sources.place(key))
    return replace(problem, place=place)


def _of_other_class(problem: Problem, sources: Sources) -> Problem | None:
    """Say of an option's key that the file has put another class in the place of the option's."""
    section = problem.key.rpartition(".")[0]
    targets = sources.writers(f"{section}._target_")
    if "has no parameter" not in problem.said or not targets or _is_shipped(targets[-1].place):
        return None
    remedy = (
        f"it comes from the option that is chosen for {section}: leave that out under defaults"
    )
    return replace(problem, place=targets[-1].place, remedy=remedy)


def _emptied(problem: Problem, sources: Sources) -> Problem:
    """Say of a section without keys that it is one, and not that nothing was chosen."""
    written = sources.writers(problem.key)
    is_empty = bool(written) and isinstance(written[-1].node, yaml.ScalarNode)
    if not is_empty or problem.said != NOTHING or _is_shipped(written[-1].place):
        return problem
    said = "must be a section of keys; got nothing"
    return replace(problem, said=said, remedy="indent the keys below it, or leave it out")


def causes(problems: Iterable[Problem], sources: Sources) -> list[Problem]:
    """Leave out what is wrong only because of another problem.

    Such as a seed of the options that is the experiment's, or an estimator that is not chosen
    because its name is misspelt.
    """
    found = list(problems)
    keys = {each.key for each in found}
    is_unread = any(
        each.key == "defaults" or each.remedy == "did you mean 'defaults'?" for each in found
    )
    return [
        each
        for each in found
        if not (is_unread and each.said.startswith("must be chosen"))
        and not (_is_by_option(each, sources) and keys & set(_referred(each.key, sources)))
    ]


def _is_by_option(problem: Problem, sources: Sources) -> bool:
    written = sources.writers(problem.key)
    return bool(written) and _is_shipped(written[-1].place)


def _referred(key: str, sources: Sources) -> list[str]:
    """Return the keys that the value of a key refers to."""
    written = sources.writers(key)
    node = written[-1].node if written else None
    return _REFERENCE.findall(node.value) if isinstance(node, yaml.ScalarNode) else []


def _is_shipped(place: str) -> bool:
    return place.startswith(call(builtin("conf")))


def in_order(problem: Problem) -> tuple[bool, str, int, int]:
    """Sort by file, line and column; what was typed comes last."""
    parts = problem.place.rsplit(":", 2)
    if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():  # noqa: PLR2004
        return False, parts[0], int(parts[1]), int(parts[2])
    return True, problem.place, 0, 0


def as_remark(problem: Problem) -> Problem:
    """Write the remedy of an error as those of problems are.

    Examples
    --------
    >>> as_remark(Problem("seed", "is wrong", "Write a number.")).remedy
    'write a number'
    """
    remedy = problem.remedy
    if re.match(r"[A-Z][a-z]* ", remedy):
        remedy = remedy[0].lower() + remedy[1:]
    is_one = remedy.endswith(".") and not remedy.endswith("..") and ". " not in remedy
    return replace(problem, remedy=remedy.removesuffix(".") if is_one else remedy)
