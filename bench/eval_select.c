/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_eval_select --corpus FILE --questions FILE [--scorer-tokens 250,500,...] [--no-artifact] [--abstain] [--prefix]
 *
 * Lines chosen for every question, budgets in scorer tokens: JSON lines {"qid","budget","context",...} for the data's scorer (--contexts).
 * --no-artifact: without the bonus for units of the 8x set. --abstain: each question twice, of the whole corpus and of the corpus without
 * the documents that it is about, with what the confidence was in both. --prefix: mode both, the artifact at the finest of 128 64 32 16 8
 * within half of the budget before the lines, which get the rest. Files may be gzip. A question reaches only the choosing. */
#include "compress/steps.h"
#include "eval_corpus.h"

struct options {
    const char *corpus, *questions, *budgets;
    bool artifact, abstain, prefix;
};

static void print_answer(const json_t *q, uint64_t budget, const char *of, const struct takc_choice *c)
{
    struct takc_buf out;
    struct takc_err err = {0};
    takc_buf_init(&out, TAKC_BUF_MAX_REPLY);
    json_t *v = json_pack("{s:O, s:I, s:s, s:o, s:I, s:I, s:f, s:f, s:I}", "qid", json_object_get(q, "qid"), "budget", (json_int_t)budget,
                          "of", of, "context", takc_json_str(c->context), "tokens", (json_int_t)c->tokens, "lines", (json_int_t)c->n_lines,
                          "confidence", c->confidence, "coverage", c->coverage, "missing", (json_int_t)c->n_missing);
    eval_check(v ? takc_json_dump(v, false, &out, &err) : TAKC_NOMEM, &err, "reply");
    (void)printf("%.*s\n", TAKC_STR_ARG(takc_buf_str(&out)));
    json_decref(v);
    takc_buf_clear(&out);
}

/* Texts of the ladder, fine to coarse, with their scorer tokens; none without --prefix. */
struct ladder {
    struct takc_buf texts[5];
    uint64_t tokens[5];
    size_t n;
};

static void make_ladder(struct eval_corpus *c, struct ladder *l)
{
    static const takc_rate rates[] = {8000, 16000, 32000, 64000, 128000};
    struct takc_extractive_options o = eval_select_options(c);
    struct takc_err err = {0};
    for (l->n = 0; l->n < 5; l->n++) {
        uint8_t *bits = NULL;
        struct takc_set_size size;
        struct takc_buf *text = &l->texts[l->n];
        takc_buf_init(text, TAKC_BUF_MAX_DOCUMENT);
        eval_check(takc_selection_set(&c->selection, &c->corpus, &o, rates[l->n], &bits, &size, &err), &err, "set");
        eval_check(takc_set_text(&c->corpus, &c->selection, bits, o.clean_level, NULL, text, &err), &err, "prefix");
        l->tokens[l->n] = takc_words_count(takc_buf_str(text));
        takc_free(bits);
    }
}

/* The prefix for a budget; its tokens are taken off. */
static struct takc_str prefix_of(const struct ladder *l, uint64_t *budget)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->tokens[i] <= *budget / 2) {
            *budget -= l->tokens[i];
            return takc_buf_str(&l->texts[i]);
        }
    return takc_str("");
}

/* Prefix and lines as one context. */
static void put_before(struct takc_str prefix, struct takc_choice *c, struct takc_buf *out)
{
    struct takc_err err = {0};
    takc_buf_init(out, TAKC_BUF_MAX_REPLY);
    eval_check(takc_buf_add(out, prefix, &err), &err, "context");
    if (prefix.len)
        eval_check(takc_buf_byte(out, '\n', &err), &err, "context");
    eval_check(takc_buf_add(out, c->context, &err), &err, "context");
    c->context = takc_buf_str(out);
    c->tokens = takc_words_count(c->context);
}

static void ask(const struct takc_index *x, const json_t *q, const char *budgets, const char *of, const struct ladder *ladder,
                takc_text_fn *text, void *text_arg)
{
    struct takc_err err = {0};
    struct takc_str rest = takc_str(budgets), piece;
    struct takc_select_options o = {.tokenizer = &eval_scorer, .text = text, .text_arg = text_arg};
    while (takc_str_split(&rest, ',', &piece)) {
        struct takc_arena arena;
        struct takc_choice choice;
        takc_arena_init(&arena);
        eval_check(takc_str_u64(piece, 1000000, &o.budget_tokens, &err), &err, "--scorer-tokens");
        uint64_t budget = o.budget_tokens;
        struct takc_str prefix = prefix_of(ladder, &o.budget_tokens);
        struct takc_buf context;
        eval_check(takc_select(x, takc_json_get_str(q, "question"), &o, NULL, &arena, &choice, &err), &err, "select");
        put_before(prefix, &choice, &context);
        print_answer(q, budget, of, &choice);
        takc_buf_clear(&context);
        takc_arena_clear(&arena);
    }
}

struct leave_out {
    const struct eval_corpus *corpus;
    const json_t *doc_ids;
};

static bool is_left_out(void *arg, size_t i)
{
    const struct leave_out *l = arg;
    for (size_t k = 0; k < json_array_size(l->doc_ids); k++)
        if (takc_str_is(l->corpus->docs[i].name, json_string_value(json_array_get(l->doc_ids, k))))
            return true;
    return false;
}

static void ask_without(const struct eval_corpus *c, const json_t *q, const char *budgets)
{
    struct leave_out l = {c, json_object_get(q, "doc_ids")};
    struct eval_part part;
    struct takc_buf bytes;
    const struct ladder none = {.n = 0};
    eval_part_init(&part, c, is_left_out, &l);
    if (part.selection.n_units) {
        struct takc_index *x = eval_index(&part.corpus, &part.selection, &bytes);
        ask(x, q, budgets, "rest", &none, eval_part_text, &part);
        takc_index_close(x);
        takc_buf_clear(&bytes);
    }
    eval_part_clear(&part);
}

static void ask_all(struct eval_corpus *c, const struct takc_index *x, const struct options *o, const struct ladder *ladder)
{
    size_t len;
    char *text = eval_slurp(o->questions, &len);
    struct takc_str rest = takc_str_n(text, len), line;
    struct takc_err err = {0};
    while (takc_str_split(&rest, '\n', &line)) {
        json_t *q = NULL;
        if (takc_str_trim(line).len == 0)
            continue;
        eval_check(takc_json_parse(line, &q, &err), &err, o->questions);
        ask(x, q, o->budgets, "all", ladder, eval_text, c);
        if (o->abstain)
            ask_without(c, q, o->budgets);
        json_decref(q);
    }
    free(text);
}

int main(int argc, char **argv)
{
    struct options o = {NULL, NULL, "250,500,1000,2000,4000", true, false, false};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--no-artifact") == 0)
            o.artifact = false;
        else if (strcmp(argv[i], "--abstain") == 0)
            o.abstain = true;
        else if (strcmp(argv[i], "--prefix") == 0)
            o.prefix = true;
        else if (i + 1 < argc && strcmp(argv[i], "--corpus") == 0)
            o.corpus = argv[++i];
        else if (i + 1 < argc && strcmp(argv[i], "--questions") == 0)
            o.questions = argv[++i];
        else if (i + 1 < argc && strcmp(argv[i], "--scorer-tokens") == 0)
            o.budgets = argv[++i];
        else
            o.corpus = NULL, i = argc;
    }
    if (!o.corpus || !o.questions) {
        (void)fprintf(
            stderr,
            "usage: bench_eval_select --corpus FILE --questions FILE [--scorer-tokens N,N] [--no-artifact] [--abstain] [--prefix]\n");
        return 2;
    }
    struct eval_corpus c = {0};
    struct takc_buf bytes;
    eval_add_corpus(&c, o.corpus);
    if (o.artifact)
        eval_select(&c);
    else
        eval_select_none(&c);
    struct takc_index *x = eval_index(&c.corpus, &c.selection, &bytes);
    (void)fprintf(stderr, "%s: %zu documents, %zu units, %llu bytes of text, index %zu bytes (%.2f)\n", o.corpus, c.n,
                  takc_index_n_units(x), (unsigned long long)c.text_bytes, bytes.len, (double)bytes.len / (double)c.text_bytes);
    struct ladder ladder = {.n = 0};
    if (o.prefix && o.artifact)
        make_ladder(&c, &ladder);
    ask_all(&c, x, &o, &ladder);
    for (size_t i = 0; i < ladder.n; i++)
        takc_buf_clear(&ladder.texts[i]);
    takc_index_close(x);
    takc_buf_clear(&bytes);
    eval_clear(&c);
    return 0;
}
