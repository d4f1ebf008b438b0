// SPDX-License-Identifier: MIT
#include "support/failing_heap.h"
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

// --- atomic: any thread allocates. Sequentially consistent: it counts, and is not in a hurry
static atomic_size_t taken, first_to_fail, last_to_fail;
static atomic_int has_failed, is_paused;
static _Thread_local int is_spared;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t most);
int __wrap_asprintf(char **out, const char *format, ...);

void failing_heap_arm_for(size_t successes, enum failing_heap_kind kind)
{
    taken = 0;
    has_failed = 0;
    is_paused = 0;
    first_to_fail = successes == SIZE_MAX ? SIZE_MAX : successes + 1;
    last_to_fail = kind == FAILS_ONCE ? first_to_fail : SIZE_MAX;
}

void failing_heap_arm(size_t successes)
{
    failing_heap_arm_for(successes, FAILS_ONCE);
}

int failing_heap_has_failed(void)
{
    return has_failed;
}

void failing_heap_pause(void)
{
    is_paused = 1;
}

void failing_heap_resume(void)
{
    is_paused = 0;
}

void failing_heap_spare(void)
{
    is_spared = 1;
}

int failing_heap_take(void)
{
    const int was_spared = is_spared;
    is_spared = 0;
    if (was_spared)
        return 0;
    if (is_paused || first_to_fail == 0) // 0: never armed
        return 0;
    const size_t number = atomic_fetch_add(&taken, 1) + 1;
    if (number < first_to_fail || number > last_to_fail || first_to_fail == SIZE_MAX)
        return 0;
    has_failed = 1;
    errno = ENOMEM;
    return 1;
}

void *__wrap_malloc(size_t size)
{
    return failing_heap_take() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return failing_heap_take() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return failing_heap_take() ? NULL : __real_realloc(block, size);
}

char *__wrap_strndup(const char *text, size_t most)
{
    const size_t length = strnlen(text, most);
    char *copy = __wrap_malloc(length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, SIZE_MAX);
}

int __wrap_asprintf(char **out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length = failing_heap_take() ? -1 : vasprintf(out, format, arguments);
    va_end(arguments);
    return length;
}
