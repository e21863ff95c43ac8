"""Models as torchvision and transformers have them, small ones: what they answer, as models.safetensors; and the names and
shapes of whole ones, as models.txt.  Weights and inputs are made by a formula (made), which test_models.c computes too.

    PYTHON tests/golden/models.py        PYTHON has torch, torchvision, transformers
"""

import pathlib
import re

import torch
import torchvision.models as vision
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.vision_transformer import VisionTransformer

torch.version.cuda = None  # transformers imports torchaudio, which may be of another CUDA; nothing here runs on one
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from formula import fill, made, numbers
from safetensors_file import save_file

torch.set_num_threads(1)


answers = {}


def ask(name, model, shape, vocabulary=0):
    fill(model)
    if vocabulary:
        x = torch.from_numpy((numbers("input", shape[0] * shape[1]) >> 8).astype("int64")) % vocabulary
        x = x.reshape(shape)
    else:
        x = 2 * made("input", shape)
    with torch.no_grad():
        y = model(x)
    y = y.logits if hasattr(y, "logits") else y
    answers[name] = y[:, ::25].clone() if y.ndim == 2 else y
    print(name, y.abs().mean().item(), y.std().item())


SMALL = (2, 3, 64, 64)
VIT = dict(image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=48, num_classes=100)
STAGES = [CNBlockConfig(8, 16, 1), CNBlockConfig(16, 24, 2), CNBlockConfig(24, 32, 1), CNBlockConfig(32, None, 1)]
LLAMA = dict(vocab_size=60, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=6,
             num_key_value_heads=2, max_position_embeddings=32, rms_norm_eps=1e-5)
ask("resnet18", vision.resnet18(), SMALL)
ask("resnet50", vision.resnet50(), SMALL)
ask("vit_b16", VisionTransformer(**VIT), (2, 3, 32, 32))
ask("convnext", ConvNeXt(STAGES, num_classes=100), SMALL)
ask("gpt2", GPT2LMHeadModel(GPT2Config(vocab_size=60, n_positions=32, n_embd=24, n_layer=2, n_head=3)), (2, 9), 60)
ask("llama", LlamaForCausalLM(LlamaConfig(**LLAMA)), (2, 9), 60)
ask("llama_tied", LlamaForCausalLM(LlamaConfig(**LLAMA, tie_word_embeddings=True, rope_theta=500.0)), (2, 9), 60)
SCALED = dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=16)
ask("llama3", LlamaForCausalLM(LlamaConfig(**LLAMA | dict(num_attention_heads=2, num_key_value_heads=1, head_dim=16),
                                           rope_parameters=SCALED)), (2, 9), 60)
ask("qwen2", Qwen2ForCausalLM(Qwen2Config(**LLAMA)), (2, 9), 60)
save_file(answers, pathlib.Path(__file__).with_name("models.safetensors"))

# ---- whole ones: a line for names that differ in one number, "h.{0-11}.ln_1.weight 768"

SMOLLM = dict(vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
              num_key_value_heads=3, max_position_embeddings=2048, tie_word_embeddings=True)


def lines(model):
    groups = {}
    for key, value in model.state_dict().items():
        shape = "x".join(map(str, value.shape)) or "-"
        layer = re.search(r"(?<=encoder_layer_)\d+|(?<=\bh\.)\d+|(?<=\blayers\.)\d+", key)
        before, after = (key[:layer.start()], key[layer.end():]) if layer else (key, None)
        groups.setdefault((before, after, shape), []).append(int(layer.group()) if layer else 0)
    for (before, after, shape), layers in groups.items():
        assert layers == list(range(len(layers)))
        yield f"{before} {shape}" if after is None else f"{before}{{0-{len(layers) - 1}}}{after} {shape}"


with torch.device("meta"), open(pathlib.Path(__file__).with_name("models.txt"), "w") as file:
    for name, model in [("resnet18", vision.resnet18()), ("resnet50", vision.resnet50()), ("vit_b16", vision.vit_b_16()),
                        ("convnext", vision.convnext_tiny()), ("gpt2", GPT2LMHeadModel(GPT2Config())),
                        ("llama", LlamaForCausalLM(LlamaConfig(**SMOLLM)))]:
        print("\n".join([f"[{name}] {len(model.state_dict())}", *lines(model)]), file=file)
