import inspect
import pickle

import pytest

from runner import errors
from runner.errors import (
    ConfigError,
    DatasetError,
    FitError,
    RunnerError,
    RunnerWarning,
    Terminated,
    TrackingError,
    nearest,
)

KINDS = [ConfigError, DatasetError, FitError, TrackingError]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_one_sentence_and_one_remedy(kind):
    error = kind("fit.epochs", "be at least 1", got=0, remedy="Set fit.epochs=1.")
    assert str(error) == "fit.epochs must be at least 1; got 0. Set fit.epochs=1."
    assert isinstance(error, RunnerError)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_the_way_back_from_a_worker(kind):
    error = kind("X", "be finite", got="NaN", remedy="Mend it.")
    returned = pickle.loads(pickle.dumps(error))  # noqa: S301  (our own bytes)
    assert type(returned) is kind
    assert str(returned) == str(error)


def test_every_class_is_drawn_in_the_tree_of_the_module():
    classes = [
        name
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, BaseException)
    ]
    assert len(classes) == 10
    assert [name for name in classes if name not in errors.__doc__] == []


def test_an_error_can_be_told_where_it_happened():
    error = FitError("X", "be finite", got="nan", remedy="Mend it.").at("block 3")
    assert type(error) is FitError
    assert str(error) == "In block 3, X must be finite; got nan. Mend it."
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301  (our own bytes)


def test_no_except_exception_stops_a_termination():
    assert issubclass(Terminated, BaseException)
    assert not issubclass(Terminated, Exception)


def test_a_warning_can_be_filtered_as_a_users():
    assert issubclass(RunnerWarning, UserWarning)


@pytest.mark.parametrize(
    ("name", "allowed", "said"),
    [
        ("alhpa", ["alpha", "penalty"], "Did you mean 'alpha'?"),
        ("train_x", ["train_a", "train_b"], "Did you mean 'train_a' or 'train_b'?"),
        ("zzz", ["penalty", "alpha"], "Choose one of: alpha, penalty."),
        ("zzz", [], "There is none to choose."),
        ("iris", iter(["irises"]), "Did you mean 'irises'?"),
        (
            "zzz",
            [f"name_{i}" for i in range(100)],
            "Check the spelling; there are 100 names to choose from.",
        ),
    ],
)
def test_a_wrong_name_gets_the_nearest_or_all_allowed(name, allowed, said):
    assert nearest(name, allowed) == said
