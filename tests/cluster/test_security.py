"""Who may answer: this machine, and what is allowed by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cluster.security import (
    TlsFiles,
    check_remote,
    is_allowed,
    is_loopback,
    require_allowed,
    split_address,
)
from runner.errors import ConfigError
from tests.cluster.certificates import write_certificates

NONE = TlsFiles(None, None, None)


@given(st.ip_addresses())
def test_an_address_is_of_this_machine_if_it_is_a_loopback(address):
    assert is_loopback(str(address)) == address.is_loopback


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1.example", "localhost.example", "127.1", "0x7f000001", "2130706433", "", "0"],
)
def test_no_name_server_and_no_odd_number_makes_a_host_this_machine(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "text", ["", "a", "a:b", "ftp://a:1", "tcp://a@b:1", "tcp://a:1\n", "a:1/x"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ConfigError, match=r"cluster.address must be an address with a port"):
        split_address("cluster.address", text)


def test_a_name_is_allowed_as_a_whole_by_the_project_or_the_shell(project, monkeypatch):
    assert not is_allowed("tcp://a:1")
    (project / "pyproject.toml").write_text('[tool.runner]\nallow = ["tcp://a:1"]\n')
    monkeypatch.setenv("RUNNER_ALLOW", "image:1, image:2")
    assert all(map(is_allowed, ["tcp://a:1", "image:1", "image:2"]))
    assert not any(map(is_allowed, ["tcp://a:12", "tcp://a", "image", "tls://a:1"]))
    with pytest.raises(ConfigError, match=r'add allow = \["image"\].*RUNNER_ALLOW=image in the'):
        require_allowed("cluster.image", "image", "be one of yours")


def test_tls_counts_only_with_an_authority_that_no_experiment_names():
    hosts = {"node-1": "tls://node-1:1"}
    check_remote("cluster.address", hosts, NONE, is_tls=True)
    with pytest.raises(ConfigError, match=r"the authority of Dask's own configuration"):
        check_remote("cluster.address", hosts, TlsFiles("ca.pem", None, None), is_tls=True)
    with pytest.raises(ConfigError, match=r"be on this machine, use TLS, or be allowed"):
        check_remote("cluster.address", hosts, NONE, is_tls=False)


def test_files_are_named_for_each_role_by_their_whole_paths(tmp_path, monkeypatch):
    named = write_certificates(tmp_path)
    monkeypatch.chdir(tmp_path)
    files = TlsFiles("ca.pem", "own.pem", "own.key")
    assert files.paths("client") == {
        "tls_ca_file": named["tls_ca_file"],
        "tls_client_cert": named["tls_cert"],
        "tls_client_key": named["tls_key"],
    }
    security = files.security("client", "worker")
    assert security.require_encryption
    assert security.tls_worker_key == named["tls_key"]
    assert security.tls_scheduler_key is None


def test_a_certificate_that_is_missing_is_told(tmp_path):
    named = write_certificates(tmp_path)
    with pytest.raises(ConfigError, match=r"cluster.tls_cert must name a file"):
        TlsFiles(named["tls_ca_file"], None, None).security("client")
