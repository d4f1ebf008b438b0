// SPDX-License-Identifier: MIT
// One track from PCM to calibrated targets, on the calling thread.
#pragma once
#include "gpu/backend.h"

struct cuda_lane;

enum {
    EXTRACTION_BLOCK_FRAMES = 4096
}; // pulled from the reader at once; cancellation is seen between

/// What a thread that extracts keeps from job to job.
struct extraction_tools {
    float *block;           // EXTRACTION_BLOCK_FRAMES frames of PCM_MAX_CHANNELS
    struct cuda_lane *lane; // or NULL: the CPU does it all
};

/// Run `job` and set all that the backend sets in it. Blocks as long as its reader does.
void extraction_run(struct backend_job *job, const struct extraction_tools *tools);
