"""What the tests of signatures lean on."""

import pytest

from runner.config.signatures import remembered


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Give a test a cache of its own, empty, and return the folder of its entries."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(remembered, "_READ", {})
    return tmp_path / "cache" / "runner" / "signatures"
