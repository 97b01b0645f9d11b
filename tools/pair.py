"""Healthy facts, and a cortex-thalamus pair or a hippocampus that is held against them.

Candidates are stacked along a leading axis, so a whole generation is judged at once.
"""

from dataclasses import replace

import numpy as np

from synsys.brain.fixed import rest
from synsys.brain.wiring import SYNAPTIC_DELAY, VELOCITY
from synsys.circuit.drift import E_GLU, Parameters, block, drift, firing, inverse_firing, steady_gates
from synsys.circuit.linear import KINDS, jacobian, local_transfer
from synsys.circuit.templates import healthy, prior, slot, with_background
from synsys.knowledge.mechanisms import projections

FACTS = {
    "gamma_frequency": (34.0, 46.0),  # Hz, gamma resonance near 40 Hz
    "gamma_prominence": (0.05, 0.30),  # log10 power above the line through its flanks
    "gamma_slope": (-0.8, -0.4),  # d log f / d log tau_GABA of PV synapses at fixed rates
    "alpha_frequency": (8.5, 11.5),  # Hz, with the thalamus
    "alpha_prominence": (0.12, 0.8),
    "alpha_alone": (-9.0, 0.05),  # prominence without the thalamus
    "nmda_share_e": (0.25, 0.5),  # of excitatory charge onto E
    "nmda_share_pv": (0.10, 0.45),
    "pv_share": (0.45, 0.8),  # of inhibitory charge onto E
    "ei_charge": (0.7, 1.6),  # recurrent and long-range excitatory over inhibitory charge onto E
    "cortical_gain": (0.60, 0.75),  # cortico-cortical loop at zero frequency, leading mode
    "thalamic_gain": (0.02, 0.12),  # cortico-thalamo-cortical loop at zero frequency
    "background": (0.7, 30.0),  # mV, least over populations
    "log_rate_change": (
        0.0,
        0.8,
    ),  # largest |change of log E rate| for 20 % of any conductance, loop included
    "rate_response": (
        0.0,
        0.6,
    ),  # largest |change of log E rate| for 20 % of all AMPA or all background, exact
    "damping_response": (0.16, 9.0),  # least damping ratio of cortex under 20 % of AMPA, NMDA or background
    "damping": (0.20, 9.0),  # least damping ratio of any local mode
    "thalamus_damping": (0.08, 9.0),
    "decay_regional": (
        0.4,
        1e9,
    ),  # 1/s, slowest mode of cortices with other PV, E<-E synapses
    "damping_regional": (0.16, 9.0),  # least damping ratio of these cortices
    "gain_regional": (0.0, 0.85),  # its cortical loop gain; regions differ by as much (PVALB maps)
}
HIPPOCAMPUS_FACTS = {
    "theta_frequency": (4.5, 7.5),
    "theta_prominence": (0.20, 0.8),
    "theta_without_sst": (-9.0, 0.03),
    "background": (1.0, 30.0),
    "log_rate_change": (0.0, 0.8),
    "damping": (0.03, 9.0),
    "pv_share": (0.3, 0.8),
}
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
FREQUENCY = np.r_[np.arange(2.0, 20.0), np.arange(20.0, 52.0, 2.0), 54, 60, 66, 72]
TRACT = {"cc": 90.0, "ct": 70.0}  # mm, typical interhemispheric and thalamocortical lengths


def free(group: str) -> list[str]:
    """Keys of the conductances that a group's calibration moves."""
    templates = ("cortex", "thalamus") if group == "cortex" else (group,)
    keys = [k for k, (_, _, moves) in prior().items() if moves and k.split(".")[0] in templates]
    return keys + list(FREE_CHANNELS[group])


def prominence(p: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Frequency and height (log10) of the highest bump within a band, over the chord of its flanks.

    p : (F, K) power. The chord joins the least points within a factor 1.6 below and above the bump; a
    monotone stretch counts as no bump (negative height).
    """
    y, x = np.log10(p), np.log10(FREQUENCY)
    best_f = np.full(p.shape[1], np.sqrt(low * high))
    best = np.full(p.shape[1], -1.0)
    for i in np.flatnonzero((low <= FREQUENCY) & (high >= FREQUENCY)):
        lo = np.flatnonzero((FREQUENCY[i] > FREQUENCY) & (FREQUENCY[i] / 1.6 < FREQUENCY))
        hi = np.flatnonzero((FREQUENCY[i] < FREQUENCY) & (FREQUENCY[i] * 1.6 > FREQUENCY))
        if not len(lo) or not len(hi):
            continue
        base_lo, base_hi = y[lo].min(0), y[hi].min(0)
        jl, jh = lo[y[lo].argmin(0)], hi[y[hi].argmin(0)]
        w = (x[i] - x[jl]) / (x[jh] - x[jl])
        height = y[i] - ((1 - w) * base_lo + w * base_hi)
        inside = (y[i] >= y[i - 1]) & (y[i] >= y[min(i + 1, len(y) - 1)])
        height = np.where(inside, height, np.minimum(height, 0.0) - 0.2)
        a, c, d = y[i - 1], y[i], y[min(i + 1, len(y) - 1)]  # vertex of the parabola through three points
        curve = a - 2 * c + d
        shift = np.clip(np.where(curve < 0, 0.5 * (a - d) / np.where(curve < 0, curve, -1.0), 0.0), -0.5, 0.5)
        exact = np.exp(np.log(FREQUENCY[i]) + shift * 0.5 * np.log(FREQUENCY[i + 1] / FREQUENCY[i - 1]))
        better = height > best
        best, best_f = np.where(better, height, best), np.where(better, exact, best_f)
    return best_f, best


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
        bare = replace(p, b_gaba=np.full_like(v, 0.2))
        need = -_dv(v, bare, u * np.where(np.arange(len(self.names)) == 0, HUB, 1.0)[:, None])
        p, _ = with_background(p, u)
        return p, u, scale, need

    def spectra(self, p, u, scale, thalamus: bool = True, frequency: np.ndarray = FREQUENCY):
        """Power of E potential (F, K) and loop gain at zero frequency (K,) of the symmetric network."""
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
        omega = np.r_[1e-6, frequency] * 2e-3 * np.pi
        t = local_transfer(flat, omega)
        f = len(omega)
        tr = (t.inv[:, :, 0, None] * t.enter).reshape(f, k, n, 3, 3)  # onto slot 0: (F,K,n,kind,slot)
        gates = np.stack([t.fast, t.slow], -1).reshape(f, k, n, 3, 2)[:, :, :, 0]  # of slot 0
        loop = np.einsum("fknra,krna,rnaj,fkjr->fknj", tr[:, :, :, :2], scale[:, :2], self.unit[:2], gates)
        delay = np.array([[TRACT["cc"], TRACT["ct"]], [TRACT["ct"], 0.0]])[:n, :n] / VELOCITY + SYNAPTIC_DELAY
        loop = loop * np.exp(-1j * omega[:, None, None, None] * delay)
        if not thalamus and n > 1:
            loop[:, :, 0, 1] = 0.0
        tau = np.array([2.0, 100.0, 10.0])
        b = (
            np.stack([p.b_ampa, p.b_nmda, p.b_gaba], 1)
            * tau[:, None, None]
            / (1 + (omega[:, None, None, None, None] * tau[:, None, None]) ** 2)
        )
        q = (np.abs(tr) ** 2 * b.transpose(0, 1, 3, 2, 4)).sum((-1, -2))  # (F,K,n)
        power = 0.0
        for sign in (1.0, -1.0):
            sym = np.array([[sign, 1.0], [1.0, 1.0]])[:n, :n]
            r = np.linalg.inv(np.eye(n) - loop * sym)
            power = power + 0.5 * (np.abs(r[:, :, 0]) ** 2 * q).sum(-1)
        static = loop[0].real
        gain = static[:, 0, 0], static[:, 0, -1] * static[:, -1, 0]
        return power[1:], gain, flat, x

    def facts(self, z: np.ndarray) -> dict[str, np.ndarray]:
        """What candidates z (K, keys) reach."""
        p, u, scale, need = self.build(z)
        power, gain, jac, x = self.spectra(p, u, scale)
        k, n = need.shape[:2]
        eig = np.linalg.eigvals(jac.full).reshape(k, n, -1)
        damping = np.where(np.abs(eig.imag) > 1e-9, -eig.real / np.abs(eig), 1.0).min(-1)
        damping = np.where(eig.real.max(-1) > -2e-4, -1.0, damping)
        v = x[..., 0, :]
        ampa = p.g_fast[:, 0, 0, 0] + p.b_ampa[:, 0, 0] + u[:, 0, 0, 0]
        b = block(v)
        drive = E_GLU - v
        exc_nmda = (p.g_slow[:, 0, 0, 0] + p.b_nmda[:, 0, 0] + u[:, 1, 0, 0]) * b[:, 0, 0] * drive[:, 0, 0]
        exc_ampa = ampa * drive[:, 0, 0]
        pv_n = (p.g_slow[:, 0, 1, 0] + p.b_nmda[:, 0, 1] + u[:, 1, 0, 1]) * b[:, 0, 1]
        pv_a = p.g_fast[:, 0, 1, 0] + p.b_ampa[:, 0, 1] + u[:, 0, 0, 1]
        inh = p.g_fast[:, 0, 0, 1:] * (v[:, 0, :1] - p.e_inh[:, 0, :1])
        slow_inh = p.g_slow[:, 0, 0, 2] * (v[:, 0, 0] + 90.0)
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
            "log_rate_change": self.fragility(p, u, jac, x),
        }
        if n > 1:
            out["gamma_frequency"], out["gamma_prominence"] = prominence(power, 25, 60)
            p2, u2, s2, _ = self.build(z, 1.3)
            p0, u0, s0, _ = self.build(z, 1 / 1.3)
            f2, h2 = prominence(self.spectra(p2, u2, s2)[0], 18, 60)
            f0, h0 = prominence(self.spectra(p0, u0, s0)[0], 25, 70)
            out["gamma_slope"] = np.where((h2 > 0) & (h0 > 0), np.log(f2 / f0) / np.log(1.69), 0.0)
            out["alpha_frequency"], out["alpha_prominence"] = prominence(power, 6, 15)
            out["alpha_alone"] = prominence(self.spectra(p, u, scale, thalamus=False)[0], 6, 15)[1]
            out["cortical_gain"], out["thalamic_gain"] = gain
            out["rate_response"], out["damping_response"] = self.response(p, u, scale)
            out["thalamus_damping"] = damping[:, 1]
            out["decay_regional"], out["damping_regional"], out["gain_regional"] = self.regional(z)
            left = 1.0 - out["cortical_gain"] - out["thalamic_gain"]
            out["log_rate_change"] = np.where(
                left > 0.05, out["log_rate_change"] / np.maximum(left, 0.05), 9.0
            )
        else:
            out["theta_frequency"], out["theta_prominence"] = prominence(power, 3, 9)
            g = p.g_fast.copy()
            g[..., :, 2] = 0.0
            cut = replace(p, g_fast=g)
            cut, _ = with_background(cut, u)
            out["theta_without_sst"] = prominence(self.spectra(cut, u, scale)[0], 3, 9)[1]
        return out

    def response(self, p: Parameters, u: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Largest |change of log E rate| and least cortical damping of the pair under global changes."""
        worst, damping = np.zeros(len(u)), np.full(len(u), 9.0)
        for ampa, nmda, drive, pv in (
            (1.2, 1, 1, 1),
            (1, 0.8, 1, 1),
            (1, 1.2, 1, 1),
            (1, 1, 0.8, 1),
            (1, 1, 1, 0.8),
        ):
            from_pv = np.where(np.arange(3) == 1, pv, 1.0)
            q = replace(
                p,
                g_fast=np.where(p.glutamate[..., None, :] > 0, ampa, from_pv) * p.g_fast,
                g_slow=np.where(p.glutamate[..., None, :] > 0, nmda, 1.0) * p.g_slow,
                b_ampa=p.b_ampa * ampa * drive,
                b_nmda=p.b_nmda * nmda * drive,
            )
            factor = scale * np.array([ampa, nmda, 1.0])[:, None, None]
            change, v, arriving = self.newton(q, factor, inverse_firing(p.rate, p))
            worst = np.maximum(worst, change)
            x, _ = rest(v, q, arriving)
            eig = np.linalg.eigvals(np.nan_to_num(jacobian(x, q, arriving).full[:, 0]))
            turning = np.where(np.abs(eig.imag) > 1e-9, -eig.real / np.abs(eig), 1.0).min(-1)
            growing = eig.real.max(-1) > -2e-4
            damping = np.minimum(damping, np.where(growing, np.minimum(turning, 0.0), turning))
        return worst, damping

    def newton(
        self, p: Parameters, scale: np.ndarray, v: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """|log E rate / healthy| of the pair at rest (4 where it does not settle), potentials, input."""
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
        change = np.abs(np.log(firing(v, p)[:, 0, 0] / p.rate[:, 0, 0]))
        v = np.where(settled[:, None, None], v, inverse_firing(p.rate, p))
        return np.where(settled, np.minimum(change, 4.0), 4.0), v, arriving(v)

    def regional(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Slowest decay (1/s), least damping, largest loop gain of cortices with other synapses."""
        decay, damping, most = np.full(len(z), np.inf), np.full(len(z), 9.0), np.zeros(len(z))
        groups = [
            np.array([key.startswith("cortex.") and mark in key for key in self.keys])
            for mark in ("<-PV:", "E<-E:")
        ]
        for pv, ee in ((0.6, 1.25), (0.75, 1.0), (1.3, 0.9)):
            moved = z + groups[0] * np.log(pv) + groups[1] * np.log(ee)
            p, u, scale, _ = self.build(moved)
            _, gain, jac, _ = self.spectra(p, u, scale, frequency=FREQUENCY[:1])
            eig = np.linalg.eigvals(jac.full.reshape(len(z), -1, 24, 24)[:, 0])
            turning = np.where(np.abs(eig.imag) > 1e-9, -eig.real / np.abs(eig), 1.0).min(-1)
            decay, damping = np.minimum(decay, -1e3 * eig.real.max(-1)), np.minimum(damping, turning)
            most = np.maximum(most, np.abs(gain[0]))
        return decay, damping, most

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


WEIGHT = {
    "gamma_frequency": 0.2,
    "alpha_frequency": 0.4,
    "theta_frequency": 0.6,
    "gamma_prominence": 8,
    "alpha_prominence": 8,
    "theta_prominence": 8,
    "alpha_alone": 8,
    "theta_without_sst": 8,
    "gamma_slope": 4,
    "nmda_share_e": 10,
    "nmda_share_pv": 10,
    "pv_share": 10,
    "ei_charge": 3,
    "cortical_gain": 10,
    "thalamic_gain": 10,
    "background": 0.2,
    "log_rate_change": 2,
    "rate_response": 3,
    "damping_response": 10,
    "damping": 10,
    "thalamus_damping": 10,
    "decay_regional": 5,
    "damping_regional": 10,
    "gain_regional": 10,
}


def misses(reached: dict[str, np.ndarray], facts: dict[str, tuple[float, float]]) -> np.ndarray:
    """Weighted distance from every fact, (K,)."""
    total = 0.0
    for name, (low, high) in facts.items():
        y = np.nan_to_num(reached[name], nan=99.0)
        total = total + np.minimum(WEIGHT[name] * (np.maximum(0, low - y) + np.maximum(0, y - high)), 12.0)
    return total
