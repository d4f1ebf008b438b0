// SPDX-License-Identifier: MIT
#include "engine/library/library_document.h"
#include "engine/escape.h"
#include "engine/library/analysis_json.h"
#include "engine/library/library_fields.h"
#include "engine/library/track_record.h"
#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const goals[] = {
    [LOUDNESS_OF_PRESET] = "preset", [LOUDNESS_FIXED] = "fixed", [LOUDNESS_AS_IS] = "asis"};
enum { GOALS = sizeof(goals) / sizeof(goals[0]) };

// What follows the text that the checksum covers: `"checksum": "HEX"}` and a newline.
static const char seal_head[] = "\"checksum\": \"", seal_tail[] = "\"}\n";
enum {
    SEAL_HEAD_BYTES = sizeof(seal_head) - 1,
    SEAL_TAIL_BYTES = sizeof(seal_tail) - 1,
    SEAL_HEX_BYTES = 2 * TRACK_CHECKSUM_BYTES,
    SEAL_BYTES = SEAL_HEAD_BYTES + SEAL_HEX_BYTES + SEAL_TAIL_BYTES
};

// --- writing

static json_t *identity_object(const struct library_document *d)
{
    char checksum[TRACK_CHECKSUM_HEX_BYTES];
    track_checksum_print(checksum, &d->checksum);
    char *path = escape_dup(d->path);
    if (!path)
        return NULL;
    json_t *object = json_pack(
        "{s:s,s:I,s:I,s:I,s:I,s:I,s:b,s:s}", "path", path, "device", (json_int_t)d->identity.device,
        "inode", (json_int_t)d->identity.inode, "size_bytes", (json_int_t)d->identity.size_bytes,
        "mtime_ns", (json_int_t)d->identity.mtime_ns, "ctime_ns", (json_int_t)d->identity.ctime_ns,
        "is_fresh", d->is_fresh, "track_checksum", checksum);
    free(path);
    return object;
}

static json_t *settings_object(const struct library_document *d)
{
    const struct mastering_settings *s = &d->settings;
    if (!d->has_targets)
        return json_null();
    return json_pack("{s:s,s:s,s:f,s:f}", "preset", mastering_preset_name((int)s->preset), "goal",
                     goals[s->goal], "target_lufs",
                     s->goal == LOUDNESS_FIXED ? s->target_lufs : 0.0, "intensity", s->intensity);
}

static char *print_value(json_t *value)
{
    char *text = value ? analysis_json_dump(value) : NULL;
    json_decref(value);
    return text;
}

static char *print_record(const struct library_document *d)
{
    const struct track_record *t = track_record_of(d->record);
    const struct analysis_report report = {.codec = t->codec,
                                           .analysis = track_record_analysis(t),
                                           .targets = d->has_targets ? &t->targets : NULL,
                                           .backend = t->on_cuda ? "cuda" : "cpu"};
    return analysis_json_print(&report, ANALYSIS_JSON_COMPLETE);
}

static char *seal(char *text)
{
    char hex[TRACK_CHECKSUM_HEX_BYTES], *sealed;
    const struct track_checksum checksum = track_checksum_of_bytes(text, strlen(text));
    track_checksum_print(hex, &checksum);
    if (asprintf(&sealed, "%s%s%s%s", text, seal_head, hex, seal_tail) < 0)
        sealed = NULL;
    return sealed;
}

char *library_document_print(const struct library_document *document)
{
    assert(document->path && document->record);
    char *identity = print_value(identity_object(document));
    char *settings = print_value(settings_object(document));
    char *record = print_record(document);
    char *text = NULL, *sealed = NULL;
    if (identity && settings && record &&
        asprintf(&text,
                 "{\"format\": \"segue-25d\", \"version\": %d, \"identity\": %s, \"settings\": %s, "
                 "\"cost_ns\": %lld, \"record\": %s, ",
                 LIBRARY_DOCUMENT_VERSION, identity, settings,
                 (long long)track_record_of(document->record)->cost_ns, record) >= 0) {
        sealed = seal(text);
        free(text);
    }
    free(identity);
    free(settings);
    free(record);
    return sealed;
}

// --- reading

static int check_seal(const char *text, size_t bytes)
{
    if (bytes < SEAL_BYTES)
        return -EBADMSG;
    const char *at = text + bytes - SEAL_BYTES;
    struct track_checksum said;
    if (memcmp(at, seal_head, SEAL_HEAD_BYTES) != 0 ||
        memcmp(at + SEAL_HEAD_BYTES + SEAL_HEX_BYTES, seal_tail, SEAL_TAIL_BYTES) != 0 ||
        track_checksum_parse(&said, at + SEAL_HEAD_BYTES))
        return -EBADMSG;
    const struct track_checksum found = track_checksum_of_bytes(text, bytes - SEAL_BYTES);
    return memcmp(&found, &said, sizeof(said)) != 0 ? -EBADMSG : 0;
}

// json_unpack() that tells members that are not there from memory that is not. @return 0; -EBADMSG; -ENOMEM.
static int unpack(json_t *object, const char *format, ...)
{
    json_error_t cause = {0}; // Jansson does not set all of it at once
    va_list members;
    va_start(members, format);
    const int is_bad = json_vunpack_ex(object, &cause, 0, format, members);
    va_end(members);
    if (!is_bad)
        return 0;
    return json_error_code(&cause) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
}

static int read_identity(struct library_document *d, json_t *object)
{
    const char *path, *checksum;
    json_int_t device, inode, size_bytes, mtime_ns, ctime_ns;
    int is_fresh;
    const int error =
        unpack(object, "{s:s,s:I,s:I,s:I,s:I,s:I,s:b,s:s}", "path", &path, "device", &device,
               "inode", &inode, "size_bytes", &size_bytes, "mtime_ns", &mtime_ns, "ctime_ns",
               &ctime_ns, "is_fresh", &is_fresh, "track_checksum", &checksum);
    if (error)
        return error;
    if (path[0] != '/' || size_bytes < 0 || strlen(checksum) != SEAL_HEX_BYTES ||
        track_checksum_parse(&d->checksum, checksum))
        return -EBADMSG;
    d->identity = (struct file_identity){.device = (uint64_t)device,
                                         .inode = (uint64_t)inode,
                                         .size_bytes = (uint64_t)size_bytes,
                                         .mtime_ns = mtime_ns,
                                         .ctime_ns = ctime_ns};
    d->is_fresh = is_fresh;
    d->path = strdup(path);
    if (!d->path)
        return -ENOMEM;
    return escape_undo(d->path) == strlen(d->path) ? 0 : -EBADMSG; // a path has no NUL inside
}

static int read_settings(struct library_document *d, json_t *object)
{
    const char *preset, *goal;
    struct mastering_settings *s = &d->settings;
    d->has_targets = !json_is_null(object);
    if (!d->has_targets)
        return 0;
    const int error = unpack(object, "{s:s,s:s,s:F,s:F}", "preset", &preset, "goal", &goal,
                             "target_lufs", &s->target_lufs, "intensity", &s->intensity);
    if (error)
        return error;
    const int known_preset = mastering_preset_parse(preset);
    int known_goal = 0;
    while (known_goal < GOALS && strcmp(goals[known_goal], goal) != 0)
        ++known_goal;
    if (known_preset < 0 || known_goal == GOALS)
        return -EBADMSG;
    s->preset = (enum mastering_preset)known_preset;
    s->goal = (enum loudness_goal)known_goal;
    return mastering_settings_check(s) ? -EBADMSG : 0;
}

static int read_record(struct library_document *d, const json_t *object, int64_t cost_ns)
{
    struct analysis_json_record read;
    int error = object ? analysis_json_read_object(&read, object) : -EBADMSG;
    if (error)
        return error;
    struct track_record head = {
        .targets = read.targets, .cost_ns = cost_ns, .has_targets = d->has_targets};
    head.on_cuda = strcmp(read.backend, "cuda") == 0;
    snprintf(head.codec, sizeof(head.codec), "%s", read.codec);
    if ((!read.has_targets && d->has_targets) ||
        (!head.on_cuda && strcmp(read.backend, "cpu") != 0))
        error = -EBADMSG;
    if (!error)
        error = library_fields_check(&head, read.analysis);
    if (!error) {
        d->record = track_record_create(&head, read.analysis);
        error = d->record ? 0 : -ENOMEM;
    }
    free(read.analysis);
    return error;
}

static int read_object(struct library_document *d, json_t *object)
{
    const char *format;
    json_int_t version, cost_ns;
    int error = unpack(object, "{s:s,s:I}", "format", &format, "version", &version);
    if (error)
        return error;
    if (strcmp(format, "segue-25d") != 0)
        return -EBADMSG;
    if (version != LIBRARY_DOCUMENT_VERSION)
        return version > LIBRARY_DOCUMENT_VERSION ? -EOVERFLOW : -EBADMSG;
    error = unpack(object, "{s:I}", "cost_ns", &cost_ns);
    if (!error)
        error = read_identity(d, json_object_get(object, "identity"));
    if (!error)
        error = read_settings(d, json_object_get(object, "settings"));
    return error ? error : read_record(d, json_object_get(object, "record"), cost_ns);
}

int library_document_read(struct library_document *document, const char *text, size_t bytes)
{
    assert(document && text);
    *document = (struct library_document){0};
    int error = check_seal(text, bytes);
    if (error)
        return error;
    json_t *object;
    error = analysis_json_parse(&object, text, bytes);
    if (error)
        return error;
    error = read_object(document, object);
    json_decref(object);
    if (error)
        library_document_deinit(document);
    return error;
}

void library_document_deinit(struct library_document *document)
{
    free(document->path);
    document->path = NULL;
    record_unref(&document->record);
}
