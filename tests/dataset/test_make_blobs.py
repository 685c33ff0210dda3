import inspect
from dataclasses import fields

import dask
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest
from sklearn.datasets import make_blobs

from runner.dataset.dataset import Dataset
from runner.dataset.make_blobs import MakeBlobs
from runner.errors import ConfigError, DatasetError
from runner.project import builtin

SHARED = set(inspect.signature(make_blobs).parameters) - {"return_centers"}
POINTS = [[0.0, 0.0, 5.0], [10.0, -10.0, 0.0]]


def made(**parameters):
    arrays = MakeBlobs(**parameters).arrays()
    return dask.compute(arrays.X, arrays.y, scheduler="sync")


def centers_of(X, y):
    return np.array([X[y == blob].mean(axis=0) for blob in np.unique(y)])


def spread(X, y):
    return (X - centers_of(X, y)[y]).std()


EFFECTS = {
    "n_samples": (100, 200, lambda X, _: len(X)),
    "n_features": (2, 5, lambda X, _: X.shape[1]),
    "centers": (2, 6, lambda _, y: len(np.unique(y))),
    "cluster_std": (0.5, 2.0, spread),
    "center_box": ([-1.0, 1.0], [50.0, 60.0], lambda X, _: X.mean()),
    "shuffle": (False, True, lambda _, y: np.count_nonzero(np.diff(y))),
    "random_state": (0, 1, lambda X, _: not np.array_equal(X, made()[0])),
    "dtype": ("float32", "float64", lambda X, _: X.itemsize),
}


@pytest.mark.parametrize("name", EFFECTS)
def test_a_parameter_has_its_effect(name):
    less, more, measure = EFFECTS[name]
    low, high = (measure(*made(**{name: value})) for value in (less, more))
    assert low < high


def test_every_parameter_of_scikit_learn_is_there_and_has_its_effect_tested():
    own = {field.name for field in fields(MakeBlobs)} - {field.name for field in fields(Dataset)}
    assert own == SHARED | {"dtype"} == set(EFFECTS)


def test_the_option_lists_every_parameter_with_scikit_learns_default():
    path = builtin("conf") / "dataset" / "make_blobs.yaml"
    option = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert option.pop("_target_") == f"{MakeBlobs.__module__}.MakeBlobs"
    assert (option.pop("random_state"), option.pop("dtype")) == ("${seed}", "float64")
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(make_blobs).parameters.items()
        if name in SHARED - {"random_state"}
    }
    assert option == {**defaults, "center_box": list(defaults["center_box"])}
    own = MakeBlobs()
    assert option == {name: getattr(own, name) for name in option}


@settings(deadline=None, max_examples=60)
@given(
    n_samples=st.integers(1, 300) | st.lists(st.integers(1, 60), min_size=1, max_size=6),
    centers=st.none() | st.integers(1, 7),
)
def test_the_blobs_have_exactly_the_rows_of_scikit_learns(n_samples, centers):
    centers = None if isinstance(n_samples, list) else centers
    _, y = made(n_samples=n_samples, centers=centers, shuffle=False)
    _, shuffled = made(n_samples=n_samples, centers=centers)
    _, wanted = make_blobs(n_samples, centers=centers, shuffle=False, random_state=0)
    assert y.dtype == wanted.dtype
    assert y.tolist() == wanted.tolist()
    assert sorted(shuffled.tolist()) == wanted.tolist()


def test_a_blob_may_be_empty():
    assert np.bincount(made(n_samples=[3, 0, 2])[1]).tolist() == [3, 0, 2]


def test_shuffled_rows_of_all_blobs_are_in_every_block():
    _, y = made(n_samples=9000)
    for block in np.split(y, 10):
        np.testing.assert_allclose(np.bincount(block), 300, atol=90)


def test_a_dataset_of_empty_blobs_is_refused():
    with pytest.raises(DatasetError, match="must have at least one row"):
        MakeBlobs(n_samples=[0, 0]).split()


@pytest.mark.parametrize("centers", [2, None])
def test_drawn_blobs_are_as_many_as_asked_for_or_three(centers):
    assert len(np.unique(made(centers=centers)[1])) == (centers or 3)


@pytest.mark.parametrize("n_samples", [20_000, [5_000, 15_000]])
def test_blobs_are_around_the_points_given(n_samples):
    X, y = made(n_samples=n_samples, centers=POINTS, n_features=3)
    np.testing.assert_allclose(centers_of(X, y), POINTS, atol=0.06)


@pytest.mark.parametrize("n_samples", [30_000, [10_000, 5_000, 15_000]])
def test_every_blob_has_its_own_spread(n_samples):
    X, y = made(n_samples=n_samples, cluster_std=[0.1, 1.0, 5.0])
    stds = [(X[y == blob] - centers_of(X, y)[blob]).std() for blob in range(3)]
    np.testing.assert_allclose(stds, [0.1, 1.0, 5.0], rtol=0.05)


def test_a_blob_is_normal_and_the_same_in_every_direction():
    X, _ = made(n_samples=20_000, centers=1, n_features=4, cluster_std=2.0)
    blob = (X - X.mean(axis=0)) / 2
    np.testing.assert_allclose(np.cov(blob.T), np.eye(4), atol=0.05)
    assert all(kstest(column, "norm").pvalue > 1e-3 for column in blob.T)


def test_without_spread_every_row_is_its_center():
    X, y = made(cluster_std=0.0)
    assert len(np.unique(X, axis=0)) == 3
    np.testing.assert_allclose(X, centers_of(X, y)[y])


def test_drawn_centers_are_uniform_in_the_box():
    X, _ = made(n_samples=500, centers=500, cluster_std=0.0, center_box=[2.0, 4.0])
    assert kstest(X.ravel(), "uniform", args=(2.0, 2.0)).pvalue > 1e-3


def test_float32_is_the_same_content_rounded():
    X, y = made()
    rounded, same = made(dtype="float32")
    np.testing.assert_array_equal(rounded, X.astype(np.float32))
    np.testing.assert_array_equal(same, y)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        (
            {"n_samples": [10, 20], "centers": 2},
            "dataset.centers must be null or one point for each entry of n_samples; "
            "got 2 for 2 entries. Leave it out, or write a list of 2 points.",
        ),
        (
            {"n_samples": [10, 20], "centers": [[0, 0]]},
            "dataset.centers must be null or one point for each entry of n_samples; "
            "got [[0, 0]] for 2 entries. Leave it out, or write a list of 2 points.",
        ),
        (
            {"centers": POINTS},
            "dataset.centers must have n_features coordinates each; got points of 3 for "
            "n_features=2. Write dataset.n_features=3, or mend the points.",
        ),
        (
            {"centers": [[1, 2], [3]]},
            "dataset.centers must have n_features coordinates each; got points of 1 and 2 for "
            "n_features=2. Write dataset.n_features=2, or mend the points.",
        ),
        (
            {"centers": [[1, 2]], "center_box": [0, 1]},
            "dataset.center_box must be left out where dataset.centers are points, as it would "
            "have no effect; got [0, 1]. Leave out the box, or write how many centers to draw.",
        ),
        (
            {"center_box": [1, 0]},
            "dataset.center_box must be a lower and an upper bound; got [1, 0]. "
            "Write dataset.center_box=[-10, 10].",
        ),
        (
            {"center_box": [0, 1, 2]},
            "dataset.center_box must be a lower and an upper bound; got [0, 1, 2]. "
            "Write dataset.center_box=[-10, 10].",
        ),
        (
            {"cluster_std": [1.0, 2.0]},
            "dataset.cluster_std must be one number, or one for each blob; got 2 numbers for 3 "
            "blobs. Write a list of 3 numbers.",
        ),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(parameters, said):
    with pytest.raises(ConfigError) as refused:
        MakeBlobs(**parameters)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_samples", 0),
        ("n_samples", []),
        ("n_samples", [3, -1]),
        ("n_features", 0),
        ("centers", 0),
        ("centers", [1, 2]),
        ("cluster_std", -1.0),
        ("center_box", "wide"),
        ("shuffle", "no"),
        ("random_state", 0.5),
        ("dtype", None),
    ],
)
def test_a_value_that_scikit_learn_refuses_is_refused_by_its_key(name, value):
    with pytest.raises(ConfigError, match=rf"^dataset\.{name} must be .*; got "):
        MakeBlobs(**{name: value})
