"""What a fitted estimator scores on rows, asked for in any of scikit-learn's ways."""

from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from typing import Any

from dask.base import compute

from runner.base import Part
from runner.blockwise import Computed
from runner.errors import ConfigError
from runner.evaluation.evaluation import Evaluation
from runner.fit.asking import Asking, own
from runner.one_core import one_core
from runner.stream.stream import Stream

Scoring = str | Callable[..., Any] | list[str] | tuple[str, ...] | Mapping[str, Any] | None


def evaluation_of(scoring: Scoring) -> Evaluation:
    """Return the evaluation by the scorers that are asked for by name.

    Examples
    --------
    >>> evaluation_of({"ours": len, "theirs": "r2"}).scoring
    ['r2']
    """
    if scoring is None or isinstance(scoring, str):
        return Evaluation(scoring=scoring)
    asked = [] if callable(scoring) else _by_name(scoring).values()
    return Evaluation(scoring=[each for each in asked if isinstance(each, str)])


def scored(estimator: Any, scoring: Scoring, X: Any, part: Part, stream: Stream) -> Any:
    """Score a fitted estimator on all rows of a part.

    Parameters
    ----------
    estimator : fitted estimator
    scoring : str, callable, list or tuple of str, mapping of str to either, or None
        Scorers of one name are computed together in one pass. A callable is called as scikit-learn
        does, ``scorer(estimator, X, y)``, with ``sample_weight`` where there are weights; y and
        what the estimator answers are then in memory, X is not.
    X : rows
        What the part was made of, for callables.
    part : Part
    stream : Stream
        Reads the blocks, and asks about them where it reads several at the same time.

    Returns
    -------
    float, or dict of str to float where ``scoring`` is a list, a tuple or a mapping
        The same as scikit-learn's scorer gives for the whole arrays.

    Raises
    ------
    ConfigError
        If there is no such scorer, or none that suits where none is asked for.
    """
    if callable(scoring):
        return _called(scoring, estimator, X, part)
    evaluation = evaluation_of(scoring)
    asking = Asking([evaluation.measure(estimator).question])
    with one_core(), closing(stream.in_order(stream.source(part), asking)) as blocks:
        found = evaluation.over(estimator, map(partial(own, number=0), blocks))
    scores: dict[str, Any] = dict(found.scores)
    if scoring is None and not scores:
        raise ConfigError(
            "scoring",
            f"be given, because {type(estimator).__name__} has no score of its own",
            got=repr(scoring),
            remedy="Name a scorer, or pass a callable, that takes the estimator, X and y.",
        )
    if scoring is None or isinstance(scoring, str):
        return next(iter(scores.values()))
    return {
        name: scores[each] if isinstance(each, str) else _called(each, estimator, X, part)
        for name, each in _by_name(scoring).items()
    }


def _by_name(scoring: Any) -> dict[str, Any]:
    return dict(scoring) if isinstance(scoring, Mapping) else {name: name for name in scoring}


def _called(scorer: Callable[..., Any], estimator: Any, X: Any, part: Part) -> Any:
    y, sample_weight = compute(part.y, part.sample_weight)
    weighted = {} if sample_weight is None else {"sample_weight": sample_weight}
    return scorer(Computed(estimator), X, y, **weighted)
