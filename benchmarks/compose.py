"""Compose a sweep of 1,000 members, side by side: Hydra's own sweeper, and ours.

The members of ``digits_sgd`` differ in three values: alpha, eta0 and the seed. Ours makes all
1,000 of them, with their names and keys. Hydra's basic sweeper composes each member twice, once to
see that it can be composed and once in the basic launcher; it does so for the first members only,
and the time of 1,000 is that of these few times 1,000 over their number, which is fair because it
composes each from the files anew. The two take turns in one process, after one turn that is not
counted, and of the counted turns the medians are compared. The configs of the members that both
composed are the same, which is checked.
"""

import argparse
import statistics
import time
from types import SimpleNamespace

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import OmegaConf

from runner.config.app import prepare
from runner.config.compose import Composed, opened
from runner.project import builtin
from runner.sweeps.members import compose_members

AXES = ["estimator.alpha", "estimator.eta0", "seed"]
VALUES = {
    "estimator.alpha": [10.0**-i for i in range(10)],
    "estimator.eta0": [i / 10 for i in range(1, 11)],
    "seed": list(range(10)),
}
N_MEMBERS = 1000
REACH = 10


def base_of(loader, overrides):
    """Return the config that a sweeper starts from."""
    return loader.load_configuration("config", overrides, run_mode=RunMode.MULTIRUN)


def by_hydra(loader, overrides, n_members):
    """Compose the first members as Hydra's sweeper and launcher do; return seconds and configs."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper  # as Hydra loaded it last

    base = base_of(loader, overrides)
    start = time.perf_counter()
    sweeper = BasicSweeper(max_batch_size=None)
    sweeper.config, sweeper.hydra_context = base, SimpleNamespace(config_loader=loader)
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(overrides)
    batch = sweeper.split_arguments(parsed, None)[0][:n_members]
    sweeper.validate_batch_is_legal(batch)
    configs = [loader.load_sweep_config(base, list(member)) for member in batch]
    return time.perf_counter() - start, configs


def by_runner(loader, overrides):
    """Compose all members; return seconds and members."""
    base = base_of(loader, overrides)
    start = time.perf_counter()
    members = compose_members(loader, base, overrides)
    return time.perf_counter() - start, members


def check_same(configs, members):
    """See that both composed the same, interpolations included."""
    for config, member in zip(configs, members, strict=False):
        theirs = Composed.from_hydra(config).config
        assert OmegaConf.to_yaml(member.composed.config) == OmegaConf.to_yaml(theirs)
        assert OmegaConf.to_container(member.composed.config, resolve=True) == (
            OmegaConf.to_container(theirs, resolve=True)
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--stock-members", type=int, default=40)
    asked = parser.parse_args()
    words = [f"{key}={','.join(map(str, VALUES[key]))}" for key in AXES]
    section = f"sweep.grid={{{','.join(f'{key}:{VALUES[key]}' for key in AXES)}}}"
    prepare()
    stock, ours = [], []
    with initialize_config_dir(version_base="1.3", config_dir=str(builtin("conf"))):
        loader = GlobalHydra.instance().hydra.config_loader
        for turn in range(asked.turns + 1):
            chosen = ["experiment=digits_sgd"]
            seconds, configs = by_hydra(loader, chosen + opened(words), asked.stock_members)
            spent, members = by_runner(loader, chosen + opened([section]))
            check_same(configs, members)
            assert len(members) == N_MEMBERS
            print(f"turn {turn}: Hydra {seconds:.2f} s for {len(configs)}, runner {spent:.2f} s")
            if turn:
                stock.append(seconds / len(configs) * N_MEMBERS)
                ours.append(spent)
    median_stock, median_ours = statistics.median(stock), statistics.median(ours)
    ratio = median_stock / median_ours
    print(f"{N_MEMBERS} members, medians of {asked.turns}:")
    print(f"  Hydra's own sweeper  {median_stock:8.1f} s, from {asked.stock_members} members")
    print(f"  runner               {median_ours:8.1f} s")
    print(f"  {ratio:.1f} x as fast; to reach: {REACH} x: {'yes' if ratio >= REACH else 'NO'}")


if __name__ == "__main__":
    main()
