"""What all pictures are drawn on: a figure of its own, and labels that may be any text."""

import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 110
MAX_LABEL_LENGTH = 24
FEW_CURVES = 2
Corner: TypeAlias = Literal["lower left", "lower right"]


def figure(width: float, height: float) -> "Figure":
    """Return an empty figure of so many inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def png(drawn: "Figure") -> bytes:
    """Write a figure as the bytes of a PNG file, with a palette, which is a third as large.

    The canvas is drawn once, while ``savefig`` draws a constrained layout twice.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas, stream = FigureCanvasAgg(drawn), BytesIO()
    with warnings.catch_warnings():
        # Labels come from the data, in any script; a box stands for what the font does not have.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    image = Image.fromarray(pixels[:, :, :3])
    image = image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    image.save(stream, "PNG", dpi=(DPI, DPI))
    return stream.getvalue()


def plain(label: object, longest: int = MAX_LABEL_LENGTH) -> str:
    r"""Write a label on one line, not too long, and without mathematics.

    Examples
    --------
    >>> plain("price\nin $")
    'price in \\$'
    >>> plain("a very long name of a column", 12)
    'a very lo...'

    A label that begins so would be left out of a legend:

    >>> plain("_a")
    ' _a'
    """
    text = " ".join(str(label).split())
    text = f" {text}" if text.startswith("_") else text
    text = text if len(text) <= longest else f"{text[: longest - 3]}..."
    return text.replace("$", r"\$")


def legend(axes: "Axes", n_curves: int, corner: Corner) -> None:
    """Say which curve is which: inside where there are few, else beside the axes."""
    if n_curves <= FEW_CURVES:
        axes.legend(loc=corner)
    else:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.02), fontsize=8, frameon=False)
