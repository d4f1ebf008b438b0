// SPDX-License-Identifier: MIT
// SIGINT and SIGTERM end the program as ever, but what was analysed is saved first.
#pragma once
#include "dsp/annotate.h"
#include "engine/prepare/scheduler.h"
#include <stdbool.h>

/// A thread that waits for the signals. Thread-safety: one thread.
struct interrupt;

/// Keep both signals from every thread that is started after this. Main thread, before any other exists.
void interrupt_hold(void);
/// Wait for them from now on: when one comes, the scheduler's persistent tier saves what it has, then the signal
/// takes its course. One that the program was started to ignore stays ignored. @return 0; -ENOMEM, -EMFILE,
/// -EAGAIN. On error *out is NULL.
MUST_CHECK int interrupt_start(struct interrupt **out, struct scheduler *scheduler);
/// Whether one has come: what is printed from now on may be saved no more. What was handed to the persistent tier
/// before this said no is saved. NULL: no. Any thread.
bool interrupt_has_come(const struct interrupt *interrupt);
/// Before the scheduler is destroyed: wait for them no more, set *interrupt to NULL. NULL is fine.
void interrupt_stop(struct interrupt **interrupt);
