"""What a reviewer sees of a run in MLflow's user interface.

With ``RUNNER_SCREENSHOTS=FOLDER`` in the environment the pages are kept there as pictures.
"""

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import PATIENCE_MS, keep, sees


@pytest.fixture
def run_page(page, reviewed):
    """Open the run's page at the address that ``runner ui`` prints."""
    _, link = reviewed
    page.goto(link)
    return page


def test_the_run_page_shows_params_scores_dataset_and_model(run_page, reviewed):
    result, _ = reviewed
    sees(run_page, "digits_sgd", "Finished", "holdout/accuracy", "train/progressive_accuracy")
    sees(run_page, str(result.scores["accuracy"]))
    sees(run_page, "digits_sgd-SGDClassifier")
    sees(run_page, "runner run digits_sgd")
    keep(run_page, "run")
    for param, value in {"estimator.alpha": "0.0001", "dataset.chunks": "100"}.items():
        run_page.get_by_placeholder("Search parameters").fill(param)
        sees(run_page, param, value)


def test_the_dataset_drawer_shows_what_the_data_are(run_page):
    run_page.get_by_text("digits_sgd (").first.click()
    sees(run_page, "num rows", "num blocks", "num features", "held out rows")
    keep(run_page, "dataset")


def test_the_curves_are_drawn_by_section(page, reviewed):
    _, link = reviewed
    page.goto(link.replace("?", "/model-metrics?"))
    sees(page, "holdout", "progress", "accuracy")
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=PATIENCE_MS)
    keep(page, "curves")


def test_the_plots_can_be_looked_at(page, reviewed):
    _, link = reviewed
    for name in ("learning_curve", "confusion_matrix"):
        page.goto(link.replace("?", f"/artifacts/plots/{name}.png?"))
        picture = page.locator("img[src*='blob:'], img[src*='artifact']").first
        expect(picture).to_be_visible(timeout=PATIENCE_MS)
        assert picture.evaluate("image => image.naturalWidth") > 300
        keep(page, name)


def test_the_model_page_shows_its_scores_and_its_dataset(run_page):
    link = run_page.get_by_role("link", name="digits_sgd-SGDClassifier").first
    base, _, _ = run_page.url.partition("#")
    run_page.goto(f"{base}{link.get_attribute('href')}")
    sees(run_page, "Model ID", "holdout/accuracy", "digits_sgd (")
    keep(run_page, "model")
