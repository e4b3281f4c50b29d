# %% [markdown]
# # On a GPU, and just as well without
#
# | | |
# |---|---|
# | **You'll do** | write code that runs wherever it is put, time a machine that does not wait for you, count bytes, keep sums out of half precision, and spread one batch over several cards |
# | **You'll learn** | why a stopwatch lies on a GPU, what batch norm costs there and why, and what cards have to tell each other |
# | **You need** | the [lecture](../../course/u11_gpu/lecture.ipynb), PyTorch tensors, the closed backward pass of unit 5 |
# | **Time** | about 95 minutes, 10 exercises, 26 points |
#
# Run the cells from top to bottom. Write your code where it says `# YOUR CODE HERE`, and delete `raise NotImplementedError()`.

# %% given="imports"
import math
import time

import numpy as np
import torch

from autograder import check, hint, progress

# %% [markdown]
# ## You need no GPU
#
# Here is how these exercises are graded on any computer, yours and the grader's:
#
# - **Times and bytes** are taken on a *simulated card*. While your function runs, `torch.cuda.synchronize`, `torch.cuda.Event`, `torch.cuda.is_available`, `torch.cuda.max_memory_allocated` and the
#   like belong to a card with a queue of its own, and `time.perf_counter()` shows *its* host's clock. It knows the true times, and behaves as CUDA does: it comes back before the work is
#   done, and it raises CUDA's errors.
# - **Tensors** in some cases say that they lie on `cuda:0` or `cuda:1`. Their numbers are real; mixing them with a tensor that you made on the CPU raises the error that CUDA raises.
# - Bytes and dtypes are arithmetic: they are the same everywhere.
#
# What only a real card can tell, how *fast* something is, earns no points here. The lecture measures it where there is one.
#
# ## What holds in all exercises
#
# - No argument may be changed. Ready-made batch norms of torch and bnlib earn nothing inside your functions.
# - `device` is a `torch.device`, with or without a number: `torch.device("cuda")`, `torch.device("cuda:1")`, `torch.device("cpu")`. Its `.type` is `"cuda"` or `"cpu"`.
# - A *number* may be a Python number or a tensor of shape `()`.

# %% [markdown]
# ## Exercise 1 · `pick_device`
#
# *effort ●○○ · about 3 minutes · 1 point · `hint("u11.pick_device")` if you are stuck*
#
# Return the `torch.device` to work on: `cuda` if there is a card that torch can use, else `cpu`. Ask each time the function is called.

# %% exercise="pick_device"
def pick_device():
    """Return the device to work on."""
    ### BEGIN SOLUTION
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    ### END SOLUTION

# %% test="pick_device"
chosen = pick_device()
assert isinstance(chosen, torch.device), f"A device, not its name: torch.device(...); got {chosen!r}"
assert chosen.type in ("cuda", "cpu"), f"One of the two kinds; got {chosen.type}"
check("u11.pick_device", pick_device)

# %% [markdown]
# ## Exercise 2 · `to_device`
#
# *effort ●●○ · about 10 minutes · 3 points · `hint("u11.to_device")` if you are stuck*
#
# A data loader hands out batches in all sorts of packing. Return the same packing with every tensor moved:
#
# | comes in | goes out |
# |---|---|
# | a tensor | the tensor on `device` |
# | a dict, list or tuple | a **new** one of the same kind, each item treated the same way, however deep |
# | a named tuple (a tuple with `_fields`) | a new one of the same class |
# | anything else: a string, a number, None | itself |
#
# **Does the host wait?** `tensor.to(device, non_blocking=True)` asks for the copy and goes on. From *pinned* memory (a page the system promises not to move, `pin_memory=True` in a data loader) the copy
# then runs beside the host's next lines. To a card that is safe: work on the card queues up behind the copy. **To the CPU it is not**: the next line may read the tensor before the numbers are there. So:
# `non_blocking=True` to a card, and a copy that waits to the CPU.

# %% exercise="to_device"
def to_device(batch, device):
    """Return the batch with every tensor in it on the device."""
    ### BEGIN SOLUTION
    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=device.type == "cuda")
    if isinstance(batch, dict):
        return {key: to_device(value, device) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        items = [to_device(value, device) for value in batch]
        return type(batch)(*items) if hasattr(batch, "_fields") else type(batch)(items)
    return batch
    ### END SOLUTION

# %% test="to_device"
batch = {"x": torch.ones(2), "names": ["cat.png", "dog.png"]}
moved = to_device(batch, torch.device("cpu"))
assert type(moved) is dict, f"A dict comes back as a dict; got {type(moved)}"
assert list(moved) == ["x", "names"], f"With the same keys; got {list(moved)}"
assert isinstance(moved["x"], torch.Tensor), f"A tensor stays a tensor; got {type(moved['x'])}"
assert moved["names"] == ["cat.png", "dog.png"], f"Strings stay strings; got {moved['names']}"
check("u11.to_device", to_device)

# %% [markdown]
# ## Exercise 3 · `time_op`
#
# *effort ●●● · about 15 minutes · 4 points · `hint("u11.time_op")` if you are stuck*
#
# `fn()` does the work that is to be timed. Call it `warmup` times unmeasured, then `repeats` times measured, and return a list of `repeats` numbers: **the milliseconds of each measured call**, in order.
#
# What a card does with a call: the host puts the work into the card's queue, which takes some microseconds, and goes on. The card works the queue off in order. So on a card
#
# - a clock read after `fn()` shows how long the *launch* took;
# - a clock started while the queue still holds earlier work (the warm-up's) counts that, too;
# - `torch.cuda.synchronize()` waits until the queue is empty;
# - or you put two marks into the queue: `torch.cuda.Event(enable_timing=True)`, `.record()`; once the card has come past both, `start.elapsed_time(end)` is in **milliseconds**. Before, it raises an error.
#
# Events, or a clock with waits at the right places: both are right. On the CPU a call is done when it returns; without a card `torch.cuda.synchronize()` raises an error there. Look at `device`, not at
# what the computer has. The clock is `time.perf_counter()`, in seconds: `time.time()` is the wall clock, and jumps when the network sets it (one case does that).

# %% exercise="time_op"
def time_op(fn, device, warmup, repeats):
    """Return the milliseconds of each of `repeats` calls, after `warmup` calls."""
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% test="time_op"
times = time_op(lambda: time.sleep(0.003), torch.device("cpu"), warmup=1, repeats=3)
assert len(times) == 3, f"One number for each of the 3 measured calls; got {len(times)}"
assert all(1 < t < 1000 for t in times), f"A sleep of 3 ms takes about 3 ms; got {times}"
check("u11.time_op", time_op)

# %% [markdown]
# ## Exercise 4 · `bytes_moved`
#
# *effort ●●○ · about 12 minutes · 3 points · `hint("u11.bytes_moved")` if you are stuck*
#
# Batch norm does a handful of operations on each number, and a card could do hundreds in the time in which one number comes from memory. So its time is the time of its memory: count the bytes.
#
# **The rule.** A pass is a row of *kernels*. A kernel reads each of its inputs from memory once and writes each of its outputs once; what one kernel has written, the next one reads again. These are the kernels:
#
# | `pass_` | unfused: `kernel: reads → writes` | fused |
# |---|---|---|
# | `"train"` | mean: `x → mean` | statistics: `x → mean, var` |
# | | var: `x, mean → var` | apply: `x, mean, var, gamma, beta → y` |
# | | normalize: `x, mean, var → x_hat` | |
# | | scale and shift: `x_hat, gamma, beta → y` | |
# | `"eval"` | normalize: `x, mean, var → x_hat` | apply: `x, mean, var, gamma, beta → y` |
# | | scale and shift: `x_hat, gamma, beta → y` | |
# | `"backward"` | dbeta: `dy → dbeta` | sums: `dy, x, mean, var → dgamma, dbeta` |
# | | dgamma: `dy, x_hat → dgamma` | dx: `dy, x, mean, var, gamma, dgamma, dbeta → dx` |
# | | dx: `dy, x_hat, var, gamma, dgamma, dbeta → dx` | |
#
# - `shape` is that of x: (N, C) or (N, C, *spatial). `x, x_hat, y, dy, dx` have that shape and are of dtype `dtype`, of `dtype.itemsize` bytes a number.
# - All others have shape (C,). They are float32, 4 bytes a number, also beside half-precision data; float64 beside float64 data, 8 bytes.
#
# Return the bytes of the pass, reads and writes together, as an exact `int`. A `pass_` that does not exist is a `ValueError`.

# %% exercise="bytes_moved"
def bytes_moved(shape, dtype, pass_, fused):
    """Return the bytes that a pass reads and writes."""
    ### BEGIN SOLUTION
    # (large tensors, tensors of shape (C,)) that are read or written, unfused and fused
    table = {"train": ((6, 7), (3, 6)), "eval": ((4, 4), (2, 4)), "backward": ((6, 6), (5, 9))}
    if pass_ not in table:
        raise ValueError(f"no such pass: {pass_!r}; there are {', '.join(table)}")
    large, small = table[pass_][bool(fused)]
    size = dtype.itemsize
    return large * math.prod(shape) * size + small * shape[1] * max(4, size)
    ### END SOLUTION

# %% [markdown]
# The test's example: (2, 3) numbers in float32, evaluation, fused. One kernel, which touches x and y (2 · 6 · 4 bytes) and four tensors of three numbers (4 · 3 · 4 bytes): 96 bytes.

# %% test="bytes_moved"
moved = bytes_moved((2, 3), torch.float32, "eval", fused=True)
assert moved == 96, f"2·6·4 + 4·3·4 = 96; got {moved}"
check("u11.bytes_moved", bytes_moved)

# %% [markdown]
# ## Exercise 5 · `achieved_bandwidth`
#
# *effort ●○○ · about 3 minutes · 1 point · `hint("u11.achieved_bandwidth")` if you are stuck*
#
# So many bytes in so many milliseconds: how many GB/s? (1 GB = 10⁹ bytes, as on a card's data sheet.) This is the number that unmasks a wrong timing: no kernel moves more than its card can.

# %% exercise="achieved_bandwidth"
def achieved_bandwidth(n_bytes, ms):
    """Return the bandwidth in GB/s."""
    ### BEGIN SOLUTION
    return n_bytes / (ms / 1000) / 1e9
    ### END SOLUTION

# %% test="achieved_bandwidth"
speed = achieved_bandwidth(3e9, 2.0)
assert abs(speed - 1500) < 1e-6, f"3 GB in 2 ms are 1500 GB/s; got {speed}"
check("u11.achieved_bandwidth", achieved_bandwidth)

# %% [markdown]
# ## Exercise 6 · `peak_memory`
#
# *effort ●●○ · about 6 minutes · 2 points · `hint("u11.peak_memory")` if you are stuck*
#
# How many bytes does `fn()` need at its worst moment, beyond what is allocated before? Torch counts for each card: `torch.cuda.memory_allocated(device)` is what tensors hold now, `torch.cuda.max_memory_allocated(device)` the
# most they ever held, `torch.cuda.reset_peak_memory_stats(device)` makes that maximum start again from now. (`…_reserved` is what torch has taken from the card in large pieces, to hand out later. It is not what you are asked.)
#
# - Call `fn` exactly once; return an `int`.
# - On a CPU torch counts nothing, also in a computer that has a card: call `fn` and return `None`. A number that nobody measured is worse than none.

# %% exercise="peak_memory"
def peak_memory(fn, device):
    """Return the bytes that a call needs at its worst moment, beyond those allocated before."""
    ### BEGIN SOLUTION
    if device.type != "cuda":
        fn()
        return None
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    fn()
    return torch.cuda.max_memory_allocated(device) - before
    ### END SOLUTION

# %% test="peak_memory"
found = peak_memory(lambda: torch.ones(1000), torch.device("cpu"))
assert found is None, f"On a CPU there is no count: None; got {found}"
check("u11.peak_memory", peak_memory)

# %% [markdown]
# ## Exercise 7 · `batchnorm_mixed`
#
# *effort ●●○ · about 10 minutes · 3 points · `hint("u11.batchnorm_mixed")` if you are stuck*
#
# Half the bytes, half the time: activations are kept in 16 bits. But float16 ends at 65504 and has 11 significant bits (bfloat16: 8), so squares overflow, and a mean of 500 is known only to a quarter. The way out: **half in, half out, float32
# in between.**
#
# $$ y = \gamma\,\frac{x-\mu}{\sqrt{\sigma^2+\varepsilon}} + \beta, \qquad \mu,\ \sigma^2\ \text{(biased) over all axes but 1, in float32} $$
#
# - `x` is float16, bfloat16 or float32, of shape (N, C) or (N, C, *spatial); `gamma`, `beta` are float32, shape (C,). y has x's shape **and dtype**.
# - Everything stays where it is: y on x's device (a tensor you make yourself has to be made there), and images that are *channels-last* in memory stay so (elementwise operations keep the order; `reshape` and `permute` may not).
# - Gradients flow to x, through mean and variance too.
# - float32 at mean 10 000 is graded here as well: subtract the mean before you square.

# %% exercise="batchnorm_mixed"
def batchnorm_mixed(x, gamma, beta, eps=1e-5):
    """Return batch norm of x in x's dtype, computed in float32."""
    ### BEGIN SOLUTION
    wide = x.float()
    axes = [axis for axis in range(x.ndim) if axis != 1]
    var, mean = torch.var_mean(wide, dim=axes, correction=0, keepdim=True)
    shape = (1, -1) + (1,) * (x.ndim - 2)
    y = (wide - mean) * torch.rsqrt(var + eps) * gamma.view(shape) + beta.view(shape)
    return y.to(x.dtype)
    ### END SOLUTION

# %% test="batchnorm_mixed"
x = torch.tensor([[300.0], [900.0]], dtype=torch.float16)  # 300² is beyond float16
y = batchnorm_mixed(x, torch.ones(1), torch.zeros(1))
assert y.dtype == torch.float16, f"float16 in, float16 out; got {y.dtype}"
assert y.flatten().tolist() == [-1, 1], f"Mean 600, standard deviation 300: −1 and 1; got {y.tolist()}"
check("u11.batchnorm_mixed", batchnorm_mixed)

# %% [markdown]
# ## Exercise 8 · `merge_stats`
#
# *effort ●●○ · about 8 minutes · 2 points · `hint("u11.merge_stats")` if you are stuck*
#
# Two cards have each seen a part of the batch. Each knows `(mean, var, count)` of its rows: mean and **biased** variance, tensors of shape (C,), and how many rows they are of, an `int`. Return the same three for all rows together.
#
# $$ n = n_a + n_b, \qquad \mu = \mu_a + \frac{n_b}{n}\,(\mu_b - \mu_a), \qquad
#    \sigma^2 = \frac{n_a}{n}\,\sigma_a^2 + \frac{n_b}{n}\,\sigma_b^2 + \;?\; $$
#
# **Find the third term** (Chan, Golub & LeVeque 1979): two groups without any spread, at 1 and at 3, spread together. One group may be empty (count 0, its mean and variance 0); float32 at mean 10 000 is graded, so $E[x^2]-E[x]^2$ will not do.

# %% exercise="merge_stats"
def merge_stats(a, b):
    """Return (mean, var, count) of two groups of rows together."""
    ### BEGIN SOLUTION
    (mean_a, var_a, n_a), (mean_b, var_b, n_b) = a, b
    n = n_a + n_b
    p, q, gap = n_a / n, n_b / n, mean_b - mean_a
    return mean_a + q * gap, p * var_a + q * var_b + p * q * gap**2, n
    ### END SOLUTION

# %% test="merge_stats"
a = torch.tensor([1.0]).double(), torch.tensor([1.0]).double(), 2  # the rows 0 and 2
b = torch.tensor([7.0]).double(), torch.tensor([0.0]).double(), 1  # the row 7
mean, var, count = merge_stats(a, b)
assert count == 3, f"2 rows and 1 row; got {count}"
assert abs(mean.item() - 3) < 1e-9, f"The mean of 0, 2, 7 is 3; got {mean}"
assert abs(var.item() - 26 / 3) < 1e-9, f"Their variance is (9 + 1 + 16)/3; got {var}"
check("u11.merge_stats", merge_stats)

# %% [markdown]
# ## Exercise 9 · `sync_batchnorm_forward`
#
# *effort ●●● · about 14 minutes · 4 points · `hint("u11.sync_batchnorm_forward")` if you are stuck*
#
# A batch of 32 over 16 cards is 16 batches of two, and what batch norm makes of those you know from unit 8. *Synchronised* batch norm normalises each shard by the statistics of all rows.
#
# In this notebook all cards are in one process: `shards` is a list with one tensor of shape (n_i, C) for each. But a card knows only its own shard. **Whatever it learns of the others comes through `all_reduce`**, which adds up one tensor from each card, all of
# one shape, and gives every card the sum:

# %% given="all_reduce"
def all_reduce(parts):
    """Return the sum of a list of tensors, one from each card; every card gets it."""
    return torch.stack(parts).sum(dim=0)

# %% [markdown]
# Return `(y_shards, stats)`: a list of the normalised shards, $\gamma\,(x-\mu)/\sqrt{\sigma^2+\varepsilon}+\beta$, and `(mean, var, count)` of all rows, which the backward pass will need.
#
# - Shards differ in length; one may be empty.
# - **One call of `all_reduce`**: each one waits for the slowest card. The graded `all_reduce` counts.
# - float32 at mean 10 000 is graded. Sums of squares in float32 are useless there. (Two ways work: sums in float64; or a table of zeros in which each card fills the row that is its own.)
# - In one case every shard lies on another card. `gamma`, `beta` and what `all_reduce` returns are on all of them. Make your own tensors where the shard is: `shard.new_zeros(...)`. A line that mixes shards raises CUDA's error, and `all_reduce` takes from each card only what lies on it.

# %% exercise="sync_batchnorm_forward"
def sync_batchnorm_forward(shards, gamma, beta, all_reduce, eps=1e-5):
    """Return the normalised shards, and (mean, var, count) of all rows together."""
    ### BEGIN SOLUTION
    C = shards[0].shape[1]
    tables = []
    for rank, shard in enumerate(shards):
        table = shard.new_zeros(len(shards), 2 * C + 1)
        if len(shard):
            var, mean = torch.var_mean(shard, dim=0, correction=0)
            table[rank] = torch.cat([mean, var, shard.new_tensor([len(shard)])])
        tables.append(table)

    stats = None
    for row in all_reduce(tables):
        part = row[:C], row[C:-1], int(row[-1])
        if part[2]:
            stats = part if stats is None else merge_stats(stats, part)
    mean, var, count = stats
    y_shards = [(shard - mean) * torch.rsqrt(var + eps) * gamma + beta for shard in shards]
    return y_shards, (mean, var, count)
    ### END SOLUTION

# %% test="sync_batchnorm_forward"
shards = [torch.tensor([[0.0]]).double(), torch.tensor([[2.0], [4.0]]).double()]
one, zero = torch.ones(1).double(), torch.zeros(1).double()
y_shards, (mean, var, count) = sync_batchnorm_forward(shards, one, zero, all_reduce)
assert abs(mean.item() - 2) < 1e-9, f"The mean of 0, 2, 4 is 2; got {mean}"
assert abs(var.item() - 8 / 3) < 1e-9, f"Their variance is 8/3; got {var}"
assert [len(y) for y in y_shards] == [1, 2], f"One y for each shard; got {[len(y) for y in y_shards]}"
check("u11.sync_batchnorm_forward", sync_batchnorm_forward)

# %% [markdown]
# ## Exercise 10 · `sync_batchnorm_backward`
#
# *effort ●●○ · about 12 minutes · 3 points · `hint("u11.sync_batchnorm_backward")` if you are stuck*
#
# Back again. In unit 5 you had, with sums over all m rows,
#
# $$ dx = \frac{\gamma}{\sqrt{\sigma^2+\varepsilon}}\Big(dy - \frac{1}{m}\sum dy - \frac{\hat x}{m}\sum dy\,\hat x\Big), \qquad d\beta = \sum dy, \qquad d\gamma = \sum dy\,\hat x . $$
#
# Which numbers have to travel? `dy_shards` and `shards` are lists with a tensor for each card, `stats` is `(mean, var, count)` of all rows, as the forward pass returned it. Return `(dx_shards, dgamma, dbeta)`, the last two summed over all rows. **One call of `all_reduce`**; the same rules as
# before.

# %% exercise="sync_batchnorm_backward"
def sync_batchnorm_backward(dy_shards, shards, gamma, stats, all_reduce, eps=1e-5):
    """Return (dx_shards, dgamma, dbeta) of sync_batchnorm_forward."""
    ### BEGIN SOLUTION
    mean, var, count = stats
    inv_std = torch.rsqrt(var + eps)
    x_hats = [(shard - mean) * inv_std for shard in shards]
    pairs = list(zip(dy_shards, x_hats, strict=True))
    dbeta, dgamma = all_reduce([torch.stack([dy.sum(0), (dy * x_hat).sum(0)]) for dy, x_hat in pairs])
    dx_shards = [gamma * inv_std * (dy - (dbeta + x_hat * dgamma) / count) for dy, x_hat in pairs]
    return dx_shards, dgamma, dbeta
    ### END SOLUTION

# %% test="sync_batchnorm_backward"
shards = [torch.tensor([[0.0]]).double(), torch.tensor([[2.0], [4.0]]).double()]
one, stats = torch.ones(1).double(), (torch.tensor([2.0]).double(), torch.tensor([8 / 3]).double(), 3)
ones = [torch.ones_like(shard) for shard in shards]
dx_shards, dgamma, dbeta = sync_batchnorm_backward(ones, shards, one, stats, all_reduce)
assert abs(dbeta.item() - 3) < 1e-9, f"Three rows with a gradient of 1: dbeta = 3; got {dbeta}"
assert max(dx.abs().max() for dx in dx_shards) < 1e-9, f"A gradient of ones gives dx = 0; got {dx_shards}"
check("u11.sync_batchnorm_backward", sync_batchnorm_backward)

# %% [markdown]
# All of it together, against a batch norm that sees all rows at once:

# %%
import bnlib

rng = np.random.default_rng(0)
rows = [torch.from_numpy(rng.normal(3, 2, (n, 4))) for n in (5, 2, 9)]
ys, stats = sync_batchnorm_forward(rows, torch.ones(4).double(), torch.zeros(4).double(), all_reduce)
whole, _ = bnlib.batchnorm_forward(torch.cat(rows).numpy(), np.ones(4), np.zeros(4))
print("largest difference:", float(np.abs(torch.cat(list(ys)).numpy() - whole).max()))

# %% [markdown]
# ## Where you are

# %%
progress()
