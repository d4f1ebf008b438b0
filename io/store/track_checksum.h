// SPDX-License-Identifier: MIT
// What tells one file's contents from another's, and one record's: 128 bits over all bytes.
#pragma once
#include "dsp/annotate.h"
#include "io/bytes/file_identity.h"
#include <stddef.h>

enum { TRACK_CHECKSUM_BYTES = 16, TRACK_CHECKSUM_HEX_BYTES = 2 * TRACK_CHECKSUM_BYTES + 1 };

/// XXH3's 128 bits, big-endian. It guards against mishaps, not against forgery.
struct track_checksum {
    unsigned char bytes[TRACK_CHECKSUM_BYTES];
};

/// Over a file that is still the one `expected` names, before and after. Blocks as long as it is read.
/// @return 0; -ESTALE: another file or another state of it; -ENOMEM; what open and read say.
MUST_CHECK int track_checksum_of_file(struct track_checksum *checksum, const char *path,
                                      const struct file_identity *expected);
struct track_checksum track_checksum_of_bytes(const void *bytes, size_t count);
/// Lower-case hexadecimal with its NUL.
void track_checksum_print(char hex[TRACK_CHECKSUM_HEX_BYTES],
                          const struct track_checksum *checksum);
/// Exactly what track_checksum_print() writes, read from 32 characters. @return 0; -EBADMSG.
MUST_CHECK int track_checksum_parse(struct track_checksum *checksum, const char *hex);
