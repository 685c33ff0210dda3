"""Values as text that Hydra reads back."""

import math
import string
from datetime import date

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from runner.errors import ConfigError
from runner.sweeps.text import text

SPECIAL = ("", " ", " a ", "null", "TRUE", "1e3", "-1", "0x1", "nan", "-inf", ".", "a,b", "a=b")
QUOTES = ("'", '"', "\\", "it's", "\\'", "\\\\'", "a\"b'c\\", "'a','b'", "a\\", "\n", "\t", "ü, ∂")
HYDRA = ("${seed}", "x${a.b}y", "${oc.env:A,'b'}", "{a:1}", "[1]", "choice(1,2)", "range(3)")
PLACES = ("a/b.csv", "s3://a/b?c=d&e", "*.csv", "~x", "+x", "a: b", "a#b", "$", "???", "a;b")
strings = st.sampled_from([*SPECIAL, *QUOTES, *HYDRA, *PLACES]) | st.text(
    st.sampled_from("'\"\\,=:{}[]()$ \tab1.-") | st.characters(exclude_categories=["Cs"])
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | strings
words = st.text(string.ascii_letters + "_", min_size=1).filter(
    lambda name: name.lower() not in ("null", "true", "false", "inf", "nan")
)
keys = words | st.integers() | st.booleans() | st.floats(allow_nan=False)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
PARSER = OverridesParser.create()


@settings(deadline=None, max_examples=300)
@given(values)
def test_hydra_reads_the_same_value_and_no_sweep(value):
    for key in ("key", "++a.b"):
        override = PARSER.parse_override(f"{key}={text(value)}")
        assert not override.is_sweep_override()
        assert repr(override.value()) == repr(value)


@pytest.mark.parametrize("value", [*SPECIAL, *QUOTES, *HYDRA, *PLACES])
def test_every_odd_string_comes_back_alone_in_a_list_and_in_a_section(value):
    for whole in (value, [value, value], {"a": [value], "b": {"c": value}}):
        assert PARSER.parse_override(f"key={text(whole)}").value() == whole


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e-05, 1e22, 5e-324, 0.1, -0.0, 10**30])
def test_a_number_comes_back_as_that_number(value):
    read = PARSER.parse_override(f"key={text(value)}").value()
    assert (type(read), repr(read)) == (type(value), repr(value))
    assert math.isnan(PARSER.parse_override(f"key={text(math.nan)}").value())


def test_an_interpolation_stays_one():
    read = PARSER.parse_override(f"key={text({'a': '${seed}', 'b': ['x-${seed}']})}").value()
    config = OmegaConf.create({"seed": 3, "key": read})
    assert config.key == {"a": 3, "b": ["x-3"]}


@pytest.mark.parametrize("name", ["a b", "a:b", "x,y", "a/b", "{}", "a=1", "$a", "1a", "-", "a."])
def test_a_key_inside_a_value_may_have_signs(name):
    assert PARSER.parse_override(f"key={text({name: 1})}").value() == {name: 1}


@pytest.mark.parametrize("name", ["1", "true", "null", "", "ü", "it's", "1e3", "\n"])
def test_a_key_that_hydra_would_read_as_something_else_is_refused(name):
    with pytest.raises(ConfigError, match="A key inside a value of a sweep must be one that"):
        text({name: 1})


def test_a_value_of_another_type_is_refused():
    with pytest.raises(ConfigError) as caught:
        text([date(2025, 1, 2)])
    assert str(caught.value) == (
        "A value of a sweep must be null, true, false, a number, text, a list or a section; "
        "got datetime.date(2025, 1, 2) of type date. Write it as text, in quotes."
    )
