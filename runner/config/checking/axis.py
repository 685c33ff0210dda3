"""One key of a sweep, and the values that it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser

from runner.config.checking.typed import values_of
from runner.config.messages import MISTAKES
from runner.config.sweep import bare, flattened
from runner.project import option_groups


@dataclass(frozen=True)
class Axis:
    """A key and the values that it takes.

    Parameters
    ----------
    key : str
        Of the experiment, dotted, without signs; or a group of options.
    values : list
        As plain containers.
    at : str
        Where they are written.
    is_listed : bool
        Whether they stand there as a list.
    """

    key: str
    values: Sequence[Any]
    at: str
    is_listed: bool = True

    @property
    def chooses(self) -> bool:
        """Whether the values are names of options."""
        return (
            "." not in self.key and self.key in option_groups() and all(map(_is_name, self.values))
        )


def _is_name(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(item, str) for item in value)
    )


def params_axes(params: Any) -> list[Axis]:
    """Return the axes of ``hydra.sweeper.params``."""
    at = "hydra.sweeper.params"
    found = dict(flattened(params)) if isinstance(params, Mapping) else {}
    return [
        Axis(bare(key), value, f"{at}.{key}")
        if isinstance(value, list)
        else Axis(bare(key), _listed(value), f"{at}.{key}", is_listed=False)
        for key, value in found.items()
    ]


def _listed(value: Any) -> list[Any]:
    """Return the values of a text such as ``1,2``; none where it is no list of Hydra's."""
    try:
        override = OverridesParser.create().parse_override(f"x={value}")
        return values_of(override) if override.is_discrete_sweep() else []
    except MISTAKES:
        return []
