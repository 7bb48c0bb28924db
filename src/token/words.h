/* SPDX-License-Identifier: Apache-2.0
 *
 * token/words.h - text into normalised words: what counting, scoring and ranking compare.
 *
 * A word is a run of letters or a number; Han and Kana, which are written without blanks, come as their overlapping pairs of characters,
 * so that a question's words are found in the middle of a sentence. Normalisation: NFKC, lower case, "'s" dropped, "n't" joined ("don't" ->
 * dont); numbers lose thousands separators, leading zeros and trailing decimal zeros (1,234.50 -> 1234.5). Letters and digits are apart:
 * "10-K" and "10K" both give 10 and k. ASCII text takes a fast path; other text goes through ICU piece by piece. The same rules count
 * "scorer tokens" in bench/. Threads: one iterator belongs to one thread; the functions keep no state. */
#ifndef TAKC_TOKEN_WORDS_H
#define TAKC_TOKEN_WORDS_H

#include "takc/str.h"

enum { TAKC_WORD_MAX = 256 }; /* bytes of a normalised word; a longer run is cut into pieces of this size */

struct takc_word {
    uint32_t start, end;  /* bytes in the text that it stands for (for NFKC pieces: of the piece) */
    struct takc_str norm; /* lives until the next call on the iterator */
    bool number;
    bool article;  /* a, an, the: dropped by scorer tokens and by terms */
    bool more;     /* cut at TAKC_WORD_MAX or between pairs: the next word goes on with it */
    bool pair;     /* one or two characters of Han or Kana */
    uint8_t again; /* bytes at the front of norm that the word before ended with: pairs overlap */
};

struct takc_words {
    struct takc_str text;
    size_t pos;
    char scratch[TAKC_WORD_MAX + 8];
    char *wide; /* pending normalised form of a non-ASCII piece; owned */
    size_t wide_len, wide_cap, wide_pos;
    uint32_t wide_start, wide_end;
    size_t pair_at;   /* where a pair begins whose first character the word before had; SIZE_MAX: nowhere */
    size_t plain_end; /* up to here the text can be read in place */
    size_t run_end;   /* of the run that was looked at last */
    size_t rough_end; /* behind its last character that cannot be read in place */
    bool failed;      /* a piece was skipped because there was no memory for it */
};

/* Starts over text (borrowed, valid UTF-8; wrong bytes separate words). */
void takc_words_init(struct takc_words *w, struct takc_str text);
/* Starts over another text, keeping the memory. */
void takc_words_restart(struct takc_words *w, struct takc_str text);
/* The next word, articles included; false at the end. Memory that cannot be had for a non-ASCII piece skips that piece and
 * sets failed, which whoever keeps what was read turns into NOMEM (takc_words_end). */
bool takc_words_next(struct takc_words *w, struct takc_word *out);
/* Clears w after a walk that came to st: a failure as it is, NOMEM when a piece was skipped, else OK. */
TAKC_CHECK enum takc_status takc_words_end(struct takc_words *w, enum takc_status st, struct takc_err *err);
/* Frees; twice is harmless. */
void takc_words_clear(struct takc_words *w);

/* Crude stem of a normalised word: cuts one of ing edly ed ies es s ly when three bytes or more remain, then a final e or y of four bytes
 * or more, so that lease, leases and leased meet; in Arabic the article in front. A part of norm. */
struct takc_str takc_word_stem(struct takc_str norm);
/* Is the normalised word, or its stem, a stop word? */
bool takc_word_is_stop(struct takc_str norm);
/* Words of text by the rules above less articles: the scorer's token count. */
uint64_t takc_words_count(struct takc_str text);

/* White-space separated words, as wc -w counts them in a UTF-8 locale (Unicode white space). */
uint64_t takc_white_words(struct takc_str text);
/* Bytes of the white-space character at pos (< s.len), 0 when there is none. White space is what Unicode and Python's split() call so:
 * also the separators 0x1c..0x1f, no-break and ideographic spaces. */
unsigned takc_white_at(struct takc_str s, size_t pos);
/* Is the table of stop words in order? For tests. */
bool takc_stop_words_sorted(void);

#endif
