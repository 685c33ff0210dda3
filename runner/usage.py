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
  runner register RUN NAME [--alias ALIAS ...] [--json]
                                       its model, or that of a sweep's best, in MLflow's registry
  runner runs [--limit N]              the record as a table; only --status FAILED, --experiment
                                       NAME or an MLflow --filter; --members: those of sweeps,
                                       too; --json
  runner compare A B [C ...]           what differs between runs, and a picture of their curves;
                                       --output FILE.png; --json: for scripts
  runner ui [RUN ...] [--port N] [--no-open]
                                       look at the record in MLflow's user interface; two or more
                                       runs: compare them
  runner doctor [--sync]               check the installation, and mend what killed runs left;
                                       --sync sends what waits for a store that was away
  runner schema [--write]              JSON Schema of an experiment's file, for editors
  runner completion bash|zsh|fish      eval "$(runner completion bash)" lets Tab complete names,
                                       keys and values

  --json       of run, resume, reproduce, predict, list, show, validate, runs, compare, register,
               doctor: one JSON document on standard output, for scripts; none where standard
               error tells why there is nothing to tell
  --quiet      of run, resume, reproduce, predict: nothing is told but what is wrong
  --traceback  of any verb: show where an error comes from

Anything with = or a leading dash and no verb is plain Hydra:
  runner experiment=quickstart estimator.alpha=1e-3,1e-4 -m

Exit codes:
  0    done
  1    a fault of the runner, or what reads its output has gone
  2    a mistake, a run or member that failed, a reproduction that differs, a finding of doctor
  130  interrupted, by Ctrl-C
  143  terminated, by SIGTERM or SIGHUP
"""


def flags_of_verbs(usage: str = USAGE) -> dict[str, list[str]]:
    """Return the flags of each verb, in the order in which they are told.

    Examples
    --------
    >>> flags_of_verbs()["doctor"], flags_of_verbs()["list"]
    (['--sync', '--json'], ['--json'])
    """
    told = re.findall(r"^  runner (\w+)\b((?:.*\n(?!  runner |\n))*.*\n)", usage, re.MULTILINE)
    shared = re.findall(r"^  (--[a-z-]+) +of (\w+(?:,\s+\w+)*):", usage, re.MULTILINE)
    found = {verb: re.findall(r"--[a-z-]+", text) for verb, text in told if verb != "experiment"}
    for flag, verbs in shared:
        for verb in re.split(r",\s+", verbs):
            found[verb].append(flag)
    return {verb: list(dict.fromkeys(flags)) for verb, flags in found.items()}
