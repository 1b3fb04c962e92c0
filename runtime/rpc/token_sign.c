/* Signing keys and the tokens that they sign. */
#include <jwt.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "rt/assert.h"
#include "rt/cleanup.h"
#include "rt/clock.h"
#include "rt/token.h"

#define COORDINATE_BYTES 32
#define COORDINATE_TEXT  (RT_BASE64URL_LENGTH(COORDINATE_BYTES) + 1)
#define KID_TEXT         (RT_BASE64URL_LENGTH(SHA256_DIGEST_LENGTH) + 1)
#define JWKS_BYTES       512

struct rt_signer {
	struct rt_secret pem;
	char kid[KID_TEXT];
	char jwks[JWKS_BYTES];
};

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static struct rt_status unusable(void)
{
	return RT_FAIL(INVALID_ARGUMENT, "SIGNING_KEY_INVALID",
		       "the signing key is not a PEM EC key on P-256");
}

/* A key with a passphrase is refused rather than asked for. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static EVP_PKEY *read_key(const struct rt_secret *pem)
{
	BIO *bio = BIO_new_mem_buf(rt_secret_bytes(pem), (int)pem->length);
	RT_ASSERT(bio != NULL);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	return key;
}

static bool is_p256(const EVP_PKEY *key)
{
	char group[32] = "";
	size_t length = 0;
	return EVP_PKEY_is_a(key, "EC") == 1 &&
	       EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
					      &length) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

static bool coordinate_text(const EVP_PKEY *key, const char *name, char text[COORDINATE_TEXT])
{
	BIGNUM *number = NULL;
	uint8_t bytes[COORDINATE_BYTES];
	bool known = EVP_PKEY_get_bn_param(key, name, &number) == 1 &&
		     BN_bn2binpad(number, bytes, COORDINATE_BYTES) == COORDINATE_BYTES;
	BN_free(number);
	if (known)
		rt_base64url_encode(bytes, COORDINATE_BYTES, text);
	return known;
}

/* Source: RFC 7638: members in this order, without spaces. */
static void make_kid(const char *x, const char *y, char kid[KID_TEXT])
{
	char json[256];
	int length = snprintf(json, sizeof(json),
			      "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", x, y);
	RT_ASSERT(length > 0 && (size_t)length < sizeof(json));
	uint8_t hash[SHA256_DIGEST_LENGTH];
	SHA256((const unsigned char *)json, (size_t)length, hash);
	rt_base64url_encode(hash, sizeof(hash), kid);
}

struct rt_status rt_signer_new(const struct rt_secret *pem, struct rt_signer **result)
{
	CLEANUP(free_key) EVP_PKEY *key = read_key(pem);
	char x[COORDINATE_TEXT];
	char y[COORDINATE_TEXT];
	if (key == NULL || !is_p256(key) || !coordinate_text(key, OSSL_PKEY_PARAM_EC_PUB_X, x) ||
	    !coordinate_text(key, OSSL_PKEY_PARAM_EC_PUB_Y, y))
		return unusable();
	struct rt_signer *signer = calloc(1, sizeof(*signer));
	RT_ASSERT(signer != NULL);
	signer->pem = rt_secret_copy(rt_secret_bytes(pem), pem->length);
	make_kid(x, y, signer->kid);
	int length = snprintf(
		signer->jwks, sizeof(signer->jwks),
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"sig\",\"alg\":\"ES256\","
		"\"kid\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"}]}",
		signer->kid, x, y);
	RT_ASSERT(length > 0 && (size_t)length < sizeof(signer->jwks));
	*result = signer;
	return rt_ok();
}

void rt_signer_destroy(struct rt_signer *signer)
{
	if (signer == NULL)
		return;
	rt_secret_deinit(&signer->pem);
	free(signer);
}

const char *rt_signer_jwks(const struct rt_signer *signer)
{
	return signer->jwks;
}

static const char *role_text(enum rt_role role)
{
	RT_ASSERT(role != RT_ROLE_NONE); /* a token is for a role */
	switch (role) {
	case RT_ROLE_PLAYER:
		return "player";
	case RT_ROLE_OPERATOR:
		return "operator";
	case RT_ROLE_AUDITOR:
	case RT_ROLE_NONE:
		break;
	}
	return "auditor";
}

static bool add_claims(jwt_t *jwt, const struct rt_token_claims *claims)
{
	char user_id[RT_UUID_TEXT_BYTES];
	rt_uuid_format(&claims->user_id, user_id);
	return jwt_add_grant(jwt, "iss", claims->issuer) == 0 &&
	       jwt_add_grant(jwt, "aud", claims->audience) == 0 &&
	       jwt_add_grant(jwt, "sub", user_id) == 0 &&
	       jwt_add_grant(jwt, "name", claims->username) == 0 &&
	       jwt_add_grant(jwt, "role", role_text(claims->role)) == 0 &&
	       jwt_add_grant_int(jwt, "iat", claims->issued_wall_us / RT_US_PER_S) == 0 &&
	       jwt_add_grant_int(jwt, "nbf", claims->issued_wall_us / RT_US_PER_S) == 0 &&
	       jwt_add_grant_int(jwt, "exp", claims->expires_wall_us / RT_US_PER_S) == 0;
}

static char *encode(const struct rt_signer *signer, const struct rt_token_claims *claims)
{
	jwt_t *jwt = NULL;
	if (jwt_new(&jwt) != 0)
		return NULL;
	char *text = NULL;
	if (add_claims(jwt, claims) && jwt_add_header(jwt, "kid", signer->kid) == 0 &&
	    jwt_set_alg(jwt, JWT_ALG_ES256, (const unsigned char *)rt_secret_bytes(&signer->pem),
			(int)signer->pem.length) == 0)
		text = jwt_encode_str(jwt);
	jwt_free(jwt);
	return text;
}

struct rt_status rt_signer_sign(const struct rt_signer *signer,
				const struct rt_token_claims *claims, struct rt_arena *arena,
				const char **token)
{
	char *text = encode(signer, claims);
	if (text == NULL)
		return RT_FAIL(INTERNAL, "SIGNING_FAILED", "the token could not be signed");
	*token = rt_arena_strdup(arena, text);
	rt_wipe(text, strlen(text));
	free(text);
	if (*token == NULL)
		return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "no room for the token");
	return rt_ok();
}
