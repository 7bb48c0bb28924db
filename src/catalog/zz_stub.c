#include "catalog/home.h"
__attribute__((weak)) enum takc_status takc_home_sweep(struct takc_home *h, struct takc_str t, uint64_t *n, struct takc_err *e){(void)h;(void)t;(void)e;*n=0;return TAKC_OK;}
__attribute__((weak)) enum takc_status takc_home_backup(struct takc_home *h, struct takc_call *c, const char *to, struct takc_err *e){(void)h;(void)c;(void)to;return takc_fail(e,TAKC_UNSUPPORTED,0,"x");}
__attribute__((weak)) enum takc_status takc_home_restore(const char *f, const char *to, struct takc_call *c, struct takc_err *e){(void)f;(void)c;(void)to;return takc_fail(e,TAKC_UNSUPPORTED,0,"x");}
