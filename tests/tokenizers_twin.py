"""A megabyte of mixed scripts through Hugging Face's tokenizers, tiktoken and SentencePiece, and through wick's: the
same ids, the same texts back.  The tokenizers are those of tests/golden/text, one like GPT-2's that is trained here,
and what is in the folder WICK_TOKENIZERS, where that is set (*tokenizer.json, *.model, cl100k_base.tiktoken).

    python3 tests/tokenizers_twin.py build/tokenizers_copy     ends with 77 where one of the three packages is missing
"""
import base64
import glob
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import time
import unicodedata

os.environ["TOKENIZERS_PARALLELISM"] = "false"
try:
    import sentencepiece
    import tiktoken
    import tiktoken_ext.openai_public as openai_public
    from tokenizers import ByteLevelBPETokenizer, Tokenizer
except ImportError as missing:
    print(f"tokenizers_twin: SKIPPED: {missing}")
    sys.exit(77)

HERE = pathlib.Path(__file__).parent / "golden" / "text"
# Latin, Greek, Cyrillic, Hebrew, Arabic, Devanagari, Thai, Hangul, kana, Chinese, symbols, emoji, marks
BLOCKS = [(0x20, 0x7F), (0xA0, 0x250), (0x250, 0x370), (0x370, 0x400), (0x400, 0x530), (0x590, 0x600), (0x600, 0x700),
          (0x900, 0xA00), (0xE00, 0xE80), (0x1100, 0x1200), (0x1E00, 0x2070), (0x20A0, 0x2200), (0x2500, 0x2600),
          (0x3000, 0x3100), (0x4E00, 0x9FFF), (0xAC00, 0xD7A4), (0xF900, 0xFE00), (0xFE00, 0x10000), (0x1D400, 0x1D800),
          (0x1F300, 0x1F700), (0x20000, 0x20100), (1, 0x20), (0x300, 0x370)]


def corpus(draw, size=1 << 20):
    files = sorted(glob.glob("/usr/share/common-licenses/*"))[:8]
    files += sorted(glob.glob("/usr/share/i18n/locales/*_*"))[:60]
    real = "".join(pathlib.Path(f).read_bytes()[:40000].decode("utf-8", "replace") for f in files).replace("\0", "")

    def word():
        low, high = draw.choice(BLOCKS)
        codes = (draw.randrange(low, high) for _ in range(draw.randrange(1, 9)))
        return "".join(chr(c) for c in codes if unicodedata.category(chr(c)) not in ("Cn", "Cs"))

    ends = [" ", " ", "  ", "", "\n", "\r\n", "\t", ". ", ", ", "'s ", "'LL ", "\u00a0", "\u3000", "123", "1234567 "]
    made = "".join(word() + draw.choice(ends) for _ in range(30000))
    made += "\U0001F468\u200d\U0001F469\u200d\U0001F467 e\u0301a\u0308 \u0915\u094d\u0937\u093f " * 50
    made += " " * 3000 + "a" * 5000 + "\n" * 300 + "ab" * 3000 + "中" * 3000 + "x\ufffdy" + "=" * 1000
    return (real[:size // 2] + made)[:size]


DRAW = random.Random(0)
TEXT = corpus(DRAW)
TEXTS = [TEXT]
for _ in range(300):
    start = DRAW.randrange(len(TEXT))
    TEXTS.append(TEXT[start:start + DRAW.choice([3, 10, 50, 200, 1000])])
wrong = 0


def compare(name, arguments, encode, decode):
    global wrong
    data = b"".join(struct.pack("<I", len(t.encode())) + t.encode() for t in TEXTS)
    run = subprocess.run([sys.argv[1], *map(str, arguments)], input=data, capture_output=True)
    if run.returncode:
        print(name, run.stderr.decode())
        wrong += 1
        return
    lines = run.stdout.decode().split("\n")
    before = time.process_time()
    theirs = [encode(t) for t in TEXTS]
    taken = time.process_time() - before
    bad = 0
    for text, ids, back, expected in zip(TEXTS, lines[0::2], lines[1::2], theirs):
        ids = [int(i) for i in ids.split()]
        if ids != expected or bytes.fromhex(back).decode() != decode(expected):
            bad += 1
            at = next((i for i, (a, b) in enumerate(zip(ids, expected)) if a != b), min(len(ids), len(expected)))
            if bad <= 3:
                print(f"{name}: {text[:40]!r}: at {at}: expected {expected[at:at + 5]}, got {ids[at:at + 5]}")
    wrong += bad
    print(f"{name}: {len(TEXTS)} texts, {bad} differ; {taken:.3f} s there, {run.stderr.decode()} s here")


def hugging_face(file):
    tokenizer = Tokenizer.from_file(str(file))
    compare(file.name, ["json", file], lambda text: tokenizer.encode(text).ids, lambda ids: tokenizer.decode(ids))


def sentence_piece(file):
    model = sentencepiece.SentencePieceProcessor(model_file=str(file))
    compare(file.name, ["sentencepiece", file], lambda text: model.encode(text), lambda ids: model.decode(ids))


def ranks(file, name):
    pairs = (line.split() for line in file.read_bytes().splitlines() if line)
    known = {base64.b64decode(token): int(rank) for token, rank in pairs}
    openai_public.load_tiktoken_bpe = lambda *a, **k: known
    options = getattr(openai_public, name)()
    options.pop("explicit_n_vocab", None)
    encoding = tiktoken.Encoding(**options)
    special = set(encoding._special_tokens.values())
    compare(f"{file.name} {name}", [name, file], lambda text: encoding.encode(text, allowed_special="all"),
            lambda ids: encoding.decode([i for i in ids if i not in special]))


for one in sorted(HERE.glob("*.json")):
    hugging_face(one)
for one in sorted(HERE.glob("*.model")):
    sentence_piece(one)
for encoding in ("r50k_base", "cl100k_base", "o200k_base"):
    ranks(HERE / "ranks.tiktoken", encoding)
with tempfile.TemporaryDirectory() as folder:
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator([TEXT[i:i + 2000] for i in range(0, 400000, 2000)], vocab_size=4000,
                                special_tokens=["<|endoftext|>"], show_progress=False)
    trained.save_model(folder)
    compare("gpt2", ["gpt2", f"{folder}/vocab.json", f"{folder}/merges.txt"], lambda text: trained.encode(text).ids,
            lambda ids: trained.decode(ids))
if os.environ.get("WICK_TOKENIZERS"):
    more = pathlib.Path(os.environ["WICK_TOKENIZERS"])
    for one in sorted(more.rglob("*tokenizer.json")):
        hugging_face(one)
    for one in sorted(more.rglob("*.model")):
        sentence_piece(one)
    for one in sorted(more.rglob("*.tiktoken")):
        ranks(one, next(n for n in ("r50k_base", "p50k_base", "cl100k_base", "o200k_base") if one.name.startswith(n)))
sys.exit(wrong > 0)
