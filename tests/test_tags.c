// SPDX-License-Identifier: MIT
#include "support/tags_fixture.h"

#define NAME_OF_63 "N23456789N123456789N123456789N123456789N123456789N123456789N123"
#define MARK       "version 9, adaptive, intensity 1, target -14.0 LUFS"

static void put_comment(struct fixture *f, const char *comment)
{
    put_little(f, (uint32_t)strlen(comment));
    put_text(f, comment);
}

static void flac_has_its_comments_behind_any_other_block(void **state)
{
    struct fixture *f = *state;
    put_text(f, "fLaC");
    put_big(f, 34); // type 0, not the last
    f->count += 34;
    put_big(f, 0x06000000 | 5000); // a picture
    f->count += 5000;
    put_big(f, 0x84000000); // comments, the last; its length is not looked at twice
    f->bytes[f->count - 2] = 1;
    put_comment(f, "a vendor");
    put_little(f, 7);
    put_comment(f, "Title=Blue=Green");
    put_comment(f, "ARTIST=B\xc3\xa4r");
    put_comment(f, "no equals sign");
    put_comment(f, "ARTIST=second");
    put_comment(f, "ALBUM=bad \xc3(");
    put_comment(f, NAME_OF_63 "=63");
    put_comment(f, NAME_OF_63 "N=64"); // longer than any that is known
    read_laid_out(f);
    assert_tag(f, NAME_OF_63, "63");
    assert_tag(f, "TITLE", "Blue=Green");
    assert_tag(f, "ARTIST", "B\xc3\xa4r");
    assert_null(tags_get(&f->tags, "ALBUM"));
    assert_int_equal(f->tags.count, 4);
}

// A page of `bytes` of body, of which all but the last segment are full.
static size_t put_page(struct fixture *f, size_t bytes)
{
    put(f, "OggS\0", 6);
    f->count += 20;
    const size_t segments = bytes / 255 + 1;
    put(f, (unsigned char[]){(unsigned char)segments}, 1);
    for (size_t i = 0; i + 1 < segments; ++i)
        put(f, "\xff", 1);
    put(f, (unsigned char[]){(unsigned char)(bytes % 255)}, 1);
    return f->count;
}

static void ogg_comments_run_on_over_pages(void **state)
{
    struct fixture *f = *state;
    static struct fixture packet; // the comment packet, before it is cut into pages
    packet.bytes = calloc(1, ROOM);
    assert_non_null(packet.bytes);
    packet.count = 0;
    put_text(&packet, "OpusTags");
    put_comment(&packet, "vendor");
    put_little(&packet, 3);
    put_comment(&packet, "TITLE=first");
    put_little(&packet, 100000); // a picture that no page holds
    packet.count += 100000;
    put_comment(&packet, "ALBUM=last");

    put_page(f, 19);
    put(f, "OpusHead\1\2\0\0\0\0\0\0\0\0", 18);
    f->count += 1;
    for (size_t at = 0; at < packet.count;) {
        const size_t left = packet.count - at, bytes = left < 50000 ? left : 50000;
        put_page(f, bytes);
        put(f, packet.bytes + at, bytes);
        at += bytes;
    }
    free(packet.bytes);
    read_laid_out(f);
    assert_tag(f, "TITLE", "first");
    assert_tag(f, "ALBUM", "last");
    assert_int_equal(f->tags.count, 2);
}

static void info_of_a_wav_file_is_read_behind_its_sound_too(void **state)
{
    static const char marked[] = "mine; SEGUE_MASTERED=" MARK;
    enum { MARKED_BYTES = sizeof marked - sizeof marked % 2 };
    struct fixture *f = *state;
    put_text(f, "RIFF");
    put_little(f, 1000);
    put_text(f, "WAVEdata");
    put_little(f, 5);
    f->count += 6; // padded to an even length
    put_text(f, "LIST");
    put_little(f, 4 + 8 + 6 + 8 + MARKED_BYTES + 2 * (8 + 2));
    put_text(f, "INFOINAM");
    put_little(f, 5);
    put(f, "name\0", 6);
    put_text(f, "ICMT");
    put_little(f, MARKED_BYTES);
    put(f, marked, MARKED_BYTES);
    put(f, "ITRK\2\0\0\0007\0IPRT\2\0\0\0008\0", 20); // two names of one thing: the first is heard
    read_laid_out(f);
    assert_tag(f, "TRACKNUMBER", "7");
    assert_int_equal(f->tags.count, 3);
    assert_tag(f, "TITLE", "name");
    assert_int_equal(tags_was_mastered(&f->tags), 1);
}

static uint32_t count_added(const char *name, const char *value, size_t bytes)
{
    struct tags tags = {0};
    assert_int_equal(tags_add(&tags, name, value, bytes), 0);
    const uint32_t count = tags.count;
    tags_deinit(&tags);
    return count;
}

// Table 3-7 of the Unicode standard, well-formed byte sequences: both ends of each row, and what lies just beyond.
static void values_are_well_formed_utf_8(void **state)
{
    (void)state;
    static const char *const good[] = {"\x01",
                                       "\x7f",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xe0\xbf\xbf",
                                       "\xe1\x80\x80",
                                       "\xec\xbf\xbf",
                                       "\xed\x80\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf0\xbf\xbf\xbf",
                                       "\xf1\x80\x80\x80",
                                       "\xf3\xbf\xbf\xbf",
                                       "\xf4\x80\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2\x7f",
                                      "\xc2\xc0",
                                      "\xe0\x9f\xbf",
                                      "\xe0\xa0",
                                      "\xe1\x80\x7f",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf0\x80\x80\x80",
                                      "\xf1\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xf7\xbf\xbf\xbf",
                                      "\xf8\x88\x80\x80",
                                      "\xfe",
                                      "\xff"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; ++i)
        assert_int_equal(count_added("A", good[i], strlen(good[i])), 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i)
        assert_int_equal(count_added("A", bad[i], strlen(bad[i])), 0);
    assert_int_equal(count_added("A", "a\0b", 3), 0);
}

// Vorbis comments are called by 0x20 to 0x7D without "=" (xiph.org/vorbis/doc/v-comment.html).
static void names_and_lengths_have_their_limits(void **state)
{
    (void)state;
    static char value[TAGS_VALUE_BYTES + 1];
    memset(value, 'v', sizeof value);
    assert_int_equal(count_added("A", value, TAGS_VALUE_BYTES), 1);
    assert_int_equal(count_added("A", value, TAGS_VALUE_BYTES + 1), 0);
    static const char *const bad[] = {"", "\x1f", "A=", "A\x7e", "\x7f", "\xc3\xa4"};
    assert_int_equal(count_added(" !<>}", "v", 1), 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i)
        assert_int_equal(count_added(bad[i], "v", 1), 0);
}

static void cut_and_lying_tags_end_where_the_file_does(void **state)
{
    struct fixture *f = *state;
    static const char *const heads[] = {"fLaC", "OggS", "ID3\3", "RIFF", "FORM"};
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); ++i) {
        for (size_t bytes = 0; bytes < 64; bytes += 3) {
            f->count = 0;
            put_text(f, heads[i]);
            memset(f->bytes + f->count, i == 3 ? 'W' : 0x7f, bytes);
            f->count += bytes;
            read_laid_out(f);
            assert_int_equal(f->tags.count, 0);
        }
    }
}

static int is_mastered_by(const char *name, const char *value)
{
    struct tags tags = {0};
    assert_int_equal(tags_add(&tags, name, value, strlen(value)), 0);
    const int was_mastered = tags_was_mastered(&tags);
    tags_deinit(&tags);
    return was_mastered;
}

static void only_a_mark_of_the_right_form_counts_as_mastered(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",
        "yes",
        "version 1",
        "version , adaptive, intensity 1, target -14.0 LUFS",
        "version 9, 7, intensity 1, target -14.0 LUFS",
        "version 9, adaptive, intensity ., target -14.0 LUFS",
        "version 9, adaptive, intensity 1, target -14.0 LU",
        "version 9, adaptive, intensity 1, target -14.0 LUFS or so"};
    assert_int_equal(is_mastered_by("SEGUE_MASTERED", MARK), 1);
    assert_int_equal(is_mastered_by("COMMENT", "mine; SEGUE_MASTERED=" MARK), 1);
    assert_int_equal(is_mastered_by("COMMENT", MARK), 0);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); ++i)
        assert_int_equal(is_mastered_by("SEGUE_MASTERED", others[i]), 0);
}

static void what_is_written_is_read_back_from_both_containers(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"a.flac", "a.wav"};
    static const char *const entries[][2] = {{"TITLE", "T\xc3\xaftle"}, {"ARTIST", "one"},
                                             {"ARTIST", "two"},         {"ALBUM", "A"},
                                             {"ALBUMARTIST", "AA"},     {"TRACKNUMBER", "3/4"},
                                             {"DISCNUMBER", "2"},       {"DATE", "1999"},
                                             {"GENRE", "Rock"},         {"COMMENT", "c"},
                                             {"MOOD", "calm"},          {"SEGUE_MASTERED", MARK}};
    enum { ENTRIES = sizeof(entries) / sizeof(entries[0]) };
    struct tags tags = {0};
    for (int i = 0; i < ENTRIES; ++i)
        assert_int_equal(tags_add(&tags, entries[i][0], entries[i][1], strlen(entries[i][1])), 0);
    for (int i = 0; i < 2; ++i) {
        scratch_path(f->path, f->folder, names[i]);
        const struct audio_file_config config = {.path = f->path,
                                                 .format = AUDIO_FILE_S16,
                                                 .rate_hz = 8000,
                                                 .channels = 1,
                                                 .tags = &tags};
        struct audio_file *file;
        int16_t samples[4096] = {1, -2, 3};
        assert_int_equal(audio_file_create(&file, &config), 0);
        assert_int_equal(audio_file_write_s16(file, samples, 4096), 0);
        assert_int_equal(audio_file_commit(&file), 0);
        read_file(f);
        assert_int_equal(f->tags.count, ENTRIES);
        assert_int_equal(tags_was_mastered(&f->tags), 1);
        for (int e = 0; e < ENTRIES; ++e) {
            char entry[128];
            snprintf(entry, sizeof(entry), "%s=%s", entries[e][0], entries[e][1]);
            assert_string_equal(f->tags.entries[e], entry);
        }
        size_t frames;
        uint32_t rate_hz, channels;
        float *back = scratch_read(f->path, &frames, &rate_hz, &channels);
        assert_int_equal(frames, 4096);
        assert_true(back[1] == -2 / 32768.0F && back[2] == 3 / 32768.0F);
        free(back);
    }
    tags_deinit(&tags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_mark_of_the_right_form_counts_as_mastered),
        cmocka_unit_test(values_are_well_formed_utf_8),
        cmocka_unit_test(names_and_lengths_have_their_limits),
        cmocka_unit_test_setup_teardown(flac_has_its_comments_behind_any_other_block, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(ogg_comments_run_on_over_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(info_of_a_wav_file_is_read_behind_its_sound_too, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(cut_and_lying_tags_end_where_the_file_does, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_back_from_both_containers, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
