import re

from hypothesis import given
from hypothesis import strategies as st

from runner.records import Outcome
from runner.sweeps import plan
from runner.tracking import sweep_colours
from runner.tracking.sweep_colours import OKABE_ITO, between, colours

values = st.one_of(st.integers(0, 3), st.floats(0, 1), st.sampled_from("abc"), st.none())
params = st.dictionaries(st.sampled_from(["dataset.chunks", "loss", "alpha"]), values)


def members(each):
    return [Outcome(number=n, name="", key="", params=p) for n, p in enumerate(each)]


@given(st.lists(params, max_size=8))
def test_every_member_has_a_colour_where_something_differs(each):
    found = colours(members(each))
    assert set(found) == (set(range(len(each))) if any(each) else set())
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in found.values())


def test_members_that_learn_in_one_pass_have_one_hue():
    each = [{"loss": loss, "dataset.chunks": n} for loss in ("a", "b") for n in (5, 50)]
    found = colours(members(each))
    assert (found[0], found[1]) == OKABE_ITO[:2]
    assert found[2] != found[0]


def test_a_word_decides_the_hue_where_all_learn_in_one_pass():
    each = [{"alpha": a, "loss": loss} for a in (0.1, 0.2) for loss in ("a", "b")]
    found = colours(members(each))
    assert (found[0], found[1]) == OKABE_ITO[:2]
    assert len(set(found.values())) == 4


def test_numbers_alone_run_from_dark_to_light():
    def light(colour):
        return sum(int(colour[i : i + 2], 16) for i in (1, 3, 5))

    found = colours(members([{"alpha": value} for value in (0.1, 10, 1)]))
    assert light(found[0]) < light(found[2]) < light(found[1])


def test_more_groups_than_hues_are_no_groups():
    found = colours(members([{"seed": n, "loss": "ab"[n % 2]} for n in range(20)]))
    assert (found[0], found[1]) == (OKABE_ITO[0], between((OKABE_ITO[1], "#ffffff"), 0.55 / 19))
    assert len(set(found.values())) == 20


def test_what_is_read_alike_is_what_members_of_one_pass_share():
    assert sweep_colours.READ_ALIKE == plan.READ_ALIKE
