// SPDX-License-Identifier: MIT
// Stands in for the compiler's <stdatomic.h>: code built with it runs its atomics in the model of model.h.
#pragma once
#include <stdint.h>

#define _Atomic // the model keeps the values; the variable is only their address

typedef enum {
    memory_order_relaxed,
    memory_order_acquire,
    memory_order_release,
} memory_order;

void model_init(const void *variable, uint32_t value);
uint32_t model_load(const void *variable, memory_order order, const char *function, int line);
void model_store(const void *variable, uint32_t value, memory_order order, const char *function,
                 int line);

#define atomic_init(variable, value)          model_init(variable, value)
#define atomic_load_explicit(variable, order) model_load(variable, order, __func__, __LINE__)
#define atomic_store_explicit(variable, value, order)                                              \
    model_store(variable, value, order, __func__, __LINE__)
