"""The progressive scores of a sweep's members, read back from the store."""

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

from runner.records import Outcome
from runner.tracking.leaderboard import scorers
from runner.tracking.params import key_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

MOST_CURVES = 64  # members; each is a question to the store


def curves_of(
    client: "MlflowClient", outcomes: Sequence[Outcome]
) -> dict[int, list[tuple[int, float]]]:
    """Return the rows seen and the finite progressive scores then, by the member's number.

    Parameters
    ----------
    client : MlflowClient
        How to reach the store.
    outcomes : sequence of Outcome
        The members; the first score that they have decides. Without a curve one is left out.
    """
    curves = {}
    for key in [key_of(f"train/progressive_{name}") for name in scorers(outcomes)[:1]]:
        for outcome in outcomes:
            history = client.get_metric_history(outcome.run_id, key) if outcome.run_id else []
            curve = {point.step: point.value for point in history if isfinite(point.value)}
            curves[outcome.number] = sorted(curve.items())
    return {number: curve for number, curve in curves.items() if curve}
