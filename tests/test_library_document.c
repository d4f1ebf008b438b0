// SPDX-License-Identifier: MIT
#include "engine/library_document.h"
#include "engine/track_record.h"
#include "support/sample_record.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct library_document sample(void)
{
    struct library_document document = {
        .path = (char *)"/music/\xff odd\nname.flac",
        .identity = {UINT64_MAX, 1ULL << 63, 12345, -1, INT64_MAX},
        .is_fresh = true,
        .record = sample_record(1),
        .has_targets = true,
        .settings = {
            .preset = PRESET_LIVE, .goal = LOUDNESS_FIXED, .target_lufs = -17.3, .intensity = 0.1}};
    memset(&document.checksum, 0xa5, sizeof(document.checksum));
    return document;
}

static char *sample_text(void)
{
    struct library_document document = sample();
    char *text = library_document_print(&document);
    assert_non_null(text);
    record_unref(&document.record);
    return text;
}

static void document_reads_back_whole(void **state)
{
    (void)state;
    struct library_document document = sample(), read;
    char *text = library_document_print(&document);
    assert_int_equal(library_document_read(&read, text, strlen(text)), 0);
    assert_string_equal(read.path, document.path);
    assert_memory_equal(&read.identity, &document.identity, sizeof(read.identity));
    assert_memory_equal(&read.checksum, &document.checksum, sizeof(read.checksum));
    assert_true(read.is_fresh && read.has_targets);
    assert_memory_equal(&read.settings, &document.settings, sizeof(read.settings));
    sample_record_assert_equal(read.record, document.record);
    library_document_deinit(&read);
    record_unref(&document.record);
    free(text);
}

static void document_without_targets_says_so(void **state)
{
    (void)state;
    struct library_document document = sample(), read;
    document.has_targets = false;
    char *text = library_document_print(&document);
    assert_int_equal(library_document_read(&read, text, strlen(text)), 0);
    assert_false(read.has_targets);
    assert_false(track_record_of(read.record)->has_targets);
    library_document_deinit(&read);
    record_unref(&document.record);
    free(text);
}

static void checksum_is_the_last_member_of_one_line(void **state)
{
    (void)state;
    char *text = sample_text();
    const size_t bytes = strlen(text);
    assert_true(strchr(text, '\n') == text + bytes - 1);
    assert_memory_equal(text + bytes - 3, "\"}\n", 3);
    assert_memory_equal(text + bytes - 3 - 32 - 13, "\"checksum\": \"", 13);
    free(text);
}

static void every_truncation_is_rejected(void **state)
{
    (void)state;
    char *text = sample_text();
    struct library_document read;
    for (size_t bytes = strlen(text); bytes-- > 0;) {
        assert_int_equal(library_document_read(&read, text, bytes), -EBADMSG);
        assert_int_equal(library_document_read(&read, text + 1, bytes), -EBADMSG);
    }
    free(text);
}

static void every_flipped_bit_is_rejected(void **state)
{
    (void)state;
    char *text = sample_text();
    const size_t bytes = strlen(text);
    struct library_document read;
    for (size_t bit = 0; bit < 8 * bytes; ++bit) {
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(library_document_read(&read, text, bytes), -EBADMSG);
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
    }
    assert_int_equal(library_document_read(&read, text, bytes), 0);
    library_document_deinit(&read);
    free(text);
}

static void nothing_may_follow(void **state)
{
    (void)state;
    char *text = sample_text(), *longer;
    assert_true(asprintf(&longer, "%s\n", text) > 0);
    struct library_document read;
    assert_int_equal(library_document_read(&read, longer, strlen(longer)), -EBADMSG);
    assert_int_equal(library_document_read(&read, longer, strlen(text) + 2), -EBADMSG);
    free(longer);
    free(text);
}

// Seal a body by hand, to come by lines that are sound but not ours.
static char *sealed(const char *body)
{
    char hex[TRACK_CHECKSUM_HEX_BYTES], *text;
    const struct track_checksum checksum = track_checksum_of_bytes(body, strlen(body));
    track_checksum_print(hex, &checksum);
    assert_true(asprintf(&text, "%s\"checksum\": \"%s\"}\n", body, hex) > 0);
    return text;
}

static void sound_line_of_something_else_is_rejected(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int error;
    } cases[] = {
        {"{", -EBADMSG},
        {"{\"format\": \"other\", \"version\": 1, ", -EBADMSG},
        {"{\"format\": \"segue-25d\", \"version\": 1, ", -EBADMSG},
        {"{\"format\": \"segue-25d\", \"version\": 0, ", -EBADMSG},
        {"{\"format\": \"segue-25d\", \"version\": 2, ", -EOVERFLOW},
        {"[", -EBADMSG},
        {"", -EBADMSG},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        char *text = sealed(cases[i].body);
        struct library_document read;
        assert_int_equal(library_document_read(&read, text, strlen(text)), cases[i].error);
        free(text);
    }
}

// Replace `from` in the sample's body and seal it again.
static int read_changed(const char *from, const char *to)
{
    char *text = sample_text(), *body;
    *strstr(text, "\"checksum\": \"") = '\0';
    char *at = strstr(text, from);
    assert_non_null(at);
    *at = '\0';
    assert_true(asprintf(&body, "%s%s%s", text, to, at + strlen(from)) > 0);
    char *changed = sealed(body);
    struct library_document read;
    const int error = library_document_read(&read, changed, strlen(changed));
    if (!error)
        library_document_deinit(&read);
    free(changed);
    free(body);
    free(text);
    return error;
}

static void figures_that_no_analysis_has_are_rejected(void **state)
{
    (void)state;
    assert_int_equal(read_changed("\"preset\":\"live\"", "\"preset\":\"live\""), 0);
    assert_int_equal(read_changed("\"intensity\":0.10000000000000001", "\"intensity\":1e999"),
                     -EBADMSG);
    assert_int_equal(read_changed("\"intensity\":0.10000000000000001", "\"intensity\":NaN"),
                     -EBADMSG);
    assert_int_equal(read_changed("\"intensity\":0.10000000000000001", "\"intensity\":2.0"),
                     -EBADMSG);
    assert_int_equal(read_changed("\"tonic\":\"B\"", "\"tonic\":\"H\""), -EBADMSG);
    assert_int_equal(read_changed("/music/", "music/"), -EBADMSG);
    assert_int_equal(read_changed("a5a5a5", "A5a5a5"), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(document_reads_back_whole),
        cmocka_unit_test(document_without_targets_says_so),
        cmocka_unit_test(checksum_is_the_last_member_of_one_line),
        cmocka_unit_test(every_truncation_is_rejected),
        cmocka_unit_test(every_flipped_bit_is_rejected),
        cmocka_unit_test(nothing_may_follow),
        cmocka_unit_test(sound_line_of_something_else_is_rejected),
        cmocka_unit_test(figures_that_no_analysis_has_are_rejected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
