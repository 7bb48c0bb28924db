# SPDX-License-Identifier: Apache-2.0
"""takc serve observed over real sockets: see observe_test.sh."""
import base64
import http.client
import http.server
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

import live
from live import check

try:
    from google.protobuf import json_format
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
except ImportError:
    json_format = None
    print("without opentelemetry-proto: spans are read as plain JSON", file=sys.stderr)

CANARY = "zebrafalcon"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Sink(http.server.BaseHTTPRequestHandler):
    """A collector: keeps what it is sent."""
    bodies, headers_seen, status = [], [], 200

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        check(self.path == "/v1/traces", "spans came to " + self.path)
        Sink.headers_seen.append(dict(self.headers))
        Sink.bodies.append(body)
        self.send_response(Sink.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args):
        pass


def until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < end, "waited in vain for " + what)
        time.sleep(0.02)


def spans():
    """All spans that came, as dicts; refused by the schema where that is at hand."""
    all_of_them = []
    for body in Sink.bodies:
        message = json.loads(body)
        for resource in message["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                all_of_them += [dict(s, service=attributes(resource["resource"])["service.name"]) for s in scope["spans"]]
        if json_format:  # OTLP writes ids in hex, protobuf's JSON wants base64
            for resource in message["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        for name in ("traceId", "spanId", "parentSpanId"):
                            if name in span:
                                span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
            json_format.ParseDict(message, ExportTraceServiceRequest())
    return all_of_them


def attributes(of):
    return {a["key"]: list(a["value"].values())[0] for a in of.get("attributes", [])}


def series(server):
    """Names with labels of everything that /metrics tells."""
    status, headers, body = server.ask("GET", "/metrics")
    check(status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4"), "/metrics: %s %s" % (status, headers))
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in body.decode().splitlines() if line[0] != "#"}, body


def ask_questions(server):
    # The first has a canary in everything that a client sends but the path.
    status, headers, reply = server.ask("POST", "/query", {"task_type": "fin", "query": "What of %s was the revenue in Q1?" % CANARY},
                                        {"traceparent": PARENT, "X-Request-ID": "first-1", "Authorization": "Bearer " + CANARY})
    check(status == 200 and headers["x-request-id"] == "first-1", "a question: %s %s" % (status, reply))
    status, _, reply = server.ask("POST", "/query", {"task_type": "fin", "query": CANARY + " dividend?", "stream": True, "model": "none"},
                                  {"X-Request-ID": "stream-1"})
    check(status == 200 and b"[DONE]" in reply, "a stream: %s %s" % (status, reply))
    chat = {"model": "takc/fin", "messages": [{"role": "user", "content": "The margin of %s?" % CANARY}]}
    check(server.ask("POST", "/v1/chat/completions", chat)[0] == 200, "a chat")
    check(server.ask("POST", "/query", {"task_type": "none-such", "query": CANARY})[0] == 404, "an unknown task")
    check(server.ask("POST", "/query", b"{" + CANARY.encode(), {"Content-Type": "application/json"})[0] == 400, "a body that is no JSON")
    check(server.ask("POST", "/query", {CANARY: 1})[0] == 400, "an unknown field")
    check(server.ask("GET", "/cache/fin/8x?key=" + CANARY)[0] == 400, "an unknown parameter")


def write_things(server):
    check(server.ask("PUT", "/tasks/fresh", {"description": "one of " + CANARY}, {"X-Request-ID": "put-1"})[0] == 201, "a new task")
    check(server.ask("PUT", "/tasks/fresh", {CANARY: 1}, {"X-Request-ID": "put-2"})[0] == 400, "a wrong profile")
    check(server.ask("DELETE", "/tasks/fin/documents/no%20such.txt", headers={"X-Request-ID": "del-1"})[0] == 404, "forget nothing")
    check(server.ask("DELETE", "/tasks/fin/documents/q1.txt", headers={"X-Request-ID": "del-2"})[0] == 200, "forget a document")


def check_audit(home):
    rows = sqlite3.connect("file:%s/catalog.sqlite?mode=ro" % home, uri=True).execute(
        "SELECT request_id, action, path, status, subject, peer, at FROM audit ORDER BY id").fetchall()
    check([r[:6] for r in rows] == [
        ("put-1", "putTask", "/tasks/fresh", 201, "local", "127.0.0.1"),
        ("put-2", "putTask", "/tasks/fresh", 400, "local", "127.0.0.1"),
        ("del-1", "forgetDocument", "/tasks/fin/documents/no%20such.txt", 404, "local", "127.0.0.1"),
        ("del-2", "forgetDocument", "/tasks/fin/documents/q1.txt", 200, "local", "127.0.0.1")], "audit rows: %s" % rows)
    check(all(abs(r[6] - time.time()) < 600 for r in rows), "audit times: %s" % rows)


def check_bounded(server):
    """Thousands of odd paths, methods and names make no more series than ten of each."""
    def odd(n):
        c = http.client.HTTPConnection(server.host, server.port, timeout=30)
        for i in range(n):
            for method, path in (("GET", "/odd-%d/x" % i), ("GET", "/cache/odd-%d/8x" % i), ("ODD%d" % (i % 50), "/query"),
                                 ("GET", "/cache/fin/%d.%dx" % (3 + i % 50, i % 10))):
                c.request(method, path)
                c.getresponse().read()
        c.close()
    odd(10)
    before = set(series(server)[0])
    odd(500)
    after = set(series(server)[0])
    # Durations may fall into classes of status that were not met before; names of clients may not show up.
    check(len(after - before) <= 3 and not any("odd" in s.lower() for s in after), "series grew: %s" % (after - before))


def check_counts(server):
    now, body = series(server)
    check(now['takc_http_requests_total{route="query",method="POST",status="2xx"}'] == 2, "questions counted: %s" % now)
    check(sum(v for k, v in now.items() if k.startswith("takc_queries_total") and "failed" not in k) == 3, "answers counted: %s" % now)
    check(now['takc_task_queries_total{task="fin"}'] == 3, "questions of a task: %s" % now)
    check(now['takc_model_calls_total{provider="fake"}'] >= 1, "calls of a model: %s" % now)
    check(now["takc_reply_cache_misses_total"] >= 1 and now["takc_reply_cache_hits_total"] >= 2, "kept replies counted: %s" % now)
    check(CANARY.encode() not in body, "the canary stands in metrics")
    if shutil.which("promtool"):
        lint = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True)
        check(lint.returncode == 0 and not lint.stdout and not lint.stderr, "promtool: %s%s" % (lint.stdout, lint.stderr))
    def counted():  # a request ends a moment behind its reply
        return server.ask("GET", "/metrics", headers={"Accept": "application/json"})
    until(lambda: counted()[2]["system_metrics"]["requests_in_flight"] == 1, "nobody but who asks")
    status, headers, as_json = counted()
    check(status == 200 and set(as_json) == {"query_metrics", "compression_metrics", "system_metrics"}, "metrics as JSON: %s" % as_json)
    check(as_json["query_metrics"]["successful"] == 3 , "its counts: %s" % as_json)


def check_kept_replies(server, home):
    """The reply of memory is that of the disk, and ends with the version."""
    first = server.ask("GET", "/cache/fin/8x")
    again = server.ask("GET", "/cache/fin/8x")
    named = server.ask("GET", "/cache/fin/light")  # the same rate
    check(first[0] == 200 and first[2] == again[2] == named[2] and first[1]["etag"] == again[1]["etag"], "kept: %s %s" % (first, again))
    check(server.ask("GET", "/cache/fin/8x", headers={"If-None-Match": first[1]["etag"]})[0] == 304, "If-None-Match of a kept reply")
    head = server.ask("HEAD", "/cache/fin/8x")
    check(head[0] == 200 and head[1]["content-length"] == again[1]["content-length"], "HEAD of a kept reply: %s" % (head,))
    live.run("ingest", "-t", "fin", "--name", "new.txt", "-", home=home, input="The board sold the plant of Basel for 12 million CHF.\n" * 3)
    live.run("compress", "-t", "fin", home=home)  # another process
    fresh = server.ask("GET", "/cache/fin/8x", headers={"If-None-Match": first[1]["etag"]})
    check(fresh[0] == 200 and fresh[1]["etag"] != first[1]["etag"] and fresh[2]["version"] != first[2]["version"], "a new version: %s" % (fresh,))


def check_log(said):
    check(CANARY not in said, "the canary stands in the log:\n" + "\n".join(line for line in said.splitlines() if CANARY in line))
    lines = [json.loads(line) for line in said.splitlines() if "ASan doesn't fully support makecontext" not in line]
    access = {line["request_id"]: line for line in lines if line["subject"] == "http.access"}
    first = access["first-1"]
    check(first["method"] == "POST" and first["route"] == "query" and first["path"] == "/query" and first["status"] == 200 and
          first["peer"] == "127.0.0.1" and first["trace_id"] == PARENT.split("-")[1] and first["bytes"] > 100 and first["who"] == "local", "an access line: %s" % first)
    check(first["choose_ms"] > 0 and first["cache_ms"] > 0 and first["model_ms"] >= 0 and
          first["ms"] >= first["choose_ms"] + first["cache_ms"] + first["model_ms"], "its times: %s" % first)
    check(access["stream-1"]["outcome"] in ("answered", "abstained") and "model_ms" in access["stream-1"], "a stream's: %s" % access["stream-1"])
    audit = [line for line in lines if line["subject"] == "audit"]
    check([line["request_id"] for line in audit] == ["put-1", "put-2", "del-1", "del-2"], "audit lines: %s" % audit)


def check_spans():
    found = spans()
    check(all(CANARY not in json.dumps(s) for s in found), "the canary stands in a span")
    check({s["service"] for s in found} == {"observed"}, "service.name")
    check(all(h.get("x-key") == "a b" for h in Sink.headers_seen), "headers of the export: %s" % Sink.headers_seen[:1])
    trace = [s for s in found if s["traceId"] == PARENT.split("-")[1]]
    root = [s for s in trace if s["kind"] == 2]
    check(len(root) == 1 and root[0]["parentSpanId"] == PARENT.split("-")[2] and root[0]["name"] == "POST /query", "the request's span: %s" % root)
    about = attributes(root[0])
    check(about["http.response.status_code"] == "200" and about["http.route"] == "/query" and about["takc.request_id"] == "first-1", "%s" % about)
    children = {s["name"].split()[0]: s for s in trace if s["kind"] != 2}
    check({"cache", "choose", "chat"} <= set(children) and all(s["parentSpanId"] == root[0]["spanId"] for s in children.values()),
          "children: %s" % children)
    for s in children.values():
        check(int(root[0]["startTimeUnixNano"]) <= int(s["startTimeUnixNano"]) <= int(s["endTimeUnixNano"]) <= int(root[0]["endTimeUnixNano"]),
              "a child lies outside of its parent: %s %s" % (root, s))
    chat = attributes(children["chat"])
    check(chat["gen_ai.operation.name"] == "chat" and chat["gen_ai.request.model"] and int(chat["gen_ai.usage.input_tokens"]) > 0 and
          int(chat["gen_ai.usage.output_tokens"]) > 0, "the model's span: %s" % chat)
    check(len({s["spanId"] for s in found}) == len(found), "ids of spans repeat")


def observed():
    collector = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:%d" % collector.server_port, "OTEL_SERVICE_NAME": "observed",
           "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20b", "TAKC_LOG_FORMAT": "json", "TAKC_MODEL_NAME": "fake:canned",
           "TAKC_SERVE_METRICS_TASKS": "fin", "TAKC_SERVE_QUOTA_PER_S": "0", "no_proxy": "127.0.0.1"}
    with live.home() as home:
        with live.Server(home, "--log-level", "info", env=env) as server:
            ask_questions(server)
            write_things(server)
            check_audit(home)
            check_kept_replies(server, home)
            check_counts(server)
            server.ask("GET", "/livez", headers={"traceparent": PARENT[:-1] + "0"})  # its caller does not sample it
            check_bounded(server)
            server.ask("GET", "/readyz", headers={"X-Request-ID": "last-1"})
            until(lambda: '"last-1"' in server.said(), "the line of the last request")
            log = server.said()
        check_log(log)
        check_spans()  # the rest was sent at the end
        check(not [s for s in spans() if s["name"] == "GET /livez"], "a span that nobody wanted")
        with sqlite3.connect(home + "/catalog.sqlite") as db:
            check(CANARY not in "\n".join(db.iterdump()), "the canary stands in the catalogue")
    collector.shutdown()


class Model(http.server.BaseHTTPRequestHandler):
    """An endpoint of OpenAI's kind: keeps the trace contexts it is asked under. A question with "broken" in it fails, one with "slowly" waits
    for the gate."""
    seen, gate = [], threading.Event()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Model.seen.append((self.headers.get("traceparent"), self.headers.get("tracestate")))
        if b"slowly" in body:
            Model.gate.wait(60)
        if b"broken" in body:
            return self.say(400, {"error": {"message": "no", "type": "invalid_request_error"}})
        message = {"role": "assistant", "content": "Revenue was 41 million CHF [1]."}
        self.say(200, {"id": "x", "object": "chat.completion", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                       "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}})

    def say(self, status, v):
        body = json.dumps(v).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:  # who asked has gone
            pass

    def log_message(self, *args):
        pass


class Hook(Model):
    """A webhook that lets everybody in."""
    seen = []

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Hook.seen.append((self.headers.get("traceparent"), self.headers.get("tracestate")))
        self.say(200, {"allow": True, "may": ["query"]})


def listen(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d" % server.server_port


def question(text):
    return {"task_type": "fin", "query": "What was the revenue in %s?" % text}


def sent_on():
    """Requests to models and webhooks are sent with the trace: under the very spans that a collector is told of."""
    env = {"OTEL_SERVICE_NAME": "observed", "TAKC_MODEL_NAME": "openai:m", "OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": listen(Model) + "/v1",
           "TAKC_QUERY_ABSTAIN_BELOW": "0", "TAKC_LOG_FORMAT": "json", "no_proxy": "127.0.0.1"}
    secured = {"OTEL_EXPORTER_OTLP_ENDPOINT": listen(Sink), "TAKC_SERVE_AUTH": "webhook", "TAKC_SERVE_WEBHOOK_URL": listen(Hook) + "/hook",
               "TAKC_SERVE_WEBHOOK_ALLOW_PRIVATE": "true", "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20b"}
    key = {"Authorization": "Bearer x"}
    state = {"traceparent": PARENT, "tracestate": "vendor=1"}
    Sink.bodies.clear()
    with live.home() as home:
        with live.Server(home, "--log-level", "warn,http.access=info", env={**env, **secured}) as server:
            status, _, reply = server.ask("POST", "/query", question("Q1"), {**key, **state})
            check(status == 200 and len(Model.seen) == 1, "a question to a model: %s %s" % (status, reply))
            status, _, reply = server.ask("POST", "/query", question("broken"), {**key, **state})
            check(status in (400, 502), "a model that fails: %s %s" % (status, reply))
            many = [question("Q%d of year %d" % (i % 4 + 1, i))["query"] for i in range(19)] + ["What was the revenue in the broken year?"]
            status, headers, reply = server.ask("POST", "/query/batch", {"task_type": "fin", "queries": many},
                                                {**key, "X-Request-ID": "batch-1"})
            check(status == 200 and reply["summary"]["failed"] == 1, "a batch: %s %s" % (status, str(reply)[-600:]))
            lines = lambda: [json.loads(one) for one in server.said().splitlines() if one.endswith("}") and '"batch-1"' in one and "http.access" in one]
            until(lines, "the line of a batch")
            line = lines()[0]
        check_sent_on(spans())
        check(line["questions"] == 20 and line["failed"] == 1 and line["outcome"] == "mixed" and line["choose_ms"] > 0 and line["model_ms"] > 0 and
              "%.6f" % line["cost_usd"] == headers["x-takc-cost-usd"], "the line of a batch: %s" % line)
        # Without a collector the client's context is sent on as it came, unless that is switched off.
        for more, expected in (({}, (PARENT, "vendor=1")), ({"OTEL_PROPAGATORS": "none"}, (None, None)), ({"OTEL_SDK_DISABLED": "true"}, (PARENT, "vendor=1"))):
            with live.Server(home, env={**env, **more}) as server:
                check(server.ask("POST", "/query", dict(question("the month of %d" % len(Model.seen))), state)[0] == 200, "a question")
                check(Model.seen[-1] == expected, "%s: sent on: %s" % (more, Model.seen[-1]))


def check_sent_on(found):
    trace, parent = PARENT.split("-")[1:3]
    by_id = {s["spanId"]: s for s in found}
    context = [(c.split("-"), state) for c, state in Model.seen]
    (version, at, under, flags), state = context[0]
    check((version, at, flags, state) == ("00", trace, "01", "vendor=1"), "the model's context: %s" % (context[0],))
    span = by_id.get(under)
    check(span and span["name"] == "chat m" and span["kind"] == 3 and span["traceId"] == trace, "the model was asked under: %s" % span)
    broken = by_id.get(context[1][0][2])
    check(broken and broken["name"] == "chat m" and broken["status"] == {"code": 2} and attributes(broken)["error.type"], "a model that failed: %s" % broken)
    hook = by_id.get(Hook.seen[0][0].split("-")[2])
    check(hook and hook["name"] == "admit" and hook["traceId"] == trace and Hook.seen[0][1] == "vendor=1", "the webhook was asked under: %s" % hook)
    root = [s for s in found if s["name"] == "POST /query/batch"][0]
    about = attributes(root)
    check(about["takc.questions"] == "20" and about["takc.questions_failed"] == "1" and root["traceId"] != trace, "a batch's span: %s" % about)
    batch = context[2:]
    check(len(batch) == 20 and all(c[1] == root["traceId"] and state is None for c, state in batch), "a batch's contexts: %s" % batch)
    under = [by_id[c[2]] for c, _ in batch]
    chats = [s for s in under if s["name"] == "chat m"]
    check(len(chats) == 16 and len({s["spanId"] for s in chats}) == 16 and under.count(root) == 4, "a batch's models: %s" % [s["name"] for s in under])
    for s in chats:
        item = by_id[s["parentSpanId"]]
        stages = [c["name"] for c in found if c.get("parentSpanId") == item["spanId"]]
        check(item["name"] == "question" and item["parentSpanId"] == root["spanId"] and {"cache", "choose", "chat m"} == set(stages), "a question: %s" % item)
    check(len([s for s in found if s["name"] == "question"]) == 16, "spans of questions are bounded")


def job(server, path, body, headers=None):
    """A job's id, once it has ended."""
    status, _, reply = server.ask("POST", path, body, headers)
    check(status == 202, "%s: %s %s" % (path, status, reply))
    ended = lambda: server.ask("GET", "/jobs/" + reply["job_id"])[2]["status"] in ("done", "failed")
    until(ended, "the end of a job")
    return reply["job_id"]


def document(task, text):
    return {"task_type": task, "create": True, "async": True, "documents": [{"name": "a.txt", "text": (text + " ") * 30}]}


def jobs_go_on():
    """A job is run under a span of its own in the trace of the request that queued it, and asks its models with it, also after a restart."""
    env = {"OTEL_SERVICE_NAME": "observed", "TAKC_MODEL_NAME": "openai:m", "OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": listen(Model) + "/v1",
           "TAKC_LOG_FORMAT": "json", "no_proxy": "127.0.0.1"}
    collected = {**env, "OTEL_EXPORTER_OTLP_ENDPOINT": listen(Sink), "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20b"}
    state = {"traceparent": PARENT, "tracestate": "vendor=1"}
    Sink.bodies.clear()
    Model.seen.clear()
    ids = {}
    with live.home() as home:
        with live.Server(home, env=collected) as server:
            ids["good"] = job(server, "/compress", {"task_type": "fin", "compression_rates": ["4x", "16x"]}, {**state, "Idempotency-Key": "k1"})
            good = list(Model.seen)
            again = server.ask("POST", "/compress", {"task_type": "fin", "compression_rates": ["4x", "16x"]}, {"Idempotency-Key": "k1"})
            check(again[0] == 202 and again[2]["job_id"] == ids["good"], "another trace, another request: %s" % (again,))
            _, _, shown = server.ask("GET", "/jobs/" + ids["good"])
            check("trace" not in json.dumps(shown), "a job that tells its trace: %s" % shown)
            ids["bad-in"] = job(server, "/process", document("bad", "The broken pump of Basel was sold for 12 million CHF."))
            ids["bad"] = job(server, "/compress", {"task_type": "bad", "compression_rates": ["4x"]})
            job(server, "/process", document("slow", "The plant of Basel slowly shipped 120 tonnes in week 7."))
            n = len(Model.seen)
            status, _, reply = server.ask("POST", "/compress", {"task_type": "slow", "compression_rates": ["4x"]}, state)
            ids["slow"] = reply["job_id"]
            until(lambda: len(Model.seen) > n, "a model that is asked slowly")
        Model.gate.set()
        with live.Server(home, env=collected) as server:
            until(lambda: server.ask("GET", "/jobs/" + ids["slow"])[2]["status"] == "done", "the end of a job that was put back")
            slow = Model.seen[n:]
        check_jobs(spans(), ids, good, slow)
        with sqlite3.connect(home + "/catalog.sqlite") as db:
            kept = db.execute("SELECT count(*) FROM jobs WHERE request <> ''").fetchone()[0]
            check(kept == 0, "requests of jobs that have ended: %s" % kept)
        # Without a collector, as for questions: the client's context as it came, or none.
        for i, (more, expected) in enumerate((({}, (PARENT, "vendor=1")), ({"OTEL_PROPAGATORS": "none"}, (None, None)))):
            Model.seen.clear()
            with live.Server(home, env={**env, **more, "TAKC_MODEL_NAME": "openai:m%d" % i}) as server:  # of another model no reply is kept
                job(server, "/compress", {"task_type": "fin", "compression_rates": ["4x"]}, state)
            check(Model.seen and set(Model.seen) == {expected}, "%s: jobs sent on: %s" % (more, Model.seen))


def check_jobs(found, ids, good, slow):
    trace = PARENT.split("-")[1]
    runs = [s for s in found if s["name"].startswith("job ")]
    by_id = {s["spanId"]: s for s in found}
    of = lambda name: sorted((s for s in runs if attributes(s)["takc.job.id"] == ids[name]), key=lambda s: int(s["startTimeUnixNano"]))
    check(len(of("good")) == len(of("bad")) == len(of("bad-in")) == 1 and len(of("slow")) == 2, "runs: %s" % [s["name"] for s in runs])
    for s in runs:
        root = by_id[s["parentSpanId"]]
        check(root["kind"] == 2 and root["name"] == "POST /" + s["name"].split()[1] and root["traceId"] == s["traceId"] and s["kind"] == 5 and
              int(root["startTimeUnixNano"]) <= int(s["startTimeUnixNano"]) <= int(s["endTimeUnixNano"]), "a job below its request: %s %s" % (root, s))
        for stage in (c for c in found if c.get("parentSpanId") == s["spanId"]):
            check(stage["kind"] == 1 and stage["traceId"] == s["traceId"] and int(s["startTimeUnixNano"]) <= int(stage["startTimeUnixNano"]) <=
                  int(stage["endTimeUnixNano"]) <= int(s["endTimeUnixNano"]), "a stage lies outside of its job: %s %s" % (s, stage))
    run = of("good")[0]
    stages = lambda run: {c["name"] for c in found if c.get("parentSpanId") == run["spanId"]}
    check({"compress 4x", "compress medium"} <= stages(run), "stages: %s" % stages(run))
    about = attributes(run)
    check(run["name"] == "job compress" and run["traceId"] == trace and "status" not in run and about["takc.job.kind"] == "compress" and
          about["takc.task"] == "fin" and about["takc.job.attempts"] == "1" and about["takc.outcome"] == "done", "a job: %s" % run)
    check(about["gen_ai.request.model"] == "m" and about["gen_ai.provider.name"] == "openai" and about["takc.model_calls"] == str(len(good)) and
          about["gen_ai.usage.input_tokens"] == str(20 * len(good)) and about["gen_ai.usage.output_tokens"] == str(5 * len(good)), "its models: %s" % about)
    check(good and set(good) == {("00-%s-%s-01" % (trace, run["spanId"]), "vendor=1")}, "a job's models were asked under: %s" % good)
    bad, read = of("bad")[0], of("bad-in")[0]
    check(bad["status"] == {"code": 2} and attributes(bad)["takc.outcome"] == "failed" and attributes(bad)["error.type"] and
          bad["traceId"] not in (trace, read["traceId"]), "a job that failed: %s" % bad)
    check(read["name"] == "job process" and "status" not in read and "gen_ai.request.model" not in attributes(read), "documents: %s" % read)
    first, last = of("slow")
    check("compress 4x" in stages(first), "a stage that was cut off before its first reply: %s" % stages(first))
    check([attributes(s)["takc.outcome"] for s in (first, last)] == ["queued", "done"] and "status" not in first and
          first["parentSpanId"] == last["parentSpanId"] and first["traceId"] == last["traceId"] == trace, "put back: %s %s" % (first, last))
    check([slow[i][0] for i in (0, -1)] == ["00-%s-%s-01" % (trace, s["spanId"]) for s in (first, last)], "asked under: %s" % slow)


def grpc_is_warned_of():
    with live.home() as home:
        for protocol, said in (("grpc", True), ("http/protobuf", False)):
            with live.Server(home, env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}) as server:
                check(("trace.protocol: grpc" in server.said()) == said, protocol + ": " + server.said())


def without_collector():
    """Nobody listens: requests are answered, spans are lost and counted, and the log says so once."""
    env = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/x", "no_proxy": "127.0.0.1", "TAKC_SERVE_LOG_QUESTIONS": "true",
           "TAKC_SERVE_QUOTA_PER_S": "0"}
    with live.home() as home, live.Server(home, "--log-level", "warn,http.access=info", env=env) as server:
        def lost():
            check(server.ask("GET", "/livez")[0] == 200, "a request without a collector")
            return series(server)[0]["takc_trace_spans_dropped_total"] > 5
        until(lost, "spans that are lost")
        until(lambda: "spans were not taken" in server.said(), "the word about it, which comes behind the count")
        check(server.said().count("spans were not taken") == 1, "the log: " + server.said())
        server.ask("POST", "/query", {"task_type": "fin", "query": "What of %s?" % CANARY})
        until(lambda: re.search(r"http\.access: request .*question=What of " + CANARY, server.said()), "a question in the log")


def with_keys():
    """Kept replies ask who comes, each tenant has its own, /metrics is the administrators', refused writes are in the trail."""
    def key(home, *args):
        return {"X-API-Key": re.search(r"takc_\S+", live.run("key", "create", "k", *args, home=home)).group(0)}
    with live.home() as home:
        reader, other = key(home, "--tasks", "fin*"), key(home, "--tasks", "legal")
        tenant, admin = key(home, "--tenant", "acme"), key(home, "--may", "admin")
        with live.Server(home, env={"TAKC_SERVE_AUTH": "key"}) as server:
            first = server.ask("GET", "/cache/fin/8x", headers=reader)
            again = server.ask("GET", "/cache/fin/8x", headers=reader)
            check(first[0] == again[0] == 200 and first[2] == again[2], "a kept reply with a key: %s %s" % (first, again))
            check(server.ask("GET", "/cache/fin/8x")[0] == 401, "a kept reply without a key")
            check(server.ask("GET", "/cache/fin/8x", headers=other)[0] == 403, "a kept reply of a task that the key may not name")
            check(server.ask("GET", "/cache/fin/8x", headers=tenant)[0] == 404, "another tenant's kept reply")
            check(server.ask("GET", "/metrics")[0] == 401 and server.ask("GET", "/metrics", headers=reader)[0] == 403, "metrics without the scope")
            status, _, body = server.ask("GET", "/metrics", headers=admin)
            check(status == 200 and b"takc_reply_cache_hits_total 1\n" in body and b"takc_auth_refused_total 4\n" in body, body.decode())
            check(server.ask("PUT", "/tasks/x", {}, headers=reader)[0] == 403 and server.ask("PUT", "/tasks/x", {})[0] == 401, "writes without the scope")

            def trail():
                with sqlite3.connect("file:%s/catalog.sqlite?mode=ro" % home, uri=True) as db:
                    return db.execute("SELECT action, status, subject <> '' FROM audit ORDER BY id").fetchall()
            # Written behind their replies, so in any order.
            until(lambda: sorted(trail()) == [("putTask", 401, 0), ("putTask", 403, 1)], "rows of refused writes")
        with live.Server(home, env={"TAKC_SERVE_AUTH": "key", "TAKC_SERVE_METRICS_OPEN": "true"}) as server:
            check(server.ask("GET", "/metrics")[0] == 200 and server.ask("GET", "/tasks")[0] == 401, "open metrics")


def refused_options():
    for name, value, word in (("OTEL_TRACES_SAMPLER", "now and then", "trace.sampler"), ("TAKC_SERVE_METRICS_TASKS", "a/b", "serve.metrics_tasks"),
                              ("OTEL_EXPORTER_OTLP_HEADERS", "nonsense", "trace.headers")):
        env = dict(os.environ, TAKC_HOME="/tmp/takc-observe-none", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", **{name: value})
        done = subprocess.run([live.TAKC, "serve", "--port", "0"], env=env, capture_output=True, text=True, timeout=60)
        check(done.returncode == 2 and word in done.stderr, "%s=%s: %s %s" % (name, value, done.returncode, done.stderr))
        shutil.rmtree("/tmp/takc-observe-none", ignore_errors=True)


observed()
sent_on()
jobs_go_on()
without_collector()
grpc_is_warned_of()
with_keys()
refused_options()
if not shutil.which("promtool"):
    live.skip("promtool is missing (Debian: apt-get install prometheus); everything else was checked")
