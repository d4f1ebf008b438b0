// SPDX-License-Identifier: MIT
// An immutable, reference-counted piece of bytes: what the cache keeps.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>

/// Thread-safety: Safe. Written by its creator only before anyone else sees it.
struct record;

/// A record of `bytes` zeroed bytes, aligned for any type, with one reference held by the caller.
/// @return NULL without memory.
MUST_CHECK struct record *record_create(size_t bytes);
/// @return `record`, with one more reference.
struct record *record_ref(struct record *record);
/// Drop one reference and set *record to NULL; the last one frees. NULL is fine.
void record_unref(struct record **record);
/// To fill before publication: the caller must hold the only reference.
void *record_data_mutable(struct record *record);
const void *record_data(const struct record *record);
size_t record_bytes(const struct record *record);
/// Bytes asked of the heap for it: the data and its bookkeeping.
size_t record_footprint_bytes(const struct record *record);
