# SPDX-License-Identifier: Apache-2.0
"""Hostile clients against a live takc serve. The deadlines are set short; nothing here depends on how fast the machine is."""
import json
import os
import re
import resource
import socket
import struct
import time

import live

ENV = {"TAKC_SERVE_HEAD_MS": "1500", "TAKC_SERVE_BODY_MS": "1500", "TAKC_SERVE_WRITE_MS": "1500", "TAKC_SERVE_IDLE_MS": "1500"}
POST = "POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def dial(server, room=None):
    s = socket.socket()
    if room:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    s.settimeout(60)
    s.connect((server.host, server.port))
    return s


def read_all(s):
    data = b""
    try:
        while piece := s.recv(65536):
            data += piece
    except ConnectionResetError:
        pass
    return data


def exchange(server, request, close=True):
    """Everything that comes back for these bytes; the sending side is closed behind them. Who does that has gone, as far as the server can
    know, and a request that was given to a fiber may get no reply: close=False where there has to be one."""
    with dial(server) as s:
        try:
            s.sendall(request if isinstance(request, bytes) else request.encode("latin-1"))
            if close:
                s.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before it was all sent
        return read_all(s)


def status_of(reply):
    m = re.match(rb"HTTP/1\.1 (\d{3}) ", reply)
    return int(m.group(1)) if m else None


def alive(server, where):
    status, _, reply = server.ask("POST", "/query", {"task_type": "fin", "query": "What was the revenue of Q3?"})
    live.check(status == 200 and "43 million CHF" in json.dumps(reply), "behind %s: %d %r" % (where, status, reply))


def no_leak(reply, what):
    for word in (b"takc-api-", b"src/", b".c:", b"errno", b"sqlite", b"libmicrohttpd/", os.environ["TAKC"].encode()):
        live.check(word not in reply, "%s: %r shows in %r" % (what, word, reply[-400:]))


# --- slow clients ---

def drip(server, piece, before=b""):
    """Sends a byte at a time until the server has had enough; what it said."""
    with dial(server) as s:
        s.sendall(before)
        s.settimeout(0.05)
        data, n = b"", 0
        while True:
            try:
                got = s.recv(65536)
                if not got:
                    return data
                data += got
            except TimeoutError:
                pass
            except ConnectionResetError:
                return data
            try:
                s.sendall(piece(n))
            except OSError:
                return data + read_all(s)
            n += 1
            live.check(n < 2000, "a client that drips is never sent away")


def slow_heads(server):
    reply = drip(server, lambda n: b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"[n:n + 1] or b"X")
    live.check(status_of(reply) in (408, None), "a slow head: %r" % reply)
    reply = drip(server, lambda n: b"x", POST.encode() + b"Content-Length: 100000\r\n\r\n")
    live.check(status_of(reply) in (408, None), "a slow body: %r" % reply)
    if status_of(reply) == 408:
        head, _, body = reply.partition(b"\r\n\r\n")
        said = json.loads(body)
        live.check(said["error"]["code"] == "TIMEOUT" and said["timestamp"] and b"X-Request-ID: " + said["request_id"].encode() in head
                   and b"Content-Length: %d\r\n" % len(body) in head, "the body of 408: %r" % reply)
    reply = drip(server, lambda n: b"1\r\nx\r\n", POST.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
    live.check(status_of(reply) in (408, None), "a slow chunked body: %r" % reply)


def slow_reader(server):
    """Asks for more than any buffer holds and takes nothing: the connection goes."""
    with dial(server, room=4096) as s:
        for _ in range(400):
            try:
                s.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
            except OSError:
                break
        status, _, _ = server.ask("GET", "/livez")
        live.check(status == 200, "beside a slow reader: %d" % status)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                s.send(b"\r\n")
                time.sleep(0.1)
            except OSError:
                return
        raise SystemExit("FAILED: who takes nothing of a reply keeps its connection")


# --- many ---

def rss_kb(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def idle_connections(server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    n = min(10000, hard - 500)
    before = rss_kb(server.process.pid)
    held = [dial(server) for _ in range(n)]
    alive(server, "%d idle connections" % n)
    grown = rss_kb(server.process.pid) - before
    print("%d idle connections: %.1f KB each" % (n, grown / n))
    for s in held:
        s.settimeout(60)
    live.check({status_of(read_all(held[0])), status_of(read_all(held[-1]))} <= {408, None}, "idle connections are not sent away")
    for s in held:
        s.close()


def large_body(server):
    """A gigabyte is announced, and one that is not announced."""
    reply = exchange(server, POST + "Content-Length: 1073741824\r\n\r\n")
    live.check(status_of(reply) == 413, "a body of a GB: %r" % reply[:200])
    with dial(server) as s:
        s.sendall((POST + "Transfer-Encoding: chunked\r\n\r\n").encode())
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        sent = 0
        try:
            for _ in range(16384):
                s.sendall(chunk)
                sent += 65536
        except OSError:
            pass
        live.check(sent < 1 << 28, "%d bytes of an endless body were taken" % sent)
        reply = read_all(s)
    live.check(status_of(reply) in (413, None), "an endless body: %r" % reply[:200])
    live.check(rss_kb(server.process.pid) < 300000, "memory: %d KB" % rss_kb(server.process.pid))


def gone(server):
    """Clients that reset while a request is on its way."""
    for n in range(200):
        s = dial(server)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        body = json.dumps({"task_type": "fin", "query": "What was the revenue of Q3?", "stream": n % 2 == 0}).encode()
        s.sendall((POST + "Content-Length: %d\r\n\r\n" % len(body)).encode() + body[: len(body) - n % 3])
        s.close()


# --- odd requests ---

FRAMING = (
    ("Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
    ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("Content-Length: +5\r\n\r\nhello", 400),
    ("Content-Length: 5, 5\r\n\r\nhello", 400),
    ("Content-Length: 99999999999999999999999\r\n\r\n", (400, 413)),
    ("Content-Length: -1\r\n\r\n", 400),
    ("Transfer-Encoding: chunked, gzip\r\n\r\n", 501),
    ("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    ("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    ("Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n", (400, None)),
    ("Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", (400, 413, None)),
    ("X(y): 1\r\nContent-Length: 0\r\n\r\n", 400),
    ("X-A: a\x00b\r\nContent-Length: 0\r\n\r\n", (400, None)),
    ("Transfer-Encoding: chunked\r\n\r\n5;" + "e" * 100000 + "\r\nhello\r\n0\r\n\r\n", (500, None)),  # the library's own
    ("Host: other\r\nContent-Length: 0\r\n\r\n", 400),
    ("X-Long: %s\r\nContent-Length: 0\r\n\r\n" % ("a" * 20000), 431),
    ("".join("X-%d: 1\r\n" % n for n in range(200)) + "Content-Length: 0\r\n\r\n", 431),
)
TARGETS = (
    ("/" + "a" * 9000, 414), ("/tasks/../secret", 400), ("/tasks/%2e%2e/documents", 400), ("/tasks/..%2f..%2fetc%2fpasswd", 400), ("/tasks/%00", 400),
    ("/tasks/a%0d%0aX-Evil:%201", 400), ("/cache/..%5c..%5cwindows", 400), ("/tasks/%zz", 400), ("/tasks/fin/documents/..%2f..%2fhome.json/text", (400, 404)),
    ("/tasks/tenants", 400), ("/tasks/%C0%AE%C0%AE", 400), ("//livez", 404), ("/tasks/fin%20", 400), ("/cache/fin/8x%00", 400), ("/cache/fin/%24%7Bjndi%7D", 400),
    ("/livez?" + "a=1&" * 400, 400), ("/livez?" + "a=1&" * 1500, (400, 408, 414, None)), ("*", (400, 404)), ("http://evil/livez", (200, 400, 404)), ("/tasks/fin/documents/" + "a" * 3000 + "/text", (400, 404)),
)
BODIES = (
    b"[" * 100000, b'{"a":' * 100000, b'{"task_type": "fin", "query": "' + b"x" * 200000 + b'"}', b"\xff\xfe\x00", b"", b"null", b'{"task_type": "fin", "task_type": "x", "query": "y"}',
    b'{"task_type": "fin", "query": "\\ud800"}', b'{"task_type": "fin", "query": "a", "factor": 1e999}', b'{"task_type": "fin", "query": "a", "reader_tokens": -1}',
    b'{"task_type": "fin", "query": "a", "reader_tokens": 1e400}', b'{"task_type": "../x", "query": "a"}', b'{"task_type": ["fin"], "query": "a"}',
    b'{"task_type": "fin", "query": "a", "version": "../../x"}', b'{"task_type": "fin", "query": "a\\u0000b"}', b'{"task_type":"fin","query":"a","filters":{"documents":' + b"[" * 3000,
    b'{"task_type":"fin","query":"a","filters":{"documents":["' + b"*a" * 500 + b'"]}}',
)


def odd_requests(server):
    for head, want in FRAMING:
        reply = exchange(server, POST + head)
        live.check(status_of(reply) in (want if isinstance(want, tuple) else (want,)), "%r: %r" % (head[:60], reply[:120]))
        no_leak(reply, head[:60])
    for target, want in TARGETS:
        reply = exchange(server, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % target, close=False)
        live.check(status_of(reply) in (want if isinstance(want, tuple) else (want,)), "%r: %r" % (target[:60], reply[:400]))
        live.check(b"X-Evil" not in reply.split(b"\r\n\r\n")[0], "%r splits a header" % target)
        no_leak(reply, target[:60])
    for body in BODIES:
        reply = exchange(server, POST.encode() + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body, close=False)
        live.check(status_of(reply) in (400, 404) or (status_of(reply) == 200 and (b"*a*a" in body or b"u0000b" in body)), "%r: %r" % (body[:80], reply[-300:]))
        no_leak(reply, body[:60])
    for raw in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"\r\n" * 5000, b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", b"G" * 100000, b"\x00" * 1000,
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
        reply = exchange(server, raw)
        live.check(status_of(reply) in (400, 404, 405, 408, 413, 414, 431, 501, 505, None), "%r: %r" % (raw[:40], reply[:200]))
    status, headers, _ = server.ask("GET", "/livez", headers={"X-Request-ID": "a" * 500})
    live.check(status == 200 and re.fullmatch("[0-9a-f]{32}", headers["x-request-id"]), "a long request id is echoed: %r" % headers)


def few_files(home):
    """A process that may open little: connections leave enough of it for the work."""
    with live.Server(home, wrap=("sh", "-c", 'ulimit -n 80; exec "$0" "$@"')) as server:
        live.check("at most 40 connections" in server.said(), "of 80 files: %s" % server.said())
        held = [dial(server) for _ in range(120)]
        alive_on(held[0])
        for s in held:
            s.close()
        live.poll("it goes on", lambda: server.ask("GET", "/readyz")[0] == 200)


def alive_on(s):
    """A question over a connection that stands is answered."""
    body = b'{"task_type": "fin", "query": "What was the revenue of Q3?"}'
    s.sendall(POST.encode() + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    reply = read_all(s)
    live.check(status_of(reply) == 200, "a question where all connections are taken: %r" % reply[-300:])


def main():
    with live.home() as home:
        few_files(home)
        attacked(home)


def attacked(home):
    with live.Server(home, env=ENV) as server:
        alive(server, "the start")
        for attack in (odd_requests, gone, large_body, slow_heads, slow_reader, idle_connections):
            attack(server)
            alive(server, attack.__name__)
        said = server.said()
        live.check("dividend" not in said and "revenue" not in said, "a question stands in the log")


main()
