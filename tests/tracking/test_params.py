import string

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.tracking.params import MAX_VALUE, params_as_text

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def test_every_param_that_can_be_asked_for_is_kept_by_mlflow(client):
    from mlflow.entities import Param

    experiment = client.create_experiment("params")

    @settings(max_examples=40, deadline=None)
    @given(st.dictionaries(st.text(max_size=300), plain, max_size=20))
    def kept(params):
        texts = params_as_text(params)
        assert len(texts) == len(params)
        run = client.create_run(experiment)
        entities = [Param(key, value) for key, value in texts.items()]
        client.log_batch(run.info.run_id, params=entities)
        assert client.get_run(run.info.run_id).data.params == texts

    kept()


def test_a_long_value_is_visibly_cut():
    value = params_as_text({"path": "x" * 7000})["path"]
    assert len(value) == MAX_VALUE
    assert value.endswith("x ... (7000 characters, whole in config/config.yaml)")


def test_a_long_key_stays_one_of_its_kind():
    keys = list(params_as_text({"a" * 300: 1, "a" * 301: 2}))
    assert len(set(keys)) == 2
    assert [len(key) for key in keys] == [250, 250]


def test_a_usual_name_is_not_touched():
    name = "estimator.loss/a-b_c: " + string.ascii_letters + "é"
    assert list(params_as_text({name: 1})) == [name]


def test_credentials_in_a_value_are_hidden():
    texts = params_as_text({"tracking.uri": "http://u:pw@h", "more": ["http://u:pw@h"]})
    assert "pw" not in "".join(texts.values())
