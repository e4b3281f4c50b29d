import copy
import pickle

import numpy as np
import pytest
import torch

from bnlib import BatchNorm1d, BatchNorm2d
from bnlib.errors import (
    BatchSizeError,
    BnlibError,
    DtypeError,
    NoForwardError,
    ParameterError,
    ShapeError,
    StateDictError,
)
from tests.bnlib.grid import DTYPES, KINDS, LAYOUTS, assert_close, draw, lay_out, rounding

C = 3
TAILS = {"N,C": (), "N,C,L": (4,), "N,C,H,W": (2, 5)}
MOMENTA = [None, 0, 0.1, 1.0]


def pair(tail, momentum=0.1, eps=1e-5):
    """Make our layer and torch's, with the same random weight and bias."""
    ours, theirs = (
        (BatchNorm2d, torch.nn.BatchNorm2d)
        if len(tail) == 2
        else (
            BatchNorm1d,
            torch.nn.BatchNorm1d,
        )
    )
    layer, module = ours(C, eps, momentum), theirs(C, eps, momentum).double()
    rng = np.random.default_rng(3)
    layer.weight, layer.bias = rng.normal(size=C), rng.normal(size=C)
    with torch.no_grad():
        module.weight.copy_(torch.tensor(layer.weight))
        module.bias.copy_(torch.tensor(layer.bias))
    return layer, module


def assert_same_state(layer, module):
    """Assert that both have the same parameters and buffers."""
    theirs = {key: value.numpy() for key, value in module.state_dict().items()}
    ours = layer.state_dict()
    assert list(ours) == list(theirs)
    for key, value in theirs.items():
        assert ours[key].dtype == value.dtype, key
        assert_close(ours[key], value)


def assert_unchanged(layer, before):
    """Assert that a layer's state is still the snapshot."""
    for key, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, before[key], strict=True)


@pytest.mark.parametrize("steps", [0, 1, 2, 50])
@pytest.mark.parametrize("momentum", MOMENTA)
@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
def test_outputs_and_buffers_are_torchs_after_any_number_of_steps(tail, momentum, steps, rng):
    """On batches of changing size and mean, then in evaluation mode."""
    layer, module = pair(tail, momentum)
    for _ in range(steps):
        x = rng.normal(rng.normal(), 2.0, (int(rng.integers(2, 9)), C, *tail))
        assert_close(layer(x), module(torch.tensor(x)).detach().numpy())
    assert_same_state(layer, module)
    x = rng.normal(size=(4, C, *tail))
    assert_close(layer.eval()(x), module.eval()(torch.tensor(x)).detach().numpy())
    assert_same_state(layer, module)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
def test_hard_batches_are_torchs(tail, kind, rng):
    """Two rows of each kind, forward and buffers."""
    layer, module = pair(tail)
    x = draw((2, C, *tail), kind, rng)
    assert_close(layer(x), module(torch.tensor(x)).detach().numpy())
    assert_same_state(layer, module)


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
def test_switching_between_the_modes_is_torchs(tail, rng):
    """Train, evaluate, train again: only training moves the buffers."""
    layer, module = pair(tail)
    for mode in (True, True, False, False, True, False):
        assert layer.train(mode) is layer
        module.train(mode)
        x = rng.normal(1.0, 2.0, (5, C, *tail))
        before = layer.state_dict()
        assert_close(layer(x), module(torch.tensor(x)).detach().numpy())
        if not mode:
            assert_unchanged(layer, before)
        assert_same_state(layer, module)


def test_train_and_eval_return_the_layer_and_set_the_mode():
    """So that calls can be chained, as torch's."""
    layer = BatchNorm1d(C)
    assert layer.training is True
    assert layer.eval() is layer
    assert layer.training is False
    assert layer.train() is layer
    assert layer.training is True
    assert layer.train(False).training is False


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
def test_in_evaluation_a_row_does_not_depend_on_its_neighbours(tail, rng):
    """One at a time is the same as all at once, bit for bit; in training it is not."""
    layer, _ = pair(tail)
    x = rng.normal(1.0, 2.0, (6, C, *tail))
    together = layer(x)
    assert not np.allclose(layer(x[:2]), together[:2])
    together = layer.eval()(x)
    alone = np.concatenate([layer(row[np.newaxis]) for row in x])
    np.testing.assert_array_equal(alone, together)


def test_a_moment_after_the_first_step_with_momentum_one_both_modes_nearly_agree(rng):
    """They differ by the correction only: √((m−1)/m), eps aside."""
    layer = BatchNorm1d(C, eps=1e-12, momentum=1.0)
    x = rng.normal(size=(8, C))
    trained = layer(x)
    np.testing.assert_allclose(layer.eval()(x), trained * np.sqrt(7 / 8), rtol=1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
def test_the_output_has_the_inputs_dtype_and_the_buffers_are_float64(tail, dtype, rng):
    """Rounded once at the end, in both modes."""
    layer, module = pair(tail)
    x = rng.normal(1e3, 1.0, (16, C, *tail)).astype(dtype)
    for mode in (True, False):
        y = layer.train(mode)(x)
        expected = module.train(mode)(torch.tensor(x.astype(np.float64))).detach().numpy()
        assert y.dtype == dtype
        np.testing.assert_allclose(y, expected, rtol=rounding(dtype), atol=1e-9)
    for key in ("weight", "bias", "running_mean", "running_var"):
        assert getattr(layer, key).dtype == np.float64


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_memory_layout_does_not_matter(layout, rng):
    """Strides are an implementation detail of the caller."""
    x = rng.normal(size=(6, C, 2, 4))
    expected, _ = pair((2, 4))
    layer, _ = pair((2, 4))
    assert_close(layer(lay_out(x, layout)), expected(x))
    assert_close(layer.running_var, expected.running_var)


@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
def test_the_backward_pass_is_torchs(tail, mode, rng):
    """In the mode of the last call, for a random upstream gradient."""
    layer, module = pair(tail)
    for _ in range(3):
        x = rng.normal(1.0, 2.0, (7, C, *tail))
        layer(x)
        module(torch.tensor(x))
    layer.train(mode)
    module.train(mode)
    t = torch.tensor(x, requires_grad=True)
    layer(x)
    dy = rng.normal(size=x.shape)
    module(t).backward(torch.tensor(dy))
    dx, dweight, dbias = layer.backward(dy)
    assert_close(dx, t.grad.numpy())
    assert_close(dweight, module.weight.grad.numpy())
    assert_close(dbias, module.bias.grad.numpy())


@pytest.mark.parametrize("mode", [True, False])
def test_the_backward_pass_remembers_the_call_it_belongs_to(mode, rng):
    """Switching the mode, stepping the weight or overwriting x afterwards changes nothing."""
    layer, _ = pair(())
    x, dy = rng.normal(size=(6, C)), rng.normal(size=(6, C))
    layer(x + 1)
    layer.train(mode)(x)
    expected = layer.backward(dy)
    layer.train(not mode)
    layer.weight += 1.0
    layer.running_var *= 2.0
    layer.running_mean += 1.0
    layer.eps = 0.5
    x[:] = 0.0
    for one, other in zip(layer.backward(dy), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_backward_pass_needs_a_forward_pass_and_its_shape(rng):
    """Both messages say what to do."""
    layer = BatchNorm1d(C)
    with pytest.raises(NoForwardError, match="call the layer on a batch"):
        layer.backward(np.ones((4, C)))
    layer(rng.normal(size=(4, C)))
    with pytest.raises(ShapeError, match=r"dy must have the shape of the last output, \(4, 3\)"):
        layer.backward(np.ones((1, C)))
    with pytest.raises(DtypeError, match="dy"):
        layer.backward(np.ones((4, C), int))


def test_the_state_dict_is_a_snapshot(rng):
    """Neither side sees the other's later changes."""
    layer = BatchNorm1d(C)
    state = layer.state_dict()
    layer(rng.normal(size=(4, C)))
    layer.weight += 1.0
    np.testing.assert_array_equal(state["running_mean"], np.zeros(C))
    np.testing.assert_array_equal(state["weight"], np.ones(C))
    assert state["num_batches_tracked"] == 0
    after = layer.state_dict()
    for value in state.values():
        value += 5
    assert_unchanged(layer, after)


def test_loading_copies(rng):
    """The dict's arrays stay the caller's."""
    layer, source = BatchNorm1d(C), BatchNorm1d(C)
    source(rng.normal(size=(4, C)))
    state = source.state_dict()
    layer.load_state_dict(state)
    for value in state.values():
        value += 5
    assert_unchanged(layer, source.state_dict())


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
def test_a_state_dict_goes_to_torch_and_back(tail, rng):
    """Both ways, strictly, and the layers then agree in both modes."""
    layer, module = pair(tail)
    for _ in range(3):
        module(torch.tensor(rng.normal(2.0, 3.0, (5, C, *tail))))
    layer.load_state_dict({key: value.numpy() for key, value in module.state_dict().items()})
    assert_same_state(layer, module)
    layer(rng.normal(size=(4, C, *tail)))
    module.load_state_dict(
        {key: torch.from_numpy(value) for key, value in layer.state_dict().items()}, strict=True
    )
    assert_same_state(layer, module)
    x = rng.normal(size=(4, C, *tail))
    for mode in (False, True):
        ours = layer.train(mode)(x)
        assert_close(ours, module.train(mode)(torch.tensor(x)).detach().numpy())


def test_a_float32_state_dict_of_tensors_loads(rng):
    """Torch's default dtype, unconverted; the layer goes on in float64."""
    module = torch.nn.BatchNorm1d(C)
    module(torch.tensor(rng.normal(size=(4, C)), dtype=torch.float32))
    layer = BatchNorm1d(C)
    layer.load_state_dict(module.state_dict())
    np.testing.assert_array_equal(layer.running_mean, module.running_mean.double().numpy())
    assert layer.running_mean.dtype == np.float64
    assert layer.num_batches_tracked == 1
    assert type(layer.num_batches_tracked) is int


def change(key, value):
    """Return a state dict of one changed entry; None takes it out."""
    state = BatchNorm1d(C).state_dict()
    del state[key]
    return state if value is None else {**state, key: value}


BAD_STATES = {
    "missing weight": change("weight", None),
    "missing running_var": change("running_var", None),
    "unexpected key": {**BatchNorm1d(C).state_dict(), "gamma": np.ones(C)},
    "another length": change("bias", np.zeros(C + 1)),
    "a row for a vector": change("weight", np.ones((1, C))),
    "would broadcast": change("running_mean", np.zeros(())),
    "count is a vector": change("num_batches_tracked", np.zeros(C, np.int64)),
}


@pytest.mark.parametrize("state", BAD_STATES.values(), ids=BAD_STATES)
def test_a_state_dict_that_torch_refuses_is_refused(state):
    """With a RuntimeError in both; and ours copies nothing."""
    module = torch.nn.BatchNorm1d(C).double()
    with pytest.raises(RuntimeError):
        module.load_state_dict({key: torch.tensor(value) for key, value in state.items()})
    layer = BatchNorm1d(C)
    before = layer.state_dict()
    changed = {key: np.asarray(value) + 1 for key, value in state.items()}
    with pytest.raises(StateDictError, match=r"BatchNorm1d\(3"):
        layer.load_state_dict(changed)
    assert_unchanged(layer, before)


BAD_INPUTS = [
    (BatchNorm1d, torch.nn.BatchNorm1d, (C,), True, ShapeError),
    (BatchNorm1d, torch.nn.BatchNorm1d, (2, C, 4, 4), True, ShapeError),
    (BatchNorm1d, torch.nn.BatchNorm1d, (4, C + 1), True, ShapeError),
    (BatchNorm1d, torch.nn.BatchNorm1d, (4, C + 1), False, ShapeError),
    (BatchNorm1d, torch.nn.BatchNorm1d, (C, 4, C), True, ShapeError),
    (BatchNorm1d, torch.nn.BatchNorm1d, (1, C), True, BatchSizeError),
    (BatchNorm1d, torch.nn.BatchNorm1d, (1, C, 1), True, BatchSizeError),
    (BatchNorm2d, torch.nn.BatchNorm2d, (4, C), True, ShapeError),
    (BatchNorm2d, torch.nn.BatchNorm2d, (4, C, 5), False, ShapeError),
    (BatchNorm2d, torch.nn.BatchNorm2d, (4, 5, 5, C), True, ShapeError),
    (BatchNorm2d, torch.nn.BatchNorm2d, (1, C, 1, 1), True, BatchSizeError),
]


@pytest.mark.parametrize(("ours", "theirs", "shape", "mode", "error"), BAD_INPUTS)
def test_a_batch_that_torch_refuses_is_refused(ours, theirs, shape, mode, error):
    """A ValueError wherever torch raises one, and the layer stays as it was."""
    module = theirs(C).double().train(mode)
    with pytest.raises((ValueError, RuntimeError)):
        module(torch.ones(shape, dtype=torch.float64))
    layer = ours(C).train(mode)
    before = layer.state_dict()
    with pytest.raises(error) as caught:
        layer(np.ones(shape))
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, BnlibError)
    assert str(shape) in str(caught.value)
    assert_unchanged(layer, before)


@pytest.mark.parametrize("shape", [(1, C), (1, C, 1)])
def test_one_value_per_channel_is_fine_in_evaluation(shape, rng):
    """There the batch's own statistics do not matter."""
    layer, module = pair(shape[2:])
    x = rng.normal(size=shape)
    assert_close(layer.eval()(x), module.eval()(torch.tensor(x)).detach().numpy())


def test_one_row_with_several_positions_is_a_batch(rng):
    """What counts is positions: (1, C, 2) has two values per channel."""
    layer, module = pair((2,))
    x = rng.normal(size=(1, C, 2))
    assert_close(layer(x), module(torch.tensor(x)).detach().numpy())
    assert_same_state(layer, module)


def test_an_empty_batch_is_refused_in_training_and_stays_empty_in_evaluation():
    """Torch lets it through and counts it; there is nothing to take a mean of."""
    layer = BatchNorm1d(C)
    with pytest.raises(BatchSizeError):
        layer(np.ones((0, C)))
    assert layer.num_batches_tracked == 0
    assert layer.eval()(np.ones((0, C))).shape == (0, C)


def test_eps_must_be_positive_in_training_as_in_torch():
    """In evaluation 0 will do; negative never."""
    x = np.array([[1.0] * C, [2.0] * C])
    with pytest.raises(ValueError, match="positive during training"):
        torch.nn.BatchNorm1d(C, eps=0.0).double()(torch.tensor(x))
    layer = BatchNorm1d(C, eps=0.0)
    with pytest.raises(ParameterError, match="eps must be positive when training"):
        layer(x)
    assert layer.num_batches_tracked == 0
    np.testing.assert_array_equal(layer.eval()(x), x)
    with pytest.raises(ParameterError, match="eps"):
        BatchNorm1d(C, eps=-1e-5)


def test_arguments_out_of_range_are_refused():
    """No channels, a mode that is not a bool, integers for data."""
    with pytest.raises(ParameterError, match="num_features must be at least 1; got 0"):
        BatchNorm1d(0)
    for module in (BatchNorm1d(C), torch.nn.BatchNorm1d(C)):
        with pytest.raises(ValueError, match="mode"):
            module.train("eval")
    with pytest.raises(DtypeError, match="x must be a floating-point array"):
        BatchNorm1d(C)(np.ones((4, C), int))


@pytest.mark.parametrize("layer", [BatchNorm1d(C, momentum=None), BatchNorm2d(2, eps=0.1)])
def test_the_repr_says_how_to_make_it_again(layer):
    """As torch's, without the arguments that do not exist here."""
    twin = eval(repr(layer))
    assert (type(twin), twin.eps, twin.momentum) == (type(layer), layer.eps, layer.momentum)
    assert twin.num_features == layer.num_features


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_a_copied_layer_is_on_its_own(twin_of, rng):
    """It carries the last call along and shares no memory."""
    layer = BatchNorm1d(C)
    x, dy = rng.normal(size=(4, C)), rng.normal(size=(4, C))
    layer(x)
    twin = twin_of(layer)
    for one, other in zip(layer.backward(dy), twin.backward(dy), strict=True):
        np.testing.assert_array_equal(one, other)
    before = layer.state_dict()
    twin(x)
    twin.weight += 1.0
    assert_unchanged(layer, before)
