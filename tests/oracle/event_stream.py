#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Decodes event-stream frames with botocore, seven bytes at a time: the oracle of src/aws/event_stream.c.

Standard input: one line of hexadecimal digits per stream. Standard output, a line each: {"events": [{"headers": {...}, "payload": hex}]},
or {"error": name of what botocore raised}.
"""
import json
import sys

from botocore.eventstream import EventStreamBuffer


def shown(v):
    if isinstance(v, (bytes, bytearray)):
        return "bytes:" + bytes(v).hex()
    return v


def decode(data):
    b, events = EventStreamBuffer(), []
    for i in range(0, len(data), 7):
        b.add_data(data[i : i + 7])
        for m in b:
            events.append({"headers": {k: shown(v) for k, v in m.headers.items()}, "payload": m.payload.hex()})
    return events


for line in sys.stdin:
    try:
        print(json.dumps({"events": decode(bytes.fromhex(line.strip()))}))
    except Exception as e:  # whatever it raises is the answer
        print(json.dumps({"error": type(e).__name__}))
