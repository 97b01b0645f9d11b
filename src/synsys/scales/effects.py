"""Effects: reference, people and perturbed draws compared readout by readout."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from synsys.brain.modulation import path_from
from synsys.core.errors import UserError
from synsys.core.perturbation import Perturbation
from synsys.core.schema import OBSERVATIONS, STATES
from synsys.knowledge.load import vocabulary
from synsys.knowledge.mechanisms import inference_links
from synsys.knowledge.symptoms import SymptomTable, symptoms
from synsys.measures.standing import CALIBRATED, DISTANCES
from synsys.measures.systems import graph_nulls, graph_readouts, system_fc
from synsys.mind.standing import DEPENDS, LEARNED, OBSERVER, PERFORMANCE, wired
from synsys.mind.symptoms import Change, lost, read_symptoms
from synsys.scales.people import LEAST_PEOPLE, effect_size, spread
from synsys.scales.runs import Outcome, Runner

LEAST_STABLE = 0.5
"""Share of draws that must stay stable for effects to be reported."""
SYMPTOM_UNIT = "healthy sd"
METRIC = {
    "betweenness": "hub_betweenness",
    "assortativity": "assortativity_strength",
    "network_vulnerability": "",
}
"""Graph metric behind a readout of another name; that of network_vulnerability is not one (it is 1 / margin
of stability), though a graph metric is called the same."""


class Effects:
    """Table of effects and the draws behind it."""

    def __init__(self, table: pd.DataFrame, draws: xr.Dataset, touched: dict[str, float]) -> None:
        self.table, self.draws, self.touched = table, draws, touched


class Healthy:
    """Healthy references and people, measured once for every set of perturbations.

    Parameters
    ----------
    runner : Runner
    reference, people : list of Outcome
        One per draw.
    table : SymptomTable, optional
        How symptoms are read; the one that comes with the package by default.
    """

    def __init__(
        self,
        runner: Runner,
        reference: list[Outcome],
        people: list[Outcome],
        table: SymptomTable | None = None,
    ) -> None:
        self.runner, self.reference, self.people = runner, reference, people
        self.table = table or symptoms()
        self._nulls: dict[int, pd.DataFrame] = {}

    @cached_property
    def values(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Readouts of reference and people, one row per draw, graph metrics included."""
        return measured(self.runner, self.reference), measured(self.runner, self.people)

    @cached_property
    def systems(self) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
        """Connectivity of named systems in reference and people, by way of observing it."""
        both = self.reference, self.people
        return {way: (_systems(self.runner, both[0], way), _systems(self.runner, both[1], way))
                for way in OBSERVATIONS}  # fmt: skip

    def nulls(self, k: int) -> pd.DataFrame | None:
        """Graph metrics of the reference of draw `k` against nulls; None if it is unstable."""
        fc = self.reference[k].fc
        if fc is not None and k not in self._nulls:
            self._nulls[k] = graph_nulls(fc.astype(float), self.runner.atlas, seed=self.runner.seed)
        return self._nulls.get(k)


def effects(runner: Runner, changes: Sequence[Perturbation], healthy: Healthy,
            perturbed: list[Outcome]) -> Effects:  # fmt: skip
    """Effect of a set of perturbations on every readout and every molecule that the tables move.

    A readout is wired if rows of the tables alone lead to it or to a quantity that it restates
    (`brain.modulation.path_from`, `measures.standing.RESTATED`), else it emerges.

    Effect size d = effect / between-person sd; P(sign) = (n + 1/2) / (N + 1) with n draws in which the
    effect is positive. Ratio quantities are compared as logarithms of ratios, others as differences.

    Symptoms come last: they are read from the effects on other readouts (`mind.symptoms`). One is wired if
    readouts that hold half of its weight are.
    """
    reference = healthy.reference
    before, people = healthy.values
    people, after = (frame.reindex(columns=before.columns) for frame in (people, measured(runner, perturbed)))
    moved = pd.DataFrame([o.touched for o in perturbed])
    inputs = {c.name for c in changes}
    moved = moved.reindex(columns=[*moved.columns, *sorted(inputs - {*moved.columns})])
    moved = moved.fillna({name: vocabulary()[name].rest for name in moved.columns})
    grades = path_from(changes)
    worst = (
        max([grades[name] for name in moved.columns if name in grades] + ["B"]) if len(moved.columns) else "B"
    )
    enough = np.mean([o.stable for o in perturbed]) >= LEAST_STABLE
    rows, kept, changes_of, values = {}, {}, {}, {}
    tasked = np.arange(len(perturbed)) < runner.tasks
    for name in [*dict.fromkeys([*moved.columns, *before.columns])]:
        quantity_row = vocabulary().get(name)
        if quantity_row is None or (
            name not in before and quantity_row.kind == "perturbation" and name not in inputs
        ):
            continue
        if name in before and name not in inputs:
            b, a, p = (frame[name].to_numpy(float) for frame in (before, after, people))
            if name in DISTANCES:
                p = np.full(len(a), np.nan)  # nobody is away from their own health
            told = wired(name, grades, healthy.table, runner.alternative)
            origin = "by construction" if name in DISTANCES else "wired" if told else "emergent"
        else:
            a = moved[name].to_numpy(float)
            b = np.full(len(a), quantity_row.rest)
            p = np.full(len(a), np.nan)
            origin = "input" if name in inputs else "wired"
        if not enough and origin != "input":
            a = np.full(len(a), np.nan)
        grade = grades.get(name, worst) if origin != "emergent" else worst
        grade = max(grade, _INFERRED) if quantity_row.level == "inference" and origin != "input" else grade
        rows[name] = effect_row(name, b, a, p, origin, grade)
        kept[name] = (b, a)
        changes_of[name] = difference(name, b, a, p).where(tasked)
        values[name] = (b, a, p)
    for name, change in read_symptoms(healthy.table, lost(changes_of, values), spread).items():
        known = [row for row in healthy.table.rows[name] if row.source in rows]
        told = wired(name, grades, healthy.table, runner.alternative, rows)
        origin = "wired" if told else "emergent"
        zero = np.where(tasked & [o.stable for o in reference], 0.0, np.nan)
        grade = max([rows[r.source]["grade"] for r in known] + [str(r.grade) for r in known])
        rows[name] = effect_row(name, zero, change.patient, change.people, origin, grade)
        kept[name] = (zero, change.patient)
    table = pd.DataFrame.from_dict(rows, orient="index")
    draws = xr.Dataset(
        {
            "member": ("draw", [d.member for d in runner.draws]),
            "stable_reference": ("draw", [o.stable for o in reference]),
            "stable_perturbed": ("draw", [o.stable for o in perturbed]),
            "reference": (("readout", "draw"), np.array([kept[n][0] for n in rows])),
            "perturbed": (("readout", "draw"), np.array([kept[n][1] for n in rows])),
        },
        {"readout": list(rows), "draw": np.arange(len(runner.draws))},
    )
    return Effects(table, draws, {n: float(moved[n].mean()) for n in moved.columns})


_INFERRED = max(str(link.grade) for link in inference_links())
"""Weakest grade on the way from the circuit to inference."""


def difference(name: str, before: np.ndarray, after: np.ndarray, people: np.ndarray) -> Change:
    """Change of a readout draw by draw: of logarithms for ratio quantities, else of values."""
    if vocabulary()[name].multiplies and not np.nanmin([before, after, people], initial=np.inf) <= 0:
        return Change(np.log(after / before), np.log(people / before))
    return Change(after - before, people - before)


def effect_row(
    name: str, before: np.ndarray, after: np.ndarray, people: np.ndarray, origin: str, grade: str
) -> dict:
    """Row of the table for one readout.

    Parameters
    ----------
    name : str
        Vocabulary name.
    before, after, people : ndarray, (draws,)
        Healthy, perturbed and another healthy person's value; NaN where not solved or unstable.
    origin, grade : str
    """
    row = vocabulary()[name]
    known = np.isfinite(before) & np.isfinite(after)
    b, a = before[known], after[known]
    ratio = row.multiplies and len(a) > 0 and (b > 0).all() and (a > 0).all()
    change = np.log(a / b) if ratio else a - b
    both = np.isfinite(before) & np.isfinite(people)
    if ratio:
        both &= (before > 0) & (people > 0)
    apart = np.log(people[both] / before[both]) if ratio else people[both] - before[both]
    middle = float(np.median(change)) if len(change) else np.nan
    low, high = np.percentile(change, [5, 95]) if len(change) else (np.nan, np.nan)
    told = np.percentile(apart, [5, 95]) if len(apart) >= LEAST_PEOPLE else (np.nan, np.nan)
    return {
        "value": float(np.median(a)) if len(a) else np.nan,
        "reference": float(np.median(b if len(b) else before[np.isfinite(before)]))
        if np.isfinite(before).any()
        else np.nan,
        "log_ratio": middle if ratio else np.nan,
        "effect": float(np.median(a - b)) if len(a) else np.nan,
        "d": effect_size(middle, apart),
        "lo90": low,
        "hi90": high,
        "people_lo90": told[0],
        "people_hi90": told[1],
        "p_sign": (float((change > 0).sum() + 0.5 * (change == 0).sum()) + 0.5) / (len(change) + 1),
        "level": row.level,
        "unit": SYMPTOM_UNIT if row.level == "symptom" else row.unit,
        "origin": origin,
        "label": "simulated-causal",
        "grade": grade,
        "limitation_id": row.limitation_id,
        "definition": row.definition,
        "calibrated": CALIBRATED.get(name, OBSERVER if name in DEPENDS else PERFORMANCE * (name in LEARNED)),
    }


def measured(runner: Runner, column: list[Outcome]) -> pd.DataFrame:
    """Readouts of every draw, with the graph metrics of the stable ones."""
    frame = pd.DataFrame([o.values for o in column])
    solved = [k for k, o in enumerate(column) if o.fc is not None]
    if not solved:
        return frame
    table = graph_readouts(np.stack([column[k].fc for k in solved]).astype(float), runner.atlas)  # type: ignore[misc]
    table.index = pd.Index(solved)
    for name in table.columns:
        if name != "network_vulnerability":
            frame[name] = table[name].reindex(range(len(column)))
    return frame


COMPARED = ("value", "reference", "log_ratio", "effect", "d", "lo90", "hi90", "p_sign")
"""Columns of the table that are given for every way of observing connectivity."""


def observations(healthy: Healthy, perturbed: list[Outcome]) -> xr.Dataset:
    """Effects on the connectivity of named systems in every way it is observed.

    Columns as in the table, over (observation, readout).
    """
    enough = np.mean([o.stable for o in perturbed]) >= LEAST_STABLE
    per: dict[str, pd.DataFrame] = {}
    for way, (before, people) in healthy.systems.items():
        after = _systems(healthy.runner, perturbed, way)
        people, after = (frame.reindex(columns=before.columns) for frame in (people, after))
        rows = {}
        for name in before.columns:
            b, a, p = (frame[name].to_numpy(float) for frame in (before, after, people))
            rows[name] = effect_row(name, b, a if enough else a * np.nan, p, "emergent", "")
        per[way] = pd.DataFrame.from_dict(rows, orient="index")
    names = [n for n in per["fc"].index if all(n in frame.index for frame in per.values())]
    data = {
        c: (
            ("observation", "readout"),
            np.array([per[o].loc[names, c].to_numpy(float) for o in OBSERVATIONS]),
        )
        for c in COMPARED
    }
    return xr.Dataset(data, {"observation": list(OBSERVATIONS), "readout": names})


def _systems(runner: Runner, column: list[Outcome], way: str) -> pd.DataFrame:
    """Connectivity of named systems in every draw of a state; empty rows where it is unstable."""
    seen = [getattr(o, way) for o in column]
    return pd.DataFrame(
        [{} if fc is None else system_fc(fc.astype(float), runner.atlas) for fc in seen],
        index=range(len(column)),
    )


def median_draw(reference: list[Outcome], perturbed: list[Outcome]) -> int | None:
    """The stable draw whose pyramidal rate after the change is the median."""
    both = [k for k, (r, p) in enumerate(zip(reference, perturbed, strict=True)) if r.stable and p.stable]
    if not both:
        return None
    return sorted(both, key=lambda k: perturbed[k].values["pyramidal_activity"])[len(both) // 2]


def graph_table(healthy: Healthy, perturbed: list[Outcome]) -> pd.DataFrame:
    """Graph metrics against nulls at the median draw, indexed by (state, metric)."""
    runner, reference = healthy.runner, healthy.reference
    k = median_draw(reference, perturbed)
    first = next((i for i, o in enumerate(reference) if o.fc is not None), None)
    if first is None:
        raise UserError("the healthy brain is unstable in every draw; nothing can be reported")
    before = healthy.nulls(first if k is None else k)
    assert before is not None
    if k is None:
        after = before.assign(value=np.nan, null_mean=np.nan, null_sd=np.nan, z=np.nan)
    else:
        after = graph_nulls(perturbed[k].fc.astype(float), runner.atlas, seed=runner.seed)  # type: ignore[union-attr]
    out = pd.concat(dict(zip(STATES, (before, after), strict=True)), names=["state", "metric"])
    return out.rename(columns={"z": "null_z"})
