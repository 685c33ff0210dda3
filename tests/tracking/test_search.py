import pytest

from runner.errors import ConfigError, TrackingError
from runner.tracking.record import recent_runs
from runner.tracking.search import experiment_ids, understood


def test_all_experiments_are_searched_or_the_one_that_is_named(client):
    made = {name: client.create_experiment(name) for name in ("clicks", "digits")}
    assert set(experiment_ids(client)) >= set(made.values())
    assert experiment_ids(client, "digits") == [made["digits"]]


def test_an_experiment_that_is_not_there_is_told_with_the_nearest(client):
    client.create_experiment("clicks")
    with pytest.raises(ConfigError, match=r"got 'cliks'\. Did you mean 'clicks'\?"):
        experiment_ids(client, "cliks")


@pytest.mark.parametrize(
    "wrong",
    [
        "accuracy > 0.9",
        "metrics.a >",
        "metrics.a > 'x'",
        "params.a = 1",
        "nosuch.x = 'a'",
        "status = 'FAILED' OR status = 'KILLED'",
        "((('",
        "; DROP TABLE runs",
        "run_id IN (1)",
        "é\x00",
    ],
)
def test_a_filter_that_cannot_be_read_is_told_with_an_example(run_id, wrong):
    with pytest.raises(
        ConfigError, match=r"(?s)^The filter must be .* of which it says: .*such as"
    ):
        recent_runs(filter_string=wrong)


def test_an_error_that_is_not_the_filters_is_told_as_it_is():
    with pytest.raises(TrackingError) as told, understood("metrics.a > 1"):
        raise TrackingError(
            "The store", "answer", got="nothing", remedy="Start it."
        ) from OSError()
    assert told.value.parts[0] == "The store"


def test_a_server_says_the_same_of_a_wrong_filter(server):
    with pytest.raises(ConfigError, match=r"got 'acc', of which it says: .*Invalid clause"):
        recent_runs(server.url, filter_string="acc")
