"""A Dask cluster that is made here, and ended with the run."""

import time
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from runner.cluster.client import CLOSE_S, client_of, could_not_start
from runner.cluster.cluster import DaskCluster
from runner.cluster.heard import Heard
from runner.cluster.quiet import quiet
from runner.errors import ConfigError, RunnerWarning, cause
from runner.rules import integer, mapping, null

if TYPE_CHECKING:
    from distributed import Client

BOUNDS = ("minimum", "maximum")


@dataclass(kw_only=True)
class StartedCluster(DaskCluster):
    """What starts a scheduler and workers."""

    kind: ClassVar[str] = ""  # the name of the option
    extra: ClassVar[str] = ""  # what has to be installed besides
    reaches_workers: ClassVar[bool] = True  # from this process

    @property
    def called(self) -> str:
        """The option, and how many workers it begins with, where that is said."""
        n_workers = getattr(self, "n_workers", None)
        return self.kind if n_workers is None else f"{self.kind}, n_workers={n_workers}"

    @property
    def shows_pages(self) -> bool:
        """Whether there may be pages of Dask on what its processes do."""
        return False

    @abstractmethod
    def start(self) -> Any:
        """Make the Dask cluster, which need not have a worker yet, and return it."""

    @contextmanager
    def connected(self, heard: Heard) -> "Iterator[Client]":
        """Yield a client of the cluster; close both.

        Raises
        ------
        ConfigError
            If a package is missing.
        ClusterError
            If it cannot be started.
        """
        with quiet(shows_pages=self.shows_pages):
            cluster = self._started(heard)
            try:
                self.scale(cluster)
                with client_of(cluster, direct_to_workers=self.reaches_workers) as client:
                    yield client
            finally:
                self.end(cluster)

    def _started(self, heard: Heard) -> Any:
        """Start it, or end what was begun."""
        before = _made_by_dask()
        try:
            return self.start()
        except BaseException as error:  # Ctrl-C too
            for begun in _made_by_dask() - before:
                self._give_up(begun)
            if isinstance(error, ModuleNotFoundError):
                raise _not_installed(self.kind, self.extra, error) from error
            if isinstance(error, Exception):
                raise could_not_start(self.kind, error, heard) from error
            raise

    def scale(self, cluster: Any) -> None:
        """Leave the number of workers as it is."""

    def stop(self, cluster: Any) -> None:
        """End the scheduler and the workers."""
        cluster.close(timeout=2 * CLOSE_S)

    def end(self, cluster: Any) -> None:
        """End the scheduler and the workers, and warn if that fails."""
        try:
            self.stop(cluster)
        except Exception as error:  # noqa: BLE001
            if not self.has_ended(cluster, error):
                self._warn(cluster, error)

    def has_ended(self, cluster: Any, error: Exception) -> bool:
        """Say whether an error means that there is nothing to end any more."""
        from distributed.comm.core import CommClosedError

        loop = getattr(getattr(cluster, "loop", None), "asyncio_loop", None)
        is_dead = loop is not None and not loop.is_running()
        return isinstance(error, CommClosedError) or (isinstance(error, TimeoutError) and is_dead)

    def left(self, cluster: Any) -> str:
        """Say what may be left of a cluster that could not be ended, and how it is ended."""
        return f"Look for what {type(cluster).__name__} has started, and end it by hand."

    def _warn(self, cluster: Any, error: Exception) -> None:
        said = f"the cluster {self.kind} could not be ended: {cause(error)}. {self.left(cluster)}"
        warnings.warn(said, RunnerWarning, stacklevel=3)

    def _give_up(self, begun: Any) -> None:
        """End what was made before an error, or Ctrl-C, as soon as Dask lets that be done."""
        deadline = time.monotonic() + CLOSE_S
        while begun.status.name == "starting" and time.monotonic() < deadline:
            time.sleep(0.01)
        if begun.status.name != "closed":
            self.end(begun)
        with suppress(Exception):
            begun._loop_runner.stop()  # noqa: SLF001  (its thread goes on otherwise)


@dataclass(kw_only=True)
class ScalableCluster(StartedCluster):
    """What can start and end workers as they are needed.

    Parameters
    ----------
    adaptive : mapping or None
        ``minimum`` and ``maximum`` number of workers, between which Dask has as many as there is
        work for; None for as many as there are in the beginning.
    """

    adaptive: Annotated[Mapping[str, int] | None, mapping(integer(1)) | null()] = None

    def __post_init__(self) -> None:
        """Refuse settings that are not what they should be, and bounds that are none."""
        super().__post_init__()
        bounds = self.adaptive
        if bounds is not None and (
            sorted(bounds) != sorted(BOUNDS) or bounds["minimum"] > bounds["maximum"]
        ):
            raise ConfigError(
                "cluster.adaptive",
                "have a minimum and a maximum that is not below it",
                got=dict(bounds),
                remedy="Write {minimum: 1, maximum: 8}, or null.",
            )

    def scale(self, cluster: Any) -> None:
        """Let Dask decide how many workers there are, if that is asked for.

        Raises
        ------
        ConfigError
            If the class of the cluster cannot.
        """
        if self.adaptive is None:
            return
        if not hasattr(cluster, "adapt"):
            raise ConfigError(
                "cluster.adaptive",
                f"be null for {type(cluster).__name__}, which has no adaptive scaling",
                got=dict(self.adaptive),
                remedy="Leave it out.",
            )
        cluster.adapt(**self.adaptive)


def _made_by_dask() -> set[Any]:
    from distributed import SpecCluster

    return set(SpecCluster._instances)  # noqa: SLF001  (nothing else tells)


def _not_installed(kind: str, extra: str, error: ModuleNotFoundError) -> ConfigError:
    with_pip = f"Install it with: pip install 'incremental-runner[{extra}]'"
    return ConfigError(
        f"cluster={kind}",
        "have all that it needs installed",
        got=str(error),
        remedy=with_pip if extra else "Install the package that has it.",
    )
