"""What was asked, flattened and without secrets, as the record keeps it."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from omegaconf import DictConfig, OmegaConf

from runner.base import Recipe

REDACTED = "<redacted>"
_SECRET_KEY = re.compile(r"passw|token|secret|credential|api_?key|private_?key", re.IGNORECASE)
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")


def recipe(config: DictConfig, overrides: Sequence[str], selection: str) -> Recipe:
    """Make the record of what was asked.

    Parameters
    ----------
    config : DictConfig
        The composed config of the experiment, without Hydra's own node.
    overrides : sequence of str
        What the command line changed.
    selection : str
        The experiment's name or path, "" where the command line alone describes it.
    """
    written = OmegaConf.to_container(config, resolve=False)
    resolved = OmegaConf.to_container(config, resolve=True)
    asked = [_without_user(text.removeprefix("++")) for text in overrides]
    verb = ["run", selection] if selection else []
    return Recipe(
        name=str(config.name),
        params=dict(_flatten(resolved, written)),
        config=_without_user(OmegaConf.to_yaml(OmegaConf.create(_hidden(written)))),
        overrides=tuple(asked),
        command=shlex.join(["runner", *verb, *asked]),
    )


def with_effective(asked: Recipe, estimator: Any) -> Recipe:
    """Add the parameters that the estimator holds though nobody asked for them.

    So that two runs can be compared by every setting they had, not only by what was written.

    Examples
    --------
    >>> from sklearn.preprocessing import Normalizer
    >>> with_effective(Recipe("a", {"estimator.copy": False}), Normalizer()).params
    {'estimator.copy': False, 'estimator.norm': 'l2'}
    """
    if not hasattr(estimator, "get_params"):
        return asked
    held = {
        f"estimator.{name}": value
        for name, value in estimator.get_params(deep=False).items()
        if f"estimator.{name}" not in asked.params
        and (value is None or isinstance(value, bool | int | float | str | list | tuple))
    }
    return replace(asked, params={**asked.params, **held})


def _flatten(node: Any, written: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping) and node:
        for name, value in node.items():
            inner = written.get(name) if isinstance(written, Mapping) else written
            yield from _flatten(value, inner, f"{key}.{name}" if key else str(name))
    elif not _is_fixed_target(key):
        yield key, _public(key, node, written)


def _is_fixed_target(key: str) -> bool:
    return key.endswith("_target_") and key.split(".", maxsplit=1)[0] not in (
        "dataset",
        "estimator",
        "preprocessing",
    )


def _public(key: str, value: Any, written: Any) -> Any:
    from_environment = isinstance(written, str) and "oc.env" in written
    if from_environment or (_SECRET_KEY.search(key) and value is not None):
        return REDACTED
    return _without_user(value) if isinstance(value, str) else value


def _hidden(node: Any, key: str = "") -> Any:
    if isinstance(node, Mapping):
        return {name: _hidden(value, str(name)) for name, value in node.items()}
    interpolated = isinstance(node, str) and "${" in node
    if _SECRET_KEY.search(key) and node is not None and not interpolated:
        return REDACTED
    return node


def _without_user(text: str) -> str:
    """Drop the user and password of a URI.

    Examples
    --------
    >>> _without_user("tracking.uri=https://ann:pw@example.org/mlflow")
    'tracking.uri=https://<redacted>@example.org/mlflow'
    """
    return _USER_INFO.sub(f"{REDACTED}@", text)
