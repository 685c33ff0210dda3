"""What `runner help` says."""

USAGE = """\
runner: experiments on data that does not fit in memory

  runner list                          the experiments, and the options of each group
  runner show NAME [key=value ...]     the composed config
  runner run NAME|FILE [key=value ...] fit, evaluate, log; a file with `sweep:` is many runs;
                                       --dry-run says what would be done, --fail-fast ends a
                                       sweep with its first failure
  runner resume RUN [--force]          go on with a run, or the members of a sweep, that did not
                                       finish; --failed: only members that failed; --force: also
                                       where the config, data or libraries are not what they were;
                                       key=value: a secret that the record of a run hides
  runner reproduce RUN [key=value ...] run it again from its record alone, and compare the two:
                                       data, order, scores and model, to the last bit
  runner predict RUN output=FOLDER [dataset=... key=value ...] [columns=[id]]
                                       predictions of every row, block by block, to Parquet
  runner runs [--limit N]              the record as a table
  runner ui [RUN] [--port N]           look at the record in MLflow's user interface
  runner doctor [--sync]               check the installation, and mend what killed runs left;
                                       --sync sends what waits for a store that was away

  --traceback                          with any verb: show where an error comes from

Anything with = or a leading dash and no verb is plain Hydra:
  runner experiment=quickstart estimator.alpha=1e-3,1e-4 -m
"""
