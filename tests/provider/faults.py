#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every class of error at every stage, over HTTP: faults.py openai|bedrock

The program runs against a stand-in (stand_in.py) that fails by a script. For each cell of class and stage: exit code and message, how often the
service was asked, a row in the ledger for each request with its outcome, no success in JSON, nothing published that is not whole, the version
before still served; and a run without the fault asks for the rest alone and comes to the artifacts of a run that never met one, byte by byte.
"""
import glob
import json
import os
import random
import re
import shutil
import socket
import sys
import tempfile
import threading

from home import QUESTION, Home, document
from stand_in import RETRY_AFTER_S, Bedrock, OpenAI, StandIn, obedient

STATUS = {2: "INVALID", 3: "NOT_FOUND", 5: "TIMEOUT", 13: "UPSTREAM", 14: "LIMITED", 15: "DENIED"}
LATER, DOCTOR = {"write": "run it again later", "answer": "ask again later, or without a model"}, "takc doctor says who asks where"
STAGES = ("compress", "condense", "repair", "answer", "stream")
N_REQUESTS = 10  # of a whole compress: four windows, one over them, a repair each
HANG = {"model_total_ms": 1000, "model_first_token_ms": 500}

# class: outcome in the ledger, tries, exit code, what the message has; `worked`: it may have been worked on, and is counted as that
CLASSES = {
    "429": ("throttled", 4, 14, "HTTP 429"), "429-after": ("throttled", 4, 14, "HTTP 429"),
    "429-long": ("throttled", 1, 14, "it asks to wait 3600 s"), "503": ("overloaded", 4, 13, "HTTP 503"),
    "529": ("overloaded", 4, 13, "HTTP"), "500": ("server", 4, 13, "HTTP 500"), "error": ("server", 4, 13, "HTTP 500"),
    "401": ("denied", 1, 15, "HTTP 40"), "403": ("denied", 1, 15, "HTTP 403"), "404": ("no_model", 1, 3, "HTTP 404"),
    "long": ("too_long", 1, 2, "HTTP 400"), "400": ("invalid", 1, 2, "HTTP 400"), "parameter-always": ("parameter", 2, 2, "emperature"),
    "reset": ("connection", 4, 13, "127.0.0.1"), "reset-first": ("connection", 4, 13, "127.0.0.1"),
    "empty": ("garbled", 4, 13, "the model said nothing"), "hang": ("timeout", 1, 5, "127.0.0.1"), "hang-first": ("timeout", 1, 5, "127.0.0.1"), "garbled": ("garbled", 4, 13, "no JSON"),
}
WORKED = ("connection", "timeout", "garbled")
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
        self.whole = self.texts_of(self.written)

    def texts_of(self, home):
        """What was written, without what was counted on the way."""
        return {k: v for k, v in home.artifacts().items() if not k.endswith("ledger.json")}

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


def check_failed_rows(b, rows, purpose, outcome, tries):
    same(sorted(r["attempt"] for r in rows), [0] * tries if outcome == "parameter" else list(range(tries)), "tries of the failed rows")
    for r in rows:
        same((r["purpose"], r["outcome"], r["provider"], r["model"], r["task"], r["fallback"], r["priced"]),
             (purpose, outcome, b.p.name, b.p.model, "fin", 0, 1), "a failed row")
        worked = outcome in WORKED
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


def hard(b, stage, fault):
    """A class that fails the run."""
    outcome, tries, code, words = CLASSES[fault]
    behind = stage == "stream" and fault in BEHIND_FIRST_WORDS
    if behind:
        tries, words = 1, "the stream broke behind its first words"
    purpose, settings = "answer" if stage == "stream" else stage, {}
    if outcome == "timeout":  # a wait each: tried again at one stage only
        tries += not behind and stage in ("compress", "stream")
        settings = HANG | {"model_retries": tries - 1}
    home = b.home(stage)
    known = {r["id"] for r in home.rows()}
    b.fails_at(stage, fault.removesuffix("-always"))
    done = b.run(home, stage, **settings)
    seen, rows = b.server.seen, ledger_since(home, known)
    same(b.server.wrong, [], "requests that are wrong")
    hit = [r for r in seen if b.stage(r) == stage]
    same(len(hit), tries, "requests at the stage")
    if fault in ("429-after", "503"):
        need(all(y.at - x.at >= RETRY_AFTER_S for x, y in zip(hit, hit[1:])), "it was not waited as long as was asked for")
    check_message(b, done, stage, code, words, outcome, tries)
    if fault in ("reset-first", "hang-first"):
        need("request req-" not in done.err, "an id that nobody gave:", done.err)
    else:
        need(f"request {hit[-1].id}:" in done.err, "the message lacks the request's id:", done.err)
    bad = [r for r in rows if r["outcome"] != "ok"]
    check_failed_rows(b, bad, purpose, "server" if behind and fault == "error" else outcome, tries) if not behind else same(
        [(r["outcome"], r["attempt"], r["output"] > 0) for r in bad], [(outcome, 0, True)], "the row of a broken stream")
    check_ok_rows(b, [r for r in rows if r["outcome"] == "ok"])
    check_ids(seen, rows, hit if fault in ("reset-first", "hang-first") else ())
    check_usage(home, home.rows())
    same(done.out.startswith("Revenue rose "), behind, "words of a broken stream")
    check_nothing_published(b, home, stage)
    check_goes_on(b, home, stage, [r.prompt for r in seen if r.answered])
    b.drop(home)


def matrix(b):
    for stage in STAGES:
        for fault in CLASSES:
            if fault != "empty" or stage in ("answer", "stream"):  # to who writes, an empty reply is one without lines
                yield f"{stage}: {fault}", lambda s=stage, f=fault: hard(b, s, f)


# --- what does not fail a run, and is told ---


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


def soft_write(b, stage, fault, outcome, counts):
    home = b.home(stage)
    b.fails_at(stage, fault)
    done = b.run(home, stage)
    need(done.code == 0 and not b.server.wrong, "exit code", done.code, done.err, b.server.wrong)
    hit = [r for r in b.server.seen if b.stage(r) == stage]
    rows = home.rows()
    same(sorted(r["outcome"] for r in rows if r["outcome"] != "ok"), [outcome] * (len(hit) if outcome != "ok" else 0), "outcomes")
    check_ids(b.server.seen, rows, ())
    got = written_counts(done)
    for name in counts:
        n = got[name]
        need(n == len(hit) if name.startswith("windows") else n > 0, f"{name} is {n}, {len(hit)} were hit")
    same(got["calls"], len(b.server.seen), "calls in the ledger of the version")
    check_whole(b, home, done)
    need(home.artifacts() != b.written.artifacts(), "nothing tells that the model's words are missing")
    n = len(b.server.seen)
    again = b.run(home, stage)
    same((again.code, again.json["changed"], len(b.server.seen)), (0, False, n), "the same run again")
    b.drop(home)


def soft_answer(b, stage, fault, outcome, member):
    home = b.home(stage)
    known = {r["id"] for r in home.rows()}
    b.fails_at(stage, fault)
    done = b.run(home, stage)
    need(done.code == 0 and not b.server.wrong, "exit code", done.code, done.err, b.server.wrong)
    same([r["outcome"] for r in ledger_since(home, known)], [outcome], "outcomes")
    if stage == "answer":
        said = done.json
        same(said["metadata"]["answer"][member], True, member)
        same(said["metadata"]["answer"]["request_id"], b.server.seen[0].id, "the request's id")
        same(said["citations"], [], "citations of what is no answer")
    else:
        need({"blocked": "blocked: a guardrail or content filter spoke", "cut": "the answer is cut at its limit"}[member] in done.out, done.out)
    b.drop(home)


def parameter(b, stage):
    """Left out from then on, once for all calls of a run, and said; the outcome is another matter only for who reads the notes."""
    home = b.home(stage)
    known = {r["id"] for r in home.rows()}
    b.server.restart(lambda r: "parameter" if b.stage(r) == stage and r.headers["temperature"] is not None else None)
    done = b.run(home, stage)
    need(done.code == 0 and not b.server.wrong, "exit code", done.code, done.err, b.server.wrong)
    rows, writes = ledger_since(home, known), stage not in ("answer", "stream")
    same(sorted(r["outcome"] for r in rows), ["ok"] * (N_REQUESTS if writes else 1) + ["parameter"], "outcomes")
    check_ids(b.server.seen, rows, ())
    need(all(r.headers["temperature"] is None for r in b.server.seen[1 + [r.answered for r in b.server.seen].index(False):]), "sent again")
    need("temperature was refused" in done.err + done.out, "it is not said:", done.err)
    if writes:
        same(b.texts_of(home), b.whole, "what was written")
    b.drop(home)


def unreachable(b, stage):
    """Nobody listens."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        home = b.home(stage)
        usual, home.environment = home.environment, home.environment | b.p.settings(port, b.folder)
        known = {r["id"] for r in home.rows()}
        b.server.restart()
        done = b.run(home, stage)
        same(b.server.seen, [], "requests of somebody else")
        check_message(b, done, stage, 13, str(port), "connection", 4)
        rows = ledger_since(home, known)
        same([(r["outcome"], r["input"], r["picodollars"], r["request_id"]) for r in rows], [("connection", 0, 0, "")] * 4, "its rows")
        home.environment = usual
        check_nothing_published(b, home, stage)
        check_goes_on(b, home, stage, [])
    b.drop(home)


def breaker(b):
    """With calls side by side, a service that is down is left alone after five failures; those under way may still come."""
    home = b.home("compress")
    b.fails_at("compress", "500")
    done = home.compress(b.model, model_parallel=4)
    n = len(b.server.seen)
    need(done.code == 13 and 4 <= n <= 8, "a service that is down was asked", n, "times:", done.err)
    same(sorted(r["outcome"] for r in home.rows()), ["server"] * n, "outcomes")
    check_ids(b.server.seen, home.rows(), ())
    check_nothing_published(b, home, "compress")
    check_goes_on(b, home, "compress", [])
    b.drop(home)


def chat(b):
    """The turn that fails ends a script's chat; what was said before stands."""
    home = b.home("answer")
    b.server.restart(lambda r: "500" if "Which" in r.prompt and len(b.server.seen) > 1 else None)
    done = home.run("chat", "-q", "-t", "fin", "--mode", "select", "--model", b.model, text=f"{QUESTION}\n{QUESTION}\n{QUESTION}\n")
    same((done.code, len(b.server.seen), b.server.wrong), (13, 5, []), "exit code and requests of a chat")
    same(done.out.count("Oslo rose by 61 percent in May 2021, since the yard was repaired. [1]"), 1, "answers of a chat")
    need("HTTP 500" in done.err and LATER["answer"] in done.err, done.err)
    b.drop(home)


def soft(b):
    for stage in ("compress", "condense"):
        yield f"{stage}: empty", lambda s=stage: soft_write(b, s, "empty", "ok", ["windows_empty"])
        yield f"{stage}: blocked", lambda s=stage: soft_write(b, s, "blocked", "blocked", ["windows_blocked"])
        yield f"{stage}: length", lambda s=stage: soft_write(b, s, "length", "length", ["splits"])
    yield "repair: empty", lambda: soft_write(b, "repair", "empty", "ok", ["lines_replaced"])
    yield "repair: blocked", lambda: soft_write(b, "repair", "blocked", "blocked", ["lines_replaced"])
    yield "repair: length", lambda: soft_write(b, "repair", "length", "length", ["lines_replaced"])
    for stage in ("answer", "stream"):
        yield f"{stage}: blocked", lambda s=stage: soft_answer(b, s, "blocked", "blocked", "blocked")
        yield f"{stage}: length", lambda s=stage: soft_answer(b, s, "length", "length", "cut")
    if b.p.name == "openai":
        yield "answer: filter", lambda: soft_answer(b, "answer", "filter", "blocked", "blocked")
    for stage in STAGES:
        yield f"{stage}: parameter", lambda s=stage: parameter(b, s)
        yield f"{stage}: unreachable", lambda s=stage: unreachable(b, s)
    yield "breaker", lambda: breaker(b)
    yield "chat", lambda: chat(b)


# --- another model where the first fails ---


def falls_back(b, stage, fault):
    """stage None: the first model is dead altogether."""
    outcome = CLASSES[fault][0]
    home = b.home(stage or "compress")
    known = {r["id"] for r in home.rows()}
    b.server.restart(lambda r: fault if r.headers["model"] == b.p.model and stage in (None, b.stage(r)) else None)
    settings = HANG if fault.startswith("hang") else {}
    done = b.run(home, stage or "compress", model_retries=1, model_fallbacks=f"{b.p.name}:{b.p.other}", **settings)
    need(done.code == 0 and not b.server.wrong, done.code, done.err, b.server.wrong)
    rows, writes = ledger_since(home, known), stage not in ("answer", "stream")
    bad, others = [r for r in rows if r["outcome"] != "ok"], [r for r in rows if r["fallback"]]
    hit = [r for r in b.server.seen if r.headers["model"] == b.p.model and stage in (None, b.stage(r))]
    calls = {None: N_REQUESTS, "compress": 4, "repair": 5}.get(stage, 1)
    tries = 2 if outcome in ("throttled", "server", "connection", "garbled", "timeout") else 1
    same(len(hit), 5 if stage is None and outcome != "throttled" and tries == 2 else tries * calls, "requests to the first model")
    same([(r["outcome"], r["fallback"], r["model"]) for r in bad], [(outcome, 0, b.p.model)] * len(hit), "rows of the first model")
    same([(r["outcome"], r["model"], r["picodollars"] > 0) for r in others], [("ok", b.p.other, True)] * calls, "rows of the other")
    check_ids(b.server.seen, rows, hit if fault in ("reset-first", "hang-first") else ())
    need(f"fallback to {b.p.name} {b.p.other}: {b.p.name} {b.p.model}: " in done.err, "it is not said:", done.err)
    if writes:
        same(b.texts_of(home), b.whole, "what was written")
        need(any(r["generated"]["fallback"] for r in done.json["rates"]), "the version's ledger does not name a fallback")
        check_whole(b, home, done)
    elif stage == "answer":
        said = done.json["metadata"]
        same((said["answer"]["fallback"], said["answer"]["provider"], said["answer"]["tries"]), (True, b.p.name, tries + 1), "the answer's JSON")
        need("fallback to" in said["notes"], "the notes:", said["notes"])
    else:
        need("fallback to" in done.out and "[1]" in done.out, done.out)
    b.drop(home)


def both_fail(b, stage):
    home = b.home(stage)
    known = {r["id"] for r in home.rows()}
    b.server.restart(lambda r: None if b.stage(r) != stage else "500" if r.headers["model"] == b.p.model else "401")
    done = b.run(home, stage, model_fallbacks=f"{b.p.name}:{b.p.other}")
    rows = ledger_since(home, known)
    same(done.code, 15, "the last model's exit code")
    need(f"{b.p.name} {b.p.other}: request" in done.err and "HTTP 500" in done.err and DOCTOR in done.err, done.err)
    same(sorted((r["outcome"], r["fallback"]) for r in rows if r["outcome"] != "ok"), [("denied", 1)] + [("server", 0)] * 4, "outcomes")
    check_ids(b.server.seen, rows, ())
    check_nothing_published(b, home, stage)
    check_goes_on(b, home, stage, [r.prompt for r in b.server.seen if r.answered])
    b.drop(home)


def no_second_voice(b, fault):
    """Once words were shown nobody else goes on with them."""
    home = b.home("stream")
    b.fails_at("stream", fault)
    done = b.run(home, "stream", model_fallbacks=f"{b.p.name}:{b.p.other}")
    same((done.code, len(b.server.seen), done.out), (13, 1, "Revenue rose \n"), "a broken stream")
    b.drop(home)


def fallbacks(b):
    for fault in ("500", "429", "401", "404", "long", "400", "reset-first", "garbled"):
        for stage in ("compress", "answer"):
            yield f"fallback: {stage}: {fault}", lambda s=stage, f=fault: falls_back(b, s, f)
    for stage in ("condense", "repair", "stream", None):
        yield f"fallback: {stage or 'all'}: 500", lambda s=stage: falls_back(b, s, "500")
        yield f"fallback: {stage or 'all'}: 404", lambda s=stage: falls_back(b, s, "404")
    yield "fallback: stream: hang-first", lambda: falls_back(b, "stream", "hang-first")
    for stage in STAGES:
        yield f"fallback: {stage}: both", lambda s=stage: both_fail(b, s)
    for fault in ("reset", "garbled", "error"):
        yield f"fallback: stream: {fault}", lambda f=fault: no_second_voice(b, f)


# --- a model that disobeys ---


def items(r):
    return re.findall(r"^\[(\d+)\] (.*)$", r.prompt + "\n" + r.system, re.M)


DISOBEDIENT = {
    "too long": lambda r, text: ("".join(f"{t} [{n}]\n" for n, t in items(r) * 3),),
    "refuses": lambda r, text: ("I'm sorry, but I can't help with that request.",),
    "prose": lambda r, text: (f"The documents tell of ports. {items(r)[0][1]} There is more, but this is what matters.",),
    "invents": lambda r, text: ("".join(f"Output of Oslo fell by 98765 percent. [{n}]\n" for n, _ in items(r)[:9]),),
    "repeats": lambda r, text: (r.prompt,),
    "wrong marks": lambda r, text: ("".join(f"{t} [9{n}99]\n" for n, t in items(r)[:9]),),
    "swaps": lambda r, text: ("".join(f"{items(r)[i - 1][1]} [{n}]\n" for i, (n, _) in enumerate(items(r)[:9])),),
    "odd bytes": lambda r, text: ("\0\u202e\ufeff\x1b[31m" + "\u0301" * 500 + "[1]\n" * 40 + "[[[[1]]]] [-1] [1,1,1,1] [18446744073709551617]",),
}


def disobeys(b, manner):
    home = b.home("compress")
    b.server.restart(lambda r: DISOBEDIENT[manner])
    done = home.compress(b.model)
    need(done.code == 0 and not b.server.wrong, done.code, done.err, b.server.wrong)
    check_ids(b.server.seen, home.rows(), ())
    check_ok_rows(b, home.rows())
    check_whole(b, home, done)
    got = written_counts(done)
    same(got["calls"], len(b.server.seen), "calls in the ledger of the version")
    lost = got["lines_dropped"] + got["lines_replaced"] + got["windows_empty"]
    need(got["lines_extract"] if manner not in ("too long", "repeats") else got["lines_kept"] + got["lines_extract"], "nothing is in it", got)
    need(lost or manner == "too long", "what was lost is not counted", got)
    for key in home.artifacts():
        with open(f"{home.path}/home/{key}", "rb") as f:
            text = f.read()
        need(not any(x in text for x in (b"98765", b"I'm sorry", b"tell of ports", b"Condense the", b"\x1b")), manner, "is in", key)
    known = {r["id"] for r in home.rows()}
    asked = home.query(b.model, "--json")
    need(asked.code == 0 and not b.server.wrong, asked.code, asked.err, b.server.wrong)
    same([r["outcome"] for r in ledger_since(home, known)], ["ok"], "rows of the question")
    said = asked.json["metadata"]["answer"]
    if manner == "invents":
        need(said["unsupported_facts"], "an invented number is not told:", asked.out)
    if manner in ("refuses", "prose", "wrong marks"):
        same(asked.json["citations"], [], "citations of what cites nothing")
    same(said["unresolved_marks"] != [], manner in ("wrong marks", "odd bytes"), f"marks that lead nowhere ({said})")
    need("\x1b" not in home.query(b.model).out, "a terminal's escape is printed")
    b.drop(home)


def disobedience(b):
    for manner in DISOBEDIENT:
        yield f"disobeys: {manner}", lambda m=manner: disobeys(b, m)


# --- killed at random ---


def stored(b, home):
    """The prompts whose replies are kept."""
    found = set()
    for path in glob.glob(home.path + "/home/replies/**/*.txt", recursive=True):
        with open(path) as f:
            found.add(f.read())
    return {p for p, text in b.replies.items() if text in found}


class Killer:
    """Kills the program when it asks for the k-th time, before the reply or behind it, or anywhere: so many seconds after its start."""

    def __init__(self, b, home, k, where, n_parallel, after_s):
        self.k, self.where = k, where
        b.server.restart(self.script)
        b.server.behind = self.behind
        self.b, self.ready, self.asked = b, threading.Event(), None
        self.process = home.start("compress", "-q", "-t", "fin", "--rates", "4,24", "--model", b.model, model_parallel=n_parallel)
        self.ready.set()
        timer = threading.Timer(after_s, self.process.kill)
        if where == "anywhere":
            timer.start()
        self.code = self.process.wait(timeout=300)
        timer.cancel()
        b.server.behind = lambda r: None

    def kill(self):
        self.ready.wait(60)
        self.process.kill()

    def script(self, r):
        if self.where not in ("before", "behind") or len(self.b.server.seen) != self.k:
            return None
        self.asked = r
        if self.where == "before":
            self.kill()
            return "hang-first"
        return None

    def behind(self, r):
        if r is self.asked and self.where == "behind":
            self.kill()


def killed(b, n_parallel, seed):
    dice = random.Random(seed)
    home = b.home("compress")
    kills = n_seen = 0
    kept, known = set(), 0
    while True:
        left = N_REQUESTS - len(kept)
        where = dice.choice(("before", "behind")) if kills < 3 else "anywhere" if kills < 8 else "nowhere"
        run = Killer(b, home, dice.randint(1, max(1, min(3, left))), where, n_parallel, dice.random() * 0.15)
        asked = [r.prompt for r in b.server.seen]
        need(not b.server.wrong, b.server.wrong)
        same(len(set(asked)), len(asked), "prompts that one run asked twice")
        same(kept & set(asked), set(), "kept replies that were asked for again")
        n_seen += len(asked)
        rows = home.rows()
        named = {r["request_id"] for r in rows if r["request_id"]}
        need(n_seen <= len(rows) <= n_seen + (kills + 1) * n_parallel, len(rows), "rows for", n_seen, "requests")
        need(sum(r["outcome"] == "lost" for r in rows) <= (kills + 1) * n_parallel, "too many are lost")
        same({r["outcome"] for r in rows} - {"ok", "lost"}, set(), "other outcomes")
        need(all(r["picodollars"] > 0 for r in rows if r["outcome"] == "lost"), "what is lost counts for nothing")
        now = stored(b, home)
        need(kept <= now, "kept replies are gone")
        need(len(asked) - len(now - kept) <= n_parallel, "replies that came were not kept:", len(asked), len(now - kept))
        kept = now
        if run.code == 0:
            break
        same(run.code, -9, "exit code of a run that was killed")
        kills += 1
        if len(kept) < N_REQUESTS or home.versions() == [("1", True)]:  # else it was fast enough to publish all that it had
            check_nothing_published(b, home, "compress")
    same((len(kept), b.texts_of(home)), (N_REQUESTS, b.whole), "what the runs wrote")
    same(home.versions(), [("1", False), ("2", True)], "versions")
    said = home.run("usage", "--json").json["sum"]
    rows = home.rows()
    same((said["calls"], said["lost"], said["failed"]), (len(rows), sum(r["outcome"] == "lost" for r in rows), 0), "takc usage")
    need(kills >= 3, "only", kills, "kills")
    same(home.run("verify", "-t", "fin").code, 0, "verify")
    b.drop(home)


def kills(b):
    for n in (1, 4):
        for seed in range(2):
            yield f"killed: {n} at a time, {seed}", lambda n=n, s=seed: killed(b, n, s)


# --- credentials that expire in the middle of a job ---

NEW = ("AKNEW", "qqsecret/new", "qqsecret-new")


def keys_json(access, secret, token):
    return json.dumps({"Version": 1, "AccessKeyId": access, "SecretAccessKey": secret, "SessionToken": token, "Expiration": "2099-01-01T00:00:00Z"})


def with_process(b, home, second):
    """A profile whose process gives the usual keys at first, and from then on what `second` prints."""
    with open(home.path + "/keys.sh", "w") as f:
        f.write(f"echo asked >>{home.path}/asked\n"
                f"if [ $(wc -l <{home.path}/asked) = 1 ]; then echo '{keys_json('AKTEST', *b.p.fake.KEYS['AKTEST'])}'; exit 0; fi\n{second}\n")
    with open(home.path + "/aws", "w") as f:
        f.write(f"[default]\nregion = us-east-1\ncredential_process = sh {home.path}/keys.sh\n")
    keep = {k: v for k, v in home.environment.items() if not k.startswith("AWS_")}
    home.environment = keep | {"AWS_CONFIG_FILE": home.path + "/aws", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"}
    b.p.fake.KEYS[NEW[0]] = NEW[1:]


def expires_after(b, n, which=("qqsecret-token",)):
    """The keys with these tokens are refused once n requests were answered."""
    b.server.restart(lambda r: "expired" if r.headers["token"] in which and sum(x.answered for x in b.server.seen) >= n else None)


def asked_process(home):
    with open(home.path + "/asked") as f:
        return len(f.readlines())


def keys_are_renewed(b, n_parallel):
    home = b.home("compress")
    with_process(b, home, f"echo '{keys_json(*NEW)}'")
    expires_after(b, 3)
    done = home.compress(b.model, model_parallel=n_parallel)
    need(done.code == 0 and not b.server.wrong, done.code, done.err, b.server.wrong)
    good = [r for r in b.server.seen if r.answered]
    refused = len(b.server.seen) - len(good)
    need(1 <= refused <= n_parallel, "refused", refused, "times")
    same({r.headers["token"] for r in b.server.seen[-5:]}, {NEW[2]}, "keys at the end")
    same(asked_process(home), 2, "how often the process was asked")
    check_ids(good, home.rows(), ())
    check_ok_rows(b, home.rows())
    same(b.texts_of(home), b.whole, "what was written")
    b.drop(home)


def keys_run_out(b, second, words):
    """No good keys are to be had: the run ends, and what was done stays."""
    home = b.home("compress")
    with_process(b, home, second)
    expires_after(b, 3, ("qqsecret-token", NEW[2]))
    done = home.compress(b.model)
    need(done.code == 15 and not b.server.wrong, done.code, done.err, b.server.wrong)
    for text in (words, DOCTOR, b.p.model):
        need(text in done.err, f"the message lacks {text!r}: {done.err}")
    need("qqsecret" not in done.err + done.out, "a secret is shown:", done.err)
    same(done.json["error"]["details"]["status"], "DENIED", "status")
    same(sorted(r["outcome"] for r in home.rows()), ["denied"] + ["ok"] * 3, "outcomes")
    check_nothing_published(b, home, "compress")
    answered = [r.prompt for r in b.server.seen if r.answered]
    same(len(answered), 3, "requests that were answered")
    home.environment = b.before.environment
    check_goes_on(b, home, "compress", answered)
    b.drop(home)


def keys_run_out_for_a_question(b):
    home = b.home("answer")
    with_process(b, home, f"echo '{keys_json(*NEW)}'")
    expires_after(b, 0, ("qqsecret-token", NEW[2]))
    done = home.query(b.model, "--json")
    same((done.code, len(b.server.seen)), (15, 2), "exit code and requests")
    need("ExpiredToken" in done.err and DOCTOR in done.err, done.err)
    expires_after(b, 0)
    done = home.query(b.model, "--json")
    same((done.code, len(b.server.seen)), (0, 2 if asked_process(home) == 1 else 1), "exit code and requests with keys that are good")
    b.drop(home)


def credentials(b):
    if b.p.name != "bedrock":
        return
    for n in (1, 4):
        yield f"keys: renewed, {n} at a time", lambda n=n: keys_are_renewed(b, n)
    yield "keys: expired for good", lambda: keys_run_out(b, f"echo '{keys_json(*NEW)}'", "ExpiredToken")
    yield "keys: no new ones", lambda: keys_run_out(b, "echo no session >&2; exit 3", "credential_process")
    yield "keys: expired for a question", lambda: keys_run_out_for_a_question(b)


def cells(b):
    yield from matrix(b)
    yield from soft(b)
    yield from credentials(b)
    yield from fallbacks(b)
    yield from disobedience(b)
    yield from kills(b)


def main():
    provider = {"openai": OpenAI, "bedrock": Bedrock}[sys.argv[1]]()
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
    print(f"{n} cells of {provider.name}")
    return 0 if n else 1


if __name__ == "__main__":
    sys.exit(main())
