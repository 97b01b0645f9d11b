"""Trajectories made up for tests: the right form and plausible courses, no model behind them."""

import json

import numpy as np
import xarray as xr

from synsys.core.schema import DISCLAIMER, SCHEMA_VERSION, STATES
from synsys.data.embedded import load_embedded
from synsys.knowledge.load import limitation, vocabulary
from synsys.measures.courses import trajectory_lead_lag

SLOW = {
    # name: (form, change at full size: log fold or deviation, rise, decay; as shares of the duration)
    "camp_level": ("fold", 0.25, 0.003, 0.01),
    "creb_activity": ("fold", -0.35, 0.01, 0.02),
    "calcium_dysregulation": ("index", 0.5, 0.002, 0.01),
    "erk_activity": ("fold", 0.18, 0.004, 0.02),
    "akt_mtor_activity": ("fold", -0.22, 0.01, 0.03),
    "bdnf": ("fold", -0.3, 0.03, 0.08),
    "gsk3b_activity": ("fold", 0.12, 0.02, 0.05),
    "gad1_expression": ("fold", -0.16, 0.08, 0.2),
    "bdnf_methylation": ("shift", 0.06, 0.15, 4.0),
    "nr3c1_methylation": ("shift", 0.04, 0.2, 5.0),
    "histone_acetylation": ("fold", -0.2, 0.05, 0.3),
    "il6": ("shift", 0.8, 0.01, 0.03),
    "tnf_alpha": ("shift", 0.5, 0.01, 0.03),
    "microglial_activation": ("index", 0.3, 0.05, 0.15),
    "cortisol": ("shift", 0.9, 0.005, 0.02),
    "ros": ("fold", 0.3, 0.01, 0.04),
    "atp_production": ("fold", -0.1, 0.02, 0.05),
    "spine_density": ("fold", -0.2, 0.12, 0.3),
    "long_range_synaptic_weight": ("fold", -0.08, 0.2, 0.5),
    "pv_interneuron_function": ("fold", -0.15, 0.15, 0.4),
    "myelination": ("fold", -0.03, 0.4, 2.0),
    "serotonin_level": ("fold", 0.0, 0.1, 0.1),
}
READOUTS = {
    # name: (healthy, change at full size: log ratio or difference, is a ratio, rise, healthy sd of it)
    "ltp": (1.4, -0.3, True, 0.05, 0.15),
    "spine_stability": (1.0, -0.1, True, 0.15, 0.08),
    "ei_ratio": (1.0, 0.12, True, 0.1, 0.1),
    "pyramidal_activity": (3.6, -0.05, True, 0.1, 0.2),
    "pv_rate": (11.2, -0.12, True, 0.14, 0.15),
    "gamma_power": (0.012, -0.35, True, 0.15, 0.3),
    "theta_power": (0.22, 0.12, True, 0.15, 0.25),
    "alpha_power": (0.35, 0.004, True, 0.15, 0.25),
    "delta_power": (0.6, 0.2, True, 0.18, 0.3),
    "peak_gamma_frequency": (41.0, -0.03, True, 0.15, 0.08),
    "dlpfc_activity": (3.5, -0.06, True, 0.12, 0.2),
    "hippocampal_prefrontal_fc": (0.21, -0.04, False, 0.2, 0.08),
    "thalamocortical_fc": (0.26, 0.002, False, 0.2, 0.08),
    "frontostriatal_fc": (0.31, -0.02, False, 0.2, np.nan),
    "global_efficiency": (0.41, -0.02, True, 0.25, 0.03),
    "modularity": (0.43, 0.03, True, 0.25, 0.06),
    "dmn_fc": (0.44, -0.03, False, 0.22, 0.1),
    "network_dysconnectivity": (0.0, 0.2, False, 0.2, np.nan),
    "working_memory": (0.85, -0.05, True, 0.3, 0.1),
    "anhedonia": (0.0, 0.4, False, 0.35, np.nan),
}


def course(time: np.ndarray, start: float, end: float, rise: float, decay: float) -> np.ndarray:
    """Approach to 1 with time constant `rise` from `start` to `end`, then decay with `decay`."""
    on = 1 - np.exp(-np.clip(time - start, 0, end - start) / rise)
    return on * np.exp(-np.clip(time - end, 0, None) / decay)


def make_trajectory(
    name: str = "chronic_stress",
    duration: float = 84.0,
    end: float = 42.0,
    begin: float = 0.0,
    draws: int = 6,
    age: float | None = None,
    dose: bool = False,
    flat: bool = False,
    seed: int = 0,
    scale: float = 1.0,
    regions: int | None = None,
) -> xr.DataTree:
    """A made-up trajectory: an exposure from day `begin` to `end` (and a daily dose), then washout.

    Parameters
    ----------
    age : float, optional
        Age at the start in years; switches development on.
    flat : bool
        No exposure, nothing moves.
    """
    rng = np.random.default_rng(seed)
    brain = load_embedded()
    region = np.array(brain.labels[:regions], dtype=object)
    shortest = 1e-3 if duration < 1000 else 1.0
    dense = np.concatenate([[0.0], np.geomspace(shortest, duration, 239)])
    dense = np.unique(np.concatenate([dense, np.linspace(0, duration, 61), [begin, end]]))
    after = begin + np.geomspace(shortest, duration, 239)
    dense = np.unique(np.concatenate([dense, after[after < duration]]))
    time = np.unique(np.concatenate([dense[:: len(dense) // 14], [begin, end, duration]]))
    scale = 0.0 if flat else scale
    value = np.empty((draws, len(dense), len(SLOW)))
    for i, (form, size, rise, decay) in enumerate(SLOW.values()):
        shape = course(dense, begin, end, rise * duration, decay * duration)
        moved = scale * size * shape * rng.lognormal(0, 0.25, (draws, 1))
        value[..., i] = np.exp(moved) if form == "fold" else moved
    middle = np.median(value, axis=0)
    at = np.searchsorted(dense, time)
    slope = 1 + 0.8 * np.tanh(brain.regions["y"].to_numpy()[: len(region)] / 50)
    folds = np.array([form == "fold" for form, *_ in SLOW.values()])[None, :, None]
    there = middle[at][:, :, None]
    by_region = np.where(folds, np.exp(np.log(np.where(folds, there, 1.0)) * slope), there * slope)

    readings = np.empty((2, draws, len(time), len(READOUTS)))
    for i, (healthy, size, ratio, rise, _) in enumerate(READOUTS.values()):
        moved = scale * size * course(time, begin, end, rise * duration, 2 * rise * duration)
        moved = moved * rng.lognormal(0, 0.3, (draws, 1)) + scale * 0.01 * abs(size) * rng.standard_normal(
            (draws, 1)
        )
        start = healthy * rng.lognormal(0, 0.05, (draws, 1)) if ratio else healthy + 0 * moved
        readings[0, ..., i] = start
        readings[1, ..., i] = start * np.exp(moved) if ratio else start + moved
    trajectory = xr.Dataset(
        {
            "value": (("state", "draw", "time", "readout"), readings),
            "level": ("readout", np.array([vocabulary()[n].level for n in READOUTS], dtype=object)),
            "unit": ("readout", np.array([vocabulary()[n].unit for n in READOUTS], dtype=object)),
            "sd": ("readout", np.array([row[-1] for row in READOUTS.values()])),
        },
        {
            "state": list(STATES), "draw": np.arange(draws), "time": time, "readout": list(READOUTS),
            "age": ("time", np.full(len(time), np.nan) if age is None else age + time / 365.25),
        },
    )  # fmt: skip
    slow = xr.Dataset(
        {
            "value": (("draw", "time_dense", "variable"), value),
            "level": ("variable", np.array([vocabulary()[n].level for n in SLOW], dtype=object)),
            "form": ("variable", np.array([row[0] for row in SLOW.values()], dtype=object)),
        },
        {"draw": np.arange(draws), "time_dense": dense, "variable": list(SLOW)},
    )
    rows = (
        [] if flat else [(name.replace("_", " "), name, begin, end, ((dense >= begin) & (dense < end)) * 1.0)]
    )
    if dose:
        daily = np.exp(-(dense % 1.0) / 0.4) * (dense >= end / 3)
        rows.append(("escitalopram 10 mg a day", "sert_occupancy", end / 3, duration, 0.8 * daily))
    events = xr.Dataset(
        {
            "label": ("event", np.array([row[0] for row in rows], dtype=object)),
            "quantity": ("event", np.array([row[1] for row in rows], dtype=object)),
            "start": ("event", np.array([row[2] for row in rows], dtype=float)),
            "end": ("event", np.array([row[3] for row in rows], dtype=float)),
            "level": (
                ("event", "time_dense"),
                np.array([row[4] for row in rows]).reshape(len(rows), len(dense)),
            ),
        },
        {"event": np.arange(len(rows)), "time_dense": dense},
    )
    groups = {
        "/trajectory": trajectory,
        "/slow": slow,
        "/slow_regions": xr.Dataset(
            {"value": (("time", "variable", "region"), by_region)},
            {"time": time, "variable": list(SLOW), "region": region},
        ),
        "/events": events,
        "/leadlag": trajectory_lead_lag(trajectory, slow),
        "/regions": xr.Dataset(
            {
                column: ("region", brain.regions[column].to_numpy(object)[: len(region)].astype(object))
                for column in ("hemisphere", "structure", "network")
            },
            {"region": region},
        ),
    }
    if age is not None:
        years = age + dense / 365.25
        curves = {
            "synaptogenesis": np.exp(-((years - 2) ** 2) / 18),
            "pruning_rate": np.exp(-((years - 15) ** 2) / 20),
            "myelination": 1 / (1 + np.exp(-(years - 8) / 4)),
            "ei_maturation": 1 / (1 + np.exp(-(years - 12) / 2)),
        }
        groups["/development"] = xr.Dataset(
            {"curve": (("time_dense", "quantity"), np.stack(list(curves.values()), axis=1))},
            {"time_dense": dense, "quantity": list(curves)},
        )
        groups["/windows"] = xr.Dataset(
            {"start": ("window", [0.0, 11.0]), "end": ("window", [3.0, 18.0])},
            {"window": ["early synaptogenesis", "adolescent pruning"]},
        )
    limits = sorted({vocabulary()[n].limitation_id for n in (*SLOW, *READOUTS)} - {""})
    listed = [
        {"label": label, "quantity": quantity, "start": start, "end": stop}
        for label, quantity, start, stop, _ in rows
    ]
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = {
        "schema_version": SCHEMA_VERSION,
        "kind": "trajectory",
        "version": "0.1.0",
        "command": f"synsys trajectory {name}.yaml",
        "title": name.replace("_", " "),
        "seed": seed,
        "draws": draws,
        "brain": brain.name,
        "options": json.dumps({"beta": 1.0, "spun_maps": None, "linearisation": "plain", "eeg": ""}),
        "perturbations": json.dumps([] if flat else [f"{name}+=1"]),
        "limitations": json.dumps({row: limitation(row) for row in limits}),
        "digests": json.dumps({"brain": brain.provenance["sha256"], "links.csv": "ab" * 32}),
        "created": "",
        "stable_reference": 1.0,
        "stable_perturbed": 1.0,
        "unstable_reason": "",
        "methods": "Slow variables advance in days against the fast fixed point of the brain.",
        "references": json.dumps(["Kraeutler MJ, Soltis AR, Saucerman JJ 2010 BMC Syst Biol 4:157."]),
        "disclaimer": DISCLAIMER,
        "scenario": json.dumps(
            {
                "name": name, "duration_days": duration, "age": age, "development": age is not None,
                "recursive": True, "events": listed,
            }
        ),
        "convergence": json.dumps(
            {"steps": 412, "rejected": 9, "feedback_iterations": 3, "messages": ["all draws converged"]}
        ),
        "recursion": json.dumps(
            {
                "on": {"gamma_power": -0.21, "bdnf": -0.12},
                "off": {"gamma_power": -0.16, "bdnf": -0.1},
                "note": "",
            }
        ),
    }  # fmt: skip
    return tree
