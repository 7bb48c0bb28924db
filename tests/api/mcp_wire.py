# SPDX-License-Identifier: Apache-2.0
"""MCP over HTTP and over standard input and output, by hand: what both say, and what only one can get wrong. Standard library only."""
import json
import os
import socket
import subprocess
import threading

import live
from live import check

INIT = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


def ask(n, method, params=None):
    v = {"jsonrpc": "2.0", "id": n, "method": method}
    if params is not None:
        v["params"] = params
    return v


class Http:
    """Each message a POST."""

    def __init__(self, server):
        self.server = server

    def say(self, message, **headers):
        sent = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
        sent.update({k.replace("_", "-"): v for k, v in headers.items() if v is not None})
        return self.server.ask("POST", "/mcp", message, {k: v for k, v in sent.items() if v})

    def call(self, n, method, params=None):
        status, _, body = self.say(ask(n, method, params))
        check(status == 200, "%s: status %d: %r" % (method, status, body))
        return body

    def tell(self, message):
        status, headers, body = self.say(message)
        check((status, body) == (202, b""), "a notification: %d %r" % (status, body))
        check("content-type" not in headers, "a reply without a body has a type")


class Stdio:
    """Each message a line."""

    def __init__(self, home, *args, env=None):
        self.process = subprocess.Popen([live.TAKC, "mcp", "--home", home, *args], env=dict(os.environ, **(env or {})), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)

    def send(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def call(self, n, method, params=None):
        self.send(json.dumps(ask(n, method, params)))
        return json.loads(self.process.stdout.readline())

    def tell(self, message):
        self.send(json.dumps(message))

    def end(self):
        out, err = self.process.communicate(timeout=30)
        check(self.process.returncode == 0, "takc mcp ended with %d: %s" % (self.process.returncode, err))
        check(out == "", "more on stdout than was asked for: %r" % out)


def both(t):
    """What is the same over both."""
    r = t.call("a", "initialize", INIT)
    check(r["id"] == "a" and r["result"]["protocolVersion"] == "2025-11-25", "initialize: %r" % r)
    check(set(r["result"]["capabilities"]) == {"tools", "resources"}, "capabilities: %r" % r)
    t.tell({"jsonrpc": "2.0", "method": "notifications/initialized"})
    check(t.call(2, "ping") == {"jsonrpc": "2.0", "id": 2, "result": {}}, "ping")
    tools = t.call(3, "tools/list")["result"]["tools"]
    check([x["name"] for x in tools] == ["takc_query", "takc_list_tasks", "takc_source"], "tools: %r" % tools)
    r = t.call(4, "tools/call", {"name": "takc_query", "arguments": {"task": "fin", "query": "What was the revenue of Q3?", "rate": "8x"}})["result"]
    check("43 million CHF" in r["structuredContent"]["response"] and not r["isError"], "takc_query: %r" % r)
    check(json.loads(r["content"][0]["text"]) == r["structuredContent"], "text and structure differ")
    nothing = {"rate": None, "mode": None, "reader_tokens": None}  # as clients that know optional members as nullable ones send it
    same = t.call(4, "tools/call", {"name": "takc_query", "arguments": {"task": "fin", "query": "What was the revenue of Q3?", **nothing}})["result"]
    check(not same["isError"] and "43 million CHF" in same["structuredContent"]["response"], "null where a member may be left out: %r" % same)
    cited = r["structuredContent"]["citations"][0]
    span = cited["spans"][0]
    r = t.call(5, "tools/call", {"name": "takc_source", "arguments": {"task": "fin", "document": cited["document"], **{k: span[k] for k in ("start", "end")}}})
    check(r["result"]["structuredContent"]["text"] == cited["quote"], "the text behind the citation: %r" % r)
    r = t.call(6, "tools/call", {"name": "takc_list_tasks"})["result"]["structuredContent"]["tasks"]
    check([x["task"] for x in r] == ["bare", "fin"] and r[0]["version"] is None and r[1]["documents"] == 4, "takc_list_tasks: %r" % r)
    for arguments, why in (({"task": "fin"}, "arguments/query"), ({"task": "none", "query": "x"}, "there is no task none"),
                           ({"task": "../fin", "query": "x"}, "arguments/task"), ({"task": "bare", "query": "x"}, "bare")):
        r = t.call(7, "tools/call", {"name": "takc_query", "arguments": arguments})["result"]
        check(r["isError"] and why in r["content"][0]["text"], "%r: %r" % (arguments, r))
    check(t.call(8, "tools/call", {"name": "takc_rm"})["error"]["code"] == -32602, "an unknown tool")
    uris = [x["uri"] for x in t.call(9, "resources/list", {"cursor": None})["result"]["resources"]]
    check(uris == ["takc://task/bare", "takc://task/fin"], "resources: %r" % uris)
    text = t.call(10, "resources/read", {"uri": "takc://task/fin/light"})["result"]["contents"][0]
    check(text["mimeType"] == "text/plain" and "million CHF" in text["text"], "a rate: %r" % text)
    check(json.loads(t.call(11, "resources/read", {"uri": uris[1]})["result"]["contents"][0]["text"])["task"] == "fin", "a task")
    for uri in ("takc://task/none", "takc://task/fin/7x", "takc://task/fin/x/y", "takc://task/..", "file:///etc/passwd"):
        check(t.call(12, "resources/read", {"uri": uri})["error"]["code"] == -32002, "%s is there" % uri)
    check(len(t.call(13, "resources/templates/list")["result"]["resourceTemplates"]) == 2, "templates")
    check(t.call(14, "completion/complete", {})["error"]["code"] == -32601, "an unknown method")


QUESTION = {"name": "takc_query", "arguments": {"task": "fin", "query": "What was the revenue of Q3?"}, "_meta": {"progressToken": "p"}}
TOLD = [{"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "p", "progress": n, "message": stage}}
        for n, stage in ((1, "choosing lines"), (2, "asking the model"))]


def events(body):
    return [json.loads(e[len("data: "):]) for e in body.decode().split("\n\n") if e.startswith("data: ")]


def progress_over_http(t, n_stages):
    """Events for a client that asked for them; a reply for all others."""
    status, headers, body = t.say(ask(1, "tools/call", QUESTION))
    told = events(body)
    check(status == 200 and headers["content-type"].startswith("text/event-stream"), "progress: %d %r" % (status, headers))
    check(told[:-1] == TOLD[:n_stages] and told[-1]["id"] == 1 and not told[-1]["result"]["isError"], "progress: %r" % told)
    status, _, body = t.say(ask(1, "tools/call", QUESTION), Accept="application/json")
    check(status == 200 and body["id"] == 1, "a client without events: %r" % body)
    nobody = dict(QUESTION, arguments={"task": "none", "query": "x"})  # fails before there is anything to tell
    status, _, body = t.say(ask(1, "tools/call", nobody))
    check(status == 200 and body["result"]["isError"], "a failure: %r" % body)
    status, _, body = t.say([ask(1, "tools/call", QUESTION), ask(2, "ping")], MCP_Protocol_Version="")
    check(status == 200 and len(body) == 2, "a list: %r" % body)


def cancelled_over_http(server, silent):
    """Another request cancels, by the session's name and the message's id; neither of another's will do."""
    t = Http(server)
    sessions = [t.say(ask(1, "initialize", INIT))[1]["mcp-session-id"] for _ in range(2)]
    check(len(set(sessions)) == 2 and all(len(s) == 32 for s in sessions), "sessions: %r" % sessions)
    check("mcp-session-id" not in t.say(ask(1, "ping"), Mcp_Session_Id=sessions[0])[1], "a session for a ping")
    for message in (QUESTION, {k: v for k, v in QUESTION.items() if k != "_meta"}):
        got = []
        asking = threading.Thread(target=lambda: got.append(t.say(ask(5, "tools/call", message), Mcp_Session_Id=sessions[0])))
        asking.start()
        service, _ = silent.accept()  # the question is under way

        def cancel(n, session):
            return t.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": n}}, Mcp_Session_Id=session)
        for n, session in ((6, sessions[0]), ("5", sessions[0]), (5, sessions[1]), (5, None), (5, sessions[0][:31])):
            check(cancel(n, session)[0] == 202, "a cancellation")
        asking.join(0.3)
        check(asking.is_alive(), "another's cancellation ended it: %r" % got)
        check(cancel(5, sessions[0])[0] == 202, "the cancellation")
        asking.join(30)
        check(not asking.is_alive(), "it goes on")
        status, _, body = got[0]
        if "_meta" in message:
            check(status == 200 and events(body) == TOLD, "what was told before it was cancelled: %r" % body)
        else:
            check(status == 200 and body["result"]["isError"], "the reply to what was cancelled: %d %r" % (status, body))
        service.close()


def over_http(server):
    t = Http(server)
    both(t)
    progress_over_http(t, 1)
    status, _, body = t.say(b"{", Content_Type="application/json")
    check(status == 400 and body["error"]["code"] == -32700 and body["id"] is None, "no JSON: %d %r" % (status, body))
    check(t.say({"x": 1})[0] == 400, "no message")
    check(t.say(b"{}", Content_Type="text/plain")[0] == 415, "another type")
    check(t.say(ask(1, "ping"), MCP_Protocol_Version="1999-01-01")[0] == 400, "a version that is not spoken")
    status, _, body = t.say([ask(1, "ping"), ask(2, "ping")], MCP_Protocol_Version="")  # a client that names none is of 2025-03-26
    check(status == 200 and [x["id"] for x in body] == [1, 2], "a list: %r" % body)
    check(t.say([ask(1, "ping")])[0] == 400, "a list where the version has none")
    for origin, want in (("http://localhost:6274", 200), ("http://127.0.0.1", 200), ("http://[::1]:1", 200), ("https://evil.example", 403),
                         ("null", 403), ("http://localhost.evil.example", 403), ("http://127.0.0.1.evil.example", 403)):
        status = t.say(ask(1, "ping"), Origin=origin)[0]
        check(status == want, "Origin %s: %d" % (origin, status))
    for method in ("GET", "DELETE"):
        status, headers, _ = server.ask(method, "/mcp")
        check(status == 405 and headers["allow"] == "POST", "%s: %d" % (method, status))
    check(server.ask("POST", "/v1/mcp", ask(1, "ping"))[0] == 200, "/v1/mcp")


def over_stdio(home):
    t = Stdio(home)
    both(t)
    t.send("{")
    check(json.loads(t.process.stdout.readline())["error"]["code"] == -32700, "no JSON")
    t.send("")  # an empty line says nothing
    t.send(json.dumps(ask(1, "tools/call", QUESTION)))
    check(json.loads(t.process.stdout.readline()) == TOLD[0], "progress before the reply")
    check(json.loads(t.process.stdout.readline())["id"] == 1, "the reply behind it")
    r = t.call(1, "initialize", dict(INIT, protocolVersion="2025-03-26"))
    check(r["result"]["protocolVersion"] == "2025-03-26", "an older version: %r" % r)
    t.send(json.dumps([ask(1, "ping"), ask(2, "ping")]))
    check(len(json.loads(t.process.stdout.readline())) == 2, "a list of messages")
    t.end()


def without_home(home):
    """A misspelt home is no empty one."""
    place = home + "-none"
    done = subprocess.run([live.TAKC, "mcp", "--home", place], input="", capture_output=True, text=True, timeout=60)
    check(done.returncode == 3 and not done.stdout and "there is no home at " + place in done.stderr, "%r" % done)
    check(not os.path.exists(place), "a home was made")


def cancelled(home):
    """What is cancelled stops, and is not answered; what comes after it is."""
    with socket.create_server(("127.0.0.1", 0)) as silent:  # a model's service that takes a question and says nothing
        url = "http://127.0.0.1:%d/v1" % silent.getsockname()[1]
        t = Stdio(home, "--model", "openai:none", env={"TAKC_MODEL_BASE_URL": url, "TAKC_MODEL_API_KEY": "k"})
        t.call(1, "initialize", INIT)
        t.send(json.dumps(ask(2, "tools/call", {"name": "takc_query", "arguments": {"task": "fin", "query": "What was the revenue of Q3?"}})))
        service, _ = silent.accept()  # the question is under way
        t.tell({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}})  # of nobody
        t.tell({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2, "reason": "too slow"}})
        check(t.call(3, "ping")["id"] == 3, "the reply to a ping behind a cancelled question")
        service.close()
        t.end()
        with live.Server(home, env={"TAKC_MODEL_NAME": "openai:none", "TAKC_MODEL_BASE_URL": url, "TAKC_MODEL_API_KEY": "k"}) as server:
            cancelled_over_http(server, silent)
    with live.Server(home, env={"TAKC_MODEL_NAME": "fake:canned"}) as server:
        progress_over_http(Http(server), 2)


def capped(home):
    """A cap of money: the agent learns that it is reached, the log how much is spent."""
    t = Stdio(home, "--model", "openai:gpt-4o-mini", env={"TAKC_COST_MAX_USD": "0.000001"})
    t.call("a", "initialize", INIT)
    r = t.call(1, "tools/call", {"name": "takc_query", "arguments": {"task": "fin", "query": "What was the revenue of Q3?"}})["result"]
    out, err = t.process.communicate(timeout=30)
    told = r["content"][0]["text"]
    check(r["isError"] and "what models may cost here is reached" in told and "$" not in told, "what an agent reads: %r" % r)
    check("this run's cap is $0.000001" in err, "the log: %s" % err)


with live.home() as home:
    live.run("init", "bare", home=home)
    with live.Server(home) as server:
        over_http(server)
        check("/etc/passwd" not in server.said() and "What was" not in server.said(), "questions or URIs are in the log")
    over_stdio(home)
    without_home(home)
    cancelled(home)
    capped(home)
print("both transports")
