"""The first blocks are looked at before they are learned."""

import numpy as np
import pytest
from sklearn.decomposition import IncrementalPCA
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import GaussianNB

from runner.base import Block, Place
from runner.errors import ConfigError
from runner.fit.inspection import Inspection


def told_of(estimator, blocks, **settings):
    """Return the names of the remarks after each block."""
    told, names = [], []
    inspection = Inspection(estimator, told.append, **{"has_classes": True} | settings)
    for number, (X, y) in enumerate(blocks):
        inspection(Block(X, y, None, Place(number, 50 * number, 50 * number + len(X))))
        names.append([remark.name for remark in told])
    return names, told


def rows(scale=1.0):
    return np.random.default_rng(0).normal(size=(50, 3)) * np.array([1, 1, scale])


def mixed():
    return np.arange(50) % 2


def test_healthy_blocks_are_passed_without_a_word():
    assert told_of(SGDClassifier(), [(rows(), mixed())] * 20)[0] == [[]] * 20


def test_wild_scales_are_told_once_at_the_first_block_with_the_columns_name():
    blocks = [(rows(scale=1e6), mixed())] * 3
    names, told = told_of(SGDClassifier(), blocks, feature_names=("a", "b", "income"))
    assert names == [["wild-scale"]] * 3
    assert "income" in told[0].text


def test_a_later_block_tells_the_scale_where_it_is_another():
    blocks = [(rows(), mixed()), (rows(), mixed()), (rows(1e6), mixed()), (rows(1e6), mixed())]
    told, _ = told_of(SGDClassifier(), blocks)
    assert told == [[], [], ["wild-scale"], ["wild-scale"]]


def test_rows_sorted_by_label_are_told_once_as_soon_as_it_is_known():
    blocks = [(rows(), np.full(50, label)) for label in (0, 0, 1, 1)]
    assert told_of(SGDClassifier(), blocks)[0] == [
        [],
        [],
        ["sorted-by-label"],
        ["sorted-by-label"],
    ]


@pytest.mark.parametrize(
    ("estimator", "has_classes"), [(GaussianNB(), True), (SGDClassifier(), False)]
)
def test_the_order_is_nothing_to_those_that_do_not_depend_on_it(estimator, has_classes):
    blocks = [(rows(), np.full(50, label)) for label in (0, 0, 1, 1)]
    assert told_of(estimator, blocks, has_classes=has_classes)[0] == [[]] * 4


def test_targets_are_not_looked_at_where_they_are_no_labels():
    assert told_of(IncrementalPCA(2), [(rows(), None)], has_classes=False)[0] == [[]]


def test_a_first_block_that_is_too_small_for_the_estimator_is_refused():
    with pytest.raises(ConfigError, match="The first block must have at least 3 rows for estimat"):
        told_of(IncrementalPCA(3), [(rows()[:2], None)], has_classes=False)
    told_of(IncrementalPCA(3), [(rows(), None), (rows()[:2], None)], has_classes=False)


def test_a_first_block_that_decides_too_much_is_told():
    assert told_of(IncrementalPCA(), [(rows()[:2], None)], has_classes=False)[0] == [
        ["small-first-block"]
    ]


def test_lines_of_text_have_no_scale():
    lines = np.array(["a b", "c"] * 25, object)
    assert told_of(SGDClassifier(), [(lines, mixed())])[0] == [[]]


def test_what_telling_raises_ends_the_fit():
    def refuse(remark):
        raise ConfigError("a", "be b", got=remark.name, remedy="C.")

    inspection = Inspection(SGDClassifier(), refuse, has_classes=True)
    with pytest.raises(ConfigError, match="got wild-scale"):
        inspection(Block(rows(1e6), mixed(), None, Place(0, 0, 50)))


def test_of_a_fit_that_goes_on_the_first_blocks_are_not_looked_at_again():
    told = []
    inspection = Inspection(SGDClassifier(), told.append, has_classes=True, goes_on=True)
    for label in range(3):
        X, y = np.ones((20, 2)), np.full(20, label)
        inspection(Block(X, y, None, Place(label, 20 * label, 20 * label + 20)))
    assert told == []


def test_what_was_looked_at_elsewhere_is_known_here():
    told, states = [], []
    for number, scale in enumerate((1.0, 1e6, 1e6)):
        inspection = Inspection(SGDClassifier(), told.append, has_classes=True)
        if states:
            inspection.restore(states[-1])
        assert inspection.is_first == (number == 0)
        inspection(Block(rows(scale), mixed(), None, Place(number, 0, 50)))
        states.append(inspection.state())
    assert [remark.name for remark in told] == ["wild-scale"]
