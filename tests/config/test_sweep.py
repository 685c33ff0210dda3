"""The section ``sweep`` of a file."""

import pytest

from runner.config.sweep import Sweep, flattened
from runner.errors import ConfigError


def test_nothing_is_no_sweep():
    for section in (None, {}, {"grid": None, "zip": {}, "runs": [], "halving": None}):
        sweep = Sweep.from_plain(section)
        assert not sweep
        assert sweep == Sweep()
    assert not Sweep.from_plain({"runs": [{}]})


def test_the_parts_are_read_as_they_are_written():
    sweep = Sweep.from_plain(
        {
            "grid": {"estimator": ["gaussian_nb", "perceptron"], "dataset.chunks": [5, "1MiB"]},
            "zip": {"fit.epochs": [1, 2], "seed": [None, 3]},
            "runs": [{"partial_fit.classes": [[0, 1]]}, {}],
            "halving": {"factor": 3},
        }
    )
    assert sweep
    assert sweep.grid == {
        "estimator": ["gaussian_nb", "perceptron"],
        "dataset.chunks": [5, "1MiB"],
    }
    assert sweep.zip == {"fit.epochs": [1, 2], "seed": [None, 3]}
    assert sweep.runs == ({"partial_fit.classes": [[0, 1]]}, {})
    assert sweep.halving == {"factor": 3}


def test_nested_sections_are_dotted_keys_down_to_a_list():
    sweep = Sweep.from_plain(
        {
            "grid": {"estimator": {"alpha": [1, 2], "estimator": {"eta0": [3]}}},
            "runs": [{"fit": {"epochs": 3, "class_weight": {0: 1.0, 1: 9.0}}, "x": {}}],
        }
    )
    assert sweep.grid == {"estimator.alpha": [1, 2], "estimator.estimator.eta0": [3]}
    assert sweep.runs == ({"fit.epochs": 3, "fit.class_weight": {0: 1.0, 1: 9.0}, "x": {}},)


def test_of_two_ways_to_write_a_key_the_later_wins():
    grid = {"a.b": [1], "c": [2], "a": {"b": [3]}}
    assert list(flattened(grid)) == [("a.b", [1]), ("c", [2]), ("a.b", [3])]
    assert Sweep.from_plain({"grid": grid}).grid == {"a.b": [3], "c": [2]}


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("quick", "sweep must be a section of keys; got 'quick'. Write keys, or sweep=null."),
        ([1], "sweep must be a section of keys; got [1]."),
        ({"gird": {}}, "sweep.gird must be a key of sweep; got 'gird'. Did you mean 'grid'?"),
        ({"grid": [1]}, "sweep.grid must be a section of keys; got [1]."),
        ({"halving": 3}, "sweep.halving must be a section of keys; got 3."),
        (
            {"grid": {"seed": 3}},
            "sweep.grid.seed must be a list with at least one value; got 3. "
            "Write seed: [...] with the values to try.",
        ),
        ({"grid": {"seed": []}}, "sweep.grid.seed must be a list with at least one value; got []"),
        ({"grid": {"seed": "1,2"}}, "sweep.grid.seed must be a list with at least one value"),
        ({"grid": {"estimator": {}}}, "sweep.grid.estimator must be a list with at least"),
        ({"zip": {"a.b": None}}, "sweep.zip.a.b must be a list with at least one value; got null"),
        (
            {"zip": {"estimator.alpha": [1, 2, 3], "seed": [1, 2]}},
            "sweep.zip must have lists of one length; got estimator.alpha (3) and seed (2). "
            "Fill up the shorter lists, or use sweep.grid for every combination.",
        ),
        ({"zip": {"a": [1], "b": [1, 2], "c": [1]}}, "got a (1), b (2) and c (1)."),
        ({"runs": {"seed": 1}}, "sweep.runs must be a list of sections; got {seed: 1}."),
        ({"runs": [{"seed": 1}, None]}, "sweep.runs.1 must be a section of keys; got null."),
        ({"runs": [{"a b": 1}]}, "sweep.runs.0 must have keys such as estimator.alpha; got 'a b'"),
        ({"grid": {3: [1]}}, "sweep.grid must have keys such as estimator.alpha; got '3'."),
        ({"grid": {"~seed": [1]}}, "sweep.grid must have keys such as estimator.alpha"),
        ({"grid": {"sweep": [1]}}, "sweep.grid must name settings of the experiment; got 'sweep'"),
        ({"zip": {"sweep.grid": [1]}}, "sweep.zip must name settings of the experiment"),
        ({"runs": [{"sweep": None}]}, "sweep.runs.0 must name settings of the experiment"),
        ({"grid": {"hydra/launcher": ["basic"]}}, "must name settings of the experiment"),
        ({"grid": {"hydra": {"job": {"name": ["a"]}}}}, "got 'hydra.job.name'. Leave it out"),
        ({"grid": {"+hydra.x": [1]}}, "must name settings of the experiment"),
        ({"grid": {"experiment": ["a"]}}, "must name settings of the experiment"),
        (
            {"grid": {"seed": [1]}, "runs": [{"strict": True}, {"seed": 2}]},
            "sweep.runs.seed must be swept in one place; got sweep.grid and sweep.runs. "
            "Leave it in one of them.",
        ),
        ({"grid": {"a.b": [1]}, "zip": {"+a.b": [2]}}, "sweep.zip.a.b must be swept in one place"),
        ({"zip": {"a.b": [1]}, "runs": [{"a": {"b": 2}}]}, "got sweep.zip and sweep.runs"),
    ],
)
def test_a_mistake_is_told_with_its_key_and_a_remedy(section, said):
    with pytest.raises(ConfigError) as caught:
        Sweep.from_plain(section)
    assert said in str(caught.value)


def test_keys_that_only_begin_like_hydras_are_settings():
    grid = {"hydrant": [1], "sweeper.x": [1], "experiments": [1], "estimator@a.b": ["x"]}
    assert Sweep.from_plain({"grid": grid}).grid == grid


def test_a_key_decided_elsewhere_drops_out_of_each_part():
    sweep = Sweep.from_plain(
        {
            "grid": {"+estimator.eta0": [1], "seed": [1, 2]},
            "zip": {"fit.epochs": [1, 2], "strict": [True, False]},
            "runs": [{"name": "a", "x.y": 1}, {"x.y": 2}],
            "halving": {"factor": 3},
        }
    )
    left = sweep.without({"estimator.eta0", "strict", "x.y"})
    assert left.grid == {"seed": [1, 2]}
    assert left.zip == {"fit.epochs": [1, 2]}
    assert left.runs == ({"name": "a"}, {})
    assert left.halving == {"factor": 3}
    assert not sweep.without(sweep.keys())


@pytest.mark.parametrize(
    "section",
    [
        {"grid": {f"estimator.a{i}": list(range(10)) for i in range(9)}},
        {"grid": {"seed": list(range(1000))}, "runs": [{"fit.epochs": n} for n in range(1, 102)]},
    ],
)
def test_more_members_than_can_be_listed_are_refused_at_once(section):
    with pytest.raises(ConfigError, match="A sweep must have at most 100,000 members"):
        Sweep.from_plain(section)
