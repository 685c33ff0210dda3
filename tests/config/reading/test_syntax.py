"""What a parser says, in plain words."""

import pytest
import yaml

from runner.config.reading.syntax import told

LOADERS = [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("a: [1, 2\nb: 3\n", "a [ that is not closed"),
        ("a: {b: 1\nc: 3\n", "a { that is not closed"),
        ("a: b: c\n", "a colon too many, or a line that is indented too far"),
        ("a:\n  b: 1\n c: 2\n", "a line that is indented otherwise than those around it"),
        ("a: 1\nb\nc: 2\n", "a line that is no key with a value"),
        ("a: 'b\n", "a quote that is not closed"),
        ("a: 1\n\tb: 2\n", "a tab"),
        ("a: @b\n", "a value that begins with @"),
        ("a: *b\n", "a * or & that is no alias or anchor"),
        ("a: *.csv\n", "a * or & that is no alias or anchor"),
        ('a: "C:\\data"\n', "a \\ between double quotes"),
    ],
)
def test_each_parser_is_understood(loader, text, got):
    with pytest.raises(yaml.YAMLError) as caught:
        yaml.compose(text, Loader=loader)
    mark = caught.value.problem_mark
    assert told(caught.value.problem, text[mark.index : mark.index + 1])[0] == got
