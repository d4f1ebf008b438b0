// SPDX-License-Identifier: MIT
// Stacks to switch between, known to the sanitizers. x86-64 System V only.
#pragma once
#include <cstddef>

/// One stack and where it stands. Thread-safety: all fibers of one thread at a time.
class fiber
{
  public:
    ~fiber();
    /// Make the fiber ready to run `entry` from its start when it is next resumed.
    void prepare(void (*entry)());
    /// From outside any fiber: run this one until it leaves. Orders no memory accesses.
    void resume();
    /// From inside the fiber: back to whoever resumed it.
    void leave();

  private:
    static void start();

    void *stack_ = nullptr;
    void *stack_pointer_ = nullptr;
    void *fake_stack_ = nullptr; // AddressSanitizer's
    void *tsan_fiber_ = nullptr;
    void (*entry_)() = nullptr;
};

/// ThreadSanitizer's happens-before edge from each release of `object` to later acquires of it.
void fiber_release(void *object);
void fiber_acquire(void *object);
