# %% right layer_statistics: the plain way
def layer_statistics(weights, x, activation):
    h, rows = x, []
    for w in weights:
        h = activation(h @ w)
        rows.append([h.mean(), h.std()])
    return np.array(rows)


# %% right layer_statistics: filled in by index, moments by hand
def layer_statistics(weights, x, activation):
    out = np.empty((len(weights), 2))
    for i in range(len(weights)):
        x = activation(np.matmul(x, weights[i]))
        mu = np.sum(x) / x.size
        out[i] = mu, np.sqrt(np.sum((x - mu) ** 2) / x.size)
    return out


# %% right layer_statistics: recursion
def layer_statistics(weights, x, activation):
    if len(weights) == 0:
        return np.zeros((0, 2))
    h = activation(np.dot(x, weights[0]))
    first = np.array([[np.mean(h), np.std(h)]])
    return np.concatenate([first, layer_statistics(weights[1:], h, activation)])


# %% right layer_statistics: accumulate, then two columns
from itertools import accumulate


def layer_statistics(weights, x, activation):
    outputs = list(accumulate(weights, lambda h, w: activation(h @ w), initial=x))[1:]
    flat = [h.ravel() for h in outputs]
    return np.stack([[f.mean() for f in flat], [f.std() for f in flat]], axis=1)


# %% right layer_statistics: einsum and hypot-free var, with a debugging print
def layer_statistics(weights, x, activation):
    print("layers:", len(weights))
    h = x.copy()
    rows = ()
    for w in weights:
        h = activation(np.einsum("nd,dc->nc", h, w))
        rows += ((np.average(h), np.var(h) ** 0.5),)
    return np.asarray(rows)


# %% wrong layer_statistics: untouched -> NotImplementedError
def layer_statistics(weights, x, activation):
    raise NotImplementedError()


# %% wrong layer_statistics: measures before the activation -> before-the-activation
def layer_statistics(weights, x, activation):
    rows = []
    for w in weights:
        z = x @ w
        rows.append((z.mean(), z.std()))
        x = activation(z)
    return np.array(rows)


# %% wrong layer_statistics: forgets the activation -> activation-forgotten
def layer_statistics(weights, x, activation):
    rows = []
    for w in weights:
        x = x @ w
        rows.append((x.mean(), x.std()))
    return np.array(rows)


# %% wrong layer_statistics: hands on what has not been activated -> activation-not-handed-on
def layer_statistics(weights, x, activation):
    rows = []
    for w in weights:
        x = x @ w
        a = activation(x)
        rows.append((a.mean(), a.std()))
    return np.array(rows)


# %% wrong layer_statistics: notes the input, then steps -> inputs-measured
def layer_statistics(weights, x, activation):
    rows = []
    for w in weights:
        rows.append((x.mean(), x.std()))
        x = activation(x @ w)
    return np.array(rows)


# %% wrong layer_statistics: a row for x -> input-included
def layer_statistics(weights, x, activation):
    rows = [(x.mean(), x.std())]
    for w in weights:
        x = activation(x @ w)
        rows.append((x.mean(), x.std()))
    return np.array(rows)


# %% wrong layer_statistics: variance -> variance-for-std
def layer_statistics(weights, x, activation):
    rows = []
    for w in weights:
        x = activation(x @ w)
        rows.append((x.mean(), x.var()))
    return np.array(rows)


# %% wrong layer_statistics: the unbiased one -> divides-by-n-minus-1
def layer_statistics(weights, x, activation):
    rows = []
    for w in weights:
        x = activation(x @ w)
        rows.append((x.mean(), x.std(ddof=1)))
    return np.array(rows)


# %% wrong layer_statistics: two rows in place of two columns -> transposed
def layer_statistics(weights, x, activation):
    means, stds = [], []
    for w in weights:
        x = activation(x @ w)
        means.append(x.mean())
        stds.append(x.std())
    return np.array([means, stds])


# %% wrong layer_statistics: per feature, averaged -> averaged-over-features
def layer_statistics(weights, x, activation):
    rows = []
    for w in weights:
        x = activation(x @ w)
        rows.append((x.mean(axis=0).mean(), x.std(axis=0).mean()))
    return np.array(rows)


# %% wrong layer_statistics: cancelling variance -> mean-of-squares-minus-square-of-mean
def layer_statistics(weights, x, activation):
    rows = []
    for w in weights:
        x = activation(x @ w)
        rows.append((x.mean(), np.sqrt(max((x**2).mean() - x.mean() ** 2, 0))))
    return np.array(rows)


# %% wrong layer_statistics: a list of pairs -> type
def layer_statistics(weights, x, activation):
    rows = []
    for w in weights:
        x = activation(x @ w)
        rows.append((x.mean(), x.std()))
    return rows


# %% wrong layer_statistics: multiplies into the weights
def layer_statistics(weights, x, activation):
    rows = []
    for i in range(len(weights)):
        x = activation(x @ weights[i])
        weights[i] *= 0
        rows.append((x.mean(), x.std()))
    return np.array(rows)


# %% wrong layer_statistics: always tanh -> activation-hard-coded
def layer_statistics(weights, x, activation):
    rows = []
    for w in weights:
        x = np.tanh(x @ w)
        rows.append((x.mean(), x.std()))
    return np.array(rows)


# %% wrong layer_statistics: adds a small constant to the standard deviation -> few-digits
def layer_statistics(weights, x, activation):
    rows = []
    for w in weights:
        x = activation(x @ w)
        rows.append((x.mean(), np.sqrt(x.var() + 1e-8)))
    return np.array(rows)


# %% wrong layer_statistics: row by row
def layer_statistics(weights, x, activation):
    rows = []
    for w in weights:
        x = np.stack([activation((row @ w)[None])[0] for row in x])
        rows.append((x.mean(), x.std()))
    return np.array(rows)


# %% wrong layer_statistics: rounds -> few-digits
def layer_statistics(weights, x, activation):
    rows = []
    for w in weights:
        x = activation(x @ w)
        rows.append((round(float(x.mean()), 4), round(float(x.std()), 4)))
    return np.array(rows)


# %% wrong layer_statistics: a linear last layer -> last-layer-without-activation
def layer_statistics(weights, x, activation):
    rows = []
    for l, w in enumerate(weights):
        x = x @ w
        if l < len(weights) - 1:
            x = activation(x)
        rows.append((x.mean(), x.std()))
    return np.array(rows)


# %% right saturated_fraction: the plain way
def saturated_fraction(h, threshold=0.97):
    return (np.abs(h) > threshold).mean()


# %% right saturated_fraction: both sides counted on their own
def saturated_fraction(h, threshold=0.97):
    beyond = np.count_nonzero(h > threshold) + np.count_nonzero(h < -threshold)
    return beyond / h.size


# %% right saturated_fraction: a loop
def saturated_fraction(h, threshold=0.97):
    hits = 0
    for value in h.flatten():
        if abs(value) > threshold:
            hits += 1
    return hits / h.size


# %% right saturated_fraction: squares on both sides
def saturated_fraction(h, threshold=0.97):
    wide = h.astype(np.float64)
    return float(1 - np.mean(wide * wide <= threshold * threshold))


# %% right saturated_fraction: greater or equal, as a Python float
def saturated_fraction(h, threshold=0.97):
    return float(np.average(np.where(np.abs(h) >= threshold, 1.0, 0.0)))


# %% wrong saturated_fraction: untouched -> NotImplementedError
def saturated_fraction(h, threshold=0.97):
    raise NotImplementedError()


# %% wrong saturated_fraction: one side -> one-side-only
def saturated_fraction(h, threshold=0.97):
    return np.mean(h > threshold)


# %% wrong saturated_fraction: a number -> counted
def saturated_fraction(h, threshold=0.97):
    return np.sum(np.abs(h) > threshold)


# %% wrong saturated_fraction: of the rows -> divided-by-rows
def saturated_fraction(h, threshold=0.97):
    return np.sum(np.abs(h) > threshold) / h.shape[0]


# %% wrong saturated_fraction: per cent -> in-per-cent
def saturated_fraction(h, threshold=0.97):
    return 100 * np.mean(np.abs(h) > threshold)


# %% wrong saturated_fraction: the rest -> not-saturated
def saturated_fraction(h, threshold=0.97):
    return np.mean(np.abs(h) < threshold)


# %% wrong saturated_fraction: hard-coded -> threshold-ignored
def saturated_fraction(h, threshold=0.97):
    return np.mean(np.abs(h) > 0.97)


# %% wrong saturated_fraction: tanh again -> activated-again
def saturated_fraction(h, threshold=0.97):
    return np.mean(np.abs(np.tanh(h)) > threshold)


# %% wrong saturated_fraction: a number for each feature -> fraction-per-feature
def saturated_fraction(h, threshold=0.97):
    return (np.abs(h) > threshold).mean(axis=0)


# %% wrong saturated_fraction: absolute value in place -> modifies-argument
def saturated_fraction(h, threshold=0.97):
    np.abs(h, out=h)
    return np.mean(h > threshold)


# %% wrong saturated_fraction: the largest entry decides
def saturated_fraction(h, threshold=0.97):
    return float(np.abs(h).max() > threshold)


# %% wrong saturated_fraction: an array of True and False
def saturated_fraction(h, threshold=0.97):
    return np.abs(h) > threshold


# %% right critical_scale: the plain way
def critical_scale(width):
    return 1 / np.sqrt(width)


# %% right critical_scale: a power
def critical_scale(width):
    return float(width) ** -0.5


# %% right critical_scale: math, from the variance
import math


def critical_scale(width):
    variance = 1.0 / width
    return math.sqrt(variance)


# %% right critical_scale: logarithms
def critical_scale(width):
    return np.exp(-0.5 * np.log(width))


# %% wrong critical_scale: untouched -> NotImplementedError
def critical_scale(width):
    raise NotImplementedError()


# %% wrong critical_scale: the variance -> variance-for-std
def critical_scale(width):
    return 1 / width


# %% wrong critical_scale: He's -> scale-for-relu
def critical_scale(width):
    return np.sqrt(2 / width)


# %% wrong critical_scale: Glorot's uniform bound -> bound-of-uniform
def critical_scale(width):
    return np.sqrt(6 / (width + width))


# %% wrong critical_scale: the root of the width -> upside-down
def critical_scale(width):
    return np.sqrt(width)


# %% wrong critical_scale: inputs and outputs -> inputs-and-outputs-added
def critical_scale(width):
    return 1 / np.sqrt(width + width)


# %% wrong critical_scale: a table of the examples
def critical_scale(width):
    return {100: 0.1, 4: 0.5}.get(width, 0.1)


# %% wrong critical_scale: whole-number division
def critical_scale(width):
    return 1 // np.sqrt(width)


# %% wrong critical_scale: measured on a random layer
def critical_scale(width):
    rng = np.random.default_rng(0)
    width = min(width, 1000)
    z = rng.normal(size=(100, width)) @ rng.normal(size=width)
    return 1 / z.std()


# %% wrong critical_scale: what PyTorch starts with -> scale-of-pytorch
def critical_scale(width):
    bound = 1 / np.sqrt(width)
    return bound / np.sqrt(3)


# %% right gradient_norms: the plain way
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    norms = np.zeros(len(weights))
    dh = dy
    for l in reversed(range(len(weights))):
        dz = dh * (1 - outputs[l + 1] ** 2)
        norms[l] = np.linalg.norm(outputs[l].T @ dz)
        dh = dz @ weights[l].T
    return norms


# %% right gradient_norms: a list, turned round at the end
def gradient_norms(weights, x, dy):
    hs = [x]
    for w in weights:
        hs.append(np.tanh(hs[-1] @ w))
    found = []
    for w, h_in, h_out in zip(weights[::-1], hs[-2::-1], hs[:0:-1]):
        dz = dy * (1 - h_out) * (1 + h_out)
        dw = h_in.T @ dz
        found.append(np.sqrt((dw * dw).sum()))
        dy = dz @ w.T
    return np.array(found)[::-1]


# %% right gradient_norms: recursion that returns what goes further down
def gradient_norms(weights, x, dy):
    def go(layer, h):
        if layer == len(weights):
            return dy, []
        out = np.tanh(h @ weights[layer])
        dh, rest = go(layer + 1, out)
        dz = dh * (1 - out * out)
        return dz @ weights[layer].T, [np.linalg.norm(h.T @ dz), *rest]

    return np.array(go(0, x)[1])


# %% right gradient_norms: torch's automatic differentiation
import torch


def gradient_norms(weights, x, dy):
    leaves = [torch.tensor(np.ascontiguousarray(w), requires_grad=True) for w in weights]
    h = torch.tensor(np.ascontiguousarray(x))
    for w in leaves:
        h = torch.tanh(h @ w)
    grads = torch.autograd.grad(h, leaves, torch.tensor(np.ascontiguousarray(dy)))
    return np.array([g.norm().item() for g in grads])


# %% right gradient_norms: the slope from z, as 1/cosh²
def gradient_norms(weights, x, dy):
    inputs, sums, h = [], [], x
    for w in weights:
        inputs.append(h)
        sums.append(h @ w)
        h = np.tanh(sums[-1])
    norms = np.empty(len(weights))
    for l in range(len(weights) - 1, -1, -1):
        dz = dy / np.cosh(sums[l]) ** 2
        norms[l] = np.linalg.norm(inputs[l].T @ dz, "fro")
        dy = dz @ weights[l].T
    return norms


# %% right gradient_norms: a class with layers
class Layer:
    def __init__(self, w):
        self.w = w

    def forward(self, h):
        self.h = h
        self.out = np.tanh(h @ self.w)
        return self.out

    def backward(self, dh):
        dz = dh * (1 - self.out**2)
        self.dw = self.h.T @ dz
        return dz @ self.w.T


def gradient_norms(weights, x, dy):
    layers = [Layer(w) for w in weights]
    for layer in layers:
        x = layer.forward(x)
    for layer in layers[::-1]:
        dy = layer.backward(dy)
    return np.array([np.linalg.norm(layer.dw) for layer in layers])


# %% right gradient_norms: einsum throughout
def gradient_norms(weights, x, dy):
    hs = [x]
    for w in weights:
        hs += [np.tanh(np.einsum("nd,dc->nc", hs[-1], w))]
    norms, dh = [], dy.copy()
    for l, w in reversed(list(enumerate(weights))):
        dz = np.einsum("nc,nc->nc", dh, 1 - np.square(hs[l + 1]))
        dw = np.einsum("nd,nc->dc", hs[l], dz)
        norms.insert(0, np.einsum("dc,dc->", dw, dw) ** 0.5)
        dh = np.einsum("nc,dc->nd", dz, w)
    return np.asarray(norms)


# %% right gradient_norms: row by row, outer products summed
def gradient_norms(weights, x, dy):
    total = [np.zeros(w.shape) for w in weights]
    for row, up in zip(x, dy):
        hs = [row]
        for w in weights:
            hs.append(np.tanh(hs[-1] @ w))
        for l in range(len(weights) - 1, -1, -1):
            dz = up * (1 - hs[l + 1] ** 2)
            total[l] += np.outer(hs[l], dz)
            up = weights[l] @ dz
    return np.array([np.linalg.norm(dw) for dw in total])


# %% wrong gradient_norms: untouched -> NotImplementedError
def gradient_norms(weights, x, dy):
    raise NotImplementedError()


# %% wrong gradient_norms: the last layer first -> last-layer-first
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    norms = []
    for l in reversed(range(len(weights))):
        dz = dy * (1 - outputs[l + 1] ** 2)
        norms.append(np.linalg.norm(outputs[l].T @ dz))
        dy = dz @ weights[l].T
    return np.array(norms)


# %% wrong gradient_norms: no slope -> slope-of-tanh-forgotten
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    norms = np.zeros(len(weights))
    for l in reversed(range(len(weights))):
        norms[l] = np.linalg.norm(outputs[l].T @ dy)
        dy = dy @ weights[l].T
    return norms


# %% wrong gradient_norms: the slope of tanh at the output -> slope-taken-of-the-output
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    norms = np.zeros(len(weights))
    for l in reversed(range(len(weights))):
        dz = dy / np.cosh(outputs[l + 1]) ** 2
        norms[l] = np.linalg.norm(outputs[l].T @ dz)
        dy = dz @ weights[l].T
    return norms


# %% wrong gradient_norms: the slope is not handed on -> slope-not-handed-on
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    norms = np.zeros(len(weights))
    for l in reversed(range(len(weights))):
        dz = dy * (1 - outputs[l + 1] ** 2)
        norms[l] = np.linalg.norm(outputs[l].T @ dz)
        dy = dy @ weights[l].T
    return norms


# %% wrong gradient_norms: the last layer is linear going back -> last-layer-taken-for-linear
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    norms = np.zeros(len(weights))
    dz = dy
    for l in reversed(range(len(weights))):
        norms[l] = np.linalg.norm(outputs[l].T @ dz)
        dz = (dz @ weights[l].T) * (1 - outputs[l] ** 2)
    return norms


# %% wrong gradient_norms: 1 - h -> square-forgotten-in-the-slope
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    norms = np.zeros(len(weights))
    for l in reversed(range(len(weights))):
        dz = dy * (1 - outputs[l + 1])
        norms[l] = np.linalg.norm(outputs[l].T @ dz)
        dy = dz @ weights[l].T
    return norms


# %% wrong gradient_norms: its own output -> output-for-input
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    norms = np.zeros(len(weights))
    for l in reversed(range(len(weights))):
        dz = dy * (1 - outputs[l + 1] ** 2)
        norms[l] = np.linalg.norm(outputs[l + 1].T @ dz)
        dy = dz @ weights[l].T
    return norms


# %% wrong gradient_norms: by the outputs -> gradient-of-outputs
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    norms = np.zeros(len(weights))
    for l in reversed(range(len(weights))):
        norms[l] = np.linalg.norm(dy)
        dy = (dy * (1 - outputs[l + 1] ** 2)) @ weights[l].T
    return norms


# %% wrong gradient_norms: squared -> squared
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    norms = np.zeros(len(weights))
    for l in reversed(range(len(weights))):
        dz = dy * (1 - outputs[l + 1] ** 2)
        norms[l] = np.sum((outputs[l].T @ dz) ** 2)
        dy = dz @ weights[l].T
    return norms


# %% wrong gradient_norms: the largest singular value -> spectral-norm
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    norms = np.zeros(len(weights))
    for l in reversed(range(len(weights))):
        dz = dy * (1 - outputs[l + 1] ** 2)
        norms[l] = np.linalg.norm(outputs[l].T @ dz, ord=2)
        dy = dz @ weights[l].T
    return norms


# %% wrong gradient_norms: averaged -> averaged-over-the-batch
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    norms = np.zeros(len(weights))
    for l in reversed(range(len(weights))):
        dz = dy * (1 - outputs[l + 1] ** 2)
        norms[l] = np.linalg.norm(outputs[l].T @ dz / len(x))
        dy = dz @ weights[l].T
    return norms


# %% wrong gradient_norms: a list of the lengths -> type
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    norms = []
    for l in reversed(range(len(weights))):
        dz = dy * (1 - outputs[l + 1] ** 2)
        norms.insert(0, np.linalg.norm(outputs[l].T @ dz))
        dy = dz @ weights[l].T
    return norms


# %% wrong gradient_norms: the gradients themselves
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    grads = []
    for l in reversed(range(len(weights))):
        dz = dy * (1 - outputs[l + 1] ** 2)
        grads.insert(0, outputs[l].T @ dz)
        dy = dz @ weights[l].T
    return grads


# %% wrong gradient_norms: multiplies into dy
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    norms = np.zeros(len(weights))
    for l in reversed(range(len(weights))):
        dy *= 1 - outputs[l + 1] ** 2
        norms[l] = np.linalg.norm(outputs[l].T @ dy)
        dy = dy @ weights[l].T
    return norms


# %% wrong gradient_norms: weights not transposed
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    norms = np.zeros(len(weights))
    for l in reversed(range(len(weights))):
        dz = dy * (1 - outputs[l + 1] ** 2)
        norms[l] = np.linalg.norm(outputs[l].T @ dz)
        dy = dz @ weights[l]
    return norms


# %% wrong gradient_norms: finite differences -> few-digits
def gradient_norms(weights, x, dy):
    def loss(layer, w):
        h = x
        for k, own in enumerate(weights):
            h = np.tanh(h @ (w if k == layer else own))
        return np.sum(dy * h)

    norms = np.zeros(len(weights))
    for l, w in enumerate(weights):
        for i in np.ndindex(w.shape):
            moved = w.copy()
            moved[i] += 1e-4
            norms[l] += ((loss(l, moved) - loss(l, w)) / 1e-4) ** 2
    return np.sqrt(norms)


# %% wrong gradient_norms: the sigmoid's slope -> slope-of-the-sigmoid
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    norms = np.zeros(len(weights))
    for l in reversed(range(len(weights))):
        dz = dy * outputs[l + 1] * (1 - outputs[l + 1])
        norms[l] = np.linalg.norm(outputs[l].T @ dz)
        dy = dz @ weights[l].T
    return norms


# %% wrong gradient_norms: forward without tanh -> no-tanh-going-forward
def gradient_norms(weights, x, dy):
    outputs = [x]
    for w in weights:
        outputs.append(outputs[-1] @ w)
    norms = np.zeros(len(weights))
    for l in reversed(range(len(weights))):
        dz = dy * (1 - outputs[l + 1] ** 2)
        norms[l] = np.linalg.norm(outputs[l].T @ dz)
        dy = dz @ weights[l].T
    return norms


# %% wrong gradient_norms: x is not in the list -> last-output-for-x
def gradient_norms(weights, x, dy):
    outputs = []
    for w in weights:
        x = np.tanh(x @ w)
        outputs.append(x)
    norms = np.zeros(len(weights))
    for l in reversed(range(len(weights))):
        dz = dy * (1 - outputs[l] ** 2)
        norms[l] = np.linalg.norm(outputs[l - 1].T @ dz)
        dy = dz @ weights[l].T
    return norms


# %% right explosion_rate: polyfit
def explosion_rate(norms):
    return np.exp(np.polyfit(np.arange(len(norms)), np.log(norms), 1)[0])


# %% right explosion_rate: covariance over variance
def explosion_rate(norms):
    layer = np.arange(len(norms))
    logs = np.log(norms.astype(np.float64))
    slope = np.mean((layer - layer.mean()) * (logs - logs.mean())) / layer.var()
    return float(np.exp(slope))


# %% right explosion_rate: decimal logarithms, lstsq
def explosion_rate(norms):
    a = np.stack([np.ones(len(norms)), np.arange(len(norms))], axis=1)
    (_, slope), *_ = np.linalg.lstsq(a, np.log10(norms), rcond=None)
    return 10.0**slope


# %% right explosion_rate: layers counted from 1, the polynomial class
def explosion_rate(norms):
    fit = np.polynomial.Polynomial.fit(range(1, len(norms) + 1), np.log2(norms), deg=1)
    return 2.0 ** fit.convert().coef[1] if len(fit.convert().coef) > 1 else 1.0


# %% right explosion_rate: pure Python
import math


def explosion_rate(norms):
    n = len(norms)
    logs = [math.log(value) for value in norms]
    middle = (n - 1) / 2
    top = sum((i - middle) * value for i, value in enumerate(logs))
    return math.exp(top / sum((i - middle) ** 2 for i in range(n)))


# %% wrong explosion_rate: untouched -> NotImplementedError
def explosion_rate(norms):
    raise NotImplementedError()


# %% wrong explosion_rate: the slope -> slope-not-exponentiated
def explosion_rate(norms):
    return np.polyfit(np.arange(len(norms)), np.log(norms), 1)[0]


# %% wrong explosion_rate: a line through the norms -> line-through-the-norms
def explosion_rate(norms):
    return np.polyfit(np.arange(len(norms)), norms, 1)[0]


# %% wrong explosion_rate: two layers -> ends-alone
def explosion_rate(norms):
    return np.exp((np.log(norms[-1]) - np.log(norms[0])) / (len(norms) - 1))


# %% wrong explosion_rate: geometric mean of the ratios -> ends-alone
def explosion_rate(norms):
    return np.exp(np.mean(np.diff(np.log(norms))))


# %% wrong explosion_rate: mean of the ratios -> mean-of-ratios
def explosion_rate(norms):
    return np.mean(norms[1:] / norms[:-1])


# %% wrong explosion_rate: towards the input -> upside-down
def explosion_rate(norms):
    return np.exp(np.polyfit(np.arange(len(norms)), np.log(norms[::-1]), 1)[0])


# %% wrong explosion_rate: 10 to a natural slope -> ten-to-a-natural-slope
def explosion_rate(norms):
    return 10 ** np.polyfit(np.arange(len(norms)), np.log(norms), 1)[0]


# %% wrong explosion_rate: the intercept -> intercept
def explosion_rate(norms):
    return np.exp(np.polyfit(np.arange(len(norms)), np.log(norms), 1)[1])


# %% wrong explosion_rate: no intercept -> line-through-the-origin
def explosion_rate(norms):
    layer = np.arange(1, len(norms) + 1)
    return np.exp(np.sum(layer * np.log(norms)) / np.sum(layer**2))


# %% wrong explosion_rate: no intercept, counted from 0 -> line-through-the-origin-from-0
def explosion_rate(norms):
    layer = np.arange(len(norms))
    return np.exp(np.sum(layer * np.log(norms)) / np.sum(layer**2))


# %% wrong explosion_rate: positions over logarithms -> axes-swapped
def explosion_rate(norms):
    logs, layer = np.log(norms), np.arange(len(norms))
    logs, layer = logs - logs.mean(), layer - layer.mean()
    return np.exp(np.sum(layer * logs) / np.sum(logs**2))


# %% wrong explosion_rate: two ddofs -> covariance-over-another-variance
def explosion_rate(norms):
    layer = np.arange(len(norms))
    return np.exp(np.cov(layer, np.log(norms))[0, 1] / layer.var())


# %% wrong explosion_rate: rounds -> few-digits
def explosion_rate(norms):
    return np.round(np.exp(np.polyfit(np.arange(len(norms)), np.log(norms), 1)[0]), 3)


# %% wrong explosion_rate: products in plain numbers
def explosion_rate(norms):
    logs = np.log(norms / norms.sum() * norms.prod())
    return np.exp(np.polyfit(np.arange(len(norms)), logs, 1)[0])


# %% wrong explosion_rate: a weighted line
def explosion_rate(norms):
    layer = np.arange(len(norms))
    return np.exp(np.polyfit(layer, np.log(norms), 1, w=1 + layer)[0])


# %% wrong explosion_rate: logarithms in place -> modifies-argument
def explosion_rate(norms):
    np.log(norms, out=norms)
    return np.exp(np.polyfit(np.arange(len(norms)), norms, 1)[0])
