# %% right statistic_noise: all batches at once
def statistic_noise(population, m, trials, rng):
    batches = population[rng.integers(len(population), size=(trials, m))]
    return batches.mean(axis=1).std(axis=0), batches.var(axis=1).std(axis=0)


# %% right statistic_noise: a loop and two lists
def statistic_noise(population, m, trials, rng):
    means, variances = [], []
    for _ in range(trials):
        batch = population[rng.integers(0, len(population), size=m)]
        means.append(batch.mean(axis=0))
        variances.append(batch.var(axis=0))
    return np.std(means, axis=0), np.std(variances, axis=0)


# %% right statistic_noise: rng.choice over rows, spread over trials taken with trials − 1
def statistic_noise(population, m, trials, rng):
    found = np.empty((2, trials, population.shape[1]))
    for t in range(trials):
        batch = rng.choice(population, size=m, axis=0)
        center = batch.mean(axis=0)
        found[0, t] = center
        found[1, t] = np.square(batch - center).mean(axis=0)
    return tuple(found.std(axis=1, ddof=1))


# %% right statistic_noise: each feature drawn on its own, a list comes back
def statistic_noise(population, m, trials, rng):
    answers = []
    for column in population.T:
        draws = rng.choice(column.astype(np.float64), size=(trials, m), replace=True)
        answers.append((draws.mean(1).std(), draws.var(1).std()))
    means, variances = zip(*answers)
    return [np.array(means), np.array(variances)]


# %% right statistic_noise: running sums over the trials (Welford)
def statistic_noise(population, m, trials, rng):
    rows = population.astype(np.float64)
    c = rows.shape[1]
    mean, square = np.zeros((2, c)), np.zeros((2, c))
    for t in range(1, trials + 1):
        batch = rows[np.floor(rng.random(m) * len(rows)).astype(int)]
        new = np.stack([batch.mean(axis=0), batch.var(axis=0)])
        delta = new - mean
        mean = mean + delta / t
        square = square + delta * (new - mean)
    return tuple(np.sqrt(square / trials))


# %% wrong statistic_noise: unbiased variance -> unbiased-variance
def statistic_noise(population, m, trials, rng):
    batches = population[rng.integers(len(population), size=(trials, m))]
    with np.errstate(all="ignore"):
        var = batches.var(axis=1, ddof=1) if m > 1 else np.full((trials, population.shape[1]), np.nan)
    return batches.mean(axis=1).std(axis=0), var.std(axis=0)


# %% wrong statistic_noise: variances of the statistics -> variances-for-standard-deviations
def statistic_noise(population, m, trials, rng):
    batches = population[rng.integers(len(population), size=(trials, m))]
    return np.var(batches.mean(axis=1), axis=0), np.var(batches.var(axis=1), axis=0)


# %% wrong statistic_noise: noise of the batch's standard deviation -> noise-of-the-standard-deviation
def statistic_noise(population, m, trials, rng):
    batches = population[rng.integers(len(population), size=(trials, m))]
    return batches.mean(axis=1).std(axis=0), batches.std(axis=1).std(axis=0)


# %% wrong statistic_noise: averages -> averages
def statistic_noise(population, m, trials, rng):
    batches = population[rng.integers(len(population), size=(trials, m))]
    return batches.mean(axis=1).mean(axis=0), batches.var(axis=1).mean(axis=0)


# %% wrong statistic_noise: spread within a batch -> spread-within-a-batch
def statistic_noise(population, m, trials, rng):
    stds, variances = [], []
    for _ in range(trials):
        batch = population[rng.integers(len(population), size=m)]
        stds.append(batch.std(axis=0))
        variances.append(batch.var(axis=0))
    return np.mean(stds, axis=0), np.std(variances, axis=0)


# %% wrong statistic_noise: standard error of the average -> divided-by-root-of-trials
def statistic_noise(population, m, trials, rng):
    batches = population[rng.integers(len(population), size=(trials, m))]
    root = np.sqrt(trials)
    return batches.mean(axis=1).std(axis=0) / root, batches.var(axis=1).std(axis=0) / root


# %% wrong statistic_noise: answers exchanged -> swapped
def statistic_noise(population, m, trials, rng):
    batches = population[rng.integers(len(population), size=(trials, m))]
    return batches.var(axis=1).std(axis=0), batches.mean(axis=1).std(axis=0)


# %% wrong statistic_noise: drawn without replacement, as far as that goes -> without-replacement
def statistic_noise(population, m, trials, rng):
    means, variances = [], []
    for _ in range(trials):
        batch = rng.permutation(population)[:m]
        means.append(batch.mean(axis=0))
        variances.append(batch.var(axis=0))
    return np.std(means, axis=0), np.std(variances, axis=0)


# %% wrong statistic_noise: around the population's mean -> around-the-true-mean
def statistic_noise(population, m, trials, rng):
    batches = population[rng.integers(len(population), size=(trials, m))]
    variances = np.square(batches - population.mean(axis=0)).mean(axis=1)
    return batches.mean(axis=1).std(axis=0), variances.std(axis=0)


# %% wrong statistic_noise: E[x²] − E[x]² in the dtype that came -> mean-of-squares-minus-square-of-mean
def statistic_noise(population, m, trials, rng):
    batches = population[rng.integers(len(population), size=(trials, m))]
    mean = batches.mean(axis=1)
    return mean.std(axis=0), (np.square(batches).mean(axis=1) - np.square(mean)).std(axis=0)


# %% wrong statistic_noise: a generator of its own -> own-randomness
def statistic_noise(population, m, trials, rng):
    batches = population[np.random.default_rng().integers(len(population), size=(trials, m))]
    return batches.mean(axis=1).std(axis=0), batches.var(axis=1).std(axis=0)


# %% wrong statistic_noise: a seed of its own -> fixed-seed
def statistic_noise(population, m, trials, rng):
    batches = population[np.random.default_rng(0).integers(len(population), size=(trials, m))]
    return batches.mean(axis=1).std(axis=0), batches.var(axis=1).std(axis=0)


# %% wrong statistic_noise: theory in place of the experiment, and 1 for the variance
def statistic_noise(population, m, trials, rng):
    return population.std(axis=0) / np.sqrt(m), np.ones(population.shape[1])


# %% wrong statistic_noise: one number for all features -> type
def statistic_noise(population, m, trials, rng):
    batches = population[rng.integers(len(population), size=(trials, m))]
    return batches.mean(axis=1).std(), batches.var(axis=1).std()


# %% wrong statistic_noise: shuffles the population in place
def statistic_noise(population, m, trials, rng):
    means, variances = [], []
    for _ in range(trials):
        rng.shuffle(population)
        means.append(population[:m].mean(axis=0))
        variances.append(population[:m].var(axis=0))
    return np.std(means, axis=0), np.std(variances, axis=0)


# %% wrong statistic_noise: centres the population in place -> modifies-argument
def statistic_noise(population, m, trials, rng):
    population -= population.mean(axis=0)
    batches = population[rng.integers(len(population), size=(trials, m))]
    return batches.mean(axis=1).std(axis=0), batches.var(axis=1).std(axis=0)


# %% wrong statistic_noise: untouched -> NotImplementedError
def statistic_noise(population, m, trials, rng):
    raise NotImplementedError()


# %% right predicted_mean_noise: a power
def predicted_mean_noise(sigma, m):
    return sigma * m**-0.5


# %% right predicted_mean_noise: root of the variance of the mean
def predicted_mean_noise(sigma, m):
    return np.sqrt(np.square(sigma) / m)


# %% right predicted_mean_noise: float64 inside and cast back
def predicted_mean_noise(sigma, m):
    wide = np.asarray(sigma, dtype=np.float64) / np.sqrt(m)
    return wide.astype(np.asarray(sigma).dtype)


# %% right predicted_mean_noise: one by one
def predicted_mean_noise(sigma, m):
    if np.ndim(sigma) == 0:
        return sigma / m**0.5
    return np.array([s / m**0.5 for s in sigma], dtype=sigma.dtype)


# %% wrong predicted_mean_noise: by m -> divided-by-m
def predicted_mean_noise(sigma, m):
    return sigma / m


# %% wrong predicted_mean_noise: variance -> variance-for-standard-deviation
def predicted_mean_noise(sigma, m):
    return sigma**2 / m


# %% wrong predicted_mean_noise: root of sigma -> sigma-read-as-variance
def predicted_mean_noise(sigma, m):
    return np.sqrt(sigma / m)


# %% wrong predicted_mean_noise: m − 1 -> m-minus-one
def predicted_mean_noise(sigma, m):
    return sigma / np.sqrt(max(m - 1, 1))


# %% wrong predicted_mean_noise: multiplied -> multiplied
def predicted_mean_noise(sigma, m):
    return sigma * np.sqrt(m)


# %% wrong predicted_mean_noise: forgets m -> m-forgotten
def predicted_mean_noise(sigma, m):
    return sigma + 0.0


# %% wrong predicted_mean_noise: number of features -> features-for-rows
def predicted_mean_noise(sigma, m):
    return sigma / np.sqrt(np.size(sigma))


# %% wrong predicted_mean_noise: in place -> modifies-argument
def predicted_mean_noise(sigma, m):
    if isinstance(sigma, np.ndarray):
        sigma /= np.sqrt(m)
        return sigma
    return sigma / np.sqrt(m)


# %% wrong predicted_mean_noise: float64 for float32 -> dtype
def predicted_mean_noise(sigma, m):
    return np.asarray(sigma, dtype=np.float64) / np.sqrt(m)


# %% wrong predicted_mean_noise: whole numbers
def predicted_mean_noise(sigma, m):
    return sigma / int(m**0.5)


# %% wrong predicted_mean_noise: returns None -> type
def predicted_mean_noise(sigma, m):
    sigma / np.sqrt(m)


# %% wrong predicted_mean_noise: untouched -> NotImplementedError
def predicted_mean_noise(sigma, m):
    raise NotImplementedError()


# %% right output_noise: a loop with vstack
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    outputs = []
    for _ in range(trials):
        company = population[rng.integers(len(population), size=m - 1)]
        batch = np.vstack([sample, company])
        outputs.append((sample - batch.mean(axis=0)) / np.sqrt(batch.var(axis=0) + eps))
    return np.std(outputs, axis=0)


# %% right output_noise: all at once, the sample in the last place
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    batches = population[rng.integers(len(population), size=(trials, m))]
    batches[:, -1] = sample
    x_hat = (batches - batches.mean(axis=1, keepdims=True)) / np.sqrt(
        batches.var(axis=1, keepdims=True) + eps
    )
    return x_hat[:, -1].std(axis=0)


# %% right output_noise: rng.choice, normalises the whole batch, a random place
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    seen = np.empty((trials, sample.size))
    for t in range(trials):
        batch = rng.choice(population, size=m, axis=0).astype(np.float64)
        place = rng.integers(m)
        batch[place] = sample
        seen[t] = ((batch - batch.mean(0)) / np.sqrt(batch.var(0) + eps))[place]
    return seen.std(axis=0, ddof=1)


# %% right output_noise: from sums of the company, centred on the sample
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    company = population[rng.integers(len(population), size=(trials, m - 1))].astype(np.float64)
    away = company - sample  # the sample itself is 0 here
    mean = away.sum(axis=1) / m
    var = (np.square(away - mean[:, None]).sum(axis=1) + np.square(mean)) / m
    return (-mean / np.sqrt(var + eps)).std(axis=0)


# %% right output_noise: features drawn on their own, a case for m of one
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    if m == 1:
        return np.zeros(sample.shape)
    answer = []
    for value, column in zip(sample, population.T):
        others = rng.choice(column.astype(float), size=(trials, m - 1))
        batch = np.concatenate([np.full((trials, 1), value, dtype=float), others], axis=1)
        answer.append(((value - batch.mean(1)) / np.sqrt(batch.var(1) + eps)).std())
    return np.array(answer)


# %% wrong output_noise: statistics of m other rows -> sample-not-in-the-batch
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    batches = population[rng.integers(len(population), size=(trials, m))]
    return ((sample - batches.mean(axis=1)) / np.sqrt(batches.var(axis=1) + eps)).std(axis=0)


# %% wrong output_noise: m rows and the sample -> one-row-too-many
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    outputs = []
    for _ in range(trials):
        batch = np.vstack([sample, population[rng.integers(len(population), size=m)]])
        outputs.append((sample - batch.mean(axis=0)) / np.sqrt(batch.var(axis=0) + eps))
    return np.std(outputs, axis=0)


# %% wrong output_noise: unbiased variance -> unbiased-variance
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    if m == 1:
        return np.full(sample.shape, np.nan)
    batches = population[rng.integers(len(population), size=(trials, m))]
    batches[:, 0] = sample
    var = batches.var(axis=1, ddof=1)
    return ((sample - batches.mean(axis=1)) / np.sqrt(var + eps)).std(axis=0)


# %% wrong output_noise: does not divide -> not-divided
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    batches = population[rng.integers(len(population), size=(trials, m))]
    batches[:, 0] = sample
    return (sample - batches.mean(axis=1)).std(axis=0)


# %% wrong output_noise: population's standard deviation -> divided-by-the-population
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    batches = population[rng.integers(len(population), size=(trials, m))]
    batches[:, 0] = sample
    root = np.sqrt(population.var(axis=0) + eps)
    return ((sample - batches.mean(axis=1)) / root).std(axis=0)


# %% wrong output_noise: divides by the variance
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    batches = population[rng.integers(len(population), size=(trials, m))]
    batches[:, 0] = sample
    return ((sample - batches.mean(axis=1)) / (batches.var(axis=1) + eps)).std(axis=0)


# %% wrong output_noise: eps outside the root -> eps-outside-the-root
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    batches = population[rng.integers(len(population), size=(trials, m))]
    batches[:, 0] = sample
    return ((sample - batches.mean(axis=1)) / (batches.std(axis=1) + eps)).std(axis=0)


# %% wrong output_noise: eps written into the code -> eps-ignored
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    batches = population[rng.integers(len(population), size=(trials, m))]
    batches[:, 0] = sample
    return ((sample - batches.mean(axis=1)) / np.sqrt(batches.var(axis=1) + 1e-5)).std(axis=0)


# %% wrong output_noise: average output -> average
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    batches = population[rng.integers(len(population), size=(trials, m))]
    batches[:, 0] = sample
    return ((sample - batches.mean(axis=1)) / np.sqrt(batches.var(axis=1) + eps)).mean(axis=0)


# %% wrong output_noise: variance of the output -> variance-for-standard-deviation
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    batches = population[rng.integers(len(population), size=(trials, m))]
    batches[:, 0] = sample
    return np.var((sample - batches.mean(axis=1)) / np.sqrt(batches.var(axis=1) + eps), axis=0)


# %% wrong output_noise: without replacement -> without-replacement
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    outputs = []
    for _ in range(trials):
        batch = np.vstack([sample, rng.permutation(population)[: m - 1]])
        outputs.append((sample - batch.mean(axis=0)) / np.sqrt(batch.var(axis=0) + eps))
    return np.std(outputs, axis=0)


# %% wrong output_noise: writes the sample into the population -> modifies-argument
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    outputs = []
    for _ in range(trials):
        company = population[rng.integers(len(population), size=m - 1)]
        batch = np.vstack([sample, company])
        outputs.append((sample - batch.mean(axis=0)) / np.sqrt(batch.var(axis=0) + eps))
    population[0] = sample
    return np.std(outputs, axis=0)


# %% wrong output_noise: other default of eps -> default-of-eps
def output_noise(sample, population, m, trials, rng, eps=1e-3):
    batches = population[rng.integers(len(population), size=(trials, m))]
    batches[:, 0] = sample
    return ((sample - batches.mean(axis=1)) / np.sqrt(batches.var(axis=1) + eps)).std(axis=0)


# %% wrong output_noise: a generator of its own -> own-randomness
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    batches = population[np.random.randint(len(population), size=(trials, m))]
    batches[:, 0] = sample
    return ((sample - batches.mean(axis=1)) / np.sqrt(batches.var(axis=1) + eps)).std(axis=0)


# %% wrong output_noise: no eps, nan at a batch of one -> eps-left-out
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    outputs = []
    for _ in range(trials):
        batch = np.vstack([sample, population[rng.integers(len(population), size=m - 1)]])
        with np.errstate(all="ignore"):
            outputs.append((sample - batch.mean(axis=0)) / batch.std(axis=0))
    return np.std(outputs, axis=0)


# %% wrong output_noise: no eps, nan made 0 -> eps-left-out
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    outputs = []
    for _ in range(trials):
        batch = np.vstack([sample, population[rng.integers(len(population), size=m - 1)]])
        with np.errstate(all="ignore"):
            outputs.append(np.nan_to_num((sample - batch.mean(axis=0)) / batch.std(axis=0)))
    return np.std(outputs, axis=0)


# %% wrong output_noise: untouched -> NotImplementedError
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    raise NotImplementedError()


# %% right train_eval_gap: a deep copy
import copy


def train_eval_gap(layer, batch):
    twin = copy.deepcopy(layer)
    evaluated = twin.eval()(batch)
    trained = twin.train()(batch)
    return float(np.sqrt(np.mean((trained - evaluated) ** 2)))


# %% right train_eval_gap: two copies, training first
import copy


def train_eval_gap(layer, batch):
    trained = copy.deepcopy(layer).train()(batch)
    evaluated = copy.deepcopy(layer).eval()(batch)
    return np.sqrt(np.square(trained - evaluated).mean())


# %% right train_eval_gap: remembers and puts back
def train_eval_gap(layer, batch):
    mode = layer.training
    kept = layer.running_mean.copy(), layer.running_var.copy(), layer.num_batches_tracked
    a = layer.eval()(batch)
    b = layer.train()(batch)
    layer.running_mean, layer.running_var, layer.num_batches_tracked = kept
    layer.train(mode)
    return np.linalg.norm(a - b) / np.sqrt(a.size)


# %% right train_eval_gap: writes evaluation mode out
import copy


def train_eval_gap(layer, batch):
    wide = batch.astype(np.float64)
    root = np.sqrt(layer.running_var + layer.eps)
    evaluated = layer.weight * (wide - layer.running_mean) / root + layer.bias
    trained = copy.deepcopy(layer).train()(wide)
    return float(np.sqrt(((evaluated - trained) ** 2).mean()))


# %% right train_eval_gap: both modes by formula, the layer is never called
def train_eval_gap(layer, batch):
    wide = batch.astype(np.float64)

    def out(mean, var):
        return layer.weight * (wide - mean) / np.sqrt(var + layer.eps) + layer.bias

    difference = out(wide.mean(axis=0), wide.var(axis=0))
    difference -= out(layer.running_mean, layer.running_var)
    return float(np.mean(difference**2) ** 0.5)


# %% wrong train_eval_gap: training first on the layer itself -> training-first
def train_eval_gap(layer, batch):
    trained = layer.train()(batch)
    evaluated = layer.eval()(batch)
    return float(np.sqrt(np.mean((trained - evaluated) ** 2)))


# %% wrong train_eval_gap: training first on one copy -> training-first
import copy


def train_eval_gap(layer, batch):
    twin = copy.deepcopy(layer)
    trained = twin.train()(batch)
    evaluated = twin.eval()(batch)
    return float(np.sqrt(np.mean((trained - evaluated) ** 2)))


# %% wrong train_eval_gap: statistics left moved -> running-statistics-left-moved
def train_eval_gap(layer, batch):
    mode = layer.training
    evaluated = layer.eval()(batch)
    trained = layer.train()(batch)
    layer.train(mode)
    return float(np.sqrt(np.mean((trained - evaluated) ** 2)))


# %% wrong train_eval_gap: mode left changed -> mode-left-changed
def train_eval_gap(layer, batch):
    kept = layer.running_mean.copy(), layer.running_var.copy(), layer.num_batches_tracked
    evaluated = layer.eval()(batch)
    trained = layer.train()(batch)
    layer.running_mean, layer.running_var, layer.num_batches_tracked = kept
    return float(np.sqrt(np.mean((trained - evaluated) ** 2)))


# %% wrong train_eval_gap: counter left changed -> running-statistics-left-moved
def train_eval_gap(layer, batch):
    mode, mean, var = layer.training, layer.running_mean, layer.running_var
    evaluated = layer.eval()(batch)
    trained = layer.train()(batch)
    layer.train(mode)
    layer.running_mean, layer.running_var = mean, var
    return float(np.sqrt(np.mean((trained - evaluated) ** 2)))


# %% wrong train_eval_gap: momentum switched off and left off -> settings-left-changed
def train_eval_gap(layer, batch):
    mode, count = layer.training, layer.num_batches_tracked
    layer.momentum = 0.0
    evaluated = layer.eval()(batch)
    trained = layer.train()(batch)
    layer.train(mode)
    layer.num_batches_tracked = count
    return float(np.sqrt(np.mean((trained - evaluated) ** 2)))


# %% wrong train_eval_gap: on the layer itself, nothing put back -> running-statistics-left-moved
def train_eval_gap(layer, batch):
    evaluated = layer.eval()(batch)
    trained = layer.train()(batch)
    return float(np.sqrt(np.mean((trained - evaluated) ** 2)))


# %% wrong train_eval_gap: largest difference, on the layer itself -> largest-difference
def train_eval_gap(layer, batch):
    evaluated = layer.eval()(batch)
    return float(np.abs(evaluated - layer.train()(batch)).max())


# %% wrong train_eval_gap: largest difference -> largest-difference
import copy


def train_eval_gap(layer, batch):
    twin = copy.deepcopy(layer)
    return float(np.abs(twin.eval()(batch) - twin.train()(batch)).max())


# %% wrong train_eval_gap: mean absolute difference -> mean-absolute-difference
import copy


def train_eval_gap(layer, batch):
    twin = copy.deepcopy(layer)
    return float(np.abs(twin.eval()(batch) - twin.train()(batch)).mean())


# %% wrong train_eval_gap: no root -> root-forgotten
import copy


def train_eval_gap(layer, batch):
    twin = copy.deepcopy(layer)
    return float(np.mean((twin.eval()(batch) - twin.train()(batch)) ** 2))


# %% wrong train_eval_gap: norm -> sum-for-mean
import copy


def train_eval_gap(layer, batch):
    twin = copy.deepcopy(layer)
    return float(np.linalg.norm(twin.eval()(batch) - twin.train()(batch)))


# %% wrong train_eval_gap: one number per feature -> shape
import copy


def train_eval_gap(layer, batch):
    twin = copy.deepcopy(layer)
    return np.sqrt(np.mean((twin.eval()(batch) - twin.train()(batch)) ** 2, axis=0))


# %% wrong train_eval_gap: standard deviation of the difference -> spread-of-the-difference
import copy


def train_eval_gap(layer, batch):
    twin = copy.deepcopy(layer)
    return float(np.std(twin.eval()(batch) - twin.train()(batch)))


# %% wrong train_eval_gap: untouched -> NotImplementedError
def train_eval_gap(layer, batch):
    raise NotImplementedError()


# %% right ghost_batchnorm: a loop over starts
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    y = np.empty_like(x)
    for start in range(0, len(x), ghost_size):
        group = x[start : start + ghost_size]
        x_hat = (group - group.mean(axis=0)) / np.sqrt(group.var(axis=0) + eps)
        y[start : start + ghost_size] = gamma * x_hat + beta
    return y


# %% right ghost_batchnorm: split at the starts, then concatenate
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    def normal(group):
        return (group - group.mean(axis=0)) / np.sqrt(group.var(axis=0) + eps)

    groups = np.split(x, np.arange(ghost_size, len(x), ghost_size))
    return gamma * np.concatenate([normal(group) for group in groups]) + beta


# %% right ghost_batchnorm: group numbers and sums
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    wide = x.astype(np.float64)
    group = np.arange(len(x)) // ghost_size
    count = np.bincount(group)[:, None]
    mean = np.zeros((count.size, x.shape[1]))
    np.add.at(mean, group, wide)
    mean /= count
    centered = wide - mean[group]
    var = np.zeros_like(mean)
    np.add.at(var, group, centered**2)
    var /= count
    return (gamma * centered / np.sqrt(var[group] + eps) + beta).astype(x.dtype)


# %% right ghost_batchnorm: calls itself on the rest
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    first, rest = x[:ghost_size], x[ghost_size:]
    x_hat = (first - first.mean(axis=0)) / np.sqrt(first.var(axis=0) + eps)
    y = gamma * x_hat + beta
    if len(rest) == 0:
        return y
    return np.vstack([y, ghost_batchnorm(rest, gamma, beta, ghost_size, eps)])


# %% right ghost_batchnorm: whole groups by a third axis, the rest apart
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    n, c = x.shape
    whole = n - n % ghost_size
    parts = []
    for piece, size in ((x[:whole], ghost_size), (x[whole:], n - whole)):
        if size and len(piece):
            folded = piece.reshape(-1, size, c)
            mean = folded.mean(axis=1, keepdims=True)
            var = folded.var(axis=1, keepdims=True)
            parts.append(((folded - mean) / np.sqrt(var + eps)).reshape(-1, c))
    return (gamma * np.concatenate(parts) + beta).astype(x.dtype)


# %% wrong ghost_batchnorm: the whole batch -> whole-batch
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta


# %% wrong ghost_batchnorm: so many groups
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    parts = [part for part in np.array_split(x, ghost_size) if len(part)]
    return np.concatenate(
        [gamma * (p - p.mean(axis=0)) / np.sqrt(p.var(axis=0) + eps) + beta for p in parts]
    )


# %% wrong ghost_batchnorm: rows dealt out -> rows-dealt-out
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    y = np.empty_like(x)
    count = -(-len(x) // ghost_size)
    for k in range(count):
        p = x[k::count]
        y[k::count] = gamma * (p - p.mean(axis=0)) / np.sqrt(p.var(axis=0) + eps) + beta
    return y


# %% wrong ghost_batchnorm: the rest is dropped -> remainder-dropped
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    size = min(ghost_size, len(x))
    parts = [x[k * size : (k + 1) * size] for k in range(len(x) // size)]
    return np.concatenate(
        [gamma * (p - p.mean(axis=0)) / np.sqrt(p.var(axis=0) + eps) + beta for p in parts]
    )


# %% wrong ghost_batchnorm: array_split into even groups -> even-groups
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    parts = np.array_split(x, -(-len(x) // ghost_size))
    return np.concatenate(
        [gamma * (p - p.mean(axis=0)) / np.sqrt(p.var(axis=0) + eps) + beta for p in parts]
    )


# %% wrong ghost_batchnorm: rest goes with the group before -> remainder-merged
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    count = max(len(x) // ghost_size, 1)
    parts = np.split(x, [k * ghost_size for k in range(1, count)])
    return np.concatenate(
        [gamma * (p - p.mean(axis=0)) / np.sqrt(p.var(axis=0) + eps) + beta for p in parts]
    )


# %% wrong ghost_batchnorm: unbiased -> unbiased-variance
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    y = np.empty_like(x)
    for k in range(0, len(x), ghost_size):
        p = x[k : k + ghost_size]
        with np.errstate(all="ignore"):
            var = np.square(p - p.mean(axis=0)).sum(axis=0) / np.float64(len(p) - 1)
            y[k : k + ghost_size] = gamma * (p - p.mean(axis=0)) / np.sqrt(var + eps) + beta
    return y


# %% wrong ghost_batchnorm: no gamma, no beta -> gamma-beta-forgotten
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    y = np.empty_like(x)
    for k in range(0, len(x), ghost_size):
        p = x[k : k + ghost_size]
        y[k : k + ghost_size] = (p - p.mean(axis=0)) / np.sqrt(p.var(axis=0) + eps)
    return y


# %% wrong ghost_batchnorm: variance of the whole batch -> variance-of-the-whole-batch
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    y = np.empty_like(x)
    for k in range(0, len(x), ghost_size):
        p = x[k : k + ghost_size]
        y[k : k + ghost_size] = gamma * (p - p.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta
    return y


# %% wrong ghost_batchnorm: in place -> modifies-argument
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    for k in range(0, len(x), ghost_size):
        p = x[k : k + ghost_size]
        x[k : k + ghost_size] = gamma * (p - p.mean(axis=0)) / np.sqrt(p.var(axis=0) + eps) + beta
    return x


# %% wrong ghost_batchnorm: float64 for float32 -> dtype
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    y = np.empty(x.shape)
    for k in range(0, len(x), ghost_size):
        p = x[k : k + ghost_size].astype(np.float64)
        y[k : k + ghost_size] = gamma * (p - p.mean(axis=0)) / np.sqrt(p.var(axis=0) + eps) + beta
    return y


# %% wrong ghost_batchnorm: E[x²] − E[x]² -> mean-of-squares-minus-square-of-mean
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    y = np.empty_like(x)
    for k in range(0, len(x), ghost_size):
        p = x[k : k + ghost_size]
        mean = p.mean(axis=0)
        var = np.square(p).mean(axis=0) - np.square(mean)
        with np.errstate(all="ignore"):
            y[k : k + ghost_size] = gamma * (p - mean) / np.sqrt(np.abs(var) + eps) + beta
    return y


# %% wrong ghost_batchnorm: eps outside -> eps-outside-the-root
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    y = np.empty_like(x)
    with np.errstate(all="ignore"):
        for k in range(0, len(x), ghost_size):
            p = x[k : k + ghost_size]
            y[k : k + ghost_size] = gamma * (p - p.mean(axis=0)) / (p.std(axis=0) + eps) + beta
    return y


# %% wrong ghost_batchnorm: no eps -> eps-left-out
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    y = np.empty_like(x)
    for start in range(0, len(x), ghost_size):
        rows = x[start : start + ghost_size]
        with np.errstate(all="ignore"):
            y[start : start + ghost_size] = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    return gamma * y + beta


# %% wrong ghost_batchnorm: untouched -> NotImplementedError
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    raise NotImplementedError()


# %% right batch_renorm: line by line
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean, std = x.mean(axis=0), np.sqrt(x.var(axis=0) + eps)
    sigma = np.sqrt(running_var + eps)
    r = np.clip(std / sigma, 1 / r_max, r_max)
    d = np.clip((mean - running_mean) / sigma, -d_max, d_max)
    return (x - mean) / std * r + d


# %% right batch_renorm: scale and shift of x itself, in float64
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    wide = x.astype(np.float64)
    mean, var = wide.mean(axis=0), wide.var(axis=0)
    std, sigma = (var + eps) ** 0.5, (running_var.astype(np.float64) + eps) ** 0.5
    scale = np.minimum(np.maximum(std / sigma, 1 / r_max), r_max) / std
    shift = np.minimum(np.maximum((mean - running_mean) / sigma, -d_max), d_max)
    return (scale * (wide - mean) + shift).astype(x.dtype)


# %% right batch_renorm: clips the logarithm of r
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean = np.mean(x, axis=0, dtype=np.float64)
    centered = x - mean
    var = np.mean(centered**2, axis=0)
    log_r = 0.5 * np.log((var + eps) / (running_var + eps))
    r = np.exp(np.clip(log_r, -np.log(r_max), np.log(r_max)))
    d = np.clip((mean - running_mean) * (running_var + eps) ** -0.5, -d_max, d_max)
    return np.asarray(centered * (r / np.sqrt(var + eps)) + d, dtype=x.dtype)


# %% right batch_renorm: feature by feature
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    out = np.empty_like(x)
    for c in range(x.shape[1]):
        column = x[:, c].astype(np.float64)
        std, sigma = np.sqrt(column.var() + eps), np.sqrt(float(running_var[c]) + eps)
        r = min(max(std / sigma, 1 / r_max), r_max)
        d = min(max((column.mean() - running_mean[c]) / sigma, -d_max), d_max)
        out[:, c] = (column - column.mean()) / std * r + d
    return out


# %% wrong batch_renorm: plain batch norm -> not-corrected
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)


# %% wrong batch_renorm: evaluation mode -> running-statistics-only
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    return (x - running_mean) / np.sqrt(running_var + eps)


# %% wrong batch_renorm: r upside down -> r-upside-down
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean, std, sigma = x.mean(axis=0), np.sqrt(x.var(axis=0) + eps), np.sqrt(running_var + eps)
    r = np.clip(sigma / std, 1 / r_max, r_max)
    return (x - mean) / std * r + np.clip((mean - running_mean) / sigma, -d_max, d_max)


# %% wrong batch_renorm: d by the batch's width -> d-by-the-batch
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean, std, sigma = x.mean(axis=0), np.sqrt(x.var(axis=0) + eps), np.sqrt(running_var + eps)
    r = np.clip(std / sigma, 1 / r_max, r_max)
    return (x - mean) / std * r + np.clip((mean - running_mean) / std, -d_max, d_max)


# %% wrong batch_renorm: sign of d -> sign-of-d
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean, std, sigma = x.mean(axis=0), np.sqrt(x.var(axis=0) + eps), np.sqrt(running_var + eps)
    r = np.clip(std / sigma, 1 / r_max, r_max)
    return (x - mean) / std * r + np.clip((running_mean - mean) / sigma, -d_max, d_max)


# %% wrong batch_renorm: shift before scale -> shift-before-scale
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean, std, sigma = x.mean(axis=0), np.sqrt(x.var(axis=0) + eps), np.sqrt(running_var + eps)
    r = np.clip(std / sigma, 1 / r_max, r_max)
    return ((x - mean) / std + np.clip((mean - running_mean) / sigma, -d_max, d_max)) * r


# %% wrong batch_renorm: r limited from above only -> r-clipped-on-one-side
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean, std, sigma = x.mean(axis=0), np.sqrt(x.var(axis=0) + eps), np.sqrt(running_var + eps)
    r = np.minimum(std / sigma, r_max)
    return (x - mean) / std * r + np.clip((mean - running_mean) / sigma, -d_max, d_max)


# %% wrong batch_renorm: r between −r_max and r_max -> r-clipped-on-one-side
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean, std, sigma = x.mean(axis=0), np.sqrt(x.var(axis=0) + eps), np.sqrt(running_var + eps)
    r = np.clip(std / sigma, -r_max, r_max)
    return (x - mean) / std * r + np.clip((mean - running_mean) / sigma, -d_max, d_max)


# %% wrong batch_renorm: running variance without a root -> variance-for-standard-deviation
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean, std, sigma = x.mean(axis=0), np.sqrt(x.var(axis=0) + eps), running_var + eps
    r = np.clip(std / sigma, 1 / r_max, r_max)
    return (x - mean) / std * r + np.clip((mean - running_mean) / sigma, -d_max, d_max)


# %% wrong batch_renorm: unbiased -> unbiased-variance
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean, sigma = x.mean(axis=0), np.sqrt(running_var + eps)
    std = np.sqrt(x.var(axis=0, ddof=1) + eps)
    r = np.clip(std / sigma, 1 / r_max, r_max)
    return (x - mean) / std * r + np.clip((mean - running_mean) / sigma, -d_max, d_max)


# %% wrong batch_renorm: updates the running mean -> modifies-argument
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean, std, sigma = x.mean(axis=0), np.sqrt(x.var(axis=0) + eps), np.sqrt(running_var + eps)
    r = np.clip(std / sigma, 1 / r_max, r_max)
    d = np.clip((mean - running_mean) / sigma, -d_max, d_max)
    running_mean += 0.1 * (mean - running_mean)
    return (x - mean) / std * r + d


# %% wrong batch_renorm: adds d to running mean, float64 -> dtype
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    wide = x.astype(np.float64)
    mean, std = wide.mean(axis=0), np.sqrt(wide.var(axis=0) + eps)
    sigma = np.sqrt(running_var + eps)
    r = np.clip(std / sigma, 1 / r_max, r_max)
    return (wide - mean) / std * r + np.clip((mean - running_mean) / sigma, -d_max, d_max)


# %% wrong batch_renorm: eps outside the roots -> eps-outside-the-root
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean, std, sigma = x.mean(axis=0), x.std(axis=0) + eps, np.sqrt(running_var) + eps
    with np.errstate(all="ignore"):
        r = np.clip(std / sigma, 1 / r_max, r_max)
        return (x - mean) / std * r + np.clip((mean - running_mean) / sigma, -d_max, d_max)


# %% wrong batch_renorm: r not clipped -> r-not-clipped
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean, ours = x.mean(axis=0), np.sqrt(x.var(axis=0) + eps)
    theirs = np.sqrt(running_var + eps)
    with np.errstate(all="ignore"):
        r = ours / theirs
        d = np.clip((mean - running_mean) / theirs, -d_max, d_max)
        return (x - mean) / ours * r + d


# %% wrong batch_renorm: d not clipped -> d-not-clipped
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean, ours = x.mean(axis=0), np.sqrt(x.var(axis=0) + eps)
    theirs = np.sqrt(running_var + eps)
    with np.errstate(all="ignore"):
        r = np.clip(ours / theirs, 1 / r_max, r_max)
        d = (mean - running_mean) / theirs
        return (x - mean) / ours * r + d


# %% wrong batch_renorm: no eps in the batch's root -> eps-left-out-of-batch
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean, ours = x.mean(axis=0), np.sqrt(x.var(axis=0))
    theirs = np.sqrt(running_var + eps)
    with np.errstate(all="ignore"):
        r = np.clip(ours / theirs, 1 / r_max, r_max)
        d = np.clip((mean - running_mean) / theirs, -d_max, d_max)
        return (x - mean) / ours * r + d


# %% wrong batch_renorm: no eps in the running root -> eps-left-out-of-running
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean, ours = x.mean(axis=0), np.sqrt(x.var(axis=0) + eps)
    theirs = np.sqrt(running_var)
    with np.errstate(all="ignore"):
        r = np.clip(ours / theirs, 1 / r_max, r_max)
        d = np.clip((mean - running_mean) / theirs, -d_max, d_max)
        return (x - mean) / ours * r + d


# %% wrong batch_renorm: no eps at all -> eps-left-out
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    mean, ours = x.mean(axis=0), np.sqrt(x.var(axis=0))
    theirs = np.sqrt(running_var)
    with np.errstate(all="ignore"):
        r = np.clip(ours / theirs, 1 / r_max, r_max)
        d = np.clip((mean - running_mean) / theirs, -d_max, d_max)
        return (x - mean) / ours * r + d


# %% wrong batch_renorm: untouched -> NotImplementedError
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    raise NotImplementedError()
