from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.base import Progress, Remark
from runner.records import Recipe
from runner.tracking.asked import Shape
from runner.tracking.leaderboard import GAP
from runner.tracking.report import MOST, Story, model_note, note, report

RECIPE = Recipe(
    "digits",
    {
        "estimator._target_": "sklearn.linear_model.SGDClassifier",
        "dataset._target_": "runner.dataset.bundled.Bundled",
        "fit.epochs": 3,
        "seed": 0,
    },
)


def told():
    return Story(
        "digits",
        "runner run digits seed=1",
        recipe=RECIPE,
        sides={"train": Shape(958, 4, 64), "holdout": Shape(360, 2, 64)},
        scores={"accuracy": 0.9375},
        held_out_rows=360,
        progress=Progress(
            epochs=3,
            epoch=2,
            rows=2874,
            blocks=12,
            fit_s=0.5,
            load_s=0.25,
            scores={"accuracy": 0.875},
        ),
        seconds=2.5,
        status="FINISHED",
        run_id="5f2a5f2a5f2a",
        model="models:/m-1",
        page="#/experiments/1/runs/5f2a?w=x",
        store="sqlite:///mlflow.db",
        files=["plots/learning_curve.png", "report.md", "environment/git.diff"],
    )


def test_the_note_says_what_was_asked_what_came_out_how_to_repeat_it_and_where_to_look():
    page = "#/experiments/1/runs/5f2a/artifacts"
    assert note(told()) == (
        "**digits** finished in 2.5 s: accuracy 0.9375 on 360 held-out rows\n\n"
        "#### **What was asked**\n\n"
        "- Estimator: `SGDClassifier()`\n"
        "- Dataset: `Bundled()`: 958 training rows in 4 blocks, 64 features, "
        "360 rows held out\n"
        "- Fit: 3 epochs, seed 0\n\n"
        "#### **What came out**\n\n"
        f"| score{GAP} | 360 held-out rows{GAP} | progressive |\n"
        "|:--|:--|:--|\n"
        f"| accuracy{GAP} | 0.9375{GAP} | 0.875 |\n\n"
        "Learned 2,874 rows in 12 blocks and 2 of 3 epochs: 0.5 s of fitting, 0.2 s of loading; "
        "fitting bounds it.\n\n"
        "#### **How to repeat it**\n\n"
        "```sh\nrunner run digits seed=1\n"
        "runner reproduce 5f2a5f2a5f2a\n"
        "runner predict 5f2a5f2a5f2a output=predicted\n```\n\n"
        '```python\nimport mlflow\n\nmlflow.set_tracking_uri("sqlite:///mlflow.db")\n'
        'model = mlflow.sklearn.load_model("models:/m-1")\n```\n\n'
        "#### **Where to look**\n\n"
        f"[learning curve]({page}/plots/learning_curve.png?w=x), "
        f"[report.md]({page}/report.md?w=x)"
    )


def test_the_note_of_a_run_that_has_just_begun_is_short():
    assert note(Story("digits", "")) == "**digits** has begun"


def test_the_report_links_what_there_is():
    story = told()
    story.epochs = "| epoch |\n|--:|\n| 1 |"
    text = report(story, "http://127.0.0.1:5000/#/experiments/1/runs/2", ["plots/a.png"])
    assert text.startswith("# digits\n\n**digits** finished")
    assert "Learned 2,874 rows in 12 blocks and 2 of 3 epochs: 0.5 s of fitting" in text
    assert "#### **Epochs**\n\n| epoch |" in text
    assert "- `plots/a.png`" in text
    assert "`models:/m-1`" in text
    assert text.endswith("Record: http://127.0.0.1:5000/#/experiments/1/runs/2\n")


def test_a_failure_is_told_first_and_then_how_to_go_on():
    story = told()
    story.error, story.scores, story.status = "Block 3 must be finite.", {}, "FAILED"
    story.resumed_by = "5f2a"
    story.progress.stop_reason, story.progress.empty_blocks = "time is up", 2
    assert note(story).startswith(
        "**digits** failed after 2.5 s\n\n```text\nBlock 3 must be finite.\n```\n\n"
        "To go on with it:\n\n```sh\nrunner resume 5f2a\n```\n\n#### **What was asked**"
    )
    text = report(story, "", [])
    assert "Empty blocks, skipped: 2. Stopped early: time is up." in text
    assert "held-out" not in text


def test_what_was_stopped_says_by_what():
    story = replace(told(), status="KILLED", interruption="interrupted by Ctrl-C")
    assert note(story).startswith(
        "**digits** was stopped before its end after 2.5 s (interrupted by Ctrl-C)\n\n"
    )


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
    story.status = None
    assert "To go on with it, should it not end well:\n\n```sh\nrunner resume" in note(story)


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


def test_what_bounds_a_fit_is_told_where_there_is_much_between_loading_and_fitting():
    story = told()
    story.progress.load_s = story.progress.wait_s = 4.0
    assert "4.0 s of loading; loading bounds it." in note(story)
    story.progress.wait_s = 0.1
    assert "bounds it" not in note(story)


def test_the_note_of_a_model_says_what_it_is_and_how_to_load_it():
    text = model_note(told())
    assert "#### **What was asked**\n\n- Estimator: `SGDClassifier()`" in text
    assert f"| accuracy{GAP} | 0.9375{GAP} |" in text
    assert 'mlflow.sklearn.load_model("models:/m-1")' in text


def test_a_command_too_long_for_the_note_is_whole_in_the_report():
    story = replace(told(), command="runner run digits " + "x" * 9000)
    assert "x" * 100 not in note(story)
    assert "runner reproduce 5f2a5f2a" in note(story)
    assert story.command in report(story, "", [])


def test_names_are_shown_as_they_are_and_no_code_ends_its_fence():
    story = replace(told(), name="<b>*a*</b>\n|x", error="```\nno", status="FAILED")
    text = note(story)
    assert text.startswith(r"**&lt;b&gt;\*a\*&lt;/b&gt; \|x** failed")
    assert "````text\n```\nno\n````" in text


def test_what_is_said_on_the_way_tells_no_secret_and_shows_no_picture():
    story = told()
    story.remarks = [Remark("odd", "![x](http://ann:hunter2@h/a.png) <img src=y>")]
    story.progress.stop_reason = "http://ann:hunter2@h is away <img src=y>"
    for text in (note(story), report(story, "", [])):
        assert "hunter2" not in text
        assert "<img" not in text
        assert "](http" not in text.replace("\\]", "")


LONG = st.text(max_size=30).map(lambda text: text * 1000)
WORDS = st.text(max_size=20) | LONG


@settings(max_examples=60)
@given(
    name=WORDS,
    command=WORDS,
    error=st.none() | WORDS,
    store=WORDS.map(lambda text: text[:2000]),
    status=st.sampled_from([None, "FINISHED", "FAILED", "KILLED"]),
    scores=st.dictionaries(WORDS, st.floats(), max_size=30),
    remarks=st.lists(st.builds(Remark, WORDS, WORDS), max_size=30),
    files=st.lists(WORDS.map(lambda text: f"plots/{text[:200]}.png"), max_size=30),
)
def test_the_note_fits_into_a_tag_whatever_is_in_it(name, command, error, store, status, **more):
    story = replace(told(), name=name, command=command, error=error, status=status, store=store)
    for field, value in more.items():
        setattr(story, field, value)
    story.resumed_by = "5f2a"
    assert len(note(story)) <= MOST
    assert note(story).startswith("**")
