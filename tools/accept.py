"""Screen calibrated candidates on the embedded brain and write the accepted ensemble.

Usage: python tools/accept.py CORTEX.csv [CORTEX.csv ...] HIPPOCAMPUS.csv --out src/synsys/circuit

A candidate pair (cortex with thalamus, hippocampus) is accepted when the embedded brain, healthy facts
only, is stable, stays so when a conductance of `LESIONS` is cut by 20 %, and meets the ranges of `RANGES`.
Neither BOLD connectivity nor any claim enters. What each pair reaches is written beside it.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from synsys.brain import state as states
from synsys.brain.draws import Draw
from synsys.brain.solution import FINE, Grid, solve
from synsys.brain.stability import stability
from synsys.brain.state import BrainModel, HealthyBrain
from synsys.core.perturbation import Perturbation
from synsys.data.embedded import load_embedded
from synsys.measures.readouts import readouts
from synsys.measures.systems import Atlas

RANGES = {"sd_e": (0.3, 2.5), "margin": (0.1, 0.9)}
"""mV, standard deviation of E potential 1-100 Hz (mean of cortex); 1 - static loop gain."""
LESIONS = ("nmda_conductance", "gabaa_pv_conductance", "ampa_conductance", "kcnq2_conductance")
"""Conductances that are cut by 20 %: the brain must stay stable."""
MOST_MISSES = 2.2


def candidates(paths: list[Path]) -> pd.DataFrame:
    """Rows whose facts are all met within `MOST_MISSES`."""
    table = pd.concat([pd.read_csv(path) for path in paths], ignore_index=True)
    return table[table.misses <= MOST_MISSES].drop_duplicates("seed").reset_index(drop=True)


def examine(
    model: BrainModel, grid: Grid, atlas: Atlas, factors: dict[str, float]
) -> dict[str, float] | None:
    """What a pair reaches on the embedded brain, or None if it fails."""
    states.member = lambda k: factors
    model._templates.clear()
    healthy = HealthyBrain(model, Draw(0))
    solution = solve(healthy.state, grid)
    if not (verdict := stability(healthy.state, solution.response, locate=False)).stable:
        print("  ", verdict.reason, file=sys.stderr)
        return None
    values = readouts(solution, atlas)
    f = grid.frequency
    out = {
        "sd_e": float(np.sqrt(2 * np.trapezoid(solution.psd[:, atlas.cortex].mean(1), f))),
        "margin": values["network_stability"],
        "rebalanced": float(healthy.rebalanced.any(1).sum()),
        "gamma_embedded": values.get("peak_gamma_frequency", np.nan),
        "alpha_embedded": values.get("peak_alpha_frequency", np.nan),
        "exponent": values["aperiodic_exponent"],
    }
    if any(not low <= out[name] <= high for name, (low, high) in RANGES.items()):
        print("   out of range", out, file=sys.stderr)
        return None
    worst = 0.0
    here = atlas.node_template == "cortex"
    for name in LESIONS:
        state = healthy.perturbed([Perturbation(name, 0.8)])
        if not stability(state, locate=False).stable:
            print("   unstable", name, file=sys.stderr)
            return None
        change = np.abs(np.log(state.rates[here, 0].mean() / healthy.state.rates[here, 0].mean()))
        worst = max(worst, float(change))
    return out | {"worst_change": worst}


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
        print(i, int(cortex.seed[i]), reached, file=sys.stderr, flush=True)
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
