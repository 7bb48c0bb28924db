# SPDX-License-Identifier: Apache-2.0
"""Stands in for Bedrock where batch jobs are made, and for the same model on demand (Converse), with S3 behind a proxy that counts; a module
for tests/oracle/batch.py. Needs botocore and boto3.

Signatures are verified as bedrock.py does, bodies against botocore's service model with its patterns. A job is made once per token. It looks at
its records when it is made, moves a step at each look, and writes its results to S3 before it says that it is done. What the model says
depends on the prompt alone: sentences as they are, now and then with a number that nobody gave (so that it is asked to repair it), now and then
cut. `plan` says what else is to happen.
"""
import hashlib
import http.client
import json
import os
import random
import re
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

import botocore.session

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bedrock  # noqa: E402

CONTROL = botocore.session.get_session().get_service_model("bedrock")
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"


def pattern_faults(operation, body):
    """Strings that do not match the pattern or the length that botocore has for them; it does not look itself."""
    shape, bad = CONTROL.operation_model(operation).input_shape, []

    def walk(s, v, at):
        if s.type_name == "structure":
            for k, x in v.items():
                walk(s.members[k], x, f"{at}.{k}")
        elif s.type_name == "string" and "pattern" in s.metadata and not re.fullmatch(s.metadata["pattern"], v):
            bad.append(f"{at}: {v!r} does not match")
    walk(shape, body, "$")
    return bad


def words_of(prompt, max_tokens):
    """What the model says: text and how it ended."""
    n = int(hashlib.sha256(prompt.encode()).hexdigest()[:8], 16)
    units = re.findall(r"^\[(\d+)\] (.+)$", prompt, re.M)
    lines = [f"{text} [{number}]" for i, (number, text) in enumerate(units) if i % 2 == n % 2]
    if n % 3 == 0 and lines:
        lines[0] = "In all 987,654 were counted. [1]"
    text = "\n".join(lines)[:3 * max_tokens]
    if n % 5 == 0 and len(lines) > 2:
        return text[:len(text) * 2 // 3], "max_tokens"
    return text + "\n", "end_turn"


class Plan:
    """What is to happen, and what has: shared by both servers."""

    def __init__(self):
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        self.jobs, self.tokens = {}, {}      # by ARN; ARN by token
        self.sent, self.on_demand = [], []   # prompts of records, of calls
        self.log = []                        # requests, as they came
        self.kill_at = self.kill_after = -1  # kill the client before, or behind, the request of that number
        self.pid = 0
        self.fail_records = 0                # so many records of each job fail
        self.lose_records = 0                # so many have no result
        self.err = {}                        # how often to answer with an error of the service instead, by the method, or "jobs" for any request about these
        self.end = "Completed"
        self.minimum = 5
        self.looks = 2                       # until a job ends

    def errs(self, what):
        with self.lock:
            self.err[what] = self.err.get(what, 0) - 1
            return self.err[what] >= 0

    def strike(self, when, at):
        if at == (self.kill_at if when == "before" else self.kill_after) and self.pid:
            os.kill(self.pid, signal.SIGKILL)
            return True
        return False


plan = Plan()


class Base(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet

    def log_message(self, *_):
        pass

    def any_verb(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with plan.lock:
            at = len(plan.log)
            plan.log.append(f"{self.command} {urlsplit(self.path).path}")
            struck = plan.strike("before", at)
        if struck:
            self.close_connection = True
            return
        status, headers, answer = self.serve(body)
        if plan.strike("after", at):
            self.close_connection = True
            return
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_POST = do_DELETE = any_verb


class S3(Base):
    """Hands everything on to the server behind, as it came."""
    behind = ""

    def serve(self, body):
        if plan.errs(self.command):
            return 503, {"x-amz-request-id": "s3-req-2"}, b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
        c = http.client.HTTPConnection(self.behind, timeout=60)
        c.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for k, v in self.headers.items():
            c.putheader(k, v)
        c.endheaders(body)
        r = c.getresponse()
        answer = r.read()
        keep = {k: v for k, v in r.getheaders() if k.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date")}
        c.close()
        return r.status, {**keep, "x-amz-request-id": "s3-req-1"}, answer


class Bedrock(Base):
    s3 = None  # boto3's client

    def refuse(self, status, kind, message):
        return status, {"x-amzn-ErrorType": kind}, json.dumps({"message": message}).encode()

    def serve(self, body):
        try:
            bedrock.verify(self.command, self.path, self.headers, body)
        except PermissionError as e:
            return self.refuse(403, *e.args)
        _, group, *rest = self.path.split("/")
        if group == "model-invocation-job" and plan.errs("jobs"):
            return self.refuse(500, "InternalServerException", "something is broken here")
        rest = [unquote(r) for r in rest]
        with plan.lock:
            if group == "model" and self.command == "POST":
                return self.converse(json.loads(body))
            if group == "model-invocation-job":
                return self.create(json.loads(body)) if not rest else self.look(rest)
        return self.refuse(404, "UnknownOperationException", self.path)

    def converse(self, body):
        bad = bedrock.faults("Converse", body)
        if bad:
            return self.refuse(400, "ValidationException", "; ".join(bad))
        prompt = body["messages"][0]["content"][0]["text"]
        text, end = words_of(prompt, body["inferenceConfig"]["maxTokens"])
        plan.on_demand.append(prompt)
        return 200, {}, json.dumps({"output": {"message": {"role": "assistant", "content": [{"text": text}]}}, "stopReason": end, "metrics": {"latencyMs": 1},
                                    "usage": {"inputTokens": len(prompt) // 4, "outputTokens": len(text) // 4, "totalTokens": 0}}).encode()

    def create(self, body):
        bad = bedrock.faults("CreateModelInvocationJob", body, CONTROL)
        bad = bad or pattern_faults("CreateModelInvocationJob", body)
        if bad or "clientRequestToken" not in body:
            return self.refuse(400, "ValidationException", "; ".join(bad) or "no token")
        if body["clientRequestToken"] in plan.tokens:
            return 200, {}, json.dumps({"jobArn": plan.tokens[body["clientRequestToken"]]}).encode()
        if any(j["jobName"] == body["jobName"] for j in plan.jobs.values()):
            return self.refuse(400, "ConflictException", "a job of that name is there")
        arn = "arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/%012d" % len(plan.jobs)
        plan.tokens[body["clientRequestToken"]] = arn
        plan.jobs[arn] = {**body, "looks": 0, "status": "Submitted"}
        return 200, {}, json.dumps({"jobArn": arn}).encode()

    def look(self, rest):
        job = plan.jobs.get(rest[0])
        if not job:
            return self.refuse(404, "ResourceNotFoundException", "no such job")
        if rest[1:] == ["stop"]:
            job["status"] = "Stopped"
            return 200, {}, b"{}"
        job["looks"] += 1
        if job["status"] in ("Submitted", "InProgress"):
            job["status"] = "InProgress"
            if job["looks"] >= plan.looks:
                self.run(rest[0], job)
        said = {k: job[k] for k in ("jobName", "modelId", "roleArn", "inputDataConfig", "outputDataConfig", "status", "message") if k in job}
        return 200, {}, json.dumps({**said, "jobArn": rest[0], "submitTime": "2026-01-01T00:00:00Z", "totalRecordCount": job.get("n", 0),
                                    "processedRecordCount": job.get("n", 0)}).encode()

    def run(self, arn, job):
        bucket, key = job["inputDataConfig"]["s3InputDataConfig"]["s3Uri"][5:].split("/", 1)
        lines = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode().splitlines()
        records, job["n"] = [json.loads(line) for line in lines], len(lines)
        bad = [] if len(records) >= plan.minimum else [f"{len(records)} records are fewer than {plan.minimum}"]
        bad += [] if len({r["recordId"] for r in records}) == len(records) else ["an id is there twice"]
        required, allowed = bedrock.INVOKE["claude-3"]
        for r in records:
            if set(r) != {"recordId", "modelInput"} or not re.fullmatch(r"[a-zA-Z0-9]{11,}", r["recordId"]):
                bad.append(f"no record: {list(r)}")
            elif required - r["modelInput"].keys() or r["modelInput"].keys() - required - allowed:
                bad.append(f"no body: {list(r['modelInput'])}")
        if bad or plan.end == "Failed":
            job.update(status="Failed", message="; ".join(bad[:3]) or "the role cannot be assumed")
            return
        results = []
        for i, r in enumerate(records):
            prompt = r["modelInput"]["messages"][0]["content"][0]["text"]
            plan.sent.append(prompt)
            if i < plan.fail_records:
                r["error"] = {"errorCode": 500, "errorMessage": "the model erred"}
            else:
                text, end = words_of(prompt, r["modelInput"]["max_tokens"])
                r["modelOutput"] = {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "text", "text": text}], "stop_reason": end,
                                    "usage": {"input_tokens": len(prompt) // 4, "output_tokens": len(text) // 4}}
            results.append(json.dumps(r))
        random.Random(1).shuffle(results)
        results = results[plan.lose_records:]
        bucket, folder = job["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"][5:].split("/", 1)
        folder += arn.rpartition("/")[2]
        self.s3.put_object(Bucket=bucket, Key=folder + "/input.jsonl.out", Body=("\n".join(results) + "\n").encode())
        self.s3.put_object(Bucket=bucket, Key=folder + "/manifest.json.out", Body=json.dumps({"totalRecordCount": len(lines)}).encode())
        job["status"] = plan.end


class Server(bedrock.Server):
    pass


def serve(handler):
    """Serves on a port of its own until the process ends; the URL."""
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d" % server.server_address[1]
