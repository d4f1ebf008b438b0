// SPDX-License-Identifier: MIT
// A backend on a device of the caller's choice, such as one without hardware.
#pragma once
#include "dsp/annotate.h"
#include "gpu/backend.h"

struct cuda_device;

/// As backend_create(), but CUDA is `*device`, whatever config->use_cuda says. The device is the
/// backend's from here on, on error too; it may be NULL.
MUST_CHECK int backend_create_on(struct backend **out, const struct backend_config *config,
                                 struct cuda_device **device);
