# SPDX-License-Identifier: Apache-2.0
"""A takc serve on loopback for tests, and a plain HTTP client. TAKC is the program. Standard library only.

    with live.home() as home, live.Server(home, "--port", "0") as server:
        status, headers, body = server.ask("POST", "/query", {"task_type": "fin", "query": "..."})
"""
import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TAKC = os.environ.get("TAKC", "takc")
SKIP = 77


def skip(why):
    """Ends the test as skipped, loudly."""
    print("SKIPPED: " + why, file=sys.stderr)
    sys.exit(SKIP)


def run(*args, home=None, **kw):
    """takc ARGS; fails with what it said."""
    env = dict(os.environ, TAKC_HOME=home or "/dev/null/none")  # nobody can make that one
    done = subprocess.run([TAKC, *args], env=env, capture_output=True, text=True, timeout=120, **kw)
    if done.returncode:
        raise SystemExit("FAILED: takc %s: %d: %s" % (" ".join(args), done.returncode, done.stderr))
    return done.stdout


@contextlib.contextmanager
def home(*tasks):
    """A home with these tasks (default: fin), each of four documents, compressed at four rates."""
    work = tempfile.mkdtemp(prefix="takc-api-")
    try:
        os.makedirs(os.path.join(work, "reports"))
        for quarter in "1234":
            with open(os.path.join(work, "reports", "q%s.txt" % quarter), "w") as f:
                f.write("Quarter %s\n\nRevenue of Q%s was 4%s million CHF on 31 March 202%s. " % (quarter, quarter, quarter, quarter))
                f.write("The board did not raise the dividend in it. The operating margin reached 1%s.%s%%.\n\n" % (quarter, quarter))
                for n in range(40):
                    f.write("Plant %s-%d shipped %d tonnes in week %d. " % (quarter, n, 100 + 7 * n, n + 1))
        path = os.path.join(work, "home")
        for task in tasks or ("fin",):
            run("init", task, home=path)
            run("ingest", "-t", task, os.path.join(work, "reports"), home=path)
            run("compress", "-t", task, home=path)
        yield path
    finally:
        shutil.rmtree(work, ignore_errors=True)


class Server:
    """takc serve ARGS over a home; ends with the block, and fails if it did not end well."""

    def __init__(self, home, *args, env=None, wrap=()):
        self.home, self.args, self.env, self.wrap = home, args, env or {}, list(wrap)

    def __enter__(self):
        self.log = tempfile.NamedTemporaryFile("w+", prefix="takc-serve-", suffix=".log", delete=False)
        env = {"TAKC_SERVE_QUOTA_PER_S": "0", **os.environ, "TAKC_HOME": self.home, **self.env}  # tests ask faster than people
        args = self.args if "--port" in self.args else ("--port", "0", *self.args)
        self.process = subprocess.Popen([*self.wrap, TAKC, "serve", *args], env=env, stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("http"):
            self.process.wait(timeout=30)
            raise SystemExit("FAILED: takc serve %s: %s %s" % (" ".join(args), line, self.said()))
        self.url = line.strip()
        self.host, port = self.url.split("//")[1].rsplit(":", 1)
        self.port = int(port)
        return self

    def __exit__(self, kind, *rest):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = "not ended in 60 s"
        said = self.said()
        os.unlink(self.log.name)
        if kind is not None or code != 0:
            sys.stderr.write("%s\ntakc serve ended with %s\n" % (said[-4000:], code))
        if kind is None and code != 0:
            raise SystemExit("FAILED: takc serve ended with %s" % code)

    def said(self):
        """What it logged so far."""
        with open(self.log.name) as f:
            return f.read()

    def ask(self, method, path, body=None, headers=None, timeout=60):
        """(status, headers in lower case, body): JSON where the reply is JSON, else bytes. body: an object is sent as JSON, bytes as they are."""
        c = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        sent = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        c.request(method, path, body, sent)
        reply = c.getresponse()
        data = reply.read()
        c.close()
        got = {k.lower(): v for k, v in reply.getheaders()}
        if data and got.get("content-type", "").startswith("application/json"):
            data = json.loads(data)
        return reply.status, got, data


def poll(what, condition, seconds=30):
    """Waits until condition gives something true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise SystemExit("FAILED: not in %d s: %s" % (seconds, what))


def check(condition, what):
    """A test's assertion that says what was wrong."""
    if not condition:
        raise SystemExit("FAILED: " + what)
