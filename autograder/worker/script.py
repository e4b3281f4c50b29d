"""The operations a judge may ask for: plain data, no code.

A script is a tuple of `Step`s over names. A name stands for an input of the case, for what an
earlier step put there, or for a function or class the student wrote. `call`, `method`, `get`,
`put`, `item` and `snapshot` write one step each; all their arguments are names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Operation = Literal["call", "method", "get", "put", "item", "snapshot"]


@dataclass(frozen=True)
class Given:
    """An ordinary helper that an exercise takes as an argument, built beside the student's code."""

    name: str
    """Name of the helper in `autograder.worker.givens`."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Plain values the helper is built from."""


@dataclass(frozen=True)
class Step:
    """One operation on named values."""

    do: Operation
    """Which operation."""
    target: str
    """Name of the function, class or object it works on."""
    into: str
    """Name under which the result is kept; empty if it is not needed."""
    member: str | int = ""
    """Method, attribute or item of the target."""
    args: tuple[str, ...] = ()
    """Names of the positional arguments: values, or functions the student wrote."""
    kwargs: Mapping[str, str] = field(default_factory=dict)
    """Names of the keyword arguments, by parameter."""
    expect: str = ""
    """A builtin exception's name: the result is then what was raised, as text."""


Script = tuple[Step, ...]


def call(target: str, *args: str, into: str = "", expect: str = "", **kwargs: str) -> Step:
    """Call a function, construct a class or call an object: ``into = target(*args, **kwargs)``."""
    return Step("call", target, into, args=args, kwargs=kwargs, expect=expect)


def method(
    target: str, member: str, *args: str, into: str = "", expect: str = "", **kwargs: str
) -> Step:
    """Call a method: ``into = target.member(*args, **kwargs)``."""
    return Step("method", target, into, member, args, kwargs, expect)


def get(target: str, member: str, *, into: str) -> Step:
    """Read an attribute: ``into = target.member``."""
    return Step("get", target, into, member)


def put(target: str, member: str, value: str) -> Step:
    """Set an attribute: ``target.member = value``."""
    return Step("put", target, "", member, (value,))


def item(target: str, key: str | int, *, into: str) -> Step:
    """Read an entry of a sequence or mapping: ``into = target[key]``."""
    return Step("item", target, into, key)


def snapshot(target: str, *, into: str) -> Step:
    """Copy a value as it is now, so that a later change of it can be seen."""
    return Step("snapshot", target, into)
