"""A healthy embedded brain and its atlas, made once."""

import pytest

from synsys.brain.draws import draws
from synsys.brain.model import BrainModel
from synsys.brain.solution import COARSE, Grid
from synsys.brain.state import HealthyBrain
from synsys.data.embedded import load_embedded
from synsys.measures.systems import Atlas


@pytest.fixture(scope="session")
def model():
    return BrainModel(load_embedded())


@pytest.fixture(scope="session")
def atlas(model):
    return Atlas(Grid(model, COARSE))


@pytest.fixture(scope="session")
def healthy(model):
    return HealthyBrain(model, draws(2)[0])
