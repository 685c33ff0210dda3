"""What was asked, what was found, and how it ended, as the record keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from runner.base import Scores

# The keys that members of a sweep have in common where they learn from the same blocks.
READ_ALIKE = (
    *("dataset", "stream", "preprocessing", "seed"),
    *("fit.preprocessing", "fit.on_bad_block", "fit.max_bad_blocks"),
)


def says_where(key: str) -> bool:
    """Say of a dotted key that it decides where the work is done, and not what comes of it.

    Examples
    --------
    >>> says_where("cluster.n_workers"), says_where("cluster"), says_where("estimator.n_clusters")
    (True, True, False)
    """
    return key.partition(".")[0] == "cluster"


@dataclass(frozen=True)
class Confusion:
    """How often each label was predicted for each true label.

    ``labels`` has shape (n_labels,), ``counts`` shape (n_labels, n_labels): rows are true labels.
    """

    labels: "np.ndarray"
    counts: "np.ndarray"


@dataclass(frozen=True)
class Sample:
    """What a model answers to some of the held-out rows, for pictures.

    Attributes
    ----------
    method : {"predict_proba", "decision_function", "predict"}
        What it was asked; ``predict`` of a clusterer alone.
    answers : ndarray of shape (n_sampled,) or (n_sampled, n_classes)
    n_rows : int
        How many rows there were.
    true : ndarray of shape (n_sampled,), or None
        The labels of the rows, for a classifier.
    classes : ndarray of shape (n_classes,), or None
        The labels that a classifier tells apart.
    """

    method: str
    answers: "np.ndarray"
    n_rows: int
    true: "np.ndarray | None" = None
    classes: "np.ndarray | None" = None


@dataclass(frozen=True)
class Evaluated:
    """What the evaluation of a model on some blocks found.

    ``confusion`` is there for classifiers; ``predictions`` for regressors: the true and the
    predicted values, both of shape (n_rows,) or (n_rows, n_outputs). ``sample`` is there where
    pictures were asked for, of classifiers and clusterers.
    """

    scores: "Scores"
    n_rows: int
    confusion: Confusion | None = None
    predictions: "tuple[np.ndarray, np.ndarray] | None" = None
    sample: Sample | None = None


@dataclass(frozen=True)
class Recipe:
    """What was asked, as the record keeps it.

    ``params`` is the composed config, resolved and flattened to dotted keys; ``config`` the same
    as YAML; ``overrides`` what the command line changed; ``command`` what repeats the run.
    """

    name: str
    params: Mapping[str, Any]
    config: str = ""
    overrides: tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a member of a sweep ended, as far as it is known; it comes back from other processes.

    ``number`` counts from 0; ``key`` is the hash of the composed config, ``params`` what differs.
    ``status`` is FINISHED, FAILED, KILLED or, before that, PENDING; ``rows`` were learned over all
    epochs. ``stop_reason`` tells why it stopped early, ``rung`` where in a halving.
    """

    number: int
    name: str
    key: str
    params: Mapping[str, Any] = field(default_factory=dict)
    status: str = "PENDING"
    scores: "Scores" = field(default_factory=dict)
    rows: int = 0
    run_id: str = ""
    url: str = ""
    stop_reason: str | None = None
    rung: int | None = None
    error: str | None = None
