"""A record does not choose which variables of the environment are read."""

import pytest
from omegaconf import OmegaConf

from runner.config.borrowed import check_environment
from runner.errors import ConfigError


def test_a_variable_that_no_file_of_the_project_names_is_refused(project, monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "hidden")
    config = OmegaConf.create({"tracking": {"uri": "https://x/${oc.env:SOME_TOKEN}"}})
    with pytest.raises(ConfigError) as caught:
        check_environment(config)
    assert str(caught.value) == (
        "The environment variable SOME_TOKEN must be named in a file of this project before a "
        "recorded config may read it; got only the record, which reads it as tracking.uri. If you "
        "trust the record, add 'tracking.uri=${oc.env:SOME_TOKEN}', in single quotes."
    )


@pytest.mark.parametrize(
    "written",
    [
        {"a": "${ oc.env : SOME_TOKEN }"},
        {"a": "${oc.${b}:SOME_TOKEN}", "b": "env"},
        {"a": "${oc.env:${b}}", "b": "SOME_TOKEN"},
        {"a": [{"b": "${oc.env:SOME_TOKEN,none}"}]},
        {"a": "${oc.decode:${oc.env:SOME_TOKEN}}"},
    ],
)
def test_it_is_found_however_it_is_written(project, written):
    with pytest.raises(ConfigError, match="variable SOME_TOKEN must be named"):
        check_environment(OmegaConf.create(written))


def test_what_the_project_or_the_command_line_names_is_read(project):
    config = OmegaConf.create({"name": "${oc.env:SOME_TOKEN}"})
    check_environment(config, ["name=${oc.env:SOME_TOKEN}"])
    folder = project / "experiments"
    folder.mkdir(exist_ok=True)
    (folder / "own.yaml").write_text("name: ${oc.env:SOME_TOKEN}\n")
    check_environment(config)


def test_a_config_that_reads_nothing_is_not_held_up(project):
    check_environment(OmegaConf.create({"a": "${b}", "b": 1, "c": "???", "d": "${nowhere}"}))
