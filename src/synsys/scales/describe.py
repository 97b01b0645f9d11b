"""What stands beside a result: digests, methods paragraph, references."""

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import numpy as np

from synsys.brain.bold import BAND, NOISE_SHARE
from synsys.brain.solution import FINE
from synsys.brain.statistical import DOMAIN
from synsys.brain.wiring import ROW_POWER, VELOCITY, WEIGHT_POWER
from synsys.circuit.calibration import members
from synsys.core.connectome import Connectome
from synsys.core.errors import UserError
from synsys.core.perturbation import Perturbation
from synsys.knowledge.mechanisms import RegionalMap
from synsys.knowledge.signaling import edges, nodes
from synsys.measures.sensors import SPHERE
from synsys.measures.systems import DENSITY
from synsys.scales.runs import Runner

REFERENCES = (
    "Gupta R, Jha NK, Kumar N, Nagraik R, Ravi K (2026) From synapse to system. Front Cell Dev Biol, "
    "doi 10.3389/fcell.2026.1762930",
    "Moran RJ et al. (2011) NeuroImage 55:1694, doi 10.1016/j.neuroimage.2011.01.037 (population equation)",
    "Kraeutler MJ, Soltis AR, Saucerman JJ (2010) BMC Syst Biol 4:157 (signaling network)",
    "Jahr CE, Stevens CF (1990) J Neurosci 10:3178 (magnesium block)",
    "Wong KF, Wang XJ (2006) J Neurosci 26:1314 (saturation of NMDA receptors)",
    "Yeo BTT et al. (2011) J Neurophysiol 106:1125 (networks)",
    "Logothetis NK et al. (2001) Nature 412:150 (BOLD follows synaptic input)",
    "Friston KJ, Harrison L, Penny W (2003) NeuroImage 19:1273, doi 10.1016/S1053-8119(03)00202-7 "
    "(haemodynamics)",
    "Stephan KE et al. (2007) NeuroImage 38:387, doi 10.1016/j.neuroimage.2007.07.040 (BOLD signal)",
    "Murphy K et al. (2009) NeuroImage 44:893 (regression of the global signal)",
)
"""Sources of the method, whatever is run."""
OPTIONAL = {
    (
        "linearisation",
        "statistical",
    ): "Booton RC (1954) IRE Trans Circuit Theory 1:9 (statistical linearisation)",
    ("eeg", SPHERE): "Naess S et al. (2017) Front Hum Neurosci 11:490 (four-sphere head)",
}
"""Sources that enter with an option of the run, by its name and value."""
SPINS = "Alexander-Bloch AF et al. (2018) NeuroImage 178:540 (spun maps)"


def digests(brain: Connectome) -> dict[str, str]:
    """sha256 of every table, of the calibration ensemble and of the connectome.

    The connectome's covers labels, weights, lengths, regions, maps and empirical FC, not its name and
    provenance.
    """
    out = {}
    for package, folder in (("synsys.knowledge", "tables"), ("synsys.circuit", "")):
        root = resources.files(package) / folder if folder else resources.files(package)
        for entry in sorted(root.iterdir(), key=lambda e: e.name):
            if entry.name.endswith(".csv"):
                out[entry.name] = hashlib.sha256(entry.read_bytes()).hexdigest()
    sha = hashlib.sha256()
    for frame in (brain.regions, brain.maps):
        sha.update(json.dumps([brain.labels, list(map(str, frame.columns))]).encode())
        for column in frame.columns:
            _take(sha, frame[column].to_numpy())
    for matrix in (brain.weights, brain.lengths, brain.fc):
        _take(sha, np.zeros(0) if matrix is None else matrix)
    sha.update(b"directed" if brain.directed else b"")
    out["connectome"] = sha.hexdigest()
    return out


def _take(sha: Any, values: np.ndarray) -> None:
    """Numbers as little-endian doubles with their shape, texts as JSON."""
    if values.dtype.kind in "fiub":
        sha.update(str(values.shape).encode() + np.ascontiguousarray(values, "<f8").tobytes())
    else:
        sha.update(json.dumps([str(x) for x in values]).encode())


def created() -> str:
    """Today's date (UTC, ISO 8601), or that of ``SOURCE_DATE_EPOCH`` where it is set, for byte-equal files.

    Raises
    ------
    UserError
        If ``SOURCE_DATE_EPOCH`` is no number of seconds.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        moment = datetime.now(UTC) if epoch is None else datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError):
        raise UserError(f"SOURCE_DATE_EPOCH = {epoch!r}: whole seconds since 1970 are needed") from None
    return moment.date().isoformat()


def methods(runner: Runner, changes: Sequence[Perturbation]) -> str:
    """A paragraph for a methods section."""
    wiring, brain = runner.model.wiring, runner.model.brain
    what = ", ".join(map(str, changes)) or "no perturbation"
    used = len({draw.member for draw in runner.draws})
    return (
        f"The effect of {what} was computed with synsys on the brain '{brain.name}' ({len(brain)} regions, "
        f"{len(wiring.nodes)} nodes with parallel channels). Each region is a conductance-based neural mass "
        "with AMPA, NMDA, GABA-A and GABA-B synapses and six ionic currents (after Moran et al. 2011); "
        f"background synaptic input holds healthy rates. Changes travel through {len(nodes())} molecules and "
        f"structures with {len(edges())} regulators (fold-change form after Kraeutler et al. 2010), at rest "
        "in every region and without feedback from activity, and from these to synapses and currents. "
        f"{_heterogeneity(runner)} Regions are coupled through "
        f"weights SC^{WEIGHT_POWER:g} / (row sum)^{ROW_POWER:g} with delays at {VELOCITY:g} m/s. "
        f"Spectra from {FINE[0]:g} to {FINE[-1]:g} Hz and BOLD-band ({BAND[0]:g}-{BAND[1]:g} Hz) "
        f"connectivity are the exact linear response to background shot noise and a slow 1/f input"
        f"{_STATISTICAL if runner.statistical else ''}. BOLD is "
        "driven by excitatory synaptic current through linearised balloon haemodynamics (Friston et al. "
        "2003, Stephan et al. 2007), with measurement noise fixed at "
        f"{100 * NOISE_SHARE:g} % of the median healthy variance of cortex. Graph metrics use the strongest "
        f"{100 * DENSITY:g} % of connections and are compared with weight- and degree-preserving nulls. "
        f"{len(runner.draws)} draws combine {used} of the {members()} members of the calibration ensemble "
        f"with a Sobol sequence over the priors of links, regulators, maps and sizes (seed {runner.seed}); "
        "reference and perturbed states share draws. Effect sizes are in units of the modelled spread "
        f"between healthy people; intervals are 5-95 %.{_electrodes(runner)}"
    )


_STATISTICAL = (
    ", with firing rate and gain averaged over the Gaussian fluctuations of each potential (statistical "
    f"linearisation, meant for fluctuations of about {DOMAIN[0]:g} to {DOMAIN[1]:g} mV)"
)


def _electrodes(runner: Runner) -> str:
    if runner.field is None:
        return ""
    head = (
        "dipoles along the surface normals in a spherical head of four shells"
        if runner.options["eeg"] == SPHERE
        else "the lead field given"
    )
    return (
        f" Power at {len(runner.field)} electrodes was computed through {head}, the potential of principal "
        "cells standing for the dipole moment of a region, in arbitrary units."
    )


def _heterogeneity(runner: Runner) -> str:
    used = _maps(runner)
    if not used:
        return "Regions of a kind are alike: no regional map enters."
    kinds = Counter(kind for kind, _ in {(m.kind, m.map) for m in used})
    told = " and ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
    turned = runner.options["spun_maps"]
    spun = "" if turned is None else f", whose cortical part was spun at random (seed {turned}) as a null"
    factor = runner.options["beta"]
    scaled = "" if factor == 1 else f" with slopes times {factor:g}"
    return f"Healthy conductances and receptor densities follow {told} maps{scaled}{spun}."


def _maps(runner: Runner) -> list[RegionalMap]:
    """Rows of ``maps.csv`` that act in any draw."""
    return [
        m
        for m in runner.model.used_maps()
        if any(draw.beta.get((m.multiplier, m.map, m.cell), m.beta) for draw in runner.draws)
    ]


def references(runner: Runner, changes: Sequence[Perturbation]) -> list[str]:
    """Sources of the method, of the brain and its maps, and of the sizes that entered, each once."""
    brain = runner.model.brain
    cited = [text for text in brain.provenance.get("citations", "").split("; ") if text]
    if not cited:
        cited = [f"Connectome '{brain.name}': the user's own; its source is not on record here"]
    known = {place for text in REFERENCES for place in _PLACE.findall(text)}
    further = [
        *cited,
        *sorted({m.source for m in _maps(runner)}),
        *(text for (option, value), text in OPTIONAL.items() if runner.options[option] == value),
        *([] if runner.options["spun_maps"] is None else [SPINS]),
        *sorted({c.source for c in changes} - {""}),
    ]
    out = list(REFERENCES)
    for text in further:
        places = set(_PLACE.findall(text))
        if text not in out and not (places and places <= known):
            out.append(text)
            known |= places
    return out


_PLACE = re.compile(r"\b[A-Z]\w+ \d+:\w+")
"""Last word of a journal, volume and page, by which a source is known."""
