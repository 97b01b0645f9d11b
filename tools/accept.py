"""Screen calibrated candidates on the embedded brain and write the accepted ensemble.

Usage: python tools/accept.py CORTEX.csv [CORTEX.csv ...] HIPPOCAMPUS.csv --out src/synsys/circuit

A candidate (cortex with thalamus, and a hippocampus) is accepted when the embedded brain is stable in health,
in at least `DRAWS_STABLE` of `DRAWS` joint samples of every other prior and after each of `LESIONS`, and
meets the ranges of `RANGES`. Neither BOLD connectivity nor any claim enters. What each reaches is written
beside it.
"""

import argparse
import csv
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from facts import prominence

from synsys.brain.draws import Draw, draws
from synsys.brain.model import BrainModel
from synsys.brain.solution import FINE, Grid, solve
from synsys.brain.stability import stability
from synsys.brain.state import HealthyBrain
from synsys.core.perturbation import Perturbation
from synsys.data.embedded import load_embedded
from synsys.measures.readouts import readouts
from synsys.measures.systems import Atlas

RANGES = {
    "sd_e": (0.3, 4.0),
    "margin": (0.1, 0.9),
    "alpha_embedded": (7.5, 12.5),
    "gamma_embedded": (30.0, 60.0),
    "worst_change": (0.0, 1.1),
}
"""Of the embedded brain with its maps: sd of E potential 1-100 Hz, mV (mean of cortex); 1 - static loop gain;
frequencies of bumps of the mean log spectrum of cortex, Hz; largest |change of log E rate| of `LESIONS`."""
LESIONS = tuple(
    (name, factor)
    for name in (
        "nmda_conductance", "ampa_conductance", "gabaa_conductance", "gabaa_pv_conductance",
        "gabaa_sst_conductance", "kcnq2_conductance", "excitatory_drive",
    )
    for factor in (0.8, 1.25)
)  # fmt: skip
"""Steps of the claims under which the brain must stay stable."""
DRAWS, DRAWS_STABLE = 8, 7
LEAST_BUMP = 0.03
"""Least height of a bump, log10."""
MOST_MISSES = 1.0


def candidates(paths: list[Path]) -> pd.DataFrame:
    """Rows whose facts are all met within `MOST_MISSES`."""
    table = pd.concat([pd.read_csv(path) for path in paths], ignore_index=True)
    return table[table.misses <= MOST_MISSES].drop_duplicates("seed").reset_index(drop=True)


def examine(
    model: BrainModel, grid: Grid, atlas: Atlas, factors: dict[str, float]
) -> dict[str, float] | None:
    """What a pair reaches on the embedded brain, or None if it fails."""
    healthy = HealthyBrain(model, Draw(factors))
    solution = solve(healthy.state, grid)
    if not (verdict := stability(healthy.state, solution.response, locate=False)).stable:
        print("  ", verdict.reason, file=sys.stderr)
        return None
    values = readouts(solution, atlas)
    f = grid.frequency
    mean = np.exp(np.log(solution.psd[:, atlas.cortex]).mean(1))
    out = {
        "sd_e": float(np.sqrt(2 * np.trapezoid(solution.psd[:, atlas.cortex].mean(1), f))),
        "margin": values["network_stability"],
        "rebalanced": float(healthy.rebalanced.any(1).sum()),
        "tempered": float(healthy.tempered.sum()),
        "exponent": values["aperiodic_exponent"],
    }
    for name, low, high in (("alpha", 7.0, 13.0), ("gamma", 30.0, 60.0)):
        out[f"{name}_embedded"], height = (float(x[0]) for x in prominence(mean[:, None], low, high, f))
        if height < LEAST_BUMP:
            print(f"   no {name} bump ({height:.2f})", file=sys.stderr)
            return None
        out[f"{name}_height"] = height
    here = atlas.node_template == "cortex"
    change = []
    for name, factor in LESIONS:
        state = healthy.perturbed([Perturbation(name, factor)])
        if not stability(state, locate=False).stable:
            print("   unstable", name, factor, file=sys.stderr)
            return None
        change.append(float(np.log(state.rates[here, 0].mean() / healthy.state.rates[here, 0].mean())))
    out["worst_change"] = float(np.abs(change).max())
    if any(not low <= out[name] <= high for name, (low, high) in RANGES.items()):
        print("   out of range", out, file=sys.stderr)
        return None
    sampled = [HealthyBrain(model, replace(draw, member=factors)).state for draw in draws(DRAWS, 1)]
    out["draws_stable"] = float(sum(stability(state, locate=False).stable for state in sampled))
    if out["draws_stable"] < DRAWS_STABLE:
        print("   unstable draws", out, file=sys.stderr)
        return None
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--most", type=int, default=64)
    args = parser.parse_args()
    cortex, hippocampus = candidates(args.tables[:-1]), candidates(args.tables[-1:])
    model = BrainModel(load_embedded())
    grid = Grid(model, FINE)
    atlas = Atlas(grid)
    kept: dict[str, list[dict]] = {"cortex": [], "hippocampus": []}
    for i in range(len(cortex)):
        pair = {"cortex": cortex.iloc[i], "hippocampus": hippocampus.iloc[i % len(hippocampus)]}
        factors = {str(c): float(row[c]) for row in pair.values() for c in row.index if ":" in str(c)}
        reached = examine(model, grid, atlas, factors)
        print(i, cortex.seed[i], reached, file=sys.stderr, flush=True)
        if reached is not None:
            kept["cortex"].append({**pair["cortex"].to_dict(), **reached})
            kept["hippocampus"].append(pair["hippocampus"].to_dict())
        if len(kept["cortex"]) == args.most:
            break
    for group, rows in kept.items():
        with (args.out / f"calibration_{group}.csv").open("w", newline="") as handle:
            facts_first = sorted(rows[0], key=lambda c: ":" in c)
            out = csv.DictWriter(handle, fieldnames=facts_first, lineterminator="\n")
            out.writeheader()
            out.writerows(
                {k: (f"{v:.5g}" if isinstance(v, float) else v) for k, v in row.items()} for row in rows
            )


if __name__ == "__main__":
    main()
