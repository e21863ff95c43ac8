"""Twins of whole models, seeded and trained here as tests/test_twin_images.c and tests/test_twin_text.c do it in wick, line
for line: a ResNet-18, an LSTM language model, and those of katas/: a GPT with rotary embeddings and a cache of keys and
values, a U-Net (DDPM), a DiT (flow matching), a convolutional VAE, a GAN, a CLIP.

    NAME/state/KEY      of the initial weights: the sum of each tensor and of its squares, in float64
    NAME/losses         the first 20 losses (of the GAN: of both sides)
    NAME/drawn          what the trained U-Net and DiT draw, in three steps
    frechet             the distance between two sets of features
    gpt/written         what the trained GPT writes, greedily
"""

import math
import pathlib

import torch
import torch.nn.functional as F
from torch import nn

from safetensors_file import save_file
from transformer import Attention, Block

torch.set_num_threads(1)
answers = {}


def begin(name, model):
    for key, value in model.state_dict().items():
        value = value.double()
        answers[f"{name}/state/{key}"] = torch.stack((value.sum(), (value * value).sum()))
    model.train()


def end(name, losses):
    answers[f"{name}/losses"] = torch.tensor(losses, dtype=torch.float64)
    print(name, [round(loss, 4) for loss in torch.tensor(losses).flatten().tolist()])


# ---------------------------------------------------------------- ResNet-18, of narrow layers


class BasicBlock(nn.Module):
    def __init__(self, inner, outer, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inner, outer, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outer)
        self.downsample = None
        if stride != 1 or inner != outer:
            self.downsample = nn.Sequential(nn.Conv2d(inner, outer, 1, stride=stride, bias=False), nn.BatchNorm2d(outer))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet18(nn.Module):
    def __init__(self, width=8, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        layers, inner = [], width
        for stage in range(4):
            outer = width << stage
            layers += [BasicBlock(inner, outer, 1 if stage == 0 else 2), BasicBlock(outer, outer, 1)]
            inner = outer
        self.layers = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(inner, classes)

    def forward(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        return self.fc(torch.flatten(self.avgpool(self.layers(x)), 1))


def resnet():
    torch.manual_seed(50)
    model = ResNet18()
    begin("resnet", model)
    x, y = torch.randn(8, 3, 32, 32), torch.randint(0, 10, (8,))
    model.double()  # in float32 PyTorch's own convolutions, by oneDNN and without, part ways after three steps
    x = x.double()
    opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-4)
    losses = []
    for step in range(20):
        loss = F.cross_entropy(model(x), y, label_smoothing=0.1)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        losses.append(F.cross_entropy(model(x), y).item())
    end("resnet", losses)


# ---------------------------------------------------------------- U-Net, denoising


class Condition(nn.Module):
    """(B,) times from 0 to 1, (B,) classes or `classes` for any -> (B, dim)"""

    def __init__(self, dim, classes):
        super().__init__()
        self.time = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.label = nn.Embedding(classes + 1, dim)
        self.dim = dim

    def forward(self, t, y):
        half = self.dim // 2
        frequencies = torch.exp(torch.arange(half, dtype=torch.float32) * (-math.log(10000) / half))
        angles = torch.outer(t * 1000, frequencies)
        return F.silu(self.time(torch.cat((angles.cos(), angles.sin()), dim=-1)) + self.label(y))


class UNetBlock(nn.Module):
    def __init__(self, inner, outer, dim):
        super().__init__()
        self.norm1 = nn.GroupNorm(8, inner)
        self.conv1 = nn.Conv2d(inner, outer, 3, padding=1)
        self.shift = nn.Linear(dim, outer)
        self.norm2 = nn.GroupNorm(8, outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, padding=1)
        self.skip = nn.Conv2d(inner, outer, 1) if inner != outer else nn.Identity()

    def forward(self, x, c):
        shift = self.shift(c)[:, :, None, None]
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h + shift)))
        return self.skip(x) + h


class UNet(nn.Module):
    def __init__(self, channels, patch, width, classes):
        super().__init__()
        dim = 4 * width
        self.condition = Condition(dim, classes)
        self.first = nn.Conv2d(channels, width, patch + 2, stride=patch, padding=1)
        self.down1 = UNetBlock(width, width, dim)
        self.shrink = nn.Conv2d(width, width, 3, stride=2, padding=1)
        self.down2 = UNetBlock(width, 2 * width, dim)
        self.middle = UNetBlock(2 * width, 2 * width, dim)
        self.grow = nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1)
        self.up = UNetBlock(2 * width, width, dim)
        self.norm = nn.GroupNorm(8, width)
        self.last = nn.ConvTranspose2d(width, channels, patch + 2, stride=patch, padding=1)

    def forward(self, x, t, y):
        c = self.condition(t, y)
        high = self.down1(self.first(x), c)
        low = self.middle(self.down2(self.shrink(high), c), c)
        x = self.up(torch.cat((self.grow(low), high), dim=1), c)
        return self.last(F.silu(self.norm(x)))


TIMES = 1000
SIGNAL = torch.cumprod(1 - torch.linspace(1e-4, 0.02, TIMES), 0)


def diffusion_loss(model, flow, classes, x, y):
    B = x.shape[0]
    y = y.masked_fill(torch.rand(B) < 0.1, classes)
    noise = torch.randn_like(x)
    if flow:
        t = torch.rand(B)
        return F.mse_loss(model(torch.lerp(noise, x, t.view(-1, 1, 1, 1)), t, y), x - noise)
    t = torch.randint(0, TIMES, (B,))
    signal = SIGNAL[t].view(-1, 1, 1, 1)
    return F.mse_loss(model(signal.sqrt() * x + (1 - signal).sqrt() * noise, t / TIMES, y), noise)


def says(model, x, time, classes, y):
    """with a guidance of 2"""
    t = torch.full((x.shape[0],), time)
    towards, anyhow = model(x, t, y), model(x, t, torch.full_like(y, classes))
    return torch.lerp(anyhow, towards, 2.0)


def drawn(model, flow, classes, x, y, steps):
    for i in range(steps):
        if flow:
            x = x + says(model, x, i / steps, classes, y) / steps
            continue
        time, earlier = TIMES * (steps - i) // steps - 1, TIMES * (steps - i - 1) // steps - 1
        now, then = SIGNAL[time].item(), SIGNAL[earlier].item() if earlier >= 0 else 1.0
        kept = now / then
        noise = says(model, x, time / TIMES, classes, y)
        picture = ((x - noise * math.sqrt(1 - now)) / math.sqrt(now)).clamp(-1, 1)
        mean = picture * (math.sqrt(then) * (1 - kept) / (1 - now)) + x * (math.sqrt(kept) * (1 - then) / (1 - now))
        x = mean + torch.randn_like(x) * math.sqrt((1 - kept) * (1 - then) / (1 - now))
    return x


def diffusion(name, model, flow, size, lr):
    begin(name, model)
    x, y = torch.rand(4, 1, size, size) * 2 - 1, torch.randint(0, 3, (4,))
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    for step in range(20):
        loss = diffusion_loss(model, flow, 3, x, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    end(name, losses)
    with torch.no_grad():
        answers[f"{name}/drawn"] = drawn(model, flow, 3, torch.randn(4, 1, size, size), y, 3)


def unet():
    torch.manual_seed(51)
    diffusion("unet", UNet(1, 2, 8, 3), False, 16, 2e-3)


# ---------------------------------------------------------------- the score of what was drawn


def root(c):
    values, vectors = torch.linalg.eigh(c)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T


def frechet(a, b):
    a, b = a.double(), b.double()
    cov_a, cov_b = torch.cov(a.T), torch.cov(b.T)
    between = root(root(cov_a) @ cov_b @ root(cov_a))
    return ((a.mean(0) - b.mean(0)).square().sum() + torch.trace(cov_a + cov_b - 2 * between)).item()


def score():
    torch.manual_seed(58)
    a, b = torch.randn(40, 6), torch.randn(50, 6) * 1.5 + 0.3
    answers["frechet"] = torch.tensor(frechet(a, b), dtype=torch.float64)


# ---------------------------------------------------------------- DiT, matching flows


def modulate(x, scale, shift):
    return x * (1 + scale[:, None]) + shift[:, None]


def zeroed(layer):
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class DiTBlock(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, elementwise_affine=False)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, elementwise_affine=False)
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)
        self.modulation = zeroed(nn.Linear(dim, 6 * dim))

    def forward(self, x, c):
        scale1, shift1, gate1, scale2, shift2, gate2 = self.modulation(c).chunk(6, dim=1)
        x = x + gate1[:, None] * self.attn(modulate(self.norm1(x), scale1, shift1))
        h = self.fc2(F.gelu(self.fc1(modulate(self.norm2(x), scale2, shift2))))
        return x + gate2[:, None] * h


class DiT(nn.Module):
    def __init__(self, image, channels, patch, dim, depth, heads, classes):
        super().__init__()
        self.condition = Condition(dim, classes)
        self.patch_embed = nn.Conv2d(channels, dim, 2 * patch, stride=patch, padding=patch // 2)
        self.pos_embed = nn.Parameter(torch.randn(1, (image // patch) ** 2, dim) * 0.02)
        self.blocks = nn.ModuleList([DiTBlock(dim, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)
        self.modulation = zeroed(nn.Linear(dim, 2 * dim))
        self.head = zeroed(nn.ConvTranspose2d(dim, channels, 2 * patch, stride=patch, padding=patch // 2))
        self.rows = image // patch

    def forward(self, x, t, y):
        c = self.condition(t, y)
        x = self.patch_embed(x).flatten(2).transpose(1, 2) + self.pos_embed
        for block in self.blocks:
            x = block(x, c)
        x = modulate(self.norm(x), *self.modulation(c).chunk(2, dim=1))
        return self.head(x.transpose(1, 2).unflatten(2, (self.rows, self.rows)))


def dit():
    torch.manual_seed(56)
    diffusion("dit", DiT(8, 1, 2, 16, 2, 2, 3), True, 8, 1e-2)


# ---------------------------------------------------------------- VAE


class VAE(nn.Module):
    def __init__(self, latent=4):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(),
                                     nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten())
        self.mean = nn.Linear(16 * 16, latent)
        self.log_variance = nn.Linear(16 * 16, latent)
        self.decode = nn.Linear(latent, 16 * 16)
        self.decoder = nn.Sequential(nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1), nn.ReLU(),
                                     nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1))

    def forward(self, x):
        h = self.encoder(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        x = self.decoder(self.decode(z).view(-1, 16, 4, 4))
        return x, -0.5 * torch.sum(1 + log_variance - mean ** 2 - log_variance.exp())


def vae():
    torch.manual_seed(52)
    model = VAE()
    begin("vae", model)
    x = (torch.rand(8, 1, 16, 16) > 0.5).float()
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for step in range(20):
        y, kl = model(x)
        loss = (F.binary_cross_entropy_with_logits(y, x, reduction="sum") + kl) / x.shape[0]
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    end("vae", losses)


# ---------------------------------------------------------------- GAN


def gan():
    torch.manual_seed(53)
    generator = nn.Sequential(nn.ConvTranspose2d(8, 16, 4), nn.BatchNorm2d(16), nn.ReLU(),
                              nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
                              nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1), nn.Tanh())
    critic = nn.Sequential(nn.Conv2d(1, 8, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
                           nn.Conv2d(8, 16, 4, stride=2, padding=1), nn.BatchNorm2d(16), nn.LeakyReLU(0.2),
                           nn.Conv2d(16, 1, 4), nn.Flatten())
    begin("gan/generator", generator)
    begin("gan/critic", critic)
    real = torch.rand(8, 1, 16, 16) * 2 - 1
    opt_g = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(critic.parameters(), lr=2e-4, betas=(0.5, 0.999))
    ones, zeros = torch.ones(8, 1), torch.zeros(8, 1)
    losses = []
    for step in range(20):
        fake = generator(torch.randn(8, 8, 1, 1))
        loss_d = (F.binary_cross_entropy_with_logits(critic(real), ones) +
                  F.binary_cross_entropy_with_logits(critic(fake.detach()), zeros))
        opt_d.zero_grad()
        loss_d.backward()
        opt_d.step()
        loss_g = F.binary_cross_entropy_with_logits(critic(fake), ones)
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()
        losses.append((loss_d.item(), loss_g.item()))
    end("gan", losses)


# ---------------------------------------------------------------- LSTM language model


class LSTMModel(nn.Module):
    def __init__(self, tokens=20, dim=16):
        super().__init__()
        self.embedding = nn.Embedding(tokens, dim)
        self.lstm = nn.LSTM(dim, dim, num_layers=2, batch_first=True)
        self.head = nn.Linear(dim, tokens)

    def forward(self, x, state=None):
        x, state = self.lstm(self.embedding(x), state)
        return self.head(x), state


def lstm():
    torch.manual_seed(54)
    model = LSTMModel()
    begin("lstm", model)
    text = torch.randint(0, 20, (4, 33))
    opt = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses, state = [], None
    for step in range(20):
        logits, (h, c) = model(text[:, :-1], state)
        state = h.detach(), c.detach()
        loss = F.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten())
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        opt.step()
        losses.append(loss.item())
    end("lstm", losses)


# ---------------------------------------------------------------- GPT


def rotate(x, angles):
    """x: (B, H, L, D), pairs of neighbours; angles: (L, D / 2)"""
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)


class GPTBlock(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.norm1 = nn.RMSNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.proj = nn.Linear(dim, dim, bias=False)
        self.norm2 = nn.RMSNorm(dim)
        self.gate = nn.Linear(dim, 2 * dim, bias=False)
        self.up = nn.Linear(dim, 2 * dim, bias=False)
        self.down = nn.Linear(2 * dim, dim, bias=False)
        self.heads = heads

    def forward(self, x, angles, cache):
        B, L, D = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(B, L, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, angles), rotate(k, angles)
        if cache is not None:
            if cache:
                k, v = torch.cat((cache[0], k), dim=2), torch.cat((cache[1], v), dim=2)
            cache[:] = k, v
        y = F.scaled_dot_product_attention(q, k, v, is_causal=L > 1)
        x = x + self.proj(y.transpose(1, 2).flatten(2))
        y = self.norm2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class GPT(nn.Module):
    def __init__(self, tokens=20, dim=16, depth=2, heads=2):
        super().__init__()
        self.embedding = nn.Embedding(tokens, dim)
        self.blocks = nn.ModuleList([GPTBlock(dim, heads) for _ in range(depth)])
        self.norm = nn.RMSNorm(dim)
        self.head = nn.Linear(dim, tokens, bias=False)
        self.pair = dim // heads

    def forward(self, x, caches=None, position=0):
        frequencies = 1.0 / 10000.0 ** (torch.arange(0, self.pair, 2).float() / self.pair)
        angles = torch.outer(torch.arange(position, position + x.shape[1]).float(), frequencies)
        x = self.embedding(x)
        for i, block in enumerate(self.blocks):
            x = block(x, angles, None if caches is None else caches[i])
        return self.head(self.norm(x))


def gpt():
    torch.manual_seed(55)
    model = GPT()
    begin("gpt", model)
    text = torch.randint(0, 20, (4, 17))
    opt = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for step in range(20):
        loss = F.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    end("gpt", losses)
    model.eval()
    with torch.no_grad():
        caches = [[], []]
        written = [text[0, :4]]
        logits = model(text[:1, :4], caches)
        for position in range(4, 20):
            written.append(logits[0, -1:].argmax(-1))
            logits = model(written[-1][None], caches, position)
    answers["gpt/written"] = torch.cat(written)
    print(answers["gpt/written"].tolist())


# ---------------------------------------------------------------- CLIP


class CLIP(nn.Module):
    def __init__(self, image, width, words, length, dim, depth, heads, shared):
        super().__init__()
        self.image = nn.Sequential(nn.Conv2d(1, width, 3, stride=2, padding=1), nn.ReLU(),
                                   nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), nn.ReLU(),
                                   nn.Conv2d(2 * width, 2 * width, 3, padding=1), nn.ReLU(), nn.Flatten(),
                                   nn.Linear(2 * width * (image // 4) ** 2, shared))
        self.embedding = nn.Embedding(words, dim)
        self.pos_embed = nn.Parameter(torch.randn(1, length, dim) * 0.02)
        self.blocks = nn.Sequential(*[Block(dim, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, shared)
        self.sharpness = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def forward(self, x, tokens):
        images = F.normalize(self.image(x), dim=-1)
        texts = self.norm(self.blocks(self.embedding(tokens) + self.pos_embed)).mean(1)
        texts = F.normalize(self.head(texts), dim=-1)
        logits = images @ texts.T * self.sharpness.clamp(max=math.log(100)).exp()
        own = torch.arange(x.shape[0])
        return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) * 0.5


def clip():
    torch.manual_seed(57)
    model = CLIP(8, 4, 12, 5, 8, 2, 2, 8)
    begin("clip", model)
    x, tokens = torch.rand(6, 1, 8, 8), torch.randint(0, 12, (6, 5))
    opt = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for step in range(20):
        loss = model(x, tokens)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    end("clip", losses)


if __name__ == "__main__":
    for twin in (resnet, unet, vae, gan, lstm, gpt, dit, clip, score):
        twin()
    save_file(answers, pathlib.Path(__file__).with_name("twins.safetensors"))
