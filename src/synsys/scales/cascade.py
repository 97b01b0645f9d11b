"""The main job: what a molecular change does, level by level, against health."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

import synsys
from synsys.brain.modulation import selection
from synsys.core.connectome import Connectome
from synsys.core.errors import UserError, unknown
from synsys.core.perturbation import Perturbation
from synsys.core.schema import DISCLAIMER, SCHEMA_VERSION, STATES
from synsys.knowledge.load import limitation, vocabulary
from synsys.knowledge.mechanisms import disorders
from synsys.knowledge.resolve import parse_perturbation, quantity
from synsys.scales import tree as groups
from synsys.scales.describe import created, digests, methods, references
from synsys.scales.effects import METRIC, effects, graph_table, observations
from synsys.scales.runs import Outcome, Runner, solve_all


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
        table[f"null_z_{state}"] = [column.get(METRIC.get(name, name), np.nan) for name in table.index]
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
            "/observations": observations(runner, reference, persons, perturbed),
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
        "created": created(),
        "stable_reference": float(healthy),
        "stable_perturbed": float(stable),
        "unstable_reason": unstable,
        "methods": methods(runner, changes),
        "references": json.dumps(references(runner, changes)),
        "disclaimer": DISCLAIMER,
    }
    return tree
