// SPDX-License-Identifier: MIT
// What the containers of plain PCM say of their length, which libsndfile quietly corrects.
#pragma once
#include "dsp/annotate.h"
#include "io/source.h"
#include <stdint.h>

/// Up to eight bytes to be read instead of a file's own.
struct byte_patch {
    uint64_t offset;
    uint32_t count; // 0: none
    unsigned char bytes[8];
};

struct container_lengths {
    uint64_t stated_bytes; // that the file must have by its own header; 0: it does not say
    uint64_t data_offset;  // of the first sample's byte; 0: not known
    /// For the size of data whose writer left it open and never came back to it, as one that was killed, or that
    /// wrote to a pipe: all that follows. libsndfile would take it for no data, or for a corrupt header.
    struct byte_patch size;
};

/// Look at the header. Formats other than WAV, AIFF, AU and CAF say nothing here, but for Ogg, where the last
/// page states its own length. Blocks. @return 0; -ENOMEM; the source's errors.
MUST_CHECK int container_probe(struct container_lengths *lengths, struct source *source,
                               uint64_t size_bytes);
