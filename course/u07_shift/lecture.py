# %% [markdown]
# # Make the shift worse. Does training suffer?
#
# *Batch Normalization: Accelerating Deep Network Training by **Reducing Internal Covariate Shift***: the title of the paper (Ioffe & Szegedy 2015) holds a result and an
# explanation. That training is faster, you can see. But is it faster *because* a shift is reduced? An explanation can be tested: spoil the very thing
# that is said to help, and look whether the help is gone.
#
# | | |
# |---|---|
# | **You will do** | predict, train three small networks, measure one phrase in two ways, walk along a gradient, move two sliders, let five seeds decide |
# | **You will learn** | what "internal covariate shift" can mean, what the evidence supports, and how to say no more than you measured |
# | **You need** | units 2 to 5; PyTorch modules and autograd; means and variances of samples |
# | **It takes** | about 60 minutes with the questions; running all cells takes about ten seconds |
#
# Nothing here is graded. The assignment `shift.ipynb` follows the same order.

# %%
import numpy as np
import torch
from torch import nn

from bnlib.claims import claim, difference_interval
from bnlib.data import digits
from bnlib.experiments.records import load
from bnlib.nets import mlp
from bnlib.plots import Picture
from bnlib.plots.landscape import draw_bands, draw_runs
from bnlib.plots.shift import MODES, draw_input_shift, draw_noise
from bnlib.torch import NoisyBatchNorm1d, distribution_shift, effective_smoothness, layer_inputs
from bnlib.torch import loss_along_gradient, shift_of_gradient, upstream_update_gradients
from bnlib.training import train
from bnlib.widgets import Choice, Slider, explore

torch.set_num_threads(1)  # small networks: more threads only wait for each other

# %% [markdown]
# ## 1. Three networks
#
# The same network three times, the same start weights, batches and learning rate: three hidden layers of 100 ReLU units that read handwritten digits (8 × 8 pixels).
#
# - **none**: linear, ReLU;
# - **batch norm**: linear, batch norm, ReLU;
# - **noisy batch norm**: the same, but after each batch norm every unit is shifted by $m \sim U(-\frac12, \frac12)$ and multiplied by $s \sim U(1, 1.25)$, drawn **anew at every step**.
#
# The third network is an act of sabotage. Batch norm has just given each unit mean 0 and variance 1; now its distribution jumps at random, at every one of the 100 steps. The next layer never sees the same
# distribution twice.
#
# **Predict.** Order the three by how fast they train. Then by how much the inputs of their layers shift from step to step.

# %%
data = digits()
probe = torch.from_numpy(data.train_x[:256])  # the same images, looked at after every step

def watched(norm, steps=100, lr=0.1, seed=0):
    """Train; return the losses, and how far the last layer's inputs moved in each step."""
    model, shifts = mlp([64, 100, 100, 100, 10], norm=norm, seed=seed), []
    seen = [layer_inputs(model, probe)[-1]]

    def look(step, model, loss):
        seen.append(layer_inputs(model, probe)[-1])
        alive = seen[-2].std(0) > 0  # a dead ReLU has no spread to compare with
        shifts.append(distribution_shift(seen[-2][:, alive], seen[-1][:, alive]))

    run = train(model, data, steps=steps, batch_size=64, lr=lr, seed=seed, on_step=look)
    return run.loss, np.array(shifts)

# %%
seeds = iter(range(3))  # each layer draws noise of its own

def noisy_norm(width):
    return NoisyBatchNorm1d(width, mean_scale=0.5, std_scale=1.25, seed=next(seeds))

runs = {"none": watched(None), "batch norm": watched("batch"), "noisy batch norm": watched(noisy_norm)}
for kind, (losses, shifts) in runs.items():
    print(f"{kind:17} mean loss {losses.mean():.3f}, shift in one step {shifts.mean():.4f} standard deviations")
Picture.of(draw_runs(runs), alt="Left: training loss of three networks over 100 steps; batch norm and noisy batch norm fall "
    "together, below the network without. Right: shift per step on a log scale; noisy highest, none a little lower, batch norm far below.")

# %% [markdown]
# <details><summary>What you see</summary>
#
# By shift: noisy above none, and none more than a hundred times above batch norm. By speed: noisy and plain batch norm side by side, the network without behind them.
#
# The network with the **worst** shift of all trains as fast as the one with the least. So a small shift, in this sense, is not *needed* for what batch norm does. That is the experiment
# of Santurkar, Tsipras, Ilyas & Mądry (2018, §2.1), who did it with VGG on CIFAR-10.
# </details>
#
# Be careful what follows. It does *not* follow that the shift is not reduced: the right picture shows that it is, and by a lot. Nor that a shift never does harm. What falls is
# the word *because*: speed came back although the shift did not go.

# %% [markdown]
# ## 2. First meaning: distributions
#
# The paper's words are: "the change in the distribution of network activations due to the change in network parameters during training" (§2). There is no formula. Ours compares the means, feature by feature,
# in units of the spread that was there before:
#
# $$ \text{shift} = \frac1C\sum_c \frac{|\mu_c^{\text{after}} - \mu_c^{\text{before}}|}{\sigma_c^{\text{before}}} . $$
#
# **Why is it so small after batch norm?** No experiment is needed; look at one unit. Its output is $y = \gamma\hat x + \beta$, and over the batch
# $\operatorname{mean}(\hat x) = 0$ and $\operatorname{var}(\hat x) = \frac{v}{v+\varepsilon}$ (unit 2). So, with nothing left out,
#
# $$ \mu = \beta, \qquad \sigma = |\gamma|\sqrt{\tfrac{v}{v+\varepsilon}} \qquad\Longrightarrow\qquad
#    \text{shift of the unit} = \frac{|\Delta\beta|}{|\gamma|}\sqrt{\tfrac{v+\varepsilon}{v}} . $$
#
# Whatever all the layers below did in that step: it does not occur. The mean of a unit after batch norm is a *parameter*, and moves as slowly as a parameter does.
#
# **Predict.** A layer with γ = 2, β = 1, and a step that takes β to 1.1. Its inputs move by five standard deviations in the same step, and spread three times as wide. What is the shift of its output?

# %%
layer = nn.BatchNorm1d(4).double()
nn.init.constant_(layer.weight, 2.0)
nn.init.constant_(layer.bias, 1.0)
x = torch.randn(64, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
x = (x - x.mean(0)) / x.std(0, correction=0)
moved = 3 * x + 5
before = layer(x)
nn.init.constant_(layer.bias, 1.1)
after = layer(moved)
print(f"shift of the input {distribution_shift(x, moved):.3f}, of the output {distribution_shift(before, after):.8f}")

# %% [markdown]
# <details><summary>0.05</summary>
#
# $|\Delta\beta|/|\gamma| = 0.1/2$, and a trace of ε.
# </details>
#
# So the first meaning is fulfilled *by construction*, for the first two moments, at the place just behind the layer, in training mode. Three questions one should ask of every such measurement:
#
# 1. **Where?** In front of the batch norm, at the outputs of the linear layers, nothing is fixed. (Try it, in `watched` with `norm="batch"`: `layer_inputs(model, probe, kinds=(nn.BatchNorm1d,))`.)
# 2. **Which moments?** Mean and variance are held. The rest of the distribution may do what it likes.
# 3. **Which mode?** The next slider.

# %% [markdown]
# ### Play: an input that moves
#
# A linear layer, then batch norm or not. Its input is moved and rescaled from outside. **Predict before each move:**
#
# 1. `training`: which shift, which scale does the next layer notice?
# 2. `evaluation`: the statistics are stored numbers. And now?

# %%
explore(
    draw_input_shift,
    title="What of a moved input gets through?",
    alt="Left: histogram of one unit's output before and after its input moved. Right: bars of the shift that the next layer "
    "notices; none in training mode, the whole shift in evaluation mode and without batch norm",
    shift=Slider("shift of the inputs", -3.0, 3.0, 0.25, 1.0, unit="standard deviations"),
    scale=Slider("factor of the inputs", 0.25, 4.0, 2**0.5, 1.0, log=True),
    mode=Choice("mode", MODES, "training"),
)

# %% [markdown]
# <details><summary>What you see</summary>
#
# In training mode the orange histogram lies on the grey one, whatever you do: moving and rescaling all rows is exactly what the layer cannot see (unit 4). In evaluation mode everything
# gets through, as without batch norm.
#
# The *older* "covariate shift" (Shimodaira 2000) is that of test data which come from elsewhere than the training data. Batch norm in evaluation mode does nothing against it;
# re-estimating the statistics on the new data does (Li et al. 2016; `recalibrate` of unit 3).
# </details>
#
# ### Play: how much sabotage?
#
# **Predict.** How does the shift grow with the noise? At which level is it as large as that of the network without batch norm in section 1?

# %%
explore(
    draw_noise,
    title="Noise after batch norm",
    alt="Left: density of one unit at five neighbouring steps, the further apart the higher the noise. Right: shift in one "
    "step against the noise level, growing from 0, nearly a straight line",
    level=Slider("noise level", 0.0, 2.0, 0.25, 1.0),
    step=Slider("first step shown", 0, 20, 1, 0),
)

# %% [markdown]
# <details><summary>What you see</summary>
#
# Nearly a straight line: two draws of $m$ are a third of the range apart on average, and the range grows with the level. Level 1 gives 0.30, a level a little above a half the 0.18 of the
# network without batch norm. (Section 1 measured 0.25 for the noise of level 1: behind the ReLU, which hides part of it.)
# </details>
#
# ## 3. Second meaning: gradients
#
# A layer knows nothing of distributions. What it gets is a gradient, worked out as if all other layers stood still. They do not: they step at the same time. So here is a shift that
# the layer really feels (Santurkar et al. 2018, Definition 2.1): its gradient, before and after **the layers before it** have taken their step, on the same batch.
#
# $$ G = \nabla_{W_i} L(W_1, \dots, W_k), \qquad G' = \nabla_{W_i} L(W_1', \dots, W_{i-1}',\; W_i, \dots, W_k), \qquad
#    \text{shift} = \|G - G'\|_2, \quad \text{and } \cos\angle(G, G') . $$
#
# Two weights are enough to see that it can be large. $h = w_0 x$, output $w_1 h$, loss $\frac12(w_1 h - y)^2$, with $x = 1$, $y = 5$, $w_0 = 2$, $w_1 = 3$: the error is $6 - 5 = 1$, so
#
# $$ \nabla_{w_1} L = 1\cdot h = 2, \qquad \nabla_{w_0} L = 1\cdot w_1 x = 3 . $$
#
# Step $w_0$ with lr = 0.5: $w_0' = 0.5$, $h' = 0.5$, the error is $1.5 - 5 = -3.5$, and $\nabla_{w_1}L = -3.5\cdot 0.5 = -1.75$. **The gradient of $w_1$ has turned round**, and $w_1$ was not told.
#
# **Predict.** In a network at work: is the angle larger with batch norm or without? At a learning rate of 0.1, and at 0.01?

# %%
def gradient_shift(norm, lr, seed=0, steps=30):
    """Train a while; return Definition 2.1 for the last layer."""
    model = mlp([64, 100, 100, 100, 10], norm=norm, seed=seed)
    train(model, data, steps=steps, batch_size=64, lr=lr, seed=seed)
    last = 6 if norm else 3  # batch norm layers own parameters, too
    x, y = probe, torch.from_numpy(data.train_y[:256])
    return shift_of_gradient(*upstream_update_gradients(model, last, nn.functional.cross_entropy, x, y, lr))

for lr in (0.1, 0.01):
    for norm in (None, "batch"):
        found = np.array([gradient_shift(norm, lr, seed) for seed in range(3)])
        print(f"lr {lr:<4g} {norm or 'none':5}  l2 {found[:, 0].mean():.4f}   cosine {found[:, 1].mean():.4f}")

# %% [markdown]
# At 0.1 the gradient of the plain network turns by more than 60 degrees in a single step of the layers below, with batch norm by hardly three. At 0.01 there is nothing between them. Santurkar et al. report a third
# answer for their networks: in VGG as much shift with batch norm as without, often more; in a deep linear network $G$ and $G'$ are nearly uncorrelated with it, and nearly equal without (Figure 2).
#
# Same measure, other network or learning rate, other answer. That is a finding, too: **the claim is not one about batch norm alone**. It needs the words "for this depth, these data, this
# learning rate".

# %% [markdown]
# ## 4. The other explanation: a smoother loss
#
# What Santurkar et al. put in its place: batch norm makes the loss *smoother*, so the gradient tells the truth for longer, so larger steps are safe. That, too, can be measured. Stand at $w$, take the
# gradient $g$ on one batch, and walk:
#
# $$ L(w - t\,g) \quad\text{for several } t, \qquad\qquad
#    \beta = \max_t \frac{\|g(w) - g(w - t\,g)\|}{\|t\,g\|} . $$
#
# Left the range of losses that an unlucky learning rate would have met; right the *effective smoothness*: how fast the gradient changes on the way. For a parabola β is its second derivative, and gradient descent is stable for steps
# below $2/\beta$.
#
# **Predict.** The band of losses over 60 steps of training, for t from half the learning rate to four times it: how wide, with and without?

# %%
along, y_probe = 0.1 * np.array([0.5, 1, 2, 4]), torch.from_numpy(data.train_y[:256])

def landscape(norm, steps=60, every=3):
    """Train; every few steps, look along the gradient."""
    low, high, beta = [], [], []

    def look(step, model, loss):
        if (step + 1) % every == 0:
            args = model, nn.functional.cross_entropy, probe, y_probe, along
            losses = loss_along_gradient(*args)
            low.append(losses.min()), high.append(losses.max()), beta.append(effective_smoothness(*args))

    model = mlp([64, 100, 100, 100, 10], norm=norm, seed=0)
    train(model, data, steps=steps, batch_size=64, lr=0.1, on_step=look)
    return np.array(low), np.array(high), np.mean(beta)

# %%
bands = {kind: landscape(norm) for kind, norm in (("none", None), ("batch norm", "batch"))}
for kind, (low, high, beta) in bands.items():
    print(f"{kind:10}  mean width of the band {np.mean(high - low):.3f}   mean effective smoothness {beta:.2f}")
Picture.of(draw_bands({kind: band[:2] for kind, band in bands.items()}, every=3), alt="Lowest and highest loss along the gradient "
    "over 60 steps, without batch norm a wide and ragged band, with batch norm a narrow one that falls smoothly.")

# %% [markdown]
# <details><summary>What you see</summary>
#
# Without batch norm, four times the learning rate would again and again have thrown the loss up; with it hardly ever. The gradient changes several times less for each unit of way.
# </details>
#
# Is *this* now the reason? The logic of section 1 applies: something that comes along with faster training need not be its cause. What speaks for smoothness is that it makes a prediction which can fail, larger stable
# learning rates, and that prediction holds (Bjorck et al. 2018 argue from there). What speaks against taking it for the last word: at initialisation a *deep* network with batch norm has exploding
# gradients (Yang et al. 2019; unit 1), which is anything but smooth.

# %% [markdown]
# ## 5. From runs to a verdict
#
# So far there was one seed, or three. How many runs does a claim need? Here is a world without any effect: two kinds of runs, all drawn from **the same** distribution, five of each.
#
# **Predict.** Whoever compares the two means finds a winner. How often? And whoever asks whether the 95 % interval of the difference leaves out 0?

# %%
rng = np.random.default_rng(0)
worlds = rng.normal(size=(300, 2, 5))
by_means = np.mean([a.mean() != b.mean() for a, b in worlds])
by_interval = np.mean([claim(a, b) != "undecided" for a, b in worlds])
print(f"a winner by means: {by_means:.0%}   by the interval: {by_interval:.0%}")
low, high = difference_interval(*worlds[0])
print(f"first world: means {worlds[0].mean(axis=1).round(2)}, interval of the difference {low:.2f} to {high:.2f}")

# %% [markdown]
# The interval is Welch's: with $u = s^2/n$ for each sample ($s^2$ unbiased, n−1), the half width is $t_{0.975}(\nu)\sqrt{u_a + u_b}$. By design it is wrong in about one world of twenty. Three verdicts follow: below 0 *supported*, above 0 *refuted*, around 0
# *undecided*. The third is no failure: it is what most comparisons of two runs deserve.
#
# A run that **diverged** has no number, and must not be dropped: whoever diverges most would look best. It counts as the worst, and samples with such runs are compared by rank.
#
# Here are all the measurements of this lecture with five seeds each, as `python -m bnlib.experiments` made them:

# %%
for name in ("shift_distribution", "shift_gradient", "smoothness", "noisy_batchnorm"):
    found = load(name)
    print(f"{found.claim}  →  {found.outcome.verdict}")
    for m in found.outcome.measures:
        low, high = difference_interval(m.with_bn, m.without_bn)
        print(f"    {m.name}: {np.mean(m.with_bn):.4g} ({m.with_label}), {np.mean(m.without_bn):.4g} ({m.without_label}),"
              f" difference {low:.3g} to {high:.3g}")

# %% [markdown]
# ## 6. What people get wrong
#
# - **"Batch norm works because it reduces internal covariate shift."** The first half is a measurement, the second an explanation, and the experiment of section 1 speaks against it. Say: *Ioffe & Szegedy propose that …; Santurkar et al. find that …*
# - **"Santurkar et al. showed that there is no shift."** They showed that more shift does not hurt, and that in another sense of the word it is not reduced, in their networks.
# - **Measuring in the wrong mode.** In evaluation mode you measure the running statistics' lag.
# - **Leaving a trace.** A forward pass in training mode moves the running statistics; `backward()` adds to `.grad`; a walk along the gradient must be walked back to the last bit. Measure a copy.
# - **torch's `std` divides by N − 1**, NumPy's by N. Two tools, two shifts.
# - **One seed.** See section 5.

# %% [markdown]
# ## 7. One card
#
# | | meaning | with batch norm | so |
# |---|---|---|---|
# | shift of distributions | means of a layer's inputs move | small, by construction: $\lvert\Delta\beta\rvert/\lvert\gamma\rvert$ | true, but it does not explain the speed: noise brings the shift back and the speed stays |
# | shift of gradients | Def. 2.1: my gradient, after those before me moved | smaller in our small network at a large learning rate; no difference at a small one; not smaller in VGG | depends on network and learning rate |
# | smoothness | loss and gradient along the gradient | smoother, here and there | the better-supported explanation of larger steps |
# | verdict | 95 % interval of the difference over seeds | | supported, refuted or undecided |
#
# ## Try next
#
# - The assignment: write these measures yourself, and claim from your own log.
# - Give the *first* network (none) noise as well. Does it survive it as well as batch norm does?
# - Repeat section 3 with ten hidden layers, or with `activation="linear"`: when do the gradients stop agreeing?
#
# ## Sources
#
# - S. Ioffe, C. Szegedy, *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift*, ICML 2015, [arXiv:1502.03167](https://arxiv.org/abs/1502.03167): §2 (the word), §4.1.
# - S. Santurkar, D. Tsipras, A. Ilyas, A. Mądry, *How Does Batch Normalization Help Optimization?*, NeurIPS 2018, [arXiv:1805.11604](https://arxiv.org/abs/1805.11604): §2.1 and Figure 1 (noise), §2.2, Definition 2.1 and Figure 2 (gradients), §3 and Figure 4 (smoothness).
# - J. Bjorck, C. Gomes, B. Selman, K. Weinberger, *Understanding Batch Normalization*, NeurIPS 2018, [arXiv:1806.02375](https://arxiv.org/abs/1806.02375).
# - G. Yang, J. Pennington, V. Rao, J. Sohl-Dickstein, S. Schoenholz, *A Mean Field Theory of Batch Normalization*, ICLR 2019, [arXiv:1902.08129](https://arxiv.org/abs/1902.08129).
# - Y. Li, N. Wang, J. Shi, J. Liu, X. Hou, *Revisiting Batch Normalization For Practical Domain Adaptation*, 2016, [arXiv:1603.04779](https://arxiv.org/abs/1603.04779).
# - H. Shimodaira, *Improving predictive inference under covariate shift by weighting the log-likelihood function*, Journal of Statistical Planning and Inference 90, 2000.
# - B. L. Welch, *The generalization of "Student's" problem when several different population variances are involved*, Biometrika 34, 1947.
