"""Each row of the table, against the scikit-learn that is installed."""

import inspect
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import Birch, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Perceptron, SGDClassifier, SGDRegressor
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.utils import all_estimators

from runner.fit.settings import INERT, REFUSED, classes_of, made, nested

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    LEARNERS = {name: kind for name, kind in all_estimators() if hasattr(kind, "partial_fit")}
SMALL = {
    "BernoulliRBM": {"n_components": 3},
    "IncrementalPCA": {"n_components": 2},
    "LatentDirichletAllocation": {"n_components": 3},
    "MLPClassifier": {"hidden_layer_sizes": (4,)},
    "MLPRegressor": {"hidden_layer_sizes": (4,)},
    "MiniBatchDictionaryLearning": {"n_components": 4, "alpha": 0.1},
    "MiniBatchKMeans": {"n_clusters": 3, "batch_size": 8},
    "MiniBatchNMF": {"n_components": 3, "batch_size": 8},
    "MultiOutputClassifier": {"estimator": SGDClassifier(random_state=0)},
    "MultiOutputRegressor": {"estimator": SGDRegressor(random_state=0)},
    "OneVsOneClassifier": {"estimator": SGDClassifier(random_state=0)},
    "OneVsRestClassifier": {"estimator": SGDClassifier(random_state=0)},
    "SelectFromModel": {"estimator": SGDClassifier(random_state=0)},
}
OTHER = {  # values of a setting that differ from its default, where doubling it will not do
    "alpha_H": [0.5],
    "average": [True, 10],
    "batch_size": [2, 7],
    "beta_1": [0.5],
    "beta_2": [0.5],
    "binarize": [0.5],
    "callback": [print],
    "class_prior": [[0.2, 0.3, 0.5]],
    "epsilon": [0.7],
    "feature_range": [(0, 2)],
    "init_size": [10],
    "l1_ratio": [0.9],
    "learning_decay": [0.9],
    "learning_rate_init": [0.5],
    "max_features": [2],
    "min_categories": [6],
    "momentum": [0.1],
    "n_components": [2],
    "n_init": [1, 5],
    "C": [0.001],
    "max_iter": [2, 50],
    "priors": [[0.2, 0.3, 0.5]],
    "threshold": [0.9],
    "tol": [0.0, 0.3, 1e3],
    "total_samples": [100.0],
    "transform_alpha": [0.3],
    "transform_max_iter": [1],
    "transform_n_nonzero_coefs": [2],
    "validation_fraction": [0.3],
    "warm_start": [True],
    "nu": [0.2],
    "forget_factor": [0.1],
}
# Where a row of the table needs other settings than the defaults to hold.
HOLDS = {
    ("SGDClassifier", "alpha"): [{"penalty": None, "learning_rate": "constant"}],
    ("SGDRegressor", "alpha"): [{"penalty": None}],
    ("SGDRegressor", "eta0"): [{"learning_rate": "optimal"}],
    ("SGDRegressor", "power_t"): [{"learning_rate": "constant"}],
    ("MiniBatchNMF", "max_iter"): [{"transform_max_iter": 5}],
    ("BernoulliNB", "fit_prior"): [{"class_prior": [0.2, 0.3, 0.5]}],
    ("CategoricalNB", "fit_prior"): [{"class_prior": [0.2, 0.3, 0.5]}],
    ("ComplementNB", "fit_prior"): [{"class_prior": [0.2, 0.3, 0.5]}],
    ("MultinomialNB", "fit_prior"): [{"class_prior": [0.2, 0.3, 0.5]}],
    **{
        (name, setting): [{}, {"solver": "sgd"}]
        for name in ("MLPClassifier", "MLPRegressor")
        for setting in ("tol", "n_iter_no_change", "power_t", "max_iter", "validation_fraction")
    },
    **{
        (name, setting): [{"solver": "sgd"}]
        for name in ("MLPClassifier", "MLPRegressor")
        for setting in ("beta_1", "beta_2", "epsilon")
    },
}
# Where the same settings do act, so that nothing may be said of them.
ADAPTING = {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.0, "n_iter_no_change": 1}
ACTS = [
    ("SGDClassifier", {"penalty": None}, "alpha", 0.1),
    ("SGDClassifier", {"learning_rate": "constant"}, "alpha", 0.1),
    ("SGDClassifier", {"learning_rate": "invscaling"}, "power_t", 0.1),
    ("SGDClassifier", {"learning_rate": "invscaling"}, "eta0", 0.1),
    ("SGDClassifier", {"learning_rate": "adaptive"}, "eta0", 0.1),
    ("SGDClassifier", {"penalty": "elasticnet"}, "l1_ratio", 0.9),
    ("SGDClassifier", {"loss": "huber"}, "epsilon", 0.7),
    ("SGDRegressor", {}, "eta0", 0.001),
    ("SGDRegressor", {}, "power_t", 0.1),
    ("SGDRegressor", {"loss": "epsilon_insensitive"}, "epsilon", 0.7),
    ("SGDOneClassSVM", {"learning_rate": "invscaling"}, "power_t", 0.1),
    ("Perceptron", {"penalty": "l2"}, "alpha", 0.1),
    ("Perceptron", {"penalty": "elasticnet"}, "l1_ratio", 0.9),
    ("PassiveAggressiveRegressor", {}, "epsilon", 0.7),
    ("MLPRegressor", ADAPTING, "tol", 1e3),
    ("MLPRegressor", {**ADAPTING, "tol": 1e3}, "n_iter_no_change", 20),
    ("MLPRegressor", {"solver": "sgd"}, "momentum", 0.1),
    ("MLPRegressor", {"solver": "sgd"}, "nesterovs_momentum", False),
    ("MLPRegressor", {"solver": "sgd"}, "learning_rate", "invscaling"),
    ("MLPRegressor", {"solver": "sgd", "learning_rate": "invscaling"}, "power_t", 0.1),
    ("MLPRegressor", {}, "beta_1", 0.5),
    ("MiniBatchKMeans", {}, "init_size", 5),
    ("MiniBatchKMeans", {}, "batch_size", 2),
    ("MiniBatchNMF", {}, "max_iter", 2),
    ("MiniBatchNMF", {}, "tol", 0.5),
    ("MiniBatchNMF", {}, "fresh_restarts_max_iter", 2),
    ("MiniBatchNMF", {"alpha_W": 0.1}, "l1_ratio", 0.9),
    ("MiniBatchNMF", {"alpha_H": 0.1}, "l1_ratio", 0.9),
    ("LatentDirichletAllocation", {}, "batch_size", 7),
    ("BernoulliRBM", {}, "batch_size", 2),
    ("MultinomialNB", {}, "fit_prior", False),
]


def labels(X):
    return (X[:, 0] > 1.2).astype(int) + (X[:, 1] > 1.5)


def blocks(name):
    """Four blocks for any estimator, and the arguments of its ``partial_fit``."""
    rng = np.random.default_rng(0)
    parts = [np.abs(rng.normal(size=(n, 6))) * 2 for n in (60, 60, 60, 25)]
    classes = {"classes": [0, 1, 2]}
    if name == "HashingVectorizer":
        return [([f"a{v:.0f} The b" for v in X[:, 0]],) for X in parts], {}
    if name == "CategoricalNB":
        return [(np.clip(X.astype(int), 0, 2), labels(X)) for X in parts], classes
    if name == "MultiOutputClassifier":
        both = [(X, np.c_[labels(X), labels(X[:, ::-1])]) for X in parts]
        return both, {"classes": [[0, 1, 2]] * 2}
    if name == "MultiOutputRegressor":
        return [(X, X[:, :2] * 3) for X in parts], {}
    if any(word in name for word in ("Classifier", "NB", "Perceptron", "SelectFromModel")):
        return [(X, labels(X)) for X in parts], classes
    is_regressor = "Regressor" in name
    return [(X, X[:, 0] * 3 - X[:, 1]) if is_regressor else (X,) for X in parts], {}


@pytest.fixture
def make():
    """Make an estimator, small and seeded, whether or not it is deprecated."""

    def build(name, **settings):
        kind = LEARNERS[name]
        seeded = (
            {"random_state": 0} if "random_state" in inspect.signature(kind).parameters else {}
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return kind(**{**seeded, **SMALL.get(name, {}), **settings})

    return build


def learned(estimator):
    """Learn the blocks; return every fitted number, and every answer, as bytes."""
    name = type(estimator).__name__
    parts, arguments = blocks(name)
    for part in parts:
        estimator.partial_fit(*part, **arguments)
    found = {key: value for key, value in vars(estimator).items() if is_fitted(key)}
    for method in ("predict", "predict_proba", "decision_function", "transform"):
        if hasattr(estimator, method):
            found[method] = getattr(estimator, method)(parts[0][0])
    return [in_bytes(value) for value in found.values()]


def is_fitted(key):
    return key.endswith("_") and not key.startswith("_")


def in_bytes(value):
    if hasattr(value, "toarray"):
        value = value.toarray()
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, list | tuple):
        return [in_bytes(each) for each in value]
    return value if isinstance(value, int | float | str | np.generic) else None


def others(name, setting, situation):
    """Other values of a setting than the one it has in a situation."""
    kind = LEARNERS[name]
    default = inspect.signature(kind).parameters[setting].default
    value = situation.get(setting, SMALL.get(name, {}).get(setting, default))
    choices = kind._parameter_constraints.get(setting, []) if setting != "estimator" else []
    if setting in OTHER:
        found = OTHER[setting]
    elif isinstance(value, bool):
        found = [not value]
    elif isinstance(value, int | float):
        found = [type(value)(value * 2) if value > 0 else 2]
    else:
        found = [option for each in choices for option in sorted(getattr(each, "options", []))]
    return [each for each in found if each != value]


def rows():
    for row in INERT:
        for name in row.classes:
            for setting in row.names:
                if setting in inspect.signature(LEARNERS[name]).parameters:
                    for situation in HOLDS.get((name, setting), [{}]):
                        yield pytest.param(row, name, setting, situation, id=f"{name}-{setting}")


@pytest.mark.parametrize(("row", "name", "setting", "situation"), list(rows()))
def test_a_setting_of_the_table_changes_no_number(make, row, name, setting, situation):
    if setting == "learning_rate" and name.startswith("SGD"):
        wanted, values = learned(make(name, learning_rate="constant")), ["adaptive"]
    else:
        wanted, values = learned(make(name, **situation)), others(name, setting, situation)
    values = [v for v in values if row.holds(make(name, **{**situation, setting: v}))]
    assert values
    for value in values:
        assert learned(make(name, **{**situation, setting: value})) == wanted


@pytest.mark.parametrize(("name", "situation", "setting", "value"), ACTS)
def test_nothing_is_said_of_a_setting_that_acts(make, name, situation, setting, value):
    changed = make(name, **{**situation, setting: value})
    told = [
        row for row in INERT if name in row.classes and setting in row.names and row.holds(changed)
    ]
    assert not told
    assert learned(changed) != learned(make(name, **situation))


UNTOLD = {  # no effect on these blocks, and rightly not in the table
    "verbose": "prints",
    "n_jobs": "speed only",
    "copy": "memory only",
    "force_alpha": "acts for alpha below 1e-10",
    "clip": "acts on rows out of the range",
    "reassignment_ratio": "acts on clusters that stay small",
    "transform_alpha": "acts for other transform_algorithm",
    "transform_max_iter": "acts where the path is long",
    "importance_getter": "a path to the same importances",
    "input": "what texts are read from",
    "encoding": "of bytes",
    "decode_error": "of bytes",
    "strip_accents": "acts on accents",
    "token_pattern": "text",
    "tokenizer": "text",
    "positive_code": "acts with fit_algorithm=cd",
    "norm_order": "acts where it moves a feature over the threshold",
}


def silent():
    for name, kind in LEARNERS.items():
        for setting in inspect.signature(kind).parameters:
            if setting not in {*UNTOLD, "random_state"} and others(name, setting, {}):
                yield name, setting


@pytest.mark.parametrize(("name", "setting"), list(silent()))
def test_a_setting_out_of_the_table_changes_some_number(make, name, setting):
    wanted = learned(make(name))
    for value in others(name, setting, {}):
        changed = make(name, **{setting: value})
        rows = [r for r in INERT if name in r.classes and setting in r.names and r.holds(changed)]
        refused = [r for r in REFUSED if name in r.classes and setting == r.name]
        if rows or any(row.holds(changed) for row in refused):
            return
        try:
            if learned(changed) != wanted:
                return
        except ValueError:  # settings that do not go together
            continue
    pytest.fail(f"{name}.{setting} changes nothing")


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        *((name, {"early_stopping": True}) for name in REFUSED[0].classes[:2]),
        *((name, {"early_stopping": True}) for name in REFUSED[0].classes[3:]),
        *((name, {"class_weight": "balanced"}) for name in REFUSED[1].classes),
        ("MLPClassifier", {"solver": "lbfgs"}),
        ("SelectFromModel", {"prefit": True}),
        ("MiniBatchNMF", {"init": "custom"}),
    ],
)
def test_a_refused_setting_is_refused_by_scikit_learn(make, name, settings):
    estimator = make(name, **settings)
    rows = [row for row in REFUSED if name in row.classes and row.name in settings]
    assert [row.holds(estimator) for row in rows] == [True]
    assert not rows[0].holds(make(name))
    with pytest.raises((ValueError, AttributeError)):
        learned(estimator)


def test_lbfgs_is_not_refused_for_a_regressor_and_fits_each_block_to_the_end(make):
    estimator = make("MLPRegressor", solver="lbfgs", max_iter=7)
    (X, y), *_ = blocks("MLPRegressor")[0]
    with pytest.warns(ConvergenceWarning):
        estimator.partial_fit(X, y)
    assert estimator.n_iter_ == 7
    assert any("MLPRegressor" in row.classes and row.holds(estimator) for row in REFUSED[2:3])


def test_every_refused_class_has_the_setting(make):
    missing = [
        (name, row.name)
        for row in REFUSED
        for name in row.classes
        if row.name not in inspect.signature(LEARNERS[name]).parameters
    ]
    assert missing == [("SGDOneClassSVM", "early_stopping")]


def test_a_block_without_a_label_is_refused_by_an_mlp_that_starts_warm():
    estimator = MLPClassifier(warm_start=True)
    with pytest.raises(ValueError, match="warm_start can only be used"):
        estimator.partial_fit(np.eye(3), [0, 1, 0], classes=[0, 1, 2])


def test_only_the_passive_aggressive_classes_are_deprecated():
    deprecated = []
    for name, kind in LEARNERS.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            estimator = kind(**SMALL.get(name, {}))
            parts, arguments = blocks(name)
            estimator.partial_fit(*parts[0], **arguments)
        if any(issubclass(warning.category, FutureWarning) for warning in caught):
            deprecated.append(name)
    assert deprecated == ["PassiveAggressiveClassifier", "PassiveAggressiveRegressor"]


def test_a_negative_power_is_deprecated_by_scikit_learn_and_not_told_of_block_by_block():
    estimator = SGDRegressor(power_t=-0.1)
    X, y = np.eye(3), np.arange(3.0)
    estimator.partial_fit(X, y)
    with pytest.warns(FutureWarning, match="Negative values for `power_t` are deprecated"):
        clone(estimator).set_params(tol=None, max_iter=2).fit(X, y)


def test_a_subclass_is_what_it_extends_unless_it_learns_in_its_own_way():
    class Same(SGDClassifier):
        pass

    class Own(SGDClassifier):
        def partial_fit(self, X, y, **arguments):
            return self.fit(X, y)

    assert "SGDClassifier" in classes_of(Same())
    assert "SGDClassifier" not in classes_of(Own())
    assert "SGDClassifier" not in classes_of(object())


def test_only_what_a_meta_estimator_calls_block_by_block_is_looked_into():
    inner = Perceptron()
    pairs = list(nested("estimator", OneVsRestClassifier(OneVsRestClassifier(inner))))
    assert pairs[-1] == ("estimator.estimator.estimator", inner)
    assert len(list(nested("estimator", Birch(n_clusters=MiniBatchKMeans(max_iter=3))))) == 1


def test_a_setting_is_made_when_it_differs_from_the_default():
    assert made(SGDClassifier(max_iter=1000, tol=None, shuffle=True)) == {"tol": None}
    assert made(MiniBatchKMeans(init=np.zeros((8, 2)))).keys() == {"init"}
    assert made(object()) == {}
