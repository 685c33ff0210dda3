"""Refuse, before the first block, scorers that do not fit the estimator or its labels."""

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names

from runner.errors import ConfigError
from runner.evaluation.replay import Replay
from runner.evaluation.scorers import ANY, SUITABLE, Scorer, defaults, scorer
from runner.kinds import kind_of

SIGNS = (-1, 1)


def check_suitable(asked: Scorer, estimator: Any, has_target: bool) -> None:
    """Refuse a scorer of another kind of estimator, or one that lacks a y or a method.

    Raises
    ------
    ConfigError
        Saying what would do.
    """
    kind = kind_of(estimator)
    known = kind in SUITABLE
    if asked.family not in SUITABLE.get(kind or "", ANY):
        raise ConfigError(
            "evaluation.scoring",
            f"name scorers that suit {_a(kind) if known else 'this estimator'}",
            got=f"{asked.name!r}, of {asked.family}, for {type(estimator).__name__}",
            remedy=_instead(asked, estimator, has_target),
        )
    if asked.needs_target and not has_target:
        raise ConfigError(
            "evaluation.scoring",
            "name only scorers that need no y where the dataset has none",
            got=repr(asked.name),
            remedy=_instead(asked, estimator, has_target),
        )
    asked.method(estimator)


def check_defined(asked: Scorer, estimator: Any, classes: Any) -> None:
    """Refuse a scorer that scikit-learn does not define for these labels, such as f1 for three.

    The scorer is tried on one perfect answer per label.

    Parameters
    ----------
    asked : Scorer
        One that suits the estimator.
    estimator : object
        What will be scored.
    classes : array of shape (n_classes,)
        The labels that y may hold.

    Raises
    ------
    ConfigError
        With what scikit-learn says, and the scorers of the same name that do.
    """
    labels = np.unique(classes)
    refusal = _refusal(asked, labels)
    if not refusal:
        return
    stem = asked.name.removesuffix("_samples")
    related = [scorer(name) for name in get_scorer_names() if name.startswith(stem)]
    fitting = [
        other.name
        for other in related
        if any(hasattr(estimator, method) for method in other.methods)
        and not _refusal(other, labels)
    ]
    raise ConfigError(
        "evaluation.scoring",
        f"name scorers that are defined for {len(labels)} classes such as {labels[0].item()!r}",
        got=f"{asked.name!r} ({refusal.rstrip('.')})",
        remedy=f"Try {' or '.join(fitting)}." if fitting else f"Leave {asked.name} out.",
    )


def check_signs(scorers: Iterable[Scorer], estimator: Any, y: Any) -> None:
    """Refuse labels that an outlier detector never predicts, where they are compared with it.

    Parameters
    ----------
    scorers : iterable of Scorer
        Those that suit the estimator.
    estimator : object
        What will be scored.
    y : array of shape (n_rows,), or None
        The labels of some rows.

    Raises
    ------
    ConfigError
        Naming the first scorer and label.
    """
    if y is None or kind_of(estimator) != "outlier_detector":
        return
    strange = [label for label in dict.fromkeys(np.ravel(y).tolist()) if label not in SIGNS]
    compared = [asked.name for asked in scorers if asked.counts_labels]
    if strange and compared:
        raise ConfigError(
            "y",
            f"hold 1 for usual rows and -1 for outliers, as {type(estimator).__name__} predicts, "
            f"where {compared[0]} compares them",
            got=repr(strange[0]),
            remedy="Write these labels at the source, or score by roc_auc, which takes any two, "
            "the greater one for usual rows.",
        )


def _refusal(asked: Scorer, labels: np.ndarray) -> str:
    n_classes = len(labels)
    if asked.family != "classification" or n_classes < 2:  # noqa: PLR2004
        return ""
    sure = np.eye(n_classes)
    perfect = {
        "predict": labels,
        "predict_proba": sure,
        "decision_function": sure if n_classes > 2 else sure[:, 1],  # noqa: PLR2004
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            asked.call(Replay(perfect, "classifier", labels), None, labels)
        except ValueError as error:
            return str(error)
    return ""


def _instead(asked: Scorer, estimator: Any, has_target: bool) -> str:
    names = defaults(estimator, has_target)
    if not names:
        return f"Leave {asked.name} out."
    return f"Choose others, or set evaluation.scoring=null for {' and '.join(names)}."


def _a(kind: str | None) -> str:
    named = str(kind).replace("_", " ")
    return f"an {named}" if named[0] in "aeiou" else f"a {named}"
