"""What workers do in the tests."""

import os
import signal
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

from runner.cluster.at_worker import tell
from runner.errors import DatasetError, RunnerWarning


def block(n_rows, number):
    return np.full(n_rows, float(number))


def pid_after(seconds, number):
    time.sleep(seconds)
    return number, os.getpid()


def frozen_once(folder, number):
    """Stop this process in the middle, the first time that task 10 is worked on."""
    if number == 10:
        stop_once(folder, signal.SIGSTOP)
    return number


def killed_at(folder, number):
    """Kill this process in the middle, the first time that some tasks are worked on."""
    if number in (10, 30, 50):
        stop_once(Path(folder) / str(number), signal.SIGKILL)
    return np.full(100, number)


def stop_once(path, how):
    try:
        with Path(path).open("x") as once:
            once.write(str(os.getpid()))
    except FileExistsError:
        return
    os.kill(os.getpid(), how)
    time.sleep(0.1)


def failing(kind, number):
    if number == 3:
        raise kind("no")
    return number


def failing_dataset(_, number):
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError as error:
        raise DatasetError("a", "b", got=number, remedy="c.") from error


def warning(_, number):
    warnings.warn(f"of {number}", RunnerWarning, stacklevel=1)
    warnings.warn("always the same", RunnerWarning, stacklevel=1)
    return number


def columns(matrix, number):
    return matrix[:, number:]


def flags(given, _):
    return given.flags.forc, given.flags.f_contiguous, given.strides[0] < 0


def n_cores(_, __):
    return [library["num_threads"] for library in threadpool_info()]


def unsent(_, number):
    return number, threading.Lock()


def deadly(number):
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 3:
        sys.exit(7)
    if number == 4:
        raise ValueError("four")
    return number, os.getpid()


def telling(number):
    tell("ended", (number, "x"))
    return number


def host(value, *_):
    return os.getpid()


def counted(value, folder, number):
    """Count that it was asked, and kill the process the first time."""
    stop_once(Path(folder) / "asked", signal.SIGKILL)
    return float(value.sum()), os.getpid()


def logged(task):
    """Write down that a task was done."""
    path, number = task
    with Path(path).open("a") as log:
        log.write(f"{number}\n")
    time.sleep(0.05)
    return os.getpid()


def slowly(value, path, seconds):
    """Write down that it was asked, and take some time for it."""
    with Path(path).open("a") as log:
        log.write("asked\n")
    time.sleep(seconds)
    return len(value)
