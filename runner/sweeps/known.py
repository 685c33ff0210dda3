"""What members of a halving did at its rungs, as the record holds it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from runner.sweeps.brackets import Known, known_scores
from runner.tracking.record import RecordedRun
from runner.tracking.tags import HALVING

Key = TypeVar("Key")


def known_scores_of(runs: Mapping[Key, RecordedRun]) -> dict[Key, dict[int, Known]]:
    """Return the scores of members at the rungs of a halving, where there was one.

    Parameters
    ----------
    runs : mapping of object to RecordedRun
        Their runs, by whatever tells the members apart.
    """
    return {key: dict(_scores(run.tags.get(HALVING, ""))) for key, run in runs.items()}


def _scores(text: str) -> Iterator[tuple[int, Known]]:
    with suppress(ValueError):
        history: list[dict[str, Any]] = json.loads(text)
        yield from known_scores({0: history})[0].items()
