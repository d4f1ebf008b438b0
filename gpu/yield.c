// SPDX-License-Identifier: MIT
#include "gpu/yield.h"
#include <assert.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// On Linux a nice value, a scheduling class and a disk class belong to a thread.
void yield_to_others(int nice)
{
    assert(nice >= 0 && nice <= YIELD_IDLE);
    if (nice == YIELD_IDLE) {
        const struct sched_param none = {0};
        (void)sched_setscheduler(0, SCHED_IDLE, &none);
        // Kernels without I/O priorities have nothing to set.
        (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
                      IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
        return;
    }
    const id_t self = (id_t)gettid();
    const int now = getpriority(PRIO_PROCESS, self) + nice;
    (void)setpriority(PRIO_PROCESS, self, now < YIELD_NICE_MAX ? now : YIELD_NICE_MAX);
}
