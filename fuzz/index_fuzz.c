/* SPDX-License-Identifier: Apache-2.0
 *
 * An index of damaged bytes: open it and ask. The input changes bytes of a sound index (pairs of place and value), and the header's
 * checksum is made right again, so that the damage gets past the door. Nothing may be read outside the bytes. */
#include "rank/fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fixture fixture;
static struct takc_buf sound;

static enum takc_status text_of(void *arg, uint32_t doc, struct takc_str *out, struct takc_err *err)
{
    (void)arg;
    (void)err;
    *out = fixture.texts[doc < fixture.n ? doc : 0];
    return TAKC_OK;
}

static void ask(const struct takc_index *x, const char *question)
{
    struct takc_select_options o = {.budget_tokens = 60, .tokenizer = &fixture_tokenizer, .text = text_of};
    struct takc_arena arena;
    struct takc_choice choice;
    struct takc_str glob = takc_str("*.txt");
    takc_arena_init(&arena);
    (void)!takc_select(x, takc_str(question), &o, NULL, &arena, &choice, NULL);
    o.filter = (struct takc_filter){.globs = &glob, .n_globs = 1};
    (void)!takc_select(x, takc_str(question), &o, NULL, &arena, &choice, NULL);
    (void)takc_prompt_kind_of(x, takc_str(question));
    takc_arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!sound.len) {
        fixture_init(&fixture, fixture_harbour, 2);
        takc_index_close(fixture_index(&fixture, &sound));
    }
    char *bytes = malloc(sound.len); /* of the exact size, so that a read behind it is seen */
    struct takc_index *x;
    if (!bytes)
        return 0;
    memcpy(bytes, sound.ptr, sound.len);
    for (size_t i = 0; i + 3 <= size && i < 96; i += 3)
        bytes[(data[i] | (size_t)data[i + 1] << 8) % sound.len] = (char)data[i + 2];
    uint64_t sum = takc_hash64(takc_str_n(bytes, TAKC_HEAD_SUM), 0);
    for (int i = 0; i < 8; i++)
        bytes[TAKC_HEAD_SUM + i] = (char)(sum >> (8 * i));
    if (takc_index_open(&x, takc_str_n(bytes, sound.len), NULL) == TAKC_OK) {
        struct takc_index_unit u;
        uint32_t first;
        for (uint32_t i = 0; i < takc_index_n_units(x) && i < 100; i++)
            (void)!takc_index_unit_at(x, i, &u, NULL);
        (void)!takc_index_order_at(x, 0, &first, NULL);
        ask(x, "how many ships carried grain to the harbour in 2021?");
        ask(x, "traffic lamp bulb report zzz");
        takc_index_close(x);
    }
    free(bytes);
    return 0;
}
