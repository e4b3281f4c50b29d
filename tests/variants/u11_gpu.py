# --- pick_device ---


# %% right pick_device: as in the text
def pick_device():
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


# %% right pick_device: by counting
def pick_device():
    import torch

    if torch.cuda.device_count() > 0:
        return torch.device("cuda:0")
    return torch.device("cpu")


# %% right pick_device: whatever accelerator there is
def pick_device():
    import torch

    found = torch.accelerator.current_accelerator()
    return torch.device("cpu") if found is None else found


# %% right pick_device: the function imported by name
from torch.cuda import is_available


def pick_device():
    import torch

    return torch.device(["cpu", "cuda"][is_available()])


# %% wrong pick_device: the parentheses forgotten -> always-cuda
def pick_device():
    import torch

    return torch.device("cuda" if torch.cuda.is_available else "cpu")


# %% wrong pick_device: hard-coded -> always-cuda
def pick_device():
    import torch

    return torch.device("cuda")


# %% wrong pick_device: the CPU, always -> never-cuda
def pick_device():
    import torch

    return torch.device("cpu")


# %% wrong pick_device: the name, not the device -> no-device
def pick_device():
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


# %% wrong pick_device: decided once
import torch

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def pick_device():
    return DEVICE


# %% right pick_device: by trying
def pick_device():
    import torch

    try:
        return torch.ones(1).cuda().device
    except (AssertionError, RuntimeError):
        return torch.device("cpu")


# %% wrong pick_device: the other way round -> other-way-round
def pick_device():
    import torch

    return torch.device("cpu" if torch.cuda.is_available() else "cuda")


# %% wrong pick_device: nothing returned -> no-device
def pick_device():
    import torch

    torch.device("cuda" if torch.cuda.is_available() else "cpu")


# %% wrong pick_device: the stub
def pick_device():
    raise NotImplementedError()


# --- to_device ---


# %% right to_device: as in the text
def to_device(batch, device):
    import torch

    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=device.type == "cuda")
    if isinstance(batch, dict):
        return {key: to_device(value, device) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        items = [to_device(value, device) for value in batch]
        return type(batch)(*items) if hasattr(batch, "_fields") else type(batch)(items)
    return batch


# %% right to_device: by keyword, a named tuple through _make
def to_device(batch, device):
    if hasattr(batch, "to") and hasattr(batch, "dtype"):
        return batch.to(device=device, non_blocking=device.type != "cpu")
    if hasattr(batch, "_make"):
        return batch._make(to_device(part, device) for part in batch)
    if isinstance(batch, tuple):
        return tuple(to_device(part, device) for part in batch)
    if isinstance(batch, list):
        return [to_device(part, device) for part in batch]
    if isinstance(batch, dict):
        return {name: to_device(part, device) for name, part in batch.items()}
    return batch


# %% right to_device: cuda() and cpu()
def to_device(batch, device):
    import torch

    match batch:
        case torch.Tensor():
            return batch.cpu() if device.type == "cpu" else batch.cuda(device, non_blocking=True)
        case dict():
            return dict(zip(batch, map(lambda v: to_device(v, device), batch.values())))
        case list():
            return list(map(lambda v: to_device(v, device), batch))
        case tuple():
            parts = tuple(map(lambda v: to_device(v, device), batch))
            return type(batch)(*parts) if type(batch) is not tuple else parts
    return batch


# %% right to_device: pinned first, positional flag, a helper inside
def to_device(batch, device):
    import torch

    def move(item):
        if torch.is_tensor(item):
            if device.type == "cuda":
                return item.pin_memory().to(device, item.dtype, True)
            return item.to(device)
        if isinstance(item, dict):
            return {k: move(v) for k, v in item.items()}
        if isinstance(item, tuple) and hasattr(item, "_fields"):
            return type(item)(**{k: move(v) for k, v in zip(item._fields, item)})
        if isinstance(item, (tuple, list)):
            return type(item)(move(v) for v in item)
        return item

    return move(batch)


# %% right to_device: through an empty tensor and copy_
def to_device(batch, device):
    import torch

    if isinstance(batch, torch.Tensor):
        there = torch.empty_like(batch, device=device)
        there.copy_(batch, non_blocking=device.type == "cuda")
        return there
    if isinstance(batch, dict):
        return {k: to_device(v, device) for k, v in batch.items()}
    if isinstance(batch, (list, tuple)):
        items = [to_device(v, device) for v in batch]
        if isinstance(batch, list):
            return items
        return type(batch)(*items) if hasattr(batch, "_fields") else tuple(items)
    return batch


# %% wrong to_device: named tuples become plain -> named-tuple-lost
def to_device(batch, device):
    if hasattr(batch, "detach"):
        return batch.to(device, non_blocking=device.type == "cuda")
    if isinstance(batch, dict):
        return {k: to_device(v, device) for k, v in batch.items()}
    if isinstance(batch, list):
        return [to_device(v, device) for v in batch]
    if isinstance(batch, tuple):
        return tuple(to_device(v, device) for v in batch)
    return batch


# %% wrong to_device: everything becomes a list -> tuples-become-lists
def to_device(batch, device):
    if hasattr(batch, "detach"):
        return batch.to(device, non_blocking=device.type == "cuda")
    if isinstance(batch, dict):
        return {k: to_device(v, device) for k, v in batch.items()}
    if isinstance(batch, (list, tuple)):
        return [to_device(v, device) for v in batch]
    return batch


# %% wrong to_device: one level only -> first-level-only
def to_device(batch, device):
    def move(item):
        return item.to(device, non_blocking=device.type == "cuda") if hasattr(item, "detach") else item

    if isinstance(batch, dict):
        return {k: move(v) for k, v in batch.items()}
    if hasattr(batch, "_fields"):
        return type(batch)(*map(move, batch))
    if isinstance(batch, (list, tuple)):
        return type(batch)(map(move, batch))
    return move(batch)


# %% wrong to_device: no tuples -> dicts-and-lists-only
def to_device(batch, device):
    if hasattr(batch, "detach"):
        return batch.to(device, non_blocking=device.type == "cuda")
    if isinstance(batch, dict):
        return {k: to_device(v, device) for k, v in batch.items()}
    if isinstance(batch, list):
        return [to_device(v, device) for v in batch]
    return batch


# %% wrong to_device: no dicts
def to_device(batch, device):
    if hasattr(batch, "detach"):
        return batch.to(device, non_blocking=device.type == "cuda")
    if isinstance(batch, (list, tuple)):
        items = [to_device(v, device) for v in batch]
        return type(batch)(*items) if hasattr(batch, "_fields") else type(batch)(items)
    return batch


# %% wrong to_device: every copy waits -> copies-wait
def to_device(batch, device):
    if hasattr(batch, "detach"):
        return batch.to(device)
    if isinstance(batch, dict):
        return {k: to_device(v, device) for k, v in batch.items()}
    if isinstance(batch, (list, tuple)):
        items = [to_device(v, device) for v in batch]
        return type(batch)(*items) if hasattr(batch, "_fields") else type(batch)(items)
    return batch


# %% wrong to_device: no copy waits, not even to the CPU -> copies-do-not-wait
def to_device(batch, device):
    if hasattr(batch, "detach"):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, dict):
        return {k: to_device(v, device) for k, v in batch.items()}
    if isinstance(batch, (list, tuple)):
        items = [to_device(v, device) for v in batch]
        return type(batch)(*items) if hasattr(batch, "_fields") else type(batch)(items)
    return batch


# %% wrong to_device: the result of .to is thrown away -> nothing-moved
def to_device(batch, device):
    if hasattr(batch, "detach"):
        batch.to(device, non_blocking=device.type == "cuda")
    elif isinstance(batch, dict):
        for value in batch.values():
            to_device(value, device)
    elif isinstance(batch, (list, tuple)):
        for value in batch:
            to_device(value, device)
    return batch


# %% wrong to_device: the caller's containers are filled anew
def to_device(batch, device):
    if hasattr(batch, "detach"):
        return batch.to(device, non_blocking=device.type == "cuda")
    if isinstance(batch, dict):
        for key in batch:
            batch[key] = to_device(batch[key], device)
    elif isinstance(batch, list):
        batch[:] = [to_device(v, device) for v in batch]
    elif isinstance(batch, tuple):
        items = [to_device(v, device) for v in batch]
        return type(batch)(*items) if hasattr(batch, "_fields") else tuple(items)
    return batch


# %% wrong to_device: hard-coded card
def to_device(batch, device):
    if hasattr(batch, "detach"):
        return batch.cuda(non_blocking=True)
    if isinstance(batch, dict):
        return {k: to_device(v, device) for k, v in batch.items()}
    if isinstance(batch, (list, tuple)):
        items = [to_device(v, device) for v in batch]
        return type(batch)(*items) if hasattr(batch, "_fields") else type(batch)(items)
    return batch


# %% wrong to_device: all it finds is made a tensor
def to_device(batch, device):
    import torch

    if isinstance(batch, dict):
        return {k: to_device(v, device) for k, v in batch.items()}
    if isinstance(batch, (list, tuple)):
        return type(batch)(to_device(v, device) for v in batch)
    return torch.as_tensor(batch).to(device, non_blocking=True)


# %% wrong to_device: only the first card is a card -> copies-wait
def to_device(batch, device):
    import torch

    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=device == torch.device("cuda"))
    if isinstance(batch, dict):
        return {name: to_device(item, device) for name, item in batch.items()}
    if isinstance(batch, list | tuple):
        items = [to_device(item, device) for item in batch]
        return type(batch)(*items) if hasattr(batch, "_fields") else type(batch)(items)
    return batch


# %% wrong to_device: the stub
def to_device(batch, device):
    raise NotImplementedError()


# --- time_op ---


# %% right time_op: a clock and waits
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    def wait():
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        wait()
        start = time.perf_counter()
        fn()
        wait()
        times.append((time.perf_counter() - start) * 1000)
    return times


# %% right time_op: events, one wait at the end
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    for _ in range(warmup):
        fn()
    if device.type != "cuda":
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            fn()
            times.append(1e3 * (time.perf_counter() - start))
        return times
    starts = [torch.cuda.Event(enable_timing=True) for _ in range(repeats)]
    ends = [torch.cuda.Event(enable_timing=True) for _ in range(repeats)]
    for start, end in zip(starts, ends):
        start.record()
        fn()
        end.record()
    torch.cuda.synchronize()
    return [start.elapsed_time(end) for start, end in zip(starts, ends)]


# %% right time_op: events, each waited for by itself
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    [fn() for _ in range(warmup)]
    times = []
    for _ in range(repeats):
        if device.type == "cuda":
            start, end = torch.cuda.Event(True), torch.cuda.Event(True)
            start.record(torch.cuda.current_stream())
            fn()
            end.record()
            end.synchronize()
            times.append(start.elapsed_time(end))
        else:
            start = time.monotonic_ns()
            fn()
            times.append((time.monotonic_ns() - start) / 1e6)
    return times


# %% right time_op: names imported one by one
from time import perf_counter

from torch.cuda import synchronize


def time_op(fn, device, warmup, repeats):
    wait = synchronize if device.type == "cuda" else (lambda: None)
    times = []
    for number in range(warmup + repeats):
        wait()
        start = perf_counter()
        fn()
        wait()
        if number >= warmup:
            times.append((perf_counter() - start) * 1e3)
    return times


# %% right time_op: an array of times, the default timer
def time_op(fn, device, warmup, repeats):
    from timeit import default_timer

    import torch

    stream = torch.cuda.current_stream() if device.type == "cuda" else None
    times = np.zeros(repeats)
    for i in range(-warmup, repeats):
        if stream:
            stream.synchronize()
        start = default_timer()
        fn()
        if stream:
            stream.synchronize()
        if i >= 0:
            times[i] = (default_timer() - start) * 1e3
    return times


# %% right time_op: asks until the mark is reached
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    on_card = device.type == "cuda"

    def clock():
        if on_card:
            mark = torch.cuda.current_stream().record_event()
            mark.synchronize()
        return time.perf_counter()

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        start = clock()
        fn()
        times.append((clock() - start) * 1e3)
    return times


# %% right time_op: whatever the accelerator is
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    def now():
        if device.type != "cpu":
            torch.accelerator.synchronize()
        return time.perf_counter_ns()

    for _ in range(warmup):
        fn()
    marks = [now()]
    for _ in range(repeats):
        fn()
        marks.append(now())
    return [(b - a) / 1e6 for a, b in zip(marks, marks[1:])]


# %% right time_op: a class of its own with a context
class Stopwatch:
    def __init__(self, device):
        import torch

        self.device, self.torch = device, torch

    def __enter__(self):
        import time

        if self.device.type == "cuda":
            self.start = self.torch.cuda.Event(enable_timing=True)
            self.end = self.torch.cuda.Event(enable_timing=True)
            self.start.record()
        else:
            self.began = time.perf_counter()
        return self

    def __exit__(self, *_):
        import time

        if self.device.type == "cuda":
            self.end.record()
            self.torch.cuda.synchronize(self.device)
            self.ms = self.start.elapsed_time(self.end)
        else:
            self.ms = 1000 * (time.perf_counter() - self.began)


def time_op(fn, device, warmup, repeats):
    for _ in range(warmup):
        fn()
    watches = []
    for _ in range(repeats):
        with Stopwatch(device) as watch:
            fn()
        watches.append(watch)
    return [watch.ms for watch in watches]


# %% right time_op: the clock as a default, the wait by keyword
import time


def time_op(fn, device, warmup, repeats, clock=time.perf_counter):
    import torch

    def timed():
        if device.type == "cuda":
            torch.cuda.synchronize(device=device)
        start = clock()
        fn()
        if device.type == "cuda":
            torch.cuda.synchronize(device=device)
        return (clock() - start) * 1e3

    return [timed() for _ in range(warmup + repeats)][warmup:]


# %% wrong time_op: never waits -> launch-only
def time_op(fn, device, warmup, repeats):
    import time

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        fn()
        times.append((time.perf_counter() - start) * 1000)
    return times


# %% wrong time_op: waits only when all is over -> launch-only
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        fn()
        times.append((time.perf_counter() - start) * 1000)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return times


# %% wrong time_op: waits before the start, not before the end -> launch-only
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        if device.type == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        fn()
        times.append((time.perf_counter() - start) * 1000)
    return times


# %% wrong time_op: does not wait for the warm-up -> warm-up-still-running
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        fn()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1000)
    return times


# %% wrong time_op: no warm-up -> no-warm-up
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        fn()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1000)
    return times


# %% wrong time_op: the warm-up in the list -> warm-up-in-the-list
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    times = []
    for _ in range(warmup + repeats):
        start = time.perf_counter()
        fn()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1000)
    return times


# %% wrong time_op: the warm-up measured, the rest thrown away -> warm-up-measured
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    times = []
    for _ in range(warmup + repeats):
        start = time.perf_counter()
        fn()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1000)
    return times[:repeats]


# %% wrong time_op: seconds -> seconds
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        if device.type == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        fn()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return times


# %% wrong time_op: milliseconds times a thousand
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        if device.type == "cuda":
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            fn()
            end.record()
            torch.cuda.synchronize()
            times.append(1000 * start.elapsed_time(end))
        else:
            start = time.perf_counter()
            fn()
            times.append(1000 * (time.perf_counter() - start))
    return times


# %% wrong time_op: the events the wrong way round
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        if device.type == "cuda":
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            fn()
            end.record()
            torch.cuda.synchronize()
            times.append(end.elapsed_time(start))
        else:
            start = time.perf_counter()
            fn()
            times.append(1000 * (time.perf_counter() - start))
    return times


# %% wrong time_op: events read before the card is there -> RuntimeError
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        if device.type == "cuda":
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            fn()
            end.record()
            times.append(start.elapsed_time(end))
        else:
            start = time.perf_counter()
            fn()
            times.append(1000 * (time.perf_counter() - start))
    return times


# %% wrong time_op: events that keep no time -> ValueError
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        if device.type == "cuda":
            start, end = torch.cuda.Event(), torch.cuda.Event()
            start.record()
            fn()
            end.record()
            torch.cuda.synchronize()
            times.append(start.elapsed_time(end))
        else:
            start = time.perf_counter()
            fn()
            times.append(1000 * (time.perf_counter() - start))
    return times


# %% wrong time_op: a mean for all -> average
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    def wait():
        if device.type == "cuda":
            torch.cuda.synchronize()

    for _ in range(warmup):
        fn()
    wait()
    start = time.perf_counter()
    for _ in range(repeats):
        fn()
    wait()
    return [(time.perf_counter() - start) * 1000 / repeats] * repeats


# %% wrong time_op: one number
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    def wait():
        if device.type == "cuda":
            torch.cuda.synchronize()

    for _ in range(warmup):
        fn()
    wait()
    start = time.perf_counter()
    for _ in range(repeats):
        fn()
    wait()
    return (time.perf_counter() - start) * 1000 / repeats


# %% wrong time_op: one start for all -> since-the-start
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    def wait():
        if device.type == "cuda":
            torch.cuda.synchronize()

    for _ in range(warmup):
        fn()
    wait()
    start, times = time.perf_counter(), []
    for _ in range(repeats):
        fn()
        wait()
        times.append((time.perf_counter() - start) * 1000)
    return times


# %% wrong time_op: the wall clock -> wall-clock
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    def wait():
        if device.type == "cuda":
            torch.cuda.synchronize()

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        wait()
        start = time.time()
        fn()
        wait()
        times.append((time.time() - start) * 1000)
    return times


# %% wrong time_op: waits for a card that is not there -> AssertionError
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        torch.cuda.synchronize()
        start = time.perf_counter()
        fn()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1000)
    return times


# %% wrong time_op: the operation called twice each time -> number-of-calls
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        fn()
        if device.type == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        fn()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1000)
    return times


# %% wrong time_op: the time the processor was busy -> hardly-any-time
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        if device.type == "cuda":
            torch.cuda.synchronize()
        start = time.process_time()
        fn()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append((time.process_time() - start) * 1000)
    return times


# %% wrong time_op: nothing returned -> type
def time_op(fn, device, warmup, repeats):
    for _ in range(warmup + repeats):
        fn()


# %% wrong time_op: asks for a card, not for the device -> ValueError
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    def wait():
        if torch.cuda.is_available():
            torch.cuda.synchronize(device)

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        wait()
        start = time.perf_counter()
        fn()
        wait()
        times.append((time.perf_counter() - start) * 1000)
    return times


# %% wrong time_op: one call too many -> number-of-times
def time_op(fn, device, warmup, repeats):
    import time

    import torch

    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats + 1):
        if device.type == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        fn()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1000)
    return times


# %% wrong time_op: the stub
def time_op(fn, device, warmup, repeats):
    raise NotImplementedError()


# --- bytes_moved ---


# %% right bytes_moved: a table of counts
def bytes_moved(shape, dtype, pass_, fused):
    import math

    table = {"train": ((6, 7), (3, 6)), "eval": ((4, 4), (2, 4)), "backward": ((6, 6), (5, 9))}
    if pass_ not in table:
        raise ValueError(pass_)
    large, small = table[pass_][bool(fused)]
    return large * math.prod(shape) * dtype.itemsize + small * shape[1] * max(4, dtype.itemsize)


# %% right bytes_moved: kernel by kernel, as text
def bytes_moved(shape, dtype, pass_, fused):
    kernels = {
        ("train", False): "x>mean x mean>var x mean var>x_hat x_hat gamma beta>y",
        ("train", True): "x>mean var x mean var gamma beta>y",
        ("eval", False): "x mean var>x_hat x_hat gamma beta>y",
        ("eval", True): "x mean var gamma beta>y",
        ("backward", False): "dy>dbeta dy x_hat>dgamma dy x_hat var gamma dgamma dbeta>dx",
        ("backward", True): "dy x mean var>dgamma dbeta dy x mean var gamma dgamma dbeta>dx",
    }
    if (pass_, fused) not in kernels:
        raise ValueError("unknown pass")
    total, n = 0, int(np.prod(shape, dtype=object))
    for name in kernels[pass_, fused].replace(">", " ").split():
        if name in ("x", "x_hat", "y", "dy", "dx"):
            total += n * dtype.itemsize
        else:
            total += shape[1] * (8 if dtype.itemsize == 8 else 4)
    return total


# %% right bytes_moved: reads and writes apart
def bytes_moved(shape, dtype, pass_, fused):
    import torch

    n = 1
    for axis in shape:
        n *= axis
    big = n * torch.empty(0, dtype=dtype).element_size()
    c = shape[1] * (8 if dtype == torch.float64 else 4)
    if pass_ == "train":
        reads, writes = (2 * big + 4 * c, big + 2 * c) if fused else (4 * big + 5 * c, 2 * big + 2 * c)
    elif pass_ == "eval":
        reads, writes = (big + 4 * c, big) if fused else (2 * big + 4 * c, 2 * big)
    elif pass_ == "backward":
        reads, writes = (4 * big + 7 * c, big + 2 * c) if fused else (5 * big + 4 * c, big + 2 * c)
    else:
        raise ValueError(f"{pass_} is no pass")
    return reads + writes


# %% right bytes_moved: finfo, if and else
def bytes_moved(shape, dtype, pass_, fused):
    import math

    import torch

    width = torch.finfo(dtype).bits // 8
    counts = {"train": [6, 7, 3, 6], "eval": [4, 4, 2, 4], "backward": [6, 6, 5, 9]}
    try:
        row = counts[pass_]
    except KeyError:
        raise ValueError("train, eval or backward") from None
    a, b = row[2:] if fused else row[:2]
    return math.prod(shape) * width * a + shape[1] * b * max(width, 4)


# %% wrong bytes_moved: fused and unfused swapped
def bytes_moved(shape, dtype, pass_, fused):
    import math

    table = {"train": ((3, 6), (6, 7)), "eval": ((2, 4), (4, 4)), "backward": ((5, 9), (6, 6))}
    if pass_ not in table:
        raise ValueError(pass_)
    large, small = table[pass_][bool(fused)]
    return large * math.prod(shape) * dtype.itemsize + small * shape[1] * max(4, dtype.itemsize)


# %% wrong bytes_moved: reads only -> writes-forgotten
def bytes_moved(shape, dtype, pass_, fused):
    import math

    table = {"train": ((4, 5), (2, 4)), "eval": ((2, 4), (1, 4)), "backward": ((5, 4), (4, 7))}
    if pass_ not in table:
        raise ValueError(pass_)
    large, small = table[pass_][bool(fused)]
    return large * math.prod(shape) * dtype.itemsize + small * shape[1] * max(4, dtype.itemsize)


# %% wrong bytes_moved: the vectors left out
def bytes_moved(shape, dtype, pass_, fused):
    import math

    table = {"train": (6, 3), "eval": (4, 2), "backward": (6, 5)}
    if pass_ not in table:
        raise ValueError(pass_)
    return table[pass_][bool(fused)] * math.prod(shape) * dtype.itemsize


# %% wrong bytes_moved: vectors in the data's dtype -> statistics-in-half
def bytes_moved(shape, dtype, pass_, fused):
    import math

    table = {"train": ((6, 7), (3, 6)), "eval": ((4, 4), (2, 4)), "backward": ((6, 6), (5, 9))}
    if pass_ not in table:
        raise ValueError(pass_)
    large, small = table[pass_][bool(fused)]
    return (large * math.prod(shape) + small * shape[1]) * dtype.itemsize


# %% wrong bytes_moved: vectors always float32 -> statistics-always-float32
def bytes_moved(shape, dtype, pass_, fused):
    import math

    table = {"train": ((6, 7), (3, 6)), "eval": ((4, 4), (2, 4)), "backward": ((6, 6), (5, 9))}
    if pass_ not in table:
        raise ValueError(pass_)
    large, small = table[pass_][bool(fused)]
    return large * math.prod(shape) * dtype.itemsize + small * shape[1] * 4


# %% wrong bytes_moved: four bytes a number -> always-four-bytes
def bytes_moved(shape, dtype, pass_, fused):
    import math

    table = {"train": ((6, 7), (3, 6)), "eval": ((4, 4), (2, 4)), "backward": ((6, 6), (5, 9))}
    if pass_ not in table:
        raise ValueError(pass_)
    large, small = table[pass_][bool(fused)]
    return (large * math.prod(shape) + small * shape[1]) * 4


# %% wrong bytes_moved: spatial axes forgotten -> spatial-axes-forgotten
def bytes_moved(shape, dtype, pass_, fused):
    table = {"train": ((6, 7), (3, 6)), "eval": ((4, 4), (2, 4)), "backward": ((6, 6), (5, 9))}
    if pass_ not in table:
        raise ValueError(pass_)
    large, small = table[pass_][bool(fused)]
    return large * shape[0] * shape[1] * dtype.itemsize + small * shape[1] * max(4, dtype.itemsize)


# %% wrong bytes_moved: 32-bit product
def bytes_moved(shape, dtype, pass_, fused):
    table = {"train": ((6, 7), (3, 6)), "eval": ((4, 4), (2, 4)), "backward": ((6, 6), (5, 9))}
    if pass_ not in table:
        raise ValueError(pass_)
    large, small = table[pass_][bool(fused)]
    n = int(np.prod(np.array(shape, np.int32), dtype=np.int32))
    return large * n * dtype.itemsize + small * shape[1] * max(4, dtype.itemsize)


# %% wrong bytes_moved: an unknown pass is a KeyError -> value
def bytes_moved(shape, dtype, pass_, fused):
    import math

    table = {"train": ((6, 7), (3, 6)), "eval": ((4, 4), (2, 4)), "backward": ((6, 6), (5, 9))}
    large, small = table[pass_][bool(fused)]
    return large * math.prod(shape) * dtype.itemsize + small * shape[1] * max(4, dtype.itemsize)


# %% wrong bytes_moved: variance reads no mean
def bytes_moved(shape, dtype, pass_, fused):
    import math

    table = {"train": ((6, 6), (3, 6)), "eval": ((4, 4), (2, 4)), "backward": ((6, 6), (5, 9))}
    if pass_ not in table:
        raise ValueError(pass_)
    large, small = table[pass_][bool(fused)]
    return large * math.prod(shape) * dtype.itemsize + small * shape[1] * max(4, dtype.itemsize)


# %% wrong bytes_moved: channels on the last axis -> channels-last-axis
def bytes_moved(shape, dtype, pass_, fused):
    import math

    table = {"train": ((6, 7), (3, 6)), "eval": ((4, 4), (2, 4)), "backward": ((6, 6), (5, 9))}
    if pass_ not in table:
        raise ValueError(pass_)
    large, small = table[pass_][bool(fused)]
    return large * math.prod(shape) * dtype.itemsize + small * shape[-1] * max(4, dtype.itemsize)


# %% wrong bytes_moved: each tensor once a pass -> each-tensor-once
def bytes_moved(shape, dtype, pass_, fused):
    from math import prod

    names = {
        ("train", False): "x mean var x_hat gamma beta y",
        ("train", True): "x mean var gamma beta y",
        ("eval", False): "x mean var x_hat gamma beta y",
        ("eval", True): "x mean var gamma beta y",
        ("backward", False): "dy x_hat dx dbeta dgamma var gamma",
        ("backward", True): "dy x dx mean var dgamma dbeta gamma",
    }
    if (pass_, fused) not in names:
        raise ValueError(pass_)
    tensors = names[pass_, fused].split()
    large = sum(name in ("x", "x_hat", "y", "dy", "dx") for name in tensors)
    small = (len(tensors) - large) * shape[1] * max(4, dtype.itemsize)
    return large * prod(shape) * dtype.itemsize + small


# %% wrong bytes_moved: the stub
def bytes_moved(shape, dtype, pass_, fused):
    raise NotImplementedError()


# --- achieved_bandwidth ---


# %% right achieved_bandwidth: as in the text
def achieved_bandwidth(n_bytes, ms):
    return n_bytes / (ms / 1000) / 1e9


# %% right achieved_bandwidth: a single division
def achieved_bandwidth(n_bytes, ms):
    return n_bytes / (ms * 1_000_000)


# %% right achieved_bandwidth: a NumPy number
def achieved_bandwidth(n_bytes, ms):
    return np.float64(n_bytes) * 1e-6 / np.float64(ms)


# %% right achieved_bandwidth: a tensor
def achieved_bandwidth(n_bytes, ms):
    import torch

    return torch.tensor(n_bytes, dtype=torch.float64) / 1e9 / (torch.tensor(ms, dtype=torch.float64) * 1e-3)


# %% wrong achieved_bandwidth: gibibytes -> gibibytes
def achieved_bandwidth(n_bytes, ms):
    return n_bytes / (ms / 1000) / 2**30


# %% wrong achieved_bandwidth: milliseconds for seconds -> ms-taken-for-seconds
def achieved_bandwidth(n_bytes, ms):
    return n_bytes / ms / 1e9


# %% wrong achieved_bandwidth: megabytes -> megabytes
def achieved_bandwidth(n_bytes, ms):
    return n_bytes / (ms / 1000) / 1e6


# %% wrong achieved_bandwidth: bytes a second -> bytes-a-second
def achieved_bandwidth(n_bytes, ms):
    return n_bytes / ms * 1000


# %% wrong achieved_bandwidth: bits -> bits
def achieved_bandwidth(n_bytes, ms):
    return 8 * n_bytes / (ms * 1e6)


# %% wrong achieved_bandwidth: the time by the bytes -> upside-down
def achieved_bandwidth(n_bytes, ms):
    return ms * 1e6 / n_bytes


# %% wrong achieved_bandwidth: whole numbers
def achieved_bandwidth(n_bytes, ms):
    return int(n_bytes / (ms * 1e6))


# %% wrong achieved_bandwidth: the stub
def achieved_bandwidth(n_bytes, ms):
    raise NotImplementedError()


# --- peak_memory ---


# %% right peak_memory: as in the text
def peak_memory(fn, device):
    import torch

    if device.type != "cuda":
        fn()
        return None
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    fn()
    return torch.cuda.max_memory_allocated(device) - before


# %% right peak_memory: through memory_stats, with waits
def peak_memory(fn, device):
    import torch

    if device.type == "cpu":
        fn()
        return None
    torch.cuda.synchronize(device)
    before = torch.cuda.memory_stats(device)["allocated_bytes.all.current"]
    torch.cuda.reset_peak_memory_stats(device)
    result = fn()
    torch.cuda.synchronize(device)
    peak = torch.cuda.memory_stats(device)["allocated_bytes.all.peak"]
    del result
    return peak - before


# %% right peak_memory: inside the device's block
def peak_memory(fn, device):
    import torch

    if device.type != "cuda":
        fn()
        return
    with torch.cuda.device(device):
        torch.cuda.reset_peak_memory_stats()
        start = torch.cuda.max_memory_allocated()
        fn()
        return torch.cuda.max_memory_allocated() - start


# %% right peak_memory: by the device's name
def peak_memory(fn, device):
    import torch

    if device.type != "cuda":
        fn()
        return None
    name = str(device)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(name)
    before = torch.cuda.memory_allocated(name)
    fn()
    return int(torch.cuda.max_memory_allocated(name)) - int(before)


# %% right peak_memory: from torch.cuda.memory
def peak_memory(fn, device):
    from torch.cuda import memory

    if device.type != "cuda":
        fn()
        return None
    memory.reset_peak_memory_stats(device)
    before = memory.memory_allocated(device=device)
    fn()
    return memory.max_memory_allocated(device=device) - before


# %% wrong peak_memory: the maximum never set back -> old-peak
def peak_memory(fn, device):
    import torch

    if device.type != "cuda":
        fn()
        return None
    before = torch.cuda.memory_allocated(device)
    fn()
    return torch.cuda.max_memory_allocated(device) - before


# %% wrong peak_memory: what was there before counts -> baseline-counted
def peak_memory(fn, device):
    import torch

    if device.type != "cuda":
        fn()
        return None
    torch.cuda.reset_peak_memory_stats(device)
    fn()
    return torch.cuda.max_memory_allocated(device)


# %% wrong peak_memory: before and after -> after-minus-before
def peak_memory(fn, device):
    import torch

    if device.type != "cuda":
        fn()
        return None
    before = torch.cuda.memory_allocated(device)
    fn()
    return torch.cuda.memory_allocated(device) - before


# %% wrong peak_memory: what is reserved -> reserved
def peak_memory(fn, device):
    import torch

    if device.type != "cuda":
        fn()
        return None
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_reserved(device)
    fn()
    return torch.cuda.max_memory_reserved(device) - before


# %% wrong peak_memory: mebibytes -> mebibytes
def peak_memory(fn, device):
    import torch

    if device.type != "cuda":
        fn()
        return None
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    fn()
    return (torch.cuda.max_memory_allocated(device) - before) / 2**20


# %% wrong peak_memory: always the first card
def peak_memory(fn, device):
    import torch

    if device.type != "cuda":
        fn()
        return None
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    fn()
    return torch.cuda.max_memory_allocated() - before


# %% wrong peak_memory: 0 on a CPU
def peak_memory(fn, device):
    import torch

    if device.type != "cuda":
        fn()
        return 0
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    fn()
    return torch.cuda.max_memory_allocated(device) - before


# %% wrong peak_memory: called twice, to warm up
def peak_memory(fn, device):
    import torch

    fn()
    if device.type != "cuda":
        fn()
        return None
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    fn()
    return torch.cuda.max_memory_allocated(device) - before


# %% wrong peak_memory: never called
def peak_memory(fn, device):
    return None


# %% wrong peak_memory: two maxima, none set back -> old-peak
def peak_memory(fn, device):
    import torch

    if device.type == "cpu":
        fn()
        return None
    before = torch.cuda.max_memory_allocated(device)
    fn()
    return torch.cuda.max_memory_allocated(device) - before


# %% wrong peak_memory: asks for a card, not for the device -> ValueError
def peak_memory(fn, device):
    import torch

    if not torch.cuda.is_available():
        fn()
        return None
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    fn()
    return torch.cuda.max_memory_allocated(device) - before


# %% wrong peak_memory: the stub
def peak_memory(fn, device):
    raise NotImplementedError()


# --- batchnorm_mixed ---


# %% right batchnorm_mixed: as in the text
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    wide = x.float()
    axes = [axis for axis in range(x.ndim) if axis != 1]
    var, mean = torch.var_mean(wide, dim=axes, correction=0, keepdim=True)
    shape = (1, -1) + (1,) * (x.ndim - 2)
    y = (wide - mean) * torch.rsqrt(var + eps) * gamma.view(shape) + beta.view(shape)
    return y.to(x.dtype)


# %% right batchnorm_mixed: in float64
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    wide = x.to(torch.float64)
    axes = (0, *range(2, x.ndim))
    mean = wide.mean(axes, keepdim=True)
    std = (((wide - mean) ** 2).mean(axes, keepdim=True) + eps).sqrt()
    form = [1] * x.ndim
    form[1] = x.shape[1]
    return ((wide - mean) / std * gamma.reshape(form) + beta.reshape(form)).type(x.dtype)


# %% right batchnorm_mixed: scale and shift folded first
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    axes = tuple(a for a in range(x.dim()) if a != 1)
    wide = x.to(torch.float32)
    mean = wide.mean(dim=axes)
    form = (None, slice(None)) + (None,) * (x.dim() - 2)
    centered = wide - mean[form]
    var = (centered * centered).mean(dim=axes)
    scale = gamma * (var + eps) ** -0.5
    return (centered * scale[form] + beta[form]).to(dtype=x.dtype)


# %% right batchnorm_mixed: channels moved to the last axis and back, in views
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    last = x.float().movedim(1, -1)
    axes = tuple(range(last.ndim - 1))
    var, mean = torch.var_mean(last, dim=axes, unbiased=False)
    y = (last - mean) / torch.sqrt(var + eps) * gamma + beta
    return y.movedim(-1, 1).to(x.dtype)


# %% right batchnorm_mixed: sums taken wide without a wide copy
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    axes = [0, *range(2, x.ndim)]
    form = (1, x.shape[1]) + (1,) * (x.ndim - 2)
    m = x.numel() // x.shape[1]
    mean = torch.sum(x, dim=axes, dtype=torch.float32).view(form) / m
    var = torch.sum((x - mean) ** 2, dim=axes, dtype=torch.float32).view(form) / m
    out = torch.empty_like(x, dtype=torch.float32)
    out = torch.mul(x - mean, torch.rsqrt(var + eps))
    return torch.addcmul(beta.view(form), out, gamma.view(form)).to(x.dtype)


# %% wrong batchnorm_mixed: half all the way -> all-in-half
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    axes = [a for a in range(x.ndim) if a != 1]
    shape = (1, -1) + (1,) * (x.ndim - 2)
    mean = x.mean(dim=axes, keepdim=True)
    var = ((x - mean) ** 2).mean(dim=axes, keepdim=True)
    y = (x - mean) * torch.rsqrt(var + eps)
    return y * gamma.to(x.dtype).view(shape) + beta.to(x.dtype).view(shape)


# %% wrong batchnorm_mixed: the statistics in half
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    axes = [a for a in range(x.ndim) if a != 1]
    shape = (1, -1) + (1,) * (x.ndim - 2)
    mean = x.mean(dim=axes, keepdim=True)
    var = ((x - mean) ** 2).mean(dim=axes, keepdim=True)
    y = (x.float() - mean.float()) * torch.rsqrt(var.float() + eps)
    return (y * gamma.view(shape) + beta.view(shape)).to(x.dtype)


# %% wrong batchnorm_mixed: float32 comes out -> half-forgotten-on-the-way-out
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    wide = x.float()
    axes = [axis for axis in range(x.ndim) if axis != 1]
    var, mean = torch.var_mean(wide, dim=axes, correction=0, keepdim=True)
    shape = (1, -1) + (1,) * (x.ndim - 2)
    return (wide - mean) * torch.rsqrt(var + eps) * gamma.view(shape) + beta.view(shape)


# %% wrong batchnorm_mixed: always float16 out
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    wide = x.float()
    axes = [axis for axis in range(x.ndim) if axis != 1]
    var, mean = torch.var_mean(wide, dim=axes, correction=0, keepdim=True)
    shape = (1, -1) + (1,) * (x.ndim - 2)
    return ((wide - mean) * torch.rsqrt(var + eps) * gamma.view(shape) + beta.view(shape)).half()


# %% wrong batchnorm_mixed: unbiased -> unbiased-variance
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    wide = x.float()
    axes = [axis for axis in range(x.ndim) if axis != 1]
    var, mean = torch.var_mean(wide, dim=axes, keepdim=True)
    shape = (1, -1) + (1,) * (x.ndim - 2)
    y = (wide - mean) * torch.rsqrt(var + eps) * gamma.view(shape) + beta.view(shape)
    return y.to(x.dtype)


# %% wrong batchnorm_mixed: E[x²] − E[x]² in float32 -> cancelling-variance
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    wide = x.float()
    axes = [axis for axis in range(x.ndim) if axis != 1]
    mean = wide.mean(axes, keepdim=True)
    var = (wide**2).mean(axes, keepdim=True) - mean**2
    shape = (1, -1) + (1,) * (x.ndim - 2)
    y = (wide - mean) / (var + eps) ** 0.5 * gamma.view(shape) + beta.view(shape)
    return y.to(x.dtype)


# %% wrong batchnorm_mixed: statistics that gradients do not see
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    wide = x.float()
    axes = [axis for axis in range(x.ndim) if axis != 1]
    with torch.no_grad():
        var, mean = torch.var_mean(wide, dim=axes, correction=0, keepdim=True)
    shape = (1, -1) + (1,) * (x.ndim - 2)
    y = (wide - mean) * torch.rsqrt(var + eps) * gamma.view(shape) + beta.view(shape)
    return y.to(x.dtype)


# %% wrong batchnorm_mixed: a tensor made on the CPU
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    wide, total = x.float().transpose(0, 1).flatten(1), torch.zeros(x.shape[1])
    total = total + wide.sum(dim=1)
    mean = total / wide.shape[1]
    var = ((wide - mean[:, None]) ** 2).mean(dim=1)
    shape = (1, -1) + (1,) * (x.ndim - 2)
    y = (x.float() - mean.view(shape)) * torch.rsqrt(var.view(shape) + eps)
    return (y * gamma.view(shape) + beta.view(shape)).to(x.dtype)


# %% wrong batchnorm_mixed: the order of the axes lost
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    rows = x.float().transpose(0, 1).reshape(x.shape[1], -1)
    var, mean = torch.var_mean(rows, dim=1, correction=0, keepdim=True)
    y = (rows - mean) * torch.rsqrt(var + eps) * gamma[:, None] + beta[:, None]
    turned = (x.shape[1], x.shape[0], *x.shape[2:])
    return y.reshape(turned).transpose(0, 1).contiguous().to(x.dtype)


# %% wrong batchnorm_mixed: through NumPy
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    values = x.detach().float().numpy()
    axes = (0, *range(2, x.ndim))
    mean, var = values.mean(axes, keepdims=True), values.var(axes, keepdims=True)
    shape = (1, -1) + (1,) * (x.ndim - 2)
    y = torch.from_numpy((values - mean) / np.sqrt(var + eps))
    return (y * gamma.view(shape) + beta.view(shape)).to(x.dtype)


# %% wrong batchnorm_mixed: rows only
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    wide = x.float()
    var, mean = torch.var_mean(wide, dim=0, correction=0, keepdim=True)
    shape = (1, -1) + (1,) * (x.ndim - 2)
    y = (wide - mean) * torch.rsqrt(var + eps) * gamma.view(shape) + beta.view(shape)
    return y.to(x.dtype)


# %% wrong batchnorm_mixed: eps of its own
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    wide = x.float()
    axes = [axis for axis in range(x.ndim) if axis != 1]
    var, mean = torch.var_mean(wide, dim=axes, correction=0, keepdim=True)
    shape = (1, -1) + (1,) * (x.ndim - 2)
    y = (wide - mean) * torch.rsqrt(var + 1e-5) * gamma.view(shape) + beta.view(shape)
    return y.to(x.dtype)


# %% wrong batchnorm_mixed: torch's own -> ready-made
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    return torch.nn.functional.batch_norm(x, None, None, gamma, beta, True, 0.1, eps)


# %% wrong batchnorm_mixed: a float32 x is centred in place -> value
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    import torch

    axes = [axis for axis in range(x.ndim) if axis != 1]
    form = (1, -1) + (1,) * (x.ndim - 2)
    wide = x.float()
    wide -= wide.mean(dim=axes, keepdim=True)
    var = wide.square().mean(dim=axes, keepdim=True)
    return (wide / torch.sqrt(var + eps) * gamma.view(form) + beta.view(form)).to(x.dtype)


# %% wrong batchnorm_mixed: the stub
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    raise NotImplementedError()


# --- merge_stats ---


# %% right merge_stats: as in the text
def merge_stats(a, b):
    (mean_a, var_a, n_a), (mean_b, var_b, n_b) = a, b
    n = n_a + n_b
    p, q, gap = n_a / n, n_b / n, mean_b - mean_a
    return mean_a + q * gap, p * var_a + q * var_b + p * q * gap**2, n


# %% right merge_stats: sums of squared deviations
def merge_stats(a, b):
    (mean_a, var_a, n_a), (mean_b, var_b, n_b) = a, b
    n = n_a + n_b
    delta = mean_b - mean_a
    m2 = var_a * n_a + var_b * n_b + delta.square() * n_a * n_b / n
    return (mean_a + delta * n_b / n, m2 / n, n)


# %% right merge_stats: deviations from the new mean, in float64, a list comes back
def merge_stats(a, b):
    import torch

    means = torch.stack([a[0], b[0]]).double()
    variances = torch.stack([a[1], b[1]]).double()
    counts = torch.tensor([a[2], b[2]]).double()[:, None]
    n = counts.sum()
    mean = (counts * means).sum(0) / n
    var = (counts * (variances + (means - mean) ** 2)).sum(0) / n
    return [mean, var, a[2] + b[2]]


# %% right merge_stats: the count as a tensor, empty groups apart
def merge_stats(a, b):
    import torch

    if b[2] == 0:
        return a[0], a[1], torch.tensor(a[2])
    if a[2] == 0:
        return b
    total = a[2] + b[2]
    mean = torch.lerp(a[0], b[0], b[2] / total)
    within = torch.lerp(a[1], b[1], b[2] / total)
    return mean, within + (b[0] - mean) * (mean - a[0]), torch.tensor(total)


# %% right merge_stats: E[x²] − E[x]² in float64 is enough here
def merge_stats(a, b):
    n = a[2] + b[2]
    p, q = a[2] / n, b[2] / n
    ma, mb = a[0].double(), b[0].double()
    mean = p * ma + q * mb
    square = p * (a[1].double() + ma**2) + q * (b[1].double() + mb**2)
    return mean, square - mean**2, n


# %% wrong merge_stats: the term between forgotten -> between-forgotten
def merge_stats(a, b):
    n = a[2] + b[2]
    return (a[2] * a[0] + b[2] * b[0]) / n, (a[2] * a[1] + b[2] * b[1]) / n, n


# %% wrong merge_stats: plain means -> plain-means
def merge_stats(a, b):
    mean = (a[0] + b[0]) / 2
    var = (a[1] + b[1]) / 2 + ((a[0] - mean) ** 2 + (b[0] - mean) ** 2) / 2
    return mean, var, a[2] + b[2]


# %% wrong merge_stats: only the mean unweighted
def merge_stats(a, b):
    n = a[2] + b[2]
    var = (a[2] * a[1] + b[2] * b[1]) / n + a[2] * b[2] / n**2 * (b[0] - a[0]) ** 2
    return (a[0] + b[0]) / 2, var, n


# %% wrong merge_stats: weighted by the other's count -> weights-swapped
def merge_stats(a, b):
    n = a[2] + b[2]
    mean = (b[2] * a[0] + a[2] * b[0]) / n
    var = (a[2] * a[1] + b[2] * b[1]) / n + a[2] * b[2] / n**2 * (b[0] - a[0]) ** 2
    return mean, var, n


# %% wrong merge_stats: unbiased denominators -> unbiased-variance
def merge_stats(a, b):
    n = a[2] + b[2]
    delta = b[0] - a[0]
    m2 = a[1] * a[2] + b[1] * b[2] + delta**2 * a[2] * b[2] / n
    return a[0] + delta * b[2] / n, m2 / (n - 1), n


# %% wrong merge_stats: E[x²] − E[x]² in the groups' dtype
def merge_stats(a, b):
    n = a[2] + b[2]
    p, q = a[2] / n, b[2] / n
    mean = p * a[0] + q * b[0]
    return mean, p * (a[1] + a[0] ** 2) + q * (b[1] + b[0] ** 2) - mean**2, n


# %% wrong merge_stats: the difference not squared -> difference-not-squared
def merge_stats(a, b):
    n = a[2] + b[2]
    p, q = a[2] / n, b[2] / n
    gap = b[0] - a[0]
    return a[0] + q * gap, p * a[1] + q * b[1] + p * q * gap.abs(), n


# %% wrong merge_stats: written into a
def merge_stats(a, b):
    (mean_a, var_a, n_a), (mean_b, var_b, n_b) = a, b
    n = n_a + n_b
    p, q, gap = n_a / n, n_b / n, mean_b - mean_a
    var_a *= p
    var_a += q * var_b + p * q * gap**2
    mean_a += q * gap
    return mean_a, var_a, n


# %% wrong merge_stats: no count
def merge_stats(a, b):
    n = a[2] + b[2]
    p, q = a[2] / n, b[2] / n
    gap = b[0] - a[0]
    return a[0] + q * gap, p * a[1] + q * b[1] + p * q * gap**2


# %% wrong merge_stats: fails on an empty group
def merge_stats(a, b):
    n = a[2] + b[2]
    gap = b[0] - a[0]
    m2 = a[1] * a[2] + b[1] * b[2] + gap**2 / (1 / a[2] + 1 / b[2])
    return a[0] + gap * b[2] / n, m2 / n, n


# %% wrong merge_stats: means of means, means of variances -> plain-averages
def merge_stats(a, b):
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2, a[2] + b[2]


# %% wrong merge_stats: a sum of squares between the groups -> between-not-divided
def merge_stats(a, b):
    (mean_a, var_a, n_a), (mean_b, var_b, n_b) = a, b
    n, delta = n_a + n_b, mean_b - mean_a
    return mean_a + n_b / n * delta, (n_a * var_a + n_b * var_b) / n + n_a * n_b / n * delta**2, n


# %% wrong merge_stats: the stub
def merge_stats(a, b):
    raise NotImplementedError()


# --- sync_batchnorm_forward ---


# %% right sync_batchnorm_forward: a table of zeros, merged row by row
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    C = shards[0].shape[1]
    tables = []
    for rank, shard in enumerate(shards):
        table = shard.new_zeros(len(shards), 2 * C + 1)
        if len(shard):
            var, mean = torch.var_mean(shard, dim=0, correction=0)
            table[rank] = torch.cat([mean, var, shard.new_tensor([len(shard)])])
        tables.append(table)
    total = all_reduce(tables)
    means, variances, counts = total[:, :C], total[:, C:-1], total[:, -1:]
    n = counts.sum()
    mean = means[0] * 0
    mean = (counts / n * (means - means[:1])).sum(0) + means[0]
    if counts[0] == 0:
        mean = (counts / n * means).sum(0)
    var = (counts / n * (variances + (means - mean) ** 2)).sum(0)
    ys = [(shard - mean) * torch.rsqrt(var + eps) * gamma + beta for shard in shards]
    return ys, (mean, var, n)


# %% right sync_batchnorm_forward: sums in float64
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    parts = []
    for shard in shards:
        wide = shard.double()
        count = wide.new_full((1, shard.shape[1]), len(shard))
        parts.append(torch.cat([wide.sum(0, True), (wide**2).sum(0, True), count]))
    first, second, count = all_reduce(parts)
    mean = first / count
    var = second / count - mean**2
    std = torch.sqrt(var + eps)
    ys = [((s.double() - mean) / std * gamma + beta).to(s.dtype) for s in shards]
    return ys, (mean, var, int(count[0]))


# %% right sync_batchnorm_forward: one vector of float64, a tuple of shards
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    C = gamma.numel()

    def message(shard):
        wide = shard.to(torch.float64)
        ones = wide.new_ones(len(shard), 1)
        return torch.cat([ones, wide, wide * wide], dim=1).sum(0)

    total = all_reduce([message(shard) for shard in shards])
    count, mean = total[0], total[1 : C + 1] / total[0]
    var = (total[C + 1 :] / count - mean.square()).clamp(min=0)
    mean, var = mean.to(gamma.dtype), var.to(gamma.dtype)
    scale = gamma / (var + eps).sqrt()
    return tuple((shard - mean) * scale + beta for shard in shards), (mean, var, count)


# %% right sync_batchnorm_forward: means first on each card, a dict on the way
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    ranks, C = len(shards), shards[0].shape[1]
    messages = []
    for rank, x in enumerate(shards):
        own = torch.zeros(3, ranks, C, dtype=torch.float64, device=x.device)
        n = x.shape[0]
        if n > 0:
            m = x.double().mean(0)
            own[0, rank], own[1, rank], own[2, rank] = m, ((x - m) ** 2).mean(0), n
        messages.append(own)
    means, variances, counts = all_reduce(messages)
    weights = counts / counts.sum(0)
    mean = (weights * means).sum(0)
    var = (weights * (variances + (means - mean) ** 2)).sum(0)
    inv = (var + eps) ** -0.5
    ys = []
    for x in shards:
        ys.append(((x - mean) * inv * gamma + beta).to(x.dtype))
    return ys, (mean, var, int(counts[:, 0].sum()))


# %% right sync_batchnorm_forward: deviations from each card's first guess
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    def summary(x):
        n = torch.tensor([float(len(x))], dtype=x.dtype, device=x.device)
        if len(x) == 0:
            return torch.cat([x.new_zeros(2 * x.shape[1]), n])
        return torch.cat([x.mean(0), x.var(0, correction=0), n])

    width = 2 * len(gamma) + 1
    tables = []
    for i, x in enumerate(shards):
        before, after = x.new_zeros(i * width), x.new_zeros((len(shards) - 1 - i) * width)
        tables.append(torch.cat([before, summary(x), after]))
    lines = all_reduce(tables).view(len(shards), width)
    C, mean, var, count = len(gamma), 0, 0, 0
    for line in lines:
        n = int(line[-1])
        if n == 0:
            continue
        m, v = line[:C], line[C:-1]
        if count == 0:
            mean, var, count = m, v, n
            continue
        gap, total = m - mean, count + n
        var = (count * var + n * v) / total + gap**2 * (count * n / total**2)
        mean, count = mean + gap * (n / total), total
    return [gamma * (x - mean) / (var + eps) ** 0.5 + beta for x in shards], [mean, var, count]


# %% wrong sync_batchnorm_forward: each card for itself -> each-card-for-itself
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    total = all_reduce([torch.cat([s.sum(0), s.new_tensor([len(s)])]) for s in shards])
    everything = torch.cat(list(shards))
    mean, var = everything.mean(0), everything.var(0, correction=0)
    ys = []
    for s in shards:
        m, v = (s.mean(0), s.var(0, correction=0)) if len(s) else (mean, var)
        ys.append((s - m) / torch.sqrt(v + eps) * gamma + beta)
    return ys, (mean, var, int(total[-1]))


# %% wrong sync_batchnorm_forward: mean of means -> mean-of-means
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    C = len(gamma)
    parts = []
    for s in shards:
        if len(s):
            m, v = s.mean(0), s.var(0, correction=0)
            parts.append(torch.cat([m, v, s.new_tensor([1, len(s)])]))
        else:
            parts.append(s.new_zeros(2 * C + 2))
    total = all_reduce(parts)
    mean, var = total[:C] / total[-2], total[C:-2] / total[-2]
    return [(s - mean) / torch.sqrt(var + eps) * gamma + beta for s in shards], (mean, var, int(total[-1]))


# %% wrong sync_batchnorm_forward: variances averaged by count -> between-forgotten
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    C = len(gamma)
    parts = []
    for s in shards:
        v = s.var(0, correction=0) * len(s) if len(s) else s.new_zeros(C)
        parts.append(torch.cat([s.sum(0), v, s.new_tensor([len(s)])]))
    total = all_reduce(parts)
    mean, var = total[:C] / total[-1], total[C:-1] / total[-1]
    return [(s - mean) / torch.sqrt(var + eps) * gamma + beta for s in shards], (mean, var, int(total[-1]))


# %% wrong sync_batchnorm_forward: looks at all shards -> no-all-reduce
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    everything = torch.cat(list(shards))
    mean, var = everything.mean(0), everything.var(0, correction=0)
    ys = [(s - mean) / torch.sqrt(var + eps) * gamma + beta for s in shards]
    return ys, (mean, var, len(everything))


# %% wrong sync_batchnorm_forward: one call for each sum -> all-reduce-called-again
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    count = all_reduce([s.new_tensor([len(s)]) for s in shards])
    mean = all_reduce([s.sum(0) for s in shards]) / count
    var = all_reduce([((s - mean) ** 2).sum(0) for s in shards]) / count
    ys = [(s - mean) / torch.sqrt(var + eps) * gamma + beta for s in shards]
    return ys, (mean, var, int(count))


# %% wrong sync_batchnorm_forward: sums of squares in the shards' dtype
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    C = len(gamma)
    total = all_reduce([torch.cat([s.sum(0), (s**2).sum(0), s.new_tensor([len(s)])]) for s in shards])
    n = total[-1]
    mean = total[:C] / n
    var = total[C:-1] / n - mean**2
    ys = [(s - mean) / torch.sqrt(var + eps) * gamma + beta for s in shards]
    return ys, (mean, var, int(n))


# %% wrong sync_batchnorm_forward: unbiased -> unbiased-variance
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    parts = []
    for s in shards:
        w = s.double()
        parts.append(torch.stack([w.sum(0), (w**2).sum(0), torch.ones_like(w).sum(0)]))
    a, b, n = all_reduce(parts)
    mean = a / n
    var = (b / n - mean**2) * n / (n - 1).clamp(min=1)
    ys = [((s - mean) / torch.sqrt(var + eps) * gamma + beta).to(s.dtype) for s in shards]
    return ys, (mean, var, int(n[0]))


# %% wrong sync_batchnorm_forward: tables made on the CPU
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    C = len(gamma)
    parts = []
    for s in shards:
        table = torch.zeros(3, C, dtype=torch.float64)
        table = table + torch.stack([s.double().sum(0), (s.double() ** 2).sum(0), s.new_full((C,), len(s)).double()])
        parts.append(table)
    a, b, n = all_reduce(parts)
    mean = a / n
    var = b / n - mean**2
    ys = [((s - mean) / torch.sqrt(var + eps) * gamma + beta).to(s.dtype) for s in shards]
    return ys, (mean, var, int(n[0]))


# %% wrong sync_batchnorm_forward: no statistics returned
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    parts = []
    for s in shards:
        w = s.double()
        parts.append(torch.stack([w.sum(0), (w**2).sum(0), torch.ones_like(w).sum(0)]))
    a, b, n = all_reduce(parts)
    mean = a / n
    var = b / n - mean**2
    return [((s - mean) / torch.sqrt(var + eps) * gamma + beta).to(s.dtype) for s in shards]


# %% wrong sync_batchnorm_forward: gamma and beta forgotten -> gamma-beta-forgotten
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    parts = []
    for s in shards:
        w = s.double()
        parts.append(torch.stack([w.sum(0), (w**2).sum(0), torch.ones_like(w).sum(0)]))
    a, b, n = all_reduce(parts)
    mean = a / n
    var = b / n - mean**2
    return [((s - mean) / torch.sqrt(var + eps)).to(s.dtype) for s in shards], (mean, var, int(n[0]))


# %% wrong sync_batchnorm_forward: the shards centred in place
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    parts = []
    for s in shards:
        w = s.double()
        parts.append(torch.stack([w.sum(0), (w**2).sum(0), torch.ones_like(w).sum(0)]))
    a, b, n = all_reduce(parts)
    mean = (a / n).to(shards[0].dtype)
    var = b / n - (a / n) ** 2
    ys = []
    for s in shards:
        s -= mean
        ys.append((s / torch.sqrt(var + eps) * gamma + beta).to(s.dtype))
    return ys, (mean, var, int(n[0]))


# %% wrong sync_batchnorm_forward: all tables on the first card -> RuntimeError
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    C, tables = len(gamma), []
    for r, shard in enumerate(shards):
        table = shards[0].new_zeros(len(shards), 2 * C + 1)
        if len(shard):
            table[r, :C] = shard.mean(0)
            table[r, C:-1] = shard.var(0, correction=0)
            table[r, -1] = len(shard)
        tables.append(table)
    total = all_reduce(tables)
    share = total[:, -1:] / total[:, -1].sum()
    mean = (share * total[:, :C]).sum(0)
    var = (share * (total[:, C:-1] + (total[:, :C] - mean) ** 2)).sum(0)
    ys = [(shard - mean) / torch.sqrt(var + eps) * gamma + beta for shard in shards]
    return ys, (mean, var, int(total[:, -1].sum()))


# %% wrong sync_batchnorm_forward: torch's var as it comes -> unbiased-on-each-card
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    import torch

    C, tables = len(gamma), []
    for r, shard in enumerate(shards):
        table = shard.new_zeros(len(shards), 2 * C + 1)
        if len(shard):
            table[r, :C] = shard.mean(0)
            table[r, C:-1] = shard.var(0)
            table[r, -1] = len(shard)
        tables.append(table)
    total = all_reduce(tables)
    share = total[:, -1:] / total[:, -1].sum()
    mean = (share * total[:, :C]).sum(0)
    var = (share * (total[:, C:-1] + (total[:, :C] - mean) ** 2)).sum(0)
    ys = [(shard - mean) / torch.sqrt(var + eps) * gamma + beta for shard in shards]
    return ys, (mean, var, int(total[:, -1].sum()))


# %% wrong sync_batchnorm_forward: the stub
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    raise NotImplementedError()


# --- sync_batchnorm_backward ---


# %% right sync_batchnorm_backward: as in the text
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    import torch

    mean, var, count = stats
    inv_std = torch.rsqrt(var + eps)
    x_hats = [(shard - mean) * inv_std for shard in shards]
    pairs = list(zip(dy_shards, x_hats))
    dbeta, dgamma = all_reduce([torch.stack([dy.sum(0), (dy * x_hat).sum(0)]) for dy, x_hat in pairs])
    dx_shards = [gamma * inv_std * (dy - (dbeta + x_hat * dgamma) / count) for dy, x_hat in pairs]
    return dx_shards, dgamma, dbeta


# %% right sync_batchnorm_backward: the count travels, too
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    import torch

    mean, var, _ = stats
    std = torch.sqrt(var + eps)
    parts = []
    for dy, x in zip(dy_shards, shards):
        x_hat = (x - mean) / std
        parts.append(torch.cat([dy.sum(0), (dy * x_hat).sum(0), dy.new_full((1,), len(dy))]))
    total = all_reduce(parts)
    C = len(gamma)
    dbeta, dgamma, m = total[:C], total[C:-1], total[-1]
    dxs = []
    for dy, x in zip(dy_shards, shards):
        dxs.append(gamma / std / m * (m * dy - dbeta - (x - mean) / std * dgamma))
    return tuple(dxs), dgamma, dbeta


# %% right sync_batchnorm_backward: through the gradients of mean and variance
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    import torch

    mean, var, m = stats
    inv = (var + eps) ** -0.5
    messages = []
    for dy, x in zip(dy_shards, shards):
        centered = x - mean
        messages.append(torch.stack([dy.sum(0), (dy * centered).sum(0)], dim=1))
    sums = all_reduce(messages)
    dbeta, dot = sums[:, 0], sums[:, 1]
    dvar = -0.5 * gamma * dot * inv**3
    dmean = -gamma * inv * dbeta
    dxs = [
        dy * gamma * inv + dvar * 2 * (x - mean) / m + dmean / m for dy, x in zip(dy_shards, shards)
    ]
    return dxs, dot * inv, dbeta


# %% right sync_batchnorm_backward: in float64
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    import torch

    mean, var = (s.double() for s in stats[:2])
    inv = 1 / (var + eps).sqrt()
    hats = [(x.double() - mean) * inv for x in shards]
    dys = [dy.double() for dy in dy_shards]
    total = all_reduce([torch.cat([dy.sum(0), (dy * h).sum(0)]) for dy, h in zip(dys, hats)])
    dbeta, dgamma = total.chunk(2)
    dxs = [
        (gamma * inv * (dy - dbeta / stats[2] - h * dgamma / stats[2])).to(gamma.dtype)
        for dy, h in zip(dys, hats)
    ]
    return dxs, dgamma.to(gamma.dtype), dbeta.to(gamma.dtype)


# %% wrong sync_batchnorm_backward: each card for itself -> each-card-for-itself
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    import torch

    mean, var, count = stats
    inv = torch.rsqrt(var + eps)
    hats = [(x - mean) * inv for x in shards]
    dbeta, dgamma = all_reduce([torch.stack([dy.sum(0), (dy * h).sum(0)]) for dy, h in zip(dy_shards, hats)])
    dxs = []
    for dy, h in zip(dy_shards, hats):
        n = max(len(dy), 1)
        dxs.append(gamma * inv * (dy - dy.sum(0) / n - h * (dy * h).sum(0) / n))
    return dxs, dgamma, dbeta


# %% wrong sync_batchnorm_backward: own sums, everyone's count -> local-sums
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    import torch

    mean, var, count = stats
    inv = torch.rsqrt(var + eps)
    hats = [(x - mean) * inv for x in shards]
    dbeta, dgamma = all_reduce([torch.stack([dy.sum(0), (dy * h).sum(0)]) for dy, h in zip(dy_shards, hats)])
    dxs = [
        gamma * inv * (dy - dy.sum(0) / count - h * (dy * h).sum(0) / count)
        for dy, h in zip(dy_shards, hats)
    ]
    return dxs, dgamma, dbeta


# %% wrong sync_batchnorm_backward: everyone's sums, own count -> local-count
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    import torch

    mean, var, count = stats
    inv = torch.rsqrt(var + eps)
    hats = [(x - mean) * inv for x in shards]
    dbeta, dgamma = all_reduce([torch.stack([dy.sum(0), (dy * h).sum(0)]) for dy, h in zip(dy_shards, hats)])
    dxs = []
    for dy, h in zip(dy_shards, hats):
        n = max(len(dy), 1)
        dxs.append(gamma * inv * (dy - dbeta / n - h * dgamma / n))
    return dxs, dgamma, dbeta


# %% wrong sync_batchnorm_backward: statistics taken for constants -> statistics-constant
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    import torch

    mean, var, count = stats
    inv = torch.rsqrt(var + eps)
    hats = [(x - mean) * inv for x in shards]
    dbeta, dgamma = all_reduce([torch.stack([dy.sum(0), (dy * h).sum(0)]) for dy, h in zip(dy_shards, hats)])
    return [gamma * inv * dy for dy in dy_shards], dgamma, dbeta


# %% wrong sync_batchnorm_backward: the path through the variance missing -> variance-path-forgotten
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    import torch

    mean, var, count = stats
    inv = torch.rsqrt(var + eps)
    hats = [(x - mean) * inv for x in shards]
    dbeta, dgamma = all_reduce([torch.stack([dy.sum(0), (dy * h).sum(0)]) for dy, h in zip(dy_shards, hats)])
    return [gamma * inv * (dy - dbeta / count) for dy in dy_shards], dgamma, dbeta


# %% wrong sync_batchnorm_backward: gamma forgotten -> gamma-forgotten
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    import torch

    mean, var, count = stats
    inv = torch.rsqrt(var + eps)
    hats = [(x - mean) * inv for x in shards]
    dbeta, dgamma = all_reduce([torch.stack([dy.sum(0), (dy * h).sum(0)]) for dy, h in zip(dy_shards, hats)])
    return [inv * (dy - (dbeta + h * dgamma) / count) for dy, h in zip(dy_shards, hats)], dgamma, dbeta


# %% wrong sync_batchnorm_backward: dbeta before dgamma
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    import torch

    mean, var, count = stats
    inv = torch.rsqrt(var + eps)
    hats = [(x - mean) * inv for x in shards]
    dbeta, dgamma = all_reduce([torch.stack([dy.sum(0), (dy * h).sum(0)]) for dy, h in zip(dy_shards, hats)])
    dxs = [gamma * inv * (dy - (dbeta + h * dgamma) / count) for dy, h in zip(dy_shards, hats)]
    return dxs, dbeta, dgamma


# %% wrong sync_batchnorm_backward: averaged over cards
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    import torch

    mean, var, count = stats
    inv = torch.rsqrt(var + eps)
    hats = [(x - mean) * inv for x in shards]
    dbeta, dgamma = all_reduce([torch.stack([dy.sum(0), (dy * h).sum(0)]) for dy, h in zip(dy_shards, hats)])
    dxs = [gamma * inv * (dy - (dbeta + h * dgamma) / count) for dy, h in zip(dy_shards, hats)]
    return dxs, dgamma / len(shards), dbeta / len(shards)


# %% wrong sync_batchnorm_backward: two calls -> all-reduce-called-again
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    import torch

    mean, var, count = stats
    inv = torch.rsqrt(var + eps)
    hats = [(x - mean) * inv for x in shards]
    dbeta = all_reduce([dy.sum(0) for dy in dy_shards])
    dgamma = all_reduce([(dy * h).sum(0) for dy, h in zip(dy_shards, hats)])
    dxs = [gamma * inv * (dy - (dbeta + h * dgamma) / count) for dy, h in zip(dy_shards, hats)]
    return dxs, dgamma, dbeta


# %% wrong sync_batchnorm_backward: adds up the shards itself -> no-all-reduce
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    import torch

    mean, var, count = stats
    inv = torch.rsqrt(var + eps)
    hats = [(x - mean) * inv for x in shards]
    dbeta = sum(dy.sum(0) for dy in dy_shards)
    dgamma = sum((dy * h).sum(0) for dy, h in zip(dy_shards, hats))
    dxs = [gamma * inv * (dy - (dbeta + h * dgamma) / count) for dy, h in zip(dy_shards, hats)]
    return dxs, dgamma, dbeta


# %% wrong sync_batchnorm_backward: the upstream changed in place
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    import torch

    mean, var, count = stats
    inv = torch.rsqrt(var + eps)
    hats = [(x - mean) * inv for x in shards]
    dbeta, dgamma = all_reduce([torch.stack([dy.sum(0), (dy * h).sum(0)]) for dy, h in zip(dy_shards, hats)])
    dxs = []
    for dy, h in zip(dy_shards, hats):
        dy -= (dbeta + h * dgamma) / count
        dxs.append(gamma * inv * dy)
    return dxs, dgamma, dbeta


# %% wrong sync_batchnorm_backward: the stub
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    raise NotImplementedError()
