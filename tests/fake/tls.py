#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An OpenAI endpoint behind certificates good and bad: tls.py FOLDER

Makes a certificate authority (FOLDER/ca.pem) with openssl, then prints three ports on 127.0.0.1 and serves until it is killed:

    good     signed for localhost (and for no other name)
    expired  signed for localhost, valid in January 2020
    self     signed by itself for localhost

FOLDER/log gets a line for each connection: "good", and " asked" behind it once a request came through.
"""
import http.server
import json
import os
import ssl
import subprocess
import sys
import threading

FOLDER = sys.argv[1]
CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
CONFIG = """[ca]
default_ca = here
[here]
dir = {0}
database = {0}/index
new_certs_dir = {0}
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def at(name):
    return os.path.join(FOLDER, name)


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificates():
    for name, text in (("config", CONFIG.format(FOLDER)), ("index", ""), ("names", "subjectAltName=DNS:localhost\n")):
        with open(at(name), "w", encoding="ascii") as f:
            f.write(text)
    openssl("req", "-x509", *CURVE, "-keyout", at("ca.key"), "-out", at("ca.pem"), "-days", "2", "-subj", "/CN=takc test")
    openssl("req", "-x509", *CURVE, "-keyout", at("self.key"), "-out", at("self.pem"), "-days", "2", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost")
    for name, days in (("good", ["-days", "2"]), ("expired", ["-startdate", "20200101000000Z", "-enddate", "20200131000000Z"])):
        openssl("req", *CURVE, "-keyout", at(name + ".key"), "-out", at(name + ".csr"), "-subj", "/CN=localhost")
        openssl("ca", "-batch", "-notext", "-config", at("config"), "-cert", at("ca.pem"), "-keyfile", at("ca.key"), *days, "-extfile",
                at("names"), "-in", at(name + ".csr"), "-out", at(name + ".pem"))


def note(text):
    with open(at("log"), "a", encoding="ascii") as f:
        f.write(text + "\n")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        note(self.server.name + " asked")
        body = json.dumps({"id": "c-1", "object": "chat.completion", "model": "m", "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "ready"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    """Shakes hands in the connection's own thread."""
    daemon_threads = True

    def __init__(self, name):
        super().__init__(("127.0.0.1", 0), Handler)
        self.name = name
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(at(name + ".pem"), at(name + ".key"))

    def finish_request(self, request, client_address):
        note(self.name)
        try:
            with self.context.wrap_socket(request, server_side=True) as conn:
                super().finish_request(conn, client_address)
        except OSError:
            pass


make_certificates()
servers = [Server(name) for name in ("good", "expired", "self")]
for s in servers:
    threading.Thread(target=s.serve_forever, daemon=True).start()
print(*(s.server_address[1] for s in servers), flush=True)
threading.Event().wait()
