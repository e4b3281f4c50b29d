# %% [markdown]
# # Forty layers. What is left at the other end?
#
# A deep network, fresh from the shop: random weights, nothing trained. A batch of numbers of order 1 goes in at the bottom. How large is what comes
# out on top? And of the gradient that comes back down, how much reaches the first layer?
#
# | | |
# |---|---|
# | **You will do** | guess, run, derive where a signal goes, play with three sliders, put batch norm in, and find that it cures one explosion and brings another |
# | **You will learn** | why depth multiplies; the one right scale of weights, and what is wrong with it; what saturation does and does not do; where $\pi/(\pi-1)$ comes from; what a skip connection changes |
# | **You need** | variance of a sum of independent terms, the chain rule, NumPy |
# | **It takes** | about 60 minutes with the questions; running all cells takes a few seconds |
#
# Nothing here is graded. The assignment `signal.ipynb` follows the same order.

# %%
import numpy as np
import torch

from bnlib import explosion_rate, gradient_norms, layer_statistics, saturated_fraction
from bnlib.plots.depth import ACTIVATIONS, draw_depth
from bnlib.plots.explosion import KINDS, NORMED, draw_explosion
from bnlib.plots.saturation import draw_saturation
from bnlib.signal_network import RELU_RATE, Layers, send
from bnlib.widgets import Choice, Slider, Toggle, explore

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1. Three networks that look alike
#
# Forty layers of 100 units, tanh, no bias: $h_l = \tanh(h_{l-1}W_l)$. The weights are normal with mean 0 and a standard deviation of 0.05, 0.10 or 0.20.
# Would you notice the difference, looking at the numbers?
#
# **Predict.** The input has standard deviation 1. And what leaves layer 40, in each of the three? Then run.

# %%
def random_weights(scale, width=100, depth=40, seed=0):
    draws = np.random.default_rng(seed)
    return [scale * draws.normal(size=(width, width)) for _ in range(depth)]

x, dy = rng.normal(size=(2, 64, 100))
dy /= np.linalg.norm(dy)  # a gradient of length 1 arrives at the last layer
for scale in (0.05, 0.10, 0.20):
    stds = layer_statistics(random_weights(scale), x, np.tanh)[:, 1]
    print(f"scale {scale:.2f}:  std after layer 1, 10, 20, 40 = ", *(f"{stds[i]:8.1e}" for i in (0, 9, 19, 39)))

# %% [markdown]
# <details><summary>What happened?</summary>
#
# Half of 0.1, and after forty layers the signal is a *millionth of a millionth*. All inputs look the same to the last layer: zero. At 0.1 a tenth of it is left. At 0.2
# the outputs are large, and do not die. So is 0.2 fine?
# </details>
#
# **Predict.** Now backwards. The loss sends a gradient of length 1 to the last layer's output. How long is the gradient by the weights, $\|\mathrm dW_l\|$, in layer 1 and in
# layer 40?

# %%
for scale in (0.05, 0.10, 0.20):
    norms = gradient_norms(random_weights(scale), x, dy)
    print(f"scale {scale:.2f}:  ‖dW‖ in layer 1, 10, 20, 40 = ", *(f"{norms[i]:8.1e}" for i in (0, 9, 19, 39)))

# %% [markdown]
# <details><summary>Two surprises</summary>
#
# At 0.05 the gradient is just as tiny in the *last* layer as in the first. At 0.2, where the signal looked healthy, the first layer's gradient is hundreds of times the last one's.
# </details>
#
# Both can be computed in advance, on a napkin. Let us do that.

# %% [markdown]
# ## 2. One linear layer
#
# Take one output of a layer without its activation, $z_c = \sum_{d=1}^{n} h_d\,W_{dc}$. The weights are independent, with mean 0 and variance $s^2$; the $h_d$ are whatever they are.
#
# **One term.** $h_d W_{dc}$ has mean $h_d\cdot 0 = 0$ and variance $h_d^2\,s^2$.
#
# **The sum.** The terms are independent, because the weights are, and variances of independent terms add up:
#
# $$ \operatorname{var}(z_c) = \sum_{d=1}^{n} h_d^2\,s^2 = n\,s^2\cdot\underbrace{\frac1n\sum_d h_d^2}_{q} = n\,s^2\,q . $$
#
# Its mean is 0, so its mean square is $n s^2 q$, too: **one layer multiplies the mean square $q$ by $n s^2$**. Forty linear layers multiply it by $(n s^2)^{40}$.
#
# **The one right scale** keeps $q$: $\;n\,s^2 = 1$, so $\;\boxed{\,s = 1/\sqrt n\,}$. For $n = 100$ that is 0.1. At 0.05, $n s^2 = \frac14$, each layer halves the
# size, and $2^{-40} \approx 10^{-12}$. That was the millionth of a millionth.
#
# ### And its gradient
#
# Backwards through $z = hW$, with $\mathrm dz$ of shape (N, n) arriving. $W_{dc}$ meets $h_{id}$ in every row $i$, and $h_{id}$ meets $W_{dc}$ for every output $c$:
#
# $$ \mathrm dW_{dc} = \sum_i h_{id}\,\mathrm dz_{ic}, \qquad \mathrm dh_{id} = \sum_c \mathrm dz_{ic}\,W_{dc}
#    \qquad\Longrightarrow\qquad \mathrm dW = h^{\mathsf T}\mathrm dz, \quad \mathrm dh = \mathrm dz\,W^{\mathsf T} . $$
#
# $\mathrm dh$ is again a sum of n terms with random weights, so the same napkin says $\|\mathrm dh\|^2 \approx n s^2\,\|\mathrm dz\|^2$: **the gradient shrinks or grows going down exactly as the signal did
# going up.** And $\mathrm dW_l$ is a product of both: the signal has come through the $l - 1$ layers below, the gradient through the $L - l$ above. Together that is
# $L - 1$ factors *for every layer*. So in a linear network all layers have equally long gradients: at 0.05, equally tiny ones. That was the first surprise.

# %% [markdown]
# ### The same lines as code, held against PyTorch
#
# With tanh there is one more factor, its slope: $\mathrm dz = \mathrm dh\cdot(1 - h^2)$, since $\tanh' = 1 - \tanh^2$.

# %%
def layer_back(dh, h_in, w, h_out):
    dz = dh * (1 - h_out**2)
    return h_in.T @ dz, dz @ w.T  # dW, and the dh of the layer below

w = random_weights(0.2, depth=1)[0]
leaf, below = torch.tensor(w, requires_grad=True), torch.tensor(x, requires_grad=True)
torch.tanh(below @ leaf).backward(torch.tensor(dy))
dw, dh = layer_back(dy, x, w, np.tanh(x @ w))
print("one layer, largest difference to autograd: ", np.abs(dw - leaf.grad.numpy()).max(), np.abs(dh - below.grad.numpy()).max())

# %% [markdown]
# Forty of them in a row, starting at the top, are the function that you used above. (And exercise 4.)

# %%
weights = random_weights(0.2)
leaves = [torch.tensor(w, requires_grad=True) for w in weights]
h = torch.tensor(x)
for leaf in leaves:
    h = torch.tanh(h @ leaf)
h.backward(torch.tensor(dy))
theirs = np.array([leaf.grad.norm().item() for leaf in leaves])
print("forty layers, largest relative difference: ", np.abs(gradient_norms(weights, x, dy) / theirs - 1).max())

# %% [markdown]
# ### What PyTorch gives you if you say nothing
#
# **Predict.** `torch.nn.Linear(100, 100)` comes with weights. Is their scale the right one? Send a batch through forty of them, without any activation.

# %%
torch.manual_seed(0)
layers = [torch.nn.Linear(100, 100, bias=False) for _ in range(40)]
default = [layer.weight.detach().double().numpy().T for layer in layers]
print(f"std of a weight {default[0].std():.4f}, right would be 0.1: a gain of {default[0].std() / 0.1:.3f} a layer")
print(f"std after 40 linear layers: {layer_statistics(default, x, lambda z: z)[-1, 1]:.0e}")
for name in ("xavier_normal_", "kaiming_normal_"):
    getattr(torch.nn.init, name)(layers[0].weight)
    print(f"{name:16} std {layers[0].weight.std().item():.4f}")

# %% [markdown]
# <details><summary>Where 0.577 comes from</summary>
#
# The default draws uniformly between $-1/\sqrt n$ and $1/\sqrt n$; the variance of that is a *third* of $1/n$. So the gain is $1/\sqrt3 = 0.577$ a layer, and
# $0.577^{40} = 3\cdot10^{-10}$. In shallow networks nobody notices. Xavier's scale is ours (for a square layer; Glorot & Bengio 2010); Kaiming's, $\sqrt{2/n}$, comes in a minute.
# </details>

# %% [markdown]
# ## 3. What an activation leaves
#
# **ReLU** sets the negative half to 0. If $z$ is symmetric around 0, that half carried half of the mean square, so $\;E[\operatorname{relu}(z)^2] = \frac12 E[z^2]$, and a
# layer multiplies by $\frac12 n s^2$. To keep the signal takes $\;s = \sqrt{2/n}\;$ (He et al. 2015). Backwards, the slope is 1 for one half and 0 for the other: again $\frac12 n s^2$.
#
# **tanh** is below the diagonal: $\tanh z \approx z - \frac{z^3}3$, so $\tanh^2 z \approx z^2 - \frac23 z^4$. For a normal $z$, $E[z^4] = 3q^2$. At the right scale of the *linear* layer:
#
# $$ q_{l+1} \approx q_l - 2\,q_l^2 \qquad\Longrightarrow\qquad \frac{\mathrm dq}{\mathrm dl} \approx -2q^2 \qquad\Longrightarrow\qquad q_l \approx \frac1{2l}, \qquad
#    \text{std} \approx \frac1{\sqrt{2l}} . $$
#
# It still fades, but as a power, not exponentially. After forty layers $1/\sqrt{80} = 0.11$: the tenth from the start. **Check both:**

# %%
stds = layer_statistics(random_weights(0.1), x, np.tanh)[:, 1]
print("tanh, scale 1/√n: ", *(f"layer {k}: {stds[k - 1]:.3f} (1/√2l = {1 / np.sqrt(2 * k):.3f})  " for k in (5, 10, 40)))
for gain in (0.9, 1.0, 1.1):
    weights = random_weights(gain * np.sqrt(2 / 100))
    moments = layer_statistics(weights, x, lambda z: np.maximum(z, 0))
    size = np.sqrt((moments[-1] ** 2).sum())  # root mean square: mean² + std²
    print(f"ReLU, {gain} × He's scale: root mean square after 40 layers {size:8.3f}, {gain}⁴⁰ = {gain**40:.3f}")

# %% [markdown]
# So ten per cent of the scale are a factor of 45 after forty layers (chance adds a little: there are only 100 units). There is one right scale, and it is right *at the first step*. Then training
# moves the weights, and nothing holds them there. Remember this weakness.
#
# **Play.** The two y axes span 32 powers of ten and stay where they are. Predict before each move:
#
# 1. tanh, gain 0.5, then 2: what does each panel do? Which of the two is exponential?
# 2. ReLU, gain 2: after how many layers does something leave the picture? And how bad are 10 layers?
# 3. Switch batch norm on, and turn the gain all the way. What moves?

# %%
explore(
    draw_depth,
    title="Forward and backward through a deep network",
    alt="Left: standard deviation of each layer's output, on a logarithmic scale. Right: length of the gradient by each layer's "
    "weights. Without batch norm both grow or fade exponentially unless the gain is right; with it the left one is level",
    depth=Slider("layers", 5, 60, 5, 40),
    gain=Slider("gain of the weights (1: keeps the signal)", 0.5, 2.0, 0.05, 1.0),
    activation=Choice("activation", ACTIVATIONS, "tanh"),
    norm=Toggle("batch norm", False),
)

# %% [markdown]
# <details><summary>What you see</summary>
#
# 1. At 0.5 both collapse; the gradient is the same for all layers, the product of section 2. At 2, tanh holds the signal below 1, but the gradient grows exponentially *on its way down*.
# 2. With ReLU nothing is held: the signal doubles in each layer, and after some 55 of them both are out of the picture. Over 10 layers it is a factor of a thousand; over the three that networks once had, of eight, which no one noticed.
# 3. On the left, nothing moves any more. On the right the line is tilted, equally for every gain: keep that in mind for section 5. (Look closely, and twice the gain puts it lower by
#    a factor of 2: the layer no longer feels how long its weights are, so an equal step by longer weights changes less.)
# </details>

# %% [markdown]
# ## 4. Saturation
#
# At large gains tanh is pushed to its ends. A unit at ±0.97 has a slope of $1 - 0.97^2 = 0.06$; one calls it *saturated*. Every textbook says what follows: **saturated units
# kill the gradient**.
#
# **Predict.** Gain 1, 2, 5, 10. How many units are saturated, and how long is the gradient of the first layer compared with the last one?

# %%
for gain in (1, 2, 5, 10):
    weights = random_weights(gain * 0.1)
    h = x
    for w in weights:
        h = np.tanh(h @ w)
    norms = gradient_norms(weights, x, dy)
    print(f"gain {gain:2d}: {saturated_fraction(h):4.0%} saturated, ‖dW‖ of layer 1 is {norms[0] / norms[-1]:.1e} × that of layer 40")

# %% [markdown]
# <details><summary>It does not vanish. It explodes.</summary>
#
# With five sixths of all units saturated, the gradient grows a hundred million million times on its way down. Each saturated unit is deaf, that is true. But it was *weights ten times
# larger* that saturated it, and on the way back the gradient passes the same weights through the few units that still listen.
# </details>
#
# **The napkin.** Backwards a layer multiplies the squared length by $n s^2\,E[\text{slope}^2] = g^2\,E[(1 - \tanh^2 z)^2]$, with $g$ the gain. For large $g$, z is spread evenly over about $\pm g$, with density
# $\frac{1}{g\sqrt{2\pi}}$ around 0, where the slope lives:
#
# $$ g^2\cdot\frac{1}{g\sqrt{2\pi}}\int(1-\tanh^2 z)^2\,\mathrm dz = g^2\cdot\frac{1}{g\sqrt{2\pi}}\cdot\frac43 \approx 0.53\,g . $$
#
# The share of units that listen falls as $1/g$, what each of them says grows as $g^2$. The product grows. Such a gradient is of no use, but not because it is small: it comes through a handful of units, and a tiny
# change of the input picks others. Sensitive, not silent; physicists call it chaos (Poole et al. 2016; Schoenholz et al. 2017).
# With the logistic sigmoid, whose slope is never above ¼, it is easier to make the gradient vanish; and with weights that keep the signal, but biases that push it to one side, too.

# %%
for gain in (5, 10):
    z = gain * 0.95 * np.random.default_rng(0).normal(size=100_000)
    measured = explosion_rate(gradient_norms(random_weights(gain * 0.1), x, dy)[::-1]) ** 2
    exact = gain**2 * np.mean((1 - np.tanh(z) ** 2) ** 2)
    print(f"gain {gain:2d}: squared gradient × {measured:.2f} a layer; by the integral {exact:.2f}; 0.53·g = {0.53 * gain:.2f}")

# %% [markdown]
# (At gain 10, fewer than twenty of a layer's 100 units listen: too few for an average to be exact.)
#
# **Play.** Predict: which gain saturates half of the units? And with batch norm in front of each tanh, which one does it then?

# %%
explore(
    draw_saturation,
    title="Forty tanh layers: who still listens?",
    alt="Left: histogram of one layer's outputs between minus 1 and 1, the saturated ends in another colour. Right: saturated fraction by "
    "layer. It grows with the gain without batch norm, and stays at 3 per cent with it",
    gain=Slider("gain of the weights", 0.5, 32.0, 2, 1.0, log=True),
    layer=Slider("layer shown on the left", 1, 40, 1, 40),
    norm=Toggle("batch norm before each tanh", False),
)

# %% [markdown]
# <details><summary>What you see</summary>
#
# A little more than half of them at a gain of 4. With batch norm it is 3 % at *every* gain: $\hat x$ has standard deviation 1 by decree, and only what lies beyond 2.1 of them is saturated (for a normal feature, 3.6 %).
# Saturation is a question the weights no longer decide. Ioffe & Szegedy (2015) start from this in §1, and train an Inception network with sigmoids to show it (§4.2.2).
# </details>

# %% [markdown]
# ## 5. Batch norm: the cure and its price
#
# Put batch norm between the linear layer and the activation: every feature gets mean 0 and variance 1 over the batch. (Its formula is unit 2; here it is enough to know that.) The weights' scale cancels: $sW$ and $W$ give the same
# normalised output. No right scale is needed, now or after ten thousand steps. Forward, all is well, by construction.
#
# **Predict.** ReLU, forty layers, batch norm everywhere. What does the *gradient* do on its way down: does it fade, stay, or grow? And does it depend on the weights' scale?

# %%
x, dy = rng.normal(size=(2, 256, 256))
for gain in (0.1, 1.0, 10.0):
    signal = send(Layers(40, 256, gain=gain, norm=True), x, dy, np.random.default_rng(1))
    squared = signal.arriving**2  # squared length of the gradient at each layer's output
    rate = explosion_rate(squared[::-1])
    print(f"gain {gain:4}: std of the last layer {signal.stds[-1]:.3f}; squared gradient × {squared[0] / squared[-1]:.1e}, {rate:.3f} a layer")
print(f"π/(π − 1) = {RELU_RATE:.3f}")

# %% [markdown]
# <details><summary>What happened?</summary>
#
# It grows, by a factor of about 1.45 a layer in the square, a million times and more over forty layers, and *no scale of the weights can change it*: it has no say any more. The very thing that holds the signal makes the
# gradient explode. Yang et al. (2019) computed the factor: for ReLU, wide layers and large batches $\pi/(\pi-1) \approx 1.467$.
# </details>
#
# Who ordered π? Let us find it.

# %% [markdown]
# ### Where π/(π − 1) comes from
#
# One layer in the middle: $a$ is what left the ReLU below, $z = aW$, then $\hat x$ = batch norm of $z$, then ReLU again. Wide layers, large batch, random weights of variance $s^2$. Then each $\hat x$ is a sum of many
# small terms, so nearly **normal**, with mean 0 and variance 1 over the batch; and different rows are (nearly) independent.
#
# **Step 1: what leaves a ReLU.** For a standard normal $\hat x$, half of the mean square survives, and the mean is no longer 0:
#
# $$ E[a^2] = \frac12, \qquad E[a] = \int_0^\infty t\,\frac{e^{-t^2/2}}{\sqrt{2\pi}}\,\mathrm dt = \frac{1}{\sqrt{2\pi}}, \qquad
#    \operatorname{var}(a) = \frac12 - \frac1{2\pi} = \frac{\pi-1}{2\pi} . $$
#
# **Step 2: what batch norm divides by.** It looks at how $z_{ic} = \sum_k a_{ik}W_{kc}$ varies *from row to row*. What all rows have in common, the mean of $a$, makes the same $z$ in every row, and is subtracted. What
# varies is $a_{ik} - E[a]$, so with section 2's napkin
#
# $$ \sigma^2 = n\,s^2\operatorname{var}(a) = n\,s^2\,\frac{\pi-1}{2\pi} . $$
#
# **Step 3: backwards**, in squared lengths. $\mathrm dz$ comes down from $z$ of this layer to $z$ of the layer below:
#
# $$ \mathrm da = \mathrm dz\,W^{\mathsf T}:\ \times\; n s^2 \qquad\quad
#    \text{ReLU lets half of it pass}:\ \times\; \tfrac12 \qquad\quad
#    \text{batch norm divides by } \sigma:\ \times\; \frac1{\sigma^2} . $$
#
# (Batch norm's backward pass also takes out 2 of the N directions of the batch, as unit 5 shows: for a large batch that is nothing.) Multiply:
#
# $$ n s^2\cdot\frac12\cdot\frac{2\pi}{n s^2\,(\pi-1)} \;=\; \boxed{\;\frac{\pi}{\pi-1} = \frac{1}{1 - 1/\pi} \approx 1.467\;} $$
#
# $n$ and $s$ have cancelled. In words: a share $1/\pi$ of what leaves a ReLU is only its mean. Batch norm throws that away, and has to **amplify the rest** to bring the variance back to 1. The signal stays as it was, since something was lost
# first. The gradient loses nothing and gets the same amplification.
#
# (The napkin treats W and the gradient as independent, though that gradient has met the very W that made σ. Yang et al. prove what it takes; we only measure.)

# %%
for batch in (8, 32, 128, 384):
    draws = np.random.default_rng(2)
    x, dy = draws.normal(size=(2, batch, 384))
    arriving = send(Layers(30, 384, norm=True), x, dy, draws).arriving
    rate = explosion_rate(arriving[:4:-1] ** 2)  # from the top down to layer 6
    print(f"384 units, batch {batch:3d}: {rate:.3f} a layer, {rate / RELU_RATE - 1:+.1%} from π/(π − 1)")

# %% [markdown]
# For large batches within one or two per cent; small batches are worse, and section 6 says why. `python -m bnlib.experiments explosion` measures it for 1024 units; the verdicts of all experiments stand in `docs/verdicts.md`.
#
# **The same network in PyTorch**, with `nn.BatchNorm1d` and automatic differentiation, in case you suspect our backward pass:

# %%
torch.manual_seed(0)
blocks = []
for _ in range(30):
    blocks += [torch.nn.Linear(256, 256, bias=False), torch.nn.BatchNorm1d(256), torch.nn.ReLU()]
h, outputs = torch.randn(256, 256), []
for module in blocks:
    h = module(h)
    if isinstance(module, torch.nn.ReLU):
        h.retain_grad()
        outputs.append(h)
h.backward(torch.randn_like(h))
squared = np.array([output.grad.norm().item() ** 2 for output in outputs])
print(f"torch: squared gradient × {explosion_rate(squared[:4:-1]):.3f} a layer")

# %% [markdown]
# ## 6. Skip connections
#
# A factor of 1.467 a layer is 2 000 for 20 layers and $4\cdot10^{16}$ for 100. Yet ResNets with 1 000 layers and batch norm train. **Predict:** what does a skip connection change?
#
# $$ h_l = h_{l-1} + \operatorname{relu}\big(\operatorname{BN}(h_{l-1})\big)\,W_l \qquad\text{(the order of He et al. 2016, with } n s^2 = 2) $$
#
# **Forward.** Each branch adds, from row to row, a variance of $n s^2\,\frac{\pi-1}{2\pi} = \frac{\pi-1}{\pi}$ (step 2 again), independent of what is there. So along the skip path the variance grows *by the same amount* in every layer:
#
# $$ v_l = v_0 + l\,\frac{\pi-1}{\pi} . $$
#
# **Backward.** The skip path hands the gradient down as it is; the branch adds its own part, $n s^2\cdot\frac12\cdot\frac1{v_l} = \frac1{v_l}$ of the squared length (the two are uncorrelated, so squares add up). But the batch norm of
# layer $l$ now divides by a variance that has *grown*:
#
# $$ \text{factor of layer } l:\quad 1 + \frac1{v_l} \approx 1 + \frac{\pi}{\pi-1}\cdot\frac1l
#    \qquad\Longrightarrow\qquad \prod_{k=l}^{L}\Big(1 + \frac{1.467}{k}\Big) \approx \Big(\frac Ll\Big)^{1.467} . $$
#
# The same number, moved from the base to the exponent: $1.467^{L}$ has become $L^{1.467}$, up to a constant. (The first layers, where $v_0 = 1$ still counts, grow by less than $1 + 1.467/l$: the whole product
# is about a quarter of $L^{1.467}$. What the exponent says is how it grows *with the depth*.) De & Smith (2020) say it so: batch norm makes each residual branch small against the skip path, by a factor of about $1/\sqrt l$ at layer $l$, and so the network
# starts out close to the identity.

# %%
for depth in (10, 20, 40, 80):
    growth = []
    for skip in (False, True):
        draws = np.random.default_rng(0)
        x, dy = draws.normal(size=(2, 128, 128))
        arriving = send(Layers(depth, 128, norm=True, skip=skip), x, dy, draws).arriving
        growth.append((arriving[0] / arriving[-1]) ** 2)
    print(f"{depth:2d} layers: squared gradient × {growth[0]:8.1e} without, × {growth[1]:6.1f} with skip connections")

# %% [markdown]
# **Play.** One line is $1.467^{L-l}$, the other the power law. Predict: (1) from 10 to 60 layers, with and without skips; (2) a batch of 8, of 4: better or worse? (3) without batch norm, at He's scale?

# %%
explore(
    draw_explosion,
    title="How the gradient travels down a ReLU network",
    alt="Left: squared gradient norm at each layer on a logarithmic scale; with batch norm it follows 1.467 to the number of layers passed, with "
    "skip connections a power law, without batch norm it is level. Right: factor a layer against batch size; it rises for small batches",
    depth=Slider("layers", 10, 60, 10, 40),
    batch=Slider("batch size", 4, 128, 2, 64, log=True),
    kind=Choice("network", KINDS, NORMED),
)

# %% [markdown]
# <details><summary>What you see</summary>
#
# 1. Without skips a straight line up, ten more layers, almost fifty times more. With skips it bends and hardly notices the depth.
# 2. Worse: a batch of 8 has 1.8 a layer, a batch of 4 more than 2.5. The variance of few rows is sometimes small by accident, and batch norm divides by it. (Yang et al. compute it for finite batches, too.)
# 3. Level. At its one right scale a network without batch norm has no such problem. But try to *stay* there while you train.
# </details>

# %% [markdown]
# ## 7. Where it breaks
#
# * **All of this is the first step.** A layer with batch norm whose gradient is too long takes one big step sideways, its weights become longer, and its next gradient shorter (unit 5, section 7). Yang et al. (2019) observe just that: after
#   a single step the gradients of different layers are far closer to each other. What they could not train without skip connections were networks of large depth. Unit 13, in preparation, will let you try.
# * **"Wide layers, large batch."** At 384 units and rows we were a per cent or so off, at a batch of 8 almost 20 %.
# * **A right scale is not enough to train well.** At He's scale the sizes are right, but deep down all inputs come to look alike (their correlation tends to 1, Schoenholz et al. 2017). **Predict** what the angle between two different inputs is after
#   forty ReLU layers, without and with batch norm.

# %%
x, dy = np.random.default_rng(3).normal(size=(2, 128, 256))
for norm in (False, True):
    signal = send(Layers(40, 256, norm=norm), x, dy, np.random.default_rng(4))
    for layer in (1, 10, 40):
        rows = signal.outputs[layer - 1][:2]
        cosine = rows[0] @ rows[1] / np.prod(np.linalg.norm(rows, axis=1))
        print(f"batch norm {norm!s:5}  layer {layer:2d}: angle between two inputs {np.degrees(np.arccos(cosine)):5.1f}°")

# %% [markdown]
# <details><summary>Why</summary>
#
# A ReLU makes everything positive, so all arrows move into one corner and come closer with each layer: forty layers on, two unrelated inputs are 9° apart, and the network can hardly tell them from each other. Batch norm
# subtracts the common part again: the angle settles at about 71°, where the cosine is $E[a]^2/E[a^2] = 1/\pi$. That share $1/\pi$ again! What it costs is the explosion; what it buys is that the network can tell its inputs apart.
# </details>

# %% [markdown]
# ## 8. What people get wrong
#
# * **Variance for standard deviation.** The variance of the weights is $1/n$, what goes into `normal(scale=…)` is $1/\sqrt n$. At $n = 100$ that is a factor 10 a layer.
# * **Xavier's 1 with ReLU.** A factor $1/\sqrt2$ a layer in size, a millionth over forty layers. (He's 2 with tanh does far less harm: the tanh holds the signal, and $\|\mathrm dW\|$ of layer 1 is a mere eight or nine times that of layer 40.)
# * **"Saturated, so the gradient vanishes."** Of that unit, yes. Of the network, multiply by the weights first.
# * **"The forward pass looks fine, so the gradient will be."** Section 1, scale 0.2. Look at both.
# * **"Vanishing gradients are a problem of the first layers."** In section 1 all layers had the same tiny one.
# * **Measuring with two layers.** $(n_L/n_1)^{1/(L-1)}$ is the noise of two numbers; fit a line to the logarithms of all.
# * **"Batch norm cures exploding gradients."** It cures those that come from the weights' scale, and adds its own. With skip connections the rest is tame.

# %% [markdown]
# ## 9. Summary card
#
# | one layer multiplies … | the signal's mean square by | the squared gradient (going down) by |
# |---|---|---|
# | linear, weights of variance $s^2$ | $n s^2$ | $n s^2$ |
# | ReLU | $\frac12 n s^2$ | $\frac12 n s^2$ |
# | tanh, $n s^2 = 1$ | $1 - 2q$ | about the same |
# | tanh, gain $g$ large | held below 1 | about $0.53\,g$ |
# | linear, batch norm, ReLU | 1, whatever $s$ | $\frac{\pi}{\pi-1} \approx 1.467$, whatever $s$ |
# | the same in a skip connection | adds $\frac{\pi-1}{\pi}$ | $1 + \frac{1.467}{l}$: in all proportional to $L^{1.467}$ |
#
# * The right scale: $1/\sqrt n$, for ReLU $\sqrt{2/n}$. It holds until the first step of training.
# * $\mathrm dW = h^{\mathsf T}\mathrm dz$: a product of what came up and what comes down.
# * Wide layers, large batches, at initialisation. Small batches explode faster.

# %% [markdown]
# ## What to try next
#
# * The assignment `signal.ipynb`: the five instruments used here, and a network with batch norm to point them at.
# * What is the factor for batch norm with tanh? `send(Layers(40, 256, activation="tanh", norm=True), ...)`. And with no activation at all? Why is it nearly 1 there?
# * Put batch norm *after* the ReLU. Which of the three steps changes?
# * Unit 2: the formula itself.
#
# ## Sources
#
# * X. Glorot, Y. Bengio, *Understanding the difficulty of training deep feedforward neural networks*, AISTATS 2010: §4.2, variances forward and backward.
# * K. He, X. Zhang, S. Ren, J. Sun, *Delving Deep into Rectifiers*, ICCV 2015, [arXiv:1502.01852](https://arxiv.org/abs/1502.01852): §2.2.
# * K. He et al., *Identity Mappings in Deep Residual Networks*, ECCV 2016, [arXiv:1603.05027](https://arxiv.org/abs/1603.05027): batch norm and ReLU before the weights.
# * S. Ioffe, C. Szegedy, *Batch Normalization*, ICML 2015, [arXiv:1502.03167](https://arxiv.org/abs/1502.03167).
# * B. Poole et al., *Exponential expressivity in deep neural networks through transient chaos*, NeurIPS 2016, [arXiv:1606.05340](https://arxiv.org/abs/1606.05340);
#   S. Schoenholz et al., *Deep Information Propagation*, ICLR 2017, [arXiv:1611.01232](https://arxiv.org/abs/1611.01232).
# * G. Yang, J. Pennington, V. Rao, J. Sohl-Dickstein, S. Schoenholz, *A Mean Field Theory of Batch Normalization*, ICLR 2019, [arXiv:1902.08129](https://arxiv.org/abs/1902.08129): the explosion and its rate.
# * S. De, S. Smith, *Batch Normalization Biases Residual Blocks Towards the Identity Function in Deep Networks*, NeurIPS 2020, [arXiv:2002.10444](https://arxiv.org/abs/2002.10444).
