#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares bench_scorer_tokens with tokens() of DATADIR/score_spans.py, token by token, on every document, title and question of the folder.

    check_scorer_tokens.py DATADIR [PROGRAM]        PROGRAM: build/release/bench/bench_scorer_tokens
"""
import glob
import gzip
import json
import os
import subprocess
import sys


def texts(folder):
    for path in sorted(glob.glob(folder + "/*.jsonl.gz")):
        for line in gzip.open(path, "rt", encoding="utf-8"):
            row = json.loads(line)
            for doc in row.get("documents", []):
                yield path, doc["title"]
                yield path, doc["text"]
            if "question" in row:
                yield path, row["question"]


def main():
    folder = sys.argv[1]
    program = sys.argv[2] if len(sys.argv) > 2 else "build/release/bench/bench_scorer_tokens"
    sys.path.insert(0, folder)
    import score_spans
    total = wrong = n_texts = 0
    by_file = {}
    for path, text in texts(folder):
        by_file.setdefault(path, []).append(text)
    for path, parts in by_file.items():
        # One process a file: documents are joined by blank lines, which no token crosses.
        got = subprocess.run([program, "--tokens"], input="\n\n".join(parts).encode(), stdout=subprocess.PIPE, check=True)
        got = got.stdout.decode().split("\n")[:-1]
        want = [t for part in parts for t in score_spans.tokens(part)]
        n_texts += len(parts)
        total += len(want)
        bad = abs(len(got) - len(want)) + sum(a != b for a, b in zip(got, want))
        wrong += bad
        if bad:
            at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
            print(os.path.basename(path), bad, "differ; first at", at, got[at - 3:at + 4], want[at - 3:at + 4])
    print(n_texts, "texts", total, "tokens", wrong, "differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
