"""One cortical region as populations and as spiking cells: what the reduction to populations costs.

    python3 -m venv DIR && DIR/bin/python -m pip install -r benchmarks/spiking/requirements.txt
    python benchmarks/reduction.py --brian DIR/bin/python --work WORK [--seconds 20] [--seeds 2]

Needs a C++ compiler and takes about an hour on two cores; finished parts are kept in WORK. What both sides
share and where they differ stands in `benchmarks/spiking/network.py`; how cells get their thresholds in
`single.py`. Writes `benchmarks/results/spiking.csv` and `spiking.md`; `tests/brain/test_reduction.py` holds
the population model against the first.
"""

# ruff: noqa: E402
import argparse
import csv
import json
import os
import subprocess
import sys
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "spiking"))

import numpy as np
import population
import single
from population import CELLS, CONDITIONS, COUNT, gamma, welch

SETTLE = 2.0
"""Time left out of every run, s."""
NOISE_STEP = 0.2
LEVELS = ("linear", "linear, finite", "simulated", "escape", "lif", "lif late")
COLUMNS = (
    "condition", "level", "rate_E", "rate_PV", "rate_SST", "gamma_hz", "gamma_power", "slow_power",
    "rate_E_se", "rate_PV_se", "rate_SST_se", "gamma_hz_se", "gamma_power_se", "slow_power_se", "sd_E",
)  # fmt: skip


def kept(path: Path, make) -> dict[str, np.ndarray]:
    """Arrays of a file, made first where it is absent."""
    if not path.exists():
        np.savez(path, **make())
    with np.load(path) as data:
        return dict(data)


def cells(work: Path, seconds: float = 2.5) -> dict:
    """Thresholds of both kinds of cell, chosen in open loop."""
    path = work / "cells.json"
    if not path.exists():
        healthy = population.exported(population.state("health"))
        found: dict[str, dict] = {"escape": {}, "lif": {}}
        for a, cell in enumerate(CELLS):
            many = single.Cell(healthy, a, 400)
            found["escape"][cell] = many.escape(seconds)
            found["lif"][cell] = many.lif(seconds)
        path.write_text(json.dumps(found))
    return json.loads(path.read_text())


def at_rest(condition: str) -> list[dict[str, float]]:
    """Where the cells of the network start: the state of rest of the populations."""
    state = population.state(condition)
    p, x = population.exported(state), state.point.x[0]
    fast, slow = np.array(p["g_fast"]) * x[1], np.array(p["g_slow"]) * x[2]
    open_ = single.ALPHA * p["tau_slow"][0] * 1e-3 * state.rates[0, 0]
    return [
        {
            "v": x[0, a], "m": x[3, a], "e": x[4, a], "c": x[5, a], "h": x[7, a],
            "ga": fast[a, 0], "gp": fast[a, 1], "gs": fast[a, 2], "gn": slow[a, 0], "gb": slow[a, 2],
            "s": open_ / (1 + open_),
        }
        for a in range(len(CELLS))
    ]  # fmt: skip


def network(brian: Path, work: Path, condition: str, kind: str, seconds: float, seed: int) -> dict:
    """Run the spiking network, unless its result is there."""
    stem = f"{condition}-{kind}-{seconds:g}-{seed}".replace(" ", "_")
    given, wander, out = work / f"{stem}.json", work / f"{stem}.npy", work / f"{stem}.npz"
    if not out.exists():
        state = population.state(condition)
        given.write_text(
            json.dumps(
                {
                    "healthy": population.exported(population.state("health")),
                    "parameters": population.exported(state), "count": COUNT, "noise_step": NOISE_STEP,
                    "cells": cells(work), "rest": at_rest(condition),
                }
            )
        )  # fmt: skip
        np.save(wander, population.noise(state, seconds + SETTLE, seed, NOISE_STEP))
        command = [
            str(brian), str(HERE / "spiking" / "network.py"), "--given", str(given), "--noise", str(wander),
            "--cells", kind, "--seconds", f"{seconds + SETTLE:g}", "--seed", str(seed), "--out", str(out),
        ]  # fmt: skip
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wander.unlink()
    with np.load(out) as data:
        return dict(data)


def measured(potential: list[np.ndarray], rate: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Rates, gamma and slow power over all runs; standard errors from quarters of each."""
    quarters = [part for x in potential for part in np.array_split(x, 4)]
    each = np.array([[*r, *gamma(welch(x))] for r, x in zip(rate, quarters, strict=True)])
    whole = gamma(np.mean([welch(x) for x in potential], 0))
    return np.r_[each[:, :3].mean(0), whole], each.std(0, ddof=1) / np.sqrt(len(each))


def rows(brian: Path, work: Path, seconds: float, seeds: int) -> list[dict[str, object]]:
    """All levels under all conditions."""
    out: list[dict[str, object]] = []

    def add(condition: str, level: str, values: np.ndarray, errors: np.ndarray, sd: float = np.nan) -> None:
        numbers = [*values, *errors, sd]
        cells_ = [f"{x:.4g}" if np.isfinite(x) else "" for x in numbers]
        out.append(dict(zip(COLUMNS, [condition, level, *cells_], strict=True)))
        print(out[-1], flush=True)

    none = np.full(6, np.nan)
    for condition in CONDITIONS:
        state = population.state(condition)
        for level in LEVELS[:2]:
            power = population.spectrum(state, finite=level != "linear")
            add(condition, level, np.r_[state.rates[0], gamma(power)], none)
        runs = [
            kept(
                work / f"{condition.replace(' ', '_')}-simulated-{seconds:g}-{seed}.npz",
                lambda state=state, seed=seed: vars(population.simulated(state, seconds, seed, SETTLE)),
            )
            for seed in range(seeds)
        ]
        whole = [r["rate"] for r in runs for _ in range(4)]
        values, errors = measured([r["potential"][:, 0] for r in runs], whole)
        add(condition, "simulated", values, errors)
        for kind in LEVELS[3:]:
            found = [network(brian, work, condition, kind, seconds, seed) for seed in range(seeds)]
            first = round(1e3 * SETTLE)
            rates = [part.mean(0) for r in found for part in np.array_split(r["rate"][first:], 4)]
            values, errors = measured([r["potential"][first:, 0] for r in found], rates)
            add(condition, kind, values, errors, float(np.mean([r["sd"][0] for r in found])))
    return out


QUANTITIES = ("rate_E", "rate_PV", "rate_SST", "gamma_hz", "gamma_power")


def differences(found: list[dict[str, object]]) -> list[dict[str, object]]:
    """What the population model misses of each network, as the natural logarithm of network over model.

    Of the state in health, and of the responses (state over health, network over model). Rates and gamma
    frequency are held against the linear theory and the simulation, power against the linear theory with
    the noise of finite numbers, and the simulation.
    """
    value = {(r["condition"], r["level"], q): float(str(r[q] or "nan")) for r in found for q in QUANTITIES}
    out: list[dict[str, object]] = []
    for against in ("linear, finite", "simulated"):
        for kind in LEVELS[3:]:
            for condition in CONDITIONS:
                row: dict[str, object] = {"condition": condition, "level": f"{kind} - {against}"}
                for q in QUANTITIES:
                    gap = np.log(value[condition, kind, q] / value[condition, against, q])
                    if condition != "health":
                        gap -= np.log(value["health", kind, q] / value["health", against, q])
                    row[q] = f"{gap:.3f}" if np.isfinite(gap) else ""
                out.append(row)
    return out


def responses(work: Path) -> list[str]:
    """Rows: response of the rate to an oscillating current in open loop."""
    healthy = population.exported(population.state("health"))
    out = []
    for a, cell in enumerate(CELLS[:2]):
        chosen = cells(work)["lif"][cell]
        for hertz in (5, 20, 40, 80):
            many = single.Cell(healthy, a, 700)
            both = many.response(hertz, (chosen["threshold"], chosen["noise"]))
            shown = [f"{abs(r):.2f} | {np.degrees(np.angle(r)):.0f}" for r in both]
            out.append(f"| {cell} | {hertz} | {' | '.join(shown)} |")
    return out


def page(
    found: list[dict[str, object]],
    gaps: list[dict[str, object]],
    waves: list[str],
    seconds: float,
    seeds: int,
) -> str:
    """The Markdown page."""
    count = ", ".join(f"{n} {cell}" for n, cell in zip(COUNT, CELLS, strict=True))
    lines = [
        "# One region as populations and as spiking cells", "",
        f"`python benchmarks/reduction.py --seconds {seconds:g} --seeds {seeds}`: {population.REGION} alone, "
        f"calibration member {population.MEMBER}, {count} cells, {seeds} x {seconds:g} s. What is shared and "
        "what differs: [page](../../docs/reduction.md). Rates in Hz; gamma is the highest power per octave "
        "of the mean potential of E cells within 25-90 Hz, its power the mean within 30-60 Hz, slow power "
        "that within 2-10 Hz (mV²/Hz). ± standard error from quarters of runs.", "",
        "| condition | level | E | PV | SST | gamma Hz | gamma power | slow power | sd of one E cell, mV |",
        "|-|-|-|-|-|-|-|-|-|",
    ]  # fmt: skip
    for r in found:
        cells_ = []
        for q in COLUMNS[2:8]:
            error = r[f"{q}_se"]
            shown = str(r[q] or "no peak")
            cells_.append(f"{shown} ± {float(str(error)):.2g}" if r[q] and error not in ("", "0") else shown)
        lines.append(f"| {r['condition']} | {r['level']} | {' | '.join(cells_)} | {r['sd_E'] or '-'} |")
    lines += [
        "", "## What the reduction misses", "",
        "Natural logarithm of network over population model: of the state in health, and of the response to "
        "each lesion (lesion over health in the network, over the same in the model).", "",
        "| of | network - model | " + " | ".join(QUANTITIES) + " |", "|-" * (len(QUANTITIES) + 2) + "|",
    ]  # fmt: skip
    for r in gaps:
        shown = " | ".join(f"{float(str(r[q])):+.2f}" if r[q] else "no peak" for q in QUANTITIES)
        lines.append(f"| {r['condition']} | {r['level']} | {shown} |")
    lines += [
        "", "## One cell in open loop", "",
        "Response of the rate to an oscillating current, Hz per mV and degrees (negative: late).", "",
        "| cell | Hz | lif | phase | population | phase |", "|-|-|-|-|-|-|", *waves,
    ]  # fmt: skip
    return "\n".join([*lines, ""])


def main() -> None:
    """Run what is missing and write both files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--brian", type=Path, required=True, help="interpreter that has Brian 2")
    parser.add_argument("--work", type=Path, required=True, help="folder for finished parts")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    found = rows(given.brian, given.work, given.seconds, given.seeds)
    with (HERE / "results" / "spiking.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
    (HERE / "results" / "spiking.md").write_text(
        page(found, differences(found), responses(given.work), given.seconds, given.seeds), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
