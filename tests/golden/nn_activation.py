"""PyTorch's answers for activations with arguments, dropout of channels and losses as layers: nn_activation.safetensors."""

import torch
from torch import nn

from layers import draw, layer, save

layer("leaky_relu", lambda: nn.LeakyReLU(), draw(3, 4))
layer("leaky_relu_slope", lambda: nn.LeakyReLU(0.2, inplace=False), draw(3, 4))
layer("elu", lambda: nn.ELU(), draw(3, 4))
layer("elu_alpha", lambda: nn.ELU(0.5), draw(3, 4))
layer("softplus", lambda: nn.Softplus(), draw(3, 4))
layer("softplus_both", lambda: nn.Softplus(2, 1), draw(3, 4))
layer("glu", lambda: nn.GLU(), draw(3, 4))
layer("glu_dim", lambda: nn.GLU(1), draw(3, 4, 2))
layer("prelu", lambda: nn.PReLU(), draw(3, 4))
layer("prelu_channels", lambda: nn.PReLU(4, 0.1), draw(3, 4, 2))
layer("dropout1d", lambda: nn.Dropout1d(0.4), draw(3, 4, 5))
layer("dropout2d", lambda: nn.Dropout2d(), draw(3, 4, 2, 3))
layer("dropout2d_one", lambda: nn.Dropout2d(), draw(4, 2, 3))
layer("dropout1d_one", lambda: nn.Dropout1d(), draw(7, 3))
layer("dropout2d_eval", lambda: nn.Dropout2d().eval(), draw(3, 4, 2, 3))
layer("l1_loss", lambda: nn.L1Loss(), draw(4, 3), draw(4, 3))
layer("l1_loss_sum", lambda: nn.L1Loss(reduction="sum"), draw(4, 3), draw(4, 3))
layer("smooth_l1_loss", lambda: nn.SmoothL1Loss(), draw(4, 3), draw(4, 3))
layer("smooth_l1_loss_beta", lambda: nn.SmoothL1Loss(reduction="none", beta=0.5), draw(4, 3), draw(4, 3))
layer("bce_with_logits_loss", lambda: nn.BCEWithLogitsLoss(), draw(4, 3), draw(4, 3).sigmoid())
layer("bce_with_logits_loss_weights", lambda: nn.BCEWithLogitsLoss(torch.tensor([1.0, 2.0, 0.5]), reduction="sum",
                                                                   pos_weight=torch.tensor([3.0, 1.0, 2.0])),
      draw(4, 3), draw(4, 3).sigmoid())
layer("pairwise_distance", lambda: nn.PairwiseDistance(), draw(4, 3), draw(4, 3))
layer("pairwise_distance_kept", lambda: nn.PairwiseDistance(1.0, 1e-3, True), draw(4, 3), draw(4, 3))
save("nn_activation")
