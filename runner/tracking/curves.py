"""The scores on the way, read back from the record."""

from runner.tracking.client import connect, reported
from runner.tracking.store import resolve

_SECTIONS = ("train/", "validation/")


def curves(run_id: str, uri: str | None = None) -> dict[str, list[tuple[int, float]]]:
    """Return the scores on the way: pairs of rows seen and score, by metric.

    Raises
    ------
    TrackingError
        If the store cannot be used.
    """
    store = resolve(uri)
    client = connect(store)
    with reported(store):
        found = [key for key in client.get_run(run_id).data.metrics if key.startswith(_SECTIONS)]
        points = {key: client.get_metric_history(run_id, key) for key in sorted(found)}
    return {
        key: sorted({point.step: point.value for point in history}.items())
        for key, history in points.items()
    }
