// SPDX-License-Identifier: Apache-2.0
// Wrote frames.bin and frames.txt, with the codec of AWS's own JavaScript clients:
//   npm install @smithy/eventstream-codec@4.5.2 && node make.mjs
// frames.txt shows what they hold: "name type value-in-hex" per header, then "= payload-in-hex".
import { writeFileSync } from "node:fs";
import { EventStreamCodec } from "@smithy/eventstream-codec";

const u8 = (s) => new TextEncoder().encode(s);
const codec = new EventStreamCodec((b) => new TextDecoder().decode(b), u8);
const S = (value) => ({ type: "string", value });
const event = (type, body) => ({
  headers: { ":event-type": S(type), ":content-type": S("application/json"), ":message-type": S("event") },
  body: u8(JSON.stringify(body)),
});
const uuid = "01234567-89ab-cdef-0123-456789abcdef";
const messages = [
  event("messageStart", { role: "assistant" }),
  event("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Zürich € 😀" } }),
  event("metadata", { usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 } }),
  {
    headers: { ":message-type": S("exception"), ":exception-type": S("throttlingException"), ":content-type": S("application/json") },
    body: u8('{"message":"slow down"}'),
  },
  { headers: {}, body: u8("") },
  {
    headers: {
      yes: { type: "boolean", value: true },
      no: { type: "boolean", value: false },
      byte: { type: "byte", value: -2 },
      short: { type: "short", value: -300 },
      int: { type: "integer", value: 123456789 },
      bytes: { type: "binary", value: new Uint8Array([0, 255, 7]) },
      empty: S(""),
      when: { type: "timestamp", value: new Date(1700000000123) },
      id: { type: "uuid", value: uuid },
    },
    body: new Uint8Array([0, 1, 2, 13, 10, 255]),
  },
];

const hex = (b) => Buffer.from(b).toString("hex");
function value(h) {
  const b = Buffer.alloc(8);
  switch (h.type) {
    case "boolean": return [h.value ? 0 : 1, ""];
    case "byte": b.writeInt8(h.value); return [2, hex(b.subarray(0, 1))];
    case "short": b.writeInt16BE(h.value); return [3, hex(b.subarray(0, 2))];
    case "integer": b.writeInt32BE(h.value); return [4, hex(b.subarray(0, 4))];
    case "binary": return [6, hex(h.value)];
    case "string": return [7, hex(u8(h.value))];
    case "timestamp": b.writeBigInt64BE(BigInt(h.value.getTime())); return [8, hex(b)];
    case "uuid": return [9, h.value.replaceAll("-", "")];
  }
}
let text = "";
for (const m of messages) {
  for (const [name, h] of Object.entries(m.headers)) text += `${name} ${value(h).join(" ")}\n`;
  text += `= ${hex(m.body)}\n`;
}
writeFileSync("frames.bin", Buffer.concat(messages.map((m) => codec.encode(m))));
writeFileSync("frames.txt", text);
