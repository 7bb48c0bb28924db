# SPDX-License-Identifier: Apache-2.0
"""What cells of faults.py and recovery.py share: classes of error and what they come to, a stand-in with homes, and what is looked at.

A cell is one way to fail at one stage. It says what is wrong by need() and same().
"""
import glob
import json
import os
import shutil
import sys
import tempfile

from home import Home, document
from stand_in import Bedrock, OpenAI, StandIn, Titan, obedient

STATUS = {2: "INVALID", 3: "NOT_FOUND", 5: "TIMEOUT", 13: "UPSTREAM", 14: "LIMITED", 15: "DENIED", 17: "NO_MODEL"}
LATER, DOCTOR = {"write": "run it again later", "answer": "ask again later, or without a model"}, "takc doctor says who asks where"
STAGES = ("compress", "condense", "repair", "answer", "stream")
N_REQUESTS = 10  # of a whole compress: four windows, one over them, a repair each
HANG = {"model_total_ms": 1500, "model_first_token_ms": 700}

# class: outcome in the ledger, tries, exit code, what the message has
CLASSES = {
    "429": ("throttled", 4, 14, "HTTP 429"), "429-after": ("throttled", 4, 14, "HTTP 429"),
    "429-long": ("throttled", 1, 14, "it asks to wait 3600 s"), "503": ("overloaded", 4, 13, "HTTP 503"),
    "529": ("overloaded", 4, 13, "HTTP"), "500": ("server", 4, 13, "HTTP 500"), "error": ("server", 4, 13, "HTTP 500"),
    "401": ("denied", 1, 15, "HTTP 40"), "403": ("denied", 1, 15, "HTTP 403"), "404": ("no_model", 1, 17, "HTTP 404"),
    "long": ("too_long", 1, 2, "HTTP 400"), "400": ("invalid", 1, 2, "HTTP 400"), "parameter-always": ("parameter", 2, 2, "emperature"),
    "reset": ("connection", 4, 13, "127.0.0.1"), "reset-first": ("connection", 4, 13, "127.0.0.1"),
    "hang": ("timeout", 1, 5, "127.0.0.1"), "hang-first": ("timeout", 1, 5, "127.0.0.1"),
    "garbled": ("garbled", 4, 13, "no JSON"), "empty": ("garbled", 4, 13, "the model said nothing"),
    "quota": ("denied", 1, 15, "HTTP 429"), "proxy": ("server", 4, 13, "HTTP 502"), "moved": ("invalid", 1, 2, "it points elsewhere"),
    "error-first": ("server", 4, 13, "in the stream"), "garbled-first": ("garbled", 4, 13, ""),
}
STREAM_ONLY = ("error-first", "garbled-first")
OPENAI_ONLY = ("quota", "proxy", "moved")
WORKED = ("connection", "timeout", "garbled")  # outcomes of what may have been worked on: it is counted as that
BEHIND_FIRST_WORDS = ("reset", "hang", "garbled", "error")  # in a stream


class Failed(Exception):
    pass


def need(good, *what):
    if not good:
        raise Failed(" ".join(str(w) for w in what))


def same(got, want, what):
    need(got == want, f"{what}: {got!r} instead of {want!r}")


class Bench:
    """A stand-in, a home with an extractive version and a document that waits, and one where the model wrote without a fault."""

    def __init__(self, provider, folder):
        self.p, self.folder, self.n = provider, folder, 0
        self.server = StandIn(provider)
        self.model = f"{provider.name}:{provider.model}"
        os.mkdir(folder + "/before")
        self.before = Home(folder + "/before", provider.settings(self.server.port, folder))
        same(self.before.run("init", "-q", "fin").code, 0, "init")
        self.before.ingest("1.txt", document(1, 60))
        same(self.before.run("compress", "-q", "-t", "fin", "--rates", "4,24").code, 0, "the first version")
        self.first = self.before.artifacts()
        self.before.ingest("2.txt", document(2, 60))
        self.written = self.before.copy(folder + "/written")
        done = self.written.compress(self.model)
        need(done.code == 0 and not self.server.wrong, "a run without faults:", done.err, self.server.wrong)
        self.replies = {r.prompt: obedient(r) for r in self.server.seen}
        same(len(set(self.replies.values())), N_REQUESTS, "replies that differ")
        self.prompts = [r.prompt for r in self.server.seen]
        same(len(self.prompts), N_REQUESTS, "requests of a run without faults")
        same(sorted({r["outcome"] for r in self.written.rows()}), ["ok"], "its outcomes")
        same(sum(r["purpose"] == "condense" for r in self.written.rows()), 1, "its condensed windows")
        self.last_write = [r.prompt for r in self.server.seen if r.kind == "write"][-1]
        self.whole, self.lines = self.texts_of(self.written), self.lines_of(self.written)

    def texts_of(self, home):
        """What was written, without what was counted on the way."""
        return {k: v for k, v in home.artifacts().items() if not k.endswith("ledger.json")}

    def lines_of(self, home):
        """The artifacts' segments alone: whose key they were asked for under is no part of these."""
        out = {}
        for path in sorted(glob.glob(os.path.join(home.path, "home/artifacts/fin/v2/*x.json"))):
            with open(path, encoding="utf-8") as f:
                out[os.path.basename(path)] = json.load(f)["segments"]
        return out

    def stage(self, r):
        if r.kind == "write":
            return "condense" if r.prompt == self.last_write else "compress"
        return "stream" if r.stream else r.kind

    def home(self, stage):
        self.n += 1
        return (self.written if stage in ("answer", "stream") else self.before).copy(f"{self.folder}/{self.n}")

    def fails_at(self, stage, fault):
        self.server.restart(lambda r: fault if self.stage(r) == stage else None)

    def run(self, home, stage, **settings):
        if stage in ("answer", "stream"):
            return home.query(self.model, "--json" if stage == "answer" else "--stream", **settings)
        return home.compress(self.model, **settings)

    def drop(self, home):
        shutil.rmtree(home.path)


def ledger_since(home, known):
    return [r for r in home.rows() if r["id"] not in known]


def check_ok_rows(b, rows):
    for r in rows:
        money = b.p.usage[0] * b.p.prices[0] + b.p.usage[1] * b.p.prices[1]
        same((r["outcome"], r["input"], r["output"], r["picodollars"], r["counted_here"]), ("ok", *b.p.usage, money, 0), "a good row")


def check_failed_rows(b, rows, purpose, outcome, tries, worked):
    same(sorted(r["attempt"] for r in rows), [0] * tries if outcome == "parameter" else list(range(tries)), "tries of the failed rows")
    for r in rows:
        same((r["purpose"], r["outcome"], r["provider"], r["model"], r["task"], r["fallback"], r["priced"]),
             (purpose, outcome, b.p.name, b.p.model, "fin", 0, 1), "a failed row")
        need((r["input"] > 0) == worked and (r["picodollars"] > 0) == worked, "what a failed row counts:", r)


def check_ids(seen, rows, headless):
    """Each request has its row: by its id, where its reply had a head."""
    ids = [r["request_id"] for r in rows]
    same(len(rows), len(seen), "rows for the requests that came")
    same(sorted(i for i in ids if i), sorted(r.id for r in seen if r not in headless), "requests that rows name")


def check_usage(home, rows):
    said = home.run("usage", "--json").json["sum"]
    failed = sum(r["outcome"] not in ("ok", "length", "blocked", "lost") for r in rows)
    same((said["calls"], said["failed"], said["lost"], said["picodollars"]),
         (len(rows), failed, 0, sum(r["picodollars"] for r in rows)), "takc usage")


def check_message(b, done, stage, code, words, outcome, n):
    same(done.code, code, f"exit code ({done.err.strip()})")
    kind = "answer" if stage in ("answer", "stream") else "write"
    again = outcome in ("throttled", "overloaded", "server", "connection", "timeout", "garbled")
    step = LATER[kind] if again else DOCTOR if outcome in ("denied", "no_model") else "examples" if kind == "write" else "smaller reader"
    for text in (b.p.name + " " + b.p.model, words, f"after {n} tries" if n > 1 and again else "", step if outcome != "invalid" else ""):
        need(text in done.err or outcome == "parameter" and text == step, f"the message lacks {text!r}: {done.err}")
    need(b.p.name == "bedrock" or b.p.fake.KEY not in done.err + done.out, "the key is shown")
    if stage == "stream":
        return
    said = done.json
    same((set(said), said["error"]["details"]["status"]), ({"error", "request_id", "timestamp"}, STATUS[code]), "the JSON of a failure")


def check_nothing_published(b, home, stage):
    if stage in ("answer", "stream"):
        same(b.texts_of(home), b.whole, "artifacts behind a failed question")
        return
    same(home.versions(), [("1", True)], "versions behind a failed run")
    same({k: v for k, v in home.artifacts().items() if k in b.first}, b.first, "the version before")
    served = home.query("none", "--json")
    need(served.code == 0 and served.json["version"] == "1", "the version before is not served:", served.err)


def check_goes_on(b, home, stage, answered):
    """Without the fault: what is left is asked for, what was answered is not, and nothing tells that anything ever failed."""
    b.server.restart()
    done = b.run(home, stage)
    need(done.code == 0 and not b.server.wrong, "the run behind it:", done.code, done.err, b.server.wrong)
    asked = [r.prompt for r in b.server.seen]
    if stage in ("answer", "stream"):
        same(len(asked), 1, "requests of the question behind it")
        need("Oslo rose by 61 percent" in done.out, "the answer behind it:", done.out)
        return
    same(sorted(asked + answered), sorted(b.prompts), "prompts of both runs")
    same(b.texts_of(home), b.whole, "what both runs wrote")


def written_counts(done):
    """The ledger's counts of all rates, summed."""
    rows = [r["generated"] for r in done.json["rates"]]
    return {k: sum(r[k] for r in rows) for k in rows[0] if isinstance(rows[0][k], int)}


def check_whole(b, home, done):
    """The budgets hold, and verify finds every line's proof."""
    for r in done.json["rates"]:
        need(r["artifact_tokens"] <= r["budget_tokens"], "over the budget:", r)
    proved = home.run("verify", "-t", "fin")
    same(proved.code, 0, f"verify ({proved.out} {proved.err})")


# --- running cells ---


def main(cells):
    provider = {"openai": OpenAI, "bedrock": Bedrock, "titan": Titan}[sys.argv[1]]()
    only, n = sys.argv[2:], 0
    folder = tempfile.mkdtemp(dir=None if "TMPDIR" in os.environ or not os.access("/dev/shm", os.W_OK) else "/dev/shm")  # homes sync a lot
    try:
        b = Bench(provider, folder)
        for name, cell in cells(b):
            if only and not any(o in name for o in only):
                continue
            try:
                cell()
            except Failed as why:
                print(f"FAILED: {name}: {why}")
                return 1
            n += 1
    finally:
        shutil.rmtree(folder)
    print(f"{n} cells of {sys.argv[1]}")
    return 0 if n else 1
