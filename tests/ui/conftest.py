"""A run in a real store, MLflow's own server, and a browser to look at them."""

import os
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

import runner
from runner.base import Progress
from runner.records import Evaluated, Outcome, Recipe
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
        page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.fixture(scope="session")
def browser():
    """Start the system's Chromium, without a window."""
    chromium = shutil.which("chromium")
    assert chromium, "the browser tests need Debian's chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def reviewed(tmp_path_factory):
    """Run an experiment into a store, serve it, and return the result and the run's address."""
    root = tmp_path_factory.mktemp("reviewed")
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNNER_PROJECT", str(root))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        result = runner.run("digits_sgd", ["callbacks=[]"])
        run = find_run(result.run_id)
        base_url = stack.enter_context(serve(port=0)).base_url
        yield result, run_link(base_url, run)


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
        recorder.on_fit_begin(Progress(), None)
        recorder.on_fit_end(Progress(rows=1000 * (number + 1)))
        if number % 3 == 0:
            ended = {"stop_reason": "rung 1 of 3: not among the best 4", "rung": 1}
            run.log_tags({STOP_REASON: ended["stop_reason"], RUNG: "1"})
        run.log_scores(Evaluated(scores, 250))
        ended |= {"status": "FINISHED", "scores": scores}
    return Outcome(**known, params=params, rows=1000 * (number + 1), run_id=run.run_id, **ended)


@pytest.fixture(scope="session")
def recorded_sweep(tmp_path_factory):
    """Record a sweep of 24 members, serve it, and return its best member, its link and page."""
    root = tmp_path_factory.mktemp("swept")
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
        best = max(outcomes, key=lambda outcome: outcome.scores.get("roc_auc", 0.0))
        run = find_run(sweep.run_id)
        base_url = stack.enter_context(serve(port=0)).base_url
        yield best, run_link(base_url, run), run_page(base_url, run.experiment_id, run.run_id)


@pytest.fixture
def page(browser):
    """Open an empty page without MLflow's chat beside it."""
    page = browser.new_page(viewport={"width": 1400, "height": 1100})
    page.set_default_timeout(60_000)
    page.add_init_script(WITHOUT_ASSISTANT)
    yield page
    page.close()
