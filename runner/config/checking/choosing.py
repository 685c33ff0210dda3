"""Sections for which nothing was chosen: how to choose an option."""

from collections.abc import Mapping
from typing import Any

from runner.config.signatures.signature import TARGET
from runner.config.written import written
from runner.errors import Problem
from runner.project import option_files
from runner.spelling import meant, similar

EVERY_DATASET = ("chunks", "holdout", "holdout_by", "validation", "seed")
CHOSEN = {"dataset": "make_classification", "estimator": "sgd_classifier"}  # for example


def section_problems(noun: str, node: Any) -> list[Problem]:
    """Return what is wrong with a section as a whole, before one looks into it.

    Parameters
    ----------
    noun : str
        The section.
    node : object
        What stands there, as plain containers.
    """
    if isinstance(node, str):
        return [_no_section(noun, node)]
    is_section = isinstance(node, Mapping)
    if noun in CHOSEN and (node is None or (is_section and TARGET not in node)):
        return [Problem(noun, f"must be chosen; got {what_is_there(node)}", _choose(noun, node))]
    if is_section:
        return []
    got = "nothing" if node is None else written(node)
    remedy = f"leave {noun} out, or write keys"
    return [Problem(noun, f"must be a section of keys; got {got}", remedy)]


def _no_section(noun: str, text: str) -> Problem:
    said = f"must be a section of keys; got {text!r}"
    if text not in option_files(noun):
        return Problem(noun, said, f"write it as {noun}: {{key: value}}")
    said = f"must be a section of keys; an option is chosen under defaults; got {text!r}"
    remedy = f"write `defaults: [{{override /{noun}: {text}}}]`, or {noun}={text} here"
    return Problem(noun, said, remedy)


def _choose(noun: str, node: Any) -> str:
    targets = [
        str(name)
        for name in (node if isinstance(node, Mapping) else ())
        if similar(str(name), [TARGET])
    ]
    if targets:
        return meant(targets[0], [TARGET])
    option = CHOSEN[noun]
    return (
        f"write {noun}={option} here, or `override /{noun}: {option}` under defaults; "
        "`runner list` shows the others"
    )


def not_chosen(noun: str, name: str, section: Mapping[str, Any]) -> Problem:
    """Say how to choose an option that is only given settings, which is nothing to be built.

    Parameters
    ----------
    noun : str
        The section, of which several options may be chosen.
    name : str
        The option.
    section : mapping
        What stands in the section.
    """
    options = option_files(noun)
    node = section[name]
    said = f"must be chosen; got {what_is_there(node)}"
    targets = [str(key) for key in node if similar(str(key), [TARGET])]
    if targets:
        return Problem(f"{noun}.{name}", said, meant(targets[0], [TARGET]))
    if name not in options:
        told = meant(name, options)
        return Problem(f"{noun}.{name}", said, f"write its _target_, or name an option; {told}")
    chosen = [key for key in section if key in options and TARGET in (section[key] or ())]
    listed = [*chosen, name]
    remedy = (
        f"write {noun}=[{','.join(listed)}] here, or "
        f"`override /{noun}: [{', '.join(listed)}]` under defaults"
    )
    return Problem(f"{noun}.{name}", said, remedy)


def what_is_there(node: Any) -> str:
    """Say which keys a section has where something was to be chosen.

    Examples
    --------
    >>> what_is_there({"n_samples": 100, "chunks": 10}), what_is_there(None)
    ('only n_samples', 'nothing')
    """
    named = node if isinstance(node, Mapping) else {}
    own = [key for key in named if key not in EVERY_DATASET]
    return f"only {', '.join(map(str, own))}" if own else "nothing"
