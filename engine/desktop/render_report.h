// SPDX-License-Identifier: MIT
// What `segue render` says of each file: a line for people, or an object of JSON.
#pragma once
#include "dsp/annotate.h"
#include "engine/desktop/render_file.h"
#include <stdio.h>

/// "IN -> OUT: -18.2 -> -14.0 LUFS (target -14.0), ..", without the output where `out` is NULL.
void render_report_line(FILE *to, const char *in, const char *out,
                        const struct render_outcome *outcome);
/// The same figures as one object on one line. @return 0; -ENOMEM.
MUST_CHECK int render_report_json(FILE *to, const char *in, const char *out,
                                  const struct render_outcome *outcome);
