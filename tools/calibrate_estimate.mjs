// SPDX-License-Identifier: Apache-2.0
// Makes src/token/estimate_rates.inc: what the pieces of a text cost in o200k tokens, on average, by kind of piece.
//
//   npm i gpt-tokenizer            (anywhere; NODE_PATH does not reach ES modules, so run this beside node_modules or link it)
//   node calibrate_estimate.mjs FOLDER > src/token/estimate_rates.inc
//   node calibrate_estimate.mjs --count FOLDER     prints "kind <tab> tokens <tab> line" for bench_estimate
//
// FOLDER holds one folder of UTF-8 text files per kind of text; every kind weighs the same, one whose name begins with "other_" a tenth
// (languages that share the Latin letters with English). Pieces are those of o200k's own splitting rule, so that a rate is a mean over
// real pieces; rates of capitalised words, words with accents and digits carry a margin, because what is chosen from a text holds rarer names than the
// text does, and a budget must not be exceeded there. Rates of scripts without files of their own come from names of languages and
// countries in that script (Intl.DisplayNames).
import fs from 'node:fs';
import path from 'node:path';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';

const PIECE = new RegExp([
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?:'[sStTmMdD]|'[rR][eE]|'[vV][eE]|'[lL][lL])?",
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?:'[sStTmMdD]|'[rR][eE]|'[vV][eE]|'[lL][lL])?",
  '\\p{N}{1,3}', ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*', '\\s*[\\r\\n]+', '\\s+(?!\\S)', '\\s+'].join('|'), 'gu');
const CAPITAL_MARGIN = 1.15, ACCENT_MARGIN = 1.25, DIGIT_MARGIN = 1.03;
const WORD_MAX = 24, PUNCT_MAX = 12;
const PREFIXES = ['none', 'space', 'other'], SHAPES = ['lower', 'capital', 'upper', 'mixed', 'accented'];
const SCRIPTS = ['Han', 'Hiragana', 'Katakana', 'Hangul', 'Cyrillic', 'Greek', 'Arabic', 'Hebrew', 'Thai', 'Devanagari'];
const SAMPLES = { Hangul: 'ko', Greek: 'el', Arabic: 'ar', Hebrew: 'he', Thai: 'th', Devanagari: 'hi' };
const cache = new Map();
const cost = s => { let n = cache.get(s); if (n === undefined) cache.set(s, n = encode(s).length); return n; };

function scriptOf(c) {
  const i = SCRIPTS.findIndex(s => new RegExp(`\\p{Script=${s}}`, 'u').test(c));
  return i < 0 ? SCRIPTS.length : i;
}
// Key of a piece: the same classes that estimate.c makes.
function key(p) {
  const m = /^([^\p{L}\p{N}]?)(\p{L}[\p{L}\p{M}]*)('.{1,2})?$/u.exec(p);
  if (m) {
    const letters = [...m[2]], prefix = m[1] === '' ? 0 : m[1] === ' ' ? 1 : 2;
    if (letters.some(c => c >= '\u0250')) return { t: 'script', letters, prefix };
    const upper = letters.filter(c => /\p{Lu}/u.test(c)).length;
    const shape = letters.some(c => c >= '\u0080') ? 4 : upper === 0 ? 0 : upper === letters.length && upper > 1 ? 2 : upper === 1 ? 1 : 3;
    const plain = shape < 2 ? m[2].toLowerCase() : null;
    return { t: 'word', plain, i: (prefix * SHAPES.length + shape) * WORD_MAX + Math.min(letters.length, WORD_MAX) - 1, suffix: !!m[3] };
  }
  const q = /^( ?)([^\s\p{L}\p{N}]+)([\r\n/]*)$/u.exec(p);
  if (q && /^[\x21-\x7e]+$/.test(q[2])) {
    const same = [...q[2]].every(c => c === q[2][0]);
    return { t: 'punct', i: ((q[1] ? 1 : 0) * 2 + (same ? 0 : 1)) * PUNCT_MAX + Math.min(q[2].length, PUNCT_MAX) - 1 };
  }
  return { t: 'rest' };
}
const files = d => fs.readdirSync(d, { withFileTypes: true }).flatMap(e => e.isDirectory() ? files(path.join(d, e.name)) : [path.join(d, e.name)]);
const kinds = d => fs.readdirSync(d).filter(k => fs.statSync(path.join(d, k)).isDirectory()).sort();

function tables(folder) {
  const n = { word: 3 * SHAPES.length * WORD_MAX, punct: 4 * PUNCT_MAX };
  const sum = { word: new Float64Array(n.word), punct: new Float64Array(n.punct) };
  const weight = { word: new Float64Array(n.word), punct: new Float64Array(n.punct) };
  let suffix = 0, suffixWeight = 0, other = 0, otherWeight = 0;
  const later = [], rows = [], types = new Map();
  for (const kind of kinds(folder)) {
    const text = files(path.join(folder, kind)).map(f => fs.readFileSync(f, 'utf8')).join('\n');
    const pieces = text.match(PIECE), w = (kind.startsWith('other_') ? .1 : 1) * 1e6 / text.length;
    for (const p of pieces) {
      const k = key(p), c = cost(p);
      if (k.t === 'script') rows.push([k.letters, k.prefix, c]);
      else if (k.t === 'rest') { if (!/^[\s\d]*$/.test(p)) { other += w * c; otherWeight += w * [...p].length; } }
      else if (k.suffix) later.push([k.i, c, w]);
      else if (k.t === 'word' && k.plain) {
        const t = types.get(p) ?? { i: k.i, pairs: pairs(k.plain), c, w: 0 };
        t.w += w;
        types.set(p, t);
      } else { sum[k.t][k.i] += w * c; weight[k.t][k.i] += w; }
    }
  }
  const odd = oddness([...types.values()], sum.word, weight.word);
  // Cells with little data lean on the cell of the length before.
  const rate = {};
  for (const t of ['word', 'punct']) {
    const max = t === 'word' ? WORD_MAX : PUNCT_MAX;
    rate[t] = Array.from(sum[t], (s, i) => 0);
    for (let i = 0; i < sum[t].length; i++) {
      const before = i % max ? rate[t][i - 1] + (t === 'word' ? .12 : .3) : 1;
      rate[t][i] = Math.max(t === 'word' ? .3 : 1, (sum[t][i] + 3 * before) / (weight[t][i] + 3));
    }
  }
  rate.word = rate.word.map((r, i) => r * (Math.floor(i / WORD_MAX) % SHAPES.length < 2 ? 1 :
    Math.floor(i / WORD_MAX) % SHAPES.length === 4 ? ACCENT_MARGIN : CAPITAL_MARGIN));
  for (const [i, c, w] of later) { suffix += w * (c - rate.word[i]); suffixWeight += w; }
  return { odd, rate, suffix: suffix / suffixWeight, other: other / otherWeight, scripts: scripts(rows) };
}
// Pairs of letters of a word, the first with its beginning: numbers below 27 * 26.
function pairs(word) {
  const out = [];
  for (let i = 0, before = 26; i < word.length; i++) {
    const c = word.charCodeAt(i) - 97;
    out.push(before * 26 + c);
    before = c;
  }
  return out;
}
// What each pair of letters adds to a word's cost, so that "Kiranipura" is told from "Computers": a cost is a sum over a cell (prefix,
// shape, length) and the word's pairs, at least 1. Pairs are fitted to kinds of words (weight to the power .6: rare ones matter), the cells
// to running text; fills sum and weight so that their quotient is the cell.
function oddness(types, sum, weight) {
  const pair = new Float64Array(27 * 26), cell = new Float64Array(sum.length);
  const guess = t => { let g = cell[t.i]; for (const p of t.pairs) g += pair[p]; return g; };
  const fitCells = (weigh, clamp) => {
    const up = new Float64Array(cell.length), down = new Float64Array(cell.length);
    for (const t of types) { const w = weigh(t); up[t.i] += w * (t.c - (clamp ? Math.max(1, guess(t)) : guess(t))); down[t.i] += w; }
    for (let i = 0; i < cell.length; i++) if (down[i] > 0) cell[i] += up[i] / (down[i] + 1);
  };
  const rare = t => t.w ** .6;
  for (let round = 0; round < 80; round++) {
    fitCells(rare, false);
    const up = new Float64Array(pair.length), down = new Float64Array(pair.length);
    for (const t of types) { const w = rare(t), r = w * (t.c - guess(t)) / t.pairs.length; for (const p of t.pairs) { up[p] += r; down[p] += w; } }
    for (let p = 0; p < pair.length; p++) pair[p] += up[p] * 1.5 / (down[p] + 20);
  }
  for (let round = 0; round < 30; round++) fitCells(t => t.w, true);
  for (const t of types) { sum[t.i] += t.w * cell[t.i]; weight[t.i] += t.w; }
  return [...pair];
}
// A piece in another script costs base + letters x rate of its first letter's script, least squares over pieces.
function scripts(rows) {
  for (const [script, lang] of Object.entries(SAMPLES))
    for (const type of ['language', 'region']) {
      const names = new Intl.DisplayNames([lang], { type });
      const codes = type === 'language' ? 'en fr de es it ru zh ja ko ar he hi th el tr pl nl sv pt uk cs'.split(' ')
        : 'US FR DE ES IT RU CN JP KR SA IL IN TH GR TR PL NL SE PT UA CZ BR MX EG NG'.split(' ');
      for (const p of (' ' + codes.map(c => names.of(c)).join(' ')).match(PIECE)) {
        const k = key(p);
        if (k.t === 'script' && scriptOf(k.letters[0]) === SCRIPTS.indexOf(script)) rows.push([k.letters, k.prefix, cost(p)]);
      }
    }
  const sums = Array.from({ length: SCRIPTS.length + 2 }, () => [0, 0, 0, 0, 0]);
  for (const [letters, prefix, c] of rows) {
    const phonetic = letters.some(c => c >= '\u0250' && c < '\u0300');
    const t = sums[phonetic ? SCRIPTS.length + 1 : scriptOf(letters[0])], n = letters.length;
    t[0]++; t[1] += n; t[2] += n * n; t[3] += c; t[4] += n * c;
  }
  return sums.flatMap(([k, n, nn, c, nc]) => {
    const slope = k && k * nn - n * n > 0 ? (k * nc - n * c) / (k * nn - n * n) : .4;
    const base = k ? (c - slope * n) / k : .6;
    return base < 0 ? [0, c / n] : [base, slope];
  });
}
const mt = x => Math.round(x * 1000);
function print(name, note, values, columns, type = 'uint16_t') {
  console.log(`/* ${note} */\nstatic const ${type} ${name}[] = {`);
  for (let i = 0; i < values.length; i += columns) console.log('    ' + values.slice(i, i + columns).map(mt).join(', ') + ',');
  console.log('};\n');
}
const counting = process.argv[2] === '--count', folder = process.argv[counting ? 3 : 2];
if (counting) {
  for (const kind of kinds(folder))
    for (const f of files(path.join(folder, kind)))
      for (const line of fs.readFileSync(f, 'utf8').split('\n'))
        if (!line.includes('\r')) console.log(`${kind}\t${encode(line + '\n').length}\t${line}`);
} else {
  const t = tables(folder);
  console.log('/* SPDX-License-Identifier: Apache-2.0\n *\n * Made by tools/calibrate_estimate.mjs: milli-tokens of o200k. */\n');
  print('word_mt', `[prefix: ${PREFIXES}][shape: ${SHAPES}][letters - 1, at most ${WORD_MAX}]`, t.rate.word, WORD_MAX);
  print('pair_mt', '[letter before, 26 at the beginning][letter]: what the pair adds to a small or capitalised word', t.odd, 26, 'int16_t');
  print('punct_mt', `[behind a blank][mixed][marks - 1, at most ${PUNCT_MAX}]`, t.rate.punct, PUNCT_MAX);
  print('script_mt', `[${SCRIPTS}, another script, phonetic][a piece; a letter of it]`, t.scripts, 2);
  console.log(`enum { CAPITAL_PERMILLE = ${mt(CAPITAL_MARGIN)}, DIGITS_MT = ${mt(DIGIT_MARGIN)}, SUFFIX_MT = ${mt(t.suffix)}, SYMBOL_MT = ${mt(t.other)} }; /* margin of capitalised words; up to three digits; "'s" and the like; a symbol outside ASCII */`);
}
