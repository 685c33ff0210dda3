"""What a parser of YAML says of a mistake, in plain words."""

import re

_TOLD = (
    (
        r"',' or ']'",
        "a [ that is not closed",
        "close it by ], and quote text with brackets",
    ),
    (
        r"',' or '}'",
        "a { that is not closed",
        "close it by }, and quote text with brackets",
    ),
    (
        "mapping values are not allowed",
        "a colon too many, or a line that is indented too far",
        "put text with a colon in quotes, or indent the line as those around it",
    ),
    (
        "expected key|expected <block end>",
        "a line that is indented otherwise than those around it",
        "indent it as those around it",
    ),
    ("expected ':'", "a line that is no key with a value", "write key: value, with a space"),
    (
        "alphabetic or numeric character|undefined alias",
        "a * or & that is no alias or anchor",
        "put text that begins with it in quotes",
    ),
    ("unknown escape character", "a \\ between double quotes", "use single quotes"),
    ("node content", "a character that YAML keeps for itself", "put the value in quotes"),
    ("end of stream|end of file", "a quote that is not closed", "close it"),
)


def told(problem: str, character: str = "") -> tuple[str, str]:
    r"""Return what was got in place of YAML, and what to do.

    Parameters
    ----------
    problem : str
        What PyYAML or libyaml says.
    character : str
        What stands where it says so.

    Examples
    --------
    >>> told("did not find expected ',' or ']'")[0]
    'a [ that is not closed'
    >>> told("found character that cannot start any token", "\t")
    ('a tab', 'indent by spaces')
    """
    if "tab character" in problem or character == "\t":
        return "a tab", "indent by spaces"
    if character == "?":
        return "??? between brackets", "put it in quotes"
    if "cannot start any token" in problem:
        return f"a value that begins with {character}", "put it in quotes"
    for pattern, got, remedy in _TOLD:
        if re.search(pattern, problem):
            return got, remedy
    got = problem.removeprefix("found ")
    return got, "check the indentation, quotes and brackets there"
