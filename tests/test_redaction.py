"""What is a secret, and what is left of it."""

import pytest

from runner.errors import Terminated, TrackingError
from runner.redaction import is_secret, one_line, redacted


@pytest.mark.parametrize(
    "text",
    [
        "https://ann:hunter2@example.org/mlflow",
        "failed: http://ann:hunter2@127.0.0.1:5000/api and http://b:hunter2@c.org",
        "postgresql+psycopg://ann:hun@hunter2@db/mlflow",
        "https://hunter2@github.com/someone/repository.git",
        "https://example.org/?api_key=hunter2&page=3",
        "mysql://db/x?passwd=hunter2",
        '"uri": "http://:hunter2@host"',
    ],
)
def test_a_secret_in_an_address_is_hidden(text):
    assert "hunter2" not in redacted(text)
    assert "<redacted>" in redacted(text)


@pytest.mark.parametrize(
    "text",
    ["sqlite:////home/ann@work/mlflow.db", "http://host:5000/a/@scope?page=3", "mail ann@b.org"],
)
def test_what_is_no_secret_stays(text):
    assert redacted(text) == text


@pytest.mark.parametrize(
    "key",
    [
        *("password", "storage.Password", "db_passwd", "secret", "client_secret", "credentials"),
        *("hf_token", "sas-token", "api_key", "apikey", "API-KEY", "private_key", "pwd"),
        *("aws_secret_access_key", "dataset.storage.account_key", "passphrase"),
    ],
)
def test_a_key_that_promises_a_secret_is_known(key):
    assert is_secret(key)


@pytest.mark.parametrize(
    "key",
    [
        *("preprocessing.hashing.token_pattern", "tokenizer", "max_tokens", "key", "sort_key"),
        *("secretary", "token.length", "monkey", "password_length", "keys", ""),
    ],
)
def test_an_ordinary_setting_is_no_secret(key):
    assert not is_secret(key)


def test_an_error_fits_on_one_line_without_secrets():
    error = TrackingError("A", "be b", got="http://u:pw@h/x", remedy="Do c.\nAnd d.")
    assert one_line(error) == "TrackingError: A must be b; got http://<redacted>@h/x. Do c. And d"
    assert len(one_line(ValueError("x" * 5000))) < 600
    assert one_line(Terminated()) == "Terminated"
