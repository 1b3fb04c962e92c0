/* Signing keys and the tokens that they sign. */
#include <jwt.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "rpc/token_keys.h"
#include "rt/assert.h"
#include "rt/cleanup.h"
#include "rt/clock.h"
#include "rt/token.h"

#define COORDINATE_BYTES 32
#define COORDINATE_TEXT  (RT_BASE64URL_LENGTH(COORDINATE_BYTES) + 1)
#define KID_TEXT         (RT_BASE64URL_LENGTH(SHA256_DIGEST_LENGTH) + 1)
#define JWK_BYTES        256
#define JWKS_BYTES       (RT_KEYS_MAX * JWK_BYTES + 16)

struct rt_signer {
	struct rt_secret pem; /* of the first key alone */
	char kids[RT_KEYS_MAX][KID_TEXT];
	size_t key_count;
	char jwks[JWKS_BYTES];
	size_t jwks_length;
};

/* One PEM block. */
struct block {
	char *name;
	char *header;
	unsigned char *data;
	long length;
};

static void free_block(struct block *block)
{
	OPENSSL_free(block->name);
	OPENSSL_free(block->header);
	OPENSSL_clear_free(block->data, (size_t)block->length);
}

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void free_context(EVP_PKEY_CTX **context)
{
	EVP_PKEY_CTX_free(*context);
}

static void free_bio(BIO **bio)
{
	BIO_free(*bio);
}

static struct rt_status unusable(const struct rt_signer *signer, const char *why)
{
	return RT_FAIL(INVALID_ARGUMENT, "SIGNING_KEY_INVALID",
		       "key %zu in the signing key's file %s", signer->key_count + 1, why);
}

static bool is_private(const struct block *block)
{
	return strcmp(block->name, "PRIVATE KEY") == 0 ||
	       strcmp(block->name, "EC PRIVATE KEY") == 0;
}

/* NULL when it is no key, or one with a passphrase. */
static EVP_PKEY *key_of(const struct block *block)
{
	const unsigned char *at = block->data;
	if (block->header[0] != '\0')
		return NULL;
	if (is_private(block))
		return d2i_AutoPrivateKey(NULL, &at, block->length);
	return strcmp(block->name, "PUBLIC KEY") == 0 ? d2i_PUBKEY(NULL, &at, block->length) : NULL;
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

/* A private key whose public half is another's would sign what nobody can verify. */
static bool is_sound(EVP_PKEY *key, bool is_whole)
{
	CLEANUP(free_context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	RT_ASSERT(context != NULL);
	return (is_whole ? EVP_PKEY_check(context) : EVP_PKEY_public_check(context)) == 1;
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

/* The first key by itself, as its file may have others beside it. */
static struct rt_secret pem_of(const EVP_PKEY *key)
{
	CLEANUP(free_bio) BIO *bio = BIO_new(BIO_s_mem()); /* wipes what it held */
	char *text = NULL;
	RT_ASSERT(bio != NULL);
	int written = PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	RT_ASSERT(written == 1);
	long length = BIO_get_mem_data(bio, &text);
	return rt_secret_copy(text, (size_t)length);
}

static void publish(struct rt_signer *signer, const char *kid, const char *x, const char *y)
{
	size_t room = sizeof(signer->jwks) - signer->jwks_length;
	int length =
		snprintf(signer->jwks + signer->jwks_length, room,
			 "%s{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"sig\",\"alg\":\"ES256\","
			 "\"kid\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"}",
			 signer->key_count == 0 ? "{\"keys\":[" : ",", kid, x, y);
	RT_ASSERT(length > 0 && (size_t)length < room);
	signer->jwks_length += (size_t)length;
	memcpy(signer->kids[signer->key_count++], kid, KID_TEXT);
}

static bool publishes(const struct rt_signer *signer, const char *kid)
{
	for (size_t i = 0; i < signer->key_count; i++) {
		if (strcmp(signer->kids[i], kid) == 0)
			return true;
	}
	return false;
}

static struct rt_status add_key(struct rt_signer *signer, const struct block *block)
{
	CLEANUP(free_key) EVP_PKEY *key = key_of(block);
	char x[COORDINATE_TEXT], y[COORDINATE_TEXT], kid[KID_TEXT];
	if (key == NULL || !is_p256(key) || !is_sound(key, is_private(block)) ||
	    !coordinate_text(key, OSSL_PKEY_PARAM_EC_PUB_X, x) ||
	    !coordinate_text(key, OSSL_PKEY_PARAM_EC_PUB_Y, y))
		return unusable(signer, "is not a PEM EC key on P-256 without passphrase");
	make_kid(x, y, kid);
	if (publishes(signer, kid))
		return rt_ok();
	if (signer->key_count == RT_KEYS_MAX)
		return unusable(signer, "is one too many");
	if (signer->key_count == 0 && !is_private(block))
		return unusable(signer, "is to sign, and is not a private key");
	if (signer->key_count == 0)
		signer->pem = pem_of(key);
	publish(signer, kid, x, y);
	return rt_ok();
}

/* Text around the blocks says what it likes; one that is cut off is an error. */
static struct rt_status add_keys(struct rt_signer *signer, const struct rt_secret *pem)
{
	CLEANUP(free_bio) BIO *bio = BIO_new_mem_buf(rt_secret_bytes(pem), (int)pem->length);
	RT_ASSERT(bio != NULL);
	ERR_clear_error();
	for (;;) {
		CLEANUP(free_block) struct block block = {0};
		if (PEM_read_bio(bio, &block.name, &block.header, &block.data, &block.length) != 1)
			break;
		if (strcmp(block.name, "EC PARAMETERS") != 0)
			RT_TRY(add_key(signer, &block));
	}
	bool whole = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	ERR_clear_error();
	return whole && signer->key_count > 0 ? rt_ok() : unusable(signer, "is not PEM");
}

struct rt_status rt_signer_new(const struct rt_secret *pem, struct rt_signer **result)
{
	struct rt_signer *signer = calloc(1, sizeof(*signer));
	RT_ASSERT(signer != NULL);
	struct rt_status status = add_keys(signer, pem);
	if (!rt_is_ok(&status)) {
		rt_signer_destroy(signer);
		return status;
	}
	memcpy(signer->jwks + signer->jwks_length, "]}", sizeof("]}"));
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

const char *rt_signer_kid(const struct rt_signer *signer)
{
	return signer->kids[0];
}

size_t rt_signer_key_count(const struct rt_signer *signer)
{
	return signer->key_count;
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
	if (add_claims(jwt, claims) && jwt_add_header(jwt, "kid", signer->kids[0]) == 0 &&
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
