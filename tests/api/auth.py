# SPDX-License-Identifier: Apache-2.0
"""Authorization over real sockets: keys (none, garbage, revoked, expired, of another scope, of other tasks, of another tenant) against every
route of /openapi.json, refusals before the body, header tricks, and the rules of a server without an authorizer."""
import json
import os
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import live  # noqa: E402
from live import check  # noqa: E402

SECRET = "The acquisition of Helvetia Pumps is planned for May."  # stands only in the default tenant's fin
OTHERS = "Acme sells anvils at 12 CHF each."  # stands only in acme's fin


def key(home, name, *options):
    """(id, key) of a new key."""
    made = json.loads(live.run("key", "create", name, *options, "--json", home=home))
    return made["id"], made["key"]


def bearer(k):
    return {"Authorization": "Bearer " + k}


def tenant_home(home, name, text):
    """A tenant's home with a task fin that holds the text; made offline, as an operator may."""
    path = os.path.join(home, "tenants", name)
    folder = os.path.join(os.path.dirname(home), "docs-" + name)
    os.makedirs(folder)
    with open(os.path.join(folder, "own.txt"), "w") as f:
        f.write(text + "\n")
        for n in range(40):
            f.write("Lot %d of the anvils weighs %d kg.\n" % (n, 20 + n))
    live.run("init", "fin", home=path)
    live.run("ingest", "-t", "fin", folder, home=path)
    live.run("compress", "-t", "fin", home=path)


def fill(path, task):
    """A path of the description with its parameters given."""
    return re.sub(r"\{([a-z_]+)\}", lambda m: {"task": task, "document": "own.txt", "rate": "light"}.get(m.group(1), "1"), path)


def sample(spec, schema, task):
    """The smallest body that fits."""
    if "$ref" in schema:
        return sample(spec, spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], task)
    for way in ("oneOf", "anyOf", "allOf"):
        if way in schema:
            return sample(spec, schema[way][0], task)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {n: task if n in ("task_type", "task") else "takc/" + task if n == "model" else sample(spec, s, task)
                for n, s in schema.get("properties", {}).items() if n in schema.get("required", [])}
    if kind == "array":
        return [sample(spec, schema.get("items", {}), task)] * max(1, schema.get("minItems", 0))
    if kind in ("integer", "number"):
        return max(1, schema.get("minimum", 1))
    if kind == "boolean":
        return False
    return schema.get("enum", ["user", "what is planned"])[0] if "enum" in schema else "what is planned"


def operations(spec):
    """(method, path, operation) of all routes."""
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def ask(server, spec, method, path, operation, headers, task="fin"):
    body = None
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        body = sample(spec, content["application/json"]["schema"], task)
    elif content:
        body = b"--x--\r\n"
        headers = dict(headers, **{"Content-Type": next(iter(content)) + "; boundary=x"})
    return server.ask(method, fill(path, task), body, headers)


def names_task(spec, path, operation):
    content = operation.get("requestBody", {}).get("content", {})
    return "{task}" in path or '"fin"' in json.dumps(sample(spec, content.get("application/json", {}).get("schema", {"type": "null"}), "fin"))


def error_of(body):
    return body.get("error", {}) if isinstance(body, dict) else {}


# ---- every route, every wrong key ----

def every_route(server, spec, keys):
    n = 0
    for method, path, operation in operations(spec):
        where = "%s %s" % (method, path)
        if operation["security"] == []:
            status, _, _ = ask(server, spec, method, path, operation, {})
            check(status == 200, "%s is open: %d" % (where, status))
            continue
        n += 1
        check({"bearer": []} in operation["security"] and {"apiKey": []} in operation["security"], where + ": security in the description")
        check("401" in operation["responses"] and "403" in operation["responses"], where + ": 401 and 403 in the description")
        for name, headers in keys["bad"]:
            status, got, body = ask(server, spec, method, path, operation, headers)
            check(status == 401, "%s with %s: %d" % (where, name, status))
            check(got.get("www-authenticate", "").startswith('Bearer realm="takc"'), "%s with %s: WWW-Authenticate" % (where, name))
            said = json.dumps(error_of(body))  # clients of OpenAI and MCP know others
            check("AUTHENTICATION_FAILED" in said or "invalid_api_key" in said or (path == "/mcp" and "-32600" in said), "%s with %s: %s" % (where, name, body))
            check(SECRET[:20] not in json.dumps(body), "%s with %s leaks" % (where, name))
        may = [scope for scope in ("query", "ingest", "admin")
               if ask(server, spec, method, path, operation, bearer(keys["only " + scope]), "nosuchtask")[0] != 403]
        if path == "/metrics" and not may:
            continue  # what the whole server counts is no tenant's to read, and all of these are tenants'
        check(0 < len(may) < 3, "%s is let in with scopes %s" % (where, may))
        right = keys["others " + may[0]]  # the scope it needs, patterns of other tasks
        status, _, body = ask(server, spec, method, path, operation, bearer(right))
        said = body.decode(errors="replace") if isinstance(body, bytes) else json.dumps(body)
        check("Helvetia" not in said, where + " leaks to a key of other tasks")
        if names_task(spec, path, operation):
            check(status == 403 or "FORBIDDEN" in said, "%s with a key of other tasks: %d %s" % (where, status, said))
        stranger = keys["stranger " + may[0]]  # all scopes, another tenant, which has no such task
        status, _, body = ask(server, spec, method, path, operation, bearer(stranger))
        said = body.decode(errors="replace") if isinstance(body, bytes) else json.dumps(body)
        for words in (SECRET, "Helvetia", OTHERS, "anvils"):
            check(words not in said, "%s: a stranger reads %s" % (where, words))
        check(status < 500, "%s by a stranger: %d %s" % (where, status, said))
    check(n >= 8, "only %d routes with a scope" % n)


# ---- one task name, two tenants ----

def two_tenants(server, ours, theirs):
    question = {"task_type": "fin", "query": "What does Acme sell? Which acquisition is planned?"}
    for name, k, own, foreign in (("the default tenant", ours, "Helvetia", "anvils"), ("acme", theirs, "anvils", "Helvetia")):
        for method, path, body in (("GET", "/cache/fin/light", None), ("POST", "/query", question), ("GET", "/tasks/fin/documents", None),
                                   ("GET", "/tasks/fin/documents/own.txt/text", None),
                                   ("POST", "/v1/chat/completions", {"model": "takc/fin", "messages": [{"role": "user", "content": question["query"]}]})):
            status, got, reply = server.ask(method, path, body, bearer(k))
            said = reply.decode(errors="replace") if isinstance(reply, bytes) else json.dumps(reply)
            check(status == 200, "%s: %s %s: %d %s" % (name, method, path, status, said))
            check(foreign not in said, "%s reads another's at %s" % (name, path))
            check(own in said or path.endswith("documents"), "%s does not read its own at %s: %s" % (name, path, said))
    status, got, _ = server.ask("GET", "/cache/fin/light", None, bearer(ours))
    status, _, _ = server.ask("GET", "/cache/fin/light", None, dict(bearer(theirs), **{"If-None-Match": got["etag"]}))
    check(status in (200, 304), "If-None-Match over tenants: %d" % status)
    for path in ("/tasks/..%2Facme", "/tasks/tenants%2Facme%2Ffin", "/cache/tenants/light", "/tasks/%2E%2E/documents"):
        status, _, body = server.ask("GET", path, None, bearer(ours))
        check(status in (400, 404), "%s: %d" % (path, status))


def first_write(home, server, newcomer):
    """Reads of a tenant without a home see nothing and make nothing; its first write makes the home."""
    folder = os.path.join(home, "tenants", "newcomer")
    status, _, body = server.ask("GET", "/tasks", None, bearer(newcomer))
    check(status == 200 and body == {"tasks": []}, "a new tenant's tasks: %d %s" % (status, body))
    status, _, body = server.ask("GET", "/cache/fin", None, bearer(newcomer))
    check(status == 404, "a new tenant's cache: %d" % status)
    check(not os.path.exists(folder), "a read made a home")
    status, _, body = server.ask("PUT", "/tasks/own", {"description": "of the newcomer"}, bearer(newcomer))
    check(status == 201, "a new tenant's task: %d %s" % (status, body))
    status, _, body = server.ask("GET", "/tasks", None, bearer(newcomer))
    check(body == {"tasks": ["own"]}, "its tasks: %s" % body)
    check(os.path.exists(os.path.join(folder, "home.json")), "no home of the newcomer")
    check(not os.path.exists(os.path.join(home, "tasks", "own.yaml")), "it was made in the default tenant's home")


# ---- how keys come, and go ----

def headers_of_keys(server, k, other):
    def get(*lines, path="/tasks"):
        return raw(server, "GET %s HTTP/1.1\r\nHost: %s:%d\r\n%s\r\n" % (path, server.host, server.port, "".join(l + "\r\n" for l in lines)))

    for line in ("Authorization: Bearer " + k, "authorization: bearer   " + k, "AUTHORIZATION: BEARER " + k, "X-API-Key: " + k, "x-api-key:  " + k):
        check(get(line) == 200, "not let in by " + line[:24])
    check(get("Authorization: Bearer " + k, "X-API-Key: " + k) == 200, "the same key twice over")
    for lines in (["Authorization: Bearer " + k, "X-API-Key: " + other], ["Authorization: Bearer " + k, "Authorization: Bearer " + k],
                  ["X-API-Key: " + k, "X-API-Key: " + k], ["Authorization: Basic " + k], ["Authorization: Bearer" + k],
                  ["Authorization: Bearer " + k + " x"], ["Authorization: Basic dTpw", "X-API-Key: " + k], ["X-API-Key:"], ["Authorization:"],
                  ["Authorization: Bearer " + k.upper()], ["Cookie: X-API-Key=" + k], ["Proxy-Authorization: Bearer " + k],
                  ["X_API_Key: " + k]):
        check(get(*lines) == 401, "let in by %s" % lines)
    for path in ("/tasks?api_key=", "/tasks?key=", "/tasks?access_token=", "/tasks?X-API-Key="):
        check(get(path=path + k) == 401, "a key in the query string")
    for i in range(len(k)):
        wrong = k[:i] + ("a" if k[i] != "a" else "b") + k[i + 1:]
        check(get("X-API-Key: " + wrong) == 401, "let in with character %d changed" % i)


def raw(server, request, then=b"", timeout=30):
    """The status of the reply to these bytes."""
    with socket.create_connection((server.host, server.port), timeout=timeout) as s:
        s.sendall(request.encode() + then)
        got = b""
        while b"\r\n" not in got:
            piece = s.recv(4096)
            if not piece:
                break
            got += piece
        return int(got.split()[1]) if got else 0


def before_the_body(server, small):
    """Refused at the head: not a byte of the body is sent, or waited for."""
    head = "%s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n%s\r\n"
    for lines, want in (("", 401), ("X-API-Key: takc_no\r\n", 401), ("Expect: 100-continue\r\n", 401)):
        check(raw(server, head % ("POST /query", server.host, server.port, lines)) == want, "a body was waited for")
    check(raw(server, head % ("PUT /tasks/fin", server.host, server.port, "X-API-Key: %s\r\n" % small)) == 403, "a body was waited for at 403")
    for target, want in (("POST /nothing", 404), ("PATCH /tasks", 405), ("DELETE /health", 405)):
        check(raw(server, head % (target, server.host, server.port, "")) == want, target)


def leaving(server, k):
    """Clients of a tenant that leave at every stage: a home that is not put back stops the server's end."""
    body = json.dumps({"task_type": "fin", "query": "What do anvils weigh?", "stream": True}).encode()
    head = "POST /query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-API-Key: %s\r\nContent-Length: %d\r\n\r\n" % (k, len(body))
    for sent, take in ((head.encode(), 0), (head.encode() + body[:9], 0), (head.encode() + body, 0), (head.encode() + body, 100)) * 5:
        with socket.create_connection((server.host, server.port), timeout=30) as s:
            s.sendall(sent)
            if take:
                check(s.recv(take).startswith(b"HTTP/1.1 200"), "a stream of a tenant")


def until(wanted, what):
    """Polls for at most thirty seconds."""
    for _ in range(600):
        if wanted():
            return
        time.sleep(0.05)
    raise SystemExit("FAILED: " + what)


def going_keys(home, server):
    id_, k = key(home, "short")
    check(server.ask("GET", "/tasks", None, bearer(k))[0] == 200, "a new key does not work in a running server")
    live.run("key", "revoke", id_, home=home)
    status, _, body = server.ask("GET", "/tasks", None, bearer(k))
    check(status == 401 and "revoked" in error_of(body)["message"], "a revoked key: %d %s" % (status, body))
    _, k = key(home, "seconds", "--expires", "2s")
    until(lambda: server.ask("GET", "/tasks", None, bearer(k))[0] == 401, "a key does not expire")


def broken_catalogue(home, k):
    """Where it cannot be told whose a key is, nobody is let in, and nothing of the reason is told."""
    path = os.path.join(home, "catalog.sqlite")
    with live.Server(home, "--auth", "key", "--log-level", "error") as server:
        check(server.ask("GET", "/tasks", None, bearer(k))[0] == 200, "the key before")
        os.rename(path, path + ".away")
        os.mkdir(path)
        status, _, body = server.ask("GET", "/tasks", None, bearer(k))
        check(status in (500, 503) and "sqlite" not in json.dumps(body) and "catal" not in json.dumps(body), "a broken catalogue: %d %s" % (status, body))
        check(server.ask("GET", "/tasks", None, bearer("takc_x"))[0] == 401, "garbage with a broken catalogue")
        os.rmdir(path)
        os.rename(path + ".away", path)
        check(server.ask("GET", "/tasks", None, bearer(k))[0] == 200, "the key behind")


# ---- without an authorizer ----

def without(server):
    def get(host, line="GET /tasks", more=""):
        return raw(server, "%s HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (line, host, more))

    port = server.port
    for host in ("127.0.0.1:%d" % port, "localhost:%d" % port, "LOCALHOST", "localhost", "[::1]:%d" % port, "[::1]", "127.1.2.3"):
        check(get(host) == 200, "Host %s is refused" % host)
    for host in ("rebound.example:%d" % port, "127.0.0.1.example", "localhost.example", "example:80", "0.0.0.0", "10.0.0.1", "[::2]", "[::1].example",
                 "127.0.0.1:x", "localhost:99999", "2130706433", "127.1"):
        check(get(host) == 403, "Host %s is let in" % host)
        check(get(host, "GET /health") == 403, "Host %s sees /health" % host)
    put = "PUT /tasks/made"
    body = "Content-Type: application/json\r\nContent-Length: 2\r\n%s"
    with_origin = lambda o: raw(server, "%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (put, body % o), b"{}")  # noqa: E731
    check(with_origin("Origin: https://evil.example\r\n") == 403, "another site's page makes a task")
    check(with_origin("Origin: null\r\n") == 403, "a page without an origin makes a task")
    check(with_origin("Origin: http://localhost.evil.example\r\n") == 403, "a page of a similar name makes a task")
    check(with_origin("Origin: http://localhost:3000\r\n") == 201, "a page of the machine's own may not")
    check(with_origin("") == 200, "a program may not")


def addresses(home):
    env = dict(os.environ, TAKC_HOME=home)
    done = subprocess.run([live.TAKC, "serve", "--port", "0", "--address", "0.0.0.0"], env=env, capture_output=True, text=True, timeout=60)
    check(done.returncode == 2 and "serve.address" in done.stderr and "serve.auth" in done.stderr, "0.0.0.0 without an authorizer: " + done.stderr)
    with live.Server(home, "--address", "0.0.0.0", env={"TAKC_SERVE_AUTH": "key"}) as server:
        server.host = "127.0.0.1"
        check(server.ask("GET", "/health", None, {"Host": "takc.example"})[0] == 200, "0.0.0.0 with keys")
        check(server.ask("GET", "/tasks", None, {"Host": "takc.example"})[0] == 401, "0.0.0.0 with keys lets everybody in")
        check("in clear" in server.said(), "no warning of credentials in clear")


def make_keys(home):
    """What the routes are asked with."""
    _, good = key(home, "all", "--may", "query,ingest,admin")
    keys = {"good": good}
    for scope in ("query", "ingest", "admin"):
        keys["only " + scope] = key(home, "only " + scope, "--may", scope)[1]
        keys["others " + scope] = key(home, "others " + scope, "--may", scope, "--tasks", "legal*,f?n2")[1]
        keys["stranger " + scope] = key(home, "stranger " + scope, "--may", scope, "--tenant", "stranger")[1]
    revoked_id, revoked = key(home, "revoked", "--may", "query,ingest,admin")
    live.run("key", "revoke", revoked_id, home=home)
    _, expired = key(home, "expired", "--may", "query,ingest,admin", "--expires", "1s")
    unknown = key(os.path.join(os.path.dirname(home), "elsewhere"), "unknown", "--may", "query,ingest,admin")[1]
    keys["bad"] = [("no key", {}), ("garbage", bearer("garbage")), ("garbage of ours", bearer("takc_garbage")), ("a cut key", bearer(good[:-1])),
                   ("a revoked key", bearer(revoked)), ("an expired key", {"X-API-Key": expired}), ("a key of another home", bearer(unknown))]
    return keys


def main():
    with live.home("fin") as home:
        with open(os.path.join(os.path.dirname(home), "own.txt"), "w") as f:
            f.write(SECRET + "\n")
        live.run("ingest", "-t", "fin", os.path.join(os.path.dirname(home), "own.txt"), home=home)
        live.run("compress", "-t", "fin", home=home)
        tenant_home(home, "acme", OTHERS)
        keys = make_keys(home)
        _, theirs = key(home, "acme's", "--tenant", "acme", "--may", "query,ingest,admin")
        _, newcomer = key(home, "newcomer's", "--tenant", "newcomer", "--may", "query,ingest,admin")
        many = {"TAKC_SERVE_QUOTA_PER_S": "10000", "TAKC_SERVE_QUOTA_BURST": "10000"}  # a 429 is no answer to who may
        with live.Server(home, env={"TAKC_SERVE_AUTH": "key", **many}) as server:
            spec = server.ask("GET", "/openapi.json")[2]
            two_tenants(server, keys["good"], theirs)
            first_write(home, server, newcomer)
            headers_of_keys(server, keys["good"], theirs)
            before_the_body(server, keys["only query"])
            leaving(server, theirs)
            going_keys(home, server)
            until(lambda: server.ask("GET", "/tasks", None, keys["bad"][5][1])[0] == 401, "a key does not expire")
            every_route(server, spec, keys)
            two_tenants(server, keys["good"], theirs)
            check(keys["good"] not in server.said() and keys["good"][18:40] not in server.said(), "a key is in the log")
        broken_catalogue(home, keys["good"])
        with live.Server(home) as server:
            without(server)
        addresses(home)


if __name__ == "__main__":
    main()
