"""The estimators of ``threads.py``, and the blocks that their members learn."""

from collections.abc import Callable
from functools import partial
from typing import Any

MODULES = ["json", "pickletools", "tarfile", "typing"]

Block = tuple[Any, ...]


def dense(n_rows: int, n_columns: int, n_classes: int = 2) -> Callable[[int], Block]:
    """Return what makes float rows and labels that follow from them."""

    def block(number: int) -> Block:
        import numpy as np

        rng = np.random.default_rng([number, n_columns])
        X = rng.normal(size=(n_rows, n_columns))
        weights = np.random.default_rng(0).normal(size=(n_columns, n_classes))
        return X, np.argmax(X @ weights + rng.normal(size=(n_rows, n_classes)), axis=1)

    return block


def changed(blocks: Callable[[int], Block], change: Callable[[Any, Any], Block]):
    return lambda number: change(*blocks(number))


def regression(X, y):
    return X, X[:, 0] + 0.1 * y


def outputs(X, y):
    import numpy as np

    return X, np.column_stack([y, X[:, 0] > 0])


def regressions(X, y):
    import numpy as np

    return X, np.column_stack([X[:, 0] + 0.1 * y, X[:, 1]])


def levels(X, y):
    import numpy as np

    return np.clip((X * 4 + 8).round(), 0, 16), y


def rows_only(X, _, n_rows=None):
    return (X[:n_rows],)


def unit(X, _):
    import numpy as np

    return ((np.clip(X, -2, 2) + 2) / 4,)


def lines(number: int) -> Block:
    """Return lines of Python's standard library and their modules."""
    import dask
    import numpy as np

    from runner.dataset.text import StdlibLines

    source = StdlibLines(modules=MODULES).arrays()
    X, y = dask.compute(source.X, source.y, scheduler="sync")
    order = np.random.default_rng(number).choice(len(y), 10_000)
    return X[order], y[order]


def hashed(n_features: int = 2**16, **settings: Any) -> Callable[[int], Block]:
    """Return what makes sparse rows of hashed words."""

    def block(number: int) -> Block:
        from sklearn.feature_extraction.text import HashingVectorizer

        X, y = lines(number)
        return HashingVectorizer(n_features=n_features, **settings).transform(X), y

    return block


def counts(n_features: int = 2**16) -> Callable[[int], Block]:
    return hashed(n_features, alternate_sign=False, norm=None)


def cases() -> dict[str, tuple[Callable[[], Any], Callable[[int], Block], dict[str, Any]]]:
    """Return, by the estimator's name, how to make it, its blocks, and arguments for each."""
    from sklearn import (
        cluster,
        decomposition,
        feature_selection,
        linear_model,
        multiclass,
        multioutput,
        naive_bayes,
        neural_network,
        preprocessing,
    )
    from sklearn.feature_extraction.text import HashingVectorizer

    sgd = linear_model.SGDClassifier
    digits, two, ten = dense(10_000, 64, 10), {"classes": [0, 1]}, {"classes": list(range(10))}
    binary, modules = dense(20_000, 30), {"classes": MODULES}
    topics = decomposition.LatentDirichletAllocation
    both = {"classes": [list(range(10)), [0, 1]]}
    rows = changed(digits, rows_only)
    return {
        "BernoulliNB": (naive_bayes.BernoulliNB, digits, ten),
        "BernoulliRBM": (
            lambda: neural_network.BernoulliRBM(64),
            changed(digits, unit),
            {},
        ),
        "Birch": (
            lambda: cluster.Birch(threshold=2.5, n_clusters=3),
            changed(dense(3000, 10), rows_only),
            {},
        ),
        "CategoricalNB": (
            lambda: naive_bayes.CategoricalNB(min_categories=17),
            changed(digits, levels),
            ten,
        ),
        "ComplementNB": (naive_bayes.ComplementNB, counts(), modules),
        "GaussianNB": (naive_bayes.GaussianNB, dense(20_000, 30, 3), {"classes": [0, 1, 2]}),
        "HashingVectorizer": (HashingVectorizer, lines, {}),
        "IncrementalPCA": (lambda: decomposition.IncrementalPCA(8), rows, {}),
        "LatentDirichletAllocation": (
            lambda: topics(8, total_samples=100_000),
            changed(counts(2**12), partial(rows_only, n_rows=2000)),
            {},
        ),
        "MLPClassifier": (lambda: neural_network.MLPClassifier((64,)), digits, ten),
        "MLPRegressor": (
            lambda: neural_network.MLPRegressor(hidden_layer_sizes=(64,)),
            changed(digits, regression),
            {},
        ),
        "MaxAbsScaler": (preprocessing.MaxAbsScaler, changed(hashed(), rows_only), {}),
        "MinMaxScaler": (preprocessing.MinMaxScaler, rows, {}),
        "MiniBatchDictionaryLearning": (
            lambda: decomposition.MiniBatchDictionaryLearning(16),
            changed(digits, partial(rows_only, n_rows=500)),
            {},
        ),
        "MiniBatchKMeans": (lambda: cluster.MiniBatchKMeans(16), rows, {}),
        "MiniBatchNMF": (
            lambda: decomposition.MiniBatchNMF(16),
            changed(counts(2**12), rows_only),
            {},
        ),
        "MultiOutputClassifier": (
            lambda: multioutput.MultiOutputClassifier(sgd()),
            changed(digits, outputs),
            both,
        ),
        "MultiOutputRegressor": (
            lambda: multioutput.MultiOutputRegressor(linear_model.SGDRegressor()),
            changed(digits, regressions),
            {},
        ),
        "MultinomialNB": (naive_bayes.MultinomialNB, counts(), modules),
        "OneVsOneClassifier": (lambda: multiclass.OneVsOneClassifier(sgd()), digits, ten),
        "OneVsRestClassifier": (lambda: multiclass.OneVsRestClassifier(sgd()), digits, ten),
        "PassiveAggressiveClassifier": (linear_model.PassiveAggressiveClassifier, binary, two),
        "PassiveAggressiveRegressor": (
            linear_model.PassiveAggressiveRegressor,
            changed(binary, regression),
            {},
        ),
        "Perceptron": (linear_model.Perceptron, hashed(), modules),
        "SGDClassifier": (sgd, binary, two),
        "SGDClassifier, ten labels": (sgd, digits, ten),
        "SGDClassifier, sparse": (lambda: sgd(loss="log_loss"), hashed(), modules),
        "SGDOneClassSVM": (linear_model.SGDOneClassSVM, changed(binary, rows_only), {}),
        "SGDRegressor": (linear_model.SGDRegressor, changed(binary, regression), {}),
        "SelectFromModel": (lambda: feature_selection.SelectFromModel(sgd()), binary, two),
        "StandardScaler": (preprocessing.StandardScaler, rows, {}),
    }


def members_of(name: str, numbers: range) -> list[Any]:
    """Return new members, which differ in their seed."""
    from runner.seeds import seed_estimator

    members = [cases()[name][0]() for _ in numbers]
    for member, number in zip(members, numbers, strict=True):
        seed_estimator(member, number)
    return members


def state(members: list[Any]) -> list[str]:
    """Return what tells whether members have learned the same."""
    import joblib

    return [joblib.hash(vars(member)) for member in members]
