"""What is started here watches itself less, unless somebody looks at its pages."""

from functools import partial

import dask.config
import distributed  # noqa: F401  (it has the settings)
import pytest

from runner.cluster.any import AnyCluster
from runner.cluster.client import wait_for_a_worker
from runner.cluster.heard import listening
from runner.cluster.local import LocalCluster
from runner.cluster.quiet import QUIET, quiet


def clocks(server):
    """Return the seconds between two looks of each kind that a process of Dask takes."""
    return {
        name: callback.callback_time / 1000 for name, callback in server.periodic_callbacks.items()
    }


def clocks_of_worker(dask_worker):
    return clocks(dask_worker)


def clocks_of_scheduler(dask_scheduler):
    return clocks(dask_scheduler)


def settings():
    return {key: dask.config.get(key) for key in QUIET}


def test_a_worker_has_no_profiler_and_slow_clocks_but_looks_at_its_memory_as_ever():
    before = settings()
    with listening() as heard, LocalCluster(n_workers=1).connected(heard) as client:
        wait_for_a_worker(client, 30, heard)
        (worker,) = client.run(clocks_of_worker).values()
        scheduler = client.run_on_scheduler(clocks_of_scheduler)
    assert not {"profile", "profile-cycle"} & worker.keys()
    assert worker["tick"] == scheduler["tick"] == 1
    assert worker["monitor"] == scheduler["monitor"] == 2
    memory = dask.config.get("distributed.worker.memory.monitor-interval")
    assert (worker["memory_monitor"], memory) == (0.1, "100ms")
    assert settings() == before


@pytest.mark.parametrize("shows_pages", [True, False])
def test_the_settings_of_this_process_are_as_before_also_after_an_error(shows_pages):
    before = settings()
    within = []

    def fail():
        with quiet(shows_pages=shows_pages):
            within.append(settings())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert within == [before if shows_pages else QUIET]
    assert settings() == before


@pytest.mark.parametrize(
    ("cluster", "shows_pages"),
    [
        (LocalCluster(), False),
        (LocalCluster(dashboard="127.0.0.1:8787"), True),
        (AnyCluster(made_by=partial(dict)), True),
    ],
)
def test_pages_that_are_asked_for_or_may_be_there_show_what_they_always_do(cluster, shows_pages):
    assert cluster.shows_pages is shows_pages
