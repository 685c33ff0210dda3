"""Which members learn from the same blocks, and how many are read."""

import pytest
from omegaconf import OmegaConf
from sklearn.preprocessing import StandardScaler

from runner.errors import DatasetError
from runner.fit.options import FitOptions
from runner.sweeps.halving import Halving, Tournament
from runner.sweeps.plan import Group, Plan, dealt, planned, reading_of
from tests.sweeps.conftest import Counted, built_of, experiment_of, read_of, share_pass


def plan_of(swept, runs, more=""):
    job = swept({"runs": runs}, more=more, dry_run=True)
    return job.teller.plans[0]


def numbers(plan):
    return [[each.member.number for each in group.built] for group in plan.groups]


@pytest.mark.parametrize(
    ("changes", "together"),
    [
        ({"estimator.alpha": 0.1}, True),
        ({"estimator": "perceptron"}, True),
        ({"partial_fit.classes": [0, 1, 2]}, True),
        ({"fit.epochs": 3}, True),
        ({"fit.progressive_window": 5}, True),
        ({"evaluation.every": 40}, True),
        ({"callbacks": ["time_limit"], "callbacks.time_limit.minutes": 60}, True),
        ({"seed": 7}, False),
        ({"dataset.chunks": 10}, False),
        ({"dataset.holdout": 0.4}, False),
        ({"dataset.validation": 0.2}, False),
        ({"dataset.arguments.size": 40}, False),
        ({"stream.shuffle": False}, False),
        ({"stream.buffer_blocks": 2}, False),
        ({"stream.prefetch": 1}, False),
        ({"preprocessing": ["standard_scaler"]}, False),
        ({"fit.on_bad_block": "skip"}, False),
        ({"fit.max_bad_blocks": 3}, False),
    ],
    ids=str,
)
def test_members_share_a_group_where_they_read_the_same(swept, project, changes, together):
    plan = plan_of(swept, [{}, changes])
    assert numbers(plan) == ([[0, 1]] if together else [[0], [1]])
    assert plan.refused == ()
    assert read_of(project) == 0


def test_the_order_and_the_policy_of_stages_part_members(swept):
    stages = ["standard_scaler", "max_abs_scaler"]
    runs = [
        {"preprocessing": stages},
        {"preprocessing": stages[::-1]},
        {"preprocessing": stages, "fit.preprocessing": "running"},
        {"preprocessing": stages},
        {"preprocessing": stages, "estimator.alpha": 0.1},
    ]
    assert numbers(plan_of(swept, runs)) == [[0, 3], [1], [2]]


def test_what_is_written_otherwise_and_means_the_same_is_one_group():
    one = OmegaConf.create({"seed": 3, "dataset": {"seed": "${seed}", "chunks": 5}})
    other = OmegaConf.create({"dataset": {"chunks": 5, "seed": 3}, "seed": 3, "name": "x"})
    assert reading_of(one) == reading_of(other)


def test_groups_are_in_the_order_of_their_first_members(swept):
    plan = plan_of(swept, [{"seed": 2}, {"seed": 1}, {"seed": 2, "estimator.alpha": 0.1}])
    assert numbers(plan) == [[0, 2], [1]]
    assert [each.member.number for each in plan.built] == [0, 1, 2]


def test_a_member_whose_config_or_data_are_wrong_is_refused_and_says_why(swept):
    runs = [
        {},
        {"estimator.how": "unbuildable"},
        {"dataset.arguments.n_blocks": 1},
        {"dataset.arguments.n_blocks": 1, "estimator.alpha": 0.1},
        {"estimator.alpha": 0.1},
    ]
    plan = plan_of(swept, runs)
    assert numbers(plan) == [[0, 4]]
    assert sorted(refusal.member.number for refusal in plan.refused) == [1, 2, 3]
    errors = {refusal.member.number: refusal.error for refusal in plan.refused}
    assert "cannot be built" in str(errors[1])
    assert isinstance(errors[2], DatasetError)


def test_no_members_make_an_empty_plan():
    assert planned([]).groups == ()


@pytest.mark.parametrize("epochs", [(1,), (1, 1, 1), (3, 1), (2, 3, 2)])
@pytest.mark.parametrize("holdout", [0.0, 0.2])
@pytest.mark.parametrize("stages", [{}, {"scale": StandardScaler()}])
def test_the_reads_of_a_plan_are_those_that_are_made(epochs, holdout, stages):
    def members(data):
        return [
            experiment_of(data, fit=FitOptions(epochs=n), preprocessing=stages) for n in epochs
        ]

    data = Counted(holdout=holdout)
    passed = share_pass(members(data))
    assert passed.statuses == ["FINISHED"] * len(epochs)
    assert data.n_reads == passed.group.reads
    one_by_one = 0
    for member in members(Counted(holdout=holdout)):
        own = share_pass([member])
        assert own.group.reads == own.group.reads_alone
        one_by_one += own.group.reads
    assert passed.group.reads_alone == one_by_one


def test_a_group_learns_for_the_epochs_of_its_longest_member():
    members = [experiment_of(Counted(), fit=FitOptions(epochs=n)) for n in (2, 5, 1)]
    group = Group(built_of(members), members[0].dataset.split())
    assert group.epochs == 5
    assert group.total_rows == 5 * 160
    assert group.lead is members[0]


def group_of(n, **changes):
    members = [experiment_of(Counted()) for _ in range(n)]
    return Group(built_of(members), members[0].dataset.split(), **changes)


@pytest.mark.parametrize(
    ("sizes", "n_workers", "shards"),
    [
        ([4], 2, [2]),
        ([3], 8, [3]),
        ([10, 10], 2, [1, 1]),
        ([12, 4], 4, [3, 1]),
        ([1, 1, 1], 2, [1, 1, 1]),
        ([6], 1, [1]),
        ([6], None, [1]),
        ([], 2, []),
    ],
)
def test_members_are_dealt_so_that_each_worker_has_something_to_do(sizes, n_workers, shards):
    plan = dealt(Plan(tuple(map(group_of, sizes))), n_workers)
    assert [group.n_shards for group in plan.groups] == shards
    assert plan.n_workers == n_workers
    assert plan.n_shards == sum(shards)


def test_shards_have_all_members_once_in_turn_and_read_the_blocks_each():
    group = group_of(5, n_shards=2)
    dealt_to = [[built.member.number for built in shard.built] for shard in group.shards]
    assert dealt_to == [[0, 2, 4], [1, 3]]
    assert group.reads == sum(shard.reads for shard in group.shards) == 2 * 10
    assert group.reads_alone == 5 * 10


def test_members_that_are_compared_while_they_learn_stay_together():
    halved = group_of(4, tournament=Tournament(Halving(first_rows=40), range(4), 160, 0))
    assert [group.n_shards for group in dealt(Plan((halved,)), 2).groups] == [1]
