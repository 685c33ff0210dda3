"""Packages that differ are told by name, with both versions."""

import pytest

from runner.cluster import versions
from runner.cluster.versions import check_here, check_same, of_reply, versions_here
from runner.errors import ClusterError


def test_this_process_is_like_itself():
    check_here(versions_here(), "here")


def test_a_process_that_differs_does_no_work():
    expected = tuple(
        (name, "0.1" if name == "scipy" else found) for name, found in versions_here()
    )
    with pytest.raises(ClusterError, match=r"The worker w must have scipy 0\.1 as this process"):
        check_here(expected, "w")


def test_a_worker_without_the_runner_is_told_first():
    here = dict(versions_here())
    with pytest.raises(ClusterError, match="got no incremental-runner"):
        check_same("The worker w", {}, here)


def test_dask_answers_in_our_words():
    from distributed.versions import get_versions

    assert of_reply(get_versions(versions.PACKAGES)).items() >= dict(versions_here()).items()


def test_a_package_that_is_not_there_has_no_version():
    assert versions._installed("there-is-no-such-package") is None
