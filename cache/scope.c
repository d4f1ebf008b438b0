// SPDX-License-Identifier: MIT
#include "cache/scope.h"
#include <assert.h>
#include <string.h>

struct scope scope_path(const char *path)
{
    assert(path);
    return (struct scope){.kind = SCOPE_PATH, .path = path, .length = strlen(path)};
}

struct scope scope_prefix(const char *prefix)
{
    assert(prefix && prefix[0]);
    size_t length = strlen(prefix);
    while (length > 0 && prefix[length - 1] == '/')
        --length;
    return (struct scope){.kind = SCOPE_PREFIX, .path = prefix, .length = length};
}

struct scope scope_all(void)
{
    return (struct scope){.kind = SCOPE_ALL};
}

int scope_has(const struct scope *scope, const char *path)
{
    switch (scope->kind) {
    case SCOPE_PATH:
        return strcmp(path, scope->path) == 0;
    case SCOPE_PREFIX:
        // Of "/" nothing is left, and the slash that must follow is the path's first byte.
        return strncmp(path, scope->path, scope->length) == 0 &&
               (path[scope->length] == '/' || (path[scope->length] == '\0' && scope->length > 0));
    case SCOPE_ALL:
        return 1;
    }
    return 0;
}
