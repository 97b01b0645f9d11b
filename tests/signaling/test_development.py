"""Age: windows of developmental processes and age norms against published facts."""

from itertools import pairwise

import numpy as np
import pytest

from synsys.core.errors import UserError
from synsys.knowledge.development import CONCEPTION, age_curves, processes
from synsys.knowledge.load import vocabulary
from synsys.knowledge.rows import parse_table
from synsys.signaling import development as dev

E, CTX = ("E",), ("cortex", "hippocampus", "amygdala")
SENSORY, FRONTAL = ("VIS", "SMN", "A1"), ("PFC", "ACC")
LIFE = np.linspace(CONCEPTION, 80, 4001)
YEARS = np.linspace(0, 80, 8001)
ROWS = [pytest.param(row, id=f"{row.quantity}-{'+'.join(row.where)}") for row in age_curves()]
WINDOWS = [pytest.param(row, id=f"{row.process}-{'+'.join(row.where)}{row.variant}") for row in processes()]


def window(process, where=()):
    return next(w for w in dev.windows() if (w.process, w.where) == (process, where))


def spines(age, where, **shift):
    return dev.curve("spine_density", age, E, where, **shift)


@pytest.mark.parametrize("row", ROWS)
def test_every_norm_is_exact_at_the_reference_age(row):
    neutral = 1.0 if row.form == "fold" else 0.0
    assert dev.curve(row.quantity, dev.REFERENCE_AGE, row.cell, row.where) == neutral
    assert dev.curve(row.quantity, np.array([3.0, dev.REFERENCE_AGE]), row.cell, row.where)[1] == neutral


@pytest.mark.parametrize("row", ROWS)
def test_norms_have_no_kink(row):
    """The slope of a kink jumps however fine the step; that of a smooth curve halves its jump with it."""
    jump = []
    for step in (0.02, 0.01):
        ages = np.arange(-1.0, 95.0, step)
        slope = np.diff(dev.curve(row.quantity, ages, row.cell, row.where)) / step
        jump.append(np.abs(np.diff(slope)).max())
    assert jump[1] < 0.6 * jump[0] + 1e-9


@pytest.mark.parametrize("row", WINDOWS)
def test_rates_are_smooth_bounded_and_closed_outside(row):
    chosen = {"where": row.where, "pruning_window": row.variant or "adolescence"}
    w = dev.rate(row.process, LIFE, **chosen)
    assert w.min() >= 0
    assert w.max() <= 1
    assert dev.rate(row.process, row.peak, **chosen) == 1.0
    if row.onset is not None:
        assert not dev.rate(row.process, np.linspace(-2, row.onset, 9), **chosen).any()
    if row.offset is not None:
        late = dev.rate(row.process, np.linspace(row.offset, 90, 9), **chosen)
        np.testing.assert_allclose(late, row.adult_floor, atol=1e-12)
    if row.onset is not None and row.offset is not None:
        jump = []
        for step in (0.004, 0.002):
            ages = np.arange(-1.0, row.offset + 1.0, step)
            jump.append(np.abs(np.diff(dev.rate(row.process, ages, **chosen), 2)).max() / step)
        assert jump[1] < 0.6 * jump[0]


def test_adult_process_never_closes():
    assert (dev.rate("adult", LIFE) == 1).all()
    assert (dev.rate("", LIFE) == 1).all()


def test_what_happens_outside_a_closed_window_leaves_no_mark():
    """dy/dt = w (P - y) / tau: the same dose of a year changes what is left for life only inside."""

    def left(start, process="neurogenesis", tau=0.2, days=1 / 365):
        y = 1.0
        for age in np.arange(CONCEPTION, 20, days):
            target = 0.5 if start <= age < start + 0.2 else 1.0
            y += float(dev.rate(process, age)) * (target - y) * days / tau
        return y

    assert left(-0.5) < 0.9
    assert left(15.0) == 1.0


@pytest.mark.parametrize("where", [(), FRONTAL])
def test_processes_come_in_order(where):
    order = ("neurogenesis", "migration", "synaptogenesis", "pruning")
    rows = [next((w for w in dev.windows() if (w.process, w.where) == (p, where)), None) for p in order]
    found = [row or window(p) for row, p in zip(rows, order, strict=True)]
    assert all(a.peak < b.peak for a, b in pairwise(found))
    assert found[1].peak < 0 < found[2].peak


def test_frontal_cortex_is_last():
    for process in ("synaptogenesis", "pruning"):
        assert window(process, SENSORY).peak < window(process).peak < window(process, FRONTAL).peak
        assert window(process, SENSORY).offset < window(process).offset < window(process, FRONTAL).offset


def test_prenatal_windows_lie_in_gestation():
    """Cortical neurons are made from week 8 (PMC4564568) to about week 30 after the last period.

    Young neurons enter the infant frontal lobe, fewer until month 7, none at 2 years (Paredes et al. 2016).
    """
    week_8, week_30 = (np.array([8, 30]) - 40) * 7 / 365.25
    made = window("neurogenesis")
    assert CONCEPTION <= made.onset <= week_8
    assert week_30 <= made.offset <= 0
    assert 7 / 12 < window("migration", FRONTAL).offset < 2


def test_synaptic_density_peaks_when_and_where_published():
    """Huttenlocher and Dabholkar 1997: near 3 months in auditory, after 15 months in prefrontal cortex.

    Petanjek et al. 2011: prefrontal spines are densest at 2.5 to 7 years.
    """
    peak = {where: YEARS[spines(YEARS, where).argmax()] for where in (SENSORY, CTX, FRONTAL)}
    assert 0.2 < peak[SENSORY] < 1.0
    assert 2.5 <= peak[FRONTAL] <= 7
    assert peak[SENSORY] < peak[CTX] < peak[FRONTAL]
    over = {where: YEARS[spines(YEARS, where) >= 1.05].max() for where in (SENSORY, FRONTAL)}
    assert over[SENSORY] <= 12  # elimination over by 12
    assert 16 <= over[FRONTAL] <= 30  # into the third decade


@pytest.mark.parametrize("where", [SENSORY, CTX, FRONTAL])
def test_pruning_takes_two_fifths_of_the_childhood_peak(where):
    """Adult density is about 60 % of the maximum (Huttenlocher and co-workers)."""
    assert 1 - 1 / spines(YEARS, where).max() == pytest.approx(0.4, abs=0.03)


def test_newborn_density_is_in_the_adult_range_and_the_aged_lose_a_seventh():
    """Huttenlocher 1979: neonates in the adult range, constant 16 to 72 years, 9.56 of 11.05 at 74 to 90."""
    assert spines(0.0, FRONTAL) == pytest.approx(1, abs=0.1)
    assert spines(82.0, FRONTAL) / spines(60.0, FRONTAL) == pytest.approx(9.56 / 11.05, abs=0.01)


def test_input_to_a_cell_is_kept_while_synapses_come_and_go():
    """More synapses are smaller ones (Desai et al. 2002): number times size stays near the adult."""
    for where in (SENSORY, CTX, FRONTAL):
        size = dev.curve("ampa_conductance", YEARS, E, where)
        np.testing.assert_allclose(spines(YEARS, where) * size, 1, atol=0.05)


def test_parvalbumin_rises_most_in_the_first_years():
    """Fung et al. 2010: the most dramatic changes in the first few years before a plateau."""
    for where in ((), FRONTAL):
        pv = dev.curve("pv_interneuron_function", YEARS[YEARS <= 27.5], ("PV",), where)
        assert (np.diff(pv) >= 0).all()
        rise = np.interp([3, 10], YEARS[YEARS <= 27.5], pv) - pv[0]
        assert rise[0] > (1 - pv[0]) / 2
        assert rise[1] > 0.75 * (1 - pv[0])


def test_inhibition_is_depolarised_only_in_early_life():
    e_cl = dev.curve("chloride_reversal", YEARS, (), CTX)
    assert e_cl[0] > 3
    assert (np.diff(e_cl) <= 0).all()
    assert abs(e_cl[YEARS > 6]).max() < 1e-12


def test_signals_travel_twice_as_fast_in_adults_as_at_four():
    """van Blooijs et al. 2023: 45 ms at 4, 20 ms at 38 years; faster until at least 30."""
    speed = dev.curve("conduction_velocity", YEARS)
    at = dict(zip((4, 30, 38), np.interp([4, 30, 38], YEARS, speed), strict=True))
    assert at[4] / at[38] == pytest.approx(20 / 45, rel=0.01)
    assert (np.diff(speed[YEARS <= 30]) > 0).all()


def test_myelin_peaks_in_the_thirties_and_mirrors():
    """Lebel et al. 2010: FA turns at 18 to 43 years. Yeatman et al. 2014: rise and fall mirror each other."""
    myelin = dev.curve("myelination", YEARS)
    assert 30 <= YEARS[myelin.argmax()] < 43
    assert dev.curve("myelination", 8.0) == pytest.approx(dev.curve("myelination", 80.0), abs=0.02)


def test_dopamine_receptors_decline_at_the_published_rate():
    """Karrer et al. 2017: 3.7 to 14 % a decade, D1 more than D2.

    Seaman et al. 2019: D2 of caudate and putamen 3 to 5 %, of frontal and temporal cortex 6 to 16 %.
    """
    loss = {
        (name, place): 1 - dev.curve(name, 60.0, (), (place,)) / dev.curve(name, 50.0, (), (place,))
        for name in ("d1_density", "d2_density")
        for place in ("striatum", "cortex")
    }
    assert all(0.037 <= value <= 0.14 for value in loss.values())
    assert loss["d1_density", "striatum"] > loss["d2_density", "striatum"]
    assert 0.03 <= loss["d2_density", "striatum"] <= 0.0500001
    assert 0.06 <= loss["d2_density", "cortex"] <= 0.16


def test_prefrontal_dopamine_peaks_before_adulthood():
    """Rosenberg and Lewis 1995: varicosities peak at monkey puberty and decline to adult levels."""
    tone = dev.curve("dopamine_tone", YEARS, (), FRONTAL)
    assert 8 <= YEARS[tone.argmax()] <= 16
    assert tone[0] < 1 < tone.max()


def test_alpha_norm_is_the_published_one():
    """Freschl et al. 2022: 6.1 Hz at 6 months, 8.4 at 5, 9.7 at 13 years, 10.1 in adults."""
    hz = 10.1 * dev.curve("peak_alpha_frequency", np.array([0.5, 5, 13]))
    np.testing.assert_allclose(hz, [6.1, 8.4, 9.7], atol=1e-9)


def test_late_pruning_leaves_too_many_spines_for_a_while_only():
    excess = spines(YEARS, FRONTAL, pruning_timing=3.0) / spines(YEARS, FRONTAL) - 1
    assert excess[YEARS < 3].max() == pytest.approx(0, abs=1e-9)
    assert excess[(YEARS > 10) & (YEARS < 20)].min() > 0.03
    assert abs(excess[YEARS > 55]).max() < 1e-6
    early = spines(YEARS, FRONTAL, pruning_timing=-3.0) / spines(YEARS, FRONTAL) - 1
    assert early[(YEARS > 10) & (YEARS < 20)].max() < -0.03


def test_pruning_window_moves_with_its_timing_and_no_other_does():
    ages = np.linspace(-1, 40, 400)
    late = dev.rate("pruning", ages, FRONTAL, pruning_timing=2.0)
    np.testing.assert_allclose(late, dev.rate("pruning", ages - 2.0, FRONTAL))
    np.testing.assert_array_equal(
        dev.rate("myelination", ages, pruning_timing=2.0), dev.rate("myelination", ages)
    )


def test_pruning_window_of_schizophrenia_is_configurable():
    """K06: adolescence or early childhood; both run, in frontal cortex they hardly overlap."""
    child = dev.rate("pruning", np.array([4.0, 15.0]), FRONTAL, pruning_window="childhood")
    teen = dev.rate("pruning", np.array([4.0, 15.0]), FRONTAL)
    assert child[0] > 0.9 > 0.1 > child[1]
    assert teen[1] > 0.9 > 0.2 > teen[0]
    with pytest.raises(UserError, match="adolescence, childhood"):
        dev.rate("pruning", 4.0, pruning_window="puberty")


def test_specific_places_replace_general_ones():
    here = {(): np.array([True, True, True]), SENSORY: np.array([False, True, False])}
    here[FRONTAL] = np.array([False, False, True])
    none = np.zeros(3, bool)
    w = dev.regional_rate("pruning", 4.0, lambda where: here.get(where, none))
    expected = [dev.rate("pruning", 4.0, where) for where in ((), SENSORY, FRONTAL)]
    np.testing.assert_array_equal(w, expected)
    here[CTX] = here[()]
    found = dev.norms(4.0, lambda cell, where: here.get(tuple(where), none) & (tuple(cell) == E))
    np.testing.assert_allclose(found["spine_density"], [spines(4.0, p) for p in (CTX, SENSORY, FRONTAL)])


def test_unknown_names_say_what_there_is():
    with pytest.raises(UserError, match="did you mean pruning"):
        dev.rate("prunning", 3.0)
    with pytest.raises(UserError, match="PFC"):
        dev.rate("pruning", 3.0, ("cerebellum",))
    with pytest.raises(UserError, match="spine_density"):
        dev.curve("spine_densty", 3.0)
    with pytest.raises(UserError, match="E in PFC"):
        dev.curve("spine_density", 3.0, E, ("cerebellum",))
    with pytest.raises(UserError, match="circuit"):
        dev.curves(3.0, use="circus")


def test_forms_agree_with_the_vocabulary():
    for row in age_curves():
        if row.quantity in vocabulary() and row.use == "circuit":
            assert vocabulary()[row.quantity].multiplies == (row.form == "fold"), row.quantity
    assert {row.quantity for row in age_curves() if row.form == "shift"} == {"chloride_reversal"}


def test_rows_that_cannot_be_are_refused():
    from synsys.knowledge.development import DevelopmentCurve, DevelopmentProcess
    from synsys.knowledge.rows import TableError

    head = "process,where,variant,onset,peak,until,offset,adult_floor,checked,grade,source,note\n"
    for cells, why in (
        ("x,,,2,1,,3,0", "onset"), ("x,,,0,1,4,3,0", "offset"), ("x,,,0,1,,,0.5", "adult_floor"),
    ):  # fmt: skip
        with pytest.raises(TableError, match=why):
            parse_table(head + cells + ",read,B,somebody,\n", "x.csv", DevelopmentProcess)
    head = "quantity,form,use,cell,where,ages,values,loss_per_decade,loss_from,checked,grade,source,note\n"
    for cells, why in (
        ("x,fold,circuit,,,0|1,1,0,60", "values"), ("x,fold,circuit,,,1|0,1|1,0,60", "increase"),
        ("x,fold,circuit,,,0|1,0|1,0,60", "> 0"), ("x,shift,circuit,,,0|1,1|0,0.1,60", "loss"),
    ):  # fmt: skip
        with pytest.raises(TableError, match=why):
            parse_table(head + cells + ",read,B,somebody,\n", "x.csv", DevelopmentCurve)
