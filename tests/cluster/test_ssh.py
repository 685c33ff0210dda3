"""A scheduler and a worker that a real SSH server starts, on this machine."""

import asyncio
import getpass
import threading

import asyncssh
import psutil
import pytest

from runner.cluster.client import wait_for_a_worker
from runner.cluster.heard import listening
from runner.cluster.ssh import SSHCluster
from runner.errors import ClusterError, ConfigError
from tests.cluster.certificates import write_certificates

HOSTS = ["127.0.0.1", "127.0.0.1"]


class Server:
    """An SSH server that runs each command it is sent, until the connection is closed."""

    def __init__(self, key, authorized):
        self.commands, self._n_running = [], 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        options = {
            "server_host_keys": [key],
            "authorized_client_keys": str(authorized),
            "process_factory": self._run,
        }
        self._acceptor = self._do(asyncssh.listen("127.0.0.1", 0, **options))
        self.port = self._acceptor.get_port()

    def close(self):
        self._acceptor.close()
        self._do(self._acceptor.wait_closed())
        self._do(asyncio.wait_for(self._none_runs(), 10))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, awaitable):
        async def wait():
            return await awaitable

        return asyncio.run_coroutine_threadsafe(wait(), self._loop).result(20)

    async def _none_runs(self):
        while self._n_running:
            await asyncio.sleep(0.01)

    async def _run(self, process):
        self.commands.append(process.command)
        self._n_running += 1
        pipe = asyncio.subprocess.PIPE
        local = await asyncio.create_subprocess_shell(
            f"exec {process.command}", stdin=pipe, stdout=pipe, stderr=pipe
        )
        await process.redirect(stdin=local.stdin, stdout=local.stdout, stderr=local.stderr)
        over = [asyncio.ensure_future(each) for each in (local.wait(), process.wait_closed())]
        try:
            await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
            if local.returncode is None:
                local.kill()
            process.exit(await over[0])
        except (OSError, asyncssh.Error):
            pass  # there is nobody to tell it
        finally:
            local._transport.close()
            self._n_running -= 1


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Run a server that the home folder of a user knows, and who is known to it."""
    own, theirs = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    folder = tmp_path / "home" / ".ssh"
    folder.mkdir(parents=True)
    own.write_private_key(folder / "id_ed25519")
    own.write_public_key(folder / "authorized")
    server = Server(theirs, folder / "authorized")
    public = theirs.export_public_key().decode()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {public}")
    (folder / "config").write_text(f"Host *\n  Port {server.port}\n  User {getpass.getuser()}\n")
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    yield server
    server.close()


def children():
    return set(psutil.Process().children(recursive=True))


@pytest.mark.parametrize("scheme", ["tcp", "tls"])
def test_a_real_server_starts_scheduler_and_worker_and_nothing_of_them_is_left(
    scheme, server, tmp_path, capfd
):
    before = children()
    files = write_certificates(tmp_path) if scheme == "tls" else {}
    cluster = SSHCluster(hosts=HOSTS, memory_limit="1GiB", **files)
    with listening() as heard, cluster.connected(heard) as client:
        wait_for_a_worker(client, 30, heard)
        assert client.scheduler.address.startswith(f"{scheme}://127.0.0.1:")
        assert list(client.nthreads().values()) == [1]
        assert client.submit(pow, 2, 10).result() == 1024
        listening_on = {
            connection.laddr.ip
            for process in children()
            for connection in process.net_connections(kind="inet")
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening_on == {"127.0.0.1"}
    assert len([text for text in server.commands if "dask_spec" in text]) == 2
    _, alive = psutil.wait_procs(children() - before, timeout=10)
    assert alive == []
    assert capfd.readouterr() == ("", "")


def test_a_host_that_is_not_known_is_not_trusted(server, tmp_path):
    (tmp_path / "home" / ".ssh" / "known_hosts").unlink()
    with (
        listening() as heard,
        pytest.raises(ClusterError, match=r"Host key is not trusted"),
        SSHCluster(hosts=HOSTS).connected(heard),
    ):
        pass
    assert server.commands == []


@pytest.mark.parametrize(
    "host",
    ["a;b", "-oProxyCommand=touch", "a b", "a'b", "$(touch)", "a\nb", "[::1]", "", "a/b", "me@a"],
)
def test_what_a_shell_would_read_is_no_host(host):
    with pytest.raises(ConfigError, match=r"cluster.hosts"):
        SSHCluster(hosts=[*HOSTS, host])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("local_directory", "/a'; touch owned; '"),
        ("memory_limit", "1GiB'"),
        ("interface", "lo'"),
        ("remote_python", "/bin/sh -c"),
        ("remote_python", "/bin/sh"),
    ],
)
def test_what_goes_into_the_command_is_plain_and_another_python_is_allowed_by_name(key, value):
    with pytest.raises(ConfigError, match=f"cluster.{key} must"):
        SSHCluster(hosts=HOSTS, **{key: value})


def test_another_machine_takes_tls_or_its_name(monkeypatch, tmp_path):
    with pytest.raises(ConfigError, match=r'use TLS.* add allow = \["tcp://node-1"\]'):
        SSHCluster(hosts=["127.0.0.1", "node-1"])
    with pytest.raises(ConfigError, match=r'Dask.s own .* add allow = \["tls://node-1"\]'):
        SSHCluster(hosts=["node-1", "127.0.0.1"], tls_ca_file=str(tmp_path / "ca.pem"))
    monkeypatch.setenv("RUNNER_ALLOW", "tcp://node-1,/opt/python")
    SSHCluster(hosts=["127.0.0.1", "node-1"], remote_python="/opt/python")
