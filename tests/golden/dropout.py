"""PyTorch's dropout where nothing is drawn: p of 0 and 1, and outside training.  (What is drawn: tests/test_random.c.)"""

import torch
import torch.nn.functional as F
from golden import FLOATS, Golden, randn

g = Golden("dropout", seed=8)
for op, f, shape in (("dropout", F.dropout, (3, 4)), ("dropout1d", F.dropout1d, (2, 3, 4)),
                     ("dropout2d", F.dropout2d, (2, 3, 2, 2)), ("dropout3d", F.dropout3d, (2, 3, 2, 2, 2))):
    for p, training in ((0.0, True), (1.0, True), (0.5, False)):
        g.case(op, f, [randn(shape)], p=p, training=training)
        g.case(op, f, [randn(shape, dtype=torch.float64)], p=p, training=training)
    g.case(op, f, [torch.zeros((0,) + shape[1:])], p=0.5, training=True)
    g.case(op, f, [randn(shape)], p=1.5, training=True)
    g.case(op, f, [randn(shape)], p=-0.5, training=False)
g.case("dropout", F.dropout, [randn(4)], dtypes=FLOATS, p=1.0, training=True)
g.write()
