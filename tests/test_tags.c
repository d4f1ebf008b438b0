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

#define NAME_OF_63 "N23456789N123456789N123456789N123456789N123456789N123456789N123"
#define MARK       "version 9, adaptive, intensity 1, target -14.0 LUFS"

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

/// Begin an ID3v2 tag; its length is put in by end_id3().
static void begin_id3(struct fixture *f, unsigned version, unsigned flags)
{
    put(f, (unsigned char[]){'I', 'D', '3', (unsigned char)version, 0, (unsigned char)flags}, 6);
    f->count += 4;
}

static void end_id3(struct fixture *f)
{
    const size_t bytes = f->count - 10;
    for (unsigned i = 0; i < 4; ++i)
        f->bytes[6 + i] = (unsigned char)(bytes >> (21 - 7 * i) & 0x7f);
    put(f, "\xff\xfb\x90\x64", 4);
    read_laid_out(f);
}

// A frame of version 2.4 with the flags of its second byte (id3v2.4.0-structure, 4.1.2).
static void put_flagged_frame(struct fixture *f, const char *id, unsigned flags, const void *body,
                              size_t bytes)
{
    put_id3_frame(f, id, body, bytes);
    f->bytes[f->count - bytes - 1] = (unsigned char)flags;
}

static void id3_of_version_2_2_is_read(void **state)
{
    struct fixture *f = *state;
    begin_id3(f, 2, 0);
    put(f, "TT2\0\0\6\0title", 12); // three letters, a length of three bytes, no flags
    put(f, "TP1\0\0\4\0you", 10);
    put(f, "TYE\0\0\5\0001999", 11);
    end_id3(f);
    assert_tag(f, "TITLE", "title");
    assert_tag(f, "ARTIST", "you");
    assert_tag(f, "DATE", "1999");
}

// A length with the highest bit of a byte set is none (id3v2.4.0-structure, 3.1), and 1 and 5 are no known versions.
static void what_only_begins_like_id3_is_none(void **state)
{
    struct fixture *f = *state;
    static const unsigned char heads[][10] = {"ID3\4\0\0\x80\0\0\x14", "ID3\4\0\0\0\x80\0\x14",
                                              "ID3\4\0\0\0\0\x80\x14", "ID3\4\0\0\0\0\0\x94",
                                              "ID3\1\0\0\0\0\0\x14",   "ID3\5\0\0\0\0\0\x14"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; ++i) {
        f->count = 0;
        put(f, heads[i], 10);
        put_id3_frame(f, "TIT2", "\3title", 6);
        f->count += 100;
        read_laid_out(f);
        assert_int_equal(f->tags.count, 0);
    }
}

// Version 2.4: its length is syncsafe and counts itself (3.2); 2.3: it is a plain one and does not (3.2 there).
static void extended_headers_are_passed_over(void **state)
{
    struct fixture *f = *state;
    begin_id3(f, 4, 0x40);
    put(f, "\0\0\1\x0c\1\0", 6); // 140 bytes
    f->count += 134;
    put_id3_frame(f, "TIT2", "\3four", 5);
    end_id3(f);
    assert_tag(f, "TITLE", "four");
    f->count = 0;
    begin_id3(f, 3, 0x40);
    put(f, "\0\0\0\x0a\0\0\0\0\0\0\1\2\3\4", 14); // with a checksum
    put_id3_frame(f, "TIT2", "\0three", 6);
    end_id3(f);
    assert_tag(f, "TITLE", "three");
}

// Grouped, compressed and encrypted ones are left alone; one with its length before it, or unsynchronised, is not.
static void flags_of_frames_are_minded(void **state)
{
    struct fixture *f = *state;
    static const unsigned left_alone[2][3] = {{0x80, 0x40, 0x20}, {0x40, 0x08, 0x04}}; // 2.3, 2.4
    for (unsigned version = 3; version <= 4; ++version) {
        for (unsigned i = 0; i < 3; ++i) {
            f->count = 0;
            begin_id3(f, version, 0);
            put_flagged_frame(f, "TIT2", left_alone[version - 3][i], "\0title", 6);
            put_id3_frame(f, "TPE1", "\0artist", 7);
            end_id3(f);
            assert_null(tags_get(&f->tags, "TITLE"));
            assert_tag(f, "ARTIST", "artist");
        }
    }
    f->count = 0;
    begin_id3(f, 4, 0);
    put_flagged_frame(f, "TIT2", 0x01, "\0\0\0\6\3title", 10);
    put_flagged_frame(f, "TPE1", 0x02, "\1\xff\0\xfe\xff\0\1", 7); // U+01FF
    put_flagged_frame(f, "TALB", 0x03, "\0\0\0\5\1\xff\0\xfe\xff\0\1", 11);
    end_id3(f);
    assert_tag(f, "TITLE", "title");
    assert_tag(f, "ARTIST", "\xc7\xbf");
    assert_tag(f, "ALBUM", "\xc7\xbf");
}

// 0xff was written as 0xff 0 all over a tag of version 2.3 that says so (id3v2.3.0, 5).
static void an_unsynchronised_tag_is_read_as_it_was(void **state)
{
    struct fixture *f = *state;
    begin_id3(f, 3, 0x80);
    put(f, "TIT2\0\0\0\5\0\0\1\xff\0\xfe\xe9\0", 16);
    put(f, "TPE1\0\0\0\4\0\0\0\xff\0me", 15);
    end_id3(f);
    assert_tag(f, "TITLE", "\xc3\xa9");
    assert_tag(f, "ARTIST", "\xc3\xbfme");
}

// U+1F600 and U+10FFFF with either mark, and of the encoding that needs none (4).
static void utf_16_is_read_in_both_orders(void **state)
{
    struct fixture *f = *state;
    begin_id3(f, 4, 0);
    put_id3_frame(f, "TIT2", "\1\xfe\xff\xd8\x3d\xde\0\xdb\xff\xdf\xff", 11);
    put_id3_frame(f, "TPE1", "\1\xff\xfe\x3d\xd8\0\xde\xff\xdb\xff\xdf", 11);
    put_id3_frame(f, "TALB", "\2\xd8\x3d\xde\0\xdb\xff\xdf\xff", 9);
    end_id3(f);
    static const char *const names[] = {"TITLE", "ARTIST", "ALBUM"};
    for (int i = 0; i < 3; ++i)
        assert_tag(f, names[i], "\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf");
}

static void comments_with_a_description_are_left_out(void **state)
{
    struct fixture *f = *state;
    begin_id3(f, 4, 0);
    put_id3_frame(f, "COMM", "\3engiTunNORM\0 00000F", 20);
    put_id3_frame(f, "COMM", "\3eng\0words", 10);
    put_id3_frame(f, "TXXX", "\3Mood\0calm", 10);
    end_id3(f);
    assert_tag(f, "COMMENT", "words");
    assert_tag(f, "MOOD", "calm");
    assert_int_equal(f->tags.count, 2);
}

// Of version 1.0 the comment is 30 bytes long: there is no number of a track in it.
static void the_first_id3_has_no_track_number(void **state)
{
    struct fixture *f = *state;
    put(f, "\xff\xfb\x90\x64", 4);
    f->count += 1000;
    const size_t start = f->count;
    put_text(f, "TAGa title");
    f->count = start + 97;
    put_text(f, "a comment of thirty characters");
    f->count = start + 128;
    read_laid_out(f);
    assert_tag(f, "TITLE", "a title");
    assert_null(tags_get(&f->tags, "TRACKNUMBER"));
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
        cmocka_unit_test_setup_teardown(id3_of_version_2_2_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_only_begins_like_id3_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(extended_headers_are_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flags_of_frames_are_minded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unsynchronised_tag_is_read_as_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(utf_16_is_read_in_both_orders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(comments_with_a_description_are_left_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_first_id3_has_no_track_number, set_up, tear_down),
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
