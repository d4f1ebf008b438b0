// SPDX-License-Identifier: MIT
// The pictures of a report: waveform, loudness, gain reduction, spectrogram, spectrum.
#pragma once
#include "dsp/annotate.h"
#include "engine/desktop/report_page.h"
#include <stdio.h>

/// @return 0; -ENOMEM.
MUST_CHECK int report_pictures_write(FILE *out, const struct report_track *track);
