// SPDX-License-Identifier: MIT
// SQLite's files on a simulated disk: the system's own VFS, with what it does to one folder's databases, logs and
// journals put down in a power_disk.
#pragma once
#include "support/power_disk.h"

/// Make it the default. Asserts that it could be done.
void power_vfs_register(void);
/// From now on files in `folder` (borrowed) are put down in `disk`; NULL: none are. Not while one is open that is to
/// be put down.
void power_vfs_follow(struct power_disk *disk, const char *folder);
