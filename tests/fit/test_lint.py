"""What is said of settings and of the first block."""

import warnings

import numpy as np
import pytest
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import (
    IncrementalPCA,
    LatentDirichletAllocation,
    MiniBatchDictionaryLearning,
    MiniBatchNMF,
)
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import (
    PassiveAggressiveClassifier,
    PassiveAggressiveRegressor,
    Perceptron,
    SGDClassifier,
    SGDOneClassSVM,
    SGDRegressor,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils import all_estimators

from runner.base import Remark
from runner.errors import ConfigError
from runner.fit.lint import NAMES, check_first_block, check_settings

rng = np.random.default_rng(0)
passive_aggressive = pytest.mark.filterwarnings("ignore:Class PassiveAggressive:FutureWarning")


@pytest.mark.parametrize(
    ("key", "estimator", "texts"),
    [
        (
            "estimator",
            SGDClassifier(max_iter=50, tol=None),
            [
                "estimator.max_iter=50 has no effect because each block is learned once in each "
                "epoch. Set fit.epochs, the passes over all blocks.",
                "estimator.tol=null has no effect because nothing that it would stop goes on "
                "within a block. Choose callbacks=[progress_bar,early_stopping] to stop early.",
            ],
        ),
        (
            "estimator",
            SGDClassifier(eta0=0.5),
            [
                "estimator.eta0=0.5 has no effect with learning_rate=optimal. "
                "Set estimator.learning_rate=invscaling, or remove it."
            ],
        ),
        (
            "estimator",
            SGDRegressor(learning_rate="adaptive"),
            [
                "estimator.learning_rate=adaptive has no effect beyond that of constant, because "
                "it is lowered between the epochs of one block only. "
                "Set estimator.learning_rate=invscaling to lower it from row to row."
            ],
        ),
        (
            "estimator",
            MLPClassifier(momentum=0.5),
            [
                "estimator.momentum=0.5 has no effect without solver=sgd. "
                "Set estimator.solver=sgd, or remove it."
            ],
        ),
        (
            "estimator",
            MLPClassifier(warm_start=True),
            [
                "estimator.warm_start=true has no effect but that a block which lacks one of the "
                "labels is refused. Remove it."
            ],
        ),
        (
            "preprocessing.pca",
            IncrementalPCA(batch_size=10),
            [
                "preprocessing.pca.batch_size=10 has no effect because each block is one batch. "
                "Set dataset.chunks, the rows of a block."
            ],
        ),
        (
            "estimator",
            OneVsRestClassifier(OneVsRestClassifier(Perceptron(alpha=1.0))),
            [
                "estimator.estimator.estimator.alpha=1.0 has no effect without a penalty. "
                "Set estimator.estimator.estimator.penalty=l2, or remove it."
            ],
        ),
        (
            "estimator",
            MultiOutputRegressor(SGDRegressor(max_iter=5)),
            [
                "estimator.estimator.max_iter=5 has no effect because each block is learned once "
                "in each epoch. Set fit.epochs, the passes over all blocks."
            ],
        ),
    ],
)
def test_a_setting_without_effect_is_told_with_what_to_do_instead(key, estimator, texts):
    assert check_settings(key, estimator) == [Remark("inert-setting", text) for text in texts]


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_nothing_is_said_of_defaults_except_that_a_class_is_deprecated():
    inner = {"estimator": SGDRegressor()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kinds = [kind for _, kind in all_estimators() if hasattr(kind, "partial_fit")]
    assert len(kinds) > 25
    for kind in kinds:
        takes_inner = "estimator" in kind.__init__.__code__.co_varnames
        remarks = check_settings("estimator", kind(**(inner if takes_inner else {})))
        assert [remark.name for remark in remarks] == (
            ["deprecated"] if kind.__name__.startswith("PassiveAggressive") else []
        )


@pytest.mark.parametrize(
    ("estimator", "said"),
    [
        (
            SGDClassifier(early_stopping=True),
            "estimator.early_stopping must be false, because a block cannot tell when to stop; "
            "got true. Choose callbacks=[progress_bar,early_stopping] to stop early.",
        ),
        (
            OneVsRestClassifier(Perceptron(class_weight="balanced")),
            "estimator.estimator.class_weight must be null or a mapping, because a block does not "
            "know the labels of the others; got balanced. Set fit.class_weight=balanced, which "
            "counts them, or write a weight for each label.",
        ),
        (
            MLPRegressor(solver="lbfgs"),
            "estimator.solver must be adam or sgd, because lbfgs learns from one block alone; "
            "got lbfgs. Remove it for adam.",
        ),
        (
            SelectFromModel(SGDClassifier(), prefit=True),
            "estimator.prefit must be false, because its estimator has not learned yet; "
            "got true. Remove it.",
        ),
        (
            MiniBatchNMF(init="custom"),
            "estimator.init must be another than custom, which takes matrices that a file cannot "
            "hold; got custom. Remove it.",
        ),
        (
            SGDClassifier(alpha=0.0),
            "estimator must have parameters that SGDClassifier accepts together; got alpha must "
            "be > 0 since learning_rate is 'optimal'. alpha is used to compute the optimal "
            "learning rate. Mend it under estimator.",
        ),
        (
            SGDClassifier(learning_rate="pa1", loss="log_loss"),
            "estimator must have parameters that SGDClassifier accepts together; got Learning "
            "rate 'pa1' only works with loss 'hinge'. Mend it under estimator.",
        ),
    ],
)
def test_a_setting_that_no_block_would_survive_is_refused(estimator, said):
    with pytest.raises(ConfigError) as error:
        check_settings("estimator", estimator)
    assert str(error.value) == said


@passive_aggressive
@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
def test_what_replaces_a_passive_aggressive_classifier_is_the_same_model(loss):
    old = PassiveAggressiveClassifier(C=0.3, loss=loss, random_state=0)
    [remark] = check_settings("estimator", old)
    rate = "pa1" if loss == "hinge" else "pa2"
    assert remark == Remark(
        "deprecated",
        "estimator is a PassiveAggressiveClassifier, which scikit-learn 1.10 will not have. Write "
        "{_target_: sklearn.linear_model.SGDClassifier, loss: hinge, penalty: null, "
        f"learning_rate: {rate}, eta0: 0.3}} for the same model.",
    )
    new = SGDClassifier(penalty=None, learning_rate=rate, eta0=0.3, random_state=0)
    X = rng.normal(size=(60, 4))
    for model in (old, new):
        for half in (X[:30], X[30:]):
            model.partial_fit(half, half[:, 0] > 0, classes=[False, True])
    np.testing.assert_array_equal(old.coef_, new.coef_)


@passive_aggressive
@pytest.mark.parametrize(
    ("loss", "rate"), [("epsilon_insensitive", "pa1"), ("squared_epsilon_insensitive", "pa2")]
)
def test_what_replaces_a_passive_aggressive_regressor_is_the_same_model(loss, rate):
    old = PassiveAggressiveRegressor(loss=loss, random_state=0)
    [remark] = check_settings("estimator", old)
    assert (
        "{_target_: sklearn.linear_model.SGDRegressor, loss: epsilon_insensitive, penalty: null, "
        f"learning_rate: {rate}, eta0: 1.0}}" in remark.text
    )
    new = SGDRegressor(
        loss="epsilon_insensitive", penalty=None, learning_rate=rate, eta0=1.0, random_state=0
    )
    X = rng.normal(size=(60, 4))
    for model in (old, new):
        model.partial_fit(X, X[:, 0] * 3)
    np.testing.assert_array_equal(old.coef_, new.coef_)


def test_a_negative_power_is_deprecated():
    estimator = SGDOneClassSVM(power_t=-0.5, learning_rate="invscaling")
    assert check_settings("estimator", estimator) == [
        Remark(
            "deprecated",
            "estimator.power_t=-0.5 is below 0, which scikit-learn 1.10 will refuse. "
            "Set it to 0 or more.",
        )
    ]


def test_the_rows_that_a_block_of_texts_stands_for_are_compared_with_those_there_are():
    estimator = LatentDirichletAllocation()
    assert check_settings("estimator", estimator, n_rows=1797) == [
        Remark(
            "total-samples",
            "estimator.total_samples=1000000, the default, scales each block up to stand for so "
            "many rows, and there are 1797. Set estimator.total_samples=1797.",
        )
    ]
    assert not check_settings("estimator", estimator)
    assert not check_settings("estimator", estimator, n_rows=400_000)
    assert not check_settings("estimator", LatentDirichletAllocation(total_samples=9), n_rows=900)


@pytest.mark.parametrize(
    ("estimator", "shape", "said"),
    [
        (
            MiniBatchKMeans(),
            (7, 3),
            "The first block must have at least 8 rows for estimator.n_clusters=8; got 7 rows. "
            "Set dataset.chunks so that no block is smaller, or lower estimator.n_clusters.",
        ),
        (
            IncrementalPCA(5),
            (4, 10),
            "The first block must have at least 5 rows for estimator.n_components=5; got 4 rows. "
            "Set dataset.chunks so that no block is smaller, or lower estimator.n_components.",
        ),
        (
            IncrementalPCA(11),
            (20, 10),
            "estimator.n_components must be at most the number of features; got 11 with 10 "
            "features. Set estimator.n_components=10 or less.",
        ),
        (
            MiniBatchNMF(5, init="nndsvd"),
            (4, 10),
            "The first block must have at least 5 rows for estimator.n_components=5; got 4 rows. "
            "Set dataset.chunks so that no block is smaller, or lower estimator.n_components.",
        ),
        (
            MiniBatchNMF(init="nndsvda"),
            (4, 10),
            "The first block must have at least 10 rows for estimator.n_components=10; got 4 "
            "rows. Set dataset.chunks so that no block is smaller, or lower "
            "estimator.n_components.",
        ),
    ],
)
def test_a_first_block_that_scikit_learn_refuses_is_refused(estimator, shape, said):
    with pytest.raises(ValueError, match=r"n_components|n_clusters"):
        estimator.partial_fit(np.abs(rng.normal(size=shape)))
    with pytest.raises(ConfigError) as error:
        check_first_block(estimator, *shape)
    assert str(error.value) == said


@pytest.mark.parametrize(
    ("estimator", "shape"),
    [
        (MiniBatchKMeans(n_init=1), (8, 3)),
        (IncrementalPCA(5), (5, 10)),
        (IncrementalPCA(), (10, 10)),
        (MiniBatchNMF(5), (4, 10)),
        (MiniBatchNMF(5, init="random"), (4, 10)),
        (MiniBatchNMF(init="nndsvd"), (10, 10)),
        (MiniBatchDictionaryLearning(5), (4, 10)),
    ],
)
def test_a_first_block_that_scikit_learn_takes_is_let_through_and_a_smaller_last_one(
    estimator, shape
):
    assert check_first_block(estimator, *shape) is None
    assert check_first_block(estimator, shape[0]) is None
    estimator.partial_fit(np.abs(rng.normal(size=shape)))
    estimator.partial_fit(np.abs(rng.normal(size=(2, shape[1]))))


def test_components_that_follow_from_the_first_block_are_told():
    estimator = IncrementalPCA()
    assert check_first_block(estimator, 3, 10, key="preprocessing.pca") == Remark(
        "small-first-block",
        "preprocessing.pca.n_components=null keeps only 3 components of 10 features, as many as "
        "the first block has rows. Set preprocessing.pca.n_components, or raise dataset.chunks.",
    )
    estimator.partial_fit(rng.normal(size=(3, 10)))
    estimator.partial_fit(rng.normal(size=(50, 10)))
    assert estimator.n_components_ == 3


@pytest.mark.parametrize(
    "estimator",
    [
        SGDClassifier(penalty="l3", max_iter=5),
        SGDRegressor(power_t="fast"),
        LatentDirichletAllocation(total_samples="all"),
        OneVsRestClassifier(SGDClassifier(learning_rate="quick")),
    ],
)
def test_values_that_scikit_learn_does_not_know_are_left_to_the_preflight(estimator):
    assert check_settings("estimator", estimator, n_rows=100) == []


def test_a_subclass_is_told_of_what_it_inherits_and_an_estimator_of_others_of_nothing():
    class Mine:
        def __init__(self, max_iter=1):
            self.max_iter = max_iter

        def partial_fit(self, X, y=None):
            return self

    class MySGD(SGDClassifier):
        pass

    assert check_settings("estimator", Mine(max_iter=9)) == []
    assert [remark.name for remark in check_settings("estimator", MySGD(max_iter=9))] == [
        "inert-setting"
    ]
    assert check_first_block(Mine(), 1) is None


def test_each_name_of_a_remark_is_listed_once():
    assert len(set(NAMES)) == len(NAMES)
    assert {"inert-setting", "deprecated", "total-samples", "small-first-block"} <= {*NAMES}
