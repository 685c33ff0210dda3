"""A saved state is whole or not believed, and one is there whatever happens while it is saved."""

import errno
import json
import os
import signal
import stat
import struct
import subprocess
import sys
import threading
import tracemalloc
import warnings
import zlib
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.errors import CheckpointError, RunnerWarning
from runner.statefile import Loaded, exists, forget, load, previous, save

ROOT = Path(__file__).resolve().parents[1]
OLDER, OLD, NEW = ({"block": n} for n in (1, 2, 3))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
ANY_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def file(tmp_path):
    """Return where a state goes."""
    return tmp_path / "checkpoints" / "8f6a1f0c.state"


@pytest.fixture
def two(file):
    """Return a file with two generations of random payloads."""
    save(file, OLDER, noise(5000, seed=1))
    save(file, OLD, noise(5000, seed=2))
    return file


def noise(size, seed=0):
    return np.random.default_rng(seed).bytes(size)


def names(file):
    return sorted(path.name for path in file.parent.iterdir())


def both(file):
    return [path.name for path in (file, previous(file))]


def as_written(version=1, header=b"{}", payload=b"x"):
    """Return a file's bytes as another writer of the format would make them."""
    named = struct.pack(">8sI", b"\x93RUNNER\n", version)
    start = named + struct.pack(">IQQ", zlib.crc32(named), len(header), len(payload))
    return start + sha256(start + header + payload).digest() + header + payload


def put(path, content):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)


@ANY_FOLDER
@given(header=st.dictionaries(st.text(), JSON, max_size=4), payload=st.binary(max_size=300))
def test_any_header_and_payload_come_back_as_they_were(tmp_path, header, payload):
    file = tmp_path / "a.state"
    save(file, header, payload)
    assert load(file) == Loaded(header, payload)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (7,), (3, 5)])
def test_a_view_of_wider_items_comes_back_byte_by_byte(file, shape):
    array = np.full(shape, 2.5)
    save(file, {}, memoryview(array))
    assert load(file).payload == array.tobytes()


def test_values_that_are_no_finite_numbers_come_back_too(file):
    save(file, {"best": float("inf"), "last": float("nan")}, b"")
    header = load(file).header
    assert header["best"] == float("inf")
    assert header["last"] != header["last"]


def test_the_bytes_are_those_of_the_described_format(file):
    save(file, {"a": 1}, b"payload")
    assert file.read_bytes() == as_written(header=b'{"a": 1}', payload=b"payload")


def test_only_this_user_may_read_the_file_and_the_folder_that_is_made(file):
    before = os.umask(0)
    try:
        save(file, {}, b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_header_that_is_no_json_is_refused_before_anything_is_touched(file):
    with pytest.raises(TypeError):
        save(file, {"model": object()}, b"x")
    assert not file.parent.exists()


def test_two_saves_keep_two_generations(file):
    save(file, OLDER, b"1")
    assert names(file) == [file.name]
    save(file, OLD, b"2")
    save(file, NEW, b"3")
    assert names(file) == both(file)
    assert load(file) == Loaded(NEW, b"3")
    assert load(previous(file)) == Loaded(OLD, b"2")


def test_the_one_before_is_read_where_the_newest_is_absent(two):
    two.unlink()
    assert load(two).header == OLDER


def test_a_save_without_a_newest_keeps_the_one_before(two):
    two.unlink()
    save(two, NEW, b"3")
    assert load(two).header == NEW
    assert load(previous(two)).header == OLDER


@pytest.mark.parametrize("there", [["state"], ["prev"], ["state", "prev"]])
def test_either_generation_exists_until_both_are_forgotten(file, there):
    assert not exists(file)
    for kind in there:
        put(file if kind == "state" else previous(file), as_written())
    assert exists(file)
    forget(file)
    assert not exists(file)
    assert names(file) == []


def test_forgetting_what_is_not_there_is_quiet(file, tmp_path):
    forget(file)
    (tmp_path / "a file").touch()
    forget(tmp_path / "a file" / "a.state")
    assert not exists(tmp_path / "a file" / "a.state")


def test_forgetting_what_cannot_be_removed_is_told(file):
    file.mkdir(parents=True)
    with pytest.raises(CheckpointError, match=f"{file} must be removable; got Is a directory"):
        forget(file)


LEFT = ("0123456789abcdef.new", "fedcba9876543210.old")


@pytest.mark.parametrize(
    "act", [lambda file: save(file, NEW, b"3"), forget], ids=["save", "forget"]
)
def test_what_killed_saves_of_this_file_left_behind_is_removed_and_nothing_else(two, act):
    others = [f"other.state.{LEFT[0]}", f"{two.name}.new", f"{two.name}.{LEFT[0]}.kept", "notes"]
    for name in [*others, *(f"{two.name}.{left}" for left in LEFT)]:
        (two.parent / name).touch()
    act(two)
    assert names(two) == sorted([*others, *(both(two) if exists(two) else [])])


def truncated(content, rng):
    return content[: rng.integers(len(content))]


def flipped(content, rng):
    at = rng.integers(len(content))
    return content[:at] + bytes([content[at] ^ 1 << rng.integers(8)]) + content[at + 1 :]


def zeroed(content, rng):
    at = rng.integers(len(content))
    return (content[:at] + bytes(4096) + content[at + 4096 :])[: len(content)]


@pytest.mark.parametrize("damage", [truncated, flipped, zeroed])
def test_none_of_300_damaged_files_is_believed(two, damage):
    rng, content, believed = np.random.default_rng(len(damage.__name__)), two.read_bytes(), 0
    for _ in range(300):
        two.write_bytes(damage(content, rng))
        with pytest.warns(RunnerWarning, match=f"{two} is damaged: .* {two.name}.prev is read"):
            believed += load(two).header != OLDER
    assert believed == 0


def test_every_single_bit_counts(file):
    save(file, OLDER, b"1")
    save(file, OLD, b"2")
    content = file.read_bytes()
    for bit in range(8 * len(content)):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        file.write_bytes(changed)
        with pytest.warns(RunnerWarning, match="damaged"):
            assert load(file).header == OLDER


@ANY_FOLDER
@given(content=st.binary(max_size=200), after=st.binary(max_size=20))
def test_no_other_bytes_are_believed(tmp_path, content, after):
    file = tmp_path / "a.state"
    put(file, (as_written() if after else b"") + after + content)
    with pytest.raises(CheckpointError, match="must be whole; got"):
        load(file)


@pytest.mark.parametrize("lengths", [(2**64 - 1, 2**64 - 1), (2**40, 0), (0, 2**62), (2**32, 2)])
def test_damaged_lengths_make_nothing_be_allocated(file, lengths):
    content = as_written()
    put(file, content[:16] + struct.pack(">QQ", *lengths) + content[32:])
    tracemalloc.start()
    try:
        with pytest.raises(
            CheckpointError, match=r"damaged: it has 67 bytes, and should have \d+"
        ):
            load(file)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_lengths_that_only_move_the_border_of_header_and_payload_are_not_believed(file):
    content = as_written(header=b"{}", payload=b" x")
    put(file, content[:16] + struct.pack(">QQ", 3, 1) + content[32:])
    with pytest.raises(CheckpointError, match="its digest does not fit"):
        load(file)


@pytest.mark.parametrize("header", [b"[1]", b"1", b"", b"{", b"\xff", b"[" * 100_000])
def test_a_header_that_is_no_object_is_not_believed(file, header):
    put(file, as_written(header=header))
    with pytest.raises(CheckpointError, match="its header is no JSON object"):
        load(file)


def test_a_disk_that_cannot_read_a_file_counts_as_damage(two, monkeypatch):
    opened = os.open

    def broken(path, *arguments, **options):
        if path == two:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "open", broken)
    with pytest.warns(RunnerWarning, match="reading it ends in 'Input/output error'"):
        assert load(two).header == OLDER


def test_two_damaged_generations_are_an_error_that_names_both(two):
    two.write_bytes(two.read_bytes()[:100])
    previous(two).write_bytes(b"")
    with pytest.raises(CheckpointError) as told:
        load(two)
    assert str(told.value) == (
        f"The saved state {two} must be whole; got {two.name} (damaged: it has 100 bytes, and "
        f"should have 5076) and {two.name}.prev (damaged: it has 0 bytes, too few). "
        f"Start the run anew."
    )


def test_absence_is_told_apart_from_damage(file):
    said = rf"must be there; got {file.name} \(absent\) and {file.name}.prev \(absent\)"
    with pytest.raises(CheckpointError, match=said):
        load(file)
    put(file, b"")
    said = rf"must be whole; got {file.name} \(damaged: .*\) and {file.name}.prev \(absent\)"
    with pytest.raises(CheckpointError, match=said):
        load(file)


def linked(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def piped(path):
    path.unlink()
    os.mkfifo(path)


def made_a_folder(path):
    path.unlink()
    path.mkdir()


def given_away(path):
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to another user")
    os.chown(path, 12345, -1)


REFUSED = {
    "a symbolic link": (linked, "be a plain file that can be read; got a symbolic link"),
    "a pipe": (piped, "be a plain file that can be read; got the mode prw"),
    "a folder": (made_a_folder, "be a plain file that can be read; got the mode drwx"),
    "of another user": (given_away, "belong to the user 0; got the user 12345"),
    "writable by its group": (
        lambda path: path.chmod(0o620),
        "be writable by its owner alone; got the mode -rw--w----",
    ),
    "writable by all": (
        lambda path: path.chmod(0o602),
        "be writable by its owner alone; got the mode -rw-----w-",
    ),
    "of another format": (
        lambda path: path.write_bytes(as_written(version=2)),
        "be of the format version 1; got version 2",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_refused_is_not_replaced_by_the_one_before(two, name):
    make, said = REFUSED[name]
    make(two)
    with pytest.raises(CheckpointError, match=f"^The saved state {two} must {said}"):
        load(two)


@pytest.mark.parametrize("name", REFUSED)
def test_the_one_before_is_refused_for_the_same_reasons(two, name):
    make, said = REFUSED[name]
    make(previous(two))
    two.write_bytes(b"")
    place = rf"In place of {two.name} \(damaged: it has 0 bytes, too few\)"
    with pytest.raises(CheckpointError, match=f"^{place}, the saved state {two}.prev must {said}"):
        load(two)


def test_a_file_of_another_user_is_refused_whoever_reads_it(two, monkeypatch):
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(CheckpointError, match=f"user {owner + 1}; got the user {owner}"):
        load(two)


def test_a_file_that_may_not_be_opened_is_refused(two, monkeypatch):
    def forbidden(*arguments, **options):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(CheckpointError, match="can be read; got Permission denied"):
        load(two)


def test_a_dangling_link_exists_and_is_refused(file):
    file.parent.mkdir()
    file.symlink_to("nowhere")
    assert exists(file)
    with pytest.raises(CheckpointError, match="a symbolic link"):
        load(file)


def test_a_save_writes_beside_a_link_and_not_through_it(file, tmp_path):
    file.parent.mkdir()
    (tmp_path / "precious").write_text("as it was")
    file.symlink_to(tmp_path / "precious")
    save(file, NEW, b"3")
    assert (tmp_path / "precious").read_text() == "as it was"
    assert load(file).header == NEW


CALLS = ("mkdir", "open", "write", "fsync", "close", "link", "rename", "replace", "unlink")
NO_LINKS = errno.EPERM  # what Linux says of a file system that has no hard links


class Fault:
    """Let the n-th call that a save makes of the system fail, and keep the calls' names."""

    def __init__(self, monkeypatch, at=0, always=None):
        self.calls, self._at, self._always = [], at, always or {}
        for name in CALLS:
            monkeypatch.setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name, call):
        def wrapped(*arguments, **options):
            self.calls.append(name)
            code = self._always.get(name, errno.EIO if len(self.calls) == self._at else 0)
            if code and name == "close":
                call(*arguments, **options)
            if code:
                raise OSError(code, os.strerror(code))
            return call(*arguments, **options)

        return wrapped


def generations(file):
    return [path.read_bytes() for path in (file, previous(file)) if path.exists()]


def restored(file, contents):
    for path, content in zip((file, previous(file)), contents, strict=True):
        put(path, content)


def fails(file):
    try:
        save(file, NEW, b"3")
    except CheckpointError:
        return True
    return False


@pytest.mark.parametrize("always", [{}, {"link": NO_LINKS}], ids=["links", "no links"])
def test_a_save_that_fails_at_any_call_leaves_the_newest_as_it_was(two, monkeypatch, always):
    before, n_failed = generations(two), 0
    for at in range(1, 100):
        restored(two, before)
        with monkeypatch.context() as patched:
            fault = Fault(patched, at, always)
            failed = fails(two)
        if len(fault.calls) < at:
            break
        n_failed += failed
        n_renamed = fault.calls[: at - 1].count("replace")
        if failed and n_renamed < 2 + bool(always):  # without links the one before may be gone
            assert generations(two) == (before[:1] if always and n_renamed else before)
        else:  # only the folder's flush was left
            assert (load(two).header, load(previous(two)).header) == (NEW, OLD)
        assert names(two) in (both(two), [two.name])
    assert n_failed >= 9


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.ENOSPC, "Free space in {}."),
        (errno.EDQUOT, "Free space in {}."),
        (errno.EROFS, "Make {} a folder that can be written in."),
    ],
)
def test_a_failed_save_says_what_to_do(two, monkeypatch, code, remedy):
    Fault(monkeypatch, always={"write": code})
    with pytest.raises(CheckpointError) as told:
        save(two, NEW, b"3")
    assert str(told.value) == (
        f"The saved state {two} must be written whole; got {os.strerror(code)}. "
        f"{remedy.format(two.parent)}"
    )


def test_the_file_is_flushed_before_it_gets_its_name_and_the_folder_after(two, monkeypatch):
    fsync, seen = os.fsync, []

    def noted(descriptor):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        seen.append(("folder" if is_folder else "file", load(two).header))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    save(two, NEW, b"3")
    assert seen == [("file", OLD), ("folder", NEW)]


@pytest.mark.parametrize("there", [True, False])
def test_a_state_that_need_not_be_durable_is_whole_and_waits_for_no_disk(
    tmp_path, monkeypatch, there
):
    file, payload = tmp_path / "folder" / "a.state", noise(3000)
    if there:
        save(file, OLD, b"2")
    fault = Fault(monkeypatch)
    save(file, NEW, payload, is_durable=False)
    assert "fsync" not in fault.calls
    assert load(file) == Loaded(NEW, payload)
    assert names(file) == (both(file) if there else [file.name])
    if there:
        assert load(previous(file)) == Loaded(OLD, b"2")
    save(file, NEW, b"3")
    assert fault.calls.count("fsync") == 2


def test_a_write_that_stops_half_way_is_gone_on_with(two, monkeypatch):
    write, payload = os.write, noise(3000)
    monkeypatch.setattr(os, "write", lambda to, content: write(to, content[:100]))
    save(two, NEW, payload)
    assert load(two) == Loaded(NEW, payload)


def test_a_folder_that_cannot_be_flushed_at_all_is_no_failure(two, monkeypatch):
    fsync = os.fsync

    def without_folders(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", without_folders)
    save(two, NEW, b"3")
    assert load(two).header == NEW


def test_an_interrupt_removes_the_temporary_file_and_goes_through(two, monkeypatch):
    def interrupted(descriptor):
        raise KeyboardInterrupt

    before = generations(two)
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save(two, NEW, b"3")
    assert generations(two) == before
    assert names(two) == both(two)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "a file").touch()
    for file in (tmp_path / "a file" / "a.state", tmp_path / "a file" / "deep" / "a.state"):
        with pytest.raises(
            CheckpointError, match=f"{file} must be written whole.*Make {file.parent}"
        ):
            save(file, NEW, b"3")
        with pytest.raises(CheckpointError, match="must be there"):
            load(file)


REFUSING = """
import json, resource, subprocess, sys
from pathlib import Path
from runner.errors import CheckpointError
from runner.statefile import load, previous, save

folder, how = Path(sys.argv[1]), sys.argv[2]
file = folder / "a.state"
save(file, {"block": 1}, b"1" * 1000)
save(file, {"block": 2}, b"2" * 1000)
if how == "read-only":
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
if how == "limited":
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
said = ""
try:
    save(file, {"block": 3}, b"3" * 1_000_000)
except CheckpointError as error:
    said = str(error)
kept = [load(file).header["block"], load(previous(file)).header["block"]]
print(json.dumps([said, kept, sorted(path.name for path in folder.iterdir())]))
"""
MOUNTED = 'mount -t tmpfs -o size=256k,mode=700 none "$1" && exec "$2" -c "$3" "$1" "$4"'


def python(script, *arguments, before=()):
    return subprocess.run(
        [*before, *((sys.executable, "-c", script) if not before else ()), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def on_a_disk_of_its_own(folder, how):
    """Run the script on a file system of 256 KiB that only its process sees."""
    unshared = ("unshare", "-rm", "sh", "-c")
    trial = python("", 'mount -t tmpfs none "$1"', "sh", folder, before=unshared)
    if trial.returncode:
        pytest.skip(f"this system lets a test mount nothing: {trial.stderr.strip()}")
    return python("", MOUNTED, "sh", folder, sys.executable, REFUSING, how, before=unshared)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("full", "No space left on device. Free space in {}."),
        ("read-only", "Read-only file system. Make {} a folder that can be written in."),
        ("limited", "File too large. Raise the limit of a file's size"),
    ],
)
def test_a_disk_that_refuses_leaves_both_generations_and_no_rest(tmp_path, how, said):
    ran = (
        python(REFUSING, tmp_path / "checkpoints", how)
        if how == "limited"
        else on_a_disk_of_its_own(tmp_path, how)
    )
    assert ran.stderr == ""
    told, kept, left = json.loads(ran.stdout)
    assert "a.state must be written whole; got " + said.format(tmp_path) in told
    assert (kept, left) == ([2, 1], ["a.state", "a.state.prev"])


KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from runner.statefile import save

base, cases, names, links = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].split(), sys.argv[4]

def hook(at, moment):
    n_calls = 0

    def killing(name, call):
        def called(*arguments, **options):
            nonlocal n_calls
            n_calls += 1
            if n_calls == at and moment == "within" and name == "write":
                call(arguments[0], arguments[1][: len(arguments[1]) // 2])
            if n_calls == at and moment != "after":
                os.kill(os.getpid(), signal.SIGKILL)
            if name == "link" and links == "no links":
                raise PermissionError(1, "Operation not permitted")
            answer = call(*arguments, **options)
            if n_calls == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        return called

    for name in names:
        setattr(os, name, killing(name, getattr(os, name)))

for moment in ("before", "within", "after"):
    at, status = 0, 1
    while status:
        at += 1
        case = cases / f"{moment} {at}"
        shutil.copytree(base, case)
        child = os.fork()
        if child == 0:
            hook(at, moment)
            code = 1
            try:
                save(case / "a.state", {"block": 3}, b"3" * 5000)
                code = 0
            finally:
                os._exit(code)
        status = os.waitpid(child, 0)[1]
        print(status)
"""


@pytest.mark.parametrize("links", ["links", "no links"])
@pytest.mark.parametrize("n_before", [0, 1, 2])
def test_a_kill_inside_any_call_of_a_save_leaves_the_old_or_the_new_state(
    tmp_path, n_before, links
):
    file = tmp_path / "base" / "a.state"
    file.parent.mkdir()
    for header in (OLDER, OLD)[:n_before]:
        save(file, header, b"0" * 5000)
    newest = [None, OLDER, OLD][n_before]
    whole_all_the_while = {0: 0, 1: 1, 2: 2 if links == "links" else 1}[n_before]
    for case in cases_of_kills(tmp_path, links):
        left = states(case)
        assert len(left) >= whole_all_the_while, case.name
        if left:
            assert left[0] in (newest, NEW), case.name
            assert load(case).header == left[0]
        else:
            assert newest is None
            with pytest.raises(CheckpointError, match="must be there"):
                load(case)
        save(case, {"block": 4}, b"4")
        assert states(case)[:1] == [{"block": 4}]
        assert states(case)[1:] == left[:1]
        assert names(case) == (both(case) if left else [case.name])


def test_a_kill_while_a_damaged_state_is_replaced_leaves_the_one_before_it(tmp_path):
    file = tmp_path / "base" / "a.state"
    for header in (OLDER, OLD):
        save(file, header, b"0" * 5000)
    file.write_bytes(file.read_bytes()[:-1])
    for case in cases_of_kills(tmp_path, "links"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RunnerWarning)
            assert load(case).header in (OLDER, NEW), case.name


def cases_of_kills(folder, links):
    """Return a file for each instant at which a save of it was killed."""
    cases = folder / "cases"
    cases.mkdir()
    ran = python(KILLED, folder / "base", cases, " ".join(CALLS), links)
    assert ran.stderr == ""
    statuses = [int(line) for line in ran.stdout.split()]
    assert set(statuses) == {0, signal.SIGKILL}
    assert statuses.count(0) == 3
    assert len(statuses) >= 3 * 10
    return [case / "a.state" for case in cases.iterdir()]


def states(file):
    """Return the headers of the generations that are there, each of which must be whole."""
    there = [path for path in (file, previous(file)) if path.exists()]
    return [load(path).header for path in there]


def test_whoever_reads_while_another_saves_gets_a_whole_state(two):
    stop, seen = threading.Event(), []

    def keep_reading():
        while not stop.is_set():
            saved = load(two)
            seen.append(saved.payload == noise(5000, seed=saved.header["block"]))

    reader = threading.Thread(target=keep_reading)
    reader.start()
    for block in range(3, 60):
        save(two, {"block": block}, noise(5000, seed=block))
    stop.set()
    reader.join()
    assert len(seen) > 10
    assert all(seen)
