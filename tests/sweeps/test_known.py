"""What members of a halving did at its rungs, read back from the record."""

import json

from runner.sweeps.known import known_scores_of
from runner.tracking.tags import HALVING, KEY
from tests.sweeps.conftest import members_of

HALVED = {
    "grid": {"estimator.alpha": [1e-4, 1e-2, 1.0, 10.0]},
    "halving": {"first_rows": 40, "factor": 2},
}


def test_scores_at_rungs_are_read_from_the_tags_that_hold_some(swept):
    job = swept(HALVED)
    runs = {run.tags[KEY]: run for run in members_of(job)}
    known = known_scores_of(runs)
    for key, run in runs.items():
        records = json.loads(run.tags[HALVING])
        assert known[key] == {
            record["rung"]: (record["score"], record["rows"]) for record in records
        }
        run.tags[HALVING] = "no JSON"
    assert set(map(str, known_scores_of(runs).values())) == {"{}"}
