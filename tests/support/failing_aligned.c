// SPDX-License-Identifier: MIT
// Aligned memory of failing_heap.h, for suites whose subject takes such.
#include "support/failing_heap.h"

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return failing_heap_take() ? NULL : __real_aligned_alloc(alignment, size);
}
