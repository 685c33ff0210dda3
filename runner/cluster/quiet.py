"""Let the processes of Dask that are started here watch themselves less."""

from collections.abc import Iterator
from contextlib import contextmanager

# Samplers and clocks, of which only pages, metrics and a line of a log tell; each tick takes
# Python's lock from what works. How much memory there is is looked at as often as ever.
QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "2s",
}


@contextmanager
def quiet(*, shows_pages: bool) -> Iterator[None]:
    """Have what is started meanwhile watched by no profiler, and by slow clocks.

    Workers that Dask starts later, or anew, are among them.

    Parameters
    ----------
    shows_pages : bool
        Whether there are pages of Dask, which show what the profilers find: then nothing changes.
    """
    import distributed  # noqa: F401  (else its defaults would come later, and go at the end)
    from dask.config import set as dask_config

    with dask_config({} if shows_pages else QUIET):
        yield
