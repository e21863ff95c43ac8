"""Small tokenizers of every kind, and the ids and texts that the libraries they come from give:

    PYTHON tests/golden/text.py          PYTHON with tokenizers, tiktoken and sentencepiece

writes tests/golden/text/: a file for each tokenizer, and text.golden, for each of them and each text four lines: the
kind and the file; the text, hexadecimal; the ids; the decoded text, hexadecimal.
"""
import base64
import os
import pathlib
import shutil
import tempfile

os.environ["TOKENIZERS_PARALLELISM"] = "false"
import sentencepiece
import tiktoken
import tiktoken_ext.openai_public as openai_public
from tokenizers import AddedToken, Regex, Tokenizer, decoders as D, models, normalizers as N, pre_tokenizers as P
from tokenizers import processors as R, trainers

HERE = pathlib.Path(__file__).parent / "text"
shutil.rmtree(HERE, ignore_errors=True)
HERE.mkdir()

TRAIN = ["the cat sat on the mat, and the dog didn't; it's 1234 o'clock in the café",
         "naïve Ünïcödé strings: grüße, señor, 東京 東京都, привет мир, مرحبا, नमस्ते",
         "for (int i = 0; i < 10; i++) { printf(\"%d\\n\", i); }   // three   spaces",
         "Hello, world! HELLO WORLD hello world. The end of the world as we know it"] * 3
TEXTS = ["", " ", "Hello, world!", " the cat  sat\n\n on the\tmat ", "didn't IT'S we'LL 12345 3.14", "e\u0301a\u0308 café Ünïcödé ﬁ ㍿ ２",
         "東京都 привет नमस्ते مرحبا 👨‍👩‍👧 \u200b\u00a0\u3000x\ufeff", "<s>the<mask>  cat</s>the cats [MASK] <|endoftext|>x", "a\r\n\r\n  b   \n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "x\x01\x7f\u0085\u2028y", "foo_bar-baz@example.com #1/2 (c) ~=+|^`", "İSTANBUL ſtraße ǅ"]
lines = []


def write_down(kind, file, encode, decode):
    for text in TEXTS:
        ids = encode(text)
        lines.extend([f"{kind} {file}", text.encode().hex(), " ".join(map(str, ids)), decode(ids).encode().hex()])


def hugging_face(name, model, trainer=None, normalizer=None, pre_tokenizer=None, decoder=None, post=None, added=(), special=()):
    t = Tokenizer(model)
    for part, value in (("normalizer", normalizer), ("pre_tokenizer", pre_tokenizer), ("decoder", decoder)):
        if value:
            setattr(t, part, value)
    if trainer:
        t.train_from_iterator(TRAIN, trainer)
    t.add_tokens(list(added))
    t.add_special_tokens(list(special))
    if post:
        t.post_processor = post
    (HERE / f"{name}.json").write_text(t.to_str())
    t = Tokenizer.from_file(str(HERE / f"{name}.json"))
    write_down("json", f"{name}.json", lambda x: t.encode(x).ids, lambda ids: t.decode(ids))


def bpe(size=400, **more):
    return trainers.BpeTrainer(vocab_size=size, show_progress=False, **more)


CL100K = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LETTERS = P.ByteLevel.alphabet()
BYTES = [f"<0x{i:02X}>" for i in range(256)]
hugging_face("llama", models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"),
             bpe(400, special_tokens=["<unk>", "<s>", "</s>"] + BYTES, limit_alphabet=60),
             N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]), None,
             D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)]),
             R.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]))
hugging_face("llama3", models.BPE(ignore_merges=True), bpe(special_tokens=["<s>"], initial_alphabet=LETTERS), None,
             P.Sequence([P.Split(Regex(CL100K), "isolated"), P.ByteLevel(add_prefix_space=False, use_regex=False)]),
             D.ByteLevel(), R.Sequence([R.ByteLevel(trim_offsets=False), R.TemplateProcessing(
                 single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 0)])]))
hugging_face("roberta", models.BPE(), bpe(special_tokens=["<s>", "<pad>", "</s>"], initial_alphabet=LETTERS), None,
             P.ByteLevel(add_prefix_space=True), D.ByteLevel(), R.RobertaProcessing(("</s>", 2), ("<s>", 0)),
             special=[AddedToken("<mask>", lstrip=True)])
hugging_face("clip", models.BPE(end_of_word_suffix="</w>", unk_token="?"),
             bpe(200, end_of_word_suffix="</w>", special_tokens=["?"], limit_alphabet=40),
             N.Sequence([N.NFC(), N.Replace(Regex(r"\s+"), " "), N.Lowercase()]),
             P.Split(Regex(r"'s|'t|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), "removed", invert=True), D.BPEDecoder())
hugging_face("added", models.BPE(unk_token="<unk>"), bpe(120, special_tokens=["<unk>"], limit_alphabet=60), N.NFKD(),
             P.Metaspace(prepend_scheme="first"), D.Metaspace(prepend_scheme="first"),
             added=[AddedToken("cat", single_word=True), AddedToken("mat", lstrip=True, rstrip=True), AddedToken("é a")])
hugging_face("bert", models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=40),
             trainers.WordPieceTrainer(vocab_size=200, show_progress=False, special_tokens=["[UNK]", "[CLS]", "[SEP]", "[MASK]"]),
             N.BertNormalizer(), P.BertPreTokenizer(), D.WordPiece(), R.BertProcessing(("[SEP]", 2), ("[CLS]", 1)))
hugging_face("t5", models.Unigram(), trainers.UnigramTrainer(vocab_size=150, show_progress=False, unk_token="<unk>", special_tokens=["<unk>", "</s>"]),
             N.Sequence([N.Nmt(), N.NFKC(), N.Strip()]), P.Sequence([P.WhitespaceSplit(), P.Metaspace()]), D.Metaspace(),
             R.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)]))
hugging_face("bytes", models.Unigram([("<unk>", 0.0), ("▁", -2.0), ("a", -2.5), ("aa", -2.7), ("▁Hello", -3.0)] + [(b, 0.0) for b in BYTES], 0, True),
             None, None, P.Metaspace(prepend_scheme="never", split=False), D.Sequence([D.ByteFallback(), D.Metaspace(prepend_scheme="never"), D.Fuse()]))
hugging_face("words", models.WordLevel(unk_token="?"), trainers.WordLevelTrainer(vocab_size=200, show_progress=False, special_tokens=["?"]),
             N.Sequence([N.NFD(), N.StripAccents(), N.Lowercase()]),
             P.Sequence([P.CharDelimiterSplit("e"), P.Punctuation("contiguous"), P.Split("a", "merged_with_next"),
                         P.Split(Regex("[0-9]{2}"), "merged_with_previous"), P.Digits(True), P.Whitespace()]))

# tiktoken: ranks from the merges of a byte-level BPE
t = Tokenizer.from_file(str(HERE / "llama3.json"))
byte_of = {}
n = 0
for b in range(256):
    plain = 33 <= b <= 126 or 161 <= b <= 172 or b >= 174
    byte_of[chr(b) if plain else chr(256 + n)] = b
    n += not plain
ranks = {bytes([b]): b for b in range(256)}
for token, _ in sorted(t.get_vocab().items(), key=lambda item: item[1]):
    if token != "<s>":
        ranks.setdefault(bytes(byte_of[c] for c in token), len(ranks))
(HERE / "ranks.tiktoken").write_text("".join(f"{base64.b64encode(k).decode()} {v}\n" for k, v in ranks.items()))
openai_public.load_tiktoken_bpe = lambda *a, **k: ranks
for name in ("r50k_base", "cl100k_base", "o200k_base"):
    options = getattr(openai_public, name)()
    options.pop("explicit_n_vocab", None)
    e = tiktoken.Encoding(**options)
    write_down(name, "ranks.tiktoken", lambda x: e.encode(x, allowed_special="all"),
               lambda ids: e.decode([i for i in ids if i not in e._special_tokens.values()]))

# SentencePiece
with tempfile.TemporaryDirectory() as folder:
    (pathlib.Path(folder) / "train.txt").write_text("\n".join(TRAIN))
    rules = {"9": "20", "A": "20", "D": "20", "A0": "20", "3000": "20", "2028": "20", "200B": "", "FEFF": "", "FB01": "66 69",
             "65 301": "E9", "337F": "682A 5F0F 4F1A 793E", "FF12": "32"}
    (pathlib.Path(folder) / "rules.tsv").write_text("".join(f"{k}\t{v}\n" for k, v in rules.items()))
    for name, options in (("unigram", dict(model_type="unigram", vocab_size=120, character_coverage=0.98,
                                           normalization_rule_tsv=f"{folder}/rules.tsv")),
                          ("bpe", dict(model_type="bpe", vocab_size=400, byte_fallback=True, character_coverage=0.98, split_digits=True,
                                       normalization_rule_name="identity", remove_extra_whitespaces=False, user_defined_symbols=["<mask>"]))):
        sentencepiece.SentencePieceTrainer.train(input=f"{folder}/train.txt", model_prefix=f"{folder}/{name}", minloglevel=2, hard_vocab_limit=False, **options)
        model = (pathlib.Path(folder) / f"{name}.model").read_bytes()
        (HERE / f"{name}.model").write_bytes(model)
        s = sentencepiece.SentencePieceProcessor(model_file=str(HERE / f"{name}.model"))
        write_down("sentencepiece", f"{name}.model", lambda x: s.encode(x), lambda ids: s.decode(ids))



def charsmap(model):
    """precompiled_charsmap: of the message's field 3 the field 2"""
    def fields(data):
        at = 0
        while at < len(data):
            numbers = []
            for _ in range(2 if data[at] & 7 in (0, 2) else 1):
                number = shift = 0
                while True:
                    byte = data[at]
                    at += 1
                    number |= (byte & 127) << shift
                    shift += 7
                    if byte < 128:
                        break
                numbers.append(number)
            kind = numbers[0] & 7
            size = numbers[1] if kind == 2 else 4 if kind == 5 else 0
            yield numbers[0] >> 3, data[at:at + size]
            at += size
    return dict(fields(dict(fields(model))[3]))[2]


hugging_face("xlmr", models.Unigram(), trainers.UnigramTrainer(vocab_size=150, show_progress=False, unk_token="<unk>", special_tokens=["<s>", "</s>", "<unk>"]),
             N.Sequence([N.Precompiled(charsmap((HERE / "unigram.model").read_bytes())), N.Replace(Regex(" {2,}"), " ")]),
             P.Metaspace(), D.Metaspace(), R.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]))

(HERE / "text.golden").write_text("\n".join(lines) + "\n")
print(len(lines) // 4, "cases,", sum(f.stat().st_size for f in HERE.iterdir()), "bytes")
