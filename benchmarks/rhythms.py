"""Rhythms of the calibrated ensemble, whole and with their mechanism removed.

Usage: python benchmarks/rhythms.py [--members 16] [--out benchmarks/results/rhythms.md]

Per calibration member, on the embedded brain: height (log10 over the chord of its flanks) of the gamma bump
of cortex with PV cells and without PV inhibition of E cells, of alpha with and without the thalamus, of
hippocampal theta with and without SST inhibition. Healthy rates are held in every variant, so only the
mechanism differs. Gamma was calibrated on cortex alone, alpha in the network of like regions, theta on a
hippocampus alone; here all are looked at in the whole brain with its maps.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import numpy as np
from facts import prominence

from synsys.brain.draws import Draw
from synsys.brain.fixed import OperatingPoint, arriving, rest
from synsys.brain.model import BrainModel
from synsys.brain.solution import Grid, solve
from synsys.brain.stability import stability
from synsys.brain.state import HealthyBrain, State
from synsys.circuit.calibration import members
from synsys.circuit.drift import inverse_firing, steady_gates
from synsys.circuit.templates import with_background
from synsys.core.output import write_whole
from synsys.data.embedded import load_embedded

BANDS = {"gamma": ("cortex", 28.0, 55.0), "alpha": ("cortex", 7.5, 13.0), "theta": ("hippocampus", 3.5, 8.5)}


def without(healthy: HealthyBrain, mechanism: str) -> State:
    """Healthy brain at the same rates with one mechanism taken out."""
    state, wiring = healthy.state, healthy.wiring
    p, coupling = state.parameters, state.coupling.copy()
    template = wiring.nodes.template.to_numpy()
    g = p.g_fast.copy()
    if mechanism == "gamma":
        g[template == "cortex", 0, 1] = 0.0
    if mechanism == "theta":
        g[template == "hippocampus", :, 2] = 0.0
    if mechanism == "alpha":
        silent = template == "thalamus"
        wiring = replace(wiring, weights=np.where(silent[wiring.source_node], 0.0, wiring.weights))
    p = replace(p, g_fast=g)
    v = inverse_firing(p.rate, p)
    u = arriving(steady_gates(v, p), wiring, coupling)
    p, _ = with_background(p, u, healthy.model.with_pv)
    x, residual = rest(v, p, u)
    other = HealthyBrain.__new__(HealthyBrain)
    other.model, other.draw, other.wiring = healthy.model, healthy.draw, wiring
    point = OperatingPoint(x, u, float(np.abs(residual).max()), True)
    return State(p, coupling, point, state.noise, state.slow, state.speed, state.vascular, None, other)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=16)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    model = BrainModel(load_embedded())
    grid = Grid(model, np.unique(np.r_[np.arange(2.0, 60.0), np.arange(60.0, 101.0, 4.0)]))

    def bump(psd: np.ndarray, low: float, high: float) -> tuple[float, float]:
        mean = np.exp(np.log(psd).mean(1, keepdims=True))
        f, height = prominence(mean, low, high, grid.frequency)
        return float(f[0]), float(height[0])

    rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in BANDS}
    for k in range(min(args.members, members())):
        healthy = HealthyBrain(model, Draw(k))
        if not stability(healthy.state, locate=False).stable:
            continue
        whole = solve(healthy.state, grid)
        for name, (structure, low, high) in BANDS.items():
            here = (model.brain.regions.structure == structure).to_numpy()
            f, height = bump(whole.psd[:, here], low, high)
            state = without(healthy, name)
            cut = solve(state, grid, whole.noise)
            _, left = bump(cut.psd[:, here], low, high)
            rows[name].append((f, height, left))
    lines = [
        "# Rhythms with and without their mechanism", "",
        f"`python benchmarks/rhythms.py --members {args.members}`. A bump is a local maximum of the mean log "
        "spectrum; height is log10 power over the chord of its flanks.", "",
        "| rhythm | members with a bump | median Hz | median height | bump left without the mechanism |",
        "|-|-|-|-|-|",
    ]  # fmt: skip
    removed = {"gamma": "PV inhibition of E", "alpha": "thalamus", "theta": "SST inhibition"}
    for name, values in rows.items():
        table = np.array(values)
        with_bump = table[:, 1] > 0
        left = int((table[:, 2] > 0.03).sum())
        f, height = (np.median(table[with_bump, c]) if with_bump.any() else np.nan for c in (0, 1))
        lines.append(
            f"| {name} | {with_bump.sum()} of {len(table)} | {f:.1f} | {height:.2f} | "
            f"{left} of {len(table)} ({removed[name]} removed) |"
        )
    text = "\n".join([*lines, ""])
    print(text)
    if args.out:
        write_whole(args.out, text)


if __name__ == "__main__":
    main()
