"""The main job: what a molecular change does, level by level, against health."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

import synsys
from synsys.brain.modulation import path_from, selection
from synsys.core.connectome import Connectome
from synsys.core.errors import UserError, unknown
from synsys.core.perturbation import Perturbation
from synsys.core.schema import DISCLAIMER, SCHEMA_VERSION, STATES
from synsys.knowledge.load import limitation, vocabulary
from synsys.knowledge.mechanisms import disorders
from synsys.knowledge.resolve import parse_perturbation, quantity
from synsys.measures.standing import DISTANCES, RESTATED
from synsys.measures.systems import graph_nulls, graph_readouts
from synsys.scales import tree as groups
from synsys.scales.describe import digests, methods, references
from synsys.scales.people import spread
from synsys.scales.runs import Outcome, Runner, solve_all

LEAST_STABLE = 0.5
"""Share of draws that must stay stable for effects to be reported."""


def profile(name: str) -> tuple[Perturbation, ...]:
    """The perturbations that make up a disorder.

    Parameters
    ----------
    name : str
        Vocabulary name or alias (``schizophrenia``, ``SCZ``, ``disorder_scz``).
    """
    known = {row.disorder for row in disorders()}
    try:
        found = quantity(name).name
    except UserError:
        found = name
    if found not in known:
        raise unknown("disorder", name, sorted(known), "see synsys catalog disorders")
    return tuple(
        Perturbation(r.name, r.value, r.op, r.cell or None, r.where or None, r.sd, r.grade, r.source)
        for r in disorders()
        if r.disorder == found
    )


def resolve(
    perturb: Sequence[str | Perturbation] | str, disorder: Sequence[str] | str = ()
) -> tuple[Perturbation, ...]:
    """Perturbations from text, records and disorder names, in that order."""
    given = [perturb] if isinstance(perturb, str | Perturbation) else list(perturb)
    named = [disorder] if isinstance(disorder, str) else list(disorder)
    changes = [parse_perturbation(p) if isinstance(p, str) else p for p in given]
    return (*changes, *(row for name in named for row in profile(name)))


def open_brain(brain: Connectome | str | Path | None) -> Connectome:
    """A connectome, from a record, a path, or the embedded brain."""
    from synsys.data.embedded import load_embedded
    from synsys.data.read import load_brain

    if brain is None:
        return load_embedded()
    return brain if isinstance(brain, Connectome) else load_brain(brain)


def cascade(
    perturb: Sequence[str | Perturbation] | str = (),
    disorder: Sequence[str] | str = (),
    brain: Connectome | str | Path | None = None,
    draws: int = 32,
    seed: int = 0,
    jobs: int | None = None,
    beta: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
    command: str = "",
) -> xr.DataTree:
    """Trace a perturbation from molecule to network.

    Parameters
    ----------
    perturb : str, Perturbation, or sequence of them
        For example ``"GRIN2B=0.7"`` or ``["KCNQ2=0.6:E@dlPFC", "d2_occupancy=0.65"]``.
    disorder : str or sequence of str
        Disorder profiles to add, for example ``"schizophrenia"``.
    brain : Connectome or path, optional
        The embedded brain by default.
    draws : int
        Joint samples of calibration, links, maps and sizes; the same for both states.
    seed : int
    jobs : int, optional
        Processes; all cores by default.
    beta : float
        Factor on regional heterogeneity; 0 makes regions of a kind alike.
    progress : callable, optional
        Called with (draws done, draws) after each draw.
    command : str
        What to record as the command.

    Returns
    -------
    DataTree
        The result (`synsys.core.schema`).

    Raises
    ------
    UserError
        For unknown names, cells, places or disorders, before any work starts.
    """
    if draws < 2:
        raise UserError(f"draws = {draws}: at least 2 are needed for an interval")
    changes = resolve(perturb, disorder)
    connectome = open_brain(brain)
    runner = Runner(connectome, draws, seed, beta=beta, jobs=jobs)
    for change in changes:
        selection(runner.model.places, change)
    outcomes = solve_all(runner, [changes], progress)
    return assemble(runner, changes, outcomes, command or f"synsys.cascade({', '.join(map(str, changes))!r})")


def assemble(
    runner: Runner, changes: Sequence[Perturbation], outcomes: list[list[Outcome]], command: str
) -> xr.DataTree:
    """Result tree of one set of perturbations from its outcomes [draw][reference, person, perturbed]."""
    reference, persons, perturbed = (list(column) for column in zip(*outcomes, strict=True))
    values = effects(runner, changes, reference, persons, perturbed)
    healthy = np.mean([o.stable for o in reference])
    stable = np.mean([o.stable for o in perturbed])
    reasons = [o.reason for o in perturbed if not o.stable] or [""]
    unstable = max(set(reasons), key=reasons.count) if stable < 1 else ""
    graph = graph_table(runner, reference, perturbed)
    table = values.table
    for state in STATES:
        column = graph.xs(state, level="state")["null_z"]
        table[f"null_z_{state}"] = [column.get(_METRIC.get(name, name), np.nan) for name in table.index]
    identifiers = sorted(
        {*table.limitation_id, *(vocabulary()[c.name].limitation_id for c in changes)} - {""}
    )
    title = ", ".join(map(str, changes)) or "unperturbed"
    tree = xr.DataTree.from_dict(
        {
            "/table": groups.table_dataset(table, "readout"),
            "/rates": groups.rates(runner, reference, perturbed),
            "/spectra": groups.spectra(runner, reference, perturbed),
            "/fc": groups.connectivity(runner, reference, perturbed),
            "/graph": groups.graph_dataset(graph),
            "/draws": values.draws,
            "/regions": groups.regions(runner, changes, reference, perturbed),
            "/links": groups.link_table(changes, values.touched),
        }
    )
    tree.attrs = {
        "schema_version": SCHEMA_VERSION,
        "version": synsys.__version__,
        "command": command,
        "title": title,
        "seed": runner.seed,
        "draws": len(runner.draws),
        "brain": runner.model.brain.name,
        "perturbations": json.dumps([str(c) for c in changes]),
        "limitations": json.dumps({i: limitation(i) for i in identifiers}),
        "digests": json.dumps(digests(runner.model.brain)),
        "created": "",
        "stable_reference": float(healthy),
        "stable_perturbed": float(stable),
        "unstable_reason": unstable,
        "methods": methods(runner, changes),
        "references": json.dumps(references(changes)),
        "disclaimer": DISCLAIMER,
    }
    return tree


_METRIC = {
    "betweenness": "hub_betweenness",
    "assortativity": "assortativity_strength",
}


class Effects:
    """Table of effects and the draws behind it."""

    def __init__(self, table: pd.DataFrame, draws: xr.Dataset, touched: dict[str, float]) -> None:
        self.table, self.draws, self.touched = table, draws, touched


def effects(
    runner: Runner,
    changes: Sequence[Perturbation],
    reference: list[Outcome],
    persons: list[Outcome],
    perturbed: list[Outcome],
    nulls: pd.DataFrame | None = None,
    graphs: bool = True,
) -> Effects:
    """Effect of a set of perturbations on every readout.

    Effect size d = effect / between-person sd; P(sign) = (n + 1/2) / (N + 1) with n draws in which the
    effect is positive. Ratio quantities are compared as logarithms of ratios, others as differences.
    """
    states = [pd.DataFrame([o.values for o in column]) for column in (reference, persons, perturbed)]
    if graphs:
        states = [
            add_graph(runner, frame, column, nulls)
            for frame, column in zip(states, (reference, persons, perturbed), strict=True)
        ]
    before, people, after = (frame.reindex(columns=states[0].columns) for frame in states)
    moved = pd.DataFrame([o.touched for o in perturbed])
    inputs = {c.name for c in changes}
    grades = path_from(changes)
    worst = (
        max([grades[name] for name in moved.columns if name in grades] + ["B"]) if len(moved.columns) else "B"
    )
    enough = np.mean([o.stable for o in perturbed]) >= LEAST_STABLE
    rows, kept = {}, {}
    for name in [*dict.fromkeys([*moved.columns, *before.columns])]:
        quantity_row = vocabulary().get(name)
        if quantity_row is None or (
            name not in before and quantity_row.kind == "perturbation" and name not in inputs
        ):
            continue
        if name in before and name not in inputs:
            b, a, p = (frame[name].to_numpy(float) for frame in (before, after, people))
            wired = name in moved or RESTATED.get(name, set()) & set(moved.columns)
            origin = "by construction" if name in DISTANCES else "wired" if wired else "emergent"
        else:
            a = moved[name].to_numpy(float)
            b = np.full(len(a), 1.0 if quantity_row.multiplies else (quantity_row.healthy or 0.0))
            p = np.full(len(a), np.nan)
            origin = "input" if name in inputs else "wired"
        if not enough and origin != "input":
            a = np.full(len(a), np.nan)
        rows[name] = effect_row(
            name, b, a, p, origin, grades.get(name, worst) if origin != "emergent" else worst
        )
        kept[name] = (b, a)
    table = pd.DataFrame.from_dict(rows, orient="index")
    draws = xr.Dataset(
        {
            "member": ("draw", [d.member for d in runner.draws]),
            "sign": ("draw", [float(d.sign) for d in runner.draws]),
            "stable_reference": ("draw", [o.stable for o in reference]),
            "stable_perturbed": ("draw", [o.stable for o in perturbed]),
            "reference": (("readout", "draw"), np.array([kept[n][0] for n in rows])),
            "perturbed": (("readout", "draw"), np.array([kept[n][1] for n in rows])),
        },
        {"readout": list(rows), "draw": np.arange(len(runner.draws))},
    )
    return Effects(table, draws, {n: float(moved[n].mean()) for n in moved.columns})


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
    sd = spread(apart)
    middle = float(np.median(change)) if len(change) else np.nan
    low, high = np.percentile(change, [5, 95]) if len(change) else (np.nan, np.nan)
    d = middle / sd if sd > 0 else (0.0 if middle == 0 else np.nan)
    return {
        "value": float(np.median(a)) if len(a) else np.nan,
        "reference": float(np.median(b if len(b) else before[np.isfinite(before)]))
        if np.isfinite(before).any()
        else np.nan,
        "log_ratio": middle if ratio else np.nan,
        "effect": float(np.median(a - b)) if len(a) else np.nan,
        "d": d,
        "lo90": low,
        "hi90": high,
        "p_sign": (float((change > 0).sum() + 0.5 * (change == 0).sum()) + 0.5) / (len(change) + 1),
        "level": row.level,
        "unit": row.unit,
        "origin": origin,
        "label": "simulated-causal",
        "grade": grade,
        "limitation_id": row.limitation_id,
        "definition": row.definition,
    }


def add_graph(
    runner: Runner, frame: pd.DataFrame, column: list[Outcome], nulls: pd.DataFrame | None
) -> pd.DataFrame:
    """Readouts with the graph metrics of every stable draw."""
    solved = [k for k, o in enumerate(column) if o.fc is not None]
    if not solved:
        return frame
    table = graph_readouts(np.stack([column[k].fc for k in solved]).astype(float), runner.atlas, nulls)  # type: ignore[misc]
    table.index = pd.Index(solved)
    for name in table.columns:
        if name != "network_vulnerability":
            frame[name] = table[name].reindex(range(len(column)))
    return frame


def median_draw(reference: list[Outcome], perturbed: list[Outcome]) -> int | None:
    """The stable draw whose pyramidal rate after the change is the median."""
    both = [k for k, (r, p) in enumerate(zip(reference, perturbed, strict=True)) if r.stable and p.stable]
    if not both:
        return None
    return sorted(both, key=lambda k: perturbed[k].values["pyramidal_activity"])[len(both) // 2]


def graph_table(runner: Runner, reference: list[Outcome], perturbed: list[Outcome]) -> pd.DataFrame:
    """Graph metrics against nulls at the median draw, indexed by (state, metric)."""
    k = median_draw(reference, perturbed)
    parts = {}
    for state, column in zip(STATES, (reference, perturbed), strict=True):
        at = k if k is not None else next((i for i, o in enumerate(column) if o.fc is not None), None)
        fc = None if at is None else column[at].fc
        if fc is not None and not (state == "perturbed" and k is None):
            parts[state] = graph_nulls(fc.astype(float), runner.atlas, seed=runner.seed)
    empty = next(iter(parts.values())) if parts else None
    if empty is None:
        raise UserError("the healthy brain is unstable in every draw; nothing can be reported")
    for state in STATES:
        parts.setdefault(state, empty.assign(value=np.nan, null_mean=np.nan, null_sd=np.nan, z=np.nan))
    out = pd.concat(parts, names=["state", "metric"])
    return out.rename(columns={"z": "null_z"})
