"""Which name was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.spelling import asked, distance, meant, similar

NAMES = ["alpha", "average", "eta0", "learning_rate", "log_loss", "X", "y", "by", "validation"]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("alhpa", ["alpha"]),
        ("Alpha", ["alpha"]),
        ("learningRate", ["learning_rate"]),
        ("learning-rate", ["learning_rate"]),
        ("yb", ["by"]),
        ("x", ["X"]),
        ("yy", ["y", "by"]),
        ("log", ["log_loss"]),
        ("validatoin", ["validation"]),
        ("rate", ["learning_rate"]),
        ("zebra", []),
    ],
)
def test_the_nearest_names_are_found(written, found):
    assert similar(written, NAMES) == found


def test_only_the_nearest_are_told():
    names = ["sgd_classifier", "mlp_classifier", "one_vs_one_classifier"]
    assert similar("sgd_clasifier", names) == ["sgd_classifier"]
    assert meant("sgd_clasifier", names) == "did you mean 'sgd_classifier'?"


def test_at_most_three_are_told():
    assert len(similar("sgd", [f"sgd_{letter}" for letter in "abc"])) == 3
    assert similar("sgd", [f"sgd_{letter * 9}" for letter in "abcd"]) == []


def test_what_is_like_nothing_is_answered_with_the_choice():
    assert meant("zebra", ["b", "a"]) == "choose one of: a, b"


def test_several_are_asked_for():
    assert asked(["a", "b"]) == "did you mean 'a' or 'b'?"


WORDS = st.text("abc_", max_size=6)


@given(WORDS, WORDS)
def test_a_distance_is_as_far_both_ways_and_none_to_itself(one, other):
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert distance(one, other) <= max(len(one), len(other))


@given(st.text("abc", min_size=2, max_size=6), st.data())
def test_a_swap_is_one_slip(word, data):
    at = data.draw(st.integers(0, len(word) - 2))
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    assert distance(word, swapped) == (swapped != word)


@given(WORDS)
def test_what_is_allowed_is_itself(word):
    assert similar("alpha", ["alpha", word])[0] == "alpha"
