"""PyTorch's answers for layers and for modules at large, as nn.safetensors."""

import torch
from torch import nn

from layers import draw, layer, save

layer("linear", lambda: nn.Linear(7, 5), draw(3, 2, 7))
layer("linear_without_bias", lambda: nn.Linear(4, 9, bias=False), draw(6, 4))
layer("linear_float64", lambda: nn.Linear(3, 2, dtype=torch.float64), draw(4, 3).double())
layer("conv2d", lambda: nn.Conv2d(4, 6, 3, stride=2, padding=1), draw(2, 4, 7, 8))
layer("conv2d_patches", lambda: nn.Conv2d(1, 16, 4, stride=4), draw(2, 1, 8, 8))
layer("conv2d_groups", lambda: nn.Conv2d(4, 8, (3, 2), stride=(1, 2), padding=(2, 1), dilation=(2, 1), groups=2,
                                         bias=False), draw(2, 4, 9, 6))
layer("conv1d", lambda: nn.Conv1d(3, 5, 3, padding=1), draw(2, 3, 9))
layer("layer_norm", lambda: nn.LayerNorm(6), draw(4, 3, 6))
layer("layer_norm_2d", lambda: nn.LayerNorm((3, 6), eps=1e-3, bias=False), draw(4, 3, 6))
layer("layer_norm_plain", lambda: nn.LayerNorm(6, elementwise_affine=False), draw(4, 6))
layer("rms_norm", lambda: nn.RMSNorm(6), draw(4, 3, 6))
layer("group_norm", lambda: nn.GroupNorm(2, 6), draw(3, 6, 4))
layer("embedding", lambda: nn.Embedding(10, 4), torch.tensor([[1, 9, 3], [3, 0, 1]]))
layer("embedding_padding", lambda: nn.Embedding(10, 4, padding_idx=-1), torch.tensor([[1, 9, 3], [3, 0, 9]]))
layer("gelu", lambda: nn.GELU(), draw(5, 5))
layer("gelu_tanh", lambda: nn.GELU(approximate="tanh"), draw(5, 5))
layer("softmax", lambda: nn.Softmax(dim=1), draw(3, 4, 2))
layer("flatten", lambda: nn.Flatten(), draw(3, 4, 2))
layer("mlp", lambda: nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Sequential(nn.Linear(16, 16), nn.SiLU()), nn.Tanh(),
                                   nn.Linear(16, 3), nn.Sigmoid(), nn.Identity()), draw(4, 6))

attention = lambda **options: lambda: nn.MultiheadAttention(8, 2, **options)
causal = torch.ones(5, 5, dtype=torch.bool).triu(1)
padded = torch.tensor([[False, False, False, False, True], [False, False, False, True, True]])
layer("attention", attention(), draw(5, 2, 8), draw(4, 2, 8), draw(4, 2, 8))
layer("attention_batch_first", attention(batch_first=True), draw(2, 5, 8), draw(2, 4, 8), draw(2, 4, 8))
layer("attention_without_weights", attention(batch_first=True, bias=False), draw(2, 5, 8), draw(2, 4, 8), draw(2, 4, 8),
      call=lambda m, q, k, v: m(q, k, v, need_weights=False)[0])
layer("attention_each_head", attention(batch_first=True), draw(2, 5, 8), draw(2, 5, 8), draw(2, 5, 8), causal,
      call=lambda m, q, k, v, mask: m(q, k, v, attn_mask=mask, average_attn_weights=False))
layer("attention_padding", attention(batch_first=True), draw(2, 5, 8), draw(2, 5, 8), draw(2, 5, 8), padded,
      call=lambda m, q, k, v, padding: m(q, k, v, key_padding_mask=padding))
layer("attention_both_masks", attention(batch_first=True), draw(2, 5, 8), draw(2, 5, 8), draw(2, 5, 8), padded, causal,
      call=lambda m, q, k, v, padding, mask: m(q, k, v, key_padding_mask=padding, attn_mask=mask, need_weights=False)[0])
layer("attention_float_mask", attention(), draw(5, 2, 8), draw(5, 2, 8), draw(5, 2, 8), draw(4, 5, 5),
      call=lambda m, q, k, v, mask: m(q, k, v, attn_mask=mask))
layer("attention_one_sequence", attention(kdim=6, vdim=4), draw(5, 8), draw(3, 6), draw(3, 4))

encoder_layer = lambda **options: lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, **options)
layer("encoder_layer", encoder_layer(), draw(5, 2, 8))
layer("encoder_layer_norm_first", encoder_layer(activation="gelu", batch_first=True, norm_first=True), draw(2, 5, 8))
layer("encoder_layer_masks", encoder_layer(batch_first=True, bias=False), draw(2, 5, 8), causal, padded,
      call=lambda m, x, mask, padding: m(x, src_mask=mask, src_key_padding_mask=padding))
layer("encoder", lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True), 3,
                                               norm=nn.LayerNorm(8)), draw(2, 5, 8))

target = torch.tensor([2, 0, -100, 1])
layer("cross_entropy_loss", lambda: nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 0.5]), label_smoothing=0.1),
      draw(4, 3), target)
layer("mse_loss", lambda: nn.MSELoss(reduction="sum"), draw(4, 3), draw(4, 3))

layer("conv3d", lambda: nn.Conv3d(2, 4, (2, 1, 3), padding=(1, 0, 1), groups=2), draw(1, 2, 3, 4, 4))
layer("conv1d_circular", lambda: nn.Conv1d(3, 4, 4, padding="same", padding_mode="circular"), draw(2, 3, 7))
layer("conv2d_reflect", lambda: nn.Conv2d(2, 3, (3, 2), stride=2, padding=(2, 1), padding_mode="reflect"), draw(2, 2, 5, 4))
layer("conv_transpose1d", lambda: nn.ConvTranspose1d(4, 6, 3, 2, groups=2, bias=False), draw(2, 4, 5))
layer("conv_transpose2d", lambda: nn.ConvTranspose2d(3, 4, (3, 2), 2, 1, (1, 0), dilation=(1, 2)), draw(2, 3, 4, 3))
layer("conv_transpose3d", lambda: nn.ConvTranspose3d(2, 3, 2, (2, 1, 1)), draw(1, 2, 2, 3, 2))
layer("softsign", lambda: nn.Softsign(), draw(5, 5))

decoder_layer = lambda **options: lambda: nn.TransformerDecoderLayer(8, 2, 16, dropout=0.0, **options)
memory_padded = torch.tensor([[False, False, True, False], [False, True, True, False]])
layer("decoder_layer", decoder_layer(), draw(5, 2, 8), draw(4, 2, 8))
layer("decoder_layer_norm_first", decoder_layer(activation="gelu", batch_first=True, norm_first=True), draw(2, 5, 8),
      draw(2, 4, 8))
layer("decoder_layer_masks", decoder_layer(batch_first=True, bias=False), draw(2, 5, 8), draw(2, 4, 8), causal,
      draw(5, 4), padded, memory_padded,
      call=lambda m, x, memory, a, b, c, d: m(x, memory, tgt_mask=a, memory_mask=b, tgt_key_padding_mask=c,
                                              memory_key_padding_mask=d))
layer("decoder_layer_causal", decoder_layer(), draw(5, 2, 8), draw(5, 2, 8), causal,
      call=lambda m, x, memory, mask: m(x, memory, mask, mask, tgt_is_causal=True, memory_is_causal=True))
layer("decoder", lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, dropout=0.0, batch_first=True), 3,
                                               norm=nn.LayerNorm(8)), draw(2, 5, 8), draw(2, 4, 8), causal,
      call=lambda m, x, memory, mask: m(x, memory, tgt_mask=mask))

save("nn")
