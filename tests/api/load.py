# SPDX-License-Identifier: Apache-2.0
"""A mixed load of many clients against a takc serve with keys and tenants: mixed.py and soak.py. Standard library only.

Every client is a thread with random numbers of its own, a tenant and a connection that it mostly keeps. It draws what it does next from
OPERATIONS; each says which statuses may come. A tenant's documents hold a word that no other tenant may ever read."""
import collections
import contextlib
import http.client
import json
import os
import random
import socket
import ssl
import struct
import sys
import threading
import time

import live

SANITIZED = any(s in os.environ.get("TAKC_BUILD_DIR", "") + live.TAKC for s in ("asan", "tsan"))
WORDS = {"": "Helvetia", "acme": "anvils", "beta": "turbines"}  # of the tenants; "" is the default one
BOUNDARY = "b0undary"
RATES = ("64x", "32x", "16x", "8x", "light")


ANY_CERTIFICATE = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # one for all: a default context reads all the system's authorities
ANY_CERTIFICATE.check_hostname, ANY_CERTIFICATE.verify_mode = False, ssl.CERT_NONE


def document(word, name):
    lines = ["Sheet %s of %s.\n\nThe price of %s was 12 CHF in week %d." % (name, word, word, len(name))]
    return "\n".join(lines + ["Lot %d of %s weighs %d kg." % (n, word, 20 + n) for n in range(40)]) + "\n"


@contextlib.contextmanager
def home():
    """A home with the task fin in three tenants, and their keys: yields path, {tenant: key of every scope}."""
    with live.home() as path:
        keys = {}
        for tenant, word in WORDS.items():
            folder = os.path.join(os.path.dirname(path), "docs-" + (tenant or "default"))
            os.makedirs(folder)
            for name in ("own.txt", "more.txt"):
                with open(os.path.join(folder, name), "w") as f:
                    f.write(document(word, name))
            where = os.path.join(path, "tenants", tenant) if tenant else path
            if tenant:
                live.run("init", "fin", home=where)
            live.run("ingest", "-t", "fin", folder, home=where)
            live.run("compress", "-t", "fin", home=where)
            options = ("--tenant", tenant) if tenant else ()
            made = live.run("key", "create", tenant or "default", "--may", "query,ingest,admin", *options, "--json", home=path)
            keys[tenant] = json.loads(made)["key"]
        yield path, keys


def form(*parts):
    """A body of form-data: ("task_type", "fin") is a field, ("files", "a.txt", "...") a file."""
    out = ""
    for p in parts:
        named = '; filename="%s"\r\nContent-Type: text/plain' % p[1] if len(p) == 3 else ""
        out += '--%s\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (BOUNDARY, p[0], named, p[-1])
    return (out + "--%s--\r\n" % BOUNDARY).encode()


class Wrong(Exception):
    """What came is not what may come."""


class Cut(Exception):
    """The events of a job ended before it: a server that stops may do that, no other."""


class Client(threading.Thread):
    """One client. Ends when go_on() is false, or at the first thing that is wrong, which is in .wrong then."""

    def __init__(self, number, server, tenant, keys, go_on, counts):
        super().__init__(daemon=True, name="client %d" % number)
        self.number, self.server, self.tenant, self.key, self.go_on, self.counts = number, server, tenant, keys[tenant], go_on, counts
        self.foreign = [w.encode() for t, w in WORDS.items() if t != tenant]
        self.random = random.Random(number)
        self.connection = self.wrong = None
        self.made = 0
        self.doing = "nothing yet"

    # ---- the wire ----

    def connect(self):
        if self.server.url.startswith("https"):
            return http.client.HTTPSConnection(self.server.host, self.server.port, timeout=120, context=ANY_CERTIFICATE)
        return http.client.HTTPConnection(self.server.host, self.server.port, timeout=120)

    def headers(self, more=None):
        return {"Authorization": "Bearer " + self.key, **(more or {})}

    def send(self, method, path, body=None, headers=None):
        """(status, headers, bytes) over the connection that is kept; one that the server closed meanwhile is opened again."""
        headers = self.headers(headers) if headers is None or "X-API-Key" not in headers else headers
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers = dict(headers, **{"Content-Type": "application/json"})
        fresh = self.connection is None
        try:
            self.connection = self.connection or self.connect()
            self.connection.request(method, path, body, headers)
            reply = self.connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            self.drop()
            if fresh or method not in ("GET", "HEAD"):
                raise
            return self.send(method, path, body, headers)
        data = reply.read()
        if reply.will_close or self.random.random() < 0.1:
            self.drop()
        for word in self.foreign:
            if word in data:
                raise Wrong("tenant %r reads %r: %r" % (self.tenant, word, data[:400]))
        return reply.status, {k.lower(): v for k, v in reply.getheaders()}, data

    def drop(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def ask(self, method, path, body=None, statuses=(200,), headers=None):
        """Asks, and holds the reply to the statuses. Returns (status, headers, JSON or bytes)."""
        status, got, data = self.send(method, path, body, headers)
        if status not in statuses:
            raise Wrong("%s %s: %d, not one of %s: %r" % (method, path, status, statuses, data[:600]))
        if data and got.get("content-type", "").startswith("application/json"):
            data = json.loads(data)
        return status, got, data

    # ---- operations ----

    def question(self, **more):
        what = self.random.choice(["What was the price in week 7?", "Which lot weighs 33 kg?", "What is sold?", "Was there a dividend?"])
        model = {"model": "fake:obedient", "mode": "select"} if self.random.random() < 0.4 else {}
        return {"task_type": "fin", "query": what, "compression_rate": self.random.choice(RATES), **model, **more}

    def query(self):
        _, got, reply = self.ask("POST", "/query", self.question())
        if "response" not in reply or not got.get("x-takc-version"):
            raise Wrong("an answer: %s" % reply)

    def stream(self):
        _, _, data = self.ask("POST", "/query", self.question(stream=True))
        if not data.rstrip().endswith(b"data: [DONE]") or b"event: result" not in data:
            raise Wrong("a stream: %r" % data[-400:])

    def hang_up(self):
        """Leaves in mid-stream, before the reply, or in the body; now and then with a reset."""
        connection = self.connect()
        stage = self.random.randrange(4)
        body = json.dumps(self.question(stream=True)).encode()
        headers = self.headers({"Content-Type": "application/json", "Content-Length": str(len(body) + (10 if stage == 0 else 0))})
        connection.putrequest("POST", "/query")
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        if stage >= 2:
            connection.sock.recv(1 if stage == 2 else 200)
        if self.random.random() < 0.5:
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def chat(self):
        body = {"model": "takc/fin", "messages": [{"role": "user", "content": "What was the price in week 7?"}]}
        if self.random.random() < 0.5:
            _, _, reply = self.ask("POST", "/v1/chat/completions", body)
            if reply["choices"][0]["message"]["role"] != "assistant":
                raise Wrong("chat: %s" % reply)
            return
        _, _, data = self.ask("POST", "/v1/chat/completions", dict(body, stream=True, stream_options={"include_usage": True}))
        if not data.rstrip().endswith(b"data: [DONE]"):
            raise Wrong("a chat's stream: %r" % data[-400:])

    def batch(self):
        questions = ["What was the price in week %d?" % n for n in range(self.random.randrange(1, 6))]
        _, _, reply = self.ask("POST", "/query/batch", {"task_type": "fin", "queries": questions})
        if [r["status"] for r in reply["results"]] != ["ok"] * len(questions):
            raise Wrong("a batch: %s" % reply)

    def cached(self):
        path = "/cache/fin/" + self.random.choice(("ultra", "high", "medium", "light"))
        _, got, data = self.ask("GET", path)
        if not data:
            raise Wrong("an empty rate")
        status, again, data = self.ask("GET", path, statuses=(200, 304), headers={"If-None-Match": got["etag"]})
        if (status == 304) != (again["etag"] == got["etag"]) or (status == 304 and data):
            raise Wrong("If-None-Match: %d, %s, %s" % (status, got["etag"], again["etag"]))
        self.ask("GET", "/cache/fin")

    def text(self):
        _, _, reply = self.ask("GET", "/tasks/fin/documents")
        name = self.random.choice(reply["documents"])["document"]
        status, _, reply = self.ask("GET", "/tasks/fin/documents/%s/text?start=0&end=60" % name.replace("/", "%2F"), statuses=(200, 404))
        if status == 200 and not reply["text"]:
            raise Wrong("an empty text of %s" % name)

    def upload_and_forget(self):
        """Into a task that all clients of a tenant share; its own document goes again."""
        name = "up/%d.txt" % self.number
        body = form(("task_type", "fin"), ("files", name, document(WORDS[self.tenant], name + "x" * self.random.randrange(9))))
        status, _, reply = self.ask("POST", "/process", body, (200, 202, 503), {"Content-Type": "multipart/form-data; boundary=" + BOUNDARY})
        if status == 200:
            self.ask("DELETE", "/tasks/fin/documents/" + name.replace("/", "%2F"), statuses=(200, 503))

    def compress(self):
        status, got, reply = self.ask("POST", "/compress", {"task_type": "fin"}, (202, 503))
        if status == 503:
            return
        job = reply["job_id"]
        _, _, data = self.ask("GET", "/jobs/%s/events" % job)
        if b"data: [DONE]" not in data and data.startswith(b"event: progress") and data.endswith(b"\n\n"):
            raise Cut("events of a job: %r" % data[-800:])
        if not data.rstrip().endswith(b"data: [DONE]") or not (b"event: done" in data or b"event: cancelled" in data):
            raise Wrong("events of a job: %r" % data[-800:])
        self.ask("GET", "/jobs/" + job)
        self.ask("GET", "/jobs?limit=20")

    def cancel(self):
        status, _, reply = self.ask("POST", "/compress", {"task_type": "fin"}, (202, 503))
        if status == 202:
            self.ask("DELETE", "/jobs/" + reply["job_id"], statuses=(200, 202, 409))

    def others_job(self):
        """A job that another tenant may have."""
        self.ask("GET", "/jobs/00000000000000000000000000", statuses=(404,))

    def task(self):
        """A task from its first document to its end."""
        name = "t%d-%d" % (self.number, self.random.randrange(3))
        self.ask("PUT", "/tasks/" + name, {"description": "of client %d" % self.number, "rates": ["8x"]}, (200, 201),
                 {"Idempotency-Key": "k-%d-%d" % (self.number, self.made)} if self.random.random() < 0.5 else None)
        self.made += 1
        text = {"name": "a.txt", "text": document(WORDS[self.tenant], "a")}
        status, _, _ = self.ask("POST", "/process", {"task_type": name, "documents": [text]}, (200, 202, 503))
        if status == 200:
            self.ask("POST", "/compress", {"task_type": name, "wait": True}, (200, 202, 503))
        self.ask("POST", "/query", {"task_type": name, "query": "What is the price?"}, (200, 404))
        self.ask("DELETE", "/tasks/" + name, statuses=(200, 503))

    def versions(self):
        status, _, reply = self.ask("GET", "/tasks", statuses=(200,))
        if "fin" not in reply["tasks"]:
            raise Wrong("tasks: %s" % reply)
        self.ask("GET", "/tasks/fin")
        self.ask("POST", "/cache/fin/rollback", {}, (200, 404, 409, 503))

    def mcp(self):
        call = {"name": "takc_query", "arguments": {"task": "fin", "query": "What was the price?"}}
        if self.random.random() < 0.4:
            call = {"name": "takc_list_tasks", "arguments": {}}
        _, _, reply = self.ask("POST", "/mcp", {"jsonrpc": "2.0", "id": self.made, "method": "tools/call", "params": call},
                               headers={"MCP-Protocol-Version": "2025-11-25", "Accept": "application/json, text/event-stream"})
        if reply["result"].get("isError"):
            raise Wrong("mcp: %s" % reply)

    def state(self):
        own = (403,) if self.tenant else (200,)  # what the whole server counts is no tenant's to read
        self.ask("GET", "/metrics", statuses=own)
        self.ask("GET", "/metrics", statuses=own, headers={"Accept": "application/json"})
        for path in ("/health", "/livez", "/readyz", "/openapi.json", "/v1/models"):
            self.ask("GET", path)

    def wrong_key(self):
        key = self.random.choice((self.key[:-1] + ("a" if self.key[-1] != "a" else "b"), "x", "takc_" + "0" * 60))
        self.ask("POST", "/query", self.question(), (401,), {"X-API-Key": key})
        self.drop()

    def unfit(self):
        self.ask("POST", "/query", {"task_type": "fin", "query": ""}, (400,))
        self.ask("POST", "/query", {"task_type": "nosuch", "query": "x"}, (404,))
        self.ask("GET", "/cache/fin/7x", statuses=(400, 404))
        self.ask("GET", "/nowhere", statuses=(404,))
        self.ask("PATCH", "/query", b"", (405,))

    def run(self):
        names, weights = zip(*OPERATIONS.items())
        try:
            while self.go_on():
                self.doing = self.random.choices(names, weights)[0]
                getattr(self, self.doing)()
                self.counts[self.doing] += 1
        except Exception as e:  # whatever it is, the test says it
            self.wrong = "%s, tenant %r: %s: %s: %s" % (self.name, self.tenant, self.doing, type(e).__name__, str(e)[:1500])
        finally:
            self.drop()


OPERATIONS = {"query": 20, "stream": 12, "hang_up": 8, "chat": 10, "batch": 5, "cached": 15, "text": 8, "upload_and_forget": 5, "compress": 3, "cancel": 2,
              "others_job": 1, "task": 3, "versions": 4, "mcp": 6, "state": 3, "wrong_key": 4, "unfit": 3}


def clients(server, keys, n, go_on, counts=None):
    """n clients at work, tenants in turn. go_on() is asked before each operation, from their threads."""
    counts = collections.Counter() if counts is None else counts
    tenants = sorted(WORDS)
    crew = [Client(i, server, tenants[i % len(tenants)], keys, go_on, counts) for i in range(n)]
    for c in crew:
        c.start()
    return crew


def join(crew, seconds, told=lambda: ""):
    """Waits for them all; fails with what went wrong, and with what told() has to say of it."""
    end = time.monotonic() + seconds
    for c in crew:
        c.join(max(0.1, end - time.monotonic()))
    late = ["%s does not end: %s" % (c.name, c.doing) for c in crew if c.is_alive()]
    wrong = [c.wrong for c in crew if c.wrong] + late
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        print(told()[-3000:], file=sys.stderr)
    live.check(not wrong, "%d clients: %s" % (len(wrong), (wrong or [""])[0]))


def errors_of(log):
    """Lines of a server's log that are errors or a sanitizer's."""
    bad = ("Z error ", "ThreadSanitizer", "AddressSanitizer", "LeakSanitizer", "runtime error")
    return [line for line in log.splitlines() if any(b in line for b in bad)]
