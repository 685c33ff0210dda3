"""What keeps the record has the methods and arguments of the protocols."""

from dataclasses import fields, is_dataclass
from inspect import getmembers, isfunction, signature

import pytest

from runner.protocols import Run, SweepRun, Tracker
from runner.tracking.memory_run import MemoryRun
from runner.tracking.memory_sweep import MemorySweep
from runner.tracking.memory_tracker import MemoryTracker
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.run import MlflowRun
from runner.tracking.sweep_run import MlflowSweep


def own_methods(kind):
    return {name: method for name, method in getmembers(kind, isfunction) if name[0] != "_"}


@pytest.mark.parametrize(
    ("kind", "protocol"),
    [
        *((MlflowRun, Run), (MemoryRun, Run)),
        *((MlflowSweep, SweepRun), (MemorySweep, SweepRun)),
        *((MlflowTracker, Tracker), (MemoryTracker, Tracker)),
    ],
)
def test_each_method_of_a_protocol_is_there_with_its_arguments(kind, protocol):
    assert len(own_methods(protocol)) >= 2
    for name, method in own_methods(protocol).items():
        own, asked = signature(getattr(kind, name)), signature(method)
        assert list(own.parameters.values()) == list(asked.parameters.values()), name


@pytest.mark.parametrize("kind", [MlflowRun, MemoryRun, MlflowSweep, MemorySweep])
def test_a_run_says_where_it_is(kind):
    kept = {field.name for field in fields(kind)} if is_dataclass(kind) else set()
    assert all(name in kept or hasattr(kind, name) for name in ("run_id", "url"))


def test_the_main_path_asks_a_run_for_nothing_else():
    assert own_methods(Run).keys() == {
        *("log_params", "log_dataset", "log_remark", "log_labels", "log_scores", "log_model"),
        *("callbacks", "log_tags", "log_resumed", "log_content"),
    }
