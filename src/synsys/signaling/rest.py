"""States of rest of the signaling network: whether health is one, and where lasting perturbations lead."""

from collections.abc import Callable, Sequence

import numpy as np

from synsys.signaling.network import LEAST, STEEPEST, Kinetics, Network, Regulation

NEWTON, KEPT, TOLERANCE, STALLED = 60, 0.6, 1e-7, 1e-5
"""Steps of the search for a state of rest, the fall of the gap for which a Jacobian is kept, the gap that
still counts as rest (logarithms of fold nodes, deviations of the others), and the gap that does so where it
falls no further: about an index that is at its least."""
STEPS, ERROR, GROWTH, HORIZON = 300, 1e-2, 2.0, 1e5
"""Steps in time where that search fails, their accepted error, the most by which one outgrows the last, and
the days after which what still moves is called at rest."""
REFRESHED, ALIKE, MOST = 25, 0.25, 3.0
"""Steps after which a Jacobian is taken anew, doublings of the step after which it is, and the largest change
of a logarithm in one step."""


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


def jacobian(network: Network, slope: np.ndarray, heard: np.ndarray | None = None) -> np.ndarray:
    """Effect of every node on the level that each tends to, by kind of region, (kinds, S, S).

    Row: target. Mean over the regions of a kind; what the body sees is taken to be that kind everywhere.
    Nodes that are closed in adults are moved by nothing.

    Parameters
    ----------
    slope : ndarray, (E, N)
        From `slopes`.
    heard : ndarray, (kinds, K, S), optional
        Effect of every node on every input: what comes back through the circuit.
    """
    first, kind = network.kinds
    weight = np.stack([(kind == c) / (kind == c).sum() for c in range(len(first))], 1)
    acting = (slope * network.mask * network.window) @ weight
    still = (network.rate @ weight) > 0
    size, inputs = len(network.names), len(network.inputs)
    out = np.zeros((len(first), size, size + inputs))
    for c in range(len(first)):
        np.add.at(out[c], (network.target, network.source), acting[:, c])
    whole = out[:, :, :size] if heard is None else out[:, :, :size] + out[:, :, size:] @ heard
    return np.asarray(whole * still.T[:, :, None])


def regional_jacobian(network: Network, slope: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """Effect of every node on the level that each tends to, less itself: J - I of every region, (N, S, S).

    As `jacobian`, `heard` (N, K, S) being that of the region itself.
    """
    size, inputs = len(network.names), len(network.inputs)
    whole = np.zeros((size, size + inputs, network.size))
    np.add.at(whole, (network.target, network.source), slope * network.mask * network.window)
    whole = np.ascontiguousarray(np.moveaxis(whole, -1, 0))
    out = whole[:, :, :size] + whole[:, :, size:] @ heard
    return (out * (network.rate > 0).T[:, :, None] - np.eye(size)).astype(np.float32)


def growth(
    network: Network,
    k: Kinetics,
    heard: np.ndarray | None = None,
    slope: np.ndarray | None = None,
    kinds: Sequence[int] | None = None,
) -> tuple[float, float]:
    """Stability of health over all kinds of region, adults' closed nodes left out.

    An index reacts to what raises it only; this is the brain in which all of them may move.

    Parameters
    ----------
    heard : ndarray, optional
        As for `jacobian`; without it the network alone.
    slope : ndarray, optional
        `healthy_slopes`, where they are known.
    kinds : sequence of int, optional
        Kinds of region; all by default.

    Returns
    -------
    growth : float
        Largest growth rate about health, 1/day; negative if health is stable.
    gain : float
        Largest real eigenvalue of the effects on steady levels: 1 is where a loop sustains itself.
    """
    moving = network.rate.max(1) > 0
    e = jacobian(network, healthy_slopes(network, k) if slope is None else slope, heard)
    e = (e if kinds is None else e[list(kinds)])[:, moving][:, :, moving]
    pace = (network.rate.max(1) / k.tau[:, 0])[moving]
    gains = np.linalg.eigvals(e)
    alone = np.where(np.abs(gains.imag) < 1e-9, gains.real, -np.inf)
    return float(np.linalg.eigvals((e - np.eye(len(pace))) * pace[:, None]).real.max()), float(alone.max())


def healthy_slopes(network: Network, k: Kinetics) -> np.ndarray:
    """`slopes` at health."""
    healthy = network.healthy()
    return slopes(network, healthy, 0 * healthy, np.zeros((len(network.inputs), network.size)), k)


def gap(network: Network, regulation: Regulation, y: np.ndarray) -> np.ndarray:
    """How far each node is from the level it tends to: of logarithms of fold nodes, (S, N)."""
    rest = regulation[0] / regulation[1]
    fold = np.log(np.maximum(np.where(network.fold, rest, 1.0), LEAST))
    fold -= np.log(np.maximum(np.where(network.fold, y, 1.0), LEAST))
    return np.where(network.rate == 0, 0.0, np.where(network.fold, fold, rest - y))


def moved(network: Network, y: np.ndarray, step: np.ndarray, most: float = 1.0) -> np.ndarray:
    """Levels after a step of logarithms (fold) or deviations, none of them larger than `most`."""
    step = step * min(1.0, most / max(float(np.abs(step).max(initial=0.0)), 1e-30))
    new = np.where(network.fold, y * np.exp(step * network.fold), y + step)
    return np.where(network.index, np.maximum(new, 0.0), new)


def worst(error: np.ndarray) -> float:
    """Error of the node that has most, root mean square over the regions, of errors (S, N)."""
    return float(np.sqrt((error**2).mean(1)).max(initial=0.0))


def by_kind(network: Network, matrices: np.ndarray, values: np.ndarray) -> np.ndarray:
    """A matrix for every kind of region (kinds, S, S) applied to values (S, N); the body's are averaged."""
    kind = network.kinds[1]
    out = np.empty(values.shape)
    for c in range(len(matrices)):
        out[:, kind == c] = matrices[c] @ values[:, kind == c]
    out[network.body] = (out[network.body] @ network.share)[:, None]
    return out


Hear = Callable[[np.ndarray], np.ndarray]
"""What the network hears, (K, N), at given levels (S, N)."""


def stationary(
    network: Network, change: np.ndarray, hear: Hear, k: Kinetics, heard: np.ndarray | None = None
) -> tuple[np.ndarray, bool]:
    """Levels of adults that a lasting perturbation leads to, from health.

    Newton steps with a Jacobian for each kind of region; if they do not settle, the way through time.

    Parameters
    ----------
    network : Network
    change, k
        As for `Network.regulation`.
    hear : callable
        Inputs at given levels.
    heard : ndarray, (kinds, K, S), optional
        As for `jacobian`.

    Returns
    -------
    y : ndarray, (S, N)
    bool
        Whether it is at rest.
    """
    first = y = network.healthy()
    before, inverse = np.inf, None
    for _ in range(NEWTON):
        inputs = hear(y)
        left = gap(network, network.regulation(y, change, inputs, k), y)
        size = float(np.abs(left).max(initial=0.0))
        if size < TOLERANCE or before <= size < STALLED:
            return y, True
        if not np.isfinite(size):
            break
        if inverse is None or size > KEPT * before:
            slope = slopes(network, y, change, inputs, k)
            inverse = np.linalg.inv(np.eye(len(network.names)) - jacobian(network, slope, heard))
        before = size
        y = moved(network, y, by_kind(network, inverse, left))
    step, days, passed = Step(network, k, heard), 1e-3, 0.0
    y = first
    for _ in range(STEPS):
        left = gap(network, network.regulation(y, change, hear(y), k), y)
        if passed > HORIZON or float(np.abs(left).max(initial=0.0)) < TOLERANCE:
            return y, True
        new, apart = step(y, change, change, hear(y), hear, days)
        error = worst(apart)
        if error <= ERROR:
            y, passed = new, passed + days
        days *= min(GROWTH, max(0.2, 0.9 * np.sqrt(ERROR / max(error, 1e-12))))
    return y, False


class Step:
    """Steps in time that stay stable where loops are fast: ROS2 with an approximate Jacobian.

    (I - g h A) k1 = f(t, x);  (I - g h A) k2 = f(t + h, x + h k1) - 2 k1;  x += h (3 k1 + k2) / 2,
    g = 1 + 1/sqrt(2), with which the first stage does not overshoot: second order whatever A (Verwer, Spee,
    Blom & Hundsdorfer 1999, SIAM J Sci Comput 20:1456), in x = ln y of fold nodes and y of all others.

    Parameters
    ----------
    network : Network
    k : Kinetics
    heard : ndarray, (kinds, K, S) or (N, K, S), optional
        As for `jacobian`; by region if `regional`.
    regional : bool
        Whether the Jacobian is that of health in every region, with windows as open as in adults, factorised
        once for every power of two of the step, instead of one for each kind of region taken anew.
    """

    GAMMA = 1.0 + 0.5**0.5

    def __init__(
        self, network: Network, k: Kinetics, heard: np.ndarray | None = None, regional: bool = False
    ) -> None:
        self.network, self.k, self.heard = network, k, heard
        self._days: float | None = None
        self._age = 0
        self._regional: np.ndarray | None = None
        self._factorised: dict[int, np.ndarray] = {}
        if regional and heard is not None:
            self._regional = regional_jacobian(network, healthy_slopes(network, k), heard)

    def _solved(self, values: np.ndarray) -> np.ndarray:
        """(I - g h A)^-1 applied to values (S, N)."""
        network = self.network
        if self._regional is None:
            return by_kind(network, self._inverse, values)
        out = np.asarray((self._inverse @ values.T.astype(np.float32)[:, :, None])[:, :, 0].T, float)
        out[network.body] = (out[network.body] @ network.share)[:, None]
        return out

    def _factorise(self, days: float) -> None:
        """Inverses of every region for the power of two nearest to `days`."""
        power = int(np.round(np.log2(days)))
        if power not in self._factorised:
            assert self._regional is not None
            pace = self.GAMMA * 2.0**power * self.network.rate / self.k.tau  # as open as in adults
            matrix = (
                np.eye(len(pace), dtype=np.float32) - pace.T[:, :, None].astype(np.float32) * self._regional
            )
            self._factorised[power] = np.linalg.inv(matrix)
        self._inverse = self._factorised[power]

    def __call__(
        self,
        y: np.ndarray,
        change: np.ndarray,
        after: np.ndarray,
        inputs: np.ndarray,
        hear: Callable[[np.ndarray], np.ndarray],
        days: float,
        openness: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Levels after `days`, and the estimated error of each, (S, N) both.

        Errors are those of logarithms of fold nodes, of deviations of the others, as far as they outlast
        the step: nodes with time constants far below it follow the others whatever they were before (the
        filter of Shampine & Baca 1984, J Comput Appl Math 11:197).

        Parameters
        ----------
        y : ndarray, (S, N)
        change, after : ndarray, (S, N)
            Perturbations now and at the end of the step.
        inputs : ndarray, (K, N)
            What is heard now.
        hear : callable
            What is heard of given levels at the end of the step.
        openness : (rate, window), optional
            `Network.openness`; as in adults by default.
        """
        network = self.network
        rate, window = (network.rate, network.window) if openness is None else openness
        speed, flow = self._flow(y, change, inputs, rate, window)
        self._age += 1
        if self._regional is not None:
            self._factorise(days)
        elif self._days is None or abs(np.log2(days / self._days)) > ALIKE or self._age > REFRESHED:
            slope = slopes(network, y, change, inputs, self.k)
            j = jacobian(network, slope, self.heard) - np.eye(len(network.names))
            kind = network.kinds[1]
            pace = np.stack([speed[:, kind == c].mean(1) for c in range(len(j))])
            self._inverse = np.linalg.inv(
                np.eye(len(network.names)) - self.GAMMA * days * pace[:, :, None] * j
            )
            self._days, self._age = days, 0
        k1 = self._solved(flow)
        guess = self._after(y, days * k1)
        _, there = self._flow(guess, after, hear(guess), rate, window)
        k2 = self._solved(there - 2 * k1)
        new = self._after(y, days * (1.5 * k1 + 0.5 * k2))
        return new, self._apart(new, guess)

    def _apart(self, new: np.ndarray, guess: np.ndarray) -> np.ndarray:
        """Difference of two solutions that outlasts the step: multiplied by (I - g h A)^-1, (S, N)."""
        fold = self.network.fold
        ratio = np.where(fold, new, 1.0) / np.where(fold, np.maximum(guess, LEAST), 1.0)
        apart = np.where(fold, np.log(np.maximum(ratio, LEAST)), new - guess)
        return self._solved(apart)

    def _after(self, y: np.ndarray, step: np.ndarray) -> np.ndarray:
        network = self.network
        step = np.clip(step, -MOST, MOST)
        new = np.where(network.fold, y * np.exp(step * network.fold), y + step)
        return np.where(network.index, np.maximum(new, 0.0), new)

    def _flow(
        self, y: np.ndarray, change: np.ndarray, inputs: np.ndarray, rate: np.ndarray, window: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rate constant of every node and dx/dt, 1/day."""
        network = self.network
        production, loss = network.regulation(y, change, inputs, self.k, window)
        speed = rate * loss / self.k.tau
        rest = production / loss
        return speed, speed * np.where(network.fold, rest / np.maximum(y, LEAST) - 1.0, rest - y)
