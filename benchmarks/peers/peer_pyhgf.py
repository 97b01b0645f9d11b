"""pyhgf: log-likelihood of many people under the binary filter of three levels, as its authors batch it.

    python peer_pyhgf.py --data FILE.npz --out FILE.npz [--dtype float64] [--alone 100]

`HGFDistribution` holds a compiled function whose first axis is the "number of models to fit in parallel"
(`jit` of `vmap`); parameter sets are more such models, given to it as many at a time as is fastest. Beside
it the same function of one person, compiled once and called person by person. One line of JSON.
"""

import argparse
import json
import os
import time

parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
parser.add_argument("--data", required=True)
parser.add_argument("--out", required=True)
parser.add_argument("--dtype", choices=("float32", "float64"), default="float64")
parser.add_argument("--update", default="standard")
parser.add_argument("--alone", type=int, default=100, help="people fitted one by one")
given = parser.parse_args()
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_ENABLE_X64"] = "1" if given.dtype == "float64" else "0"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])

from importlib.metadata import version  # noqa: E402

import jax  # noqa: E402
import numpy as np  # noqa: E402
from pyhgf.distribution import HGFDistribution, logp  # noqa: E402
from pyhgf.response import binary_softmax_inverse_temperature  # noqa: E402

data = np.load(given.data)
outcome, choice = data["outcome"], data["choice"]
people, trials = outcome.shape
sets = data["omega2"].shape[1]
fixed = {
    "mean_1": 0.0, "precision_1": 1.0, "mean_2": 0.0, "precision_2": 1.0, "mean_3": 1.0, "precision_3": 1.0,
    "tonic_volatility_1": -3.0, "tonic_drift_1": 0.0, "tonic_drift_2": 0.0, "tonic_drift_3": 0.0,
    "volatility_coupling_1": 1.0, "volatility_coupling_2": 1.0, "input_precision": np.inf,
}  # fmt: skip


OF = {
    "model_type": "binary", "n_levels": 3, "update_type": given.update,
    "response_function": binary_softmax_inverse_temperature,
}  # fmt: skip


def batch(u, y):
    """The compiled function of models side by side, of their parameters."""
    known = HGFDistribution(input_data=u, response_function_inputs=y, **OF)

    def run(omega2, theta, zeta):
        got = known.hgf_logp(
            **fixed, tonic_volatility_2=omega2, tonic_volatility_3=theta,
            response_function_parameters=zeta[:, None],
        )  # fmt: skip
        return np.asarray(jax.block_until_ready(got[1])).sum(-1)

    return run


def timed(function, *args):
    """Seconds of wall and of processor time, and result."""
    start = np.array([time.perf_counter(), time.process_time()])
    out = function(*args)
    return np.array([time.perf_counter(), time.process_time()]) - start, out


def all_sets(at_once: int):
    """Every person under every set, `at_once` sets of all people side by side: seconds, result."""
    run, out, total = batch(*(np.repeat(a, at_once, 0) for a in (outcome, choice))), [], 0.0
    for k in range(0, sets, at_once):
        some = [data[n][:, k : k + at_once].reshape(-1) for n in ("omega2", "theta", "zeta")]
        if not k:
            run(*some)  # compiles
        took, got = timed(run, *some)
        total += took
        out.append(got.reshape(people, at_once))
    return total, np.concatenate(out, 1)


one = [data[n][:, 0].copy() for n in ("omega2", "theta", "zeta")]
run = batch(outcome, choice)
first, _ = timed(run, *one)
single, got = timed(run, *one)
line = {
    "tool": f"pyhgf-{version('pyhgf')}", "dtype": given.dtype, "jax": version("jax"), "one_s": list(single),
    "compile_s": (first - single)[0], "many_s": None, "at_once": None,
}  # fmt: skip
np.savez(given.out, one=got)
for at_once in (1, 8):
    took, many = all_sets(at_once)
    if line["many_s"] is None or took[0] < line["many_s"][0]:
        line |= {"many_s": list(took), "at_once": at_once}
        np.savez(given.out, one=got, many=many)
if given.alone:
    template = HGFDistribution(
        input_data=outcome[:1], response_function_inputs=choice[:1], **OF
    ).hgf_logp_grad_op.hgf
    alone = jax.jit(
        lambda u, y, o, h, z: logp(
            **fixed, tonic_volatility_2=o, tonic_volatility_3=h, response_function_parameters=z,
            input_data=u, time_steps=np.ones(trials), hgf=template, response_function_inputs=y,
            response_function=binary_softmax_inverse_temperature,
        ).sum()
    )  # fmt: skip

    def each(count: int) -> np.ndarray:
        rows = ((outcome[i], choice[i], *(a[i] for a in one)) for i in range(count))
        return np.array([float(alone(*row)) for row in rows])

    each(1)
    took, got = timed(each, given.alone)
    line |= {"alone_s": list(took * people / given.alone), "alone_error": float(np.abs(
        got - np.load(given.out)["one"][: given.alone]).max())}  # fmt: skip
print(json.dumps(line), flush=True)
