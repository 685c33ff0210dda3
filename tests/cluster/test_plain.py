"""What may stand in a text that another program reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cluster import plain
from runner.errors import ConfigError
from runner.rules import Rule

SHAPES = [each for each in vars(plain).values() if isinstance(each, Rule)]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.text[:20])
@given(text=st.text())
def test_no_shape_lets_through_what_a_shell_would_read(shape, text):
    if shape.holds(text):
        assert not set(text) & set("\n\r\0;&|<>`'\"\\(){}*?[]!#\t")
        assert " " not in text or shape is plain.BYTES
        assert not text.startswith("-")


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (plain.NAME, "gpu_long.q"),
        (plain.HOST, "node-1.cluster.example"),
        (plain.HOST, "fe80::1"),
        (plain.IMAGE, "ghcr.io/me/image@sha256:0a"),
        (plain.AMOUNT, "1.5Gi"),
        (plain.DURATION, "30"),
        (plain.DURATION, "1-12:00:00"),
        (plain.FOLDER, "$SCRATCH/me"),
        (plain.FILE, "/opt/python3.11/bin/python"),
    ],
)
def test_what_people_write_is_allowed(shape, text):
    assert shape.holds(text)


def test_the_key_is_named_and_none_is_no_text():
    plain.require_plain({"cluster.queue": None, "cluster.account": "me"}, plain.NAME)
    with pytest.raises(ConfigError, match=r"cluster.queue must be a name of letters"):
        plain.require_plain({"cluster.account": "me", "cluster.queue": "a;b"}, plain.NAME)
