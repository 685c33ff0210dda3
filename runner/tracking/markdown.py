"""Text of any kind in Markdown, shown as it is, so that nothing in it leads elsewhere."""

import re

_MARKS = re.compile(r"([\\`*\[\]|])")


def plain(text: str, most: int) -> str:
    r"""Write text so that Markdown shows it as it is, in one line.

    Examples
    --------
    >>> print(plain("![x](http://h/a.png) <img src=y>", 40))
    !\[x\](http://h/a.png) &lt;img src=y&gt;
    """
    cut = shortened(" ".join(text.split()), most)
    marked = _MARKS.sub(r"\\\1", cut.replace("&", "&amp;"))
    return marked.replace("<", "&lt;").replace(">", "&gt;")


def code(text: str, most: int) -> str:
    r"""Write text as code within a line.

    Examples
    --------
    >>> code("a`b` | c", 40)
    "`a'b' \\| c`"
    """
    cut = shortened(" ".join(text.split()), most)
    return f"`{cut.replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def fenced(kind: str, text: str) -> str:
    """Write lines of code, whatever backticks are in them.

    Examples
    --------
    >>> print(fenced("sh", "runner list"))
    ```sh
    runner list
    ```
    """
    longest = max((len(found) for found in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{kind}\n{text}\n{fence}"


def shortened(text: str, most: int) -> str:
    """Cut what is too long.

    Examples
    --------
    >>> shortened("abcdef", 3)
    'abc ...'
    """
    return text if len(text) <= most else f"{text[:most]} ..."
