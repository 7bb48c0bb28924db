# SPDX-License-Identifier: Apache-2.0
"""Homes for faults.py: documents, the program run against a stand-in, and what it left: rows of the ledger, versions, artifacts."""
import glob
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess

TAKC = os.environ["TAKC"]
QUESTION = "Which site had the margin that rose by 61 percent in May 2021?"


def document(seed, n_lines):
    r = random.Random(seed)
    return "The margin of Oslo rose by 61 percent in May 2021, since the yard was repaired.\n" * (seed == 1) + "".join(
        f"{r.choice(['Revenue', 'Output', 'The cost', 'The margin'])} of {r.choice(['Oslo', 'Basel', 'Lyon', 'Quito'])} "
        f"{r.choice(['grew', 'fell', 'rose'])} by {r.randrange(100)} percent in {r.choice(['May', 'June', 'October'])} {r.randrange(2001, 2025)}, "
        f"since the {r.choice(['yard', 'pump', 'crane', 'dock'])} was {r.choice(['late', 'closed', 'repaired'])}.\n" for _ in range(n_lines))


class Run:
    """What one run of the program came to."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout.decode(), done.stderr.decode()

    @property
    def json(self):
        return json.loads(self.out)


class Home:
    def __init__(self, path, environment):
        self.path, self.environment = path, environment

    def copy(self, to):
        shutil.copytree(self.path, to)
        return Home(to, self.environment)

    def command(self, *args, **settings):
        # The floor and the ceiling of what a refusal teaches are set, so that no test waits for its turn.
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("TAKC_", "AWS_", "OPENAI_")) and not k.lower().endswith("_proxy")}
        own = {"HOME": self.path, "TAKC_HOME": self.path + "/home", "LC_ALL": "C", "TAKC_MODEL_RETRY_BASE_MS": "1", "TAKC_MODEL_PARALLEL": "1",
               "TAKC_MODEL_REQUESTS_PER_MINUTE": "1000000", "no_proxy": "127.0.0.1"}
        return [TAKC, *args], keep | own | self.environment | {"TAKC_" + k.upper(): str(v) for k, v in settings.items()}

    def run(self, *args, text="", **settings):
        command, environment = self.command(*args, **settings)
        return Run(subprocess.run(command, env=environment, input=text.encode(), capture_output=True, timeout=300))

    def start(self, *args, **settings):
        command, environment = self.command(*args, **settings)
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ingest(self, name, text):
        os.makedirs(self.path + "/docs", exist_ok=True)
        with open(f"{self.path}/docs/{name}", "w") as f:
            f.write(text)
        done = self.run("ingest", "-q", "-t", "fin", self.path + "/docs")
        assert done.code == 0, done.err

    def compress(self, model, *more, **settings):
        return self.run("compress", "--json", "-t", "fin", "--rates", "4,24", "--model", model, *more, **settings)

    def query(self, model, *more, **settings):
        return self.run("query", "-t", "fin", "--mode", "select", "--model", model, *more, QUESTION, **settings)

    def rows(self, after=0):
        """The ledger's rows behind id `after`, oldest first."""
        with sqlite3.connect(f"file:{self.path}/home/catalog.sqlite?mode=ro", uri=True) as db:
            db.row_factory = sqlite3.Row
            return [dict(r) for r in db.execute("SELECT * FROM usage WHERE id > ? ORDER BY id", (after,))]

    def artifacts(self):
        """Names and hashes of what is published or lies about to be."""
        found = glob.glob(self.path + "/home/artifacts/**/*.json", recursive=True)
        return {os.path.relpath(f, self.path + "/home"): hashlib.sha256(open(f, "rb").read()).hexdigest() for f in found}

    def versions(self):
        return [(v["version"], v["current"]) for v in self.run("cache", "list", "-t", "fin", "--json").json["versions"]]
