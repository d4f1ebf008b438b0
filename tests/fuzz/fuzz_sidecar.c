// SPDX-License-Identifier: MIT
// Any bytes as a sidecar: what is taken must print as something that reads back to the same.
#include "engine/library/library_document.h"
#include "engine/library/track_record.h"
#include "sealed.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void demand(int holds)
{
    if (!holds)
        abort(); // which libFuzzer reports with the input
}

// What the rest of the program takes for granted of a document.
static void demand_sound(const struct library_document *document)
{
    const struct analysis *analysis = track_record_analysis(track_record_of(document->record));
    demand(document->path[0] == '/');
    demand(!document->has_targets || mastering_settings_check(&document->settings) == 0);
    demand(analysis->key.tonic < PITCH_CLASS_COUNT && analysis->key.mode <= KEY_MODE_UNKNOWN);
    demand(analysis->genre.label <= GENRE_UNKNOWN);
    for (uint32_t i = 0; i < analysis->beat_count; ++i)
        demand(isfinite(analysis->beats_s[i]));
}

static char *print(struct library_document *document)
{
    char *text = library_document_print(document);
    demand(text != NULL);
    library_document_deinit(document);
    return text;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t most, unsigned seed)
{
    return sealed_mutate(data, bytes, most, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct library_document document;
    char *copy = malloc(bytes + 1); // sidecar_read() puts a NUL behind
    demand(copy != NULL);
    memcpy(copy, data, bytes);
    copy[bytes] = '\0';
    if (library_document_read(&document, copy, bytes) == 0) {
        demand_sound(&document);
        char *once = print(&document);
        demand(library_document_read(&document, once, strlen(once)) == 0);
        char *twice = print(&document);
        demand(strcmp(once, twice) == 0);
        free(twice);
        free(once);
    }
    free(copy);
    return 0;
}
