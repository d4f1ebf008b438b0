// SPDX-License-Identifier: MIT
// PortAudio's devices by name, and its start and end, which are global to the process and noisy.
#pragma once
#include "dsp/annotate.h"
#include "io/sink/sink.h"
#include <portaudio.h>

/// Take the lock that keeps PortAudio's global state to one thread, and keep its libraries' chatter away
/// from standard error meanwhile. All the others are for use between these two.
void portaudio_enter(void);
void portaudio_leave(void);
/// Begin to use PortAudio, which then knows the devices of this moment; may nest. @return 0 or -EIO.
MUST_CHECK int portaudio_begin(void);
/// End what a successful portaudio_begin() began.
void portaudio_finish(void);
/// Find the output device called NAME or HOSTAPI:NAME; NULL: the default one.
/// @return 0; -ENODEV, and sink_error_text() says which way.
MUST_CHECK int portaudio_find(const char *wanted, PaDeviceIndex *found);
/// HOSTAPI:NAME, cut if longer.
void portaudio_name(PaDeviceIndex device, char name[static 128]);
