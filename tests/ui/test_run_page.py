"""What a reviewer sees of a run in MLflow's user interface.

With ``RUNNER_SCREENSHOTS=FOLDER`` in the environment the pages are kept there as pictures.
"""

import re

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import PATIENCE_MS, WITHOUT_ASSISTANT, keep, sees


@pytest.fixture(scope="module")
def page(browser):
    """Open one page for all tests: MLflow's program is loaded once."""
    page = browser.new_page(viewport={"width": 1400, "height": 1100})
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(WITHOUT_ASSISTANT)
    yield page
    page.close()


@pytest.fixture
def run_page(page, reviewed):
    """Open the run's page at the address that ``runner ui`` prints."""
    page.goto(reviewed.link)
    return page


def artifact(page, link, path):
    """Go to the page that shows a file of the run, which follows no address while it is open."""
    page.goto(link)
    sees(page, "About this run")
    page.goto(link.replace("?", f"/artifacts/{path}?"))


def test_the_run_page_shows_params_scores_dataset_and_model(run_page, reviewed):
    result = reviewed.result
    sees(run_page, "digits_sgd", "Finished", "holdout/accuracy", "train/progressive_accuracy")
    sees(run_page, str(result.scores["accuracy"]))
    sees(run_page, "digits_sgd-SGDClassifier")
    for param, value in {"estimator.alpha": "0.0001", "dataset.chunks": "100"}.items():
        run_page.get_by_placeholder("Search parameters").fill(param)
        sees(run_page, param, value)
    run_page.get_by_placeholder("Search parameters").fill("")


def test_the_description_says_what_was_asked_what_came_out_how_to_repeat_it_and_where_to_look(
    run_page, reviewed
):
    result = reviewed.result
    sees(run_page, f"accuracy {result.scores['accuracy']:.4g}")  # before it is unfolded
    run_page.get_by_text("Show more").first.click()
    sees(run_page, "What was asked", 'SGDClassifier(random_state=0, loss="log_loss")')
    sees(run_page, re.compile("1,397 training rows in 14 blocks, 64 features, 400 rows held out"))
    sees(run_page, "What came out", re.compile("Learned 27,940 rows"))
    expect(run_page.locator("th", has_text="400 held-out rows")).to_be_visible()
    sees(run_page, "How to repeat it", re.compile(f"runner reproduce {result.run_id}"))
    sees(run_page, re.compile("mlflow.sklearn.load_model"))
    keep(run_page, "run")


def test_the_description_leads_to_the_plots(run_page, reviewed):
    links = run_page.locator("a[href*='/artifacts/plots/']")
    expect(links.first).to_be_attached(timeout=PATIENCE_MS)
    addresses = {link.inner_text(): link.get_attribute("href") for link in links.all()}
    assert {"learning curve", "confusion matrix"} <= set(addresses)
    base, _, _ = reviewed.link.partition("#")
    for name, address in addresses.items():
        path = f"plots/{name.replace(' ', '_')}.png"
        assert f"{base}{address}" == reviewed.link.replace("?", f"/artifacts/{path}?")
        artifact(run_page, reviewed.link, path)
        sees(run_page, path)
        picture = run_page.locator("img[src*='blob:'], img[src*='artifact']").first
        expect(picture).to_be_visible(timeout=PATIENCE_MS)
        assert picture.evaluate("image => image.naturalWidth") > 300
        keep(run_page, name.replace(" ", "_"))


def test_the_chips_say_who_ran_what_from_which_commit_and_tags_can_be_filtered(run_page):
    sees(run_page, "Created by", "trunk")
    expect(run_page.get_by_text(re.compile("^[0-9a-f]{7}$")).first).to_be_visible()
    sees(run_page, re.compile("^runner run digits_sgd"))
    for tag, value in {"runner.estimator": "SGDClassifier", "runner.dataset": "Bundled"}.items():
        chip = run_page.get_by_text(re.compile(f"^{re.escape(tag)}: ?{value}$")).first
        expect(chip).to_be_visible()


def test_the_dataset_drawer_shows_what_the_data_are(run_page):
    run_page.get_by_text("digits_sgd (").first.click()
    sees(run_page, "num rows", "num blocks", "num features", "held out rows")
    keep(run_page, "dataset")
    run_page.keyboard.press("Escape")


def test_the_curves_are_drawn_by_section(page, reviewed):
    page.goto(reviewed.link.replace("?", "/model-metrics?"))
    sees(page, "holdout", "progress", "accuracy")
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=PATIENCE_MS)
    keep(page, "curves")


def test_the_system_metrics_are_drawn(page, reviewed):
    page.goto(reviewed.link.replace("?", "/system-metrics?"))
    sees(page, "cpu_utilization_percentage", "process_memory_megabytes")
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=PATIENCE_MS)
    keep(page, "system")


def test_the_artifacts_can_be_read(page, reviewed):
    artifact(page, reviewed.link, "ledger/blocks.json")
    for column in ("block", "rows", "load_ms", "fit_ms"):
        expect(page.get_by_text(column, exact=True).first).to_be_visible(timeout=PATIENCE_MS)
    keep(page, "ledger")
    artifact(page, reviewed.link, "report.md")
    expect(page.get_by_role("heading", name="Epochs")).to_be_attached(timeout=PATIENCE_MS)
    keep(page, "report")
    artifact(page, reviewed.link, "config/config.yaml")
    sees(page, "sklearn.preprocessing.Normalizer")
    artifact(page, reviewed.link, "environment/environment.json")
    sees(page, re.compile('"packages"'))


def test_the_model_page_shows_its_scores_its_dataset_and_how_to_load_it(run_page):
    link = run_page.get_by_role("link", name="digits_sgd-SGDClassifier").first
    base, _, _ = run_page.url.partition("#")
    run_page.goto(f"{base}{link.get_attribute('href')}")
    sees(run_page, "Model ID", "holdout/accuracy", "digits_sgd (", "trunk")
    sees(run_page, re.compile("mlflow.sklearn.load_model"))
    keep(run_page, "model")


def test_a_run_that_failed_says_why_and_how_to_go_on(page, reviewed):
    page.goto(reviewed.failed)
    sees(page, "Failed", re.compile("ValueError: Block 12 .* must be finite"))
    sees(page, "runner.error", re.compile("runner resume [0-9a-f]{32}"))
    keep(page, "failed")


def test_a_run_that_was_stopped_says_by_what_and_how_to_go_on(page, reviewed):
    page.goto(reviewed.killed)
    sees(page, "Killed", re.compile(r"was stopped before its end after .* \(Ctrl-C\)"))
    sees(page, re.compile("runner resume [0-9a-f]{32}"))
    keep(page, "killed")


def test_the_experiment_says_what_it_holds(page, reviewed):
    base, _, _ = reviewed.link.partition("/runs/")
    page.goto(f"{base}/runs?workflowType=machine_learning")
    sees(page, re.compile("estimators that learn block by block"))
    keep(page, "experiment")
