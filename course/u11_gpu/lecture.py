# %% [markdown]
# # Faster than memory allows
#
# Someone reports: *"My batch norm takes 12 microseconds on a 100 MB batch."* That is reading and writing at over 16 000 GB/s, far more than the memory of any card can do. The code is right, the clock is right, and the
# number is nonsense. This lecture is about such numbers: where they come from, and which arithmetic unmasks them.
#
# | | |
# |---|---|
# | **You will do** | predict, catch a clock lying on your own computer, count bytes, move two sliders, break half precision, spread one batch over two processes |
# | **You will learn** | how to time a machine that does not wait, why batch norm costs what memory costs, what has to stay float32, what cards must tell each other |
# | **You need** | units 2, 5 and 8; PyTorch tensors. **No GPU**: what needs one says so |
# | **It takes** | about 60 minutes with the questions; running all cells takes about half a minute |
#
# Nothing here is graded. The assignment `gpu.ipynb` follows the same order.

# %%
import time

import numpy as np
import torch
from torch import nn

from bnlib.gpu import Background, achieved_bandwidth, batchnorm_mixed, bytes_moved, copy_bandwidth
from bnlib.gpu import merge_stats, pick_device, sync_batchnorm_forward, time_op, to_device
from bnlib.gpu.distributed import run_in_processes
from bnlib.gpu.report import load, table, take
from bnlib.plots.launches import WAYS, draw_timeline
from bnlib.plots.roofline import BANDWIDTHS, DTYPES, draw_roofline
from bnlib.traffic import KERNELS, PASSES
from bnlib.widgets import Choice, Slider, Toggle, explore

torch.set_num_threads(1)  # so that what is measured does not depend on who else is at work
device = pick_device()
print(f"this computer: {device}" + ("" if device.type == "cuda" else "; what needs a GPU is not run"))

# %% [markdown]
# ## 1. A clock that lies
#
# You do not *call* a GPU, you write it a list. The host puts work into a queue (a *stream*) and goes on; the card works the list off in order. No GPU is needed to see what that does to a clock:
# `Background` is such a queue on your own processor, with a second thread that works it off. Real work, real time.
#
# **Predict.** Copying 128 MiB takes a computer some milliseconds, or some tens of them. What does the clock say if you `launch` the copy and look?

# %%
source = torch.ones(2**25)  # 128 MiB of float32
target, n_bytes = torch.empty_like(source), 2 * 4 * source.numel()

with Background() as queue:
    queue.launch(lambda: target.copy_(source))  # the warm-up
    queue.synchronize()
    for waits in (False, True):
        start = time.perf_counter()
        queue.launch(lambda: target.copy_(source))
        if waits:
            queue.synchronize()
        ms = (time.perf_counter() - start) * 1e3
        queue.synchronize()
        print(f"{'waits' if waits else 'does not wait':14}{ms:9.3f} ms {achieved_bandwidth(n_bytes, ms):10.1f} GB/s")
print(f"{'a copy, timed':33}{copy_bandwidth(torch.device('cpu')):6.1f} GB/s")

# %% [markdown]
# <details><summary>What you see</summary>
#
# Without waiting the clock has timed the *launch*: a fraction of a millisecond, and a bandwidth of hundreds or thousands of GB/s out of a memory that has some tens at most. With `synchronize` it is that of an honest copy.
# </details>
#
# Nothing in the first number looks wrong by itself. **The bandwidth gives it away.** Hence the habit that this unit teaches: *a time is reported together with the bytes it moved*, and held against a copy on the same machine.
#
# On a card the same lines read
#
# ```python
# start = time.perf_counter()
# fn()                          # launches, and comes back after some microseconds
# torch.cuda.synchronize()      # waits until the queue is empty
# ms = (time.perf_counter() - start) * 1e3
# ```
#
# or, without making the host wait in between, with marks in the queue itself:
#
# ```python
# start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
# start.record(); fn(); end.record()
# torch.cuda.synchronize()      # the marks must have been passed: else elapsed_time raises an error
# ms = start.elapsed_time(end)  # milliseconds
# ```
#
# ### Play: who waits where
#
# Two calls of warm-up (grey), three measured calls (orange), in a queue. The first call of all also compiles. **Predict before each move:**
#
# 1. *clock, waits before the end*: two of the three times are right. Which is not, and how large is it?
# 2. Warm-up 0: which of the four ways still gives the true time for the first call?
# 3. A call of 0.1 ms: how do the *right* ways differ from each other, and why?

# %%
explore(
    draw_timeline,
    title="What a clock sees of a queue",
    alt="Left: two lanes, host and card, with launches, waits and calls as bars, and the spans that were timed between them. "
    "Right: the three reported times beside a dashed line at the true one",
    way=Choice("how it is timed", WAYS, WAYS[0]),
    ms=Slider("time of a call", 0.1, 2.0, 0.1, 1.0, unit="ms"),
    warmup=Slider("calls of warm-up", 0, 4, 1, 2),
    cold=Slider("lost by the first call", 0.0, 4.0, 0.5, 2.0, unit="ms"),
)

# %% [markdown]
# <details><summary>What you see</summary>
#
# 1. The first: the clock was started while the warm-up still stood in the queue, and counts the rest of it. So one waits before the start as well.
# 2. None: compiling happens in the call. That is what a warm-up is for.
# 3. A clock with waits counts the launch, too (drawn ten times too long here; really about 5 µs). Events count what the card did. For short calls that matters; then one times many in a row.
# </details>
#
# `time_op` of the assignment does all this. In the grader it runs on a *simulated* card that knows the true times.
#
# ## 2. Count bytes, not operations
#
# By its data sheet an A100 does 19.5 million million float32 operations a second, and its memory moves 1.6 million million bytes. To keep the calculators busy, each number that comes from memory (4 bytes) would have to be used fifty times. Batch norm uses it about seven times. So
# its time is the time of its memory, and all one needs to know is **how many bytes it moves**.
#
# The rule: each *kernel* (one run over the data) reads its inputs from memory and writes its outputs to it. Written line by line, the forward pass in training is four kernels:

# %%
for fused in (False, True):
    print("fused" if fused else "line by line")
    for kernel in KERNELS["train", fused]:
        print(f"    {kernel.name:16} {', '.join(kernel.reads):30} → {', '.join(kernel.writes)}")
shape = (256, 64, 56, 56)  # a first layer of ResNet, 256 images
for name in PASSES:
    lines, few = (bytes_moved(shape, torch.float32, name, fused) / 1e6 for fused in (False, True))
    print(f"{name:9} line by line {lines:7.0f} MB   fused {few:7.0f} MB   {lines / few:.2f} times less")

# %% [markdown]
# **Predict.** How much faster will `nn.BatchNorm2d` in training be than the four lines, if both only wait for memory? And half precision?
#
# ### Play: the roof
#
# Left the least time of each pass, right the *roofline* (Williams et al. 2009): speed is limited by the calculators (flat) or by memory (slope), whichever is lower. The machines are round numbers for a kind, not measurements.
#
# 1. Which move takes the bars down most: half precision, or fewer kernels?
# 2. How far would a pass have to move to the right to reach the flat part?

# %%
explore(
    draw_roofline,
    title="The least time that memory allows",
    alt="Left: bars of the least time of the passes train, eval and backward. Right: a roofline on two log scales; the "
    "three passes lie close together far down on its slope",
    batch=Slider("images", 8, 256, 8, 128),
    dtype=Choice("dtype", DTYPES, "float32"),
    fused=Toggle("fused", False),
    machine=Choice("machine", tuple(BANDWIDTHS), "card, 1000 GB/s"),
)

# %% [markdown]
# <details><summary>What you see</summary>
#
# 1. In training both halve it; in evaluation, too; backward gains little from fusing (5 large accesses instead of 6), all from half precision.
# 2. About a factor of 50. No trick with the arithmetic of batch norm matters; only touching memory less often does. Unit 12 writes the kernels.
# </details>
#
# And what does *this* computer do? Here its processor; the second part is what a card measured, if anyone had one.

# %%
print(table(take("cpu")))
print()
measured = load("cuda")
print(table(measured))
if measured.copy is None:
    print("With a card at hand: `python -m bnlib.gpu --cuda --save`, and this cell shows its numbers.")

# %% [markdown]
# The last column is the one to read: *what share of an honest copy*. A share above 100 % by more than a little is a wrong timing, or data that were still in a cache. A share far below, as on most processors with one thread, says that memory is not what the
# time goes to there: the calculation, or many small steps. **Memory-bound is a property of a machine and a kernel together.**
#
# ## 3. The same code everywhere
#
# Three habits make code run with and without a card:
#
# - ask once, `device = pick_device()`, and pass it on. `if torch.cuda.is_available:` without the call is always true, and is found in published course notebooks;
# - move batches whole, with `to_device`;
# - make new tensors *where the old ones are*: `x.new_zeros(C)`, `torch.zeros(C, device=x.device)`.
#
# The bug of the third kind shows only on a card. Or does it? PyTorch has *fake* tensors: shape, dtype and device without numbers. They know about cards that are not there:

# %%
from torch._subclasses.fake_tensor import FakeTensorMode

def center(x):
    total = torch.zeros(x.shape[1])  # on the CPU, always
    return x - (total + x.sum(dim=0)) / len(x)

with FakeTensorMode():
    print("on the CPU: ", tuple(center(torch.empty(8, 3)).shape))
    try:
        center(torch.empty(8, 3, device="cuda"))
    except RuntimeError as error:
        print("on a card:  ", str(error).splitlines()[0])

# %% [markdown]
# **Copies that do not wait.** `tensor.to("cuda", non_blocking=True)` from *pinned* memory (a page that the system promises not to move: `DataLoader(pin_memory=True)`) runs beside the host's next lines. What is launched on the card afterwards queues up behind it, so nothing can go wrong.
# In the other direction it can: after `y = x.to("cpu", non_blocking=True)` the host may read y before the numbers are there. Wait first.
#
# **A second queue** lets the next batch travel while this one is worked on:
#
# ```python
# side = torch.cuda.Stream()
# with torch.cuda.stream(side):
#     following = to_device(next(batches), device)   # pinned, non-blocking
# loss = train_step(current)                         # meanwhile, in the main queue
# torch.cuda.current_stream().wait_stream(side)      # only now is `following` safe to use
# ```
#
# (Its memory belongs to the side queue, which would hand it out again as soon as Python drops the tensor. `tensor.record_stream(torch.cuda.current_stream())` tells it who else is still reading.)

# %%
batch = {"x": torch.randn(4, 3), "names": ["a", "b", "c", "d"], "meta": (torch.arange(4), None)}
moved = to_device(batch, device)
print({key: type(value).__name__ for key, value in moved.items()}, moved["x"].device)

# %% [markdown]
# ## 4. Half the bytes
#
# | | bits | largest | digits | one step at 500 |
# |---|---|---|---|---|
# | float32 | 32 | 3·10³⁸ | 7 | 0.00003 |
# | float16 | 16 | 65504 | 3 | 0.25 |
# | bfloat16 | 16 | 3·10³⁸ | 2 | 2 |
#
# Half the bytes is half the time, if memory is what one waits for. But batch norm *adds up* a whole batch, and squares.
#
# **Predict.** The values below are 300 and 900. What is their variance in float16?

# %%
x = torch.tensor([[300.0], [900.0]], dtype=torch.float16)
centered = x - x.mean(dim=0)
print("in float16, variance:", (centered**2).mean(dim=0).item(), " y:", (centered / ((centered**2).mean(dim=0) + 1e-5).sqrt()).flatten().tolist())
print("float32 inside,   y:", batchnorm_mixed(x, torch.ones(1), torch.zeros(1)).flatten().tolist())

far = (500 + torch.randn(64, 1, generator=torch.Generator().manual_seed(0))).half()
print(f"mean of 64 values near 500: float16 {far.mean().item():.3f}, true {far.double().mean().item():.3f}, spread {far.double().std().item():.2f}")

# %% [markdown]
# So: **half in, half out, float32 in every sum.** gamma, beta and the running statistics stay float32, as `nn.BatchNorm2d` keeps them. `torch.autocast` chooses a dtype operation by operation: matrix products and convolutions are narrowed, and batch norm takes what comes:

# %%
network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
images = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
with torch.autocast("cpu", dtype=torch.bfloat16):
    between = network[0](images)
    out = network[1](between)
print("in", images.dtype, "· after the convolution", between.dtype, "· after batch norm", out.dtype)
print("weight", network[1].weight.dtype, "· running_mean", network[1].running_mean.dtype)

# %% [markdown]
# **The order in memory** counts as well. `(N, C, H, W)` is a *shape*; in memory images can lie plane by plane, or with all channels of a pixel side by side (*channels last*, which convolutions in half precision on newer cards prefer). Batch norm has to follow: a
# layer in between that turns the order costs a copy each way. `batchnorm_mixed` keeps it without a line about it, because it is elementwise except for its means:

# %%
pixels = torch.randn(16, 32, 28, 28, generator=torch.Generator().manual_seed(0))
for name, order in (("plane by plane", torch.contiguous_format), ("channels last", torch.channels_last)):
    turned = pixels.to(memory_format=order)
    y = batchnorm_mixed(turned, torch.ones(32), torch.zeros(32))
    ms = np.median(time_op(lambda x=turned: nn.functional.batch_norm(x, None, None, training=True), torch.device("cpu"), 2, 7))
    print(f"{name:15} strides {turned.stride()}  y keeps them: {y.stride() == turned.stride()}  torch's own on this CPU {ms:.2f} ms")

# %% [markdown]
# ## 5. When the launch is what costs
#
# A launch costs the host some 5 µs, however small the work. A late layer of a network on a small batch, `(8, 512, 7, 7)` in half precision, fused: how long at 1000 GB/s?

# %%
small = bytes_moved((8, 512, 7, 7), torch.float16, "train", fused=True)
print(f"{small / 1e6:.2f} MB: {small / 1000e9 * 1e6:.1f} µs of memory, and two launches of about 5 µs")

# %% [markdown]
# The card is done before the host has launched the next one: the time is all launching. A **CUDA graph** records a row of launches once, and replays it with one:

# %%
def replayed(fn, repeats=20):
    """Time fn, and a CUDA graph of it: medians in ms."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())  # what fn reads must be there
    with torch.cuda.stream(side):  # warm up in a queue of its own, as capturing asks for
        fn()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        fn()
    return [np.median(time_op(f, device, 5, repeats)) for f in (fn, graph.replay)]

# %%
if device.type == "cuda":
    layers = nn.Sequential(*(nn.BatchNorm2d(512) for _ in range(50))).to(device)
    x = torch.randn(8, 512, 7, 7, device=device)
    print("fifty layers, launched and replayed: {:.3f} ms, {:.3f} ms".format(*replayed(lambda: layers(x))))
else:
    print("not run: no GPU")

# %% [markdown]
# What is recorded is fixed: addresses, shapes, every branch of Python taken. Batch norm in training plays along (its running statistics are written in place); a batch of another size does not.
#
# ## 6. One batch, several cards
#
# 32 images over 16 cards are 16 batches of two. Unit 8 showed what batch norm makes of those. *Synchronised* batch norm uses the statistics of all 32. What must the cards tell each other?
#
# **Predict.** Two cards, with rows of mean 0 (6 of them) and mean 4 (2 of them), both with variance 1. Someone averages the two means and the two variances: 2 and 1. What is right?

# %%
a = torch.tensor([0.0]), torch.tensor([1.0]), 6
b = torch.tensor([4.0]), torch.tensor([1.0]), 2
mean, var, count = merge_stats(a, b)
print(f"mean {mean.item():g}, variance {var.item():g}, rows {count}")

# %% [markdown]
# <details><summary>Why</summary>
#
# The mean is (6·0 + 2·4)/8 = 1: rows count, not cards. And rows from places 4 apart spread wider than those of either card. With $p = \tfrac68$, $q = \tfrac28$ and $\delta = 4$,
#
# $$ \sigma^2 = p\,\sigma_a^2 + q\,\sigma_b^2 + p\,q\,\delta^2 = 1 + \tfrac{12}{64}\cdot 16 = 4 . $$
#
# (Expand $\sum (x - \mu)^2$ over both groups, with $\mu_a - \mu = -q\delta$ and $\mu_b - \mu = p\delta$: $p\,q^2\delta^2 + q\,p^2\delta^2 = p\,q\,\delta^2$.) Large squares are not subtracted from each other, only means, so it holds in float32 far from zero, where sums of squares fail.
# </details>
#
# Cards talk through `all_reduce`: everyone hands in a tensor of one shape, everyone gets the sum. Each call waits for the slowest, so one wants **one call a pass**. But mean, variance and count are not sums! A trick: each card writes its three into *its own row* of a table of zeros. The sum of the
# tables is the table of all.
#
# Back again the sums are sums by themselves: $\sum dy$ and $\sum dy\,\hat x$ over all rows (unit 5). So what travels are $2C+1$ numbers for each card forward and $2C$ backward, however large the batch.
#
# Now in earnest: **two processes that share no memory**, PyTorch's `torch.distributed` with its CPU back end gloo. One has five rows, the other two.

# %%
rng = torch.Generator().manual_seed(0)
shards = [torch.randn(n, 3, generator=rng, dtype=torch.float64) + 2 * n for n in (5, 2)]
dys = [torch.randn(n, 3, generator=rng, dtype=torch.float64) for n in (5, 2)]
ends = run_in_processes(shards, dys, torch.ones(3).double(), torch.zeros(3).double())

layer = nn.BatchNorm1d(3).double()  # the judge: all seven rows at once
x = torch.cat(shards).requires_grad_()
y = layer(x)
y.backward(torch.cat(dys))
for name, true in (("y", y.detach()), ("dx", x.grad)):
    print(f"{name:2} differs by at most {(torch.cat([end[name] for end in ends]) - true).abs().max().item():.1e}")
print(f"dgamma differs by at most {(ends[0]['dgamma'] - layer.weight.grad).abs().max().item():.1e}")
print("sums that each process took part in, forward and backward together:", [end["sums"] for end in ends])

# %% [markdown]
# And without talking? Each process by itself gives another network's answer:

# %%
alone = torch.cat([nn.BatchNorm1d(3).double()(shard) for shard in shards]).detach()
print(f"each for itself: y differs by up to {(alone - y.detach()).abs().max().item():.2f}")

def add(parts):
    return torch.stack(parts).sum(dim=0)

plain = [shards[0], shards[1][:1]]  # a card with a single row is no problem for all together
print("a single row on a card:", [tuple(y.shape) for y in sync_batchnorm_forward(plain, torch.ones(3), torch.zeros(3), add)[0]])

# %% [markdown]
# `nn.SyncBatchNorm.convert_sync_batchnorm(model)` does this for a model on cards; it runs on GPUs only. Its dgamma is that of one card: `DistributedDataParallel` averages the gradients of all parameters afterwards.
#
# ## 7. What people get wrong
#
# - **Timing the launch.** Report bytes with every time; a bandwidth above that of a copy is a wrong timing.
# - **Timing the first call.** It compiles, allocates, loads libraries.
# - **`time.time()`.** The wall clock is set by the network. `time.perf_counter()` is not.
# - **A mean over one long loop only.** The list of times shows the outlier, and the trend while the card warms up; take the median.
# - **`if torch.cuda.is_available:`**, always true. **Hard-coded `"cuda"`**, which fails on the next computer.
# - **`memory_allocated` after the call** misses what was freed within; `max_memory_reserved` tells of torch's habits, not of your tensors.
# - **Half precision throughout.** Squares overflow; a mean of 500 is known to a quarter.
# - **Averaging over cards**: means without counts, variances without the spread between the means.

# %% [markdown]
# ## 8. One card
#
# | question | answer |
# |---|---|
# | how long did it take? | warm up; events, or `synchronize` before *both* looks at the clock; a list of times |
# | can that be? | bytes moved / time, against a copy on the same machine |
# | what will it take? | bytes / bandwidth: forward 3 large accesses fused, 6 line by line; evaluation 2 and 4; backward 5 and 6 |
# | how much memory? | peak since a reset, minus what was there |
# | how narrow? | half in, half out; sums, statistics, gamma, beta float32 |
# | over several cards? | merge (mean, var, count); one sum forward, one backward |
#
# ## Try next
#
# - The assignment: write these tools, and have a simulated card check them.
# - Run `python -m bnlib.gpu` on another computer; compare the *shares*, not the times.
# - Unit 12: write the fused kernels.
#
# ## Sources
#
# - S. Ioffe, C. Szegedy, *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift*, ICML 2015, [arXiv:1502.03167](https://arxiv.org/abs/1502.03167).
# - S. Williams, A. Waterman, D. Patterson, *Roofline: An Insightful Visual Performance Model for Multicore Architectures*, Communications of the ACM 52(4), 2009.
# - P. Micikevicius et al., *Mixed Precision Training*, ICLR 2018, [arXiv:1710.03740](https://arxiv.org/abs/1710.03740): batch norm's statistics in float32.
# - T. F. Chan, G. H. Golub, R. J. LeVeque, *Updating Formulae and a Pairwise Algorithm for Computing Sample Variances*, Stanford University, 1979.
# - PyTorch, [CUDA semantics](https://docs.pytorch.org/docs/stable/notes/cuda.html): asynchronous execution, streams, pinned memory, graphs; [A guide on good usage of non_blocking and pin_memory](https://docs.pytorch.org/tutorials/intermediate/pinmem_nonblock.html); [SyncBatchNorm](https://docs.pytorch.org/docs/stable/generated/torch.nn.SyncBatchNorm.html).
