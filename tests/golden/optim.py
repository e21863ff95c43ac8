"""PyTorch's answers for optimizers, schedules and clipping, as optim.safetensors.

    optim/NAME/start0 ...      the parameters before; two, and where groups are told, the second is a group of its own
    optim/NAME/gradients0 ...  (20, shape) the gradients of each step
    optim/NAME/path0 ...       (20, shape) the parameters after each step
    optim/NAME/state_dict/...  after the last: "state.0.exp_avg", and options as numbers: "param_groups.0.betas.1"
    schedule/NAME              (51,) the learning rate at the start and after each of 50 steps; long/NAME (201,) of 200
    long/NAME/momentum         (201,) the momentum, or first beta, that goes with it
    metrics                    (200,) what reduce_lr_on_plateau is told
    clip/NAME/...              gradients before and after, and the norm
"""

import math
import pathlib
import warnings

import torch

from safetensors_file import save_file

torch.set_num_threads(1)
warnings.filterwarnings("ignore")
answers = {}
generator = torch.Generator().manual_seed(3)


def path(name, make, dtype=torch.float32, groups=None, shapes=((3, 5), (4,))):
    params = [torch.randn(shape, generator=generator).to(dtype).requires_grad_() for shape in shapes]
    lists = params if groups is None else [{"params": [p], **options} for p, options in zip(params, groups)]
    optimizer = make(lists)
    for i, p in enumerate(params):
        answers[f"optim/{name}/start{i}"] = p.detach().clone()
    gradients = [[], []]
    after = [[], []]
    for step in range(20):
        for i, p in enumerate(params):
            p.grad = torch.randn(p.shape, generator=generator).to(dtype)
            if i == 1 and step % 5 == 3:
                p.grad.zero_()
            gradients[i].append(p.grad.clone())
        optimizer.step()
        for i, p in enumerate(params):
            after[i].append(p.detach().clone())
    for i in range(2):
        answers[f"optim/{name}/gradients{i}"] = torch.stack(gradients[i])
        answers[f"optim/{name}/path{i}"] = torch.stack(after[i])
    state_dict(f"optim/{name}/state_dict", optimizer.state_dict())


# how PyTorch computes a step, which wick does not ask
HOW = {"params", "foreach", "fused", "capturable", "differentiable", "decoupled_weight_decay", "adjust_lr_fn"}


def state_dict(name, state):
    for index, tensors in state["state"].items():
        for key, value in tensors.items():
            if value is not None:
                answers[f"{name}/state.{index}.{key}"] = value.clone()
    for index, group in enumerate(state["param_groups"]):
        for key, value in group.items():
            numbers = {f"{key}.{i}": v for i, v in enumerate(value)} if key in ("betas", "ns_coefficients") else {key: value}
            for option, number in numbers.items() if key not in HOW else ():
                answers[f"{name}/param_groups.{index}.{option}"] = torch.tensor(float(number), dtype=torch.float64)


o = torch.optim
path("sgd", lambda p: o.SGD(p, lr=0.1))
path("sgd_decay", lambda p: o.SGD(p, lr=0.1, weight_decay=0.2, maximize=True))
path("sgd_momentum", lambda p: o.SGD(p, lr=0.1, momentum=0.9, dampening=0.3))
path("sgd_nesterov", lambda p: o.SGD(p, lr=0.05, momentum=0.8, weight_decay=0.1, nesterov=True))
path("sgd_float64", lambda p: o.SGD(p, lr=0.1, momentum=0.9), torch.float64)
path("adam", lambda p: o.Adam(p, lr=0.01))
path("adam_decay", lambda p: o.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.1))
path("adam_amsgrad", lambda p: o.Adam(p, lr=0.02, amsgrad=True, maximize=True))
path("adamw", lambda p: o.AdamW(p, lr=0.01))
path("adamw_decay", lambda p: o.AdamW(p, lr=0.03, betas=(0.9, 0.95), weight_decay=0.3))
path("adamw_amsgrad", lambda p: o.AdamW(p, lr=0.03, amsgrad=True))
path("adamw_float64", lambda p: o.AdamW(p, lr=0.01), torch.float64)
path("adamw_groups", lambda p: o.AdamW(p, lr=0.01, weight_decay=0.2), groups=[{}, {"lr": 0.05, "weight_decay": 0.0}])


def schedule(name, make, lr=0.4):
    optimizer = o.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler = make(optimizer)
    rates = [scheduler.get_last_lr()[0]]
    for step in range(50):
        optimizer.step()
        scheduler.step()
        rates.append(scheduler.get_last_lr()[0])
        assert rates[-1] == optimizer.param_groups[0]["lr"]
    answers[f"schedule/{name}"] = torch.tensor(rates, dtype=torch.float64)


s = o.lr_scheduler
schedule("lambda", lambda x: s.LambdaLR(x, lambda step: (step + 1) / 10 if step < 9 else
                                        0.5 * (1 + math.cos(math.pi * (step - 9) / 42))))
schedule("step", lambda x: s.StepLR(x, 7, gamma=0.3))
schedule("multi_step", lambda x: s.MultiStepLR(x, [5, 20, 20, 44]))
schedule("exponential", lambda x: s.ExponentialLR(x, 0.93))
schedule("linear", lambda x: s.LinearLR(x))
schedule("linear_warm_up", lambda x: s.LinearLR(x, start_factor=0.01, end_factor=0.9, total_iters=20))
schedule("constant", lambda x: s.ConstantLR(x, factor=0.25, total_iters=9))
schedule("cosine", lambda x: s.CosineAnnealingLR(x, 50))
schedule("cosine_again", lambda x: s.CosineAnnealingLR(x, 12, eta_min=0.01))
schedule("sequential", lambda x: s.SequentialLR(x, [s.LinearLR(x, start_factor=0.1, total_iters=10),
                                                    s.CosineAnnealingLR(x, 40)], [10]))
schedule("sequential_three", lambda x: s.SequentialLR(
    x, [s.ConstantLR(x, factor=0.1, total_iters=6), s.ExponentialLR(x, 0.9), s.StepLR(x, 5)], [6, 30]))
schedule("sequential_lambda", lambda x: s.SequentialLR(
    x, [s.LambdaLR(x, lambda step: 1 / (step + 1)), s.LambdaLR(x, lambda step: 1 / (step + 2))], [11]))


def clip(name, max_norm, scale=1.0, **options):
    params = [torch.zeros(shape, requires_grad=True) for shape in ((3, 5), (4,))]
    for i, p in enumerate(params):
        p.grad = torch.randn(p.shape, generator=generator) * scale
        answers[f"clip/{name}/before{i}"] = p.grad.clone()
    norm = torch.nn.utils.clip_grad_norm_(params, max_norm, **options)
    for i, p in enumerate(params):
        answers[f"clip/{name}/after{i}"] = p.grad
    answers[f"clip/{name}/norm"] = norm


clip("two", 1.0)
clip("small", 1.0, scale=0.01)
clip("one", 2.0, norm_type=1.0)
clip("three", 2.0, norm_type=3.0)
clip("infinity", 0.5, norm_type=math.inf)


# float16 and bfloat16 in whole vectors: what is left of one PyTorch rounds in another way, on each processor its own
def half_path(name, make):
    for dtype in (torch.float16, torch.bfloat16):
        path(f"{name}_{str(dtype)[6:]}", make, dtype, shapes=((2, 32), (32,)))


half_path("sgd_plain", lambda p: o.SGD(p, lr=0.1, weight_decay=0.2, maximize=True))
half_path("sgd_dampening", lambda p: o.SGD(p, lr=0.1, momentum=0.9, dampening=0.3))
half_path("sgd_both", lambda p: o.SGD(p, lr=0.05, momentum=0.8, weight_decay=0.1, nesterov=True))
half_path("adam_eps", lambda p: o.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.1))
half_path("adam_largest", lambda p: o.Adam(p, lr=0.02, eps=1e-4, amsgrad=True, maximize=True))
half_path("adamw_eps", lambda p: o.AdamW(p, lr=0.03, betas=(0.9, 0.95), eps=1e-4, weight_decay=0.3))

path("adam_slow", lambda p: o.Adam(p, lr=0.02, betas=(0.3, 0.4)))
path("rmsprop", lambda p: o.RMSprop(p))
path("rmsprop_decay", lambda p: o.RMSprop(p, lr=0.02, alpha=0.9, eps=1e-4, weight_decay=0.1, maximize=True))
path("rmsprop_momentum", lambda p: o.RMSprop(p, lr=0.01, momentum=0.9))
path("rmsprop_centered", lambda p: o.RMSprop(p, lr=0.01, centered=True))
path("rmsprop_all", lambda p: o.RMSprop(p, lr=0.02, alpha=0.8, weight_decay=0.1, momentum=0.7, centered=True))
path("rmsprop_float64", lambda p: o.RMSprop(p, lr=0.02, alpha=0.8, momentum=0.7, centered=True), torch.float64)
half_path("rmsprop_eps", lambda p: o.RMSprop(p, lr=0.01, eps=1e-4))
half_path("rmsprop_both",
          lambda p: o.RMSprop(p, lr=0.02, alpha=0.8, eps=1e-2, weight_decay=0.1, momentum=0.7, centered=True))
path("adagrad", lambda p: o.Adagrad(p))
path("adagrad_decay", lambda p: o.Adagrad(p, lr=0.1, lr_decay=0.2, weight_decay=0.1, maximize=True))
path("adagrad_initial", lambda p: o.Adagrad(p, lr=0.05, initial_accumulator_value=0.5, eps=0.1))
path("adagrad_all", lambda p: o.Adagrad(p, 0.1, 0.05, 0.3, 2, 1e-3))
path("adagrad_float64", lambda p: o.Adagrad(p, lr=0.1, lr_decay=0.2, initial_accumulator_value=0.1), torch.float64)
half_path("adagrad_eps", lambda p: o.Adagrad(p, lr=0.1, eps=1e-3))
half_path("adagrad_both", lambda p: o.Adagrad(p, 0.1, 0.05, 0.3, 2, 1e-2, maximize=True))



class Lion(o.Optimizer):
    """Chen et al., "Symbolic discovery of optimization algorithms", algorithm 2."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(torch.sign(m * beta1 + p.grad * (1 - beta1)), alpha=-group["lr"])
                m.mul_(beta2).add_(p.grad, alpha=1 - beta2)


path("lion", lambda p: Lion(p))
path("lion_decay", lambda p: Lion(p, lr=0.02, betas=(0.8, 0.95), weight_decay=0.3))
path("lion_float64", lambda p: Lion(p, lr=0.01), torch.float64)
half_path("lion_both", lambda p: Lion(p, lr=0.02, betas=(0.8, 0.95), weight_decay=0.3))
MATRICES = ((3, 5), (8, 4))
path("muon", lambda p: o.Muon(p), shapes=MATRICES)
path("muon_decay", lambda p: o.Muon(p, lr=0.02, weight_decay=0.3, momentum=0.8, nesterov=False), shapes=MATRICES)
path("muon_adamw", lambda p: o.Muon(p, lr=0.02, adjust_lr_fn="match_rms_adamw"), shapes=MATRICES)
path("muon_spectral", lambda p: o.Muon(p, lr=0.02, ns_coefficients=(2.0, -1.5, 0.5), ns_steps=3, eps=1e-5,
                                       adjust_lr_fn="spectral_unclamped"), shapes=MATRICES)
path("muon_bfloat16", lambda p: o.Muon(p, lr=0.02), torch.bfloat16, shapes=MATRICES)
path("muon_float64", lambda p: o.Muon(p, lr=0.02), torch.float64, shapes=MATRICES)

answers["metrics"] = metrics = torch.cat((
    torch.linspace(5, 1, 40), 1 + 0.01 * torch.rand(60, generator=generator), torch.linspace(1, 0.2, 20),
    torch.full((10,), math.nan), 0.2 + torch.rand(70, generator=generator))).double()


def long(name, make, optimizer=lambda p: o.SGD(p, lr=0.4, momentum=0.9), measured=False):
    optimizer = optimizer([torch.zeros(1, requires_grad=True)])
    scheduler = make(optimizer)
    group, rates, momenta = optimizer.param_groups[0], [], []
    for step in range(201):
        if step:
            optimizer.step()
            scheduler.step(*([metrics[step - 1].item()] if measured else []))
        rates.append(group["lr"])
        momenta.append(group["betas"][0] if "betas" in group else group["momentum"])
    answers[f"long/{name}"] = torch.tensor(rates, dtype=torch.float64)
    if "cycle" in name:
        answers[f"long/{name}/momentum"] = torch.tensor(momenta, dtype=torch.float64)


long("lambda", lambda x: s.LambdaLR(x, lambda step: 0.95**step))
long("step", lambda x: s.StepLR(x, 30))
long("multi_step", lambda x: s.MultiStepLR(x, [80, 150]))
long("exponential", lambda x: s.ExponentialLR(x, 0.98))
long("linear", lambda x: s.LinearLR(x, 0.1, total_iters=120))
long("constant", lambda x: s.ConstantLR(x, total_iters=120))
long("cosine", lambda x: s.CosineAnnealingLR(x, 60, eta_min=0.001))
long("sequential", lambda x: s.SequentialLR(x, [s.LinearLR(x, start_factor=0.01, total_iters=30),
                                                s.CosineAnnealingLR(x, 170)], [30]))
long("cycle", lambda x: s.OneCycleLR(x, 0.1, total_steps=201))
long("cycle_adam", lambda x: s.OneCycleLR(x, 0.01, total_steps=250, pct_start=0.2, anneal_strategy="linear",
                                          base_momentum=0.8, max_momentum=0.9, div_factor=10, final_div_factor=100),
     lambda p: o.AdamW(p, lr=0.3))
long("cycle_three", lambda x: s.OneCycleLR(x, 0.1, total_steps=201, three_phase=True))
long("cycle_plain", lambda x: s.OneCycleLR(x, 0.1, total_steps=220, pct_start=0.4, cycle_momentum=False))
long("plateau", lambda x: s.ReduceLROnPlateau(x), measured=True)
long("plateau_max", lambda x: s.ReduceLROnPlateau(x, "max", factor=0.5, patience=4, threshold=0.01, cooldown=3, min_lr=0.003),
     measured=True)
long("plateau_abs", lambda x: s.ReduceLROnPlateau(x, factor=0.7, patience=6, threshold=0.05, threshold_mode="abs", eps=0.02),
     measured=True)
long("plateau_max_abs", lambda x: s.ReduceLROnPlateau(x, "max", patience=25, threshold=0.3, threshold_mode="abs"),
     measured=True)

save_file(answers, pathlib.Path(__file__).with_name("optim.safetensors"))
