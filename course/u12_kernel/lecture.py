# %% [markdown]
# # Three reads or two?
#
# An H100 does 67 million million operations a second. Batch norm needs about ten for each number. Take the first batch norm of ResNet-50, 256 images: 205 million numbers. So it is done in 31 microseconds.
#
# It is not. By the same card's data sheet it takes **490 microseconds at the very least**, only to bring the numbers in and out; and if you write it as it stands in the paper, 1470. Where does the time go, and who can get it back?
#
# | | |
# |---|---|
# | **You will do** | predict, count loads and stores, look a race in the eye, move two sliders, run real Triton kernels on your CPU |
# | **You will learn** | why memory decides, what programs, blocks and masks are, how mean and variance come from one read, what a compiler and an interpreter each do not see |
# | **You need** | units 2 and 5; a little of unit 11 (bytes, bandwidth). No GPU |
# | **It takes** | about 60 minutes with the questions; running all cells takes some seconds |
#
# Nothing here is graded. The assignment `kernel.ipynb` lets you write the kernels yourself.

# %%
import os
from types import SimpleNamespace

import numpy as np
import torch
from torch.nn import functional as F

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # before Triton is imported: kernels run on the CPU, step by step
try:
    import triton
    import triton.language as tl
except ImportError:
    triton, tl = None, SimpleNamespace(constexpr=int)
    print("Triton is not installed (it has builds for Linux only): section 6 shows its code and does not run it.")

# %%
from bnlib import blocks as bl
from bnlib.kernels import View, plan_reduction, traffic
from bnlib.kernels.cards import CARDS
from bnlib.kernels.results import load_measured
from bnlib.plots import Picture
from bnlib.plots.kernel_cost import RELU, draw_cost, draw_measured, predicted_ms, variants
from bnlib.plots.kernel_grid import LAYOUTS, draw_kernel_grid
from bnlib.statistics import merge_stats
from bnlib.widgets import Choice, Slider, explore

torch.set_num_threads(1)  # small arrays: more threads only wait for each other

# %% [markdown]
# ## 1. What a number costs
#
# A GPU is a chip with thousands of small calculators, and a memory beside it. Every number has to come over the bridge between the two, and go back over it.
#
# | where a number lies | how much fits (H100) | what it means for us |
# |---|---|---|
# | registers | 33 MB in all: 256 kB for each of 132 multiprocessors | where numbers are computed with |
# | L2 cache, on the chip | 50 MB | what was used a moment ago is perhaps still there |
# | memory (HBM) | 80 GB | where tensors live, at 3.35 TB/s |
#
# Divide what the chip can do by what the bridge can carry, and you have the card's **balance**: the operations it could do while one byte comes over.

# %%
for card in CARDS.values():
    print(f"{card.name:5} {card.bandwidth / 1e12:5.2f} TB/s  {card.flops / 1e12:5.1f} Tflop/s  balance {card.balance:4.0f} operations a byte")
numbers = 256 * 64 * 112 * 112
print(f"\nbatch norm: 10 operations and at least 8 bytes (read x, write y) a number: {10 / 8:.2f} operations a byte")
print(f"arithmetic alone on an H100: {CARDS['H100'].arithmetic_ms(10 * numbers):.3f} ms")

# %% [markdown]
# The cards want 10 to 25 operations a byte, batch norm has little more than one. The calculators wait. This is the *roofline* argument (Williams, Waterman & Patterson 2009): time is at least
#
# $$ t \;\ge\; \max\Big(\frac{\text{operations}}{\text{operations a second}},\; \frac{\text{bytes}}{\text{bandwidth}}\Big) , $$
#
# and for batch norm, even if it reads only twice and writes once (12 bytes), the second term is 11 to 30 times the first on these cards. **So forget the operations. Count how often each number crosses the bridge.**
#
# ## 2. Who touches memory how often?
#
# The forward pass of training, in float32. A *kernel* is one run over the data; what it leaves behind goes back to memory, and the next kernel fetches it.
#
# **Predict.** How many times does a tensor of x's size cross the bridge in each of these?
#
# 1. A kernel for each formula: `mean = x.mean()`, `var = ((x - mean)**2).mean()`, `x_hat = …`, `y = gamma * x_hat + beta`.
# 2. Three kernels: mean; variance; normalise, scale and shift together.
# 3. Two kernels: mean and variance together; the rest.
# 4. One kernel that keeps a channel on the chip.

# %%
shape = (256, 64, 112, 112)
for v in variants(shape):
    print(f"{v.name:28} {v.reads} reads, {v.writes} written: {predicted_ms(shape, 'H100', v):.2f} ms on an H100, by its data sheet"
          + ("" if v.possible else "  (but a channel of this batch does not fit on the chip)"))

# %% [markdown]
# <details><summary>Count the first yourself</summary>
#
# Read x for the mean. Read x for the variance. Read x, write $\hat x$. Read $\hat x$, write y. Six. (And that is generous: in plain PyTorch, `x - mean` and the square each are a kernel of their own.)
# </details>
#
# Ways 2 and 3 differ in nothing but this: three reads or two. Everything below is about getting from one to the next.
#
# **Play.** Predict before each move: (1) Make the image small, 7 × 7: what becomes possible? (2) Let a ReLU follow, as a kernel of its own. What does it cost, and what in the same kernel? (3) Change the card: do the
# *ratios* change?

# %%
explore(
    draw_cost,
    title="Batch norm forward: crossings, and the time they take",
    alt="Left: bars of how often a tensor of x's size is read and written by four ways to run batch norm. Right: the time that the "
    "card's data sheet predicts for each, and the much shorter time of the arithmetic",
    images=Slider("images N", 1, 256, 2, 32, log=True),
    channels=Slider("channels C", 16, 2048, 2, 64, log=True),
    side=Choice("side of the image", (7, 14, 28, 56, 112), 56),
    relu=Choice("ReLU", RELU, "none"),
    card=Choice("card", tuple(CARDS), "H100"),
)

# %% [markdown]
# <details><summary>What you see</summary>
#
# (1) With 7 × 7 a channel of 32 images is 1568 numbers: it fits into the registers of one program, and x is read once. (2) A ReLU of its own reads y and writes it again: two crossings more, as much as the leanest batch norm in all.
# In the same kernel it is free. (3) No. A faster card makes all of them faster alike; who touches memory twice as often stays twice as slow.
# </details>
#
# These are **predictions**: what the data sheet allows at best. Not even a plain copy reaches that, and small tensors pay for the launch of each kernel as well. Section 7 has what was measured.

# %% [markdown]
# ## 3. A kernel as a picture
#
# You do not write a loop over all numbers. You write what **one program** does, and launch it as often as there is work: a *grid* of programs, all at the same time. A program knows its number. It works
# on **blocks**: a few hundred lanes that do the same thing at once. The length of a block is a power of two, for the hardware's sake; what sticks out is **masked**.
#
# Below, program c adds up channel c of two images. Blue is what one program loads, dark blue its first block.
#
# **Predict.** (1) `places` = 10, `block` = 8: how many lanes idle in the last step? (2) Back at 16 places. Memory is fetched in *sectors* of 32 bytes, never less. Switch the layout to channels last: how many bytes cross the bridge
# now, for the same loads?

# %%
explore(
    draw_kernel_grid,
    title="One program per channel",
    alt="Left: memory in rows of 128 bytes, the entries that one program loads in blue; in channels-last memory they lie far apart. "
    "Right: the lanes of the program in each step, masked ones grey",
    block=Slider("lanes of a block", 4, 64, 2, 8, log=True),
    channels=Slider("channels", 1, 16, 1, 8),
    places=Slider("places of an image", 2, 32, 2, 16),
    program=Slider("program shown", 0, 15, 1, 0),
    layout=Choice("memory", LAYOUTS, "channels first"),
)

# %% [markdown]
# <details><summary>What you see</summary>
#
# (1) 20 values in blocks of 8: three steps, 24 lanes, 4 of them idle. Idle lanes cost no bytes, only lanes. (2) Eight times as many: in channels-last memory the neighbours of an entry belong to *other channels*. Each sector
# is fetched for 4 of its 32 bytes. The work is the same, the answer is the same, the time is eight times as long.
#
# The cure is not another layout but another kernel: where channels lie side by side, one program takes a row of 32 or 64 channels at once, and every byte of a sector is used. `bnlib.kernels` does that.
# </details>
#
# ## 4. Count, and see the race
#
# `bnlib.blocks` runs programs in plain Python, with the words of Triton, and keeps a log of every load and store. To keep indices out of the way, here x has one row of m values for each channel. First way 2, the mean and then the
# variance:

# %%
def two_reads(x, mean, var, m, BLOCK):
    c, lane = bl.program_id(0), bl.arange(0, BLOCK)
    total, squares = 0.0, 0.0
    for start in range(0, m, BLOCK):
        i = start + lane
        total += bl.sum(bl.load(x + c * m + i, mask=i < m, other=0.0))
    for start in range(0, m, BLOCK):
        i = start + lane
        d = bl.load(x + c * m + i, mask=i < m, other=0.0) - total / m
        squares += bl.sum(bl.where(i < m, d * d, 0.0))
    bl.store(mean + c, total / m)
    bl.store(var + c, squares / m)

# %%
rng = np.random.default_rng(0)
rows = rng.normal(1e4, 1.0, size=(4, 100)).astype(np.float32)  # four channels, mean 10 000, variance 1
mean, var = np.empty((2, 4))
print(bl.launch(two_reads, (4,), rows, mean, var, 100, BLOCK=16))
print("largest error of the variance:", np.abs(var - rows.astype(float).var(axis=1)).max())

# %% [markdown]
# 800 loads for 400 entries: two reads. (Sectors are counted per load; a row of 100 floats begins in the middle of one.)
#
# And `bl.where` in the second loop is no decoration. **Predict** what happens without it: a masked lane holds `other=0.0`. What is its d?
#
# <details><summary>Answer</summary>
#
# $d = 0 - \mu = -10^4$, and $d^2 = 10^8$ is added for each idle lane: 12 of them make the variance 12 million instead of 1. At mean 0 one would not even notice.
# </details>
#
# **Four programs** keep four of 132 multiprocessors busy. So let several share a channel: each adds up its own part, and adds that to the channel's total. **Predict:** what is the total, if all run at the same moment?

# %%
def shared_total(x, total, m, BLOCK):
    c = bl.program_id(0)
    i = bl.program_id(1) * BLOCK + bl.arange(0, BLOCK)
    part = bl.sum(bl.load(x + c * m + i, mask=i < m, other=0.0))
    bl.store(total + c, bl.load(total + c) + part)  # read, add, write back

ones = np.ones((2, 64), np.float32)
for schedule in ("in order", "together"):
    total = np.zeros(2, np.float32)
    report = bl.launch(shared_total, (2, 4), ones, total, 64, BLOCK=16, schedule=schedule)
    print(f"{schedule:9} totals {total}, races: {len(report.races)}; {report.races[0]}")

# %% [markdown]
# One after the other: 64, as it should be (the report names the race all the same). All at once: 16. Every program read 0, added its 16, and wrote 16. On a GPU you get something in between, another number every time, and on Mondays the right one. That is a **race**.
#
# Two ways out: *atomic* additions, which nobody can come between (right, but in any order, so the last bits change from run to run); or **two stages**: every program writes its part into a place of its own, and a second, tiny kernel merges
# the parts in a fixed order. Same bits every time. That is what we do, and it poses the question of this lecture's title: *which* parts can be merged to a variance?

# %% [markdown]
# ## 5. Mean and variance from one read
#
# The well-known way from one read is $\operatorname{E}[x^2] - \operatorname{E}[x]^2$. You know its fate from unit 2: at mean $10^4$ float32 has no digit of it left.
#
# Instead, let each part keep $(n, \mu, M)$ with $M = \sum (x - \mu)^2$ taken around **its own** mean. Merge two parts a and b: the common mean first,
#
# $$ n = n_a + n_b, \qquad \delta = \mu_b - \mu_a, \qquad
#    \mu = \frac{n_a\mu_a + n_b\mu_b}{n} = \mu_a + \delta\,\frac{n_b}{n} . $$
#
# Then the squares. Move the centre of part a from $\mu_a$ to $\mu$; the mixed term vanishes, since $\sum (x - \mu_a) = 0$:
#
# $$ \sum_a (x - \mu)^2 = \sum_a \big((x - \mu_a) + (\mu_a - \mu)\big)^2 = M_a + n_a(\mu_a - \mu)^2, \qquad \mu_a - \mu = -\delta\,\frac{n_b}{n} , $$
#
# and the same for b with $\mu_b - \mu = \delta\,n_a/n$. Add them:
#
# $$ M = M_a + M_b + \delta^2\,\frac{n_a n_b^2 + n_b n_a^2}{n^2} \quad\Longrightarrow\quad
#    \boxed{\;M = M_a + M_b + \delta^2\,\frac{n_a n_b}{n}\;} $$
#
# (Chan, Golub & LeVeque 1982.) Nothing large is subtracted from anything large. With $n_b = 1$ it is Welford's method of 1962, one value at a time. It is also what `merge_stats` of unit 11 does between GPUs; here it works between blocks.
#
# The first time a block is there, it is centred *in registers*, which costs nothing: two passes over a block, one read from memory.

# %%
def one_read(x, parts, m, each, BLOCK):
    c, share, lane = bl.program_id(0), bl.program_id(1), bl.arange(0, BLOCK)
    n, mean, M = 0, 0.0, 0.0
    for start in range(share * each, min((share + 1) * each, m), BLOCK):
        i = start + lane
        inside = (i < m) & (i < (share + 1) * each)
        values = bl.load(x + c * m + i, mask=inside, other=0.0)
        nb = bl.sum(inside)
        mb = bl.sum(values) / nb  # other=0.0 adds nothing to a sum
        d = bl.where(inside, values - mb, 0.0)  # but would to this one
        delta, both = mb - mean, n + nb
        n, mean, M = both, mean + delta * nb / both, M + bl.sum(d * d) + delta**2 * n * nb / both
    at = parts + (c * bl.num_programs(1) + share) * 3
    bl.store(at, n), bl.store(at + 1, mean), bl.store(at + 2, M)

# %%
parts = np.zeros((4, 3, 3))  # 4 channels, 3 shares, (n, mean, M)
print(bl.launch(one_read, (4, 3), rows, parts, 100, 40, BLOCK=16, schedule="together"))

n, mu, M = parts[:, :, 0], parts[:, :, 1], parts[:, :, 2]  # the second stage: all shares at once
mean = (n * mu).sum(axis=1) / 100
var = (M + n * (mu - mean[:, np.newaxis]) ** 2).sum(axis=1) / 100
print("largest error of the variance:", np.abs(var - rows.astype(float).var(axis=1)).max())
squares = (rows**2).mean(axis=1) - rows.mean(axis=1) ** 2
print("E[x²] − E[x]² in float32 gives", squares)

# %% [markdown]
# 400 loads: **one** read, twelve programs in place of four, no race. Reading x once more to normalise makes two in all. Four digits of the variance are right, where E[x²] − E[x]² has none.
#
# Four, not seven: near $10^4$ neighbouring float32 numbers are $10^{-3}$ apart, so each block's mean is rounded to that, and δ with it. One more trick gets the rest back. Do all of it to $x - x_0$, with $x_0$ the channel's first value: that difference is
# *exact* here, and its mean is small. Nothing else changes; the variance does not see a shift.

# %%
parts = np.zeros((4, 3, 3))
bl.launch(one_read, (4, 3), rows - rows[:, :1], parts, 100, 40, BLOCK=16)
n, mu, M = parts[:, :, 0], parts[:, :, 1], parts[:, :, 2]
mean = (n * mu).sum(axis=1) / 100
var = (M + n * (mu - mean[:, np.newaxis]) ** 2).sum(axis=1) / 100
print("largest error of the variance:", np.abs(var - rows.astype(float).var(axis=1)).max())

# %% [markdown]
# (Here NumPy subtracted; a kernel does it in registers, for one load of $x_0$ a channel. `bnlib.kernels` does. And it gets the seven digits of float32: that you see more is the simulator's doing, which divides in float64.)
#
# ## 6. The same in Triton
#
# Triton takes the same words and makes machine code of them. Compare line by line; `bl` has become `tl`, pointers and numbers have types.

# %%
jit = triton.jit if triton else lambda function: function  # so that the notebook can be read everywhere

# %%
@jit
def one_read_kernel(x_ptr, parts_ptr, m, each, BLOCK: tl.constexpr):
    c, share, lane = tl.program_id(0), tl.program_id(1), tl.arange(0, BLOCK)
    n, mean, M = 0.0, 0.0, 0.0
    for start in range(share * each, tl.minimum((share + 1) * each, m), BLOCK):
        i = start + lane
        inside = (i < m) & (i < (share + 1) * each)
        values = tl.load(x_ptr + c * m + i, mask=inside, other=0.0).to(tl.float32)
        nb = tl.sum(inside.to(tl.float32))
        mb = tl.sum(values) / nb
        d = tl.where(inside, values - mb, 0.0)
        delta, both = mb - mean, n + nb
        n, mean, M = both, mean + delta * nb / both, M + tl.sum(d * d) + delta * delta * n * nb / both
    at = parts_ptr + (c * tl.num_programs(1) + share) * 3
    tl.store(at, n), tl.store(at + 1, mean), tl.store(at + 2, M)

# %% [markdown]
# `kernel[grid]` is a function: call it with tensors in the place of pointers, and the grid runs. Without a GPU, Triton's *interpreter* runs the programs one after the other on the CPU: the same numbers, no speed.

# %%
device = "cuda" if torch.cuda.is_available() else "cpu"
if triton:
    x = torch.from_numpy(rows).to(device)
    parts = torch.full((4, 3, 3), torch.nan, device=device)
    one_read_kernel[(4, 3)](x, parts, 100, 40, BLOCK=16)
    for c in range(2):
        shares = [(p[1:2].cpu().numpy(), (p[2:] / p[0]).cpu().numpy(), int(p[0])) for p in parts[c]]
        mean, var, count = merge_stats(merge_stats(shares[0], shares[1]), shares[2])
        wide = x[c].double()
        print(f"channel {c}: {count} values, variance {var[0]:.6f}, torch in float64 {wide.var(correction=0):.6f}")

# %% [markdown]
# And the grown-up version: `bnlib.kernels`, both layouts, three dtypes, forward and backward, with ReLU and residual in the same kernel. `FusedBatchNorm2d` is the layer around it; `backend="triton"` demands the kernels even here, where they are
# interpreted. Held against `nn.BatchNorm2d` followed by a sum and a ReLU:

# %%
from bnlib.torch import FusedBatchNorm2d

if triton:
    torch.manual_seed(0)
    ours = FusedBatchNorm2d(6, relu=True, backend="triton").to(device)
    theirs = torch.nn.BatchNorm2d(6).to(device)
    x, skip = (torch.randn(4, 6, 5, 5, device=device) for _ in range(2))
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    y, z = ours(a, skip), F.relu(theirs(b) + skip)
    dy = torch.randn_like(y)
    y.backward(dy), z.backward(dy)
    for name, mine, other in (("y", y, z), ("dx", a.grad, b.grad), ("dgamma", ours.weight.grad, theirs.weight.grad),
                              ("running var", ours.running_var, theirs.running_var)):
        print(f"{name:12} largest difference {float((mine - other).detach().abs().max()):.1e}")

# %% [markdown]
# **The backward pass** is the same story with two tensors. $d\beta = \sum dy$ and $d\gamma = \sum dy\,\hat x$ need dy and x; only when both sums are known can $dx$ be written, from dy and x again: four reads, one write. With the channel
# on the chip: two reads, one write. And the ReLU? Its mask is $\gamma\hat x + \beta > 0$, which the kernel can work out again from x. Arithmetic is free: *recomputing* is cheaper than *reading*.
#
# **Predict.** How much of forward + backward does the chip save for a 7 × 7 layer of 32 images?

# %%
for images, channels, side in ((256, 64, 112), (256, 256, 56), (32, 512, 14), (32, 512, 7)):
    view = View.of((images, channels, side, side), channels_last=False)
    crossings = [traffic(plan_reduction(view, 4, d), d) for d in ("forward", "backward")]
    size = images * channels * side * side * 4
    moved = sum(map(sum, crossings)) * size
    times = ", ".join(f"{name} {CARDS[name].memory_ms(moved):.3f} ms" for name in ("H100", "H200"))
    print(f"{images:3} x {channels:3} x {side:3}²: {size / 1e6:6.1f} MB, (reads, writes) {crossings} → predicted: {times}")

# %% [markdown]
# Eight crossings in the large layers, five in the small ones. (For small tensors the truth is kinder and harsher at once: a tensor of less than 50 MB may still lie in the L2 cache at its second read, and launching a kernel takes longer than the
# whole bar.)
#
# ## 7. What was measured
#
# A prediction from a data sheet is not a measurement. `python -m benchmarks.gpu` (or `make bench-gpu`) times our kernels, torch's own, cuDNN's and `torch.compile` on all layers of ResNet-50, each checked against float64 first, with cold caches, and
# measures in the same run how fast the card copies. What it wrote, the next cell shows.

# %%
measured = load_measured()
if measured is None:
    print("not measured: no GPU. Nobody has run `python -m benchmarks.gpu` on this copy of the course yet.")
else:
    print({**measured.machine, "copy": f"{measured.bandwidth:.0f} GB/s"})
    for row in measured.rows[:5]:
        print(row.name, row.shape, row.dtype, {name: f"{ms:.3f} ms" for name, ms in row.ms.items()})
Picture.of(draw_measured(measured), alt="Time over bytes for every contender") if measured else None

# %% [markdown]
# With a GPU at hand, the next cell measures two layers itself.

# %%
if device == "cuda" and triton:
    from bnlib.gpu import time_op

    for shape in ((256, 64, 112, 112), (32, 512, 7, 7)):
        x, fused = torch.randn(shape, device=device), FusedBatchNorm2d(shape[1]).to(device)
        plain = torch.nn.BatchNorm2d(shape[1]).to(device)
        for name, layer in (("ours", fused), ("torch", plain)):
            ms = np.median(time_op(lambda f=layer, x=x: f(x), torch.device(device), warmup=5, repeats=20))
            print(f"{name:6} {shape}: {ms:.3f} ms forward")
else:
    print("not run: no GPU")

# %% [markdown]
# ## 8. Where it breaks
#
# **Offsets.** Entry (n, c, h, w) lies at $((n C + c) H + h) W + w$. Kernels count in 32 bits unless told otherwise. **Predict:** the first image of a batch of shape (C, H, W) = (64, 256, 256) whose offset goes wrong?

# %%
first = 2**31 // (64 * 256 * 256)
with np.errstate(over="ignore"):
    offset = np.int32(first) * np.int32(64 * 256 * 256)
print(f"image {first}: offset {first * 64 * 256 * 256:,}, in 32 bits {offset:,}")
try:
    bl.launch(lambda x: bl.load(x + bl.arange(0, 4) - 4), (1,), np.zeros(8))
except bl.OutOfBoundsError as error:
    print("the simulator says:", error)

# %% [markdown]
# A GPU says nothing. It reads what happens to lie there, or ends your process. In `bnlib.kernels` rows are counted in 64 bits where a batch needs it, and a test reaches beyond $2^{31}$. (Why not always? In a kernel that keeps its block on the chip, wide addresses take registers from the block.)
#
# **What no single tool sees.** All rows but the last are true stories from writing the kernels of this course:
#
# | | finds | does not find |
# |---|---|---|
# | Triton's interpreter | wrong numbers; missing masks, if you put nan beyond the ends | races (programs run in order); code that does not compile; bfloat16 rounding (it cuts off in place of rounding) |
# | the compiler | code that is no Triton: an argument that is 1 becomes a *constant*, and a constant has no `.to()`; registers that spill | wrong numbers |
# | the block simulator | races, strays, traffic | what only a real chip does |
# | a GPU | time | *why* |
#
# A compiler needs no GPU, by the way: `python -m benchmarks.gpu.compiled` compiles all kernels for an H100 here and now, and says how many registers they take and how wide their loads are.

# %% [markdown]
# ## 9. What people get wrong
#
# - **"Batch norm is slow because of the variance and the root."** Arithmetic is a few percent of it. It is slow because it touches memory, and every layer that is a kernel of its own touches it again.
# - **"One pass is E[x²] − E[x]²."** One *read* can be had without it: centre in registers, merge by Chan.
# - **`other=0` and then centring.** The masked lanes are −mean now. Mask again, after every step that makes something of 0.
# - **"It works: I ran it."** A race that gave the right number is a race.
# - **Sums in half precision.** 65504 is the end of float16; 2048 + 1 is 2048. Load half, sum in float32, store half.
# - **"Channels last is slow."** A kernel that ignores where the channels lie is slow.
# - **A GPU timed without warm-up, synchronising or a cold cache** (unit 11): the second read came from the cache, and the bandwidth is larger than the card's.
#
# ## 10. One card
#
# | | |
# |---|---|
# | balance | batch norm 1 operation a byte, a card 10 to 25: **memory decides** |
# | crossings, forward | formula by formula 6 · mean, variance, apply 4 · one read + apply 3 · on the chip 2 |
# | crossings, backward | two sums, then dx: 5 · on the chip 3 |
# | ReLU, residual | + 2 and + 3 as kernels of their own; + 0 and + 1 in the same kernel |
# | merge | $M = M_a + M_b + \delta^2 n_a n_b / n$, parts written to places of their own, merged in a fixed order |
# | program, block, mask | what one program does; lanes, a power of two; what sticks out |
# | sector | 32 bytes at a time: neighbours in memory should be neighbours in a block |
#
# ## Try next
#
# - The assignment: write these kernels, and be told what is wrong with them.
# - Let `one_read` add to `total` by `bl.atomic_add` instead of writing parts. Is the mean right? Is the variance?
# - Read `bnlib/kernels/tiles.py` and `reduction.py`: 200 lines, the same ideas. Which lines let it handle channels last?
# - With a GPU: `make bench-gpu`, and hold the bars of section 2 against it.
#
# ## Sources
#
# - T. F. Chan, G. H. Golub, R. J. LeVeque, *Updating formulae and a pairwise algorithm for computing sample variances*, COMPSTAT 1982.
# - B. P. Welford, *Note on a method for calculating corrected sums of squares and products*, Technometrics 4, 1962.
# - S. Williams, A. Waterman, D. Patterson, *Roofline: an insightful visual performance model for multicore architectures*, Communications of the ACM 52, 2009.
# - P. Tillet, H. T. Kung, D. Cox, *Triton: an intermediate language and compiler for tiled neural network computations*, MAPL 2019; [triton-lang.org](https://triton-lang.org), "Debugging Triton" for the interpreter.
# - NVIDIA, data sheets of T4, A100 80GB SXM, H100 SXM and H200 SXM: bandwidth and float32 operations of section 1; *H100 Tensor Core GPU Architecture*: registers and L2 cache; *CUDA C++ Best Practices Guide*: sectors of 32 bytes.
# - S. Ioffe, C. Szegedy, *Batch Normalization*, ICML 2015, [arXiv:1502.03167](https://arxiv.org/abs/1502.03167): Algorithm 1.
