// SPDX-License-Identifier: MIT
#include "engine/library/library_columns.h"
#include "engine/library/library_document.h"
#include "engine/library/track_record.h"
#include "support/sample_record.h"
#include <errno.h>
#include <math.h>
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

// --- what no analysis makes

struct hostile {
    const char *name;
    void (*change)(struct track_record *head, struct analysis *analysis);
};

#define HOSTILE(name, change)                                                                      \
    static void name(struct track_record *head, struct analysis *analysis)                         \
    {                                                                                              \
        (void)head;                                                                                \
        (void)analysis;                                                                            \
        change;                                                                                    \
    }
HOSTILE(change_nothing, )
HOSTILE(no_rate, analysis->sample_rate_hz = 0)
HOSTILE(many_channels, analysis->channels = 2000000)
HOSTILE(time_before_the_beginning, analysis->duration_s = -3.0)
HOSTILE(endless, analysis->duration_s = 1e300)
HOSTILE(unknown_duration, analysis->duration_s = NAN)
HOSTILE(escape_sequence, strcpy(head->codec, "\x1b[2J"))
HOSTILE(no_codec, strcpy(head->codec, ""))
HOSTILE(loud, head->targets.makeup_db = 500.0)
HOSTILE(unknown_makeup, head->targets.makeup_db = NAN)
HOSTILE(negative_cost, head->cost_ns = -1)
HOSTILE(endless_cost, head->cost_ns = INT64_MAX)
HOSTILE(late_beat, analysis->beats_s[1] = 1e12)
HOSTILE(score_of_two, analysis->genre.scores[3] = 2.0)

static struct record *changed_record(const struct hostile *hostile)
{
    struct record *good = sample_record(3);
    struct track_record head = *track_record_of(good);
    const size_t bytes = record_bytes(good) - sizeof(head);
    struct analysis *analysis = malloc(bytes);
    assert_non_null(analysis);
    memcpy(analysis, track_record_analysis(track_record_of(good)), bytes);
    hostile->change(&head, analysis);
    struct record *changed = track_record_create(&head, analysis);
    assert_non_null(changed);
    free(analysis);
    record_unref(&good);
    return changed;
}

static int read_as_document(struct record *record)
{
    struct library_document document = sample(), read;
    record_unref(&document.record);
    document.record = record;
    char *text = library_document_print(&document);
    assert_non_null(text);
    const int error = library_document_read(&read, text, strlen(text));
    if (!error)
        library_document_deinit(&read);
    free(text);
    return error;
}

static int read_as_row(const struct record *record)
{
    const struct track_record *head = track_record_of(record);
    struct store_track track = {0};
    struct store_targets targets = {0};
    struct record *read;
    library_columns_from_record(&track, head);
    library_columns_from_targets(&targets, &head->targets);
    const int error = library_columns_to_record(&read, &track, &targets);
    record_unref(&read);
    return error;
}

static void what_no_analysis_makes_is_read_from_nowhere(void **state)
{
    (void)state;
    static const struct hostile hostiles[] = {
        {"no rate", no_rate},
        {"many channels", many_channels},
        {"negative duration", time_before_the_beginning},
        {"endless", endless},
        {"unknown duration", unknown_duration},
        {"escape sequence", escape_sequence},
        {"no codec", no_codec},
        {"loud", loud},
        {"unknown makeup", unknown_makeup},
        {"negative cost", negative_cost},
        {"endless cost", endless_cost},
        {"late beat", late_beat},
        {"score of two", score_of_two},
    };
    static const struct hostile none = {"none", change_nothing};
    struct record *sound = changed_record(&none);
    assert_int_equal(read_as_document(sound), 0);
    assert_int_equal(read_as_row(sound), 0);
    record_unref(&sound);
    for (size_t i = 0; i < sizeof(hostiles) / sizeof(hostiles[0]); ++i) {
        struct record *record = changed_record(&hostiles[i]);
        if (read_as_document(record) != -EBADMSG || read_as_row(record) != -EBADMSG)
            fail_msg("%s is taken", hostiles[i].name);
        record_unref(&record);
    }
}

static void file_of_less_than_nothing_and_path_with_a_nul_are_refused(void **state)
{
    (void)state;
    struct library_document document = sample(), read;
    document.identity.size_bytes = (uint64_t)-5;
    char *text = library_document_print(&document);
    assert_int_equal(library_document_read(&read, text, strlen(text)), -EBADMSG);
    free(text);
    document.identity.size_bytes = 5;
    document.path = (char *)"/music/\x01.flac";
    text = library_document_print(&document);
    char *escaped = strstr(text, "\\x01");
    assert_non_null(escaped);
    escaped[3] = '0'; // \x00
    char *seal = strstr(text, "\"checksum\": ");
    const struct track_checksum checksum = track_checksum_of_bytes(text, (size_t)(seal - text));
    track_checksum_print(seal + strlen("\"checksum\": \""), &checksum);
    seal[strlen("\"checksum\": \"") + 2 * TRACK_CHECKSUM_BYTES] = '"'; // where its NUL came
    assert_int_equal(library_document_read(&read, text, strlen(text)), -EBADMSG);
    free(text);
    record_unref(&document.record);
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
        cmocka_unit_test(what_no_analysis_makes_is_read_from_nowhere),
        cmocka_unit_test(file_of_less_than_nothing_and_path_with_a_nul_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
