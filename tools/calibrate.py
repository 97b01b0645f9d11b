"""Fit the free conductances of the templates to healthy facts, then sample around the fits.

Usage:
    python tools/calibrate.py FIT.csv --first 0 --last 64
    python tools/calibrate.py SAMPLED.csv --sample 900 --start FIT.csv
    python tools/calibrate.py HIPPOCAMPUS.csv --group hippocampus --first 0 --last 64

Each seed draws a start from the lognormal priors of ``connections.csv`` and ``channels.csv`` and runs
CMA-ES on how far a cortex-thalamus pair (two hemispheres, long-range loop gain included) or a hippocampus
is from the healthy facts of ``pair.py``, plus the prior. ``--sample`` then runs Markov chains over the prior
restricted to the facts, from the fits. Neither any claim nor any BOLD connectivity enters. Nothing is
accepted here: ``tools/accept.py`` screens candidates on the embedded brain, and what each accepted member
reaches and misses is written beside it (``benchmarks/calibration.py`` prints it).
"""

import argparse
import csv
import sys
from pathlib import Path

import cma
import numpy as np
from facts import FACTS, HIPPOCAMPUS_FACTS, misses
from pair import Pair

ENOUGH = 0.01
"""Weighted miss at which a fit ends: the ranges of the facts are no sharper."""
CROWD = 256
"""Samples of the prior of which the best starts a fit."""
MOST_MISSES = 3.0
"""Weighted miss above which a fit starts no chain."""
TEMPERATURE = 0.03
"""Scale on which a miss counts against the prior when sampling."""


def sample(pair: Pair, facts: dict, starts: np.ndarray, steps: int, seed: int, thin: int):
    """Prior restricted to the facts, by differential-evolution Markov chains (ter Braak 2006).

    starts : (chains, keys) points found by CMA-ES, one chain each. Yields (chain, z, reached, miss) of every
    chain each `thin` steps after the first half.
    """
    rng = np.random.default_rng(seed)
    z, chains = starts.copy(), len(starts)

    def energy(z: np.ndarray) -> tuple[np.ndarray, dict, np.ndarray]:
        with np.errstate(all="ignore"):
            reached = pair.facts(z)
        miss = misses(reached, facts)
        return 0.5 * ((z / pair.sd) ** 2).sum(-1) + miss / TEMPERATURE, reached, miss

    level, reached, miss = energy(z)
    accepted = 0
    for step in range(steps):
        a, b = z[rng.integers(chains, size=chains)], z[rng.integers(chains, size=chains)]
        some = rng.random(z.shape) < rng.choice([0.1, 0.3, 1.0], (chains, 1))  # crossover
        scale = 2.38 / np.sqrt(2 * np.maximum(some.sum(1, keepdims=True), 1))
        move = scale * rng.uniform(0.05, 0.7, (chains, 1)) * (a - b)
        proposal = z + some * (move + 0.02 * pair.sd * rng.standard_normal(z.shape))
        new, new_reached, new_miss = energy(proposal)
        take = np.log(rng.random(chains)) < level - new
        z, level, miss = (
            np.where(take[:, None], proposal, z),
            np.where(take, new, level),
            np.where(take, new_miss, miss),
        )
        reached = {k: np.where(take, new_reached[k], v) for k, v in reached.items()}
        accepted += int(take.sum())
        if step % 50 == 49:
            print(
                step + 1,
                f"accepted {accepted / chains / (step + 1):.2f}, median miss {np.median(miss):.3f}",
                file=sys.stderr,
                flush=True,
            )
        if step >= steps // 2 and (step + 1) % thin == 0:
            for c in range(chains):
                yield c, z[c], {k: v[c] for k, v in reached.items()}, float(miss[c])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--group", choices=("cortex", "hippocampus"), default="cortex")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--last", type=int, default=8)
    parser.add_argument("--generations", type=int, default=260)
    parser.add_argument("--sample", type=int, default=0, help="Markov chain steps from the fits in --start")
    parser.add_argument("--start", type=Path, nargs="*", default=[], help="tables of earlier fits")
    args = parser.parse_args()
    pair = Pair(args.group)
    facts = FACTS if args.group == "cortex" else HIPPOCAMPUS_FACTS
    rows = [
        row
        for path in args.start
        for row in csv.DictReader(path.open())
        if float(row["misses"]) < MOST_MISSES
    ]
    starts = np.array([[float(row[k]) for k in pair.keys] for row in rows])
    if args.sample:
        with args.out.open("w", newline="") as handle:
            out = csv.writer(handle)
            out.writerow(["seed", "misses", *facts, *pair.keys])
            for n, (c, z, reached, miss) in enumerate(
                sample(pair, facts, starts, args.sample, args.first, args.sample // 8)
            ):
                values = [f"{reached[f]:.4g}" for f in facts]
                out.writerow(
                    [
                        f"{rows[c]['seed']}/{n // len(starts)}",
                        f"{miss:.4f}",
                        *values,
                        *(f"{v:.4f}" for v in z),
                    ]
                )
        return
    new = not args.out.exists()
    with args.out.open("a", newline="") as handle:
        out = csv.writer(handle)
        if new:
            out.writerow(["seed", "misses", *facts, *pair.keys])
        for seed in range(args.first, args.last):
            rng = np.random.default_rng(seed)
            crowd = pair.sd * rng.standard_normal((CROWD, len(pair.keys)))
            if len(starts):  # children of two earlier fits
                mother, father = starts[rng.integers(len(starts), size=(2, CROWD))]
                crowd = np.where(rng.random(crowd.shape) < 0.5, mother, father) + 0.4 * crowd
            with np.errstate(all="ignore"):
                first = np.concatenate([misses(pair.facts(part), facts) for part in np.split(crowd, 8)])
            start = crowd[first.argmin()]
            es = cma.CMAEvolutionStrategy(
                start,
                0.3,
                {
                    "seed": seed + 1,
                    "popsize": 16,
                    "verbose": -9,
                    "CMA_stds": pair.sd,
                    "maxiter": args.generations,
                },
            )
            while not es.stop():
                z = np.array(es.ask())
                with np.errstate(all="ignore"):
                    miss = misses(pair.facts(z), facts)
                es.tell(z, list(miss + 0.02 * ((z / pair.sd) ** 2).sum(-1)))
                if miss.min() < ENOUGH and es.countiter > 20:
                    z_best = z[np.argmin(miss + 0.02 * ((z / pair.sd) ** 2).sum(-1) + 1e3 * (miss > ENOUGH))]
                    break
            else:
                z_best = es.result.xbest
            reached = pair.facts(z_best[None])
            miss = misses(reached, facts)[0]
            out.writerow(
                [seed, f"{miss:.4f}", *(f"{reached[f][0]:.4g}" for f in facts), *(f"{v:.4f}" for v in z_best)]
            )
            handle.flush()
            print(
                seed,
                es.countiter,
                round(float(miss), 3),
                {f: round(float(reached[f][0]), 3) for f in facts},
                round(float(np.abs(z_best / pair.sd).max()), 2),
                file=sys.stderr,
                flush=True,
            )


if __name__ == "__main__":
    main()
