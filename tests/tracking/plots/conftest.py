"""Pictures as arrays of their pixels."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def pixels():
    """Return what reads a light PNG picture: its pixels as shades of grey."""

    def read(content, most_kb=60):
        assert len(content) < 1000 * most_kb
        with Image.open(BytesIO(content)) as image:
            image.load()
            assert image.format == "PNG"
            return np.asarray(image.convert("L"))

    return read


@pytest.fixture
def figures(monkeypatch):
    """Return the figures that the named module draws, which are not written."""

    def kept(module):
        drawn = []
        monkeypatch.setattr(
            f"runner.tracking.plots.{module}.png", lambda figure: drawn.append(figure) or b""
        )
        return drawn

    return kept
