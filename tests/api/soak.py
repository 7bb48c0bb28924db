# SPDX-License-Identifier: Apache-2.0
"""A server under a constant mixed load for TAKC_SOAK_S seconds (10): memory of its own (RssAnon), open descriptors and threads are sampled.
Of the time behind the warm-up, which is the first half, the beginning and the end are compared by their medians: nothing may have grown
by more than caches and allocators breathe. Afterwards, with nobody asking, the descriptors of clients are closed."""
import collections
import os
import statistics
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import live  # noqa: E402
import load  # noqa: E402
from live import check  # noqa: E402

SECONDS = float(os.environ.pop("TAKC_SOAK_S", "10"))  # takc knows no such variable
CLIENTS = 8
SAMPLES = 160  # over the whole time
MAY_GROW = {"kb": 8192, "fds": 8, "threads": 2}  # from the third quarter to the end, in medians
QUIET = {"TAKC_SERVE_AUTH": "key", "TAKC_SERVE_MODELS": "fake:*", "TAKC_SERVE_QUOTA_PER_S": "0", "TAKC_LOG_LEVEL": "error", "TAKC_SERVE_ACCESS_LOG": "false"}


def sample(pid):
    """What a process has now."""
    with open("/proc/%d/status" % pid) as f:
        lines = dict(line.split(":", 1) for line in f if ":" in line)
    return {"kb": int(lines["RssAnon"].split()[0]), "fds": len(os.listdir("/proc/%d/fd" % pid)), "threads": int(lines["Threads"])}


def median(samples, what):
    return statistics.median(s[what] for s in samples)


def watched(server, crew):
    """Samples until the time is over."""
    samples = []
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and all(c.is_alive() for c in crew):
        samples.append(sample(server.process.pid))
        time.sleep(SECONDS / SAMPLES)
    return samples


def judged(samples):
    """Says how things stood, and checks that nothing grew."""
    half = samples[len(samples) // 2:]
    before, after = half[:len(half) // 2], half[-max(1, len(half) // 4):]
    for what, may in MAY_GROW.items():
        said = "%s: %d at first, %d behind the warm-up, %d at the end, at most %d" % (
            what, samples[0][what], median(before, what), median(after, what), max(s[what] for s in samples))
        print(said)
        if what == "kb" and load.SANITIZED:  # a sanitizer keeps what was freed; it finds leaks itself
            continue
        check(median(after, what) - median(before, what) <= may, "it grows: " + said)


def idle_again(server, before):
    """Nobody is connected any more: descriptors come back to what they were, but for homes and caches that stay open."""
    end = time.monotonic() + 30
    while sample(server.process.pid)["fds"] > before["fds"] + 24 and time.monotonic() < end:
        time.sleep(0.1)
    now = sample(server.process.pid)
    print("idle again: %s" % now)
    check(now["fds"] <= before["fds"] + 24, "descriptors stay open: %s before, %s now" % (before, now))


def main():
    with load.home() as (home, keys), live.Server(home, env=QUIET) as server:
        go, counts = threading.Event(), collections.Counter()
        before = sample(server.process.pid)
        crew = load.clients(server, keys, CLIENTS, lambda: not go.is_set(), counts)
        samples = watched(server, crew)
        go.set()
        load.join(crew, 120)
        print("%d operations in %.0f s: %s" % (sum(counts.values()), SECONDS, dict(counts)))
        check(sum(counts.values()) > CLIENTS, "hardly anything was asked: %s" % counts)
        judged(samples)
        idle_again(server, before)
        check(not load.errors_of(server.said()), "errors: %s" % server.said()[:3000])


main()
