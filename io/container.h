// SPDX-License-Identifier: MIT
// What the containers of plain PCM say of their length, which libsndfile quietly corrects.
#pragma once
#include "dsp/annotate.h"
#include "io/source.h"
#include <stdint.h>

/// How many bytes the file must have by its own header. *stated_bytes is 0 where it says nothing
/// (other formats, sizes left open by a writer that could not go back). Blocks.
/// @return 0, or the source's errors.
MUST_CHECK int container_stated_bytes(struct source *source, uint64_t size_bytes,
                                      uint64_t *stated_bytes, uint64_t *data_offset);
