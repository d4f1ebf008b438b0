// SPDX-License-Identifier: MIT
// Tags as files hold them: bytes laid out by hand from the formats' own descriptions.
#include "io/audio_file.h"
#include "io/tags.h"
#include "support/loop_thread.h"
#include "support/scratch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 200000 };

#define MARK "version 9, adaptive, intensity 1, target -14.0 LUFS"

struct fixture {
    char folder[SCRATCH_PATH_BYTES], path[SCRATCH_PATH_BYTES];
    struct loop_thread loop;
    unsigned char *bytes; // a file being laid out
    size_t count;
    struct tags tags;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->bytes = calloc(1, ROOM);
    assert_non_null(f->bytes);
    scratch_create(f->folder);
    scratch_path(f->path, f->folder, "file");
    struct loader *loader;
    assert_int_equal(loader_create(&loader, &(struct loader_config){0}), 0);
    loop_thread_start(&f->loop, loader);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    struct loader *loader = f->loop.loader;
    assert_int_equal(loop_thread_stop(&f->loop), 0);
    loader_destroy(&loader);
    scratch_remove(f->folder);
    tags_deinit(&f->tags);
    free(f->bytes);
    free(f);
    return 0;
}

static void put(struct fixture *f, const void *bytes, size_t count)
{
    assert_true(f->count + count <= ROOM);
    memcpy(f->bytes + f->count, bytes, count);
    f->count += count;
}

static void put_text(struct fixture *f, const char *text)
{
    put(f, text, strlen(text));
}

static void put_little(struct fixture *f, uint32_t value)
{
    put(f,
        (unsigned char[]){value & 255, value >> 8 & 255, value >> 16 & 255,
                          (unsigned char)(value >> 24)},
        4);
}

static void put_big(struct fixture *f, uint32_t value)
{
    put(f,
        (unsigned char[]){(unsigned char)(value >> 24), value >> 16 & 255, value >> 8 & 255,
                          value & 255},
        4);
}

static void put_comment(struct fixture *f, const char *comment)
{
    put_little(f, (uint32_t)strlen(comment));
    put_text(f, comment);
}

static void read_file(struct fixture *f)
{
    struct source *source;
    struct file_identity identity;
    const struct source_config config = {.path = f->path, .priority = LOADER_PLAYING};
    assert_int_equal(source_open(&source, f->loop.loader, &config), 0);
    assert_int_equal(source_wait_open(source, &identity), 0);
    tags_deinit(&f->tags);
    assert_int_equal(tags_read(&f->tags, source, identity.size_bytes), 0);
    source_close(&source);
}

static void read_laid_out(struct fixture *f)
{
    FILE *file = fopen(f->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(f->bytes, 1, f->count, file), f->count);
    assert_int_equal(fclose(file), 0);
    read_file(f);
}

static void assert_tag(const struct fixture *f, const char *name, const char *value)
{
    const char *found = tags_get(&f->tags, name);
    assert_non_null(found);
    assert_string_equal(found, value);
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
    put_little(f, 5);
    put_comment(f, "Title=Blue=Green");
    put_comment(f, "ARTIST=B\xc3\xa4r");
    put_comment(f, "no equals sign");
    put_comment(f, "ARTIST=second");
    put_comment(f, "ALBUM=bad \xc3(");
    read_laid_out(f);
    assert_tag(f, "TITLE", "Blue=Green");
    assert_tag(f, "ARTIST", "B\xc3\xa4r");
    assert_null(tags_get(&f->tags, "ALBUM"));
    assert_int_equal(f->tags.count, 3);
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

static void put_id3_frame(struct fixture *f, const char *id, const void *body, size_t bytes)
{
    put_text(f, id);
    put_big(f, (uint32_t)bytes);
    put(f, "\0\0", 2);
    put(f, body, bytes);
}

static void id3_is_read_in_its_encodings(void **state)
{
    struct fixture *f = *state;
    put(f, "ID3\3\0\0\0\0\1\0", 10); // version 2.3, 128 bytes
    const size_t start = f->count;
    put_id3_frame(f, "TIT2", "\1\xff\xfeH\0\xe4\0=\xd8\x00\xde", 11); // UTF-16: "Hä" and U+1F600
    put_id3_frame(f, "TPE1", "\0caf\xe9", 5);
    put_id3_frame(f, "TRCK",
                  "\0"
                  "3/9",
                  4);
    put_id3_frame(f, "TCON", "\0(17)Rock", 9);
    put_id3_frame(f, "COMM", "\0eng\0good", 9);
    f->count = start + 128;
    put(f, "\xff\xfb\x90\x64", 4);
    read_laid_out(f);
    assert_tag(f, "TITLE", "H\xc3\xa4\xf0\x9f\x98\x80");
    assert_tag(f, "ARTIST", "caf\xc3\xa9");
    assert_tag(f, "TRACKNUMBER", "3/9");
    assert_int_equal(tags_number(tags_get(&f->tags, "TRACKNUMBER")), 3);
    assert_tag(f, "GENRE", "Rock");
    assert_tag(f, "COMMENT", "good");
}

static void old_id3_is_read_where_there_is_no_new_one(void **state)
{
    struct fixture *f = *state;
    put(f, "\xff\xfb\x90\x64", 4);
    f->count += 1000;
    const size_t start = f->count;
    put_text(f, "TAGa title");
    f->count = start + 33;
    put_text(f, "an artist                     ");
    f->bytes[start + 126] = 7;
    f->count = start + 128;
    read_laid_out(f);
    assert_tag(f, "TITLE", "a title");
    assert_tag(f, "ARTIST", "an artist");
    assert_tag(f, "TRACKNUMBER", "7");
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
    put_little(f, 4 + 8 + 6 + 8 + MARKED_BYTES);
    put_text(f, "INFOINAM");
    put_little(f, 5);
    put(f, "name\0", 6);
    put_text(f, "ICMT");
    put_little(f, MARKED_BYTES);
    put(f, marked, MARKED_BYTES);
    read_laid_out(f);
    assert_tag(f, "TITLE", "name");
    assert_int_equal(tags_was_mastered(&f->tags), 1);
}

static void id3_is_found_behind_more_than_4_gib_of_sound(void **state)
{
    static const uint64_t sound_bytes = 5000000001; // of odd length: padded
    struct fixture *f = *state;
    put(f, "RF64\xff\xff\xff\xffWAVEds64", 16);
    put_little(f, 28);
    put_little(f, 0); // the file's own length is not looked at
    put_little(f, 0);
    put_little(f, (uint32_t)sound_bytes);
    put_little(f, (uint32_t)(sound_bytes >> 32));
    f->count += 12;
    put(f, "data\xff\xff\xff\xff", 8);
    const size_t head_bytes = f->count;
    put(f, "id3 \x19\0\0\0ID3\4\0\0\0\0\0\x0f", 18);
    put_id3_frame(f, "TIT2", "\3late", 5);
    FILE *file = fopen(f->path, "wb"); // with a hole in place of the sound
    assert_non_null(file);
    assert_int_equal(fwrite(f->bytes, 1, head_bytes, file), head_bytes);
    assert_int_equal(fseeko(file, (off_t)(head_bytes + sound_bytes + 1), SEEK_SET), 0);
    assert_int_equal(fwrite(f->bytes + head_bytes, 1, f->count - head_bytes, file),
                     f->count - head_bytes);
    assert_int_equal(fclose(file), 0);
    read_file(f);
    assert_tag(f, "TITLE", "late");
}

static void sizes_of_the_wrong_kind_in_id3_are_understood(void **state)
{
    struct fixture *f = *state;
    put(f, "ID3\4\0\0\0\0\2\x10", 10); // version 2.4, 272 bytes
    const size_t start = f->count;
    char title[201] = {3};
    memset(title + 1, 't', 200);
    put_id3_frame(f, "TIT2", title, sizeof title); // by version 2.3's way of writing 201
    put_id3_frame(f, "TPE1", "\3me", 3);
    f->count = start + 272;
    put(f, "\xff\xfb\x90\x64", 4);
    read_laid_out(f);
    assert_int_equal(strlen(tags_get(&f->tags, "TITLE")), 200);
    assert_tag(f, "ARTIST", "me");
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
        cmocka_unit_test_setup_teardown(flac_has_its_comments_behind_any_other_block, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(ogg_comments_run_on_over_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(id3_is_read_in_its_encodings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_id3_is_read_where_there_is_no_new_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(info_of_a_wav_file_is_read_behind_its_sound_too, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(id3_is_found_behind_more_than_4_gib_of_sound, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(sizes_of_the_wrong_kind_in_id3_are_understood, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(cut_and_lying_tags_end_where_the_file_does, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_back_from_both_containers, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
