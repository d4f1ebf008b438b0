// SPDX-License-Identifier: MIT
// The last elements of a stream with the newest behind them, always contiguous in memory.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdint.h>

enum {
    HISTORY_PIECE = 256, // the most elements that one history_grow() may add
    HISTORY_SLACK = 32,  // elements behind the newest that may be read; their value means nothing
};

/// A line of equal elements. Thread-safety: one thread at a time.
struct history {
    unsigned char *bytes;
    size_t element_bytes;
    uint32_t keep; // elements that stay readable before those just added
    uint32_t capacity;
    uint32_t end;
};

/// Room for `keep` old elements, all zero bytes. @return 0; -ENOMEM. history_deinit() is safe then.
MUST_CHECK int history_init(struct history *history, size_t element_bytes, uint32_t keep);
/// Free the memory. A zeroed history is fine.
void history_deinit(struct history *history);
/// Make every old element equal to *element. RT safe.
RT_SAFE void history_fill(struct history *history, const void *element);
/// Add `count` (up to HISTORY_PIECE) elements, for the caller to write. @return the first of them:
/// `keep` older ones lie before it, and the pointer holds until the next call. RT safe.
RT_SAFE void *history_grow(struct history *history, uint32_t count);
