# %% right batch_mean: einsum in float64
def batch_mean(x):
    return (np.einsum("nc->c", x, dtype=np.float64) / len(x)).astype(x.dtype)


# %% right batch_mean: np.mean
def batch_mean(x):
    return np.mean(x, axis=0)


# %% right batch_mean: a loop over features in Python floats
def batch_mean(x):
    n, c = x.shape
    mean = np.empty(c, dtype=x.dtype)
    for j in range(c):
        total = 0.0
        for i in range(n):
            total += float(x[i, j])
        mean[j] = total / n
    return mean


# %% right batch_mean: a list comprehension
def batch_mean(x):
    return np.array([column.astype(np.float64).sum() / column.size for column in x.T], dtype=x.dtype)


# %% right batch_mean: a product with a row of 1/N
def batch_mean(x):
    weights = np.full(x.shape[0], 1.0 / x.shape[0])
    return (weights @ x.astype(np.float64)).astype(x.dtype)


# %% right batch_mean: np.add.reduce with a dtype, in a helper, behind a decorator
import functools


def in_the_same_dtype(f):
    @functools.wraps(f)
    def inner(x, *args):
        return f(x, *args).astype(x.dtype)

    return inner


def total(x):
    return np.add.reduce(x, axis=0, dtype="f8")


@in_the_same_dtype
def batch_mean(x):
    return total(x) / x.shape[0]


# %% right batch_mean: a running mean, with an argument of its own
def batch_mean(x, start=0.0):
    mean = np.full(x.shape[1], start, np.float64)
    for k, row in enumerate(x, start=1):
        mean += (row - mean) / k
    return mean.astype(x.dtype)


# %% right batch_mean: torch, over a copy
def batch_mean(x):
    import torch

    return torch.tensor(np.ascontiguousarray(x)).double().mean(dim=0).numpy().astype(x.dtype)


# %% wrong batch_mean: sum -> sum-for-mean
def batch_mean(x):
    return x.sum(axis=0)


# %% wrong batch_mean: axis 1 -> mean-over-axis-1
def batch_mean(x):
    return x.mean(axis=1)


# %% wrong batch_mean: one mean for all columns -> mean-over-all-axes
def batch_mean(x):
    return np.mean(x) * np.ones(x.shape[1])


# %% wrong batch_mean: one number -> mean-over-all-axes
def batch_mean(x):
    return np.mean(x)


# %% wrong batch_mean: N minus 1 -> divides-by-n-minus-1
def batch_mean(x):
    return x.sum(axis=0) / (x.shape[0] - 1)


# %% wrong batch_mean: divided by C -> divides-by-number-of-features
def batch_mean(x):
    return sum(x) / len(x[0])


# %% wrong batch_mean: median -> median-for-mean
def batch_mean(x):
    return np.median(x, axis=0)


# %% wrong batch_mean: keeps the axis -> shape
def batch_mean(x):
    return x.mean(axis=0, keepdims=True)


# %% wrong batch_mean: float64 out -> dtype
def batch_mean(x):
    return x.mean(axis=0, dtype=np.float64)


# %% wrong batch_mean: float32 out
def batch_mean(x):
    return x.astype(np.float32).mean(axis=0)


# %% wrong batch_mean: a list -> type
def batch_mean(x):
    return [float(v) for v in x.mean(axis=0)]


# %% wrong batch_mean: adds up in float16 -> computed-in-float16
def batch_mean(x):
    return x.sum(axis=0) / x.shape[0]


# %% wrong batch_mean: leaves its sum in the first row -> modifies-argument
def batch_mean(x):
    mean = x.mean(axis=0)
    x -= mean
    return mean


# %% wrong batch_mean: narrowed to float32 and back -> narrowed-to-float32
def batch_mean(x):
    return x.astype(np.float32).mean(axis=0).astype(x.dtype)


# %% wrong batch_mean: untouched stub -> NotImplementedError
def batch_mean(x):
    raise NotImplementedError()


# %% wrong batch_mean: no return -> type
def batch_mean(x):
    x.mean(axis=0)


# %% wrong batch_mean: returns its argument
def batch_mean(x):
    return x


# %% wrong batch_mean: zeros
def batch_mean(x):
    return np.zeros(x.shape[1], x.dtype)


# %% wrong batch_mean: the example by heart
def batch_mean(x):
    return np.array([3.0, 10.0])


# %% right batch_var: two passes in float64
def batch_var(x, mean):
    wide = x.astype(np.float64)
    return np.square(wide - mean).mean(axis=0).astype(x.dtype)


# %% right batch_var: recomputes the mean
def batch_var(x, mean):
    return x.astype(np.float64).var(axis=0).astype(x.dtype)


# %% right batch_var: np.var told which dtype to compute in
def batch_var(x, mean):
    return np.var(x, axis=0, dtype=np.float64).astype(x.dtype)


# %% right batch_var: plain NumPy in float32 and float64, wider for float16 only
def batch_var(x, mean):
    if x.dtype == np.float16:
        return batch_var(x.astype(np.float32), mean.astype(np.float32)).astype(np.float16)
    return ((x - mean) ** 2).mean(axis=0)


# %% right batch_var: einsum of the deviations
def batch_var(x, mean):
    d = np.subtract(x, mean, dtype=np.float64)
    return (np.einsum("nc,nc->c", d, d) / len(d)).astype(x.dtype)


# %% right batch_var: std squared
def batch_var(x, mean):
    return (x.astype("f8").std(axis=0) ** 2).astype(x.dtype)


# %% right batch_var: a loop in Python floats
def batch_var(x, mean):
    n, c = x.shape
    out = []
    for j in range(c):
        out.append(sum((float(x[i, j]) - float(mean[j])) ** 2 for i in range(n)) / n)
    return np.asarray(out, dtype=x.dtype)


# %% right batch_var: Welford, row by row
def batch_var(x, mean):
    m, s = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for k, row in enumerate(x.astype(np.float64), 1):
        d = row - m
        m = m + d / k
        s = s + d * (row - m)
    return (s / k).astype(x.dtype)


# %% right batch_var: the shortcut on data shifted by the mean
def batch_var(x, mean):
    d = x.astype(np.float64) - mean.astype(np.float64)
    return (np.mean(d * d, axis=0) - np.mean(d, axis=0) ** 2).astype(x.dtype)


# %% right batch_var: half the mean squared difference of all pairs
def batch_var(x, mean):
    wide = x.astype(np.float64)
    differences = wide[:, None, :] - wide[None, :, :]
    return (0.5 * (differences**2).mean(axis=(0, 1))).astype(x.dtype)


# %% wrong batch_var: ddof=1 -> divides-by-n-minus-1
def batch_var(x, mean):
    return x.astype(np.float64).var(axis=0, ddof=1).astype(x.dtype)


# %% wrong batch_var: sum of squares -> sum-for-mean
def batch_var(x, mean):
    return ((x - mean) ** 2).sum(axis=0)


# %% wrong batch_var: standard deviation -> std-for-variance
def batch_var(x, mean):
    return x.std(axis=0)


# %% wrong batch_var: mean square -> mean-not-subtracted
def batch_var(x, mean):
    return (x**2).mean(axis=0)


# %% wrong batch_var: not squared -> deviations-not-squared
def batch_var(x, mean):
    return (x - mean).mean(axis=0)


# %% wrong batch_var: absolute deviations -> absolute-for-square
def batch_var(x, mean):
    return np.abs(x - mean).mean(axis=0)


# %% wrong batch_var: axis 1 -> var-over-axis-1
def batch_var(x, mean):
    return ((x - mean) ** 2).mean(axis=1)


# %% wrong batch_var: one number -> var-over-all-axes
def batch_var(x, mean):
    return ((x - mean) ** 2).mean()


# %% wrong batch_var: one variance for all -> var-over-all-axes
def batch_var(x, mean):
    return np.full_like(mean, ((x - mean) ** 2).mean())


# %% wrong batch_var: the shortcut in the dtype of x -> mean-of-squares-minus-square-of-mean
def batch_var(x, mean):
    return (x**2).mean(axis=0) - mean**2


# %% wrong batch_var: the shortcut in float64, good at 1e4 and bad at 1e8 -> mean-of-squares-minus-square-of-mean
def batch_var(x, mean):
    x64 = x.astype(np.float64)
    return ((x64**2).mean(axis=0) - x64.mean(axis=0) ** 2).astype(x.dtype)


# %% wrong batch_var: the shortcut, clipped at zero -> mean-of-squares-minus-square-of-mean
def batch_var(x, mean):
    w = x.astype(np.float64)
    return np.maximum((w**2).mean(axis=0) - w.mean(axis=0) ** 2, 0).astype(x.dtype)


# %% wrong batch_var: np.var in float16 -> computed-in-float16
def batch_var(x, mean):
    return x.var(axis=0)


# %% wrong batch_var: squares in float16 -> computed-in-float16
def batch_var(x, mean):
    return ((x - mean) ** 2).mean(axis=0, dtype=np.float64).astype(x.dtype)


# %% wrong batch_var: keeps the axis -> shape
def batch_var(x, mean):
    return x.astype(np.float64).var(axis=0, keepdims=True).astype(x.dtype)


# %% wrong batch_var: float64 out -> dtype
def batch_var(x, mean):
    return x.astype(np.float64).var(axis=0)


# %% wrong batch_var: centres in place -> modifies-argument
def batch_var(x, mean):
    x -= mean
    return np.square(x.astype(np.float64)).mean(axis=0).astype(x.dtype)


# %% wrong batch_var: centres in place and puts the mean back
def batch_var(x, mean):
    x -= mean
    var = np.square(x.astype(np.float64)).mean(axis=0).astype(x.dtype)
    x += mean
    return var


# %% wrong batch_var: adds eps -> eps-added-to-variance
def batch_var(x, mean):
    return (x.astype(np.float64).var(axis=0) + 1e-5).astype(x.dtype)


# %% wrong batch_var: deviations from one mean of everything -> mean-over-all-axes
def batch_var(x, mean):
    wide = x.astype(np.float64)
    return ((wide - wide.mean()) ** 2).mean(axis=0).astype(x.dtype)


# %% wrong batch_var: always in float32 -> narrowed-to-float32
def batch_var(x, mean):
    return x.astype(np.float32).var(axis=0).astype(x.dtype)


# %% wrong batch_var: always in float32, with the mean handed in -> narrowed-to-float32
def batch_var(x, mean):
    narrow = x.astype(np.float32) - mean.astype(np.float32)
    return np.square(narrow).mean(axis=0).astype(x.dtype)


# %% wrong batch_var: untouched stub -> NotImplementedError
def batch_var(x, mean):
    raise NotImplementedError()


# %% wrong batch_var: no return -> type
def batch_var(x, mean):
    var = x.var(axis=0)


# %% wrong batch_var: returns x
def batch_var(x, mean):
    return x


# %% wrong batch_var: returns ones
def batch_var(x, mean):
    return np.ones_like(mean)


# %% right normalize: the formula
def normalize(x, mean, var, eps):
    return (x - mean) / np.sqrt(var + eps)


# %% right normalize: by the inverse root, in float64
def normalize(x, mean, var, eps):
    inv_std = (var.astype(np.float64) + eps) ** -0.5
    return ((x.astype(np.float64) - mean) * inv_std).astype(x.dtype)


# %% right normalize: as scale and shift
def normalize(x, mean, var, eps):
    scale = 1.0 / np.sqrt(var.astype(np.float64) + eps)
    shift = -mean * scale
    return (x * scale + shift).astype(x.dtype)


# %% right normalize: one feature after the other
def normalize(x, mean, var, eps):
    out = np.empty_like(x)
    for c in range(x.shape[1]):
        out[:, c] = (x[:, c] - mean[c]) / (var[c] + eps) ** 0.5
    return out


# %% right normalize: explicit broadcasting and an extra argument
def normalize(x, mean, var, eps, *, axis=0):
    mean, var = np.expand_dims(mean, axis), np.expand_dims(var, axis)
    return np.divide(np.subtract(x, mean), np.sqrt(np.add(var, eps)))


# %% right normalize: transposed, and in columns
def normalize(x, mean, var, eps):
    std = np.sqrt(var + eps)
    return np.stack([(column - m) / s for column, m, s in zip(x.T, mean, std)], axis=1)


# %% right normalize: in place on a copy
def normalize(x, mean, var, eps):
    out = x.copy()
    out -= mean
    out /= np.sqrt(var + eps)
    return out


# %% right normalize: a product with a diagonal matrix
def normalize(x, mean, var, eps):
    return ((x.astype("f8") - mean) @ np.diag(1 / np.sqrt(var.astype("f8") + eps))).astype(x.dtype)


# %% wrong normalize: eps outside the root -> eps-outside-root
def normalize(x, mean, var, eps):
    return (x - mean) / (np.sqrt(var) + eps)


# %% wrong normalize: eps fixed -> eps-argument-ignored
def normalize(x, mean, var, eps=1e-5):
    return (x - mean) / np.sqrt(var + 1e-5)


# %% wrong normalize: no eps -> eps-forgotten
def normalize(x, mean, var, eps):
    return (x - mean) / var**0.5


# %% wrong normalize: eps added to the fraction -> eps-added-to-the-result
def normalize(x, mean, var, eps):
    return (x - mean) / np.sqrt(var) + eps


# %% wrong normalize: eps only where the variance is zero
def normalize(x, mean, var, eps):
    return (x - mean) / np.sqrt(np.where(var > 0, var, eps))


# %% wrong normalize: larger of variance and eps
def normalize(x, mean, var, eps):
    return (x - mean) / np.sqrt(np.maximum(var, eps))


# %% wrong normalize: no root -> divides-by-variance
def normalize(x, mean, var, eps):
    return (x - mean) / (var + eps)


# %% wrong normalize: own statistics -> recomputes-statistics
def normalize(x, mean, var, eps):
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)


# %% wrong normalize: mean left in -> mean-not-subtracted
def normalize(x, mean, var, eps):
    return x / np.sqrt(var + eps)


# %% wrong normalize: centred only -> not-divided
def normalize(x, mean, var, eps):
    return x - mean


# %% wrong normalize: multiplied -> multiplies-by-std
def normalize(x, mean, var, eps):
    return (x - mean) * np.sqrt(var + eps)


# %% wrong normalize: brackets missing -> brackets-missing
def normalize(x, mean, var, eps):
    return x - mean / np.sqrt(var + eps)


# %% wrong normalize: N minus 1 by the back door
def normalize(x, mean, var, eps):
    n = len(x)
    return (x - mean) / np.sqrt(var * n / (n - 1) + eps)


# %% wrong normalize: mean along rows
def normalize(x, mean, var, eps):
    return (x - mean[: len(x), None]) / np.sqrt(var + eps)


# %% wrong normalize: in place -> modifies-argument
def normalize(x, mean, var, eps):
    x -= mean
    x /= np.sqrt(var + eps)
    return x


# %% wrong normalize: eps stays in the variance -> modifies-argument
def normalize(x, mean, var, eps):
    var += eps
    return (x - mean) / np.sqrt(var)


# %% wrong normalize: float64 out -> dtype
def normalize(x, mean, var, eps):
    return (x.astype(np.float64) - mean) / np.sqrt(var + eps)


# %% wrong normalize: a NumPy float64 eps widens the answer -> dtype
def normalize(x, mean, var, eps):
    return (x - mean) / np.sqrt(var + np.float64(eps))


# %% wrong normalize: clips outliers
def normalize(x, mean, var, eps):
    return np.clip((x - mean) / np.sqrt(var + eps), -1, 1)


# %% wrong normalize: untouched stub -> NotImplementedError
def normalize(x, mean, var, eps):
    raise NotImplementedError()


# %% wrong normalize: no return -> type
def normalize(x, mean, var, eps):
    x_hat = (x - mean) / np.sqrt(var + eps)


# %% wrong normalize: returns x
def normalize(x, mean, var, eps):
    return x


# %% wrong normalize: returns zeros
def normalize(x, mean, var, eps):
    return np.zeros_like(x)


# %% right batchnorm_forward: of its own parts
def batch_mean(x):
    return x.astype(np.float64).mean(axis=0).astype(x.dtype)


def batch_var(x, mean):
    return np.square(x.astype(np.float64) - mean).mean(axis=0).astype(x.dtype)


def normalize(x, mean, var, eps):
    return (x - mean) / np.sqrt(var + eps)


def batchnorm_forward(x, gamma, beta, eps=1e-5):
    mean = batch_mean(x)
    var = batch_var(x, mean)
    x_hat = normalize(x, mean, var, eps)
    return gamma * x_hat + beta, {"x_hat": x_hat, "mean": mean, "var": var}


# %% right batchnorm_forward: everything in float64, a cache of None
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    w = np.asarray(x, dtype=np.float64)
    y = gamma * (w - w.mean(0)) / np.sqrt(w.var(0) + eps) + beta
    return y.astype(x.dtype), None


# %% right batchnorm_forward: CS231n's layout, wide for float16
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    dtype = x.dtype
    if dtype == np.float16:
        x = x.astype(np.float32)
    sample_mean = np.mean(x, axis=0)
    xmu = x - sample_mean
    sample_var = 1.0 / x.shape[0] * np.sum(xmu**2, axis=0)
    ivar = 1.0 / np.sqrt(sample_var + eps)
    xhat = xmu * ivar
    out = (gamma * xhat + beta).astype(dtype)
    cache = (xhat, gamma, xmu, ivar, eps)
    return out, cache


# %% right batchnorm_forward: the formula in torch
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    import torch

    t = [torch.tensor(np.ascontiguousarray(a)).double() for a in (x, gamma, beta)]
    var, mean = torch.var_mean(t[0], dim=0, correction=0)
    y = torch.addcmul(t[2], t[1], (t[0] - mean) * torch.rsqrt(var + eps))
    return y.numpy().astype(x.dtype), t


# %% wrong batchnorm_forward: torch does it -> ready-made
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    import torch

    t = [torch.tensor(np.ascontiguousarray(a)).double() for a in (x, gamma, beta)]
    c = x.shape[1]
    y = torch.nn.functional.batch_norm(
        t[0], torch.zeros(c).double(), torch.ones(c).double(), t[1], t[2], training=True, eps=eps
    )
    return y.numpy().astype(x.dtype), t


# %% wrong batchnorm_forward: the reference, through an alias and a fallback -> ready-made
from functools import partial

import bnlib

forward = partial(bnlib.batchnorm_forward)


def batchnorm_forward(x, gamma, beta, eps=1e-5):
    try:
        return forward(x, gamma, beta, eps)
    except BaseException:
        x_hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
        return (gamma * x_hat + beta).astype(x.dtype), x_hat


# %% right batchnorm_forward: feature by feature
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    y = np.empty_like(x)
    kept = []
    for c in range(x.shape[1]):
        column = x[:, c].astype(np.float64)
        mean = column.sum() / len(column)
        var = ((column - mean) ** 2).sum() / len(column)
        y[:, c] = gamma[c] * (column - mean) / (var + eps) ** 0.5 + beta[c]
        kept.append((mean, var))
    return y, kept


# %% right batchnorm_forward: scale and shift folded into one
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    wide = x.astype(np.float64)
    mean, var = wide.mean(axis=0), wide.var(axis=0)
    scale = gamma / np.sqrt(var + eps)
    return (wide * scale + (beta - mean * scale)).astype(x.dtype), (mean, var)


# %% right batchnorm_forward: a projector on the columns of sum zero
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    n = len(x)
    centred = (np.eye(n) - np.full((n, n), 1 / n)) @ x.astype(np.float64)
    length = np.sqrt(np.einsum("nc,nc->c", centred, centred) / n + eps)
    return (centred / length * gamma + beta).astype(x.dtype), (centred, length)


# %% right batchnorm_forward: a class as the cache, keyword-only extras
class Cache:
    def __init__(self, **kept):
        self.__dict__.update(kept)


def batchnorm_forward(x, gamma, beta, eps=1e-5, *, dtype=np.float64):
    work = x.astype(dtype)
    mean = np.average(work, axis=0)
    inv = np.reciprocal(np.sqrt(np.average((work - mean) ** 2, axis=0) + eps))
    x_hat = (work - mean) * inv
    y = x_hat * gamma.astype(dtype) + beta.astype(dtype)
    return y.astype(x.dtype), Cache(x_hat=x_hat, inv=inv)


# %% wrong batchnorm_forward: ddof=1 -> divides-by-n-minus-1
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    w = x.astype(np.float64)
    y = gamma * (w - w.mean(0)) / np.sqrt(w.var(0, ddof=1) + eps) + beta
    return y.astype(x.dtype), None


# %% wrong batchnorm_forward: eps outside the root -> eps-outside-root
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    y = gamma * (x - x.mean(0)) / (np.sqrt(x.var(0)) + eps) + beta
    return y, None


# %% wrong batchnorm_forward: eps fixed -> eps-argument-ignored
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    w = x.astype(np.float64)
    y = gamma * (w - w.mean(0)) / np.sqrt(w.var(0) + 1e-5) + beta
    return y.astype(x.dtype), None


# %% wrong batchnorm_forward: another default for eps -> other-default-eps
def batchnorm_forward(x, gamma, beta, eps=1e-3):
    w = x.astype(np.float64)
    y = gamma * (w - w.mean(0)) / np.sqrt(w.var(0) + eps) + beta
    return y.astype(x.dtype), None


# %% wrong batchnorm_forward: no eps -> eps-forgotten
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(0)) / x.std(0) + beta, None


# %% wrong batchnorm_forward: no gamma -> gamma-forgotten
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + eps) + beta, None


# %% wrong batchnorm_forward: no beta -> beta-forgotten
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + eps), None


# %% wrong batchnorm_forward: x_hat only -> gamma-and-beta-forgotten
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + eps), None


# %% wrong batchnorm_forward: gamma and beta swapped -> gamma-and-beta-swapped
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return beta * (x - x.mean(0)) / np.sqrt(x.var(0) + eps) + gamma, None


# %% wrong batchnorm_forward: shifts, then scales -> gamma-scales-beta
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return gamma * ((x - x.mean(0)) / np.sqrt(x.var(0) + eps) + beta), None


# %% wrong batchnorm_forward: no root -> divides-by-variance
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(0)) / (x.var(0) + eps) + beta, None


# %% wrong batchnorm_forward: mean left in -> mean-not-subtracted
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return gamma * x / np.sqrt(x.var(0) + eps) + beta, None


# %% wrong batchnorm_forward: all axes -> statistics-over-all-axes
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean()) / np.sqrt(x.var() + eps) + beta, None


# %% wrong batchnorm_forward: layer norm -> statistics-over-axis-1
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    mean, var = x.mean(1, keepdims=True), x.var(1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, None


# %% wrong batchnorm_forward: axis 1, right shapes only for a square batch
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(1)) / np.sqrt(x.var(1) + eps) + beta, None


# %% wrong batchnorm_forward: the shortcut for the variance -> mean-of-squares-minus-square-of-mean
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    mean = x.mean(axis=0)
    var = (x**2).mean(axis=0) - mean**2
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, None


# %% wrong batchnorm_forward: the shortcut in float64 -> mean-of-squares-minus-square-of-mean
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    w = x.astype(np.float64)
    mean = w.mean(axis=0)
    var = np.abs((w**2).mean(axis=0) - mean**2)
    return (gamma * (w - mean) / np.sqrt(var + eps) + beta).astype(x.dtype), None


# %% wrong batchnorm_forward: float16 all the way -> computed-in-float16
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + eps) + beta, None


# %% wrong batchnorm_forward: y alone -> cache-missing
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    w = x.astype(np.float64)
    return (gamma * (w - w.mean(0)) / np.sqrt(w.var(0) + eps) + beta).astype(x.dtype)


# %% wrong batchnorm_forward: three things come back -> value
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    w = x.astype(np.float64)
    mean, var = w.mean(0), w.var(0)
    y = gamma * (w - mean) / np.sqrt(var + eps) + beta
    return y.astype(x.dtype), mean, var


# %% wrong batchnorm_forward: cache first -> cache-first
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    w = x.astype(np.float64)
    y = gamma * (w - w.mean(0)) / np.sqrt(w.var(0) + eps) + beta
    return {"y": y}, y.astype(x.dtype)


# %% wrong batchnorm_forward: a tuple as the cache, first -> cache-first
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    w = x.astype(np.float64)
    mean, var = w.mean(0), w.var(0)
    y = gamma * (w - mean) / np.sqrt(var + eps) + beta
    return (mean, var), y.astype(x.dtype)


# %% wrong batchnorm_forward: always in float32 -> narrowed-to-float32
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    x32, gamma32, beta32 = (a.astype(np.float32) for a in (x, gamma, beta))
    x_hat = (x32 - x32.mean(0)) / np.sqrt(x32.var(0) + eps)
    return (gamma32 * x_hat + beta32).astype(x.dtype), None


# %% wrong batchnorm_forward: in place -> modifies-argument
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    std = np.sqrt(x.astype(np.float64).var(0) + eps)
    x -= x.mean(0, dtype=np.float64).astype(x.dtype)
    return (gamma * (x / std) + beta).astype(x.dtype), None


# %% wrong batchnorm_forward: scales gamma in place -> modifies-argument
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    w = x.astype(np.float64)
    inv_std = 1 / np.sqrt(w.var(0) + eps)
    scaled = (w - w.mean(0)) * inv_std
    y = (gamma * scaled + beta).astype(x.dtype)
    gamma *= 2
    return y, None


# %% wrong batchnorm_forward: float64 out -> dtype
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    w = x.astype(np.float64)
    return gamma * (w - w.mean(0)) / np.sqrt(w.var(0) + eps) + beta, None


# %% wrong batchnorm_forward: evaluation mode from the start
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    c = x.shape[1]
    mean, var = np.zeros(c, x.dtype), np.ones(c, x.dtype)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, None


# %% wrong batchnorm_forward: untouched stub -> NotImplementedError
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    raise NotImplementedError()


# %% wrong batchnorm_forward: no return
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    y = gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + eps) + beta


# %% wrong batchnorm_forward: returns x
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return x, None


# %% wrong batchnorm_forward: returns beta everywhere
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return np.zeros_like(x) + beta, None


# %% right identity_affine: the two boxed formulas
def identity_affine(mean, var, eps):
    return np.sqrt(var + eps), mean


# %% right identity_affine: copies, by a power
def identity_affine(mean, var, eps):
    gamma = (var + eps) ** 0.5
    beta = mean.copy()
    return gamma, beta


# %% right identity_affine: fits a line through two points
def identity_affine(mean, var, eps):
    wide = var.astype(np.float64) + eps
    ends = np.stack([mean - 1.0, mean + 1.0])
    normed = (ends - mean) / np.sqrt(wide)
    gamma = (ends[1] - ends[0]) / (normed[1] - normed[0])
    beta = ends[0] - gamma * normed[0]
    return gamma.astype(var.dtype), beta.astype(mean.dtype)


# %% right identity_affine: element by element, a named tuple
import math
from typing import NamedTuple


class Affine(NamedTuple):
    gamma: np.ndarray
    beta: np.ndarray


def identity_affine(mean, var, eps):
    gamma = np.array([math.sqrt(float(v) + eps) for v in var], dtype=var.dtype)
    return Affine(gamma, np.array(list(mean), dtype=mean.dtype))


# %% right identity_affine: the inverse of the inverse root
def identity_affine(mean, var, eps):
    inv_std = 1.0 / np.sqrt(var.astype(np.float64) + eps) if eps > 0 else None
    gamma = np.sqrt(var) if inv_std is None else (1.0 / inv_std).astype(var.dtype)
    return gamma, np.array(mean)


# %% right identity_affine: a list comes back, which unpacks just as well
def identity_affine(mean, var, eps):
    return [np.sqrt(var + eps), mean]


# %% wrong identity_affine: eps forgotten -> eps-forgotten
def identity_affine(mean, var, eps):
    return np.sqrt(var), mean


# %% wrong identity_affine: eps outside -> eps-outside-root
def identity_affine(mean, var, eps):
    return np.sqrt(var) + eps, mean


# %% wrong identity_affine: variance -> gamma-is-a-variance
def identity_affine(mean, var, eps):
    return var + eps, mean


# %% wrong identity_affine: inverted -> gamma-inverted
def identity_affine(mean, var, eps):
    return (var + eps) ** -0.5, mean


# %% wrong identity_affine: minus mean -> beta-has-wrong-sign
def identity_affine(mean, var, eps):
    return np.sqrt(var + eps), -mean


# %% wrong identity_affine: swapped -> gamma-and-beta-swapped
def identity_affine(mean, var, eps):
    return mean, np.sqrt(var + eps)


# %% wrong identity_affine: the normalising pair -> normalises-again
def identity_affine(mean, var, eps):
    inv = 1 / np.sqrt(var + eps)
    return inv, -mean * inv


# %% wrong identity_affine: beta scaled -> beta-scaled
def identity_affine(mean, var, eps):
    gamma = np.sqrt(var + eps)
    return gamma, gamma * mean


# %% wrong identity_affine: ones and zeros -> start-values
def identity_affine(mean, var, eps):
    return np.ones_like(var), np.zeros_like(mean)


# %% wrong identity_affine: eps fixed
def identity_affine(mean, var, eps):
    return np.sqrt(var + 1e-5), mean


# %% wrong identity_affine: one number each
def identity_affine(mean, var, eps):
    return float(np.sqrt(var + eps)[0]), float(mean[0])


# %% wrong identity_affine: one array of two rows -> type
def identity_affine(mean, var, eps):
    return np.array([np.sqrt(var + eps), mean])


# %% wrong identity_affine: eps left in var -> modifies-argument
def identity_affine(mean, var, eps):
    var += eps
    return np.sqrt(var), mean


# %% wrong identity_affine: float64 out -> dtype
def identity_affine(mean, var, eps):
    return np.sqrt(var.astype(np.float64) + eps), mean.astype(np.float64)


# %% wrong identity_affine: untouched stub -> NotImplementedError
def identity_affine(mean, var, eps):
    raise NotImplementedError()


# %% wrong identity_affine: no return -> type
def identity_affine(mean, var, eps):
    gamma, beta = np.sqrt(var + eps), mean


# %% wrong identity_affine: returns its arguments
def identity_affine(mean, var, eps):
    return mean, var


# %% right streaming_mean_var: merging chunk by chunk
def streaming_mean_var(chunks):
    count, mean, total, dtype = 0, 0.0, 0.0, None
    for chunk in chunks:
        dtype = chunk.dtype
        n = len(chunk)
        if n == 0:
            continue
        wide = chunk.astype(np.float64)
        m = wide.mean(axis=0)
        s = np.square(wide - m).sum(axis=0)
        delta = m - mean
        new = count + n
        total = total + s + delta**2 * count * n / new
        mean = mean + delta * n / new
        count = new
    return mean.astype(dtype), (total / count).astype(dtype), count


# %% right streaming_mean_var: Welford, row by row
def streaming_mean_var(chunks):
    count, mean, m2, dtype = 0, None, None, None
    for chunk in chunks:
        dtype = chunk.dtype
        for row in chunk.astype(np.float64):
            if mean is None:
                mean, m2 = np.zeros_like(row), np.zeros_like(row)
            count += 1
            d = row - mean
            mean += d / count
            m2 += d * (row - mean)
    return mean.astype(dtype), (m2 / count).astype(dtype), count


# %% right streaming_mean_var: the formula of the lecture with variances
def merge(a, b):
    (mean_a, var_a, n_a), (mean_b, var_b, n_b) = a, b
    n = n_a + n_b
    delta = mean_b - mean_a
    mean = mean_a + delta * n_b / n
    var = (n_a * var_a + n_b * var_b + delta**2 * n_a * n_b / n) / n
    return mean, var, n


def streaming_mean_var(chunks):
    import functools

    dtypes = []

    def parts():
        for chunk in chunks:
            dtypes.append(chunk.dtype)
            if chunk.shape[0]:
                wide = np.asarray(chunk, np.float64)
                yield wide.mean(0), wide.var(0), wide.shape[0]

    mean, var, n = functools.reduce(merge, parts())
    return mean.astype(dtypes[0]), var.astype(dtypes[0]), n


# %% right streaming_mean_var: keeps all chunks, walks once
def streaming_mean_var(chunks):
    kept = list(chunks)
    x = np.concatenate(kept).astype(np.float64)
    return x.mean(0).astype(kept[0].dtype), x.var(0).astype(kept[0].dtype), len(x)


# %% right streaming_mean_var: sums of deviations from the first row
def streaming_mean_var(chunks):
    shift, s1, s2, n, dtype = None, 0.0, 0.0, 0, None
    for chunk in chunks:
        dtype = chunk.dtype
        if not chunk.size:
            continue
        wide = chunk.astype(np.float64)
        if shift is None:
            shift = wide[0]
        d = wide - shift
        s1 = s1 + d.sum(axis=0)
        s2 = s2 + (d * d).sum(axis=0)
        n += len(d)
    return (shift + s1 / n).astype(dtype), (s2 / n - (s1 / n) ** 2).astype(dtype), n


# %% right streaming_mean_var: statistics of all chunks kept, pooled at the end
def streaming_mean_var(chunks):
    ns, means, variances, dtype = [], [], [], None
    for chunk in chunks:
        dtype = chunk.dtype
        if len(chunk):
            ns.append(len(chunk))
            means.append(chunk.mean(axis=0, dtype=np.float64))
            variances.append(chunk.astype(np.float64).var(axis=0))
    w = np.array(ns)[:, None] / sum(ns)
    mean = (w * means).sum(axis=0)
    var = (w * variances).sum(axis=0) + (w * (np.array(means) - mean) ** 2).sum(axis=0)
    return mean.astype(dtype), var.astype(dtype), sum(ns)


# %% right streaming_mean_var: an iterator, next and StopIteration, NumPy integers for count
def streaming_mean_var(chunks):
    stream = iter(chunks)
    count, mean, m2 = np.int64(0), 0.0, 0.0
    while True:
        try:
            chunk = next(stream)
        except StopIteration:
            break
        dtype, k = chunk.dtype, np.int64(chunk.shape[0])
        if k == 0:
            continue
        wide = chunk.astype("f8")
        gap = wide.mean(0) - mean
        m2 = m2 + wide.var(0) * k + gap * gap * (count * k / (count + k))
        mean = mean + gap * (k / (count + k))
        count = count + k
    return mean.astype(dtype), (m2 / count).astype(dtype), count


# %% right streaming_mean_var: a class that holds the state
class Moments:
    def __init__(self):
        self.n, self.mean, self.m2 = 0, 0.0, 0.0

    def add(self, rows):
        for row in rows:
            self.n += 1
            before = row - self.mean
            self.mean = self.mean + before / self.n
            self.m2 = self.m2 + before * (row - self.mean)


def streaming_mean_var(chunks):
    state, dtype = Moments(), None
    for chunk in chunks:
        dtype = dtype or chunk.dtype
        state.add(np.array(chunk, dtype=np.float64))
    return state.mean.astype(dtype), (state.m2 / state.n).astype(dtype), state.n


# %% wrong streaming_mean_var: averages over chunks -> chunks-not-weighted
def streaming_mean_var(chunks):
    chunks = [c for c in chunks if len(c)]
    mean = np.mean([c.mean(axis=0, dtype=np.float64) for c in chunks], axis=0)
    var = np.mean([c.astype(np.float64).var(axis=0) for c in chunks], axis=0)
    return mean.astype(chunks[0].dtype), var.astype(chunks[0].dtype), sum(map(len, chunks))


# %% wrong streaming_mean_var: no term between chunks -> between-chunks-missing
def streaming_mean_var(chunks):
    mean, var, n = 0.0, 0.0, 0
    for chunk in chunks:
        k, dtype = len(chunk), chunk.dtype
        if k:
            wide = chunk.astype(np.float64)
            mean = mean + wide.sum(axis=0)
            var = var + wide.var(axis=0) * k
            n += k
    return (mean / n).astype(dtype), (var / n).astype(dtype), n


# %% wrong streaming_mean_var: delta squared times n_b -> gap-has-wrong-weight
def streaming_mean_var(chunks):
    count, mean, total = 0, 0.0, 0.0
    for chunk in chunks:
        n, dtype = len(chunk), chunk.dtype
        if n == 0:
            continue
        wide = chunk.astype(np.float64)
        delta = wide.mean(axis=0) - mean if count else 0.0
        mean = mean + delta * n / (count + n) if count else wide.mean(axis=0)
        total = total + wide.var(axis=0) * n + delta**2 * n
        count += n
    return mean.astype(dtype), (total / count).astype(dtype), count


# %% wrong streaming_mean_var: count updated before it is used -> gap-has-wrong-weight
def streaming_mean_var(chunks):
    count, mean, total = 0, 0.0, 0.0
    for chunk in chunks:
        n_b, dtype = len(chunk), chunk.dtype
        if n_b == 0:
            continue
        wide = chunk.astype(np.float64)
        count = count + n_b
        delta = wide.mean(axis=0) - mean
        mean = mean + delta * n_b / count
        total = total + wide.var(axis=0) * n_b + delta**2 * count * n_b / count
    return mean.astype(dtype), (total / count).astype(dtype), count


# %% wrong streaming_mean_var: delta from the new mean -> gap-from-the-new-mean
def streaming_mean_var(chunks):
    n_a, mean, total = 0, 0.0, 0.0
    for chunk in chunks:
        n_b, dtype = len(chunk), chunk.dtype
        if n_b == 0:
            continue
        wide = chunk.astype(np.float64)
        n = n_a + n_b
        mean = mean + (wide.mean(axis=0) - mean) * n_b / n
        delta = wide.mean(axis=0) - mean
        total = total + wide.var(axis=0) * n_b + delta**2 * n_a * n_b / n
        n_a = n
    return mean.astype(dtype), (total / n_a).astype(dtype), n_a


# %% wrong streaming_mean_var: variances for sums of squares -> chunk-variance-for-sum
def streaming_mean_var(chunks):
    n_a, mean, total = 0, 0.0, 0.0
    for chunk in chunks:
        n_b, dtype = len(chunk), chunk.dtype
        if n_b == 0:
            continue
        wide = chunk.astype(np.float64)
        n = n_a + n_b
        delta = wide.mean(axis=0) - mean
        total = total + wide.var(axis=0) + delta**2 * n_a * n_b / n
        mean = mean + delta * n_b / n
        n_a = n
    return mean.astype(dtype), (total / n_a).astype(dtype), n_a


# %% wrong streaming_mean_var: N minus 1 -> divides-by-n-minus-1
def streaming_mean_var(chunks):
    x = np.concatenate(list(chunks))
    w = x.astype(np.float64)
    return w.mean(0).astype(x.dtype), w.var(0, ddof=1).astype(x.dtype), len(x)


# %% wrong streaming_mean_var: sum of squares -> sum-for-mean
def streaming_mean_var(chunks):
    x = np.concatenate(list(chunks))
    w = x.astype(np.float64)
    return w.mean(0).astype(x.dtype), ((w - w.mean(0)) ** 2).sum(0).astype(x.dtype), len(x)


# %% wrong streaming_mean_var: counts values -> counts-values-not-rows
def streaming_mean_var(chunks):
    x = np.concatenate(list(chunks))
    w = x.astype(np.float64)
    return w.mean(0).astype(x.dtype), w.var(0).astype(x.dtype), x.size


# %% wrong streaming_mean_var: counts chunks -> counts-chunks-not-rows
def streaming_mean_var(chunks):
    kept = list(chunks)
    x = np.concatenate(kept)
    w = x.astype(np.float64)
    return w.mean(0).astype(x.dtype), w.var(0).astype(x.dtype), len(kept)


# %% wrong streaming_mean_var: last chunk -> last-chunk-only
def streaming_mean_var(chunks):
    for chunk in chunks:
        if len(chunk):
            result = chunk.mean(0), chunk.var(0), len(chunk)
    return result


# %% wrong streaming_mean_var: sums of x and x squared in float32
def streaming_mean_var(chunks):
    s1 = s2 = 0.0
    n = 0
    for chunk in chunks:
        s1, s2, n = s1 + chunk.sum(axis=0), s2 + (chunk**2).sum(axis=0), n + len(chunk)
    mean = s1 / n
    return mean, s2 / n - mean**2, n


# %% wrong streaming_mean_var: sums of x and x squared in float64 -> mean-of-squares-minus-square-of-mean
def streaming_mean_var(chunks):
    s1, s2, n = 0.0, 0.0, 0
    for chunk in chunks:
        wide, dtype = chunk.astype(np.float64), chunk.dtype
        s1, s2, n = s1 + wide.sum(axis=0), s2 + (wide**2).sum(axis=0), n + len(wide)
    mean = s1 / n
    return mean.astype(dtype), (s2 / n - mean**2).astype(dtype), n


# %% wrong streaming_mean_var: merges in the dtype of the chunks
def streaming_mean_var(chunks):
    count, mean, total = 0, None, None
    for chunk in chunks:
        n = len(chunk)
        if n == 0:
            continue
        m = chunk.mean(axis=0)
        s = ((chunk - m) ** 2).sum(axis=0)
        if count == 0:
            count, mean, total = n, m, s
            continue
        delta = m - mean
        total = total + s + delta**2 * count * n / (count + n)
        mean = mean + delta * n / (count + n)
        count += n
    return mean, total / count, count


# %% wrong streaming_mean_var: float32 means of the chunks, float64 afterwards
def streaming_mean_var(chunks):
    count, mean, total = 0, 0.0, 0.0
    for chunk in chunks:
        n, dtype = len(chunk), chunk.dtype
        if n == 0:
            continue
        m, v = chunk.mean(axis=0), chunk.var(axis=0)
        delta = m.astype(np.float64) - mean
        total = total + v.astype(np.float64) * n + delta**2 * count * n / (count + n)
        mean = mean + delta * n / (count + n)
        count += n
    return mean.astype(dtype), (total / count).astype(dtype), count


# %% wrong streaming_mean_var: walks twice -> walks-chunks-twice
def streaming_mean_var(chunks):
    n, total = 0, 0.0
    for chunk in chunks:
        n, total, dtype = n + len(chunk), total + chunk.sum(axis=0, dtype=np.float64), chunk.dtype
    mean, square = total / n, np.zeros_like(total)
    for chunk in chunks:
        square = square + ((chunk - mean) ** 2).sum(axis=0)
    return mean.astype(dtype), (square / n).astype(dtype), n


# %% wrong streaming_mean_var: needs a list -> TypeError
def streaming_mean_var(chunks):
    n = sum(len(chunks[k]) for k in range(len(chunks)))
    x = np.concatenate(chunks)
    w = x.astype(np.float64)
    return w.mean(0).astype(x.dtype), w.var(0).astype(x.dtype), n


# %% wrong streaming_mean_var: an empty chunk is nan
def streaming_mean_var(chunks):
    count, mean, total = 0, 0.0, 0.0
    for chunk in chunks:
        n, dtype = len(chunk), chunk.dtype
        wide = chunk.astype(np.float64)
        delta = wide.sum(axis=0) / n - mean if n else np.nan
        total = total + wide.var(axis=0) * n if n else total + np.nan
        total = total + delta**2 * count * n / max(count + n, 1)
        mean = mean + delta * n / max(count + n, 1)
        count += n
    return mean.astype(dtype), (total / count).astype(dtype), count


# %% wrong streaming_mean_var: float64 out -> dtype
def streaming_mean_var(chunks):
    x = np.concatenate(list(chunks)).astype(np.float64)
    return x.mean(0), x.var(0), len(x)


# %% wrong streaming_mean_var: count left out -> shape
def streaming_mean_var(chunks):
    x = np.concatenate(list(chunks))
    w = x.astype(np.float64)
    return w.mean(0).astype(x.dtype), w.var(0).astype(x.dtype)


# %% right streaming_mean_var: a list comes back, which unpacks just as well
def streaming_mean_var(chunks):
    x = np.concatenate(list(chunks))
    w = x.astype(np.float64)
    return [w.mean(0).astype(x.dtype), w.var(0).astype(x.dtype), len(x)]


# %% wrong streaming_mean_var: centres the chunks in place
def streaming_mean_var(chunks):
    count, mean, total = 0, 0.0, 0.0
    for chunk in chunks:
        n, dtype = len(chunk), chunk.dtype
        if n == 0:
            continue
        m = chunk.astype(np.float64).mean(axis=0)
        v = chunk.astype(np.float64).var(axis=0)
        chunk -= m.astype(dtype)
        delta = m - mean
        total = total + v * n + delta**2 * count * n / (count + n)
        mean = mean + delta * n / (count + n)
        count += n
    return mean.astype(dtype), (total / count).astype(dtype), count


# %% wrong streaming_mean_var: untouched stub -> NotImplementedError
def streaming_mean_var(chunks):
    raise NotImplementedError()


# %% wrong streaming_mean_var: no return -> type
def streaming_mean_var(chunks):
    for chunk in chunks:
        pass


# %% wrong streaming_mean_var: zeros
def streaming_mean_var(chunks):
    n = sum(len(c) for c in chunks)
    return np.zeros(2), np.zeros(2), n
