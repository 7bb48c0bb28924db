#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every class of error at every stage, over HTTP: faults.py openai|bedrock|titan [CELL...]

The program runs against a stand-in (stand_in.py) that fails by a script. For each cell of class and stage: exit code and message, how often the
service was asked, a row in the ledger for each request with its outcome, no success in JSON, nothing published that is not whole, the version
before still served; and a run without the fault asks for the rest alone and comes to the artifacts of a run that never met one, byte by byte.
"""
import socket
import sys

from bench import *
from home import QUESTION
from stand_in import RETRY_AFTER_S


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
    if behind:
        same([(r["outcome"], r["attempt"], r["output"] > 0) for r in bad], [(outcome, 0, True)], "the row of a broken stream")
    else:
        check_failed_rows(b, bad, purpose, outcome, tries, outcome in WORKED or fault in STREAM_ONLY)
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
            if fault in STREAM_ONLY and stage != "stream":
                continue
            if fault in OPENAI_ONLY and (b.p.name != "openai" or stage not in ("compress", "stream")):
                continue
            if fault != "empty" or stage in ("answer", "stream"):  # to who writes, an empty reply is one without lines
                yield f"{stage}: {fault}", lambda s=stage, f=fault: hard(b, s, f)


# --- what does not fail a run, and is told ---


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


def trickle(b):
    """Words that never end are ended: the limit of the whole holds where each wait is short."""
    home = b.home("stream")
    known = {r["id"] for r in home.rows()}
    b.fails_at("stream", "trickle")
    done = b.run(home, "stream", **HANG)
    same((done.code, len(b.server.seen)), (5, 1), "exit code and requests")
    need("not done within 1500 ms" in done.err and LATER["answer"] in done.err, done.err)
    same([(r["outcome"], r["attempt"], r["output"] > 0) for r in ledger_since(home, known)], [("timeout", 0, True)], "its row")
    b.drop(home)


def documented(b):
    """docs/models.md says of each class what the cells find."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "models.md")) as f:
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in f if line.startswith("| `")]
    said = {row[0].strip("`"): row for row in rows if len(row) == 5}
    for fault, (outcome, tries, code, _) in CLASSES.items():
        row = said.get(outcome)
        need(row and row[3].startswith(f"{code} ("), f"docs/models.md on {fault}: {row}")
        again = outcome == "timeout" or tries > 1 or fault == "429-long"
        need(row[2].startswith(("yes", "at once")) == again, f"docs/models.md on trying {fault} again: {row}")
        need(row[4].startswith("the prompt") == (outcome in WORKED), f"docs/models.md on what {fault} counts as: {row}")
    same({"cancelled", "length", "blocked", "lost"} - set(said), set(), "other outcomes in docs/models.md")


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
    yield "stream: trickle", lambda: trickle(b)
    yield "documented", lambda: documented(b)
    yield "breaker", lambda: breaker(b)
    yield "chat", lambda: chat(b)


def cells(b):
    yield from matrix(b)
    yield from soft(b)


if __name__ == "__main__":
    sys.exit(main(cells))
