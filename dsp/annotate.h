// SPDX-License-Identifier: MIT
// Contracts the compiler can check; each macro is empty where unsupported.
#pragma once
#include <stddef.h> // a macros-only header is an empty translation unit under -Wpedantic

#define MUST_CHECK __attribute__((warn_unused_result))

/// Marks a function that may run on the audio thread: it never blocks, allocates or calls the system.
#if defined(__clang__) && __clang_major__ >= 20
#    define RT_SAFE __attribute__((nonblocking))
#else
#    define RT_SAFE
#endif

#ifdef __clang__
#    define TS(x) __attribute__((x))
#else
#    define TS(x)
#endif
#define CAPABILITY(name) TS(capability(name))
#define REQUIRES(lock)   TS(requires_capability(lock))
#define ACQUIRES(...)    TS(acquire_capability(__VA_ARGS__))
#define RELEASES(...)    TS(release_capability(__VA_ARGS__))
#define NO_TS_CHECK      TS(no_thread_safety_analysis)
