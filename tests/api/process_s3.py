# SPDX-License-Identifier: Apache-2.0
"""POST /process and context_location out of S3, as moto has it with signatures checked, behind a proxy that hands everything on as it came, or
breaks it where a case says so: places, tenants, odd keys, pages, an object that comes in two tries, a job that is cancelled, a server that
is killed while it fetches, an S3 that is not there, throttles or refuses."""
import concurrent.futures
import contextlib
import http.client
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
import uuid

import boto3
import botocore.config

import live
from live import check, poll

BUCKET = "takc-docs"
FORBIDDEN = "no such place below a folder that the setting serve.sources names"


# ---- S3 ----


def start_moto(tries=5):
    """(process, "127.0.0.1:PORT"): signatures are checked from the sixth call on; listings have pages of two. Its port may be taken by
    somebody else between our closing and its opening it."""
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    env = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "5", "MOTO_S3_DEFAULT_MAX_KEYS": "2"}
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env=env)

    def answers():
        with contextlib.suppress(OSError):
            urllib.request.urlopen("http://127.0.0.1:%d/moto-api/" % port, timeout=5).close()
            return server.poll() is None
        return server.poll() is not None

    poll("moto answers", answers, 60)
    return start_moto(tries - 1) if server.poll() is not None and tries else (server, "127.0.0.1:%d" % port)


def make_keys(place):
    """The key of a user who may do all, and of one who may do nothing."""
    iam = boto3.client("iam", endpoint_url="http://" + place, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    allow = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    keys = []
    for name in ("takc", "nobody"):
        iam.create_user(UserName=name)
        k = iam.create_access_key(UserName=name)["AccessKey"]
        keys.append((k["AccessKeyId"], k["SecretAccessKey"]))
    iam.put_user_policy(UserName="takc", PolicyName="all", PolicyDocument=allow)
    return keys


class Plan:
    """What the proxy does to what comes by."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.lock = threading.Lock()
        self.cut = self.throttle = self.held = 0
        self.free = None        # of objects that are asked for, so many pass before the others wait; None: all
        self.go = threading.Event()
        self.listing = None     # a body in the place of every listing
        self.pages = 0
        self.objects = []       # keys that were asked for
        self.answers = {}       # key: (status, body) in the place of S3's
        self.contexts = set()   # traces that it was asked in


plan = Plan()


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    behind = ""

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for k, v in headers:
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def cut_off(self, body):
        """Promises it all, sends half."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:len(body) // 2])
        self.wfile.flush()
        self.close_connection = True

    def hand_on(self):
        c = http.client.HTTPConnection(self.behind, timeout=60)
        c.putrequest("GET", self.path, skip_host=True, skip_accept_encoding=True)
        for k, v in self.headers.items():
            c.putheader(k, v)
        c.endheaders()
        r = c.getresponse()
        body = r.read()
        c.close()
        return r.status, body

    def do_GET(self):
        path, _, query = self.path.partition("?")
        lists = "list-type=2" in query
        key = urllib.parse.unquote(path.split("/", 2)[2]) if not lists else None
        with plan.lock:
            plan.contexts.add(self.headers.get("traceparent"))
            throttled = plan.throttle > 0
            plan.throttle -= throttled
            if lists:
                plan.pages += 1
            else:
                plan.objects.append(key)
            waits = not lists and plan.free is not None and len(plan.objects) > plan.free
            plan.held += waits
        if throttled:
            return self.answer(503, b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
        if waits:
            plan.go.wait(60)
        if lists and plan.listing is not None:
            return self.answer(200, plan.listing.encode())
        if key in plan.answers:
            return self.answer(*plan.answers[key])
        status, body = self.hand_on()
        with plan.lock:
            cut = status == 200 and not lists and plan.cut > 0
            plan.cut -= cut
        return self.cut_off(body) if cut else self.answer(status, body)

    def log_message(self, *args):
        pass


class ProxyServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that was killed, or has cancelled."""


def start_proxy(place):
    Proxy.behind = place
    server = ProxyServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d" % server.server_address[1]


def page(*objects):
    """A listing, whole."""
    rows = "".join("<Contents><Key>%s</Key><Size>%d</Size></Contents>" % (urllib.parse.quote(k, safe=""), n) for k, n in objects)
    return "<?xml version='1.0'?><ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>%s</ListBucketResult>" % rows


def put(key, text):
    s3.put_object(Bucket=BUCKET, Key=key, Body=text if isinstance(text, bytes) else text.encode())


# ---- takc ----


class Home:
    """A home with a task, and servers over it."""

    def __init__(self, work, url, key):
        self.path = os.path.join(work, "home-" + uuid.uuid4().hex[:8])
        live.run("init", "fin", home=self.path)
        self.env = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": key[0], "AWS_SECRET_ACCESS_KEY": key[1], "AWS_ENDPOINT_URL_S3": url,
                    "AWS_EC2_METADATA_DISABLED": "true", "HOME": work, "no_proxy": "127.0.0.1", "AWS_PROFILE": "", "AWS_CONFIG_FILE": work + "/none",
                    "TAKC_SERVE_SOURCES": "s3://%s/docs/, s3://no-such-bucket, /usr/share" % BUCKET}

    def server(self, *args, **env):
        plan.reset()
        return live.Server(self.path, *args, env={**self.env, **env})

    def staged(self):
        path = os.path.join(self.path, ".takc-uploads")
        return sorted(os.listdir(path)) if os.path.isdir(path) else []

    def nothing_staged(self, after):
        poll("nothing is staged after " + after, lambda: not self.staged())


def process(server, location, task="fin", headers=None, **more):
    body = {"task_type": task, "source_type": "s3", "source_location": location, **more}
    status, _, reply = server.ask("POST", "/process", body, headers)
    return status, reply


def names(server, task="fin", headers=None):
    status, _, reply = server.ask("GET", "/tasks/%s/documents" % task, None, headers)
    check(status == 200, "documents: %s" % reply)
    return sorted(d["document"] for d in reply["documents"])


def text_of(server, name):
    status, _, reply = server.ask("GET", "/tasks/fin/documents/%s/text" % urllib.parse.quote(name, safe=""))
    check(status == 200, "text: %s" % reply)
    return reply["text"]


def state(server, job):
    return server.ask("GET", "/jobs/" + job)[2]


def wait_state(server, job, wanted):
    return poll("%s is %s" % (job, wanted), lambda: (lambda j: j["status"] == wanted and j)(state(server, job)))


def reasons(reply):
    return {d["document"]: d.get("reason", d["outcome"]) for d in reply["documents"]}


# ---- cases ----

DOCS = {"a.txt": "Alpha shipped 12 tonnes in May.", "sub/b.md": "Beta rose by 4% in June.", "sub/deep/c.txt": "Gamma has 7 wheels.",
        "ä ö+&=%20'(1)!*~.txt": "Odd characters are ordinary ones in a key."}


def taken(home, work):
    folder = os.path.join(work, "same")
    for name, text in DOCS.items():
        put("docs/q/" + name, text)
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)
    for key in ("docs/q/.hidden", "docs/q/pic.bin", "docs/q-secret/x.txt", "docs/q.txt", "other/y.txt"):
        put(key, b"\0\1\2\3" * 100 if key.endswith("bin") else "Not below it.")
    for marker in ("docs/q/", "docs/q/sub/"):
        put(marker, "")
    with home.server() as server:
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        status, reply = process(server, "s3://%s/docs/q/" % BUCKET, headers={"traceparent": trace}, config={"preprocessing_steps": ["clean"]})
        check(status == 200 and reply["status"] == "done" and reply["accepted"] == len(DOCS), "a prefix: %s" % reply)
        check(plan.pages > 2, "the listing had pages: %d" % plan.pages)
        check(plan.contexts == {trace}, "S3 was asked in: %s" % plan.contexts)
        told = reasons(reply)
        check(told[".hidden"] == "hidden" and "binary" in told["pic.bin"] and reply["skipped"] == 2 and reply["refused"] == 0, "what was not taken: %s" % reply)
        check(names(server) == sorted(DOCS), "names: %s" % names(server))
        for name, text in DOCS.items():
            check(text_of(server, name).strip() == text, "%s: %r" % (name, text_of(server, name)))
        check("docs/q/.hidden" not in plan.objects and all(k.startswith("docs/q/") for k in plan.objects), "only what is needed: %s" % plan.objects)
        home.nothing_staged("a prefix")
        status, reply = process(server, "s3://%s/docs/q" % BUCKET)
        check(status == 200 and (reply["accepted"], reply["unchanged"]) == (0, len(DOCS)), "again: %s" % reply)
        put("docs/q/a.txt", "Alpha shipped 13 tonnes in May.")
        status, reply = process(server, "s3://%s/docs/q" % BUCKET)
        check(status == 200 and (reply["accepted"], reply["unchanged"]) == (1, len(DOCS) - 1), "one changed: %s" % reply)
        check(text_of(server, "a.txt") == "Alpha shipped 13 tonnes in May.", "the new text")
        status, reply = process(server, "s3://%s/docs/q/sub/b.md" % BUCKET)
        check(status == 200 and reply["accepted"] == 1 and "b.md" in names(server), "one object: %s" % reply)
        status, _, reply = server.ask("POST", "/process", {"task_type": "fin", "documents": [{"name": "a.txt", "text": "From elsewhere."}]})
        check(status == 422 and "elsewhere" in reply["error"]["message"], "a name of S3's: %s" % reply)
        compress = {"task_type": "fin", "context_location": "s3://%s/docs/q" % BUCKET, "wait": True, "compression_rates": ["2x"]}
        status, _, reply = server.ask("POST", "/compress", compress)
        check(status == 200 and "2x" in reply["cache_keys"] and reply["unchanged"] == len(DOCS), "context_location: %s" % reply)
        home.nothing_staged("a compression")
    live.run("init", "same", home=home.path)
    live.run("ingest", "-t", "same", folder, home=home.path)
    with home.server() as server:
        check(names(server, "same") == sorted(DOCS), "the same names as a folder's")


def refused(home):
    with home.server() as server:
        bad = ["s3://%s" % BUCKET, "s3://%s/doc" % BUCKET, "s3://%s/docs-secret" % BUCKET, "s3://%s/other/y.txt" % BUCKET, "s3://another/docs",
               "s3://%s/docs/../other" % BUCKET, "s3://%s/docs/./q" % BUCKET, "s3://%s/docs//q" % BUCKET, "s3://%s/docs/q\n" % BUCKET,
               "s3://%s@evil/docs" % BUCKET, "s3://%s.evil/docs" % BUCKET, "s3://", "s3:///docs", "s3://%s/docs/%s" % (BUCKET, "x" * 1100)]
        for location in bad:
            status, reply = process(server, location)
            check(status == 403 and reply["error"]["message"] == FORBIDDEN, "%s: %s" % (location, reply))
            status, _, reply = server.ask("POST", "/compress", {"task_type": "fin", "context_location": location, "wait": True})
            check(status == 403 and reply["error"]["message"] == FORBIDDEN, "compress %s: %s" % (location, reply))
        check(not plan.pages and not plan.objects, "S3 was not asked: %s" % plan.objects)
        for kind, location in (("file", "s3://%s/docs/q" % BUCKET), ("s3", "/usr/share"), ("s3", "S3://%s/docs" % BUCKET), ("s3", BUCKET + "/docs")):
            status, _, reply = server.ask("POST", "/process", {"task_type": "fin", "source_type": kind, "source_location": location})
            check(status == 400 and reply["error"]["details"]["pointer"] == "/source_location", "%s %s: %s" % (kind, location, reply))
        status, _, reply = server.ask("POST", "/process", {"task_type": "fin", "source_type": "kinesis", "source_location": "stream"})
        check(status == 422 and "no kinesis" in reply["error"]["message"], "kinesis: %s" % reply)
        for location in ("s3://no-such-bucket/x", "s3://%s/docs/none" % BUCKET, "s3://%s/docs/q/a.tx" % BUCKET):
            status, reply = process(server, location)
            check(status == 404 and reply["error"]["code"] == "NOT_FOUND" and location in reply["error"]["message"], "%s: %s" % (location, reply))
        put("docs/empty/", "")
        status, reply = process(server, "s3://%s/docs/empty" % BUCKET)
        check(status == 422 and "no document" in reply["error"]["message"], "a folder without documents: %s" % reply)
        home.nothing_staged("refusals")


def tenants(home):
    put("docs/acme/t.txt", "The tenant's own document has one sentence.")
    put("docs/acme-2/t.txt", "Another's.")
    with home.server("--auth", "key") as server:
        def key(*args):
            return {"X-API-Key": live.run("key", "create", *args, home=home.path).strip().split()[-1]}

        own, all_of_it = key("acme", "--may", "query,ingest,admin", "--tenant", "acme"), key("all", "--may", "query,ingest,admin")
        for place in ("docs", "docs/q", "docs/acme-2", "docs/acme/../q", "docs/globex"):
            status, reply = process(server, "s3://%s/%s" % (BUCKET, place), headers=own, create=True)
            check(status == 403 and reply["error"]["message"] == FORBIDDEN, "a tenant's %s: %s" % (place, reply))
        check(not plan.pages, "S3 was not asked")
        status, reply = process(server, "s3://%s/docs/acme" % BUCKET, headers=own, create=True)
        check(status == 200 and reply["accepted"] == 1 and names(server, headers=own) == ["t.txt"], "a tenant's own: %s" % reply)
        check("t.txt" not in names(server, headers=all_of_it), "it is nobody else's")
        status, reply = process(server, "s3://%s/docs/acme-2" % BUCKET, headers=all_of_it)
        check(status == 200 and reply["accepted"] == 1, "the default tenant's: %s" % reply)


ODD = {"../x": "relative path", "a/../../x": "relative path", "/etc/x": "relative path", "a//b.txt": "relative path", "./c.txt": "relative path", "..": "relative path",
       "nul\0.txt": "control", "tab\tb.txt": "control", "l\u0085ine.txt": "control", "p" * 256 + ".txt": "255", "d/" * 64 + "x": "nested", "full/": "not empty",
       "both/under.txt": "name"}


def odd_keys(home):
    """Keys that are no names, as a listing has them: told, not fetched, and nothing is written outside."""
    before = sorted(os.listdir(os.path.dirname(home.path)))
    with home.server() as server:
        plan.listing = page(("docs/odd/", 0), ("docs/odd/both", 5), *(("docs/odd/" + k, 5) for k in ODD), ("docs/odd/good.txt", 22), ("docs/odd/gone.txt", 5),
                            ("docs/odd/grew.txt", 5), ("docs/odd/large.txt", 1 << 40), ("docs/odd/locked.txt", 5), ("docs/odd/shrank.txt", 500))
        plan.answers = {"docs/odd/good.txt": (200, b"One good document is. "), "docs/odd/both": (200, b"Text."), "docs/odd/grew.txt": (200, b"Longer than it was."),
                        "docs/odd/locked.txt": (403, b"<Error><Code>AccessDenied</Code><Message>secret words</Message></Error>"), "docs/odd/shrank.txt": (200, b"Short."),
                        "docs/odd/gone.txt": (404, b"<Error><Code>NoSuchKey</Code></Error>")}
        status, reply = process(server, "s3://%s/docs/odd" % BUCKET)
        check(status == 200 and reply["accepted"] == 2, "odd keys: %s" % reply)
        told = reasons(reply)
        for key, word in ODD.items():
            shown = "".join(c if c >= " " and not "\x7f" <= c < "\xa0" else "?" for c in key)
            check(word in told.get(shown, ""), "%r: %s" % (key, told.get(shown)))
        check("changed" in told["grew.txt"] and "changed" in told["shrank.txt"] and "may not" in told["locked.txt"] and "removed" in told["gone.txt"]
              and "limit" in told["large.txt"], "objects that cannot be read: %s" % told)
        check(reply["refused"] == len(ODD) + 5 and "secret words" not in json.dumps(reply), "counts: %s" % reply)
        check(sorted(k for k in set(plan.objects)) == sorted(plan.answers), "the others were not asked for: %s" % plan.objects)
        check({"both", "good.txt"} <= set(names(server)), "names: %s" % names(server))
        for listing, code in ((page(("elsewhere/x", 1)), 502), ("<html>", 502), (page(("docs/odd/locked.txt", 5)), 502)):
            plan.listing = listing
            status, reply = process(server, "s3://%s/docs/odd" % BUCKET)
            check(status == code and reply["error"]["code"] == "UPSTREAM" and "<" not in reply["error"]["message"], "%s: %s" % (listing, reply))
        home.nothing_staged("odd keys")
    check(sorted(os.listdir(os.path.dirname(home.path))) == before and not os.path.exists("/etc/x"), "nothing was written elsewhere")


def bounds(home):
    with home.server(TAKC_SERVE_FETCH_MAX_OBJECTS="3", TAKC_SERVE_FETCH_MAX_BYTES="1000") as server:
        status, reply = process(server, "s3://%s/docs/q" % BUCKET)
        check(status == 422 and "more than 3 objects" in reply["error"]["message"], "too many: %s" % reply)
        put("docs/big/a.txt", "x" * 600)
        put("docs/big/b.txt", "x" * 600)
        status, reply = process(server, "s3://%s/docs/big" % BUCKET)
        check(status == 422 and "more than 1000 bytes" in reply["error"]["message"], "too much: %s" % reply)
        check(not plan.objects, "nothing was fetched: %s" % plan.objects)
    home.nothing_staged("bounds")


def second_tries(home):
    """An object that breaks off is fetched anew, from its beginning; a throttled request is sent again."""
    text = "".join("Line %d of a longer document is here.\n" % i for i in range(2000))
    put("docs/long/long.txt", text)
    with home.server() as server:
        plan.cut = plan.throttle = 1
        status, reply = process(server, "s3://%s/docs/long" % BUCKET)
        check(status == 200 and reply["accepted"] == 1, "in two tries: %s" % reply)
        check(plan.objects.count("docs/long/long.txt") == 2, "it was fetched twice: %s" % plan.objects)
        status, _, reply = server.ask("GET", "/tasks/fin/documents/long.txt/text")
        check(status == 200 and reply["text"] == text, "its text, once")
        plan.throttle = 4
        status, headers, reply = server.ask("POST", "/process", {"task_type": "fin", "source_type": "s3", "source_location": "s3://%s/docs/long" % BUCKET})
        check(status == 429 and reply["error"]["code"] == "RATE_LIMIT_EXCEEDED" and "retry-after" in headers, "throttled for good: %s %s" % (headers, reply))
        check("reduce your request rate" not in str(reply) and "reduce your request rate" in server.said(), "S3's words are the log's: %s" % reply)


def failures(work, url, key, nobody):
    """Each failure has a status of its own, and S3's words stay in the log. All at a time, each with a home: it takes S3 four tries to be down."""
    def fails(what, env):
        home = Home(work, url, key)
        with live.Server(home.path, env={**home.env, **env}) as server:
            status, reply = process(server, "s3://%s/docs/q" % BUCKET)
            check(status == 502 and reply["error"]["code"] == "UPSTREAM", "%s: %d %s" % (what, status, reply))
            check(not any(w in str(reply) for w in ("AccessDenied", "SignatureDoesNotMatch", "127.0.0.1", nobody[0])), "%s: %s" % (what, reply))
            check("docs/q" in server.said(), "%s: the log says why: %s" % (what, server.said()))
            check(state(server, reply["error"]["details"]["job_id"])["status"] == "failed", "%s: the job" % what)
            home.nothing_staged(what)

    plan.reset()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for done in [pool.submit(fails, *row) for row in (
                ("a key that may nothing", {"AWS_ACCESS_KEY_ID": nobody[0], "AWS_SECRET_ACCESS_KEY": nobody[1]}),
                ("a wrong secret", {"AWS_SECRET_ACCESS_KEY": "wrong"}), ("no credentials", {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}),
                ("no region", {"AWS_REGION": ""}), ("nobody there", {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}))]:
            done.result()


def cancelled(home):
    with home.server() as server:
        plan.free = 1
        status, reply = process(server, "s3://%s/docs/q" % BUCKET, **{"async": True})
        check(status == 202, "queued: %s" % reply)
        job = reply["job_id"]
        poll("it fetches", lambda: plan.held)
        poll("its stage is told", lambda: state(server, job)["stage"] == "fetch" and state(server, job)["progress"] > 0)
        check(home.staged() == ["job-" + job], "what is staged: %s" % home.staged())
        check(server.ask("DELETE", "/jobs/" + job)[0] == 200, "cancelled")
        wait_state(server, job, "cancelled")
        home.nothing_staged("cancelling") # while S3 still holds its answers back
        plan.go.set()


def restarted(home):
    """Stops and a kill while objects come, or while S3 is asked again and again; the next server begins anew, and nothing is there twice."""
    for i, (how, throttled) in enumerate(((signal.SIGTERM, False), (signal.SIGKILL, False), (signal.SIGTERM, True))):
        task = "cut%d" % i
        server = home.server().__enter__()
        plan.free = 2
        plan.throttle = 1000 if throttled else 0
        status, reply = process(server, "s3://%s/docs/q" % BUCKET, task, create=True, **{"async": True})
        job = reply["job_id"]
        poll("it fetches", lambda: plan.throttle < 1000 if throttled else plan.held)
        if how == signal.SIGTERM:
            server.__exit__(None)
        else:
            server.process.kill()
            server.process.wait()
            os.unlink(server.log.name)
        check(home.staged() == ["job-" + job], "what is left: %s" % home.staged())
        plan.go.set()
        with home.server() as server:
            done = wait_state(server, job, "done")
            check(done["results"]["accepted"] == len(DOCS) and done["attempts"] == (2 if how == signal.SIGKILL else 1), "begun anew: %s" % done)
            check(names(server, task) == sorted(DOCS), "its documents: %s" % names(server, task))
            home.nothing_staged("a restart")


def held_task(home):
    """While another program holds the task, what was fetched waits for it: it is not fetched again."""
    import fcntl
    with home.server() as server:
        process(server, "s3://%s/docs/q/a.txt" % BUCKET, "held", create=True)
        plan.objects.clear()
        locks = os.path.join(home.path, "locks")
        with open(os.path.join(locks, "held"), "w") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            status, reply = process(server, "s3://%s/docs/q" % BUCKET, "held", **{"async": True})
            poll("all were fetched", lambda: len(plan.objects) >= len(DOCS) + 1)
            poll("the job was tried again", lambda: "fetched.json" in os.listdir(os.path.join(home.path, ".takc-uploads", "job-" + reply["job_id"])))
            time.sleep(2)  # one try waits half a second for the task, and the next comes a second later
            check(state(server, reply["job_id"])["status"] == "running", "it waits")
        wait_state(server, reply["job_id"], "done")
        check(len(plan.objects) == len(set(plan.objects)), "none twice: %s" % plan.objects)


def by_command(home):
    """takc ingest s3://...: the names of a folder, what is left out is not fetched, and nothing stays behind, whatever becomes of it."""
    def ingest(*args, **env):
        done = subprocess.run([live.TAKC, "ingest", "-t", "hand", *args], env={**os.environ, **home.env, **env, "TAKC_HOME": home.path},
                              capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    plan.reset()
    live.run("init", "hand", home=home.path)
    code, out, err = ingest("s3://%s/docs/q/" % BUCKET, "--json", "--exclude", "*.bin")
    told = json.loads(out)
    check(code == 0 and told["new"] == len(DOCS) and told["skipped"] == 1, "by hand: %d %s %s" % (code, out, err))
    check({d["document"] for d in told["documents"]} == set(DOCS) | {".hidden"}, "names: %s" % out)
    check("docs/q/pic.bin" not in plan.objects, "what is left out is not fetched: %s" % plan.objects)
    code, out, err = ingest("s3://%s/docs/q/" % BUCKET)
    check(code == 0 and "%d same" % len(DOCS) in out and "skipped pic.bin: binary" in err, "again: %d %s %s" % (code, out, err))
    plan.listing = page(("docs/q/../x", 5), ("docs/q/a.txt", len("Alpha shipped 13 tonnes in May.")))
    code, out, err = ingest("s3://%s/docs/q/" % BUCKET)
    check(code == 1 and "refused ../x: " in err and "1 same, 1 refused" in out, "an odd key: %d %s %s" % (code, out, err))
    plan.reset()
    for args, wanted, words in ((("s3://%s/docs/none" % BUCKET,), 3, "nothing at s3://%s/docs/none" % BUCKET), (("s3://no-such-bucket",), 3, "NoSuchBucket"),
                                (("s3://Bad/x",), 2, "bucket"), (("s3://%s/docs" % BUCKET, "/tmp"), 2, "alone"), (("--mirror", "s3://%s/docs" % BUCKET), 2, "--mirror"),
                                (("--name", "n", "s3://%s/docs" % BUCKET), 2, "--name")):
        code, out, err = ingest(*args)
        check(code == wanted and words in err, "%s: %d %s" % (args, code, err))
    code, out, err = ingest("s3://%s/docs/q" % BUCKET, AWS_SECRET_ACCESS_KEY="wrong")
    check(code == 15 and "SignatureDoesNotMatch" in err, "a wrong secret: %d %s" % (code, err))
    check(not home.staged(), "nothing stays: %s" % home.staged())
    plan.free = 0
    p = subprocess.Popen([live.TAKC, "ingest", "-t", "hand", "s3://%s/docs/q" % BUCKET], env={**os.environ, **home.env, "TAKC_HOME": home.path}, stderr=subprocess.PIPE)
    poll("it fetches", lambda: plan.held)
    p.send_signal(signal.SIGINT)
    check(p.wait(30) == 130 and not home.staged(), "interrupted: %s %s" % (p.returncode, home.staged()))
    p.stderr.close()
    for name, age in (("up-2000000000-1-0", 90000), ("up-2000000000-1-1", 80000), ("job-x", 90000)):
        path = os.path.join(home.path, ".takc-uploads", name)
        os.makedirs(path)
        os.utime(path, (time.time() - age, time.time() - age))
    plan.go.set()
    code = ingest("s3://%s/docs/q/a.txt" % BUCKET)[0]
    check(code == 0 and home.staged() == ["job-x", "up-2000000000-1-1"], "what a run left that was killed the day before goes: %s" % home.staged())
    for name in home.staged():
        os.rmdir(os.path.join(home.path, ".takc-uploads", name))


def main():
    global s3
    work = tempfile.mkdtemp(prefix="takc-s3-")
    moto, place = start_moto()
    try:
        mine, nobody = make_keys(place)
        s3 = boto3.client("s3", endpoint_url="http://" + place, region_name="us-east-1", aws_access_key_id=mine[0], aws_secret_access_key=mine[1],
                          config=botocore.config.Config(request_checksum_calculation="when_required"))
        s3.create_bucket(Bucket=BUCKET)
        home = Home(work, start_proxy(place), mine)
        for case, *args in ((taken, home, work), (refused, home), (tenants, home), (odd_keys, home), (bounds, home), (second_tries, home), (cancelled, home),
                            (restarted, home), (held_task, home), (by_command, home), (failures, work, home.env["AWS_ENDPOINT_URL_S3"], mine, nobody)):
            if sys.argv[1:] and case.__name__ not in sys.argv[1:]:
                continue
            began = time.monotonic()
            case(*args)
            print("- %s: %.1f s" % (case.__name__, time.monotonic() - began), flush=True)
    finally:
        moto.kill()
        moto.wait()
        shutil.rmtree(work, ignore_errors=True)
    print("process_s3: good")


main()
