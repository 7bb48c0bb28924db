# SPDX-License-Identifier: Apache-2.0
#
# originals_search.py - proves keep_originals: false. Every sentence of the corpus holds a made-up word of its own. What the 2x artifact shows
# may be kept, with the duplicates that it stands for; no other made-up word may stand in any file below the home, also not as a term of the
# index, not after another ingest and compress, nor after versions, and what is forgotten may not either.
import json, os, random, shutil, subprocess, sys, tempfile

import checks
from checks import check

TAKC = os.environ["TAKC"]


def made_up(n):
    """A word that no language has and no stemmer changes."""
    word = ""
    for _ in range(4):
        word += "bdfgklmnprtvz"[n % 13] + "aou"[n // 13 % 3]
        n = n // 39 + n * 7 % 1521
    return "xq" + word + "k"


class Words:
    def __init__(self):
        self.all = []

    def next(self):
        w = made_up(len(self.all) * 17 + 3)
        while w in self.all:
            w = made_up(random.randint(0, 10**9))
        self.all.append(w)
        return w


VERBS = "reached exceeded paid measured refused approved counted delivered lost sold".split()
NOUNS = "pump valve revenue contract board reservoir clause inspection quarter depot".split()


def sentence(r, words):
    return f"{r.choice(NOUNS).capitalize()} {words.next()} {r.choice(VERBS)} {r.randint(10, 99999)} units in {r.randint(1990, 2025)} near Basel {r.choice(NOUNS)}."


def corpus(docs, words, seed=1, n=40):
    r = random.Random(seed)
    put = lambda name, text: open(os.path.join(docs, name), "w", encoding="utf-8").write(text)
    for d in range(3):
        body = ""
        for i in range(n):
            body += (f"\n## Part {i // 8}\n\n" if i % 8 == 0 else "") + sentence(r, words) + (" " if i % 3 else "\n\n")
        put(f"report{d}.md", f"# Report {d}\n\n{body}\n")
    put("notes.txt", "".join(sentence(r, words) + "\n" for _ in range(n)))
    rows = "".join(f"{words.next()},{r.randint(1, 9999)},{words.next()}\n" for _ in range(n))
    put("table.csv", "name,amount,place\n" + rows)
    put("faq.jsonl", "".join(json.dumps({"id": f"r{i}", "title": f"Record {i}", "text": sentence(r, words) + " " + sentence(r, words)}) + "\n" for i in range(12)))
    put("page.html", "<html><head><title>Page</title></head><body><h1>Page</h1>" + "".join(f"<p>{sentence(r, words)} {sentence(r, words)}</p>" for _ in range(n // 2)) + "</body></html>")


class Home:
    def __init__(self, name, docs, keep):
        self.home, self.docs = os.path.join(base, name), docs
        self.takc("init", "fin", "-d", "units delivered and revenue by year")
        self.keep(keep)

    def keep(self, keep):
        path = os.path.join(self.home, "tasks/fin.yaml")
        text = open(path).read()
        open(path, "w").write(text.replace("keep_originals: true" if not keep else "keep_originals: false", f"keep_originals: {str(keep).lower()}"))

    def takc(self, *args, code=0):
        p = subprocess.run([TAKC, *args], env=dict(os.environ, TAKC_HOME=self.home, HOME=base), capture_output=True)
        check(p.returncode == code, f"takc {' '.join(args)}: exit {p.returncode}, not {code}: {p.stderr.decode()}")
        self.err = p.stderr.decode()
        return p.stdout.decode()

    def ingest(self, folder=None):
        return self.takc("ingest", "-t", "fin", folder or self.docs)

    def compress(self, rates="64,32,16,8,4,3,2", code=0):
        return self.takc("compress", "-t", "fin", "--json", "--rates", rates, code=code)

    def bytes(self):
        for folder, _, names in os.walk(self.home):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as f:
                    yield path, f.read()

    def version(self):
        return [v["version"] for v in json.loads(self.takc("cache", "-t", "fin", "list", "--json"))["versions"] if v["current"]][0]

    def shown(self, rate="2x"):
        return self.takc("cache", "-t", "fin", "show", "-r", rate, "--text")

    def search(self, words, allowed, what):
        """Words that are not allowed stand in no file; those that are allowed stand somewhere."""
        everything = b"\n".join(data for _, data in self.bytes()).lower()
        bad = [w for w in words.all if w not in allowed and w.encode() in everything]
        check(not bad, f"{what}: {len(bad)} of {len(words.all) - len(allowed)} words outside of the set are kept, such as {bad[:3]}")
        for w in bad[:2]:
            print("  in", [os.path.relpath(p, self.home) for p, data in self.bytes() if w.encode() in data.lower()][:4])
        check(all(w.encode() in everything for w in allowed), f"{what}: words of the set are missing")
        for folder in ("blobs/fin", "raw-data/fin", "fin"):
            path = os.path.join(self.home, folder)
            check(not os.path.isdir(path) or not any(names for _, _, names in os.walk(path)), f"{what}: {folder} is not empty")

    def allowed(self, words):
        text = self.shown()
        return {w for w in words.all if w in text}

    def levels(self, *args, code=0):
        return json.loads(self.takc("verify", "-t", "fin", "--json", *args, code=code))["levels"]


def story():
    docs = os.path.join(base, "docs")
    os.makedirs(docs)
    words = Words()
    corpus(docs, words)
    whole, small = Home("whole", docs, True), Home("small", docs, False)
    for h in (whole, small):
        h.ingest()
        h.compress()
    allowed = small.allowed(words)
    check(len(words.all) * 0.2 < len(allowed) < len(words.all) * 0.7, f"the set has {len(allowed)} of {len(words.all)} words")
    small.search(words, allowed, "compress")
    print(f"{len(words.all)} sentences and cells, {len(allowed)} in the 2x set, the others in no file")

    # The same lines as with originals.
    for rate in ("ultra", "high", "medium", "light", "4x", "3x", "2x"):
        check(whole.shown(rate) == small.shown(rate), f"{rate}: the text differs from that of a task that keeps originals")

    # Nothing changes by compressing again, or by ingesting the same again.
    check(json.loads(small.compress())["changed"] is False, "a second compress makes no version")
    said = small.ingest()
    check(" same" in said and "new" not in said and "changed" not in said, f"ingest again says {said}")
    check(json.loads(small.compress())["changed"] is False, "compress after the same ingest makes no version")
    small.search(words, allowed, "compress after ingest")
    small.ingest()
    small.compress("1.5", code=2)
    small.compress()
    small.search(words, allowed, "after a refused rate")

    # Answers and proofs.
    word = sorted(allowed)[0]
    out = json.loads(small.takc("query", "-t", "fin", "--json", f"What of {word}?"))
    check(word in out["response"] and out["citations"][0]["quote"], f"query finds {word}")
    for c in out["citations"]:
        if c["spans"] and "source_start" in c["spans"][0] and "#" not in c["document"]:
            source = open(os.path.join(docs, c["document"]), "rb").read()
            piece = source[c["spans"][0]["source_start"] : c["spans"][-1]["source_end"]].decode()
            check(c["quote"].split()[0] in piece and c["quote"].split()[-1] in piece, f"source range says {piece!r}, quote {c['quote']!r}")
            if "line" in c and c["document"].endswith((".md", ".txt", ".csv")):
                check(c["quote"].split()[0] in source.decode().split("\n")[c["line"] - 1], f"line {c['line']} of {c['document']}")
    v = small.levels()
    n = v["S"]["checked"]
    check(n == 18 and all(v[k]["not_derivable"] == n and v[k]["failed"] == 0 for k in "STM"), f"without sources: {v}")
    check(v["A"]["failed"] == 0 and v["X"]["failed"] == 0 and v["X"]["checked"] > 100, f"A and X: {v}")
    v = small.levels("--source", docs)
    check(all(x["failed"] == 0 for x in v.values()) and v["T"]["checked"] == 2 * n and v["S"]["not_derivable"] == 0, f"with sources: {v}")
    text = open(os.path.join(docs, "notes.txt")).read()
    shown = [w for w in words.all if w in allowed and w in text][0]
    open(os.path.join(docs, "notes.txt"), "w").write(text.replace(shown, "another"))
    v = small.levels("--source", docs, code=1)
    check(v["S"]["failed"] == 1 and v["T"]["failed"] >= 1, f"an edited source is seen: {v}")
    os.remove(os.path.join(docs, "notes.txt"))
    v = small.levels("--source", docs, code=1)
    check(v["S"]["failed"] == 1 and v["T"]["failed"] == 0, f"a missing source is seen: {v}")
    open(os.path.join(docs, "notes.txt"), "w").write(text)

    # A changed corpus has to come in whole.
    other = os.path.join(base, "other")
    os.makedirs(other)
    r = random.Random(7)
    open(os.path.join(other, "more.txt"), "w").write("".join(sentence(r, words) + "\n" for _ in range(30)))
    small.ingest(other)
    small.compress(code=11)
    check("takc ingest -t fin " + docs in small.err and "2x" in small.err, f"what to do is said: {small.err}")
    small.ingest()
    small.compress()
    both = allowed | small.allowed(words)
    small.search(words, both, "second version")
    check(small.version() == "2", "version 2")

    # Forgetting redacts the current version, too.
    small.takc("forget", "-t", "fin", "report1.md")
    check(small.version() == "2.r1", f"current is {small.version()}")
    gone = set(w for w in words.all if w in open(os.path.join(docs, "report1.md")).read())
    small.search(words, both - gone, "forget")
    check(small.levels()["A"]["failed"] == 0, "what is left verifies")
    os.remove(os.path.join(docs, "report1.md"))
    v = small.levels("--source", docs, code=1)
    check(v["S"]["failed"] == 1 and v["T"]["failed"] + v["M"]["failed"] + v["X"]["failed"] == 0, f"more.txt is elsewhere: {v}")
    small.compress(code=11)
    small.takc("doctor", "--sweep")
    small.search(words, both - gone, "doctor")


def turned_off():
    """Originals that were kept go when they may be kept no longer, with pinned versions that stand on them."""
    docs = os.path.join(base, "late")
    os.makedirs(docs)
    words = Words()
    corpus(docs, words, seed=3, n=16)
    h = Home("turned", docs, True)
    h.ingest()
    h.compress()
    h.takc("cache", "-t", "fin", "pin", "1")
    h.keep(False)
    h.compress()
    h.search(words, h.allowed(words), "turned off")
    check(len(json.loads(h.takc("cache", "-t", "fin", "list", "--json"))["versions"]) == 1, "the version over whole texts went")
    h.keep(True)
    h.compress(code=11)
    h.ingest()
    h.compress()
    h.takc("verify", "-t", "fin")


shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
base = tempfile.mkdtemp(prefix="takc-originals-", dir=shm)
try:
    story()
    turned_off()
finally:
    shutil.rmtree(base, ignore_errors=True)
checks.end()
