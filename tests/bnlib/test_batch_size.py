"""The noise of batch statistics, its two cures, and the gap between the modes."""

import numpy as np
import pytest
import torch

from bnlib import (
    BatchNorm1d,
    BatchNorm2d,
    batch_renorm,
    batchnorm_forward,
    exact_noise,
    ghost_batchnorm,
    normalize,
    output_noise,
    predicted_mean_noise,
    recalibrate,
    statistic_noise,
    train_eval_gap,
)
from bnlib.errors import BatchSizeError, DtypeError, ParameterError, ShapeError
from tests.bnlib.grid import KINDS, LAYOUTS, SHAPES, assert_close, draw, lay_out, torch_batchnorm

TRIALS = 20_000
SIX_SIGMA = 6 * 2.0 / np.sqrt(4 * TRIALS)
"""A measured std over T trials is off by √((κ−1)/4T), relatively; κ − 1 = 4 is more than any
population below has: six of these."""


def populations(rng):
    """Draw four features: two values, uniform, normal, skewed."""
    size = 500
    return np.stack(
        [
            rng.choice([-1.0, 3.0], size),
            rng.uniform(-2, 2, size),
            rng.normal(1e4, 1.0, size),
            rng.gamma(4.0, 1.0, size),
        ],
        axis=1,
    )


@pytest.mark.parametrize("m", [1, 2, 3, 4, 8, 64])
def test_what_is_measured_is_what_theory_says(m, rng):
    """Both formulas hold for every population, the skewed one and the one at 1e4, and m = 1."""
    population = populations(rng)
    of_mean, of_var = statistic_noise(population, m, TRIALS, rng)
    expected_mean, expected_var = exact_noise(population, m)
    np.testing.assert_allclose(of_mean, expected_mean, rtol=SIX_SIGMA)
    np.testing.assert_allclose(of_var, expected_var, rtol=SIX_SIGMA, atol=1e-12)


@pytest.mark.parametrize("m", [2, 3, 16])
def test_the_exact_noise_is_that_of_all_batches_there_are(m):
    """Every one of the K^m batches, written out."""
    values = np.array([0.0, 1.0, 5.0, 6.5]) if m < 16 else np.array([0.0, 1.0])
    batches = np.stack(np.meshgrid(*[values] * m), axis=-1).reshape(-1, m)
    of_mean, of_var = exact_noise(values[:, np.newaxis], m)
    np.testing.assert_allclose(of_mean, batches.mean(axis=1).std(), rtol=1e-10)
    np.testing.assert_allclose(of_var, batches.var(axis=1).std(), rtol=1e-10)


def test_a_normal_population_has_the_textbook_noise_of_variance(rng):
    """σ² √(2(m−1))/m for the biased variance."""
    m, population = 9, rng.normal(0.0, 3.0, (200_000, 1))
    assert exact_noise(population, m)[1] == pytest.approx(9.0 * 4.0 / 9.0, rel=0.02)


@pytest.mark.parametrize("sigma", [2.0, 2, np.float64(2.0)])
def test_a_number_gives_a_float(sigma):
    """σ/√m."""
    answer = predicted_mean_noise(sigma, 16)
    assert type(answer) is float
    assert answer == 0.5


def test_four_times_the_batch_half_the_noise():
    """An array comes back as one of its shape and dtype."""
    sigma = np.array([[1.0, 2.0], [0.0, 8.0]], np.float32)
    answer = predicted_mean_noise(sigma, 4)
    np.testing.assert_array_equal(answer, sigma / 2, strict=True)


def test_alone_in_the_batch_every_sample_is_zero(rng):
    """No noise at all at m = 1, and no information either."""
    assert not output_noise(np.array([7.0, 1e4]), rng.normal(size=(50, 2)), 1, 20, rng).any()


def test_in_a_batch_of_two_it_is_plus_or_minus_one(rng):
    """So its std is that of a coin: 2 √(p(1−p)), p the share of the population below it."""
    population = rng.normal(size=(401, 1))
    sample = np.array([0.6])
    p = (population < sample).mean()
    measured = output_noise(sample, population, 2, TRIALS, rng)
    assert measured == pytest.approx(2 * np.sqrt(p * (1 - p)), rel=SIX_SIGMA)


@pytest.mark.parametrize("z", [0.0, 1.0, 2.0])
def test_large_batches_tremble_by_the_formula(z, rng):
    """√((1 + z²/2)/m) for a normal population and a sample z standard deviations out."""
    m, population = 256, rng.normal(5.0, 2.0, (100_000, 1))
    measured = output_noise(np.array([5.0 + 2 * z]), population, m, 4000, rng)
    six = 6 / np.sqrt(2 * 4000)
    assert measured == pytest.approx(np.sqrt((1 + z * z / 2) / m), rel=six + 0.01)


def test_the_output_is_that_of_torch(rng):
    """One trial after the other, through torch's batch norm."""
    population, sample = rng.normal(size=(30, 3)), rng.normal(size=3)
    m, trials = 5, 40
    measured = output_noise(sample, population, m, trials, np.random.default_rng(4), eps=0.3)
    rows = np.random.default_rng(4).integers(30, size=(trials, m))
    outputs = []
    for chosen in rows:
        batch = population[chosen]
        batch[-1] = sample
        answer = torch_batchnorm(batch, np.ones(3), np.zeros(3), batch, eps=0.3)
        outputs.append(answer.y[-1])
    assert_close(measured, np.std(outputs, axis=0))


def test_the_generator_decides(rng):
    """The same state, the same answer; another state, another one."""
    population = rng.normal(size=(30, 2))
    first, again, other = (
        statistic_noise(population, 4, 50, np.random.default_rng(seed))[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


def test_many_values_are_drawn_in_parts(rng):
    """Batches of 1e5 rows and three channels: 900 MB at once, a few MB in parts."""
    population = rng.normal(size=(10, 3))
    of_mean, _ = statistic_noise(population, 100_000, 300, rng)
    np.testing.assert_allclose(of_mean, exact_noise(population, 100_000)[0], rtol=6 / 600**0.5)


@pytest.mark.parametrize(
    ("population", "m", "trials", "error"),
    [
        (np.zeros(4), 2, 5, ShapeError),
        (np.zeros((0, 2)), 2, 5, ShapeError),
        (np.zeros((4, 2), int), 2, 5, DtypeError),
        (np.zeros((4, 2)), 0, 5, BatchSizeError),
        (np.zeros((4, 2)), 2, 1, ParameterError),
    ],
)
def test_noise_that_has_no_answer_is_refused(population, m, trials, error, rng):
    """One feature without a column, no rows, integers, no batch, a single trial."""
    with pytest.raises(error):
        statistic_noise(population, m, trials, rng)
    with pytest.raises(error):
        output_noise(np.zeros(2), population, m, trials, rng)


def test_a_sample_of_other_width_is_refused(rng):
    """Broadcasting would hide it."""
    with pytest.raises(ShapeError, match="sample must have shape"):
        output_noise(np.zeros(1), np.zeros((4, 2)), 2, 5, rng)


# --- ghost batches --------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ghost_size", [2, 5, 64, 100])
def test_each_ghost_is_a_batch_of_its_own_to_torch(ghost_size, kind, layout, rng):
    """Group after group through torch, the smaller last one included."""
    x = lay_out(draw((64, 3), kind, rng), layout)
    gamma, beta = rng.normal(size=3), rng.normal(size=3)
    y = ghost_batchnorm(x, gamma, beta, ghost_size)
    parts = [x[k : k + ghost_size] for k in range(0, 64, ghost_size)]
    expected = [torch_batchnorm(part, gamma, beta, part).y for part in parts]
    assert_close(y, np.concatenate(expected))


@pytest.mark.parametrize("shape", SHAPES)
def test_one_ghost_as_large_as_the_batch_is_batch_norm(shape, rng):
    """With spatial axes, too."""
    x = rng.normal(size=shape)
    gamma, beta = rng.normal(size=shape[1]), rng.normal(size=shape[1])
    expected, _ = batchnorm_forward(x, gamma, beta)
    assert_close(ghost_batchnorm(x, gamma, beta, shape[0]), expected)


def test_ghosts_of_one_row_answer_beta(rng):
    """Alone, a row is its own mean."""
    y = ghost_batchnorm(rng.normal(size=(5, 2)), np.ones(2), np.array([3.0, -1.0]), 1)
    np.testing.assert_array_equal(y, np.tile([3.0, -1.0], (5, 1)))


@pytest.mark.parametrize(("rows", "ghost_size"), [(4, 0), (4, -1), (0, 2)])
def test_a_ghost_of_nothing_is_refused(rows, ghost_size):
    """At least one row in the batch and in the group."""
    with pytest.raises(BatchSizeError):
        ghost_batchnorm(np.zeros((rows, 2)), np.ones(2), np.zeros(2), ghost_size)


# --- batch renormalization ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_renorm_without_limits_is_evaluation_mode(shape, kind, rng):
    """Both corrections together take the batch out again: the identity of Ioffe 2017, section 3."""
    x = draw(shape, kind, rng)
    mean, var = rng.normal(0.5, 0.3, shape[1]), rng.uniform(0.5, 2.0, shape[1])
    expected = normalize(x, mean, var, 1e-5)
    actual = batch_renorm(x, mean, var, r_max=1e9, d_max=1e9)
    assert_close(actual, expected, scale=max(1.0, float(np.abs(expected).max())))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_renorm_with_no_room_is_batch_norm(shape, kind, rng):
    """r_max = 1 and d_max = 0, the start of the paper's schedule."""
    x = draw(shape, kind, rng)
    c = shape[1]
    expected = torch_batchnorm(x, np.ones(c), np.zeros(c), x).y
    actual = batch_renorm(x, rng.normal(size=c), rng.uniform(0.5, 2.0, c), r_max=1.0, d_max=0.0)
    assert_close(actual, expected, scale=max(1.0, float(np.abs(expected).max())))


def test_renorm_by_hand():
    """σ_B = 2 is twice σ, clipped to 1.5; the means lie 10 σ apart, clipped to 3; and below."""
    x = np.array([[8.0, -8.0], [12.0, -12.0]])
    y = batch_renorm(x, np.array([0.0, 0.0]), np.array([1.0, 16.0]), 1.5, 3.0, eps=0.0)
    np.testing.assert_allclose(y, [[-1.5 + 3.0, 1 / 1.5 - 2.5], [1.5 + 3.0, -1 / 1.5 - 2.5]])


@pytest.mark.parametrize(("r_max", "d_max"), [(0.5, 1.0), (np.nan, 1.0), (2.0, -1.0)])
def test_limits_that_are_none_are_refused(r_max, d_max):
    """r_max below 1 would force a correction; a negative d_max has no interval."""
    with pytest.raises(ParameterError):
        batch_renorm(np.ones((3, 2)), np.zeros(2), np.ones(2), r_max, d_max)


# --- the gap --------------------------------------------------------------------------------------


def torch_gap(layer, batch):
    """Return the root mean square difference of torch's two modes."""
    theirs = torch.nn.BatchNorm1d(layer.num_features, eps=layer.eps).double()
    theirs.load_state_dict({k: torch.from_numpy(v) for k, v in layer.state_dict().items()})
    evaluated = theirs.eval()(torch.from_numpy(batch))
    trained = theirs.train()(torch.from_numpy(batch))
    return (trained - evaluated).square().mean().sqrt().item()


@pytest.mark.parametrize("training", [True, False])
def test_the_gap_is_torchs_and_leaves_no_trace(training, rng):
    """In either mode; state, mode and the pending backward pass stay."""
    layer = BatchNorm1d(3, eps=0.01)
    layer.weight, layer.bias = rng.normal(size=3), rng.normal(size=3)
    layer(rng.normal(2.0, 3.0, (8, 3)))
    layer.train(training)
    batch = rng.normal(1.0, 2.0, (6, 3))
    expected, before = torch_gap(layer, batch), layer.state_dict()
    gradients = [g.copy() for g in layer.backward(np.ones((8, 3)))]
    assert train_eval_gap(layer, batch) == pytest.approx(expected, rel=1e-10)
    assert layer.training is training
    for key, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, before[key])
    for ours, theirs in zip(layer.backward(np.ones((8, 3))), gradients, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_images_have_a_gap_too(rng):
    """Four axes."""
    layer = BatchNorm2d(2)
    x = rng.normal(size=(4, 2, 3, 3))
    trained = BatchNorm2d(2)(x)
    evaluated = BatchNorm2d(2).eval()(x)
    expected = np.sqrt(np.mean((trained - evaluated) ** 2))
    assert train_eval_gap(layer, x) == pytest.approx(expected, rel=1e-12)


def test_larger_batches_close_the_gap(rng):
    """A recalibrated layer: 16 times the rows, about a quarter of the gap."""
    layer = BatchNorm1d(1)
    recalibrate(layer, [rng.normal(size=(100_000, 1))])
    gaps = [
        np.mean([train_eval_gap(layer, rng.normal(size=(m, 1))) for _ in range(400)])
        for m in (32, 512)
    ]
    assert gaps[0] / gaps[1] == pytest.approx(4.0, rel=0.2)


def test_a_batch_of_one_has_no_training_mode():
    """The layer's own error, and the layer unchanged."""
    layer = BatchNorm1d(2).eval()
    with pytest.raises(BatchSizeError):
        train_eval_gap(layer, np.ones((1, 2)))
    assert not layer.training
