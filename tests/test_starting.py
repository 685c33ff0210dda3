"""A new experiment is another one under a new name, in the project and nowhere else."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ConfigError
from runner.project import builtin, experiment_files
from runner.starting import SCHEMA_FILE, schema_comment, start, told, write_schema, written_anew

SHIPPED = {
    path.stem: path.read_text(encoding="utf-8") for path in builtin("experiments").iterdir()
}


@pytest.mark.parametrize("origin", sorted(SHIPPED))
def test_it_says_the_same_under_another_name(project, origin):
    file = start("mine", origin).made[0]
    text = file.read_text(encoding="utf-8")
    assert file == project / "experiments" / "mine.yaml"
    assert yaml.safe_load(text) == {**yaml.safe_load(SHIPPED[origin]), "name": "mine"}
    assert text.splitlines()[0] == SHIPPED[origin].splitlines()[0], "the description"
    assert f"runner run {origin}" not in text
    assert "runner run mine" in text
    assert experiment_files()["mine"] == file


def test_a_project_begins_with_what_its_runs_leave_ignored(project):
    started = start("mine")
    assert [file.name for file in started.made] == ["mine.yaml", ".gitignore"]
    assert "/mlflow.db*" in (project / ".gitignore").read_text().splitlines()
    assert sorted(path.name for path in project.iterdir()) == [".gitignore", "experiments"]
    assert told(started, ["dataset", "fit"]).splitlines() == [
        f"made experiments/mine.yaml from quickstart, in {project}",
        "made .gitignore, which leaves out what runs leave",
        "own options go into conf/GROUP/NAME.yaml; GROUP: dataset, fit",
        "next: runner run mine",
    ]


def test_a_gitignore_that_is_there_stays(project):
    (project / ".gitignore").write_text("mine\n")
    start("mine")
    assert (project / ".gitignore").read_text() == "mine\n"


def test_in_a_project_only_the_file_is_made(project):
    (project / "experiments").mkdir()
    assert len(start("mine").made) == 1
    assert not (project / ".gitignore").exists()


def test_it_works_from_any_folder_inside_a_project(tmp_path, monkeypatch):
    monkeypatch.delenv("RUNNER_PROJECT")
    (tmp_path / "mine" / "experiments").mkdir(parents=True)
    deep = tmp_path / "mine" / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert start("x").made == (tmp_path / "mine" / "experiments" / "x.yaml",)
    assert list(deep.iterdir()) == []


def test_where_there_is_no_project_the_folder_becomes_one(tmp_path, monkeypatch):
    monkeypatch.delenv("RUNNER_PROJECT")
    folder = tmp_path / "fresh"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert start("x").made[0] == folder / "experiments" / "x.yaml"


def test_nothing_is_written_over(project):
    file = start("mine").made[0]
    file.write_text("mine: alone\n")
    with pytest.raises(
        ConfigError, match=r"experiment mine must not be there yet; got .*mine\.yaml"
    ):
        start("mine")
    assert file.read_text() == "mine: alone\n"


def test_a_link_to_nowhere_is_not_followed(project, tmp_path):
    (project / "experiments").mkdir()
    (project / "experiments" / "mine.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(ConfigError, match="must not be there yet"):
        start("mine")
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_nothing_is_written_outside_the_project(project, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (project / "experiments").symlink_to(outside)
    with pytest.raises(ConfigError, match="must be a folder in the project"):
        start("mine")
    assert list(outside.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_told(project):
    (project / "experiments").write_text("")
    with pytest.raises(ConfigError, match="must be a folder in the project"):
        start("mine")


@pytest.mark.parametrize(
    "name", ["", "../x", "a/b", "a.yaml", "-m", "a b", "a=b", "ä", "a\n", "x" * 101, "${seed}"]
)
def test_a_name_that_is_no_plain_one_is_refused(project, name):
    with pytest.raises(ConfigError, match="must be 1 to 100 letters, digits, _ and -"):
        start(name)
    assert list(project.iterdir()) == []


@pytest.mark.parametrize("name", ["10", "1e3", "nan", "Infinity", "null", "True"])
def test_a_name_that_would_be_read_as_something_else_is_refused(name):
    with pytest.raises(ConfigError, match="must be a word"):
        start(name)


@pytest.mark.parametrize("name", ["no", "on", "Yes", "0x10", "1_a", "a-b", "_a", "y"])
def test_a_name_that_yaml_reads_otherwise_is_quoted(name):
    text = start(name).made[0].read_text()
    assert yaml.safe_load(text)["name"] == name


def test_an_unknown_origin_is_told_with_the_nearest():
    with pytest.raises(ConfigError, match=r"got quikstart\. Did you mean 'quickstart'"):
        start("mine", "quikstart")


@pytest.mark.parametrize("origin", ["gone.yaml", "nowhere/x"])
def test_a_file_that_is_not_there_is_told(origin):
    with pytest.raises(ConfigError, match="experiment's file must exist"):
        start("mine", origin)


def test_a_file_anywhere_may_be_the_origin(tmp_path):
    path = tmp_path / "theirs.yaml"
    path.write_text("defaults: [{override /dataset: iris}]\nseed: 3\n")
    text = start("mine", str(path)).made[0].read_text()
    assert text.splitlines()[0] == "# mine, which began as theirs"
    assert yaml.safe_load(text)["seed"] == 3


@pytest.mark.parametrize("content", [b"\xff\xfe", b"#" * 1_000_001])
def test_a_file_that_is_no_experiment_is_refused(tmp_path, content):
    path = tmp_path / "theirs.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="must be text of at most"):
        start("mine", str(path))


def test_one_that_hides_a_shipped_one_says_so():
    assert "comes before the digits_sgd" in told(start("digits_sgd"), [])


def test_editors_are_told_of_the_schema_where_there_is_one(project):
    assert "$schema" not in start("first").made[0].read_text()
    write_schema("{}")
    lines = start("second").made[0].read_text().splitlines()
    assert lines.index(schema_comment()) == 6, "behind the comments at the beginning"
    again = start("third", "second").made[0].read_text().splitlines()
    assert again.count(schema_comment()) == 1


def test_the_comment_for_editors_leads_to_the_schema(project):
    file = start("mine").made[0]
    relative = schema_comment().partition("$schema=")[2]
    assert (file.parent / relative).resolve() == project / SCHEMA_FILE


def test_the_schema_is_written_into_the_project_and_over_an_older_one(project):
    assert write_schema("old") == project / SCHEMA_FILE
    assert write_schema("new").read_text() == "new"
    assert [path.name for path in (project / ".runner").iterdir()] == [SCHEMA_FILE.name]


def test_a_folder_that_leads_out_of_the_project_is_not_written_to(project, tmp_path):
    (project / ".runner").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="must be a folder in the project"):
        write_schema("{}")


def test_only_the_own_name_is_replaced_in_commands():
    text = "# x\n#  runner run a_b, runner show a, runner run b/a.yaml\nname: a  # a\n"
    assert written_anew(text, "a", "c") == (
        "# x\n#  runner run a_b, runner show c, runner run c\nname: c  # a\n"
    )


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True))
def test_any_name_is_read_back_as_it_is_written(name):
    assert yaml.safe_load(written_anew(SHIPPED["quickstart"], "quickstart", name))["name"] == name
