"""Row classes of the kinetic tables: populations, ionic currents, synapses, projections.

Every number carries where it comes from. ``checked`` says how: *read* (the number stands in the cited
abstract, paper or published code), *derived* (computed from read numbers, the note says how) or
*recalled* (from memory or assumed; then the grade is C). Grades: A reproduces a published model or
measurement, B is a published mechanism with our coupling, C is a hypothesis.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

Grade = Literal["A", "B", "C"]
Checked = Literal["read", "derived", "recalled"]


def check_evidence(checked: str, grade: str, source: str) -> None:
    """Raise ValueError where evidence is missing or graded better than it was checked."""
    if checked == "recalled" and grade != "C":
        raise ValueError(f"a recalled number has grade C, not {grade}")
    if not source:
        raise ValueError("a source is needed (grade C may say 'hypothesis: ...')")


@dataclass(frozen=True)
class Template:
    """Healthy numbers of one population of one kind of region.

    Attributes
    ----------
    template, cell : str
        Kind of region and population.
    transmitter : str
        What the population releases.
    tau_m : float
        Membrane time constant at rest, ms.
    e_leak : float
        Leak reversal, mV; near threshold in cells that fire without input.
    threshold, slope, gain : float
        theta (mV), sigma (mV) and A (Hz) of r = A ln(1 + exp((V - theta) / sigma)).
    rate, rate_low, rate_high : float
        Healthy waking rate and its plausible range, Hz.
    """

    template: str
    cell: str
    transmitter: Literal["glutamate", "gaba", "dopamine", "noradrenaline", "serotonin"]
    tau_m: float
    e_leak: float
    threshold: float
    slope: float
    gain: float
    rate: float
    rate_low: float
    rate_high: float
    checked: Checked
    grade: Grade
    source: str
    note: str = ""
    key: ClassVar[tuple[str, ...]] = ("template", "cell")

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.source)
        if not 0 < self.rate_low <= self.rate <= self.rate_high:
            raise ValueError(f"rate {self.rate:g} Hz lies outside {self.rate_low:g} to {self.rate_high:g}")
        if min(self.tau_m, self.slope, self.gain) <= 0:
            raise ValueError("tau_m, slope and gain must be > 0")


@dataclass(frozen=True)
class Channel:
    """One ionic current of one population.

    Open fraction: ``m^m_power h`` with m = 1 / (1 + exp(-(V - m_half) / m_slope)) (negative slope: opened
    by hyperpolarisation), h = 1 / (1 + exp((V - h_half) / h_slope)) where given; for ``gate =
    calcium`` c^n / (c^n + ca_half^n).

    Attributes
    ----------
    current, gene, multiplier : str
        Current, the gene that stands for it, and the vocabulary name that scales it.
    m_tau, h_tau : float
        Time constants at the healthy potential, ms.
    ca_half, hill : float or None
        Half-activation (micromolar) and Hill coefficient of a calcium gate.
    reversal : float
        mV.
    conductance : float
        Open conductance at the healthy potential, multiples of the leak (median of the prior).
    conductance_sd : float
        Standard deviation of its logarithm. The conductance is a prior that calibration may move;
        ``checked``, ``grade`` and ``source`` speak of the gate.
    """

    id: str
    current: Literal["I_M", "I_SK", "I_ERG", "I_CaL", "I_T", "I_h"]
    gene: str
    multiplier: str
    template: str
    cell: str
    gate: Literal["voltage", "calcium"]
    m_power: int
    m_half: float | None
    m_slope: float | None
    m_tau: float
    h_half: float | None
    h_slope: float | None
    h_tau: float | None
    ca_half: float | None
    hill: float | None
    reversal: float
    conductance: float
    conductance_sd: float
    checked: Checked
    grade: Grade
    source: str
    note: str = ""

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.source)
        gate = (self.m_half, self.m_slope) if self.gate == "voltage" else (self.ca_half, self.hill)
        if None in gate:
            raise ValueError(f"a {self.gate} gate needs its half-activation and steepness")
        if min(self.conductance, self.conductance_sd) <= 0:
            raise ValueError("conductance and its sd must be > 0")


@dataclass(frozen=True)
class Synapse:
    """Kinetics of one receptor.

    Attributes
    ----------
    receptor : str
    pre, post : str
        Cell types it is limited to; empty means all.
    tau_rise, tau_decay : float
        ms.
    reversal : float
        mV.
    mg : float or None
        Extracellular magnesium (mM) of the block 1 / (1 + mg / 3.57 exp(-0.062 V)); None: no block.
    multiplier : str
        Vocabulary name that scales the conductance.
    """

    id: str
    receptor: Literal["AMPA", "NMDA", "GABAA", "GABAB"]
    tau_rise: float
    tau_decay: float
    reversal: float
    mg: float | None
    multiplier: str
    checked: Checked
    grade: Grade
    source: str
    pre: str = ""
    post: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.source)
        if not 0 < self.tau_rise < self.tau_decay:
            raise ValueError("0 < tau_rise < tau_decay is needed")


@dataclass(frozen=True)
class Projection:
    """Who may project to whom; a pair without a row does not exist.

    Attributes
    ----------
    from_template, from_cell, from_where, to_template, to_cell, to_where : str
        Origin and target; ``where`` limits to a locus.
    transmitter : str
    scope : str
        ``local`` within one region; ``connectome`` scaled by tractography weights; ``channel`` within
        the hemisphere and Yeo-network loop; ``contralateral`` crossed; ``literature`` fixed wiring of
        the brainstem; ``diffuse`` volume transmission that sets a tone (of all populations, `to_cell` *all*).
    strength, strength_sd : float
        Healthy conductance relative to the other inputs of that sign onto the same target, and the
        standard deviation of its logarithm. Of a diffuse projection: the power of the relative rate of its
        origin with which the tone follows.
    delay : str
        ms, or ``tract`` for length over conduction speed, or empty.
    """

    id: str
    from_template: str
    from_cell: str
    to_template: str
    to_cell: str
    transmitter: Literal["glutamate", "gaba", "dopamine", "noradrenaline", "serotonin"]
    scope: Literal["local", "connectome", "channel", "contralateral", "literature", "diffuse"]
    strength: float
    strength_sd: float
    checked: Checked
    grade: Grade
    source: str
    delay: str = ""
    from_where: str = ""
    to_where: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        check_evidence(self.checked, self.grade, self.source)
        if min(self.strength, self.strength_sd) <= 0:
            raise ValueError("strength and its sd must be > 0; an absent projection has no row")
        if self.delay not in ("", "tract") and not float(self.delay) >= 0:
            raise ValueError(f"delay {self.delay!r} is neither tract nor a number of ms")
