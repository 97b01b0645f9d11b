"""Elementary functions and random numbers as LLVM vector instructions.

exp and log reduce the argument by powers of two and sum a power series; both are accurate to a few units
in the last place over the range that populations reach, and need no library. Random numbers are
counter-based, Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror & Shaw 2011, SC11), so that the number of a
lane, node, step and draw is the same whatever runs beside it; pairs become normal by the method of Box &
Muller 1958.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from llvmlite import ir

ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
"""Rotations of Threefry-2x32."""
PARITY = 0x1BD11BDA
"""Constant of its key schedule."""
ROUNDS = 20
CONTRACT = ("contract",)
Pair = tuple[ir.Value, ir.Value]


@contextmanager
def counted(b: ir.IRBuilder, start: ir.Value, stop: ir.Value, by: int = 1) -> Iterator[ir.Value]:
    """A loop for i in range(start, stop, by): what is built inside is its body."""
    whole = ir.IntType(64)
    before, function = b.block, b.function
    head, body, done = (function.append_basic_block(n) for n in ("head", "body", "done"))
    b.branch(head)
    b.position_at_end(head)
    i = b.phi(whole)
    i.add_incoming(start, before)
    b.cbranch(b.icmp_signed("<", i, stop), body, done)
    b.position_at_end(body)
    yield i
    i.add_incoming(b.add(i, whole(by)), b.block)
    b.branch(head)
    b.position_at_end(done)


class Lanes:
    """Instructions on vectors of lanes.

    Parameters
    ----------
    builder : ir.IRBuilder
    bits : {32, 64}
        Precision.
    lanes : int
        Width of a vector.
    """

    def __init__(self, builder: ir.IRBuilder, bits: int, lanes: int) -> None:
        self.b, self.bits, self.lanes = builder, bits, lanes
        self.scalar = ir.FloatType() if bits == 32 else ir.DoubleType()
        self.word = ir.IntType(bits)
        self.vec = ir.VectorType(self.scalar, lanes)
        self.ints = ir.VectorType(self.word, lanes)
        self.words = ir.VectorType(ir.IntType(32), lanes)
        self._mantissa, self._bias = (23, 127) if bits == 32 else (52, 1023)
        self._exp_terms, self._log_terms, self._sin_terms = (8, 5, 6) if bits == 32 else (14, 10, 11)

    # -- numbers ------------------------------------------------------------------------------------

    def const(self, value: float) -> ir.Constant:
        """The same number in every lane."""
        return ir.Constant(self.vec, [self._round(value)] * self.lanes)

    def int_const(self, value: int) -> ir.Constant:
        """The same integer in every lane."""
        return ir.Constant(self.ints, [value] * self.lanes)

    def spread(self, value: ir.Value) -> ir.Value:
        """A scalar in every lane."""
        kind = ir.VectorType(value.type, self.lanes)
        one = self.b.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.b.shuffle_vector(one, ir.Constant(kind, ir.Undefined), zeros)

    def _round(self, value: float) -> float:
        return float(np.float32(value)) if self.bits == 32 else float(value)

    # -- arithmetic ---------------------------------------------------------------------------------

    def add(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a + b."""
        return self.b.fadd(a, b, flags=CONTRACT)

    def sub(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a - b."""
        return self.b.fsub(a, b, flags=CONTRACT)

    def mul(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a b."""
        return self.b.fmul(a, b, flags=CONTRACT)

    def div(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a / b."""
        return self.b.fdiv(a, b)

    def fma(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """a b + c."""
        return self._call("llvm.fmuladd", a, b, c)

    def neg(self, a: ir.Value) -> ir.Value:
        """-a."""
        return self.b.fneg(a)

    def gt(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a > b."""
        return self.b.fcmp_ordered(">", a, b)

    def lt(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a < b."""
        return self.b.fcmp_ordered("<", a, b)

    def ge(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a >= b."""
        return self.b.fcmp_ordered(">=", a, b)

    def le(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a <= b."""
        return self.b.fcmp_ordered("<=", a, b)

    def select(self, where: ir.Value, a: ir.Value, b: ir.Value) -> ir.Value:
        """a where it holds, b elsewhere."""
        return self.b.select(where, a, b)

    def max(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """The larger; a where it is not a number."""
        return self.select(self.lt(a, b), b, a)

    def min(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """The smaller; a where it is not a number."""
        return self.select(self.gt(a, b), b, a)

    def sqrt(self, a: ir.Value) -> ir.Value:
        """Square root."""
        return self._call("llvm.sqrt", a)

    def abs(self, a: ir.Value) -> ir.Value:
        """Absolute value."""
        return self._call("llvm.fabs", a)

    # -- functions ----------------------------------------------------------------------------------

    def exp(self, x: ir.Value) -> ir.Value:
        """e^x, held within the finite numbers."""
        most = 87.0 if self.bits == 32 else 708.0
        x = self.min(self.max(x, self.const(-most)), self.const(most))
        high, low = (
            (0.693359375, -2.12194440e-4)
            if self.bits == 32
            else (6.93145751953125e-1, 1.42860682030941723212e-6)
        )
        magic = self.const(1.5 * 2.0**self._mantissa)
        t = self.fma(x, self.const(1.0 / math.log(2.0)), magic)
        n = self.b.fsub(t, magic)
        r = self.fma(n, self.const(-high), x)
        r = self.fma(n, self.const(-low), r)
        out = self._series(r, [1.0 / math.factorial(k) for k in range(self._exp_terms)])
        power = self.b.sub(self.b.bitcast(t, self.ints), self.b.bitcast(magic, self.ints))
        power = self.b.shl(self.b.add(power, self.int_const(self._bias)), self.int_const(self._mantissa))
        return self.b.fmul(out, self.b.bitcast(power, self.vec))

    def log(self, x: ir.Value) -> ir.Value:
        """Natural logarithm of x > 0; of 0, that of the smallest number; NaN below."""
        bits = self.b.bitcast(x, self.ints)
        power = self.b.sub(self.b.ashr(bits, self.int_const(self._mantissa)), self.int_const(self._bias))
        part = self.b.and_(bits, self.int_const((1 << self._mantissa) - 1))
        m = self.b.bitcast(self.b.or_(part, self.int_const(self._bias << self._mantissa)), self.vec)
        big = self.gt(m, self.const(math.sqrt(2.0)))
        m = self.select(big, self.b.fmul(m, self.const(0.5)), m)
        e = self._float(self.b.add(power, self.b.zext(big, self.ints)))
        s = self.div(self.b.fsub(m, self.const(1.0)), self.b.fadd(m, self.const(1.0)))
        terms = [2.0 / (2 * k + 1) for k in range(self._log_terms)]
        found = self.fma(e, self.const(math.log(2.0)), self.b.fmul(s, self._series(self.b.fmul(s, s), terms)))
        return self.select(self.ge(x, self.const(0.0)), found, self.const(math.nan))

    def log1p(self, x: ir.Value) -> ir.Value:
        """log(1 + x), accurate for small x (Kahan's correction)."""
        one = self.const(1.0)
        u = self.b.fadd(one, x)
        lost = self.b.fsub(x, self.b.fsub(u, one))
        return self.b.fadd(self.log(u), self.div(lost, u))

    def expm1(self, x: ir.Value) -> ir.Value:
        """e^x - 1, accurate for small x: the series below 0.3."""
        terms = [1.0 / math.factorial(k) for k in range(1, self._exp_terms + 4)]
        near = self.b.fmul(x, self._series(x, terms))
        far = self.b.fsub(self.exp(x), self.const(1.0))
        return self.select(self.lt(self.abs(x), self.const(0.3)), near, far)

    def tanh(self, x: ir.Value) -> ir.Value:
        """Hyperbolic tangent."""
        grown = self.expm1(self.b.fmul(self.const(2.0), x))
        return self.div(grown, self.b.fadd(grown, self.const(2.0)))

    def pow(self, x: ir.Value, y: ir.Value) -> ir.Value:
        """x^y for x >= 0 and y > 0; NaN for x < 0 (whole constant y are products, see `trace`)."""
        return self.exp(self.b.fmul(y, self.log(x)))

    def wrapped(self, x: ir.Value, period: float) -> ir.Value:
        """x less the nearest multiple of a period."""
        magic = self.const(1.5 * 2.0**self._mantissa)
        n = self.b.fsub(self.fma(x, self.const(1.0 / period), magic), magic)
        return self.fma(n, self.const(-period), x)

    def sin(self, x: ir.Value) -> ir.Value:
        """Sine of |x| up to some thousands."""
        r, sign = self._folded(x)
        return self.b.fmul(sign, self._sine(r))

    def cos(self, x: ir.Value) -> ir.Value:
        """Cosine of |x| up to some thousands."""
        r, sign = self._folded(x)
        return self.b.fmul(sign, self._cosine(r))

    def _folded(self, x: ir.Value) -> tuple[ir.Value, ir.Value]:
        """x less the nearest multiple n of pi, and (-1)^n."""
        magic = self.const(1.5 * 2.0**self._mantissa)
        t = self.fma(x, self.const(1.0 / math.pi), magic)
        n = self.b.fsub(t, magic)
        high = 3.140625 if self.bits == 32 else 3.1415926218032837  # exact in few bits
        r = self.fma(n, self.const(-high), x)
        r = self.fma(n, self.const(-(math.pi - high)), r)
        odd = self.b.and_(self.b.bitcast(t, self.ints), self.int_const(1))
        return r, self._float(self.b.sub(self.int_const(1), self.b.shl(odd, self.int_const(1))))

    def _sine(self, r: ir.Value) -> ir.Value:
        """Sine between -pi/2 and pi/2."""
        terms = [(-1.0) ** k / math.factorial(2 * k + 1) for k in range(self._sin_terms)]
        return self.b.fmul(r, self._series(self.b.fmul(r, r), terms))

    def _cosine(self, r: ir.Value) -> ir.Value:
        terms = [(-1.0) ** k / math.factorial(2 * k) for k in range(self._sin_terms + 1)]
        return self._series(self.b.fmul(r, r), terms)

    def _series(self, x: ir.Value, terms: list[float]) -> ir.Value:
        out: ir.Value = self.const(terms[-1])
        for term in reversed(terms[:-1]):
            out = self.fma(out, x, self.const(term))
        return out

    def _float(self, i: ir.Value) -> ir.Value:
        return self.b.sitofp(i, self.vec)

    # -- random numbers -----------------------------------------------------------------------------

    def normals(self, key: Pair, counter: Pair) -> Pair:
        """Two standard normal numbers of every lane, from a function of their own.

        Parameters
        ----------
        key : pair of vectors of 32-bit words
            Seed of every lane.
        counter : pair of vectors of 32-bit words
        """
        function = self.b.module.globals.get("normals")
        if function is None:
            both = ir.LiteralStructType([self.vec, self.vec])
            kind = ir.FunctionType(both, [self.words] * 4)
            function = ir.Function(self.b.module, kind, "normals")
            function.linkage, function.calling_convention = "internal", "fastcc"
            function.attributes.add("noinline")
            own = Lanes(ir.IRBuilder(function.append_basic_block()), self.bits, self.lanes)
            one, two = own.box_muller(*own.threefry(function.args[:2], function.args[2:]))
            out = own.b.insert_value(ir.Constant(both, ir.Undefined), one, 0)
            own.b.ret(own.b.insert_value(out, two, 1))
        pair = self.b.call(function, [*key, *counter], cconv="fastcc")
        return self.b.extract_value(pair, 0), self.b.extract_value(pair, 1)

    def box_muller(self, w0: ir.Value, w1: ir.Value) -> Pair:
        """Two standard normal numbers from two random words; none beyond 6.7."""
        one = self._words(1)
        size = self._from_words(self.b.lshr(w0, one))
        u = self.b.fmul(self.b.fadd(size, self.const(0.5)), self.const(2.0**-31))
        r = self.sqrt(self.b.fmul(self.const(-2.0), self.log(u)))
        angle = self.b.fmul(self._from_words(w1), self.const(math.pi * 2.0**-32))
        low = self.b.shl(self.b.and_(w0, one), one)
        sign = self.b.fsub(self.const(1.0), self._from_words(low))
        return (
            self.b.fmul(r, self._sine(angle)),
            self.b.fmul(self.b.fmul(sign, r), self._cosine(angle)),
        )

    def threefry(self, key: Pair, counter: Pair, rounds: int = ROUNDS) -> Pair:
        """Two random 32-bit words of every lane."""
        b = self.b
        keys = [*key, b.xor(b.xor(key[0], key[1]), self._words(PARITY))]
        x, y = b.add(counter[0], keys[0]), b.add(counter[1], keys[1])
        for k in range(rounds):
            x = b.add(x, y)
            y = b.xor(self._rotated(y, ROTATIONS[k % 8]), x)
            if k % 4 == 3:
                n = k // 4 + 1
                x = b.add(x, keys[n % 3])
                y = b.add(b.add(y, keys[(n + 1) % 3]), self._words(n))
        return x, y

    def _rotated(self, x: ir.Value, by: int) -> ir.Value:
        return self._call("llvm.fshl", x, x, self._words(by))

    def _words(self, value: int) -> ir.Constant:
        return ir.Constant(self.words, [value] * self.lanes)

    def _from_words(self, words: ir.Value) -> ir.Value:
        """32-bit words, as signed integers, as floating-point numbers."""
        return self.b.sitofp(words, self.vec)

    def _call(self, name: str, *args: ir.Value) -> ir.Value:
        kind = args[0].type
        part = {"float": "f32", "double": "f64", "i32": "i32", "i64": "i64"}[str(kind.element)]
        full = f"{name}.v{self.lanes}{part}"
        module = self.b.module
        function = module.globals.get(full)
        if function is None:
            function = ir.Function(module, ir.FunctionType(kind, [a.type for a in args]), full)
        return self.b.call(function, args)
