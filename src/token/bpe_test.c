/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/fault.h"
#include "token/bpe.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "token/bpe_fixture.h"

static const char *pieces(const char *pattern, const char *text)
{
    static char out[512];
    struct takc_split split;
    size_t n = 0, len = strlen(text);
    assert_true(takc_split_named(takc_str(pattern), &split));
    for (size_t at = 0, next; at < len; at = next) {
        next = takc_split_next(&split, takc_str(text), at);
        assert_true(next > at && next <= len);
        n += (size_t)snprintf(out + n, sizeof(out) - n, at ? "|%.*s" : "%.*s", (int)(next - at), text + at);
    }
    return out;
}

static void patterns_split_as_their_expressions(void **state)
{
    (void)state;
    assert_string_equal(pieces("r50k_base", "I'll don't 12345 x!?  y\n\n z "), "I|'ll| don|'t| 12345| x|!?| | y|\n\n| z| ");
    assert_string_equal(pieces("cl100k_base", "I'LL\tdon't 12345 x!?\n  y\n \n z  "), "I|'LL|\tdon|'t| |123|45| x|!?\n| | y|\n \n| z|  ");
    assert_string_equal(pieces("cl100k_base", "a\n  "), "a|\n  ");
    assert_string_equal(pieces("o200k_base", "a\n  "), "a|\n|  ");
    assert_string_equal(pieces("o200k_base", "HTTPServer parseJSON'S I'Ll 1234/\n/x"), "HTTPServer| parse|JSON'S| I'Ll| |123|4|/\n/|x");
    assert_string_equal(pieces("o200k_base", "it'\xC5\xBF"), "it'\xC5\xBF");
    /* capitals give back down to the last caseless letter; a combining mark in front is a word of its own */
    assert_string_equal(pieces("o200k_base", "A\xE6\xBC\xA2"
                                             "B!"),
                        "A\xE6\xBC\xA2|B|!");
    assert_string_equal(pieces("o200k_base", "\xCC\x81"
                                             "AB"),
                        "\xCC\x81|AB");
    assert_string_equal(pieces("o200k_base", "\xFF\xC3x"), "\xFF\xC3|x"); /* bytes that are no characters are marks */
}

/* "abcabd": ab and abc are tokens, bd is none; ranks decide, not length. */
static void lowest_ranks_merge_first(void **state)
{
    (void)state;
    const struct takc_tokenizer *t = fixture_ranks();
    uint32_t ids[16];
    assert_int_equal(takc_bpe_ids(t, takc_str("abcab"), ids, 16), 2);
    assert_int_equal(ids[0], 258); /* abc */
    assert_int_equal(ids[1], 256); /* ab */
    assert_int_equal(takc_bpe_ids(t, takc_str("xbc"), ids, 16), 2);
    assert_int_equal(ids[1], 257);
    assert_int_equal(takc_tokenizer_count(t, takc_str("abcab")), 2);
    assert_int_equal(takc_tokenizer_count(t, takc_str("")), 0);
    assert_int_equal(t->ops->flags & TAKC_TOKENIZER_LINES, 0);
    assert_non_null(strstr(t->version, "o200k_base"));
    takc_tokenizer_close(t);
}

/* What merging does, written plainly: the leftmost of the lowest ranks, again and again. */
static size_t plainly(const struct takc_tokenizer *t, struct takc_str piece)
{
    const struct takc_bpe *b = (const struct takc_bpe *)t;
    size_t ends[512], n = piece.len;
    for (size_t i = 0; i < n; i++)
        ends[i] = i + 1;
    for (;;) {
        uint32_t lowest = TAKC_BPE_NONE;
        size_t at = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            const struct takc_bpe_token *k = takc_bpe_vocab_find(&b->vocab, takc_str_slice(piece, i ? ends[i - 1] : 0, ends[i + 1]));
            if (k && k->id < lowest) {
                lowest = k->id;
                at = i;
            }
        }
        if (lowest == TAKC_BPE_NONE)
            return n;
        memmove(&ends[at], &ends[at + 1], (--n - at) * sizeof(ends[0]));
    }
}

/* Random runs of few letters, short and longer than what stands on the stack. */
static void merging_is_what_it_says(void **state)
{
    (void)state;
    const struct takc_tokenizer *t = fixture_ranks();
    uint64_t seed = 7;
    for (int round = 0; round < 2000; round++) {
        char text[400];
        size_t n = 1 + (size_t)round % 399;
        for (size_t i = 0; i < n; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            text[i] = (char)('a' + (seed >> 40) % 4);
        }
        const struct takc_bpe_token *whole = takc_bpe_vocab_find(&((const struct takc_bpe *)t)->vocab, takc_str_n(text, n));
        assert_int_equal(takc_bpe_ids(t, takc_str_n(text, n), NULL, 0), whole ? 1 : plainly(t, takc_str_n(text, n)));
    }
    takc_tokenizer_close(t);
}

static void remembered_words_count_the_same(void **state)
{
    (void)state;
    const struct takc_tokenizer *t = fixture_ranks();
    struct takc_buf b;
    takc_buf_init(&b, 1 << 20);
    for (int i = 0; i < 3000; i++)
        assert_int_equal(takc_buf_printf(&b, NULL, "%s%d xabcd\n", i % 3 ? "abcabq" : "qq", i * 7919 % 1013), TAKC_OK);
    assert_int_equal(takc_tokenizer_count(t, takc_buf_str(&b)), takc_bpe_ids(t, takc_buf_str(&b), NULL, 0));
    takc_buf_clear(&b);
    takc_tokenizer_close(t);
}

static void no_memory_counts_more_never_less(void **state)
{
    (void)state;
    const struct takc_tokenizer *t = fixture_ranks();
    char text[300];
    memset(text, 'a', sizeof(text));
    takc_fault_arm(TAKC_FAULT_ALLOC, 1, ENOMEM);
    assert_int_equal(takc_tokenizer_count(t, takc_str_n(text, sizeof(text))), 300);
    takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
    takc_tokenizer_close(t);
}

static enum takc_status ranks_of(const char *file, char *out_msg)
{
    const struct takc_tokenizer *t = NULL;
    struct takc_err err = {0};
    enum takc_status st = takc_bpe_open_ranks(takc_str(file), takc_str("o200k_base"), &t, &err);
    (void)snprintf(out_msg, 256, "%s", err.msg);
    takc_tokenizer_close(t);
    return st;
}

static void wrong_rank_files_are_named(void **state)
{
    (void)state;
    char msg[256];
    assert_int_equal(ranks_of("YQ== 0\nYQ 1\n", msg), TAKC_INVALID);
    assert_string_equal(msg, "line 2: not a token in base64, a blank and its rank");
    assert_int_equal(ranks_of("YQ== 0\n\nYQ== 1\n", msg), TAKC_INVALID);
    assert_string_equal(msg, "line 3: a token stands twice");
    assert_int_equal(ranks_of("YQ== 0\n", msg), TAKC_INVALID);
    assert_string_equal(msg, "byte 0x00 has no rank");
    assert_int_equal(ranks_of("YQ== 99999999999\n", msg), TAKC_INVALID);
    const struct takc_tokenizer *t = NULL;
    assert_int_equal(takc_bpe_open_ranks(takc_str("YQ== 0\n"), takc_str("mine"), &t, NULL), TAKC_UNSUPPORTED);
    assert_int_equal(takc_tokenizer_open(takc_str("bpe:/no/such/file"), &t, NULL), TAKC_NOT_FOUND);
    assert_int_equal(takc_tokenizer_open(takc_str("guess"), &t, NULL), TAKC_INVALID);
}

/* ---- tokenizer.json ---- */

#define BLANK "\xE2\x96\x81"
#define CHARS_MODEL                                                                                                                        \
    "\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"fuse_unk\":true,\"vocab\":{\"<unk>\":0,\"" BLANK "\":1,\"a\":2,\"b\":3,"        \
    "\"" BLANK "a\":4,\"ab\":5},\"merges\":[\"a b\",[\"" BLANK "\",\"a\"]]}"

static const struct takc_tokenizer *json_of(const char *json)
{
    const struct takc_tokenizer *t = NULL;
    struct takc_err err = {0};
    if (takc_bpe_open_json(takc_str(json), &t, &err))
        fail_msg("%s", err.msg);
    return t;
}

static void expect_ids(const struct takc_tokenizer *t, const char *text, const char *want)
{
    uint32_t ids[32];
    char got[256] = "";
    size_t n = takc_bpe_ids(t, takc_str(text), ids, 32);
    for (size_t i = 0, at = 0; i < n && i < 32; i++)
        at += (size_t)snprintf(got + at, sizeof(got) - at, i ? " %u" : "%u", ids[i]);
    assert_string_equal(got, want);
}

static void characters_with_unknown_ones(void **state)
{
    (void)state;
    const struct takc_tokenizer *t =
        json_of("{\"added_tokens\":[{\"id\":9,\"content\":\"</s>\",\"special\":true,\"normalized\":false}],"
                "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":"
                "\"" BLANK "\"},{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" BLANK "\"}]}," CHARS_MODEL "}");
    expect_ids(t, "ab a", "1 5 4");   /* a b has the lower rank */
    expect_ids(t, "axyb", "4 0 3");   /* unknown neighbours are one */
    expect_ids(t, "a</s>a", "4 9 4"); /* each part is normalised by itself */
    expect_ids(t, "</s", "1 0");
    takc_tokenizer_close(t);
}

static void whole_tokens_only_where_merges_reach_them(void **state)
{
    (void)state;
    const char *vocab =
        "\"vocab\":{\"<unk>\":0,\"a\":1,\"b\":2,\"c\":3,\"ab\":4,\"abc\":5,\"bc\":6},\"merges\":[\"b c\",\"a b\",\"ab c\"]}}";
    char json[512];
    (void)snprintf(json, sizeof(json), "{\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"ignore_merges\":false,%s", vocab);
    const struct takc_tokenizer *t = json_of(json);
    expect_ids(t, "abc", "1 6"); /* b c goes first, and a bc is no merge */
    takc_tokenizer_close(t);
    (void)snprintf(json, sizeof(json), "{\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"ignore_merges\":true,%s", vocab);
    t = json_of(json);
    expect_ids(t, "abc", "5");
    takc_tokenizer_close(t);
}

static void what_is_not_supported_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *head, *msg;
    } cases[] = {
        {"\"normalizer\":{\"type\":\"Lowercase\"},", "normalizer Lowercase is not supported"},
        {"\"pre_tokenizer\":{\"type\":\"Metaspace\"},", "pre_tokenizer Metaspace is not supported"},
        {"\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"x+\"},\"behavior\":\"Isolated\"},",
         "pre_tokenizer Split: this pattern is not supported"},
        {"\"truncation\":{\"max_length\":5},", "truncation is not supported"},
        {"\"added_tokens\":[{\"id\":1,\"content\":\"x\",\"lstrip\":true}],", "added_tokens[].lstrip is not supported"},
        {"\"pre_tokenizer\":{\"type\":\"ByteLevel\"},", "model.vocab with ByteLevel and not all bytes is not supported"},
    };
    char json[1024];
    const struct takc_tokenizer *t = NULL;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct takc_err err = {0};
        bool byte_level = strstr(cases[i].msg, "all bytes");
        (void)snprintf(json, sizeof(json), "{%s%s}", cases[i].head,
                       byte_level ? "\"model\":{\"vocab\":{\"a\":1},\"merges\":[]}" : CHARS_MODEL);
        assert_int_equal(takc_bpe_open_json(takc_str(json), &t, &err), TAKC_UNSUPPORTED);
        assert_string_equal(err.msg, cases[i].msg);
    }
    struct takc_err err = {0};
    assert_int_equal(takc_bpe_open_json(takc_str("{\"model\":{\"type\":\"Unigram\",\"vocab\":[]}}"), &t, &err), TAKC_UNSUPPORTED);
    assert_string_equal(err.msg, "model.type Unigram is not supported");
    assert_int_equal(takc_bpe_open_json(takc_str("{\"model\":{\"dropout\":0.1,\"vocab\":{},\"merges\":[]}}"), &t, &err), TAKC_UNSUPPORTED);
    assert_string_equal(err.msg, "model.dropout is not supported");
    assert_int_equal(takc_bpe_open_json(takc_str("{\"model\":{\"vocab\":{\"a\":1},\"merges\":[\"a a\"]}}"), &t, &err), TAKC_INVALID);
    assert_string_equal(err.msg, "model.merges[0]: not two tokens whose bytes together are one");
    assert_int_equal(takc_bpe_open_json(takc_str("{}"), &t, &err), TAKC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_split_as_their_expressions),
        cmocka_unit_test(lowest_ranks_merge_first),
        cmocka_unit_test(merging_is_what_it_says),
        cmocka_unit_test(remembered_words_count_the_same),
        cmocka_unit_test(no_memory_counts_more_never_less),
        cmocka_unit_test(wrong_rank_files_are_named),
        cmocka_unit_test(characters_with_unknown_ones),
        cmocka_unit_test(whole_tokens_only_where_merges_reach_them),
        cmocka_unit_test(what_is_not_supported_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
