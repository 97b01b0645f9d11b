"""Draw the windows of development and the age norms: ``docs/img/development.png``.

Run from the repository: ``python tools/draw_development.py``.
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt

from synsys.signaling import development as dev

mpl.use("Agg")
OUT = Path(__file__).parents[1] / "docs" / "img" / "development.png"
SHADES = {"everywhere": "#4d4d4d", "sensory": "#2166ac", "frontal": "#b2182b"}
CTX, SENSORY, FRONTAL = ("cortex", "hippocampus", "amygdala"), ("VIS", "SMN", "A1"), ("PFC", "ACC")
TICKS = (-0.5, 0, 1, 3, 7, 15, 30, 80)
PANELS = {
    "synapses of E cells": [
        ("spine_density", ("E",), SENSORY, "sensory"), ("spine_density", ("E",), FRONTAL, "frontal"),
    ],
    "PV function, decay of GABA-A and NMDA": [
        ("pv_interneuron_function", ("PV",), FRONTAL, "PV, frontal"), ("gabaa_decay", ("PV",), CTX, "GABA-A"),
        ("nmda_decay", ("E",), ("VIS", "SMN", "A1", "hippocampus"), "NMDA, sensory"),
    ],
    "conduction velocity and myelin": [
        ("conduction_velocity", (), (), "velocity"), ("myelination", (), (), "myelin"),
    ],
    "dopamine": [
        ("dopamine_tone", (), FRONTAL, "tone, frontal"), ("d1_density", (), ("striatum",), "D1, striatum"),
        ("d2_density", (), ("striatum",), "D2, striatum"),
    ],
}  # fmt: skip


def stretched(age):
    """Position of an age on the axis: years since conception, compressed."""
    return np.log(np.asarray(age, float) + 1.0)


def place(where):
    """Which of the three classes of region a row belongs to."""
    return "everywhere" if not where else "sensory" if "VIS" in where else "frontal"


def axis(ax, start):
    """The common age axis from age `start`, birth marked."""
    ticks = [t for t in TICKS if t >= start]
    ax.set_xlim(stretched(start), stretched(80))
    ax.set_xticks(stretched(ticks), [f"{t:g}" for t in ticks])
    ax.axvline(stretched(0), color="#bbbbbb", lw=0.8, zorder=0)
    ax.spines[["top", "right"]].set_visible(False)


def main():
    """Draw and save."""
    ages = np.exp(np.linspace(stretched(-0.73), stretched(80), 1200)) - 1.0
    rows = [w for w in dev.windows() if w.offset is not None]
    names = list(dict.fromkeys(w.process for w in rows))
    fig, axes = plt.subplot_mosaic(
        [["windows", name] for name in PANELS], figsize=(11, 8), width_ratios=(1.25, 1), layout="constrained"
    )
    ax = axes["windows"]
    for row in rows:
        base = len(names) - 1 - names.index(row.process)
        kind = place(row.where)
        w = dev.rate(row.process, ages, row.where)
        ax.plot(stretched(ages), base + 0.85 * w, color=SHADES[kind], lw=1.2)
        if kind == "everywhere":
            ax.fill_between(stretched(ages), base, base + 0.85 * w, color="#e6e6e6", zorder=0)
    ax.set_yticks(range(len(names)), [name.replace("_", " ") for name in reversed(names)])
    ax.set_title("rate of developmental processes", loc="left")
    for kind, colour in SHADES.items():
        ax.plot([], [], color=colour, label=kind)
    ax.legend(frameon=False, loc="upper right", fontsize=8)
    axis(ax, -0.73)
    ax.set_xlabel("age, years from birth")
    for title, lines in PANELS.items():
        ax = axes[title]
        born = ages[ages >= 0]
        for quantity, cell, where, label in lines:
            ax.plot(stretched(born), dev.curve(quantity, born, cell, where), lw=1.4, label=label)
        ax.axhline(1, color="#bbbbbb", lw=0.8, zorder=0)
        ax.plot(stretched(dev.REFERENCE_AGE), 1, "o", color="#222222", ms=4)
        ax.set_title(f"{title} (adult = 1)", loc="left", fontsize=10)
        ax.legend(frameon=False, fontsize=8, loc="upper right" if title == "dopamine" else "best")
        axis(ax, 0)
    ax.set_xlabel("age, years from birth")
    fig.savefig(OUT, dpi=110)


if __name__ == "__main__":
    main()
