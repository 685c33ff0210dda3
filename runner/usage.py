"""What `runner help` says."""

import re

USAGE = """\
runner: experiments on data that does not fit in memory

  runner list                          the experiments, and the options of each group
  runner new NAME [--from X]           begin an experiment of your own as X, or quickstart, is
  runner show NAME [key=value ...]     the composed config; --why KEY: the files and lines that set
                                       a key; --diff OTHER: what another experiment says otherwise
  runner validate [NAME|FILE ...] [key=value ...]
                                       every mistake, with file, line and column; without a name
                                       those of all experiments
  runner run NAME|FILE [key=value ...] fit, evaluate, log; a file with `sweep:` is many runs;
                                       --dry-run says what would be done, --fail-fast ends a
                                       sweep with its first failure
  runner resume RUN [--force]          go on with a run, or the members of a sweep, that did not
                                       finish; --failed: only members that failed; --force: also
                                       where the config, data or libraries are not what they were;
                                       key=value: a secret that the record of a run hides;
                                       --dry-run and --fail-fast as above
  runner reproduce RUN [key=value ...] run it again from its record alone, and compare the two:
                                       data, order, scores and model, to the last bit
  runner predict RUN output=FOLDER [dataset=... key=value ...] [columns=[id]]
                                       predictions of every row, block by block, to Parquet
  runner runs [--limit N]              the record as a table
  runner ui [RUN] [--port N]           look at the record in MLflow's user interface
  runner doctor [--sync]               check the installation, and mend what killed runs left;
                                       --sync sends what waits for a store that was away
  runner schema [--write]              JSON Schema of an experiment's file, for editors
  runner completion bash|zsh|fish      eval "$(runner completion bash)" lets Tab complete names,
                                       keys and values

  --traceback                          with any verb: show where an error comes from

Anything with = or a leading dash and no verb is plain Hydra:
  runner experiment=quickstart estimator.alpha=1e-3,1e-4 -m
"""


def flags_of_verbs(usage: str = USAGE) -> dict[str, list[str]]:
    """Return the flags of each verb, in the order in which they are told.

    Examples
    --------
    >>> flags_of_verbs()["doctor"], flags_of_verbs()["list"]
    (['--sync'], [])
    """
    told = re.findall(r"^  runner (\w+)\b((?:.*\n(?!  runner |\n))*.*\n)", usage, re.MULTILINE)
    return {
        verb: list(dict.fromkeys(re.findall(r"--[a-z-]+", text)))
        for verb, text in told
        if verb != "experiment"
    }
