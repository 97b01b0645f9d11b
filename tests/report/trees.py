"""Results made up for tests: the right form and plausible sizes, no model behind them."""

import json

import numpy as np
import xarray as xr

from synsys.core.schema import CELLS, DISCLAIMER, SCHEMA_VERSION, STATES
from synsys.data.embedded import load_embedded
from synsys.knowledge.load import limitation, vocabulary

READOUTS = {
    # name: (reference, log ratio or None, effect if no ratio, sd of the effect, d per unit of effect, origin)
    "nmda_conductance": (1.0, -0.357, 0, 0.0, 3.0, "input"),
    "nmda_drive_to_pv": (1.0, -0.357, 0, 0.01, 3.2, "wired"),
    "ltp": (1.42, -0.16, 0, 0.05, 5.0, "emergent"),
    "ltd": (0.71, 0.006, 0, 0.05, 5.0, "emergent"),
    "pv_rate": (11.2, -0.11, 0, 0.03, 6.0, "emergent"),
    "sst_rate": (7.1, -0.21, 0, 0.06, 6.0, "emergent"),
    "pyramidal_activity": (3.6, -0.045, 0, 0.06, 6.0, "emergent"),
    "ei_ratio": (1.0, 0.09, 0, 0.04, 8.0, "emergent"),
    "gamma_power": (0.0123, -0.42, 0, 0.12, 4.5, "emergent"),
    "peak_gamma_frequency": (41.0, -0.03, 0, 0.01, 9.0, "emergent"),
    "theta_power": (0.22, 0.13, 0, 0.08, 4.0, "emergent"),
    "alpha_power": (0.35, 0.004, 0, 0.05, 4.0, "emergent"),
    "beta_power": (0.08, -0.01, 0, 0.05, 4.0, "emergent"),
    "delta_power": (0.61, 0.17, 0, 0.14, 3.0, "emergent"),
    "aperiodic_exponent": (1.35, None, -0.08, 0.03, 5.0, "emergent"),
    "gamma_synchrony": (0.11, -0.2, 0, 0.07, 3.0, "emergent"),
    "hippocampal_prefrontal_fc": (0.21, None, -0.035, 0.02, 14.0, "emergent"),
    "thalamocortical_fc": (0.26, None, 0.002, 0.02, 14.0, "emergent"),
    "frontostriatal_fc": (0.31, None, -0.004, 0.02, 14.0, "emergent"),
    "dlpfc_activity": (3.5, -0.06, 0, 0.04, 6.0, "emergent"),
    "control_motor_network_activity": (3.4, -0.05, 0, 0.03, 6.0, "emergent"),
    "circuit_integrity": (1.0, -0.07, 0, 0.01, 5.0, "by construction"),
    "global_efficiency": (0.41, -0.021, 0, 0.02, 9.0, "emergent"),
    "modularity": (0.43, 0.031, 0, 0.02, 9.0, "emergent"),
    "clustering": (0.39, -0.002, 0, 0.02, 9.0, "emergent"),
    "small_worldness": (1.9, -0.004, 0, 0.02, 9.0, "emergent"),
    "dmn_fc": (0.44, None, -0.031, 0.012, 12.0, "emergent"),
    "dmn_sn_fc": (0.12, None, 0.0005, 0.012, 12.0, "emergent"),
    "sn_fc": (0.39, None, -0.02, 0.012, 12.0, "emergent"),
    "network_dysconnectivity": (0.0, None, 0.21, 0.05, 5.0, "by construction"),
}
METRICS = ("global_efficiency", "local_efficiency", "modularity", "clustering", "small_worldness",
           "betweenness", "participation", "rich_club", "assortativity", "network_resilience")  # fmt: skip


def make_tree(
    title: str = "GRIN2B=0.7",
    draws: int = 8,
    frequencies: int = 60,
    focal: bool = False,
    unstable: bool = False,
    linked: bool = True,
    seed: int = 0,
    scale: float = 1.0,
) -> xr.DataTree:
    """A made-up result on the embedded brain."""
    rng = np.random.default_rng(seed)
    brain = load_embedded()
    region = np.array(brain.labels, dtype=object)
    n = len(region)
    axis = {"state": list(STATES), "draw": np.arange(draws)}
    nothing = np.nan if unstable else 0.0

    table, reference, perturbed = _table(rng, draws, unstable, scale)
    rates = np.full((2, draws, n, len(CELLS)), np.nan)
    cortex = brain.regions["structure"].isin(["cortex", "hippocampus", "amygdala"]).to_numpy()
    rates[:, :, cortex, :3] = np.array([3.6, 11.0, 7.0]) * rng.lognormal(0, 0.05, (1, draws, cortex.sum(), 3))
    rate_change = scale * (-0.05 + 0.03 * brain.regions["y"].to_numpy() / 60 + 0.01 * rng.standard_normal(n))
    rates[1] *= np.exp(rate_change)[:, None]
    rates[1] += nothing

    frequency = np.geomspace(1, 100, frequencies)
    shape = 1 / (1 + (frequency / 4) ** 1.6) + 0.02 * np.exp(-((frequency - 40) ** 2) / 50)
    shape = shape + 0.25 * np.exp(-((frequency - 10) ** 2) / 4)
    power = shape * rng.lognormal(0, 0.2, (1, draws, 1, 1)) * rng.lognormal(0, 0.1, (1, 1, n, 1))
    power = np.concatenate([power, power * np.exp(-0.4 * scale * (frequency > 30))])
    power[1] += nothing

    z = np.arctanh(np.clip(brain.fc, -0.95, 0.95))[None] + 0.03 * rng.standard_normal((draws, n, n))
    change = -0.05 * scale * np.outer(rate_change, rate_change) / np.mean(rate_change**2)
    fc = np.tanh(np.stack([z, z + change]))
    fc = (fc + fc.swapaxes(2, 3)) / 2
    fc[:, :, np.arange(n), np.arange(n)] = 1.0
    fc[1] += nothing

    alone = np.tanh(np.arctanh(np.clip(fc, -0.99, 0.99)) * 1.1)
    alone[:, :, np.arange(n), np.arange(n)] = 1.0 + np.array([0.0, nothing])[:, None, None]
    centred = fc - 0.3 * (1 - np.eye(n))

    value = rng.uniform(0.1, 0.6, (2, len(METRICS)))
    mean = value - rng.uniform(-0.1, 0.1, value.shape)
    spread = np.full(value.shape, 0.02)
    value[1] += nothing
    xyz = brain.regions[["x", "y", "z"]].to_numpy()
    distance = np.linalg.norm(xyz - xyz[45], axis=1) if focal else np.full(n, np.nan)
    links = [
        ("grin2b_methylation", "nmda_conductance", -1, 0.4, "C", "power", "", ""),
        ("nmda_conductance", "nmda_drive_to_pv", 1, 1.0, "A", "power", "PV", ""),
        ("nmda_conductance", "camp_level", 1, 0.3, "B", "power", "", ""),
        ("camp_level", "pka_activity", 1, 0.8, "B", "power", "", ""),
        ("pka_activity", "gaba_release", -1, 0.2, "C", "power", "SST", "PFC"),
    ] * linked
    columns = list(zip(*links, strict=True)) or [()] * 8
    limits = sorted(set(table["limitation_id"].values.tolist()) - {""})
    attrs = {
        "schema_version": SCHEMA_VERSION,
        "version": "0.1.0",
        "command": f"synsys cascade --perturb {title}" + ("@dlPFC" if focal else ""),
        "title": title,
        "seed": seed,
        "draws": draws,
        "brain": brain.name,
        "options": json.dumps({"beta": 1.0, "spun_maps": None, "linearisation": "plain", "eeg": ""}),
        "perturbations": json.dumps(["nmda_conductance=0.7"]),
        "limitations": json.dumps({name: limitation(name) for name in limits}),
        "digests": json.dumps({"brain": brain.provenance["sha256"], "links.csv": "ab" * 32}),
        "created": "",
        "stable_reference": 1.0,
        "stable_perturbed": 0.0 if unstable else 1.0,
        "unstable_reason": "runaway excitation in L.precuneus" if unstable else "",
        "methods": "Conductance-based neural mass model (Moran et al. 2013) on the embedded brain.",
        "references": json.dumps(
            [
                "Moran R, Pinotsis DA, Friston K 2013 Neural masses and fields in dynamic causal modeling. "
                "Front Comput Neurosci 7:57. doi:10.3389/fncom.2013.00057",
                "Desikan RS et al. 2006 NeuroImage 31:968. doi:10.1016/j.neuroimage.2006.01.021",
            ]
        ),
        "disclaimer": DISCLAIMER,
    }
    region_axis = {"region": region}
    groups = {
        "/": xr.Dataset(attrs=attrs),
        "/table": table,
        "/rates": xr.Dataset(
            {"rate": (("state", "draw", "region", "cell"), rates)},
            {**axis, **region_axis, "cell": list(CELLS)},
        ),
        "/spectra": xr.Dataset(
            {"power": (("state", "draw", "region", "frequency"), power.astype(np.float32))},
            {**axis, **region_axis, "frequency": frequency},
        ),
        "/fc": xr.Dataset(
            {
                name: (("state", "draw", "region", "region_to"), values)
                for name, values in (("fc", fc), ("fc_noiseless", alone), ("fc_global_regressed", centred))
            },
            {**axis, **region_axis, "region_to": region},
        ),
        "/observations": _observations(table),
        "/graph": xr.Dataset(
            {
                **{
                    name: (("state", "metric"), values)
                    for name, values in (
                        ("value", value), ("null_mean", mean), ("null_sd", spread),
                        ("null_z", (value - mean) / spread), ("density", np.full(value.shape, 0.2)),
                    )
                },
                "rule": (("state", "metric"), np.full(value.shape, "proportional 20 %", dtype=object)),
            },
            {"state": list(STATES), "metric": list(METRICS)},
        ),
        "/draws": xr.Dataset(
            {
                "member": ("draw", np.arange(draws) % 4),
                "stable_reference": ("draw", np.ones(draws, bool)),
                "stable_perturbed": ("draw", np.full(draws, not unstable)),
                "reference": (("readout", "draw"), reference),
                "perturbed": (("readout", "draw"), perturbed),
            },
            {"draw": axis["draw"], "readout": table["readout"].values},
        ),
        "/regions": xr.Dataset(
            {
                **{
                    name: ("region", brain.regions[name].to_numpy(object).astype(object))
                    for name in ("hemisphere", "structure", "network")
                },
                **{name: ("region", brain.regions[name].to_numpy(float)) for name in "xyz"},
                "sensitivity": ("region", np.abs(rate_change)),
                "rebalanced": ("region", np.where(np.arange(n) % 30 == 4, 0.5, 0.0)),
                "tempered": ("region", np.zeros(n)),
                "distance": ("region", distance),
                "rate_change": ("region", np.where(cortex, rate_change, np.nan) + nothing),
                "fc_change": ("region", change.mean(0) + nothing),
            },
            region_axis,
        ),
        "/links": xr.Dataset(
            {
                name: ("link", np.array(column, dtype=float if name in ("sign", "strength") else object))
                for name, column in zip(
                    ("source", "target", "sign", "strength", "grade", "law", "cell", "where"), columns,
                    strict=True,
                )
            },
            {"link": np.arange(len(links))},
        ),
    }  # fmt: skip
    return xr.DataTree.from_dict(groups)


def _observations(table: xr.Dataset) -> xr.Dataset:
    """The same effects without noise, the opposite after regression of the global signal."""
    names = [name for name in READOUTS if name.endswith("_fc")]
    rows = table.sel(readout=names)
    columns = ("value", "reference", "log_ratio", "effect", "d", "lo90", "hi90", "p_sign")
    turned = {"effect": -rows["effect"], "d": -rows["d"], "p_sign": 1 - rows["p_sign"]}
    data = {
        c: (("observation", "readout"), np.stack([rows[c], rows[c], turned.get(c, rows[c])])) for c in columns
    }
    return xr.Dataset(data, {"observation": ["fc", "fc_noiseless", "fc_global_regressed"], "readout": names})


def _table(
    rng: np.random.Generator, draws: int, unstable: bool, scale: float
) -> tuple[xr.Dataset, np.ndarray, np.ndarray]:
    rows, before, after = [], [], []
    for name, (healthy, ratio, effect, sd, per_effect, origin) in READOUTS.items():
        known = vocabulary()[name]
        spread = sd * rng.standard_normal(draws)
        start = healthy * np.exp(0.05 * rng.standard_normal(draws))
        end = start * np.exp(scale * ratio + spread) if ratio is not None else start + scale * effect + spread
        if unstable and origin != "input":
            end = np.full(draws, np.nan)
        moved = np.log(end / start) if ratio is not None else end - start
        low, middle, high = (np.quantile(moved, q) for q in (0.05, 0.5, 0.95))
        nan = np.isnan(middle)
        rows.append(
            {
                "value": np.nan if nan else np.median(end),
                "reference": np.median(start),
                "log_ratio": middle if ratio is not None else np.nan,
                "effect": np.median(end) - np.median(start),
                "d": per_effect * middle,
                "lo90": low,
                "hi90": high,
                "p_sign": np.nan if nan else ((end > start).sum() + 0.5) / (draws + 1),
                "level": known.level,
                "unit": known.unit,
                "origin": origin,
                "label": "simulated-causal",
                "grade": "A" if origin == "input" else "C",
                "limitation_id": known.limitation_id,
                "definition": known.definition,
                "calibrated": "healthy rate" if name in ("pv_rate", "sst_rate") else "",
                "null_z_reference": 4.1 if name in METRICS else np.nan,
                "null_z_perturbed": 3.7 if name in METRICS and not unstable else np.nan,
            }
        )
        before.append(start)
        after.append(end)
    columns = {
        name: ("readout", np.array([row[name] for row in rows], dtype=None if name != "level" else object))
        for name in rows[0]
    }
    table = xr.Dataset(columns, {"readout": list(READOUTS)})
    return table, np.array(before), np.array(after)
