// SPDX-License-Identifier: MIT
#include "engine/library/library_sidecar.h"
#include "engine/library/library_document.h"
#include "engine/library/track_record.h"
#include "io/store/sidecar.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void sweep_once(struct library_sidecar *s, const char *sidecar)
{
    const char *slash = strrchr(sidecar, '/');
    const size_t bytes = slash ? (size_t)(slash - sidecar) : 0;
    if (s->swept && strlen(s->swept) == bytes && memcmp(s->swept, sidecar, bytes) == 0)
        return;
    sidecar_sweep(sidecar);
    free(s->swept);
    s->swept = strndup(sidecar, bytes); // NULL: swept once more, no harm
}

// What stands there already. @return 0: good, of this track; -ENOENT: to be written; else: to be left alone.
static int check_standing(const struct library_item *item, const char *path)
{
    char *text;
    size_t bytes;
    struct library_document document = {0};
    int error = sidecar_read(path, &text, &bytes);
    if (error)
        return error;
    error = library_document_read(&document, text, bytes);
    free(text);
    if (error == -EBADMSG)
        return -ENOENT;
    if (error)
        return error;
    const uint32_t version =
        track_record_analysis(track_record_of(document.record))->algorithm_version;
    const bool is_good = version > ANALYSIS_ALGORITHM_VERSION ||
                         (version == ANALYSIS_ALGORITHM_VERSION &&
                          memcmp(&document.checksum, &item->checksum, sizeof(item->checksum)) == 0);
    library_document_deinit(&document);
    return is_good ? 0 : -ENOENT;
}

static int write_new(struct library_sidecar *s, const struct library_item *item, const char *path)
{
    struct library_document document = {.path = item->absolute_path,
                                        .identity = item->identity,
                                        .is_fresh = item->is_fresh,
                                        .checksum = item->checksum,
                                        .record = item->record,
                                        .has_targets = true,
                                        .settings = s->settings};
    char *text = library_document_print(&document);
    const size_t bytes = text ? strlen(text) : 0;
    int error = !text ? -ENOMEM : bytes > SIDECAR_MAX_BYTES ? -EFBIG : 0;
    if (!error)
        error = sidecar_write(path, text, bytes);
    free(text);
    return error;
}

void library_sidecar_save(struct library_sidecar *s, const struct library_item *item)
{
    char *path = sidecar_path(item->path);
    if (!path) {
        library_notes_unwritable(s->notes, item->path, -ENOMEM);
        return;
    }
    sweep_once(s, path);
    int error = check_standing(item, path);
    if (error == -ENOENT)
        error = write_new(s, item, path);
    else if (error && error != -ENAMETOOLONG) {
        library_notes_sidecar(s->notes, path, error);
        error = 0;
    }
    if (error)
        library_notes_unwritable(s->notes, path, error);
    free(path);
}

void library_sidecar_deinit(struct library_sidecar *s)
{
    free(s->swept);
    s->swept = NULL;
}
