"""Groups of a result: outcomes of all draws as labelled arrays."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from synsys.brain.eeg import electrodes as known_electrodes
from synsys.brain.modulation import causal_order, entering, path_from, receptor_links, selection
from synsys.brain.solution import BANDS
from synsys.circuit.templates import cells
from synsys.core.perturbation import Perturbation
from synsys.core.schema import CELLS, OBSERVATIONS, STATES
from synsys.knowledge.mechanisms import Link, receptors
from synsys.knowledge.signaling import ACTIVATION, edges
from synsys.scales.runs import Outcome, Runner


def graph_dataset(graph: pd.DataFrame) -> xr.Dataset:
    """Group ``/graph`` from the table indexed by (state, metric)."""
    metrics = list(graph.loc["reference"].index)
    shape = {
        c: np.array([graph.loc[s].reindex(metrics)[c].to_numpy() for s in STATES])
        for c in ("value", "null_mean", "null_sd", "null_z", "density")
    }
    rule = np.array([[str(x) for x in graph.loc[s].reindex(metrics)["rule"]] for s in STATES], dtype=object)
    data = {name: (("state", "metric"), values.astype(float)) for name, values in shape.items()}
    return xr.Dataset(
        {**data, "rule": (("state", "metric"), rule)}, {"state": list(STATES), "metric": metrics}
    )


def rates(runner: Runner, reference: list[Outcome], perturbed: list[Outcome]) -> xr.Dataset:
    """Rates per region (channels averaged) and cell; with statistical linearisation fluctuations as well."""
    columns = reference, perturbed
    data = {"rate": _by_cell(runner, [[o.rates for o in column] for column in columns])}
    if runner.statistical:
        none = np.full_like(reference[0].rates, np.nan)
        data["potential_sd"] = _by_cell(
            runner, [[none if o.sd is None else o.sd for o in column] for column in columns]
        )
    return xr.Dataset(
        {name: (("state", "draw", "region", "cell"), values) for name, values in data.items()},
        {
            "state": list(STATES), "draw": np.arange(len(runner.draws)),
            "region": runner.model.brain.labels, "cell": list(CELLS),
        },
    )  # fmt: skip


def _by_cell(runner: Runner, columns: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Values of nodes and slots, [state][draw] of (N, 3), as (state, draw, region, cell)."""
    nodes = runner.model.wiring.nodes
    out = np.full((2, len(runner.draws), len(runner.model.brain), len(CELLS)), np.nan)
    for s, column in enumerate(columns):
        stack = np.stack(column)  # (draw, N, 3)
        for node, (region, template, share) in enumerate(
            zip(nodes.region, nodes.template, nodes.share, strict=True)
        ):
            if region < 0:
                continue
            for a, cell in enumerate(cells()[template]):
                c = CELLS.index(cell)
                out[s, :, region, c] = np.nan_to_num(out[s, :, region, c]) + share * stack[:, node, a]
    return out


def electrodes(runner: Runner, reference: list[Outcome], perturbed: list[Outcome]) -> xr.Dataset:
    """Band power at every electrode, with its place on a unit sphere where the 10-10 system knows it."""
    assert runner.field is not None
    names = [str(name) for name in runner.field.index]
    place = known_electrodes().reindex(names)
    data = np.stack([_stack(c, "eeg", (len(names), len(BANDS))) for c in (reference, perturbed)])
    unit = "(lead field unit x mV)^2 / Hz; scale free"
    return xr.Dataset(
        {
            "power": (("state", "draw", "electrode", "band"), data, {"units": unit}),
            **{axis: ("electrode", place[axis].to_numpy(float)) for axis in "xyz"},
        },
        {
            "state": list(STATES), "draw": np.arange(len(runner.draws)), "electrode": names,
            "band": list(BANDS),
        },
    )  # fmt: skip


def _stack(column: list[Outcome], name: str, shape: tuple[int, ...]) -> np.ndarray:
    empty = np.full(shape, np.nan, np.float32)
    return np.stack([empty if getattr(o, name) is None else getattr(o, name) for o in column])


def spectra(runner: Runner, reference: list[Outcome], perturbed: list[Outcome]) -> xr.Dataset:
    """Power of every region, (state, draw, region, frequency)."""
    f, labels = runner.grid.frequency, runner.model.brain.labels
    data = np.stack([_stack(c, "psd", (len(f), len(labels))) for c in (reference, perturbed)])
    return xr.Dataset(
        {"power": (("state", "draw", "region", "frequency"), data.swapaxes(2, 3))},
        {"state": list(STATES), "draw": np.arange(len(runner.draws)), "region": labels, "frequency": f},
    )


def connectivity(runner: Runner, reference: list[Outcome], perturbed: list[Outcome]) -> xr.Dataset:
    """BOLD connectivity in every way it is observed, (state, draw, region, region_to)."""
    labels = runner.model.brain.labels
    dims = ("state", "draw", "region", "region_to")
    data = {
        name: np.stack([_stack(c, name, (len(labels), len(labels))) for c in (reference, perturbed)])
        for name in OBSERVATIONS
    }
    return xr.Dataset(
        {name: (dims, values, {"long_name": OBSERVATIONS[name]}) for name, values in data.items()},
        {"state": list(STATES), "draw": np.arange(len(runner.draws)), "region": labels, "region_to": labels},
    )


def regions(
    runner: Runner, changes: Sequence[Perturbation], reference: list[Outcome], perturbed: list[Outcome]
) -> xr.Dataset:
    """Where the change is felt: change of rate and connectivity per region, distance from a focal lesion.

    ``rebalanced`` and ``tempered``: share of draws in which the healthy state of a region, or of one of
    its channels, had to be adjusted (`brain.state.HealthyBrain`).
    """
    brain, nodes = runner.model.brain, runner.model.wiring.nodes
    both = [k for k, (r, p) in enumerate(zip(reference, perturbed, strict=True)) if r.stable and p.stable]
    n = len(brain)
    rate, fc = np.full(n, np.nan), np.full(n, np.nan)
    if both:
        change = np.median(
            [np.log(perturbed[k].rates[:, 0] / reference[k].rates[:, 0]) for k in both], axis=0
        )
        rate[:] = 0.0
        inside = nodes.region.to_numpy() >= 0
        np.add.at(rate, nodes.region.to_numpy()[inside], (change * nodes.share.to_numpy())[inside])

        def z(o: Outcome) -> np.ndarray:
            m = np.array(o.fc, float)
            np.fill_diagonal(m, 0.0)
            return np.arctanh(np.clip(m, -0.999999, 0.999999))

        fc = np.median([(z(perturbed[k]) - z(reference[k])).sum(1) / (n - 1) for k in both], axis=0)
    distance = np.full(n, np.nan)
    if changes and all(c.where for c in changes):
        focus = np.zeros(n, bool)
        for c in changes:
            hit = selection(runner.model.places, c).any(1) & (nodes.region.to_numpy() >= 0)
            focus[nodes.region.to_numpy()[hit]] = True
        if focus.any():
            distance = runner.atlas.distance[:, focus].min(1)
    owner = nodes.region.to_numpy()
    adjusted = {
        name: np.array([np.mean([getattr(o, name)[owner == i].any() for o in reference]) for i in range(n)])
        for name in ("rebalanced", "tempered")
    }
    frame = brain.regions
    columns = {c: ("region", frame[c].to_numpy()) for c in ("x", "y", "z")}
    columns |= {
        c: ("region", frame[c].astype(str).to_numpy(object)) for c in ("hemisphere", "structure", "network")
    }
    sensitivity = np.sqrt(rate**2 + fc**2)
    return xr.Dataset(
        {
            **columns,
            "sensitivity": ("region", sensitivity),
            "distance": ("region", distance),
            "rate_change": ("region", rate),
            "fc_change": ("region", fc),
            **{name: ("region", share) for name, share in adjusted.items()},
        },
        {"region": brain.labels},
    )


def link_table(changes: Sequence[Perturbation], touched: dict[str, float]) -> xr.Dataset:
    """Links, receptors and edges of the signaling network that carry the change, from the tables.

    Parameters
    ----------
    changes : sequence of Perturbation
    touched : dict
        What moved (`scales.runs.touched`); rows whose source did not move carry nothing. The law of an edge
        is what it acts on, and its sign the effect on the level of its target.
    """
    moved = path_from(changes).keys() & {*touched, *(change.name for change in changes)}
    rows: list[tuple] = []

    def add(link: Link) -> None:
        rows.append(
            (
                link.source, link.target, np.sign(link.strength), link.strength, link.grade, link.law,
                "|".join(link.cell), "|".join(link.where),
            )
        )  # fmt: skip

    for link in (*entering(), *causal_order()):
        if link.source in moved:
            add(link)
    for row in receptors():
        for cause, sign in ((row.density, 1.0), (row.tone, 1.0), (row.occupancy, -1.0)):
            if cause in moved:
                moved = moved | {ACTIVATION + row.receptor}
                rows.append((cause, ACTIVATION + row.receptor, sign, 1.0, row.grade, "receptor", "", ""))
    for edge in edges():
        if edge.source in moved:
            strength = -edge.strength if edge.acts_on == "loss" else edge.strength
            rows.append(
                (
                    edge.source, edge.target, np.sign(strength), strength, edge.grade, edge.acts_on, "",
                    "|".join(edge.where),
                )
            )  # fmt: skip
    for link in receptor_links():
        if link.source in moved:
            add(link)
    names = ("source", "target", "sign", "strength", "grade", "law", "cell", "where")
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    data = {
        n: ("link", np.array(c, float if n in ("sign", "strength") else object))
        for n, c in zip(names, columns, strict=True)
    }
    return xr.Dataset(data, {"link": np.arange(len(rows))})


def table_dataset(table: pd.DataFrame, dim: str) -> xr.Dataset:
    """A table as a dataset along `dim`, numbers as floats and text as objects."""
    data = {
        c: (dim, table[c].to_numpy(float) if table[c].dtype.kind in "fi" else table[c].to_numpy(object))
        for c in table.columns
    }
    return xr.Dataset(data, {dim: list(table.index)})
