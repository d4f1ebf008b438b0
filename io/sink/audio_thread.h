// SPDX-License-Identifier: MIT
// What a thread that feeds a device asks of the kernel, once, before it has to be on time.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

/// Name the calling thread and ask for a realtime priority for it, which its children do not inherit.
/// @return the priority read back, not the one asked for; 0: an ordinary thread, as limits may have it.
int audio_thread_enter(const char *name);
/// CLOCK_MONOTONIC; not a system call on the platforms that have a vDSO.
int64_t audio_thread_now_ns(void);
