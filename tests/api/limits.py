# SPDX-License-Identifier: Apache-2.0
"""Quotas, CORS, repeated writes, batches and the small routes of takc serve, over a real socket. Run by limits_test.sh."""
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import live  # noqa: E402
from live import check  # noqa: E402

QUESTION = {"task_type": "fin", "query": "What was revenue in Q3?"}
PAGE = "https://app.example.com"


def refused(ask, tries=20):
    """The first reply that is a 429. A request a second comes back while a client sleeps, so that the next one alone may pass."""
    for _ in range(tries):
        reply = ask()
        if reply[0] == 429:
            break
    return reply


def quotas(home):
    env = {"TAKC_SERVE_QUOTA_PER_S": "1", "TAKC_SERVE_QUOTA_BURST": "5"}
    with live.Server(home, env=env) as server:
        replies = []
        while len(replies) < 100 and (not replies or replies[-1][0] == 200):
            replies.append(server.ask("GET", "/tasks"))
        good, over = replies[:-1], replies[-1:]
        check(len(good) >= 5 and over[0][0] == 429, "5 at once, a second each: %s" % [r[0] for r in replies])
        first = good[0][1]
        check(first["ratelimit-limit"] == "5" and first["ratelimit-remaining"] == "4", "headers: %s" % first)
        check(first["ratelimit-policy"] == '"address";q=5;w=5, "key";q=5;w=5', first["ratelimit-policy"])
        check(re.fullmatch(r'"address";r=4;t=1, "key";r=4;t=1', first["ratelimit"]), first["ratelimit"])
        status, headers, body = over[0]
        check(headers["retry-after"] == "1" and headers["ratelimit-remaining"] == "0", "headers of 429: %s" % headers)
        check(body["error"]["code"] == "RATE_LIMIT_EXCEEDED" and body["request_id"], "body of 429: %s" % body)
        check(server.ask("GET", "/livez")[0] == 200, "who asks whether it lives is not counted")
        chat = {"model": "takc/fin", "messages": [{"role": "user", "content": "x"}]}
        status, _, body = refused(lambda: server.ask("POST", "/v1/chat/completions", chat))
        check(status == 429 and "error" in body and "request_id" not in body, "OpenAI's clients get their own: %s" % body)


def quotas_outlive_a_kill(home):
    env = {"TAKC_SERVE_QUOTA_QUERY_PER_MIN": "3"}
    server = live.Server(home, env=env)
    server.__enter__()
    got = [server.ask("POST", "/query", QUESTION)[0] for _ in range(4)]
    check(got == [200, 200, 200, 429], "three a minute: %s" % got)
    until = time.monotonic() + 30
    while True:  # written within a second or so: what a second server would read
        copy = kept(home)
        if copy or time.monotonic() > until:
            break
        time.sleep(0.1)
    check(copy, "the counters reach the catalogue")
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(timeout=30)
    os.unlink(server.log.name)
    with live.Server(home, env=env) as server:
        status, headers, body = server.ask("POST", "/query", QUESTION)
        check(status == 429 and 1 <= int(headers["retry-after"]) <= 20, "after a kill: %s %s" % (status, headers))
        check('"query";q=3;w=60' in headers["ratelimit-policy"], headers["ratelimit-policy"])
        check(server.ask("GET", "/tasks")[0] == 200, "other routes have no minute")
    with live.Server(home) as server:
        check(server.ask("POST", "/query", QUESTION)[0] == 200, "no limit is set, none counts")


def in_catalogue(home, sql):
    import sqlite3
    try:
        with sqlite3.connect("file:%s/catalog.sqlite?mode=ro" % home, uri=True, timeout=5) as db:
            row = db.execute(sql).fetchone()
            return row and row[0]
    except sqlite3.OperationalError:
        return None


def uses(server, task="fin", rate="ultra"):
    got = server.ask("GET", "/cache/" + task)[2]["cache_info"][rate]
    return got["hit_count"], got["last_accessed"]


def uses_outlive_a_kill(home):
    server = live.Server(home)
    server.__enter__()
    check(uses(server) == (0, None), "never: %s" % (uses(server),))
    for _ in range(3):
        check(server.ask("GET", "/cache/fin/ultra")[0] == 200, "a rate is read")
    before = uses(server)
    check(before[0] == 3 and before[1], "counted at once: %s" % (before,))
    live.poll("the count reaches the catalogue", lambda: in_catalogue(home, "SELECT n FROM hits WHERE task = 'fin' AND rate = 64000") == 3)
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(timeout=30)
    os.unlink(server.log.name)
    with live.Server(home) as server, live.Server(home) as other:
        check(uses(server) == before, "after a kill: %s, %s before" % (uses(server), before))
        check(server.ask("GET", "/cache/fin/ultra")[0] == 200 and other.ask("GET", "/cache/fin/ultra")[0] == 200, "both are read")
        check(uses(server)[0] >= 4 and uses(other)[0] >= 4, "each knows its own at once")
        live.poll("both know the sum", lambda: uses(server)[0] == uses(other)[0] == 5)
    with live.Server(home) as server:
        check(uses(server)[0] == 5, "after a stop: %s" % (uses(server),))


def keys_count_for_themselves(home):
    def key(name, *more):
        return live.run("key", "create", name, "--may", "query", *more, home=home).split()[0]
    one, two = key("one"), key("two")
    env = {"TAKC_SERVE_AUTH": "key", "TAKC_SERVE_QUOTA_QUERY_PER_MIN": "2", "TAKC_SERVE_QUOTA_PER_S": "1", "TAKC_SERVE_QUOTA_BURST": "40"}
    with live.Server(home, env=env) as server:
        def ask(who):
            return server.ask("POST", "/query", QUESTION, headers={"X-API-Key": who} if who else {})
        check([ask(one)[0] for _ in range(3)] == [200, 200, 429] and ask(two)[0] == 200, "each key has its minute")
        big = b"{" + b" " * 900000
        reply = raw(server, b"POST /query HTTP/1.1\r\nHost: a\r\nX-API-Key: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (one.encode(), len(big)))
        check(" 429 " in reply.split("\r\n")[0], "refused before the body came: %s" % reply[:200])
        got = [ask("takc_nonsense")[0] for _ in range(100)]
        check(got[0] == 401 and 429 in got, "who guesses keys meets the address's limit: %s" % got)
        reply = refused(lambda: server.ask("GET", "/tasks", headers={"X-API-Key": two}))  # 20 are less than the key's own
        check(reply[0] == 429, "and so does everybody there: %s" % (reply,))


def kept(home):
    """Does the catalogue know of all three? Then the minute's bucket is full again a minute after they were asked."""
    import sqlite3
    try:
        with sqlite3.connect("file:%s/catalog.sqlite?mode=ro" % home, uri=True, timeout=5) as db:
            full = db.execute("SELECT value FROM quotas WHERE subject LIKE 'query/3 %'").fetchone()
            return bool(full) and full[0] / 1000 > time.time() + 42
    except sqlite3.OperationalError:
        return False


def proxies(home):
    env = {"TAKC_SERVE_QUOTA_PER_S": "2", "TAKC_SERVE_QUOTA_BURST": "100", "TAKC_SERVE_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8"}
    with live.Server(home, env=env) as server:
        def left(forwarded, n=1):
            for _ in range(n):
                headers = server.ask("GET", "/tasks", headers={"X-Forwarded-For": forwarded} if forwarded else {})[1]
            return int(re.search(r'"address";r=(\d+)', headers["ratelimit"]).group(1))
        few = 90  # of 20 requests some come back while they are sent
        check(left("192.0.2.1", 20) < few and left("203.0.113.9, 192.0.2.1") < few and left("203.0.113.9") == 99, "what a client says in front is not believed")
        check(left("192.0.2.2") == 99 and left("192.0.2.2, 10.1.2.3", 20) < few and left("192.0.2.2") < few, "a trusted hop is passed")
        check(left("nonsense") == 99 and left("192.0.2.3, nonsense", 20) < few and left(None) < few, "the proxy stands for what cannot be read")
    with live.Server(home, env={"TAKC_SERVE_QUOTA_PER_S": "3", "TAKC_SERVE_QUOTA_BURST": "100"}) as server:
        got = [server.ask("GET", "/tasks", headers={"X-Forwarded-For": "192.0.2.%d" % i})[1]["ratelimit"] for i in range(30)]
        check(int(re.search(r'"address";r=(\d+)', got[-1]).group(1)) < 90, "without trusted proxies the header is nothing: %s" % got[-1])


def preflight(server, path, method, origin=PAGE, asked="authorization,content-type"):
    return server.ask("OPTIONS", path, headers={"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": asked})


def raw(server, text):
    with socket.create_connection((server.host, server.port), timeout=30) as s:
        s.sendall(text)
        got = b""
        while True:
            piece = s.recv(65536)
            if not piece:
                return got.decode("latin-1")
            got += piece


def cors(home):
    with live.Server(home, env={"TAKC_SERVE_CORS_ORIGINS": PAGE + ", http://localhost:3000"}) as server:
        status, headers, body = preflight(server, "/tasks/fin", "PUT")
        check(status == 204 and body == b"", "a preflight is 204: %s %s" % (status, body))
        check(headers["access-control-allow-origin"] == PAGE and "Origin" in raw_vary(server), "origin and Vary: %s" % headers)
        check(set(headers["access-control-allow-methods"].split(", ")) >= {"GET", "PUT"}, headers["access-control-allow-methods"])
        check(headers["access-control-allow-headers"] == "authorization,content-type" and headers["access-control-max-age"] == "7200", "%s" % headers)
        check("access-control-allow-credentials" not in headers, "no credentials")
        for method, path, body, status in (("GET", "/tasks", None, 200), ("GET", "/nothing", None, 404), ("DELETE", "/query", None, 405),
                                           ("POST", "/query", {"task_type": "none-such", "query": "x"}, 404), ("POST", "/query", b"{", 400)):
            got = server.ask(method, path, body, headers={"Origin": PAGE, "Content-Type": "application/json"})
            check(got[0] == status and got[1].get("access-control-allow-origin") == PAGE, "%s %s: %s %s" % (method, path, got[0], got[1]))
            check("x-takc-confidence" in got[1]["access-control-expose-headers"], "exposed: %s" % got[1])
        reply = raw(server, b"GET /tasks HTTP/1.1\r\nHost: a\r\nOrigin: %s\r\nBad Name: 1\r\nConnection: close\r\n\r\n" % PAGE.encode())
        check(" 400 " in reply.split("\r\n")[0] and "Access-Control-Allow-Origin: " + PAGE in reply, "what the transport refuses: %s" % reply[:400])
        for origin in ("https://app.example.com.evil.org", "null", "https://APP.example.com", "http://app.example.com"):
            got = server.ask("GET", "/tasks", headers={"Origin": origin})
            check("access-control-allow-origin" not in got[1] and got[1]["vary"] == "Origin", "%s: %s" % (origin, got[1]))
            got = preflight(server, "/tasks/fin", "PUT", origin)
            check("access-control-allow-methods" not in got[1], "%s: %s" % (origin, got[1]))
        check("access-control-allow-origin" not in server.ask("GET", "/tasks")[1], "no origin, no header")
        check(preflight(server, "/nothing", "GET")[0] == 404, "no such path")
    with live.Server(home, env={"TAKC_SERVE_CORS_ORIGINS": "*"}) as server:
        got = server.ask("GET", "/tasks", headers={"Origin": "https://any.example"})
        check(got[1]["access-control-allow-origin"] == "*" and "vary" not in got[1], "%s" % got[1])
    with live.Server(home) as server:
        got = server.ask("GET", "/tasks", headers={"Origin": PAGE})
        check(not [h for h in got[1] if h.startswith("access-control")], "off: %s" % got[1])
        check(preflight(server, "/tasks/fin", "PUT")[0] == 405, "off: OPTIONS is no method")
    for wrong in ("app.example.com", "https://app.example.com/", PAGE + ",*", "https://user@app.example.com", "https://app.example.com:443"):
        said = refused_start(home, {"TAKC_SERVE_CORS_ORIGINS": wrong})
        check("serve.cors_origins" in said, "%s: %s" % (wrong, said))
    check("serve.trusted_proxies" in refused_start(home, {"TAKC_SERVE_TRUSTED_PROXIES": "10.0.0.0/40"}), "a network that is none")


def raw_vary(server):
    return raw(server, b"GET /tasks HTTP/1.1\r\nHost: a\r\nOrigin: %s\r\nConnection: close\r\n\r\n" % PAGE.encode()).split("Vary: ")[1].split("\r\n")[0]


def refused_start(home, env):
    import subprocess
    done = subprocess.run([live.TAKC, "serve", "--port", "0"], env=dict(os.environ, TAKC_HOME=home, **env), capture_output=True, text=True, timeout=60)
    check(done.returncode == 2 and not done.stdout, "it starts: %s" % done.stdout)
    return done.stderr


def send_form(server, boundary, text):
    body = ('--{0}\r\nContent-Disposition: form-data; name="task_type"\r\n\r\nfin\r\n--{0}\r\nContent-Disposition: form-data; name="files"; '
            'filename="k.txt"\r\n\r\n{1}\r\n--{0}--\r\n').format(boundary, text).encode()
    return server.ask("POST", "/process", body, {"Content-Type": "multipart/form-data; boundary=" + boundary, "Idempotency-Key": "k-form"})


def repeated_writes(home):
    with live.Server(home) as server:
        def put(key, text, path="/tasks/idem"):
            return server.ask("PUT", path, {"description": text}, headers={"Idempotency-Key": key})
        first, second = put("k-1", "one"), put("k-1", "one")
        check(first[0] == 201 and second[0] == 201 and first[2] == second[2], "the same reply: %s, %s" % (first, second))
        check("idempotency-replayed" not in first[1] and second[1]["idempotency-replayed"] == "true", "%s" % second[1])
        check(first[1]["x-request-id"] != second[1]["x-request-id"], "each request has its id")
        other = put("k-1", "two")
        check(other[0] == 422 and other[2]["error"]["code"] == "IDEMPOTENCY_KEY_REUSED", "another body: %s" % (other,))
        check(put("k-1", "one", "/tasks/idem2")[0] == 422, "another path")
        check(put("k-2", "two")[0] == 200, "another key")
        check(server.ask("GET", "/tasks/idem")[2]["description"] == "two", "it was done")
        check(put("k-1", "one")[1].get("idempotency-replayed") == "true", "and is not done again")
        check(server.ask("GET", "/tasks/idem")[2]["description"] == "two", "it was not done again")
        for bad in ("", "a b", "x" * 256, "\xe9"):
            c = server.ask("PUT", "/tasks/idem", {"description": "x"}, headers={"Idempotency-Key": bad})
            check(c[0] == 400, "%r: %s" % (bad, c))
        gone = [server.ask("DELETE", "/tasks/fin/documents/none.txt", headers={"Idempotency-Key": "k-3"}) for _ in range(2)]
        check([g[0] for g in gone] == [404, 404] and gone[1][1]["idempotency-replayed"] == "true", "a refusal is a reply, too: %s" % gone)
        check(server.ask("GET", "/tasks", headers={"Idempotency-Key": "k-1"})[0] == 200, "reads take no notice")
        forms = [send_form(server, *f) for f in (("aa", "Bern."), ("bb", "Bern."), ("bb", "Basel."))]
        check([f[0] for f in forms] == [200, 200, 422] and forms[1][1].get("idempotency-replayed") == "true", "a form is its parts: %s" % forms)
        together = []
        threads = [threading.Thread(target=lambda: together.append(put("k-4", "many"))) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        done = [r for r in together if r[0] == 200 and "idempotency-replayed" not in r[1]]
        check(len(done) == 1 and all(r[0] in (200, 409) for r in together), "done once: %s" % [(r[0], r[1].get("idempotency-replayed")) for r in together])
    with live.Server(home) as server:
        again = server.ask("PUT", "/tasks/idem", {"description": "one"}, headers={"Idempotency-Key": "k-1"})
        check(again[0] == 201 and again[1]["idempotency-replayed"] == "true", "after a restart: %s" % (again,))


def put_and_deleted(home):
    """A task that is made while others delete it: whoever makes it is told so, be it there or not a moment later."""
    with live.Server(home) as server:
        def ask(method, n):
            try:
                for _ in range(n):
                    got[method].append(server.ask(method, "/tasks/race", {} if method == "PUT" else None)[0])
            except Exception as e:  # a thread's own would only be printed
                failed.append("%s: %r" % (method, e))
        got, failed = {"PUT": [], "DELETE": []}, []
        check(server.ask("PUT", "/tasks/race", {})[0] == 201, "there is one to delete")
        threads = [threading.Thread(target=ask, args=(method, 60)) for method in ("PUT", "DELETE") * 2]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        check(not failed, "a thread failed: %s" % failed)
        for method, may in (("PUT", {200, 201, 503}), ("DELETE", {200, 404, 503})):
            seen = set(got[method])
            check(len(got[method]) == 120 and seen <= may and seen & {200, 201}, "%s: %d replies, %s" % (method, len(got[method]), seen))


def batches(home):
    env = {"TAKC_SERVE_QUOTA_QUERY_PER_MIN": "40"}
    with live.Server(home, env=env) as server:
        def ask(queries, **more):
            return server.ask("POST", "/query/batch", dict({"task_type": "fin", "queries": queries}, **more))
        status, headers, body = ask(["What was revenue in Q%d?" % q for q in (1, 2, 3, 4)] + [{"query": "What was revenue in Q2?", "factor": 7.77},
                                    {"query": "What was the operating margin in Q4?", "factor": 8}], compression_rate="16x", mode="artifact")
        check(status == 200, "a batch: %s %s" % (status, body))
        results, summary = body["results"], body["summary"]
        check([r["query"][-3:-1] for r in results] == ["Q1", "Q2", "Q3", "Q4", "Q2", "Q4"], "in order")
        check([r["status"] for r in results] == ["ok"] * 4 + ["failed", "ok"], "each its status: %s" % [r["status"] for r in results])
        check(results[4]["error"]["code"] == "CACHE_NOT_FOUND" and "response" not in results[4], "%s" % results[4])
        check(results[0]["compression_rate_used"] == "medium" and results[5]["compression_rate_used"] == "light", "a rate of its own: %s" % results[5])
        check((summary["total_queries"], summary["successful"], summary["failed"]) == (6, 5, 1) and summary["total_processing_time_ms"] > 0, "%s" % summary)
        counted = server.ask("GET", "/metrics")[2]
        check(sum(float(line.split()[-1]) for line in counted.decode().splitlines() if line.startswith("takc_queries_total")) == 6, "each is counted")
        alone = server.ask("POST", "/query", {"task_type": "fin", "query": "What was revenue in Q3?", "compression_rate": "16x", "mode": "artifact"})[2]
        check(alone["response"] == results[2]["response"] and alone["citations"] == results[2]["citations"], "as one alone")
        status, headers, body = ask(["x", {"query": "y", "version": "99"}], version="98")
        check(status == 404 and body["error"]["code"] == "CACHE_NOT_FOUND" and body["error"]["details"]["summary"]["failed"] == 2, "all fail: %s" % body)
        for wrong, pointer in (([], "/queries"), (["x"] * 101, "/queries"), ([7], "/queries/0"), (["x", {"q": "y"}], "/queries/1/q"),
                               (["x", {"query": ""}], "/queries/1/query"), ([{"query": "x", "task_type": "fin"}], "/queries/0/task_type")):
            status, headers, body = ask(wrong)
            check(status == 400 and body["error"]["details"]["pointer"] == pointer, "%s: %s" % (pointer, body))
        check(ask(["x"], stream=True)[0] == 400 and ask(["x"], task_type="none")[0] == 404, "no stream, no such task")
        status, headers, body = ask(["What was revenue in Q1?"] * 38)
        check(status == 429 and int(headers["retry-after"]) > 1, "each question counts: %s %s" % (status, headers))
        refused = [ask(["x"] * n) for n in (41, 60, 100) * 3]
        left = [int(re.search('"query";r=([0-9]+)', headers["ratelimit"]).group(1)) for _, headers, _ in refused]
        check([r[0] for r in refused] == [429] * 9 and left == sorted(left), "a refused batch keeps no question: %s" % left)
        check(server.ask("POST", "/query", QUESTION)[0] == 200, "and none was taken")


def few_shot(home):
    with live.Server(home, env={"TAKC_SERVE_MODELS": "fake:obedient, nobody:*"}) as server:
        one = [{"input": "Where is it?", "output": "It is: there [1]."}]
        status, headers, body = server.ask("POST", "/query", dict(QUESTION, few_shot_examples=one, cost_sensitive=True, filters={"documents": ["q3*"]}))
        check(status == 200 and "examples did nothing" in body["metadata"]["notes"], "%s %s" % (status, body))
        check([c["document"] for c in body["citations"]] == ["q3.txt"] * len(body["citations"]) and body["citations"], "%s" % body["citations"])
        check(float(headers["x-takc-overhead-ms"]) > 0, "%s" % headers)
        status, headers, body = server.ask("POST", "/query", dict(QUESTION, few_shot_examples=one * 9))
        check(status == 400 and body["error"]["details"]["pointer"] == "/few_shot_examples", "%s" % body)
        status, headers, body = server.ask("POST", "/query", dict(QUESTION, few_shot_examples=one, model="fake:obedient"))
        check(status == 200 and "examples" not in body["metadata"]["notes"], "%s %s" % (status, body))
        for model in ("fake:obedient-no_model", "fake:", "openai:gpt-5", "fake:obedient*"):
            status, headers, body = server.ask("POST", "/query", dict(QUESTION, model=model))
            check(status == 403 and body["error"]["code"] == "FORBIDDEN" and "serve.models" in body["error"]["message"], "%s: %s" % (model, body))
            status, headers, body = server.ask("POST", "/compress", {"task_type": "fin", "model": model})
            check(status == 403 and "serve.models" in body["error"]["message"], "compress with %s: %s" % (model, body))
        status, headers, body = server.ask("POST", "/query/batch", {"task_type": "fin", "queries": [QUESTION["query"], {"query": "x", "model": "openai:gpt-5"}]})
        check(status == 200 and [r["status"] for r in body["results"]] == ["ok", "failed"] and body["results"][1]["error"]["code"] == "FORBIDDEN", "%s" % body)
        status, headers, body = server.ask("POST", "/query", dict(QUESTION, model="nobody:x"))
        check(status == 400 and "nobody:x" in body["error"]["message"], "a provider that is none: %s" % body)


def model_failures(home):
    env = {"TAKC_MODEL_NAME": "fake:obedient-no_model*9", "TAKC_MODEL_RETRIES": "0", "TAKC_SERVE_MODELS": "fake:*"}
    with live.Server(home, env=env) as server:
        def ask(model=None, path="/query"):
            got = server.ask("POST", path, dict(QUESTION, model="fake:obedient-" + model) if model else QUESTION)
            check("the script says" not in str(got[2]), "a service's words reach the client: %s" % (got,))
            return got[0], got[2]["error"]["code"], got[1].get("retry-after")
        check(ask() == (502, "UPSTREAM", None), "the server's own model is not there: %s" % (ask(),))
        for model, want in (("no_model*9", (404, "MODEL_NOT_FOUND", None)), ("invalid*9", (400, "INVALID", None)), ("too_long*9", (400, "TOO_LONG", None)),
                            ("throttled*9", (429, "LIMITED", "1")), ("overloaded*9", (503, "BUSY", "1")), ("server*9", (502, "UPSTREAM", None)),
                            ("denied*9", (502, "UPSTREAM", None)), ("untrusted*9", (502, "UPSTREAM", None)), ("garbled*9", (502, "UPSTREAM", None)),
                            ("connection*9", (502, "UPSTREAM", None)), ("timeout*9", (504, "TIMEOUT", None))):
            check(ask(model) == want, "%s: %s" % (model, ask(model)))
        status, headers, body = server.ask("POST", "/query/batch", {"task_type": "fin", "queries": ["What was revenue in Q1?", "revenue"], "model": "fake:obedient-server*9"})
        check(status == 502 and len(body["error"]["details"]["results"]) == 2 and "the script says" not in str(body), "a batch: %s" % body)
        status, headers, body = server.ask("POST", "/v1/chat/completions", {"model": "takc/fin", "messages": [{"role": "user", "content": "What was revenue in Q1?"}]})
        check(status == 502 and "the script says" not in str(body), "chat: %s" % body)
        status, headers, body = server.ask("POST", "/compress", {"task_type": "fin", "wait": True, "model": "fake:obedient-no_model*9"})
        check((status, body["error"]["code"]) == (404, "MODEL_NOT_FOUND"), "a compress by a model that is none: %d %s" % (status, body))
        said = server.said()
        check("the script says: throttled" in said, "the log has it: %s" % said[-800:])


def asked_to_wait(home):
    """What a model's service asks to wait is what its client is told, in a batch, a stream and chat, too."""
    fake = subprocess.Popen([sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fake", "openai.py"), "-"],
                            stdout=subprocess.PIPE, text=True)
    try:
        env = {"TAKC_MODEL_NAME": "openai:e-azure-429", "TAKC_MODEL_BASE_URL": "http://127.0.0.1:%s/v1" % fake.stdout.readline().strip(),
               "OPENAI_API_KEY": "sk-test-0123456789", "TAKC_MODEL_RETRIES": "0"}
        with live.Server(home, env=env) as server:
            chat = {"model": "takc/fin", "messages": [{"role": "user", "content": QUESTION["query"]}]}
            for path, body in (("/query", QUESTION), ("/query", dict(QUESTION, stream=True)), ("/query/batch", {"task_type": "fin", "queries": ["revenue"]}),
                               ("/v1/chat/completions", chat)):
                status, headers, reply = server.ask("POST", path, body)
                check((status, headers.get("retry-after")) == (429, "7"), "%s: %d %s %s" % (path, status, headers, reply))
    finally:
        fake.kill()
        fake.wait()


def compress_counts(_):
    with live.home() as home, live.Server(home, env={"TAKC_MODEL_NAME": "fake:obedient", "TAKC_SERVE_QUOTA_TOKENS_PER_DAY": "1"}) as server:
        status, _, body = server.ask("POST", "/compress", {"task_type": "fin", "wait": True})
        check(status == 200 and body["changed"], "a compress by a model: %d %s" % (status, body))
        status, headers, body = server.ask("POST", "/compress", {"task_type": "fin", "wait": True})
        check(status == 429 and "tokens" in body["error"]["message"], "its tokens are the tenant's: %d %s" % (status, body))


def capped(_):
    """A cap of money is the server's: who may compress learns that it is reached, not what others have spent."""
    env = {"TAKC_MODEL_NAME": "openai:gpt-4o-mini", "TAKC_COST_MAX_USD": "0.000001"}
    with live.home() as home, live.Server(home, env=env) as server:
        status, headers, body = server.ask("POST", "/compress", {"task_type": "fin", "wait": True})
        check((status, body["error"]["code"], headers["retry-after"]) == (429, "COST", "3600"), "a compress that may cost nothing: %d %s" % (status, body))
        job = server.ask("GET", "/jobs", None)[2]["jobs"][0]
        job = server.ask("GET", "/jobs/" + job["job_id"])[2]
        check(job["error"]["code"] == "COST", "its job: %s" % job)
        told = server.ask("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                                           "params": {"name": "takc_query", "arguments": {"task": "fin", "query": QUESTION["query"]}}})[2]
        for said in (str(body), str(job), str(told)):
            check("what models may cost here is reached" in said and "$" not in said and "--max-cost" not in said, "what clients read: %s" % said)
        logged = [line for line in server.said().splitlines() if "this run's cap is $0.000001" in line]
        check(len(logged) == 2, "the log has it, once of each: %s" % server.said()[-800:])


def small_routes(home):
    live.run("init", "old", home=home)
    live.run("ingest", "-t", "old", "-", "--name", "note.txt", home=home, input="The reserve pump of Basel stands in hall 4. " * 40)
    live.run("compress", "-t", "old", home=home)
    with live.Server(home) as server:
        for content in ([{"type": "text", "text": "aa"}] * 200000, "a vault " * 900000):
            status, _, reply = server.ask("POST", "/v1/chat/completions", {"model": "takc/fin", "messages": [{"role": "user", "content": content}]})
            check(status == 400 and "characters" in reply["error"]["message"], "a book for a question: %d %s" % (status, reply))
        status, headers, body = server.ask("POST", "/cache/fin/rollback")
        check(status == 404 and body["error"]["code"] == "CACHE_NOT_FOUND", "there is one version: %s" % body)
        live.run("ingest", "-t", "fin", "-", "--name", "more.txt", home=home, input="The new plant in Chur was opened in 2025. " * 40)
        live.run("compress", "-t", "fin", home=home)
        before = server.ask("GET", "/cache/fin")
        check(before[2]["version"] == "2", "%s" % before[2])
        status, headers, body = server.ask("POST", "/cache/fin/rollback", {}, headers={"Idempotency-Key": "r-1"})
        check((status, body) == (200, {"status": "success", "task_type": "fin", "version": "1"}), "%s %s" % (status, body))
        check(server.ask("GET", "/cache/fin")[2]["version"] == "1", "it is current")
        check(server.ask("POST", "/cache/fin/rollback", {}, headers={"Idempotency-Key": "r-1"})[1]["idempotency-replayed"] == "true", "once")
        check(server.ask("POST", "/cache/fin/rollback", {"version": "2"})[2]["version"] == "2", "and forth")
        check(server.ask("POST", "/cache/fin/rollback", {"version": "9"})[0] == 404, "none of that label")
        check(server.ask("POST", "/cache/none/rollback")[0] == 404 and server.ask("POST", "/cache/fin/rollback", {"v": 1})[0] == 400, "no task, no member")
        tag = server.ask("GET", "/cache/fin")[1]["etag"]
        check(server.ask("GET", "/cache/fin", headers={"If-None-Match": tag})[0] == 304, "unchanged")
        status, headers, body = server.ask("DELETE", "/cache/fin/16x")
        check(status == 200 and body["status"] == "success" and body["cache_key"] == "cache/v2/fin/medium/cache.json", "%s %s" % (status, body))
        check(not os.path.exists(os.path.join(home, body["cache_key"])), "the file is gone")
        after = server.ask("GET", "/cache/fin", headers={"If-None-Match": tag})
        check(after[0] == 200 and "medium" not in after[2]["available_rates"], "the same version, fewer rates: %s" % (after,))
        check(server.ask("GET", "/cache/fin/medium")[0] == 404 and server.ask("DELETE", "/cache/fin/medium")[0] == 404, "and stays gone")
        check(server.ask("DELETE", "/cache/fin/soft")[0] == 400 and server.ask("DELETE", "/cache/none/8x")[0] == 404, "no rate, no task")
        check(server.ask("GET", "/cache/old/ultra")[0] == 200, "a use")
        live.poll("that is kept", lambda: in_catalogue(home, "SELECT count(*) FROM hits WHERE task = 'old'") == 1)
        check(server.ask("GET", "/cache/old/light")[0] == 200, "and one that is not yet")
        secret = {"description": "the quiet merger of Aarau"}
        check(server.ask("PUT", "/tasks/old", secret, headers={"Idempotency-Key": "p-1"})[0] == 200, "a profile, whose reply is kept")
        status, headers, body = server.ask("DELETE", "/tasks/old", headers={"Idempotency-Key": "d-1"})
        check(status == 200 and body["searched"] is True and body["documents"] == 1 and body["sentences_searched"] > 0, "%s %s" % (status, body))
        check(server.ask("GET", "/tasks/old")[0] == 404 and "old" not in server.ask("GET", "/tasks")[2]["tasks"], "it is gone")
        check(server.ask("DELETE", "/tasks/old")[0] == 404 and server.ask("DELETE", "/tasks/old", headers={"Idempotency-Key": "d-1"})[0] == 200, "twice")
        left = [os.path.join(d, f) for d, _, files in os.walk(home) for f in files]
        check(not [f for f in left if "/old" in f and "/locks/" not in f], "files: %s" % [f for f in left if "/old" in f])
        for said in (b"reserve pump of Basel", b"quiet merger"):
            check(not [f for f in left if said in open(f, "rb").read()], "%s: %s" % (said, [f for f in left if said in open(f, "rb").read()]))
        check(server.ask("PUT", "/tasks/old", {})[0] == 201 and server.ask("GET", "/tasks/old/documents")[2]["documents"] == [], "made anew it is empty")
        live.run("ingest", "-t", "old", "-", "--name", "note.txt", home=home, input="The reserve pump of Basel stands in hall 4. " * 40)
        live.run("compress", "-t", "old", home=home)
        time.sleep(1.2)  # longer than a count is on its way
        check(uses(server, "old") == uses(server, "old", "light") == (0, None), "and never used: %s" % (uses(server, "old"),))
        check(in_catalogue(home, "SELECT count(*) FROM hits WHERE task = 'old'") == 0, "nothing of it is kept")


if __name__ == "__main__":
    with live.home() as home:
        for test in (quotas, quotas_outlive_a_kill, uses_outlive_a_kill, keys_count_for_themselves, proxies, cors, repeated_writes, put_and_deleted, batches, few_shot, model_failures, asked_to_wait, small_routes, compress_counts, capped):
            test(home)
            print("ok: " + test.__name__)
