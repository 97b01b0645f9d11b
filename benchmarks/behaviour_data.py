"""Models of behaviour on real data: three public studies, development halves.

    python benchmarks/behaviour_data.py [--only rlwm,patients,reversal,twostep,calibration] [--out FILE.md]

Data: `SYNSYS_DEV_DATA` (default ../shared). One part a run can be asked for; with --out each part is written
to FILE_<part>.md and FILE.md joins those that are there. Nothing here tunes a model: priors are those of the
package, and what is found is printed whatever it is.
"""

# ruff: noqa: E402
import argparse
import os
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np
from _behaviour import table
from _behaviour_online import reversal_part, twostep_part
from _behaviour_rlwm import patients_part, rlwm_part

from synsys.mind.environments import simulate
from synsys.mind.group import fit_group
from synsys.mind.models import models


def calibration_part(folder: Path | None, repeats: int = 100) -> list[str]:
    """Simulated groups with a planted difference in one parameter and none in the others."""
    model, z, settled = models()["q_dual_sticky"], [], 0
    label, truth = np.repeat([0.0, 1.0], 25), np.array([0.0, 0.0, 0.5, 0.0])
    for seed in range(repeats):
        rng = np.random.default_rng(1000 + seed)
        mean = np.array([-0.5, -1.0, 1.2, 0.3]) + np.outer(label, truth)
        theta = mean + np.array([0.8, 0.8, 0.4, 0.5]) * rng.standard_normal((len(label), 4))
        played = simulate(model, theta, rng, trials=120)
        found = fit_group(model, played, {"group": label}, samples=400, seed=seed)
        z.append((found.coefficient[1] - truth) / found.error[1])
        settled += found.settled
    scores = np.array(z)
    rows = [
        [n, f"{truth[k]:.1f}", f"{scores[:, k].mean():+.2f}", f"{scores[:, k].std(ddof=1):.2f}",
         f"{100 * (np.abs(scores[:, k]) < 1.96).mean():.0f} %"]
        for k, n in enumerate(model.names)
    ]  # fmt: skip
    return [
        "## Standard errors of group differences",
        "",
        f"{repeats} simulated studies, two groups of 25, 120 trials, q_dual_sticky; settled: {settled}.",
        "",
        *table(["parameter", "true difference", "mean z", "sd of z (1)", "95 % intervals cover"], rows),
    ]


PARTS = {
    "rlwm": rlwm_part, "patients": patients_part, "reversal": reversal_part, "twostep": twostep_part,
    "calibration": calibration_part,
}  # fmt: skip


def main() -> None:
    """Run the parts asked for, join what is there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    for name in given.only.split(","):
        lines = PARTS[name](given.out.parent if given.out else None)
        print("\n".join(lines), flush=True)
        if given.out:
            given.out.with_name(f"{given.out.stem}_{name}.md").write_text("\n".join(lines) + "\n")
    if given.out:
        there = [given.out.with_name(f"{given.out.stem}_{name}.md") for name in PARTS]
        text = "\n".join(path.read_text() for path in there if path.exists())
        given.out.write_text(
            f"# Models of behaviour on real data\n\n`python benchmarks/behaviour_data.py`.\n\n{text}"
        )


if __name__ == "__main__":
    main()
