"""A file as it is, on another cluster than its own."""

import pytest

from runner.cli import main
from runner.config.compose import compose

FILE = """\
# wide
defaults:
  - override /dataset: make_classification
  - override /estimator: sgd_classifier
  - override /cluster: local
partial_fit: {classes: [0, 1]}
cluster: {n_workers: 2, tls: false, placement: data}
"""


@pytest.fixture(autouse=True)
def wide(project):
    (project / "experiments").mkdir()
    (project / "experiments" / "wide.yaml").write_text(FILE, encoding="utf-8")


def cluster(*overrides):
    return dict(compose("wide", overrides).config.cluster)


def test_the_file_alone_has_its_own_cluster():
    found = cluster()
    assert found["_target_"].endswith("LocalCluster")
    assert (found["n_workers"], found["tls"], found["placement"]) == (2, False, "data")


def test_what_means_nothing_for_the_chosen_cluster_is_left_out():
    assert cluster("cluster=none") == {"_target_": "runner.cluster.none.NoCluster"}
    found = cluster("cluster=address", "cluster.address=tcp://127.0.0.1:8786")
    assert found["placement"] == "data"
    assert not found.keys() & {"n_workers", "tls"}


def test_the_same_cluster_keeps_all():
    assert cluster("cluster=local") == cluster()
    assert cluster("cluster.n_workers=3")["n_workers"] == 3


def test_what_is_typed_is_judged(capsys):
    assert main(["validate", "wide", "cluster=none"]) == 0
    assert main(["validate", "wide", "cluster=none", "cluster.n_workers=3"]) != 0
    assert "NoCluster has no parameter 'n_workers'" in capsys.readouterr().err


def test_members_of_a_sweep_are_on_the_chosen_cluster_too(capsys):
    grid = "sweep.grid={estimator.alpha: [1e-3, 1e-4]}"
    assert main(["run", "wide", "cluster=none", grid, "--dry-run"]) == 0
    assert "shards" not in capsys.readouterr().out
