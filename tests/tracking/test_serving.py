"""MLflow's own server answers with a registered model's predictions."""

import os
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Thread

import mlflow
import pytest
import requests
import uvicorn

from runner.records import Recipe
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.registry import register

PATIENCE_S = 90


@pytest.fixture
def champion(store, learn):
    """Register a model, and return its address and what it is."""
    with MlflowTracker().start_run("served") as run:
        run.log_params(Recipe("served", {"seed": 1}))
        model, part, progress = learn(run.callbacks())
        run.log_model(model, part, progress)
    return register(run.run_id, "served", ["champion"]).uri, model


def asked(post, url, model, X):
    """Check the answers to rows, and to rows that are too narrow."""
    answer = post(url, json={"inputs": X[:5].tolist()})
    assert answer.status_code == 200
    assert answer.json() == {"predictions": model.predict(X[:5]).tolist()}
    refused = post(url, json={"inputs": X[:5, 1:].tolist()})
    assert refused.status_code == 400
    assert "schema" in refused.json()["message"]


def test_the_application_of_mlflow_answers_with_the_models_predictions(champion, store, points):
    from mlflow.pyfunc.scoring_server import init

    uri, model = champion
    mlflow.set_tracking_uri(store.uri)
    try:
        app = init(mlflow.pyfunc.load_model(uri))
    finally:
        mlflow.set_tracking_uri(None)
    with answering(app) as base_url:
        asked(requests.post, f"{base_url}/invocations", model, points[0])


@contextmanager
def answering(app):
    """Answer on a free port, in a thread."""
    config = uvicorn.Config(app, port=0, ws="none", log_level="critical")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.mark.slow
def test_mlflow_models_serve_answers_with_the_models_predictions(
    champion, store, points, tmp_path
):
    uri, model = champion
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    command = ["mlflow", "models", "serve", "-m", uri, "--env-manager", "local"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with (tmp_path / "log").open("w+b") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, "--host", "127.0.0.1", "--port", str(port)],
            env={**os.environ, "MLFLOW_TRACKING_URI": store.uri, "PATH": path},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait(process, f"http://127.0.0.1:{port}/ping", tmp_path / "log")
            asked(requests.post, f"http://127.0.0.1:{port}/invocations", model, points[0])
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 15)
            process.wait(30)


def wait(process, url, log):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(requests.ConnectionError):
            if requests.get(url, timeout=10).ok:
                return
        time.sleep(0.1)
    pytest.fail(log.read_text())
