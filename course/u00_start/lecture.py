# %% [markdown]
# # Is Mia a heavy cat?
#
# Mia weighs 4.6 kg. Is that a lot? Batch normalization puts this question to every feature of every layer, for
# every sample, and its answer is not what you expect from a calculation about one cat. Guess now: what does one
# have to know, besides the 4.6 kg?
#
# | | |
# |---|---|
# | **You will do** | look at six cats, take the wrong mean on purpose, and let the checker tell you which one you took |
# | **You will learn** | what batch norm computes, in three lines; what an *axis* is; how `check`, `hint` and `progress` work |
# | **You need** | a little NumPy |
# | **It takes** | about 8 minutes, then 5 more for the [assignment](../../release/u00_start/start.ipynb) |
#
# Run a cell with <kbd>Shift</kbd>+<kbd>Enter</kbd>. Run them in order.

# %%
import numpy as np
import torch

from autograder import check, hint, progress
from bnlib.plots.axis import AXES, cats, draw_axis
from bnlib.widgets import Choice, Slider, explore

np.set_printoptions(precision=2, suppress=True)

# %% [markdown]
# ## A batch
#
# A batch is a table: $N$ rows, one for each sample, and $C$ columns, one for each *feature*. Here is one of
# shape $(N, C) = (6, 4)$. The columns are body length (cm), mass (kg), age (years) and naps a day;
# the rows are Mia, Felix, Luna, Oskar, Nala and Simba.

# %%
x = cats()
print("shape", x.shape)
print(x)

# %% [markdown]
# ### Predict
# One of these two lines raises an error. Which one, and why?
# ```python
# x - x.mean(axis=0)
# x - x.mean(axis=1)
# ```

# %%
for axis in (0, 1):
    mean = x.mean(axis=axis)
    try:
        print(f"axis={axis}: mean has shape {mean.shape}, x - mean has shape {(x - mean).shape}")
    except ValueError as error:
        print(f"axis={axis}: mean has shape {mean.shape}, {error}")

# %% [markdown]
# <details><summary>Why</summary>
#
# The axis you name is the one that **disappears**. Axis 0 counts cats: averaging over it leaves one number per
# feature, shape (4,). Axis 1 counts features: averaging over it leaves one number per cat, shape (6,).
#
# NumPy lines shapes up **from the right**: (6, 4) with (4,) fits, and every row gets the same four means
# subtracted. (6, 4) with (6,) does not.
# </details>
#
# So NumPy protects you from the wrong axis? Send two cats home and see.

# %%
four = x[:4]
wrong = four - four.mean(axis=1)
print("shape", wrong.shape, "- no error")
print("column means:", wrong.mean(axis=0))

# %% [markdown]
# No error, right shape, wrong numbers. Mia's average (of centimetres, kilograms, years and naps) was subtracted
# from everybody's *length*, Felix's average from everybody's *mass*, and so on. Inside a network nobody
# would tell you: everything runs, and it merely learns badly.
#
# ## Feedback that says which axis
#
# Suppose you are asked for `center(x)`, which takes each column's mean out, and you hand in this:


# %%
def center(x):
    mean = x.mean(axis=1)
    return x - mean


check("u00.center", center, seed=1)

# %% [markdown]
# The panel knows more than right or wrong. It ran `center` on several small batches, compared the answers with the
# reference **and with what well-known mistakes would have answered**, and named yours.
# Every line is one behaviour; little squares show *where*, if only some
# entries are off. Now another slip: forget the axis.


# %%
def center(x):
    return x - x.mean()


check("u00.center", center, seed=1)

# %% [markdown]
# - The number under the panel is your score. Nothing is final: `check` as often as you like, in any cell.
# - Each call draws **fresh numbers**, so only a right function passes twice. (`seed=1` keeps them the same here.)
# - `hint("u00.center")` gives a nudge; call it again for an outline, and again for nearly the code.
# - `progress()` draws your map of the course.
#
# All of this happens on this computer, and stays there.

# %%
hint("u00.center")

# %%
progress()

# %% [markdown]
# ## What batch norm computes
#
# Now the right axis. Write $x_{nc}$ for cat $n$'s feature $c$. Per feature, over the batch:
#
# $$ \mu_c = \frac1N \sum_{n=1}^{N} x_{nc} \qquad\qquad \sigma_c^2 = \frac1N \sum_{n=1}^{N} (x_{nc} - \mu_c)^2 \qquad\qquad
# \hat x_{nc} = \frac{x_{nc} - \mu_c}{\sqrt{\sigma_c^2 + \epsilon}} $$
#
# Taking out the mean leaves a column that averages 0, since $\frac1N\sum_n (x_{nc} - \mu_c) = \mu_c - \mu_c$. Its mean square
# is then $\sigma_c^2$ by definition, so dividing by $\sigma_c$ makes that 1. The small $\epsilon = 10^{-5}$ is for a
# column with $\sigma_c = 0$; more of it in a moment. The same three lines as code:


# %%
def batch_norm(x, eps=1e-5):
    mean = x.mean(axis=0)
    var = ((x - mean) ** 2).mean(axis=0)
    return (x - mean) / np.sqrt(var + eps)


x_hat = batch_norm(x)
print(x_hat)
print("column means", np.abs(x_hat.mean(axis=0)), "column stds", x_hat.std(axis=0))

# %% [markdown]
# Hold it against the layer everybody uses. (PyTorch's can also rescale the result by learned numbers, which start at
# 1 and 0: that is unit u02.)

# %%
layer = torch.nn.BatchNorm1d(4, dtype=torch.float64)
theirs = layer(torch.from_numpy(x)).detach().numpy()
print("largest difference:", np.abs(theirs - x_hat).max())

# %% [markdown]
# ## So, is Mia heavy?
#
# **Predict** the sign of Mia's normalised mass among these cats, then among her own kittens (about 1 kg), then among
# lynxes (about 20 kg). Her row of the table stays as it is.

# %%
mia = x[0]
kittens = mia * [[0.5, 0.2, 0.1, 2.0], [0.6, 0.25, 0.1, 2.0], [0.55, 0.23, 0.1, 1.9]]
lynxes = mia * [[2.0, 4.4, 2.0, 0.6], [2.2, 5.0, 3.0, 0.5], [1.9, 4.1, 1.3, 0.7]]

for name, others in {"cats": x[1:], "kittens": kittens, "lynxes": lynxes}.items():
    batch = np.vstack([mia, others])
    print(f"among {name:8} Mia's {batch[0, 1]} kg become {batch_norm(batch)[0, 1]:+.2f}")

# %% [markdown]
# A light cat, a giant, a dwarf: **it depends on who else is in the batch.** Her 4.6 kg never changed, and yet the layer
# after batch norm sees another cat. Much of what is clever about batch norm, and much of what goes wrong with it,
# comes from this one fact.
#
# ## Play: who is averaged with whom?
#
# Move *value* with the arrow keys: the thick frame walks through the table, the thin frames are the numbers it is
# averaged with. Then switch the axis. Then, for each axis, measure the length in **mm** instead of cm:
# on one of the two axes the right table does not change by a digit. On the other, all cats turn into nearly the same cat.

# %%
explore(
    draw_axis,
    title="Which values are averaged together?",
    alt="Six cats with four features each, beside the same table standardised. "
    "A frame marks the values that are averaged together.",
    value=Slider("value", 0, 23, 1, 5),
    axis=Choice("average over", tuple(AXES), next(iter(AXES))),
    length_in=Choice("length in", ("cm", "mm"), "cm"),
)

# %% [markdown]
# <details><summary>What you saw</summary>
#
# Over axis 0, millimetres multiply a column, its mean and its standard deviation all by 10, and the 10 cancels. Batch
# norm does not care about a feature's unit: so the weights before it may grow or shrink without changing what
# comes after (u05 makes a theorem of that). Over axis 1 the largest unit drowns everything else.
# </details>
#
# ## Where it breaks
#
# Add a feature on which all cats agree: the number of tails.

# %%
tails = np.ones((6, 1))
print("without eps:", end=" ")
with np.errstate(invalid="ignore"):
    print(((tails - tails.mean(axis=0)) / tails.std(axis=0)).ravel())
print("with eps:   ", batch_norm(tails).ravel())

# %% [markdown]
# Without $\epsilon$ this is $0/0$, and one `nan` in a network soon is all `nan`. With $\epsilon$ it is $0/\sqrt{10^{-5}} = 0$.
#
# ## What people get wrong
#
# | slip | what happens | how you notice |
# |---|---|---|
# | `axis=1` | mixes features of one sample | error if $N \ne C$ (for $C = 1$ a table $N \times N$); **silence** if $N = C$ |
# | no `axis` | one mean for everything | runs always; column means are not 0 |
# | `x -= mean` | changes the array of whoever called you | somewhere else, later |
# | dividing by $N-1$ | too large a variance: twice, for $N = 2$ | compare with `torch.nn.BatchNorm1d` |
# | $\epsilon$ outside the root | nearly right, until a feature hardly varies | a constant or tiny feature |
#
# ## Summary card
#
# | | |
# |---|---|
# | batch | $x$ of shape $(N, C)$: rows are samples, columns are features |
# | the axis you name | disappears: `x.mean(axis=0)` has shape $(C,)$ |
# | batch norm | $\hat x = (x - \mu) / \sqrt{\sigma^2 + \epsilon}$, with $\mu, \sigma^2$ per column, $1/N$, over the batch |
# | therefore | a sample's output depends on its company, and not on a feature's unit |
# | feedback | `check("u00.center", center)` · `hint("u00.center")` · `progress()` |
#
# ## Try next
#
# - The [assignment](../../release/u00_start/start.ipynb): write `center`, repair `column_scale`. Five minutes.
# - Put a seventh cat into the batch. What must she weigh for Mia's normalised mass to be exactly 0?
# - A batch of **two** cats: what can their normalised values be? u02 starts there.
#
# ## Sources
#
# - S. Ioffe, C. Szegedy, *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
#   Shift*, ICML 2015, Algorithm 1: the three lines (and the learned rescaling that u02 adds).
# - NumPy user guide, *Broadcasting*: shapes are compared from the right.
# - PyTorch documentation, `torch.nn.BatchNorm1d`: the biased variance normalises; `eps` is $10^{-5}$, inside the root.
#
# The cats are invented.
