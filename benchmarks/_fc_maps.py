"""What regional maps add to FC, against spun maps: the second half of ``fc_fit.py``."""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from _fc import FLAT, Strengths, covariance, mean_fc, r, seen

from synsys.brain.bold import NOISE_SHARE
from synsys.brain.draws import Draw
from synsys.brain.stability import stability
from synsys.circuit.calibration import members
from synsys.core.connectome import Connectome
from synsys.knowledge.mechanisms import RegionalMap, maps
from synsys.measures.spatial_nulls import spin_p_value, spins


def used(scaled: Strengths) -> list[RegionalMap]:
    """Rows of ``maps.csv`` that act on a brain's healthy conductances."""
    out = []
    for name in dict.fromkeys(m.multiplier for m in maps()):
        rows = [m for m in maps() if m.multiplier == name and scaled.model.z_map(m.map) is not None]
        out += [m for m in rows if m.preferred] or rows[:1]
    return out


def one_at_a_time(brain: Connectome, strength: float, count: int) -> list[str]:
    """FC r in cortex and the spread of BOLD variance with one map at a time, then with all others."""
    scaled = Strengths(brain)
    cortex = (brain.regions.structure == "cortex").to_numpy()
    edge = np.triu(np.ones((len(brain),) * 2, bool), 1) & np.outer(cortex, cortex)

    def score(beta: dict) -> str:
        covs, unstable = [], 0
        for k in range(count):
            healthy = scaled.healthy(strength, Draw(k, beta=beta))
            if stability(healthy.state, locate=False).stable:
                covs.append(covariance(healthy, "synaptic"))
            else:
                unstable += 1
        if not covs:
            return "unstable | -"
        spread = [np.diagonal(c)[cortex].max() / np.median(np.diagonal(c)[cortex]) for c in covs]
        value = r(mean_fc([seen(c, cortex, NOISE_SHARE) for c in covs])[edge], brain.fc[edge])
        return f"{value:.3f}{f' ({unstable} unstable)' if unstable else ''} | {np.median(spread):.1f}"

    full = {(m.multiplier, m.map, m.cell): m.beta for m in maps()}
    lines = [
        f"{brain.name}, cortex, strength {strength:g}, {count} members: r, and spread = largest over "
        "median BOLD variance.",
        "",
        "| maps | only these | spread | all but these | spread |",
        "|-|-|-|-|-|",
        f"| none | {score(FLAT)} | {score(full)} |",
    ]
    alike = score(FLAT)
    for m in used(scaled):
        key = (m.multiplier, m.map, m.cell)
        alone = score({**FLAT, key: m.beta})
        if alone != alike:
            lines.append(f"| {m.map} on {m.multiplier} | {alone} | {score({**full, key: 0.0})} |")
    lines += ["", "Maps that leave FC as it is (receptors of neuromodulators in health) are not listed.", ""]
    return lines


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
