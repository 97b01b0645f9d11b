"""Turning matplotlib figures and pixels into pieces of an HTML page."""

from __future__ import annotations

import base64
import html
import io
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

UP, DOWN, HEALTHY, INK, PALE = "#b2182b", "#2166ac", "#4d4d4d", "#222222", "#d9d9d9"
"""Red rises, blue falls: told apart under every common colour-vision deficiency."""
SIGNED = "RdBu_r"

_STYLE = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#777777",
    "axes.linewidth": 0.7,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "axes.labelcolor": INK,
    "text.color": INK,
    "path.simplify": True,
    "text.parse_math": False,
}


@contextmanager
def figure(width: float, height: float) -> Iterator[Figure]:
    """An empty figure of the report's style, `width` x `height` inches."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        yield Figure(figsize=(width, height))


def svg(drawn: Figure, name: str, description: str) -> str:
    """A figure as inline SVG that scales with its box.

    Parameters
    ----------
    drawn : Figure
        To be called inside `figure`.
    name : str
        Prefix of every id, so that several figures share a page.
    description : str
        What a reader who cannot see it is told.
    """
    from matplotlib import rc_context

    buffer = io.StringIO()
    nothing: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with rc_context({**_STYLE, "svg.hashsalt": name}):
        drawn.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    head, body = text.split(">", 1)
    box = re.search(r'viewBox="([^"]+)"', head)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r'(url\(#|href="#)', rf"\1{name}-", body)
    body = re.sub(r"(font: [^;\"]*?px) [^;\"]+", r"\1 var(--sans)", body)
    body = re.sub(r"font-family: [^;\"]+", "font-family: var(--sans)", body)
    body = re.sub(r"<!--.*?-->\n?", "", body, flags=re.DOTALL)
    body = re.sub(r"\n\s*", "\n", body)
    label = html.escape(description, quote=True)
    return f'<svg viewBox="{box[1] if box else ""}" role="img" aria-label="{label}">{body.strip()}'


def png(pixels: np.ndarray) -> str:
    """An image (height, width, 3) of bytes as a data address."""
    from PIL import Image

    buffer = io.BytesIO()
    picture = Image.fromarray(pixels).quantize(
        255, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    )
    picture.save(buffer, "PNG", optimize=False, compress_level=9)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def colours(values: np.ndarray, limit: float, name: str = SIGNED) -> np.ndarray:
    """Colours (..., 3) between 0 and 1 on a scale symmetric about zero; grey for NaN."""
    from matplotlib import colormaps

    scaled = np.clip(0.5 + 0.5 * np.nan_to_num(values) / (limit or 1.0), 0, 1)
    rgb = np.asarray(colormaps[name](scaled))[..., :3]
    rgb[np.isnan(values)] = 0.85
    return rgb


def gradient(name: str = SIGNED) -> str:
    """The colour scale as a CSS gradient."""
    stops = colours(np.linspace(-1, 1, 9), 1.0, name)
    return "linear-gradient(90deg," + ",".join(css_colour(rgb) for rgb in stops) + ")"


def css_colour(rgb: np.ndarray) -> str:
    """A colour as ``#rrggbb``."""
    return "#" + "".join(f"{round(255 * float(part)):02x}" for part in rgb)


def round_up(value: float) -> float:
    """The next of 1, 1.5, 2, 3, 5, 7.5 x 10^k above a positive value, for the end of a colour scale."""
    if not value > 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in (1, 1.5, 2, 3, 5, 7.5, 10) if step * power >= value * 0.999))
