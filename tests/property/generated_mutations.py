# SPDX-License-Identifier: Apache-2.0
#
# generated_mutations.py - lines that a model wrote are changed in one word at a time, and `takc verify` must name each line. The manifest and
# the artifact's own sums are made to agree each time, so that level X alone can see it.
#
# Numbers, dates, negations and units of measure must all be found, names nearly all (a word that opens a sentence may have a capital without
# being a name). What verify does not promise is shown as a share alone, in brackets: a number or name of the same spans in another's place,
# a unit that is in no list. Every round changes each line once, in a way of its own.
import hashlib, json, os, re, subprocess, sys, tempfile

TAKC = os.environ["TAKC"]
shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
base = tempfile.mkdtemp(prefix="takc-generated-", dir=shm)
home = os.path.join(base, "home")
env = dict(os.environ, TAKC_HOME=home, HOME=base)
env.pop("TAKC_MODEL_NAME", None)

MONTHS = "January February March April May June July August September October November December".split()
UNITS = ["percent", "million", "billion", "dollars", "euros", "kg", "km", "miles", "hours", "days", "weeks", "years", "minutes", "tons", "mm"]
RARE = ["bar", "psi", "knots", "litres"]  # units that verify has not in its list, but for the last
NAMES = ["Basel", "Geneva", "Berlin", "Lyon", "Alice", "Marcus", "Helvetia", "Orion", "Carrara", "Dresden"]
OTHER_NAMES = ["Quito", "Zebulon", "Nairobi"]
NOT = ["not", "never", "no"]


def takc(*args):
    p = subprocess.run([TAKC, *args], env=env, capture_output=True)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def path(name):
    return os.path.join(home, name)


def read(name):
    with open(path(name), "rb") as f:
        return f.read()


def write(name, data):
    if os.path.exists(path(name)):
        os.chmod(path(name), 0o600)
    with open(path(name), "wb") as f:
        f.write(data)


def sha(data):
    return hashlib.sha256(data).hexdigest()


# --- a home with lines of all kinds ---

def sentences(doc):
    for i in range(40):
        k = doc * 40 + i
        name, other = NAMES[k % 10], NAMES[(k * 7 + 3) % 10]
        day, year, month = 1 + k * 5 % 28, 1990 + k % 33, MONTHS[k * 5 % 12]
        n, unit = 101 + k * 37 % 9800, UNITS[k % len(UNITS)]
        yield [f"The plant of {name} delivered {n} {unit} of steel on {day} {month} {year}.",
               f"The audit of {year} did not find a fault in hall {n % 97 + 3} of {name}.",
               f"In {month} {year} the office in {name} told {other} about {n} {unit}, {n % 13 + 2} more than before.",
               f"The valve {doc}-{n} was never opened in {name} before {month} {day}.",
               f"Revenue in {other} grew by {n % 89 + 11}.{k % 9 + 1} percent to {n * 3:,} dollars.",
               f"No contract of {name} ends before {year}-{1 + k % 12:02}-{day:02}.",
               f"The pump of {name} holds {n % 40 + 3} {RARE[k % len(RARE)]} since {month} {year}."][k % 7]


os.makedirs(os.path.join(base, "docs"))
for d in range(5):
    with open(os.path.join(base, "docs", f"report{d}.txt"), "w") as f:
        f.write("\n\n".join(sentences(d)) + "\n")
for args in (("init", "fin"), ("ingest", "-t", "fin", os.path.join(base, "docs")), ("compress", "-t", "fin", "--rates", "2", "--model", "fake:obedient")):
    code, out, err = takc(*args)
    assert code == 0, (args, err)
ARTIFACT, MANIFEST = "artifacts/fin/v1/2x.json", "manifests/fin.json"
artifact, manifest = read(ARTIFACT).decode(), read(MANIFEST).decode()
shown = json.loads(artifact)
texts = [read("text/fin/" + d["text_sha256"]) for d in shown["documents"]]
lines = {}  # number of the segment: line, text of its spans
for i, s in enumerate(shown["segments"]):
    body = next(p for p in s["parts"] if p["role"] == "body")
    if s["kind"] == "generated":
        lines[i + 1] = (body["text"], "\n".join(texts[d][a:b].decode() for d, a, b in body["spans"]))
assert len(lines) > 50, f"{len(lines)} generated lines are too few"


# --- changes: (class, changed line); found must be what a reader would call false ---

def words(text):
    return set(re.findall(r"[\w%]+(?:[.,:-]\w+)*", text))


def swap(line, m, new):
    return line[:m.start()] + new + line[m.end():]


def number_changes(line, spans):
    here = words(spans)
    for m in re.finditer(r"(?<![\w.,-])\d[\d,]*(?:\.\d+)?(?![\w-])", line):
        old = m[0]
        for at in (p for p, c in enumerate(old) if c.isdigit()):
            new = old[:at] + str((int(old[at]) + 1 + at) % 10) + old[at + 1:]
            yield "numbers", swap(line, m, new) if new not in here else None
        for new in (old + "0", old[1:] if len(old) > 1 and old[1:].isdigit() else old + "7", "1" + old):
            yield "numbers", swap(line, m, new) if new not in here else None
        for other in re.findall(r"(?<![\w.,-])\d[\d,]*(?![\w.,-])", spans):
            if other != old:
                yield "(another number of the spans)", swap(line, m, other)


def date_changes(line, spans):
    here = words(spans)
    for m in re.finditer("|".join(MONTHS), line):
        for new in MONTHS:
            yield "dates", swap(line, m, new) if new not in here else None
    for m in re.finditer(r"\d{4}-\d\d-\d\d", line):
        for at in (3, 6, 9):
            new = m[0][:at] + str((int(m[0][at]) + 1) % 10) + m[0][at + 1:]
            yield "dates", swap(line, m, new)


def name_changes(line, spans):
    here = words(spans)
    for m in re.finditer(r"\b(" + "|".join(NAMES) + r")\b", line):
        for new in OTHER_NAMES + NAMES:
            if new != m[0]:
                yield ("names" if new not in here else "(another name of the spans)"), swap(line, m, new)


def negation_changes(line, spans):
    mine = list(re.finditer(r"\b(" + "|".join(NOT) + r")\b", line, re.I))
    theirs = re.findall(r"\b(" + "|".join(NOT) + r")\b", spans, re.I)
    if len(mine) == 1:
        yield "negations", swap(line, mine[0], "").replace("  ", " ").strip()
    if not theirs:
        for m in re.finditer(r" (was|told|delivered|grew|of|in) ", line):
            for new in ("not", "never", "no longer", "cannot"):
                yield "negations", line[:m.end()] + new + " " + line[m.end():]


def unit_changes(line, spans):
    here = words(spans)
    for m in re.finditer(r"(?<=\d )(" + "|".join(UNITS) + r")\b", line):
        for new in UNITS:
            if new != m[0]:
                yield ("units" if new not in here else "(another unit of the spans)"), swap(line, m, new)
    for m in re.finditer(r"(?<=\d )(" + "|".join(RARE[:3]) + r")\b", line):
        for new in RARE[:3]:
            yield "(units in no list)", swap(line, m, new)
        yield "units", swap(line, m, "litres")


def changes_of(line, spans):
    seen = {line}
    for make in (number_changes, date_changes, name_changes, negation_changes, unit_changes):
        for kind, new in make(line, spans):
            if new and new not in seen:
                seen.add(new)
                yield kind, new


# --- rounds ---

def put(changed):
    """The home with these lines in the place of theirs: artifact, its own sums left as they were, manifest."""
    text = artifact
    for i, new in changed.items():
        old = '"text":' + json.dumps(lines[i][0], ensure_ascii=False)
        at = text.index(old, offsets[i])
        assert text.find('{"kind"', offsets[i] + 1, at) < 0
        text = text[:at] + '"text":' + json.dumps(new, ensure_ascii=False) + text[at + len(old):]
        delta = len(json.dumps(new, ensure_ascii=False)) - len(json.dumps(lines[i][0], ensure_ascii=False))
        for k in offsets:
            if k > i:
                offsets[k] += delta
    data = text.encode()
    write(ARTIFACT, data)
    old = f'"{sha(artifact.encode())}", "bytes": {len(artifact.encode())}'
    assert manifest.count(old) == 1
    write(MANIFEST, manifest.replace(old, f'"{sha(data)}", "bytes": {len(data)}').encode())


def found_by_verify():
    code, out, err = takc("verify", "-t", "fin", "--levels", "X", "--json")
    report = json.loads(out)
    return code, {int(m[1]): f["finding"] for f in report["findings"] if (m := re.search(r"segment (\d+) body", f["subject"]))}


code, findings = found_by_verify()
assert code == 0 and not findings, findings
starts = [m.start() for m in re.finditer(r'\{"kind"', artifact)]
todo = {i: list(changes_of(*lines[i])) for i in lines}
rounds = max(len(c) for c in todo.values())
made, found, missed = {}, {}, []
for r in range(rounds):
    offsets = {i + 1: s for i, s in enumerate(starts)}
    now = {i: todo[i][r] for i in sorted(todo) if r < len(todo[i])}
    put({i: new for i, (_, new) in now.items()})
    code, findings = found_by_verify()
    assert set(findings) <= set(now), "a line that was not changed is named"
    for i, (kind, new) in now.items():
        made[kind] = made.get(kind, 0) + 1
        found[kind] = found.get(kind, 0) + (i in findings)
        if i not in findings:
            missed.append((kind, lines[i][0], new))
write(ARTIFACT, artifact.encode())
write(MANIFEST, manifest.encode())
code, findings = found_by_verify()
assert code == 0 and not findings, "the home is not what it was"

# --- how the version was made: no hash of the manifest covers it ---

HOW = "artifacts/fin/v1/generated.json"
how, wrong = read(HOW), []


def named(what):
    """Both verify and doctor name the file, and nothing else."""
    code, out, err = takc("verify", "-t", "fin", "--levels", "A", "--json")
    subjects = [f["subject"] for f in json.loads(out)["findings"]]
    dcode, out, err = takc("doctor", "--json")
    told = [c["check"] for c in json.loads(out)["checks"] if c["status"] == "wrong"]
    if code != 1 or dcode != 1 or subjects != [HOW] or told != [HOW]:
        wrong.append(f"{what}: verify {code} {subjects}, doctor {dcode} {told}")


for at in list(range(0, len(how), max(1, len(how) // 40))) + list(range(len(how) - 90, len(how), 3)):
    data = bytearray(how)
    data[at] ^= 1
    write(HOW, bytes(data))
    named(f"byte {at} is another")
for what, data in (("longer", how + b" "), ("cut off", how[:-10]), ("empty", b""), ("another list", how.replace(b'"replies": [', b'"replies": [ '))):
    write(HOW, data)
    named(what)
os.remove(path(HOW))
named("gone")
code, out, err = takc("compress", "-t", "fin", "--rates", "2", "--model", "fake:obedient", "--json")
made_again = json.loads(out)
if code or not made_again["changed"] or any(r["generated"]["calls"] for r in made_again["rates"]):
    wrong.append(f"compress did not mend it from kept replies: {code} {err}")
if takc("verify", "-t", "fin")[0] or json.loads(read(f"artifacts/fin/v{made_again['version']}/2x.json")) != shown:
    wrong.append("the version that was made again is another")
write(HOW, how)
old = json.loads(how)
del old["sha256"]
write(HOW, json.dumps(old, indent=2).encode())  # as it was written before it carried its hash
if takc("verify", "-t", "fin", "--version", "1", "--levels", "A")[0] or takc("doctor")[0]:
    wrong.append("a file from before is called damaged")
print(f"{HOW}: {'changed, cut, longer, empty, gone: found each time' if not wrong else 'FAILED'}")

print(f"{len(lines)} lines, {sum(made.values())} changes, {rounds} rounds")
failures = len(wrong)
for w in wrong:
    print("FAILED", w)
for kind in sorted(made):
    least = {"names": 0.98}.get(kind, 0 if kind.startswith("(") else 1)
    share = found[kind] / made[kind]
    bad = share < least
    failures += bad
    print(f"{'FAILED ' if bad else ''}{kind}: {found[kind]} of {made[kind]} found ({100 * share:.1f} %)")
for want in ("numbers", "dates", "names", "negations", "units"):
    if made.get(want, 0) < 50:
        failures += 1
        print(f"FAILED {want}: only {made.get(want, 0)} changes were made")
for kind, old, new in [m for m in missed if not m[0].startswith("(")][:20]:
    print(f"  not found, {kind}: {old}  ->  {new}")
subprocess.run(["rm", "-rf", base])
sys.exit(1 if failures else 0)
