import ast
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import SGDClassifier
from sklearn.multiclass import OneVsRestClassifier

from runner.config.compose import compose
from runner.config.job import build
from runner.seeds import USES, derive, seed_estimator, seed_log, uniform_rows

KEYS = st.lists(st.text(min_size=1, max_size=8) | st.integers(0, 2**31), max_size=3).map(tuple)


def state(*args):
    return derive(*args).generate_state(4).tolist()


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**64), keys=KEYS)
def test_the_same_seed_and_keys_give_the_same_stream(seed, keys):
    assert state(seed, *keys) == state(seed, *keys)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**64), keys=KEYS, others=KEYS)
def test_other_keys_give_another_stream(seed, keys, others):
    assert (state(seed, *keys) == state(seed, *others)) == (keys == others)


def test_another_seed_gives_another_stream():
    assert state(0, "order", 3) != state(1, "order", 3)


def test_a_number_as_key_is_what_numpy_spawns():
    children = np.random.SeedSequence(7).spawn(3)
    assert [state(7, i) for i in range(3)] == [
        child.generate_state(4).tolist() for child in children
    ]


@settings(deadline=None, max_examples=100)
@given(start=st.integers(0, 999), n=st.integers(0, 1000))
def test_a_row_draws_the_same_number_from_wherever_it_is_asked(start, n):
    whole = uniform_rows(derive(3, "split"), 0, 2000)
    np.testing.assert_array_equal(
        uniform_rows(derive(3, "split"), start, start + n), whole[start : start + n]
    )


def test_the_numbers_are_uniform():
    drawn = uniform_rows(derive(0, "split"), 0, 100_000)
    assert drawn.min() >= 0
    assert drawn.max() < 1
    np.testing.assert_allclose(np.histogram(drawn, 10, (0, 1))[0], 10_000, atol=500)


@pytest.mark.parametrize("start", [10**9, 10**15 + 3])
def test_rows_far_away_cost_no_more(start):
    began = time.perf_counter()
    assert uniform_rows(derive(0, "split"), start, start + 100).shape == (100,)
    assert time.perf_counter() - began < 1


def test_different_streams_draw_different_numbers():
    one, other = (uniform_rows(derive(0, key), 0, 1000) for key in ("split", "order"))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.15


def test_a_random_state_that_was_set_is_left_alone():
    estimator = SGDClassifier(random_state=5)
    seed_estimator(estimator, 10)
    assert estimator.random_state == 5


def test_random_states_inside_are_set_too():
    nested = OneVsRestClassifier(SGDClassifier())
    seed_estimator(nested, 3)
    assert nested.estimator.random_state == 3


def test_an_estimator_of_another_kind_needs_no_parameters():
    class Plain:
        def partial_fit(self, X, y=None):
            return self

    seed_estimator(Plain(), 1)


def streams_in_the_code():
    """Return the words, without numbers and names, of every stream that the code derives."""
    found = set()
    for path in Path("runner").resolve().rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "derive":
                keys = node.args[1:]
                words = [key.value if isinstance(key, ast.Constant) else "<>" for key in keys]
                found.add(tuple(words))
    return found


def test_every_random_stream_of_the_code_is_in_the_log(monkeypatch):
    monkeypatch.chdir(Path(__file__).resolve().parents[1])
    known = {tuple("<>" if w.startswith("<") else w for w in words) for _, words in USES.values()}
    assert streams_in_the_code() == known


def test_the_log_makes_the_streams_again():
    log = seed_log({"seed": 7, "stream.seed": 3})
    stream = log["streams"]["the order of the blocks"]
    spawn_key = [4 if word == "<epoch>" else word for word in stream["spawn_key"]]
    again = np.random.SeedSequence(stream["seed"], spawn_key=spawn_key)
    assert again.generate_state(4).tolist() == state(3, "order", 4)


def test_the_log_names_every_seed_of_an_experiment():
    composed = compose(
        "quickstart",
        [
            *("tracking=none", "seed=5", "stream.seed=6", "estimator=one_vs_rest_classifier"),
            "+preprocessing.few={_target_: sklearn.random_projection.SparseRandomProjection}",
        ],
    )
    assert seed_log(build(composed)[1].params)["seeds"] == {
        "seed": 5,
        "dataset.seed": 5,
        "dataset.random_state": 5,
        "stream.seed": 6,
        "estimator.estimator.random_state": 5,
        "preprocessing.few.random_state": 5,
    }
