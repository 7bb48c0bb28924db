/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_count_tokens FILE [TOKENIZER] - tokens of a file by the named tokenizer; estimate when none is named. */
#include "base/file.h"
#include "token/tokenizer.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct takc_buf text;
    struct takc_err err = {0};
    const struct takc_tokenizer_ops *t = takc_tokenizer_find(takc_str(argc > 2 ? argv[2] : "estimate"));
    takc_buf_init(&text, TAKC_BUF_MAX_DOCUMENT);
    if (argc < 2 || !t || takc_file_read(argv[1], &text, &err)) {
        (void)fprintf(stderr, "usage: bench_count_tokens FILE [TOKENIZER]: %s\n", t ? err.msg : "no such tokenizer");
        return 2;
    }
    (void)printf("%llu\n", (unsigned long long)takc_tokenizer_count(t, takc_buf_str(&text)));
    takc_buf_clear(&text);
    return 0;
}
