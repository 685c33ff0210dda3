"""What was probably meant by a key that stands in the wrong place."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from runner.config.signatures.signature import TARGET, signature_in
from runner.project import LISTED, option_files
from runner.spelling import asked, distance, meant, similar

NOUNS = (
    "dataset",
    "stream",
    "preprocessing",
    "estimator",
    "partial_fit",
    "fit",
    "evaluation",
    "callbacks",
    "tracking",
    "cluster",
)
BESIDES = ("defaults", "sweep")  # what a file may say besides the parameters of an experiment
OF_SWEEP = ("grid", "zip", "runs", "halving")
OF_HYDRA = ("_args_", "_partial_", "_convert_", "_recursive_")
MOST_HOMES = MOST_SLIPS = 2
_TARGET = re.compile(r"^\s*_target_:\s*([\w.]+)", re.MULTILINE)


def at_root(name: str, known: list[str], config: Mapping[str, Any]) -> str:
    """Say what was meant by a key at the top of a file that has no place there.

    Parameters
    ----------
    name : str
        The key.
    known : list of str
        The parameters of an experiment.
    config : mapping
        The composed config, whose sections may have that key.
    """
    names = [*known, *BESIDES]
    if "." in name:
        first, _, rest = name.partition(".")
        near = [first] if first in names else similar(first, names)
        return f"write it as {nested(f'{near[0]}.{rest}')}" if near else meant(first, names)
    if name == "experiment":
        named = config.get(name)
        parent = named if isinstance(named, str) else "NAME"
        return f"to begin with another experiment, write `defaults: [{parent}]`"
    return _home(name, config) or meant(name, names)


def in_section(name: str, key: str, told: str, config: Mapping[str, Any]) -> str:
    """Say what was meant by a key in a section that does not take it.

    Parameters
    ----------
    name : str
        The key.
    key : str
        The same, with its section.
    told : str
        What is said otherwise.
    config : mapping
        The composed config, another section of which may have that key.
    """
    if "." in name:
        section = key.removesuffix(name).rstrip(".")
        is_whole = name.partition(".")[0] == section
        return f"write it as {nested(name if is_whole else key)}"
    if name.startswith("_"):
        near = [] if name in OF_HYDRA else similar(name, [TARGET])
        return asked(near) if near else "leave it out"
    return told if told.startswith("did you mean") else _home(name, config) or told


def of_target(noun: str, named: str, told: str) -> str:
    """Say which class was meant by a ``_target_`` that names none.

    Parameters
    ----------
    noun : str
        What is to be built.
    named : str
        As it is written.
    told : str
        What is said otherwise.
    """
    texts = [path.read_text(encoding="utf-8") for path in option_files(noun).values()]
    targets = {dotted for text in texts for dotted in _TARGET.findall(text)}
    name = named.replace(":", ".").rpartition(".")[2]
    near = [dotted for dotted in sorted(targets) if dotted.rpartition(".")[2] == name]
    near = near or [
        each for each in similar(named, targets) if distance(each, named) <= MOST_SLIPS
    ]
    if near and near != [named]:
        return f"did you mean {' or '.join(near)}?"
    if noun != "dataset" and "dataset=function" in told:
        return "name a class; `runner list` shows the options"
    return told


def nested(dotted: str) -> str:
    """Write a dotted key as sections.

    Examples
    --------
    >>> nested("callbacks.progress_bar.every_s")
    'callbacks: {progress_bar: {every_s: ...}}'
    """
    *sections, last = dotted.split(".")
    opening = "".join(f"{name}: {{" for name in sections)
    return f"{opening}{last}: ...{'}' * len(sections)}"


def _home(name: str, config: Mapping[str, Any]) -> str:
    found = [dotted for own, dotted in _homes(config) if own == name]
    return f"did you mean {' or '.join(found)}?" if 1 <= len(found) <= MOST_HOMES else ""


def _homes(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each key that a section of the chosen options takes, and the same with its section."""
    yield from ((name, f"sweep.{name}") for name in OF_SWEEP)
    for noun in NOUNS:
        node = config.get(noun)
        if not isinstance(node, Mapping):
            continue
        built = {f"{noun}.{name}": item for name, item in node.items()}
        for key, item in (built if noun in LISTED else {noun: node}).items():
            signature = signature_in(item)
            for name in signature.parameters if signature else ():
                yield name, f"{key}.{name}"
            if noun == "estimator" and signature:
                yield from ((name, f"partial_fit.{name}") for name in signature.partial_fit or ())
