"""Where members belong that run on workers."""

from runner.sweeps.home import home_of


def test_what_goes_along_is_ours_and_what_a_config_names(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNNER_PROJECT", str(project))
    variables = {
        "RUNNER_PROJECT": "elsewhere",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "3",
        "TOKEN": "s3cret",
        "OTHER": "no",
        "RUNNER_EXPERIMENTS": "mine",
    }
    home = home_of(["a: ${oc.env:TOKEN}", "b: ${oc.env: MISSING, 1}"], variables)
    assert home.project == str(project)
    assert home.folder == str(tmp_path)
    sent = dict(home.variables)
    assert sent.pop("MLFLOW_TRACKING_URI") == f"sqlite:///{project / 'mlflow.db'}"
    assert sent == {
        "RUNNER_PROJECT": str(project),
        "RUNNER_EXPERIMENTS": str(tmp_path / "mine"),
        "RUNNER_ALLOW": "",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "3",
        "TOKEN": "s3cret",
    }
