"""The spiking network of one region (Brian 2; Stimberg, Brette and Goodman 2019, eLife 8:e47314).

    BRIAN_PYTHON network.py --given FILE.json --noise FILE.npy --cells lif --seconds 20 --out FILE.npz

Runs in its own environment (requirements.txt beside it) and takes all numbers from FILE.json, which
`benchmarks/reduction.py` writes.

**Shared with the population model:** membrane time constants, leak, reversals; every mean conductance;
decay of AMPA, NMDA, GABA-A of PV and of SST cells, GABA-B; magnesium block; the background and slow
conductances, the same realisation for all cells of a population (the population model takes them as
averaged over the region); voltage- and calcium-gated currents, whose gates follow the *mean* potential and
the mean NMDA current of a population. The last is shared because the population equation says it of means
and cannot be said of cells: its calcium current grows e-fold in 7 mV without a spike to end it, and a cell
alone, 2 mV above rest, would run away.

**Different, and therefore tested:** spikes of a finite number of cells instead of a rate; 480 synapses per
cell from randomly chosen cells instead of all-to-all means; each cell has its own potential, driving forces
and block, and rates are means over cells of a nonlinear function rather than that function of the mean;
NMDA receptors saturate per presynaptic cell and spike by spike (their time constant then shortens with
rate, in the population model it does not); in ``lif`` cells also reset, refractory time and an own response
to fast input; in ``lif late`` local synapses also have a latency.
"""

import argparse
import json
import tempfile
from pathlib import Path

import brian2 as b2
import numpy as np
from single import ALPHA, CELLS, INPUTS, LATE, PRIVATE_TAU, REFRACTORY, RESET, jumps

COMMON = """
dv/dt = (e_leak - v - ampa*v - i_nmda_out + (gp + gs + b_gaba + ng(t) + g_cl)*(e_inh - v)
         + (gb + potassium)*(-90 - v) + calcium*(120 - v) + hcn*(e_h - v) + eta)/(tau*ms) : 1
ampa = ga + b_ampa + na(t) : 1
i_nmda_out = (gn + b_nmda + nn(t))*v/(1 + exp(-0.062*v)/3.57) : 1
dga/dt = -ga/(tau_ampa*ms) : 1
dgn/dt = -gn/(tau_nmda*ms) : 1
dgp/dt = -gp/(tau_pv*ms) : 1
dgs/dt = -gs/(tau_sst*ms) : 1
dgb/dt = -gb/(tau_gabab*ms) : 1
potassium : 1 (linked)
calcium : 1 (linked)
hcn : 1 (linked)
"""
ESCAPE = "lam = gain*log(1 + exp((v - theta_)/sigma_))/ms : Hz\neta = 0 : 1\n"
LIF = "deta/dt = -eta/(private_tau*ms) + noise_*sqrt(2/(private_tau*ms))*xi : 1\n"
POOL = """
vm : 1
entering : 1
dm/dt = (1/(1 + exp(-(vm - m_half)/m_slope)) - m)/(tau_m*ms) : 1
derg/dt = (1/(1 + exp(-(vm - erg_half)/erg_slope)) - erg)/(tau_erg*ms) : 1
dc/dt = (ca_l*calcium*(120 - vm) + ca_n*entering - c)/(tau_ca*ms) : 1
dh/dt = (1/(1 + exp(-(vm - h_half)/h_slope)) - h)/(tau_h*ms) : 1
bound = clip(c, 0, 1000)**ca_hill : 1
free = 1/(1 + exp((vm - erg_block_half)/erg_block_slope)) : 1
potassium = g_m*m + g_sk*bound/(bound + ca_half**ca_hill) + g_erg*erg*free : 1
calcium = g_cal/(1 + exp(-(vm - cal_half)/cal_slope)) : 1
hcn = g_h*h : 1
"""


def partners(pre: int, post: int, count: int, same: bool, rng: np.random.Generator):
    """`count` different presynaptic cells for every postsynaptic one; never itself."""
    source = np.empty((post, count), int)
    for i in range(post):
        pool = rng.choice(pre - same, count, replace=False)
        source[i] = pool + (same & (pool >= i))
    return source.ravel(), np.repeat(np.arange(post), count)


def build(given: dict, kind: str, wander: np.ndarray, seed: int) -> dict:
    """Groups, synapses and monitors of the network."""
    p, counts, rng = given["parameters"], given["count"], np.random.default_rng(seed)
    step = given["noise_step"] * b2.ms
    tau = dict(zip(("tau_ampa", "tau_pv", "tau_sst"), p["tau_fast"], strict=True))
    tau |= {"tau_nmda": p["tau_slow"][0], "tau_gabab": p["tau_slow"][2], "private_tau": PRIVATE_TAU}
    rest, w = given["rest"], jumps(given["healthy"])
    for name in ("fast", "slow"):  # a lesion scales what a spike adds
        healthy, now = (np.array(given[k][f"g_{name}"]) for k in ("healthy", "parameters"))
        w[name] = w[name] * np.divide(now, healthy, out=np.ones_like(now), where=healthy > 0)
    objects: dict = {}
    cells, pools = [], []
    for a, name in enumerate(CELLS):
        own = {k: v[a] for k, v in p.items() if np.ndim(v) == 1} | tau
        own |= {f"{k}_": v for k, v in given["cells"][kind.split()[0]][name].items()}
        own |= {f"n{k}": b2.TimedArray(wander[:, i, a], dt=step) for i, k in enumerate("ang")}
        pool = b2.NeuronGroup(1, POOL, method="euler", namespace=own)
        equations = COMMON + (ESCAPE if kind == "escape" else LIF)
        equations += "ds/dt = -s/(tau_nmda*ms) : 1\nopened : 1\n" if a == 0 else ""
        opened = f"opened = {ALPHA}*(1 - s); s += opened" if a == 0 else ""
        reset = opened if kind == "escape" else "; ".join(filter(None, (f"v = {RESET}", opened)))
        if kind != "escape":
            equations = equations.replace("(tau*ms) : 1\n", "(tau*ms) : 1 (unless refractory)\n", 1)
        group = b2.NeuronGroup(
            counts[a], equations, method="euler", namespace=own, reset=reset or None,
            threshold="rand() < lam*dt" if kind == "escape" else "v > threshold_",
            refractory=REFRACTORY[a] * b2.ms if kind != "escape" else False,
        )  # fmt: skip
        for conductance in ("potassium", "calcium", "hcn"):
            setattr(group, conductance, b2.linked_var(pool, conductance, index=np.zeros(counts[a], int)))
        start = rest[a]
        pool.m, pool.erg, pool.c, pool.h = start["m"], start["e"], start["c"], start["h"]
        group.v = f"{start['v']} + randn()"
        if kind != "escape":
            group.eta = "noise_*randn()"
        for variable in ("ga", "gn", "gp", "gs", "gb"):
            setattr(group, variable, start[variable])
        if a == 0:
            group.s = start["s"]
        mean = b2.Synapses(
            group, pool,
            "vm_post = v_pre/N_pre : 1 (summed)\nentering_post = -i_nmda_out_pre/N_pre : 1 (summed)",
            namespace=own,
        )  # fmt: skip
        mean.connect()
        cells.append(group)
        pools.append(pool)
        objects |= {f"cells{a}": group, f"pool{a}": pool, f"mean{a}": mean}
        objects[f"spikes{a}"] = b2.PopulationRateMonitor(group)
        objects[f"vm{a}"] = b2.StateMonitor(pool, "vm", record=True, dt=1 * b2.ms)
        objects[f"some{a}"] = b2.StateMonitor(group, "v", record=np.arange(20), dt=5 * b2.ms)
    fast = ("ga", "gp", "gs")
    late = LATE if kind == "lif late" else (0.0, 0.0, 0.0)
    for post in range(len(CELLS)):
        for pre in range(len(CELLS)):
            g, slow = float(w["fast"][post, pre]), float(w["slow"][post, pre])
            act = [f"{fast[pre]}_post += {g!r}"] if g else []
            if slow:
                # without latency synapses act before the cell's own gate is updated, with it long after
                share = "opened_pre" if late[pre] else f"{ALPHA}*(1 - s_pre)"
                act.append(f"gn_post += {slow!r}*{share}" if pre == 0 else f"gb_post += {slow!r}")
            if not act:
                continue
            link = b2.Synapses(cells[pre], cells[post], on_pre="; ".join(act), delay=late[pre] * b2.ms)
            i, j = partners(counts[pre], counts[post], INPUTS[pre], pre == post, rng)
            link.connect(i=i, j=j)
            objects[f"link{post}{pre}"] = link
    return objects


def main() -> None:
    """Run and save: mean potentials and rates each millisecond, potentials of some cells each 5 ms."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--given", type=Path, required=True)
    parser.add_argument("--noise", type=Path, required=True)
    parser.add_argument("--cells", choices=("escape", "lif", "lif late"), required=True)
    parser.add_argument("--seconds", type=float, required=True, help="with the time to settle")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        b2.set_device("cpp_standalone", directory=folder, build_on_run=False)
        b2.prefs.codegen.cpp.extra_compile_args_gcc = ["-O3", "-march=native", "-ffast-math", "-w"]
        b2.prefs.devices.cpp_standalone.extra_make_args_unix = ["-j", "2"]
        b2.defaultclock.dt = 0.1 * b2.ms
        b2.seed(given.seed)
        objects = build(json.loads(given.given.read_text()), given.cells, np.load(given.noise), given.seed)
        b2.Network(*objects.values()).run(given.seconds * b2.second)
        b2.device.build(directory=folder, compile=True, run=True, debug=False)
        rates = [np.asarray(objects[f"spikes{a}"].rate / b2.Hz).reshape(-1, 10).mean(1) for a in range(3)]
        np.savez(
            given.out, rate=np.stack(rates, 1),
            potential=np.stack([np.asarray(objects[f"vm{a}"].vm[0]) for a in range(3)], 1),
            sd=np.array([np.asarray(objects[f"some{a}"].v)[:, 200:].std(1).mean() for a in range(3)]),
        )  # fmt: skip


if __name__ == "__main__":
    main()
