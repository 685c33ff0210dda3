"""No cluster has no workers."""

from runner.cluster.none import NoCluster


def test_it_is_opened_and_has_no_workers():
    with NoCluster().open() as workers:
        assert workers is None
