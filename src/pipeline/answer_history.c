/* SPDX-License-Identifier: Apache-2.0
 *
 * answer_history.c - a question of a chat: does it stand alone, or lean on what was asked before?
 *
 * A follow-up that names nothing of its own ("and in 2022?") takes the words of the questions before it, back to one that stands alone.
 * Only words decide; nothing is resolved or rewritten. */
#include "pipeline/answer.h"
#include "token/words.h"

static bool is_one_of(struct takc_str word, const char *const *list, size_t n)
{
    bool found = false;
    for (size_t i = 0; !found && i < n; i++)
        found = takc_str_is(word, list[i]);
    return found;
}

/* Does a question lean on the one before it? It opens as going on, points back, or has hardly a word of its own. */
static bool leans(struct takc_str question)
{
    static const char *const openers[] = {"and", "or", "but", "also", "then"};
    static const char *const pointers[] = {"it",  "its", "they", "them", "their", "he",    "him",
                                           "his", "she", "her",  "this", "these", "those", "same"};
    struct takc_words words;
    struct takc_word w;
    unsigned own = 0, at = 0;
    bool back = false;
    takc_words_init(&words, question);
    for (; takc_words_next(&words, &w); at++) {
        back |= at == 0 && is_one_of(w.norm, openers, sizeof(openers) / sizeof(openers[0]));
        back |= at == 1 && takc_str_is(w.norm, "about"); /* what about, how about */
        back |= is_one_of(w.norm, pointers, sizeof(pointers) / sizeof(pointers[0]));
        own += !w.article && !takc_word_is_stop(w.norm);
    }
    takc_words_clear(&words);
    return back || own < 2;
}

enum takc_status takc_answer_understand(struct takc_answer *q, struct takc_err *err)
{
    q->question = q->o->question;
    if (!q->o->n_history || !leans(q->o->question) || takc_prompt_kind_of(NULL, q->o->question) == TAKC_PROMPT_TASK_WIDE)
        return TAKC_OK;
    for (size_t i = q->o->n_history; i > 0; i--) {
        struct takc_str before = q->o->history[i - 1];
        const char *joined = takc_arena_printf(q->arena, "%.*s %.*s", TAKC_STR_ARG(before), TAKC_STR_ARG(q->question));
        q->question = takc_str(joined);
        if (!joined)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a question");
        if (!leans(before))
            break;
    }
    return takc_answer_note(q, err, "understood with what was asked before");
}
