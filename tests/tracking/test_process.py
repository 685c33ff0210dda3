import os
import subprocess
import sys
from dataclasses import replace

import pytest

from runner.tracking.process import Process

CHILD = (
    "from runner.tracking.process import Process; print(Process.current(), flush=True); input()"
)


def test_a_process_that_goes_on_is_not_gone_and_one_that_was_killed_is():
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    process = Process.parse(child.stdout.readline().strip())
    assert process.pid == child.pid
    assert process.is_gone() is False
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet buried
    assert process.is_gone() is True
    child.communicate()
    assert process.is_gone() is True


def test_a_number_that_is_used_again_is_another_process():
    here = Process.current()
    assert here.is_gone() is False
    assert replace(here, started=here.started - 1).is_gone() is True


@pytest.mark.parametrize("elsewhere", [{"boot": "x"}, {"namespace": "pid:[1]"}])
def test_of_another_machine_or_container_nothing_is_known(elsewhere):
    assert replace(Process.current(), **elsewhere).is_gone() is None


def test_what_is_written_is_read():
    here = Process.current()
    assert Process.parse(str(here)) == here


@pytest.mark.parametrize("text", [None, "", "a/b", "a/b/c/d/e", "a/b/c/1/2/3"])
def test_anything_else_is_no_process(text):
    assert Process.parse(text) is None
