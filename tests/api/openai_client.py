# SPDX-License-Identifier: Apache-2.0
"""takc with OpenAI's Python client and langchain-openai, neither of which knows of it; and with the Node client: openai_client.py [NODE_MODULES]."""
import os
import subprocess
import sys

import openai

import live
from live import check

QUESTION = [{"role": "user", "content": "What was the revenue of Q3?"}]


def raises(kind, code, call, **kw):
    try:
        got = call(**kw)
    except openai.APIStatusError as e:
        check(isinstance(e, kind) and e.code == code, "%s %s: got %s %s: %s" % (kind.__name__, code, type(e).__name__, e.code, e))
        check(e.response.headers["x-request-id"] == e.request_id and e.request_id, "a failure without an id")
        return e
    raise SystemExit("FAILED: %s was expected, got %r" % (kind.__name__, got))


def models(client):
    ids = [m.id for m in client.models.list()]
    check("takc/fin" in ids and "takc/written" in ids, "models: %r" % ids)
    for name in ("takc/fin", "takc/fin:8x"):
        m = client.models.retrieve(name)
        check((m.id, m.object, m.owned_by) == (name, "model", "takc"), "a model: %r" % m)
    raises(openai.NotFoundError, "model_not_found", client.models.retrieve, model="gpt-4o")
    raises(openai.NotFoundError, "model_not_found", client.models.retrieve, model="takc/none")


def whole(client):
    chat = client.chat.completions
    r = chat.create(model="takc/fin", messages=QUESTION)
    choice = r.choices[0]
    check("43 million CHF" in choice.message.content and choice.message.role == "assistant" and choice.finish_reason == "stop", "create: %r" % r)
    check(r.object == "chat.completion" and r.id.startswith("chatcmpl-") and r.created > 1.7e9 and r.model == "takc/fin", "create: %r" % r)
    check(r.usage.prompt_tokens + r.usage.completion_tokens == r.usage.total_tokens and r.usage.prompt_tokens_details.cached_tokens == 0,
          "usage: %r" % r.usage)
    check(r.takc["citations"][0]["document"] == "q3.txt", "citations: %r" % r)
    r = chat.create(model="takc/written", messages=QUESTION)
    check(r.usage.completion_tokens > 0 and r.usage.prompt_tokens > 0, "the usage of a model: %r" % r.usage)
    r = chat.create(model="takc/written", messages=QUESTION, max_completion_tokens=3)
    check(r.choices[0].finish_reason == "length", "a limit of tokens: %r" % r)
    r = chat.create(model="takc/fin@1:light", messages=QUESTION)
    check(r.takc["version"] == "1" and r.takc["reader_tokens_limit"] == r.takc["cache_info"]["original_tokens"] // 8, "a rate in the name: %r" % r)


def odd_but_welcome(client):
    chat = client.chat.completions
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    r = chat.create(model="takc/fin", messages=QUESTION, tools=[tool], tool_choice="auto", temperature=0.3, top_p=1, seed=1, user="u", stop=["x"],
                    presence_penalty=0, frequency_penalty=0, logprobs=False, response_format={"type": "text"}, parallel_tool_calls=False,
                    reasoning_effort="low", metadata={"a": "b"}, store=False, stream_options={"include_usage": None}, extra_body={"unheard_of": [1, 2]})
    check("43 million" in r.choices[0].message.content, "parameters that mean nothing here: %r" % r)
    talk = [{"role": "developer", "content": "Be brief."}, {"role": "system", "content": "You are a clerk."},
            {"role": "user", "content": [{"type": "text", "text": "What was the revenue"}, {"type": "text", "text": "of Q3?"}]}]
    check("43 million" in chat.create(model="takc/fin", messages=talk).choices[0].message.content, "parts, roles")
    talk = [{"role": "user", "content": "What was the revenue of Q3?"},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "nothing"}, {"role": "assistant", "content": "43 million CHF."},
            {"role": "user", "content": "And of Q2?"}]
    check("42 million" in chat.create(model="takc/fin", messages=talk).choices[0].message.content, "a tool's turn, a follow-up")
    long = [m for i in range(400) for m in ({"role": "user", "content": "Q%d?" % i}, {"role": "assistant", "content": "Yes. " * 20})] + QUESTION
    check("43 million" in chat.create(model="takc/fin", messages=long).choices[0].message.content, "a long history")


def streamed(client):
    chat = client.chat.completions
    for model in ("takc/fin", "takc/written"):
        chunks = list(chat.create(model=model, messages=QUESTION, stream=True, stream_options={"include_usage": True}))
        check(len({c.id for c in chunks}) == 1 and all(c.object == "chat.completion.chunk" for c in chunks), "chunks: %r" % chunks)
        check(chunks[0].choices[0].delta.role == "assistant" and all(c.choices[0].delta.role is None for c in chunks[1:-1]), "roles: %r" % chunks)
        text = "".join(c.choices[0].delta.content or "" for c in chunks[:-1])
        check("43 million CHF" in text, "stream: %r" % text)
        check([c.choices[0].finish_reason for c in chunks[:-1]] == [None] * (len(chunks) - 2) + ["stop"], "finish_reason: %r" % chunks)
        check(chunks[-1].choices == [] and chunks[-1].usage.total_tokens > 0 and all(c.usage is None for c in chunks[:-1]), "usage: %r" % chunks)
        same = chat.create(model=model, messages=QUESTION).choices[0].message.content
        check(text.rstrip() == same, "the stream says something else than the whole: %r, %r" % (text, same))
    check(all(c.usage is None for c in chat.create(model="takc/fin", messages=QUESTION, stream=True)), "usage that nobody asked for")
    with client.chat.completions.stream(model="takc/fin", messages=QUESTION) as s:
        check("43 million" in s.get_final_completion().choices[0].message.content, "the client's own gathering")
    raises(openai.NotFoundError, "model_not_found", chat.create, model="takc/none", messages=QUESTION, stream=True)


def failures(client):
    chat = client.chat.completions
    raises(openai.NotFoundError, "model_not_found", chat.create, model="gpt-4o", messages=QUESTION)
    raises(openai.NotFoundError, "model_not_found", chat.create, model="takc/none", messages=QUESTION)
    raises(openai.NotFoundError, "model_not_found", chat.create, model="takc/fin@99", messages=QUESTION)
    e = raises(openai.BadRequestError, "invalid_value", chat.create, model="takc/fin", messages=[])
    check(e.param == "messages" and e.type == "invalid_request_error", "param: %r" % e.body)
    raises(openai.BadRequestError, "invalid_value", chat.create, model="takc/fin", messages=[{"role": "user", "content": ""}])
    raises(openai.BadRequestError, "invalid_value", chat.create, model="takc/fin", messages=QUESTION, n=2)
    raises(openai.BadRequestError, "invalid_value", chat.create, model="takc/fin", messages=QUESTION, temperature=7)
    e = raises(openai.RateLimitError, "rate_limit_exceeded", chat.create, model="takc/limited", messages=QUESTION)
    check(int(e.response.headers["retry-after"]) >= 1, "429 without Retry-After")
    e = raises(openai.InternalServerError, "upstream_error", chat.create, model="takc/broken", messages=QUESTION)
    check(e.status_code == 502, "a model that fails: %d" % e.status_code)
    e = raises(openai.InternalServerError, "server_busy", chat.create, model="takc/busy", messages=QUESTION)
    check(e.status_code == 503 and int(e.response.headers["retry-after"]) >= 1, "a model that is overloaded: %d" % e.status_code)


def demands(client):
    """What an answer cannot be is refused where it is demanded: a program that parses it would break on prose. What permits it is welcome above."""
    chat = client.chat.completions
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    for param, kw in (("response_format.type", {"response_format": {"type": "json_object"}}), ("logprobs", {"logprobs": True, "top_logprobs": 3}),
                      ("tool_choice", {"tools": [tool], "tool_choice": "required"}), ("modalities[0]", {"modalities": ["audio"]}),
                      ("tool_choice", {"tools": [tool], "tool_choice": {"type": "function", "function": {"name": "f"}}})):
        e = raises(openai.BadRequestError, "invalid_value", chat.create, model="takc/fin", messages=QUESTION, **kw)
        check(e.param == param, "param: %r" % e.body)
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    talk = [{"role": "user", "content": [{"type": "text", "text": "What is in it?"}, picture]}]
    e = raises(openai.BadRequestError, "invalid_value", chat.create, model="takc/fin", messages=talk)
    check(e.param == "messages[0].content[1]", "param: %r" % e.body)
    talk += [{"role": "assistant", "content": "A plant."}] + QUESTION  # a picture of before is no question
    check("43 million" in chat.create(model="takc/fin", messages=talk, tool_choice="none", modalities=["text"]).choices[0].message.content, "a picture before")


def langchain(url):
    from langchain_openai import ChatOpenAI
    from pydantic import BaseModel

    class Figure(BaseModel):
        millions: float

    chat = ChatOpenAI(model="takc/fin", base_url=url + "/v1", api_key="k", max_retries=0)
    check("43 million" in chat.invoke("What was the revenue of Q3?").content, "langchain: invoke")
    check("43 million" in "".join(c.content for c in chat.stream("What was the revenue of Q3?")), "langchain: stream")
    tool = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}}
    check("43 million" in chat.bind_tools([tool]).invoke([("system", "Be brief."), ("human", "What was the revenue of Q3?")]).content, "langchain: tools")
    for method in ("json_schema", "function_calling", "json_mode"):
        raises(openai.BadRequestError, "invalid_value", chat.with_structured_output(Figure, method=method).invoke, input="What was the revenue of Q3?")


def refused_without_a_key(home):
    """Who has no key is told so in the client's own words; only where the server has authorizers."""
    settings = live.run("config", "list", home=home)
    if "serve.auth" not in settings:
        print("without AuthenticationError: serve.auth does not exist", file=sys.stderr)
        return
    with live.Server(home, env={"TAKC_SERVE_AUTH": "key"}) as server:
        client = openai.OpenAI(base_url=server.url + "/v1", api_key="takc_wrong", max_retries=0)
        raises(openai.AuthenticationError, "invalid_api_key", client.models.list)
        raises(openai.AuthenticationError, "invalid_api_key", client.chat.completions.create, model="takc/fin", messages=QUESTION)


FEW_TRIES = {"TAKC_MODEL_RETRIES": "1", "TAKC_MODEL_RETRY_BASE_MS": "1"}
with live.home("fin", "written", "limited", "broken", "busy") as home:
    with live.Server(home, env=FEW_TRIES) as server:
        for task, model in (("written", "fake:obedient"), ("limited", "fake:obedient-throttled*9"),
                            ("broken", "fake:obedient-server*9"), ("busy", "fake:obedient-overloaded*9")):
            check(server.ask("PUT", "/tasks/" + task, {"model": {"name": model}})[0] == 200, "a task's model")
        client = openai.OpenAI(base_url=server.url + "/v1", api_key="k", max_retries=0)
        for part in (models, whole, odd_but_welcome, demands, streamed, failures):
            part(client)
        langchain(server.url)
        if len(sys.argv) > 1:
            node = os.path.join(os.path.dirname(os.path.abspath(__file__)), "openai_client.mjs")
            done = subprocess.run(["node", node, sys.argv[1], server.url + "/v1"], timeout=60)
            check(done.returncode == 0, "the Node client")
    refused_without_a_key(home)
print("Python, langchain%s" % (", Node" if len(sys.argv) > 1 else ""))
