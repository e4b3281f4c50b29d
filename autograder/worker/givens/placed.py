"""Tensors that say they lie on a card: their numbers are on the CPU, their rules are CUDA's.

Each tensor carries the name of its place. Whoever mixes places gets CUDA's error, `device` and
`is_cuda` tell the place, `.to(...)` and `device=` put a tensor there. It works by torch's own hook
for all calls that Python code makes, and loads nothing of torch that is not loaded anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

PLACE = "_place"  # attribute of a tensor that is not on the CPU
EVERYWHERE = "everywhere"  # the place of a value that each card has a copy of
# what takes tensors of different places on a real card, too
TOLERANT = frozenset({"copy_", "__setitem__", "__getitem__", "type_as", "index_put_"})
TO_HOST = frozenset({"numpy", "__array__"})


def place_of(tensor: Any) -> str:
    """Return where a tensor lies: `cpu`, `cuda:0`, or `everywhere`."""
    return str(vars(tensor).get(PLACE, "cpu"))


def put(value: Any, place: str) -> Any:
    """Say of every tensor in nested containers that it lies there."""
    for tensor in _tensors(value):
        setattr(tensor, PLACE, place)
    return value


def _tensors(value: Any) -> Iterator[Any]:
    """Yield the tensors in nested containers."""
    if hasattr(value, "untyped_storage"):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


def common_place(tensors: Sequence[Any]) -> str:
    """Return where the result of an operation on these tensors lies; CUDA's error if nowhere.

    Single numbers on the CPU go with everything.
    """
    places = [place_of(t) for t in tensors if t.dim() or place_of(t) != "cpu"]
    found = sorted({place for place in places if place != EVERYWHERE}, reverse=True)
    if len(found) > 1:
        raise RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices, "
            f"{found[0]} and {found[1]}!"
        )
    if found:
        return found[0]
    return EVERYWHERE if EVERYWHERE in places else "cpu"


def named_place(device: Any) -> str | None:
    """Return the place that `device=` or `.to(...)` asks for; None if it is none."""
    if isinstance(device, int) and not isinstance(device, bool):
        return f"cuda:{device}"
    if not isinstance(device, str) and not hasattr(device, "index"):
        return None
    kind, _, index = str(device).partition(":")
    return f"cuda:{index or 0}" if kind == "cuda" else kind


class Copies:
    """Which copies between places were made, and whether the host waited for them."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bool]] = []

    def go_alone(self) -> bool:
        """Whether there were copies to cards, and the host waited for none of them."""
        waits = [waited for place, waited in self.seen if place != "cpu"]
        return bool(waits) and not any(waits)

    def wait(self) -> bool:
        """Whether the host waited for every copy to the CPU."""
        return all(waited for place, waited in self.seen if place == "cpu")


def on_cards(copies: Copies, require: Callable[[], None] = lambda: None) -> Any:
    """Return the context manager in which places hold; `require` objects where there is no card."""
    return _mode_class()(copies, require)


@cache
def _mode_class() -> Any:
    """Make the class when torch is there: this module never loads it."""
    import torch
    from torch.overrides import TorchFunctionMode

    told: dict[Any, Callable[[str], Any]] = {
        torch.Tensor.device.__get__: lambda place: torch.device(_shown(place)),
        torch.Tensor.is_cuda.__get__: lambda place: place != "cpu",  # type: ignore[attr-defined]
        torch.Tensor.is_cpu.__get__: lambda place: place == "cpu",  # type: ignore[attr-defined]
        torch.Tensor.get_device: lambda place: int(_shown(place)[5:] or -1),
    }

    class Places(TorchFunctionMode):
        """Sees every call of torch from Python."""

        def __init__(self, copies: Copies, require: Callable[[], None]) -> None:
            super().__init__()
            self._copies, self._require = copies, require

        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            name, kwargs = getattr(func, "__name__", ""), kwargs or {}
            if func in told:
                return told[func](place_of(args[0]))
            if func in (torch.Tensor.to, torch.Tensor.cuda, torch.Tensor.cpu):
                return self._move(name, args, kwargs)
            if func is torch.Tensor.pin_memory:
                return args[0]
            wanted = named_place(kwargs.get("device"))
            if wanted is not None:
                self._require_card(wanted)
                kwargs = {**kwargs, "device": "cpu"}
            tensors = list(_tensors((args, kwargs)))
            if name in TO_HOST and place_of(args[0]) != "cpu":
                raise TypeError(
                    f"can't convert {place_of(args[0])} device type tensor to numpy. Use "
                    "Tensor.cpu() to copy the tensor to host memory first."
                )
            tolerant = name in TOLERANT and bool(tensors)
            place = place_of(tensors[0]) if tolerant else common_place(tensors)
            if name == "copy_" and place_of(args[0]) != place_of(args[1]):
                self._see(place_of(args[0]), args[2:], kwargs)
            result = func(*args, **kwargs)
            place = wanted or place
            return result if place == "cpu" else put(result, place)

        def _move(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
            source, here = args[0], place_of(args[0])
            there, rest, options = _destination(name, args[1:], kwargs, here)
            if there != here:
                self._require_card(there)
                self._see(there, rest, options)
                source = source.clone()
            moved = source.to(*rest, **options) if rest or options else source
            return put(moved, there) if there != "cpu" or here != "cpu" else moved

        def _require_card(self, place: str) -> None:
            if place.startswith("cuda"):
                self._require()

        def _see(self, there: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
            flags = [arg for arg in args if isinstance(arg, bool)]
            waits = not kwargs.get("non_blocking", flags[0] if flags else False)
            self._copies.seen.append((there, waits))

    return Places


def _shown(place: str) -> str:
    return "cuda:0" if place == EVERYWHERE else place


def _destination(
    name: str, args: Sequence[Any], kwargs: Mapping[str, Any], here: str
) -> tuple[str, list[Any], dict[str, Any]]:
    """Return where `.to`, `.cuda` or `.cpu` moves to, and the arguments without the place."""
    rest, options = list(args), dict(kwargs)
    if name in ("cuda", "cpu"):
        device = options.pop("device", None)
        if rest and not isinstance(rest[0], bool):
            device = rest.pop(0)
        asked = named_place(device) if device is not None else None
        options.pop("memory_format", None)
        return ("cpu" if name == "cpu" else asked or "cuda:0"), rest, options
    if rest and hasattr(rest[0], "untyped_storage"):  # like another tensor
        other = rest.pop(0)
        return place_of(other), [other.dtype, *rest], options
    place = named_place(options.pop("device", None))
    if place is None and rest and not isinstance(rest[0], bool):
        place = named_place(rest[0])
        rest = rest[1:] if place is not None else rest
    if rest and rest[0] is None:
        rest = rest[1:]
    return place or here, rest, options
