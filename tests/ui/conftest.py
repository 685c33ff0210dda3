"""A run in a real store, MLflow's own server, and a browser to look at them."""

import os
import shutil
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image
from playwright.sync_api import expect, sync_playwright

import runner
from runner.base import Progress
from runner.records import Evaluated, Outcome, Recipe
from runner.tracking.leaderboard import ranked
from runner.tracking.links import run_page
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.record import find_run, run_link
from runner.tracking.server import serve
from runner.tracking.tags import RUNG, STOP_REASON, member_tags

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WITHOUT_ASSISTANT = """
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
"""


PATIENCE_MS = 60_000


def sees(page, *texts):
    """Wait until the page shows each of these texts."""
    for text in texts:
        expect(page.get_by_text(text).first).to_be_visible(timeout=PATIENCE_MS)


def keep(page, name):
    """Keep the page as a picture, in the folder that ``RUNNER_SCREENSHOTS`` names."""
    folder = os.environ.get("RUNNER_SCREENSHOTS")
    if folder:
        page.wait_for_timeout(2000)  # the page polls for ever, so it is never idle
        path = Path(folder) / f"{name}.png"
        page.screenshot(path=path)
        with Image.open(path) as picture:
            picture.convert("RGB").quantize(256).save(path, optimize=True)


@pytest.fixture(scope="session")
def browser():
    """Start the system's Chromium, without a window."""
    chromium = shutil.which("chromium")
    assert chromium, "the browser tests need Debian's chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield browser
        browser.close()


class Reviewed(NamedTuple):
    """What came out of a run, the address of its page, and of the pages of two that ended ill."""

    result: Any
    link: str
    failed: str
    killed: str


def ended_by(tracker, error):
    """Record a run that an error ends after 1,200 rows, and return its id."""
    params = {"estimator._target_": "sklearn.linear_model.SGDClassifier", "fit.epochs": 2}
    with suppress(type(error)), tracker.start_run("ill", command="runner run ill") as run:
        run.log_params(Recipe("ill", params, config="fit: {epochs: 2}\n"))
        run.callbacks()["recorder"].on_fit_begin(Progress(epochs=2, rows=1200, blocks=12), None)
        raise error
    return run.run_id


def committed(root):
    """Make a folder a repository with one commit and a remote."""
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for arguments in (
        ["init", "-q", "-b", "trunk"],
        ["remote", "add", "origin", "https://example.org/team/digits.git"],
        ["commit", "-q", "--allow-empty", "-m", "begin"],
    ):
        subprocess.run([*git, *arguments], check=True)


@pytest.fixture(scope="session")
def reviewed(tmp_path_factory, schema):
    """Run an experiment into a store in a git repository, and serve it."""
    root = tmp_path_factory.mktemp("reviewed")
    shutil.copy(schema, root / "mlflow.db")
    committed(root)
    asked = ["callbacks=[]", "tracking.system_metrics_after_s=0"]
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNNER_PROJECT", str(root))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        result = runner.run("digits_sgd", asked)
        tracker = MlflowTracker(experiment="digits_sgd")
        failed = ended_by(tracker, ValueError("Block 12 (rows 1200 to 1299) must be finite"))
        killed = ended_by(tracker, KeyboardInterrupt("Ctrl-C"))
        runs = [find_run(run_id) for run_id in (result.run_id, failed, killed)]
        base_url = stack.enter_context(serve(port=0)).base_url
        yield Reviewed(result, *(run_link(base_url, run) for run in runs))


def learn(recorder, rows, score):
    """Let a recorder see ten blocks, over which a score rises."""
    recorder.on_fit_begin(Progress(), None)
    for block in range(1, 11):
        seen, scores = rows * block // 10, {"roc_auc": score * (1 - 0.3 / block)}
        recorder.on_block_end(Progress(rows=seen, blocks=block, scores=scores), None)
    recorder.on_fit_end(Progress(rows=rows, fit_s=rows / 1000))


def member(tracker, sweep, number):
    """Record a member: the fifth fails, every third stops early."""
    alpha, penalty = 10.0 ** -(number // 2), ("l2", "l1")[number % 2]
    params = {"estimator.alpha": alpha, "estimator.penalty": penalty}
    known = {"number": number, "name": f"alpha={alpha:g},penalty={penalty}", "key": f"key{number}"}
    tags = member_tags(number, known["key"], params)
    ended, scores = {}, {"roc_auc": 0.6 + number * 7 % 24 / 100, "accuracy": 0.5 + number / 100}
    with suppress(ValueError), tracker.start_run(known["name"], parent=sweep, tags=tags) as run:
        run.log_params(Recipe("grid", {**params, "seed": 1, "fit.epochs": 1}))
        if number == 5:
            ended = {"status": "FAILED", "error": "Block 3 (rows 75 to 99) must be finite"}
            raise ValueError(ended["error"])
        recorder = run.callbacks()["recorder"]
        learn(recorder, 1000 * (number + 1), scores["roc_auc"])
        if number % 3 == 0:
            ended = {"stop_reason": "rung 1 of 3: not among the best 4", "rung": 1}
            run.log_tags({STOP_REASON: ended["stop_reason"], RUNG: "1"})
        run.log_scores(Evaluated(scores, 250))
        ended |= {"status": "FINISHED", "scores": scores}
    return Outcome(**known, params=params, rows=1000 * (number + 1), run_id=run.run_id, **ended)


@pytest.fixture(scope="session")
def recorded_sweep(tmp_path_factory, schema):
    """Record a sweep of 24 members, serve it, and return them in order, its link and page."""
    root = tmp_path_factory.mktemp("swept")
    shutil.copy(schema, root / "mlflow.db")
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNNER_PROJECT", str(root))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        tracker = MlflowTracker(log_model=False)
        with tracker.start_run("single"):
            pass
        with tracker.start_sweep("grid", command="runner run grid") as sweep:
            sweep.log_sweep(Recipe("grid", {"seed": 1}, config="seed: 1\n"), {})
            outcomes = [member(tracker, sweep, number) for number in range(24)]
            sweep.log_leaderboard(outcomes, final=True)
        run = find_run(sweep.run_id)
        base_url = stack.enter_context(serve(port=0)).base_url
        page = run_page(base_url, run.experiment_id, run.run_id)
        yield ranked(outcomes), run_link(base_url, run), page


@pytest.fixture
def page(browser):
    """Open an empty page without MLflow's chat beside it."""
    page = browser.new_page(viewport={"width": 1400, "height": 1100})
    page.set_default_timeout(60_000)
    page.add_init_script(WITHOUT_ASSISTANT)
    yield page
    page.close()
