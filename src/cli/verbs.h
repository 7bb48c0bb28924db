/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/verbs.h - the run functions of all verbs, each in a file of its own; verbs.c has the rows. */
#ifndef TAKC_CLI_VERBS_H
#define TAKC_CLI_VERBS_H

#include "cli/cli.h"

takc_verb_fn takc_verb_init, takc_verb_ingest, takc_verb_plan, takc_verb_compress, takc_verb_query, takc_verb_chat, takc_verb_explain,
    takc_verb_verify, takc_verb_forget, takc_verb_cache, takc_verb_backup, takc_verb_restore, takc_verb_doctor, takc_verb_usage,
    takc_verb_serve, takc_verb_key, takc_verb_mcp, takc_verb_backends, takc_verb_config, takc_verb_version, takc_verb_help;

/* What is set, as YAML that a configuration file may hold; secrets are named, not printed. */
TAKC_CHECK enum takc_status takc_cli_print_config(struct takc_cli *cli, struct takc_err *err);

#endif
