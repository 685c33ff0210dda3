"""What cannot be where blocks are read is refused before the first block."""

import pytest
from sklearn.cluster import Birch
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import SGDClassifier

from runner.cluster.cluster import CLIENT, DATA
from runner.cluster.local import LocalCluster
from runner.cluster.none import NoCluster
from runner.cluster.placement import check_placement
from runner.errors import ConfigError
from runner.experiment import run
from runner.records import Recipe
from runner.stream.stream import Stream
from tests.apart import Near
from tests.test_shared_equivalence import classifier, linear, rows

AT_DATA = LocalCluster(placement=DATA)


class MyBirch(Birch):
    """One of one's own."""


def test_a_buffer_mixes_rows_in_one_process():
    with pytest.raises(ConfigError) as refused:
        check_placement(AT_DATA, 5, [SGDClassifier()])
    assert str(refused.value) == (
        "cluster.placement must be client with stream.buffer_blocks, which mixes the rows of "
        "several blocks in one process; got data with stream.buffer_blocks=5. Leave one of them "
        "out."
    )


@pytest.mark.parametrize("learner", [Birch(), MyBirch(), SelectFromModel(Birch())])
def test_a_tree_that_would_not_come_back_as_it_is_stays(learner):
    with pytest.raises(ConfigError, match="must be client with Birch"):
        check_placement(AT_DATA, 0, [SGDClassifier(), learner])


@pytest.mark.parametrize("cluster", [NoCluster(), LocalCluster(placement=CLIENT)])
def test_all_may_be_here(cluster):
    check_placement(cluster, 5, [Birch()])


def test_others_may_learn_where_the_blocks_are():
    check_placement(AT_DATA, 0, [SGDClassifier(), object()])


def test_it_is_told_before_the_first_block():
    near = Near()
    make = classifier(linear(), stream=Stream(buffer_blocks=3))
    with pytest.raises(ConfigError, match=r"with stream\.buffer_blocks=3"):
        run(make(dataset=rows(), cluster=near), Recipe("member", {}))
    assert near.workers.n_questions == 0
