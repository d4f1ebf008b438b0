// SPDX-License-Identifier: MIT
// Writes what the fuzz targets begin with: fuzz_seeds SIDECARS IMPORTS, two folders.
#include "engine/library/library_document.h"
#include "support/sample_record.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 4 };

static char *sample(uint64_t seed)
{
    char path[] = "/music/\xff odd\nname .flac";
    path[strlen(path) - 6] = (char)('0' + seed);
    struct library_document document = {
        .path = path,
        .identity = {UINT64_MAX, 1ULL << 63, 12345, -1, INT64_MAX},
        .is_fresh = seed % 2,
        .record = sample_record(seed),
        .has_targets = seed != 2,
        .settings = {.preset = PRESET_LIVE,
                     .goal = seed % 2 ? LOUDNESS_FIXED : LOUDNESS_AS_IS,
                     .target_lufs = -17.3,
                     .intensity = 0.1}};
    memset(&document.checksum, (int)seed, sizeof(document.checksum));
    char *text = library_document_print(&document);
    record_unref(&document.record);
    return text;
}

static FILE *create(const char *folder, int number)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/seed-%d", folder, number);
    FILE *file = fopen(path, "wb");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: fuzz_seeds SIDECARS IMPORTS\n");
        return 2;
    }
    FILE *lines = create(argv[2], 0);
    for (int i = 0; i < SAMPLES; ++i) {
        char *text = sample((uint64_t)i);
        FILE *file = create(argv[1], i);
        if (!text || fputs(text, file) == EOF || fputs(text, lines) == EOF || fclose(file) == EOF)
            return 1;
        free(text);
    }
    return fclose(lines) == EOF;
}
