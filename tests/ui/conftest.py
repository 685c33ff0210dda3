"""A run in a real store, MLflow's own server, and a browser to look at them."""

import shutil
from contextlib import ExitStack

import pytest
from playwright.sync_api import sync_playwright

import runner
from runner.tracking.record import find_run, run_link
from runner.tracking.server import serve

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


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
    """Run an experiment into a store, serve it, and return where its run can be looked at."""
    root = tmp_path_factory.mktemp("reviewed")
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNNER_PROJECT", str(root))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        result = runner.run("digits_sgd", ["callbacks=[]"])
        run = find_run(result.run_id)
        base_url = stack.enter_context(serve(port=0))
        yield run, run_link(base_url, run), result
