// SPDX-License-Identifier: MIT
// A track's identity and record as one line of JSON that checks itself: a sidecar, or a line of an export.
#pragma once
#include "cache/record.h"
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "io/bytes/source.h"
#include "io/store/track_checksum.h"
#include <stdbool.h>
#include <stddef.h>

enum { LIBRARY_DOCUMENT_VERSION = 1 };

struct library_document {
    char *path; // absolute; owned, as read
    struct file_identity identity;
    bool is_fresh; // see struct store_track
    struct track_checksum checksum;
    struct record *record; // a struct track_record; a reference, as read
    bool has_targets;      // of these settings
    struct mastering_settings settings;
};

/// One object, its checksum last, and a newline: new memory, the caller's to free(). @return NULL without memory.
MUST_CHECK char *library_document_print(const struct library_document *document);
/// Read exactly what library_document_print() writes: any byte that is missing, too many or changed is seen.
/// @return 0, library_document_deinit() it; -EBADMSG; -EOVERFLOW: sound, of a newer version; -ENOMEM.
MUST_CHECK int library_document_read(struct library_document *document, const char *text,
                                     size_t bytes);
/// Free what a document that was read holds. A zeroed one is fine.
void library_document_deinit(struct library_document *document);
