// SPDX-License-Identifier: MIT
// What the benchmarks share. Each prints lines of "name key=value ..." and ratios of what it printed.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// A subcommand of segue-bench. @return an exit status: 0, 1 failed, 2 bad usage.
int bench_analysis(int argc, char **argv);
int bench_cache(int argc, char **argv);
int bench_cold_warm(int argc, char **argv);
int bench_fast_start(int argc, char **argv);
int bench_inputs(int argc, char **argv);
int bench_library(int argc, char **argv);
int bench_mastering(int argc, char **argv);
int bench_memory(int argc, char **argv);
int bench_ring(int argc, char **argv);
int bench_store(int argc, char **argv);

/// CPU time of the calling thread: unlike wall time it does not count what else the machine does.
int64_t bench_cpu_ns(void);
int64_t bench_wall_ns(void);
/// Sorts `values`. @return their median; of an even count the upper one of the middle two.
double bench_median(double *values, size_t count);
/// Next of a seeded sequence (SplitMix64).
uint64_t bench_random(uint64_t *seed);
/// @return `text` as a number from 1 to `most`, or 0 if it is none.
unsigned long bench_number(const char *text, unsigned long most);
/// End a scratch file of mkstemp()'s; a descriptor below 0 is fine.
void bench_close_and_remove(int fd, const char *path);
