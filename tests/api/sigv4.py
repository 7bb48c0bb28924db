# SPDX-License-Identifier: Apache-2.0
"""takc serve with the authorizer sigv4: requests signed by botocore, and the same ones changed on the way."""
import datetime
import hashlib
import json
import os
from urllib.parse import urlsplit

import botocore.auth as auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import live

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEYS = """keys:
  - access_key_id: AKIDFIN
    secret: %s
    may: [query]
    tasks: ['fi*']
  - access_key_id: AKIDACME
    secret: %s
    tenant: acme
    may: [query, ingest, admin]
  - access_key_id: AKIDOLD
    secret: %s
    may: [query]
    expires: 2020-01-01
""" % ((SECRET,) * 3)
TYPE = {"Content-Type": "application/json"}
QUESTION = json.dumps({"task_type": "fin", "query": "What was the operating margin in Q3?"}).encode()


def signed(server, method, path, body=b"", access="AKIDFIN", secret=SECRET, token=None, service="execute-api", region="eu-central-1", skew_s=0,
           headers=None, signer=auth.SigV4Auth, **more):
    """The headers that botocore sends; for a signer of queries, the target."""
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=skew_s)
    auth.get_current_datetime = lambda remove_tzinfo=True: now.replace(tzinfo=None) if remove_tzinfo else now
    r = AWSRequest(method=method, url=server.url + path, data=body, headers={**TYPE, **(headers or {})})
    signer(Credentials(access, secret, token), service, region, **more).add_auth(r)
    if signer is auth.SigV4QueryAuth:
        u = urlsplit(r.url)
        return u.path + "?" + u.query
    return dict(r.headers.items())


def expect(server, want, method, path, body, headers, why):
    status, _, reply = server.ask(method, path, body or None, headers)
    live.check(status == want, "%s: %s, not %s: %s" % (why, status, want, reply))


def good_ones(server):
    for path in ("/query", "/v1/query"):
        expect(server, 200, "POST", path, QUESTION, signed(server, "POST", path, QUESTION), "as botocore signs " + path)
    said = {"X-Amz-Content-SHA256": hashlib.sha256(QUESTION).hexdigest()}
    expect(server, 200, "POST", "/query", QUESTION, signed(server, "POST", "/query", QUESTION, headers=said), "with the body's hash")
    expect(server, 200, "POST", "/query", QUESTION, signed(server, "POST", "/query", QUESTION, token="a/session+token="), "with a session token")
    expect(server, 200, "GET", "/cache/fin/8x", b"", signed(server, "GET", "/cache/fin/8x"), "without a body")
    path = "/tasks/fin/documents/" + "a%20b%2Fc%3A1" + "/text?start=0&end=1"
    expect(server, 404, "GET", path, b"", signed(server, "GET", path), "escaped path and query")
    expect(server, 200, "GET", signed(server, "GET", "/cache/fin", signer=auth.SigV4QueryAuth, expires=60), b"", TYPE, "presigned")
    expect(server, 404, "POST", "/query", QUESTION, signed(server, "POST", "/query", QUESTION, access="AKIDACME"), "another tenant's fin")
    expect(server, 403, "PUT", "/tasks/fin", b"{}", signed(server, "PUT", "/tasks/fin", b"{}"), "query is not admin")
    law = QUESTION.replace(b'"fin"', b'"law"')
    expect(server, 403, "POST", "/query", law, signed(server, "POST", "/query", law), "another task")


def bad_ones(server):
    def refused(why, body=QUESTION, method="POST", path="/query", change=None, **how):
        headers = signed(server, "POST", "/query", QUESTION, **how)
        headers.update(change or {})
        expect(server, 401, method, path, body, headers, why)

    said = {"X-Amz-Content-SHA256": hashlib.sha256(QUESTION).hexdigest()}
    other = QUESTION.replace(b"margin", b"profit")
    refused("another body", other)
    refused("another body than is said", other, headers=said)
    refused("a body's hash changed with it", other, headers=said, change={"X-Amz-Content-SHA256": hashlib.sha256(other).hexdigest()})
    refused("unsigned body", headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    refused("another path", path="/v1/query")
    refused("another query", path="/query?x=1")
    refused("another host", change={"Host": "127.0.0.1:1"})
    refused("another type", change={"Content-Type": "application/json; charset=utf-8"})
    refused("a token that is not signed", change={"X-Amz-Security-Token": "t"})
    refused("an old one", skew_s=-301)
    refused("one of the future", skew_s=330)
    refused("wrong secret", secret=SECRET[:-1])
    refused("unknown key", access="AKIDNOBODY")
    refused("expired key", access="AKIDOLD")
    refused("another region", region="us-east-1")
    refused("another service", service="bedrock")
    target = signed(server, "GET", "/cache/fin", signer=auth.SigV4QueryAuth, expires=60)
    expect(server, 200, "GET", target, b"", TYPE, "presigned")
    expect(server, 401, "GET", target.replace("Expires=60", "Expires=600"), b"", TYPE, "presigned for longer")
    expect(server, 401, "GET", target.replace("/cache/fin", "/cache/law"), b"", TYPE, "presigned for another")
    expect(server, 401, "POST", "/query", QUESTION, {}, "nothing signed")


def main():
    with live.home() as home:
        keys = os.path.join(os.path.dirname(home), "keys.yaml")
        with open(os.open(keys, os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
            f.write(KEYS)
        env = {"TAKC_SERVE_AUTH": "sigv4", "TAKC_SERVE_SIGV4_KEYS": keys, "TAKC_SERVE_SIGV4_REGION": "eu-central-1"}
        with live.Server(home, env=env) as server:
            good_ones(server)
            bad_ones(server)
            live.check(SECRET not in server.said(), "a secret is in the log")


if __name__ == "__main__":
    main()
