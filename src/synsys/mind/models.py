"""All models of behaviour by name."""

from functools import cache

from synsys.core.errors import unknown
from synsys.mind.model import Model


@cache
def models() -> dict[str, Model]:
    """Every model that `synsys mind` knows, by name."""
    from synsys.mind.filters import binary, continuous
    from synsys.mind.learning import q_learning, rescorla_wagner
    from synsys.mind.rlwm import rlwm
    from synsys.mind.twostep import two_step

    q = [
        q_learning(options, dual=dual, sticky=sticky)
        for options in (3, 2) for sticky in (False, True) for dual in (False, True)
    ]  # fmt: skip
    found = (
        rescorla_wagner(), binary(levels=2), binary(), binary(enhanced=False), continuous(),
        continuous(enhanced=False), *q, q_learning(lapse=True), two_step(), rlwm(), rlwm(sticky=True),
        rlwm(memory=False), rlwm(slow=False),
    )  # fmt: skip
    return {model.name: model for model in found}


def model_named(name: str) -> Model:
    """A model by its name.

    Raises
    ------
    UserError
        For an unknown name.
    """
    if name not in models():
        raise unknown("model", name, models(), "see synsys mind models")
    return models()[name]
