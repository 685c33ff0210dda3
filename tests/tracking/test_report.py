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
