// SPDX-License-Identifier: Apache-2.0
// takc with OpenAI's Node client: openai_client.mjs NODE_MODULES BASE_URL
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const [modules, baseURL] = process.argv.slice(2);
const { OpenAI } = createRequire(modules + "/package.json")("openai");
const client = new OpenAI({ baseURL, apiKey: "k", maxRetries: 0 });
const messages = [{ role: "user", content: "What was the revenue of Q3?" }];

const ids = [];
for await (const m of client.models.list()) ids.push(m.id);
assert.ok(ids.includes("takc/fin"), `models: ${ids}`);
assert.equal((await client.models.retrieve("takc/fin")).id, "takc/fin");

const whole = await client.chat.completions.create({ model: "takc/fin", messages });
assert.match(whole.choices[0].message.content, /43 million CHF/);
assert.equal(whole.choices[0].finish_reason, "stop");

let text = "", usage = null;
for await (const c of await client.chat.completions.create({ model: "takc/written", messages, stream: true, stream_options: { include_usage: true } })) {
    text += c.choices[0]?.delta?.content ?? "";
    usage = c.usage ?? usage;
}
assert.match(text, /43 million CHF/);
assert.ok(usage.total_tokens > 0);

await assert.rejects(client.chat.completions.create({ model: "takc/none", messages }), (e) => e instanceof OpenAI.NotFoundError && e.code === "model_not_found");
await assert.rejects(client.chat.completions.create({ model: "takc/fin", messages: [] }), (e) => e instanceof OpenAI.BadRequestError && e.param === "messages");
await assert.rejects(client.chat.completions.create({ model: "takc/limited", messages }), OpenAI.RateLimitError);
await assert.rejects(client.chat.completions.create({ model: "takc/fin", messages, response_format: { type: "json_object" } }),
    (e) => e instanceof OpenAI.BadRequestError && e.param === "response_format.type");
