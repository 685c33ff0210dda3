from itertools import product
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.base import Progress
from runner.errors import ConfigError
from runner.sweeps.brackets import Known, known_scores
from runner.sweeps.halving import Halving, Tournament

SCORES = st.sampled_from([0.1, 0.5, 0.9, nan, inf, -inf]) | st.floats(0, 1)


def tournament(n=9, total_rows=900, known=None, seed=0, **options):
    given_options = {"first_rows": 100, "factor": 3, **options}
    return Tournament(Halving(**given_options), range(n), total_rows, seed, known)


def play(judge, rows, scores):
    """Decide all that is due, as the shared pass does."""
    made = []
    while due := judge.due(rows):
        made += [judge.decide(bracket, rows, scores) for bracket in due]
    return made


def falling(n):
    """Scores by which the members rank in the order of their numbers."""
    return {member: 1 - member / 100 for member in range(n)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "sweep.halving.first_rows must be given; got nothing."),
        ({"first_rows": 0}, "sweep.halving.first_rows must be an integer of at least 1; got 0."),
        ({"first_rows": 1.5}, "sweep.halving.first_rows must be an integer of at least 1"),
        ({"factor": 1}, "sweep.halving.factor must be a number of at least 1.1; got 1."),
        ({"factor": nan}, "sweep.halving.factor must be a number of at least 1.1; got nan."),
        ({"factor": "3"}, "sweep.halving.factor must be a number of at least 1.1; got '3'."),
        ({"by": "final"}, "sweep.halving.by must be held_out or progressive; got 'final'."),
        ({"scorer": ""}, "sweep.halving.scorer must be text of 1 to 1000 characters, or null"),
        ({"hyperband": 1}, "sweep.halving.hyperband must be true or false; got 1."),
        ({"stop": None}, "sweep.halving.stop must be true or false; got None."),
        ({"facter": 3}, "sweep.halving.facter must be a key of it; got 'facter'. Did you mean"),
        ({3: 3}, "sweep.halving.3 must be a key of it; got 3. Choose one of: by, factor,"),
    ],
)
def test_what_means_nothing_is_refused(options, message):
    section = {"first_rows": 100, **options} if options else {}
    with pytest.raises(ConfigError) as refused:
        Halving.from_plain(section)
    assert str(refused.value).startswith(message)


def test_the_section_needs_only_the_first_rows():
    options = Halving.from_plain({"first_rows": 100})
    assert options == Halving(
        scorer=None, by="progressive", factor=3, first_rows=100, hyperband=False, stop=True
    )


def test_without_hyperband_all_members_are_in_one_bracket():
    (bracket,) = tournament(n=9).brackets
    assert bracket.members == tuple(range(9))
    assert bracket.rungs == (100, 300)
    assert bracket.survivors == (3, 1)


def test_hyperband_shares_the_members_among_its_brackets():
    judge = tournament(n=143, total_rows=8100, hyperband=True)
    assert [len(bracket.members) for bracket in judge.brackets] == [81, 34, 15, 8, 5]
    assert [bracket.survivors for bracket in judge.brackets] == [
        (27, 9, 3, 1),
        (11, 3, 1),
        (5, 1),
        (2,),
        (),
    ]
    assert judge.brackets[1].rungs == (300, 900, 2700)


@pytest.mark.parametrize(
    ("factor", "n", "lost_at", "rows"),
    [
        (3, 9, [6, 2], (100, 300)),
        (4, 17, [13, 3], (100, 400)),
        (1.5, 6, [2, 2, 1], (100, 150, 225, 338)),
        (3, 2, [1], (100, 300)),
    ],
)
def test_the_best_go_on_at_each_rung(factor, n, lost_at, rows):
    judge = tournament(n=n, total_rows=500, factor=factor)
    if factor == 3:
        assert judge.brackets[0].rungs == rows
    made = [decision for at in rows for decision in play(judge, at, falling(n))]
    assert [len(decision.stopped) for decision in made] == lost_at
    assert [decision.rows for decision in made] == list(rows[: len(made)])
    for decision in made:
        assert decision.kept == tuple(range(len(decision.kept)))
    assert judge.stopped == tuple(member for decision in made for member in decision.lost)
    assert judge.chosen() == 0


@pytest.mark.parametrize(("rows", "due"), [(0, 0), (99, 0), (100, 1), (299, 1), (10_000, 1)])
def test_a_rung_is_due_when_its_rows_are_learned(rows, due):
    assert len(tournament().due(rows)) == due


def test_a_rung_is_decided_once():
    judge = tournament()
    play(judge, 128, falling(9))
    assert judge.due(299) == []
    assert len(judge.due(300)) == 1


def test_rungs_that_one_block_passes_are_decided_in_turn_with_the_same_scores():
    judge = tournament(n=27, total_rows=2700)
    first, second, third = play(judge, 1000, falling(27))
    assert [decision.rung for decision in (first, second, third)] == [0, 1, 2]
    assert [len(decision.kept) for decision in (first, second, third)] == [9, 3, 1]
    assert {decision.rows for decision in judge.decisions} == {1000}
    assert set(second.scores) == set(first.kept)
    assert judge.chosen() == 0


def test_a_bracket_that_is_not_due_cannot_be_decided():
    judge = tournament()
    with pytest.raises(ValueError, match="bracket 2 is not due after 99 rows"):
        judge.decide(judge.brackets[0], 99, falling(9))


@pytest.mark.parametrize("hyperband", [False, True])
@pytest.mark.parametrize("n", [0, 1])
def test_a_member_alone_has_nothing_to_decide(n, hyperband):
    judge = tournament(n=n, hyperband=hyperband)
    assert judge.due(900) == []
    assert not any(bracket.decides for bracket in judge.brackets)
    assert judge.chosen() is None
    assert judge.chosen({0: 0.5} if n else {}) == (0 if n else None)


def test_the_last_survivor_is_compared_no_more():
    judge = tournament(n=3)
    play(judge, 100, falling(3))
    assert judge.due(300) == []


def test_rungs_beyond_all_rows_decide_nothing():
    for hyperband in (False, True):
        assert tournament(first_rows=900, hyperband=hyperband).due(900) == []


@pytest.mark.parametrize(
    ("scores", "ranked"),
    [
        ({0: 0.1, 1: 0.3, 2: 0.2}, (1, 2, 0)),
        ({0: 0.1, 1: 0.1, 2: 0.1}, (0, 1, 2)),
        ({0: nan, 1: 0.1, 2: 0.2}, (2, 1, 0)),
        ({0: nan, 1: -inf, 2: nan}, (1, 0, 2)),
        ({0: nan, 1: nan, 2: nan}, (0, 1, 2)),
        ({0: -inf, 1: inf, 2: 0.0}, (1, 2, 0)),
        ({2: 0.2, 0: 0.2}, (0, 2)),
        ({1: 0.0}, (1,)),
        ({}, ()),
    ],
)
def test_members_rank_by_score_then_number_and_nan_is_last(scores, ranked):
    judge = tournament(n=3)
    decision = judge.decide(judge.brackets[0], 100, scores)
    assert decision.kept + decision.lost == ranked
    assert len(decision.kept) == min(1, len(ranked))


def test_members_that_ended_otherwise_count_no_more():
    judge = tournament(n=9)
    judge.leave(0)
    present = {member: score for member, score in falling(9).items() if member != 1}
    (decision,) = play(judge, 100, present)
    assert decision.kept == (2, 3)  # floor(7 / 3)
    assert judge.history(0) == judge.history(1) == []
    (later,) = play(judge, 300, falling(9))
    assert set(later.scores) == {2, 3}
    assert judge.stopped == (4, 5, 6, 7, 8, 3)


def test_a_rung_is_not_due_when_only_one_member_is_left():
    judge = tournament(n=3)
    for member in (0, 2):
        judge.leave(member)
    assert judge.due(100) == []


def test_a_comparison_of_one_is_no_decision():
    judge = tournament(n=3)
    decision = judge.decide(judge.brackets[0], 100, {1: 0.5})
    assert (decision.kept, decision.lost) == ((1,), ())
    assert judge.decisions == []


def test_a_reason_names_the_policy_and_the_scorer():
    judge = tournament(n=9, scorer="accuracy")
    (decision,) = play(judge, 120, falling(9))
    assert decision.reason(4) == (
        "halving: rung 1 of 2 after 120 rows: accuracy 0.9600 was 5th of 9, and 3 go on"
    )
    judge = tournament(n=20, hyperband=True, stop=False)
    decision = play(judge, 120, falling(20))[0]
    assert decision.reason(decision.lost[-1]).startswith("hyperband: bracket 2, rung 1 of 2 ")
    assert decision.reason(decision.lost[-1]).endswith("and 3 would go on")


def test_without_stopping_the_same_is_decided_and_nobody_stopped():
    stopping, watching = tournament(), tournament(stop=False)
    for rows in (100, 300):
        play(stopping, rows, falling(9))
        for decision in play(watching, rows, falling(9)):
            assert decision.stopped == ()
            assert decision.would_be_stopped == decision.lost
    assert watching.would_be_stopped == stopping.stopped == (3, 4, 5, 6, 7, 8, 1, 2)
    assert watching.stopped == stopping.would_be_stopped == ()
    assert watching.chosen({8: 1.0, 0: 0.5}) == 0
    assert [watching.history(member) for member in range(9)] == [
        stopping.history(member) for member in range(9)
    ]


def test_the_history_of_a_member_tells_each_rung():
    judge = tournament()
    play(judge, 100, falling(9))
    play(judge, 310, falling(9))
    assert [record.as_plain() for record in judge.history(1)] == [
        {
            "bracket": 2,
            "rung": rung,
            "rows": rows,
            "score": 0.99,
            "rank": 2,
            "of": of,
            "kept": kept,
        }
        for rung, rows, of, kept in ((0, 100, 9, True), (1, 310, 3, False))
    ]
    assert len(judge.history(8)) == 1


def decided(final=None, failed=(), n=9, rungs=(100, 300), scores=None):
    judge = tournament(n=n)
    for rows in rungs:
        play(judge, rows, scores or falling(n))
    for member in failed:
        judge.leave(member, failed=True)
    return judge.chosen(final)


@pytest.mark.parametrize(
    ("case", "chosen"),
    [
        ({}, 0),
        ({"final": {8: 1.0}}, 0),  # a survivor before one that was stopped
        ({"failed": [0]}, 1),  # of those stopped, one of a later rung
        ({"failed": [0, 1, 2]}, 3),
        ({"failed": range(9)}, None),
        ({"failed": [0], "final": {8: 1.0}}, 1),
        ({"rungs": (100,), "final": {0: 0.1, 1: 0.3, 2: 0.2}}, 1),
        ({"rungs": (100,), "final": {2: 0.1}}, 2),  # the end is later than any rung
        ({"rungs": (100,), "final": {0: nan, 1: nan}}, 2),
        ({"rungs": (100,)}, 0),
        ({"rungs": (), "final": {4: 0.7, 5: 0.7}}, 4),
        ({"rungs": (), "final": {4: nan}}, None),
        ({"rungs": ()}, None),
        ({"scores": dict.fromkeys(range(9), nan)}, None),
    ],
)
def test_the_chosen_member_survived_longest_then_has_the_best_score(case, chosen):
    assert decided(**case) == chosen


def test_among_brackets_the_rung_of_more_rows_is_later():
    judge = tournament(n=10, hyperband=True)
    early, late, never = judge.brackets
    assert (early.rungs, late.rungs, never.rungs) == ((100, 300), (300,), ())
    play(judge, 100, dict.fromkeys(range(10), 0.9))
    assert judge.chosen() in early.members
    judge.leave(early.members[0])
    play(judge, 300, dict.fromkeys(range(10), 0.1))
    assert judge.chosen() == late.members[0]
    assert judge.chosen(dict.fromkeys(never.members, 0.05)) == never.members[0]


@st.composite
def sweeps(draw):
    """Options, how many rows each block has, scores by block, and when members end otherwise."""
    n = draw(st.integers(1, 14))
    options = Halving(
        first_rows=draw(st.integers(1, 40)),
        factor=draw(st.sampled_from([1.5, 2, 3, 4])),
        hyperband=draw(st.booleans()),
        stop=draw(st.booleans()),
    )
    blocks = draw(st.lists(st.integers(1, 60), min_size=1, max_size=8))
    scores = [
        draw(st.lists(SCORES, min_size=n, max_size=n).map(lambda row: dict(enumerate(row))))
        for _ in blocks
    ]
    ends = {member: draw(st.integers(0, 12)) for member in range(n)}
    return options, n, blocks, scores, ends


def run(sweep, blocks_learned=None, known=None, tell=True):
    """Play a sweep from its first block and return its tournament."""
    options, n, blocks, scores, ends = sweep
    known = known or {}
    judge = Tournament(options, range(n), sum(blocks), 5, known)
    rows = 0
    for i, block in enumerate(blocks[:blocks_learned]):
        rows += block
        gone = {member for member in range(n) if ends[member] <= i}
        for member in gone if tell else ():
            if member not in known:
                judge.leave(member)
        running = set(range(n)) - gone - set(known) - set(judge.stopped)
        play(judge, rows, {member: scores[i][member] for member in running})
    return judge


@settings(deadline=None, max_examples=300)
@given(sweep=sweeps(), data=st.data(), tell=st.booleans())
def test_a_resumed_sweep_decides_as_one_without_interruption(sweep, data, tell):
    _, n, blocks, _, ends = sweep
    whole = run(sweep, tell=tell)
    interrupted_after = data.draw(st.integers(0, len(blocks)))
    before = run(sweep, interrupted_after, tell=tell)
    over = set(before.stopped) | {m for m in range(n) if ends[m] < interrupted_after}
    recorded = data.draw(st.sets(st.sampled_from(sorted(over)))) if over else set()
    known = known_scores(
        {member: [record.as_plain() for record in before.history(member)] for member in recorded}
    )
    resumed = run(sweep, known=known, tell=tell)
    assert list(map(str, resumed.decisions)) == list(map(str, whole.decisions))
    assert resumed.chosen() == whole.chosen()


@settings(deadline=None, max_examples=300)
@given(sweep=sweeps())
def test_whatever_the_scores_the_tournament_is_fair(sweep):
    _, n, _, _, _ = sweep
    judge = run(sweep)
    members = sorted(member for bracket in judge.brackets for member in bracket.members)
    assert members == list(range(n))
    lost = [member for decision in judge.decisions for member in decision.lost]
    assert len(lost) == len(set(lost))
    assert sorted(judge.stopped + judge.would_be_stopped) == sorted(lost)
    for bracket, decision in product(judge.brackets, judge.decisions):
        if decision.bracket != bracket.number:
            continue
        assert set(decision.scores) <= set(bracket.members)
        assert 1 <= len(decision.kept) <= bracket.survivors[decision.rung]
        assert bracket.rungs[decision.rung] <= decision.rows
        worst = min(decision.scores[member] for member in decision.kept)
        assert not any(decision.scores[member] > worst for member in decision.lost)


def test_a_member_that_an_earlier_process_stopped_is_known_to_have_been():
    known = {0: {0: Known(0.5, 100)}, 1: {0: Known(0.9, 100)}}
    judge = Tournament(Halving(first_rows=100), range(3), 900, 0, known, learning=[0, 1, 2])
    stopped, other = Progress(), Progress()
    stopped.stop(
        "halving: rung 1 of 2 after 100 rows: accuracy 0.5000 was 3rd of 3, and 1 goes on"
    )
    other.stop("the time limit of 1 minutes was reached")
    assert judge.stopped_before(0, stopped) == 0
    assert judge.stopped_before(0, other) is None
    assert judge.stopped_before(0, Progress()) is None
    assert judge.stopped_before(2, stopped) is None


def test_what_an_interrupted_process_found_decides_as_if_it_had_gone_on():
    scores = {0: 0.6, 1: 0.9, 2: 0.7}
    whole, again = tournament(3), tournament(3)
    (bracket,) = whole.due(100)
    decided = whole.decide(bracket, 100, scores)
    again.know({number: {0: Known(scores[number], 100)} for number in (0, 2)}, [1])
    (bracket,) = again.due(100)
    assert again.decide(bracket, 100, {1: scores[1]}) == decided
