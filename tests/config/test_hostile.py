"""A stranger's file, or command line, does nothing: each is run in a child that is watched.

What no import is needed for is counted: the children are forked off a server that has imported
what a check needs, and has examined an experiment once.
"""

import os
import re
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from queue import Queue
from typing import NamedTuple

import pytest

from runner.cli import WRONG, main
from runner.config.signatures.signature import signature_of
from runner.project import option_files
from tests.config.hostile.files import texts
from tests.config.hostile.lines import LINES
from tests.config.hostile.watched import PATIENCE_S, Server

SECRET, VALUE = "HOSTILE_SECRET", "s3cr3t-canary-317"
LIGHT = (
    *(
        "runner.cli",
        "runner.config.checking.examination",
        "runner.verbs.running",
        "runner.verbs.showing",
    ),
    *("sklearn.pipeline", "sklearn.linear_model"),
)
HEAVY = ("runner.cli", "runner.config.job", "runner.sweeps.job", "runner.shown", "skops.io")
MOST_CPU_S, MOST_MB, MOST_TOLD = 1.0, 200, 10_000
OFTEN = {"line": 20, "bomb": 16, "form": 20, "hydra": 10, "target": 8, "function": 8}
ROOT = Path(__file__).resolve().parents[2]


class Case(NamedTuple):
    """A command that means harm, and the text of the file that it names, or what makes it."""

    name: str
    words: tuple[str, ...]
    text: object = None


def cases():
    """Yield each case, and whether every run of the tests tries it."""
    count = {}
    for number, (name, text) in enumerate(texts().items()):
        kind = name.partition(":")[0]
        count[kind] = count.get(kind, 0) + 1
        often = count[kind] <= OFTEN.get(kind, 6) or name.endswith("of numpy.savetxt")
        for index, verb in enumerate(("run", "validate")):
            yield Case(f"{verb} {name}", (verb, "evil.yaml"), text), often and number % 2 == index
    for number, (name, words) in enumerate(LINES.items()):
        yield Case(f"line: {name}", words), number < OFTEN["line"]


PARAMS = [
    pytest.param(case, id=case.name, marks=() if often else pytest.mark.slow)
    for case, often in cases()
]


class Grounds:
    """A project in which a command is run, and what lies around it.

    Parameters
    ----------
    folder : Path
        Is made.
    """

    def __init__(self, folder):
        self.project = folder / "up" / "project"
        self.marker, self.foreign = self.project / "marker", folder / "foreign"
        for made in (self.project / "experiments", self.project / "x", self.foreign):
            made.mkdir(parents=True)
        self.outside = [folder / "outside.yaml", folder / "up" / "outside.yaml", self.foreign]
        for file in (*self.outside[:2], self.foreign / "outside.yaml"):
            file.write_text("seed: 1\n")
        (self.foreign / "private.txt").write_text("1\n")
        touches = f"open({str(self.marker)!r}, 'w').close()\nrows = 1\n"
        (self.project / "evil.py").write_text(touches)
        touch = f"cos\nsystem\n(S'touch {self.marker}'\ntR."
        (self.project / "evil.pkl").write_text(touch)
        self._before = set(self.project.iterdir())

    def fill(self, text):
        """Return a text in which the places of these grounds stand."""
        text = text.replace("MARKER", str(self.marker)).replace("FOREIGN", str(self.foreign))
        return text.replace("SECRET", SECRET)

    def write(self, text):
        """Write the hostile file."""
        text = text() if callable(text) else text
        whole = text if isinstance(text, bytes) else self.fill(text).encode()
        file = self.project / "evil.yaml"
        file.write_bytes(whole)
        self._before.add(file)

    def asked(self, words, **more):
        """Return what a server is to be asked."""
        env = {
            "RUNNER_PROJECT": str(self.project),
            "HOME": str(self.foreign),
            SECRET: VALUE,
            "HOSTILE_TARGET": "os.system",
            "HOSTILE_OPTION": "../../outside",
            "HOSTILE_NODE": "{_target_: os.system, command: touch marker}",
        }
        return {
            "words": [self.fill(word) for word in words],
            "cwd": str(self.project),
            "env": env | more.pop("env", {}),
            "writable": [str(self.project / ".runner"), os.environ["XDG_CACHE_HOME"]],
            "foreign": [str(each) for each in self.outside],
            "only_network": False,
            **more,
        }

    def made(self):
        """Return what lies in the project now, and did not."""
        allowed = {self.project / ".runner"}
        return set(self.project.iterdir()) - self._before - allowed


def served(modules, number, root):
    environment = {"EXAMINED": "quickstart digits_sweep", "RUNNER_PROJECT": str(root)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return [Server(modules) for _ in range(number)]


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    root = tmp_path_factory.mktemp("empty")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNNER_PROJECT", str(root))
        assert main(["validate"]) == 0  # what is found out of names is kept
    found = served(LIGHT, 2, root)
    waiting = Queue()
    for each in found:
        waiting.put(each)
    yield waiting
    for each in found:
        each.close()


def asked_of(servers, asked):
    server = servers.get()
    try:
        return server.ask(asked)
    finally:
        servers.put(server)


@pytest.fixture(scope="module")
def answers(request, servers, tmp_path_factory):
    """Return what comes of each case that was selected: two are run at a time."""
    params = [getattr(item, "callspec", None) for item in request.session.items]
    given = [each.params.get("case") for each in params if each]
    chosen = [case for case in given if isinstance(case, Case)]
    folder = tmp_path_factory.mktemp("cases")

    def run(number, case):
        grounds = Grounds(folder / str(number))
        if case.text is not None:
            grounds.write(case.text)
        answer = asked_of(servers, grounds.asked(case.words))
        if answer.get("cpu_s", 0) > MOST_CPU_S:  # once more: the machine may have been busy
            again = asked_of(servers, grounds.asked(case.words))
            answer["cpu_s"] = min(answer["cpu_s"], again.get("cpu_s", PATIENCE_S))
        return answer, grounds.made()

    with ThreadPoolExecutor(2) as pool:
        yield {case: pool.submit(run, number, case) for number, case in enumerate(chosen)}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("case", PARAMS)
def test_what_means_harm_is_refused_at_once_and_does_nothing(answers, case):
    answer, made = answers[case].result()
    assert answer["events"] == []
    assert made == set()
    told = answer["out"] + answer["err"]
    assert (answer["code"], "Traceback" in told) == (WRONG, False), told
    assert answer["err"].strip()
    assert len(told) <= MOST_TOLD
    assert VALUE not in told
    assert answer["cpu_s"] <= MOST_CPU_S
    assert answer["grown_mb"] < MOST_MB


def fifo(path):
    os.mkfifo(path)


def socket_file(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)


IN_PLACE = {
    "a pipe": fifo,
    "a socket": socket_file,
    "a folder": lambda path: path.mkdir(),
    "a link to zeros": lambda path: path.symlink_to("/dev/zero"),
    "a link to a terminal": lambda path: path.symlink_to("/dev/stdin"),
    "a link to nothing": lambda path: path.symlink_to("nowhere.yaml"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to a pickle": lambda path: path.symlink_to("../evil.pkl"),
}


VERBS = [("run",), ("validate",), ("show",), ("new", "a", "--from")]
EACH_ONCE = {(kind, VERBS[(number + 1) % 4]) for number, kind in enumerate(IN_PLACE)}
NO_FILES = [
    pytest.param(*pair, id="-".join((pair[0], *pair[1])), marks=marks)
    for pair in product(IN_PLACE, VERBS)
    for marks in [() if pair in EACH_ONCE else pytest.mark.slow]
]


@pytest.mark.parametrize(("kind", "words"), NO_FILES)
def test_what_is_no_file_is_neither_waited_for_nor_read(
    servers, tmp_path, monkeypatch, kind, words
):
    grounds = Grounds(tmp_path / "n")
    file = grounds.project / "experiments" / "odd.yaml"
    monkeypatch.chdir(file.parent)
    IN_PLACE[kind](file)
    if (kind, words[0]) == ("a link to a pickle", "new"):
        pytest.skip("a text is copied, whatever it means")
    answer = asked_of(servers, grounds.asked([*words, "odd"]))
    assert (answer["code"], answer["events"], grounds.made()) == (WRONG, [], set())
    assert answer["err"].strip()
    assert answer["cpu_s"] <= MOST_CPU_S


@pytest.mark.parametrize("kind", IN_PLACE)
def test_names_are_told_beside_what_is_no_file(servers, tmp_path, monkeypatch, kind):
    grounds = Grounds(tmp_path / "n")
    file = grounds.project / "experiments" / "odd.yaml"
    monkeypatch.chdir(file.parent)
    IN_PLACE[kind](file)
    for words in (["list"], ["--complete", "2", "runner", "run", ""]):
        answer = asked_of(servers, grounds.asked(words))
        assert (answer["code"], answer["events"], grounds.made()) == (0, [], set())
        assert "quickstart" in answer["out"]


ROWS = """
import dask.array as da


def rows(**arguments):
    if "fail" in arguments:
        raise OSError(f"no way to {arguments['hosts']}")
    X = da.random.default_rng(0).random((100, 2), chunks=(10, 2))
    return X, (X[:, 0] > 0.5).astype(int)
"""
TOLD = """
defaults: [{override /dataset: function}, {override /estimator: sgd_classifier}]
name: run of ${oc.env:HOSTILE_SECRET}
dataset:
  function: own_rows:rows
  arguments: {hosts: [[a, '${oc.env:HOSTILE_SECRET}']], again: '${dataset.arguments.hosts}'}
partial_fit: {classes: [0, 1]}
tracking:
  tags: {team: '${oc.env:HOSTILE_SECRET}', where: 'https://ann:${oc.env:HOSTILE_SECRET}@x.org'}
"""


@pytest.fixture(scope="module")
def whole_server(tmp_path_factory):
    (found,) = served(HEAVY, 1, tmp_path_factory.mktemp("empty"))
    yield found
    found.close()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["run", "told.yaml"], 0),
        (["run", "told.yaml", "--traceback", "dataset.arguments.fail=1"], WRONG),
        (["run", "told.yaml", "--traceback", "tracking.uri=http://a:${oc.env:SECRET}@[x"], WRONG),
    ],
    ids=["well", "failing", "address"],
)
def test_a_secret_reaches_no_file_and_no_text_and_a_run_nothing_but_this_machine(
    whole_server, schema, tmp_path, words, code
):
    grounds = Grounds(tmp_path / "run")
    shutil.copy(schema, grounds.project / "mlflow.db")
    (grounds.project / "own_rows.py").write_text(ROWS)
    (grounds.project / "told.yaml").write_text(TOLD)
    env = {"RUNNER_ALLOW": "own_rows", "MLFLOW_DISABLE_TELEMETRY": "true"}
    answer = whole_server.ask(grounds.asked(words, only_network=True, env=env))
    told = answer["out"] + answer["err"]
    assert (answer["code"], answer["events"]) == (code, []), told
    assert VALUE not in told
    files = [path for path in grounds.project.rglob("*") if path.is_file()]
    assert (".runner" in {path.name for path in grounds.project.iterdir()}) or code
    assert [path for path in files if VALUE.encode() in path.read_bytes()] == []
    assert [path for path in grounds.project.rglob("*") if VALUE in str(path)] == []


SEEN = {
    "os.system": "import os; os.system('touch marker')",
    "os.exec": "import os; os.execv('/bin/true', ['true'])",
    "os.posix_spawn": "import os; os.posix_spawn('/bin/true', ['true'], {})",
    "subprocess.Popen": "import subprocess; subprocess.run(['touch', 'marker'])",
    "os.fork": "import os; os.fork()",
    "socket.connect": "import socket; socket.socket().connect(('127.0.0.1', 9))",
    "socket.bind": "import socket; socket.socket().bind(('127.0.0.1', 0))",
    "socket.getaddrinfo": "import socket; socket.getaddrinfo('localhost', 80)",
    "ctypes.dlopen": "import ctypes; ctypes.CDLL('./evil.so')",
    "open": "open('marker', 'w')",
    "open: write": "import os; os.open('marker', os.O_CREAT | os.O_WRONLY)",
    "open: read": "open('../../foreign/private.txt')",
    "os.mkdir": "import os; os.mkdir('marker')",
    "os.rename": "import os; os.rename('x', 'marker')",
    "os.rmdir": "import os; os.rmdir('x')",
    "os.putenv": "import os; os.environ['LD_PRELOAD'] = 'evil.so'",
    "exec": "exec('1 + 1')",
    "exec: <string>": "eval('1 + 1')",
    "pickle.find_class": "import pickle; pickle.loads(b'cos\\ngetcwd\\n(tR.')",
    "import": "import sys; sys.path.insert(0, '.'); import evil",
    "sqlite3.connect": "import sqlite3; sqlite3.connect('marker')",
}


@pytest.mark.parametrize("event", SEEN)
def test_what_is_forbidden_is_seen_and_does_not_happen(servers, tmp_path, event):
    grounds = Grounds(tmp_path / "seen")
    answer = asked_of(servers, grounds.asked([], python=SEEN[event]))
    assert [told for told in answer["events"] if told.startswith(event)]
    assert str(answer["code"]).startswith("DeniedError")
    assert grounds.made() == set()


def option_names(group):
    return sorted(path.stem for path in (ROOT / "conf" / group).glob("*.yaml"))


def good_files():
    """Return files without a mistake: each experiment and option of ours, and what looks odd."""
    two = "{override /dataset: make_classification}, {override /estimator: sgd_classifier}"
    found = [
        f"defaults: [{{override /dataset: {name}}}, {{override /estimator: sgd_classifier}}]\n"
        for name in option_names("dataset")
    ]
    for dataset in ("make_classification", "make_regression"):
        found += [
            f"defaults: [{{override /dataset: {dataset}}}, {{override /estimator: {name}}}]\n"
            for name in option_names("estimator")
        ]
    found += [
        f"defaults: [{two}, {{override /preprocessing: [{name}]}}]\n"
        for name in option_names("preprocessing")
    ]
    found += [
        f"defaults: [{two}, {{override /callbacks: [{name}]}}]\n"
        for name in option_names("callbacks")
    ]
    found += [f"defaults: [{two}]\n{text}\n" for text in ODD]
    return [text + labels_for(text) for text in found]


def labels_for(text):
    """Return what a file must say besides, if its estimator is to be told its labels."""
    name = re.findall(r"override /estimator: (\w+)", text)[-1]
    target = re.search(
        r"^_target_: (\S+)", option_files("estimator")[name].read_text(), re.MULTILINE
    )[1]
    needs = "classes" in signature_of("_target_", target).partial_fit
    return "partial_fit: {classes: infer}\n" if needs and "partial_fit" not in text else ""


ODD = (
    "name: '${oc.env:HOSTILE_SECRET}'",
    "tracking: {tags: {team: '${oc.env:HOSTILE_SECRET,none}', a: '${name}-${seed}'}}",
    "tracking: {uri: 'http://ann:${oc.env:HOSTILE_SECRET}@127.0.0.1:9', when_away: local}",
    "partial_fit: {classes: &labels [0, 1]}\nsweep: {grid: {partial_fit.classes: [*labels]}}",
    "partial_fit: {classes: [!!str a, !!int 1]}",
    "hydra: {sweeper: {params: {seed: '1,2'}}}",
    "sweep: {grid: {estimator.alpha: [1e-4, 1e-3], seed: [1, 2]}}",
    "sweep: {runs: [{estimator: perceptron}, {estimator: sgd_classifier}]}",
    "preprocessing: {x: {_target_: sklearn.preprocessing.FunctionTransformer, func: numpy.log1p}}",
    "preprocessing: {x: {_target_: sklearn.pipeline.Pipeline, memory: null, "
    "steps: [[a, {_target_: sklearn.preprocessing.Binarizer}]]}}",
    "estimator: {_target_: sklearn.linear_model.SGDClassifier}",
    "# @package _global_\nseed: 3",
    "name: 'os.system'",
    "name: \"import os; os.system('x')\"",
    "tracking: {tags: {note: 'hydra.run.dir and _target_ are words'}}",
)


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_a_hundred_good_files_are_accepted_under_the_same_watch(servers, tmp_path, every):
    grounds = Grounds(tmp_path / "good")
    names = [path.stem for path in (ROOT / "experiments").glob("*.yaml")]
    for number, text in enumerate(good_files()):
        (grounds.project / f"good_{number}.yaml").write_text(text)
        names.append(f"good_{number}.yaml")
    assert len(names) >= 100
    chosen = names[::every]
    halves = [grounds.asked(["validate", *chosen[start::2]]) for start in range(2)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda asked: asked_of(servers, asked), halves))
    for answer in found:
        assert (answer["events"], answer["err"], answer["code"]) == ([], "", 0)
        assert VALUE not in answer["out"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "hydra/job_logging/plain.yaml",
            "version: 1\nhandlers: {f: {class: logging.FileHandler}}\n",
        ),
        ("hydra/launcher/shared_pass.yaml", "_target_: joblib.load\nfilename: x.pkl\n"),
        ("estimator/odd.yaml", "# @package hydra.callbacks\nx: {_target_: joblib.load}\n"),
        ("estimator/odd.yaml", "# @package _global_\nhydra: {job: {env_set: {A: b}}}\n"),
        ("estimator/odd.yaml", "defaults: [/hydra/launcher@hydra.launcher: basic]\n"),
        ("config.yaml", "seed: 3\n"),
    ],
)
def test_a_project_that_allows_no_code_reaches_nothing_of_hydras(project, capsys, file, text):
    path = project / "conf" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    chosen = ["estimator=odd"] if path.stem == "odd" else []
    assert main(["run", "quickstart", "tracking=none", *chosen]) == WRONG
    told = capsys.readouterr().err
    assert f"conf/{file}" in told
    assert "Traceback" not in told


def test_an_option_is_read_within_budgets_also_where_code_is_allowed(project, capsys, monkeypatch):
    monkeypatch.setenv("RUNNER_ALLOW", "json")
    (project / "conf" / "estimator").mkdir(parents=True)
    (project / "conf" / "estimator" / "odd.yaml").write_text(f"a: {'[' * 60}{']' * 60}\n")
    assert main(["validate", "quickstart", "estimator=odd"]) == WRONG
    assert "conf/estimator/odd.yaml:1:" in capsys.readouterr().err
