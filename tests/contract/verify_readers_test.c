/* SPDX-License-Identifier: Apache-2.0
 *
 * Verify against the real readers: what they make of a small document of each format holds at levels T and M, and one byte changed in the
 * source afterwards does not. */
#include "base/alloc.h"
#include "doc/reader.h"
#include "verify/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const struct sample {
    const char *reader, *name, *source;
    const char *text_field; /* NULL: the readers' own names */
} samples[] = {
    {"text", "a.txt", "Annual Report\n\nThe plant did not close in 2021.\r\nIt cost 1,234 dollars.\n", NULL},
    {"text", "latin.txt",
     "Die Werksschlie\xDFung kostete f\xFCnf Millionen.\nDas M\xFC"
     "nchner Werk bleibt ge\xF6"
     "ffnet.\n",
     NULL},
    {"markdown", "a.md", "# Annual Report\n\nThe *plant* did not close &amp; cost 1,234.\n\n| Year | Cost |\n|---|---|\n| 2020 | 5 |\n",
     NULL},
    {"csv", "a.csv", "Year,Cost,Note\n2020,\"1,234\",\"the \"\"old\"\" plant\"\n2021,5,closed\n", NULL},
    {"html", "a.html", "<html><head><title>A</title></head><body><h1>Report</h1><p>R&amp;D cost &euro;5 &#8211; not 6.</p></body></html>",
     NULL},
    {"json", "a.json", "{\"a\":{\"cost\":1.50,\"note\":\"five \\u20ac\"},\"b\":[true,\"x\"]}", NULL},
    {"jsonl", "a.jsonl#1", "{\"id\":\"1\",\"title\":\"Q3\",\"text\":\"Cost was 5.\\nIt did not fall.\\n\\nEnd \\ud83d\\ude00\"}", NULL},
    {"jsonl", "b.jsonl#1", "{\"id\":\"1\",\"passage\":\"Cost was 5.\\nIt did not fall.\"}", "passage"},
};

static int told;
static char last[512];

static void hear(void *arg, enum takc_level level, const char *subject, const char *finding)
{
    (void)arg;
    told++;
    (void)snprintf(last, sizeof(last), "level %d, %s: %s", (int)level, subject, finding);
}

static void verify(const struct sample *s, struct takc_str source, const struct takc_doc *d, struct takc_proof *proof)
{
    struct takc_err err = {0};
    told = 0;
    *proof = (struct takc_proof){0};
    assert_int_equal(takc_verify_text(NULL, source, d, takc_str(s->name), proof, hear, NULL, &err), TAKC_OK);
    assert_int_equal(takc_verify_map(NULL, source, d, takc_str(s->name), proof, hear, NULL, &err), TAKC_OK);
}

static void each_reader_is_proved(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        const struct sample *s = &samples[i];
        const struct takc_reader_ops *ops = takc_reader_find(takc_str(s->reader));
        struct takc_reader_input in = {.bytes = takc_str(s->source), .name = takc_str(s->name), .jsonl_text = s->text_field};
        struct takc_proof proof;
        struct takc_doc d;
        struct takc_err err = {0};
        if (!ops)
            continue; /* not linked in */
        takc_doc_init(&d);
        assert_int_equal(takc_reader_read(ops, NULL, &in, &d, &err), TAKC_OK);
        verify(s, in.bytes, &d, &proof);
        if (told)
            fail_msg("%s: %s", s->name, last);
        assert_true(proof.checked[TAKC_LEVEL_T] == 2 && proof.underivable[TAKC_LEVEL_T] == 0);
        assert_true(proof.checked[TAKC_LEVEL_M] > 0 && proof.underivable[TAKC_LEVEL_M] == 0);
        takc_doc_clear(&d);
    }
}

/* A digit of the source is another one: every reader's text and map show it. */
static void an_edited_source_is_found_at_both_levels(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        const struct sample *s = &samples[i];
        const struct takc_reader_ops *ops = takc_reader_find(takc_str(s->reader));
        struct takc_reader_input in = {.bytes = takc_str(s->source), .name = takc_str(s->name), .jsonl_text = s->text_field};
        char edited[512];
        struct takc_proof proof;
        struct takc_doc d;
        (void)snprintf(edited, sizeof(edited), "%s", s->source);
        char *five = strrchr(edited, '5');
        if (!ops || !five)
            continue;
        takc_doc_init(&d);
        assert_int_equal(takc_reader_read(ops, NULL, &in, &d, NULL), TAKC_OK);
        *five = '7';
        verify(s, takc_str(edited), &d, &proof);
        if (proof.failed[TAKC_LEVEL_T] != 1 || proof.failed[TAKC_LEVEL_M] != 1)
            fail_msg("%s: T %d M %d, %s", s->name, (int)proof.failed[TAKC_LEVEL_T], (int)proof.failed[TAKC_LEVEL_M], last);
        takc_doc_clear(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reader_is_proved),
        cmocka_unit_test(an_edited_source_is_found_at_both_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
