"""The config that a run keeps, composed once more with another dataset."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from runner.config.borrowed import check_environment
from runner.config.compose import OPEN_PREFIXES, compose, name_after
from runner.config.job import build
from runner.config.messages import in_our_words
from runner.errors import ConfigError, nearest
from runner.experiment import Experiment
from runner.records import Recipe
from runner.redaction import REDACTED

OF_RUN = ("dataset", "stream", "seed")
CHANGEABLE = (*OF_RUN, "cluster")
FOREIGN = ("hydra", "sweep")
NOT_NEEDED = ("target", "y", "sample_weight")


def recomposed(config: str, overrides: Sequence[str] = ()) -> tuple[Experiment, Recipe]:
    """Compose what a run keeps, with changes of its dataset, and check and build it like any file.

    Parameters
    ----------
    config : str
        The YAML that the run keeps.
    overrides : sequence of str
        What to change, as on the command line. ``dataset=parquet`` puts that option in the place
        of the run's own section; ``dataset.path=new.parquet`` changes one key of it. The cluster
        of the run, which may be gone, is left out: there is one only if it is chosen here.

    Raises
    ------
    ConfigError
        If something else than the dataset, the stream, the seed or the cluster is to be changed,
        if a secret must be given again, if it reads what no file of the project reads, or if it
        cannot be built.
    """
    for text in overrides:
        _check_changeable(text)
    with in_our_words():
        kept = OmegaConf.create(config)
        if not isinstance(kept, DictConfig) or not isinstance(kept.get("dataset"), DictConfig):
            raise ConfigError(
                "The config that the run keeps",
                "have a dataset",
                got="none",
                remedy="Name another run.",
            )
        own = kept.dataset
        part = OmegaConf.masked_copy(kept, [key for key in OF_RUN if key in kept])
        if any(_key(text) == "dataset" for text in overrides):
            part.dataset = {key: own[key] for key in ("as_frame",) if own.get(key)}
        with TemporaryDirectory() as folder:
            file = Path(folder) / "recorded.yaml"
            file.write_text(OmegaConf.to_yaml(part), encoding="utf-8")
            composed = compose(str(file), overrides)
        for key in CHANGEABLE:
            kept[key] = composed.config[key]
        for key in FOREIGN:
            kept.pop(key, None)
        name_after(kept, "recorded")
        _complete(kept.dataset, own)
    check_environment(kept, overrides)
    return build(replace(composed, config=kept, selection=""))


def _check_changeable(text: str) -> None:
    key = _key(text)
    if key.split(".")[0] not in CHANGEABLE:
        raise ConfigError(
            key,
            "be a setting of the dataset, the stream or the cluster, because the model is learned "
            "already",
            got=text,
            remedy="Leave it out; `runner run` learns anew.",
        )


def _key(text: str) -> str:
    return text.lstrip("".join(OPEN_PREFIXES)).partition("=")[0]


def _complete(section: Any, own: Mapping[str, Any]) -> None:
    """Leave no gap where nothing needs to be known; say what the record hides."""
    if not isinstance(section, DictConfig):
        return
    for name in NOT_NEEDED:
        if OmegaConf.is_missing(section, name):
            section[name] = own.get(name)
    written = cast("dict[str, Any]", OmegaConf.to_container(section, resolve=False))
    for key, value in written.items():
        if REDACTED in str(value):
            raise ConfigError(
                f"dataset.{key}",
                "be given again, because the record keeps no secrets",
                got=REDACTED,
                remedy=f"Write dataset.{key}=... here.",
            )


def settings(arguments: Sequence[str], *names: str) -> tuple[dict[str, Any], list[str]]:
    """Part the arguments ``name=value`` of some names, each read as Hydra does, from all others.

    Raises
    ------
    ConfigError
        If a value cannot be read, or a name is misspelt.

    Examples
    --------
    >>> settings(["columns=[id, 'a,b']", "output=out", "dataset.chunks=5"], "columns", "output")
    ({'columns': ['id', 'a,b'], 'output': 'out'}, ['dataset.chunks=5'])
    """
    own = [text for text in arguments if text.partition("=")[0] in names and "=" in text]
    with in_our_words():
        parsed = OverridesParser.create().parse_overrides(own)
    found = {override.key_or_group: override.value() for override in parsed}
    others = [text for text in arguments if text not in own]
    _check_spelling(others, names)
    return found, others


def _check_spelling(others: Sequence[str], names: Sequence[str]) -> None:
    for text in others:
        key = _key(text)
        is_other = "=" not in text or "." in key or key in CHANGEABLE
        if not is_other and get_close_matches(key, names):
            raise ConfigError(
                "The setting",
                f"be {' or '.join(names)}, or one of the dataset, the stream or the cluster",
                got=repr(text),
                remedy=nearest(key, [*names, *CHANGEABLE]),
            )
