import os
import time

import pytest

from runner import statefile
from runner.tracking.saved_states import (
    DAY_S,
    UNKNOWN_S,
    check_states,
    move_state,
    saved_states,
    state_file,
)
from runner.tracking.spool import Spool, runs_folder
from runner.tracking.tags import PARENT


def saved(run_id, *, age_s=0.0, nbytes=1000):
    """Save a state twice, so that it has two generations, some time ago."""
    file = state_file(run_id)
    for _ in range(2):
        statefile.save(file, {}, b"x" * nbytes)
    then = time.time() - age_s
    for generation in (file, statefile.previous(file)):
        os.utime(generation, (then, then))
    return file


@pytest.fixture
def ended(client, run_id):
    """Return what ends the run with a status, and returns its id."""

    def ended(status):
        if status == "deleted":
            client.delete_run(run_id)
        else:
            client.set_terminated(run_id, status)
        return run_id

    return ended


def test_a_project_without_states_is_well():
    assert saved_states() == []
    assert check_states([]).told == "0 of 0.0 MB"


def test_both_generations_are_counted_and_the_largest_is_first():
    for run_id, nbytes in (("small", 1000), ("large", 1_000_000)):
        saved(run_id, nbytes=nbytes)
    found = saved_states()
    assert [state.run_id for state in found] == ["large", "small"]
    assert found[0].nbytes == pytest.approx(2_000_000, rel=0.01)


@pytest.mark.parametrize("status", ["FINISHED", "deleted"])
def test_a_state_that_nobody_needs_is_removed_once_it_is_a_day_old(client, ended, status):
    run_id = ended(status)
    file = saved(run_id, age_s=DAY_S - 60)
    finding = check_states([client])
    assert statefile.exists(file)
    assert "runner resume" not in finding.told
    saved(run_id, age_s=DAY_S + 60)
    finding = check_states([client])
    assert not statefile.exists(file)
    assert finding.ok
    assert f"1 that nobody needs removed: {run_id}" in finding.told
    assert finding.told.startswith("0 of 0.0 MB")


@pytest.mark.parametrize("status", ["KILLED", "FAILED", "RUNNING"])
def test_a_state_that_can_be_gone_on_with_is_kept_and_told(client, ended, status):
    run_id = ended(status)
    file = saved(run_id, age_s=100 * UNKNOWN_S)
    assert f"to go on: `runner resume {run_id[:8]}`" in check_states([client]).told
    assert statefile.exists(file)


def test_a_member_is_gone_on_with_by_its_sweep(client, ended):
    run_id = ended("KILLED")
    client.set_tag(run_id, PARENT, "5f" * 16)
    saved(run_id)
    assert "`runner resume 5f5f5f5f`" in check_states([client]).told


def test_a_state_of_a_run_that_no_store_knows_is_kept_longer(client):
    file = saved("5f" * 16, age_s=UNKNOWN_S - 60)
    assert check_states([client]).told.startswith("1 of 0.0 MB")
    assert statefile.exists(file)
    saved("5f" * 16, age_s=UNKNOWN_S + 60)
    assert "1 that nobody needs removed" in check_states([client]).told
    assert not statefile.exists(file)


def test_nothing_is_removed_while_no_store_can_be_asked():
    file = saved("5f" * 16, age_s=2 * UNKNOWN_S)
    assert check_states([]).told.startswith("1 of")
    assert statefile.exists(file)


def test_a_state_of_a_run_that_is_open_is_left_alone(client, store, ended):
    run_id = ended("FINISHED")
    file = saved(run_id, age_s=2 * DAY_S)
    spool = Spool(runs_folder() / run_id, str(store))
    check_states([client])
    assert statefile.exists(file)
    spool.close()


def test_a_name_that_is_no_id_harms_nothing(client):
    saved("no id at all")
    assert check_states([client]).ok


def test_a_state_moves_along_with_its_run():
    saved("old")
    move_state("old", "new")
    assert not statefile.exists(state_file("old"))
    assert [state.run_id for state in saved_states()] == ["new"]
    assert statefile.load(state_file("new")).payload == b"x" * 1000
    assert statefile.previous(state_file("new")).exists()
    move_state("none", "other")
