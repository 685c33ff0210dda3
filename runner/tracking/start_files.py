"""The artifacts that say what was asked and where it runs."""

import json

from runner.records import Recipe
from runner.redaction import redacted
from runner.seeds import seed_log
from runner.tracking.environment import environment, requirements
from runner.tracking.git import GitState

ENVIRONMENT = "environment/environment.json"
REQUIREMENTS = "environment/requirements.txt"
DIFF = "environment/git.diff"
SEEDS = "environment/seeds.json"


def asked_files(recipe: Recipe) -> dict[str, str]:
    """Return what was asked, by path.

    Examples
    --------
    >>> print(asked_files(Recipe("a", {}, overrides=("seed=1",)))["config/overrides.yaml"])
    - "seed=1"
    <BLANKLINE>
    """
    overrides = "".join(f"- {json.dumps(text)}\n" for text in recipe.overrides) or "[]\n"
    seeds = seed_log(recipe.params)
    files = {
        "config/config.yaml": redacted(recipe.config),
        "config/overrides.yaml": redacted(overrides),
        SEEDS: json.dumps(seeds, indent=2) if seeds["seeds"] else "",
    }
    return {path: text for path, text in files.items() if text}


def environment_files(git: GitState | None) -> dict[str, str]:
    """Return what runs, and on what, by path."""
    surroundings = {**environment(), "git": None if git is None else git.summary()}
    files = {
        ENVIRONMENT: json.dumps(surroundings, indent=2),
        REQUIREMENTS: requirements(),
        DIFF: git.diff if git is not None else "",
    }
    return {path: text for path, text in files.items() if text}
