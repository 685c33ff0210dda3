"""Whether rows come sorted by label."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import MiniBatchKMeans
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import (
    BernoulliNB,
    CategoricalNB,
    ComplementNB,
    GaussianNB,
    MultinomialNB,
)

from runner.base import Remark
from runner.fit.mixing import Mixing, depends_on_order

SEEDS = st.integers(0, 2**32 - 1)


def first_told(blocks):
    """Count the blocks until something is said; None if nothing is."""
    mixing = Mixing()
    for i, y in enumerate(blocks, 1):
        mixing.add(y)
        if mixing.remark() is not None:
            return i
        if mixing.is_done:
            return None
    return None


@given(
    seed=SEEDS,
    n_labels=st.integers(2, 12),
    evenness=st.sampled_from([0.05, 0.3, 1.0, 100.0]),
    sizes=st.lists(st.sampled_from([1, 2, 5, 20, 100, 1000]), min_size=1, max_size=12),
)
def test_nothing_is_said_of_mixed_rows_however_rare_a_label_or_small_a_block(
    seed, n_labels, evenness, sizes
):
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(n_labels, evenness))
    y = rng.choice(n_labels, size=sum(sizes), p=shares)
    assert first_told(np.split(y, np.cumsum(sizes)[:-1])) is None


@given(seed=SEEDS)
def test_digits_sorted_by_label_are_told_by_the_third_block_in_any_order(seed):
    blocks = np.array_split(np.sort(load_digits().target), 20)
    order = np.random.default_rng(seed).permutation(20)
    assert first_told([blocks[i] for i in order]) in (2, 3)


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
def test_sorted_rows_in_source_order_are_told_when_the_second_label_fills_a_block(load):
    y = np.sort(load().target)
    blocks = np.array_split(y, 10)
    told = first_told(blocks)
    assert told is not None
    assert len(np.unique(np.concatenate(blocks[:told]))) == 2


def test_rows_sorted_by_a_label_that_first_comes_after_many_blocks_are_told():
    blocks = [np.zeros(50, dtype=int)] * 30 + [np.ones(50, dtype=int)] * 5
    assert first_told(blocks) == 31


def test_digits_as_they_come_and_rows_of_a_buffer_are_not_told():
    y = load_digits().target
    assert first_told(np.array_split(y, 20)) is None
    rng = np.random.default_rng(0)
    blocks = np.array_split(np.sort(y), 20)
    order = rng.permutation(20)
    groups = [
        rng.permutation(np.concatenate([blocks[i] for i in five])) for five in np.split(order, 4)
    ]
    assert first_told([part for group in groups for part in np.array_split(group, 5)]) is None


def test_what_is_said_names_the_blocks_and_what_to_do():
    mixing = Mixing()
    for label in ("no", "yes", "perhaps"):
        mixing.add(np.full(30, label))
    assert mixing.remark() == Remark(
        "sorted-by-label",
        "The rows come sorted by label: in the first 3 blocks, 100% of a label is known from the "
        "block alone, so what is learned of one label is lost over the next. Set "
        "stream.buffer_blocks=5 or more and, as a block held out has few labels, "
        "dataset.holdout_by=rows; or shuffle the rows at the source.",
    )


def test_few_rows_of_another_label_and_one_label_alone_say_nothing():
    assert first_told([np.zeros(500), np.ones(9)]) is None
    assert first_told([np.zeros(500), np.ones(10)]) == 2
    assert first_told([np.zeros(500)] * 20) is None
    assert Mixing().remark() is None


def test_a_few_rows_that_may_be_sorted_by_chance_say_nothing():
    zeros, ones = np.array([0] * 9 + [1]), np.array([1] * 9 + [0])
    assert first_told([zeros, ones]) is None
    assert first_told([np.repeat(zeros, 10), np.repeat(ones, 10)]) == 2


def test_only_the_first_blocks_are_looked_at_and_empty_ones_do_not_count():
    mixing = Mixing(blocks=2)
    mixing.add(np.array([]))
    for _ in range(2):
        assert not mixing.is_done
        mixing.add(np.array([0, 1] * 50))
    assert mixing.is_done
    before = mixing.tau()
    mixing.add(np.zeros(1000))
    assert mixing.tau() == before


def test_the_measure_is_half_where_a_block_tells_half():
    rng = np.random.default_rng(0)
    mixing = Mixing()
    for own in (0, 1):
        mixing.add(np.where(rng.random(20_000) < np.sqrt(0.5), own, rng.integers(0, 2, 20_000)))
    assert mixing.tau() == pytest.approx(0.5, abs=0.02)


def test_naive_bayes_does_not_depend_on_order_nor_does_anything_without_labels():
    for free in (BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB):
        assert not depends_on_order(free())
        assert not depends_on_order(OneVsRestClassifier(free()))
    assert depends_on_order(SGDClassifier())
    assert depends_on_order(OneVsRestClassifier(SGDClassifier()))
    assert not depends_on_order(SGDRegressor())
    assert not depends_on_order(MiniBatchKMeans())
