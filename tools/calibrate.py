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
from pair import FACTS, HIPPOCAMPUS_FACTS, Pair, misses

TEMPERATURE = 0.008
"""Scale on which a miss counts against the prior when sampling."""


def sample(pair: Pair, facts: dict, starts: np.ndarray, steps: int, seed: int, thin: int):
    """Prior restricted to the facts, by differential-evolution Markov chains (ter Braak 2006).

    starts : (n, keys) points found by CMA-ES; chains start from them with a little jitter. Yields
    (chain, z, reached, miss) of every chain each `thin` steps after the first half.
    """
    rng = np.random.default_rng(seed)
    chains, width = 24, starts.shape[1]
    z = starts[rng.integers(len(starts), size=chains)] + 0.05 * pair.sd * rng.standard_normal((chains, width))

    def energy(z: np.ndarray) -> tuple[np.ndarray, dict, np.ndarray]:
        with np.errstate(all="ignore"):
            reached = pair.facts(z)
        miss = misses(reached, facts)
        return 0.5 * ((z / pair.sd) ** 2).sum(-1) + miss / TEMPERATURE, reached, miss

    level, reached, miss = energy(z)
    accepted = 0
    for step in range(steps):
        pool = np.concatenate([z, starts]) if step < steps // 4 else z
        a, b = pool[rng.integers(len(pool), size=chains)], pool[rng.integers(len(pool), size=chains)]
        scale = 1.0 if step % 10 == 9 else 2.38 / np.sqrt(2 * width)
        move = scale * rng.uniform(0.3, 1.0, (chains, 1)) * (a - b)
        proposal = z + move + 0.01 * pair.sd * rng.standard_normal(z.shape)
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
    parser.add_argument("--generations", type=int, default=200)
    parser.add_argument("--sample", type=int, default=0, help="Markov chain steps from the points in --start")
    parser.add_argument("--start", type=Path, nargs="*", default=[])
    args = parser.parse_args()
    pair = Pair(args.group)
    facts = FACTS if args.group == "cortex" else HIPPOCAMPUS_FACTS
    if args.sample:
        rows = [
            row for path in args.start for row in csv.DictReader(path.open()) if float(row["misses"]) < 1.0
        ]
        starts = np.array([[float(row[k]) for k in pair.keys] for row in rows])
        with args.out.open("w", newline="") as handle:
            out = csv.writer(handle)
            out.writerow(["seed", "misses", *facts, *pair.keys])
            for n, (_, z, reached, miss) in enumerate(
                sample(pair, facts, starts, args.sample, args.first, args.sample // 8)
            ):
                values = [f"{reached[f]:.4g}" for f in facts]
                out.writerow([n, f"{miss:.4f}", *values, *(f"{v:.4f}" for v in z)])
        return
    new = not args.out.exists()
    with args.out.open("a", newline="") as handle:
        out = csv.writer(handle)
        if new:
            out.writerow(["seed", "misses", *facts, *pair.keys])
        for seed in range(args.first, args.last):
            rng = np.random.default_rng(seed)
            start = pair.sd * rng.standard_normal(len(pair.keys)) * 0.7
            es = cma.CMAEvolutionStrategy(
                start,
                0.3,
                {
                    "seed": seed + 1,
                    "popsize": 24,
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
                if miss.min() < 1e-6 and es.countiter > 20:
                    z_best = z[np.argmin(miss + 0.02 * ((z / pair.sd) ** 2).sum(-1) + 1e3 * (miss > 1e-6))]
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
