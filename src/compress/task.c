/* SPDX-License-Identifier: Apache-2.0
 *
 * task.c - what a task description asks for: kinds of facts by whole words, and its content words. A star at the end of a listed word
 * stands for any ending, so "quantit*" meets quantity and quantities; nothing is met inside a word. */
#include "compress/steps.h"
#include "token/words.h"

static const struct {
    unsigned ask;
    const char *phrase;
} asks[] = {
    {TAKC_ASK_NUM, "amount*"},
    {TAKC_ASK_NUM, "figure*"},
    {TAKC_ASK_NUM, "number*"},
    {TAKC_ASK_NUM, "quantit*"},
    {TAKC_ASK_NUM, "price*"},
    {TAKC_ASK_NUM, "cost*"},
    {TAKC_ASK_NUM, "total*"},
    {TAKC_ASK_NUM, "revenue*"},
    {TAKC_ASK_NUM, "ratio*"},
    {TAKC_ASK_NUM, "margin*"},
    {TAKC_ASK_NUM, "percent*"},
    {TAKC_ASK_NUM, "how much"},
    {TAKC_ASK_NUM, "how many"},
    {TAKC_ASK_NUM, "how large"},
    {TAKC_ASK_NUM, "measure*"},
    {TAKC_ASK_NUM, "result*"},
    {TAKC_ASK_NUM, "metric*"},
    {TAKC_ASK_NUM, "statistic*"},
    {TAKC_ASK_DATE, "date"},
    {TAKC_ASK_DATE, "dates"},
    {TAKC_ASK_DATE, "dated"},
    {TAKC_ASK_DATE, "year*"},
    {TAKC_ASK_DATE, "when"},
    {TAKC_ASK_DATE, "period*"},
    {TAKC_ASK_DATE, "quarter*"},
    {TAKC_ASK_DATE, "deadline*"},
    {TAKC_ASK_DATE, "time"},
    {TAKC_ASK_DATE, "times"},
    {TAKC_ASK_DATE, "timeline*"},
    {TAKC_ASK_DATE, "schedule*"},
    {TAKC_ASK_NAME, "who"},
    {TAKC_ASK_NAME, "whom"},
    {TAKC_ASK_NAME, "party"},
    {TAKC_ASK_NAME, "parties"},
    {TAKC_ASK_NAME, "place*"},
    {TAKC_ASK_NAME, "cast"},
    {TAKC_ASK_NAME, "people"},
    {TAKC_ASK_NAME, "person*"},
    {TAKC_ASK_NAME, "name*"},
    {TAKC_ASK_NAME, "compan*"},
    {TAKC_ASK_NAME, "organisation*"},
    {TAKC_ASK_NAME, "organization*"},
    {TAKC_ASK_VERSION, "version*"},
    {TAKC_ASK_DEFAULT, "default*"},
    {TAKC_ASK_RIGHTS, "copyright*"},
    {TAKC_ASK_RIGHTS, "licen*"},
    {TAKC_ASK_RIGHTS, "owner*"},
    {TAKC_ASK_RIGHTS, "attribution*"},
    {TAKC_ASK_WHY, "why"},
    {TAKC_ASK_WHY, "reason*"},
    {TAKC_ASK_WHY, "driver*"},
    {TAKC_ASK_WHY, "cause*"},
    {TAKC_ASK_WHY, "explain*"},
    {TAKC_ASK_WHY, "explanation*"},
    {TAKC_ASK_DEFINITION, "called"},
    {TAKC_ASK_DEFINITION, "what it is"},
    {TAKC_ASK_DEFINITION, "what they are"},
    {TAKC_ASK_DEFINITION, "what something is"},
    {TAKC_ASK_DEFINITION, "what is"},
    {TAKC_ASK_DEFINITION, "what are"},
    {TAKC_ASK_DEFINITION, "defin*"},
    {TAKC_ASK_DEFINITION, "meaning*"},
    {TAKC_ASK_DEFINITION, "means"},
    {TAKC_ASK_DECISION, "decid*"},
    {TAKC_ASK_DECISION, "decision*"},
    {TAKC_ASK_DECISION, "agreed"},
    {TAKC_ASK_DECISION, "opinion*"},
    {TAKC_ASK_DECISION, "plan"},
    {TAKC_ASK_DECISION, "plans"},
    {TAKC_ASK_DECISION, "planned"},
    {TAKC_ASK_OBLIGATION, "clause*"},
    {TAKC_ASK_OBLIGATION, "right*"},
    {TAKC_ASK_OBLIGATION, "required"},
    {TAKC_ASK_OBLIGATION, "obligation*"},
    {TAKC_ASK_OBLIGATION, "term"},
    {TAKC_ASK_OBLIGATION, "terms"},
    {TAKC_ASK_OBLIGATION, "duty"},
    {TAKC_ASK_OBLIGATION, "duties"},
};

enum { RECENT = 3 }; /* words of the longest phrase */

static bool word_meets(struct takc_str listed, struct takc_str word)
{
    if (listed.len && listed.ptr[listed.len - 1] == '*')
        return takc_str_starts(word, takc_str_slice(listed, 0, listed.len - 1));
    return takc_str_eq(listed, word);
}

/* Do the last words, newest last, end with this phrase? */
static bool phrase_meets(const char *phrase, const struct takc_str *recent, size_t n)
{
    struct takc_str pieces[RECENT], rest = takc_str(phrase);
    size_t n_pieces = 0;
    while (n_pieces < RECENT && takc_str_split(&rest, ' ', &pieces[n_pieces]))
        n_pieces++;
    if (n_pieces > n)
        return false;
    for (size_t i = 0; i < n_pieces; i++)
        if (!word_meets(pieces[i], recent[n - n_pieces + i]))
            return false;
    return true;
}

/* The last words of a description, copied, since a word lives until the next one only. */
struct recent {
    char bytes[RECENT][TAKC_WORD_MAX + 8];
    struct takc_str words[RECENT];
    size_t n;
};

static void recent_push(struct recent *r, struct takc_str word)
{
    if (r->n == RECENT) {
        for (size_t i = 0; i + 1 < RECENT; i++) {
            memcpy(r->bytes[i], r->bytes[i + 1], sizeof(r->bytes[i]));
            r->words[i].len = r->words[i + 1].len;
        }
        r->n--;
    }
    size_t len = word.len < sizeof(r->bytes[0]) ? word.len : sizeof(r->bytes[0]);
    memcpy(r->bytes[r->n], word.ptr, len);
    r->words[r->n] = takc_str_n(r->bytes[r->n], len);
    r->n++;
}

enum takc_status takc_asked_read(struct takc_asked *a, struct takc_str description, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    struct takc_words words;
    struct takc_word w;
    struct recent recent = {.n = 0};
    uint32_t number;
    a->asks = 0;
    takc_intern_init(&a->words);
    takc_words_init(&words, description);
    while (!st && takc_words_next(&words, &w)) {
        recent_push(&recent, w.norm);
        for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
            if (phrase_meets(asks[i].phrase, recent.words, recent.n))
                a->asks |= asks[i].ask;
        if (!w.article && !takc_word_is_stop(w.norm))
            st = takc_intern_add(&a->words, takc_word_stem(w.norm), &number, err);
    }
    return takc_words_end(&words, st, err);
}

void takc_asked_clear(struct takc_asked *a)
{
    takc_intern_clear(&a->words);
}
