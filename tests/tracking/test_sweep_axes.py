import math

from hypothesis import given
from hypothesis import strategies as st

from runner.records import Outcome
from runner.tracking.sweep_axes import MOST_TICKS, axis, floor, scored, varying

values = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=3), st.lists(st.none())
)


@given(st.lists(st.fixed_dictionaries({}, optional={"a": values}), min_size=1, max_size=20))
def test_every_member_stands_on_the_axis(params):
    drawn = axis(params, "a")
    assert len(drawn.places) == len(params)
    assert all(0 <= place <= 1 for place in drawn.places)
    assert 1 <= len(drawn.ticks) <= MOST_TICKS
    assert {place for place, _ in drawn.ticks} <= set(drawn.places)


def test_a_number_that_spans_decades_stands_by_its_logarithm():
    assert not axis([{"a": 1}, {"a": 99}], "a").is_logarithmic
    assert axis([{"a": 1}, {"a": 100}], "a").is_logarithmic
    assert not axis([{"a": 0}, {"a": 100}], "a").is_logarithmic


def test_only_what_finished_with_a_finite_score_is_drawn_the_best_first():
    scores = (0.5, math.nan, -math.inf, 0.75, 1.0)
    made = [
        Outcome(number=n, name="", key="", scores={"r2": s}, status="FINISHED")
        for n, s in enumerate(scores[:4])
    ]
    failed = Outcome(number=4, name="", key="", scores={"r2": 1.0}, status="FAILED")
    assert [outcome.number for outcome in scored([*made, failed], "r2")] == [3, 0]


def test_a_param_that_some_lack_differs():
    made = [Outcome(number=n, name="", key="", params=p) for n, p in enumerate([{"a": 1}, {}])]
    assert varying(made) == ["a"]
    assert varying(made[:1]) == []


@given(st.lists(st.floats(-1e12, 1e12), min_size=1))
def test_no_floor_is_above_the_middle(scores):
    assert min(scores) <= floor(scores) <= sorted(scores)[len(scores) // 2]
