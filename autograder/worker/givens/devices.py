"""What the units on devices hand to a function, and how they read what it did.

No GPU is needed: a simulated card tells times and bytes, and tensors say that they lie on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograder.worker.givens.card import Card, Memory, Work
from autograder.worker.givens.placed import EVERYWHERE, Copies, on_cards, place_of, put
from autograder.worker.givens.registry import given
from autograder.worker.givens.standins import simulated


class Pair(NamedTuple):
    """A named tuple, as data loaders make them."""

    image: Any
    label: Any


@given("device")
def device(name: str) -> Any:
    """Build a `torch.device`."""
    import torch

    return torch.device(name)


@given("device_kind")
def device_kind() -> Callable[[Any], str]:
    """Build the reading of a device: its kind, or what it is instead."""

    def read(value: Any) -> str:
        import torch

        known = isinstance(value, torch.device)
        return str(value.type) if known else f"no device, but of type {type(value).__name__}"

    return read


@given("dtype")
def dtype(name: str) -> Any:
    """Build a torch dtype from its name, without ``torch.``."""
    import torch

    return getattr(torch, name)


class Computer:
    """Calls student code as on a computer with a simulated card, or without one."""

    def __init__(
        self, card: Card, memories: list[Memory], steps: Sequence[int], place: int
    ) -> None:
        self._card, self._memories = card, memories
        self._steps, self._place = steps, place
        self._copies = Copies()

    @property
    def copies_go_alone(self) -> bool:
        """Whether tensors were copied to cards, and the host waited for none of these copies."""
        return self._copies.go_alone()

    @property
    def copies_wait(self) -> bool:
        """Whether the host waited for every copy to the CPU."""
        return self._copies.wait()

    @property
    def calls(self) -> int:
        """How often the operation was called."""
        return self._card.calls

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function of the student's."""
        places = on_cards(self._copies, self._card.require)
        with simulated(self._card, self._memories, function), places:
            return function(*args)

    def call_with_operation(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function of the student's that takes an operation first."""
        return self.call(function, self._operate, *args)

    def _operate(self) -> str:
        self._card.operation()
        for n_bytes in self._steps:
            self._memories[self._place].change(n_bytes)
        return "the operation's result"


@given("computer")
def computer(
    cards: int = 1,
    ms: Sequence[float] = (1.0,),
    first_ms: Sequence[float] = (),
    held: Sequence[int] = (),
    highest: Sequence[int] = (),
    steps: Sequence[int] = (),
    place: int = 0,
    **options: Any,
) -> Computer:
    """Build a computer with simulated cards.

    Parameters
    ----------
    cards
        How many there are.
    ms, first_ms
        Time of each call of the operation; time that the host loses before, at the first calls.
    held, highest
        Bytes on each card: held from the start, and most that ever were.
    steps, place
        Bytes that a call allocates, one after another (negative: frees), and on which card.
    options
        Of `Card`: `on_card`, `kernels`, `set_back`, `asleep`.
    """
    lost = [*first_ms, *[0.0] * len(ms)]
    works = [Work(float(time), float(first)) for time, first in zip(ms, lost, strict=False)]
    memories = [
        Memory(*(int(numbers[i]) if i < len(numbers) else 0 for numbers in (held, highest)))
        for i in range(cards)
    ]
    return Computer(Card(cards > 0, works, **options), memories, steps, place)


@given("tree")
def tree(form: str, tensors: Sequence[Any]) -> Any:
    """Build nested containers.

    Parameters
    ----------
    form
        JSON of nested pairs ``[kind, content]``: ``["tensor", its number]``, ``["list", [pairs]]``,
        ``["tuple", [pairs]]``, ``["pair", [two pairs]]``, ``["dict", {name: pair}]``,
        ``["value", anything plain]``. Text, since the wire does not go so deep.
    tensors
        Their numbers, as arrays.
    """
    import torch

    def build(kind: str, content: Any) -> Any:
        if kind == "tensor":
            return torch.from_numpy(tensors[content].copy())
        if kind == "value":
            return content
        if kind == "dict":
            return {name: build(*item) for name, item in content.items()}
        items = [build(*item) for item in content]
        return Pair(*items) if kind == "pair" else {"list": list, "tuple": tuple}[kind](items)

    return build(*json.loads(form))


@given("layout")
def layout() -> Callable[[Any], str]:
    """Build the reading of nested containers as one line of text."""

    def read(value: Any) -> str:
        if hasattr(value, "detach") and hasattr(value, "device"):
            name = str(value.dtype).removeprefix("torch.")
            return f"{place_of(value)} {name} {value.tolist()}"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{name}: {read(item)}" for name, item in value.items()) + "}"
        if isinstance(value, list | tuple):
            named = type(value).__name__ if hasattr(value, "_fields") else ""
            left, right = ("[", "]") if isinstance(value, list) else (named + "(", ")")
            return left + ", ".join(map(read, value)) + right
        return repr(value)[:80] if type(value) in (int, float, str, bool) else type(value).__name__

    return read


@given("placed")
def placed(value: Any, place: str) -> Any:
    """Build tensors that lie on a card, or on every card."""
    return put(value, place)


@given("channels_last")
def channels_last(value: Any) -> Any:
    """Build images whose channels lie next to each other in memory."""
    import torch

    return value.detach().contiguous(memory_format=torch.channels_last)


@given("as_list")
def as_list() -> Callable[[Any], Any]:
    """Build the reading of a list: a tuple counts, too."""
    return lambda value: list(value) if isinstance(value, tuple) else value


@given("facts")
def facts() -> Callable[[Any], Any]:
    """Build the reading of a tensor's facts: device, dtype, memory format; else its type."""

    def read(value: Any) -> Any:
        if not hasattr(value, "is_contiguous"):
            return type(value).__name__
        import torch

        order = "contiguous"
        if value.ndim == 4 and not value.is_contiguous():
            last = value.is_contiguous(memory_format=torch.channels_last)
            order = "channels last" if last else "strided"
        return f"{place_of(value)}, {str(value.dtype).removeprefix('torch.')}, {order}"

    return read


@given("as_doubles")
def as_doubles() -> Callable[[Any], Any]:
    """Build the reading of tensors as float64 arrays: one, or a list of each of several."""

    def read(value: Any) -> Any:
        if isinstance(value, tuple | list):
            return list(map(read, value))
        return value.detach().cpu().double().numpy().copy() if hasattr(value, "detach") else value

    return read


@given("weighted_gradient")
def weighted_gradient() -> Callable[..., Any]:
    """Build the gradient of ``Σ weights · y`` by x; zeros if none flows there."""

    def read(y: Any, x: Any, weights: Any) -> Any:
        import torch

        if not getattr(y, "requires_grad", False):
            return torch.zeros_like(x).double().numpy()
        total = (y.double() * torch.from_numpy(weights)).sum()
        (found,) = torch.autograd.grad(total, x, allow_unused=True, materialize_grads=True)
        return found.double().numpy().copy()

    return read


class AllReduce:
    """The sum over cards, in one process; it counts how often it is asked for.

    `apart`: each card's tensor has to lie on it.
    """

    def __init__(self, ranks: int, apart: bool = False) -> None:
        self._ranks, self._apart, self.calls = ranks, apart, 0

    @property
    def used(self) -> bool:
        """Whether it was asked for at all."""
        return self.calls > 0

    def __call__(self, parts: Any) -> Any:
        """Return the sum of one tensor from each card."""
        shapes = [tuple(part.shape) for part in parts]
        if len(shapes) != self._ranks or len(set(shapes)) != 1:
            raise ValueError(
                f"all_reduce takes one tensor from each of the {self._ranks} cards, all of one "
                f"shape; got {len(shapes)} of shapes {shapes}"
            )
        for own, place in enumerate(map(place_of, parts) if self._apart else ()):
            if place not in (EVERYWHERE, f"cuda:{own}"):
                raise RuntimeError(
                    f"all_reduce got a tensor on {place} from the card cuda:{own}. What a card "
                    "hands in has to lie on it: `shard.new_zeros(...)`, not `torch.zeros(...)`."
                )
        self.calls += 1
        return put(self._sum(parts), EVERYWHERE)

    def _sum(self, parts: Any) -> Any:
        """Add up, wherever the parts lie."""
        import torch

        with torch._C.DisableTorchFunction():
            return torch.stack(list(parts)).sum(dim=0)


@given("all_reduce")
def all_reduce(ranks: int, apart: bool = False) -> AllReduce:
    """Build the sum over so many cards; `apart`: it sees to it that each hands in its own."""
    return AllReduce(ranks, apart)
