/* grpc.reflection, v1 and v1alpha, over the contracts embedded in the binary.
 * Source: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md */
#pragma once

#include <stddef.h>

struct rt_method;
struct rt_reflection;
struct rt_server;

const struct rt_method *rt_reflection_methods(size_t *count);
struct rt_reflection *rt_reflection_new(struct rt_server *server);
void rt_reflection_destroy(struct rt_reflection *reflection);
