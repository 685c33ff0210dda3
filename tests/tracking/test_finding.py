import pytest

from runner.tracking.finding import MOST_NAMED, named


@pytest.mark.parametrize(("n", "more"), [(0, 0), (MOST_NAMED, 0), (MOST_NAMED + 3, 3)])
def test_some_are_named_and_the_others_counted(n, more):
    told = named([f"run{number}" for number in range(n)])
    assert told.count("run") == min(n, MOST_NAMED)
    assert told.endswith(f" and {more} more") == bool(more)
