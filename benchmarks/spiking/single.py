"""One cell in open loop, and the thresholds that make it answer as the population curve says.

A cell receives Poisson spikes of its K presynaptic cells at healthy rates; nothing it does returns to it. Two
kinds of cell:

escape  no reset; fires with intensity A ln(1 + exp((V - theta') / sigma')). The population curve is meant
        for the mean potential, so what the potential of one cell fluctuates by itself is taken out of the
        width: theta' and sigma' are chosen.
lif     fires at a threshold, is reset to `RESET` and refractory for `REFRACTORY`; the width comes from its
        own membrane noise (an Ornstein-Uhlenbeck current of `PRIVATE_TAU`): threshold and noise are chosen.

Voltage-gated and calcium-gated conductances are those of the population at rest under the same current: in
the network they follow the mean potential, as in the population equation (see `network.py` for why).

In both, two numbers per kind of cell make the mean rate under a steady current of 0 and of +-`CURRENT`
agree in level and slope with the population equation, its synaptic conductances held at healthy means.
Nothing is fitted in the closed loop.
"""

import numpy as np

CELLS = ("E", "PV", "SST")
INPUTS = (320, 80, 80)
"""Presynaptic cells of each population that one cell has (where there is a connection at all)."""
CURRENT = 1.0
"""Test current, mV (times leak)."""
RESET, REFRACTORY = -60.0, (2.0, 1.0, 2.0)
"""mV and ms (declared)."""
PRIVATE_TAU = 5.0
"""Correlation time of a cell's own membrane noise, ms (declared)."""
LATE = (1.2, 1.5, 2.0)
"""Latency of local synapses of E, PV and SST cells in ``lif late``, ms: the 1 ms that the model gives
synapses between regions, and rise times of AMPA and GABA-A in synapses.csv. The populations have neither."""
WAVE = 3.0
"""Amplitude of the oscillating test current, mV."""
WARM_UP = 1.0
"""Time left out, s."""
DT = 0.1
ALPHA = 0.641
"""Share of NMDA receptors left that a spike opens (Wong and Wang 2006); ALPHA 100 ms is their saturation."""
E_K, E_CA = -90.0, 120.0


def block(v):
    """Free of magnesium (Jahr and Stevens 1990)."""
    return 1 / (1 + np.exp(-0.062 * v) / 3.57)


def boltzmann(v, half, slope):
    return 1 / (1 + np.exp(-(v - half) / slope))


def jumps(p: dict) -> dict[str, np.ndarray]:
    """Conductance that a spike adds, (post, pre): mean conductances are then those of the population."""
    g_fast, g_slow = np.array(p["g_fast"]), np.array(p["g_slow"])
    rate, count = np.array(p["rate"]), np.array(INPUTS)
    fast = g_fast / (count * rate * np.array(p["tau_fast"]))
    slow = g_slow / (count * rate * np.array(p["tau_slow"]))
    open_ = ALPHA * p["tau_slow"][0] * rate[0]
    slow[:, 0] = g_slow[:, 0] / (count[0] * open_ / (1 + open_))  # per unit of the saturating gate
    return {"fast": fast, "slow": slow}


class Cell:
    """Many independent cells of one kind under three currents, open loop.

    Parameters
    ----------
    p : dict
        Numbers of the region, healthy.
    a : int
        Population.
    count : int
        Cells per current.
    """

    def __init__(self, p: dict, a: int, count: int) -> None:
        self.p = {k: np.array(v)[a] for k, v in p.items() if k not in ("g_fast", "g_slow")}
        self.a, self.all = a, p
        self.current = np.repeat([-CURRENT, 0.0, CURRENT], count)
        self.jump = jumps(p)

    def population(self) -> np.ndarray:
        """Potentials at which the population equation rests under the three currents, mV."""
        from scipy.optimize import brentq

        return np.array([brentq(lambda v, i=i: self._rest(v, i), -75, -35) for i in (-CURRENT, 0.0, CURRENT)])

    def _rest(self, v: float, current: float) -> float:
        fast, slow = np.array(self.all["g_fast"])[self.a], np.array(self.all["g_slow"])[self.a]
        entering = (slow[0] + self.p["b_nmda"]) * block(v) * -v
        pool = self._pool(v, self._steady(v, entering))
        return float(self._flow(v, pool, fast[0], slow[0], fast[1] + fast[2], slow[1] + slow[2]) + current)

    def _steady(self, v, entering):
        """Gates m, e, c, h at rest with mean potential `v` and NMDA current `entering`."""
        q = self.p
        cal = q["g_cal"] * boltzmann(v, q["cal_half"], q["cal_slope"]) * (E_CA - v)
        return [
            boltzmann(v, q["m_half"], q["m_slope"]), boltzmann(v, q["erg_half"], q["erg_slope"]),
            q["ca_l"] * cal + q["ca_n"] * entering, boltzmann(v, q["h_half"], q["h_slope"]),
        ]  # fmt: skip

    def _pool(self, v, gates):
        """Conductances of potassium, calcium and HCN channels at the mean potential."""
        q, (m, e, c, h) = self.p, gates
        bound = np.maximum(c, 0.0) ** q["ca_hill"]
        sk = q["g_sk"] * bound / (bound + q["ca_half"] ** q["ca_hill"])
        free = boltzmann(v, q["erg_block_half"], -q["erg_block_slope"])
        cal = q["g_cal"] * boltzmann(v, q["cal_half"], q["cal_slope"])
        return q["g_m"] * m + sk + q["g_erg"] * e * free, cal, q["g_h"] * h

    def _flow(self, v, pool, ampa, nmda, gaba, gabab):
        """tau dV/dt without test current, mV."""
        q, (potassium, calcium, hcn) = self.p, pool
        flow = q["e_leak"] - v - (ampa + q["b_ampa"]) * v - (nmda + q["b_nmda"]) * block(v) * v
        flow = flow + (gaba + q["b_gaba"] + q["g_cl"]) * (q["e_inh"] - v)
        return flow + (gabab + potassium) * (E_K - v) + calcium * (E_CA - v) + hcn * (q["e_h"] - v)

    def run(self, seconds: float, seed: int, lif: tuple[float, float] | None = None, hertz: float = 0.0):
        """Simulate; potentials of every 5 ms (escape) or rates under the three currents (lif), Hz.

        lif : threshold and sd of the private noise current, mV.
        hertz : frequency of a current of `WAVE` instead of the steady ones; returns the complex response of
            the rate, Hz per mV.
        """
        rng = np.random.default_rng(seed)
        q, n, at = self.p, len(self.current), self.a
        rate, tau = np.array(self.all["rate"]), np.array(self.all["tau_fast"])
        fast, slow = self.jump["fast"][at], self.jump["slow"][at]
        open_ = ALPHA * self.all["tau_slow"][0] * rate[0]
        opened = ALPHA / (1 + open_)  # mean share that a spike opens
        rest, each = self.population(), n // 3
        rest = np.full(3, rest[1]) if hertz else rest
        g_fast, g_slow = np.array(self.all["g_fast"])[at], np.array(self.all["g_slow"])[at]
        g = [np.full(n, x) for x in g_fast]
        nmda, gabab = np.full(n, g_slow[0]), np.full(n, g_slow[2])
        v = np.repeat(rest, each)
        steady = self._steady(rest, (g_slow[0] + q["b_nmda"]) * block(rest) * -rest)
        pool = [np.repeat(x, each) for x in np.broadcast_arrays(*self._pool(rest, steady))]
        eta, quiet, spikes, seen = np.zeros(n), np.zeros(n), np.zeros(n), []
        steps, first = round(1e3 * (WARM_UP + seconds) / DT), round(1e3 * WARM_UP / DT)
        response, current = 0j, self.current
        for step in range(steps):
            for b in range(3):
                if g_fast[b] == 0 and g_slow[b] == 0:
                    continue
                came = rng.poisson(INPUTS[b] * rate[b] * DT, n)
                g[b] = g[b] * (1 - DT / tau[b]) + fast[b] * came
                if b == 0:
                    nmda = nmda * (1 - DT / self.all["tau_slow"][0]) + slow[0] * opened * came
                elif g_slow[b] > 0:
                    gabab = gabab * (1 - DT / self.all["tau_slow"][b]) + slow[b] * came
            if hertz:
                turn = np.exp(2e-3j * np.pi * hertz * step * DT)
                current = WAVE * turn.imag
            flow = self._flow(v, pool, g[0], nmda, g[1] + g[2], gabab) + current + eta
            v = v + DT / q["tau"] * flow
            if lif is not None:
                threshold, sd = lif
                kick = sd * np.sqrt(2 * DT / PRIVATE_TAU)
                eta = eta * (1 - DT / PRIVATE_TAU) + kick * rng.standard_normal(n)
                v = np.where(quiet > 0, RESET, v)
                fired = v > threshold
                v, quiet = np.where(fired, RESET, v), np.where(fired, REFRACTORY[at], quiet - DT)
                if step >= first:
                    spikes += fired
                    response += 2j * fired.mean() * turn.conjugate() if hertz else 0.0
            elif step >= first and step % 50 == 0:
                seen.append(v.copy())
        if hertz:
            return response / seconds / WAVE
        if lif is not None:
            return spikes.reshape(3, -1).mean(1) / seconds
        return np.array(seen).reshape(len(seen), 3, -1)

    def target(self) -> np.ndarray:
        """Level and slope that a cell is to have: log rate without current, log ratio of rates with +-."""
        return _summary(
            1e3 * self.p["gain"] * np.log1p(np.exp((self.population() - self.p["theta"]) / self.p["sigma"]))
        )

    def escape(self, seconds: float = 4.0, seed: int = 0) -> dict[str, float]:
        """theta' and sigma' of the intensity, and the sd of the cell's own potential (mV)."""
        from scipy.optimize import root

        v = self.run(seconds, seed).transpose(1, 0, 2).reshape(3, -1)
        goal, gain = self.target(), 1e3 * self.p["gain"]

        def off(x: np.ndarray) -> np.ndarray:
            return _summary((gain * np.logaddexp(0, (v - x[0]) / np.exp(x[1]))).mean(1)) - goal

        found = root(off, [float(self.p["theta"]), np.log(0.8 * self.p["sigma"])])
        return {
            "theta": float(found.x[0]), "sigma": float(np.exp(found.x[1])), "sd": float(v[1].std()),
            "off": float(np.abs(off(found.x)).max()),
        }  # fmt: skip

    def lif(self, seconds: float = 2.0, seed: int = 0, rounds: int = 15) -> dict[str, float]:
        """Threshold and sd of the private noise current, found with the same random numbers throughout."""
        goal = self.target()
        x = np.array([float(self.p["theta"]) + 6.0, np.log(18.0)])

        def off(x: np.ndarray) -> np.ndarray:
            return _summary(np.maximum(self.run(seconds, seed, (x[0], float(np.exp(x[1])))), 0.05)) - goal

        here, step = off(x), np.array([1.0, 0.2])
        slope = np.stack([(off(x + np.eye(2)[k] * step[k]) - here) / step[k] for k in range(2)], 1)
        for _ in range(rounds):
            move = np.clip(-np.linalg.solve(slope, here), [-3, -0.5], [3, 0.5])
            there = off(x + move)
            slope += np.outer(there - here - slope @ move, move) / (move @ move)  # Broyden (1965)
            x, here = x + move, there
            if np.abs(here).max() < 0.02:
                break
        return {"threshold": float(x[0]), "noise": float(np.exp(x[1])), "off": float(np.abs(here).max())}

    def response(
        self, hertz: float, lif: tuple[float, float], seconds: float = 4.0
    ) -> tuple[complex, complex]:
        """Response of the rate to a current that oscillates, Hz per mV: of lif cells, and of the population.

        The population's is the slope of its curve times the response of its mean potential, a low-pass.
        """
        v = self.population()[1]
        fast, slow = np.array(self.all["g_fast"])[self.a], np.array(self.all["g_slow"])[self.a]
        pool = self._pool(v, self._steady(v, (slow[0] + self.p["b_nmda"]) * block(v) * -v))
        held = [self._flow(v + d, pool, fast[0], slow[0], fast[1] + fast[2], slow[2]) for d in (-0.01, 0.01)]
        slope = 1e3 * self.p["gain"] / self.p["sigma"] * boltzmann(v, self.p["theta"], self.p["sigma"])
        expected = slope / (-(held[1] - held[0]) / 0.02 + 2e-3j * np.pi * hertz * self.p["tau"])
        return complex(self.run(seconds, 1, lif, hertz=hertz)), complex(expected)


def _summary(rates: np.ndarray) -> np.ndarray:
    return np.array([np.log(rates[1]), np.log(rates[2] / rates[0])])
