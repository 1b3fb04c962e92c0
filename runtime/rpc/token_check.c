/* The check of one token. Source: RFC 7519 section 7.2, RFC 7515 section 5.2, RFC 8725. */
#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "base/base64url.h"
#include "rpc/token_keys.h"
#include "rt/assert.h"
#include "rt/cleanup.h"
#include "rt/clock.h"
#include "rt/text.h"

#define SIGNATURE_BYTES 64
#define DER_BYTES_MAX   80
/* 9999-12-31: a time beyond it is no time. */
#define SECONDS_MAX     INT64_C(253402300799)

static struct rt_status invalid(const char *what)
{
	return RT_FAIL(UNAUTHENTICATED, "INVALID_TOKEN", "%s", what);
}

static void free_json(json_t **json)
{
	json_decref(*json);
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text != NULL ? text : "";
}

struct parts {
	const char *header;
	size_t header_length;
	const char *claims;
	size_t claims_length;
	const char *signature;
	size_t signature_length;
	size_t signed_length; /* of header, dot and claims */
};

static bool split(const char *token, struct parts *parts)
{
	size_t length = strnlen(token, RT_TOKEN_BYTES_MAX);
	const char *first = memchr(token, '.', length);
	if (length == RT_TOKEN_BYTES_MAX || first == NULL)
		return false;
	const char *second = strchr(first + 1, '.');
	if (second == NULL || strchr(second + 1, '.') != NULL)
		return false;
	*parts = (struct parts){
		.header = token,
		.header_length = (size_t)(first - token),
		.claims = first + 1,
		.claims_length = (size_t)(second - first - 1),
		.signature = second + 1,
		.signature_length = strlen(second + 1),
		.signed_length = (size_t)(second - token),
	};
	return true;
}

/* A JSON object, or NULL. */
static json_t *decode_json(const char *text, size_t length)
{
	uint8_t bytes[RT_TOKEN_BYTES_MAX];
	size_t decoded = 0;
	if (!rt_base64url_decode(text, length, bytes, sizeof(bytes), &decoded))
		return NULL;
	json_t *json = json_loadb((const char *)bytes, decoded, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}

static struct rt_status check_header(const struct parts *parts, char kid[RT_KID_BYTES])
{
	CLEANUP(free_json) json_t *header = decode_json(parts->header, parts->header_length);
	if (header == NULL)
		return invalid("its header can't be read");
	if (strcmp(text_of(header, "alg"), "ES256") != 0)
		return invalid("its algorithm is not ES256");
	const char *type = text_of(header, "typ");
	if (type[0] != '\0' && strcasecmp(type, "JWT") != 0)
		return invalid("it is not a JWT");
	if (json_object_get(header, "crit") != NULL)
		return invalid("it has a critical extension that is not known");
	const char *named = text_of(header, "kid");
	size_t length = strlen(named);
	if (length == 0 || length >= RT_KID_BYTES)
		return invalid("it names no key");
	memcpy(kid, named, length + 1);
	return rt_ok();
}

/* ES256's signature is r and s, side by side; OpenSSL wants DER. */
static int to_der(const uint8_t raw[SIGNATURE_BYTES], uint8_t der[DER_BYTES_MAX])
{
	ECDSA_SIG *signature = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, SIGNATURE_BYTES / 2, NULL);
	BIGNUM *s = BN_bin2bn(raw + SIGNATURE_BYTES / 2, SIGNATURE_BYTES / 2, NULL);
	RT_ASSERT(signature != NULL && r != NULL && s != NULL);
	ECDSA_SIG_set0(signature, r, s);
	int length = i2d_ECDSA_SIG(signature, NULL);
	RT_ASSERT(length > 0 && length <= DER_BYTES_MAX);
	length = i2d_ECDSA_SIG(signature, &der);
	ECDSA_SIG_free(signature);
	return length;
}

static struct rt_status check_signature(const struct rt_key *key, const char *token,
					const struct parts *parts)
{
	uint8_t raw[SIGNATURE_BYTES];
	size_t decoded = 0;
	if (!rt_base64url_decode(parts->signature, parts->signature_length, raw, sizeof(raw),
				 &decoded) ||
	    decoded != SIGNATURE_BYTES)
		return invalid("its signature is malformed");
	uint8_t der[DER_BYTES_MAX];
	int der_length = to_der(raw, der);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	RT_ASSERT(context != NULL);
	bool valid = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key->key) == 1 &&
		     EVP_DigestVerify(context, der, (size_t)der_length,
				      (const unsigned char *)token, parts->signed_length) == 1;
	EVP_MD_CTX_free(context);
	return valid ? rt_ok() : invalid("its signature is wrong");
}

static bool names_audience(const json_t *claims, const char *audience)
{
	const json_t *named = json_object_get(claims, "aud");
	if (json_is_string(named))
		return strcmp(json_string_value(named), audience) == 0;
	for (size_t i = 0; i < json_array_size(named); i++) {
		const char *one = json_string_value(json_array_get(named, i));
		if (one != NULL && strcmp(one, audience) == 0)
			return true;
	}
	return false;
}

/* False when there is one that is no time. `absent` is what it is when there is none. */
static bool read_time(const json_t *claims, const char *name, int64_t absent, int64_t *wall_us)
{
	const json_t *value = json_object_get(claims, name);
	*wall_us = absent;
	if (value == NULL)
		return true;
	int64_t seconds = json_integer_value(value);
	if (!json_is_integer(value) || seconds < 0 || seconds > SECONDS_MAX)
		return false;
	*wall_us = seconds * RT_US_PER_S;
	return true;
}

static struct rt_status check_times(const json_t *claims, int64_t now_wall_us,
				    int64_t *expires_wall_us)
{
	int64_t not_before_us = 0;
	if (!read_time(claims, "exp", 0, expires_wall_us) ||
	    !read_time(claims, "nbf", 0, &not_before_us))
		return invalid("it has a malformed time");
	if (*expires_wall_us == 0)
		return invalid("it has no expiry");
	if (now_wall_us >= *expires_wall_us + RT_TOKEN_LEEWAY_US)
		return RT_FAIL(UNAUTHENTICATED, "TOKEN_EXPIRED", "the token has expired");
	if (now_wall_us < not_before_us - RT_TOKEN_LEEWAY_US)
		return invalid("it is not valid yet");
	return rt_ok();
}

static bool read_role(const char *name, enum rt_role *role)
{
	static const struct {
		const char *name;
		enum rt_role role;
	} roles[] = {{"player", RT_ROLE_PLAYER},
		     {"operator", RT_ROLE_OPERATOR},
		     {"auditor", RT_ROLE_AUDITOR}};
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(roles[i].name, name) == 0) {
			*role = roles[i].role;
			return true;
		}
	}
	return false;
}

static struct rt_status read_caller(const json_t *claims, struct rt_caller *caller)
{
	if (!rt_uuid_parse(text_of(claims, "sub"), &caller->user_id) ||
	    rt_uuid_is_nil(&caller->user_id))
		return invalid("it names no user");
	if (!read_role(text_of(claims, "role"), &caller->role))
		return invalid("it has no known role");
	const char *name = text_of(claims, "name");
	size_t length = strlen(name);
	if (length == 0 || length >= sizeof(caller->username))
		return invalid("it has no user name");
	memcpy(caller->username, name, length + 1);
	return rt_ok();
}

static struct rt_status check_claims(const struct parts *parts, const struct rt_token_rules *rules,
				     int64_t now_wall_us, struct rt_token_facts *facts)
{
	CLEANUP(free_json) json_t *claims = decode_json(parts->claims, parts->claims_length);
	if (claims == NULL)
		return invalid("its claims can't be read");
	if (strcmp(text_of(claims, "iss"), rules->issuer) != 0)
		return invalid("it comes from another issuer");
	if (!names_audience(claims, rules->audience))
		return invalid("it is for another audience");
	RT_TRY(check_times(claims, now_wall_us, &facts->expires_wall_us));
	facts->caller.ends_wall_us = facts->expires_wall_us + RT_TOKEN_LEEWAY_US;
	return read_caller(claims, &facts->caller);
}

struct rt_status rt_token_check(const struct rt_key_set *set, const struct rt_token_rules *rules,
				const char *token, int64_t now_wall_us,
				struct rt_token_facts *facts)
{
	*facts = (struct rt_token_facts){0};
	struct parts parts;
	if (!split(token, &parts))
		return invalid("it is not of three parts, or too long");
	char kid[RT_KID_BYTES];
	RT_TRY(check_header(&parts, kid));
	const struct rt_key *key = rt_key_find(set, kid);
	if (key == NULL) {
		facts->key_unknown = true;
		return invalid("its key is not known");
	}
	/* Nothing that it says is looked at before this. */
	RT_TRY(check_signature(key, token, &parts));
	return check_claims(&parts, rules, now_wall_us, facts);
}
