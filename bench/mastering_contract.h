// SPDX-License-Identifier: MIT
// What the chain promises of any audio, measured: one line a promise.
#pragma once
#include "dsp/annotate.h"
#include "support/mastered.h"

/// Print each value beside its goal. @return 0; -errno; -ERANGE: a goal was missed.
MUST_CHECK int mastering_contract_run(struct mastered_tape *tape);
