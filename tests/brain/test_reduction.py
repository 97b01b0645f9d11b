"""The population model beside spiking cells of the same region (`docs/reduction.md`).

The spiking network takes an hour of computing; its results are committed (`benchmarks/reduction.py` makes
them). What is computed here is the population model alone, by the functions of that benchmark.
"""

import csv
import importlib.util
import math
from pathlib import Path
from types import ModuleType

import pytest

RATES = ("rate_E", "rate_PV", "rate_SST")
ERROR = {"rate": 0.10, "gamma_hz": 0.05, "gamma_power": 0.08}
RESPONSE_ERROR = {"rate": 0.06, "gamma_hz": 0.12, "gamma_power": 0.10}
"""Published error of the reduction to populations for cells without reset, natural logarithm."""
LESIONS = ("NMDA x 0.8", "PV GABA-A x 0.8")


@pytest.fixture(scope="module")
def side(repository: Path) -> ModuleType:
    """The population side of the benchmark."""
    path = repository / "benchmarks" / "spiking" / "population.py"
    spec = importlib.util.spec_from_file_location("benchmark_population", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def published(repository: Path) -> dict[tuple[str, str], dict[str, float]]:
    """Committed results: (condition, level) -> quantity -> value."""
    with (repository / "benchmarks" / "results" / "spiking.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    return {
        (row.pop("condition"), row.pop("level")): {q: float(x) for q, x in row.items() if x} for row in rows
    }


@pytest.fixture(scope="module")
def now(side: ModuleType) -> dict[str, dict[str, float]]:
    """The population model as it is: condition -> quantity -> value, finite numbers of cells included."""
    out = {}
    for condition in side.CONDITIONS:
        state = side.state(condition)
        hertz, power, slow = side.gamma(side.spectrum(state, finite=True))
        values = {"gamma_hz": hertz, "gamma_power": power, "slow_power": slow}
        out[condition] = values | dict(zip(RATES, map(float, state.rates[0]), strict=True))
    return out


def gap(spiking: dict[str, float], population: dict[str, float], quantity: str) -> float:
    """Natural logarithm of network over model."""
    return math.log(spiking[quantity] / population[quantity])


def test_the_population_model_is_the_one_that_was_compared(now, published) -> None:
    for condition, values in now.items():
        then = published[condition, "linear, finite"]
        for quantity in (*RATES, "gamma_hz", "gamma_power", "slow_power"):
            assert values[quantity] == pytest.approx(then[quantity], rel=0.01), (condition, quantity)


def test_rates_and_gamma_are_those_of_spiking_cells_within_the_published_error(now, published) -> None:
    spiking = published["health", "escape"]
    for rate in RATES:
        assert abs(gap(spiking, now["health"], rate)) < ERROR["rate"], rate
    for quantity in ("gamma_hz", "gamma_power"):
        assert abs(gap(spiking, now["health"], quantity)) < ERROR[quantity], quantity


@pytest.mark.parametrize("lesion", LESIONS)
def test_responses_to_lesions_are_those_of_spiking_cells_within_the_published_error(
    now, published, lesion: str
) -> None:
    for quantity in (*RATES, "gamma_hz", "gamma_power"):
        moved = gap(published[lesion, "escape"], now[lesion], quantity)
        moved -= gap(published["health", "escape"], now["health"], quantity)
        assert abs(moved) < RESPONSE_ERROR["rate" if quantity in RATES else quantity], quantity


@pytest.mark.parametrize("kind", ["escape", "lif", "lif late"])
@pytest.mark.parametrize("lesion", LESIONS)
def test_rates_of_all_kinds_of_cell_go_where_those_of_populations_go(
    now, published, lesion: str, kind: str
) -> None:
    for rate in ("rate_E", "rate_SST"):
        model = now[lesion][rate] / now["health"][rate]
        cells = published[lesion, kind][rate] / published["health", kind][rate]
        assert (model - 1) * (cells - 1) > 0, rate
