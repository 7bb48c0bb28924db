/* SPDX-License-Identifier: Apache-2.0
 *
 * prompt.c - what kind of prompt it is, how complex, and which rate that suggests. Words and their plain forms (review, reviews, reviewed,
 * reviewing) are compared whole, never as substrings: "Summarize" is no "sum".
 *
 * A prompt is task-wide when it names no fact: all its content words are verbs of a task ("review"), nouns for the material as such
 * ("contracts", "key points"), or, where something is to be done ("explain the leases"), words that more than a quarter of the documents
 * hold. There words that no document holds name nothing ("prepare a memorandum"), but as the topic ("tell me about photosynthesis"); in a
 * plain question, and among words without a verb, they are what is asked for. One fact
 * word more is let through where the prompt asks for everything ("list all risks of the supplier"), none that is a name or a number.
 * Checklists and descriptions of a role are task-wide, whatever they name. Questions for one typed thing (who, when, how many) are specific
 * in any case. Complexity follows the guide's sample, with its words as words: complex ones first, then short questions as simple. */
#include "base/alloc.h"
#include "base/intern.h"
#include "rank/query.h"

/* Asks for the material as a whole. */
static const char *const broad_words[] = {"summarize", "summarise", "summary",   "summaries", "overview", "recap",      "outline",
                                          "synopsis",  "digest",    "gist",      "tldr",      "tl",       "dr",         "takeaway",
                                          "condense",  "abstract",  "highlight", "compress",  "briefing", "walkthrough"};
/* The same in other languages. As these words may mean something else in English (a résumé), only where no document holds them. */
static const char foreign_broad_words[] =
    "zusammenfassung|zusammenfassen|überblick|übersicht|résumé|résumer|synthèse|aperçu|resumen|resumir|síntesis|resumo|síntese|sintesi|"
    "riassunto|riassumere|riepilogo|samenvatting|samenvatten|overzicht|sammanfattning|sammendrag|streszczenie|podsumowanie|özet|резюме|"
    "обзор|"
    "摘要|总结|概要|概述|要約|요약";
/* Work to be done on it. */
static const char *const work_words[] = {
    "review",    "analyze",  "analyse", "analysis",   "assess", "evaluate", "extract",  "identify", "list",     "compile",  "audit",
    "examine",   "inspect",  "monitor", "flag",       "find",   "track",    "prepare",  "write",    "draft",    "read",     "collect",
    "gather",    "describe", "report",  "answer",     "help",   "check",    "compare",  "discuss",  "explain",  "look",     "go",
    "give",      "show",     "tell",    "provide",    "make",   "create",   "generate", "produce",  "present",  "need",     "want",
    "like",      "please",   "know",    "understand", "use",    "keep",     "cover",    "include",  "focus",    "consider", "support",
    "act",       "perform",  "get",     "let",        "see",    "explore",  "study",    "brief",    "classify", "organize", "organise",
    "translate", "rewrite",  "contain", "say",        "talk",   "concern",  "turn",     "convert"};
/* Everything of it. */
static const char *const scope_words[] = {"whole",    "entire", "all",  "every",    "everything", "each",      "overall",
                                          "complete", "across", "full", "anything", "these",      "throughout"};
/* Nouns for the material as such, and adjectives that single nothing out. */
static const char *const generic_words[] = {
    "document", "documentation", "doc",         "contract",   "agreement",   "file",        "text",         "content",    "material",
    "paper",    "article",       "filing",      "transcript", "meeting",     "call",        "conversation", "chat",       "record",
    "data",     "dataset",       "corpus",      "knowledge",  "base",        "information", "info",         "detail",     "point",
    "key",      "main",          "important",   "major",      "significant", "notable",     "top",          "critical",   "essential",
    "overall",  "general",       "whole",       "entire",     "full",        "complete",    "everything",   "anything",   "issue",
    "risk",     "topic",         "theme",       "finding",    "conclusion",  "insight",     "trend",        "aspect",     "section",
    "chapter",  "page",          "item",        "thing",      "clause",      "term",        "obligation",   "question",   "checklist",
    "task",     "year",          "quarter",     "month",      "week",        "idea",        "fact",         "figure",     "number",
    "result",   "event",         "development", "change",     "problem",     "concern",     "part",         "collection", "set",
    "folder",   "source",        "passage",     "manual",     "guide",       "book",        "message",      "note",       "discussion",
    "subject",  "matter",        "context",     "background", "story",       "bullet",      "sentence",     "paragraph",  "word",
    "short",    "long",          "brief",       "concise",    "detailed",    "executive",   "high",         "level",      "quick",
    "big",      "picture",       "good",        "best",       "relevant",    "interesting", "common",       "following",  "provided",
    "attached", "above",         "below",       "user",       "assistant",   "expert",      "analyst",      "role",       "different",
    "various",  "several",       "new",         "list",       "reader",      "client",      "people",       "pros",       "cons",
    "strength", "weakness",      "party",       "metric",     "driver"};
static const char *const complex_words[] = {
    "analyze", "analyse",     "analysis",  "compare",   "comparison", "contrast",   "explain", "why",     "how",         "relationship",
    "trend",   "summarize",   "summarise", "summary",   "overview",   "evaluate",   "assess",  "discuss", "implication", "difference",
    "review",  "explanation", "relate",    "interpret", "synthesize", "synthesise", "recap",   "outline"};
static const char *const simple_words[] = {"what", "when", "who", "where", "which", "whom", "whose", "total", "sum", "revenue", "profit"};
static const char *const asking_words[] = {"what", "which", "how", "why",  "is",  "are",   "was",  "were",  "does",
                                           "do",   "did",   "has", "have", "can", "could", "will", "would", "name"};
static const char *const telling_words[] = {"me", "us", "more", "know", "talk", "learn"}; /* before "about" */
static const char *const measure_words[] = {"many", "much", "often", "long", "old", "big", "large", "far", "high", "tall", "fast"};

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* Is the word this one, or a plain form of it: root and one of the endings? */
static bool is_form(struct takc_str word, const char *base)
{
    static const char *const endings[] = {"", "e", "s", "es", "ed", "d", "ing"}, *const y_endings[] = {"y",    "ies", "ied",
                                                                                                       "ying", "ys",  "yed"};
    struct takc_str root = takc_str(base);
    if (takc_str_eq(word, root))
        return true;
    char last = root.ptr[root.len - 1];
    if (last == 'e' || last == 'y')
        root.len--;
    if (root.len < 3 || !takc_str_starts(word, root))
        return false;
    struct takc_str ending = takc_str_slice(word, root.len, word.len);
    for (size_t i = 0; last == 'y' && i < N(y_endings); i++)
        if (takc_str_is(ending, y_endings[i]))
            return true;
    for (size_t i = 0; last != 'y' && i < N(endings); i++)
        if (takc_str_is(ending, endings[i]) && (i > 1 || last == 'e'))
            return true;
    return false;
}

static bool is_any(struct takc_str word, const char *const *list, size_t n)
{
    for (size_t i = 0; word.len && i < n; i++)
        if (word.ptr[0] == list[i][0] && is_form(word, list[i])) /* the first letter stays in every form */
            return true;
    return false;
}
#define IS(word, list) is_any(word, list, N(list))

static bool is_exactly_any(struct takc_str word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (takc_str_is(word, list[i]))
            return true;
    return false;
}
#define IS_EXACTLY(word, list) is_exactly_any(word, list, N(list))

/* Do more than a quarter of the documents hold a term, in title, heading or text? */
static bool in_many_docs(const struct takc_index *x, const struct takc_term_entry *e)
{
    size_t pos = 0;
    uint32_t n = e->n_docs, id = UINT32_MAX, tf, enough = x->n[TAKC_PART_DOCS] / 4 + 1;
    for (uint32_t i = 0; i < e->n_docs; i++)
        if (!takc_posting_next(e->postings, &pos, x->n[TAKC_PART_DOCS], &id, &tf))
            return n >= enough;
    id = UINT32_MAX;
    for (uint32_t i = 0; i < e->n_sections; i++)
        if (!takc_posting_next(e->postings, &pos, x->n[TAKC_PART_SECTIONS], &id, &tf))
            return n >= enough;
    id = UINT32_MAX;
    for (uint32_t i = 0, end = 0; i < e->n_units && n < enough; i++) {
        struct takc_range units;
        if (!takc_posting_next(e->postings, &pos, x->n[TAKC_PART_UNITS], &id, &tf))
            break;
        if (id < end)
            continue;
        if (takc_index_doc_units(x, takc_index_doc_of(x, id), &units, NULL))
            break;
        end = units.to;
        n++;
    }
    return n >= enough;
}

static bool is_foreign_broad(struct takc_str word)
{
    struct takc_str rest = takc_str(foreign_broad_words), one;
    while (takc_str_split(&rest, '|', &one))
        if (takc_str_eq(word, one))
            return true;
    return false;
}

enum { DOCS_FOR_SHARES = 8 /* in fewer documents a share says nothing */ };

enum weight { WEIGHT_UNSET, ABSENT, COMMON, TELLING };

/* Words of a prompt that were weighed: one that is said a thousand times is looked up once. */
struct weights {
    const struct takc_index *x; /* NULL: all tell documents apart */
    struct takc_intern stems;
    uint8_t *of; /* enum weight of each stem */
    size_t cap;
};

static enum weight weigh_stem(const struct takc_index *x, struct takc_str stem)
{
    struct takc_term_entry e;
    if (takc_dict_find(x, stem, &e, NULL))
        return TELLING;
    if (e.df == 0)
        return ABSENT;
    return x->n[TAKC_PART_DOCS] < DOCS_FOR_SHARES || !in_many_docs(x, &e) ? TELLING : COMMON;
}

/* Does a word tell documents apart? Without an index, and for names and numbers, it does; one that no document holds does not. */
static enum weight weigh(struct weights *w, struct takc_str norm, bool name)
{
    struct takc_str stem = takc_word_stem(norm);
    size_t n = w->stems.n;
    uint32_t i;
    if (!w->x || name)
        return TELLING;
    if (takc_grow(&w->of, &w->cap, n + 1, sizeof(*w->of), NULL) || takc_intern_add(&w->stems, stem, &i, NULL))
        return weigh_stem(w->x, stem); /* no memory to remember it */
    if (i == n)
        w->of[i] = (uint8_t)weigh_stem(w->x, stem);
    return (enum weight)w->of[i];
}

bool takc_word_asks(struct takc_str norm)
{
    return IS(norm, broad_words) || IS(norm, work_words) || IS(norm, scope_words);
}

bool takc_word_names_material(struct takc_str norm)
{
    return IS(norm, generic_words);
}

/* "sum up" asks for a summary, "sum" for a number. */
static bool sums_up(struct takc_str last, struct takc_str norm)
{
    return takc_str_is(norm, "up") && is_form(last, "sum");
}

/* What was seen on one walk over a prompt. */
struct prompt {
    size_t n_words, n_marks, n_lines, n_broad, n_work, n_scope;
    size_t n_content; /* content words that are no words of a task, of the material or of scope */
    size_t n_facts;   /* those of them that tell documents apart, or that are the topic */
    bool named, typed, role;
    bool topic; /* behind "tell me about" */
    bool asks;  /* begins as a question does */
};

/* Facts beyond which nothing depends on more of them: one more than read_prompt may take back. */
enum { FACTS_ENOUGH = 3 };

static void see_word(struct weights *weights, const struct takc_word *w, struct takc_str text, struct prompt *p, struct takc_str last)
{
    bool capital = w->start < text.len && text.ptr[w->start] >= 'A' && text.ptr[w->start] <= 'Z';
    p->n_words++;
    p->asks |= p->n_words == 1 && IS_EXACTLY(w->norm, asking_words);
    bool measured = takc_str_is(last, "how") && IS(w->norm, measure_words);
    p->typed |= p->n_words <= 3 && (takc_str_is(w->norm, "who") || takc_str_is(w->norm, "when") || takc_str_is(w->norm, "where"));
    p->typed |= measured;
    p->role |= (p->n_words == 2 &&
                ((takc_str_is(last, "you") && takc_str_is(w->norm, "are")) || (takc_str_is(last, "act") && takc_str_is(w->norm, "as")) ||
                 (takc_str_is(last, "your") && IS(w->norm, generic_words))));
    bool broad = IS(w->norm, broad_words), work = IS(w->norm, work_words), scope = IS(w->norm, scope_words);
    p->n_broad += broad;
    p->n_work += work;
    p->n_scope += scope;
    p->topic |= takc_str_is(w->norm, "about") && IS_EXACTLY(last, telling_words);
    if (w->article || broad || work || scope || measured || takc_word_is_stop(w->norm))
        return;
    bool name = (capital && p->n_words > 1) || w->number;
    if (IS(w->norm, generic_words))
        return;
    enum weight weight = p->n_facts < FACTS_ENOUGH ? weigh(weights, w->norm, name) : TELLING;
    if (weight == ABSENT && is_foreign_broad(w->norm)) {
        p->n_broad++;
        return;
    }
    p->n_content++;
    p->n_facts += weight == TELLING || (weight == ABSENT && p->topic);
    p->topic = false;
    p->named |= weight == TELLING && name;
}

/* Question marks, and lines that begin as items of a list. */
static void see_layout(struct takc_str text, struct prompt *p)
{
    struct takc_str rest = text, line;
    for (size_t i = 0; i < text.len; i++)
        p->n_marks += text.ptr[i] == '?';
    while (takc_str_split(&rest, '\n', &line)) {
        line = takc_str_trim(line);
        p->n_lines += line.len > 2 && (line.ptr[0] == '-' || line.ptr[0] == '*' || (line.ptr[0] >= '0' && line.ptr[0] <= '9'));
    }
}

static void read_prompt(const struct takc_index *x, struct takc_str text, struct prompt *p)
{
    struct takc_words words;
    struct takc_word w;
    struct weights weights = {.x = x};
    char last[16] = "";
    *p = (struct prompt){0};
    see_layout(text, p);
    struct prompt before = *p; /* the last word */
    takc_words_init(&words, text);
    while (takc_words_next(&words, &w)) {
        if (sums_up(takc_str(last), w.norm)) {
            *p = before;
            p->n_words++;
            p->n_broad++;
        }
        before = *p;
        see_word(&weights, &w, text, p, takc_str(last));
        size_t n = w.norm.len < sizeof(last) ? w.norm.len : 0;
        memcpy(last, w.norm.ptr, n);
        last[n] = '\0';
    }
    takc_words_clear(&words);
    takc_intern_clear(&weights.stems);
    takc_free(weights.of);
}

enum { CHECKLIST_ITEMS = 4 };

enum takc_prompt_kind takc_prompt_kind_of(const struct takc_index *x, struct takc_str question)
{
    struct prompt p;
    read_prompt(x, question, &p);
    if (p.n_words == 0)
        return TAKC_PROMPT_UNSET;
    if (p.n_marks >= CHECKLIST_ITEMS || p.n_lines >= CHECKLIST_ITEMS || p.role)
        return TAKC_PROMPT_TASK_WIDE;
    if (p.typed)
        return TAKC_PROMPT_SPECIFIC;
    bool asks_for_all = (p.n_broad || p.n_work) && p.n_scope;
    /* A plain question is taken at its word, common as its words may be in these documents; so are words without a verb ("insurance"). */
    size_t n_facts = p.n_broad || p.n_scope || (p.n_work && !p.asks) ? p.n_facts : p.n_content;
    if (n_facts == 0 || (n_facts == 1 && !p.named && asks_for_all))
        return TAKC_PROMPT_TASK_WIDE;
    return TAKC_PROMPT_SPECIFIC;
}

enum { SIMPLE_WORDS_MAX = 9 /* the guide's sample: under 10 words */ };

enum takc_complexity takc_complexity_of(struct takc_str question)
{
    struct takc_words words;
    struct takc_word w;
    size_t n = 0;
    bool complex = false, simple = false, how = false, sum = false;
    takc_words_init(&words, question);
    while (takc_words_next(&words, &w)) {
        complex |= sum && takc_str_is(w.norm, "up");
        sum = is_form(w.norm, "sum");
        bool measured = how && IS(w.norm, measure_words);
        complex |= (how && !measured);
        how = takc_str_is(w.norm, "how");
        complex |= !how && IS(w.norm, complex_words);
        simple |= measured || IS(w.norm, simple_words);
        n++;
    }
    takc_words_clear(&words);
    if (complex || how)
        return TAKC_COMPLEX;
    return simple && n <= SIMPLE_WORDS_MAX ? TAKC_SIMPLE : TAKC_MODERATE;
}

/* The guide's table of document sizes, read for each complexity: the recommended rate nearest to what the complexity asks for. Under 10K
 * tokens nothing finer than 32x is worth its place; from 50K to 100K the table recommends 64x and 8x, so complex prompts get 8x; above,
 * 16x again, since 8x of such a size fills a prompt. */
takc_rate takc_rate_prior(enum takc_complexity c, uint64_t source_tokens, bool cost_sensitive)
{
    static const struct {
        uint64_t below;
        takc_rate simple, moderate, complex;
    } sizes[] = {{10000, TAKC_RATE_ULTRA, TAKC_RATE_HIGH, TAKC_RATE_HIGH},
                 {50000, TAKC_RATE_ULTRA, TAKC_RATE_HIGH, TAKC_RATE_MEDIUM},
                 {100001, TAKC_RATE_ULTRA, TAKC_RATE_HIGH, TAKC_RATE_LIGHT},
                 {UINT64_MAX, TAKC_RATE_ULTRA, TAKC_RATE_HIGH, TAKC_RATE_MEDIUM}};
    size_t i = 0;
    if (cost_sensitive)
        return TAKC_RATE_ULTRA;
    while (i + 1 < N(sizes) && source_tokens >= sizes[i].below)
        i++;
    return c == TAKC_SIMPLE ? sizes[i].simple : c == TAKC_COMPLEX ? sizes[i].complex : sizes[i].moderate;
}
