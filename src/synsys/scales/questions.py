"""What a claim asks of the model: which states to solve and which readout to look at, or why it cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synsys.brain.draws import Draw
from synsys.brain.model import BrainModel
from synsys.brain.modulation import Modulation, path_from, selection
from synsys.brain.settle import rested
from synsys.brain.state import HealthyBrain
from synsys.core.errors import UserError
from synsys.core.perturbation import Perturbation
from synsys.knowledge.facts import Claim, Quantity
from synsys.knowledge.load import vocabulary
from synsys.knowledge.mechanisms import disorders
from synsys.knowledge.resolve import quantity, unit_change
from synsys.knowledge.signaling import nodes
from synsys.knowledge.symptoms import symptoms
from synsys.measures.standing import DISTANCES
from synsys.mind.standing import restated, wired
from synsys.scales.cascade import profile
from synsys.scales.runs import MOVED
from synsys.scales.scoring import ABSENT, CIRCULAR, CONSTRUCTED, UNSCORED, sign_of

ANY_DISORDER = "disorder_any"
"""Every disorder that has a profile; its claims are judged by the sign over all of them pooled."""
ALTERED = "altered"
State = tuple[Perturbation, ...]


@dataclass(frozen=True)
class Question:
    """A claim put to the model.

    Attributes
    ----------
    claim : Claim
    cause, readout : str
        Vocabulary names; as given where unknown.
    change : int or None
        +1, -1; 0 for a profile; None for altered.
    expected : int or None
        Sign expected of the readout; None if it is not one sign.
    states : tuple of State
        What to solve: one perturbation set, two for *altered*, one a disorder for `ANY_DISORDER`.
    settled, reason : str
        Verdict that needs no solution, and why; `settled` is empty where `states` decide.
    wired : int or None
        Sign that the tables alone give, where they reach the readout; 0 if they leave it open.
    """

    claim: Claim
    cause: str
    readout: str
    change: int | None
    expected: int | None
    states: tuple[State, ...] = ()
    settled: str = ""
    reason: str = ""
    wired: int | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Equal for claims that say the same."""
        return self.cause, str(self.change), self.readout, str(self.expected or self.claim.change_to)


class Tables:
    """What the tables alone make of perturbations, in a few draws.

    Parameters
    ----------
    model : BrainModel
    draws : sequence of Draw
    """

    def __init__(self, model: BrainModel, draws: Sequence[Draw]) -> None:
        self.places = model.places
        self._brains = [HealthyBrain(model, draw) for draw in draws]
        self._known: dict[State, tuple[Modulation, ...]] = {}

    def moved(self, state: State) -> tuple[Modulation, ...]:
        """Everything that moves once molecules have settled, activity left out; one for each draw."""
        if state not in self._known:
            self._known[state] = tuple(self._moved(brain, state) for brain in self._brains)
        return self._known[state]

    @staticmethod
    def _moved(brain: HealthyBrain, state: State) -> Modulation:
        changes = brain.moved(state, sized=False)
        out = brain.model.slow_brain.applied(changes, rested(brain, changes)[0])
        out.propagate(brain.draw.strength, brain.draw.factors)
        return out


def ask(claim: Claim, computed: set[str], tables: Tables) -> Question:
    """Turn a claim into a question.

    Parameters
    ----------
    claim : Claim
    computed : set of str
        Readouts that the model computes for this brain.
    tables : Tables
        From which the sign of a wired effect is read.
    """
    expected = sign_of(claim.change_to)
    direction = 0 if claim.change_from == "present" else sign_of(claim.change_from)
    blank = Question(claim, claim.entity_from, claim.entity_to, direction, expected)

    def settled(verdict: str, reason: str, **more) -> Question:
        known = {"cause": cause.name} if cause else {}
        known |= {"readout": readout.name} if readout else {}
        return Question(**{**vars(blank), **known, "settled": verdict, "reason": reason, **more})

    cause = readout = None
    try:
        cause = quantity(claim.entity_from)
    except UserError as error:
        return settled(ABSENT, str(error))
    try:
        readout = quantity(claim.entity_to)
    except UserError as error:
        return settled(ABSENT, str(error))
    try:
        states = _states(cause, claim.change_from)
        for change in (row for state in states or () for row in state):
            selection(tables.places, change)
    except UserError as error:
        return settled(ABSENT, str(error))
    if states is None:
        return settled(
            UNSCORED, f"{claim.change_from!r} of {cause.name} is none of +1, -1, altered and present"
        )
    if cause.name == readout.name:
        return settled(CONSTRUCTED, f"{readout.name} is what is perturbed")
    table = symptoms()
    if cause.name in table.sources(readout.name):
        signs = {s for row in table.rows.get(readout.name, ()) if row.source == cause.name
                 for s in [int(np.sign(row.weight)) * (direction or 0)]}  # fmt: skip
        return settled(
            CIRCULAR, f"{readout.name} is read from {cause.name}",
            wired=signs.pop() if len(signs) == 1 else 0,
        )  # fmt: skip
    own = {readout.name: 1} | restated(readout.name)
    reached = [wired(readout.name, path_from(state), table, known=computed) for state in states]
    if all(reached) or (any(reached) and readout.name not in computed):
        signs = {_wired_sign(own, moved) for state in states for moved in tables.moved(state)}
        sign = signs.pop() if len(signs) == 1 else 0
        return settled(CONSTRUCTED, "rows of the tables alone carry the change to it", wired=sign)
    if readout.name not in computed:
        return settled(ABSENT, _why_not_computed(readout))
    if readout.name in DISTANCES:
        return settled(CONSTRUCTED, f"{readout.name} measures distance from health, which any change raises")
    if expected is None and claim.change_to != ALTERED:
        return settled(UNSCORED, f"{claim.change_to!r} is not a sign")
    return Question(claim, cause.name, readout.name, direction, expected, states)


def _states(cause: Quantity, change: str) -> tuple[State, ...] | None:
    """Perturbation sets that a change of a quantity means; None if the change has no meaning.

    Raises
    ------
    UserError
        If the model cannot make that change; the text says why.
    """
    sign = sign_of(change)
    if cause.kind == "disorder":
        if change != "present" and sign != 1:
            raise UserError(f"{cause.name} can be present, not {change}")
        names = dict.fromkeys(row.disorder for row in disorders())
        return tuple(profile(name) for name in (names if cause.name == ANY_DISORDER else [cause.name]))
    if cause.kind == "therapy":
        raise UserError(f"therapies are not represented yet ({cause.name})")
    if change == "present":
        unit_change(cause.name, 1)
        raise UserError(f"'present' means a disorder profile; {cause.name} is a {cause.kind}")
    if sign is None and change != ALTERED:
        unit_change(cause.name, 1)
        return None
    possible = []
    for direction in (1, -1) if sign is None else (sign,):
        step = unit_change(cause.name, direction)
        healthy = cause.healthy
        if cause.multiplies or healthy is None or cause.inside(healthy + step.value):
            possible.append((step,))
    if not possible:
        raise UserError(f"{cause.name} ({cause.unit}) is {cause.healthy:g} in health and cannot go beyond it")
    return tuple(possible)


def _wired_sign(signs: Mapping[str, int], moved: Modulation) -> int:
    """Sign of what the tables alone do to a readout, or to the quantities it restates, over all populations.

    0 where these pull apart, or where one of them alone does not say which way.
    """
    found = set()
    for name in signs.keys() & moved.touched:
        change = moved.value(name) - vocabulary()[name].rest
        if np.abs(change).max() > MOVED:
            found.add(signs[name] * int(np.sign(change.sum())))
    return found.pop() if len(found) == 1 else 0


def _why_not_computed(readout: Quantity) -> str:
    if readout.level in ("symptom", "inference", "task"):
        return f"no task or measure of this brain leads to {readout.name} ({readout.level})"
    if readout.level in ("behaviour", "outcome"):
        return f"{readout.name} ({readout.level}) needs trials or a cohort, which the model does not have"
    if readout.name in nodes():
        return (
            f"no row of the tables leads to {readout.name} ({readout.level}); what activity does to it takes "
            "time, which claims are not given (synsys trajectory)"
        )
    if readout.level in ("genetic", "epigenetic", "molecular", "immune", "metabolic", "endocrine",
                         "development"):  # fmt: skip
        return f"no row of the tables leads to {readout.name} ({readout.level})"
    return f"{readout.name} ({readout.level}) is not computed for this brain"


def causes_of(question: Question) -> dict[str, int]:
    """Names that a question changes and which way, for the baseline of path signs.

    A disorder stands for itself and for its profile; names that a profile moves both ways are left out.
    """
    up: dict[str, set[int]] = {}
    for state in question.states:
        for change in state:
            size = change.value - 1.0 if change.op == "*" else change.value
            up.setdefault(change.name, set()).add(1 if size > 0 else -1)
    out = {name: signs.pop() for name, signs in up.items() if len(signs) == 1}
    if question.change == 0:
        out[question.cause] = 1
        if question.cause == ANY_DISORDER:
            out |= {row.disorder: 1 for row in disorders()}
    return out
