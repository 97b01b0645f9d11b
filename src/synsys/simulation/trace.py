"""From a drift function written for NumPy to the list of scalar operations that it performs.

The same function that the linear solution evaluates on arrays is called once with `Traced` arrays, which
record instead of compute. What comes out is a graph of scalar operations, each distinct one once, in which
whatever depends on parameters alone can be evaluated beforehand and whatever is multiplied by 0 is gone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

UNARY = {
    "negative": "neg", "exp": "exp", "log": "log", "log1p": "log1p", "expm1": "expm1", "sqrt": "sqrt",
    "sin": "sin", "cos": "cos", "tanh": "tanh", "absolute": "abs",
}  # fmt: skip
BINARY = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "power": "pow", "maximum": "max",
    "minimum": "min", "greater": "gt", "less": "lt", "greater_equal": "ge", "less_equal": "le",
}  # fmt: skip
COMPUTE: dict[str, Callable[..., Any]] = {
    **{op: getattr(np, name) for name, op in (UNARY | BINARY).items()},
    "select": np.where,
}
"""What each operation is in NumPy."""


class Node:
    """One scalar operation.

    Attributes
    ----------
    op : str
        A key of `COMPUTE`; ``const``, ``param``; or the name of what is read at every step.
    args : tuple of Node
    data : object
        Number of a constant; (name, index) of anything that is read.
    fixed : bool
        Whether it depends on constants and parameters alone.
    """

    __slots__ = ("args", "data", "fixed", "number", "op")
    fixed: bool

    def __init__(self, op: str, args: tuple["Node", ...], data: Any, number: int) -> None:
        self.op, self.args, self.data, self.number = op, args, data, number
        self.fixed = op in ("const", "param") or (bool(args) and all(a.fixed for a in args))

    def is_(self, value: float) -> bool:
        """Whether it is this constant."""
        return self.op == "const" and self.data == value


class Graph:
    """All operations of a model, each distinct one once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Node] = {}

    def node(self, op: str, args: tuple[Node, ...] = (), data: Any = None) -> Node:
        """The node of an operation."""
        key = op, tuple(a.number for a in args), data
        if key not in self._known:
            self._known[key] = Node(op, args, data, len(self._known))
        return self._known[key]

    def const(self, value: float) -> Node:
        """A number."""
        return self.node("const", data=float(value))

    def read(self, kind: str, name: str, shape: tuple[int, ...] = ()) -> "Traced":
        """Array of things that are read: ``param``, ``state``, ``coupling``, ``noise`` and so on."""
        out = np.empty(shape, object)
        for index in np.ndindex(*shape):
            out[index] = self.node(kind, data=(name, index))
        return Traced(self, out)

    def apply(self, op: str, *args: Node) -> Node:
        """The node of an operation on nodes, simplified where constants allow."""
        if all(a.op == "const" for a in args):
            with np.errstate(all="ignore"):
                return self.const(float(COMPUTE[op](*(a.data for a in args))))
        if op == "add":
            a, b = args
            return b if a.is_(0) else a if b.is_(0) else self.node(op, args)
        if op == "sub":
            a, b = args
            return a if b.is_(0) else self.apply("neg", b) if a.is_(0) else self.node(op, args)
        if op == "mul":
            a, b = args
            if a.is_(0) or b.is_(0):
                return self.const(0.0)
            return b if a.is_(1) else a if b.is_(1) else self.node(op, args)
        if op == "div":
            a, b = args
            if a.is_(0) or b.is_(1):
                return a
            if b.fixed and not a.fixed:
                return self.apply("mul", a, self.apply("div", self.const(1.0), b))
        if op == "pow" and args[1].op == "const" and float(args[1].data).is_integer():
            return self._whole_power(args[0], int(args[1].data))
        return self.node(op, args)

    def _whole_power(self, base: Node, exponent: int) -> Node:
        """Products by repeated squaring, which also hold for negative numbers."""
        if exponent < 0:
            return self.apply("div", self.const(1.0), self._whole_power(base, -exponent))
        if exponent == 0:
            return self.const(1.0)
        half = self._whole_power(base, exponent // 2) if exponent > 1 else self.const(1.0)
        square = self.apply("mul", half, half)
        return self.apply("mul", square, base) if exponent % 2 else square

    def replaced(self, roots: Iterable[Node], what: Mapping[int, Node]) -> list[Node]:
        """The same roots with some nodes (by number) replaced, simplified anew."""
        done: dict[int, Node] = dict(what)
        for root in roots:
            for node in ordered([root]):
                if node.number not in done:
                    args = tuple(done[a.number] for a in node.args)
                    same = all(a is b for a, b in zip(args, node.args, strict=True))
                    done[node.number] = node if same else self.apply(node.op, *args)
        return [done[root.number] for root in roots]


class Traced(NDArrayOperatorsMixin):
    """Array whose elements are nodes; stands in for an ndarray in a drift function."""

    def __init__(self, graph: Graph, nodes: np.ndarray) -> None:
        self.graph, self.nodes = graph, nodes

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape."""
        return self.nodes.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.nodes.ndim

    @property
    def real(self) -> "Traced":
        """The same; nothing traced is complex."""
        return self

    def __getitem__(self, index: Any) -> "Traced":
        return Traced(self.graph, _array(self.nodes[index]))

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def reshape(self, *shape: int) -> "Traced":
        """The same elements in another shape."""
        return Traced(self.graph, self.nodes.reshape(*shape))

    def sum(self, axis: int | None = None) -> "Traced":
        """Sum over all elements or one axis."""
        nodes = self.nodes.reshape(-1) if axis is None else np.moveaxis(self.nodes, axis, 0)
        total = Traced(self.graph, _array(nodes[0]))
        for part in nodes[1:]:
            total = total + Traced(self.graph, _array(part))
        return total

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> "Traced":
        name = ufunc.__name__
        if method != "__call__" or kwargs:
            raise TypeError(f"a drift function cannot use {name}.{method} with {sorted(kwargs)}")
        if name == "matmul":
            return self._matmul(*(lifted(self.graph, a) for a in inputs))
        if name == "square":
            return inputs[0] * inputs[0]
        if name == "reciprocal":
            return 1.0 / inputs[0]
        if name not in UNARY and name not in BINARY:
            raise TypeError(f"a drift function cannot use {name}; it can: {', '.join([*UNARY, *BINARY])}")
        op = UNARY.get(name) or BINARY[name]
        return self._each(op, *inputs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func in (np.ndim, np.shape):
            return getattr(args[0], func.__name__)
        if func is np.where:
            return self._each("select", *args)
        if func is np.stack:
            parts = [lifted(self.graph, a).nodes for a in args[0]]
            return Traced(self.graph, np.stack(parts, **kwargs))
        if func is np.real:
            return args[0]
        if func is np.sum:
            return args[0].sum(*args[1:], **kwargs)
        raise TypeError(f"a drift function cannot use {func.__name__}")

    def _each(self, op: str, *inputs: Any) -> "Traced":
        parts: Any = np.broadcast_arrays(*(lifted(self.graph, a).nodes for a in inputs))
        out = np.empty(parts[0].shape, object)
        for index in np.ndindex(*out.shape):
            out[index] = self.graph.apply(op, *(part[index] for part in parts))
        return Traced(self.graph, out)

    def _matmul(self, a: "Traced", b: "Traced") -> "Traced":
        apply, rows, columns = self.graph.apply, a.shape[-2], b.shape[-1]
        out = np.empty((rows, columns), object)
        for i, j in np.ndindex(rows, columns):
            total = apply("mul", a.nodes[i, 0], b.nodes[0, j])
            for k in range(1, a.shape[-1]):
                total = apply("add", total, apply("mul", a.nodes[i, k], b.nodes[k, j]))
            out[i, j] = total
        return Traced(self.graph, out)


def lifted(graph: Graph, value: Any) -> Traced:
    """Numbers as constants; what is traced already, as it is."""
    if isinstance(value, Traced):
        return value
    numbers = np.asarray(value, float)
    out = np.empty(numbers.shape, object)
    for index in np.ndindex(*numbers.shape):
        out[index] = graph.const(float(numbers[index]))
    return Traced(graph, out)


def ordered(roots: Sequence[Node]) -> list[Node]:
    """All nodes that roots need, each after its arguments."""
    out: list[Node] = []
    seen: set[int] = set()
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if ready:
            out.append(node)
        elif node.number not in seen:
            seen.add(node.number)
            stack.append((node, True))
            stack.extend((a, False) for a in reversed(node.args))
    return out


def evaluated(roots: Sequence[Node], values: Mapping[tuple[str, str, tuple[int, ...]], Any]) -> list[Any]:
    """Numbers of nodes in NumPy; `values` holds what is read by (kind, name, index)."""
    known: dict[int, Any] = {}
    for node in ordered(roots):
        if node.op == "const":
            known[node.number] = node.data
        elif not node.args:
            known[node.number] = values[(node.op, *node.data)]
        else:
            known[node.number] = COMPUTE[node.op](*(known[a.number] for a in node.args))
    return [known[root.number] for root in roots]


def _array(value: Any) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value
    out = np.empty((), object)
    out[()] = value
    return out
