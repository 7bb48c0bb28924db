#include "doc/readers.h"
const struct takc_reader_ops takc_reader_docx = {.name="docx",.version="0"};
