"""A scheduler that runs already: who may answer, and what is said when nobody does."""

import socket
import time

import dask.config
import pytest

from runner.cluster import client as client_module
from runner.cluster.address import AddressCluster
from runner.cluster.heard import listening
from runner.errors import ClusterError, ConfigError
from tests.cluster.certificates import of_all_roles, write_certificates


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """Run a scheduler of Dask's own, with a worker in a thread, that wants TLS."""
    from distributed import LocalCluster, Security

    files = write_certificates(tmp_path_factory.mktemp("certificates"))
    with (
        listening(),
        LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            host="127.0.0.1",
            protocol="tls://",
            dashboard_address=None,
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            security=Security(**of_all_roles(files)),
        ) as cluster,
    ):
        yield cluster.scheduler_address, files


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(client_module, "ANSWER_S", 1.0)


def compute(cluster):
    with listening() as heard, cluster.connected(heard) as client:
        return client.submit(pow, 2, 10).result()


def test_a_scheduler_is_reached_by_tls_and_is_left_running(scheduler):
    address, files = scheduler
    assert compute(AddressCluster(address=address, **files)) == 1024
    assert compute(AddressCluster(address=address, **files)) == 1024


def test_the_files_may_be_those_of_dasks_own_configuration(scheduler):
    address, files = scheduler
    own = {
        "distributed.comm.tls.ca-file": files["tls_ca_file"],
        "distributed.comm.tls.client.cert": files["tls_cert"],
        "distributed.comm.tls.client.key": files["tls_key"],
    }
    with dask.config.set(own):
        assert compute(AddressCluster(address=address)) == 1024
    with pytest.raises(ConfigError, match=r"cluster.tls_ca_file must name a file"):
        compute(AddressCluster(address=address))


def test_another_authority_is_not_believed(scheduler, tmp_path, hurried, capfd):
    with pytest.raises(ClusterError, match=r"certificate"):
        compute(AddressCluster(address=scheduler[0], **write_certificates(tmp_path)))
    assert capfd.readouterr() == ("", "")


def test_a_scheduler_that_wants_tls_is_not_reached_without(scheduler, hurried):
    address = scheduler[0].replace("tls://", "tcp://")
    with pytest.raises(ClusterError, match=r"The scheduler at .* must answer within 1 seconds"):
        compute(AddressCluster(address=address))


@pytest.mark.parametrize("listens", [False, True])
def test_nobody_who_answers_is_told(listens, hurried):
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        if listens:
            unheard.listen()
        began = time.monotonic()
        with pytest.raises(ClusterError, match=r"Check the address"):
            compute(AddressCluster(address=f"tcp://127.0.0.1:{unheard.getsockname()[1]}"))
    assert time.monotonic() - began < 30


def test_an_answer_is_waited_for_less_than_ten_seconds():
    assert client_module.ANSWER_S < 10


REMOTE = [
    "10.0.0.5",
    "scheduler",
    "127.0.0.1.example",
    "localhost.example",
    "0.0.0.0",  # noqa: S104
    "0",
    "127.1",
]


@pytest.mark.parametrize("host", REMOTE)
@pytest.mark.parametrize("scheme", ["tcp", "tls"])
def test_another_machine_is_refused_unless_it_is_allowed_by_name(scheme, host, monkeypatch):
    address = f"{scheme}://{host}:8786"
    files = {} if scheme == "tcp" else {"tls_ca_file": "ca.pem", "tls_cert": "own.pem"}
    with pytest.raises(ConfigError, match=r"cluster.address must .* or be allowed by name"):
        AddressCluster(address=address, **files)
    monkeypatch.setenv("RUNNER_ALLOW", f"{scheme}://{host}:8787,{scheme}://{host}")
    with pytest.raises(ConfigError, match=r"allowed by name"):
        AddressCluster(address=address, **files)
    monkeypatch.setenv("RUNNER_ALLOW", address)
    assert AddressCluster(address=address, **files).address == address


def test_a_project_allows_an_address_in_its_own_file(project):
    (project / "pyproject.toml").write_text('[tool.runner]\nallow = ["tcp://node-1:8786"]\n')
    AddressCluster(address="tcp://node-1:8786")
    with pytest.raises(ConfigError, match=r"allowed by name"):
        AddressCluster(address="tcp://node-2:8786")


def test_another_machine_is_reached_by_tls_with_the_authority_of_dasks_own_configuration():
    assert AddressCluster(address="tls://node-1:8786").tls_ca_file is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_this_machine_needs_no_permission(host):
    assert AddressCluster(address=f"tcp://{host}:8786")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"address": "127.0.0.1:8786"}, "begin with tcp:// or tls://"),
        ({"address": "tcp://127.0.0.1@node-1:8786"}, "be an address with a port"),
        ({"address": "inproc://10.0.0.5/1/2"}, "be an address with a port"),
        ({"address": "tcp://127.0.0.1:8786", "tls_cert": "a.pem"}, "begin with tls://"),
    ],
)
def test_what_is_no_address_is_refused(settings, told):
    with pytest.raises(ConfigError, match=told):
        AddressCluster(**settings)


@pytest.mark.parametrize("path", ["nowhere.pem", "-----BEGIN CERTIFICATE-----\nMII"])
def test_a_certificate_is_a_file_and_never_text(path):
    with pytest.raises(ConfigError, match=r"cluster.tls_ca_file must name a file that exists"):
        compute(AddressCluster(address="tls://127.0.0.1:8786", tls_ca_file=path))
