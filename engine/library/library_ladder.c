// SPDX-License-Identifier: MIT
#include "engine/library/library_ladder.h"
#include "engine/library/library_columns.h"
#include "engine/library/library_document.h"
#include "engine/library/track_record.h"
#include "io/store/sidecar.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// --- identity

static bool has_checksum(struct library_lookup *lookup)
{
    if (lookup->has_checksum || lookup->has_changed)
        return lookup->has_checksum;
    const int error = track_checksum_of_file(&lookup->checksum, lookup->path, &lookup->identity);
    lookup->has_checksum = error == 0;
    lookup->has_changed = error == -ESTALE;
    return lookup->has_checksum;
}

// What an entry of a lower tier says of the file that it is of.
struct claim {
    const char *path;
    const struct file_identity *identity;
    bool is_fresh;
    const struct track_checksum *checksum;
};

enum match { MATCH_NONE, MATCH_STAT, MATCH_CHECKSUM };

// All equal: stat decides. Of another size it is another file. Between these, all its bytes decide.
static enum match match(const struct claim *claim, struct library_lookup *lookup)
{
    if (claim->identity->size_bytes != lookup->identity.size_bytes)
        return MATCH_NONE;
    if (!claim->is_fresh && strcmp(claim->path, lookup->absolute_path) == 0 &&
        memcmp(claim->identity, &lookup->identity, sizeof(lookup->identity)) == 0) {
        lookup->checksum = *claim->checksum;
        lookup->has_checksum = true;
        return MATCH_STAT;
    }
    return has_checksum(lookup) &&
                   memcmp(&lookup->checksum, claim->checksum, sizeof(lookup->checksum)) == 0
               ? MATCH_CHECKSUM
               : MATCH_NONE;
}

// --- the database

static int note(struct library_ladder *l, int error)
{
    if (error == -ENOENT || error == -ENOMEM)
        return error;
    const bool is_bad_page = error == -EBADMSG && l->reader;
    if (is_bad_page && store_is_partial(l->reader))
        error = -EUCLEAN;
    library_notes_database(l->notes, error, 0);
    l->is_damaged |= is_bad_page && error == -EBADMSG;
    if (is_bad_page)
        return error; // what other pages hold is as good as its checksums say
    l->is_corrupt |= error == -EBADMSG;
    l->is_unusable |= error != -EBADMSG && error != -EBUSY;
    store_close(&l->reader);
    return error;
}

static int open_reader(struct library_ladder *l)
{
    if (!l->database || l->is_unusable || l->is_corrupt)
        return -ENOENT;
    if (l->reader && !store_is_in_place(l->reader))
        store_close(&l->reader);
    if (l->reader)
        return 0;
    const int error = store_open_reader(&l->reader, l->database);
    return error ? note(l, error) : 0;
}

static bool is_match(const struct store_track *track, struct library_lookup *lookup,
                     enum match *found)
{
    const struct claim claim = {track->path, &track->identity, track->is_fresh, &track->checksum};
    *found =
        track->algorithm_version == ANALYSIS_ALGORITHM_VERSION ? match(&claim, lookup) : MATCH_NONE;
    return *found != MATCH_NONE;
}

// By path, then by what the file system calls the file. @return 0 and a row of this file's contents.
static int find_track(struct library_ladder *l, struct library_lookup *lookup,
                      struct store_track *track, enum match *found)
{
    int error = store_find_by_path(l->reader, lookup->absolute_path, track);
    if (!error && is_match(track, lookup, found))
        return 0;
    if (!error)
        store_track_deinit(track);
    if (error && error != -ENOENT)
        return error;
    error = store_find_by_inode(l->reader, &lookup->identity, track);
    if (!error && is_match(track, lookup, found))
        return 0;
    if (!error)
        store_track_deinit(track);
    return error ? error : -ENOENT;
}

static int read_record(struct library_ladder *l, struct library_lookup *lookup,
                       const struct store_track *track)
{
    struct store_targets targets = {0};
    char target[LIBRARY_TARGET_BYTES];
    library_columns_settings(&targets.settings, target, &l->settings);
    int error = store_find_targets(l->reader, track, &targets);
    if (error == -EBADMSG)
        (void)note(l, error); // a calibration makes them anew
    else if (error && error != -ENOENT)
        return error;
    const bool has_targets = !error;
    error = library_columns_to_record(&lookup->record, track, has_targets ? &targets : NULL);
    if (error)
        return error == -EBADMSG ? -ENOENT : error; // a record that no analysis makes is none
    lookup->outcome = has_targets ? LIBRARY_RECORD : LIBRARY_ANALYSIS;
    lookup->tier = LIBRARY_SQLITE;
    return 0;
}

static int ask_database(struct library_ladder *l, struct library_lookup *lookup,
                        enum library_repair *repair, char **moved_from)
{
    int error = open_reader(l);
    if (error)
        return error;
    struct store_track track;
    enum match found = MATCH_NONE;
    error = find_track(l, lookup, &track, &found);
    if (error)
        return note(l, error);
    error = read_record(l, lookup, &track);
    if (!error && found == MATCH_CHECKSUM) {
        *moved_from = strdup(track.path);
        *repair = *moved_from ? LIBRARY_MOVE : LIBRARY_KEEP;
    }
    store_track_deinit(&track);
    return error ? note(l, error) : 0;
}

// --- the sidecar

static bool is_same_setting(const struct mastering_settings *a, const struct mastering_settings *b)
{
    return a->preset == b->preset && a->goal == b->goal && a->intensity == b->intensity &&
           (a->goal != LOUDNESS_FIXED || a->target_lufs == b->target_lufs);
}

static void take_document(struct library_ladder *l, struct library_lookup *lookup,
                          struct library_document *document)
{
    const struct claim claim = {document->path, &document->identity, document->is_fresh,
                                &document->checksum};
    const uint32_t version =
        track_record_analysis(track_record_of(document->record))->algorithm_version;
    if (version != ANALYSIS_ALGORITHM_VERSION || match(&claim, lookup) == MATCH_NONE)
        return; // another track's, or another program's: no trouble worth a word
    lookup->outcome = document->has_targets && is_same_setting(&document->settings, &l->settings)
                          ? LIBRARY_RECORD
                          : LIBRARY_ANALYSIS;
    lookup->tier = LIBRARY_SIDECAR;
    lookup->record = document->record; // with its reference
    document->record = NULL;
}

static void ask_sidecar(struct library_ladder *l, struct library_lookup *lookup)
{
    char *path = sidecar_path(lookup->path), *text = NULL;
    size_t bytes = 0;
    int error = path ? sidecar_read(path, &text, &bytes) : -ENOMEM;
    struct library_document document = {0};
    if (!error)
        error = library_document_read(&document, text, bytes);
    if (!error)
        take_document(l, lookup, &document);
    else if (error != -ENOENT && error != -ENOMEM && error != -ENAMETOOLONG)
        library_notes_sidecar(l->notes, path, error);
    library_document_deinit(&document);
    free(text);
    free(path);
}

// --- both

enum library_repair library_ladder_climb(struct library_ladder *l, struct library_lookup *lookup,
                                         char **moved_from)
{
    enum library_repair repair = LIBRARY_KEEP;
    struct library_file now;
    *moved_from = NULL;
    lookup->outcome = LIBRARY_MISS;
    lookup->absolute_path = library_path_absolute(lookup->path);
    // What the file is now is what the mark is about; the reader of its audio compares again at its end.
    if (library_path_identify(lookup->path, &now) ||
        memcmp(&now.identity, &lookup->identity, sizeof(now.identity)) != 0) {
        lookup->has_changed = true;
        return LIBRARY_KEEP;
    }
    lookup->is_fresh = now.is_fresh;
    if (!lookup->absolute_path)
        return LIBRARY_KEEP; // no memory: there may be some when it is saved
    if (ask_database(l, lookup, &repair, moved_from) == 0)
        return repair;
    assert(!lookup->record);
    ask_sidecar(l, lookup);
    return lookup->record ? LIBRARY_STORE : LIBRARY_KEEP;
}

// --- what is out of date

struct outdated_rows {
    struct library_outdated *query;
    unsigned count;
};

enum { FOUND = 1 };

static int take_outdated(void *context, int64_t id, const char *path)
{
    struct outdated_rows *rows = context;
    struct library_outdated *query = rows->query;
    struct library_file file;
    ++rows->count;
    query->id = id;
    if (path[0] != '/' || library_path_identify(path, &file))
        return 0;
    query->path = strdup(path);
    if (!query->path)
        return -ENOMEM;
    query->identity = file.identity;
    return FOUND;
}

void library_ladder_find_outdated(struct library_ladder *l, struct library_outdated *query)
{
    struct outdated_rows rows = {.query = query};
    int result = 0;
    do {
        rows.count = 0;
        result = open_reader(l);
        if (!result)
            result = store_find_outdated(l->reader, ANALYSIS_ALGORITHM_VERSION, query->id,
                                         take_outdated, &rows);
        if (result < 0)
            (void)note(l, result); // there is nothing more to be had
    } while (result == 0 && rows.count > 0);
}

void library_ladder_deinit(struct library_ladder *ladder)
{
    store_close(&ladder->reader);
}
