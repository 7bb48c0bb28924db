// SPDX-License-Identifier: Apache-2.0
//
// node bench/check_bpe.mjs --data DIR [--modules DIR] [--build build/release] [--csv FILE]
//
// The promise of token budgets: o200k(source) / o200k(artifact) is at least 0.97 of the asked rate, on every corpus of a folder laid out like
// the evaluation data and at every rate, although budgets are counted with the built-in estimate. Counts with npm's gpt-tokenizer, which
// --modules (a folder where `npm install gpt-tokenizer` was run) has. Source: each document as its reader gives it, title, newline, text.
// Ends with 1 when the promise is broken somewhere.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";

const args = { modules: ".", build: "build/release" };
for (let i = 2; i + 1 < process.argv.length; i += 2) args[process.argv[i].slice(2)] = process.argv[i + 1];
if (!args.data) {
  console.error("usage: node bench/check_bpe.mjs --data DIR [--modules DIR] [--build DIR] [--csv FILE]");
  process.exit(2);
}
const { countTokens } = createRequire(resolve(args.modules, "package.json"))("gpt-tokenizer/encoding/o200k_base");
const count = (text) => countTokens(text, { disallowedSpecial: new Set() });
const rates = [8, 16, 32, 64];
const folder = mkdtempSync(join(tmpdir(), "takc-bpe-"));
const rows = ["corpus,source_o200k,rate,artifact_o200k,factor_o200k,share_of_asked"];
let worst = Infinity;

console.log("corpus".padEnd(26) + "source".padStart(10) + rates.map((r) => `${r}x`.padStart(9)).join("") + "   share of the asked rate");
try {
  for (const file of readdirSync(args.data).filter((f) => f.endsWith(".corpus.jsonl.gz")).sort()) {
    const name = file.replace(".corpus.jsonl.gz", "");
    const path = join(args.data, file);
    const corpus = JSON.parse(gunzipSync(readFileSync(path)).toString("utf8"));
    const source = corpus.documents.reduce((n, d) => n + count(d.title ? `${d.title}\n${d.text}` : d.text), 0);
    execFileSync(join(args.build, "bench", "bench_artifact"), ["--budget", "tokens", "--out", join(folder, name), path], { stdio: "ignore" });
    const shares = rates.map((rate) => {
      const artifact = count(readFileSync(join(folder, `${name}.${rate}.txt`), "utf8"));
      const share = source / artifact / rate;
      rows.push([name, source, rate, artifact, (source / artifact).toFixed(3), share.toFixed(4)].join(","));
      worst = Math.min(worst, share);
      return share;
    });
    console.log(name.padEnd(26) + String(source).padStart(10) + shares.map((s) => (s.toFixed(3) + (s < 0.97 ? "!" : "")).padStart(9)).join(""));
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`least: ${worst.toFixed(4)}`);
if (args.csv) writeFileSync(args.csv, rows.join("\n") + "\n");
process.exit(worst >= 0.97 ? 0 : 1);
