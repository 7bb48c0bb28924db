# SPDX-License-Identifier: Apache-2.0
"""takc serve with the authorizer jwt: tokens that joserfc makes, good and hostile, of an issuer on loopback whose keys change and which goes
away; then those of oidc-provider, a real one, where npm has it (the folder is the first argument).
"""
import base64
import hashlib
import hmac
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import auth  # noqa: E402
import live  # noqa: E402

QUESTION = {"task_type": "fin", "query": "What was the operating margin in Q3?"}
AUDIENCE = "https://takc.example"


def rsa(kid):
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


class Issuer(http.server.BaseHTTPRequestHandler):
    keys, asked, down = [], [], False

    def do_GET(self):
        Issuer.asked.append(self.path)
        base = "http://127.0.0.1:%d" % self.server.server_port
        said = {
            "/.well-known/openid-configuration": {"issuer": base, "jwks_uri": base + "/keys"},
            "/keys": KeySet(Issuer.keys).as_dict(private=False),
        }.get(self.path)
        body = json.dumps(said).encode()
        self.send_response(503 if Issuer.down else 200 if said else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(head, claims, signature=b""):
    return "%s.%s.%s" % (b64(json.dumps(head).encode()), b64(json.dumps(claims).encode()), b64(signature))


def claims(issuer, **more):
    now = int(time.time())
    v = {"iss": issuer, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 300, "scope": "query", **more}
    return {k: x for k, x in v.items() if x is not None}


def ask(server, token, body=None):
    return server.ask("POST", "/query", body or QUESTION, {"Authorization": "Bearer " + token})


def expect(server, want, token, why):
    status, headers, body = ask(server, token)
    live.check(status == want, "%s: %s, not %s: %s" % (why, status, want, body))
    if want == 401:
        live.check("invalid_token" in headers.get("www-authenticate", ""), "%s: no challenge: %s" % (why, headers))
        live.check(token[-20:] not in json.dumps(body), "%s: the token is in the reply" % why)


def made(server, issuer, r, e, other):
    now = int(time.time())

    def rs(head=None, key=r, **more):
        return jwt.encode({"alg": "RS256", "kid": "r1", "typ": "JWT", **(head or {})}, claims(issuer, **more), key)

    expect(server, 200, rs(), "RS256")
    expect(server, 200, jwt.encode({"alg": "ES256", "kid": "e1"}, claims(issuer, aud=["x", AUDIENCE]), e), "ES256")
    expect(server, 403, rs(scope="ingest"), "another scope")
    expect(server, 403, rs(scope="other/query"), "another service's scope")
    expect(server, 200, rs(scope=AUDIENCE + "/query"), "the scope of a resource server")
    for why, more in (("expired", {"exp": now - 120}), ("not yet", {"nbf": now + 600}), ("issued later", {"iat": now + 600}), ("no exp", {"exp": None}),
                      ("another audience", {"aud": "https://other.example"}), ("another issuer", {"iss": "http://127.0.0.1:1"}), ("nobody's", {"sub": None})):
        expect(server, 401, rs(**more), why)
    expect(server, 401, rs(key=other), "another key under a known kid")
    expect(server, 401, rs({"jwk": other.as_dict(private=False)}, key=other), "its own key in its header")
    expect(server, 401, forged({"alg": "none"}, claims(issuer)), "alg none")
    expect(server, 401, forged({"alg": "none", "kid": "r1"}, claims(issuer), b"x"), "alg none with a signature")
    for secret in (r.as_pem(private=False), r.as_der(private=False)):
        for alg in ("HS256", "RS256"):
            signed = forged({"alg": alg, "kid": "r1"}, claims(issuer))[:-1]
            mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
            expect(server, 401, signed + "." + b64(mac), "a MAC by the public key under " + alg)
    head, body, sig = rs().split(".")
    changed = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed["scope"] = "query admin"
    expect(server, 401, ".".join((head, b64(json.dumps(changed).encode()), sig)), "changed claims")
    expect(server, 401, ".".join((head, body, sig[:-4] + "AAAA")), "changed signature")
    expect(server, 401, ".".join((head, body, "")), "no signature")
    live.check(ask(server, "a.b")[0] == 401, "no token")


def routes(home, issuer, r, other):
    """Every route with every wrong token, as tests/api/auth.py does with keys."""
    with open(os.path.join(os.path.dirname(home), "own.txt"), "w") as f:
        f.write(auth.SECRET + "\n")
    live.run("ingest", "-t", "fin", os.path.join(os.path.dirname(home), "own.txt"), home=home)
    live.run("compress", "-t", "fin", home=home)
    now = int(time.time())

    def made_for(key=r, head=None, **more):
        mine = {"scope": "query ingest admin", "tenant": "own", "tasks": ["*"], **more}
        return jwt.encode({"alg": "RS256", "kid": "r1", **(head or {})}, claims(issuer, **mine), key)

    keys = {"bad": [("no token", {})]}
    for why, token in (("garbage", "a.b.c"), ("alg none", forged({"alg": "none"}, claims(issuer, scope="admin", tenant="own", tasks=["*"]))),
                       ("expired", made_for(exp=now - 120)), ("another's key", made_for(other)), ("another audience", made_for(aud="x")),
                       ("another issuer", made_for(iss="http://127.0.0.1:1")), ("no tenant", made_for(tenant=None)), ("no tasks", made_for(tasks=[])),
                       ("an odd tenant", made_for(tenant="../own"))):
        keys["bad"].append((why, auth.bearer(token)))
    for scope in ("query", "ingest", "admin"):
        keys["only " + scope] = made_for(scope=scope)
        keys["others " + scope] = made_for(scope=scope, tasks="legal* f?n2")
        keys["stranger " + scope] = made_for(scope=scope, tenant="stranger")
    env = {"TAKC_SERVE_AUTH": "jwt", "TAKC_SERVE_JWT_ISSUER": issuer, "TAKC_SERVE_JWT_AUDIENCE": AUDIENCE, "TAKC_SERVE_JWT_TENANT_CLAIM": "tenant",
           "TAKC_SERVE_JWT_TASKS_CLAIM": "tasks", "TAKC_SERVE_QUOTA_PER_S": "10000", "TAKC_SERVE_QUOTA_BURST": "10000"}
    with live.Server(home, env=env) as server:
        auth.every_route(server, server.ask("GET", "/openapi.json")[2], keys)


def invented(server, issuer, old):
    before, began = len(Issuer.asked), time.monotonic()
    for i in range(50):
        expect(server, 401, jwt.encode({"alg": "RS256", "kid": "x%d" % i}, claims(issuer), old), "an invented kid")
    most = 2 * (2 + int(time.monotonic() - began) // 10)
    live.check(len(Issuer.asked) - before <= most, "%d requests for 50 invented kids" % (len(Issuer.asked) - before))


def rotated(server, issuer, new):
    """A new key is found, though not before 10 s have gone since the last fetch."""
    deadline = time.monotonic() + 60
    token = jwt.encode({"alg": "RS256", "kid": "r2"}, claims(issuer), new)
    while ask(server, token)[0] != 200:
        live.check(time.monotonic() < deadline, "a new key is not found")
        time.sleep(0.5)
    Issuer.down = True
    expect(server, 200, token, "a known key while the issuer is down")


def start_real(folder, port, alg):
    p = subprocess.Popen(["node", os.path.join(os.path.dirname(os.path.abspath(__file__)), "oidc.mjs"), str(port), alg], cwd=folder, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True)
    live.check(p.stdout.readline().strip() == "ready", "oidc-provider did not start")
    return p


def real(home, folder, alg):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    issuer, provider = "http://127.0.0.1:%d" % port, start_real(folder, port, alg)
    try:
        def token(scope):
            body = ("grant_type=client_credentials&scope=" + scope).encode()
            r = urllib.request.Request(issuer + "/token", body, {"Authorization": "Basic " + base64.b64encode(b"takc-app:s3cret").decode()})
            with urllib.request.urlopen(r, timeout=30) as reply:
                return json.load(reply)["access_token"]

        env = {"TAKC_SERVE_AUTH": "jwt", "TAKC_SERVE_JWT_ISSUER": issuer, "TAKC_SERVE_JWT_AUDIENCE": AUDIENCE}
        with live.Server(home, env=env) as server:
            expect(server, 200, token("query"), "oidc-provider's, " + alg)
            expect(server, 403, token("ingest"), "oidc-provider's of another scope")
        with live.Server(home, env={**env, "TAKC_SERVE_JWT_TENANT_CLAIM": "tenant"}) as server:
            expect(server, 404, token("query"), "a tenant that has no fin")
        with live.Server(home, env={**env, "TAKC_SERVE_JWT_AUDIENCE": "https://other.example"}) as server:
            expect(server, 401, token("query"), "for another audience")
    finally:
        provider.kill()
        provider.wait()


def others(home):
    """A real issuer's tokens, where there is one."""
    folder = sys.argv[1] if len(sys.argv) > 1 else ""
    if not (shutil.which("node") and os.path.isdir(os.path.join(folder, "node_modules", "oidc-provider"))):
        print("without a real issuer: node or oidc-provider is missing", file=sys.stderr)
        return
    for alg in ("RS256", "ES256"):
        real(home, folder, alg)


def main():
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    issuer = "http://127.0.0.1:%d" % web.server_port
    r, e, other = rsa("r1"), ECKey.generate_key("P-256", {"kid": "e1", "use": "sig"}), rsa("r1")
    Issuer.keys = [r, e]
    with live.home() as home:
        with live.Server(home, env={"TAKC_SERVE_AUTH": "jwt", "TAKC_SERVE_JWT_ISSUER": issuer, "TAKC_SERVE_JWT_AUDIENCE": AUDIENCE}) as server:
            made(server, issuer, r, e, other)
            routes(home, issuer, r, other)
            new = rsa("r2")
            Issuer.keys = [new]
            invented(server, issuer, r)
            others(home)
            rotated(server, issuer, new)
        Issuer.down = True
        with live.Server(home, env={"TAKC_SERVE_AUTH": "jwt", "TAKC_SERVE_JWT_ISSUER": issuer, "TAKC_SERVE_JWT_AUDIENCE": AUDIENCE}) as server:
            expect(server, 503, jwt.encode({"alg": "RS256", "kid": "r1"}, claims(issuer), r), "nobody knows")


if __name__ == "__main__":
    main()
