// SPDX-License-Identifier: MIT
// Excerpts that the mastering benchmark works on, and what is measured of them.
#pragma once
#include "dsp/annotate.h"
#include "support/mastered.h"

/// A piece from the middle of a file, at most `seconds` long. rate_hz 0: the file's own; channels 0: likewise,
/// at most 2. Another rate or channel count is ffmpeg's work.
struct mastering_excerpt {
    const char *path;
    double seconds;
    uint32_t rate_hz, channels;
};

/// Load it. The caller frees tape->interleaved. @return 0; -EIO; -ENOMEM.
MUST_CHECK int mastering_audio_load(struct mastered_tape *tape,
                                    const struct mastering_excerpt *from);
/// Read a whole file of 1 or 2 channels. The same.
MUST_CHECK int mastering_audio_read(struct mastered_tape *tape, const char *path);
/// Write 32-bit float WAV. @return 0; -EIO.
MUST_CHECK int mastering_audio_write(const char *path, const struct mastered_tape *tape);
void mastering_audio_free(struct mastered_tape *tape);

/// What was measured of one piece of audio.
struct mastering_figures {
    double lufs;    // by libebur128 where it was found at the build
    double itu_db;  // true peak by the ITU's filter, and of the samples
    double sinc_db; // by a 16x sinc near samples over half of the loudest
    double crest_db;
    double side_db;              // side against mid
    double low_side_db;          // the same of the bass
    double bands_db[BAND_COUNT]; // share of the whole
};

/// @return 0; -ENOMEM.
MUST_CHECK int mastering_audio_measure(struct mastering_figures *out,
                                       const struct mastered_tape *tape);
/// The largest change of a band's share in dB, bands of under 0.3 % left out.
double mastering_band_move_db(const struct mastering_figures *before,
                              const struct mastering_figures *after);
