// SPDX-License-Identifier: MIT
#include "support/failing_heap.h"
#include <stdint.h>

static size_t left = SIZE_MAX;
static int has_failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

void failing_heap_arm(size_t successes)
{
    left = successes;
    has_failed = 0;
}

int failing_heap_has_failed(void)
{
    return has_failed;
}

static int is_due(void)
{
    if (left == SIZE_MAX || left-- > 0)
        return 0;
    left = SIZE_MAX;
    has_failed = 1;
    return 1;
}

void *__wrap_malloc(size_t size)
{
    return is_due() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_due() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return is_due() ? NULL : __real_realloc(block, size);
}
