# SPDX-License-Identifier: Apache-2.0
#
# modes_check.py FOLDER - makes a task of seeded text there and asks with every mode, rate and limit: an asked mode and rate are what the reply
# names, what a reader sees keeps its limit, the prefix of both is the finest of 128 64 32 16 8 in half of the budget, kept or not, and a
# rate that the version lacks is NOT_FOUND.
import itertools, json, os, random, subprocess, sys

TAKC, FOLDER = os.environ["TAKC"], sys.argv[1]
RATES = {None: 0, "ultra": 64, "8x": 8, "12.5x": 12.5, "150": 150}
KEPT = {"ultra", "8x"}
LADDER = (8, 16, 32, 64, 128)
failed = []


def takc(*args):
    p = subprocess.run([TAKC, *args], capture_output=True, text=True)
    return p.returncode, p.stdout, p.stderr


def make_documents():
    rng = random.Random(7)
    words = ["".join(rng.choice("bcdfglmnprst") + rng.choice("aeiou") for _ in range(rng.randint(1, 4))) for _ in range(900)]
    os.mkdir(FOLDER + "/docs")
    for d in range(12):
        lines = (" ".join(rng.choice(words) for _ in range(rng.randint(5, 20))) + f" {rng.randint(2, 9999)}." for _ in range(60))
        with open(f"{FOLDER}/docs/{d:02}.txt", "w") as f:
            f.write("".join(line[0].upper() + line[1:] + "\n" for line in lines))
    return words


def expect(good, what):
    if not good:
        failed.append(what)


def limit_of(mode, rate, reader, source):
    """Most tokens that may be shown; None: whatever there is."""
    if mode == "select":
        return min(reader or 2000, source * 1000 // int(rate * 1000)) if rate else reader or 2000
    if mode == "both":
        return source * 1000 // int(rate * 1000) if rate else max(16000, source // 64) + (reader or 2000)
    if mode == "artifact" and not rate:
        return max(reader or 16000, source // 64)
    return None


def check(question, wide, mode, rate, reader):
    args = ["query", "-t", "x", "--json", "--mode", mode] + (["--rate", rate] if rate else [])
    args += ["--reader-tokens", str(reader)] if reader else []
    code, out, err = takc(*args, question)
    what = f"{question}: mode {mode} rate {rate} reader {reader}"
    if rate and rate not in KEPT and (mode == "artifact" or (mode == "auto" and wide)):
        expect(code == 3 and "has no rate" in err, f"{what}: NOT_FOUND is expected: {code} {err}")
        return
    expect(code == 0, f"{what}: exit code {code}: {err}")
    if code:
        return
    reply = json.loads(out)
    source, shown, used = reply["cache_info"]["original_tokens"], reply["reader_tokens"], reply["mode"]
    expect(mode == "auto" or used == mode, f"{what}: mode {used} was taken")
    limit = limit_of(used, RATES[rate], reader, source)
    expect(limit is None or shown <= limit, f"{what}: {shown} tokens of at most {limit}")
    if rate and used in ("artifact", "both"):
        expect(reply["factor"] == RATES[rate], f"{what}: factor {reply['factor']}")
    if used == "both" and rate:
        prefix, fitting = reply["metadata"]["reader"]["prefix_tokens"], [r for r in LADDER if source // r <= limit // 2]
        want = source // fitting[0] if fitting else 0
        expect(prefix <= want and (want < 200 or prefix >= .95 * want), f"{what}: a prefix of {prefix} tokens, {want} fit")


words = make_documents()
for step in (["init", "x", "-q"], ["ingest", "-q", "-t", "x", FOLDER + "/docs"], ["compress", "-q", "-t", "x", "--rates", "ultra,light"]):
    expect(takc(*step)[0] == 0, " ".join(step))
n = 0
for (question, wide), mode, rate, reader in itertools.product(
        (("What about " + words[3] + " and " + words[70] + "?", False), ("Summarize everything", True)),
        ("auto", "artifact", "select", "both", "whole"), RATES, (0, 1, 50, 700, 5000)):
    check(question, wide, mode, rate, reader)
    n += 1
for mode in ("artifact", "select", "both", "whole"):
    reply = json.loads(takc("query", "-t", "x", "--json", "--mode", mode, "--documents", "none*", "Summarize everything")[1])
    expect(reply["mode"] == mode and reply["abstained"] and reply["reader_tokens"] == 0, f"mode {mode} with no document: {reply}")
    n += 1
print("\n".join(failed[:20]), file=sys.stderr)
print(f"{n} queries, {len(failed)} failures")
sys.exit(bool(failed) or n < 200)
