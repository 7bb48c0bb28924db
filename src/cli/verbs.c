/* SPDX-License-Identifier: Apache-2.0
 *
 * verbs.c - one row per verb and one table of options for each. A new verb is a row here and a file with its run function. */
#include "cli/verbs.h"
#include "cli/model_flags.h"

#include <limits.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define OPTIONS(a) .options = (a), .n_options = COUNT(a)
#define MODES "auto|artifact|select|both|whole"

static const struct takc_option global_options[] = {
    {"task", 't', TAKC_OPTION_SETTING, "NAME", "the task", "task", false},
    {"home", 0, TAKC_OPTION_SETTING, "DIR", "the folder of everything kept", "home", false},
    {"config", 0, TAKC_OPTION_PATH, "FILE", "the settings file", NULL, false},
    {"json", 0, TAKC_OPTION_FLAG, NULL, "results as JSON", NULL, false},
    {"quiet", 'q', TAKC_OPTION_FLAG, NULL, "no progress and no notes on stderr", NULL, false},
    {"threads", 0, TAKC_OPTION_SETTING, "N", "threads; 0: one per processor", "threads", false},
    {"log-level", 0, TAKC_OPTION_SETTING, "LEVELS", "error, warn, info, debug, off; or info,cache=debug", "log.level", false},
    {"log-format", 0, TAKC_OPTION_SETTING, "FORMAT", "text or json", "log.format", false},
    {"help", 'h', TAKC_OPTION_FLAG, NULL, "this text", NULL, false},
};

static const struct takc_option init_options[] = {
    {"description", 'd', TAKC_OPTION_TEXT, "TEXT", "what the knowledge is for", NULL, false},
    {"rates", 0, TAKC_OPTION_RATES, "LIST", "rates to compress at, such as ultra,high,12.5x", NULL, false},
    {"must-keep", 0, TAKC_OPTION_TEXT, "LIST", "kinds kept first: numbers,dates,names,ids,negations,words", NULL, false},
    {"force", 'f', TAKC_OPTION_FLAG, NULL, "replace the profile that is there", NULL, false},
    {"print", 0, TAKC_OPTION_FLAG, NULL, "print the profile, keep nothing", NULL, false},
};

static const struct takc_option ingest_options[] = {
    {"name", 0, TAKC_OPTION_TEXT, "NAME", "name of the one document (needed for stdin, '-')", NULL, false},
    {"mirror", 0, TAKC_OPTION_FLAG, NULL, "forget documents that have vanished from this folder", NULL, false},
    {"date", 0, TAKC_OPTION_DATE, "DATE", "date of the documents, such as 2026-01-31", NULL, false},
    {"label", 0, TAKC_OPTION_TEXT, "LABEL", "a label for the documents", NULL, true},
    {"include", 0, TAKC_OPTION_TEXT, "GLOB", "only files whose path matches", NULL, true},
    {"exclude", 0, TAKC_OPTION_TEXT, "GLOB", "no files whose path matches", NULL, true},
    {"jsonl-fields", 0, TAKC_OPTION_TEXT, "MAP", "names of fields: id=doc_id,title=title,text=text,date=day", NULL, false},
    {"pdf-mode", 0, TAKC_OPTION_SETTING, "MODE", "auto, layout, raw, reading", "pdf.mode", false},
    {"max-file-bytes", 0, TAKC_OPTION_SETTING, "BYTES", "a larger file is refused", "ingest.max_file_bytes", false},
    {"wait-ms", 0, TAKC_OPTION_NUMBER, "MS", "wait so long for another writer of the task; default: 2000", NULL, false},
};

#define WRITER_OPTIONS                                                                                                                     \
    TAKC_MODEL_OPTIONS,                                                                                                                    \
    {                                                                                                                                      \
        "few-shot", 0, TAKC_OPTION_PATH, "FILE", "examples for the model, in place of the profile's: YAML with its key examples", NULL,    \
            false                                                                                                                          \
    }

static const struct takc_option serve_options[] = {
    {"address", 0, TAKC_OPTION_SETTING, "ADDRESS", "where to listen", "serve.address", false},
    {"port", 0, TAKC_OPTION_SETTING, "PORT", "0: any free one", "serve.port", false},
    {"auth", 0, TAKC_OPTION_SETTING, "LIST", "who may ask: none, or authorizers such as key", "serve.auth", false},
    {"tls-cert", 0, TAKC_OPTION_SETTING, "FILE", "certificate in PEM", "serve.tls_cert", false},
    {"tls-key", 0, TAKC_OPTION_SETTING, "FILE", "its key in PEM", "serve.tls_key", false},
    {"print-config", 0, TAKC_OPTION_FLAG, NULL, "print what is set, as a configuration file, and end", NULL, false},
    TAKC_MODEL_OPTIONS,
};

static const struct takc_option key_options[] = {
    {"tenant", 0, TAKC_OPTION_TEXT, "NAME", "create: whose home it opens; default: the server's own", NULL, false},
    {"may", 0, TAKC_OPTION_TEXT, "LIST", "create: scopes of query,ingest,admin; default: query", NULL, false},
    {"tasks", 0, TAKC_OPTION_TEXT, "LIST", "create: patterns of tasks that it may name, such as 'fin*,legal'; default: all", NULL, false},
    {"expires", 0, TAKC_OPTION_TEXT, "TIME", "create: how long it is good, such as 90d, 12h, 30m; default: for ever", NULL, false},
};
static const struct takc_option mcp_options[] = {TAKC_MODEL_OPTIONS};

static const struct takc_option plan_options[] = {
    {"rates", 'r', TAKC_OPTION_RATES, "LIST", "rates to plan for; default: the profile's", NULL, false},
    WRITER_OPTIONS,
    {"batch", 0, TAKC_OPTION_FLAG, NULL, "at the price of batch jobs", NULL, false},
};

static const struct takc_option compress_options[] = {
    {"rates", 'r', TAKC_OPTION_RATES, "LIST", "rates such as ultra,high,12.5x; default: the profile's", NULL, false},
    {"wait-ms", 0, TAKC_OPTION_NUMBER, "MS", "wait so long for another writer of the task", NULL, false},
    WRITER_OPTIONS,
    {"batch", 0, TAKC_OPTION_TEXT, "S3-URI", "ask by batch jobs, at half price: s3://BUCKET/FOLDER for their records", NULL, false},
    {"batch-role", 0, TAKC_OPTION_SETTING, "ARN", "the role that batch jobs read and write there as", "model.batch_role", false},
    {"stop-job", 0, TAKC_OPTION_FLAG, NULL, "have the batch job that is under way stopped; what it has done is kept", NULL, false},
    {"no-wait", 0, TAKC_OPTION_FLAG, NULL, "make the batch job and return; the same command goes on with it", NULL, false},
};

#define QUESTION_OPTIONS                                                                                                                   \
    {"rate", 'r', TAKC_OPTION_RATE, "RATE", "ultra, high, medium, light, 8x, 12.5x; default: chosen", NULL, false},                        \
        {"mode", 'm', TAKC_OPTION_CHOICE, MODES, "what the reader sees", NULL, false},                                                     \
        {"reader-tokens", 0, TAKC_OPTION_NUMBER, "N", "most tokens the reader may see", NULL, false},                                      \
        {"artifact-tokens", 0, TAKC_OPTION_NUMBER, "N", "largest artifact taken without a rate", NULL, false},                             \
        {"cost-sensitive", 0, TAKC_OPTION_FLAG, NULL, "as cheap as possible", NULL, false},                                                \
        {"documents", 0, TAKC_OPTION_TEXT, "GLOB", "only documents whose name matches", NULL, true},                                       \
        {"after", 0, TAKC_OPTION_DATE, "DATE", "only documents of this day or later", NULL, false},                                        \
        {"before", 0, TAKC_OPTION_DATE, "DATE", "only documents of this day or earlier", NULL, false},                                     \
    {                                                                                                                                      \
        "version", 0, TAKC_OPTION_TEXT, "VERSION", "a kept version instead of the current one", NULL, false                                \
    }

#define ANSWER_OPTIONS                                                                                                                     \
    TAKC_MODEL_OPTIONS,                                                                                                                    \
        {"max-tokens", 0, TAKC_OPTION_NUMBER, "N", "most tokens of the model's answer; default: the profile's", NULL, false},              \
        {"stream", 0, TAKC_OPTION_FLAG, NULL, "show the model's answer while it comes, as on a terminal", NULL, false},                    \
    {                                                                                                                                      \
        "answer-cache", 0, TAKC_OPTION_FLAG, NULL, "keep the model's answers, and give them again for exactly the same", NULL, false       \
    }

static const struct takc_option query_options[] = {
    QUESTION_OPTIONS,
    ANSWER_OPTIONS,
    {"context", 0, TAKC_OPTION_FLAG, NULL, "print what a reader would see", NULL, false},
};

static const struct takc_option chat_options[] = {QUESTION_OPTIONS, ANSWER_OPTIONS};

static const struct takc_option explain_options[] = {QUESTION_OPTIONS, TAKC_MODEL_OPTIONS};

static const struct takc_option verify_options[] = {
    {"rates", 'r', TAKC_OPTION_RATES, "LIST", "only artifacts of these rates", NULL, false},
    {"version", 0, TAKC_OPTION_TEXT, "VERSION", "a kept version instead of the current one", NULL, false},
    {"levels", 0, TAKC_OPTION_TEXT, "LEVELS", "letters of S source, T text, M map, A artifact, X segment; default: all", NULL, false},
    {"source", 0, TAKC_OPTION_PATH, "DIR", "read sources from here instead of the home", NULL, false},
};

static const struct takc_option forget_options[] = {
    {"dry-run", 'n', TAKC_OPTION_FLAG, NULL, "say what would go, change nothing", NULL, false},
    {"wait-ms", 0, TAKC_OPTION_NUMBER, "MS", "wait so long for another writer of the task", NULL, false},
};

static const struct takc_option cache_options[] = {
    {"rate", 'r', TAKC_OPTION_RATE, "RATE", "the artifact of this rate", NULL, false},
    {"text", 0, TAKC_OPTION_FLAG, NULL, "show: only the text that a reader sees, without the line about it", NULL, false},
    {"off", 0, TAKC_OPTION_FLAG, NULL, "pin: let it go again", NULL, false},
};

static const struct takc_option doctor_options[] = {
    {"rebuild", 0, TAKC_OPTION_FLAG, NULL, "make the catalogue anew from the stored objects", NULL, false},
    {"sweep", 0, TAKC_OPTION_FLAG, NULL, "remove what nothing stands on", NULL, false},
    {"online", 0, TAKC_OPTION_FLAG, NULL, "ask the model one word: a call that may cost a little", NULL, false},
    TAKC_MODEL_OPTIONS,
};

static const struct takc_option usage_options[] = {
    {"model", 0, TAKC_OPTION_TEXT, "MODEL", "only calls of this model, PROVIDER:MODEL or either part", NULL, false},
    {"by", 0, TAKC_OPTION_TEXT, "LIST", "a line for each task, model, day, purpose; default: task,model", NULL, false},
    {"since", 0, TAKC_OPTION_DATE, "DATE", "only calls of this day (UTC) or later", NULL, false},
    {"until", 0, TAKC_OPTION_DATE, "DATE", "only calls of this day (UTC) or earlier", NULL, false},
};

static const struct takc_option help_options[] = {
    {"man", 0, TAKC_OPTION_FLAG, NULL, "the manual page, for man -l -", NULL, false},
    {"completion", 0, TAKC_OPTION_CHOICE, "bash", "completion for a shell", NULL, false},
};

static const struct takc_verb verbs[] = {
    {.name = "init",
     .summary = "write the profile of a new task",
     .usage = "[OPTIONS] TASK",
     .about = "Writes tasks/TASK.yaml with comments into the home, and makes the home where it is missing.",
     .example = "takc init fin --description 'financial analysis: keep metrics, periods, comparisons'",
     .example_says = "A task named fin, with the guide's four rates.",
     OPTIONS(init_options),
     .min_args = 0,
     .max_args = 1,
     .run = takc_verb_init},
    {.name = "ingest",
     .summary = "read documents into a task",
     .usage = "[OPTIONS] PATH...",
     .about =
         "Reads text, Markdown, HTML, PDF, DOCX, CSV, JSON and JSONL, also as .gz; folders are walked. What cannot be read is named, the "
         "rest goes on, and the exit code is 1 then. Unchanged documents cost nothing. s3://BUCKET/PREFIX is a folder, too, "
         "fetched with AWS's usual environment and profiles (model.region, model.aws_profile).",
     .example = "takc ingest -t fin reports/",
     .example_says = "All documents of a folder.",
     OPTIONS(ingest_options),
     .min_args = 1,
     .max_args = UINT_MAX,
     .needs_task = true,
     .run = takc_verb_ingest},
    {.name = "plan",
     .summary = "what compressing would give, before doing it",
     .usage = "[OPTIONS]",
     .example = "takc plan -t fin --rates ultra,light",
     .example_says = "Documents, tokens and budgets of two rates.",
     OPTIONS(plan_options),
     .needs_task = true,
     .run = takc_verb_plan},
    {.name = "compress",
     .summary = "make a new version at all rates",
     .usage = "[OPTIONS]",
     .about = "Prints the ledger: what was asked and delivered per rate. A run that changes nothing makes no new version. With --batch, "
              "requests to the model go by batch jobs, which take hours and cost half; a run that is stopped is gone on with by the same "
              "command.",
     .example = "takc compress -t fin",
     .example_says = "All rates of the profile in one pass.",
     OPTIONS(compress_options),
     .needs_task = true,
     .run = takc_verb_compress},
    {.name = "query",
     .summary = "answer a question with sources",
     .usage = "[OPTIONS] QUESTION",
     .about =
         "The answer is made of lines of the documents, each with its citation; without enough confidence it is: not in this knowledge "
         "base. A model, where one is named, writes it from what the mode shows; takc resolves its citations and checks its figures.",
     .example = "takc query -t fin 'What was the revenue in Q3?'",
     .example_says = "Rate, mode and limits are chosen.",
     OPTIONS(query_options),
     .min_args = 1,
     .max_args = UINT_MAX,
     .needs_task = true,
     .run = takc_verb_query},
    {.name = "chat",
     .summary = "questions in a loop, with history",
     .usage = "[OPTIONS]",
     .example = "takc chat -t fin",
     .example_says = "Ends with an empty line or Ctrl-D.",
     OPTIONS(chat_options),
     .needs_task = true,
     .run = takc_verb_chat},
    {.name = "explain",
     .summary = "why a question is answered as it is",
     .usage = "[OPTIONS] QUESTION",
     .example = "takc explain -t fin 'What was the revenue in Q3?'",
     .example_says = "Kind of prompt, rates tried, scores, what was missing.",
     OPTIONS(explain_options),
     .min_args = 1,
     .max_args = UINT_MAX,
     .needs_task = true,
     .run = takc_verb_explain},
    {.name = "verify",
     .summary = "prove artifacts against their sources",
     .usage = "[OPTIONS] [DOCUMENT...]",
     .about =
         "Levels: S source hash, T text read again, M map, A artifact and index hashes, X every segment against its spans. DOCUMENT (a "
         "name or a glob) asks S, T and M of these only. Exit code 1 when a proof failed.",
     .example = "takc verify -t fin",
     .example_says = "Every line of every rate.",
     OPTIONS(verify_options),
     .max_args = UINT_MAX,
     .needs_task = true,
     .run = takc_verb_verify},
    {.name = "forget",
     .summary = "remove a document and all that stood on it, and prove it gone",
     .usage = "[OPTIONS] DOCUMENT...",
     .about = "DOCUMENT is a name below the folder that was ingested: q3.txt for reports/q3.txt after takc ingest reports/.",
     .example = "takc forget -t fin q3.txt",
     .example_says = "The other documents are compressed again without it.",
     OPTIONS(forget_options),
     .min_args = 1,
     .max_args = UINT_MAX,
     .needs_task = true,
     .run = takc_verb_forget},
    {.name = "cache",
     .summary = "list, show, compare, pin, roll back and delete versions",
     .usage = "[OPTIONS] list|show|diff|pin|rollback|delete [VERSION...]",
     .example = "takc cache -t fin list",
     .example_says = "Versions with dates, rates and sizes.",
     .actions = "list|show|diff|pin|rollback|delete",
     OPTIONS(cache_options),
     .min_args = 1,
     .max_args = 3,
     .needs_task = true,
     .run = takc_verb_cache},
    {.name = "backup",
     .summary = "copy a live home",
     .usage = "DIR",
     .example = "takc backup ../takc-backup",
     .example_says = "A consistent copy while others work.",
     .min_args = 1,
     .max_args = 1,
     .run = takc_verb_backup},
    {.name = "restore",
     .summary = "make the home from a backup",
     .usage = "DIR",
     .example = "takc restore --home ./again ../takc-backup",
     .example_says = "The home must be missing or empty.",
     .min_args = 1,
     .max_args = 1,
     .run = takc_verb_restore},
    {.name = "doctor",
     .summary = "check the home and its parts",
     .usage = "[OPTIONS]",
     .example = "takc doctor",
     .example_says =
         "What is there, what is missing, what is wrong; exit code 1 then. With -t TASK the task's own model; --json gives a list "
         "of {check, status, detail}.",
     OPTIONS(doctor_options),
     .run = takc_verb_doctor},
    {.name = "usage",
     .summary = "what calls of models have cost",
     .usage = "[OPTIONS]",
     .about = "Sums of the cost ledger: every try of every model, failed ones and fallbacks too. A call that a killed run had under way "
              "counts as "
              "lost, at its most. Prices are those of the day of the call; without a price on file a call is unpriced.",
     .example = "takc usage --by day,model --since 2026-11-01",
     .example_says = "All tasks of a month, day by day.",
     OPTIONS(usage_options),
     .run = takc_verb_usage},
    {.name = "serve",
     .summary = "the same over HTTP",
     .usage = "[OPTIONS]",
     .about =
         "Serves the guide's API and says where. Stops on SIGTERM or Ctrl-C once requests under way have ended (serve.drain_ms); SIGHUP "
         "reads the certificate again. Put nginx in front of it where strangers can reach it.",
     .example = "takc serve --port 8080",
     .example_says = "curl -s http://127.0.0.1:8080/health",
     OPTIONS(serve_options),
     .run = takc_verb_serve},
    {.name = "key",
     .summary = "API keys of the server",
     .usage = "[OPTIONS] create NAME | list | revoke ID",
     .about = "create prints a new key, this once: only its hash is kept. revoke ends one; a running server knows at its next request. The "
              "server asks for keys when serve.auth names key.",
     .example = "takc key create app --may query,ingest --tasks 'fin*' --expires 90d",
     .example_says = "curl -s http://127.0.0.1:8080/tasks -H \"X-API-Key: $KEY\"",
     .actions = "create|list|revoke",
     OPTIONS(key_options),
     .min_args = 1,
     .max_args = 2,
     .run = takc_verb_key},
    {.name = "mcp",
     .summary = "tools for an agent, on standard input and output",
     .usage = "[OPTIONS]",
     .about =
         "Speaks the Model Context Protocol, one message a line, until its input ends: tools takc_query, takc_list_tasks, takc_source, "
         "and tasks as resources. An agent starts it: its command is takc, its arguments are mcp and perhaps --home DIR.",
     .example = "takc mcp </dev/null",
     .example_says = "Over HTTP the same is POST /mcp of takc serve.",
     OPTIONS(mcp_options),
     .run = takc_verb_mcp},
    {.name = "backends",
     .summary = "list the kinds of models",
     .usage = "",
     .example = "takc backends",
     .example_says = "What may stand in front of the ':' of a model's name.",
     .run = takc_verb_backends},
    {.name = "config",
     .summary = "show settings and where they come from",
     .usage = "[show|list]",
     .about =
         "show: every value and its origin (flag, environment, file with line, default). list: every setting with type, range and help.",
     .example = "takc config show",
     .example_says = "What is set, and by whom.",
     .actions = "show|list",
     .max_args = 1,
     .run = takc_verb_config},
    {.name = "version",
     .summary = "print the version",
     .usage = "",
     .example = "takc version --json",
     .example_says = "With the versions of the libraries.",
     .bare = true,
     .run = takc_verb_version},
    {.name = "help",
     .summary = "help on a verb",
     .usage = "[OPTIONS] [VERB]",
     .example = "takc help --completion bash",
     .example_says = "Completion, for ~/.bash_completion.",
     OPTIONS(help_options),
     .max_args = 1,
     .bare = true,
     .run = takc_verb_help},
};

const struct takc_verb *takc_verb_at(size_t i)
{
    return i < COUNT(verbs) ? &verbs[i] : NULL;
}

const struct takc_verb *takc_verb_find(struct takc_str name)
{
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (takc_str_is(name, verbs[i].name))
            return &verbs[i];
    return NULL;
}

const struct takc_option *takc_global_options(size_t *out_n)
{
    *out_n = COUNT(global_options);
    return global_options;
}
