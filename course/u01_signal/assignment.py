# %% [markdown]
# # What forty layers do to a signal
#
# | | |
# |---|---|
# | **You'll do** | write the measuring instruments for a deep network: what comes out of each layer, how much of it is saturated, which weights are just right, what gradient arrives, and how fast it explodes |
# | **You'll learn** | why a deep network without normalisation is a matter of the second decimal of one number, and that batch norm has an explosion of its own |
# | **You need** | the [lecture](../../course/u01_signal/lecture.ipynb), NumPy, the chain rule; formulas are repeated here or, in one place, yours to find |
# | **Time** | about 40 minutes, 5 exercises, 13 points |
#
# Run the cells from top to bottom. Write your code where it says `# YOUR CODE HERE`, and delete `raise NotImplementedError()`.

# %% given="imports"
import numpy as np

from autograder import check, hint, progress

# %% [markdown]
# ## What holds in all exercises
#
# - A layer is $h_l = \operatorname{activation}(h_{l-1}\,W_l)$ with $h_0 = x$: no bias, **an activation in every layer, the last one included**.
# - `x` has shape $(N, D_0)$: N rows (examples). `weights` is a list of L arrays; `weights[0]` has shape $(D_0, D_1)$, `weights[1]` has
#   $(D_1, D_2)$ and so on. The widths may all differ.
# - Arrays are float64, sometimes float32; results may then be either. They may be views or Fortran-ordered.
# - **No argument may be changed**: work on new arrays (`a = a * b`, not `a *= b`).
# - A signal of $10^{-12}$ is as good as one of 1: what is compared is *relative*, so do not round and do not add small constants.
# - Ready-made functions of `bnlib` earn nothing inside yours; comparing with them in a cell of your own is welcome.

# %% [markdown]
# ## Exercise 1 · `layer_statistics`
#
# *effort ●○○ · about 8 minutes · 3 points · `hint("u01.layer_statistics")` if you are stuck*
#
# Send `x` through the layers and note two numbers of each layer's output: its mean and its standard deviation, **over all entries of the array**
# $h_l$ (rows and features together), the biased one ($1/$number of entries, NumPy's default).
#
# | argument | |
# |---|---|
# | `weights` | list of L arrays |
# | `x` | the batch, (N, D₀) |
# | `activation` | a function; call it once a layer, with the whole array $h_{l-1}W_l$ |
#
# Return an array of shape (L, 2): row $l$ holds mean and standard deviation of what leaves layer $l$. The input `x` has no row.
#
# A signal may lie far from zero: $E[h^2] - E[h]^2$ fails there.
#
# <details><summary>Nudge</summary>
#
# One variable `h`, which starts as `x` and is replaced once a layer.
# </details>

# %% exercise="layer_statistics"
def layer_statistics(weights, x, activation):
    """Return mean and standard deviation of each layer's output: an array of shape (L, 2)."""
    ### BEGIN SOLUTION
    h, rows = x, []
    for weight in weights:
        h = activation(h @ weight)
        rows.append((h.mean(), h.std()))
    return np.array(rows)
    ### END SOLUTION

# %% [markdown]
# The example of the test, by hand. With ReLU, layer 1 makes $(2, -2)$ and $(-2, 2)$ of the rows $(2, 0)$ and $(0, 2)$, and ReLU puts the rows back as they
# were. Layer 2 adds the first entry and three times the second: 2 and 6.

# %% test="layer_statistics"
x = np.array([[2.0, 0.0], [0.0, 2.0]])
weights = [np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([[1.0], [3.0]])]
statistics = layer_statistics(weights, x, lambda z: np.maximum(z, 0))
assert np.shape(statistics) == (2, 2), f"One row a layer, (2, 2); got shape {np.shape(statistics)}."
assert np.allclose(statistics[0], [1, 1]), f"Layer 1 hands on 2, 0, 0, 2; got {statistics[0]}"
assert np.allclose(statistics[1], [4, 2]), f"Layer 2 hands on 2 and 6; got {statistics[1]}"
check("u01.layer_statistics", layer_statistics)

# %% [markdown]
# ### Forty layers
#
# **Predict**, then run: 100 units a layer, tanh, weights with standard deviation 0.05, 0.1 and 0.2. How large is the signal after forty layers? Nothing is graded here.

# %%
def draw(scale, width=100, depth=40, rows=64):
    rng = np.random.default_rng(0)
    weights = [scale * rng.normal(size=(width, width)) for _ in range(depth)]
    return weights, rng.normal(size=(rows, width)), rng.normal(size=(rows, width))

for scale in (0.05, 0.1, 0.2):
    weights, x, _ = draw(scale)
    stds = layer_statistics(weights, x, np.tanh)[:, 1]
    print(f"scale {scale:4}: std after layer 1, 10, 40 = {stds[0]:.2g}, {stds[9]:.2g}, {stds[39]:.2g}")

# %% [markdown]
# ## Exercise 2 · `saturated_fraction`
#
# *effort ●○○ · about 4 minutes · 2 points · `hint("u01.saturated_fraction")` if you are stuck*
#
# At scale 0.2 the signal does not explode: tanh holds everything between −1 and 1. But a unit at ±0.99 is *saturated*: its slope is $1 - 0.99^2 \approx 0.02$, and
# next to no gradient passes.
#
# `h` holds what has **come out of** the activation, with any number of axes. Return the fraction of entries with $|h| >$ `threshold` (default 0.97), one number
# between 0 and 1. No entry lies exactly on the threshold in what is graded.

# %% exercise="saturated_fraction"
def saturated_fraction(h, threshold=0.97):
    """Return the fraction of entries beyond the threshold, on either side."""
    ### BEGIN SOLUTION
    return np.mean(np.abs(h) > threshold)
    ### END SOLUTION

# %% test="saturated_fraction"
h = np.array([[-0.99, 0.20], [0.98, -0.50]])
fraction = saturated_fraction(h)
assert np.allclose(fraction, 0.5), f"−0.99 and 0.98 are saturated, two of four; got {fraction}"
fraction = saturated_fraction(h, threshold=0.4)
assert np.allclose(fraction, 0.75), f"Beyond ±0.4 lie three of four; got {fraction}"
check("u01.saturated_fraction", saturated_fraction)

# %%
for scale in (0.05, 0.1, 0.2, 0.5):
    weights, x, _ = draw(scale)
    h = x
    for w in weights:
        h = np.tanh(h @ w)
    print(f"scale {scale:4}: {saturated_fraction(h):.1%} of the last layer are saturated")

# %% [markdown]
# ## Exercise 3 · `critical_scale`
#
# *effort ●○○ · about 4 minutes · 1 point · `hint("u01.critical_scale")` if you are stuck*
#
# One output of a **linear** layer is a sum over its inputs, $z_c = \sum_{d=1}^{D} h_d\,W_{dc}$. The weights are drawn independently, with mean 0 and standard deviation $s$.
# Which $s$ makes $z$ as large as $h$, that is, $\operatorname{var}(z) = \operatorname{mean}(h^2)$?
#
# Return that $s$ for a layer with `width` $= D$ inputs. This time the formula is yours to find; the lecture does it line by line.
#
# <details><summary>Nudge</summary>
#
# Variances of independent terms add up. How many terms are there?
# </details>

# %% exercise="critical_scale"
def critical_scale(width):
    """Return the standard deviation of weights that keeps a linear layer's variance."""
    ### BEGIN SOLUTION
    return 1 / np.sqrt(width)
    ### END SOLUTION

# %% test="critical_scale"
scale = critical_scale(100)
assert np.allclose(scale, 0.1), f"100 terms, each of variance s²·h²: s is 0.1; got {scale}"
assert np.allclose(critical_scale(4), 0.5), f"With 4 inputs s is 0.5; got {critical_scale(4)}"
check("u01.critical_scale", critical_scale)

# %% [markdown]
# ## Exercise 4 · `gradient_norms`
#
# *effort ●●● · about 15 minutes · 4 points · `hint("u01.gradient_norms")` if you are stuck*
#
# Now backwards, through a **tanh** network. `dy` of shape $(N, D_L)$ is the gradient of the loss by the last layer's output $h_L$. Layer by layer, from the last to the
# first, with $z_l = h_{l-1}W_l$, $\;h_l = \tanh(z_l)$ and $\mathrm dh_L = \mathrm dy$:
#
# $$ \mathrm dz_l = \mathrm dh_l \cdot (1 - h_l^2), \qquad
#    \mathrm dW_l = h_{l-1}^{\mathsf T}\,\mathrm dz_l, \qquad
#    \mathrm dh_{l-1} = \mathrm dz_l\, W_l^{\mathsf T} . $$
#
# The first is a product entry by entry, the other two are matrix products. (Where they come from: $\tanh' = 1 - \tanh^2$; and each $W_{dc}$ meets $h_{nd}$ in every row $n$.)
#
# Return an array of shape (L,): the lengths $\|\mathrm dW_1\|, \dots, \|\mathrm dW_L\|$, **in the order of `weights`**, with $\|A\| = \sqrt{\sum_{dc} A_{dc}^2}$ over all entries.
#
# <details><summary>Nudge</summary>
#
# Going back you need every $h_l$ again. So go forward first, and keep them all in a list, `x` included.
# </details>
# <details><summary>Outline</summary>
#
# 1. `outputs = [x]`, and append the output of each layer;
# 2. `dh = dy`; for `l` in `reversed(range(len(weights)))`: the layer's input is `outputs[l]`, its output `outputs[l + 1]`;
# 3. dz, then dW and its length, then the new dh.
# </details>

# %% exercise="gradient_norms"
def gradient_norms(weights, x, dy):
    """Return the length of the gradient by each layer's weights: an array of shape (L,)."""
    ### BEGIN SOLUTION
    outputs = [x]
    for weight in weights:
        outputs.append(np.tanh(outputs[-1] @ weight))
    norms, dh = np.zeros(len(weights)), dy
    for layer in reversed(range(len(weights))):
        dz = dh * (1 - outputs[layer + 1] ** 2)
        norms[layer] = np.linalg.norm(outputs[layer].T @ dz)
        dh = dz @ weights[layer].T
    return norms
    ### END SOLUTION

# %% [markdown]
# Two examples for the head. In the first, $z = 3\cdot4 - 4\cdot3 = 0$, where tanh has slope 1: so $\mathrm dz_2 = 1$, $\mathrm dh_1 = 2$, $\mathrm dz_1 = 2$, and
# $\mathrm dW_1 = (6, 8)$ has length 10. $\mathrm dW_2$ is 0, because its input is. In the second, $h = 0.6$: the slope is $1 - 0.36$.

# %% test="gradient_norms"
weights = [np.array([[4.0], [-3.0]]), np.array([[2.0]])]
norms = gradient_norms(weights, np.array([[3.0, 4.0]]), np.array([[1.0]]))
assert np.shape(norms) == (2,), f"One number a layer, shape (2,); got shape {np.shape(norms)}."
assert np.allclose(norms, [10, 0]), f"dW of layer 1 is (6, 8), that of layer 2 is 0; got {norms}"
weights = [np.array([[np.log(2) / 2]])]  # z = log 2 = artanh 0.6
norms = gradient_norms(weights, np.array([[2.0]]), np.array([[-1.0]]))
assert np.allclose(norms, [1.28]), f"dW = 2 · (−1) · (1 − 0.36), of length 1.28; got {norms}"
check("u01.gradient_norms", gradient_norms)

# %% [markdown]
# **Predict**, then run: the same three networks. In which one does the *first* layer get the most gradient, and the least?

# %%
for scale in (0.05, critical_scale(100), 0.2):
    norms = gradient_norms(*draw(scale))
    print(f"scale {scale:.2f}: ‖dW‖ of layer 1, 10, 40 = {norms[0]:.1e}, {norms[9]:.1e}, {norms[39]:.1e}")

# %% [markdown]
# ## Exercise 5 · `explosion_rate`
#
# *effort ●●○ · about 7 minutes · 3 points · `hint("u01.explosion_rate")` if you are stuck*
#
# Forty numbers that grow by *about* the same factor from layer to layer: which factor? If $n_l = n_0\, r^{\,l}$, then
# $\log n_l = \log n_0 + l\,\log r$ is a straight line with slope $\log r$. So: fit the **least squares line** (with an intercept) through the points
# $(l, \log n_l)$, and return $r = \exp(\text{slope})$.
#
# `norms` has shape (L,) with $L \ge 2$, all positive. $r > 1$ if they grow in the order in which they stand. The norms may span everything from $10^{-250}$ to $10^{250}$.
#
# Why not simply $(n_L/n_1)^{1/(L-1)}$? Because that hears two layers and ignores the others.

# %% exercise="explosion_rate"
def explosion_rate(norms):
    """Return the factor per layer of the least squares line through the logarithms."""
    ### BEGIN SOLUTION
    slope, _ = np.polyfit(np.arange(len(norms)), np.log(norms), 1)
    return np.exp(slope)
    ### END SOLUTION

# %% test="explosion_rate"
rate = explosion_rate(np.array([3.0, 6.0, 12.0, 24.0]))
assert np.allclose(rate, 2), f"Every norm is twice the one before; got {rate}"
rate = explosion_rate(np.array([1.0, 8.0, 1.0, 2.0]))  # logarithms to base 2: 0, 3, 0, 1
assert np.allclose(rate, 1), f"The line through (0, 3, 0, 1) is level, so the factor is 1; got {rate}"
check("u01.explosion_rate", explosion_rate)

# %% [markdown]
# ## Your instruments on a real case
#
# A ReLU network, backwards, with or without batch norm between the linear layer and the ReLU. The line with the two means is batch norm's
# backward pass; in units 4 and 5 you derive it yourself. This time we note the length of what *arrives* at each layer's output, before it meets a weight. Nothing below is graded.

# %%
def arriving_gradients(weights, x, dy, norm):
    steps, h = [], x
    for w in weights:
        z, s = h @ w, 1.0
        if norm:
            s = 1 / z.std(axis=0)
            z = (z - z.mean(axis=0)) * s
        steps.append((z, s))
        h = np.maximum(z, 0)
    norms = []
    for w, (z, s) in zip(weights[::-1], steps[::-1], strict=True):
        norms.append(np.linalg.norm(dy))
        dz = dy * (z > 0)
        if norm:
            dz = s * (dz - dz.mean(axis=0) - z * (dz * z).mean(axis=0))
        dy = dz @ w.T
    return np.array(norms)  # the last layer first: the way the gradient travels

# %% [markdown]
# **Predict.** Weights at He's scale $\sqrt{2/\text{width}}$, 40 layers. By which factor does the *squared* gradient grow per layer on its way to the input, without and with
# batch norm? And at ten times that scale?

# %%
for factor in (1, 10):
    weights, x, dy = draw(factor * np.sqrt(2 / 256), width=256, rows=256)
    for norm in (False, True):
        rate = explosion_rate(arriving_gradients(weights, x, dy, norm)) ** 2
        print(f"scale × {factor:2d}, batch norm {norm!s:5}: squared norm × {rate:8.3f} a layer")
print(f"π/(π − 1) = {np.pi / (np.pi - 1):.3f}")

# %% [markdown]
# <details><summary>What you see</summary>
#
# Without batch norm the scale is everything: just right, and nothing grows; ten times too large, and the square grows a hundredfold *per layer*. With batch norm the scale does not matter at all.
# But "just right" is gone as well: always about 1.44 a layer, $1.44^{40} \approx 2\cdot10^{6}$ in all. For ever wider networks and larger batches it is $\pi/(\pi-1)$, as the lecture derives.
# </details>
#
# ## Where you are

# %%
progress()

# %% [markdown]
# ## Try next
#
# - `arriving_gradients` with batches of 8, 16 and 64 rows: which way does the rate move, and does it worry you?
# - Note $\|\mathrm dW\|$ in place of what arrives. Why does it say 1.0 a layer without batch norm, *whatever the scale*? (Section 2 of the lecture.)
# - Add a skip connection, `h = h + ...`, to the forward and the backward loop. The lecture has a slider for it.
# - tanh at scale 0.2 with batch norm before every tanh: what is the saturated fraction now?
# - On to unit 2: the formula that does all this.
#
# ## Sources
#
# - X. Glorot, Y. Bengio, *Understanding the difficulty of training deep feedforward neural networks*, AISTATS 2010: activations and gradients layer by layer, as measured here.
# - K. He et al., *Delving Deep into Rectifiers*, ICCV 2015, [arXiv:1502.01852](https://arxiv.org/abs/1502.01852): the scale for ReLU (§2.2).
# - G. Yang et al., *A Mean Field Theory of Batch Normalization*, ICLR 2019, [arXiv:1902.08129](https://arxiv.org/abs/1902.08129): the explosion that batch norm brings along.
