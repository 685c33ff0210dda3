"""What cannot be run is refused before Hydra composes it."""

import pytest

from runner.config.checking.vetting import vet
from runner.errors import InvalidConfigError


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("quickstart", []),
        ("quickstart", ["-m", "seed=1,2"]),
        ("quickstart", ["-m", "estimator.loss='hinge','log_loss'", "estimator=glob(sgd_c*)"]),
        ("quickstart", ["estimator={alpha: 0.1}", "dataset={n_samples: 200}"]),
        ("quickstart", ["name=of-${hydra:job.name}"]),
        (None, ["experiment=quickstart,digits_sgd", "-m"]),
        (None, ["--cfg", "job"]),
        (None, ["dataset=iris", "estimator=gaussian_nb", "partial_fit.classes=infer"]),
    ],
)
def test_what_is_right_is_let_through(name, arguments):
    vet(name, arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        (None, ["experiment=quickstart,digits_sdg", "-m"], "got digits_sdg"),
        (None, ["+experiment=quickstart"], "is chosen without a sign"),
        (None, ["--cfg", "job", "hydra.run.dir=/x"], "must not be set on the command line"),
        (None, ["experiment=" + "[" * 60], "must be nested at most"),
        ("quickstart", ["dataset.path=???"], "MakeClassification has no parameter 'path'"),
        ("quickstart", ["dataset.n_samples=???"], "dataset.n_samples: must be set"),
        ("quickstart", ["--dryrun"], "did you mean '--dry-run'?"),
        ("quickstart", ["--seed=3"], "write seed=3"),
    ],
)
def test_what_is_wrong_is_refused(name, arguments, said):
    with pytest.raises(InvalidConfigError) as caught:
        vet(name, arguments)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("seed", "command line (seed): seed: sets nothing\n    write seed=..."),
        ("seed:3", "command line (seed:3): seed:3: sets nothing\n    write seed=3"),
        (
            "estimator/alpha=1",
            "command line (estimator/alpha=1): estimator/alpha: there is no group "
            "'estimator/alpha'\n    write estimator.alpha=...",
        ),
        (
            "~estimator.alhpa",
            "command line (~estimator.alhpa): estimator.alhpa: is not there to be removed",
        ),
    ],
)
def test_what_hydra_would_not_read_is_told_in_plain_words(argument, said):
    with pytest.raises(InvalidConfigError) as caught:
        vet("quickstart", [argument])
    assert str(caught.value) == said
