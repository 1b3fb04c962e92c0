/* gRPC credentials out of certificate files that are watched for changes. For server.c and
 * client.c. */
#pragma once

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include "rt/identity.h"
#include "rt/status.h"
#include "rt/tls.h"

/* What can be found out before anybody connects. Errors: FAILED_PRECONDITION TLS_UNREADABLE when a
 * file can't be read, is not PEM, or the key is not the certificate's. */
struct rt_status rt_tls_check(const struct rt_tls *tls);

/* Reads the files again and again, in a thread of its own. Owns: until
 * grpc_tls_certificate_provider_release. */
grpc_tls_certificate_provider *rt_tls_watch(const struct rt_tls *tls);

/* A client must have a certificate of ours. */
grpc_server_credentials *rt_tls_server_credentials(grpc_tls_certificate_provider *provider);
/* The server must have a certificate of ours, with exactly one URI SAN: the expected identity. */
grpc_channel_credentials *rt_tls_channel_credentials(grpc_tls_certificate_provider *provider,
						     const char *trust_domain,
						     enum rt_identity expected);
