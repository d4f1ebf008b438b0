// SPDX-License-Identifier: MIT
// What the containers of plain PCM say of their length, which libsndfile quietly corrects, and what of FLAC's
// metadata is nothing to it.
#pragma once
#include "dsp/annotate.h"
#include "io/bytes/source.h"
#include <stdint.h>

enum { CONTAINER_UNNEEDED = 32 }; // blocks; the rest is left to libFLAC

/// Up to eight bytes to be read instead of a file's own.
struct byte_patch {
    uint64_t offset;
    uint32_t count; // 0: none
    unsigned char bytes[8];
};

struct container_lengths {
    uint64_t stated_bytes; // that the file must have by its own header; 0: it does not say
    uint64_t data_offset;  // of the first sample's byte; 0: not known
    int is_ogg;            // it begins as an Ogg file
    int is_hidden_ogg;     // it does behind other bytes, or nobody knows it
    int is_mpeg;           // its data are frames of MPEG audio, in a WAV file
    /// For the size of data whose writer left it open and never came back to it, as one that was killed, or that
    /// wrote to a pipe: all that follows. libsndfile would take it for no data, or for a corrupt header.
    struct byte_patch size;
    /// Where a FLAC stream's headers of metadata blocks lie that are not needed for its sound. libFLAC would refuse the
    /// file for one that is malformed, a picture of 20 bytes perhaps: their types are to be read as padding's.
    uint64_t unneeded[CONTAINER_UNNEEDED];
    uint32_t unneeded_count;
};

/// Look at the header. Formats other than WAV, AIFF, AU, CAF and FLAC say nothing here, but for Ogg, where the last
/// page states its own length. Blocks. @return 0; -ENOMEM; the source's errors.
MUST_CHECK int container_probe(struct container_lengths *lengths, struct source *source,
                               uint64_t size_bytes);
