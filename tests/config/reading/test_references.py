"""What a file means once its references are followed."""

import pytest
import yaml

from runner.config.reading.nodes import MOST_NODES
from runner.config.reading.references import MOST_MEANT, References
from runner.config.reading.scan import scanned
from runner.errors import InvalidConfigError


def meant(text):
    return References(yaml.compose(text)).meant()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("{a: 1, b: x}", 0),
        ("{a: '${b}', b: 1}", 1),
        ("{a: '${absent}'}", 0),
        ("{a: '${oc.env:X}'}", 0),
        ("{a: {b: '${.c}', c: '${..d}'}, d: 1}", 3),
        ("{a: '${b}', b: [1, 2, 3]}", 4),
        ("{a: '${b.1}', b: [1, 2, 3]}", 1),
        ("{a: '${b[1]}', b: [1, 2, 3]}", 1),
        ("{a: '${oc.select:b}', b: 1}", 1),
        ("{a: '${a}'}", 1),
        ("{a.b: 1, c: '${a.b}'}", 1),
    ],
)
def test_references_are_followed_as_often_as_they_stand(text, expected):
    assert meant(text) == expected


def test_each_step_of_doubled_references_doubles_what_is_meant():
    lines = ["k0: x", *(f"k{i}: '${{k{i - 1}}}${{k{i - 1}}}'" for i in range(1, 30))]
    assert meant("\n".join(lines)) > 2**29


def test_lists_of_references_to_lists_are_counted_too():
    lines = ["k0: [x]", *(f"k{i}: ['${{k{i - 1}}}', '${{k{i - 1}}}']" for i in range(1, 30))]
    assert meant("\n".join(lines)) > 2**29


def test_a_reference_whose_name_is_made_of_references_may_mean_the_most():
    lines = ["n: 0", "k: [1, 2, 3, 4]", *(f"a{i}: '${{k${{n}}}}'" for i in range(8))]
    assert meant("\n".join(lines)) > 2**8
    assert meant("\n".join([*lines, *(f"b{i}: '${{k${{n}}}}'" for i in range(20))])) > MOST_MEANT


def test_a_long_chain_is_followed_without_an_error():
    chain = [f"k{i}: ${{k{i + 1}}}" for i in range(MOST_NODES // 4)]
    assert meant("\n".join(chain)) > MOST_MEANT


def test_a_file_that_means_too_much_is_refused_in_one_line(tmp_path):
    file = tmp_path / "x.yaml"
    lines = ["k0: x", *(f"k{i}: '${{k{i - 1}}}${{k{i - 1}}}'" for i in range(1, 30))]
    file.write_text("\n".join(lines))
    with pytest.raises(InvalidConfigError, match="mean at most 5,000 values with all references"):
        scanned(file)
