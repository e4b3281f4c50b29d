# %% [markdown]
# # The family
#
# Batch norm, layer norm, instance norm, group norm: one line of code and a set of axes. You will write all four, on images, sequences and videos, and then turn the
# question around: somebody hands you a norm without a name, and you find out which one it is.
#
# | | |
# |---|---|
# | **You will do** | the table of axes as a function, four norms on any number of axes, and a detective that names the norm in a black box |
# | **You will learn** | where the channels are and why it matters, how gamma finds its axis, what a group is, and that a norm is known by who influences whom |
# | **You need** | the [lecture](../../course/u06_family/lecture.ipynb); unit 2; in NumPy `axis=(0, 2)`, `keepdims=True`, `reshape` |
# | **It takes** | about an hour, 6 exercises, 20 points |
#
# Run the cells from top to bottom. Write your code where it says `# YOUR CODE HERE`, and delete `raise NotImplementedError()`.

# %% given="imports"
import numpy as np

from autograder import check, hint, progress

# %% [markdown]
# ## What holds in all exercises
#
# - **Axis 0 is the batch.** Where the channels are is said each time.
# - All variances are **biased** (divided by the number of values); ε stands under the root: $\hat x = (x - \mu)/\sqrt{\sigma^2 + \varepsilon}$.
# - Answers have the shape **and the dtype** of `x`: `float16`, `float32` or `float64`. Squares of `float16` numbers overflow at 65 504: compute in a wider type, and go back at the end. But never
#   make `float64` narrower.
# - `float32` data at mean 10 000 must come out right: subtract the mean first, then square.
# - **No argument may be changed.** Arrays come in any memory layout (views, Fortran order), and with any lengths: as many channels as columns, a single image.
# - Your functions may call one another, and helpers of your own. Ready-made norms (`bnlib`, `torch.nn.LayerNorm` and the like) earn nothing inside your functions; comparing with them in a cell of your own is
#   welcome.

# %% [markdown]
# ## Exercise 1 · `reduce_axes`
#
# *effort ●○○ · about 6 minutes · 2 points · `hint("u06.reduce_axes")` if you are stuck*
#
# Which axes does the mean run over? It is easier to say which ones are **kept**, so that each entry along them has a mean of its own:
#
# | `kind` | keeps | for images (N, C, H, W) it averages over |
# |---|---|---|
# | `"batch"` | the channel axis | (0, 2, 3) |
# | `"layer"` | axis 0 | (1, 2, 3) |
# | `"instance"` | axis 0 and the channel axis | (2, 3) |
#
# - `ndim`: number of axes, at least 2 (for instance norm at least 3). `channel_axis`: counted from the front, or from the back if it is negative; never the batch axis. Its default is 1.
# - Return a **tuple**, sorted, of axes counted from the front: none of them negative.
#
# <details><summary>Nudge</summary>
#
# Of four axes, which one is −1? Python's `%` knows.
# </details>


# %% exercise="reduce_axes"
def reduce_axes(kind, ndim, channel_axis=1):
    """Return the axes that a norm takes its mean and variance over."""
    ### BEGIN SOLUTION
    channel = channel_axis % ndim
    kept = {"batch": {channel}, "layer": {0}, "instance": {0, channel}}[kind]
    return tuple(axis for axis in range(ndim) if axis not in kept)
    ### END SOLUTION


# %% test="reduce_axes"
axes = reduce_axes("batch", 4)
assert axes == (0, 2, 3), f"images, batch norm: the tuple (0, 2, 3), not {axes!r}"
axes = reduce_axes("instance", 4, -1)
assert axes == (1, 2), f"channels last: rows and columns are axes 1 and 2, so (1, 2), not {axes!r}"
check("u06.reduce_axes", reduce_axes)

# %% [markdown]
# ## Exercise 2 · `batchnorm_nd`
#
# *effort ●●○ · about 12 minutes · 4 points · `hint("u06.batchnorm_nd")` if you are stuck*
#
# Batch norm for anything: features (N, C), sequences (N, C, L) or (N, T, C), images (N, C, H, W) or (N, H, W, C), videos. Each channel has one mean and one variance, taken over **all other axes**, and one γ and one β:
#
# $$y = \gamma_c\,\frac{x - \mu_c}{\sqrt{\sigma^2_c + \varepsilon}} + \beta_c .$$
#
# - `x`: at least two axes. `channel_axis`: where the channels are, as in exercise 1. `gamma`, `beta`: `(C,)` with C = `x.shape[channel_axis]`, in the dtype of `x`.
# - Return an array of the shape and dtype of `x`, its axes in their order.
#
# **A trap.** `gamma * x_hat` is no error if `x` happens to have C columns: NumPy lays a vector along the *last* axis. The check has such images.
#
# <details><summary>Nudge</summary>
#
# `keepdims=True` leaves axes of length 1 where it averaged, so that the mean meets `x` by itself. What shape would gamma need to do the same?
# </details>
# <details><summary>Outline</summary>
#
# 1. a wider copy of `x`, where it is float16;
# 2. axes from your `reduce_axes` (or by hand), mean and variance over them with `keepdims=True`;
# 3. normalise;
# 4. gamma and beta reshaped to ones everywhere but C at the channel axis; scale, shift, back to the dtype.
# </details>


# %% exercise="batchnorm_nd"
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    """Normalise each channel over all other axes, then scale and shift it."""
    ### BEGIN SOLUTION
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    axes = reduce_axes("batch", x.ndim, channel_axis)
    mean, var = wide.mean(axis=axes, keepdims=True), wide.var(axis=axes, keepdims=True)
    x_hat = (wide - mean) / np.sqrt(var + eps)
    shape = [1] * x.ndim
    shape[channel_axis] = -1
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(x.dtype)
    ### END SOLUTION


# %% [markdown]
# The test: two sequences, two channels, two steps. Channel 0 holds 1 3 and 3 5: mean 3, variance 2, and with ε = 2 the root is 2. Channel 1 holds 4 10 and 12 14: mean 10, variance 14, root 4. So $\hat x$ is
# −1 0 and 0 1; −1½ 0 and ½ 1. Then the same numbers with the channels at the end.

# %% test="batchnorm_nd"
x = np.array([[[1.0, 3.0], [4.0, 10.0]], [[3.0, 5.0], [12.0, 14.0]]])  # (N, C, L)
gamma, beta = np.array([10.0, 2.0]), np.array([1.0, -1.0])
expected = np.array([[[-9.0, 1.0], [-4.0, -1.0]], [[1.0, 11.0], [0.0, 1.0]]])
y = batchnorm_nd(x, gamma, beta, eps=2.0)
assert np.shape(y) == (2, 2, 2), "y has the shape of x"
assert np.allclose(y, expected), f"10 · x_hat + 1 for channel 0, 2 · x_hat − 1 for channel 1; got\n{y}"
y = batchnorm_nd(x.swapaxes(1, 2).copy(), gamma, beta, channel_axis=-1, eps=2.0)
assert np.allclose(y, expected.swapaxes(1, 2)), f"the same numbers, channels last; got\n{y}"
check("u06.batchnorm_nd", batchnorm_nd)

# %% [markdown]
# ## Exercise 3 · `layer_norm`
#
# *effort ●○○ · about 6 minutes · 2 points · `hint("u06.layer_norm")` if you are stuck*
#
# Every sample on its own: one mean and one variance of everything it holds, over **all axes but 0**. Afterwards each entry of a sample has a γ and a β of its own:
#
# $$y_n = \gamma \odot \frac{x_n - \mu_n}{\sqrt{\sigma_n^2 + \varepsilon}} + \beta .$$
#
# - `x`: at least two axes. `gamma`, `beta`: of shape `x.shape[1:]`, the same for all samples, in the dtype of `x`.
# - Return an array of the shape and dtype of `x`.
#
# <details><summary>Nudge</summary>
#
# What does `x - x.mean(axis=1)` do to a square matrix? What does it do with `keepdims=True`?
# </details>


# %% exercise="layer_norm"
def layer_norm(x, gamma, beta, eps=1e-5):
    """Normalise each sample over all that it holds, then scale and shift each entry."""
    ### BEGIN SOLUTION
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    axes = reduce_axes("layer", x.ndim)
    mean, var = wide.mean(axis=axes, keepdims=True), wide.var(axis=axes, keepdims=True)
    return (gamma * (wide - mean) / np.sqrt(var + eps) + beta).astype(x.dtype)
    ### END SOLUTION


# %% test="layer_norm"
x = np.array([[1.0, 3.0, 3.0, 5.0], [4.0, 10.0, 12.0, 14.0]])  # variances 2 and 14
gamma, beta = np.array([1.0, 2.0, 3.0, 10.0]), np.array([0.0, 5.0, 0.0, -1.0])
y = layer_norm(x, gamma, beta, eps=2.0)  # so the roots are 2 and 4
assert np.shape(y) == (2, 4), "y has the shape of x"
assert np.allclose(y, [[-1, 5, 0, 9], [-1.5, 5, 1.5, 9]]), (
    f"x_hat is −1 0 0 1 and −1½ 0 ½ 1, then each column times its gamma plus its beta; got\n{y}"
)
check("u06.layer_norm", layer_norm)

# %% [markdown]
# ## Exercise 4 · `instance_norm`
#
# *effort ●○○ · about 4 minutes · 2 points · `hint("u06.instance_norm")` if you are stuck*
#
# Every channel of every sample on its own: one mean and one variance over its positions. No γ, no β.
#
# - `x`: `(N, C, *spatial)` with at least one spatial axis (sequences, images, videos); channels on axis 1.
# - Return $\hat x$ in the shape and dtype of `x`.


# %% exercise="instance_norm"
def instance_norm(x, eps=1e-5):
    """Normalise each channel of each sample over its own positions."""
    ### BEGIN SOLUTION
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    axes = reduce_axes("instance", x.ndim)
    mean, var = wide.mean(axis=axes, keepdims=True), wide.var(axis=axes, keepdims=True)
    return ((wide - mean) / np.sqrt(var + eps)).astype(x.dtype)
    ### END SOLUTION


# %% test="instance_norm"
x = np.array([[[2.0, 10.0], [7.0, 7.0]], [[0.0, 8.0], [-4.0, 4.0]]])  # (N, C, L)
x_hat = instance_norm(x, eps=9.0)  # variance 16 or 0, so the roots are 5 or 3
assert np.shape(x_hat) == (2, 2, 2), "x_hat has the shape of x"
assert np.allclose(x_hat, [[[-0.8, 0.8], [0, 0]], [[-0.8, 0.8], [-0.8, 0.8]]]), (
    f"each pair lies ±4 around its own mean, over 5: ∓0.8 (and 7 7 becomes 0 0); got\n{x_hat}"
)
check("u06.instance_norm", instance_norm)

# %% [markdown]
# ## Exercise 5 · `group_norm`
#
# *effort ●●○ · about 12 minutes · 4 points · `hint("u06.group_norm")` if you are stuck*
#
# In between: a sample's C channels are cut into G groups of C/G **neighbouring** channels (channels 0 to C/G − 1 are the first group, and so on). All values of a group, at all positions, share one mean and one variance.
# Then each *channel* has its γ and its β.
#
# - `x`: `(N, C)` or `(N, C, *spatial)`. `num_groups`: G, which divides C. `gamma`, `beta`: `(C,)`, in the dtype of `x`.
# - Return an array of the shape and dtype of `x`.
#
# <details><summary>Nudge</summary>
#
# `np.arange(6).reshape(2, 3)` and `np.arange(6).reshape(3, 2).T`: which of the two keeps neighbours together?
# </details>
# <details><summary>Outline</summary>
#
# 1. reshape to (N, G, C/G, *spatial): the groups are an axis now;
# 2. mean and variance over all axes from 2 on, `keepdims=True`; normalise;
# 3. reshape back to `x.shape`; scale and shift along axis 1.
# </details>


# %% exercise="group_norm"
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    """Normalise groups of neighbouring channels of each sample, then scale and shift channels."""
    ### BEGIN SOLUTION
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    groups = wide.reshape(x.shape[0], num_groups, -1, *x.shape[2:])
    axes = tuple(range(2, groups.ndim))
    mean, var = groups.mean(axis=axes, keepdims=True), groups.var(axis=axes, keepdims=True)
    x_hat = ((groups - mean) / np.sqrt(var + eps)).reshape(x.shape)
    shape = [-1] + [1] * (x.ndim - 2)
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(x.dtype)
    ### END SOLUTION


# %% [markdown]
# The test: four channels of two positions, in two groups. 1 3 and 3 5 are the first group (mean 3, variance 2), 4 10 and 12 14 the second (mean 10, variance 14): the numbers of exercise 2, and the roots
# are 2 and 4 again. The second sample is the first one plus 100; it must come out the same.

# %% test="group_norm"
sample = np.array([[1.0, 3.0], [3.0, 5.0], [4.0, 10.0], [12.0, 14.0]])
gamma, beta = np.array([10.0, 2.0, 2.0, 4.0]), np.array([1.0, 0.0, -1.0, 0.0])
y = group_norm(np.stack([sample, sample + 100.0]), 2, gamma, beta, eps=2.0)
assert np.shape(y) == (2, 4, 2), "y has the shape of x"
assert np.allclose(y, [[-9, 1], [0, 2], [-4, -1], [2, 4]]), (
    f"x_hat is −1 0, 0 1, −1½ 0, ½ 1, then gamma and beta of each channel; got\n{y}"
)
check("u06.group_norm", group_norm)

# %% [markdown]
# ### Two ends of one line
#
# Not graded. With one group it should be your `layer_norm`, with C groups your `instance_norm`. And batch norm of a single image?

# %%
images = np.random.default_rng(0).normal(2.0, 3.0, size=(3, 6, 4, 5))
one, zero = np.ones(6), np.zeros(6)
whole = np.ones(images.shape[1:])
print("one group:  ", np.allclose(group_norm(images, 1, one, zero), layer_norm(images, whole, 0 * whole)))
print("six groups: ", np.allclose(group_norm(images, 6, one, zero), instance_norm(images)))
print("one image:  ", np.allclose(batchnorm_nd(images[:1], one, zero), instance_norm(images[:1])))

# %% [markdown]
# ## Exercise 6 · `which_norm`
#
# *effort ●●● · about 20 minutes · 6 points · `hint("u06.which_norm")` if you are stuck*
#
# A black box `f` takes an array and returns one of the same shape. Inside is one of the four norms, or none. Ask it whatever you like, as often as you like, and say what it is:
# **`"batch"`, `"layer"`, `"instance"`, `"group"`** or **`"none"`**.
#
# - `f(x)` takes floating arrays of shape `(N, *shape[1:])` for any N ≥ 1, and returns an array of the same shape and dtype. The same array gets the same answer; `x` is left as it is.
# - `shape`: `(N, C, L)` or `(N, C, H, W)`, channels on axis 1, with at least 2 samples, 4 channels and 3 positions. Statistics run over the axes of exercises 2 to 5.
# - `rng`: a `numpy.random.Generator`, for arrays to ask with: `rng.normal(size=shape)`. You need not use it.
# - Group norm has more than one group, and fewer groups than channels (otherwise it would be another norm's twin).
# - A box may **scale and shift** its result, channel by channel or (layer norm) entry by entry, with factors between ½ and 2 in size, of either sign. So the mean and the spread of the output prove nothing.
# - `"none"`: no value has an influence on another. The identity is such a box, and so is **batch norm in evaluation mode**, which scales and shifts each channel by stored numbers.
# - Some boxes compute in `float32`. Beside a value of 1 they do not see a change of 1e-9. But exact comparisons are safe: an output that has nothing to do with what you changed stays equal to its last bit.
#
# Boxes come in groups of several, of at least two kinds, in any order; a group earns its points if **all** its boxes are named right.
#
# <details><summary>Nudge</summary>
#
# In the lecture's picture you chose one value, and framed was what shares its mean. Can you see the frame from outside?
# </details>
# <details><summary>Outline</summary>
#
# 1. a random `x`, and a copy of it in which one value is moved by about 3;
# 2. `changed = f(moved) != f(x)`: who felt it?
# 3. ask about `changed`, in this order: other samples? other channels of the same sample, all of them or some? other positions of the same channel?
# </details>


# %% exercise="which_norm"
def which_norm(f, shape, rng):
    """Name the norm in a black box."""
    ### BEGIN SOLUTION
    x = rng.normal(size=shape)
    moved = x.copy()
    moved[(0,) * len(shape)] += 3.0
    changed = f(moved) != f(x)
    if changed[1:].any():
        return "batch"
    channels = changed[0].reshape(shape[1], -1).any(axis=1)
    if channels.all():
        return "layer"
    if channels[1:].any():
        return "group"
    return "instance" if changed[0, 0].sum() > 1 else "none"
    ### END SOLUTION


# %% test="which_norm"
def batch_norm_by_hand(x):
    centered = x - x.mean(axis=(0, 2, 3), keepdims=True)
    return centered / np.sqrt(x.var(axis=(0, 2, 3), keepdims=True) + 1e-5)


word = which_norm(batch_norm_by_hand, (2, 4, 3, 3), np.random.default_rng(0))
assert word == "batch", f'batch norm, written out above: "batch", not {word!r}'
word = which_norm(np.copy, (2, 4, 3, 3), np.random.default_rng(0))
assert word == "none", f'a plain copy: "none", not {word!r}'
check("u06.which_norm", which_norm)

# %% [markdown]
# ### Your detective against your family
#
# Not graded. The last two are the same box under two names: which one does your function choose, and could any other do better?

# %%
c, (h, w) = 6, (4, 5)
one, zero, whole = np.ones(c), np.zeros(c), np.ones((c, h, w))
boxes = {
    "batch": lambda x: batchnorm_nd(x, one, zero),
    "layer": lambda x: layer_norm(x, whole, 0 * whole),
    "group, 3 groups": lambda x: group_norm(x, 3, one, zero),
    "instance": instance_norm,
    "group, 6 groups": lambda x: group_norm(x, 6, one, zero),
}
for name, f in boxes.items():
    print(f"{name:16s} -> {which_norm(f, (2, c, h, w), np.random.default_rng(1))}")

# %% [markdown]
# ## Where you stand

# %%
progress()

# %% [markdown]
# ## What to try next
#
# - Find a shape and two norms that **no** detective can tell apart. (Begin with one channel. Then: a detective who may only ask about one sample at a time.) And why did you get three positions at least? With two of them, what does instance norm answer, and who feels a nudge?
# - How few calls of `f` does your detective need? One is enough, if the array that you ask with has a `nan` in it. Why?
# - RMSNorm (Zhang & Sennrich 2019) leaves the mean out: $x/\sqrt{\operatorname{mean}(x^2) + \varepsilon}$. What would your detective call it? What would tell it from layer norm?
# - Write `batchnorm_nd` without `reduce_axes`, by moving the channels to the end (`np.moveaxis`) and back. Which one would you rather read?
# - Take your `layer_norm` to (N, T, C), token by token as a transformer does, by one `reshape` before and one after.
#
# **Sources.** S. Ioffe, C. Szegedy, *Batch Normalization*, ICML 2015, arXiv:1502.03167, §3.2. J. L. Ba, J. R. Kiros, G. E. Hinton, *Layer Normalization*, 2016, arXiv:1607.06450. D. Ulyanov, A. Vedaldi, V. Lempitsky,
# *Instance Normalization*, 2016, arXiv:1607.08022. Y. Wu, K. He, *Group Normalization*, ECCV 2018, arXiv:1803.08494, Figure 2. B. Zhang, R. Sennrich, *Root Mean Square Layer Normalization*, NeurIPS 2019, arXiv:1910.07467.
