"""Whether the file of a recorded experiment still says what its record says."""

import warnings

from runner.config.rebuilt import since_recorded
from runner.errors import ConfigError, RunnerWarning


def check_unedited(
    run_id: str, command: str, config_text: str, *, is_forced: bool, is_sweep: bool = False
) -> None:
    """Refuse to go on with a run whose file says something else than its record.

    A file that is missing says nothing else, so that this is a warning.

    Raises
    ------
    ConfigError
        With all that differs, unless it is forced.
    """
    changed = since_recorded(command, config_text, is_sweep=is_sweep)
    kind = "sweep" if is_sweep else "run"
    if changed and not any(each.source for each in changed):
        name = changed[0].recorded
        warnings.warn(
            f"The file of the experiment {name} is missing: the {kind} goes on with the config "
            "that the record keeps.",
            RunnerWarning,
            stacklevel=2,
        )
    elif changed and not is_forced:
        raise ConfigError(
            f"The {kind} {run_id}",
            "go on with the config that it began with",
            got="another one: " + "; ".join(map(str, changed)),
            remedy=f"Set it back, start a new {kind}, or add --force: it goes on with the config "
            "that the record keeps, and what the file says now is left aside.",
        )
