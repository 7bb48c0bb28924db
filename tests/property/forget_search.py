# SPDX-License-Identifier: Apache-2.0
#
# forget_search.py - proves `takc forget` by a search that shares nothing with takc's own: sentences and made-up words are planted in a
# document (title, heading, body, table, list, record), the document goes through versions, pins, questions and a killed compress, is
# forgotten, and every byte and file name under the home is searched for it: plain, as JSON, as artifacts had shown it, decompressed.
import gzip, hashlib, json, os, random, shutil, signal, sqlite3, subprocess, sys, tempfile, time

import checks
from checks import check

TAKC = os.environ["TAKC"]


class Home:
    """A fresh home with task fin, and a folder of documents."""

    def __init__(self, name):
        self.dir = os.path.join(base, name)
        self.home = os.path.join(self.dir, "home")
        self.docs = os.path.join(self.dir, "docs")
        os.makedirs(self.docs)
        self.takc("init", "fin", "-d", "revenue, pressure limits")

    def start(self, *args):
        env = dict(os.environ, TAKC_HOME=self.home, HOME=self.dir)
        return subprocess.Popen([TAKC, *args], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def takc(self, *args, code=0):
        p = self.start(*args)
        out, err = p.communicate()
        if code is not None:
            check(p.returncode == code, f"takc {' '.join(args)}: exit {p.returncode}, not {code}: {err.decode()}")
        self.code = p.returncode
        return out.decode()

    def write(self, name, text):
        path = os.path.join(self.docs, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def versions(self):
        return json.loads(self.takc("cache", "-t", "fin", "list", "--json"))["versions"]

    def artifacts(self):
        """(version, artifact) of every stored one."""
        top = os.path.join(self.home, "artifacts", "fin")
        for version in sorted(os.listdir(top)) if os.path.isdir(top) else []:
            for name in os.listdir(os.path.join(top, version)):
                if name.endswith(".json") and not name.endswith(".ledger.json") and name not in ("documents.json", "work.json"):
                    with open(os.path.join(top, version, name)) as f:
                        yield version, json.load(f)

    def shown(self, document):
        """Lines that artifacts show of a document."""
        lines = set()
        for _, a in self.artifacts():
            for s in a["segments"]:
                for p in s["parts"]:
                    if any(a["documents"][x[0]]["name"] == document for x in p["spans"]):
                        lines.add(p["text"])
        return lines

    def search(self, needles, what):
        """No needle may stand in any file or name below the home."""
        forms = set()
        for n in needles:
            forms |= {n.encode(), json.dumps(n)[1:-1].encode(), json.dumps(n, ensure_ascii=False)[1:-1].encode(), n.lower().encode()}
        n_files = 0
        for folder, folders, names in os.walk(self.home):
            for name in folders + names:
                for f in forms:
                    check(f not in name.encode(), f"{what}: {f!r} is in the name {folder}/{name}")
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as f:
                    data = f.read()
                n_files += 1
                if data[:2] == b"\x1f\x8b":
                    data += gzip.decompress(data)
                low = data.lower()
                for f in forms:
                    at = data.find(f) if f in data else low.find(f)
                    check(at < 0, f"{what}: {f!r} is in {os.path.relpath(path, self.home)} at {at}")
        check(n_files > 3 and forms, f"{what}: nothing was searched")

    def held(self, needles):
        """Every needle stands somewhere below the home: the search can fail."""
        data = b""
        for folder, _, names in os.walk(self.home):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    data += f.read()
        for n in needles:
            check(n.encode() in data or json.dumps(n)[1:-1].encode() in data, f"{n!r} was never kept: the search proves nothing")

    def verify_all(self):
        for v in self.versions():
            self.takc("verify", "-t", "fin", "--version", v["version"])


WORDS = "pump valve gauge report quarter region revenue grew percent Zurich Basel not limit inspection pressure under board approved".split()


def prose(seed, n=24):
    r = random.Random(seed)
    return "".join(f"The {' '.join(r.choices(WORDS, k=10))} reached {r.randint(10, 9999)} units.\n" for _ in range(n))


SHARED = "The northern reservoir must not exceed 4711 bar in any quarter."
SHARED_TAIL = "All twelve gauges were recalibrated at the Geneva depot on 3 March 2024."
# Made-up words that no stemmer changes: gone means gone from the index's terms too.
PLANTED = [
    "Zorbulon quixot never paid 918273 francs to Vexmar.",
    "She said \"the gribblat is 55 % über limit\" and left \\ at once.",
    "The frandoplex clause, see [12], was struck out by Judge Ymbroq.",
]
SECRET_WORDS = ["zorbulon", "quixot", "vexmar", "gribblat", "frandoplex", "ymbroq", "titlokrat", "headzibar", "tablumex", "secondrevix", "listomund"]


def secret(revision=1):
    extra = "Secondrevix counted 31337 crates behind the hall.\n\n" if revision > 1 else ""
    return (f"# Memo on Titlokrat 7719\n\n{PLANTED[0]} {PLANTED[1]}\n\n## The Headzibar affair of 2023\n\n{extra}{PLANTED[2]} {SHARED}\n\n"
            f"| who | owes |\n|---|---|\n| Tablumex | 777123 CHF |\n| Basel | 12 CHF |\n\n- Listomund has 4 keys\n- The pump has none\n\n{SHARED_TAIL}\n")


def needles(h, extra=()):
    own = {line for line in h.shown("plans/hush-file.md") if any(w in line.lower() for w in SECRET_WORDS)}
    return set(PLANTED) | set(SECRET_WORDS) | own | {"hush-file.md", "hush-file"} | set(extra)


def fill(h):
    for i in range(4):
        h.write(f"doc{i}.md", f"# Report {i}\n\n{prose(i)}\n" + (f"\n{SHARED}\n\n{SHARED_TAIL}\n" if i == 2 else ""))


def whole_story():
    h = Home("story")
    fill(h)
    h.write("plans/hush-file.md", secret())
    h.takc("ingest", "-t", "fin", h.docs)
    h.takc("compress", "-t", "fin", "--rates", "8,4,2")
    h.takc("cache", "-t", "fin", "pin", "1")
    h.write("plans/hush-file.md", secret(2))
    h.takc("ingest", "-t", "fin", h.docs)
    h.takc("compress", "-t", "fin", "--rates", "8,4,2,1.5")
    h.write("doc0.md", "# Report 0\n\n" + prose(77))
    h.takc("ingest", "-t", "fin", h.docs)
    h.takc("compress", "-t", "fin", "--rates", "8,4,2")
    h.takc("query", "-t", "fin", "How much did Zorbulon pay to Vexmar?")
    h.takc("query", "-t", "fin", "--json", "What of the gribblat in hush-file.md?")
    old = hashlib.sha256(secret().encode()).hexdigest()
    hashes = [old, hashlib.sha256(secret(2).encode()).hexdigest()]
    wanted = needles(h, hashes)
    h.held(set(PLANTED) | {"titlokrat", "tablumex", "frandoplex", "hush-file.md", *hashes})
    check(len(h.versions()) == 3, "three versions before")
    check(any(SHARED in line or "4711" in line for line in h.shown("plans/hush-file.md")), "the shared sentence was shown")
    # A compress that was killed leaves things under the next label.
    os.makedirs(os.path.join(h.home, "artifacts/fin/v4"))
    shutil.copy(os.path.join(h.home, "artifacts/fin/v3/light.json"), os.path.join(h.home, "artifacts/fin/v4/light.json"))

    report = json.loads(h.takc("forget", "-t", "fin", "--json", "plans/hush-file.md"))
    check(report["found"] == 0 and report["sentences_searched"] > 5, f"report {report}")
    h.search(wanted, "forget")
    labels = [v["version"] for v in h.versions()]
    check(labels == ["1.r1", "2.r1", "3.r1", "4"], f"versions {labels}")
    check([v["pinned"] for v in h.versions()] == [True, False, False, False], "pins stay")
    check([v["current"] for v in h.versions()][3], "the one made again is current")
    h.verify_all()
    for version, a in h.artifacts():
        for s in a["segments"]:
            for p in s["parts"]:
                for span in p["spans"]:
                    check(a["documents"][span[0]]["name"].startswith("doc"), f"{version}: a span of another document than those kept")
    check(any("4711" in line for line in h.shown("doc2.md")), "the shared sentence stays with the other document")
    for label in ("1.r1", "2.r1"):
        texts = [p["text"] for v, a in h.artifacts() if v == "v" + label and a["rate"] == "2x" for s in a["segments"] for p in s["parts"]]
        check(any("4711" in t for t in texts), f"version {label} still shows the shared sentence")

    h.takc("cache", "-t", "fin", "rollback", "1.r1")
    h.search(wanted, "rollback")
    out = json.loads(h.takc("query", "-t", "fin", "--json", "--context", "How much did Zorbulon pay to Vexmar?", code=None) or "{}")
    check(not any("zorbulon" in c.get("quote", "").lower() for c in out.get("citations", [])), "a citation came back")
    h.takc("compress", "-t", "fin")
    h.verify_all()
    h.takc("forget", "-t", "fin", "plans/hush-file.md", code=3)
    check(h.takc("doctor", "--sweep").count("fin") > 0 and h.code == 0, "doctor sweeps")
    h.takc("doctor", "--rebuild")
    h.search(wanted - {"zorbulon", "vexmar"}, "doctor")  # the question was asked again

    # A second one: labels go on counting.
    h.takc("forget", "-t", "fin", "doc1.md")
    labels = [v["version"] for v in h.versions()]
    check("1.r2" in labels, f"versions {labels} after a second forget")
    h.verify_all()
    # And back again under the same name, as a new document.
    h.takc("ingest", "-t", "fin", h.docs)
    h.takc("compress", "-t", "fin")
    h.verify_all()
    h.held({"hush-file.md", PLANTED[0]})


def same_elsewhere():
    """The same bytes under another name or in another task stay, and are no failure of the proof."""
    h = Home("elsewhere")
    fill(h)
    h.write("plans/hush-file.md", secret())
    h.write("copy.md", secret())
    h.takc("init", "hr", "-d", "people")
    h.takc("ingest", "-t", "fin", h.docs)
    h.takc("compress", "-t", "fin")
    h.takc("forget", "-t", "fin", "plans/hush-file.md")
    h.search({"hush-file.md"}, "copy")
    h.verify_all()
    h.takc("ingest", "-t", "hr", "--name", "letter.md", os.path.join(h.docs, "copy.md"))
    h.takc("compress", "-t", "hr")
    h.takc("forget", "-t", "fin", "copy.md")
    h.takc("verify", "-t", "hr")
    h.verify_all()
    for kind in ("blobs", "text", "raw-data", "documents"):
        for folder, _, names in os.walk(os.path.join(h.home, kind, "fin")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    check(b"Zorbulon" not in f.read(), f"{kind}/fin/{name} still holds it")


def only_document():
    h = Home("only")
    h.write("plans/hush-file.md", secret())
    h.takc("ingest", "-t", "fin", h.docs)
    h.takc("compress", "-t", "fin")
    h.takc("cache", "-t", "fin", "pin", "1")
    wanted = needles(h)
    h.takc("forget", "-t", "fin", "plans/hush-file.md")
    h.search(wanted, "only document")
    h.takc("query", "-t", "fin", "Zorbulon?", code=3)
    h.takc("compress", "-t", "fin", code=3)
    h.takc("verify", "-t", "fin", code=3)
    h.write("doc.md", "# New\n\n" + prose(5))
    h.takc("ingest", "-t", "fin", os.path.join(h.docs, "doc.md"))
    h.takc("compress", "-t", "fin")
    h.verify_all()


def never_compressed():
    h = Home("never")
    fill(h)
    h.takc("ingest", "-t", "fin", h.docs)
    h.takc("compress", "-t", "fin")
    h.write("plans/hush-file.md", secret())
    h.takc("ingest", "-t", "fin", h.docs)
    wanted = needles(h)
    before = open(os.path.join(h.home, "cache/v2/fin/light/cache.json")).read()
    h.takc("forget", "-t", "fin", "plans/hush-file.md")
    h.search(wanted, "never compressed")
    check([v["version"] for v in h.versions()] == ["1"], "the version stays")
    check(open(os.path.join(h.home, "cache/v2/fin/light/cache.json")).read() == before, "foreign caches stay")
    h.verify_all()


def shorter_revision():
    """What a document no longer says is in no chunk."""
    h = Home("shorter")
    h.write("a.md", "# Report\n\n" + prose(1, 80) + "\nThe Zorbulon clause ends the paper.\n")
    h.takc("ingest", "-t", "fin", h.docs)
    chunks = os.path.join(h.home, "fin")
    n = len(os.listdir(chunks))
    h.write("a.md", "# Report\n\n" + prose(2, 8))
    h.takc("ingest", "-t", "fin", h.docs)
    texts = "".join(open(os.path.join(chunks, c)).read() for c in os.listdir(chunks))
    check(n > len(os.listdir(chunks)) and "Zorbulon" not in texts, "old chunks are gone")


def records():
    """One line of a JSONL file goes, the others stay."""
    h = Home("records")
    lines = [{"id": f"r{i}", "title": f"Record {i}", "text": prose(i, 4)} for i in range(6)]
    lines[3]["text"] = PLANTED[0] + " " + PLANTED[1] + " The frandoplex was ymbroq."
    lines.append({"id": "r1/deeper", "title": "Odd id", "text": prose(9, 3)})
    h.write("faq.jsonl", "".join(json.dumps(x) + "\n" for x in lines))
    h.takc("ingest", "-t", "fin", h.docs)
    h.takc("compress", "-t", "fin")
    h.takc("forget", "-t", "fin", "faq.jsonl#r3")
    h.search([PLANTED[0], PLANTED[1], "frandoplex", "ymbroq", "zorbulon", "faq.jsonl#r3"], "record")
    h.verify_all()
    h.takc("ingest", "-t", "fin", "--mirror", h.docs)
    h.verify_all()


def mirror():
    """What vanished from its own root only."""
    h = Home("mirror")
    fill(h)
    other = os.path.join(h.dir, "other")
    os.makedirs(other)
    with open(os.path.join(other, "kept.md"), "w") as f:
        f.write("# Kept\n\n" + prose(42))
    h.write("plans/hush-file.md", secret())
    h.takc("ingest", "-t", "fin", h.docs)
    h.takc("ingest", "-t", "fin", other)
    h.takc("compress", "-t", "fin")
    wanted = needles(h)
    shutil.rmtree(os.path.join(h.docs, "plans"))
    out = json.loads(h.takc("ingest", "-t", "fin", "--json", h.docs))
    check(json.dumps(out).count('"vanished"') >= 1, "vanished is told")
    h.held([PLANTED[0]])
    os.remove(os.path.join(other, "kept.md"))
    h.takc("ingest", "-t", "fin", "--mirror", h.docs)
    h.search(wanted, "mirror")
    with open(os.path.join(h.home, "manifests/fin.json")) as f:
        label = json.load(f)["current"]
    names = open(os.path.join(h.home, f"artifacts/fin/v{label}/documents.json")).read()
    check("kept.md" in names, "a document of another root stays though its file is gone")
    h.takc("ingest", "-t", "fin", "--mirror", other)
    h.verify_all()
    check("kept.md" not in open(os.path.join(h.home, "manifests/fin.json")).read(), "and goes with its own root")
    check("kept.md" not in json.dumps([a["documents"] for _, a in h.artifacts()]), "from every artifact")


def killed():
    """Killed at any moment and called again, it ends the same way."""
    n = int(os.environ.get("FORGET_KILLS", "24"))
    h = Home("killed")
    fill(h)
    h.write("plans/hush-file.md", secret())
    h.takc("ingest", "-t", "fin", h.docs)
    h.takc("compress", "-t", "fin")
    h.takc("cache", "-t", "fin", "pin", "1")
    h.write("plans/hush-file.md", secret(2))
    h.takc("ingest", "-t", "fin", h.docs)
    h.takc("compress", "-t", "fin")
    wanted = needles(h)
    original = os.path.join(h.dir, "original")
    shutil.move(h.home, original)
    shutil.copytree(original, h.home)
    t = time.monotonic()
    h.takc("forget", "-t", "fin", "plans/hush-file.md")
    whole = time.monotonic() - t
    landed = 0
    for i in range(n):
        shutil.rmtree(h.home)
        shutil.copytree(original, h.home)
        p = h.start("forget", "-t", "fin", "plans/hush-file.md")
        time.sleep(whole * (i + 0.5) / n)
        p.send_signal(signal.SIGKILL)
        p.communicate()
        landed += p.returncode == -signal.SIGKILL
        if i % 3 == 0:
            h.verify_all()  # whatever is kept is whole
        h.takc("forget", "-t", "fin", "plans/hush-file.md", code=None)
        check(h.code in (0, 3), f"kill {i}: the second call ends with {h.code}")
        h.search(wanted, f"kill {i}")
        h.verify_all()
        check(len(h.versions()) == 3, f"kill {i}: versions")
    print(f"killed: {landed} of {n} kills landed inside forget ({whole * 1000:.0f} ms)")
    check(landed >= n // 2, "too few kills landed")


shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
base = tempfile.mkdtemp(prefix="takc-forget-", dir=shm)
try:
    for test in (whole_story, same_elsewhere, only_document, never_compressed, shorter_revision, records, mirror, killed):
        if len(sys.argv) < 2 or test.__name__ in sys.argv[1:]:
            before, t = checks.failures, time.monotonic()
            test()
            print(f"{test.__name__}: {'ok' if checks.failures == before else 'FAILED'} ({time.monotonic() - t:.1f} s)")
finally:
    shutil.rmtree(base, ignore_errors=True)
sys.exit(1 if checks.failures else 0)
