// SPDX-License-Identifier: MIT
#include "engine/desktop/render_tags.h"
#include "dsp/analysis.h"
#include <stdio.h>
#include <string.h>

static int begins_with_any(const char *entry, const char *const *prefixes)
{
    for (; *prefixes; ++prefixes)
        if (strncmp(entry, *prefixes, strlen(*prefixes)) == 0)
            return 1;
    return 0;
}

// Which speaker a channel was for, what a decoder is to cut off: the output has channels and ends of its own. Pictures
// are carried as such.
static int is_of_coding(const char *entry)
{
    static const char *const prefixes[] = {
        "WAVEFORMATEXTENSIBLE_CHANNEL_MASK=", "ITUNSMPB=", "METADATA_BLOCK_PICTURE=", NULL};
    return begins_with_any(entry, prefixes);
}

static int is_of_other_sound(const char *entry)
{
    static const char *const prefixes[] = {"REPLAYGAIN_",     "R128_",    "ITUNNORM=",   "MP3GAIN_",
                                           "SEGUE_MASTERED=", "ENCODER=", "ENCODED_BY=", NULL};
    return begins_with_any(entry, prefixes);
}

int render_tags_carry(struct tags *tags, const struct mastering_settings *settings,
                      const struct mastering_targets *targets)
{
    tags_drop(tags, is_of_coding);
    if (!targets)
        return 0;
    char mark[128];
    const int bytes =
        snprintf(mark, sizeof(mark), "version %d, %s, intensity %g, target %.1f LUFS",
                 ANALYSIS_ALGORITHM_VERSION, mastering_preset_name((int)settings->preset),
                 settings->intensity, targets->target_lufs);
    tags_drop(tags, is_of_other_sound);
    return tags_add(tags, "SEGUE_MASTERED", mark, (size_t)bytes);
}
