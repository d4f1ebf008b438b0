// SPDX-License-Identifier: MIT
// How far a thread stands back: a nice value, or only what nobody else wants.
#pragma once
#include "dsp/annotate.h"

enum { YIELD_NICE_MAX = 19, YIELD_IDLE = 20 };

/// Lower the calling thread: `nice` (0..19) below what it has now; YIELD_IDLE: it computes (SCHED_IDLE) and reads
/// (the disk's idle class) only while nothing else wants to. Standing back needs no right, so it is not refused.
void yield_to_others(int nice);
