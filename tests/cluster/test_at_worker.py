"""What runs on a worker works the same in any process."""

import operator

import numpy as np
from distributed.protocol import deserialize, serialize

from runner.cluster.at_worker import Shared, address, ask, call, look, perform, shared, tell
from runner.cluster.files import UnseenError
from runner.cluster.layouts import dumps
from runner.cluster.outcomes import Outcome
from runner.cluster.versions import versions_here
from runner.errors import ClusterError
from tests.cluster import tasks


def given(value):
    return shared(dumps(value), versions_here())


def test_work_is_done_with_what_is_shared():
    outcome = perform(given(3), dumps((operator.add, 4)))
    assert (outcome.value, outcome.error, outcome.worker) == (7, None, "")
    assert outcome.seconds > 0


def test_an_error_is_kept_with_the_warnings_before_it():
    outcome = perform(given(ValueError), dumps((tasks.failing, 3)))
    assert isinstance(outcome.error, ValueError)
    outcome = perform(given(None), dumps((tasks.warning, 3)))
    assert [str(each.message) for each in outcome.told] == ["of 3", "always the same"]


def test_work_is_refused_where_packages_differ():
    outcome = perform(Shared(1, (("python", "2.7"),)), dumps((operator.add, 4)))
    assert isinstance(outcome.error, ClusterError)


def test_work_is_refused_where_files_are_not_seen(tmp_path):
    there, missing = str(tmp_path), str(tmp_path / "rows.csv")
    assert perform(Shared(3, versions_here(), (there,)), dumps((operator.add, 4))).value == 7
    outcome = perform(Shared(3, versions_here(), (there, missing)), dumps((operator.add, 4)))
    assert isinstance(outcome.error, UnseenError)
    assert f"got no {missing}" in str(outcome.error)


def test_what_is_shared_goes_on_to_other_workers_in_its_order():
    sent = shared(dumps(np.eye(4)[::2, ::2]), versions_here(), ("/data",))
    came = deserialize(*serialize(sent))
    assert not came.value.flags.forc
    assert (came.expected, came.paths) == (versions_here(), ("/data",))


def test_what_is_held_is_asked():
    held = Outcome([3, 1, 2], worker="w", seconds=2.0)
    assert ask(held, dumps((sorted, ()))).value == [1, 2, 3]
    assert look(held, dumps((len, ()))).seconds == 2.0
    lost = Outcome(error=ValueError("no"), worker="w")
    assert look(lost, dumps((len, ()))).error is lost.error


def test_elsewhere_nothing_is_told():
    tell("ended", "nobody hears")
    assert address() == ""
    assert call(abs, -3) == 3
