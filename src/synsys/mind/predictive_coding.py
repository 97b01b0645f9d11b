"""Predictive coding: a hierarchy of states that explain the level below, with a precision on each level.

Level 0 is the sensory input y; states phi_l of level l predict those below through weights W_l and a
function f, and the highest level is predicted by a prior mean. With phi_0 = y and Pi_l the (diagonal)
precision of level l

    eps_l = Pi_l (phi_l - W_(l+1) f(phi_(l+1))),       eps_L = Pi_L (phi_L - prior)

are the precision-weighted prediction errors (Rao & Ballard 1999, Nat Neurosci 2:79; Friston 2005, Phil
Trans R Soc B 360:815). States descend on the free energy

    F = 1/2 sum_l [ eps_l . eps_l / Pi_l - ln Pi_l ]                          (constants left out)
    dphi_l/dt = -eps_l + f'(phi_l) * W_l^T eps_(l-1)

and error nodes reach eps_l by themselves, from what they are told by neighbours (Bogacz 2017, J Math Psychol
76:198, eqs. 13 and 14):

    deps_l/dt = phi_l - W_(l+1) f(phi_(l+1)) - eps_l / Pi_l.

Weights and precisions learn by the same descent, from activity at hand (Bogacz 2017, eqs. 17 to 21):

    dW_l = rate * eps_(l-1) f(phi_l)^T,     d(1/Pi_l) = rate / 2 * (eps_l^2 - Pi_l).

Arrays may have leading axes (subjects, particles), which broadcast.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from synsys.core.errors import UserError

LEAST_VARIANCE = 1e-6
"""Variances do not learn below this (declared)."""


def identity(x: np.ndarray) -> np.ndarray:
    """f of a linear hierarchy."""
    return x


def one(x: np.ndarray) -> np.ndarray:
    """Its derivative."""
    return np.ones_like(x)


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """A generative model of levels.

    Attributes
    ----------
    weights : sequence of L ndarray, (..., D_(l-1), D_l)
        From level l to the level below, l = 1 to L.
    precision : sequence of L + 1 ndarray, (..., D_l)
        Of every level, the sensory one first; > 0.
    prior : ndarray, (..., D_L)
        What the highest level is expected to be.
    function, slope : callable
        f and its derivative, elementwise.
    """

    weights: Sequence[np.ndarray]
    precision: Sequence[np.ndarray]
    prior: np.ndarray
    function: Callable[[np.ndarray], np.ndarray] = identity
    slope: Callable[[np.ndarray], np.ndarray] = one

    def __post_init__(self) -> None:
        if not self.weights or len(self.precision) != len(self.weights) + 1:
            raise UserError(
                f"{len(self.weights)} weights and {len(self.precision)} precisions: a hierarchy of L levels "
                "above the input has L weights and L + 1 precisions"
            )
        for level, p in enumerate(self.precision):
            if not (np.asarray(p) > 0).all():
                raise UserError(f"precision of level {level} must be > 0")

    def predictions(self, states: Sequence[np.ndarray]) -> list[np.ndarray]:
        """What every level, the sensory one first, is predicted to be, from states of levels 1 to L."""
        below = [_times(w, self.function(phi)) for w, phi in zip(self.weights, states, strict=True)]
        return [*below, np.broadcast_to(self.prior, np.shape(states[-1]))]


@dataclass(frozen=True, eq=False)
class Belief:
    """States and error nodes of a hierarchy.

    Attributes
    ----------
    states : list of L ndarray, (..., D_l)
        Levels 1 to L.
    errors : list of L + 1 ndarray, (..., D_l)
        Precision-weighted prediction errors, the sensory level first.
    """

    states: list[np.ndarray]
    errors: list[np.ndarray]


def expected(h: Hierarchy, lead: tuple[int, ...] | None = None) -> Belief:
    """The belief before any input: every level as predicted from above, no errors.

    Parameters
    ----------
    h : Hierarchy
    lead : tuple of int, optional
        Leading axes; those of the prior by default.
    """
    lead = np.shape(h.prior)[:-1] if lead is None else lead
    top = np.broadcast_to(h.prior, (*lead, np.shape(h.prior)[-1])).astype(float)
    states = [top]
    for w in h.weights[:0:-1]:
        states.insert(0, _times(w, h.function(states[0])))
    errors = [0.0 * phi for phi in (_times(h.weights[0], h.function(states[0])), *states)]
    return Belief(states, errors)


def weighted_errors(h: Hierarchy, y: np.ndarray, states: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Precision-weighted prediction errors of every level, the sensory one first."""
    levels = [np.asarray(y, float), *states]
    return [p * (phi - g) for p, phi, g in zip(h.precision, levels, h.predictions(states), strict=True)]


def free_energy(h: Hierarchy, y: np.ndarray, states: Sequence[np.ndarray]) -> np.ndarray:
    """F of states under an input, (...); its least value is at the most likely states."""
    total: np.ndarray | float = 0.0
    for eps, p in zip(weighted_errors(h, y, states), h.precision, strict=True):
        total = total + 0.5 * (eps**2 / p - np.log(p)).sum(-1)
    return np.asarray(total)


def relax(
    h: Hierarchy,
    y: np.ndarray,
    start: Belief | None = None,
    step: float | None = None,
    steps: int = 2000,
) -> Belief:
    """Let states and error nodes run for a while under an input (Euler's method, as in Bogacz 2017).

    Parameters
    ----------
    h : Hierarchy
    y : ndarray, (..., D_0)
        Input, held.
    start : Belief, optional
        That before any input by default.
    step : float, optional
        In units of the time constant; by default 1 / (4 (1 + the largest variance or squared weight)).
    steps : int
    """
    y = np.asarray(y, float)
    now = start or expected(h, np.broadcast_shapes(y.shape[:-1], np.shape(h.prior)[:-1]))
    if step is None:
        stiff = max(
            *(np.max(1.0 / np.asarray(p)) for p in h.precision),
            *(np.max(np.sum(np.square(w), (-1, -2))) for w in h.weights),
        )
        step = 0.25 / (1.0 + float(stiff))
    states, errors = list(now.states), list(now.errors)
    for _ in range(steps):
        towards = [phi - g for phi, g in zip([y, *states], h.predictions(states), strict=True)]
        pull = [
            h.slope(phi) * _times(np.swapaxes(w, -1, -2), below) - own
            for phi, w, below, own in zip(states, h.weights, errors, errors[1:], strict=False)
        ]
        errors = [eps + step * (d - eps / p) for eps, d, p in zip(errors, towards, h.precision, strict=True)]
        states = [phi + step * d for phi, d in zip(states, pull, strict=True)]
    return Belief(states, errors)


def posterior(h: Hierarchy, y: np.ndarray) -> Belief:
    """Exact belief of a linear hierarchy: the mean of the Gaussian posterior, in closed form.

    Raises
    ------
    UserError
        If the hierarchy is not linear.
    """
    if h.function is not identity:
        raise UserError("only a linear hierarchy has a posterior in closed form; use relax")
    y = np.asarray(y, float)
    sizes = [np.shape(w)[-1] for w in h.weights]
    at = np.concatenate([[0], np.cumsum(sizes)])
    lead = np.broadcast_shapes(
        y.shape[:-1], np.shape(h.prior)[:-1], *(np.shape(w)[:-2] for w in h.weights),
        *(np.shape(p)[:-1] for p in h.precision),
    )  # fmt: skip
    hessian, drive = np.zeros((*lead, at[-1], at[-1])), np.zeros((*lead, at[-1]))
    for level, w in enumerate(h.weights):
        here = slice(at[level], at[level + 1])
        p = np.asarray(h.precision[level], float)
        back = np.swapaxes(w, -1, -2) * p[..., None, :]  # W^T Pi
        hessian[..., here, here] += back @ w + _diagonal(np.asarray(h.precision[level + 1], float))
        if level == 0:
            drive[..., here] += _times(back, y)
        else:
            below = slice(at[level - 1], at[level])
            hessian[..., here, below] -= back
            hessian[..., below, here] -= np.swapaxes(back, -1, -2)
    drive[..., at[-2] :] += np.asarray(h.precision[-1]) * h.prior
    mean = np.linalg.solve(hessian, drive[..., None])[..., 0]
    states = [mean[..., at[k] : at[k + 1]] for k in range(len(sizes))]
    return Belief(states, weighted_errors(h, y, states))


def learned(
    h: Hierarchy, belief: Belief, rate: float = 0.0, precision_rate: float = 0.0, prior_rate: float = 0.0
) -> Hierarchy:
    """The hierarchy after one step of learning from a belief that has settled.

    Parameters
    ----------
    h : Hierarchy
    belief : Belief
    rate, precision_rate, prior_rate : float
        Learning rates of weights, variances and the prior mean; 0 leaves them.
    """
    weights = [
        w + rate * eps[..., :, None] * h.function(phi)[..., None, :]
        for w, eps, phi in zip(h.weights, belief.errors, belief.states, strict=False)
    ]
    precision = [
        1.0 / np.maximum(1.0 / np.asarray(p) + 0.5 * precision_rate * (eps**2 - p), LEAST_VARIANCE)
        for p, eps in zip(h.precision, belief.errors, strict=True)
    ]
    return replace(
        h,
        weights=weights if rate else h.weights,
        precision=precision if precision_rate else h.precision,
        prior=h.prior + prior_rate * belief.errors[-1] if prior_rate else h.prior,
    )


def _times(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    return np.asarray(np.asarray(matrix) @ np.asarray(vector)[..., None])[..., 0]


def _diagonal(values: np.ndarray) -> np.ndarray:
    return values[..., None] * np.eye(values.shape[-1])
