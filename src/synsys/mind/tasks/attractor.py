"""A local module of E, PV and SST cells with tuned recurrent NMDA synapses: pools that compete and persist.

The module is that of the population equation (`circuit.drift`) at the operating point of one state, averaged
over the nodes of one locus. Its E cells are parted into pools. Everything faster than NMDA receptors is at
rest given their gating (Wong & Wang 2006 J Neurosci 26:1314), so what is left is, for pool i with share f_i
of the cells,

    tau ds_i/dt = -s_i + drive(r_i)                           NMDA gating, 1 = healthy mean, saturating
    n_i = g_NMDA (sum_j f_j s_j + kappa_i sum_j K_ij s_j) + (1 - q_i) n_tonic + stimulus_i + noise_i
    r_i = F_i(n_i; m, S),   m = sum_j f_j fast(r_j),   S = sum_j f_j s_j

F is no fitted curve: it is the rate of the module's own E cells at the potential where all their currents
balance, with PV and SST cells at rest under the AMPA drive m and the NMDA drive S that the pools send them.
Only calcium (and with it SK and CaV1.2 channels) stays at its value in the state of rest: the calcium pool of
the mean field is calibrated about rest, and far above it its SK current would silence cells that NMDA drives.

What the calibrated module lacks is structure. `kappa` adds recurrence among cells of like preference (K, rows
sum to 1), as a multiple of the module's own E-E NMDA conductance; the share q of the pool's tonic excitation
that it replaces is such that health rests where it did. `kappa` and q come from the healthy state, so that a
change of any conductance meets the same structure.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache

import numpy as np

from synsys.brain.state import State
from synsys.circuit.drift import (
    E_CA,
    E_K,
    Parameters,
    block,
    cal_inf,
    drift,
    drive,
    firing,
    steady_gates,
)
from synsys.mind.tasks import pools_kernel

E, PV, SST = 0, 1, 2
V_AT, FAST_AT, SLOW_AT, C_AT = 0, 1, 2, 5

FAST = np.linspace(0.0, 4.0, 21)
SLOW = np.linspace(0.0, 4.0, 5)
NMDA = np.linspace(0.0, 40.0, 161)
POTENTIAL = np.linspace(-80.0, -20.0, 301)
"""Grids of the transfer function: AMPA drive and NMDA drive of the pools on interneurons (1 = healthy), NMDA
conductance of E (multiples of leak), potential (mV)."""

PRIVATE = 0.13
"""Amplitude of a pool's own noise relative to that of background events that no two pools share (declared, so
that the healthy memory of the median draw wanders by about 4 degrees in 3 s)."""
MOST_REPLACED = 0.95
"""Largest share of tonic excitation that tuned recurrence may replace (declared)."""
STEP = 10.0
"""Time step, ms."""
SETTLING = 300.0
"""Time in which pools come to rest before a trial, ms."""
FIRST_STEP, MOST_STEPS, SETTLED, DIFFERENCE = 0.1, 60, 1e-6, 1e-6
"""Interneurons: first step in membrane times, most steps, residual at rest (mV), derivative step (mV)."""


@dataclass(frozen=True)
class Module:
    """The mean node of a locus in one state.

    Attributes
    ----------
    parameters : Parameters
        Of one node, fields (1, 3) or (1, 3, 3).
    u : ndarray, (3 kinds, 1, 3)
        Conductance arriving from other regions.
    x : ndarray, (1, 8, 3)
        State of rest.
    noise : ndarray, (3 kinds,)
        Intensity of background shot noise of E.
    """

    parameters: Parameters
    u: np.ndarray
    x: np.ndarray
    noise: np.ndarray

    @classmethod
    def of(cls, state: State, nodes: np.ndarray) -> "Module":
        """Mean over `nodes` (indices) of a state: potentials at rest are alike, so currents still balance."""
        p = state.parameters
        mean = Parameters(**{f.name: getattr(p, f.name)[nodes].mean(0, keepdims=True) for f in fields(p)})
        return cls(
            mean,
            state.point.u[:, nodes].mean(1, keepdims=True),
            state.point.x[nodes].mean(0, keepdims=True),
            state.noise[:, nodes, E].mean(1),
        )

    @cached_property
    def cell(self) -> Parameters:
        """The same, (3,) or (3, 3)."""
        return self.parameters.take(0)

    @property
    def rest(self) -> float:
        """Potential of E at rest, mV."""
        return float(self.x[0, V_AT, E])

    @property
    def per_mv(self) -> float:
        """NMDA conductance that carries 1 mV of current into E at rest."""
        return float(1.0 / (block(self.rest) * -self.rest))

    @property
    def tonic(self) -> np.ndarray:
        """Tonic AMPA and NMDA conductance of E, background and long-range, (2,)."""
        p = self.cell
        return np.array([p.b_ampa[E] + self.u[0, 0, E], p.b_nmda[E] + self.u[1, 0, E]])

    def replaced(self, kappa: float) -> float:
        """Share of tonic excitatory current that tuned recurrence `kappa` replaces."""
        ampa, nmda = self.tonic
        recurrent = kappa * self.cell.g_slow[E, E] * self.x[0, SLOW_AT, E] / self.per_mv
        return float(recurrent / (ampa * -self.rest + nmda / self.per_mv))

    @cached_property
    def inhibited(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Local AMPA, GABA-A and GABA-B conductance of E for each pair of `FAST` and `SLOW`, (M, S) each."""
        m, s = np.meshgrid(FAST, SLOW, indexing="ij")
        p = self.cell
        fast, slow = drive(firing(interneurons(self, m, s), p), p)
        ampa = p.g_fast[E, E] * m
        gabaa = fast[..., 1:] @ p.g_fast[E, 1:] + p.b_gaba[E] + self.u[2, 0, E]
        return ampa, gabaa, slow[..., 1:] @ p.g_slow[E, 1:]

    def transfer(self, replaced: float = 0.0) -> np.ndarray:
        """Rate of E, Hz, (M, S, n), with a share of tonic excitation replaced.

        The balance of currents is linear in NMDA conductance, so it is solved for the conductance that holds
        each potential, and that curve is inverted.
        """
        p, v = self.cell, POTENTIAL
        ampa, gabaa, gabab = (g[..., None] for g in self.inhibited)
        ampa = ampa + (1.0 - replaced) * self.tonic[0]
        current = self.intrinsic - ampa * v + gabaa * (p.e_inh[E] - v) + gabab * (E_K - v)
        needed = np.maximum.accumulate(-current / (block(v) * -v), axis=-1)
        found = np.empty((len(FAST), len(SLOW), len(NMDA)))
        for at in np.ndindex(found.shape[:2]):
            found[at] = np.interp(NMDA, needed[at], v)
        return 1e3 * p.gain[E] * np.log1p(np.exp((found - p.theta[E]) / p.sigma[E]))

    @cached_property
    def intrinsic(self) -> np.ndarray:
        """Current of leak and channels of E at each `POTENTIAL`, mV, calcium and its channels as at rest."""
        p, v = self.parameters, POTENTIAL
        bare = replace(
            p, g_fast=0 * p.g_fast, g_slow=0 * p.g_slow, b_ampa=0 * p.tau, b_nmda=0 * p.tau, b_gaba=0 * p.tau,
            g_cal=0 * p.g_cal, g_cat=0 * p.g_cat,
        )  # fmt: skip
        full = np.broadcast_to(self.x[0, V_AT], (len(v), 1, 3)).copy()
        full[..., E] = v[:, None]
        x = steady_gates(full, bare)
        x[..., C_AT, :] = self.x[:, C_AT]
        open_ = self.cell.g_cal[E] * cal_inf(self.x[:, V_AT], p)[0, E]
        return drift(x, bare)[:, 0, V_AT, E] * self.cell.tau[E] + open_ * (E_CA - v)


def interneurons(module: Module, fast: np.ndarray, slow: np.ndarray) -> np.ndarray:
    """Potentials (..., 3) with PV and SST at rest under AMPA drive `fast` and NMDA drive `slow` of E.

    Implicit steps in time from the state of rest, longer as the currents come into balance, so that where
    PV and SST cells could be at rest in several ways, that one is found to which they would go.
    """
    p, free = module.parameters, slice(1, None)

    def residual(v: np.ndarray) -> np.ndarray:
        x = steady_gates(v, p)
        x[..., FAST_AT, E], x[..., SLOW_AT, E] = fast[..., None], slow[..., None]
        x[..., C_AT, :] = module.x[:, C_AT]
        return (drift(x, p, module.u)[..., V_AT, :] * p.tau)[..., 0, free]

    v = np.broadcast_to(module.x[0, V_AT], (*fast.shape, 1, 3)).copy()
    r = residual(v)
    began = np.abs(r).max(-1)
    for _ in range(MOST_STEPS):
        size = np.abs(r).max(-1)
        if size.max() < SETTLED:
            break
        jac = np.empty((*r.shape, 2))
        for k in range(2):
            moved = v.copy()
            moved[..., 0, 1 + k] += DIFFERENCE
            jac[..., k] = (residual(moved) - r) / DIFFERENCE
        pace = size / (FIRST_STEP * np.maximum(began, 1.0))
        implicit = pace[..., None, None] * np.eye(2) - jac
        v[..., 0, free] += np.linalg.solve(implicit, r[..., None])[..., 0]
        r = residual(v)
    return v[..., 0, :]


class Pools:
    """E cells of a module parted into pools.

    Parameters
    ----------
    module : Module
        Of the state that performs.
    healthy : Module
        Of the healthy state of the same draw, which says how much current a stimulus brings.
    share : ndarray, (P,)
        Share of E cells in each pool; sums to 1.
    kernel : ndarray, (P, P)
        K: from whom the tuned recurrence of a pool comes; rows sum to 1, or to 0 where there is none.
    kappa : float
        Tuned recurrence in multiples of the module's own.
    """

    def __init__(
        self, module: Module, healthy: Module, share: np.ndarray, kernel: np.ndarray, kappa: float
    ) -> None:
        p = module.cell
        self.share = share
        tuned = kernel.any(1)
        replaced = healthy.replaced(kappa)
        self.weights = (p.g_slow[E, E] * (share + kappa * kernel)).T
        self.tonic = module.tonic[1] * np.where(tuned, 1.0 - replaced, 1.0)
        tables = [module.transfer(replaced)]
        if not tuned.all():
            tables.append(module.transfer())
        self.rows = np.concatenate([t.ravel() for t in tables])
        self.first = np.where(tuned, 0, tables[0].size)
        self.tau = float(p.tau_slow[E])
        self.rate, self.release = 1e3 * float(p.rate[E]), float(p.release[E])
        self.saturation = 1e-3 * float(p.saturation[E])
        self.per_mv = healthy.per_mv
        # Campbell: intensity per conductance of background events, times all conductance that comes in events
        background = np.array([p.b_ampa[E], p.b_nmda[E], p.b_gaba[E]])
        per_event = np.divide(module.noise, background, out=np.zeros(3), where=background > 0)
        chloride = (float(p.e_inh[E]) - module.rest) * module.per_mv
        gabaa = module.inhibited[1].ravel() * per_event[2] * chloride**2
        self.white_sd = PRIVATE * np.sqrt(
            (gabaa + module.tonic[0] * per_event[0] / block(module.rest) ** 2)[:, None] / (STEP * share)
        )
        self.slow_sd = PRIVATE * np.sqrt(per_event[1] / (2.0 * self.tau) / share)

    def gating(self, rate: np.ndarray | float) -> np.ndarray:
        """NMDA gating at rest under rates in Hz (`circuit.drift.drive`)."""
        relative = np.asarray(rate) / self.rate
        full = 1.0 + self.saturation * self.rate
        return self.release * relative * full / (1.0 + self.saturation * np.asarray(rate))

    def read(self, gating: np.ndarray) -> np.ndarray:
        """Rates in Hz that would hold an NMDA gating: the inverse of `gating`."""
        full = self.release / self.rate * (1.0 + self.saturation * self.rate)
        return np.asarray(gating / (full - self.saturation * gating))

    def begin(self, trials: int) -> "Activity":
        """Activity of the pools before a trial: where all that are alike stay alike."""
        size = len(self.share)
        start = Activity(np.full((1, size), self.release), np.full(1, self.release), 0, None)
        alone = self.run(round(SETTLING / STEP), None, None, start).end
        return Activity(np.repeat(alone.gating, trials, 0), np.repeat(alone.fast, trials), 0, None)

    def run(
        self, last: int, stimulus: np.ndarray | None, noise: "Deviates | None", start: "Activity"
    ) -> "Course":
        """Activity from that of `start` on, up to step `last`.

        Each step takes the rates for conductances n near the AMPA drive of the step before: the drive solves
        m = mean of r(n; m), which interpolation between two rows of the table makes one linear equation.

        Parameters
        ----------
        last : int
            Step at the end, of `STEP` ms.
        stimulus : ndarray, (steps, P) or (steps, trials, P), or None
            Current of every step from that of `start` on, mV.
        noise : Deviates or None
        start : Activity
        """
        steps, trials, size = last - start.step, len(start.gating), len(self.share)
        keep = float(np.exp(-STEP / self.tau))
        groups = -(-trials // pools_kernel.LANES)
        alone = stimulus is not None and stimulus.ndim == 3
        empty = np.zeros(1)
        eta = start.noise
        if noise is not None and eta is None:
            eta = noise.slow[:groups, start.step]
        state = {
            "gating": pools_kernel.laid(start.gating[None])[:, 0].copy(),
            "fast": pools_kernel.laid(start.fast[None, :, None])[:, 0].copy(),
            "eta": empty if eta is None else eta.copy(),
        }
        shape = (groups, steps, size, pools_kernel.LANES)
        out = {"rates": np.empty(shape), "course": np.empty(shape)}
        common = np.zeros((steps, size)) if stimulus is None or alone else stimulus
        arrays = {
            "share": self.share, "weights": self.weights, "tonic": self.tonic, "slow_sd": self.slow_sd,
            "white_sd": self.white_sd, "rows": self.rows, "common": common,
            "own": pools_kernel.laid(stimulus) if alone and stimulus is not None else empty,
            "slow": empty if noise is None else noise.slow, "white": empty if noise is None else noise.white,
        }  # fmt: skip
        arrays = {name: np.ascontiguousarray(a, float) for name, a in arrays.items()}
        pools_kernel.run(
            {**arrays, **state, **out, "first": np.ascontiguousarray(self.first, np.int64)},
            {
                "keep": keep, "fresh": float(np.sqrt(1.0 - keep**2)), "per_mv": self.per_mv,
                "release": self.release, "rate": self.rate, "saturation": self.saturation,
                "dn": NMDA[1], "ds": SLOW[1], "dm": FAST[1],
            },
            {
                "groups": groups, "steps": steps, "start": start.step, "pools": size,
                "noisy": noise is not None, "alone": alone,
                "deviates": 0 if noise is None else noise.slow.shape[1],
                "n": len(NMDA), "s": len(SLOW), "m": len(FAST),
            },
        )  # fmt: skip
        rates, gating = (pools_kernel.unlaid(a, trials) for a in (out["rates"], out["course"]))
        fast = state["fast"].reshape(-1)[:trials]
        end = Activity(gating[-1], fast, last, None if noise is None else state["eta"])
        return Course(rates, gating, end)


@dataclass(frozen=True)
class Activity:
    """NMDA gating (trials, P), mean AMPA drive (trials,), steps done, slow noise as the kernel has it."""

    gating: np.ndarray
    fast: np.ndarray
    step: int
    noise: np.ndarray | None

    def first(self, trials: int) -> "Activity":
        """That of the first trials."""
        noise = None if self.noise is None else self.noise[: -(-trials // pools_kernel.LANES)]
        return Activity(self.gating[:trials], self.fast[:trials], self.step, noise)


@dataclass(frozen=True)
class Course:
    """Rates (Hz) and gating after every step, (steps, trials, P) each, and activity at the end."""

    rates: np.ndarray
    gating: np.ndarray
    end: Activity


@dataclass(frozen=True)
class Deviates:
    """Standard normal deviates of slow and white noise, as the kernel has them."""

    slow: np.ndarray
    white: np.ndarray


@lru_cache(maxsize=4)
def deviates(seed: int, steps: int, trials: int, pools: int, paired: bool = False) -> Deviates:
    """Noise of trials, the same for the same seed.

    Parameters
    ----------
    seed, steps, trials, pools : int
    paired : bool
        Every second trial has that of the one before, the first two pools exchanged.
    """
    rng = np.random.default_rng(seed)
    drawn = [rng.standard_normal((steps + 1, trials, pools), np.float32) for _ in range(2)]
    return Deviates(*(pools_kernel.laid(exchanged(z) if paired else z) for z in drawn))


def exchanged(z: np.ndarray) -> np.ndarray:
    """Every trial (steps, trials, P) and after it the same with the first two pools exchanged."""
    both = np.stack([z, z], axis=2)
    both[:, :, 1, :2] = z[:, :, [1, 0]]
    return both.reshape(len(z), -1, z.shape[-1])


def strength(holds: Callable[[float], float], module: Module, target: float) -> float:
    """Least tuned recurrence with which activity persists at `target` Hz or more.

    Parameters
    ----------
    holds : callable
        Persistent rate (Hz) for a value of kappa.
    module : Module
        Healthy; kappa may not replace more than `MOST_REPLACED` of its tonic excitation.
    target : float
        Rate, Hz.
    """
    low, high = 0.0, MOST_REPLACED / module.replaced(1.0)
    if holds(high) < target:
        return high
    while high - low > 0.002 * high:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if holds(middle) >= target else (middle, high)
    return high
