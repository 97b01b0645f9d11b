"""What a simulation costs: memory of its history, rounding of its delays, operations of a step."""

from collections import Counter
from dataclasses import dataclass

from synsys.simulation.run import Simulation
from synsys.simulation.trace import ordered

FUNCTIONS = ("exp", "log", "log1p", "expm1", "tanh", "sin", "cos", "pow", "sqrt", "div")
"""Operations that take far longer than a product."""


@dataclass(frozen=True)
class Cost:
    """What `cost` finds.

    Attributes
    ----------
    history : float
        Memory of what was sent and has not arrived everywhere, MiB, all runs together.
    rounding : float
        Largest difference of a delay from its multiple of the step, ms.
    block : int
        Steps whose arriving signals are summed at once.
    connections : float
        Products that sum what arrives, per node, step and run (twice for undelayed Heun steps).
    functions : dict of str to float
        Evaluations of functions, and of pairs of normal numbers (``normals``), per node, step and run.
    operations : float
        All other operations (sums, products, comparisons), per node, step and run.
    """

    history: float
    rounding: float
    block: int
    connections: float
    functions: dict[str, float]
    operations: float


def cost(simulation: Simulation) -> Cost:
    """Count what one step of a simulation does.

    Parameters
    ----------
    simulation : Simulation
    """
    plan, packed = simulation.plan, simulation.packed
    functions: Counter[str] = Counter()
    plain = 0.0
    for group in plan.groups:
        size = simulation.nodes if plan.vectors else group.stop - group.start
        drift = [n for n in ordered(list(group.drift.values())) if not n.fixed and n.args]
        ends = [*group.emitted.values(), *group.observed, *([group.drive] if group.drive is not None else [])]
        known = {n.number for n in drift}
        seen = [n for n in ordered(ends) if not n.fixed and n.args and n.number not in known]
        stages = 2 if plan.heun else 1
        for nodes, times in ((drift, stages), (seen, 1)):
            for node in nodes:
                if node.op in FUNCTIONS:
                    functions[node.op] += size * times
                else:
                    plain += size * times
        draws = {k // 2 for k in group.noise} | {
            (len(simulation.equations.states) + k) // 2 for k in group.kick
        }
        functions["normals"] += size * len(draws)
        plain += size * (len(group.live) * (2 + stages) + 2 * len(group.kick))
    terms = len(packed.arrays["weight"].reshape(-1)) if packed.dense else len(packed.arrays["weight"])
    sums = 2.0 if plan.heun and not plan.delayed and plan.refresh == 1 else plan.points / plan.block
    n = simulation.nodes
    return Cost(
        sum(own["history"].nbytes for own in simulation.arrays) / 2**20,
        packed.error,
        plan.block,
        terms * sums / n / plan.refresh,
        {name: count / n for name, count in functions.items()},
        plain / n,
    )
