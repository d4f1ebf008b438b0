// SPDX-License-Identifier: MIT
#include "engine/library/library_notes.h"
#include "io/store/store.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct library_noted {
    struct library_noted *next;
    size_t bytes;
    char path[];
};

int library_notes_init(struct library_notes *notes, struct log *log, const char *database)
{
    *notes = (struct library_notes){.log = log, .database = database};
    return mutex_init(&notes->lock);
}

void library_notes_deinit(struct library_notes *notes)
{
    for (struct library_noted *n = notes->noted, *next; n; n = next) {
        next = n->next;
        free(n);
    }
    mutex_deinit(&notes->lock);
}

static enum library_note note_of(int error)
{
    switch (-error) {
    case EBADMSG:
        return LIBRARY_NOTE_CORRUPT;
    case EMEDIUMTYPE:
        return LIBRARY_NOTE_FOREIGN;
    case EOVERFLOW:
        return LIBRARY_NOTE_NEWER;
    case EBUSY:
    case EAGAIN:
        return LIBRARY_NOTE_LOCKED;
    case ENOSPC:
    case EDQUOT:
        return LIBRARY_NOTE_FULL;
    case EROFS:
    case EACCES:
    case EPERM:
        return LIBRARY_NOTE_READ_ONLY;
    case EISDIR:
    case ESPIPE:
    case ENOTDIR:
        return LIBRARY_NOTE_KIND;
    default:
        return LIBRARY_NOTE_OTHER;
    }
}

static void say(struct library_notes *notes, int error, uint64_t lost)
{
    struct log_once *once = &notes->said[note_of(error)];
    const char *cause = store_error_text(error);
    const char *subject = notes->database ? notes->database : "library.db";
    if (!notes->database)
        cause = "neither HOME nor XDG_DATA_HOME says where it is: nothing is kept on disk";
    if (lost)
        log_write_once(notes->log, once, LOG_LEVEL_WARN, subject, "%s; %llu results are not saved",
                       cause, (unsigned long long)lost);
    else
        log_write_once(notes->log, once, LOG_LEVEL_WARN, subject, "%s", cause);
}

// A look-up may meet these long before it turns out what cannot be saved for them.
static bool may_cost_results(enum library_note note)
{
    return note == LIBRARY_NOTE_LOCKED || note == LIBRARY_NOTE_FULL ||
           note == LIBRARY_NOTE_READ_ONLY || note == LIBRARY_NOTE_OTHER;
}

void library_notes_database(struct library_notes *notes, int error, uint64_t lost)
{
    const enum library_note note = note_of(error);
    if (lost || !notes->database || !may_cost_results(note))
        say(notes, error, lost);
    else
        atomic_store_explicit(&notes->pending[note], error, memory_order_relaxed);
}

void library_notes_end(struct library_notes *notes)
{
    for (unsigned i = 0; i < LIBRARY_NOTES; ++i) {
        const int error = atomic_load_explicit(&notes->pending[i], memory_order_relaxed);
        if (error)
            say(notes, error, 0);
    }
}

// Note a path: its first `bytes`. @return 1 if it is new here. Allocates before the lock is taken.
static int is_new(struct library_notes *notes, const char *path, size_t bytes)
{
    struct library_noted *added = malloc(sizeof(*added) + bytes);
    if (!added)
        return 0;
    added->bytes = bytes;
    memcpy(added->path, path, bytes);
    mutex_lock(&notes->lock);
    struct library_noted *n = notes->noted;
    while (n && (n->bytes != bytes || memcmp(n->path, path, bytes) != 0))
        n = n->next;
    if (!n) {
        added->next = notes->noted;
        notes->noted = added;
        added = NULL;
    }
    mutex_unlock(&notes->lock);
    free(added);
    return !n;
}

void library_notes_unsaved(struct library_notes *notes, const char *path)
{
    if (is_new(notes, path, strlen(path)))
        log_write(notes->log, LOG_LEVEL_WARN, path,
                  "its analysis has a figure out of bounds: it is not saved");
}

void library_notes_gone(struct library_notes *notes, uint64_t lost)
{
    if (lost)
        log_write(notes->log, LOG_LEVEL_WARN, NULL,
                  "%llu results are not saved: their files are gone or cannot be read any more",
                  (unsigned long long)lost);
}

void library_notes_unwritable(struct library_notes *notes, const char *sidecar, int error)
{
    const char *slash = strrchr(sidecar, '/');
    if (!is_new(notes, sidecar, slash ? (size_t)(slash - sidecar) : 0))
        return;
    char *folder =
        slash ? strndup(sidecar, slash == sidecar ? 1 : (size_t)(slash - sidecar)) : strdup(".");
    log_write(notes->log, LOG_LEVEL_WARN, folder, "sidecars cannot be written here: %s",
              strerror(-error));
    free(folder);
}

void library_notes_sidecar(struct library_notes *notes, const char *sidecar, int error)
{
    const char *cause = error == -EBADMSG                      ? "damaged"
                        : error == -EOVERFLOW                  ? "made by a newer version of Segue"
                        : error == -EFBIG                      ? "too large"
                        : error == -ELOOP                      ? "a link"
                        : error == -EISDIR || error == -ESPIPE ? "not a regular file"
                                                               : strerror(-error);
    // Who looks a track up and who writes its sidecar both meet it.
    if (is_new(notes, sidecar, strlen(sidecar)))
        log_write(notes->log, LOG_LEVEL_WARN, sidecar, "%s: this sidecar is not used", cause);
}
