// SPDX-License-Identifier: MIT
// The module's one export: CUDA's runtime, which is linked in, and cuFFT, which is opened, as a table.
#include "gpu/cuda_runtime.h"
#include "gpu/stft_kernels_cuda.h"
#include <cuda_runtime_api.h>
#include <cufft.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define STRING_OF(x)  #x
#define EXPANDED(x)   STRING_OF(x)
#define CUFFT_LIBRARY "libcufft.so." EXPANDED(CUFFT_VER_MAJOR)

// cuFFT as opened. Never closed: plans and CUDA's threads may outlive any user.
struct cufft_library {
    cufftResult (*plan_many)(cufftHandle *plan, int rank, int *n, int *inembed, int istride,
                             int idist, int *onembed, int ostride, int odist, cufftType type,
                             int batch);
    cufftResult (*set_stream)(cufftHandle plan, cudaStream_t stream);
    cufftResult (*exec_r2c)(cufftHandle plan, cufftReal *real, cufftComplex *spectrum);
    cufftResult (*destroy)(cufftHandle plan);
};

struct fft_plan {
    const struct cufft_library *library;
    cufftHandle handle;
};

static int probe(void)
{
    (void)cudaGetLastError();
    return (int)cudaFree(NULL);
}

static int stream_create(void **stream)
{
    int least = 0, greatest = 0;
    const cudaError_t error = cudaDeviceGetStreamPriorityRange(&least, &greatest);
    if (error)
        return (int)error;
    return (int)cudaStreamCreateWithPriority((cudaStream_t *)stream, cudaStreamNonBlocking, least);
}

static int stream_destroy(void *stream)
{
    return (int)cudaStreamDestroy(stream);
}

static int stream_query(void *stream)
{
    return (int)cudaStreamQuery(stream);
}

static int stream_wait_event(void *stream, void *event)
{
    return (int)cudaStreamWaitEvent(stream, event, 0);
}

static int event_create(void **event)
{
    return (int)cudaEventCreateWithFlags((cudaEvent_t *)event, cudaEventDisableTiming);
}

static int event_destroy(void *event)
{
    return (int)cudaEventDestroy(event);
}

static int event_record(void *event, void *stream)
{
    return (int)cudaEventRecord(event, stream);
}

static int host_alloc(void **pinned, size_t bytes)
{
    return (int)cudaHostAlloc(pinned, bytes, cudaHostAllocDefault);
}

static int host_free(void *pinned)
{
    return (int)cudaFreeHost(pinned);
}

static int malloc_async(void **memory, size_t bytes, void *stream)
{
    return (int)cudaMallocAsync(memory, bytes, stream);
}

static int free_async(void *memory, void *stream)
{
    return (int)cudaFreeAsync(memory, stream);
}

static int copy_to_device(void *device, const void *pinned, size_t bytes, void *stream)
{
    return (int)cudaMemcpyAsync(device, pinned, bytes, cudaMemcpyHostToDevice, stream);
}

static int copy_to_host(void *pinned, const void *device, size_t bytes, void *stream)
{
    return (int)cudaMemcpyAsync(pinned, device, bytes, cudaMemcpyDeviceToHost, stream);
}

static int launch_host(void *stream, void (*function)(void *context), void *context)
{
    return (int)cudaLaunchHostFunc(stream, function, context);
}

// cuFFT has codes of its own; here they only say that something failed.
static int code_of(cufftResult result)
{
    if (result == CUFFT_SUCCESS)
        return CUDA_SUCCESS_CODE;
    return result == CUFFT_ALLOC_FAILED ? CUDA_OUT_OF_MEMORY : (int)cudaErrorUnknown;
}

static int fft_destroy(void *plan)
{
    struct fft_plan *p = plan;
    const cufftResult result = p->library->destroy(p->handle);
    free(p);
    return code_of(result);
}

static int fft_create(void **plan, void *library, int size, int batch, void *stream)
{
    *plan = NULL;
    struct fft_plan *p = calloc(1, sizeof *p);
    if (!p)
        return CUDA_OUT_OF_MEMORY;
    p->library = library;
    cufftResult result =
        p->library->plan_many(&p->handle, 1, &size, NULL, 1, 0, NULL, 1, 0, CUFFT_R2C, batch);
    if (result) {
        free(p);
        return code_of(result);
    }
    result = p->library->set_stream(p->handle, stream);
    if (result)
        fft_destroy(p);
    else
        *plan = p;
    return code_of(result);
}

static int fft_execute(void *plan, float *real, float *complex_pairs)
{
    const struct fft_plan *p = plan;
    return code_of(p->library->exec_r2c(p->handle, real, (cufftComplex *)(void *)complex_pairs));
}

// POSIX lets a symbol's address become a function's; ISO C has no cast for it.
static int load(void *handle, const char *name, void *function)
{
    void *symbol = dlsym(handle, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static struct cufft_library *open_cufft(void)
{
    void *handle = dlopen(CUFFT_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        handle = dlopen(SEGUE_CUDA_LIBRARY_DIR "/" CUFFT_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    struct cufft_library *library = handle ? calloc(1, sizeof *library) : NULL;
    if (library && load(handle, "cufftPlanMany", &library->plan_many) &&
        load(handle, "cufftSetStream", &library->set_stream) &&
        load(handle, "cufftExecR2C", &library->exec_r2c) &&
        load(handle, "cufftDestroy", &library->destroy))
        return library;
    free(library);
    return NULL;
}

// By default a pool gives all its memory back to the system at every synchronisation.
static void keep_pool(void)
{
    cudaMemPool_t pool;
    uint64_t kept_bytes = 256ULL << 20;
    if (!cudaDeviceGetDefaultMemPool(&pool, 0))
        (void)cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &kept_bytes);
}

static const char *reason_of(cudaError_t error)
{
    switch (error) {
    case cudaErrorInsufficientDriver:
        return "no driver, or one older than the toolkit";
    case cudaErrorNoDevice:
        return "no device";
    default:
        return "the CUDA runtime does not start";
    }
}

__attribute__((visibility("default"))) const char *segue_cuda_open(struct cuda_runtime *out);

const char *segue_cuda_open(struct cuda_runtime *out)
{
    int devices = 0;
    const cudaError_t error = cudaGetDeviceCount(&devices);
    if (error || devices == 0)
        return reason_of(error ? error : cudaErrorNoDevice);
    // After the device: opening cuFFT's 286 MB takes longer than a start without a device may.
    void *cufft = open_cufft();
    if (!cufft)
        return "no " CUFFT_LIBRARY;
    keep_pool();
    *out = (struct cuda_runtime){
        .version = CUDA_RUNTIME_VERSION,
        .library = cufft,
        .probe = probe,
        .stream_create = stream_create,
        .stream_destroy = stream_destroy,
        .stream_query = stream_query,
        .stream_wait_event = stream_wait_event,
        .event_create = event_create,
        .event_destroy = event_destroy,
        .event_record = event_record,
        .host_alloc = host_alloc,
        .host_free = host_free,
        .malloc_async = malloc_async,
        .free_async = free_async,
        .copy_to_device = copy_to_device,
        .copy_to_host = copy_to_host,
        .launch_host = launch_host,
        .fft_create = fft_create,
        .fft_execute = fft_execute,
        .fft_destroy = fft_destroy,
        .window_frames = window_frames_cuda,
        .band_energies = band_energies_cuda,
    };
    return NULL;
}
