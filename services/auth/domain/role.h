/* Roles: their names, and what each may do to users. Pure. */
#pragma once

#include <stdbool.h>

#include "rt/id.h"
#include "rt/identity.h"
#include "rt/status.h"

/* "player", "operator", "auditor"; NULL for what is no user's role. As tokens and the database have
 * them. */
const char *role_name(enum rt_role role);
/* False when unknown. */
bool role_parse(const char *name, enum rt_role *role);

/* A gateway may create players only; an operator with an operator's token, users of any role.
 * Errors: PERMISSION_DENIED ROLE_DENIED. */
struct rt_status role_may_create(const struct rt_caller *caller, enum rt_role role);

/* Players may read themselves only, staff anybody. Errors: PERMISSION_DENIED ROLE_DENIED, which
 * says nothing of whether the user exists. */
struct rt_status role_may_read(const struct rt_caller *caller, const struct rt_uuid *user_id);

/* Staff log in through the operator's certificate alone, so that their password is useless with a
 * gateway's. */
bool role_may_log_in(enum rt_identity identity, enum rt_role role);
