// SPDX-License-Identifier: MIT
#include "support/decoder_fixture.h"

static void put_le(unsigned char *to, uint32_t value, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = (unsigned char)(value >> 8 * i);
}

static void make_wav_header(unsigned char *to, uint32_t channels, uint32_t rate_hz,
                            uint32_t data_bytes)
{
    memcpy(to, "RIFF....WAVEfmt ", 16);
    put_le(to + 4, data_bytes + 36, 4);
    put_le(to + 16, 16, 4);
    put_le(to + 20, 1, 2);
    put_le(to + 22, channels, 2);
    put_le(to + 24, rate_hz, 4);
    put_le(to + 28, rate_hz * channels * 2, 4);
    put_le(to + 32, channels * 2, 2);
    put_le(to + 34, 16, 2);
    memcpy(to + 36, "data", 4);
    put_le(to + 40, data_bytes, 4);
}

static int open_error(const char *name)
{
    struct opened o;
    int error = try_open(&o, path_of(name));
    if (!error)
        close_both(&o);
    return error;
}

static void what_is_no_sound_file_is_refused_with_its_cause(void **state)
{
    (void)state;
    unsigned char wav[44 + 4000] = {0};
    assert_int_equal(open_error("absent"), -ENOENT);
    assert_int_equal(mkdir(path_of("directory"), 0700), 0);
    assert_int_equal(open_error("directory"), -EISDIR);
    save_file("bad", "", 0);
    assert_int_equal(open_error("bad"), -ENODATA);
    save_file("bad", "R", 1);
    assert_int_equal(open_error("bad"), -ENOTSUP);
    save_file("bad", "This is a text, whatever it is called.\n", 39);
    assert_int_equal(open_error("bad"), -ENOTSUP);
    save_file("bad", "RIFF", 4);
    assert_true(open_error("bad") < 0);
    save_file("bad", "fLaC", 4);
    assert_true(open_error("bad") < 0);
    // A stream's header alone: 44.1 kHz, stereo, 32 bits.
    static const unsigned char deep[42] = {'f', 'L', 'a', 'C', 0x80, 0, 0, 34,   16,   0,    16,
                                           0,   0,   0,   0,   0,    0, 0, 0x0a, 0xc4, 0x43, 0xf0};
    save_file("bad", deep, sizeof deep);
    assert_int_equal(open_error("bad"), -EPROTONOSUPPORT);
    unsigned char other[28 + 8] = "OggS\0\2";
    other[26] = 1;
    other[27] = 8;
    static const char ids[2][8] = {"\177FLAC", "Speex  "};
    for (int i = 0; i < 2; i++) {
        memcpy(other + 28, ids[i], 8);
        save_file("bad", other, sizeof other);
        assert_int_equal(open_error("bad"), -EPROTOTYPE);
    }
    assert_non_null(strstr(decoder_error_text(-EPROTOTYPE), "in Ogg, which cannot be read"));
    save_file("bad", "OggS\0\2", 6);
    assert_true(open_error("bad") < 0);
    save_file("bad", "ID3\4\0\0\177\177\177\177", 10);
    assert_true(open_error("bad") < 0);
    static const uint32_t shapes[][2] = {{9, 44100}, {0, 44100},  {65535, 44100}, {2, 0},
                                         {2, 999},   {2, 768001}, {2, 0xffffffff}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        make_wav_header(wav, shapes[i][0], shapes[i][1], 4000);
        save_file("bad", wav, sizeof wav);
        assert_true(open_error("bad") < 0);
    }
}

static enum decoder_damage play_bad(uint64_t *frames, char *text)
{
    struct opened o;
    assert_int_equal(try_open(&o, path_of("bad")), 0);
    float *all = read_all(&o, frames);
    for (uint64_t i = 0; i < *frames * o.info.format.channels; i++)
        assert_true(fabsf(all[i]) <= 1024);
    enum decoder_damage damage = decoder_damage(o.decoder);
    if (decoder_damage_text(o.decoder))
        snprintf(text, 160, "%s", decoder_damage_text(o.decoder));
    free(all);
    close_both(&o);
    return damage;
}

static void wav_shorter_than_it_says_is_truncated(void **state)
{
    (void)state;
    static unsigned char wav[44 + 44100 * 2];
    make_wav_header(wav, 1, 44100, 44100 * 2 * 2);
    save_file("bad", wav, sizeof wav);
    uint64_t frames;
    char text[160] = "";
    assert_int_equal(play_bad(&frames, text), DECODER_TRUNCATED);
    assert_int_equal(frames, 44100);
    assert_string_equal(text, "truncated: 1.0 of 2.0 s are there");
}

// Half a frame is a frame that is not there.
static void wav_that_lacks_a_byte_is_truncated(void **state)
{
    (void)state;
    static unsigned char wav[44 + 44100 * 4];
    for (uint32_t more = 1; more <= 4; more++) {
        make_wav_header(wav, 2, 44100, 44100 * 4 + more);
        save_file("bad", wav, sizeof wav);
        uint64_t frames;
        char text[160] = "";
        assert_int_equal(play_bad(&frames, text), DECODER_TRUNCATED);
        assert_int_equal(frames, 44100);
        assert_string_equal(text, "truncated: 1.000 of 1.000 s are there");
    }
}

/// The checksum of an Ogg page: polynomial 0x04c11db7, from the top, over all with its own field 0 (RFC 3533, 6).
static uint32_t ogg_checksum(const unsigned char *page, size_t bytes)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < bytes; i++) {
        sum ^= (uint32_t)(i >= 22 && i < 26 ? 0 : page[i]) << 24;
        for (int bit = 0; bit < 8; bit++)
            sum = sum << 1 ^ (sum >> 31 ? 0x04c11db7u : 0);
    }
    return sum;
}

// The last page's granule position says where the sound ends; muxers count up to a block too many.
static void ogg_whose_end_lies_behind_its_sound_is_told_from_a_muxers_slack(void **state)
{
    (void)state;
    for (uint32_t more = 5000; more <= 15000; more += 5000) {
        size_t bytes;
        unsigned char *data = load_file("a.ogg", &bytes), *page = data + bytes - 27;
        while (memcmp(page, "OggS", 4) != 0)
            page--;
        uint32_t end = page[6] | (uint32_t)page[7] << 8 | (uint32_t)page[8] << 16;
        assert_int_equal(end, FRAMES);
        put_le(page + 6, end + more, 4);
        put_le(page + 22, ogg_checksum(page, (size_t)(data + bytes - page)), 4);
        save_file("bad", data, bytes);
        free(data);
        uint64_t frames;
        char text[160] = "";
        assert_int_equal(play_bad(&frames, text), more < 8192 ? DECODER_SOUND : DECODER_CORRUPT);
        assert_in_range(frames, FRAMES, FRAMES + 2048);
    }
}

static void wav_that_ends_with_its_header_is_truncated(void **state)
{
    (void)state;
    unsigned char wav[44];
    make_wav_header(wav, 1, 44100, 44100 * 2 * 2);
    save_file("bad", wav, sizeof wav);
    struct opened o;
    float sample;
    assert_int_equal(try_open(&o, path_of("bad")), 0);
    assert_string_equal(decoder_damage_text(o.decoder), "truncated: 0.0 of 2.0 s are there");
    assert_int_equal(decoder_read(o.decoder, &sample, 1), 0);
    assert_int_equal(decoder_damage(o.decoder), DECODER_TRUNCATED);
    close_both(&o);
}

static void ogg_cut_within_a_page_is_told(void **state)
{
    (void)state;
    static const char *const names[] = {"a.ogg", "a.opus"};
    for (int i = 0; i < 2; i++) {
        size_t bytes;
        unsigned char *data = load_file(names[i], &bytes);
        for (size_t cut = 1; cut < 100; cut += 7) {
            save_file("bad", data, bytes - cut);
            uint64_t frames;
            char text[160] = "";
            assert_int_equal(play_bad(&frames, text), DECODER_CORRUPT);
            assert_non_null(strstr(text, "can be decoded"));
        }
        free(data);
    }
}

static void truncated_mp3_writes_nothing_to_standard_error(void **state)
{
    (void)state;
    size_t bytes;
    unsigned char *data = load_file("a.mp3", &bytes);
    save_file("bad", data, bytes / 2);
    free(data);
    int saved = dup(STDERR_FILENO), ends[2];
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    uint64_t frames;
    char text[160] = "";
    enum decoder_damage damage = play_bad(&frames, text);
    dup2(saved, STDERR_FILENO); // the pipe's last writer goes, so that reading ends
    close(saved);
    char noise[100];
    ssize_t length = read(ends[0], noise, sizeof noise);
    close(ends[0]);
    assert_int_equal(damage, DECODER_TRUNCATED);
    assert_int_equal(length, 0);
}

static void not_a_number_infinite_and_huge_samples_become_zero_and_are_counted(void **state)
{
    (void)state;
    float samples[1000];
    for (int i = 0; i < 1000; i++)
        samples[i] = 0.25f;
    samples[3] = NAN;
    samples[500] = INFINITY;
    samples[501] = -INFINITY;
    samples[502] = 1025;
    samples[503] = -1024;
    SF_INFO info = {.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT, .samplerate = 8000, .channels = 1};
    SNDFILE *file = sf_open(path_of("bad"), SFM_WRITE, &info);
    assert_non_null(file);
    assert_int_equal(sf_command(file, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE), SF_FALSE);
    assert_int_equal(sf_writef_float(file, samples, 1000), 1000);
    assert_int_equal(sf_close(file), 0);
    struct opened o;
    uint64_t frames;
    assert_int_equal(try_open(&o, path_of("bad")), 0);
    float *all = read_all(&o, &frames);
    assert_int_equal(frames, 1000);
    for (int i = 0; i < 1000; i++) {
        bool is_wild = i == 3 || (i >= 500 && i <= 502);
        assert_true(all[i] == (is_wild ? 0 : samples[i]));
    }
    assert_int_equal(decoder_replaced_samples(o.decoder), 4);
    free(all);
    close_both(&o);
}

// A seek in a lossy stream decodes a second before it, which is not heard.
static void wild_samples_that_a_seek_passes_over_are_not_counted(void **state)
{
    (void)state;
    enum { LOUD = 2 * RATE_HZ, LONG = 4 * RATE_HZ };
    SF_INFO info = {
        .format = SF_FORMAT_OGG | SF_FORMAT_VORBIS, .samplerate = RATE_HZ, .channels = 1};
    SNDFILE *file = sf_open(path_of("bad"), SFM_WRITE, &info);
    assert_non_null(file);
    for (int i = 0; i < LONG; i++) { // noise: of a tone the codec would make less
        float noise = (float)((unsigned)i * 2654435761u >> 8) / (1 << 23) - 1;
        float sample = (i < LOUD ? 9000 : 0.1f) * noise;
        assert_int_equal(sf_writef_float(file, &sample, 1), 1);
    }
    assert_int_equal(sf_close(file), 0);
    struct opened o;
    float piece[1000];
    assert_int_equal(try_open(&o, path_of("bad")), 0);
    assert_int_equal(decoder_seek(o.decoder, LOUD + RATE_HZ / 2), 0);
    assert_int_equal(decoder_read(o.decoder, piece, 1000), 1000);
    assert_int_equal(decoder_replaced_samples(o.decoder), 0);
    assert_int_equal(decoder_seek(o.decoder, RATE_HZ), 0);
    assert_int_equal(decoder_read(o.decoder, piece, 1000), 1000);
    const uint64_t heard = decoder_replaced_samples(o.decoder);
    assert_true(heard > 500);
    assert_int_equal(decoder_seek(o.decoder, LOUD + RATE_HZ / 2), 0);
    assert_int_equal(decoder_replaced_samples(o.decoder), heard);
    close_both(&o);
}

static void broken_flac_frame_becomes_a_faded_hole(void **state)
{
    (void)state;
    size_t bytes;
    unsigned char *data = load_file("s16.flac", &bytes);
    data[bytes / 2] ^= 0x55;
    save_file("bad", data, bytes);
    free(data);
    struct opened o;
    uint64_t frames;
    assert_int_equal(try_open(&o, path_of("bad")), 0);
    float *all = read_all(&o, &frames);
    assert_int_equal(frames, FRAMES);
    assert_int_equal(decoder_damage(o.decoder), DECODER_CORRUPT);

    // Silence from `first` to `last`; sound as written away from it; between them 5 ms of fade.
    int first = 0, last = FRAMES - 1, fade = RATE_HZ / 200;
    while (all[first * CHANNELS] != 0 || all[first * CHANNELS + 1] != 0 ||
           all[first * CHANNELS + 2] != 0 || all[first * CHANNELS + 4] != 0)
        first++;
    for (last = first; all[last * CHANNELS] == 0 && all[last * CHANNELS + 1] == 0;)
        last++;
    assert_in_range(last - first, 1000, 10000);
    for (int i = 0; i < FRAMES * CHANNELS; i++) {
        int frame = i / CHANNELS, from_hole = frame < first ? first - frame : frame - last + 1;
        float whole = (float)sample_at(i) / 32768;
        // A straight line, which would reach silence one frame into the hole, and all a frame beyond the fade.
        float gain = frame >= first && frame < last ? 0 : (float)from_hole / (float)(fade + 1);
        if (from_hole > fade && (frame < first || frame >= last))
            assert_true(all[i] == whole);
        else
            assert_true(fabsf(all[i] - gain * whole) < 1e-6f);
    }
    free(all);
    close_both(&o);
}

static void every_format_cut_anywhere_ends_cleanly(void **state)
{
    (void)state;
    for (int k = 0; k < N_KINDS; k++) {
        size_t bytes;
        unsigned char *data = load_file(kinds[k].name, &bytes);
        for (int i = 1; i < 8; i++) {
            save_file("bad", data, bytes * (size_t)i / 8 + (size_t)i);
            struct opened o;
            if (try_open(&o, path_of("bad")))
                continue;
            uint64_t frames;
            free(read_all(&o, &frames));
            assert_true(frames < FRAMES);
            bool is_ogg = strcmp(o.info.container, "ogg") == 0;
            if (!is_ogg)
                assert_int_equal(decoder_damage(o.decoder), DECODER_TRUNCATED);
            close_both(&o);
        }
        free(data);
    }
}

static void flipped_bytes_never_bring_down_or_run_on(void **state)
{
    (void)state;
    uint32_t random = 1;
    int n_opened = 0;
    for (int k = 0; k < N_KINDS; k++) {
        size_t bytes;
        unsigned char *data = load_file(kinds[k].name, &bytes);
        for (int round = 0; round < 6; round++) {
            unsigned char *bad = malloc(bytes);
            assert_non_null(bad);
            memcpy(bad, data, bytes);
            for (int i = 0; i < 10; i++) {
                random = random * 1664525 + 1013904223;
                size_t at = (random >> 4) % (round % 2 ? 100 : bytes);
                bad[at] ^= (unsigned char)(1 + (random >> 24) % 255);
            }
            save_file("bad", bad, bytes);
            free(bad);
            struct opened o;
            if (try_open(&o, path_of("bad")))
                continue;
            n_opened++;
            float piece[1000 * PCM_MAX_CHANNELS];
            uint64_t total = 0;
            for (int64_t n; (n = decoder_read(o.decoder, piece, 1000)) > 0;) {
                total += (uint64_t)n;
                for (int64_t i = 0; i < n * o.info.format.channels; i++)
                    assert_true(fabsf(piece[i]) <= 1024);
            }
            assert_true(total <= o.info.frames);
            close_both(&o);
        }
        free(data);
    }
    assert_true(n_opened > 0);
}

static void error_words_are_never_missing(void **state)
{
    (void)state;
    assert_string_equal(decoder_error_text(-ENOENT), "no such file");
    assert_string_equal(decoder_error_text(-EISDIR), "is a directory");
    assert_string_equal(decoder_error_text(-ENOTSUP), "not a known audio format");
    assert_string_equal(decoder_error_text(-12345), "cannot be read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_sound_file_is_refused_with_its_cause),
        cmocka_unit_test(wav_shorter_than_it_says_is_truncated),
        cmocka_unit_test(wav_that_lacks_a_byte_is_truncated),
        cmocka_unit_test(ogg_whose_end_lies_behind_its_sound_is_told_from_a_muxers_slack),
        cmocka_unit_test(wav_that_ends_with_its_header_is_truncated),
        cmocka_unit_test(ogg_cut_within_a_page_is_told),
        cmocka_unit_test(truncated_mp3_writes_nothing_to_standard_error),
        cmocka_unit_test(not_a_number_infinite_and_huge_samples_become_zero_and_are_counted),
        cmocka_unit_test(wild_samples_that_a_seek_passes_over_are_not_counted),
        cmocka_unit_test(broken_flac_frame_becomes_a_faded_hole),
        cmocka_unit_test(every_format_cut_anywhere_ends_cleanly),
        cmocka_unit_test(flipped_bytes_never_bring_down_or_run_on),
        cmocka_unit_test(error_words_are_never_missing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
