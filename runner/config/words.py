"""What the words of a command line are; standard library only, so that it is quick."""


def is_override(word: str) -> bool:
    """Say whether a word changes the config.

    Examples
    --------
    >>> [is_override(word) for word in ("seed=1", "~sweep", "quickstart", "--dry-run")]
    [True, True, False, False]
    """
    return word.startswith(("+", "~")) or ("=" in word and not word.startswith("-"))


def is_name(word: str) -> bool:
    """Say whether a word is no override and no flag.

    Examples
    --------
    >>> [is_name(word) for word in ("quickstart", "seed=1", "--dry-run")]
    [True, False, False]
    """
    return not is_override(word) and not word.startswith("-")
