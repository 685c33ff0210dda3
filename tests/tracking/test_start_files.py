import json

from runner.records import Recipe
from runner.tracking.git import GitState
from runner.tracking.start_files import asked_files, environment_files


def test_what_was_asked_is_kept_without_secrets():
    recipe = Recipe(
        "a", {}, config="uri: http://u:hunter2@h\n", overrides=("x=http://u:hunter2@h",)
    )
    files = asked_files(recipe)
    assert sorted(files) == ["config/config.yaml", "config/overrides.yaml"]
    assert "hunter2" not in "".join(files.values())


def test_what_is_empty_makes_no_file():
    assert asked_files(Recipe("a", {})) == {"config/overrides.yaml": "[]\n"}
    assert "environment/git.diff" not in environment_files(None)


def test_the_environment_tells_the_code_that_runs():
    files = environment_files(GitState("abc", "trunk", None, "+ 1", ("new.py",)))
    assert files["environment/git.diff"] == "+ 1"
    git = json.loads(files["environment/environment.json"])["git"]
    assert (git["commit"], git["dirty"], git["untracked"]) == ("abc", True, ["new.py"])


def test_the_seeds_are_kept_where_there_are_some():
    files = asked_files(Recipe("a", {"seed": 3, "estimator.alpha": 1}))
    assert json.loads(files["environment/seeds.json"])["seeds"] == {"seed": 3}
