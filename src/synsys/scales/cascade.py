"""The main job: what a molecular change does, level by level, against health."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

import synsys
from synsys.brain.modulation import selection
from synsys.core.connectome import Connectome
from synsys.core.errors import UserError, unknown
from synsys.core.perturbation import Perturbation
from synsys.core.schema import DISCLAIMER, SCHEMA_VERSION, STATES
from synsys.knowledge.load import limitation, vocabulary
from synsys.knowledge.mechanisms import disorders, inert
from synsys.knowledge.resolve import parse_perturbation, parse_sweep, quantity, resolved
from synsys.knowledge.symptoms import SymptomTable, read_symptoms
from synsys.knowledge.symptoms import symptoms as symptom_table
from synsys.scales import tree as groups
from synsys.scales.describe import created, digests, methods, references
from synsys.scales.effects import METRIC, Healthy, effects, graph_table, observations
from synsys.scales.runs import Outcome, Runner, solve_all

TASKED = 16
"""Draws in which states perform tasks, unless asked for otherwise."""


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
        names = {row: (*vocabulary()[row].aliases, row) for row in sorted(known)}  # what a user types first
        accepted = [alias for aliases in names.values() for alias in aliases]
        first = [aliases[0] for aliases in names.values()]
        raise unknown("disorder", name, accepted, "see synsys catalog disorders", first)
    return tuple(
        Perturbation(r.name, r.value, r.op, r.cell or None, r.where or None, r.sd, r.grade, r.source)
        for r in disorders()
        if r.disorder == found
    )


def resolve(
    perturb: Sequence[str | Perturbation] | str | Perturbation, disorder: Sequence[str] | str = ()
) -> tuple[Perturbation, ...]:
    """Perturbations from text, records and disorder names, in that order.

    Raises
    ------
    UserError
        For unknown names, and if nothing in the model follows from any of the perturbations.
    """
    given = [perturb] if isinstance(perturb, str | Perturbation) else list(perturb)
    named = [disorder] if isinstance(disorder, str) else list(disorder)
    changes = [parse_perturbation(p) if isinstance(p, str) else resolved(p) for p in given]
    changes += [row for name in named for row in profile(name)]
    idle = inert_names(changes)
    if idle and all(inert(change.name) for change in changes):
        none = "no link leads from " + ("it" if len(idle) == 1 else "them")
        raise UserError(
            f"nothing in the model follows from {', '.join(idle)}: {none}; see synsys catalog perturbations"
        )
    return tuple(changes)


def inert_names(changes: Sequence[Perturbation]) -> tuple[str, ...]:
    """Quantities among the perturbations from which nothing in the model follows, each once."""
    return tuple(dict.fromkeys(change.name for change in changes if inert(change.name)))


def open_brain(brain: Connectome | str | Path | None) -> Connectome:
    """A connectome, from a record, a path, or the embedded brain."""
    from synsys.data.embedded import load_embedded
    from synsys.data.read import load_brain

    if brain is None:
        return load_embedded()
    return brain if isinstance(brain, Connectome) else load_brain(brain)


def cascade(
    perturb: Sequence[str | Perturbation] | str | Perturbation = (),
    disorder: Sequence[str] | str = (),
    brain: Connectome | str | Path | None = None,
    draws: int = 32,
    seed: int = 0,
    jobs: int | None = None,
    beta: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
    command: str = "",
    *,
    spun_maps: int | None = None,
    linearisation: str = "plain",
    eeg: pd.DataFrame | str | Path | None = None,
    tasks: int = TASKED,
    inference: Sequence[str] | str = (),
    symptoms: str | Path | None = None,
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
    spun_maps : int, optional
        Seed of a rotation of the cortical maps, the same for all maps and draws: a null for whatever
        heterogeneity is said to explain.
    linearisation : {"plain", "statistical"}
        ``statistical`` averages firing rate and gain over the fluctuations of the potential (meant for
        fluctuations of 1 to 3 mV, `brain.statistical.DOMAIN`) and takes tens of times as long.
    eeg : DataFrame, path or ``"sphere"``, optional
        Lead field, electrodes by regions: band power at electrodes becomes the group ``/eeg``.
    tasks : int
        Draws, the first ones, in which every state also performs tasks, from which inference and symptoms are
        read; 0 for none. Tasks take about as long as everything else together.
    inference : sequence of str
        Readings of contradictory findings on inference to use instead of the default ones
        (`knowledge.mechanisms.alternatives`): ``"strong_priors"``.
    symptoms : path, optional
        A table of symptoms (`knowledge.symptoms`) instead of the one that comes with the package.

    Returns
    -------
    DataTree
        The result (`synsys.core.schema`).

    Raises
    ------
    UserError
        For unknown names, cells, places or disorders, or options that cannot be followed, before any
        work starts.
    """
    changes = resolve(perturb, disorder)
    runner = _runner(draws, brain, seed, jobs, beta, spun_maps, linearisation, eeg, tasks, inference)
    command = command or _call("cascade", changes)
    return _solved(runner, [changes], disorder, progress, command, _symptoms(symptoms))[0]


def sweep(
    perturb: Sequence[str | Perturbation] | str,
    disorder: Sequence[str] | str = (),
    brain: Connectome | str | Path | None = None,
    draws: int = 32,
    seed: int = 0,
    jobs: int | None = None,
    beta: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
    command: str = "",
    *,
    spun_maps: int | None = None,
    linearisation: str = "plain",
    eeg: pd.DataFrame | str | Path | None = None,
    tasks: int = TASKED,
    inference: Sequence[str] | str = (),
    symptoms: str | Path | None = None,
) -> list[xr.DataTree]:
    """A cascade for each dose of a perturbation, against references and people that are solved once.

    Parameters
    ----------
    perturb : str, Perturbation, or sequence of them
        At most one of them a sweep, ``NAME=a:b:step``: ``"d2_occupancy=0.3:0.9:0.2"``.
    disorder, brain, draws, seed, jobs, beta, progress, command, spun_maps, linearisation, eeg
        As for `cascade`.
    tasks, inference, symptoms
        As for `cascade`.

    Returns
    -------
    list of DataTree
        One result a dose, each equal to that of `cascade` at this dose.

    Raises
    ------
    UserError
        As `cascade`, and for two sweeps at once.
    """
    sets = doses(perturb, disorder)
    runner = _runner(draws, brain, seed, jobs, beta, spun_maps, linearisation, eeg, tasks, inference)
    return _solved(runner, sets, disorder, progress, command or _call("sweep", sets[0]), _symptoms(symptoms))


def doses(
    perturb: Sequence[str | Perturbation] | str | Perturbation, disorder: Sequence[str] | str = ()
) -> list[tuple[Perturbation, ...]]:
    """Sets of perturbations, one for each dose of the one that is swept.

    Raises
    ------
    UserError
        For unknown names, and if more than one perturbation is swept.
    """
    given = [perturb] if isinstance(perturb, str | Perturbation) else list(perturb)
    sweeps = [parse_sweep(p) if isinstance(p, str) else (p,) for p in given]
    swept = [s for s in sweeps if len(s) > 1]
    if len(swept) > 1:
        raise UserError("one perturbation can be swept at a time")
    count = len(swept[0]) if swept else 1
    return [resolve([s[k] if len(s) > 1 else s[0] for s in sweeps], disorder) for k in range(count)]


DOSES_AT_ONCE = 32
"""Doses that share one solution of the references; more are solved in parts, to bound memory."""


def _call(function: str, changes: Sequence[Perturbation]) -> str:
    return f"synsys.{function}({', '.join(map(str, changes))!r})"


def _runner(
    draws: int, brain: Connectome | str | Path | None, seed: int, jobs: int | None, beta: float,
    spun_maps: int | None, linearisation: str, eeg: pd.DataFrame | str | Path | None, tasks: int,
    inference: Sequence[str] | str,
) -> Runner:  # fmt: skip
    if draws < 2:
        raise UserError(f"draws = {draws}: at least 2 are needed for an interval")
    return Runner(
        open_brain(brain), draws, seed, beta=beta, jobs=jobs, spun_maps=spun_maps,
        linearisation=linearisation, eeg=eeg, tasks=tasks,
        alternative=[inference] if isinstance(inference, str) else inference,
    )  # fmt: skip


def _symptoms(path: str | Path | None) -> SymptomTable:
    return symptom_table() if path is None else read_symptoms(path)


def _solved(
    runner: Runner,
    sets: Sequence[Sequence[Perturbation]],
    disorder: Sequence[str] | str,
    progress: Callable[[int, int], None] | None,
    command: str,
    symptoms: SymptomTable,
) -> list[xr.DataTree]:
    """Result of every set of perturbations, at the end of which stand those of the disorders."""
    named = [disorder] if isinstance(disorder, str) else list(disorder)
    theirs = sum(len(profile(name)) for name in named)
    for change in (change for changes in sets for change in changes):
        selection(runner.model.places, change)
    out = []
    for start in range(0, len(sets), DOSES_AT_ONCE):
        part = sets[start : start + DOSES_AT_ONCE]
        reference, people, *perturbed = (
            list(column) for column in zip(*solve_all(runner, part, progress), strict=True)
        )
        healthy = Healthy(runner, reference, people, symptoms)
        out += [
            assemble(
                runner,
                changes,
                healthy,
                column,
                command,
                ", ".join([*map(str, changes[: len(changes) - theirs]), *named]),
            )
            for changes, column in zip(part, perturbed, strict=True)
        ]
    return out


def assemble(
    runner: Runner, changes: Sequence[Perturbation], healthy: Healthy, perturbed: list[Outcome],
    command: str, title: str = "",
) -> xr.DataTree:  # fmt: skip
    """Result tree of one set of perturbations from the outcomes of every draw."""
    reference = healthy.reference
    values = effects(runner, changes, healthy, perturbed)
    stable = np.mean([o.stable for o in perturbed])
    graph = graph_table(healthy, perturbed)
    table = values.table
    for state in STATES:
        column = graph.xs(state, level="state")["null_z"]
        table[f"null_z_{state}"] = [column.get(METRIC.get(name, name), np.nan) for name in table.index]
    identifiers = sorted(
        {*table.limitation_id, *(vocabulary()[c.name].limitation_id for c in changes)} - {""}
    )
    tree = xr.DataTree.from_dict(
        {
            "/table": groups.table_dataset(table, "readout"),
            "/rates": groups.rates(runner, reference, perturbed),
            "/spectra": groups.spectra(runner, reference, perturbed),
            "/fc": groups.connectivity(runner, reference, perturbed),
            "/observations": observations(healthy, perturbed),
            "/graph": groups.graph_dataset(graph),
            "/draws": values.draws,
            "/regions": groups.regions(runner, changes, reference, perturbed),
            "/links": groups.link_table(changes, values.touched),
            **({} if runner.field is None else {"/eeg": groups.electrodes(runner, reference, perturbed)}),
        }
    )
    tree.attrs = {
        "schema_version": SCHEMA_VERSION,
        "version": synsys.__version__,
        "command": command,
        "title": title or "unperturbed",
        "seed": runner.seed,
        "draws": len(runner.draws),
        "brain": runner.model.brain.name,
        "options": json.dumps(runner.options),
        "perturbations": json.dumps([str(c) for c in changes]),
        "limitations": json.dumps({i: limitation(i) for i in identifiers}),
        "digests": json.dumps(digests(runner.brain)),
        "created": created(),
        "stable_reference": float(np.mean([o.stable for o in reference])),
        "stable_perturbed": float(stable),
        "unstable_reason": runner.instability(changes, perturbed),
        "methods": methods(runner, changes),
        "references": json.dumps(references(runner, changes)),
        "disclaimer": DISCLAIMER,
    }
    return tree
