# --- distribution_shift ---


# %% right distribution_shift: as in the text
def distribution_shift(before, after):
    import torch

    before, after = torch.as_tensor(before), torch.as_tensor(after)
    gap = (after.mean(dim=0) - before.mean(dim=0)).abs()
    return (gap / before.std(dim=0, correction=0)).mean().item()


# %% right distribution_shift: through NumPy in float64
def distribution_shift(before, after):
    def array(x):
        return np.asarray(x.detach() if hasattr(x, "detach") else x, dtype=np.float64)

    before, after = array(before), array(after)
    return np.mean(np.abs(after.mean(0) - before.mean(0)) / np.std(before, axis=0))


# %% right distribution_shift: a loop over the features
def distribution_shift(before, after):
    shifts = []
    for column in range(before.shape[1]):
        old, new = before[:, column], after[:, column]
        mean = old.sum() / len(old)
        std = (((old - mean) ** 2).sum() / len(old)) ** 0.5
        shifts.append(abs(new.sum() / len(new) - mean) / std)
    return sum(shifts) / len(shifts)


# %% right distribution_shift: a tensor of shape () comes back, with its graph
def distribution_shift(before, after):
    import torch

    before, after = torch.as_tensor(before), torch.as_tensor(after)
    var, mean = torch.var_mean(before, dim=0, unbiased=False)
    return ((after.mean(0) - mean).abs() / var.sqrt()).mean()


# %% right distribution_shift: both samples moved and scaled first
def distribution_shift(before, after):
    mean = before.mean(0)
    std = ((before - mean) ** 2).mean(0) ** 0.5
    return float(abs(((after - mean) / std).mean(0)).mean())


# %% wrong distribution_shift: torch's default std -> unbiased-std
def distribution_shift(before, after):
    import torch

    before, after = torch.as_tensor(before), torch.as_tensor(after)
    return ((after.mean(0) - before.mean(0)).abs() / before.std(0)).mean().item()


# %% wrong distribution_shift: no absolute value -> sign-kept
def distribution_shift(before, after):
    std = ((before - before.mean(0)) ** 2).mean(0) ** 0.5
    return float(((after.mean(0) - before.mean(0)) / std).mean())


# %% wrong distribution_shift: absolute value too late -> absolute-of-the-mean
def distribution_shift(before, after):
    std = ((before - before.mean(0)) ** 2).mean(0) ** 0.5
    return float(abs(((after.mean(0) - before.mean(0)) / std).mean()))


# %% wrong distribution_shift: spread of after -> std-of-after
def distribution_shift(before, after):
    std = ((after - after.mean(0)) ** 2).mean(0) ** 0.5
    return float((abs(after.mean(0) - before.mean(0)) / std).mean())


# %% wrong distribution_shift: variance -> variance-for-std
def distribution_shift(before, after):
    var = ((before - before.mean(0)) ** 2).mean(0)
    return float((abs(after.mean(0) - before.mean(0)) / var).mean())


# %% wrong distribution_shift: no unit -> not-in-units-of-std
def distribution_shift(before, after):
    return float(abs(after.mean(0) - before.mean(0)).mean())


# %% wrong distribution_shift: axis 1 -> over-the-features
def distribution_shift(before, after):
    std = ((before - before.mean(1)[:, None]) ** 2).mean(1) ** 0.5
    return float((abs(after.mean(1) - before.mean(1)) / std).mean())


# %% wrong distribution_shift: row by row -> row-by-row
def distribution_shift(before, after):
    std = ((before - before.mean(0)) ** 2).mean(0) ** 0.5
    return float((abs(after - before).mean(0) / std).mean())


# %% wrong distribution_shift: sum over the features -> sum-over-features
def distribution_shift(before, after):
    std = ((before - before.mean(0)) ** 2).mean(0) ** 0.5
    return float((abs(after.mean(0) - before.mean(0)) / std).sum())


# %% wrong distribution_shift: a vector, one number a feature -> type
def distribution_shift(before, after):
    std = ((before - before.mean(0)) ** 2).mean(0) ** 0.5
    return abs(after.mean(0) - before.mean(0)) / std


# %% wrong distribution_shift: tensors only
def distribution_shift(before, after):
    return ((after.mean(dim=0) - before.mean(dim=0)).abs() / before.std(dim=0, correction=0)).mean()


# %% wrong distribution_shift: E[x²] − E[x]²
def distribution_shift(before, after):
    std = ((before**2).mean(0) - before.mean(0) ** 2) ** 0.5
    return float((abs(after.mean(0) - before.mean(0)) / std).mean())


# %% wrong distribution_shift: subtracts in place
def distribution_shift(before, after):
    import torch

    before, after = torch.as_tensor(before).detach(), torch.as_tensor(after).detach()
    mean = before.mean(0)
    after -= mean
    return (after.mean(0).abs() / before.std(0, correction=0)).mean().item()


# %% wrong distribution_shift: an ε beside the variance -> eps-added
def distribution_shift(before, after):
    var = ((before - before.mean(0)) ** 2).mean(0)
    return float((abs(after.mean(0) - before.mean(0)) / (var + 1e-5) ** 0.5).mean())


# %% wrong distribution_shift: the stub
def distribution_shift(before, after):
    raise NotImplementedError()


# --- noisy ---


# %% right noisy: as in the text
def noisy(x, generator, mean_scale, std_scale):
    import torch

    shift, factor = torch.rand(2, x.shape[1], generator=generator, dtype=x.dtype)
    return (1 + (std_scale - 1) * factor) * x + mean_scale * (2 * shift - 1)


# %% right noisy: uniform_, factor first
def noisy(x, generator, mean_scale, std_scale):
    import torch

    s = torch.empty(1, x.shape[1]).uniform_(1, std_scale, generator=generator)
    m = torch.empty(1, x.shape[1]).uniform_(-mean_scale, mean_scale, generator=generator)
    return x * s.to(x.dtype) + m.to(x.dtype)


# %% right noisy: a number at a time
def noisy(x, generator, mean_scale, std_scale):
    import torch

    def uniform(low, high):
        return low + (high - low) * torch.rand((), generator=generator, dtype=torch.float64).item()

    columns = []
    for c in range(x.shape[1]):
        m = uniform(-mean_scale, mean_scale)
        columns.append(uniform(1, std_scale) * x[:, c] + m)
    return torch.stack(columns, dim=1)


# %% right noisy: NumPy draws, seeded by the generator
def noisy(x, generator, mean_scale, std_scale):
    import torch

    seed = int(torch.randint(2**31, (1,), generator=generator))
    rng = np.random.default_rng(seed)
    shift = torch.from_numpy(rng.uniform(-mean_scale, mean_scale, x.shape[1])).to(x)
    factor = torch.from_numpy(rng.uniform(1, std_scale, x.shape[1])).to(x)
    return torch.addcmul(shift.expand_as(x), x, factor.expand_as(x))


# %% right noisy: a clone changed in place
def noisy(x, generator, mean_scale, std_scale):
    import torch

    y = x.clone()
    y *= 1 + (std_scale - 1) * torch.rand(x.shape[1], generator=generator, dtype=x.dtype)
    y += mean_scale * (1 - 2 * torch.rand(x.shape[1], generator=generator, dtype=x.dtype))
    return y


# %% wrong noisy: a number for each entry -> noise-per-entry
def noisy(x, generator, mean_scale, std_scale):
    import torch

    shift, factor = torch.rand(2, *x.shape, generator=generator, dtype=x.dtype)
    return (1 + (std_scale - 1) * factor) * x + mean_scale * (2 * shift - 1)


# %% wrong noisy: a pair for each row -> noise-per-row
def noisy(x, generator, mean_scale, std_scale):
    import torch

    shift, factor = torch.rand(2, len(x), 1, generator=generator, dtype=x.dtype)
    return (1 + (std_scale - 1) * factor) * x + mean_scale * (2 * shift - 1)


# %% wrong noisy: one pair for all -> one-noise-for-all
def noisy(x, generator, mean_scale, std_scale):
    import torch

    shift, factor = torch.rand(2, generator=generator, dtype=x.dtype)
    return (1 + (std_scale - 1) * factor) * x + mean_scale * (2 * shift - 1)


# %% wrong noisy: seeds the generator -> not-fresh
def noisy(x, generator, mean_scale, std_scale):
    import torch

    generator.manual_seed(0)
    shift, factor = torch.rand(2, x.shape[1], generator=generator, dtype=x.dtype)
    return (1 + (std_scale - 1) * factor) * x + mean_scale * (2 * shift - 1)


# %% wrong noisy: the global generator -> generator-ignored
def noisy(x, generator, mean_scale, std_scale):
    import torch

    shift, factor = torch.rand(2, x.shape[1], dtype=x.dtype)
    return (1 + (std_scale - 1) * factor) * x + mean_scale * (2 * shift - 1)


# %% wrong noisy: shifts of one sign -> shifts-not-uniform
def noisy(x, generator, mean_scale, std_scale):
    import torch

    shift, factor = torch.rand(2, x.shape[1], generator=generator, dtype=x.dtype)
    return (1 + (std_scale - 1) * factor) * x + mean_scale * shift


# %% wrong noisy: factors from 0 -> factor-out-of-range
def noisy(x, generator, mean_scale, std_scale):
    import torch

    shift, factor = torch.rand(2, x.shape[1], generator=generator, dtype=x.dtype)
    return std_scale * factor * x + mean_scale * (2 * shift - 1)


# %% wrong noisy: shifts before it multiplies
def noisy(x, generator, mean_scale, std_scale):
    import torch

    shift, factor = torch.rand(2, x.shape[1], generator=generator, dtype=x.dtype)
    return (1 + (std_scale - 1) * factor) * (x + mean_scale * (2 * shift - 1))


# %% wrong noisy: one draw for both -> same-draw-twice
def noisy(x, generator, mean_scale, std_scale):
    import torch

    u = torch.rand(x.shape[1], generator=generator, dtype=x.dtype)
    return (1 + (std_scale - 1) * u) * x + mean_scale * (2 * u - 1)


# %% wrong noisy: x cut off -> gradient-cut-off
def noisy(x, generator, mean_scale, std_scale):
    import torch

    with torch.no_grad():
        shift, factor = torch.rand(2, x.shape[1], generator=generator, dtype=x.dtype)
        return (1 + (std_scale - 1) * factor) * x + mean_scale * (2 * shift - 1)


# %% wrong noisy: writes into x -> modifies-argument
def noisy(x, generator, mean_scale, std_scale):
    import torch

    with torch.no_grad():
        shift, factor = torch.rand(2, x.shape[1], generator=generator, dtype=x.dtype)
        x *= 1 + (std_scale - 1) * factor
        x += mean_scale * (2 * shift - 1)
    return x


# %% wrong noisy: adds noise with a spread of its own -> noise-per-entry
def noisy(x, generator, mean_scale, std_scale):
    import torch

    shift, factor = torch.rand(2, x.shape[1], generator=generator, dtype=x.dtype)
    entries = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    return x + mean_scale * (2 * shift - 1) + (1 + (std_scale - 1) * factor) * entries


# %% wrong noisy: float32 whatever comes in -> dtype
def noisy(x, generator, mean_scale, std_scale):
    import torch

    shift, factor = torch.rand(2, x.shape[1], generator=generator)
    return (1 + (std_scale - 1) * factor) * x.float() + mean_scale * (2 * shift - 1)


# %% wrong noisy: no noise -> no-noise
def noisy(x, generator, mean_scale, std_scale):
    return x.clone()


# %% wrong noisy: the stub
def noisy(x, generator, mean_scale, std_scale):
    raise NotImplementedError()


# --- shift_of_gradient ---


# %% right shift_of_gradient: as in the text
def shift_of_gradient(g_before, g_after):
    a, b = g_before.flatten(), g_after.flatten()
    return (b - a).norm().item(), (a @ b / (a.norm() * b.norm())).item()


# %% right shift_of_gradient: torch's cosine_similarity, tensors of shape ()
def shift_of_gradient(g_before, g_after):
    import torch

    a, b = g_before.reshape(-1), g_after.reshape(-1)
    return torch.dist(a, b), torch.nn.functional.cosine_similarity(a, b, dim=0)


# %% right shift_of_gradient: NumPy
def shift_of_gradient(g_before, g_after):
    a, b = g_before.numpy().ravel(), g_after.numpy().ravel()
    return np.linalg.norm(a - b), np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)


# %% right shift_of_gradient: unit vectors, sums over all axes
def shift_of_gradient(g_before, g_after):
    unit_a = g_before / g_before.square().sum().sqrt()
    unit_b = g_after / g_after.square().sum().sqrt()
    return [(g_after - g_before).square().sum().sqrt().item(), (unit_a * unit_b).sum().item()]


# %% wrong shift_of_gradient: no root -> squared-distance
def shift_of_gradient(g_before, g_after):
    a, b = g_before.flatten(), g_after.flatten()
    return ((b - a) ** 2).sum().item(), (a @ b / (a.norm() * b.norm())).item()


# %% wrong shift_of_gradient: mean squared -> mean-squared-distance
def shift_of_gradient(g_before, g_after):
    a, b = g_before.flatten(), g_after.flatten()
    return ((b - a) ** 2).mean().item(), (a @ b / (a.norm() * b.norm())).item()


# %% wrong shift_of_gradient: relative -> relative-distance
def shift_of_gradient(g_before, g_after):
    a, b = g_before.flatten(), g_after.flatten()
    return ((b - a).norm() / a.norm()).item(), (a @ b / (a.norm() * b.norm())).item()


# %% wrong shift_of_gradient: lengths subtracted -> difference-of-lengths
def shift_of_gradient(g_before, g_after):
    a, b = g_before.flatten(), g_after.flatten()
    return abs(b.norm() - a.norm()).item(), (a @ b / (a.norm() * b.norm())).item()


# %% wrong shift_of_gradient: not divided -> dot-product-for-cosine
def shift_of_gradient(g_before, g_after):
    a, b = g_before.flatten(), g_after.flatten()
    return (b - a).norm().item(), (a @ b).item()


# %% wrong shift_of_gradient: cosine distance -> cosine-distance
def shift_of_gradient(g_before, g_after):
    a, b = g_before.flatten(), g_after.flatten()
    return (b - a).norm().item(), (1 - a @ b / (a.norm() * b.norm())).item()


# %% wrong shift_of_gradient: rows -> type
def shift_of_gradient(g_before, g_after):
    import torch

    cosine = torch.nn.functional.cosine_similarity(g_before, g_after, dim=-1)
    return (g_after - g_before).norm().item(), cosine


# %% wrong shift_of_gradient: other order -> cosine-before-distance
def shift_of_gradient(g_before, g_after):
    a, b = g_before.flatten(), g_after.flatten()
    return (a @ b / (a.norm() * b.norm())).item(), (b - a).norm().item()


# %% wrong shift_of_gradient: the distance only -> NoItems
def shift_of_gradient(g_before, g_after):
    return (g_after - g_before).norm().item()


# %% wrong shift_of_gradient: the 2-norm of a matrix -> spectral-norm
def shift_of_gradient(g_before, g_after):
    import torch

    a, b = g_before.flatten(), g_after.flatten()
    l2 = torch.linalg.norm(g_after - g_before, 2).item()
    return l2, (a @ b / (a.norm() * b.norm())).item()


# %% wrong shift_of_gradient: subtracts in place
def shift_of_gradient(g_before, g_after):
    a, b = g_before.flatten(), g_after.flatten()
    cosine = (a @ b / (a.norm() * b.norm())).item()
    g_after -= g_before
    return g_after.norm().item(), cosine


# --- upstream_update_gradients ---


# %% right upstream_update_gradients: a deep copy and autograd.grad
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    work = copy.deepcopy(model)
    layers = [m for m in work.modules() if list(m.parameters(recurse=False))]
    own = list(layers[index].parameters(recurse=False))
    before = [p for layer in layers[:index] for p in layer.parameters(recurse=False)]

    def gradients(params):
        return torch.autograd.grad(loss_fn(work(x), y), params)

    g_before = torch.cat([g.flatten() for g in gradients(own)])
    if before:
        steps = gradients(before)
        with torch.no_grad():
            for p, g in zip(before, steps):
                p -= lr * g
    return g_before, torch.cat([g.flatten() for g in gradients(own)])


# %% right upstream_update_gradients: backward() and .data on a copy
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    work = copy.deepcopy(model)
    layers = [m for m in work.modules() if m._parameters]
    found = []
    for _ in range(2):
        work.zero_grad()
        loss_fn(work(x), y).backward()
        found.append(torch.cat([p.grad.view(-1).clone() for p in layers[index].parameters()]))
        for layer in layers[:index]:
            for p in layer.parameters():
                p.data.sub_(lr * p.grad)
    return tuple(found)


# %% right upstream_update_gradients: functional_call, nothing is moved
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import torch
    from torch.func import functional_call

    names = [n for n, m in model.named_modules() if list(m.parameters(recurse=False))]
    params = {n: p.detach().clone().requires_grad_() for n, p in model.named_parameters()}

    def gradient(at):
        buffers = {n: b.clone() for n, b in model.named_buffers()}
        loss = loss_fn(functional_call(model, {**at, **buffers}, (x,)), y)
        return dict(zip(at, torch.autograd.grad(loss, list(at.values()))))

    def own(grads):
        mine = [g for n, g in grads.items() if n.rpartition(".")[0] == names[index]]
        return torch.cat([g.flatten() for g in mine])

    first = gradient(params)
    moved = {
        n: (p - lr * first[n] if n.rpartition(".")[0] in names[:index] else p)
        for n, p in params.items()
    }
    moved = {n: p.detach().requires_grad_() for n, p in moved.items()}
    return own(first), own(gradient(moved))


# %% right upstream_update_gradients: on the model itself, everything put back
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    state = copy.deepcopy(model.state_dict())
    layers = [m for m in model.modules() if list(m.parameters(recurse=False))]
    params = [list(m.parameters(recurse=False)) for m in layers]
    flat = [p for ps in params for p in ps]
    try:
        grads = dict(zip(map(id, flat), torch.autograd.grad(loss_fn(model(x), y), flat)))
        before = torch.cat([grads[id(p)].flatten() for p in params[index]])
        with torch.no_grad():
            for ps in params[:index]:
                for p in ps:
                    p -= lr * grads[id(p)]
        after = torch.autograd.grad(loss_fn(model(x), y), params[index])
        return before, torch.cat([g.flatten() for g in after])
    finally:
        model.load_state_dict(state)


# %% right upstream_update_gradients: an optimizer over the layers before
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    work = copy.deepcopy(model)
    work.zero_grad(set_to_none=True)
    layers = [m for m in work.modules() if len(list(m.parameters(recurse=False))) > 0]
    mine = list(layers[index].parameters())
    loss_fn(work(x), y).backward()
    first = torch.nn.utils.parameters_to_vector([p.grad for p in mine])
    lower = [{"params": layer.parameters()} for layer in layers[:index]]
    if lower:
        torch.optim.SGD(lower, lr=lr).step()
    work.zero_grad()
    loss_fn(work(x), y).backward()
    return first, torch.nn.utils.parameters_to_vector([p.grad for p in mine])


# %% right upstream_update_gradients: two copies
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    def layers_of(net):
        return [m for m in net.modules() if any(True for _ in m.parameters(recurse=False))]

    here, there = copy.deepcopy(model), copy.deepcopy(model)
    for net in (here, there):
        for p in net.parameters():
            p.grad = None
    loss_fn(here(x), y).backward()
    for old, new in list(zip(layers_of(here), layers_of(there)))[:index]:
        for p, q in zip(old.parameters(), new.parameters()):
            q.data = p.data - lr * p.grad
    loss_fn(there(x), y).backward()
    return [
        torch.hstack([p.grad.ravel() for p in layers_of(net)[index].parameters()])
        for net in (here, there)
    ]


# %% right upstream_update_gradients: deep copy through bytes
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import io

    import torch

    memory = io.BytesIO()
    torch.save(model, memory)
    memory.seek(0)
    work = torch.load(memory, weights_only=False)
    owners = []
    for module in work.modules():
        own = [p for p in module._parameters.values() if p is not None]
        if own:
            owners.append(own)
    every = sum(owners, [])
    grads = torch.autograd.grad(loss_fn(work(x), y), every)
    lower = len(sum(owners[:index], []))
    stop = lower + len(owners[index])
    first = torch.cat([g.reshape(-1) for g in grads[lower:stop]])
    for p, g in zip(every[:lower], grads):
        p.data -= lr * g
    second = torch.autograd.grad(loss_fn(work(x), y), owners[index])
    return first, torch.cat([g.reshape(-1) for g in second])


# %% right upstream_update_gradients: gradients switched on by hand, arrays come back
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    work = copy.deepcopy(model)
    layers = [m for m in work.modules() if list(m.parameters(recurse=False))]
    with torch.enable_grad():
        grads = torch.autograd.grad(loss_fn(work(x), y), list(work.parameters()))
    named = dict(zip(work.parameters(), grads))
    first = np.concatenate([named[p].numpy().ravel() for p in layers[index].parameters()])
    with torch.no_grad():
        for layer in layers[:index]:
            for p in layer.parameters():
                p.add_(named[p], alpha=-lr)
    second = torch.autograd.grad(loss_fn(work(x), y), list(layers[index].parameters()))
    return first, np.concatenate([g.numpy().ravel() for g in second])


# %% wrong upstream_update_gradients: all layers step -> all-layers-moved
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    work = copy.deepcopy(model)
    work.zero_grad()
    layers = [m for m in work.modules() if list(m.parameters(recurse=False))]
    found = []
    for _ in range(2):
        work.zero_grad()
        loss_fn(work(x), y).backward()
        found.append(torch.cat([p.grad.flatten() for p in layers[index].parameters()]))
        torch.optim.SGD(work.parameters(), lr=lr).step()
    return found[0], found[1]


# %% wrong upstream_update_gradients: the layer itself steps -> own-layer-moved
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    work = copy.deepcopy(model)
    layers = [m for m in work.modules() if list(m.parameters(recurse=False))]
    found = []
    for _ in range(2):
        work.zero_grad()
        loss_fn(work(x), y).backward()
        found.append(torch.cat([p.grad.flatten() for p in layers[index].parameters()]))
        for layer in layers[: index + 1]:
            torch.optim.SGD(layer.parameters(), lr=lr).step()
    return found[0], found[1]


# %% wrong upstream_update_gradients: uphill -> step-uphill
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    work = copy.deepcopy(model)
    layers = [m for m in work.modules() if list(m.parameters(recurse=False))]
    found = []
    for _ in range(2):
        work.zero_grad()
        loss_fn(work(x), y).backward()
        found.append(torch.cat([p.grad.flatten() for p in layers[index].parameters()]))
        for layer in layers[:index]:
            for p in layer.parameters():
                p.data += lr * p.grad
    return found[0], found[1]


# %% wrong upstream_update_gradients: gradients add up -> gradients-added-up
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    work = copy.deepcopy(model)
    work.zero_grad()
    layers = [m for m in work.modules() if list(m.parameters(recurse=False))]
    found = []
    for _ in range(2):
        loss_fn(work(x), y).backward()
        found.append(torch.cat([p.grad.flatten() for p in layers[index].parameters()]))
        for layer in layers[:index]:
            for p in layer.parameters():
                p.data -= lr * p.grad
    return found[0], found[1]


# %% wrong upstream_update_gradients: weights only -> weight-only
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    work = copy.deepcopy(model)
    layers = [m for m in work.modules() if list(m.parameters(recurse=False))]
    found = []
    for _ in range(2):
        work.zero_grad()
        loss_fn(work(x), y).backward()
        found.append(layers[index].weight.grad.flatten().clone())
        for layer in layers[:index]:
            for p in layer.parameters():
                p.data -= lr * p.grad
    return found[0], found[1]


# %% wrong upstream_update_gradients: batch norm is forgotten
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    work = copy.deepcopy(model)
    layers = [m for m in work.modules() if isinstance(m, torch.nn.Linear)]
    found = []
    for _ in range(2):
        work.zero_grad()
        loss_fn(work(x), y).backward()
        found.append(torch.cat([p.grad.flatten() for p in layers[index].parameters()]))
        for layer in layers[:index]:
            for p in layer.parameters():
                p.data -= lr * p.grad
    return found[0], found[1]


# %% wrong upstream_update_gradients: the model itself is moved -> model-left-moved
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import torch

    layers = [m for m in model.modules() if list(m.parameters(recurse=False))]
    own = list(layers[index].parameters())
    lower = [p for layer in layers[:index] for p in layer.parameters()]

    def flat():
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss_fn(model(x), y), own)])

    before = flat()
    if lower:
        steps = torch.autograd.grad(loss_fn(model(x), y), lower)
        with torch.no_grad():
            for p, g in zip(lower, steps):
                p -= lr * g
    return before, flat()


# %% wrong upstream_update_gradients: adds the step again, not exactly
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import torch

    buffers = {n: b.clone() for n, b in model.named_buffers()}
    layers = [m for m in model.modules() if list(m.parameters(recurse=False))]
    own = list(layers[index].parameters())
    lower = [p for layer in layers[:index] for p in layer.parameters()]

    def flat():
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss_fn(model(x), y), own)])

    before, steps = flat(), []
    with torch.enable_grad():
        if lower:
            steps = torch.autograd.grad(loss_fn(model(x), y), lower)
    with torch.no_grad():
        for p, g in zip(lower, steps):
            p -= lr * g
    after = flat()
    with torch.no_grad():
        for p, g in zip(lower, steps):
            p += lr * g
        for n, b in model.named_buffers():
            b.copy_(buffers[n])
    return before, after


# %% wrong upstream_update_gradients: running statistics move -> running-statistics-moved
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import torch

    old = [p.detach().clone() for p in model.parameters()]
    layers = [m for m in model.modules() if list(m.parameters(recurse=False))]
    own = list(layers[index].parameters())
    lower = [p for layer in layers[:index] for p in layer.parameters()]
    every = own + lower
    grads = torch.autograd.grad(loss_fn(model(x), y), every)
    before = torch.cat([g.flatten() for g in grads[: len(own)]])
    with torch.no_grad():
        for p, g in zip(lower, grads[len(own) :]):
            p -= lr * g
    after = torch.cat([g.flatten() for g in torch.autograd.grad(loss_fn(model(x), y), own)])
    with torch.no_grad():
        for p, w in zip(model.parameters(), old):
            p.copy_(w)
    return before, after


# %% wrong upstream_update_gradients: leaves gradients behind
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    state = copy.deepcopy(model.state_dict())
    layers = [m for m in model.modules() if list(m.parameters(recurse=False))]
    found = []
    for _ in range(2):
        model.zero_grad()
        loss_fn(model(x), y).backward()
        found.append(torch.cat([p.grad.flatten() for p in layers[index].parameters()]))
        for layer in layers[:index]:
            for p in layer.parameters():
                p.data -= lr * p.grad
    model.load_state_dict(state)
    return found[0], found[1]


# %% wrong upstream_update_gradients: switches to training mode
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    work = copy.deepcopy(model)
    work.train()
    layers = [m for m in work.modules() if list(m.parameters(recurse=False))]
    found = []
    for _ in range(2):
        work.zero_grad()
        loss_fn(work(x), y).backward()
        found.append(torch.cat([p.grad.flatten() for p in layers[index].parameters()]))
        for layer in layers[:index]:
            for p in layer.parameters():
                p.data -= lr * p.grad
    return found[0], found[1]


# %% wrong upstream_update_gradients: other order -> order-of-results
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    work = copy.deepcopy(model)
    layers = [m for m in work.modules() if list(m.parameters(recurse=False))]
    found = []
    for _ in range(2):
        work.zero_grad()
        loss_fn(work(x), y).backward()
        found.append(torch.cat([p.grad.flatten() for p in layers[index].parameters()]))
        for layer in layers[:index]:
            for p in layer.parameters():
                p.data -= lr * p.grad
    return found[1], found[0]


# %% wrong upstream_update_gradients: the same memory twice
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    work = copy.deepcopy(model)
    layers = [m for m in work.modules() if list(m.parameters(recurse=False))]
    loss_fn(work(x), y).backward()
    before = torch.cat([p.grad.flatten() for p in layers[index].parameters()])
    return before, before


# %% wrong upstream_update_gradients: lists of gradients, not flattened
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    work = copy.deepcopy(model)
    layers = [m for m in work.modules() if list(m.parameters(recurse=False))]
    own = list(layers[index].parameters())
    return (
        torch.autograd.grad(loss_fn(work(x), y), own),
        torch.autograd.grad(loss_fn(work(x), y), own),
    )


# %% wrong upstream_update_gradients: containers among the layers -> containers-counted
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    work = copy.deepcopy(model)
    layers = [m for m in work.modules() if list(m.parameters())]

    def slopes(params):
        return torch.autograd.grad(loss_fn(work(x), y), params)

    own = list(layers[index].parameters())
    g_before = torch.cat([g.flatten() for g in slopes(own)])
    before = [p for layer in layers[:index] for p in layer.parameters()]
    steps = slopes(before) if before else []
    with torch.no_grad():
        for p, g in zip(before, steps):
            p -= lr * g
    return g_before, torch.cat([g.flatten() for g in slopes(own)])


# %% wrong upstream_update_gradients: a new gradient for each layer -> one-layer-after-another
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    import copy

    import torch

    work = copy.deepcopy(model)
    layers = [m for m in work.modules() if list(m.parameters(recurse=False))]

    def slopes(params):
        return torch.autograd.grad(loss_fn(work(x), y), params)

    own = list(layers[index].parameters())
    g_before = torch.cat([g.flatten() for g in slopes(own)])
    for layer in layers[:index]:
        steps = slopes(list(layer.parameters()))
        with torch.no_grad():
            for p, g in zip(layer.parameters(), steps):
                p -= lr * g
    return g_before, torch.cat([g.flatten() for g in slopes(own)])


# %% wrong upstream_update_gradients: the stub
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    raise NotImplementedError()


# --- loss_along_gradient ---


# %% right loss_along_gradient: a copy, a list of numbers
def loss_along_gradient(model, loss_fn, x, y, steps):
    import copy

    import torch

    work = copy.deepcopy(model)
    params = list(work.parameters())
    start = [p.detach().clone() for p in params]
    grads = torch.autograd.grad(loss_fn(work(x), y), params)
    losses = []
    for t in steps:
        with torch.no_grad():
            for p, w, g in zip(params, start, grads):
                p.copy_(w - t * g)
            losses.append(loss_fn(work(x), y).item())
    return losses


# %% right loss_along_gradient: a copy for each step, a tensor
def loss_along_gradient(model, loss_fn, x, y, steps):
    import copy

    import torch

    first = copy.deepcopy(model)
    first.zero_grad()
    loss_fn(first(x), y).backward()
    losses = []
    for t in steps:
        work = copy.deepcopy(model)
        for p, q in zip(work.parameters(), first.parameters()):
            p.data -= float(t) * q.grad
        losses.append(loss_fn(work(x), y))
    return torch.stack(losses)


# %% right loss_along_gradient: one long vector of parameters
def loss_along_gradient(model, loss_fn, x, y, steps):
    import copy

    import torch
    from torch.nn.utils import parameters_to_vector, vector_to_parameters

    work = copy.deepcopy(model)
    w = parameters_to_vector(work.parameters()).detach().clone()
    grads = torch.autograd.grad(loss_fn(work(x), y), list(work.parameters()))
    g = parameters_to_vector(grads)
    losses = np.zeros(len(steps))
    for k, t in enumerate(steps):
        vector_to_parameters(w - t * g, work.parameters())
        losses[k] = loss_fn(work(x), y).detach()
    return losses


# %% right loss_along_gradient: on the model itself, everything put back
def loss_along_gradient(model, loss_fn, x, y, steps):
    import copy

    import torch

    state = copy.deepcopy(model.state_dict())
    params = dict(model.named_parameters())
    grads = dict(zip(params, torch.autograd.grad(loss_fn(model(x), y), list(params.values()))))
    losses = []
    for t in steps:
        moved = {n: state[n] - t * grads[n] if n in grads else state[n] for n in state}
        model.load_state_dict(moved)
        with torch.no_grad():
            losses.append(loss_fn(model(x), y))
    model.load_state_dict(state)
    return torch.tensor(losses)


# %% right loss_along_gradient: functional_call
def loss_along_gradient(model, loss_fn, x, y, steps):
    import torch
    from torch.func import functional_call

    params = {n: p.detach() for n, p in model.named_parameters()}

    def loss(at):
        buffers = {n: b.clone() for n, b in model.named_buffers()}
        return loss_fn(functional_call(model, (at, buffers), x), y)

    grads = torch.func.grad(loss)(params)
    return torch.stack([loss({n: p - t * grads[n] for n, p in params.items()}) for t in steps])


# %% wrong loss_along_gradient: steps add up -> steps-add-up
def loss_along_gradient(model, loss_fn, x, y, steps):
    import copy

    import torch

    work = copy.deepcopy(model)
    params = list(work.parameters())
    grads = torch.autograd.grad(loss_fn(work(x), y), params)
    losses = []
    for t in steps:
        with torch.no_grad():
            for p, g in zip(params, grads):
                p -= t * g
            losses.append(loss_fn(work(x), y).item())
    return losses


# %% wrong loss_along_gradient: descends -> descends-step-by-step
def loss_along_gradient(model, loss_fn, x, y, steps):
    import copy

    import torch

    work = copy.deepcopy(model)
    params = list(work.parameters())
    losses = []
    for t in steps:
        grads = torch.autograd.grad(loss_fn(work(x), y), params)
        with torch.no_grad():
            for p, g in zip(params, grads):
                p -= t * g
            losses.append(loss_fn(work(x), y).item())
    return losses


# %% wrong loss_along_gradient: uphill -> step-uphill
def loss_along_gradient(model, loss_fn, x, y, steps):
    import copy

    import torch

    first = copy.deepcopy(model)
    first.zero_grad()
    loss_fn(first(x), y).backward()
    losses = []
    for t in steps:
        work = copy.deepcopy(model)
        for p, q in zip(work.parameters(), first.parameters()):
            p.data += float(t) * q.grad
        losses.append(loss_fn(work(x), y).item())
    return losses


# %% wrong loss_along_gradient: moves copies of the tensors -> nothing-moved
def loss_along_gradient(model, loss_fn, x, y, steps):
    import copy

    import torch

    work = copy.deepcopy(model)
    params = list(work.parameters())
    grads = torch.autograd.grad(loss_fn(work(x), y), params)
    losses = []
    for t in steps:
        params = [p - t * g for p, g in zip(params, grads)]
        losses.append(loss_fn(work(x), y).item())
    return losses


# %% wrong loss_along_gradient: unit length -> gradient-normalised
def loss_along_gradient(model, loss_fn, x, y, steps):
    import copy

    import torch

    first = copy.deepcopy(model)
    first.zero_grad()
    loss_fn(first(x), y).backward()
    norm = torch.cat([p.grad.flatten() for p in first.parameters()]).norm()
    losses = []
    for t in steps:
        work = copy.deepcopy(model)
        for p, q in zip(work.parameters(), first.parameters()):
            p.data -= float(t) * q.grad / norm
        losses.append(loss_fn(work(x), y).item())
    return losses


# %% wrong loss_along_gradient: old gradients in .grad
def loss_along_gradient(model, loss_fn, x, y, steps):
    import copy

    import torch

    state = copy.deepcopy(model.state_dict())
    old = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
    loss_fn(model(x), y).backward()
    losses = []
    for t in steps:
        model.load_state_dict(state)
        with torch.no_grad():
            for p in model.parameters():
                p -= float(t) * p.grad
            losses.append(loss_fn(model(x), y).item())
    model.load_state_dict(state)
    for p, g in zip(model.parameters(), old):
        p.grad = g
    return losses


# %% wrong loss_along_gradient: evaluation mode -> measured-in-evaluation-mode
def loss_along_gradient(model, loss_fn, x, y, steps):
    import copy

    import torch

    work = copy.deepcopy(model).eval()
    params = list(work.parameters())
    start = [p.detach().clone() for p in params]
    grads = torch.autograd.grad(loss_fn(work(x), y), params)
    losses = []
    for t in steps:
        with torch.no_grad():
            for p, w, g in zip(params, start, grads):
                p.copy_(w - t * g)
            losses.append(loss_fn(work(x), y).item())
    return losses


# %% wrong loss_along_gradient: the model stays where the last step led -> model-left-moved
def loss_along_gradient(model, loss_fn, x, y, steps):
    import torch

    params = list(model.parameters())
    start = [p.detach().clone() for p in params]
    grads = torch.autograd.grad(loss_fn(model(x), y), params)
    losses = []
    for t in steps:
        with torch.no_grad():
            for p, w, g in zip(params, start, grads):
                p.copy_(w - t * g)
            losses.append(loss_fn(model(x), y).item())
    return losses


# %% wrong loss_along_gradient: running statistics move -> running-statistics-moved
def loss_along_gradient(model, loss_fn, x, y, steps):
    import torch

    params = list(model.parameters())
    start = [p.detach().clone() for p in params]
    grads = torch.autograd.grad(loss_fn(model(x), y), params)
    losses = []
    with torch.no_grad():
        for t in steps:
            for p, w, g in zip(params, start, grads):
                p.copy_(w - t * g)
            losses.append(loss_fn(model(x), y).item())
        for p, w in zip(params, start):
            p.copy_(w)
    return losses


# %% wrong loss_along_gradient: leaves gradients behind -> gradients-left-behind
def loss_along_gradient(model, loss_fn, x, y, steps):
    import copy

    import torch

    state = copy.deepcopy(model.state_dict())
    model.zero_grad()
    loss_fn(model(x), y).backward()
    losses = []
    with torch.no_grad():
        for t in steps:
            model.load_state_dict(state)
            for p in model.parameters():
                p -= t * p.grad
            losses.append(loss_fn(model(x), y).item())
    model.load_state_dict(state)
    return losses


# %% wrong loss_along_gradient: ends in evaluation mode -> mode-switched
def loss_along_gradient(model, loss_fn, x, y, steps):
    import copy

    import torch

    work = copy.deepcopy(model)
    params = list(work.parameters())
    start = [p.detach().clone() for p in params]
    grads = torch.autograd.grad(loss_fn(work(x), y), params)
    losses = []
    for t in steps:
        with torch.no_grad():
            for p, w, g in zip(params, start, grads):
                p.copy_(w - t * g)
            losses.append(loss_fn(work(x), y).item())
    model.eval()
    return losses


# %% wrong loss_along_gradient: changes of the loss -> differences-of-losses
def loss_along_gradient(model, loss_fn, x, y, steps):
    import copy

    import torch

    work = copy.deepcopy(model)
    params = list(work.parameters())
    start = [p.detach().clone() for p in params]
    here = loss_fn(work(x), y)
    grads = torch.autograd.grad(here, params)
    losses = []
    for t in steps:
        with torch.no_grad():
            for p, w, g in zip(params, start, grads):
                p.copy_(w - t * g)
            losses.append((loss_fn(work(x), y) - here).item())
    return losses


# %% wrong loss_along_gradient: only the last loss -> shape
def loss_along_gradient(model, loss_fn, x, y, steps):
    import copy

    import torch

    work = copy.deepcopy(model)
    params = list(work.parameters())
    grads = torch.autograd.grad(loss_fn(work(x), y), params)
    with torch.no_grad():
        for p, g in zip(params, grads):
            p -= steps[-1] * g
    return loss_fn(work(x), y)


# --- effective_smoothness ---


# %% right effective_smoothness: a copy
def effective_smoothness(model, loss_fn, x, y, steps):
    import copy

    import torch

    work = copy.deepcopy(model)
    params = list(work.parameters())
    start = [p.detach().clone() for p in params]

    def gradient():
        grads = torch.autograd.grad(loss_fn(work(x), y), params)
        return grads, torch.cat([g.flatten() for g in grads])

    grads, here = gradient()
    largest = 0.0
    for t in steps:
        with torch.no_grad():
            for p, w, g in zip(params, start, grads):
                p.copy_(w - t * g)
        _, there = gradient()
        largest = max(largest, ((here - there).norm() / (abs(t) * here.norm())).item())
    return largest


# %% right effective_smoothness: long vectors, a tensor of shape ()
def effective_smoothness(model, loss_fn, x, y, steps):
    import copy

    import torch
    from torch.nn.utils import parameters_to_vector, vector_to_parameters

    work = copy.deepcopy(model)
    w = parameters_to_vector(work.parameters()).detach().clone()

    def gradient_at(point):
        vector_to_parameters(point, work.parameters())
        loss = loss_fn(work(x), y)
        return parameters_to_vector(torch.autograd.grad(loss, list(work.parameters())))

    g = gradient_at(w)
    ratios = [torch.dist(g, gradient_at(w - t * g)) / torch.linalg.norm(t * g) for t in steps]
    return torch.stack(ratios).max()


# %% right effective_smoothness: sums of squares, parameter by parameter
def effective_smoothness(model, loss_fn, x, y, steps):
    import copy
    import math

    import torch

    def gradients(net):
        return torch.autograd.grad(loss_fn(net(x), y), list(net.parameters()))

    here = gradients(copy.deepcopy(model))
    ratios = []
    for t in steps:
        work = copy.deepcopy(model)
        for p, g in zip(work.parameters(), here):
            p.data -= t * g
        change = sum(((a - b) ** 2).sum().item() for a, b in zip(gradients(work), here))
        way = sum(((t * g) ** 2).sum().item() for g in here)
        ratios.append(math.sqrt(change / way))
    return max(ratios)


# %% right effective_smoothness: functional_call
def effective_smoothness(model, loss_fn, x, y, steps):
    import torch
    from torch.func import functional_call

    params = {n: p.detach() for n, p in model.named_parameters()}

    def loss(at):
        buffers = {n: b.clone() for n, b in model.named_buffers()}
        return loss_fn(functional_call(model, (at, buffers), x), y)

    def flat(grads):
        return torch.cat([g.flatten() for g in grads.values()])

    slope = torch.func.grad(loss)
    here = slope(params)
    found = []
    for t in steps:
        there = slope({n: p - t * here[n] for n, p in params.items()})
        found.append((flat(there) - flat(here)).norm() / (t * flat(here)).norm())
    return float(max(found))


# %% wrong effective_smoothness: not divided by t -> not-divided-by-the-step
def effective_smoothness(model, loss_fn, x, y, steps):
    import copy

    import torch

    def gradients(net):
        grads = torch.autograd.grad(loss_fn(net(x), y), list(net.parameters()))
        return grads, torch.cat([g.flatten() for g in grads])

    grads, here = gradients(copy.deepcopy(model))
    ratios = []
    for t in steps:
        work = copy.deepcopy(model)
        for p, g in zip(work.parameters(), grads):
            p.data -= t * g
        ratios.append(((gradients(work)[1] - here).norm() / here.norm()).item())
    return max(ratios)


# %% wrong effective_smoothness: not divided by the gradient -> not-divided-by-the-gradient
def effective_smoothness(model, loss_fn, x, y, steps):
    import copy

    import torch

    def gradients(net):
        grads = torch.autograd.grad(loss_fn(net(x), y), list(net.parameters()))
        return grads, torch.cat([g.flatten() for g in grads])

    grads, here = gradients(copy.deepcopy(model))
    ratios = []
    for t in steps:
        work = copy.deepcopy(model)
        for p, g in zip(work.parameters(), grads):
            p.data -= t * g
        ratios.append(((gradients(work)[1] - here).norm() / abs(t)).item())
    return max(ratios)


# %% wrong effective_smoothness: mean -> mean-for-max
def effective_smoothness(model, loss_fn, x, y, steps):
    import copy

    import torch

    def gradients(net):
        grads = torch.autograd.grad(loss_fn(net(x), y), list(net.parameters()))
        return grads, torch.cat([g.flatten() for g in grads])

    grads, here = gradients(copy.deepcopy(model))
    ratios = []
    for t in steps:
        work = copy.deepcopy(model)
        for p, g in zip(work.parameters(), grads):
            p.data -= t * g
        ratios.append(((gradients(work)[1] - here).norm() / (t * here).norm()).item())
    return sum(ratios) / len(ratios)


# %% wrong effective_smoothness: the sign of t -> sign-of-the-step
def effective_smoothness(model, loss_fn, x, y, steps):
    import copy

    import torch

    def gradients(net):
        grads = torch.autograd.grad(loss_fn(net(x), y), list(net.parameters()))
        return grads, torch.cat([g.flatten() for g in grads])

    grads, here = gradients(copy.deepcopy(model))
    ratios = []
    for t in steps:
        work = copy.deepcopy(model)
        for p, g in zip(work.parameters(), grads):
            p.data -= t * g
        ratios.append(((gradients(work)[1] - here).norm() / (t * here.norm())).item())
    return max(ratios)


# %% wrong effective_smoothness: uphill -> step-uphill
def effective_smoothness(model, loss_fn, x, y, steps):
    import copy

    import torch

    def gradients(net):
        grads = torch.autograd.grad(loss_fn(net(x), y), list(net.parameters()))
        return grads, torch.cat([g.flatten() for g in grads])

    grads, here = gradients(copy.deepcopy(model))
    ratios = []
    for t in steps:
        work = copy.deepcopy(model)
        for p, g in zip(work.parameters(), grads):
            p.data += t * g
        ratios.append(((gradients(work)[1] - here).norm() / (t * here).norm()).item())
    return max(ratios)


# %% wrong effective_smoothness: one ratio a parameter -> parameter-by-parameter
def effective_smoothness(model, loss_fn, x, y, steps):
    import copy

    import torch

    def gradients(net):
        return torch.autograd.grad(loss_fn(net(x), y), list(net.parameters()))

    here = gradients(copy.deepcopy(model))
    ratios = []
    for t in steps:
        work = copy.deepcopy(model)
        for p, g in zip(work.parameters(), here):
            p.data -= t * g
        for g, old in zip(gradients(work), here):
            ratios.append(((g - old).norm() / (t * old).norm()).item())
    return max(ratios)


# %% wrong effective_smoothness: lengths subtracted -> difference-of-lengths
def effective_smoothness(model, loss_fn, x, y, steps):
    import copy

    import torch

    def gradients(net):
        grads = torch.autograd.grad(loss_fn(net(x), y), list(net.parameters()))
        return grads, torch.cat([g.flatten() for g in grads])

    grads, here = gradients(copy.deepcopy(model))
    ratios = []
    for t in steps:
        work = copy.deepcopy(model)
        for p, g in zip(work.parameters(), grads):
            p.data -= t * g
        change = abs(gradients(work)[1].norm() - here.norm())
        ratios.append((change / (t * here).norm()).item())
    return max(ratios)


# %% wrong effective_smoothness: running statistics move -> running-statistics-moved
def effective_smoothness(model, loss_fn, x, y, steps):
    import torch

    params = list(model.parameters())
    start = [p.detach().clone() for p in params]

    def gradient():
        grads = torch.autograd.grad(loss_fn(model(x), y), params)
        return grads, torch.cat([g.flatten() for g in grads])

    grads, here = gradient()
    largest = 0.0
    for t in steps:
        with torch.no_grad():
            for p, w, g in zip(params, start, grads):
                p.copy_(w - t * g)
        largest = max(largest, ((here - gradient()[1]).norm() / (t * here).norm()).item())
    with torch.no_grad():
        for p, w in zip(params, start):
            p.copy_(w)
    return largest


# %% wrong effective_smoothness: one number a step -> type
def effective_smoothness(model, loss_fn, x, y, steps):
    import copy

    import torch

    def gradients(net):
        grads = torch.autograd.grad(loss_fn(net(x), y), list(net.parameters()))
        return grads, torch.cat([g.flatten() for g in grads])

    grads, here = gradients(copy.deepcopy(model))
    ratios = []
    for t in steps:
        work = copy.deepcopy(model)
        for p, g in zip(work.parameters(), grads):
            p.data -= t * g
        ratios.append((gradients(work)[1] - here).norm() / (t * here).norm())
    return torch.stack(ratios)


# %% wrong effective_smoothness: nothing moves
def effective_smoothness(model, loss_fn, x, y, steps):
    return 0.0


# %% wrong effective_smoothness: each step from where the last one ended -> steps-add-up
def effective_smoothness(model, loss_fn, x, y, steps):
    import copy

    import torch

    work = copy.deepcopy(model)
    params = list(work.parameters())

    def slope():
        return torch.autograd.grad(loss_fn(work(x), y), params)

    start = slope()
    vector, found = torch.cat([g.flatten() for g in start]), []
    for t in steps:
        with torch.no_grad():
            for p, g in zip(params, start):
                p -= t * g
        there = torch.cat([g.flatten() for g in slope()])
        found.append(((there - vector).norm() / (t * vector).norm()).item())
    return max(found)


# --- claim ---


# %% right claim: as in the text
def claim(with_bn, without_bn):
    a, b = np.array(with_bn, float), np.array(without_bn, float)
    if min(len(a), len(b)) < 2:
        return "undecided"
    if not np.isfinite(np.concatenate([a, b])).all():
        both = np.concatenate([a, b])
        both[~np.isfinite(both)] = np.inf
        rank = np.array([(both < v).sum() + ((both == v).sum() + 1) / 2 for v in both])
        a, b = rank[: len(a)], rank[len(a) :]
    u, v = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    if u + v == 0:
        return "undecided"
    freedom = (u + v) ** 2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1))
    df = [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 60, 120, np.inf]
    t = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.306, 2.228, 2.131, 2.086, 2.042, 2.0, 1.98, 1.96]
    half = np.interp(1 / freedom, 1 / np.array(df[::-1]), t[::-1]) * np.sqrt(u + v)
    difference = a.mean() - b.mean()
    if difference + half < 0:
        return "supported"
    return "refuted" if difference - half > 0 else "undecided"


# %% right claim: plain Python, t by a series
def claim(with_bn, without_bn):
    import math
    from statistics import NormalDist, mean, variance

    a, b = [float(v) for v in with_bn], [float(v) for v in without_bn]
    if len(a) < 2 or len(b) < 2:
        return "undecided"
    if any(not math.isfinite(v) for v in a + b):
        both = [v if math.isfinite(v) else math.inf for v in a + b]
        order = sorted(both)
        ranks = [order.index(v) + 1 + (order.count(v) - 1) / 2 for v in both]
        a, b = ranks[: len(a)], ranks[len(a) :]
    u, v = variance(a) / len(a), variance(b) / len(b)
    if u == 0 and v == 0:
        return "undecided"
    n = (u + v) ** 2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1))
    z = NormalDist().inv_cdf(0.975)
    t = z + (z**3 + z) / (4 * n) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
    t += (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    score = (mean(a) - mean(b)) / math.sqrt(u + v)
    return {-1: "supported", 0: "undecided", 1: "refuted"}[(score > t) - (score < -t)]


# %% right claim: torch, and t by simulation of its own
def claim(with_bn, without_bn):
    import torch

    a, b = (torch.tensor(np.array(s, dtype=float)) for s in (with_bn, without_bn))
    if min(a.numel(), b.numel()) < 2:
        return "undecided"
    if not torch.cat([a, b]).isfinite().all():
        both = torch.nan_to_num(torch.cat([a, b]), nan=torch.inf)
        rank = (both[:, None] > both).sum(1) + 0.5 * ((both[:, None] == both).sum(1) + 1)
        a, b = rank[: len(a)].double(), rank[len(a) :].double()
    parts = [s.var() / len(s) for s in (a, b)]
    total = sum(parts)
    if total == 0:
        return "undecided"
    df = total**2 / sum(p**2 / (len(s) - 1) for p, s in zip(parts, (a, b)))
    rng = np.random.default_rng(0)
    draws = rng.standard_t(float(df), 400_000)
    half = np.quantile(draws, 0.975) * float(total) ** 0.5
    gap = float(a.mean() - b.mean())
    return "supported" if gap < -half else "refuted" if gap > half else "undecided"


# %% right claim: three functions
def claim(with_bn, without_bn):
    def spread(sample):
        return np.var(sample, ddof=1) / len(sample)

    def ranked(sample, everything):
        order = np.sort(everything)
        left = np.searchsorted(order, sample, side="left")
        right = np.searchsorted(order, sample, side="right")
        return (left + right + 1) / 2

    samples = [np.nan_to_num(np.array(s, float), nan=np.inf, posinf=np.inf) for s in (with_bn, without_bn)]
    if any(s.size < 2 for s in samples):
        return "undecided"
    everything = np.concatenate(samples)
    if np.isinf(everything).any():
        samples = [ranked(s, everything) for s in samples]
    errors = np.array([spread(s) for s in samples])
    if not errors.any():
        return "undecided"
    sizes = np.array([s.size for s in samples])
    df = errors.sum() ** 2 / (errors**2 / (sizes - 1)).sum()
    table = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 8: 2.306, 10: 2.228, 15: 2.131, 30: 2.042}
    keys = np.array(list(table))[::-1]
    t = np.interp(1 / df, [0, *(1 / keys)], [1.96, *(table[k] for k in keys)])
    low, high = samples[0].mean() - samples[1].mean() + t * np.sqrt(errors.sum()) * np.array([-1, 1])
    if high < 0:
        return "supported"
    if low > 0:
        return "refuted"
    return "undecided"


# %% wrong claim: means only -> compares-means-only
def claim(with_bn, without_bn):
    a, b = np.array(with_bn, float), np.array(without_bn, float)
    if min(len(a), len(b)) < 2:
        return "undecided"
    if not np.isfinite(np.concatenate([a, b])).all():
        both = np.concatenate([a, b])
        both[~np.isfinite(both)] = np.inf
        rank = np.array([(both < v).sum() + ((both == v).sum() + 1) / 2 for v in both])
        a, b = rank[: len(a)], rank[len(a) :]
    if a.std() == b.std() == 0:
        return "undecided"
    return "supported" if a.mean() < b.mean() else "refuted"


# %% wrong claim: two verdicts
def claim(with_bn, without_bn):
    return "supported" if np.mean(with_bn) < np.mean(without_bn) else "refuted"


# %% wrong claim: sorry, undecided
def claim(with_bn, without_bn):
    return "undecided"


# %% wrong claim: 1.96 -> normal-quantile
def claim(with_bn, without_bn):
    a, b = np.array(with_bn, float), np.array(without_bn, float)
    if min(len(a), len(b)) < 2:
        return "undecided"
    if not np.isfinite(np.concatenate([a, b])).all():
        both = np.concatenate([a, b])
        both[~np.isfinite(both)] = np.inf
        rank = np.array([(both < v).sum() + ((both == v).sum() + 1) / 2 for v in both])
        a, b = rank[: len(a)], rank[len(a) :]
    error = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    if error == 0:
        return "undecided"
    difference = a.mean() - b.mean()
    if difference < -1.96 * error:
        return "supported"
    return "refuted" if difference > 1.96 * error else "undecided"


# %% wrong claim: drops what is not finite
def claim(with_bn, without_bn):
    a, b = np.array(with_bn, float), np.array(without_bn, float)
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if min(len(a), len(b)) < 2:
        return "undecided"
    u, v = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    if u + v == 0:
        return "undecided"
    freedom = (u + v) ** 2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1))
    df = [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 60, 120, np.inf]
    t = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.306, 2.228, 2.131, 2.086, 2.042, 2.0, 1.98, 1.96]
    half = np.interp(1 / freedom, 1 / np.array(df[::-1]), t[::-1]) * np.sqrt(u + v)
    difference = a.mean() - b.mean()
    if difference + half < 0:
        return "supported"
    return "refuted" if difference - half > 0 else "undecided"


# %% wrong claim: intervals that overlap
def claim(with_bn, without_bn):
    a, b = np.array(with_bn, float), np.array(without_bn, float)
    if min(len(a), len(b)) < 2:
        return "undecided"
    t = {2: 12.706, 3: 4.303, 4: 3.182, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 12: 2.201, 24: 2.069}
    half_a = t[len(a)] * a.std(ddof=1) / np.sqrt(len(a))
    half_b = t[len(b)] * b.std(ddof=1) / np.sqrt(len(b))
    if half_a + half_b == 0:
        return "undecided"
    if a.mean() + half_a < b.mean() - half_b:
        return "supported"
    return "refuted" if a.mean() - half_a > b.mean() + half_b else "undecided"


# %% wrong claim: verdicts swapped -> verdicts-swapped
def claim(with_bn, without_bn):
    a, b = np.array(without_bn, float), np.array(with_bn, float)
    if min(len(a), len(b)) < 2:
        return "undecided"
    if not np.isfinite(np.concatenate([a, b])).all():
        both = np.concatenate([a, b])
        both[~np.isfinite(both)] = np.inf
        rank = np.array([(both < v).sum() + ((both == v).sum() + 1) / 2 for v in both])
        a, b = rank[: len(a)], rank[len(a) :]
    u, v = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    if u + v == 0:
        return "undecided"
    freedom = (u + v) ** 2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1))
    df = [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 60, 120, np.inf]
    t = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.306, 2.228, 2.131, 2.086, 2.042, 2.0, 1.98, 1.96]
    half = np.interp(1 / freedom, 1 / np.array(df[::-1]), t[::-1]) * np.sqrt(u + v)
    difference = a.mean() - b.mean()
    if difference + half < 0:
        return "supported"
    return "refuted" if difference - half > 0 else "undecided"


# %% wrong claim: another word
def claim(with_bn, without_bn):
    a, b = np.array(with_bn, float), np.array(without_bn, float)
    if min(len(a), len(b)) < 2:
        return "unknown"
    error = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    difference = a.mean() - b.mean()
    if abs(difference) < 2.2 * error:
        return "unknown"
    return "supported" if difference < 0 else "refuted"


# %% right claim: SciPy's ranks and quantile
def claim(with_bn, without_bn):
    from scipy.stats import rankdata, t

    a, b = np.array(with_bn, float), np.array(without_bn, float)
    if min(len(a), len(b)) < 2:
        return "undecided"
    both = np.concatenate([a, b])
    if not np.isfinite(both).all():
        rank = rankdata(np.where(np.isfinite(both), both, np.inf))
        a, b = rank[: len(a)], rank[len(a) :]
    if np.ptp(a) == np.ptp(b) == 0:
        return "undecided"
    u, v = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    freedom = (u + v) ** 2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1))
    half, difference = t.ppf(0.975, freedom) * np.sqrt(u + v), a.mean() - b.mean()
    if difference + half < 0:
        return "supported"
    return "refuted" if difference - half > 0 else "undecided"


# %% wrong claim: three runs needed -> three-runs-needed
def claim(with_bn, without_bn):
    from scipy.stats import rankdata, t

    a, b = np.array(with_bn, float), np.array(without_bn, float)
    if min(len(a), len(b)) < 3:
        return "undecided"
    both = np.concatenate([a, b])
    if not np.isfinite(both).all():
        rank = rankdata(np.where(np.isfinite(both), both, np.inf))
        a, b = rank[: len(a)], rank[len(a) :]
    if np.ptp(a) == np.ptp(b) == 0:
        return "undecided"
    u, v = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    freedom = (u + v) ** 2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1))
    half, difference = t.ppf(0.975, freedom) * np.sqrt(u + v), a.mean() - b.mean()
    if difference + half < 0:
        return "supported"
    return "refuted" if difference - half > 0 else "undecided"


# %% wrong claim: spread needed on both sides -> needs-spread-on-both-sides
def claim(with_bn, without_bn):
    from scipy.stats import rankdata, t

    a, b = np.array(with_bn, float), np.array(without_bn, float)
    if min(len(a), len(b)) < 2:
        return "undecided"
    both = np.concatenate([a, b])
    if not np.isfinite(both).all():
        rank = rankdata(np.where(np.isfinite(both), both, np.inf))
        a, b = rank[: len(a)], rank[len(a) :]
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return "undecided"
    u, v = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    freedom = (u + v) ** 2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1))
    half, difference = t.ppf(0.975, freedom) * np.sqrt(u + v), a.mean() - b.mean()
    if difference + half < 0:
        return "supported"
    return "refuted" if difference - half > 0 else "undecided"


# %% wrong claim: degrees of freedom of both together -> freedom-of-both
def claim(with_bn, without_bn):
    from scipy.stats import rankdata, t

    a, b = np.array(with_bn, float), np.array(without_bn, float)
    if min(len(a), len(b)) < 2:
        return "undecided"
    both = np.concatenate([a, b])
    if not np.isfinite(both).all():
        rank = rankdata(np.where(np.isfinite(both), both, np.inf))
        a, b = rank[: len(a)], rank[len(a) :]
    if np.ptp(a) == np.ptp(b) == 0:
        return "undecided"
    u, v = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    freedom = len(a) + len(b) - 2
    half, difference = t.ppf(0.975, freedom) * np.sqrt(u + v), a.mean() - b.mean()
    if difference + half < 0:
        return "supported"
    return "refuted" if difference - half > 0 else "undecided"


# %% wrong claim: a diverged run is 1e9 -> diverged-as-a-huge-number
def claim(with_bn, without_bn):
    from scipy.stats import rankdata, t

    a, b = np.array(with_bn, float), np.array(without_bn, float)
    if min(len(a), len(b)) < 2:
        return "undecided"
    both = np.concatenate([a, b])
    if not np.isfinite(both).all():
        a, b = (np.where(np.isfinite(s), s, 1e9) for s in (a, b))
    if np.ptp(a) == np.ptp(b) == 0:
        return "undecided"
    u, v = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    freedom = (u + v) ** 2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1))
    half, difference = t.ppf(0.975, freedom) * np.sqrt(u + v), a.mean() - b.mean()
    if difference + half < 0:
        return "supported"
    return "refuted" if difference - half > 0 else "undecided"


# %% wrong claim: who diverges has lost -> diverged-means-refuted
def claim(with_bn, without_bn):
    from scipy.stats import rankdata, t

    a, b = np.array(with_bn, float), np.array(without_bn, float)
    if min(len(a), len(b)) < 2:
        return "undecided"
    both = np.concatenate([a, b])
    if not np.isfinite(both).all():
        return "supported" if np.isfinite(a).all() else "refuted"
    if np.ptp(a) == np.ptp(b) == 0:
        return "undecided"
    u, v = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    freedom = (u + v) ** 2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1))
    half, difference = t.ppf(0.975, freedom) * np.sqrt(u + v), a.mean() - b.mean()
    if difference + half < 0:
        return "supported"
    return "refuted" if difference - half > 0 else "undecided"


# %% wrong claim: ranks each sample by itself -> diverged-means-undecided
def claim(with_bn, without_bn):
    from scipy.stats import rankdata, t

    a, b = np.array(with_bn, float), np.array(without_bn, float)
    if min(len(a), len(b)) < 2:
        return "undecided"
    both = np.concatenate([a, b])
    if not np.isfinite(both).all():
        a, b = (rankdata(np.where(np.isfinite(s), s, np.inf)) for s in (a, b))
    if np.ptp(a) == np.ptp(b) == 0:
        return "undecided"
    u, v = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    freedom = (u + v) ** 2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1))
    half, difference = t.ppf(0.975, freedom) * np.sqrt(u + v), a.mean() - b.mean()
    if difference + half < 0:
        return "supported"
    return "refuted" if difference - half > 0 else "undecided"


# %% wrong claim: the stub
def claim(with_bn, without_bn):
    raise NotImplementedError()


# --- my_claims ---


# %% right my_claims: a made-up log, verdicts by hand
def my_claims():
    low, high = [0.1, 0.2, 0.3, 0.2, 0.1], [1.1, 1.2, 1.3, 1.0, 1.4]
    near = [1.0, 2.0, 3.0, 4.0, 5.0], [1.1, 2.1, 2.9, 4.0, 5.2]
    return {
        "a": {"with_bn": low, "without_bn": high, "verdict": "supported"},
        "b": {"with_bn": high, "without_bn": low, "verdict": "refuted"},
        "c": {"with_bn": near[0], "without_bn": near[1], "verdict": "undecided"},
        "d": {"with_bn": low, "without_bn": [1.1, 1.2, np.inf, 1.0, 1.4], "verdict": "supported"},
    }


# %% right my_claims: arrays, seven seeds on one side, five measurements
def my_claims():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=7), rng.normal(size=5) + 9.0
    entry = {"with_bn": a, "without_bn": b, "verdict": "supported"}
    return {name: dict(entry) for name in "abcde"}


# %% right my_claims: tuples of NumPy numbers, in another order
def my_claims():
    low, high = tuple(np.linspace(0.0, 1.0, 5)), tuple(np.linspace(5.0, 6.0, 5))
    entry = {"verdict": "refuted", "without_bn": low, "with_bn": high}
    return {f"measurement {k}": entry for k in range(4)}


# %% right my_claims: numbers as tensors
def my_claims():
    import torch

    low, high = [torch.tensor(0.1 * k) for k in range(5)], torch.arange(5.0) + 9.0
    return {name: {"with_bn": low, "without_bn": high, "verdict": "supported"} for name in "abcd"}


# %% wrong my_claims: supported, whatever the numbers -> says-what-the-paper-says
def my_claims():
    low, near = [0.1, 0.2, 0.3, 0.2, 0.1], [0.1, 0.2, 0.35, 0.2, 0.1]
    high = [1.1, 1.2, 1.3, 1.0, 1.4]
    pairs = (low, high), (low, near), (high, low), (near, low)
    return {
        f"{k}": {"with_bn": a, "without_bn": b, "verdict": "supported"} for k, (a, b) in enumerate(pairs)
    }


# %% wrong my_claims: sides swapped in the verdicts -> verdicts-swapped
def my_claims():
    low, high = [0.1, 0.2, 0.3, 0.2, 0.1], [1.1, 1.2, 1.3, 1.0, 1.4]
    one = {"with_bn": low, "without_bn": high, "verdict": "refuted"}
    other = {"with_bn": high, "without_bn": low, "verdict": "supported"}
    return {"a": one, "b": other, "c": one, "d": other}


# %% wrong my_claims: means alone -> compares-means-only
def my_claims():
    low, near = [1.0, 2.0, 3.0, 4.0, 5.0], [1.1, 2.1, 2.9, 4.0, 5.2]
    one = {"with_bn": low, "without_bn": near, "verdict": "supported"}
    other = {"with_bn": near, "without_bn": low, "verdict": "refuted"}
    return {"a": one, "b": other, "c": one, "d": other}


# %% wrong my_claims: one of four verdicts is wrong -> verdict
def my_claims():
    low, high = [0.1, 0.2, 0.3, 0.2, 0.1], [1.1, 1.2, 1.3, 1.0, 1.4]
    right = {"with_bn": low, "without_bn": high, "verdict": "supported"}
    wrong = {"with_bn": high, "without_bn": low, "verdict": "undecided"}
    return {"a": right, "b": right, "c": right, "d": wrong}


# %% wrong my_claims: four seeds -> few-runs
def my_claims():
    low, high = [0.1, 0.2, 0.3, 0.2], [1.1, 1.2, 1.3, 1.0]
    return {name: {"with_bn": low, "without_bn": high, "verdict": "supported"} for name in "abcd"}


# %% wrong my_claims: the same sample twice -> same-runs
def my_claims():
    low = [0.1, 0.2, 0.3, 0.4, 0.5]
    return {name: {"with_bn": low, "without_bn": low, "verdict": "undecided"} for name in "abcd"}


# %% wrong my_claims: verdicts without evidence -> form
def my_claims():
    return {name: "supported" for name in "abcd"}


# %% wrong my_claims: another word -> form
def my_claims():
    low, high = [0.1, 0.2, 0.3, 0.2, 0.1], [1.1, 1.2, 1.3, 1.0, 1.4]
    return {name: {"with_bn": low, "without_bn": high, "verdict": "yes"} for name in "abcd"}


# %% wrong my_claims: the stub
def my_claims():
    raise NotImplementedError()
