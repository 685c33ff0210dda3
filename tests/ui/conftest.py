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
WITHOUT_ASSISTANT = """
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
"""


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


@pytest.fixture
def page(browser):
    """Open an empty page without MLflow's chat beside it."""
    page = browser.new_page(viewport={"width": 1400, "height": 1100})
    page.set_default_timeout(60_000)
    page.add_init_script(WITHOUT_ASSISTANT)
    yield page
    page.close()
