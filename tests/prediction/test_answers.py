import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler

from runner.base import Block, Place
from runner.errors import ConfigError, FitError
from runner.prediction.answers import MOST_COMPONENTS, Answers


def block_of(X):
    return Block(X, None, None, Place(2, 10, 10 + X.shape[0]))


@pytest.fixture
def learned(points):
    X, y = points
    return GaussianNB().fit(X, y), block_of(X[:10])


def test_classes_and_their_probabilities_are_told(learned):
    model, block = learned
    answers = Answers(model).of(block)
    assert list(answers) == ["prediction", "probability_0", "probability_1"]
    assert (answers["prediction"] == model.predict(block.X)).all()
    assert (answers["probability_1"] == model.predict_proba(block.X)[:, 1]).all()


def test_probabilities_may_be_left_out(learned):
    model, block = learned
    assert list(Answers(model, probabilities=False).of(block)) == ["prediction"]


def test_labels_of_text_keep_their_type_and_name_their_probabilities(points):
    X, y = points
    model = GaussianNB().fit(X, np.array(["no", "yes"])[y])
    answers = Answers(model).of(block_of(X[:10]))
    assert list(answers) == ["prediction", "probability_no", "probability_yes"]
    assert answers["prediction"].dtype.kind == "U"


def test_several_targets_are_numbered_and_so_are_their_probabilities(points):
    X, y = points
    model = MultiOutputClassifier(GaussianNB())
    model.partial_fit(X, np.column_stack([y, 5 - y]), classes=[[0, 1], [4, 5]])
    block = block_of(X[:10])
    answers = Answers(model).of(block)
    assert list(answers) == [
        *("prediction_0", "prediction_1", "probability_0_0", "probability_0_1"),
        *("probability_1_4", "probability_1_5"),
    ]
    assert (answers["prediction_1"] == model.predict(block.X)[:, 1]).all()
    assert (answers["probability_1_4"] == model.predict_proba(block.X)[1][:, 0]).all()


def test_probabilities_without_named_classes_are_numbered():
    class Unnamed(DummyClassifier):
        classes_ = property(lambda self: None)

        def predict_proba(self, X):
            return np.ones((len(X), 1))

        def predict(self, X):
            return np.zeros(len(X))

    answers = Answers(Unnamed()).of(block_of(np.zeros((3, 1))))
    assert list(answers) == ["prediction", "probability_0"]


@pytest.mark.parametrize(
    "model",
    [
        HashingVectorizer(n_features=MOST_COMPONENTS + 1),
        make_pipeline(FunctionTransformer(), HashingVectorizer(n_features=MOST_COMPONENTS + 1)),
    ],
)
def test_too_many_components_are_refused_before_a_block_where_they_are_known(model):
    with pytest.raises(ConfigError, match=r"at most 10,000 columns .* got 10,001"):
        Answers(model)


def test_too_many_components_of_an_array_are_refused_too():
    model = FunctionTransformer(lambda X: np.zeros((len(X), MOST_COMPONENTS + 1)))
    with pytest.raises(ConfigError, match=r"at most 10,000 columns .* got 10,001"):
        Answers(model).of(block_of(np.zeros((2, 3))))


def test_what_only_transforms_gives_components(points):
    X, _ = points
    model = LatentDirichletAllocation(n_components=2, random_state=0).fit(np.abs(X))
    answers = Answers(model).of(block_of(np.abs(X[:10])))
    assert list(answers) == ["component_0", "component_1"]
    assert (answers["component_0"] == model.transform(np.abs(X[:10]))[:, 0]).all()


def test_one_component_is_numbered_too():
    model = StandardScaler().fit([[0.0], [2.0]])
    assert list(Answers(model).of(block_of(np.ones((3, 1))))) == ["component_0"]


def test_sparse_components_are_written_out():
    X = csr_matrix(np.eye(3))
    answers = Answers(Normalizer()).of(block_of(X))
    assert [answers[f"component_{j}"].tolist() for j in range(3)] == np.eye(3).tolist()


def test_more_components_than_a_table_can_have_are_refused():
    X = csr_matrix((2, MOST_COMPONENTS + 1))
    with pytest.raises(ConfigError, match=r"have at most 10,000 columns .* got 10,001"):
        Answers(Normalizer()).of(block_of(X))


def test_the_rows_that_a_model_refuses_are_named(learned):
    model, _ = learned
    with pytest.raises(FitError, match=r"Block 2 \(rows 10 to 12\) must hold rows .* predict;"):
        Answers(model).of(block_of(np.full((3, 20), np.nan)))


def test_a_model_that_answers_nothing_is_refused():
    with pytest.raises(ConfigError, match="must have predict or transform; got object"):
        Answers(object())


def test_probabilities_of_a_model_without_them_are_refused(points):
    model = make_pipeline(StandardScaler(), SGDClassifier()).fit(*points)
    with pytest.raises(ConfigError, match="has predict_proba; got SGDClassifier"):
        Answers(model, probabilities=True)
    with pytest.raises(ConfigError, match="probabilities must be true or false; got 'yes'"):
        Answers(model, probabilities="yes")
