#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whose keys botocore finds: the oracle of src/aws/chain.c.

Standard input: a line of JSON per environment, {"home", "variables": [...], "config", "credentials", "profile"}. The files are written, the
variables set, and a session asked. Standard output, a line each: {"access": key}, {"access": null} or {"error": name}.
"""
import json
import os
import pathlib
import sys
import time

import botocore.credentials
import botocore.session
import botocore.tokens
import botocore.utils

botocore.utils.ContainerMetadataFetcher.RETRY_ATTEMPTS = 1
botocore.utils.ContainerMetadataFetcher.SLEEP_TIME = 0
BASE = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "TMPDIR")}


def put(path, text):
    if text is None:
        path.unlink(missing_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def ask(j):
    os.environ.clear()
    os.environ.update(BASE)
    os.environ.update(v.split("=", 1) for v in j["variables"])
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # its clients insist on one
    os.environ["AWS_MAX_ATTEMPTS"] = "1"
    home = pathlib.Path(j["home"])
    put(home / ".aws/config", j["config"])
    put(home / ".aws/credentials", j["credentials"])
    cache = str(home / ".aws/sso/cache")
    botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR = cache
    botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR = cache
    session = botocore.session.Session(profile=j["profile"])
    found = session.get_credentials()
    return {"access": found.get_frozen_credentials().access_key if found else None}


for line in sys.stdin:
    try:
        print(json.dumps(ask(json.loads(line))), flush=True)
    except Exception as e:  # whatever it raises is the answer
        print(json.dumps({"error": type(e).__name__, "text": str(e)[:200]}), flush=True)
