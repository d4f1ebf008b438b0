// SPDX-License-Identifier: MIT
// How dear the chain is, apart from calibration and analysis.
#pragma once
#include "mastering_audio.h"

/// Print the speeds on `tape` by CPU time. @return 0 or -errno.
MUST_CHECK int mastering_speed_run(struct mastered_tape *tape);
