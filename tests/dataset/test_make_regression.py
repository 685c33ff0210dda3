import inspect
from dataclasses import fields

import dask
import numpy as np
import pytest
import yaml
from scipy.stats import kstest
from sklearn.datasets import make_low_rank_matrix, make_regression

from runner.dataset.dataset import Dataset
from runner.dataset.make_regression import MakeRegression
from runner.errors import ConfigError
from runner.project import builtin

SHARED = set(inspect.signature(make_regression).parameters) - {"coef"}
BASE = {"n_samples": 5000, "n_features": 20}


def made(**parameters):
    arrays = MakeRegression(**parameters).arrays()
    return dask.compute(arrays.X, arrays.y, scheduler="sync")


def fitted(X, y):
    """Return the coefficients, the intercept last, and the residuals of a linear model."""
    design = np.hstack([X, np.ones((len(X), 1))])
    coefficients = np.linalg.lstsq(design, y, rcond=None)[0]
    return coefficients, y - design @ coefficients


def n_informative(X, y):
    return np.count_nonzero(np.abs(fitted(X, y)[0]) > 1e-6)


def last_informative(X, y):
    return np.flatnonzero(np.abs(fitted(X, y)[0]) > 1e-6)[-1]


def tail(X, _):
    """Return what share of the singular values' sum is not of the first ten."""
    values = np.linalg.svd(X, compute_uv=False)
    return values[10:].sum() / values.sum()


EFFECTS = {
    "n_samples": (100, 200, {}, lambda X, _: len(X)),
    "n_features": (20, 30, {}, lambda X, _: X.shape[1]),
    "n_informative": (3, 12, {}, n_informative),
    "n_targets": (1, 4, {}, lambda _, y: y.size),
    "bias": (-5.0, 7.0, {}, lambda X, y: fitted(X, y)[0][-1]),
    "effective_rank": (2, 8, {"tail_strength": 0.0}, tail),
    "tail_strength": (0.1, 0.9, {"effective_rank": 3}, tail),
    "noise": (0.0, 10.0, {}, lambda X, y: fitted(X, y)[1].std()),
    "shuffle": (False, True, {"n_informative": 5}, last_informative),
    "random_state": (0, 1, {}, lambda X, _: not np.array_equal(X, made(**BASE)[0])),
    "dtype": ("float32", "float64", {}, lambda X, y: X.itemsize + y.itemsize),
}


@pytest.mark.parametrize("name", EFFECTS)
def test_a_parameter_has_its_effect(name):
    less, more, others, measure = EFFECTS[name]
    low, high = (measure(*made(**{**BASE, **others, name: value})) for value in (less, more))
    assert low < high


def test_every_parameter_of_scikit_learn_is_there_and_has_its_effect_tested():
    own = {field.name for field in fields(MakeRegression)} - {f.name for f in fields(Dataset)}
    assert own == SHARED | {"dtype"} == set(EFFECTS)


def test_the_option_lists_every_parameter_with_scikit_learns_default():
    path = builtin("conf") / "dataset" / "make_regression.yaml"
    option = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert option.pop("_target_") == f"{MakeRegression.__module__}.MakeRegression"
    assert (option.pop("random_state"), option.pop("dtype")) == ("${seed}", "float64")
    defaults = inspect.signature(make_regression).parameters
    assert option == {name: defaults[name].default for name in SHARED - {"random_state"}}
    own = MakeRegression()
    assert option == {name: getattr(own, name) for name in option}


def test_without_noise_y_is_linear_in_the_informative_columns():
    X, y = made(n_samples=3000, n_features=40, n_informative=15, bias=3.0)
    coefficients, residuals = fitted(X, y)
    np.testing.assert_allclose(residuals, 0, atol=1e-9)
    assert coefficients[-1] == pytest.approx(3.0)
    informative = coefficients[:-1][np.abs(coefficients[:-1]) > 1e-6]
    assert len(informative) == 15
    assert informative.min() > 0
    assert informative.max() < 100


def test_coefficients_are_uniform_up_to_a_hundred():
    X, y = made(n_samples=1000, n_features=300, n_informative=300)
    assert kstest(fitted(X, y)[0][:-1] / 100, "uniform").pvalue > 1e-3


def test_unshuffled_informative_columns_come_first():
    X, y = made(**BASE, n_informative=6, shuffle=False)
    assert np.flatnonzero(np.abs(fitted(X, y)[0]) > 1e-6).tolist() == list(range(6))


def test_shuffled_informative_columns_are_anywhere():
    X, y = made(**BASE, n_informative=6)
    assert np.flatnonzero(np.abs(fitted(X, y)[0]) > 1e-6).tolist() != list(range(6))


def test_noise_has_the_standard_deviation_asked_for_in_every_target():
    X, y = made(n_samples=20_000, n_features=5, n_targets=3, noise=7.0)
    residuals = fitted(X, y)[1]
    np.testing.assert_allclose(residuals.std(axis=0), 7.0, rtol=0.03)
    np.testing.assert_allclose(np.corrcoef(residuals.T), np.eye(3), atol=0.03)


def test_targets_have_coefficients_of_their_own():
    X, y = made(**BASE, n_targets=3, n_informative=4)
    assert y.shape == (5000, 3)
    coefficients = fitted(X, y)[0]
    assert len(np.unique(np.abs(coefficients[np.abs(coefficients) > 1e-6]).round(6))) == 12


def test_one_target_has_one_dimension():
    assert made(n_targets=1)[1].shape == (100,)


def test_more_informative_columns_than_columns_are_all_columns_as_in_scikit_learn():
    X, y = made(n_samples=100, n_features=5, n_informative=10)
    assert n_informative(X, y) == 5


def test_there_may_be_no_informative_column():
    np.testing.assert_array_equal(made(n_informative=0, bias=2.0)[1], 2.0)


def test_columns_without_a_rank_are_independent_and_standard_normal():
    X, _ = made(n_samples=20_000, n_features=5)
    np.testing.assert_allclose(np.cov(X.T), np.eye(5), atol=0.04)
    assert all(kstest(column, "norm").pvalue > 1e-3 for column in X.T)


@pytest.mark.parametrize(("rank", "tail_strength"), [(3, 0.0), (10, 0.5), (5, 1.0)])
def test_a_rank_gives_x_the_singular_values_of_scikit_learns(rank, tail_strength):
    shape = {"n_samples": 40_000, "n_features": 25}
    X, _ = made(**shape, effective_rank=rank, tail_strength=tail_strength)
    values = np.linalg.svd(X, compute_uv=False)
    theirs = make_low_rank_matrix(
        **shape, effective_rank=rank, tail_strength=tail_strength, random_state=0
    )
    wanted = np.linalg.svd(theirs, compute_uv=False)
    large = wanted > 1e-3
    np.testing.assert_allclose(values[large], wanted[large], rtol=0.04)
    assert np.all(values[~large] < 2e-3)


def test_the_singular_values_are_those_in_expectation_also_for_few_rows():
    shape = {"n_samples": 60, "n_features": 20, "effective_rank": 4}
    squares = np.mean([np.sum(made(**shape, random_state=seed)[0] ** 2) for seed in range(200)])
    theirs = make_low_rank_matrix(**shape, random_state=0)
    assert squares == pytest.approx(np.sum(theirs**2), rel=0.03)


def test_a_rank_may_be_asked_of_fewer_rows_than_columns():
    X, _ = made(n_samples=10, n_features=30, effective_rank=2)
    assert X.shape == (10, 30)
    assert np.linalg.matrix_rank(X) == 10


def test_float32_is_the_same_content_rounded():
    for values, rounded in zip(made(), made(dtype="float32"), strict=True):
        np.testing.assert_array_equal(rounded, values.astype(np.float32))


@pytest.mark.parametrize(
    "problem",
    [{}, {"n_informative": 3, "noise": 20.0, "bias": 5.0}, {"effective_rank": 5, "n_targets": 2}],
)
def test_the_law_is_scikit_learns(problem):
    measures = [
        *(lambda X, _: X.mean(), lambda X, _: X.std()),
        *(lambda _, y: y.mean(), lambda _, y: y.std()),
    ]
    shape = {"n_samples": 500, "n_features": 20}
    ours = [made(**shape, random_state=seed, **problem) for seed in range(40)]
    theirs = [make_regression(**shape, random_state=seed, **problem) for seed in range(40)]
    for measure in measures:
        mine, other = (np.array([measure(X, y) for X, y in sets]) for sets in (ours, theirs))
        error = np.sqrt((mine.var() + other.var()) / 40) + 1e-6
        assert abs(mine.mean() - other.mean()) < 4 * error


def test_a_tail_without_a_rank_is_refused_as_it_has_no_effect():
    with pytest.raises(ConfigError) as refused:
        MakeRegression(tail_strength=0.9)
    assert str(refused.value) == (
        "dataset.tail_strength must be left out where there is no dataset.effective_rank, as it "
        "would have no effect; got 0.9. "
        "Write dataset.effective_rank=10 as well, or leave out the tail_strength."
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_samples", 0),
        ("n_features", 0),
        ("n_informative", -1),
        ("n_targets", 0),
        ("bias", float("inf")),
        ("effective_rank", 0),
        ("tail_strength", 1.5),
        ("noise", -1.0),
        ("shuffle", None),
        ("random_state", -1),
        ("dtype", "int64"),
    ],
)
def test_a_value_that_scikit_learn_refuses_is_refused_by_its_key(name, value):
    with pytest.raises(ConfigError, match=rf"^dataset\.{name} must be .*; got "):
        MakeRegression(**{name: value})
