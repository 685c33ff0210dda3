"""Which columns of a table are features, targets and sample weights."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from runner.errors import ConfigError, DatasetError, nearest

TEXT_NBYTES = 16

Names = str | Sequence[str] | None


@dataclass(frozen=True)
class Columns:
    """Which columns are what; ``target`` is a tuple where y has two dimensions."""

    features: tuple[str, ...]
    target: str | tuple[str, ...] | None
    sample_weight: str | None

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns of y."""
        return _as_tuple(self.target)

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns of y and of the weights, in which no cell may be empty."""
        return self.targets + _as_tuple(self.sample_weight)

    @property
    def names(self) -> tuple[str, ...]:
        """Every column there is to read."""
        return self.features + self.labels

    @property
    def of_y(self) -> "Columns":
        """The columns of y alone."""
        return Columns((), self.target, None)


def choose(
    names: Sequence[str],
    *,
    target: Names,
    features: Names,
    sample_weight: str | None,
    ignored: Collection[str] = (),
    features_key: str = "dataset.features",
) -> Columns:
    """Decide which columns are what; without ``features`` they are all left but the ignored.

    ``features_key`` is what messages call ``features``.

    Raises
    ------
    ConfigError
        If what should be a name is something else.
    DatasetError
        If a column is missing or asked for twice, or if none is left to learn from.

    Examples
    --------
    >>> choose(["a", "b", "y"], target="y", features=None, sample_weight=None).features
    ('a', 'b')
    """
    labels = {"dataset.target": target, "dataset.sample_weight": sample_weight}
    for key, value in (labels | {features_key: features}).items():
        _require_names(key, value)
    asked = {key: _as_tuple(value) for key, value in labels.items()}
    taken = {*ignored}.union(*asked.values())
    rest = [name for name in names if name not in taken]
    chosen = asked[features_key] = _as_tuple(rest if features is None else features)
    for key, wanted in asked.items():
        for name in wanted:
            if name not in names:
                raise DatasetError(
                    key,
                    "name columns of the files",
                    got=repr(name),
                    remedy=nearest(name, names),
                )
    _require_one_role(names, [name for wanted in asked.values() for name in wanted])
    if not chosen:
        raise DatasetError(
            "The dataset",
            "have at least one feature",
            got=f"only the columns {', '.join(names)}",
            remedy="Name other columns in dataset.target and dataset.features.",
        )
    y = target if target is None or isinstance(target, str) else tuple(target)
    return Columns(chosen, y, sample_weight)


def common_type(name: str, types: Mapping[str, pa.DataType]) -> pa.DataType:
    """Return a type that a column can be cast to from its type in each file.

    Parameters
    ----------
    name : str
    types : mapping of str to pyarrow.DataType
        The type by the path of the file; dictionaries count as their values.

    Raises
    ------
    DatasetError
        If there is none.
    """
    first: dict[pa.DataType, str] = {}
    for path, kind in types.items():
        first.setdefault(_value_type(kind), path)
    schemas = [pa.schema([(name, kind)]) for kind in first]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").field(name).type
    except pa.ArrowTypeError:
        raise DatasetError(
            f"The column {name!r}",
            "have types that fit together in all files",
            got=" and ".join(f"{kind} in {path}" for kind, path in first.items()),
            remedy="Write the files again with one type, or leave some out of dataset.path.",
        ) from None


def is_number(kind: pa.DataType) -> bool:
    """Whether a column of this type holds numbers, booleans, or nothing at all."""
    known = pa.types
    return bool(
        known.is_integer(kind)
        or known.is_floating(kind)
        or known.is_boolean(kind)
        or known.is_decimal(kind)
        or known.is_null(kind)
    )


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds strings."""
    known = pa.types
    return bool(known.is_string(kind) or known.is_large_string(kind) or known.is_string_view(kind))


def _as_tuple(names: Names) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names or ())


def _require_names(key: str, value: object) -> None:
    names = value if isinstance(value, list | tuple) else [value]
    if value is not None and not all(isinstance(name, str) for name in names):
        raise ConfigError(
            key,
            "be the name of a column, or a list of names",
            got=repr(value),
            remedy="Write names in quotes where YAML takes them for numbers or booleans.",
        )


def _require_one_role(names: Sequence[str], wanted: Sequence[str]) -> None:
    there, asked = Counter(names), Counter(wanted)
    for name in wanted:
        if there[name] > 1 or asked[name] > 1:
            raise DatasetError(
                "Each column",
                "be there once, as a feature, a target or the weight",
                got=f"{name!r} twice",
                remedy="Name it once, and give the columns of a file distinct names.",
            )


def _value_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _value_type(kind.value_type)
    return pa.string() if is_text(kind) else kind
