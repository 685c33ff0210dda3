"""Hydra's and OmegaConf's words in ours."""

import pytest
from omegaconf import OmegaConf
from yaml import YAMLError

from runner.config.compose import compose
from runner.config.messages import MISTAKES, translated
from runner.errors import ConfigError


def resolved(name, overrides):
    return OmegaConf.to_container(compose(name, overrides).config, resolve=True)


def told(name, *overrides):
    with pytest.raises(MISTAKES) as caught:
        resolved(name, overrides)
    error = translated(caught.value)
    assert isinstance(error, ConfigError)
    return str(error)


def test_a_missing_option_names_the_nearest():
    assert told("quickstart", "estimator=sgd_clasifier") == (
        "estimator must be one of those there are; got sgd_clasifier. "
        "Did you mean 'sgd_classifier'?"
    )


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "preprocessing=[standar_scaler]",
            "preprocessing must be one of those there are; got standar_scaler. Did you mean "
            "'standard_scaler'",
        ),
        ("callbacks=[progress_bar,earlystopping]", "Did you mean 'early_stopping'"),
        ("callbacks=[mystoping]", "Did you mean 'my_stopping'"),
    ],
)
def test_a_missing_option_of_a_list_names_the_nearest_too(project, override, said):
    (project / "conf" / "callbacks").mkdir(parents=True)
    (project / "conf" / "callbacks" / "my_stopping.yaml").write_text("# own\n")
    assert said in told("quickstart", override)


def test_bad_yaml_names_file_line_and_column(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text("name: a\nseed: [1, 2\nfit: {epochs: 1}\n")
    with pytest.raises(YAMLError) as caught:
        OmegaConf.load(file)
    said = str(translated(caught.value))
    assert f"{file}:3:4 must be valid YAML; got expected ',' or ']'" in said


def test_an_interpolation_that_leads_nowhere_names_its_key(tmp_path):
    file = tmp_path / "lost.yaml"
    file.write_text("seed: ${nowhere}\n")
    said = told(str(file))
    assert said.startswith("seed must be something that can be composed; got Interpolation key")
    assert "nowhere" in said


def test_an_override_that_is_no_override_is_told():
    said = told("quickstart", "seed=[1")
    assert said.startswith("The command line must be something that can be composed; got")


def test_an_unknown_root_key_is_told():
    said = told("quickstart", "sede=3")
    assert "sede" in said
