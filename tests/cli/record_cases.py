# SPDX-License-Identifier: Apache-2.0
#
# record_cases.py CASE... - runs the cases again and writes down what they print now, where exit code and stderr are as the case says: for
# changes that were meant (a tokenizer calibrated anew, a column more). What it changed is read in the diff before it is committed.
import os, re, shutil, subprocess, sys, tempfile

MASKS = [(r"[0-9]+ ms\)", "{MS} ms)"), (r'"(processing_time_ms|ms)": [0-9.]+', r'"\1": {MS}'),
         (r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", "{TIME}")]
TAKC = os.path.realpath(os.environ["TAKC"])


def sections(path):
    """[header line, body lines] of each section; the first has no header."""
    found = [["", []]]
    for line in open(path).read().splitlines():
        if line.startswith("== "):
            found.append([line, []])
        else:
            found[-1][1].append(line)
    return found


def run(command, stdin, folder):
    env = dict(os.environ, PATH=f"{folder}/../bin:{os.environ['PATH']}", HOME=folder, TAKC_HOME=folder + "/home", LC_ALL="C", TERM="dumb")
    for name in ["TAKC_TASK", "SSL_CERT_FILE", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "AWS_REGION", "AWS_DEFAULT_REGION",
                 "AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK", "AWS_ENDPOINT_URL"]:
        env.pop(name, None)
    p = subprocess.run(["sh", "-c", command], cwd=folder, env=env, input=stdin.encode(), capture_output=True)
    out = p.stdout.decode()
    for a, b in MASKS:
        out = re.sub(a, b, out)
    return out.replace(folder + "/home", "{HOME}").replace(folder, "{DIR}").splitlines()


def record(path):
    top = tempfile.mkdtemp()
    folder = os.path.join(top, "case")
    os.makedirs(folder)
    os.mkdir(os.path.join(top, "bin"))
    os.symlink(TAKC, os.path.join(top, "bin", "takc"))
    old, new, out = sections(path), [], []
    for i, (header, body) in enumerate(old):
        if header.startswith("== file "):
            target = os.path.join(folder, header[8:])
            os.makedirs(os.path.dirname(target), exist_ok=True)
            open(target, "w").write("".join(line + "\n" for line in body))
        if header == "== stdout":
            continue
        new.append([header, body])
        if header.startswith("== run "):
            rest = old[i + 1:]
            own = rest[:next((k for k, s in enumerate(rest) if s[0].startswith(("== run ", "== file "))), len(rest))]
            stdin = "".join(line + "\n" for h, b in own if h == "== stdin" for line in b)
            out = run(header[7:], stdin, folder)
        last_of_run = i + 1 == len(old) or old[i + 1][0].startswith(("== run ", "== file "))
        if out and (last_of_run or all(s[0] == "== stdout" for s in old[i + 1:i + 2])):
            new.append(["== stdout", out])
            out = []
    text = "".join((h + "\n" if h else "") + "".join(line + "\n" for line in b) for h, b in new)
    open(path, "w").write(text)
    shutil.rmtree(top)


for case in sys.argv[1:]:
    record(case)
