#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What hands out AWS keys, on 127.0.0.1: aws.py FOLDER prints a free port and serves until it is killed.

The first part of the path says how it behaves, so that endpoints in variables choose it (http://127.0.0.1:PORT/imds-ok). The access key of an
answer says where it came from; everything secret holds the word qqsecret. Behaviours:

    imds-ok imds-v1 imds-norole imds-broken imds-refused imds-stale imds-junk
    container-ok container-open container-500 container-junk container-partial container-gate container-until-SECONDS
    sts-ok sts-deny sts-junk sts-500 sts-skew     sso-ok     svc-echo svc-skew svc-expired svc-early
    _count/NAME (how many requests of that behaviour came), _open (lets those at the gate through)
"""
import json
import sys
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

lock, counts, gate = threading.Lock(), {}, threading.Event()
AHEAD_S = 3600  # of the server whose clock is wrong
SECRET = "qqsecret/+key"


def stamp(s):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(s))


def keys(access, until=None, token="Token", **more):
    return json.dumps({**more, "AccessKeyId": access, "SecretAccessKey": SECRET, token: "qqsecret-token",
                       "Expiration": stamp(until if until is not None else time.time() + 7200)})


def sts_xml(action, access):
    return (f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><AssumedRoleUser><Arn>arn:x</Arn>'
            f"<AssumedRoleId>AROA:x</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>{access}</AccessKeyId>"
            f"<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>qqsecret-token</SessionToken>"
            f"<Expiration>{stamp(time.time() + 3600)}</Expiration></Credentials></{action}Result>"
            f"<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{action}Response>")


def sts_error(code, text):
    return f'<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{text}\nqqsecret echoed</Message></Error></ErrorResponse>'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ahead = 0

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return formatdate((timestamp or time.time()) + self.ahead, usegmt=True)

    def say(self, status, body="", **headers):
        data = body.encode()
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def caller(self):
        return self.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]

    def signed_ahead(self):
        """Does the signature's time agree with a clock that is AHEAD_S off?"""
        signed = time.mktime(time.strptime(self.headers.get("X-Amz-Date", "19700101T000000Z"), "%Y%m%dT%H%M%SZ")) - time.timezone
        return abs(signed - time.time() - AHEAD_S) < 300

    def imds(self, how, path):
        if self.command == "PUT":
            if how == "v1":
                return self.say(404)
            if how == "refused":
                return self.say(403)
            good = path == "latest/api/token" and self.headers.get("x-aws-ec2-metadata-token-ttl-seconds") == "21600"
            return self.say(200, "qqsecret-imds") if good else self.say(400)
        if how != "v1" and self.headers.get("x-aws-ec2-metadata-token") != "qqsecret-imds":
            return self.say(401)
        if path == "latest/meta-data/placement/region":
            return self.say(200, "eu-north-1")
        if path == "latest/meta-data/iam/security-credentials/":
            return self.say(404) if how == "norole" else self.say(200, "role-x")
        if path != "latest/meta-data/iam/security-credentials/role-x":
            return self.say(404)
        if how == "broken":
            return self.say(500, "qqsecret trouble")
        if how == "junk":
            return self.say(200, "qqsecret no json")
        return self.say(200, keys("ASIAIMDS", time.time() - 60 if how == "stale" else None, Code="Success", Type="AWS-HMAC"))

    def container(self, how):
        if how == "gate":
            gate.wait()
        if how == "ok" and self.headers.get("Authorization") != "qqsecret-container":
            return self.say(403, '{"message":"no"}')
        if how == "500":
            return self.say(500, "qqsecret trouble")
        if how == "junk":
            return self.say(200, "qqsecret no json")
        if how == "partial":
            return self.say(200, '{"AccessKeyId":"AKIDHALF"}')
        with lock:
            n = counts["container-" + how]
        if how.startswith("until-"):
            return self.say(200, keys(f"ASIACONTAINER{n}", int(how[6:])))
        return self.say(200, keys("ASIACONTAINER"))

    def sts(self, how, body):
        q = {k: v[0] for k, v in parse_qs(body).items()}
        action, role = q.get("Action", ""), q.get("RoleArn", "").rpartition("/")[2]
        if how == "skew":
            self.ahead = AHEAD_S
            if not self.signed_ahead():
                return self.say(403, sts_error("SignatureDoesNotMatch", "Signature expired"))
        if how == "500":
            return self.say(500, "qqsecret trouble")
        if how == "junk":
            return self.say(200, "<a>qqsecret</b>")
        if how == "deny":
            return self.say(403, sts_error("AccessDenied", f"not allowed to be {role}"))
        if action == "AssumeRoleWithWebIdentity" and q.get("WebIdentityToken", "").strip() == "qqsecret-web" and not self.caller():
            return self.say(200, sts_xml(action, "ASIAWEB" + role.upper()))
        if action == "AssumeRole" and self.caller():
            external = "EXT" + q["ExternalId"].upper() if "ExternalId" in q else ""
            return self.say(200, sts_xml(action, f"ASIA{role.upper()}{external}BY{self.caller()}"))
        return self.say(400, sts_error("InvalidIdentityToken", "no"))

    def sso(self, query):
        q = {k: v[0] for k, v in parse_qs(query).items()}
        if self.headers.get("x-amz-sso_bearer_token") != "qqsecret-sso":
            return self.say(401, '{"message":"Session token not found or invalid"}', x_amzn_ErrorType="UnauthorizedException")
        c = {"accessKeyId": "ASIASSO" + q.get("account_id", "") + q.get("role_name", "").upper(), "secretAccessKey": SECRET,
             "sessionToken": "qqsecret-token", "expiration": int((time.time() + 3600) * 1000)}
        return self.say(200, json.dumps({"roleCredentials": c}))

    def svc(self, how, n):
        if how in ("skew", "early"):
            self.ahead = AHEAD_S if how == "skew" else -AHEAD_S
            signed = time.mktime(time.strptime(self.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")) - time.timezone
            if abs(signed - time.time() - self.ahead) >= 300:
                return self.say(403, '{"message":"Signature expired: qqsecret"}', x_amzn_ErrorType="InvalidSignatureException")
        if how == "expired" and n == 1:
            return self.say(403, '{"message":"The security token included in the request is expired"}', x_amzn_ErrorType="ExpiredTokenException:http://x/")
        if how == "stays":
            return self.say(403, '{"message":"no"}', x_amzn_ErrorType="ExpiredTokenException")
        return self.say(200, json.dumps({"caller": self.caller(), "scope": self.headers["Authorization"].partition("Credential=")[2].partition(",")[0]}))

    def handle_any(self):
        self.ahead = 0  # a kept connection has the same handler
        u = urlsplit(self.path)
        name, _, path = u.path.lstrip("/").partition("/")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if name == "_count":
            return self.say(200, str(counts.get(path, 0)))
        if name == "_open":
            gate.set()
            return self.say(200)
        with lock:
            counts[name] = n = counts.get(name, 0) + 1
        kind, _, how = name.partition("-")
        if kind == "imds":
            return self.imds(how, path)
        if kind == "container":
            return self.container(how)
        if kind == "sts":
            return self.sts(how, body)
        if kind == "sso":
            return self.sso(u.query)
        if kind == "svc":
            return self.svc(how, n)
        return self.say(404)

    do_GET = do_PUT = do_POST = handle_any


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
