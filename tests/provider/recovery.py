#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes on in spite of faults, over HTTP: recovery.py openai|bedrock [CELL...]

Credentials that expire in the middle of a job, another model where the first fails, a model that disobeys, runs that are killed or interrupted
at random points: nothing is paid for twice that was kept, each request has its row in the ledger, and what is published is whole.
"""
import glob
import json
import random
import re
import signal
import sys
import threading

from bench import *


# --- calls side by side ---


def one_of_four(b):
    """One window is refused for good while others are under way: these end, have their rows, and are kept."""
    home = b.home("compress")
    first = {}
    b.server.restart(lambda r: "400" if r.kind == "write" and first.setdefault(0, r) is r else None)
    done = home.compress(b.model, model_parallel=4)
    need(done.code == 2 and not b.server.wrong, done.code, done.err, b.server.wrong)
    check_ids(b.server.seen, home.rows(), ())
    same(sorted({r["outcome"] for r in home.rows()}), sorted({"invalid", *(["ok"] if len(b.server.seen) > 1 else [])}), "outcomes")
    answered = [r.prompt for r in b.server.seen if r.answered]
    same(stored(b, home), set(answered), "kept replies")
    check_nothing_published(b, home, "compress")
    check_goes_on(b, home, "compress", answered)
    b.drop(home)


def interrupted(b, n_parallel):
    """Ctrl-C while calls wait for their replies: each ends with a row, and the next run goes on."""
    home = b.home("compress")
    ready, process = threading.Event(), []

    def script(r):
        if len(b.server.seen) < 3:
            return None
        if len(b.server.seen) == 3:
            ready.wait(60)
            process[0].send_signal(signal.SIGINT)
        return "hang-first"

    b.server.restart(script)
    process.append(home.start("compress", "-q", "-t", "fin", "--rates", "4,24", "--model", b.model, model_parallel=n_parallel))
    ready.set()
    same(process[0].wait(timeout=300), 130, "exit code")
    rows, seen = home.rows(), list(b.server.seen)
    ok, cancelled = ([r for r in rows if r["outcome"] == x] for x in ("ok", "cancelled"))
    same(len(ok) + len(cancelled), len(rows), "outcomes that are neither ok nor cancelled")
    need(len(seen) <= len(rows) <= len(seen) + n_parallel - 1 and cancelled, len(rows), "rows for", len(seen), "requests")  # or not sent yet
    sent = [r for r in cancelled if r["picodollars"] > 0]
    need(len(ok) + len(sent) >= len(seen), "what was under way counts for nothing:", rows)
    kept = stored(b, home)
    same(len(kept), len(ok), "kept replies")
    check_nothing_published(b, home, "compress")
    check_goes_on(b, home, "compress", sorted(kept))
    b.drop(home)


def cut_then_down(b):
    """A reply is cut, and the service is down when the rest of it is asked for: what came of it is kept, too."""
    home = b.home("compress")

    def script(fault):
        return lambda r: "length" if r.prompt == b.prompts[0] else fault if r.prompt not in b.replies else None

    b.server.restart(script("500"))
    done = home.compress(b.model)
    need(done.code == 13 and not b.server.wrong, done.code, done.err, b.server.wrong)
    same([r.prompt in b.replies for r in b.server.seen], [True] + [False] * 4, "requests: the window, then its first half")
    check_nothing_published(b, home, "compress")
    b.server.restart(script(None))
    done = home.compress(b.model)
    need(done.code == 0 and not b.server.wrong, done.code, done.err, b.server.wrong)
    need(b.prompts[0] not in [r.prompt for r in b.server.seen], "the window whose reply was cut is asked for again")
    need(written_counts(done)["splits"] > 0, "it was not asked for in halves")
    check_whole(b, home, done)
    b.drop(home)


def side_by_side(b):
    yield "cut, then down", lambda: cut_then_down(b)
    yield "side by side: one of four", lambda: one_of_four(b)
    for n in (1, 4):
        yield f"interrupted: {n} at a time", lambda n=n: interrupted(b, n)


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
    if writes:  # the chain is a part of the version's fingerprint
        need(len(b.lines) == 2, "artifacts of two rates")
        same(b.lines_of(home), b.lines, "what was written")
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
    kills = n_seen = n_answered = 0
    kept = set()
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
        n_answered += sum(r.answered for r in b.server.seen)
        need(n_seen <= len(rows) <= n_seen + (kills + 1) * n_parallel, len(rows), "rows for", n_seen, "requests")
        need(sum(r["outcome"] == "lost" for r in rows) <= (kills + 1) * n_parallel, "too many are lost")
        need(sum(r["outcome"] == "ok" for r in rows) <= n_answered, "more rows are good than requests were answered")
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


def cells(b):
    yield from side_by_side(b)
    yield from credentials(b)
    yield from fallbacks(b)
    yield from disobedience(b)
    yield from kills(b)


if __name__ == "__main__":
    sys.exit(main(cells))
