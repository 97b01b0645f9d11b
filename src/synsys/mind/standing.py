"""Which readouts of the mind the tables alone bring about, and which emerge."""

from collections.abc import Collection

import numpy as np

from synsys.knowledge.load import vocabulary
from synsys.knowledge.symptoms import SymptomTable
from synsys.measures.standing import RESTATED
from synsys.mind.coupling import PARAMETERS, rows

DIRECT = {"noise": "cortical_noise"}
"""Measures of the circuit by the readout that restates the same quantities."""
NMDA = {"nmda_conductance": 1, "ampa_conductance": -1, "nmda_occupancy": -1}
"""What moves the NMDA share of a synapse by definition."""


def restated(name: str, alternative: Collection[str] = ()) -> dict[str, int]:
    """Quantities that a readout restates, with signs: wired where one of them is what was moved.

    For a readout of the brain `measures.standing.RESTATED`; for a parameter of inference what its rows take
    from the circuit without any dynamics (a tone; noise; the NMDA share).
    """
    if name not in PARAMETERS:
        return RESTATED.get(name, {})
    out: dict[str, int] = {}
    for link in rows(alternative):
        if link.target != name:
            continue
        sign = int(np.sign(link.strength)) if link.sign_certain else 0
        if link.source in vocabulary() and vocabulary()[link.source].perturbable:
            direct = {link.source: 1} if link.source.endswith(("_tone", "_level")) else {}
        else:
            direct = NMDA if link.source == "nmda_share" else RESTATED.get(DIRECT.get(link.source, ""), {})
        for moved, way in direct.items():
            out[moved] = sign * way if out.get(moved, sign * way) == sign * way else 0
    return out


def wired(
    name: str,
    reached: Collection[str],
    table: SymptomTable,
    alternative: Collection[str] = (),
    known: Collection[str] | None = None,
) -> bool:
    """Whether rows of tables alone carry a change to a readout.

    Parameters
    ----------
    name : str
    reached : collection of str
        What was changed and all that tables lead it to (`brain.modulation.path_from`).
    table : SymptomTable
        A symptom is wired if readouts that hold half of its weight are.
    alternative : collection of str
    known : collection of str, optional
        Readouts from which symptoms are read; all by default.
    """
    if name not in table.rows:
        return name in reached or not restated(name, alternative).keys().isdisjoint(reached)
    held = [row for row in table.rows[name] if known is None or row.source in known]
    carried = [row for row in held if wired(row.source, reached, table, alternative, known)]
    return bool(held) and 2 * sum(abs(r.weight) for r in carried) >= sum(abs(r.weight) for r in held)
