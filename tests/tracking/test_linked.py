from types import SimpleNamespace

from runner.tracking.linked import linked
from runner.tracking.spool import Point


def test_a_point_is_linked_to_the_model_and_to_the_dataset_that_its_key_begins_with():
    points = [Point("holdout/r2", 0.5, 17, 0), Point("progress/blocks", 4.0, 18, 100)]
    datasets = {"holdout": SimpleNamespace(name="rows", digest="5f2a")}
    first, second = linked(points, "run", "m-1", datasets)
    assert (first.key, first.value, first.timestamp, first.step) == ("holdout/r2", 0.5, 17, 0)
    assert (first.model_id, first.dataset_name, first.dataset_digest) == ("m-1", "rows", "5f2a")
    assert (second.run_id, second.dataset_name, second.step) == ("run", None, 100)
