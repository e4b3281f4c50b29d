# %% [markdown]
# # What does a batch of two look like?
#
# Take any feature you like: temperatures in kelvin, prices in yen, marks at school. Put **two** examples
# into a batch and let batch normalization loose on it. What comes out?
#
# The answer is short, a little shocking, and true for every feature. By the end of this lecture you can derive
# it, and you will have written the layer yourself.
#
# | | |
# |---|---|
# | **You will do** | guess, run, derive four formulas line by line, hold them against PyTorch, play with five figures, break them |
# | **You will learn** | what batch norm computes and why exactly that; what γ, β and ε are for; why a correct formula can give a negative variance |
# | **You need** | NumPy arrays with two axes, sums; no calculus yet |
# | **It takes** | about 50 minutes with the questions; running all cells takes seconds |
#
# Nothing here is graded. The [assignment](../../release/u02_forward/forward.ipynb) follows the same order.

# %%
import numpy as np
import torch

from bnlib.plots.batch_noise import draw_batch_noise
from bnlib.plots.cancellation import PRECISIONS, draw_cancellation
from bnlib.plots.normalization import draw_circle, draw_company, draw_scale_shift
from bnlib.widgets import Choice, Slider, explore

np.set_printoptions(precision=4, suppress=True, linewidth=100)

# %% [markdown]
# ## 1. Two rows of anything
#
# Three features, two examples each:
#
# | | temperature (K) | price (yen) | mark |
# |---|---|---|---|
# | example 0 | 273.15 | 1 000 000 | 7 |
# | example 1 | 310.00 | 120 | 12 |
#
# **Predict.** Batch normalization treats each column on its own: it shifts and scales it to mean 0 and
# variance 1. Write down the six numbers you expect, at least roughly. Then run.

# %%
pair = torch.tensor([[273.15, 1e6, 7.0], [310.00, 120.0, 12.0]], dtype=torch.float64)
layer = torch.nn.BatchNorm1d(3, affine=False, dtype=torch.float64)  # a new layer is in training mode
layer(pair)

# %% [markdown]
# <details><summary>What happened to the numbers?</summary>
#
# They are gone. Each column became −1 and +1. Freezing or body temperature, a million yen or 120: of a
# batch of two, batch norm keeps *one bit per feature*, namely which example had more of it.
# </details>
#
# A layer that throws away everything but one bit, and yet ResNet-50, a classic image network, has one after each of its 53
# convolutions (He et al. 2016, §3.4). Both are true. To see why, we derive what the layer does; section 2 will tell you the ±1 *before* you run anything.

# %% [markdown]
# ## 2. The formula, from two wishes
#
# A layer of a network hands us a batch `x` of shape `(N, C)`: N examples (rows), C features (columns).
# Ioffe & Szegedy (2015, §3) make two simplifications: every feature is normalised **on its own**, and the
# statistics come from **the batch at hand**. So take one column, $x_1, \dots, x_N$, and look for
#
# $$\hat x_i = a\,x_i + b$$
#
# with two wishes: over the batch, $\hat x$ shall have **mean 0** and **variance 1**.
#
# **First wish.** Write $\mu = \frac1N \sum_i x_i$ for the mean of the batch. Then
#
# $$0 = \frac1N \sum_i \hat x_i = \frac1N \sum_i (a\,x_i + b) = a\,\mu + b
#   \quad\Longrightarrow\quad b = -a\,\mu, \qquad \hat x_i = a\,(x_i - \mu).$$
#
# **Second wish.** Write $\sigma^2 = \frac1N \sum_i (x_i - \mu)^2$ for the variance of the batch. Since the mean of
# $\hat x$ is 0, its variance is the mean of its squares:
#
# $$1 = \frac1N \sum_i \hat x_i^2 = a^2 \cdot \frac1N \sum_i (x_i - \mu)^2 = a^2 \sigma^2
#   \quad\Longrightarrow\quad a = \frac1\sigma .$$
#
# (The other root, $a = -1/\sigma$, turns the order round; nobody wants it.) Nothing else was left to choose: two wishes,
# two unknowns.

# %% [markdown]
# **Why $1/N$ and not $1/(N-1)$?** Because nothing is being estimated. The wish was that *these N numbers* have mean
# square exactly 1, and for that the sum has to be divided by N. Dividing by N−1 answers another question: what is
# the variance of the population that the batch was drawn from? That question comes back in unit 3, when the
# layer has to remember something for later. With N−1 the output would have mean square (N−1)/N, which for
# a batch of two is one half.
#
# **Why ε?** A feature that is the same in all rows has σ = 0, and 0/0 is `nan`. So a small constant goes under the
# root, $10^{-5}$ in PyTorch:
#
# $$\boxed{\;\hat x_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \varepsilon}}\;}$$
#
# It has a price. The second wish now comes true only nearly:
#
# $$\frac1N \sum_i \hat x_i^2 = \frac{1}{\sigma^2+\varepsilon}\cdot\frac1N\sum_i (x_i-\mu)^2
#   = \frac{\sigma^2}{\sigma^2 + \varepsilon} \;<\; 1 .$$
#
# For σ² = 1 that is 0.99999. For σ² = ε it is one half.

# %% [markdown]
# ### Now the batch of two, without running it
#
# Call half the distance $d = (x_1 - x_2)/2$. The mean lies in the middle, so $x_1 - \mu = d$ and $x_2 - \mu = -d$.
# The variance is $\sigma^2 = \frac12 (d^2 + d^2) = d^2$. Put in, for $d \ne 0$:
#
# $$\hat x_1 = \frac{d}{\sqrt{d^2 + \varepsilon}} = \frac{\operatorname{sign}(d)}{\sqrt{1 + \varepsilon/d^2}},
#   \qquad \hat x_2 = -\hat x_1 .$$
#
# Whatever $d$ was, it cancels. Only its sign stays, unless $d^2$ is not much larger than ε.
#
# **Predict.** A voltage, −0.002 V in one example and 0.001 V in the other. What comes out now?

# %%
voltage = torch.tensor([[-0.002], [0.001]], dtype=torch.float64)
d, eps = -0.0015, 1e-5
print("torch:  ", torch.nn.BatchNorm1d(1, affine=False, dtype=torch.float64)(voltage).flatten().numpy())
print("formula:", d / np.sqrt(d**2 + eps), -d / np.sqrt(d**2 + eps))

# %% [markdown]
# <details><summary>Why this number?</summary>
#
# $d^2 = 2.25\cdot10^{-6}$ is less than ε = 10⁻⁵, so ε rules: $1/\sqrt{1 + 10/2.25} \approx 0.43$. To batch norm a
# feature whose variance is far below ε is *nearly constant*. If your features are that small on purpose (volts instead of
# millivolts), ε is not a detail.
# </details>
#
# ### How far out can one example be?
#
# **Predict.** Ten examples: nine zeros and a 1 000 000. What is the largest $\hat x$?

# %%
x = np.zeros(10)
x[0] = 1_000_000
print((x - x.mean()) / np.sqrt(x.var() + eps))

# %% [markdown]
# <details><summary>Where this number comes from</summary>
#
# The outlier pulls the mean towards itself and makes the variance that it is measured with. Here is the proof that
# nobody escapes. Take row $i$. All $\hat x$ sum to 0, so the other N−1 of them sum to $-\hat x_i$. By
# Cauchy–Schwarz their squares sum to at least $\hat x_i^2/(N-1)$. All squares together are at most N:
#
# $$N \;\ge\; \hat x_i^2 + \frac{\hat x_i^2}{N-1} = \hat x_i^2\,\frac{N}{N-1}
#   \quad\Longrightarrow\quad |\hat x_i| \le \sqrt{N-1} .$$
#
# Statisticians know it as Samuelson's inequality (1968). For N = 10 it says 3. For N = 2 it says 1: the ±1 from the
# start is this bound, reached.
# </details>
#
# **Play.** Pull row 0 away, and watch the *others*. Then change N.

# %%
explore(
    draw_company,
    title="One example moves, and all outputs change",
    alt="Left: temperatures of a batch, one of them far off. Right: after normalising, the far one stops at "
    "the root of N minus 1 and the others are squeezed together.",
    n=Slider("batch size N", 2, 32, 1, 8),
    pull=Slider("row 0 lies above 20 °C by", 1, 1024, 2, 4, log=True, unit="°C"),
)

# %% [markdown]
# You have just seen the property that makes batch norm unlike any other layer you know: **the output of one example
# depends on the other examples in its batch.** Much of this course is about the consequences.
#
# ## 3. The same thing as a picture
#
# Put the N values of one feature into one arrow in $\mathbb R^N$. Subtracting the mean removes the part of the arrow
# along $(1, 1, \dots, 1)$: the arrow drops onto the plane of all columns with sum 0. Dividing by σ makes its length
# $\sqrt{\sum_i \hat x_i^2} = \sqrt N$: it lands **on a sphere**. That is all batch norm does to a feature.
#
# - N = 2: the plane is a line, and the "sphere" on a line is two points. There are your ±1.
# - N = 3: the plane is a plane, and the sphere is a circle of radius √3. One number per feature survives: an angle.
# - N = 64: a sphere with 62 dimensions. Now only two numbers of 64 are lost, the mean and the length.
#
# So the price of batch norm is always the same: *two numbers per feature and batch*. With a batch of two that is everything but a sign.
#
# **Play.** Each dot below is a feature with three rows, seen in that plane. The left picture is drawn in units of the spread, so it
# stays as it is. Make the spread small, look right, and find the ε in the picture.

# %%
explore(
    draw_circle,
    title="48 features of three rows each",
    alt="Left: a cloud of centred features. Right: after normalising they lie on a circle of radius root 3, "
    "or inside it when their variance is not much larger than eps.",
    spread=Slider("standard deviation of the features", 0.001, 10.0, 2.0, 1.024, log=True),
)

# %% [markdown]
# A dot reaches the circle if its *own* standard deviation σ is well above $\sqrt\varepsilon \approx 0.003$; at $\sigma = \sqrt\varepsilon$
# it gets $1/\sqrt2$ of the way (mean square one half, section 2). For a large spread nothing changes any more:
# batch norm does not care in which units you measure.
#
# ## 4. The same lines as code
#
# Line by line as derived; this is Algorithm 1 of the paper. Mind the shapes: statistics have one entry per *feature*.

# %%
def batchnorm(x, gamma, beta, eps=1e-5):
    mean = x.mean(axis=0)  # (C,)     μ: down the rows
    centered = x - mean  # (N, C)   (N, C) − (C,): the mean is spread over the rows
    var = (centered**2).mean(axis=0)  # (C,)     σ²: 1/N
    x_hat = centered / np.sqrt(var + eps)  # (N, C)   ε inside the root
    return gamma * x_hat + beta  # (N, C)   scale and shift: section 5


rng = np.random.default_rng(0)
x = rng.normal(20.0, 5.0, size=(8, 3))
y = batchnorm(x, gamma=np.ones(3), beta=np.zeros(3))
print("mean per feature    ", y.mean(axis=0))
print("variance per feature", y.var(axis=0))

# %% [markdown]
# ### Hold it against PyTorch
#
# A check with one comfortable batch proves little. So: several shapes, a feature far from zero, a feature that is
# constant, and γ and β that are neither 1 nor 0.

# %%
for n, c in [(2, 1), (3, 4), (64, 4), (64, 1)]:
    x = rng.normal(1e4, 3.0, size=(n, c))
    if c > 1:
        x[:, 0] = 7.0  # a constant feature
    gamma, beta = rng.normal(size=c), rng.normal(size=c)
    theirs = torch.nn.functional.batch_norm(  # None, None: what unit 3 calls running statistics
        torch.tensor(x), None, None, torch.tensor(gamma), torch.tensor(beta), training=True
    )
    gap = np.abs(batchnorm(x, gamma, beta) - theirs.numpy()).max()
    print(f"N = {n:2d}, C = {c}: largest difference {gap:.1e}")

# %% [markdown]
# ### Two traps in those five lines
#
# **Trap one: the axis.** **Predict:** what does NumPy say if you write `axis=1` everywhere and the batch is square, N = C = 4?

# %%
square = rng.normal(size=(4, 4)) * [1, 10, 100, 1000]
wrong_mean, wrong_var = square.mean(axis=1), square.var(axis=1)
wrong = (square - wrong_mean) / np.sqrt(wrong_var + eps)
print("wrong axis, variance per feature:", wrong.var(axis=0))
print("right axis, variance per feature:", batchnorm(square, 1.0, 0.0).var(axis=0))

# %% [markdown]
# <details><summary>What NumPy says, and why</summary>
#
# Nothing at all. The shapes fit, so it runs: row 0's mean is subtracted from *feature* 0. Test with N ≠ C, always: then the
# same line raises an error. (Unless C = 1: an (N, 1) column minus N means is an (N, N) table. So look at the shape, too.)
# </details>
#
# **Trap two: what "variance" means.** NumPy divides by N unless told otherwise, PyTorch by N−1 unless told otherwise. Whoever
# knows one of them expects the same of the other.

# %%
two = np.array([7.0, 12.0])
print("np.var                  ", np.var(two))
print("torch.var               ", torch.var(torch.tensor(two)).item())
print("torch.var, correction=0 ", torch.var(torch.tensor(two), correction=0).item())

# %% [markdown]
# ## 5. Why normalise, only to scale and shift again?
#
# The last line was $y = \gamma\,\hat x + \beta$ with one learned γ and one learned β per feature. It looks as if it undid
# the work. **Why is it there?**
#
# Because mean 0 and variance 1 may be wrong for the layer that follows. A ReLU would then drop about half of the values in *every*
# feature of *every* layer, forever; a tanh or a sigmoid would only be used near 0, where it is almost a straight line (the
# example in Ioffe & Szegedy 2015, §3). Batch norm without γ and β would take something
# away from what the network can compute. (Not if a linear layer came next: that could scale and shift by itself. But what a
# ReLU has cut off, nothing behind it brings back.)
#
# With them it can compute at least as much. Ask for $y = x$ on a batch with statistics μ and σ²:
#
# $$\gamma\,\frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta = x \quad\text{for all } x .$$
#
# Both sides are straight lines in $x$, so compare the slopes, then the values at $x = \mu$:
#
# $$\frac{\gamma}{\sqrt{\sigma^2+\varepsilon}} = 1 \;\Longrightarrow\; \boxed{\gamma = \sqrt{\sigma^2+\varepsilon}} \qquad\qquad
#   0 + \beta = \mu \;\Longrightarrow\; \boxed{\beta = \mu}$$
#
# So the identity is among the things the layer can represent. What changed is *how the network gets there*: spread and level of a
# feature are now two numbers of their own that gradient descent moves directly, instead of a joint effect of all the
# weights below.

# %%
x = rng.normal(20.0, 5.0, size=(8, 3))
y = batchnorm(x, gamma=np.sqrt(x.var(axis=0) + eps), beta=x.mean(axis=0))
print("largest |y − x| on this batch:   ", np.abs(y - x).max())

other = rng.normal(0.0, 1.0, size=(8, 3))
z = batchnorm(other, gamma=np.sqrt(x.var(axis=0) + eps), beta=x.mean(axis=0))
print("largest |y − x| on another batch:", np.abs(z - other).max())

# %% [markdown]
# Look at the second number. These γ and β undo the normalisation *for that batch*. Another batch, with other
# statistics, is brought to the same level and spread. Representing the identity is a possibility, not a habit.
#
# **Play.** What does an activation get to see? Find γ and β that (1) switch a ReLU off almost entirely, (2) make it nearly
# linear, (3) saturate a tanh, so that most outputs lie near ±1. Training can do all of this to your network, one feature at a time.

# %%
explore(
    draw_scale_shift,
    title="γ sets the spread, β the level",
    alt="Left: histogram of gamma times x hat plus beta. Right: what is left of it after the activation.",
    gamma=Slider("γ", -3.0, 3.0, 0.25, 1.0),
    beta=Slider("β", -4.0, 4.0, 0.25, 0.0),
    activation=Choice("activation", ("relu", "tanh"), "relu"),
)

# %% [markdown]
# ### What batch norm makes redundant
#
# **Predict.** You add 100 to all entries of a feature, or multiply a feature by 7, *before* batch norm. How much does the output change?

# %%
ones, zeros = np.ones(3), np.zeros(3)
y = batchnorm(x, ones, zeros)
print("x + 100:  ", np.abs(batchnorm(x + 100.0, ones, zeros) - y).max())
print("7 x:      ", np.abs(batchnorm(7.0 * x, ones, zeros) - y).max())
print("−7 x:     ", np.abs(batchnorm(-7.0 * x, ones, zeros) + y).max(), "(with the sign turned)")

# %% [markdown]
# <details><summary>Why</summary>
#
# $\mu$ moves by 100, too, so $x - \mu$ stays. And a factor 7 in $x-\mu$ meets a factor 7 in σ; only ε, which does not
# grow along, leaves a trace of order ε/σ².
# </details>
#
# Two consequences for every network you will build. The **bias** of a linear or convolution layer right before batch norm
# does nothing (leave it out: `bias=False`; β does its job, Ioffe & Szegedy §3.2). And the **length of its weights**
# does nothing to the output (but for ε); what it does to the gradient is a story for unit 5.

# %% [markdown]
# ## 6. The company you keep
#
# The statistics come from whoever happens to be in the batch. Draw another batch, and μ and σ² are a little different, and so
# is the output for *the same* input.
#
# Below are 2000 batches, drawn at random from one skewed feature with mean μ = 4 and standard deviation σ = 2. For the right
# picture one input, always the same, joins each of them.
#
# **Predict.** If you make the batch four times larger, how much narrower does the histogram of batch means get?

# %%
explore(
    draw_batch_noise,
    title="2000 random batches of one feature",
    alt="Left: histogram of batch means, narrower for larger batches. Right: histogram of the normalised "
    "output of one fixed input.",
    m=Slider("batch size m", 2, 256, 2, 8, log=True, unit="values"),
    seed=Choice("random seed", (0, 1, 2), 0),
)

# %% [markdown]
# <details><summary>How much, and why</summary>
#
# Half as wide. The mean of $m$ independent values with variance σ² has variance σ²/m, so its standard deviation is
# $\sigma/\sqrt m$ (the dashed lines). Set m = 2 and look right: the one input that is drawn again and again comes out as −1 or +1, depending
# on its neighbour alone.
# </details>
#
# Training with batch norm is training with this noise. Whether it helps or hurts, and when, will be measured in unit 8.

# %% [markdown]
# ## 7. Where it breaks: the same formula, three ways to lose it
#
# ### A shortcut that is right on paper
#
# Every textbook has a shortcut for the variance. With $E$ for the mean over the batch:
#
# $$E[(x-\mu)^2] = E[x^2 - 2\mu x + \mu^2] = E[x^2] - 2\mu\,E[x] + \mu^2 = E[x^2] - E[x]^2 .$$
#
# One pass over the data instead of two. Every step is right. **Predict:** what does it say for five features with standard deviation
# 1 and mean 10 000, in `float32`, the default dtype of PyTorch?

# %%
far = np.random.default_rng(0).normal(1e4, 1.0, size=(64, 5)).astype(np.float32)
print("E[x²] − E[x]²  float32:", (far**2).mean(axis=0) - far.mean(axis=0) ** 2)
print("E[(x − E[x])²] float32:", ((far - far.mean(axis=0)) ** 2).mean(axis=0))

many = np.random.default_rng(1).normal(1e4, 1.0, size=(64, 1000)).astype(np.float32)
short = (many**2).mean(axis=0) - many.mean(axis=0) ** 2
print("1000 more features: from", short.min(), "to", short.max(), "and", (short < 0).sum(), "below 0")
print("all of them multiples of 8:", (short % 8 == 0).all())
exact = many.mean(axis=0, dtype=np.float64)
print("E[x] alone is off by up to:", np.abs(many.mean(axis=0) - exact).max())

# %% [markdown]
# <details><summary>Why these numbers?</summary>
#
# `float32` has 24 significant bits. Between $2^{26}$ and $2^{27}$ (67 and 134 million) its numbers are $2^{27-24} = 8$ apart.
# $E[x^2]$ and $E[x]^2$ both live there, near $10^8$. So both are multiples of 8, and so is their difference. A variance of 1
# *cannot come out*: the answer can be 0, 8, 16 or −8, but not 1. And why as far off as 80? Each addition on the way
# rounds as well: here $E[x]$ is off by up to 0.004, and its square by $2\cdot10^4\cdot0.004 = 80$.
# </details>
#
# A negative variance, and `np.sqrt` makes it `nan`. Subtracting two large, nearly equal numbers is called *cancellation*: the
# leading digits go, and what stays is rounding error. Subtract the mean *first*, then square: $x - \mu$ is small,
# and so is what rounding takes from it.
#
# **Play.** Where is the shortcut still safe? And in `float16`, in `float64`?

# %%
explore(
    draw_cancellation,
    title="The variance of data with standard deviation 1, by two formulas",
    alt="Left: the relative error of E[x²] − E[x]² grows with the square of the mean, that of the two-pass formula "
    "stays tiny. Right: the numbers there are near the square of the mean; they get sparser.",
    mean=Slider("mean of the data", 1, 1_000_000, 10, 10_000, log=True),
    precision=Choice("precision", PRECISIONS, "float32"),
)

# %% [markdown]
# The upper line climbs by a factor 100 for every factor 10: the error is about (mean/std)² times the rounding of `float32`. Of its
# 7 digits five are left where the mean is 10 standard deviations, and none at a few thousand. The lower line rises as well, much
# later: a mean $m$ that is rounded differs from μ, and $\frac1N\sum_i(x_i-m)^2 = \sigma^2 + (m-\mu)^2$. But that error is squared.
#
# ### Squares in `float16`
#
# The largest number in `float16` is 65 504, and 256² is more than that. **Predict** the variance of 64 numbers with standard
# deviation 150.

# %%
half = np.random.default_rng(0).normal(0.0, 150.0, size=64).astype(np.float16)
with np.errstate(over="ignore"):  # NumPy would warn
    print("float16 all the way:         ", half.var())
print("float32 inside, float16 out: ", half.astype(np.float32).var().astype(np.float16))
y = torch.nn.functional.batch_norm(torch.tensor(half)[:, None], None, None, training=True)
print("PyTorch's batch norm gives   ", y.dtype, "with standard deviation", y.numpy().std())

# %% [markdown]
# The *result* fits into `float16` (150² = 22 500, and these 64 happen to vary less); a square on the way did not, and divided by
# an infinite σ all outputs are 0. So: compute in a **wider** type, `float64` if you like, and hand back what came in. Never in a narrower one: `float64`
# data taken through `float32` lose half of their digits. That is the convention of this course.
#
# ### A feature that says nothing
#
# A unit that is dead for a whole batch is a constant feature. With ε the output is 0 (then β); without it is 0/0.

# %%
dead = np.full((4, 1), 3.0)
with np.errstate(invalid="ignore"):
    print("ε = 1e-5:", batchnorm(dead, 1.0, 0.0).T)
    print("ε = 0:   ", batchnorm(dead, 1.0, 0.0, eps=0.0).T)

# %% [markdown]
# ## 8. When the data come in pieces
#
# A billion rows do not fit into memory, so they come in chunks. You may look at each chunk once. The mean is easy: add up. For the
# variance the shortcut beckons ("just keep Σx and Σx²"), and you know now where that ends. **Predict:** is the average of the
# chunks' variances right?

# %%
low, high = np.full(1000, 0.0), np.full(1000, 10.0)
print("average of the variances:", (low.var() + high.var()) / 2)
print("variance of all rows:    ", np.concatenate([low, high]).var())

# %% [markdown]
# What is missing is how far the chunks lie *from each other*. Let us find that term. Two sets of rows, A and B, with $n_A, n_B$
# rows, means $\mu_A, \mu_B$, variances $\sigma_A^2, \sigma_B^2$; together $n = n_A + n_B$ and
# $\mu = (n_A\mu_A + n_B\mu_B)/n$. Look at the rows of A as seen from the common mean:
#
# $$\sum_{i\in A}(x_i-\mu)^2 = \sum_{i\in A}\big((x_i-\mu_A) + (\mu_A-\mu)\big)^2
#   = n_A\sigma_A^2 + 2(\mu_A-\mu)\underbrace{\sum_{i\in A}(x_i-\mu_A)}_{=\,0} + n_A(\mu_A-\mu)^2 .$$
#
# The same for B. Now express both distances by $\delta = \mu_B - \mu_A$, with $n_A = n - n_B$ in the formula for μ:
#
# $$\mu = \mu_A + \tfrac{n_B}{n}\,\delta \quad\Longrightarrow\quad \mu_A - \mu = -\tfrac{n_B}{n}\,\delta, \qquad
#   \mu_B - \mu = \delta - \tfrac{n_B}{n}\,\delta = \tfrac{n_A}{n}\,\delta ,$$
#
# $$n_A(\mu_A-\mu)^2 + n_B(\mu_B-\mu)^2 = \Big(\frac{n_A n_B^2}{n^2} + \frac{n_B n_A^2}{n^2}\Big)\delta^2
#   = \frac{n_A n_B\,(n_B + n_A)}{n^2}\,\delta^2 = \frac{n_A n_B}{n}\,\delta^2 .$$
#
# Add up, and you have the merge of Chan, Golub & LeVeque (1983):
#
# $$\boxed{\;\mu = \mu_A + \delta\,\frac{n_B}{n}, \qquad n\,\sigma^2 = n_A\sigma_A^2 + n_B\sigma_B^2 + \delta^2\,\frac{n_A n_B}{n}\;}$$
#
# Only differences of means are squared, never the means. Merge chunk after chunk, and memory never grows.

# %%
a, b = many[:10, 0].astype(np.float64), many[10:, 0].astype(np.float64)  # 10 and 54 rows, mean 1e4
delta, n = b.mean() - a.mean(), a.size + b.size
merged = (a.size * a.var() + b.size * b.var() + delta**2 * a.size * b.size / n) / n
print("merged:        ", merged)
print("all at once:   ", many[:, 0].astype(np.float64).var())
print("unweighted avg:", (a.var() + b.var()) / 2)

# %% [markdown]
# This one formula is behind statistics over a whole data set (unit 3) and batch norm across several GPUs, where every
# GPU holds one chunk of the batch (unit 11).
#
# ## 9. What people get wrong
#
# | what was written | how you see it |
# |---|---|
# | statistics along `axis=1` | an error if N ≠ C, an N × N table if C = 1, silence if N = C: do not test with a square batch only |
# | statistics over all entries | no error ever; the features keep different means and spreads |
# | `np.sqrt(var) + eps`: ε outside the root | nothing on normal data; a difference where σ² is near ε |
# | ε in the code instead of the argument | another ε changes nothing |
# | variance with 1/(N−1) | outputs too small by √((N−1)/N): 29 % for N = 2, 0.8 % for N = 64 |
# | $E[x^2]-E[x]^2$ | right near 0; 16, −8 or a `nan` root far from it |
# | `x -= mean` | the caller's array has changed; the backward pass will read it |
# | computing in `float16` | `inf` in the variance, then zeros in the output |
# | float64 out for float32 in | right numbers, twice the memory, and a crash at the next layer that is strict |
# | γ = 1 and β = 0 in every test | a forgotten γ or β passes |

# %% [markdown]
# ## 10. The card
#
# | step | formula | shape | remember |
# |---|---|---|---|
# | mean | $\mu = \frac1N\sum_i x_i$ | (C,) | down the rows |
# | variance | $\sigma^2 = \frac1N\sum_i (x_i-\mu)^2$ | (C,) | 1/N; subtract first, then square |
# | normalise | $\hat x = (x-\mu)/\sqrt{\sigma^2+\varepsilon}$ | (N, C) | ε inside; mean square σ²/(σ²+ε) |
# | scale, shift | $y = \gamma\hat x + \beta$ | (N, C) | learned, one pair per feature |
# | undo | $\gamma=\sqrt{\sigma^2+\varepsilon},\ \beta=\mu$ | (C,) | the identity can be represented |
# | bound | $\lvert\hat x_i\rvert \le \sqrt{N-1}$ | | a batch of two: ±1 |
# | merge | $n\sigma^2 = n_A\sigma_A^2+n_B\sigma_B^2+\delta^2 n_An_B/n$ | (C,) | only differences are squared |

# %% [markdown]
# ## What to try next
#
# - The [assignment](../../release/u02_forward/forward.ipynb): write all of it so that it survives `float16`, a mean of 10 000 and data in pieces.
# - Give `batchnorm` a batch of one. Which output, for which input? Why does `torch.nn.BatchNorm1d` raise an error instead?
# - In section 2, ten rows gave at most 3. Which batch of ten has *two* rows as far out as possible?
# - [Unit 3](../u03_modes/lecture.ipynb): what does the layer do when there is no batch?
#
# ## Sources
#
# - S. Ioffe, C. Szegedy: *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift*, ICML 2015,
#   [arXiv:1502.03167](https://arxiv.org/abs/1502.03167). Algorithm 1 (the four steps), §3 (per feature, per batch; γ and β and the
#   identity), §3.2 (the bias is redundant). That the method works *because* it "reduces internal covariate shift" is the authors' claim; unit 7
#   puts it to the test.
# - K. He, X. Zhang, S. Ren, J. Sun: *Deep Residual Learning for Image Recognition*, CVPR 2016,
#   [arXiv:1512.03385](https://arxiv.org/abs/1512.03385), §3.4: batch norm "right after each convolution". ResNet-50 has 1 + 16·3 + 4 of them.
# - P. A. Samuelson: *How Deviant Can You Be?*, Journal of the American Statistical Association 63 (1968), 1522–1525. The bound √(N−1).
# - T. F. Chan, G. H. Golub, R. J. LeVeque: *Algorithms for Computing the Sample Variance: Analysis and Recommendations*, The American
#   Statistician 37 (1983), 242–247. Cancellation, and the merge.
# - PyTorch: [`torch.nn.BatchNorm1d`](https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html): biased variance to
#   normalise, ε inside the root.
