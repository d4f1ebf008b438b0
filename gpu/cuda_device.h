// SPDX-License-Identifier: MIT
// CUDA as one process has it: opened at run time, usable until an error that stays.
#pragma once
#include "dsp/annotate.h"
#include "gpu/cuda_runtime.h"

/// Thread-safety: Safe.
struct cuda_device;

/// Open the module: the file that the environment names in SEGUE_CUDA_MODULE, or libsegue_cuda.so
/// beside the program. May take 0.1 s where there is a device.
/// @return NULL and *out, or why there is none, a static string; *out is NULL then.
const char *cuda_device_open(struct cuda_device **out);
/// A device on a runtime of the caller's. @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int cuda_device_create(struct cuda_device **out, const struct cuda_runtime *runtime);
/// Destroy and set *device to NULL. NULL is fine. The module stays loaded: its threads may live on.
void cuda_device_destroy(struct cuda_device **device);
const struct cuda_runtime *cuda_device_runtime(const struct cuda_device *device);
/// Tell the device of a call that failed with `code`: it is lost if the error stays.
void cuda_device_report(struct cuda_device *device, int code);
/// Tell the device that work on it does not end.
void cuda_device_report_hang(struct cuda_device *device);
/// No more work may go there.
int cuda_device_is_lost(const struct cuda_device *device);
