"""Published whole effects of one manipulation on a molecule or a structure, against the signaling network.

Usage: python benchmarks/whole_effects.py [--draws 16] [--out benchmarks/results/whole_effects.md]

One piece of adult tissue with no feedback from activity, at the medians of the priors and in some draws.
Rows of ``whole_effects.csv``: the manipulation (factors of what is relative to health, increments of the
others) begins on day 0 and lasts, or ends after `lasts` days; the readout is relative to health. Rows marked
*fit* may be used to set strengths, rows *held out* may not; of rows marked *sign* no size could be read.

A size is right if the logarithm of the model is half to twice that of the nearest end of the published range,
or within the range; a published absence of effect if the model is within the range.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from synsys.brain.draws import draws
from synsys.core.output import write_whole
from synsys.knowledge.signaling import folded
from synsys.signaling.development import REFERENCE_AGE, regional_rate
from synsys.signaling.network import Kinetics, Network

PLACES = {"cortex": {"cortex"}, "PFC": {"cortex", "PFC"}, "hippocampus": {"hippocampus"},
          "striatum": {"striatum"}}  # fmt: skip
STEP = 0.02
"""Days of a step at least; a four-hundredth of the day that is read, if that is more."""


def piece(place: str) -> Network:
    """One region of adult tissue of a kind."""

    def where(names: Sequence[str]) -> np.ndarray:
        return np.array([not names or bool(PLACES[place].intersection(names))])

    return Network(where, np.ones(1), adult=lambda name: regional_rate(name, REFERENCE_AGE, where))


def model(network: Network, row: dict[str, str], k: Kinetics) -> float:
    """What the readout is on the day, relative to health."""
    change, inputs = np.zeros((len(network.names), 1)), np.zeros((len(network.inputs), 1))
    for part in row["manipulation"].split():
        name, value = part.split("=")
        number = np.log(float(value)) if folded(name) else float(value)
        if name in network.at:
            change[network.at[name]] = number
        elif name in network.inputs:
            inputs[network.inputs.index(name)] = number
        else:
            print(f"{row['id']}: nothing follows from {name} here", file=sys.stderr)
    day, lasts = float(row["day"]), float(row["lasts"] or "inf")
    steps = int(np.ceil(day / max(STEP, day / 400)))
    y = network.healthy()
    for i in range(steps):
        on = i * day / steps < lasts - 1e-9
        held = on * change, on * inputs
        y = network.advanced(y, network.regulation(y, *held, k), k, day / steps)
    return float(network.effective(y, (day <= lasts) * change)[network.at[row["readout"]], 0])


def judged(row: dict[str, str], found: float) -> tuple[str, str]:
    """Ratio of logarithms, and whether it is right."""
    low, high = (float(row[end]) if row[end] else None for end in ("low", "high"))
    if row["split"] == "sign":
        return "", "right" if (found > 1) == (low is not None) and found != 1 else "wrong"
    if low is not None and high is not None and low <= 1 <= high:
        return "", "right" if low <= found <= high else "wrong"
    ends = [np.log(end) for end in (low, high) if end is not None]
    ratios = [float(np.log(found)) / end for end in ends]
    ratio = min(ratios, key=lambda r: abs(r - 1))
    within = (low is None or found >= low) and (high is None or found <= high)
    return f"{ratio:.2f}", "right" if within or 0.5 <= ratio <= 2 else "wrong"


def published(row: dict[str, str]) -> str:
    low, high = row["low"], row["high"]
    if low and high:
        return low if low == high else f"{low} to {high}"
    return f"above {low}" if low else f"below {high}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=16)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with Path(__file__).with_suffix(".csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    networks = {place: piece(place) for place in PLACES}
    sampled = draws(args.draws)
    lines = []
    for split in ("fit", "held out", "sign"):
        table, right = [], 0
        for row in (row for row in rows if row["split"] == split):
            network = networks[row["place"]]
            found = model(network, row, network.kinetics())
            every = [model(network, row, network.kinetics(d.strength, d.factors)) for d in sampled]
            low, high = np.quantile(every, [0.1, 0.9]) if every else (np.nan, np.nan)
            ratio, verdict = judged(row, found)
            right += verdict == "right"
            table.append(
                f"| {row['id']} | {row['place']} | {row['day']} | {row['readout']} | {published(row)} "
                f"| {found:.3f} | {low:.3f} to {high:.3f} | {ratio} | {verdict} |"
            )
        lines += [
            f"## {split}: {right} of {len(table)} right", "",
            "| row | place | day | readout | published | model | draws, 10 to 90 % | ratio of logs | |",
            "|-|-|-|-|-|-|-|-|-|", *table, "",
        ]  # fmt: skip
    head = (
        f"# Whole effects\n\nMedians of the priors, and {args.draws} draws; sources in `whole_effects.csv`."
    )
    text = "\n".join([head, "", *lines])
    print(text)
    if args.out:
        write_whole(args.out, text)


if __name__ == "__main__":
    main()
