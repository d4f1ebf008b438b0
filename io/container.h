// SPDX-License-Identifier: MIT
// What the containers of plain PCM say of their length, which libsndfile quietly corrects.
#pragma once
#include "dsp/annotate.h"
#include "io/source.h"
#include <stdint.h>

struct container_lengths {
    uint64_t stated_bytes; // that the file must have by its own header; 0: it does not say
    uint64_t data_offset;  // of the first sample's byte; 0: not known
    /// 1: the writer of a WAV file left the size of its data at 0 and never came back to it, though
    /// data follows; libsndfile would take it for an empty file.
    int is_unfinished;
};

/// Look at the header. Formats other than WAV, AIFF, AU and CAF say nothing here, but for Ogg, where the last
/// page states its own length. Blocks. @return 0; -ENOMEM; the source's errors.
MUST_CHECK int container_probe(struct container_lengths *lengths, struct source *source,
                               uint64_t size_bytes);
