// SPDX-License-Identifier: MIT
#include "engine/render/playing.h"
#include "engine/library/track_record.h"
#include <errno.h>
#include <math.h>

// What is played goes on making provisional targets better. Without memory they stay as they are.
static void on_heard(void *context, const float *stereo, uint32_t frames)
{
    struct playing *p = context;
    const uint32_t known = p->looked_at_frames < frames ? (uint32_t)p->looked_at_frames : frames;
    p->looked_at_frames -= known;
    if (p->provisional && frames > known)
        p->has_news |=
            provisional_feed(p->provisional, stereo + 2 * (size_t)known, frames - known) == 1;
}

// Its loudness and peak are known where its own analysis is, whoever gave the targets.
static struct levels levels_of(struct track *track, const struct mastering_targets *targets)
{
    struct record *record = track_record(track);
    struct loudness loudness = {.integrated_lufs = NAN, .true_peak_dbtp = NAN};
    if (record)
        loudness = track_record_analysis(track_record_of(record))->loudness;
    record_unref(&record);
    return (struct levels){match_lift_db(targets, loudness.integrated_lufs),
                           match_headroom_db(targets, loudness.true_peak_dbtp)};
}

static void set_targets(struct playing *p, const struct mastering_targets *targets)
{
    const struct levels levels = levels_of(p->track, targets);
    track_stream_set_targets(p->stream, targets);
    way_stand(&p->way, targets, &levels);
}

static int use_provisional_targets(struct playing *p)
{
    const enum provisional_kind kind =
        track_was_mastered(p->track) ? PROVISIONAL_AGAIN : PROVISIONAL_FIRST;
    const float *head;
    const int64_t got =
        track_stream_peek(p->stream, PROVISIONAL_HEAD_S * p->config->rate_hz, &head);
    int error = got < 0 ? (int)got
                        : provisional_create(&p->provisional, p->config->rate_hz,
                                             p->config->settings, kind);
    if (!error)
        error = provisional_feed(p->provisional, head, (uint32_t)got);
    if (error >= 0)
        error = provisional_conclude(p->provisional);
    if (error)
        return error;
    struct mastering_targets targets;
    provisional_targets(p->provisional, &targets);
    set_targets(p, &targets);
    lift_init(&p->lift, p->config->rate_hz);
    p->looked_at_frames = (uint64_t)got;
    return 0;
}

int playing_choose_targets(struct playing *p)
{
    const bool waits = p->config->pace == SINK_PATIENT;
    struct record *record = NULL;
    struct track_album album;
    if (!p->config->settings)
        return 0;
    int error = p->config->has_albums
                    ? waits ? track_wait_album(p->track, &album) : track_album(p->track, &album)
                    : -ENOENT;
    if (!error)
        set_targets(p, &album.targets);
    if (!error || error == -ECANCELED)
        return error;
    p->may_join_an_album = error == -EAGAIN;
    error = waits ? track_wait_record(p->track, &record) : 0;
    if (error == -ECANCELED)
        return error;
    if (!waits)
        record = track_record(p->track);
    if (!record)
        return use_provisional_targets(p);
    set_targets(p, &track_record_of(record)->targets);
    record_unref(&record);
    return 0;
}

static void ramp_to(struct playing *p, const struct mastering_targets *targets,
                    const struct levels *levels)
{
    const uint32_t frames = way_go(&p->way, targets, levels, p->frame, p->config->rate_hz);
    track_stream_ramp_to(p->stream, targets, frames);
}

static void go_over_to(struct playing *p, const struct mastering_targets *targets)
{
    const struct levels levels = levels_of(p->track, targets);
    ramp_to(p, targets, &levels);
    provisional_destroy(&p->provisional);
    track_stream_set_tap(p->stream, NULL, NULL);
}

void playing_use_better_targets(struct playing *p)
{
    struct track_album album;
    if (p->may_join_an_album && track_is_album_known(p->track)) {
        p->may_join_an_album = false;
        if (track_album(p->track, &album) == 0)
            go_over_to(p, &album.targets);
    }
    if (!p->provisional)
        return;
    if (track_has_record(p->track)) {
        struct record *record = track_record(p->track);
        go_over_to(p, &track_record_of(record)->targets);
        record_unref(&record);
        return;
    }
    track_stream_set_tap(p->stream, on_heard, p); // where it stays until it has ended
    if (!p->has_news)
        return;
    struct mastering_targets targets;
    provisional_targets(p->provisional, &targets);
    struct levels levels = levels_of(p->track, &targets);
    levels.lift_db += p->lift.beyond_db;
    ramp_to(p, &targets, &levels);
    p->has_news = false;
}

void playing_label_levels(const struct playing *p, struct ring_block *block)
{
    const struct match from = way_match(&p->way, p->frame);
    const struct match to = way_match(&p->way, p->frame + RING_BLOCK_FRAMES);
    block->mastered_gain = from.mastered;
    block->plain_gain = from.plain;
    block->mastered_to = to.mastered;
    block->plain_to = to.plain;
    block->is_on_the_way = !way_is_over(&p->way, p->frame);
}

void playing_keep_up(struct playing *p, struct ring_block *block)
{
    if (!p->provisional)
        return;
    const double makeup_db = way_lift_db(&p->way, p->frame + block->frames / 2) - p->lift.beyond_db;
    way_raise_lift(
        &p->way, lift_take(&p->lift, block->samples, ring_plain(block), block->frames, makeup_db));
    const struct match to = way_match(&p->way, p->frame + RING_BLOCK_FRAMES);
    block->mastered_to = to.mastered;
    block->plain_to = to.plain;
    block->is_on_the_way = true;
}

void playing_close(struct playing *p)
{
    track_stream_close(&p->stream);
    provisional_destroy(&p->provisional);
}
