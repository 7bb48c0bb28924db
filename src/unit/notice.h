/* SPDX-License-Identifier: Apache-2.0
 *
 * unit/notice.h - lines that say whose the text is and nothing about what it says: "Copyright (c) 2019 ...", "All rights reserved".
 * They are dense in years and names, so that a count of facts takes them for knowledge. Threads: pure function. */
#ifndef TAKC_UNIT_NOTICE_H
#define TAKC_UNIT_NOTICE_H

#include "takc/str.h"

/* Opens with "Copyright", the sign or "(c)" and has a year or a sign behind it; or is short and reserves all rights. */
bool takc_line_is_notice(struct takc_str line);

#endif
