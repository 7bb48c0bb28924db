#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for bedrock-runtime on 127.0.0.1: bedrock.py FOLDER prints a free port and serves until it is killed. Needs botocore.

Signatures are verified with botocore's signer (keys AKTEST, secret qqsecret/key, token qqsecret-token), or the bearer token qqsecret-bearer.
Bodies of operations that have a shape are validated against botocore's service model; those of InvokeModel against the lists below. What the
model's id says is what happens:

    ok length sequence blocked filtered     how the answer ends
    fail.EXCEPTION.STATUS[.MESSAGE]         an error instead, + in the message for a blank; in streams an exception after the first piece when the id ends in .mid
    cut hang flip empty junk                the answer breaks off, stalls, has a flipped bit, has no end, is no JSON
    claude-3 claude-v2 titan llama nova     anywhere in the id: the forms of InvokeModel
    titan-embed-text-v1 -v2 cohere.embed    vectors: length of the text in bytes, 0.5, and so on; Cohere takes 96 texts, of id cohere.embed-v4 by type
GET /_last is the last body that was good, /_path its path, /_trace its traceparent.
"""
import base64
import datetime
import hashlib
import hmac
import json
import re
import struct
import sys
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator

KEYS = {"AKTEST": ("qqsecret/key", "qqsecret-token")}
PIECES = ["Revenue was ", "12.5 % \u2713", " in Q3 \U0001f4c8."]
TEXT = "".join(PIECES)
STOPS = {"ok": "end_turn", "length": "max_tokens", "sequence": "stop_sequence", "blocked": "guardrail_intervened", "filtered": "content_filtered"}
USAGE = {"inputTokens": 11, "outputTokens": 7, "totalTokens": 26, "cacheReadInputTokens": 5, "cacheWriteInputTokens": 3}
OPERATIONS = {"converse": "Converse", "converse-stream": "ConverseStream", "count-tokens": "CountTokens", "apply": "ApplyGuardrail"}
INVOKE = {  # required and allowed members of each form
    "claude-3": ({"anthropic_version", "max_tokens", "messages"}, {"system", "temperature", "top_p", "stop_sequences"}),
    "claude-v2": ({"prompt", "max_tokens_to_sample"}, {"temperature", "top_p", "stop_sequences"}),
    "titan": ({"inputText", "textGenerationConfig"}, set()),
    "llama": ({"prompt", "max_gen_len"}, {"temperature", "top_p"}),
    "nova": ({"schemaVersion", "messages"}, {"system", "inferenceConfig"}),
    "titan-embed-text-v1": ({"inputText"}, set()),
    "titan-embed-text-v2": ({"inputText"}, {"dimensions", "normalize"}),
    "cohere.embed": ({"texts", "input_type"}, {"truncate"}),
}
model = botocore.session.get_session().get_service_model("bedrock-runtime")
last = {"body": b"", "path": "", "trace": ""}


def verify(method, target, headers, body):
    h = {k.lower(): v for k, v in headers.items()}
    if h.get("authorization", "").startswith("Bearer "):
        if h["authorization"] != "Bearer qqsecret-bearer":
            raise PermissionError("UnrecognizedClientException", f"no such token: {h['authorization']}")
        return
    m = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})",
                     h.get("authorization", ""))
    if not m or m[1] not in KEYS:
        raise PermissionError("UnrecognizedClientException", "The security token included in the request is invalid.")
    access, day, region, service, signed, signature = m.groups()
    signed, (secret, token) = signed.split(";"), KEYS[access]
    when = datetime.datetime.strptime(h["x-amz-date"], "%Y%m%dT%H%M%SZ")
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    real = hashlib.sha256(body).hexdigest()
    r = AWSRequest(method=method, url="http://" + h["host"] + target, headers={k: h[k] for k in signed}, data=body)
    r.context["timestamp"] = h["x-amz-date"]
    s = SigV4Auth(Credentials(access, secret), service, region)
    canonical = s.canonical_request(r)
    good = (service == "bedrock" and region == "us-east-1" and h["x-amz-date"][:8] == day and h.get("x-amz-security-token") == token
            and "host" in signed and all(k in signed for k in h if k.startswith("x-amz-")) and abs(now - when) < datetime.timedelta(minutes=5)
            and h.get("x-amz-content-sha256", real) in (real, "UNSIGNED-PAYLOAD"))
    if not good or not hmac.compare_digest(s.signature(s.string_to_sign(r, canonical), r), signature):
        raise PermissionError("InvalidSignatureException", "The request signature we calculated does not match.\n\n"
                              f"The Canonical String for this request should have been\n'{canonical}'")


def faults(operation, body, service=model):
    """What is wrong with a body of a shaped operation: unknown members, types, unions, enumerations."""
    shape, bad = service.operation_model(operation).input_shape, []

    def walk(s, v, at="$"):
        if s.type_name == "structure" and isinstance(v, dict) and not s.is_document_type:
            bad.extend(f"{at}.{k}: unknown" for k in v if k not in s.members)
            for k in v:
                if k in s.members:
                    walk(s.members[k], v[k], f"{at}.{k}")
        elif s.type_name == "list" and isinstance(v, list):
            for i, x in enumerate(v):
                walk(s.member, x, f"{at}[{i}]")
        elif s.type_name == "string" and s.enum and v not in s.enum:
            bad.append(f"{at}: {v!r} not in {s.enum}")
        elif s.type_name == "string" and isinstance(v, str) and not v:
            bad.append(f"{at}: empty")

    walk(shape, body)
    for name, member in shape.members.items():
        if member.serialization.get("location") and name in shape.required_members:
            body = {**body, name: "anthropic.claude-3-haiku-20240307-v1:0"}
    report = ParamValidator().validate(body, shape)
    return bad + ([report.generate_report()] if report.has_errors() else [])


def frame(payload, **headers):
    h = b"".join(bytes([len(k)]) + k.encode() + b"\x07" + struct.pack(">H", len(v.encode())) + v.encode()
                 for k, v in ((":" + k.replace("_", "-"), v) for k, v in headers.items()))
    head = struct.pack(">II", 16 + len(h) + len(payload), len(h))
    body = head + struct.pack(">I", zlib.crc32(head)) + h + payload
    return body + struct.pack(">I", zlib.crc32(body))


def event(kind, o):
    return frame(json.dumps({**o, "p": "abcdefgh"}).encode(), event_type=kind, content_type="application/json", message_type="event")


def form_of(name):
    return max((f for f in INVOKE if f in name), key=len, default=None)


def ending(name):
    return next((v for k, v in STOPS.items() if k in name.split(".")), "end_turn")


def vectors(name, body):
    """Three numbers a text, or as many as are asked for; of "odd" the first is none."""
    texts = body["texts"] if "texts" in body else [body["inputText"]]
    made = [([None if t == "odd" else len(t.encode())] + [0.5] * 2000)[:body.get("dimensions", 3)] for t in texts]
    if "titan" in name:
        return {"embedding": made[0], "inputTextTokenCount": 2}
    return {"id": "x", "texts": texts, "embeddings": {"float": made} if "v4" in name else made}


def converse_events(name):
    yield event("messageStart", {"role": "assistant"})
    for piece in PIECES:
        yield event("contentBlockDelta", {"delta": {"text": piece}, "contentBlockIndex": 0})
    yield event("contentBlockStop", {"contentBlockIndex": 0})
    if "empty" not in name:
        yield event("messageStop", {"stopReason": ending(name)})
        yield event("metadata", {"usage": USAGE, "metrics": {"latencyMs": 5}})


def whole(form, end):
    """A reply of InvokeModel."""
    n = {"input_tokens": 11, "output_tokens": 7, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 3}
    titan = {"end_turn": "FINISH", "max_tokens": "LENGTH", "stop_sequence": "STOP_CRITERIA_MET"}.get(end, "CONTENT_FILTERED")
    return {"claude-3": {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "text", "text": TEXT}], "stop_reason": end, "usage": n},
            "claude-v2": {"type": "completion", "completion": TEXT, "stop_reason": "max_tokens" if end == "max_tokens" else "stop_sequence",
                          "stop": "###" if end == "stop_sequence" else "\n\nHuman:"},
            "titan": {"inputTextTokenCount": 11, "results": [{"tokenCount": 7, "outputText": TEXT, "completionReason": titan}]},
            "llama": {"generation": TEXT, "prompt_token_count": 11, "generation_token_count": 7, "stop_reason": "length" if end == "max_tokens" else "stop"},
            "nova": {"output": {"message": {"content": [{"text": TEXT}], "role": "assistant"}}, "stopReason": end,
                     "usage": {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18, "cacheReadInputTokenCount": 5, "cacheWriteInputTokenCount": 3}}}[form]


def chunks(form, end):
    w, metrics = whole(form, end), {"inputTokenCount": 11, "outputTokenCount": 7, "invocationLatency": 9, "firstByteLatency": 3}
    if form == "claude-3":
        yield {"type": "message_start", "message": {"id": "msg_1", "usage": {**w["usage"], "output_tokens": 1}}}
        for p in PIECES:
            yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": p}}
        yield {"type": "message_delta", "delta": {"stop_reason": end, "stop_sequence": None}, "usage": {"output_tokens": 7}}
        yield {"type": "message_stop", "amazon-bedrock-invocationMetrics": metrics}
        return
    if form == "nova":
        for p in PIECES:
            yield {"contentBlockDelta": {"delta": {"text": p}, "contentBlockIndex": 0}}
        yield {"messageStop": {"stopReason": end}}
        yield {"metadata": {"usage": w["usage"]}, "amazon-bedrock-invocationMetrics": metrics}
        return
    key = {"claude-v2": "completion", "titan": "outputText", "llama": "generation"}[form]
    for p in PIECES:
        yield {key: p, "stop_reason": None, "completionReason": None}
    tail = w["results"][0] if form == "titan" else w
    yield {key: "", **{k: tail[k] for k in ("stop_reason", "stop", "completionReason") if k in tail}, "amazon-bedrock-invocationMetrics": metrics}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, status, body, **headers):
        self.send_response(status)
        for k, v in {"Content_Type": "application/json", "x_amzn_RequestId": "req-1", **headers}.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, kind, message, **more):
        self.say(status, json.dumps({"message": message}).encode(), x_amzn_ErrorType=kind + ":http://internal.amazon.com/coral/", **more)

    def stream(self, frames, name):
        self.send_response(200)
        for k, v in (("Content-Type", "application/vnd.amazon.eventstream"), ("x-amzn-RequestId", "req-1"), ("Transfer-Encoding", "chunked")):
            self.send_header(k, v)
        self.end_headers()
        data = list(frames)
        if name.endswith(".mid"):
            kind = name.split(".")[1]
            data[2:] = [frame(json.dumps({"message": "in the middle"}).encode(), exception_type=kind[0].lower() + kind[1:],
                              content_type="application/json", message_type="exception")]
        if name == "flip":
            data[2] = data[2][:60] + bytes([data[2][60] ^ 4]) + data[2][61:]
        if name in ("cut", "hang"):
            data[2:] = [data[2][:40]]
        for d in data:
            for at in range(0, len(d), 50):  # frames never arrive as they were made
                self.wfile.write(b"%x\r\n%s\r\n" % (len(d[at:at + 50]), d[at:at + 50]))
            self.wfile.flush()
        if name == "hang":
            threading.Event().wait()
        self.close_connection = name == "cut"
        if name != "cut":
            self.wfile.write(b"0\r\n\r\n")

    def do_GET(self):
        self.say(200, last["body"] if self.path == "/_last" else last[self.path[2:]].encode())

    def fail(self, name):
        _, kind, status, *message = name.split(".")
        return self.refuse(int(status), kind, (message or ["as asked"])[0].replace("+", " "), Retry_After="7")

    def answer(self, verb, name):
        end = ending(name)
        if verb == "converse":
            return self.say(200, json.dumps({"output": {"message": {"role": "assistant", "content": [{"text": TEXT}]}}, "stopReason": end,
                                             "usage": USAGE, "metrics": {"latencyMs": 5}}).encode())
        if verb == "converse-stream":
            return self.stream(converse_events(name), name)
        if verb == "invoke" and "embed" in name:
            return self.say(200, json.dumps(vectors(name, json.loads(last["body"]))).encode())
        if verb == "invoke":
            return self.say(200, json.dumps(whole(form_of(name), end)).encode(), X_Amzn_Bedrock_Input_Token_Count="11",
                            X_Amzn_Bedrock_Output_Token_Count="7")
        if verb == "count-tokens":
            return self.say(200, b'{"inputTokens": 42}')
        if verb == "apply":
            return self.guard()
        return self.stream((event("chunk", {"bytes": base64.b64encode(json.dumps(c).encode()).decode()}) for c in chunks(form_of(name), end)), name)

    def guard(self):
        bad = "secret plan" in last["body"].decode()
        policies = {"topicPolicy": {"topics": [{"name": "Plans", "type": "DENY", "action": "BLOCKED"}]},
                    "sensitiveInformationPolicy": {"piiEntities": [{"match": "x@y.z", "type": "EMAIL", "action": "ANONYMIZED"}], "regexes": []}}
        self.say(200, json.dumps({"action": "GUARDRAIL_INTERVENED" if bad else "NONE", "outputs": [{"text": "Sorry, no."}] if bad else [],
                                  "usage": {}, "assessments": [policies] if bad else []}).encode())

    def check(self, verb, name, body):
        if verb in OPERATIONS:
            return faults(OPERATIONS[verb], body)
        if verb not in ("invoke", "invoke-with-response-stream") or not form_of(name):
            return [f"no such operation or form: {verb} {name}"]
        required, allowed = INVOKE[form_of(name)]
        if len(body.get("texts", [])) > 96:
            return ["more than 96 texts"]
        return [f"unknown {k}" for k in body.keys() - required - allowed] + [f"missing {k}" for k in required - body.keys()]

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        _, group, name, *rest = self.path.split("/")
        name = unquote(name).rpartition("/")[2]
        verb = rest[-1] if rest else ""
        try:
            verify("POST", self.path, self.headers, body)
        except PermissionError as e:
            return self.refuse(403, *e.args)
        bad = self.check(verb, name, json.loads(body)) if group in ("model", "guardrail") else ["no such path"]
        if bad:
            return self.refuse(400, "ValidationException", "; ".join(bad))
        last.update(body=body, path=self.path, trace=self.headers.get("traceparent", ""))
        if name == "junk":
            return self.say(200, b"<html>")
        if name.startswith("fail.") and not name.endswith(".mid"):
            return self.fail(name)
        return self.answer(verb, name)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):  # clients may leave when they like
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
