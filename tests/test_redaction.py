"""What is a secret, and what is left of it."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Terminated, TrackingError
from runner.redaction import (
    REDACTED,
    forget,
    is_secret,
    one_line,
    redacted,
    redacted_diff,
    remember,
    remember_under_keys,
)


@pytest.fixture(autouse=True)
def nothing_remembered():
    """Begin and end with no value to hide."""
    forget()
    yield
    forget()


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
    assert one_line(error) == "A must be b; got http://<redacted>@h/x. Do c. And d."
    assert len(one_line(ValueError("x" * 5000))) < 600
    assert one_line(Terminated()) == "Terminated"


def test_a_value_that_is_remembered_is_hidden_wherever_it_stands():
    text = "no way to 'canary/317': xcanary/317y"
    assert redacted(text) == text
    remember("PLACE", "canary/317")
    assert redacted(text) == f"no way to '{REDACTED}': x{REDACTED}y"
    assert "canary" not in one_line(OSError(2, "no such file", "canary/317"))


@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [
        ("PLACE", "monday", True),
        ("PLACE", "short", False),
        ("MY_TOKEN", "fine", True),
        ("MY_TOKEN", "1", False),
        ("DB_PASSWORD", "      ", False),
        ("HERE", "/usr/bin", False),
        ("API_KEY", "/usr/bin", True),
        ("PLACE", "x" * 5000, True),
    ],
)
def test_what_is_remembered_is_a_secret_or_long_and_no_path(name, value, hidden):
    remember(name, value)
    assert (REDACTED in redacted(f"a{value}b")) == hidden


def test_a_longer_value_is_hidden_before_a_part_of_it():
    remember("A", "canary")
    remember("B", "canary-317")
    assert redacted("canary-317 and canary") == f"{REDACTED} and {REDACTED}"


@given(st.text(min_size=6, max_size=30).filter(lambda text: len(text.strip()) > 5))
def test_a_value_is_hidden_as_it_is_as_a_literal_in_json_and_in_an_address(value):
    forget()
    remember("MY_TOKEN", value)
    for form in (value, repr(value)[1:-1], json.dumps(value)[1:-1]):
        assert form in REDACTED or redacted(f"it is {form}.") == f"it is {REDACTED}."
    assert redacted(quote(" ".join(value.split()))) == REDACTED


def test_threads_may_remember_at_the_same_time():
    values = [f"canary-{number:03}" for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(remember, ["PLACE"] * 200, values))
    assert "canary" not in redacted(" ".join(values))


def test_it_is_imported_without_anything_heavy():
    code = "import sys, runner.redaction; assert not {'json', 'numpy', 'yaml'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


DIFF = """\
diff --git a/x.yaml b/x.yaml
--- a/x.yaml
+++ b/x.yaml
@@ -1,2 +1,9 @@ db_password: hunter0
-db: {user: ann, password: hunter1, port: 3}
+  api_token: "hunter, 2"  # note
+db.password=hunter3
+  - secret: 'it''s hunter4'
+password: ${oc.env:DB_PASSWORD}
+token: null
+secret:
+  inner: hunter5
+  more:
+    - hunter6
+alpha: 1
+private_key: |
+  hunter7
+token_pattern: 'kept'
+uri: postgres://ann:hunter8@host/db?password=hunter9
+"api_key": "hunter10"
+password : hunter, 11
diff --git a/x.py b/x.py
--- a/x.py
+++ b/x.py
@@ -1 +1 @@
+password = "hunter12" + b'hunter13'
+config["password"] = "hunter14"
+password = read(path)
"""


def test_a_diff_is_kept_without_the_values_of_secret_keys():
    told = redacted_diff(DIFF)
    assert "hunter" not in told
    assert len(told.splitlines()) == len(DIFF.splitlines())
    for kept in (
        "-db: {user: ann, password: <redacted>, port: 3}",
        "+password: ${oc.env:DB_PASSWORD}",
        "+token: null",
        "+alpha: 1",
        "+token_pattern: 'kept'",
        "+password = read(path)",
    ):
        assert kept in told.splitlines()


@pytest.mark.parametrize(
    "line",
    ["a: " * 100_000, "{a: " * 3000, "a=" * 4000, "x" * 9_000, "[" * 9_000, "key: " * 9_000],
)
def test_a_long_line_of_a_diff_takes_no_time(line):
    begun = time.process_time()
    redacted_diff(f"+{line}\n" * 5)
    assert time.process_time() - begun < 1


def test_what_stands_under_a_key_that_promises_a_secret_is_hidden_everywhere():
    arguments = {"password": "hush-317", "n": 3}
    remember_under_keys({"dataset": {"arguments": arguments}, "secrets": {"db": ["hush-318"]}})
    assert redacted("login failed for hush-317, and hush-318") == (
        f"login failed for {REDACTED}, and {REDACTED}"
    )
