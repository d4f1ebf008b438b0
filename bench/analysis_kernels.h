// SPDX-License-Identifier: MIT
// The analysis' kernels alone: every variant that this processor has, against its reference.
#pragma once

/// Print a line for each variant: time for the work of one frame or block, median of `rounds`, and how
/// many times the reference's time that is.
void analysis_kernels_run(unsigned rounds);
