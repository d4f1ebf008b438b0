// SPDX-License-Identifier: MIT
// The way through the frames of one stream by their numbers, those that were lost in a damaged file counted too.
#pragma once
#include "dsp/annotate.h"
#include "io/sound/mp3.h"
#include <stdbool.h>
#include <stdint.h>

/// What is known of a stream's frames that are not there, but junk in their place.
struct mp3_loss {
    bool is_known;      // else it is found out when junk is met
    double frame_bytes; // of a hole that stand for one; 0: a hole stands for none
    bool is_even;       // only a hole as long as whole frames stands for any
};

/// A stream of frames of one kind.
struct mp3_piece {
    struct mp3_header kind;
    unsigned char head[MP3_HEADER_BYTES]; // a header of that kind
    uint32_t free_bytes;                  // as in a view
    uint64_t first_byte, end_byte;        // of its frames of sound
    uint64_t mpeg_frames;                 // by its tag, or counted
    bool is_tagged, is_padded;            // padded: what it lacks at its end counts as lost
    struct mp3_loss loss;
    uint64_t at;                 // PCM frames of the pieces before it, at the layout's rate
    uint64_t skipped;            // PCM frames of the encoder's and decoder's delay
    uint64_t own_frames, frames; // of PCM, behind these, at the piece's rate, and at the layout's
};

/// What a look at all of a stream's frames shows, each of which is to be noted in turn.
struct mp3_survey {
    uint64_t frames, torn;            // all there are, and those that junk follows
    uint64_t bytes, hole_bytes;       // of the others, and of junk with the torn frame before it
    uint32_t least_bytes, most_bytes; // of one of the others, without padding
    uint32_t torn_bytes;              // of the last, if it is torn
};
/// Take the stream's next frame into a survey, zeroed before the first.
void mp3_survey_note(struct mp3_survey *survey, const struct mp3_frame *frame);
/// What of a stream that was surveyed was lost: of one with a tag what the tag counts beyond what is there; without,
/// frames of a constant bit rate where junk is as long as they would be.
struct mp3_loss mp3_survey_loss(const struct mp3_survey *survey, const struct mp3_piece *piece);

enum { MP3_WALK_ENTRIES = 1024 };

/// Thread-safety: one thread at a time.
struct mp3_walk {
    struct mp3_view *view; // borrowed
    struct mp3_piece piece;
    struct mp3_place {
        uint64_t at, number; // where to look for the MPEG frame of that number
        uint32_t torn_bytes; // of the one before it, if that is torn
    } next, index[MP3_WALK_ENTRIES];
    // The index has a place for every step-th frame, as far as it is known: entry i leads to frame i * step.
    uint64_t step;
    uint32_t index_count;
    // What was found from `next` on: so many lost frames, of which some are passed, and behind them perhaps one.
    struct mp3_frame ahead;
    uint64_t lost, passed;
    bool is_ahead, is_there; // something is left of it; its frame is
};

/// A frame on the way. One that was lost has the place of the junk, and no bytes.
struct mp3_step {
    struct mp3_frame frame;
    uint64_t number;
    uint64_t lost; // it and what follows it, so many; 0: it is there
};

/// Begin before the piece's first frame, and look at nothing else through the view, which is borrowed, from now on. Of
/// the piece a copy is kept. Where the view's source fails, there is no next frame, and view->error says why.
void mp3_walk_begin(struct mp3_walk *walk, struct mp3_view *view, const struct mp3_piece *piece);
/// Pass over one frame. Blocks. @return whether there is one.
bool mp3_walk_next(struct mp3_walk *walk, struct mp3_step *step);
/// Go to where mp3_walk_next() gives that frame. Blocks. @return whether it is there.
bool mp3_walk_go_to(struct mp3_walk *walk, uint64_t number);
