"""What anybody can write into a name must not become a link, an image or a tag of HTML."""

import re

from hypothesis import given
from hypothesis import strategies as st

from runner.tracking.markdown import code, fenced, plain

TEXTS = st.text(st.sampled_from("ab <>&![]()`*|\\\n"), max_size=40)


@given(TEXTS)
def test_nothing_in_plain_text_has_a_meaning(text):
    shown = plain(text, 100)
    assert "\n" not in shown
    assert not set("<>") & set(shown)
    assert not re.search(r"(?<!\\)(?:\\\\)*[\[\]`*|]", shown)


@given(TEXTS)
def test_code_ends_where_it_is_to_end(text):
    shown = code(text, 100)
    assert shown.startswith("`")
    assert shown.endswith("`")
    assert "`" not in shown[1:-1]
    assert not re.search(r"(?<!\\)[|]", shown)


@given(TEXTS)
def test_lines_of_code_end_at_their_own_fence(text):
    first, *lines, last = fenced("text", text).split("\n")
    assert first == f"{last}text"
    assert last not in lines


def test_what_is_too_long_is_cut_before_it_is_escaped():
    assert plain("*" * 10, 3) == r"\*\*\* ..."
