# SPDX-License-Identifier: Apache-2.0
"""A document goes through every feature of the server and is forgotten; then no byte of the home has its sentence. Who forgets does not
look into the homes of tenants, and a task that is made again is another one for caches. Standard library only."""
import fcntl
import os
import shutil
import sys
import tempfile
import threading
import time

import live
from live import check

CANARY = "The vault of Lugano opens at noon with the copper token of Bertha"
EXAMPLE = "The cellar of Chur is opened by the silver token of Anton."  # a version keeps what it was made with, the queue does not
OTHER = "The reserve pump of Basel stands in hall 4. " * 30
ADMIN = "query,ingest,admin"


def places(home, text):
    """Files below home that hold it."""
    found = []
    for folder, _, names in os.walk(home):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                if text.encode() in f.read():
                    found.append(os.path.join(folder, name))
    return found


def fill(server, task, headers=None):
    """The task with two documents, compressed; the canary is in one of them."""
    def ask(method, path, body=None, **more):
        status, _, reply = server.ask(method, path, body, dict(headers or {}, **more))
        check(status in (200, 201), "%s %s: %d %s" % (method, path, status, reply))
        return reply
    ask("PUT", "/tasks/" + task, {"description": "plants"})
    documents = [{"name": "secret.txt", "text": OTHER + CANARY + ". " + OTHER}, {"name": "plain.txt", "text": "Plant 9 shipped 400 tonnes in June. " * 60}]
    process = {"task_type": task, "documents": documents}
    ask("POST", "/process", process, **{"Idempotency-Key": "fill-" + task})
    ask("POST", "/process", process, **{"Idempotency-Key": "fill-" + task})
    ask("POST", "/compress", {"task_type": task, "wait": True, "few_shot_examples": [{"input": EXAMPLE, "output": EXAMPLE}]},
        **{"Idempotency-Key": "compress-" + task})
    return ask


def everything(home):
    """Each way in which a sentence may be kept."""
    env = {"TAKC_MODEL_NAME": "fake:obedient", "TAKC_QUERY_ANSWER_CACHE": "true", "TAKC_SERVE_LOG_QUESTIONS": "false"}
    with live.Server(home, env=env) as server:
        ask = fill(server, "vault")
        question = "When does the vault of Lugano open?"
        for more in ({}, {}, {"model": "none"}, {"mode": "select", "model": "none"}, {"stream": True}, {"compression_rate": "8x"}):
            ask("POST", "/query", dict({"task_type": "vault", "query": question}, **more))
        ask("POST", "/query/batch", {"task_type": "vault", "queries": [question, "What is the token of Bertha?"]})
        ask("POST", "/v1/chat/completions", {"model": "takc/vault", "messages": [{"role": "user", "content": question}]})
        ask("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                             "params": {"name": "takc_query", "arguments": {"task": "vault", "query": question}}})
        text = ask("GET", "/tasks/vault/documents/secret.txt/text")["text"]
        check(CANARY in text, "it was there: %s" % text[:200])
        ask("GET", "/cache/vault/8x"), ask("GET", "/cache/vault/8x"), ask("GET", "/jobs")
        check(places(home, CANARY), "the search finds nothing even now")
        gone = ask("DELETE", "/tasks/vault/documents/secret.txt", **{"Idempotency-Key": "forget"})
        check(gone["status"] == "forgotten" and gone["found"] == 0, "%s" % gone)
        check(not places(home, CANARY), "it stands in %s" % places(home, CANARY))
        check(not [p for p in places(home, EXAMPLE) if "catalog" in p], "a job that has ended keeps its request: %s" % places(home, EXAMPLE))
        for path in ("/cache/vault/8x", "/jobs", "/tasks/vault/documents"):
            check(CANARY not in str(ask("GET", path)), path)
        check(CANARY not in server.said(), "the log has it")


def ended_jobs(home):
    """What a compression was shown is nowhere but with its version once its job has ended: not in the catalogue's log either, without any
    forget. A job that waits has it over a restart."""
    words, other = "The attic of Thusis is opened by the brass token of Carla.", "The cistern of Ilanz is drained by Dora."
    env = {"TAKC_MODEL_NAME": "fake:obedient"}

    def kept(text):
        return [p for p in places(home, text) if "/.takc-uploads/" in p or "catalog" in p]
    with live.Server(home, env=env) as server:
        fill(server, "shown")
        status, _, job = server.ask("POST", "/compress", {"task_type": "shown", "wait": True, "few_shot_examples": [{"input": words, "output": words}]})
        check(status == 200, "compress: %d %s" % (status, job))
        check(not kept(words), "an ended job's examples stand in %s" % kept(words))
        lock = open(os.path.join(home, "locks", "shown"))  # whoever writes the task waits
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, _, job = server.ask("POST", "/compress", {"task_type": "shown", "few_shot_examples": [{"input": other, "output": other}]})
        check(status == 202 and [p for p in kept(other) if "/.takc-uploads/" in p] == kept(other) != [], "a waiting job's: %s" % kept(other))
    lock.close()
    with live.Server(home, env=env) as server:
        end = time.monotonic() + 30
        while server.ask("GET", "/jobs/" + job["job_id"])[2]["status"] not in ("done", "failed"):
            check(time.monotonic() < end, "the job is begun again")
            time.sleep(0.05)
        state = server.ask("GET", "/jobs/" + job["job_id"])[2]
        check(state["status"] == "done" and places(home, other), "with its examples: %s" % state)
        check(not kept(other), "its examples stand in %s" % kept(other))


def beside_tenants(home):
    """The same document stands with a tenant, and with nobody's."""
    def key(*more):
        return {"X-API-Key": live.run("key", "create", "k", "--may", ADMIN, *more, home=home).split()[-1]}
    ours, theirs = key(), key("--tenant", "acme")
    shared = os.path.join(os.path.dirname(home), "shared")
    for tenant in ("acme", "zenith"):
        os.makedirs(os.path.join(shared, tenant))
        with open(os.path.join(shared, tenant, "note.txt"), "w") as f:
            f.write("The note of %s says nothing. " % tenant * 20)
    with live.Server(home, "--auth", "key", env={"TAKC_SERVE_SOURCES": shared}) as server:
        ask, ask_theirs = fill(server, "safe", ours), fill(server, "safe", theirs)
        gone = ask("DELETE", "/tasks/safe/documents/secret.txt")
        check(gone["found"] == 0, "%s" % gone)
        check(CANARY in ask_theirs("GET", "/tasks/safe/documents/secret.txt/text")["text"], "the tenant's own is gone")
        status, _, body = server.ask("PUT", "/tasks/safe", {"model": {"name": "openai:gpt-large"}}, theirs)
        check(status == 403 and "serve.models" in body["error"]["message"], "a tenant spends on any model: %d %s" % (status, body))
        for place, want in (("acme", 200), ("zenith", 403), ("", 403), ("acme/../zenith", 403)):
            body = {"task_type": "safe", "source_type": "file", "source_location": os.path.join(shared, place)}
            status, _, reply = server.ask("POST", "/process", body, theirs)
            check(status == want, "a tenant reads %r: %d %s" % (place, status, reply))
        check(server.ask("GET", "/metrics", None, theirs)[0] == 403 and server.ask("GET", "/metrics", None, ours)[0] == 200, "a tenant reads of all")
        status, _, body = server.ask("PUT", "/tasks/safe", {"tokenizer": "bpe:/etc/passwd"}, ours)
        check(status == 403 and "/etc/passwd" not in str(body), "a file of the server's: %d %s" % (status, body))
        gone = ask_theirs("DELETE", "/tasks/safe/documents/secret.txt")
        check(gone["found"] == 0 and not places(home, CANARY), "it stands in %s" % places(home, CANARY))


def made_again(home):
    """Version 1 of a task that was deleted is not version 1 of the next of its name."""
    with live.Server(home) as server:
        ask = fill(server, "again")
        tags = [server.ask("GET", path)[1]["etag"] for path in ("/cache/again", "/cache/again/8x")]
        ask("DELETE", "/tasks/again")
        ask("PUT", "/tasks/again", {"description": "plants"})
        ask("POST", "/process", {"task_type": "again", "documents": [{"name": "plain.txt", "text": "Plant 7 shipped 12 tonnes in May. " * 60}]})
        ask("POST", "/compress", {"task_type": "again", "wait": True})
        for path, tag in zip(("/cache/again", "/cache/again/8x"), tags):
            status, headers, _ = server.ask("GET", path, headers={"If-None-Match": tag})
            check(status == 200 and headers["etag"] != tag, "%s: %d, the tag of what was deleted" % (path, status))


def held_by_others(home):
    """A forget that cannot be, since another process has the home: come again, and no word of where the home is."""
    with live.Server(home) as server, open(os.path.join(home, "home.lock")) as other:
        ask = fill(server, "held")
        fcntl.flock(other, fcntl.LOCK_SH)
        got, n = [], 0
        forgetting = threading.Thread(target=lambda: got.append(server.ask("DELETE", "/tasks/held/documents/secret.txt")))
        forgetting.start()
        while forgetting.is_alive():  # who waits for the home does not hold the catalogue
            ask("GET", "/jobs")
            n += 1
            time.sleep(0.02)
        check(n > 5, "nobody could look at jobs meanwhile")
        status, headers, body = got[0]
        check(status == 503 and headers["retry-after"] and home not in str(body), "%d %s" % (status, body))
        check(home in server.said(), "the log says which")
        fcntl.flock(other, fcntl.LOCK_UN)
        ask("DELETE", "/tasks/held/documents/secret.txt")


def main():
    for part in (everything, ended_jobs, beside_tenants, made_again, held_by_others):
        work = tempfile.mkdtemp(prefix="takc-forget-")
        try:
            live.run("init", "first", home=os.path.join(work, "home"))
            part(os.path.join(work, "home"))
        finally:
            shutil.rmtree(work, ignore_errors=True)
    print("what was forgotten is gone")


sys.exit(main())
