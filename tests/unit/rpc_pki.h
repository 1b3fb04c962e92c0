/* Certificates for tests, made with OpenSSL in a temporary folder: authorities, and leaves with
 * chosen names and times. */
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt/assert.h"

#define PKI_PATH 256

struct pki_authority {
	EVP_PKEY *key;
	X509 *certificate;
};

/* What a leaf says. */
struct pki_leaf {
	const char *names; /* subjectAltName, as in openssl.cnf */
	long from_s;       /* valid from .. until, relative to now */
	long until_s;
	const char *usage; /* extendedKeyUsage; NULL: of a server and a client */
};

static inline const char *pki_path(char path[PKI_PATH], const char *folder, const char *name)
{
	int length = snprintf(path, PKI_PATH, "%s/%s", folder, name);
	RT_ASSERT(length > 0 && length < PKI_PATH);
	return path;
}

static inline void pki_write_certificate(const char *path, X509 *certificate)
{
	FILE *file = fopen(path, "w");
	RT_ASSERT(file != NULL);
	PEM_write_X509(file, certificate);
	fclose(file);
}

static inline void pki_write_key(const char *path, EVP_PKEY *key)
{
	FILE *file = fopen(path, "w");
	RT_ASSERT(file != NULL);
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
}

/* The key of folder/tls.key, encrypted in its place. */
static inline void pki_encrypt_key(const char *folder, const char *passphrase)
{
	char path[PKI_PATH];
	FILE *file = fopen(pki_path(path, folder, "tls.key"), "r+");
	RT_ASSERT(file != NULL);
	EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	RT_ASSERT(key != NULL);
	rewind(file);
	const unsigned char *text = (const unsigned char *)passphrase;
	PEM_write_PrivateKey(file, key, EVP_aes_256_cbc(), text, (int)strlen(passphrase), NULL,
			     NULL);
	fclose(file);
	EVP_PKEY_free(key);
}

static inline void pki_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	RT_ASSERT(extension != NULL);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

static inline X509 *pki_certificate(EVP_PKEY *key, const char *common_name, long from_s,
				    long until_s)
{
	static long serial = 1000;
	X509 *certificate = X509_new();
	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
	X509_gmtime_adj(X509_getm_notAfter(certificate), until_s);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
				   (const unsigned char *)common_name, -1, -1, 0);
	X509_set_pubkey(certificate, key);
	return certificate;
}

/* One that `above` vouches for, or itself when that is NULL. */
static inline struct pki_authority pki_authority_below(const char *name,
						       const struct pki_authority *above)
{
	struct pki_authority authority = {.key = EVP_EC_gen("P-256")};
	authority.certificate = pki_certificate(authority.key, name, -3600, 86400);
	const struct pki_authority *issuer = above != NULL ? above : &authority;
	X509_set_issuer_name(authority.certificate, X509_get_subject_name(issuer->certificate));
	pki_extension(authority.certificate, issuer->certificate, NID_basic_constraints,
		      "critical,CA:TRUE");
	pki_extension(authority.certificate, issuer->certificate, NID_key_usage,
		      "critical,keyCertSign");
	X509_sign(authority.certificate, issuer->key, EVP_sha256());
	return authority;
}

static inline struct pki_authority pki_authority_new(const char *name)
{
	return pki_authority_below(name, NULL);
}

static inline void pki_authority_free(struct pki_authority *authority)
{
	EVP_PKEY_free(authority->key);
	X509_free(authority->certificate);
}

/* Writes folder/{tls.crt,tls.key,ca.crt}, each by a rename; `trusted` is what ca.crt holds. */
static inline void pki_issue(const char *folder, const struct pki_authority *authority,
			     const struct pki_authority *trusted, const struct pki_leaf *leaf)
{
	mkdir(folder, 0700);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = pki_certificate(key, "leaf", leaf->from_s, leaf->until_s);
	X509_set_issuer_name(certificate, X509_get_subject_name(authority->certificate));
	pki_extension(certificate, authority->certificate, NID_subject_alt_name, leaf->names);
	pki_extension(certificate, authority->certificate, NID_ext_key_usage,
		      leaf->usage != NULL ? leaf->usage : "serverAuth,clientAuth");
	X509_sign(certificate, authority->key, EVP_sha256());
	char path[PKI_PATH];
	char fresh[PKI_PATH];
	pki_write_certificate(pki_path(fresh, folder, "tls.crt.new"), certificate);
	char key_path[PKI_PATH];
	char key_fresh[PKI_PATH];
	pki_write_key(pki_path(key_fresh, folder, "tls.key.new"), key);
	rename(fresh, pki_path(path, folder, "tls.crt"));
	rename(key_fresh, pki_path(key_path, folder, "tls.key"));
	pki_write_certificate(pki_path(path, folder, "ca.crt"), trusted->certificate);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static inline char *pki_read(const char *folder, const char *name)
{
	char path[PKI_PATH];
	pki_path(path, folder, name);
	FILE *file = fopen(path, "r");
	RT_ASSERT(file != NULL);
	char *text = calloc(1, 16384);
	size_t length = fread(text, 1, 16383, file);
	RT_ASSERT(length > 0);
	fclose(file);
	return text;
}

/* The serial number of folder/tls.crt. */
static inline long pki_serial(const char *folder)
{
	char *text = pki_read(folder, "tls.crt");
	BIO *bio = BIO_new_mem_buf(text, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	long serial = ASN1_INTEGER_get(X509_get_serialNumber(certificate));
	X509_free(certificate);
	BIO_free(bio);
	free(text);
	return serial;
}
