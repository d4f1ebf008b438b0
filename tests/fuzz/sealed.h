// SPDX-License-Identifier: MIT
// Mutations of documents whose checksum is right again after it, so that they get past it.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Change one line of up to `most` bytes in place, and mostly seal it anew. @return its new length.
size_t sealed_mutate(uint8_t *line, size_t bytes, size_t most, unsigned seed);

// libFuzzer's.
size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t most, unsigned seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
