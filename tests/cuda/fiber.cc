// SPDX-License-Identifier: MIT
// This file is compiled without ThreadSanitizer, which is told of switches by hand: CUDA_GRID_TSAN.
#include "cuda/fiber.h"
#include <cstdint>
#include <cstdlib>
#include <sys/mman.h>

#ifdef CUDA_GRID_ASAN
#    include <sanitizer/asan_interface.h>
#    include <sanitizer/common_interface_defs.h>
#endif
#ifdef CUDA_GRID_TSAN
#    include <sanitizer/tsan_interface.h>
#endif

namespace
{

constexpr size_t STACK_BYTES = 64 << 10;
constexpr unsigned NO_SYNC = 1; // a switch orders nothing: only barriers do

// What resumes fibers: one at a time, so this is a single place.
struct {
    void *stack_pointer;
    void *fake_stack;
    const void *bottom; // of its stack, as AddressSanitizer has it
    size_t bytes;
    void *tsan_fiber;
    fiber *running;
} outside;

} // namespace

// Saves what a callee must keep, and returns on the other stack.
extern "C" void cuda_fiber_switch(void **save, void *load);
asm(R"(
    .text
    .globl cuda_fiber_switch
    .type cuda_fiber_switch, @function
cuda_fiber_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size cuda_fiber_switch, .-cuda_fiber_switch
)");

fiber::~fiber()
{
    if (stack_)
        munmap(stack_, STACK_BYTES);
#ifdef CUDA_GRID_TSAN
    if (tsan_fiber_)
        __tsan_destroy_fiber(tsan_fiber_);
#endif
}

void fiber::start()
{
#ifdef CUDA_GRID_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &outside.bottom, &outside.bytes);
#endif
    fiber *self = outside.running;
    for (;;) { // an entry that has ended may be resumed only after prepare(), which starts anew
        self->entry_();
        self->leave();
    }
}

void fiber::prepare(void (*entry)())
{
    if (!stack_) {
        stack_ =
            mmap(nullptr, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (stack_ == MAP_FAILED)
            abort();
#ifdef CUDA_GRID_TSAN
        tsan_fiber_ = __tsan_create_fiber(0);
#endif
    }
#ifdef CUDA_GRID_ASAN
    __asan_unpoison_memory_region(stack_, STACK_BYTES); // what an abandoned entry left
    fake_stack_ = nullptr;
#endif
    // The first switch pops six registers and returns to start(), whose stack pointer must then be
    // 8 past a multiple of 16, as after a call.
    uintptr_t *top = static_cast<uintptr_t *>(stack_) + STACK_BYTES / sizeof(uintptr_t);
    *--top = 0;
    *--top = 0; // where start() would return to
    *--top = reinterpret_cast<uintptr_t>(&fiber::start);
    top -= 6;
    for (int i = 0; i < 6; ++i)
        top[i] = 0;
    stack_pointer_ = top;
    entry_ = entry;
}

void fiber::resume()
{
    outside.running = this;
#ifdef CUDA_GRID_ASAN
    __sanitizer_start_switch_fiber(&outside.fake_stack, stack_, STACK_BYTES);
#endif
#ifdef CUDA_GRID_TSAN
    outside.tsan_fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(tsan_fiber_, NO_SYNC);
#endif
    cuda_fiber_switch(&outside.stack_pointer, stack_pointer_);
#ifdef CUDA_GRID_ASAN
    __sanitizer_finish_switch_fiber(outside.fake_stack, nullptr, nullptr);
#endif
}

void fiber::leave()
{
#ifdef CUDA_GRID_ASAN
    __sanitizer_start_switch_fiber(&fake_stack_, outside.bottom, outside.bytes);
#endif
#ifdef CUDA_GRID_TSAN
    __tsan_switch_to_fiber(outside.tsan_fiber, NO_SYNC);
#endif
    cuda_fiber_switch(&stack_pointer_, outside.stack_pointer);
#ifdef CUDA_GRID_ASAN
    __sanitizer_finish_switch_fiber(fake_stack_, &outside.bottom, &outside.bytes);
#endif
}

#ifdef CUDA_GRID_TSAN
void fiber_release(void *object)
{
    __tsan_release(object);
}

void fiber_acquire(void *object)
{
    __tsan_acquire(object);
}
#else
void fiber_release(void *)
{
}

void fiber_acquire(void *)
{
}
#endif
