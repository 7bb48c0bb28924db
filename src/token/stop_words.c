/* SPDX-License-Identifier: Apache-2.0
 *
 * stop_words.c - English function words, and the stems that takc_word_stem makes of them ("thi" of "this"), so that a stem can be asked
 * directly. Kept to words that say nothing alone: negations that are words of their own (not, no, nor, without) are in it because counting
 * them is the business of unit/features.c, not of terms. Ascending by bytes. */
#include "token/lexicon.h"
#include "token/words.h"

/* clang-format off */
#define STOP_WORDS \
    X(a) X(about) X(above) X(acros) X(across) X(after) X(again) X(against) X(all) X(along) X(also) X(although) X(am) X(among) X(an) \
    X(and) X(another) X(any) X(are) X(around) X(as) X(at) X(be) X(because) X(been) X(before) X(behind) X(being) X(below) X(besid) \
    X(beside) X(besides) X(between) X(beyond) X(both) X(but) X(by) X(can) X(could) X(couldn) X(d) X(did) X(didn) X(do) X(doe) X(does) \
    X(doesn) X(doing) X(don) X(done) X(down) X(dur) X(during) X(each) X(either) X(else) X(ever) X(every) X(for) X(from) X(further) \
    X(had) X(hadn) X(has) X(hasn) X(hav) X(have) X(haven) X(having) X(he) X(her) X(here) X(hers) X(herself) X(him) X(himself) X(his) \
    X(how) X(i) X(if) X(in) X(into) X(is) X(isn) X(it) X(its) X(itself) X(just) X(let) X(ll) X(m) X(may) X(me) X(might) X(mine) X(more) \
    X(most) X(must) X(my) X(myself) X(neither) X(no) X(nor) X(not) X(of) X(off) X(on) X(once) X(only) X(onto) X(or) X(other) X(others) \
    X(ought) X(our) X(ours) X(ourselv) X(ourselves) X(out) X(over) X(own) X(quite) X(rather) X(re) X(s) X(same) \
    X(shall) X(she) X(should) X(shouldn) X(since) X(so) X(some) X(such) X(t) X(than) X(that) X(the) X(their) X(theirs) X(them) \
    X(themselv) X(themselves) X(then) X(there) X(these) X(they) X(thi) X(this) X(those) X(though) X(through) X(till) X(to) X(too) \
    X(toward) X(towards) X(under) X(unles) X(unless) X(until) X(up) X(upon) X(us) X(ve) X(very) X(via) X(was) X(wasn) X(we) X(were) \
    X(weren) X(what) X(when) X(where) X(whether) X(which) X(while) X(who) X(whom) X(whose) X(why) X(will) X(with) X(within) X(without) \
    X(would) X(wouldn) X(yet) X(you) X(your) X(yours) X(yourself) X(yourselv) X(yourselves)
/* clang-format on */

static const struct takc_lexeme stop_words[] = {
#define X(w) {#w, 1},
    STOP_WORDS
#undef X
};

/* Pairs of Chinese and Japanese that ask or only bind: what, which, where, how many, is it; ascending bytes. */
static const struct takc_lexeme stop_pairs[] = {
    {"\xE3\x81\x82\xE3\x82\x8A", 1}, {"\xE3\x81\x82\xE3\x82\x8B", 1}, {"\xE3\x81\x84\xE3\x81\x8F", 1}, {"\xE3\x81\x84\xE3\x81\xA4", 1},
    {"\xE3\x81\x84\xE3\x82\x8B", 1}, {"\xE3\x81\x8B\xE3\x82\x89", 1}, {"\xE3\x81\x8F\xE3\x81\xA4", 1}, {"\xE3\x81\x93\xE3\x81\xAE", 1},
    {"\xE3\x81\x99\xE3\x81\x8B", 1}, {"\xE3\x81\x9D\xE3\x81\xAE", 1}, {"\xE3\x81\xA7\xE3\x81\x99", 1}, {"\xE3\x81\xA8\xE3\x81\xAF", 1},
    {"\xE3\x81\xA9\xE3\x81\x93", 1}, {"\xE3\x81\xA9\xE3\x81\xAE", 1}, {"\xE3\x81\xAB\xE3\x81\xAF", 1}, {"\xE3\x81\xBE\xE3\x81\x99", 1},
    {"\xE3\x82\x8A\xE3\x81\xBE", 1}, {"\xE4\xB8\xBA\xE4\xBB\x80", 1}, {"\xE4\xBB\x80\xE4\xB9\x88", 1}, {"\xE4\xBD\x95\xE3\x81\x8C", 1},
    {"\xE4\xBD\x95\xE3\x81\xA7", 1}, {"\xE5\x87\xA0\xE4\xB8\xAA", 1}, {"\xE5\x93\xAA\xE4\xB8\xAA", 1}, {"\xE5\x93\xAA\xE4\xBA\x9B", 1},
    {"\xE5\x93\xAA\xE9\x87\x8C", 1}, {"\xE5\x9C\xA8\xE5\x93\xAA", 1}, {"\xE5\xA4\x9A\xE5\xB0\x91", 1}, {"\xE5\xA6\x82\xE4\xBD\x95", 1},
    {"\xE6\x80\x8E\xE4\xB9\x88", 1}, {"\xE6\x98\xAF\xE4\xBB\x80", 1}, {"\xE6\x98\xAF\xE5\xA4\x9A", 1}, {"\xE6\x9C\x89\xE5\x87\xA0", 1},
    {"\xE6\x9C\x89\xE5\xA4\x9A", 1},
};

bool takc_word_is_stop(struct takc_str norm)
{
    const size_t n = sizeof(stop_words) / sizeof(stop_words[0]);
    if (norm.len && (unsigned char)norm.ptr[0] >= 0xE3)
        return takc_lexicon_find(stop_pairs, sizeof(stop_pairs) / sizeof(stop_pairs[0]), norm) != 0;
    struct takc_str stem = takc_word_stem(norm);
    return takc_lexicon_find(stop_words, n, stem) != 0 || (stem.len != norm.len && takc_lexicon_find(stop_words, n, norm) != 0);
}

bool takc_stop_words_sorted(void)
{
    return takc_lexicon_sorted(stop_words, sizeof(stop_words) / sizeof(stop_words[0])) &&
           takc_lexicon_sorted(stop_pairs, sizeof(stop_pairs) / sizeof(stop_pairs[0]));
}
