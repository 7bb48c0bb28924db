# SPDX-License-Identifier: Apache-2.0
"""Endpoints of Bedrock and of OpenAI's chat completions that fail by a script: for faults.py.

A StandIn serves on 127.0.0.1 from threads of the test's own process. Requests are checked as tests/fake/ checks them (signatures and shapes, or
members and keys); what is wrong with one goes to `wrong`, so that a test fails on it. Whatever is asked goes to `seen`. `script(request)` names
the fault of a request, or None for what an obedient model says: a prompt of the compressor gets units of the source word for word, and one
line with an invented number, so that a repair is asked for; a question gets the first line that is shown.
"""
import base64
import http.server
import json
import os
import re
import socket
import socketserver
import struct
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fake"))

WRONG_NUMBER = "Output of Oslo fell by 77777 percent. [{}]\n"
HANG_S = 60  # longer than any limit that a test sets; the client leaves before
RETRY_AFTER_S = 0.05
TIMES = {"Retry-After": str(RETRY_AFTER_S)}


class Request:
    def __init__(self, system, prompt, stream, headers):
        self.system, self.prompt, self.stream, self.headers = system, prompt, stream, headers
        self.answered = False  # with what is worth keeping
        self.at = time.monotonic()

    @property
    def kind(self):
        if "Write the lines at the end of the source again" in self.prompt:
            return "repair"
        return "write" if "Condense the numbered units." in self.prompt else "answer"


def obedient(r):
    """Units of the source up to the tokens that are asked for, each with its number."""
    items = re.findall(r"^\[(\d+)\] (.*)$", r.prompt, re.M)
    if r.kind == "answer":
        lines = items or re.findall(r"^\[(\d+)\] (.*)$", r.system, re.M)
        return f"{lines[0][1]} [{lines[0][0]}]"
    if r.kind == "repair":
        named = re.findall(r"^- .* \[(\d+)[,\]]", r.prompt, re.M)
        return "".join(f"{text} [{n}]\n" for n, text in items if n in named)
    left = 4 * int(re.search(r"Write about (\d+) tokens", r.prompt)[1])
    said = []
    for n, text in items[:-1]:
        left -= len(text) + 6
        if left < 0:
            break
        said.append(f"{text} [{n}]\n")
    return WRONG_NUMBER.format(items[-1][0]) + "".join(said)


class OpenAI:
    name, model, other = "openai", "gpt-4o-mini", "gpt-4.1-mini"
    prices = (150000, 600000)  # picodollars a token, as in the built-in table
    usage = (30, 9)

    def __init__(self):
        import openai
        self.fake = openai

    def read(self, handler, raw):
        body = json.loads(raw)
        self.fake.check(body)
        self.fake.need(handler.path == "/v1/chat/completions", f"path {handler.path}")
        self.fake.need(handler.headers["Authorization"] == f"Bearer {self.fake.KEY}", "the key")
        texts = [m["content"] for m in body["messages"]]
        return Request(texts[0], texts[-1], body.get("stream", False), {"temperature": body.get("temperature"), "model": body["model"]})

    def refuse(self, handler, why):
        handler.say(499, json.dumps(self.fake.error(f"strict: {why}")))

    def good(self, handler, r, text, finish="stop"):
        usage = {"prompt_tokens": self.usage[0], "completion_tokens": self.usage[1], "total_tokens": sum(self.usage)}
        if not r.stream:
            return handler.say(200, json.dumps(self.fake.whole(self.model, text, finish, usage)))
        with handler.chunked("text/event-stream"):
            for piece in self.deltas(text):
                handler.piece(piece)
            handler.piece(self.event(self.fake.chunk(self.model, finish=finish)))
            handler.piece(self.event(self.fake.chunk(self.model, usage=usage, choices=[])))
            handler.piece(b"data: [DONE]\n\n")

    def event(self, o):
        return b"data: " + json.dumps(o).encode() + b"\n\n"

    def deltas(self, text):
        yield self.event(self.fake.chunk(self.model, {"role": "assistant", "content": ""}))
        for word in re.findall(r"\S+\s*|\s+", text):
            yield self.event(self.fake.chunk(self.model, {"content": word}))

    def garbled_event(self):
        return b"data: {broken\n\n"

    def error_event(self):
        return self.event(self.fake.error("the GPU fell off", "server_error"))

    refusals = {
        "429": ("e-openai-429", {}), "429-after": ("e-openai-429", TIMES), "429-long": ("e-openai-429", {"Retry-After": "3600"}),
        "503": ("e-openai-503", TIMES), "529": ("e-529", {}), "500": ("e-openai-500", {}), "401": ("e-openai-401", {}),
        "403": ("e-fastapi-text", {}), "404": ("e-openai-404", {}), "long": ("e-openai-long", {}), "parameter": ("e-openai-value", {}),
        "400": ("e-openai-400", {}), "filter": ("e-azure-filter", {}),
        "quota": ("e-openai-quota", {}), "proxy": ("e-proxy", {}), "moved": ("e-moved", {}),
    }

    def refusal(self, handler, fault):
        name, more = self.refusals[fault]
        status, body, headers = self.fake.ERRORS[name]
        headers = {k: v for k, v in headers.items() if k != "Retry-After"}
        handler.say(status, body if isinstance(body, str) else json.dumps(body), headers | more)

    def settings(self, port, folder):
        return {"OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1", "OPENAI_API_KEY": self.fake.KEY}


class Bedrock:
    name, model, other = "bedrock", "anthropic.claude-3-haiku-20240307-v1:0", "amazon.nova-lite-v1:0"
    prices = (250000, 1250000)
    usage = (30, 9)

    def __init__(self):
        import bedrock
        self.fake = bedrock

    def read(self, handler, raw):
        body = json.loads(raw)
        self.fake.verify("POST", handler.path, handler.headers, raw)
        group, name, verb = handler.path[1:].split("/")
        bad = self.fake.faults(self.fake.OPERATIONS[verb], body)
        if bad or group != "model":
            raise ValueError("; ".join(bad) or f"path {handler.path}")
        def text(blocks):
            return "".join(b.get("text", "") for b in blocks)
        return Request(text(body.get("system", [])), text(body["messages"][-1]["content"]), verb == "converse-stream",
                       {"temperature": body.get("inferenceConfig", {}).get("temperature"), "model": urllib.parse.unquote(name),
                        "token": handler.headers.get("X-Amz-Security-Token")})

    def refuse(self, handler, why):
        self.exception(handler, "UnrecognizedClientException", 403, f"strict: {why}")

    def good(self, handler, r, text, finish="stop"):
        stop = {"stop": "end_turn", "length": "max_tokens", "content_filter": "guardrail_intervened"}[finish]
        usage = {"inputTokens": self.usage[0], "outputTokens": self.usage[1], "totalTokens": sum(self.usage)}
        if not r.stream:
            return handler.say(200, json.dumps({"output": {"message": {"role": "assistant", "content": [{"text": text}]}}, "stopReason": stop,
                                                "usage": usage, "metrics": {"latencyMs": 5}}))
        with handler.chunked("application/vnd.amazon.eventstream"):
            for piece in self.deltas(text):
                handler.piece(piece)
            handler.piece(self.fake.event("contentBlockStop", {"contentBlockIndex": 0}))
            handler.piece(self.fake.event("messageStop", {"stopReason": stop}))
            handler.piece(self.fake.event("metadata", {"usage": usage, "metrics": {"latencyMs": 5}}))

    def deltas(self, text):
        yield self.fake.event("messageStart", {"role": "assistant"})
        for word in re.findall(r"\S+\s*|\s+", text):
            yield self.fake.event("contentBlockDelta", {"delta": {"text": word}, "contentBlockIndex": 0})

    def garbled_event(self):
        data = self.fake.event("contentBlockDelta", {"delta": {"text": "never said"}, "contentBlockIndex": 0})
        return data[:60] + bytes([data[60] ^ 4]) + data[61:]

    def error_event(self):
        return self.fake.frame(json.dumps({"message": "in the middle"}).encode(), exception_type="internalServerException",
                               content_type="application/json", message_type="exception")

    refusals = {
        "429": ("ThrottlingException", 429, "Too many requests, please wait", {}), "429-after": ("ThrottlingException", 429, "Too many requests", TIMES),
        "429-long": ("ThrottlingException", 429, "Too many tokens per day", {"Retry-After": "3600"}),
        "503": ("ServiceUnavailableException", 503, "unavailable", TIMES), "529": ("ModelNotReadyException", 429, "The model is not ready", {}),
        "500": ("InternalServerException", 500, "an internal failure", {}),
        "401": ("UnrecognizedClientException", 403, "The security token included in the request is invalid.", {}),
        "403": ("AccessDeniedException", 403, "User is not authorized to perform bedrock:InvokeModel", {}),
        "404": ("ResourceNotFoundException", 404, "Could not resolve the foundation model", {}),
        "long": ("ValidationException", 400, "Input is too long for requested model.", {}),
        "parameter": ("ValidationException", 400, "`temperature` is deprecated for this model.", {}),
        "400": ("ValidationException", 400, "Malformed input request", {}),
        "expired": ("ExpiredTokenException", 403, "The security token included in the request is expired", {}),
    }

    def refusal(self, handler, fault):
        kind, status, message, more = self.refusals[fault]
        self.exception(handler, kind, status, message, more)

    def exception(self, handler, kind, status, message, more=()):
        handler.say(status, json.dumps({"message": message}), {"x-amzn-ErrorType": kind + ":http://internal.amazon.com/coral/", **dict(more)})

    def settings(self, port, folder):
        return {"TAKC_MODEL_ENDPOINT": f"http://127.0.0.1:{port}", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKTEST",
                "AWS_SECRET_ACCESS_KEY": "qqsecret/key", "AWS_SESSION_TOKEN": "qqsecret-token"}


class Titan(Bedrock):
    """A model that is asked by InvokeModel, in one text, and streams chunks of base64."""
    model, other = "amazon.titan-text-express-v1", "amazon.nova-lite-v1:0"
    prices = (200000, 600000)

    def read(self, handler, raw):
        body = json.loads(raw)
        self.fake.verify("POST", handler.path, handler.headers, raw)
        group, name, verb = handler.path[1:].split("/")
        if group != "model" or set(body) != {"inputText", "textGenerationConfig"}:
            raise ValueError(f"{handler.path}: {sorted(body)}")
        return Request("", body["inputText"], verb == "invoke-with-response-stream",
                       {"temperature": body["textGenerationConfig"].get("temperature"), "model": urllib.parse.unquote(name)})

    def good(self, handler, r, text, finish="stop"):
        reason = {"stop": "FINISH", "length": "LENGTH", "content_filter": "CONTENT_FILTERED"}[finish]
        if not r.stream:
            return handler.say(200, json.dumps({"inputTextTokenCount": self.usage[0], "results": [
                {"tokenCount": self.usage[1], "outputText": text, "completionReason": reason}]}))
        with handler.chunked("application/vnd.amazon.eventstream"):
            for piece in self.deltas(text):
                handler.piece(piece)
            handler.piece(self.chunk({"outputText": "", "completionReason": reason, "amazon-bedrock-invocationMetrics": {
                "inputTokenCount": self.usage[0], "outputTokenCount": self.usage[1], "invocationLatency": 9, "firstByteLatency": 3}}))

    def chunk(self, o):
        return self.fake.event("chunk", {"bytes": base64.b64encode(json.dumps(o).encode()).decode()})

    def deltas(self, text):
        yield self.chunk({"outputText": "", "index": 0, "completionReason": None})
        for word in re.findall(r"\S+\s*|\s+", text):
            yield self.chunk({"outputText": word, "index": 0, "completionReason": None})

    def garbled_event(self):
        return self.fake.event("chunk", {"bytes": "e2Jyb2tlbg=="})


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    # --- sending ---

    def head(self, status, headers):
        self.send_response(status)
        for name, value in {"x-request-id": self.request_id, "x-amzn-RequestId": self.request_id, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def say(self, status, text, headers=()):
        data = text.encode()
        self.head(status, {"Content-Type": "application/json", "Content-Length": str(len(data)), **dict(headers)})
        self.wfile.write(data)

    def chunked(self, kind):
        self.head(200, {"Content-Type": kind, "Transfer-Encoding": "chunked"})
        return self

    def piece(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.wfile.write(b"0\r\n\r\n")

    def hang(self):
        """Until the client has gone."""
        self.connection.settimeout(HANG_S)
        self.connection.recv(1)
        self.close_connection = True

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.wfile.close()
        self.rfile.close()
        self.connection.close()
        raise ConnectionResetError

    # --- faults that are the same for both ---

    def broken(self, fault, r):
        """hang, reset, garbled, error, trickle (of streams): where a stream is asked for behind its first words, or before any with -first."""
        p, words = self.server.provider, list(self.server.provider.deltas("Revenue rose to 42 million."))
        what, _, first = fault.partition("-")
        if not r.stream:
            if what == "garbled":
                return self.say(200, "<html>")
            if what == "error":
                return self.say(500, "{}")
            if first:
                return self.hang() if what == "hang" else self.reset()
            self.head(200, {"Content-Type": "application/json", "Content-Length": "5000"})
            self.wfile.write(b'{"id": "x", "choices": [{"mess')
            return self.hang() if what == "hang" else self.reset()
        if first and what in ("hang", "reset"):
            return self.hang() if what == "hang" else self.reset()
        with self.chunked("text/event-stream" if p.name == "openai" else "application/vnd.amazon.eventstream"):
            for piece in words[:1] if first else words[:3]:
                self.piece(piece)
            while what == "trickle":  # until the client leaves
                self.piece(words[2])
                time.sleep(0.05)
            if what == "hang":
                return self.hang()
            if what == "reset":
                return self.reset()
            self.piece(p.garbled_event() if what == "garbled" else p.error_event())

    def act(self, fault, r):
        p, text = self.server.provider, obedient(r)
        if fault is None:
            r.answered = True
            return p.good(self, r, text)
        if callable(fault):
            r.answered = True
            return p.good(self, r, *fault(r, text))
        if fault in p.refusals:
            return p.refusal(self, fault)
        if fault == "empty":
            return p.good(self, r, "")
        if fault == "blocked":
            return p.good(self, r, "Sorry, no.", "content_filter")
        if fault == "length":
            return p.good(self, r, text[:len(text) // 2], "length")
        return self.broken(fault, r)

    def do_POST(self):
        s = self.server
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            r = s.provider.read(self, raw)
        except Exception as why:  # whatever it is, it is told
            s.wrong.append(repr(why))
            self.request_id = "req-wrong"
            return s.provider.refuse(self, why)
        with s.lock:
            s.seen.append(r)
            self.request_id = r.id = f"req-{len(s.seen)}"
            fault = s.script(r)
        try:
            self.act(fault, r)
            s.behind(r)
        except (BrokenPipeError, ConnectionResetError, ConnectionAbortedError):
            self.close_connection = True


class StandIn(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, provider):
        super().__init__(("127.0.0.1", 0), Handler)
        self.provider, self.lock = provider, threading.Lock()
        self.behind = lambda r: None  # told of each request that was seen to
        self.restart()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def restart(self, script=lambda r: None):
        with self.lock:
            self.script, self.seen, self.wrong = script, [], []

    @property
    def port(self):
        return self.server_address[1]

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):  # a client that left, a connection that we broke off
            super().handle_error(request, client_address)
