"""A cortex-thalamus pair or a hippocampus, held against the healthy facts of ``facts.py``.

Candidates are stacked along a leading axis, so a whole generation is judged at once.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np
from facts import FREQUENCY, LESIONS, REGIONS, prominence

from synsys.brain.fixed import rest
from synsys.brain.model import SLOW_INPUT
from synsys.brain.noise import TAU_NOISE
from synsys.brain.state import UNIT_NOISE
from synsys.brain.wiring import build_wiring
from synsys.circuit.drift import E_GLU, E_K, Parameters, block, drift, firing, inverse_firing, steady_gates
from synsys.circuit.linear import KINDS, jacobian, local_transfer
from synsys.circuit.templates import BACKGROUND_GABA, healthy, prior, slot, with_background
from synsys.data.embedded import load_embedded
from synsys.knowledge.mechanisms import projections

HUB = 1.3
"""Summed input of a hub relative to the mean region; its populations must still need background."""
FREE_CHANNELS = {
    "cortex": (
        "I_M:cortex.E",
        "I_SK:cortex.E",
        "I_CaL:cortex.E",
        "I_T:thalamus.TC",
        "I_T:thalamus.RE",
        "I_h:thalamus.TC",
    ),
    "hippocampus": ("I_M:hippocampus.E", "I_h:hippocampus.SST", "I_h:hippocampus.E"),
}


def free(group: str) -> list[str]:
    """Keys of the conductances that a group's calibration moves."""
    templates = ("cortex", "thalamus") if group == "cortex" else (group,)
    keys = [k for k, (_, _, moves) in prior().items() if moves and k.split(".")[0] in templates]
    return keys + list(FREE_CHANNELS[group])


def stacked(p: Parameters, u: np.ndarray, scale: np.ndarray, changes: tuple) -> tuple:
    """Every candidate under every row of `changes` (rows outermost), and the columns of `changes`."""
    k = np.tile(np.arange(len(u)), len(changes))
    return p.take(k), u[k], scale[k], np.repeat(np.array(changes, float), len(u), 0).T


def least_damping(full: np.ndarray, low: float = 0.0, high: float = np.inf) -> np.ndarray:
    """Least damping ratio over the modes of stacked Jacobians that turn within a band (Hz), 1 if none does;
    -1 where any mode grows or hardly decays.
    """
    eig = np.linalg.eigvals(np.nan_to_num(full))
    hertz = np.abs(eig.imag) / 2e-3 / np.pi
    turning = np.where((hertz > max(low, 1e-6)) & (hertz < high), -eig.real / np.abs(eig), 1.0).min(-1)
    return np.where(eig.real.max(-1) > -2e-4, -1.0, turning)


def without(p: Parameters, u: np.ndarray, slot: int) -> Parameters:
    """Candidates whose node 0 lost the synapses of one inhibitory population, at the same rates."""
    g = p.g_fast.copy()
    g[:, 0, :, slot] = 0.0
    return with_background(replace(p, g_fast=g), u, np.array(False))[0]


class Pair:
    """Candidates of one group as stacked nodes: cortex + thalamus, or hippocampus alone."""

    def __init__(self, group: str) -> None:
        self.names = ["cortex", "thalamus"] if group == "cortex" else [group]
        self.keys = free(group)
        self.sd = np.array([prior()[k][1] for k in self.keys])
        n = len(self.names)
        self.unit = np.zeros((3, n, 3, n))  # kind, target node, slot, source node
        for r in projections():
            if (
                r.scope in ("connectome", "contralateral")
                and r.from_template in self.names
                and r.to_template in self.names
            ):
                i, j, a = (
                    self.names.index(r.to_template),
                    self.names.index(r.from_template),
                    slot(r.to_template, r.to_cell),
                )
                for k, receptor in ((0, "ampa"), (1, "nmda")):
                    self.unit[k, i, a, j] = r.strength * prior()[f"{r.to_template}.*<-*:{receptor}"][0]

        self.extra = np.zeros((3, n, 3))  # input at healthy rates from structures that the pair leaves out
        for r in projections():
            if (
                r.scope in ("channel", "contralateral")
                and r.from_template not in self.names
                and r.to_template in self.names
            ):
                i, a = self.names.index(r.to_template), slot(r.to_template, r.to_cell)
                for k in (2,) if r.transmitter == "gaba" else (0, 1):
                    self.extra[k, i, a] += r.strength * prior()[f"{r.to_template}.*<-*:{KINDS[k]}"][0]

    @cached_property
    def network(self) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
        """Kind of each node of the left hemisphere; weights and delays (ms) from its own and the right side.

        Regions of a kind are alike and so are the two sides: the network falls into modes that are equal or
        opposite on both sides, with weights own + other or own - other.
        """
        wiring = build_wiring(load_embedded())
        template, side = (wiring.nodes[c].to_numpy() for c in ("template", "hemisphere"))
        source = [
            np.flatnonzero(
                (template[wiring.source_node] == name)
                & (side[wiring.source_node] == h)
                & (wiring.source_slot == 0)
            )
            for h in "LR"
            for name in self.names
        ]
        left, right = np.concatenate(source[: len(self.names)]), np.concatenate(source[len(self.names) :])
        rows = wiring.source_node[left]
        delay = wiring.delays()
        kind = np.array([self.names.index(name) for name in template[rows]])
        return kind, [(wiring.weights[np.ix_(rows, s)], delay[np.ix_(rows, s)]) for s in (left, right)]

    def build(self, z: np.ndarray, tau_gaba: float = 1.0):
        """Parameters (K, n, 3), arriving conductance, coupling factors, background of candidates."""
        member = {k: np.exp(z[:, j]) for j, k in enumerate(self.keys)}
        p = healthy(self.names, member)
        lead = len(z)
        scale = np.ones((lead, 3, len(self.names), 3))
        for i, name in enumerate(self.names):
            for k, receptor in ((0, "ampa"), (1, "nmda")):
                scale[:, k, i] = np.asarray(member.get(f"{name}.*<-*:{receptor}", 1.0)).reshape(-1, 1)
        u = scale * (self.unit.sum(-1) + self.extra)
        if tau_gaba != 1.0:
            p = replace(p, tau_fast=p.tau_fast * np.where(np.arange(3) == 1, tau_gaba, 1.0))
        v = inverse_firing(p.rate, p)
        bare = replace(p, b_gaba=np.full_like(v, BACKGROUND_GABA))
        need = -_dv(v, bare, u * np.where(np.arange(len(self.names)) == 0, HUB, 1.0)[:, None])
        p, _ = with_background(p, u)
        return p, u, scale, need

    def local(self, p: Parameters, u: np.ndarray, scale: np.ndarray, omega: np.ndarray):
        """One region of each kind alone: response of E cells (F, K, n, kind, slot), their potential per
        potential of E cells elsewhere at unit weight (F, K, n, n), Jacobian (K n, ...), state.
        """
        v = inverse_firing(p.rate, p)
        x, _ = rest(v, p, u)
        jac = jacobian(x, p, u)
        k, n = v.shape[:2]
        flat = type(jac)(
            *(
                getattr(jac, f).reshape(k * n, *getattr(jac, f).shape[2:])
                for f in ("full", "input_v", "input_c")
            )
        )
        t = local_transfer(flat, omega)
        f = len(omega)
        tr = (t.inv[:, :, 0, None] * t.enter).reshape(f, k, n, 3, 3)
        gates = np.stack([t.fast, t.slow], -1).reshape(f, k, n, 3, 2)[:, :, :, 0]
        loop = np.einsum(
            "fknra,krna,rnaj,fkjr->fknj", tr[:, :, :, :2], scale[:, :2], self.unit[:2], gates, optimize=True
        )
        return tr, loop, flat, x

    def static(self, p: Parameters, u: np.ndarray, scale: np.ndarray):
        """At zero frequency: loop gain (K,) within cortex and through the thalamus, response of E potential
        to AMPA conductance (K,), Jacobian, state.
        """
        tr, loop, jac, x = self.local(p, u, scale, np.array([1e-9]))
        gain = loop[0].real
        return gain[:, 0, 0], gain[:, 0, -1] * gain[:, -1, 0], tr[0, :, 0, 0, 0].real, jac, x

    def alone(
        self, p: Parameters, u: np.ndarray, scale: np.ndarray, frequency: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Power (F, K, n) of the potential of E cells of each region cut off from the others at its state of
        rest, and the loop gain (F, K, n, n) of `local`.
        """
        omega = frequency * 2e-3 * np.pi
        tr, loop, _, _ = self.local(p, u, scale, omega)
        w = omega[:, None, None, None, None] * TAU_NOISE[:, None, None]
        shot = UNIT_NOISE * np.stack([p.b_ampa, p.b_nmda, p.b_gaba], 1) * TAU_NOISE[:, None, None]
        q = (np.abs(tr) ** 2 * (shot / (1 + w**2)).transpose(0, 1, 3, 2, 4)).sum((-1, -2)) * 1e-3
        slow = SLOW_INPUT * tr[:, :, :, 0, :2].sum(-1)
        return q + np.abs(slow) ** 2 / frequency[:, None, None], loop

    def spectra(self, p, u, scale, thalamus: bool = True, frequency: np.ndarray = FREQUENCY) -> np.ndarray:
        """Power (F, K) of the potential of E cells in the network, mean of its logarithm over regions."""
        q, loop = self.alone(p, u, scale, frequency)
        kind = self.network[0] if thalamus else self.network[0][self.network[0] == 0]
        power = 0.0
        for closed in self.closed(loop, frequency, thalamus):
            r = np.linalg.inv(closed)[:, :, kind == 0]
            power = power + 0.5 * ((r.real**2 + r.imag**2) @ q[:, :, kind, None])[..., 0]
        return np.exp(np.log(power).mean(-1))

    def closed(self, loop: np.ndarray, frequency: np.ndarray, thalamus: bool = True) -> Iterator[np.ndarray]:
        """1 - L (F, K, nodes, nodes) of the modes that are equal on both sides, then of the opposite ones."""
        kind, sides = self.network
        if not thalamus:
            kind, sides = kind[kind == 0], [tuple(m[kind == 0][:, kind == 0] for m in s) for s in sides]
        full = loop[:, :, kind[:, None], kind]
        omega = 2e-3 * np.pi * frequency[:, None, None]
        own, other = ((w * np.exp(-1j * omega * d))[:, None] for w, d in sides)
        for sign in (1.0, -1.0):
            yield np.eye(len(kind)) - full * (own + sign * other)

    def network_stability(
        self, p: Parameters, u: np.ndarray, scale: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Number of growing modes that the network adds (winding of det(1 - L)) and its largest
        amplification above 3 Hz (spectral norm of (1 - L)^-1), (K,).
        """
        frequency = np.r_[
            1e-6, 0.5, 1.0, 2.0, 3.5, np.arange(5.0, 15.0), np.arange(16.0, 54.0, 3.0), 60.0, 80.0
        ]
        loop = self.local(p, u, scale, 2e-3 * np.pi * frequency)[1]
        growing, most = np.zeros(len(u)), np.zeros(len(u))
        for closed in self.closed(loop, frequency):
            angle = np.angle(np.linalg.det(closed))
            turn = (np.diff(angle, axis=0) + np.pi) % (2 * np.pi) - np.pi
            growing += np.abs(np.rint(-turn.sum(0) / np.pi))
            inverse = np.linalg.inv(closed[4:28])
            at = (np.abs(inverse) ** 2).sum((-1, -2)).argmax(0)
            worst = inverse[at, np.arange(len(u))]
            most = np.maximum(most, np.linalg.norm(np.nan_to_num(worst, nan=1e3), 2, axis=(-2, -1)))
        return growing, most

    def gamma(self, p: Parameters, u: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Frequency and height of the gamma bump of cortex alone, (K,)."""
        frequency = np.arange(16.0, 84.0, 2.0)
        return prominence(self.alone(p, u, scale, frequency)[0][..., 0], 22, 70, frequency)

    def turning(self, p: Parameters, u: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Frequency (Hz) of the least damped mode of cortex alone within 20-80 Hz, (K,)."""
        k = len(u)
        eig = np.linalg.eigvals(self.static(p, u, scale)[3].full.reshape(k, -1, 24, 24)[:, 0])
        hertz = np.abs(eig.imag) / 2e-3 / np.pi
        ratio = np.where((hertz > 20) & (hertz < 80), -eig.real / np.abs(eig), 2.0)
        best = ratio.argmin(-1)[:, None]
        return np.where(ratio.min(-1) < 2.0, np.take_along_axis(hertz, best, 1)[:, 0], 20.0)

    def facts(self, z: np.ndarray) -> dict[str, np.ndarray]:
        """What candidates z (K, keys) reach."""
        p, u, scale, need = self.build(z)
        power = self.spectra(p, u, scale)
        gain, through, _, jac, x = self.static(p, u, scale)
        k, n = need.shape[:2]
        damping = least_damping(jac.full).reshape(k, n)
        v = x[..., 0, :]
        ampa = p.g_fast[:, 0, 0, 0] + p.b_ampa[:, 0, 0] + u[:, 0, 0, 0]
        b = block(v)
        drive = E_GLU - v
        exc_nmda = (p.g_slow[:, 0, 0, 0] + p.b_nmda[:, 0, 0] + u[:, 1, 0, 0]) * b[:, 0, 0] * drive[:, 0, 0]
        exc_ampa = ampa * drive[:, 0, 0]
        pv_n = (p.g_slow[:, 0, 1, 0] + p.b_nmda[:, 0, 1] + u[:, 1, 0, 1]) * b[:, 0, 1]
        pv_a = p.g_fast[:, 0, 1, 0] + p.b_ampa[:, 0, 1] + u[:, 0, 0, 1]
        inh = p.g_fast[:, 0, 0, 1:] * (v[:, 0, :1] - p.e_inh[:, 0, :1])
        slow_inh = p.g_slow[:, 0, 0, 2] * (v[:, 0, 0] - E_K)
        total = inh.sum(-1) + slow_inh
        recurrent = (p.g_fast[:, 0, 0, 0] + u[:, 0, 0, 0]) * drive[:, 0, 0] + (
            p.g_slow[:, 0, 0, 0] + u[:, 1, 0, 0]
        ) * b[:, 0, 0] * drive[:, 0, 0]
        out = {
            "nmda_share_e": exc_nmda / (exc_nmda + exc_ampa),
            "nmda_share_pv": pv_n / (pv_n + pv_a),
            "pv_share": inh[:, 0] / total,
            "ei_charge": recurrent / total,
            "background": need.min((1, 2))
            if n == 1
            else need[:, :, :3].reshape(k, -1)[:, [0, 1, 2, 3, 4]].min(-1),
            "damping": damping[:, 0],
        }
        if n > 1:
            gamma = self.gamma
            out["gamma_damping"] = least_damping(jac.full.reshape(k, n, 24, 24)[:, 0], 25.0, 60.0)
            out["gamma_frequency"], out["gamma_prominence"] = gamma(p, u, scale)
            f2, f0 = (self.turning(*self.build(z, tau)[:3]) for tau in (1.25, 0.8))
            out["gamma_slope"] = np.log(f2 / f0) / np.log(1.25 / 0.8)
            out["gamma_network"] = prominence(power, 28, 56)[1]
            out["gamma_alone"] = gamma(without(p, u, 1), u, scale)[1]
            slow = np.arange(4.0, 25.0, 2.0)
            out["network_growing"], out["network_amplification"] = self.network_stability(p, u, scale)
            out["alpha_frequency"], out["alpha_prominence"] = prominence(power, 6, 15)
            out["alpha_alone"] = prominence(self.spectra(p, u, scale, False, slow), 6, 15, slow)[1]
            out["cortical_gain"], out["thalamic_gain"] = gain, through
            (
                out["rate_response"],
                out["interneuron_response"],
                out["damping_response"],
            ) = self.response(p, u, scale)
            out["thalamus_damping"] = damping[:, 1]
            out["damping_regional"], out["gain_regional"], out["spread_regional"] = self.regional(p, u, scale)
        else:
            out["log_rate_change"] = self.fragility(p, u, jac, x)
            out["theta_frequency"], out["theta_prominence"] = prominence(power, 3, 9)
            power = self.spectra(without(p, u, 2), u, scale)
            out["theta_without_sst"] = prominence(power, 3, 9)[1]
        return out

    def response(self, p: Parameters, u: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, ...]:
        """Largest |change of log rate| of E cells and of interneurons of cortex, and its least damping, after
        each of `LESIONS`, the loop with the thalamus included.
        """
        p, u, scale, (ampa, nmda, drive, pv, gaba, sst, cal) = stacked(p, u, scale, LESIONS)
        here = (slice(None), None, None)
        from_cell = np.stack([gaba, gaba * pv, gaba * sst], -1)[:, None, None]
        excitatory = p.glutamate[..., None, :] > 0
        q = replace(
            p,
            g_fast=p.g_fast * np.where(excitatory, ampa[:, None, None, None], from_cell),
            g_slow=p.g_slow * np.where(excitatory, nmda[:, None, None, None], 1.0),
            b_ampa=p.b_ampa * (ampa * drive)[here],
            b_nmda=p.b_nmda * (nmda * drive)[here],
            b_gaba=p.b_gaba * gaba[here],
            g_cal=p.g_cal * cal[here],
        )
        factor = scale * np.stack([ampa, nmda, gaba], -1)[:, :, None, None]
        change, v, arriving = self.newton(q, factor, inverse_firing(p.rate, p))
        x, _ = rest(v, q, arriving)
        damping = least_damping(jacobian(x, q, arriving).full[:, 0])
        change = change.reshape(len(LESIONS), -1, 3).max(0)
        return change[:, 0], change[:, 1:].max(-1), damping.reshape(len(LESIONS), -1).min(0)

    def newton(
        self, p: Parameters, scale: np.ndarray, v: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """|log rate / healthy| of cortex (K, 3) at rest, 4 where it does not settle; potentials, input."""
        k, n, _ = v.shape

        def arriving(v: np.ndarray) -> np.ndarray:
            gates = steady_gates(v, p)[:, :, 1:3, 0]  # fast, slow of E cells
            return np.concatenate([
                scale[:, :2] * np.einsum("rnaj,kjr->krna", self.unit[:2], gates), 0.0 * scale[:, 2:]
            ], 1) + scale * self.extra  # fmt: skip

        def residual(v: np.ndarray) -> np.ndarray:
            return rest(v, p, arriving(v))[1].reshape(k, n * 3)

        for _ in range(12):
            f = residual(v)
            jac = np.empty((k, n * 3, n * 3))
            for c in range(n * 3):
                w = v.astype(complex)
                w[:, c // 3, c % 3] += 1e-30j
                jac[:, :, c] = residual(w).imag / 1e-30
            step = -np.linalg.solve(jac + 1e-12 * np.eye(n * 3), f[..., None])[..., 0]
            size = np.abs(step).max(-1, keepdims=True)
            v = v + (step * np.minimum(1.0, 3.0 / np.maximum(size, 1e-30))).reshape(v.shape)
            if np.abs(f).max() < 1e-8:
                break
        settled = np.abs(residual(v)).max(-1) < 1e-6
        change = np.abs(np.log(firing(v, p)[:, 0] / p.rate[:, 0]))
        v = np.where(settled[:, None, None], v, inverse_firing(p.rate, p))
        return np.where(settled[:, None], np.minimum(change, 4.0), 4.0), v, arriving(v)

    def regional(self, p: Parameters, u: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, ...]:
        """Least damping, largest loop gain and largest departure of static response of `REGIONS`."""
        common = self.static(p, u, scale)[2]
        p, u, scale, (gaba, pv, sst, nmda) = stacked(p, u, scale, REGIONS)
        cortex = np.arange(len(self.names))[:, None, None] == 0
        excitatory = p.glutamate[..., None, :] > 0
        from_cell = np.stack([gaba, gaba * pv, gaba * sst], -1)[:, None, None]
        onto_e = (np.arange(3) == 0)[:, None]
        q = replace(
            p,
            g_fast=p.g_fast * np.where(cortex & ~excitatory, from_cell, 1.0),
            g_slow=p.g_slow * np.where(cortex & excitatory & onto_e, nmda[:, None, None, None], 1.0),
        )
        q, _ = with_background(q, u)
        gain, _, static, jac, _ = self.static(q, u, scale)
        damping = least_damping(jac.full.reshape(len(u), -1, 24, 24)[:, 0]).reshape(len(REGIONS), -1)
        ratio = static.reshape(len(REGIONS), -1) / common
        spread = np.abs(np.log(np.where(ratio > 0.05, ratio, 0.05)))
        return damping.min(0), np.abs(gain).reshape(len(REGIONS), -1).max(0), spread.max(0)

    def fragility(self, p: Parameters, u: np.ndarray, jac, x: np.ndarray) -> np.ndarray:
        """Largest |change of log E rate| when any local conductance onto node 0 moves by 20 % (linear)."""
        k, n = x.shape[:2]
        inverse = np.linalg.inv(jac.full.reshape(k, n, 24, 24)[:, 0])
        v = x[:, 0, 0]
        slope = (
            p.gain[:, 0, 0]
            / p.sigma[:, 0, 0]
            / (1 + np.exp(-(v[:, 0] - p.theta[:, 0, 0]) / p.sigma[:, 0, 0]))
        )
        worst = np.zeros(k)
        for name in ("g_fast", "g_slow", "g_m", "g_sk", "g_cal"):
            g = getattr(p, name)
            cells = [(a, b) for a in range(3) for b in range(3)] if g.ndim == 4 else [(a,) for a in range(3)]
            for c in cells:
                if not g[(slice(None), 0, *c)].any():
                    continue
                moved = g.copy()
                moved[(slice(None), 0, *c)] *= 1.2
                f = drift(x, replace(p, **{name: moved}), u)[:, 0].reshape(k, 24)
                dv = -(inverse @ f[..., None])[:, 0, 0]
                worst = np.maximum(worst, np.abs(dv * slope / p.rate[:, 0, 0]))
        return worst


def _dv(v: np.ndarray, p: Parameters, u: np.ndarray) -> np.ndarray:
    return drift(steady_gates(v, p), p, u)[..., 0, :] * p.tau
