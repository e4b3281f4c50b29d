# --- shift_block ---


# %% right shift_block: as in the text
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    values = bl.load(x + at, mask=at < n, other=0.0)
    bl.store(y + at, values + shift, mask=at < n)


# %% right shift_block: every so-many-th entry
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    at = bl.program_id(0) + bl.arange(0, BLOCK) * bl.num_programs(0)
    bl.store(y + at, bl.load(x + at, mask=at < n) + shift, mask=at < n)


# %% right shift_block: entry by entry
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    first = bl.program_id(0) * BLOCK
    for at in range(first, min(first + BLOCK, n)):
        bl.store(y + at, bl.load(x + at) + shift)


# %% right shift_block: the first program does it all
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    if bl.program_id(0) == 0:
        for start in range(0, n, BLOCK):
            at = start + bl.arange(0, BLOCK)
            bl.store(y + at, shift + bl.load(x + at, at < n, 0.0), at < n)


# %% right shift_block: from the last block to the first, and pointers moved
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    start = (bl.num_programs(0) - 1 - bl.program_id(0)) * BLOCK
    lanes = bl.arange(0, BLOCK)
    mine = start + lanes < n
    bl.store(y + start + lanes, bl.load(x + start + lanes, mine, 0) + shift, mine)


# %% wrong shift_block: no mask -> OutOfBoundsError
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    bl.store(y + at, bl.load(x + at) + shift)


# %% wrong shift_block: a mask for the load alone
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    bl.store(y + at, bl.load(x + at, mask=at < n, other=0.0) + shift)


# %% wrong shift_block: a mask for the store alone
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    bl.store(y + at, bl.load(x + at) + shift, mask=at < n)


# %% wrong shift_block: no program id -> first-block-only
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    at = bl.arange(0, BLOCK)
    bl.store(y + at, bl.load(x + at, mask=at < n, other=0.0) + shift, mask=at < n)


# %% wrong shift_block: the last entry left out -> last-entry-left-out
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    inside = at < n - 1
    bl.store(y + at, bl.load(x + at, mask=inside, other=0.0) + shift, mask=inside)


# %% wrong shift_block: blocks that overlap
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    at = bl.program_id(0) + bl.arange(0, BLOCK)
    bl.store(y + at, bl.load(x + at, mask=at < n, other=0.0) + shift, mask=at < n)


# %% wrong shift_block: each program does it all -> programs-race
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    for start in range(0, n, BLOCK):
        at = start + bl.arange(0, BLOCK)
        bl.store(y + at, bl.load(x + at, at < n, 0.0) + shift, at < n)


# %% wrong shift_block: x loaded twice -> reads-too-often
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    good = bl.load(x + at, at < n, 0.0) == bl.load(x + at, at < n, 0.0)
    bl.store(y + at, bl.load(x + at, at < n, 0.0) + shift, mask=good & (at < n))


# %% wrong shift_block: in place -> writes-into-x
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    bl.store(x + at, bl.load(x + at, at < n, 0.0) + shift, at < n)
    bl.store(y + at, bl.load(x + at, at < n, 0.0), at < n)


# %% wrong shift_block: adds the shift to the pointer
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    bl.store(y + at, bl.load(x + at + int(shift), at < n, 0.0), at < n)


# %% wrong shift_block: as if it were an array
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    y[at] = x[at] + shift


# %% wrong shift_block: four lanes, as in the example -> four-lanes
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    at = bl.program_id(0) * 4 + bl.arange(0, 4)
    m = at < n
    bl.store(y + at, bl.load(x + at, mask=m, other=0.0) + shift, mask=m)


# %% wrong shift_block: subtracts
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    bl.store(y + at, bl.load(x + at, at < n, 0.0) - shift, at < n)


# %% wrong shift_block: returns what belongs in y -> never-stored
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    return bl.load(x + at, at < n, 0.0) + shift


# %% wrong shift_block: the stub
from bnlib import blocks as bl


def shift_block(x, y, shift, n, BLOCK):
    raise NotImplementedError()


# --- stats_block ---


# %% right stats_block: as in the text
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    total = squares = 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += bl.sum(bl.load(x + at, mask=i < m, other=0.0))
    mu = total / m
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        v = bl.load(x + at, mask=i < m, other=0.0)
        squares += bl.sum((bl.where(i < m, v - mu, 0.0)) ** 2)
    bl.store(mean + c, mu)
    bl.store(var + c, squares / m)


# %% right stats_block: blocks of sums, added up at the end
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    total, squares = bl.zeros((BLOCK,)), bl.zeros((BLOCK,))
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        total = total + bl.load(x + (i // L * C + c) * L + i % L, i < m, 0)
    mu = bl.sum(total) / m
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        v = bl.load(x + (i // L * C + c) * L + i % L, i < m, mu)  # a masked lane is the mean
        squares = squares + (v - mu) ** 2
    bl.store(mean + c, mu)
    bl.store(var + c, bl.sum(squares) / m)


# %% right stats_block: one pass, blocks merged by Chan's formula
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    count, mu, m2 = 0, 0.0, 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        v = bl.load(x + (i // L) * C * L + c * L + i % L, i < m, 0.0)
        n = min(BLOCK, m - start)
        b = bl.sum(v) / n
        d = bl.where(i < m, v - b, 0.0)
        m2 += bl.sum(d * d) + (b - mu) ** 2 * count * n / (count + n)
        mu += (b - mu) * n / (count + n)
        count += n
    bl.store(mean + c, mu)
    bl.store(var + c, m2 / m)


# %% right stats_block: image by image
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c = bl.program_id(0)
    total = squares = 0.0
    for n in range(N):
        for l in range(0, L, BLOCK):
            j = l + bl.arange(0, BLOCK)
            total += bl.sum(bl.load(x + n * C * L + c * L + j, j < L, 0.0))
    mu = total / (N * L)
    for n in range(N):
        for l in range(0, L, BLOCK):
            j = l + bl.arange(0, BLOCK)
            v = bl.load(x + n * C * L + c * L + j, j < L, 0.0)
            squares += bl.sum((v - mu) ** 2 * (j < L))
    bl.store(mean + c, mu)
    bl.store(var + c, squares / (N * L))


# %% right stats_block: the whole channel kept, and read once
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    import numpy as np

    c, m = bl.program_id(0), N * L
    parts = []
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        parts.append(bl.load(x + (i // L) * C * L + c * L + i % L, i < m, 0.0)[i < m])
    v = np.concatenate(parts).astype(float)
    bl.store(mean + c, v.mean())
    bl.store(var + c, v.var())


# %% right stats_block: two axes of a block
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    import numpy as np

    c = bl.program_id(0)
    n, l = np.arange(N)[:, None], np.arange(L)[None, :]
    v = bl.load(x + n * C * L + c * L + l)
    mu = bl.sum(v) / (N * L)
    bl.store(mean + c, mu)
    bl.store(var + c, bl.sum((v - mu) ** 2) / (N * L))


# %% wrong stats_block: E[x²] − E[x]² -> cancelling-formula
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    s = q = 0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        v = bl.load(x + (i // L) * C * L + c * L + i % L, i < m, 0.0)
        s, q = s + bl.sum(v), q + bl.sum(v * v)
    bl.store(mean + c, s / m)
    bl.store(var + c, q / m - (s / m) ** 2)


# %% wrong stats_block: masked lanes in the variance -> masked-lanes-in-variance
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    total = squares = 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += bl.sum(bl.load(x + at, mask=i < m, other=0.0))
    mu = total / m
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        v = bl.load(x + at, mask=i < m, other=0.0)
        squares += bl.sum((v - mu) ** 2)
    bl.store(mean + c, mu)
    bl.store(var + c, squares / m)


# %% wrong stats_block: the first block alone -> first-block-only
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    total = squares = 0.0
    for start in range(0, BLOCK, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += bl.sum(bl.load(x + at, mask=i < m, other=0.0))
    mu = total / m
    for start in range(0, BLOCK, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        v = bl.load(x + at, mask=i < m, other=0.0)
        squares += bl.sum((bl.where(i < m, v - mu, 0.0)) ** 2)
    bl.store(mean + c, mu)
    bl.store(var + c, squares / m)


# %% wrong stats_block: divides by the lanes -> divides-by-lanes
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    total = squares = 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += bl.sum(bl.load(x + at, mask=i < m, other=0.0))
    mu = total / (-(-m // BLOCK) * BLOCK)
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        v = bl.load(x + at, mask=i < m, other=0.0)
        squares += bl.sum((bl.where(i < m, v - mu, 0.0)) ** 2)
    bl.store(mean + c, mu)
    bl.store(var + c, squares / (-(-m // BLOCK) * BLOCK))


# %% wrong stats_block: the unbiased variance -> divides-by-m-minus-1
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    total = squares = 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += bl.sum(bl.load(x + at, mask=i < m, other=0.0))
    mu = total / m
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        v = bl.load(x + at, mask=i < m, other=0.0)
        squares += bl.sum((bl.where(i < m, v - mu, 0.0)) ** 2)
    bl.store(mean + c, mu)
    bl.store(var + c, squares / (m - 1))


# %% wrong stats_block: N values a channel -> divides-by-n
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    total = squares = 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += bl.sum(bl.load(x + at, mask=i < m, other=0.0))
    mu = total / N
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        v = bl.load(x + at, mask=i < m, other=0.0)
        squares += bl.sum((bl.where(i < m, v - mu, 0.0)) ** 2)
    bl.store(mean + c, mu)
    bl.store(var + c, squares / N)


# %% wrong stats_block: as if x were (C, N, L) -> wrong-channel-stride
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    total = squares = 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = c * N * L + i
        total += bl.sum(bl.load(x + at, mask=i < m, other=0.0))
    mu = total / m
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = c * N * L + i
        v = bl.load(x + at, mask=i < m, other=0.0)
        squares += bl.sum((bl.where(i < m, v - mu, 0.0)) ** 2)
    bl.store(mean + c, mu)
    bl.store(var + c, squares / m)


# %% wrong stats_block: as if the channel were the last axis -> channels-last
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    total = squares = 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = i * C + c
        total += bl.sum(bl.load(x + at, mask=i < m, other=0.0))
    mu = total / m
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = i * C + c
        v = bl.load(x + at, mask=i < m, other=0.0)
        squares += bl.sum((bl.where(i < m, v - mu, 0.0)) ** 2)
    bl.store(mean + c, mu)
    bl.store(var + c, squares / m)


# %% wrong stats_block: the first image alone -> first-image-only
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), L
    total = squares = 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += bl.sum(bl.load(x + at, mask=i < m, other=0.0))
    mu = total / m
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        v = bl.load(x + at, mask=i < m, other=0.0)
        squares += bl.sum((bl.where(i < m, v - mu, 0.0)) ** 2)
    bl.store(mean + c, mu)
    bl.store(var + c, squares / m)


# %% wrong stats_block: no mask
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    total = squares = 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += bl.sum(bl.load(x + at, mask=None, other=0.0))
    mu = total / m
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        v = bl.load(x + at, mask=None, other=0.0)
        squares += bl.sum((bl.where(i < m, v - mu, 0.0)) ** 2)
    bl.store(mean + c, mu)
    bl.store(var + c, squares / m)


# %% wrong stats_block: no other -> undefined-lanes
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    total = squares = 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += bl.sum(bl.load(x + at, mask=i < m))
    mu = total / m
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        v = bl.load(x + at, mask=i < m)
        squares += bl.sum((bl.where(i < m, v - mu, 0.0)) ** 2)
    bl.store(mean + c, mu)
    bl.store(var + c, squares / m)


# %% wrong stats_block: standard deviation -> standard-deviation-for-variance
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    total = squares = 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += bl.sum(bl.load(x + at, mask=i < m, other=0.0))
    mu = total / m
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        v = bl.load(x + at, mask=i < m, other=0.0)
        squares += bl.sum((bl.where(i < m, v - mu, 0.0)) ** 2)
    bl.store(mean + c, mu)
    bl.store(var + c, (squares / m) ** 0.5)


# %% wrong stats_block: the sum of squares -> variance-not-divided
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    total = squares = 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += bl.sum(bl.load(x + at, mask=i < m, other=0.0))
    mu = total / m
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        v = bl.load(x + at, mask=i < m, other=0.0)
        squares += bl.sum((bl.where(i < m, v - mu, 0.0)) ** 2)
    bl.store(mean + c, mu)
    bl.store(var + c, squares)


# %% wrong stats_block: all programs store to the first entry -> programs-race
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    total = squares = 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += bl.sum(bl.load(x + at, mask=i < m, other=0.0))
    mu = total / m
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        v = bl.load(x + at, mask=i < m, other=0.0)
        squares += bl.sum((bl.where(i < m, v - mu, 0.0)) ** 2)
    bl.store(mean, mu)
    bl.store(var, squares / m)


# %% wrong stats_block: three passes -> reads-too-often
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    total = squares = 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += bl.sum(bl.load(x + at, mask=i < m, other=0.0))
    mu = total / m
    for n in range(N):
        bl.load(x + n * C * L + c * L)
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        v = bl.load(x + at, mask=i < m, other=0.0)
        squares += bl.sum((bl.where(i < m, v - mu, 0.0)) ** 2)
    bl.store(mean + c, mu)
    bl.store(var + c, squares / m)


# %% wrong stats_block: the means of blocks, averaged
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c, m = bl.program_id(0), N * L
    means, squares = [], 0.0
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        means.append(bl.sum(bl.load(x + (i // L) * C * L + c * L + i % L, i < m, 0.0)) / min(BLOCK, m - start))
    mu = sum(means) / len(means)
    for start in range(0, m, BLOCK):
        i = start + bl.arange(0, BLOCK)
        v = bl.load(x + (i // L) * C * L + c * L + i % L, i < m, mu)
        squares += bl.sum((v - mu) ** 2)
    bl.store(mean + c, mu)
    bl.store(var + c, squares / m)


# %% wrong stats_block: channel 0 in every program -> first-channel-only
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c = bl.program_id(0)
    m = N * L
    s = 0.0
    for st in range(0, m, BLOCK):
        i = st + bl.arange(0, BLOCK)
        s += bl.sum(bl.load(x + (i // L) * C * L + i % L, mask=i < m, other=0.0))
    mu = s / m
    q = 0.0
    for st in range(0, m, BLOCK):
        i = st + bl.arange(0, BLOCK)
        v = bl.load(x + (i // L) * C * L + i % L, mask=i < m, other=mu) - mu
        q += bl.sum(v * v)
    bl.store(mean + c, mu)
    bl.store(var + c, q / m)


# %% wrong stats_block: mean and variance swapped -> mean-and-variance-swapped
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    c = bl.program_id(0)
    m = N * L
    s = 0.0
    for st in range(0, m, BLOCK):
        i = st + bl.arange(0, BLOCK)
        s += bl.sum(bl.load(x + (i // L) * C * L + c * L + i % L, mask=i < m, other=0.0))
    mu = s / m
    q = 0.0
    for st in range(0, m, BLOCK):
        i = st + bl.arange(0, BLOCK)
        v = bl.load(x + (i // L) * C * L + c * L + i % L, mask=i < m, other=mu) - mu
        q += bl.sum(v * v)
    bl.store(mean + c, q / m)
    bl.store(var + c, mu)


# %% wrong stats_block: the stub
from bnlib import blocks as bl


def stats_block(x, mean, var, N, C, L, BLOCK):
    raise NotImplementedError()


# --- total_block ---


# %% right total_block: as in the text
from bnlib import blocks as bl


def total_block(x, total, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    part = bl.sum(bl.load(x + at, mask=at < n, other=0.0))
    bl.atomic_add(total, part)


# %% right total_block: lane by lane
from bnlib import blocks as bl


def total_block(x, total, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    bl.atomic_add(total + 0 * at, bl.load(x + at, at < n, 0.0), mask=at < n)


# %% right total_block: one program does it all
from bnlib import blocks as bl


def total_block(x, total, n, BLOCK):
    if bl.program_id(0) == 0:
        part = bl.load(total)
        for start in range(0, n, BLOCK):
            at = start + bl.arange(0, BLOCK)
            part += bl.sum(bl.load(x + at, at < n, 0.0))
        bl.store(total, part)


# %% right total_block: atomics, and the part by a loop
from bnlib import blocks as bl


def total_block(x, total, n, BLOCK):
    part, first = 0.0, bl.program_id(0) * BLOCK
    for at in range(first, min(first + BLOCK, n)):
        part += bl.load(x + at)
    bl.atomic_add(total + 0, part)


# %% right total_block: every so-many-th entry
from bnlib import blocks as bl


def total_block(x, total, n, BLOCK):
    at = bl.program_id(0) + bl.num_programs(0) * bl.arange(0, BLOCK)
    bl.atomic_add(total, bl.sum(bl.where(at < n, bl.load(x + at, at < n), 0.0)))


# %% wrong total_block: as handed out -> programs-race
from bnlib import blocks as bl


def total_block(x, total, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    part = bl.sum(bl.load(x + at, mask=at < n, other=0.0))
    bl.store(total, bl.load(total) + part)


# %% wrong total_block: the first program alone is not enough: it stores its own part
from bnlib import blocks as bl


def total_block(x, total, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    part = bl.sum(bl.load(x + at, mask=at < n, other=0.0))
    if bl.program_id(0) == 0:
        bl.store(total, bl.load(total) + part)


# %% wrong total_block: stores the part
from bnlib import blocks as bl


def total_block(x, total, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    part = bl.sum(bl.load(x + at, mask=at < n, other=0.0))
    bl.store(total, part)


# %% wrong total_block: adds atomically to what it loaded
from bnlib import blocks as bl


def total_block(x, total, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    part = bl.sum(bl.load(x + at, mask=at < n, other=0.0))
    bl.atomic_add(total, bl.load(total) + part)


# %% wrong total_block: atomics after a plain store
from bnlib import blocks as bl


def total_block(x, total, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    part = bl.sum(bl.load(x + at, mask=at < n, other=0.0))
    if bl.program_id(0) == 0:
        bl.store(total, 0.0)
    bl.atomic_add(total, part)


# %% wrong total_block: no other -> undefined-lanes
from bnlib import blocks as bl


def total_block(x, total, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    bl.atomic_add(total, bl.sum(bl.load(x + at, mask=at < n)))


# %% wrong total_block: no mask
from bnlib import blocks as bl


def total_block(x, total, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    bl.atomic_add(total, bl.sum(bl.load(x + at)))


# %% wrong total_block: no program id -> first-block-only
from bnlib import blocks as bl


def total_block(x, total, n, BLOCK):
    at = bl.arange(0, BLOCK)
    bl.atomic_add(total, bl.sum(bl.load(x + at, mask=at < n, other=0.0)))


# %% wrong total_block: each program sums everything
from bnlib import blocks as bl


def total_block(x, total, n, BLOCK):
    part = 0.0
    for start in range(0, n, BLOCK):
        at = start + bl.arange(0, BLOCK)
        part += bl.sum(bl.load(x + at, at < n, 0.0))
    bl.store(total, part)


# %% wrong total_block: to an entry of its own
from bnlib import blocks as bl


def total_block(x, total, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    part = bl.sum(bl.load(x + at, mask=at < n, other=0.0))
    bl.atomic_add(total + bl.program_id(0), part)


# %% wrong total_block: the stub
from bnlib import blocks as bl


def total_block(x, total, n, BLOCK):
    raise NotImplementedError()


# --- bn_stats_kernel ---


# %% right bn_stats_kernel: as in the text
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
    mean = tl.sum(total) / m
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


# %% right bn_stats_kernel: no casts: a float32 block of sums makes float32 of all
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at, mask=i < m, other=0.0)
    mean = tl.sum(total) / m
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


# %% right bn_stats_kernel: sums as numbers, block by block
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = 0.0
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        total += tl.sum(tl.load(x_ptr + (i // L * C + c) * L + i % L, i < m, 0.0).to(tl.float32))
    mean = total / m
    squares = 0.0
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + (i // L * C + c) * L + i % L, i < m, 0.0).to(tl.float32)
        squares += tl.sum(tl.where(i < m, (x - mean) * (x - mean), 0.0))
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, squares / m)


# %% right bn_stats_kernel: addresses by a function of its own
import triton
import triton.language as tl


@triton.jit
def places(i, c, C, L):
    return (i // L) * C * L + c * L + i % L


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        total += tl.load(x_ptr + places(i, c, C, L), mask=i < m, other=0.0)
    mean = tl.sum(total, axis=0) / m
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + places(i, c, C, L), mask=i < m, other=0.0)
        squares += tl.where(i < m, (x - mean) * (x - mean), 0)
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares, axis=0) / m)


# %% right bn_stats_kernel: image by image
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    total = tl.zeros((BLOCK,), tl.float32)
    squares = tl.zeros((BLOCK,), tl.float32)
    for n in range(N):
        for first in range(0, L, BLOCK):
            j = first + tl.arange(0, BLOCK)
            total += tl.load(x_ptr + n * C * L + c * L + j, mask=j < L, other=0.0)
    mean = tl.sum(total) / (N * L)
    for n in range(N):
        for first in range(0, L, BLOCK):
            j = first + tl.arange(0, BLOCK)
            x = tl.load(x_ptr + n * C * L + c * L + j, mask=j < L, other=0.0)
            squares += tl.where(j < L, (x - mean) * (x - mean), 0.0)
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / (N * L))


# %% right bn_stats_kernel: no other, but where
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.where(i < m, tl.load(x_ptr + at, mask=i < m), 0.0)
    mean = tl.sum(total) / m
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.where(i < m, tl.load(x_ptr + at, mask=i < m), 0.0)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


# %% right bn_stats_kernel: one pass, blocks merged by Chan's formula
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    count = 0.0
    mean = 0.0
    m2 = 0.0
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        n = tl.sum(tl.where(i < m, 1.0, 0.0))
        b = tl.sum(x) / n
        d = tl.where(i < m, x - b, 0.0)
        m2 += tl.sum(d * d) + (b - mean) * (b - mean) * count * n / (count + n)
        mean += (b - mean) * n / (count + n)
        count += n
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, m2 / m)


# %% wrong bn_stats_kernel: no mask -> StrayAddressError
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at).to(tl.float32)
    mean = tl.sum(total) / m
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at).to(tl.float32)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


# %% wrong bn_stats_kernel: a mask without other -> undefined-lanes
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at, mask=i < m).to(tl.float32)
    mean = tl.sum(total) / m
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m).to(tl.float32)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


# %% wrong bn_stats_kernel: masked lanes in the variance -> masked-lanes-in-variance
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
    mean = tl.sum(total) / m
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        d = x - mean
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


# %% wrong bn_stats_kernel: the first block alone -> first-block-only
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, BLOCK, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
    mean = tl.sum(total) / m
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, BLOCK, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


# %% wrong bn_stats_kernel: E[x²] − E[x]² -> cancelling-formula
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    s = tl.zeros((BLOCK,), tl.float32)
    q = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        s += x
        q += x * x
    mean = tl.sum(s) / m
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(q) / m - mean * mean)


# %% wrong bn_stats_kernel: sums in float16 -> sums-in-float16
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), x_ptr.dtype.element_ty)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at, mask=i < m, other=0.0)
    mean = tl.sum(total) / m
    squares = tl.zeros((BLOCK,), x_ptr.dtype.element_ty)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


# %% wrong bn_stats_kernel: the unbiased variance -> divides-by-m-minus-1
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
    mean = tl.sum(total) / m
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / (m - 1))


# %% wrong bn_stats_kernel: as if x were (C, N, L) -> wrong-channel-stride
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = c * N * L + i
        total += tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
    mean = tl.sum(total) / m
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = c * N * L + i
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


# %% wrong bn_stats_kernel: as if the channel were the last axis -> channels-last
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = i * C + c
        total += tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
    mean = tl.sum(total) / m
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = i * C + c
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


# %% wrong bn_stats_kernel: the first image alone -> first-image-only
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
    mean = tl.sum(total) / m
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


# %% wrong bn_stats_kernel: no program id -> undefined-lanes
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = 0
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
    mean = tl.sum(total) / m
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


# %% wrong bn_stats_kernel: sums stored
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
    mean = tl.sum(total) / 1
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / 1)


# %% wrong bn_stats_kernel: stores blocks of lanes
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
    mean = tl.sum(total) / m
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c + tl.arange(0, BLOCK), mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


# %% wrong bn_stats_kernel: a plain function -> KernelError
import triton
import triton.language as tl


def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
    mean = tl.sum(total) / m
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


# %% wrong bn_stats_kernel: a name that Triton does not have
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
    mean = tl.mean(total) / m
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


# %% wrong bn_stats_kernel: the stub
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    raise NotImplementedError()


# --- bn_apply_kernel ---


# %% right bn_apply_kernel: as in the text
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c, mask=inside, other=1.0)
    var = tl.load(var_ptr + c, mask=inside, other=1.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=1.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=1.0)
    x = tl.load(x_ptr + at, mask=inside, other=1.0).to(tl.float32)
    tl.store(y_ptr + at, gamma * (x - mean) / tl.sqrt(var + eps) + beta, mask=inside)


# %% right bn_apply_kernel: masks without other: what is undefined is not stored
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c, mask=inside)
    var = tl.load(var_ptr + c, mask=inside)
    gamma = tl.load(gamma_ptr + c, mask=inside)
    beta = tl.load(beta_ptr + c, mask=inside)
    x = tl.load(x_ptr + at, mask=inside).to(tl.float32)
    tl.store(y_ptr + at, gamma * (x - mean) / tl.sqrt(var + eps) + beta, mask=inside)


# %% right bn_apply_kernel: the channel by remainders
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at % (C * L)) // L
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=0.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + at, gamma * (x - mean) / tl.sqrt(var + eps) + beta, mask=inside)


# %% right bn_apply_kernel: a channel's numbers without mask: they are always there
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c)
    var = tl.load(var_ptr + c)
    gamma = tl.load(gamma_ptr + c)
    beta = tl.load(beta_ptr + c)
    x = tl.load(x_ptr + at, mask=at < size, other=0.0)
    tl.store(y_ptr + at, gamma * (x - mean) / tl.sqrt(var + eps) + beta, mask=inside)


# %% right bn_apply_kernel: scale and shift first
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    c = (at // L) % C
    scale = tl.load(gamma_ptr + c) * tl.rsqrt(tl.load(var_ptr + c) + eps)
    shift = tl.load(beta_ptr + c) - tl.load(mean_ptr + c) * scale
    x = tl.load(x_ptr + at, mask=at < size)
    tl.store(y_ptr + at, x * scale + shift, mask=at < size)


# %% right bn_apply_kernel: a loop that would do for any grid
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    for first in range(tl.program_id(0) * BLOCK, size, tl.num_programs(0) * BLOCK):
        at = first + tl.arange(0, BLOCK)
        inside = at < size
        c = (at // L) % C
        x_hat = (tl.load(x_ptr + at, inside, 0.0) - tl.load(mean_ptr + c)) / tl.sqrt(tl.load(var_ptr + c) + eps)
        y = tl.load(gamma_ptr + c) * x_hat + tl.load(beta_ptr + c)
        tl.store(y_ptr + at, y.to(y_ptr.dtype.element_ty), inside)


# %% wrong bn_apply_kernel: no mask -> StrayAddressError
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c)
    var = tl.load(var_ptr + c)
    gamma = tl.load(gamma_ptr + c)
    beta = tl.load(beta_ptr + c)
    x = tl.load(x_ptr + at).to(tl.float32)
    tl.store(y_ptr + at, gamma * (x - mean) / tl.sqrt(var + eps) + beta)


# %% wrong bn_apply_kernel: no mask for the store -> StrayAddressError
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=0.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + at, gamma * (x - mean) / tl.sqrt(var + eps) + beta)


# %% wrong bn_apply_kernel: no program id -> first-block-only
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=0.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + at, gamma * (x - mean) / tl.sqrt(var + eps) + beta, mask=inside)


# %% wrong bn_apply_kernel: at % C -> wrong-channel-of-an-entry
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = at % C
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=0.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + at, gamma * (x - mean) / tl.sqrt(var + eps) + beta, mask=inside)


# %% wrong bn_apply_kernel: a program for each channel
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = tl.program_id(0)
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=0.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + at, gamma * (x - mean) / tl.sqrt(var + eps) + beta, mask=inside)


# %% wrong bn_apply_kernel: no % C
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = at // L
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=0.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + at, gamma * (x - mean) / tl.sqrt(var + eps) + beta, mask=inside)


# %% wrong bn_apply_kernel: eps outside the root -> eps-outside-the-root
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=0.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + at, gamma * (x - mean) / (tl.sqrt(var) + eps) + beta, mask=inside)


# %% wrong bn_apply_kernel: no eps -> eps-forgotten
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=0.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + at, gamma * (x - mean) / tl.sqrt(var) + beta, mask=inside)


# %% wrong bn_apply_kernel: divides by the variance -> divides-by-variance
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=0.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + at, gamma * (x - mean) / (var + eps) + beta, mask=inside)


# %% wrong bn_apply_kernel: no gamma and beta -> no-affine
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=0.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + at, (x - mean) / tl.sqrt(var + eps), mask=inside)


# %% wrong bn_apply_kernel: beta scaled, too -> beta-scaled
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=0.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + at, gamma * ((x - mean) / tl.sqrt(var + eps) + beta), mask=inside)


# %% wrong bn_apply_kernel: over x -> writes-an-input
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=0.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(x_ptr + at, gamma * (x - mean) / tl.sqrt(var + eps) + beta, mask=inside)


# %% wrong bn_apply_kernel: eps fixed
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=0.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + at, gamma * (x - mean) / tl.sqrt(var + 1e-5) + beta, mask=inside)


# %% wrong bn_apply_kernel: rounded to whole numbers on the way
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=0.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + at, (gamma * (x - mean) / tl.sqrt(var + eps) + beta).to(tl.int32), mask=inside)


# %% wrong bn_apply_kernel: the stub
import triton
import triton.language as tl


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    raise NotImplementedError()


# --- triton_bn_forward ---


# %% given triton_bn_forward: kernels that work
import torch
import triton
import triton.language as tl


@triton.jit
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
    mean = tl.sum(total) / m
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        d = tl.where(i < m, x - mean, 0.0)
        squares += d * d
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


@triton.jit
def bn_apply_kernel(
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=0.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + at, gamma * (x - mean) / tl.sqrt(var + eps) + beta, mask=inside)


# %% right triton_bn_forward: as in the text
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    y = torch.empty_like(x)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y, mean, var


# %% right triton_bn_forward: a grid that is a function, and a list that comes back
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    y = torch.empty_like(x)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[lambda meta: (triton.cdiv(size, meta['BLOCK']),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return [y, mean, var]


# %% right triton_bn_forward: a block that holds everything
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), triton.next_power_of_2(x.numel())
    L = size // (N * C)
    y = torch.empty_like(x)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y, mean, var


# %% right triton_bn_forward: strides kept out by a flat copy
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    shape = x.shape
    x = x.reshape(*shape[:2], -1).clone(memory_format=torch.contiguous_format)
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    y = torch.empty_like(x)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y.view(shape), mean, var


# %% right triton_bn_forward: small blocks, two rows of one tensor for the moments
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 128
    L = size // (N * C)
    y = torch.empty_like(x)
    mean, var = torch.zeros(2, C)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y, mean, var


# %% wrong triton_bn_forward: strides forgotten
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    y = torch.empty_like(x)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y, mean, var


# %% wrong triton_bn_forward: strides forgotten, y like x -> not-contiguous
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    y = torch.empty(x.shape, dtype=x.dtype)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y, mean, var


# %% wrong triton_bn_forward: a program for each channel applies -> entries-never-written
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 16
    L = size // (N * C)
    y = torch.empty_like(x)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(C,)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y, mean, var


# %% wrong triton_bn_forward: blocks rounded down -> entries-never-written
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    y = torch.empty_like(x)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(max(size // BLOCK, 1),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y, mean, var


# %% wrong triton_bn_forward: one program for the statistics
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    y = torch.empty_like(x)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(1,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y, mean, var


# %% wrong triton_bn_forward: eps not passed on -> eps-ignored
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    y = torch.empty_like(x)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, 1e-5, BLOCK=BLOCK)
    return y, mean, var


# %% wrong triton_bn_forward: gamma and beta swapped
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    y = torch.empty_like(x)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, beta, gamma, y, C, L, size, eps, BLOCK=BLOCK)
    return y, mean, var


# %% wrong triton_bn_forward: y alone
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    y = torch.empty_like(x)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y


# %% wrong triton_bn_forward: 1/√(var + eps) for var -> inverse-std-for-variance
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    y = torch.empty_like(x)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y, mean, torch.rsqrt(var + eps)


# %% wrong triton_bn_forward: y always float32
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    y = torch.empty(x.shape)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y, mean, var


# %% wrong triton_bn_forward: moments in the dtype of x
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    y = torch.empty_like(x)
    mean, var = torch.empty(C, dtype=x.dtype), torch.empty(C, dtype=x.dtype)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y, mean, var


# %% wrong triton_bn_forward: over x itself -> arguments-changed
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    y = x
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y, mean, var


# %% wrong triton_bn_forward: no kernel at all -> KernelError
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    axes = (0, *range(2, x.ndim))
    var, mean = torch.var_mean(x.float(), axes, correction=0)
    shape = (1, -1, *(1,) * (x.ndim - 2))
    y = (x - mean.view(shape)) / torch.sqrt(var.view(shape) + eps) * gamma.view(shape) + beta.view(shape)
    return y.to(x.dtype), mean, var


# %% wrong triton_bn_forward: the statistics by torch -> KernelError
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, y = x.numel(), torch.empty_like(x)
    var, mean = torch.var_mean(x.float().view(N, C, -1), (0, 2), correction=0)
    bn_apply_kernel[(triton.cdiv(size, 1024),)](x, mean, var, gamma, beta, y, C, size // (N * C), size, eps, BLOCK=1024)
    return y, mean, var


# %% wrong triton_bn_forward: NumPy arrays come back
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    y = torch.empty_like(x)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y.double(), mean, var


# %% wrong triton_bn_forward: (N, C) only
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = 1
    y = torch.empty_like(x)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y, mean, var


# %% wrong triton_bn_forward: y with the strides of x -> result-not-contiguous
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    y, x = torch.empty_like(x), x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y, mean, var


# %% wrong triton_bn_forward: the variance before the mean -> mean-and-variance-swapped
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    size, BLOCK = x.numel(), 1024
    L = size // (N * C)
    y = torch.empty_like(x)
    mean, var = torch.empty(C, dtype=torch.float32), torch.empty(C, dtype=torch.float32)
    bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)
    bn_apply_kernel[(triton.cdiv(size, BLOCK),)](x, mean, var, gamma, beta, y, C, L, size, eps, BLOCK=BLOCK)
    return y, var, mean


# %% wrong triton_bn_forward: the stub
def triton_bn_forward(x, gamma, beta, eps=1e-5):
    raise NotImplementedError()


# --- bn_backward_kernel ---


# %% right bn_backward_kernel: as in the text
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta / m - x_hat * dgamma / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% right bn_backward_kernel: the factor and the means first
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    scale = gamma * inv_std
    shift = scale * dbeta / m
    slope = scale * dgamma / m
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, scale * dy - shift - x_hat * slope, mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% right bn_backward_kernel: inv_std taken out of the sum
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean)
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat) * inv_std
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta / m - x_hat * dgamma / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% right bn_backward_kernel: rsqrt, and no casts
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = tl.rsqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta / m - x_hat * dgamma / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% right bn_backward_kernel: image by image
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean, gamma = tl.load(mean_ptr + c), tl.load(gamma_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    dbeta = 0.0
    dgamma = 0.0
    for n in range(N):
        for first in range(0, L, BLOCK):
            j = first + tl.arange(0, BLOCK)
            at = n * C * L + c * L + j
            dy = tl.load(dy_ptr + at, mask=j < L, other=0.0).to(tl.float32)
            x_hat = (tl.load(x_ptr + at, mask=j < L, other=0.0) - mean) * inv_std
            dbeta += tl.sum(dy)
            dgamma += tl.sum(dy * x_hat)
    for n in range(N):
        for first in range(0, L, BLOCK):
            j = first + tl.arange(0, BLOCK)
            at = n * C * L + c * L + j
            dy = tl.load(dy_ptr + at, mask=j < L, other=0.0).to(tl.float32)
            x_hat = (tl.load(x_ptr + at, mask=j < L, other=0.0) - mean) * inv_std
            tl.store(dx_ptr + at, gamma * inv_std * (dy - (dbeta + x_hat * dgamma) / m), mask=j < L)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% wrong bn_backward_kernel: detached -> detached-statistics
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * dy, mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% wrong bn_backward_kernel: no mean path -> missing-mean-path
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - x_hat * dgamma / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% wrong bn_backward_kernel: no variance path -> missing-variance-path
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% wrong bn_backward_kernel: sums for means -> sums-for-means
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta - x_hat * dgamma), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% wrong bn_backward_kernel: no gamma -> gamma-forgotten-in-dx
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, inv_std * (dy - dbeta / m - x_hat * dgamma / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% wrong bn_backward_kernel: dgamma with x − mean -> centered-x-for-x-hat
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean)
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta / m - x_hat * dgamma * inv_std / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% wrong bn_backward_kernel: no eps -> eps-forgotten
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c))
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta / m - x_hat * dgamma / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% wrong bn_backward_kernel: no mask for the store -> StrayAddressError
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta / m - x_hat * dgamma / m))
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% wrong bn_backward_kernel: no mask -> StrayAddressError
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at).to(tl.float32)
        x = tl.load(x_ptr + at).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at).to(tl.float32)
        x = tl.load(x_ptr + at).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta / m - x_hat * dgamma / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% wrong bn_backward_kernel: the first block alone
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, BLOCK, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, BLOCK, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta / m - x_hat * dgamma / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% wrong bn_backward_kernel: dx block by block, from sums that are not finished -> sums-not-complete
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean, gamma = tl.load(mean_ptr + c), tl.load(gamma_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    dbeta = 0.0
    dgamma = 0.0
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (tl.load(x_ptr + at, mask=i < m, other=0.0) - mean) * inv_std
        dbeta += tl.sum(dy)
        dgamma += tl.sum(dy * x_hat)
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta / m - x_hat * dgamma / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% wrong bn_backward_kernel: dgamma and dbeta averaged -> parameter-gradients-averaged
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta / m - x_hat * dgamma / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma / m)
    tl.store(dbeta_ptr + c, dbeta / m)


# %% wrong bn_backward_kernel: dgamma and dbeta swapped -> dgamma-and-dbeta-swapped
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta / m - x_hat * dgamma / m), mask=i < m)
    tl.store(dgamma_ptr + c, dbeta)
    tl.store(dbeta_ptr + c, dgamma)


# %% wrong bn_backward_kernel: dgamma and dbeta not stored -> never-stored
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta / m - x_hat * dgamma / m), mask=i < m)
    pass


# %% wrong bn_backward_kernel: dgamma over dbeta -> never-stored
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta / m - x_hat * dgamma / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dgamma_ptr + c, dbeta)


# %% wrong bn_backward_kernel: m is N
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta / m - x_hat * dgamma / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% wrong bn_backward_kernel: divides by BLOCK -> divides-by-lanes
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mu = tl.load(mean_ptr + c)
    inv = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    g = tl.load(gamma_ptr + c)
    sb = tl.zeros((BLOCK,), tl.float32)
    sg = tl.zeros((BLOCK,), tl.float32)
    for st in range(0, m, BLOCK):
        i = st + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sb += dy
        sg += dy * (x - mu) * inv
    db = tl.sum(sb)
    dg = tl.sum(sg)
    for st in range(0, m, BLOCK):
        i = st + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        xh = (x - mu) * inv
        tl.store(dx_ptr + at, g * inv * (dy - db / BLOCK - xh * dg / BLOCK), mask=i < m)
    tl.store(dgamma_ptr + c, dg)
    tl.store(dbeta_ptr + c, db)


# %% wrong bn_backward_kernel: dgamma with x, in dx, too -> x-for-x-hat
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mu = tl.load(mean_ptr + c)
    inv = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    g = tl.load(gamma_ptr + c)
    sb = tl.zeros((BLOCK,), tl.float32)
    sg = tl.zeros((BLOCK,), tl.float32)
    for st in range(0, m, BLOCK):
        i = st + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sb += dy
        sg += dy * x
    db = tl.sum(sb)
    dg = tl.sum(sg)
    for st in range(0, m, BLOCK):
        i = st + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        xh = (x - mu) * inv
        tl.store(dx_ptr + at, g * inv * (dy - db / m - xh * dg / m), mask=i < m)
    tl.store(dgamma_ptr + c, dg)
    tl.store(dbeta_ptr + c, db)


# %% wrong bn_backward_kernel: the stub
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    raise NotImplementedError()


# --- triton_bn_backward ---


# %% given triton_bn_backward: a kernel that works
import torch
import triton
import triton.language as tl


@triton.jit
def bn_backward_kernel(
    dy_ptr, x_ptr, mean_ptr, var_ptr, gamma_ptr, dx_ptr, dgamma_ptr, dbeta_ptr,
    N, C, L, eps, BLOCK: tl.constexpr,
):
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)
    gamma = tl.load(gamma_ptr + c)
    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, gamma * inv_std * (dy - dbeta / m - x_hat * dgamma / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


# %% right triton_bn_backward: as in the text
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    dy, x = dy.contiguous(), x.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = torch.empty_like(x), torch.empty(C), torch.empty(C)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=1024)
    return dx, dgamma, dbeta


# %% right triton_bn_backward: small blocks
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    dy, x = dy.contiguous(), x.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = torch.empty_like(x), torch.empty(C), torch.empty(C)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=64)
    return dx, dgamma, dbeta


# %% right triton_bn_backward: parameters like gamma
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    dy, x = dy.contiguous(), x.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = torch.empty_like(x), torch.empty_like(gamma), torch.empty_like(gamma)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=1024)
    return dx, dgamma, dbeta


# %% right triton_bn_backward: flat copies
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    shape = x.shape
    dy, x = (a.reshape(-1).clone().view(shape) for a in (dy, x))
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = torch.empty_like(x), torch.empty(C), torch.empty(C)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=1024)
    return dx.view(shape), dgamma, dbeta


# %% right triton_bn_backward: a block that holds a channel
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    dy, x = dy.contiguous(), x.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = torch.empty_like(x), torch.empty(C), torch.empty(C)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=triton.next_power_of_2(N * L))
    return dx, dgamma, dbeta


# %% wrong triton_bn_backward: strides of both forgotten -> not-contiguous
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = torch.empty(x.shape, dtype=x.dtype), torch.empty(C), torch.empty(C)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=1024)
    return dx, dgamma, dbeta


# %% wrong triton_bn_backward: strides of dy forgotten -> not-contiguous
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = torch.empty_like(x), torch.empty(C), torch.empty(C)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=1024)
    return dx, dgamma, dbeta


# %% wrong triton_bn_backward: dy and x swapped -> dy-and-x-swapped
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    dy, x = dy.contiguous(), x.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = torch.empty_like(x), torch.empty(C), torch.empty(C)
    bn_backward_kernel[(C,)](x, dy, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=1024)
    return dx, dgamma, dbeta


# %% wrong triton_bn_backward: eps not passed on -> eps-ignored
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    dy, x = dy.contiguous(), x.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = torch.empty_like(x), torch.empty(C), torch.empty(C)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, 1e-5, BLOCK=1024)
    return dx, dgamma, dbeta


# %% wrong triton_bn_backward: one program -> entries-never-written
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    dy, x = dy.contiguous(), x.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = torch.empty_like(x), torch.empty(C), torch.empty(C)
    bn_backward_kernel[(1,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=1024)
    return dx, dgamma, dbeta


# %% wrong triton_bn_backward: dgamma and dbeta swapped -> dgamma-and-dbeta-swapped
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    dy, x = dy.contiguous(), x.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = torch.empty_like(x), torch.empty(C), torch.empty(C)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=1024)
    return dx, dbeta, dgamma


# %% wrong triton_bn_backward: dx alone
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    dy, x = dy.contiguous(), x.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = torch.empty_like(x), torch.empty(C), torch.empty(C)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=1024)
    return dx


# %% wrong triton_bn_backward: nothing comes back
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    dy, x = dy.contiguous(), x.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = torch.empty_like(x), torch.empty(C), torch.empty(C)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=1024)
    return None


# %% wrong triton_bn_backward: dx always float32
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    dy, x = dy.contiguous(), x.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = torch.empty(x.shape), torch.empty(C), torch.empty(C)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=1024)
    return dx, dgamma, dbeta


# %% wrong triton_bn_backward: over dy itself -> arguments-changed
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    x = x.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = dy, torch.empty(C), torch.empty(C)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=1024)
    return dx, dgamma, dbeta


# %% wrong triton_bn_backward: no kernel at all -> KernelError
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    axes, shape = (0, *range(2, x.ndim)), (1, -1, *(1,) * (x.ndim - 2))
    m = x.numel() // x.shape[1]
    inv_std = torch.rsqrt(var + eps).view(shape)
    x_hat = (x - mean.view(shape)) * inv_std
    dbeta, dgamma = dy.sum(axes), (dy * x_hat).sum(axes)
    dx = gamma.view(shape) * inv_std * (dy - dbeta.view(shape) / m - x_hat * dgamma.view(shape) / m)
    return dx.to(x.dtype), dgamma, dbeta


# %% wrong triton_bn_backward: dx with the strides of x -> result-not-contiguous
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    dx, dy, x = torch.empty_like(x), dy.contiguous(), x.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dgamma, dbeta = torch.empty(C), torch.empty(C)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=1024)
    return dx, dgamma, dbeta


# %% wrong triton_bn_backward: strides of x forgotten, dx like x -> not-contiguous
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    dy = dy.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = torch.empty_like(x), torch.empty(C), torch.empty(C)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=1024)
    return dx, dgamma, dbeta


# %% wrong triton_bn_backward: dgamma and dbeta in the dtype of x
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    dy, x = dy.contiguous(), x.contiguous()
    N, C = x.shape[:2]
    L = x.numel() // (N * C)
    dx, dgamma, dbeta = torch.empty_like(x), x.new_empty(C), x.new_empty(C)
    bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, BLOCK=1024)
    return dx, dgamma, dbeta


# %% wrong triton_bn_backward: the stub
def triton_bn_backward(dy, x, mean, var, gamma, eps=1e-5):
    raise NotImplementedError()
