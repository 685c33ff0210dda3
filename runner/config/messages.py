"""Say in our words what Hydra and OmegaConf say of a mistake."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from hydra.errors import HydraException, MissingConfigException
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from runner.errors import ConfigError, nearest
from runner.project import option_files

OF_COMPOSING = (HydraException, OmegaConfBaseException, YAMLError)
MISTAKES = (*OF_COMPOSING, ValueError)


@contextmanager
def in_our_words(mistakes: tuple[type[Exception], ...] = MISTAKES) -> Iterator[None]:
    """Turn what Hydra, OmegaConf or YAML say of a mistake into an error of ours."""
    try:
        yield
    except mistakes as error:
        raise translated(error) from error


def translated(error: Exception) -> ConfigError:
    """Turn an error of composition into one of ours.

    Parameters
    ----------
    error : Exception
        One of ``MISTAKES``.
    """
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _missing_option(error)
    if isinstance(error, YAMLError):
        return _bad_yaml(error)
    if isinstance(error.__cause__, OmegaConfBaseException):
        return translated(error.__cause__)
    if "must be a string or a list" in str(error) or "Invalid defaults list" in str(error):
        return ConfigError(
            "A group under defaults",
            "name one of its options, as in `defaults: [{override /dataset: iris}]`",
            got=_first_line(error),
            remedy="`runner list` shows the options; to keep the usual one, leave the group out.",
        )
    key = getattr(error, "full_key", None)
    return ConfigError(
        str(key) if key else _subject(error),
        "be something that can be composed",
        got=_first_line(error),
        remedy="`runner show NAME` shows what is composed, `runner list` what there is.",
    )


def _missing_option(error: MissingConfigException) -> ConfigError:
    group, _, name = str(error.missing_cfg_file).rpartition("/")
    return ConfigError(
        group or "The option",
        "be one of those there are",
        got=name,
        remedy=nearest(name, error.options or option_files(group)),  # of a list there are none
    )


def _bad_yaml(error: YAMLError) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    where = f"{mark.name}:{mark.line + 1}:{mark.column + 1}" if mark else "The file"
    return ConfigError(
        where,
        "be valid YAML",
        got=str(getattr(error, "problem", None) or _first_line(error)),
        remedy="Check the indentation, quotes and brackets there.",
    )


def _subject(error: Exception) -> str:
    return "The command line" if "override" in str(error).lower() else "The config"


def _first_line(error: Exception) -> str:
    text = re.sub(r"\s+", " ", str(error).strip().split("\n\n")[0]) or type(error).__name__
    return text.rstrip(".")
