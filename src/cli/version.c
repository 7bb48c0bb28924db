/* SPDX-License-Identifier: Apache-2.0
 *
 * version.c - takc version. */
#include "cli/verbs.h"

#include <openssl/crypto.h>
#include <sqlite3.h>
#include <unicode/uversion.h>
#include <yaml.h>

enum takc_status takc_verb_version(struct takc_cli *cli, struct takc_err *err)
{
    if (!cli->json)
        return takc_cli_printf(cli, err, "takc %s\n", TAKC_VERSION_TEXT);
    return takc_cli_json(cli,
                         json_pack("{s:s, s:{s:s, s:s, s:s, s:s, s:s}}", "version", TAKC_VERSION_TEXT, "libraries", "jansson",
                                   jansson_version_str(), "sqlite", sqlite3_libversion(), "openssl",
                                   OpenSSL_version(OPENSSL_VERSION_STRING), "icu", U_ICU_VERSION, "libyaml", yaml_get_version_string()),
                         err);
}
