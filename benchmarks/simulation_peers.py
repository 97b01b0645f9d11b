"""Simulation in the time domain: synsys beside other whole-brain simulators, in one run.

    python benchmarks/peers/install.py --into DIR
    python benchmarks/simulation_peers.py --envs DIR [--repeats 3] [--only jax,tvb] [--out FILE.md]

Every tool runs in its own process and its own environment (`DIR/<name>`; synsys in the one that runs this),
one after the other, `--repeats` rounds of all; medians are printed and, with --out, written. The task is in
`benchmarks/peers/common.py`. Compilation and imports are not counted (own column); --raw keeps every line,
and results that are in its file already count as well.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median

SCRIPTS = Path(__file__).parent / "peers"
OWN = "synsys"
PEERS: dict[str, tuple[tuple[str, ...], tuple[float, float, float, float]]] = {
    OWN: (("float32", "float64"), (60, 20, 30, 10)),
    "jax": (("float32", "float64"), (60, 10, 20, 5)),
    "tvboptim": (("float32", "float64"), (30, 5, 5, 1)),
    "brainmass": (("float32", "float64"), (30, 5, 5, 1)),
    "cubnm": (("float64",), (60, 10, 30, 5)),
    "neurolib": (("float64",), (20, 4, 20, 4)),
    "tvb": (("float64",), (4, 1, 4, 1)),
    "vbi": (("float64",), (10, 3, 0.2, 0.05)),
}
"""Tool -> types it computes in; simulated seconds for one set, 16 sets, and the same with delays: some 5 to
10 s of computing each."""
SETS, THREADS = 16, 2


def once(name: str, envs: Path, dtype: str, sims: int, delay: bool, seconds: float) -> dict | None:
    """One run: what the script printed, or None where the tool is absent or failed."""
    python = Path(sys.executable) if name == OWN else envs / name / "bin" / "python"
    script = SCRIPTS / f"peer_{name}.py"
    if not python.exists() or not script.exists():
        return None
    command = [
        str(python), str(script), "--sims", str(sims), "--seconds", f"{seconds:g}",
        "--threads", str(THREADS if sims > 1 else 1), "--dtype", dtype, *(["--delay"] if delay else []),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    except subprocess.TimeoutExpired:
        print(f"{name}: took more than 10 minutes", file=sys.stderr)
        return None
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        print(f"{name}: {(done.stderr.strip() or 'printed nothing').splitlines()[-1]}", file=sys.stderr)
        return None
    return json.loads(lines[-1])


Found = dict[tuple[bool, int], dict[tuple[str, str], list[dict]]]
"""(delay, sets) -> (tool, dtype) -> its results."""


def rounds(names: list[str], envs: Path, repeats: int, raw: Path | None) -> Found:
    """Results, tools interleaved within each round; those of earlier runs in `raw` come first."""
    found: Found = {(delay, sims): {} for delay in (False, True) for sims in (1, SETS)}

    def add(line: dict) -> None:
        key = line["tool"].split("-")[0], line["dtype"]
        found[line["task"].endswith("+delay"), line["sims"]].setdefault(key, []).append(line)

    for line in raw.read_text().splitlines() if raw and raw.exists() else ():
        add(json.loads(line))
    todo = [
        (d, b, name, dtype)
        for d in (False, True)
        for b in (0, 1)
        for name in names
        for dtype in PEERS[name][0]
    ]
    for delay, batch, name, dtype in todo * repeats:
        line = once(name, envs, dtype, (1, SETS)[batch], delay, PEERS[name][1][2 * delay + batch])
        if line is not None:
            add(line)
            print(json.dumps(line), flush=True)
            if raw:
                with raw.open("a") as handle:
                    handle.write(json.dumps(line) + "\n")
    return found


def digits(value: float) -> str:
    """A number with three significant digits, plainly written."""
    return f"{float(f'{value:.3g}'):g}"


def table(results: dict[tuple[str, str], list[dict]]) -> list[str]:
    """Rows of one task, fastest first; ratios are those to synsys in the same type."""
    middle = {key: median(line["node_steps_per_s"] for line in lines) for key, lines in results.items()}
    out = [
        "| tool | type | million node-steps/s | range | per processor s | synsys is faster by | compile s "
        "| mean rate Hz | finite | remark |",
        "|-|-|-|-|-|-|-|-|-|-|",
    ]
    for (name, dtype), speed in sorted(middle.items(), key=lambda item: -item[1]):
        lines = results[name, dtype]
        each = [line["node_steps_per_s"] / 1e6 for line in lines]
        own = middle.get((OWN, dtype))
        rate = lines[-1]["mean_rate_hz"]
        cells = [
            lines[-1]["tool"], dtype, digits(speed / 1e6), f"{digits(min(each))} - {digits(max(each))}",
            digits(median(line["node_steps_per_s"] * line["wall_s"] / line["cpu_s"] for line in lines) / 1e6),
            f"{own / speed:.1f}x" if own and name != OWN else "-",
            f"{median(line['compile_s'] for line in lines):.1f}", "-" if rate is None else f"{rate:.1f}",
            "yes" if all(line["finite"] for line in lines) else "no", lines[-1].get("note", ""),
        ]  # fmt: skip
        out.append(f"| {' | '.join(cells)} |")
    return out


def floors(repeats: int) -> list[str]:
    """What the machine can do at most, by `peers/floor.py`, with one thread and with two."""
    out = [
        "| threads | multiply-add f32 | f64 | 84x84x16 product f32 | f64 | exp f32 ns | f64 ns | copy GB/s "
        "| floor f32 ns | f64 ns |",
        "|-" * 10 + "|",
    ]
    for threads in (1, THREADS):
        command = [sys.executable, str(SCRIPTS / "floor.py"), "--threads", str(threads)]
        lines = [
            json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            for _ in range(repeats)
        ]
        most = {key: max(line[key] for line in lines) for key in lines[0] if key != "tool"}
        least = {key: min(line[key] for line in lines) for key in lines[0] if key != "tool"}
        cells = [
            *(most.get(f"fma_{t}_gflops", most[f"gemm_2000_{t}_gflops"]) for t in ("float32", "float64")),
            *(most[f"gemm_84x84x16_{t}_gflops"] for t in ("float32", "float64")),
            min(least["numpy_exp_float32_ns"], least.get("libm_exp_float32_ns", 1e9)),
            least["numpy_exp_float64_ns"], most["copy_gb_per_s"],
            least["floor_float32_ns"], least["floor_float64_ns"],
        ]  # fmt: skip
        out.append(f"| {threads} | {' | '.join(digits(float(cell)) for cell in cells)} |")
    return out


def page(found: Found, repeats: int, load: float) -> list[str]:
    """The Markdown page."""
    lines = [
        "# Simulation in time beside other tools",
        "",
        f"`python benchmarks/simulation_peers.py --repeats {repeats}`: reduced Wong-Wang model with "
        f"excitation and inhibition (Deco et al. 2014), 84 regions, 0.1 ms, noise in both populations, BOLD. "
        f"One set on one thread; {SETS} sets on {THREADS} threads ({os.cpu_count()} cores, shared with other "
        f"work: load average {load:.1f} before the run). Median of {repeats} interleaved runs, compilation "
        f"and imports left out; by wall time, and per processor second, where other work on the "
        f"machine hardly counts; Python {platform.python_version()}, {platform.machine()}. Mean rates say "
        "whether tools simulate the same (slow ones run so briefly that theirs have not settled); remarks "
        "say where they cannot. A node-step is one region, one set, one step.",
    ]
    for (delay, sims), results in found.items():
        title = ("with delays (tract length at 4 m/s)" if delay else "without delays") + (
            f", {sims} sets on {THREADS} threads" if sims > 1 else ", one set on one thread"
        )
        lines += ["", f"## {title[0].upper()}{title[1:]}", "", *table(results)]
    lines += [
        "", "## What the machine could do", "",
        "Gflop/s of multiply-adds in registers (two a multiply-add) and of the product of an 84 x 84 with an "
        "84 x 16 matrix, vector exponentials, memory. The floor is the least time of a node-step: 84 "
        "multiply-adds at the first rate and two exponentials at the third, all else free.", "",
        *floors(repeats),
    ]  # fmt: skip
    return lines


def main() -> None:
    """Run all, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--envs", type=Path, required=True, help="folder with one environment per peer")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="names, separated by commas")
    parser.add_argument("--raw", type=Path, help="file to append every result to (one JSON object a line)")
    parser.add_argument("--out", type=Path, help="Markdown file to write")
    given = parser.parse_args()
    names = [name for name in given.only.split(",") if name] or list(PEERS)
    if unknown := set(names) - set(PEERS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(PEERS)}")
    load = os.getloadavg()[0]
    text = "\n".join(page(rounds(names, given.envs, given.repeats, given.raw), given.repeats, load)) + "\n"
    print("\n" + text)
    if given.out:
        given.out.write_text(text)


if __name__ == "__main__":
    main()
