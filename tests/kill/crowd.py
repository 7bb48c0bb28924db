# SPDX-License-Identifier: Apache-2.0
#
# crowd.py - many processes at one home and one task: folders ingested at once, compressed while others write, documents forgotten while
# others ask. Nothing is lost, no exit code is a surprise: a writer waits or is BUSY (4), a reader has its answer, whatever goes on.
# CROWD_ROUNDS repeats it.
import json, os, subprocess, sys, tempfile

TAKC = os.environ["TAKC"]
ROUNDS = int(os.environ.get("CROWD_ROUNDS", "1"))
FOLDERS, DOCS = 3, 4
WAIT = ("--wait-ms", "120000")
shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
failures = 0


def fail(text):
    global failures
    failures += 1
    print("FAILED", text)


class Crowd:
    def __init__(self, base):
        self.base, self.home = base, os.path.join(base, "home")
        self.env = dict(os.environ, TAKC_HOME=self.home, HOME=base, NO_COLOR="1")

    def start(self, *args):
        p = subprocess.Popen([TAKC, "-q", *args], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        p.said = args
        return p

    def end(self, p, *allowed):
        out, err = p.communicate()
        if p.returncode not in allowed:
            fail(f"{' '.join(p.said)}: exit {p.returncode}, not one of {allowed}: {err.strip()}")
        return p.returncode, out, err

    def run(self, *args, allowed=(0,)):
        return self.end(self.start(*args), *allowed)

    def write(self, folder, number, revision):
        path = os.path.join(self.base, f"docs{folder}")
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, f"f{folder}n{number}.md"), "w") as f:
            f.write(f"# Plant {folder}-{number}\n\nPump P{folder}x{number} lifts {100 * folder + 10 * number + revision} litres a minute.\n\n")
            f.write("".join(f"Valve V{folder}x{number}x{k} of that plant was set to {k + 3} bar in revision {revision}. " for k in range(20)) + "\n")

    def names(self):
        records = os.path.join(self.home, "documents", "fin")
        return {json.load(open(os.path.join(records, r)))["name"]: r for r in os.listdir(records)}


def whole(c, expected, what):
    """Nothing lost, nothing damaged."""
    if set(c.names()) != expected:
        fail(f"{what}: documents {sorted(set(c.names()) ^ expected)} are wrong")
    c.run("verify", "-t", "fin")
    code, out, _ = c.run("doctor")
    if "WRONG" in out:
        fail(f"{what}: doctor says {out}")


def together(c, expected):
    """Folders ingested at once; the first compress by two at once: one of them makes the version."""
    crowd = [c.start("ingest", "-t", "fin", *WAIT, os.path.join(c.base, f"docs{f}")) for f in range(FOLDERS)]
    for p in crowd:
        c.end(p, 0)
    if set(c.names()) != expected:
        fail(f"ingested {sorted(c.names())}, expected {sorted(expected)}")
    crowd = [c.start("compress", "-t", "fin", "--json", *WAIT) for _ in range(2)] + [c.start("compress", "-t", "fin", "--json")]
    made = [json.loads(c.end(p, 0)[1]) for p in crowd[:2]]
    if {m["version"] for m in made} != {"1"}:
        fail(f"versions {made}")
    c.end(crowd[2], 0, 4)
    whole(c, expected, "after the first compress")


def writers_and_readers(c, expected, revision):
    """Everybody at once: one folder changes, one loses a document, compress goes on, questions are asked all the while."""
    gone = f"f1n{revision % DOCS}.md"
    for n in range(DOCS):
        c.write(0, n, revision)
    os.remove(os.path.join(c.base, "docs1", gone))
    crowd = [
        c.start("ingest", "-t", "fin", *WAIT, os.path.join(c.base, "docs0")),
        c.start("compress", "-t", "fin", *WAIT),
        c.start("compress", "-t", "fin"),
        c.start("cache", "-t", "fin", "list"),
        c.start("verify", "-t", "fin"),
    ]
    forget = c.start("forget", "-t", "fin", *WAIT, gone)
    asked = 0
    while any(p.poll() is None for p in crowd + [forget]) or asked < 6:
        asked += 1
        f = 2 if asked % 2 else 0
        code, out, err = c.run("query", "-t", "fin", "--mode", "select", f"How much does pump P{f}x2 lift?")
        if code == 0 and "litres" not in out:
            fail(f"a question had the answer {out}")
    for p, allowed in zip(crowd, ((0,), (0,), (0, 4), (0,), (0, 4))):
        c.end(p, *allowed)
    code, _, err = c.end(forget, 0, 4)
    for _ in range(5):  # BUSY is to be tried again
        if code == 4:
            code, _, err = c.run("forget", "-t", "fin", *WAIT, gone, allowed=(0, 4))
    if code:
        fail(f"forget never got through: {err}")
    expected.discard(gone)
    c.run("compress", "-t", "fin", *WAIT)
    whole(c, expected, f"round {revision}")
    return asked


def story(base):
    c = Crowd(base)
    expected = {f"f{f}n{n}.md" for f in range(FOLDERS) for n in range(DOCS)}
    for f in range(FOLDERS):
        for n in range(DOCS):
            c.write(f, n, 0)
    c.run("init", "fin")
    together(c, expected)
    asked = sum(writers_and_readers(c, expected, r) for r in range(1, 3))
    print(f"{asked} questions asked while others wrote")


for _ in range(ROUNDS):
    with tempfile.TemporaryDirectory(prefix="takc-crowd-", dir=shm) as base:
        story(base)
sys.exit(1 if failures else 0)
