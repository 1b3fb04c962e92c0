#include "rpc/token_keys.h"

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "rt/assert.h"
#include "rt/cleanup.h"

#define COORDINATE_BYTES 32
#define POINT_BYTES      (1 + 2 * COORDINATE_BYTES)
#define JWKS_BYTES_MAX   ((size_t)64 * 1024)

static void free_json(json_t **json)
{
	json_decref(*json);
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text != NULL ? text : "";
}

static bool read_coordinate(const json_t *jwk, const char *name, uint8_t *bytes)
{
	const char *text = text_of(jwk, name);
	size_t length = 0;
	return rt_base64url_decode(text, strlen(text), bytes, COORDINATE_BYTES, &length) &&
	       length == COORDINATE_BYTES;
}

/* Refuses a point that is not on the curve. */
static EVP_PKEY *key_of_point(uint8_t point[POINT_BYTES])
{
	char group[] = "prime256v1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, POINT_BYTES),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	RT_ASSERT(context != NULL);
	if (EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	return key;
}

static bool is_for_us(const json_t *jwk)
{
	const char *use = text_of(jwk, "use");
	const char *alg = text_of(jwk, "alg");
	return strcmp(text_of(jwk, "kty"), "EC") == 0 &&
	       strcmp(text_of(jwk, "crv"), "P-256") == 0 &&
	       (use[0] == '\0' || strcmp(use, "sig") == 0) &&
	       (alg[0] == '\0' || strcmp(alg, "ES256") == 0);
}

const struct rt_key *rt_key_find(const struct rt_key_set *set, const char *kid)
{
	for (size_t i = 0; i < set->count; i++) {
		if (strcmp(set->keys[i].kid, kid) == 0)
			return &set->keys[i];
	}
	return NULL;
}

static void add_key(struct rt_key_set *set, const json_t *jwk)
{
	const char *kid = text_of(jwk, "kid");
	size_t length = strlen(kid);
	if (!is_for_us(jwk) || length == 0 || length >= RT_KID_BYTES || set->count == RT_KEYS_MAX ||
	    rt_key_find(set, kid) != NULL)
		return;
	uint8_t point[POINT_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
	if (!read_coordinate(jwk, "x", point + 1) ||
	    !read_coordinate(jwk, "y", point + 1 + COORDINATE_BYTES))
		return;
	EVP_PKEY *key = key_of_point(point);
	if (key == NULL)
		return;
	struct rt_key *added = &set->keys[set->count++];
	added->key = key;
	memcpy(added->kid, kid, length + 1);
}

struct rt_status rt_key_set_parse(const char *jwks_json, struct rt_key_set **result)
{
	size_t length = strnlen(jwks_json, JWKS_BYTES_MAX);
	CLEANUP(free_json)
	json_t *root = json_loadb(jwks_json, length, JSON_REJECT_DUPLICATES, NULL);
	const json_t *keys = json_object_get(root, "keys");
	struct rt_key_set *set = calloc(1, sizeof(*set));
	RT_ASSERT(set != NULL);
	atomic_store(&set->references, 1);
	for (size_t i = 0; i < json_array_size(keys); i++)
		add_key(set, json_array_get(keys, i));
	if (set->count == 0) {
		rt_key_set_drop(set);
		return RT_FAIL(INTERNAL, "KEYS_MALFORMED", "the key set has no usable key");
	}
	*result = set;
	return rt_ok();
}

void rt_key_set_drop(struct rt_key_set *set)
{
	if (set == NULL || atomic_fetch_sub(&set->references, 1) > 1)
		return;
	for (size_t i = 0; i < set->count; i++)
		EVP_PKEY_free(set->keys[i].key);
	free(set);
}
