"""A Dask scheduler that runs already."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from runner.cluster.client import client_of
from runner.cluster.cluster import DaskCluster
from runner.cluster.heard import Heard
from runner.cluster.security import TLS, TlsFiles, check_remote, split_address
from runner.errors import ConfigError
from runner.rules import MOST_PATH, null, text

if TYPE_CHECKING:
    from distributed import Client

PATH = text(MOST_PATH) | null()


@dataclass(kw_only=True)
class AddressCluster(DaskCluster):
    """A scheduler and workers that somebody else started; they are left running.

    Parameters
    ----------
    address : str
        Of the scheduler: ``tcp://127.0.0.1:8786``, ``tls://HOST:8786``. On another machine it
        takes TLS, or the project's or the shell's word that the address is trusted.
    tls_ca_file, tls_cert, tls_key : str or None
        PEM files: the authority that signed the scheduler's certificate, and the certificate and
        the key of this process; None for those of Dask's own configuration.
    """

    address: Annotated[str, text(300)]
    tls_ca_file: Annotated[str | None, PATH] = None
    tls_cert: Annotated[str | None, PATH] = None
    tls_key: Annotated[str | None, PATH] = None

    def __post_init__(self) -> None:
        """Refuse an address that is none, or where anybody may answer."""
        super().__post_init__()
        protocol, host = split_address("cluster.address", self.address)
        if not protocol or (protocol != TLS and self._files.named):
            rule = "begin with tls:// where TLS files are named"
            raise ConfigError(
                "cluster.address",
                rule if protocol else "begin with tcp:// or tls://",
                got=self.address,
                remedy="Correct it, or leave the files out." if protocol else "Correct it.",
            )
        is_tls = protocol == TLS
        check_remote("cluster.address", {host: self.address}, self._files, is_tls=is_tls)

    @property
    def called(self) -> str:
        """The address."""
        return self.address

    @property
    def _files(self) -> TlsFiles:
        return TlsFiles(self.tls_ca_file, self.tls_cert, self.tls_key)

    @contextmanager
    def connected(self, heard: Heard) -> "Iterator[Client]":
        """Yield a client of the scheduler.

        Raises
        ------
        ConfigError
            If a file of TLS is missing.
        ClusterError
            If the scheduler does not answer.
        """
        from distributed import Security

        is_tls = self.address.startswith(f"{TLS}://")
        # Security by TCP is said too, or Dask would ask a loader that its configuration names.
        security = self._files.security("client") if is_tls else Security(require_encryption=False)
        with client_of(self.address, security=security, direct_to_workers=True) as client:
            yield client
