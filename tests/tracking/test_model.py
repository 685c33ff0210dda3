import warnings

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.cluster import MiniBatchKMeans
from sklearn.compose import make_column_transformer
from sklearn.decomposition import IncrementalPCA
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from runner.base import Part
from runner.tracking.model import (
    UntrustedTypesError,
    create_logged_model,
    one_row,
    pack,
    signature,
    upload,
)


def by_hand(rows):
    return rows


def numbers(dtype="f8", width=20):
    return Part(da.zeros((100, width), chunks=(25, width), dtype=dtype), None, None, ())


def lines():
    return Part(da.zeros((100,), chunks=25, dtype=object), None, None, ())


def learned(estimator, points):
    X, y = points
    known = {"classes": [0, 1]} if hasattr(estimator, "predict_proba") else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.partial_fit(X, y, **known)


ESTIMATORS = [
    SGDClassifier(loss="log_loss", random_state=0),
    SGDRegressor(random_state=0),
    GaussianNB(),
    MLPClassifier(random_state=0),
    MiniBatchKMeans(random_state=0, n_init=1),
    IncrementalPCA(n_components=3),
]


def kept(client, run_id, model, part):
    """Keep a model as a run does, and return its entry and the file of it."""
    logged = create_logged_model(
        client, client.get_run(run_id).info, model, params={"a": "1"}, tags={"mlflow.user": "ann"}
    )
    packed = pack(model)
    upload(client, logged, packed, part, 100)
    entry = client.get_logged_model(logged.model_id)
    from mlflow.artifacts import download_artifacts

    folder = download_artifacts(artifact_uri=entry.artifact_location)
    return entry, skops.io.load(f"{folder}/model.skops", trusted=packed.trusted)


def bits(model):
    """Return every number that a model has learned."""
    return {
        name: [np.asarray(item).tobytes() for item in (value if type(value) is list else [value])]
        for name, value in vars(model).items()
        if name.endswith("_") and isinstance(value, np.ndarray | list | float | int)
    }


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_a_model_that_was_kept_is_the_same_bit_for_bit(client, run_id, points, estimator):
    model = learned(estimator, points)
    entry, again = kept(client, run_id, model, numbers())
    assert entry.status == "READY"
    assert bits(again) == bits(model)
    if hasattr(model, "predict"):  # a product of matrices depends on how they lie in memory
        assert again.predict(points[0]).tobytes() == model.predict(points[0]).tobytes()


def test_a_model_goes_on_learning_where_it_stopped(client, run_id, points):
    model = learned(MLPClassifier(random_state=0), points)
    _, again = kept(client, run_id, model, numbers())
    assert bits(again.partial_fit(*points)) == bits(model.partial_fit(*points))


def test_the_entry_tells_where_the_model_comes_from(client, run_id, points):
    model = learned(SGDClassifier(random_state=0, loss="log_loss"), points)
    entry, _ = kept(client, run_id, model, numbers())
    run = client.get_run(run_id)
    assert entry.source_run_id == run_id
    assert entry.experiment_id == run.info.experiment_id
    assert entry.model_type == "classifier"
    assert entry.name.endswith("-SGDClassifier")
    assert entry.params == {"a": "1"}
    assert entry.tags["mlflow.user"] == "ann"
    assert [(o.model_id, o.step) for o in run.outputs.model_outputs] == [(entry.model_id, 100)]


def test_mlflow_loads_it_and_checks_what_it_is_given(client, run_id, points):
    import mlflow.pyfunc

    model = make_pipeline(FunctionTransformer(np.abs), SGDClassifier(random_state=0))
    model[-1].partial_fit(np.abs(points[0]), points[1], classes=[0, 1])
    entry, _ = kept(client, run_id, model, numbers())
    loaded = mlflow.pyfunc.load_model(entry.artifact_location)
    assert (loaded.predict(points[0]) == model.predict(points[0])).all()
    with pytest.raises(Exception, match="dtype of input float32"):
        loaded.predict(points[0].astype("f4"))


def test_a_model_of_lines_of_text_is_loaded_and_predicts(client, run_id):
    import mlflow.pyfunc

    words = np.array(["a b", "c d"] * 10)
    hashing = HashingVectorizer(n_features=2**10)
    model = make_pipeline(hashing, SGDClassifier(random_state=0))
    model[-1].partial_fit(hashing.transform(words), ["x", "yy"] * 10, classes=["x", "yy"])
    entry, _ = kept(client, run_id, model, lines())
    loaded = mlflow.pyfunc.load_model(entry.artifact_location)
    assert (loaded.predict(words) == model.predict(words)).all()


def test_a_model_with_foreign_types_is_refused():
    model = make_pipeline(FunctionTransformer(by_hand), SGDClassifier())
    with pytest.raises(UntrustedTypesError, match="by_hand"):
        pack(model)


def test_the_requirements_are_exact(client, run_id, points):
    from mlflow.artifacts import load_text

    entry, _ = kept(client, run_id, learned(GaussianNB(), points), numbers())
    listed = load_text(f"{entry.artifact_location}/requirements.txt").splitlines()
    assert {line.partition("==")[0] for line in listed} == {
        *("mlflow", "numpy", "scikit-learn", "scipy", "skops"),
    }


def test_a_model_whose_files_cannot_be_kept_is_marked_failed(flaky, client, run_id, points):
    model = learned(GaussianNB(), points)
    run = client.get_run(run_id).info
    logged = create_logged_model(client, run, model, params={}, tags={})
    flaky.log_model_artifacts = None
    with pytest.raises(TypeError):
        upload(flaky, logged, pack(model), numbers(), 100)
    assert client.get_logged_model(logged.model_id).status == "FAILED"


@pytest.mark.parametrize("dtype", ["f8", "f4", "i2", "u1", "?"])
def test_the_signature_takes_the_type_of_the_data(dtype, points):
    inputs = signature(learned(GaussianNB(), points), numbers(dtype)).inputs
    assert inputs.input_types() == [np.dtype(dtype)]
    assert inputs.inputs[0].shape == (-1, 20)


def test_the_signature_says_what_comes_out(points):
    made = signature(learned(IncrementalPCA(n_components=3), points), numbers())
    assert made.outputs.inputs[0].shape == (-1, 3)
    text = signature(learned(SGDClassifier(loss="log_loss"), points), numbers())
    assert text.outputs.inputs[0].shape == (-1,)


def test_a_model_that_cannot_take_a_row_of_zeros_has_no_output():
    assert signature(StandardScaler(), numbers()).outputs is None
    assert signature(object(), numbers()).outputs is None


def test_a_row_looks_like_the_data():
    assert one_row(lines()).tolist() == [""]
    row = one_row(numbers("f4", width=3))
    assert (row.shape, row.dtype) == ((1, 3), np.dtype("f4"))


def test_the_entry_of_a_model_of_no_kind_says_other(client, run_id, points):
    entry, _ = kept(client, run_id, StandardScaler().fit(points[0]), numbers())
    assert entry.model_type == "other"


def colors():
    rows = pd.DataFrame(
        {
            "color": pd.Series(["red", "green", np.nan, "red"] * 5, dtype=object),
            "size": np.linspace(-1, 1, 20, dtype=np.float32),
            "n": np.arange(20, dtype=np.int16),
            "round": np.arange(20) > 9,
        }
    )
    X = da.zeros((20, 4), chunks=(10, 4), dtype=object)
    return rows, Part(X, None, None, (), tuple(rows.columns), rows.iloc[:0])


def model_of_colors(rows):
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["color"]), remainder="passthrough"
    ).fit(rows)
    learner = SGDClassifier(random_state=0)
    learner.partial_fit(encode.transform(rows), rows["round"], classes=[False, True])
    return make_pipeline(encode, learner)


def test_a_model_of_a_table_is_loaded_and_predicts_from_a_dataframe(client, run_id):
    import mlflow.pyfunc

    rows, part = colors()
    model = model_of_colors(rows)
    entry, _ = kept(client, run_id, model, part)
    assert entry.status == "READY"
    loaded = mlflow.pyfunc.load_model(entry.artifact_location)
    assert loaded.predict(rows).tolist() == model.predict(rows).tolist()
    in_another_order = rows[["round", "n", "color", "size"]].assign(other=1)
    assert loaded.predict(in_another_order).tolist() == model.predict(rows).tolist()
    with pytest.raises(Exception, match="'size'"):
        loaded.predict(rows.drop(columns="size"))


def test_the_signature_of_a_table_names_its_columns():
    rows, part = colors()
    made = signature(model_of_colors(rows), part)
    kinds = {column.name: column.type.name for column in made.inputs.inputs}
    assert kinds == {"color": "string", "size": "float", "n": "integer", "round": "boolean"}
    assert made.outputs.inputs[0].shape == (-1,)


def test_a_row_of_a_table_has_its_types_and_empty_text():
    _, part = colors()
    row = one_row(part)
    assert row.to_dict("records") == [{"color": "", "size": 0.0, "n": 0, "round": False}]
    pd.testing.assert_series_equal(row.dtypes, part.frame.dtypes)


def test_the_names_of_the_features_are_in_the_metadata_of_the_model(client, run_id, points):
    from mlflow.models import get_model_info

    rows, part = colors()
    entry, _ = kept(client, run_id, model_of_colors(rows), part)
    metadata = get_model_info(entry.artifact_location).metadata
    assert metadata == {"feature_names": ["color", "size", "n", "round"]}
    entry, _ = kept(client, run_id, learned(GaussianNB(), points), numbers())
    assert get_model_info(entry.artifact_location).metadata is None
