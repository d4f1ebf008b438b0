// SPDX-License-Identifier: MIT
// Statistics of the library as text.
#pragma once
#include "io/store/store.h"
#include <stdio.h>

/// One JSON object, or a few lines to read. Errors stay with the stream.
void cache_stats_print_json(FILE *out, const struct store_stats *stats);
void cache_stats_print_text(FILE *out, const struct store_stats *stats);
