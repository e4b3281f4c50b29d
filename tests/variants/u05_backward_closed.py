# %% right batchnorm_backward_closed: the plain way
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dx = gamma * inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% right batchnorm_backward_closed: dgamma and dbeta first, everything over N
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    n = dy.shape[0]
    dgamma = np.einsum("nc,nc->c", dy, x_hat)
    dbeta = np.einsum("nc->c", dy)
    dx = (gamma * inv_std / n) * (n * dy - dbeta - x_hat * dgamma)
    return dx, dgamma, dbeta


# %% right batchnorm_backward_closed: the Jacobian, feature by feature
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    n, c = dy.shape
    dx = np.empty((n, c))
    for k in range(c):
        h = x_hat[:, k]
        jacobian = inv_std[k] * (np.eye(n) - np.ones((n, n)) / n - np.outer(h, h) / n)
        dx[:, k] = jacobian.T @ (gamma[k] * dy[:, k])
    return dx, np.diag(dy.T @ x_hat).copy(), dy.sum(axis=0)


# %% right batchnorm_backward_closed: node by node, as in unit 4
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    n = len(dy)
    centered = x_hat / inv_std
    dx_hat = gamma * dy
    dinv_std = np.sum(dx_hat * centered, axis=0)
    dvar = -0.5 * inv_std**3 * dinv_std
    dcentered = dx_hat * inv_std + dvar * 2.0 * centered / n
    dx = dcentered - np.mean(dcentered, axis=0, keepdims=True)
    return dx, np.sum(dy * x_hat, axis=0), np.sum(dy, axis=0)


# %% right batchnorm_backward_closed: pure Python loops
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    n, c = dy.shape
    dx = np.zeros_like(dy)
    dgamma, dbeta = np.zeros(c), np.zeros(c)
    for k in range(c):
        for i in range(n):
            dgamma[k] += dy[i, k] * x_hat[i, k]
            dbeta[k] += dy[i, k]
        for i in range(n):
            bracket = dy[i, k] - dbeta[k] / n - x_hat[i, k] * dgamma[k] / n
            dx[i, k] = gamma[k] * inv_std[k] * bracket
    return dx, dgamma, dbeta


# %% right batchnorm_backward_closed: works on a copy in place, through a helper
def without(a, direction):
    a -= direction * np.add.reduce(a * direction, axis=0) / len(a)


def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    rest = dy.copy()
    without(rest, np.ones_like(dy))
    without(rest, x_hat)
    rest *= inv_std
    rest *= gamma
    return rest, np.add.reduce(dy * x_hat, axis=0), np.add.reduce(dy, axis=0)


# %% right batchnorm_backward_closed: torch's automatic differentiation
import torch


def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    up, h, s, g = (torch.from_numpy(np.ascontiguousarray(a)) for a in (dy, x_hat, inv_std, gamma))
    c = (h / s).requires_grad_()
    weight = g.clone().requires_grad_()
    bias = torch.zeros_like(g, requires_grad=True)
    eps = s**-2 - (h / s).var(0, correction=0)
    centered = c - c.mean(0)
    y = weight * centered / torch.sqrt(centered.pow(2).mean(0) + eps.detach()) + bias
    dx, dgamma, dbeta = torch.autograd.grad(y, (c, weight, bias), up)
    return dx.numpy(), dgamma.numpy(), dbeta.numpy()


# %% right batchnorm_backward_closed: a decorated function with an extra argument
import functools


def logged(f):
    @functools.wraps(f)
    def inner(*args, **kwargs):
        print("called", f.__name__)
        return f(*args, **kwargs)

    return inner


@logged
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma, axis=0):
    dx_hat = dy * gamma[None, :]
    both = np.average(dx_hat, axis=axis) + x_hat * np.average(dx_hat * x_hat, axis=axis)
    return (dx_hat - both) * inv_std, np.sum(dy * x_hat, axis=axis), np.sum(dy, axis=axis)


# %% right batchnorm_backward_closed: transposed, and a named tuple
from collections import namedtuple

Gradients = namedtuple("Gradients", "dx dgamma dbeta")


def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    up, h = dy.T, x_hat.T
    n = up.shape[-1]
    level = up.sum(-1, keepdims=True) / n
    slope = (up * h).sum(-1, keepdims=True) / n
    dx = ((up - level - h * slope) * (gamma * inv_std)[:, None]).T
    return Gradients(dx, (slope * n)[:, 0], (level * n)[:, 0])


# %% wrong batchnorm_backward_closed: untouched -> NotImplementedError
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    raise NotImplementedError()


# %% wrong batchnorm_backward_closed: forgets the return -> type
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dx = gamma * inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))


# %% wrong batchnorm_backward_closed: returns dx alone -> type
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    return gamma * inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))


# %% wrong batchnorm_backward_closed: zeros
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    return np.zeros_like(dy), np.zeros_like(gamma), np.zeros_like(gamma)


# %% wrong batchnorm_backward_closed: statistics held constant -> detached-statistics
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    return gamma * inv_std * dy, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_closed: no mean path -> missing-mean-path
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dx = gamma * inv_std * (dy - x_hat * np.mean(dy * x_hat, axis=0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_closed: no variance path -> missing-variance-path
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    return gamma * inv_std * (dy - dy.mean(0)), (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_closed: sums where means belong -> sums-for-means
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dgamma, dbeta = (dy * x_hat).sum(0), dy.sum(0)
    return gamma * inv_std * (dy - dbeta - x_hat * dgamma), dgamma, dbeta


# %% wrong batchnorm_backward_closed: projects with the length of x_hat
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dgamma = (dy * x_hat).sum(0)
    part = x_hat * dgamma / (x_hat**2).sum(0)
    return gamma * inv_std * (dy - dy.mean(0) - part), dgamma, dy.sum(0)


# %% wrong batchnorm_backward_closed: projects with the length of x_hat, safe for a constant feature -> exact-projector
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dgamma = (dy * x_hat).sum(0)
    length = (x_hat**2).sum(0)
    slope = np.divide(dgamma, length, out=np.zeros_like(length), where=length > 0)
    return gamma * inv_std * (dy - dy.mean(0) - x_hat * slope), dgamma, dy.sum(0)


# %% wrong batchnorm_backward_closed: no gamma in dx -> gamma-forgotten-in-dx
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dx = inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_closed: no inv_std in dx -> inv-std-forgotten-in-dx
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dx = gamma * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_closed: gamma on the first term only -> gamma-on-first-term-only
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dx = inv_std * (gamma * dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_closed: gamma and inv_std on the first term only -> factor-on-first-term-only
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dx = gamma * inv_std * dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0)
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_closed: divides by inv_std -> divides-by-inv-std
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dx = gamma / inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_closed: product of the means -> missing-variance-path
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dx = gamma * inv_std * (dy - dy.mean(0) - x_hat * dy.mean(0) * x_hat.mean(0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_closed: centres a new dy, then sums it -> dbeta-of-centered-dy
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dy = dy - dy.mean(0)
    dx = gamma * inv_std * (dy - x_hat * (dy * x_hat).mean(0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_closed: centres dy in place, then sums it -> dy-overwritten
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dy -= dy.mean(0)
    dx = gamma * inv_std * (dy - x_hat * (dy * x_hat).mean(0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_closed: plus -> wrong-sign-of-variance-term
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dx = gamma * inv_std * (dy - dy.mean(0) + x_hat * (dy * x_hat).mean(0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_closed: N minus 1 -> divides-by-n-minus-1
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    n = len(dy)
    dgamma = (dy * x_hat).sum(0)
    return gamma * inv_std * (dy - dy.mean(0) - x_hat * dgamma / (n - 1)), dgamma, dy.sum(0)


# %% wrong batchnorm_backward_closed: one mean for all features -> mean-over-all-axes
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dx = gamma * inv_std * (dy - dy.mean() - x_hat * (dy * x_hat).mean())
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_closed: axis 1 without keepdims
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dx = gamma * inv_std * (dy - dy.mean(1) - x_hat * (dy * x_hat).mean(1))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_closed: axis 1 -> mean-over-axis-1
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    level = dy.mean(1, keepdims=True)
    slope = (dy * x_hat).mean(1, keepdims=True)
    return gamma * inv_std * (dy - level - x_hat * slope), (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_closed: dgamma with gamma -> gamma-in-dgamma
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    d = gamma * dy
    dx = inv_std * (d - d.mean(0) - x_hat * (d * x_hat).mean(0))
    return dx, (d * x_hat).sum(0), d.sum(0)


# %% wrong batchnorm_backward_closed: averaged parameters -> parameter-gradients-averaged
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    a, b = dy.mean(0), (dy * x_hat).mean(0)
    return gamma * inv_std * (dy - a - x_hat * b), b, a


# %% wrong batchnorm_backward_closed: dbeta before dgamma -> dgamma-and-dbeta-swapped
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dx = gamma * inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return dx, dy.sum(0), (dy * x_hat).sum(0)


# %% wrong batchnorm_backward_closed: keepdims on the parameters -> shape
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dx = gamma * inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return dx, (dy * x_hat).sum(0, keepdims=True), dy.sum(0, keepdims=True)


# %% wrong batchnorm_backward_closed: changes dy, right numbers -> modifies-argument
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dgamma, dbeta = (dy * x_hat).sum(0), dy.sum(0)
    dy -= dbeta / len(dy)
    dy -= x_hat * dgamma / len(dy)
    dy *= gamma * inv_std
    return dy.copy(), dgamma, dbeta


# %% wrong batchnorm_backward_closed: float32 out
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    dx = gamma * inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return tuple(a.astype(np.float32) for a in (dx, (dy * x_hat).sum(0), dy.sum(0)))


# %% wrong batchnorm_backward_closed: standardises x_hat again, nan for a constant feature
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    h = x_hat / x_hat.std(0)
    dx = gamma * inv_std * (dy - dy.mean(0) - h * (dy * h).mean(0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% right normalize_jacobian: the plain way
def normalize_jacobian(x, eps=1e-5):
    n = len(x)
    s = 1 / np.sqrt(x.var() + eps)
    h = (x - x.mean()) * s
    return s * (np.eye(n) - 1 / n - np.outer(h, h) / n)


# %% right normalize_jacobian: two loops and a delta
def normalize_jacobian(x, eps=1e-5):
    n = x.size
    mean = sum(x) / n
    var = sum((v - mean) ** 2 for v in x) / n
    s = (var + eps) ** -0.5
    h = [(v - mean) * s for v in x]
    return np.array([[s * ((i == j) - (1 + h[i] * h[j]) / n) for j in range(n)] for i in range(n)])


# %% right normalize_jacobian: product rule with the pieces
def normalize_jacobian(x, eps=1e-5):
    n = len(x)
    dcentered = np.identity(n) - np.full((n, n), 1.0 / n)
    centered = dcentered @ x if abs(x).max() < 1e6 else x - x.mean()
    var = np.mean(np.square(centered))
    dvar = 2.0 / n * centered
    inv_std = (var + eps) ** -0.5
    dinv_std = -0.5 * (var + eps) ** -1.5 * dvar
    return dcentered * inv_std + centered[:, None] * dinv_std[None, :]


# %% right normalize_jacobian: row by row with the closed backward pass
def back(d, h, s):
    return s * (d - d.mean() - h * np.mean(d * h))


def normalize_jacobian(x, eps=1e-5):
    centered = x - np.average(x)
    s = 1.0 / np.sqrt(centered @ centered / len(x) + eps)
    return np.stack([back(row, centered * s, s) for row in np.eye(len(x))])


# %% right normalize_jacobian: torch's automatic differentiation
import torch


def normalize_jacobian(x, eps=1e-5):
    def f(t):
        c = t - t.mean()
        return c / torch.sqrt((c * c).mean() + eps)

    return torch.autograd.functional.jacobian(f, torch.from_numpy(x.copy())).numpy()


# %% right normalize_jacobian: complex steps
def normalize_jacobian(x, eps=1e-5):
    n, h = len(x), 1e-30
    shifted = x - x.mean()
    columns = []
    for j in range(n):
        z = shifted.astype(complex)
        z[j] += 1j * h
        c = z - z.sum() / n
        columns.append((c / np.sqrt((c * c).sum() / n + eps)).imag / h)
    return np.column_stack(columns)


# %% wrong normalize_jacobian: untouched -> NotImplementedError
def normalize_jacobian(x, eps=1e-5):
    raise NotImplementedError()


# %% wrong normalize_jacobian: forgets the return -> type
def normalize_jacobian(x, eps=1e-5):
    s = 1 / np.sqrt(x.var() + eps)


# %% wrong normalize_jacobian: the identity
def normalize_jacobian(x, eps=1e-5):
    return np.eye(len(x))


# %% wrong normalize_jacobian: diagonal -> detached-statistics
def normalize_jacobian(x, eps=1e-5):
    return np.diag(np.full(len(x), 1 / np.sqrt(x.var() + eps)))


# %% wrong normalize_jacobian: no mean path -> missing-mean-path
def normalize_jacobian(x, eps=1e-5):
    s = 1 / np.sqrt(x.var() + eps)
    h = (x - x.mean()) * s
    return s * (np.eye(len(x)) - np.outer(h, h) / len(x))


# %% wrong normalize_jacobian: no variance path -> missing-variance-path
def normalize_jacobian(x, eps=1e-5):
    return (np.eye(len(x)) - 1 / len(x)) / np.sqrt(x.var() + eps)


# %% wrong normalize_jacobian: the bracket alone -> inv-std-forgotten
def normalize_jacobian(x, eps=1e-5):
    h = (x - x.mean()) / np.sqrt(x.var() + eps)
    return np.eye(len(x)) - 1 / len(x) - np.outer(h, h) / len(x)


# %% wrong normalize_jacobian: a perfect projector
def normalize_jacobian(x, eps=1e-5):
    s = 1 / np.sqrt(x.var() + eps)
    h = (x - x.mean()) / np.linalg.norm(x - x.mean())
    return s * (np.eye(len(x)) - 1 / len(x) - np.outer(h, h))


# %% wrong normalize_jacobian: outer product not over N -> outer-product-not-over-n
def normalize_jacobian(x, eps=1e-5):
    s = 1 / np.sqrt(x.var() + eps)
    h = (x - x.mean()) * s
    return s * (np.eye(len(x)) - 1 / len(x) - np.outer(h, h))


# %% wrong normalize_jacobian: inner product -> inner-product-for-outer
def normalize_jacobian(x, eps=1e-5):
    n = len(x)
    s = 1 / np.sqrt(x.var() + eps)
    h = (x - x.mean()) * s
    return s * (np.eye(n) - 1 / n - h @ h / n)


# %% wrong normalize_jacobian: h * h.T of a 1-d array -> squares-for-products
def normalize_jacobian(x, eps=1e-5):
    n = len(x)
    s = 1 / np.sqrt(x.var() + eps)
    h = (x - x.mean()) * s
    return s * (np.eye(n) - 1 / n - h * h.T / n)


# %% wrong normalize_jacobian: 1/N on the diagonal only -> mean-term-on-diagonal-only
def normalize_jacobian(x, eps=1e-5):
    n = len(x)
    s = 1 / np.sqrt(x.var() + eps)
    h = (x - x.mean()) * s
    return s * (np.eye(n) - np.eye(n) / n - np.outer(h, h) / n)


# %% wrong normalize_jacobian: plus -> wrong-sign-of-variance-term
def normalize_jacobian(x, eps=1e-5):
    s = 1 / np.sqrt(x.var() + eps)
    h = (x - x.mean()) * s
    return s * (np.eye(len(x)) - 1 / len(x) + np.outer(h, h) / len(x))


# %% wrong normalize_jacobian: the unbiased variance -> unbiased-variance
def normalize_jacobian(x, eps=1e-5):
    n = len(x)
    s = 1 / np.sqrt(x.var(ddof=1) + eps)
    h = (x - x.mean()) * s
    return s * (np.eye(n) - 1 / n - np.outer(h, h) / n)


# %% wrong normalize_jacobian: N minus 1 throughout -> divides-by-n-minus-1
def normalize_jacobian(x, eps=1e-5):
    n = len(x)
    s = 1 / np.sqrt(x.var(ddof=1) + eps)
    h = (x - x.mean()) * s
    return s * (np.eye(n) - 1 / n - np.outer(h, h) / (n - 1))


# %% wrong normalize_jacobian: eps hard-coded -> eps-hard-coded
def normalize_jacobian(x, eps=1e-5):
    s = 1 / np.sqrt(x.var() + 1e-5)
    h = (x - x.mean()) * s
    return s * (np.eye(len(x)) - 1 / len(x) - np.outer(h, h) / len(x))


# %% wrong normalize_jacobian: eps outside the root -> eps-outside-the-root
def normalize_jacobian(x, eps=1e-5):
    s = 1 / (x.std() + eps)
    h = (x - x.mean()) * s
    return s * (np.eye(len(x)) - 1 / len(x) - np.outer(h, h) / len(x))


# %% wrong normalize_jacobian: the shortcut variance -> mean-of-squares-minus-square-of-mean
def normalize_jacobian(x, eps=1e-5):
    s = 1 / np.sqrt(np.maximum((x**2).mean() - x.mean() ** 2, 0) + eps)
    h = (x - x.mean()) * s
    return s * (np.eye(len(x)) - 1 / len(x) - np.outer(h, h) / len(x))


# %% wrong normalize_jacobian: finite differences -> few-digits
def normalize_jacobian(x, eps=1e-5):
    def f(v):
        return (v - v.mean()) / np.sqrt(v.var() + eps)

    return np.stack([(f(x + e) - f(x - e)) / 2e-5 for e in 1e-5 * np.eye(len(x))], axis=1)


# %% wrong normalize_jacobian: forward differences -> few-digits
def normalize_jacobian(x, eps=1e-5):
    def f(v):
        return (v - v.mean()) / np.sqrt(v.var() + eps)

    h = 1e-7
    columns = []
    for j in range(len(x)):
        moved = np.array(x)
        moved[j] += h
        columns.append((f(moved) - f(x)) / h)
    return np.array(columns).T


# %% wrong normalize_jacobian: float32 inside, float64 out
def normalize_jacobian(x, eps=1e-5):
    v = x.astype(np.float32)
    s = 1 / np.sqrt(v.var() + np.float32(eps))
    h = (v - v.mean()) * s
    return (s * (np.eye(len(v)) - 1 / len(v) - np.outer(h, h) / len(v))).astype(np.float64)


# %% wrong normalize_jacobian: centres x in place
def normalize_jacobian(x, eps=1e-5):
    x -= x.mean()
    s = 1 / np.sqrt((x @ x) / len(x) + eps)
    return s * (np.eye(len(x)) - 1 / len(x) - np.outer(x, x) * s * s / len(x))


# %% wrong normalize_jacobian: float32 out
def normalize_jacobian(x, eps=1e-5):
    s = 1 / np.sqrt(x.var() + eps)
    h = (x - x.mean()) * s
    return (s * (np.eye(len(x)) - 1 / len(x) - np.outer(h, h) / len(x))).astype(np.float32)


# %% right batchnorm_backward_eval: the plain way
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    s = 1 / np.sqrt(running_var + eps)
    return gamma * s * dy, (dy * (x - running_mean) * s).sum(0), dy.sum(0)


# %% right batchnorm_backward_eval: as an affine layer
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    scale = gamma * (running_var + eps) ** -0.5
    dbeta = np.einsum("nc->c", dy)
    dgamma = (np.einsum("nc,nc->c", dy, x) - running_mean * dbeta) / np.sqrt(running_var + eps)
    return dy * scale[np.newaxis], dgamma, dbeta


# %% right batchnorm_backward_eval: loops
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    dx, dgamma, dbeta = np.zeros(dy.shape), np.zeros(len(gamma)), np.zeros(len(gamma))
    for (n, c), d in np.ndenumerate(dy):
        root = (running_var[c] + eps) ** 0.5
        dx[n, c] = d * gamma[c] / root
        dgamma[c] += d * (x[n, c] - running_mean[c]) / root
        dbeta[c] += d
    return dx, dgamma, dbeta


# %% right batchnorm_backward_eval: torch's autograd through the formula
import torch


def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    t = [torch.tensor(np.array(a), requires_grad=True) for a in (x, gamma, np.zeros_like(gamma))]
    mean, var = torch.tensor(np.array(running_mean)), torch.tensor(np.array(running_var))
    y = t[1] * (t[0] - mean) * torch.rsqrt(var + eps) + t[2]
    return tuple(g.numpy() for g in torch.autograd.grad(y, t, torch.tensor(np.array(dy))))


# %% wrong batchnorm_backward_eval: torch's own batch norm -> ready-made
import torch


def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    t = [torch.tensor(np.array(a), requires_grad=True) for a in (x, gamma, np.zeros_like(gamma))]
    mean, var = torch.tensor(np.array(running_mean)), torch.tensor(np.array(running_var))
    y = torch.nn.functional.batch_norm(t[0], mean, var, t[1], t[2], False, 0.1, eps)
    return tuple(g.numpy() for g in torch.autograd.grad(y, t, torch.tensor(np.array(dy))))


# %% right batchnorm_backward_eval: helper class, dx through a diagonal matrix
class Frozen:
    def __init__(self, mean, var, eps):
        self.mean, self.width = mean, np.sqrt(var + eps)

    def __call__(self, x):
        return np.divide(np.subtract(x, self.mean), self.width)


def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    layer = Frozen(running_mean, running_var, eps)
    dx = dy @ np.diag(gamma / layer.width)
    return dx, np.sum(layer(x) * dy, axis=0), dy.sum(axis=0)


# %% wrong batchnorm_backward_eval: untouched -> NotImplementedError
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    raise NotImplementedError()


# %% wrong batchnorm_backward_eval: forgets the return -> type
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    dx = gamma * dy / np.sqrt(running_var + eps)


# %% wrong batchnorm_backward_eval: passes dy on
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    return dy.copy(), (dy * x).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_eval: training mode -> training-mode-formula
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    s = 1 / np.sqrt(x.var(0) + eps)
    h = (x - x.mean(0)) * s
    dx = gamma * s * (dy - dy.mean(0) - h * (dy * h).mean(0))
    return dx, (dy * h).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_eval: running statistics, projected -> projected-in-eval
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    s = 1 / np.sqrt(running_var + eps)
    h = (x - running_mean) * s
    dx = gamma * s * (dy - dy.mean(0) - h * (dy * h).mean(0))
    return dx, (dy * h).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_eval: x_hat of the batch -> dgamma-with-batch-x-hat
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    h = (x - x.mean(0)) / np.sqrt(x.var(0) + eps)
    return gamma * dy / np.sqrt(running_var + eps), (dy * h).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_eval: x in dgamma -> x-for-x-hat
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    return gamma * dy / np.sqrt(running_var + eps), (dy * x).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_eval: no gamma -> gamma-forgotten-in-dx
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    s = 1 / np.sqrt(running_var + eps)
    return s * dy, (dy * (x - running_mean) * s).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_eval: divides by the variance -> root-forgotten
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    s = 1 / (running_var + eps)
    return gamma * s * dy, (dy * (x - running_mean) * s).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_eval: eps hard-coded -> eps-hard-coded
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    s = 1 / np.sqrt(running_var + 1e-5)
    return gamma * s * dy, (dy * (x - running_mean) * s).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_eval: eps outside the root -> eps-outside-the-root
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    s = 1 / (np.sqrt(running_var) + eps)
    return gamma * s * dy, (dy * (x - running_mean) * s).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_eval: means -> parameter-gradients-averaged
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    s = 1 / np.sqrt(running_var + eps)
    return gamma * s * dy, (dy * (x - running_mean) * s).mean(0), dy.mean(0)


# %% wrong batchnorm_backward_eval: takes the training formula when the statistics are the batch's
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    s = 1 / np.sqrt(running_var + eps)
    h = (x - running_mean) * s
    dx = gamma * s * dy
    if np.allclose(running_mean, x.mean(0)):
        dx = gamma * s * (dy - dy.mean(0) - h * (dy * h).mean(0))
    return dx, (dy * h).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_eval: centres x in place -> modifies-argument
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    s = 1 / np.sqrt(running_var + eps)
    x -= running_mean
    x *= s
    return gamma * s * dy, (dy * x).sum(0), dy.sum(0)


# %% wrong batchnorm_backward_eval: keepdims -> shape
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    s = 1 / np.sqrt(running_var + eps)
    h = (x - running_mean) * s
    return gamma * s * dy, (dy * h).sum(0, keepdims=True), dy.sum(0, keepdims=True)


# %% right detached_gap: the plain way
def detached_gap(dy, x_hat, inv_std, gamma):
    f = gamma * inv_std
    dx = f * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return np.linalg.norm(f * dy - dx) / np.linalg.norm(dx)


# %% right detached_gap: only the lost parts, a Python float
import math


def detached_gap(dy, x_hat, inv_std, gamma):
    lost = (dy.mean(0) + x_hat * (dy * x_hat).mean(0)) * gamma * inv_std
    true = dy * gamma * inv_std - lost
    return math.sqrt((lost**2).sum()) / math.sqrt((true**2).sum())


# %% right detached_gap: Frobenius by name, through a helper
def true_gradient(dy, x_hat, scale):
    n = len(dy)
    return scale / n * (n * dy - dy.sum(axis=0) - x_hat * (dy * x_hat).sum(axis=0))


def detached_gap(dy, x_hat, inv_std, gamma):
    scale = gamma * inv_std
    dx = true_gradient(dy, x_hat, scale)
    return float(np.linalg.norm(scale * dy - dx, "fro") / np.linalg.norm(dx, "fro"))


# %% right detached_gap: flattened, as a 0-d array
def detached_gap(dy, x_hat, inv_std, gamma):
    s = gamma * inv_std
    lost, true = [], []
    for k in range(dy.shape[1]):
        d, h = s[k] * dy[:, k], x_hat[:, k]
        part = d.mean() + h * (d @ h) / len(h)
        lost.append(part)
        true.append(d - part)
    ratio = np.vdot(np.ravel(lost), np.ravel(lost)) / np.vdot(np.ravel(true), np.ravel(true))
    return np.asarray(np.sqrt(ratio))


# %% wrong detached_gap: untouched -> NotImplementedError
def detached_gap(dy, x_hat, inv_std, gamma):
    raise NotImplementedError()


# %% wrong detached_gap: forgets the return -> type
def detached_gap(dy, x_hat, inv_std, gamma):
    np.linalg.norm(dy)


# %% wrong detached_gap: a constant
def detached_gap(dy, x_hat, inv_std, gamma):
    return 0.0


# %% wrong detached_gap: the theory for a random dy
def detached_gap(dy, x_hat, inv_std, gamma):
    return np.sqrt(2 / max(len(dy) - 2, 1e-9))


# %% wrong detached_gap: over the detached norm -> divided-by-the-detached-norm
def detached_gap(dy, x_hat, inv_std, gamma):
    f = gamma * inv_std
    dx = f * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return np.linalg.norm(f * dy - dx) / np.linalg.norm(f * dy)


# %% wrong detached_gap: not relative -> not-relative
def detached_gap(dy, x_hat, inv_std, gamma):
    f = gamma * inv_std
    return np.linalg.norm(f * (dy.mean(0) + x_hat * (dy * x_hat).mean(0)))


# %% wrong detached_gap: squared -> squared
def detached_gap(dy, x_hat, inv_std, gamma):
    f = gamma * inv_std
    dx = f * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return ((f * dy - dx) ** 2).sum() / (dx**2).sum()


# %% wrong detached_gap: spectral norm -> spectral-norm
def detached_gap(dy, x_hat, inv_std, gamma):
    f = gamma * inv_std
    dx = f * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return np.linalg.norm(f * dy - dx, 2) / np.linalg.norm(dx, 2)


# %% wrong detached_gap: one gap per feature -> shape
def detached_gap(dy, x_hat, inv_std, gamma):
    f = gamma * inv_std
    dx = f * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return np.linalg.norm(f * dy - dx, axis=0) / np.linalg.norm(dx, axis=0)


# %% wrong detached_gap: averaged over features -> averaged-over-features
def detached_gap(dy, x_hat, inv_std, gamma):
    f = gamma * inv_std
    dx = f * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return (np.linalg.norm(f * dy - dx, axis=0) / np.linalg.norm(dx, axis=0)).mean()


# %% wrong detached_gap: gamma and inv_std left out -> factors-left-out
def detached_gap(dy, x_hat, inv_std, gamma):
    dx = dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0)
    return np.linalg.norm(dy - dx) / np.linalg.norm(dx)


# %% wrong detached_gap: dy itself for the detached gradient -> dy-for-detached
def detached_gap(dy, x_hat, inv_std, gamma):
    dx = gamma * inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return np.linalg.norm(dy - dx) / np.linalg.norm(dx)


# %% wrong detached_gap: only the variance detached -> only-variance-detached
def detached_gap(dy, x_hat, inv_std, gamma):
    f = gamma * inv_std
    dx = f * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return np.linalg.norm(f * (dy - dy.mean(0)) - dx) / np.linalg.norm(dx)


# %% wrong detached_gap: changes dy, right number -> modifies-argument
def detached_gap(dy, x_hat, inv_std, gamma):
    dy *= gamma * inv_std
    dx = dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0)
    return np.linalg.norm(dy - dx) / np.linalg.norm(dx)


# %% right linear_bn_weight_grad: the plain way
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    z = x @ w
    s = 1 / np.sqrt(z.var(0) + eps)
    h = (z - z.mean(0)) * s
    return x.T @ (s * (dy - dy.mean(0) - h * (dy * h).mean(0)))


# %% right linear_bn_weight_grad: centred inputs, einsum
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    n = len(x)
    z = np.einsum("nd,dc->nc", x, w)
    z = z - z.mean(axis=0)
    s = (np.einsum("nc,nc->c", z, z) / n + eps) ** -0.5
    h = z * s
    dgamma = np.einsum("nc,nc->c", dy, h)
    return np.einsum("nd,nc,c->dc", x, dy - dy.mean(0) - h * dgamma / n, s)


# %% right linear_bn_weight_grad: output by output, with the Jacobian
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    n = len(x)
    out = np.empty_like(w)
    for c in range(w.shape[1]):
        z = x @ w[:, c]
        s = 1 / np.sqrt(z.var() + eps)
        h = (z - z.mean()) * s
        jacobian = s * (np.eye(n) - 1 / n - np.outer(h, h) / n)
        out[:, c] = (jacobian @ x).T @ dy[:, c]
    return out


# %% right linear_bn_weight_grad: torch's automatic differentiation
import torch


def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    inputs, up = torch.tensor(np.array(x)), torch.tensor(np.array(dy))
    weight = torch.tensor(np.array(w), requires_grad=True)
    z = inputs @ weight
    var, mean = torch.var_mean(z, dim=0, correction=0)
    ((z - mean) * torch.rsqrt(var + eps)).backward(up)
    return weight.grad.numpy()


# %% right linear_bn_weight_grad: sum over rows of outer products
def dz_of(z, dy, eps):
    c = np.subtract(z, np.add.reduce(z, axis=0) / len(z))
    v = np.add.reduce(c**2, axis=0) / len(z) + eps
    return (dy - dy.mean(axis=0)) / np.sqrt(v) - c * np.mean(dy * c, axis=0) / v**1.5


def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    dz = dz_of(np.matmul(x, w), dy, eps)
    return sum(np.outer(row, up) for row, up in zip(x, dz, strict=True))


# %% wrong linear_bn_weight_grad: untouched -> NotImplementedError
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    raise NotImplementedError()


# %% wrong linear_bn_weight_grad: forgets the return -> type
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    dw = x.T @ dy


# %% wrong linear_bn_weight_grad: zeros
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    return np.zeros_like(w)


# %% wrong linear_bn_weight_grad: statistics held constant -> detached-statistics
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    return x.T @ (dy / np.sqrt((x @ w).var(0) + eps))


# %% wrong linear_bn_weight_grad: no batch norm -> normalisation-forgotten
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    return x.T @ dy


# %% wrong linear_bn_weight_grad: no variance path -> missing-variance-path
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    return x.T @ ((dy - dy.mean(0)) / np.sqrt((x @ w).var(0) + eps))


# %% wrong linear_bn_weight_grad: no mean path -> missing-mean-path
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    z = x @ w
    s = 1 / np.sqrt(z.var(0) + eps)
    h = (z - z.mean(0)) * s
    return x.T @ (s * (dy - h * (dy * h).mean(0)))


# %% wrong linear_bn_weight_grad: averaged -> averaged-over-batch
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    z = x @ w
    s = 1 / np.sqrt(z.var(0) + eps)
    h = (z - z.mean(0)) * s
    return x.T @ (s * (dy - dy.mean(0) - h * (dy * h).mean(0))) / len(x)


# %% wrong linear_bn_weight_grad: transposed -> transposed
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    z = x @ w
    s = 1 / np.sqrt(z.var(0) + eps)
    h = (z - z.mean(0)) * s
    return (s * (dy - dy.mean(0) - h * (dy * h).mean(0))).T @ x


# %% wrong linear_bn_weight_grad: made orthogonal to w by force
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    dw = x.T @ (dy / np.sqrt((x @ w).var(0) + eps))
    return dw - w * (w * dw).sum(0) / np.maximum((w * w).sum(0), 1e-300)


# %% wrong linear_bn_weight_grad: z where x_hat belongs -> z-for-x-hat
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    z = x @ w
    s = 1 / np.sqrt(z.var(0) + eps)
    return x.T @ (s * (dy - dy.mean(0) - z * (dy * z).mean(0)))


# %% wrong linear_bn_weight_grad: eps hard-coded -> eps-hard-coded
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    z = x @ w
    s = 1 / np.sqrt(z.var(0) + 1e-5)
    h = (z - z.mean(0)) * s
    return x.T @ (s * (dy - dy.mean(0) - h * (dy * h).mean(0)))


# %% wrong linear_bn_weight_grad: another default for eps
def linear_bn_weight_grad(x, w, dy, eps=1e-3):
    z = x @ w
    s = 1 / np.sqrt(z.var(0) + eps)
    h = (z - z.mean(0)) * s
    return x.T @ (s * (dy - dy.mean(0) - h * (dy * h).mean(0)))


# %% wrong linear_bn_weight_grad: eps outside the root -> eps-outside-the-root
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    z = x @ w
    s = 1 / (z.std(0) + eps)
    h = (z - z.mean(0)) * s
    return x.T @ (s * (dy - dy.mean(0) - h * (dy * h).mean(0)))


# %% wrong linear_bn_weight_grad: the unbiased variance -> divides-by-n-minus-1
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    z = x @ w
    s = 1 / np.sqrt(z.var(0, ddof=1) + eps)
    h = (z - z.mean(0)) * s
    return x.T @ (s * (dy - dy.mean(0) - h * (dy * h).mean(0)))


# %% wrong linear_bn_weight_grad: the shortcut variance -> mean-of-squares-minus-square-of-mean
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    z = x @ w
    s = 1 / np.sqrt(np.maximum((z**2).mean(0) - z.mean(0) ** 2, 0) + eps)
    h = (z - z.mean(0)) * s
    return x.T @ (s * (dy - dy.mean(0) - h * (dy * h).mean(0)))


# %% wrong linear_bn_weight_grad: changes dy, right numbers -> modifies-argument
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    z = x @ w
    s = 1 / np.sqrt(z.var(0) + eps)
    h = (z - z.mean(0)) * s
    slope = (dy * h).mean(0)
    dy -= dy.mean(0)
    dy -= h * slope
    return x.T @ (s * dy)
