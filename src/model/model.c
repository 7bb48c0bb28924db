/* SPDX-License-Identifier: Apache-2.0
 *
 * model.c - the thin functions in front of a provider: what a request must be, what a reply promises, how long it took. */
#include "model/model.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "token/tokenizer.h"

#include <stdarg.h>
#include <stdio.h>

/* Notes are for people: more than this is no note. */
enum { NOTES_MAX = 64 << 10 };

static const struct {
    const char *name;
    enum takc_status status;
} failures[TAKC_FAILURES] = {
    [TAKC_FAILURE_NONE] = {"none", TAKC_OK},
    [TAKC_FAILURE_THROTTLED] = {"throttled", TAKC_LIMITED},
    [TAKC_FAILURE_OVERLOADED] = {"overloaded", TAKC_UPSTREAM},
    [TAKC_FAILURE_SERVER] = {"server", TAKC_UPSTREAM},
    [TAKC_FAILURE_CONNECTION] = {"connection", TAKC_UPSTREAM},
    [TAKC_FAILURE_TIMEOUT] = {"timeout", TAKC_TIMEOUT},
    [TAKC_FAILURE_GARBLED] = {"garbled", TAKC_UPSTREAM},
    [TAKC_FAILURE_DENIED] = {"denied", TAKC_DENIED},
    [TAKC_FAILURE_UNTRUSTED] = {"untrusted", TAKC_UNTRUSTED},
    [TAKC_FAILURE_NO_MODEL] = {"no_model", TAKC_NO_MODEL},
    [TAKC_FAILURE_TOO_LONG] = {"too_long", TAKC_INVALID},
    [TAKC_FAILURE_PARAMETER] = {"parameter", TAKC_INVALID},
    [TAKC_FAILURE_INVALID] = {"invalid", TAKC_INVALID},
    [TAKC_FAILURE_CANCELLED] = {"cancelled", TAKC_CANCELLED},
};

const char *takc_failure_name(enum takc_failure f)
{
    return (unsigned)f < TAKC_FAILURES ? failures[f].name : "unknown";
}

enum takc_status takc_failure_status(enum takc_failure f)
{
    return (unsigned)f < TAKC_FAILURES ? failures[f].status : TAKC_UPSTREAM;
}

bool takc_failure_again(enum takc_failure f)
{
    return f >= TAKC_FAILURE_THROTTLED && f <= TAKC_FAILURE_GARBLED;
}

const char *takc_stop_name(enum takc_stop s)
{
    static const char *const names[] = {"unset", "end", "length", "sequence", "blocked", "other"};
    return (unsigned)s <= TAKC_STOP_OTHER ? names[s] : "unknown";
}

void takc_model_reply_init(struct takc_model_reply *r)
{
    *r = (struct takc_model_reply){0};
    takc_buf_init(&r->text, TAKC_BUF_MAX_REPLY);
    takc_buf_init(&r->notes, NOTES_MAX);
}

void takc_model_reply_reset(struct takc_model_reply *r)
{
    struct takc_buf text = r->text, notes = r->notes;
    takc_buf_reset(&text);
    takc_buf_reset(&notes);
    *r = (struct takc_model_reply){.text = text, .notes = notes};
}

void takc_model_reply_clear(struct takc_model_reply *r)
{
    takc_buf_clear(&r->text);
    takc_buf_clear(&r->notes);
}

void takc_model_note(struct takc_model_reply *r, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (takc_buf_printf(&r->notes, NULL, "%s\n", line))
        takc_log(WARN, "model", "%s", line);
}

enum takc_status takc_model_fail(struct takc_model_reply *r, enum takc_failure f, struct takc_err *err, const char *fmt, ...)
{
    char text[480];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    r->failure = f;
    return takc_fail(err, takc_failure_status(f), r->http, "%s", text);
}

void takc_model_count_here(const struct takc_tokenizer *t, const struct takc_model_request *q, struct takc_model_reply *r)
{
    uint64_t mt = 0;
    for (size_t i = 0; i < q->n_system; i++)
        mt += takc_tokenizer_count_mt(t, q->system[i].text);
    for (size_t m = 0; m < q->n_messages; m++)
        for (size_t i = 0; i < q->messages[m].n_blocks; i++)
            mt += takc_tokenizer_count_mt(t, q->messages[m].blocks[i].text);
    r->usage =
        (struct takc_usage){.input = (mt + 999) / 1000, .output = takc_tokenizer_count(t, takc_buf_str(&r->text)), .counted_here = true};
}

enum takc_status takc_model_read_vector(const struct json_t *vector, float *out, size_t n_dims, struct takc_err *err)
{
    if (json_is_array(vector) && json_array_size(vector) != n_dims)
        return takc_fail(err, TAKC_INVALID, 0, "the model gives %zu dimensions, not %zu", json_array_size(vector), n_dims);
    if (takc_json_get_floats(vector, out, n_dims, err) == TAKC_OK)
        return TAKC_OK;
    (void)takc_err_change(err, TAKC_UPSTREAM);
    return takc_err_prefix(err, TAKC_UPSTREAM, "a vector of the answer");
}

static enum takc_status check_turns(const struct takc_model_request *q, struct takc_err *err)
{
    for (size_t i = 0; i < q->n_messages; i++) {
        enum takc_role want = i % 2 ? TAKC_ROLE_ASSISTANT : TAKC_ROLE_USER;
        if (q->messages[i].role != want)
            return takc_fail(err, TAKC_INVALID, 0, "message %zu: user and assistant speak in turns, user first", i + 1);
        if (q->messages[i].n_blocks == 0)
            return takc_fail(err, TAKC_INVALID, 0, "message %zu has no text", i + 1);
    }
    return TAKC_OK;
}

static enum takc_status check_request(const struct takc_model_request *q, struct takc_err *err)
{
    if (q->n_messages == 0)
        return takc_fail(err, TAKC_INVALID, 0, "a request without messages");
    if (q->has_temperature && !(q->temperature >= 0 && q->temperature <= 2))
        return takc_fail(err, TAKC_INVALID, 0, "temperature %g is not within 0 to 2", q->temperature);
    if (q->has_top_p && !(q->top_p >= 0 && q->top_p <= 1))
        return takc_fail(err, TAKC_INVALID, 0, "top_p %g is not within 0 to 1", q->top_p);
    return check_turns(q, err);
}

/* Blanks, where there was room for words and nobody stood in their way. */
static bool says_nothing(const struct takc_model_reply *r)
{
    return !takc_str_trim(takc_buf_str(&r->text)).len && r->stop != TAKC_STOP_BLOCKED && r->stop != TAKC_STOP_LENGTH;
}

enum takc_status takc_model_complete(struct takc_model *m, struct takc_call *call, const struct takc_model_request *r,
                                     takc_model_delta_fn *delta, void *arg, struct takc_model_reply *out, struct takc_err *err)
{
    takc_model_reply_reset(out);
    enum takc_status st = check_request(r, err);
    if (st) {
        out->failure = TAKC_FAILURE_INVALID;
        return st;
    }
    if ((st = takc_call_check(call, err))) {
        out->failure = st == TAKC_CANCELLED ? TAKC_FAILURE_CANCELLED : TAKC_FAILURE_TIMEOUT;
        return st;
    }
    const struct takc_clock *clock = takc_clock_or_system(call ? call->clock : NULL);
    uint64_t from = clock->mono_ns(clock);
    (void)snprintf(out->model, sizeof(out->model), "%.*s", TAKC_STR_ARG(r->model));
    st = m->ops->complete(m, call, r, delta, arg, out, err);
    if (st == TAKC_NOT_FOUND) /* a file or an address on the way to the service: nothing that who asks is short of */
        st = takc_err_change(err, TAKC_UPSTREAM);
    out->ms = (clock->mono_ns(clock) - from) / 1000000u;
    if (!st && (out->failure || !out->stop))
        TAKC_BUG("%s: a reply without end", m->ops->name);
    if (!st && r->needs_text && says_nothing(out))
        st = takc_model_fail(out, TAKC_FAILURE_GARBLED, err, "the model said nothing (%s)", takc_stop_name(out->stop));
    return st;
}

enum takc_status takc_model_count(struct takc_model *m, struct takc_call *call, const struct takc_model_request *r, uint64_t *out,
                                  struct takc_err *err)
{
    if (!m->ops->count)
        return takc_fail(err, TAKC_UNSUPPORTED, 0, "%s has no call that counts tokens", m->ops->name);
    enum takc_status st = check_request(r, err);
    return st ? st : m->ops->count(m, call, r, out, err);
}

enum takc_status takc_model_embed(struct takc_model *m, struct takc_call *call, const struct takc_str *texts, size_t n, float *out,
                                  size_t n_dims, struct takc_err *err)
{
    if (!m->ops->embed)
        return takc_fail(err, TAKC_UNSUPPORTED, 0, "%s embeds nothing", m->ops->name);
    return n ? m->ops->embed(m, call, texts, n, out, n_dims, err) : TAKC_OK;
}

enum takc_status takc_model_describe(struct takc_model *m, struct takc_call *call, struct takc_buf *out, struct takc_err *err)
{
    return m->ops->describe(m, call, out, err);
}

struct takc_str takc_model_place(struct takc_model *m)
{
    return m->ops->place ? m->ops->place(m) : (struct takc_str){NULL, 0};
}

void takc_model_close(struct takc_model *m)
{
    if (m)
        m->ops->close(m);
}
