// SPDX-License-Identifier: MIT
#include "support/failing_alloc.h"
#include <stdint.h>

static size_t left = SIZE_MAX;
static int has_failed;
static size_t live;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *block);

void failing_alloc_arm(size_t successes)
{
    left = successes;
    has_failed = 0;
}

int failing_alloc_has_failed(void)
{
    return has_failed;
}

size_t failing_alloc_live(void)
{
    return live;
}

static int is_due(void)
{
    if (left == SIZE_MAX)
        return 0;
    if (left-- > 0)
        return 0;
    left = SIZE_MAX;
    has_failed = 1;
    return 1;
}

static void *counted(void *block)
{
    live += block != NULL;
    return block;
}

void *__wrap_malloc(size_t size)
{
    return is_due() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_due() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return is_due() ? NULL : counted(__real_aligned_alloc(alignment, size));
}

void __wrap_free(void *block)
{
    live -= block != NULL;
    __real_free(block);
}
