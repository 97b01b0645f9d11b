"""Claims about development and timing, put to trajectories from gestation to 25 years.

    python benchmarks/timing_claims.py [--claims FILE.csv] [--draws 6] [--jobs 2] [--only NAME ...]

The causes of these claims are no single quantity ("a perturbation inside a critical period"); timed.csv says
which exposures and lesions, at which ages, stand for each. All stand-ins of a cause are pooled. A readout
counts by |d| as in check-claims; a molecular variable, whose spread between people is not known, by a tenth
of the vocabulary's step. Writes benchmarks/results/timing_claims.md.
"""

# ruff: noqa: E402
import argparse
import csv
import os
import time
from importlib import resources
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np

from synsys.core.scenario import Course, Event, Scenario
from synsys.knowledge.load import read_claims, vocabulary
from synsys.knowledge.resolve import parse_perturbation
from synsys.measures.courses import readout_changes, slow_changes
from synsys.scales.scoring import sign_of, verdict
from synsys.scales.trajectory import trajectory

HERE = Path(__file__).parent
OUT = HERE / "results" / "timing_claims.md"
YEAR, CONCEIVED, ADULT = 365.25, -0.7, 25.0
RISE = 7.0
"""Days over which an exposure sets in and ends."""


def scenario(row: dict[str, str]) -> Scenario:
    """A row of timed.csv as a life from conception to 25 years."""
    last = (ADULT - CONCEIVED) * YEAR
    start, end = ((float(row[key]) - CONCEIVED) * YEAR for key in ("from_age", "to_age"))
    start, end = max(start, 0.0), min(end, last)
    course = Course("constant", start, end, RISE, RISE if end < last else 0.0)
    event = Event(row["scenario"], parse_perturbation(row["perturbation"]), course)
    report = sorted({min(end, last), (10 - CONCEIVED) * YEAR, last})
    window = "childhood" if "childhood" in row["scenario"] else "adolescence"
    return Scenario(
        row["scenario"], row["note"], last, (event,), CONCEIVED, True, pruning=window, report=tuple(report)
    )


def effects(plan: Scenario, draws: int, jobs: int) -> dict[str, tuple[np.ndarray, float]]:
    """Change of every readout and variable at 25 years in every draw, and what counts as a change."""
    tree = trajectory(plan, draws=draws, jobs=jobs)
    out: dict[str, tuple[np.ndarray, float]] = {}
    for found, axis in (
        (slow_changes(tree["slow"].to_dataset()), "time"),
        (readout_changes(tree["trajectory"].to_dataset()), "time"),
    ):
        last = found.isel({axis: -1})
        for name in found["item"].values:
            one = last.sel(item=name)
            out[str(name)] = one["effect"].values, float(one["threshold"])
    return out


def judged(claim, rows: list[dict[str, tuple[np.ndarray, float]]]) -> tuple[str, str]:
    """Verdict and what the model does."""
    name = claim.entity_to
    if not rows or name not in rows[0]:
        return "not represented", f"{name} is not computed"
    values = np.concatenate([row[name][0] for row in rows])
    values = values[np.isfinite(values)]
    if not len(values):
        return "unstable", "no draw is stable at 25 years"
    threshold = rows[0][name][1]
    middle, size = float(np.median(values)), float(np.median(np.abs(values)))
    told = f"median {middle:+.3g}, size {size:.3g} (counts from {threshold:.2g}), {len(values)} lives"
    expected = sign_of(claim.change_to)
    if expected is None:
        return ("altered" if size >= threshold else "negligible"), told
    n = int((values * expected > 0).sum())
    p = (n + 0.5) / (len(values) + 1)
    return verdict(p, middle / threshold * 0.1), f"{told}, P {p:.2f}"


def main() -> None:
    """Run every stand-in, judge the claims, print and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = resources.files("synsys.knowledge") / "tables" / "claims.csv"
    parser.add_argument("--claims", type=Path, default=Path(str(default)))
    parser.add_argument("--draws", type=int, default=6)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=None, help="Scenarios of timed.csv to run.")
    given = parser.parse_args()
    with (HERE / "timed.csv").open(encoding="utf-8", newline="") as file:
        table = [row for row in csv.DictReader(file) if row["quantity"] not in ("symptom_onset_age",)]
    table = [row for row in table if given.only is None or row["scenario"] in given.only]
    table = [row for row in table if float(row["from_age"]) < ADULT]
    started, lives = time.perf_counter(), {}
    for row in table:
        begun = time.perf_counter()
        lives[row["scenario"]] = effects(scenario(row), given.draws, given.jobs)
        print(f"{row['scenario']}: {time.perf_counter() - begun:.0f} s", flush=True)
    lines = [
        "# Claims about development and timing",
        "",
        f"`python benchmarks/timing_claims.py --draws {given.draws} --jobs {given.jobs}`: {len(lives)} lives "
        f"from conception to 25 years, {given.draws} draws each, {time.perf_counter() - started:.0f} s. "
        "Changes at 25 years: in healthy sd (readouts), log ratio or unit (molecules).",
        "",
        "| claim | cause | effect | expected | verdict | model |",
        "|-|-|-|-|-|-|",
    ]
    causes = {row["quantity"] for row in table}
    for claim in read_claims(given.claims):
        if claim.test_role != "emergent_timing" or claim.entity_from not in causes:
            continue
        wanted = {"+1": ("excessive", "excess"), "-1": ("deficient",)}.get(claim.change_from, ())
        names = [r["scenario"] for r in table if r["quantity"] == claim.entity_from]
        if claim.entity_from == "pruning_rate":
            names = [n for n in names if n.startswith(wanted)]
        found, told = judged(claim, [lives[n] for n in names if "outside" not in n])
        lines.append(
            f"| {claim.id} | {claim.entity_from} {claim.change_from} | {claim.entity_to} | "
            f"{claim.change_to} | {found} | {told} |"
        )
    shown = ("global_efficiency", "pv_interneuron_density", "pv_maturation", "myelination", "spine_density",
             "ei_maturation", "cortical_maturation")  # fmt: skip
    lines += ["", "## Every life at 25 years", "", "| life | " + " | ".join(shown) + " |",
              "|-|" + "-|" * len(shown)]  # fmt: skip
    for name, found in lives.items():
        cells = [
            f"{np.nanmedian(found[n][0]):+.3f}" if n in found and np.isfinite(found[n][0]).any() else ""
            for n in shown
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    unit = {n: vocabulary()[n].unit for n in shown}
    lines += ["", "Units: " + "; ".join(f"{n}: {u}" for n, u in unit.items()) + "."]
    text = "\n".join(lines) + "\n"
    OUT.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
