"""The reduced Wong-Wang model by moments: synsys beside The Virtual Brain, same equations, noise and network.

    python benchmarks/peers/install.py --into DIR --only tvb
    python benchmarks/simulation_moments.py --envs DIR [--seconds 10] [--out FILE.md]

Means, standard deviations and correlations of both gating variables over 20 regions, 16 seeds each, without
and with delays; differences in units of their standard error over seeds, and ours against ours with other
seeds as the size of chance.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "peers"))
from common import DT, INHIBITION, NOISE, SPEED, connectome

from synsys.simulation.links import Links
from synsys.simulation.models import wong_wang
from synsys.simulation.run import Simulation

REGIONS, SEEDS, EVERY = 20, 16, 5.0
HEADINGS = ("mean S_E", "mean S_I", "sd S_E", "sd S_I", "FC of S_E")


def ours(seconds: float, delay: bool, first: int) -> np.ndarray:
    """Gating of every seed, (seeds, time, variable, region)."""
    weights, lengths = connectome(REGIONS)
    run = Simulation(
        wong_wang, REGIONS, Links.between(weights, lengths / SPEED if delay else None),
        {"G": 0.5, "J_I": INHIBITION, "sigma": NOISE}, range(first, first + SEEDS), dt=DT, method="euler",
        precision="float64", observe=["S_E", "S_I"], every=EVERY, mean=False,
    )  # fmt: skip
    record = run.advance(round(1e3 * seconds / DT))[0]
    return record[len(record) // 5 :].transpose(3, 0, 2, 1)


def moments(gating: np.ndarray) -> dict[str, np.ndarray]:
    """Moments of every seed: (seeds, regions or pairs)."""
    upper = np.triu_indices(REGIONS, 1)
    fc = np.array([np.corrcoef(run[:, 0].T)[upper] for run in gating])
    mean, sd = gating.mean(1), gating.std(1)
    return dict(zip(HEADINGS, (mean[:, 0], mean[:, 1], sd[:, 0], sd[:, 1], fc), strict=True))


def compared(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float, float]:
    """Mean of both, mean difference over regions, and that difference in standard errors over seeds."""
    one, two = a.mean(1), b.mean(1)
    error = np.sqrt(one.var(ddof=1) / len(one) + two.var(ddof=1) / len(two))
    return one.mean(), two.mean(), one.mean() - two.mean(), (one.mean() - two.mean()) / error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--envs", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    lines = [
        "# Moments of the reduced Wong-Wang model", "",
        f"`python benchmarks/simulation_moments.py --envs DIR --seconds {given.seconds:g}`: {REGIONS} "
        f"regions, {SEEDS} seeds, Euler at {DT:g} ms, the last four fifths. Difference in standard errors "
        "over seeds; the last column is ours against ours with other seeds.", "",
        "| network | moment | synsys | TVB | difference | in standard errors | by chance |",
        "|-|-|-|-|-|-|-|",
    ]  # fmt: skip
    for delay in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "tvb.npz"
            script = Path(__file__).parent / "peers" / "moments_tvb.py"
            command = [
                given.envs / "tvb" / "bin" / "python", script, file, "--seconds", given.seconds,
                "--seeds", SEEDS, "--regions", REGIONS, *(["--delay"] if delay else []),
            ]  # fmt: skip
            subprocess.run([str(part) for part in command], check=True, capture_output=True)
            theirs = moments(np.load(file)["gating"])
        own, other = (moments(ours(given.seconds, delay, first)) for first in (0, 1000))
        for name in HEADINGS:
            a, b, difference, z = compared(own[name], theirs[name])
            chance = compared(own[name], other[name])[3]
            what = "delays" if delay else "no delays"
            lines.append(
                f"| {what} | {name} | {a:.5f} | {b:.5f} | {difference:+.5f} | {z:+.1f} | {chance:+.1f} |"
            )
        r = np.corrcoef(own["FC of S_E"].mean(0), theirs["FC of S_E"].mean(0))[0, 1]
        half = np.corrcoef(own["FC of S_E"].mean(0), other["FC of S_E"].mean(0))[0, 1]
        lines.append(f"| {what} | pattern of FC, r | {r:.3f} | | | | {half:.3f} |")
    text = "\n".join(lines) + "\n"
    print(text)
    if given.out:
        given.out.write_text(text)


if __name__ == "__main__":
    main()
