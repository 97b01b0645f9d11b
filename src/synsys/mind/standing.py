"""Which readouts of the mind the tables alone bring about, and which emerge."""

from collections.abc import Collection

import numpy as np

from synsys.knowledge.mechanisms import TONES
from synsys.knowledge.symptoms import SymptomTable
from synsys.measures.standing import RESTATED
from synsys.mind.coupling import PARAMETERS, rows

DIRECT = {"noise": "cortical_noise"}
"""Measures of the circuit by the readout that restates the same quantities."""
NMDA = {"nmda_conductance": 1, "ampa_conductance": -1, "nmda_occupancy": -1}
"""What moves the NMDA share of a synapse by definition."""


_PRECISIONS = ("sensory_precision", "prior_precision")
_REWARD = (*_PRECISIONS, "reward_learning_rate", "punishment_learning_rate")
_COURSE = (*_PRECISIONS, "sensory_noise", "tonic_volatility")
_NUMBERS = (*_COURSE, "prior_bias")
DEPENDS: dict[str, tuple[str, ...]] = {
    "sensory_precision_weighting": _PRECISIONS,
    "prior_weight": _PRECISIONS,
    "belief_updating": (*_PRECISIONS, "reward_learning_rate", "prior_bias"),
    "update_asymmetry": (*_REWARD, "prior_bias"),
    "prediction_error": (*_NUMBERS, "threat_prior_precision"),
    "weighted_prediction_error": (*_NUMBERS, "threat_prior_precision"),
    "inference_accuracy": _NUMBERS,
    "update_rate": _NUMBERS,
    "volatility_adaptation": _NUMBERS,
    "expectation_bias": _NUMBERS,
    "threat_avoidance": ("threat_prior_precision", "inverse_temperature", "prior_bias"),
    "aberrant_salience": (*_REWARD, "reward_gain"),
    "salience_precision": _REWARD,
    "reward_sensitivity": ("reward_gain", "inverse_temperature"),
    "reward_processing": (*_REWARD, "reward_gain", "inverse_temperature"),
    "conditioned_hallucination": (*_COURSE, "inverse_temperature"),
}
"""Parameters of inference that readouts of inference and of its tasks depend on."""
OBSERVER = "healthy observer"
"""What the healthy value of these readouts is called calibrated to: one declared observer for all draws."""
_SYNAPSES = (
    "ampa_conductance", "nmda_conductance", "nmda_occupancy", "spine_density", "long_range_synaptic_weight",
    "glutamate_release",
)  # fmt: skip
_PROBED = (
    "nmda_conductance", "nmda_occupancy", "cacna1c_conductance", "calcium_dysregulation", "camkii_activity",
    "pka_activity", "erk_activity", "trkb_activity", "akt_mtor_activity", "gsk3b_activity",
    "plasticity_gene_expression",
)  # fmt: skip
_DOPAMINE = ("dopamine_tone", "d1_density", "d2_density", "d1_occupancy", "d2_occupancy")
_FEAR = tuple(dict.fromkeys((*_SYNAPSES, *_PROBED)))
_STRIATAL = tuple(dict.fromkeys((*_SYNAPSES, *_PROBED, *_DOPAMINE, "noise_amplitude")))
_SHIFT = (*_SYNAPSES, *_DOPAMINE, "noise_amplitude")
LEARNED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "fear_acquisition", "extinction_rate", "extinction_recall", "spontaneous_recovery",
            "fear_renewal", "fear_return",
        ),
        _FEAR,
    ),
    **dict.fromkeys(
        (
            "reward_learning", "reward_approach", "punishment_avoidance", "salience_discrimination",
            "neutral_cue_salience",
        ),
        _STRIATAL,
    ),
    **dict.fromkeys(("perseverative_errors", "set_shift_accuracy", "categories_completed"), _SHIFT),
}  # fmt: skip
"""Quantities that move scores of tasks of learning while the fast circuit stays healthy: what passes a
stimulus on, what the probe of plasticity takes, what dopamine receptors report. Trials decide the sign."""
PERFORMANCE = "healthy performance"
"""What the healthy value of these scores is called calibrated to: numbers were set so that health scores as
people do."""
DEFINED = {
    "sensory_precision_weighting": {"sensory_precision": 1, "prior_precision": -1},
    "prior_weight": {"sensory_precision": -1, "prior_precision": 1},
    "reward_sensitivity": {"reward_gain": 1, "inverse_temperature": 1},
}
"""Those that are nothing but a ratio or product of parameters; all others are played out in trials."""


def restated(name: str, alternative: Collection[str] = ()) -> dict[str, int]:
    """Quantities that a readout restates, with signs: wired where one of them is what was moved.

    For a readout of the brain `measures.standing.RESTATED`; for a parameter of inference what its rows take
    from the circuit without any dynamics (a tone; noise; the NMDA share); for what depends on parameters
    (`DEPENDS`) these parameters and what they restate, without a sign where trials decide it.
    """
    if name in DEPENDS:
        ways = DEFINED.get(name, {})
        out = {parameter: ways.get(parameter, 0) for parameter in DEPENDS[name]}
        for parameter in DEPENDS[name]:
            for moved, way in restated(parameter, alternative).items():
                out[moved] = _agreed(out.get(moved), ways.get(parameter, 0) * way)
        return out
    if name in LEARNED:
        return dict.fromkeys(LEARNED[name], 0)
    if name not in PARAMETERS:
        return RESTATED.get(name, {})
    out = {}
    for link in rows(alternative):
        if link.target != name:
            continue
        sign = int(np.sign(link.strength)) if link.sign_certain else 0
        for moved, way in _direct(link.source).items():
            out[moved] = _agreed(out.get(moved), sign * way)
    return out


def _agreed(before: int | None, now: int) -> int:
    return now if before in (None, now) else 0


def _direct(measure: str) -> dict[str, int]:
    """What moves a measure of the circuit by definition, without dynamics."""
    if measure in TONES.values() or measure == "acetylcholine_tone":
        return {measure: 1}
    return NMDA if measure == "nmda_share" else RESTATED.get(DIRECT.get(measure, ""), {})


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
