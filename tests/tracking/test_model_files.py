import mlflow.sklearn
import pytest
import skops.io
import yaml
from mlflow.models import Model
from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler

from runner.tracking.environment import MODEL_PACKAGES, pinned
from runner.tracking.model_files import DESCRIPTION, write

WHEN = "2026-01-01 00:00:00"


def described():
    return Model(
        artifact_path="a", run_id="r", model_id="m-1", model_uuid="m-1", utc_time_created=WHEN
    )


def files(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize(
    "model", [SGDClassifier(), MiniBatchKMeans(), StandardScaler()], ids=lambda m: type(m).__name__
)
def test_the_files_are_those_that_mlflow_itself_writes(tmp_path, model):
    mlflow.sklearn.save_model(
        model,
        tmp_path / "theirs",
        mlflow_model=described(),
        serialization_format="skops",
        pip_requirements=pinned(MODEL_PACKAGES),
        skops_trusted_types=["a"],
    )
    ours, theirs = tmp_path / "ours", files(tmp_path / "theirs")
    ours.mkdir()
    write(ours, described(), model, theirs["model.skops"], ["a"])
    written = files(ours)
    assert written.keys() == theirs.keys()
    ours_told, theirs_told = (yaml.safe_load(each.pop(DESCRIPTION)) for each in (written, theirs))
    assert ours_told == theirs_told
    assert written == theirs


def test_what_cannot_be_read_back_is_not_kept(tmp_path):
    with pytest.raises(Exception, match="zip"):
        write(tmp_path, described(), SGDClassifier(), b"cut short", [])
    content = skops.io.dumps({"a": described})
    with pytest.raises(Exception, match="described"):
        write(tmp_path, described(), SGDClassifier(), content, [])
