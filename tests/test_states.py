"""A state goes from one learner to another of its kind, in place."""

import joblib
import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from runner.preprocessing.running import RunningPipeline
from runner.states import dumps, loads, parts_of, set_state, state_of

X = np.random.default_rng(0).normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int)


def learner_of(kind):
    if kind is not RunningPipeline:
        return kind(random_state=0) if kind is not GaussianNB else kind()
    return RunningPipeline([("scaler", StandardScaler()), ("estimator", SGDClassifier())])


def learned(learner, *slices):
    for rows in slices:
        learner.partial_fit(X[rows], Y[rows], classes=[0, 1])
    return learner


@pytest.mark.parametrize("kind", [SGDClassifier, GaussianNB, MLPClassifier, RunningPipeline])
def test_a_learner_goes_on_from_the_state_of_another_with_the_same_bits(kind):
    first, second = slice(0, 30), slice(30, 60)
    whole = learner_of(kind)
    np.random.seed(1)  # noqa: NPY002  (SGD without a random_state draws from it)
    learned(whole, first)
    content = dumps(whole, state_of(whole))
    drawn = np.random.get_state()  # noqa: NPY002
    learned(whole, second)

    other = learner_of(kind)
    parts = parts_of(other)
    set_state(other, loads(other, content))
    np.random.set_state(drawn)  # noqa: NPY002
    learned(other, second)
    assert joblib.hash(whole) == joblib.hash(other)
    assert [id(part) for part in parts] == [id(part) for part in parts_of(other)]


def test_an_array_keeps_the_order_of_its_axes_in_memory():
    part = np.asfortranarray(X)[:7]
    assert not part.flags.forc
    back, same, whole = loads(None, dumps(None, [part, part, X]))
    assert back is same
    assert (back == part).all()
    assert back.flags.f_contiguous
    assert whole.flags.c_contiguous
    assert (X[:20] @ back.T == X[:20] @ part.T).all()


def test_what_is_pickled_is_not_changed_by_what_the_learner_does_later():
    learner = learned(learner_of(SGDClassifier), slice(0, 30))
    before = learner.coef_.copy()
    content = dumps(learner, state_of(learner))
    learned(learner, slice(30, 60))
    set_state(learner, loads(learner, content))
    assert (learner.coef_ == before).all()
