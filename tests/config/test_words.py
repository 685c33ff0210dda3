"""What the words of a command line are."""

import pytest

from runner.config.words import is_name, is_override


@pytest.mark.parametrize(
    ("word", "override", "name"),
    [
        ("seed=1", True, False),
        ("+estimator.x=1", True, False),
        ("++estimator.x=1", True, False),
        ("~sweep", True, False),
        ("quickstart", False, True),
        ("folder/mine.yaml", False, True),
        ("-m", False, False),
        ("--cfg=job", False, False),
    ],
)
def test_a_word_is_an_override_a_name_or_a_flag(word, override, name):
    assert (is_override(word), is_name(word)) == (override, name)
