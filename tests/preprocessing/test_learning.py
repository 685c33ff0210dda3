"""A single stage, learning from one block or from all."""

import numpy as np
import pytest
from sklearn.decomposition import IncrementalPCA
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from runner.preprocessing.learning import BlockByBlock, Learning, Need, Once


@pytest.mark.parametrize("kind", [MinMaxScaler, MaxAbsScaler])
def test_an_exact_stage_learns_by_block_what_it_does_from_all_rows(kind, rows, held):
    learning = BlockByBlock("preprocessing.a", kind())
    for block in rows.cut(rows.X):
        learning.learn(block)
    learning.finish()
    assert held(learning.stage) == held(kind().fit(rows.X))


def test_the_standard_scaler_learns_by_block_nearly_what_it_does_from_all_rows(rows):
    learning = BlockByBlock("preprocessing.a", StandardScaler())
    for block in rows.cut(rows.X):
        learning.learn(block)
    whole = StandardScaler().fit(rows.X)
    np.testing.assert_allclose(learning.stage.mean_, whole.mean_, rtol=1e-9)
    np.testing.assert_allclose(learning.stage.scale_, whole.scale_, rtol=1e-9)


def test_incremental_pca_is_that_of_a_loop_by_hand(rows, held):
    learning = BlockByBlock("preprocessing.a", IncrementalPCA(2))
    by_hand = IncrementalPCA(2)
    for block in rows.cut(rows.X)[:-1]:
        learning.learn(block)
        by_hand.partial_fit(block)
    assert held(learning.stage) == held(by_hand)


def test_what_comes_after_the_first_block_is_ignored_where_one_is_enough(rows, held):
    learning = Once("preprocessing.a", RobustScaler(), Need.FIRST_BLOCK, ("preprocessing.a",))
    for block in rows.cut(rows.X):
        learning.learn(block)
    learning.finish()
    assert held(learning.stage) == held(RobustScaler().fit(rows.cut(rows.X)[0]))


def test_a_supervised_stage_gets_the_target_of_its_block(rows, held):
    learning = Once("preprocessing.a", SelectKBest(f_classif, k=2), Need.FIRST_BLOCK)
    learning.learn(rows.cut(rows.X)[0], rows.cut(rows.y)[0])
    by_hand = SelectKBest(f_classif, k=2).fit(rows.cut(rows.X)[0], rows.cut(rows.y)[0])
    assert held(learning.stage) == held(by_hand)


def test_how_to_learn_is_for_each_kind_to_say():
    with pytest.raises(NotImplementedError):
        Learning("preprocessing.a", None, Need.FIRST_BLOCK).learn([[0.0]])
