"""States of rest of the signaling network: whether health is one, and where lasting perturbations lead."""

import numpy as np

from synsys.signaling.network import LEAST, STEEPEST, Kinetics, Network, Regulation, mean

NEWTON, KEPT, TOLERANCE = 60, 0.3, 1e-9
"""Steps of the search for a state of rest, the fall of the gap for which a Jacobian is kept, and the gap that
still counts as rest (logarithms of fold nodes, deviations of the others)."""
STEPS, ERROR, GROWTH, HORIZON = 1000, 1e-2, 3.0, 1e6
"""Steps in time where that search fails, their accepted error, the most by which one outgrows the last, and
the days after which what still moves is called at rest."""


def slopes(
    network: Network, y: np.ndarray, change: np.ndarray, inputs: np.ndarray, k: Kinetics
) -> np.ndarray:
    """Effect of what each edge carries on the level its target tends to, (E, N).

    Of the logarithm of fold targets, of the deviation of all others.
    """
    drive = network.drive(y, change, inputs)
    production, loss = network.regulation(y, change, inputs, k)
    s, n = network.saturation, k.exponent
    bend = -n * drive
    grown = np.expm1(np.clip(bend, -STEEPEST, STEEPEST))
    log_h = -np.log1p((1 - 1 / s) * grown)
    steep = np.where(np.abs(bend) < STEEPEST, n * (1 - 1 / s) * (1 + grown) * np.exp(log_h), 0.0)
    out = np.zeros(drive.shape)
    target = network.target
    p = production[target]
    for logic, (rows, starts, targets) in network.groups.items():
        at = target[rows]
        free = (1 - network.basal[at]) / np.maximum(p[rows], LEAST)
        if logic == "and":
            product = np.zeros(production.shape)
            product[targets] = np.exp(np.add.reduceat(log_h[rows], starts, axis=0))
            out[rows] = free * product[at] * steep[rows]
        elif logic == "mean":
            out[rows] = free * k.weight[rows] * np.exp(log_h[rows]) * steep[rows]
        elif logic == "or":
            h = np.exp(log_h[rows])
            gone = np.zeros(production.shape)
            gone[targets] = np.add.reduceat(
                np.log(np.maximum((s[rows] - h) / (s[rows] - 1), LEAST)), starts, axis=0
            )
            missed = np.zeros((len(production), 1))
            missed[targets] = np.exp(np.add.reduceat(np.log1p(-1 / s[rows]), starts, axis=0))
            scale = missed[at] / (1 - missed[at]) * np.exp(gone[at])
            out[rows] = free * scale * h * steep[rows] / np.maximum(s[rows] - h, LEAST)
        else:
            fold = network.fold[at]
            level = p[rows] / loss[at]
            limit = np.minimum(network.limit[at], 1e12)
            part = np.clip(level / limit, -1 + LEAST, 1 - LEAST)
            bound, raw = 1 - part**2, limit * np.arctanh(part)
            if logic == "loss":
                out[rows] = np.where(fold, -steep[rows], -bound * raw * steep[rows])
            else:
                shut = network.index[at] & (level <= 0) & (drive[rows] != 0)
                out[rows] = np.where(shut, 0.0, bound * n[rows] / loss[at])
    return out


def jacobian(network: Network, slope: np.ndarray) -> np.ndarray:
    """Effect of every node on the level that each tends to, by kind of region, (kinds, S, S).

    Row: target. Mean over the regions of a kind; what the body sees is taken to be that kind everywhere.
    Nodes that are closed in adults are moved by nothing.
    """
    first, kind = network.kinds
    weight = np.stack([(kind == c) / (kind == c).sum() for c in range(len(first))], 1)
    acting = (slope * network.mask * network.window) @ weight
    still = (network.rate @ weight) > 0
    out = np.zeros((len(first), len(network.names), len(network.names)))
    own = np.flatnonzero(network.source < len(network.names))
    np.add.at(out, (slice(None), network.target[own], network.source[own]), acting[own].T)
    return out * still.T[:, :, None]


def growth(network: Network, k: Kinetics) -> tuple[float, float]:
    """Stability of health over all kinds of region, adults' closed nodes left out.

    An index reacts to what raises it only; this is the brain in which all of them may move.

    Returns
    -------
    growth : float
        Largest growth rate about health, 1/day; negative if health is stable.
    gain : float
        Largest real eigenvalue of the effects on steady levels: 1 is where a loop sustains itself.
    """
    healthy = network.healthy()
    slope = slopes(network, healthy, 0 * healthy, np.zeros((len(network.inputs), network.size)), k)
    moving = network.rate.max(1) > 0
    e = jacobian(network, slope)[:, moving][:, :, moving]
    pace = (network.rate.max(1) / k.tau[:, 0])[moving]
    gains = np.linalg.eigvals(e)
    alone = np.where(np.abs(gains.imag) < 1e-9, gains.real, -np.inf)
    return float(np.linalg.eigvals((e - np.eye(len(pace))) * pace[:, None]).real.max()), float(alone.max())


def stationary(
    network: Network,
    change: np.ndarray,
    inputs: np.ndarray,
    k: Kinetics,
    y: np.ndarray | None = None,
    inverse: np.ndarray | None = None,
) -> tuple[np.ndarray, bool]:
    """Levels of adults that a lasting perturbation leads to.

    Newton steps with a Jacobian for each kind of region; if they do not settle, the way through time.

    Parameters
    ----------
    network : Network
    change, inputs, k
        As for `Network.regulation`.
    y : ndarray, (S, N), optional
        Start; health by default.
    inverse : ndarray, (kinds, S, S), optional
        (I - J)^-1 to begin with (`response`).

    Returns
    -------
    y : ndarray, (S, N)
    bool
        Whether it is at rest.
    """
    kind = network.kinds[1]
    shut = network.rate == 0
    first = y = network.healthy() if y is None else y
    before, fresh = np.inf, False
    for _ in range(NEWTON):
        gap = _gap(network, network.regulation(y, change, inputs, k), y)
        gap[shut] = 0.0
        size = float(np.abs(gap).max(initial=0.0))
        if size < TOLERANCE:
            return y, True
        if not np.isfinite(size):
            break
        if inverse is None or (size > KEPT * before and not fresh):
            inverse, fresh = response(network, slopes(network, y, change, inputs, k)), True
        else:
            fresh = False
        before = size
        step = np.empty(gap.shape)
        for c in range(len(inverse)):
            step[:, kind == c] = inverse[c] @ gap[:, kind == c]
        step[network.body] = (step[network.body] @ network.share)[:, None]
        step *= min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-30))
        y = np.where(network.fold, y * np.exp(step * network.fold), y + step)
    return _in_time(network, first, change, inputs, k)


def response(network: Network, slope: np.ndarray) -> np.ndarray:
    """(I - J)^-1 of every kind of region."""
    return np.linalg.inv(np.eye(len(network.names)) - jacobian(network, slope))


def _gap(network: Network, regulation: Regulation, y: np.ndarray) -> np.ndarray:
    rest = regulation[0] / regulation[1]
    fold = np.log(np.maximum(np.where(network.fold, rest, 1.0), LEAST))
    fold -= np.log(np.maximum(np.where(network.fold, y, 1.0), LEAST))
    return np.where(network.fold, fold, rest - y)


def _in_time(
    network: Network, y: np.ndarray, change: np.ndarray, inputs: np.ndarray, k: Kinetics
) -> tuple[np.ndarray, bool]:
    """Where time leads from `y`, and whether it comes to rest there."""
    days, passed = 1e-3, 0.0
    old = network.regulation(y, change, inputs, k)
    for _ in range(STEPS):
        gap = _gap(network, old, y)
        gap[network.rate == 0] = 0.0
        if passed > HORIZON or float(np.abs(gap).max(initial=0.0)) < 1e3 * TOLERANCE:
            return y, True
        guess = network.advanced(y, old, k, days)
        both = mean(old, network.regulation(guess, change, inputs, k))
        new = network.advanced(y, both, k, days)
        error = network.apart(new, guess)
        if error <= ERROR:
            y, old, passed = new, network.regulation(new, change, inputs, k), passed + days
        days *= min(GROWTH, max(0.2, 0.9 * np.sqrt(ERROR / max(error, 1e-12))))
    return y, False
