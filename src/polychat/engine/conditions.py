"""The conditions of routed models: `quota.remaining > 0 and errors_1h < 3 and not request.has_images`. Pure.

A condition is one expression of comparisons, `and`, `or`, `not`, `in`, plain arithmetic, numbers, texts and the fields
that are known; it is parsed by Python's own parser against a whitelist when the config is read, and its types are
checked there too. Nothing is ever executed as Python.

A field may be unknown at the moment (a service that tells no quota). What rests on it is then neither true nor false,
as in Kleene's logic: `unknown or True` is true, `unknown and True` unknown. A condition that ends unknown is held as
fulfilled: nobody is left out for something that nobody knows.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Literal

import msgspec

from polychat.errors import ConfigError

Kind = Literal["number", "text", "truth"]
Value = float | str | bool | None  # None: unknown
Facts = Mapping[str, Value]
_Compute = Callable[[Facts], Value]

_ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_ORDERS: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_LONGEST = 500  # characters; more is a program


class Condition(msgspec.Struct, frozen=True):
    """One condition that was found to be sound."""

    text: str
    fields: tuple[str, ...]  # that it looks at, in order
    compute: _Compute

    def holds(self, facts: Facts) -> bool:
        """Whether it is fulfilled, or nobody knows."""
        return self.compute(facts) is not False

    def because(self, facts: Facts) -> str:
        """The values that decide it: `errors_1h is 5, quota.remaining is not known`."""
        return ", ".join(f"{field} is {_said(facts[field])}" for field in self.fields)


def parse(text: str, known: Mapping[str, Kind], *, place: str) -> Condition:
    """The condition that `text` is, over the fields of `known`.

    Raises: `ConfigError` naming `place` and the part that is wrong.
    """
    if len(text) > _LONGEST:
        raise ConfigError(f"{place} has {len(text)} characters, and a condition at most {_LONGEST}")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        said = error.msg if isinstance(error, SyntaxError) else "it cannot be read"
        raise ConfigError(f"{place} is no condition: {said}", hint=_EXAMPLE) from None
    reader = _Reader(known, place)
    try:
        kind, compute = reader.read(tree.body)
    except RecursionError:
        raise ConfigError(f"{place} is no condition: it is nested too deep", hint=_EXAMPLE) from None
    if kind != "truth":
        raise reader.wrong(tree.body, f"is a {kind}, not something that is true or false")
    return Condition(text.strip(), tuple(dict.fromkeys(reader.fields)), compute)


class _Reader:
    """One condition while it is read: every part becomes its kind and what computes it."""

    def __init__(self, known: Mapping[str, Kind], place: str) -> None:
        self.fields: list[str] = []
        self._known = known
        self._place = place

    def read(self, node: ast.expr) -> tuple[Kind, _Compute]:
        """Raises: `ConfigError`."""
        match node:
            case ast.Constant(value=bool() | int() | float() | str() as value):
                return _kind(value), lambda facts: value
            case ast.Name() | ast.Attribute():
                return self._field(node)
            case ast.BoolOp(op=ast.And(), values=parts):
                return "truth", _all([self._truth(part) for part in parts])
            case ast.BoolOp(values=parts):
                return "truth", _any([self._truth(part) for part in parts])
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return "truth", _not(self._truth(inner))
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return "number", _both(operator.sub, lambda facts: 0, self._number(inner))
            case ast.BinOp(op=sign, left=left, right=right) if type(sign) in _ARITHMETIC:
                return "number", _both(_ARITHMETIC[type(sign)], self._number(left), self._number(right))
            case ast.Compare(left=left, ops=signs, comparators=others):
                return "truth", self._comparison([left, *others], signs)
        raise self.wrong(node, "is not allowed in a condition")

    def wrong(self, node: ast.expr, what: str) -> ConfigError:
        """The refusal of one part."""
        return ConfigError(f"{self._place}: {ast.unparse(node)} {what}", hint=_EXAMPLE)

    def _field(self, node: ast.expr) -> tuple[Kind, _Compute]:
        name = ast.unparse(node)
        if name not in self._known:
            near = get_close_matches(name, self._known, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"the fields are {', '.join(sorted(self._known))}"
            raise ConfigError(f"{self._place}: there is no field {name}", hint=hint)
        self.fields.append(name)
        return self._known[name], lambda facts: facts[name]

    def _truth(self, node: ast.expr) -> _Compute:
        return self._of_kind(node, "truth")

    def _number(self, node: ast.expr) -> _Compute:
        return self._of_kind(node, "number")

    def _of_kind(self, node: ast.expr, wanted: Kind) -> _Compute:
        kind, compute = self.read(node)
        if kind != wanted:
            raise self.wrong(node, f"is a {kind}, where a {wanted} is needed")
        return compute

    def _comparison(self, parts: list[ast.expr], signs: list[ast.cmpop]) -> _Compute:
        """`a < b < c` is `a < b and b < c`."""
        steps = zip(parts, signs, parts[1:], strict=False)
        return _all([self._one(left, sign, right) for left, sign, right in steps])

    def _one(self, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> _Compute:
        if isinstance(sign, ast.In | ast.NotIn):
            among = self._among(left, right)
            return among if isinstance(sign, ast.In) else _not(among)
        if type(sign) in _ORDERS:
            return _both(_ORDERS[type(sign)], self._number(left), self._number(right))
        if isinstance(sign, ast.Eq | ast.NotEq):
            kind, first = self.read(left)
            same = _both(operator.eq, first, self._of_kind(right, kind))
            return same if isinstance(sign, ast.Eq) else _not(same)
        raise self.wrong(right, "is compared in a way that is not allowed")

    def _among(self, left: ast.expr, right: ast.expr) -> _Compute:
        if not isinstance(right, ast.Tuple | ast.List | ast.Set) or not right.elts:
            raise self.wrong(right, "is no list of values, as in (1, 2)")
        kind, wanted = self.read(left)
        return _any([_both(operator.eq, wanted, self._of_kind(one, kind)) for one in right.elts])


def _kind(value: bool | float | str) -> Kind:
    if isinstance(value, bool):
        return "truth"
    return "text" if isinstance(value, str) else "number"


def _both(join: Callable[[float, float], Value], left: _Compute, right: _Compute) -> _Compute:
    """Both sides joined; unknown where one is, or where it cannot be computed."""

    def compute(facts: Facts) -> Value:
        first, second = left(facts), right(facts)
        if first is None or second is None:
            return None
        try:
            return join(first, second)  # type: ignore[arg-type]  # the kinds were checked when it was read
        except ArithmeticError:
            return None

    return compute


def _all(parts: list[_Compute]) -> _Compute:
    def compute(facts: Facts) -> Value:
        unknown = False
        for part in parts:
            value = part(facts)
            if value is False:
                return False
            unknown = unknown or value is None
        return None if unknown else True

    return compute


def _any(parts: list[_Compute]) -> _Compute:
    return _not(_all([_not(part) for part in parts]))


def _not(part: _Compute) -> _Compute:
    def compute(facts: Facts) -> Value:
        value = part(facts)
        return None if value is None else not value

    return compute


def _said(value: Value) -> str:
    if value is None:
        return "not known"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else repr(value)


_EXAMPLE = "write it like quota.remaining > 0 and errors_1h < 3 and not request.has_images"
