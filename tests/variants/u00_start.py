# %% right center: the plain way
def center(x):
    return x - x.mean(axis=0)


# %% right center: keepdims and a negative axis
def center(x):
    mean = np.mean(x, axis=-2, keepdims=True)
    return np.subtract(x, mean)


# %% right center: einsum
def center(x):
    n = x.dtype.type(len(x))
    return x - np.einsum("nc->c", x) / n


# %% right center: a loop over columns into a new array
def center(x):
    out = np.empty_like(x)
    for c in range(x.shape[1]):
        out[:, c] = x[:, c] - sum(x[:, c].tolist()) / len(x)
    return out


# %% right center: float64 inside, cast back
def center(x):
    wide = x.astype(np.float64)
    return (wide - np.add.reduce(wide, axis=0) / wide.shape[0]).astype(x.dtype)


# %% right center: a copy changed in place, through a helper
def column_means(x):
    return np.stack([np.average(column) for column in x.T])


def center(x, verbose=False):
    y = x.copy()
    y -= column_means(x).astype(x.dtype)
    if verbose:
        print(y)
    return y


# %% right center: the centring matrix
def center(x):
    n = len(x)
    projector = np.eye(n) - np.full((n, n), 1 / n)
    return (projector @ x.astype(np.float64)).astype(x.dtype)


# %% right center: nested lists
import math


def center(x):
    means = [math.fsum(column) / len(column) for column in zip(*x.tolist())]
    return np.array([[v - m for v, m in zip(row, means)] for row in x.tolist()], dtype=x.dtype)


# %% right center: torch inside
import torch


def center(x):
    t = torch.from_numpy(np.ascontiguousarray(x))
    return (t - t.mean(0)).numpy()


# %% wrong center: untouched stub
def center(x):
    raise NotImplementedError()


# %% wrong center: returns None -> type
def center(x):
    x - x.mean(axis=0)


# %% wrong center: returns its argument -> returns-its-argument
def center(x):
    return x


# %% wrong center: zeros
def center(x):
    return np.zeros_like(x)


# %% wrong center: row means -> mean-over-axis-1
def center(x):
    return (x.T - x.mean(axis=1)).T


# %% wrong center: row means, broadcast to columns -> axis-1-mean-broadcast
def center(x):
    mean = x.mean(1)
    return x - mean


# %% wrong center: grand mean -> mean-over-all-axes
def center(x):
    return x - np.mean(x)


# %% wrong center: sum -> sum-for-mean
def center(x):
    return x - x.sum(axis=0)


# %% wrong center: N - 1 -> mean-divides-by-n-minus-1
def center(x):
    return x - x.sum(axis=0) / (len(x) - 1)


# %% wrong center: divides by the number of columns
def center(x):
    return x - x.sum(axis=0) / x.shape[1]


# %% wrong center: the mean alone -> returns-the-mean
def center(x):
    return x.mean(axis=0)


# %% wrong center: wrong way round -> mean-minus-x
def center(x):
    return x.mean(axis=0) - x


# %% wrong center: standardised -> also-divided
def center(x):
    return (x - x.mean(axis=0)) / x.std(axis=0)


# %% wrong center: median -> median-for-mean
def center(x):
    return x - np.median(x, axis=0)


# %% wrong center: in place -> modifies-argument
def center(x):
    x -= x.mean(axis=0)
    return x


# %% wrong center: in place, then put back up to rounding -> modifies-argument
def center(x):
    mean = x.mean(axis=0) / 3
    x -= mean
    y = x - x.mean(axis=0)
    x += mean
    return y


# %% wrong center: float64 out -> dtype
def center(x):
    return x - x.astype(np.float64).mean(axis=0)


# %% wrong center: float32 out -> dtype
def center(x):
    return (x.astype(np.float64) - x.astype(np.float64).mean(axis=0)).astype(np.float32)


# %% wrong center: one axis too many -> shape
def center(x):
    return (x - x.mean(axis=0))[None]


# %% wrong center: a list -> type
def center(x):
    return (x - x.mean(axis=0)).tolist()


# %% wrong center: knows the example only
def center(x):
    return np.array([[-2.0, -30.0], [0.0, -10.0], [2.0, 40.0]])


# %% right column_scale: the plain way
def column_scale(x):
    return x.std(axis=0)


# %% right column_scale: from the formula
def column_scale(x):
    deviation = x - x.mean(axis=0)
    return np.sqrt((deviation**2).mean(axis=0))


# %% right column_scale: norm of the centred columns
def column_scale(x):
    return np.linalg.norm(x - x.mean(0), axis=0) / x.dtype.type(np.sqrt(len(x)))


# %% right column_scale: E[x²] − E[x]² in float64, after shifting by the first row
def column_scale(x):
    shifted = x.astype(np.float64) - x[0]
    var = (shifted**2).mean(axis=0) - shifted.mean(axis=0) ** 2
    return np.sqrt(np.maximum(var, 0)).astype(x.dtype)


# %% right column_scale: the statistics module, column by column
import statistics


def column_scale(x):
    return np.array([statistics.pstdev(column) for column in x.T.tolist()], dtype=x.dtype)


# %% right column_scale: N − 1 undone
def column_scale(x):
    n = len(x)
    return (x.astype(np.float64).std(axis=0, ddof=1) * ((n - 1) / n) ** 0.5).astype(x.dtype)


# %% right column_scale: all pairs of rows
def column_scale(x):
    wide = x.astype(np.float64)
    pairs = wide[:, None] - wide[None]
    return np.sqrt((pairs**2).mean(axis=(0, 1)) / 2).astype(x.dtype)


# %% right column_scale: einsum and a decorator
def keep_dtype(function):
    return lambda x: function(x.astype("f8")).astype(x.dtype)


@keep_dtype
def column_scale(x):
    d = x - x.mean(0)
    return np.sqrt(np.einsum("nc,nc->c", d, d) / len(d))


# %% right column_scale: torch inside
import torch


def column_scale(x):
    return torch.from_numpy(np.ascontiguousarray(x)).std(dim=0, correction=0).numpy()


# %% wrong column_scale: handed out -> std-over-axis-1
def column_scale(x):
    return x.std(axis=1)


# %% wrong column_scale: stub
def column_scale(x):
    raise NotImplementedError()


# %% wrong column_scale: None -> type
def column_scale(x):
    x.std(axis=0)


# %% wrong column_scale: of everything -> std-over-all-axes
def column_scale(x):
    return np.full(x.shape[1], x.std(), dtype=x.dtype)


# %% wrong column_scale: a single number -> std-over-all-axes
def column_scale(x):
    return x.std()


# %% wrong column_scale: variance -> variance-for-std
def column_scale(x):
    return x.var(axis=0)


# %% wrong column_scale: N − 1 -> divides-by-n-minus-1
def column_scale(x):
    return x.std(axis=0, ddof=1)


# %% wrong column_scale: root of the sum -> sum-for-mean
def column_scale(x):
    return np.linalg.norm(x - x.mean(axis=0), axis=0)


# %% wrong column_scale: mean not subtracted -> mean-not-subtracted
def column_scale(x):
    return (x**2).mean(axis=0) ** 0.5


# %% wrong column_scale: absolute distances -> absolute-for-square
def column_scale(x):
    return abs(x - x.mean(axis=0)).mean(axis=0)


# %% wrong column_scale: standard error -> standard-error
def column_scale(x):
    return x.std(axis=0) / np.sqrt(len(x))


# %% wrong column_scale: E[x²] − E[x]² in the input's dtype -> mean-of-squares-minus-square-of-mean
def column_scale(x):
    return np.sqrt((x**2).mean(axis=0) - x.mean(axis=0) ** 2)


# %% wrong column_scale: E[x²] − E[x]², negative variances set to zero -> mean-of-squares-minus-square-of-mean
def column_scale(x):
    return np.sqrt(np.maximum((x**2).mean(axis=0) - x.mean(axis=0) ** 2, 0))


# %% wrong column_scale: kept as a row -> shape
def column_scale(x):
    return x.std(axis=0, keepdims=True)


# %% wrong column_scale: float64 out -> dtype
def column_scale(x):
    return x.astype(np.float64).std(axis=0)


# %% wrong column_scale: centres its argument in place -> modifies-argument
def column_scale(x):
    x -= x.mean(axis=0)
    return np.sqrt((x**2).mean(axis=0))


# %% wrong column_scale: nan for a constant column -> not-finite
def column_scale(x):
    d = x - x.mean(axis=0)
    d[:, np.ptp(x, axis=0) == 0] = np.nan
    return np.sqrt((d**2).mean(axis=0))


# %% wrong column_scale: one for a constant column, as scikit-learn does
def column_scale(x):
    scale = x.std(axis=0)
    scale[np.ptp(x, axis=0) == 0] = 1
    return scale


# %% wrong column_scale: eps under the root -> eps-added
def column_scale(x):
    return np.sqrt(x.var(axis=0) + 1e-5)


# %% wrong column_scale: the inverse
def column_scale(x):
    return 1 / (x.std(axis=0) + 1e-12)


# %% wrong column_scale: range of the column
def column_scale(x):
    return np.ptp(x, axis=0)


# %% wrong column_scale: ones
def column_scale(x):
    return np.ones(x.shape[1])
