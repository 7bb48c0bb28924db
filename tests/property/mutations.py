# SPDX-License-Identifier: Apache-2.0
#
# mutations.py - a real home is changed in one place at a time, and `takc verify --json` must find it, name it, and find nothing else.
# "Nothing else" means: an edited artifact fails at A (its hash), and at X where its text or spans are wrong too, for that segment alone; a
# manifest that was made to agree with an edited artifact fails at X only; an edited source fails at S and at what is read from it again.
import hashlib, json, os, re, shutil, subprocess, sys, tempfile

TAKC = os.environ["TAKC"]
failures = 0
shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
base = tempfile.mkdtemp(prefix="takc-mutations-", dir=shm)
home = os.path.join(base, "home")
env = dict(os.environ, TAKC_HOME=home, HOME=base)


def takc(*args):
    p = subprocess.run([TAKC, *args], env=env, capture_output=True)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def verify():
    code, out, err = takc("verify", "-t", "fin", "--json")
    if not out:
        return code, None, err
    v = json.loads(out)
    return code, v, [(f["level"], f["subject"], f["finding"]) for f in v["findings"]]


def path(name):
    return os.path.join(home, name)


def read(name):
    with open(path(name), "rb") as f:
        return f.read()


def write(name, data):
    os.chmod(path(name), 0o600)
    with open(path(name), "wb") as f:
        f.write(data)


def sha(data):
    return hashlib.sha256(data).hexdigest()


def mutate(what, change, expect):
    """change() edits the home; expect: {level: (subject, how many or None)}; a subject is a part of what must be named, or several: the first
    must be, the others may be. Every finding must be expected, every level found."""
    global failures
    shutil.rmtree(home)
    shutil.copytree(pristine, home)
    change()
    code, report, findings = verify()
    problem = None
    if report is None:
        problem = f"no report: exit {code}: {findings}"
    elif code != 1:
        problem = f"exit code {code}, not 1"
    else:
        levels = {f[0] for f in findings}
        if levels != set(expect):
            problem = f"found at {sorted(levels)}, expected at {sorted(expect)}"
        for level, (subject, n) in expect.items():
            mine = [f for f in findings if f[0] == level]
            subjects = subject if isinstance(subject, tuple) else (subject,)
            if any(all(x not in f[1] for x in subjects) for f in mine) or all(subjects[0] not in f[1] for f in mine):
                problem = f"{level} names {[f[1] for f in mine]}, not {subjects}"
            if n is not None and len(mine) != n:
                problem = f"{level}: {len(mine)} findings, expected {n}"
            if report["levels"][level]["failed"] != len(mine):
                problem = f"{level}: counts {report['levels'][level]['failed']} failures, tells {len(mine)}"
    if problem:
        failures += 1
        print(f"FAILED {what}: {problem}")
        for f in findings if isinstance(findings, list) else []:
            print("   ", *f)
    else:
        print(f"{what}: found at {', '.join(sorted(expect))}")


def agree(name):
    """Makes the manifest agree with an edited thing: somebody who knows how to hide it."""
    m = read("manifests/fin.json").decode()
    old = sha(open(os.path.join(pristine, name), "rb").read())
    data = read(name)
    assert m.count(old) == 1, f"{name} is not in the manifest"
    size = len(open(os.path.join(pristine, name), "rb").read())
    write("manifests/fin.json", m.replace(f'"{old}", "bytes": {size}', f'"{sha(data)}", "bytes": {len(data)}').encode())


ARTIFACT = "artifacts/fin/v1/2x.json"


def artifact_edit(find, replace, hide):
    """One regular expression replaced once in the artifact's segments; text_sha256 made right again when it is hidden."""

    def change():
        text = read(ARTIFACT).decode()
        at = text.index('"segments"')
        body, n = re.subn(find, replace, text[at:], count=1)
        assert n == 1 and body != text[at:], f"{find} is not in the artifact"
        write(ARTIFACT, (text[:at] + body).encode())
        if hide:
            agree(ARTIFACT)

    return change


os.makedirs(os.path.join(base, "docs"))
DOCS = {
    "plant.md": "# The Basel plant\n\n## Pressure\n\nThe main pump must not exceed 12 bar in summer. It was inspected on 3 March 2024.\n\n"
    "## Revenue\n\nRevenue of ACME grew by 7 percent to 4100 CHF. Nobody in Geneva was told about pump 77.\n",
    "limits.csv": "valve,site,limit\nV-17,Basel,9 bar\nV-18,Zurich,11 bar\n",
    "page.html": "<html><body><h1>Tanks &amp; lines</h1><p>Tank 5 holds 300 litres &mdash; never more than 310.</p></body></html>",
    "latin.txt": "Das Ventil für Zürich hält 14 bar aus. Mehr hält es nicht aus.\n".encode("latin-1"),
    "faq.jsonl": '{"id":"q1","title":"Who checks?","text":"The audit board checks pump 3 each spring."}\n',
}
for name, text in DOCS.items():
    with open(os.path.join(base, "docs", name), "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
for args in (("init", "fin"), ("ingest", "-t", "fin", os.path.join(base, "docs")), ("compress", "-t", "fin", "--rates", "light,2,1.01")):
    code, out, err = takc(*args)
    assert code == 0, (args, err)
pristine = os.path.join(base, "pristine")
shutil.copytree(home, pristine)
ARTIFACT = "artifacts/fin/v1/1.01x.json"
code, report, findings = verify()
assert code == 0 and findings == [], findings
assert all(report["levels"][k]["checked"] for k in "STMAX")

shown = json.loads(read(ARTIFACT))
names = {d["name"] for d in shown["documents"]}
assert names == {"faq.jsonl#q1", "latin.txt", "limits.csv", "page.html", "plant.md"}, names


def source_of(name):
    return "blobs/fin/" + next(d["source_sha256"] for d in shown["documents"] if d["name"] == name)


def text_of(name):
    return "text/fin/" + next(d["text_sha256"] for d in shown["documents"] if d["name"] == name)


def part_of(name, kind):
    text = os.path.basename(text_of(name))
    return "text/fin/" + next(n for n in os.listdir(path("text/fin")) if n.startswith(text) and n.endswith(kind))


def edit(name, old, new):
    def change():
        data = read(name)
        assert data.count(old) >= 1, f"{old} is not in {name}"
        write(name, data.replace(old, new, 1))

    return change


def flip(name, at):
    def change():
        data = bytearray(read(name))
        data[at] ^= 1
        write(name, bytes(data))

    return change


A = ("1.01x.json", 1)
PUMP, ACME, SUMS = "segment 8 body", "segment 10 body", "1.01x artifact"  # sums: of words and bytes, which the artifact says of itself
X = (PUMP, 1)
# A span that is moved by a byte: its end takes a byte less, or its start begins one later.
mutate("a span ends a byte early", artifact_edit(r'(pump[^"]*12 bar[^"]*","spans":\[\[\d+,\d+,)(\d+)', lambda m: m[1] + str(int(m[2]) - 1), False), {"A": A, "X": X})
mutate("a span ends a byte early, hash hidden", artifact_edit(r'(pump[^"]*12 bar[^"]*","spans":\[\[\d+,\d+,)(\d+)', lambda m: m[1] + str(int(m[2]) - 1), True), {"X": X})
mutate("a span begins a byte late, hash hidden", artifact_edit(r'(pump[^"]*12 bar[^"]*","spans":\[\[\d+,)(\d+)', lambda m: m[1] + str(int(m[2]) + 1), True), {"X": X})
mutate("a span of another document, hash hidden", artifact_edit(r'(pump[^"]*12 bar[^"]*","spans":\[\[)(\d+)', lambda m: m[1] + str(int(m[2]) - 1), True), {"X": ((PUMP, SUMS, "segment 8"), 3)})
mutate("a digit is another", artifact_edit(r"12 bar", "13 bar", False), {"A": A, "X": X})
mutate("a digit is another, hash hidden", artifact_edit(r"12 bar", "13 bar", True), {"X": X})
mutate("a number is left out, hash hidden", artifact_edit(r" 12 bar", " bar", True), {"X": ((PUMP, SUMS), 3)})
mutate("a negation is left out, hash hidden", artifact_edit(r"must not exceed", "must exceed", True), {"X": ((PUMP, SUMS), 3)})
mutate("a name is left out, hash hidden", artifact_edit(r"of ACME grew", "of grew", True), {"X": ((ACME, SUMS), 3)})
mutate("two words are swapped, hash hidden", artifact_edit(r"main pump", "pump main", True), {"X": X})
mutate("a word is added, hash hidden", artifact_edit(r"main pump", "main old pump", True), {"X": ((PUMP, SUMS), 3)})
mutate("a title without a span is another, hash hidden", artifact_edit(r'"title","text":"latin.txt"', '"title","text":"other.txt"', True), {"X": ("segment 2", 1)})
mutate("an anchor's header is another, hash hidden", artifact_edit(r"valve; site", "value; site", True), {"X": ("segment 4", 1)})


def text_hash():
    text = read(ARTIFACT).decode()
    write(ARTIFACT, re.sub(r'"text_sha256":"[0-9a-f]{64}",\n"documents"', '"text_sha256":"' + "0" * 64 + '",\n"documents"', text).encode())
    agree(ARTIFACT)


mutate("the hash of the text shown is another, hash hidden", text_hash, {"X": (SUMS, 1)})
mutate("a blank is added outside of segments", edit(ARTIFACT, b"{", b"{ "), {"A": A})


def swap_hashes():
    m = read("manifests/fin.json").decode()
    found = re.findall(r'"rate": "[^"]*", "sha256": "([0-9a-f]{64})"', m)
    assert len(found) == 3
    write("manifests/fin.json", m.replace(found[0], "#").replace(found[1], found[0]).replace("#", found[1]).encode())


mutate("two hashes are swapped in the manifest", swap_hashes, {"A": (".json", 2)})


mutate("a source is edited", edit(source_of("plant.md"), b"12 bar", b"13 bar"), {"S": ("plant.md", 1), "T": ("plant.md", 1), "M": ("plant.md", 1)})
mutate("an HTML source is edited", edit(source_of("page.html"), b"300", b"301"), {"S": ("page.html", 1), "T": ("page.html", 1), "M": ("page.html", 1)})
mutate("a source in Latin-1 is edited", edit(source_of("latin.txt"), b"14", b"15"), {"S": ("latin.txt", 1), "T": ("latin.txt", 1), "M": ("latin.txt", 1)})
mutate("a source is gone", lambda: os.remove(path(source_of("limits.csv"))), {"S": ("limits.csv", 1)})
mutate("a text is edited", edit(text_of("limits.csv"), b"9 bar", b"8 bar"), {"A": (os.path.basename(text_of("limits.csv")), 1), "T": ("limits.csv", None), "M": ("limits.csv", 1), "X": ("body", None)})
mutate("the units are edited", flip(part_of("plant.md", ".units"), -3), {"A": (".units", 1)})

# Every file that a version consists of, each with a byte changed, cut off, longer, and gone: one finding, and its name. Artifacts are seen
# at X too where they cannot be read.
FILES = sorted(folder + "/" + name for folder in ("artifacts/fin/v1", "index/fin/v1") for name in os.listdir(path(folder)))
assert [os.path.basename(f) for f in FILES] == ["1.01x.json", "1.01x.ledger.json", "2x.json", "2x.ledger.json", "documents.json", "light.json", "light.ledger.json", "selection.bin", "units.idx"], FILES
for name in FILES:
    artifact = name.endswith("x.json") or name.endswith("light.json")
    both = {"A": (name, 1), "X": (name, 1)} if artifact else {"A": (name, 1)}
    mutate(f"{name} is longer", lambda: write(name, read(name) + b" "), {"A": (name, 1)})
    mutate(f"{name} is cut off", lambda: write(name, read(name)[:-40]), both)
    mutate(f"{name} is gone", lambda: os.remove(path(name)), both)
    if not artifact:  # what a byte of an artifact means is told apart above
        for part in (0, 1, 2, 3):
            mutate(f"{name} has another byte ({part})", flip(name, os.path.getsize(os.path.join(pristine, name)) * part // 4), {"A": (name, 1)})


def wrong_hash(name):
    def change():
        m = read("manifests/fin.json").decode()
        assert sha(read(name)) in m, f"{name} is not in the manifest"
        write("manifests/fin.json", m.replace(sha(read(name)), "0" * 64).encode())

    return change


def no_hash(name):
    def change():
        m = read("manifests/fin.json").decode()
        write("manifests/fin.json", m.replace(f'"{sha(read(name))}"', '""').encode())

    return change


for name in FILES:
    mutate(f"the hash of {name} is another", wrong_hash(name), {"A": (name, 1)})
for name in FILES:  # an artifact without a hash is no manifest
    if "ledger" in name or "selection" in name:
        mutate(f"the hash of {name} was never taken", no_hash(name), {"A": (name, 1)})


def list_hidden():
    write("artifacts/fin/v1/documents.json", b"[]")
    agree("artifacts/fin/v1/documents.json")


mutate("the list of documents is no list, hash hidden", list_hidden, {"A": ("documents.json", 1)})


def map_edit():
    name = part_of("plant.md", ".map")
    data = bytearray(read(name))
    data[-1] ^= 4
    write(name, bytes(data))


code = 0
shutil.rmtree(home)
shutil.copytree(pristine, home)
map_edit()
code, report, findings = verify()
bad = report is None or code != 1 or not findings or any(f[0] not in "TM" or ("plant.md" not in f[1]) for f in findings)
failures += bad
print("FAILED the map is edited:" if bad else "the map is edited: found at", code, findings if bad else sorted({f[0] for f in findings}))

shutil.rmtree(home)
shutil.copytree(pristine, home)
code, report, findings = verify()
if code or findings:
    failures += 1
    print("FAILED unchanged:", findings)
shutil.rmtree(base)
sys.exit(1 if failures else 0)
