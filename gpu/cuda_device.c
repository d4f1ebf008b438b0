// SPDX-License-Identifier: MIT
#include "gpu/cuda_device.h"
#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cuda_device {
    // --- immutable after create
    struct cuda_runtime runtime;
    // --- atomic: written by any worker, read by all and by the scheduler. Relaxed: the flag publishes
    // nothing, and a reader that sees it late only fails once more.
    _Atomic int is_lost;
};

int cuda_device_create(struct cuda_device **out, const struct cuda_runtime *runtime)
{
    assert(runtime->version == CUDA_RUNTIME_VERSION);
    *out = calloc(1, sizeof **out);
    if (!*out)
        return -ENOMEM;
    (*out)->runtime = *runtime;
    return 0;
}

void cuda_device_destroy(struct cuda_device **device)
{
    free(*device);
    *device = NULL;
}

// @return 0, or -errno: the path does not fit.
static int module_path(char *path, size_t bytes)
{
    const char *chosen = secure_getenv("SEGUE_CUDA_MODULE");
    if (chosen)
        return snprintf(path, bytes, "%s", chosen) < (int)bytes ? 0 : -ENAMETOOLONG;
    char self[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return -errno;
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    if (!slash)
        return -ENOENT;
    *slash = '\0';
    return snprintf(path, bytes, "%s/libsegue_cuda.so", self) < (int)bytes ? 0 : -ENAMETOOLONG;
}

static const char *open_runtime(struct cuda_runtime *runtime)
{
    char path[PATH_MAX];
    if (module_path(path, sizeof path))
        return "no path to the CUDA module";
    if (access(path, R_OK))
        return "no CUDA module";
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        return "the CUDA module cannot be loaded";
    // POSIX lets a symbol's address become a function's; ISO C has no cast for it.
    cuda_open_fn open;
    void *symbol = dlsym(module, "segue_cuda_open");
    memcpy(&open, &symbol, sizeof open);
    if (!open)
        return "not a CUDA module";
    const char *reason = open(runtime);
    if (!reason && runtime->version != CUDA_RUNTIME_VERSION)
        reason = "the CUDA module is of another version";
    return reason;
}

const char *cuda_device_open(struct cuda_device **out)
{
    *out = NULL;
    struct cuda_runtime runtime = {0};
    const char *reason = open_runtime(&runtime);
    if (!reason && cuda_device_create(out, &runtime))
        reason = "no memory for the CUDA device";
    return reason;
}

const struct cuda_runtime *cuda_device_runtime(const struct cuda_device *device)
{
    return &device->runtime;
}

void cuda_device_report(struct cuda_device *device, int code)
{
    assert(code != CUDA_SUCCESS_CODE && code != CUDA_NOT_READY);
    if (device->runtime.probe())
        cuda_device_report_hang(device);
}

void cuda_device_report_hang(struct cuda_device *device)
{
    atomic_store_explicit(&device->is_lost, 1, memory_order_relaxed);
}

int cuda_device_is_lost(const struct cuda_device *device)
{
    return atomic_load_explicit(&device->is_lost, memory_order_relaxed);
}
