"""What the machine can do at most: multiply-adds, small matrix products, exponentials, memory; prints JSON.

    python benchmarks/peers/floor.py [--threads 1]

Needs numpy; with a C compiler (cc) also the register-only multiply-add peak and the exponential of libm.
A node-step of the peers' task needs 84 multiply-adds for coupling and two exponentials, so `floor_ns` is the
least time of one node-step by these rates, all else free.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

NODES, SETS = 84, 16
C = r"""
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
typedef float vf __attribute__((vector_size(64)));
typedef double vd __attribute__((vector_size(64)));
#define N 50000000L
#define FMA(NAME, V, E) static void *NAME(void *out) { V a[12]; \
  for (int i = 0; i < 12; i++) a[i] = (V){0} + (E)i; V x = (V){0} + (E)0.999999, y = (V){0} + (E)1e-6; \
  for (long k = 0; k < N; k++) for (int i = 0; i < 12; i++) a[i] = a[i] * x + y; \
  V z = a[0]; for (int i = 1; i < 12; i++) z += a[i]; *(double *)out = z[0]; return out; }
FMA(single_, vf, float)
FMA(double_, vd, double)
static double now(void) {
  struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + 1e-9 * t.tv_nsec; }
static double rate(void *(*f)(void *), int threads, int lanes) {
  pthread_t id[64]; double out[64], start = now();
  for (int i = 0; i < threads; i++) pthread_create(id + i, 0, f, out + i);
  for (int i = 0; i < threads; i++) pthread_join(id[i], 0);
  return 24.0 * N * lanes * threads / (now() - start) / 1e9; }
static float x[1344], y[1344];
int main(int argc, char **argv) {
  int threads = atoi(argv[1]); double s = rate(single_, threads, 16), d = rate(double_, threads, 8);
  for (int i = 0; i < 1344; i++) x[i] = -5 + i * 0.0074f;
  double start = now();
  for (int k = 0; k < 20000; k++) { for (int i = 0; i < 1344; i++) y[i] = expf(x[i]); x[k % 1344] += 1e-6f; }
  printf("%.1f %.1f %.3f %g", s, d, (now() - start) / 20000 / 1344 * 1e9, (double)y[7]); return 0; }
"""


def best(call: Callable[[], object], repeats: int = 5) -> float:
    """Least wall seconds of a call: the machine may be shared."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return min(taken)


def many(call: Callable, *given: object, out: object, times: int = 5000) -> float:
    """Seconds of one short call that writes into `out`."""
    return best(lambda: [call(*given, out=out) for _ in range(times)]) / times


def compiled(threads: int) -> dict[str, float]:
    """Multiply-add peak (Gflop/s) and exponentials by a C program; empty without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder) / "floor.c", Path(folder) / "floor"
        source.write_text(C)
        flags = ["-O3", "-march=native", "-ffast-math", "-ffp-contract=fast", "-pthread"]
        subprocess.run([compiler, *flags, str(source), "-o", str(program), "-lm"], check=True)
        lines = [
            subprocess.run([program, str(threads)], capture_output=True, text=True, check=True).stdout
            for _ in range(3)
        ]
    rows = [[float(x) for x in line.split()] for line in lines]
    return {
        "fma_float32_gflops": max(r[0] for r in rows), "fma_float64_gflops": max(r[1] for r in rows),
        "libm_exp_float32_ns": min(r[2] for r in rows),
    }  # fmt: skip


def arrays() -> dict[str, float]:
    """Matrix products, exponentials and memory through numpy."""
    import numpy as np

    out: dict[str, float] = {}
    rng = np.random.default_rng(0)
    for dtype in ("float32", "float64"):
        big = rng.random((2000, 2000)).astype(dtype)
        out[f"gemm_2000_{dtype}_gflops"] = 2 * 2000**3 / best(lambda m=big: m @ m) / 1e9
        w, s = rng.random((NODES, NODES)).astype(dtype), rng.random((NODES, SETS)).astype(dtype)
        seconds = many(np.dot, w, s, out=np.empty_like(s))
        out[f"gemm_84x84x16_{dtype}_gflops"] = 2 * NODES * NODES * SETS / seconds / 1e9
        x = np.linspace(-5, 5, NODES * SETS).astype(dtype)
        out[f"numpy_exp_{dtype}_ns"] = many(np.exp, x, out=np.empty_like(x)) / x.size * 1e9
    a, b = np.ones(2**26), np.empty(2**26)
    out["copy_gb_per_s"] = 2 * a.nbytes / best(lambda: np.copyto(b, a)) / 1e9
    return out


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    for name in ("OMP", "OPENBLAS", "MKL"):  # before numpy is imported
        os.environ[f"{name}_NUM_THREADS"] = str(given.threads)
    found = {**arrays(), **compiled(given.threads)}
    for dtype in ("float32", "float64"):
        peak = max(found.get(f"fma_{dtype}_gflops", 0.0), found[f"gemm_2000_{dtype}_gflops"])
        exps = min(found[f"numpy_exp_{dtype}_ns"], found.get(f"libm_exp_{dtype}_ns", float("inf")))
        found[f"floor_{dtype}_ns"] = 2 * NODES / peak + 2 * exps / given.threads
    shown = {key: float(f"{value:.4g}") for key, value in found.items()}
    print(
        json.dumps({"tool": "floor", "threads": given.threads, **shown, "load": round(os.getloadavg()[0], 1)})
    )


if __name__ == "__main__":
    main()
