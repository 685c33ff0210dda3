"""Compose a sweep of 1,000 members, side by side: Hydra's own sweeper, and ours.

The members of ``digits_sgd`` differ in three values: alpha, eta0 and the seed. Ours makes all
1,000 of them, with their names and keys. Hydra's basic sweeper composes each member twice, once to
see that it can be composed and once in the basic launcher; it does so for the first members only,
and the time of 1,000 is that of these few times 1,000 over their number, which is fair because it
composes each from the files anew. Each composes a member first that is not timed. The configs of
the members that both composed are the same, which is checked.
"""

import hashlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.promise import Promise
from benchmarks.row import Row, at_least
from benchmarks.turns import Found, alternate, job

VALUES: dict[str, list[Any]] = {
    "estimator.alpha": [10.0**-i for i in range(10)],
    "estimator.eta0": [i / 10 for i in range(1, 11)],
    "seed": list(range(10)),
}
N_MEMBERS = 1000
RUNNER, HYDRA = "runner", "Hydra's own sweeper"


@contextmanager
def loading() -> Iterator[Any]:
    """Yield what loads the configs of the package."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    from runner.config.app import prepare
    from runner.project import builtin

    prepare()
    with initialize_config_dir(version_base="1.3", config_dir=str(builtin("conf"))):
        yield GlobalHydra.instance().hydra.config_loader


def asked(words: list[str]) -> list[str]:
    """Return the overrides of the command line as Hydra gets them."""
    from runner.config.compose import opened

    return ["experiment=digits_sgd", *opened(words)]


def base_of(loader: Any, overrides: list[str]) -> Any:
    """Return the config that a sweeper starts from."""
    from hydra.types import RunMode

    return loader.load_configuration("config", overrides, run_mode=RunMode.MULTIRUN)


def hydra(n_members: int) -> Found:
    """Compose the first members as Hydra's sweeper and launcher do."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    from runner.config.compose import Composed

    overrides = asked([f"{key}={','.join(map(str, values))}" for key, values in VALUES.items()])

    def compose(loader: Any, n_first: int) -> list[Any]:
        from hydra._internal.core_plugins.basic_sweeper import BasicSweeper  # as loaded last

        sweeper: Any = BasicSweeper(max_batch_size=None)
        sweeper.config, sweeper.hydra_context = base, SimpleNamespace(config_loader=loader)
        parsed = OverridesParser.create(config_loader=loader).parse_overrides(overrides)
        batch = sweeper.split_arguments(parsed, None)[0][:n_first]
        sweeper.validate_batch_is_legal(batch)
        return [loader.load_sweep_config(base, list(member)) for member in batch]

    with loading() as loader:
        base = base_of(loader, overrides)
        compose(loader, 1)
        start = time.perf_counter()
        configs = compose(loader, n_members)
        wall = (time.perf_counter() - start) * N_MEMBERS / len(configs)
        composed = [Composed.from_hydra(config).config for config in configs]
        return {"wall": wall, "result": told(composed)}


def runner(n_members: int) -> Found:
    """Compose all members."""
    from runner.sweeps.members import compose_members

    overrides = asked(
        [f"sweep.grid={{{','.join(f'{key}:{values}' for key, values in VALUES.items())}}}"]
    )
    one = asked(["sweep.grid={seed:[0]}"])
    with loading() as loader:
        compose_members(loader, base_of(loader, one), one)
        base = base_of(loader, overrides)
        start = time.perf_counter()
        members = compose_members(loader, base, overrides)
        wall = time.perf_counter() - start
        assert len(members) == N_MEMBERS
        first = [member.composed.config for member in members[:n_members]]
        return {"wall": wall, "result": told(first)}


def told(configs: list[Any]) -> str:
    """Return a digest of configs, interpolations included."""
    from omegaconf import OmegaConf

    texts = [OmegaConf.to_yaml(config, resolve=each) for config in configs for each in (0, 1)]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def measure(_: Path, turns: int, stock_members: int) -> Iterator[Row]:
    """Compare the two."""
    stock = f"{HYDRA} (by {stock_members} of them)"
    ways = {
        stock: partial(job, "compose", "hydra", n_members=stock_members),
        RUNNER: partial(job, "compose", "runner", n_members=stock_members),
    }
    taken = alternate(ways, turns, warm=False)
    taken.same("result", stock, RUNNER)
    promise = "composing a sweep of 1,000 members"
    yield taken.row(promise, stock, RUNNER, reach=at_least(10))


PROMISE = Promise(measure, {"hydra": hydra, "runner": runner}, {"stock_members": (20, 5)}, turns=2)

if __name__ == "__main__":
    sys.exit(PROMISE.main(__doc__))
