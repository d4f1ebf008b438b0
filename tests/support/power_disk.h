// SPDX-License-Identifier: MIT
// What a disk can hold after a power cut. A log of all that was done to the files of one folder; a cut may come
// after any entry of it, and then of what was not synced each sector of 512 bytes, each file's length and each
// change of a name was done, dropped, done before what came earlier, or torn: overwritten with garbage.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Thread-safety: one thread. Aborts without memory.
struct power_disk;

enum { POWER_DISK_NAME_BYTES = 64 };

/// An empty folder that is on the disk.
struct power_disk *power_disk_create(void);
/// Sets *disk to NULL. NULL is fine.
void power_disk_destroy(struct power_disk **disk);

/// The file of a name, made if there is none. @return its number.
unsigned power_disk_open(struct power_disk *disk, const char *name);
void power_disk_write(struct power_disk *disk, unsigned file, size_t offset, const void *bytes,
                      size_t count);
void power_disk_truncate(struct power_disk *disk, unsigned file, size_t bytes);
/// What was done to a file's contents before is on the disk.
void power_disk_sync(struct power_disk *disk, unsigned file);
void power_disk_rename(struct power_disk *disk, const char *from, const char *to);
void power_disk_remove(struct power_disk *disk, const char *name);
/// What was done to names before is on the disk.
void power_disk_sync_folder(struct power_disk *disk);

/// @return entries in the log.
size_t power_disk_now(const struct power_disk *disk);
/// Cut the power after `entries` of the log: write what this seed leaves into an empty folder.
void power_disk_cut(const struct power_disk *disk, size_t entries, uint64_t seed,
                    const char *folder);
