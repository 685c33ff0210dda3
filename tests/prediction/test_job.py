import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from runner.cluster.local import LocalCluster
from runner.dataset.bundled import Bundled
from runner.errors import (
    ClusterError,
    ConfigError,
    DatasetError,
    FitError,
    RunnerWarning,
    TrackingError,
)
from runner.prediction.job import predict
from runner.steps import Step, Steps, listening
from runner.tracking.loading import load_model
from runner.tracking.record import find_run

CLASSES = "partial_fit: {classes: [0, 1]}"
LOG_LOSS = f"estimator: {{loss: log_loss}}\n{CLASSES}"
DIGITS = f"partial_fit: {{classes: [{', '.join(map(str, range(10)))}]}}"


def blocks_of(name, chunks=40):
    """Return X of a bundled dataset in its own order, block by block."""
    X = Bundled(name=name, chunks=chunks).arrays().X
    return [X.blocks[i].compute() for i in range(X.numblocks[0])]


def assert_answers(table, prefix, ask, blocks):
    """Compare columns with the answers of a model: bits by block, and values on the whole.

    What BLAS makes of a row depends in the last bits on the rows beside it.
    """
    expected = np.concatenate([ask(block) for block in blocks])
    width = 1 if expected.ndim == 1 else expected.shape[1]
    found = [column(table, name) for name in table.column_names if name.startswith(prefix)]
    assert len(found) == width
    for j, answers in enumerate(found):
        by_block = expected if expected.ndim == 1 else expected[:, j]
        assert answers.dtype == by_block.dtype
        assert answers.tobytes() == by_block.tobytes()
    whole = ask(np.concatenate(blocks)).reshape(len(table), width)
    np.testing.assert_allclose(np.column_stack(found), whole, rtol=1e-6, atol=1e-9)


def by_part(folder):
    return [pq.read_table(path) for path in sorted(folder.glob("part-*.parquet"))]


def column(table, name):
    return table[name].to_numpy()


@pytest.mark.parametrize(
    ("dataset", "estimator", "more"),
    [
        ("iris", "gaussian_nb", "partial_fit: {classes: [0, 1, 2]}"),
        ("digits", "multinomial_nb", DIGITS),
        ("breast_cancer", "mlp_classifier", CLASSES),
        ("diabetes", "sgd_regressor", ""),
        ("diabetes", "mlp_regressor", ""),
        ("digits", "mini_batch_kmeans", "estimator: {n_clusters: 8}"),
        ("iris", "sgd_one_class_svm", ""),
    ],
)
def test_the_answers_are_those_of_the_model(learned, tmp_path, dataset, estimator, more):
    result = learned(dataset, estimator, more)
    done = predict(result.run_id, tmp_path / "out")
    table, blocks = pq.read_table(done.folder), blocks_of(dataset)
    assert_answers(table, "prediction", result.model.predict, blocks)
    if hasattr(result.model, "predict_proba"):
        assert_answers(table, "probability", result.model.predict_proba, blocks)
        names = [f"probability_{label}" for label in result.model.classes_]
        assert table.column_names == ["row", "prediction", *names]
    assert column(table, "row").tolist() == list(range(len(table)))
    assert (done.rows, done.columns) == (len(table), tuple(table.column_names))


def test_labels_of_the_whole_are_the_labels_by_block(learned, tmp_path):
    result = learned("digits", "multinomial_nb", DIGITS)
    table = pq.read_table(predict(result.run_id, tmp_path / "out").folder)
    whole = result.model.predict(np.concatenate(blocks_of("digits")))
    assert column(table, "prediction").tobytes() == whole.tobytes()


def test_several_outputs_are_numbered(learned, tmp_path):
    result = learned("linnerud", "multi_output_regressor", dataset__chunks=5)
    table = pq.read_table(predict(result.run_id, tmp_path / "out").folder)
    assert table.column_names == ["row", "prediction_0", "prediction_1", "prediction_2"]
    assert_answers(table, "prediction", result.model.predict, blocks_of("linnerud", 5))


def test_a_model_that_only_transforms_gives_its_components(learned, tmp_path):
    result = learned("digits", "incremental_pca", "estimator: {n_components: 3}")
    table = pq.read_table(predict(result.run_id, tmp_path / "out").folder)
    assert table.column_names == ["row", "component_0", "component_1", "component_2"]
    kept = load_model(find_run(result.run_id)).model  # whose arrays lie otherwise in memory
    assert_answers(table, "component", kept.transform, blocks_of("digits"))


def test_lines_of_text_are_predicted_through_their_stages(learned, tmp_path):
    lines = [f"{'red' if i % 3 else 'blue'} {i % 5} word" for i in range(200)]
    (tmp_path / "texts").mkdir()
    for label in ("wine", "beer"):
        own = [f"{label[0]} {line}" for line in lines]
        (tmp_path / "texts" / f"{label}.txt").write_text("\n".join(own) + "\n")
    result = learned(
        "text_lines",
        "sgd_classifier",
        "estimator: {loss: log_loss}\npartial_fit: {classes: [beer, wine]}",
        dataset__interleave="true",
        dataset__path=tmp_path / "texts",
        preprocessing="[hashing]",
    )
    (tmp_path / "new.txt").write_text("\n".join(reversed(lines)) + "\n")
    asked = ["dataset=text_lines", f"dataset.path={tmp_path}/new.txt", "dataset.chunks=30"]
    done = predict(result.run_id, tmp_path / "out", asked)
    table = pq.read_table(done.folder)
    X = np.array(lines[::-1])
    assert done.blocks == 7
    assert table["prediction"].to_pylist() == result.model.predict(X).tolist()
    assert column(table, "probability_wine").tobytes() == (
        result.model.predict_proba(X)[:, 1].tobytes()
    )


def test_new_rows_need_no_target_and_any_column_is_copied_as_it_stands(
    clicked, new_rows, tmp_path
):
    asked = ["dataset=parquet", f"dataset.path={tmp_path}/new.parquet", "dataset.chunks=30"]
    names = ["id", "who", "visits", "at", "price"]
    done = predict(clicked.run_id, tmp_path / "out", asked, columns=names)
    parts = by_part(done.folder)
    table = pa.concat_tables(parts)
    X = np.column_stack([new_rows[name].to_numpy() for name in ("price", "hour", "seen")])
    assert [part.num_rows for part in parts] == [30, 30, 30, 10]
    assert table["prediction"].to_pylist() == clicked.model.predict(X).tolist()
    assert column(table, "probability_1").tobytes() == (
        clicked.model.predict_proba(X)[:, 1].tobytes()
    )
    assert table.column_names[:6] == ["row", *names]
    assert table.select(names).equals(new_rows.select(names).cast(table.select(names).schema))
    assert [field.type for field in table.select(names).schema] == [
        new_rows.schema.field(name).type for name in names
    ]


def test_csv_keeps_every_digit_and_every_letter(clicked, new_rows, tmp_path):
    pacsv.write_csv(new_rows, tmp_path / "new.csv")
    asked = ["dataset=csv", f"dataset.path={tmp_path}/new.csv", "dataset.chunks=30"]
    done = predict(clicked.run_id, tmp_path / "out", asked, columns=["who", "id", "visits"])
    table = pq.read_table(done.folder)
    for name in ("who", "id", "visits"):
        cells = ["" if cell is None else str(cell) for cell in new_rows[name].to_pylist()]
        assert [cell or "" for cell in table[name].to_pylist()] == cells
    X = np.column_stack([new_rows[name].to_numpy() for name in ("price", "hour", "seen")])
    assert table["prediction"].to_pylist() == clicked.model.predict(X).tolist()


@pytest.mark.parametrize("chunks", ["auto", 64, "1KiB"])
def test_columns_stand_beside_their_own_rows_whatever_the_chunks(
    clicked, new_rows, tmp_path, chunks
):
    asked = ["dataset=parquet", f"dataset.path={tmp_path}/new.parquet", f"dataset.chunks={chunks}"]
    table = pq.read_table(predict(clicked.run_id, tmp_path / "out", asked, columns="id").folder)
    assert table["id"].to_pylist() == new_rows["id"].to_pylist()
    assert column(table, "row").tolist() == list(range(100))


def test_the_rows_of_the_run_itself_are_all_predicted(clicked, clicks, tmp_path):
    done = predict(clicked.run_id[:8], tmp_path / "out")
    X = np.column_stack(
        [pq.read_table(clicks)[name].to_numpy() for name in ("price", "hour", "seen")]
    )
    table = pq.read_table(done.folder)
    assert table["prediction"].to_pylist() == clicked.model.predict(X).tolist()
    assert "sold" not in table.column_names


def test_a_share_to_hold_out_is_said_to_be_without_effect(clicked, tmp_path):
    with pytest.warns(RunnerWarning, match=r"dataset\.holdout has no effect here: every row"):
        done = predict(clicked.run_id, tmp_path / "out", ["dataset.holdout=0.5"])
    assert done.rows == 300


def test_each_file_and_the_summary_say_which_model(clicked, tmp_path):
    done = predict(clicked.run_id, tmp_path / "out", ["dataset.chunks=100"])
    told = json.loads((done.folder / "_predictions.json").read_text())
    assert {told["rows"], told["blocks"], told["parts"]} == {300, 3}
    assert told["run"] == clicked.run_id
    assert told["dataset"]["path"].endswith("clicks")
    assert "holdout" not in told["dataset"]
    for path in done.folder.glob("part-*.parquet"):
        kept = pq.read_schema(path).metadata
        assert kept[b"run"].decode() == clicked.run_id
        assert kept[b"model"].decode() == told["model"] == done.model
    assert done.model.startswith("models:/m-")


def test_probabilities_are_left_out_on_request_and_refused_where_there_are_none(
    learned, clicked, tmp_path
):
    done = predict(clicked.run_id, tmp_path / "out", probabilities=False)
    assert done.columns == ("row", "prediction")
    hinge = learned("iris", "sgd_classifier", "partial_fit: {classes: [0, 1, 2]}")
    with pytest.raises(ConfigError, match=r"has predict_proba; got SGDClassifier"):
        predict(hinge.run_id, tmp_path / "none", probabilities=True)
    assert not (tmp_path / "none").exists()


MODULE = """
import threading
import time
import weakref

import dask.array as da
import numpy as np

LOCK = threading.Lock()
COUNTS = {"now": 0, "most": 0, "loads": 0}


def gone():
    with LOCK:
        COUNTS["now"] -= 1


def read(i, rows):
    if rows < 0 and i == -rows:
        raise OSError("the cable was pulled")
    X = np.full((abs(rows) and 5, 2), i, dtype=float)
    if rows == 7 and i % 3 == 0:
        X = X[:0]
    with LOCK:
        COUNTS["loads"] += 1
        COUNTS["now"] += 1
        COUNTS["most"] = max(COUNTS["most"], COUNTS["now"])
    weakref.finalize(X, gone)
    return X


def load(blocks, rows=5):
    sizes = [0 if rows == 7 and i % 3 == 0 else 5 for i in range(blocks)]
    graph = {("own", i, 0): (read, i, rows) for i in range(blocks)}
    return da.Array(graph, "own", (tuple(sizes), (2,)), dtype=float)
"""


@pytest.fixture
def own_rows(project, monkeypatch, learned):
    """Return the module of a project's own rows, and the run that clustered 20 blocks of them."""
    import importlib
    import sys

    (project / "own_rows.py").write_text(MODULE)
    monkeypatch.setenv("RUNNER_ALLOW", "own_rows")
    monkeypatch.syspath_prepend(str(project))
    module = importlib.import_module("own_rows")
    result = learned(
        "function",
        "mini_batch_kmeans",
        "dataset: {function: 'own_rows:load', arguments: {blocks: 20}, chunks: auto}\n"
        "estimator: {n_clusters: 2}\nfit: {progressive_window: 0}",
        dataset__chunks="auto",
    )
    yield module, result
    sys.modules.pop("own_rows", None)


@pytest.mark.parametrize("prefetch", [0, 2])
def test_no_more_blocks_are_alive_however_many_there_are(own_rows, tmp_path, prefetch):
    module, result = own_rows
    for n_blocks in (20, 200):
        module.COUNTS.update(now=0, most=0, loads=0)
        asked = [f"dataset.arguments.blocks={n_blocks}", f"stream.prefetch={prefetch}"]
        done = predict(result.run_id, tmp_path / f"out{n_blocks}", asked)
        assert (done.rows, done.blocks) == (5 * n_blocks, n_blocks)
        assert module.COUNTS["loads"] == n_blocks
        assert module.COUNTS["most"] <= prefetch + 1
        assert module.COUNTS["now"] == 0


def test_a_block_without_rows_gives_no_file_and_the_others_keep_their_numbers(own_rows, tmp_path):
    _, result = own_rows
    asked = ["dataset.arguments.blocks=6", "+dataset.arguments.rows=7"]
    done = predict(result.run_id, tmp_path / "out", asked)
    names = sorted(path.name for path in done.folder.glob("*.parquet"))
    assert names == [f"part-0000{i}.parquet" for i in (1, 2, 4, 5)]
    assert (done.rows, done.blocks) == (20, 6)
    assert pq.read_table(done.folder)["row"].to_pylist() == list(range(20))


def test_an_error_names_its_block_and_leaves_the_finished_parts_without_a_summary(
    own_rows, tmp_path
):
    _, result = own_rows
    asked = ["dataset.arguments.blocks=6", "+dataset.arguments.rows=-3"]
    out = tmp_path / "out"
    with (
        pytest.warns(RunnerWarning, match=r"out holds 3 finished parts with 15 rows"),
        pytest.raises(DatasetError, match=r"Block 3 \(rows 15 to 19\) must .*cable"),
    ):
        predict(result.run_id, out, asked)
    names = sorted(path.name for path in out.iterdir())
    assert names == [f"part-0000{i}.parquet" for i in range(3)]
    with pytest.raises(ConfigError, match=r"output must be a new folder, or an empty one"):
        predict(result.run_id, out)


def test_rows_that_the_model_refuses_are_named(clicked, new_rows, tmp_path):
    holes = new_rows.set_column(
        4, "price", pa.array([None if i == 50 else float(i) for i in range(100)])
    )
    pq.write_table(holes, tmp_path / "new.parquet")
    asked = ["dataset=parquet", f"dataset.path={tmp_path}/new.parquet", "dataset.chunks=30"]
    with (
        pytest.warns(RunnerWarning, match=r"1 finished part with 30 rows"),
        pytest.raises(FitError, match=r"Block 1 \(rows 30 to 59\) must hold rows .*NaN"),
    ):
        predict(clicked.run_id, tmp_path / "out", asked)


def test_a_column_called_like_a_prediction_is_refused(clicked, new_rows, tmp_path):
    named = new_rows.append_column("prediction", new_rows["id"])
    pq.write_table(named, tmp_path / "new.parquet")
    asked = ["dataset=parquet", f"dataset.path={tmp_path}/new.parquet"]
    with pytest.raises(ConfigError, match=r"columns must name columns .* got prediction"):
        predict(clicked.run_id, tmp_path / "out", asked, columns=["prediction"])
    assert not (tmp_path / "out").exists()


def test_a_run_without_a_model_is_refused_before_anything_is_made(learned, tmp_path):
    result = learned(
        "iris", "gaussian_nb", "partial_fit: {classes: [0, 1, 2]}", tracking__log_model="false"
    )
    with pytest.raises(TrackingError, match=r"must keep a model; got none, and the status FINI"):
        predict(result.run_id, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_who_listens_is_told_after_each_block_how_far_it_came(clicked, tmp_path):
    class Listener(Steps):
        def begin(self, name, progress, **asked):
            step = Step(name, progress)
            step.move = lambda now: told.append((name, now.rows, now.total_rows))
            return step

    told = []
    with listening(Listener()):
        predict(clicked.run_id, tmp_path / "out", ["dataset.chunks=100"])
    assert told == [("predict", rows, 300) for rows in (100, 200, 300)]


def test_features_that_were_targets_of_the_run_are_left_out_by_name(learned, tmp_path):
    targets = ["sepal length (cm)", "petal width (cm)"]
    result = learned("iris", "multi_output_regressor", f"dataset: {{target: {targets}}}")
    found = pq.read_table(predict(result.run_id, tmp_path / "out").folder)
    X = [block[:, [1, 2]] for block in blocks_of("iris")]
    assert_answers(found, "prediction", result.model.predict, X)
    predict(result.run_id, tmp_path / "again", ["dataset=iris", "dataset.chunks=40"])
    assert pq.read_table(tmp_path / "again").equals(found)


def test_an_answer_of_too_many_columns_is_refused_before_a_folder_is_made(learned, tmp_path):
    (tmp_path / "lines.txt").write_text("red\nblue\n" * 50)
    result = learned(
        "text_lines",
        "standard_scaler",
        "estimator: {_target_: sklearn.feature_extraction.text.HashingVectorizer}\n"
        "evaluation: {scoring: []}",
        dataset__path=tmp_path / "lines.txt",
    )
    with pytest.raises(ConfigError, match=r"at most 10,000 columns .* got 1,048,576"):
        predict(result.run_id, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def scheduler():
    """Return the address of a scheduler with two worker processes that end with the module."""
    with LocalCluster(n_workers=2, memory_limit=None, tls=False).open() as workers:
        yield workers._client.scheduler.address


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_threads_write_the_same_bytes_and_copy_any_column(clicked, new_rows, tmp_path):
    asked = ["dataset=parquet", f"dataset.path={tmp_path}/new.parquet", "dataset.chunks=30"]
    here, *threads = (
        bytes_of(
            predict(
                clicked.run_id,
                tmp_path / f"out{prefetch}",
                [*asked, f"stream.prefetch={prefetch}"],
                columns=["id", "who", "visits", "at", "price"],
            ).folder
        )
        for prefetch in (0, 1, 3)
    )
    assert threads == [here, here]


def test_workers_write_the_same_bytes_and_copy_any_column(clicked, new_rows, tmp_path, scheduler):
    asked = ["dataset=parquet", f"dataset.path={tmp_path}/new.parquet", "dataset.chunks=30"]
    names = ["id", "who", "visits", "at", "price"]
    here = predict(clicked.run_id, tmp_path / "here", asked, columns=names)
    there = predict(
        clicked.run_id,
        tmp_path / "there",
        [*asked, "cluster=address", f"cluster.address={scheduler}"],
        columns=names,
    )
    assert bytes_of(there.folder) == bytes_of(here.folder)
    assert (there.rows, there.columns) == (100, here.columns)


def test_what_a_model_makes_of_arrays_is_the_same_bytes_on_workers(learned, tmp_path, scheduler):
    pca = learned("iris", "incremental_pca", "estimator: {n_components: 2}")
    for number, result in enumerate((learned("digits", "mlp_classifier", DIGITS), pca)):
        here = predict(result.run_id, tmp_path / f"here{number}")
        cluster = ["cluster=address", f"cluster.address={scheduler}"]
        there = predict(result.run_id, tmp_path / f"there{number}", cluster)
        assert bytes_of(there.folder) == bytes_of(here.folder)


def test_an_error_of_a_worker_is_told_as_here_with_the_finished_parts(
    clicked, new_rows, tmp_path, scheduler
):
    holes = new_rows.set_column(
        4, "price", pa.array([None if i == 50 else float(i) for i in range(100)])
    )
    pq.write_table(holes, tmp_path / "new.parquet")
    asked = ["dataset=parquet", f"dataset.path={tmp_path}/new.parquet", "dataset.chunks=30"]
    cluster, said = ["cluster=address", f"cluster.address={scheduler}"], []
    for name, where in (("here", []), ("there", cluster)):
        with (
            pytest.warns(RunnerWarning, match=r"1 finished part with 30 rows"),
            pytest.raises(FitError, match=r"Block 1 \(rows 30 to 59\) must hold rows") as raised,
        ):
            predict(clicked.run_id, tmp_path / name, [*asked, *where])
        said.append(str(raised.value))
    assert said[0] == said[1]
    assert bytes_of(tmp_path / "there") == bytes_of(tmp_path / "here")


def test_a_cluster_that_is_gone_leaves_no_folder(clicked, tmp_path, monkeypatch):
    monkeypatch.setattr("runner.cluster.client.ANSWER_S", 0.5)
    gone = ["cluster=address", "cluster.address=tcp://127.0.0.1:9"]
    with pytest.raises(ClusterError, match=r"scheduler at tcp://127\.0\.0\.1:9 must answer"):
        predict(clicked.run_id, tmp_path / "out", gone)
    assert not (tmp_path / "out").exists()
