import pytest

from runner.config.rebuilt import Difference
from runner.reproduction.causes import causes
from runner.reproduction.comparison import aspects
from tests.reproduction.conftest import ENVIRONMENT, GIT, ledger

ONE, TWO = (
    f"diff --git a/mine.py b/mine.py\n+x = {n}\ndiff --git a/b.py b/b.py\n+y\n" for n in (1, 2)
)


def found(then, now, given=(), edited=()):
    return [str(cause) for cause in causes(then, now, aspects(then, now), given, edited)]


def test_where_nothing_changed_there_is_no_cause(make):
    assert found(make(), make()) == []


def test_a_changed_block_is_named(make):
    now = make(tags={"runner.content.train": "x"}, ledger=ledger(content=[7, 0, 6]))
    assert found(make(), now) == ["data changed: block 0 (rows 0 to 24) has another content"]


def test_a_changed_dataset_is_not_blamed_on_the_data(make):
    now = make(tags={"runner.content.train": "x"})
    given = [Difference("dataset.path", '"a"', '"b"', "the command line")]
    assert found(make(), now, given) == [
        'config changed: dataset.path: "a" was recorded, the command line now says "b"'
    ]


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        ({"diff": ""}, {"diff": ONE}, "b.py, mine.py"),
        ({"diff": ONE}, {"diff": TWO}, "mine.py"),
        ({}, {"git": {**GIT, "untracked_code": {"mine.py": "12"}}}, "mine.py"),
        ({}, {"git": {**GIT, "untracked_code": {}}}, "mine.py"),
        ({}, {"git": {**GIT, "commit": "b" * 40}}, "commit aaaaaaaaaaaa then, bbbbbbbbbbbb now"),
        ({}, {"git": None}, "it is known only then which commit of a repository it was"),
        ({"git": None}, {}, "it is known only now which commit of a repository it was"),
    ],
)
def test_changed_code_is_named_by_its_files(make, then, now, told):
    def side(changes):
        rest = {key: value for key, value in changes.items() if key != "diff"}
        return make(environment={**ENVIRONMENT, **rest}, diff=changes.get("diff", ""))

    assert found(side(then), side(now)) == [f"code changed: {told}"]


def test_without_a_repository_nothing_is_said_of_code(make):
    none = make(environment={**ENVIRONMENT, "git": None})
    assert found(none, none) == []


def test_changed_libraries_are_named_by_their_versions(make):
    now = make(requirements={"numpy": "2.4.6", "zarr": "3"})
    assert found(make(), now) == [
        "library changed: numpy==2.4.5 -> 2.4.6",
        "library changed: scipy==1.14 -> none",
        "library changed: zarr==3 is new",
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"python": "3.12.1"}, "machine changed: Python was 3.11.9, is 3.12.1"),
        ({"cpu": "B"}, "machine changed: the processor was A, is B"),
        ({"cpus": 8}, "threads changed: 2 processors then, 8 now"),
        (
            {"variables": {"OMP_NUM_THREADS": "2"}},
            "threads changed: OMP_NUM_THREADS was not set, is 2",
        ),
        (
            {"threads": [{**ENVIRONMENT["threads"][0], "num_threads": 2}]},
            "threads changed: blas (openblas) was 0.3.29 Haswell 1 thread, "
            "is 0.3.29 Haswell 2 threads",
        ),
    ],
)
def test_a_changed_machine_is_named(make, changes, told):
    assert found(make(), make(environment={**ENVIRONMENT, **changes})) == [told]


def test_libraries_that_only_one_of_them_loaded_are_not_compared(make):
    other = {**ENVIRONMENT["threads"][0], "user_api": "openmp", "internal_api": "openmp"}
    now = make(environment={**ENVIRONMENT, "threads": [*ENVIRONMENT["threads"], other]})
    assert found(make(), now) == []


def test_a_record_without_an_environment_blames_nothing_on_it(make):
    assert found(make(environment={}, requirements={}), make()) == [
        "code changed: it is known only now which commit of a repository it was"
    ]


@pytest.mark.parametrize(
    ("key", "kind"),
    [("seed", "seed"), ("dataset.chunks", "chunking"), ("estimator.alpha", "config")],
)
def test_what_was_asked_otherwise_is_told_and_where(make, key, kind):
    given = [Difference(key, "1", "2", "the command line")]
    edited = [Difference(key, "1", "2", "experiments/a.yaml")]
    assert found(make(), make(), given) == [
        f"{kind} changed: {key}: 1 was recorded, the command line now says 2"
    ]
    assert found(make(), make(), (), edited) == [
        f"{kind} changed: {key}: 1 was recorded, experiments/a.yaml now says 2; "
        "the recorded config was run"
    ]
    (cause,) = causes(make(), make(), aspects(make(), make()), (), edited)
    assert not cause.is_effective


def test_a_missing_file_is_told(make):
    edited = [Difference("experiment", "a", "nothing", "")]
    assert found(make(), make(), (), edited) == [
        "file missing: experiment: a was recorded, its file is missing now; "
        "the recorded config was run"
    ]


def test_another_end_is_told(make):
    then = make(tags={"runner.stop_reason": "halving"})
    assert found(then, make()) == ["stop changed: it was halving, is the last block"]


def test_another_cluster_is_named_only_where_bits_differ(make):
    given = [
        Difference("cluster.n_workers", "2", "nothing", "the command line"),
        Difference("cluster.placement", '"data"', "nothing", "the command line"),
    ]
    assert found(make(), make(), given) == []
    now = make(tags={"runner.model_hash": "m1"})
    assert found(make(), now, given) == [
        "cluster changed: cluster.n_workers: 2 was recorded, the command line now says nothing; "
        'cluster.placement: "data" was recorded, the command line now says nothing'
    ]
