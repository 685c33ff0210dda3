"""List what there is to run and to choose."""

import sys
from collections.abc import Mapping
from pathlib import Path

from runner.errors import ConfigError
from runner.project import experiment_files, option_files, option_groups
from runner.verbs.arguments import JSON, taken

NO_DESCRIPTION = ("@package", "yaml-language-server:")


def list_names(rest: list[str]) -> int:
    """Write the experiments and the options of each group, with the first comment of each."""
    is_json, rest = taken(JSON, rest)
    if rest:
        raise ConfigError(
            "`runner list`",
            "stand alone",
            got=" ".join(rest),
            remedy="`runner show NAME` shows one experiment.",
        )
    groups = {"experiments": experiment_files()}
    groups |= {group: option_files(group) for group in option_groups()}
    if is_json:
        _show_json(groups)
        return 0
    width = max(len(name) for options in groups.values() for name in options)
    lines = []
    for group, options in groups.items():
        lines.append(group)
        lines += [f"  {name:<{width}}  {_first_comment(p)}" for name, p in options.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _show_json(groups: Mapping[str, Mapping[str, Path]]) -> None:
    from runner.terminal import show_json

    show_json(
        {
            group: [
                {"name": name, "description": _first_comment(p)} for name, p in options.items()
            ]
            for group, options in groups.items()
        }
    )


def _first_comment(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as lines:
        comments = (line[1:].strip() for line in lines if line.startswith("#"))
        return next((text for text in comments if not text.startswith(NO_DESCRIPTION)), "")
