# SPDX-License-Identifier: Apache-2.0
"""MCP with the official Python client, both transports; and the inspector's command line, where node has it: mcp_client.py [NODE_MODULES]."""
import asyncio
import json
import os
import subprocess
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

import live
from live import check


async def session(transport):
    async with transport as streams, ClientSession(streams[0], streams[1]) as s:
        hello = await s.initialize()
        check((hello.protocol_version, hello.server_info.name) == ("2025-11-25", "takc"), "initialize: %r" % hello)
        tools = await s.list_tools()
        check([t.name for t in tools.tools] == ["takc_query", "takc_list_tasks", "takc_source"], "tools: %r" % tools)
        # the client itself holds each result against the tool's output schema
        answer = await s.call_tool("takc_query", {"task": "fin", "query": "What was the revenue of Q3?"})
        check("43 million CHF" in answer.structured_content["response"] and not answer.is_error, "takc_query: %r" % answer)
        stages = []

        async def on_progress(progress, total, message):
            stages.append((progress, message))
        await s.call_tool("takc_query", {"task": "fin", "query": "What was the revenue of Q2?"}, progress_callback=on_progress)
        check(stages == [(1, "choosing lines")], "progress: %r" % stages)
        tasks = await s.call_tool("takc_list_tasks", {})
        check(tasks.structured_content["tasks"][0]["task"] == "fin", "takc_list_tasks: %r" % tasks)
        cited = answer.structured_content["citations"][0]
        piece = await s.call_tool("takc_source", {"task": "fin", "document": cited["document"], "start": cited["spans"][0]["start"],
                                                  "end": cited["spans"][0]["end"]})
        check(piece.structured_content["text"] == cited["quote"], "takc_source: %r" % piece)
        wrong = await s.call_tool("takc_query", {"task": "none", "query": "x"})
        check(wrong.is_error and "none" in wrong.content[0].text, "a task that is not there: %r" % wrong)
        resources = await s.list_resources()
        check([str(r.uri) for r in resources.resources] == ["takc://task/fin"], "resources: %r" % resources)
        check(len((await s.list_resource_templates()).resource_templates) == 2, "templates")
        text = await s.read_resource("takc://task/fin/light")
        check("million CHF" in text.contents[0].text, "a rate")
        await s.send_ping()


def inspector(modules, *args):
    done = subprocess.run([os.path.join(modules, "node_modules/.bin/mcp-inspector"), "--cli", *args], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60)
    check(done.returncode == 0, "mcp-inspector %s: %s" % (" ".join(args), done.stderr))
    return json.loads(done.stdout)


def inspect(modules, url, home):
    tools = inspector(modules, url + "/mcp", "--transport", "http", "--method", "tools/list")
    check([t["name"] for t in tools["tools"]] == ["takc_query", "takc_list_tasks", "takc_source"], "tools: %r" % tools)
    answer = inspector(modules, "-e", "TAKC_HOME=" + home, live.TAKC, "mcp", "--method", "tools/call", "--tool-name", "takc_query",
                       "--tool-arg", "task=fin", "--tool-arg", "query=What was the revenue of Q3?")
    check("43 million CHF" in answer["structuredContent"]["response"], "takc_query: %r" % answer)


with live.home() as home, live.Server(home) as server:
    asyncio.run(session(streamable_http_client(server.url + "/mcp")))
    asyncio.run(session(stdio_client(StdioServerParameters(command=live.TAKC, args=["mcp", "--home", home]))))
    if len(sys.argv) > 1:
        inspect(sys.argv[1], server.url, home)
print("the Python client%s" % (" and the inspector" if len(sys.argv) > 1 else ""))
