import math
import time
from dataclasses import replace

from mlflow.entities import Metric

from runner.records import Outcome
from runner.tracking.sweep_curves import curves_of


def test_curves_come_back_in_order_without_what_cannot_be_drawn(client):
    experiment = client.create_experiment("any")
    one, other = (client.create_run(experiment).info.run_id for _ in range(2))
    now = int(time.time())
    points = [Metric("train/progressive_r2", s, now, r) for r, s in ((50, 0.5), (25, 0.25))]
    client.log_batch(one, metrics=[*points, Metric("train/progressive_r2", math.nan, now, 75)])
    members = [
        Outcome(number=number, name="", key="", run_id=run_id, scores={"r2": 0.5})
        for number, run_id in ((3, one), (4, other), (5, ""))
    ]
    assert curves_of(client, members) == {3: [(25, 0.25), (50, 0.5)]}
    assert curves_of(client, [replace(members[0], scores={})]) == {}
