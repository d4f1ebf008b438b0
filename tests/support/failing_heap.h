// SPDX-License-Identifier: MIT
// A heap that fails on request. The test is linked with --wrap for malloc, calloc and realloc, or also for strdup,
// strndup and asprintf.
#pragma once
#include <stddef.h>

/// Let the allocation after `successes` more fail, once. SIZE_MAX: none. Other threads' count, too.
void failing_heap_arm(size_t successes);

enum failing_heap_kind { FAILS_ONCE, FAILS_FROM_THERE };
void failing_heap_arm_for(size_t successes, enum failing_heap_kind kind);
/// @return 1 if the armed failure has happened.
int failing_heap_has_failed(void);
/// This thread's next allocation neither counts nor fails.
void failing_heap_spare(void);
/// For an allocator of another library: count one allocation. @return 1 if it is to fail.
int failing_heap_take(void);
/// Allocations in between neither count nor fail. While no other thread allocates.
void failing_heap_pause(void);
void failing_heap_resume(void);
