"""synsys: from synapse to system, one mechanistic model from molecule to whole brain.

The public functions are imported on first use, so that ``import synsys`` and ``synsys --help``
stay fast.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_LAZY = {
    "Connectome": "synsys.core.connectome",
    "Perturbation": "synsys.core.perturbation",
    "load": "synsys.core.schema",
}

__all__ = ["__version__", *_LAZY]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'synsys' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
