"""The links of the pages resolve, and what they say can be typed."""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import runner
from runner.cli import VERBS, main
from runner.project import experiment_files

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.fixture(autouse=True)
def store(project, schema):
    """Give the project an empty store, which is quicker than to make one."""
    shutil.copy(schema, project / "mlflow.db")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_resolve(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if not link.startswith(("http://", "https://", "#")):
            assert (page.parent / link.partition("#")[0]).exists(), link


def test_the_first_command_comes_before_line_20():
    lines = README.splitlines()
    assert next(i for i, line in enumerate(lines, 1) if "make quickstart" in line) < 20


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands():
    for block in blocks("console"):
        for line in block.splitlines():
            if line.startswith("$ runner"):
                yield line[len("$ runner ") :].partition("#")[0].strip()


def test_the_readme_types_every_verb():
    assert {shlex.split(command)[0] for command in commands()} >= set(VERBS)


def interrupted_sweep():
    """Run a sweep whose first member fails, for want of a file, and give it the file."""
    broken = "sweep.runs=[{dataset.path:gone.parquet},{dataset.path:clicks/a.parquet}]"
    asked = [broken, "dataset.chunks=1000", "dataset.target=sold", "callbacks=[]"]
    table = runner.sweep("parquet_sgd", asked)
    assert sorted(table["status"]) == ["FAILED", "FINISHED"]
    Path("gone.parquet").write_bytes(Path("clicks/a.parquet").read_bytes())
    return table.attrs["run_id"]


@pytest.mark.parametrize("command", [c for c in commands() if not c.startswith("ui")])
def test_a_command_of_the_readme_does_what_is_said(command, project, capsys):
    (project / "experiments").mkdir()
    (project / "experiments" / "clicks.yaml").write_text(
        next(block for block in blocks("yaml") if "clicks" in block)
    )
    rng = np.random.default_rng(0)
    (project / "clicks").mkdir()
    columns = {name: rng.normal(size=500_0) for name in ("price", "hour", "seen", "other")}
    table = pa.table(columns | {"sold": (columns["price"] > 0).astype(int)})
    pq.write_table(table, project / "clicks" / "a.parquet")
    arguments = shlex.split(command)
    if "chunks" not in command and "clicks" in command:
        arguments.append("dataset.chunks=1000")
    if arguments[0] in ("predict", "reproduce"):
        arguments[1] = runner.run("quickstart", ["callbacks=[]"]).run_id
    if arguments[0] == "resume":
        arguments[1] = interrupted_sweep()
    (project / "mine.yaml").write_text(next(text for text in blocks("yaml") if "alhpa" in text))
    code = main(arguments)
    out, err = capsys.readouterr()
    if "mine.yaml" in command:
        assert code == 2
        assert err.strip() in README
    else:
        assert code == 0, err
        assert out


def test_the_quickstart_prints_what_the_readme_shows(capsys):
    main(["run", "quickstart"])
    printed = [line for line in capsys.readouterr().out.splitlines() if "  " in line.strip()]
    shown = blocks("text")[0].splitlines()
    assert [line.split()[0] for line in printed] == [line.split()[0] for line in shown[1:]]
    assert printed[:3] == shown[1:4]


def test_the_python_of_the_readme_runs():
    code = blocks("python")[0]
    names = {}
    exec(code, names)  # noqa: S102  (our own page)
    assert set(names["result"].scores) == {"accuracy", "roc_auc"}


def test_the_notebook_of_the_readme_runs():
    names = {}
    exec(blocks("python")[2], names)  # noqa: S102  (our own page)
    assert names["model"].progress_.rows == 300_000


def test_the_sweep_of_the_readme_is_what_is_said_of_it(project, capsys):
    swept = next(block for block in blocks("yaml") if block.startswith("sweep:"))
    quickstart = experiment_files()["quickstart"].read_text(encoding="utf-8")
    (project / "swept.yaml").write_text(quickstart + swept)
    assert main(["run", "swept.yaml", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("sweep of 24 members in 2 groups\n")


def test_the_plan_of_the_readme_is_what_is_shown(capsys):
    assert main(["run", "digits_sweep", "--dry-run"]) == 0
    shown = next(block for block in blocks("text") if block.startswith("sweep of"))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[:-1] == shown.splitlines()


def test_the_table_of_the_readme_can_be_had(capsys):
    names = {}
    exec(blocks("python")[1], names)  # noqa: S102  (our own page)
    assert len(names["table"]) == 24


def test_the_file_of_the_readme_is_the_quickstart():
    shown = yaml.safe_load(blocks("yaml")[0])
    kept = yaml.safe_load(experiment_files()["quickstart"].read_text(encoding="utf-8"))
    assert shown == kept


def test_a_function_of_ones_own_works_as_the_readme_says(project):
    (project / "my_rows.py").write_text(
        "import dask.array as da\n\n"
        "def load(year):\n"
        "    X = da.random.default_rng(year).normal(size=(1000, 3), chunks=(100, 3))\n"
        "    return X, X[:, 0] * 2\n"
    )
    (project / "pyproject.toml").write_text(blocks("toml")[0])
    (project / "own.yaml").write_text(next(b for b in blocks("yaml") if "my_rows" in b))
    result = runner.run(str(project / "own.yaml"), ["tracking=none"])
    assert result.scores["r2"] > 0.9


def test_every_experiment_is_told_of_in_the_readme():
    for name in experiment_files():
        assert f"`{name}`" in README
