/* Between protobuf and the domain, for limits. For rpc/. NULL means that the arena is full. */
#pragma once

#include "daler/payments/v1/limits.pb-c.h"
#include "rt/rpc_server.h"
#include "store/limit_store.h"

/* Who is meant, checked: a player may name only themselves. Errors: INVALID_ARGUMENT INVALID_UUID,
 * INVALID_LENGTH, INVALID_TEXT; PERMISSION_DENIED PERSON_DENIED. */
struct rt_status map_person(struct rt_call *call, const char *ledger_id, const char *person_id,
			    struct limit_person_key *key);
/* An operator must say why. Errors: INVALID_ARGUMENT INVALID_LENGTH, INVALID_TEXT. */
struct rt_status map_limit_reason(struct rt_call *call, const char *reason);
/* A moment of a request. Errors: INVALID_ARGUMENT INVALID_TIME. */
struct rt_status map_moment(const char *field, const Google__Protobuf__Timestamp *time,
			    int64_t *wall_us);

Daler__Payments__V1__LimitAmount *map_limit_amount(int64_t amount_minor, struct rt_arena *arena);
Daler__Payments__V1__PersonLimit *map_limit(const struct limit_person_key *key,
					    const struct limit_view *view, struct rt_arena *arena);
Daler__Payments__V1__Market *map_market(const struct limit_market *market, struct rt_arena *arena);
Daler__Payments__V1__Restriction *map_restriction(Daler__Payments__V1__RestrictionKind kind,
						  int64_t until_us, struct rt_arena *arena);
Daler__Payments__V1__LimitChange *map_limit_change(const struct limit_change *change,
						   struct rt_arena *arena);
