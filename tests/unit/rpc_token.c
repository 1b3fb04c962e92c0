/* Tokens: what is signed verifies, and every attack on it does not. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/base/base64url.h"
#include "../../runtime/rpc/token_keys.h"
#include "rt/clock.h"
#include "rt/log.h"
#include "rt/token.h"

#define NOW_US    (INT64_C(1800000000) * RT_US_PER_S)
#define MINUTE_US (60 * RT_US_PER_S)

struct pair {
	EVP_PKEY *key;
	struct rt_secret pem;
	struct rt_signer *signer;
	struct rt_key_set *keys;
};

static struct pair ours;
static struct pair theirs;
static struct rt_arena arena;
static const struct rt_token_rules rules = {.issuer = "https://auth.test", .audience = "daler"};

static struct pair make_pair(void)
{
	struct pair pair = {.key = EVP_EC_gen("P-256")};
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, pair.key, NULL, NULL, 0, NULL, NULL);
	char *text = NULL;
	long length = BIO_get_mem_data(bio, &text);
	pair.pem = rt_secret_copy(text, (size_t)length);
	BIO_free(bio);
	struct rt_status status = rt_signer_new(&pair.pem, &pair.signer);
	assert_int_equal(status.code, RT_OK);
	status = rt_key_set_parse(rt_signer_jwks(pair.signer), &pair.keys);
	assert_int_equal(status.code, RT_OK);
	return pair;
}

static void free_pair(struct pair *pair)
{
	EVP_PKEY_free(pair->key);
	rt_signer_destroy(pair->signer);
	rt_secret_deinit(&pair->pem);
	rt_key_set_drop(pair->keys);
}

static int start(void **state)
{
	(void)state;
	rt_log_init("test", "error");
	rt_arena_init(&arena, 1 << 20);
	ours = make_pair();
	theirs = make_pair();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	free_pair(&ours);
	free_pair(&theirs);
	rt_arena_deinit(&arena);
	return 0;
}

static struct rt_token_claims good_claims(void)
{
	struct rt_token_claims claims = {
		.issuer = rules.issuer,
		.audience = rules.audience,
		.username = "ann@example.test",
		.role = RT_ROLE_PLAYER,
		.issued_wall_us = NOW_US,
		.expires_wall_us = NOW_US + 15 * MINUTE_US,
	};
	assert_true(rt_uuid_parse("0190a0a0-0000-7000-8000-000000000001", &claims.user_id));
	return claims;
}

static const char *sign(const struct pair *pair, const struct rt_token_claims *claims)
{
	const char *token = NULL;
	struct rt_status status = rt_signer_sign(pair->signer, claims, &arena, &token);
	assert_int_equal(status.code, RT_OK);
	return token;
}

static struct rt_status check_at(const char *token, int64_t now_us)
{
	struct rt_token_facts facts;
	return rt_token_check(ours.keys, &rules, token, now_us, &facts);
}

static void refuse(const char *token, const char *reason)
{
	struct rt_status status = check_at(token, NOW_US);
	assert_int_equal(status.code, RT_UNAUTHENTICATED);
	assert_string_equal(status.reason, reason);
}

static void test_signed_is_verified(void **state)
{
	(void)state;
	static const enum rt_role roles[] = {RT_ROLE_PLAYER, RT_ROLE_OPERATOR, RT_ROLE_AUDITOR};
	for (int i = 0; i < 60; i++) { /* signatures differ in length inside */
		struct rt_token_claims claims = good_claims();
		claims.role = roles[i % 3];
		struct rt_token_facts facts;
		struct rt_status status =
			rt_token_check(ours.keys, &rules, sign(&ours, &claims), NOW_US, &facts);
		assert_int_equal(status.code, RT_OK);
		assert_int_equal(facts.caller.role, roles[i % 3]);
		assert_true(rt_uuid_equal(&facts.caller.user_id, &claims.user_id));
		assert_string_equal(facts.caller.username, "ann@example.test");
		assert_int_equal(facts.expires_wall_us, claims.expires_wall_us);
	}
}

static void test_times(void **state)
{
	(void)state;
	struct rt_token_claims claims = good_claims();
	const char *token = sign(&ours, &claims);
	int64_t ends_us = claims.expires_wall_us;
	assert_int_equal(check_at(token, ends_us + 29 * RT_US_PER_S).code, RT_OK);
	struct rt_status late = check_at(token, ends_us + 30 * RT_US_PER_S);
	assert_int_equal(late.code, RT_UNAUTHENTICATED);
	assert_string_equal(late.reason, "TOKEN_EXPIRED");
	assert_int_equal(check_at(token, NOW_US - 30 * RT_US_PER_S).code, RT_OK);
	assert_string_equal(check_at(token, NOW_US - 31 * RT_US_PER_S).reason, "INVALID_TOKEN");
}

static void test_issuer_and_audience(void **state)
{
	(void)state;
	struct rt_token_claims claims = good_claims();
	claims.issuer = "https://auth.test.evil";
	refuse(sign(&ours, &claims), "INVALID_TOKEN");
	claims = good_claims();
	claims.audience = "another";
	refuse(sign(&ours, &claims), "INVALID_TOKEN");
}

static void test_other_key(void **state)
{
	(void)state;
	struct rt_token_claims claims = good_claims();
	struct rt_token_facts facts;
	struct rt_status status =
		rt_token_check(ours.keys, &rules, sign(&theirs, &claims), NOW_US, &facts);
	assert_int_equal(status.code, RT_UNAUTHENTICATED);
	assert_true(facts.key_unknown);
}

static void test_every_changed_character(void **state)
{
	(void)state;
	struct rt_token_claims claims = good_claims();
	const char *token = sign(&ours, &claims);
	size_t length = strlen(token);
	for (size_t i = 0; i < length; i++) {
		char *copy = rt_arena_strdup(&arena, token);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		assert_int_equal(check_at(copy, NOW_US).code, RT_UNAUTHENTICATED);
		copy[i] = '\0'; /* and every cut */
		assert_int_equal(check_at(copy, NOW_US).code, RT_UNAUTHENTICATED);
		rt_arena_deinit(&arena);
		token = sign(&ours, &claims);
		length = strlen(token) < length ? strlen(token) : length;
	}
}

/* A token with this header and these claims, and whatever signature `make` puts under them. */
typedef void (*make_signature)(const char *text, size_t length, char *signature);

static const char *forge(const char *header, const char *claims, make_signature make)
{
	char *token = rt_arena_alloc(&arena, 4096);
	rt_base64url_encode((const uint8_t *)header, strlen(header), token);
	size_t length = strlen(token);
	token[length++] = '.';
	rt_base64url_encode((const uint8_t *)claims, strlen(claims), token + length);
	length += strlen(token + length);
	token[length] = '.';
	make(token, length, token + length + 1);
	return token;
}

static void no_signature(const char *text, size_t length, char *signature)
{
	(void)text;
	(void)length;
	signature[0] = '\0';
}

static void zero_signature(const char *text, size_t length, char *signature)
{
	(void)text;
	(void)length;
	const uint8_t zero[64] = {0};
	rt_base64url_encode(zero, sizeof(zero), signature);
}

/* HMAC with the public key for a secret: the classic confusion. */
static void hmac_signature(const char *text, size_t length, char *signature)
{
	uint8_t mac[32];
	const char *secret = rt_signer_jwks(ours.signer);
	HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text, length, mac,
	     NULL);
	rt_base64url_encode(mac, sizeof(mac), signature);
}

/* A good one: our own key. */
static void good_signature(const char *text, size_t length, char *signature)
{
	uint8_t der[128];
	size_t der_length = sizeof(der);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, ours.key);
	EVP_DigestSign(context, der, &der_length, (const unsigned char *)text, length);
	EVP_MD_CTX_free(context);
	const unsigned char *at = der;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)der_length);
	uint8_t raw[64];
	BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + 32, 32);
	ECDSA_SIG_free(pair);
	rt_base64url_encode(raw, sizeof(raw), signature);
}

/* DER where r||s is wanted. */
static void der_signature(const char *text, size_t length, char *signature)
{
	uint8_t der[128];
	size_t der_length = sizeof(der);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, ours.key);
	EVP_DigestSign(context, der, &der_length, (const unsigned char *)text, length);
	EVP_MD_CTX_free(context);
	rt_base64url_encode(der, der_length, signature);
}

#define CLAIMS                                                                                     \
	"{\"iss\":\"https://"                                                                      \
	"auth.test\",\"aud\":\"daler\",\"sub\":\"0190a0a0-0000-7000-8000-000000000001\","          \
	"\"name\":\"ann\",\"role\":\"player\",\"exp\":1800000600}"

static const char *header_of(const char *alg)
{
	char kid[RT_KID_BYTES];
	snprintf(kid, sizeof(kid), "%s", ours.keys->keys[0].kid);
	return rt_arena_printf(&arena, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}", alg, kid);
}

static void test_algorithms(void **state)
{
	(void)state;
	assert_int_equal(check_at(forge(header_of("ES256"), CLAIMS, good_signature), NOW_US).code,
			 RT_OK);
	refuse(forge(header_of("none"), CLAIMS, no_signature), "INVALID_TOKEN");
	refuse(forge(header_of("None"), CLAIMS, good_signature), "INVALID_TOKEN");
	refuse(forge(header_of("HS256"), CLAIMS, hmac_signature), "INVALID_TOKEN");
	refuse(forge(header_of("ES256"), CLAIMS, hmac_signature), "INVALID_TOKEN");
	refuse(forge(header_of("ES384"), CLAIMS, good_signature), "INVALID_TOKEN");
	refuse(forge(header_of("es256"), CLAIMS, good_signature), "INVALID_TOKEN");
	refuse(forge(header_of("ES256"), CLAIMS, no_signature), "INVALID_TOKEN");
	refuse(forge(header_of("ES256"), CLAIMS, zero_signature), "INVALID_TOKEN");
	refuse(forge(header_of("ES256"), CLAIMS, der_signature), "INVALID_TOKEN");
}

static void test_headers(void **state)
{
	(void)state;
	const char *kid = ours.keys->keys[0].kid;
	refuse(forge("{\"alg\":\"ES256\"}", CLAIMS, good_signature), "INVALID_TOKEN");
	refuse(forge("{\"alg\":\"ES256\",\"kid\":\"\"}", CLAIMS, good_signature), "INVALID_TOKEN");
	refuse(forge("{\"alg\":\"ES256\",\"kid\":7}", CLAIMS, good_signature), "INVALID_TOKEN");
	refuse(forge("[]", CLAIMS, good_signature), "INVALID_TOKEN");
	refuse(forge("", CLAIMS, good_signature), "INVALID_TOKEN");
	refuse(forge(rt_arena_printf(&arena, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"crit\":[\"x\"]}",
				     kid),
		     CLAIMS, good_signature),
	       "INVALID_TOKEN");
	refuse(forge(rt_arena_printf(&arena, "{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"%s\"}",
				     kid),
		     CLAIMS, good_signature),
	       "INVALID_TOKEN");
	refuse(forge(rt_arena_printf(&arena, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWE\"}",
				     kid),
		     CLAIMS, good_signature),
	       "INVALID_TOKEN");
}

static void test_claims(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"{}",
		"[]",
		"1",
		"",
		/* no exp, exp as text, a fraction, negative, absurd */
		"{\"iss\":\"https://"
		"auth.test\",\"aud\":\"daler\",\"sub\":\"0190a0a0-0000-7000-8000-000000000001\","
		"\"name\":\"a\",\"role\":\"player\"}",
		"{\"iss\":\"https://"
		"auth.test\",\"aud\":\"daler\",\"sub\":\"0190a0a0-0000-7000-8000-000000000001\","
		"\"name\":\"a\",\"role\":\"player\",\"exp\":\"1800000600\"}",
		"{\"iss\":\"https://"
		"auth.test\",\"aud\":\"daler\",\"sub\":\"0190a0a0-0000-7000-8000-000000000001\","
		"\"name\":\"a\",\"role\":\"player\",\"exp\":1800000600.5}",
		"{\"iss\":\"https://"
		"auth.test\",\"aud\":\"daler\",\"sub\":\"0190a0a0-0000-7000-8000-000000000001\","
		"\"name\":\"a\",\"role\":\"player\",\"exp\":-1}",
		"{\"iss\":\"https://"
		"auth.test\",\"aud\":\"daler\",\"sub\":\"0190a0a0-0000-7000-8000-000000000001\","
		"\"name\":\"a\",\"role\":\"player\",\"exp\":9223372036854775807}",
		/* no such role, no user, no name, twice the same claim */
		"{\"iss\":\"https://"
		"auth.test\",\"aud\":\"daler\",\"sub\":\"0190a0a0-0000-7000-8000-000000000001\","
		"\"name\":\"a\",\"role\":\"root\",\"exp\":1800000600}",
		"{\"iss\":\"https://"
		"auth.test\",\"aud\":\"daler\",\"sub\":\"ann\",\"name\":\"a\",\"role\":\"player\","
		"\"exp\":1800000600}",
		"{\"iss\":\"https://"
		"auth.test\",\"aud\":\"daler\",\"sub\":\"00000000-0000-0000-0000-000000000000\","
		"\"name\":\"a\",\"role\":\"player\",\"exp\":1800000600}",
		"{\"iss\":\"https://"
		"auth.test\",\"aud\":\"daler\",\"sub\":\"0190a0a0-0000-7000-8000-000000000001\","
		"\"role\":\"player\",\"exp\":1800000600}",
		"{\"iss\":\"https://"
		"auth.test\",\"aud\":\"daler\",\"sub\":\"0190a0a0-0000-7000-8000-000000000001\","
		"\"name\":\"a\",\"role\":\"player\",\"role\":\"operator\",\"exp\":1800000600}",
		"{\"iss\":\"https://"
		"auth.test\",\"aud\":[\"x\"],\"sub\":\"0190a0a0-0000-7000-8000-000000000001\","
		"\"name\":\"a\",\"role\":\"player\",\"exp\":1800000600}",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		refuse(forge(header_of("ES256"), wrong[i], good_signature), "INVALID_TOKEN");
	const char *list =
		"{\"iss\":\"https://auth.test\",\"aud\":[\"x\",\"daler\"],\"sub\":"
		"\"0190a0a0-0000-7000-8000-000000000001\",\"name\":\"a\",\"role\":\"player\","
		"\"exp\":1800000600}";
	assert_int_equal(check_at(forge(header_of("ES256"), list, good_signature), NOW_US).code,
			 RT_OK);
}

static void test_shapes(void **state)
{
	(void)state;
	static const char *const wrong[] = {"",        ".",     "..",    "...",           "a.b",
					    "a.b.c.d", "a.b.c", "=.=.=", "\xff.\xff.\xff"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		refuse(wrong[i], "INVALID_TOKEN");
	char *huge = rt_arena_alloc(&arena, 6000);
	memset(huge, 'A', 5999);
	refuse(huge, "INVALID_TOKEN");
}

static void test_key_sets(void **state)
{
	(void)state;
	static const char *const unusable[] = {
		"",
		"{}",
		"[]",
		"{\"keys\":[]}",
		"{\"keys\":{}}",
		"{\"keys\":[1,null,{}]}",
		/* a point that is not on the curve; a secret */
		("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\",\"x\":"
		 "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\",\"y\":"
		 "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}]}"),
		"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"AAAA\"}]}",
	};
	for (size_t i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++) {
		struct rt_key_set *set = NULL;
		assert_int_equal(rt_key_set_parse(unusable[i], &set).code, RT_INTERNAL);
		assert_null(set);
	}
}

static void test_signing_keys(void **state)
{
	(void)state;
	static const char *const groups[] = {"P-384", "secp256k1"};
	for (size_t i = 0; i < 2; i++) {
		EVP_PKEY *key = EVP_EC_gen(groups[i]);
		BIO *bio = BIO_new(BIO_s_mem());
		PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
		char *text = NULL;
		long length = BIO_get_mem_data(bio, &text);
		struct rt_secret pem = rt_secret_copy(text, (size_t)length);
		struct rt_signer *signer = NULL;
		assert_int_equal(rt_signer_new(&pem, &signer).code, RT_INVALID_ARGUMENT);
		rt_secret_deinit(&pem);
		BIO_free(bio);
		EVP_PKEY_free(key);
	}
	struct rt_secret junk = rt_secret_copy("not a key", 9);
	struct rt_signer *signer = NULL;
	assert_int_equal(rt_signer_new(&junk, &signer).code, RT_INVALID_ARGUMENT);
	rt_secret_deinit(&junk);
}

/* ---- files with several keys ---- */

static BIO *file_new(void)
{
	BIO *file = BIO_new(BIO_s_mem());
	assert_non_null(file);
	return file;
}

static void put_private(BIO *file, const EVP_PKEY *key)
{
	assert_int_equal(PEM_write_bio_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
}

static void put_public(BIO *file, const EVP_PKEY *key)
{
	assert_int_equal(PEM_write_bio_PUBKEY(file, key), 1);
}

/* Reads the file, and frees it. */
static struct rt_status read_file(BIO *file, struct rt_signer **signer)
{
	char *text = NULL;
	long length = BIO_get_mem_data(file, &text);
	struct rt_secret pem = rt_secret_copy(text, (size_t)length);
	struct rt_status status = rt_signer_new(&pem, signer);
	rt_secret_deinit(&pem);
	BIO_free(file);
	return status;
}

static void refuse_file(BIO *file)
{
	struct rt_signer *signer = NULL;
	struct rt_status status = read_file(file, &signer);
	assert_int_equal(status.code, RT_INVALID_ARGUMENT);
	assert_string_equal(status.reason, "SIGNING_KEY_INVALID");
	assert_null(signer);
}

/* A signer of this file, whose keys verify what both pairs sign; `signing` signs. */
static void check_file(BIO *file, const struct pair *signing)
{
	struct pair both = {0};
	struct rt_token_claims claims = good_claims();
	struct rt_token_facts facts;
	assert_int_equal(read_file(file, &both.signer).code, RT_OK);
	assert_int_equal(rt_signer_key_count(both.signer), 2);
	assert_string_equal(rt_signer_kid(both.signer), rt_signer_kid(signing->signer));
	assert_int_equal(rt_key_set_parse(rt_signer_jwks(both.signer), &both.keys).code, RT_OK);
	assert_int_equal(both.keys->count, 2);
	assert_string_equal(both.keys->keys[0].kid, rt_signer_kid(signing->signer));
	assert_int_equal(
		rt_token_check(signing->keys, &rules, sign(&both, &claims), NOW_US, &facts).code,
		RT_OK);
	const char *signed_by_each[] = {sign(&ours, &claims), sign(&theirs, &claims)};
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
			rt_token_check(both.keys, &rules, signed_by_each[i], NOW_US, &facts).code,
			RT_OK);
	rt_signer_destroy(both.signer);
	rt_key_set_drop(both.keys);
}

static void test_the_first_key_signs_and_all_are_published(void **state)
{
	(void)state;
	BIO *file = file_new();
	put_private(file, ours.key);
	put_public(file, theirs.key);
	check_file(file, &ours);
	file = file_new();
	put_private(file, theirs.key);
	put_private(file, ours.key);
	check_file(file, &theirs);
	/* As `openssl ecparam -genkey` writes them, with a remark, and one of them twice. */
	file = file_new();
	BIO_puts(file, "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
		       "-----END EC PARAMETERS-----\n");
	assert_int_equal(
		PEM_write_bio_PrivateKey_traditional(file, ours.key, NULL, NULL, 0, NULL, NULL), 1);
	BIO_puts(file, "the one of last month:\n");
	put_public(file, theirs.key);
	put_public(file, ours.key);
	check_file(file, &ours);
}

static void test_a_file_is_taken_whole_or_not_at_all(void **state)
{
	(void)state;
	static char word[] = "passphrase";
	EVP_PKEY *other = EVP_EC_gen("P-384");
	BIO *file = file_new();
	put_public(file, ours.key);
	put_private(file, ours.key); /* nothing that could sign comes first */
	refuse_file(file);
	file = file_new();
	put_private(file, ours.key);
	put_public(file, other);
	refuse_file(file);
	file = file_new();
	put_private(file, ours.key);
	assert_int_equal(PEM_write_bio_PrivateKey(file, theirs.key, EVP_aes_128_cbc(),
						  (const unsigned char *)word, 10, NULL, NULL),
			 1);
	refuse_file(file);
	file = file_new();
	put_private(file, ours.key);
	BIO_puts(file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	refuse_file(file);
	EVP_PKEY_free(other);
}

static void test_a_file_that_is_cut_off(void **state)
{
	(void)state;
	BIO *whole = file_new();
	put_private(whole, ours.key);
	long first = BIO_get_mem_data(whole, NULL);
	put_public(whole, theirs.key);
	char *text = NULL;
	long length = BIO_get_mem_data(whole, &text);
	for (long cut = first + 30; cut < length - 1; cut += 7) {
		BIO *file = file_new();
		BIO_write(file, text, (int)cut);
		refuse_file(file);
	}
	check_file(whole, &ours);
}

static void test_too_many_keys(void **state)
{
	(void)state;
	for (size_t more = RT_KEYS_MAX - 1; more <= RT_KEYS_MAX; more++) {
		BIO *file = file_new();
		put_private(file, ours.key);
		for (size_t i = 0; i < more; i++) {
			EVP_PKEY *key = EVP_EC_gen("P-256");
			put_public(file, key);
			EVP_PKEY_free(key);
		}
		struct rt_signer *signer = NULL;
		struct rt_status status = read_file(file, &signer);
		assert_int_equal(status.code, more < RT_KEYS_MAX ? RT_OK : RT_INVALID_ARGUMENT);
		rt_signer_destroy(signer);
	}
}

/* It would sign, and nobody could verify it. */
static void test_a_private_key_with_the_public_half_of_another(void **state)
{
	(void)state;
	BIGNUM *number = NULL;
	unsigned char point[65];
	size_t length = 0;
	EVP_PKEY *mixed = NULL;
	assert_int_equal(EVP_PKEY_get_bn_param(ours.key, OSSL_PKEY_PARAM_PRIV_KEY, &number), 1);
	assert_int_equal(EVP_PKEY_get_octet_string_param(theirs.key, OSSL_PKEY_PARAM_PUB_KEY, point,
							 sizeof(point), &length),
			 1);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
	OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, length);
	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
	assert_int_equal(EVP_PKEY_fromdata(context, &mixed, EVP_PKEY_KEYPAIR, params), 1);
	BIO *file = file_new();
	put_private(file, mixed);
	refuse_file(file);
	EVP_PKEY_free(mixed);
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	BN_free(number);
}

/* What auth publishes at the moment; NULL: it can't be reached. */
static _Atomic(const char *) published;
static atomic_int fetches;

static struct rt_status fetch(void *context, struct rt_arena *into, const char **json)
{
	(void)context;
	atomic_fetch_add(&fetches, 1);
	const char *now = atomic_load(&published);
	if (now == NULL)
		return RT_FAIL(UNAVAILABLE, "UNREACHABLE", "auth is down");
	*json = rt_arena_strdup(into, now);
	return rt_ok();
}

static bool becomes(struct rt_token_verifier *verifier, const char *token, enum rt_code code)
{
	int64_t deadline_us = rt_clock_mono_us() + 5 * RT_US_PER_S;
	while (rt_clock_mono_us() < deadline_us) {
		struct rt_caller caller = {0};
		struct rt_status status = rt_token_verify(verifier, token, NOW_US, &caller);
		if (status.code == code)
			return true;
		rt_clock_sleep_us(10 * RT_US_PER_MS);
	}
	return false;
}

static void test_verifier(void **state)
{
	(void)state;
	struct rt_token_claims claims = good_claims();
	const char *token = sign(&ours, &claims);
	atomic_store(&published, NULL);
	struct rt_token_config config = {.issuer = rules.issuer,
					 .audience = rules.audience,
					 .refresh_ms = 600000,
					 .fetch = fetch};
	struct rt_token_verifier *verifier = rt_token_verifier_new(&config);
	struct rt_caller caller = {.identity = RT_ID_GATEWAY};
	struct rt_status status = rt_token_verify(verifier, token, NOW_US, &caller);
	assert_int_equal(status.code, RT_UNAVAILABLE);
	assert_false(rt_token_verifier_ready(verifier));
	atomic_store(&published, rt_signer_jwks(ours.signer));
	assert_true(becomes(verifier, token, RT_OK));
	assert_true(rt_token_verifier_ready(verifier));
	status = rt_token_verify(verifier, token, NOW_US, &caller); /* from memory */
	assert_int_equal(status.code, RT_OK);
	assert_int_equal(caller.identity, RT_ID_GATEWAY); /* is not the token's to say */
	assert_int_equal(caller.role, RT_ROLE_PLAYER);
	assert_string_equal(caller.username, "ann@example.test");
	status = rt_token_verify(verifier, token, claims.expires_wall_us + MINUTE_US, &caller);
	assert_string_equal(status.reason, "TOKEN_EXPIRED"); /* memory or not */
	/* A new key: its first token makes the keys be fetched; then those of the old one are worth
	 * nothing. */
	atomic_store(&published, rt_signer_jwks(theirs.signer));
	assert_true(becomes(verifier, sign(&theirs, &claims), RT_OK));
	assert_true(becomes(verifier, token, RT_UNAUTHENTICATED));
	/* Forged keys do not make it ask more than it wants to. */
	int before = fetches;
	for (int i = 0; i < 500; i++)
		assert_int_equal(rt_token_verify(verifier, token, NOW_US, &caller).code,
				 RT_UNAUTHENTICATED);
	assert_in_range(fetches - before, 0, 1);
	rt_token_verifier_destroy(verifier);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed_is_verified),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_issuer_and_audience),
		cmocka_unit_test(test_other_key),
		cmocka_unit_test(test_every_changed_character),
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_key_sets),
		cmocka_unit_test(test_signing_keys),
		cmocka_unit_test(test_the_first_key_signs_and_all_are_published),
		cmocka_unit_test(test_a_file_is_taken_whole_or_not_at_all),
		cmocka_unit_test(test_a_file_that_is_cut_off),
		cmocka_unit_test(test_too_many_keys),
		cmocka_unit_test(test_a_private_key_with_the_public_half_of_another),
		cmocka_unit_test(test_verifier),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
