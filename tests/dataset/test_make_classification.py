import inspect
from dataclasses import fields

import dask
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest
from sklearn.datasets import make_classification
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from threadpoolctl import threadpool_limits

from runner.dataset.dataset import Dataset
from runner.dataset.make_classification import MakeClassification
from runner.errors import ConfigError
from runner.project import builtin

SHARED = set(inspect.signature(make_classification).parameters) - {"return_X_y"}
OWN = {field.name for field in fields(MakeClassification)}
SORTED = {"n_samples": 4000, "shuffle": False, "flip_y": 0.0, "n_informative": 3}


def made(**parameters):
    arrays = MakeClassification(**parameters).arrays()
    return dask.compute(arrays.X, arrays.y, scheduler="sync")


def n_independent(X, _):
    return np.linalg.matrix_rank(X)


def n_useful(X, _):
    return sum(kstest(column, "norm").pvalue < 1e-6 for column in X.T)


def n_repeated(X, _):
    return X.shape[1] - len(np.unique(X, axis=1).T)


def n_changes(_, y):
    return np.count_nonzero(np.diff(y))


def lda_accuracy(X, y):
    return LinearDiscriminantAnalysis(solver="lsqr").fit(X, y).score(X, y)


def n_flipped(_, y):
    return np.count_nonzero(y != made(**SORTED)[1])


def farthest_cluster(X, _):
    return max(np.linalg.norm(rows.mean(axis=0)[:3]) for rows in np.split(X, 4))


EFFECTS = {
    "n_samples": (100, 200, lambda X, _: len(X)),
    "n_features": (20, 30, lambda X, _: X.shape[1]),
    "n_informative": (3, 5, n_useful),
    "n_redundant": (4, 1, n_independent),
    "n_repeated": (0, 3, n_repeated),
    "n_classes": (2, 4, lambda _, y: len(np.unique(y))),
    "n_clusters_per_class": (1, 2, n_changes),
    "weights": ([0.2, 0.8], [0.7, 0.3], lambda _, y: np.mean(y == 0)),
    "flip_y": (0.1, 0.6, n_flipped),
    "class_sep": (0.5, 3.0, lda_accuracy),
    "hypercube": (False, True, farthest_cluster),
    "shift": (0.0, 5.0, lambda X, _: X.mean()),
    "scale": (1.0, 5.0, lambda X, _: X.std()),
    "shuffle": (False, True, n_changes),
    "random_state": (0, 1, lambda X, _: not np.array_equal(X, made(**SORTED)[0])),
    "dtype": ("float32", "float64", lambda X, _: X.itemsize),
}


@pytest.mark.parametrize(
    ("name", "less", "more", "measure"), [(k, *v) for k, v in EFFECTS.items()]
)
def test_a_parameter_has_its_effect(name, less, more, measure):
    low, high = (measure(*made(**{**SORTED, name: value})) for value in (less, more))
    assert low < high


def test_every_parameter_of_scikit_learn_is_there_and_has_its_effect_tested():
    assert OWN - {field.name for field in fields(Dataset)} == SHARED | {"dtype"} == set(EFFECTS)


def test_the_option_lists_every_parameter_with_scikit_learns_default():
    path = builtin("conf") / "dataset" / "make_classification.yaml"
    option = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert option.pop("_target_") == f"{MakeClassification.__module__}.MakeClassification"
    assert (option.pop("random_state"), option.pop("dtype")) == ("${seed}", "float64")
    defaults = inspect.signature(make_classification).parameters
    assert option == {name: defaults[name].default for name in SHARED - {"random_state"}}
    own = MakeClassification()
    assert option == {name: getattr(own, name) for name in option}


@st.composite
def counted(draw):
    """Draw parameters that decide how many rows each class has."""
    n_classes = draw(st.integers(1, 4))
    shares = draw(st.lists(st.floats(0, 1), min_size=n_classes, max_size=n_classes))
    weights = (np.array(shares) / max(1, sum(shares) + 1e-6)).tolist()
    return {
        "n_samples": draw(st.integers(1, 500)),
        "n_classes": n_classes,
        "n_clusters_per_class": draw(st.integers(1, 4)),
        "weights": draw(st.sampled_from([None, weights, weights[:-1] or None])),
        "n_informative": 4,
        "flip_y": 0.0,
    }


@settings(deadline=None, max_examples=60)
@given(parameters=counted())
def test_the_classes_have_exactly_the_rows_of_scikit_learns(parameters):
    _, y = made(**parameters, shuffle=False)
    _, shuffled = made(**parameters)
    _, wanted = make_classification(**parameters, shuffle=False, random_state=0)
    assert y.dtype == wanted.dtype
    assert y.tolist() == wanted.tolist()
    assert np.bincount(shuffled).tolist() == np.bincount(wanted).tolist()


def test_shuffled_rows_of_all_classes_are_in_every_block():
    _, y = made(n_samples=10_000, n_classes=3, n_clusters_per_class=1, flip_y=0.0)
    for block in np.split(y, 10):
        np.testing.assert_allclose(np.bincount(block), 333, atol=90)


def test_unshuffled_columns_are_informative_redundant_repeated_and_noise():
    X, _ = made(**SORTED, n_features=12, n_redundant=2, n_repeated=4, class_sep=2.0)
    useful, repeated, noise = X[:, :5], X[:, 5:9], X[:, 9:]
    assert np.linalg.matrix_rank(useful[:, :3]) == np.linalg.matrix_rank(useful) == 3
    assert all((useful == column[:, None]).all(axis=0).any() for column in repeated.T)
    np.testing.assert_allclose(np.cov(noise.T), np.eye(3), atol=0.1)
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.1)
    assert np.abs(np.corrcoef(X.T)[:5, 9:]).max() < 0.1


def test_shuffled_columns_are_the_same_kinds_in_another_order():
    common = {**SORTED, "n_features": 10, "n_repeated": 2, "class_sep": 5.0}
    X, shuffled = made(**common)[0], made(**{**common, "shuffle": True})[0]
    stds, shuffled_stds = X.std(axis=0), shuffled.std(axis=0)
    np.testing.assert_allclose(np.sort(shuffled_stds), np.sort(stds), atol=0.1)
    assert np.abs(shuffled_stds - stds).max() > 0.5


def test_every_cluster_is_around_a_corner_of_its_own():
    X, _ = made(
        n_samples=80_000, n_informative=3, n_classes=4, class_sep=3.0, shuffle=False, flip_y=0.0
    )
    centers = np.array([rows.mean(axis=0)[:3] for rows in np.split(X, 8)])
    np.testing.assert_allclose(np.abs(centers), 3.0, atol=0.1)
    assert len({tuple(corner) for corner in np.sign(centers)}) == 8


def test_the_corners_of_a_polytope_are_inside_the_hypercube():
    X, _ = made(**{**SORTED, "n_samples": 80_000}, hypercube=False, class_sep=3.0)
    centers = np.array([rows.mean(axis=0)[:3] for rows in np.split(X, 4)])
    assert np.abs(centers).max() < 3.0
    assert len(np.unique(np.abs(centers).round(1))) > 2


def test_more_informative_columns_than_bits_still_give_different_corners():
    X, _ = made(**{**SORTED, "n_informative": 60}, n_features=60, n_redundant=0, class_sep=100.0)
    centers = np.array([rows.mean(axis=0) for rows in np.split(X, 4)])
    np.testing.assert_allclose(np.abs(centers), 100, atol=2)
    assert len(np.unique(np.sign(centers), axis=0)) == 4


@pytest.mark.parametrize("n_classes", [2, 5])
def test_flipped_labels_are_drawn_from_all_classes_and_change_nothing_else(n_classes):
    common = {"n_samples": 40_000, "n_classes": n_classes, "n_informative": 4}
    X, y = made(**common, flip_y=0.0)
    X_flipped, flipped = made(**common, flip_y=0.4)
    np.testing.assert_array_equal(X, X_flipped)
    assert np.mean(y != flipped) == pytest.approx(0.4 * (1 - 1 / n_classes), abs=0.015)
    np.testing.assert_allclose(np.bincount(flipped), 40_000 / n_classes, rtol=0.05)


def test_shift_and_scale_are_those_given_the_shift_first():
    X, _ = made()
    shift, scale = np.arange(20.0).tolist(), np.arange(1.0, 21).tolist()
    np.testing.assert_array_equal(made(shift=2.0)[0], X + 2.0)
    np.testing.assert_array_equal(made(scale=3.0)[0], X * 3.0)
    np.testing.assert_array_equal(made(shift=2.0, scale=3.0)[0], (X + 2.0) * 3.0)
    unshuffled, _ = made(shuffle=False)
    moved, _ = made(shuffle=False, shift=shift, scale=scale)
    np.testing.assert_array_equal(moved, (unshuffled + shift) * scale)


def test_a_shift_and_a_scale_of_null_are_drawn_for_each_column():
    X, _ = made(n_features=500, class_sep=2.0)
    shift = (made(n_features=500, class_sep=2.0, shift=None)[0] - X).mean(axis=0)
    scale = (made(n_features=500, class_sep=2.0, scale=None)[0] / X).mean(axis=0)
    for drawn, low, high in [(shift, -2, 2), (scale, 1, 100)]:
        assert low <= drawn.min() < low + 0.1 * (high - low)
        assert high - 0.1 * (high - low) < drawn.max() <= high
        assert drawn.mean() == pytest.approx((low + high) / 2, abs=0.1 * (high - low))


def test_float32_is_the_same_content_rounded():
    X, y = made()
    rounded, same = made(dtype="float32")
    np.testing.assert_array_equal(rounded, X.astype(np.float32))
    np.testing.assert_array_equal(same, y)


MEASURES = {
    "mean": lambda X, _: X.mean(),
    "std": lambda X, _: X.std(),
    "kurtosis": lambda X, _: np.log(np.mean((X - X.mean()) ** 4)),
    "first principal component": lambda X, _: np.linalg.eigvalsh(np.cov(X.T))[-1] / X.var(),
    "share of class 0": lambda _, y: np.mean(y == 0),
    "accuracy": lda_accuracy,
}
PROBLEMS = {
    "default": {},
    "wide": {"n_features": 30, "n_informative": 10, "n_redundant": 8, "n_repeated": 5},
    "hard": {"class_sep": 0.3, "flip_y": 0.3, "hypercube": False},
    "unequal": {"n_classes": 3, "n_informative": 4, "weights": [0.6, 0.3], "class_sep": 2.0},
    "moved": {"shift": None, "scale": 2.0, "n_clusters_per_class": 1},
}


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_the_law_is_scikit_learns(problem):
    seeds = range(30)
    ours = [made(n_samples=400, random_state=seed, **problem) for seed in seeds]
    theirs = [make_classification(n_samples=400, random_state=seed, **problem) for seed in seeds]
    for name, measure in MEASURES.items():
        with threadpool_limits(1):
            mine, other = (np.array([measure(X, y) for X, y in sets]) for sets in (ours, theirs))
        error = np.sqrt((mine.var() + other.var()) / len(seeds)) + 1e-6
        assert abs(mine.mean() - other.mean()) < 4 * error, name


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        (
            {"n_features": 5, "n_informative": 3, "n_redundant": 2, "n_repeated": 1},
            "dataset.n_features must be at least n_informative + n_redundant + n_repeated; "
            "got 5 for 3 + 2 + 1 columns. Write dataset.n_features=6 or more.",
        ),
        (
            {"n_classes": 3, "n_clusters_per_class": 3, "n_informative": 3},
            "dataset.n_informative must give every cluster a corner: 2 ** n_informative of them "
            "for n_classes * n_clusters_per_class clusters; got 3 for 9 clusters. "
            "Write dataset.n_informative=4 or more, or ask for fewer clusters.",
        ),
        (
            {"weights": [0.2, 0.3, 0.5]},
            "dataset.weights must give one share for each class, the last of which may be left "
            "out; got 3 shares for 2 classes. Write 2 numbers that sum to 1.",
        ),
        (
            {"weights": [0.9, 0.2]},
            "dataset.weights must sum to 1 at most; got [0.9, 0.2], which sum to 1.1. "
            "Write the share of each class, such as [0.9, 0.1].",
        ),
        (
            {"shift": [1.0, 2.0]},
            "dataset.shift must be one number, or one for each feature; "
            "got 2 numbers for 20 features. Write a list of 20 numbers.",
        ),
        (
            {"n_samples": 1e9},
            "dataset.n_samples must be an integer of at least 1; got 1000000000.0. "
            "Correct it, or leave it out for the default, 100.",
        ),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(parameters, said):
    with pytest.raises(ConfigError) as refused:
        MakeClassification(**parameters)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_samples", 0),
        ("n_features", 0),
        ("n_informative", 0),
        ("n_redundant", -1),
        ("n_repeated", -1),
        ("n_classes", 0),
        ("n_clusters_per_class", 0),
        ("weights", 0.5),
        ("weights", [-0.1, 1.0]),
        ("flip_y", 1.1),
        ("class_sep", 0),
        ("hypercube", "yes"),
        ("shift", "1"),
        ("scale", 0),
        ("shuffle", 1),
        ("random_state", -1),
        ("random_state", None),
        ("dtype", "float16"),
    ],
)
def test_a_value_that_scikit_learn_refuses_is_refused_by_its_key(name, value):
    with pytest.raises(ConfigError, match=rf"^dataset\.{name} must be .*; got "):
        MakeClassification(**{name: value})


@pytest.mark.parametrize(("n_samples", "chunks"), [(1, "auto"), (3, 1), (5000, 7)])
def test_any_number_of_rows_can_be_cut_into_any_blocks(n_samples, chunks):
    arrays = MakeClassification(n_samples=n_samples, chunks=chunks).arrays()
    assert arrays.X.shape == (n_samples, 20)
    assert arrays.X.blocks[-1].compute(scheduler="sync").shape == arrays.X.blocks[-1].shape
