# %% [markdown]
# # Write it: batch norm as kernels
#
# | | |
# |---|---|
# | **You'll do** | write batch norm the way a GPU runs it: three programs on a simulator that counts every load and sees races, then three Triton kernels, forward and backward, and the functions that launch them |
# | **You'll learn** | to think in programs, blocks and masks; why memory is read twice or three times; what a race is, and why a test may not show it; to write Triton |
# | **You need** | the [lecture](../../course/u12_kernel/lecture.ipynb); units [2](../../course/u02_forward/lecture.ipynb) and [5](../../course/u05_backward_closed/lecture.ipynb) for the formulas. **No GPU**: Triton's interpreter runs your kernels on the CPU |
# | **Time** | about 90 minutes, 8 exercises, 25 points |
#
# Run the cells from top to bottom. Write your code where it says `# YOUR CODE HERE`, and delete `raise NotImplementedError()`.

# %% given="imports"
import os

os.environ["TRITON_INTERPRET"] = "1"  # before Triton is imported: run kernels on the CPU, no GPU needed

import numpy as np
import torch

from autograder import check, hint, progress
from bnlib import blocks as bl

try:
    import triton
    import triton.language as tl

    from bnlib.kernels.guarded import guard_memory

    guard_memory()  # a stray address is an error now; it would end this notebook's kernel
except ImportError:
    print("Triton is not installed here: it comes for Linux only. Exercises 1 to 3 work all the same.")
    print("For the others: pip install triton on Linux, in WSL on Windows, or open the course on Binder or Colab.")

# %% [markdown]
# ## What holds in all exercises
#
# - x has shape $(N, C, L)$: N images (or rows), C channels, L places ($L = H \cdot W$; $L = 1$ for rows). In memory it is **flat**: entry $(n, c, l)$ lies at
#   $(n \cdot C + c) \cdot L + l$. A channel has $m = N \cdot L$ values.
# - A program, or kernel, returns nothing: it stores. It runs once for each number of a **grid**, all at the same time, in any order.
# - `BLOCK`, the number of lanes, is a power of two. It need not divide anything.
# - What you write has to touch no memory beyond the ends of an array, and to write every entry of its results: they hold nan before.
# - No argument changes but the results. `bnlib` earns nothing inside your functions, `torch`'s own batch norm neither.

# %% [markdown]
# ## Part one: a machine that counts
#
# `bl` is a small machine in plain Python (`bnlib.blocks`), with the words of Triton:
#
# | word | what it does |
# |---|---|
# | `bl.program_id(0)` | the number of the running program |
# | `bl.arange(0, BLOCK)` | the block 0, 1, …, BLOCK − 1 |
# | `bl.load(x + at, mask=..., other=0.0)` | the entries of x at the places `at`; lanes without mask touch no memory and get `other` |
# | `bl.store(y + at, values, mask=...)` | the way back |
# | `bl.atomic_add(y + at, values, mask=...)` | load, add and store in one step, that nobody can come between |
# | `bl.sum(block)`, `bl.where(condition, a, b)`, `bl.zeros((BLOCK,))`, `bl.sqrt(block)` | on the values of a block; `+ - * /` work, too |
#
# An array that is handed to `bl.launch` becomes a *pointer*: `x + at` is a block of addresses, and no addition of numbers. Here is a whole program. How many entries will it load?

# %% given="example"
def double(x, y, n, BLOCK):
    """Store twice x in y, for the four entries of one program."""
    at = bl.program_id(0) * 4 + bl.arange(0, 4)
    bl.store(y + at, 2 * bl.load(x + at))

x, y = np.arange(8.0), np.full(8, np.nan)
report = bl.launch(double, (2,), x, y, 8, BLOCK=4)  # a grid of two programs
print(y)
print(report)

# %% [markdown]
# ## Exercise 1 · `shift_block`
#
# *effort ●○○ · about 6 minutes · 2 points · `hint("u12.shift_block")` if you are stuck*
#
# Store $y_i = x_i + \texttt{shift}$ for $i = 0, \dots, n - 1$. Program $p$ has the entries $p \cdot \texttt{BLOCK}, \dots, p \cdot \texttt{BLOCK} + \texttt{BLOCK} - 1$, as far as there are any: n need not be a
# multiple of BLOCK. Load each entry of x once. There may be more programs than blocks.

# %% exercise="shift_block"
def shift_block(x, y, shift, n, BLOCK):
    """Store x + shift in y, for the entries of one program."""
    ### BEGIN SOLUTION
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    values = bl.load(x + at, mask=at < n, other=0.0)
    bl.store(y + at, values + shift, mask=at < n)
    ### END SOLUTION

# %% test="shift_block"
x, y = np.arange(6, dtype=np.float32), np.full(6, np.nan, np.float32)
report = bl.launch(shift_block, (2,), x, y, 10.0, 6, BLOCK=4)  # two programs of four lanes: two lanes are idle
print(report)
assert np.array_equal(y, [10, 11, 12, 13, 14, 15]), f"every entry grows by 10; got {y}"
assert report["x"].loads == 6, f"each entry is loaded once: 6 loads; got {report['x'].loads}"
check("u12.shift_block", shift_block)

# %% [markdown]
# ## Exercise 2 · `stats_block`
#
# *effort ●●○ · about 14 minutes · 4 points · `hint("u12.stats_block")` if you are stuck*
#
# Mean and **biased** variance of every channel; the grid has C programs, and program c stores `mean[c]` and `var[c]`.
#
# $$ \mu_c = \frac1m \sum_{i=0}^{m-1} x_i, \qquad \sigma_c^2 = \frac1m \sum_{i=0}^{m-1} (x_i - \mu_c)^2, \qquad m = N \cdot L $$
#
# A channel is longer than a block: loop over it in steps of BLOCK. Its value number $i$ belongs to image `i // L` and place `i % L`, so it lies at
#
# $$ (i \,/\!/\, L) \cdot C \cdot L \;+\; c \cdot L \;+\; i \bmod L $$
#
# **At most two loads of each entry**: one pass for the mean, one for the variance. (E[x²] − E[x]² would do with one, and has no digits left at a mean of 10 000, which is graded.)
#
# <details><summary>Nudge</summary>
#
# In the second pass a masked lane holds `other`, and `other − mean` is not 0.
# </details>

# %% exercise="stats_block"
def stats_block(x, mean, var, N, C, L, BLOCK):
    """Store mean and biased variance of one channel."""
    ### BEGIN SOLUTION
    c, m = bl.program_id(0), N * L
    total = 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += bl.sum(bl.load(x + at, mask=i < m, other=0.0))
    mu = total / m

    squares = 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        centered = bl.where(i < m, bl.load(x + at, mask=i < m, other=0.0) - mu, 0.0)
        squares += bl.sum(centered * centered)
    bl.store(mean + c, mu)
    bl.store(var + c, squares / m)
    ### END SOLUTION

# %% [markdown]
# The example of this test and of several others: two images of two channels with two places. Channel 0 holds 1, 1, 3, 3, and channel 1 holds 10, 20, 30, 40.

# %% given="batch"
def small_batch():
    """Return x of shape (2, 2, 2)."""
    return np.array([[[1, 1], [10, 20]], [[3, 3], [30, 40]]], dtype=np.float32)

# %% test="stats_block"
x, mean, var = small_batch(), np.full(2, np.nan, np.float32), np.full(2, np.nan, np.float32)
report = bl.launch(stats_block, (2,), x, mean, var, 2, 2, 2, BLOCK=8)  # four values a channel, eight lanes
print(report)
assert np.allclose(mean, [2, 25]), f"the means are 2 and 25; got {mean}"
assert np.allclose(var, [1, 125]), f"the distances are ±1, and ±15 and ±5: variances 1 and 125; got {var}"
assert report["x"].loads <= 16, f"two loads of each of 8 entries; got {report['x'].loads}"
check("u12.stats_block", stats_block)

# %% [markdown]
# Then the apply pass reads x once more, and writes y: three reads and one write in all. Two reads are possible. The lecture shows how, and what it buys on a GPU.
#
# ## Exercise 3 · `total_block`: repair it
#
# *effort ●○○ · about 5 minutes · 2 points · `hint("u12.total_block")` if you are stuck*
#
# C programs leave most of a GPU idle if C is small. So let several programs share one sum: each adds the sum of its own block to `total[0]`, which may hold something already.
#
# Somebody has written it. **Change nothing yet**: run it, and predict what the cell below prints for each of the two schedules. `"together"` lets all programs run at the same moment, as a GPU may.

# %% exercise="total_block"
def total_block(x, total, n, BLOCK):
    """Add the sum of one block of x to total[0]."""
    mine = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    part = bl.sum(bl.load(x + mine, mask=mine < n, other=0.0))
    ### BEGIN SOLUTION
    bl.atomic_add(total, part)
    ### HAND OUT
    # bl.store(total, bl.load(total) + part)
    ### END SOLUTION

# %%
for schedule in ("in order", "together"):
    total = np.zeros(1, np.float32)
    report = bl.launch(total_block, (3,), np.arange(10, dtype=np.float32), total, 10, BLOCK=4, schedule=schedule)
    print(f"{schedule:9} total {total[0]:4}   races: {', '.join(map(str, report.races)) or 'none'}")

# %% [markdown]
# 0 + 1 + … + 9 is 45. One after the other gives 45 by luck. The test that compares numbers passes, on a simulator, on an interpreter, and mostly on a GPU; the report of the races does not.
# Now repair it.

# %% test="total_block"
total = np.zeros(1, np.float32)
report = bl.launch(total_block, (3,), np.arange(10, dtype=np.float32), total, 10, BLOCK=4, schedule="together")
assert total[0] == 45, f"all at once, too, the sum is 45; got {total[0]}"
assert not report.races, f"no two programs may race for an entry; got {report.races[0]}"
check("u12.total_block", total_block)

# %% [markdown]
# ## Part two: Triton
#
# The words stay, `bl` becomes `tl`. What is new:
#
# - `@triton.jit` above the `def`. The arguments of pointers are called `..._ptr` by custom, and `BLOCK: tl.constexpr` is known when the kernel is compiled.
# - A launch is a call of `kernel[grid]`, with tensors for pointers; `BLOCK=...` comes last.
# - `tl.zeros((BLOCK,), tl.float32)` names its dtype. Blocks have one: `.to(tl.float32)` changes it. **Take all sums in float32**, whatever x is; a store casts to the dtype of the array.
# - Values live in a kernel as blocks. Sum block on block in a loop, and call `tl.sum(block)` once, after it.
# - What works on blocks is called `tl.`: `tl.sqrt`, `tl.where`. `np.sqrt(block)` ends in an error that does not say so. `tl.sqrt` wants float32, and no float16.
# - There is no `print` of a block on a GPU; here, in the interpreter, there is: `print(x)` works.
#
# The interpreter runs one program after the other, so **it sees no race**; the simulator did. By itself it also reads and writes wherever a kernel points to; `guard_memory`, in the first cell, makes an error
# of an address outside of all arrays, and fills lanes that are undefined with nan.

# %% given="triton_example"
if "triton" in globals():

    @triton.jit
    def double_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
        mine = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + mine, mask=mine < n, other=0.0)
        tl.store(y_ptr + mine, 2 * x, mask=mine < n)

    x, y = torch.arange(6.0), torch.full((6,), torch.nan)
    double_kernel[(triton.cdiv(6, 4),)](x, y, 6, BLOCK=4)
    print(y)

# %% [markdown]
# ## Exercise 4 · `bn_stats_kernel`
#
# *effort ●●○ · about 10 minutes · 4 points · `hint("u12.bn_stats_kernel")` if you are stuck*
#
# `stats_block`, as a kernel: a grid of C programs; program c stores mean and biased variance of channel c, both float32. x may be float16: the sums are float32 all the same.

# %% exercise="bn_stats_kernel"
@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    """Store mean and biased variance of one channel."""
    ### BEGIN SOLUTION
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
    mean = tl.sum(total) / m

    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        centered = tl.where(i < m, x - mean, 0.0)
        squares += centered * centered
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)
    ### END SOLUTION

# %% test="bn_stats_kernel"
x, mean, var = torch.from_numpy(small_batch()), torch.full((2,), torch.nan), torch.full((2,), torch.nan)
bn_stats_kernel[(2,)](x, mean, var, 2, 2, 2, BLOCK=8)
assert np.allclose(mean, [2, 25]), f"the means are 2 and 25; got {mean}"
assert np.allclose(var, [1, 125]), f"the variances are 1 and 125; got {var}"
check("u12.bn_stats_kernel", bn_stats_kernel)

# %% [markdown]
# ## Exercise 5 · `bn_apply_kernel`
#
# *effort ●●○ · about 8 minutes · 3 points · `hint("u12.bn_apply_kernel")` if you are stuck*
#
# $$ y = \gamma_c\,\frac{x - \mu_c}{\sqrt{\sigma_c^2 + \varepsilon}} + \beta_c $$
#
# An entry needs nothing but four numbers of its channel. So forget channels in the grid: x is a flat row of `size` $= N \cdot C \cdot L$ entries, and a program takes BLOCK of them, as in `shift_block`. A block may
# hold several channels: *which* is the channel of entry `at`? Loads take blocks of any addresses.
#
# mean, var, gamma and beta are float32 of shape (C,); y has the dtype of x. There may be more programs than blocks.

# %% exercise="bn_apply_kernel"
@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    """Normalise, scale and shift one block of entries."""
    ### BEGIN SOLUTION
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=1.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    y = gamma * (x - mean) / tl.sqrt(var + eps) + beta
    tl.store(y_ptr + at, y, mask=inside)
    ### END SOLUTION

# %% test="bn_apply_kernel"
x, y = torch.from_numpy(small_batch()), torch.full((2, 2, 2), torch.nan)
mean, var = torch.tensor([2.0, 25.0]), torch.tensor([1.0, 125.0])
gamma, beta = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 5.0])
bn_apply_kernel[(2,)](x, mean, var, gamma, beta, y, 2, 2, 8, 0.0, BLOCK=4)
assert np.allclose(y[:, 0], [[-1, -1], [1, 1]]), f"channel 0 becomes −1, −1, 1, 1; got {y[:, 0]}"
assert np.allclose(y[0, 1], [2.3167, 4.1056], atol=1e-3), f"10 becomes 2·(10 − 25)/√125 + 5 = 2.317; got {y[0, 1]}"
check("u12.bn_apply_kernel", bn_apply_kernel)

# %% [markdown]
# ## Exercise 6 · `triton_bn_forward`
#
# *effort ●●○ · about 9 minutes · 3 points · `hint("u12.triton_bn_forward")` if you are stuck*
#
# A function for people who want to know nothing of kernels: tensors in, tensors out, two launches in between. The work is the kernels', **yours**: finish exercises 4 and 5 first. `torch` makes tensors and
# reads shapes.
#
# - x has shape (N, C) or (N, C, …, …), float32 or float16, and **any strides**: after a `transpose` its entries do not lie in the order of its shape. A kernel sees the memory alone.
# - gamma and beta are float32 of shape (C,).
# - Return `(y, mean, var)`: y in the shape and dtype of x, mean and var float32 of shape (C,).
# - Choose BLOCK as you like; tensors can be larger than a block. `triton.cdiv(a, b)` is a/b, rounded up.

# %% exercise="triton_bn_forward"
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    """Normalise x by its own statistics: return y, mean and var."""
    ### BEGIN SOLUTION
    x = x.contiguous()
    N, C = x.shape[:2]
    size = x.numel()
    L = size // (N * C)
    y = torch.empty_like(x)
    mean = torch.empty(C, dtype=torch.float32, device=x.device)
    var = torch.empty_like(mean)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=1024)
    grid = (triton.cdiv(size, 1024),)
    bn_apply_kernel[grid](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=1024)
    return y, mean, var
    ### END SOLUTION

# %% test="triton_bn_forward"
gamma, beta = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 5.0])
y, mean, var = triton_bn_forward(torch.from_numpy(small_batch()), gamma, beta)
assert y.shape == (2, 2, 2), f"y has the shape of x, (2, 2, 2); got {tuple(y.shape)}"
assert np.allclose(mean, [2, 25]), f"the means are 2 and 25; got {mean}"
assert np.allclose(y[:, 0], [[-1, -1], [1, 1]], atol=1e-4), f"channel 0 becomes −1, −1, 1, 1; got {y[:, 0]}"
check("u12.triton_bn_forward", triton_bn_forward)

# %% [markdown]
# ## Exercise 7 · `bn_backward_kernel`
#
# *effort ●●● · about 14 minutes · 5 points · `hint("u12.bn_backward_kernel")` if you are stuck*
#
# A grid of C programs. Program c stores `dgamma[c]`, `dbeta[c]`, and dx of its whole channel. The formulas of unit 5, with sums and means over the m values of the channel:
#
# $$ \hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad
#    d\beta = \sum dy, \qquad d\gamma = \sum dy\,\hat x, \qquad
#    dx = \frac{\gamma}{\sqrt{\sigma^2 + \varepsilon}} \left( dy - \frac{d\beta}{m} - \hat x\,\frac{d\gamma}{m} \right) $$
#
# dx needs both sums, and so a second pass. dy, x and dx have one dtype, float32 or float16; all others are float32. mean and var are those of the forward pass: no need to take them again.
#
# <details><summary>Outline</summary>
#
# 1. load the channel's mean, var and gamma: `tl.load(mean_ptr + c)` is one number;
# 2. a loop like that of `bn_stats_kernel`, with two blocks of sums;
# 3. the loop again: x_hat anew, dx, a store with the mask;
# 4. store dgamma and dbeta.
# </details>

# %% exercise="bn_backward_kernel"
@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    """Store dx, dgamma and dbeta of one channel."""
    ### BEGIN SOLUTION
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)

    factor = tl.load(gamma_ptr + c) * inv_std
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32) - mean) * inv_std
        tl.store(dx_ptr + at, factor * (dy - dbeta / m - x_hat * dgamma / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)
    ### END SOLUTION

# %% [markdown]
# The example of the last two tests. Channel 0 holds x = 0, 0, 4, 4, so $\hat x$ = −1, −1, 1, 1, and dy = 4, 0, 0, 0: $d\beta = 4$, $d\gamma = -4$, and dx = ½ · (dy − 1 + $\hat x$) = 1, −1, 0, 0.
# Channel 1 has $\hat x$ = −1, 1, −1, 1 and dy = 0, 2, 0, 2, which is $1 + \hat x$: nothing but the two directions that die (unit 5). Its dx is 0.

# %% given="gradient_batch"
def gradient_batch():
    """Return dy, x, mean, var and gamma, with dy and x of shape (2, 2, 2)."""
    dy = torch.tensor([[[4.0, 0.0], [0.0, 2.0]], [[0.0, 0.0], [0.0, 2.0]]])
    x = torch.tensor([[[0.0, 0.0], [0.0, 2.0]], [[4.0, 4.0], [0.0, 2.0]]])
    return dy, x, torch.tensor([2.0, 1.0]), torch.tensor([4.0, 1.0]), torch.tensor([1.0, 2.0])

# %% test="bn_backward_kernel"
dx, dgamma, dbeta = torch.full((2, 2, 2), torch.nan), torch.full((2,), torch.nan), torch.full((2,), torch.nan)
bn_backward_kernel[(2,)](*gradient_batch(), dx, dgamma, dbeta, 2, 2, 2, 0.0, BLOCK=8)
assert np.allclose(dbeta, [4, 4]), f"the sums of dy are 4 and 4; got {dbeta}"
assert np.allclose(dgamma, [-4, 4]), f"the sums of dy · x_hat are −4 and 4; got {dgamma}"
assert np.allclose(dx[:, 0], [[1, -1], [0, 0]]), f"dx of channel 0 is 1, −1, 0, 0; got {dx[:, 0]}"
assert np.allclose(dx[:, 1], 0), f"dx of channel 1 is 0; got {dx[:, 1]}"
check("u12.bn_backward_kernel", bn_backward_kernel)

# %% [markdown]
# ## Exercise 8 · `triton_bn_backward`
#
# *effort ●○○ · about 6 minutes · 2 points · `hint("u12.triton_bn_backward")` if you are stuck*
#
# And its launcher, of your kernel: `(dx, dgamma, dbeta)` of dy, x, and what the forward pass knew. dy comes from whatever layer follows: **its strides, too, can be any.** dx has the shape and dtype of x; dgamma and
# dbeta are float32 of shape (C,).

# %% exercise="triton_bn_backward"
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    """Return the gradients dx, dgamma and dbeta of triton_bn_forward."""
    ### BEGIN SOLUTION
    dy, x = dy.contiguous(), x.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx = torch.empty_like(x)
    dgamma = torch.empty(C, dtype=torch.float32, device=x.device)
    dbeta = torch.empty_like(dgamma)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=1024)
    return dx, dgamma, dbeta
    ### END SOLUTION

# %% test="triton_bn_backward"
dx, dgamma, dbeta = triton_bn_backward(*gradient_batch(), 0.0)
assert np.allclose(dgamma, [-4, 4]), f"dgamma is −4 and 4; got {dgamma}"
assert np.allclose(dbeta, [4, 4]), f"dbeta is 4 and 4; got {dbeta}"
assert dx.shape == (2, 2, 2), f"dx has the shape of x, (2, 2, 2); got {tuple(dx.shape)}"
assert np.allclose(dx[:, 0], [[1, -1], [0, 0]]), f"dx of channel 0 is 1, −1, 0, 0; got {dx[:, 0]}"
check("u12.triton_bn_backward", triton_bn_backward)

# %% [markdown]
# ## What has not been shown
#
# Your kernels are right as far as an interpreter can tell. It says nothing about speed: that takes a GPU, and none was used here. It is plain Python, and lets things pass that the compiler refuses (a list,
# a sum that changes its dtype in the loop). And it cannot see what goes wrong only on a GPU: races, and offsets beyond $2^{31}$, where `tl.int32`, the dtype of `i` and of every product above, overflows. (A tensor of
# 64 × 256 × 512 × 512 has 4 · 10⁹ entries.)
#
# ## Where you are

# %%
progress()

# %% [markdown]
# ## Try next
#
# - On a machine with an NVIDIA GPU: take the line with `TRITON_INTERPRET` out of a copy of this notebook, put the tensors on `cuda`, and compare with `torch.nn.functional.batch_norm`.
# - `stats_block` reads each entry twice. Can you get the same numbers with one load of each? Merge blocks: count, mean and sum of squared distances of two blocks give those of both (unit 2, `streaming_mean_var`).
# - Let x + r, an addition before the batch norm, happen inside the apply kernel. How many reads and writes does that save?
# - Write the kernels for channels-last tensors. Which of the counted sectors (`print(report)`) change?
#
# ## Sources
#
# - P. Tillet, H. T. Kung, D. Cox, *Triton: An Intermediate Language and Compiler for Tiled Neural Network Computations*, MAPL 2019, [doi:10.1145/3315508.3329973](https://doi.org/10.1145/3315508.3329973); the language
#   as it is today: [triton-lang.org](https://triton-lang.org/main/python-api/triton.language.html).
# - S. Ioffe, C. Szegedy, *Batch Normalization*, ICML 2015, [arXiv:1502.03167](https://arxiv.org/abs/1502.03167): Algorithm 1, and the gradients below it.
# - T. F. Chan, G. H. Golub, R. J. LeVeque, *Algorithms for Computing the Sample Variance*, The American Statistician 37, 1983: why two passes.
