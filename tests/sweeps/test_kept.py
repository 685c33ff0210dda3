"""The members of a sweep as its record keeps them."""

import json

import pytest
from omegaconf import OmegaConf

from runner.config.compose import compose
from runner.config.job import build
from runner.errors import ConfigError
from runner.redaction import redacted
from runner.sweeps.kept import as_text, from_text
from runner.sweeps.members import Member


def member(number=0, *overrides):
    composed = compose("quickstart", ["tracking=none", *overrides])
    return Member(
        number, f"{number}: alpha=…", {"estimator.alpha": 0.1}, composed, "5f2a", ("x=1",)
    )


def test_members_come_back_as_they_were():
    given = [member(0, "estimator.alpha=0.1"), member(1, "+estimator.eta0=2")]
    found = from_text(as_text(given))
    assert [each.called for each in found] == [each.called for each in given]
    for before, after in zip(given, found, strict=True):
        assert after.composed.config == before.composed.config
        assert after.composed.overrides == before.composed.overrides
        assert after.composed.selection == "quickstart"
        assert build(after.composed)[1].params == build(before.composed)[1].params


def test_interpolations_are_kept_as_they_were_written():
    (found,) = from_text(as_text([member()]))
    plain = OmegaConf.to_container(found.composed.config, resolve=False)
    assert plain["dataset"]["seed"] == "${seed}"


def test_values_of_the_environment_are_kept_by_name_alone(monkeypatch):
    monkeypatch.setenv("MY_SECRET", "canary-317")
    text = as_text([member(0, "name=${oc.env:MY_SECRET}")])
    assert "canary-317" not in text
    assert from_text(text)[0].composed.config.name == "canary-317"


def test_a_secret_in_a_file_is_not_kept_and_asked_for_again():
    given = member(0, "+dataset.password=canary-317")
    text = redacted(as_text([given]))  # as the record does with every text
    assert "canary-317" not in text
    with pytest.raises(ConfigError) as refused:
        from_text(text)
    assert str(refused.value).startswith("dataset of member 0: alpha=… must hold no secret")
    assert "Write it as ${oc.env:NAME} in the file" in str(refused.value)


@pytest.mark.parametrize(
    "text", ["", "{", "3", "[3]", "[{}]", '{"a": 1}', "null", '[{"config": "["}]', '["config"]']
)
def test_what_is_something_else_is_refused(text):
    with pytest.raises(ConfigError, match=r"sweep/members\.json must be what a sweep keeps"):
        from_text(text)


@pytest.mark.parametrize("config", ["- 1", "a: [", "a: 1\na: 2", 3, None])
def test_a_member_whose_config_is_no_config_is_refused(config):
    (item,) = json.loads(as_text([member()]))
    with pytest.raises(ConfigError, match=r"sweep/members\.json must be what a sweep keeps"):
        from_text(json.dumps([item | {"config": config}]))
