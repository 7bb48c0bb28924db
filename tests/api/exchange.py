# SPDX-License-Identifier: Apache-2.0
"""Exchanges with a live server: tests/api/exchanges/*.http, each a request as it is sent and the reply that must come, to the last header.

    exchange.py [FILE...]            sends and compares; without FILE all of them
    exchange.py --missing            also fails where a path of /openapi.json has no exchange; without it they are only named
    exchange.py --record [FILE...]   writes the replies that come into the files. A person reads the difference before it is kept

A file:

    # What it shows. Lines of '#' stand at the top. "# env: NAME=VALUE" is the environment of a server of its own, whose one task is fin;
    # "# needs: SETTING" skips the file where takc config list has no such setting; "# body: crlf" ends lines of request bodies with CR LF
    # (chunks).
    >>>
    POST /query HTTP/1.1
    Host: localhost
    Content-Length: {{length}}

    {"query": "..."}
    <<<
    HTTP/1.1 200 OK
    ...

Pairs of one file go over one connection as long as that stands. Lines of heads end with CR LF; a body ends before the line break in front of
the next mark; a chunked body is written without its chunks. In requests {{length}} is the body's and {{x*100}} a hundred x. In replies
{{request_id}} {{session}} {{date}} {{timestamp}} {{number}} {{version}} {{rest}} stand for what cannot be the same twice; recording puts them in. Standard library
only.
"""
import collections
import glob
import os
import re
import socket
import sys

import live

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "exchanges")
PLACES = {
    "request_id": rb"[0-9a-f]{32}",
    "session": rb"[0-9a-f]{32}",
    "date": rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d GMT",
    "timestamp": rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "number": rb"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?",
    "version": rb"\d+\.\d+\.\d+",
    "rest": rb".*",
}
# What recording looks for: members and headers whose values are measured, or taken from a clock.
MEASURED = rb'"(\w+_ms|uptime_s|retry_after_s|created)":\d+(?:\.\d+)?(?:[eE][-+]?\d+)?'
MEASURED_HEADERS = rb"(?im)^(x-takc-overhead-ms|ratelimit-reset): \d+(?:\.\d+)?"

Pair = collections.namedtuple("Pair", "request reply")


class Exchange:
    """A file."""

    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)
        with open(path, "rb") as f:
            head, *pairs = re.split(rb"(?m)^>>>\n", f.read())
        self.notes = head
        self.env = dict(x.split("=", 1) for x in re.findall(r"(?m)^# env: (\S+)$", head.decode()))
        self.needs = re.findall(r"(?m)^# needs: (\S+)$", head.decode())
        self.crlf = b"# body: crlf" in head
        self.pairs = [Pair(*(p.split(b"<<<\n", 1) + [b""])[:2]) for p in pairs]

    def keep(self, replies):
        with open(self.path, "wb") as f:
            f.write(self.notes)
            for pair, reply in zip(self.pairs, replies):
                f.write(b">>>\n" + pair.request + b"<<<\n" + reply)


def bytes_of(request, crlf):
    """What is sent for a request as it is written."""
    request = re.sub(rb"\{\{(.)\*(\d+)\}\}", lambda m: m[1] * int(m[2]), request[:-1])
    head, _, body = request.partition(b"\n\n")
    if crlf:
        body = body.replace(b"\n", b"\r\n")
    head = head.replace(b"{{length}}", b"%d" % len(body))
    return head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body


class Wire:
    """A connection."""

    def __init__(self, server):
        self.server, self.socket = server, None

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def ask(self, request):
        if not self.socket:
            self.socket = socket.create_connection((self.server.host, self.server.port), timeout=30)
            self.file = self.socket.makefile("rb")
        try:
            self.socket.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was refused before its end; the reply is there
        return self.read(request.startswith(b"HEAD "))

    def read(self, no_body):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.file.readline()
            if not line:
                raise SystemExit("FAILED: the connection was closed in a head: %r" % head)
            head += line
        headers = {k.lower(): v.strip() for k, _, v in (x.partition(b":") for x in head.split(b"\r\n")[1:])}
        status = int(head.split()[1])
        if no_body or status in (204, 304):
            body = b""
        elif headers.get(b"transfer-encoding") == b"chunked":
            body = b"".join(self.chunks())
        else:
            body = self.file.read(int(headers[b"content-length"]))
        if headers.get(b"connection") == b"close":
            more = self.file.read()
            if more:
                raise SystemExit("FAILED: bytes behind the reply: %r" % more[:200])
            self.close()
        return head.replace(b"\r\n", b"\n") + body + b"\n"

    def chunks(self):
        while True:
            n = int(self.file.readline(), 16)
            yield self.file.read(n)
            self.file.readline()
            if n == 0:
                return


def pattern_of(reply):
    """A pattern of a reply with its places."""
    parts = re.split(rb"\{\{(\w+)\}\}", reply)
    return b"".join(PLACES[p.decode()] if i % 2 else re.escape(p) for i, p in enumerate(parts))


def with_places(request, reply):
    """A reply that came, with the places for what will not come again."""
    sent = re.search(rb"(?im)^x-request-id: (\S+)", request)
    mine = re.search(rb"(?im)^x-request-id: (\S+)", reply)
    if mine and not (sent and sent[1] == mine[1]):
        reply = reply.replace(mine[1], b"{{request_id}}")
    before = reply
    reply = re.sub(rb'\{"openapi":"(3\.1\.\d)",.*\n', rb'{"openapi":"\1",{{rest}}\n', reply)  # tests/api/contract.py looks at it
    reply = re.sub(MEASURED, lambda m: b'"%s":{{number}}' % m[1], reply)
    reply = re.sub(MEASURED_HEADERS, lambda m: m[1] + b": {{number}}", reply)
    reply = re.sub(rb'(?m)^(RateLimit: .*)$', lambda m: re.sub(rb";t=\d+", b";t={{number}}", m[1]), reply)
    if b"retry_after_s" in reply:  # a second sooner or later
        reply = re.sub(rb"(?im)^(retry-after): \d+", rb"\1: {{number}}", reply)
    if reply != before:
        reply = re.sub(rb"(?im)^(content-length): \d+", rb"\1: {{number}}", reply)
    reply = re.sub(rb"(?m)^(Mcp-Session-Id): [0-9a-f]{32}", rb"\1: {{session}}", reply)
    reply = re.sub(PLACES["date"], b"{{date}}", reply)
    reply = re.sub(PLACES["timestamp"], b"{{timestamp}}", reply)
    return re.sub(rb'("version":|"takc","title":"[^"]*","version":)"\d+\.\d+\.\d+"', rb'\1"{{version}}"', reply)


def show(want, got):
    """The lines in which they differ."""
    for w, g in zip(want.split(b"\n") + [b"(end)"], got.split(b"\n") + [b"(end)"]):
        if not re.fullmatch(pattern_of(w), g, re.S):
            return "expected %s\n     got %s" % (w.decode(errors="replace")[:3000], g.decode(errors="replace")[:3000])
    return "expected %d lines, got %d" % (want.count(b"\n"), got.count(b"\n"))


def run(exchange, server, record):
    """False: a reply is not what it must be."""
    wire, replies, good = Wire(server), [], True
    for i, pair in enumerate(exchange.pairs):
        got = wire.ask(bytes_of(pair.request, exchange.crlf))
        replies.append(with_places(pair.request, got))
        if not record and not re.fullmatch(pattern_of(pair.reply), got, re.S):
            print("FAILED: %s, exchange %d:\n%s" % (exchange.name, i + 1, show(pair.reply, got)), file=sys.stderr)
            good = False
    wire.close()
    if record:
        exchange.keep(replies)
    return good


def prepare(server):
    """Tasks whose models answer, are busy, fail."""
    for task, model in (("written", "fake:obedient"), ("limited", "fake:obedient-throttled*9"), ("broken", "fake:obedient-server*9")):
        status, _, body = server.ask("PUT", "/tasks/" + task, {"description": "", "model": {"name": model}})
        live.check(status == 200, "PUT /tasks/%s: %d %r" % (task, status, body))


def without_exchange(server, exchanges):
    """Operations of /openapi.json that no exchange asks for: "GET /tasks/{task}"."""
    asked = set()
    for e in exchanges:
        for pair in e.pairs:
            method, _, rest = pair.request.decode(errors="replace").partition(" ")
            asked.add((method, re.sub(r"^/v1(?=/)", "", re.split(r"[ ?]", rest)[0])))
    missing = []
    for path, operations in server.ask("GET", "/openapi.json")[2]["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
        missing += ["%s %s" % (m.upper(), path) for m in operations
                    if not any(a == m.upper() and re.fullmatch(pattern, p) for a, p in asked)]
    return missing


def main(args):
    record, strict = "--record" in args, "--missing" in args
    files = [a for a in args if not a.startswith("--")] or sorted(glob.glob(os.path.join(HERE, "*.http")))
    whole = not any(not a.startswith("--") for a in args)
    groups, bad, n, left_out = {}, 0, 0, 0
    settings = live.run("config", "list")
    for e in map(Exchange, files):
        if all(s in settings for s in e.needs):
            groups.setdefault(tuple(sorted(e.env.items())), []).append(e)
        else:
            left_out += 1
    for env, exchanges in groups.items():
        tasks = ["fin"] if env else ["fin", "written", "limited", "broken", "scratch"]
        with live.home(*tasks) as home:
            live.run("init", "bare", home=home)
            with live.Server(home, env=dict(TAKC_MODEL_RETRIES="1", TAKC_MODEL_RETRY_BASE_MS="1", **dict(env))) as server:
                if not env:
                    prepare(server)
                for e in exchanges:
                    bad += not run(e, server, record)
                    n += len(e.pairs)
                if whole and not env:
                    missing = without_exchange(server, exchanges)
                    if missing:
                        print("%s: no exchange asks for %s" % ("FAILED" if strict else "NOTE", ", ".join(missing)), file=sys.stderr)
                        bad += strict
    print("%d exchanges %s%s" % (n, "recorded" if record else "not all held" if bad else "held", ", %d files wait for their setting" % left_out if left_out else ""))
    return 1 if bad else 0


sys.exit(main(sys.argv[1:]))
