"""Any other cluster class of Dask that the project allows."""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar

from runner.cluster.started import ScalableCluster
from runner.errors import ConfigError
from runner.rules import anything


@dataclass(kw_only=True)
class AnyCluster(ScalableCluster):
    """What a class makes that the project or the shell allows.

    Parameters
    ----------
    made_by : section
        ``_target_``, the class, its own arguments, and ``_partial_: true``, with which it is
        called when the run begins, and not before.
    """

    kind: ClassVar[str] = "any"

    made_by: Annotated[Any, anything()]

    def __post_init__(self) -> None:
        """Refuse what was called already, and end it."""
        super().__post_init__()
        if not isinstance(self.made_by, partial):
            with suppress(Exception):
                self.made_by.close()
            raise ConfigError(
                "cluster.made_by",
                "have a _target_, and _partial_: true, with which it is called when a run begins",
                got=type(self.made_by).__name__,
                remedy="Leave _partial_ as the option has it.",
            )

    @property
    def shows_pages(self) -> bool:
        """True: that is the class's own affair, as is all that it starts."""
        return True

    def start(self) -> Any:
        """Call the class.

        Raises
        ------
        ConfigError
            If what it makes is no cluster of Dask.
        """
        made = self.made_by()
        if not isinstance(getattr(made, "scheduler_address", None), str):
            with suppress(Exception):
                made.close()
            raise ConfigError(
                "cluster.made_by._target_",
                "make a cluster of Dask, which has a scheduler_address",
                got=f"{type(made).__name__} of {self.made_by.func.__module__}",
                remedy="Name a class such as dask_jobqueue.PBSCluster.",
            )
        return made
