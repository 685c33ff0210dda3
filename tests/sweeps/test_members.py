"""Members are composed as Hydra composes them."""

import subprocess
import sys
from contextlib import contextmanager

import pytest
import yaml
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf, open_dict

from runner.config.app import prepare
from runner.config.compose import Composed, opened, selected
from runner.config.job import build
from runner.config.messages import MISTAKES
from runner.errors import ConfigError
from runner.project import builtin
from runner.sweeps.members import _Composer, compose_members, is_sweep

TWO = "defaults: [{override /dataset: make_blobs}, {override /estimator: sgd_classifier}]\n"


@contextmanager
def multirun(*overrides, name="digits_sgd"):
    prepare()
    GlobalHydra.instance().clear()
    with (
        selected(name) as choice,
        initialize_config_dir(version_base="1.3", config_dir=str(builtin("conf"))),
    ):
        hydra = GlobalHydra.instance().hydra
        chosen = [] if any(text.startswith("experiment=") for text in overrides) else [choice]
        base = hydra.compose_config(
            "config", [*chosen, *opened(overrides)], run_mode=RunMode.MULTIRUN
        )
        yield hydra.config_loader, base, OmegaConf.to_container(base.hydra.overrides.task)


def members_of(*overrides, name="digits_sgd"):
    with multirun(*overrides, name=name) as asked:
        return compose_members(*asked)


def file_of(folder, sweep, name="swept", **more):
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.yaml"
    file.write_text(TWO + yaml.safe_dump({**more, "sweep": sweep}, sort_keys=False))
    return str(file)


@pytest.fixture
def swept(tmp_path):
    """Return what writes a file with a sweep."""
    return lambda sweep, **more: file_of(tmp_path / "swept", sweep, **more)


def stock(loader, base, texts):
    """Return what Hydra itself composes, without its own node."""
    config = loader.load_sweep_config(base, list(texts))
    with open_dict(config):
        file = config.pop("hydra").runtime.choices.experiment
        del config["sweep"]
        config.name = config.name or file
    return config


def assert_same(ours, hydras):
    assert ours == hydras
    assert OmegaConf.to_yaml(ours) == OmegaConf.to_yaml(hydras)
    resolved = [OmegaConf.to_yaml(config, resolve=True) for config in (ours, hydras)]
    assert resolved[0] == resolved[1]
    assert OmegaConf.is_struct(ours)


VALUES = {
    "seed": ["3", "4", "'${fit.epochs}'"],
    "name": ["other", "null"],
    "estimator": ["perceptron", "gaussian_nb", "{alpha: 0.5, l1_ratio: 0.1}"],
    "++estimator.alpha": ["1e-3", "'${seed}'", "null"],
    "++estimator.random_state": ["5", "null"],
    "++partial_fit.classes": ["[0,1]", "[[0,1],[2]]", "infer", "[]"],
    "partial_fit": ["{classes: [7]}", "{sample_weight: {a: 1}}", "null"],
    "++fit.class_weight": ["{0: 1.0, 1: 2.0}", "balanced", "{a: {b: 1}}"],
    "++fit.class_weight.a": ["1", "{b: 2, c: 3}"],
    "++dataset.chunks": ["50", "64MiB", "'a, b'"],
    "dataset": ["iris", "{chunks: 7}"],
    "preprocessing": ["[]", "[standard_scaler,normalizer]", "[max_abs_scaler]"],
    "++preprocessing.more": ["{_target_: x.Y, a: [1]}", "{}"],
    "+own": ["1", "{a: {b: 2}}"],
    "++own.deep.key": ["1", "[1,{a: 2}]"],
    "~callbacks": ["[progress_bar]", "null"],
    "~estimator.loss": ["log_loss", "hinge"],
    "unknown": ["1"],
    "estimator@other": ["perceptron"],
    "+evaluation.scoring": ["[r2]"],
}
texts = st.lists(
    st.sampled_from(list(VALUES)).flatmap(
        lambda key: st.sampled_from([f"{key}={value}" for value in VALUES[key]])
    ),
    max_size=5,
    unique_by=lambda text: text.partition("=")[0],
)


@pytest.fixture
def composed():
    """Return a base as Hydra composed it."""
    with multirun() as asked:
        yield asked


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(overrides=texts)
def test_a_member_is_what_hydra_itself_composes(composed, overrides):
    loader, base, asked = composed
    whole = [*overrides, *asked]
    theirs = attempt(lambda: stock(loader, base, whole))
    ours = attempt(lambda: _Composer(loader, base, asked).compose(whole).config)
    if isinstance(theirs, str):
        assert ours == theirs
    else:
        assert_same(ours, theirs)


def attempt(make):
    try:
        return make()
    except MISTAKES as error:
        return f"{type(error).__name__}: {error}"


def test_the_members_of_a_mixed_sweep_are_what_hydra_itself_composes(swept):
    file = swept(
        {
            "grid": {
                "estimator": ["sgd_classifier", "perceptron"],
                "seed": [3, 4],
                "partial_fit.classes": [[0, 1], [[0, 1], [2]], "a, b=c"],
            },
            "zip": {"dataset.chunks": ["${seed}", 20], "estimator.alpha": [1e-3, None]},
            "runs": [{"fit.class_weight": {0: 1.0, 1: 2.0}}, {"preprocessing": ["normalizer"]}],
        },
        fit={"class_weight": {5: 1.0}},
    )
    with multirun("estimator.penalty=l1", "stream.prefetch=1,2", name=file) as (
        loader,
        base,
        asked,
    ):
        members = compose_members(loader, base, asked)
        assert len(members) == 2 * (2 * 2 * 12)
        for member in members[:: len(members) // 12]:
            config = loader.load_sweep_config(base, list(member.overrides))
            found = Composed.from_hydra(config)
            assert_same(member.composed.config, stock(loader, base, member.overrides))
            assert member.composed == found
    first, last = members[0].composed.config, members[-1].composed.config
    assert first.dataset.chunks == first.estimator.random_state == 3
    assert first.fit.class_weight == {5: 1.0, 0: 1.0, 1: 2.0}
    assert list(last.preprocessing) == ["normalizer"]
    assert last.partial_fit.classes == "a, b=c"
    assert last.stream.prefetch == 2
    assert [m.composed.config.estimator.penalty for m in members] == ["l1"] * 96


def test_numbers_names_and_params_tell_what_differs():
    members = members_of(
        "sweep.grid={estimator.alpha:[1e-3,1e-4],dataset.chunks:[50]}", "seed=3", "strict=true"
    )
    assert [(m.number, m.name, m.params) for m in members] == [
        (0, "0: alpha=0.001", {"estimator.alpha": 0.001}),
        (1, "1: alpha=0.0001", {"estimator.alpha": 0.0001}),
    ]
    assert [m.composed.config.dataset.chunks for m in members] == [50, 50]


def test_the_overrides_of_a_member_repeat_it_alone(swept):
    file = swept({"grid": {"seed": [1, 2]}, "runs": [{"estimator.alpha": 0.5}, {}]})
    members = members_of("strict=true", name=file)
    assert members[1].composed.overrides == (
        "sweep=null",
        "estimator.alpha=0.5",
        "seed=2",
        "strict=true",
    )
    assert members[1].composed.selection == file
    for member in members:
        (again,) = members_of(*member.composed.overrides, name=file)
        assert again.composed.config == member.composed.config
        assert again.key == member.key
        assert not is_sweep(None, member.composed.overrides)


def test_a_member_can_be_built_like_any_experiment():
    member = members_of("sweep.grid={estimator.alpha:[1e-3,0.5]}", "tracking=none")[1]
    experiment, asked = build(member.composed)
    assert experiment.estimator.alpha == 0.5
    assert asked.command == ("runner run digits_sgd sweep=null estimator.alpha=0.5 tracking=none")
    assert not any(key.startswith("sweep") for key in asked.params)


@pytest.mark.parametrize("override", ["seed=7", "++seed=7"])
def test_a_key_of_the_command_line_drops_out_of_the_files_sweep(swept, override):
    file = swept({"grid": {"seed": [1, 2], "estimator.alpha": [1, 2]}})
    assert [m.params for m in members_of(override, name=file)] == [
        {"estimator.alpha": 1},
        {"estimator.alpha": 2},
    ]
    zipped = swept({"zip": {"seed": [1, 2], "estimator.alpha": [3, 4]}, "runs": [{}]})
    members = members_of(override, name=zipped)
    assert [m.params for m in members] == [{"estimator.alpha": 3}, {"estimator.alpha": 4}]
    assert [m.composed.config.seed for m in members] == [7, 7]


def test_a_section_of_the_command_line_drops_its_keys_too(swept):
    file = swept({"grid": {"partial_fit.classes": [[0, 1], [0, 1, 2]], "seed": [1, 2]}})
    members = members_of("++partial_fit={classes:[5]}", name=file)
    assert [(m.composed.config.seed, m.composed.config.partial_fit.classes) for m in members] == [
        (1, [5]),
        (2, [5]),
    ]


def test_what_the_command_line_sweeps_comes_first_and_wins(swept):
    file = swept({"grid": {"seed": [1, 2], "estimator.alpha": [1, 2]}})
    members = members_of("seed=8,9", "fit.epochs=range(1,3)", name=file)
    assert [
        (c.seed, c.fit.epochs, c.estimator.alpha) for c in (m.composed.config for m in members)
    ] == [(seed, epochs, alpha) for seed in (8, 9) for epochs in (1, 2) for alpha in (1, 2)]


def test_hydras_own_sweep_alone_is_in_hydras_own_order():
    members = members_of("seed=1,2", "estimator=glob(*classifier,exclude=one*)")
    assert members[0].composed.overrides[0] == "seed=1"
    assert "sweep=null" not in members[0].composed.overrides
    chosen = [m.params.get("estimator") for m in members]
    assert len(members) >= 2
    assert [m.params["seed"] for m in members] == sorted(m.params["seed"] for m in members)
    assert chosen[: len(chosen) // 2] == chosen[len(chosen) // 2 :]


def test_the_params_of_hydras_sweeper_are_swept_over(project):
    (project / "experiments").mkdir()
    (project / "experiments" / "own.yaml").write_text(
        f"{TWO}hydra: {{sweeper: {{params: {{seed: '1,2', estimator.alpha: '0.1,0.2'}}}}}}\n"
        "sweep: {grid: {fit.epochs: [1, 2]}}\n"
    )
    members = members_of(name="own")
    configs = [m.composed.config for m in members]
    assert [(c.seed, c.estimator.alpha, c.fit.epochs) for c in configs] == [
        (seed, alpha, epochs) for seed in (1, 2) for alpha in (0.1, 0.2) for epochs in (1, 2)
    ]
    assert [m.composed.config.seed for m in members_of("seed=5", "sweep=null", name="own")] == [
        5,
        5,
    ]
    with pytest.raises(ConfigError, match=r"seed must be swept in one place; got sweep and hydra"):
        members_of("sweep.grid={seed:[1,2]}", name="own")


def test_each_of_several_experiments_has_its_own_sweep(project):
    folder = project / "experiments"
    file_of(folder, {"grid": {"seed": [1, 2]}}, name="a")
    file_of(folder, {"runs": [{"estimator": "perceptron"}]}, name="b", strict=True)
    file_of(folder, None, name="c")
    members = members_of("experiment=a,b,c", "fit.epochs=3,4")
    told = [(m.composed.config.name, m.composed.config.seed) for m in members]
    assert told == [("a", 1), ("a", 2), ("a", 1), ("a", 2), ("b", 0), ("b", 0), ("c", 0), ("c", 0)]
    assert [m.composed.selection for m in members] == ["a"] * 4 + ["b"] * 2 + ["c"] * 2
    assert members[4].composed.overrides == ("sweep=null", "estimator=perceptron", "fit.epochs=3")
    assert members[4].name == "4: experiment=b, epochs=3, estimator=perceptron"
    assert [m.composed.config.strict for m in members] == [False] * 4 + [True] * 2 + [False] * 2
    assert members[-1].overrides == ("experiment=c", "++fit.epochs=4")


def test_equal_members_are_one():
    assert len(members_of("sweep.grid={seed:[1,2,1]}", "estimator.alpha=0.1,1e-1")) == 2


def test_a_member_that_cannot_be_composed_is_named():
    with pytest.raises(ConfigError) as caught:
        members_of("sweep.grid={estimator:[perceptron,perceptorn]}")
    assert str(caught.value) == (
        "In member 1: estimator=perceptorn, estimator must be one of those there are; "
        "got perceptorn. Did you mean 'perceptron'?"
    )
    with pytest.raises(ConfigError, match=r"In member 1: seed=\$\{nowhere\}, "):
        members_of("sweep.runs=[{seed:1},{seed:'${nowhere}'}]")


@pytest.mark.parametrize("override", ["sweep.gird={}", "sweep.grid={seed:3}", "seed=[1,2"])
def test_a_mistake_in_the_sweep_is_an_error_of_ours(override):
    with pytest.raises((ConfigError, *MISTAKES)):
        members_of(override)


def test_hydras_own_settings_cannot_be_swept_over():
    with pytest.raises(MISTAKES, match="Sweeping over Hydra's configuration"):
        members_of("hydra.job.name=a,b")


def test_equal_configs_have_equal_keys_and_others_have_not():
    keys = [m.key for m in members_of("sweep.grid={seed:[0,1,'1',true]}")]
    assert len(set(keys)) == 4
    assert {len(key) for key in keys} == {16}
    assert members_of("seed=1,2")[0].key == keys[1]
    ordered, reversed_ = members_of(
        "preprocessing=[normalizer,standard_scaler],[standard_scaler,normalizer]"
    )
    assert ordered.composed.config == reversed_.composed.config
    assert ordered.key != reversed_.key
    weights = members_of("fit.class_weight={1:1.0,0:2.0},{0:2.0,1:1.0}")
    assert weights[0].composed.config == weights[1].composed.config
    other = members_of("fit.class_weight={0:2.0,1:1.0},1")
    assert other[0].key == weights[0].key != weights[1].key


def test_a_key_is_the_same_in_another_process():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from tests.sweeps.test_members import members_of\n"
        "print(members_of('sweep.grid={estimator.alpha:[1e-3,1e-4]}')[1].key)\n"
    )
    root = str(builtin("conf").parent)
    command = [sys.executable, "-c", code, root]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    assert told.stdout.strip() == members_of("sweep.grid={estimator.alpha:[1e-4,1e-3]}")[0].key


def test_secrets_are_told_by_neither_names_nor_params_nor_keys(monkeypatch):
    secrets = "sweep.grid={tracking.tags.password:[s3cr3t,other],seed:[1,2]}"
    members = members_of(secrets, "tracking.uri=${oc.env:CANARY,first}")
    assert "s3cr3t" not in "".join(f"{m.name}{m.params}" for m in members)
    assert [m.params for m in members] == [{"seed": 1}, {"seed": 2}] * 2
    assert [m.composed.config.tracking.tags.password for m in members[::2]] == ["s3cr3t", "other"]
    assert len({m.key for m in members}) == 4
    monkeypatch.setenv("CANARY", "second")
    again = members_of(secrets.replace("s3cr3t", "new"), "tracking.uri=${oc.env:CANARY,first}")
    assert [m.key for m in again] == [m.key for m in members]


@pytest.mark.parametrize(
    ("sweep", "overrides", "params", "expected"),
    [
        (None, [], None, False),
        ({"grid": {}, "runs": [], "halving": {"factor": 3}}, [], {}, False),
        ({"grid": {"seed": [1]}}, [], None, True),
        ({"grid": {"seed": [1, 2]}}, ["seed=3"], None, False),
        ({"grid": {"seed": [1, 2]}, "zip": {"x.y": [1, 2]}}, ["seed=3"], None, True),
        ({"runs": [{"x.y": 1}]}, ["+x.y=3"], None, False),
        (None, ["seed=1,2"], None, True),
        (None, ["experiment=a,b"], None, True),
        (None, ["seed=[1,2]", "estimator.alpha=1"], None, False),
        (None, [], {"seed": "1,2"}, True),
    ],
)
def test_one_run_is_told_from_a_sweep(sweep, overrides, params, expected):
    assert is_sweep(sweep, overrides, params) is expected


@pytest.mark.parametrize(("sweep", "overrides"), [("quick", []), (None, ["seed=[1"])])
def test_what_cannot_be_read_is_neither(sweep, overrides):
    with pytest.raises(ConfigError):
        is_sweep(sweep, overrides)
