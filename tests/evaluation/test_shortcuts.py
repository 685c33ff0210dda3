"""A shortcut gives scikit-learn's bits, or there is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import get_scorer

from runner.evaluation.replay import Replay
from runner.evaluation.shortcuts import FORMULAS, shortcut

SIZES = st.integers(1, 40)
WEIGHTS = st.sampled_from([None, np.float64, np.float32, np.int64])


def by_scikit_learn(name, y, predicted, weight):
    return get_scorer(name)(Replay({"predict": predicted}), None, y, sample_weight=weight)


def weights(data, dtype, size):
    if dtype is None:
        return None
    return data.draw(hnp.arrays(np.int64, size, elements=st.integers(1, 9))).astype(dtype) / 3


@given(st.data(), SIZES, WEIGHTS, st.sampled_from(["int64", "uint8", "bool", "U3"]))
@settings(deadline=None, max_examples=60)
def test_accuracy_has_the_bits_of_scikit_learn(data, size, weight_dtype, dtype):
    y, predicted = (
        data.draw(hnp.arrays(np.int64, size, elements=st.integers(0, 3))).astype(dtype)
        for _ in range(2)
    )
    weight = weights(data, weight_dtype, size)
    score = shortcut("accuracy", y, predicted, weight)
    assert score == by_scikit_learn("accuracy", y, predicted, weight)


@given(
    st.data(),
    SIZES,
    WEIGHTS,
    st.tuples(
        st.sampled_from([np.float64, np.float32, np.int32]),
        st.sampled_from([np.float64, np.float32]),
    ),
)
@settings(deadline=None, max_examples=100)
def test_regression_scores_have_the_bits_of_scikit_learn(data, size, weight_dtype, dtypes):
    y, predicted = (
        data.draw(hnp.arrays(np.float32, size, elements=st.floats(-1e3, 1e3, width=32))).astype(
            dtype
        )
        for dtype in dtypes
    )
    weight = weights(data, weight_dtype, size)
    for name in FORMULAS:
        score = shortcut(name, y, predicted, weight)
        if score is not None:
            assert score == by_scikit_learn(name, y, predicted, weight)


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("n_rows", [10, 100_000])
def test_a_plain_block_takes_the_shortcut_and_has_the_bits_of_scikit_learn(name, n_rows):
    rng = np.random.default_rng(0)
    y, predicted = rng.normal(size=(2, n_rows))
    assert shortcut(name, y, predicted) == by_scikit_learn(name, y, predicted, None)


@pytest.mark.parametrize(
    ("name", "y", "predicted", "weight"),
    [
        ("f1", [0, 1], [0, 1], None),
        ("accuracy", [0.0, 1.0], [0, 1], None),
        ("accuracy", ["a", "b"], [0, 1], None),
        ("accuracy", [[0], [1]], [0, 1], None),
        ("accuracy", [0, 1], [0, 1], [0.0, 0.0]),
        ("r2", [1.0], [1.0], None),
        ("r2", [1.0, 1.0], [1.0, 2.0], None),
        ("r2", [1.0, np.nan], [1.0, 2.0], None),
        ("r2", ["1", "2"], [1.0, 2.0], None),
        ("neg_mean_squared_error", [1.0, 2.0], [np.inf, 2.0], None),
        ("neg_mean_squared_error", [1e300, 2.0], [-1e300, 2.0], None),
        ("neg_mean_squared_error", [[1.0, 2.0]], [[1.0, 2.0]], None),
    ],
)
def test_what_is_not_plain_is_left_to_scikit_learn(name, y, predicted, weight):
    weight = None if weight is None else np.array(weight)
    assert shortcut(name, np.array(y), np.array(predicted), weight) is None


def test_half_precision_and_missing_predictions_are_left_to_scikit_learn():
    half = np.array([1.0, 2.0], dtype=np.float16)
    assert shortcut("r2", half, half) is None
    assert shortcut("r2", np.array([1.0, 2.0]), None) is None
