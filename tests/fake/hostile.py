#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Servers that do what real ones do only on bad days: hostile.py FOLDER

Makes certificates in FOLDER with openssl (ca.pem signed the TLS server's, wrong.pem nothing), then prints one line of free ports on
127.0.0.1 and serves until it is killed:

    http tls mute full proxy plain

http and tls do what the path says (see ACTIONS). mute accepts and never says a word. full does not even accept. proxy forwards and keeps a
log, which http tells under /proxy-log. plain is Python's own http.server over FOLDER, HTTP/1.1.
"""
import functools
import http.server
import os
import socket
import ssl
import subprocess
import sys
import threading
import time

lock = threading.Lock()
counts = {"connections": 0}  # and for each path: "/PATH" when it was asked for, "closed /PATH" when its connection was closed behind it
proxy_log = []


def note(name):
    with lock:
        counts[name] = counts.get(name, 0) + 1


def reply(body, head=b"", status=b"200 OK"):
    return b"HTTP/1.1 " + status + b"\r\n" + head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def forever(send, piece):
    while True:
        send(piece)
        time.sleep(0.02)


def hang(*_):
    threading.Event().wait()


# An action gets send and the raw request, and returns True if the connection is to be kept.
def ok(send, request, n="2"):
    send(reply(b"x" * int(n)))
    return True


def echo(send, request):
    send(reply(request))
    return True


def status(send, request, code):
    send(reply(b"status " + code.encode(), b"Retry-After: 7\r\n", code.encode() + b" Whatever"))
    return True


def head(send, request):
    send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    return True


def empty(send, request):
    send(b"HTTP/1.1 204 No Content\r\n\r\n")
    return True


def stats(send, request):
    with lock:
        text = "".join(f"{k}={v}\n" for k, v in sorted(counts.items()))
    send(reply(text.encode()))
    return True


def log(send, request):
    with lock:
        text = "".join(line + "\n" for line in proxy_log)
    send(reply(text.encode()))
    return True


def hang_head(send, request):
    send(b"HTTP/1.1 200 OK\r\nX-Half: ")
    hang()


def hang_first(send, request):
    send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
    hang()


def hang_body(send, request):
    send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")
    hang()


def drip_head(send, request):
    send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    forever(send, b"y")


def drip_body(send, request):
    send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    forever(send, b"y")


def drip_100(send, request):
    forever(send, b"HTTP/1.1 100 Continue\r\n\r\n")


def many(send, request, n):
    """Chunks, each sent by itself."""
    send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-After\r\n\r\n")
    for i in range(int(n)):
        piece = b"piece %d\n" % i
        send(b"%x\r\n" % len(piece) + piece + b"\r\n")
    send(b"0\r\nX-After: trailer\r\n\r\n")
    return True


def lie_late(send, request):
    """More than was announced, when the client may think that it is done."""
    send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nxx")
    send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen")
    note("stolen")
    return True


def endless_head(send, request):
    send(b"HTTP/1.1 200 OK\r\n")
    while True:
        send(b"X-More: " + b"z" * 1000 + b"\r\n")


def endless_refusal(send, request):
    send(b"HTTP/1.1 403 Forbidden\r\n\r\n")
    while True:
        send(b"no, " * 10000)


def says(text, keep=False):
    def action(send, request):
        send(text)
        return keep

    return action


ACTIONS = {
    "ok": ok, "echo": echo, "status": status, "head": head, "empty": empty, "stats": stats, "proxy-log": log, "many": many,
    "hang": hang, "hang-head": hang_head, "hang-first": hang_first, "hang-body": hang_body,
    "drip-head": drip_head, "drip-body": drip_body, "drip-100": drip_100,
    "die": says(b""),
    "goodbye": says(reply(b"bye")),  # closes although it did not say so
    "cut-body": says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes."),
    "cut-head": says(b"HTTP/1.1 200 OK\r\nX-Half: "),
    "cut-chunk": says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nten bytes."),
    "no-length": says(b"HTTP/1.1 200 OK\r\n\r\nuntil the end"),
    "lie-more": says(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour and more", True), "lie-late": lie_late,
    "lie-minus": says(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nxxxxx"),
    "lie-words": says(b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nxxxxx"),
    "lie-chunk": says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nxxxxx"),
    "long-head": says(b"HTTP/1.1 200 OK\r\n" + b"X-More: %s\r\n" % (b"z" * 1000) * 80 + b"Content-Length: 0\r\n\r\n"),
    "long-line": says(b"HTTP/1.1 200 OK\r\nX-Long: " + b"z" * 200000 + b"\r\nContent-Length: 0\r\n\r\n"), "endless-head": endless_head,
    "endless-refusal": endless_refusal,
    "garbage": says(b"\x00\xff\xfe\x01garbage\r\n\r\n" * 10), "ssh": says(b"SSH-2.0-OpenSSH_9.2\r\n"), "zero": says(b"HTTP/1.1 000 No\r\n\r\n"),
    "moved": says(b"HTTP/1.1 302 Found\r\nLocation: /ok/3\r\nContent-Length: 5\r\n\r\nmoved", True),
    "hints": says(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + reply(b"final", b"X-Final: yes\r\n"), True),
    "folded": says(reply(b"body", b"X-Folded: one\r\n  two\r\nX-EMPTY:\r\nX-Twice: a\r\nx-twice: b\r\n"), True),
}


def read_request(conn):
    """The raw bytes of one request; empty at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = conn.recv(65536)
        if not piece:
            return b""
        data += piece
    top, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in top.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        piece = conn.recv(65536)
        if not piece:
            return b""
        body += piece
    return top + b"\r\n\r\n" + body


def serve_connection(conn):
    note("connections")
    last = ""
    try:
        keep = True
        while keep:
            request = read_request(conn)
            if not request:
                break
            parts = request.split(b" ")[1].decode("latin-1").split("?")[0].split("/")
            last = parts[1]
            note("/" + last)
            # What no action is named for is echoed, so that any path can be asked for.
            keep = ACTIONS[parts[1]](conn.sendall, request, *parts[2:]) if parts[1] in ACTIONS else echo(conn.sendall, request)
    except OSError:
        pass
    try:
        conn.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    conn.close()
    note("closed /" + last)


def serve_proxy(conn):
    try:
        request = read_request(conn)
        line = request.split(b"\r\n")[0].decode("latin-1")
        secret = " authorized" if b"proxy-authorization: basic" in request.lower() else ""
        leaked = " leaked" if line.startswith("CONNECT") and b"x-secret" in request.lower() else ""
        with lock:
            proxy_log.append(line + secret + leaked)
        if not line.startswith("CONNECT"):
            conn.sendall(reply(b"by proxy", b"Connection: close\r\n"))
        elif line.split(" ")[1].startswith("forbidden"):
            conn.sendall(reply(b"no", status=b"403 Forbidden"))
        else:
            port = int(line.split(" ")[1].rsplit(":", 1)[1])
            behind = socket.create_connection(("127.0.0.1", port))
            conn.sendall(b"HTTP/1.1 200 Connected\r\nX-Proxy: head\r\n\r\n")
            threading.Thread(target=pump, args=(behind, conn), daemon=True).start()
            pump(conn, behind)
    except (OSError, IndexError):
        pass
    conn.close()


def pump(source, target):
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def listen(serve, wrap=None, backlog=256):
    s = socket.create_server(("127.0.0.1", 0), backlog=backlog)

    def each(conn):
        try:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            serve(wrap(conn) if wrap else conn)
        except OSError:
            conn.close()

    def accept():
        while True:
            conn, _ = s.accept()
            threading.Thread(target=each, args=(conn,), daemon=True).start()

    if serve:
        threading.Thread(target=accept, daemon=True).start()
    return s


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def certificates(folder):
    def at(name):
        return os.path.join(folder, name)

    for name in ("ca", "wrong"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", at(name + ".key"), "-out",
                at(name + ".pem"), "-days", "2", "-subj", "/CN=takc test " + name)
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", at("server.key"), "-out", at("server.csr"),
            "-subj", "/CN=localhost")
    with open(at("names"), "w", encoding="ascii") as f:
        f.write("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", at("server.csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-out",
            at("server.pem"), "-days", "2", "-extfile", at("names"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(at("server.pem"), at("server.key"))
    return context


class Plain(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass


def main():
    context = certificates(sys.argv[1])
    full = listen(None, backlog=0)
    kept = []
    for _ in range(4):  # its queue is full after these
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(full.getsockname())
        kept.append(s)
    plain = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Plain, directory=sys.argv[1]))
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    servers = [listen(serve_connection), listen(serve_connection, lambda c: context.wrap_socket(c, server_side=True)), listen(hang), full,
               listen(serve_proxy)]
    print(*(s.getsockname()[1] for s in servers), plain.server_address[1], flush=True)
    hang()


main()
