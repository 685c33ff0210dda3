import cloudpickle
import dask
import numpy as np
import pytest
import sklearn.datasets
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_sample_images

from runner.dataset import bundled
from runner.dataset.bundled import N_PIXELS, NAMES, Bundled, ReadTable, SampleImages
from runner.dataset.permutation import unshuffled
from runner.errors import ConfigError
from runner.project import builtin

EACH = pytest.mark.parametrize("name", NAMES)


def loaded(name):
    if name == "diabetes_raw":
        return sklearn.datasets.load_diabetes(scaled=False)
    return getattr(sklearn.datasets, f"load_{name}")()


def computed(dataset):
    arrays = dataset.arrays()
    return dask.compute(arrays.X, arrays.y, scheduler="sync")


@EACH
def test_a_table_in_file_order_is_scikit_learns_bit_for_bit(name):
    X, y = computed(Bundled(name=name, shuffle=False, chunks=17))
    table = loaded(name)
    np.testing.assert_array_equal(X, table.data)
    np.testing.assert_array_equal(y, table.target)
    assert (X.dtype, y.dtype) == (table.data.dtype, table.target.dtype)


@EACH
def test_a_shuffled_table_has_the_same_rows_and_y_follows_x(name):
    X, y = computed(Bundled(name=name))
    table = loaded(name)
    together = np.column_stack([X, y])
    wanted = np.column_stack([table.data, table.target])
    assert (together != wanted).any()
    np.testing.assert_array_equal(together[np.lexsort(together.T)], wanted[np.lexsort(wanted.T)])


@EACH
def test_the_arrays_announce_the_table_and_name_its_features(name):
    arrays = Bundled(name=name).arrays()
    table = loaded(name)
    assert (arrays.X.shape, arrays.y.shape) == (table.data.shape, table.target.shape)
    assert (arrays.X.dtype, arrays.y.dtype) == (table.data.dtype, table.target.dtype)
    assert arrays.feature_names == tuple(table.feature_names)
    assert all(type(feature) is str for feature in arrays.feature_names)


@settings(deadline=None, max_examples=25)
@given(chunks=st.integers(1, 200), seed=st.integers(0, 2**32), shuffle=st.booleans())
def test_the_order_of_the_rows_does_not_depend_on_the_chunks(chunks, seed, shuffle):
    common = {"name": "wine", "random_state": seed, "shuffle": shuffle}
    for got, wanted in zip(
        computed(Bundled(**common, chunks=chunks)), computed(Bundled(**common)), strict=True
    ):
        np.testing.assert_array_equal(got, wanted)


def test_another_random_state_is_another_order():
    first, again, other = (computed(Bundled(name="iris", random_state=s))[1] for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_shuffled_blocks_hold_all_classes_though_the_table_is_sorted_by_them():
    y = Bundled(name="iris", chunks=30).arrays().y
    assert [len(np.unique(block.compute())) for block in y.blocks] == [3] * 5
    in_order = Bundled(name="iris", chunks=30, shuffle=False).arrays().y
    assert len(np.unique(in_order.blocks[0].compute())) == 1


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_block_changed_in_place_changes_no_other(shuffle):
    for dataset in (Bundled(name="iris", shuffle=shuffle), SampleImages(shuffle=shuffle)):
        X = dataset.arrays().X.blocks[0]
        block = X.compute(scheduler="sync")
        block[:] = -1
        assert (X.compute(scheduler="sync") >= 0).all()


def test_the_table_is_not_in_the_graph_and_is_read_once_by_a_process(monkeypatch):
    loads = []
    load = sklearn.datasets.load_digits
    monkeypatch.setattr(sklearn.datasets, "load_digits", lambda: loads.append("digits") or load())
    bundled._loaded.cache_clear()
    bundled._table.cache_clear()
    arrays = Bundled(name="digits", chunks=100).arrays()
    assert len(cloudpickle.dumps(arrays)) < 50_000
    dask.compute(arrays.X, arrays.y, scheduler="sync")
    Bundled(name="digits", chunks=200).arrays().X.compute()
    assert loads == ["digits"]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("irsi", "Did you mean 'iris'?"),
        ("brest_cancer", "Did you mean 'breast_cancer'?"),
        ("california_housing", "Correct it."),
        (None, "Correct it."),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name, remedy):
    with pytest.raises(ConfigError) as refused:
        Bundled(name=name)
    assert str(refused.value) == (
        f"dataset.name must be {', '.join(NAMES[:-1])} or {NAMES[-1]}; got {name!r}. {remedy}"
    )


def test_features_can_be_what_is_predicted():
    table = loaded("wine")
    arrays = Bundled(name="wine", target=["alcohol", "hue"], shuffle=False, chunks=50).arrays()
    X, y = dask.compute(arrays.X, arrays.y, scheduler="sync")
    columns = [table.feature_names.index(name) for name in ("alcohol", "hue")]
    np.testing.assert_array_equal(y, table.data[:, columns])
    np.testing.assert_array_equal(X, np.delete(table.data, columns, axis=1))
    assert arrays.feature_names == tuple(np.delete(table.feature_names, columns))
    assert (arrays.X.shape, arrays.y.shape) == (X.shape, y.shape)


@pytest.mark.parametrize(("target", "shape"), [("hue", (178,)), (["hue"], (178, 1))])
def test_one_feature_is_a_column_or_a_table_of_one(target, shape):
    dataset = Bundled(name="wine", target=target)
    assert dataset.arrays().y.shape == shape
    X, y = computed(dataset)
    assert (X.shape, y.shape) == ((178, 12), shape)
    assert computed(Bundled(name="wine"))[0][:, 10].tobytes() == y.tobytes()


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("alcohl", "name features of wine; got 'alcohl'. Did you mean 'alcohol'?"),
        (["hue", "huge"], "name features of wine; got 'huge'. Did you mean 'hue'?"),
        (
            list(loaded("wine").feature_names),
            "leave a feature to predict from; got all 13 of wine. Name fewer.",
        ),
    ],
)
def test_a_target_that_is_no_feature_or_leaves_none_is_refused(target, told):
    with pytest.raises(ConfigError) as refused:
        Bundled(name="wine", target=target).arrays()
    assert str(refused.value) == f"dataset.target must {told}"


@pytest.mark.parametrize("target", [1, [], [1], ["hue", None]])
def test_a_target_that_is_no_name_is_refused(target):
    with pytest.raises(ConfigError, match=r"^dataset\.target must be text .* or null; got "):
        Bundled(name="wine", target=target)


@pytest.mark.parametrize("name", [*NAMES, "sample_images"])
def test_there_is_an_option_for_each(name):
    option = yaml.safe_load((builtin("conf") / "dataset" / f"{name}.yaml").read_text("utf-8"))
    assert option.get("name", "sample_images") == name
    assert option["shuffle"] is True
    assert option["random_state"] == "${seed}"


@pytest.mark.parametrize("kind", [SampleImages, lambda **keys: Bundled(name="iris", **keys)])
@pytest.mark.parametrize("keys", [{"shuffle": "no"}, {"random_state": -1}])
def test_settings_of_another_kind_are_refused(kind, keys):
    with pytest.raises(ConfigError, match=rf"^dataset\.{next(iter(keys))} must be "):
        kind(**keys)


def test_the_pixels_in_order_are_those_of_the_photographs():
    pixels = np.concatenate([image.reshape(-1, 3) for image in load_sample_images().images])
    arrays = SampleImages(shuffle=False).arrays()
    assert arrays.X.shape == pixels.shape == (N_PIXELS, 3)
    assert arrays.y is None
    assert arrays.feature_names == ("red", "green", "blue")
    X = arrays.X.compute(scheduler="sync")
    assert X.dtype == arrays.X.dtype == np.float32
    assert (X.min(), X.max()) == (0, 1)
    np.testing.assert_array_equal(np.round(X * 255), pixels)


def test_shuffled_pixels_are_the_same_pixels():
    X, shuffled = (
        SampleImages(shuffle=shuffle).arrays().X.compute(scheduler="sync")
        for shuffle in (False, True)
    )
    assert (shuffled != X).any()
    np.testing.assert_array_equal(X[np.lexsort(X.T)], shuffled[np.lexsort(shuffled.T)])


def test_blocks_of_shuffled_pixels_are_like_the_whole():
    X = SampleImages(chunks=20_000).arrays().X
    whole = X.mean(axis=0).compute()
    for block in (X.blocks[i].compute() for i in (0, 13, 26)):
        np.testing.assert_allclose(block.mean(axis=0), whole, atol=0.02)


def test_the_photographs_are_decoded_with_the_first_block_and_once(monkeypatch):
    decoded = []
    load = sklearn.datasets.load_sample_images
    monkeypatch.setattr(
        sklearn.datasets, "load_sample_images", lambda: decoded.append("both") or load()
    )
    bundled._pixels.cache_clear()
    X = SampleImages(chunks=50_000).arrays().X
    assert decoded == []
    assert len(cloudpickle.dumps(X)) < 50_000
    X.compute(scheduler="sync")
    assert decoded == ["both"]


def test_y_alone_takes_nothing_of_x():
    read_y = ReadTable("iris", None, unshuffled, is_whole=False)
    X, y = read_y(40, 60)
    assert X is None
    np.testing.assert_array_equal(y, [0] * 10 + [1] * 10)
