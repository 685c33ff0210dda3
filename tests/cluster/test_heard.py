"""Loggers are silent while somebody listens, and as they were afterwards."""

import asyncio
import gc
import logging
from contextlib import nullcontext

import dask.config
import distributed
import pytest

from runner.cluster.heard import FAMILIES, MOST, listening


def state():
    loggers = [logging.getLogger(name) for name in (*FAMILIES, "distributed.client")]
    return [
        (
            each.name,
            each.level,
            each.propagate,
            [*each.filters],
            [(h, [*h.filters]) for h in each.handlers],
        )
        for each in [*loggers, logging.getLogger("asyncio")]
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
        with pytest.raises(ValueError, match="a day") as raised:
            distributed.utils.parse_ports("a day")
        logging.getLogger("asyncio").error("Task <at 0x7f> failed", exc_info=raised.value)
        logging.getLogger("distributed").error("Failed", exc_info=OSError("no route"))
    told, failed = heard.told.split("; ")
    assert told.startswith("ValueError: ")
    assert failed == "Failed: OSError: no route"


@pytest.mark.parametrize("is_nested", [False, True])
def test_what_asyncio_says_of_a_task_of_the_users_own_is_printed(is_nested, caplog):
    async def fail():
        raise OSError("my own")

    async def lose():
        task = asyncio.ensure_future(fail())
        await asyncio.sleep(0)
        del task
        await asyncio.sleep(0)
        gc.collect()

    with listening() as heard, listening() if is_nested else nullcontext():
        asyncio.run(lose())
    assert "my own" in caplog.text
    assert heard.told == ""


def test_a_task_of_dask_that_is_lost_is_not_printed(caplog):
    async def lose():
        task = asyncio.ensure_future(distributed.rpc("tcp://127.0.0.1:1").identity())
        while not task.done():
            await asyncio.sleep(0.01)
        del task
        await asyncio.sleep(0)
        gc.collect()

    with listening() as heard, dask.config.set({"distributed.comm.timeouts.connect": 0.1}):
        asyncio.run(lose())
    assert "127.0.0.1:1" in heard.told
    assert caplog.text == ""
