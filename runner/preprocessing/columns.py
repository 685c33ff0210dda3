"""The columns of a ColumnTransformer, by name or by position."""

from typing import Any

from runner.errors import ConfigError, nearest


def positions(key: str, columns: Any, names: tuple[str, ...] | None, *, is_frame: bool) -> Any:
    """Return the positions of named columns; anything else as it is, and names where X has them.

    Parameters
    ----------
    key : str
        Where the stage stands in the file, for messages.
    columns : str, list of str, or anything else that a ColumnTransformer takes
        A single name selects one-dimensional rows, such as lines of text.
    names : tuple of str or None
        The columns of X, in order, where they are known.
    is_frame : bool
        Whether X is a pandas DataFrame, whose columns are selected by name.

    Raises
    ------
    ConfigError
        If there is no such column, or the columns have no names.

    Examples
    --------
    >>> positions("preprocessing.a", ["hours", "age"], ("age", "hours"), is_frame=False)
    [1, 0]
    >>> positions("preprocessing.a", "age", ("age", "hours"), is_frame=False)
    0
    """
    wanted = [columns] if isinstance(columns, str) else columns
    if not isinstance(wanted, list) or not any(isinstance(name, str) for name in wanted):
        return columns
    if names is None and is_frame:
        return columns
    for name in wanted:
        if names is None or (isinstance(name, str) and name not in names):
            raise ConfigError(
                f"{key}.transformers",
                "name columns of the rows that reach it",
                got=repr(name),
                remedy="Give positions, such as [0, 1]: these columns have no names."
                if names is None
                else nearest(name, names),
            )
    if is_frame or names is None:
        return columns
    found = [names.index(name) if isinstance(name, str) else name for name in wanted]
    return found[0] if isinstance(columns, str) else found
