from runner.tracking.sweep_charts import charts


def test_every_chart_has_a_section_and_a_name_of_its_own():
    state = charts([f"p{i}" for i in range(20)], ["holdout/r2", "holdout/max_error"])
    cards, sections = state["compareRunCharts"], state["compareRunSections"]
    (first,) = {card["metricSectionId"] for card in cards}
    assert first == sections[0]["uuid"]
    for each in (cards, sections):
        assert len({one["uuid"] for one in each}) == len(each)


def test_the_first_score_decides_what_is_drawn():
    cards = {card["type"]: card for card in charts(["a"], ["holdout/r2", "b"])["compareRunCharts"]}
    assert cards["BAR"]["metricKey"] == "holdout/r2"
    assert (cards["PARALLEL"]["selectedParams"], cards["PARALLEL"]["selectedMetrics"]) == (
        ["a"],
        ["holdout/r2"],
    )
    assert cards["SCATTER"]["yaxis"] == {"key": "holdout/r2", "type": "METRIC"}


def test_without_params_or_scores_there_is_less_to_draw():
    types = [card["type"] for card in charts([], ["holdout/r2"])["compareRunCharts"]]
    assert "PARALLEL" not in types
    assert charts(["a"], ["progress/rows"]) == {}
