/* SPDX-License-Identifier: Apache-2.0
 *
 * Kinds of prompts, their complexity, and the rate they suggest. */
#include "rank/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { S = TAKC_PROMPT_SPECIFIC, W = TAKC_PROMPT_TASK_WIDE, EASY = TAKC_SIMPLE, MID = TAKC_MODERATE, HARD = TAKC_COMPLEX };

static const struct {
    const char *prompt;
    int kind, complexity;
} prompts[] = {
    {"Summarize the whole contract", W, HARD},
    {"Summarise the year", W, HARD},
    {"Review these contracts", W, HARD},
    {"review these contracts.", W, HARD},
    {"What are the key points?", W, EASY},
    {"Give me an overview", W, HARD},
    {"Give me an overview of these documents", W, HARD},
    {"Please provide a short summary of the attached files.", W, HARD},
    {"What is this about?", W, EASY},
    {"What are these documents about?", W, EASY},
    {"tl;dr", W, MID},
    {"List all obligations.", W, MID},
    {"List all risks of the supplier", W, MID},
    {"Analyze the main trends", W, HARD},
    {"Identify the most important issues in each contract", W, MID},
    {"Extract all key terms and obligations", W, MID},
    {"Write an executive summary", W, HARD},
    {"Prepare a briefing on the whole collection", W, MID},
    {"You are an assistant for the purchasing department of Acme Corp.", W, MID},
    {"Act as an expert on harbour law", W, MID},
    {"Your task is to help users", W, MID},
    {"Explain everything", W, HARD},
    {"What topics are covered?", W, EASY},
    {"Tell me everything that is important", W, MID},
    {"Outline the document", W, HARD},
    {"Recap of the meeting", W, HARD},
    {"Highlight the main findings of the paper", W, MID},
    {"1. Who signs?\n2. When does it end?\n3. Which law governs?\n4. What is the cap?", W, MID},
    {"Who signs? When does it end? Which law governs? Is there a cap on liability?", W, MID},
    {"- termination\n- governing law\n- liability cap\n- insurance\n- audit rights", W, MID},
    {"Describe the overall picture", W, MID},
    {"What is the sum of 2020 and 2021 sales?", S, EASY},
    {"What is the sum of the invoices?", S, EASY},
    {"Who is the harbour master?", S, EASY},
    {"Who signed the agreement?", S, EASY},
    {"When does the agreement end?", S, EASY},
    {"When was the document written?", S, EASY},
    {"Where is the spare bulb kept?", S, EASY},
    {"How many ships came in 2021?", S, EASY},
    {"How many documents are there?", S, EASY},
    {"How much did Acme pay for the lighthouse?", S, EASY},
    {"How does the lamp turn?", S, HARD},
    {"Why did revenue fall in 2021?", S, HARD},
    {"What was PepsiCo's net revenue in fiscal 2022?", S, EASY},
    {"What is the default value of CURLOPT_TIMEOUT?", S, EASY},
    {"Which version added CURLOPT_PROXY?", S, EASY},
    {"Summarize the indemnification clause", S, HARD},
    {"Summarize Ada Lindqvist's career at the port", S, HARD},
    {"Compare grain and coal shipments in 2021", S, HARD},
    {"Explain why the lamp turns slower in winter", S, HARD},
    {"Give me the email address of Ada Lindqvist", S, MID},
    {"List all customers that account for more than 10% of sales", S, MID},
    {"Is the lighthouse open on Sundays?", S, MID},
    {"Does the zebra eat hay?", S, MID},
    {"bulb cellar", S, MID},
    {"Summary of the dispute between Acme and Bolt over pier 7", S, HARD},
    {"What is the relationship between tide and traffic?", S, HARD},
    {"Name the lighthouse keeper", S, MID},
    {"What did Jane and Tom decide about the new logo on Tuesday after the long discussion?", S, MID},
    {"Review the clause on termination for convenience", S, HARD},
    {"Has the company changed its auditor?", S, MID},
    {"What is the largest liability in Boeing's statement of financial position?", S, MID},
    {"Whose profit grew?", S, EASY},
    {"Sum up the contracts", W, HARD},
    {"Please sum up these meetings", W, HARD},
    {"Turn this into a checklist", W, MID},
    {"What did the sums come up to?", S, EASY},
    {"Consummate sums of summits", S, EASY},
    {"somewhat whatever whoever", S, MID},
    {"Does the analyzer's output matter?", S, MID},
};

static void prompts_are_told_apart(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof(prompts) / sizeof(prompts[0]); i++) {
        int kind = (int)takc_prompt_kind_of(NULL, takc_str(prompts[i].prompt));
        int complexity = (int)takc_complexity_of(takc_str(prompts[i].prompt));
        if (kind == prompts[i].kind && complexity == prompts[i].complexity)
            continue;
        print_message("%s: kind %d, complexity %d\n", prompts[i].prompt, kind, complexity);
        wrong++;
    }
    assert_int_equal(wrong, 0);
    assert_true(sizeof(prompts) / sizeof(prompts[0]) >= 60);
    assert_int_equal(takc_prompt_kind_of(NULL, takc_str("  ?? ")), TAKC_PROMPT_UNSET);
}

static void words_of_every_document_name_no_fact(void **state)
{
    (void)state;
    static const char *const texts[] = {"The lease of pier one.",       "The lease of pier two.",      "A lease, ended in May.",
                                        "This lease is for the crane.", "No lease without a deposit.", "The lease of the cellar.",
                                        "A lease among friends.",       "The lease names a guarantor."};
    struct fixture_doc docs[8];
    for (size_t i = 0; i < 8; i++)
        docs[i] = (struct fixture_doc){texts[i] + 4, "", texts[i], 0};
    struct fixture f;
    struct takc_buf bytes;
    fixture_init(&f, docs, 8);
    struct takc_index *x = fixture_index(&f, &bytes);
    assert_int_equal(takc_prompt_kind_of(x, takc_str("Compare the leases")), TAKC_PROMPT_TASK_WIDE);
    assert_int_equal(takc_prompt_kind_of(NULL, takc_str("Compare the leases")), TAKC_PROMPT_SPECIFIC);
    assert_int_equal(takc_prompt_kind_of(x, takc_str("What is a lease?")), TAKC_PROMPT_SPECIFIC);
    assert_int_equal(takc_prompt_kind_of(x, takc_str("lease")), TAKC_PROMPT_SPECIFIC);
    assert_int_equal(takc_prompt_kind_of(x, takc_str("total lease")), TAKC_PROMPT_SPECIFIC);
    assert_int_equal(takc_prompt_kind_of(x, takc_str("Zusammenfassung")), TAKC_PROMPT_TASK_WIDE);
    assert_int_equal(takc_prompt_kind_of(x, takc_str("要約してください")), TAKC_PROMPT_TASK_WIDE);
    assert_int_equal(takc_prompt_kind_of(x, takc_str("Prepare a memorandum")), TAKC_PROMPT_TASK_WIDE);
    assert_int_equal(takc_prompt_kind_of(x, takc_str("photosynthesis")), TAKC_PROMPT_SPECIFIC); /* nothing of it is there to be shown */
    assert_int_equal(takc_prompt_kind_of(x, takc_str("Quantum entanglement?")), TAKC_PROMPT_SPECIFIC);
    assert_int_equal(takc_prompt_kind_of(x, takc_str("Tell me about photosynthesis")), TAKC_PROMPT_SPECIFIC);
    assert_int_equal(takc_prompt_kind_of(x, takc_str("Tell me all about the leases")), TAKC_PROMPT_TASK_WIDE);
    assert_int_equal(takc_prompt_kind_of(x, takc_str("Answer questions about covenants")), TAKC_PROMPT_TASK_WIDE);
    assert_int_equal(takc_prompt_kind_of(x, takc_str("Explain the guarantor")), TAKC_PROMPT_SPECIFIC);
    assert_int_equal(takc_prompt_kind_of(x, takc_str("Describe Zanzibar and its leases")), TAKC_PROMPT_SPECIFIC);
    takc_index_close(x);
    takc_buf_clear(&bytes);
    fixture_clear(&f);
}

static void rates_follow_the_tables(void **state)
{
    (void)state;
    static const struct {
        uint64_t tokens;
        takc_rate simple, moderate, complex;
    } want[] = {{0, 64000, 32000, 32000},    {9999, 64000, 32000, 32000},  {10000, 64000, 32000, 16000},  {49999, 64000, 32000, 16000},
                {50000, 64000, 32000, 8000}, {100000, 64000, 32000, 8000}, {100001, 64000, 32000, 16000}, {90000000, 64000, 32000, 16000}};
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        assert_int_equal(takc_rate_prior(TAKC_SIMPLE, want[i].tokens, false), want[i].simple);
        assert_int_equal(takc_rate_prior(TAKC_MODERATE, want[i].tokens, false), want[i].moderate);
        assert_int_equal(takc_rate_prior(TAKC_COMPLEXITY_UNSET, want[i].tokens, false), want[i].moderate);
        assert_int_equal(takc_rate_prior(TAKC_COMPLEX, want[i].tokens, false), want[i].complex);
        assert_int_equal(takc_rate_prior(TAKC_COMPLEX, want[i].tokens, true), TAKC_RATE_ULTRA);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prompts_are_told_apart),
        cmocka_unit_test(words_of_every_document_name_no_fact),
        cmocka_unit_test(rates_follow_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
