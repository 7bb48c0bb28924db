#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compression by batch jobs against S3 as moto has it, with signatures checked, and a stand-in for Bedrock (tests/fake/bedrock_jobs.py):
batch.py TAKC FOLDER [CASE...]. A case is a function below; all are run where none is named. What it proves: the artifacts are the bytes of a run
on demand, no record is sent twice whenever a run is killed, and the ledger has what it cost.
"""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request

import boto3

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "fake"))
import bedrock_jobs  # noqa: E402
from bedrock import KEYS  # noqa: E402
from bedrock_jobs import MODEL, plan  # noqa: E402

takc, work = sys.argv[1], pathlib.Path(sys.argv[2])
ROLE = "arn:aws:iam::123456789012:role/batch"
FOLDER = "s3://takc-batch/some/place"
MARK = b"Works of Pit"  # of every document
BATCH = ("--batch", FOLDER, "--batch-role", ROLE)
env = {}


def say(text):
    print(text, flush=True)


def check(good, *what):
    if not good:
        raise AssertionError(" ".join(str(w) for w in what))


# --- what is there ---

def start_moto():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "5"})
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            urllib.request.urlopen(url + "/moto-api/", timeout=5).close()
            return server, url
        except OSError:
            time.sleep(0.1)
    raise AssertionError("moto did not start")


def make_keys(url):
    """The key of a user who may do all, and of one who may do nothing."""
    iam = boto3.client("iam", endpoint_url=url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    allow = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    keys = []
    for name in ("takc", "nobody"):
        iam.create_user(UserName=name)
        k = iam.create_access_key(UserName=name)["AccessKey"]
        keys.append((k["AccessKeyId"], k["SecretAccessKey"]))
        KEYS[keys[-1][0]] = (keys[-1][1], None)
    iam.put_user_policy(UserName="takc", PolicyName="all", PolicyDocument=allow)
    return keys


def write_documents(to, n_documents=14):
    to.mkdir(exist_ok=True)
    seed = 7

    def draw(n):
        nonlocal seed
        seed = (seed * 1103515245 + 12345) % 2 ** 31
        return seed // 65536 % n

    names, goods = ["Ada Marsh", "Bo Lind", "Cy Okoro", "Di Fabre", "Eve Stone"], ["copper", "zinc", "nickel", "lead", "cobalt"]
    for i in range(n_documents):
        lines = [f"# Works of Pit {i}", ""]
        for k in range(55):
            lines.append(f"In week {k + 1} the {goods[draw(5)]} works of pit {i} under {names[draw(5)]} made {draw(9000) + 100} tonnes at {draw(90) + 5}.{draw(10)} percent, "
                         f"which was not more than the {draw(900) + 50} tonnes of the week before.")
            lines.append("")
        (to / f"pit-{i}.md").write_text("\n".join(lines))


def run(home, *args, status=0, **more):
    """Runs takc; kills of the plan are its own. Gives what it printed."""
    p = subprocess.Popen([takc, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**env, **more, "TAKC_HOME": str(home)})
    plan.pid = p.pid
    out, err = p.communicate(timeout=300)
    plan.pid = 0
    text = out.decode() + err.decode()
    if status is not None:
        check(p.returncode == status, f"takc {' '.join(args)}: exit code {p.returncode}, not {status}\n{text}")
    run.code = p.returncode
    return text


def fresh(name):
    """A home with the documents in it; nothing has happened yet."""
    home = work / name
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(work / "seed", home)
    plan.reset()
    return home


def compress(home, *args, **more):
    return run(home, "compress", "-q", "-t", "pits", "--model", "bedrock:" + MODEL, *args, **more)


def artifacts(home):
    names = ("ultra.json", "high.json", "medium.json", "light.json", "documents.json")
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (home / "artifacts/pits").glob("v*/*.json") if p.name in names}
    check(len(found) == len(names), "artifacts:", *found)
    return found


def rows(home):
    db = sqlite3.connect(f"file:{home}/catalog.sqlite?mode=ro", uri=True)
    try:
        return db.execute("SELECT purpose, outcome, batch, input, output, picodollars, request_id FROM usage").fetchall()
    finally:
        db.close()


def objects():
    return [o["Key"] for o in s3.list_objects_v2(Bucket="takc-batch").get("Contents", [])]


def empty_bucket():
    for key in objects():
        s3.delete_object(Bucket="takc-batch", Key=key)


def check_done(home, n_kept_jobs=0):
    """The version is that of a run on demand; nothing was asked twice; what was sent is gone; the ledger has it all."""
    check(artifacts(home) == wanted, "other artifacts than on demand:", artifacts(home), wanted)
    asked = plan.sent + plan.on_demand
    check(len(set(asked)) == len(asked), f"{len(asked) - len(set(asked))} of {len(asked)} prompts were asked twice")
    check(not objects(), "left in S3:", *objects())
    check(not (home / "replies/pits/batch.json").exists(), "batch.json is still there")
    check_rows(home)


def check_rows(home):
    made = [r for r in rows(home) if r[2] and r[1] != "stopped"]
    check(len(made) == len(plan.sent), f"{len(made)} rows of batch jobs, {len(plan.sent)} records")
    for purpose, outcome, _, n_in, n_out, cost, request in made:
        check(outcome in ("ok", "length") and purpose in ("compress", "condense", "repair") and ":model-invocation-job/" in request, purpose, outcome, request)
        check(cost == (n_in * 250000 + n_out * 1250000) // 2, f"{n_in} in, {n_out} out: {cost} picodollars")
    check(sum(r[3] for r in made) == sum(len(p) // 4 for p in plan.sent), "tokens of the rows are not those of the records")


# --- cases ---

def the_same_as_on_demand():
    home = fresh("plain")
    text = compress(home, *BATCH)
    check_done(home)
    check(len(plan.jobs) >= 3 and len(plan.sent) >= 40, f"{len(plan.jobs)} jobs, {len(plan.sent)} records: too few to prove anything")
    check(any("repair" == r[0] and r[2] for r in rows(home)), "no repair went by a job")
    check(any("length" == r[1] and r[2] for r in rows(home)), "no reply of a job was cut")
    check("this run cost $" in text, text)
    say(f"{len(plan.jobs)} jobs, {len(plan.sent)} records, {len(plan.on_demand)} calls on demand, {len(plan.log)} requests")
    n = len(plan.log)
    check("nothing changed" in compress(home, *BATCH) and len(plan.log) == n, "a second run asked for something")
    return n


def killed_anywhere():
    """Before and behind every request of a whole run; then it is run to its end. No record is sent twice, no job made twice."""
    home = fresh("count")
    compress(home, *BATCH)
    n, n_jobs, n_sent = len(plan.log), len(plan.jobs), len(plan.sent)
    every = int(os.environ.get("TAKC_BATCH_EVERY", "1"))
    for at in range(0, n, every):
        for when in ("kill_at", "kill_after"):
            home = fresh("killed")
            setattr(plan, when, at)
            compress(home, *BATCH, status=None)
            check(run.code == -signal.SIGKILL, f"{when} {at}: ended with {run.code}")
            compress(home, *BATCH)
            try:
                check_done(home)
                check((len(plan.jobs), len(plan.sent)) == (n_jobs, n_sent), f"{len(plan.jobs)} jobs and {len(plan.sent)} records, not {n_jobs} and {n_sent}")
            except AssertionError as e:
                raise AssertionError(f"{when} {at} ({plan.log[at]}): {e}") from None
    say(f"killed {2 * len(range(0, n, every))} times")


CASES = [the_same_as_on_demand, killed_anywhere]


def main():
    global s3, wanted
    chosen = sys.argv[3:]
    moto, url = start_moto()
    try:
        mine, nobodys = make_keys(url)
        s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=mine[0], aws_secret_access_key=mine[1])
        s3.create_bucket(Bucket="takc-batch")
        bedrock_jobs.S3.behind = url[len("http://"):]
        bedrock_jobs.Bedrock.s3 = s3
        service = bedrock_jobs.serve(bedrock_jobs.Bedrock)
        env.update({"PATH": os.environ["PATH"], "HOME": str(work), "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": mine[0], "AWS_SECRET_ACCESS_KEY": mine[1],
                    "AWS_ENDPOINT_URL_S3": bedrock_jobs.serve(bedrock_jobs.S3), "AWS_ENDPOINT_URL_BEDROCK": service, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": service,
                    "no_proxy": "127.0.0.1", "TAKC_MODEL_BATCH_MIN_RECORDS": "5", "TAKC_MODEL_BATCH_POLL_MS": "10",
                    "NOBODY": " ".join(nobodys)})
        write_documents(work / "documents")
        run(work / "seed", "init", "pits", "-d", "tonnes and percent of every works")
        run(work / "seed", "ingest", "-q", "-t", "pits", str(work / "documents"))
        home = fresh("on-demand")
        compress(home)
        check(len(plan.on_demand) == len(set(plan.on_demand)), "the same prompt was asked twice on demand: the documents are too much alike")
        wanted = artifacts(home)
        for case in CASES:
            if not chosen or case.__name__ in chosen:
                say(f"- {case.__name__}")
                empty_bucket()
                case()
    finally:
        moto.kill()
        moto.wait()


main()
