# %% [markdown]
# # Fold it away
#
# Here is a trained network with batch norm. In a moment it will have none: the same answers, the same accuracy, three layers fewer, and faster. Nothing is trained again, nothing is approximated.
#
# Then the way back: what has to be true of a layer so that a framework can do all this with it? You write batch norm as torch itself would: a node of the graph, a module, a citizen.
#
# | | |
# |---|---|
# | **You will do** | predict, fold a network, look into torch's graph, break a module in the ways people do and mend it, freeze a layer that does not want to stay frozen, move a slider |
# | **You will learn** | what belongs to a layer besides its formula: modes, buffers, graph, state dict, dtype; and what goes wrong with each |
# | **You need** | units 2, 3 and 5; PyTorch modules and autograd |
# | **It takes** | about 60 minutes with the questions; running all cells takes less than a minute |
#
# Nothing here is graded. The assignment `pytorch.ipynb` follows with a function, a module, and what one does to them.

# %%
import copy
import time
from dataclasses import replace

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from bnlib.data import digits
from bnlib.nets import cnn
from bnlib.plots import COLORS, Picture, figure
from bnlib.plots.folding import draw_rounding
from bnlib.torch import BatchNormFunction, MyBatchNorm2d, fold_conv_bn, fold_network, freeze_batchnorm, split_decay_groups
from bnlib.training import accuracy, train
from bnlib.widgets import Slider, explore

torch.set_num_threads(1)  # small networks: more threads only wait for each other

# %% [markdown]
# ## 1. A network, and the same network
#
# Three blocks of convolution, batch norm, ReLU read handwritten digits. `fold_network` returns a copy in which every batch norm has become an `Identity`.
#
# **Predict.** By how much do the outputs of the two differ: not at all, in the sixth digit, in the second? And what share of its time does the network save?

# %%
data = digits()
network = cnn([16, 32, 32], 10, norm="batch")
train(network, data, steps=80, batch_size=64, lr=0.1)
network.eval()
folded = fold_network(network)

print(*(f"{type(old).__name__:18} {type(new).__name__}" for old, new in zip(network, folded, strict=True)), sep="\n")

# %%
x = torch.from_numpy(data.test_x)
with torch.no_grad():
    before, after = network(x), folded(x)
print(f"largest output {before.abs().max():.2f}, largest difference {(after - before).abs().max():.1e}")
for name, net in (("with batch norm", network), ("folded", folded)):
    print(f"{name:16} {sum(p.numel() for p in net.parameters()):6} parameters, accuracy {accuracy(net, data.test_x, data.test_y):.1%}")

# %%
def milliseconds(nets, x, turns=60):
    """Time several networks in turn, so that a busy moment hits all of them alike; take medians."""
    rows = []
    with torch.no_grad():
        for _ in range(turns):
            row = []
            for net in nets:
                start = time.perf_counter()
                net(x)
                row.append(1e3 * (time.perf_counter() - start))
            rows.append(row)
    return np.array(rows[5:])

# %%
for batch in (1, 16, 64):
    times = milliseconds((network, folded), torch.from_numpy(data.test_x[:batch]))
    plain, fused = np.median(times, axis=0)
    print(f"batch of {batch:3}: {plain:.3f} ms, folded {fused:.3f} ms: {np.median(times[:, 0] / times[:, 1]):.2f} times as fast")

# %% [markdown]
# <details><summary>What you see</summary>
#
# The outputs differ in the sixth or seventh digit: float32 has rounded in another order. The accuracy is the same to the last image. The time saved depends on the machine, and on how much work the convolutions are:
# batch norm reads and writes every activation once more, and that is all it costs. `python -m benchmarks.folding` compares several networks and batch sizes with torch's own fusion.
# </details>
#
# ## 2. Why it can be exact
#
# In *training* batch norm is no linear map: mean and variance depend on x, and every output on every input (unit 5). In *evaluation* they are constants, and of each channel
#
# $$ y = \gamma\,\frac{z - \mu_{run}}{\sqrt{\sigma^2_{run} + \varepsilon}} + \beta = s\,z + t, \qquad
#    s = \frac{\gamma}{\sqrt{\sigma^2_{run} + \varepsilon}}, \quad t = \beta - s\,\mu_{run} . $$
#
# That is an affine map (`eval_as_affine` of unit 3). What stands before it is one, too, and two affine maps are one. With $z = W * x + b$:
#
# $$ s\,(W * x + b) + t = \underbrace{(s\,W)}_{W'} * x + \underbrace{(s\,b + t)}_{b'} . $$
#
# $s$ belongs to an **output** channel: axis 0 of the weight, whatever the groups, the stride or the padding. Five lines:

# %%
def fold(conv, bn):
    """Return one convolution for two layers."""
    s = bn.weight * torch.rsqrt(bn.running_var + bn.eps)
    t = bn.bias - s * bn.running_mean
    new = copy.deepcopy(conv)
    new.weight = nn.Parameter(conv.weight * s[:, None, None, None])
    new.bias = nn.Parameter(t if conv.bias is None else s * conv.bias + t)
    return new

conv, bn = network[3], network[4]
mine, theirs, ours = fold(conv, bn), fuse_conv_bn_eval(conv, bn), fold_conv_bn(conv, bn)
for name, other in (("torch.nn.utils.fusion", theirs), ("bnlib.torch", ours)):
    print(f"{name:22} weights differ by {(mine.weight - other.weight).abs().max():.1e}, bias by {(mine.bias - other.bias).abs().max():.1e}")

# %% [markdown]
# **Predict.** And batch norm *before* a convolution, as in a ResNet of the second kind? $W * (s\,x + t) + b$: the scale goes into the **columns**, $t$ passes through the weights into the bias. Exact, too? Here
# is a 3 × 3 convolution with padding 1, folded that way. Where will the two differ?

# %%
torch.manual_seed(0)
bn, conv = nn.BatchNorm2d(4).eval(), nn.Conv2d(4, 4, 3, padding=1)
for name, low, high in (("running_mean", -1, 1), ("running_var", 0.5, 2)):
    nn.init.uniform_(getattr(bn, name), low, high)
s = bn.weight * torch.rsqrt(bn.running_var + bn.eps)
t = bn.bias - s * bn.running_mean
wrong = copy.deepcopy(conv)
wrong.weight = nn.Parameter(conv.weight * s[None, :, None, None])
wrong.bias = nn.Parameter(conv.bias + torch.einsum("oihw,i->o", conv.weight, t))
images = torch.randn(8, 4, 6, 6)
error = (wrong(images) - conv(bn(images))).abs().amax((0, 1)).detach()
print(np.array2string(error.numpy(), precision=2, suppress_small=True))

# %% [markdown]
# <details><summary>What you see</summary>
#
# Exact inside, wrong at the border. Padding adds zeros *after* batch norm: the pixels beyond the border are 0, not t. The folded layer takes them for x = 0, for which batch norm would have said t. Without padding, or for a linear layer
# (`fold_bn_linear`), it is exact.
# </details>
#
# When it cannot be done: in training mode (there is nothing constant), with `track_running_stats=False` (nor in evaluation), if somebody else reads the convolution's output (a skip connection *between* the two), and if a ReLU stands between.

# %% [markdown]
# ## 3. A node of your own
#
# In training there is a graph instead. Torch differentiates whatever you write, so the formula of unit 2 in torch's operations is enough. Why write a backward pass at all?
#
# **Predict.** For the backward pass the graph has to keep tensors. How many of the size of x, for `mean`, `x - mean`, squares, root, quotient, times γ, plus β, line by line? And how many does the formula of unit 5 need?

# %%
def kept(forward):
    """Return the bytes that a graph keeps for the backward pass, each memory once."""
    seen = {}
    def pack(tensor):
        seen[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        forward()
    return sum(seen.values())

# %%
def line_by_line(x, gamma, beta, eps=1e-5):
    mean = x.mean((0, 2, 3), keepdim=True)
    var = ((x - mean) ** 2).mean((0, 2, 3), keepdim=True)
    x_hat = (x - mean) / torch.sqrt(var + eps)
    return gamma[:, None, None] * x_hat + beta[:, None, None]

# %%
x = torch.randn(64, 32, 16, 16, requires_grad=True)
gamma, beta = torch.ones(32, requires_grad=True), torch.zeros(32, requires_grad=True)
size = x.numel() * x.element_size()
theirs = nn.BatchNorm2d(32)
for name, forward in {"line by line": lambda: line_by_line(x, gamma, beta), "BatchNormFunction": lambda: BatchNormFunction.apply(x, gamma, beta),
                      "nn.BatchNorm2d": lambda: theirs(x)}.items():
    print(f"{name:18} keeps {kept(forward) / size:.2f} times the size of x")

# %% [markdown]
# <details><summary>What you see</summary>
#
# Three against one. The backward pass needs x̂, which is x, the mean and the standard deviation: two numbers a channel. Autograd does not know that; it keeps what each *operation* needs: x − mean, x̂, and x − mean once more. In a
# network that is the memory of every activation, three times. (Unit 12 asks the same of time.)
# </details>
#
# An `autograd.Function` is two static methods. `forward` runs with nothing recorded, and hangs **one** node on the result; `backward` gets the upstream gradient, and returns one value for each argument of `forward`: `None` for what has no
# gradient. What the one hands to the other goes through `ctx`, and tensors go through `ctx.save_for_backward`. Is that only manners?
#
# **Predict.** Below, x is changed in place between forward and backward, as `x += residual` does. One function keeps x by `ctx.x = x`, the other by `save_for_backward`. Which gradient is right?

# %%
class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.x = x  # instead of ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, dy):
        return 2 * ctx.x * dy

# %%
for name, square in (("ctx.x = x", Square.apply), ("save_for_backward", torch.square)):
    x = torch.tensor(3.0, requires_grad=True)
    z = x.clone()
    y = square(z)
    z += 100
    try:
        print(f"{name:18} says the gradient of x² at 3 is {torch.autograd.grad(y, x)[0].item():g}")
    except RuntimeError as error:
        print(f"{name:18} says: {str(error)[:97]}…")

# %% [markdown]
# Neither gets 6; one of them says so. A silently wrong gradient is the worst kind there is: training goes on, a little worse.
#
# **The test of a backward pass** is `gradcheck`: central differences in float64, with a random upstream gradient (unit 4). It sees every entry of every gradient, and it would see a γ that was forgotten.

# %%
inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((4, 3, 2, 2), 3, 3)]
print("first derivatives: ", torch.autograd.gradcheck(BatchNormFunction.apply, inputs))
print("second derivatives:", torch.autograd.gradgradcheck(BatchNormFunction.apply, inputs))

# %% [markdown]
# Second derivatives are not free: if `backward` uses a mean that `forward` saved, the mean is a *number* there, and the graph of the backward pass does not know that it depends on x. `BatchNormFunction` takes the statistics anew if a graph of the
# backward pass is recorded. Whoever saves x̂ and thinks no further has wrong second derivatives, and `gradcheck` does not tell.

# %% [markdown]
# ## 4. A citizen
#
# A module that computes the right numbers is half a layer. The other half is what other people's code does to it: save and load, copy, move, cast, switch, compile, export.

# %%
def lives_of(layer, x):
    """Yield what happens to a layer in a framework, and whether it comes through it."""
    theirs = nn.BatchNorm2d(3)
    yield "state dict to torch", bool(theirs.load_state_dict(layer.state_dict()))
    yield "state dict back", bool(layer.load_state_dict(theirs.state_dict()))
    twin = copy.deepcopy(layer)
    yield "deepcopy", torch.equal(twin(x), layer(x))
    yield "to(float64)", all(v.dtype == torch.float64 for n, v in twin.double().state_dict().items() if n != "num_batches_tracked")
    yield "half precision", bool(copy.deepcopy(layer).half()(300 * x.half()).isfinite().all())
    compiled = torch.compile(copy.deepcopy(layer), backend="aot_eager", fullgraph=True)
    yield "torch.compile, one graph", torch.allclose(compiled(x), layer(x), atol=1e-6)
    exported = torch.export.export(layer.eval(), (x,))
    yield "torch.export", torch.allclose(exported.module()(x), layer(x), atol=1e-6)

# %%
for life, survived in lives_of(MyBatchNorm2d(3), torch.randn(4, 3, 5, 5)):
    print(f"{life:26} {survived}")

# %% [markdown]
# (`half precision`: 300² is more than float16 can hold. The layer takes its statistics in float32.)
#
# Now four modules that compute the right output of a training batch, each with one mistake that people make. **Predict**, for each, what goes wrong, and when anyone would notice.

# %%
class PlainAttributes(MyBatchNorm2d):
    """Running statistics as plain attributes."""
    def __init__(self, num_features):
        super().__init__(num_features)
        for name in ("running_mean", "running_var"):
            value = getattr(self, name)
            delattr(self, name)
            object.__setattr__(self, name, value)

# %%
for layer in (PlainAttributes(3), MyBatchNorm2d(3)):
    layer(torch.randn(8, 3, 4, 4) + 5)
    dtype = copy.deepcopy(layer).double().running_mean.dtype
    print(f"{type(layer).__name__:16} state dict {sorted(layer.state_dict())}; after double(): {dtype}")

# %% [markdown]
# The statistics are not saved, and do not move to the GPU with the rest: whoever loads the model evaluates with mean 0 and variance 1. *Right: `register_buffer`.*

# %%
class NoGrad(MyBatchNorm2d):
    """Statistics of the batch under no_grad."""
    def forward(self, x):
        with torch.no_grad():
            var, mean = torch.var_mean(x, (0, 2, 3), correction=0, keepdim=True)
        return (x - mean) / torch.sqrt(var + self.eps)

class GradMode(MyBatchNorm2d):
    """The mode read from is_grad_enabled()."""
    def forward(self, x):
        self.training = torch.is_grad_enabled()
        return super().forward(x)

# %%
x = torch.randn(8, 3, 4, 4, requires_grad=True)
for layer in (NoGrad(3), MyBatchNorm2d(3)):
    (dx,) = torch.autograd.grad(layer(x)[0, 0].sum(), x)
    print(f"{type(layer).__name__:14} the first image asks for {dx[0].norm():.2f}, of the other images {dx[1:].norm():.2f}")
for layer in (GradMode(3), MyBatchNorm2d(3)):
    alone = layer.eval()(x[:1])[0]
    print(f"{type(layer).__name__:14} eval(): an image alone and in company differ by {(alone - layer(x)[0]).abs().max():.2f}")

# %% [markdown]
# `NoGrad` has thrown away both paths of unit 4: the gradient no longer knows that one image moves the statistics of all others. (fast.ai's course notebook does so.) `GradMode` is right in every loop that says `no_grad()` for evaluation, and
# wrong for whoever wants gradients in evaluation mode: adversarial examples, saliency maps, the frozen layer below. (d2l's does so.) *Right: gradient through mean and variance; `self.training`.*

# %%
class KeepsGraph(MyBatchNorm2d):
    """Running statistics updated without detach."""
    def forward(self, x):
        var, mean = torch.var_mean(x, (0, 2, 3), correction=0)
        self.running_mean = 0.9 * self.running_mean + 0.1 * mean
        return (x - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)

# %%
def graph_size(tensor):
    """Count the nodes that a tensor holds on to."""
    waiting, seen = [tensor.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [parent for parent, _ in node.next_functions]
    return len(seen)

# %%
for layer in (KeepsGraph(3), MyBatchNorm2d(3)):
    sizes = []
    for _ in range(4):
        layer(torch.randn(8, 3, 4, 4, requires_grad=True))
        sizes.append(graph_size(layer.running_mean))
    print(f"{type(layer).__name__:14} nodes that hang on running_mean after each step: {sizes}")

# %% [markdown]
# Every step keeps the graph of all steps before it, with every batch in it, until memory ends: an "out of memory" after an hour, far from its cause. *Right: `mean.detach()`.*
#
# Three more need no cell: the *biased* variance in `running_var` (unit 3); a `momentum` that weighs the old (Keras); a counter that is a Python number (lost on `load_state_dict`, and a new graph at each step for the compiler).

# %% [markdown]
# ## 5. Frozen, and yet it moves
#
# You fine-tune a network on few images, in small batches, and want its batch norms to stay as they are. Four people, four ways:
#
# 1. `requires_grad = False` for weight and bias;
# 2. `module.eval()` for each batch norm, once, before training;
# 3. both;
# 4. `freeze_batchnorm` of `bnlib.torch`.
#
# **Predict.** The data are shifted a little. In which cases does `running_mean` move, in which γ? The loop is everybody's loop: it begins with `model.train()`.

# %%
def norms(model):
    return [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]

def no_gradient(model):
    for norm in norms(model):
        norm.requires_grad_(False)

def evaluated(model):
    for norm in norms(model):
        norm.eval()

def both(model):
    no_gradient(model), evaluated(model)

# %%
def fine_tuned(freeze, steps=30):
    """Freeze a copy of the network in some way, train it on; return how far things moved."""
    model, path = copy.deepcopy(network), []
    freeze(model)
    first = norms(model)[0]
    start = copy.deepcopy(first.state_dict())

    def look(*_):
        path.append((first.running_mean - start["running_mean"]).norm().item())

    shifted = replace(data, train_x=data.train_x + 0.5)
    train(model, shifted, steps=steps, batch_size=8, lr=0.02, on_step=look)
    return np.array(path), (first.weight - start["weight"]).norm().item()

# %%
paths = {"requires_grad = False": no_gradient, "eval() once": evaluated, "both": both, "freeze_batchnorm": freeze_batchnorm}
fig = figure(size=(7.5, 3.6), xlabel="step of fine-tuning", ylabel="distance of running_mean from its start", title="the first batch norm of the network")
for (name, freeze), shade, style in zip(paths.items(), ("vermillion", "orange", "purple", "blue"), ("-", "--", ":", "-"), strict=True):
    path, gamma_moved = fine_tuned(freeze)
    print(f"{name:22} running_mean moved by {path[-1]:.3f}, gamma by {gamma_moved:.4f}")
    fig.axes[0].plot(path, color=COLORS[shade], linestyle=style, linewidth=2.0, label=name)
fig.axes[0].legend(fontsize=9)
Picture.of(fig, alt="Distance of the running mean from its start over 30 steps: three ways of freezing rise together, freeze_batchnorm stays at zero.")

# %% [markdown]
# <details><summary>What you see</summary>
#
# Three lines rise, and lie on one another; one stays at 0. `requires_grad` is a matter between the optimiser and a *parameter*; running statistics are no parameters, and follow the *mode*. And the mode lasts until the next `model.train()`, which sets it
# for every layer below ([pytorch#86590](https://github.com/pytorch/pytorch/issues/86590) is one of many threads).
# </details>
#
# `freeze_batchnorm` does three things to each batch norm: no gradient for its parameters; evaluation mode; and a `train` that stays there. The layer's class is exchanged for a subclass:
#
# ```python
# class FrozenBatchNorm2d(nn.BatchNorm2d):
#     def train(self, mode=True):
#         return super().train(False)
# ```
#
# (An attribute `module.train = lambda mode=True: module` does it as well, but for `torch.save(model)`, which cannot pickle it.) Gradients pass *through* the frozen layer: it is an affine map now, with $\partial L/\partial x = s\,dy$.

# %% [markdown]
# ## 6. What weight decay is for
#
# Decay pulls a parameter towards 0: smaller weights, a smoother function. Of a weight *before* batch norm that is not true: its length does not change the function at all (unit 5); decay only makes the next steps larger. Of γ and β it is true,
# and that is why many spare them (Goyal et al. 2017, §5.1; He et al. 2019, §3.1 spare biases as well). An optimiser takes groups:

# %%
groups = split_decay_groups(network, weight_decay=0.05)
names = {parameter: name for name, parameter in network.named_parameters()}
for group in groups:
    print(f"weight_decay {group['weight_decay']:<5} {[names[p] for p in group['params']]}")

# %%
def decayed(groups_of, steps=120, lr=0.1):
    """Train from the start with these groups; return mean |gamma|, |w| of a layer before batch norm, accuracy."""
    model = cnn([16, 32, 32], 10, norm="batch")
    optimizer = torch.optim.SGD(groups_of(model), lr=lr)
    order = torch.Generator().manual_seed(0)
    x, y = torch.from_numpy(data.train_x), torch.from_numpy(data.train_y)
    for _ in range(steps):
        rows = torch.randint(len(x), (64,), generator=order)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
    gamma = torch.cat([m.weight.detach() for m in norms(model)]).abs().mean()
    return gamma.item(), model[3].weight.norm().item(), accuracy(model, data.test_x, data.test_y)

# %%
ways = {"no decay": lambda m: [{"params": list(m.parameters())}],
        "everything decays": lambda m: [{"params": list(m.parameters()), "weight_decay": 0.05}],
        "split_decay_groups": lambda m: split_decay_groups(m, 0.05)}
for name, groups_of in ways.items():
    gamma, length, right = decayed(groups_of)
    print(f"{name:20} mean |γ| {gamma:.2f}   length of a weight before batch norm {length:5.2f}   accuracy {right:.1%}")

# %% [markdown]
# <details><summary>What you see</summary>
#
# Decay halves the length of the weight in both rows below the first, and the network does not mind: batch norm undoes it. γ shrinks only where it is decayed. One seed, a short training, a strong decay: this shows what decay *does*, not which is better. For that,
# take seeds and an interval (unit 7).
# </details>
#
# A trap: how do you find them? `"bn" in name` fails in every `Sequential`, whose names are numbers; `p.ndim == 1` is short and usually right (and wrong for a layer norm over two axes, or a positional vector you do want to decay). Ask the *module*.

# %% [markdown]
# ## 7. Play: when folding hurts
#
# In float32 folding costs nothing. On a phone weights are whole numbers of eight bits: the largest weight decides how long one step is. Before folding, all channels have weights of like size. Folding multiplies each with its s, and those differ,
# sometimes by a factor of a hundred.
#
# **Predict before you move:** with one step for the whole layer, which channels suffer? How many bits is a spread of 1 (a standard deviation of a factor e) worth? What changes if every channel has a step of its own?

# %%
explore(
    draw_rounding,
    title="Folded, then rounded",
    alt="Left: largest weight of each of 24 channels, level before folding, rising over orders of magnitude after it. Right: relative error of a "
    "filter against bits; one step for all channels is the worst, a step for each channel as good as before folding",
    spread=Slider("spread of the scales s", 0.0, 2.5, 0.25, 1.0, unit="factors of e"),
    bits=Slider("bits of a weight", 3, 12, 1, 8),
)

# %% [markdown]
# <details><summary>What you see</summary>
#
# The channels with small s fall between the steps: a spread of 1 costs three bits; at eight bits and a spread of 2 a quarter of the channels are rounded to 0 nearly as a whole. A step for each channel is immune, since s only multiplies the step. Nagel et al. (2019) found such ranges in MobileNetV2, whose accuracy
# collapsed with one step a layer, and repaired it by moving scales between layers; today's int8 convolutions take a step for each channel.
# </details>

# %% [markdown]
# ## 8. One card
#
# | | wrong | right |
# |---|---|---|
# | fold | s on axis 1; the old bias unscaled; `1e-5` for `bn.eps`; in training mode | $W' = sW$ on axis 0, $b' = sb + t$; before a linear layer $W' = W\,\mathrm{diag}(s)$, $b' = b + Wt$ |
# | function | `ctx.x = x`; one gradient too few; statistics as constants | `save_for_backward`; `None` for eps; `gradcheck` in float64 |
# | statistics | plain attributes; under `no_grad` where they normalise; no `detach` where they are kept | `register_buffer`; gradient through mean and variance; `detach` into the buffers |
# | mode | `is_grad_enabled()` | `self.training` |
# | freeze | `requires_grad` alone; `eval()` once | no gradient, evaluation mode, and a `train` that stays there |
# | decay | by name; on everything | by module: norms and biases spared, each parameter once |
#
# ## Try next
#
# - The assignment: all six, by yourself.
# - Fold `network` while it is in training mode, with your own five lines, and compare. What exactly is wrong then?
# - Fold a network *and go on training it*. Which of the good properties of batch norm are gone?
# - `torch.compile(network.eval())` fuses as well. How close does it come to folding, with and without `backend="inductor"`?
#
# ## Sources
#
# - S. Ioffe, C. Szegedy, *Batch Normalization*, ICML 2015, [arXiv:1502.03167](https://arxiv.org/abs/1502.03167): §3.1, Algorithm 2: inference as an affine map.
# - PyTorch: [Extending PyTorch](https://docs.pytorch.org/docs/stable/notes/extending.html); `torch/nn/modules/batchnorm.py`, `torch/nn/utils/fusion.py`; [pytorch#86590](https://github.com/pytorch/pytorch/issues/86590).
# - P. Goyal et al., *Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour*, 2017, [arXiv:1706.02677](https://arxiv.org/abs/1706.02677): §5.1.
# - T. He et al., *Bag of Tricks for Image Classification with Convolutional Neural Networks*, CVPR 2019, [arXiv:1812.01187](https://arxiv.org/abs/1812.01187): §3.1.
# - M. Nagel, M. van Baalen, T. Blankevoort, M. Welling, *Data-Free Quantization Through Weight Equalization and Bias Correction*, ICCV 2019, [arXiv:1906.04721](https://arxiv.org/abs/1906.04721): ranges of channels after folding.
