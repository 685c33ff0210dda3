"""What a reviewer sees of a sweep in MLflow's user interface.

With ``RUNNER_SCREENSHOTS=FOLDER`` in the environment the pages are kept there as pictures.
"""

import re

from playwright.sync_api import expect

from runner.tracking.sweep_colours import OKABE_ITO
from runner.tracking.sweep_pictures import CURVES, SCORES
from tests.ui.conftest import PATIENCE_MS, keep, sees

SHOWN = 20


def headers(page):
    """Return the names of the columns from left to right, without those that all tables have."""
    found = page.locator(".ag-header-cell").evaluate_all(
        "cells => cells.sort((a, b) => a.getBoundingClientRect().x - b.getBoundingClientRect().x)"
        ".map(cell => cell.innerText.trim())"
    )
    return [name for name in found if name and name not in ("Run Name", "Created")]


def members(page, names):
    """Return which members the table shows, from top to bottom."""
    links = page.locator(".ag-row a").filter(has_text=re.compile("alpha="))
    expect(links.first).to_have_text(names[0], timeout=PATIENCE_MS)
    return links.evaluate_all(
        "links => links.sort((a, b) => a.getBoundingClientRect().y - b.getBoundingClientRect().y)"
        ".map(link => link.innerText.trim())"
    )


def test_the_printed_link_opens_the_leaderboard(page, recorded_sweep):
    outcomes, link, _ = recorded_sweep
    names = [outcome.name for outcome in outcomes]
    page.goto(link)
    sees(page, re.compile(r"Leaderboard grid [0-9a-f]{8}"), "24 matching runs")
    assert members(page, names)[:SHOWN] == names[:SHOWN]
    scores = ["holdout/roc_auc", "holdout/accuracy", "progress/rows"]
    assert headers(page)[:5] == [*scores, "estimator.alpha", "estimator.penalty"]
    keep(page, "sweep_members")


def test_the_leaderboard_is_among_the_saved_views(page, recorded_sweep):
    _, link, _ = recorded_sweep
    page.goto(re.sub(r"&viewStateShareKey=\w+", "", link))
    page.get_by_role("button", name=re.compile("^Views")).click()
    page.get_by_text(re.compile(r"^Leaderboard grid [0-9a-f]{8}$")).click()
    sees(page, "Sort: holdout/roc_auc")


def test_the_charts_open_on_how_the_members_compare(page, recorded_sweep):
    _, link, _ = recorded_sweep
    page.goto(f"{link}&compareRunsMode=CHART")
    sees(page, "(4)", "Parallel Coordinates", "train/progressive_roc_auc")
    expect(page.locator(".js-plotly-plot")).to_have_count(3, timeout=PATIENCE_MS)
    bars = page.locator(".js-plotly-plot .bars .point path")
    expect(bars).to_have_count(SHOWN, timeout=PATIENCE_MS)
    drawn = page.locator("text", has_text="estimator.alpha").first  # an axis of the coordinates
    expect(drawn).to_be_attached(timeout=PATIENCE_MS)
    keep(page, "sweep_charts")


def test_members_of_one_penalty_have_one_hue(page, recorded_sweep):
    _, link, _ = recorded_sweep
    page.goto(link)
    sees(page, "24 matching runs")
    found = page.locator(".ag-row").evaluate_all(
        "rows => rows.flatMap(row => [...row.querySelectorAll('*')])"
        ".map(each => getComputedStyle(each).backgroundColor)"
    )
    dark = {f"rgb({', '.join(map(str, bytes.fromhex(hue[1:])))})" for hue in OKABE_ITO[:2]}
    assert dark <= set(found)


def test_the_page_of_a_sweep_shows_the_winner_first_and_leads_to_it(page, recorded_sweep):
    outcomes, _, sweep_page = recorded_sweep
    best, second = outcomes[:2]
    page.goto(sweep_page)
    sees(page, "a sweep of 24 members", "23 finished", f"0.01 ahead of {second.name}")
    keep(page, "sweep")
    page.get_by_text("Show more").first.click()  # until then the links are veiled
    with page.expect_popup() as opened:
        page.get_by_text("Best:").get_by_role("link", name=best.name).click()
    sees(opened.value, "holdout/roc_auc", best.run_id)
    opened.value.close()
    sees(page, f"runner reproduce {best.run_id[:8]}", "must be finite", "rung 1 of 3")
    sees(page, "runner run grid")
    keep(page, "sweep_description")


def test_the_description_shows_the_pictures_beside_what_is_told_of_the_run(page, recorded_sweep):
    _, _, sweep_page = recorded_sweep
    page.goto(sweep_page)
    page.get_by_text("Show more").first.click()
    for path in (SCORES, CURVES):
        picture = page.locator(f"img[src*='{path}']")
        expect(picture).to_be_visible(timeout=PATIENCE_MS)
        page.wait_for_function("image => image.complete", arg=picture.element_handle())
        assert picture.evaluate("image => image.naturalWidth") > 300
    expect(page.get_by_text("About this run")).to_be_in_viewport()


def test_the_pictures_are_artifacts(page, recorded_sweep):
    _, _, sweep_page = recorded_sweep
    for path in (SCORES, CURVES):
        page.goto("about:blank")  # so that no picture is left from before
        page.goto(sweep_page.replace("?", f"/artifacts/{path}?"))
        picture = page.locator("img[src*='blob:'], img[src*='artifact']").first
        expect(picture).to_be_visible(timeout=PATIENCE_MS)
        assert picture.evaluate("image => image.naturalWidth") > 300
        keep(page, path.replace("/", "_").removesuffix(".png"))


def test_the_leaderboard_is_a_table_among_the_artifacts(page, recorded_sweep):
    (best, *_), _, sweep_page = recorded_sweep
    page.goto(sweep_page.replace("?", "/artifacts/sweep/leaderboard.json?"))
    row = page.get_by_role("row").filter(has_text=best.name)
    expect(row).to_contain_text(f"{best.scores['roc_auc']}", timeout=PATIENCE_MS)
    expect(row).to_contain_text(f"{best.params['estimator.alpha']:g}")
    keep(page, "sweep_leaderboard")
