"""One file, one model: neither how many blocks are read ahead nor Python's hashes change a bit."""

import os
import subprocess
import sys

import joblib
import pytest

import runner

QUICK = ["callbacks=[]", "tracking=none", "fit.epochs=2"]
KINDS = {
    "sgd": ("digits_sgd", []),
    "sgd mixed": ("digits_sgd", ["stream.buffer_blocks=3"]),
    "sgd by rows": ("digits_sgd", ["dataset.holdout_by=rows", "dataset.validation=0.1"]),
    "perceptron": ("digits_sgd", ["estimator=perceptron", *(OTHER := ["~estimator.loss"])]),
    "naive Bayes": ("digits_sgd", ["estimator=gaussian_nb", "~estimator.alpha", *OTHER]),
    "multi-layer": ("digits_sgd", ["estimator=mlp_classifier", *OTHER]),
    "clusters": ("sample_images_kmeans", ["dataset.chunks=50000"]),
    "components": ("digits_pca", []),
    "several outputs": ("digits_halves", []),
    "scaled": ("diabetes_raw_sgd", []),
    "regression": ("diabetes_sgd", ["evaluation.every=2000"]),
}


def hash_of(kind, *overrides):
    name, own = KINDS[kind]
    scoring = ["evaluation.scoring=[accuracy]"] if name == "digits_sgd" else []
    result = runner.run(name, [*own, *QUICK, *scoring, *overrides])
    return joblib.hash(result.model), result.scores


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_is_one_however_many_blocks_are_read_ahead(kind):
    found = [hash_of(kind, f"stream.prefetch={depth}") for depth in (0, 1, 4)]
    assert found[0] == found[1] == found[2]


CODE = """
import joblib, runner
result = runner.run("digits_sgd", ["callbacks=[]", "tracking=none", "fit.epochs=2"])
print(joblib.hash(result.model))
"""


def test_the_model_is_one_whatever_the_seed_of_hashes_and_the_threads_of_blas():
    def printed(seed, threads):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", CODE],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    assert printed("1", "1") == printed("2", "2")
