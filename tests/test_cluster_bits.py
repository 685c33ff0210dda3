"""Where a model learns changes no bit of it: in this process, or on workers, also if they die."""

import os
import signal
import zlib
from functools import cache
from pathlib import Path

import joblib
import pytest
from distributed.comm import tcp
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import IncrementalPCA
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from runner.base import Callback
from runner.callbacks.checkpoint import Checkpoint
from runner.cluster.cluster import CLIENT, DATA
from runner.cluster.heard import listening
from runner.cluster.local import LocalCluster
from runner.states import loads
from runner.stream.stream import Stream
from tests.apart import Near
from tests.opened import Opened
from tests.test_estimators import CASES
from tests.test_shared_equivalence import (
    BALANCED,
    INFERRED,
    MIXED,
    RESTLESS,
    SCALERS,
    Weighted,
    alone,
    classifier,
    linear,
    member,
    members_of,
    restless,
    rows,
    stopping,
)

BLOCK_BYTES = 3_200_000


@pytest.fixture(scope="module")
def client():
    with listening() as heard, LocalCluster(n_workers=2, tls=False).connected(heard) as client:
        client.wait_for_workers(2, timeout=60)
        yield client


def same(found, expected):
    """Say whether all is the same; a copy of an array may lie in memory in another way."""
    lying = {"estimator", "model"}
    return {k: v for k, v in found.items() if k not in lying} == {
        k: v for k, v in expected.items() if k not in lying
    }


ONES = ("CategoricalNB", "IncrementalPCA", "SelectFromModel")


@pytest.mark.filterwarnings("ignore:.*deprecated")
@pytest.mark.parametrize("name", ONES)
def test_kinds_that_hold_much_besides_numbers_come_back_as_they_are(name):
    case, (_, make, *_) = CASES[name], members_of(name)
    parts = {"dataset": case.dataset, "preprocessing": case.preprocessing}
    near = Near()
    found = alone(make, **parts, cluster=near)
    assert same(found, alone(make, **parts))
    assert near.workers.n_questions > 0


HOW = {
    "labels that are inferred and weigh the same": (MIXED[0], BALANCED | INFERRED),
    "rows that weigh": (MIXED[1], {"dataset": rows(Weighted)}),
    "scalers in a pass before": (MIXED[4], {"preprocessing": SCALERS}),
    "scalers of both policies": (
        MIXED[3],
        {
            "preprocessing": {"range": MinMaxScaler(), "scaler": StandardScaler()},
            "fit": {"preprocessing": {"scaler": "running"}},
        },
    ),
    "early stopping": (restless(callbacks=stopping("progressive", 6))[2], {}),
    "rows of a split by rows": (MIXED[2], {"dataset": rows(holdout_by="rows")}),
    "remarks on wild scales": (
        classifier(linear()),
        {"dataset": rows(n_features=5, n_redundant=0, scale=[1.0, 1.0, 1.0, 1.0, 1e4])},
    ),
}


@pytest.mark.filterwarnings("ignore:wild-scale")
@pytest.mark.parametrize("feature", HOW)
def test_all_is_as_in_one_process_with(feature):
    make, shared = HOW[feature]
    shared = {"dataset": rows(), **shared}
    near = Near(lost_at=(2, 5, 9))
    assert alone(make, **shared, cluster=near) == alone(make, **shared)
    assert near.workers.n_questions >= 7


KINDS = {
    "sgd behind a running scaler": classifier(
        linear(average=True),
        epochs=2,
        every=300,
        preprocessing={"scaler": StandardScaler()},
        fit={"preprocessing": "running", "class_weight": "balanced"},
    ),
    "sgd that stops early": classifier(
        linear(eta0=5.0, **RESTLESS), epochs=8, every="epoch", callbacks=stopping("held_out")
    ),
    "multi-layer": classifier(MLPClassifier((8,), random_state=0), epochs=3),
    "naive Bayes behind a fixed scaler": classifier(GaussianNB(), preprocessing=SCALERS),
    "clusters": member(MiniBatchKMeans(3, random_state=0)),
    "components": member(IncrementalPCA(3)),
    "lines of text": None,
}


def of_kind(kind):
    """Return what makes an experiment, and the parts that it is made with."""
    if KINDS[kind] is not None:
        return KINDS[kind], {"dataset": rows()}
    case, (_, make, *_) = CASES["HashingVectorizer"], members_of("HashingVectorizer")
    return make, {"dataset": case.dataset, "preprocessing": case.preprocessing}


@cache
def expected_of(kind):
    make, parts = of_kind(kind)
    return alone(make, **parts)


PLACED = [  # each kind in one place, and in the other by the long form
    pytest.param(kind, placement, marks=pytest.mark.slow if (i + j) % 2 else ())
    for i, kind in enumerate(KINDS)
    for j, placement in enumerate((DATA, CLIENT))
]


@pytest.mark.parametrize(("kind", "placement"), PLACED)
def test_the_model_is_one_wherever_it_learns(client, kind, placement):
    make, parts = of_kind(kind)
    found = alone(make, **parts, cluster=Opened(client, placement))
    expected = expected_of(kind)
    assert same(found, expected)
    assert kind == "components" or found == expected


class Noting(SGDClassifier):
    """Notes each block that it learns, and may kill the process in which it learns it first."""

    def __init__(self, notes=None, deadly=(), random_state=None):
        super().__init__(random_state=random_state)
        self.notes = notes
        self.deadly = deadly

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        super().partial_fit(X, y, classes, sample_weight)
        if self.notes is not None:
            note, number = f"{zlib.crc32(X.tobytes()):x}\n", round(self.t_ - 1) // len(X)
            known = Path(self.notes).read_text().split() if Path(self.notes).exists() else []
            with Path(self.notes).open("a") as file:
                file.write(note)
            if number in self.deadly and note.strip() not in known:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


class Kills(Callback):
    """Kills a worker after each of some blocks."""

    def __init__(self, client, after):
        self.client = client
        self.after = after

    def on_block_end(self, progress, block):
        if progress.blocks in self.after:
            pids = self.client.run(os.getpid)
            os.kill(min(pids.values()), signal.SIGKILL)


class Keeps(Checkpoint):
    """Is due after each ten blocks, and keeps in memory what it would write."""

    def __init__(self):
        super().__init__()
        self.kept = []
        self.n_blocks = 0

    def is_due(self):
        self.n_blocks += 1
        return self.n_blocks % 10 == 0

    def keep(self, state):
        self.kept.append(state())


def kept_by(estimator, *, callbacks=None, **parts):
    """Return what is known of a run, and the states that were kept on the way."""
    keeps = Keeps()
    others = {name: lambda each=each: each for name, each in (callbacks or {}).items()}
    make = classifier(estimator, callbacks={"keeps": lambda: keeps, **others})
    found = alone(make, **parts)
    found["numbers"] = but_for_notes(found["numbers"])
    states = [loads(estimator, content, is_own=True) for content in keeps.kept]
    learners = [but_for_notes(state["learner"][0]) for state in states]
    scores = [state["score"] for state in states]
    states = {"states": joblib.hash((learners, scores)), "n_states": len(states)}
    return states | {name: found[name] for name in SAME}


KILLS = {DATA: ((20, 50), (80,), 3), CLIENT: ((), (20, 50, 80), 0)}
SAME = ("numbers", "blocks", "scores", "curves", "progress", "status")


def but_for_notes(known):
    own = ("notes", "deadly")
    return {key: known[key] for key in known if key.strip(".").split(".")[0] not in own}


def test_the_blocks_do_not_cross_the_network(client, capsys):
    parts = {
        "dataset": rows(n_samples=80_000, n_features=40, chunks=10_000, holdout=0, validation=0),
        "stream": Stream(seed=3),
    }
    found = {}
    count_bytes()
    client.run(count_bytes)
    try:
        for placement in (DATA, CLIENT):
            before = received(client)
            alone(classifier(linear(), **parts), cluster=Opened(client, placement))
            found[placement] = (received(client) - before) / (8 * BLOCK_BYTES)
    finally:
        count_no_bytes()
    with capsys.disabled():
        for placement, share in found.items():
            print(f"\nT3 received-{placement} {100 * share:.2f} %", end="")  # noqa: T201
    assert found[DATA] <= 0.05
    assert found[CLIENT] >= 1


def received(client):
    """Return the bytes that all processes have received: client, scheduler and workers."""
    return sum([bytes_here(), *client.run(bytes_here).values()])


def count_bytes():
    whole = tcp.read_bytes_rw

    async def reading(stream, n):
        reading.total += n
        return await whole(stream, n)

    reading.total, reading.whole = 0, whole
    tcp.read_bytes_rw = reading


def count_no_bytes():
    tcp.read_bytes_rw = tcp.read_bytes_rw.whole


def bytes_here():
    return tcp.read_bytes_rw.total


@pytest.mark.parametrize("placement", [DATA, pytest.param(CLIENT, marks=pytest.mark.slow)])
def test_three_killed_workers_cost_no_bit_and_hardly_a_block(client, tmp_path, placement, capsys):
    in_mid_step, between, most = KILLS[placement]
    notes = tmp_path / "notes"
    dataset = rows(n_samples=10_000, chunks=100, validation=0, holdout=0)
    found = kept_by(
        Noting(str(notes), in_mid_step, random_state=0),
        dataset=dataset,
        callbacks={"kills": Kills(client, between)},
        cluster=Opened(client, placement),
    )
    learned = notes.read_text().split()
    with capsys.disabled():
        print(f"\nT3 again-{placement} {len(learned) - 100} blocks", end="")  # noqa: T201
    assert len(set(learned)) == 100
    assert len(learned) - 100 <= most
    expected = kept_by(Noting(random_state=0), dataset=dataset)
    assert len(expected) == 8
    for name, here in expected.items():
        assert found[name] == here, name
