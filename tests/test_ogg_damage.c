// SPDX-License-Identifier: MIT
// Vorbis and Opus of which something is missing, or has become more: the rest
// plays, in its time, and what is wrong is told.
#include "io/sound/decoder.h"
#include "support/loop_thread.h"
#include "support/ogg_file.h"
#include "support/scratch.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAMES = 300013, RATE_HZ = 48000, FADE_FRAMES = RATE_HZ / 200, MOST_PADDING = 8192 };

static const unsigned char none[1]; // bytes
static struct loop_thread loop;
static struct loader *loader;
static char folder[SCRATCH_PATH_BYTES], path[SCRATCH_PATH_BYTES], bad[SCRATCH_PATH_BYTES];
static const int formats[] = {SF_FORMAT_VORBIS, SF_FORMAT_OPUS};

/// A file, in small pages, and what it sounds like.
struct sound {
    struct ogg_file file;
    struct ogg_played whole;
};

static void make(struct sound *s, int format)
{
    struct ogg_file file;
    ogg_file_write(path, format, RATE_HZ, 1, FRAMES);
    ogg_file_load(&file, path);
    ogg_file_save_paged(&file, path, 2000, 0);
    ogg_file_free(&file);
    ogg_file_load(&s->file, path);
    assert_true(s->file.pages > 7);
    assert_int_equal(ogg_file_play(&s->whole, loader, path), 0);
    assert_int_equal(s->whole.read, FRAMES);
}

/// In the encoder's pages: no header ends on one of sound.
static void make_as_written(struct sound *s, int format)
{
    ogg_file_write(path, format, RATE_HZ, 1, FRAMES);
    ogg_file_load(&s->file, path);
    assert_int_equal(ogg_file_play(&s->whole, loader, path), 0);
    assert_int_equal(s->whole.read, FRAMES);
}

static void unmake(struct sound *s)
{
    ogg_file_free(&s->file);
    free(s->whole.samples);
}

static void save(const unsigned char *before, size_t before_bytes, const struct ogg_file *file,
                 size_t bytes, const unsigned char *behind, size_t behind_bytes)
{
    FILE *stream = fopen(bad, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(before, 1, before_bytes, stream), before_bytes);
    assert_int_equal(fwrite(file->bytes, 1, bytes, stream), bytes);
    assert_int_equal(fwrite(behind, 1, behind_bytes, stream), behind_bytes);
    assert_int_equal(fclose(stream), 0);
}

/// Play, and demand the first `frames` frames of the whole and words for what
/// is wrong; NULL: nothing is.
static void expect(const struct sound *s, uint64_t frames, const char *words)
{
    struct ogg_played played;
    assert_int_equal(ogg_file_play(&played, loader, bad), 0);
    assert_int_equal(played.read, frames);
    assert_true(frames < FADE_FRAMES ||
                memcmp(played.samples, s->whole.samples,
                       (frames - FADE_FRAMES) * sizeof *played.samples) == 0);
    if (words ? !strstr(played.text, words) : played.damage)
        fail_msg("\"%s\", not \"%s\"", played.text, words ? words : "");
    free(played.samples);
}

static bool is_silent(const struct ogg_played *p, uint64_t frame)
{
    return p->samples[frame] == 0;
}

/// One run of silence of at least `least` frames, between sound that is the
/// whole's but for a fade.
static void expect_hole(const struct sound *s, uint64_t least)
{
    struct ogg_played p;
    assert_int_equal(ogg_file_play(&p, loader, bad), 0);
    assert_int_equal(p.frames, FRAMES);
    assert_int_equal(p.read, FRAMES);
    assert_int_equal(p.damage, DECODER_CORRUPT);
    assert_non_null(strstr(p.text, "are silent"));
    uint64_t first = 0, last;
    while (first + 2 < FRAMES &&
           !(is_silent(&p, first) && is_silent(&p, first + 1) && is_silent(&p, first + 2)))
        ++first;
    for (last = first; last < FRAMES && is_silent(&p, last);)
        ++last;
    assert_true(last - first >= least && last < FRAMES);
    for (uint64_t i = 0; i + FADE_FRAMES < first; ++i)
        assert_true(p.samples[i] == s->whole.samples[i]);
    // Opus predicts what follows from what came before, for a while.
    const bool is_vorbis = s->file.bytes[28] == 1;
    double error = 0, power = 0;
    for (uint64_t i = last + FADE_FRAMES; i < FRAMES; ++i) {
        const double sound = s->whole.samples[i], difference = p.samples[i] - sound;
        assert_true(!is_vorbis || difference == 0);
        error += difference * difference;
        power += sound * sound;
    }
    assert_true(error < 0.02 * power);
    free(p.samples);
}

static void what_follows_a_lost_page_keeps_its_time(void **state)
{
    (void)state;
    for (int f = 0; f < 2; ++f) {
        struct sound s;
        make(&s, formats[f]);
        for (uint32_t page = s.file.pages / 2; page < s.file.pages / 2 + 2; ++page) {
            ogg_file_save(&s.file, bad, page);
            expect_hole(&s, 500);
            unsigned char *byte = s.file.bytes + s.file.at[page] + 60; // its checksum is wrong
            *byte ^= 0x55;
            ogg_file_save(&s.file, bad, UINT32_MAX);
            expect_hole(&s, 500);
            *byte ^= 0x55;
        }
        unmake(&s);
    }
}

static uint32_t first_of_sound(const struct sound *s)
{
    uint32_t page = 0;
    for (ogg_page p; p = ogg_file_page(&s->file, page), ogg_page_granulepos(&p) <= 0;)
        ++page;
    return page;
}

static void set_granule(struct sound *s, uint32_t page, int64_t granule)
{
    ogg_page p = ogg_file_page(&s->file, page);
    for (int i = 0; i < 8; ++i)
        p.header[6 + i] = (unsigned char)((uint64_t)granule >> 8 * i);
    ogg_page_checksum_set(&p);
}

/// The bad file is as long as the whole one and ends like it, and its silence is told.
static void assert_only_the_begin_is_silent(const struct sound *s)
{
    struct ogg_played played;
    assert_int_equal(ogg_file_play(&played, loader, bad), 0);
    assert_int_equal(played.read, FRAMES);
    assert_true(is_silent(&played, 0) && is_silent(&played, 200));
    assert_true(played.samples[FRAMES - 1] == s->whole.samples[FRAMES - 1]);
    assert_non_null(strstr(played.text, "at 0.0 s are silent"));
    free(played.samples);
}

static void broken_first_page_of_sound_leaves_silence(void **state)
{
    (void)state;
    for (int f = 0; f < 2; ++f) {
        struct sound s;
        make(&s, formats[f]);
        uint32_t page = 0;
        for (ogg_page p; p = ogg_file_page(&s.file, page), ogg_page_granulepos(&p) <= 0;)
            ++page;
        const ogg_page p = ogg_file_page(&s.file, page);
        if (p.header[5] == 0 && page > 1) { // no header ends on it
            s.file.bytes[s.file.at[page + 1] - 1] ^= 1;
            ogg_file_save(&s.file, bad, UINT32_MAX);
            assert_only_the_begin_is_silent(&s);
        }
        unmake(&s);
    }
}

static void first_page_of_sound_that_is_not_there_leaves_silence(void **state)
{
    (void)state;
    for (int f = 0; f < 2; ++f) {
        struct sound s;
        make_as_written(&s, formats[f]);
        const uint32_t first = first_of_sound(&s);
        ogg_file_save(&s.file, bad, first);
        assert_only_the_begin_is_silent(&s);
        unmake(&s);
    }
}

// With two pages less it is as a recording's begin.
static void sound_that_begins_far_on_is_no_damage(void **state)
{
    (void)state;
    for (int f = 0; f < 2; ++f) {
        struct sound s;
        struct ogg_played played;
        make_as_written(&s, formats[f]);
        const uint32_t first = first_of_sound(&s);
        const size_t there = s.file.at[first], on = s.file.at[first + 2];
        save(none, 0, &s.file, there, s.file.bytes + on, s.file.size - on);
        assert_int_equal(ogg_file_play(&played, loader, bad), 0);
        assert_true(played.read > 0 && played.read < FRAMES);
        assert_int_equal(played.damage, DECODER_SOUND);
        free(played.samples);
        unmake(&s);
    }
}

static void expect_places(const struct sound *s)
{
    static float piece[1000];
    struct source *source = NULL;
    struct decoder *decoder = NULL;
    struct decoder_info info;
    assert_int_equal(source_open(&source, loader, &(struct source_config){.path = bad}), 0);
    assert_int_equal(decoder_open(&decoder, source, &info), 0);
    for (uint64_t at = 0; at < FRAMES - 1000; at += 99991) {
        assert_int_equal(decoder_seek(decoder, FRAMES - 1000 - at), 0);
        assert_int_equal(decoder_read(decoder, piece, 1000), 1000);
        assert_memory_equal(piece, s->whole.samples + FRAMES - 1000 - at, sizeof piece);
    }
    decoder_close(&decoder);
    source_close(&source);
}

static void sound_is_counted_where_granules_stand_still(void **state)
{
    (void)state;
    static const int64_t granules[] = {0, -1, INT64_MAX};
    for (int f = 0; f < 2; ++f) {
        struct sound s;
        make(&s, formats[f]);
        const uint32_t first = first_of_sound(&s);
        for (int k = 0; k < 3; ++k) {
            struct ogg_played played;
            for (uint32_t i = first; i < s.file.pages; ++i)
                set_granule(&s, i, granules[k]);
            ogg_file_save(&s.file, bad, UINT32_MAX);
            assert_int_equal(ogg_file_play(&played, loader, bad), 0);
            assert_int_equal(played.read, played.frames);
            assert_in_range(played.read, FRAMES, FRAMES + MOST_PADDING);
            assert_memory_equal(played.samples, s.whole.samples, FRAMES * sizeof *played.samples);
            assert_non_null(strstr(played.text, "pages do not tell their time"));
            free(played.samples);
            expect_places(&s);
        }
        unmake(&s);
    }
}

// A page is lost, and what follows says that it is 260 days later.
static void silence_that_no_bytes_can_hold_is_not_played(void **state)
{
    (void)state;
    for (int f = 0; f < 2; ++f) {
        struct sound s;
        struct ogg_played played;
        make(&s, formats[f]);
        const uint32_t lost = s.file.pages / 2;
        const ogg_page before = ogg_file_page(&s.file, lost - 1);
        const uint64_t kept = (uint64_t)ogg_page_granulepos(&before) - 4000;
        ogg_file_shift(&s.file, lost + 1, (int64_t)1 << 40);
        ogg_file_save(&s.file, bad, lost);
        assert_int_equal(ogg_file_play(&played, loader, bad), 0);
        assert_int_equal(played.read, played.frames);
        assert_in_range(played.read, kept, FRAMES);
        assert_memory_equal(played.samples, s.whole.samples, kept * sizeof *played.samples);
        assert_non_null(strstr(played.text, "pages do not tell their time"));
        free(played.samples);
        unmake(&s);
    }
}

static void bytes_between_pages_take_nothing_away(void **state)
{
    (void)state;
    static const unsigned char junk[3000] = "OggS\0\0";
    for (int f = 0; f < 2; ++f) {
        struct sound s;
        make(&s, formats[f]);
        const size_t at = s.file.at[s.file.pages / 2];
        save(none, 0, &s.file, at, junk, sizeof junk);
        FILE *stream = fopen(bad, "ab");
        assert_non_null(stream);
        assert_int_equal(fwrite(s.file.bytes + at, 1, s.file.size - at, stream), s.file.size - at);
        assert_int_equal(fclose(stream), 0);
        expect(&s, FRAMES, NULL);
        unmake(&s);
    }
}

static void bytes_before_the_first_page_are_told(void **state)
{
    (void)state;
    static const unsigned char junk[200] = "junk", id3[138] = "ID3\3\0\0\0\0\1";
    for (int f = 0; f < 2; ++f) {
        struct sound s;
        make(&s, formats[f]);
        save(junk, sizeof junk, &s.file, s.file.size, none, 0);
        expect(&s, FRAMES, "200 bytes before the sound");
        save(id3, sizeof id3, &s.file, s.file.size, none, 0);
        expect(&s, FRAMES, "138 bytes before the sound");
        unmake(&s);
    }
}

static void end_that_is_missing_is_told(void **state)
{
    (void)state;
    for (int f = 0; f < 2; ++f) {
        struct sound s;
        make(&s, formats[f]);
        const ogg_page before = ogg_file_page(&s.file, s.file.pages - 2);
        const uint64_t skipped =
            formats[f] == SF_FORMAT_OPUS ? s.file.bytes[38] + 256U * s.file.bytes[39] : 0;
        const uint64_t frames = (uint64_t)ogg_page_granulepos(&before) - skipped;
        s.file.bytes[s.file.size - 1] ^= 1;
        ogg_file_save(&s.file, bad, UINT32_MAX);
        expect(&s, frames, "the last page is broken");
        unmake(&s);
    }
}

static void headers_alone_are_told(void **state)
{
    (void)state;
    for (int f = 0; f < 2; ++f) {
        struct sound s;
        make(&s, formats[f]);
        uint32_t page = 1;
        for (ogg_page p; p = ogg_file_page(&s.file, page), ogg_page_granulepos(&p) <= 0;)
            ++page;
        if (page > 1) {
            save(none, 0, &s.file, s.file.at[page], none, 0);
            struct ogg_played played;
            const int error = ogg_file_play(&played, loader, bad);
            assert_true(error == -EBADMSG ||
                        (!error && played.read == 0 && strstr(played.text, "no sound follows")));
            free(played.samples);
        }
        save(none, 0, &s.file, s.file.at[1], none, 0);
        struct ogg_played played;
        assert_int_equal(ogg_file_play(&played, loader, bad), -EBADMSG);
        unmake(&s);
    }
}

static void page_that_would_reach_beyond_the_file_hides_none(void **state)
{
    (void)state;
    unsigned char claim[27 + 255] = "OggS";
    memset(claim + 26, 255, 256); // 255 segments of 255 bytes
    for (int f = 0; f < 2; ++f) {
        struct sound s;
        make(&s, formats[f]);
        const size_t at = s.file.at[s.file.pages - 1];
        save(none, 0, &s.file, at, claim, sizeof claim);
        FILE *stream = fopen(bad, "ab");
        assert_non_null(stream);
        assert_int_equal(fwrite(s.file.bytes + at, 1, s.file.size - at, stream), s.file.size - at);
        assert_int_equal(fclose(stream), 0);
        expect(&s, FRAMES, NULL);
        unmake(&s);
    }
}

static void pages_of_no_stream_behind_the_sound_are_told(void **state)
{
    (void)state;
    for (int f = 0; f < 2; ++f) {
        struct sound s;
        make(&s, formats[f]);
        const uint32_t from = s.file.pages - 7;
        const size_t bytes = s.file.at[s.file.pages] - s.file.at[from];
        unsigned char *pages = malloc(bytes);
        assert_non_null(pages);
        for (uint32_t i = from; i < s.file.pages; ++i) {
            ogg_page page = ogg_file_page(&s.file, i);
            page.header[14] ^= 1; // its number
            ogg_page_checksum_set(&page);
            memcpy(pages + s.file.at[i] - s.file.at[from], s.file.bytes + s.file.at[i],
                   s.file.at[i + 1] - s.file.at[i]);
            page.header[14] ^= 1;
            ogg_page_checksum_set(&page);
        }
        save(none, 0, &s.file, s.file.size, pages, bytes);
        expect(&s, FRAMES, "another stream begins, which is not read, at 6.3 s");
        const size_t whole = s.file.at[from];
        save(none, 0, &s.file, whole, pages,
             bytes); // of which the end is not known
        struct ogg_played played;
        assert_int_equal(ogg_file_play(&played, loader, bad), 0);
        assert_int_equal(played.read, played.frames);
        assert_true(played.frames > 0 && played.frames < FRAMES);
        assert_memory_equal(played.samples, s.whole.samples,
                            (played.frames - FADE_FRAMES) * sizeof *played.samples);
        free(played.samples);
        free(pages);
        unmake(&s);
    }
}

// What was read of the last page is gone when that of a stream beside it is
// looked at, and reading on must not take it.
static void nothing_is_read_twice_where_another_stream_ends_last(void **state)
{
    (void)state;
    enum { PROMISED = 3000, PAGES = 40, BYTES = 4000 };
    static unsigned char body[BYTES] = "fishead";
    for (int f = 0; f < 2; ++f) {
        struct sound s;
        struct ogg_played alone, beside;
        ogg_stream_state stream;
        ogg_page page;
        make(&s, formats[f]);
        ogg_file_shift(&s.file, s.file.pages - 1,
                       PROMISED); // so that reading goes on at the end
        ogg_file_save(&s.file, bad, UINT32_MAX);
        assert_int_equal(ogg_file_play(&alone, loader, bad), 0);
        assert_int_equal(ogg_stream_init(&stream, 99), 0);
        FILE *out = fopen(bad, "wb");
        assert_non_null(out);
        for (int i = 0; i < PAGES; ++i) {
            ogg_packet packet = {body, BYTES, i == 0, i + 1 == PAGES, i, i};
            assert_int_equal(ogg_stream_packetin(&stream, &packet), 0);
            assert_true(ogg_stream_flush(&stream, &page) > 0);
            fwrite(page.header, 1, (size_t)page.header_len, out);
            fwrite(page.body, 1, (size_t)page.body_len, out);
            if (i == 0)
                fwrite(s.file.bytes, 1, s.file.size, out);
        }
        assert_int_equal(fclose(out), 0);
        assert_int_equal(ogg_file_play(&beside, loader, bad), 0);
        assert_int_equal(beside.frames, alone.frames);
        assert_int_equal(beside.read, alone.read);
        assert_memory_equal(beside.samples, alone.samples, alone.read * sizeof *alone.samples);
        free(alone.samples);
        free(beside.samples);
        ogg_stream_clear(&stream);
        unmake(&s);
    }
}

static int set_up(void **state)
{
    (void)state;
    scratch_create(folder);
    scratch_path(path, folder, "file");
    scratch_path(bad, folder, "bad");
    loop_thread_open(&loop);
    loader = loop.loader;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder);
    return loop_thread_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_follows_a_lost_page_keeps_its_time),
        cmocka_unit_test(broken_first_page_of_sound_leaves_silence),
        cmocka_unit_test(first_page_of_sound_that_is_not_there_leaves_silence),
        cmocka_unit_test(sound_that_begins_far_on_is_no_damage),
        cmocka_unit_test(sound_is_counted_where_granules_stand_still),
        cmocka_unit_test(silence_that_no_bytes_can_hold_is_not_played),
        cmocka_unit_test(bytes_between_pages_take_nothing_away),
        cmocka_unit_test(bytes_before_the_first_page_are_told),
        cmocka_unit_test(end_that_is_missing_is_told),
        cmocka_unit_test(headers_alone_are_told),
        cmocka_unit_test(nothing_is_read_twice_where_another_stream_ends_last),
        cmocka_unit_test(page_that_would_reach_beyond_the_file_hides_none),
        cmocka_unit_test(pages_of_no_stream_behind_the_sound_are_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
