"""Workers on other machines, started by SSH."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from runner.cluster.local import HOST, NO_PAGES
from runner.cluster.plain import BYTES, FILE, FOLDER, NAME, require_plain
from runner.cluster.plain import HOST as HOST_SHAPE
from runner.cluster.security import (
    TCP,
    TLS,
    TlsFiles,
    check_remote,
    is_loopback,
    require_allowed,
)
from runner.cluster.started import StartedCluster
from runner.rules import MOST_PATH, integer, list_of, null, text

PATH = text(MOST_PATH) | null()


@dataclass(kw_only=True)
class SSHCluster(StartedCluster):
    """A scheduler on the first host and workers on the others, as ``ssh HOST`` reaches them.

    Users, ports, keys and jump hosts are those of ``~/.ssh/config``, the keys of the hosts must
    stand in ``~/.ssh/known_hosts``: an experiment cannot say otherwise.

    Parameters
    ----------
    hosts : list of str
        The scheduler's, then those of the workers; a host may stand there again.
    n_workers : int
        How many worker processes each of the others has, with one thread each.
    memory_limit : str or None
        Bytes for each worker, such as ``8GiB``; None for no limit.
    local_directory : str or None
        Where workers write what does not fit in memory.
    interface : str or None
        The network that they talk on, such as ``eth0``; None for the one of the host's name.
    scheduler_port : int
        Where the scheduler listens; 0 for any free port.
    tls_ca_file, tls_cert, tls_key : str or None
        PEM files, at the same place on each host and here; None for those of Dask's own
        configuration. Without TLS all hosts must be this machine.
    remote_python : str or None
        The Python on the hosts, which must be allowed by name; None for the path of this one.
    """

    kind: ClassVar[str] = "ssh"
    extra: ClassVar[str] = "ssh"

    hosts: Annotated[list[str], list_of(HOST_SHAPE, least=2)]
    n_workers: Annotated[int, integer(1)] = 1
    memory_limit: Annotated[str | None, BYTES | null()] = None
    local_directory: Annotated[str | None, FOLDER | null()] = None
    interface: Annotated[str | None, NAME | null()] = None
    scheduler_port: Annotated[int, integer(0)] = 0
    tls_ca_file: Annotated[str | None, PATH] = None
    tls_cert: Annotated[str | None, PATH] = None
    tls_key: Annotated[str | None, PATH] = None
    remote_python: Annotated[str | None, FILE | null()] = None

    def __post_init__(self) -> None:
        """Refuse settings that are not what they should be, and what a shell would read."""
        super().__post_init__()
        if self.remote_python is not None:
            require_allowed("cluster.remote_python", self.remote_python, "be null")
        scheme = TLS if self._is_tls else TCP
        names = {host: f"{scheme}://{host}" for host in self.hosts}
        check_remote("cluster.hosts", names, self._files, is_tls=self._is_tls)

    def start(self) -> Any:
        """Start the scheduler and the workers; a host that does not answer is waited for."""
        import asyncssh  # noqa: F401  (so that its absence is told before anything is done)
        from distributed import Security
        from distributed import SSHCluster as DaskSSHCluster

        security = Security(require_encryption=False)
        if self._is_tls:
            security = self._files.security("client", "scheduler", "worker")
        return DaskSSHCluster(
            list(self.hosts),
            connect_options={
                "connect_timeout": self.patience_s,
                "login_timeout": self.patience_s,
            },
            scheduler_options={"port": self.scheduler_port, **self._options("scheduler")},
            worker_options={
                "n_workers": self.n_workers,
                "nthreads": 1,
                "memory_limit": self.memory_limit or 0,
                **self._options("worker"),
                **({"local_directory": self.local_directory} if self.local_directory else {}),
            },
            remote_python=self.remote_python,
            security=security,
        )

    def left(self, cluster: Any) -> str:
        """Say where processes may be."""
        hosts = ", ".join(dict.fromkeys(self.hosts))
        return f"Look for processes of distributed.cli.dask_spec on {hosts}, and end them there."

    def _options(self, role: str) -> dict[str, Any]:
        """Return where a scheduler or a worker listens, and how; it is sent as JSON."""
        where: dict[str, Any] = {}
        if self.interface is not None:
            where = {"interface": self.interface}
        elif all(map(is_loopback, self.hosts)):
            where = {"host": HOST}
        security: dict[str, Any] = {"require_encryption": self._is_tls}
        if self._is_tls:
            security |= self._files.paths(role)
            require_plain(
                {
                    f"cluster.{key}": path
                    for key, path in security.items()
                    if key.startswith("tls_")
                },
                FILE,
            )
        protocol = f"{TLS if self._is_tls else TCP}://"
        return {**where, **NO_PAGES, "protocol": protocol, "security": security}

    @property
    def _files(self) -> TlsFiles:
        return TlsFiles(self.tls_ca_file, self.tls_cert, self.tls_key)

    @property
    def _is_tls(self) -> bool:
        return bool(self._files.named) or self._files.of_dask
