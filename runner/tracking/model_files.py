"""The files of a model, as MLflow's flavor of scikit-learn writes and reads them."""

import platform
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from runner.tracking.environment import MODEL_PACKAGES, pinned

if TYPE_CHECKING:
    from mlflow.models import Model

DATA = "model.skops"
DESCRIPTION = "MLmodel"
CONDA, VIRTUALENV, REQUIREMENTS = "conda.yaml", "python_env.yaml", "requirements.txt"


def write(
    folder: Path, description: "Model", model: Any, content: bytes, trusted: list[str]
) -> None:
    """Write what ``mlflow.sklearn.save_model`` would write, and see that it can be read back.

    MLflow looks through all installed packages for each process's first model, to compare the
    requirements with what is installed. Here they are what is installed.

    Parameters
    ----------
    folder : Path
        An empty folder.
    description : mlflow.models.Model
        MLflow's metadata of the model, with its signature; its flavors are added.
    model : estimator
        The model.
    content : bytes
        The same as a skops file.
    trusted : list of str
        Its types that skops does not know.
    """
    import skops.io
    from sklearn import __version__ as sklearn_version

    file = folder / DATA
    file.write_bytes(content)
    skops.io.load(file, trusted=trusted)
    if hasattr(model, "predict"):
        description.add_flavor(
            "python_function",
            predict_fn="predict",
            loader_module="mlflow.sklearn",
            python_version=platform.python_version(),
            model_path=DATA,
            env={"conda": CONDA, "virtualenv": VIRTUALENV},
        )
    description.add_flavor(
        "sklearn",
        pickled_model=DATA,
        sklearn_version=sklearn_version,
        serialization_format="skops",
        code=None,
        skops_trusted_types=trusted,
    )
    description.model_size_bytes = len(content)
    description.save(folder / DESCRIPTION)
    for name, text in environment_texts().items():
        (folder / name).write_text(text, encoding="utf-8")


@cache
def environment_texts() -> dict[str, str]:
    """Return what a model of this process needs, in the words of conda, of virtualenv and of pip.

    Examples
    --------
    >>> environment_texts()["requirements.txt"].partition("==")[0]
    'mlflow'
    """
    python = platform.python_version()
    asked = pinned(("mlflow", *MODEL_PACKAGES))
    pip = pinned(("pip",))[:1]
    conda = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [
            f"python={python}",
            pip[0].replace("==", "<=") if pip else "pip",
            {"pip": asked},
        ],
    }
    build = [(pinned((name,)) or [name])[0] for name in ("pip", "setuptools", "wheel")]
    virtualenv = {
        "python": python,
        "build_dependencies": build,
        "dependencies": [f"-r {REQUIREMENTS}"],
    }
    return {
        CONDA: yaml.safe_dump(conda, default_flow_style=False),
        VIRTUALENV: yaml.safe_dump(virtualenv, sort_keys=False, default_flow_style=False),
        REQUIREMENTS: "\n".join(asked),
    }
