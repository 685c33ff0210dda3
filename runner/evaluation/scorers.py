"""Which scorers there are, what each asks of an estimator, and which suit it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sklearn.metrics import get_scorer, get_scorer_names, make_scorer

from runner.errors import ConfigError, nearest
from runner.evaluation import own
from runner.kinds import kind_of, last_step

INERTIA = "neg_inertia"
RECONSTRUCTION = "neg_reconstruction_error"
PERPLEXITY = "neg_perplexity"
LIKELIHOOD = "mean_log_likelihood"

CLUSTERING = frozenset(
    {
        "adjusted_mutual_info_score",
        "adjusted_rand_score",
        "completeness_score",
        "fowlkes_mallows_score",
        "homogeneity_score",
        "mutual_info_score",
        "normalized_mutual_info_score",
        "rand_score",
        "v_measure_score",
    }
)

REGRESSION = frozenset(
    {
        "d2_absolute_error_score",
        "explained_variance",
        "neg_max_error",
        "neg_mean_absolute_error",
        "neg_mean_absolute_percentage_error",
        "neg_mean_gamma_deviance",
        "neg_mean_poisson_deviance",
        "neg_mean_squared_error",
        "neg_mean_squared_log_error",
        "neg_median_absolute_error",
        "neg_root_mean_squared_error",
        "neg_root_mean_squared_log_error",
        "r2",
    }
)

ANY = ("classification", "clustering", "regression", "decomposition")

# Of an estimator that says no kind, scikit-learn itself is left to judge.
SUITABLE = {
    "classifier": ("classification", "clustering"),
    "regressor": ("regression",),
    "clusterer": ("clustering", "inertia"),
    "outlier_detector": ("classification",),
}


@dataclass(frozen=True)
class Scorer:
    """One scorer and what it needs.

    Attributes
    ----------
    name : str
        As scikit-learn has it.
    call : callable
        ``call(estimator, X, y, sample_weight=...)``, the weights only where ``weighted``.
    family : {"classification", "regression", "clustering", "inertia", "decomposition"}
        What it is a score of.
    methods : tuple of str
        It needs the answer of the first of these that an estimator has.
    weighted : bool
        Whether it takes sample weights.
    """

    name: str
    call: Callable[..., float]
    family: str
    methods: tuple[str, ...]
    weighted: bool

    @property
    def needs_target(self) -> bool:
        """Whether it compares something with y."""
        return self.family not in ("inertia", "decomposition")

    @property
    def counts_labels(self) -> bool:
        """Whether it follows from how often each label was predicted for each true label."""
        return self.methods == ("predict",) and self.family in ("classification", "clustering")

    def method(self, estimator: Any) -> str:
        """Return the method of this estimator whose answer is needed.

        Raises
        ------
        ConfigError
            If the estimator, with its present settings, has none of them.
        """
        for method in self.methods:
            if hasattr(estimator, method):
                return method
        raise ConfigError(
            "evaluation.scoring",
            f"name scorers that {type(estimator).__name__} can answer as it is set",
            got=f"{self.name!r}, which needs {' or '.join(self.methods)}",
            remedy=_remedy(estimator, self),
        )


OWN = {
    own_scorer.name: own_scorer
    for own_scorer in (
        Scorer(INERTIA, own.inertia, "inertia", ("score",), weighted=False),
        Scorer(
            RECONSTRUCTION,
            own.reconstruction,
            "decomposition",
            ("inverse_transform",),
            weighted=True,
        ),
        Scorer(PERPLEXITY, own.perplexity, "decomposition", ("perplexity",), weighted=False),
        Scorer(LIKELIHOOD, own.log_likelihood, "decomposition", ("score_samples",), weighted=True),
    )
}

NAMES = tuple(sorted((*get_scorer_names(), *OWN)))


@cache
def scorer(name: str) -> Scorer:
    """Return the scorer of that name.

    Raises
    ------
    ConfigError
        If neither scikit-learn nor we have a scorer of that name.

    Examples
    --------
    >>> scorer("roc_auc").methods
    ('decision_function', 'predict_proba')
    >>> scorer("v_measure_score").weighted
    False
    """
    names = [*get_scorer_names(), *OWN]
    if name not in names:
        raise ConfigError(
            "evaluation.scoring",
            f"name scorers of scikit-learn, or {', '.join(OWN)}",
            got=repr(name),
            remedy=nearest(name, names),
        )
    if name in OWN:
        return OWN[name]
    call = make_scorer(own.accuracy) if name == "accuracy" else get_scorer(name)
    methods = call._response_method  # noqa: SLF001  (scikit-learn has no public name for it)
    return Scorer(
        name,
        call,
        _family(name),
        (methods,) if isinstance(methods, str) else tuple(methods),
        weighted="sample_weight" in call.get_metadata_routing().score.requests,
    )


def defaults(estimator: Any, has_target: bool) -> list[str]:
    """Return the names of the scorers that suit an estimator when none are asked for.

    Examples
    --------
    >>> from sklearn.cluster import MiniBatchKMeans
    >>> defaults(MiniBatchKMeans(), has_target=False)
    ['neg_inertia']
    """
    kind = kind_of(estimator)
    if kind is None:
        return _of_decomposition(estimator)
    if not has_target:
        return [INERTIA] if kind == "clusterer" and hasattr(estimator, "score") else []
    by_kind = {
        "classifier": ["accuracy"],
        "regressor": ["r2", "neg_root_mean_squared_error"],
        "clusterer": ["adjusted_rand_score", "v_measure_score"],
    }
    names = by_kind.get(kind, [])
    return names if hasattr(estimator, "predict") else []


def _of_decomposition(estimator: Any) -> list[str]:
    # A scaler has an inverse too, which loses nothing and says nothing.
    is_one = hasattr(last_step(estimator), "n_components")
    names = (PERPLEXITY, RECONSTRUCTION, LIKELIHOOD) if is_one else ()
    return [name for name in names if any(hasattr(estimator, m) for m in OWN[name].methods)][:1]


def _family(name: str) -> str:
    if name in CLUSTERING:
        return "clustering"
    return "regression" if name in REGRESSION else "classification"


def _remedy(estimator: Any, asked: Scorer) -> str:
    last = last_step(estimator)
    if asked.methods == ("predict_proba",):
        if hasattr(type(last), "predict_proba") and hasattr(last, "loss"):
            return f"Set estimator.loss=log_loss, or leave {asked.name} out."
        return (
            "Take an estimator that gives probabilities, such as SGDClassifier with "
            f"loss=log_loss, or leave {asked.name} out."
        )
    return f"Leave {asked.name} out, or take another estimator."
