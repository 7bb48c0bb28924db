#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What botocore signs: the oracle of src/aws/sigv4.c.

  sigv4.py sign          reads requests from standard input, one JSON object a line, and writes {"canonical", "to_sign", "result"} for each
  sigv4.py cases FOLDER  writes the cases of tests/data/sigv4; awscrt has to agree with every one of them first

A request: method, url, headers (a list of pairs), body, service, region, access, secret, token, date; unsigned (true: the payload is not part);
expires (seconds: a presigned URL is asked for; result is that URL, else the authorization header).
"""
import datetime
import hashlib
import json
import pathlib
import sys
from urllib.parse import unquote, urlsplit, urlunsplit

import botocore.auth as auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def parameters(query):
    """Names and values as a client would hand them over: decoded."""
    pairs = [p.partition("=") for p in query.split("&") if p]
    return [(unquote(k), unquote(v)) for k, _, v in pairs]


def signer(j):
    s3 = j["service"] == "s3"
    if "expires" in j:
        return auth.S3SigV4QueryAuth if s3 else auth.SigV4QueryAuth
    base = auth.S3SigV4Auth if s3 else auth.SigV4Auth
    if not j.get("unsigned"):
        return base

    class Unsigned(base):
        def _should_sha256_sign_payload(self, request):
            return False

    return Unsigned


def sign(j):
    now = datetime.datetime.strptime(j["date"], "%Y%m%dT%H%M%SZ")
    auth.get_current_datetime = lambda remove_tzinfo=True: now
    u = urlsplit(j["url"])
    presign = "expires" in j
    url = j["url"] if presign else urlunsplit((u.scheme, u.netloc, u.path, "", ""))
    r = AWSRequest(method=j["method"], url=url, data=None if presign else j.get("body", "").encode())
    for name, value in j.get("headers", []):
        r.headers.add_header(name, value)
    if not presign:
        r.params = parameters(u.query)
    if j.get("unsigned"):
        r.context["payload_signing_enabled"] = False
    extra = {"expires": j["expires"]} if presign else {}
    s = signer(j)(Credentials(j["access"], j["secret"], j.get("token") or None), j["service"], j["region"], **extra)
    seen = {}
    canonical, to_sign = s.canonical_request, s.string_to_sign
    s.canonical_request = lambda request: seen.setdefault("canonical", canonical(request))
    s.string_to_sign = lambda request, text: seen.setdefault("to_sign", to_sign(request, text))
    s.add_auth(r)
    return {**seen, "result": r.url if presign else r.headers["Authorization"]}


def crt(j):
    """The same by awscrt, the signer of AWS's C libraries."""
    from awscrt import auth as c
    from awscrt import http

    u = urlsplit(j["url"])
    s3 = j["service"] == "s3"
    given = [(n, v) for n, v in j.get("headers", [])]
    if not any(n.lower() == "host" for n, _ in given):
        given.insert(0, ("host", auth._host_from_url(j["url"])))
    headers = http.HttpHeaders(given)
    r = http.HttpRequest(j["method"], (u.path or "/") + ("?" + u.query if u.query else ""), headers, None)
    body = "UNSIGNED-PAYLOAD" if j.get("unsigned") or ("expires" in j and s3) else hashlib.sha256(j.get("body", "").encode()).hexdigest()
    kind = c.AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS if "expires" in j else c.AwsSignatureType.HTTP_REQUEST_HEADERS
    shows_body = "expires" not in j and (s3 or j.get("unsigned"))
    config = c.AwsSigningConfig(
        algorithm=c.AwsSigningAlgorithm.V4,
        signature_type=kind,
        region=j["region"],
        service=j["service"],
        date=datetime.datetime.strptime(j["date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc),
        credentials_provider=c.AwsCredentialsProvider.new_static(j["access"], j["secret"], j.get("token") or None),
        use_double_uri_encode=not s3,
        should_normalize_uri_path=not s3,
        signed_body_value=body,
        signed_body_header_type=c.AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256 if shows_body else c.AwsSignedBodyHeaderType.NONE,
        expiration_in_seconds=j.get("expires"),
    )
    signed = c.aws_sign_request(r, config).result(10)
    if "expires" in j:
        return signed.path.rpartition("X-Amz-Signature=")[2]
    return dict(signed.headers)["Authorization"].rpartition("Signature=")[2]


KEYS = {"access": "AKIDEXAMPLE", "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "date": "20150830T123600Z"}
TOKEN = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGd=="
HOST = "https://example.amazonaws.com"
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com"
JSON = ["Content-Type", "application/json"]


def case(method="GET", url=HOST + "/", service="service", **more):
    return {"method": method, "url": url, "service": service, "region": "us-east-1", **KEYS, **more}


def bedrock(model, action="converse", **more):
    return case("POST", f"{BEDROCK}/model/{model}/{action}", "bedrock", headers=[JSON], body='{"messages":[]}', **more)


def s3(path, **more):
    return case(more.pop("method", "GET"), "https://bucket.s3.us-east-1.amazonaws.com" + path, "s3", **more)


ARN = "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.anthropic.claude-3-haiku-20240307-v1%3A0"
CASES = {
    "get-vanilla": case(),
    "get-no-path": case(url=HOST),
    "get-vanilla-query": case(url=HOST + "/?Param1=value1"),
    "get-query-order-key": case(url=HOST + "/?Param2=value2&Param1=value1&Param10=x&Param=y"),
    "get-query-order-value": case(url=HOST + "/?Param1=value2&Param1=Value1&Param1=value1"),
    "get-query-order-encoded": case(url=HOST + "/?p=%2F&p=-&p=.&a%2Fb=1&a-b=2&a.b=3"),
    "get-query-duplicate-same": case(url=HOST + "/?a=1&a=1&a=1"),
    "get-query-empty-value": case(url=HOST + "/?list-type=&acl&z="),
    "get-query-empty-pieces": case(url=HOST + "/?a=1&&b=2&"),
    "get-query-equals-in-value": case(url=HOST + "/?token=abc==&b=x=y"),
    "get-query-raw-reserved": case(url=HOST + "/?arn=arn:aws:iam::1:role/x&list=a,b;c&at=me@example.com&q=(1)*!'$"),
    "get-query-lower-escapes": case(url=HOST + "/?a=%3a%2f%7e"),
    "get-query-unreserved": case(url=HOST + "/?-._~0123456789ABCxyz=-._~0123456789ABCxyz"),
    "get-query-escaped-unreserved": case(url=HOST + "/?%41=%7E%2D"),
    "get-query-blank": case(url=HOST + "/?q=a%20b&r=a%2Bb"),
    "get-query-utf8": case(url=HOST + "/?%E1%88%B4=%C3%BC"),
    "get-query-case": case(url=HOST + "/?foo=Zoo&foo=aha&Foo=b"),
    "get-utf8": case(url=HOST + "/%E1%88%B4"),
    "get-unreserved": case(url=HOST + "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    "get-space": case(url=HOST + "/example%20space/"),
    "get-relative": case(url=HOST + "/example/.."),
    "get-relative-relative": case(url=HOST + "/example1/example2/../.."),
    "get-dot-slash": case(url=HOST + "/./"),
    "get-dot-slash-pointed": case(url=HOST + "/./example"),
    "get-slash": case(url=HOST + "//"),
    "get-slashes": case(url=HOST + "//example//more///"),
    "get-dots-above": case(url=HOST + "/../../a/../../b/"),
    "get-dots-in-names": case(url=HOST + "/..a/b../...c/.d"),
    "get-header-order": case(headers=[["My-Header2", "b"], ["My-Header1", "a"], ["my-header10", "c"]]),
    "get-header-duplicate": case(headers=[["My-Header1", "value4"], ["My-Header1", "value1"], ["my-header1", "value3"]]),
    "get-header-trim": case(headers=[["My-Header1", "  a   b   c  "], ["My-Header2", '  "a   b   c"  ']]),
    "get-header-tabs": case(headers=[["My-Header1", "\ta \t b\t"]]),
    "get-header-empty": case(headers=[["My-Header1", ""], ["My-Header2", "   "]]),
    "get-header-unsigned": case(headers=[["User-Agent", "takc"], ["Expect", "100-continue"], ["X-Amzn-Trace-Id", "Root=1"], ["Connection", "close"]]),
    "get-header-host": case(headers=[["Host", "other.example.com"]]),
    "get-port": case(url="https://example.amazonaws.com:8443/"),
    "get-port-default": case(url="https://example.amazonaws.com:443/"),
    "get-http-port": case(url="http://127.0.0.1:4566/a"),
    "get-http-port-default": case(url="http://example.amazonaws.com:80/a"),
    "get-host-capitals": case(url="https://Example.AmazonAWS.com/"),
    "get-ipv6": case(url="http://[::1]:4566/a"),
    "get-token": case(token=TOKEN),
    "post-vanilla": case("POST"),
    "post-header-key-sort": case("POST", headers=[["My-Header1", "value1"]]),
    "post-form": case("POST", headers=[["Content-Type", "application/x-www-form-urlencoded"]], body="Param1=value1"),
    "post-form-charset": case("POST", headers=[["Content-Type", "application/x-www-form-urlencoded; charset=utf-8"]], body="Action=GetCallerIdentity&Version=2011-06-15"),
    "post-utf8-body": case("POST", headers=[JSON], body='{"text":"Zürich €"}'),
    "put-unsigned": case("PUT", headers=[["Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="]], body="x", unsigned=True),
    "sts-token": case("POST", "https://sts.amazonaws.com/", "sts", headers=[["Content-Type", "application/x-www-form-urlencoded"]], body="Action=AssumeRole", token=TOKEN),
    "bedrock-claude": bedrock("anthropic.claude-3-haiku-20240307-v1%3A0"),
    "bedrock-raw-colon": bedrock("anthropic.claude-3-haiku-20240307-v1:0"),
    "bedrock-stream": bedrock("us.amazon.nova-lite-v1%3A0", "converse-stream"),
    "bedrock-arn": bedrock(ARN),
    "bedrock-arn-slash": bedrock("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0", "invoke"),
    "bedrock-token": bedrock("anthropic.claude-3-haiku-20240307-v1%3A0", token=TOKEN),
    "bedrock-guardrail": case("POST", BEDROCK + "/guardrail/gr-1%2Fa/version/DRAFT/apply", "bedrock", headers=[JSON], body="{}"),
    "bedrock-eu": {**bedrock("eu.anthropic.claude-3-haiku-20240307-v1%3A0"), "region": "eu-central-1"},
    "secretsmanager": case("POST", "https://secretsmanager.us-east-1.amazonaws.com/", "secretsmanager",
                           headers=[["Content-Type", "application/x-amz-json-1.1"], ["X-Amz-Target", "secretsmanager.GetSecretValue"]], body='{"SecretId":"x"}'),
    "s3-get": s3("/key"),
    "s3-root-query": s3("/?list-type=2&prefix=a%2Fb&delimiter=%2F"),
    "s3-escapes": s3("/a%20b/c%2Bd/e%3Af/%C3%BC"),
    "s3-dot-segments": s3("/a/../b/./c"),
    "s3-slashes": s3("//a//b/"),
    "s3-tilde-and-plain": s3("/a~b/c:d@e!$&'()*,;=f"),
    "s3-put": s3("/key", method="PUT", headers=[["Content-Type", "text/plain"], ["x-amz-meta-note", "  two   blanks "]], body="hello"),
    "s3-put-unsigned": s3("/key", method="PUT", body="hello", unsigned=True),
    "s3-token": s3("/key", token=TOKEN),
    "s3-range": s3("/key", headers=[["Range", "bytes=0-9"], ["If-Match", '"abc"']]),
    "s3-presign": s3("/key", expires=86400),
    "s3-presign-escapes": s3("/a%20b/%C3%BC", expires=1),
    "s3-presign-query": s3("/key?versionId=abc%2Fd&response-content-type=text%2Fplain", expires=604800),
    "s3-presign-token": s3("/key", expires=3600, token=TOKEN),
    "s3-presign-header": s3("/key", method="PUT", expires=60, headers=[["Content-Type", "text/plain"], ["x-amz-server-side-encryption", "aws:kms"]]),
    "presign-sts": case(url="https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15", service="sts", expires=60, token=TOKEN),
    "presign-path": case(url=HOST + "/a%3Ab/../c", expires=60),
}


def write_cases(folder):
    for name, j in CASES.items():
        out = sign(j)
        other, mine = crt(j), out["result"].rpartition("Signature=")[2]
        if name not in DIFFERENT and other != mine:
            sys.exit(f"{name}: awscrt signs {other}, botocore {mine}\n{out['canonical']}")
        d = pathlib.Path(folder, name)
        d.mkdir(parents=True, exist_ok=True)
        (d / "request.json").write_text(json.dumps(j, indent=1, ensure_ascii=False) + "\n")
        for part in ("canonical", "to_sign", "result"):
            (d / (part + ".txt")).write_text(out[part])


DIFFERENT = {"get-header-unsigned"}  # awscrt signs Connection, which a proxy may change; botocore does not

if __name__ == "__main__":
    if sys.argv[1:2] == ["sign"]:
        for line in sys.stdin:
            print(json.dumps(sign(json.loads(line))))
    elif sys.argv[1:2] == ["cases"]:
        write_cases(sys.argv[2])
    else:
        sys.exit(__doc__)
