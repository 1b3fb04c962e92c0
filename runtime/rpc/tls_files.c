/* gRPC 1.51 takes over whatever stands in certificate files, and forgets what it had when that
 * can't be read: a file that is half written would keep everybody out who is not connected yet. So
 * it watches copies of ours, in memory, that change when new files have been found good, the key
 * and its chain at once.
 * Source: memfd_create(2); X509_verify_cert(3). */
#include "rpc/tls_files.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rt/assert.h"
#include "rt/cleanup.h"
#include "rt/clock.h"
#include "rt/identity.h"
#include "rt/lock.h"
#include "rt/log.h"
#include "rt/metrics.h"

#define COPIES_LOOKED_AT_S 1

/* PEM texts as they were verified. */
struct content {
	BIO *own; /* the key, then its chain */
	BIO *authorities;
	enum rt_identity identity;
};

struct rt_tls_files {
	struct rt_tls names; /* its texts are copies */
	enum rt_tls_side side;
	struct content content;
	int own; /* files in memory with the content, which gRPC watches by their numbers */
	int authorities;
	grpc_tls_certificate_provider *provider;
	char refused[sizeof(((struct rt_status *)0)->detail)]; /* what was logged last */
	struct rt_series *taken_total;
	struct rt_series *refused_total;

	struct rt_lock lock;
	pthread_cond_t changed;
	bool stopping;
	pthread_t thread;
};

static void free_context(SSL_CTX **context)
{
	SSL_CTX_free(*context);
}

static void free_store_context(X509_STORE_CTX **context)
{
	X509_STORE_CTX_free(*context);
}

static void free_names(GENERAL_NAMES **names)
{
	GENERAL_NAMES_free(*names);
}

static void free_certificates(STACK_OF(X509) * *certificates)
{
	sk_X509_pop_free(*certificates, X509_free);
}

static void free_content(struct content *content)
{
	BIO_free(content->own);
	BIO_free(content->authorities);
	*content = (struct content){0};
}

static struct rt_status unreadable(const char *what)
{
	return RT_FAIL(FAILED_PRECONDITION, "TLS_UNREADABLE", "%s", what);
}

/* In place of OpenSSL's, which would ask at the terminal, or of standard input, and wait. */
static int no_passphrase(char *buffer, int size, int writes, void *context)
{
	(void)buffer;
	(void)size;
	(void)writes;
	(void)context;
	return -1;
}

static struct rt_status load(SSL_CTX *context, const struct rt_tls *tls)
{
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	if (SSL_CTX_use_certificate_chain_file(context, tls->cert) != 1)
		return unreadable("the certificate (tls_cert) is absent, unreadable or not PEM");
	if (SSL_CTX_use_PrivateKey_file(context, tls->key, SSL_FILETYPE_PEM) != 1)
		return unreadable("the key (tls_key) is absent, unreadable, not PEM, encrypted, or "
				  "not the certificate's");
	if (SSL_CTX_check_private_key(context) != 1)
		return unreadable("the key (tls_key) is not the certificate's (tls_cert)");
	if (SSL_CTX_load_verify_locations(context, tls->ca, NULL) != 1)
		return unreadable("the authorities (tls_ca) are absent, unreadable or not PEM");
	return rt_ok();
}

static STACK_OF(X509) * chain_of(SSL_CTX *context)
{
	STACK_OF(X509) *chain = NULL;
	SSL_CTX_get0_chain_certs(context, &chain);
	return chain;
}

/* Peers have the same authorities: what these don't vouch for, nobody takes. As gRPC does it, none
 * of them needs to be a root. */
static struct rt_status verify_chain(SSL_CTX *context, enum rt_tls_side side)
{
	static const int purposes[] = {[RT_TLS_SERVER] = X509_PURPOSE_SSL_SERVER,
				       [RT_TLS_CLIENT] = X509_PURPOSE_SSL_CLIENT};
	CLEANUP(free_store_context) X509_STORE_CTX *verification = X509_STORE_CTX_new();
	RT_ASSERT(verification != NULL);
	int prepared = X509_STORE_CTX_init(verification, SSL_CTX_get_cert_store(context),
					   SSL_CTX_get0_certificate(context), chain_of(context));
	RT_ASSERT(prepared == 1);
	prepared = X509_STORE_CTX_set_purpose(verification, purposes[side]);
	RT_ASSERT(prepared == 1);
	X509_STORE_CTX_set_flags(verification, X509_V_FLAG_PARTIAL_CHAIN);
	if (X509_verify_cert(verification) == 1)
		return rt_ok();
	return RT_FAIL(FAILED_PRECONDITION, "TLS_UNTRUSTED",
		       "the certificate (tls_cert) is not good by the authorities (tls_ca): %s",
		       X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification)));
}

static bool is_identity(const ASN1_IA5STRING *uri, const char *domain, enum rt_identity *identity)
{
	const char *text = (const char *)ASN1_STRING_get0_data(uri);
	return strlen(text) == (size_t)ASN1_STRING_length(uri) &&
	       rt_identity_from_spiffe(text, domain, identity);
}

static struct rt_status read_identity(const X509 *certificate, const char *domain,
				      enum rt_identity *identity)
{
	CLEANUP(free_names)
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int uris = 0;
	bool known = false;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_URI)
			continue;
		uris++;
		known = is_identity(name->d.uniformResourceIdentifier, domain, identity);
	}
	if (uris == 1 && known)
		return rt_ok();
	return RT_FAIL(
		FAILED_PRECONDITION, "TLS_IDENTITY",
		"the certificate (tls_cert) has %d URIs, or the one is no identity of %.100s", uris,
		domain);
}

static struct rt_status load_good(SSL_CTX *context, const struct rt_tls *tls, enum rt_tls_side side,
				  enum rt_identity *identity)
{
	RT_ASSERT(context != NULL);
	RT_TRY(load(context, tls));
	RT_TRY(verify_chain(context, side));
	return read_identity(SSL_CTX_get0_certificate(context), tls->trust_domain, identity);
}

struct rt_status rt_tls_check(const struct rt_tls *tls, enum rt_tls_side side)
{
	CLEANUP(free_context) SSL_CTX *context = SSL_CTX_new(TLS_method());
	enum rt_identity identity;
	return load_good(context, tls, side, &identity);
}

static void write_certificates(BIO *bio, STACK_OF(X509) * certificates)
{
	for (int i = 0; i < sk_X509_num(certificates); i++) {
		int written = PEM_write_bio_X509(bio, sk_X509_value(certificates, i));
		RT_ASSERT(written == 1);
	}
}

static void write_content(SSL_CTX *context, struct content *content)
{
	content->own = BIO_new(BIO_s_secmem()); /* wipes what it held */
	content->authorities = BIO_new(BIO_s_mem());
	RT_ASSERT(content->own != NULL && content->authorities != NULL);
	int written = PEM_write_bio_PrivateKey(content->own, SSL_CTX_get0_privatekey(context), NULL,
					       NULL, 0, NULL, NULL);
	RT_ASSERT(written == 1);
	written = PEM_write_bio_X509(content->own, SSL_CTX_get0_certificate(context));
	RT_ASSERT(written == 1);
	write_certificates(content->own, chain_of(context));
	CLEANUP(free_certificates)
	STACK_OF(X509) *trusted = X509_STORE_get1_all_certs(SSL_CTX_get_cert_store(context));
	write_certificates(content->authorities, trusted);
}

static struct rt_status read_content(const struct rt_tls *tls, enum rt_tls_side side,
				     struct content *content)
{
	CLEANUP(free_context) SSL_CTX *context = SSL_CTX_new(TLS_method());
	RT_TRY(load_good(context, tls, side, &content->identity));
	write_content(context, content);
	return rt_ok();
}

static bool same_text(BIO *a, BIO *b)
{
	char *texts[2];
	long lengths[2] = {BIO_get_mem_data(a, &texts[0]), BIO_get_mem_data(b, &texts[1])};
	return lengths[0] == lengths[1] && memcmp(texts[0], texts[1], (size_t)lengths[0]) == 0;
}

/* A file in memory with this text; -1 when there is no room for it. */
static int file_with(BIO *bio)
{
	char *text;
	long length = BIO_get_mem_data(bio, &text);
	int file = memfd_create("daler-tls", MFD_CLOEXEC);
	if (file < 0 || write(file, text, (size_t)length) == length)
		return file;
	close(file);
	return -1;
}

/* Under the number that gRPC knows, if it knows one; nobody sees a part of the new file. */
static void replace(int *known, int fresh)
{
	if (*known < 0) {
		*known = fresh;
		return;
	}
	int replaced = dup3(fresh, *known, O_CLOEXEC);
	RT_ASSERT(replaced == *known);
	close(fresh);
}

static struct rt_status put(struct rt_tls_files *files, const struct content *content)
{
	int own = file_with(content->own);
	int authorities = own >= 0 ? file_with(content->authorities) : -1;
	if (authorities < 0) {
		if (own >= 0)
			close(own);
		return RT_FAIL(RESOURCE_EXHAUSTED, "TLS_NO_ROOM",
			       "there is no file or no memory for certificates");
	}
	replace(&files->authorities, authorities);
	replace(&files->own, own);
	return rt_ok();
}

static struct rt_status take(struct rt_tls_files *files, bool *changed)
{
	CLEANUP(free_content) struct content fresh = {0};
	*changed = false;
	RT_TRY(read_content(&files->names, files->side, &fresh));
	const struct content *have = &files->content;
	if (have->own != NULL) {
		if (fresh.identity != have->identity)
			return RT_FAIL(FAILED_PRECONDITION, "TLS_IDENTITY",
				       "the certificate (tls_cert) is of %s, and this is %s",
				       rt_identity_name(fresh.identity),
				       rt_identity_name(have->identity));
		if (same_text(fresh.own, have->own) &&
		    same_text(fresh.authorities, have->authorities))
			return rt_ok();
	}
	RT_TRY(put(files, &fresh));
	struct content old = files->content;
	files->content = fresh;
	fresh = old;
	*changed = true;
	return rt_ok();
}

static void look_again(struct rt_tls_files *files)
{
	bool changed;
	struct rt_status status = take(files, &changed);
	if (!rt_is_ok(&status)) {
		if (strcmp(files->refused, status.detail) == 0)
			return;
		snprintf(files->refused, sizeof(files->refused), "%s", status.detail);
		rt_series_add(files->refused_total, 1);
		RT_LOG(WARN, "certificates_refused", RT_STATUS(&status));
		return;
	}
	files->refused[0] = '\0';
	if (!changed)
		return;
	rt_series_add(files->taken_total, 1);
	RT_LOG(INFO, "certificates_taken",
	       RT_TEXT("identity", rt_identity_name(files->content.identity)));
}

static bool rest(struct rt_tls_files *files)
{
	RT_LOCKED(&files->lock);
	int64_t until_us = rt_clock_mono_us() + files->names.reload_ms * RT_US_PER_MS;
	while (!files->stopping && rt_lock_wait(&files->lock, &files->changed, until_us))
		;
	return !files->stopping;
}

static void *watch(void *argument)
{
	struct rt_tls_files *files = argument;
	while (rest(files))
		look_again(files);
	return NULL;
}

static char *copy(const char *text)
{
	char *copied = strdup(text);
	RT_ASSERT(copied != NULL);
	return copied;
}

static grpc_tls_certificate_provider *provider_of(const struct rt_tls_files *files)
{
	char own[32];
	char authorities[32];
	snprintf(own, sizeof(own), "/proc/self/fd/%d", files->own);
	snprintf(authorities, sizeof(authorities), "/proc/self/fd/%d", files->authorities);
	return grpc_tls_certificate_provider_file_watcher_create(own, own, authorities,
								 COPIES_LOOKED_AT_S);
}

static struct rt_tls_files *files_new(const struct rt_tls *tls, enum rt_tls_side side)
{
	struct rt_tls_files *files = calloc(1, sizeof(*files));
	RT_ASSERT(files != NULL);
	files->names = (struct rt_tls){
		.cert = copy(tls->cert),
		.key = copy(tls->key),
		.ca = copy(tls->ca),
		.trust_domain = copy(tls->trust_domain),
		.reload_ms = tls->reload_ms,
	};
	files->side = side;
	files->own = files->authorities = -1;
	files->taken_total = RT_SERIES(TLS_RELOADS, "taken");
	files->refused_total = RT_SERIES(TLS_RELOADS, "refused");
	rt_lock_init(&files->lock, RT_RANK_REGISTRY);
	rt_condition_init(&files->changed);
	return files;
}

static void files_free(struct rt_tls_files *files)
{
	const char *const names[] = {files->names.cert, files->names.key, files->names.ca,
				     files->names.trust_domain};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		union {
			const char *read;
			char *owned;
		} name = {.read = names[i]};
		free(name.owned);
	}
	free_content(&files->content);
	if (files->own >= 0) {
		close(files->own);
		close(files->authorities);
	}
	pthread_cond_destroy(&files->changed);
	rt_lock_deinit(&files->lock);
	free(files);
}

struct rt_status rt_tls_files_new(const struct rt_tls *tls, enum rt_tls_side side,
				  struct rt_tls_files **result)
{
	struct rt_tls_files *files = files_new(tls, side);
	bool changed;
	struct rt_status status = take(files, &changed);
	if (!rt_is_ok(&status)) {
		files_free(files);
		return status;
	}
	files->provider = provider_of(files);
	int failed = pthread_create(&files->thread, NULL, watch, files);
	RT_ASSERT(failed == 0);
	pthread_setname_np(files->thread, "rt-tls-files");
	*result = files;
	return status;
}

void rt_tls_files_destroy(struct rt_tls_files *files)
{
	if (files == NULL)
		return;
	rt_lock_take(&files->lock);
	files->stopping = true;
	pthread_cond_signal(&files->changed);
	rt_lock_give(&files->lock);
	pthread_join(files->thread, NULL);
	grpc_tls_certificate_provider_release(files->provider);
	files_free(files);
}

grpc_tls_certificate_provider *rt_tls_files_provider(const struct rt_tls_files *files)
{
	return files->provider;
}
