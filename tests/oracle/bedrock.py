#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks a stand-in for Bedrock with boto3 as it comes: bedrock.py SERVER. Standard input: a line per call, VERB MODEL. Standard output, a line
each: text, stop reason and tokens (input, output, cache read, cache write) as boto3 reads them, or the class of the error.
"""
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

client = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=sys.argv[1], aws_access_key_id="AKTEST", aws_secret_access_key="qqsecret/key",
                      aws_session_token="qqsecret-token", config=Config(retries={"total_max_attempts": 1}))
MESSAGES = [{"role": "user", "content": [{"text": "How was Q3?"}]}]


def usage(u):
    return "%d %d %d %d" % (u["inputTokens"], u["outputTokens"], u["cacheReadInputTokens"], u["cacheWriteInputTokens"])


def converse(model):
    r = client.converse(modelId=model, messages=MESSAGES, inferenceConfig={"maxTokens": 50})
    return "|".join(["".join(c["text"] for c in r["output"]["message"]["content"]), r["stopReason"], usage(r["usage"])])


def converse_stream(model):
    text, stop, u = "", "", ""
    for e in client.converse_stream(modelId=model, messages=MESSAGES, inferenceConfig={"maxTokens": 50})["stream"]:
        text += e.get("contentBlockDelta", {}).get("delta", {}).get("text", "")
        stop = e.get("messageStop", {}).get("stopReason", stop)
        u = usage(e["metadata"]["usage"]) if "metadata" in e else u
    return "|".join([text, stop, u])


def other(verb, model):
    if verb == "count-tokens":
        return str(client.count_tokens(modelId=model, input={"converse": {"messages": MESSAGES}})["inputTokens"])
    if verb == "apply":
        r = client.apply_guardrail(guardrailIdentifier=model, guardrailVersion="1", source="INPUT", content=[{"text": {"text": "a secret plan"}}])
        return r["action"] + " " + r["outputs"][0]["text"]
    body = json.dumps({"prompt": "How was Q3?", "max_gen_len": 50})
    if verb == "invoke":
        return json.loads(client.invoke_model(modelId=model, body=body)["body"].read())["generation"]
    return "".join(json.loads(e["chunk"]["bytes"])["generation"] for e in client.invoke_model_with_response_stream(modelId=model, body=body)["body"])


for line in sys.stdin:
    verb, name = line.split()
    try:
        print({"converse": converse, "converse-stream": converse_stream}.get(verb, lambda m: other(verb, m))(name))
    except EventStreamError as e:
        print("mid-stream " + e.response["Error"]["Code"])
    except ClientError as e:
        print(e.response["Error"]["Code"])
    except Exception as e:  # what is told is its class: a wrong checksum, a broken connection
        print(type(e).__name__)
