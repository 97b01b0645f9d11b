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
import time
from dataclasses import replace
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from _brains import brains, other_fc

from synsys.brain.bold import (
    BAND_NODES,
    DRIVES,
    NOISE_SHARE,
    bold_covariance,
    correlation,
    drive_weights,
    noise_level,
    regress_global,
)
from synsys.brain.draws import Draw
from synsys.brain.spectra import cross, respond
from synsys.brain.stability import stability
from synsys.brain.state import BrainModel, HealthyBrain
from synsys.brain.wiring import ROW_POWER, TELENCEPHALON, WEIGHT_POWER
from synsys.circuit.calibration import members
from synsys.core.connectome import Connectome
from synsys.knowledge.mechanisms import maps
from synsys.measures.spatial_nulls import spin_p_value, spins

STRENGTHS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
GAINS = np.linspace(0.02, 0.98, 49)
HERE = Path(__file__).parent
FLAT = {(m.multiplier, m.map, m.cell): 0.0 for m in maps()}
"""Map slopes of a brain whose regions of one kind are alike."""


class Strengths:
    """A model whose cortical, hippocampal and amygdalar long-range synapses are scaled in health."""

    def __init__(self, brain: Connectome) -> None:
        self.model = BrainModel(brain)
        self.wiring = self.model.wiring
        template = self.wiring.nodes.template.to_numpy()[self.wiring.source_node]
        self.kinds = np.unique(self.wiring.source_class[np.isin(template, TELENCEPHALON)])

    def healthy(self, strength: float, draw: Draw) -> HealthyBrain:
        kappa = self.wiring.kappa.copy()
        kappa[..., self.kinds] *= strength
        self.model.wiring = replace(self.wiring, kappa=kappa)
        return HealthyBrain(self.model, draw)


def covariance(brain: HealthyBrain, drive: str) -> np.ndarray:
    """BOLD covariance of a healthy brain, (R, R)."""
    state = brain.state
    return bold_covariance(cross(respond(state.linear, BAND_NODES).output(drive_weights(state, drive))))


def seen(cov: np.ndarray, cortex: np.ndarray, share: float) -> np.ndarray:
    """FC with scanner noise."""
    return correlation(cov + noise_level(cov, cortex, share) * np.eye(len(cov)))


def mean_fc(matrices: list[np.ndarray]) -> np.ndarray:
    """Mean over members in Fisher z."""
    z = np.mean([np.arctanh(np.clip(m, -0.999999, 0.999999)) for m in matrices], axis=0)
    fc = np.tanh(z)
    np.fill_diagonal(fc, 1.0)
    return fc


def r(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


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
    """BOLD covariance of every stable member at every strength, by drive; and what was stable."""
    scaled = Strengths(brain)
    found: dict[str, dict[float, list[np.ndarray]]] = {drive: {} for drive in DRIVES}
    log = []
    for strength in STRENGTHS:
        for k in range(count):
            healthy = scaled.healthy(strength, Draw(member=k))
            verdict = stability(healthy.state, locate=strength == 1.0)
            log.append((strength, k, verdict.stable, int(healthy.rebalanced.sum()), verdict.reason))
            if verdict.stable:
                for drive in DRIVES:
                    found[drive].setdefault(strength, []).append(covariance(healthy, drive))
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
        "| FC | edges | raw SC | sqrt SC | log SC | kernel (g) | kernel, noise | model, firing "
        "| model, synaptic | model, synaptic, noise (strength) | model - kernel |",
        "|-|-|-|-|-|-|-|-|-|-|-|",
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
            for drive, share in (("firing", 0.0), ("synaptic", 0.0), ("synaptic", NOISE_SHARE)):
                fcs = {
                    s: mean_fc([seen(c, cortex, share) for c in covs])[edge]
                    for s, covs in found[drive].items() if len(covs) >= least
                }  # fmt: skip
                score = refit(fcs, y, cuts) if fcs else (np.nan, np.nan)
                cells.append(f"{score[0]:.3f}" + (f" ({score[1]:g})" if share else ""))
            if drive == "synaptic" and where == "cortex" and what == brain.name:
                choice = score[1]
            cells.append(f"{score[0] - max(plain[0], noisy[0]):+.3f}")
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


class Heterogeneity:
    """FC r in cortex with and without regional maps.

    Long-range strength as declared (1), or the next lower at which enough members are stable.
    """

    def __init__(self, brain: Connectome, target: np.ndarray, count: int) -> None:
        self.brain, self.scaled = brain, Strengths(brain)
        self.cortex = (brain.regions.structure == "cortex").to_numpy()
        self.size = int(self.cortex.sum())
        assert self.cortex[: self.size].all()
        self.edge = np.triu_indices(self.size, 1)
        self.target = target[: self.size, : self.size][self.edge]
        self.maps = brain.maps.where(pd.Series(self.cortex, brain.maps.index), np.nan)
        for self.strength in (1.0, 0.75, 0.5, 0.25):
            self.flat: dict[int, float] = {}
            self.own: dict[int, float] = {}
            for k in range(members()):
                flat, own = self.score(k, FLAT), self.score(k, {})
                if np.isfinite(flat + own):
                    self.flat[k], self.own[k] = flat, own
                if len(self.flat) == count:
                    return

    def score(self, k: int, beta: dict, order: np.ndarray | None = None) -> float:
        """r over cortical edges of member `k`, NaN if unstable; `order`: whose maps each region takes."""
        values = self.maps.to_numpy(float).copy()
        if order is not None:
            values[self.cortex] = values[self.cortex][order]
        spun = pd.DataFrame(values, self.maps.index, self.maps.columns)
        self.scaled.model.brain = replace(self.brain, maps=spun)
        healthy = self.scaled.healthy(self.strength, Draw(k, beta=beta))
        if not stability(healthy.state, locate=False).stable:
            return np.nan
        fc = seen(covariance(healthy, "synaptic"), self.cortex, NOISE_SHARE)
        return r(fc[: self.size, : self.size][self.edge], self.target)

    def gain(self, order: np.ndarray) -> float:
        """Mean gain of spun maps over regions alike; NaN where no member is stable."""
        found = [self.score(k, {}, order) - flat for k, flat in self.flat.items()]
        return float(np.nanmean(found)) if np.isfinite(found).any() else np.nan

    def used(self) -> list[str]:
        """Maps in use."""
        chosen = []
        for name in dict.fromkeys(m.multiplier for m in maps()):
            rows = [m for m in maps() if m.multiplier == name and m.map in self.brain.maps]
            chosen += [m.map for m in ([m for m in rows if m.preferred] or rows[:1])]
        return [name for name in dict.fromkeys(chosen) if self.scaled.model.z_map(name) is not None]


def biology(
    name: str, brain: Connectome, target: tuple[str, np.ndarray], options: argparse.Namespace
) -> list[str]:
    """Gain from regional maps against spun maps, one data set."""
    test = Heterogeneity(brain, target[1], options.ensemble)
    title = [f"### {name} against {target[0]}", ""]
    if not test.flat:
        return [*title, "No member has a stable healthy state here.", ""]
    flat, own = np.mean(list(test.flat.values())), np.mean(list(test.own.values()))
    file = Path(options.spins_file)
    stamp = f"{test.strength:g} " + " ".join(f"{k}:{test.flat[k]:.5f}/{test.own[k]:.5f}" for k in test.flat)
    key = f"{name} against {target[0]}"
    columns = ["data", "model", "spin", "gain"]
    old = pd.read_csv(file) if file.is_file() else pd.DataFrame(columns=columns)
    mine = old[(old.data == key) & (old.model == stamp)]  # another model starts anew
    done = dict(zip(mine.spin.astype(int), mine.gain, strict=True))
    cortical = brain.regions[test.cortex]
    orders = spins(cortical[["x", "y", "z"]], cortical.hemisphere, options.spins, seed=1)
    start = time.perf_counter()
    for k, order in enumerate(orders):
        if time.perf_counter() - start > 60 * options.minutes:
            break
        if k not in done:
            done[k] = test.gain(order)
    new = pd.DataFrame({"data": key, "model": stamp, "spin": list(done), "gain": list(done.values())})
    every = [part for part in (old[old.data != key], new) if len(part)]
    pd.concat(every)[columns].round({"gain": 6}).to_csv(file, index=False)
    null = np.array([done[k] for k in range(options.spins) if k in done])
    known = null[np.isfinite(null)]
    members_text = ", ".join(f"{k} ({test.own[k] - test.flat[k]:+.4f})" for k in test.flat)
    return [
        *title,
        f"Maps: {', '.join(test.used())}. Long-range strength {test.strength:g}. Gain of each member used: "
        f"{members_text}.",
        "",
        "| r, regions alike | r, own maps | gain | spun: mean gain | sd | range | spins | unstable | p |",
        "|-|-|-|-|-|-|-|-|-|",
        f"| {flat:.4f} | {own:.4f} | {own - flat:+.4f} | {known.mean():+.4f} | {known.std(ddof=1):.4f} | "
        f"{known.min():+.4f} to {known.max():+.4f} | {len(known)} | {len(null) - len(known)} | "
        f"{spin_p_value(own - flat, known):.3f} |",
        "",
    ]


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
        "noise, and the last column takes the better of the two kernels. No other number of the model was "
        "chosen by FC; the synaptic reading and the noise were added after the firing reading was seen to "
        "fail outside cortex.", "",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        every = brains(Path(folder))
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
            target = other_fc(name)
            if target is not None and options.spins:
                part = biology(name, brain, target, options)
                lines += part
                print("\n".join(part), flush=True)
    if options.out:
        options.out.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
