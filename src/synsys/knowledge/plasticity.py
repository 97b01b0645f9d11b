"""Tables of calcium-based plasticity: published parameter sets, and what molecules do to them."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from synsys.core.errors import unknown
from synsys.knowledge.kinetics import Checked, Grade, check_evidence
from synsys.knowledge.rows import load_table


@dataclass(frozen=True)
class PlasticitySet:
    """Parameters of the calcium-based synapse of Graupner and Brunel (2012).

    Calcium is in units of the depression threshold.

    Attributes
    ----------
    name : str
    preparation : {"generic", "in vitro", "in vivo"}
    tau_ca : float
        Decay time of a calcium transient, ms.
    c_pre, c_post : float
        Amplitude of the transient of a presynaptic and of a postsynaptic spike.
    theta_d, theta_p : float
        Calcium above which depression and potentiation run.
    gamma_d, gamma_p : float
        Their rates, in units of 1 / tau.
    sigma : float
        Amplitude of the noise while calcium is above a threshold.
    tau : float
        Time constant of the efficacy rho, s.
    rho_star : float
        Boundary between the basins of DOWN (0) and UP (1).
    delay : float
        Time from presynaptic spike to calcium, ms.
    beta : float
        Share of synapses in DOWN before the protocol.
    b : float
        Strength of UP over strength of DOWN.
    """

    name: str
    preparation: Literal["generic", "in vitro", "in vivo"]
    tau_ca: float
    c_pre: float
    c_post: float
    theta_d: float
    theta_p: float
    gamma_d: float
    gamma_p: float
    sigma: float
    tau: float
    rho_star: float
    delay: float
    beta: float
    b: float
    checked: Checked
    grade: Grade
    source: str
    note: str = ""

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.source)
        positive = (self.tau_ca, self.c_pre, self.c_post, self.gamma_d, self.gamma_p, self.sigma, self.tau)
        if min(positive) <= 0 or self.delay < 0:
            raise ValueError("time constants, amplitudes, rates and sigma must be > 0, the delay >= 0")
        if not 0 < self.theta_d < self.theta_p:
            raise ValueError("thresholds must satisfy 0 < theta_d < theta_p")
        if not (0 < self.rho_star < 1 and 0 < self.beta < 1 and self.b > 1):
            raise ValueError("rho_star and beta lie between 0 and 1, b is > 1")


@cache
def plasticity_sets() -> dict[str, PlasticitySet]:
    """All rows of ``plasticity.csv`` by name."""
    return {row.name: row for row in load_table("plasticity.csv", PlasticitySet)}


def plasticity_set(name: str) -> PlasticitySet:
    """One row of ``plasticity.csv``.

    Raises
    ------
    UserError
        For an unknown name.
    """
    if name not in plasticity_sets():
        raise unknown("plasticity set", name, plasticity_sets())
    return plasticity_sets()[name]


@dataclass(frozen=True)
class PlasticityEffect:
    """What a molecule, relative to health, does to a parameter of the plasticity probe.

    Attributes
    ----------
    source : str
        Argument of the probe.
    parameter : {"c_pre", "c_post", "gamma_p", "gamma_d", "consolidation", "consolidation_ltd"}
        Calcium amplitude, rate, or the share of early potentiation or depression that becomes late.
    law : {"share", "power", "odds"}
        With x the fold change: parameter *= 1 + strength (x - 1); parameter *= x^strength; the odds of the
        share *= x^strength.
    strength, sd : float
        And its prior standard deviation.
    """

    id: str
    source: str
    parameter: Literal["c_pre", "c_post", "gamma_p", "gamma_d", "consolidation", "consolidation_ltd"]
    law: Literal["share", "power", "odds"]
    strength: float
    sd: float
    checked: Checked
    grade: Grade
    citation: str
    note: str = ""

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.citation)
        if self.id != f"{self.source}->{self.parameter}":
            raise ValueError(f"the id must be {self.source}->{self.parameter}")
        laws = {"c_pre": "share", "c_post": "share", "consolidation": "odds", "consolidation_ltd": "odds"}
        if self.law != laws.get(self.parameter, "power"):
            raise ValueError(f"{self.parameter} does not follow the law {self.law!r}")
        if self.strength == 0 or self.sd <= 0 or (self.law == "share" and not 0 < self.strength <= 1):
            raise ValueError("strength must not be 0 (a share lies between 0 and 1), sd is > 0")


@cache
def plasticity_effects() -> tuple[PlasticityEffect, ...]:
    """All rows of ``plasticity_effects.csv``."""
    return load_table("plasticity_effects.csv", PlasticityEffect)
