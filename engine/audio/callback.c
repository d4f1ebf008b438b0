// SPDX-License-Identifier: MIT
#include "engine/audio/callback.h"
#include "dsp/denormals.h"
#include "engine/audio/callback_impl.h"
#include <assert.h>
#include <math.h>
#include <string.h>

// A fade is a level that counts frames from 0 (silence) to fade_frames (unity), so that it can turn back
// anywhere without a step, and at unity samples are copied, not computed.

struct wish {
    uint32_t epoch;
    enum callback_mode mode;
    enum callback_sound sound;
};

static struct wish read_wish(const struct callback *c)
{
    uint64_t word = atomic_load_explicit(&c->wish, memory_order_relaxed);
    int sound = atomic_load_explicit(&c->wanted_sound, memory_order_relaxed);
    return (struct wish){(uint32_t)(word >> 32), (enum callback_mode)(uint32_t)word,
                         (enum callback_sound)sound};
}

static uint32_t at_most(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/// Epochs grow and may wrap.
static bool is_before(uint32_t epoch, uint32_t other)
{
    return (int32_t)(epoch - other) < 0;
}

// --- what to play

static void leave(struct callback *c)
{
    c->voice = c->is_patient || c->level == 0 ? VOICE_SILENT : VOICE_LEAVING;
}

/// Heed the user: what he no longer wants fades out, and once it is silent his new epoch counts.
static void heed(struct callback *c, struct wish wish)
{
    if (c->voice == VOICE_SOUNDING && (wish.mode != CALLBACK_PLAYING || wish.epoch != c->epoch))
        leave(c);
    if (c->voice == VOICE_SILENT)
        c->epoch = wish.epoch;
}

/// The block to go on with; older epochs' are dropped. NULL: none yet. The loop is bounded by the ring.
static const struct ring_block *next_block(struct callback *c)
{
    const struct ring_block *block = ring_peek(c->ring);
    while (block && is_before(block->epoch, c->epoch)) {
        ring_release(c->ring);
        c->offset = 0;
        c->counters.stale_blocks++;
        block = ring_peek(c->ring);
    }
    if (!block || block->epoch != c->epoch)
        return NULL;
    assert(block->frames <= RING_BLOCK_FRAMES && c->offset <= block->frames);
    c->position =
        (struct callback_position){block->epoch, block->track, block->first_frame + c->offset};
    return block;
}

static struct blend_gains gains_of(enum callback_sound sound, const struct ring_block *block)
{
    switch (sound) {
    case CALLBACK_MATCHED:
        return (struct blend_gains){.mastered = block->mastered_gain};
    case CALLBACK_PLAIN:
        return (struct blend_gains){.plain = block->plain_gain};
    default:
        return (struct blend_gains){.mastered = 1.0f};
    }
}

/// Whether going over is more than a change of level: to the other side, or into another track.
static bool is_crossing(const struct callback *c, enum callback_sound sound, uint32_t track)
{
    return track != c->sound_track || (sound == CALLBACK_PLAIN) != (c->sound == CALLBACK_PLAIN);
}

/// Where mastering is on its way to other targets, what is heard of both sides keeps up with it block by block.
static void follow_level(struct callback *c, enum callback_sound sound,
                         const struct ring_block *block)
{
    const bool is_crossing_still = c->blend.left > 0 && c->blend.frames == c->cross_frames;
    if (!block->is_on_the_way || sound == CALLBACK_MASTERED) {
        blend_go(&c->blend, gains_of(sound, block),
                 is_crossing_still ? c->cross_frames : c->level_frames);
        return;
    }
    struct blend_gains to = {0};
    if (sound == CALLBACK_PLAIN)
        to.plain = block->plain_to;
    else
        to.mastered = block->mastered_to;
    if (!is_crossing_still)
        blend_go(&c->blend, to, RING_BLOCK_FRAMES);
}

/// Go over to the sound that is wanted, and to what this block says of its level.
static void choose_side(struct callback *c, enum callback_sound sound,
                        const struct ring_block *block)
{
    if (!c->has_sides)
        return;
    if (is_crossing(c, sound, block->track))
        blend_go(&c->blend, gains_of(sound, block), c->cross_frames);
    else
        follow_level(c, sound, block);
    c->sound = sound;
    c->sound_track = block->track;
}

static void begin(struct callback *c, enum callback_sound sound, const struct ring_block *block)
{
    if (c->has_sides)
        blend_jump(&c->blend, gains_of(sound, block));
    c->voice = VOICE_SOUNDING;
    c->is_dry = false;
    c->level = c->has_played && !c->is_patient ? 0 : c->fade_frames;
    c->has_played = true;
}

/// The ring has no more for a paced sink. A newer epoch's block tells that a command is on its way: then
/// nothing is amiss.
static void starve(struct callback *c)
{
    if (!ring_peek(c->ring))
        c->counters.underruns++;
    c->is_dry = true;
    leave(c);
}

/// Start, go on or break off with the block that is there, or the lack of one.
static void react(struct callback *c, struct wish wish, const struct ring_block *block)
{
    if (c->voice == VOICE_SILENT) {
        if (block && wish.mode == CALLBACK_PLAYING)
            begin(c, wish.sound, block);
    } else if (c->voice == VOICE_SOUNDING && !c->is_patient) {
        if (!block) {
            starve(c);
        } else if (block->flags & RING_AFTER_GAP && c->offset == 0) {
            c->is_dry = true;
            leave(c);
        }
    }
}

// --- how it sounds

/// Frames until the level reaches its end, at most `frames`; all of them where it stands at unity.
static uint32_t fade_length(const struct callback *c, uint32_t frames)
{
    if (c->voice == VOICE_LEAVING)
        return at_most(frames, c->level);
    return c->level == c->fade_frames ? frames : at_most(frames, c->fade_frames - c->level);
}

static void fade_frame(struct callback *c, float *out, const float in[2])
{
    float weight = (float)c->level / (float)c->fade_frames;
    out[0] = in[0] * weight;
    out[1] = in[1] * weight;
    if (c->voice == VOICE_LEAVING)
        c->level--;
    else
        c->level++;
}

static void finish_block(struct callback *c, const struct ring_block *block)
{
    if (block->flags & RING_QUEUE_END) {
        c->ended_epoch = block->epoch;
        c->voice = VOICE_SILENT;
    }
    c->offset = 0;
    ring_release(c->ring);
}

/// Play from the block up to its end, the fade's end or `frames`. @return frames played.
static uint32_t play(struct callback *c, const struct ring_block *block, float *out,
                     uint32_t frames)
{
    const size_t at = 2 * (size_t)c->offset;
    uint32_t n = fade_length(c, at_most(frames, block->frames - c->offset));
    blend_process(&c->blend, out, block->samples + at,
                  c->has_sides ? ring_plain_of(block) + at : NULL, n);
    if (n > 0)
        memcpy(c->last, out + 2 * (size_t)(n - 1), sizeof c->last);
    if (c->voice == VOICE_LEAVING || c->level != c->fade_frames)
        for (size_t i = 0; i < n; i++)
            fade_frame(c, out + 2 * i, out + 2 * i);
    c->offset += n;
    c->position.frame += n;
    c->counters.frames_played += n;
    if (c->voice == VOICE_LEAVING && c->level == 0)
        c->voice = VOICE_SILENT;
    if (c->offset == block->frames)
        finish_block(c, block);
    return n;
}

/// Fade the last frame out, for want of audio that goes on from it. @return frames filled.
static uint32_t fade_last(struct callback *c, float *out, uint32_t frames)
{
    uint32_t n = fade_length(c, frames);
    for (size_t i = 0; i < n; i++)
        fade_frame(c, out + 2 * i, c->last);
    c->is_dry = true; // a block that arrives now would not go on from it either
    c->counters.silent_frames += n;
    if (c->level == 0)
        c->voice = VOICE_SILENT;
    return n;
}

static uint32_t rest(struct callback *c, float *out, uint32_t frames)
{
    memset(out, 0, 2 * (size_t)frames * sizeof(float));
    c->counters.silent_frames += frames;
    return frames;
}

/// @return frames filled: all of them, but on a patient sink only what was ready.
static uint32_t fill(struct callback *c, struct wish wish, float *stereo, uint32_t frames)
{
    uint32_t done = 0;
    while (done < frames) { // each turn fills a frame, empties a block, or ends the loop
        float *out = stereo + 2 * (size_t)done;
        heed(c, wish);
        const struct ring_block *block = next_block(c);
        react(c, wish, block);
        if (c->voice != VOICE_SILENT && block && !c->is_dry) {
            choose_side(c, wish.sound, block);
            done += play(c, block, out, frames - done);
        } else if (c->is_patient) {
            break;
        } else if (c->voice == VOICE_LEAVING) {
            done += fade_last(c, out, frames - done);
        } else {
            done += rest(c, out, frames - done);
        }
    }
    return done;
}

// --- volume and readings

/// Ramp to a new gain where the old one was heard, else take it at once. Unity leaves samples alone.
static void apply_gain(struct callback *c, float *stereo, uint32_t frames, bool was_silent)
{
    float wanted = atomic_load_explicit(&c->wanted_gain, memory_order_relaxed);
    if (wanted != c->gain_goal) {
        c->gain_goal = wanted;
        c->gain_frames = c->ramp_frames;
    }
    if (was_silent)
        c->gain_frames = 0;

    uint32_t ramp = at_most(frames, c->gain_frames);
    for (size_t i = 0; i < ramp; i++, c->gain_frames--) {
        c->gain += (c->gain_goal - c->gain) / (float)c->gain_frames;
        stereo[2 * i] *= c->gain;
        stereo[2 * i + 1] *= c->gain;
    }
    if (c->gain_frames == 0)
        c->gain = c->gain_goal;
    if (c->gain != 1.0f)
        for (size_t i = 2 * (size_t)ramp; i < 2 * (size_t)frames; i++)
            stereo[i] *= c->gain;
}

static void measure_peak(struct callback *c, const float *stereo, uint32_t frames)
{
    float peak = c->counters.peak * fmaxf(0.0f, 1.0f - c->peak_fall * (float)frames);
    for (size_t i = 0; i < 2 * (size_t)frames; i++) {
        float magnitude = fabsf(stereo[i]);
        if (magnitude > peak)
            peak = magnitude;
    }
    c->counters.peak = peak;
}

static uint64_t pair(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

enum {
    WORD_WHERE,
    WORD_FRAME,
    WORD_CALLBACKS,
    WORD_PLAYED,
    WORD_UNDERRUNS,
    WORD_SILENT,
    WORD_STALE,
    WORD_MISC,
    WORD_SOUND,
    WORDS
};
_Static_assert((int)WORDS == (int)SNAPSHOT_WORDS, "all are written and read");

static float sound_gain(const struct callback *c)
{
    return c->blend.to.mastered + c->blend.to.plain; // one of them is 0
}

static void publish(struct callback *c)
{
    snapshot_write(&c->readings, (uint64_t[SNAPSHOT_WORDS]){
                                     [WORD_WHERE] = pair(c->position.epoch, c->position.track),
                                     [WORD_FRAME] = c->position.frame,
                                     [WORD_CALLBACKS] = c->counters.callbacks,
                                     [WORD_PLAYED] = c->counters.frames_played,
                                     [WORD_UNDERRUNS] = c->counters.underruns,
                                     [WORD_SILENT] = c->counters.silent_frames,
                                     [WORD_STALE] = c->counters.stale_blocks,
                                     [WORD_MISC] = pair(c->ended_epoch, bits_of(c->counters.peak)),
                                     [WORD_SOUND] = bits_of(sound_gain(c)),
                                 });
}

RT_SAFE uint32_t callback_run(void *callback, float *stereo, uint32_t frames)
{
    struct callback *c = callback;
    uint64_t saved = denormals_flush(); // the thread is the host's
    bool was_silent = c->voice == VOICE_SILENT;
    uint32_t done = fill(c, read_wish(c), stereo, frames);
    apply_gain(c, stereo, done, was_silent);
    measure_peak(c, stereo, done);
    c->counters.callbacks++;
    publish(c);
    denormals_restore(saved);
    return done;
}

// --- commands: one thread writes, so that reading a word and writing it back loses nothing

void callback_set_mode(struct callback *callback, enum callback_mode mode)
{
    struct wish wish = read_wish(callback);
    atomic_store_explicit(&callback->wish, pair(wish.epoch, (uint32_t)mode), memory_order_relaxed);
}

void callback_set_epoch(struct callback *callback, uint32_t epoch)
{
    struct wish wish = read_wish(callback);
    assert(!is_before(epoch, wish.epoch));
    atomic_store_explicit(&callback->wish, pair(epoch, (uint32_t)wish.mode), memory_order_relaxed);
}

void callback_set_gain(struct callback *callback, float gain)
{
    assert(isfinite(gain) && gain >= 0.0f);
    atomic_store_explicit(&callback->wanted_gain, gain, memory_order_relaxed);
}

void callback_set_sound(struct callback *callback, enum callback_sound sound)
{
    atomic_store_explicit(&callback->wanted_sound, (int)sound, memory_order_relaxed);
}

// --- readings

void callback_position(const struct callback *callback, struct callback_position *position)
{
    uint64_t words[SNAPSHOT_WORDS];
    snapshot_read(&callback->readings, words);
    *position = (struct callback_position){
        .epoch = (uint32_t)(words[WORD_WHERE] >> 32),
        .track = (uint32_t)words[WORD_WHERE],
        .frame = words[WORD_FRAME],
    };
}

void callback_counters(const struct callback *callback, struct callback_counters *counters)
{
    uint64_t words[SNAPSHOT_WORDS];
    snapshot_read(&callback->readings, words);
    *counters = (struct callback_counters){
        .callbacks = words[WORD_CALLBACKS],
        .frames_played = words[WORD_PLAYED],
        .underruns = words[WORD_UNDERRUNS],
        .silent_frames = words[WORD_SILENT],
        .stale_blocks = words[WORD_STALE],
        .peak = float_of((uint32_t)words[WORD_MISC]),
        .sound_gain = float_of((uint32_t)words[WORD_SOUND]),
    };
}

uint32_t callback_ended_epoch(const struct callback *callback)
{
    uint64_t words[SNAPSHOT_WORDS];
    snapshot_read(&callback->readings, words);
    return (uint32_t)(words[WORD_MISC] >> 32);
}
