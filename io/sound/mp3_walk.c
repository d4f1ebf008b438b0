// SPDX-License-Identifier: MIT
#include "io/sound/mp3_walk.h"
#include <math.h>

// --- What was lost -------------------------------------------------------------------------------

void mp3_survey_note(struct mp3_survey *s, const struct mp3_frame *frame)
{
    const uint32_t bytes = frame->header.bytes - frame->header.padding_bytes;
    if (frame->junk_bytes)
        s->hole_bytes += frame->junk_bytes + s->torn_bytes;
    s->torn_bytes = frame->is_torn ? frame->header.bytes : 0;
    s->frames++;
    s->torn += frame->is_torn;
    if (frame->is_torn)
        return; // its length may be a lie
    s->bytes += frame->header.bytes;
    s->least_bytes = s->most_bytes == 0 || bytes < s->least_bytes ? bytes : s->least_bytes;
    s->most_bytes = bytes > s->most_bytes ? bytes : s->most_bytes;
}

struct mp3_loss mp3_survey_loss(const struct mp3_survey *s, const struct mp3_piece *piece)
{
    struct mp3_loss loss = {.is_known = true};
    const uint64_t whole = s->frames - s->torn;
    const double mean = whole ? (double)s->bytes / (double)whole : 0;
    if (!piece->is_tagged) {
        loss.is_even = true;
        loss.frame_bytes = s->least_bytes == s->most_bytes ? mean : 0;
    } else if (piece->mpeg_frames > s->frames) {
        const uint64_t in_holes = piece->mpeg_frames - s->frames + s->torn;
        loss.frame_bytes = fmax(mean, (double)s->hole_bytes / (double)in_holes);
    }
    return loss;
}

/// A tagged piece is looked at as a whole only when it shows damage.
static void find_loss(struct mp3_walk *w)
{
    struct mp3_survey survey = {0};
    struct mp3_frame frame;
    for (uint64_t at = w->piece.first_byte; mp3_find_next(w->view, at, &frame);) {
        mp3_survey_note(&survey, &frame);
        at = frame.at + frame.header.bytes;
    }
    w->piece.loss = mp3_survey_loss(&survey, &w->piece);
}

/// Frames that were where junk is, and a torn frame before it.
static uint64_t count_lost(struct mp3_walk *w, uint64_t junk_bytes, uint32_t torn_bytes)
{
    const struct mp3_loss *loss = &w->piece.loss;
    if (!loss->is_known)
        find_loss(w);
    if (loss->frame_bytes <= 0)
        return 0;
    const double hole_bytes = (double)(junk_bytes + torn_bytes);
    const double frames = round(hole_bytes / loss->frame_bytes);
    const double off_bytes = fabs(hole_bytes - frames * loss->frame_bytes);
    // Padding comes at either end, a slot of which is four bytes in layer I or one.
    const double slack_bytes = w->piece.kind.layer == 1 ? 8 : 2;
    if (loss->is_even && off_bytes > slack_bytes)
        return 0;
    const uint64_t torn = torn_bytes > 0;
    return (uint64_t)frames > torn ? (uint64_t)frames - torn : 0;
}

// --- The way -------------------------------------------------------------------------------------

static void begin_at(struct mp3_walk *w, const struct mp3_place *place)
{
    w->next = *place;
    w->lost = w->passed = 0;
    w->is_ahead = false;
}

void mp3_walk_begin(struct mp3_walk *w, struct mp3_view *view, const struct mp3_piece *piece)
{
    w->view = view;
    w->piece = *piece;
    w->index[0] = (struct mp3_place){.at = piece->first_byte};
    w->index_count = 1;
    w->step = 1;
    begin_at(w, &w->index[0]);
    view->kind = piece->kind;
    view->free_bytes = piece->free_bytes;
    view->end = piece->end_byte;
}

/// Note what leads to the frame of that number.
static void note_place(struct mp3_walk *w, const struct mp3_place *place, uint64_t number)
{
    if (number != w->index_count * w->step)
        return;
    if (w->index_count == MP3_WALK_ENTRIES) {
        for (uint32_t i = 0; i < MP3_WALK_ENTRIES / 2; ++i)
            w->index[i] = w->index[2 * i];
        w->index_count = MP3_WALK_ENTRIES / 2;
        w->step *= 2;
    }
    if (number == w->index_count * w->step)
        w->index[w->index_count++] = *place;
}

/// Find the next frame that is there, and how many were lost before it. @return whether there is any of these.
static bool look_ahead(struct mp3_walk *w)
{
    w->is_there = mp3_find_next(w->view, w->next.at, &w->ahead);
    w->passed = w->lost = 0;
    if (w->is_there && w->ahead.junk_bytes)
        w->lost = count_lost(w, w->ahead.junk_bytes, w->next.torn_bytes);
    else if (!w->is_there && w->piece.is_padded && w->piece.mpeg_frames > w->next.number)
        w->lost = w->piece.mpeg_frames - w->next.number;
    w->is_ahead = !w->view->error && (w->is_there || w->lost > 0);
    return w->is_ahead;
}

bool mp3_walk_next(struct mp3_walk *w, struct mp3_step *step)
{
    if (!w->is_ahead && !look_ahead(w))
        return false;
    const uint64_t number = w->next.number + w->passed;
    note_place(w, &w->next, number);
    *step = (struct mp3_step){.number = number, .lost = w->lost - w->passed, .frame = w->ahead};
    if (step->lost > 0) {
        w->passed++;
        if (step->lost == 1 && !w->is_there)
            begin_at(w, &(struct mp3_place){.at = w->next.at, .number = number + 1});
        return true;
    }
    if (w->lost > 0)
        step->frame.junk_bytes = 0; // it was counted
    const struct mp3_place behind = {.at = w->ahead.at + w->ahead.header.bytes,
                                     .number = number + 1,
                                     .torn_bytes = w->ahead.is_torn ? w->ahead.header.bytes : 0};
    begin_at(w, &behind);
    return true;
}

bool mp3_walk_go_to(struct mp3_walk *w, uint64_t number)
{
    const uint64_t entry = number / w->step;
    begin_at(w, &w->index[entry < w->index_count ? entry : w->index_count - 1]);
    struct mp3_step step;
    while (w->next.number + w->passed < number)
        if (!mp3_walk_next(w, &step))
            return false;
    return true;
}
