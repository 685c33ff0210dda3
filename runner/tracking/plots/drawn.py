"""The choice of what can be drawn of a run."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from runner.base import Part
from runner.records import Evaluated, Sample
from runner.tracking.plots.classification import MAX_LABELS, confusion_matrix
from runner.tracking.plots.clusters import cluster_sizes
from runner.tracking.plots.coefficients import coefficients, coefficients_of
from runner.tracking.plots.curves import Ranking, calibration, precision_recall, rankings, roc
from runner.tracking.plots.learning import finite_curves, learning_curve
from runner.tracking.plots.regression import predicted_vs_actual, residuals
from runner.tracking.plots.timeline import block_timeline
from runner.tracking.recorder import Recorder

if TYPE_CHECKING:
    from runner.tracking.ledger import Ledger

Pictures: TypeAlias = dict[str, Callable[[], bytes]]


def of_scores(evaluated: Evaluated, recorder: Recorder, ledger: "Ledger | None") -> Pictures:
    """Return what is drawn of an evaluated run: by file name, the function that draws the PNG.

    Parameters
    ----------
    evaluated : Evaluated
        The scores, and what they come from.
    recorder : Recorder
        The curves.
    ledger : Ledger, optional
        The blocks; not given for a member of a sweep, of which only the learning curve and the
        confusion matrix or residuals are drawn.
    """
    drawn: Pictures = {}
    finite, held_out = finite_curves(recorder.curves), finite_curves(recorder.validation)
    if finite or held_out:
        drawn["learning_curve.png"] = partial(learning_curve, finite, held_out)
    if evaluated.confusion is not None and len(evaluated.confusion.labels) <= MAX_LABELS:
        drawn["confusion_matrix.png"] = partial(confusion_matrix, evaluated.confusion)
    if evaluated.predictions is not None and len(evaluated.predictions[0]):
        drawn["residuals.png"] = partial(residuals, *evaluated.predictions)
    return drawn if ledger is None else drawn | _of_run_alone(evaluated, ledger)


def of_model(model: Any, part: Part) -> Pictures:
    """Return what is drawn of a fitted model that learned from such rows."""
    if coefficients_of(model) is None:
        return {}
    return {"coefficients.png": partial(coefficients, model, part)}


def _of_run_alone(evaluated: Evaluated, ledger: "Ledger") -> Pictures:
    drawn: Pictures = {}
    if evaluated.sample is not None and len(evaluated.sample.answers):
        drawn |= _of_sample(evaluated.sample)
    if evaluated.predictions is not None and len(evaluated.predictions[0]):
        drawn["predicted_vs_actual.png"] = partial(predicted_vs_actual, *evaluated.predictions)
    if len(ledger):
        drawn["block_timeline.png"] = partial(block_timeline, ledger.table)
    return drawn


def _of_sample(sample: Sample) -> Pictures:
    if sample.true is None or sample.classes is None:
        return {"cluster_sizes.png": partial(cluster_sizes, sample)}
    found: list[Ranking] = []
    with suppress(Exception):  # anybody's answers and labels
        found = rankings(sample)
    if not found:
        return {}
    drawn: Pictures = {
        "roc.png": partial(roc, found, sample),
        "precision_recall.png": partial(precision_recall, found, sample),
    }
    if sample.method == "predict_proba" and len(sample.classes) == 2:  # noqa: PLR2004
        drawn["calibration.png"] = partial(calibration, found[0], sample)
    return drawn
