#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One server for Secrets Manager, Bedrock and an OpenAI endpoint: model_key.py FOLDER

Prints a free port on 127.0.0.1 and serves until it is killed. FOLDER/log gets a line for each request: its path and its Authorization header up
to the first blank behind the scheme, or the whole of it for a bearer token. Chat completions want the key that the secret holds and the header
X-Team; the model "hang" is never answered, "down" is 503. Bedrock takes signed requests only.
"""
import http.server
import json
import os
import sys
import threading

KEY = "sk-from-the-secret"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def say(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        auth = self.headers.get("Authorization", "none")
        with open(os.path.join(sys.argv[1], "log"), "a") as log:
            log.write(f"{self.path} {auth if auth.startswith('Bearer') else auth.split(' ')[0]}\n")
        if self.headers.get("X-Amz-Target") == "secretsmanager.GetSecretValue":
            return self.secret(body, auth)
        if self.path.startswith("/model/"):
            return self.bedrock(auth)
        return self.chat(body, auth)

    def secret(self, body, auth):
        if not auth.startswith("AWS4-HMAC-SHA256"):
            return self.say(403, {"__type": "AccessDeniedException", "message": "unsigned"})
        if not body.get("SecretId", "").startswith("arn:aws:secretsmanager:eu-west-1:1:secret:takc"):
            return self.say(400, {"__type": "ResourceNotFoundException", "message": "no such secret"})
        return self.say(200, {"SecretString": json.dumps({"key": KEY})})

    def bedrock(self, auth):
        if not auth.startswith("AWS4-HMAC-SHA256"):
            return self.say(403, {"message": "unsigned"})
        return self.say(200, {"output": {"message": {"role": "assistant", "content": [{"text": "ready"}]}}, "stopReason": "end_turn",
                              "usage": {"inputTokens": 1000, "outputTokens": 100, "totalTokens": 1100}})

    def chat(self, body, auth):
        if auth != "Bearer " + KEY or self.headers.get("X-Team") != "pumps":
            return self.say(401, {"error": {"message": "wrong key or team", "type": "invalid_request_error"}})
        if body["model"] == "hang":
            threading.Event().wait()
        if body["model"] == "down":
            return self.say(503, {"error": {"message": "down", "type": "server_error"}})
        return self.say(200, {"id": "c-1", "object": "chat.completion", "model": body["model"], "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "ready"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 2000, "completion_tokens": 50, "total_tokens": 2050}})


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
