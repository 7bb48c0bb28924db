# SPDX-License-Identifier: Apache-2.0
"""Documents in, compress and jobs, over a real socket: form-data by hand and by curl, texts, places; names that would climb; bodies that
are damaged, cut off or too large; 100 MB that never are in memory; progress, cancelling, a full queue, a stop and a kill with jobs."""
import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import live
from live import check, poll

BOUNDARY = "b0undary"
SANITIZED = any(s in os.environ.get("TAKC_BUILD_DIR", "") for s in ("asan", "tsan"))


def form(*parts):
    """A body of form-data: ("task_type", "fin") is a field, ("files", "a.txt", b"...") a file."""
    out = b""
    for p in parts:
        out += b"--" + BOUNDARY.encode() + b'\r\nContent-Disposition: form-data; name="' + p[0].encode() + b'"'
        if len(p) == 3:
            name = p[1] if isinstance(p[1], bytes) else p[1].encode()
            out += b'; filename="' + name + b'"\r\nContent-Type: text/plain'
        out += b"\r\n\r\n" + (p[-1] if isinstance(p[-1], bytes) else p[-1].encode()) + b"\r\n"
    return out + b"--" + BOUNDARY.encode() + b"--\r\n"


def upload(server, *parts, body=None):
    headers = {"Content-Type": "multipart/form-data; boundary=" + BOUNDARY}
    status, headers, reply = server.ask("POST", "/process", body if body is not None else form(*parts), headers)
    return status, reply


def staged(home):
    """Whatever stands in the folder of uploads."""
    path = os.path.join(home, ".takc-uploads")
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def nothing_staged(home, after):
    poll("nothing is staged after " + after, lambda: not staged(home))


def names(server, task="fin"):
    status, _, reply = server.ask("GET", "/tasks/%s/documents" % task)
    check(status == 200, "documents: %s" % reply)
    return {d["document"]: d for d in reply["documents"]}


def text_of(server, task, name):
    status, _, reply = server.ask("GET", "/tasks/%s/documents/%s/text" % (task, name))
    check(status == 200, "text: %s" % reply)
    return reply["text"]


def job(server, job_id):
    status, _, reply = server.ask("GET", "/jobs/" + job_id)
    check(status == 200, "job: %s" % reply)
    return reply


def wait_state(server, job_id, *states):
    return poll("%s is %s" % (job_id, states), lambda: (lambda j: j["status"] in states and j)(job(server, job_id)))


class Model:
    """An OpenAI-compatible service that never answers: whoever compresses with it runs until it is stopped."""

    def __enter__(self):
        self.asked = threading.Event()
        self.end = threading.Event()
        model = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                model.asked.set()
                model.end.wait(60)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.env = {"TAKC_MODEL_BASE_URL": "http://127.0.0.1:%d/v1" % self.server.server_address[1], "OPENAI_API_KEY": "sk-test", "TAKC_SERVE_MODELS": "openai:slow"}
        return self

    def __exit__(self, *rest):
        self.end.set()
        self.server.shutdown()


# ---- documents in ----


def form_data(server, home):
    status, reply = upload(server, ("task_type", "fin"), ("files", "up/a.txt", "Sales of alpha were 12 tonnes."),
                           ("file", "b.md", "# Beta\n\nBeta rose by 4%."), ("files", ".hidden", "x"), ("files", "c.bin", b"\0\1\2\3" * 100),
                           ("labels", "first"), ("labels", "second"), ("date", "2026-01-31"))
    check(status == 200 and reply["status"] == "done" and reply["task_type"] == "fin", "an upload: %s" % reply)
    check((reply["accepted"], reply["unchanged"], reply["skipped"]) == (2, 0, 2), "counts: %s" % reply)
    check(reply["chunk_count"] == 2 and reply["chunks_location"] == "fin/" and "processing_time_ms" in reply and reply["job_id"],
          "the guide's fields: %s" % reply)
    reasons = {d["document"]: d.get("reason") for d in reply["documents"]}
    check(reasons[".hidden"] == "hidden" and "binary" in reasons["c.bin"] and reasons["b.md"] is None, "reasons: %s" % reasons)
    check(names(server)["up/a.txt"]["date"] == "2026-01-31", "a date")
    check(text_of(server, "fin", "up%2Fa.txt").startswith("Sales of alpha"), "its text")
    status, reply = upload(server, ("files", "up/a.txt", "Sales of alpha were 13 tonnes."), ("files", "b.md", "# Beta\n\nBeta rose by 4%."),
                           ("date", "2026-01-31"), ("labels", "first"), ("labels", "second"), ("task_type", "fin"))
    check(status == 200 and (reply["accepted"], reply["unchanged"]) == (1, 1), "again, one of them changed: %s" % reply)
    check("13 tonnes" in text_of(server, "fin", "up%2Fa.txt"), "the changed text")
    check("q1.txt" in names(server), "what came from elsewhere is still there")
    status, reply = upload(server, ("task_type", "fin"), ("files", "q1.txt", "Another text under a name of the reports."))
    check(status == 422 and reply["error"]["code"] == "REFUSED" and "from elsewhere" in reply["error"]["message"], "a name of a folder's: %s" % reply)
    check(home not in json.dumps(reply), "no path of the machine: %s" % reply)
    nothing_staged(home, "uploads")


def by_curl(server, home):
    if not shutil.which("curl"):
        print("no curl: its upload is left out")
        return
    with tempfile.TemporaryDirectory() as d:
        for n in ("one.txt", "zwei \u00e4.txt"):
            with open(os.path.join(d, n), "w") as f:
                f.write("By curl came %s.\n" % n)
        done = subprocess.run(["curl", "-sf", "-F", "task_type=fin", "-F", "files=@" + os.path.join(d, "one.txt"), "-F",
                               "files=@%s;filename=sub/zwei \u00e4.txt" % os.path.join(d, "zwei \u00e4.txt"), server.url + "/process"],
                              capture_output=True, timeout=60)
        check(done.returncode == 0, "curl: %s" % done)
        check(json.loads(done.stdout)["accepted"] == 2, "curl: %s" % done.stdout)
    check({"one.txt", "sub/zwei \u00e4.txt"} <= set(names(server)), "names by curl: %s" % list(names(server)))


def texts(server, home):
    documents = [{"name": "json/1.txt", "text": "Gamma has 7 wheels."}, {"name": "json/2.txt", "text": "Delta has 8.", "date": "2026-02-01"}]
    status, _, reply = server.ask("POST", "/v1/process", {"task_type": "fin", "documents": documents})
    check(status == 200 and reply["accepted"] == 2, "texts: %s" % reply)
    check(names(server)["json/2.txt"]["date"] == "2026-02-01" and not names(server)["json/1.txt"]["date"], "dates of their own")
    for body, pointer in (({"task_type": "fin"}, ""), ({"task_type": "fin", "documents": []}, "/documents"),
                          ({"task_type": "fin", "documents": [{"name": "a.txt"}]}, "/documents/0/text"),
                          ({"task_type": "fin", "source_location": "/tmp"}, "/source_type"),
                          ({"task_type": "fin", "documents": documents, "date": "2026-01-01"}, "/date")):
        status, _, reply = server.ask("POST", "/process", body)
        check(status == 400 and reply["error"]["details"]["pointer"].startswith(pointer), "%s: %s" % (body, reply))
    status, _, reply = server.ask("POST", "/process", {"task_type": "fin", "documents": [documents[0], documents[0]]})
    check(status == 400 and "/documents/1/name" in reply["error"]["message"], "a name twice: %s" % reply)
    with socket.create_connection((server.host, server.port)) as s:
        s.sendall(b"POST /process HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (17 << 20))
        reply = s.makefile("rb").read()
        check(b" 413 " in reply and b"multipart/form-data" in reply, "17 MB of JSON: %s" % reply)
    nothing_staged(home, "texts")


def tasks(server):
    body = {"task_type": "nobodys", "documents": [{"name": "a.txt", "text": "One sentence stands here."}]}
    status, _, reply = server.ask("POST", "/process", body)
    check(status == 404 and "create" in reply["error"]["message"], "no such task: %s" % reply)
    status, _, reply = server.ask("POST", "/process", dict(body, create=True, config={"chunk_size": 300, "overlap": 20}))
    check(status == 200 and reply["accepted"] == 1, "a task made on the way: %s" % reply)
    status, _, reply = server.ask("GET", "/tasks/nobodys")
    check(reply["chunking"] == {"tokens": 300, "overlap": 20}, "its profile: %s" % reply)
    status, reply = upload(server, ("task_type", "../fin"), ("files", "a.txt", "x"))
    check(status == 400 and reply["error"]["code"] == "INVALID_TASK_TYPE", "a task that climbs: %s" % reply)
    status, reply = upload(server, ("task_type", "nobody"), ("files", "a.txt", "x"))
    check(status == 404, "no such task, by form: %s" % reply)


def places(server, home, allowed):
    def ask(location, kind="file"):
        status, _, reply = server.ask("POST", "/process", {"task_type": "place", "create": True, "source_type": kind, "source_location": location})
        return status, reply

    os.symlink("/etc", os.path.join(allowed, "sub", "etc"))
    os.symlink(home, os.path.join(allowed, "out"))
    os.makedirs(allowed + "-beside")
    status, reply = ask(allowed + "/sub")
    check(status == 200 and reply["accepted"] == 1 and "s.txt" in names(server, "place"), "a folder: %s" % reply)
    check("etc" not in names(server, "place"), "a link is not followed")
    check(ask("file://" + allowed + "/sub")[0] == 200, "as a URL")
    for bad in (home, "/etc/passwd", allowed + "/../", allowed + "/out", allowed + "/sub/etc", allowed + "-beside", allowed + "/none", "sub", "",
                "/etc/passwd\0" + allowed):
        status, reply = ask(bad) if bad else (403, {"error": {"message": ""}})
        check(status == 403 and "passwd" not in reply["error"]["message"], "%r: %d %s" % (bad, status, reply))
    for kind, location, wanted in (("s3", "s3://bucket/x", 403), ("kinesis", "stream", 422), ("file", "gs://bucket/x", 422), ("file", "s3://bucket/x", 400)):
        status, reply = ask(location, kind)
        check(status == wanted, "%s %s: %s" % (kind, location, reply))
    status, _, reply = server.ask("POST", "/compress", {"task_type": "place", "context_location": "/etc", "wait": True})
    check(status == 403, "context_location: %s" % reply)
    status, _, reply = server.ask("POST", "/compress", {"task_type": "place", "context_location": allowed + "/sub", "wait": True, "compression_rates": ["2x"]})
    check(status == 200 and "2x" in reply["cache_keys"], "context_location: %s" % reply)


def hostile_names(server, home):
    bad = ["../x", "/etc/x", "a/../../x", "a//b", "a/./b", "a/", "..", ".", "a\tb", b"a\xff.txt", b"nul\0.txt", "x" * 256, "d/" * 500 + "x"]
    before = sorted(os.listdir(os.path.dirname(home)))
    for name in bad:
        status, reply = upload(server, ("task_type", "fin"), ("files", name, "Text of a bad name."))
        check(status == 400, "%r: %d %s" % (name, status, reply))
        nothing_staged(home, repr(name))
    for name in ("../x", "", "a\0b", "x" * 901, "a\nb"):
        status, _, reply = server.ask("POST", "/process", {"task_type": "fin", "documents": [{"name": name, "text": "t"}]})
        check(status == 400, "%r as JSON: %d %s" % (name, status, reply))
    check(sorted(os.listdir(os.path.dirname(home))) == before and not os.path.exists("/etc/x"), "nothing was written elsewhere")
    for parts in ((("files", "a", "1"), ("files", "a", "2")), (("files", "a", "1"), ("files", "a/b", "2")), (("files", "a/b", "1"), ("files", "a", "2"))):
        status, reply = upload(server, ("task_type", "fin"), *parts)
        check(status == 400, "a name twice: %s %s" % (parts, reply))
    status, reply = upload(server, ("task_type", "fin"), ("files", "", "bytes without a name"))
    check(status == 400, "no name: %s" % reply)
    nothing_staged(home, "bad names")


def malformed(server, home):
    good = form(("task_type", "fin"), ("files", "m.txt", "Text."))
    for body in (b"", good[:-8], good[:40], b"nothing", good.replace(b"form-data", b"attachment"), good.replace(b"task_type", b"tusk"),
                 form(("task_type", "fin")), form(("files", "m.txt", "x")), form(("task_type", "x" * 5000), ("files", "m.txt", "x")),
                 form(("task_type", "fin"), ("files", "m.txt", "x"), ("date", "tomorrow")), form(("task_type", "fin"), ("files", "m", "x"), ("create", "maybe")),
                 form(("task_type", "none"), ("task_type", "fin"), ("files", "m.txt", "x")),  # which of both is meant?
                 b"--" + BOUNDARY.encode() + b"\r\nX: " + b"y" * 9000 + b"\r\n\r\n"):
        status, reply = upload(server, body=body)
        check(status == 400, "%r...: %s %s" % (body[:60], status, reply))
    for kind in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 71):
        check(server.ask("POST", "/process", good, {"Content-Type": kind})[0] == 400, kind)
    for kind in ("multipart/mixed; boundary=" + BOUNDARY, "text/plain", "application/x-www-form-urlencoded"):
        check(server.ask("POST", "/process", good, {"Content-Type": kind})[0] == 415, kind)
    check(server.ask("POST", "/query", good, {"Content-Type": "multipart/form-data; boundary=" + BOUNDARY})[0] == 415, "no form for /query")
    check("m.txt" not in names(server), "nothing of them was taken")
    nothing_staged(home, "malformed bodies")


def peak_kb(server):
    with open("/proc/%d/status" % server.process.pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))


def large(server, home):
    """100 MB, all but the end, then gone: memory stays flat, and so does the disk."""
    piece, n = b"A line of a large document.\n" * 4096, 900
    body = form(("task_type", "fin"), ("files", "large.txt", ""))
    head, tail = body[:-len(BOUNDARY) - 8], body[-len(BOUNDARY) - 8:]
    before = peak_kb(server)
    with socket.create_connection((server.host, server.port)) as s:
        s.sendall(b"POST /process HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=%s\r\nContent-Length: %d\r\n\r\n"
                  % (BOUNDARY.encode(), len(head) + n * len(piece) + len(tail)) + head)
        for _ in range(n):
            s.sendall(piece)

        def arrived():
            paths = [os.path.join(r, f) for r, _, fs in os.walk(os.path.join(home, ".takc-uploads")) for f in fs]
            return paths and os.path.getsize(paths[0]) >= n * len(piece) - 100
        poll("100 MB are on the disk", arrived)
        grown = peak_kb(server) - before
    check(SANITIZED or grown < 24 << 10, "100 MB took %d KB of memory" % grown)
    nothing_staged(home, "a client that went")
    status, reply = upload(server, ("task_type", "fin"), ("files", "after.txt", "The server goes on."))
    check(status == 200, "afterwards: %s" % reply)


def too_large(home):
    with live.Server(home, env={"TAKC_SERVE_UPLOAD_MAX_BYTES": "100000"}) as server:
        check(upload(server, ("task_type", "fin"), ("files", "a.txt", "Ten bytes.\n" * 8000))[0] == 200, "within the limit")
        check(upload(server, ("task_type", "fin"), ("files", "a.txt", "x" * 110000))[0] == 413, "over the limit")
        with socket.create_connection((server.host, server.port)) as s: # no length is told
            s.sendall(b"POST /process HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=%s\r\nTransfer-Encoding: chunked\r\n\r\n" % BOUNDARY.encode())
            body = form(("task_type", "fin"), ("files", "a.txt", "x" * 110000))
            s.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            check(b" 413 " in s.recv(4096), "over the limit, in chunks")
        nothing_staged(home, "bodies that are too large")


def no_room(home):
    """What does not fit on the disk, here: into a file."""
    with live.Server(home, wrap=("sh", "-c", 'ulimit -f 200; exec "$0" "$@"')) as server:
        texts = {"task_type": "fin", "documents": [{"name": "f.txt", "text": "x" * 300000}]}
        for status, reply in (upload(server, ("task_type", "fin"), ("files", "f.txt", "x" * 300000)), server.ask("POST", "/process", texts)[::2]):
            check(status == 507 and reply["error"]["code"] == "FULL" and "File too large" not in str(reply), "no room: %d %s" % (status, reply))
        check(server.said().count("File too large") == 2, "the log says why: %s" % server.said())
        check(server.ask("GET", "/readyz")[0] == 200, "the server goes on")
        nothing_staged(home, "bodies that do not fit")


# ---- jobs ----


def compress(server):
    status, headers, reply = server.ask("POST", "/compress", {"task_type": "fin", "compression_rates": ["ultra", "4x"], "task_description": "margins"})
    check(status == 202 and headers["location"] == "/compress/status/" + reply["job_id"], "202: %s" % reply)
    done = wait_state(server, reply["job_id"], "done")
    status, _, done = server.ask("GET", headers["location"])
    check(done["progress"] == 100 and done["started_at"] and done["completed_at"] and done["results"]["cache_keys_created"] == 2
          and "total_compression_time_ms" in done["results"], "the guide's fields: %s" % done)
    check(server.ask("GET", "/tasks/fin")[2]["description"] == "margins", "the description is the profile's")
    for body, headers in (({"wait": True}, {}), ({}, {"Prefer": "respond-async, wait=30", "Content-Type": "application/json"})):
        status, _, reply = server.ask("POST", "/compress", dict(body, task_type="fin", compression_rates=["8x"]), headers)
        check(status == 200 and reply["status"] == "done" and reply["cache_keys"] == {"light": "cache/v2/fin/light/cache.json"}, "wait: %s" % reply)
        stats = reply["compression_stats"]["light"]
        check(stats["original_tokens"] > stats["compressed_tokens"] and stats["compression_ratio"] >= 8, "stats: %s" % stats)
    status, _, reply = server.ask("POST", "/compress", {"task_type": "nowhere"})
    check(status == 404, "no such task: %s" % reply)
    server.ask("PUT", "/tasks/empty", {})
    status, _, reply = server.ask("POST", "/compress", {"task_type": "empty", "wait": True})
    check(status == 404 and reply["error"]["details"]["job_id"], "nothing to compress: %s" % reply)
    failed = job(server, reply["error"]["details"]["job_id"])
    check(failed["status"] == "failed" and failed["error"]["code"] == "NOT_FOUND", "a failed job: %s" % failed)
    status, _, reply = server.ask("POST", "/compress", {"task_type": "fin", "compression_rates": ["fast"]})
    check(status == 400 and reply["error"]["details"]["pointer"] == "/compression_rates/0", "a rate: %s" % reply)


def listing(server):
    status, _, page = server.ask("GET", "/jobs?limit=2")
    check(status == 200 and len(page["jobs"]) == 2 and page["next"], "a page: %s" % page)
    seen = [j["job_id"] for j in page["jobs"]]
    while page["next"]:
        page = server.ask("GET", "/jobs?limit=2&after=" + page["next"])[2]
        seen += [j["job_id"] for j in page["jobs"]]
    check(len(seen) == len(set(seen)) and seen == sorted(seen, reverse=True), "pages: %s" % seen)
    jobs = server.ask("GET", "/jobs?status=failed&task_type=empty")[2]["jobs"]
    check(jobs and all(j["status"] == "failed" and j["task_type"] == "empty" for j in jobs), "a filter: %s" % jobs)
    check(server.ask("GET", "/jobs?status=lost")[0] == 400, "a state that is none")
    for method, path in (("GET", "/jobs/none"), ("DELETE", "/jobs/none"), ("GET", "/jobs/none/events"), ("GET", "/compress/status/none"), ("GET", "/jobs/..%2F..")):
        check(server.ask(method, path)[0] == 404, path)


@contextlib.contextmanager
def events(server, job_id, headers=b""):
    with socket.create_connection((server.host, server.port), timeout=60) as s:
        s.sendall(b"GET /jobs/%s/events HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (job_id.encode(), headers))
        yield s.makefile("rb")


def next_event(lines):
    name = None
    for line in lines:
        line = line.strip()
        if line.startswith(b"event: "):
            name = line[7:].decode()
        elif line.startswith(b"data: "):
            return name, line[6:].decode()
    raise SystemExit("FAILED: the stream of events ended")


def cancelling(server):
    status, _, reply = server.ask("POST", "/compress", {"task_type": "fin", "model": "openai:slow"})
    check(status == 202, "a slow one: %s" % reply)
    slow = reply["job_id"]
    wait_state(server, slow, "running")
    with events(server, slow, b"Last-Event-ID: 7\r\n") as lines, events(server, slow) as leaving:
        name, data = next_event(lines)
        check(name == "progress" and json.loads(data)["job_id"] == slow, "the present state comes first: %s %s" % (name, data))
        next_event(leaving)
        status, _, waiting = server.ask("POST", "/compress", {"task_type": "fin", "model": "none"})
        check(waiting["status"] == "queued", "one of a task at a time: %s" % waiting)
        status, _, reply = server.ask("POST", "/process", {"task_type": "nobodys", "documents": [{"name": "quick.txt", "text": "Not kept waiting."}]})
        check(status == 200, "documents of another task are not kept waiting: %s" % reply)
        leaving.close()
        check(job(server, slow)["status"] == "running", "a client that leaves cancels nothing")
        status, _, reply = server.ask("DELETE", "/jobs/" + waiting["job_id"])
        check(status == 200 and reply["status"] == "cancelled", "cancelled while it waits: %s" % reply)
        check(server.ask("DELETE", "/jobs/" + slow)[0] == 200, "cancelled while it runs")
        while name != "cancelled":
            name, data = next_event(lines)
        check(next_event(lines)[1] == "[DONE]", "the stream's end")
    check(server.ask("DELETE", "/jobs/" + slow)[0] == 409, "once is enough")
    status, _, reply = server.ask("POST", "/compress", {"task_type": "fin", "model": "none", "wait": True, "compression_rates": ["high"]})
    check(status == 200, "the task is free again: %s" % reply)


def full_queue(home, model):
    with live.Server(home, env=dict(model.env, TAKC_SERVE_JOBS_MAX="2")) as server:
        slow = server.ask("POST", "/compress", {"task_type": "fin", "model": "openai:slow"})[2]["job_id"]
        wait_state(server, slow, "running")
        body = {"task_type": "fin", "model": "none"}
        queued = [server.ask("POST", "/compress", body)[2]["job_id"] for _ in range(2)]
        status, headers, reply = server.ask("POST", "/compress", body)
        check(status == 503 and "retry-after" in headers and reply["error"]["code"] == "BUSY", "full: %s" % reply)
        status, reply = upload(server, ("task_type", "fin"), ("files", "f.txt", "x"), ("async", "true"))
        check(status == 503, "full for uploads, too: %s" % reply)
        nothing_staged(home, "an upload without a place")
        for j in queued + [slow]:
            check(server.ask("DELETE", "/jobs/" + j)[0] == 200, "room again")


def restarts(home, model):
    """A stop, then a kill, each with a job that runs and an upload that waits for it; both are done by the next server."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        server = live.Server(home, env=model.env)
        server.__enter__()
        model.asked.clear()
        slow = server.ask("POST", "/compress", {"task_type": "fin", "model": "openai:slow"})[2]["job_id"]
        wait_state(server, slow, "running")
        poll("the model was asked", model.asked.is_set)
        name = "waits-%d.txt" % how
        status, reply = upload(server, ("task_type", "fin"), ("files", name, "It waits behind %d." % how), ("async", "true"))
        check(status == 202 and reply["status"] == "queued", "an upload that waits: %s" % reply)
        waiting = reply["job_id"]
        cut = socket.create_connection((server.host, server.port))
        cut.sendall(b"POST /process HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=%s\r\nContent-Length: 100000\r\n\r\n" % BOUNDARY.encode()
                    + form(("task_type", "fin"), ("files", "cut.txt", "x" * 3000))[:2000])
        poll("a part of it is on the disk", lambda: len(staged(home)) == 2)
        if how == signal.SIGTERM:
            cut.close()
            server.__exit__(None)
        else:
            server.process.kill()
            server.process.wait()
            cut.close()
            check(len(staged(home)) == 2, "a kill leaves what it leaves: %s" % staged(home))
        with live.Server(home, env=model.env) as server:
            wait_state(server, slow, "running")
            check(job(server, slow)["attempts"] == (1 if how == signal.SIGTERM else 2), "attempts: %s" % job(server, slow))
            check(job(server, waiting)["status"] == "queued", "it still waits")
            poll("what was cut off is gone", lambda: staged(home) == ["job-" + waiting])
            check(server.ask("DELETE", "/jobs/" + slow)[0] == 200, "cancelled")
            done = wait_state(server, waiting, "done")
            check(done["results"]["accepted"] == 1 and name in names(server), "the upload was not lost: %s" % done)
        nothing_staged(home, "restarts")


def main():
    allowed = tempfile.mkdtemp(prefix="takc-allowed-")
    os.makedirs(os.path.join(allowed, "sub"))
    with open(os.path.join(allowed, "sub", "s.txt"), "w") as f:
        f.write("A document of a place has 3 sentences. Here is one. Here is another, with 42 words promised and few kept.\n" * 4)
    try:
        with Model() as model, live.home() as home:
            env = dict(model.env, TAKC_SERVE_SOURCES=allowed + "/sub, " + allowed)
            with live.Server(home, env=env) as server:
                large(server, home)
                form_data(server, home)
                by_curl(server, home)
                texts(server, home)
                tasks(server)
                places(server, home, allowed)
                hostile_names(server, home)
                malformed(server, home)
                compress(server)
                listing(server)
                cancelling(server)
            too_large(home)
            no_room(home)
            full_queue(home, model)
            restarts(home, model)
    finally:
        shutil.rmtree(allowed, ignore_errors=True)
        shutil.rmtree(allowed + "-beside", ignore_errors=True)
    print("jobs: good")


main()
