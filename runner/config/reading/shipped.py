"""What is chosen before any experiment says so."""

from functools import cache
from pathlib import Path

import yaml

from runner.project import builtin

SELF = "_self_"


def chosen_always() -> dict[str, str | list[str] | None]:
    """Return what is chosen of each group that an experiment may choose from, None if nothing.

    Examples
    --------
    >>> chosen_always()["callbacks"], chosen_always()["dataset"]
    (['progress_bar', 'checkpoint'], None)
    """
    return _chosen(builtin("conf") / "config.yaml")


@cache
def _chosen(path: Path) -> dict[str, str | list[str] | None]:
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))["defaults"]
    chosen = {group: option for item in listed if item != SELF for group, option in item.items()}
    return {group: chosen[group] for group in chosen if " " not in group and group != "experiment"}
