// SPDX-License-Identifier: MIT
// Which of a file's tags are still true of what `segue render` makes of it, and the mark that it adds.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "io/tags/tags.h"

/// Drop what is told of the input's coding, and, where the output is mastered, of its loudness; add SEGUE_MASTERED.
/// `targets` NULL: the output is not mastered. @return 0; -ENOMEM.
MUST_CHECK int render_tags_carry(struct tags *tags, const struct mastering_settings *settings,
                                 const struct mastering_targets *targets);
