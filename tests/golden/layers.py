"""What the scripts of layers share: each is seeded with 0, made, called, and what it did is kept by name, for save(file).

    NAME/state/KEY     its state_dict after construction
    NAME/in0 ...       what it is called with
    NAME/out0 ...      what it gives
    NAME/dy            the gradient given for out0
    NAME/dx0 ...       the gradients of floating inputs
    NAME/grad/KEY      the gradients of its parameters
    NAME/after/KEY     buffers after the call, where they changed
"""

import pathlib
import warnings

import torch

from safetensors_file import save_file

torch.set_num_threads(1)
warnings.filterwarnings("ignore")
torch.backends.mha.set_fastpath_enabled(False)
answers = {}


def layer(name, make, *inputs, call=None):
    torch.manual_seed(0)
    module = make()
    for key, value in module.state_dict().items():
        answers[f"{name}/state/{key}"] = value.detach().clone()
    inputs = [x.clone() for x in inputs]
    for i, x in enumerate(inputs):
        answers[f"{name}/in{i}"] = x.clone()
        if x.is_floating_point() and i < 3:
            x.requires_grad_()
    results = call(module, *inputs) if call else module(*inputs)
    results = [y for y in (results if isinstance(results, tuple) else (results,)) if y is not None]
    for key, value in module.state_dict().items():
        if not torch.equal(value, answers[f"{name}/state/{key}"]):
            answers[f"{name}/after/{key}"] = value.detach().clone()
    for i, y in enumerate(results):
        answers[f"{name}/out{i}"] = y.detach().clone()
    generator = torch.Generator().manual_seed(7)
    dy = torch.randn(results[0].shape, generator=generator).to(results[0].dtype)
    answers[f"{name}/dy"] = dy
    results[0].backward(dy)
    for i, x in enumerate(inputs):
        if x.grad is not None:
            answers[f"{name}/dx{i}"] = x.grad
    for key, value in module.named_parameters():
        if value.grad is not None:
            answers[f"{name}/grad/{key}"] = value.grad


def draw(*shape):
    return torch.randn(shape, generator=draw.generator)


draw.generator = torch.Generator().manual_seed(1)


def save(file):
    save_file(answers, pathlib.Path(__file__).with_name(file + ".safetensors"))
