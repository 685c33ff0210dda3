"""Settings of scikit-learn's estimators that do nothing, or harm, under ``partial_fit``.

They were found by varying every setting of every estimator that has ``partial_fit``, and in the
sources of scikit-learn 1.9; the tests hold them against the version that is installed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import getattr_static, signature
from typing import Any

Test = Callable[[Any], bool]

PASSIVE_AGGRESSIVE = ("PassiveAggressiveClassifier", "PassiveAggressiveRegressor")
SGD = ("SGDClassifier", "SGDRegressor", "SGDOneClassSVM", "Perceptron", *PASSIVE_AGGRESSIVE)
LINEAR = ("SGDClassifier", "SGDRegressor")
EPSILON_LOSSES = ("huber", "epsilon_insensitive", "squared_epsilon_insensitive")
MLP = ("MLPClassifier", "MLPRegressor")
CONVERGING = ("MiniBatchKMeans", "MiniBatchDictionaryLearning")
ONE_EPOCH = "because each block is learned once in each epoch"
NO_STOP = "because nothing that it would stop goes on within a block"
SET_EPOCHS = "Set fit.epochs, the passes over all blocks."
STOP_EARLY = "Choose callbacks=[progress_bar,early_stopping] to stop early."
REMOVE = "Remove it."


@dataclass(frozen=True)
class Inert:
    """Settings of some classes that have no effect, why, and what to do instead.

    ``holds`` says of an estimator whether that is so with its other settings. ``remedy`` may name
    the estimator's ``{key}``.
    """

    classes: tuple[str, ...]
    names: tuple[str, ...]
    why: str
    remedy: str
    holds: Test = lambda _: True


@dataclass(frozen=True)
class Refused:
    """A setting with which scikit-learn refuses the first block, and what to do instead."""

    classes: tuple[str, ...]
    name: str
    holds: Test
    rule: str
    remedy: str


def told(value: Any) -> str:
    """Write a value as one does on the command line.

    Examples
    --------
    >>> told(True), told(None), told("adam"), told(0.5)
    ('true', 'null', 'adam', '0.5')
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _needs(classes: tuple[str, ...], names: tuple[str, ...], switch: str, *values: Any) -> Inert:
    """Make the row of settings that act only where another one has one of some values."""
    return Inert(
        classes,
        names,
        f"without {switch}={' or '.join(map(told, values))}",
        f"Set {{key}}.{switch}={told(values[0])}, or remove it.",
        lambda estimator: getattr(estimator, switch) not in values,
    )


INERT = (
    Inert(
        (*SGD, *MLP, *CONVERGING, "LatentDirichletAllocation"),
        ("max_iter",),
        ONE_EPOCH,
        SET_EPOCHS,
    ),
    Inert(("BernoulliRBM",), ("n_iter",), ONE_EPOCH, SET_EPOCHS),
    Inert(
        ("MiniBatchNMF",),
        ("max_iter",),
        "where transform_max_iter is set: only transform uses it",
        SET_EPOCHS,
        lambda e: e.transform_max_iter is not None,
    ),
    Inert((*SGD, *CONVERGING), ("tol",), NO_STOP, STOP_EARLY),
    Inert(SGD, ("n_iter_no_change",), NO_STOP, STOP_EARLY),
    Inert(
        MLP,
        ("tol", "n_iter_no_change"),
        "without solver=sgd and learning_rate=adaptive, " + NO_STOP,
        STOP_EARLY,
        lambda e: (e.solver, e.learning_rate) != ("sgd", "adaptive"),
    ),
    Inert((*SGD, *MLP), ("validation_fraction",), NO_STOP, STOP_EARLY),
    Inert((*CONVERGING, "MiniBatchNMF"), ("max_no_improvement",), NO_STOP, STOP_EARLY),
    Inert(("LatentDirichletAllocation",), ("evaluate_every", "perp_tol"), NO_STOP, STOP_EARLY),
    Inert(
        (*SGD, "MLPRegressor"),
        ("warm_start",),
        "because each block goes on from the one before in any case",
        REMOVE,
    ),
    Inert(
        ("MLPClassifier",),
        ("warm_start",),
        "but that a block which lacks one of the labels is refused",
        REMOVE,
    ),
    Inert(
        SGD,
        ("learning_rate",),
        "beyond that of constant, because it is lowered between the epochs of one block only",
        "Set {key}.learning_rate=invscaling to lower it from row to row.",
        lambda e: e.learning_rate == "adaptive",
    ),
    _needs((*LINEAR, "SGDOneClassSVM"), ("power_t",), "learning_rate", "invscaling"),
    Inert(
        (*LINEAR, "SGDOneClassSVM"),
        ("eta0",),
        "with learning_rate=optimal",
        "Set {key}.learning_rate=invscaling, or remove it.",
        lambda e: e.learning_rate == "optimal",
    ),
    _needs((*LINEAR, "Perceptron"), ("l1_ratio",), "penalty", "elasticnet"),
    _needs(LINEAR, ("epsilon",), "loss", *EPSILON_LOSSES),
    Inert(
        (*LINEAR, "Perceptron"),
        ("alpha",),
        "without a penalty",
        "Set {key}.penalty=l2, or remove it.",
        lambda e: e.penalty is None and e.learning_rate != "optimal",
    ),
    _needs(MLP, ("learning_rate", "momentum", "nesterovs_momentum"), "solver", "sgd"),
    Inert(
        MLP,
        ("power_t",),
        "without solver=sgd and learning_rate=invscaling",
        "Set both, or remove it.",
        lambda e: (e.solver, e.learning_rate) != ("sgd", "invscaling"),
    ),
    _needs(MLP, ("beta_1", "beta_2", "epsilon"), "solver", "adam"),
    Inert(MLP, ("max_fun",), "without solver=lbfgs, which learns from one block alone", REMOVE),
    Inert(
        ("MiniBatchKMeans",),
        ("n_init",),
        "because the centers are drawn once, from the first block",
        REMOVE,
    ),
    Inert(
        ("MiniBatchNMF",),
        ("fresh_restarts",),
        "because each block is solved afresh in any case",
        REMOVE,
    ),
    Inert(
        ("MiniBatchNMF",),
        ("l1_ratio",),
        "without alpha_W or alpha_H",
        "Set {key}.alpha_W, or remove it.",
        lambda e: e.alpha_W == 0 and e.alpha_H in ("same", 0),
    ),
    Inert(
        ("MiniBatchDictionaryLearning", "IncrementalPCA"),
        ("batch_size",),
        "because each block is one batch",
        "Set dataset.chunks, the rows of a block.",
    ),
    Inert(
        ("MiniBatchDictionaryLearning",),
        ("shuffle",),
        "because the stream orders the blocks",
        "Set stream.shuffle.",
    ),
    Inert(
        ("MiniBatchDictionaryLearning",),
        ("callback",),
        "because only fit calls it",
        "Choose some of callbacks.",
    ),
    Inert(
        ("LatentDirichletAllocation",),
        ("learning_method",),
        "because learning block by block is the online method in any case",
        REMOVE,
    ),
    Inert(
        ("BernoulliNB", "CategoricalNB", "ComplementNB", "MultinomialNB"),
        ("fit_prior",),
        "where class_prior is set",
        REMOVE,
        lambda e: e.class_prior is not None,
    ),
)

REFUSED = (
    Refused(
        (*SGD, *MLP),
        "early_stopping",
        lambda e: bool(e.early_stopping),
        "be false, because a block cannot tell when to stop",
        STOP_EARLY,
    ),
    Refused(
        ("SGDClassifier", "Perceptron", "PassiveAggressiveClassifier"),
        "class_weight",
        lambda e: isinstance(e.class_weight, str),
        "be null or a mapping, because a block does not know the labels of the others",
        "Set fit.class_weight=balanced, which counts them, or write a weight for each label.",
    ),
    Refused(
        MLP,
        "solver",
        lambda e: e.solver == "lbfgs",
        "be adam or sgd, because lbfgs learns from one block alone",
        "Remove it for adam.",
    ),
    Refused(
        ("SelectFromModel",),
        "prefit",
        lambda e: bool(e.prefit),
        "be false, because its estimator has not learned yet",
        REMOVE,
    ),
    Refused(
        ("MiniBatchNMF",),
        "init",
        lambda e: isinstance(e.init, str) and e.init == "custom",
        "be another than custom, which takes matrices that a file cannot hold",
        REMOVE,
    ),
)


def classes_of(estimator: Any) -> set[str]:
    """Return the names of scikit-learn's classes whose ``partial_fit`` an estimator has.

    A class that brings a ``partial_fit`` of its own is taken for none of those it extends.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> class Mine(SGDClassifier): ...
    >>> "SGDClassifier" in classes_of(Mine())
    True
    """
    missing = object()
    own = getattr_static(type(estimator), "partial_fit", missing)
    return {
        kind.__name__
        for kind in type(estimator).__mro__
        if kind.__module__.startswith("sklearn.")
        and getattr_static(kind, "partial_fit", missing) in (own, missing)
    }


def nested(key: str, estimator: Any) -> Iterator[tuple[str, Any]]:
    """Yield an estimator and those inside that learn with it, each with its key in the file.

    Those that scikit-learn's meta-estimators call with ``partial_fit`` are named ``estimator``;
    others inside, such as the last clustering of Birch, are fitted in another way.

    Examples
    --------
    >>> from sklearn.linear_model import Perceptron
    >>> from sklearn.multiclass import OneVsRestClassifier
    >>> [key for key, _ in nested("estimator", OneVsRestClassifier(Perceptron()))]
    ['estimator', 'estimator.estimator']
    """
    while estimator is not None and not isinstance(estimator, type):
        yield key, estimator
        key, estimator = f"{key}.estimator", getattr(estimator, "estimator", None)


def made(estimator: Any) -> dict[str, Any]:
    """Return the settings that differ from their defaults, by name.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> made(SGDClassifier(max_iter=5, tol=0.001))
    {'max_iter': 5}
    """
    settings = {}
    for name, parameter in signature(type(estimator)).parameters.items():
        value = getattr(estimator, name, parameter.default)
        if value is not parameter.default and not _is_equal(value, parameter.default):
            settings[name] = value
    return settings


def _is_equal(value: Any, default: Any) -> bool:
    return type(value) in (bool, int, float, str) and bool(value == default)
