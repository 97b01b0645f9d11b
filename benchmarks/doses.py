"""Every perturbation of the catalog at 0.5, 0.8 and 1.25: runs without NaN, or is unstable by name.

Usage: python benchmarks/doses.py [--draws 4] [--out benchmarks/results/doses.md]

Ratio quantities are multiplied; quantities with a zero point get 0.5, 0.8 and 1.25 of their unit step
added. Prints, per quantity, in how many draws the brain stays stable and the largest effect, then whether
any two ion channels act in proportion (largest |cosine| between their effects on all readouts).
"""

import argparse
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from synsys.brain.modulation import causal_order, receptor_links
from synsys.core.output import write_whole
from synsys.core.perturbation import Perturbation
from synsys.data.embedded import load_embedded
from synsys.knowledge.load import vocabulary
from synsys.knowledge.mechanisms import receptors
from synsys.scales.runs import Runner, solve_all

DOSES = (0.5, 0.8, 1.25)
CHANNELS = (
    "kcnq2_conductance", "kcnn3_conductance", "kcnh2_conductance", "cacna1c_conductance",
    "cacna1h_conductance", "hcn_conductance", "na_conductance",
)  # fmt: skip


def movable() -> list[str]:
    """Quantities that can be set and that move something in the circuit."""
    consumed = {
        "ampa_conductance", "nmda_conductance", "nmda_occupancy", "gabaa_conductance", "gabaa_pv_conductance",
        "gabaa_sst_conductance", "gabab_conductance", "glutamate_release", "gaba_release", "gad1_expression",
        "pv_interneuron_density", "sst_interneuron_function", "spine_density", "excitatory_drive",
        "noise_amplitude", "chloride_reversal", "cl_conductance", "long_range_synaptic_weight",
        "conduction_velocity", "neurovascular_coupling", *CHANNELS,
    }  # fmt: skip
    for row in receptors():
        consumed |= {row.density, row.tone, row.occupancy} - {""}
    sources = {link.source for link in (*causal_order(), *receptor_links())}
    names = [q.name for q in vocabulary().values() if q.perturbable and q.unit_step]
    return [name for name in names if name in consumed | sources]


def change(name: str, dose: float) -> Perturbation:
    """One dose of a quantity."""
    row = vocabulary()[name]
    if row.multiplies:
        return Perturbation(name, dose)
    return Perturbation(name, dose * float(row.unit_step), "+")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    names = movable()
    jobs = [(name, dose) for name in names for dose in DOSES]
    runner = Runner(load_embedded(), args.draws, fine=False)
    done = solve_all(
        runner, [[change(*job)] for job in jobs], lambda k, n: print(f"{k}/{n} draws", file=sys.stderr)
    )  # fmt: skip
    lines = [
        "| quantity | stable at 0.5 | 0.8 | 1.25 | largest median change at 0.8 | first instability |",
        "|-|-|-|-|-|-|",
    ]
    vectors: dict[str, np.ndarray] = {}
    lost = 0
    usual = sorted({
        readout
        for draw in done
        for readout, value in draw[0].values.items()
        if value > 0 and vocabulary()[readout].multiplies
    })  # fmt: skip
    for name in names:
        stable, effect, reason = [], "", ""
        for dose in DOSES:
            column = [draw[2 + jobs.index((name, dose))] for draw in done]
            stable.append(sum(o.stable for o in column))
            reason = reason or runner.instability([change(name, dose)], column)
            pairs = [
                (pd.Series(draw[0].values), pd.Series(o.values))
                for draw, o in zip(done, column, strict=True)
                if draw[0].stable and o.stable
            ]
            gone = [name for before, after in pairs for name in before.index.difference(after.index)]
            lost += sum(not name.startswith("peak_") for name in gone)  # a peak may vanish
            if dose == 0.8 and pairs:
                ratios = pd.DataFrame(
                    [np.log(after.reindex(usual) / before.reindex(usual)) for before, after in pairs]
                )
                middle = ratios.replace([np.inf, -np.inf], np.nan).median().fillna(0.0)
                top = middle.abs().idxmax()
                effect = f"{top} {100 * np.expm1(middle[top]):+.1f} %"
                if name in CHANNELS:
                    vectors[name] = middle.to_numpy()
        counts = " | ".join(f"{s}/{len(done)}" for s in stable)
        lines.append(f"| {name} | {counts} | {effect} | {reason} |")
    cosine = {
        (a, b): float(abs(vectors[a] @ vectors[b]) / np.linalg.norm(vectors[a]) / np.linalg.norm(vectors[b]))
        for a, b in combinations(vectors, 2)
        if vectors[a].any() and vectors[b].any()
    }
    closest = max(cosine, key=lambda pair: cosine[pair]) if cosine else ("", "")
    reference = sum(d[0].stable for d in done)
    text = "\n".join([
        "# Every perturbation of the catalog that moves the circuit, at three doses", "",
        f"`python benchmarks/doses.py --draws {args.draws}`: {len(names)} quantities, embedded brain, "
        f"{reference} of {len(done)} healthy draws stable. Readouts but peaks that health has and a stable "
        f"state lacks (NaN): {lost}.",
        f"Most alike of the ion channels: {closest[0]} and {closest[1]}, |cosine| "
        f"{cosine.get(closest, float('nan')):.4f} (1 would be proportional).", "", *lines, "",
    ])  # fmt: skip
    print(text)
    if args.out:
        write_whole(args.out, text)


if __name__ == "__main__":
    main()
