// SPDX-License-Identifier: MIT
// A spectrogram as a picture within a page: PNG in a data URI.
#pragma once
#include "dsp/annotate.h"
#include "engine/desktop/spectrogram.h"
#include <stdio.h>

/// Power in dB that the darkest and the brightest colour stand for; beyond them it stays.
struct report_image_range {
    double low_db, high_db;
};

/// Write an <img> of one signal, high frequencies on top. `alt` is safe HTML. Errors of `out` stay with
/// it. @return 0; -ENOMEM.
MUST_CHECK int report_image_write(FILE *out, const struct spectrogram *spectrogram,
                                  enum spectrogram_signal signal,
                                  const struct report_image_range *range, const char *alt);
/// A range for both signals: from the loudest point down to 80 dB below it.
void report_image_fit(struct report_image_range *range, const struct spectrogram *spectrogram);
