"""PyTorch's answers for layers with statistics and for weights by their norm, as nn_normalization.safetensors."""

import torch
from torch import nn

from layers import draw, layer, save


def train_and_eval(module, x):
    module(x)
    y = module(x * 2)
    return y, module.eval()(x).detach()


layer("batch_norm1d", lambda: nn.BatchNorm1d(3), draw(5, 3) + 1, call=train_and_eval)
layer("batch_norm1d_long", lambda: nn.BatchNorm1d(3, eps=1e-3, momentum=0.3), draw(2, 3, 4), call=train_and_eval)
layer("batch_norm2d", lambda: nn.BatchNorm2d(4), draw(2, 4, 3, 2), call=train_and_eval)
layer("batch_norm2d_cumulative", lambda: nn.BatchNorm2d(4, momentum=None), draw(2, 4, 3, 2), call=train_and_eval)
layer("batch_norm2d_untracked", lambda: nn.BatchNorm2d(4, track_running_stats=False), draw(2, 4, 3, 2), call=train_and_eval)
layer("batch_norm3d_plain", lambda: nn.BatchNorm3d(2, affine=False), draw(2, 2, 3, 2, 2), call=train_and_eval)
layer("batch_norm_eval", lambda: nn.BatchNorm2d(4).eval(), draw(2, 4, 3, 2))
layer("batch_norm_float64", lambda: nn.BatchNorm1d(3, dtype=torch.float64), draw(5, 3).double(), call=train_and_eval)
layer("instance_norm1d", lambda: nn.InstanceNorm1d(3), draw(2, 3, 4), call=train_and_eval)
layer("instance_norm1d_one", lambda: nn.InstanceNorm1d(3, affine=True), draw(3, 4), call=train_and_eval)
layer("instance_norm2d", lambda: nn.InstanceNorm2d(4, affine=True), draw(2, 4, 3, 2), call=train_and_eval)
layer("instance_norm2d_tracked", lambda: nn.InstanceNorm2d(4, affine=True, track_running_stats=True), draw(2, 4, 3, 2),
      call=train_and_eval)
layer("instance_norm3d", lambda: nn.InstanceNorm3d(2, eps=1e-3), draw(2, 2, 3, 2, 2), call=train_and_eval)
layer("sync_batch_norm", lambda: nn.SyncBatchNorm(4), draw(2, 4, 3, 2), call=train_and_eval)
weight_norm = nn.utils.weight_norm
layer("weight_norm", lambda: weight_norm(nn.Linear(4, 3)), draw(2, 4))
layer("weight_norm_dim1", lambda: weight_norm(nn.ConvTranspose1d(3, 4, 3), dim=1), draw(2, 3, 5))
layer("weight_norm_whole", lambda: weight_norm(nn.Conv1d(3, 4, 3), dim=None), draw(2, 3, 5))
save("nn_normalization")
