// SPDX-License-Identifier: MIT
#include "support/power_vfs.h"
#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct shim_file {
    sqlite3_file base;
    struct power_disk *disk; // NULL: not followed
    unsigned number;
    int syncs_folder;   // its first sync is one of the folder, too, as in the system's VFS
    sqlite3_file *real; // behind this struct
};

static sqlite3_vfs shim, *system_vfs;
static struct power_disk *followed;
static const char *followed_folder;

static struct shim_file *shim_of(sqlite3_file *file)
{
    return (struct shim_file *)file;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return shim_of(file)->real;
}

// --- files

static int close_file(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int read_file(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset)
{
    return real_of(file)->pMethods->xRead(real_of(file), bytes, count, offset);
}

static int write_file(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset)
{
    const struct shim_file *f = shim_of(file);
    if (f->disk)
        power_disk_write(f->disk, f->number, (size_t)offset, bytes, (size_t)count);
    return f->real->pMethods->xWrite(f->real, bytes, count, offset);
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    const struct shim_file *f = shim_of(file);
    if (f->disk)
        power_disk_truncate(f->disk, f->number, (size_t)size);
    return f->real->pMethods->xTruncate(f->real, size);
}

static int sync_file(sqlite3_file *file, int flags)
{
    struct shim_file *f = shim_of(file);
    if (!f->disk)
        return f->real->pMethods->xSync(f->real, flags);
    power_disk_sync(f->disk, f->number);
    if (f->syncs_folder)
        power_disk_sync_folder(f->disk);
    f->syncs_folder = 0;
    return SQLITE_OK; // the real disk need not be waited for
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int lock_file(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int unlock_file(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int check_reserved(sqlite3_file *file, int *is_reserved)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), is_reserved);
}

static int control(sqlite3_file *file, int operation, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int map_shared(sqlite3_file *file, int region, int bytes, int extend, void volatile **memory)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), region, bytes, extend, memory);
}

static int lock_shared(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int unmap_shared(sqlite3_file *file, int removes)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), removes);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, // no memory mapping: every byte goes through write_file()
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved,
    .xFileControl = control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = map_shared,
    .xShmLock = lock_shared,
    .xShmBarrier = barrier,
    .xShmUnmap = unmap_shared,
};

// --- the VFS

// @return the name below the followed folder, or NULL.
static const char *followed_name(const char *path)
{
    const size_t bytes = followed_folder ? strlen(followed_folder) : 0;
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (!followed || !slash || (size_t)(slash - path) != bytes ||
        memcmp(path, followed_folder, bytes) != 0)
        return NULL;
    return slash + 1;
}

static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *got)
{
    struct shim_file *f = shim_of(file);
    const char *name = followed_name(path);
    (void)vfs;
    *f = (struct shim_file){.real = (sqlite3_file *)(f + 1)};
    const int code = system_vfs->xOpen(system_vfs, path, f->real, flags, got);
    if (!f->real->pMethods)
        return code;
    f->base.pMethods = &methods;
    if (code == SQLITE_OK && name) {
        const size_t before = power_disk_now(followed);
        f->disk = followed;
        f->number = power_disk_open(followed, name);
        f->syncs_folder = power_disk_now(followed) != before && !(flags & SQLITE_OPEN_MAIN_DB);
    }
    return code;
}

static int remove_file(sqlite3_vfs *vfs, const char *path, int syncs_folder)
{
    const char *name = followed_name(path);
    (void)vfs;
    const int code = system_vfs->xDelete(system_vfs, path, 0);
    if (code == SQLITE_OK && name) {
        power_disk_remove(followed, name);
        if (syncs_folder)
            power_disk_sync_folder(followed);
    }
    return code;
}

void power_vfs_register(void)
{
    if (system_vfs)
        return;
    system_vfs = sqlite3_vfs_find(NULL);
    shim = *system_vfs; // all that is not about files stays the system's
    shim.zName = "power";
    shim.szOsFile = (int)sizeof(struct shim_file) + system_vfs->szOsFile;
    shim.xOpen = open_file;
    shim.xDelete = remove_file;
    if (sqlite3_vfs_register(&shim, 1) != SQLITE_OK)
        abort();
}

void power_vfs_follow(struct power_disk *disk, const char *folder)
{
    followed = disk;
    followed_folder = folder;
}
