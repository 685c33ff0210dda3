"""The artifacts that say what was asked and where it runs."""

import json

from runner.records import Recipe
from runner.redaction import redacted
from runner.tracking.environment import environment, requirements
from runner.tracking.git import GitState


def asked_files(recipe: Recipe) -> dict[str, str]:
    """Return what was asked, by path.

    Examples
    --------
    >>> print(asked_files(Recipe("a", {}, overrides=("seed=1",)))["config/overrides.yaml"])
    - "seed=1"
    <BLANKLINE>
    """
    overrides = "".join(f"- {json.dumps(text)}\n" for text in recipe.overrides) or "[]\n"
    files = {
        "config/config.yaml": redacted(recipe.config),
        "config/overrides.yaml": redacted(overrides),
    }
    return {path: text for path, text in files.items() if text}


def environment_files(git: GitState | None) -> dict[str, str]:
    """Return what runs, and on what, by path."""
    surroundings = {**environment(), "git": None if git is None else git.summary()}
    files = {
        "environment/environment.json": json.dumps(surroundings, indent=2),
        "environment/requirements.txt": requirements(),
        "environment/git.diff": git.diff if git is not None else "",
    }
    return {path: text for path, text in files.items() if text}
