"""A word goes on as what can stand there."""

import os
import pty
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from select import select

import pytest
import yaml

from runner.cli import VERBS, main
from runner.completion import SCRIPTS, SHELLS, complete
from runner.project import LISTED, builtin, experiment_files, option_files

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("numpy", "dask", "sklearn", "mlflow", "hydra", "omegaconf", "yaml", "rich", "pydantic")
BREAKS = " \t\n\"'><=;|&(:"


def completed(line):
    words = ["runner", *line.split(" ")]
    return complete(len(words) - 1, words)


def test_verbs_come_first():
    assert completed("") == sorted([*VERBS, "help"])
    assert completed("sh") == ["show"]
    assert complete(1, ["runner"]) == sorted([*VERBS, "help"])


@pytest.mark.parametrize("line", ["run ", "show ", "validate ", "new x --from ", "show a --diff "])
def test_experiments_follow_where_one_is_named(line):
    assert completed(line) == sorted(experiment_files())


def test_own_experiments_are_among_them(project):
    (project / "experiments").mkdir()
    (project / "experiments" / "quarters.yaml").write_text("# mine\n")
    assert completed("run qu") == ["quarters", "quickstart"]
    assert completed("validate quickstart qua") == ["quarters"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("show --", ["--diff", "--help", "--json", "--traceback", "--why"]),
        ("doctor --s", ["--sync"]),
        ("resume abc --f", ["--fail-fast", "--failed", "--force"]),
        ("run quickstart --d", ["--dry-run"]),
        ("--t", ["--traceback"]),
        ("completion ", list(SHELLS)),
        ("new ", []),
        ("new x --from=qui", ["--from=quickstart"]),
        ("show quickstart --diff=qui", ["--diff=quickstart"]),
        ("run quickstart estimator=sgd_c", ["estimator=sgd_classifier"]),
        ("run quickstart +estimator=sgd_c", ["+estimator=sgd_classifier"]),
        ("predict abc dataset=parq", ["dataset=parquet"]),
        ("experiment=quick", ["experiment=quickstart"]),
        ("-m experiment=quick", ["experiment=quickstart"]),
        ("experiment=quickstart dataset=ir", ["dataset=iris"]),
        ("run quickstart preprocessing=[norm", ["preprocessing=[normalizer"]),
        ("run quickstart preprocessing=[log1p,norm", ["preprocessing=[log1p,normalizer"]),
        ("run quickstart 'estimator=sgd_c", ["estimator=sgd_classifier"]),
        ("rum ", []),
        ("runs x", []),
    ],
)
def test_flags_and_options_follow_where_they_fit(line, found):
    assert completed(line) == found


def test_the_groups_that_take_lists_are_those_of_the_config():
    defaults = yaml.safe_load((builtin("conf") / "config.yaml").read_text())["defaults"]
    chosen = {k: v for each in defaults if isinstance(each, dict) for k, v in each.items()}
    assert sorted(name for name, value in chosen.items() if isinstance(value, list)) == list(
        LISTED
    )
    assert completed("run quickstart callbacks=") == [
        f"callbacks=[{name}" for name in option_files("callbacks")
    ]


def test_a_group_of_ones_own_is_completed(project):
    (project / "conf" / "estimator").mkdir(parents=True)
    (project / "conf" / "estimator" / "sgd_mine.yaml").write_text("# mine\n")
    assert completed("run quickstart estimator=sgd_m") == ["estimator=sgd_mine"]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("esti", ["estimator.", "estimator="]),
        ("+esti", ["+estimator.", "+estimator="]),
        ("se", ["seed="]),
        ("sweep.", ["sweep.grid=", "sweep.halving=", "sweep.runs=", "sweep.zip="]),
        ("estimator.al", ["estimator.alpha="]),
        ("~estimator.r", ["~estimator.random_state"]),
        (
            "estimator.penalty=",
            [f"estimator.penalty={v}" for v in ("elasticnet", "l1", "l2", "null")],
        ),
        (
            "estimator.fit_intercept=",
            ["estimator.fit_intercept=false", "estimator.fit_intercept=true"],
        ),
        ("strict=", ["strict=false", "strict=true"]),
        ("dataset.holdout_by=", ["dataset.holdout_by=blocks", "dataset.holdout_by=rows"]),
        ("callbacks.ch", ["callbacks.checkpoint."]),
        ("callbacks.checkpoint.ev", ["callbacks.checkpoint.every_s="]),
        ("partial_fit.s", ["partial_fit.sample_weight="]),
        ("estimator.nothing.at.all", []),
        ("nowhere.", []),
        ("nowhere=", []),
    ],
)
def test_keys_and_values_follow_a_named_experiment(word, found):
    assert completed(f"run quickstart {word}") == found


def test_keys_are_those_of_what_is_typed_before():
    assert "estimator.eta0=" in completed("run quickstart estimator=perceptron estimator.e")
    assert completed("run quickstart estimator=perceptron estimator.l") == ["estimator.l1_ratio="]
    assert completed("run quickstart estimator=gone estimator.al") == ["estimator.alpha="]
    assert completed("experiment=quickstart estimator.al") == ["estimator.alpha="]
    assert completed("show quickstart --why estimator.al") == ["estimator.alpha"]


def test_the_latest_runs_follow_a_verb_that_wants_one(project, schema):
    shutil.copy(schema, project / "mlflow.db")
    with closing(sqlite3.connect(project / "mlflow.db")) as database, database:
        database.executemany(
            "INSERT INTO runs (run_uuid, start_time, lifecycle_stage) VALUES (?, ?, ?)",
            [(f"{i:02x}" * 16, i, "deleted" if i == 40 else "active") for i in range(16, 41)],
        )
    assert completed("ui ") == [f"{i:02x}" * 4 for i in range(20, 40)]
    assert completed("resume 2020202020") == ["20" * 16]
    assert completed("reproduce abc") == []
    assert completed(f"ui {'20' * 4} ") == []
    assert completed(f"compare {'20' * 4} 2") == [f"{i:02x}" * 4 for i in range(0x20, 40)]


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "sqlite:///gone.db"])
def test_no_runs_follow_where_the_store_is_elsewhere(monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert completed("ui ") == []


@pytest.mark.parametrize("words", [["2", "runner", "run", "qui"], ["1", "runner", "va"]])
def test_names_need_the_standard_library_alone(words):
    code = (
        "import sys; from runner.cli import main; main(sys.argv[1:]);"
        f"heavy = set({HEAVY!r}) & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--complete", *words],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout in ("quickstart\n", "validate\n")


@pytest.mark.parametrize(
    "words", [[], ["x"], ["1"], ["-7", "runner"], ["3", "runner", "run", "", ""]]
)
def test_nothing_is_said_of_what_is_wrong_while_one_types(words, capsys, monkeypatch):
    monkeypatch.setenv("RUNNER_PROJECT", "/nowhere")
    assert main(["--complete", *words]) == 0
    assert capsys.readouterr().err == ""


@pytest.fixture
def program(tmp_path):
    """Write a program called runner, as an installation does."""
    file = tmp_path / "bin" / "runner"
    file.parent.mkdir()
    file.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m runner "$@"\n')
    file.chmod(0o755)
    return file


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("line", "breaks", "replies"),
    [
        ("runner li", BREAKS, ["list"]),
        ("runner run quickstart estimator=sgd_c", BREAKS, ["sgd_classifier"]),
        ("runner run quickstart estimator=sgd_c", " ", ["estimator=sgd_classifier"]),
        ("runner run quickstart estimator=sgd_c", " :", ["estimator=sgd_classifier"]),
        ("runner run quickstart preprocessing=[log1p,norm", BREAKS, ["[log1p,normalizer"]),
        ("runner run quickstart 'estimator=sgd_c", BREAKS, ["estimator=sgd_classifier"]),
        ("runner completion ", BREAKS, list(SHELLS)),
        ("runner run nothing:like=this", BREAKS, []),
    ],
)
def test_bash_gets_what_stands_behind_its_word_breaks(program, line, breaks, replies):
    script = SCRIPTS["bash"] + '_runner_complete "$PROGRAM"\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    typed = f"COMP_LINE=$LINE; COMP_POINT={len(line)}; COMP_WORDBREAKS=$BREAKS\n"
    done = subprocess.run(
        ["bash", "--norc", "-c", typed + script],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "LINE": f"{line} more", "BREAKS": breaks, "PROGRAM": str(program)},
    )
    assert done.stdout.split() == replies
    assert [text for text in done.stderr.splitlines() if "compopt" not in text] == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_tab_in_bash_completes_a_name_and_an_option(program):
    def read(until):
        seen, stop = b"", time.monotonic() + 30
        while until not in seen and time.monotonic() < stop:
            if select([terminal], [], [], 0.1)[0]:
                seen += os.read(terminal, 4096)
        return seen

    terminal, other = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"],
        stdin=other,
        stdout=other,
        stderr=other,
        start_new_session=True,
        env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "TERM": "dumb"},
    )
    try:
        os.write(terminal, b'eval "$(runner completion bash)"; echo rea""dy\n')
        assert b"ready" in read(b"ready")
        os.write(terminal, b"runner run quicks\t")
        assert b"quickstart " in read(b"quickstart ")
        os.write(terminal, b"estimator=sgd_c\t")
        assert b"estimator=sgd_classifier " in read(b"sgd_classifier ")
    finally:
        shell.kill()
        shell.wait()
        os.close(terminal)
        os.close(other)


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_can_read_its_script(shell, capsys, tmp_path):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert script == SCRIPTS[shell]
    assert "--complete" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True, cwd=tmp_path)
