"""All tasks, by name."""

from functools import cache

from synsys.mind.tasks import (
    belief,
    decision,
    fear,
    hallucination,
    oddball,
    reward,
    set_shifting,
    steady_state,
    working_memory,
)
from synsys.mind.tasks.record import Task


@cache
def tasks() -> dict[str, Task]:
    """Every task that runs on a brain."""
    found: tuple[Task, ...] = (
        steady_state.TASK,
        oddball.TASK,
        working_memory.TASK,
        decision.TASK,
        fear.TASK,
        reward.TASK,
        set_shifting.TASK,
        belief.TASK,
        hallucination.TASK,
    )
    return {task.name: task for task in found}
