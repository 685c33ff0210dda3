from runner.tracking.curves import curves


def test_the_scores_on_the_way_are_read_back_by_rows_and_no_other_metric_is(client, run_id):
    for key in ("train/progressive_r2", "validation/r2", "holdout/r2", "progress/rows"):
        for step in (50, 25):
            client.log_metric(run_id, key, step / 100, step=step)
    points = [(25, 0.25), (50, 0.5)]
    assert curves(run_id) == {"train/progressive_r2": points, "validation/r2": points}


def test_of_two_points_at_the_same_rows_the_last_counts(client, run_id):
    for time, value in enumerate((0.25, 0.5)):
        client.log_metric(run_id, "validation/r2", value, timestamp=1000 + time, step=25)
    assert curves(run_id) == {"validation/r2": [(25, 0.5)]}
