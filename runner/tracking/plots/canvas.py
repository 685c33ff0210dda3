"""What all pictures are drawn on: a figure of its own, and labels that may be any text."""

import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 110
MARGIN = 2.0  # inches around the axes, for words of any length; what stays empty is cut off
PAD = 5  # pixels
MAX_LABEL_LENGTH = 24
FEW_CURVES = 2
WHITE = 0xFFFFFFFF
Corner: TypeAlias = Literal["lower left", "lower right"]


def figure(width: float, height: float) -> "Figure":
    """Return an empty figure, whose picture will be about so many inches wide and high.

    Laying a figure out takes twice as long as drawing it. So the axes have the place that is
    theirs between labels of the usual size, and longer ones make the picture larger. Only one
    whose labels are longer than the margin is laid out.
    """
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(width + 2 * MARGIN, height + 2 * MARGIN), dpi=DPI)
    across, up = drawn.get_size_inches()
    drawn.subplots_adjust(
        left=(MARGIN + 0.72) / across,
        right=1 - (MARGIN + 0.1) / across,
        bottom=(MARGIN + 0.5) / up,
        top=1 - (MARGIN + 0.3) / up,
        hspace=0.06,
    )
    return drawn


def laid_out(width: float, height: float) -> "Figure":
    """Return an empty figure of so many inches, whose parts make room for each other."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def png(drawn: "Figure") -> bytes:
    """Write a figure as the bytes of a PNG file, with a palette, which is a third as large.

    The canvas is drawn once, while ``savefig`` draws a constrained layout twice.
    """
    from PIL import Image

    has_layout = drawn.get_layout_engine() is not None
    pixels = None if has_layout else _cropped(_pixels(drawn))
    if pixels is None:
        if not has_layout:
            drawn.set_size_inches(*(drawn.get_size_inches() - 2 * MARGIN))
            drawn.set_layout_engine("constrained")
        pixels = _pixels(drawn)
    image, stream = Image.fromarray(pixels[:, :, :3]), BytesIO()
    image = image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    image.save(stream, "PNG", dpi=(DPI, DPI))
    return stream.getvalue()


def _pixels(drawn: "Figure") -> np.ndarray:
    """Draw a figure: of shape (height, width, 4)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(drawn)
    with warnings.catch_warnings():
        # Labels come from the data, in any script; a box stands for what the font does not have.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]


def _cropped(pixels: np.ndarray) -> np.ndarray | None:
    """Cut the empty margin off, as far as it is; None where the picture reaches the edge."""
    inked = pixels.view(np.uint32)[:, :, 0] != WHITE
    window = []
    for axis in (1, 0):
        filled = np.flatnonzero(inked.any(axis=axis))
        first, last, size = filled[0] - PAD, filled[-1] + PAD + 1, inked.shape[1 - axis]
        if first < 0 or last > size:
            return None
        margin = round(MARGIN * DPI)
        window.append(slice(min(first, margin), max(last, size - margin)))
    return pixels[tuple(window)]


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
