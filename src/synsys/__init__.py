"""synsys: from synapse to system, one mechanistic model from molecule to whole brain.

The public functions are imported on first use, so that ``import synsys`` and ``synsys --help``
stay fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from synsys.core.connectome import Connectome as Connectome
    from synsys.core.perturbation import Perturbation as Perturbation
    from synsys.core.scenario import Course as Course
    from synsys.core.scenario import Event as Event
    from synsys.core.scenario import Scenario as Scenario
    from synsys.core.schema import load as load
    from synsys.core.schema import save as save
    from synsys.data.embedded import load_embedded as load_embedded
    from synsys.data.read import load_brain as load_brain
    from synsys.knowledge.scenarios import open_scenario as open_scenario
    from synsys.scales.behaviour import fit_behaviour as fit_behaviour
    from synsys.scales.behaviour import recover_behaviour as recover_behaviour
    from synsys.scales.cascade import cascade as cascade
    from synsys.scales.cascade import sweep as sweep
    from synsys.scales.claims import check_claims as check_claims
    from synsys.scales.simulate import simulate as simulate
    from synsys.scales.trajectory import trajectory as trajectory

_LAZY = {
    "Connectome": "synsys.core.connectome",
    "Course": "synsys.core.scenario",
    "Event": "synsys.core.scenario",
    "Perturbation": "synsys.core.perturbation",
    "Scenario": "synsys.core.scenario",
    "cascade": "synsys.scales.cascade",
    "check_claims": "synsys.scales.claims",
    "fit_behaviour": "synsys.scales.behaviour",
    "load": "synsys.core.schema",
    "load_brain": "synsys.data.read",
    "load_embedded": "synsys.data.embedded",
    "open_scenario": "synsys.knowledge.scenarios",
    "recover_behaviour": "synsys.scales.behaviour",
    "save": "synsys.core.schema",
    "simulate": "synsys.scales.simulate",
    "sweep": "synsys.scales.cascade",
    "trajectory": "synsys.scales.trajectory",
}

__all__ = ["__version__", *_LAZY]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'synsys' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
