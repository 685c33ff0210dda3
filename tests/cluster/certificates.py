"""An authority, and a certificate that it signed, as PEM files."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def write_certificates(folder):
    """Write the files, and return the settings that name them."""
    authority, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    names = {"tls_ca_file": "ca.pem", "tls_cert": "own.pem", "tls_key": "own.key"}
    paths = {key: folder / name for key, name in names.items()}
    paths["tls_ca_file"].write_bytes(_signed("authority", authority, authority, is_ca=True))
    paths["tls_cert"].write_bytes(_signed("own", own, authority, is_ca=False))
    paths["tls_key"].write_bytes(
        own.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return {key: str(path) for key, path in paths.items()}


def of_all_roles(named):
    """Return what ``distributed.Security`` takes, with one certificate for every role."""
    roles = ("client", "scheduler", "worker")
    return {
        "require_encryption": True,
        "tls_ca_file": named["tls_ca_file"],
        **{f"tls_{role}_{key}": named[f"tls_{key}"] for role in roles for key in ("cert", "key")},
    }


def _signed(name, key, authority, *, is_ca):
    def called(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(called(name))
        .issuer_name(called("authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .sign(authority, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)
