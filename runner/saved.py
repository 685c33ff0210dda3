"""The saved state of a run: what it holds, and whether it may be gone on from."""

import hashlib
import json
import pickle
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from runner import statefile
from runner.base import Part, Progress, Remark, Split
from runner.callbacks.checkpoint import Write
from runner.dataset.fingerprint import changed
from runner.errors import CheckpointError, cause
from runner.fit.incremental_fit import IncrementalFit
from runner.records import Recipe, says_where
from runner.states import plain
from runner.stream.source import BlockSource
from runner.tracking.saved_states import state_file

PACKAGES = ("incremental-runner", "scikit-learn", "numpy", "scipy")


@dataclass(frozen=True)
class Saved:
    """The state of a run at some block.

    Attributes
    ----------
    header : mapping of str to object
        What the run was, as ``header_of`` says it, and how far it had come.
    stages, fit : bytes
        What ``Stages.restore`` and ``IncrementalFit.restore`` take.
    """

    header: Mapping[str, Any]
    stages: bytes
    fit: bytes


@dataclass(frozen=True)
class Resumed:
    """A run that is gone on with.

    Attributes
    ----------
    run_id : str
        Of the record.
    saved : Saved or None
        Its state; None if it begins anew.
    is_forced : bool
        Whether it goes on although something is not as it was.
    """

    run_id: str
    saved: Saved | None = None
    is_forced: bool = False


def forget(run_id: str) -> None:
    """Remove the state of a run, if there is one."""
    statefile.forget(state_file(run_id))


def writing(
    run_id: str, header: Mapping[str, Any], stages: Callable[[], bytes], progress: Progress
) -> Write:
    """Return what writes the state of a fit into the file of its run.

    ``stages`` returns the state of the fixed stages, and is called once, when it is needed.
    """
    fixed = cache(stages)

    def write(content: bytes, *, is_durable: bool = True) -> None:
        known = ("epoch", "position", "rows", "sample")
        so_far = {name: getattr(progress, name) for name in known}
        payload = pickle.dumps((fixed(), content), pickle.HIGHEST_PROTOCOL)
        told = {**header, **so_far, "written": time.time()}
        statefile.save(state_file(run_id), told, payload, is_durable=is_durable)

    return write


def read(run_id: str) -> Saved | None:
    """Return the saved state of a run; None if there is none.

    Raises
    ------
    CheckpointError
        If there is one that cannot be believed.
    """
    file = state_file(run_id)
    if not statefile.exists(file):
        return None
    found = statefile.load(file)
    try:
        stages, fit = map(_content, plain(found.payload))
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(
            f"The file {file}",
            "hold the state of a fit",
            got=cause(error),
            remedy="Remove it, and the run begins anew.",
        ) from error
    return Saved(found.header, stages, fit)


def _content(part: Any) -> bytes:
    if isinstance(part, bytes):
        return part
    raise TypeError(f"a part of it is a {type(part).__name__}")


def header_of(recipe: Recipe, surroundings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must be the same when a run goes on: what was asked, and its surroundings.

    It may go on elsewhere: where the work is done is no part of it.
    """
    asked = {key: value for key, value in recipe.params.items() if not says_where(key)}
    return {"config": _digest(asked), **surroundings}


def surroundings_of(split: Split, files: Mapping[str, str]) -> dict[str, Any]:
    """Return what must be the same for all runs that learn from the same blocks, when they go on.

    Parameters
    ----------
    split : Split
        The rows.
    files : mapping of str to str
        The state of each file that they are read from.
    """
    return {
        "versions": versions(),
        "data": {name: told_of(part) for name, part in split.parts.items()},
        "files": dict(files),
    }


def versions() -> dict[str, str]:
    """Return the versions of what a state is made of.

    Examples
    --------
    >>> sorted(versions())
    ['incremental-runner', 'numpy', 'python', 'scikit-learn', 'scipy']
    """
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def told_of(part: Part) -> str:
    """Say in one line what the rows are, and how they are cut into blocks."""
    described = [
        [str(array.dtype), list(array.shape[1:])]
        for array in (part.X, part.y, part.sample_weight)
        if array is not None
    ]
    places = [str(place) for place in part.places]
    digest = _digest([described, list(part.X.chunks[0]), part.feature_names, places])[:8]
    kind, width = part.X.dtype, part.X.shape[1] if len(part.X.shape) > 1 else 1
    return f"{part.n_rows:,} rows of {width:,} {kind} in {part.n_blocks:,} blocks ({digest})"


def restore(fit: IncrementalFit, saved: Saved) -> None:
    """Let a fit go on from its state.

    Raises
    ------
    CheckpointError
        If the state does not suit the learner as it is made here, or names what is no part of one.
    """
    try:
        fit.restore(saved.fit)
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(
            "The saved state",
            "be one that these versions of the libraries can read",
            got=cause(error),
            remedy="Install the versions that its environment/requirements.txt names.",
        ) from error


def check_unchanged(resumed: Resumed, now: Mapping[str, Any], train: Part) -> Remark | None:
    """Refuse to go on from a state where something is not as it was.

    Returns
    -------
    Remark or None
        What differs, if it is gone on with all the same because that is forced.

    Raises
    ------
    CheckpointError
        With all that differs, if it is not forced.
    """
    then = {} if resumed.saved is None else resumed.saved.header
    found = differences(then, now) if then else []
    found += [] if found else _sampled(then, train)
    if not found:
        return None
    if resumed.is_forced:
        told = "; ".join(found)
        return Remark(
            "forced", f"Gone on although {told}: the model is not what it would have been."
        )
    raise CheckpointError(
        f"The run {resumed.run_id}",
        "go on with the config, the data and the libraries that it began with",
        got=f"another state of things: {'; '.join(found)}",
        remedy="Set things back, or add --force: it goes on from the saved state with things as "
        "they are now, and the model is then not what it would have been.",
    )


def _sampled(then: Mapping[str, Any], train: Part) -> list[str]:
    """Read a block of the first epoch again, and say if it holds something else."""
    number, content = then.get("sample") or (None, None)
    index = next((i for i, place in enumerate(train.places) if place.number == number), None)
    if index is None:
        return []
    now = BlockSource(train, hashed=True).read(index)
    return [] if now.content == content else [f"{now.place} holds other rows"]


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say what is not as it was, between two headers, or the surroundings of two groups.

    Examples
    --------
    >>> then = {"config": "1", "versions": {"numpy": "2.0"}, "data": {"train": "3 rows"}}
    >>> differences(then, {**then, "versions": {"numpy": "2.1"}})
    ['numpy was 2.0 and is 2.1']
    >>> differences(then, {**then, "config": "2", "data": {"train": "4 rows"}})
    ['the config that the run keeps was edited', 'train was 3 rows and is 4 rows']
    """
    found = []
    if then.get("config") != now.get("config"):
        found.append("the config that the run keeps was edited")
    for section in ("versions", "data"):
        before, after = then.get(section, {}), now[section]
        found += [
            f"{name} was {before.get(name, 'absent')} and is {after.get(name, 'absent')}"
            for name in dict.fromkeys([*before, *after])
            if before.get(name) != after.get(name)
        ]
    return found + changed(then.get("files", {}), now.get("files", {}))


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
