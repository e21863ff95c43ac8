"""BERT's encoder, MTCNN and CREPE, with weights made by a formula: what transformers, facenet_pytorch and torchcrepe
answer, as models_loaded.safetensors.

    PYTHON tests/golden/models_loaded.py        PYTHON has torch, transformers, facenet_pytorch, torchcrepe
"""

import pathlib
import sys
import types

import torch

torch.version.cuda = None  # transformers imports torchaudio, which may be of another CUDA; nothing here runs on one
sys.modules.setdefault("resampy", types.ModuleType("resampy"))  # what torchcrepe resamples with: nothing does here
import torchcrepe
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from facenet_pytorch.models.utils.detect_face import detect_face
from transformers import BertConfig, BertModel

from formula import fill, made, numbers
from safetensors_file import save_file

torch.set_num_threads(1)
torch.set_grad_enabled(False)
answers = {}

# ---- sentences
bert = fill(BertModel(BertConfig(vocab_size=60, hidden_size=24, intermediate_size=40, num_hidden_layers=2,
                                 num_attention_heads=3, max_position_embeddings=32)))
tokens = (torch.from_numpy((numbers("input", 18) >> 8).astype("int64")) % 60).reshape(2, 9)
mask = torch.ones(2, 9, dtype=torch.bool)
mask[1, 5:] = False
hidden = bert(tokens, attention_mask=mask.long()).last_hidden_state
answers["bert/hidden"] = hidden[:, :5]  # what padding makes of itself is nobody's business
mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]
answers["bert/sentences"] = torch.nn.functional.normalize(mean, dim=1)

# ---- faces: nets that find some everywhere, in noise
nets = [fill(net(pretrained=False)) for net in (PNet, RNet, ONet)]
for net, face, edges in zip(nets, ("conv4_1", "dense5_1", "dense6_1"), ("conv4_2", "dense5_2", "dense6_2")):
    getattr(net, face).bias += torch.tensor([-0.5, 0.5])
    getattr(net, edges).weight *= 0.125  # boxes outside of the picture are an IndexError of facenet_pytorch
    getattr(net, edges).bias *= 0.125
for name, net, size in zip("pro", nets, (31, 24, 48)):
    for i, y in enumerate(net(2 * made("input", (2, 3, size, size)))):
        answers[f"mtcnn/{name}{i}"] = y.clone()
picture = (127.5 + 127 * made("picture", (52 * 61 * 3,)).clamp(-0.5, 0.5) * 2).floor().reshape(52, 61, 3)
boxes, points = detect_face(picture, 20, *nets, [0.6, 0.7, 0.7], 0.709, "cpu")
boxes, points = torch.tensor(boxes[0].tolist()), torch.tensor(points[0].tolist())
order = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).argsort(descending=True)
print(len(boxes), "faces")
answers["mtcnn/boxes"], answers["mtcnn/points"] = boxes[order], points[order]

# ---- pitch
torchcrepe.convert.dither = lambda cents: cents  # adds noise, else
model = torchcrepe.Crepe("tiny")
torchcrepe.infer.model, torchcrepe.infer.capacity = fill(model), "tiny"
sound = made("sound", (3000,))[None]
frames = next(torchcrepe.preprocess(sound, 16000, 200))
answers["crepe/windows"] = frames[::5, ::100].clone()
answers["crepe/answers"] = torchcrepe.infer(frames, "tiny")[:, ::20].clone()
hertz, periodicity = torchcrepe.predict(sound, 16000, 200, model="tiny", return_periodicity=True)
answers["crepe/cents"] = torchcrepe.convert.frequency_to_cents(hertz[0].double())
answers["crepe/periodicity"] = periodicity[0]
answers["crepe/path"] = torchcrepe.decode.viterbi(12 * made("path", (40 * 360,)).reshape(40, 360).T[None])[0][0]
print(answers["crepe/path"])
save_file(answers, pathlib.Path(__file__).with_name("models_loaded.safetensors"))
