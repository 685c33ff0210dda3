"""What a reviewer sees of a sweep in MLflow's user interface.

With ``RUNNER_SCREENSHOTS=FOLDER`` in the environment the pages are kept there as pictures.
"""

from playwright.sync_api import expect

from tests.ui.conftest import PATIENCE_MS, keep, sees


def test_the_printed_link_opens_the_members_with_what_differs_and_their_scores(
    page, recorded_sweep
):
    best, link, _ = recorded_sweep
    page.goto(link)
    sees(page, best.name, "alpha", "penalty", "roc_auc")
    keep(page, "sweep_members")


def test_the_page_of_a_sweep_shows_the_leaderboard(page, recorded_sweep):
    best, _, sweep_page = recorded_sweep
    page.goto(sweep_page)
    sees(page, "a sweep of 24 members", "23 finished", best.name)
    keep(page, "sweep")
    page.get_by_text("Show more").first.click()
    sees(page, "must be finite", "rung 1 of 3", "runner run grid")
    keep(page, "sweep_description")


def test_the_leaderboard_is_a_table_among_the_artifacts(page, recorded_sweep):
    best, _, sweep_page = recorded_sweep
    page.goto(sweep_page.replace("?", "/artifacts/sweep/leaderboard.json?"))
    row = page.get_by_role("row").filter(has_text=best.name)
    expect(row).to_contain_text(f"{best.scores['roc_auc']}", timeout=PATIENCE_MS)
    expect(row).to_contain_text(f"{best.params['estimator.alpha']:g}")
    keep(page, "sweep_leaderboard")
