"""Tables of the signaling network: held to the vocabulary, to receptors and to developmental processes."""

from dataclasses import replace

import pytest

from synsys.core.errors import UserError
from synsys.knowledge import signaling
from synsys.knowledge.development import processes
from synsys.knowledge.load import vocabulary
from synsys.knowledge.mechanisms import TERMS, links, receptors
from synsys.knowledge.signaling import ACTIVATION, FAST, edges, nodes


def reread(monkeypatch, row: object, table: str = "signaling_edges.csv") -> None:
    """Read the edges again with one row in place of that of the same name."""
    name = next(iter(vars(row)))

    def load(filename: str, row_class: type) -> tuple:
        rows = (edges if row_class is signaling.Edge else nodes)()
        if filename != table:
            return tuple(rows.values() if isinstance(rows, dict) else rows)
        rows = rows.values() if isinstance(rows, dict) else rows
        return tuple(row if getattr(old, name) == getattr(row, name) else old for old in rows)

    monkeypatch.setattr(signaling, "load_table", load)
    if table == "signaling_nodes.csv":
        monkeypatch.setattr(signaling, "nodes", signaling.nodes.__wrapped__)
    signaling.edges.__wrapped__()


EDGE = edges()[0]
NODE = nodes()["neurogenesis"]


def test_tables_as_they_are_are_accepted(monkeypatch) -> None:
    reread(monkeypatch, EDGE)


@pytest.mark.parametrize(
    ("row", "table", "message"),
    [
        (replace(EDGE, window="prunning"), "signaling_edges.csv", "did you mean pruning"),
        (replace(NODE, process="neurogenesi"), "signaling_nodes.csv", "did you mean neurogenesis"),
        (replace(EDGE, source="glutamat"), "signaling_edges.csv", "not in vocabulary"),
        (replace(EDGE, target="gamma_power"), "signaling_edges.csv", "no node"),
        (replace(EDGE, saturation=None), "signaling_edges.csv", "saturation"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_there_is_refused_when_the_tables_are_read(monkeypatch, row, table, message) -> None:
    with pytest.raises(UserError, match=message):
        reread(monkeypatch, row, table)


def test_every_process_of_a_node_or_edge_has_a_default_timing() -> None:
    timed = {row.process for row in processes() if not row.variant}
    assert {row.process for row in nodes().values()} - {""} <= timed
    assert {row.window for row in edges()} - {""} <= timed


def test_every_node_is_regulated_or_can_be_moved_and_signals_of_the_brain_are_heard() -> None:
    regulated = {row.target for row in edges()}
    assert all(name in regulated or vocabulary()[name].perturbable for name in nodes())
    heard = {row.source for row in edges()}
    assert set(FAST) <= heard
    assert {name for name in heard if name.startswith(ACTIVATION)} <= {
        ACTIVATION + row.receptor for row in receptors()
    }


def test_where_effects_end() -> None:
    """Nodes that neither regulate another nor are read by the circuit are results only."""
    read = {link.source for link in links()} | TERMS | {row.source for row in edges()}
    read |= {name for row in receptors() for name in (row.density, row.tone)}
    assert set(nodes()) - read == {
        "neurodevelopmental_vulnerability", "immune_dysregulation", "hippocampal_volume", "ei_maturation",
        "cortical_maturation", "cortical_thickness", "neuronal_survival", "synaptic_connectivity",
        "synaptic_strength", "neuronal_adaptability",
    }  # fmt: skip
