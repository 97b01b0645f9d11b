"""What stands beside a result: digests, methods paragraph, references."""

import hashlib
from collections.abc import Sequence
from importlib import resources

from synsys.brain.solution import FINE
from synsys.brain.wiring import ROW_POWER, VELOCITY, WEIGHT_POWER
from synsys.circuit.calibration import members
from synsys.core.connectome import Connectome
from synsys.core.perturbation import Perturbation
from synsys.measures.systems import DENSITY
from synsys.scales.runs import Runner

REFERENCES = (
    "Gupta R, Jha NK, Kumar N, Nagraik R, Ravi K (2026) From synapse to system. Front Cell Dev Biol, "
    "doi 10.3389/fcell.2026.1762930",
    "Moran RJ et al. (2011) NeuroImage 55:1694, doi 10.1016/j.neuroimage.2011.01.037",
    "Jahr CE, Stevens CF (1990) J Neurosci 10:3178",
    "Wong KF, Wang XJ (2006) J Neurosci 26:1314",
    "Yeo BTT et al. (2011) J Neurophysiol 106:1125",
    "Hawrylycz MJ et al. (2012) Nature 489:391",
)


def digests(brain: Connectome) -> dict[str, str]:
    """sha256 of every table, of the calibration ensemble and of the connectome's arrays."""
    out = {}
    for package, folder in (("synsys.knowledge", "tables"), ("synsys.circuit", "")):
        root = resources.files(package) / folder if folder else resources.files(package)
        for entry in sorted(root.iterdir(), key=lambda e: e.name):
            if entry.name.endswith(".csv"):
                out[entry.name] = hashlib.sha256(entry.read_bytes()).hexdigest()
    out["connectome"] = hashlib.sha256(brain.weights.tobytes() + brain.lengths.tobytes()).hexdigest()
    return out


def methods(runner: Runner, changes: Sequence[Perturbation]) -> str:
    """A paragraph for a methods section."""
    wiring, brain = runner.model.wiring, runner.model.brain
    what = ", ".join(map(str, changes)) or "no perturbation"
    return (
        f"The effect of {what} was computed with synsys on the brain '{brain.name}' ({len(brain)} regions, "
        f"{len(wiring.nodes)} nodes with parallel channels). Each region is a conductance-based neural mass "
        "with AMPA, NMDA, GABA-A and GABA-B synapses and six ionic currents (after Moran et al. 2011); "
        "background synaptic input holds healthy rates. Regions are coupled through weights "
        f"SC^{WEIGHT_POWER:g} / (row sum)^{ROW_POWER:g} with delays at {VELOCITY:g} m/s. Spectra from "
        f"{FINE[0]:g} to {FINE[-1]:g} Hz and BOLD-band (0.01-0.1 Hz) connectivity are the exact linear "
        "response to background shot noise and a slow 1/f input. Graph metrics use the strongest "
        f"{100 * DENSITY:g} % of connections and are compared with weight- and degree-preserving nulls. "
        f"{len(runner.draws)} draws combine {members()} calibration members with a Sobol sequence over the "
        f"priors of links, maps and sizes (seed {runner.seed}); reference and perturbed states share draws. "
        "Effect sizes are in units of the modelled spread between healthy people; intervals are 5-95 %."
    )


def references(changes: Sequence[Perturbation]) -> list[str]:
    """Sources of the method and of the sizes that entered."""
    sizes = {c.source for c in changes if c.source}
    return [*REFERENCES, *sorted(sizes)]
