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
# packed: of a padded input and its lengths
rnn = torch.nn.utils.rnn


def packed(batch_first, sorted_, pad_with=0.0, total=None):
    def call(module, x, lengths, *state):
        state = state[0] if len(state) == 1 else state or None
        y, last = module(rnn.pack_padded_sequence(x, lengths, batch_first, sorted_), state)
        y, lengths = rnn.pad_packed_sequence(y, batch_first, pad_with, total)
        return (y, *last, lengths) if isinstance(last, tuple) else (y, last, lengths)

    return call


for name, make in (("lstm", nn.LSTM), ("gru", nn.GRU)):
    states = 2 if name == "lstm" else 1
    lengths = torch.tensor([2, 5, 1, 5])
    layer(name + "_packed", lambda: make(3, 4), draw(5, 4, 3), torch.tensor([5, 3, 3, 1]), call=packed(False, True))
    layer(name + "_packed_state", lambda: make(3, 4, 2, bidirectional=True), draw(6, 4, 3), lengths,
          *[draw(4, 4, 4) for _ in range(states)], call=packed(False, False, -1.0, 7))
    layer(name + "_packed_dropout", lambda: make(3, 4, 3, bias=False, dropout=0.5, bidirectional=True,
                                                 batch_first=True), draw(4, 5, 3), lengths, call=packed(True, False))
    layer(name + "_packed_equal", lambda: make(3, 4), draw(5, 2, 3), torch.tensor([5, 5]), call=packed(False, True))

x = draw(4, 5, 2)
lengths = torch.tensor([3, 5, 1, 3])
for name, y in (("unsorted", rnn.pack_padded_sequence(x, lengths, True, False)),
                ("sorted", rnn.pack_padded_sequence(x, torch.tensor([4, 4, 2, 1]), True))):
    answers[f"pack/{name}/data"], answers[f"pack/{name}/batch_sizes"] = y.data, y.batch_sizes
    if y.sorted_indices is not None:
        answers[f"pack/{name}/sorted"], answers[f"pack/{name}/unsorted"] = y.sorted_indices, y.unsorted_indices
answers["pack/in"] = x
save("nn_recurrent")
