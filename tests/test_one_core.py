"""One thread for BLAS and OpenMP around a fit, and as many as before after it."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from runner.one_core import one_core, one_core_here


def threads_of(*kinds):
    """Return how many threads each numerical library may use in the calling thread."""
    return [each["num_threads"] for each in threadpool_info() if each["user_api"] in kinds]


def everywhere():
    return threads_of("blas", "openmp")


def in_another_thread(ask):
    """Return what is answered in a thread of its own."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(ask()))
    thread.start()
    thread.join()
    return answers[0]


@pytest.fixture(autouse=True)
def three_threads():
    """Let the libraries use three threads, however many cores there are."""
    with threadpool_limits(3):
        assert threads_of("blas")
        assert threads_of("openmp")
        assert set(everywhere()) == {3}
        yield
        assert set(everywhere()) == {3}


def test_there_is_one_thread_inside_and_as_many_as_before_after():
    with one_core():
        assert set(everywhere()) == {1}
    assert set(everywhere()) == {3}


def test_an_error_sets_back_what_was_before():
    with pytest.raises(ZeroDivisionError), one_core():
        1 / (len(set(everywhere())) - 1)
    assert set(everywhere()) == {3}


def test_an_inner_one_leaves_the_outer_as_it_is():
    with one_core():
        with one_core():
            assert set(everywhere()) == {1}
        assert set(everywhere()) == {1}
    assert set(everywhere()) == {3}


def test_what_is_set_inside_does_not_outlive_it():
    with one_core():
        threadpool_limits(2)
        assert set(everywhere()) == {2}
    assert set(everywhere()) == {3}


def test_what_is_computed_inside_keeps_to_one_thread():
    X = np.random.default_rng(0).normal(size=(300, 300))
    with one_core():
        alone = (X @ X).tobytes()
        assert set(everywhere()) == {1}
    with threadpool_limits(1):
        assert (X @ X).tobytes() == alone


def test_blas_has_one_setting_for_all_threads():
    with one_core():
        assert set(in_another_thread(lambda: threads_of("blas"))) == {1}
    assert set(in_another_thread(lambda: threads_of("blas"))) == {3}


def test_openmp_is_limited_in_a_thread_that_says_so_and_in_no_other():
    def limited():
        before = threads_of("openmp")
        one_core_here()
        return before, threads_of("openmp")

    before, after = in_another_thread(limited)
    assert after == [1] * len(before)
    assert in_another_thread(lambda: threads_of("openmp")) == before
    assert set(everywhere()) == {3}


LATER = """
import ctypes, shutil, sys
from pathlib import Path
from threadpoolctl import threadpool_info
from runner.one_core import one_core

with one_core():
    loaded = [Path(each["filepath"]) for each in threadpool_info()]
copied = shutil.copy(next(each for each in loaded if "gomp" in each.name), sys.argv[1])
ctypes.CDLL(copied).omp_set_num_threads(3)
threads = lambda: [e["num_threads"] for e in threadpool_info() if e["filepath"] == copied]
with one_core():
    inside = threads()
print(inside, threads())
"""


def test_a_library_that_is_loaded_later_is_limited_too(tmp_path):
    command = [sys.executable, "-c", LATER, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[1] [3]\n", "")
