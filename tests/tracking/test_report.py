from runner.base import Progress, Remark
from runner.records import Recipe
from runner.tracking.report import Story, note, report

RECIPE = Recipe(
    "digits",
    {
        "estimator._target_": "sklearn.linear_model.SGDClassifier",
        "dataset._target_": "runner.dataset.bundled.Bundled",
    },
)


def told():
    return Story(
        "digits",
        "runner run digits seed=1",
        recipe=RECIPE,
        scores={"accuracy": 0.9375},
        held_out_rows=360,
        progress=Progress(epochs=3, epoch=2, rows=2874, blocks=12, fit_s=0.5, load_s=0.25),
        status="FINISHED",
    )


def test_the_note_says_what_was_asked_what_came_out_and_how_to_repeat_it():
    assert note(told()) == (
        "**digits**, estimator `SGDClassifier`, dataset `Bundled`, FINISHED\n\n"
        "| on 360 held-out rows | |\n|---|---|\n| accuracy | 0.9375 |\n\n"
        "To repeat it:\n\n```sh\nrunner run digits seed=1\n```"
    )


def test_the_note_of_a_run_that_has_just_begun_is_short():
    assert note(Story("digits", "")) == "**digits**"


def test_the_report_links_what_there_is():
    story = told()
    story.model = "models:/m-1"
    text = report(story, "http://127.0.0.1:5000/#/experiments/1/runs/2", ["plots/a.png"])
    assert text.startswith("# digits\n\n**digits**, estimator")
    assert "Learned 2,874 rows in 12 blocks and 2 of 3 epochs: 0.5 s of fitting" in text
    assert "- `plots/a.png`" in text
    assert "`models:/m-1`" in text
    assert text.endswith("Record: http://127.0.0.1:5000/#/experiments/1/runs/2\n")


def test_the_report_of_a_failure_says_why():
    story = told()
    story.error, story.scores, story.status = "Block 3 must be finite.", {}, "FAILED"
    story.progress.stop_reason, story.progress.empty_blocks = "time is up", 2
    text = report(story, "", [])
    assert "```text\nBlock 3 must be finite.\n```" in text
    assert "Empty blocks, skipped: 2. Stopped early: time is up." in text
    assert "held-out" not in text


def test_remarks_stand_in_the_note_and_the_best_state_in_the_report():
    story = told()
    story.remarks = [Remark("inert-setting", "Remove it."), Remark("wild-scale", "Scale.")]
    story.progress.best_rows = 1437
    assert "- **inert-setting** Remove it.\n- **wild-scale** Scale." in note(story)
    text = report(story, "", [])
    assert "- **wild-scale** Scale." in text
    assert "Kept as it was after 1,437 rows, when it was best." in text


def test_what_did_not_finish_says_how_to_go_on_with_it():
    story = told()
    story.resumed_by = "5f2a"
    assert "resume" not in note(story)
    for story.status in ("FAILED", "KILLED"):
        assert "To go on with it:\n\n```sh\nrunner resume 5f2a\n```" in note(story)


def test_the_report_says_how_often_and_from_where_a_run_was_resumed():
    story = told()
    assert "Resumed" not in report(story, "", [])
    story.resumed = 1
    assert "Resumed once." in report(story, "", [])
    story.resumed, story.resumed_at = 2, (1200, 3400)
    assert "Resumed 2 times, after 1,200 and 3,400 rows." in report(story, "", [])


def test_blocks_that_were_passed_over_are_told():
    story = told()
    assert "Bad blocks" not in report(story, "", [])
    story.progress.bad_blocks = 3
    assert "Bad blocks, passed over: 3." in report(story, "", [])
