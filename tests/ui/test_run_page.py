"""What a reviewer sees of a run in MLflow's user interface."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def page(browser, reviewed):
    """Open the run's page at the link that the command line prints."""
    _, link, _ = reviewed
    page = browser.new_page(viewport={"width": 1500, "height": 1250})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(link)
    expect(page.get_by_text("digits_sgd").first).to_be_visible(timeout=PATIENCE_MS)
    yield page
    page.close()


def visible(page, text, exact=True):
    expect(page.get_by_text(text, exact=exact).first).to_be_visible(timeout=PATIENCE_MS)


def test_the_run_page_shows_params_scores_dataset_and_model(page, reviewed):
    _, _, result = reviewed
    visible(page, "estimator.alpha")
    visible(page, "dataset.chunks")
    visible(page, "holdout/accuracy")
    visible(page, f"{result.scores['accuracy']:.3f}"[:4], exact=False)
    visible(page, "Finished")
    visible(page, "sklearn", exact=False)
    shot = os.environ.get("RUNNER_SCREENSHOTS")
    if shot:
        page.screenshot(path=Path(shot) / "run.png")
