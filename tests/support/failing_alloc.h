// SPDX-License-Identifier: MIT
// An allocator that fails on request. The test binary is linked with --wrap for malloc, calloc,
// aligned_alloc and free.
#pragma once
#include <stddef.h>

/// Let the allocation after `successes` more of them fail, and succeed again after it. SIZE_MAX:
/// none fails. One thread.
void failing_alloc_arm(size_t successes);
/// @return 1 if the armed failure has happened.
int failing_alloc_has_failed(void);
/// @return blocks allocated and not yet freed.
size_t failing_alloc_live(void);
