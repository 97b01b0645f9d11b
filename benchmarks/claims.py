"""The public claims put to the model: verdicts, baselines, skill, every miss, and the time it takes.

    python benchmarks/claims.py [--claims FILE.csv] [--draws 128] [--seed 0] [--jobs 2] [--out FILE.md]

The default file is the ledger shipped with the package. Prints what `synsys check-claims` prints; with
--out writes it as Markdown, with the wall time and the number of solved states beside it.
"""

# ruff: noqa: E402
import argparse
import os
import platform
import time
from importlib import resources
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import synsys
from synsys.scales import scoring
from synsys.scales.claims import ClaimsResult, check_claims, print_claims
from synsys.scales.scorecard import line, summary

BAR_S = 300.0
"""600 rows with 128 draws on two cores."""


def markdown(result: ClaimsResult, seconds: float, jobs: int) -> str:
    """The result as a page."""
    roles = list(result.totals)
    lines = [
        "# Public claims",
        "",
        f"Written by `python benchmarks/claims.py --draws {result.draws} --seed {result.seed} --jobs {jobs} "
        f"--out benchmarks/results/claims.md` (synsys {synsys.__version__}, Python "
        f"{platform.python_version()}). Nothing was tuned to these rows.",
        "",
        f"{len(result.rows)} rows, {result.solved} distinct perturbations, {result.draws} draws, "
        f"{jobs} processes: {seconds:.0f} s (bar: {BAR_S:.0f} s).",
        "",
        "| verdict | " + " | ".join(role.replace("_", " ") for role in roles) + " |",
        "|---|" + "---:|" * len(roles),
    ]
    for verdict in scoring.VERDICTS:
        counts = [result.totals[role].get(verdict, 0) for role in roles]
        lines.append(f"| {verdict} | " + " | ".join(str(n or "") for n in counts) + " |")
    lines += [
        "",
        "wiring, prior_only, definitional and symptom_map rows are no evidence: inputs of the model, "
        "definitions, circular maps.",
        "",
        *(f"- {text}" for text in summary(result)),
    ]
    for verdict in (scoring.FAIL, scoring.UNDECIDED, scoring.NEGLIGIBLE, scoring.UNSTABLE, scoring.PASS):
        rows = [row for row in result.rows if row.verdict == verdict]
        if rows:
            lines += ["", f"## {verdict.capitalize()} ({len(rows)})", "", *(f"- {line(row)}" for row in rows)]
    absent: dict[str, int] = {}
    for row in result.rows:
        if row.verdict == scoring.ABSENT:
            absent[row.reason] = absent.get(row.reason, 0) + 1
    lines += ["", f"## Not represented ({sum(absent.values())})", ""]
    lines += [
        f"- {n} x {reason}" for reason, n in sorted(absent.items(), key=lambda item: (-item[1], item[0]))
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--claims", type=Path)
    parser.add_argument("--draws", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    ledger = given.claims or Path(str(resources.files("synsys.knowledge") / "tables" / "claims.csv"))
    start = time.perf_counter()

    def progress(done: int, total: int) -> None:
        if done % 16 == 0 or done == total:
            print(f"{done} of {total} draws, {time.perf_counter() - start:.0f} s", flush=True)

    result = check_claims(ledger, None, given.draws, given.seed, given.jobs, progress)
    seconds = time.perf_counter() - start
    print_claims(result)
    verdict = "met" if seconds <= BAR_S else "missed"
    print(
        f"{len(result.rows)} rows in {seconds:.0f} s with {given.jobs} processes; bar {BAR_S:.0f} s {verdict}"
    )
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(markdown(result, seconds, given.jobs), encoding="utf-8")


if __name__ == "__main__":
    main()
