# %% right reduce_axes: what is kept, by name
def reduce_axes(kind, ndim, channel_axis=1):
    channel = channel_axis % ndim
    kept = {"batch": {channel}, "layer": {0}, "instance": {0, channel}}[kind]
    return tuple(axis for axis in range(ndim) if axis not in kept)


# %% right reduce_axes: removed from a list
def reduce_axes(kind, ndim, channel_axis=1):
    axes = list(range(ndim))
    if channel_axis < 0:
        channel_axis += ndim
    if kind in ("layer", "instance"):
        axes.remove(0)
    if kind in ("batch", "instance"):
        axes.remove(channel_axis)
    return tuple(axes)


# %% right reduce_axes: NumPy's own way to bring an axis to the front
def reduce_axes(kind, ndim, channel_axis=1):
    everything = np.arange(ndim)
    keep = []
    if kind != "batch":
        keep.append(0)
    if kind != "layer":
        keep.append(everything[channel_axis])
    return tuple(np.setdiff1d(everything, keep))


# %% right reduce_axes: sets, sorted at the end
def reduce_axes(kind, ndim, channel_axis=1):
    match kind:
        case "batch":
            kept = {range(ndim)[channel_axis]}
        case "layer":
            kept = {0}
        case "instance":
            kept = {0, range(ndim)[channel_axis]}
    return tuple(sorted(set(range(ndim)) - kept))


# %% right reduce_axes: a mask
def reduce_axes(kind, ndim, channel_axis=1):
    mask = [True] * ndim
    mask[0] = kind == "batch"
    mask[channel_axis] = kind == "layer"
    return tuple(int(k) for k in np.flatnonzero(mask))


# %% wrong reduce_axes: a list -> no-tuple
def reduce_axes(kind, ndim, channel_axis=1):
    kept = {"batch": {channel_axis % ndim}, "layer": {0}, "instance": {0, channel_axis % ndim}}[kind]
    return [axis for axis in range(ndim) if axis not in kept]


# %% wrong reduce_axes: an array -> no-tuple
def reduce_axes(kind, ndim, channel_axis=1):
    kept = {"batch": {channel_axis % ndim}, "layer": {0}, "instance": {0, channel_axis % ndim}}[kind]
    return np.array([axis for axis in range(ndim) if axis not in kept])


# %% wrong reduce_axes: from the largest to the smallest -> not-sorted
def reduce_axes(kind, ndim, channel_axis=1):
    kept = {"batch": {channel_axis % ndim}, "layer": {0}, "instance": {0, channel_axis % ndim}}[kind]
    return tuple(axis for axis in reversed(range(ndim)) if axis not in kept)


# %% wrong reduce_axes: a number where one axis is left -> number-for-tuple
def reduce_axes(kind, ndim, channel_axis=1):
    kept = {"batch": {channel_axis % ndim}, "layer": {0}, "instance": {0, channel_axis % ndim}}[kind]
    axes = tuple(axis for axis in range(ndim) if axis not in kept)
    return axes[0] if len(axes) == 1 else axes


# %% wrong reduce_axes: counted from the back -> counted-from-the-back
def reduce_axes(kind, ndim, channel_axis=1):
    kept = {"batch": {channel_axis % ndim}, "layer": {0}, "instance": {0, channel_axis % ndim}}[kind]
    return tuple(axis - ndim for axis in range(ndim) if axis not in kept)


# %% wrong reduce_axes: a negative channel axis compared as it is -> negative-channel-axis
def reduce_axes(kind, ndim, channel_axis=1):
    if kind == "batch":
        return tuple(a for a in range(ndim) if a != channel_axis)
    if kind == "layer":
        return tuple(range(1, ndim))
    return tuple(a for a in range(1, ndim) if a != channel_axis)


# %% wrong reduce_axes: channels always on axis 1 -> channel-axis-ignored
def reduce_axes(kind, ndim, channel_axis=1):
    if kind == "batch":
        return (0, *range(2, ndim))
    return tuple(range(1 if kind == "layer" else 2, ndim))


# %% wrong reduce_axes: the axes that are kept -> axes-that-are-kept
def reduce_axes(kind, ndim, channel_axis=1):
    channel = channel_axis % ndim
    return {"batch": (channel,), "layer": (0,), "instance": (0, channel)}[kind]


# %% wrong reduce_axes: batch norm over the batch alone -> batch-axis-only
def reduce_axes(kind, ndim, channel_axis=1):
    if kind == "batch":
        return (0,)
    kept = {"layer": {0}, "instance": {0, channel_axis % ndim}}[kind]
    return tuple(axis for axis in range(ndim) if axis not in kept)


# %% wrong reduce_axes: layer norm per channel -> layer-keeps-channels
def reduce_axes(kind, ndim, channel_axis=1):
    channel = channel_axis % ndim
    kept = {"batch": {channel}, "layer": {0, channel}, "instance": {0, channel}}[kind]
    return tuple(axis for axis in range(ndim) if axis not in kept)


# %% wrong reduce_axes: layer norm token by token -> layer-channels-only
def reduce_axes(kind, ndim, channel_axis=1):
    channel = channel_axis % ndim
    if kind == "layer":
        return (channel,)
    kept = {"batch": {channel}, "instance": {0, channel}}[kind]
    return tuple(axis for axis in range(ndim) if axis not in kept)


# %% wrong reduce_axes: instance norm over the batch -> instance-includes-batch
def reduce_axes(kind, ndim, channel_axis=1):
    channel = channel_axis % ndim
    kept = {"batch": {channel}, "layer": {0}, "instance": {channel}}[kind]
    return tuple(axis for axis in range(ndim) if axis not in kept)


# %% wrong reduce_axes: the table for images by heart
def reduce_axes(kind, ndim, channel_axis=1):
    if channel_axis % ndim == 1:
        return {"batch": (0, 2, 3), "layer": (1, 2, 3), "instance": (2, 3)}[kind]
    return {"batch": (0, 1, 2), "layer": (1, 2, 3), "instance": (1, 2)}[kind]


# %% right batchnorm_nd: a shape of ones
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    axes = tuple(a for a in range(x.ndim) if a != channel_axis % x.ndim)
    shape = [1] * x.ndim
    shape[channel_axis] = -1
    mean = wide.mean(axis=axes, keepdims=True)
    var = wide.var(axis=axes, keepdims=True)
    x_hat = (wide - mean) / np.sqrt(var + eps)
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(x.dtype)


# %% right batchnorm_nd: channels moved to the end, and back
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    last = np.moveaxis(x, channel_axis, -1)
    rows = last.reshape(-1, last.shape[-1]).astype(np.float64)
    x_hat = (rows - rows.mean(axis=0)) / np.sqrt(rows.var(axis=0) + eps)
    y = (gamma * x_hat + beta).astype(x.dtype).reshape(last.shape)
    return np.moveaxis(y, -1, channel_axis)


# %% right batchnorm_nd: a loop over the channels
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    y = np.empty_like(x)
    for c in range(x.shape[channel_axis]):
        index = [slice(None)] * x.ndim
        index[channel_axis] = c
        values = x[tuple(index)].astype(np.float64)
        y[tuple(index)] = gamma[c] * (values - values.mean()) / np.sqrt(values.var() + eps) + beta[c]
    return y


# %% right batchnorm_nd: einsum along the channels
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    first = np.moveaxis(x.astype(np.longdouble), channel_axis, 0)
    flat = first.reshape(len(first), -1)
    centered = flat - flat.mean(axis=1, keepdims=True)
    var = (centered * centered).sum(axis=1, keepdims=True) / flat.shape[1]
    y = gamma[:, None] * centered * (var + eps) ** -0.5 + beta[:, None]
    return np.moveaxis(y.reshape(first.shape), 0, channel_axis).astype(x.dtype)


# %% right batchnorm_nd: scale and shift folded together
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    channel = range(x.ndim)[channel_axis]
    axes = tuple(set(range(x.ndim)) - {channel})
    wide = x.astype(np.float64)
    mean, var = wide.mean(axes), wide.var(axes)
    scale = gamma / np.sqrt(var + eps)
    shift = beta - mean * scale
    index = tuple(slice(None) if a == channel else None for a in range(x.ndim))
    return (wide * scale[index] + shift[index]).astype(x.dtype)


# %% right batchnorm_nd: with the student's own reduce_axes beside it
def reduce_axes(kind, ndim, channel_axis=1):
    return tuple(a for a in range(ndim) if a != channel_axis % ndim)


def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    axes = reduce_axes("batch", x.ndim, channel_axis)
    wide = x.astype(np.promote_types(x.dtype, np.float32))
    centered = wide - wide.mean(axis=axes, keepdims=True)
    std = np.sqrt(np.square(centered).mean(axis=axes, keepdims=True) + eps)
    y = centered / std * np.expand_dims(gamma, axes) + np.expand_dims(beta, axes)
    return y.astype(x.dtype)


# %% right batchnorm_nd: a recursion over the axes before the channels
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    channel = channel_axis if channel_axis >= 0 else x.ndim + channel_axis
    if channel != 0:
        turned = np.swapaxes(x, 0, channel)
        return np.swapaxes(batchnorm_nd(turned, gamma, beta, 0, eps), 0, channel)
    rows = []
    for values, scale, shift in zip(x, gamma, beta):
        wide = values.astype(np.float64)
        rows.append(scale * (wide - wide.mean()) / np.sqrt(wide.var() + eps) + shift)
    return np.stack(rows).astype(x.dtype)


# %% right batchnorm_nd: means by np.average and add.reduce, arrays named by letters
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    a = np.array(x, dtype=np.float64, order="C")
    others = [k for k in range(a.ndim) if k != np.arange(a.ndim)[channel_axis]]
    m = a.size / a.shape[channel_axis]
    center = a
    for k in others:
        center = np.average(center, axis=k, keepdims=True)
    spread = np.add.reduce(np.square(a - center), axis=tuple(others), keepdims=True) / m
    g, b = (v.reshape(center.shape) for v in (gamma, beta))
    return np.asarray(g * ((a - center) / np.sqrt(spread + eps)) + b, dtype=x.dtype)


# %% wrong batchnorm_nd: axis 1, whatever is said -> channel-axis-ignored
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = x.astype(np.float64)
    axes = (0, *range(2, x.ndim))
    shape = [-1 if a == 1 else 1 for a in range(x.ndim)]
    x_hat = (wide - wide.mean(axes, keepdims=True)) / np.sqrt(wide.var(axes, keepdims=True) + eps)
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(x.dtype)


# %% wrong batchnorm_nd: the last axis, whatever is said -> channels-always-last
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(range(x.ndim - 1))
    x_hat = (wide - wide.mean(axes)) / np.sqrt(wide.var(axes) + eps)
    return (gamma * x_hat + beta).astype(x.dtype)


# %% wrong batchnorm_nd: gamma left to broadcasting -> gamma-on-the-last-axis
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(a for a in range(x.ndim) if a != channel_axis % x.ndim)
    x_hat = (wide - wide.mean(axes, keepdims=True)) / np.sqrt(wide.var(axes, keepdims=True) + eps)
    return (gamma * x_hat + beta).astype(x.dtype)


# %% wrong batchnorm_nd: a negative channel axis compared as it is -> negative-channel-axis
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(a for a in range(x.ndim) if a != channel_axis)
    shape = [1] * x.ndim
    shape[channel_axis] = -1
    x_hat = (wide - wide.mean(axes, keepdims=True)) / np.sqrt(wide.var(axes, keepdims=True) + eps)
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(x.dtype)


# %% wrong batchnorm_nd: over the batch alone -> positions-on-their-own
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = x.astype(np.float64)
    shape = [1] * x.ndim
    shape[channel_axis] = -1
    x_hat = (wide - wide.mean(axis=0)) / np.sqrt(wide.var(axis=0) + eps)
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(x.dtype)


# %% wrong batchnorm_nd: image by image -> instance-statistics
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(a for a in range(1, x.ndim) if a != channel_axis % x.ndim)
    shape = [1] * x.ndim
    shape[channel_axis] = -1
    x_hat = (wide - wide.mean(axes, keepdims=True)) / np.sqrt(wide.var(axes, keepdims=True) + eps)
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(x.dtype)


# %% wrong batchnorm_nd: one mean for everything -> statistics-over-all-axes
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = x.astype(np.float64)
    shape = [1] * x.ndim
    shape[channel_axis] = -1
    x_hat = (wide - wide.mean()) / np.sqrt(wide.var() + eps)
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(x.dtype)


# %% wrong batchnorm_nd: unbiased -> divides-by-m-minus-1
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = np.moveaxis(x.astype(np.float64), channel_axis, 0)
    flat = wide.reshape(len(wide), -1)
    x_hat = (flat - flat.mean(1, keepdims=True)) / np.sqrt(flat.var(1, keepdims=True, ddof=1) + eps)
    y = (gamma[:, None] * x_hat + beta[:, None]).reshape(wide.shape)
    return np.moveaxis(y, 0, channel_axis).astype(x.dtype)


# %% wrong batchnorm_nd: eps outside -> eps-outside-root
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = np.moveaxis(x.astype(np.float64), channel_axis, 0)
    flat = wide.reshape(len(wide), -1)
    x_hat = (flat - flat.mean(1, keepdims=True)) / (flat.std(1, keepdims=True) + eps)
    y = (gamma[:, None] * x_hat + beta[:, None]).reshape(wide.shape)
    return np.moveaxis(y, 0, channel_axis).astype(x.dtype)


# %% wrong batchnorm_nd: 1e-5 written into the code -> eps-argument-ignored
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = np.moveaxis(x.astype(np.float64), channel_axis, 0)
    flat = wide.reshape(len(wide), -1)
    x_hat = (flat - flat.mean(1, keepdims=True)) / np.sqrt(flat.var(1, keepdims=True) + 1e-5)
    y = (gamma[:, None] * x_hat + beta[:, None]).reshape(wide.shape)
    return np.moveaxis(y, 0, channel_axis).astype(x.dtype)


# %% wrong batchnorm_nd: eps of Keras -> other-default-eps
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-3):
    wide = np.moveaxis(x.astype(np.float64), channel_axis, 0)
    flat = wide.reshape(len(wide), -1)
    x_hat = (flat - flat.mean(1, keepdims=True)) / np.sqrt(flat.var(1, keepdims=True) + eps)
    y = (gamma[:, None] * x_hat + beta[:, None]).reshape(wide.shape)
    return np.moveaxis(y, 0, channel_axis).astype(x.dtype)


# %% wrong batchnorm_nd: reduced in float16 -> computed-in-float16
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    axes = tuple(a for a in range(x.ndim) if a != channel_axis % x.ndim)
    shape = [1] * x.ndim
    shape[channel_axis] = -1
    with np.errstate(all="ignore"):
        var = x.var(axes, keepdims=True)
    x_hat = (x - x.mean(axes, keepdims=True)) / np.sqrt(var + eps)
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(x.dtype)


# %% wrong batchnorm_nd: E[x²] − E[x]² -> mean-of-squares-minus-square-of-mean
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    axes = tuple(a for a in range(x.ndim) if a != channel_axis % x.ndim)
    shape = [1] * x.ndim
    shape[channel_axis] = -1
    mean = wide.mean(axes, keepdims=True)
    var = np.maximum((wide**2).mean(axes, keepdims=True) - mean**2, 0)
    x_hat = (wide - mean) / np.sqrt(var + eps)
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(x.dtype)


# %% wrong batchnorm_nd: always in float32 -> narrowed-to-float32
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = x.astype(np.float32)
    axes = tuple(a for a in range(x.ndim) if a != channel_axis % x.ndim)
    shape = [1] * x.ndim
    shape[channel_axis] = -1
    x_hat = (wide - wide.mean(axes, keepdims=True)) / np.sqrt(wide.var(axes, keepdims=True) + eps)
    y = gamma.reshape(shape).astype(np.float32) * x_hat + beta.reshape(shape).astype(np.float32)
    return y.astype(x.dtype)


# %% wrong batchnorm_nd: the channels stay at the end -> channels-left-last
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    last = np.moveaxis(x, channel_axis, -1)
    rows = last.reshape(-1, last.shape[-1]).astype(np.float64)
    x_hat = (rows - rows.mean(axis=0)) / np.sqrt(rows.var(axis=0) + eps)
    return (gamma * x_hat + beta).astype(x.dtype).reshape(last.shape)


# %% wrong batchnorm_nd: x reshaped where it had to be transposed -> reshaped-for-transposed
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    rows = x.reshape(-1, len(gamma)).astype(np.float64)
    x_hat = (rows - rows.mean(axis=0)) / np.sqrt(rows.var(axis=0) + eps)
    return (gamma * x_hat + beta).astype(x.dtype).reshape(x.shape)


# %% wrong batchnorm_nd: x centred in place -> modifies-argument
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    axes = tuple(a for a in range(x.ndim) if a != channel_axis % x.ndim)
    shape = [1] * x.ndim
    shape[channel_axis] = -1
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    wide -= wide.mean(axes, keepdims=True)
    x_hat = wide / np.sqrt(wide.var(axes, keepdims=True) + eps)
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(x.dtype)


# %% wrong batchnorm_nd: always float64 out -> dtype
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(a for a in range(x.ndim) if a != channel_axis % x.ndim)
    shape = [1] * x.ndim
    shape[channel_axis] = -1
    x_hat = (wide - wide.mean(axes, keepdims=True)) / np.sqrt(wide.var(axes, keepdims=True) + eps)
    return gamma.reshape(shape) * x_hat + beta.reshape(shape)


# %% wrong batchnorm_nd: normalised in float32, scaled in float64 -> narrowed-to-float32
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = x.astype(np.float32)
    axes = tuple(a for a in range(x.ndim) if a != channel_axis % x.ndim)
    shape = [1] * x.ndim
    shape[channel_axis] = -1
    x_hat = wide - wide.mean(axis=axes, keepdims=True)
    x_hat /= np.sqrt(wide.var(axis=axes, keepdims=True) + np.float32(eps))
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(x.dtype)


# %% wrong batchnorm_nd: rows of channels by reshape -> reshaped-to-rows
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    rows = x.reshape(x.shape[channel_axis], -1).astype(np.float64)
    x_hat = (rows - rows.mean(axis=1)[:, None]) / np.sqrt(rows.var(axis=1)[:, None] + eps)
    return (gamma[:, None] * x_hat + beta[:, None]).reshape(x.shape).astype(x.dtype)


# %% wrong batchnorm_nd: channels moved to the end, and back by reshape -> reshaped-back
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    last = np.moveaxis(x, channel_axis, -1).astype(np.float64)
    rows = last.reshape(-1, len(gamma))
    x_hat = (rows - rows.mean(axis=0)) / np.sqrt(rows.var(axis=0) + eps)
    return (gamma * x_hat + beta).reshape(x.shape).astype(x.dtype)


# %% wrong batchnorm_nd: gamma reshaped, beta not -> beta-on-the-last-axis
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(a for a in range(x.ndim) if a != channel_axis % x.ndim)
    shape = [1] * x.ndim
    shape[channel_axis] = -1
    x_hat = wide - wide.mean(axis=axes, keepdims=True)
    x_hat /= np.sqrt(wide.var(axis=axes, keepdims=True) + eps)
    return (gamma.reshape(shape) * x_hat + beta).astype(x.dtype)


# %% wrong batchnorm_nd: the mean of x² for the variance -> variance-without-mean
def batchnorm_nd(x, gamma, beta, channel_axis=1, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(a for a in range(x.ndim) if a != channel_axis % x.ndim)
    shape = [1] * x.ndim
    shape[channel_axis] = -1
    var = (wide**2).mean(axis=axes, keepdims=True)
    x_hat = (wide - wide.mean(axis=axes, keepdims=True)) / np.sqrt(var + eps)
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(x.dtype)


# %% right layer_norm: axes with keepdims
def layer_norm(x, gamma, beta, eps=1e-5):
    axes = tuple(range(1, x.ndim))
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    mean = wide.mean(axis=axes, keepdims=True)
    var = wide.var(axis=axes, keepdims=True)
    return (gamma * (wide - mean) / np.sqrt(var + eps) + beta).astype(x.dtype)


# %% right layer_norm: rows of a flat matrix
def layer_norm(x, gamma, beta, eps=1e-5):
    rows = x.reshape(len(x), -1).astype(np.float64)
    x_hat = (rows.T - rows.mean(axis=1)) / np.sqrt(rows.var(axis=1) + eps)
    return (gamma * x_hat.T.reshape(x.shape) + beta).astype(x.dtype)


# %% right layer_norm: a loop over samples
def layer_norm(x, gamma, beta, eps=1e-5):
    y = np.empty(x.shape, x.dtype)
    for n, sample in enumerate(x.astype(np.float64)):
        y[n] = gamma * (sample - sample.mean()) / np.sqrt(sample.var() + eps) + beta
    return y


# %% right layer_norm: stacked in a list, negative axes
def layer_norm(x, gamma, beta, eps=1e-5):
    axes = tuple(-k for k in range(1, x.ndim))
    wide = x.astype(np.float64)
    centered = wide - np.mean(wide, axes, keepdims=True)
    inv = 1 / np.sqrt(np.mean(centered**2, axes, keepdims=True) + eps)
    return np.stack([gamma * c * i + beta for c, i in zip(centered, inv)]).astype(x.dtype)


# %% wrong layer_norm: batch norm -> batch-statistics
def layer_norm(x, gamma, beta, eps=1e-5):
    wide = x.astype(np.float64)
    return (gamma * (wide - wide.mean(0)) / np.sqrt(wide.var(0) + eps) + beta).astype(x.dtype)


# %% wrong layer_norm: the last axis alone -> last-axis-only
def layer_norm(x, gamma, beta, eps=1e-5):
    wide = x.astype(np.float64)
    mean, var = wide.mean(-1, keepdims=True), wide.var(-1, keepdims=True)
    return (gamma * (wide - mean) / np.sqrt(var + eps) + beta).astype(x.dtype)


# %% wrong layer_norm: channel by channel -> channels-on-their-own
def layer_norm(x, gamma, beta, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(range(2, x.ndim)) or (1,)
    mean, var = wide.mean(axes, keepdims=True), wide.var(axes, keepdims=True)
    return (gamma * (wide - mean) / np.sqrt(var + eps) + beta).astype(x.dtype)


# %% wrong layer_norm: one mean for all samples -> statistics-over-all-axes
def layer_norm(x, gamma, beta, eps=1e-5):
    wide = x.astype(np.float64)
    return (gamma * (wide - wide.mean()) / np.sqrt(wide.var() + eps) + beta).astype(x.dtype)


# %% wrong layer_norm: keepdims forgotten -> keepdims-forgotten
def layer_norm(x, gamma, beta, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(range(1, x.ndim))
    return (gamma * (wide - wide.mean(axes)) / np.sqrt(wide.var(axes) + eps) + beta).astype(x.dtype)


# %% wrong layer_norm: unbiased -> divides-by-m-minus-1
def layer_norm(x, gamma, beta, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(range(1, x.ndim))
    mean, var = wide.mean(axes, keepdims=True), wide.var(axes, keepdims=True, ddof=1)
    return (gamma * (wide - mean) / np.sqrt(var + eps) + beta).astype(x.dtype)


# %% wrong layer_norm: eps outside -> eps-outside-root
def layer_norm(x, gamma, beta, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(range(1, x.ndim))
    mean, std = wide.mean(axes, keepdims=True), wide.std(axes, keepdims=True)
    return (gamma * (wide - mean) / (std + eps) + beta).astype(x.dtype)


# %% wrong layer_norm: eps forgotten -> eps-forgotten
def layer_norm(x, gamma, beta, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(range(1, x.ndim))
    with np.errstate(all="ignore"):
        x_hat = (wide - wide.mean(axes, keepdims=True)) / wide.std(axes, keepdims=True)
    return (gamma * x_hat + beta).astype(x.dtype)


# %% wrong layer_norm: nothing after x_hat -> gamma-and-beta-forgotten
def layer_norm(x, gamma, beta, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(range(1, x.ndim))
    mean, var = wide.mean(axes, keepdims=True), wide.var(axes, keepdims=True)
    return ((wide - mean) / np.sqrt(var + eps)).astype(x.dtype)


# %% wrong layer_norm: squares in float16 -> computed-in-float16
def layer_norm(x, gamma, beta, eps=1e-5):
    axes = tuple(range(1, x.ndim))
    mean = x.mean(axes, keepdims=True)
    with np.errstate(all="ignore"):
        var = x.var(axes, keepdims=True)
    return (gamma * (x - mean) / np.sqrt(var + eps) + beta).astype(x.dtype)


# %% wrong layer_norm: E[x²] − E[x]² -> mean-of-squares-minus-square-of-mean
def layer_norm(x, gamma, beta, eps=1e-5):
    axes = tuple(range(1, x.ndim))
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    mean = wide.mean(axes, keepdims=True)
    var = np.maximum((wide * wide).mean(axes, keepdims=True) - mean * mean, 0)
    return (gamma * (wide - mean) / np.sqrt(var + eps) + beta).astype(x.dtype)


# %% wrong layer_norm: axes of batch norm -> channel-statistics
def layer_norm(x, gamma, beta, eps=1e-5):
    axes = (0, *range(2, x.ndim))
    wide = x.astype(np.float64)
    x_hat = wide - wide.mean(axis=axes, keepdims=True)
    x_hat /= np.sqrt(wide.var(axis=axes, keepdims=True) + eps)
    return (gamma * x_hat + beta).astype(x.dtype)


# %% wrong layer_norm: RMSNorm -> root-mean-square
def layer_norm(x, gamma, beta, eps=1e-5):
    axes = tuple(range(1, x.ndim))
    wide = x.astype(np.float64)
    x_hat = wide / np.sqrt((wide**2).mean(axis=axes, keepdims=True) + eps)
    return (gamma * x_hat + beta).astype(x.dtype)


# %% wrong layer_norm: a bracket too wide -> shifted-before-scaled
def layer_norm(x, gamma, beta, eps=1e-5):
    axes = tuple(range(1, x.ndim))
    wide = x.astype(np.float64)
    x_hat = wide - wide.mean(axis=axes, keepdims=True)
    x_hat /= np.sqrt(wide.var(axis=axes, keepdims=True) + eps)
    return (gamma * (x_hat + beta)).astype(x.dtype)


# %% wrong layer_norm: gamma transposed, an error but for arrays as long as wide -> ValueError
def layer_norm(x, gamma, beta, eps=1e-5):
    axes = tuple(range(1, x.ndim))
    wide = x.astype(np.float64)
    x_hat = wide - wide.mean(axis=axes, keepdims=True)
    x_hat /= np.sqrt(wide.var(axis=axes, keepdims=True) + eps)
    return (gamma.T * x_hat + beta.T).astype(x.dtype)


# %% right instance_norm: axes 2 and up
def instance_norm(x, eps=1e-5):
    axes = tuple(range(2, x.ndim))
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    mean, var = wide.mean(axes, keepdims=True), wide.var(axes, keepdims=True)
    return ((wide - mean) / np.sqrt(var + eps)).astype(x.dtype)


# %% right instance_norm: one row for each channel of each sample
def instance_norm(x, eps=1e-5):
    rows = x.reshape(x.shape[0] * x.shape[1], -1).astype(np.float64)
    rows = rows - rows.mean(axis=1, keepdims=True)
    rows = rows / np.sqrt((rows**2).mean(axis=1, keepdims=True) + eps)
    return rows.reshape(x.shape).astype(x.dtype)


# %% right instance_norm: two loops
def instance_norm(x, eps=1e-5):
    y = np.empty(x.shape)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            plane = x[n, c].astype(np.float64)
            y[n, c] = (plane - plane.mean()) / (plane.var() + eps) ** 0.5
    return y.astype(x.dtype)


# %% right instance_norm: batch norm of one image at a time
def instance_norm(x, eps=1e-5):
    def batch_norm(image):
        axes = (0, *range(2, image.ndim))
        centered = image - image.mean(axis=axes, keepdims=True)
        return centered / np.sqrt((centered**2).mean(axis=axes, keepdims=True) + eps)

    wide = x.astype(np.float64)
    return np.concatenate([batch_norm(wide[n : n + 1]) for n in range(len(x))]).astype(x.dtype)


# %% wrong instance_norm: shared over the batch -> batch-statistics
def instance_norm(x, eps=1e-5):
    axes = (0, *range(2, x.ndim))
    wide = x.astype(np.float64)
    mean, var = wide.mean(axes, keepdims=True), wide.var(axes, keepdims=True)
    return ((wide - mean) / np.sqrt(var + eps)).astype(x.dtype)


# %% wrong instance_norm: shared over the channels -> layer-statistics
def instance_norm(x, eps=1e-5):
    axes = tuple(range(1, x.ndim))
    wide = x.astype(np.float64)
    mean, var = wide.mean(axes, keepdims=True), wide.var(axes, keepdims=True)
    return ((wide - mean) / np.sqrt(var + eps)).astype(x.dtype)


# %% wrong instance_norm: each row of pixels -> last-axis-only
def instance_norm(x, eps=1e-5):
    wide = x.astype(np.float64)
    mean, var = wide.mean(-1, keepdims=True), wide.var(-1, keepdims=True)
    return ((wide - mean) / np.sqrt(var + eps)).astype(x.dtype)


# %% wrong instance_norm: axis 2 alone -> axis-2-only
def instance_norm(x, eps=1e-5):
    wide = x.astype(np.float64)
    mean, var = wide.mean(2, keepdims=True), wide.var(2, keepdims=True)
    return ((wide - mean) / np.sqrt(var + eps)).astype(x.dtype)


# %% wrong instance_norm: channels taken to be last -> channels-last-assumed
def instance_norm(x, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(range(1, x.ndim - 1))
    mean, var = wide.mean(axes, keepdims=True), wide.var(axes, keepdims=True)
    return ((wide - mean) / np.sqrt(var + eps)).astype(x.dtype)


# %% wrong instance_norm: images only (axes 2 and 3)
def instance_norm(x, eps=1e-5):
    wide = x.astype(np.float64)
    mean, var = wide.mean((2, 3), keepdims=True), wide.var((2, 3), keepdims=True)
    return ((wide - mean) / np.sqrt(var + eps)).astype(x.dtype)


# %% wrong instance_norm: unbiased -> divides-by-m-minus-1
def instance_norm(x, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(range(2, x.ndim))
    mean, var = wide.mean(axes, keepdims=True), wide.var(axes, keepdims=True, ddof=1)
    return ((wide - mean) / np.sqrt(var + eps)).astype(x.dtype)


# %% wrong instance_norm: divided by the variance -> divides-by-variance
def instance_norm(x, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(range(2, x.ndim))
    mean, var = wide.mean(axes, keepdims=True), wide.var(axes, keepdims=True)
    return ((wide - mean) / (var + eps)).astype(x.dtype)


# %% wrong instance_norm: in float32, in place -> modifies-argument
def instance_norm(x, eps=1e-5):
    axes = tuple(range(2, x.ndim))
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    wide -= wide.mean(axes, keepdims=True)
    return (wide / np.sqrt(wide.var(axes, keepdims=True) + eps)).astype(x.dtype)


# %% wrong instance_norm: E[x²] − E[x]² -> mean-of-squares-minus-square-of-mean
def instance_norm(x, eps=1e-5):
    axes = tuple(range(2, x.ndim))
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    mean = wide.mean(axes, keepdims=True)
    var = np.maximum((wide * wide).mean(axes, keepdims=True) - mean * mean, 0)
    return ((wide - mean) / np.sqrt(var + eps)).astype(x.dtype)


# %% wrong instance_norm: in place, in any dtype -> modifies-argument
def instance_norm(x, eps=1e-5):
    axes = tuple(range(2, x.ndim))
    x -= x.mean(axis=axes, keepdims=True)
    x /= np.sqrt((x * x).mean(axis=axes, keepdims=True) + eps)
    return x


# %% right group_norm: an axis of groups
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    n, c = x.shape[:2]
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    g = wide.reshape(n, num_groups, c // num_groups, *x.shape[2:])
    axes = tuple(range(2, g.ndim))
    g = (g - g.mean(axes, keepdims=True)) / np.sqrt(g.var(axes, keepdims=True) + eps)
    shape = [-1] + [1] * (x.ndim - 2)
    return (gamma.reshape(shape) * g.reshape(x.shape) + beta.reshape(shape)).astype(x.dtype)


# %% right group_norm: one row for each group
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    rows = x.reshape(x.shape[0] * num_groups, -1).astype(np.float64)
    x_hat = (rows - rows.mean(1, keepdims=True)) / np.sqrt(rows.var(1, keepdims=True) + eps)
    last = np.moveaxis(x_hat.reshape(x.shape), 1, -1)
    return np.moveaxis(gamma * last + beta, -1, 1).astype(x.dtype)


# %% right group_norm: slices of channels
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    size = x.shape[1] // num_groups
    parts = []
    for start in range(0, x.shape[1], size):
        part = x[:, start : start + size].astype(np.float64)
        axes = tuple(range(1, part.ndim))
        part = part - part.mean(axes, keepdims=True)
        parts.append(part / np.sqrt((part**2).mean(axes, keepdims=True) + eps))
    x_hat = np.concatenate(parts, axis=1)
    for c in range(x.shape[1]):
        x_hat[:, c] = gamma[c] * x_hat[:, c] + beta[c]
    return x_hat.astype(x.dtype)


# %% right group_norm: three loops over plain indices
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    y = np.empty_like(x)
    size = len(gamma) // num_groups
    for n in range(len(x)):
        for g in range(num_groups):
            values = np.array(x[n, g * size : (g + 1) * size], np.float64)
            mean, root = values.mean(), np.sqrt(values.var() + eps)
            for c in range(g * size, (g + 1) * size):
                y[n, c] = gamma[c] * (values[c - g * size] - mean) / root + beta[c]
    return y


# %% right group_norm: np.split, and channels moved to the end
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    def one(v):
        axes = tuple(range(1, v.ndim))
        return (v - v.mean(axes, keepdims=True)) / np.sqrt(v.var(axes, keepdims=True) + eps)

    parts = [one(v) for v in np.split(x.astype(np.float64), num_groups, axis=1)]
    last = np.swapaxes(np.concatenate(parts, axis=1), 1, -1)
    return np.swapaxes(last * gamma + beta, 1, -1).astype(x.dtype)


# %% right group_norm: means spread out again with repeat
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    n, c, size = x.shape[0], x.shape[1], x.shape[1] // num_groups
    flat = x.reshape(n, c, -1).astype(np.float64)
    mean = flat.mean(2).reshape(n, num_groups, size).mean(2).repeat(size, axis=1)[:, :, None]
    square = ((flat - mean) ** 2).mean(2).reshape(n, num_groups, size).mean(2)
    root = np.sqrt(square.repeat(size, axis=1)[:, :, None] + eps)
    y = (flat - mean) / root * gamma[:, None] + beta[:, None]
    return y.reshape(x.shape).astype(x.dtype)


# %% right group_norm: batch norm of one row for each group, on the transpose
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    columns = x.reshape(len(x) * num_groups, -1).astype(np.float64).T
    columns = (columns - columns.mean(axis=0)) / np.sqrt(columns.var(axis=0) + eps)
    flat = columns.T.reshape(len(x), len(gamma), -1)
    return (flat * gamma[:, None] + beta[:, None]).reshape(x.shape).astype(x.dtype)


# %% right group_norm: a matrix that averages within groups
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    c = x.shape[1]
    which = np.arange(c) * num_groups // c
    average = (which[:, None] == which) / (c // num_groups)
    flat = x.reshape(len(x), c, -1).astype(np.float64)
    centered = flat - (average @ flat.mean(axis=2, keepdims=True))
    var = average @ np.square(centered).mean(axis=2, keepdims=True)
    y = centered / np.sqrt(var + eps) * gamma[:, None] + beta[:, None]
    return y.reshape(x.shape).astype(x.dtype)


# %% wrong group_norm: every G-th channel -> groups-interleaved
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    wide = x.astype(np.float64)
    x_hat = np.empty(x.shape)
    for k in range(num_groups):
        part = wide[:, k::num_groups]
        axes = tuple(range(1, part.ndim))
        root = np.sqrt(part.var(axes, keepdims=True) + eps)
        x_hat[:, k::num_groups] = (part - part.mean(axes, keepdims=True)) / root
    shape = [-1] + [1] * (x.ndim - 2)
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(x.dtype)


# %% wrong group_norm: each position on its own -> positions-on-their-own
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    g = x.astype(np.float64).reshape(len(x), num_groups, -1, *x.shape[2:])
    g = (g - g.mean(2, keepdims=True)) / np.sqrt(g.var(2, keepdims=True) + eps)
    shape = [-1] + [1] * (x.ndim - 2)
    return (gamma.reshape(shape) * g.reshape(x.shape) + beta.reshape(shape)).astype(x.dtype)


# %% wrong group_norm: each channel on its own -> channels-on-their-own
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    wide = x.astype(np.float64)
    g = wide.reshape(len(x), num_groups, -1, *x.shape[2:])
    axes = tuple(range(3, g.ndim)) or (2,)
    g = (g - g.mean(axes, keepdims=True)) / np.sqrt(g.var(axes, keepdims=True) + eps)
    shape = [-1] + [1] * (x.ndim - 2)
    return (gamma.reshape(shape) * g.reshape(x.shape) + beta.reshape(shape)).astype(x.dtype)


# %% wrong group_norm: no groups -> groups-ignored
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    wide = x.astype(np.float64)
    axes = tuple(range(1, x.ndim))
    x_hat = (wide - wide.mean(axes, keepdims=True)) / np.sqrt(wide.var(axes, keepdims=True) + eps)
    shape = [-1] + [1] * (x.ndim - 2)
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(x.dtype)


# %% wrong group_norm: over the batch, too -> batch-included
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    g = x.astype(np.float64).reshape(len(x), num_groups, -1, *x.shape[2:])
    axes = (0, *range(2, g.ndim))
    g = (g - g.mean(axes, keepdims=True)) / np.sqrt(g.var(axes, keepdims=True) + eps)
    shape = [-1] + [1] * (x.ndim - 2)
    return (gamma.reshape(shape) * g.reshape(x.shape) + beta.reshape(shape)).astype(x.dtype)


# %% wrong group_norm: num_groups channels in a group -> number-read-as-size
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    g = x.astype(np.float64).reshape(len(x), -1, num_groups, *x.shape[2:])
    axes = tuple(range(2, g.ndim))
    g = (g - g.mean(axes, keepdims=True)) / np.sqrt(g.var(axes, keepdims=True) + eps)
    shape = [-1] + [1] * (x.ndim - 2)
    return (gamma.reshape(shape) * g.reshape(x.shape) + beta.reshape(shape)).astype(x.dtype)


# %% wrong group_norm: gamma left to broadcasting -> gamma-on-the-last-axis
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    g = x.astype(np.float64).reshape(len(x), num_groups, -1, *x.shape[2:])
    axes = tuple(range(2, g.ndim))
    g = (g - g.mean(axes, keepdims=True)) / np.sqrt(g.var(axes, keepdims=True) + eps)
    return (gamma * g.reshape(x.shape) + beta).astype(x.dtype)


# %% wrong group_norm: not reshaped back -> shape
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    g = x.astype(np.float64).reshape(len(x), num_groups, -1, *x.shape[2:])
    axes = tuple(range(2, g.ndim))
    g = (g - g.mean(axes, keepdims=True)) / np.sqrt(g.var(axes, keepdims=True) + eps)
    size = len(gamma) // num_groups
    shape = (num_groups, size, *[1] * (x.ndim - 2))
    return (gamma.reshape(shape) * g + beta.reshape(shape)).astype(x.dtype)


# %% wrong group_norm: scaled and shifted first -> affine-before-normalising
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    shape = [-1] + [1] * (x.ndim - 2)
    wide = gamma.reshape(shape) * x.astype(np.float64) + beta.reshape(shape)
    g = wide.reshape(len(x), num_groups, -1, *x.shape[2:])
    axes = tuple(range(2, g.ndim))
    g = (g - g.mean(axes, keepdims=True)) / np.sqrt(g.var(axes, keepdims=True) + eps)
    return g.reshape(x.shape).astype(x.dtype)


# %% wrong group_norm: no gamma, no beta -> gamma-and-beta-forgotten
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    g = x.astype(np.float64).reshape(len(x), num_groups, -1, *x.shape[2:])
    axes = tuple(range(2, g.ndim))
    g = (g - g.mean(axes, keepdims=True)) / np.sqrt(g.var(axes, keepdims=True) + eps)
    return g.reshape(x.shape).astype(x.dtype)


# %% wrong group_norm: unbiased -> divides-by-m-minus-1
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    g = x.astype(np.float64).reshape(len(x), num_groups, -1, *x.shape[2:])
    axes = tuple(range(2, g.ndim))
    g = (g - g.mean(axes, keepdims=True)) / np.sqrt(g.var(axes, keepdims=True, ddof=1) + eps)
    shape = [-1] + [1] * (x.ndim - 2)
    return (gamma.reshape(shape) * g.reshape(x.shape) + beta.reshape(shape)).astype(x.dtype)


# %% wrong group_norm: eps outside -> eps-outside-root
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    g = x.astype(np.float64).reshape(len(x), num_groups, -1, *x.shape[2:])
    axes = tuple(range(2, g.ndim))
    g = (g - g.mean(axes, keepdims=True)) / (g.std(axes, keepdims=True) + eps)
    shape = [-1] + [1] * (x.ndim - 2)
    return (gamma.reshape(shape) * g.reshape(x.shape) + beta.reshape(shape)).astype(x.dtype)


# %% wrong group_norm: groups by memory order, wrong for Fortran arrays -> memory-order
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    g = x.astype(np.float64).reshape(len(x), num_groups, -1, *x.shape[2:], order="A")
    axes = tuple(range(2, g.ndim))
    g = (g - g.mean(axes, keepdims=True)) / np.sqrt(g.var(axes, keepdims=True) + eps)
    shape = [-1] + [1] * (x.ndim - 2)
    x_hat = g.reshape(x.shape, order="A")
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(x.dtype)


# %% wrong group_norm: images only
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    n, c, h, w = x.shape
    g = x.astype(np.float64).reshape(n, num_groups, c // num_groups, h, w)
    g = (g - g.mean((2, 3, 4), keepdims=True)) / np.sqrt(g.var((2, 3, 4), keepdims=True) + eps)
    shape = (1, c, 1, 1)
    return (gamma.reshape(shape) * g.reshape(x.shape) + beta.reshape(shape)).astype(x.dtype)


# %% wrong group_norm: one scale for a group -> gamma-per-group
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    rows = x.reshape(x.shape[0], num_groups, -1).astype(np.float64)
    x_hat = rows - rows.mean(axis=2, keepdims=True)
    x_hat /= np.sqrt(rows.var(axis=2, keepdims=True) + eps)
    scale, shift = gamma[:num_groups, None], beta[:num_groups, None]
    return (scale * x_hat + shift).reshape(x.shape).astype(x.dtype)


# %% wrong group_norm: gamma reshaped, beta not -> beta-on-the-last-axis
def group_norm(x, num_groups, gamma, beta, eps=1e-5):
    rows = x.reshape(x.shape[0], num_groups, -1).astype(np.float64)
    x_hat = rows - rows.mean(axis=2, keepdims=True)
    x_hat /= np.sqrt(rows.var(axis=2, keepdims=True) + eps)
    scale = gamma.reshape(-1, *[1] * (x.ndim - 2))
    return (scale * x_hat.reshape(x.shape) + beta).astype(x.dtype)


# %% right which_norm: one nudge, and who feels it
def which_norm(f, shape, rng):
    x = rng.normal(size=shape)
    moved = x.copy()
    moved[(0,) * len(shape)] += 3.0
    changed = f(moved) != f(x)
    if changed[1:].any():
        return "batch"
    channels = changed[0].reshape(shape[1], -1).any(axis=1)
    if channels.all():
        return "layer"
    if channels.sum() > 1:
        return "group"
    return "instance" if changed[0, 0].sum() > 1 else "none"


# %% right which_norm: a nan, and how far it spreads
def which_norm(f, shape, rng):
    x = rng.normal(size=shape)
    x[(-1,) * len(shape)] = np.nan
    lost = np.isnan(f(x))
    samples = lost.reshape(shape[0], -1).any(axis=1).sum()
    channels = np.moveaxis(lost, 1, 0).reshape(shape[1], -1).any(axis=1).sum()
    if samples > 1:
        return "batch"
    if channels == shape[1]:
        return "layer"
    if channels > 1:
        return "group"
    return "none" if lost.sum() == 1 else "instance"


# %% right which_norm: everything else replaced, one value watched
def which_norm(f, shape, rng):
    x = rng.normal(size=shape)
    here = (0,) * len(shape)

    def felt(where):
        other = x.copy()
        other[where] = rng.normal(size=other[where].shape)
        other[here] = x[here]
        return f(other)[here] != f(x)[here]

    if felt((slice(1, None),)):
        return "batch"
    channels = [felt((0, c)) for c in range(1, shape[1])]
    if all(channels):
        return "layer"
    if any(channels):
        return "group"
    return "instance" if felt((0, 0)) else "none"


# %% right which_norm: invariances to shifts, no single value touched
def which_norm(f, shape, rng):
    x = 2.0 * rng.normal(size=shape)
    y = f(x)
    n, c = shape[:2]
    tail = (1,) * (len(shape) - 2)

    def ignores(shift):
        return np.allclose(f(x + shift), y, rtol=1e-3, atol=1e-3)

    if not ignores(5.0):
        return "none"
    if not ignores(3.0 * np.arange(n).reshape(n, 1, *tail)):
        return "batch"
    if ignores(3.0 * rng.permutation(n * c).reshape(n, c, *tail)):
        return "instance"
    for groups in range(2, c):
        if c % groups == 0:
            steps = np.repeat(3.0 * rng.permutation(n * groups).reshape(n, groups), c // groups, axis=1)
            if ignores(steps.reshape(n, c, *tail)):
                return "group"
    return "layer"


# %% right which_norm: a count of what changes
def which_norm(f, shape, rng):
    x = rng.uniform(-1, 1, shape)
    other = x.copy()
    other.flat[rng.integers(x.size)] += 2.0
    count = int((f(other) != f(x)).sum())
    n, c, positions = shape[0], shape[1], int(np.prod(shape[2:]))
    changed = np.argwhere(f(other) != f(x))
    if len(set(changed[:, 0])) > 1:
        return "batch"
    return {1: "none", positions: "instance", c * positions: "layer"}.get(count, "group")


# %% right which_norm: derivatives from central differences
def which_norm(f, shape, rng):
    x = rng.normal(size=shape).astype(np.float64)
    jacobian = np.empty((4, *shape))
    places = [(0, 0), (1, 0), (0, 1), (0, shape[1] - 1)]
    h = 0.5
    for k, (n, c) in enumerate(places):
        step = np.zeros(shape)
        step[(n, c) + (0,) * (len(shape) - 2)] = h
        jacobian[k] = (f(x + step) - f(x - step)) / (2 * h)
    reach = np.abs(jacobian) > 1e-6
    if reach[0][1:].any() or reach[1][0].any():
        return "batch"
    width = reach[0][0].reshape(shape[1], -1).any(axis=1).sum()
    if width == shape[1]:
        return "layer"
    if width > 1 or reach[2][0].reshape(shape[1], -1).any(axis=1).sum() > 1:
        return "group"
    return "instance" if reach[0][0, 0].sum() > 1 else "none"


# %% right which_norm: a batch beside itself and alone, then sample 0 only
def which_norm(f, shape, rng):
    x = rng.standard_normal(shape).astype(np.float32)
    y = f(x)
    alone = np.concatenate([f(row[None].repeat(2, axis=0))[:1] for row in x])
    if not np.allclose(alone, y, atol=1e-4):
        return "batch"
    pair = np.stack([x[0], x[0]])
    quiet = f(pair)[0]
    reached = []
    for c in range(shape[1]):
        pair[1] = x[0]
        pair[1, c] *= 2.0
        pair[1, c, ..., 0] += 1.0
        out = f(pair)[1]
        others = [k for k in range(shape[1]) if not np.allclose(out[k], quiet[k], atol=1e-4)]
        reached.append(len(others))
    if max(reached) == shape[1]:
        return "layer"
    if max(reached) > 1:
        return "group"
    pair[1] = x[0]
    pair[1, 0].flat[0] += 2.0
    moved = np.abs(f(pair)[1, 0] - quiet[0]).ravel()
    return "instance" if (moved[1:] > 1e-4).any() else "none"


# %% right which_norm: a spike in zeros
def which_norm(f, shape, rng):
    zeros = np.zeros(shape)
    spike = zeros.copy()
    spike[(0,) * len(shape)] = 1.0
    far = np.abs(f(spike) - f(zeros)) > 1e-3
    index = np.argwhere(far)
    if index[:, 0].max() > 0:
        return "batch"
    last = index[:, 1].max()
    if last == shape[1] - 1:
        return "layer"
    if last > 0:
        return "group"
    return "instance" if len(index) > 1 else "none"


# %% right which_norm: sets that a breadth-first walk finds
def which_norm(f, shape, rng):
    x = rng.normal(size=shape)
    base = f(x)

    def neighbours(index):
        moved = np.array(x)
        moved[index] -= 4.0
        return set(map(tuple, np.argwhere(np.abs(f(moved) - base) > 1e-7)))

    start = (0,) * len(shape)
    group = neighbours(start)
    if {n for n, *_ in group} != {0}:
        return "batch"
    channels = {c for _, c, *_ in group}
    if len(channels) == 1:
        return "none" if group == {start} else "instance"
    return "layer" if channels == set(range(shape[1])) else "group"


# %% wrong which_norm: always the same word -> one-word-for-all
def which_norm(f, shape, rng):
    return "batch"


# %% wrong which_norm: a guess
def which_norm(f, shape, rng):
    return str(rng.choice(["batch", "layer", "instance", "group", "none"]))


# %% wrong which_norm: torch's names -> other-words
def which_norm(f, shape, rng):
    x = rng.normal(size=shape)
    moved = x.copy()
    moved[(0,) * len(shape)] += 3.0
    changed = f(moved) != f(x)
    if changed[1:].any():
        return "BatchNorm"
    channels = changed[0].reshape(shape[1], -1).any(axis=1)
    if channels.all():
        return "LayerNorm"
    if channels.sum() > 1:
        return "GroupNorm"
    return "InstanceNorm" if changed[0, 0].sum() > 1 else "Identity"


# %% wrong which_norm: a neighbour that feels it means layer norm -> group-called-layer
def which_norm(f, shape, rng):
    x = rng.normal(size=shape)
    moved = x.copy()
    moved[(0,) * len(shape)] += 3.0
    changed = f(moved) != f(x)
    if changed[1:].any():
        return "batch"
    if changed[0, 1].any():
        return "layer"
    return "instance" if changed[0, 0].sum() > 1 else "none"


# %% wrong which_norm: only the last channel looked at -> group-called-instance
def which_norm(f, shape, rng):
    x = rng.normal(size=shape)
    moved = x.copy()
    moved[(0,) * len(shape)] += 3.0
    changed = f(moved) != f(x)
    if changed[1:].any():
        return "batch"
    if changed[0, -1].any():
        return "layer"
    return "instance" if changed[0, 0].sum() > 1 else "none"


# %% wrong which_norm: the other positions not looked at -> instance-called-none
def which_norm(f, shape, rng):
    x = rng.normal(size=shape)
    moved = x.copy()
    moved[(0,) * len(shape)] += 3.0
    changed = f(moved) != f(x)
    if changed[1:].any():
        return "batch"
    channels = changed[0].reshape(shape[1], -1).any(axis=1)
    if channels.all():
        return "layer"
    return "group" if channels.sum() > 1 else "none"


# %% wrong which_norm: a nudge of 1e-9 -> nudge-too-small
def which_norm(f, shape, rng):
    x = rng.normal(size=shape)
    moved = x.copy()
    moved[(0,) * len(shape)] += 1e-9
    changed = f(moved) != f(x)
    if changed[1:].any():
        return "batch"
    channels = changed[0].reshape(shape[1], -1).any(axis=1)
    if channels.all():
        return "layer"
    if channels.sum() > 1:
        return "group"
    return "instance" if changed[0, 0].sum() > 1 else "none"


# %% wrong which_norm: means and spreads of the output, as if there were no scale and shift
def which_norm(f, shape, rng):
    y = f(rng.normal(2.0, 3.0, shape))
    spatial = tuple(range(2, len(shape)))

    def normal(axes):
        return np.allclose(y.mean(axes), 0, atol=1e-3) and np.allclose(y.std(axes), 1, atol=1e-2)

    if normal(spatial):
        return "instance"
    if normal((1, *spatial)):
        return "layer"
    if normal((0, *spatial)):
        return "batch"
    return "none" if not normal(tuple(range(len(shape)))) else "group"


# %% wrong which_norm: a changed mean taken for a norm -> none-called-a-norm
def which_norm(f, shape, rng):
    x = rng.normal(size=shape)
    moved = x.copy()
    moved[(0,) * len(shape)] += 3.0
    changed = f(moved) != f(x)
    if changed[1:].any():
        return "batch"
    channels = changed[0].reshape(shape[1], -1).any(axis=1)
    if channels.all():
        return "layer"
    if channels.sum() > 1:
        return "group"
    if changed[0, 0].sum() > 1:
        return "instance"
    return "none" if np.allclose(f(x), x) else "batch"


# %% wrong which_norm: the samples not looked at -> batch-missed
def which_norm(f, shape, rng):
    x = rng.normal(size=shape)
    moved = x.copy()
    moved[(0,) * len(shape)] += 3.0
    changed = f(moved) != f(x)
    channels = changed[0].reshape(shape[1], -1).any(axis=1)
    if channels.all():
        return "layer"
    if channels.sum() > 1:
        return "group"
    return "instance" if changed[0, 0].sum() > 1 else "none"


# %% wrong which_norm: never group, the rest right -> group-called-layer
def which_norm(f, shape, rng):
    x = rng.normal(size=shape)
    x[(0,) * len(shape)] = np.nan
    lost = np.isnan(f(x))
    if lost[1:].any():
        return "batch"
    if lost.sum() == 1:
        return "none"
    return "instance" if not lost[0, 1:].any() else "layer"


# %% wrong which_norm: images only (four axes)
def which_norm(f, shape, rng):
    n, c, h, w = shape
    x = rng.normal(size=shape)
    moved = x.copy()
    moved[0, 0, 0, 0] += 3.0
    changed = f(moved) != f(x)
    if changed[1:].any():
        return "batch"
    channels = changed[0].any(axis=(1, 2))
    if channels.all():
        return "layer"
    if channels.sum() > 1:
        return "group"
    return "instance" if changed[0, 0].sum() > 1 else "none"


# %% wrong which_norm: looks for the name of the box
def which_norm(f, shape, rng):
    words = f"{f!r} {getattr(f, '__name__', '')} {type(f).__name__} {vars(type(f))}".lower()
    for kind in ("batch", "layer", "instance", "group"):
        if kind in words:
            return kind
    return "none"


# %% wrong which_norm: the last sample taken for another channel -> taken-for-batch
def which_norm(f, shape, rng):
    x = rng.normal(size=shape)
    moved = x.copy()
    moved[(0,) * len(shape)] += 3.0
    changed = f(moved) != f(x)
    if changed[1:].any() or changed[0].all():
        return "batch"
    channels = changed[0].reshape(shape[1], -1).any(axis=1)
    if channels.sum() > 1:
        return "group"
    return "instance" if changed[0, 0].sum() > 1 else "none"


# %% wrong which_norm: the words forgotten -> type
def which_norm(f, shape, rng):
    x = rng.normal(size=shape)
    moved = x.copy()
    moved[(0,) * len(shape)] += 3.0
    return int((f(moved) != f(x)).sum())


# %% wrong which_norm: small changes overlooked -> reach-too-short
def which_norm(f, shape, rng):
    x = rng.normal(size=shape)
    moved = x.copy()
    moved[(0,) * len(shape)] += 3.0
    changed = np.abs(f(moved) - f(x)) > 0.3
    if changed[1:].any():
        return "batch"
    channels = changed[0].reshape(shape[1], -1).any(axis=1)
    if channels.all():
        return "layer"
    if channels[1:].any():
        return "group"
    return "instance" if changed[0, 0].sum() > 1 else "none"


# %% wrong which_norm: a whole sample moved -> reach-too-far
def which_norm(f, shape, rng):
    x = rng.normal(size=shape)
    moved = x.copy()
    moved[0] = rng.normal(size=shape[1:])
    changed = f(moved) != f(x)
    if changed[1:].any():
        return "batch"
    channels = changed[0].reshape(shape[1], -1).any(axis=1)
    if channels.all():
        return "layer"
    if channels[1:].any():
        return "group"
    return "instance" if changed[0, 0].sum() > 1 else "none"
