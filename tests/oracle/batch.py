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
FOLDER = "s3://takc-batch/some/place_(1)!/it's*"
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
                              env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "5",
                                   "MOTO_S3_DEFAULT_MAX_KEYS": "2"}  # so that listings have several pages
                              )
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


def write_documents(to, first=0, n_documents=5):
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
        if i >= first:
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
    return [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket="takc-batch") for o in page.get("Contents", [])]


def empty_bucket():
    for key in objects():
        s3.delete_object(Bucket="takc-batch", Key=key)


def check_done(home, lost_calls=0):
    """The version is that of a run on demand; nothing was asked twice, but for calls under way in a run that was killed; what was sent is gone; the
    ledger has it all."""
    check(artifacts(home) == wanted, "other artifacts than on demand:", artifacts(home), wanted)
    check(len(set(plan.sent)) == len(plan.sent), f"{len(plan.sent) - len(set(plan.sent))} records were sent twice")
    check(not set(plan.sent) & set(plan.on_demand), "a record was asked on demand, too")
    check(len(plan.on_demand) - len(set(plan.on_demand)) <= lost_calls, "calls were made twice")
    check(not objects(), "left in S3:", *objects())
    check(not (home / "replies/pits/batch.json").exists(), "batch.json is still there")
    check_rows(home)


def check_rows(home, n_failed=0):
    """A row for each record, at half price; of one that failed, without."""
    made = [r for r in rows(home) if r[2] and r[1] != "stopped"]
    check(len(made) == len(plan.sent), f"{len(made)} rows of batch jobs, {len(plan.sent)} records")
    check(sum(r[1] == "server" for r in made) == n_failed, f"not {n_failed} records that failed")
    for purpose, outcome, _, n_in, n_out, cost, request in made:
        check(outcome in ("ok", "length", "server") and purpose in ("compress", "condense", "repair") and ":model-invocation-job/" in request, purpose, outcome)
        check(cost == (n_in * 250000 + n_out * 1250000) // 2, f"{n_in} in, {n_out} out: {cost} picodollars")
    check(n_failed or sum(r[3] for r in made) == sum(len(p) // 4 for p in plan.sent), "tokens of the rows are not those of the records")


def check_nothing_held(home):
    check(not any(r[5] for r in rows(home)), "money is set aside for nothing:", *rows(home))
    check(not plan.jobs and not objects() and not (home / "replies/pits/batch.json").exists(), "something is left:", *objects())


# --- cases ---

def the_same_as_on_demand():
    home = fresh("plain")
    text = compress(home, *BATCH)
    check_done(home)
    check(len(plan.jobs) >= 3 and len(plan.sent) >= 25, f"{len(plan.jobs)} jobs, {len(plan.sent)} records: too few to prove anything")
    check(any("repair" == r[0] and r[2] for r in rows(home)), "no repair went by a job")
    check(any("length" == r[1] and r[2] for r in rows(home)), "no reply of a job was cut")
    check("this run cost $" in text, text)
    usage = run(home, "usage", "-t", "pits", "--by", "purpose")
    check(f"{len(plan.sent)} by batch jobs, at the price of these" in usage and "repair" in usage, usage)
    say(f"{len(plan.jobs)} jobs, {len(plan.sent)} records, {len(plan.on_demand)} calls on demand, {len(plan.log)} requests")
    n = len(plan.log)
    check("nothing changed" in compress(home, *BATCH) and len(plan.log) == n, "a second run asked for something")
    return n


def killed_anywhere():
    """Before and behind requests of a whole run (TAKC_BATCH_EVERY=1: every one); then it is run to its end: no record sent, no job made twice."""
    home = fresh("count")
    compress(home, *BATCH)
    n, n_jobs, n_sent, every = len(plan.log), len(plan.jobs), len(plan.sent), int(os.environ.get("TAKC_BATCH_EVERY", "48"))
    points = [("kill_at", i) for i in range(0, n, every)] + [("kill_after", i) for i in range(every // 2, n, every)]
    for when, at in points:
        home = fresh("killed")
        setattr(plan, when, at)
        compress(home, *BATCH, status=None)
        check(run.code == -signal.SIGKILL, f"{when} {at}: ended with {run.code}")
        compress(home, *BATCH)
        try:
            check_done(home, lost_calls=4)
            check((len(plan.jobs), len(plan.sent)) == (n_jobs, n_sent), f"{len(plan.jobs)} jobs and {len(plan.sent)} records, not {n_jobs} and {n_sent}")
        except AssertionError as e:
            raise AssertionError(f"{when} {at} ({plan.log[at]}): {e}") from None
    say(f"killed {len(points)} times")


def records_that_fail():
    home = fresh("fail")
    plan.fail_records, plan.end = 2, "PartiallyCompleted"
    compress(home, *BATCH)
    check(artifacts(home) == wanted, "other artifacts than on demand")
    check(len(plan.sent) - len(set(plan.sent)) <= 2 * len(plan.jobs), "what did not fail was sent again")
    check_rows(home, n_failed=2 * len(plan.jobs))


def records_that_get_lost():
    home = fresh("lose")
    plan.lose_records = 1
    compress(home, *BATCH)
    check(artifacts(home) == wanted, "other artifacts than on demand")


def a_job_that_fails():
    home = fresh("failed")
    plan.end = "Failed"
    text = compress(home, *BATCH, status=13)
    check("failed: the role cannot be assumed; 0 of its" in text and "the same command" in text, text)
    check(not any(r[5] for r in rows(home)), "a job that failed costs something")
    text = compress(home, *BATCH, status=13)
    check(len(plan.jobs) == 2, f"{len(plan.jobs)} jobs: the failed one was not followed by another")
    plan.end = "Completed"
    compress(home, *BATCH)
    check_done(home)


def a_job_that_is_stopped():
    home = fresh("stopped")
    plan.end = "Stopped"
    plan.lose_records = 5
    text = compress(home, *BATCH, status=13)
    n = len(plan.sent)
    check(f"stopped; {n - 5} of its {n} records came back, and are kept" in text, text)
    plan.end, plan.lose_records = "Completed", 0
    compress(home, *BATCH)
    check(artifacts(home) == wanted and len(plan.sent) == len(set(plan.sent)) + 5, "what was answered was sent again")


def a_job_that_we_stop():
    home = fresh("stop")
    check("no batch job is under way" in compress(home, *BATCH, "--stop-job", status=3), "what is not there is stopped")
    plan.looks = 10 ** 6
    compress(home, *BATCH, "--no-wait")
    text = compress(home, *BATCH, "--stop-job")
    check("is being stopped" in text and next(iter(plan.jobs.values()))["status"] == "Stopped", text)
    plan.looks = 2
    text = compress(home, *BATCH, status=13)
    check("stopped; 0 of its" in text and not any(r[5] for r in rows(home)), text)
    compress(home, *BATCH)
    check_done(home)


def a_job_that_nobody_knows_any_more():
    home = fresh("unknown")
    plan.looks = 10 ** 6
    compress(home, *BATCH, "--no-wait")
    plan.jobs.clear()
    text = compress(home, *BATCH, status=13)
    check("expired: the service does not know it any more" in text, text)
    plan.looks = 2
    compress(home, *BATCH)
    check_done(home)


def too_few():
    home = fresh("few")
    text = compress(home, *BATCH, TAKC_MODEL_BATCH_MIN_RECORDS="50000")
    check("0 replies by batch jobs; 43 on demand, too few" in text, text)
    check(artifacts(home) == wanted and not plan.sent and not plan.jobs and not objects(), "a job was made")


def s3_that_refuses():
    home = fresh("denied")
    access, secret = env["NOBODY"].split()
    text = compress(home, *BATCH, status=15, AWS_ACCESS_KEY_ID=access, AWS_SECRET_ACCESS_KEY=secret)
    check(FOLDER + "/pits/takc-" in text and "HTTP 403 AccessDenied" in text and "(request s3-req-1)" in text, text)
    check_nothing_held(home)
    text = compress(home, "--batch", "s3://takc-nowhere/x", "--batch-role", ROLE, status=3)
    check("HTTP 404 NoSuchBucket" in text, text)
    check_nothing_held(home)


def services_that_err():
    """Now and then: tried again. For long: the run ends, and the same command goes on."""
    home = fresh("err")
    plan.err = {"PUT": 1, "GET": 2, "DELETE": 1, "jobs": 2}
    compress(home, *BATCH)
    check_done(home)
    for what, said in (("PUT", "HTTP 503 SlowDown: Please reduce your request rate. (request s3-req-2)"), ("jobs", "InternalServerException: something is broken")):
        home = fresh("err")
        plan.err = {what: 4}
        text = compress(home, *BATCH, status=14 if what == "PUT" else 13)
        check(said in text and "the same command goes on with it" in text, text)
        compress(home, *BATCH)
        check_done(home)


def too_dear():
    home = fresh("dear")
    text = compress(home, *BATCH, "--max-cost", "0.0001", status=16)
    check("this run's cap is $0.000100" in text and "raise --max-cost" in text, text)
    check_nothing_held(home)
    text = compress(home, *BATCH, status=16, TAKC_COST_MONTHLY_CAP_USD="0.0001")
    check("has a cap of $0.000100 a month" in text, text)
    check_nothing_held(home)


def without_waiting():
    home = fresh("no-wait")
    plan.looks = 3
    text = compress(home, *BATCH, "--no-wait", "--json")
    said = json.loads(text)
    check(said["waits"] and said["job"] in plan.jobs and said["records"] >= 5 and said["most_usd"] > 0, text)
    state = json.loads((home / "replies/pits/batch.json").read_text())
    check([j["arn"] for j in state["jobs"]] == [said["job"]] and MARK not in json.dumps(state).encode(), state)
    check([r[1] for r in rows(home)] == ["lost"], "the ledger does not hold the job's money")
    text = compress(home, *BATCH, "--no-wait")
    check(said["job"] in text and len(plan.jobs) == 1, text)
    compress(home, *BATCH)
    check_done(home)


def interrupted():
    home = fresh("interrupt")
    plan.looks = 10 ** 6
    p = subprocess.Popen([takc, "compress", "-t", "pits", "--model", "bedrock:" + MODEL, *BATCH], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         env={**env, "TAKC_HOME": str(home)})
    for _ in range(3000):
        if plan.jobs and next(iter(plan.jobs.values()))["looks"]:
            break
        time.sleep(0.02)
    p.send_signal(signal.SIGINT)
    text = p.communicate(timeout=60)[1].decode()
    check(p.returncode == 130 and "goes on, and the same command goes on with it" in text, p.returncode, text)
    plan.looks = 2
    compress(home, *BATCH)
    check_done(home)


def documents_that_change():
    """While a job is under way: what it answers about documents that stayed is used, the rest is asked."""
    more = work / "more"
    write_documents(more, first=5, n_documents=6)
    home = fresh("changed-on-demand")
    run(home, "ingest", "-q", "-t", "pits", str(more))
    compress(home)
    others = artifacts(home)
    home = fresh("changed")
    plan.looks = 3
    compress(home, *BATCH, "--no-wait")
    run(home, "ingest", "-q", "-t", "pits", str(more))
    compress(home, *BATCH)
    check(artifacts(home) == others, "other artifacts than on demand")
    check(len(plan.sent) == len(set(plan.sent)), "a record was sent twice")
    check_rows(home)


def documents_that_are_forgotten():
    home = fresh("forgotten")
    plan.looks = 3
    compress(home, *BATCH, "--no-wait")
    run(home, "forget", "-t", "pits", "pit-3.md")
    compress(home, *BATCH)
    check(not objects(), "left in S3:", *objects())
    for p in home.rglob("*"):
        check(not p.is_file() or b"works of pit 3 " not in p.read_bytes(), f"{p} says what was forgotten")


def what_is_no_batch():
    home = fresh("none")
    text = run(home, "compress", "-t", "pits", "--model", "fake:obedient", *BATCH, status=12)
    check("provider fake has no batch jobs" in text, text)
    check("go through no guardrail" in compress(home, *BATCH, status=12, TAKC_MODEL_GUARDRAIL="abc"), "a guardrail is said nothing of")
    check("--batch-role (model.batch_role)" in compress(home, "--batch", FOLDER, status=2), "a missing role is said nothing of")
    check("s3://BUCKET/FOLDER is expected" in compress(home, "--batch", "takc-batch", "--batch-role", ROLE, status=2), "no URI")
    check("batch jobs need a model" in run(home, "compress", "-t", "pits", *BATCH, status=2), "no model")
    check("--no-wait is of batch jobs" in compress(home, "--no-wait", status=2), "no batch")
    costs = [json.loads(run(home, "plan", "-t", "pits", "--model", "bedrock:" + MODEL, "--json", *more))["cost_usd"] for more in ((), ("--batch",))]
    check(abs(costs[0] - 2 * costs[1]) < 1e-9 and costs[1] > 0, "the plan is not at half price:", costs)
    check("no batch jobs" in run(home, "plan", "-t", "pits", "--model", "fake:obedient", "--batch", status=12), "a plan for a provider without")


def whatever_fails():
    """The n-th allocation, read, write, sync or rename of a run fails; then it is run to its end."""
    n_failed = 0
    for kind in ("alloc", "read", "write", "fsync", "rename"):
        n = 1
        while True:
            home = fresh("fault")
            compress(home, *BATCH, status=None, TAKC_FAULT=f"{kind}:{n}")
            check(run.code in (0, 7, 8, 9), f"{kind}:{n}: ended with {run.code}")
            failed = run.code != 0
            n_failed += failed
            compress(home, *BATCH)
            try:
                check_done(home, lost_calls=4)
            except AssertionError as e:
                raise AssertionError(f"{kind}:{n}: {e}") from None
            if not failed and n > 40:
                break
            n = n * 4 + 3 if kind == "alloc" else n * 2 + 1
    check(n_failed > 8, f"only {n_failed} runs failed")
    say(f"{n_failed} runs failed")


CASES = [the_same_as_on_demand, what_is_no_batch, too_few, records_that_fail, records_that_get_lost, a_job_that_fails, a_job_that_is_stopped, a_job_that_we_stop, a_job_that_nobody_knows_any_more, s3_that_refuses,
         services_that_err, too_dear, without_waiting, interrupted, documents_that_change, documents_that_are_forgotten, whatever_fails, killed_anywhere]


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
