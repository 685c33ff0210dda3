"""Commands that are watched while they run: what they may not do is forbidden, and told.

``python tests/config/hostile/watched.py`` is a server: it installs an audit hook, imports what a
check needs, and forks a child for each command that it is asked for. A child has limits of time
and memory, and answers with its exit code, its texts, what it cost and what was forbidden.
"""

import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[3])
CODE = (
    *(os.path.realpath(path) for path in (sys.prefix, sys.base_prefix, sys.exec_prefix)),
    f"{ROOT}/runner",
)
FORBIDDEN = {
    *("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn"),
    *("os.kill", "os.killpg", "os.chmod", "os.chown", "os.link", "os.symlink", "os.truncate"),
    *("os.startfile", "os.setxattr", "os.utime", "subprocess.Popen", "signal.pthread_kill"),
    *("sqlite3.connect", "sqlite3.load_extension", "webbrowser.open"),
    *("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"),
    *("socket.gethostbyname", "socket.gethostbyaddr", "urllib.Request", "http.client.connect"),
    *("ftplib.connect", "smtplib.connect", "telnetlib.Telnet.open", "mmap.__new__.anonymous"),
    *("shutil.chown", "shutil.make_archive", "shutil.unpack_archive", "gc.get_objects"),
}
CHANGES = {  # which of its arguments are paths that it changes
    **dict.fromkeys(("os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree"), (0,)),
    **dict.fromkeys(("os.rename", "shutil.move"), (0, 1)),
    **dict.fromkeys(("shutil.copyfile", "shutil.copymode", "shutil.copystat"), (1,)),
    **dict.fromkeys(("shutil.copytree",), (1,)),
}
NETWORK = tuple(name for name in FORBIDDEN if name.startswith("socket."))
VARIABLES = {  # set by the runner, and by libraries while they are imported
    *("HYDRA_FULL_ERROR", "RUNNER_EXPERIMENTS", "OPENBLAS_MAIN_FREE", "GOTOBLAS_MAIN_FREE"),
    *("KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"),
}
NOT_IMPORTED = {
    *("evil", "antigravity", "this", "turtle", "idlelib", "test", "pip"),
    *("distributed", "mlflow", "skops", "sqlalchemy", "pdb", "pty", "smtplib", "ftplib"),
}
GENERATED = (  # they make classes by code of their own
    *("/dataclasses.py", "/collections/__init__.py", "/typing.py"),
    "/pydantic/_internal/_typing_extra.py",
)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
ASKED = "what is asked"
CPU_S, ADDRESS_BYTES, PATIENCE_S = 20, 4 * 2**30, 30


class DeniedError(Exception):
    """Raised in place of what is forbidden."""


class Watch:
    """An audit hook that keeps and refuses what is forbidden, from when it is armed."""

    def __init__(self):
        self.seen = []
        self.is_armed = self._is_busy = False
        self.writable = ()
        self.foreign = ()
        self.only = None
        sys.addaudithook(self._hear)

    def arm(self, writable, foreign, only=None):
        """Begin; ``only`` are the events that count, all if None."""
        self.writable = tuple(os.path.realpath(path) for path in writable)
        self.foreign = tuple(os.path.realpath(path) for path in foreign)
        self.only, self.is_armed = only, True

    def _hear(self, event, arguments):
        if not self.is_armed or self._is_busy:
            return
        if self.only is not None and event not in self.only:
            return
        self._is_busy = True
        try:
            told = self._wrong(event, arguments)
        finally:
            self._is_busy = False
        if told:
            self.seen.append(f"{event}: {told[:200]}")
            raise DeniedError(f"{event}: {told}")

    def _wrong(self, event, arguments):
        if event in FORBIDDEN:
            return "" if _is_loopback(event, arguments) and self.only else repr(arguments)
        if event in CHANGES:
            paths = [arguments[index] for index in CHANGES[event]]
            return "".join(str(path) for path in paths if not self._may_write(path))
        judge = {
            "open": self._opened,
            "exec": _executed,
            "pickle.find_class": _unpickled,
            "import": _imported,
            "ctypes.dlopen": _loaded,
            "os.putenv": _set,
            "os.unsetenv": _set,
        }.get(event)
        return judge(*arguments) if judge else ""

    def _opened(self, path, mode, flags):
        if isinstance(path, int):
            return ""
        real = os.path.realpath(os.fsdecode(path))
        if _is_inside(real, self.foreign):
            return f"read {real}"
        writes = isinstance(flags, int) and flags & WRITES
        writes = writes or (isinstance(mode, str) and set(mode) & set("wax+"))
        return f"write {real}" if writes and not self._may_write(path) else ""

    def _may_write(self, path):
        if isinstance(path, int):
            return True
        real = os.path.realpath(os.fsdecode(path))
        return real == os.devnull or "__pycache__" in real or _is_inside(real, self.writable)


def _is_loopback(event, arguments):
    if event not in ("socket.connect", "socket.bind", "socket.getaddrinfo"):
        return False
    address = arguments[0] if event == "socket.getaddrinfo" else arguments[-1]
    host = address[0] if isinstance(address, tuple) else address
    is_of_unix = event != "socket.getaddrinfo" and isinstance(address, str | bytes)
    return is_of_unix or str(host) in ("127.0.0.1", "::1", "localhost")


def _is_inside(real, folders):
    return any(real == folder or real.startswith(f"{folder}/") for folder in folders)


def _executed(code):
    name = getattr(code, "co_filename", repr(code))
    if name == ASKED or name.startswith("<frozen") or _is_inside(os.path.realpath(name), CODE):
        return ""
    caller = next(_frames()).f_code.co_filename
    writes_code = caller.endswith(GENERATED) and _is_inside(os.path.realpath(caller), CODE)
    return "" if writes_code or _is_importing() else f"{name} by {caller}"


def _unpickled(module, name):
    return "" if _is_importing() else f"{module}.{name}"


def _frames():
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename != __file__:
            yield frame
        frame = frame.f_back


def _is_importing():
    """Say whether an installed module is being imported: some generate code, or pickle, then."""
    return any(
        frame.f_code.co_name == "<module>"
        and _is_inside(os.path.realpath(frame.f_code.co_filename), CODE)
        for frame in _frames()
    )


def _imported(module, *_):
    return module if module.partition(".")[0] in NOT_IMPORTED else ""


def _loaded(name):
    if name is None or _is_inside(os.path.realpath(os.fsdecode(name)), CODE):
        return ""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    known = {line.split()[-1] for line in maps if "/" in line}
    real = os.path.realpath(os.fsdecode(name))
    is_there = any(path == real or Path(path).name == os.fsdecode(name) for path in known)
    return "" if is_there else os.fsdecode(name)


def _set(name, *_):
    name = os.fsdecode(name)
    return "" if name in VARIABLES else name


def _peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _texts():
    files = [os.memfd_create(name) for name in ("out", "err")]
    for number, file in enumerate(files, 1):
        os.dup2(file, number)
    return files


def _read(file):
    size = os.fstat(file).st_size
    return os.pread(file, size, 0).decode("utf-8", "replace")


def run(watch, asked, answers):
    """Run one command in this process, and write what is to be told of it."""
    files = _texts()
    os.chdir(asked["cwd"])
    os.environ.update(asked["env"])
    watch_only = frozenset(NETWORK) if asked["only_network"] else None
    if watch_only is None:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 2))
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    work = main_of(asked)
    before, began = _peak_mb(), time.process_time()
    watch.arm(asked["writable"], asked["foreign"], watch_only)
    try:
        code = work()
    except SystemExit as error:
        code = error.code
    except BaseException as error:  # noqa: BLE001  (it is to be told, whatever it is)
        code = f"{type(error).__name__}: {error}"
    took, grown = time.process_time() - began, _peak_mb() - before
    watch.is_armed = False
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    told = {
        "code": code,
        "out": _read(files[0]),
        "err": _read(files[1]),
        "events": watch.seen,
        "cpu_s": took,
        "grown_mb": grown,
    }
    with os.fdopen(answers, "w") as file:
        file.write(json.dumps(told))


def main_of(asked):
    """Return what a command does: that of the runner, or some Python to show that it is seen."""
    if "python" in asked:
        code = compile(asked["python"], __file__, "exec").replace(co_filename=ASKED)
        return lambda: exec(code, {})  # noqa: S102
    from runner.cli import main

    return lambda: main(asked["words"])


def answer(watch, asked):
    """Fork a child for a command, and return its answer."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            run(watch, asked, writing)
        finally:
            os._exit(0)
    os.close(writing)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(PATIENCE_S)
    with os.fdopen(reading) as file:
        text = file.read()
    _, status = os.waitpid(child, 0)
    signal.alarm(0)
    return json.loads(text) if text else {"code": f"killed, status {status}", "events": []}


def serve(modules):
    """Answer the commands that stand in the lines of the input, one after another."""
    watch = Watch()
    for name in modules:
        importlib.import_module(name)
    for name in os.environ.get("EXAMINED", "").split():
        from runner.config.checking.examination import examined

        examined(name)
    for line in sys.stdin:
        sys.stdout.write(f"{json.dumps(answer(watch, json.loads(line)))}\n")
        sys.stdout.flush()


class Server:
    """A server of watched commands.

    Parameters
    ----------
    modules : sequence of str
        What it imports before it begins.
    """

    def __init__(self, modules):
        command = [sys.executable, "-I", __file__, *modules]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, asked):
        """Return what a command did."""
        self._process.stdin.write(f"{json.dumps(asked)}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self):
        """End the server."""
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


if __name__ == "__main__":
    sys.path.insert(0, ROOT)
    serve(sys.argv[1:])
