# %% [markdown]
# # Into the framework
#
# | | |
# |---|---|
# | **You'll do** | write batch norm as an autograd function and as a module that torch takes for its own; fold it away; freeze it for good; keep weight decay off it |
# | **You'll learn** | what belongs to a layer besides its formula: graph, buffers, modes, state dict, dtype; and which of them goes wrong in practice |
# | **You need** | the [lecture](../../course/u10_pytorch/lecture.ipynb); units 2, 3 and 5; PyTorch: modules, autograd |
# | **Time** | about 100 minutes, 6 exercises, 30 points |
#
# Run the cells from top to bottom. Write your code where it says `# YOUR CODE HERE`, and delete `raise NotImplementedError()`.

# %% given="imports"
import copy

import torch
from torch import nn

from autograder import check, hint, progress

# %% [markdown]
# ## What holds in all exercises
#
# - Everything runs on the CPU, in float64 or float32, and where it is said in float16. What comes out has the dtype of what went in.
# - No tensor that comes in as an argument is changed. (Exercise 5 changes a model; that is its purpose.)
# - torch's own batch norm, in whatever form, earns nothing in exercises 1 and 2: not `nn.BatchNorm2d`, nor `F.batch_norm`. The later exercises are *about* such layers: there
#   `isinstance(module, nn.BatchNorm2d)` is how you find them. Ready-made folding (`torch.nn.utils.fusion`) earns nothing.
# - `bnlib` earns nothing inside your functions. Comparing with it, and with torch, in a cell of your own is welcome.

# %% [markdown]
# ## Exercise 1 · `BatchNormFunction`
#
# *effort ●●● · about 20 minutes · 6 points · `hint("u10.BatchNormFunction")` if you are stuck*
#
# A node of torch's graph of your own: a subclass of `torch.autograd.Function` with two static methods. torch calls them:
#
# - `BatchNormFunction.apply(x, gamma, beta, eps)` runs `forward(ctx, x, gamma, beta, eps=1e-5)`, with nothing recorded, and hangs one node on the result. (`eps` may be left out.)
# - when a gradient comes back, `backward(ctx, dy)` gets it, and returns **one value for each argument** of `forward`: $\partial L/\partial x$, $\partial L/\partial\gamma$,
#   $\partial L/\partial\beta$, and `None` for eps.
# - `ctx` belongs to the one call: `ctx.save_for_backward(tensors...)` in `forward`, `ctx.saved_tensors` in `backward`. What is no tensor may be an attribute, `ctx.eps = eps`.
#
# The formulas are yours from units 2 and 5, over all axes but axis 1, with $m$ values for each channel:
#
# $$ \hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \quad y = \gamma \hat x + \beta, \qquad
#    \frac{\partial L}{\partial x} = \frac{\gamma}{\sqrt{\sigma^2 + \varepsilon}}\Big(dy - \frac1m\sum dy - \hat x\,\frac1m\sum dy\,\hat x\Big), \quad
#    \frac{\partial L}{\partial \gamma} = \sum dy\,\hat x, \quad \frac{\partial L}{\partial \beta} = \sum dy $$
#
# $\sigma^2$ is the **biased** variance. `x` is $(N, C)$ or an image batch $(N, C, H, W)$; `gamma`, `beta` and their gradients have shape $(C,)$.
#
# **What is graded**: outputs and gradients against float64, far from zero too · central differences (torch's `gradcheck` tells you the same) · several calls before the first backward pass ·
# inputs that need no gradient · that the node is your own · that nobody gets *silently wrong* gradients by changing x after the forward pass: `save_for_backward` sees to that. Second derivatives are not graded.
#
# <details><summary>Nudge</summary>
#
# Begin with `forward`. `axes = (0, *range(2, x.ndim))` fits both shapes; `x.mean(axes, keepdim=True)` stays broadcastable, and $\gamma$ becomes so by `gamma.reshape(1, -1, *[1] * (x.ndim - 2))`.
# </details>
# <details><summary>Outline</summary>
#
# 1. forward: mean, biased variance, `inv_std`, `x_hat`; save `x_hat`, `inv_std`, `gamma`; return the affine map of `x_hat`;
# 2. backward: the two sums, then dx by the formula; dgamma and dbeta flattened to $(C,)$; four return values.
# </details>

# %% exercise="BatchNormFunction"
class BatchNormFunction(torch.autograd.Function):
    """Batch norm by the batch's own statistics, with its gradient."""

    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        """Return y in the shape of x; keep what the backward pass needs."""
        ### BEGIN SOLUTION
        axes, shape = (0, *range(2, x.ndim)), (1, -1, *[1] * (x.ndim - 2))
        var, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        gamma = gamma.reshape(shape)
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma * x_hat + beta.reshape(shape)
        ### END SOLUTION

    @staticmethod
    def backward(ctx, dy):
        """Return dx, dgamma, dbeta, and None for eps."""
        ### BEGIN SOLUTION
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes, m = (0, *range(2, dy.ndim)), dy.numel() // dy.shape[1]
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dbeta = dy.sum(axes, keepdim=True)
        dx = gamma * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None
        ### END SOLUTION

# %% test="BatchNormFunction"
x = torch.tensor([[1.0, 10.0], [3.0, 30.0]]).double()
gamma, beta = torch.tensor([1.0, 2.0]).double(), torch.tensor([0.0, 5.0]).double()
y = BatchNormFunction.apply(x, gamma, beta, 1e-5)
right = torch.tensor([[-1.0, 3.0], [1.0, 7.0]]).double()
assert torch.allclose(y, right, atol=1e-4), f"x_hat is −1 and 1, so y is {right.tolist()}; got {y}"
check("u10.BatchNormFunction", BatchNormFunction)

# %% [markdown]
# Torch's own judgement names the gradient that is wrong. Paste it into a cell of your own (its first run takes a second):
#
# ```python
# inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((4, 2, 3), 2, 2)]
# torch.autograd.gradcheck(BatchNormFunction.apply, inputs)
# ```

# %% [markdown]
# ## Exercise 2 · `MyBatchNorm2d`
#
# *effort ●●● · about 30 minutes · 9 points · `hint("u10.MyBatchNorm2d")` if you are stuck*
#
# A whole layer for images $(N, C, H, W)$: `MyBatchNorm2d(num_features, eps=1e-5, momentum=0.1)`, a subclass of `nn.Module`. It is right when nobody notices that it is not torch's.
#
# | | |
# |---|---|
# | **learns** | `weight` (ones) and `bias` (zeros), parameters of shape $(C,)$ |
# | **belongs to it, does not learn** | the buffers `running_mean` (zeros), `running_var` (ones), `num_batches_tracked` (0, an int64 of shape ()) |
# | **training** | normalises with the batch's mean and *biased* variance; gradients flow through both. Moves the buffers: `new = (1 − momentum)·old + momentum·batch`, with the *unbiased* variance; counts the step |
# | **evaluation** | normalises with the buffers, and changes nothing |
# | **the mode** | is `self.training`, and nothing else. `torch.no_grad()` is no mode |
# | **`momentum=None`** | the plain average over all batches: the new one weighs 1/`num_batches_tracked`. 0 is a number like others |
# | **one value per channel** | in training, a `ValueError` |
#
# **The rest of what is graded** is what a framework does to its layers: `state_dict()` loads into `nn.BatchNorm2d` and the other way round · `copy.deepcopy` in the middle of training · `.double()` takes the buffers
# along, the counter stays whole · `.half()`: large float16 images do not overflow · buffers hold no graph (else every step would keep all batches before it in memory). More options, as `affine`, are welcome and
# not graded. Whether you use `BatchNormFunction` or let autograd find the gradient is up to you.
#
# <details><summary>Nudge</summary>
#
# `nn.Module.__init__` first. `nn.Parameter(tensor)` as an attribute is a parameter; `self.register_buffer("running_mean", tensor)` makes a buffer. `train()`, `eval()`, `state_dict()`, `.to()` then work by themselves.
# </details>
# <details><summary>Outline</summary>
#
# 1. `wide = x.float()` for half precision, else `x`;
# 2. in training: refuse m = 1; mean and biased variance over axes (0, 2, 3); under `torch.no_grad()` count the step and move both buffers;
# 3. in evaluation: mean and variance *are* the buffers;
# 4. the same two lines for both modes: normalise, scale and shift; `.to(x.dtype)`.
# </details>

# %% exercise="MyBatchNorm2d"
class MyBatchNorm2d(nn.Module):
    """Batch norm of images, exchangeable with nn.BatchNorm2d."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        ### BEGIN SOLUTION
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))
        ### END SOLUTION

    def forward(self, x):
        """Return y for images x of shape (N, C, H, W), in the dtype of x."""
        ### BEGIN SOLUTION
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            var, mean = torch.var_mean(wide, (0, 2, 3), correction=0)
            self.remember(mean.detach(), var.detach() * m / (m - 1))
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)

    def remember(self, mean, var):
        """Count the step, and move the running statistics."""
        self.num_batches_tracked += 1
        share = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
        self.running_mean += share * (mean - self.running_mean)
        self.running_var += share * (var - self.running_var)
        ### END SOLUTION

# %% test="MyBatchNorm2d"
x = torch.tensor([1.0, 3.0, 5.0, 7.0]).reshape(2, 1, 1, 2)  # one channel: mean 4, variance 5
y = MyBatchNorm2d(1)(x)
right = torch.tensor([-1.3416, -0.4472, 0.4472, 1.3416])
assert torch.allclose(y.flatten(), right, atol=1e-3), f"(x − 4)/√5 is {right}; got {y.flatten()}"
check("u10.MyBatchNorm2d", MyBatchNorm2d)

# %% [markdown]
# The compiler as a last test, if you like: a layer without surprises becomes one graph. (About a second. With `backend="inductor"` and a C++ compiler it becomes fast code, and takes half a minute the first time.)
#
# ```python
# compiled = torch.compile(MyBatchNorm2d(3), backend="aot_eager", fullgraph=True)
# compiled(torch.randn(4, 3, 8, 8)).sum().backward()
# ```

# %% [markdown]
# ## Exercise 3 · `fold_conv_bn`
#
# *effort ●●○ · about 15 minutes · 5 points · `hint("u10.fold_conv_bn")` if you are stuck*
#
# In evaluation mode the statistics are constants, and batch norm is an affine map of each channel: $s\,x + t$ with
#
# $$ s = \frac{\gamma}{\sqrt{\texttt{running\_var} + \varepsilon}}, \qquad t = \beta - s\cdot\texttt{running\_mean} . $$
#
# A convolution just before it can do that as well. Return **one** `nn.Conv2d` with `folded(x) = bn(conv(x))`, `bn` in evaluation mode.
#
# - `conv` is an `nn.Conv2d`: with or without bias, any `groups`, kernel size, stride, padding, dilation, padding mode. The result has the same options, and a bias. Its weight has shape (out, in / groups, h, w).
# - `bn` is an `nn.BatchNorm2d` in evaluation mode, with an eps of its own; with `affine=False` its weight and bias are `None`.
# - Both stay as they were, and the result shares no memory with them. `copy.deepcopy(conv)` brings the options along.
# - With `track_running_stats=False` there are no running statistics (`bn.running_mean is None`): `ValueError`. (To refuse a `bn` in training mode is welcome, not graded.)
#
# <details><summary>Nudge</summary>
#
# Which axis of the weight is the channel that batch norm sees? And what happens to the convolution's own bias on its way through batch norm?
# </details>

# %% exercise="fold_conv_bn"
def fold_conv_bn(conv, bn):
    """Return one convolution that does what conv and then bn do in evaluation mode."""
    ### BEGIN SOLUTION
    if bn.running_mean is None:
        raise ValueError("bn keeps no running statistics: there is nothing constant to fold")
    with torch.no_grad():
        s = torch.rsqrt(bn.running_var + bn.eps)
        s = s if bn.weight is None else s * bn.weight
        t = -s * bn.running_mean
        t = t if bn.bias is None else t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s.reshape(-1, 1, 1, 1))
        folded.bias = nn.Parameter(bias)
    return folded
    ### END SOLUTION

# %% test="fold_conv_bn"
conv, bn = nn.Conv2d(1, 1, 1).double(), nn.BatchNorm2d(1).double().eval()
nn.init.constant_(conv.weight, 3.0), nn.init.zeros_(conv.bias)
bn.load_state_dict({"weight": torch.tensor([6.0]), "bias": torch.tensor([-9.0]), "running_mean": torch.tensor([5.0]),
                    "running_var": torch.tensor([9.0]), "num_batches_tracked": torch.tensor(1)})
folded = fold_conv_bn(conv, bn)  # s = 6/√9 = 2, t = −9 − 2·5 = −19
assert abs(folded.weight.item() - 6) < 1e-4, f"the weight is s·3 = 6; got {folded.weight.item()}"
assert abs(folded.bias.item() + 19) < 1e-4, f"the bias is t = −19; got {folded.bias.item()}"
check("u10.fold_conv_bn", fold_conv_bn)

# %% [markdown]
# ## Exercise 4 · `fold_bn_linear`
#
# *effort ●●○ · about 8 minutes · 3 points · `hint("u10.fold_bn_linear")` if you are stuck*
#
# Now batch norm comes **first**, and a linear layer after it. Return one `nn.Linear` with `folded(x) = linear(bn(x))`. `bn` is an `nn.BatchNorm1d` in evaluation mode; everything said in exercise 3 holds:
# no bias, `affine=False`, both left as they were, a `ValueError` without running statistics.
#
# It is not the same formula once more. Write $W(s \circ x + t) + b$ and look where $s$ and $t$ end up.

# %% exercise="fold_bn_linear"
def fold_bn_linear(bn, linear):
    """Return one linear layer that does what bn and then linear do in evaluation mode."""
    ### BEGIN SOLUTION
    if bn.running_mean is None:
        raise ValueError("bn keeps no running statistics: there is nothing constant to fold")
    with torch.no_grad():
        s = torch.rsqrt(bn.running_var + bn.eps)
        s = s if bn.weight is None else s * bn.weight
        t = -s * bn.running_mean
        t = t if bn.bias is None else t + bn.bias
        shift = linear.weight @ t
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(linear.weight * s)
        folded.bias = nn.Parameter(shift if linear.bias is None else shift + linear.bias)
    return folded
    ### END SOLUTION

# %% test="fold_bn_linear"
linear, bn = nn.Linear(1, 1).double(), nn.BatchNorm1d(1).double().eval()
nn.init.constant_(linear.weight, 3.0), nn.init.zeros_(linear.bias)
bn.load_state_dict({"weight": torch.tensor([6.0]), "bias": torch.tensor([-9.0]), "running_mean": torch.tensor([5.0]),
                    "running_var": torch.tensor([9.0]), "num_batches_tracked": torch.tensor(1)})
folded = fold_bn_linear(bn, linear)  # s = 2, t = −19 again
assert abs(folded.weight.item() - 6) < 1e-4, f"the weight is 3·s = 6; got {folded.weight.item()}"
assert abs(folded.bias.item() + 57) < 1e-4, f"the bias is 3·t = −57; got {folded.bias.item()}"
check("u10.fold_bn_linear", fold_bn_linear)

# %% [markdown]
# ## Exercise 5 · `freeze_batchnorm`
#
# *effort ●●○ · about 14 minutes · 4 points · `hint("u10.freeze_batchnorm")` if you are stuck*
#
# Fine-tuning with small batches: the statistics of the large data set are better than any that come now, so batch norm is to stay as it is. People set `requires_grad = False`, and the statistics move on. They call
# `eval()`, and the next `model.train()` undoes it. Do it for good. After `freeze_batchnorm(model)`, for **every batch norm** in the model (`BatchNorm1d`, `BatchNorm2d`, however deep):
#
# - it normalises with its running statistics, from now on, **also after `model.train()`**;
# - its running statistics, counter, weight and bias stay the same through any training;
# - gradients pass *through* it to what stands before it.
#
# Everything else stays as it was: other layers learn, follow `train()` and `eval()` (dropout!), other norms go on learning; `state_dict()` has the same keys and values. The model is changed in place; return it.
# (The model itself is a container, no batch norm.)
#
# <details><summary>Nudge</summary>
#
# `model.train()` calls `train(mode)` of each layer. It finds *that layer's* `train`, which you may replace.
# </details>

# %% exercise="freeze_batchnorm"
def freeze_batchnorm(model):
    """Freeze every batch norm of a model for good, in place; return the model."""
    ### BEGIN SOLUTION
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            module.requires_grad_(False)
            module.eval()
            module.train = lambda mode=True, module=module: module
    return model
    ### END SOLUTION

# %% test="freeze_batchnorm"
model = nn.Sequential(nn.BatchNorm1d(3)).double()
model.load_state_dict({"0.weight": torch.ones(3), "0.bias": torch.zeros(3), "0.running_mean": torch.tensor([1.0, 2.0, 3.0]),
                       "0.running_var": torch.full((3,), 4.0), "0.num_batches_tracked": torch.tensor(1)})
freeze_batchnorm(model)
model.train()
y = model(torch.tensor([[1.0, 2.0, 5.0], [3.0, 2.0, 3.0]]).double())
right = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]).double()
assert torch.allclose(y, right, atol=1e-4), f"(x − running_mean)/2, in training mode too, is {right.tolist()}; got {y}"
check("u10.freeze_batchnorm", freeze_batchnorm)

# %% [markdown]
# ## Exercise 6 · `split_decay_groups`
#
# *effort ●○○ · about 10 minutes · 3 points · `hint("u10.split_decay_groups")` if you are stuck*
#
# Weight decay pulls parameters towards 0. It is common to spare $\gamma$, $\beta$ and the biases (Goyal et al. 2017; He et al. 2019). An optimiser takes *groups*, each with options of its own. Return a list of two dicts:
#
# ```python
# [{"params": [what decays], "weight_decay": weight_decay}, {"params": [what does not], "weight_decay": 0.0}]
# ```
#
# - **Not decayed**: every bias, and all parameters of a norm: batch norm, layer norm, group norm, instance norm. **Decayed**: the rest; in what is graded, weights of linear layers and convolutions.
# - Every parameter of the model is in exactly one group, once. Layers may share a parameter, and a layer may be used twice. The order within a group does not matter.
# - Go by what a layer *is*, not by what it is called. (Also right, here: nothing with a single axis decays. But then you should know when that rule fails.)

# %% exercise="split_decay_groups"
def split_decay_groups(model, weight_decay):
    """Return two parameter groups for an optimiser: with weight decay, and without."""
    ### BEGIN SOLUTION
    norms = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)
    spared = {
        id(parameter)
        for module in model.modules()
        for name, parameter in module.named_parameters(recurse=False)
        if name == "bias" or isinstance(module, norms)
    }
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if id(p) not in spared], "weight_decay": weight_decay},
        {"params": [p for p in parameters if id(p) in spared], "weight_decay": 0.0},
    ]
    ### END SOLUTION

# %% test="split_decay_groups"
model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2))
names = {parameter: name for name, parameter in model.named_parameters()}
decayed, spared = split_decay_groups(model, 0.01)
found = sorted(names.get(p, "?") for p in decayed["params"]), sorted(names.get(p, "?") for p in spared["params"])
assert found[0] == ["0.weight", "3.weight"], f"the weights of the linear layers decay; got {found[0]}"
assert found[1] == ["0.bias", "1.bias", "1.weight", "3.bias"], f"norms and biases do not; got {found[1]}"
check("u10.split_decay_groups", split_decay_groups)

# %% [markdown]
# ## Where you are

# %%
progress()

# %% [markdown]
# ## Try next
#
# - Replace every `nn.BatchNorm2d` of a network by your `MyBatchNorm2d`, load its state dict, and compare the outputs in both modes.
# - Fold the network of the lecture with *your* `fold_conv_bn`, and measure. How much faster, at which batch size?
# - Make `BatchNormFunction` twice differentiable: recompute mean and variance from `x` in `backward`, and ask `torch.autograd.gradgradcheck`.
# - On to unit 11: what all this costs on a GPU.
#
# ## Sources
#
# - PyTorch: [Extending PyTorch](https://docs.pytorch.org/docs/stable/notes/extending.html) (`autograd.Function`, `save_for_backward`); `torch/nn/modules/batchnorm.py`; `torch/nn/utils/fusion.py`.
# - P. Goyal et al., *Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour*, 2017, [arXiv:1706.02677](https://arxiv.org/abs/1706.02677): §5.1, no weight decay on γ and β.
# - T. He et al., *Bag of Tricks for Image Classification with Convolutional Neural Networks*, CVPR 2019, [arXiv:1812.01187](https://arxiv.org/abs/1812.01187): §3.1, nor on biases.
# - S. Ioffe, C. Szegedy, 2015, [arXiv:1502.03167](https://arxiv.org/abs/1502.03167): §3.1, inference as an affine map.
