"""Work out texts that a program puts together from constants: ``"bn" + "lib"`` is ``bnlib``."""

from __future__ import annotations

import ast
from collections.abc import Callable

Namer = Callable[[str], ast.expr | None]
LONGEST = 2000  # characters; nobody hides a name in more
MOST_STEPS = 500  # parts of one expression, those of the names in it included
CHANGES = frozenset({"lower", "upper", "strip", "removeprefix", "removesuffix", "replace", "title"})


def fold(node: ast.AST, value_of: Namer = lambda _: None) -> str | None:
    """Return the text an expression stands for, or None if that cannot be told.

    Parameters
    ----------
    node
        The expression.
    value_of
        The expression that a name is bound to, or None.
    """
    try:
        return _Folder(value_of).text(node)
    except RecursionError:
        return None


class _Folder:
    """Folds one expression, and gives up after `MOST_STEPS`."""

    def __init__(self, value_of: Namer) -> None:
        self._value_of = value_of
        self._steps = 0

    def text(self, node: ast.AST | None) -> str | None:
        self._steps += 1
        if node is None or self._steps > MOST_STEPS:
            return None
        found = self._text(node)
        return found if found is None or len(found) <= LONGEST else None

    def _text(self, node: ast.AST) -> str | None:
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            return self.text(self._value_of(node.id))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return _joined([self.text(node.left), self.text(node.right)], "")
        if isinstance(node, ast.JoinedStr):
            return _joined([self.text(part) for part in node.values], "")
        if isinstance(node, ast.FormattedValue) and node.format_spec is None:
            return self.text(node.value)
        if isinstance(node, ast.Subscript) and _is_reversal(node.slice):
            whole = self.text(node.value)
            return whole[::-1] if whole is not None else None
        return _called(node, self.text) if isinstance(node, ast.Call) else None


def _called(call: ast.Call, inner: Callable[[ast.AST], str | None]) -> str | None:
    if isinstance(call.func, ast.Name) and call.func.id == "chr" and len(call.args) == 1:
        code = call.args[0]
        known = isinstance(code, ast.Constant) and isinstance(code.value, int)
        return chr(code.value) if known and 0 <= code.value < 0x110000 else None  # type: ignore[attr-defined]
    if not isinstance(call.func, ast.Attribute):
        return None
    text = inner(call.func.value)
    if text is None:
        return None
    if call.func.attr == "join" and len(call.args) == 1:
        parts = call.args[0]
        if isinstance(parts, ast.List | ast.Tuple):
            return _joined([inner(part) for part in parts.elts], text)
        whole = inner(parts)
        return text.join(whole) if whole is not None else None
    arguments = [inner(argument) for argument in call.args]
    if call.func.attr in CHANGES and all(a is not None for a in arguments):
        try:
            return str(getattr(text, call.func.attr)(*arguments))
        except TypeError:
            return None
    return None


def _joined(parts: list[str | None], between: str) -> str | None:
    known = [part for part in parts if part is not None]
    return between.join(known) if len(known) == len(parts) else None


def _is_reversal(node: ast.AST) -> bool:
    if not isinstance(node, ast.Slice) or node.lower or node.upper or node.step is None:
        return False
    return ast.unparse(node.step) == "-1"
