/* hiredis's own TLS context does not check the server's name, so the session is made here. */
#include "redis_tls.h"

#ifdef RT_REDIS_TLS

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "rt/assert.h"

struct redis_tls {
	SSL_CTX *context;
	char *host;
};

static bool load_authorities(SSL_CTX *context, const char *ca)
{
	if (ca == NULL)
		return SSL_CTX_set_default_verify_paths(context) == 1;
	return SSL_CTX_load_verify_locations(context, ca, NULL) == 1;
}

struct redis_tls *redis_tls_new(const char *ca, const char *host)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	RT_ASSERT(context != NULL);
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (!load_authorities(context, ca)) {
		SSL_CTX_free(context);
		return NULL;
	}
	struct redis_tls *tls = calloc(1, sizeof(*tls));
	RT_ASSERT(tls != NULL);
	tls->context = context;
	tls->host = strdup(host);
	RT_ASSERT(tls->host != NULL);
	return tls;
}

void redis_tls_destroy(struct redis_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->context);
	free(tls->host);
	free(tls);
}

/* The name is not const because a macro of OpenSSL's casts that away. */
static bool expect_name(SSL *session, char *host)
{
	struct in6_addr address;
	if (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1;
	return SSL_set1_host(session, host) == 1 && SSL_set_tlsext_host_name(session, host) == 1;
}

bool redis_tls_start(struct redis_tls *tls, redisContext *connection)
{
	SSL *session = SSL_new(tls->context);
	if (session == NULL)
		return false;
	/* The connection takes the session only when hands were shaken. */
	if (expect_name(session, tls->host) && redisInitiateSSL(connection, session) == REDIS_OK)
		return true;
	SSL_free(session);
	return false;
}

#else

#include <stddef.h>

struct redis_tls *redis_tls_new(const char *ca, const char *host)
{
	(void)ca;
	(void)host;
	return NULL;
}

void redis_tls_destroy(struct redis_tls *tls)
{
	(void)tls;
}

bool redis_tls_start(struct redis_tls *tls, redisContext *connection)
{
	(void)tls;
	(void)connection;
	return false;
}

#endif
