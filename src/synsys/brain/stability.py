"""Stability of a state of rest, from the winding number of its characteristic function.

    F(s) = prod_i det D_i(s) / (s + 0.1)^3  x  det(I - L(s)),   s = i w,

with D_i the local problem of region i and L the loop through the connectome with its delays. F has no
poles in the right half-plane and tends to 1 at infinity, so the number of its zeros there, the unstable
modes, is (arg F(0) - arg F(i inf)) / pi (argument principle; Nyquist 1932, Bell Syst Tech J 11:126).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from synsys.brain.linear import ClosedLoop, DelayedWeights, Linearised, LongRange, angular, closed_loop
from synsys.brain.spectra import Response
from synsys.brain.state import State
from synsys.brain.wiring import Wiring
from synsys.circuit.linear import local_transfer

TURN = 0.7
"""Largest change of any angle between neighbouring frequencies before more are put between, rad."""
SIZE = 1.2
"""Largest change of the logarithm of any factor's size between neighbouring frequencies."""
GRADE = 4.0
"""Largest ratio of neighbouring gaps."""
START = np.r_[0.2, 0.5, np.arange(1.0, 13.0), np.arange(14.0, 61.0, 3.0), 66, 74, 86, 100.0]
"""Frequencies that are solved first where no response is given, Hz."""
BESIDE = np.array([0.3, 0.55, 0.8, 1.25, 1.5, 1.75, 16.5, 20.0, 24.0])
"""Frequencies that most states need beside those of a response, Hz."""
ENDS = np.array([0.0, 150.0, 400.0, 1000.0])
"""Frequencies added always, Hz; beyond the last F is 1 within its tolerance."""
ROUNDS = 14
ATTEMPTS = 40
"""Lines Re s = sigma that the search of a mode tries."""
NARROW = 1e-7
"""Width of the bracket of a growth at which it counts as found, 1/ms."""
FASTEST = 10.0
"""Growth beyond which no mode is looked for, 1/ms."""
_STEP = 1e-6


@dataclass(frozen=True)
class Stability:
    """Whether a state of rest persists.

    Attributes
    ----------
    stable : bool
    unstable_modes : int
        Zeros of the characteristic function in the right half-plane, a complex pair counting as 2; -1
        where there is no state of rest to speak of.
    frequency : float
        Frequency of the fastest growing mode, Hz; 0 for a runaway, NaN if stable.
    growth : float
        Its growth rate, 1/s; NaN if stable.
    reason : str
        One line for the user.
    """

    stable: bool
    unstable_modes: int
    frequency: float
    growth: float
    reason: str


def stability(state: State, response: Response | None = None, locate: bool = True) -> Stability:
    """Stability of a state.

    Parameters
    ----------
    state : State
    response : Response, optional
        Solved response of the same state, whose determinants are then used and not solved again.
    locate : bool
        Whether to find frequency, growth and place of an instability, which takes about ten times as long.

    Returns
    -------
    Stability
    """
    if state.restless:
        return Stability(False, -1, np.nan, np.nan, state.restless)
    modes = _count(_sweep(state.linear, response)[1])
    if modes <= 0:
        return Stability(True, 0, np.nan, np.nan, "stable")
    number = f"{modes} growing mode{'s' if modes > 1 else ''}"
    if not locate:
        return Stability(False, modes, np.nan, np.nan, f"unstable ({number})")
    s = leading_mode(state.linear)
    if s is None:
        return Stability(False, modes, np.nan, np.nan, f"unstable ({number}, mode not located)")
    hertz = s.imag / float(angular(1.0))
    kind = f"oscillatory instability near {hertz:.3g} Hz" if hertz > 0.05 else "runaway instability"
    where = " and ".join(places(state, s))
    return Stability(False, modes, hertz, 1e3 * s.real, f"{kind} in {where}")


def _turn(log_det: np.ndarray) -> np.ndarray:
    """Angle by which every factor turns from one frequency to the next, rad."""
    return (np.diff(log_det.imag, axis=0) + np.pi) % (2 * np.pi) - np.pi


def _count(log_det: np.ndarray) -> int:
    """Zeros right of the line along which the factors were followed, a complex pair as 2."""
    turns = _turn(log_det).sum(0)  # every factor is real at the real axis and 1 at infinity
    return int(np.rint(-turns / np.pi).sum())


def _log_det(closed: ClosedLoop | Response) -> np.ndarray:
    """Logarithm of every factor of F, (F, N + 1 + loops)."""
    if isinstance(closed, Response):
        return np.concatenate([np.log(closed.local.det), closed.log_det], 1)
    sign, size = np.linalg.slogdet(closed.core)
    core = (np.log(sign) + size)[:, None]
    return np.concatenate([np.log(closed.local.det), core, closed.log_det_loops], 1)


@lru_cache(maxsize=4)
def _prepared(wiring: Wiring, alone: bool) -> tuple[np.ndarray, DelayedWeights]:
    """Frequencies solved first, without and with a response, and the healthy delayed weights there."""
    frequency = np.union1d(ENDS, START if alone else BESIDE)
    return frequency, DelayedWeights(wiring, angular(frequency))


def _sweep(
    system: Linearised, response: Response | None = None, sigma: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (Hz) and the logarithm of every factor on Re s = sigma, dense enough to miss no turn.

    Between neighbours no factor changes by more than `TURN` in angle or `SIZE` in logarithm, and no gap is
    wider than `GRADE` times the one beside it: two zeros that cross together within one gap turn an angle
    by a whole circle, which shows in the size of the factor only.
    """

    def solved(frequency: np.ndarray, delayed: DelayedWeights | None = None) -> np.ndarray:
        return _log_det(closed_loop(system, angular(frequency) - 1j * sigma, delayed))

    frequency, delayed = _prepared(system.wiring, response is None)
    value = solved(frequency, None if sigma or (system.speed != 1.0).any() else delayed)
    if response is not None:
        frequency = np.r_[frequency, response.frequency]
        value = np.concatenate([value, _log_det(response)])
    frequency, order = np.unique(frequency, return_index=True)
    value = value[order]
    for _ in range(ROUNDS):
        gap = np.diff(frequency)
        turn = np.abs(_turn(value)).max(1)
        change = np.abs(np.diff(value.real, axis=0)).max(1)
        least = np.minimum(np.r_[gap[1:], np.inf], np.r_[np.inf, gap[:-1]])
        inside = (frequency[:-1] > 0.4) & (frequency[1:] < 150.0)
        wide = (turn > TURN) | (change > SIZE) | (inside & (gap > GRADE * least))
        at = np.flatnonzero(wide & (gap > 1e-6))
        if not len(at):
            break
        more = []
        for i in at:
            parts = 2 if turn[i] < 2 * TURN else 4
            more.append(frequency[i] + np.arange(1, parts) / parts * gap[i])
        new = np.concatenate(more)
        frequency = np.r_[frequency, new]
        value = np.concatenate([value, solved(new)])
        order = np.argsort(frequency)
        frequency, value = frequency[order], value[order]
    return frequency, value


def leading_mode(system: Linearised) -> complex | None:
    """Fastest growing zero of the characteristic function, as s in 1/ms with Im s >= 0.

    The winding of F along the line Re s = sigma counts the zeros right of it (F has no poles right of the
    slowest gate), so halving brackets the largest growth. On the way, Newton's method starts on the left
    line where F changes fastest, and at the real axis; a zero that it finds is the answer if none lies right
    of it. Zeros that coincide (loops that are alike) may escape it; then the bracket closes on them, and the
    place on the line where F changes fastest is the answer.

    Parameters
    ----------
    system : Linearised
        Unstable.

    Returns
    -------
    complex or None
        None if the search fails.
    """
    low, high, line = 0.0, 0.02, _sweep(system)
    while _count((ahead := _sweep(system, sigma=high))[1]) > 0:
        low, high, line = high, 4.0 * high, ahead
        if high > FASTEST:
            return None
    searched = -1.0
    for _ in range(ATTEMPTS):
        if low > searched:
            found = _newton(system, low + 1j * angular(np.r_[0.0, _steep(*line)]))
            found = found[(found.real > low) & (found.real < high * (1 + 1e-6))]
            searched = low
            if len(found):
                lead = found[found.real.argmax()]
                low = lead.real + max(1e-4 * lead.real, NARROW)
                line = _sweep(system, sigma=low)
                if low >= high or _count(line[1]) <= 0:
                    return complex(lead.real, abs(lead.imag) if abs(lead.imag) > 1e-9 else 0.0)
        middle = 0.5 * (low + high)
        ahead = _sweep(system, sigma=middle)
        if _count(ahead[1]) > 0:
            low, line = middle, ahead
        else:
            high = middle
        if high - low < NARROW:
            hertz = _steep(*line, most=1)[0]
            return complex(low, angular(hertz) if hertz > 1e-2 else 0.0)
    return None


def _steep(frequency: np.ndarray, log_det: np.ndarray, most: int = 4) -> np.ndarray:
    """Frequencies (Hz) where F changes fastest along a line, fastest first: a zero is near."""
    log_f = log_det.sum(1)
    rate = np.hypot(_turn(log_f[:, None])[:, 0], np.diff(log_f.real)) / np.diff(frequency)
    before, after = np.r_[0.0, rate[:-1]], np.r_[rate[1:], 0.0]
    peaks = np.flatnonzero((rate >= before) & (rate >= after))
    peaks = peaks[np.argsort(-rate[peaks])][:most]
    return 0.5 * (frequency[peaks + 1] + frequency[peaks])


def _newton(system: Linearised, s: np.ndarray, most: int = 30) -> np.ndarray:
    """Zeros of F reached from each start s (1/ms) by Newton's method, s - F / F'."""
    done = []
    for _ in range(most):
        log_f = _log_det(closed_loop(system, np.concatenate([s, s + _STEP]) / 1j)).sum(1)
        with np.errstate(all="ignore"):
            move = -_STEP / np.expm1(log_f[len(s) :] - log_f[: len(s)])
        move *= np.minimum(1.0, 0.03 / np.maximum(np.abs(move), 1e-30))
        s = s + move
        arrived = np.abs(move) < 1e-8
        done.append(s[arrived])
        s = s[~arrived & np.isfinite(move) & (s.real > -0.02)]
        if not len(s):
            break
    return np.concatenate(done)


def places(state: State, s: complex, most: int = 3) -> list[str]:
    """Regions that a mode moves most, by the null vector of I - L(s).

    Parameters
    ----------
    state : State
    s : complex
        Zero of the characteristic function, 1/ms.
    most : int
        How many regions at most; those that move less than half as much as the first are left out.
    """
    system, wiring = state.linear, state.linear.wiring
    omega = np.array([s / 1j])
    local = local_transfer(system.jacobian, omega)
    sources = np.arange(len(wiring.source_node))
    delayed = DelayedWeights(wiring, omega, system.speed)
    loop = LongRange(wiring, local, system.coupling).block(sources, sources, delayed)[0]
    amplitude = np.zeros(len(wiring.nodes))
    _, size, vector = np.linalg.svd(np.eye(len(loop)) - loop)
    if size[-1] < 1e-3:
        np.maximum.at(amplitude, wiring.source_node, np.abs(vector[-1]))
    else:  # the mode does not leave its node
        amplitude[np.abs(local.det[0]).argmin()] = 1.0
    region = wiring.nodes.region.to_numpy()
    by_region = {int(r): float(amplitude[region == r].max()) for r in np.unique(region)}
    order = sorted(by_region, key=lambda r: -by_region[r])
    labels = state.healthy.model.brain.labels
    strong = [r for r in order[:most] if by_region[r] > 0.5 * by_region[order[0]]]
    return [labels[r] if r >= 0 else "brainstem" for r in strong]
