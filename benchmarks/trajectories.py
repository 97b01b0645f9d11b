"""How long scenarios take: six weeks of daily treatment with 16 draws, twenty years of development with one.

Usage: python benchmarks/trajectories.py [--draws 16] [--jobs 2]

Writes benchmarks/results/trajectories.md and exits with 1 if a bar is missed.
"""

# ruff: noqa: E402
import argparse
import os
import platform
import sys
import time
from dataclasses import replace
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from synsys.core.scenario import Course, Event, Scenario
from synsys.core.schema import attribute
from synsys.knowledge.scenarios import read_scenario
from synsys.scales.trajectory import trajectory

OUT = Path(__file__).parent / "results" / "trajectories.md"
BAR = 60.0
TREATMENT = """
name: six weeks of escitalopram
duration: 6 wk
events:
  - drug: escitalopram
    dose: 10 mg
    every: 1 d
    from: 0 d
    to: 6 wk
report: {every: 1 wk}
"""


def development() -> Scenario:
    """From birth to 20 years, with a year of stress in adolescence."""
    from synsys.core.perturbation import Perturbation

    year = 365.25
    stress = Event(
        "stress", Perturbation("chronic_stress", 1.0, "+"), Course("constant", 13 * year, 14 * year, 7, 7)
    )
    report = tuple(age * year for age in (0, 2, 5, 8, 11, 13, 14, 15, 17, 20))
    return Scenario("twenty years", "", 20 * year, (stress,), age=0.0, development=True, report=report)


def timed(plan: Scenario, draws: int, jobs: int) -> list[str]:
    """Row of the table."""
    start, before = time.perf_counter(), os.times()
    tree = trajectory(replace(plan, draws=draws), jobs=jobs)
    wall, after = time.perf_counter() - start, os.times()
    cpu = sum(after[:4]) - sum(before[:4])
    facts = attribute(tree, "convergence")
    steps = sorted(facts["steps"])[len(facts["steps"]) // 2]
    solved = sorted(facts["fast_solutions"])[len(facts["steps"]) // 2]
    return [
        plan.name, str(draws), f"{wall:.0f}", f"{cpu:.0f}", f"{BAR:g}", "yes" if wall <= BAR else "no",
        str(steps), str(solved), f"{tree.attrs['stable_perturbed']:.2f}",
    ]  # fmt: skip


def main() -> int:
    """Time both, print and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=16)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    treatment = read_scenario(TREATMENT, "benchmarks/trajectories.py")
    rows = [timed(treatment, given.draws, given.jobs), timed(development(), 1, 1)]
    head = "scenario|draws|seconds|processor seconds|bar|met|median steps|median fast solutions|stable"
    lines = [
        "# Time of scenarios",
        "",
        f"`python benchmarks/trajectories.py --draws {given.draws} --jobs {given.jobs}` on the embedded "
        f"brain, {os.cpu_count()} cores, load average before {os.getloadavg()[2]:.1f}; Python "
        f"{platform.python_version()}. Report times are solved in full (spectra, connectivity, graphs).",
        "",
        f"| {head.replace('|', ' | ')} |",
        "|" + "-|" * len(rows[0]),
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    text = "\n".join(lines) + "\n"
    OUT.write_text(text, encoding="utf-8")
    print(text)
    return int(any(row[5] == "no" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
