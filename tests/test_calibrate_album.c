// SPDX-License-Identifier: MIT
// One makeup for the tracks of an album: where it lands, as they are heard one behind another.
#include "support/calibrate_fixture.h"

enum { ALBUM_TRACKS = 3 };

struct album {
    struct tape tapes[ALBUM_TRACKS];
    struct pcm_reader readers[ALBUM_TRACKS];
    struct analysis *analyses[ALBUM_TRACKS];
    struct mastering_targets targets[ALBUM_TRACKS];
    struct calibrate_track tracks[ALBUM_TRACKS];
};

/// A loud, a quiet and a middling track, each with an EQ of its own.
static void make_album(struct album *album, const struct mastering_settings *settings,
                       enum calibrate_join join)
{
    static const double gains[ALBUM_TRACKS] = {0.4, 0.1, 0.2};
    for (int i = 0; i < ALBUM_TRACKS; ++i) {
        album->tapes[i] = song(gains[i], 2);
        album->readers[i] = reader_of(&album->tapes[i]);
        album->analyses[i] = song_analysis(naive_lufs(album->tapes[i].samples, FRAMES));
        album->analyses[i]->fingerprint[FINGERPRINT_BASS_PCT] = 0.3 + 0.2 * i;
        mastering_targets_compute(&album->targets[i], album->analyses[i], settings);
        album->tracks[i] = (struct calibrate_track){.targets = &album->targets[i],
                                                    .analysis = album->analyses[i],
                                                    .reader = &album->readers[i],
                                                    .join = i ? join : CALIBRATE_FRESH};
    }
}

static void free_album(struct album *album)
{
    for (int i = 0; i < ALBUM_TRACKS; ++i) {
        free(album->tapes[i].samples);
        free(album->analyses[i]);
    }
}

/// The album as one: the chain runs on through it, its parameters by ramps.
static float *render_album(const struct album *album)
{
    struct chain *chain;
    assert_int_equal(chain_create(&chain, RATE_HZ), 0);
    const uint32_t delay = chain_delay_frames(chain), frames = ALBUM_TRACKS * FRAMES;
    float *x = calloc((size_t)frames + delay, 2 * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < ALBUM_TRACKS; ++i) {
        float *at = x + i * 2 * FRAMES;
        memcpy(at, album->tapes[i].samples, (size_t)2 * FRAMES * sizeof *at);
        if (i == 0)
            chain_reset(chain, &album->targets[i]);
        else
            chain_ramp_to(chain, &album->targets[i], CHAIN_JOIN_SECONDS * RATE_HZ);
        chain_process(chain, at, i + 1 < ALBUM_TRACKS ? FRAMES : FRAMES + delay);
    }
    memmove(x, x + (size_t)2 * delay, (size_t)frames * 2 * sizeof *x);
    chain_destroy(&chain);
    return x;
}

/// The loudness of the album as it was, its tracks one behind another.
static double own_lufs_of(const struct album *album)
{
    float *joined = malloc((size_t)ALBUM_TRACKS * 2 * FRAMES * sizeof *joined);
    assert_non_null(joined);
    for (size_t i = 0; i < ALBUM_TRACKS; ++i)
        memcpy(joined + i * 2 * FRAMES, album->tapes[i].samples, 2 * FRAMES * sizeof *joined);
    const double lufs = naive_lufs(joined, ALBUM_TRACKS * FRAMES);
    free(joined);
    return lufs;
}

static void album_lands_on_its_target_by_one_makeup(void **state)
{
    (void)state;
    struct mastering_settings settings = mastering_settings_default();
    settings.goal = LOUDNESS_FIXED;
    settings.target_lufs = -14;
    struct album album;
    make_album(&album, &settings, CALIBRATE_RUNS_ON);
    const struct mastering_targets before = album.targets[1];
    struct calibrate_album found;
    assert_int_equal(calibrate_album(album.tracks, ALBUM_TRACKS, &settings, &found), 0);

    float *out = render_album(&album);
    const double measured = naive_lufs(out, ALBUM_TRACKS * FRAMES);
    print_message("album %.3f LUFS for %.0f, makeup %+.2f dB\n", measured, settings.target_lufs,
                  album.targets[0].makeup_db);
    assert_true(fabs(measured - settings.target_lufs) <= 0.1);
    assert_true(fabs(measured - found.lufs) <= 0.01);
    for (int i = 0; i < ALBUM_TRACKS; ++i) {
        const double own = naive_lufs(out + (size_t)i * 2 * FRAMES, FRAMES);
        assert_true(fabs(own - album.targets[i].predicted_lufs) <= 0.05);
        assert_true(album.targets[i].makeup_db == album.targets[0].makeup_db);
        assert_int_equal(album.targets[i].shortfall, SHORTFALL_NONE);
    }
    assert_memory_equal(album.targets[1].eq_db, before.eq_db, sizeof before.eq_db);
    assert_true(album.targets[1].predicted_lufs < album.targets[0].predicted_lufs - 8);
    free(out);
    free_album(&album);
}

/// Where the chain runs on, each track is limited by its own release, as it will be heard.
static void album_that_runs_on_is_rehearsed_with_each_tracks_own_release(void **state)
{
    (void)state;
    static const double releases_s[ALBUM_TRACKS] = {0.02, 2.0, 0.02};
    struct mastering_settings settings = mastering_settings_default();
    settings.goal = LOUDNESS_FIXED;
    settings.target_lufs = -12;
    struct album album;
    make_album(&album, &settings, CALIBRATE_RUNS_ON);
    for (int i = 0; i < ALBUM_TRACKS; ++i) {
        for (size_t n = 0; n < (size_t)2 * FRAMES; ++n) // all of them loud enough to be limited
            album.tapes[i].samples[n] *= i == 1 ? 4.0F : i == 2 ? 2.0F : 1.0F;
        album.targets[i].limiter.release_s = releases_s[i];
    }
    struct calibrate_album found;
    assert_int_equal(calibrate_album(album.tracks, ALBUM_TRACKS, &settings, &found), 0);

    float *out = render_album(&album);
    const double measured = naive_lufs(out, ALBUM_TRACKS * FRAMES);
    print_message("album %.3f LUFS, predicted %.3f for %.0f, makeup %+.2f dB\n", measured,
                  found.lufs, settings.target_lufs, album.targets[0].makeup_db);
    for (int i = 0; i < ALBUM_TRACKS; ++i) {
        const double own = naive_lufs(out + (size_t)i * 2 * FRAMES, FRAMES);
        print_message("track %d: %.3f LUFS, predicted %.3f, limiting %.2f dB\n", i, own,
                      album.targets[i].predicted_lufs, album.targets[i].limiter_reduction_db);
        assert_true(album.targets[i].limiter_reduction_db > 0.5);
        assert_true(fabs(own - album.targets[i].predicted_lufs) <= 0.05);
    }
    assert_true(fabs(measured - settings.target_lufs) <= 0.1);
    free(out);
    free_album(&album);
}

static void album_as_it_is_keeps_its_own_loudness(void **state)
{
    (void)state;
    struct mastering_settings settings = mastering_settings_default();
    settings.goal = LOUDNESS_AS_IS;
    struct album album;
    make_album(&album, &settings, CALIBRATE_FRESH);
    const double own_lufs = own_lufs_of(&album);
    struct calibrate_album found;
    assert_int_equal(calibrate_album(album.tracks, ALBUM_TRACKS, &settings, &found), 0);
    assert_true(fabs(found.target_lufs - own_lufs) <= 0.1);
    assert_true(fabs(found.lufs - found.target_lufs) <= 0.1);
    free_album(&album);
}

// What is asked for then depends on what the album is.
static void album_at_half_intensity_goes_half_of_the_way(void **state)
{
    (void)state;
    struct mastering_settings settings = mastering_settings_default();
    settings.goal = LOUDNESS_FIXED;
    settings.target_lufs = -20;
    settings.intensity = 0.5;
    struct album album;
    make_album(&album, &settings, CALIBRATE_FRESH);
    const double own_lufs = own_lufs_of(&album);
    struct calibrate_album found;
    assert_int_equal(calibrate_album(album.tracks, ALBUM_TRACKS, &settings, &found), 0);
    print_message("%.2f LUFS, target %.2f\n", own_lufs, found.target_lufs);
    assert_true(fabs(own_lufs + 20) > 2);
    assert_true(fabs(found.target_lufs - (own_lufs - 20) / 2) <= 0.1);
    free_album(&album);
}

/// Tracks of a second and less: most blocks of the album are no one track's.
static void album_of_jingles_lands_on_its_target_as_it_is_heard(void **state)
{
    (void)state;
    static const double seconds[][ALBUM_TRACKS] = {{0.95, 0.95, 0.95}, {0.35, 3.0, 0.39}};
    static const double goals_lufs[] = {-24, -24, -14, -18.5}; // at rest, limited
    struct mastering_settings settings = mastering_settings_default();
    settings.goal = LOUDNESS_FIXED;
    for (int i = 0; i < 4; ++i) {
        struct album album;
        settings.target_lufs = goals_lufs[i];
        make_album(&album, &settings, CALIBRATE_FRESH);
        float *joined = malloc((size_t)ALBUM_TRACKS * 2 * FRAMES * sizeof *joined);
        assert_non_null(joined);
        for (int k = 0; k < ALBUM_TRACKS; ++k)
            album.tapes[k].frames = (uint32_t)(seconds[i % 2][k] * RATE_HZ);
        struct calibrate_album found;
        assert_int_equal(calibrate_album(album.tracks, ALBUM_TRACKS, &settings, &found), 0);
        uint32_t frames = 0, opens = album.tapes[0].opens;
        for (int k = 0; k < ALBUM_TRACKS; frames += album.tapes[k++].frames) {
            float *out = render(&album.tapes[k], &album.targets[k]);
            memcpy(joined + 2 * (size_t)frames, out,
                   2 * (size_t)album.tapes[k].frames * sizeof *out);
            free(out);
        }
        const double measured = naive_lufs(joined, frames);
        print_message("%.3f LUFS for %.1f, limiting %.2f dB, shortfall %d, %u passes\n", measured,
                      settings.target_lufs, album.targets[0].limiter_reduction_db,
                      (int)album.targets[0].shortfall, opens);
        assert_int_equal(album.targets[0].shortfall, SHORTFALL_NONE);
        assert_true(fabs(measured - settings.target_lufs) <= 0.1);
        assert_true(fabs(measured - found.lufs) <= 0.01);
        free(joined);
        free_album(&album);
    }
}

static void album_stays_below_where_one_tracks_limiter_would_take_too_much(void **state)
{
    (void)state;
    struct mastering_settings settings = mastering_settings_default();
    settings.goal = LOUDNESS_FIXED;
    settings.target_lufs = -6;
    struct album album;
    make_album(&album, &settings, CALIBRATE_FRESH);
    struct calibrate_album found;
    assert_int_equal(calibrate_album(album.tracks, ALBUM_TRACKS, &settings, &found), 0);
    assert_true(found.lufs < -6.1 && found.dbtp <= -1);
    for (int i = 0; i < ALBUM_TRACKS; ++i) {
        assert_int_equal(album.targets[i].shortfall, SHORTFALL_LIMITER);
        assert_true(album.targets[i].limiter_reduction_db < 5.5);
    }
    assert_true(album.targets[0].limiter_reduction_db > 3.8); // the loud one sets the bound
    free_album(&album);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(album_lands_on_its_target_by_one_makeup),
        cmocka_unit_test(album_that_runs_on_is_rehearsed_with_each_tracks_own_release),
        cmocka_unit_test(album_as_it_is_keeps_its_own_loudness),
        cmocka_unit_test(album_at_half_intensity_goes_half_of_the_way),
        cmocka_unit_test(album_of_jingles_lands_on_its_target_as_it_is_heard),
        cmocka_unit_test(album_stays_below_where_one_tracks_limiter_would_take_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
