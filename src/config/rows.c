/* SPDX-License-Identifier: Apache-2.0
 *
 * rows.c - the settings. A new one is a row here and a member of struct takc_settings. Settings that do nothing yet have no row. */
#include "config/settings.h"

#define AT(member) offsetof(struct takc_settings, member)
#define GIB ((uint64_t)1 << 30)

static const struct takc_setting rows[] = {
    {.name = "home",
     .type = TAKC_SETTING_TEXT,
     .fallback = "",
     .unit = "path",
     .offset = AT(home),
     .help = "the folder of everything kept; empty: $XDG_DATA_HOME/takc, else ~/.local/share/takc"},
    {.name = "task",
     .type = TAKC_SETTING_TEXT,
     .fallback = "",
     .unit = "name",
     .offset = AT(task),
     .help = "the task where -t is not given"},
    {.name = "threads",
     .type = TAKC_SETTING_NUMBER,
     .fallback = "0",
     .max = 1024,
     .offset = AT(threads),
     .help = "threads that read and compress; 0: one per processor"},
    {.name = "log.level",
     .type = TAKC_SETTING_LEVELS,
     .fallback = "warn",
     .offset = AT(log_level),
     .reloadable = true,
     .help = "error, warn, info, debug or off; also by subject: info,cache=debug"},
    {.name = "log.format",
     .type = TAKC_SETTING_CHOICE,
     .fallback = "text",
     .choices = "text|json",
     .offset = AT(log_format),
     .reloadable = true,
     .help = "how log lines are written to stderr"},
    {.name = "ingest.max_file_bytes",
     .type = TAKC_SETTING_BYTES,
     .fallback = "1GiB",
     .min = 1,
     .max = 4 * GIB - 1,
     .unit = "bytes",
     .offset = AT(ingest_max_file_bytes),
     .reloadable = true,
     .help = "a larger file is refused"},
    {.name = "ingest.max_text_bytes",
     .type = TAKC_SETTING_BYTES,
     .fallback = "256MiB",
     .min = 1,
     .max = 4 * GIB - 1,
     .unit = "bytes",
     .offset = AT(ingest_max_text_bytes),
     .reloadable = true,
     .help = "a document with more text is refused"},
    {.name = "ingest.timeout_ms",
     .type = TAKC_SETTING_NUMBER,
     .fallback = "60000",
     .min = 100,
     .max = 86400000,
     .unit = "ms",
     .offset = AT(ingest_timeout_ms),
     .reloadable = true,
     .help = "wall clock for the reader of one file"},
    /* No fallback mode of our own: the readers know which order of text serves PDF best, and name it in their version. */
    {.name = "pdf.mode",
     .type = TAKC_SETTING_CHOICE,
     .fallback = "auto",
     .choices = "auto|layout|raw|reading",
     .offset = AT(pdf_mode),
     .reloadable = true,
     .help = "order of a PDF's text, as pdftotext gives it; auto: the reader's choice"},
    {.name = "query.reader_tokens",
     .type = TAKC_SETTING_NUMBER,
     .fallback = "2000",
     .min = 1,
     .max = 100000000,
     .unit = "tokens",
     .offset = AT(query_reader_tokens),
     .reloadable = true,
     .help = "most that a reader sees of lines chosen for a question"},
    {.name = "query.artifact_tokens",
     .type = TAKC_SETTING_NUMBER,
     .fallback = "16000",
     .min = 1,
     .max = 100000000,
     .unit = "tokens",
     .offset = AT(query_artifact_tokens),
     .reloadable = true,
     .help = "largest artifact taken without an asked rate"},
    {.name = "query.abstain_below",
     .type = TAKC_SETTING_SHARE,
     .fallback = "0.35",
     .offset = AT(query_abstain_below),
     .reloadable = true,
     .help = "confidence under which the answer is: not in this knowledge base"},
    {.name = "query.questions_per_window",
     .type = TAKC_SETTING_NUMBER,
     .fallback = "10",
     .min = 1,
     .max = 1000000,
     .offset = AT(query_questions_per_window),
     .reloadable = true,
     .help = "how many questions share a prefix while a provider's cache keeps it: what the price of a rate is reckoned by"},
    {.name = "query.answer_cache",
     .type = TAKC_SETTING_BOOL,
     .fallback = "false",
     .offset = AT(query_answer_cache),
     .reloadable = true,
     .help = "whether a model's answers are kept, and given again for exactly the same question, version, model and limits"},
    {.name = "query.keep_questions",
     .type = TAKC_SETTING_BOOL,
     .fallback = "false",
     .offset = AT(query_keep_questions),
     .reloadable = true,
     .help = "keep the words of questions in the catalogue"},
    {.name = "versions.keep",
     .type = TAKC_SETTING_NUMBER,
     .fallback = "3",
     .max = 1000,
     .unit = "versions",
     .offset = AT(versions_keep),
     .reloadable = true,
     .help = "older versions that a task keeps, as init writes it into a new profile"},
    {.name = "cache.ttl_s",
     .type = TAKC_SETTING_NUMBER,
     .fallback = "86400",
     .max = 316224000,
     .unit = "s",
     .offset = AT(cache_ttl_s),
     .reloadable = true,
     .env = {"CACHE_TTL"},
     .help = "life of copies in caches, as init writes it into a new profile; artifacts do not age"},
};

const struct takc_setting *takc_setting_at(size_t i)
{
    return i < sizeof(rows) / sizeof(rows[0]) ? &rows[i] : NULL;
}

const struct takc_setting *takc_setting_find(struct takc_str name)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (takc_str_is(name, rows[i].name))
            return &rows[i];
    return NULL;
}

void takc_setting_variable(const struct takc_setting *row, char out[72])
{
    size_t n = 5;
    memcpy(out, "TAKC_", 5);
    for (const char *p = row->name; *p && n < 71; p++)
        out[n++] = *p == '.' ? '_' : (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
    out[n] = '\0';
}
