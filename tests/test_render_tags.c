// SPDX-License-Identifier: MIT
#include "dsp/analysis.h"
#include "engine/desktop/render_tags.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
// cmocka.h wants those above it
#include <cmocka.h>

static const char *const of_the_music[] = {"TITLE",           "ARTIST",     "ALBUM",
                                           "TRACKNUMBER",     "COMMENT",    "ENCODER SETTINGS",
                                           "R129_TRACK_GAIN", "REPLAYGAIN", "MY_R128_NOTES"};
static const char *const of_the_old_sound[] = {"REPLAYGAIN_TRACK_GAIN",
                                               "REPLAYGAIN_ALBUM_PEAK",
                                               "R128_TRACK_GAIN",
                                               "R128_ALBUM_GAIN",
                                               "ITUNNORM",
                                               "MP3GAIN_MINMAX",
                                               "SEGUE_MASTERED",
                                               "ENCODER",
                                               "ENCODED_BY"};
static const char *const of_the_coding[] = {"WAVEFORMATEXTENSIBLE_CHANNEL_MASK", "ITUNSMPB",
                                            "METADATA_BLOCK_PICTURE"};

#define COUNT(names) (sizeof(names) / sizeof *(names))

static void add(struct tags *tags, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        assert_int_equal(tags_add(tags, names[i], "old", 3), 0);
}

static struct tags all_kinds(void)
{
    struct tags tags = {0};
    add(&tags, of_the_old_sound, COUNT(of_the_old_sound));
    add(&tags, of_the_music, COUNT(of_the_music));
    add(&tags, of_the_coding, COUNT(of_the_coding));
    assert_int_equal(tags.count,
                     COUNT(of_the_old_sound) + COUNT(of_the_music) + COUNT(of_the_coding));
    return tags;
}

static void assert_kept(const struct tags *tags, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        const char *value = tags_get(tags, names[i]);
        if (!value || strcmp(value, "old"))
            fail_msg("%s is %s", names[i], value ? value : "lost");
    }
}

static void mastered_sound_loses_what_was_true_of_the_old_one_alone(void **state)
{
    (void)state;
    const struct mastering_settings settings = {.preset = PRESET_WARM, .intensity = 0.75};
    const struct mastering_targets targets = {.target_lufs = -14};
    struct tags tags = all_kinds();
    assert_int_equal(render_tags_carry(&tags, &settings, &targets), 0);
    assert_int_equal(tags.count, COUNT(of_the_music) + 1);
    assert_kept(&tags, of_the_music, COUNT(of_the_music));
    char mark[128];
    snprintf(mark, sizeof mark, "version %d, warm, intensity 0.75, target -14.0 LUFS",
             ANALYSIS_ALGORITHM_VERSION);
    assert_string_equal(tags_get(&tags, "SEGUE_MASTERED"), mark);
    assert_true(tags_was_mastered(&tags));
    tags_deinit(&tags);
}

static void sound_as_it_is_keeps_what_is_true_of_it(void **state)
{
    (void)state;
    const struct mastering_settings settings = mastering_settings_default();
    struct tags tags = all_kinds();
    assert_int_equal(render_tags_carry(&tags, &settings, NULL), 0);
    assert_int_equal(tags.count, COUNT(of_the_music) + COUNT(of_the_old_sound));
    assert_kept(&tags, of_the_music, COUNT(of_the_music));
    assert_kept(&tags, of_the_old_sound, COUNT(of_the_old_sound));
    tags_deinit(&tags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mastered_sound_loses_what_was_true_of_the_old_one_alone),
        cmocka_unit_test(sound_as_it_is_keeps_what_is_true_of_it),
    };
    return cmocka_run_group_tests_name("render_tags", tests, NULL, NULL);
}
