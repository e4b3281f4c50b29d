# %% [markdown]
# # Four famous layers, one line of code
#
# Batch norm made deep image networks trainable. Layer norm is in BERT and in GPT. Instance norm paints your photo like Van Gogh. Group norm trains detectors two images at a time. Four papers, four names, four classes in PyTorch.
#
# Here is the line of code that is all four of them: `(x - x.mean(axes)) / sqrt(x.var(axes) + eps)`. What differs is `axes`.
#
# A batch of 32 images with 64 channels of 56 × 56 pixels goes in. **Guess before you read on:** how many means does each of the four compute? And which of the four gives your image another answer when other images
# stand beside it?
#
# | | |
# |---|---|
# | **You will do** | guess, run, play with one picture of the axes, name six black boxes, train a small CNN with batch norm on either side of the ReLU |
# | **You will learn** | what shares a mean in each norm, why a conv layer has one γ per channel, where the channels are, which norms are each other's special cases, what each of them forgets, who uses which and why |
# | **You need** | unit 2; convolutions by name; `reshape` and `axis` in NumPy |
# | **It takes** | about 50 minutes with the questions; running all cells takes about half a minute |
#
# Nothing here is graded. The assignment `family.ipynb` follows the same order.

# %%
import numpy as np
import torch
from torch import nn

import bnlib
from bnlib.data import digits
from bnlib.experiments.catalogue import experiment
from bnlib.experiments.records import load
from bnlib.nets import cnn
from bnlib.plots import COLORS, Picture, figure
from bnlib.plots.family import draw_family
from bnlib.plots.family_boxes import draw_boxes
from bnlib.training import accuracy, train
from bnlib.widgets import Slider, explore

np.set_printoptions(precision=3, suppress=True, linewidth=100)

# %% [markdown]
# ## 1. One line, and a set of axes
#
# An image batch has four axes: $x_{nchw}$, sample, channel, row, column. Choose a set of axes, average over them, and keep the others:
#
# $$\mu = \operatorname*{mean}_{\text{axes}} x, \qquad \sigma^2 = \operatorname*{mean}_{\text{axes}}\,(x-\mu)^2, \qquad \hat x = \frac{x-\mu}{\sqrt{\sigma^2+\varepsilon}} .$$
#
# | norm | averages over | keeps | so each … has a mean of its own |
# |---|---|---|---|
# | batch | n, h, w | c | channel |
# | layer | c, h, w | n | sample |
# | instance | h, w | n, c | channel of each sample |
# | group | h, w, and c inside a group | n, g | group of channels of each sample |
#
# The last one is no set of axes of $x$. But it becomes one: reshape the $C$ channels to $G$ groups of $C/G$, and average over the second half.
#
# **The same as code**, and beside it PyTorch:

# %%
def norm(x, axes, eps=1e-5):
    mean = x.mean(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(x.var(axis=axes, keepdims=True) + eps)


x = np.random.default_rng(0).normal(3.0, 2.0, size=(5, 6, 4, 4))
t = torch.tensor(x)
pairs = {
    "batch": (norm(x, (0, 2, 3)), nn.BatchNorm2d(6, affine=False).double()(t)),
    "layer": (norm(x, (1, 2, 3)), nn.LayerNorm((6, 4, 4), elementwise_affine=False)(t)),
    "instance": (norm(x, (2, 3)), nn.InstanceNorm2d(6)(t)),
    "group": (norm(x.reshape(5, 3, 2, 4, 4), (2, 3, 4)).reshape(x.shape), nn.GroupNorm(3, 6, affine=False)(t)),
}
for name, (ours, theirs) in pairs.items():
    print(f"{name:9s} differs from PyTorch by at most {np.abs(ours - theirs.numpy()).max():.0e}")

# %% [markdown]
# <details><summary>How many means for 32 images with 64 channels?</summary>
#
# Batch norm: one for each channel, **64**. Layer norm: one for each image, **32**. Instance norm: one for each channel of each image, **2048**. Group norm with 32 groups (the paper's choice): **1024**.
# And only batch norm asks the neighbours: its axes are the only ones with 0 among them.
# </details>
#
# `keepdims=True` is what makes it one line: the averaged axes stay, with length 1, so that the mean meets `x` by broadcasting, whichever axes they were.
#
# ## 2. The picture
#
# Three samples side by side, four channels below one another; each tile is one channel of one sample, 3 × 3 positions. Its colour is its values, the number above it their mean. **Choose a tile** (sample, channel): framed is all that shares its mean and its variance. (The norms are 1 batch, 2 layer, 3 instance, 4 group norm.)
#
# 1. Before you move anything: what will be framed for batch norm? For layer norm? Check.
# 2. Batch norm: add up the three numbers above the tiles *of a row* on the right. Layer norm: the four *of a column*. Why zero (but for rounding)?
# 3. In `x` sample 2 is brighter than the others. After which norms can you still see that? And that channel 1 is the largest?
# 4. Group norm: move the groups to 1, then to 4. Which two norms have you met?
# 5. Move the channels from axis 1 to axis 3, so that `x` is (N, H, W, C). What changes, what does not?

# %%
explore(
    draw_family,
    title="Who shares a mean with whom?",
    alt="Left: three samples with four channels each, as tiles; framed are the tiles that share "
    "mean and variance with the chosen one: a row for batch norm, a column for layer norm, the "
    "tile alone for instance norm, neighbouring channels of a column for group norm. Right: the "
    "same after the norm. Below: the line of NumPy, and mean and spread of the framed values.",
    norm=Slider("norm: BN, LN, IN, GN", 1, 4, 1, 4),
    sample=Slider("sample", 1, 3, 1, 1),
    channel=Slider("channel", 1, 4, 1, 2),
    groups=Slider("groups of group norm", 1, 4, 2, 2, log=True),
    channel_axis=Slider("channels of x on axis", 1, 3, 2, 1),
)

# %% [markdown]
# <details><summary>What there is to see</summary>
#
# - Framed values come out with mean 0 and spread 1, *together*. For batch norm that is a row of tiles, so a row's numbers add up to 0; for layer norm a column. One tile alone is 0 only for instance norm.
# - Batch norm keeps what differs between samples (sample 2 stays brighter) and forgets what differs between channels. Layer norm does the opposite. Instance norm forgets both.
# - One group: layer norm. Four groups: instance norm.
# - Where the channels are changes the numbers of the axes, and nothing else. `axis=(0, 2, 3)` is batch norm *for channels on axis 1*.
# </details>
#
# ## 3. Why a conv layer has one γ per channel
#
# A linear layer has one γ and one β for each feature. A conv layer's output has $C\cdot H\cdot W$ features, and batch norm learns only $C$ of each, and takes its statistics over all positions. Ioffe & Szegedy (2015, §3.2): so that "different elements of the
# same feature map, at different locations, are normalized in the same way".
#
# Why would one want that? A convolution uses **the same filter everywhere**: move the cat by a pixel, and its feature map moves by a pixel. Each position with a γ, or a mean, of its own would end that.
#
# **Predict.** We move *one* image of eight by one pixel (round the edge). Which of these two layers moves its output by one pixel?

# %%
images = np.random.default_rng(1).normal(size=(8, 3, 6, 6))
moved = images.copy()
moved[0] = np.roll(images[0], 1, axis=-1)
for text, axes in (("one mean per channel ", (0, 2, 3)), ("one mean per position", (0,))):
    expected = np.roll(norm(images, axes)[0], 1, axis=-1)
    print(f"{text}: off by {np.abs(norm(moved, axes)[0] - expected).max():.1e}")

# %% [markdown]
# With one mean per channel it does not matter *where* a value stood. There are two more reasons. **More values**: $m = N\cdot H\cdot W$ instead of $N$, so the statistics tremble less (unit 8: $\sigma/\sqrt m$). And **fewer parameters**. ResNet-50, each stage at its output size:

# %%
stages = [(64, 112, 1), (3 * 384 + 256, 56, 1), (4 * 768 + 512, 28, 1)]
stages += [(6 * 1536 + 1024, 14, 1), (3 * 3072 + 2048, 7, 1)]
channels = sum(c for c, _, _ in stages)
entries = sum(c * side * side for c, side, _ in stages)
print(f"γ and β per channel:  {2 * channels:>12,}")
print(f"γ and β per position: {2 * entries:>12,}")

# %% [markdown]
# 53 thousand against 21 million, next to some 25.5 million weights of the whole network.
#
# How many each norm learns for an image layer: batch and group norm $2C$, instance norm $2C$ or none (PyTorch's default is none), layer norm $2CHW$ as `nn.LayerNorm((C, H, W))`. That is why layer norm *of images* is usually written as
# `nn.GroupNorm(1, C)`: the same statistics, with $2C$ parameters, and for any image size.
#
# And a parameter too many: **the bias of a conv layer right before batch norm does nothing.** It shifts a whole channel, and the mean takes it out again. So ResNets write `bias=False`.
#
# ## 4. Where are the channels?
#
# | | shape | channel axis |
# |---|---|---|
# | features | (N, C) | 1 |
# | images in PyTorch, cuDNN | (N, C, H, W) | 1 |
# | images in TensorFlow, JAX, PIL, matplotlib | (N, H, W, C) | −1 |
# | audio, text into `nn.Conv1d` | (N, C, L) | 1 |
# | text in a transformer | (N, T, C) | −1 |
#
# **Batch norm needs to know.** Told wrong, it does not complain; it normalises something else. **Predict:** text, 8 sequences of 5 tokens with 5 features. `nn.BatchNorm1d(5)` takes it without a word. Over what does it average?

# %%
text = np.random.default_rng(2).normal(size=(8, 5, 5)) * [1, 10, 100, 1000, 10_000]  # (N, T, C)
y = nn.BatchNorm1d(5, affine=False).double()(torch.tensor(text)).numpy()
print("spread of each feature after nn.BatchNorm1d:", y.std(axis=(0, 1)))
right = bnlib.batchnorm_nd(text, np.ones(5), np.zeros(5), channel_axis=-1)
print("with the channels where they are:           ", right.std(axis=(0, 1)))

# %% [markdown]
# It took axis 1, the tokens, for the channels, so the five features, of sizes from 1 to 10 000, were averaged together. With 6 tokens there would have been an error. With 5 there is a model that trains badly.
#
# **The second trap is yours.** `gamma * x_hat`, with `gamma` of shape (C,): broadcasting lays a vector along the *last* axis. For (N, H, W, C) that is right. For (N, C, H, W) it is an error, unless the image happens to have C columns. **Predict**
# what is printed for 4 channels of 4 × 4:

# %%
x_hat = norm(np.random.default_rng(3).normal(size=(10, 4, 4, 4)), (0, 2, 3))
gamma = np.array([1.0, 10.0, 100.0, 1000.0])
print("gamma * x_hat:           spread of the channels", (gamma * x_hat).std(axis=(0, 2, 3)))
fits = gamma.reshape(1, 4, 1, 1)
print("gamma (1, C, 1, 1):      spread of the channels", (fits * x_hat).std(axis=(0, 2, 3)))

# %% [markdown]
# **A third one: `reshape` is no `transpose`.** From (N, H, W, C) to (N, C, H, W) one has to move the axis, `np.moveaxis(x, -1, 1)`. `x.reshape(N, C, H, W)` has the right shape, and pixels of all channels mixed in each of them.
#
# ## 5. Twins
#
# Where two sets of axes are the same, two norms are. **Predict** which of these lines print `True`:

# %%
images = np.random.default_rng(4).normal(2.0, 3.0, size=(4, 6, 5, 5))
one, zero = np.ones(6), np.zeros(6)
layer = bnlib.layer_norm(images, np.ones((6, 5, 5)), np.zeros((6, 5, 5)))
instance = bnlib.instance_norm(images)
print("GN(1) is LN:", np.allclose(bnlib.group_norm(images, 1, one, zero), layer))
print("GN(C) is IN:", np.allclose(bnlib.group_norm(images, 6, one, zero), instance))
print("BN is IN:", np.allclose(bnlib.batchnorm_nd(images, one, zero), instance))
alone = [bnlib.batchnorm_nd(image[None], one, zero) for image in images]
print("BN of one image at a time is IN:", np.allclose(np.concatenate(alone), instance))

# %% [markdown]
# - **GN(1) = LN** over (C, H, W), and **GN(C) = IN**: group norm is a dial between the two. (Up to scale and shift: layer norm learns more of them.)
# - **Batch norm of a single image is instance norm.** A batch size of 1 is not just "noisier": in a conv layer it is *another layer*. In evaluation mode it becomes batch norm with stored statistics, which it never was in training.
# - For features (N, C) without positions instance norm is nothing at all: each value is its own mean, and the answer is 0.
#
# **How a group is cut.** Neighbouring channels: `x.reshape(N, G, C // G, H, W)`. The other reshape, `(N, C // G, G, H, W)`, has the same number of groups and deals the channels out like cards: 0, G, 2G, … Both run. Which one is right is a
# convention; trained weights know only one of them.
#
# ## 6. Whom does it listen to, what does it forget?
#
# Two ways to know a norm from outside. **First: nudge one value.** Its mean moves, so all that share this mean move. And nobody else.
#
# **Play: six black boxes.** Two of them hold no norm at all. A box may scale and shift its result, so sizes prove nothing. Name all six before you open the answer. Frames show who felt the nudge.

# %%
explore(
    draw_boxes,
    title="Which norm is in the box?",
    alt="Left: the batch of three samples and four channels; the framed tile holds a value that is "
    "nudged. Right: how far each output of the box moves; framed are the tiles that felt it.",
    box=Slider("box", 1, 6, 1, 1),
    sample=Slider("sample of the nudged value", 1, 3, 1, 1),
    channel=Slider("channel of the nudged value", 1, 4, 1, 1),
    nudge=Slider("nudge", 0.25, 4.0, 2, 2.0, log=True),
)

# %% [markdown]
# <details><summary>The answer</summary>
#
# 1 group norm (2 groups), 2 none, 3 instance norm, 4 batch norm, 5 none, 6 layer norm. Box 5 is the identity. Box 2 is **batch norm in evaluation mode**: it scales and shifts each channel by stored numbers, and no value hears of another. Seen from
# outside, evaluation mode is no norm any more.
# </details>
#
# **Second: what does it forget?** Multiply by 7 and add 3, and look whether the answer changes. **Predict** the table: scaling *each channel* by a number of its own, or *each sample*, or each channel of each sample.

# %%
rng = np.random.default_rng(5)
norms = {
    "batch": lambda v: bnlib.batchnorm_nd(v, one, zero, eps=0.0),
    "layer": lambda v: bnlib.group_norm(v, 1, one, zero, eps=0.0),
    "instance": lambda v: bnlib.instance_norm(v, eps=0.0),
    "group": lambda v: bnlib.group_norm(v, 3, one, zero, eps=0.0),
}
shapes = {"everything": (1, 1, 1, 1), "each sample": (4, 1, 1, 1), "each channel": (1, 6, 1, 1), "both": (4, 6, 1, 1)}
print(f"{'scaled and shifted:':20s}" + "".join(f"{what:>14s}" for what in shapes))
for name, f in norms.items():
    line = f"{name:20s}"
    for shape in shapes.values():
        other = rng.uniform(0.2, 5.0, shape) * images + rng.normal(size=shape)
        line += f"{'forgotten' if np.allclose(f(other), f(images)) else 'seen':>14s}"
    print(line)

# %% [markdown]
# Read it as what a layer is *for*.
#
# - Batch norm forgets the scale of **each channel**, so each filter's length: that is what unit 5 used (length and direction of a weight decouple). It sees how bright a sample is *compared with the others*.
# - Layer norm forgets the scale of **each sample**: how loud a sentence or how exposed an image is. It sees which of its channels are large: all filters together have one scale.
# - Instance norm forgets **both**, the contrast of each channel of each image. For style transfer that is the point: contrast *is* style. For recognising things it may throw out what one needs: *how strongly* a feature is there, compared with other images.
#
# ## 7. Who uses which, and why
#
# | where | norm | because |
# |---|---|---|
# | ResNets and most image classifiers | batch | large batches are to be had; the noise regularises (unit 8); in use it can be folded into the convolution and costs nothing (unit 10) |
# | transformers, text and images | layer, **per token**: over C alone, for (N, T, C) | sequences of different lengths, padding; one token at a time when generating; no running statistics, both modes alike |
# | style transfer, image generation | instance | the contrast of the content image should not matter (Ulyanov et al. 2016); style is put in again through γ and β |
# | detection, segmentation, video | group | one or two large images per GPU; with 2 images per GPU instead of 32 batch norm's error on ImageNet rises from 23.6 to 34.7 %, group norm's stays at 24.1 % (Wu & He 2018) |
# | recurrent networks | layer | the same layer at each time step, sequences of any length (Ba et al. 2016) |
# | many recent language models | RMSNorm: layer norm without the mean | one statistic less, and as good (Zhang & Sennrich 2019) |
#
# **Layer norm per token** is `nn.LayerNorm(C)`: its axes are the *last* ones, as many as the shape it is given has. Given (T, C) it would average over the sequence, too; and a token would hear of those after it.

# %%
tokens = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))  # (N, T, C)
later = tokens.clone()
later[:, -1] += 3.0  # another last token
for text, layer_norm in (("nn.LayerNorm(C)     ", nn.LayerNorm(8)), ("nn.LayerNorm((T, C))", nn.LayerNorm((5, 8)))):
    change = (layer_norm(later) - layer_norm(tokens)).abs()[:, 0].max().item()
    print(f"{text}: the first token's answer moves by {change:.3f}")

# %% [markdown]
# **And what does our own evidence say?** Two of the course's experiments (five seeds each, a 95 % interval, and a verdict that may also be *undecided*):

# %%
for name in ("small_batches", "transformer"):
    if stored := load(name):
        print(f"{stored.outcome.verdict}: {experiment(name).claim}")
        for m in [m for m in stored.outcome.measures if m.decides][:1]:
            ours, theirs = np.mean(m.with_bn), np.mean(m.without_bn)
            print(f"   {m.name}, {m.unit}: {m.with_label} {ours:.2f}, {m.without_label} {theirs:.2f}")

# %% [markdown]
# The second one is no refutation: our transformer is tiny, its windows all have the same length and there is no padding, so what is held against batch norm in the literature (Shen et al. 2020: the statistics of text fluctuate) is hardly there. What the table's
# "because" says of it stays true for another reason: at generation there is one token, and no batch to ask.
#
# ## 8. Before the activation, or after?
#
# Two ways to write the same block. Keras tutorials have both:
#
# ```python
# Conv2D(16, 3, use_bias=False), BatchNormalization(), ReLU()     # before the activation
# Conv2D(16, 3, activation="relu"), BatchNormalization()          # after it
# ```
#
# Ioffe & Szegedy put it before: what comes out of a linear map is "more likely to have a symmetric, non-sparse distribution", so mean and variance describe it better. **Predict:** what does the *next* convolution see in either case: its mean, its spread, the share of
# zeros, of negative numbers?

# %%
data = digits()
for where in ("before", "after"):
    model = cnn((8, 16, 16), 10, norm="batch", placement=where, seed=0)
    with torch.no_grad():
        h = model[:3](torch.from_numpy(data.train_x[:64]))  # conv, and norm and ReLU in some order
    zeros, negative = (h == 0).float().mean(), (h < 0).float().mean()
    print(
        f"{where:7s} mean {abs(h.mean()):.2f}, std {h.std():.2f}, "
        f"zeros {zeros:.0%}, negative {negative:.0%}"
    )

# %% [markdown]
# Before: half zeros, nothing negative, the mean far from 0. After: exactly mean 0 and spread 1, and what was zero is now some negative number, the same for a whole channel. Either can be argued for. So let us train both, and one without:

# %%
curves = {}
for text, norm_name, where in (("before", "batch", "before"), ("after", "batch", "after"), ("no norm", None, "before")):
    model = cnn((8, 16, 16), 10, norm=norm_name, placement=where, seed=0)
    run = train(model, data, steps=150, batch_size=60, lr=0.3, seed=0)
    curves[text] = np.convolve(run.loss, np.ones(10) / 10, mode="valid")
    right = accuracy(model, data.test_x, data.test_y)
    print(f"{text:8s} loss of the last ten batches {curves[text][-1]:.3f}, right on test {right:.1%}")

# %%
fig = figure(xlabel="training step", ylabel="loss (mean of ten batches, nats)")
(ax,) = fig.axes
for (text, losses), color in zip(curves.items(), ("blue", "vermillion", "grey"), strict=True):
    ax.plot(np.arange(10, 10 + len(losses)), losses, color=COLORS[color], label=text)
ax.set_yscale("log")
ax.legend(title="batch norm", frameon=False)
Picture.of(
    fig,
    alt="Training loss over 150 steps on a logarithmic axis: with batch norm before or after the "
    "ReLU it falls much faster than without; on this seed after lies below before all the way.",
)

# %% [markdown]
# One seed is no evidence. The experiment `placement` has five, for an MLP and a CNN, each placement at its own best learning rate:

# %%
if stored := load("placement"):
    print(f"{stored.outcome.verdict}: {experiment('placement').claim}")
    for m in stored.outcome.measures:
        print(f"   {m.name}: before {np.mean(m.with_bn):.1f} %, after {np.mean(m.without_bn):.1f} %")

# %% [markdown]
# *Undecided*, and so is the literature: measured on ImageNet at 128 pixels (ducha-aiki's caffenet-benchmark) CaffeNet is 2.1 points better with batch norm *after* the ReLU, GoogLeNet 0.7 points better with it *before*. What is not a matter of taste: **before** the ReLU a bias in the convolution is useless,
# and in use the norm can be folded into the convolution it follows. **After** it, folding goes into the *next* layer, and zero padding gets in its way: zeros at the border are no longer "nothing".
#
# ## 9. What people get wrong
#
# | they think or do | what is true | see |
# |---|---|---|
# | batch norm normalises each image | only instance and layer norm do; batch norm keeps what differs between images | 2 |
# | layer norm averages over (C, H, W), always | in a transformer over C alone: token by token | 7 |
# | layer norm of images and `nn.GroupNorm(1, C)` are the same | the same statistics, other parameters: $2CHW$ against $2C$ | 3 |
# | `nn.BatchNorm1d` on (N, T, C) | its channels are on axis 1, and it only complains if T ≠ C | 4 |
# | `gamma * x_hat` for (N, C, H, W) | that is the last axis; reshape to (1, C, 1, 1) | 4 |
# | `reshape` to change the layout | it mixes channels; move the axis | 4 |
# | groups as `reshape(N, C // G, G, …)` | that deals the channels out; groups are neighbours: (N, G, C // G, …) | 5 |
# | group norm has a γ per group | one per channel | assignment |
# | batch size 1 is a noisy batch norm | for images it is instance norm, and in evaluation mode something else | 5 |
# | conv with bias before batch norm | the mean takes it out: `bias=False` | 3 |
#
# ## Summary card
#
# | x is (N, C, H, W) | batch | layer | instance | group |
# |---|---|---|---|---|
# | axes | (0, 2, 3) | (1, 2, 3) | (2, 3) | (2, 3, 4) of (N, G, C/G, H, W) |
# | means | C | N | N·C | N·G |
# | values in each | N·H·W | C·H·W | H·W | C/G·H·W |
# | γ and β | C each | C·H·W each | C each or none | C each |
# | a nudge reaches | this channel, all samples | this sample | this channel of this sample | the group's channels of this sample |
# | forgets the scale of | each channel | each sample | both | each group of each sample |
# | needs a batch, two modes | yes | no | no | no |
#
# ## What to try next
#
# - The assignment `family.ipynb`: write all of them, and a detective that names the norm in a box.
# - Take `nn.InstanceNorm2d` into the CNN of section 8 (`norm=nn.InstanceNorm2d`). The digits' brightness does not matter, so it should do well; does it? What about the last block, where the images are 2 × 2?
# - Normalise the digits themselves: multiply each image by a number of its own, from 0.2 to 5, and test the networks you trained with each norm. Which ones hardly notice?
# - Unit 10 folds batch norm into the convolution before it. Could one fold layer norm? Why not?
#
# ## Sources
#
# - S. Ioffe, C. Szegedy, *Batch Normalization*, ICML 2015, arXiv:1502.03167, §3.2.
# - J. L. Ba, J. R. Kiros, G. E. Hinton, *Layer Normalization*, 2016, arXiv:1607.06450.
# - D. Ulyanov, A. Vedaldi, V. Lempitsky, *Instance Normalization: The Missing Ingredient for Fast Stylization*, 2016, arXiv:1607.08022.
# - Y. Wu, K. He, *Group Normalization*, ECCV 2018, arXiv:1803.08494, Figure 2 (the picture of the axes) and Table 2.
# - B. Zhang, R. Sennrich, *Root Mean Square Layer Normalization*, NeurIPS 2019, arXiv:1910.07467.
# - S. Shen et al., *PowerNorm: Rethinking Batch Normalization in Transformers*, ICML 2020, arXiv:2003.07845.
# - D. Mishkin, *caffenet-benchmark* (github.com/ducha-aiki/caffenet-benchmark): placement, measured on ImageNet.
