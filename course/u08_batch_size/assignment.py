# %% [markdown]
# # How loud is a batch?
#
# A batch of m values guesses the mean and the variance of all the data, and every guess is off. You will measure by how much, predict it, watch what it does to one
# fixed sample, and write the two best-known answers to batches that are too large or too small.
#
# | | |
# |---|---|
# | **You will do** | two experiments that measure noise, one formula that predicts it, a measure of the gap between the two modes, ghost batches, batch renormalization |
# | **You will learn** | how noise depends on m, why the sample itself must be in its batch, how to measure a layer without leaving a trace, what batch renorm corrects and by how much |
# | **You need** | the [lecture](../../course/u08_batch_size/lecture.ipynb); units 2 and 3; NumPy. Random numbers come from a `numpy.random.Generator`, explained in exercise 1 |
# | **It takes** | about 45 minutes, 6 exercises, 18 points |
#
# Run the cells from top to bottom. Write your code where it says `# YOUR CODE HERE`, and delete `raise NotImplementedError()`.

# %% given="imports"
import numpy as np

from autograder import check, hint, progress

# %% [markdown]
# ## What holds in all exercises
#
# - A batch has shape `(m, C)`, a population `(K, C)`: rows are examples, columns are features. Statistics run over the rows, one for each feature: shape `(C,)`.
# - The batch variance is the **biased** one (1/m): that is what batch norm divides by. ε stands under the root.
# - **No argument may be changed**: work on new arrays.
# - `float32` data at mean 10 000 must come out right: subtract the mean first, then square.
# - Ready-made batch norm (`bnlib`, `torch.nn.BatchNorm1d` and the like) earns nothing inside your functions; comparing with it in a cell of your own is welcome.
#
# **How randomness is graded.** In exercises 1 and 3 your function draws at random, in any order you like. The check knows what the experiment has to converge to, and allows six standard
# errors: with 2000 trials about 14 %. A right answer is off by more once in a billion times.

# %% [markdown]
# ## Exercise 1 · `statistic_noise`
#
# *effort ●●○ · about 8 minutes · 3 points · `hint("u08.statistic_noise")` if you are stuck*
#
# An experiment. Draw a batch of $m$ rows from the population, write down its mean and its variance. Draw again, `trials` times in all. **How much do the
# means differ from trial to trial, and how much do the variances?** Return both standard deviations, for each feature.
#
# - `population`: `(K, C)`, floating point. `m`: rows in a batch, at least 1. `trials`: at least 2.
# - `rng`: a random generator. Draw from it and from nothing else: `rng.integers(K, size=m)` gives $m$ row numbers from 0 to $K-1$.
# - Draw **with replacement**: each row of a batch is any row of the population, whatever was drawn before. ($m$ may be larger than $K$.)
# - Return the tuple `(std_of_mean, std_of_var)`, two arrays of shape `(C,)`. (Whether you take the standard deviation over the trials with 1/T or 1/(T−1) makes no difference that anyone could see.)
#
# <details><summary>Nudge</summary>
#
# There are two kinds of averaging here: over the rows of one batch, and over the trials. Which one ends in the standard deviation that is asked for?
# </details>
# <details><summary>Outline</summary>
#
# 1. two empty lists;
# 2. `trials` times: draw row numbers, take those rows, append the mean over axis 0 to the one list and the biased variance to the other;
# 3. `np.std` over the trials, axis 0, of each list.
# </details>


# %% exercise="statistic_noise"
def statistic_noise(population, m, trials, rng):
    """Return the std over random batches of their mean and of their variance, each (C,)."""
    ### BEGIN SOLUTION
    batches = population[rng.integers(len(population), size=(trials, m))]
    return batches.mean(axis=1).std(axis=0), batches.var(axis=1).std(axis=0)
    ### END SOLUTION


# %% [markdown]
# The test can be done in your head: the population is a coin, 0 or 2. A batch of two is 0 0, 0 2, 2 0 or 2 2; its mean is 0, 1, 1 or 2. These have mean 1 and variance
# $(1+0+0+1)/4 = ½$, so the noise is $\sqrt{½} = 0.71$. The second feature is the same coin, ten times as wide.

# %% test="statistic_noise"
coin = np.array([[0.0, 10.0], [2.0, 30.0]])
std_of_mean, std_of_var = statistic_noise(coin, 2, 2000, np.random.default_rng(0))
assert np.shape(std_of_mean) == (2,), "one number per feature"
assert np.allclose(std_of_mean, [0.707, 7.07], rtol=0.13), f"√½ and ten times as much, not {std_of_mean}"
check("u08.statistic_noise", statistic_noise)

# %% [markdown]
# ## Exercise 2 · `predicted_mean_noise`
#
# *effort ●○○ · about 3 minutes · 1 point · `hint("u08.predicted_mean_noise")` if you are stuck*
#
# For the mean no experiment is needed. The $m$ values of a batch are independent, each with standard deviation σ. What is the standard deviation of their mean?
#
# - `sigma`: an array of any shape, or a plain number. `m`: an integer, at least 1.
# - Return a new array (or number) of the same shape and dtype. (NumPy's trap: `np.sqrt(m)` of an integer is a float64, and makes float64 of a float32 `sigma`; Python's `m**0.5` does not.)
#
# <details><summary>Nudge</summary>
#
# Variances of independent values add. And a factor in front of a value comes out of its variance squared.
# </details>


# %% exercise="predicted_mean_noise"
def predicted_mean_noise(sigma, m):
    """Return the standard deviation of the mean of m independent values."""
    ### BEGIN SOLUTION
    return sigma / m**0.5
    ### END SOLUTION


# %% test="predicted_mean_noise"
noise = predicted_mean_noise(np.array([2.0, 6.0]), 4)
assert np.shape(noise) == (2,), "one number per feature, as in sigma"
assert np.allclose(noise, [1.0, 3.0]), f"four values halve it: 1 and 3, not {noise}"
check("u08.predicted_mean_noise", predicted_mean_noise)

# %% [markdown]
# ### Your prediction against your experiment
#
# Not graded. Both columns should agree to a few percent. How much more do you have to pay for half of the noise?

# %%
population = np.random.default_rng(0).gamma(4.0, 1.0, size=(5000, 1))  # skewed, σ = 2
print("   m   predicted  measured")
for m in (1, 2, 8, 32, 128):
    measured, _ = statistic_noise(population, m, 2000, np.random.default_rng(1))
    print(f"{m:4d}   {predicted_mean_noise(population.std(), m):8.3f}  {measured[0]:8.3f}")

# %% [markdown]
# ## Exercise 3 · `output_noise`
#
# *effort ●●○ · about 10 minutes · 4 points · `hint("u08.output_noise")` if you are stuck*
#
# The mean trembles, so does the variance; what reaches the next layer is the output of *your* sample. Fix one `sample`. Each trial puts it into a batch with $m - 1$ rows drawn from the
# population (with replacement, as in exercise 1), and normalises:
#
# $$\hat x = \frac{\mathtt{sample} - \mu_B}{\sqrt{\sigma_B^2 + \varepsilon}}, \qquad \mu_B,\ \sigma_B^2 \text{ over all } m \text{ rows, the sample among them.}$$
#
# Return the standard deviation of $\hat x$ over the trials, for each feature.
#
# - `sample`: `(C,)`. `population`: `(K, C)`. `m`: rows in the batch **with the sample counted**, at least 1.
# - `trials`, `rng`: as in exercise 1. `eps`: as ever; its default is `1e-5`.
# - Return an array of shape `(C,)`.
#
# <details><summary>Nudge</summary>
#
# What is left of the batch at m = 1? And so what must come out, exactly?
# </details>
# <details><summary>Outline</summary>
#
# 1. an empty list;
# 2. `trials` times: draw m − 1 rows, stack the sample on top (`np.vstack`), mean and biased variance over axis 0, append the sample's normalised output;
# 3. `np.std` of the list over axis 0.
# </details>


# %% exercise="output_noise"
def output_noise(sample, population, m, trials, rng, eps=1e-5):
    """Return the std of the normalised sample over random batches that contain it, (C,)."""
    ### BEGIN SOLUTION
    batches = population[rng.integers(len(population), size=(trials, m))]
    batches[:, 0] = sample
    outputs = (sample - batches.mean(axis=1)) / np.sqrt(batches.var(axis=1) + eps)
    return outputs.std(axis=0)
    ### END SOLUTION


# %% [markdown]
# The test: a batch of two is always ±1 (unit 2). The sample 5 meets 0 or 9, each half of the time: +1 or −1. So the output has standard deviation 1; the second feature
# likewise.

# %% test="output_noise"
pair = np.array([[0.0, 1.0], [9.0, 8.0]])
noise = output_noise(np.array([5.0, 7.0]), pair, 2, 2000, np.random.default_rng(0))
assert np.shape(noise) == (2,), "one number per feature"
assert np.allclose(noise, 1.0, rtol=0.13), f"+1 or −1, half of the time each: 1, not {noise}"
check("u08.output_noise", output_noise)

# %% [markdown]
# ### The curve that is not a straight line
#
# Not graded. At m = 1 there is no noise: the output is 0, always, and the network sees nothing. For this sample the noise is largest at m = 2, and from there on falls like $1/\sqrt m$. (The last
# column multiplies by $\sqrt m$: where it stands still, the law holds. For normal data the lecture derives what it stands still at: $\sqrt{1 + z^2/2}$ for a sample z standard deviations out.)

# %%
population = np.random.default_rng(0).normal(size=(5000, 1))
print("   m    noise   noise · √m")
for m in (1, 2, 3, 4, 8, 32, 128):
    noise = output_noise(np.array([0.5]), population, m, 2000, np.random.default_rng(1))[0]
    print(f"{m:4d}   {noise:6.3f}   {noise * m**0.5:8.3f}")
print(f"theory for large m:{(1 + 0.5**2 / 2) ** 0.5:8.3f}")

# %% [markdown]
# ## Exercise 4 · `train_eval_gap`
#
# *effort ●●○ · about 8 minutes · 3 points · `hint("u08.train_eval_gap")` if you are stuck*
#
# The network is trained with one set of numbers and used with another. How far apart are they on this batch? Call the layer in both modes and return the **root mean square
# difference** of its outputs, over all rows and features:
#
# $$\text{gap} = \sqrt{\operatorname{mean}\big((y_\text{train} - y_\text{eval})^2\big)} .$$
#
# - `layer`: **a working layer of ours**, in either mode, with `training`, `running_mean`, `running_var`, `num_batches_tracked`, `weight`, `bias`, `momentum`, `eps`; `layer.train()` and
#   `layer.eval()` switch the mode (and return the layer); `layer(batch)` runs it.
# - `batch`: `(N, C)` with N ≥ 2.
# - Return one number.
# - A measurement leaves no trace: when your function is done, **the layer is as it was**, its mode and its running statistics included. And the statistics that evaluation uses are those the
#   layer had when it came in.
#
# <details><summary>Nudge</summary>
#
# One of the two calls changes the layer. Which one, and what does it change?
# </details>
# <details><summary>Outline</summary>
#
# The shortest way works on a copy: `copy.deepcopy(layer)` has arrays of its own. It still matters which of the two modes the copy is called in first.
# </details>


# %% exercise="train_eval_gap"
def train_eval_gap(layer, batch):
    """Return the root mean square difference of the layer's outputs in its two modes."""
    ### BEGIN SOLUTION
    import copy

    twin = copy.deepcopy(layer)
    evaluated = twin.eval()(batch)
    trained = twin.train()(batch)
    return float(np.sqrt(np.mean((trained - evaluated) ** 2)))
    ### END SOLUTION


# %% test="train_eval_gap"
import bnlib

ready = bnlib.BatchNorm1d(1, eps=3.0)  # fresh: running mean 0, running variance 1
ready.weight, ready.bias = np.array([2.0]), np.array([5.0])
gap = train_eval_gap(ready, np.array([[1.0], [3.0]]))  # mean 2, variance 1: both roots are 2
assert np.shape(gap) == (), "one number"
assert np.allclose(gap, 2.0), f"training 4 and 6, evaluation 6 and 8: 2 apart in both rows, not {gap}"
check("u08.train_eval_gap", train_eval_gap)

# %% [markdown]
# ## Exercise 5 · `ghost_batchnorm`
#
# *effort ●●○ · about 8 minutes · 3 points · `hint("u08.ghost_batchnorm")` if you are stuck*
#
# Some people want *more* noise. Hoffer, Hubara & Soudry (2017) train on huge batches, and normalise small groups of rows inside as if each were a batch of its own: **ghost batches**.
#
# Rows 0 to g−1 are the first group, rows g to 2g−1 the second, and so on, with g = `ghost_size`. Each group is normalised with its own mean and biased variance; γ and β are the same for all.
#
# - `x`: `(N, C)`; `gamma`, `beta`: `(C,)`; `ghost_size`: at least 1, and it need not divide N. **The last group is what is left**, even if that is a single row (whose output is then β);
#   if `ghost_size` is N or more, there is one group.
# - Return an array of the shape and dtype of `x`, rows in their order.
#
# <details><summary>Nudge</summary>
#
# A slice that reaches beyond the end of an array is no error in NumPy. It just ends earlier.
# </details>


# %% exercise="ghost_batchnorm"
def ghost_batchnorm(x, gamma, beta, ghost_size, eps=1e-5):
    """Normalise each group of ghost_size rows on its own, then scale and shift."""
    ### BEGIN SOLUTION
    y = np.empty_like(x)
    for start in range(0, len(x), ghost_size):
        rows = slice(start, start + ghost_size)
        x_hat = (x[rows] - x[rows].mean(axis=0)) / np.sqrt(x[rows].var(axis=0) + eps)
        y[rows] = gamma * x_hat + beta
    return y
    ### END SOLUTION


# %% test="ghost_batchnorm"
x = np.array([[0.0, 1.0], [2.0, 5.0], [10.0, 0.0], [16.0, 2.0]])
y = ghost_batchnorm(x, np.array([3.0, 1.0]), np.array([1.0, 0.0]), ghost_size=2, eps=0.0)
assert np.shape(y) == (4, 2), "y has the shape of x"
assert np.allclose(y, [[-2, -1], [4, 1], [-2, -1], [4, 1]]), (
    f"groups of two become −1 and 1, here times γ plus β; got\n{y}"
)
check("u08.ghost_batchnorm", ghost_batchnorm)

# %% [markdown]
# ## Exercise 6 · `batch_renorm`
#
# *effort ●●○ · about 10 minutes · 4 points · `hint("u08.batch_renorm")` if you are stuck*
#
# Others want *less*. Ioffe (2017) keeps the batch's statistics, and corrects the result towards what the running ones would have given, but not by too much:
#
# $$\sigma_B = \sqrt{\operatorname{var}(x) + \varepsilon}\ \text{(biased)}, \quad \sigma = \sqrt{\mathtt{running\_var} + \varepsilon},$$
#
# $$r = \operatorname{clip}\!\Big(\frac{\sigma_B}{\sigma},\ \frac1{r_{\max}},\ r_{\max}\Big), \quad
#   d = \operatorname{clip}\!\Big(\frac{\mu_B - \mathtt{running\_mean}}{\sigma},\ -d_{\max},\ d_{\max}\Big),$$
#
# $$\boxed{\;\hat x = \frac{x - \mu_B}{\sigma_B}\cdot r + d\;}$$
#
# Put $r$ and $d$ in without the clips: $\sigma_B$ and $\mu_B$ cancel, and $\hat x = (x - \mathtt{running\_mean})/\sigma$: evaluation mode. With $r_{\max} = 1$ and $d_{\max} = 0$ it is plain
# batch norm. The limits choose a place in between.
#
# - `x`: `(N, C)`, N ≥ 2. `running_mean`, `running_var`: `(C,)`; they are used, **not updated**. `r_max` ≥ 1, `d_max` ≥ 0: numbers.
# - Return $\hat x$ in the shape and dtype of `x`. (γ and β would follow; gradients are not asked for. In training, $r$ and $d$ count as constants.)
#
# <details><summary>Nudge</summary>
#
# r and d are vectors of shape (C,), and `np.clip(value, low, high)` works entry by entry.
# </details>


# %% exercise="batch_renorm"
def batch_renorm(x, running_mean, running_var, r_max, d_max, eps=1e-5):
    """Normalise with the batch's statistics, corrected towards the running ones."""
    ### BEGIN SOLUTION
    mean, std = x.mean(axis=0), np.sqrt(x.var(axis=0) + eps)
    sigma = np.sqrt(running_var + eps)
    r = np.clip(std / sigma, 1 / r_max, r_max)
    d = np.clip((mean - running_mean) / sigma, -d_max, d_max)
    return (x - mean) / std * r + d
    ### END SOLUTION


# %% [markdown]
# The test, feature 0: batch mean 10 and $\sigma_B = 2$ against 0 and 1. $r = 2$ is clipped to 1.5, $d = 10$ to 3; so −1 and 1 become $-1.5 + 3$ and $1.5 + 3$. Feature 1: mean 4 against 3, both σ are 1;
# nothing is clipped, and $\hat x$ is −1 + 1 and 1 + 1.

# %% test="batch_renorm"
x = np.array([[8.0, 3.0], [12.0, 5.0]])
x_hat = batch_renorm(x, np.array([0.0, 3.0]), np.array([1.0, 1.0]), r_max=1.5, d_max=3.0, eps=0.0)
assert np.shape(x_hat) == (2, 2), "x_hat has the shape of x"
assert np.allclose(x_hat, [[1.5, 0.0], [4.5, 2.0]]), f"1.5 and 4.5; 0 and 2; got\n{x_hat}"
check("u08.batch_renorm", batch_renorm)

# %% [markdown]
# ## Where you stand

# %%
progress()

# %% [markdown]
# ## What to try next
#
# - Plot your `output_noise` against m for samples 0, 1 and 3 standard deviations out. Which one trembles most, and why? (Lecture, section 3.)
# - Draw *without* replacement from a population of 50 rows, and let m grow to 50. What happens to the noise, and which factor describes it? (Look for "finite population correction".)
# - Use `train_eval_gap` on a layer that has seen 10, 100, 1000 batches of 8, then `recalibrate` it (unit 3). Which part of the gap goes away, and which stays?
# - Pass `r_max` from 1 to 10 through your `batch_renorm` and watch the output of one fixed row over random batches: how does its noise fall?
#
# **Sources.** S. Ioffe, C. Szegedy, *Batch Normalization*, ICML 2015, arXiv:1502.03167. E. Hoffer, I. Hubara, D. Soudry, *Train longer, generalize better*, NeurIPS 2017, arXiv:1705.08741
# (ghost batches). S. Ioffe, *Batch Renormalization*, NeurIPS 2017, arXiv:1702.03275, Algorithm 1.
