"""Picture and numbers of the plasticity page: published curve, memory times, probes, trade-off.

    python benchmarks/plasticity.py [--out docs/img/plasticity.png]

Prints the numbers that docs/plasticity.md quotes; with --out also draws the picture.
"""

import argparse
import csv
import time
from pathlib import Path

import numpy as np

from synsys.knowledge.plasticity import plasticity_set
from synsys.synapse.background import decay_time, retention_time, trade_off
from synsys.synapse.graupner_brunel import outcome, spike_pairs
from synsys.synapse.probe import LTP_PROTOCOL, probe

PUBLISHED = Path(__file__).parents[1] / "tests" / "synapse" / "stdp_dp.csv"
INTERVALS = np.arange(-100.0, 101.0)
RATES = np.geomspace(0.05, 10, 40)
FOLDS = np.geomspace(0.25, 4, 121)
GAINS = np.geomspace(0.3, 3, 61)
PROBED = {
    "nmda": ("NMDA receptors", "#1b6ca8"),
    "trkb_activity": ("TrkB", "#d1495b"),
    "akt_mtor_activity": ("Akt-mTOR", "#66a182"),
    "gsk3b_activity": ("GSK3-beta", "#8d6a9f"),
    "cav": ("CaV1.2", "#edae49"),
    "calcium": ("all calcium", "#333333"),
}
DAY = 86400.0
LONGEST = 1e5
"""Days; longer retention is drawn at this level."""


def curve(name: str) -> np.ndarray:
    """Strength ratio over `INTERVALS`."""
    return np.array([float(outcome(plasticity_set(name), spike_pairs(dt)).ratio) for dt in INTERVALS])


def report() -> None:
    """Print what the page quotes."""
    ratio = curve("DP")
    print(
        f"DP: max {ratio.max():.3f} at {INTERVALS[ratio.argmax()]:+.0f} ms, "
        f"min {ratio.min():.3f} at {INTERVALS[ratio.argmin()]:+.0f} ms, ends {ratio[0]:.3f} {ratio[-1]:.3f}"
    )
    for name in ("cortical slices", "cortex in vivo"):
        chosen = plasticity_set(name)
        print(f"{name}: decay time at 1 Hz {float(decay_time(chosen, 1.0)):.0f} s, "
              f"bistable retention {retention_time(chosen, 1.0) / DAY:.3g} days")  # fmt: skip
    healthy = probe()
    print(
        f"health: LTP {healthy.ltp_percent:.1f} % early, {healthy.ltp_late_percent:.1f} % late; "
        f"LTD {healthy.ltd_percent:.1f} %"
    )
    print(
        "elasticity at health (d ln fold / d ln argument): early LTP, late LTP, LTD; late LTP at 0.7 and 1.5"
    )
    for name in ("nmda", "cav", "calcium", "rate", "camkii", "pka_activity", "erk_activity", "trkb_activity",
                 "akt_mtor_activity", "gsk3b_activity", "plasticity_gene_expression"):  # fmt: skip
        up, down, low, high = (probe(**{name: fold}) for fold in (1.1, 1 / 1.1, 0.7, 1.5))
        slopes = [
            np.log(getattr(up, r) / getattr(down, r)) / np.log(1.21) for r in ("ltp_early", "ltp", "ltd")
        ]
        print(f"  {name}: " + ", ".join(f"{s:+.2f}" for s in slopes) + f"; {low.ltp:.2f}, {high.ltp:.2f}")
    regions = np.full(145, 0.8)
    best = np.inf
    for _ in range(100):
        start = time.perf_counter()
        probe(regions, cav=regions, trkb_activity=regions)
        best = min(best, time.perf_counter() - start)
    print(f"145 regions: {1e3 * best:.2f} ms")


def draw(out: Path) -> None:
    """Four panels."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(10, 7.4), layout="constrained")
    with PUBLISHED.open() as file:
        published = np.array([[float(cell) for cell in row.values()] for row in csv.DictReader(file)])
    stdp, memory, probed, balance = axes.ravel()

    stdp.plot(INTERVALS, curve("DP"), color="#1b6ca8", label="closed form")
    stdp.plot(*published.T, "o", ms=4, color="#d1495b", label="simulation of the authors")
    stdp.axhline(1, color="0.7", lw=0.8, zorder=0)
    stdp.set(xlabel="post minus pre (ms)", ylabel="strength after / before", title="60 pairs at 1 Hz, set DP")
    stdp.legend(frameon=False)

    for name, color in (("cortical slices", "#edae49"), ("cortex in vivo", "#1b6ca8")):
        chosen = plasticity_set(name)
        memory.loglog(RATES, decay_time(chosen, RATES) / DAY, color=color, label=f"{name}, flat")
        bistable = np.array([retention_time(chosen, rate) for rate in RATES]) / DAY
        memory.loglog(RATES, np.minimum(bistable, LONGEST), "--", color=color, label=f"{name}, bistable")
    memory.set(xlabel="background rate (Hz)", ylabel="memory time (days)", ylim=(1e-5, LONGEST),
               title="Memory under background firing")  # fmt: skip
    memory.legend(frameon=False, fontsize=8)

    for name, (label, color) in PROBED.items():
        probed.semilogx(FOLDS, probe(**{name: FOLDS}).ltp, color=color, label=label)
    probed.plot(1, 1, "o", ms=5, color="0.2")
    probed.set(xlabel="fold of health", ylabel="lasting LTP / health", ylim=(0, 2), title="LTP probe")
    probed.set_xticks([0.25, 0.5, 1, 2, 4], ["0.25", "0.5", "1", "2", "4"])
    probed.minorticks_off()
    probed.legend(frameon=False, fontsize=8)

    offs = [trade_off(plasticity_set("cortex in vivo"), LTP_PROTOCOL, gain) for gain in GAINS]
    balance.semilogx(GAINS, [off.stability for off in offs], color="#66a182", label="keeps for a month")
    balance.semilogx(GAINS, [off.flexibility for off in offs], color="#edae49", label="relearns in 10 s")
    balance.semilogx(GAINS, [off.index for off in offs], color="0.2", lw=2.5, label="index: both", zorder=0)
    balance.set(xlabel="calcium per spike, fold of health", ylabel="probability",
                title="Stability against flexibility")  # fmt: skip
    balance.set_xticks([0.3, 0.5, 1, 2, 3], ["0.3", "0.5", "1", "2", "3"])
    balance.minorticks_off()
    balance.legend(frameon=False, fontsize=8)
    for axis in axes.ravel():
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(out, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    report()
    if arguments.out:
        draw(arguments.out)


if __name__ == "__main__":
    main()
