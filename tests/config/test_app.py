"""The Hydra application."""

import sys

import pytest
from omegaconf import OmegaConf

from runner.config.app import is_multirun, main, prepare


def test_the_task_gets_each_composed_config(project):
    seen = []
    main(
        ["-m", "experiment=quickstart", "seed=1,2"],
        lambda config: seen.append((config.seed, config.dataset.n_samples, is_multirun())),
    )
    assert seen == [(1, 100, True), (2, 100, True)]


def test_a_single_run_is_no_multirun_and_leaves_no_file(project):
    seen = []
    main(["experiment=quickstart"], lambda config: seen.append(is_multirun()))
    assert seen == [False]
    left = [path.relative_to(project) for path in project.rglob("*") if path.is_file()]
    assert left == []


def test_an_error_of_the_task_comes_out_as_it_is():
    def task(config):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        main(["experiment=quickstart"], task)


def test_the_arguments_of_the_process_are_left_alone():
    before = list(sys.argv)
    main(["experiment=quickstart"], lambda config: None)
    assert sys.argv == before


def test_preparing_twice_does_no_harm():
    prepare()
    prepare()
    assert sys.path.count(next(p for p in sys.path if p.endswith("runner/plugins"))) == 1
    assert OmegaConf.has_resolver("runner_folder")
