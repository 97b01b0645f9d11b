"""Age: when developmental processes run, and what healthy brains are like at each age.

Two things depend on age. The *rate* w of a developmental process gates every change of the nodes it
governs, dy/dt = w(age) (production - loss) / tau, so that a deviation made inside its window is kept once
the window has closed. The *age norm* of a quantity multiplies (or is added to) the healthy adult value.
Both are tables (`synsys.knowledge.development`); ages are in years from birth, negative before it.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synsys.core.connectome import STRUCTURES
from synsys.core.errors import UserError, unknown
from synsys.knowledge.development import DevelopmentCurve, DevelopmentProcess, age_curves, processes

if TYPE_CHECKING:
    from scipy.interpolate import PchipInterpolator

REFERENCE_AGE = 27.5
"""Age (years) at which every age norm is 1, or 0 for a difference: the adults of the calibration."""
PRUNING_WINDOWS = ("adolescence", "childhood")
"""When excess pruning strikes: the default ages, or the variant of ``development_processes.csv``."""
LOSS_BLEND = 5.0
"""Half-width (years) of the smooth beginning of ageing."""

Where = tuple[str, ...]


class Norm(NamedTuple):
    """Healthy value of a quantity at an age, relative to the adult (fold) or minus it (shift)."""

    quantity: str
    cell: tuple[str, ...]
    where: Where
    value: float


class Window(NamedTuple):
    """When a developmental process runs, years; None where it has no beginning or end."""

    process: str
    where: Where
    onset: float | None
    peak: float
    until: float
    offset: float | None
    adult_floor: float


def rate(
    process: str,
    age: float | np.ndarray,
    where: Sequence[str] = (),
    pruning_timing: float = 0.0,
    pruning_window: str = "adolescence",
) -> np.ndarray:
    """Rate of a developmental process, 0 to 1, with a continuous slope.

    Rises from 0 at onset to 1 at the peak, and falls after its plateau to the adult floor at the offset,
    each by the cubic 3 u^2 - 2 u^3.

    Parameters
    ----------
    process : str
        A process of ``development_processes.csv``; empty is *adult*, always 1.
    age : float or ndarray
        Years from birth.
    where : sequence of str
        Places of one of its rows (`windows`); empty for everywhere else.
    pruning_timing : float
        Years by which the pruning window comes late (negative: early).
    pruning_window : {"adolescence", "childhood"}
        When excess pruning is held to happen: the ages of the default rows, or early childhood in all
        regions. The age norms stay what they are.

    Returns
    -------
    ndarray
        Shape of `age`.

    Raises
    ------
    UserError
        If the process, its places or the window are unknown.
    """
    row = _row(process or "adult", tuple(where), pruning_window)
    late = pruning_timing if row.process == "pruning" else 0.0
    return _window(row, np.asarray(age, float) - late)


def regional_rate(
    process: str,
    age: float,
    mask: Callable[[Where], np.ndarray],
    pruning_timing: float = 0.0,
    pruning_window: str = "adolescence",
) -> np.ndarray:
    """Rate of a process in every region at one age.

    Parameters
    ----------
    process, age, pruning_timing, pruning_window
        As for `rate`.
    mask : callable
        Bool array of the regions that lie in places such as ``("PFC", "ACC")``, or of all for ``()``.

    Returns
    -------
    ndarray
        Shape of what `mask` returns.
    """
    out = np.full(np.shape(mask(())), np.nan)
    for row in _rows(process or "adult", pruning_window):
        here = mask(row.where)
        out[here] = rate(row.process, age, row.where, pruning_timing, pruning_window)
    return out


def windows(pruning_timing: float = 0.0, pruning_window: str = "adolescence") -> list[Window]:
    """Every process and place with its ages, in order of the peak, for reports and figures."""
    names = dict.fromkeys(row.process for row in processes())
    found = []
    for row in (row for name in names for row in _rows(name, pruning_window)):
        late = pruning_timing if row.process == "pruning" else 0.0
        onset = None if row.onset is None else row.onset + late
        offset = None if row.offset is None else row.offset + late
        peak, until = row.peak + late, row.fall + late
        found.append(Window(row.process, row.where, onset, peak, until, offset, row.adult_floor))
    return sorted(found, key=lambda window: window.peak)


def curves(age: float, use: str = "circuit", pruning_timing: float = 0.0) -> list[Norm]:
    """Age norms at one age: exactly 1 (fold) or 0 (shift) at `REFERENCE_AGE`.

    Rows come in the order in which they are to be set: one with places replaces, in these, the row of the
    same quantity before it. Before birth the values are those of the first age of the table.

    Parameters
    ----------
    age : float
        Years from birth.
    use : {"circuit", "readout", "check"}
        Numbers of the circuit; norms of readouts; published norms of what the circuit computes itself.
    pruning_timing : float
        Years by which the elimination of synapses comes late. It delays the decline of the spine density
        after its peak; relative to the norm there are then too many spines for a while. The size of the
        synapses keeps to the norm.

    Returns
    -------
    list of Norm
    """
    return [
        Norm(row.quantity, row.cell, row.where, float(_norm(row, np.asarray(age, float), pruning_timing)))
        for row in _curves(use)
    ]


def curve(
    quantity: str,
    age: float | np.ndarray,
    cell: Sequence[str] = (),
    where: Sequence[str] = (),
    pruning_timing: float = 0.0,
) -> np.ndarray:
    """One age norm over ages; `quantity`, `cell` and `where` as in ``development_curves.csv``.

    Raises
    ------
    UserError
        If the table has no such row.
    """
    rows = {(row.quantity, row.cell, row.where): row for row in age_curves()}
    key = (quantity, tuple(cell), tuple(where))
    if quantity not in {row.quantity for row in age_curves()}:
        raise unknown("age curve", quantity, sorted({row.quantity for row in age_curves()}))
    if key not in rows:
        there = [f"{'+'.join(c) or 'all'} in {'+'.join(w) or 'all'}" for q, c, w in rows if q == quantity]
        raise UserError(f"no age curve of {quantity} for {cell} in {where} (there are: {'; '.join(there)})")
    return _norm(rows[key], np.asarray(age, float), pruning_timing)


def norms(
    age: float,
    mask: Callable[[Sequence[str], Sequence[str]], np.ndarray],
    use: str = "circuit",
    pruning_timing: float = 0.0,
) -> dict[str, np.ndarray]:
    """Age norms laid out on the populations of a brain.

    Parameters
    ----------
    age, use, pruning_timing
        As for `curves`.
    mask : callable
        ``mask(cell, where)``: bool array of the populations, such as `synsys.brain.modulation.Places.mask`.

    Returns
    -------
    dict of str to ndarray
        For each quantity the fold (1 where nothing is known) or shift (0), in the shape of the masks.
    """
    neutral = {row.quantity: 1.0 if row.form == "fold" else 0.0 for row in age_curves()}
    out: dict[str, np.ndarray] = {}
    for norm in curves(age, use, pruning_timing):
        here = mask(norm.cell, norm.where)
        values = out.setdefault(norm.quantity, np.full(here.shape, neutral[norm.quantity]))
        values[here] = norm.value
    return out


def _rows(process: str, pruning_window: str) -> list[DevelopmentProcess]:
    """Rows of a process under a choice of pruning window, the one without places first."""
    if pruning_window not in PRUNING_WINDOWS:
        raise unknown("pruning window", pruning_window, PRUNING_WINDOWS)
    mine = [row for row in processes() if row.process == process]
    if not mine:
        raise unknown("developmental process", process, dict.fromkeys(row.process for row in processes()))
    chosen = [row for row in mine if row.variant == pruning_window]
    return sorted(chosen or [row for row in mine if not row.variant], key=lambda row: len(row.where) > 0)


def _row(process: str, where: Where, pruning_window: str) -> DevelopmentProcess:
    rows = {row.where: row for row in _rows(process, pruning_window)}
    if where in rows:
        return rows[where]
    if where in {row.where for row in processes() if row.process == process}:
        return rows[()]  # a variant that does not tell places apart
    known = ["|".join(places) for places in rows if places]
    raise unknown(f"place of {process}", "|".join(where), known)


def _window(row: DevelopmentProcess, age: np.ndarray) -> np.ndarray:
    up = _smooth((age - row.onset) / (row.peak - row.onset)) if row.onset is not None else np.ones_like(age)
    if row.offset is None:
        return up
    down = _smooth((age - row.fall) / (row.offset - row.fall))
    return up * (1.0 - (1.0 - row.adult_floor) * down)


def _smooth(u: np.ndarray) -> np.ndarray:
    """Cubic step from 0 to 1 with zero slope at both ends."""
    u = np.clip(u, 0.0, 1.0)
    return u * u * (3.0 - 2.0 * u)


def _curves(use: str) -> list[DevelopmentCurve]:
    uses = dict.fromkeys(row.use for row in age_curves())
    if use not in uses:
        raise unknown("use of an age curve", use, uses)
    return sorted((row for row in age_curves() if row.use == use), key=lambda row: _breadth(row.where))


def _breadth(where: Where) -> int:
    """Rank of a row's places: everywhere, whole structures, then parts of them."""
    return 0 if not where else 1 if set(where) <= set(STRUCTURES) else 2


def _norm(row: DevelopmentCurve, age: np.ndarray, pruning_timing: float) -> np.ndarray:
    at_reference = _adult(row)
    late = pruning_timing if row.quantity == "spine_density" else 0.0
    here = _course(row, _delayed(row, age, late) if late else age)
    return here / at_reference if row.form == "fold" else here - at_reference


def _delayed(row: DevelopmentCurve, age: np.ndarray, late: float) -> np.ndarray:
    """Age at which the course of synapse number is read if its decline comes `late` years late.

    The delay sets in smoothly at the peak and ends where pruning would have; ageing keeps its time.
    """
    peak = row.ages[int(np.argmax(row.values))]
    span = max(4.0 * abs(late), 4.0)
    leaving = _smooth((age - peak) / span)
    back = 1.0 - _smooth((age - 40.0) / span)
    return age - late * leaving * back


@cache
def _adult(row: DevelopmentCurve) -> np.ndarray:
    """Course of the row at the reference age."""
    return _course(row, np.asarray(REFERENCE_AGE))


def _course(row: DevelopmentCurve, age: np.ndarray) -> np.ndarray:
    """The points joined, flat before and after them, times ageing."""
    joined = _joined(row)
    return joined(np.clip(age, joined.x[0], joined.x[-1])) * _ageing(row, age)


@cache
def _joined(row: DevelopmentCurve) -> "PchipInterpolator":
    """Monotone cubic through the points (Fritsch & Carlson 1980), of zero slope at both ends."""
    from scipy.interpolate import PchipInterpolator

    ages = (row.ages[0] - 1.0, *row.ages, row.ages[-1] + 10.0)  # equal neighbours give the ends zero slope
    return PchipInterpolator(ages, (row.values[0], *row.values, row.values[-1]))


def _ageing(row: DevelopmentCurve, age: np.ndarray) -> np.ndarray:
    """(1 - loss)^(decades since `loss_from`), its beginning blended over `LOSS_BLEND` years."""
    x = age - row.loss_from
    blend = (x + LOSS_BLEND) ** 2 / (4.0 * LOSS_BLEND)
    years = np.where(x <= -LOSS_BLEND, 0.0, np.where(x >= LOSS_BLEND, x, blend))
    return (1.0 - row.loss_per_decade) ** (years / 10.0)
