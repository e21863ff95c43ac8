"""PyTorch's answers for lstm, gru and pad_sequence, as nn_recurrent.safetensors."""

import torch
from torch import nn

from layers import answers, draw, layer, save


def flat(module, x, *state):
    state = state[0] if len(state) == 1 else state or None
    y, last = module(x, state)
    return (y, *last) if isinstance(last, tuple) else (y, last)


for name, make, N in (("lstm", nn.LSTM, 2), ("gru", nn.GRU, 2)):
    states = 2 if name == "lstm" else 1
    layer(name, lambda: make(3, 4), draw(5, N, 3), call=flat)
    layer(name + "_state", lambda: make(3, 4), draw(5, N, 3), *[draw(1, N, 4) for _ in range(states)], call=flat)
    layer(name + "_layers", lambda: make(3, 4, 2, bias=False, batch_first=True), draw(N, 5, 3), call=flat)
    layer(name + "_both", lambda: make(3, 4, 2, bidirectional=True), draw(5, N, 3), *[draw(4, N, 4) for _ in range(states)],
          call=flat)
    layer(name + "_one", lambda: make(3, 4, bidirectional=True, batch_first=True), draw(5, 3),
          *[draw(2, 4) for _ in range(states)], call=flat)
    layer(name + "_dropout", lambda: make(3, 4, 3, dropout=0.5), draw(5, N, 3), call=flat)
    layer(name + "_float64", lambda: make(3, 4, dtype=torch.float64), draw(5, N, 3).double(), call=flat)

sequences = [draw(3, 2), draw(5, 2), draw(1, 2)]
pad = torch.nn.utils.rnn.pad_sequence
for i, x in enumerate(sequences):
    answers[f"pad/in{i}"] = x
answers["pad/plain"] = pad(sequences)
answers["pad/batch_first"] = pad(sequences, True, -1.0)
answers["pad/left"] = pad(sequences, batch_first=True, padding_side="left")
save("nn_recurrent")
