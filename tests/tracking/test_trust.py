import numpy as np
import pytest
import skops.io
from sklearn.cluster import BisectingKMeans, FeatureAgglomeration
from sklearn.ensemble import RandomTreesEmbedding
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import SGDClassifier
from sklearn.manifold import Isomap
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, SplineTransformer

from runner.errors import TrackingError
from runner.tracking.loading import read_skops
from runner.tracking.model import UntrustedTypesError, pack
from runner.tracking.trust import is_trusted

X = np.abs(np.random.default_rng(0).normal(size=(60, 4)))
Y = (X[:, 0] > 0.6).astype(int)


@pytest.mark.parametrize(
    "model",
    [
        BisectingKMeans(2, random_state=0),
        FeatureAgglomeration(),
        FunctionTransformer(np.log1p),
        Isomap(),
        KBinsDiscretizer(encode="ordinal", quantile_method="linear"),
        MLPClassifier((2,), max_iter=300, tol=0.1, random_state=0),
        RandomTreesEmbedding(3, random_state=0),
        SelectKBest(k=2),
        SplineTransformer(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_what_scikit_learn_makes_is_written_and_read(model, tmp_path):
    packed = pack(model.fit(X, Y))
    file = tmp_path / "model.skops"
    file.write_bytes(packed.content)
    assert type(read_skops(file, packed.trusted)) is type(model)


def test_a_function_that_runs_code_is_refused_whatever_the_record_declares(tmp_path):
    from numpy.testing import measure

    flag = tmp_path / "ran"
    code = f"open({str(flag)!r}, 'w').write('x')"
    model = make_pipeline(
        FunctionTransformer(np.full_like, kw_args={"fill_value": code, "dtype": "U400"}),
        FunctionTransformer(np.take, kw_args={"indices": 0}),
        FunctionTransformer(measure),
        SGDClassifier().fit(X, Y),
    )
    file = tmp_path / "model.skops"
    file.write_bytes(skops.io.dumps(model))
    with pytest.raises(TrackingError, match="measure"):
        read_skops(file, skops.io.get_untrusted_types(file=file))
    with pytest.raises(UntrustedTypesError, match="measure"):
        pack(model)
    assert not flag.exists()


@pytest.mark.parametrize(
    "name",
    [
        *("sklearn.datasets._base.clear_data_home", "sklearn.utils._testing.check_skip_network"),
        *("numpy.take", "numpy.load", "numpy.testing._private.utils.measure", "builtins.eval"),
        *("scipy._lib._util._call_callback_maybe_halt", "sklearnish.Model", "os.system"),
    ],
)
def test_any_other_function_or_package_is_not_trusted(name):
    assert not is_trusted(name)
