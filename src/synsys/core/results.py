"""The forms of a result: groups, variables and coordinates of each kind, and what stands beside them.

A result is one ``xarray.DataTree``. Its attribute ``kind`` ("cascade" where there is none) selects the entry
of `FORMS` that says what it holds; further groups and variables may be added freely. `core.schema` checks,
reads and writes.
"""

from __future__ import annotations

from synsys.core.forms import Form as Form
from synsys.core.forms import Group, axis
from synsys.core.forms import Variable as Variable
from synsys.core.results_mind import BEHAVIOUR, FITTED, RECOVERED, RECOVERY

SCHEMA_VERSION = "1"
DISCLAIMER = "Research use only; not for diagnosis or treatment."
STATES = ("reference", "perturbed")
CELLS = ("E", "PV", "SST", "TC", "RE", "D1", "D2", "FSI", "GPe", "GPi", "STN", "DCN", "PC")
LEVELS = (
    "genetic", "epigenetic", "molecular", "ion_channel", "immune", "metabolic", "endocrine", "environment",
    "development", "synaptic", "cellular", "microcircuit", "oscillation", "circuit", "network", "task",
    "inference", "symptom", "outcome", "behaviour",
)  # fmt: skip
ORIGINS = ("input", "by construction", "wired", "emergent")
LABELS = ("simulated-causal", "observed", "associative")
GRADES = ("A", "B", "C")
FORMS_OF_NODES = ("fold", "shift", "index")
RATIO, EFFECT_SIZE = "log ratio", "d"
"""Measures of a change beside its own unit: log ratio to health, and healthy between-person sd."""
OBSERVATIONS = {
    "fc": "with measurement noise",
    "fc_noiseless": "without measurement noise",
    "fc_global_regressed": "after regression of the global signal",
}
"""Ways in which connectivity is observed: names in `/fc` and `/observations`, and words."""
NEGLIGIBLE = 0.1
"""An effect of |d| below this is called negligible, whatever its sign."""

_STATE, _DRAW, _REGION = axis("state", accepted=STATES), axis("draw", "count", low=0), axis("region")
_READOUT = axis("readout")
_PER_READOUT, _PER_REGION, _PER_METRIC = Variable(("readout",)), Variable(("region",)), ("state", "metric")
_PER_LINK, _TEXT = Variable(("link",), "text"), Variable(("readout",), "text")

SCHEMA: dict[str, Group] = {
    "table": Group(
        {"readout": _READOUT},
        {
            **dict.fromkeys(("value", "reference", "log_ratio", "effect", "d", "lo90", "hi90"), _PER_READOUT),
            "p_sign": Variable(("readout",), low=0, high=1),
            "level": Variable(("readout",), "text", LEVELS),
            "unit": _TEXT,
            "origin": Variable(("readout",), "text", ORIGINS),
            "label": Variable(("readout",), "text", LABELS),
            "grade": Variable(("readout",), "text", (*GRADES, "")),
            "limitation_id": _TEXT,
            "definition": _TEXT,
            "calibrated": _TEXT,
            "null_z_reference": _PER_READOUT,
            "null_z_perturbed": _PER_READOUT,
        },
        {"people_lo90": _PER_READOUT, "people_hi90": _PER_READOUT},
    ),
    "rates": Group(
        {"state": _STATE, "draw": _DRAW, "region": _REGION, "cell": axis("cell", accepted=CELLS)},
        {"rate": Variable(("state", "draw", "region", "cell"), low=0)},
    ),
    "spectra": Group(
        {"state": _STATE, "draw": _DRAW, "region": _REGION, "frequency": axis("frequency", "number", low=0)},
        {"power": Variable(("state", "draw", "region", "frequency"), low=0)},
    ),
    "fc": Group(
        {"state": _STATE, "draw": _DRAW, "region": _REGION, "region_to": axis("region_to")},
        dict.fromkeys(
            OBSERVATIONS,
            Variable(("state", "draw", "region", "region_to"), low=-1 - 1e-6, high=1 + 1e-6),
        ),
    ),
    "observations": Group(
        {"observation": axis("observation", accepted=tuple(OBSERVATIONS)), "readout": axis("readout")},
        {
            **dict.fromkeys(
                ("value", "reference", "log_ratio", "effect", "d", "lo90", "hi90"),
                Variable(("observation", "readout")),
            ),
            "p_sign": Variable(("observation", "readout"), low=0, high=1),
        },
    ),
    "graph": Group(
        {"state": _STATE, "metric": axis("metric")},
        {
            **dict.fromkeys(("value", "null_mean", "null_sd", "null_z"), Variable(_PER_METRIC)),
            "rule": Variable(_PER_METRIC, "text"),
            "density": Variable(_PER_METRIC, low=0, high=1),
        },
    ),
    "draws": Group(
        {"draw": _DRAW, "readout": _READOUT},
        {
            "member": Variable(("draw",), "count", low=0),
            "stable_reference": Variable(("draw",), "flag"),
            "stable_perturbed": Variable(("draw",), "flag"),
            "reference": Variable(("readout", "draw")),
            "perturbed": Variable(("readout", "draw")),
        },
    ),
    "regions": Group(
        {"region": _REGION},
        {
            "hemisphere": Variable(("region",), "text", ("L", "R", "B")),
            "structure": Variable(("region",), "text"),
            "network": Variable(("region",), "text"),
            **dict.fromkeys(("x", "y", "z", "rate_change", "fc_change"), _PER_REGION),
            **dict.fromkeys(("sensitivity", "distance"), Variable(("region",), low=0)),
            **dict.fromkeys(("rebalanced", "tempered"), Variable(("region",), low=0, high=1)),
        },
    ),
    "links": Group(
        {"link": Variable(("link",), "text")},
        {
            **dict.fromkeys(("source", "target", "law", "cell", "where"), _PER_LINK),
            "sign": Variable(("link",), low=-1, high=1),
            "strength": Variable(("link",)),
            "grade": Variable(("link",), "text", (*GRADES, "")),
        },
    ),
}
"""Groups of a cascade and what each holds. The coordinate of `/links` may be text or whole numbers."""

ATTRIBUTES: dict[str, type] = {
    "schema_version": str, "version": str, "command": str, "title": str, "seed": int, "draws": int,
    "brain": str, "options": dict, "perturbations": list, "limitations": dict, "digests": dict,
    "created": str, "stable_reference": float, "stable_perturbed": float, "unstable_reason": str,
    "methods": str, "references": list, "disclaimer": str,
}  # fmt: skip
"""Attributes of the root; lists and dictionaries are stored as JSON text, see `core.schema.attribute`."""

_TIME = Variable(("time",), increasing=True)
_DENSE = Variable(("time_dense",), increasing=True)
_ITEM, _EVENT, _WINDOW = Variable(("item",)), Variable(("event",)), Variable(("window",))

TRAJECTORY: dict[str, Group] = {
    "trajectory": Group(
        {"state": _STATE, "draw": _DRAW, "time": _TIME, "readout": _READOUT},
        {
            "value": Variable(("state", "draw", "time", "readout")),
            "age": Variable(("time",)),
            "level": Variable(("readout",), "text", LEVELS),
            "unit": _TEXT,
        },
        {"sd": Variable(("readout",), low=0)},
    ),
    "slow": Group(
        {"draw": _DRAW, "time_dense": _DENSE, "variable": axis("variable")},
        {
            "value": Variable(("draw", "time_dense", "variable")),
            "level": Variable(("variable",), "text", LEVELS),
            "form": Variable(("variable",), "text", FORMS_OF_NODES),
        },
    ),
    "slow_regions": Group(
        {"time": _TIME, "variable": axis("variable"), "region": _REGION},
        {"value": Variable(("time", "variable", "region"))},
    ),
    "events": Group(
        {"event": axis("event"), "time_dense": _DENSE},
        {
            "label": Variable(("event",), "text"),
            "quantity": Variable(("event",), "text"),
            "start": _EVENT,
            "end": _EVENT,
            "level": Variable(("event", "time_dense"), low=0, high=1 + 1e-9),
        },
    ),
    "leadlag": Group(
        {"item": axis("item")},
        {
            **dict.fromkeys(("moved", "lo", "hi", "peak", "peak_time", "half_rise"), _ITEM),
            **dict.fromkeys(("recovery", "turned", "threshold", "final", "final_lo", "final_hi"), _ITEM),
            "share": Variable(("item",), low=0, high=1),
            "direction": Variable(("item",), low=-1, high=1),
            "persistent": Variable(("item",), "flag"),
            "order": Variable(("item",), "count", low=0),
            "level": Variable(("item",), "text", LEVELS),
            "measure": Variable(("item",), "text"),
        },
    ),
    "development": Group(
        {"time_dense": _DENSE, "quantity": axis("quantity")},
        {"curve": Variable(("time_dense", "quantity"))},
        required=False,
    ),
    "windows": Group({"window": axis("window")}, {"start": _WINDOW, "end": _WINDOW}, required=False),
    "regions": Group(
        {"region": _REGION},
        {name: Variable(("region",), "text") for name in ("hemisphere", "structure", "network")},
        required=False,
    ),
}
"""Groups of a trajectory. Slow values are means over the brain against the age norm: 1 (fold) or 0 (shift,
index) is health; `/slow_regions` holds their median over draws in each region. Times are in days, ages and
windows of development in years. `sd` is the healthy spread between people of the change of a readout: of its
log ratio where it is a ratio to health, else of its difference. The coordinate of `/events` may be text or
whole numbers."""

_RUN, _OBSERVABLE = axis("run", "count", low=0), axis("observable")
_PER_RUN = ("run", "region", "observable")

SIMULATION: dict[str, Group] = {
    "runs": Group({"run": _RUN}, {"seed": Variable(("run",)), "draw": Variable(("run",))}),
    "activity": Group(
        {"run": _RUN, "region": _REGION, "observable": _OBSERVABLE},
        {"mean": Variable(_PER_RUN), "sd": Variable(_PER_RUN, low=0)},
    ),
    "table": Group({"run": _RUN}, {}),
    "regions": Group(
        {"region": _REGION},
        {name: Variable(("region",), "text") for name in ("hemisphere", "structure", "network")},
    ),
    "bold": Group(
        {"run": _RUN, "scan": Variable(("scan",), increasing=True), "region": _REGION},
        {"bold": Variable(("run", "scan", "region"))},
        required=False,
    ),
    "course": Group(
        {
            "run": _RUN,
            "time": Variable(("time",), increasing=True),
            "region": _REGION,
            "observable": _OBSERVABLE,
        },
        {"value": Variable(("run", "time", "region", "observable"))},
        required=False,
    ),
    "eeg": Group(
        {"run": _RUN, "time": Variable(("time",), increasing=True), "electrode": axis("electrode")},
        {"potential": Variable(("run", "time", "electrode"))},
        required=False,
    ),
}
"""Groups of a simulation. `/runs` holds the point of the grid, draw and seed of every run, `/table` a row of
measures for each; times and scans are in seconds after the warm-up. `/eeg` is what electrodes see, about its
mean over the run, in the unit of the lead field times that of what stands for dipole moments."""

FORMS: dict[str, Form] = {
    "cascade": Form(
        SCHEMA,
        ATTRIBUTES,
        ("state", "draw", "region", "readout"),
        {"rates": ("rate",), "spectra": ("power",), "fc": tuple(SCHEMA["fc"].variables)},
    ),
    "trajectory": Form(
        TRAJECTORY,
        {**ATTRIBUTES, "kind": str, "scenario": dict, "convergence": dict, "recursion": dict},
        ("state", "draw", "region", "time", "time_dense", "variable"),
        {"trajectory": ("value",), "slow": ("value",), "slow_regions": ("value",), "events": ("level",)},
    ),
    "simulation": Form(
        SIMULATION,
        {
            **{name: str for name in ("schema_version", "kind", "version", "command", "title", "brain")},
            "seed": int, "options": dict, "grid": dict, "fixed": dict, "digests": dict, "created": str,
            "disclaimer": str,
        },
        ("run", "region"),
        {
            "activity": ("mean", "sd"), "bold": ("bold",), "course": ("value",), "eeg": ("potential",),
        },
    ),
    "behaviour": Form(BEHAVIOUR, FITTED, ("subject", "parameter"), {"course": ("value",)}),
    "recovery": Form(RECOVERY, RECOVERED, ("subject", "parameter"), {}),
}  # fmt: skip
"""Kinds of results. A trajectory has beside the attributes of a cascade: scenario (name, duration_days, age
at its start in years or null, development, recursive, events, and a text if it has one), convergence (what
the solver says of itself) and recursion (empty, or ``on`` and ``off``: changes of readouts at the end by
name, with and without feedback from the fast brain, and a ``note``)."""
