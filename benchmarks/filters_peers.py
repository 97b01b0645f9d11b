"""Hierarchical Gaussian filters: equal to the reference, and how fast beside pyhgf and NumPy, in one run.

    python benchmarks/peers/install.py --into DIR --only pyhgf
    python benchmarks/filters_peers.py --envs DIR [--repeats 3] [--out FILE.md]

Bar: the reference of TAPAS to 1e-9 on every trial; log-likelihoods of 1,000 people x 300 trials under 1 and
under 64 parameter sets each, ten times faster a person than pyhgf in its own environment and than a port to
NumPy. All compute the filter of three levels with the unit-square sigmoid, in double precision, on one
processor, one process after the other, `--repeats` rounds of all; medians, compilation apart. pyhgf is run
as its authors run groups (`HGFDistribution`: jit of vmap over people) and person by person with the compiled
function. The port in NumPy is the loop below, on some people and scaled up; `plain` is the model's own
functions on arrays of people (`synsys.mind.scan.plain`).
"""

# ruff: noqa: E402
import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np

PEOPLE, TRIALS, SETS = 1000, 300, 64
FEW = 20
"""People of the loop in NumPy; it is linear in their number."""
LIMIT = 1e-6
"""Least probability of an answer in pyhgf, and its complement the most."""
VALIDATION = (
    Path(os.environ.get("SYNSYS_DEV_DATA", Path(__file__).resolve().parents[1].parent / "shared"))
    / "validation"
)


def ported(u: np.ndarray, y: np.ndarray, omega2: float, theta: float, zeta: float) -> float:
    """Log-likelihood of one person: the equations of the filter (Mathys et al. 2011), trial by trial."""
    mu2, sa2, mu3, sa3, total = 0.0, 1.0, 1.0, 1.0, 0.0
    for k in range(len(u)):
        m1 = 1.0 / (1.0 + np.exp(-mu2))
        a, b = m1**zeta, (1.0 - m1) ** zeta
        total += np.log((a if y[k] == 1 else b) / (a + b))
        v = np.exp(mu3 + omega2)
        pihat2, pihat3 = 1.0 / (sa2 + v), 1.0 / (sa3 + theta)
        pi2 = pihat2 + m1 * (1.0 - m1)
        new2 = mu2 + (u[k] - m1) / pi2
        d = (1.0 / pi2 + (new2 - mu2) ** 2) * pihat2 - 1.0
        w, r = v * pihat2, (v - sa2) * pihat2
        pi3 = pihat3 + 0.5 * w * (w + r * d)
        mu3 = mu3 + 0.5 / pi3 * w * d
        mu2, sa2, sa3 = new2, 1.0 / pi2, 1.0 / pi3
    return float(total)


def timed(function: Callable[[], Any]) -> tuple[np.ndarray, Any]:
    """Seconds of wall and of processor time, and result."""
    start = np.array([time.perf_counter(), time.process_time()])
    out = function()
    return np.array([time.perf_counter(), time.process_time()]) - start, out


def world(path: Path) -> None:
    """People in a changing world and parameter sets, from the middle of the prior."""
    rng = np.random.default_rng(0)
    p = np.where((np.arange(TRIALS) // 40) % 2 == 0, 0.8, 0.2)
    outcome = (rng.random((PEOPLE, TRIALS)) < p).astype(float)
    choice = (rng.random((PEOPLE, TRIALS)) < 0.1 + 0.8 * p).astype(float)
    shape = (PEOPLE, SETS)
    np.savez(
        path, outcome=outcome, choice=choice, omega2=-3.0 + 0.5 * rng.standard_normal(shape),
        theta=-6.0 + 0.5 * rng.standard_normal(shape), zeta=np.exp(1.0 + 0.5 * rng.standard_normal(shape)),
    )  # fmt: skip


def own(path: Path, out: Path) -> dict:
    """Ours, in NumPy, and the port, in this process on one processor."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    from synsys.mind.models import models
    from synsys.mind.scan import log_likelihood, plain, trajectory
    from synsys.mind.trials import Trials

    data = dict(np.load(path))
    begins = np.zeros((PEOPLE, TRIALS), bool)
    begins[:, 0] = True
    columns = {"outcome": data["outcome"], "choice": data["choice"], "interval": np.ones((PEOPLE, TRIALS))}
    trials = Trials(tuple(map(str, range(PEOPLE))), columns, np.full(PEOPLE, TRIALS), begins)
    model = models()["hgf"]
    theta = np.stack([data["omega2"], data["theta"], np.log(data["zeta"])], -1)
    first, _ = timed(lambda: log_likelihood(model, trials, theta[:, :1]))
    one = median_of(lambda: log_likelihood(model, trials, theta[:, :1]), 5)
    again, _ = timed(lambda: log_likelihood(model, trials, theta))
    many = median_of(lambda: log_likelihood(model, trials, theta), 3)
    whole = log_likelihood(model, trials, theta)
    side, flat = timed(lambda: plain(model, trials, theta[:, 0])[0])

    def loop() -> list[float]:
        rows = zip(
            data["outcome"],
            data["choice"],
            *(data[n][:, 0] for n in ("omega2", "theta", "zeta")),
            strict=True,
        )
        with np.errstate(all="ignore"):
            return [
                ported(u, y, o, np.exp(h), z) for (u, y, o, h, z), _ in zip(rows, range(FEW), strict=False)
            ]

    slow, port = timed(loop)
    enhanced = log_likelihood(models()["ehgf"], trials, theta)
    log_p = trajectory(model, trials, theta[:, 0])["log_p"]
    inside = ((log_p > np.log(LIMIT)) & (log_p < np.log1p(-LIMIT))).all(1)
    np.savez(out, one=whole[:, 0], many=whole, port=port, plain=flat, enhanced=enhanced, inside=inside)
    return {
        "one_s": list(one), "many_s": list(many), "compile_s": float(first[0] + again[0] - one[0] - many[0]),
        "plain_s": list(side), "port_s": list(slow * PEOPLE / FEW),
    }  # fmt: skip


def median_of(function: Callable[[], Any], times: int) -> np.ndarray:
    """Median seconds, wall and processor."""
    return np.median([timed(function)[0] for _ in range(times)], 0)


def references() -> list[str]:
    """Largest difference from TAPAS, on any trial, of anything it gives."""
    from synsys.mind import hgf

    out = []
    for name, enhanced in (("hgf", False), ("ehgf", True)):
        path = VALIDATION / f"{name}_tapas_reference.csv"
        if not path.exists():
            out.append(f"| {name} | no reference at hand |  |")
            continue
        reference = np.loadtxt(path, delimiter=",")
        p, worst = SimpleNamespace(**hgf.DEFAULTS), 0.0
        s = SimpleNamespace(**hgf.binary_start(p))
        for row in reference:
            hat = hgf.binary_prediction(s, p)
            s = SimpleNamespace(**hgf.binary_update(s, row[0], p, enhanced=enhanced))
            got = [s.mu2, s.mu3, 1 / s.pi2, 1 / s.pi3, hat.muhat1, hat.muhat2, hat.muhat3]
            worst = max(worst, float(np.abs(np.array(got) - row[[1, 2, 4, 5, 6, 7, 8]]).max()))
        out.append(f"| {name} | {len(reference)} | {worst:.1e} |")
    return out


def main() -> None:
    """Run all, compare, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--envs", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--own", nargs=2, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.own:
        print(json.dumps(own(*given.own)))
        return
    load = os.getloadavg()[0]
    mine: list[dict] = []
    peer: dict[str, list[dict]] = {"float64": [], "float32": []}
    script = Path(__file__).parent / "peers" / "peer_pyhgf.py"
    ask = [str(given.envs / "pyhgf" / "bin" / "python"), str(script)]
    with tempfile.TemporaryDirectory() as folder:
        data, got, other, third = (Path(folder) / n for n in ("data.npz", "own.npz", "pyhgf.npz", "e.npz"))
        world(data)
        for _ in range(given.repeats):
            mine.append(
                _line([sys.executable, __file__, "--envs", str(given.envs), "--own", str(data), str(got)])
            )
            for dtype, lines in peer.items():
                told = other if dtype == "float64" else Path(folder) / "single.npz"
                alone = "200" if dtype == "float64" else "0"
                asked = ["--data", str(data), "--out", str(told), "--dtype", dtype, "--alone", alone]
                lines.append(_line([*ask, *asked]))
        _line([*ask, "--data", str(data), "--out", str(third), "--update", "eHGF", "--alone", "0"])
        ours, theirs, enhanced = dict(np.load(got)), dict(np.load(other)), dict(np.load(third))
    a, b = ours["many"], theirs["many"]
    both = np.isfinite(a) & np.isfinite(b)
    apart = np.abs(a[both] - b[both])
    within = np.abs(ours["one"] - theirs["one"])[ours["inside"]].max()
    with np.errstate(invalid="ignore"):
        other_enhanced = ours["enhanced"] - enhanced["many"]
    other_enhanced = np.abs(other_enhanced[np.isfinite(other_enhanced)])
    port = np.abs(ours["port"] - ours["one"][:FEW])

    def middle(lines: list[dict], key: str) -> np.ndarray:
        return np.array([median(line[key][k] for line in lines) for k in (0, 1)])

    own_one, own_many = middle(mine, "one_s"), middle(mine, "many_s")
    rows = []

    def row(name: str, seconds: np.ndarray, sets: int, compiled: float | None) -> None:
        base = own_one if sets == 1 else own_many
        per = seconds * 1e6 / PEOPLE / sets
        ratio = ["-", "-"] if seconds is base else [f"{a:.1f}x" for a in seconds / base]
        rows.append(
            f"| {name} | {sets} | {seconds[0]:.4g} | {per[0]:.3g} | {per[1]:.3g} | {ratio[0]} | {ratio[1]} "
            f"| {'-' if compiled is None else f'{compiled:.1f}'} |"
        )

    tool, double, single = peer["float64"][0], peer["float64"], peer["float32"]
    at_once = sorted({str(line["at_once"]) for line in double})
    compile_own = median(line["compile_s"] for line in mine)
    compile_peer = median(line["compile_s"] for line in double)
    row("synsys", own_one, 1, compile_own)
    row(f"{tool['tool']}, group side by side", middle(double, "one_s"), 1, compile_peer)
    row(f"{tool['tool']}, the same in single precision", middle(single, "one_s"), 1, None)
    row(f"{tool['tool']}, person by person (compiled)", middle(double, "alone_s"), 1, None)
    row("NumPy, people side by side (`plain`)", middle(mine, "plain_s"), 1, None)
    row(f"NumPy, loop over trials ({FEW} people, scaled)", middle(mine, "port_s"), 1, None)
    row("synsys", own_many, SETS, None)
    row(f"{tool['tool']}, group side by side", middle(double, "many_s"), SETS, None)
    row(f"{tool['tool']}, the same in single precision", middle(single, "many_s"), SETS, None)
    row("NumPy, people side by side (`plain`), scaled", SETS * middle(mine, "plain_s"), SETS, None)
    lines = [
        "# Hierarchical Gaussian filters beside a reference and other tools",
        "",
        f"`python benchmarks/filters_peers.py --repeats {given.repeats}`.",
        "",
        "## Equal to TAPAS",
        "",
        "| filter | trials | largest difference of anything on any trial (bar 1e-9) |",
        "|-|-|-|",
        *references(),
        "",
        "## Speed",
        "",
        f"{PEOPLE:,} people x {TRIALS} trials, filter of three levels, unit-square sigmoid, double "
        f"precision, one processor (shared with other work: load average {load:.1f} before the run; ratios "
        f"of processor time depend on it least). Median of {given.repeats} interleaved rounds; compilation "
        f"apart (once a model). JAX {tool['jax']}, Python {platform.python_version()}, "
        f"{platform.machine()}; pyhgf is given {' or '.join(at_once)} of the {SETS} sets at once (the faster "
        "of 1 and 8).",
        "",
        "| tool | sets | s | us a person and set | processor us | synsys is faster by | by processor time "
        "| compile s |",
        "|-|-|-|-|-|-|-|-|",
        *rows,
        "",
        "## The same is computed",
        "",
        f"Log-likelihoods of {PEOPLE:,} people x {SETS} sets: finite in both {100 * both.mean():.2f} %, in "
        f"synsys alone {100 * (np.isfinite(a) & ~np.isfinite(b)).mean():.2f} %, in pyhgf alone "
        f"{100 * (~np.isfinite(a) & np.isfinite(b)).mean():.2f} %. Difference from pyhgf: median "
        f"{np.median(apart):.1e}, {100 * (apart > 1e-6).mean():.1f} % above 1e-6, because pyhgf holds the "
        "probability of an answer between 1e-6 and 1 - 1e-6 and synsys does not: in the "
        f"{ours['inside'].sum()} of {PEOPLE:,} people (first set) where none is beyond, the largest is "
        f"{within:.1e}. From the loop in NumPy: {port.max():.1e}. The enhanced filter of pyhgf is not "
        "that of TAPAS (its precision of the third level is not taken at the new mean): its log-likelihoods "
        f"differ from those of synsys, which equals TAPAS, by {np.median(other_enhanced):.1e} at the median.",
    ]
    print("\n".join(lines))
    if given.out:
        given.out.write_text("\n".join(lines) + "\n")


def _line(command: list[str]) -> dict:
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    found = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not found:
        raise SystemExit(f"{command[1]}: {(done.stderr.strip() or 'printed nothing')[-600:]}")
    return json.loads(found[-1])


if __name__ == "__main__":
    main()
