// SPDX-License-Identifier: MIT
// What of a stream is sound is as libmpg123 has it, whose decoder is 529 samples late.
#include "io/sound/mp3_layout.h"
#include "io/sound/mp3_info.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    DECODER_DELAY = 529,
    FIRST_PIECES = 4,
    RATES = 9, // that there are
};
static const uint64_t nowhere = UINT64_MAX;

/// A layout under way.
struct scan {
    struct mp3_view view;
    struct mp3_walk walk;
    struct mp3_layout *layout;
    uint32_t pieces_room, flawed_piece;
    uint64_t size_bytes;
    bool has_cut_frame; // the piece that was looked at ends with one
    int error;          // -ENOMEM
};

// --- Where streams begin and end -----------------------------------------------------------------

/// Where the next stream begins, if what is said to be the end of one of known kind, at `end`, is: `next`, nowhere at
/// the file's end. Frames of the same kind that follow at once may be its own, and are left to be counted.
static bool is_end(struct mp3_view *v, uint64_t end, uint64_t *next)
{
    struct mp3_header header;
    struct mp3_info info;
    *next = nowhere;
    const uint64_t at = mp3_skip_tags(v, end);
    if (at == v->end)
        return true;
    *next = at;
    return mp3_is_stream(v, at) && (at > end || !mp3_look_at_header(v, at, &header) ||
                                    mp3_read_info(v, at, &header, &info));
}

/// Find the stream's next frame from `at` on. @return whether there is one before another stream begins, at *next,
/// nowhere where none does.
static bool find_own(struct mp3_view *v, uint64_t at, struct mp3_frame *frame, uint64_t *next)
{
    const uint64_t from = mp3_skip_tags(v, at);
    struct mp3_info info;
    *next = from;
    if (!mp3_look_at_header(v, from, &frame->header) && mp3_is_stream(v, from))
        return false;
    const bool is_found = mp3_find_next(v, at, frame);
    const uint64_t limit = is_found ? frame->at : v->end;
    if (!is_found || frame->junk_bytes) {
        *next = mp3_find_stream(v, from, limit);
        if (*next < limit)
            return false;
    }
    *next = is_found && mp3_read_info(v, frame->at, &frame->header, &info) ? frame->at : nowhere;
    return is_found && *next == nowhere;
}

// --- One stream ----------------------------------------------------------------------------------

/// @return where the first stream from `at` on begins.
static uint64_t find_stream_behind(struct mp3_view *v, uint64_t at)
{
    at = mp3_skip_tags(v, at);
    if (!mp3_is_stream(v, at))
        at = mp3_find_stream(v, at, v->end);
    return at < v->end ? at : nowhere;
}

/// Look at the piece's frames, at most `most` of them, and end it behind them. @return where the next stream begins.
static uint64_t survey_piece(struct scan *s, struct mp3_piece *piece, uint64_t most,
                             struct mp3_survey *survey)
{
    struct mp3_view *v = &s->view;
    struct mp3_frame frame = {.at = 0};
    uint64_t at = piece->first_byte, next = nowhere;
    while (survey->frames < most && find_own(v, at, &frame, &next)) {
        mp3_survey_note(survey, &frame);
        at = frame.at + frame.header.bytes;
    }
    if (survey->frames == most)
        next = find_stream_behind(v, at);
    s->has_cut_frame = next == nowhere && mp3_look_at_header(v, frame.at, &frame.header) &&
                       frame.header.bytes > v->end - frame.at;
    piece->end_byte = next != nowhere ? next : v->end;
    piece->loss = mp3_survey_loss(survey, piece);
    return next;
}

/// Note the first flaw of all, `frames` of the piece under way behind its begin.
static void note_flaw(struct scan *s, const struct mp3_flaw *flaw)
{
    if (s->layout->flaw.kind != MP3_NO_FLAW)
        return;
    s->layout->flaw = *flaw;
    s->flawed_piece = s->layout->piece_count;
}

/// @return frames of a piece with junk, those that were lost in it too.
static uint64_t count_frames(struct scan *s, const struct mp3_piece *piece)
{
    struct mp3_flaw flaw = {.kind = MP3_NO_FLAW};
    struct mp3_step step;
    uint64_t frames = 0;
    mp3_walk_begin(&s->walk, &s->view, piece);
    for (; mp3_walk_next(&s->walk, &step); ++frames) {
        if (step.lost || !step.frame.junk_bytes)
            continue;
        if (flaw.kind == MP3_NO_FLAW)
            flaw = (struct mp3_flaw){.kind = MP3_JUNK, .at = frames * piece->kind.samples};
        flaw.amount += step.frame.junk_bytes;
    }
    s->view.end = s->size_bytes;
    if (flaw.kind != MP3_NO_FLAW && !piece->is_tagged)
        note_flaw(s, &flaw);
    return frames;
}

static void set_length(struct mp3_piece *piece, const struct mp3_info *info)
{
    const uint64_t all = piece->mpeg_frames * piece->kind.samples;
    const uint64_t padding = info->padding > DECODER_DELAY ? info->padding - DECODER_DELAY : 0;
    const uint64_t skipped = info->delay + DECODER_DELAY;
    const bool has_delays = piece->is_tagged && skipped + padding < all;
    piece->skipped = has_delays ? skipped : 0;
    piece->own_frames = has_delays ? all - skipped - padding : all;
}

/// Lay out a piece that no tag can be believed to end. @return where the next stream begins.
static uint64_t measure_piece(struct scan *s, struct mp3_piece *piece, struct mp3_info *info,
                              uint64_t stated_end)
{
    struct mp3_survey survey = {0};
    const uint64_t next =
        survey_piece(s, piece, piece->is_tagged ? info->frames : UINT64_MAX, &survey);
    const uint64_t frames = survey.hole_bytes ? count_frames(s, piece) : survey.frames;
    s->layout->may_be_cut = next == nowhere && (s->has_cut_frame || stated_end > s->size_bytes ||
                                                (piece->is_tagged && !info->bytes));
    if (piece->is_tagged && (next == nowhere || frames >= info->frames))
        return next; // the tag is the truth
    if (next == nowhere && stated_end > s->size_bytes && info->frames > frames)
        s->layout->cut_frames = (info->frames - frames) * piece->kind.samples;
    else if (s->has_cut_frame)
        s->layout->cut_frames = piece->kind.samples;
    piece->mpeg_frames = frames;
    if (piece->is_tagged) { // and joined to another, without its end
        const uint64_t samples = piece->kind.samples, missing = info->frames - frames;
        note_flaw(s, &(struct mp3_flaw){MP3_MISSING, frames * samples, missing * samples});
        info->padding = 0;
    }
    return next;
}

// --- All streams ---------------------------------------------------------------------------------

/// @return a new last piece; NULL: s->error.
static struct mp3_piece *add_piece(struct scan *s)
{
    struct mp3_layout *layout = s->layout;
    if (layout->piece_count == s->pieces_room) {
        const uint32_t room = s->pieces_room ? 2 * s->pieces_room : FIRST_PIECES;
        struct mp3_piece *pieces = realloc(layout->pieces, room * sizeof *pieces);
        if (!pieces) {
            s->error = -ENOMEM;
            return NULL;
        }
        layout->pieces = pieces;
        s->pieces_room = room;
    }
    return &layout->pieces[layout->piece_count];
}

/// Whether so many frames find room in the bytes that the tag states with them.
static bool can_hold(const struct mp3_piece *piece, const struct mp3_info *info)
{
    const uint32_t least =
        piece->free_bytes ? piece->free_bytes : mp3_least_frame_bytes(&piece->kind);
    return info->frames <= info->bytes / least;
}

/// Lay out the stream that begins at `at`. @return where the next begins.
static uint64_t lay_out_piece(struct scan *s, uint64_t at)
{
    struct mp3_view *v = &s->view;
    struct mp3_header header;
    struct mp3_info info;
    mp3_begin_stream(v, at);
    const unsigned char *head = mp3_look(v, at, MP3_HEADER_BYTES);
    struct mp3_piece *piece = head ? add_piece(s) : NULL;
    if (!piece || !mp3_look_at_header(v, at, &header) || header.bytes == 0)
        return nowhere;
    *piece = (struct mp3_piece){
        .kind = v->kind, .free_bytes = v->free_bytes, .first_byte = at, .end_byte = v->end};
    memcpy(piece->head, head, sizeof piece->head);
    if (mp3_read_info(v, at, &header, &info))
        piece->first_byte += header.bytes; // it is no sound
    piece->is_tagged = info.is_exact;
    piece->mpeg_frames = info.is_exact ? info.frames : 0;
    uint64_t next, stated_end = info.bytes ? at + info.bytes : 0;
    if (info.is_exact && info.bytes && can_hold(piece, &info) && is_end(v, stated_end, &next))
        piece->end_byte = stated_end;
    else
        next = measure_piece(s, piece, &info, stated_end);
    set_length(piece, &info);
    s->layout->piece_count++;
    return next > at ? next : nowhere;
}

static uint64_t convert(uint64_t frames, uint32_t from_hz, uint32_t to_hz)
{
    return (frames * to_hz + from_hz / 2) / from_hz;
}

/// The rate at which most is played, and the most channels.
static void choose_format(struct mp3_layout *layout)
{
    struct {
        uint32_t rate_hz;
        uint64_t ms;
    } played[RATES] = {{0}}, *most = played;
    for (uint32_t i = 0; i < layout->piece_count; ++i) {
        const struct mp3_piece *piece = &layout->pieces[i];
        uint32_t k = 0;
        while (played[k].rate_hz != piece->kind.rate_hz && played[k].rate_hz)
            k++;
        played[k].rate_hz = piece->kind.rate_hz;
        played[k].ms += piece->own_frames * 1000 / piece->kind.rate_hz;
        most = played[k].ms > most->ms ? &played[k] : most;
        if (piece->kind.channels > layout->channels)
            layout->channels = piece->kind.channels;
    }
    layout->rate_hz = most->rate_hz;
}

/// The flaw's place and length, so far frames of the piece with its delay, at its rate.
static void place_flaw(struct mp3_layout *layout, const struct mp3_piece *piece)
{
    struct mp3_flaw *flaw = &layout->flaw;
    const uint32_t rate_hz = piece->kind.rate_hz;
    const uint64_t at = flaw->at > piece->skipped ? flaw->at - piece->skipped : 0;
    flaw->at = piece->at + convert(at, rate_hz, layout->rate_hz);
    if (flaw->kind == MP3_MISSING)
        flaw->amount = convert(flaw->amount, rate_hz, layout->rate_hz);
}

/// With all pieces known.
static void finish(struct scan *s)
{
    struct mp3_layout *layout = s->layout;
    choose_format(layout);
    for (uint32_t i = 0; i < layout->piece_count; ++i) {
        struct mp3_piece *piece = &layout->pieces[i];
        piece->at = layout->frames;
        piece->frames = convert(piece->own_frames, piece->kind.rate_hz, layout->rate_hz);
        piece->is_padded = i + 1 < layout->piece_count;
        layout->frames += piece->frames;
        if (!piece->is_padded)
            layout->cut_frames = convert(layout->cut_frames, piece->kind.rate_hz, layout->rate_hz);
        if (i == s->flawed_piece && layout->flaw.kind != MP3_NO_FLAW)
            place_flaw(layout, piece);
    }
}

/// Whether a file of less than a frame begins with layer III's header; of the others', bytes of text look like them.
static bool is_cut_first(struct mp3_view *v, uint64_t start)
{
    struct mp3_header header;
    return mp3_look_at_header(v, start, &header) && header.layer == 3 &&
           header.bytes > v->end - start;
}

static int scan_streams(struct scan *s, uint64_t start)
{
    struct mp3_view *v = &s->view;
    struct mp3_layout *layout = s->layout;
    for (uint64_t n; (n = mp3_tag_bytes(v, start)) > 0; start += n)
        if (n > s->size_bytes - start)
            return memcmp(mp3_look(v, start, 3), "ID3", 3) == 0 ? -EBADMSG : -ENOTSUP;
    const unsigned char *b = mp3_look(v, start, 2);
    layout->is_alike = b && b[0] == 0xff && b[1] >= 0xe0;
    uint64_t at;
    const bool is_found = mp3_find_first(v, start, &at);
    while (is_found && at != nowhere && !v->error)
        at = lay_out_piece(s, at);
    finish(s);
    if (v->error || s->error)
        return v->error ? v->error : s->error;
    if (layout->frames)
        return 0;
    return layout->cut_frames || (!is_found && is_cut_first(v, start)) ? -ENOMSG : -ENOTSUP;
}

int mp3_layout_scan(struct mp3_layout *layout, struct source *source, uint64_t start,
                    uint64_t size_bytes)
{
    *layout = (struct mp3_layout){.piece_count = 0};
    struct scan *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->layout = layout;
    s->size_bytes = s->view.end = size_bytes;
    s->view.source = source;
    const int error = scan_streams(s, start);
    free(s);
    if (error) {
        const bool is_alike = layout->is_alike;
        mp3_layout_deinit(layout);
        layout->is_alike = is_alike;
    }
    return error;
}

void mp3_layout_deinit(struct mp3_layout *layout)
{
    free(layout->pieces);
    *layout = (struct mp3_layout){.piece_count = 0};
}
