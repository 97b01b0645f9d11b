"""Groups of a trajectory: what every draw gave, as labelled arrays on common times."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from synsys.core.perturbation import Perturbation
from synsys.core.results import DISCLAIMER, SCHEMA_VERSION, STATES
from synsys.core.scenario import Scenario
from synsys.knowledge.load import limitation, vocabulary
from synsys.measures.courses import trajectory_lead_lag
from synsys.scales.describe import digests, methods, references
from synsys.scales.people import spread
from synsys.scales.runs import Runner
from synsys.signaling.development import curves, windows

if TYPE_CHECKING:
    from synsys.scales.trajectory import DrawCourse

EVEN, AFTER = 161, 40
"""Times of the dense axis that lie evenly, and those that follow each jump of an event, ever wider apart."""
MOST_TIMES = 2000
"""Times of the dense axis at most."""
CURVES = ("spine_density", "pv_interneuron_function", "conduction_velocity", "dopamine_tone", "nmda_decay")
"""Age norms that a result shows, those of cortex or prefrontal cortex."""


def assemble(
    runner: Runner, plan: Scenario, found: Sequence["DrawCourse"], command: str, version: str, date: str
) -> xr.DataTree:
    """Result tree of a scenario."""
    changes = [event.perturbation for event in plan.events]
    dense = dense_times(plan)
    trajectory = _trajectory(runner, plan, found)
    slow = _slow(runner, found, dense)
    lead = trajectory_lead_lag(trajectory, slow, inputs={change.name for change in changes})
    tree = {
        "/trajectory": trajectory,
        "/slow": slow,
        "/slow_regions": _by_region(runner, plan, found),
        "/events": _events(plan, dense),
        "/leadlag": lead,
        "/regions": _regions(runner),
    }
    if plan.development:
        tree |= {"/development": _development(plan, dense), "/windows": _windows(plan)}
    out = xr.DataTree.from_dict(tree)
    stable = [[bool(r) for r in one.perturbed] for one in found]
    healthy = [[bool(r) for r in one.reference] for one in found]
    born = [t for t, day in enumerate(plan.report) if not plan.development or plan.age_at(day) >= 0]
    named = {*map(str, trajectory["readout"].values), *map(str, slow["variable"].values)}
    limits = {vocabulary()[n].limitation_id for n in (*named, *(c.name for c in changes))} - {""}
    out.attrs = {
        "schema_version": SCHEMA_VERSION,
        "kind": "trajectory",
        "version": version,
        "command": command,
        "title": plan.name,
        "seed": runner.seed,
        "draws": len(found),
        "brain": runner.model.brain.name,
        "options": json.dumps(runner.options),
        "perturbations": json.dumps([str(c) for c in changes]),
        "limitations": json.dumps({i: limitation(i) for i in sorted(limits)}),
        "digests": json.dumps(digests(runner.brain)),
        "created": date,
        "stable_reference": float(np.mean([row[t] for row in healthy for t in born])) if born else 0.0,
        "stable_perturbed": float(np.mean([row[t] for row in stable for t in born])) if born else 0.0,
        "unstable_reason": next((one.facts["restless"][0][1] for one in found if one.facts["restless"]), ""),
        "methods": _methods(runner, plan, changes),
        "references": json.dumps(references(runner, changes) + list(plan.sources)),
        "disclaimer": DISCLAIMER,
        "scenario": json.dumps(_told(plan)),
        "convergence": json.dumps(_convergence(runner, found)),
        "recursion": json.dumps(_recursion(plan, found)),
    }
    return out


def dense_times(plan: Scenario) -> np.ndarray:
    """Times of the dense axis, days: even ones, report times, and ever wider ones after every jump."""
    times = [np.linspace(0.0, plan.duration, EVEN), np.asarray(plan.report)]
    stops = plan.breakpoints()
    jumps = {0.0}
    for event in plan.events:
        moved = event.course.level(stops, True) != event.course.level(stops, False)
        jumps |= set(stops[moved].tolist())
        if event.course.dosing is not None:
            jumps |= set(stops[np.isin(stops, event.course.dosing.times)].tolist())
    many = max(4, min(AFTER, (MOST_TIMES - EVEN) // max(len(jumps), 1)))
    starts = np.array(sorted(jumps))
    ends = np.append(starts[1:], plan.duration)
    for start, end in zip(starts, ends, strict=True):
        if end > start:
            first = min(1e-3, 0.1 * (end - start))
            times.append(start + np.geomspace(first, end - start, many))
            times.append(np.array([max(start - 1e-9, 0.0), start]))
    found = np.unique(np.round(np.concatenate([np.asarray(t, float) for t in times]), 9))
    return found[(found >= 0) & (found <= plan.duration)]


def _trajectory(runner: Runner, plan: Scenario, found: Sequence["DrawCourse"]) -> xr.Dataset:
    """Readouts of both states in every draw at report times."""
    readings = [row for one in found for row in (*one.reference, *one.perturbed)]
    names = [n for n in dict.fromkeys(n for row in readings for n in row) if n in vocabulary()]
    value = np.full((2, len(found), len(plan.report), len(names)), np.nan)
    for d, one in enumerate(found):
        for s, rows in enumerate((one.reference, one.perturbed)):
            for t, row in enumerate(rows):
                value[s, d, t] = [row.get(n, np.nan) for n in names]
    sd = []
    for i, name in enumerate(names):
        at_start = np.array([next((r[name] for r in one.reference if name in r), np.nan) for one in found])
        other = np.array([one.person.get(name, np.nan) for one in found])
        both = value[:, :, :, i][np.isfinite(value[:, :, :, i])]
        if vocabulary()[name].multiplies and (both > 0).all():
            with np.errstate(divide="ignore", invalid="ignore"):
                apart = np.log(other / at_start)
        else:
            apart = other - at_start
        sd.append(spread(apart))
    known = [vocabulary()[n] for n in names]
    return xr.Dataset(
        {
            "value": (("state", "draw", "time", "readout"), value),
            "level": ("readout", np.array([r.level for r in known], object)),
            "unit": ("readout", np.array([r.unit for r in known], object)),
            "sd": ("readout", np.array(sd, float)),
            "age": ("time", np.asarray(plan.age_at(np.asarray(plan.report)), float)),
        },
        {
            "state": list(STATES), "draw": np.arange(len(found)), "time": np.asarray(plan.report, float),
            "readout": names,
        },
    )  # fmt: skip


def _slow(runner: Runner, found: Sequence["DrawCourse"], dense: np.ndarray) -> xr.Dataset:
    """Levels of the signaling network, mean over the brain, on the dense axis."""
    network = runner.model.slow_brain.network
    value = np.empty((len(found), len(dense), len(network.names)))
    for d, one in enumerate(found):
        for i in range(len(network.names)):
            value[d, :, i] = np.interp(dense, one.time, one.levels[:, i])
    rows = [vocabulary()[n] for n in network.names]
    return xr.Dataset(
        {
            "value": (("draw", "time_dense", "variable"), value),
            "level": ("variable", np.array([r.level for r in rows], object)),
            "form": ("variable", np.array([r.form for r in network.rows.values()], object)),
        },
        {"draw": np.arange(len(found)), "time_dense": dense, "variable": network.names},
    )


def _by_region(runner: Runner, plan: Scenario, found: Sequence["DrawCourse"]) -> xr.Dataset:
    """Median over draws of every level in every region at report times, channels averaged."""
    network, nodes = runner.model.slow_brain.network, runner.model.wiring.nodes
    owner, share = nodes.region.to_numpy(), nodes.share.to_numpy()
    inside = owner >= 0
    weight = np.zeros((len(owner), len(runner.model.brain)))
    weight[np.flatnonzero(inside), owner[inside]] = share[inside]
    middle = np.median(np.stack([one.regions for one in found]), axis=0)
    return xr.Dataset(
        {"value": (("time", "variable", "region"), (middle @ weight).astype(float))},
        {
            "time": np.asarray(plan.report, float), "variable": network.names,
            "region": runner.model.brain.labels,
        },
    )  # fmt: skip


def _events(plan: Scenario, dense: np.ndarray) -> xr.Dataset:
    events = plan.events
    end = [min(e.course.end, plan.duration) for e in events]
    level = np.array([e.course.level(dense) for e in events]).reshape(len(events), len(dense))
    start = [e.course.dosing.times[0] if e.course.dosing is not None else e.course.start for e in events]
    return xr.Dataset(
        {
            "label": ("event", np.array([e.label for e in events], object)),
            "quantity": ("event", np.array([e.perturbation.name for e in events], object)),
            "start": ("event", np.array(start, float)),
            "end": ("event", np.array(end, float)),
            "level": (("event", "time_dense"), level),
        },
        {"event": np.arange(len(events)), "time_dense": dense},
    )


def _regions(runner: Runner) -> xr.Dataset:
    frame = runner.model.brain.regions
    names = ("hemisphere", "structure", "network")
    return xr.Dataset(
        {n: ("region", frame[n].astype(str).to_numpy(object)) for n in names},
        {"region": runner.model.brain.labels},
    )


def _development(plan: Scenario, dense: np.ndarray) -> xr.Dataset:
    """Healthy age curves of a few quantities; where regions differ, those of prefrontal cortex."""
    ages = np.maximum(plan.age_at(dense), 0.0)
    values = np.full((len(dense), len(CURVES)), np.nan)
    for t, age in enumerate(ages):
        for norm in curves(float(age)):  # rows with places come last
            if norm.quantity in CURVES and (not norm.where or {"cortex", "PFC"} & set(norm.where)):
                values[t, CURVES.index(norm.quantity)] = norm.value
    return xr.Dataset(
        {"curve": (("time_dense", "quantity"), values)}, {"time_dense": dense, "quantity": list(CURVES)}
    )


def _windows(plan: Scenario) -> xr.Dataset:
    rows = [w for w in windows(pruning_window=plan.pruning) if w.onset is not None and w.offset is not None]
    names = [w.process.replace("_", " ") + (f" ({', '.join(w.where)})" if w.where else "") for w in rows]
    return xr.Dataset(
        {
            "start": ("window", np.array([w.onset for w in rows], float)),
            "end": ("window", np.array([w.offset for w in rows], float)),
        },
        {"window": names},
    )


def _told(plan: Scenario) -> dict:
    return {
        "name": plan.name,
        "text": plan.text,
        "duration_days": plan.duration,
        "age": plan.age,
        "development": plan.development,
        "recursive": plan.recursive,
        "pruning": plan.pruning,
        "events": [
            {
                "label": e.label, "quantity": e.perturbation.name, "change": str(e.perturbation),
                "course": e.course.describe(), "kind": e.kind, "start": e.course.start,
                "end": min(e.course.end, plan.duration),
            }
            for e in plan.events
        ],
    }  # fmt: skip


def _convergence(runner: Runner, found: Sequence["DrawCourse"]) -> dict:
    facts = [one.facts for one in found]
    kept = [fact["feedback_kept"] for fact in facts]
    restless = [k for k, fact in enumerate(facts) if fact["restless"]]
    messages = []
    if any(0 < k < 1 for k in kept):
        lowered = sum(0 < k < 1 for k in kept)
        messages.append(
            f"In {lowered} of {len(kept)} draws health would not be stable in some regions with the full "
            "effect of activity on molecules; it was lowered there (mean over the brain "
            f"{np.median([k for k in kept if 0 < k < 1]):.2f} in these draws)."
        )
    if restless:
        messages.append(
            f"In {len(restless)} of {len(found)} draws the fast brain had no state of rest at times (first "
            f"at day {facts[restless[0]]['restless'][0][0]:.3g}); molecules then heard the nearest one."
        )
    return {
        "steps": [fact["steps"] for fact in facts],
        "rejected": [fact["rejected"] for fact in facts],
        "forced": [fact["forced"] for fact in facts],
        "fast_solutions": [fact["fast_solutions"] for fact in facts],
        "feedback_kept": kept,
        "messages": messages,
    }


def _recursion(plan: Scenario, found: Sequence["DrawCourse"]) -> dict:
    """Change of readouts at the end with and without feedback, median over the draws that were compared."""
    pairs = [one for one in found if one.final and one.perturbed[-1] and one.reference[-1]]
    if not pairs:
        return {}
    out: dict = {"on": {}, "off": {}}
    for name in pairs[0].final:
        row = vocabulary().get(name)
        if row is None:
            continue
        ratio = row.multiplies
        for way, after in (("on", [p.perturbed[-1] for p in pairs]), ("off", [p.final for p in pairs])):
            values = []
            for p, reading in zip(pairs, after, strict=True):
                b, a = p.reference[-1].get(name, np.nan), reading.get(name, np.nan)
                positive = ratio and a > 0 and b > 0
                values.append(float(np.log(a / b)) if positive else float(a - b))
            middle = float(np.median(values))
            if np.isfinite(middle):
                out[way][name] = middle
    out["note"] = (
        f"Change at the end (log ratio, or difference), median of {len(pairs)} draws, with activity acting "
        "back on molecules and without."
    )
    return out


def _methods(runner: Runner, plan: Scenario, changes: Sequence[Perturbation]) -> str:
    network = runner.model.slow_brain.network
    back = (
        "Rates, calcium entry, gamma power, energy use and a plasticity probe of each region act back on it."
        if plan.recursive
        else "Activity does not act back on it."
    )
    aging = (
        " Healthy conductances follow published age curves, and windows of developmental processes gate what "
        "can still change."
        if plan.development
        else ""
    )
    return (
        f"{methods(runner, changes)} Time courses: a signed network of {len(network.names)} molecular, "
        "immune, metabolic, endocrine, epigenetic and structural variables with "
        f"{len(network.edges)} regulators in fold-change form runs in every region on a clock of its own; at "
        "each of its steps the fast brain is "
        f"solved at rest (heterogeneous multiscale method). {back}{aging}"
    )
