/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of an artifact, what its parser refuses, facts of sets, and corpora at the edges. */
#include "../../tests/property/random_corpus.h"
#include "compress/artifact.h"
#include "compress/steps.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void add_document(struct random_corpus *r, size_t at, const char *title, const char *const *lines)
{
    struct random_doc *x = &r->items[at];
    assert_int_equal(takc_doc_set_title(&x->doc, takc_str(title), TAKC_TITLE_METADATA, NULL), TAKC_OK);
    for (size_t i = 0; lines[i]; i++) {
        bool row = strchr(lines[i], '|') != NULL;
        unsigned flags = row && i > 0 && strchr(lines[i - 1], '|') == NULL ? TAKC_BLOCK_HEADER : 0;
        random_block(&x->doc, row ? TAKC_BLOCK_ROW : TAKC_BLOCK_PARA, flags, row, lines[i]);
    }
    assert_int_equal(takc_units_build(&x->units, &x->doc, takc_str(title), takc_tokenizer_find(takc_str("estimate")), NULL, NULL), TAKC_OK);
}

static void write_artifact(const struct random_corpus *r, takc_rate rate, struct takc_buf *out)
{
    struct takc_extractive_options o = takc_extractive_options_default();
    struct takc_selection s;
    struct takc_set_size size;
    uint8_t *bits = NULL;
    struct takc_artifact_meta meta = {.task = takc_str("q\"uote"), .fingerprint = takc_str("print"), .rate = rate};
    takc_buf_init(out, TAKC_BUF_MAX_DOCUMENT);
    assert_int_equal(takc_extractive_select(&r->c, &o, NULL, &s, NULL), TAKC_OK);
    assert_int_equal(takc_selection_set(&s, &r->c, &o, rate, &bits, &size, NULL), TAKC_OK);
    assert_int_equal(takc_artifact_write(&r->c, &s, bits, &size, &o, &meta, NULL, out, NULL), TAKC_OK);
    takc_free(bits);
    takc_selection_clear(&s);
}

static void two_documents(struct random_corpus *r)
{
    static const char *const one[] = {"The pump failed in winter.", "Prices of steel", "Year | Price", "2019 | 12", "2020 | 14", NULL};
    static const char *const two[] = {"The pump failed in winter.", "Nobody \\ asked.", NULL};
    random_begin(r, 1, 2);
    add_document(r, 0, "Ledger", one);
    add_document(r, 1, "0001.txt", two);
    random_end(r);
    r->docs[1].title_is_name = true;
}

static void bytes_are_these(void **state)
{
    (void)state;
    struct random_corpus r;
    struct takc_buf json;
    two_documents(&r);
    write_artifact(&r, 1000, &json);
    const char *text = json.ptr;
    assert_ptr_equal(strstr(text, "{\"format\":\"takc-artifact-1\",\n\"task\":\"q\\\"uote\",\"rate\":\"1x\",\"rate_milli\":1000,"), text);
    assert_non_null(strstr(text, "\"compressor\":\"extractive/" TAKC_EXTRACTIVE_VERSION "\",\"tokenizer\":\"estimate/"));
    assert_non_null(strstr(text, "\"title\":\"Ledger\",\"title_from\":\"metadata\"}"));
    assert_non_null(strstr(text, "{\"name\":\"d/0001.txt\""));
    /* the pump's line stands for both documents, cleaned of its article; spans point to the whole sentence */
    assert_non_null(strstr(text, "{\"role\":\"body\",\"text\":\"pump failed in winter.\",\"spans\":[[0,0,26],[1,0,26]]}]}"));
    assert_non_null(
        strstr(text, "{\"role\":\"anchor\",\"text\":\"[Year; Price]\",\"spans\":[[0,43,55]]},{\"role\":\"body\",\"text\":\"2019; 12\""));
    assert_non_null(strstr(text, "{\"role\":\"body\",\"text\":\"Nobody \\\\ asked.\",\"spans\":[[1,27,42]]}]}"));
    assert_string_equal(text + json.len - 5, "]}]}\n");
    takc_buf_clear(&json);
    random_clear(&r);
}

static void text_is_that_of_a_reader(void **state)
{
    (void)state;
    struct random_corpus r;
    struct takc_buf json, text;
    struct takc_artifact a;
    two_documents(&r);
    write_artifact(&r, 1000, &json);
    takc_buf_init(&text, TAKC_BUF_MAX_DOCUMENT);
    assert_int_equal(takc_artifact_parse(&a, takc_buf_str(&json), NULL), TAKC_OK);
    assert_int_equal(a.n_documents, 2);
    assert_true(takc_str_is(a.task, "q\"uote"));
    assert_true(takc_str_is(a.documents[1].title_from, "name"));
    assert_int_equal(takc_artifact_text(&a, &text, NULL), TAKC_OK);
    assert_non_null(strstr(text.ptr, "Ledger\n"));
    assert_non_null(strstr(text.ptr, "[Year; Price]\n2019; 12\n2020; 14\n"));
    takc_artifact_clear(&a);
    takc_artifact_clear(&a);
    takc_buf_clear(&json);
    takc_buf_clear(&text);
    random_clear(&r);
}

/* The artifact with the first from replaced by to must be refused. */
static void refused(const struct takc_buf *json, const char *from, const char *to, const char *why)
{
    struct takc_buf b;
    struct takc_artifact a;
    struct takc_err err = {0};
    const char *at = strstr(json->ptr, from);
    assert_non_null(at);
    takc_buf_init(&b, TAKC_BUF_MAX_DOCUMENT);
    assert_int_equal(takc_buf_add(&b, takc_str_n(json->ptr, (size_t)(at - json->ptr)), NULL), TAKC_OK);
    assert_int_equal(takc_buf_add(&b, takc_str(to), NULL), TAKC_OK);
    assert_int_equal(takc_buf_add(&b, takc_str(at + strlen(from)), NULL), TAKC_OK);
    assert_int_equal(takc_artifact_parse(&a, takc_buf_str(&b), &err), TAKC_CORRUPT);
    if (!strstr(err.msg, why))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
    takc_artifact_clear(&a);
    takc_buf_clear(&b);
}

static void damage_is_refused_with_its_place(void **state)
{
    (void)state;
    struct random_corpus r;
    struct takc_buf json;
    struct takc_artifact a;
    two_documents(&r);
    write_artifact(&r, 1000, &json);
    refused(&json, "takc-artifact-1", "takc-artifact-2", "byte 10: \"takc-artifact-1\" was expected");
    refused(&json, "\"rate\":\"1x\"", "\"rate\":\"2x\"", "the rate's name");
    refused(&json, "\"shortfall\":", "\"shortfall\":x", "false was expected");
    refused(&json, "[1,0,26]", "[2,0,26]", "a span of no document");
    refused(&json, "[1,0,26]", "[1,26,26]", "a span of no document, or an empty one");
    refused(&json, "[1,0,26]", "[1,0,4294967296]", "too large");
    refused(&json, "[1,0,26]", "[1,00,26]", "a whole number");
    refused(&json, "[1,0,26]", "[1,-1,26]", "a whole number");
    refused(&json, "\"role\":\"anchor\"", "\"role\":\"body\"", "] was expected");
    refused(&json, "Nobody \\\\", "Nobody \\x", "an unknown escape");
    refused(&json, "Nobody \\\\", "Nobody \\ud800", "half a surrogate pair");
    refused(&json, "Nobody \\\\", "Nobody \\udc00", "half a surrogate pair");
    refused(&json, "Nobody \\\\", "Nobody \\n", "a line break");
    refused(&json, "Nobody \\\\", "Nobody \x01", "a control character");
    refused(&json, "Nobody \\\\", "Nobody \xff", "not UTF-8");
    refused(&json, "\"title_from\":\"metadata\"", "\"title_from\":\"hearsay\"", "title_from");
    refused(&json, "]}\n", "]}\n,", "stands behind");
    for (size_t n = 0; n + 1 < json.len; n++) { /* cut anywhere */
        assert_int_equal(takc_artifact_parse(&a, takc_str_n(json.ptr, n), NULL), TAKC_CORRUPT);
        takc_artifact_clear(&a);
    }
    takc_buf_clear(&json);
    random_clear(&r);
}

static void facts_are_counted_once(void **state)
{
    (void)state;
    static const char *const lines[] = {"It cost 31 dollars.", "It cost 31 dollars again.", "It cost 32 dollars and not 31.", NULL};
    struct random_corpus r;
    struct takc_selection s;
    struct takc_extractive_options o = takc_extractive_options_default();
    struct takc_fact_counts all, some;
    uint8_t bits[1] = {0};
    random_begin(&r, 1, 1);
    add_document(&r, 0, "Costs", lines);
    random_end(&r);
    assert_int_equal(takc_extractive_select(&r.c, &o, NULL, &s, NULL), TAKC_OK);
    assert_int_equal(takc_facts_of_set(&r.c, &s, NULL, takc_str("the cost in dollars, the weight"), &all, NULL), TAKC_OK);
    assert_int_equal(all.n[TAKC_FACT_NUMBER], 2);
    assert_int_equal(all.n[TAKC_FACT_WORD], 2);
    takc_bit_set(bits, 1);
    assert_int_equal(takc_facts_of_set(&r.c, &s, bits, takc_str("again"), &some, NULL), TAKC_OK);
    assert_int_equal(some.n[TAKC_FACT_NUMBER], 1);
    assert_int_equal(some.n[TAKC_FACT_NEGATION], 0);
    takc_selection_clear(&s);
    random_clear(&r);
}

/* One unit, a giant one, nothing that fits: the budget holds and a shortfall is said. */
static void edges_hold(void **state)
{
    (void)state;
    struct random_corpus r;
    struct takc_selection s;
    struct takc_set_size size;
    struct takc_extractive_options o = takc_extractive_options_default();
    uint8_t *bits = NULL;
    static const char *const one[] = {"The pump failed in winter.", NULL};
    static const char *const none[] = {NULL};
    random_begin(&r, 1, 2);
    add_document(&r, 0, "Pump", one);
    add_document(&r, 1, "Empty", none);
    random_end(&r);
    assert_int_equal(takc_extractive_select(&r.c, &o, NULL, &s, NULL), TAKC_OK);
    assert_int_equal(s.n_order, 1);
    assert_int_equal(takc_selection_set(&s, &r.c, &o, TAKC_RATE_LIGHT, &bits, &size, NULL), TAKC_OK);
    assert_int_equal(size.n_units, 0);
    assert_int_equal(size.bytes, 0);
    assert_true(size.shortfall);
    takc_free(bits);
    assert_int_equal(takc_selection_set(&s, &r.c, &o, 1000, &bits, &size, NULL), TAKC_OK);
    assert_int_equal(size.n_units, 1);
    takc_free(bits);
    assert_int_equal(takc_selection_set(&s, &r.c, &o, 999, &bits, &size, NULL), TAKC_INVALID);
    /* a selection that came without costs reads them from the corpus; one of another corpus is refused */
    takc_costs_free(s.costs);
    s.costs = NULL;
    assert_int_equal(takc_selection_set(&s, &r.c, &o, 1000, &bits, &size, NULL), TAKC_OK);
    assert_int_equal(size.n_units, 1);
    takc_free(bits);
    s.first_unit[1] = 2;
    assert_int_equal(takc_selection_set(&s, &r.c, &o, 1000, &bits, &size, NULL), TAKC_INVALID);
    takc_selection_clear(&s);
    takc_selection_clear(&s);
    random_clear(&r);
}

static void cancelling_stops(void **state)
{
    (void)state;
    struct random_corpus r;
    struct takc_selection s;
    struct takc_call call;
    struct takc_extractive_options o = takc_extractive_options_default();
    takc_call_init(&call);
    atomic_store(&call.cancel, true);
    random_text_corpus(&r, 3, 4, 10, o.tokenizer);
    assert_int_equal(takc_extractive_select(&r.c, &o, &call, &s, NULL), TAKC_CANCELLED);
    takc_selection_clear(&s);
    assert_int_equal(r.n_loaded, 0);
    random_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_these),
        cmocka_unit_test(text_is_that_of_a_reader),
        cmocka_unit_test(damage_is_refused_with_its_place),
        cmocka_unit_test(facts_are_counted_once),
        cmocka_unit_test(edges_hold),
        cmocka_unit_test(cancelling_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
