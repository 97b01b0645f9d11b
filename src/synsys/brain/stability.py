"""Stability of a state of rest, from the winding number of its characteristic function.

    F(s) = prod_i det D_i(s) / (s + 0.1)^3  x  det(I - L(s)),   s = i w,

with D_i the local problem of region i and L the loop through the connectome with its delays. F has no
poles in the right half-plane and tends to 1 at infinity, so the number of its zeros there, the unstable
modes, is (arg F(0) - arg F(i inf)) / pi (argument principle; Nyquist 1932, Bell Syst Tech J 11:126).
"""

from dataclasses import dataclass

import numpy as np

from synsys.brain.linear import ClosedLoop, DelayedWeights, Linearised, LongRange, angular, closed_loop
from synsys.brain.spectra import Response
from synsys.brain.state import State
from synsys.circuit.linear import local_transfer

TURN = 0.7
"""Largest change of any angle between neighbouring frequencies before more are put between, rad."""
SIZE = 1.2
"""Largest change of the logarithm of any factor's size between neighbouring frequencies."""
GRADE = 4.0
"""Largest ratio of neighbouring gaps."""
START = np.r_[0.2, 0.5, np.arange(1.0, 13.0), np.arange(14.0, 61.0, 3.0), 66, 74, 86, 100.0]
"""Frequencies that are solved first where no response is given, Hz."""
ENDS = np.array([1e-3, 150.0, 400.0, 1000.0])
"""Frequencies added to those of a given response, Hz; beyond the last F is 1 within its tolerance."""
ROUNDS = 14


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
    if not state.point.converged:
        return Stability(
            False, -1, np.nan, np.nan,
            f"no state of rest was found (potentials still move by {state.point.residual:.2g} mV)",
        )  # fmt: skip
    system = state.linear
    frequency, log_det = _sweep(system, response)
    turns = _turn(log_det)
    modes = int(np.rint(-turns.sum(0) / np.pi).sum())  # every factor is real at 0 and 1 at infinity
    turn = turns.sum(1)
    if modes > 0 and not locate:
        return Stability(False, modes, np.nan, np.nan, f"unstable ({modes} growing modes)")
    if modes > 0:
        s = leading_mode(system, frequency, turn)
        hertz = s.imag / (2e-3 * np.pi)
        kind = f"oscillatory instability near {hertz:.3g} Hz" if hertz > 0.05 else "runaway instability"
        where = " and ".join(places(state, s))
        return Stability(False, modes, hertz, 1e3 * s.real, f"{kind} in {where}")
    return Stability(True, 0, np.nan, np.nan, "stable")


def _turn(log_det: np.ndarray) -> np.ndarray:
    """Angle by which every factor turns from one frequency to the next, rad."""
    return (np.diff(log_det.imag, axis=0) + np.pi) % (2 * np.pi) - np.pi


def _log_det(closed: ClosedLoop | Response) -> np.ndarray:
    """Logarithm of every factor of F, (F, N + 1 + loops)."""
    if isinstance(closed, Response):
        return np.concatenate([np.log(closed.local.det), closed.log_det], 1)
    sign, size = np.linalg.slogdet(closed.core)
    core = (np.log(sign) + size)[:, None]
    return np.concatenate([np.log(closed.local.det), core, closed.log_det_loops], 1)


def _sweep(system: Linearised, response: Response | None) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (Hz) and the logarithm of every factor, dense enough that no turn is missed.

    Between neighbours no factor changes by more than `TURN` in angle or `SIZE` in logarithm, and no gap is
    wider than `GRADE` times the one beside it: two zeros that cross together within one gap turn an angle
    by a whole circle, which shows in the size of the factor only.
    """
    frequency = np.union1d(ENDS, START) if response is None else ENDS
    value = _log_det(closed_loop(system, angular(frequency)))
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
        value = np.concatenate([value, _log_det(closed_loop(system, angular(new)))])
        order = np.argsort(frequency)
        frequency, value = frequency[order], value[order]
    return frequency, value


def leading_mode(system: Linearised, frequency: np.ndarray, turn: np.ndarray) -> complex:
    """Fastest growing zero of the characteristic function that a search finds, as s in 1/ms, Im s >= 0.

    Searches start where F turns backwards, at the unstable modes of regions alone, and at 0; then right of
    the best found, until nothing grows faster.

    Parameters
    ----------
    system : Linearised
    frequency : ndarray, (F,)
        Hz.
    turn : ndarray, (F - 1,)
        Change of arg F from one frequency to the next, rad.
    """
    alone = np.linalg.eigvals(system.jacobian.full).ravel()
    alone = alone[(alone.real > 0) & (alone.imag >= 0)]
    alone = alone[np.argsort(-alone.real)][:2]
    at = _backward(frequency, turn)
    right = np.array([1e-4, 0.01, 0.05])
    along = (2e-3j * np.pi * at[:, None] + right).ravel()
    found = _search(system, np.r_[right, along, alone * (1 + 1e-6), alone + 0.004])
    best = found.real.max(initial=0.0)
    for _ in range(3):
        if not best:
            break
        lead = found[found.real.argmax()]
        found = np.r_[lead, _search(system, lead + best * np.array([0.3, 1.0, 3.0]))]
        if found.real.max() <= best * 1.001:
            break
        best = found.real.max()
    found = np.r_[found, alone[:1]] if not best else found
    if not len(found):
        return complex(0.0, 2e-3 * np.pi * at[0])
    lead = found[found.real.argmax()]
    return complex(lead.real, abs(lead.imag) if abs(lead.imag) > 1e-9 else 0.0)


def _search(system: Linearised, start: np.ndarray) -> np.ndarray:
    """Unstable zeros reached from each start, in 1/ms.

    Nonlinear inverse iteration (Ruhe 1973, SIAM J Numer Anal 10:674, algorithm of Unger): with y solving
    M(s) y = M'(s) x, s moves by -x_k / y_k at the largest x_k, and x becomes y. M = I - L(s), its rows
    times det D_i(s), which takes away the poles of L.
    """
    node = system.wiring.source_node[system.wiring.core]
    s, step, done = start.astype(complex), 1e-7, []
    x = np.random.default_rng(0).standard_normal((len(s), len(node))) + 0j
    for _ in range(25):
        closed = closed_loop(system, np.concatenate([s, s + step]) / 1j)
        m = closed.core * closed.local.det[:, node, None]
        now, slope = m[: len(s)], (m[len(s) :] - m[: len(s)]) / step
        try:
            y = np.linalg.solve(now, slope @ x[..., None])[..., 0]
        except np.linalg.LinAlgError:
            break
        top = np.abs(x).argmax(1)[:, None]
        with np.errstate(all="ignore"):
            move = -(np.take_along_axis(x, top, 1) / np.take_along_axis(y, top, 1))[:, 0]
            x = y / np.abs(y).max(1, keepdims=True)
        move *= np.minimum(1.0, 0.03 / np.maximum(np.abs(move), 1e-30))
        s = s + move
        arrived = np.abs(move) < 1e-8
        done.append(s[arrived])
        keep = ~arrived & np.isfinite(move) & np.isfinite(x).all(1) & (s.real > -0.02)
        s, x = s[keep], x[keep]
        if not len(s):
            break
    roots = np.concatenate(done) if done else np.empty(0, complex)
    return roots[roots.real > 0]


def _backward(frequency: np.ndarray, turn: np.ndarray, most: int = 3) -> np.ndarray:
    """Frequencies (Hz) about which F turns backwards fastest, and furthest."""
    middle = 0.5 * (frequency[1:] + frequency[:-1])
    runs, at = [], 0
    for i in range(1, len(turn) + 1):
        if i == len(turn) or (turn[i] < 0) != (turn[at] < 0):
            if turn[at] < 0:
                runs.append((turn[at:i].sum(), np.average(middle[at:i], weights=-turn[at:i])))
            at = i
    far = [f for _, f in sorted(runs)[:most]]
    steep = middle[np.argsort(turn / np.diff(frequency))[:most]]
    return np.unique(np.r_[far, steep].round(3))


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
