"""A class of another package, which is called when the run begins."""

import subprocess
import sys
from functools import partial

import pytest

from runner.cluster.any import AnyCluster
from runner.cluster.heard import listening
from runner.errors import ClusterError, ConfigError

# In a process of its own, because it leaves its subprocesses to be reaped by the system.
JOBQUEUE = """
from functools import partial
from dask_jobqueue.local import LocalCluster
from runner.cluster.any import AnyCluster
from runner.cluster.client import wait_for_a_worker
from runner.cluster.heard import listening

pages = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
made_by = partial(LocalCluster, cores=1, memory="1GiB", processes=1, interface="lo",
                  n_workers=1, scheduler_options=pages)
with listening() as heard, AnyCluster(made_by=made_by).connected(heard) as client:
    wait_for_a_worker(client, 20, heard)
    print(client.submit(pow, 2, 10).result())
"""


class Made:
    """Something that is no cluster."""

    closed = 0

    def __init__(self, **settings):
        pass

    def close(self):
        Made.closed += 1


def open_it(cluster):
    with listening() as heard, cluster.connected(heard):
        pass


def test_the_local_mode_of_jobqueue_runs():
    done = subprocess.run(
        [sys.executable, "-c", JOBQUEUE], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("1024\n", "")


def test_nothing_is_called_before_it_is_opened_and_what_fails_is_told():
    called = []

    def fail(**settings):
        called.append(settings)
        raise OSError("no route")

    cluster = AnyCluster(made_by=partial(fail, queue="long"))
    assert called == []
    with pytest.raises(ClusterError, match=r"The cluster any must start; got OSError: no route"):
        open_it(cluster)
    assert called == [{"queue": "long"}]


def test_what_is_no_cluster_is_refused_and_closed():
    before = Made.closed
    with pytest.raises(ConfigError, match=r"make a cluster of Dask.*got Made of tests.cluster"):
        open_it(AnyCluster(made_by=partial(Made)))
    with pytest.raises(ConfigError, match=r"_partial_: true"):
        AnyCluster(made_by=Made())
    assert Made.closed == before + 2


def test_what_cannot_scale_is_not_asked_to():
    class Fixed(Made):
        scheduler_address = "tcp://127.0.0.1:1"

        def close(self, timeout):
            Made.closed += 1

    cluster = AnyCluster(made_by=partial(Fixed), adaptive={"minimum": 1, "maximum": 2})
    before = Made.closed
    with pytest.raises(ConfigError, match=r"cluster.adaptive must be null for Fixed"):
        open_it(cluster)
    assert Made.closed == before + 1


def test_what_a_class_lacks_is_told():
    def lacking():
        import no_such_package  # noqa: F401

    with pytest.raises(
        ConfigError,
        match=r"cluster=any must .*no_such_package.* Install the package that has it\.",
    ):
        open_it(AnyCluster(made_by=partial(lacking)))
