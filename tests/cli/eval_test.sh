#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# bench/eval on a folder of its own layout, with a stand-in for the folder's scorer: every mode, a corpus without questions, one that is not
# there.
set -eu
command -v python3 >/dev/null || { echo "skipped: python3 is not here" >&2; exit 77; }
[ -x "$TAKC_BUILD_DIR/bench/bench_eval_select" ] || { echo "skipped: bench/ is not built" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
python3 - "$work" <<'PY'
import gzip, json, sys
def put(name, rows):
    with gzip.open(f"{sys.argv[1]}/{name}.jsonl.gz", "wt") as f:
        f.writelines(json.dumps(r) + "\n" for r in rows)
docs = [{"doc_id": f"d{i}", "title": f"Plant {i}",
         "text": "\n".join(f"Valve {k} of plant {i} opens at {k * 7 % 31 + i} bar in hall {k * 3}." for k in range(80))} for i in range(3)]
for name in ("alpha", "beta"):
    put(name + ".corpus", [{"corpus_id": name, "task_type": "t", "task_description": "valves", "documents": docs}])
put("alpha.questions", [{"qid": f"q{i}", "question": f"At how many bar does valve {i} of plant 2 open?", "answers": [f"{i * 7 % 31 + 2} bar"]}
                        for i in range(1, 5)])
PY
cat >"$work/score_spans.py" <<'PY'
import gzip, json
def read_jsonl(path):
    with gzip.open(path, "rt") as f:
        return [json.loads(line) for line in f]
def corpus_text(path):
    return "\n\n".join(d["title"] + "\n" + d["text"] for d in read_jsonl(path)[0]["documents"])
def sizes(text):
    return len(text.split()), len(text.encode())
def tokens(text):
    return text.split()
def score(questions, compressed=None, contexts=None, original=None, lcs=True):
    seen = [contexts[q["qid"]] if contexts else compressed for q in questions]
    hits = sum(q["answers"][0] in text for q, text in zip(questions, seen)) / len(questions)
    words, size = (sum(n) / len(seen) for n in zip(*map(sizes, seen)))
    whole = sizes(original)
    return {"supported_answer_recall": hits, "evidence_kept": None, "compressed_words": words, "compressed_bytes": size,
            "factor_words": whole[0] / max(1, words), "factor_bytes": whole[1] / max(1, size)}, None
PY
eval="python3 $TAKC_SOURCE_DIR/bench/eval --build $TAKC_BUILD_DIR --data $work --csv $work/out.csv"
lines() { [ "$(wc -l <"$work/out.csv")" = "$1" ] || { echo "FAILED: $2: $(cat "$work/out.csv")" >&2; exit 1; }; }
for budget in tokens words+bytes; do
    $eval --budget $budget >"$work/said"
    lines 9 "two corpora at four rates by $budget"
done
grep -q '^beta,64x,.*,,,' "$work/out.csv" || { echo "FAILED: what is not known of beta is said: $(cat "$work/out.csv")" >&2; exit 1; }
$eval --mode select --scorer-tokens 60,300 >"$work/said" 2>&1
lines 3 "one corpus at two budgets"
grep -q 'beta.*no questions' "$work/said" || { echo "FAILED: beta is passed over silently" >&2; exit 1; }
$eval --mode both --scorer-tokens 400 --corpora alpha --questions 2 >"$work/said"
lines 2 "one corpus at one budget"
if $eval --corpora alpha,nope >"$work/said" 2>&1; then echo "FAILED: nope was found" >&2; exit 1; fi
grep -q nope "$work/said"
echo "all modes"
