"""An experiment's file alone runs no code and writes nothing."""

import pickle

import pytest

from runner.cli import WRONG, main


class Canary:
    def __reduce__(self):
        return exec, ("open('canary', 'w').close()",)


FILES = {
    "callbacks": "hydra: {callbacks: {x: {_target_: joblib.load, filename: x.pkl}}}",
    "logging": "hydra: {job_logging: {handlers: {f: {class: logging.FileHandler, "
    "filename: canary}}, root: {handlers: [f]}}}",
    "folder": "hydra: {run: {dir: canary}}",
    "environment": "hydra: {job: {env_set: {CANARY: '1'}}}",
    "search path": "hydra: {searchpath: ['file:///']}",
    "estimator": "estimator: {_target_: joblib.load, filename: x.pkl}",
    "nested": "estimator: {estimator: {_target_: joblib.load, filename: x.pkl}}",
    "callback": "callbacks: {x: {_target_: joblib.load, filename: x.pkl}}",
    "partial": "estimator: {_target_: os.system, _partial_: true, command: 'touch canary'}",
    "alias": "estimator: {_target_: sklearn.utils.os.system, command: 'touch canary'}",
    "function": "dataset: {function: 'os:abort'}",
    "interpolated": "what: joblib.load\nestimator: {_target_: '${what}', filename: x.pkl}",
    "tag": "seed: !!python/object/apply:os.system ['touch canary']",
    "root": "_target_: joblib.load\nfilename: x.pkl",
}


@pytest.mark.parametrize("kind", FILES)
def test_a_hostile_file_is_refused_and_does_nothing(kind, project, capsys, monkeypatch):
    monkeypatch.chdir(project)
    (project / "x.pkl").write_bytes(pickle.dumps(Canary()))
    (project / "evil.yaml").write_text(
        "defaults: [{override /dataset: make_blobs}, {override /estimator: gaussian_nb}]\n"
        f"{FILES[kind]}\n"
    )
    before = {path.name for path in project.iterdir()}
    assert main(["run", "evil.yaml"]) == WRONG
    assert "Traceback" not in capsys.readouterr().err
    assert {path.name for path in project.iterdir()} - before <= {".runner"}


def test_a_sweep_in_hydras_own_words_may_stand_in_a_file(project):
    (project / "swept.yaml").write_text(
        "defaults: [{override /dataset: make_blobs}, {override /estimator: gaussian_nb}]\n"
        "hydra: {sweeper: {params: {seed: '1,2'}}}\npartial_fit: {classes: [0, 1, 2]}\n"
    )
    assert main(["run", "swept.yaml", "tracking=none", "-m"]) == 0


TARGET = "_target_: numpy.savetxt, _args_: [{marker}, [1]]"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hydra: {{sweeper: {{params: {{seed: {{{target}}}}}}}}}\n", "hydra must not be set"),
        ("hydra: {{sweeper: {{params: {{seed: [{{{target}}}]}}}}}}\n", "hydra must not be set"),
        ("sweep: {{grid: {{seed: [{{{target}}}, 1]}}}}\n", "seed"),
        ("sweep: {{grid: {{estimator: [{{{target}}}, {{{target}}}]}}}}\n", "estimator"),
        ("sweep: {{grid: {{hydra.callbacks.x: [{{{target}}}]}}}}\n", "name settings"),
        ("sweep: {{runs: [{{+hydra.callbacks.x: {{{target}}}}}]}}\n", "name settings"),
        ("sweep: {{grid: {{tracking.uri: ['sqlite:///a.db']}}}}\n", "name settings"),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--dry-run"]])
def test_a_sweep_runs_no_code(project, capsys, text, told, flags):
    marker = project / "marker.txt"
    (project / "swept.yaml").write_text(
        "defaults: [{override /dataset: iris}, {override /estimator: gaussian_nb}]\n"
        "partial_fit: {classes: [0, 1, 2]}\n" + text.format(target=TARGET.format(marker=marker))
    )
    main(["run", "swept.yaml", "tracking=none", "callbacks=[]", *flags])
    assert told in capsys.readouterr().err
    assert not marker.exists()


@pytest.mark.parametrize(
    "text",
    [
        "# @package hydra.callbacks\nx: {_target_: numpy.savetxt, _args_: [marker.txt, [1]]}\n",
        "# @package hydra\nrun: {dir: elsewhere}\n",
        "defaults: [{override /hydra/launcher: basic}]\n",
        "defaults: [/hydra/job_logging@hydra.job_logging: default]\n",
    ],
)
def test_a_file_cannot_reach_hydras_own_settings(project, capsys, text):
    (project / "mine.yaml").write_text(text)
    assert main(["run", "mine.yaml", "tracking=none"]) == WRONG
    assert "must not be set in an experiment's file" in capsys.readouterr().err
    assert not (project / "marker.txt").exists()
