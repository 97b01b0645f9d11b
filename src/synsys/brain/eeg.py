"""EEG: potentials of regional current dipoles on a spherical head, and measures of synchrony.

A region's pyramidal cells act as one current dipole at its centroid. The head is a set of concentric
spheres, for which the potential is an exact series in Legendre polynomials (de Munck & Peters 1993, IEEE
Trans Biomed Eng 40:1166; Naess et al. 2017, Front Hum Neurosci 11:490). One sphere has a closed form.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from synsys.core.errors import UserError, unknown

BRAIN_CENTRE = (0.0, -19.7, 6.4)
BRAIN_AXES = (70.8, 87.6, 71.5)
"""Centre and half-axes (MNI mm) of the ellipsoid through the convex hull of the fsaverage pial surface; it
is mapped onto the innermost sphere."""
DEEPEST = 0.97
"""Largest distance of a dipole from the centre, in radii of the innermost sphere (grey matter ends there)."""
TERMS = 120
"""Terms of the series; the last is below 1e-6 of the first for dipoles at `DEEPEST`."""


@dataclass(frozen=True)
class Head:
    """Concentric spheres, innermost first; the last radius is that of the scalp.

    Defaults are the four-sphere head of Naess et al. 2017 (brain, cerebrospinal fluid, skull, scalp).

    Attributes
    ----------
    radius : tuple of float
        Outer radius of each shell, mm.
    conductivity : tuple of float
        S/m.
    """

    radius: tuple[float, ...] = (79.0, 80.0, 85.0, 90.0)
    conductivity: tuple[float, ...] = (0.3, 1.5, 0.015, 0.3)

    def __post_init__(self) -> None:
        if len(self.radius) != len(self.conductivity) or not self.radius:
            raise UserError(f"{len(self.radius)} radii and {len(self.conductivity)} conductivities")
        if not (np.diff((0.0, *self.radius)) > 0).all() or min(self.conductivity) <= 0:
            raise UserError("radii of a head must increase from 0, and conductivities be > 0")


def electrodes() -> pd.DataFrame:
    """Unit vectors to 61 electrodes of the 10-10 system (x right, y front, z up).

    Fpz, T7, Oz and T8 lie on the equator and Cz at the pole; the midline, the central row and the equator
    are divided into tenths, and every other row lies on the circle through its two outer electrodes and
    the midline (Oostenveld & Praamstra 2001, Clin Neurophysiol 112:713).

    Returns
    -------
    DataFrame, (61, 3)
        Index: names; columns x, y, z.
    """
    rows = {"AF": 1, "F": 2, "FC": 3, "C": 4, "CP": 5, "P": 6, "PO": 7}
    outer = {"FC": "FT", "C": "T", "CP": "TP"}
    out: dict[str, np.ndarray] = {}

    def rim(steps: float) -> np.ndarray:
        """On the equator, `steps` tenths of the half circle from Fpz over the left to Oz."""
        angle = np.pi * steps / 10
        return np.array([-np.sin(angle), np.cos(angle), 0.0])

    for name, steps in (("Fp", 1), ("O", 9)):
        out[f"{name}1"], out[f"{name}2"] = rim(steps), rim(steps) * (-1, 1, 1)
        out[f"{name}z"] = rim(0 if name == "Fp" else 10)
    for row, step in rows.items():
        polar = (step - 4) * np.pi / 8
        top = np.array([0.0, -np.sin(polar), np.cos(polar)])
        out[f"{row}z"] = top
        left = rim(step + 1)
        names = ("7", "3") if row in ("AF", "PO") else ("7", "5", "3", "1")
        centre, radius, span = _circle(left, top)
        for i, digit in enumerate(names):
            angle = span * (1 - i / len(names))
            place = centre + radius * (
                np.cos(angle) * _unit(top - centre) + np.sin(angle) * np.array([-1.0, 0, 0])
            )
            name = outer.get(row, row) if digit == "7" else row
            out[f"{name}{digit}"] = place
            out[f"{name}{int(digit) + 1}"] = place * (-1, 1, 1)
    return pd.DataFrame.from_dict(out, orient="index", columns=["x", "y", "z"])


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def _circle(left: np.ndarray, top: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Centre, radius and half angle of the circle through `left`, its mirror image and `top`."""
    along = top - left * (0, 1, 1)
    height = float(np.linalg.norm(along))
    radius = (height**2 + left[0] ** 2) / (2 * height)
    centre = top - along / height * radius
    return centre, radius, float(np.arctan2(-left[0], radius - height))


def dipole_potential(
    position: np.ndarray, moment: np.ndarray, electrode: np.ndarray, head: Head | None = None
) -> np.ndarray:
    """Potential of current dipoles at the surface of the head, about its mean over the sphere.

    One shell: V = p . [2 d / |d|^3 + (r + R d / |d|) / (R (R^2 - r.r0 + R |d|))] / (4 pi sigma) with
    d = r - r0, which is the sum of (2 + 1/n) times the terms of the unbounded medium.

    Parameters
    ----------
    position : ndarray, (D, 3)
        mm from the centre, within the innermost shell.
    moment : ndarray, (D, 3)
        nA m.
    electrode : ndarray, (E, 3)
        Directions; they are placed on the outermost sphere.
    head : Head, optional

    Returns
    -------
    ndarray, (E, D)
        uV.

    Raises
    ------
    UserError
        If a dipole lies outside the innermost shell.
    """
    head = head or Head()
    r0, p = np.atleast_2d(np.asarray(position, float)), np.atleast_2d(np.asarray(moment, float))
    outside = np.linalg.norm(r0, axis=1) >= head.radius[0]
    if outside.any():
        raise UserError(
            f"dipole {int(outside.argmax())} lies {np.linalg.norm(r0[outside][0]):.1f} mm from the centre, "
            f"outside the innermost sphere ({head.radius[0]:g} mm)"
        )
    to = _unit(np.atleast_2d(np.asarray(electrode, float)))
    scale = 1e3 / (4 * np.pi)  # nA m / (S/m mm^2) is 1e-3 V
    if len(head.radius) == 1:
        return scale * _one_sphere(r0, p, to * head.radius[0], head.radius[0]) / head.conductivity[0]
    return scale * _series(r0, p, to, head)


def _one_sphere(r0: np.ndarray, p: np.ndarray, r: np.ndarray, radius: float) -> np.ndarray:
    d = r[:, None] - r0
    size = np.linalg.norm(d, axis=-1, keepdims=True)
    shared = radius * (radius**2 - r @ r0.T + radius * size[..., 0])
    field = 2 * d / size**3 + (r[:, None] + radius * d / size) / shared[..., None]
    return np.einsum("edk,dk->ed", field, p)


def _series(r0: np.ndarray, p: np.ndarray, to: np.ndarray, head: Head) -> np.ndarray:
    depth = np.linalg.norm(r0, axis=1)
    axis = np.where(depth[:, None] > 1e-9, r0 / np.maximum(depth, 1e-9)[:, None], np.array([0.0, 0.0, 1.0]))
    cosine = to @ axis.T
    radial = np.einsum("dk,dk->d", axis, p)
    tangential = to @ p.T - cosine * radial
    gain = _shell_gain(head, np.arange(1, TERMS + 1))
    total = np.zeros_like(cosine)
    before, now = np.ones_like(cosine), cosine  # P_(n-1), P_n
    slope = np.ones_like(cosine)  # dP_n / dx
    for n in range(1, TERMS + 1):
        factor = gain[n - 1] * (depth / head.radius[-1]) ** (n - 1)
        total += factor * (n * now * radial + slope * tangential)
        before, now = now, ((2 * n + 1) * cosine * now - n * before) / (n + 1)
        slope = (n + 1) * before + cosine * slope
    return total / head.radius[-1] ** 2


def _shell_gain(head: Head, n: np.ndarray) -> np.ndarray:
    """Surface potential of degree n per source term r0^(n-1) / R^(n+1) (1 / S m^-1), shells included.

    Inside each shell the potential is a r^n + b r^-(n+1); from the scalp, where no current leaves, to the
    brain the ratio a / b follows from continuity of potential and of radial current.
    """
    ratio = (n + 1) / n  # a / b at the outer surface, each in units of its own power of r there
    gain = 1.0 + ratio
    for k in range(len(head.radius) - 2, -1, -1):
        step = head.radius[k] / head.radius[k + 1]
        ratio = ratio * step ** (2 * n + 1)
        jump = head.conductivity[k + 1] / head.conductivity[k]
        flow = jump * (n * ratio - (n + 1))
        a = ((n + 1) * (ratio + 1) + flow) / (2 * n + 1)
        b = (n * (ratio + 1) - flow) / (2 * n + 1)
        ratio, gain = a / b, gain / b
    return gain / head.conductivity[0]


def place_in_sphere(centroid: np.ndarray, radius: float) -> np.ndarray:
    """Positions in the brain sphere of MNI centroids (R, 3), mm; the brain's ellipsoid becomes a sphere."""
    inside = (np.asarray(centroid, float) - BRAIN_CENTRE) / BRAIN_AXES
    size = np.linalg.norm(inside, axis=-1, keepdims=True)
    return radius * inside * np.minimum(1.0, DEEPEST / np.maximum(size, 1e-12))


def lead_field(
    regions: pd.DataFrame,
    normals: np.ndarray | pd.DataFrame | None = None,
    head: Head | None = None,
    reference: str = "average",
) -> pd.DataFrame:
    """Potential at each electrode per dipole moment of each region.

    Parameters
    ----------
    regions : DataFrame, R rows
        `Connectome.regions`.
    normals : ndarray (R, 3) or DataFrame with the same labels, optional
        Mean outward surface normal of each region; a length below 1 says how much of its dipoles cancels
        (`data.embedded.Surface.normal`). NaN rows have no net dipole. Default: those of the embedded
        brain where labels are the same, else radial in cortex; in both cases none outside cortex, where
        cells have no common orientation.
    head : Head, optional
    reference : str
        ``"average"``, ``"none"`` or the name of an electrode.

    Returns
    -------
    DataFrame, (61 electrodes, R)
        uV per nA m.

    Raises
    ------
    UserError
        If a region with a dipole has no centroid, or the reference or shapes are not known.
    """
    head = head or Head()
    place = electrodes()
    centroid = regions[["x", "y", "z"]].to_numpy(float)
    position = place_in_sphere(np.nan_to_num(centroid), head.radius[0])
    moment = _moments(regions, normals, position)
    silent = np.isnan(moment).any(1)
    nowhere = np.isnan(centroid).any(1) & ~silent
    if nowhere.any():
        raise UserError(f"region {regions.index[nowhere][0]} has no centroid (x, y, z) for a lead field")
    field = dipole_potential(position, np.nan_to_num(moment), place.to_numpy(), head)
    if reference == "average":
        field = field - field.mean(0)
    elif reference in place.index:
        field = field - field[place.index.get_loc(reference)]
    elif reference != "none":
        raise unknown("reference", reference, ("average", "none", *place.index))
    return pd.DataFrame(field, place.index, regions.index)


def _moments(
    regions: pd.DataFrame, normals: np.ndarray | pd.DataFrame | None, position: np.ndarray
) -> np.ndarray:
    """Dipole moment of each region for unit activity, (R, 3); NaN where it has none."""
    if normals is None:
        from synsys.data.embedded import load_surface

        surface = load_surface()
        if list(regions.index) == list(surface.labels):
            normals = surface.normal
        else:
            cortex = (regions.structure == "cortex").to_numpy()
            size = np.maximum(np.linalg.norm(position, axis=1, keepdims=True), 1e-12)
            return np.where(cortex[:, None], position / size, np.nan)
    if isinstance(normals, pd.DataFrame):
        missing = [label for label in regions.index if label not in normals.index]
        if missing:
            raise UserError(f"normals have no row for region {missing[0]}")
        normals = normals.loc[regions.index].to_numpy(float)
    normals = np.asarray(normals, float)
    if normals.shape != (len(regions), 3):
        raise UserError(f"normals: shape {normals.shape}, but ({len(regions)}, 3) is needed")
    # normals of the ellipsoid's image: by the inverse transpose of the map, keeping their length
    turned = normals * BRAIN_AXES
    length = np.linalg.norm(turned, axis=1, keepdims=True)
    size = np.linalg.norm(normals, axis=1, keepdims=True)
    return turned * np.divide(size, length, out=np.zeros_like(size), where=length > 0)


def align_lead_field(field: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """A user's own lead field with its columns in the order of `labels`.

    Raises
    ------
    UserError
        If regions are missing or unknown, or a value is not finite.
    """
    names = [str(column) for column in field.columns]
    for label in labels:
        if label not in names:
            raise UserError(f"the lead field has no column for region {label!r}")
    for name in names:
        if name not in labels:
            raise unknown("region in the lead field", name, labels)
    out = field.set_axis(names, axis=1)[list(labels)].astype(float)
    if not np.isfinite(out.to_numpy()).all():
        row, column = np.argwhere(~np.isfinite(out.to_numpy()))[0]
        raise UserError(f"lead field [{out.index[row]}, {out.columns[column]}] is not a finite number")
    return out


def eeg_response(response: np.ndarray, field: pd.DataFrame | np.ndarray) -> np.ndarray:
    """Response of electrodes, (F, E, M), from that of regions, (F, R, M)."""
    matrix = np.asarray(field, float)
    if matrix.ndim != 2 or response.ndim != 3 or matrix.shape[1] != response.shape[1]:
        raise UserError(
            f"lead field {matrix.shape} and response {response.shape}: (E, R) and (F, R, M) needed"
        )
    return matrix @ response


def eeg_power(response: np.ndarray, field: pd.DataFrame | np.ndarray) -> np.ndarray:
    """Power spectral density at each electrode.

    Parameters
    ----------
    response : ndarray, (F, R, M)
        Dipole moment of each region per independent noise source (`Response.output`); its scale is free
        unless activity is given in nA m.
    field : DataFrame or ndarray, (E, R)
        From `lead_field`, or the user's own.

    Returns
    -------
    ndarray, (F, E)
    """
    out = eeg_response(response, field)
    return (out.real**2 + out.imag**2).sum(-1)


def coherence(cross: np.ndarray) -> np.ndarray:
    """Magnitude-squared coherence |S_ij|^2 / (S_ii S_jj), between 0 and 1.

    Parameters
    ----------
    cross : ndarray, (..., N, N)
        Cross-spectral density.
    """
    power = np.diagonal(cross, axis1=-2, axis2=-1).real
    scale = power[..., :, None] * power[..., None, :]
    return np.minimum(np.abs(cross) ** 2 / scale, 1.0)


def phase_lag(cross: np.ndarray, i: int, j: int) -> np.ndarray:
    """Phase of signal i ahead of signal j in radians, (...); > 0 means that i leads.

    Parameters
    ----------
    cross : ndarray, (..., N, N)
        S_ij = <x_i conj(x_j)>.
    i, j : int
    """
    return np.angle(cross[..., i, j])


def time_lag(cross: np.ndarray, i: int, j: int, frequency: np.ndarray) -> np.ndarray:
    """Time in ms by which signal i is ahead of signal j, (F,), within half a period either way.

    Parameters
    ----------
    cross : ndarray, (F, N, N)
    i, j : int
    frequency : ndarray, (F,)
        Hz, > 0.
    """
    return 1e3 * phase_lag(cross, i, j) / (2 * np.pi * np.asarray(frequency, float))


def plv_from_coherence(coherence: np.ndarray | float) -> np.ndarray:
    """Phase-locking value of circular complex Gaussian signals of a given coherence.

    PLV = (pi / 4) r 2F1(1/2, 1/2; 2; r^2), r^2 the magnitude-squared coherence: the length of the mean of
    exp(i phase difference) (Aydore, Pantazis & Leahy 2013, NeuroImage 74:231). Signals of a linear model
    driven by Gaussian noise are of this kind, so PLV adds nothing to coherence there. Interpolated in a
    table, within 1e-6.

    Parameters
    ----------
    coherence : float or ndarray
        Magnitude-squared coherence, 0 to 1.

    Raises
    ------
    UserError
        If a coherence is outside 0 to 1.
    """
    c = np.asarray(coherence, float)
    if ((c < 0) | (c > 1 + 1e-12)).any():
        raise UserError(f"coherence {c.ravel()[np.argmax(abs(c.ravel() - 0.5))]:g} is not between 0 and 1")
    return np.interp(np.sqrt(c), *_plv_table())


@cache
def _plv_table() -> tuple[np.ndarray, np.ndarray]:
    """Magnitudes of coherency, and the phase-locking value of each."""
    from scipy.special import hyp2f1

    r = np.sin(np.linspace(0.0, np.pi / 2, 1001))
    return r, np.pi / 4 * r * hyp2f1(0.5, 0.5, 2.0, r**2)
