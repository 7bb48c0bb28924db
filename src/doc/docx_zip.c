/* SPDX-License-Identifier: Apache-2.0
 *
 * docx_zip.c - entries of a DOCX archive and XML readers over them, with limits on everything that a hostile file can claim.
 *
 * libzip hands names out as C strings, so a NUL inside one would hide its rest: the central directory is looked through for those first.
 * A part may be 200 times its packed size beyond the first MiB, which no document written by people reaches, and no larger than the limit
 * for text leaves sensible. libxml2 and libzip allocate for themselves. */
#include "doc/docx_parts.h"
#include "doc/reader.h"

#include <stdio.h>
#include <string.h>

#include <zip.h>

enum { MAX_ENTRIES = 10000, MAX_RATIO = 200, FREE_BYTES = 1 << 20, EOCD_BYTES = 22, CENTRAL_BYTES = 46, PIECE_BYTES = 64 << 10 };

/* Place of the end record of the central directory, or SIZE_MAX. */
static size_t find_end(struct takc_str s)
{
    size_t lowest = s.len > 65535 + EOCD_BYTES ? s.len - 65535 - EOCD_BYTES : 0;
    for (size_t i = s.len >= EOCD_BYTES ? s.len - EOCD_BYTES + 1 : 0; i-- > lowest;)
        if (memcmp(s.ptr + i, "PK\5\6", 4) == 0)
            return i;
    return SIZE_MAX;
}

/* Looks through the central directory; what does not parse is left to libzip to complain about. */
static enum takc_status check_names(struct takc_str s, struct takc_err *err)
{
    size_t end = find_end(s);
    if (end == SIZE_MAX)
        return takc_fail(err, TAKC_CORRUPT, 0, "no archive: its end record is missing (truncated?)");
    size_t at = takc_le(s.ptr + end + 16, 4), n_entries = 0;
    while (at < s.len && s.len - at >= CENTRAL_BYTES && memcmp(s.ptr + at, "PK\1\2", 4) == 0) {
        size_t name_len = takc_le(s.ptr + at + 28, 2), rest = takc_le(s.ptr + at + 30, 2) + takc_le(s.ptr + at + 32, 2);
        if (s.len - at - CENTRAL_BYTES < name_len)
            break;
        if (memchr(s.ptr + at + CENTRAL_BYTES, '\0', name_len))
            return takc_fail(err, TAKC_REFUSED, (int)at, "a NUL in the name of an entry at byte %zu", at);
        if (++n_entries > MAX_ENTRIES)
            return takc_fail(err, TAKC_REFUSED, 0, "more than %d entries", MAX_ENTRIES);
        at += CENTRAL_BYTES + name_len + rest;
    }
    return TAKC_OK;
}

/* Does a name lead out of the archive's own folder? */
static bool leads_out(const char *name)
{
    struct takc_str rest = takc_str(name), part;
    if (name[0] == '/' || name[0] == '\\' || (name[0] && name[1] == ':'))
        return true;
    while (takc_str_split(&rest, '/', &part))
        if (takc_str_is(part, "..") || takc_str_find(part, takc_str("..\\"), 0) != SIZE_MAX)
            return true;
    return false;
}

static enum takc_status note_names(struct takc_docx_zip *z, struct takc_doc *notes, struct takc_err *err)
{
    zip_int64_t n = zip_get_num_entries(z->zip, 0);
    if (n > MAX_ENTRIES)
        return takc_fail(err, TAKC_REFUSED, 0, "%lld entries, more than %d", (long long)n, MAX_ENTRIES);
    for (zip_int64_t i = 0; i < n; i++) {
        const char *name = zip_get_name(z->zip, (zip_uint64_t)i, ZIP_FL_ENC_GUESS);
        if (!name || !leads_out(name))
            continue;
        enum takc_status st = takc_doc_note(notes, err, "entry \"%.200s\" leads out of the archive: not read", name);
        if (st)
            return st;
    }
    return TAKC_OK;
}

enum takc_status takc_docx_open(struct takc_docx_zip *z, struct takc_str bytes, uint64_t max_bytes, struct takc_doc *notes,
                                struct takc_err *err)
{
    zip_error_t e;
    *z = (struct takc_docx_zip){.size = bytes.len, .max_bytes = max_bytes};
    if (takc_str_starts(bytes, takc_str("\xD0\xCF\x11\xE0")))
        return takc_fail(err, TAKC_REFUSED, 0, "an encrypted document or the binary format of Word 97 (.doc)");
    enum takc_status st = check_names(bytes, err);
    if (st)
        return st;
    zip_error_init(&e);
    zip_source_t *source = zip_source_buffer_create(bytes.ptr, bytes.len, 0, &e);
    if (source)
        z->zip = zip_open_from_source(source, ZIP_RDONLY, &e);
    if (source && !z->zip)
        zip_source_free(source);
    if (!z->zip) {
        bool memory = zip_error_code_zip(&e) == ZIP_ER_MEMORY;
        st = takc_fail(err, memory ? TAKC_NOMEM : TAKC_CORRUPT, 0, "no archive: %s", zip_error_strerror(&e));
    }
    zip_error_fini(&e);
    return st ? st : note_names(z, notes, err);
}

void takc_docx_close(struct takc_docx_zip *z)
{
    if (z->zip)
        zip_discard(z->zip);
    z->zip = NULL;
}

const char *takc_docx_main(struct takc_docx_zip *z)
{
    zip_int64_t n = zip_get_num_entries(z->zip, 0);
    if (zip_name_locate(z->zip, "word/document.xml", 0) >= 0)
        return "word/document.xml";
    for (zip_int64_t i = 0; i < n; i++) { /* some writers number it: word/document2.xml */
        const char *name = zip_get_name(z->zip, (zip_uint64_t)i, 0);
        if (name && takc_str_starts(takc_str(name), takc_str("word/document")) && takc_str_ends(takc_str(name), takc_str(".xml")))
            return name;
    }
    return NULL;
}

/* What the entry claims, against the limits. */
static enum takc_status check_claims(const struct takc_docx_zip *z, const char *name, const zip_stat_t *s, struct takc_err *err)
{
    uint64_t packed = s->comp_size < z->size ? s->comp_size : z->size;
    if (s->encryption_method != ZIP_EM_NONE)
        return takc_fail(err, TAKC_REFUSED, 0, "entry %s is encrypted", name);
    if (s->size > z->max_bytes)
        return takc_fail(err, TAKC_REFUSED, 0, "entry %s claims %llu bytes, the limit is %llu", name, (unsigned long long)s->size,
                         (unsigned long long)z->max_bytes);
    if (s->size > FREE_BYTES && s->size / MAX_RATIO > packed)
        return takc_fail(err, TAKC_REFUSED, 0, "entry %s is packed %llu to 1 (zip bomb?)", name,
                         (unsigned long long)(s->size / (packed ? packed : 1)));
    return TAKC_OK;
}

enum takc_status takc_docx_part(struct takc_docx_zip *z, const char *name, struct takc_buf *out, struct takc_err *err)
{
    zip_stat_t s;
    char piece[PIECE_BYTES];
    zip_int64_t at = zip_name_locate(z->zip, name, 0), n = 0;
    zip_stat_init(&s);
    if (at < 0)
        return takc_fail(err, TAKC_NOT_FOUND, 0, "no entry %s", name);
    if (zip_stat_index(z->zip, (zip_uint64_t)at, 0, &s) != 0)
        return takc_fail(err, TAKC_CORRUPT, 0, "entry %s: %s", name, zip_strerror(z->zip));
    enum takc_status st = check_claims(z, name, &s, err);
    zip_file_t *f = st ? NULL : zip_fopen_index(z->zip, (zip_uint64_t)at, 0);
    if (!st && !f)
        st = takc_fail(err, TAKC_CORRUPT, 0, "entry %s: %s", name, zip_strerror(z->zip));
    uint64_t packed = s.comp_size < z->size ? s.comp_size : z->size, total = 0;
    while (!st && (n = zip_fread(f, piece, sizeof(piece))) > 0) {
        total += (uint64_t)n;
        if (total > z->max_bytes || (total > FREE_BYTES && total / MAX_RATIO > packed))
            st = takc_fail(err, TAKC_REFUSED, 0, "entry %s is larger than it claims (zip bomb?)", name);
        else
            st = takc_buf_add(out, takc_str_n(piece, (size_t)n), err);
    }
    if (!st && n < 0)
        st = takc_fail(err, TAKC_CORRUPT, 0, "entry %s: %s", name, zip_file_strerror(f));
    if (f)
        (void)zip_fclose(f);
    return st;
}

/* Errors come back as statuses; this one is told by its text alone. */
static void note_error(void *arg, xmlErrorPtr e)
{
    struct takc_docx_xml *xml = arg;
    if (e && e->message && strstr(e->message, "Excessive depth"))
        xml->too_deep = true;
}

void takc_docx_xml_close(struct takc_docx_xml *xml)
{
    if (xml->x)
        xmlFreeTextReader(xml->x);
    xml->x = NULL;
}

enum takc_status takc_docx_xml_open(struct takc_docx_xml *xml, struct takc_str part, const char *name, struct takc_err *err)
{
    *xml = (struct takc_docx_xml){0};
    size_t at = takc_str_find(part, takc_str("<!DOCTYPE"), 0);
    if (at == SIZE_MAX)
        at = takc_str_find(part, takc_str("<!ENTITY"), 0);
    if (at != SIZE_MAX)
        return takc_fail(err, TAKC_REFUSED, (int)at, "%s declares a document type at byte %zu (entity expansion?)", name, at);
    if (part.len > INT32_MAX)
        return takc_fail(err, TAKC_REFUSED, 0, "%s is over 2 GiB", name);
    xml->x = xmlReaderForMemory(part.ptr ? part.ptr : "", (int)part.len, NULL, NULL,
                                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_COMPACT);
    if (!xml->x)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for the XML reader");
    xmlTextReaderSetStructuredErrorHandler(xml->x, (xmlStructuredErrorFunc)note_error, xml);
    return TAKC_OK;
}

enum takc_status takc_docx_next(struct takc_docx_xml *xml, const char *name, bool *more, struct takc_err *err)
{
    xmlTextReaderPtr x = xml->x;
    int r = xmlTextReaderRead(x), type = r == 1 ? xmlTextReaderNodeType(x) : 0;
    *more = r == 1;
    if (r == 0)
        return TAKC_OK;
    int depth = xmlTextReaderDepth(x);
    if (xml->too_deep || depth > TAKC_READER_MAX_DEPTH - 4) /* libxml2 stops at 256 itself */
        return takc_fail(err, TAKC_REFUSED, 0, "elements nested more than %d deep in line %d of %s", TAKC_READER_MAX_DEPTH - 4,
                         xmlTextReaderGetParserLineNumber(x), name);
    if (r < 0)
        return takc_fail(err, TAKC_CORRUPT, 0, "%s is no XML near byte %ld", name, xmlTextReaderByteConsumed(x));
    if (type == XML_READER_TYPE_DOCUMENT_TYPE || type == XML_READER_TYPE_ENTITY_REFERENCE)
        return takc_fail(err, TAKC_REFUSED, 0, "%s has entities of its own near byte %ld (entity expansion?)", name,
                         xmlTextReaderByteConsumed(x));
    return TAKC_OK;
}

bool takc_docx_attribute(xmlTextReaderPtr x, const char *local, char *out, size_t n)
{
    bool found = false;
    for (int r = xmlTextReaderMoveToFirstAttribute(x); r == 1 && !found; r = xmlTextReaderMoveToNextAttribute(x)) {
        const char *name = (const char *)xmlTextReaderConstLocalName(x), *value = (const char *)xmlTextReaderConstValue(x);
        if (name && value && strcmp(name, local) == 0) {
            (void)snprintf(out, n, "%s", value);
            found = true;
        }
    }
    (void)xmlTextReaderMoveToElement(x);
    return found;
}
