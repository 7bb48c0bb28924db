#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A strict server of OpenAI's chat completions: openai.py FOLDER

Prints a free port on 127.0.0.1 and serves until it is killed. A request is checked member by member against what this server knows: unknown
members, wrong types, roles out of turn, a missing key are refused with a message that says which, under status 499, so that no test takes it
for one of the errors it asked for. What is answered is decided by the model's name (see MODELS). GET /last is the last body as it came, with
its headers in front; GET /count/NAME how often a model was asked.
"""
import http.server
import json
import socketserver
import sys
import threading

KEY = "sk-test-0123456789"
last = {"text": ""}
counts = {}
lock = threading.Lock()
TEXT = "Revenue rose to 42 million \u20ac. [1]"
USAGE = {"prompt_tokens": 30, "completion_tokens": 9, "total_tokens": 39, "prompt_tokens_details": {"cached_tokens": 10}}


# Texts whose vectors are none.
ODD = {"null": [1, None, 0.5], "words": ["1", "2", "3"], "number": 3, "huge": [1, 1e300, 0.5]}


class Refused(Exception):
    pass


def need(good, what):
    if not good:
        raise Refused(what)


def check(body):
    kinds = {"model": str, "messages": list, "max_tokens": int, "max_completion_tokens": int, "temperature": (int, float),
             "top_p": (int, float), "stop": list, "stream": bool, "stream_options": dict}
    for name, value in body.items():
        need(name in kinds, f"unknown member {name}")
        need(isinstance(value, kinds[name]) and (kinds[name] is not int or not isinstance(value, bool)), f"{name} is of another type")
    need(body.get("model") and body.get("messages"), "model and messages are needed")
    need(not ("max_tokens" in body and "max_completion_tokens" in body), "both limits")
    need(body.get("stream_options", {"include_usage": True}) == {"include_usage": True}, "stream_options")
    need("stream" in body or "stream_options" not in body, "stream_options without stream")
    need(all(isinstance(s, str) and s for s in body.get("stop", ["x"])) and len(body.get("stop", ["x"])) in range(1, 5), "stop")
    roles = [m.get("role") for m in body["messages"]]
    for m in body["messages"]:
        need(set(m) == {"role", "content"} and isinstance(m["content"], str), f"message {m}")
    roles = roles[1:] if roles[0] == "system" else roles
    need(all(r == ("user", "assistant")[i % 2] for i, r in enumerate(roles)) and roles, f"roles {roles}")


def whole(model, text=TEXT, finish="stop", usage=USAGE, **more):
    message = {"role": "assistant", "content": text}
    answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model + "-2024",
              "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None, **more}]}
    return answer | ({"usage": usage} if usage else {})


def chunk(model, delta=None, finish=None, usage=None, choices=None, **more):
    if choices is None:
        choices = [{"index": 0, "delta": delta if delta is not None else {}, "finish_reason": finish, **more}]
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model + "-2024", "choices": choices, "usage": usage}


def error(message, kind="invalid_request_error", param=None, code=None):
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def unsupported(name, instead=""):
    return 400, error(f"Unsupported parameter: '{name}' is not supported with this model.{instead}", param=name, code="unsupported_parameter")


# name: status, body (str: as it stands), headers. The shapes are those of the servers named.
ERRORS = {
    "e-openai-429": (429, error("Rate limit reached for gpt-4o", "requests", None, "rate_limit_exceeded"), {"Retry-After": "2"}),
    "e-openai-429-ms": (429, error("Rate limit reached", "tokens", None, "rate_limit_exceeded"), {"retry-after-ms": "1500", "Retry-After": "9"}),
    "e-openai-429-reset": (429, error("Rate limit reached"), {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m0.5s",
                                                              "x-ratelimit-reset-tokens": "20ms"}),
    "e-openai-429-tokens": (429, error("Rate limit reached"), {"x-ratelimit-remaining-requests": "9", "x-ratelimit-reset-requests": "6m0s",
                                                               "x-ratelimit-reset-tokens": "20ms"}),
    "e-openai-quota": (429, error("You exceeded your current quota", "insufficient_quota", None, "insufficient_quota"), {}),
    "e-openai-401": (401, error(f"Incorrect API key provided: {KEY}. You can find yours at", None, None, "invalid_api_key"), {}),
    "e-openai-404": (404, error("The model `x` does not exist or you do not have access to it.", code="model_not_found"), {}),
    "e-openai-long": (400, error("This model's maximum context length is 8192 tokens.", param="messages", code="context_length_exceeded"), {}),
    "e-openai-value": (400, error("Unsupported value: 'temperature' does not support 0.1 with this model.", param="temperature",
                                  code="unsupported_value"), {}),
    "e-openai-400": (400, error("Invalid 'messages[0].content': string too short.", param="messages[0].content", code="invalid_value"), {}),
    "e-openai-500": (500, error("The server had an error", "server_error"), {"Retry-After": "soon"}),
    "e-openai-503": (503, error("The engine is currently overloaded", "server_error"), {"Retry-After": "Thu, 01 Jan 1970 00:16:50 GMT"}),
    "e-vllm-long": (400, {"object": "error", "message": "This model's maximum context length is 4096 tokens. However, you requested 5000",
                          "type": "BadRequestError", "param": None, "code": 400}, {}),
    "e-vllm-404": (404, {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "param": None, "code": 404}, {}),
    "e-fastapi": (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "top_p"], "msg": "Extra inputs are not permitted"}]}, {}),
    "e-fastapi-text": (403, {"detail": "Not authenticated"}, {}),
    "e-llama-loading": (503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, {}),
    "e-llama-long": (400, {"error": {"code": 400, "message": "the request exceeds the available context size, try increasing it",
                                     "type": "exceed_context_size_error", "n_prompt_tokens": 5000, "n_ctx": 4096}}, {}),
    "e-llama-400": (400, {"error": {"code": 400, "message": "'messages' is required", "type": "invalid_request_error"}}, {}),
    "e-azure-401": (401, {"statusCode": 401, "message": "Unauthorized. Access token is missing, invalid or expired."}, {}),
    "e-azure-404": (404, error("The API deployment for this resource does not exist.", None, None, "DeploymentNotFound"), {}),
    "e-azure-429": (429, error("Requests have exceeded the token rate limit", None, None, "429"), {"Retry-After": "7"}),
    "e-azure-filter": (400, {"error": {"message": "The response was filtered", "type": None, "param": "prompt", "code": "content_filter",
                                       "status": 400, "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, {}),
    "e-ollama": (404, {"error": "model 'x' not found"}, {}),
    "e-proxy": (502, "<html><head><title>502 Bad Gateway</title></head></html>", {"Content-Type": "text/html"}),
    "e-empty": (500, "", {}),
    "e-teapot": (418, "I'm a teapot", {}),
    "e-moved": (307, "", {"Location": "http://127.0.0.1:1/v1/chat/completions"}),
    "e-payment": (402, error("Insufficient balance"), {}),
    "e-large": (413, "Request Entity Too Large", {}),
    "e-529": (529, error("Overloaded", "overloaded_error"), {}),
}
BODIES = {  # answers of status 200, whole
    "b-garbage": "<html>hello</html>", "b-cut": '{"id":"x","choices":[{"mess', "b-empty": "", "b-array": "[]", "b-null": "null",
    "b-no-choices": '{"id":"x","choices":[]}', "b-odd-choices": '{"choices":[{"message":7}]}',
    "b-error": json.dumps({"error": {"message": "Provider returned error", "code": 429}}),
    "b-error-500": json.dumps({"error": {"message": "boom"}}),
    "b-odd-usage": json.dumps(whole("b", usage={"prompt_tokens": -5, "completion_tokens": "many"})),
    "b-no-usage": json.dumps(whole("b", usage=None)),
    "b-length": json.dumps(whole("b", finish="length")), "b-filter": json.dumps(whole("b", text=None, finish="content_filter")),
    "b-sequence": json.dumps(whole("b", stop_reason="\n\n")), "b-tool": json.dumps(whole("b", text="", finish="tool_calls")),
    "b-no-reason": json.dumps(whole("b", finish=None)), "b-parts": json.dumps(whole("b", text=[{"type": "text", "text": "one "},
                                                                                              {"type": "text", "text": "two"}])),
    "b-refusal": json.dumps(whole("b", text=None) | {"choices": [{"index": 0, "finish_reason": "stop", "message": {
        "role": "assistant", "content": None, "refusal": "I can't do that."}}]}),
}


def events(model, body):
    """The stream, as pieces of bytes; None hangs, an exception closes the connection."""
    def e(x):
        return b"data: " + (x if isinstance(x, bytes) else json.dumps(x).encode()) + b"\n\n"
    end = [e(chunk(model, finish="stop"))]
    usage = [e(chunk(model, usage=USAGE, choices=[]))] if "stream_options" in body and model != "s-no-usage" else []
    done = [e(b"[DONE]")]
    start = [e(chunk(model, {"role": "assistant", "content": ""}))]
    words = [e(chunk(model, {"content": w})) for w in ("Revenue rose ", "to 42 million \u20ac", ". [1]")]
    if model == "s-bytes":  # every byte a piece of its own
        return [bytes([b]) for b in b"".join([b": hello\r\n\r\n"] + start + words + end + usage + done)]
    return {
        "s-hang-first": start + [None], "s-hang": start + words[:1] + [None], "s-cut": start + words[:2],
        "s-break": start + words[:2] + [ConnectionError], "s-garbage": start + words[:1] + [e(b"{broken")],
        "s-error": start + words[:1] + [e({"error": {"message": "the GPU fell off", "type": "server_error", "code": None}})] + done,
        "s-error-event": start + [b"event: error\ndata: " + json.dumps({"message": "slow down", "code": 429}).encode() + b"\n\n"],
        "s-error-first": [e(error("Rate limit reached", "requests", None, "rate_limit_exceeded"))],
        "s-no-done": start + words + end, "s-no-reason": start + words + done, "s-nothing": done, "s-empty": [],
        "s-length": start + words + [e(chunk(model, finish="length"))] + usage + done,
        "s-azure": [e(chunk(model, choices=[]) | {"prompt_filter_results": []})] + start + words + end + usage + done,
        "s-whole": [json.dumps(whole(model)).encode()],
    }.get(model, start + words + end + usage + done)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "x-request-id": "req-77", **dict(headers)}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        with lock:
            text = last["text"] if self.path == "/last" else str(counts.get(self.path[len("/count/"):], 0))
        self.answer(200, text)

    def stream(self, pieces):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("x-request-id", "req-88")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for p in pieces:
            if p is None:
                self.wfile.flush()
                threading.Event().wait()
            if p is ConnectionError:
                self.wfile.flush()
                self.connection.shutdown(2)
                return
            self.wfile.write(b"%x\r\n%s\r\n" % (len(p), p))
        self.wfile.write(b"0\r\n\r\n")

    def embeddings(self, body):
        need(set(body) == {"model", "input", "encoding_format"} and body["encoding_format"] == "float", "embeddings' members")
        data = [{"object": "embedding", "index": i, "embedding": ODD.get(t, [len(t), i, 0.5])} for i, t in enumerate(body["input"])]
        data = data[:-1] if body["model"] == "v-short" else data
        self.answer(200, {"object": "list", "data": data[::-1], "model": body["model"], "usage": {"prompt_tokens": 1, "total_tokens": 1}})

    def chat(self, body):
        check(body)
        model = body["model"]
        if model == "p-completion" and "max_tokens" in body:
            return self.answer(*unsupported("max_tokens", " Use 'max_completion_tokens' instead."))
        if model == "p-options" and "stream_options" in body:
            return self.answer(422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"],
                                                 "msg": "Extra inputs are not permitted"}]})
        if model == "p-neither" and ("max_tokens" in body or "max_completion_tokens" in body):
            return self.answer(*unsupported("max_tokens" if "max_tokens" in body else "max_completion_tokens"))
        if model in ERRORS:
            return self.answer(*ERRORS[model])
        if body.get("stream"):
            return self.stream(events(model, body))
        return self.answer(200, BODIES.get(model) if model in BODIES else whole(model))

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            body = json.loads(raw)
            with lock:
                last["text"] = f"{self.requestline}\n{self.headers}{raw.decode()}"
                counts[body.get("model")] = counts.get(body.get("model"), 0) + 1
            need(self.headers["Content-Type"] == "application/json", "content type")
            need(self.headers["Authorization"] == f"Bearer {KEY}" or self.headers["X-Own-Key"] == KEY, "the key")
            path = self.path.split("?")[0]
            need(path in ("/v1/chat/completions", "/v1/embeddings", "/openai/deployments/d/chat/completions"), f"path {self.path}")
            self.embeddings(body) if path.endswith("embeddings") else self.chat(body)
        except Refused as why:
            self.answer(499, error(f"strict: {why}"))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # clients of this test hang up in mid-stream


if __name__ == "__main__":
    with Server(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
