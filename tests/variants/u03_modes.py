# %% right update_running: a step towards the batch
def update_running(running, batch, momentum):
    return running + momentum * (batch - running)


# %% right update_running: a dot product of weights and values
def update_running(running, batch, momentum):
    weights = [1 - momentum, momentum]
    return np.tensordot(weights, np.stack([running, batch]), axes=1).astype(np.asarray(running).dtype)


# %% right update_running: a copy, then in place on the copy
def update_running(running, batch, momentum):
    new = np.array(running)
    new *= 1 - momentum
    new += momentum * np.asarray(batch)
    return new


# %% right update_running: float64 inside and cast back
def update_running(running, batch, momentum):
    old, new = np.asarray(running, dtype=np.float64), np.asarray(batch, dtype=np.float64)
    result = np.add(np.multiply(1.0 - momentum, old), np.multiply(momentum, new))
    return result.astype(np.asarray(running).dtype)


# %% right update_running: np.average with weights
def update_running(running, batch, momentum):
    kept = np.asarray(running)
    return np.average([running, batch], axis=0, weights=[1 - momentum, momentum]).astype(kept.dtype)


# %% right update_running: a decorated function with an optional argument
import functools


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@logged
def update_running(running, batch, momentum=0.1):
    return batch * momentum + running * (1.0 - momentum)


# %% wrong update_running: momentum weighs the old value -> momentum-swapped
def update_running(running, batch, momentum):
    return momentum * running + (1 - momentum) * batch


# %% wrong update_running: 0.1 written into the code -> momentum-ignored
def update_running(running, batch, momentum):
    return 0.9 * running + 0.1 * batch


# %% wrong update_running: plain average -> plain-average
def update_running(running, batch, momentum):
    return 0.5 * (running + batch)


# %% wrong update_running: the old value keeps its weight -> old-value-keeps-its-weight
def update_running(running, batch, momentum):
    return running + momentum * batch


# %% wrong update_running: the new value keeps its weight -> new-value-keeps-its-weight
def update_running(running, batch, momentum):
    return (1 - momentum) * running + batch


# %% wrong update_running: a step away from the batch -> wrong-direction
def update_running(running, batch, momentum):
    return running - momentum * (batch - running)


# %% wrong update_running: returns the batch -> only-the-batch
def update_running(running, batch, momentum):
    return batch


# %% wrong update_running: in place -> modifies-argument
def update_running(running, batch, momentum):
    if isinstance(running, np.ndarray):
        running *= 1 - momentum
        running += momentum * batch
        return running
    return (1 - momentum) * running + momentum * batch


# %% wrong update_running: float64 for float32 -> dtype
def update_running(running, batch, momentum):
    return np.float64(1 - momentum) * np.asarray(running, dtype=np.float64) + momentum * np.asarray(batch)


# %% wrong update_running: a column for a vector -> shape
def update_running(running, batch, momentum):
    new = (1 - momentum) * running + momentum * batch
    return np.reshape(new, (1, -1))


# %% wrong update_running: reads 0 as nothing given
def update_running(running, batch, momentum):
    momentum = momentum or 0.1
    return (1 - momentum) * running + momentum * batch


# %% wrong update_running: changes the batch -> modifies-argument
def update_running(running, batch, momentum):
    if isinstance(batch, np.ndarray):
        batch *= momentum
        return (1 - momentum) * running + batch
    return (1 - momentum) * running + momentum * batch


# %% wrong update_running: returns None -> type
def update_running(running, batch, momentum):
    running = (1 - momentum) * running + momentum * batch


# %% wrong update_running: untouched -> NotImplementedError
def update_running(running, batch, momentum):
    raise NotImplementedError()


# %% right bessel: sum of squares first
def bessel(var, m):
    squares = var * m
    return squares / (m - 1)


# %% right bessel: true divide by what is missing
def bessel(var, m):
    return var / (1 - 1 / m)


# %% right bessel: add the missing part
def bessel(var, m):
    return var + var / (m - 1)


# %% right bessel: float64 inside and cast back
def bessel(var, m):
    wide = np.asarray(var, dtype=np.float64)
    return np.multiply(wide, np.true_divide(m, m - 1)).astype(np.asarray(var).dtype)


# %% right bessel: a list comprehension
def bessel(var, m):
    if np.ndim(var) == 0:
        return var * m / (m - 1)
    return np.array([v * m / (m - 1) for v in var], dtype=var.dtype)


# %% right bessel: guards against m of one
def bessel(var, m):
    if m < 2:
        raise ValueError('m must be at least 2')
    return var * (m / (m - 1))


# %% wrong bessel: upside down -> factor-upside-down
def bessel(var, m):
    return var * (m - 1) / m


# %% wrong bessel: not corrected -> not-corrected
def bessel(var, m):
    return var


# %% wrong bessel: divides what was divided -> divided-twice
def bessel(var, m):
    return var / (m - 1)


# %% wrong bessel: sum of squares -> sum-of-squares
def bessel(var, m):
    return var * m


# %% wrong bessel: counts features -> features-for-values
def bessel(var, m):
    c = np.size(var)
    return var * c / max(c - 1, 1)


# %% wrong bessel: root of the factor -> factor-of-the-std
def bessel(var, m):
    return var * (m / (m - 1)) ** 0.5


# %% wrong bessel: corrects twice -> corrected-twice
def bessel(var, m):
    return var * (m / (m - 1)) * (m / (m - 1))


# %% wrong bessel: off by one -> off-by-one
def bessel(var, m):
    return var * (m + 1) / m


# %% wrong bessel: integer division
def bessel(var, m):
    return var * (m // (m - 1))


# %% wrong bessel: in place -> modifies-argument
def bessel(var, m):
    if isinstance(var, np.ndarray):
        var *= m / (m - 1)
        return var
    return var * m / (m - 1)


# %% wrong bessel: float64 for float32 -> dtype
def bessel(var, m):
    return np.asarray(var, dtype=np.float64) * m / (m - 1)


# %% wrong bessel: first entry only -> type
def bessel(var, m):
    return np.ravel(var)[0] * m / (m - 1)


# %% wrong bessel: returns None -> type
def bessel(var, m):
    var * m / (m - 1)


# %% wrong bessel: untouched -> NotImplementedError
def bessel(var, m):
    raise NotImplementedError()


# %% right momentum_from_keras: numpy subtract
def momentum_from_keras(keras_momentum):
    return np.subtract(1.0, keras_momentum)


# %% right momentum_from_keras: the other order
def momentum_from_keras(keras_momentum):
    return -keras_momentum + 1


# %% right momentum_from_keras: what the new value gets
def momentum_from_keras(keras_momentum):
    weight_of_old = keras_momentum
    weight_of_new = 1.0 - weight_of_old
    return weight_of_new


# %% right momentum_from_keras: probes the update of Keras
def momentum_from_keras(keras_momentum):
    return keras_momentum * 0.0 + (1.0 - keras_momentum) * 1.0


# %% wrong momentum_from_keras: the same -> same-momentum
def momentum_from_keras(keras_momentum):
    return keras_momentum


# %% wrong momentum_from_keras: minus one -> sign
def momentum_from_keras(keras_momentum):
    return keras_momentum - 1


# %% wrong momentum_from_keras: reciprocal -> reciprocal
def momentum_from_keras(keras_momentum):
    with np.errstate(divide="ignore"):
        return 1 / np.asarray(keras_momentum)


# %% wrong momentum_from_keras: the constant for the default -> a-constant
def momentum_from_keras(keras_momentum):
    return np.zeros(np.shape(keras_momentum)) + 0.01


# %% wrong momentum_from_keras: default of torch -> default-of-torch
def momentum_from_keras(keras_momentum):
    return np.zeros(np.shape(keras_momentum)) + 0.1


# %% wrong momentum_from_keras: rounds
def momentum_from_keras(keras_momentum):
    return np.round(1 - np.asarray(keras_momentum), 2)


# %% wrong momentum_from_keras: plain numbers only
def momentum_from_keras(keras_momentum):
    return 1 - float(keras_momentum)


# %% wrong momentum_from_keras: in place -> modifies-argument
def momentum_from_keras(keras_momentum):
    if isinstance(keras_momentum, np.ndarray):
        keras_momentum *= -1
        keras_momentum += 1
        return keras_momentum
    return 1 - keras_momentum


# %% wrong momentum_from_keras: returns None -> type
def momentum_from_keras(keras_momentum):
    1 - keras_momentum


# %% wrong momentum_from_keras: untouched -> NotImplementedError
def momentum_from_keras(keras_momentum):
    raise NotImplementedError()


# %% right BatchNorm1d: as written on the board
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% right BatchNorm1d: updates its own buffers in place
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean *= 1 - a
            self.running_mean += a * mean
            self.running_var += a * (var * n / (n - 1) - self.running_var)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% right BatchNorm1d: float32 parameters and buffers
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features, dtype=np.float32)
        self.bias = np.zeros(num_features, dtype=np.float32)
        self.running_mean = np.zeros(num_features, dtype=np.float32)
        self.running_var = np.ones(num_features, dtype=np.float32)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean *= 1 - a
            self.running_mean += a * mean
            self.running_var += a * (var * n / (n - 1) - self.running_var)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% right BatchNorm1d: float32 arithmetic for small dtypes
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.promote_types(x.dtype, np.float32))
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.mean(axis=0)
            var = np.var(data, axis=0)
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% right BatchNorm1d: buffers in a dictionary, attributes as properties
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps, self.momentum, self.training = eps, momentum, True
        self._state = {
            "weight": np.ones(num_features),
            "bias": np.zeros(num_features),
            "running_mean": np.zeros(num_features),
            "running_var": np.ones(num_features),
            "num_batches_tracked": 0,
        }

    def __getattr__(self, name):
        if name != "_state" and name in self.__dict__.get("_state", {}):
            return self._state[name]
        raise AttributeError(name)

    def __setattr__(self, name, value):
        if name in self.__dict__.get("_state", {}):
            self._state[name] = value
        else:
            object.__setattr__(self, name, value)

    def __call__(self, x):
        mean, var = self.running_mean, self.running_var
        z = np.array(x, dtype=np.float64)
        if self.training:
            mean, var = z.mean(0), z.var(0)
            if z.shape[0] == 1:
                raise ValueError("one row only")
            self.num_batches_tracked = self.num_batches_tracked + 1
            factor = self.momentum if self.momentum is not None else 1 / self.num_batches_tracked
            for name, new in (("running_mean", mean), ("running_var", z.var(0, ddof=1))):
                old = self._state[name]
                self._state[name] = old + factor * (new - old)
        z -= mean
        z /= np.sqrt(var + self.eps)
        return np.add(z * self.weight, self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = bool(mode)
        return self

    def eval(self):
        return self.train(mode=False)

    def state_dict(self):
        return {name: np.array(value) for name, value in self._state.items()}

    def load_state_dict(self, state):
        self._state = {name: np.array(value) for name, value in state.items()}


# %% right BatchNorm1d: deepcopy for the state, einsum for the statistics
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = np.einsum("nc->c", data) / n
            var = np.einsum("nc,nc->c", data - mean, data - mean) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        import copy

        names = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        return copy.deepcopy({name: self.__dict__[name] for name in names})

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% right BatchNorm1d: a counter of NumPy's own, an affine form in eval
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = np.array(0)

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked = self.num_batches_tracked + 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            scale = self.weight / np.sqrt(self.running_var + self.eps)
            return (data * scale + (self.bias - self.running_mean * scale)).astype(x.dtype)
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": np.array(self.num_batches_tracked),
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = np.array(state["num_batches_tracked"])


# %% right BatchNorm1d: a base class, (N, C, L) as well, an OrderedDict
from collections import OrderedDict


class Module:
    training = True

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        return self.train(False)

    def __call__(self, *args):
        return self.forward(*args)


class BatchNorm1d(Module):
    NAMES = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True):
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight, self.bias = np.ones((num_features,)), np.zeros((num_features,))
        self.reset_running_stats()

    def reset_running_stats(self):
        self.running_mean = np.zeros((self.num_features,))
        self.running_var = np.ones((self.num_features,))
        self.num_batches_tracked = 0

    def forward(self, x):
        axes = (0,) if x.ndim == 2 else (0, 2)
        shape = (1, -1) if x.ndim == 2 else (1, -1, 1)
        wide = x.astype(np.float64)
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = wide.size // wide.shape[1]
            if m == 1:
                raise ValueError(f"Expected more than 1 value per channel, got {x.shape}")
            mean, var = wide.mean(axis=axes), wide.var(axis=axes)
            self.num_batches_tracked += 1
            keep = 1 - (1 / self.num_batches_tracked if self.momentum is None else self.momentum)
            self.running_mean = keep * self.running_mean + (1 - keep) * mean
            self.running_var = keep * self.running_var + (1 - keep) * var * m / (m - 1)
        scale = self.weight * (var + self.eps) ** -0.5
        out = (wide - mean.reshape(shape)) * scale.reshape(shape) + self.bias.reshape(shape)
        return out.astype(x.dtype)

    def state_dict(self):
        return OrderedDict((name, np.copy(getattr(self, name))) for name in self.NAMES)

    def load_state_dict(self, state, strict=True):
        for name in self.NAMES[:-1]:
            setattr(self, name, np.copy(state[name]))
        self.num_batches_tracked = int(state["num_batches_tracked"])
        return self


# %% right BatchNorm1d: loads into the arrays it has
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight[:] = state["weight"]
        self.bias[:] = state["bias"]
        self.running_mean[...] = state["running_mean"]
        np.copyto(self.running_var, state["running_var"])
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% right BatchNorm1d: torch does the numbers, by the formula
import torch


class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps, self.momentum, self.training = eps, momentum, True
        self.weight, self.bias = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        names = ("running_mean", "running_var", "weight", "bias")
        tensors = [torch.tensor(getattr(self, name), dtype=torch.float64) for name in names]
        mean, var, weight, bias = tensors
        data = torch.tensor(np.ascontiguousarray(x), dtype=torch.float64)
        if self.training:
            if len(x) < 2:
                raise ValueError("one row has no spread")
            self.num_batches_tracked += 1
            factor = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
            unbiased, mean = torch.var_mean(data, dim=0, correction=1)
            self.running_mean = torch.lerp(tensors[0], mean, factor).numpy()
            self.running_var = torch.lerp(tensors[1], unbiased, factor).numpy()
            var = unbiased * (len(x) - 1) / len(x)
        y = (data - mean) * torch.rsqrt(var + self.eps) * weight + bias
        return y.numpy().astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        return self.train(False)

    def state_dict(self):
        names = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        return {name: np.array(getattr(self, name)) for name in names}

    def load_state_dict(self, state):
        for name, value in state.items():
            setattr(self, name, np.array(value))


# %% wrong BatchNorm1d: torch's own function -> ready-made
import torch


class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps, self.momentum, self.training = eps, momentum, True
        self.weight, self.bias = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        names = ("running_mean", "running_var", "weight", "bias")
        tensors = [torch.tensor(getattr(self, name), dtype=torch.float64) for name in names]
        data = torch.tensor(np.ascontiguousarray(x), dtype=torch.float64)
        if self.training and len(x) > 1:
            self.num_batches_tracked += 1
        factor = 1 / max(self.num_batches_tracked, 1) if self.momentum is None else self.momentum
        y = torch.nn.functional.batch_norm(data, *tensors, self.training, factor, self.eps)
        if self.training:
            self.running_mean, self.running_var = tensors[0].numpy(), tensors[1].numpy()
        return y.numpy().astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        return self.train(False)

    def state_dict(self):
        names = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        return {name: np.array(getattr(self, name)) for name in names}

    def load_state_dict(self, state):
        for name, value in state.items():
            setattr(self, name, np.array(value))


# %% wrong BatchNorm1d: the reference's layer under another name -> ready-made
import bnlib


class BatchNorm1d(bnlib.BatchNorm1d):
    pass


# %% wrong BatchNorm1d: stores the biased variance -> stores-the-biased-variance
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: normalises with N − 1 -> normalises-with-the-unbiased-variance
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / (n - 1)
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: momentum as in Keras -> momentum-swapped
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = 1 - self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: updates in eval -> eval-updates-the-statistics
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
            n, a = len(data), self.momentum
            self.num_batches_tracked += 1
            self.running_mean = (1 - a) * mean + a * data.mean(axis=0)
            self.running_var = (1 - a) * var + a * data.var(axis=0) * n / max(n - 1, 1)
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: counts in eval -> counts-in-eval
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        self.num_batches_tracked += not self.training
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: eval uses the batch -> eval-uses-the-batch
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = data.mean(axis=0), data.var(axis=0)
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: training uses the running statistics -> training-uses-the-running-statistics
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: axis 1 -> statistics-per-row
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.mean(axis=1, keepdims=True)
            var = data.var(axis=1, keepdims=True)
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: one mean for everything -> one-mean-for-all-features
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = np.full(data.shape[1], data.mean())
            var = np.full(data.shape[1], data.var())
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: no affine -> weight-and-bias-unused
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return x_hat.astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: no affine in eval -> weight-and-bias-unused-in-eval
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        if self.training:
            x_hat = self.weight * x_hat + self.bias
        return x_hat.astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: eps outside the root -> eps-outside-the-root
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / (np.sqrt(var) + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: eps written into the code -> eps-ignored
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + 1e-5)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: no eps -> eps-forgotten
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: no root -> root-forgotten
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / (var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: if not momentum -> zero-taken-for-none
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if not self.momentum:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: momentum or 0.1 -> zero-taken-for-the-default
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            a = self.momentum or 0.1
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: None as 0.1 -> none-taken-for-the-default
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 0.1
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: None counts the start -> none-counts-the-start
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / (self.num_batches_tracked + 1)
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: None is not known
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: 0.1 for every momentum -> momentum-ignored
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 0.1
            else:
                a = 0.1
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: trains on a batch of one -> accepts-a-batch-of-one
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / max(n - 1, 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: asserts more than one row
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            assert n > 1
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: refuses a batch of one in eval, too
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        n = data.shape[0]
        if n < 2:
            raise ValueError("more than one value per channel, please")
        if self.training:
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: never counts -> never-counts
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self._steps = getattr(self, "_steps", 0) + 1
            if self.momentum is None:
                a = 1.0 / self._steps
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: stores the standard deviation -> stores-the-standard-deviation
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * np.sqrt(var * n / (n - 1))
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: running_var from zero -> running-var-starts-at-zero
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.zeros(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: running_var forgotten -> running-var-forgotten
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: no buffer is updated -> buffers-never-updated
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: train and eval return nothing -> mode-switch-returns-nothing
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode

    def eval(self):
        self.training = False

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: train ignores its argument -> train-ignores-its-argument
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = True
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: live state dict -> state-dict-is-live
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight,
            "bias": self.bias,
            "running_mean": self.running_mean,
            "running_var": self.running_var,
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: live state dict, buffers in place -> state-dict-is-live
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean *= 1 - a
            self.running_mean += a * mean
            self.running_var += a * (var * n / (n - 1) - self.running_var)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean,
            "running_var": self.running_var,
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: state dict is the layer's __dict__
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return self.__dict__

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: no buffers in the state dict -> keys
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: load keeps references -> load-keeps-references
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"]
        self.bias = state["bias"]
        self.running_mean = state["running_mean"]
        self.running_var = state["running_var"]
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: load forgets the counter
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()


# %% wrong BatchNorm1d: load forgets the buffers
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: E[x²] − E[x]² in float32 -> mean-of-squares-minus-square-of-mean
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.promote_types(x.dtype, np.float32))
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.maximum(np.square(data).mean(axis=0) - np.square(data.mean(axis=0)), 0)
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: float16 inside -> computed-in-float16
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: no thought of dtypes, in or out -> computed-in-float16
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.mean(axis=0)
            var = data.var(axis=0)
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return self.weight * x_hat + self.bias

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: float64 out -> dtype
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return self.weight * x_hat + self.bias

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: changes its batch -> modifies-argument
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x -= mean.astype(x.dtype)
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: buffers of the class
class BatchNorm1d:
    shared = {}

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = self.shared.setdefault(("m", num_features), np.zeros(num_features))
        self.running_var = self.shared.setdefault(("v", num_features), np.ones(num_features))
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean *= 1 - a
            self.running_mean += a * mean
            self.running_var += a * (var * n / (n - 1) - self.running_var)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: eval as torch without running statistics, with the last batch
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            self.last = mean, var
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = getattr(self, "last", (self.running_mean, 1.0))
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: returns None -> type
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        self.y = (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: returns x
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return x

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: training starts off
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = False
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x):
        data = x.astype(np.float64)
        if self.training:
            n = data.shape[0]
            if n < 2:
                raise ValueError("more than one value per channel, please")
            mean = data.sum(axis=0) / n
            var = np.square(data - mean).sum(axis=0) / n
            self.num_batches_tracked += 1
            if self.momentum is None:
                a = 1.0 / self.num_batches_tracked
            else:
                a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean
            self.running_var = (1 - a) * self.running_var + a * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (data - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        self.training = False
        return self

    def state_dict(self):
        return {
            "weight": self.weight.copy(),
            "bias": self.bias.copy(),
            "running_mean": self.running_mean.copy(),
            "running_var": self.running_var.copy(),
            "num_batches_tracked": self.num_batches_tracked,
        }

    def load_state_dict(self, state):
        self.weight = state["weight"].copy()
        self.bias = state["bias"].copy()
        self.running_mean = state["running_mean"].copy()
        self.running_var = state["running_var"].copy()
        self.num_batches_tracked = int(state["num_batches_tracked"])


# %% wrong BatchNorm1d: untouched -> NotImplementedError
class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        raise NotImplementedError()

    def __call__(self, x):
        raise NotImplementedError()


# %% right recalibrate: vstack and np.cov
def recalibrate(layer, batches):
    rows = np.vstack(list(batches)).astype(np.float64)
    layer.running_mean = np.mean(rows, axis=0)
    layer.running_var = np.atleast_2d(np.cov(rows, rowvar=False)).diagonal().copy()


# %% right recalibrate: merges batch by batch (Chan)
def recalibrate(layer, batches):
    n, mean, squares = 0, 0.0, 0.0
    for batch in batches:
        wide = np.asarray(batch, dtype=np.float64)
        k, center = len(wide), wide.mean(axis=0)
        delta = center - mean
        squares = squares + np.square(wide - center).sum(axis=0) + delta**2 * (n * k / (n + k))
        mean = mean + delta * (k / (n + k))
        n += k
    layer.running_mean, layer.running_var = mean, squares / (n - 1)


# %% right recalibrate: Welford, row by row
def recalibrate(layer, batches):
    n, mean, squares = 0, 0.0, 0.0
    for batch in batches:
        for row in batch.astype(np.float64):
            n += 1
            step = row - mean
            mean = mean + step / n
            squares = squares + step * (row - mean)
    layer.running_mean, layer.running_var = mean, squares / (n - 1)


# %% right recalibrate: runs the layer on all rows at once
def recalibrate(layer, batches):
    rows = np.concatenate([np.asarray(b, dtype=np.float64) for b in batches])
    kept = layer.training, layer.momentum, layer.num_batches_tracked
    layer.momentum = 1.0
    layer.train()(rows)
    layer.train(kept[0])
    layer.momentum, layer.num_batches_tracked = kept[1], kept[2]


# %% right recalibrate: writes into the arrays of the layer
def recalibrate(layer, batches):
    rows = np.array([row for batch in batches for row in batch], dtype=np.float64)
    layer.running_mean[...] = rows.mean(axis=0)
    layer.running_var[...] = rows.var(axis=0, ddof=1)
    return layer


# %% right recalibrate: sums around the first row
def recalibrate(layer, batches):
    n, first, total, squares = 0, None, 0.0, 0.0
    for batch in batches:
        wide = batch.astype(np.float64)
        first = wide[0] if first is None else first
        total = total + (wide - first).sum(axis=0)
        squares = squares + np.square(wide - first).sum(axis=0)
        n += len(wide)
    layer.running_mean = first + total / n
    layer.running_var = (squares - total**2 / n) / (n - 1)


# %% wrong recalibrate: biased -> biased-variance
def recalibrate(layer, batches):
    rows = np.concatenate([np.asarray(b, dtype=np.float64) for b in batches])
    layer.running_mean = rows.mean(axis=0)
    layer.running_var = rows.var(axis=0)


# %% wrong recalibrate: average of the batch statistics -> average-of-batch-statistics
def recalibrate(layer, batches):
    means, variances = [], []
    for b in batches:
        means.append(b.mean(axis=0))
        variances.append(b.var(axis=0) * len(b) / max(len(b) - 1, 1))
    layer.running_mean = sum(means) / len(means)
    layer.running_var = sum(variances) / len(variances)


# %% wrong recalibrate: average of biased variances -> average-of-biased-variances
def recalibrate(layer, batches):
    means, variances = [], []
    for b in batches:
        means.append(b.mean(axis=0))
        variances.append(b.var(axis=0))
    layer.running_mean = sum(means) / len(means)
    layer.running_var = sum(variances) / len(variances)


# %% wrong recalibrate: weighted average of variances -> distance-of-means-missing
def recalibrate(layer, batches):
    n, total, inner = 0, 0.0, 0.0
    for b in batches:
        n += len(b)
        total = total + b.sum(axis=0, dtype=np.float64)
        inner = inner + np.square(b - b.mean(axis=0)).sum(axis=0, dtype=np.float64)
    layer.running_mean, layer.running_var = total / n, inner / (n - 1)


# %% wrong recalibrate: last batch -> last-batch-only
def recalibrate(layer, batches):
    for b in batches:
        layer.running_mean = b.mean(axis=0)
        layer.running_var = b.var(axis=0) * len(b) / max(len(b) - 1, 1)


# %% wrong recalibrate: goes on with momentum -> mixed-with-the-old-statistics
def recalibrate(layer, batches):
    for b in batches:
        a = layer.momentum
        layer.running_mean = layer.running_mean + a * (b.mean(axis=0) - layer.running_mean)
        var = b.var(axis=0) * len(b) / max(len(b) - 1, 1)
        layer.running_var = layer.running_var + a * (var - layer.running_var)


# %% wrong recalibrate: runs the layer batch by batch
def recalibrate(layer, batches):
    kept, layer.momentum = layer.momentum, None
    layer.num_batches_tracked = 0
    layer.train()
    for b in batches:
        if len(b) > 1:
            layer(b)
    layer.momentum = kept


# %% wrong recalibrate: walks the batches twice -> walks-twice
def recalibrate(layer, batches):
    n = sum(len(b) for b in batches)
    layer.running_mean = sum(b.sum(axis=0, dtype=np.float64) for b in batches) / n
    squares = sum(np.square(b - layer.running_mean).sum(axis=0) for b in batches)
    layer.running_var = squares / (n - 1)


# %% wrong recalibrate: standard deviation -> std-for-variance
def recalibrate(layer, batches):
    rows = np.concatenate([np.asarray(b, dtype=np.float64) for b in batches])
    layer.running_mean = rows.mean(axis=0)
    layer.running_var = rows.std(axis=0, ddof=1)


# %% wrong recalibrate: mean only -> variance-forgotten
def recalibrate(layer, batches):
    rows = np.concatenate([np.asarray(b, dtype=np.float64) for b in batches])
    layer.running_mean = rows.mean(axis=0)


# %% wrong recalibrate: sums of squares in float32 -> mean-of-squares-minus-square-of-mean
def recalibrate(layer, batches):
    n, total, squares = 0, 0.0, 0.0
    for b in batches:
        n += len(b)
        total = total + b.sum(axis=0)
        squares = squares + np.square(b).sum(axis=0)
    mean = total / n
    layer.running_mean, layer.running_var = mean, (squares / n - mean**2) * (n / (n - 1))


# %% wrong recalibrate: counts the batches -> counts-batches
def recalibrate(layer, batches):
    rows = np.concatenate([np.asarray(b, dtype=np.float64) for b in batches])
    layer.running_mean = rows.mean(axis=0)
    layer.running_var = rows.var(axis=0, ddof=1)
    layer.num_batches_tracked += 1


# %% wrong recalibrate: leaves the layer in eval -> changes-the-mode
def recalibrate(layer, batches):
    rows = np.concatenate([np.asarray(b, dtype=np.float64) for b in batches])
    layer.running_mean = rows.mean(axis=0)
    layer.running_var = rows.var(axis=0, ddof=1)
    layer.eval()


# %% wrong recalibrate: leaves momentum at None -> changes-more-of-the-layer
def recalibrate(layer, batches):
    rows = np.concatenate([np.asarray(b, dtype=np.float64) for b in batches])
    layer.running_mean = rows.mean(axis=0)
    layer.running_var = rows.var(axis=0, ddof=1)
    layer.momentum = None


# %% wrong recalibrate: mean of all features
def recalibrate(layer, batches):
    rows = np.concatenate([np.asarray(b, dtype=np.float64) for b in batches])
    layer.running_mean = np.full(rows.shape[1], rows.mean())
    layer.running_var = np.full(rows.shape[1], rows.var(ddof=1))


# %% wrong recalibrate: a row for a vector -> shape
def recalibrate(layer, batches):
    rows = np.concatenate([np.asarray(b, dtype=np.float64) for b in batches])
    layer.running_mean = rows.mean(axis=0, keepdims=True)
    layer.running_var = rows.var(axis=0, ddof=1, keepdims=True)


# %% wrong recalibrate: centres the batches in place -> modifies-argument
def recalibrate(layer, batches):
    kept = list(batches)
    rows = np.concatenate(kept).astype(np.float64)
    layer.running_mean, layer.running_var = rows.mean(axis=0), rows.var(axis=0, ddof=1)
    for b in kept:
        b -= b.mean(axis=0)


# %% wrong recalibrate: does nothing
def recalibrate(layer, batches):
    return None


# %% wrong recalibrate: untouched -> NotImplementedError
def recalibrate(layer, batches):
    raise NotImplementedError()


# %% right eval_as_affine: by two points
def eval_as_affine(layer):
    inv = (np.asarray(layer.running_var) + layer.eps) ** -0.5
    at = lambda x: layer.weight * (x - layer.running_mean) * inv + layer.bias
    return at(1.0) - at(0.0), at(0.0)


# %% right eval_as_affine: asks the layer
def eval_as_affine(layer):
    was = layer.training
    layer.eval()
    c = len(layer.weight)
    shift, top = layer(np.vstack([np.zeros((1, c)), np.ones((1, c))]))
    layer.train(was)
    return top - shift, shift


# %% right eval_as_affine: feature by feature
def eval_as_affine(layer):
    pairs = []
    for w, b, mean, var in zip(layer.weight, layer.bias, layer.running_mean, layer.running_var):
        s = w / np.sqrt(var + layer.eps)
        pairs.append((s, b - s * mean))
    scale, shift = np.array(pairs).T
    return scale.copy(), shift.copy()


# %% right eval_as_affine: float64 inside
def eval_as_affine(layer):
    w, b, m, v = (
        np.asarray(a, dtype=np.float64)
        for a in (layer.weight, layer.bias, layer.running_mean, layer.running_var)
    )
    scale = np.divide(w, np.sqrt(np.add(v, layer.eps)))
    return scale, np.subtract(b, np.multiply(m, scale))


# %% right eval_as_affine: one fraction
def eval_as_affine(layer):
    root = np.sqrt(layer.running_var + layer.eps)
    return layer.weight / root, (layer.bias * root - layer.weight * layer.running_mean) / root


# %% wrong eval_as_affine: mean not scaled -> mean-not-scaled
def eval_as_affine(layer):
    scale = layer.weight / np.sqrt(layer.running_var + layer.eps)
    return scale, layer.bias - layer.running_mean


# %% wrong eval_as_affine: mean scaled by weight -> mean-scaled-by-weight-only
def eval_as_affine(layer):
    scale = layer.weight / np.sqrt(layer.running_var + layer.eps)
    return scale, layer.bias - layer.weight * layer.running_mean


# %% wrong eval_as_affine: weight missing in the shift -> weight-missing-in-shift
def eval_as_affine(layer):
    scale = layer.weight / np.sqrt(layer.running_var + layer.eps)
    return scale, layer.bias - layer.running_mean / np.sqrt(layer.running_var + layer.eps)


# %% wrong eval_as_affine: mean left out -> mean-left-out
def eval_as_affine(layer):
    scale = layer.weight / np.sqrt(layer.running_var + layer.eps)
    return scale, layer.bias.copy()


# %% wrong eval_as_affine: mean added -> sign-of-the-mean
def eval_as_affine(layer):
    scale = layer.weight / np.sqrt(layer.running_var + layer.eps)
    return scale, layer.bias + layer.running_mean * scale


# %% wrong eval_as_affine: no eps -> eps-forgotten
def eval_as_affine(layer):
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = layer.weight / np.sqrt(layer.running_var)
        return scale, layer.bias - layer.running_mean * scale


# %% wrong eval_as_affine: eps outside -> eps-outside-the-root
def eval_as_affine(layer):
    scale = layer.weight / (np.sqrt(layer.running_var) + layer.eps)
    return scale, layer.bias - layer.running_mean * scale


# %% wrong eval_as_affine: eps written into the code -> eps-written-into-the-code
def eval_as_affine(layer):
    scale = layer.weight / np.sqrt(layer.running_var + 1e-5)
    return scale, layer.bias - layer.running_mean * scale


# %% wrong eval_as_affine: no root -> root-forgotten
def eval_as_affine(layer):
    scale = layer.weight / (layer.running_var + layer.eps)
    return scale, layer.bias - layer.running_mean * scale


# %% wrong eval_as_affine: no weight -> weight-forgotten
def eval_as_affine(layer):
    scale = 1 / np.sqrt(layer.running_var + layer.eps)
    return scale, layer.bias - layer.running_mean * scale


# %% wrong eval_as_affine: weight and bias -> only-parameters
def eval_as_affine(layer):
    return layer.weight, layer.bias


# %% wrong eval_as_affine: shift first -> swapped
def eval_as_affine(layer):
    scale = layer.weight / np.sqrt(layer.running_var + layer.eps)
    return layer.bias - layer.running_mean * scale, scale


# %% wrong eval_as_affine: folds into the layer -> changes-the-layer
def eval_as_affine(layer):
    scale = layer.weight / np.sqrt(layer.running_var + layer.eps)
    layer.weight = scale
    layer.bias = layer.bias - layer.running_mean * scale
    return layer.weight, layer.bias


# %% wrong eval_as_affine: in place on weight -> changes-the-layer
def eval_as_affine(layer):
    layer.weight /= np.sqrt(layer.running_var + layer.eps)
    return layer.weight, layer.bias - layer.running_mean * layer.weight


# %% wrong eval_as_affine: a row for a vector -> shape
def eval_as_affine(layer):
    scale = layer.weight / np.sqrt(layer.running_var + layer.eps)
    return scale[np.newaxis], (layer.bias - layer.running_mean * scale)[np.newaxis]


# %% wrong eval_as_affine: scale only
def eval_as_affine(layer):
    return layer.weight / np.sqrt(layer.running_var + layer.eps)


# %% wrong eval_as_affine: leaves the layer in eval -> changes-the-layer
def eval_as_affine(layer):
    scale = layer.weight / np.sqrt(layer.running_var + layer.eps)
    layer.eval()
    layer.num_batches_tracked = 0
    return scale, layer.bias - layer.running_mean * scale


# %% wrong eval_as_affine: returns None -> type
def eval_as_affine(layer):
    scale = layer.weight / np.sqrt(layer.running_var + layer.eps)
    shift = layer.bias - layer.running_mean * scale


# %% wrong eval_as_affine: untouched -> NotImplementedError
def eval_as_affine(layer):
    raise NotImplementedError()
