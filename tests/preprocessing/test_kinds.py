"""Every transformer is of a kind, and learns accordingly."""

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer
from sklearn.feature_selection import SelectFromModel, SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)
from sklearn.random_projection import SparseRandomProjection

from runner.errors import ConfigError
from runner.preprocessing.categories import Categories
from runner.preprocessing.kinds import WIDTH_ONLY, learning_of
from runner.preprocessing.learning import Need

KEY = "preprocessing.a"
STATELESS = [
    HashingVectorizer(),
    Normalizer(),
    Binarizer(),
    FunctionTransformer(),
    FrozenEstimator(MinMaxScaler().fit([[0.0], [1.0]])),
    Pipeline([("norm", Normalizer()), ("none", "passthrough")]),
]
BY_BLOCK = [StandardScaler(), IncrementalPCA(), OneHotEncoder(), OrdinalEncoder()]
BY_WIDTH = [
    PolynomialFeatures(),
    RBFSampler(),
    SparseRandomProjection(3),
    SimpleImputer(strategy="constant"),
    MissingIndicator(features="all"),
    SplineTransformer(knots=[[0.0], [1.0]]),
    CountVectorizer(vocabulary=["a"]),
    OneHotEncoder(categories=[["a", "b"]]),
    OrdinalEncoder(categories=[["a", "b"]]),
]
BY_FIRST_ROWS = [
    Nystroem(),
    PCA(),
    SelectKBest(),
    TfidfTransformer(),
    KBinsDiscretizer(),
    QuantileTransformer(),
    SimpleImputer(),
    SimpleImputer(strategy="constant", add_indicator=True),
    RBFSampler(gamma="scale"),
    SparseRandomProjection(),
    SplineTransformer(),
    OneHotEncoder(categories=[["a", "b"]], max_categories=2),
    SelectFromModel(SGDClassifier()),
]


def by_name(stage):
    return type(stage).__name__


@pytest.mark.parametrize("stage", STATELESS, ids=by_name)
def test_a_stateless_stage_needs_no_block(stage):
    assert learning_of(KEY, stage).need is Need.NOTHING


@pytest.mark.parametrize("stage", BY_BLOCK, ids=by_name)
def test_a_stage_that_can_learn_block_by_block_needs_every_block(stage):
    learning = learning_of(KEY, stage)
    assert (learning.need, learning.first_block_only) == (Need.EVERY_BLOCK, ())


@pytest.mark.parametrize("stage", BY_WIDTH, ids=by_name)
def test_a_stage_that_learns_the_number_of_columns_needs_the_first_block(stage):
    learning = learning_of(KEY, stage)
    assert (learning.need, learning.first_block_only) == (Need.FIRST_BLOCK, ())


@pytest.mark.parametrize("stage", BY_FIRST_ROWS, ids=by_name)
def test_a_stage_that_learns_from_the_first_rows_alone_says_so(stage):
    learning = learning_of(KEY, stage)
    assert (learning.need, learning.first_block_only) == (Need.FIRST_BLOCK, (KEY,))


NUMERIC = [
    stage
    for stage in BY_WIDTH
    if isinstance(stage, PolynomialFeatures | RBFSampler | SparseRandomProjection | SimpleImputer)
]


@pytest.mark.parametrize("stage", NUMERIC, ids=by_name)
def test_what_depends_on_the_width_alone_is_the_same_from_any_rows(stage, held):
    from sklearn.base import clone

    assert type(stage) in WIDTH_ONLY
    seeded = clone(stage)
    if "random_state" in seeded.get_params():
        seeded.set_params(random_state=3)
    rng = np.random.default_rng(0)
    first, other = (clone(seeded).fit(rng.normal(size=(n, 8))) for n in (5, 9))
    assert held(first) == held(other)


def test_the_parts_of_a_composed_stage_are_told_apart():
    stage = FeatureUnion([["scaled", StandardScaler()], ["best", SelectKBest()]])
    learning = learning_of(KEY, stage)
    assert (learning.need, learning.first_block_only) == (Need.EVERY_BLOCK, (f"{KEY}.best",))


def test_encoders_with_given_and_found_categories_differ():
    assert isinstance(learning_of(KEY, OneHotEncoder()), Categories)
    assert not isinstance(learning_of(KEY, OneHotEncoder(categories=[["a"]])), Categories)


@pytest.mark.parametrize("stage", [SGDClassifier(), StandardScaler, object(), "drop", None])
def test_what_is_no_transformer_is_refused(stage):
    with pytest.raises(ConfigError, match=r"preprocessing\.a must be a transformer, with fit and"):
        learning_of(KEY, stage)


def test_what_scikit_learn_refuses_is_told_before_the_first_block():
    with pytest.raises(ConfigError) as caught:
        learning_of(KEY, Normalizer(norm="l3"))
    assert "preprocessing.a must have parameters that Normalizer accepts" in str(caught.value)


@pytest.mark.parametrize(
    ("stage", "key"),
    [
        (ColumnTransformer([["a", Normalizer()]]), "transformers"),
        (ColumnTransformer("a"), "transformers"),
        (Pipeline([Normalizer()]), "steps"),
        (FeatureUnion({"a": Normalizer()}), "transformer_list"),
    ],
)
def test_a_composed_stage_must_list_its_parts(stage, key):
    with pytest.raises(ConfigError, match=rf"preprocessing\.a\.{key} must be a list of lists"):
        learning_of(KEY, stage)


@pytest.mark.parametrize(
    ("stage", "key"),
    [
        (ColumnTransformer([("a", Normalizer(), [0]), ("a", Binarizer(), [1])]), "transformers"),
        (ColumnTransformer([("remainder", Normalizer(), [0])]), "transformers"),
        (Pipeline([["a__b", Normalizer()]]), "steps"),
        (FeatureUnion([[1, Normalizer()]]), "transformer_list"),
    ],
)
def test_parts_without_names_of_their_own_are_refused(stage, key):
    with pytest.raises(ConfigError, match=rf"preprocessing\.a\.{key} must give each part a name"):
        learning_of(KEY, stage)


def test_a_function_may_be_named():
    learning = learning_of(KEY, FunctionTransformer("numpy.log1p", inverse_func="numpy.expm1"))
    assert learning.stage.func is np.log1p
    assert learning.stage.inverse_func is np.expm1


def test_a_function_that_does_not_exist_is_told():
    with pytest.raises(ConfigError, match=r"preprocessing\.a\.func must name something of numpy"):
        learning_of(KEY, FunctionTransformer("numpy.log1"))
