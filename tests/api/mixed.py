# SPDX-License-Identifier: Apache-2.0
"""A mixed load, twice: in clear, and over TLS with SIGHUP meanwhile. Every reply has a status that may come, no tenant reads another's
words, SIGTERM in the midst of it ends the server with 0, and nothing in its log is an error."""
import collections
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import live  # noqa: E402
import load  # noqa: E402
from live import check  # noqa: E402

CLIENTS = 16
OPERATIONS = 90 if load.SANITIZED else 500
QUIET = {"TAKC_SERVE_AUTH": "key", "TAKC_SERVE_MODELS": "fake:*", "TAKC_SERVE_QUOTA_PER_S": "0", "TAKC_SERVE_RUNNING_MAX": "8", "TAKC_SERVE_JOBS_RUNNING": "2",
         "TAKC_LOG_LEVEL": "warn,http.access=info"}


def budget(n):
    """A go_on() that says yes n times, to whichever thread asks."""
    left, lock = [n], threading.Lock()

    def go_on():
        with lock:
            left[0] -= 1
            return left[0] >= 0
    return go_on


def quiet(server):
    """Nothing in the log is an error, and it has the lines of requests."""
    said = server.said()
    wrong = load.errors_of(said)
    check(not wrong, "the log has errors: %s" % "\n".join(wrong[:20]))
    check("http.access" in said, "no line of a request in the log")


def told(server):
    """What the log says beside requests."""
    return "\n".join(line for line in server.said().splitlines() if "http.access" not in line)


def loaded(server, keys, n, meanwhile=None):
    """n operations by all clients; meanwhile() is called while they are under way."""
    counts = collections.Counter()
    began = time.monotonic()
    crew = load.clients(server, keys, CLIENTS, budget(n), counts)
    while meanwhile and any(c.is_alive() for c in crew):
        meanwhile()
        time.sleep(0.05)
    load.join(crew, 300, lambda: told(server))
    check(sum(counts.values()) == n, "%d operations, not %d" % (sum(counts.values()), n))
    print("%d operations in %.1f s: %s" % (n, time.monotonic() - began, dict(counts)))


def stopped(server, keys):
    """SIGTERM while clients ask: what was begun is answered or cut off by the socket's end (a job's events: by theirs), and
    the server ends with 0."""
    go = threading.Event()
    crew = load.clients(server, keys, 4, lambda: not go.is_set())
    time.sleep(0.3)
    server.process.send_signal(signal.SIGTERM)
    code = server.process.wait(timeout=120)
    go.set()
    for c in crew:
        c.join(60)
        check(not c.is_alive(), "%s hangs behind the server's end" % c.name)
    check(code == 0, "SIGTERM under load: ended with %s" % code)
    wrong = [c.wrong for c in crew if c.wrong and ": Wrong: " in c.wrong and ": 503, not one of" not in c.wrong and "499" not in c.wrong]
    check(not wrong, "while it stopped: %s" % wrong)


def certificate(folder):
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout",
                           folder + "/key.pem", "-out", folder + "/cert.pem"], capture_output=True, text=True, timeout=60)
    check(made.returncode == 0, "openssl: " + made.stderr)


def in_clear(home, keys):
    with live.Server(home, env=QUIET) as server:
        loaded(server, keys, OPERATIONS)
        check(server.process.poll() is None, "the server ended by itself")
        stopped(server, keys)
        quiet(server)


def over_tls(home, keys):
    if not shutil.which("openssl"):
        print("no openssl: TLS is left out")
        return
    folder = os.path.dirname(home)
    certificate(folder)
    tls = {"TAKC_SERVE_TLS_CERT": folder + "/cert.pem", "TAKC_SERVE_TLS_KEY": folder + "/key.pem"}
    with live.Server(home, env=dict(QUIET, **tls, TAKC_LOG_LEVEL="warn,http.access=info,serve=info")) as server:
        check(server.url.startswith("https"), server.url)
        hups = []

        def reload():
            if len(hups) < 3:
                certificate(folder)
                server.process.send_signal(signal.SIGHUP)
                hups.append(1)
                time.sleep(0.3)
        loaded(server, keys, OPERATIONS // 3, reload)
        end = time.monotonic() + 30
        while "the certificate was read again" not in server.said() and time.monotonic() < end:
            time.sleep(0.05)
        check("the certificate was read again" in server.said(), "no certificate was read again: %s" % server.said()[-1000:])
        quiet(server)


if __name__ == "__main__":
    with load.home() as (its_home, its_keys):
        in_clear(its_home, its_keys)
        over_tls(its_home, its_keys)
