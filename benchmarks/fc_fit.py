"""Functional connectivity of the model beside structure alone and a diffusion kernel.

    python benchmarks/fc_fit.py [--members 16] [--spins 1000] [--minutes 10] [--out FILE.md]

Three brains (the embedded one; two development folders where present). For each: r(SC, FC) for raw, square
root and log weights; the best one-parameter diffusion kernel (I - gW)^-1 (I - gW)^-T on the model's own W;
the model with one parameter, the strength of cortical, hippocampal and amygdalar long-range synapses,
scaled before the healthy background is solved for. Both parameters are chosen on the same random half of
the edges and judged on the other half; medians over halves.

Then the test of biology: what regional maps of receptors and expression add to FC r in cortex on data
that chose nothing, against the same maps spun over the cortex. Spins are resumed from --spins-file.
"""

# ruff: noqa: E402
import argparse
import os
import tempfile
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from _brains import brains, other_fc
from _fc import FLAT, Strengths, covariance, mean_fc, r, seen
from _fc_maps import biology, one_at_a_time

from synsys.brain.bold import DRIVES, NOISE_SHARE, correlation, noise_level, regress_global
from synsys.brain.draws import Draw
from synsys.brain.stability import stability
from synsys.brain.wiring import ROW_POWER, WEIGHT_POWER
from synsys.circuit.calibration import members
from synsys.core.connectome import Connectome

STRENGTHS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
GAINS = np.linspace(0.02, 0.98, 49)
HERE = Path(__file__).parent


def kernel(brain: Connectome, g: float) -> np.ndarray:
    """Covariance of linear diffusion on the model's W, unit noise."""
    w = brain.weights**WEIGHT_POWER
    w = w / np.maximum(w.sum(1, keepdims=True), 1e-300) ** ROW_POWER
    w /= np.abs(np.linalg.eigvals(w)).max()
    root = np.linalg.inv(np.eye(len(w)) - g * w)
    return root @ root.T


def halves(count: int, repeats: int, seed: int = 0) -> list[np.ndarray]:
    """Random halves of the edges as masks."""
    rng = np.random.default_rng(seed)
    return [rng.permutation(count) < count // 2 for _ in range(repeats)]


def refit(
    candidates: dict[float, np.ndarray], target: np.ndarray, cuts: list[np.ndarray]
) -> tuple[float, float, float]:
    """Median r on the half that did not choose, its range over halves, and the parameter on all edges."""
    score = []
    for fit in cuts:
        best = max(candidates, key=lambda k: r(candidates[k][fit], target[fit]))
        score.append(r(candidates[best][~fit], target[~fit]))
    whole = max(candidates, key=lambda k: r(candidates[k], target))
    return float(np.median(score)), whole


def model_fcs(brain: Connectome, count: int) -> tuple[dict[str, dict[float, list[np.ndarray]]], pd.DataFrame]:
    """BOLD covariance of every stable member at every strength, by drive; and what was stable.

    ``alike`` is the synaptic drive of a brain without regional maps.
    """
    scaled = Strengths(brain)
    found: dict[str, dict[float, list[np.ndarray]]] = {drive: {} for drive in (*DRIVES, "alike")}
    log = []
    for strength in STRENGTHS:
        for k in range(count):
            healthy = scaled.healthy(strength, Draw(member=k))
            verdict = stability(healthy.state, locate=strength == 1.0)
            log.append((strength, k, verdict.stable, int(healthy.rebalanced.sum()), verdict.reason))
            if verdict.stable:
                for drive in DRIVES:
                    found[drive].setdefault(strength, []).append(covariance(healthy, drive))
            healthy = scaled.healthy(strength, Draw(member=k, beta=FLAT))
            if stability(healthy.state, locate=False).stable:
                found["alike"].setdefault(strength, []).append(covariance(healthy, "synaptic"))
    return found, pd.DataFrame(log, columns=["strength", "member", "stable", "rebalanced", "reason"])


def fit_table(name: str, brain: Connectome, count: int, repeats: int) -> list[str]:
    """One brain's table."""
    n = len(brain)
    upper = np.triu(np.ones((n, n), bool), 1)
    cortex = (brain.regions.structure == "cortex").to_numpy()
    found, log = model_fcs(brain, count)
    least = max(2, count // 4)
    used = {s: len(found["synaptic"].get(s, ())) for s in STRENGTHS}
    kernels = {float(g): kernel(brain, g) for g in GAINS}
    targets = [(brain.name, brain.fc, np.ones(n, bool))]
    second = other_fc(name)
    if second is not None:
        full = np.full((n, n), np.nan)
        full[: len(second[1]), : len(second[1])] = second[1]
        targets.append((second[0], full, cortex))
    lines = [
        f"## {name}: {n} regions, {int(cortex.sum())} in cortex", "",
        "Members with a stable healthy state at each strength: "
        + ", ".join(f"{s:g}: {used[s]} of {count}" for s in STRENGTHS)
        + f". A strength counts where at least {least} are stable; FC is their mean in Fisher z.", "",
        "| FC | edges | raw SC | sqrt SC | log SC | kernel (g) | kernel, noise | firing | synaptic "
        "| **synaptic, noise** (strength) | - kernel | **regions alike**, synaptic, noise | - kernel |",
        "|-|-|-|-|-|-|-|-|-|-|-|-|-|",
    ]  # fmt: skip
    choice = 1.0
    for what, fc, covered in targets:
        for where, inside in (("all", np.ones(n, bool)), ("cortex", cortex)):
            if (inside & ~covered).any():
                continue
            edge = upper & np.outer(inside, inside)
            y = fc[edge]
            sc = brain.weights[edge]
            log_sc = np.log1p(brain.weights / np.median(sc[sc > 0]))[edge]
            cuts = halves(len(y), repeats)
            cells = [f"{r(x, y):.3f}" for x in (sc, np.sqrt(sc), log_sc)]
            plain = refit({g: correlation(k)[edge] for g, k in kernels.items()}, y, cuts)
            noisy = refit({g: seen(k, cortex, NOISE_SHARE)[edge] for g, k in kernels.items()}, y, cuts)
            cells += [f"{plain[0]:.3f} ({plain[1]:.2f})", f"{noisy[0]:.3f}"]
            variants = ("firing", 0.0), ("synaptic", 0.0), ("synaptic", NOISE_SHARE), ("alike", NOISE_SHARE)
            for drive, share in variants:
                fcs = {
                    s: mean_fc([seen(c, cortex, share) for c in covs])[edge]
                    for s, covs in found[drive].items() if len(covs) >= least
                }  # fmt: skip
                score = refit(fcs, y, cuts) if fcs else (np.nan, np.nan)
                cells.append(f"{score[0]:.3f}" + (f" ({score[1]:g})" if share else ""))
                if share:
                    cells.append(f"{score[0] - max(plain[0], noisy[0]):+.3f}")
                if drive == "synaptic" and where == "cortex" and what == brain.name:
                    choice = score[1]
            lines.append(f"| {what} | {where} | " + " | ".join(cells) + " |")
    lines += ["", *sensitivity(found["synaptic"], brain, upper, cortex, choice), ""]
    reasons = log[~log.stable].reason.str.replace(r" near [\d.e-]+ Hz", "", regex=True)
    if len(reasons):
        top = reasons[log.strength == 1.0].value_counts().head(3)
        lines += [
            "Unstable in health at strength 1: "
            + ("; ".join(f"{n} x {t}" for t, n in top.items()) or "none")
            + ".",
            "",
        ]
    print("\n".join(lines), flush=True)
    return lines


def sensitivity(
    found: dict[float, list[np.ndarray]],
    brain: Connectome,
    upper: np.ndarray,
    cortex: np.ndarray,
    strength: float,
) -> list[str]:
    """What the share of scanner noise and global-signal regression do, and the spread over members."""
    if strength not in found or brain.fc is None:
        return []
    rows = {"all": upper, "cortex": upper & np.outer(cortex, cortex)}
    shares = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
    out = [f"Strength {strength:g}, r with {brain.name} by share of noise ({', '.join(map(str, shares))}):"]
    for where, edge in rows.items():
        at = [r(mean_fc([seen(c, cortex, s) for c in found[strength]])[edge], brain.fc[edge]) for s in shares]
        one = [r(seen(c, cortex, NOISE_SHARE)[edge], brain.fc[edge]) for c in found[strength]]
        regressed = [
            correlation(regress_global(c + noise_level(c, cortex) * np.eye(len(c)))) for c in found[strength]
        ]
        target = correlation(regress_global(brain.fc))
        out.append(
            f"{where} {' '.join(f'{x:.2f}' for x in at)}; single members {np.median(one):.2f} "
            f"({min(one):.2f} to {max(one):.2f}); global signal regressed out of both "
            f"{r(mean_fc(regressed)[edge], target[edge]):.2f}."
        )
    return [" ".join(out)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=int, default=16, help="calibration members in the fit")
    parser.add_argument("--halves", type=int, default=20)
    parser.add_argument("--spins", type=int, default=1000)
    parser.add_argument("--ensemble", type=int, default=3, help="members in the test of biology")
    parser.add_argument("--minutes", type=float, default=10.0, help="time for new spins, each data set")
    parser.add_argument("--spins-file", default=str(HERE / "results/fc_spins.csv"))
    parser.add_argument("--spins-only", action="store_true", help="advance the spins, write no report")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    count = min(options.members, members())
    lines = [
        "# Functional connectivity", "",
        f"`python benchmarks/fc_fit.py --members {options.members} --halves {options.halves}`: "
        f"{members()} calibration members, {count} used, every prior at its mean (regional maps "
        "included). Pearson r over edges between model FC (0.01-0.1 Hz) and group FC; kernel gain and model "
        "strength are chosen on one random half of the edges, r is that on the other, median of "
        f"{options.halves} halves. *Firing* and *synaptic* are the two readings of neural drive "
        f"(`brain.bold.drive_weights`); *noise* is scanner noise of {NOISE_SHARE:g} of the median variance "
        "in cortex, equal in all regions (declared; see what other shares do). The kernel is given the same "
        "noise, and differences are from the better of the two kernels. *Regions alike*: without regional "
        "maps. No other number of the model was "
        "chosen by FC; the synaptic reading and the noise were added after the firing reading was seen to "
        "fail outside cortex.", "",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        every = brains(Path(folder))
        if options.spins_only:
            for name, brain in every.items():
                target = other_fc(name)
                if target is not None:
                    print("\n".join(biology(name, brain, target, options)), flush=True)
            return
        for name, brain in every.items():
            lines += fit_table(name, brain, count, options.halves)
        lines += [
            "## What regional maps add", "",
            "Maps of cortex at the prior mean slopes of `maps.csv` against regions alike (slope 0), all else "
            "as declared (strength 1, or the next lower at which enough members are stable with regions "
            "alike and with their own maps), so that FC chose nothing here. Spun maps keep their smoothness "
            "and their relations to one another (`measures.spatial_nulls`, nearest neighbour). r is that of "
            "single members, synaptic drive with noise, averaged over the stable ones; p is the share of "
            "spins that gain as much.",
            "",
        ]  # fmt: skip
        for name, brain in every.items():
            if name != "Schaefer-100":
                lines += one_at_a_time(brain, 1.0, options.ensemble)
        for name, brain in every.items():
            target = other_fc(name)
            if target is not None and options.spins:
                part = biology(name, brain, target, options)
                lines += part
                print("\n".join(part), flush=True)
    if options.out:
        options.out.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
