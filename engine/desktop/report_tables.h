// SPDX-License-Identifier: MIT
// The figures of a report: mastering targets, fingerprint, chroma, profile.
#pragma once
#include "engine/desktop/report_page.h"
#include <stdio.h>

void report_tables_write(FILE *out, const struct report_track *track);
