// SPDX-License-Identifier: MIT
// A record of an analysis nobody made: every figure is another, some are null.
#pragma once
#include "cache/record.h"
#include <stdint.h>

/// A struct track_record with targets; the same for the same seed. Asserts that there is memory.
struct record *sample_record(uint64_t seed);
/// Asserts that both print the same complete JSON, but for timing.
void sample_record_assert_equal(const struct record *a, const struct record *b);
