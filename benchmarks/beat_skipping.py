"""Whether slow inhibition makes cortex answer every other pulse of a 40 Hz drive.

    python benchmarks/beat_skipping.py [--drives 0.08 0.16 ...] [--seconds 20] [--out FILE.md]

Metzner & Steuber 2021 (Sci Rep 11:20387): with GABA-A decay times 3.5 a network answers every other pulse of
a 40 Hz drive, at some strengths of it: a line at 20 Hz, and less at 40 Hz. Here pulses of AMPA conductance
(sd 1.5 ms) reach the E cells of both auditory cortices of the embedded brain; one calibration member, healthy
noise, seed 0.
"""

# ruff: noqa: E402
import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np
from published_directions import power_of

from synsys.brain.draws import Draw
from synsys.brain.model import BrainModel
from synsys.brain.simulate import Push, simulate
from synsys.brain.state import HealthyBrain, State
from synsys.core.output import write_whole
from synsys.core.perturbation import Perturbation
from synsys.data.embedded import load_embedded

DRIVES = tuple(0.08 * 2.0 ** (np.arange(8) / 2))
"""Size of the pulses, conductance over leak."""
FASTEST = 100.0
"""Mean rate above which cells have run away, Hz."""


def skipping(healthy: HealthyBrain, drives: Sequence[float], seconds: float) -> list[str]:
    """Power at 40 and 20 Hz of auditory cortex under 40 Hz pulses of growing size."""
    changes = [Perturbation("gabaa_decay", 3.5)]
    states = {"healthy": healthy.state, "x 3.5": healthy.perturbed(changes, sized=False, phase="acute")}
    if states["x 3.5"].restless:
        return [states["x 3.5"].restless]
    lines = [
        f"| GABA-A decay | what | {' | '.join(f'{s:.2g}' for s in drives)} |",
        "|" + "---|" * (2 + len(drives)),
    ]
    power, above, rate = {}, {}, {}
    for name, state in states.items():
        f, density, rates = driven(state, drives, seconds)
        rate[name] = rates
        lines.append(f"| {name} | mean E rate, Hz | {' | '.join(f'{r:.1f}' for r in rates)} |")
        for line in (40.0, 20.0):
            at = int(np.abs(f - line).argmin())
            around = np.c_[density[:, at - 8 : at - 3], density[:, at + 4 : at + 9]].mean(1)
            power[name, line] = np.log10(density[:, at])
            above[name, line] = power[name, line] - np.log10(around)
            cells = [f"{p:.2f} ({q:+.2f})" for p, q in zip(power[name, line], above[name, line], strict=True)]
            lines.append(f"| {name} | {line:g} Hz | {' | '.join(cells)} |")
    double = np.log10(2.0)
    skips = (
        (above["x 3.5", 20.0] > double)
        & (above["healthy", 20.0] < double)
        & (power["x 3.5", 40.0] < power["healthy", 40.0])
        & (rate["x 3.5"] < FASTEST)
    )
    return [
        *lines,
        "",
        f"A line at 20 Hz (twice its neighbourhood) that health lacks, less at 40 Hz, and a mean rate below "
        f"{FASTEST:g} Hz: at "
        f"{skips.sum()} of {np.isfinite(above['x 3.5', 20.0]).sum()} strengths.",
    ]


def driven(
    state: State, drives: Sequence[float], seconds: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frequencies, power (strengths, F) and mean rate of auditory cortex; NaN where a run diverges."""
    wiring = state.linear.wiring
    region, labels = wiring.nodes.region.to_numpy(), state.healthy.model.brain.labels
    nodes = [int(np.flatnonzero(region == k)[0]) for k, l in enumerate(labels) if "transversetemporal" in l]
    own = [np.flatnonzero((wiring.source_node == n) & (wiring.source_slot == 0))[0] for n in nodes]
    for count in range(len(drives), 0, -1):
        sizes = np.array(drives[:count])

        def pulses(t: np.ndarray, sizes: np.ndarray = sizes) -> np.ndarray:
            away = (t + 12.5) % 25.0 - 12.5
            return np.exp(-0.5 * (away[:, None] / 1.5) ** 2) * sizes

        print(f"40 Hz drive, {count} strengths", file=sys.stderr, flush=True)
        try:
            sim = simulate(
                state, seconds, [0] * count, dt=0.1, every=25, warm_up=2.0, sources=np.array(own),
                pushes=[Push(n, (0, 0), pulses) for n in nodes], precision="float32", threads=1,
            )  # fmt: skip
        except FloatingPointError:
            continue
        f, power = power_of(sim, np.arange(len(own)), 2.0)
        rest = len(drives) - count
        rates = np.concatenate([sim.rate.mean((1, 2)), np.full(rest, np.nan)])
        return f, np.concatenate([power, np.full((rest, len(f)), np.nan)]), rates
    raise FloatingPointError("every strength of drive diverges")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--drives", type=float, nargs="+", default=DRIVES)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    told = "" if args.drives is DRIVES else " --drives " + " ".join(f"{d:g}" for d in args.drives)
    lines = [
        "# Beat skipping under 40 Hz drive",
        "",
        f"`python benchmarks/beat_skipping.py{told} --seconds {args.seconds:g}`: log10 power (mV^2/Hz) of E "
        "potentials of auditory cortex at the line, and over its neighbourhood, for pulses of growing AMPA "
        "conductance (multiples of leak) onto E cells; embedded brain, calibration member 0, healthy noise, "
        "seed 0, Heun 0.1 ms, single precision.",
        "",
        *skipping(HealthyBrain(BrainModel(load_embedded()), Draw(0)), args.drives, args.seconds),
        "",
    ]
    print("\n".join(lines))
    if args.out:
        write_whole(args.out, "\n".join(lines))


if __name__ == "__main__":
    main()
