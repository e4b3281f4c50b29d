# %% right BatchNormFunction: as on the board
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% right BatchNormFunction: var_mean, keeps x and two numbers a channel
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        var, mean = torch.var_mean(x, axes, unbiased=False, keepdim=True)
        inv_std = torch.rsqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x, mean, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x, mean, inv_std, gamma = ctx.saved_tensors
        x_hat = (x - mean) * inv_std
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% right BatchNormFunction: autograd inside the backward pass (recomputes the forward)
import torch


def plain(x, gamma, beta, eps):
    axes, shape = (0, *range(2, x.ndim)), (-1,) + (1,) * (x.ndim - 2)
    var, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
    return (x - mean) / (var + eps).sqrt() * gamma.view(shape) + beta.view(shape)


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        ctx.save_for_backward(x, gamma, beta)
        ctx.eps = eps
        return plain(x, gamma, beta, eps)

    @staticmethod
    def backward(ctx, dy):
        leaves = [t.detach().requires_grad_() for t in ctx.saved_tensors]
        with torch.enable_grad():
            y = plain(*leaves, ctx.eps)
        return *torch.autograd.grad(y, leaves, dy), None


# %% right BatchNormFunction: channels first, everything as a matrix
import torch


def rows(t):
    return t.movedim(1, 0).reshape(t.shape[1], -1)


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        flat = rows(x)
        centered = flat - flat.mean(1, keepdim=True)
        std = (centered.square().mean(1, keepdim=True) + eps).sqrt()
        x_hat = centered / std
        ctx.save_for_backward(x_hat, std, gamma)
        moved = x.movedim(1, 0)
        y = (gamma[:, None] * x_hat + beta[:, None]).reshape(moved.shape)
        return y.movedim(0, 1).contiguous()

    @staticmethod
    def backward(ctx, dy):
        x_hat, std, gamma = ctx.saved_tensors
        flat = rows(dy)
        dbeta, dgamma = flat.sum(1), (flat * x_hat).sum(1)
        d = flat - flat.mean(1, keepdim=True) - x_hat * (flat * x_hat).mean(1, keepdim=True)
        dx = (gamma[:, None] / std * d).reshape(dy.movedim(1, 0).shape)
        return dx.movedim(0, 1), dgamma, dbeta, None


# %% right BatchNormFunction: node by node, as in unit 4
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        d_x_hat = dy * gamma.reshape(inv_std.shape)
        centered = x_hat / inv_std
        d_inv_std = (d_x_hat * centered).sum(axes, keepdim=True)
        d_var = d_inv_std * -0.5 * inv_std**3
        d_centered = d_x_hat * inv_std + d_var * 2 * centered / m
        dx = d_centered - d_centered.mean(axes, keepdim=True)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% right BatchNormFunction: forward and setup_context apart
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(x, gamma, beta, eps=1e-5):
        axes, shape = [0, *range(2, x.ndim)], [1, -1] + [1] * (x.ndim - 2)
        var, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
        return (x - mean) / (var + eps).sqrt() * gamma.reshape(shape) + beta.reshape(shape)

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, gamma, *_ = inputs
        ctx.eps = inputs[3] if len(inputs) > 3 else 1e-5
        ctx.save_for_backward(x, gamma)

    @staticmethod
    def backward(ctx, dy):
        x, gamma = ctx.saved_tensors
        axes, shape = [0, *range(2, x.ndim)], [1, -1] + [1] * (x.ndim - 2)
        var, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
        std = (var + ctx.eps).sqrt()
        x_hat = (x - mean) / std
        kept = dy - dy.mean(axes, keepdim=True) - x_hat * (dy * x_hat).mean(axes, keepdim=True)
        return gamma.reshape(shape) / std * kept, (dy * x_hat).sum(axes), dy.sum(axes), None


# %% right BatchNormFunction: only what is asked for
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = None
        if ctx.needs_input_grad[0]:
            dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return (
            dx,
            dgamma.flatten() if ctx.needs_input_grad[1] else None,
            dbeta.flatten() if ctx.needs_input_grad[2] else None,
            None,
        )


# %% right BatchNormFunction: einsum, and float64 inside
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        wide = x.double().flatten(2) if x.ndim > 2 else x.double()[:, :, None]
        m = wide.shape[0] * wide.shape[2]
        mean = torch.einsum("ncs->c", wide) / m
        centered = wide - mean[:, None]
        var = torch.einsum("ncs,ncs->c", centered, centered) / m
        inv_std = (var + eps) ** -0.5
        x_hat = torch.einsum("ncs,c->ncs", centered, inv_std)
        ctx.save_for_backward(x_hat, inv_std, gamma)
        ctx.m = m
        return (x_hat * gamma[:, None] + beta[:, None]).reshape(x.shape).to(x.dtype)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        wide = dy.double().reshape(x_hat.shape)
        dbeta = torch.einsum("ncs->c", wide)
        dgamma = torch.einsum("ncs,ncs->c", wide, x_hat)
        kept = wide - (dbeta[:, None] + x_hat * dgamma[:, None]) / ctx.m
        dx = torch.einsum("ncs,c->ncs", kept, gamma * inv_std)
        return dx.reshape(dy.shape).to(dy.dtype), dgamma.to(gamma), dbeta.to(gamma), None


# %% wrong BatchNormFunction: mean and variance held constant -> mean-and-variance-held-constant
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * dy
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: no path through the mean -> path-through-the-mean-forgotten
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - x_hat * dgamma / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: no path through the variance -> path-through-the-variance-forgotten
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - dbeta / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: no gamma in dx -> gamma-forgotten-in-dx
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: no inv_std in dx -> inv-std-forgotten-in-dx
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: divides by N -> divided-by-n-instead-of-m
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / len(dy))
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: does not divide -> not-divided-by-m
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - dbeta - x_hat * dgamma)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: adds the sums -> sign-in-dx
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy + (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: dgamma not summed over space
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, (dy * x_hat).sum(0).flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: dgamma and dbeta swapped -> dgamma-and-dbeta-swapped
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dbeta.flatten(), dgamma.flatten(), None


# %% wrong BatchNormFunction: dgamma and dbeta are means -> dgamma-and-dbeta-averaged
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten() / m, dbeta.flatten() / m, None


# %% wrong BatchNormFunction: too few gradients: none for eps -> RuntimeError
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten()


# %% wrong BatchNormFunction: eps has no default
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: unbiased variance -> unbiased-variance
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = x.var(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: rows only: statistics over axis 0 -> statistics-over-the-batch-axis-only
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0,)
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: eps outside the root -> eps-outside-the-root
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / (torch.sqrt(var) + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: eps written into the code -> eps-ignored
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + 1e-5)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: E[x²] − E[x]²
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = (x**2).mean(axes, keepdim=True) - mean**2
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: keeps its tensors on the class
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        BatchNormFunction.kept = x_hat, inv_std, gamma
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = BatchNormFunction.kept
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: keeps x itself as an attribute -> x-kept-on-ctx
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.kept = x, mean, inv_std, gamma
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x, mean, inv_std, gamma = ctx.kept
        x_hat = (x - mean) * inv_std
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: an ordinary function under the name of apply -> no-node-of-its-own
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def apply(x, gamma, beta, eps=1e-5):
        axes, shape = [0, *range(2, x.ndim)], [1, -1] + [1] * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        x_hat = (x - mean) / (var + eps).sqrt()
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)


# %% wrong BatchNormFunction: normalises x in place -> arguments-changed
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = x.sub_(mean).mul_(inv_std)
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: torch's own function inside -> ready-made
import torch
from torch.nn import functional


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        ctx.save_for_backward(x, gamma, beta)
        ctx.eps = eps
        return functional.batch_norm(x, None, None, gamma, beta, True, 0.0, eps)

    @staticmethod
    def backward(ctx, dy):
        leaves = [t.detach().requires_grad_() for t in ctx.saved_tensors]
        with torch.enable_grad():
            x, gamma, beta = leaves
            y = functional.batch_norm(x, None, None, gamma, beta, True, 0.0, ctx.eps)
        return *torch.autograd.grad(y, leaves, dy), None


# %% wrong BatchNormFunction: None for beta, too -> gradient-left-out
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), None, None


# %% wrong BatchNormFunction: gamma along the last axis of an image
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - (dbeta + x_hat * dgamma) / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: one sum not divided -> only-dx-wrong
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        axes = (0, *range(2, x.ndim))
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        axes = (0, *range(2, dy.ndim))
        m = dy.numel() // dy.shape[1]
        dbeta = dy.sum(axes, keepdim=True)
        dgamma = (dy * x_hat).sum(axes, keepdim=True)
        dx = gamma.reshape(inv_std.shape) * inv_std * (dy - dbeta - x_hat * dgamma / m)
        return dx, dgamma.flatten(), dbeta.flatten(), None


# %% wrong BatchNormFunction: the stub
import torch


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        raise NotImplementedError()


# %% right MyBatchNorm2d: as on the board
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% right MyBatchNorm2d: new tensors in the place of the buffers
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            self.num_batches_tracked = self.num_batches_tracked + 1
            s = (
                self.momentum
                if self.momentum is not None
                else 1.0 / float(self.num_batches_tracked)
            )
            unbiased = var.detach() * m / (m - 1)
            dtype = self.running_mean.dtype
            self.running_mean = ((1 - s) * self.running_mean + s * mean.detach()).to(dtype)
            self.running_var = ((1 - s) * self.running_var + s * unbiased).to(dtype)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% right MyBatchNorm2d: by a function of its own
import torch
from torch import nn


class Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, eps):
        var, mean = torch.var_mean(x, (0, 2, 3), correction=0, keepdim=True)
        inv_std = (var + eps).rsqrt()
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, weight)
        return x_hat * weight.float().view(1, -1, 1, 1).to(x) + bias.view(1, -1, 1, 1).to(x)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, weight = ctx.saved_tensors
        axes = (0, 2, 3)
        kept = dy - dy.mean(axes, keepdim=True) - x_hat * (dy * x_hat).mean(axes, keepdim=True)
        dx = weight.view(1, -1, 1, 1).to(dy) * inv_std * kept
        return dx, (dy * x_hat).sum(axes).to(weight), dy.sum(axes).to(weight), None


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.zeros((), dtype=torch.long))

    def forward(self, x):
        wide = x if x.dtype in (torch.float32, torch.float64) else x.float()
        return (self.learn(wide) if self.training else self.judge(wide)).to(x.dtype)

    def learn(self, x):
        if x[:, 0].numel() < 2:
            raise ValueError("needs two values per channel")
        with torch.no_grad():
            var, mean = torch.var_mean(x, (0, 2, 3), correction=1)
            self.num_batches_tracked.add_(1)
            momentum = self.momentum
            if momentum is None:
                momentum = 1 / self.num_batches_tracked.item()
            self.running_mean.lerp_(mean.to(self.running_mean), momentum)
            self.running_var.lerp_(var.to(self.running_var), momentum)
        return Normalise.apply(x, self.weight, self.bias, self.eps)

    def judge(self, x):
        scale = self.weight.to(x) * (self.running_var.to(x) + self.eps).rsqrt()
        shift = self.bias.to(x) - scale * self.running_mean.to(x)
        return x * scale[:, None, None] + shift[:, None, None]


# %% right MyBatchNorm2d: channels last, matrix algebra
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            rows = wide.permute(0, 2, 3, 1).reshape(m, -1)
            mean = rows.sum(0) / m
            centered = rows - mean
            var = torch.einsum("nc,nc->c", centered, centered) / m
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% right MyBatchNorm2d: more options, all with torch's defaults
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, device=None):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features, device=device), requires_grad=affine)
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% right MyBatchNorm2d: reset in a method, as torch does
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.empty(num_features))
        self.bias = nn.Parameter(torch.empty(num_features))
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, torch.empty(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0, dtype=torch.long))
        self.reset()

    def reset(self):
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)
        self.running_mean.zero_()
        self.running_var.fill_(1.0)
        self.num_batches_tracked.zero_()

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% right MyBatchNorm2d: float64 inside
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.double()
        mean, var = self.running_mean.double(), self.running_var.double()
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% right MyBatchNorm2d: a base class for any number of axes
import torch
from torch import nn


class AnyBatchNorm(nn.Module):
    axes = ()

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        for name, value in (("weight", 1.0), ("bias", 0.0)):
            self.register_parameter(name, nn.Parameter(torch.full((num_features,), value)))
        for name, value in (("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, torch.full((num_features,), value))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def channelwise(self, vector):
        return vector.float().view(-1, *[1] * (len(self.axes) - 1)).to(self.work)

    def forward(self, x):
        self.work = torch.promote_types(x.dtype, torch.float32)
        wide = x.to(self.work)
        if self.training:
            mean, var = self.statistics(wide)
        else:
            mean, var = self.running_mean, self.running_var
        mean, var = (v.to(self.work).view(-1, *[1] * (len(self.axes) - 1)) for v in (mean, var))
        x_hat = (wide - mean) * (var + self.eps) ** -0.5
        return (x_hat * self.channelwise(self.weight) + self.channelwise(self.bias)).to(x.dtype)

    def statistics(self, x):
        m = x.numel() / self.num_features
        if m <= 1:
            raise ValueError(f"expected more than 1 value per channel, got {tuple(x.shape)}")
        var, mean = torch.var_mean(x, self.axes, correction=0)
        self.num_batches_tracked += 1
        new = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
        pairs = (("running_mean", mean), ("running_var", var * (m / (m - 1))))
        for name, value in pairs:
            buffer = getattr(self, name)
            buffer.copy_((1 - new) * buffer + new * value.detach())
        return mean, var


class MyBatchNorm2d(AnyBatchNorm):
    axes = (0, 2, 3)


# %% wrong MyBatchNorm2d: buffers as plain attributes -> buffers-as-plain-attributes
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.running_mean = torch.zeros(num_features)
        self.running_var = torch.ones(num_features)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: no counter in the state dict -> counter-missing
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.num_batches_tracked = torch.tensor(0)

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: a counter of floats -> counter-is-not-whole
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0.0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: buffers that are parameters -> graph-on-the-buffers
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.running_mean = nn.Parameter(torch.zeros(num_features))
        self.running_var = nn.Parameter(torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: no_grad around the statistics -> no-gradient-through-the-statistics
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            with torch.no_grad():
                mean = wide.mean((0, 2, 3))
                var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: the mode is is_grad_enabled() -> mode-read-from-is-grad-enabled
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if torch.is_grad_enabled():
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: training only with gradients -> trains-only-with-gradients
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training and torch.is_grad_enabled():
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: statistics keep the graph -> graph-on-the-buffers
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            self.num_batches_tracked += 1
            share = self.momentum
            if share is None:
                share = 1 / self.num_batches_tracked.item()
            self.running_mean = (1 - share) * self.running_mean + share * mean
            self.running_var = (1 - share) * self.running_var + share * var * m / (m - 1)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: eval uses the batch -> eval-uses-the-batch
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean = wide.mean((0, 2, 3))
        var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: stores the biased variance -> stores-the-biased-variance
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: normalises with the unbiased variance -> normalises-with-the-unbiased-variance
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).sum((0, 2, 3)) / (m - 1)
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: both variances swapped -> variances-swapped
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).sum((0, 2, 3)) / (m - 1)
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * (m - 1) / m - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: momentum weighs the old -> momentum-swapped
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = None if self.momentum is None else 1 - self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: if not momentum -> zero-taken-for-none
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if not share:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: None as the default -> none-taken-for-the-default
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = 0.1 if self.momentum is None else self.momentum
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: never counts -> never-counts
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                share = self.momentum
                if share is None:
                    share = 0.1
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: updates in eval, too -> eval-updates-the-statistics
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        else:
            m = x.numel() // x.shape[1]
            new = wide.mean((0, 2, 3))
            spread = ((wide - new[:, None, None]) ** 2).mean((0, 2, 3)) * m / max(m - 1, 1)
            share = self.momentum
            if share is None:
                share = 1 / max(self.num_batches_tracked.item(), 1)
            with torch.no_grad():
                self.running_mean += share * (new - self.running_mean)
                self.running_var += share * (spread - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: statistics of each pixel
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            pixel = wide.mean(0, keepdim=True)
            var = ((wide - pixel) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: eps outside the root -> eps-outside-the-root
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / (torch.sqrt(var[:, None, None]) + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: no affine in eval -> weight-and-bias-unused-in-eval
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        if not self.training:
            return x_hat.to(x.dtype)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: a batch of one is let through
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / max(m - 1, 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: statistics in float16 -> statistics-in-half-precision
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: E[x²] − E[x]²
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = (wide**2).mean((0, 2, 3)) - mean**2
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: buffers of the class, shared by all layers
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    shared = {}

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer(
            "running_mean", self.shared.setdefault(num_features, torch.zeros(num_features))
        )
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: gamma and beta by the paper's names
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.gamma = nn.Parameter(torch.ones(num_features))
        self.beta = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.gamma[:, None, None] * x_hat + self.beta[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: torch's layer by inheritance -> ready-made
from torch import nn


class MyBatchNorm2d(nn.BatchNorm2d):
    pass


# %% wrong MyBatchNorm2d: statistics as parameters that do not learn -> statistic-is-a-parameter
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.running_mean = nn.Parameter(torch.zeros(num_features), requires_grad=False)
        self.running_var = nn.Parameter(torch.ones(num_features), requires_grad=False)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: trains for ever -> mode-ignored
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if True:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: a training batch by the running statistics -> training-by-the-running-statistics
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        mean, var = self.running_mean, self.running_var
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: the variance detached -> no-gradient-through-the-variance
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3)).detach()
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: an average of one too many -> average-counts-one-too-many
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / (self.num_batches_tracked.item() + 1)
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: a counter with an axis -> counter-is-not-whole
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor([0]))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: weight and bias as buffers -> weight-or-bias-does-not-learn
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.register_buffer("weight", torch.ones(num_features))
        self.register_buffer("bias", torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            m = x.numel() // x.shape[1]
            if m == 1:
                raise ValueError("one value per channel has no variance")
            mean = wide.mean((0, 2, 3))
            var = ((wide - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = self.momentum
                if share is None:
                    share = 1 / self.num_batches_tracked.item()
                self.running_mean += share * (mean - self.running_mean)
                self.running_var += share * (var * m / (m - 1) - self.running_var)
        x_hat = (wide - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        y = self.weight[:, None, None] * x_hat + self.bias[:, None, None]
        return y.to(x.dtype)


# %% wrong MyBatchNorm2d: the stub
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        raise NotImplementedError()


# %% right fold_conv_bn: as on the board
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% right fold_conv_bn: a new convolution from the options
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = nn.Conv2d(
            conv.in_channels,
            conv.out_channels,
            conv.kernel_size,
            stride=conv.stride,
            padding=conv.padding,
            dilation=conv.dilation,
            groups=conv.groups,
            padding_mode=conv.padding_mode,
            dtype=conv.weight.dtype,
        )
        folded.weight.copy_(conv.weight * s.view(-1, 1, 1, 1))
        folded.bias.copy_(bias)
    return folded


# %% right fold_conv_bn: float64, rounded once
import copy

import torch


def fold_conv_bn(conv, bn):
    if not bn.track_running_stats:
        raise ValueError("needs running statistics")
    wide = bn.running_var.double()
    gamma = torch.ones_like(wide) if bn.weight is None else bn.weight.detach().double()
    beta = torch.zeros_like(wide) if bn.bias is None else bn.bias.detach().double()
    old = torch.zeros_like(wide) if conv.bias is None else conv.bias.detach().double()
    s = gamma * torch.rsqrt(wide + bn.eps)
    new = copy.deepcopy(conv)
    dtype = conv.weight.dtype
    weight = torch.einsum("o,oihw->oihw", s, conv.weight.detach().double())
    new.weight = torch.nn.Parameter(weight.to(dtype))
    new.bias = torch.nn.Parameter((beta + s * (old - bn.running_mean)).to(dtype))
    return new


# %% right fold_conv_bn: asks the batch norm itself
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if not isinstance(bn, nn.BatchNorm2d) or bn.running_var is None:
        raise ValueError("bn must be a BatchNorm2d with running statistics")
    layer = copy.deepcopy(bn).eval()
    with torch.no_grad():
        zero = torch.zeros(1, bn.num_features, 1, 1, dtype=conv.weight.dtype)
        t = layer(zero)
        s = layer(zero + 1) - t
        old = zero if conv.bias is None else conv.bias.view(1, -1, 1, 1)
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s.view(-1, 1, 1, 1))
        folded.bias = nn.Parameter((s * old + t).flatten())
    return folded


# %% right fold_conv_bn: a diagonal matrix
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(torch.tensordot(torch.diag(s), conv.weight, dims=1))
        folded.bias = nn.Parameter(bias)
    return folded


# %% right fold_conv_bn: writes into a copy's tensors
import copy

import torch


@torch.no_grad()
def fold_conv_bn(conv, bn):
    if bn.running_mean is None or bn.running_var is None:
        raise ValueError("statistics are missing")
    made = copy.deepcopy(conv)
    if made.bias is None:
        made.bias = torch.nn.Parameter(torch.zeros_like(bn.running_mean))
    made.bias -= bn.running_mean
    std = (bn.running_var + bn.eps).sqrt()
    for tensor in (made.weight, made.bias):
        scale = (1.0 if bn.weight is None else bn.weight) / std
        tensor *= scale.view(-1, *[1] * (tensor.ndim - 1))
    if bn.bias is not None:
        made.bias += bn.bias
    return made


# %% right fold_conv_bn: names of torch's classes are no shortcut
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    assert isinstance(conv, nn.Conv2d) and isinstance(bn, nn.modules.batchnorm._BatchNorm)
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% right fold_conv_bn: a helper for s and t, filter by filter
import copy

import torch


def affine(bn):
    if bn.running_mean is None:
        raise ValueError("no statistics")
    s = (bn.running_var + bn.eps) ** -0.5
    s = s if bn.weight is None else s * bn.weight.detach()
    t = -bn.running_mean * s
    return s, (t if bn.bias is None else t + bn.bias.detach())


def fold_conv_bn(conv, bn):
    s, t = affine(bn)
    filters = [scale * kernel for scale, kernel in zip(s, conv.weight.detach())]
    folded = copy.deepcopy(conv)
    folded.weight = torch.nn.Parameter(torch.stack(filters))
    own = 0 if conv.bias is None else conv.bias.detach()
    folded.bias = torch.nn.Parameter(t + s * own)
    return folded


# %% wrong fold_conv_bn: no eps -> eps-forgotten
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: eps written into the code -> eps-written-into-the-code
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + 1e-5)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: no root -> root-forgotten
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / (bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: own bias dropped -> own-bias-dropped
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: own bias not scaled -> own-bias-not-scaled
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: no bias if there was none -> no-bias
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        if conv.bias is not None:
            folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: scaled along the inputs -> scaled-along-the-inputs
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[: conv.weight.shape[1], None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: mean added -> mean-added
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: mean not scaled -> mean-not-scaled
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: beta forgotten -> beta-forgotten
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: gamma forgotten -> gamma-forgotten
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: affine=False not thought of
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        s = s * bn.weight
        t = -s * bn.running_mean
        t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: conv without bias not thought of
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: changes the convolution -> layer-changed
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = conv
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: options lost -> options-lost
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = nn.Conv2d(
            conv.in_channels, conv.out_channels, conv.kernel_size, groups=conv.groups
        )
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: two layers in a Sequential -> two-layers-still
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return nn.Sequential(copy.deepcopy(conv), copy.deepcopy(bn))


# %% wrong fold_conv_bn: statistics that are not there -> untracked-accepted
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    if bn.running_mean is None:
        return copy.deepcopy(conv)
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: no question whether there are statistics -> untracked-accepted
import copy

import torch
from torch import nn


def fold_conv_bn(conv, bn):
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t if conv.bias is None else s * conv.bias + t
        folded = copy.deepcopy(conv)
        folded.weight = nn.Parameter(conv.weight * s[:, None, None, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_conv_bn: the stub
def fold_conv_bn(conv, bn):
    raise NotImplementedError()


# %% right fold_bn_linear: as on the board
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = linear.weight @ t
        if linear.bias is not None:
            bias = bias + linear.bias
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(linear.weight * s)
        folded.bias = nn.Parameter(bias)
    return folded


# %% right fold_bn_linear: by asking the two layers
import copy

import torch
from torch import nn


@torch.no_grad()
def fold_bn_linear(bn, linear):
    if bn.running_var is None:
        raise ValueError("needs running statistics")
    bn = copy.deepcopy(bn).eval()
    n = linear.in_features
    zero = torch.zeros(1, n, dtype=linear.weight.dtype)
    at_zero = linear(bn(zero))
    columns = linear(bn(torch.eye(n, dtype=linear.weight.dtype))) - at_zero
    folded = nn.Linear(n, linear.out_features, dtype=linear.weight.dtype)
    folded.weight.copy_(columns.T)
    folded.bias.copy_(at_zero[0])
    return folded


# %% right fold_bn_linear: float64 and a diagonal matrix
import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if not bn.track_running_stats:
        raise ValueError("no running statistics")
    like = linear.weight.dtype
    var, mean = bn.running_var.double(), bn.running_mean.double()
    gamma = bn.weight.detach().double() if bn.affine else torch.ones_like(var)
    beta = bn.bias.detach().double() if bn.affine else torch.zeros_like(var)
    s = gamma / (var + bn.eps).sqrt()
    w = linear.weight.detach().double()
    b = w @ (beta - s * mean) + (0.0 if linear.bias is None else linear.bias.detach().double())
    new = nn.Linear(linear.in_features, linear.out_features)
    new.weight = nn.Parameter((w @ torch.diag(s)).to(like))
    new.bias = nn.Parameter(b.to(like))
    return new


# %% right fold_bn_linear: einsum
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = torch.einsum("oi,i->o", linear.weight, t)
        if linear.bias is not None:
            bias = bias + linear.bias
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(torch.einsum("oi,i->oi", linear.weight, s))
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_bn_linear: rows scaled -> rows-scaled
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = linear.weight @ t
        if linear.bias is not None:
            bias = bias + linear.bias
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(
            linear.weight
            * (s if len(s) == len(linear.weight) else s[: len(linear.weight)])[:, None]
        )
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_bn_linear: t added as it is -> shift-past-the-weights
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t[: linear.out_features].clone()
        if linear.bias is not None:
            bias = bias + linear.bias
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(linear.weight * s)
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_bn_linear: no shift -> shift-forgotten
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = 0 * linear.weight[:, 0]
        if linear.bias is not None:
            bias = bias + linear.bias
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(linear.weight * s)
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_bn_linear: shift through the scaled weights -> shift-through-scaled-weights
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = (linear.weight * s) @ t
        if linear.bias is not None:
            bias = bias + linear.bias
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(linear.weight * s)
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_bn_linear: own bias dropped -> own-bias-dropped
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = linear.weight @ t
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(linear.weight * s)
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_bn_linear: no eps -> eps-forgotten
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = linear.weight @ t
        if linear.bias is not None:
            bias = bias + linear.bias
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(linear.weight * s)
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_bn_linear: mean forgotten -> mean-forgotten
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = 0 * s
        if bn.bias is not None:
            t = t + bn.bias
        bias = linear.weight @ t
        if linear.bias is not None:
            bias = bias + linear.bias
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(linear.weight * s)
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_bn_linear: beta forgotten -> beta-forgotten
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        bias = linear.weight @ t
        if linear.bias is not None:
            bias = bias + linear.bias
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(linear.weight * s)
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_bn_linear: no bias if there was none -> no-bias
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = linear.weight @ t
        if linear.bias is not None:
            bias = bias + linear.bias
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(linear.weight * s)
        if linear.bias is not None:
            folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_bn_linear: a batch norm after the layer -> batch-norm-after-the-layer
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = t[: linear.out_features]
        if linear.bias is not None:
            bias = bias + s[: linear.out_features] * linear.bias
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(linear.weight * s[: linear.out_features, None])
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_bn_linear: changes the linear layer -> layer-changed
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = linear.weight @ t
        if linear.bias is not None:
            bias = bias + linear.bias
        folded = linear
        folded.weight = nn.Parameter(linear.weight * s)
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_bn_linear: no question whether there are statistics -> untracked-accepted
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = linear.weight @ t
        if linear.bias is not None:
            bias = bias + linear.bias
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(linear.weight * s)
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_bn_linear: mean added -> mean-added
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = linear.weight @ t
        if linear.bias is not None:
            bias = bias + linear.bias
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(linear.weight * s)
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_bn_linear: own bias scaled -> own-bias-scaled
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = linear.weight @ t
        if linear.bias is not None:
            bias = bias + s[: len(bias)] * linear.bias
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(linear.weight * s)
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_bn_linear: t through the transpose -> shift-through-the-transpose
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    if bn.running_mean is None:
        raise ValueError("no running statistics: nothing to fold")
    with torch.no_grad():
        s = 1 / torch.sqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            s = s * bn.weight
        t = -s * bn.running_mean
        if bn.bias is not None:
            t = t + bn.bias
        bias = linear.weight.T @ t
        if linear.bias is not None:
            bias = bias + linear.bias
        folded = copy.deepcopy(linear)
        folded.weight = nn.Parameter(linear.weight * s)
        folded.bias = nn.Parameter(bias)
    return folded


# %% wrong fold_bn_linear: the stub
import copy

import torch
from torch import nn


def fold_bn_linear(bn, linear):
    raise NotImplementedError()


# %% right freeze_batchnorm: train does nothing
from torch.nn.modules.batchnorm import _BatchNorm


def freeze_batchnorm(model):
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.requires_grad_(False)
            module.eval()
            module.train = lambda mode=True, module=module: module
    return model


# %% right freeze_batchnorm: a subclass of its class
from torch import nn


def frozen(kind):
    class Frozen(kind):
        def train(self, mode=True):
            return super().train(False)

    return Frozen


def freeze_batchnorm(model):
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            module.__class__ = frozen(type(module))
            module.train()
            for parameter in module.parameters():
                parameter.requires_grad = False
    return model


# %% right freeze_batchnorm: a hook before each forward pass
from torch import nn


def freeze_batchnorm(model):
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.register_forward_pre_hook(lambda layer, _: layer.eval() and None)
            module.requires_grad_(False)
    return model


# %% right freeze_batchnorm: the model's own train
import types

from torch import nn


def freeze_batchnorm(model):
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        for parameter in norm.parameters():
            parameter.requires_grad_(False)
        norm.eval()

    def train(self, mode=True):
        type(self).train(self, mode)
        for norm in norms:
            norm.eval()
        return self

    model.train = types.MethodType(train, model)
    return model


# %% right freeze_batchnorm: new modules in their place, with the same state
import torch
from torch import nn


class FrozenNorm(nn.Module):
    def __init__(self, old):
        super().__init__()
        self.eps = old.eps
        for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            value = getattr(old, name)
            if value is not None:
                self.register_buffer(name, value.detach().clone())

    def forward(self, x):
        shape = (1, -1) + (1,) * (x.ndim - 2)
        x_hat = (x - self.running_mean.view(shape)) / (self.running_var + self.eps).sqrt().view(
            shape
        )
        if not hasattr(self, "weight"):
            return x_hat
        return x_hat * self.weight.view(shape) + self.bias.view(shape)


def freeze_batchnorm(model):
    for name, child in model.named_children():
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            setattr(model, name, FrozenNorm(child))
        else:
            freeze_batchnorm(child)
    return model


# %% right freeze_batchnorm: recursion, and a train that stays
def freeze_batchnorm(model):
    if type(model).__name__.startswith("BatchNorm"):
        stay = type(model).train
        stay(model, False)
        model.train = lambda mode=True: stay(model, False)
        for parameter in model.parameters():
            parameter.requires_grad = False
    for child in model.children():
        freeze_batchnorm(child)
    return model


# %% wrong freeze_batchnorm: requires_grad only -> statistics-still-move
from torch.nn.modules.batchnorm import _BatchNorm


def freeze_batchnorm(model):
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.requires_grad_(False)
    return model


# %% wrong freeze_batchnorm: thawed by train() -> thawed-by-train
from torch.nn.modules.batchnorm import _BatchNorm


def freeze_batchnorm(model):
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.requires_grad_(False)
            module.eval()
    return model


# %% wrong freeze_batchnorm: eval() only, once -> eval-only
from torch.nn.modules.batchnorm import _BatchNorm


def freeze_batchnorm(model):
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.eval()
    return model


# %% wrong freeze_batchnorm: gamma and beta go on learning -> parameters-still-learn
from torch.nn.modules.batchnorm import _BatchNorm


def freeze_batchnorm(model):
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.eval()
            module.train = lambda mode=True, module=module: module
    return model


# %% wrong freeze_batchnorm: momentum 0 -> normalises-with-the-batch
from torch.nn.modules.batchnorm import _BatchNorm


def freeze_batchnorm(model):
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.requires_grad_(False)
            module.momentum = 0.0
    return model


# %% wrong freeze_batchnorm: no running statistics any more -> statistics-switched-off
from torch.nn.modules.batchnorm import _BatchNorm


def freeze_batchnorm(model):
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.requires_grad_(False)
            module.track_running_stats = False
    return model


# %% wrong freeze_batchnorm: only the first level -> top-level-only
from torch.nn.modules.batchnorm import _BatchNorm


def freeze_batchnorm(model):
    for module in model.children():
        if isinstance(module, _BatchNorm):
            module.requires_grad_(False)
            module.eval()
            module.train = lambda mode=True, module=module: module
    return model


# %% wrong freeze_batchnorm: images only -> images-only
from torch import nn


def freeze_batchnorm(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.requires_grad_(False)
            module.eval()
            module.train = lambda mode=True, module=module: module
    return model


# %% wrong freeze_batchnorm: rows only -> rows-only
from torch import nn


def freeze_batchnorm(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.requires_grad_(False)
            module.eval()
            module.train = lambda mode=True, module=module: module
    return model


# %% wrong freeze_batchnorm: all norms -> other-norms-frozen
def freeze_batchnorm(model):
    for module in model.modules():
        if "Norm" in type(module).__name__:
            module.requires_grad_(False)
            module.eval()
            module.train = lambda mode=True, module=module: module
    return model


# %% wrong freeze_batchnorm: no gradient passes -> no-gradient-passes
import torch
from torch.nn.modules.batchnorm import _BatchNorm


def freeze_batchnorm(model):
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.requires_grad_(False)
            module.eval()
            module.train = lambda mode=True, module=module: module
            module.forward = torch.no_grad()(module.forward)
    return model


# %% wrong freeze_batchnorm: the loop's last module only (late binding)
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def freeze_batchnorm(model):
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.requires_grad_(False)
            module.train = lambda mode=True: nn.Module.train(module, False)
    return model


# %% wrong freeze_batchnorm: the whole model -> everything-frozen
def freeze_batchnorm(model):
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.eval()
    model.train = lambda mode=True: model
    return model


# %% wrong freeze_batchnorm: the whole model stays in evaluation mode -> whole-model-in-evaluation
from torch import nn


def freeze_batchnorm(model):
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.requires_grad_(False)
    model.eval()
    model.train = lambda mode=True: model
    return model


# %% wrong freeze_batchnorm: returns nothing -> model-not-returned
from torch.nn.modules.batchnorm import _BatchNorm


def freeze_batchnorm(model):
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.requires_grad_(False)
            module.eval()
            module.train = lambda mode=True, module=module: module


# %% wrong freeze_batchnorm: a copy is frozen -> nothing-frozen
import copy

from torch.nn.modules.batchnorm import _BatchNorm


def freeze_batchnorm(model):
    model = copy.deepcopy(model)
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.requires_grad_(False)
            module.eval()
            module.train = lambda mode=True, module=module: module
    return model


# %% wrong freeze_batchnorm: the stub
def freeze_batchnorm(model):
    raise NotImplementedError()


# %% right split_decay_groups: by module, then by identity
from torch import nn

NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
)


def split_decay_groups(model, weight_decay):
    spared = set()
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if name == "bias" or isinstance(module, NORMS):
                spared.add(id(parameter))
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if id(p) not in spared], "weight_decay": weight_decay},
        {"params": [p for p in parameters if id(p) in spared], "weight_decay": 0.0},
    ]


# %% right split_decay_groups: by the number of axes
def split_decay_groups(model, weight_decay):
    params = list(model.parameters())
    return [
        {"params": [p for p in params if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in params if p.ndim <= 1], "weight_decay": 0.0},
    ]


# %% right split_decay_groups: by what does decay
from torch import nn


def split_decay_groups(model, weight_decay):
    decay = {m.weight for m in model.modules() if isinstance(m, (nn.Linear, nn.Conv2d))}
    rest = set(model.parameters()) - decay
    return [
        {"params": list(decay), "weight_decay": weight_decay},
        {"params": list(rest), "weight_decay": 0.0},
    ]


# %% right split_decay_groups: a walk that remembers what it has seen
def split_decay_groups(model, weight_decay):
    seen, decayed, kept = set(), [], []
    for module in model.modules():
        is_norm = "Norm" in type(module).__name__
        for name, parameter in module._parameters.items():
            if parameter is None or parameter in seen:
                continue
            seen.add(parameter)
            (kept if is_norm or name == "bias" else decayed).append(parameter)
    return [
        dict(params=decayed, weight_decay=weight_decay),
        dict(params=kept, weight_decay=0),
    ]


# %% right split_decay_groups: by names of parameters, through their modules
def split_decay_groups(model, weight_decay):
    groups = [{"params": [], "weight_decay": weight_decay}, {"params": [], "weight_decay": 0.0}]
    for name, parameter in model.named_parameters():
        path, _, own = name.rpartition(".")
        kind = type(model.get_submodule(path)).__name__
        groups[own == "bias" or kind.endswith(("Norm", "Norm1d", "Norm2d"))]["params"].append(
            parameter
        )
    return groups


# %% wrong split_decay_groups: biases decay -> biases-decayed
from torch import nn

NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
)


def split_decay_groups(model, weight_decay):
    spared = set()
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if isinstance(module, NORMS):
                spared.add(id(parameter))
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if id(p) not in spared], "weight_decay": weight_decay},
        {"params": [p for p in parameters if id(p) in spared], "weight_decay": 0.0},
    ]


# %% wrong split_decay_groups: gamma decays -> gamma-decayed
from torch import nn

NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
)


def split_decay_groups(model, weight_decay):
    spared = set()
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if name == "bias":
                spared.add(id(parameter))
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if id(p) not in spared], "weight_decay": weight_decay},
        {"params": [p for p in parameters if id(p) in spared], "weight_decay": 0.0},
    ]


# %% wrong split_decay_groups: beta decays -> beta-decayed
from torch import nn

NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
)


def split_decay_groups(model, weight_decay):
    spared = set()
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if (name == "bias") != isinstance(module, NORMS):
                spared.add(id(parameter))
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if id(p) not in spared], "weight_decay": weight_decay},
        {"params": [p for p in parameters if id(p) in spared], "weight_decay": 0.0},
    ]


# %% wrong split_decay_groups: by bn in the name -> by-bn-in-the-name
def split_decay_groups(model, weight_decay):
    groups = [{"params": [], "weight_decay": weight_decay}, {"params": [], "weight_decay": 0.0}]
    for name, parameter in model.named_parameters():
        groups["bn" in name or name.endswith("bias")]["params"].append(parameter)
    return groups


# %% wrong split_decay_groups: by bn or norm in the name -> by-the-name-of-the-module
def split_decay_groups(model, weight_decay):
    groups = [{"params": [], "weight_decay": weight_decay}, {"params": [], "weight_decay": 0.0}]
    for name, parameter in model.named_parameters():
        spared = any(word in name for word in ("bn", "norm")) or name.endswith("bias")
        groups[spared]["params"].append(parameter)
    return groups


# %% wrong split_decay_groups: batch norm only -> batch-norm-only
from torch import nn

NORMS = (nn.modules.batchnorm._BatchNorm,)


def split_decay_groups(model, weight_decay):
    spared = set()
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if name == "bias" or isinstance(module, NORMS):
                spared.add(id(parameter))
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if id(p) not in spared], "weight_decay": weight_decay},
        {"params": [p for p in parameters if id(p) in spared], "weight_decay": 0.0},
    ]


# %% wrong split_decay_groups: BatchNorm2d only -> one-batch-norm-only
from torch import nn

NORMS = (nn.BatchNorm2d,)


def split_decay_groups(model, weight_decay):
    spared = set()
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if name == "bias" or isinstance(module, NORMS):
                spared.add(id(parameter))
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if id(p) not in spared], "weight_decay": weight_decay},
        {"params": [p for p in parameters if id(p) in spared], "weight_decay": 0.0},
    ]


# %% wrong split_decay_groups: shared parameters twice -> some-parameter-twice
def split_decay_groups(model, weight_decay):
    decayed, kept = [], []
    for path, module in model.named_modules(remove_duplicate=False):
        for name, parameter in module.named_parameters(recurse=False):
            spared = "Norm" in type(module).__name__ or name == "bias"
            (kept if spared else decayed).append(parameter)
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": kept, "weight_decay": 0.0},
    ]


# %% wrong split_decay_groups: parents' parameters again -> parents-list-them-again
def split_decay_groups(model, weight_decay):
    decayed, kept = [], []
    for module in model.modules():
        for name, parameter in module.named_parameters():
            spared = "Norm" in type(module).__name__ or name.endswith("bias")
            (kept if spared else decayed).append(parameter)
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": kept, "weight_decay": 0.0},
    ]


# %% wrong split_decay_groups: groups in the other order -> groups-in-the-other-order
from torch import nn

NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
)


def split_decay_groups(model, weight_decay):
    spared = set()
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if name == "bias" or isinstance(module, NORMS):
                spared.add(id(parameter))
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if id(p) not in spared], "weight_decay": weight_decay},
        {"params": [p for p in parameters if id(p) in spared], "weight_decay": 0.0},
    ][::-1]


# %% wrong split_decay_groups: decay in both groups -> weight-decay-in-both-groups
from torch import nn

NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
)


def split_decay_groups(model, weight_decay):
    spared = set()
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if name == "bias" or isinstance(module, NORMS):
                spared.add(id(parameter))
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if id(p) not in spared], "weight_decay": weight_decay},
        {"params": [p for p in parameters if id(p) in spared], "weight_decay": weight_decay},
    ]


# %% wrong split_decay_groups: biases left out -> some-parameter-missing
from torch import nn

NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
)


def split_decay_groups(model, weight_decay):
    spared = set()
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if name == "bias" or isinstance(module, NORMS):
                spared.add(id(parameter))
    parameters = [p for n, p in model.named_parameters() if not n.endswith("bias")]
    return [
        {"params": [p for p in parameters if id(p) not in spared], "weight_decay": weight_decay},
        {"params": [p for p in parameters if id(p) in spared], "weight_decay": 0.0},
    ]


# %% wrong split_decay_groups: weights of the top level only
from torch import nn


def split_decay_groups(model, weight_decay):
    decay = [m.weight for m in model.children() if isinstance(m, (nn.Linear, nn.Conv2d))]
    rest = [p for p in model.parameters() if id(p) not in {id(d) for d in decay}]
    return [
        {"params": decay, "weight_decay": weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]


# %% wrong split_decay_groups: norms and biases decay -> the-others-decay
def split_decay_groups(model, weight_decay):
    named = list(model.named_parameters())
    return [
        {"params": [p for _, p in named if p.ndim <= 1], "weight_decay": weight_decay},
        {"params": [p for _, p in named if p.ndim > 1], "weight_decay": 0.0},
    ]


# %% wrong split_decay_groups: names in the place of parameters -> not-the-parameters-themselves
def split_decay_groups(model, weight_decay):
    named = list(model.named_parameters())
    return [
        {"params": [n for n, p in named if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [n for n, p in named if p.ndim <= 1], "weight_decay": 0.0},
    ]


# %% wrong split_decay_groups: the stub
def split_decay_groups(model, weight_decay):
    raise NotImplementedError()
