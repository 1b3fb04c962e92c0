/* The keys that sign tokens and those that are published beside them, read from a file, and again
 * when it has changed. For auth's engine, rpc and main.c. Thread: any. */
#pragma once

#include "rt/arena.h"
#include "rt/status.h"
#include "rt/token.h"

struct signing;

/* Reads the file; the path is lent. Errors: those of rt_secret_read_file and rt_signer_new. */
struct rt_status signing_new(const char *path, struct signing **signing);
void signing_destroy(struct signing *signing);
/* Looks at the file again. One that can't be used changes nothing, and is told in the log. */
void signing_reload(struct signing *signing);

/* Signs with the first key of the moment; the token is in the arena. */
struct rt_status signing_sign(struct signing *signing, const struct rt_token_claims *claims,
			      struct rt_arena *arena, const char **token);
/* The public keys of the moment, as a JSON Web Key Set in the arena; NULL when it is full. */
char *signing_jwks(struct signing *signing, struct rt_arena *arena);
