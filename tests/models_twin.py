"""Models of torchvision and transformers at full size, with random weights: their state dicts, as torch.save and as
safetensors write them, load strictly into the katas' models, which give the same logits.

    models_twin.py MODELS_ANSWER        where MODELS_ANSWER is the program; exits with 77 where Python lacks a package
"""

import os
import subprocess
import sys
import tempfile

try:
    import numpy
    import torch
    import torchvision.models as vision
    from safetensors.torch import save_model

    torch.version.cuda = None  # transformers imports torchaudio, which may be of another CUDA; nothing here runs on one
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM
except ImportError as error:
    print(f"skipped: {error}: needs torch, torchvision, transformers, safetensors")
    sys.exit(77)

SMOLLM = dict(vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
              num_key_value_heads=3, max_position_embeddings=2048, rms_norm_eps=1e-5, tie_word_embeddings=True)
MODELS = {"resnet18": vision.resnet18, "resnet50": vision.resnet50, "vit_b16": vision.vit_b_16,
          "convnext": vision.convnext_tiny, "gpt2": lambda: GPT2LMHeadModel(GPT2Config()),
          "llama": lambda: LlamaForCausalLM(LlamaConfig(**SMOLLM))}


@torch.no_grad()
def stir(model):
    """weights as far from their beginnings as training takes them: no zeros, no ones"""
    for key, value in model.state_dict().items():
        if value.ndim <= 1 and value.is_floating_point():
            value.mul_(1 + 0.2 * torch.rand(value.shape)).add_(0.1 * torch.rand(value.shape))
    if hasattr(model, "heads"):
        torch.nn.init.normal_(model.heads.head.weight, std=0.05)  # zeros, else
    return model.eval()


def main():
    torch.manual_seed(0)
    names = sys.argv[2:] or MODELS
    with tempfile.TemporaryDirectory() as folder:
        place = lambda name: os.path.join(folder, name)
        for name in names:
            model = stir(MODELS[name]())
            x = torch.randint(0, 1000, (1, 40)) if name in ("gpt2", "llama") else torch.randn(2, 3, 224, 224)
            with torch.no_grad():
                y = model(x)
            y = (y.logits if hasattr(y, "logits") else y).numpy()
            numpy.save(place("in.npy"), x.numpy())
            torch.save(model.state_dict(), place("state.pt"))
            save_model(model, place("state.safetensors"))  # one name of each tied weight
            for state in ("state.pt", "state.safetensors"):
                subprocess.run([sys.argv[1], name, place(state), place("in.npy"), place("out.npy")], check=True)
                far = abs(numpy.load(place("out.npy")) - y).max() / y.std()
                print(f"{name}, {state}: logits differ by {far:.1e} of their deviation")
                if not far < 1e-4:
                    sys.exit(1)


main()
