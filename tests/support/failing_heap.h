// SPDX-License-Identifier: MIT
// A heap that fails on request. The test is linked with --wrap for malloc, calloc and realloc.
#pragma once
#include <stddef.h>

/// Let the allocation after `successes` more fail, once. SIZE_MAX: none. One thread.
void failing_heap_arm(size_t successes);
/// @return 1 if the armed failure has happened.
int failing_heap_has_failed(void);
