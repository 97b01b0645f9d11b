"""Forms of results of fits of behaviour and of recoveries."""

from synsys.core.forms import Group, Variable, axis

_SUBJECT, _PARAMETER, _MODEL = axis("subject"), axis("parameter"), axis("model")
_PER_ONE = Variable(("subject", "parameter"))
_SHARE = Variable(("model",), low=0, high=1)

BEHAVIOUR: dict[str, Group] = {
    "parameters": Group(
        {"parameter": _PARAMETER},
        {
            **dict.fromkeys(("group", "group_lo", "group_hi", "recovery_r", "recovery_coverage"),
                            Variable(("parameter",))),
            "definition": Variable(("parameter",), "text"),
            "trust": Variable(("parameter",), "text"),
        },
    ),
    "people": Group(
        {"subject": _SUBJECT},
        {
            "trials": Variable(("subject",), "count", low=1),
            **dict.fromkeys(("log_p", "evidence", "laplace"), Variable(("subject",))),
            "ess": Variable(("subject",), low=0),
            "converged": Variable(("subject",), "flag"),
        },
    ),
    "estimates": Group(
        {"subject": _SUBJECT, "parameter": _PARAMETER},
        dict.fromkeys(("value", "lo90", "hi90", "fitted", "fitted_sd"), _PER_ONE),
    ),
    "check": Group({"subject": _SUBJECT}, {}),
    "effects": Group(
        {"covariate": axis("covariate"), "parameter": _PARAMETER},
        dict.fromkeys(("coefficient", "error", "z", "p"), Variable(("covariate", "parameter"))),
        required=False,
    ),
    "course": Group(
        {"subject": _SUBJECT, "trial": axis("trial", "count", low=1), "quantity": axis("quantity")},
        {"value": Variable(("subject", "trial", "quantity"))},
    ),
    "comparison": Group(
        {"model": _MODEL, "subject": _SUBJECT},
        {
            **dict.fromkeys(("frequency", "exceedance", "protected"), _SHARE),
            "evidence": Variable(("model", "subject")),
            "attribution": Variable(("model", "subject"), low=0, high=1),
            "omnibus": Variable((), low=0, high=1),
        },
        required=False,
    ),
}  # fmt: skip
"""Groups of a fit. Values of `/parameters` and `/estimates` are in the unit of the parameter, `fitted`, its
sd and all of `/effects` on the scale on which it is fitted. `group` is what a typical person has, `group_lo`
and `group_hi` hold 90 % of people; NaN where people were fitted one by one. `trust` says whether the
parameter came back from simulated people."""

RECOVERY: dict[str, Group] = {
    "parameters": Group(
        {"parameter": _PARAMETER},
        {
            **dict.fromkeys(("r", "bias", "rmse", "coverage", "rank_p"), Variable(("parameter",))),
            **dict.fromkeys(("declared", "recovered"), Variable(("parameter",), "flag")),
            "definition": Variable(("parameter",), "text"),
        },
    ),
    "people": Group(
        {"subject": _SUBJECT, "parameter": _PARAMETER},
        dict.fromkeys(("truth", "estimate", "low", "high", "rank"), _PER_ONE),
    ),
    "confusion": Group(
        {"model": _MODEL, "found": axis("found")},
        {"share": Variable(("model", "found"), low=0, high=1)},
        required=False,
    ),
}
"""Groups of a recovery; people on the fitted scale, bias and rmse in prior sd."""

_COMMON = {
    **{name: str for name in ("schema_version", "kind", "version", "command", "title", "model")},
    "seed": int, "options": dict, "created": str, "methods": str, "references": list, "notes": list,
    "disclaimer": str,
}  # fmt: skip
FITTED: dict[str, type] = {**_COMMON, "digests": dict}
RECOVERED: dict[str, type] = dict(_COMMON)
"""Attributes of both; `notes` are what a reader must know of this fit."""
