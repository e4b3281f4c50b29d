# --- d_scale_shift ---

# %% right d_scale_shift: as in the text
def d_scale_shift(dy, x_hat, gamma):
    return dy * gamma, np.sum(dy * x_hat, axis=0), np.sum(dy, axis=0)


# %% right d_scale_shift: einsum
def d_scale_shift(dy, x_hat, gamma):
    return (
        np.einsum("nc,c->nc", dy, gamma),
        np.einsum("nc,nc->c", dy, x_hat),
        np.einsum("nc->c", dy),
    )


# %% right d_scale_shift: loops over every entry
def d_scale_shift(dy, x_hat, gamma):
    N, C = dy.shape
    dx_hat, dgamma, dbeta = np.zeros((N, C)), np.zeros(C), np.zeros(C)
    for i in range(N):
        for j in range(C):
            dx_hat[i, j] = dy[i, j] * gamma[j]
            dgamma[j] += dy[i, j] * x_hat[i, j]
            dbeta[j] += dy[i, j]
    return dx_hat, dgamma, dbeta


# %% right d_scale_shift: matrix products
def d_scale_shift(dy, x_hat, gamma):
    return dy @ np.diag(gamma), np.diag(x_hat.T @ dy).copy(), np.ones(len(dy)) @ dy


# %% right d_scale_shift: keepdims, squeezed at the end
def d_scale_shift(dy, x_hat, gamma):
    dgamma = (dy * x_hat).sum(axis=0, keepdims=True)
    dbeta = dy.sum(axis=0, keepdims=True)
    return gamma[None, :] * dy, dgamma[0], dbeta.reshape(-1)


# %% wrong d_scale_shift: means in the place of sums -> averages-parameter-gradients
def d_scale_shift(dy, x_hat, gamma):
    return dy * gamma, np.mean(dy * x_hat, 0), np.mean(dy, 0)


# %% wrong d_scale_shift: gamma forgotten -> gamma-forgotten
def d_scale_shift(dy, x_hat, gamma):
    return dy.copy(), np.sum(dy * x_hat, 0), np.sum(dy, 0)


# %% wrong d_scale_shift: dgamma without x_hat -> x-hat-missing-in-dgamma
def d_scale_shift(dy, x_hat, gamma):
    return dy * gamma, np.sum(dy, 0), np.sum(dy, 0)


# %% wrong d_scale_shift: sums over the features -> sums-over-features
def d_scale_shift(dy, x_hat, gamma):
    return dy * gamma, np.sum(dy * x_hat, 1), np.sum(dy, 1)


# %% wrong d_scale_shift: gamma gets into its own gradient -> gamma-twice
def d_scale_shift(dy, x_hat, gamma):
    dx_hat = dy * gamma
    return dx_hat, np.sum(dx_hat * x_hat, 0), np.sum(dx_hat, 0)


# %% wrong d_scale_shift: x_hat in dx_hat -> x-hat-in-dx-hat
def d_scale_shift(dy, x_hat, gamma):
    return dy * gamma * x_hat, np.sum(dy * x_hat, 0), np.sum(dy, 0)


# %% wrong d_scale_shift: dbeta before dgamma -> order-of-results
def d_scale_shift(dy, x_hat, gamma):
    return dy * gamma, np.sum(dy, 0), np.sum(dy * x_hat, 0)


# %% wrong d_scale_shift: gradients of shape (1, C) -> shape
def d_scale_shift(dy, x_hat, gamma):
    return dy * gamma, np.sum(dy * x_hat, 0, keepdims=True), np.sum(dy, 0, keepdims=True)


# %% wrong d_scale_shift: dgamma and dbeta not summed
def d_scale_shift(dy, x_hat, gamma):
    return dy * gamma, dy * x_hat, dy


# %% wrong d_scale_shift: writes into dy -> modifies-argument
def d_scale_shift(dy, x_hat, gamma):
    dgamma, dbeta = np.sum(dy * x_hat, 0), np.sum(dy, 0)
    dy *= gamma
    return dy, dgamma, dbeta


# %% wrong d_scale_shift: one number for all features -> sums-over-everything
def d_scale_shift(dy, x_hat, gamma):
    return dy * gamma, np.sum(dy * x_hat), np.sum(dy)


# %% wrong d_scale_shift: dbeta counts the rows -> counts-the-rows
def d_scale_shift(dy, x_hat, gamma):
    return dy * gamma, np.sum(dy * x_hat, 0), 1.0 * len(dy) * np.ones_like(gamma)


# %% wrong d_scale_shift: float32 inside
def d_scale_shift(dy, x_hat, gamma):
    dy, x_hat, gamma = (a.astype(np.float32) for a in (dy, x_hat, gamma))
    return dy * gamma, np.sum(dy * x_hat, 0), np.sum(dy, 0)


# %% wrong d_scale_shift: forgets the return
def d_scale_shift(dy, x_hat, gamma):
    dx_hat = dy * gamma
    dgamma = np.sum(dy * x_hat, 0)


# %% wrong d_scale_shift: the stub
def d_scale_shift(dy, x_hat, gamma):
    raise NotImplementedError()


# %% wrong d_scale_shift: returns only dx_hat
def d_scale_shift(dy, x_hat, gamma):
    return gamma * dy


# --- d_normalize ---


# %% right d_normalize: as in the text
def d_normalize(dx_hat, centered, inv_std):
    return inv_std * dx_hat, np.sum(centered * dx_hat, axis=0)


# %% right d_normalize: einsum
def d_normalize(dx_hat, centered, inv_std):
    return np.einsum("nc,c->nc", dx_hat, inv_std), np.einsum("nc,nc->c", dx_hat, centered)


# %% right d_normalize: feature by feature
def d_normalize(dx_hat, centered, inv_std):
    features = range(len(inv_std))
    dcentered = np.stack([dx_hat[:, c] * inv_std[c] for c in features], axis=1)
    return dcentered, np.array([dx_hat[:, c] @ centered[:, c] for c in features])


# %% right d_normalize: by way of x_hat
def d_normalize(dx_hat, centered, inv_std):
    x_hat = centered * inv_std
    return dx_hat * inv_std, (dx_hat * x_hat).sum(axis=0) / inv_std


# %% right d_normalize: transposed and back
def d_normalize(dx_hat, centered, inv_std):
    d, c = dx_hat.T, centered.T
    return (d * inv_std[:, None]).T, (d * c).sum(axis=-1)


# %% wrong d_normalize: average in the place of a sum -> averages-dinv-std
def d_normalize(dx_hat, centered, inv_std):
    return inv_std * dx_hat, np.mean(centered * dx_hat, axis=0)


# %% wrong d_normalize: both paths at once -> both-paths-at-once
def d_normalize(dx_hat, centered, inv_std):
    dinv_std = np.sum(centered * dx_hat, axis=0)
    second = -0.5 * inv_std**3 * dinv_std * 2 * centered / len(centered)
    return inv_std * dx_hat + second, dinv_std


# %% wrong d_normalize: x_hat in the place of centered -> x-hat-for-centered
def d_normalize(dx_hat, centered, inv_std):
    return inv_std * dx_hat, np.sum(centered * inv_std * dx_hat, axis=0)


# %% wrong d_normalize: divides -> divides-by-inv-std
def d_normalize(dx_hat, centered, inv_std):
    return dx_hat / inv_std, np.sum(centered * dx_hat, axis=0)


# %% wrong d_normalize: inv_std forgotten -> inv-std-forgotten
def d_normalize(dx_hat, centered, inv_std):
    return dx_hat * 1.0, np.sum(centered * dx_hat, axis=0)


# %% wrong d_normalize: axis 1 -> sums-over-features
def d_normalize(dx_hat, centered, inv_std):
    return inv_std * dx_hat, np.sum(centered * dx_hat, axis=1)


# %% wrong d_normalize: one number for all features -> sums-over-everything
def d_normalize(dx_hat, centered, inv_std):
    return inv_std * dx_hat, np.sum(centered * dx_hat)


# %% wrong d_normalize: not summed
def d_normalize(dx_hat, centered, inv_std):
    return inv_std * dx_hat, centered * dx_hat


# %% wrong d_normalize: shape (1, C) -> shape
def d_normalize(dx_hat, centered, inv_std):
    return inv_std * dx_hat, np.sum(centered * dx_hat, axis=0, keepdims=True)


# %% wrong d_normalize: factors exchanged
def d_normalize(dx_hat, centered, inv_std):
    return dx_hat * centered, np.sum(dx_hat * inv_std, axis=0)


# %% wrong d_normalize: writes into centered -> modifies-argument
def d_normalize(dx_hat, centered, inv_std):
    centered *= dx_hat
    return inv_std * dx_hat, centered.sum(axis=0)


# %% wrong d_normalize: the stub
def d_normalize(dx_hat, centered, inv_std):
    raise NotImplementedError()


# %% wrong d_normalize: None
def d_normalize(dx_hat, centered, inv_std):
    return None


# --- d_inv_std ---


# %% right d_inv_std: the root spelled out
def d_inv_std(dinv_std, var, eps):
    return -dinv_std / (2 * (var + eps) * np.sqrt(var + eps))


# %% right d_inv_std: cube of the inverse root
def d_inv_std(dinv_std, var, eps):
    inv_std = 1 / np.sqrt(var + eps)
    return -0.5 * inv_std * inv_std * inv_std * dinv_std


# %% right d_inv_std: feature by feature
def d_inv_std(dinv_std, var, eps):
    return np.array([-0.5 * d * (v + eps) ** -1.5 for d, v in zip(dinv_std, var)])


# %% right d_inv_std: logarithms
def d_inv_std(dinv_std, var, eps):
    return -0.5 * np.exp(-1.5 * np.log(var + eps)) * dinv_std


# %% right d_inv_std: np.power, in two steps
def d_inv_std(dinv_std, var, eps):
    d_root = -dinv_std / np.add(var, eps)
    return d_root * 0.5 / np.power(np.add(var, eps), 0.5)


# %% wrong d_inv_std: eps hard-coded -> eps-ignored
def d_inv_std(dinv_std, var, eps):
    return -0.5 * (var + 1e-5) ** -1.5 * dinv_std


# %% wrong d_inv_std: eps forgotten -> eps-forgotten
def d_inv_std(dinv_std, var, eps):
    return -0.5 * var**-1.5 * dinv_std


# %% wrong d_inv_std: eps outside the root -> eps-outside-root
def d_inv_std(dinv_std, var, eps):
    std = np.sqrt(var)
    return -dinv_std / (2 * std * (std + eps) ** 2)


# %% wrong d_inv_std: eps outside, the easy way -> eps-beside-the-root
def d_inv_std(dinv_std, var, eps):
    return -0.5 * (np.sqrt(var) + eps) ** -3 * dinv_std


# %% wrong d_inv_std: sign -> minus-forgotten
def d_inv_std(dinv_std, var, eps):
    return 0.5 * (var + eps) ** -1.5 * dinv_std


# %% wrong d_inv_std: power not lowered -> wrong-power
def d_inv_std(dinv_std, var, eps):
    return -0.5 * (var + eps) ** -0.5 * dinv_std


# %% wrong d_inv_std: one half forgotten -> half-forgotten
def d_inv_std(dinv_std, var, eps):
    return -dinv_std * (var + eps) ** -1.5


# %% wrong d_inv_std: derivative only -> derivative-without-upstream
def d_inv_std(dinv_std, var, eps):
    return -0.5 * (var + eps) ** -1.5


# %% wrong d_inv_std: sums over the features
def d_inv_std(dinv_std, var, eps):
    return (-0.5 * (var + eps) ** -1.5 * dinv_std).sum()


# %% wrong d_inv_std: writes into var -> modifies-argument
def d_inv_std(dinv_std, var, eps):
    var += eps
    return -0.5 * var**-1.5 * dinv_std


# %% wrong d_inv_std: shape (1, C) -> shape
def d_inv_std(dinv_std, var, eps):
    return (-0.5 * (var + eps) ** -1.5 * dinv_std)[None]


# %% wrong d_inv_std: the stub
def d_inv_std(dinv_std, var, eps):
    raise NotImplementedError()


# %% wrong d_inv_std: zeros
def d_inv_std(dinv_std, var, eps):
    return np.zeros_like(var)


# --- d_var ---


# %% right d_var: as in the text
def d_var(dvar, centered):
    N = len(centered)
    return (2 / N) * centered * dvar


# %% right d_var: outer products by einsum
def d_var(dvar, centered):
    return 2 * np.einsum("c,nc->nc", dvar, centered) / centered.shape[0]


# %% right d_var: row by row
def d_var(dvar, centered):
    return np.array([2 * row * dvar / len(centered) for row in centered])


# %% right d_var: matrix product
def d_var(dvar, centered):
    return centered @ np.diag(2 * dvar / centered.shape[0])


# %% right d_var: subtracts a mean that is zero anyway
def d_var(dvar, centered):
    d = 2 * centered * dvar / len(centered)
    return d - d.mean(axis=0)


# %% wrong d_var: 1/N forgotten -> one-over-n-forgotten
def d_var(dvar, centered):
    return 2 * centered * dvar


# %% wrong d_var: N - 1 -> divides-by-n-minus-1
def d_var(dvar, centered):
    return 2 * centered * dvar / (len(centered) - 1)


# %% wrong d_var: 2 forgotten -> two-forgotten
def d_var(dvar, centered):
    return centered * dvar / len(centered)


# %% wrong d_var: divides by N * C -> divides-by-all-entries
def d_var(dvar, centered):
    return 2 * centered * dvar / centered.size


# %% wrong d_var: divides by C -> divides-by-features
def d_var(dvar, centered):
    return 2 * centered * dvar / centered.shape[1]


# %% wrong d_var: derivative only -> derivative-without-upstream
def d_var(dvar, centered):
    return 2 * centered / len(centered)


# %% wrong d_var: summed over the batch
def d_var(dvar, centered):
    return (2 * centered * dvar / len(centered)).sum(axis=0)


# %% wrong d_var: the square left in
def d_var(dvar, centered):
    return 2 * centered**2 * dvar / len(centered)


# %% wrong d_var: writes into centered -> modifies-argument
def d_var(dvar, centered):
    centered *= 2 * dvar / len(centered)
    return centered


# %% wrong d_var: float32
def d_var(dvar, centered):
    return (2 * centered * dvar / len(centered)).astype(np.float32)


# %% wrong d_var: the stub
def d_var(dvar, centered):
    raise NotImplementedError()


# %% wrong d_var: returns centered
def d_var(dvar, centered):
    return centered


# --- d_center ---


# %% right d_center: subtracts the mean
def d_center(dcentered):
    return dcentered - np.mean(dcentered, axis=0, keepdims=True)


# %% right d_center: two paths, spelled out
def d_center(dcentered):
    dmean = -dcentered.sum(axis=0)
    return dcentered + dmean / dcentered.shape[0]


# %% right d_center: centering matrix
def d_center(dcentered):
    n = len(dcentered)
    return (np.eye(n) - np.ones((n, n)) / n) @ dcentered


# %% right d_center: loop over rows
def d_center(dcentered):
    dx = np.zeros(dcentered.shape)
    for i, row in enumerate(dcentered):
        dx[i] += row
        dx -= row / len(dcentered)
    return dx


# %% right d_center: einsum
def d_center(dcentered):
    return dcentered - np.einsum("nc->c", dcentered) / dcentered.shape[0]


# %% wrong d_center: the argument as it came -> path-through-mean-lost
def d_center(dcentered):
    return dcentered


# %% wrong d_center: sum -> sum-for-mean
def d_center(dcentered):
    return dcentered - dcentered.sum(axis=0)


# %% wrong d_center: sign -> adds-the-mean
def d_center(dcentered):
    return dcentered + dcentered.mean(axis=0)


# %% wrong d_center: axis 1 -> mean-over-features
def d_center(dcentered):
    return dcentered - dcentered.mean(axis=1)[:, None]


# %% wrong d_center: one mean -> mean-over-everything
def d_center(dcentered):
    return dcentered - dcentered.mean()


# %% wrong d_center: the own row only -> own-row-only
def d_center(dcentered):
    N = dcentered.shape[0]
    return dcentered - dcentered / N


# %% wrong d_center: only the path through the mean -> only-the-mean-path
def d_center(dcentered):
    return np.ones_like(dcentered) * -dcentered.mean(axis=0)


# %% wrong d_center: in place -> modifies-argument
def d_center(dcentered):
    dcentered -= dcentered.mean(axis=0)
    return dcentered


# %% wrong d_center: divides by N - 1
def d_center(dcentered):
    return dcentered - dcentered.sum(axis=0) / (len(dcentered) - 1)


# %% wrong d_center: zeros
def d_center(dcentered):
    return np.zeros_like(dcentered)


# %% wrong d_center: the stub
def d_center(dcentered):
    raise NotImplementedError()


# %% wrong d_center: None
def d_center(dcentered):
    dcentered - dcentered.mean(axis=0)


# --- batchnorm_backward ---


# %% right batchnorm_backward: node by node in one piece
def batchnorm_backward(dy, cache):
    N = dy.shape[0]
    dbeta = dy.sum(axis=0)
    dgamma = (dy * cache.x_hat).sum(axis=0)
    dx_hat = dy * cache.gamma
    dinv_std = (dx_hat * cache.centered).sum(axis=0)
    dvar = -0.5 * (cache.var + cache.eps) ** -1.5 * dinv_std
    dcentered = dx_hat * cache.inv_std + dvar * 2 * cache.centered / N
    dmean = -dcentered.sum(axis=0)
    return dcentered + dmean / N, dgamma, dbeta


# %% right batchnorm_backward: the six gradients of the paper
def batchnorm_backward(dy, cache):
    m = len(dy)
    dx_hat = dy * cache.gamma
    dvar = np.sum(dx_hat * (cache.x - cache.mean) * -0.5 * (cache.var + cache.eps) ** -1.5, axis=0)
    dmean = np.sum(dx_hat * -1 / np.sqrt(cache.var + cache.eps), axis=0)
    dmean = dmean + dvar * np.mean(-2 * (cache.x - cache.mean), axis=0)
    dx = dx_hat / np.sqrt(cache.var + cache.eps)
    dx = dx + dvar * 2 * (cache.x - cache.mean) / m + dmean / m
    return dx, np.sum(dy * cache.x_hat, axis=0), np.sum(dy, axis=0)


# %% right batchnorm_backward: one line
def batchnorm_backward(dy, cache):
    x_hat, N = cache.x_hat, len(dy)
    dgamma, dbeta = (dy * x_hat).sum(0), dy.sum(0)
    dx = cache.gamma * cache.inv_std / N * (N * dy - dbeta - x_hat * dgamma)
    return dx, dgamma, dbeta


# %% right batchnorm_backward: centres only the straight path
def batchnorm_backward(dy, cache):
    _, _, centered, var, inv_std, x_hat, gamma, eps = cache
    direct = dy * gamma * inv_std
    dvar = -0.5 * (dy * gamma * centered).sum(0) * inv_std**3
    dx = direct - direct.mean(0) + dvar * 2 * centered / len(dy)
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% right batchnorm_backward: a Jacobian for each feature
def batchnorm_backward(dy, cache):
    N, C = dy.shape
    dx = np.empty((N, C))
    for c in range(C):
        h = cache.x_hat[:, c]
        jacobian = cache.inv_std[c] * (np.eye(N) - 1 / N - np.outer(h, h) / N)
        dx[:, c] = jacobian.T @ (cache.gamma[c] * dy[:, c])
    return dx, np.einsum("nc,nc->c", dy, cache.x_hat), np.einsum("nc->c", dy)


# %% right batchnorm_backward: recomputes everything from x
def batchnorm_backward(dy, cache):
    x, gamma, eps = cache.x, cache.gamma, cache.eps
    centered = x - x.mean(axis=0)
    std = np.sqrt(np.mean(centered**2, axis=0) + eps)
    x_hat = centered / std
    dx_hat = gamma * dy
    dx = (dx_hat - dx_hat.mean(axis=0) - x_hat * (dx_hat * x_hat).mean(axis=0)) / std
    return dx, np.sum(dy * x_hat, axis=0), np.sum(dy, axis=0)


# %% right batchnorm_backward: torch's autograd through the formula
def batchnorm_backward(dy, cache):
    import torch

    x = torch.tensor(np.ascontiguousarray(cache.x), requires_grad=True)
    gamma = torch.tensor(cache.gamma, requires_grad=True)
    var, mean = torch.var_mean(x, dim=0, correction=0)
    y = gamma * (x - mean) * torch.rsqrt(var + cache.eps)
    y.backward(torch.tensor(np.ascontiguousarray(dy)))
    return x.grad.numpy(), gamma.grad.numpy(), dy.sum(axis=0)


# %% wrong batchnorm_backward: torch's own batch norm -> ready-made
def batchnorm_backward(dy, cache):
    import torch

    x = torch.tensor(np.ascontiguousarray(cache.x), requires_grad=True)
    gamma = torch.tensor(cache.gamma, requires_grad=True)
    y = torch.nn.functional.batch_norm(x, None, None, gamma, None, training=True, eps=cache.eps)
    y.backward(torch.tensor(np.ascontiguousarray(dy)))
    return x.grad.numpy(), gamma.grad.numpy(), dy.sum(axis=0)


# %% right batchnorm_backward: helper functions and keepdims
def _mean(v):
    return v.mean(axis=0, keepdims=True)


def _center(v):
    return v - _mean(v)


def batchnorm_backward(dy, cache):
    """Project the upstream gradient."""
    g = cache.gamma[None] * dy
    inner = _center(g) - cache.x_hat * _mean(g * cache.x_hat)
    return cache.inv_std * inner, np.sum(dy * cache.x_hat, 0), np.sum(dy, 0)


# %% right batchnorm_backward: works in place on copies of its own
def batchnorm_backward(dy, cache):
    d = dy.copy()
    dbeta = d.sum(axis=0)
    d *= cache.x_hat
    dgamma = d.sum(axis=0)
    d[...] = dy
    d -= dbeta / len(d)
    d -= cache.x_hat * (dgamma / len(d))
    d *= cache.gamma * cache.inv_std
    return d, dgamma, dbeta


# %% wrong batchnorm_backward: statistics as constants -> statistics-as-constants
def batchnorm_backward(dy, cache):
    return dy * cache.gamma * cache.inv_std, (dy * cache.x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: no path through the variance -> path-through-var-lost
def batchnorm_backward(dy, cache):
    d = dy * cache.gamma * cache.inv_std
    return d - d.mean(0), (dy * cache.x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: no path through the mean -> path-through-mean-lost
def batchnorm_backward(dy, cache):
    d = dy * cache.gamma * cache.inv_std
    dvar = -0.5 * cache.inv_std**3 * (dy * cache.gamma * cache.centered).sum(0)
    return d + dvar * 2 * cache.centered / len(dy), (dy * cache.x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: gamma forgotten in dx -> gamma-forgotten-in-dx
def batchnorm_backward(dy, cache):
    x_hat = cache.x_hat
    dx = cache.inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: dgamma with x -> dgamma-with-x
def batchnorm_backward(dy, cache):
    x_hat = cache.x_hat
    dx = cache.gamma * cache.inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return dx, (dy * cache.x).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: dgamma with centered -> dgamma-with-centered
def batchnorm_backward(dy, cache):
    x_hat = cache.x_hat
    dx = cache.gamma * cache.inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return dx, (dy * cache.centered).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: parameter gradients averaged -> averages-parameter-gradients
def batchnorm_backward(dy, cache):
    x_hat = cache.x_hat
    dx = cache.gamma * cache.inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return dx, (dy * x_hat).mean(0), dy.mean(0)


# %% wrong batchnorm_backward: no 1/N in the variance -> one-over-n-forgotten
def batchnorm_backward(dy, cache):
    d = dy * cache.gamma * cache.inv_std
    dvar = -0.5 * cache.inv_std**3 * (dy * cache.gamma * cache.centered).sum(0)
    d = d + dvar * 2 * cache.centered
    return d - d.mean(0), (dy * cache.x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: N - 1 in the variance -> divides-by-n-minus-1
def batchnorm_backward(dy, cache):
    d = dy * cache.gamma * cache.inv_std
    dvar = -0.5 * cache.inv_std**3 * (dy * cache.gamma * cache.centered).sum(0)
    d = d + dvar * 2 * cache.centered / (len(dy) - 1)
    return d - d.mean(0), (dy * cache.x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: a sum at the last node -> sum-for-mean
def batchnorm_backward(dy, cache):
    d = dy * cache.gamma * cache.inv_std
    dvar = -0.5 * cache.inv_std**3 * (dy * cache.gamma * cache.centered).sum(0)
    d = d + dvar * 2 * cache.centered / len(dy)
    return d - d.sum(0), (dy * cache.x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: sign of the variance's path -> wrong-sign-of-var-path
def batchnorm_backward(dy, cache):
    d = dy * cache.gamma * cache.inv_std
    dvar = 0.5 * cache.inv_std**3 * (dy * cache.gamma * cache.centered).sum(0)
    d = d + dvar * 2 * cache.centered / len(dy)
    return d - d.mean(0), (dy * cache.x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: one mean for all features -> mean-over-everything
def batchnorm_backward(dy, cache):
    d = dy * cache.gamma * cache.inv_std
    dvar = -0.5 * cache.inv_std**3 * (dy * cache.gamma * cache.centered).sum(0)
    d = d + dvar * 2 * cache.centered / len(dy)
    return d - d.mean(), (dy * cache.x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: eps outside the root -> eps-outside-root
def batchnorm_backward(dy, cache):
    inv_std = 1 / (np.sqrt(cache.var) + cache.eps)
    x_hat = cache.centered * inv_std
    d = dy * cache.gamma * inv_std
    d = d - inv_std**3 * (dy * cache.gamma * cache.centered).sum(0) * cache.centered / len(dy)
    return d - d.mean(0), (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: no eps at all -> eps-forgotten
def batchnorm_backward(dy, cache):
    inv_std = 1 / np.sqrt(cache.var)
    x_hat = cache.centered * inv_std
    d = dy * cache.gamma * inv_std
    d = d - inv_std**3 * (dy * cache.gamma * cache.centered).sum(0) * cache.centered / len(dy)
    return d - d.mean(0), (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: no eps in dvar -> eps-forgotten-in-dvar
def batchnorm_backward(dy, cache):
    d = dy * cache.gamma * cache.inv_std
    dvar = -0.5 * cache.var**-1.5 * (dy * cache.gamma * cache.centered).sum(0)
    d = d + dvar * 2 * cache.centered / len(dy)
    return d - d.mean(0), (dy * cache.x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: eps fixed at 1e-5 -> eps-ignored
def batchnorm_backward(dy, cache):
    inv_std = (cache.var + 1e-5) ** -0.5
    x_hat = cache.centered * inv_std
    dx = cache.gamma * inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: eps fixed at 1e-5 in one node -> eps-ignored
def batchnorm_backward(dy, cache):
    dx_hat = dy * cache.gamma
    dvar = -0.5 * (cache.var + 1e-5) ** -1.5 * (dx_hat * cache.centered).sum(0)
    d = dx_hat * cache.inv_std + dvar * 2 * cache.centered / len(dy)
    return d - d.mean(0), (dy * cache.x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: the second part overwrites the first -> straight-path-lost
def batchnorm_backward(dy, cache):
    dx_hat = dy * cache.gamma
    dcentered = dx_hat * cache.inv_std
    dvar = -0.5 * cache.inv_std**3 * (dx_hat * cache.centered).sum(0)
    dcentered = dvar * 2 * cache.centered / len(dy)
    return dcentered - dcentered.mean(0), (dy * cache.x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: the variance again, by cancellation -> cancellation
def batchnorm_backward(dy, cache):
    mean = cache.x.mean(0)
    inv_std = 1 / np.sqrt((cache.x**2).mean(0) - mean**2 + cache.eps)
    x_hat = (cache.x - mean) * inv_std
    d = dy * cache.gamma
    dx = inv_std * (d - d.mean(0) - x_hat * (d * x_hat).mean(0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: minus sign -> wrong-sign
def batchnorm_backward(dy, cache):
    x_hat = cache.x_hat
    dx = cache.gamma * cache.inv_std * (dy.mean(0) - dy + x_hat * (dy * x_hat).mean(0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: dbeta before dgamma -> order-of-results
def batchnorm_backward(dy, cache):
    x_hat = cache.x_hat
    dx = cache.gamma * cache.inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return dx, dy.sum(0), (dy * x_hat).sum(0)


# %% wrong batchnorm_backward: gradients of shape (1, C) -> shape
def batchnorm_backward(dy, cache):
    x_hat = cache.x_hat
    dx = cache.gamma * cache.inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return dx, (dy * x_hat).sum(0, keepdims=True), dy.sum(0, keepdims=True)


# %% wrong batchnorm_backward: writes into dy -> modifies-argument
def batchnorm_backward(dy, cache):
    dgamma, dbeta = (dy * cache.x_hat).sum(0), dy.sum(0)
    dy -= dbeta / len(dy)
    dy -= cache.x_hat * (dgamma / len(dy))
    return cache.gamma * cache.inv_std * dy, dgamma, dbeta


# %% wrong batchnorm_backward: writes into the cache -> modifies-argument
def batchnorm_backward(dy, cache):
    dgamma, dbeta = (dy * cache.x_hat).sum(0), dy.sum(0)
    scratch = cache.x_hat
    scratch *= dgamma / len(dy)
    return cache.gamma * cache.inv_std * (dy - dbeta / len(dy) - scratch), dgamma, dbeta


# %% wrong batchnorm_backward: gradients through float32
def batchnorm_backward(dy, cache):
    x_hat = cache.x_hat.astype(np.float32)
    dy = dy.astype(np.float32)
    dx = cache.gamma * cache.inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)


# %% wrong batchnorm_backward: zeros
def batchnorm_backward(dy, cache):
    return np.zeros_like(dy), np.zeros_like(cache.gamma), np.zeros_like(cache.gamma)


# %% wrong batchnorm_backward: dx only
def batchnorm_backward(dy, cache):
    x_hat = cache.x_hat
    return cache.gamma * cache.inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))


# %% wrong batchnorm_backward: None
def batchnorm_backward(dy, cache):
    return None


# %% wrong batchnorm_backward: the stub
def batchnorm_backward(dy, cache):
    raise NotImplementedError()


# --- numerical_gradient ---


# %% right numerical_gradient: two fresh copies for each entry
def numerical_gradient(f, x, dy, h=1e-5):
    grad = np.zeros_like(x)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            plus, minus = x.copy(), x.copy()
            plus[i, j] += h
            minus[i, j] -= h
            grad[i, j] = np.sum(dy * (f(plus) - f(minus))) / (2 * h)
    return grad


# %% right numerical_gradient: basis vectors
def numerical_gradient(f, x, dy, h=1e-5):
    steps = h * np.eye(x.size).reshape(-1, *x.shape)
    slopes = [((f(x + e) - f(x - e)) * dy).sum() / (2 * h) for e in steps]
    return np.reshape(slopes, x.shape)


# %% right numerical_gradient: in place on a copy, the number taken at once
def numerical_gradient(f, x, dy, h=1e-5):
    point, grad = np.array(x, order="C"), np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        old = point[index]
        point[index] = old + h
        up = float((dy * f(point)).sum())
        point[index] = old - h
        down = float((dy * f(point)).sum())
        point[index] = old
        grad[index] = (up - down) / (2 * h)
    return grad


# %% right numerical_gradient: nudges x itself and puts the saved value back
def numerical_gradient(f, x, dy, h=1e-5):
    grad = np.zeros(x.shape)
    it = np.nditer(x, flags=["multi_index"], op_flags=["readwrite"])
    while not it.finished:
        ix = it.multi_index
        old = x[ix]
        x[ix] = old + h
        pos = f(x).copy()
        x[ix] = old - h
        neg = f(x).copy()
        x[ix] = old
        grad[ix] = np.sum((pos - neg) * dy) / (2 * h)
        it.iternext()
    return grad


# %% right numerical_gradient: a loss of one flat vector
def numerical_gradient(f, x, dy, h=1e-5):
    def loss(v):
        return np.vdot(dy, f(v.reshape(x.shape)))

    flat = x.flatten()
    out = []
    for k in range(flat.size):
        e = np.zeros(flat.size)
        e[k] = h
        out.append((loss(flat + e) - loss(flat - e)) / 2 / h)
    return np.array(out).reshape(x.shape)


# %% wrong numerical_gradient: divides by h -> divides-by-h
def numerical_gradient(f, x, dy, h=1e-5):
    grad = np.zeros_like(x)
    for ix in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[ix] = h
        grad[ix] = np.sum(dy * (f(x + e) - f(x - e))) / h
    return grad


# %% wrong numerical_gradient: brackets missing around 2h -> brackets-missing
def numerical_gradient(f, x, dy, h=1e-5):
    grad = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        grad[i] = np.sum(dy * (f(up) - f(down))) / 2 * h
    return grad


# %% wrong numerical_gradient: looks at the nudged entry only -> own-entry-only
def numerical_gradient(f, x, dy, h=1e-5):
    grad = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        grad[i] = dy[i] * (f(up)[i] - f(down)[i]) / (2 * h)
    return grad


# %% wrong numerical_gradient: dy ignored -> upstream-ignored
def numerical_gradient(f, x, dy, h=1e-5):
    grad = np.zeros_like(x)
    for ix in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[ix] = h
        grad[ix] = np.sum(f(x + e) - f(x - e)) / (2 * h)
    return grad


# %% wrong numerical_gradient: all entries at once -> nudges-everything-at-once
def numerical_gradient(f, x, dy, h=1e-5):
    return dy * (f(x + h) - f(x - h)) / (2 * h)


# %% wrong numerical_gradient: keeps what f returned without a copy -> overwrites-what-f-returned
def numerical_gradient(f, x, dy, h=1e-5):
    point, grad = x.copy(), np.zeros(x.shape)
    for ix in np.ndindex(x.shape):
        point[ix] = x[ix] + h
        up = f(point)
        point[ix] = x[ix] - h
        down = f(point)
        point[ix] = x[ix]
        grad[ix] = np.sum(dy * (up - down)) / (2 * h)
    return grad


# %% wrong numerical_gradient: one-sided -> one-sided
def numerical_gradient(f, x, dy, h=1e-5):
    grad = np.zeros_like(x)
    for ix in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[ix] = h
        grad[ix] = np.sum(dy * (f(x + e) - f(x))) / h
    return grad


# %% wrong numerical_gradient: one-sided, below -> one-sided-below
def numerical_gradient(f, x, dy, h=1e-5):
    grad = np.zeros_like(x)
    for ix in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[ix] = h
        grad[ix] = np.sum(dy * (f(x) - f(x - e))) / h
    return grad


# %% wrong numerical_gradient: a step of its own -> step-ignored
def numerical_gradient(f, x, dy, h=1e-5):
    grad = np.zeros_like(x)
    for ix in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[ix] = 1e-5
        grad[ix] = np.sum(dy * (f(x + e) - f(x - e))) / 2e-5
    return grad


# %% wrong numerical_gradient: adds and takes away again, so last bits of x are lost -> modifies-argument
def numerical_gradient(f, x, dy, h=1e-5):
    grad = np.zeros(x.shape)
    for ix in np.ndindex(x.shape):
        x[ix] += h
        up = np.sum(dy * f(x))
        x[ix] -= 2 * h
        down = np.sum(dy * f(x))
        x[ix] += h
        grad[ix] = (up - down) / (2 * h)
    return grad


# %% wrong numerical_gradient: never puts x back
def numerical_gradient(f, x, dy, h=1e-5):
    grad = np.zeros(x.shape)
    for ix in np.ndindex(x.shape):
        x[ix] += h
        up = np.sum(dy * f(x))
        x[ix] -= 2 * h
        grad[ix] = (up - np.sum(dy * f(x))) / (2 * h)
    return grad


# %% wrong numerical_gradient: a reshape that is sometimes a copy
def numerical_gradient(f, x, dy, h=1e-5):
    point, grad = x.copy(order="K"), np.zeros(x.size)
    if not point.flags.c_contiguous or not x.flags.c_contiguous:
        point = np.asfortranarray(point)
    flat = point.reshape(-1)
    for k in range(flat.size):
        old = flat[k]
        flat[k] = old + h
        up = np.sum(dy * f(point))
        flat[k] = old - h
        down = np.sum(dy * f(point))
        flat[k] = old
        grad[k] = (up - down) / (2 * h)
    return grad.reshape(x.shape)


# %% wrong numerical_gradient: one row at a time
def numerical_gradient(f, x, dy, h=1e-5):
    grad = np.zeros_like(x)
    for i in range(len(x)):
        e = np.zeros_like(x)
        e[i] = h
        grad[i] = np.sum(dy * (f(x + e) - f(x - e)), axis=0) / (2 * h)
    return grad


# %% wrong numerical_gradient: one number for everything
def numerical_gradient(f, x, dy, h=1e-5):
    return np.sum(dy * (f(x + h) - f(x - h))) / (2 * h)


# %% wrong numerical_gradient: the upstream gradient itself
def numerical_gradient(f, x, dy, h=1e-5):
    return dy.copy()


# %% wrong numerical_gradient: None
def numerical_gradient(f, x, dy, h=1e-5):
    return None


# %% wrong numerical_gradient: the stub
def numerical_gradient(f, x, dy, h=1e-5):
    raise NotImplementedError()


# --- design_check ---


# %% right design_check: random numbers, mended
def design_check(rng):
    x = rng.normal(size=(6, 3)) * [0.01, 0.1, 1.0] + rng.normal(size=3)
    gamma = np.array([0.5, -1.5, 2.0])
    return x, gamma, np.array([1.0, 2.0, -1.0]), rng.normal(size=(6, 3))


# %% right design_check: fixed numbers
def design_check(rng):
    x = np.array([[1.00, 5.0], [1.02, -3.0], [0.97, 4.0], [1.05, 9.0], [1.01, 2.0]])
    dy = np.array([[0.3, -1.0], [2.0, 0.4], [-0.7, 1.3], [0.1, 2.2], [1.9, -0.6]])
    return x, np.array([-1.7, 0.6]), np.array([0.8, -2.5]), dy


# %% right design_check: uniform numbers in Fortran order, more features than rows
def design_check(rng):
    x = np.asfortranarray(rng.uniform(-1, 1, size=(4, 9)) * 0.02 + np.linspace(1, 3, 9))
    gamma = np.linspace(-2.1, 2.2, 9)
    return x, gamma, gamma**2 + 0.5, rng.uniform(0.5, 3, size=(4, 9))


# %% right design_check: a list of rows, in float32
def design_check(rng):
    x = (rng.normal(size=(12, 4)) * np.geomspace(0.02, 2, 4) + 1.5).astype(np.float32)
    gamma = np.float32([2, -0.5, 1.5, -3])
    return [x, gamma, np.float32([1, -1, 2, 0.5]), rng.normal(size=(12, 4)).astype(np.float32)]


# %% right design_check: with many rows
def design_check(rng):
    x = rng.exponential(0.05, size=(40, 5)) * np.arange(1, 6)
    gamma = np.array([0.3, -0.7, 1.9, -2.4, 3.1])
    return x, gamma, rng.uniform(1, 2, 5), rng.normal(0.3, 1, size=(40, 5))


# %% wrong design_check: ones upstream -> upstream-constant-over-batch
def design_check(rng):
    x = rng.normal(size=(6, 3)) * [0.01, 0.1, 1.0] + 1
    return x, np.array([0.5, -1.5, 2.0]), np.array([1.0, 2.0, -1.0]), np.ones((6, 3))


# %% wrong design_check: the loss of squares of a new layer -> upstream-along-output
def design_check(rng):
    x = rng.normal(size=(8, 3))
    x_hat = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
    return x, np.ones(3), np.zeros(3), 2 * x_hat


# %% wrong design_check: a batch of two -> shape
def design_check(rng):
    return rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=3), rng.normal(size=(2, 3))


# %% wrong design_check: gamma 1 as in a new layer -> gamma-is-one
def design_check(rng):
    x = rng.normal(size=(6, 3)) * [0.01, 0.1, 1.0] + rng.normal(size=3)
    return x, np.ones(3), np.array([1.0, 2.0, -1.0]), rng.normal(size=(6, 3))


# %% wrong design_check: wide features -> features-too-wide-for-eps
def design_check(rng):
    x = 3 * rng.normal(size=(6, 3)) + [5.0, 6.0, 7.0]
    return x, np.array([0.5, -1.5, 2.0]), np.array([1.0, 2.0, -1.0]), rng.normal(size=(6, 3))


# %% wrong design_check: features far narrower than the root of eps -> features-too-narrow
def design_check(rng):
    x, dy = 1e-6 * rng.normal(size=(6, 3)) + 1e-3, rng.normal(size=(6, 3)) + 1
    return x, np.array([0.5, -1.5, 2.0]), np.array([1.0, 2.0, -1.0]), dy


# %% wrong design_check: positive gamma -> gamma-of-one-sign
def design_check(rng):
    x = rng.normal(size=(6, 3)) * [0.01, 0.1, 1.0] + rng.normal(size=3)
    return x, rng.uniform(1.2, 2, 3), np.array([1.0, 2.0, -1.0]), rng.normal(size=(6, 3))


# %% wrong design_check: beta 0 -> beta-is-zero
def design_check(rng):
    x = rng.normal(size=(6, 3)) * [0.01, 0.1, 1.0] + rng.normal(size=3)
    return x, np.array([0.5, -1.5, 2.0]), np.zeros(3), rng.normal(size=(6, 3))


# %% wrong design_check: N = C -> shape
def design_check(rng):
    x = rng.normal(size=(3, 3)) * [0.01, 0.1, 1.0]
    return x, np.array([0.5, -1.5, 2.0]), np.array([1.0, 2.0, -1.0]), rng.normal(size=(3, 3))


# %% wrong design_check: plain random numbers
def design_check(rng):
    return rng.normal(size=(8, 3)), rng.normal(size=3), rng.normal(size=3), rng.normal(size=(8, 3))


# %% wrong design_check: dy centred, so that the mean's path is silent
def design_check(rng):
    x = rng.normal(size=(6, 3)) * [0.01, 0.1, 1.0] + rng.normal(size=3)
    x_hat = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
    dy = rng.normal(size=(6, 3))
    dy = dy - dy.mean(0)
    return x, np.array([0.5, -1.5, 2.0]), np.array([1.0, 2.0, -1.0]), dy


# %% wrong design_check: so far from zero that a right backward pass fails, too -> false-alarm
def design_check(rng):
    x = rng.normal(size=(6, 3)) * [0.01, 0.1, 1.0] + 1e9
    return x, np.array([0.5, -1.5, 2.0]), np.array([1.0, 2.0, -1.0]), rng.normal(size=(6, 3))


# %% wrong design_check: zeros
def design_check(rng):
    return np.zeros((5, 3)), np.zeros(3), np.zeros(3), np.zeros((5, 3))


# %% wrong design_check: nan -> shape
def design_check(rng):
    x = np.full((5, 3), np.nan)
    return x, np.array([0.5, -1.5, 2.0]), np.ones(3), rng.normal(size=(5, 3))


# %% wrong design_check: far too large -> shape
def design_check(rng):
    x = rng.normal(size=(4000, 3)) * [0.01, 0.1, 1.0]
    return x, np.array([0.5, -1.5, 2.0]), np.ones(3), rng.normal(size=(4000, 3))


# %% wrong design_check: None -> shape
def design_check(rng):
    return None


# %% wrong design_check: the stub
def design_check(rng):
    raise NotImplementedError()
