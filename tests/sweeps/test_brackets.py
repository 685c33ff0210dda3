import json
from math import inf, isnan, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.sweeps.brackets import (
    Bracket,
    Decision,
    Record,
    _ordinal,
    hyperband_brackets,
    known_scores,
    rungs,
    share,
    survivors,
)

FACTORS = st.sampled_from([1.1, 1.5, 2, 2.5, 3, 3.0, 4, 10, 1e9])
SIZES = st.lists(st.integers(1, 100), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("number", "counts", "rows"),
    [
        (4, (81, 27, 9, 3, 1), (1, 3, 9, 27)),
        (3, (34, 11, 3, 1), (3, 9, 27)),
        (2, (15, 5, 1), (9, 27)),
        (1, (8, 2), (27,)),
        (0, (5,), ()),
    ],
)
def test_the_brackets_are_those_of_hyperband_s_table_for_81_units_and_factor_3(
    number, counts, rows
):
    shape = {shape.number: shape for shape in hyperband_brackets(81, 1, 3)}[number]
    bracket = Bracket(number, tuple(range(shape.size)), shape.rungs, 3)
    assert (shape.size, *bracket.survivors) == counts
    assert shape.rungs == rows
    assert shape.first_rows == 81 // 3**number


def test_the_brackets_are_those_of_the_published_example_for_8_units_and_factor_2():
    assert [(shape.size, shape.first_rows) for shape in hyperband_brackets(8, 1, 2)] == [
        (8, 1),
        (6, 2),
        (4, 4),
        (4, 8),
    ]


@pytest.mark.parametrize(
    ("total_rows", "first_rows", "factor", "most"),
    [
        (243, 1, 3, 5),  # math.log(243, 3) is 4.999...
        (125_000, 1000, 5, 3),  # so is math.log(125, 5) 3.000...4
        (242, 1, 3, 4),
        (1000, 100, 3, 2),
        (3375, 1000, 1.5, 3),
        (1331, 1000, 1.1, 3),
        (1330, 1000, 1.1, 2),
        (100, 100, 3, 0),
        (100, 101, 3, 0),
    ],
)
def test_the_number_of_brackets_is_exact(total_rows, first_rows, factor, most):
    numbers = [shape.number for shape in hyperband_brackets(total_rows, first_rows, factor)]
    assert numbers == list(range(most, -1, -1))


@settings(deadline=None)
@given(total=st.integers(1, 10**9), first=st.integers(1, 10**6), factor=FACTORS)
def test_a_bracket_begins_between_the_first_rows_and_all(total, first, factor):
    shapes = hyperband_brackets(total, first, factor)
    assert shapes[-1].rungs == ()
    assert shapes[-1].first_rows == total
    for shape in shapes:
        assert min(first, total) <= shape.first_rows <= total
        assert len(shape.rungs) <= shape.number
        assert list(shape.rungs) == sorted(set(shape.rungs))
        assert all(shape.first_rows <= row < total for row in shape.rungs)
        assert shape.size >= factor**shape.number * (1 - 1e-9)


@pytest.mark.parametrize(
    ("first_rows", "factor", "total_rows", "expected"),
    [
        (100, 3, 8100, (100, 300, 900, 2700)),
        (100, 3, 8101, (100, 300, 900, 2700, 8100)),
        (10, 1.5, 34, (10, 15, 23)),
        (10, 4, 1000, (10, 40, 160, 640)),
        (1, 1.1, 4, (1, 2, 3)),
        (1000, 1.1, 1332, (1000, 1100, 1210, 1331)),
        (7, 3, 7, ()),
        (7, 3, 0, ()),
        (7, 1e300, 10**12, (7,)),
    ],
)
def test_rungs_grow_by_the_factor_and_end_before_the_rows(
    first_rows, factor, total_rows, expected
):
    assert rungs(first_rows, factor, total_rows) == expected


@pytest.mark.parametrize(
    ("n", "factor", "expected"),
    [
        (9, 3, 3),
        (8, 3, 2),
        (3, 1.5, 2),
        (2, 1.5, 1),
        (7, 4, 1),
        (11, 1.1, 10),
        (33, 1.1, 30),
        (2, 100, 1),
        (1, 3, 1),
        (0, 3, 0),
    ],
)
def test_one_of_so_many_members_goes_on_and_never_none(n, factor, expected):
    assert survivors(n, factor) == expected


@given(n=st.integers(1, 300), factor=FACTORS, n_rungs=st.integers(0, 12))
def test_survivors_become_fewer_and_never_none(n, factor, n_rungs):
    counts = Bracket(n_rungs, tuple(range(n)), tuple(range(1, n_rungs + 1)), factor).survivors
    assert len(counts) == n_rungs
    for before, after in zip((n, *counts), counts, strict=False):
        assert 1 <= after <= before
        assert after < before or before == 1


@pytest.mark.parametrize(
    ("n", "steps", "decides"),
    [(9, (100, 300), True), (9, (), False), (1, (100, 300), False), (0, (100, 300), False)],
)
def test_a_bracket_says_whether_it_decides(n, steps, decides):
    bracket = Bracket(len(steps), tuple(range(n)), steps, 3)
    assert bracket.decides is decides


@given(members=st.sets(st.integers(0, 999)), sizes=SIZES, seed=st.integers(0, 2**32))
def test_every_member_is_in_one_bracket_in_proportion_to_the_sizes(members, sizes, seed):
    parts = share(sorted(members), sizes, seed)
    assert sorted(member for part in parts for member in part) == sorted(members)
    for part, size in zip(parts, sizes, strict=True):
        assert part == sorted(part)
        assert abs(len(part) - len(members) * size / sum(sizes)) < 1


@given(members=st.permutations(range(12)), seed=st.integers(0, 2**32))
def test_the_shares_follow_from_the_seed_alone(members, seed):
    assert share(members, [5, 3, 1], seed) == share(range(12), [5, 3, 1], seed)


def test_another_seed_shares_otherwise():
    assert share(range(40), [5, 3, 1], 0) != share(range(40), [5, 3, 1], 1)


def test_with_fewer_members_than_brackets_the_largest_brackets_have_one_each():
    assert list(map(len, share([3, 8], [81, 34, 15, 8, 5], 0))) == [1, 1, 0, 0, 0]
    assert share([], [81, 34], 0) == [[], []]


DECISION = Decision(
    bracket=2,
    rung=0,
    rows=4000,
    kept=(3, 1),
    lost=(4, 2),
    scores={1: 0.8, 2: nan, 3: 0.9, 4: 0.70004},
    of_rungs=3,
    scorer="accuracy",
)


@pytest.mark.parametrize(
    ("member", "told"),
    [
        (3, "accuracy 0.9000 was 1st of 4, and 2 go on"),
        (4, "accuracy 0.7000 was 3rd of 4, and 2 go on"),
        (2, "accuracy nan was 4th of 4, and 2 go on"),
    ],
)
def test_a_decision_says_why(member, told):
    assert DECISION.reason(member) == f"halving: rung 1 of 3 after 4,000 rows: {told}"


def test_a_decision_is_recorded_by_member():
    assert DECISION.record(1) == Record(2, 0, 4000, 0.8, 2, 4, kept=True)
    assert DECISION.record(4) == Record(2, 0, 4000, 0.70004, 3, 4, kept=False)


def test_places_are_written_as_in_english():
    told = " ".join(map(_ordinal, (1, 2, 3, 4, 10, 11, 12, 13, 21, 101, 111, 112, 122)))
    assert told == "1st 2nd 3rd 4th 10th 11th 12th 13th 21st 101st 111th 112th 122nd"


@given(score=st.floats() | st.sampled_from([nan, inf, -inf]), rung=st.integers(0, 9))
def test_a_score_comes_back_from_strict_json(score, rung):
    plain = Record(1, rung, 1000, score, 1, 2, kept=True).as_plain()
    read = json.loads(json.dumps([plain], allow_nan=False))
    back, rows = known_scores({7: read})[7][rung]
    assert rows == 1000
    assert back == score or (isnan(back) and isnan(score))
