// SPDX-License-Identifier: MIT
#include "support/tags_fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(id3_of_version_2_2_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_only_begins_like_id3_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(extended_headers_are_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flags_of_frames_are_minded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unsynchronised_tag_is_read_as_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(utf_16_is_read_in_both_orders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(comments_with_a_description_are_left_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_first_id3_has_no_track_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(id3_is_read_in_its_encodings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_id3_is_read_where_there_is_no_new_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(id3_is_found_behind_more_than_4_gib_of_sound, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(sizes_of_the_wrong_kind_in_id3_are_understood, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
