"""Write the pages of the reference that follow from the code: `python docs/_ext/reference.py`."""

from config_keys import config_page
from tables import ROOT

from runner.usage import USAGE

FOLDER = ROOT / "docs" / "reference"
SAID = "<!-- `make docs` writes this page from {}: change it there. -->\n"

COMMANDS = """\
# Commands

What `runner help` says:

```text
{usage}```

What was asked for goes to standard output, everything else to standard error.

## Environment variables

| variable | what it does |
|---|---|
| `RUNNER_PROJECT` | the project's folder, else the nearest one above that has `experiments/` |
| `RUNNER_EXPERIMENTS` | a folder whose experiments come before the project's and ours |
| `MLFLOW_TRACKING_URI` | the MLflow store, where the file does not set `tracking.uri` |
| `XDG_CACHE_HOME` | where it is remembered which parameters a class takes |
"""


def pages() -> dict[str, str]:
    """Return the texts of the pages by their names."""
    return {
        "config.md": SAID.format("the schema of the config") + config_page(),
        "commands.md": SAID.format("the help of the command line") + COMMANDS.format(usage=USAGE),
    }


def main() -> None:
    """Write them."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
