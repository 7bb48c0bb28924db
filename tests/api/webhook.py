# SPDX-License-Identifier: Apache-2.0
"""takc serve with the authorizer webhook: a URL and a command decide over a real socket; addresses that must not be asked are not."""
import http.server
import json
import os
import subprocess
import threading

import live

QUESTION = {"task_type": "fin", "query": "What was the operating margin in Q3?"}
ANSWERS = {
    "xyzzy-1": {"allow": True, "may": ["query"]},
    "good": {"allow": True, "subject": "ann", "may": ["query"], "tasks": ["fi*"]},
    "other": {"allow": True, "may": ["query"], "tasks": ["law"]},
    "acme": {"allow": True, "tenant": "acme", "may": ["query", "ingest", "admin"]},
    "lambda": {"isAuthorized": True, "context": {"may": "query"}},
    "policy": {"principalId": "p", "policyDocument": {"Statement": [{"Effect": "Allow", "Resource": "*"}]}, "context": {"may": "query"}},
    "no": {"allow": False},
    "odd": {"allow": "yes"},
}


class Hook(http.server.BaseHTTPRequestHandler):
    asked = []

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Hook.asked.append(asked)
        word = asked["headers"].get("authorization", "").partition(" ")[2] or asked["headers"].get("x-api-key", "")
        if word == "moved" and self.path != "/yes":
            return self.say(302, {"allow": True}, [("Location", "/yes")])
        if word == "down":
            return self.say(500, {"allow": True, "may": ["query"]})
        return self.say(200, ANSWERS.get(word, {"allow": True, "may": ["query"]} if word == "moved" else {"allow": False}))

    def say(self, status, v, headers=()):
        body = json.dumps(v).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def bearer(word):
    return {"Authorization": "Bearer " + word}


def decides(server):
    """What a webhook says is done, over HTTP or by a command."""
    status, _, body = server.ask("POST", "/query", QUESTION, bearer("good"))
    live.check(status == 200, "good: %s %s" % (status, body))
    for word, want in (("lambda", 200), ("policy", 200), ("no", 401), ("unknown", 401), ("odd", 503), ("other", 403)):
        status, headers, body = server.ask("POST", "/query", QUESTION, bearer(word))
        live.check(status == want, "%s: %s, not %s: %s" % (word, status, want, body))
        live.check("www-authenticate" in headers or want not in (401,), "%s: no challenge" % word)
    status, _, body = server.ask("PUT", "/tasks/fin", {"description": "x"}, bearer("good"))
    live.check(status == 403, "query is not admin: %s %s" % (status, body))
    status, _, body = server.ask("POST", "/query", QUESTION)
    live.check(status == 401, "no credential: %s" % status)
    status, _, body = server.ask("POST", "/query", QUESTION, bearer("acme"))
    live.check(status == 404, "another tenant's fin: %s %s" % (status, body))
    status, _, body = server.ask("GET", "/livez")
    live.check(status == 200, "livez asks nobody: %s" % status)


def over_http(home, url):
    env = {"TAKC_SERVE_AUTH": "webhook", "TAKC_SERVE_WEBHOOK_URL": url, "TAKC_SERVE_WEBHOOK_ALLOW_PRIVATE": "true"}
    with live.Server(home, env=env) as server:
        decides(server)
        asked = Hook.asked[0]
        live.check(asked["method"] == "POST" and asked["path"] == "/query" and asked["source_ip"] == "127.0.0.1", "asked: %s" % asked)
        live.check(list(asked["headers"]) == ["authorization"] and asked["request_id"], "asked: %s" % asked)
        before = len(Hook.asked)
        for _ in range(5):
            status, _, _ = server.ask("POST", "/query", QUESTION, {**bearer("good"), "Cookie": "secret"})
            live.check(status == 200, "kept: %s" % status)
        live.check(len(Hook.asked) == before, "answers are not kept")
        for word in ("down", "moved"):
            status, headers, body = server.ask("POST", "/query", QUESTION, bearer(word))
            live.check(status == 503 and "retry-after" in headers, "%s: %s %s" % (word, status, body))
        status, _, _ = server.ask("POST", "/query", QUESTION, {"X-API-Key": "xyzzy-1"})
        live.check(status == 200, "X-API-Key: %s" % status)
        live.check("xyzzy" not in server.said(), "a credential is in the log")


def by_command(home, work):
    script = os.path.join(work, "decide.py")
    with open(script, "w") as f:
        f.write("import json, sys\nanswers = json.loads(%r)\nq = json.load(sys.stdin)\n" % json.dumps(ANSWERS))
        f.write('print(json.dumps(answers.get(q["headers"]["authorization"].partition(" ")[2], {"allow": False})))\n')
    with live.Server(home, env={"TAKC_SERVE_AUTH": "webhook", "TAKC_SERVE_WEBHOOK_COMMAND": "python3 '%s'" % script}) as server:
        decides(server)


def refused_addresses(home, port):
    for url in ("https://127.0.0.1:%d/", "https://169.254.169.254/%d", "https://[::1]:%d/", "https://[::ffff:10.0.0.1]:%d/", "http://hook.example:%d/"):
        done = subprocess.run([live.TAKC, "serve", "--port", "0"], capture_output=True, text=True, timeout=30,
                              env=dict(os.environ, TAKC_HOME=home, TAKC_SERVE_AUTH="webhook", TAKC_SERVE_WEBHOOK_URL=url % port))
        live.check(done.returncode == 2 and "serve.webhook_url" in done.stderr, "%s: %s %s" % (url, done.returncode, done.stderr))
    before = len(Hook.asked)
    for url in ("https://localhost:%d/", "https://2130706433:%d/"):  # names that resolve to this machine
        with live.Server(home, env={"TAKC_SERVE_AUTH": "webhook", "TAKC_SERVE_WEBHOOK_URL": url % port}) as server:
            status, _, body = server.ask("POST", "/query", QUESTION, bearer("good"))
            live.check(status == 503, "%s: %s %s" % (url, status, body))
            live.check("not a public one" in server.said(), "%s: %s" % (url, server.said()))
    live.check(len(Hook.asked) == before, "an address that must not be was asked")


def main():
    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    with live.home() as home:
        over_http(home, "http://127.0.0.1:%d/" % hook.server_port)
        by_command(home, os.path.dirname(home))
        refused_addresses(home, hook.server_port)


if __name__ == "__main__":
    main()
