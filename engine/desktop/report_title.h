// SPDX-License-Identifier: MIT
// What a report is called.
#pragma once
#include "dsp/annotate.h"
#include "io/bytes/loader.h"
#include <stddef.h>

/// One path: its last name. Several: the album that all their tracks are of, else how many tracks they are.
/// Blocks on the files' tags. New memory. @return NULL without memory.
MUST_CHECK char *report_title(char *const *paths, size_t count, struct loader *loader);
