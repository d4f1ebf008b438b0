// SPDX-License-Identifier: MIT
// The torture set through the whole chain, at every rate and in mono.
#pragma once
#include "dsp/annotate.h"

/// Print the worst peaks over the ceiling and the worst loudness error. @return 0; -ENOMEM; -ERANGE: something
/// was over what is promised.
MUST_CHECK int mastering_torture_run(void);
