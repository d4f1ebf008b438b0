// SPDX-License-Identifier: MIT
// Pictures as files hold them: bytes laid out by hand from the formats' own descriptions (RFC 9639, 8.8; ID3v2.4
// frames, 4.14; ID3v2.2, 4.15).
#include "io/tags/pictures.h"
#include "io/writing/audio_file.h"
#include "support/loop_thread.h"
#include "support/scratch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// A front cover, "image/png", described as "Hä", of 7 bytes; sizes that are not known.
static const unsigned char cover[] = "\0\0\0\3\0\0\0\x09image/png\0\0\0\3H\xc3\xa4"
                                     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\7\x89PNG\xff\0\1";
enum { COVER_BYTES = sizeof cover - 1, ROOM = 4096 };

struct fixture {
    char folder[SCRATCH_PATH_BYTES], path[SCRATCH_PATH_BYTES];
    struct loop_thread loop;
    unsigned char bytes[ROOM]; // a file being laid out
    size_t count;
    struct pictures pictures;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    scratch_create(f->folder);
    scratch_path(f->path, f->folder, "file");
    loop_thread_open(&f->loop);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(loop_thread_close(&f->loop), 0);
    scratch_remove(f->folder);
    pictures_deinit(&f->pictures);
    free(f);
    return 0;
}

static void put(struct fixture *f, const void *bytes, size_t count)
{
    assert_true(f->count + count <= ROOM);
    memcpy(f->bytes + f->count, bytes, count);
    f->count += count;
}

static void read_file(struct fixture *f)
{
    struct source *source;
    struct file_identity identity;
    const struct source_config config = {.path = f->path, .priority = LOADER_PLAYING};
    assert_int_equal(source_open(&source, f->loop.loader, &config), 0);
    assert_int_equal(source_wait_open(source, &identity), 0);
    pictures_deinit(&f->pictures);
    assert_int_equal(pictures_read(&f->pictures, source, identity.size_bytes), 0);
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

static void assert_cover(const struct fixture *f, uint32_t at)
{
    assert_true(at < f->pictures.count);
    assert_int_equal(f->pictures.items[at].bytes, COVER_BYTES);
    assert_memory_equal(f->pictures.items[at].block, cover, COVER_BYTES);
}

static void flac_has_them_in_blocks(void **state)
{
    struct fixture *f = *state;
    put(f, "fLaC\0\0\0\x22", 8);
    f->count += 34;
    put(f, "\6\0\0", 3);
    put(f, (const unsigned char[]){COVER_BYTES}, 1);
    put(f, cover, COVER_BYTES);
    put(f, "\6\0\0\4\0\0\0\3", 8); // a cut one
    put(f, "\x86\0\0", 3);
    put(f, (const unsigned char[]){COVER_BYTES}, 1);
    put(f, cover, COVER_BYTES);
    read_laid_out(f);
    assert_int_equal(f->pictures.count, 2);
    assert_cover(f, 0);
    assert_cover(f, 1);
}

static void put_page(struct fixture *f, size_t bytes)
{
    put(f, "OggS\0", 6);
    f->count += 20;
    put(f, (const unsigned char[]){1, (unsigned char)bytes}, 2);
}

static void ogg_has_them_in_base64(void **state)
{
    static const char comment[] =
        "metadata_block_picture=AAAAAwAAAAlpbWFnZS9wbmcAAAADSMOkAAAAAAAAAAAAAAAAAAAAAAAAAAeJUE5H/"
        "wAB";
    struct fixture *f = *state;
    put_page(f, 19);
    put(f, "OpusHead\1\2\0\0\0\0\0\0\0\0\0", 19);
    put_page(f, 8 + 4 + 4 + 4 + sizeof comment - 1);
    put(f, "OpusTags\0\0\0\0\1\0\0\0", 16);
    put(f, (const unsigned char[]){sizeof comment - 1, 0, 0, 0}, 4);
    put(f, comment, sizeof comment - 1);
    read_laid_out(f);
    assert_int_equal(f->pictures.count, 1);
    assert_cover(f, 0);
}

static void id3_has_them_in_frames(void **state)
{
    static const char plain[] = "\3image/png\0\3H\xc3\xa4\0\x89PNG\xff\0\1",
                      wide[] = "\1image/png\0\3\xff\xfeH\0\xe4\0\0\0\x89PNG\xff\0\1",
                      old[] = "\0PNG\3H\xe4\0\x89PNG\xff\0\1";
    struct fixture *f = *state;
    put(f, "ID3\4\0\0\0\0\0", 9);
    put(f, (const unsigned char[]){20 + sizeof plain - 1 + sizeof wide - 1, 'A'}, 1);
    put(f, "APIC\0\0\0", 7);
    put(f, (const unsigned char[]){sizeof plain - 1, 0, 0}, 3);
    put(f, plain, sizeof plain - 1);
    put(f, "APIC\0\0\0", 7);
    put(f, (const unsigned char[]){sizeof wide - 1, 0, 0}, 3);
    put(f, wide, sizeof wide - 1);
    put(f, "\xff\xfb\x90\x64", 4);
    read_laid_out(f);
    assert_int_equal(f->pictures.count, 2);
    assert_cover(f, 0);
    assert_cover(f, 1);

    f->count = 0;
    put(f, "ID3\2\0\0\0\0\0", 9);
    put(f, (const unsigned char[]){6 + sizeof old - 1}, 1);
    put(f, "PIC\0\0", 5);
    put(f, (const unsigned char[]){sizeof old - 1}, 1);
    put(f, old, sizeof old - 1);
    put(f, "\xff\xfb\x90\x64", 4);
    read_laid_out(f);
    assert_int_equal(f->pictures.count, 1);
    assert_cover(f, 0);
}

// A block with `bytes` of picture after the cover's own head.
static unsigned char *new_block(size_t bytes, size_t *block_bytes)
{
    *block_bytes = COVER_BYTES - 7 + bytes;
    unsigned char *block = calloc(1, *block_bytes);
    assert_non_null(block);
    memcpy(block, cover, COVER_BYTES - 7);
    for (unsigned i = 0; i < 4; ++i)
        block[COVER_BYTES - 8 - i] = (unsigned char)(bytes >> 8 * i);
    block[*block_bytes - 1] = 0xff;
    return block;
}

static void what_is_written_is_read_back_from_both_containers(void **state)
{
    static const char *const names[] = {"a.flac", "a.wav"};
    struct fixture *f = *state;
    struct pictures pictures = {0};
    size_t bytes;
    unsigned char *large = new_block(PICTURES_MOST_BYTES - 2 * COVER_BYTES, &bytes);
    assert_int_equal(pictures_add(&pictures, cover, COVER_BYTES), 0);
    assert_int_equal(pictures_add(&pictures, large, bytes), 0);
    assert_int_equal(pictures_add(&pictures, large, bytes), 0); // over the limit
    assert_int_equal(pictures.count, 2);
    assert_int_equal(pictures.left_out, 1);
    for (int i = 0; i < 2; ++i) {
        scratch_path(f->path, f->folder, names[i]);
        const struct audio_file_config config = {.path = f->path,
                                                 .format = AUDIO_FILE_S24,
                                                 .rate_hz = 8000,
                                                 .channels = 1,
                                                 .pictures = &pictures};
        struct audio_file *file;
        assert_int_equal(audio_file_create(&file, &config), 0);
        assert_int_equal(audio_file_write(file, (const float[3]){0.5F, 0.25F, -0.5F}, 3), 0);
        assert_int_equal(audio_file_commit(&file), 0);
        read_file(f);
        assert_int_equal(f->pictures.count, 2);
        assert_cover(f, 0);
        assert_int_equal(f->pictures.items[1].bytes, bytes);
        assert_memory_equal(f->pictures.items[1].block, large, bytes);
        size_t frames;
        uint32_t rate_hz, channels;
        float *back = scratch_read(f->path, &frames, &rate_hz, &channels);
        assert_int_equal(frames, 3);
        assert_true(back[0] == 0.5F && back[2] == -0.5F);
        free(back);
    }
    free(large);
    pictures_deinit(&pictures);
}

static void what_is_no_picture_is_passed_over(void **state)
{
    struct fixture *f = *state;
    unsigned char block[COVER_BYTES];
    for (size_t bytes = 0; bytes < COVER_BYTES; ++bytes)
        assert_int_equal(pictures_add(&f->pictures, cover, bytes), 0);
    memcpy(block, cover, COVER_BYTES);
    block[4] = 0xff; // a media type longer than the block
    assert_int_equal(pictures_add(&f->pictures, block, COVER_BYTES), 0);
    assert_int_equal(f->pictures.count, 0);
    static const char *const heads[] = {"fLaC", "OggS", "ID3\4", "RIFF", "FORM", "RF64"};
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); ++i) {
        for (size_t count = 0; count < 64; count += 3) {
            f->count = 0;
            put(f, heads[i], 4);
            memset(f->bytes + f->count, i == 0 ? 6 : 0x7f, count);
            f->count += count;
            read_laid_out(f);
            assert_int_equal(f->pictures.count, 0);
        }
    }
}

// An ID3v2.4 tag that ends with a frame of a picture.
static void read_frame_of(struct fixture *f, const void *body, size_t bytes)
{
    f->count = 0;
    put(f, "ID3\4\0\0\0\0\0", 9);
    put(f, (const unsigned char[]){(unsigned char)(10 + bytes)}, 1);
    put(f, "APIC\0\0\0", 7);
    put(f, (const unsigned char[]){(unsigned char)bytes, 0, 0}, 3);
    put(f, body, bytes);
    put(f, "\xff\xfb\x90\x64", 4);
    read_laid_out(f);
}

// Whatever it lacks: a media type without an end, the kind, the description, the picture.
static void frame_that_is_cut_is_passed_over(void **state)
{
    struct fixture *f = *state;
    static const char whole[] = "\3image/png\0\3H\xc3\xa4\0\x89PNG\xff\0\1";
    const size_t bytes = sizeof whole - 1;
    for (size_t count = 0; count <= bytes - 7; ++count) {
        read_frame_of(f, whole, count);
        assert_int_equal(f->pictures.count, 0);
    }
    read_frame_of(f, whole, bytes);
    assert_int_equal(f->pictures.count, 1);
    assert_cover(f, 0);
}

static void encoding_that_nobody_knows_is_passed_over(void **state)
{
    struct fixture *f = *state;
    char body[] = "\3image/png\0\3\0\0\x89PNG\xff\0\1";
    for (int encoding = 0; encoding < 256; ++encoding) {
        body[0] = (char)encoding;
        read_frame_of(f, body, sizeof body - 1);
        assert_int_equal(f->pictures.count, encoding <= 3);
    }
}

// The least there is: no media type, no description, one byte of picture.
static void smallest_picture_is_one(void **state)
{
    struct fixture *f = *state;
    static const unsigned char block[33] = {[3] = 3, [31] = 1, [32] = 0xff};
    for (size_t bytes = 0; bytes < sizeof block; ++bytes) {
        unsigned char *exact = malloc(bytes + 1); // that reads behind it are seen
        assert_non_null(exact);
        memcpy(exact + 1, block, bytes);
        assert_int_equal(pictures_add(&f->pictures, exact + 1, bytes), 0);
        free(exact);
    }
    assert_int_equal(f->pictures.count, 0);
    assert_int_equal(pictures_add(&f->pictures, block, sizeof block), 0);
    assert_int_equal(f->pictures.count, 1);
    read_frame_of(f, "\3\0\3\0\0\xff", 6);
    assert_int_equal(f->pictures.count, 1);
    assert_int_equal(f->pictures.items[0].bytes, 34);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(flac_has_them_in_blocks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ogg_has_them_in_base64, set_up, tear_down),
        cmocka_unit_test_setup_teardown(id3_has_them_in_frames, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_back_from_both_containers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_picture_is_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(frame_that_is_cut_is_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(encoding_that_nobody_knows_is_passed_over, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(smallest_picture_is_one, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("pictures", tests, NULL, NULL);
}
