"""How long a user waits: help, version, catalog, and the main job from a cold start.

Usage: python benchmarks/startup.py [--repeats 3] [--draws 32]

Each command runs in a fresh process; the best of the repeats is set against its bar, the main job runs once.
Writes benchmarks/results/startup.md and exits with 1 if a bar is missed.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OUT = Path(__file__).parent / "results" / "startup.md"
BARS = {("--help",): 0.5, ("cascade", "--help"): None, ("--version",): None, ("catalog", "disorders"): None}
"""Command and bar in seconds."""
MAIN_JOB = 20.0


def seconds(arguments: tuple[str, ...], folder: str) -> tuple[float, float]:
    """Wall time and processor time of ``synsys ARGUMENTS`` in a fresh process and its children."""
    program = [sys.executable, "-c", "from synsys.cli import main; main()", *arguments]
    start, before = time.perf_counter(), os.times()
    subprocess.run(program, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - start, cpu


def main() -> int:
    """Time every command, print and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--draws", type=int, default=32)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            (" ".join(command), min(seconds(command, folder) for _ in range(given.repeats)), bar)
            for command, bar in BARS.items()
        ]
        job = ("cascade", "--perturb", "GRIN2B=0.7", "--draws", str(given.draws))
        rows.append((" ".join(job), seconds(job, folder), MAIN_JOB))
    load = f", load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    lines = [
        "# Waiting times",
        "",
        f"`python benchmarks/startup.py --repeats {given.repeats} --draws {given.draws}`: fresh processes, "
        f"{os.cpu_count()} cores{load}; Python {platform.python_version()}.",
        "",
        "| command | seconds | processor seconds | bar |",
        "|-|-|-|-|",
        *(
            f"| `synsys {name}` | {took[0]:.2f} | {took[1]:.2f} | {f'<= {bar:g} s' if bar else ''} |"
            for name, took, bar in rows
        ),
    ]
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return int(any(bar is not None and took[0] > bar for _, took, bar in rows))


if __name__ == "__main__":
    sys.exit(main())
