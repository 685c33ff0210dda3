"""A fit that has taken long enough."""

import pytest

from runner.base import Progress
from runner.callbacks.time_limit import TimeLimit
from runner.errors import ConfigError


def test_the_fit_is_asked_to_stop_at_the_first_block_after_the_limit():
    now = iter([100.0, 150.0, 160.0, 161.0])
    limit, progress = TimeLimit(minutes=1, clock=lambda: next(now)), Progress()
    limit.on_fit_begin(progress, None)
    for expected in (None, None, "the time limit of 1 minutes was reached"):
        limit.on_block_end(progress, None)
        assert progress.stop_reason == expected


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), "abc", None])
def test_a_limit_that_is_none_is_refused(minutes):
    with pytest.raises(ConfigError, match=r"time_limit\.minutes must be a number above 0"):
        TimeLimit(minutes=minutes)
