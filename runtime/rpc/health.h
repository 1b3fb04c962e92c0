/* grpc.health.v1 for every service of a server. Source:
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct rt_health;
struct rt_method;
struct rt_server;

const struct rt_method *rt_health_methods(size_t *count);
struct rt_health *rt_health_new(struct rt_server *server);
void rt_health_set(struct rt_health *health, bool serving);
void rt_health_destroy(struct rt_health *health);
