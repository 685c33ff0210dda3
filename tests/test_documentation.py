"""The links of the pages resolve, and what they say can be typed."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import runner
from runner.cli import VERBS, main
from runner.project import experiment_files
from tests.pages import Reader, blocks, commands, file_of, own_modules_forgotten

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")]
TYPED = [ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\(([^)\s]+)\)")
NEWCOMER = "## From nothing to the leaderboard\n"
MOST_COMMANDS = 5
NEWCOMERS = "tests/test_documentation.py::test_a_newcomer"
TRACKING = "tests/tracking/test"
SERVING = f"{TRACKING}_serving.py::test_mlflow"
NOT_TYPED = {  # how a command begins that goes on for ever or asks such a one: what tests it
    "runner ui": f"{TRACKING}_server.py::test_the_interface_is_served_to_this_machine_alone",
    "mlflow models serve": f"{SERVING}_models_serve_answers_with_the_models_predictions",
    "curl": f"{SERVING}_models_serve_answers_with_the_models_predictions",
}
NOT_TYPED_AGAIN = {  # of the README, because it is typed there already
    "make quickstart": f"{NEWCOMERS}_comes_from_a_clone_to_the_leaderboard",
    "runner run digits_sweep": f"{NEWCOMERS}_comes_from_a_clone_to_the_leaderboard",
}

LONG = {  # of a page that the long form types as a whole: what starts or awaits another cluster
    "cluster.md": (
        "runner run wide cluster.placement=data",
        "runner predict 1c7f0a52",
        "runner run wide cluster=address cluster.address=tcp://127.0.0.1:1",
    ),
}


def name_of(page):
    return str(page.relative_to(ROOT))


def text_of(page):
    return page.read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def store(project, schema):
    """Give the project an empty store, which is quicker than to make one."""
    shutil.copy(schema, project / "mlflow.db")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_resolve(page):
    for link in LINK.findall(text_of(page)):
        if not link.startswith(("http://", "https://", "#")):
            assert (page.parent / link.partition("#")[0]).exists(), link


@pytest.mark.parametrize("page", TYPED, ids=name_of)
def test_what_a_page_says_can_be_typed(page, project):
    with own_modules_forgotten(project):
        Reader(untyped=(*NOT_TYPED, *LONG.get(page.name, ()))).read(text_of(page))


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_all_of_a_long_page_can_be_typed(name, project):
    (page,) = [page for page in TYPED if page.name == name]
    with own_modules_forgotten(project):
        Reader(untyped=tuple(NOT_TYPED)).read(text_of(page))


@pytest.mark.parametrize("page", TYPED, ids=name_of)
def test_every_file_of_a_page_says_where_it_goes(page):
    shown = blocks(text_of(page), "python", "toml", "yaml")
    assert [block for block in shown if not file_of(block)] == []
    assert commands(text_of(page))


@pytest.mark.parametrize("test", {**NOT_TYPED, **NOT_TYPED_AGAIN}.values())
def test_what_is_not_typed_is_tested_elsewhere(test):
    file, _, name = test.partition("::")
    assert f"def {name}" in (ROOT / file).read_text(encoding="utf-8")


def test_the_pages_type_every_verb():
    typed = [command for page in [README, *map(text_of, TYPED)] for command in commands(page)]
    words = [shlex.split(command.typed) for command in typed]
    assert {each[1] for each in words if each[0] == "runner"} >= set(VERBS)


def test_the_first_command_comes_before_line_20():
    lines = README.splitlines()
    assert next(i for i, line in enumerate(lines, 1) if "make quickstart" in line) < 20


def interrupted_sweep():
    """Run a sweep whose first member fails, for want of a file, and give it the file."""
    broken = "sweep.runs=[{dataset.path:gone.parquet},{dataset.path:clicks/a.parquet}]"
    asked = [broken, "dataset.chunks=100000", "dataset.target=sold", "callbacks=[]"]
    table = runner.sweep("parquet_sgd", asked)
    assert sorted(table["status"]) == ["FAILED", "FINISHED"]
    Path("gone.parquet").write_bytes(Path("clicks/a.parquet").read_bytes())
    return table.attrs["run_id"]


def begin_clicks(project):
    (project / "experiments").mkdir()
    (project / "experiments" / "clicks.yaml").write_text(
        next(block for block in blocks(README, "yaml") if "clicks" in block)
    )
    rng = np.random.default_rng(0)
    (project / "clicks").mkdir()
    columns = {name: rng.normal(size=200_000) for name in ("price", "hour", "seen")}
    table = pa.table(columns | {"sold": (columns["price"] > 0).astype(int)})
    pq.write_table(table, project / "clicks" / "a.parquet")


def test_what_the_readme_says_can_be_typed(project):
    begin_clicks(project)
    (project / "mine.yaml").write_text(next(b for b in blocks(README, "yaml") if "alhpa" in b))
    ids = {
        "8f6a1f0c": runner.run("quickstart", ["callbacks=[]"]).run_id,
        "2a9d4c7e": runner.run("quickstart", ["callbacks=[]", "seed=1"]).run_id,
        "06e5f38f": interrupted_sweep(),
    }
    Reader(ids, untyped=(*NOT_TYPED, *NOT_TYPED_AGAIN)).read(README.replace(newcomers_part(), ""))


def newcomers_part():
    """Return the README's section for who has nothing yet."""
    return README.partition(NEWCOMER)[2].partition("\n## ")[0]


def newcomers_commands():
    return [command.typed for command in commands(newcomers_part())]


def test_a_newcomer_types_five_commands_at_most():
    typed = newcomers_commands()
    assert typed[0].startswith("git clone")
    assert typed[-1].endswith("runner ui")
    assert len(typed) <= MOST_COMMANDS
    assert not [line for line in typed if re.search(r"&&|;|\|", line)]


@pytest.fixture
def origin(tmp_path):
    """Return a repository of what the checkout holds now, committed or not."""
    if not (ROOT / ".git").exists():
        pytest.skip("there is no repository to clone")
    listed = ["git", "-c", "safe.directory=*", "ls-files", "-zco", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True).stdout
    origin = tmp_path / "origin"
    for name in filter(None, os.fsdecode(files).split("\0")):
        if (ROOT / name).is_file():
            (origin / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, origin / name)
    who = ["-c", "user.name=newcomer", "-c", "user.email=newcomer@example.org"]
    for words in (["init"], ["add", "."], [*who, "commit", "-m", "all"]):
        subprocess.run(["git", *words], cwd=origin, check=True, capture_output=True)
    return origin


def borrow_environment(clone):
    """Give a clone the present environment in the place of the ``.venv`` that make would build.

    The commands are typed as they are: make finds all installed, and ``.venv/bin/runner`` runs the
    clone's own code.
    """
    (clone / ".venv" / "bin").mkdir(parents=True)
    for stamp in ("created", "installed"):
        (clone / ".venv" / stamp).touch()
    script = clone / ".venv" / "bin" / "runner"
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH={clone} exec {sys.executable} -m runner "$@"\n', encoding="utf-8"
    )
    script.chmod(0o755)


@contextmanager
def typed_to_the_end(lines, folder):
    """Type lines in one shell, and yield what it printed when the last, `runner ui`, serves."""
    environment = {k: v for k, v in os.environ.items() if k not in ("RUNNER_PROJECT", "DISPLAY")}
    process = subprocess.Popen(
        ["bash", "-ec", "\n".join([*lines[:-1], f"exec {lines[-1]} --port 0"])],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        printed = []
        for line in process.stdout:
            printed.append(line)
            if "http://127.0.0.1" in line:
                break
        yield printed
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0


def asked(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"}
    request = Request(url, data, kind)  # noqa: S310  (our own server)
    with urlopen(request, timeout=30) as answer:  # noqa: S310
        return answer.read()


def see_the_leaderboard(lines, folder, n_members):
    """Type the lines, and see that the server that they end with knows the best of the members."""
    with typed_to_the_end(lines, folder) as printed:
        link = re.search(r"http://127\.0\.0\.1:\d+\S*", printed[-1])
        assert link, "".join(printed)
        base = re.match(r"http://127\.0\.0\.1:\d+", link[0])[0]
        assert asked(f"{base}/health") == b"OK"
        assert b"<html" in asked(link[0])
        api = f"{base}/api/2.0/mlflow"
        found = json.loads(asked(f"{api}/experiments/get-by-name?experiment_name=digits_sweep"))
        wanted = {
            "experiment_ids": [found["experiment"]["experiment_id"]],
            "filter": "tags.`mlflow.parentRunId` LIKE '%'",
            "order_by": ["metrics.`holdout/accuracy` DESC"],
        }
        runs = json.loads(asked(f"{api}/runs/search", wanted))["runs"]
    assert len(runs) == n_members
    best = runs[0]["info"]["run_name"]
    shown = "".join(printed)
    assert "accuracy  0.7600" in shown
    assert re.search(rf"^{re.escape(best)}\s+(finished|stopped)", shown, re.MULTILINE)


def clone_of(origin, folder):
    """Type the first line, with the address that it leaves open, and return the other lines."""
    first, *others = newcomers_commands()
    assert " URL " in first
    subprocess.run(
        shlex.split(first.replace("URL", str(origin))), cwd=folder, check=True, capture_output=True
    )
    return others


def test_a_newcomer_comes_from_a_clone_to_the_leaderboard(origin, tmp_path, schema):
    others = clone_of(origin, tmp_path)
    assert others[0] == "cd runner"
    borrow_environment(tmp_path / "runner")
    shutil.copy(schema, tmp_path / "runner" / "mlflow.db")  # to make it takes seconds
    swept = tmp_path / "runner" / "experiments" / "digits_sweep.yaml"
    fewer = re.sub(r"(estimator\.loss: )\[(\w+), .*\]", r"\1[\2]", swept.read_text())
    swept.write_text(fewer)
    see_the_leaderboard(others, tmp_path, n_members=8)


@pytest.mark.slow
def test_a_newcomer_installs_everything_and_comes_to_the_leaderboard(origin, tmp_path):
    see_the_leaderboard(clone_of(origin, tmp_path), tmp_path, n_members=24)


def test_the_quickstart_prints_what_the_readme_shows(capsys):
    main(["run", "quickstart"])
    printed = [line for line in capsys.readouterr().out.splitlines() if "  " in line.strip()]
    shown = blocks(README, "text")[0].splitlines()
    assert [line.split()[0] for line in printed] == [line.split()[0] for line in shown[1:]]
    assert printed[:3] == shown[1:4]


def test_the_python_of_the_readme_runs():
    code = blocks(README, "python")[0]
    names = {}
    exec(code, names)  # noqa: S102  (our own page)
    assert set(names["result"].scores) == {"accuracy", "roc_auc"}


def test_the_notebook_of_the_readme_runs():
    names = {}
    exec(blocks(README, "python")[2], names)  # noqa: S102  (our own page)
    assert names["model"].progress_.rows == 300_000


def test_the_sweep_of_the_readme_is_what_is_said_of_it(project, capsys):
    swept = next(block for block in blocks(README, "yaml") if block.startswith("sweep:"))
    quickstart = experiment_files()["quickstart"].read_text(encoding="utf-8")
    (project / "swept.yaml").write_text(quickstart + swept)
    assert main(["run", "swept.yaml", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("sweep of 24 members in 2 groups\n")


def test_the_plan_of_the_readme_is_what_is_shown(capsys):
    assert main(["run", "digits_sweep", "--dry-run"]) == 0
    shown = next(block for block in blocks(README, "text") if block.startswith("sweep of"))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[:-1] == shown.splitlines()


def test_the_table_of_the_readme_can_be_had(project):
    quickstart = experiment_files()["quickstart"].read_text(encoding="utf-8")
    (project / "experiments").mkdir()
    (project / "experiments" / "digits_sweep.yaml").write_text(  # a smaller one of that name
        f"{quickstart}sweep: {{grid: {{estimator.alpha: [1e-3, 1e-4]}}}}\n"
    )
    names = {}
    exec(blocks(README, "python")[1], names)  # noqa: S102  (our own page)
    assert len(names["table"]) == 2


def test_the_file_of_the_readme_is_the_quickstart():
    shown = yaml.safe_load(blocks(README, "yaml")[0])
    kept = yaml.safe_load(experiment_files()["quickstart"].read_text(encoding="utf-8"))
    assert shown == kept


def test_a_function_of_ones_own_works_as_the_readme_says(project):
    (project / "my_rows.py").write_text(
        "import dask.array as da\n\n"
        "def load(year):\n"
        "    X = da.random.default_rng(year).normal(size=(1000, 3), chunks=(100, 3))\n"
        "    return X, X[:, 0] * 2\n"
    )
    (project / "pyproject.toml").write_text(blocks(README, "toml")[0])
    (project / "own.yaml").write_text(next(b for b in blocks(README, "yaml") if "my_rows" in b))
    with own_modules_forgotten(project):
        result = runner.run(str(project / "own.yaml"), ["tracking=none"])
    assert result.scores["r2"] > 0.9


def test_every_experiment_is_told_of_in_the_readme():
    for name in experiment_files():
        assert f"`{name}`" in README
