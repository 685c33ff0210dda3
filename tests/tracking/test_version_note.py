from datetime import UTC, datetime
from types import SimpleNamespace

from runner.tracking.record import RecordedRun
from runner.tracking.version_note import version_note, version_tags

RUN = RecordedRun(
    run_id="5f2a90cc" * 4,
    name="![digits](http://h/a.png)",
    status="FINISHED",
    started=datetime(2026, 1, 1, tzinfo=UTC),
    duration_s=1.0,
    scores={"accuracy": 0.75},
    params={},
    experiment_id="1",
    tags={"runner.model_hash": "90cc", "runner.content.train": "5f2a", "runner.kind": "run"},
    rows=1200,
    command="runner run digits tracking.uri=http://ann:hunter2@h",
)
DATA = SimpleNamespace(
    tags=[SimpleNamespace(value="train")],
    dataset=SimpleNamespace(name="di`gits", digest="8a6a1c36"),
)


def test_the_note_says_where_the_model_is_from_and_how_to_load_it():
    told = version_note(SimpleNamespace(name="digits", version=2), RUN, [DATA])
    for part in (
        "learned 1,200 rows",
        "| accuracy | 0.75 |",
        "- train: `di'gits`, digest",
        "8a6a",
    ):
        assert part in told
    assert 'mlflow.pyfunc.load_model("models:/digits/2")' in told
    assert "runner register 5f2a90cc digits" in told


def test_no_name_becomes_an_image_and_no_secret_is_told():
    told = version_note(SimpleNamespace(name="digits", version=2), RUN, [])
    assert r"!\[digits\](http" in told
    assert "hunter2" not in told


def test_a_version_can_be_searched_for_by_hashes_scores_and_status():
    assert version_tags(RUN) == {
        "runner.model_hash": "90cc",
        "runner.content.train": "5f2a",
        "runner.score.accuracy": "0.75",
        "runner.status": "FINISHED",
    }
