"""Who may answer this process: whoever does can run code here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from runner.allow import ALLOW_VARIABLE, BUILTIN, allowed_packages
from runner.errors import ConfigError

if TYPE_CHECKING:
    from distributed import Security

TLS, TCP = "tls", "tcp"
MOST_TOLD = 100  # characters of a path
_ADDRESS = re.compile(r"(?:(tcp|tls)://)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})", re.ASCII)


def split_address(key: str, address: str) -> tuple[str, str]:
    """Return the protocol and the host of an address.

    Raises
    ------
    ConfigError
        If it is not written as one.

    Examples
    --------
    >>> split_address("cluster.address", "tls://[::1]:8786")
    ('tls', '::1')
    >>> split_address("cluster.dashboard", "127.0.0.1:8787")
    ('', '127.0.0.1')
    """
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise ConfigError(
            key,
            "be an address with a port",
            got=repr(address),
            remedy="Write tcp://127.0.0.1:8786 or tls://HOST:PORT, for a dashboard HOST:PORT.",
        )
    return found[1] or "", found[2].strip("[]")


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine, whatever a name server says.

    Examples
    --------
    >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1")]
    [True, True, True, True]
    >>> [is_loopback(host) for host in ("0.0.0.0", "10.0.0.1", "127.0.0.1.example", "localhost.a")]
    [False, False, False, False]
    """
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_allowed(name: str) -> bool:
    """Say whether the project, or the shell, allows something by exactly this name."""
    return name in allowed_packages()[len(BUILTIN) :]


def require_allowed(key: str, name: str, rule: str) -> None:
    """Refuse what neither the project nor the shell allows by its name.

    Parameters
    ----------
    key : str
        Where the name stands in the file.
    name : str
        What has to stand in ``allow``.
    rule : str
        What it must be otherwise; "" if that is the only way.

    Raises
    ------
    ConfigError
        With the line that allows it.
    """
    if not is_allowed(name):
        raise ConfigError(
            key,
            f"{rule}, or be allowed by name" if rule else "be allowed by name",
            got=name,
            remedy=f'If you trust it, add allow = ["{name}"] under [tool.runner] in the '
            f"project's pyproject.toml, or set {ALLOW_VARIABLE}={name} in the shell.",
        )


@dataclass(frozen=True)
class TlsFiles:
    """Files of TLS: who is trusted, and who one is.

    Parameters
    ----------
    ca_file, cert, key : str or None
        Paths of PEM files; None for what Dask's own configuration names.
    """

    ca_file: str | None
    cert: str | None
    key: str | None

    @property
    def named(self) -> dict[str, str]:
        """Those that a file names, by their keys."""
        all_three = {"tls_ca_file": self.ca_file, "tls_cert": self.cert, "tls_key": self.key}
        return {key: path for key, path in all_three.items() if path is not None}

    @property
    def of_dask(self) -> bool:
        """Whether Dask's own configuration names an authority."""
        import dask.config

        return bool(dask.config.get("distributed.comm.tls.ca-file", None))

    def paths(self, *roles: str) -> dict[str, str]:
        """Return the settings of ``distributed.Security`` for some roles, as absolute paths.

        Raises
        ------
        ConfigError
            If there is no such file.
        """
        named = {key: _existing(f"cluster.{key}", path) for key, path in self.named.items()}
        own = {key: path for key, path in named.items() if key == "tls_ca_file"}
        for role in roles:
            pairs = {f"tls_{role}_cert": "tls_cert", f"tls_{role}_key": "tls_key"}
            own |= {name: named[key] for name, key in pairs.items() if key in named}
        return own

    def security(self, *roles: str) -> "Security":
        """Return what demands TLS, with these files or those of Dask's own configuration.

        Raises
        ------
        ConfigError
            If a file is missing.
        """
        from distributed import Security

        security = Security(require_encryption=True, **self.paths(*roles))
        for role in roles:
            told = security.get_tls_config_for_role(role)
            for name, own in {"ca_file": "ca-file", "cert": f"{role}.cert"}.items():
                if not told[name]:
                    raise ConfigError(
                        f"cluster.tls_{name}",
                        "name a file, because the connection is by TLS",
                        got="nothing",
                        remedy="Write its path, or set it in Dask's own configuration as "
                        f"distributed.comm.tls.{own}.",
                    )
        return security


def _existing(key: str, path: str) -> str:
    """Return the whole path of a file; text that holds a certificate itself is no path."""
    if "\n" not in path and (found := Path(path).expanduser()).is_file():
        return str(found.resolve())
    raise ConfigError(
        key,
        "name a file that exists",
        got=repr(path if len(path) <= MOST_TOLD else f"{path[:MOST_TOLD]} ..."),
        remedy="Check the path.",
    )


def check_remote(key: str, hosts: Mapping[str, str], files: TlsFiles, *, is_tls: bool) -> None:
    """Refuse hosts that a file alone must not let answer this process.

    This machine may. Another may if the project or the shell allows its name, and by TLS with
    the authority that Dask's own configuration names: one that stands in an experiment's file
    may be anybody's.

    Parameters
    ----------
    key : str
        Where they stand in the file.
    hosts : mapping of str to str
        The name that would be allowed of each host.
    files : TlsFiles
    is_tls : bool
        Whether they are reached by TLS.

    Raises
    ------
    ConfigError
        For the first of them.
    """
    for host, name in hosts.items():
        if is_loopback(host) or (is_tls and files.ca_file is None):
            continue
        what = "use TLS with the authority of Dask's own configuration" if is_tls else "use TLS"
        require_allowed(key, name, f"be on this machine, {what}")
