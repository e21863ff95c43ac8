"""What torchvision makes of small pictures, for tests/test_vision_golden.c, as named tensors in vision.safetensors:

    python vision.py     (torch 2.15, torchvision 0.29, Pillow)

`picture` and `floats` go into every transform; `<name>` is what came out, or `jpeg.<name>` the bytes of a file and
`decoded.<name>.<mode>` what decode_image says.  Transforms by chance begin with torch.manual_seed(7)."""

import io
import pathlib

import numpy
import torch
from PIL import Image
from torchvision import ops, utils
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms import v2

from safetensors_file import save_file

out = {}
rng = numpy.random.default_rng(0)
y, x = numpy.mgrid[0:17, 0:26]
smooth = numpy.stack([x * 7 % 256, y * 11 % 256, (x * y + 40) % 256], -1).astype(numpy.uint8)
pixels = numpy.where(rng.random((17, 26, 1)) < 0.2, rng.integers(0, 256, (17, 26, 3)), smooth).astype(numpy.uint8)
picture = torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
floats = picture.float() / 255
out["picture"], out["floats"] = picture, floats

# ---------------------------------------------------------------- files


def encoded(image, kind="JPEG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)


image = Image.fromarray(pixels)
exif = Image.Exif()
exif[0x112] = 6
files = {
    "420": encoded(image, quality=80),
    "444": encoded(image, quality=95, subsampling=0),
    "422": encoded(image, quality=60, subsampling=1),
    "progressive": encoded(image, quality=80, progressive=True),
    "restarts": encoded(image, quality=80, restart_marker_blocks=1),
    "grey": encoded(image.convert("L"), quality=80),
    "inks": encoded(image.convert("CMYK"), quality=80),
    "rgb": encoded(image, quality=80, keep_rgb=True),
    "turned": encoded(image, quality=80, exif=exif),
    "one": encoded(image.crop((0, 0, 1, 1))),
    "png": encoded(image, "PNG"),
    "png_grey": encoded(image.convert("L"), "PNG"),
    "png_palette": encoded(image.quantize(16), "PNG"),
    "png_alpha": encoded(image.convert("RGBA"), "PNG"),
    "png_grey_alpha": encoded(image.convert("LA"), "PNG"),
}
broken = files["420"].clone()
broken[bytes(broken.tolist()).index(b"\xff\xda") + 40] ^= 0x55
files["broken"] = broken
for name, data in files.items():
    out["file." + name] = data
    for mode in ("UNCHANGED", "GRAY", "RGB"):
        if not (mode == "UNCHANGED" and name.startswith("png_pal")):  # there it gives indices
            out[f"decoded.{name}.{mode.lower()}"] = decode_image(data, ImageReadMode[mode])
for orientation in range(1, 9):
    exif[0x112] = orientation
    data = encoded(image, quality=80, exif=exif)
    out[f"file.exif{orientation}"] = data
    out[f"decoded.exif{orientation}.upright"] = decode_image(data, apply_exif_orientation=True)

# ---------------------------------------------------------------- transforms


def both(name, transform, only=None):
    for kind, x in (("bytes", picture), ("floats", floats)):
        if only in (None, kind):
            torch.manual_seed(7)
            out[f"{name}.{kind}"] = transform(x)


both("resize_12", v2.Resize(12))
both("resize_30_max_40", v2.Resize(30, max_size=40))
both("resize_20_29", v2.Resize((20, 29)))
both("resize_plain", v2.Resize((9, 50), antialias=False))
both("resize_bicubic", v2.Resize(15, interpolation=v2.InterpolationMode.BICUBIC))
both("resize_nearest", v2.Resize(15, interpolation=v2.InterpolationMode.NEAREST))
both("resize_nearest_exact", v2.Resize(15, interpolation=v2.InterpolationMode.NEAREST_EXACT))
both("resize_column", lambda x: v2.functional.resize(x[..., :1], [9, 5]))
both("center_crop_10_15", v2.CenterCrop((10, 15)))
both("center_crop_30", v2.CenterCrop(30))
both("crop_outside", lambda x: v2.functional.crop(x, -3, 20, 12, 9))
both("to_tensor", lambda x: x.float() / 255 if x.dtype == torch.uint8 else x)
both("normalize", v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), "floats")
both("normalize_one", v2.Normalize((0.5,), (0.25,)), "floats")

small = picture[:, :12, :15].contiguous()


def chance(name, transform, only=None):
    """Five draws in a row, of a smaller picture."""
    for kind, x in (("bytes", small), ("floats", small.float() / 255)):
        if only in (None, kind):
            torch.manual_seed(7)
            for i in range(5):
                out[f"chance.{name}.{kind}.{i}"] = transform(x)


functional = v2.functional
NEAREST, BILINEAR = v2.InterpolationMode.NEAREST, v2.InterpolationMode.BILINEAR
out["small"] = small
for name, transform in {
    "hflip": functional.hflip,
    "vflip": functional.vflip,
    "pad": lambda x: functional.pad(x, [3, 1, 2, 4], fill=0.25),
    "pad_fills": lambda x: functional.pad(x, [2, 3], fill=[1.0, 0.5, 0.0]),
    "pad_edge": lambda x: functional.pad(x, [2], padding_mode="edge"),
    "pad_reflect": lambda x: functional.pad(x, [2, 3, 0, 1], padding_mode="reflect"),
    "pad_symmetric": lambda x: functional.pad(x, [2, 3, 0, 1], padding_mode="symmetric"),
    "gray": lambda x: functional.rgb_to_grayscale(x),
    "gray_3": lambda x: functional.rgb_to_grayscale(x, 3),
    "brightness": lambda x: functional.adjust_brightness(x, 1.3),
    "contrast": lambda x: functional.adjust_contrast(x, 0.6),
    "contrast_gray": lambda x: functional.adjust_contrast(x[:1], 1.6),
    "saturation": lambda x: functional.adjust_saturation(x, 1.7),
    "hue": lambda x: functional.adjust_hue(x, 0.2),
    "hue_back": lambda x: functional.adjust_hue(x, -0.45),
    "blur": lambda x: functional.gaussian_blur(x, 5),
    "blur_3_7": lambda x: functional.gaussian_blur(x, [3, 7], [0.8, 1.5]),
    "rotate_30": lambda x: functional.rotate(x, 30.0),
    "rotate_90": lambda x: functional.rotate(x, 90.0),
    "rotate_expand": lambda x: functional.rotate(x, -70.0, interpolation=BILINEAR, expand=True),
    "rotate_270_expand": lambda x: functional.rotate(x, 270.0, expand=True),
    "rotate_fill": lambda x: functional.rotate(x, 20.0, fill=[0.5, 1.0, 0.0]),
    "rotate_center": lambda x: functional.rotate(x, 45.0, interpolation=BILINEAR, center=[2, 3], fill=[0.5]),
    "sharpness": lambda x: functional.adjust_sharpness(x, 1.9),
    "posterize": lambda x: functional.posterize(x, 3),
    "solarize": lambda x: functional.solarize(x, 0.5 if x.is_floating_point() else 128),
    "autocontrast": functional.autocontrast,
    "equalize": functional.equalize,
}.items():
    for kind, x in (("bytes", small), ("floats", small.float() / 255)):
        out[f"function.{name}.{kind}"] = transform(x)

chance("horizontal_flip", v2.RandomHorizontalFlip())
chance("vertical_flip", v2.RandomVerticalFlip(0.3))
chance("grayscale", v2.RandomGrayscale(0.4))
chance("crop", v2.RandomCrop((7, 9)), "bytes")
chance("crop_padded", v2.RandomCrop(10, padding=[1, 3], fill=9), "bytes")
chance("crop_needed", v2.RandomCrop((14, 10), pad_if_needed=True, padding_mode="edge"), "bytes")
chance("resized_crop", v2.RandomResizedCrop(8))
chance("resized_crop_narrow", v2.RandomResizedCrop((6, 9), scale=(0.9, 1.0), ratio=(3.0, 4.0)), "bytes")
chance("jitter", v2.ColorJitter(0.4, 0.4, 0.4, 0.1))
chance("jitter_some", v2.ColorJitter(brightness=(0.5, 0.9), hue=0.3), "bytes")
chance("blur", v2.GaussianBlur(3))
chance("rotation", v2.RandomRotation(40))
chance("rotation_range", v2.RandomRotation((10, 80), interpolation=BILINEAR, expand=False, fill=100), "bytes")
chance("erasing", v2.RandomErasing(0.7))
chance("erasing_value", v2.RandomErasing(1.0, scale=(0.1, 0.4), value=[0.1, 0.2, 0.3]), "floats")
chance("erasing_random", v2.RandomErasing(1.0, value="random"), "floats")
chance("apply", v2.RandomApply([v2.RandomHorizontalFlip(), v2.ColorJitter(0.5)], p=0.6), "bytes")
augment = v2.RandAugment(num_ops=3, magnitude=13)
for i in range(40):
    for kind, x in (("bytes", small), ("floats", small.float() / 255)):
        torch.manual_seed(i)
        if kind == "bytes" or i < 12:
            out[f"rand_augment.{kind}.{i}"] = augment(x)
torch.manual_seed(7)
out["batch"], out["batch_classes"] = torch.rand(4, 3, 5, 6), torch.tensor([2, 0, 3, 1])
for name, mix in (("mixup", v2.MixUp(num_classes=5)), ("mixup_small", v2.MixUp(alpha=0.3, num_classes=5)),
                  ("cutmix", v2.CutMix(num_classes=5))):
    torch.manual_seed(11)
    for i in range(3):
        out[f"{name}.{i}.x"], out[f"{name}.{i}.y"] = mix(out["batch"], out["batch_classes"])

# ---------------------------------------------------------------- boxes

torch.manual_seed(3)
corners = torch.rand(60, 2) * 40
boxes = torch.cat((corners, corners + torch.rand(60, 2) * 20), 1)
scores = (torch.rand(60) * 20).round() / 20  # some equal
classes = torch.randint(0, 3, (60,))
out["boxes"], out["scores"], out["classes"] = boxes, scores, classes
for a in ("xyxy", "xywh", "cxcywh"):
    for b in ("xyxy", "xywh", "cxcywh"):
        out[f"box_convert.{a}.{b}"] = ops.box_convert(boxes, a, b)
out["box_area"] = ops.box_area(boxes)
out["box_iou"] = ops.box_iou(boxes, boxes[:7])
out["whole_boxes"] = boxes.to(torch.int64)
out["box_area.whole"] = ops.box_area(out["whole_boxes"])
out["box_iou.whole"] = ops.box_iou(out["whole_boxes"], out["whole_boxes"][:7])
out["nms"] = ops.nms(boxes, scores, 0.3)
out["batched_nms"] = ops.batched_nms(boxes, scores, classes, 0.3)
some = torch.tensor([[2, 3, 12, 10], [-4, 5, 8, 60], [14, 11, 15, 12], [20, 1, 25, 16]], dtype=torch.float32)
out["some_boxes"] = some
out["drawn"] = utils.draw_bounding_boxes(picture, some)
out["drawn_red_3"] = utils.draw_bounding_boxes(picture, some, colors="red", width=3)
out["drawn_filled"] = utils.draw_bounding_boxes(picture, some, colors=["red", "#00ff80", "orange", "blue"], fill=True)
out["drawn_floats"] = utils.draw_bounding_boxes(floats[:1], some, colors="yellow")

save_file({name: x.contiguous() for name, x in out.items()}, pathlib.Path(__file__).with_name("vision.safetensors"))
