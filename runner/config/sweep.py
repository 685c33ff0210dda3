"""The section ``sweep`` of an experiment's file, checked."""

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from math import prod
from typing import Any, Self

from runner.config.written import written
from runner.errors import ConfigError, nearest

KEYS = ("grid", "zip", "runs", "halving")
MOST_MEMBERS = 100_000
_NAME = re.compile(
    r"\+{0,2}[A-Za-z_$][\w$-]*(?:(?:\.[\w$-]+)*|(?:/[A-Za-z_][\w-]*)+)(?:@[\w.$:-]+)?", re.ASCII
)
_FOREIGN = re.compile(
    r"(?:sweep|hydra|experiment)(?:[./@].*)?|tracking\.(?:uri|experiment)"  # one sweep, one store
)


@dataclass(frozen=True)
class Sweep:
    """Which values the settings of an experiment take in its members.

    Parameters
    ----------
    grid : mapping of str to list
        By dotted key, or group of options, the values of which every combination is a member.
    zip : mapping of str to list
        Lists of one length: their first values go together, their second, and so on.
    runs : tuple of mapping
        Values by key, each mapping on its own.
    halving : mapping, optional
        When members that learn badly are stopped, as it is written.
    """

    grid: Mapping[str, list[Any]] = field(default_factory=dict)
    zip: Mapping[str, list[Any]] = field(default_factory=dict)
    runs: tuple[Mapping[str, Any], ...] = ()
    halving: Mapping[str, Any] | None = None

    @classmethod
    def from_plain(cls, section: Any) -> Self:
        """Read the section as plain containers; None is no sweep.

        Raises
        ------
        ConfigError
            At the first mistake.

        Examples
        --------
        >>> Sweep.from_plain({"grid": {"estimator": {"alpha": [0.1, 0.01]}}}).grid
        {'estimator.alpha': [0.1, 0.01]}
        """
        section = _section("sweep", section)
        for key in section:
            if key not in KEYS:
                raise ConfigError(
                    f"sweep.{key}",
                    "be a key of sweep",
                    got=written(key),
                    remedy=nearest(str(key), KEYS),
                )
        grid, zipped = (_axes(f"sweep.{name}", section.get(name)) for name in ("grid", "zip"))
        halving = section.get("halving")
        sweep = cls(
            grid,
            zipped,
            _runs(section.get("runs")),
            None if halving is None else _section("sweep.halving", halving),
        )
        _check_lengths(sweep.zip)
        lengths = [len(sweep.runs) or 1, *map(len, sweep.grid.values())]
        check_number(prod(lengths) * max(map(len, sweep.zip.values()), default=1))
        _check_once(sweep)
        return sweep

    def __bool__(self) -> bool:
        """Say whether there is anything to sweep over."""
        return bool(self.keys())

    def keys(self) -> set[str]:
        """Return the keys that are swept over, without ``+``.

        Examples
        --------
        >>> sorted(Sweep(grid={"+estimator.eta0": [1]}, runs=({"seed": 1}, {})).keys())
        ['estimator.eta0', 'seed']
        """
        return {bare(key) for part in (self.grid, self.zip, *self.runs) for key in part}

    def without(self, keys: Set[str]) -> Self:
        """Return the sweep that is left when these keys, without ``+``, are decided elsewhere.

        Examples
        --------
        >>> Sweep(grid={"seed": [1, 2], "estimator.alpha": [0.1]}).without({"seed"}).grid
        {'estimator.alpha': [0.1]}
        """
        left = (
            {key: value for key, value in part.items() if bare(key) not in keys}
            for part in (self.grid, self.zip, *self.runs)
        )
        return type(self)(next(left), next(left), tuple(left), self.halving)


def check_number(n_members: int) -> None:
    """Refuse so many members that to list them would take all there is.

    Raises
    ------
    ConfigError
        With the limit.
    """
    if n_members > MOST_MEMBERS:
        raise ConfigError(
            "A sweep",
            f"have at most {MOST_MEMBERS:,} members",
            got=f"{n_members:,}",
            remedy="List fewer values, or put those that belong together under sweep.zip.",
        )


def bare(key: str) -> str:
    """Return a key without the signs by which Hydra adds or removes it."""
    return key.lstrip("+~")


def flattened(node: Mapping[Any, Any], key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what stands in nested sections, by dotted key.

    A section that is empty, or has keys that no dotted key can name, is a value.

    Examples
    --------
    >>> dict(flattened({"fit": {"epochs": 3, "class_weight": {0: 1.0, 1: 9.0}}}))
    {'fit.epochs': 3, 'fit.class_weight': {0: 1.0, 1: 9.0}}
    """
    for name, value in node.items():
        dotted = f"{key}.{name}" if key else str(name)
        if isinstance(value, Mapping) and value and all(map(_is_name, value)):
            yield from flattened(value, dotted)
        else:
            yield dotted, value


def _is_name(key: Any) -> bool:
    return isinstance(key, str) and _NAME.fullmatch(f"_.{key}") is not None


def _section(name: str, node: Any) -> Mapping[Any, Any]:
    if node is None:
        return {}
    if not isinstance(node, Mapping):
        raise ConfigError(
            name, "be a section of keys", got=written(node), remedy=f"Write keys, or {name}=null."
        )
    return node


def _axes(name: str, node: Any) -> dict[str, list[Any]]:
    axes = dict(flattened(_section(name, node)))
    for key, values in axes.items():
        _check_key(name, key)
        if not isinstance(values, list) or not values:
            raise ConfigError(
                f"{name}.{key}",
                "be a list with at least one value",
                got=written(values),
                remedy=f"Write {key}: [...] with the values to try.",
            )
    return axes


def _runs(node: Any) -> tuple[dict[str, Any], ...]:
    if node is None:
        return ()
    if not isinstance(node, list):
        raise ConfigError(
            "sweep.runs",
            "be a list of sections",
            got=written(node),
            remedy="Write it as [{seed: 1}, {seed: 2}].",
        )
    runs = []
    for index, item in enumerate(node):
        if not isinstance(item, Mapping):
            raise ConfigError(
                f"sweep.runs.{index}",
                "be a section of keys",
                got=written(item),
                remedy="Write it as {seed: 1}; {} is the experiment as it stands.",
            )
        runs.append(dict(flattened(item)))
        for key in runs[-1]:
            _check_key(f"sweep.runs.{index}", key)
    return tuple(runs)


def _check_key(name: str, key: str) -> None:
    if not _NAME.fullmatch(key):
        raise ConfigError(
            name,
            "have keys such as estimator.alpha",
            got=written(key),
            remedy="Check the spelling.",
        )
    if _FOREIGN.fullmatch(bare(key)):
        raise ConfigError(
            name,
            "name settings of the experiment",
            got=written(key),
            remedy="Leave it out, or set it on the command line.",
        )


def _check_lengths(zipped: Mapping[str, list[Any]]) -> None:
    if len({len(values) for values in zipped.values()}) > 1:
        told = [f"{key} ({len(values)})" for key, values in zipped.items()]
        raise ConfigError(
            "sweep.zip",
            "have lists of one length",
            got=f"{', '.join(told[:-1])} and {told[-1]}",
            remedy="Fill up the shorter lists, or use sweep.grid for every combination.",
        )


def _check_once(sweep: Sweep) -> None:
    runs = dict.fromkeys(key for run in sweep.runs for key in run)
    seen: dict[str, str] = {}
    for part, keys in {"grid": sweep.grid, "zip": sweep.zip, "runs": runs}.items():
        for key in map(bare, keys):
            if key in seen:
                raise ConfigError(
                    f"sweep.{part}.{key}",
                    "be swept in one place",
                    got=f"sweep.{seen[key]} and sweep.{part}",
                    remedy="Leave it in one of them.",
                )
            seen[key] = part
