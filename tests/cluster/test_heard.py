"""Loggers are silent while somebody listens, and as they were afterwards."""

import logging

import pytest

from runner.cluster.heard import FAMILIES, MOST, listening


def state():
    loggers = [logging.getLogger(name) for name in (*FAMILIES, "distributed.client")]
    return [
        (each.name, each.level, each.propagate, [(h, [*h.filters]) for h in each.handlers])
        for each in loggers
    ]


@pytest.mark.parametrize(
    "name", ["distributed.client", "distributed.deploy.spec", "asyncssh", "kr8s"]
)
def test_what_is_said_is_kept_and_not_printed(name, capfd):
    with listening() as heard:
        logging.getLogger(name).error("lost %s.", "it")
        logging.getLogger(name).info("nothing")
    assert heard.told == "lost it"
    assert capfd.readouterr().err == ""


def test_loggers_are_as_before_also_when_two_listen():
    with listening():
        pass
    before = state()
    with listening(), listening():
        assert state() != before
    assert state() == before


def test_the_latest_are_told_once_each():
    with listening() as heard:
        for number in range(3 * MOST):
            logging.getLogger("distributed").warning("lost %d", number // 2)
    assert heard.told == "lost 5; lost 6; lost 7"


def test_an_exception_of_asyncio_is_told_by_itself():
    with listening() as heard:
        error = OSError("no route")
        logging.getLogger("asyncio").error("Task <at 0x7f> failed", exc_info=error)
        logging.getLogger("distributed").error("Failed", exc_info=error)
    assert heard.told == "OSError: no route; Failed: OSError: no route"
