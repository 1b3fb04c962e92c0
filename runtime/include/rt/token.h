/* Bearer tokens: JWTs signed with ES256 (RFC 7519, RFC 7518), verified locally against auth's keys
 * (RFC 7517). For main.c of each service and the RPC server; auth's engine signs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rt/arena.h"
#include "rt/identity.h"
#include "rt/rpc_client.h"
#include "rt/secret.h"
#include "rt/status.h"

struct rt_token_verifier;

/* What tokens say of themselves unless the setting token_issuer says otherwise: the default of
 * whoever signs and of whoever verifies. */
#define RT_TOKEN_ISSUER   "https://auth.daler.local"
#define RT_TOKEN_AUDIENCE "daler"

/* Gets the key set, as JSON in the arena. */
typedef struct rt_status (*rt_keys_fetch)(void *context, struct rt_arena *arena,
					  const char **jwks_json);

struct rt_token_config {
	const char *issuer;   /* required `iss` */
	const char *audience; /* required `aud`: "daler" */
	int64_t refresh_ms; /* keys are fetched again this often, in a thread of the verifier's own,
			     * and sooner (bounded) when a token names an unknown key; the last good
			     * set stays in use meanwhile */
	rt_keys_fetch fetch;
	void *context;
};

struct rt_token_verifier *rt_token_verifier_new(const struct rt_token_config *config);
void rt_token_verifier_destroy(struct rt_token_verifier *verifier);
/* Whether keys have been had; for readiness. */
bool rt_token_verifier_ready(const struct rt_token_verifier *verifier);

/* Verifies signature (ES256 alone), issuer, audience, expiry (30 s of leeway for clocks), and fills
 * role, user and name. Recently verified tokens are remembered until they expire. Never blocks on
 * the network. Thread: any. Errors: UNAUTHENTICATED INVALID_TOKEN, TOKEN_EXPIRED; UNAVAILABLE
 * KEYS_UNAVAILABLE before the first key set. */
struct rt_status rt_token_verify(const struct rt_token_verifier *verifier, const char *token,
				 int64_t now_wall_us, struct rt_caller *caller);

/* For all but auth: the keys are fetched over the channel to it, which must outlive the verifier.
 */
struct rt_token_verifier *rt_token_verifier_by_auth(const char *issuer, struct rt_channel *auth);

/* Keys on P-256, as PEM blocks one after the other: the first is private and signs; all of them are
 * published, also those of which only the public half is there. Errors: INVALID_ARGUMENT
 * SIGNING_KEY_INVALID when anything of it can't be used, or there are more than 16. */
struct rt_signer;
struct rt_status rt_signer_new(const struct rt_secret *pem, struct rt_signer **signer);
void rt_signer_destroy(struct rt_signer *signer);
/* Public halves as a JSON Web Key Set, the one that signs first. */
const char *rt_signer_jwks(const struct rt_signer *signer);
/* The thumbprint of the key that signs (RFC 7638), by which tokens name it. */
const char *rt_signer_kid(const struct rt_signer *signer);
size_t rt_signer_key_count(const struct rt_signer *signer);

struct rt_token_claims {
	const char *issuer;
	const char *audience;
	struct rt_uuid user_id;
	const char *username;
	enum rt_role role;
	int64_t issued_wall_us;
	int64_t expires_wall_us;
};
/* Signs; the token is in the arena. */
struct rt_status rt_signer_sign(const struct rt_signer *signer,
				const struct rt_token_claims *claims, struct rt_arena *arena,
				const char **token);
