# SPDX-License-Identifier: Apache-2.0
"""/openapi.json against the server that gives it: contract.py BIN [NODE_MODULES]. BIN holds openapi-spec-validator and schemathesis.

Schemathesis sends what fits and what does not, by a seed, and holds every reply against the description: no 5xx, no status, header, type or
body that is not described. TAKC_CONTRACT_EXAMPLES is how many cases each operation gets besides those of its limits,
TAKC_CONTRACT_SEED chooses them."""
import json
import os
import subprocess
import sys
import tempfile

import live
from live import check


def run(*args):
    done = subprocess.run(args, capture_output=True, text=True, timeout=300, env=dict(os.environ, NO_COLOR="1", REDOCLY_TELEMETRY="off"))
    check(done.returncode == 0, "%s:\n%s" % (os.path.basename(args[0]), (done.stdout + done.stderr)[-16000:]))
    return done.stdout + done.stderr


def main(bin_dir, modules=None):
    examples, seed = (os.environ.pop("TAKC_CONTRACT_" + x, y) for x, y in (("EXAMPLES", "4"), ("SEED", "1")))  # takc knows neither
    settings = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schemathesis.toml")
    # names that generators come upon: many cases reach a task that is there
    with live.home("fin", "0") as home, live.Server(home, env={}) as server, tempfile.TemporaryDirectory() as work:
        status, _, description = server.ask("GET", "/openapi.json")
        check(status == 200 and description["openapi"].startswith("3.1"), "/openapi.json: %d" % status)
        path = os.path.join(work, "openapi.json")
        with open(path, "w") as f:
            json.dump(description, f)
        run(os.path.join(bin_dir, "openapi-spec-validator"), path)
        if modules:
            said = run(os.path.join(modules, "node_modules/.bin/redocly"), "lint", path)
            check("warning" not in said.replace("Deprecation warning", ""), "redocly: " + said)
        said = run(os.path.join(bin_dir, "schemathesis"), "--config-file", settings, "run", path, "--url", server.url, "--max-examples", examples,
                   "--seed", seed, "--suppress-health-check", "all", "--workers", "1")  # hypothesis and threads do not go together in every Python
        lines = [x.strip() for x in said.splitlines() if "Tested:" in x or "generated" in x]
        check(server.ask("GET", "/readyz")[0] == 200, "the server is not ready afterwards")
    print("; ".join(lines))


main(*sys.argv[1:])
