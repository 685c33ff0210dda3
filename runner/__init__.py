"""Declarative experiments on data that does not fit in memory.

>>> import runner
>>> result = runner.run("quickstart", ["tracking=none"])
>>> sorted(result.scores)
['accuracy', 'roc_auc']
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.config.job import run
    from runner.incremental import Incremental
    from runner.sweeps.python import sweep

__all__ = ["Incremental", "run", "sweep"]

MODULES = {
    "Incremental": "runner.incremental",
    "run": "runner.config.job",
    "sweep": "runner.sweeps.python",
}


def __getattr__(name: str) -> Any:
    """Import what is exported when it is first asked for, so that ``import runner`` is light."""
    if name in MODULES:
        return getattr(import_module(MODULES[name]), name)
    raise AttributeError(f"module 'runner' has no attribute {name!r}")
