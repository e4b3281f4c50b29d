# %% [markdown]
# # Same photo, another answer
#
# We train a classifier of digits to about 99 %. Then we show it **one and the same photo**, with the same weights,
# in five kinds of company. It gives four different answers. There is no randomness in the network, no bug in PyTorch, and
# the photo is a perfectly ordinary 9.
#
# What has changed between the calls? Only who else was in the batch.
#
# | | |
# |---|---|
# | **You will do** | guess, run, find the culprit, derive the cure (running statistics), play with four interactive figures, break it on purpose |
# | **You will learn** | why batch norm has two modes, what `momentum` really averages, why the layer stores another variance than it divides by, and how to move a network to another camera without a label |
# | **You need** | unit 2 (mean, variance, ε, γ, β); expected value and variance of a sum of independent numbers. PyTorch only to read: what matters of it is explained |
# | **It takes** | about 60 minutes with the questions; running all cells takes seconds |
#
# Nothing here is graded. The assignment `modes.ipynb` follows the same order.

# %%
import copy
from functools import partial

import numpy as np
import torch
from torch import nn

from bnlib.plots.neighbours import COMPANIES, company_of, draw_accuracy_by_light, draw_neighbours
from bnlib.plots.photos import digit_photos, relight
from bnlib.plots.running import draw_running
from bnlib.plots.spread import draw_small_batches
from bnlib.widgets import Choice, Slider, explore

np.set_printoptions(precision=4, suppress=True, linewidth=100)

# %% [markdown]
# ## 1. One photo, five companies
#
# 3000 small photos of digits to train on, 1000 new ones to test with (drawn from typefaces, then turned, shifted and lit
# at random). The network is as plain as can be: linear, batch norm, ReLU, twice, and a linear layer at the end.

# %%
photos, labels = digit_photos(3000, seed=0)
new, truth = digit_photos(1000, seed=1)

torch.manual_seed(0)
net = nn.Sequential(
    nn.Flatten(),
    nn.Linear(256, 64, bias=False),
    nn.BatchNorm1d(64),
    nn.ReLU(),
    nn.Linear(64, 32, bias=False),
    nn.BatchNorm1d(32),
    nn.ReLU(),
    nn.Linear(32, 10),
)

# %%
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, total_iters=10)
x_all, y_all = torch.from_numpy(photos), torch.from_numpy(labels)
for _epoch in range(10):
    for rows in torch.randperm(3000).split(50):
        loss = nn.functional.cross_entropy(net(x_all[rows]), y_all[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    schedule.step()
print(f"loss on the last batch: {loss.item():.3f}")

# %% [markdown]
# Trained. Now we use it, the way one does on a first try: hand it a batch, take the largest output. (The function works on
# a *copy* of the network, so that nothing we do here leaves traces.)


# %%
@torch.no_grad()
def classify(batch, mode="train"):
    copied = copy.deepcopy(net).train(mode == "train")  # as it is right after training
    return copied(torch.from_numpy(batch)).softmax(dim=1).numpy()


photo = new[7]
print("this is a", truth[7])

# %% [markdown]
# **Predict.** We put the photo into batches of 16, thirty times for each kind of company: 15 random digits, 15 zeros, 15 ones, 15 sevens, 15
# copies of the photo itself. How often, of 30, will the network call it a 9?

# %%
for company in COMPANIES:
    batches = [company_of(photo, photos, labels, company, 16, seed) for seed in range(30)]
    says = [classify(batch)[0].argmax() for batch in batches]
    digits, counts = np.unique(says, return_counts=True)
    votes = ", ".join(f"{count} × {digit}" for digit, count in zip(digits, counts, strict=True))
    print(f"in company of {company:17s} it is  {votes}")

# %% [markdown]
# <details><summary>What is going on?</summary>
#
# Batch norm measures each feature against *the batch*: its mean is the zero point, its standard deviation the unit. Among zeros, what all zeros
# have in common becomes the zero point, and what remains of our photo is "how it differs from a 0", in units of how zeros differ from each
# other. The weights that follow were trained on batches of mixed digits, and read that wrongly. (Among ones our 9 happens to
# survive. Set `photo` to other ones of `new`, and see how many do.)
#
# The last line is the strangest. Keep it in mind for a minute.
# </details>
#
# **Play.** Choose the company and the batch size. How large must a batch of mixed digits be before the answer is stable? What happens with many copies?

# %%
explore(
    partial(draw_neighbours, photo=photo, photos=photos, labels=labels, classify=classify),
    title="The framed photo never changes",
    alt="Left: the batch, the photo framed. Right: the classifier's probabilities for the framed "
    "photo; they change with the company.",
    company=Choice("the neighbours are", COMPANIES, COMPANIES[0]),
    size=Slider("batch size", 2, 64, 2, 16, log=True, unit="photos"),
    seed=Choice("random seed", (0, 1, 2), 0),
)

# %% [markdown]
# ## 2. The test: classify 100 images one at a time
#
# A classifier in a phone does not get batches. It gets one image. Here is an old test for code with batch norm (Udacity's
# course sets it), and still the best: **classify 100 images one at a time, and see whether you get the same as all at once.**
#
# **Predict.** What will a network in training mode do with a batch of one?

# %%
try:
    classify(new[:1])
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# A batch of one: the mean *is* the value, $x - \mu = 0$, and nothing is left of the image. PyTorch refuses, rightly.
#
# So let us be clever: duplicate the image, and feed a batch of two. No error any more.
#
# **Predict.** What accuracy does the clever version reach on the first 100 photos?

# %%
says = np.array([classify(np.stack([image, image]))[0].argmax() for image in new[:100]])
print("accuracy:", np.mean(says == truth[:100]))
print("different answers given:", np.unique(says))

# %% [markdown]
# <details><summary>The same answer to every photo. Why?</summary>
#
# The two rows are equal, so each is its batch's mean: $\hat x = 0/\sqrt{0 + \varepsilon} = 0$, and $y = \beta$. What comes out of
# the first batch norm does not depend on the image at all. The rest of the network works on β, and always arrives at the same digit.
# An error would have been kinder. (This was the last line of the table above.)
# </details>
#
# Now the whole picture: the same 1000 photos, classified in both modes, in batches of different sizes, shuffled or sorted by
# digit. Nothing else changes.
#
# **Predict** the two numbers for batches of 100 in training mode: shuffled, and sorted by digit.

# %%
shuffled, by_digit = np.random.default_rng(0).permutation(1000), np.argsort(truth, kind="stable")


def accuracy(order, size, mode):
    answers = [classify(new[rows], mode).argmax(axis=1) for rows in np.split(order, 1000 // size)]
    return np.mean(np.concatenate(answers) == truth[order])


print("batch size        100     10      2      1")
for mode, name in (("train", "shuffled"), ("train", "sorted"), ("eval", "sorted")):
    order = shuffled if name == "shuffled" else by_digit
    sizes = (100, 10, 2) if mode == "train" else (100, 10, 2, 1)
    print(f"{mode:5s} {name:9s}", *(f"{accuracy(order, size, mode):6.3f}" for size in sizes))

# %% [markdown]
# Sorted by digit, a network that knows its digits to 98 % becomes *useless*. The order of the test data decides. In the last row
# it does not: there we called `net.eval()` first, and there a batch of one works, too.
#
# That one call is the subject of this unit. **What does `eval()` switch to, and where does it get it from?**
#
# Before we answer, write the test down properly. Not "the accuracy is about the same", but: *each row's output is the same, whoever
# else is there.*

# %%
alone = np.concatenate([classify(image[np.newaxis], "eval") for image in new[:100]])
together = classify(new[:100], "eval")
print("eval mode, largest difference of a probability:", np.abs(alone - together).max())

# %% [markdown]
# (Not exactly 0: a matrix product adds up in another order for one row than for a hundred, and `float32` rounds differently. In training mode
# the difference was a wrong digit.)
#
# ## 3. Two modes, and what the second one needs
#
# Write the layer with the statistics as *arguments*:
#
# $$y = \gamma\,\frac{x - \mathtt{mean}}{\sqrt{\mathtt{var} + \varepsilon}} + \beta .$$
#
# | mode | `mean` and `var` | the output of one row depends on |
# |---|---|---|
# | training | mean and variance **of this batch** | all rows of the batch |
# | evaluation | **fixed** numbers, one pair per feature | that row |
#
# Which fixed numbers? Those the network got used to: the mean and the variance that the feature has *on the training data as a
# whole*. Ioffe & Szegedy (2015, Algorithm 2, line 10) take them after training, as an average over many training batches. (For
# watching the accuracy *during* training they mention moving averages, §3.1.) That is a
# second pass over the data, and during training you could not evaluate at all. So in practice everybody (PyTorch, Keras, JAX's Flax)
# collects them *on the way*, in **buffers**: numbers that belong to the layer, are saved with it, but get no gradient.
#
# | | | changed by | start |
# |---|---|---|---|
# | `weight`, `bias` | γ, β: parameters | the optimizer | 1, 0 |
# | `running_mean`, `running_var` | buffers | **the forward pass in training mode** | 0, 1 |
# | `num_batches_tracked` | buffer, counts | the forward pass in training mode | 0 |
#
# Look at the middle row again. A *forward pass* changes the layer. Nearly every bug in section 8 comes from that.
#
# So why not use fixed statistics in training as well? Because then normalising would no longer follow the weights: each step moves them,
# and the stored statistics belong to the weights of yesterday. Using the batch's own statistics, and letting the gradient know
# (unit 4), keeps every output normalised at every step (Ioffe & Szegedy 2015, §2 shows what goes wrong otherwise: updates that cancel, and a
# bias that grows without bound).

# %% [markdown]
# ## 4. A memory of fixed size
#
# The batches come one after the other, with statistics $b_1, b_2, b_3, \dots$ (say, the means of one feature). We want one number
# $r$ that remembers them. Mix the new one in with weight $a$, called `momentum` in PyTorch:
#
# $$\boxed{\;r_t = (1-a)\,r_{t-1} + a\,b_t\;} \qquad r_0 = 0 \text{ for the mean, } 1 \text{ for the variance.}$$
#
# What does that average? Put the formula into itself, twice:
#
# $$\begin{aligned}
#   r_t &= a\,b_t + (1-a)\,r_{t-1} \\
#       &= a\,b_t + a(1-a)\,b_{t-1} + (1-a)^2\,r_{t-2} \\
#       &= a\,b_t + a(1-a)\,b_{t-1} + a(1-a)^2\,b_{t-2} + (1-a)^3\,r_{t-3} .
#   \end{aligned}$$
#
# Continue down to $r_0$:
#
# $$r_t = \sum_{k=0}^{t-1} a(1-a)^k\, b_{t-k} \;+\; (1-a)^t\, r_0 .$$
#
# A batch that lies $k$ steps back has weight $a(1-a)^k$: an **exponential moving average**. The weights of the batches add up to $1-(1-a)^t$ (geometric
# series), and the start value has the rest.
#
# **Bias: what is left of the start.** Let the batch statistic have expected value $\mu$. Take expected values on both sides:
#
# $$E[r_t] = \big(1-(1-a)^t\big)\mu + (1-a)^t r_0 = \mu + (1-a)^t\,(r_0 - \mu).$$
#
# The error of the start shrinks by the factor $1-a$ per batch. With $a = 0.1$: 35 % after 10 batches, 1 % after 44.
#
# **Noise: what stays forever.** Let the batches be independent, each $b$ with variance $s^2$. Variances of independent terms add, with the
# weights squared:
#
# $$\operatorname{Var}[r_t] = s^2 a^2 \sum_{k=0}^{t-1} (1-a)^{2k} = s^2 a^2\,\frac{1-(1-a)^{2t}}{1-(1-a)^2}
#   = s^2\,\frac{a}{2-a}\,\big(1-(1-a)^{2t}\big),$$
#
# because $1-(1-a)^2 = a(2-a)$. For large $t$: $\;\operatorname{Var}[r_\infty] = s^2\, a/(2-a)$. A plain average of $n$ batches would have
# $s^2/n$, so the running value is worth as much as an average of
#
# $$\boxed{\;n = \frac{2-a}{a}\;}\qquad a = 0.1:\; n = 19 \text{ batches.}$$
#
# Train for a million steps: the buffers still know no more than 19 batches' worth. A small $a$ means little noise and a long bias, a large $a$ the
# other way round. There is no value that gives both.
#
# **Predict, then hold the formulas against an experiment:** 20 000 layers, 30 batches each, $a = 0.1$, feature with mean 5 and standard deviation
# 2, batches of $m = 16$ values. How large is the average $r_{30}$, and how much does it vary?

# %%
rng = np.random.default_rng(0)
a, t, mu, sigma, m = 0.1, 30, 5.0, 2.0, 16
r = np.zeros(20_000)
for _ in range(t):
    batch_means = rng.normal(mu, sigma / np.sqrt(m), size=r.size)  # the mean of m values: std σ/√m
    r = (1 - a) * r + a * batch_means
expected = mu + (1 - a) ** t * (0 - mu)
spread = sigma / np.sqrt(m) * np.sqrt(a / (2 - a) * (1 - (1 - a) ** (2 * t)))
print(f"mean of r:  experiment {r.mean():.4f}   formula {expected:.4f}")
print(f"std of r:   experiment {r.std():.4f}   formula {spread:.4f}")

# %% [markdown]
# **Play.** Find (1) a momentum with which 200 batches are not enough, (2) one with which the variance never comes to rest, (3) what a larger batch helps
# against, and what it does not. The thin green line is `momentum=None`: the plain average of all batches so far, $a_t = 1/t$.

# %%
explore(
    draw_running,
    title="Bias at the start, noise at the end",
    alt="Running mean and running variance over 200 batches, with a band of what theory expects: a "
    "small momentum approaches the truth slowly and stays near it, a large one gets there at once "
    "and keeps jumping.",
    momentum=Slider("momentum", 0.00625, 1.0, 2, 0.1, log=True),
    m=Slider("batch size m", 2, 128, 2, 16, log=True, unit="values"),
    seed=Choice("random seed", (0, 1, 2), 0),
)

# %% [markdown]
# <details><summary>If the plain average is so much better, why is it not the default?</summary>
#
# Because in training the truth moves: the weights below change with every step, and batches from a thousand steps ago describe another
# network. An average that forgets is the right one *while* the weights change. Once they stand still, the plain average is better:
# that is what `recalibrate` in the assignment does.
# </details>
# <details><summary>What does a larger batch help against?</summary>
#
# Against the noise: the mean of $m$ values has variance $s^2 = \sigma^2/m$. Against the bias it does nothing: $(1-a)^t$ knows only how
# many batches there were, not how large they were.
# </details>
#
# Why $1/t$? Ask for the plain average $r_t = \frac1t\sum_{k\le t} b_k$ and split off the last term:
# $r_t = \frac1t\big((t-1)\,r_{t-1} + b_t\big) = \big(1-\frac1t\big)\,r_{t-1} + \frac1t\,b_t$. The same update with $a = 1/t$. At $t = 1$ it is $a = 1$: the start value is
# forgotten at once. That is what `num_batches_tracked` is for.

# %% [markdown]
# ## 5. Which variance to remember
#
# One feature, true variance σ² = 4, batches of two. We look at ten thousand batches, and average their variances (the $1/N$ ones of unit 2).
#
# **Predict** the average.

# %%
pairs = rng.normal(5.0, 2.0, size=(10_000, 2))
print("average of the batch variances:", pairs.var(axis=1).mean())

# %% [markdown]
# Half! Not by bad luck: the values of a batch are closer to *their own* mean than to the true one, because their own mean is made from
# them. How much closer? Take $m$ independent values with mean μ and variance σ², and $\bar x$ for the batch mean. Insert μ:
#
# $$\begin{aligned}
#   \sum_i (x_i-\bar x)^2 &= \sum_i \big((x_i-\mu) - (\bar x-\mu)\big)^2 \\
#     &= \sum_i (x_i-\mu)^2 - 2(\bar x-\mu)\underbrace{\sum_i (x_i-\mu)}_{=\,m(\bar x-\mu)} + m(\bar x-\mu)^2
#      = \sum_i (x_i-\mu)^2 - m(\bar x-\mu)^2 .
#   \end{aligned}$$
#
# Expected values: $E(x_i-\mu)^2 = \sigma^2$, and the mean of $m$ values has variance $E(\bar x-\mu)^2 = \sigma^2/m$. So
#
# $$E\Big[\sum_i (x_i-\bar x)^2\Big] = m\,\sigma^2 - m\,\frac{\sigma^2}{m} = (m-1)\,\sigma^2 .$$
#
# The batch variance $\frac1m\sum_i (x_i - \bar x)^2$ is too small by the factor $(m-1)/m$ on average: it is **biased**. Undo it (Bessel's correction):
#
# $$\boxed{\;v_{\text{unbiased}} = v_{\text{biased}}\cdot\frac{m}{m-1}\;}$$
#
# For $m = 2$ that is a factor 2, for $m = 64$ one of 1.016. So the layer handles two variances, and both are right **in their place**:
#
# | | divided by | why |
# |---|---|---|
# | to normalise *this* batch | $m$ | these $m$ numbers shall have mean square 1 (unit 2): nothing is estimated |
# | to remember for *later* | $m-1$ | the variance of the population is estimated |
#
# Ioffe & Szegedy (2015, §3.1) write it as $\operatorname{Var}[x] = \frac{m}{m-1}\,E_{\mathcal B}[\sigma^2_{\mathcal B}]$. PyTorch does it,
# `batch_norm` in Keras 3 does not. Does it matter? **Play:** how wide is the *output* in evaluation mode, for each choice?

# %%
explore(
    draw_small_batches,
    title="Standard deviation of the output in evaluation mode",
    alt="Standard deviation of the output in evaluation mode over the batch size: 1 with the "
    "unbiased variance stored, larger with the biased one, most of all for small batches.",
    m=Slider("batch size m", 2, 128, 2, 2, log=True, unit="values"),
)

# %% [markdown]
# So it matters for small batches: at $m = 2$ the output is 41 % too wide ($\sqrt 2$) if the biased variance is stored, at $m = 64$ less than 1 %.
#
# ## 6. The layer as code
#
# Two functions and a state: that is the whole layer. In the assignment you turn it into a class.


# %%
def train_step(x, state, eps=1e-5, a=0.1):
    m = len(x)
    mean, var = x.mean(axis=0), x.var(axis=0)  # (C,), (C,)   of this batch; var is the biased one
    y = state["weight"] * (x - mean) / np.sqrt(var + eps) + state["bias"]
    new = state | {
        "running_mean": (1 - a) * state["running_mean"] + a * mean,
        "running_var": (1 - a) * state["running_var"] + a * var * m / (m - 1),  # the unbiased one
        "num_batches_tracked": state["num_batches_tracked"] + 1,
    }
    return y, new


def eval_step(x, state, eps=1e-5):
    x_hat = (x - state["running_mean"]) / np.sqrt(state["running_var"] + eps)
    return state["weight"] * x_hat + state["bias"]  # and the state stays as it is


# %% [markdown]
# ### Hold it against PyTorch
#
# Three steps of training on different batches, then evaluation; several batch sizes, γ and β that are not 1 and 0, one feature that is
# constant and one far from zero. Compared are the outputs *and the buffers*: a layer can answer rightly and remember wrongly.

# %%
for n, c in [(2, 3), (3, 4), (64, 4)]:
    theirs = nn.BatchNorm1d(c, dtype=torch.float64)
    nn.init.normal_(theirs.weight), nn.init.normal_(theirs.bias)
    state = {key: value.detach().numpy().copy() for key, value in theirs.state_dict().items()}
    gaps = []
    for _ in range(3):
        x = rng.normal(size=(n, c)) * 3.0 + [7.0, 1e4, 0.0, -2.0][:c]
        x[:, 0] = 7.0
        y, state = train_step(x, state)
        gaps.append(np.abs(y - theirs(torch.from_numpy(x)).detach().numpy()).max())
    y, want = eval_step(x, state), theirs.eval()(torch.from_numpy(x)).detach().numpy()
    buffers = max(np.abs(state[k] - theirs.state_dict()[k].numpy()).max() for k in state)
    print(f"N = {n:2d}: training {max(gaps):.0e}, ", end="")
    print(f"evaluation {np.abs(y - want).max():.0e}, buffers {buffers:.0e}")

# %% [markdown]
# (At 10 000 neighbouring `float64` numbers lie $2\cdot10^{-12}$ apart: gaps of that size are a few roundings.)
#
# ## 7. In evaluation the layer is a straight line
#
# With `mean` and `var` fixed, collect what multiplies $x$ and what does not:
#
# $$y = \gamma\,\frac{x-\mathtt{mean}}{\sqrt{\mathtt{var}+\varepsilon}} + \beta
#     = \underbrace{\frac{\gamma}{\sqrt{\mathtt{var}+\varepsilon}}}_{\text{scale}}\,x
#     \;+\; \underbrace{\beta - \mathtt{mean}\cdot\frac{\gamma}{\sqrt{\mathtt{var}+\varepsilon}}}_{\text{shift}} .$$
#
# One multiplication and one addition per feature (Ioffe & Szegedy 2015, Algorithm 2, line 11). All that was special about the layer is gone, and in unit
# 10 we merge these two numbers into the weights of the layer before it: then batch norm costs nothing at all.

# %%
layer = net[2]  # the first batch norm of our network, as trained
scale = layer.weight.detach() / torch.sqrt(layer.running_var + layer.eps)
shift = layer.bias.detach() - layer.running_mean * scale
x = torch.randn(5, 64)
wanted = copy.deepcopy(layer).eval()(x)
print("largest difference:", (scale * x + shift - wanted).abs().max().item())

# %% [markdown]
# In training mode no such line exists: the "slope" changes with each batch.
#
# ## 8. Where it breaks
#
# For this section a helper: run a copy of the network *forward* over some batches in training mode, no gradient, no optimizer, then measure it
# in evaluation mode.


# %%
def after_forward_passes(batches, momentum=0.1, reset=False, scale=1.0):
    copied = copy.deepcopy(net).train()
    copied[1].weight.data *= scale  # the first linear layer; 1.0 leaves it as it is
    for module in copied.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.momentum = momentum
            if reset:
                module.reset_running_stats()
    with torch.no_grad():
        for batch in batches:
            copied(torch.from_numpy(batch))
    return copied.eval()


# %%
@torch.no_grad()
def eval_accuracy(network, images=new):
    return np.mean(network(torch.from_numpy(images)).argmax(dim=1).numpy() == truth)


mixed = np.split(photos, 60)  # 60 batches of 50
sevens = [photos[labels == 7][:50]]
print("as trained:", eval_accuracy(copy.deepcopy(net).eval()))

# %% [markdown]
# ### "Frozen", and yet it moves
#
# You freeze all parameters (`requires_grad = False`), as one does in transfer learning, and run 20 batches of a new task through the network: only
# sevens. No gradient, no optimizer.
#
# **Predict.** Is the network still the same?

# %%
for parameter in net.parameters():
    parameter.requires_grad_(False)
print("after 20 forward passes over sevens:", eval_accuracy(after_forward_passes(20 * sevens)))
for parameter in net.parameters():
    parameter.requires_grad_(True)

# %% [markdown]
# <details><summary>Why</summary>
#
# `requires_grad` is about gradients. The buffers never had one: the *forward pass* in training mode moves them. Freezing a batch norm layer
# means `eval()` on that layer, and again after every `model.train()`, which switches all of them back
# (<a href="https://github.com/pytorch/pytorch/issues/86590">pytorch#86590</a>, open since 2022; Keras does it for you when `trainable = False`).
# </details>
#
# ### The wrong momentum
#
# Someone ports a Keras model: `momentum=0.99`. In Keras that is the weight of the *old* value. In PyTorch it is the weight of the *new* one.
#
# **Predict** the accuracy after one pass over the training data with 0.01 and with 0.99, and then after *one more* batch, of sevens only.

# %%
print("momentum   60 mixed batches   and one of sevens")
for momentum in (0.01, 0.1, 0.99):
    before = eval_accuracy(after_forward_passes(mixed, momentum))
    after = eval_accuracy(after_forward_passes(mixed + sevens, momentum))
    print(f"{momentum:8}   {before:16.3f}   {after:17.3f}")

# %% [markdown]
# With 0.99 the layer remembers the last batch and nothing else: all is well as long as that batch was typical. A bug that shows
# only now and then.
#
# ### Too little memory, too early
#
# The same weights, trained to the end; only the buffers start from scratch, 0 and 1. **Predict:** with momentum 0.01, how much of the accuracy is
# there after 20 batches? After 200? (With the default 0.1?)

# %%
print("batches seen      5     20     60    200")
for momentum in (0.01, 0.1, None):
    seen = [(4 * mixed)[:k] for k in (5, 20, 60, 200)]
    row = [eval_accuracy(after_forward_passes(part, momentum, reset=True)) for part in seen]
    print(f"momentum {momentum!s:5s}", *(f"{value:6.3f}" for value in row))

# %% [markdown]
# Here $(1-a)^t$ from section 4 is at work: with $a = 0.01$ and 20 batches 82 % of the start values 0 and 1 are still in the buffers. That costs one
# photo in ten, and no more, because the truth happens to lie near 0 and 1 in this network.
#
# It need not. Multiply the weights of the first linear layer by 0.1. In training mode nothing changes: batch norm divides the factor out again
# (unit 2). **Predict** the same table.

# %%
print("batches seen      5     20     60    200")
for momentum in (0.01, 0.1, None):
    row = [eval_accuracy(after_forward_passes(part, momentum, True, 0.1)) for part in seen]
    print(f"momentum {momentum!s:5s}", *(f"{value:6.3f}" for value in row))
width = net[2].running_var.sqrt().mean().item()
print(f"the features are about {width:.2f} wide in the network, {0.1 * width:.3f} with the factor")

# %% [markdown]
# Chance. The features are ten times narrower, so their variance is a hundred times smaller, about 0.002. Next to it even 13 % of a start value of
# 1 (what is left after 200 batches with $a = 0.01$) is enormous. A validation accuracy at chance with a falling training
# loss can be nothing but this: the weights are fine, and the buffers are not there yet.
#
# ### Another camera
#
# The network moves to a camera with haze on the lens: the contrast goes down, the brightness up. We have 500 photos from it, and **no labels**.
#
# The buffers describe the old camera. But to measure a mean and a variance one needs no labels: reset the buffers, run photos of the new camera *forward* in training
# mode with `momentum=None`, and go back to `eval()`. No weight changes. (Li et al. 2016 call it AdaBN.)
#
# **Predict** the accuracy at haze 0.5 before and after.


# %%
def in_haze(images, haze):
    return relight(images, contrast=1 - haze, haze=haze)


unlabelled, _ = digit_photos(500, seed=2)
hazes = np.linspace(0.0, 0.8, 9)
curves = {"old buffers": [], "recalibrated": []}
for haze in hazes:
    seen = np.split(in_haze(unlabelled, haze), 10)
    networks = (copy.deepcopy(net).eval(), after_forward_passes(seen, momentum=None, reset=True))
    for curve, network in zip(curves.values(), networks, strict=True):
        curve.append(eval_accuracy(network, in_haze(new, haze)))
print("haze         ", *(f"{haze:5.1f}" for haze in hazes))
for name, curve in curves.items():
    print(f"{name:13}", *(f"{value:5.3f}" for value in curve))

# %%
explore(
    partial(draw_accuracy_by_light, photos=new, curves=curves, hazes=hazes, relit=in_haze),
    title="The same weights, old and new buffers",
    alt="Left: photos in haze. Right: accuracy over haze; with the old buffers it falls to chance, "
    "with recalibrated ones it stays.",
    haze=Slider("haze", 0.0, 0.8, 0.1, 0.5),
)

# %% [markdown]
# <details><summary>Why does it work so perfectly here?</summary>
#
# This haze maps every photo by $x \mapsto c\,x + h$. After a linear layer each feature is still an affine function of what it was, and batch norm with the *right*
# statistics removes exactly such maps (unit 2, "what batch norm makes redundant"). Rain, blur or another typeface is no such map, and there it helps less.
# </details>
#
# ### Pooling: the average of variances is not the variance
#
# Last one. To recalibrate you want the statistics of *all rows*. **Predict:** batches sorted by digit, is the average of the batch variances right? The average of
# the batch means, when the last batch is smaller?

# %%
feature = photos.reshape(3000, 256)[:, 101].astype(np.float64)  # one pixel
in_order = feature[np.argsort(labels, kind="stable")]
pieces = np.split(in_order, range(400, 3000, 400))  # 7 batches of 400 and one of 200
print("variance of all rows:       ", feature.var(ddof=1))
print("average of the 8 variances: ", np.mean([piece.var(ddof=1) for piece in pieces]))
print("mean of all rows:           ", feature.mean())
print("average of the 8 means:     ", np.mean([piece.mean() for piece in pieces]))

# %% [markdown]
# The average of the variances misses how far the batches lie *from each other*, the $\delta^2$ term of unit 2, section 8. So pool rows, not variances. (`momentum=None` averages
# batches: good when they are mixed and of one size, as above. In the assignment you write the exact one.)
#
# ## 9. Other people's conventions
#
# Three places that say "momentum" and mean two things, and the paper, which has none.
#
# | | this course, PyTorch | Keras 3 | CS231n, assignment 2 | Ioffe & Szegedy 2015 |
# |---|---|---|---|---|
# | update | $(1-a)\,r + a\,b$ | $k\,r + (1-k)\,b$ | $k\,r + (1-k)\,b$ | none: averages batches after training |
# | called | `momentum` | `momentum` | `momentum` | – |
# | default | $a = 0.1$ | $k = 0.99$ | $k = 0.9$ | – |
# | the same in our $a$ | 0.1 | 0.01 | 0.1 | $1/t$, that is `None` |
# | start of the variance | 1 | 1 | **0** | – |
# | variance stored | unbiased, $m-1$ | biased, $m$ | biased, $m$ | unbiased, $\frac{m}{m-1}E[\sigma^2_{\mathcal B}]$ |
# | variance to normalise by | biased | biased | biased | biased |
# | ε | $10^{-5}$ | $10^{-3}$ | $10^{-5}$ | not given |
# | names | `weight`, `bias`, `running_mean`, `running_var` | `gamma`, `beta`, `moving_mean`, `moving_variance` | `gamma`, `beta`, `running_mean`, `running_var` | γ, β, E[x], Var[x] |
# | the mode | `layer.training` (`train()`, `eval()`) | argument `training=` | `bn_param["mode"]` | two networks, $N^{\text{tr}}_{\text{BN}}$ and $N^{\text{inf}}_{\text{BN}}$ |
#
# One line translates: $a = 1 - k$.
#
# ## 10. What people get wrong
#
# | they do | what happens | see |
# |---|---|---|
# | forget `eval()` | answers depend on neighbours; a batch of one raises | 1, 2 |
# | forget `train()` after validating | from then on training runs with fixed statistics, and the buffers stand still | 3 |
# | duplicate an image to get round the error | one answer to everything | 2 |
# | update the buffers in `eval()` as well | the test data leak into the layer, and the order of the test data matters | 3 |
# | take `momentum` the other way round | the layer remembers one batch | 8 |
# | store the biased variance | too wide an output in `eval()`, by $\sqrt{m/(m-1)}$ | 5 |
# | *normalise* with the unbiased one | mean square $(m-1)/m$ instead of 1 | 5, unit 2 |
# | freeze with `requires_grad = False` | the buffers move | 8 |
# | drop the buffers when saving (only `weight`, `bias`) | 0 and 1 after loading | 3 |
# | keep a *reference* as a checkpoint (PyTorch's `state_dict()` hands out references) | the checkpoint trains along | assignment |
#
# ## Summary card
#
# | | training | evaluation |
# |---|---|---|
# | statistics | of this batch, $1/m$ | the buffers |
# | buffers | $r \leftarrow (1-a)\,r + a\,b$; the variance with $m-1$; count + 1 | untouched |
# | a batch of one | `ValueError` | fine |
# | one row's output | depends on the whole batch | depends on that row only |
# | as a function of $x$ | not a line | scale · $x$ + shift |
#
# $$E[r_t] - \mu = (1-a)^t (r_0-\mu), \qquad \operatorname{Var}[r_\infty] = \frac{a}{2-a}\operatorname{Var}[b], \qquad v_{\text{unbiased}} = \frac{m}{m-1}\,v_{\text{biased}}$$
#
# **The test:** classify 100 images one at a time.
#
# ## What to try next
#
# - The assignment `modes.ipynb`: the layer as a class, every line of the summary card checked.
# - In section 8, blur the photos instead of fogging them. How much does recalibrating help?
# - Why does duplicating give *that* digit? Follow β through the network.
# - Unit 4: what the gradient says to a layer whose outputs depend on each other.
#
# ## Sources
#
# - S. Ioffe, C. Szegedy, *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift*, ICML 2015, arXiv:1502.03167: §2
#   (statistics outside the gradient), §3.1 and Algorithm 2 (inference, $m/(m-1)$, the affine form). Whether it reduces what the title says is the authors' claim; unit 7 looks into it.
# - Y. Li, N. Wang, J. Shi, J. Liu, X. Hou, *Revisiting Batch Normalization for Practical Domain Adaptation*, 2016, arXiv:1603.04779 (AdaBN).
# - PyTorch, documentation of `torch.nn.BatchNorm1d` (momentum, unbiased `running_var`); issue 86590 (frozen layers).
# - Keras 3, `keras/src/layers/normalization/batch_normalization.py` (defaults, biased moving variance, `trainable = False`).
# - Stanford CS231n, assignment 2, `cs231n/layers.py`, `batchnorm_forward` (momentum 0.9, running_var from zeros).
# - Udacity, deep learning course, exercises on batch normalization: "classify 100 images one at a time".
