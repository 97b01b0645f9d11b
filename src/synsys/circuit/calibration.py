"""The calibration ensemble: conductance factors that meet the healthy facts.

Written by ``tools/calibrate.py``; each row of ``calibration_<group>.csv`` is one accepted member, with
the facts that it reaches beside the logarithms of its factors.
"""

from functools import cache
from importlib import resources

import pandas as pd

GROUPS = ("cortex", "hippocampus")


@cache
def ensemble(group: str) -> pd.DataFrame:
    """Accepted members of a group: columns of facts and of log factors (their names hold a colon)."""
    path = resources.files("synsys.circuit") / f"calibration_{group}.csv"
    with path.open(encoding="utf-8") as handle:
        return pd.read_csv(handle)


def members() -> int:
    """How many members the ensemble has: those of cortex; shorter groups are cycled through."""
    return len(ensemble("cortex"))


def member(k: int) -> dict[str, float]:
    """Logarithm of the factor on each calibrated conductance, member `k` modulo the ensemble."""
    out: dict[str, float] = {}
    for group in GROUPS:
        table = ensemble(group)
        row = table.iloc[k % len(table)]
        out.update({str(c): float(row[c]) for c in table.columns if ":" in c})
    return out
