# SPDX-License-Identifier: Apache-2.0
"""deploy/nginx/*.conf with other ports and paths, nothing else changed, in front of a live takc serve."""
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time

import live

HOST = "takc.example.com"
SOURCE = os.environ["TAKC_SOURCE_DIR"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nginx:
    """nginx over work/, passing on to a takc at port."""

    def __init__(self, work, upstream):
        self.work, self.upstream, self.port, self.plain = work, upstream, free_port(), free_port()

    def config(self):
        with open(os.path.join(SOURCE, "deploy/nginx/nginx.conf")) as f:
            text = f.read()
        for old, new in (("user www-data;", "daemon off;"), ("worker_processes auto", "worker_processes 1"), ("pid /run/nginx.pid", "pid %s/pid" % self.work),
                         ("load_module modules/", "load_module /usr/lib/nginx/modules/"), ("/var/log/nginx/", self.work + "/"),
                         ("server 127.0.0.1:8080", "server 127.0.0.1:%d" % self.upstream), ("listen 80 ", "listen 127.0.0.1:%d " % self.plain),
                         ("listen 443 ", "listen 127.0.0.1:%d " % self.port), ("/etc/nginx/takc.", self.work + "/takc."),
                         ("modsecurity_rules_file /etc/nginx/", "modsecurity_rules_file %s/deploy/nginx/" % SOURCE)):
            live.check(old in text, "nginx.conf has no '%s'" % old)
            text = text.replace(old, new)
        temp = "".join("    %s_temp_path %s/%s;\n" % (name, self.work, name) for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return text.replace("http {\n", "http {\n" + temp, 1)

    def __enter__(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=" + HOST,
                        "-keyout", self.work + "/takc.key", "-out", self.work + "/takc.crt"], check=True, capture_output=True)
        path = os.path.join(self.work, "nginx.conf")
        with open(path, "w") as f:
            f.write(self.config())
        test = subprocess.run(["nginx", "-t", "-p", self.work, "-c", path], capture_output=True, text=True)
        live.check(test.returncode == 0, "nginx -t: " + test.stderr)
        self.process = subprocess.Popen(["nginx", "-p", self.work, "-c", path], stderr=subprocess.DEVNULL)
        for _ in range(1200):  # it reads the firewall's rules first
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                live.check(self.process.poll() is None, "nginx has ended")
                time.sleep(0.05)
        raise SystemExit("FAILED: nginx does not listen")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)

    def ask(self, method, path, body=None, headers=None):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        c = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)
        sent = {"Host": HOST, "User-Agent": "app/1.0", "Accept": "*/*", **(headers or {})}
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        c.request(method, path, body, sent)
        r = c.getresponse()
        data = r.read()
        c.close()
        return r.status, {k.lower(): v for k, v in r.getheaders()}, data


ATTACK = "1' OR '1'='1' UNION SELECT password FROM users; <script>alert(1)</script>"


def passes(n, key):
    status, headers, body = n.ask("GET", "/health")
    live.check(status == 200 and headers["x-content-type-options"] == "nosniff" and headers["strict-transport-security"], "/health: %d %r" % (status, body))
    question = {"task_type": "fin", "query": "What was the revenue of Q3? Drop table, select * from users where 1=1; <script>alert(1)</script>"}
    status, headers, body = n.ask("POST", "/query", question, key)
    live.check(status == 200 and b"43 million CHF" in body, "prose in a question: %d %r" % (status, body))
    live.check(re.fullmatch("[0-9a-f]{32}", headers["x-request-id"]), "no request id: %r" % headers)
    status, _, body = n.ask("POST", "/query", {"task_type": "fin", "query": "dividend", "stream": True}, key)
    live.check(status == 200 and body.endswith(b"data: [DONE]\n\n"), "a stream: %d %r" % (status, body))
    chat = {"model": "takc/fin", "messages": [{"role": "user", "content": "Revenue of Q2? " + ATTACK}]}
    status, _, body = n.ask("POST", "/v1/chat/completions", chat, key)
    live.check(status == 200, "prose in a chat: %d %r" % (status, body))
    status, _, body = n.ask("PUT", "/tasks/fin", {"description": "the SQL injection report: ' OR 1=1 -- <script>"}, key)
    live.check(status in (200, 201), "prose in a description: %d %r" % (status, body))
    question.update(few_shot_examples=[{"input": ATTACK, "output": ATTACK}] * 2, filters={"documents": ["q3*", "2026/**/*.txt"]})
    status, headers, body = n.ask("POST", "/query", question, {**key, "X-Request-ID": "ours-7"})
    live.check(status == 200 and headers["x-request-id"] == "ours-7", "prose in examples, globs, an id of one's own: %d %r %r" % (status, body, headers))
    status, _, body = n.ask("GET", "/tasks/fin/documents/q1.txt/text?start=0&end=9", headers=key)
    live.check(status == 200, "the text of a document: %d %r" % (status, body))
    status, _, body = n.ask("GET", "/tasks/fin/documents/a%2Fb%20c.txt/text", headers=key)
    live.check(status == 404 and b"a/b c.txt" in body, "a name with a slash comes through as one segment: %d %r" % (status, body))


def refused(n, key):
    for method, path, body, headers in (
        ("GET", "/cache/fin?x=" + "1%27%20OR%20%271%27=%271%27%20UNION%20SELECT%20password%20FROM%20users", None, {}),
        ("POST", "/query", {"task_type": "fin", "query": "x", "filters": {"after": ATTACK}}, {}),
        ("GET", "/tasks?q=%3Cscript%3Ealert(1)%3C/script%3E", None, {}),
        ("POST", "/query", {"task_type": ATTACK, "query": "dividend"}, {}),
        ("POST", "/query?x=%3Cscript%3Ealert(1)%3C/script%3E", {"task_type": "fin", "query": "dividend"}, {}),
        ("GET", "/health", None, {"User-Agent": "sqlmap/1.7"}),
        ("POST", "/query", b"query=1", {"Content-Type": "application/x-www-form-urlencoded"}),
        ("PATCH", "/tasks/fin", {}, {}),
        ("TRACE", "/", None, {}),
    ):
        status, got, reply = n.ask(method, path, body, {**key, **headers})
        live.check(status in (403, 405), "%s %s: %d %r" % (method, path, status, reply))
        if method != "TRACE":
            error = json.loads(reply)
            live.check(error["error"]["code"] in ("FORBIDDEN", "METHOD_NOT_ALLOWED") and got["content-type"] == "application/json", "%r %r" % (got, reply))
    status, _, reply = n.ask("POST", "/query", b"{broken", {**key, "Content-Type": "application/json"})
    live.check(status == 400, "broken JSON: %d %r" % (status, reply))
    status, _, reply = n.ask("POST", "/query", b"{" + b" " * (13 << 20) + b"}", {**key, "Content-Type": "application/json"})
    live.check(status == 413 and json.loads(reply)["error"]["code"] == "TOO_LARGE", "13 MB: %d %r" % (status, reply[:200]))
    c = http.client.HTTPConnection("127.0.0.1", n.plain, timeout=30)
    c.request("GET", "/health", headers={"Host": HOST})
    r = c.getresponse()
    live.check(r.status == 308 and r.getheader("location") == "https://%s/health" % HOST, "http: %d" % r.status)


def limited(n):
    """More than a burst, on one connection: some pass, the rest are told to come later. Burst and rate are far apart, so no clock is needed."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    c = http.client.HTTPSConnection("127.0.0.1", n.port, timeout=30, context=context)
    replies = []
    for _ in range(400):
        c.request("GET", "/openapi.json", headers={"Host": HOST, "User-Agent": "app/1.0", "Accept": "*/*", "If-None-Match": "x"})
        r = c.getresponse()
        replies.append((r.status, r.getheader("retry-after"), r.read()))
        if r.getheader("connection") == "close":
            c.close()
    late = [r for r in replies if r[0] == 429]
    live.check(replies[0][0] == 200 and len(late) >= 20, "of 400 at once %d were refused" % len(late))
    live.check(late[0][1] == "1" and json.loads(late[0][2])["error"]["code"] == "RATE_LIMIT_EXCEEDED", "%r" % (late[0],))


def main():
    work = tempfile.mkdtemp(prefix="takc-nginx-")
    try:
        with live.home() as home:
            made = json.loads(live.run("key", "create", "front", "--may", "query,ingest,admin", "--json", home=home))
            key = {"Authorization": "Bearer " + made["key"]}
            with live.Server(home, env={"TAKC_SERVE_AUTH": "key"}) as server, Nginx(work, server.port) as n:
                passes(n, key)
                refused(n, key)
                limited(n)
                log = open(os.path.join(work, "access.log")).read()
                live.check("UNION" not in log and "dividend" not in log, "the access log says what was asked")
            with Nginx(work, free_port()) as n:
                status, headers, body = n.ask("GET", "/health")
                live.check(status == 502 and json.loads(body)["error"]["code"] == "UPSTREAM", "without takc: %d %r" % (status, body))
    finally:
        if os.environ.get("KEEP"):
            sys.stderr.write(work + "\n")
        else:
            shutil.rmtree(work, ignore_errors=True)


main()
