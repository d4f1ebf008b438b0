// SPDX-License-Identifier: MIT
#include "io/store/track_checksum.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { PIECE_BYTES = 256 * 1024 };

static struct track_checksum from_hash(XXH128_hash_t hash)
{
    XXH128_canonical_t canonical;
    struct track_checksum checksum;
    _Static_assert(sizeof(canonical.digest) == sizeof(checksum.bytes), "128 bits both");
    XXH128_canonicalFromHash(&canonical, hash);
    memcpy(checksum.bytes, canonical.digest, sizeof(checksum.bytes));
    return checksum;
}

struct track_checksum track_checksum_of_bytes(const void *bytes, size_t count)
{
    assert(bytes || count == 0);
    return from_hash(XXH3_128bits(bytes, count));
}

static int check_identity(int fd, const struct file_identity *expected)
{
    struct stat st;
    if (fstat(fd, &st))
        return -errno;
    const struct file_identity now = file_identity_of_stat(&st);
    return memcmp(&now, expected, sizeof(now)) == 0 ? 0 : -ESTALE;
}

static int hash_all(int fd, XXH3_state_t *state, void *piece)
{
    for (;;) {
        const ssize_t got = read(fd, piece, PIECE_BYTES);
        if (got == 0)
            return 0;
        if (got < 0 && errno != EINTR)
            return -errno;
        if (got > 0 && XXH3_128bits_update(state, piece, (size_t)got) != XXH_OK)
            return -ENOMEM;
    }
}

static int hash_file(int fd, const struct file_identity *expected, XXH128_hash_t *hash)
{
    XXH3_state_t *state = XXH3_createState();
    void *piece = malloc(PIECE_BYTES);
    int error = state && piece && XXH3_128bits_reset(state) == XXH_OK ? 0 : -ENOMEM;
    if (!error)
        error = check_identity(fd, expected);
    if (!error)
        error = hash_all(fd, state, piece);
    if (!error)
        error = check_identity(fd, expected);
    if (!error)
        *hash = XXH3_128bits_digest(state);
    free(piece);
    XXH3_freeState(state);
    return error;
}

int track_checksum_of_file(struct track_checksum *checksum, const char *path,
                           const struct file_identity *expected)
{
    assert(checksum && path && expected);
    // A FIFO that took the file's place must not make anyone wait.
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    XXH128_hash_t hash;
    const int error = hash_file(fd, expected, &hash);
    close(fd);
    if (!error)
        *checksum = from_hash(hash);
    return error;
}

void track_checksum_print(char hex[TRACK_CHECKSUM_HEX_BYTES], const struct track_checksum *checksum)
{
    for (size_t i = 0; i < TRACK_CHECKSUM_BYTES; ++i)
        snprintf(hex + 2 * i, 3, "%02x", checksum->bytes[i]);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int track_checksum_parse(struct track_checksum *checksum, const char *hex)
{
    for (size_t i = 0; i < TRACK_CHECKSUM_BYTES; ++i) {
        const int high = digit(hex[2 * i]), low = high < 0 ? -1 : digit(hex[2 * i + 1]);
        if (low < 0)
            return -EBADMSG;
        checksum->bytes[i] = (unsigned char)(high << 4 | low);
    }
    return 0;
}
