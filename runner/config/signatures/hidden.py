"""Values that scikit-learn accepts and does not tell, so that nobody begins to use them."""

from collections.abc import Mapping
from typing import Any

HIDDEN = "x-hidden"


def shown(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a fragment without what is accepted, but not told.

    Examples
    --------
    >>> shown({"anyOf": [{"enum": ["l1", "l2"]}, {"enum": ["old"], "x-hidden": True}]})
    {'enum': ['l1', 'l2']}
    """
    parts = schema.get("anyOf", ())
    told = [part for part in parts if HIDDEN not in part]
    if not told or len(told) == len(parts):
        return dict(schema)
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return rest | (told[0] if len(told) == 1 else {"anyOf": told})
