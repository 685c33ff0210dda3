"""The saved view of a sweep that is copied to another store."""

import base64
import json
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from runner.tracking.views import TAG

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import RunInfo

_DEFLATED = "deflate;"


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Put new names in the place of old ones.

    Examples
    --------
    >>> renamed("runner ui 5f2a", {"5f2a": "90cc"})
    'runner ui 90cc'
    """
    for old, new in names.items():
        text = text.replace(old, new)
    return text


def copy_view(
    source: "MlflowClient", target: "MlflowClient", old: "RunInfo", new: "RunInfo"
) -> None:
    """Save in another store the view that a sweep has, if it has one that can be read."""
    found = source.get_experiment(old.experiment_id).tags.get(TAG + old.run_id)
    names = {old.run_id: new.run_id}
    with suppress(ValueError, KeyError, zlib.error):  # a view is not worth a sweep
        view = json.loads(found or "")
        state = zlib.decompress(base64.b64decode(view["state"].removeprefix(_DEFLATED))).decode()
        packed = base64.b64encode(zlib.compress(renamed(state, names).encode())).decode()
        view["name"] = renamed(view["name"], {old.run_id[:8]: new.run_id[:8]})
        view["state"] = f"{_DEFLATED}{packed}"
        target.set_experiment_tag(new.experiment_id, TAG + new.run_id, json.dumps(view))
