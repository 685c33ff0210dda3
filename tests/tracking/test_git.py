import subprocess

import pytest

from runner.tracking.git import changed_between, git_state


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.org", "-c", "commit.gpgsign=false"]
    subprocess.run(
        ["git", *identity, "-C", str(folder), *arguments], check=True, capture_output=True
    )


@pytest.fixture
def repository(project):
    git(project, "init", "-b", "trunk")
    (project / "code.py").write_text("x = 1\n")
    (project / ".gitignore").write_text("ignored\n")
    git(project, "add", ".")
    git(project, "commit", "-m", "first")
    return project


def test_a_clean_tree_is_its_commit(repository):
    (repository / "ignored").write_text("")
    state = git_state(repository)
    assert len(state.commit) == 40
    assert state.branch == "trunk"
    assert state.remote is None
    assert not state.dirty
    assert state.diff == ""


def test_a_change_is_kept_as_a_diff(repository):
    (repository / "code.py").write_text("x = 2\n")
    git(repository, "add", ".")
    state = git_state(repository)
    assert state.dirty
    assert "-x = 1\n+x = 2\n" in state.diff
    assert "diff" not in state.summary()
    assert state.summary()["dirty"]


def test_a_file_that_git_does_not_know_makes_the_tree_dirty(repository):
    inner = repository / "experiments"
    inner.mkdir()
    (inner / "new.yaml").write_text("")
    state = git_state(inner)
    assert state.dirty
    assert state.diff == ""
    assert state.untracked == ("experiments/",)


def test_code_that_git_does_not_know_is_named_with_its_content(repository):
    inner = repository / "mine"
    inner.mkdir()
    (inner / "rows.py").write_text("x = 1\n")
    (inner / "rows.csv").write_text("1\n")
    (repository / "ignored").mkdir()
    (repository / "ignored" / "secret.py").write_text("")
    before = git_state(inner).untracked_code
    assert list(before) == ["mine/rows.py"]
    (inner / "rows.py").write_text("x = 2\n")
    assert git_state(repository).untracked_code.keys() == before.keys()
    assert git_state(repository).untracked_code != before


def test_the_files_that_differ_between_two_commits_are_named(repository):
    old = git_state(repository).commit
    (repository / "code.py").write_text("x = 2\n")
    (repository / "new file.py").write_text("")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "second")
    new = git_state(repository).commit
    assert changed_between(repository, old, new) == ("code.py", "new file.py")
    assert changed_between(repository, old, old) == ()
    assert changed_between(repository, "0" * 40, new) is None


def test_a_token_in_the_remote_or_the_diff_is_hidden(repository):
    git(repository, "remote", "add", "origin", "https://u:hunter2@example.org/code.git")
    (repository / "code.py").write_text("uri = 'https://u:hunter2@example.org'\n")
    state = git_state(repository)
    assert state.remote == "https://<redacted>@example.org/code.git"
    assert "hunter2" not in state.diff


def test_where_there_is_no_repository_there_is_no_state(project):
    assert git_state(project) is None


def test_where_there_is_no_commit_there_is_no_state(project):
    git(project, "init")
    assert git_state(project) is None


def test_where_there_is_no_git_there_is_no_state(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert git_state(repository) is None


def test_a_git_that_does_not_answer_is_not_waited_for(repository, monkeypatch, tmp_path):
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("runner.tracking.git.TIMEOUT_S", 0.1)
    assert git_state(repository) is None


def test_a_diff_is_kept_without_secrets(repository):
    (repository / "own.yaml").write_text("db: {user: ann}\n")
    git(repository, "add", ".")
    (repository / "own.yaml").write_text("db: {user: ann, password: hunter2}\n")
    git(repository, "add", ".")
    diff = git_state(repository).diff
    assert "hunter2" not in diff
    assert "+db: {user: ann, password: <redacted>}" in diff
