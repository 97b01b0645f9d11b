"""Pictures of the brain: the cortical surface from four views, or centroids from three."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from synsys.report.drawing import colours, figure, png, round_up, svg

if TYPE_CHECKING:
    from synsys.data.embedded import Surface

VIEWS = (
    ("left, lateral", 0, -1, -1), ("left, medial", 0, 1, 1), ("right, medial", 1, -1, -1),
    ("right, lateral", 1, 1, 1),
)  # fmt: skip
"""Title, hemisphere, sign of y along the page, sign of x towards the viewer."""
PIXELS_PER_MM = 2.6


def surface_maps(values: dict[str, float], limit: float, surface: Surface) -> list[tuple[str, str]]:
    """A regional map on the inflated cortical surface.

    Parameters
    ----------
    values : dict of str to float
        Value per region label; regions without one, and NaN, are grey.
    limit : float
        End of the symmetric colour scale.
    surface : Surface

    Returns
    -------
    list of 4 (str, str)
        View and picture (a data address).
    """
    per_region = np.array([*(values.get(label, np.nan) for label in surface.labels), np.nan])
    colour = colours(per_region, limit)
    pictures = []
    for title, hemisphere, across, towards in VIEWS:
        region, light = _view(surface, hemisphere, across, towards)
        pixels = np.where((region >= -1)[..., None], colour[region] * light[..., None], 1.0)
        pictures.append((title, png((255 * pixels).round().astype(np.uint8))))
    return pictures


_drawn: dict[tuple[int, int, int, int], tuple[np.ndarray, np.ndarray]] = {}


def _view(surface: Surface, hemisphere: int, across: int, towards: int) -> tuple[np.ndarray, np.ndarray]:
    """Region of each pixel (-1 medial wall, -2 background) and its brightness, both (height, width)."""
    key = (id(surface), hemisphere, across, towards)
    if key not in _drawn:
        _drawn[key] = _project(surface, hemisphere, across, towards)
    return _drawn[key]


def _project(surface: Surface, hemisphere: int, across: int, towards: int) -> tuple[np.ndarray, np.ndarray]:
    xyz = surface.inflated[hemisphere].astype(float)
    margin = 4
    page = PIXELS_PER_MM * np.stack([across * xyz[:, 1], -xyz[:, 2]], axis=1)
    page -= page.min(axis=0) - margin
    width, height = (np.ceil(page.max(axis=0)) + margin).astype(int)
    face, weight = rasterise(page, towards * xyz[:, 0], surface.faces, width, height)
    corner = surface.faces[face.clip(0), weight.argmax(axis=2)]
    region = np.where(face >= 0, surface.region[hemisphere][corner], -2).astype(int)

    side = [xyz[surface.faces[:, k]] for k in range(3)]
    normal = np.cross(side[1] - side[0], side[2] - side[0])
    smooth = np.zeros_like(xyz)
    for k in range(3):
        np.add.at(smooth, surface.faces[:, k], normal)
    smooth /= np.linalg.norm(smooth, axis=1, keepdims=True)
    facing = np.abs(smooth[:, 0])
    bright = 0.62 + 0.38 * facing - 0.13 * np.clip(surface.sulc[hemisphere], -0.5, 1.0)
    light = (weight * bright[surface.faces[face.clip(0)]]).sum(axis=2)
    edge = np.zeros(region.shape, dtype=bool)
    edge[:, 1:] |= region[:, 1:] != region[:, :-1]
    edge[1:] |= region[1:] != region[:-1]
    light = np.where(edge, light * 0.72, light)
    return region, np.clip(np.round(light * 28) / 28, 0, 1)


def rasterise(
    page: np.ndarray, depth: np.ndarray, faces: np.ndarray, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """Which triangle each pixel shows.

    Parameters
    ----------
    page : ndarray, (V, 2)
        Position of each vertex in pixels, from the left and from the top.
    depth : ndarray, (V,)
        Nearness to the viewer; larger is nearer.
    faces : ndarray, (F, 3)
    width, height : int

    Returns
    -------
    face : ndarray, (height, width)
        Index of the nearest triangle at the pixel's centre, -1 where there is none.
    weight : ndarray, (height, width, 3)
        Barycentric weights of its corners.
    """
    a, b, c = (page[faces[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    low = np.ceil(np.minimum(np.minimum(a, b), c) - 0.5).astype(int)
    high = np.floor(np.maximum(np.maximum(a, b), c) - 0.5).astype(int)
    near = depth[faces]
    found = []
    kept = np.flatnonzero((np.abs(area) > 1e-9) & (high >= low).all(axis=1))
    extent = (high - low)[kept].max(axis=0) if len(kept) else np.array([-1, -1])
    for dx in range(extent[0] + 1):
        wide = kept[low[kept, 0] + dx <= high[kept, 0]]
        for dy in range(extent[1] + 1):
            i = wide[low[wide, 1] + dy <= high[wide, 1]]
            x, y = low[i, 0] + dx, low[i, 1] + dy
            px, py = x + 0.5, y + 0.5
            w1 = ((px - a[i, 0]) * (c[i, 1] - a[i, 1]) - (py - a[i, 1]) * (c[i, 0] - a[i, 0])) / area[i]
            w2 = ((b[i, 0] - a[i, 0]) * (py - a[i, 1]) - (b[i, 1] - a[i, 1]) * (px - a[i, 0])) / area[i]
            inside = (w1 >= 0) & (w2 >= 0) & (w1 + w2 <= 1)
            i, w1, w2 = i[inside], w1[inside], w2[inside]
            w0 = 1 - w1 - w2
            z = w0 * near[i, 0] + w1 * near[i, 1] + w2 * near[i, 2]
            found.append((y[inside] * width + x[inside], z, i, w0, w1, w2))
    face = np.full(width * height, -1)
    weight = np.zeros((width * height, 3))
    if found:
        pixel, z, index, *weights = (np.concatenate(part) for part in zip(*found, strict=True))
        order = np.argsort(z, kind="stable")
        face[pixel[order]] = index[order]
        weight[pixel[order]] = np.stack(weights, axis=1)[order]
    return face.reshape(height, width), weight.reshape(height, width, 3)


def scalp_maps(place: np.ndarray, change: np.ndarray, limit: float, bands: list[str]) -> list[str]:
    """Change of power at electrodes, one head per band seen from above, nose up.

    Parameters
    ----------
    place : ndarray, (E, 3)
        Unit vectors (x right, y front, z up); NaN where unknown.
    change : ndarray, (E, bands)
        Log ratio.
    limit : float
        End of the symmetric colour scale.
    bands : list of str

    Returns
    -------
    list of str
        Inline SVG each. The distance from the vertex on the page is the angle from it.
    """
    known = np.isfinite(place).all(axis=1)
    x, y, z = place[known].T
    far = np.arccos(np.clip(z, -1, 1)) / (np.pi / 2)
    flat = np.maximum(np.hypot(x, y), 1e-9)
    drawn = []
    for b, band in enumerate(bands):
        with figure(2.1, 2.2) as page:
            axes: Any = page.add_axes((0.02, 0.01, 0.96, 0.88))
            turn = np.linspace(0, 2 * np.pi, 120)
            axes.plot(1.06 * np.sin(turn), 1.06 * np.cos(turn), color="#777", linewidth=0.8)
            axes.plot([-0.1, 0, 0.1], [1.055, 1.17, 1.055], color="#777", linewidth=0.8)
            rgb = colours(change[known, b], limit)
            axes.scatter(far * x / flat, far * y / flat, s=46, c=rgb, edgecolors="#777", linewidths=0.4)
            axes.set(xlim=(-1.2, 1.2), ylim=(-1.12, 1.2), aspect="equal", title=band)
            axes.axis("off")
            drawn.append(svg(page, f"scalp{b}", f"Change of {band} power at {known.sum()} electrodes"))
    return drawn


@cache
def _planes() -> tuple[tuple[str, int, int, str, str], ...]:
    return (
        ("from the right", 1, 2, "MNI y, back to front (mm)", "MNI z, up (mm)"),
        ("from above", 0, 1, "MNI x, left to right (mm)", "MNI y, front up (mm)"),
        ("from behind", 0, 2, "MNI x, left to right (mm)", "MNI z, up (mm)"),
    )


def glass_brain(xyz: np.ndarray, values: np.ndarray, limit: float, name: str, what: str) -> list[str]:
    """Centroids from three views, coloured by a regional map.

    Parameters
    ----------
    xyz : ndarray, (N, 3)
        Centroids in mm; regions without one are left out.
    values : ndarray, (N,)
    limit : float
        End of the symmetric colour scale.
    name : str
        Prefix of ids.
    what : str
        What the colours show.

    Returns
    -------
    list of 3 str
        Inline SVG.
    """
    known = np.isfinite(xyz).all(axis=1)
    order = np.flatnonzero(known)[np.argsort(np.abs(np.nan_to_num(values[known])))]
    colour = colours(values[order], limit)
    size = 14 + 60 * np.clip(np.abs(np.nan_to_num(values[order])) / (limit or 1), 0, 1)
    pictures = []
    for i, (title, across, up, right, top) in enumerate(_planes()):
        with figure(2.9, 2.7) as drawn:
            axes: Any = drawn.add_axes((0.2, 0.17, 0.77, 0.72))
            axes.scatter(
                xyz[order, across], xyz[order, up], s=size, c=colour, edgecolors="#555555", linewidths=0.4
            )
            axes.set_aspect("equal", adjustable="datalim")
            axes.set(xlabel=right, ylabel=top, title=title)
            pictures.append(svg(drawn, f"{name}{i}", f"{what}, {title}; one dot per region"))
    return pictures


def scale_end(values: np.ndarray) -> float:
    """End of a colour scale that spans the values."""
    finite = np.abs(values[np.isfinite(values)])
    return round_up(float(finite.max())) if finite.size else 1.0
