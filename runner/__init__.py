"""Declarative experiments on data that does not fit in memory.

>>> import runner
>>> result = runner.run("quickstart", ["tracking=none"])
>>> sorted(result.scores)
['accuracy', 'roc_auc']
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.config.job import run

__all__ = ["run"]


def __getattr__(name: str) -> Any:
    """Import what is exported when it is first asked for, so that ``import runner`` is light."""
    if name == "run":
        from runner.config.job import run

        return run
    raise AttributeError(f"module 'runner' has no attribute {name!r}")
