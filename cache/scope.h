// SPDX-License-Identifier: MIT
// What an invalidation covers: one path, a path and all below it, or everything.
#pragma once
#include <stddef.h>

enum scope_kind { SCOPE_PATH, SCOPE_PREFIX, SCOPE_ALL };

/// Immutable; refers to the caller's string.
struct scope {
    enum scope_kind kind;
    const char *path;
    size_t length; // of the path, for a prefix without the slashes at its end
};

struct scope scope_path(const char *path);
/// Whole components: "/a/b" and "/a/b/" cover "/a/b" and "/a/b/c", not "/a/bc"; "/" covers every
/// absolute path. Nothing is resolved: the path is compared as bytes.
struct scope scope_prefix(const char *prefix);
struct scope scope_all(void);
int scope_has(const struct scope *scope, const char *path);
